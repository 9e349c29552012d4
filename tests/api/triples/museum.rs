//! Something in every state of every lifecycle, brought there as people would, and everybody who may try something on it.

use fifty_fifty::auth::policy::Role::{
    self, Admin, Agent, ElectedOfficial, Holder, Host, Resident,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::conventions::mandate_of;
use crate::evaluations::farm_tracks;
use crate::initiatives::{association, idea};
use crate::support::app::{LOOS, World};
use crate::support::{Client, TestApp};

/// Somebody, with what they are to everything in the museum.
#[derive(Clone)]
pub struct Person {
    pub name: &'static str,
    pub client: Client,
    pub roles: &'static [Role],
}

/// Something in a state.
#[derive(Clone)]
pub struct Exhibit {
    pub lifecycle: &'static str,
    pub subject: &'static str,
    pub state: &'static str,
    /// Where it is read.
    pub path: String,
    /// Entered by an agent, and not published.
    pub at_the_counter: bool,
    /// Of the content of a convention.
    pub hash: Value,
    /// Of a commitment: another holder who could take it over.
    pub successor: Value,
    /// Of the mayor, who decides on paper.
    pub mandate: Value,
}

/// Those for whom it can make a difference that something was entered at the counter and is not published.
const AT_THE_COUNTER: [&str; 6] = [
    "resident",
    "lead",
    "agent",
    "official",
    "agent of Lens",
    "agent in the holder",
];

impl Exhibit {
    /// Everybody; of what is there twice, one of each kind tries the second.
    pub fn tried_by<'a>(&self, people: &'a [Person]) -> impl Iterator<Item = &'a Person> + use<'a> {
        let all = !self.at_the_counter;
        people
            .iter()
            .filter(move |person| all || AT_THE_COUNTER.contains(&person.name))
    }
}

impl std::fmt::Display for Exhibit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counter = if self.at_the_counter {
            ", at the counter"
        } else {
            ""
        };
        write!(f, "{} {}{counter}", self.lifecycle, self.state)
    }
}

/// Everybody. All initiatives are of one holder with one host organisation.
#[derive(Clone)]
pub struct Cast {
    pub people: Vec<Person>,
    pub lead: Client,
    host_of_all: Client,
    agent: Client,
    official: Client,
    mayor: Client,
    resident: Client,
    holder: String,
    host: String,
    /// Of the resident.
    successor: String,
    /// What a convention says, complete.
    terms: Value,
}

/// Lets somebody into a holder, without the right to sign.
async fn join(holder: &str, lead: &Client, member: &Client) {
    let path = format!("/v1/holders/{holder}");
    member.post(&format!("{path}/join"), json!({})).await.ok();
    let membership = format!("{path}/members/{}", member.id());
    lead.act(&membership, "accept", json!({})).await.ok();
}

impl Cast {
    pub async fn new(app: &TestApp) -> Self {
        let World {
            admin,
            agent,
            mayor,
            official,
            camille: lead,
            dominique: resident,
            anyone,
            foreign_agent,
            foreign_mayor,
        } = app.world().await;
        let member = app.person("member").await;
        let host_of_all = app.person("host").await;
        let torn_agent = app
            .official(&admin, LOOS, "torn-agent", "agent", false)
            .await;
        let torn_mayor = app
            .official(&admin, LOOS, "torn-mayor", "elected_official", true)
            .await;
        let holder = association(&lead, "Les chemins de Loos").await;
        let host = association(&host_of_all, "La maison des associations").await;
        let successor = association(&resident, "Les jardiniers de la cité").await;
        join(&holder, &lead, &member).await;
        join(&holder, &lead, &torn_agent).await;
        join(&host, &host_of_all, &torn_mayor).await;

        let world = World {
            admin: admin.clone(),
            agent: agent.clone(),
            mayor: mayor.clone(),
            official: official.clone(),
            foreign_agent: foreign_agent.clone(),
            foreign_mayor: foreign_mayor.clone(),
            camille: lead.clone(),
            dominique: resident.clone(),
            anyone: anyone.clone(),
        };
        let terms = json!({"object": "Des chemins entretenus", "starts_on": "2026-06-15", "ends_on": "2028-06-30",
        "parties": {
            "commune": {"mandate_id": mandate_of(&world, &mayor).await},
            "holder": {"user_id": lead.id(), "capacity": "Présidente"},
            "host": {"user_id": host_of_all.id(), "capacity": "Présidente"},
        }});
        let person = |name, client: &Client, roles| Person {
            name,
            client: client.clone(),
            roles,
        };
        let people = vec![
            person("anonymous", &anyone, &[]),
            person("resident", &resident, &[Resident]),
            person("lead", &lead, &[Resident, Holder]),
            person("member", &member, &[Resident, Holder]),
            person("host", &host_of_all, &[Resident, Host]),
            person("agent", &agent, &[Resident, Agent]),
            person("official", &official, &[Resident, ElectedOfficial]),
            person("mayor", &mayor, &[Resident, ElectedOfficial]),
            person("admin", &admin, &[Resident, Admin]),
            person("agent of Lens", &foreign_agent, &[Resident]),
            person("mayor of Lens", &foreign_mayor, &[Resident]),
            person(
                "agent in the holder",
                &torn_agent,
                &[Resident, Agent, Holder],
            ),
            person(
                "mayor in the host",
                &torn_mayor,
                &[Resident, ElectedOfficial, Host],
            ),
        ];
        Self {
            people,
            lead,
            host_of_all,
            agent,
            official,
            mayor,
            resident,
            holder,
            host,
            successor,
            terms,
        }
    }

