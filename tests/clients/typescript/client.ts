// A person's own client of the API: openapi-fetch over the types that openapi-typescript makes of the document.

import assert from "node:assert/strict";
import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { paths, Problem, ProblemCode } from "./generated/fetch.js";

export type Api = Client<paths>;

// openapi-fetch sends every body as application/json; a PATCH is a merge patch (RFC 7396).
const mergePatch: Middleware = {
  onRequest({ request }) {
    if (request.method === "PATCH") {
      request.headers.set("Content-Type", "application/merge-patch+json");
    }
  },
};

/** Reads what is public. */
export function anyone(address: string): Api {
  const api = createClient<paths>({ baseUrl: address, headers: { "Accept-Language": "en" } });
  api.use(mergePatch);
  return api;
}

/** Acts as this person. The token lasts a quarter of an hour, which is enough here. */
export async function signIn(address: string, username: string, password: string): Promise<Api> {
  const api = anyone(address);
  const { data, error } = await api.POST("/v1/auth/token", {
    body: { grant_type: "password", username, password },
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  if (data === undefined) {
    throw new Error(`${username} cannot sign in: ${JSON.stringify(error)}`);
  }
  api.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${data.access_token}`);
    },
  });
  return api;
}

/** What openapi-fetch gives: the answer of a success, or the problem. */
type Answer<Data> =
  | { data: Data; error?: never; response: Response }
  | { data?: never; error: Problem; response: Response };

/** A resource with the headers that came with it. */
export interface Got<Data> {
  data: Data;
  headers: Headers;
}

/** The answer of a request that must succeed. */
export async function got<Data>(request: Promise<Answer<Data>>): Promise<Got<Data>> {
  const { data, error, response } = await request;
  if (error !== undefined) {
    const faults = error.errors?.map((fault) => `\n  ${fault.pointer}: ${fault.detail}`) ?? [];
    throw new Error(`${response.url}: ${error.status} ${error.code}, ${error.detail}${faults.join("")}`);
  }
  return { data, headers: response.headers };
}

/** The answer of a request that makes something, and says where it is from now on. */
export async function made<Data extends { id: string }>(request: Promise<Answer<Data>>): Promise<Got<Data>> {
  const resource = await got(request);
  const location = resource.headers.get("Location");
  assert(location?.endsWith(`/${resource.data.id}`), `Location: ${location}`);
  return resource;
}

/** The problem of a request that must be refused so. */
export async function refused<Data>(
  request: Promise<Answer<Data>>,
  status: number,
  code: ProblemCode,
): Promise<Problem> {
  const { error, response } = await request;
  assert(error !== undefined, `${response.url}: refused with ${code}, as expected`);
  assert.deepEqual([response.status, error.status, error.code], [status, status, code], error.detail);
  assert.equal(response.headers.get("Content-Type"), "application/problem+json");
  return error;
}

/** The version that was read, for `If-Match`. */
export function version(resource: Got<unknown>): { "If-Match": string } {
  const etag = resource.headers.get("ETag");
  assert(etag !== null, "a single resource has an ETag");
  return { "If-Match": etag };
}

/** The parameters of an action: which resource, and the version that was read. */
export function on<Data extends { id: string }>(resource: Got<Data>) {
  return { path: { id: resource.data.id }, header: version(resource) };
}
