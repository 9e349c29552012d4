// The farm tracks of Loos-en-Gohelle: the farmers bring machines, skips and labour, the commune pays the material, both
// sign. Each step is taken by the right person with a client of their own, and the year's figures rise by what went in.
//
// node build/story.js http://127.0.0.1:8080

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { type Api, anyone, got, made, on, refused, signIn, version } from "./client.js";
import type {
  Commitment,
  IndicatorCode,
  InitiativeSummary,
  MetricValue,
  NewCommitment,
  NewFulfilment,
} from "./generated/fetch.js";

const [, , address] = process.argv;
if (address === undefined) {
  throw new Error("Usage: node build/story.js http://127.0.0.1:8080");
}

const LOOS = "62528";
const PASSWORD = "cinquante-cinquante";

// What the two sides promise, in euro cents.
const MONEY = 3_000_000;
const MACHINES = { quantity: 40, unit: "jour", cents: 60_000 };
const SKIPS = { quantity: 60, unit: "rotation", cents: 15_000 };
const LABOUR = { quantity: 600, unit: "heure", cents: 1_500 };
const worth = (what: { quantity: number; cents: number }) => what.quantity * what.cents;
const PROMISED = worth(MACHINES) + worth(SKIPS) + worth(LABOUR);

// What the tracks would have cost without the farmers, and what the town hall put in besides the money.
const FULL_COST = 10_000_000;
const STAFF = { minutes: 600, cents: 25_000 };
const SAVINGS = FULL_COST - MONEY - STAFF.cents;

/** A day as the API counts them: in Paris. */
function day(fromToday = 0): string {
  const today = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Paris" }).format(new Date());
  const date = new Date(`${today}T12:00:00Z`);
  date.setUTCDate(date.getUTCDate() + fromToday);
  return date.toISOString().slice(0, 10);
}

const YEAR = Number(day().slice(0, 4));

function step(text: string): void {
  console.log(`- ${text}`);
}

const visitor = anyone(address);
const agent = await signIn(address, "agent@demo.example", PASSWORD);
const mayor = await signIn(address, "maire@demo.example", PASSWORD);

/** Figures of Loos in these years, by indicator. */
async function figures(indicators: IndicatorCode[], from = YEAR, to = YEAR): Promise<MetricValue[][]> {
  const query = { communes: [LOOS], from, to, indicators };
  const { data } = await got(visitor.GET("/v1/metrics", { params: { query } }));
  const [loos] = data.territories;
  assert(loos !== undefined && data.territories.length === 1);
  return loos.periods.map((period) => period.values);
}

/** What figures of the year must rise by; of those with parts, one part each. */
const RISES: { indicator: IndicatorCode; part?: string; by: number }[] = [
  { indicator: "initiatives_submitted", by: 1 },
  { indicator: "initiatives_accepted", by: 1 },
  { indicator: "initiatives_refused", by: 0 },
  { indicator: "initiatives_completed", by: 1 },
  { indicator: "conventions_signed", by: 1 },
  { indicator: "conventions_active", by: 1 },
  { indicator: "value_promised_by_side", part: "commune", by: MONEY },
  { indicator: "value_promised_by_side", part: "holder", by: PROMISED },
  { indicator: "value_delivered_by_side", part: "commune", by: MONEY },
  { indicator: "value_delivered_by_side", part: "holder", by: PROMISED },
  { indicator: "value_delivered_by_kind", part: "financial", by: MONEY },
  { indicator: "value_delivered_by_kind", part: "material", by: worth(MACHINES) + worth(SKIPS) },
  { indicator: "value_delivered_by_kind", part: "labour", by: worth(LABOUR) },
  { indicator: "volunteer_hours", by: LABOUR.quantity },
  { indicator: "volunteer_value", by: worth(LABOUR) },
  { indicator: "municipal_spending", by: MONEY },
  { indicator: "staff_hours", by: STAFF.minutes / 60 },
  { indicator: "savings", by: SAVINGS },
  { indicator: "endorsements", by: 1 },
  { indicator: "holders", part: "association", by: 1 },
];

