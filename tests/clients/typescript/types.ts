// What the compiler must refuse and let pass: types that became loose or wrong would break the build here.

import type { Api } from "./client.js";
import type { Initiative, NewAccount, Problem } from "./generated/fetch.js";
import { submitInitiative, updateMeeting } from "./generated/sdk/index.js";
import type * as sdk from "./generated/sdk/index.js";

export function withFetch(api: Api, initiative: Initiative, problem: Problem): void {
  const path = { id: initiative.id };
  // @ts-expect-error If-Match is missing.
  void api.POST("/v1/initiatives/{id}/submit", { params: { path } });
  // @ts-expect-error There is no such state.
  void api.GET("/v1/initiatives", { params: { query: { state: ["done"] } } });
  // @ts-expect-error A title is never cleared.
  void api.PATCH("/v1/initiatives/{id}", { params: { path, header: { "If-Match": "*" } }, body: { title: null } });
  // @ts-expect-error A draft may have no theme yet.
  void initiative.theme.length;
  // @ts-expect-error There is no such code.
  void (problem.code === "no_such_code");
  // @ts-expect-error Not every problem has a state.
  void problem.state.length;
}

export function withSdk(initiative: sdk.Initiative, problem: sdk.Problem): void {
  const path = { id: initiative.id };
  // @ts-expect-error If-Match is missing.
  void submitInitiative({ path });
  // @ts-expect-error A title is never cleared.
  void updateMeeting({ path, headers: { "If-Match": "*" }, body: { title: null } });
  // @ts-expect-error A draft may have no theme yet.
  void initiative.theme.length;
  // @ts-expect-error There is no such code.
  void (problem.code === "no_such_code");
}

/** And what it must let pass: the fields that a request may leave out, those that a problem has or has not. */
export const account: NewAccount = {
  email: "camille@example.org",
  password: "planters-on-rue-hoche",
  display_name: "Camille",
  full_name: "Camille Dupont",
  birth_on: "1990-04-12",
};
export const stateOf = (problem: Problem): string | undefined => problem.state;