    async fn draft(&self, at_the_counter: bool) -> String {
        let mut body = idea(&self.holder);
        body["host_id"] = json!(self.host);
        let author = if at_the_counter {
            body["on_behalf"] = json!({"channel": "counter"});
            &self.agent
        } else {
            &self.lead
        };
        let reply = author
            .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
            .await;
        let path = reply.header("location").to_owned();
        reply.created();
        path
    }

    /// Brings an initiative from its beginning into a state.
    async fn initiative(&self, state: &str, at_the_counter: bool) -> String {
        let path = self.draft(at_the_counter).await;
        let reason = json!({"reason": "Voir au conseil."});
        let none = Value::Null;
        let road: &[&str] = match state {
            "draft" => &[],
            "submitted" => &["submit"],
            "in_review" => &["submit", "review"],
            "changes_requested" => &["submit", "review", "request_changes"],
            "accepted" => &["submit", "review", "accept"],
            "refused" => &["submit", "review", "refuse"],
            "redirected" => &["submit", "review", "redirect"],
            "lapsed" => &["submit", "review", "request_changes", "lapse"],
            "withdrawn" => &["submit", "review", "withdraw"],
            "abandoned" => &["submit", "review", "accept", "abandon"],
            "in_progress" => &["submit", "review", "accept", "agree"],
            "completed" => &["submit", "review", "accept", "agree", "complete"],
            "closed" => &["submit", "review", "accept", "agree", "complete", "close"],
            other => panic!("no way to {other} is known"),
        };
        for step in road {
            match *step {
                "submit" => {
                    self.lead.act(&path, "submit", none.clone()).await.ok();
                    if !at_the_counter {
                        self.agent.act(&path, "publish", none.clone()).await.ok();
                    }
                }
                "review" => {
                    let start = if at_the_counter {
                        json!({"publish": false, "reason": "Un nom à retirer."})
                    } else {
                        json!({})
                    };
                    self.agent.act(&path, "start_review", start).await.ok();
                    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
                    self.agent.act(&path, "give_opinion", opinion).await.ok();
                }
                "request_changes" => {
                    let message = json!({"message": "Précisez la longueur."});
                    self.agent.act(&path, "request_changes", message).await.ok();
                }
                "redirect" => {
                    let body = json!({"competent_body": "Le département", "reason": "Sa voirie."});
                    self.agent.act(&path, "redirect", body).await.ok();
                }
                "agree" => {
                    let promises = self.promises(&path).await;
                    for promise in promises {
                        self.accept(&promise).await;
                    }
                    let convention = self.convention(&path).await;
                    self.sign(&convention).await;
                }
                "complete" => {
                    self.agent.act(&path, "complete", none.clone()).await.ok();
                    let evaluation = format!("{path}/evaluation");
                    self.agent.post(&evaluation, farm_tracks()).await.created();
                    self.lead.act(&evaluation, "agree", none.clone()).await.ok();
                    self.mayor
                        .act(&evaluation, "validate", none.clone())
                        .await
                        .ok();
                }
                "accept" | "refuse" | "abandon" => {
                    self.official.act(&path, step, reason.clone()).await.ok();
                }
                "withdraw" => {
                    self.lead.act(&path, step, reason.clone()).await.ok();
                }
                step => {
                    self.agent.act(&path, step, none.clone()).await.ok();
                }
            }
        }
        path
    }