/** The figures of the year that must rise, in this order; a part that nobody has given anything to is not listed. */
async function count(): Promise<number[]> {
  const indicators = [...new Set(RISES.map((rise) => rise.indicator))];
  const [values] = await figures(indicators);
  return RISES.map(({ indicator, part }) => {
    const figure = values?.find((value) => value.indicator === indicator);
    assert(figure !== undefined && figure.value !== null, indicator);
    const value = part === undefined ? figure.value : figure.parts.find(({ code }) => code === part)?.value;
    return Number(value ?? 0);
  });
}

const before = await count();

step("Camille registers, and finds the commune");
const email = `camille-${randomUUID()}@example.org`;
const account = {
  email,
  password: "planters-on-rue-hoche",
  display_name: "Camille",
  full_name: "Camille Dupont",
  birth_on: "1990-04-12",
};
const tooShort = await refused(
  visitor.POST("/v1/accounts", { body: { ...account, password: "secret", display_name: "" } }),
  422,
  "invalid_body",
);
assert.deepEqual(tooShort.errors?.map((fault) => [fault.pointer, fault.code]).sort(), [
  ["#/display_name", "too_short"],
  ["#/password", "too_short"],
]);
const me = await got(visitor.POST("/v1/accounts", { body: account }));
const camille = await signIn(address, email, account.password);
const found = await got(camille.GET("/v1/communes", { params: { query: { q: "loos goh", enrolled: true } } }));
assert.deepEqual(
  found.data.data.map((commune) => commune.code),
  [LOOS],
);

step("She makes the holder; the same request again makes no second one");
const newHolder = {
  params: { path: { code: LOOS }, header: { "Idempotency-Key": randomUUID() } },
  body: {
    kind: "association",
    name: "Les chemins de la plaine",
    republican_commitment_on: "2022-01-10",
  },
} as const;
await refused(visitor.POST("/v1/communes/{code}/holders", newHolder), 401, "unauthorized");
const holder = await made(camille.POST("/v1/communes/{code}/holders", newHolder));
assert.equal(holder.headers.get("Idempotency-Replayed"), null);
const replayed = await made(camille.POST("/v1/communes/{code}/holders", newHolder));
assert.equal(replayed.headers.get("Idempotency-Replayed"), "true");
assert.deepEqual(replayed.data, holder.data);
await refused(
  camille.POST("/v1/communes/{code}/holders", { ...newHolder, body: { ...newHolder.body, name: "Autre chose" } }),
  422,
  "idempotency_mismatch",
);

step("She drafts the initiative, and changes it from what she read last");
const draft = await made(
  camille.POST("/v1/communes/{code}/initiatives", {
    params: { path: { code: LOOS } },
    body: {
      title: "Réfection des chemins",
      description: "Machines, bennes et travail des agriculteurs ; matériaux de la commune.",
      theme: "agriculture",
      holder_id: holder.data.id,
      land: "rural_track",
      requests_money: true,
      delivery: "joint",
      place: "Plaine de Gohelle",
    },
  }),
);
assert.equal(draft.data.state, "draft");
const initiativePath = { path: { id: draft.data.id } };
const initiativeAsReadBy = (reader: Api) => got(reader.GET("/v1/initiatives/{id}", { params: initiativePath }));
await refused(visitor.GET("/v1/initiatives/{id}", { params: initiativePath }), 404, "not_found");
// Null clears; what is absent stays.
const changed = await got(
  camille.PATCH("/v1/initiatives/{id}", {
    params: on(draft),
    body: { title: "Réfection des chemins agricoles", place: null },
  }),
);
assert.deepEqual(
  [changed.data.title, changed.data.place, changed.data.theme],
  ["Réfection des chemins agricoles", null, "agriculture"],
);
await refused(
  camille.PATCH("/v1/initiatives/{id}", { params: on(draft), body: { title: "Par mégarde" } }),
  412,
  "stale_version",
);
const submitted = await got(camille.POST("/v1/initiatives/{id}/submit", { params: on(changed) }));
assert.equal(submitted.data.state, "submitted");
assert(submitted.data.receipt !== null && submitted.data.receipt.reply_due_on > day());

