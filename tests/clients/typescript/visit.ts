// A resident looks around with the client that @hey-api/openapi-ts makes: a function for each operation.
//
// node build/visit.js http://127.0.0.1:8080

import assert from "node:assert/strict";
import { createClient } from "./generated/sdk/client/index.js";
import {
  acceptInitiative,
  endorseInitiative,
  getMe,
  getMetrics,
  issueToken,
  listInitiatives,
  updateMe,
  withdrawEndorsement,
} from "./generated/sdk/index.js";

const [, , baseUrl] = process.argv;
if (baseUrl === undefined) {
  throw new Error("Usage: node build/visit.js http://127.0.0.1:8080");
}

const visitor = createClient({ baseUrl });
const tokens = await issueToken({
  client: visitor,
  body: { grant_type: "password", username: "habitante@demo.example", password: "cinquante-cinquante" },
  throwOnError: true,
});
const resident = createClient({ baseUrl, auth: () => tokens.data.access_token });

// Her own account: read with its version, changed, and changed back.
const me = await getMe({ client: resident, throwOnError: true });
const ifMatch = { "If-Match": me.response.headers.get("ETag") ?? "" };
const renamed = await updateMe({
  client: resident,
  headers: ifMatch,
  body: { display_name: "Camille de Loos" },
  throwOnError: true,
});
assert.equal(renamed.data.display_name, "Camille de Loos");
assert.equal(renamed.data.email, me.data.email);
const stale = await updateMe({ client: resident, headers: ifMatch, body: { display_name: "Camille" } });
assert.equal(stale.error?.code, "stale_version");
const renamedIfMatch = { "If-Match": renamed.response.headers.get("ETag") ?? "" };
await updateMe({
  client: resident,
  headers: renamedIfMatch,
  body: { display_name: me.data.display_name },
  throwOnError: true,
});

// A filter with several values, and a support that is given and taken back.
const page = await listInitiatives({
  client: visitor,
  query: { commune: "62528", state: ["in_review", "in_progress"], sort: "created_at" },
  throwOnError: true,
});
assert.deepEqual(new Set(page.data.data.map(({ state }) => state)), new Set(["in_review", "in_progress"]));
const [initiative] = page.data.data;
assert(initiative !== undefined);
const path = { id: initiative.id };
const given = await endorseInitiative({ client: resident, path, throwOnError: true });
assert.equal(given.data.endorsed_by_me, true);
const taken = await withdrawEndorsement({ client: resident, path, throwOnError: true });
assert.equal(taken.data.endorsed_by_me, false);
assert.equal(taken.data.endorsement_count, given.data.endorsement_count - 1);

// A problem is typed: its code is one of the document's.
const refusal = await acceptInitiative({
  client: resident,
  path,
  headers: { "If-Match": "*" },
  body: { reason: "Une bonne idée." },
});
assert.deepEqual([refusal.error?.status, refusal.error?.code], [403, "forbidden"]);

const metrics = await getMetrics({
  client: visitor,
  query: { communes: ["62528"], from: 2021, to: 2021, indicators: ["savings", "volunteer_hours"] },
  throwOnError: true,
});
const figures = metrics.data.territories.flatMap(({ periods }) => periods.flatMap(({ values }) => values));
assert.deepEqual(
  new Map(figures.map(({ indicator, value }) => [indicator, value])),
  new Map([
    ["savings", "7000000"],
    ["volunteer_hours", "600"],
  ]),
  "the farm tracks of 2021",
);

console.log("The visit is over.");