    /// Two years of upkeep by this side, or one day.
    async fn promise(&self, initiative: &str, side: &str, ends_on: &str) -> Promise {
        let mut body = json!({"side": side, "kind": "labour", "title": "Entretien",
            "upkeep": {"starts_on": "2026-06-15", "ends_on": ends_on},
            "valuation": {"quantity": "120", "unit": "heure", "unit_value_cents": 1500, "method": "hourly_rate"}});
        let of_the_commune = side == "commune";
        if of_the_commune {
            body["route"] = json!("in_kind");
        }
        let proposer = if of_the_commune {
            &self.agent
        } else {
            &self.lead
        };
        let reply = proposer
            .post(&format!("{initiative}/commitments"), body)
            .await;
        let path = reply.header("location").to_owned();
        reply.created();
        Promise {
            path,
            of_the_commune,
        }
    }

    async fn promises(&self, initiative: &str) -> [Promise; 2] {
        [
            self.promise(initiative, "commune", "2028-06-30").await,
            self.promise(initiative, "holder", "2028-06-30").await,
        ]
    }

    /// The side that proposed it, and the other one.
    fn sides(&self, promise: &Promise) -> (&Client, &Client) {
        if promise.of_the_commune {
            (&self.agent, &self.lead)
        } else {
            (&self.lead, &self.official)
        }
    }

    async fn accept(&self, promise: &Promise) {
        let other = self.sides(promise).1;
        other.act(&promise.path, "accept", Value::Null).await.ok();
    }

    async fn convention(&self, initiative: &str) -> String {
        let reply = self
            .agent
            .post(&format!("{initiative}/conventions"), self.terms.clone())
            .await;
        let path = reply.header("location").to_owned();
        reply.created();
        path
    }

    async fn open(&self, convention: &str) -> Value {
        let open = self
            .agent
            .act(convention, "open_for_signature", Value::Null)
            .await
            .ok();
        open["content_sha256"].clone()
    }

    async fn sign(&self, convention: &str) {
        let hash = json!({"content_sha256": self.open(convention).await});
        for signatory in [&self.lead, &self.host_of_all, &self.mayor] {
            signatory
                .post(&format!("{convention}/sign"), hash.clone())
                .await
                .ok();
        }
    }

    /// Brings a convention into a state. There is no way yet to some, which are for amendments and for time.
    async fn in_state(&self, app: &TestApp, state: &'static str) -> Exhibit {
        let initiative = self.initiative("accepted", false).await;
        for promise in self.promises(&initiative).await {
            self.accept(&promise).await;
        }
        let path = self.convention(&initiative).await;
        let reason = json!({"reason": "Voir au conseil."});
        match state {
            "draft" => {}
            "open_for_signature" => {
                self.open(&path).await;
            }
            "cancelled" => {
                self.agent.act(&path, "cancel", reason).await.ok();
            }
            "active" => self.sign(&path).await,
            "terminated" => {
                self.sign(&path).await;
                self.mayor.act(&path, "terminate", reason).await.ok();
            }
            "suspended" | "expired" | "superseded" => {
                self.sign(&path).await;
                let id = path.rsplit('/').next().unwrap();
                let ended = if state == "suspended" {
                    "NULL"
                } else {
                    "state_changed_at"
                };
                app.write_rows(&format!(
                    "UPDATE conventions SET state = '{state}', ended_at = {ended} WHERE id = '{id}'"
                ))
                .await;
            }
            other => panic!("no way to {other} is known"),
        }
        let hash = self.agent.get(&path).await.ok()["content_sha256"].clone();
        // A draft has none; whoever signs one sends some.
        let hash = if hash.is_null() {
            json!("0".repeat(64))
        } else {
            hash
        };
        Exhibit {
            hash,
            ..exhibit("convention", "convention", state, path, false)
        }
    }
}

/// A commitment on the table.
struct Promise {
    path: String,
    of_the_commune: bool,
}

fn exhibit(
    lifecycle: &'static str,
    subject: &'static str,
    state: &'static str,
    path: String,
    at_the_counter: bool,
) -> Exhibit {
    Exhibit {
        lifecycle,
        subject,
        state,
        path,
        at_the_counter,
        hash: Value::Null,
        successor: Value::Null,
        mandate: Value::Null,
    }
}

const INITIATIVES: [&str; 13] = [
    "draft",
    "submitted",
    "in_review",
    "changes_requested",
    "accepted",
    "refused",
    "redirected",
    "lapsed",
    "in_progress",
    "completed",
    "closed",
    "withdrawn",
    "abandoned",
];
const CONVENTIONS: [&str; 8] = [
    "draft",
    "open_for_signature",
    "active",
    "suspended",
    "terminated",
    "expired",
    "superseded",
    "cancelled",
];
const NEGOTIATED: [&str; 4] = ["proposed", "accepted", "declined", "withdrawn"];
const BOUND: [&str; 4] = ["binding", "fulfilled", "partially_fulfilled", "unfulfilled"];
const SIDES: [&str; 2] = ["commune", "holder"];
const FULFILMENTS: [&str; 5] = [
    "recorded",
    "acknowledged",
    "disputed",
    "rejected",
    "withdrawn",
];