step("The agent instructs, the mayor decides, and neither does the work of the other");
await refused(
  camille.POST("/v1/initiatives/{id}/start_review", { params: on(submitted), body: {} }),
  403,
  "forbidden",
);
await refused(
  agent.POST("/v1/initiatives/{id}/accept", { params: on(submitted), body: { reason: "Utile." } }),
  403,
  "forbidden",
);
const early = await refused(
  mayor.POST("/v1/initiatives/{id}/accept", { params: on(submitted), body: { reason: "Utile." } }),
  409,
  "wrong_state",
);
assert.equal(early.state, "submitted");
const inReview = await got(agent.POST("/v1/initiatives/{id}/start_review", { params: on(submitted), body: {} }));
assert(inReview.data.allowed_actions.includes("give_opinion"));
const withOpinion = await got(
  agent.POST("/v1/initiatives/{id}/give_opinion", {
    params: on(inReview),
    body: { outcome: "favourable", text: "Avant l'hiver.", estimated_cost_cents: MONEY },
  }),
);
const decided = await got(
  mayor.POST("/v1/initiatives/{id}/accept", { params: on(withOpinion), body: { reason: "Utile à tous." } }),
);
assert.deepEqual([decided.data.state, decided.data.decision?.outcome], ["accepted", "accepted"]);

/** One side puts a commitment on the table; only the other side accepts it. */
async function propose(own: Api, commitment: NewCommitment) {
  const proposed = await made(
    own.POST("/v1/initiatives/{id}/commitments", { params: initiativePath, body: commitment }),
  );
  await refused(own.POST("/v1/commitments/{id}/accept", { params: on(proposed) }), 403, "forbidden");
  return proposed;
}

async function agree(own: Api, other: Api, commitment: NewCommitment): Promise<Commitment> {
  const proposed = await propose(own, commitment);
  const accepted = await got(other.POST("/v1/commitments/{id}/accept", { params: on(proposed) }));
  assert.equal(accepted.data.state, "accepted");
  return accepted.data;
}

step("The commune's money must fit into the envelope of the year");
const envelopePath = { code: LOOS, year: YEAR };
const readEnvelope = () => got(visitor.GET("/v1/communes/{code}/envelopes/{year}", { params: { path: envelopePath } }));
const envelope = await readEnvelope();
const setEnvelope = (official: Api, read: Awaited<ReturnType<typeof readEnvelope>>, amount_cents: number) =>
  official.PUT("/v1/communes/{code}/envelopes/{year}", {
    params: { path: envelopePath, header: version(read) },
    body: { amount_cents },
  });
const reserved = envelope.data.reserved_cents;
const tooSmall = await got(setEnvelope(mayor, envelope, reserved + MONEY - 1));
const money = await propose(agent, {
  side: "commune",
  kind: "financial",
  route: "purchase",
  title: "Matériaux",
  amount_cents: MONEY,
  budget_year: YEAR,
  due_on: day(30),
});
await refused(camille.POST("/v1/commitments/{id}/accept", { params: on(money) }), 409, "envelope_exceeded");
await refused(setEnvelope(agent, tooSmall, reserved + MONEY), 403, "forbidden");
const enough = await got(setEnvelope(mayor, tooSmall, reserved + MONEY));
await got(camille.POST("/v1/commitments/{id}/accept", { params: on(money) }));
assert.equal((await readEnvelope()).data.available_cents, 0);
await refused(setEnvelope(mayor, enough, reserved), 409, "envelope_exceeded");

step("The farmers promise machines, skips and labour");
const inKind = (
  kind: NewCommitment["kind"],
  title: string,
  what: typeof MACHINES,
  method: "replacement_cost" | "hourly_rate",
): NewCommitment => ({
  side: "holder",
  kind,
  title,
  due_on: day(30),
  valuation: { quantity: String(what.quantity), unit: what.unit, unit_value_cents: what.cents, method },
});
const machines = await agree(camille, agent, inKind("material", "Tracteurs et pelles", MACHINES, "replacement_cost"));
const skips = await agree(camille, agent, inKind("material", "Bennes", SKIPS, "replacement_cost"));
const labour = await agree(camille, agent, inKind("labour", "Travail des agriculteurs", LABOUR, "hourly_rate"));

step("The council has voted; the agent drafts the convention and opens it for signature");
const [mandate] = (await got(mayor.GET("/v1/me"))).data.mandates;
assert(mandate !== undefined && mandate.may_sign);
const act = await made(
  agent.POST("/v1/communes/{code}/authorities", {
    params: { path: { code: LOOS } },
    body: {
      kind: "deliberation",
      number: `Délibération ${YEAR}-50 ${randomUUID()}`,
      adopted_on: day(-7),
      object: "Réfection des chemins agricoles",
      subject: { code: "8.3", name: "Voirie" },
      executory_on: day(-1),
      votes: { council_members: 29, cast: 27, in_favour: 27, against: 0, abstained: 0 },
    },
  }),
);
const drafted = await made(
  agent.POST("/v1/initiatives/{id}/conventions", {
    params: initiativePath,
    body: {
      object: "Réfection des chemins agricoles",
      starts_on: day(),
      ends_on: day(365),
      no_upkeep_reason: "L'entretien reste à la commune",
      authority_id: act.data.id,
      parties: {
        commune: { mandate_id: mandate.id },
        holder: { user_id: me.data.id, capacity: "Présidente" },
      },
    },
  }),
);
const open = await got(agent.POST("/v1/conventions/{id}/open_for_signature", { params: on(drafted) }));
assert.equal(open.data.state, "open_for_signature");

step("Both sides sign what they have read");
const conventionPath = { path: { id: open.data.id } };
const content = await got(camille.GET("/v1/conventions/{id}/content", { params: conventionPath, parseAs: "text" }));
const content_sha256 = createHash("sha256").update(content.data).digest("hex");
assert.equal(content_sha256, open.data.content_sha256, "the hash is that of the bytes");
const sign = (signatory: Api, hash: string) =>
  signatory.POST("/v1/conventions/{id}/sign", { params: conventionPath, body: { content_sha256: hash } });
const other = await refused(sign(camille, "0".repeat(64)), 409, "content_changed");
assert.equal(other.content_sha256, content_sha256);
await refused(sign(agent, content_sha256), 403, "forbidden");
const half = await got(sign(camille, content_sha256));
assert.equal(half.data.state, "open_for_signature");
await refused(visitor.GET("/v1/conventions/{id}", { params: conventionPath }), 404, "not_found");
const active = await got(sign(mayor, content_sha256));
assert.equal(active.data.state, "active");
const published = await got(visitor.GET("/v1/conventions/{id}", { params: conventionPath }));
assert.deepEqual(
  published.data.parties.map((party) => [party.party, party.signed, party.full_name]).sort(),
  [
    ["commune", true, null],
    ["holder", true, null],
  ],
  "signed by both, and the names of people stay private",
);
const columns = await got(visitor.GET("/v1/initiatives/{id}/commitments", { params: initiativePath }));
const { balance } = columns.data;
assert.deepEqual([balance.commune.promised_cents, balance.commune.delivered_cents], [MONEY, 0]);
assert.deepEqual([balance.holder.promised_cents, balance.holder.delivered_cents], [PROMISED, 0]);
assert.equal(balance.residents_share, null, "nothing is delivered yet");
assert.equal((await initiativeAsReadBy(visitor)).data.state, "in_progress");

step("A neighbour supports it and lends a hand");
const neighbour = await signIn(address, "habitante@demo.example", PASSWORD);
const endorsed = await got(neighbour.PUT("/v1/initiatives/{id}/endorsement", { params: initiativePath }));
assert.deepEqual([endorsed.data.endorsement_count, endorsed.data.endorsed_by_me], [1, true]);
const joined = await got(neighbour.PUT("/v1/initiatives/{id}/participation", { params: initiativePath }));
assert.deepEqual([joined.data.participant_count, joined.data.joined_by_me], [1, true]);

/** One side says what it has done; the other side acknowledges it, never the same. */
async function fulfil(own: Api, other: Api, commitment: { id: string }, howMuch: Partial<NewFulfilment>) {
  const recorded = await made(
    own.POST("/v1/commitments/{id}/fulfilments", {
      params: { path: { id: commitment.id } },
      body: { done_on: day(), evidence: "Carnet de chantier", ...howMuch },
    }),
  );
  await refused(own.POST("/v1/fulfilments/{id}/acknowledge", { params: on(recorded) }), 403, "forbidden");
  const acknowledged = await got(other.POST("/v1/fulfilments/{id}/acknowledge", { params: on(recorded) }));
  assert.equal(acknowledged.data.state, "acknowledged");
}