const HAND_OVERS: [&str; 4] = ["offered", "accepted", "refused", "withdrawn"];

/// Commitments of both sides that are still negotiated.
async fn negotiated(cast: &Cast, at_the_counter: bool) -> Vec<Exhibit> {
    let initiative = cast.initiative("accepted", at_the_counter).await;
    let reason = json!({"reason": "Trop tôt."});
    let mut exhibits = Vec::new();
    for side in SIDES {
        for state in NEGOTIATED {
            let promise = cast.promise(&initiative, side, "2028-06-30").await;
            let (own, other) = cast.sides(&promise);
            let path = &promise.path;
            match state {
                "accepted" => cast.accept(&promise).await,
                "declined" => drop(other.act(path, "decline", reason.clone()).await.ok()),
                "withdrawn" => drop(own.act(path, "withdraw", reason.clone()).await.ok()),
                _ => {}
            }
            exhibits.push(commitment(cast, &promise, state, at_the_counter));
        }
    }
    exhibits
}

/// Commitments of both sides that one convention has bound.
async fn bound(cast: &Cast, at_the_counter: bool) -> Vec<Exhibit> {
    let initiative = cast.initiative("accepted", at_the_counter).await;
    let mut promises = Vec::new();
    for side in SIDES {
        for state in BOUND {
            let ends_on = if state == "fulfilled" {
                "2026-06-15"
            } else {
                "2028-06-30"
            };
            let promise = cast.promise(&initiative, side, ends_on).await;
            cast.accept(&promise).await;
            promises.push((promise, state));
        }
    }
    let convention = cast.convention(&initiative).await;
    cast.sign(&convention).await;
    let reason = json!({"reason": "Le groupe s'est dissous."});
    let mut exhibits = Vec::new();
    for (promise, state) in promises {
        let action = match state {
            "fulfilled" | "partially_fulfilled" => Some("end_upkeep"),
            "unfulfilled" => Some("mark_unfulfilled"),
            _ => None,
        };
        if let Some(action) = action {
            let path = &promise.path;
            cast.agent.act(path, action, reason.clone()).await.ok();
        }
        exhibits.push(commitment(cast, &promise, state, at_the_counter));
    }
    exhibits
}

fn commitment(
    cast: &Cast,
    promise: &Promise,
    state: &'static str,
    at_the_counter: bool,
) -> Exhibit {
    let lifecycle = if promise.of_the_commune {
        "commitment_proposed_by_commune"
    } else {
        "commitment_proposed_by_holder"
    };
    Exhibit {
        successor: json!(cast.successor),
        ..exhibit(
            lifecycle,
            "commitment",
            state,
            promise.path.clone(),
            at_the_counter,
        )
    }
}

/// Fulfilments of both sides.
async fn fulfilments(cast: &Cast) -> Vec<Exhibit> {
    let initiative = cast.initiative("accepted", false).await;
    let promises = cast.promises(&initiative).await;
    for promise in &promises {
        cast.accept(promise).await;
    }
    let convention = cast.convention(&initiative).await;
    cast.sign(&convention).await;
    let reason = json!({"reason": "Sept, pas huit."});
    let mut exhibits = Vec::new();
    for promise in promises {
        let (own, other) = cast.sides(&promise);
        let lifecycle = if promise.of_the_commune {
            "fulfilment_by_commune"
        } else {
            "fulfilment_by_holder"
        };
        for state in FULFILMENTS {
            let done = json!({"done_on": "2026-06-15", "quantity": "1", "evidence": "Photo"});
            let reply = own
                .post(&format!("{}/fulfilments", promise.path), done)
                .await;
            let path = reply.header("location").to_owned();
            reply.created();
            match state {
                "acknowledged" => drop(other.act(&path, "acknowledge", Value::Null).await.ok()),
                "withdrawn" => drop(own.act(&path, "withdraw", Value::Null).await.ok()),
                "disputed" | "rejected" => {
                    other.act(&path, "dispute", reason.clone()).await.ok();
                }
                _ => {}
            }
            if state == "rejected" {
                let no = json!({"acknowledge": false, "reason": "Rien n'est venu."});
                cast.mayor.act(&path, "settle", no).await.ok();
            }
            exhibits.push(exhibit(lifecycle, "fulfilment", state, path, false));
        }
    }
    exhibits
}