step("What was promised is done, and acknowledged by the other side");
const unfinished = await initiativeAsReadBy(agent);
await refused(
  agent.POST("/v1/initiatives/{id}/complete", { params: on(unfinished) }),
  409,
  "requirement_missing",
);
await fulfil(agent, camille, money.data, { amount_cents: MONEY });
await fulfil(camille, agent, machines, { quantity: String(MACHINES.quantity) });
await fulfil(camille, agent, skips, { quantity: String(SKIPS.quantity) });
await fulfil(camille, agent, labour, { quantity: String(LABOUR.quantity / 2) });
const halfDone = await got(visitor.GET("/v1/commitments/{id}", { params: { path: { id: labour.id } } }));
assert.deepEqual([halfDone.data.state, halfDone.data.progress], ["partially_fulfilled", "0.50"]);
await fulfil(camille, agent, labour, { quantity: String(LABOUR.quantity / 2) });
const finished = await initiativeAsReadBy(agent);
const completed = await got(agent.POST("/v1/initiatives/{id}/complete", { params: on(finished) }));
assert.equal(completed.data.state, "completed");

step("The agent writes the evaluation, the mayor validates it, the agent closes");
let evaluation = await got(
  agent.POST("/v1/initiatives/{id}/evaluation", {
    params: initiativePath,
    body: {
      summary: "Chemins refaits.",
      reference_cost_cents: FULL_COST,
      municipal_cost_cents: MONEY,
      staff_minutes: STAFF.minutes,
      staff_cost_cents: STAFF.cents,
      method: "Coût complet par entreprise",
      source: "Ville de Loos-en-Gohelle",
    },
  }),
);
const validate = (who: Api) =>
  who.POST("/v1/initiatives/{id}/evaluation/validate", {
    params: { ...initiativePath, header: version(evaluation) },
  });
await refused(validate(agent), 403, "forbidden");
evaluation = await got(
  camille.POST("/v1/initiatives/{id}/evaluation/agree", {
    params: { ...initiativePath, header: version(evaluation) },
  }),
);
const validated = await got(validate(mayor));
assert.deepEqual([validated.data.state, validated.data.savings_cents], ["validated", SAVINGS]);
const closed = await got(agent.POST("/v1/initiatives/{id}/close", { params: on(completed) }));
assert.equal(closed.data.state, "closed");

step("The figures of the year rise by what went in");
const after = await count();
assert.deepEqual(
  RISES.map((rise, index) => ({ ...rise, by: (after[index] ?? NaN) - (before[index] ?? NaN) })),
  RISES,
);

// A rate cannot rise by a sum: it follows from the values of its years, which say what they are.
const [[share] = []] = await figures(["residents_share"]);
assert(share !== undefined && share.value !== null);
const years = share.pooled_years ?? [YEAR];
const delivered = (await figures(["value_delivered_by_side"], Math.min(...years), Math.max(...years))).flat();
const sum = (sides: (side: string) => boolean) =>
  delivered
    .flatMap((value) => value.parts)
    .filter((part) => sides(part.code))
    .reduce((total, part) => total + Number(part.value), 0);
const expected = sum((side) => side !== "commune") / sum(() => true);
assert.equal(Number(share.value).toFixed(4), expected.toFixed(4));

step("Anyone reads the list to its end, page by page");
async function* initiatives(api: Api, limit: number): AsyncGenerator<InitiativeSummary> {
  let cursor: string | undefined;
  do {
    const page = await got(
      api.GET("/v1/initiatives", {
        params: { query: { commune: LOOS, state: ["in_progress", "closed"], limit, cursor } },
      }),
    );
    assert(page.data.data.length <= limit);
    assert.equal(page.data.has_more, page.data.next_cursor !== null);
    yield* page.data.data;
    cursor = page.data.next_cursor ?? undefined;
  } while (cursor !== undefined);
}
const list = async (limit: number) => {
  const ids: string[] = [];
  for await (const initiative of initiatives(visitor, limit)) {
    ids.push(initiative.id);
  }
  return ids;
};
const [byTwo, atOnce] = [await list(2), await list(100)];
assert(atOnce.length > 4, "more than two pages of two");
assert.deepEqual(byTwo, atOnce);
assert.equal(new Set(byTwo).size, byTwo.length);
assert(byTwo.includes(closed.data.id));
await refused(visitor.GET("/v1/initiatives", { params: { query: { cursor: "AAAA" } } }), 400, "invalid_cursor");

console.log("The story of the farm tracks is told.");