/// Upkeep that another holder was asked to take over.
async fn hand_overs(cast: &Cast) -> Vec<Exhibit> {
    let initiative = cast.initiative("accepted", false).await;
    let mut promises = vec![cast.promise(&initiative, "commune", "2028-06-30").await];
    for _ in HAND_OVERS {
        promises.push(cast.promise(&initiative, "holder", "2028-06-30").await);
    }
    for promise in &promises {
        cast.accept(promise).await;
    }
    let convention = cast.convention(&initiative).await;
    cast.sign(&convention).await;
    let mut exhibits = Vec::new();
    for (state, promise) in HAND_OVERS.into_iter().zip(&promises[1..]) {
        let body = json!({"holder_id": cast.successor, "starts_on": "2026-07-01", "reason": "Nous déménageons."});
        let reply = cast
            .lead
            .post(&format!("{}/hand_overs", promise.path), body)
            .await;
        let path = reply.header("location").to_owned();
        reply.created();
        let reason = json!({"reason": "Trop loin de chez nous."});
        match state {
            "accepted" => drop(cast.resident.act(&path, "accept", Value::Null).await.ok()),
            "refused" => drop(cast.resident.act(&path, "refuse", reason).await.ok()),
            "withdrawn" => drop(cast.lead.act(&path, "withdraw", Value::Null).await.ok()),
            _ => {}
        }
        exhibits.push(exhibit("hand_over", "hand_over", state, path, false));
    }
    exhibits
}

async fn evaluation(cast: &Cast, state: &'static str) -> Exhibit {
    let initiative = cast.initiative("in_progress", false).await;
    let path = format!("{initiative}/evaluation");
    cast.agent.post(&path, farm_tracks()).await.created();
    cast.agent
        .act(&initiative, "complete", Value::Null)
        .await
        .ok();
    if state == "validated" {
        cast.lead.act(&path, "agree", Value::Null).await.ok();
        cast.mayor.act(&path, "validate", Value::Null).await.ok();
    }
    exhibit("evaluation", "evaluation", state, path, false)
}

/// A sheet that an initiative of the museum proves.
async fn practice(cast: &Cast, state: &'static str) -> Exhibit {
    let initiative = cast.initiative("in_review", false).await;
    let proof = initiative.rsplit('/').next().unwrap();
    let proved = json!({"initiative_ids": [proof]});
    let path = crate::practices::drafted(&cast.agent, LOOS, proved).await;
    if state == "published" {
        cast.agent.act(&path, "publish", Value::Null).await.ok();
    } else if state == "withdrawn" {
        let reason = json!({"reason": "Dépassée."});
        cast.agent.act(&path, "withdraw", reason).await.ok();
    }
    exhibit("practice", "practice", state, path, false)
}

/// Fills the museum: each thing in a matter of its own, so that they do not disturb each other.
pub async fn fill(app: &TestApp, cast: &Cast) -> Vec<Exhibit> {
    let mut under_way: JoinSet<Vec<Exhibit>> = JoinSet::new();
    for at_the_counter in [false, true] {
        for state in INITIATIVES {
            let cast = cast.clone();
            under_way.spawn(async move {
                let path = cast.initiative(state, at_the_counter).await;
                let made = exhibit("initiative", "initiative", state, path, at_the_counter);
                let mandate = cast.terms["parties"]["commune"]["mandate_id"].clone();
                vec![Exhibit { mandate, ..made }]
            });
        }
        let cast = cast.clone();
        under_way.spawn(async move {
            let mut both = negotiated(&cast, at_the_counter).await;
            both.extend(bound(&cast, at_the_counter).await);
            both
        });
    }
    for state in ["draft", "validated"] {
        let cast = cast.clone();
        under_way.spawn(async move { vec![evaluation(&cast, state).await] });
    }
    for state in ["draft", "published", "withdrawn"] {
        let cast = cast.clone();
        under_way.spawn(async move { vec![practice(&cast, state).await] });
    }
    let at_work = cast.clone();
    under_way.spawn(async move { fulfilments(&at_work).await });
    let at_work = cast.clone();
    under_way.spawn(async move { hand_overs(&at_work).await });
    let mut exhibits = Vec::new();
    for state in CONVENTIONS {
        exhibits.push(cast.in_state(app, state).await);
    }
    while let Some(made) = under_way.join_next().await {
        exhibits.extend(made.unwrap());
    }
    exhibits
}
