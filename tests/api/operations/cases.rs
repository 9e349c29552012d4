//! What each operation needs to succeed.

use std::sync::atomic::{AtomicU32, Ordering};

use fifty_fifty::metrics::worker;
use reqwest::Method;
use serde_json::{Value, json};

use super::Case;
use crate::authorities::deliberation;
use crate::conventions::{
    active, agree, drafted, mandate_of, opened, planters, signing, terms, upkeep,
};
use crate::documents::{PRESENCE, attached, attaching};
use crate::evaluations::farm_tracks;
use crate::imports::{commitment, completed};
use crate::initiatives::{accepted, association, idea, in_review, submitted};
use crate::paper_acts::{on_paper, recorded_decision};
use crate::practices::{drafted as drafted_sheet, published as published_sheet, sheet};
use crate::support::app::{LENS, LOOS, World};
use crate::support::rows::Initiative;
use crate::support::{Client, TestApp};
use crate::templates::{adaptation, adapted, next_version};

/// A number that no case has had.
fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn reason() -> Value {
    json!({"reason": "Le terrain n'est pas libre cette année."})
}

fn id(made: &Value) -> &str {
    made["id"].as_str().unwrap()
}

/// A resident who registered over HTTP, with their address and password, and what the token endpoint gave them.
struct Resident {
    client: Client,
    email: String,
    refresh_token: String,
}

const PASSWORD: &str = "huit jardinières rue Hoche";

fn account(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "display_name": "Camille D.", "full_name": "Camille Dupont",
        "birth_on": "1990-04-12"})
}

async fn resident(app: &TestApp) -> Resident {
    let email = format!("resident-{}@example.org", number());
    let anyone = app.anyone();
    anyone.post("/v1/accounts", account(&email)).await.created();
    let fields = [
        ("grant_type", "password"),
        ("username", email.as_str()),
        ("password", PASSWORD),
    ];
    let tokens = anyone.form("/v1/auth/token", &fields).await.ok();
    Resident {
        client: Client::new(
            &app.address,
            tokens["access_token"].as_str().map(str::to_owned),
        ),
        refresh_token: tokens["refresh_token"].as_str().unwrap().to_owned(),
        email,
    }
}

fn club() -> Value {
    json!({"external_id": format!("H-{}", number()), "kind": "association", "name": "Les chemins de Loos",
        "contact_email": "chemins@example.org"})
}

/// Imports an item, and returns its name in the partner's system.
async fn imported(world: &World, resource: &str, item: Value) -> Value {
    let path = format!("/v1/communes/{LOOS}/bulk/{resource}");
    let answer = world
        .agent
        .post(&path, json!({"items": [item]}))
        .await
        .expect(207);
    assert_eq!(answer["data"][0]["outcome"], "created", "{answer}");
    item["external_id"].clone()
}

/// How a table of projects is read.
fn columns() -> Value {
    json!({"resource": "initiatives", "columns": {"Intitulé": "title"}, "constants": {"theme": "agriculture"},
        "words": {"state": {"Terminé": "completed"}}})
}

/// The only mapping of the commune, which has a hundred at most; it is as `columns` says.
async fn mapping(world: &World) -> String {
    let path = format!("/v1/communes/{LOOS}/mappings/tableau-{}", number() % 50);
    let reply = world.agent.put(&path, columns()).await;
    assert!(
        [201, 428].contains(&reply.status.as_u16()),
        "{}",
        reply.text
    );
    path
}

/// A file with holders.
fn clubs(count: u32) -> String {
    let first = number();
    let rows =
        (first..first + count).map(|number| format!("F-{number};Association;Club {number}\n"));
    format!("Identifiant;Nature;Nom\n{}", rows.collect::<String>())
}

/// The import of a file, which waits for its turn.
async fn import(world: &World) -> String {
    let path = format!("/v1/communes/{LOOS}/imports?resource=holders");
    let body = Some(("text/csv", clubs(2).into_bytes()));
    let reply = world.agent.send(Method::POST, &path, body).await;
    let path = reply.header("location").to_owned();
    reply.expect(202);
    path
}

async fn draft(world: &World) -> String {
    let holder = association(&world.camille, "Les chemins de Loos").await;
    let made = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), idea(&holder))
        .await
        .created();
    format!("/v1/initiatives/{}", id(&made))
}

/// An accepted initiative with a commitment that its holder proposes.
async fn proposed(world: &World) -> String {
    let initiative = accepted(world).await;
    let reply = world
        .camille
        .post(&format!("{initiative}/commitments"), upkeep())
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

/// The commitment of this side in a convention that is active.
async fn binding(world: &World, side: &str) -> String {
    let (initiative, _) = active(world).await;
    let columns = world
        .camille
        .get(&format!("{initiative}/commitments"))
        .await
        .ok();
    let theirs = columns["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|commitment| commitment["side"] == side)
        .unwrap();
    format!("/v1/commitments/{}", id(theirs))
}

/// An upkeep that goes on since today.
async fn kept_up(world: &World) -> String {
    let initiative = accepted(world).await;
    agree(world, &initiative, planters()).await;
    let mut since_today = upkeep();
    since_today["upkeep"]["starts_on"] = json!("2026-06-15");
    let upkeep = agree(world, &initiative, since_today).await;
    let mut terms = terms(world).await;
    terms["starts_on"] = json!("2026-06-15");
    let reply = world
        .agent
        .post(&format!("{initiative}/conventions"), terms)
        .await;
    let convention = reply.header("location").to_owned();
    reply.created();
    let open = world
        .agent
        .act(&convention, "open_for_signature", json!(null))
        .await
        .ok();
    for signatory in [&world.camille, &world.mayor] {
        let hash = json!({"content_sha256": open["content_sha256"]});
        signatory.act(&convention, "sign", hash).await.ok();
    }
    upkeep
}

/// An upkeep of Camille's association that Dominique's was asked to take over.
async fn offered(world: &World) -> String {
    let upkeep = kept_up(world).await;
    let reply = world
        .camille
        .post(&format!("{upkeep}/hand_overs"), hand_over(world).await)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

async fn hand_over(world: &World) -> Value {
    let successor = association(&world.dominique, "Les jardiniers de la cité").await;
    json!({"holder_id": successor, "starts_on": "2027-01-01", "reason": "Nous déménageons."})
}

fn done() -> Value {
    json!({"done_on": "2026-06-15", "quantity": "8", "evidence": "Bon de livraison"})
}

/// Eight planters that the commune says it has delivered.
async fn recorded(world: &World) -> String {
    let commitment = binding(world, "commune").await;
    let reply = world
        .agent
        .post(&format!("{commitment}/fulfilments"), done())
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

/// An initiative in progress whose planters have come.
async fn delivered(world: &World) -> String {
    let fulfilment = recorded(world).await;
    world
        .camille
        .act(&fulfilment, "acknowledge", json!(null))
        .await
        .ok();
    let commitment = world.agent.get(&fulfilment).await.ok()["commitment_id"].clone();
    let path = format!("/v1/commitments/{}", commitment.as_str().unwrap());
    let initiative = world.agent.get(&path).await.ok()["initiative_id"].clone();
    format!("/v1/initiatives/{}", initiative.as_str().unwrap())
}

async fn holder(world: &World) -> String {
    let holder = association(&world.camille, "Les jardiniers de la cité").await;
    format!("/v1/holders/{holder}")
}

/// A holder of Camille's, and Dominique who asks to join it, or has joined.
async fn joined(world: &World, accepted: bool) -> (String, String) {
    let holder = holder(world).await;
    world
        .dominique
        .post(&format!("{holder}/join"), json!({}))
        .await
        .ok();
    let member = format!("{holder}/members/{}", world.dominique.id());
    if accepted {
        world.camille.act(&member, "accept", json!({})).await.ok();
    }
    (holder, member)
}

/// An initiative of Camille's in a state far down the path.
async fn standing_at(app: &TestApp, world: &World, state: &str) -> String {
    let holder = app
        .holder_row(LOOS, "association", Some(world.camille.id()))
        .await;
    let id = app
        .initiative_row(Initiative {
            commune: LOOS,
            state,
            holder,
            author: world.camille.id(),
            submitted_at: "2026-02-01T10:00:00Z",
            published: true,
        })
        .await;
    format!("/v1/initiatives/{id}")
}

async fn evaluated(app: &TestApp, world: &World) -> String {
    let initiative = standing_at(app, world, "completed").await;
    world
        .agent
        .post(&format!("{initiative}/evaluation"), farm_tracks())
        .await
        .created();
    initiative
}

fn new_act() -> Value {
    let mut act = deliberation(&format!("2026-{}", number()));
    act["votes"] =
        json!({"council_members": 27, "cast": 25, "in_favour": 23, "against": 0, "abstained": 2});
    act
}

async fn act(world: &World) -> String {
    format!(
        "/v1/authorities/{}",
        crate::authorities::recorded(world, new_act()).await
    )
}

/// What the association of an active convention receives this year.
async fn helped(world: &World) -> String {
    let (initiative, _) = active(world).await;
    let holder = world.agent.get(&initiative).await.ok()["holder"]["id"].clone();
    format!("/v1/holders/{}/subsidies/2026", holder.as_str().unwrap())
}

fn meeting() -> Value {
    json!({"title": "Réunion de quartier", "place": "Salle des fêtes", "held_on": "2026-06-10", "attendance": 45})
}

async fn held_meeting(world: &World) -> String {
    let made = world
        .agent
        .post(&format!("/v1/communes/{LOOS}/meetings"), meeting())
        .await
        .created();
    format!("/v1/meetings/{}", id(&made))
}

fn measure() -> Value {
    json!({"value": "73", "unit": "associations", "source": "Annuaire municipal 2026"})
}

async fn reported(world: &World) -> String {
    let path = format!(
        "/v1/communes/{LOOS}/measures/associations/{}",
        1900 + number()
    );
    world.agent.put(&path, measure()).await.created();
    path
}

fn hook() -> Value {
    json!({"url": "https://partner.example/hooks/fifty-fifty", "kinds": ["initiative", "convention"],
        "description": "Site de la commune"})
}

/// The only webhook of the commune, which has twenty at most.
async fn webhook(world: &World) -> String {
    let webhooks = format!("/v1/communes/{LOOS}/webhooks");
    let known = world.agent.get(&webhooks).await.ok();
    for known in known["data"].as_array().unwrap() {
        let path = format!("/v1/webhooks/{}", id(known));
        world
            .agent
            .with("if-match", "*")
            .delete(&path)
            .await
            .expect(204);
    }
    let reply = world.agent.post(&webhooks, hook()).await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

/// The only program of its name, for a commune has fifty at most.
async fn client(world: &World) -> crate::clients::Made {
    let clients = format!("/v1/communes/{LOOS}/clients");
    let known = world.admin.get(&format!("{clients}?limit=100")).await.ok();
    for known in known["data"].as_array().unwrap() {
        if known["name"] == program()["name"] {
            let path = format!("/v1/clients/{}", id(known));
            world
                .admin
                .with("if-match", "*")
                .delete(&path)
                .await
                .expect(204);
        }
    }
    crate::clients::made(world, program()).await
}

fn program() -> Value {
    json!({"name": "Agenda du territoire", "contact": "informatique@partner.example", "scopes": ["meetings", "webhooks"],
        "address_ranges": ["127.0.0.0/8", "203.0.113.0/24"], "expires_at": "2027-06-15T10:00:00Z"})
}

/// A delivery of a test.
async fn tested(world: &World, webhook: &str) -> String {
    let reply = world
        .agent
        .send(Method::POST, &format!("{webhook}/ping"), None)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

fn mandate(email: &str) -> Value {
    json!({"email": email, "role": "agent", "capacity": "Chargée de la vie associative", "may_sign": false,
        "starts_on": "2026-06-15"})
}

async fn granted(app: &TestApp, world: &World) -> String {
    let resident = resident(app).await;
    let made = world
        .admin
        .post(
            &format!("/v1/communes/{LOOS}/mandates"),
            mandate(&resident.email),
        )
        .await
        .created();
    format!("/v1/mandates/{}", id(&made))
}

fn quick_yes(world: &World) -> Value {
    json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue.", "convention": {
        "object": "Huit jardinières rue Faidherbe", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
        "holder_signatory": {"user_id": world.camille.id(), "capacity": "Présidente"}}})
}

/// A published practice sheet.
async fn practice(world: &World) -> String {
    published_sheet(world, &in_review(world).await, json!({})).await
}

/// A published initiative that people may support.
async fn published(world: &World) -> String {
    in_review(world).await
}

/// The case of an operation, by its operationId.
pub async fn case(app: &TestApp, world: &World, operation: &str) -> Option<Case> {
    let World {
        admin,
        agent,
        mayor,
        official,
        camille,
        dominique,
        anyone,
        ..
    } = world;
    let loos = |rest: &str| format!("/v1/communes/{LOOS}{rest}");
    let case = match operation {
        "get_jwks" => Case::new(anyone, "/.well-known/jwks.json"),
        "issue_token" => {
            let email = resident(app).await.email;
            Case::new(anyone, "/v1/auth/token").with(
                json!({"grant_type": "password", "username": email, "password": PASSWORD}),
            )
        }
        "revoke_token" => {
            let token = resident(app).await.refresh_token;
            Case::new(anyone, "/v1/auth/revoke").with(json!({"token": token}))
        }
        "register_account" => Case::new(anyone, "/v1/accounts")
            .with(account(&format!("new-{}@example.org", number()))),
        "get_me" => Case::new(camille, "/v1/me"),
        "update_me" => Case::new(camille, "/v1/me").with(json!({"display_name": "Camille D."})),
        "change_password" => {
            let resident = resident(app).await;
            Case::new(&resident.client, "/v1/me/password").with(
                json!({"current_password": PASSWORD, "new_password": "des chemins sans nids-de-poule"}),
            )
        }
        "list_my_holders" => {
            holder(world).await;
            Case::new(camille, "/v1/me/holders")
        }
        "list_my_initiatives" => {
            draft(world).await;
            Case::new(camille, "/v1/me/initiatives?limit=2")
        }

        "list_communes" => Case::new(anyone, "/v1/communes?q=loos+en+gohelle"),
        "get_commune" => Case::new(anyone, loos("")),
        "update_commune" => Case::new(mayor, loos("")).with(json!({"reply_delay_days": 45})),
        "enrol_commune" => Case::new(admin, "/v1/communes/62065/enrol"),
        "get_envelope" => {
            let path = loos("/envelopes/2026");
            let mayor = mayor.with("if-match", "*");
            mayor.put(&path, json!({"amount_cents": 5_000_000})).await;
            Case::new(anyone, path)
        }
        "set_envelope" => Case::new(mayor, loos("/envelopes/2027"))
            .with(json!({"amount_cents": 6_000_000})),

        "get_worklist" => {
            in_review(world).await;
            Case::new(agent, loos("/worklist?limit=2"))
        }
        "get_worklist_calendar" => Case::new(agent, loos("/worklist.ics")),
        "list_mandates" => Case::new(agent, loos("/mandates?limit=2")),
        "grant_mandate" => {
            let email = resident(app).await.email;
            Case::new(admin, loos("/mandates")).with(mandate(&email))
        }
        "get_mandate" => Case::new(admin, granted(app, world).await),
        "update_mandate" => Case::new(admin, granted(app, world).await)
            .with(json!({"ends_on": "2026-12-31"})),

        "list_holders" => {
            holder(world).await;
            Case::new(anyone, loos("/holders?limit=2"))
        }
        "create_holder" => Case::new(camille, loos("/holders")).with(
            json!({"kind": "collective", "name": "Les voisins de la rue Faidherbe",
                "description": "Une douzaine de familles."}),
        ),
        "get_holder" => Case::new(anyone, holder(world).await),
        "update_holder" => Case::new(camille, holder(world).await)
            .with(json!({"description": "Trente jardins familiaux."})),
        "join_holder" => Case::new(dominique, format!("{}/join", holder(world).await)),
        "leave_holder" => Case::new(dominique, format!("{}/leave", joined(world, true).await.0)),
        "hand_over_holder" => Case::new(camille, format!("{}/hand_over", joined(world, true).await.0))
            .with(json!({"user_id": dominique.id()})),
        "list_holder_members" => {
            Case::new(camille, format!("{}/members", joined(world, true).await.0))
        }
        "accept_holder_member" => Case::new(camille, format!("{}/accept", joined(world, false).await.1))
            .with(json!({"may_sign": true})),
        "update_holder_member" => {
            Case::new(camille, joined(world, true).await.1).with(json!({"may_sign": true}))
        }
        "remove_holder_member" => {
            Case::new(camille, format!("{}/remove", joined(world, true).await.1))
        }

        "list_initiatives" => {
            published(world).await;
            Case::new(anyone, format!("/v1/initiatives?commune={LOOS}&limit=2"))
        }
        "create_initiative" => {
            let holder = association(camille, "Les chemins de Loos").await;
            Case::new(camille, loos("/initiatives")).with(idea(&holder))
        }
        "get_initiative" => Case::new(anyone, accepted(world).await),
        "update_initiative" => {
            Case::new(camille, draft(world).await).with(json!({"place": "Plaine de Loos"}))
        }
        "get_initiative_history" => {
            Case::new(camille, format!("{}/history", accepted(world).await))
        }
        "submit_initiative" => Case::new(camille, format!("{}/submit", draft(world).await)),
        "start_initiative_review" => {
            Case::new(agent, format!("{}/start_review", submitted(world).await)).with(json!({}))
        }
        "request_initiative_changes" => {
            Case::new(agent, format!("{}/request_changes", in_review(world).await))
                .with(json!({"message": "Précisez la longueur des chemins."}))
        }
        "resubmit_initiative" | "lapse_initiative" => {
            let path = in_review(world).await;
            let message = json!({"message": "Précisez la longueur des chemins."});
            agent.act(&path, "request_changes", message).await.ok();
            if operation == "lapse_initiative" {
                Case::new(agent, format!("{path}/lapse"))
            } else {
                Case::new(camille, format!("{path}/resubmit"))
            }
        }
        "give_initiative_opinion" => {
            Case::new(agent, format!("{}/give_opinion", in_review(world).await)).with(
                json!({"outcome": "favourable_with_conditions", "text": "À faire avant l'hiver.",
                    "estimated_cost_cents": 3_000_000}),
            )
        }
        "accept_initiative" | "refuse_initiative" => {
            let path = in_review(world).await;
            let opinion = json!({"outcome": "favourable", "text": "Faisable."});
            agent.act(&path, "give_opinion", opinion).await.ok();
            let action = operation.trim_end_matches("_initiative");
            Case::new(official, format!("{path}/{action}")).with(reason())
        }
        "quick_accept_initiative" | "record_initiative_quick_accept" => {
            let holder = association(camille, "Les voisins").await;
            let mut body = idea(&holder);
            body["requests_money"] = json!(false);
            body["submit"] = json!(true);
            body["commitments"] = json!([planters(), upkeep()]);
            let made = camille.post(&loos("/initiatives"), body).await.created();
            let path = format!("/v1/initiatives/{}", id(&made));
            if operation == "quick_accept_initiative" {
                Case::new(mayor, format!("{path}/quick_accept")).with(quick_yes(world))
            } else {
                Case::new(agent, format!("{path}/record_quick_accept"))
                    .with(on_paper(world, mayor, quick_yes(world)).await)
            }
        }
        "record_initiative_decision" => {
            let path = in_review(world).await;
            let opinion = json!({"outcome": "favourable", "text": "Faisable."});
            agent.act(&path, "give_opinion", opinion).await.ok();
            Case::new(agent, format!("{path}/record_decision")).with(recorded_decision(world).await)
        }
        "contest_initiative_decision" => {
            let path = in_review(world).await;
            let opinion = json!({"outcome": "favourable", "text": "Faisable."});
            agent.act(&path, "give_opinion", opinion).await.ok();
            let decision = recorded_decision(world).await;
            agent.act(&path, "record_decision", decision).await.ok();
            Case::new(official, format!("{path}/contest"))
                .with(json!({"reason": "Cette décision reste à prendre."}))
        }
        "redirect_initiative" => Case::new(agent, format!("{}/redirect", submitted(world).await))
            .with(json!({"competent_body": "Communauté d'agglomération de Lens-Liévin",
                "reason": "La voirie communautaire est de sa compétence."})),
        "reopen_initiative" => {
            let path = in_review(world).await;
            let opinion = json!({"outcome": "unfavourable", "text": "Trop cher."});
            agent.act(&path, "give_opinion", opinion).await.ok();
            official.act(&path, "refuse", reason()).await.ok();
            Case::new(agent, format!("{path}/reopen"))
                .with(json!({"reason": "Un mécène apporte les matériaux."}))
        }
        "withdraw_initiative" => {
            Case::new(camille, format!("{}/withdraw", submitted(world).await))
                .with(json!({"reason": "Nous déménageons."}))
        }
        "abandon_initiative" => {
            Case::new(official, format!("{}/abandon", accepted(world).await)).with(reason())
        }
        "publish_initiative" => {
            let path = submitted(world).await;
            let withheld = json!({"publish": false, "reason": "Un nom à retirer."});
            agent.act(&path, "start_review", withheld).await.ok();
            Case::new(agent, format!("{path}/publish"))
        }
        "unpublish_initiative" => {
            Case::new(agent, format!("{}/unpublish", in_review(world).await)).with(reason())
        }
        "complete_initiative" => {
            Case::new(agent, format!("{}/complete", delivered(world).await))
        }
        "close_initiative" => {
            let path = evaluated(app, world).await;
            camille
                .act(&format!("{path}/evaluation"), "agree", json!(null))
                .await
                .ok();
            mayor
                .act(&format!("{path}/evaluation"), "validate", json!(null))
                .await
                .ok();
            Case::new(agent, format!("{path}/close"))
        }
        "list_notes" | "add_note" => {
            let path = format!("{}/notes", in_review(world).await);
            let note = json!({"text": "Voir avec les services techniques."});
            if operation == "add_note" {
                Case::new(agent, path).with(note)
            } else {
                agent.post(&path, note).await.created();
                Case::new(agent, path)
            }
        }
        "list_recusals" | "recuse" => {
            let path = format!("{}/recusals", in_review(world).await);
            let recusal = json!({"grounds": "kinship", "text": "Mon frère préside l'association."});
            if operation == "recuse" {
                Case::new(official, path).with(recusal)
            } else {
                official.post(&path, recusal).await.created();
                Case::new(agent, path)
            }
        }
        "contest_recusal" => {
            let path = in_review(world).await;
            let mandate = mandate_of(world, official).await;
            let recusal = json!({"grounds": "interest", "mandate_id": mandate});
            agent
                .post(&format!("{path}/recusals"), recusal)
                .await
                .created();
            Case::new(official, format!("{path}/contest_recusal"))
                .with(json!({"reason": "Je n'ai aucun intérêt dans cette affaire."}))
        }
        "endorse_initiative" => {
            Case::new(dominique, format!("{}/endorsement", published(world).await))
        }
        "withdraw_endorsement" => {
            let path = format!("{}/endorsement", published(world).await);
            dominique.put(&path, json!({})).await.ok();
            Case::new(dominique, path)
        }
        "join_initiative" => {
            Case::new(dominique, format!("{}/participation", published(world).await))
        }
        "leave_initiative" => {
            let path = format!("{}/participation", published(world).await);
            dominique.put(&path, json!({})).await.ok();
            Case::new(dominique, path)
        }
        "list_headcounts" | "record_headcount" => {
            let path = format!("{}/headcounts", standing_at(app, world, "in_progress").await);
            let counts = json!({"counts": [{"age_band": "11_14", "people": 12}, {"age_band": "30_59", "people": 3}]});
            let day = format!("{path}/2026-06-10");
            if operation == "record_headcount" {
                Case::new(agent, day).with(counts)
            } else {
                agent.put(&day, counts).await.ok();
                Case::new(anyone, path)
            }
        }

        "get_commune_report" => {
            active(world).await;
            Case::new(anyone, loos("/reports/2026.pdf"))
        }
        "list_practices" => {
            practice(world).await;
            Case::new(anyone, format!("/v1/practices?commune={LOOS}&limit=2"))
        }
        "create_practice" => {
            let proof = active(world).await.0;
            let mut body = sheet();
            body["initiative_ids"] = json!([proof.rsplit('/').next()]);
            Case::new(agent, loos("/practices")).with(body)
        }
        "get_practice" => {
            let proof = active(world).await.0;
            Case::new(anyone, published_sheet(world, &proof, json!({})).await)
        }
        "update_practice" => Case::new(agent, practice(world).await)
            .with(json!({"tips": "Réserver les machines avant la moisson."})),
        "publish_practice" => {
            let proof = in_review(world).await;
            let proved = json!({"initiative_ids": [proof.rsplit('/').next()]});
            let path = drafted_sheet(agent, LOOS, proved).await;
            Case::new(agent, format!("{path}/publish"))
        }
        "withdraw_practice" => {
            Case::new(agent, format!("{}/withdraw", practice(world).await)).with(reason())
        }
        "get_practice_history" => Case::new(anyone, format!("{}/history", practice(world).await)),
        "get_practice_lineage" => {
            let root = practice(world).await;
            let named = json!({"inspired_by_practice_id": root.rsplit('/').next()});
            let path = published_sheet(world, &in_review(world).await, named).await;
            Case::new(anyone, format!("{path}/lineage"))
        }
        "list_practice_neighbours" => {
            Case::new(anyone, format!("{}/neighbours", practice(world).await))
        }
        "export_practices" => {
            practice(world).await;
            Case::new(anyone, format!("/v1/practices.csv?commune={LOOS}"))
        }
        "get_linked_practice" => Case::new(anyone, format!("{}.jsonld", practice(world).await)),

        "list_authorities" => {
            act(world).await;
            Case::new(anyone, loos("/authorities?limit=2"))
        }
        "record_authority" => Case::new(agent, loos("/authorities")).with(new_act()),
        "get_authority" => Case::new(anyone, act(world).await),
        "update_authority" => Case::new(agent, act(world).await).with(
            json!({"prefecture_reference": "PREF062", "sent_to_prefecture_on": "2026-06-11", "published_on": "2026-06-12",
                "executory_on": "2026-06-12"}),
        ),
        "delete_authority" => Case::new(agent, act(world).await),
        "get_authority_history" => Case::new(agent, format!("{}/history", act(world).await)),

        "list_subsidies" => {
            helped(world).await;
            Case::new(anyone, loos("/subsidies?limit=2"))
        }
        "get_subsidy" => Case::new(anyone, helped(world).await),
        "update_subsidy" => {
            Case::new(agent, helped(world).await).with(json!({"published_on": "2026-06-15"}))
        }

        "list_commitments" => {
            let (initiative, _) = active(world).await;
            Case::new(anyone, format!("{initiative}/commitments"))
        }
        "propose_commitment" => {
            Case::new(camille, format!("{}/commitments", accepted(world).await)).with(upkeep())
        }
        "get_commitment" => Case::new(anyone, binding(world, "commune").await),
        "accept_commitment" => Case::new(agent, format!("{}/accept", proposed(world).await)),
        "decline_commitment" => {
            Case::new(agent, format!("{}/decline", proposed(world).await)).with(reason())
        }
        "withdraw_commitment" => {
            Case::new(camille, format!("{}/withdraw", proposed(world).await)).with(reason())
        }
        "end_upkeep" => Case::new(agent, format!("{}/end_upkeep", kept_up(world).await))
            .with(json!({"reason": "Les jardinières ont été déplacées."})),
        "list_occurrences" => Case::new(
            anyone,
            format!("{}/occurrences?to=2026-12-31", kept_up(world).await),
        ),
        "get_occurrence" => Case::new(
            anyone,
            format!("{}/occurrences/2026-06-15", kept_up(world).await),
        ),
        "check_upkeep" => Case::new(agent, format!("{}/checks", kept_up(world).await)).with(
            json!({"occurs_on": "2026-06-15", "outcome": "not_done", "remark": "Deux jardinières sont sèches."}),
        ),
        "list_hand_overs" => {
            let offered = offered(world).await;
            let upkeep = camille.get(&offered).await.ok()["commitment_id"].clone();
            let path = format!("/v1/commitments/{}/hand_overs", upkeep.as_str().unwrap());
            Case::new(camille, path)
        }
        "offer_hand_over" => Case::new(camille, format!("{}/hand_overs", kept_up(world).await))
            .with(hand_over(world).await),
        "get_hand_over" => Case::new(camille, offered(world).await),
        "accept_hand_over" => Case::new(dominique, format!("{}/accept", offered(world).await)),
        "refuse_hand_over" => {
            Case::new(dominique, format!("{}/refuse", offered(world).await)).with(reason())
        }
        "withdraw_hand_over" => Case::new(camille, format!("{}/withdraw", offered(world).await)),
        "get_commune_balance" => {
            active(world).await;
            Case::new(anyone, loos("/balance"))
        }
        "get_initiative_balance" => {
            Case::new(anyone, format!("{}/balance", active(world).await.0))
        }
        "get_convention_balance" => {
            Case::new(anyone, format!("{}/balance", active(world).await.1))
        }
        "mark_commitment_unfulfilled" => Case::new(
            agent,
            format!("{}/mark_unfulfilled", binding(world, "commune").await),
        )
        .with(reason()),
        "record_fulfilment" => Case::new(
            agent,
            format!("{}/fulfilments", binding(world, "commune").await),
        )
        .with(done()),
        "list_fulfilments" => {
            let fulfilment = recorded(world).await;
            let commitment = agent.get(&fulfilment).await.ok()["commitment_id"].clone();
            let path = format!("/v1/commitments/{}/fulfilments", commitment.as_str().unwrap());
            Case::new(anyone, path)
        }
        "get_fulfilment" => Case::new(camille, recorded(world).await),
        "acknowledge_fulfilment" => {
            Case::new(camille, format!("{}/acknowledge", recorded(world).await))
        }
        "dispute_fulfilment" => {
            Case::new(camille, format!("{}/dispute", recorded(world).await))
                .with(json!({"reason": "Sept jardinières sont arrivées, pas huit."}))
        }
        "settle_fulfilment" => {
            let path = recorded(world).await;
            camille.act(&path, "dispute", reason()).await.ok();
            Case::new(mayor, format!("{path}/settle"))
                .with(json!({"acknowledge": true, "reason": "La huitième est à l'école."}))
        }
        "withdraw_fulfilment" => Case::new(agent, format!("{}/withdraw", recorded(world).await)),

        "list_conventions" => {
            active(world).await;
            Case::new(anyone, format!("/v1/conventions?commune={LOOS}&limit=2"))
        }
        "list_initiative_conventions" => {
            Case::new(anyone, format!("{}/conventions", active(world).await.0))
        }
        "create_convention" => {
            let path = format!("{}/conventions", accepted(world).await);
            Case::new(agent, path).with(terms(world).await)
        }
        "get_convention" => Case::new(anyone, active(world).await.1),
        "update_convention" => Case::new(agent, drafted(world).await.1)
            .with(json!({"notice_days": 60, "holder_insurance": "Responsabilité civile de l'association"})),
        "get_convention_content" => {
            Case::new(anyone, format!("{}/content", active(world).await.1))
        }
        "get_convention_history" => {
            Case::new(anyone, format!("{}/history", active(world).await.1))
        }
        "get_convention_document_html" => {
            Case::new(anyone, format!("{}/document.html", active(world).await.1))
        }
        "get_convention_document_pdf" => {
            Case::new(anyone, format!("{}/document.pdf", active(world).await.1))
        }
        "list_convention_templates" => Case::new(anyone, loos("/convention-templates?limit=2")),
        "get_convention_template" => Case::new(anyone, adapted(world).await),
        "save_convention_template" => {
            Case::new(agent, loos("/convention-templates")).with(next_version(world).await)
        }
        "preview_convention_template" => Case::new(agent, loos("/convention-templates/preview"))
            .with(json!({"articles": adaptation()})),
        "open_convention_for_signature" => {
            Case::new(agent, format!("{}/open_for_signature", drafted(world).await.1))
        }
        "reopen_convention" => Case::new(agent, format!("{}/reopen", opened(world).await.1))
            .with(json!({"reason": "Une date change."})),
        "cancel_convention" => {
            Case::new(agent, format!("{}/cancel", drafted(world).await.1)).with(reason())
        }
        "sign_convention" => {
            let (_, path, hash) = opened(world).await;
            Case::new(camille, format!("{path}/sign")).with(signing(&hash))
        }
        "record_convention_signature" => {
            let (_, path, hash) = opened(world).await;
            Case::new(agent, format!("{path}/record_signature")).with(
                json!({"content_sha256": hash, "party": "holder", "method": "paper", "paper_reference": "Registre 2026-31",
                    "signed_on": "2026-06-15"}),
            )
        }
        "contest_convention_signature" => {
            let (_, path, hash) = opened(world).await;
            let paper = json!({"content_sha256": hash, "party": "commune", "paper_reference": "Registre 2026-31",
                "signed_on": "2026-06-15"});
            agent.act(&path, "record_signature", paper).await.ok();
            Case::new(mayor, format!("{path}/contest_signature"))
                .with(json!({"reason": "Cette signature n'est pas la mienne."}))
        }
        "amend_convention" => Case::new(agent, format!("{}/amend", active(world).await.1))
            .with(json!({"reason": "Deux jardinières de plus, à la demande des riverains."})),
        "renew_convention" => Case::new(agent, format!("{}/renew", active(world).await.1))
            .with(json!({"reason": "L'association continue.", "ends_on": "2030-06-30"})),
        "list_convention_changes" => {
            let (_, path) = active(world).await;
            let reason = json!({"reason": "Deux jardinières de plus."});
            let draft = world.agent.act(&path, "amend", reason).await.created();
            let next = draft["id"].as_str().unwrap();
            Case::new(agent, format!("/v1/conventions/{next}/changes"))
        }
        "verify_convention" => {
            Case::new(anyone, format!("{}/verification", active(world).await.1))
        }
        "suspend_convention" => {
            Case::new(mayor, format!("{}/suspend", active(world).await.1)).with(reason())
        }
        "resume_convention" => {
            let (_, path) = active(world).await;
            world.mayor.act(&path, "suspend", reason()).await.ok();
            Case::new(mayor, format!("{path}/resume")).with(reason())
        }
        "terminate_convention" => {
            Case::new(mayor, format!("{}/terminate", active(world).await.1)).with(reason())
        }

        "get_evaluation" => Case::new(agent, format!("{}/evaluation", evaluated(app, world).await)),
        "create_evaluation" => Case::new(
            agent,
            format!("{}/evaluation", standing_at(app, world, "completed").await),
        )
        .with(farm_tracks()),
        "update_evaluation" => Case::new(agent, format!("{}/evaluation", evaluated(app, world).await))
            .with(json!({"municipal_cost_cents": 2_950_000})),
        "agree_evaluation" => Case::new(
            camille,
            format!("{}/evaluation/agree", evaluated(app, world).await),
        ),
        "validate_evaluation" => {
            let path = format!("{}/evaluation", evaluated(app, world).await);
            camille.act(&path, "agree", json!(null)).await.ok();
            Case::new(mayor, format!("{path}/validate"))
        }

        "list_documents" => {
            let initiative = accepted(world).await;
            attached(world, &initiative).await;
            Case::new(anyone, format!("{initiative}/documents?limit=2"))
        }
        "upload_document" => Case::new(camille, attaching(&accepted(world).await))
            .with(json!(PRESENCE)),
        "list_meeting_documents" => {
            let meeting = held_meeting(world).await;
            let reply = world.agent.upload(&attaching(&meeting), PRESENCE).await;
            reply.created();
            Case::new(anyone, format!("{meeting}/documents?limit=2"))
        }
        "upload_meeting_document" => Case::new(agent, attaching(&held_meeting(world).await))
            .with(json!(PRESENCE)),
        "get_document" => {
            Case::new(anyone, attached(world, &accepted(world).await).await)
        }
        "get_document_file" => {
            let document = attached(world, &accepted(world).await).await;
            Case::new(anyone, format!("{document}/file"))
        }
        "delete_document" => Case::new(camille, attached(world, &accepted(world).await).await),

        "list_meetings" => {
            held_meeting(world).await;
            Case::new(anyone, loos("/meetings?limit=2"))
        }
        "record_meeting" => Case::new(agent, loos("/meetings")).with(meeting()),
        "get_meeting" => Case::new(anyone, held_meeting(world).await),
        "update_meeting" => {
            Case::new(agent, held_meeting(world).await).with(json!({"attendance": 47}))
        }
        "delete_meeting" => Case::new(agent, held_meeting(world).await),

        "list_measures" => {
            reported(world).await;
            Case::new(anyone, loos("/measures"))
        }
        "get_measure" => Case::new(anyone, reported(world).await),
        "put_measure" => Case::new(agent, reported(world).await).with(json!({"value": "75",
            "unit": "associations", "source": "Annuaire municipal 2026"})),
        "delete_measure" => Case::new(agent, reported(world).await),

        "get_metrics" => Case::new(
            anyone,
            format!("/v1/metrics?communes={LOOS},{LENS}&from=2026&to=2026&indicators=initiatives_submitted"),
        ),
        "list_metric_records" => {
            accepted(world).await;
            let path = "/v1/metrics/initiatives_accepted/records";
            Case::new(anyone, format!("{path}?commune={LOOS}&period=2026"))
        }
        "list_metric_revisions" | "list_commune_revisions" => {
            crate::cells::revised(app, world).await;
            let path = match operation {
                "list_metric_revisions" => "/v1/metrics/revisions".to_owned(),
                _ => loos("/metrics/revisions"),
            };
            Case::new(anyone, path)
        }
        "compare_commune" => {
            worker::catch_up(&app.state).await.unwrap();
            let path = loos("/metrics/comparison?year=2026&indicators=initiatives_submitted");
            Case::new(anyone, path)
        }
        "get_commune_chart" => {
            Case::new(anyone, format!("/v1/communes/{LOOS}/metrics/chart.svg?chart=path"))
        }
        "get_metric_dictionary" => Case::new(anyone, "/v1/metrics/dictionary"),
        "list_exports" => Case::new(anyone, "/v1/exports"),
        "get_export" => Case::new(anyone, "/v1/exports/meetings"),
        "export_initiatives" => {
            active(world).await;
            Case::new(anyone, format!("/v1/initiatives.geojson?commune={LOOS}"))
        }
        "export_conventions" => Case::new(anyone, "/v1/conventions.csv"),
        "export_communes" => Case::new(anyone, "/v1/communes.csv?department=2A"),
        "list_commune_commitments" => {
            active(world).await;
            Case::new(anyone, loos("/commitments?side=commune&state=binding"))
        }
        "export_commitments" => Case::new(anyone, loos("/commitments.csv")),
        "export_holders" => Case::new(anyone, loos("/holders.ndjson")),
        "export_meetings" => Case::new(anyone, loos("/meetings.csv")),
        "export_measures" => Case::new(anyone, loos("/measures.csv")),
        "export_authorities" => Case::new(anyone, loos("/authorities.csv")),
        "export_subsidies" => Case::new(anyone, loos("/subsidies.csv")),
        "get_catalogue" => Case::new(anyone, "/v1/catalogue.jsonld"),
        "get_commune_catalogue" => Case::new(anyone, loos("/catalogue.jsonld")),
        "get_linked_commune" => Case::new(anyone, loos(".jsonld")),
        "get_linked_meeting" => {
            Case::new(anyone, held_meeting(world).await + ".jsonld")
        }
        "get_linked_initiative" => Case::new(anyone, active(world).await.0 + ".jsonld"),
        "get_meeting_calendar" => Case::new(anyone, loos("/meetings.ics")),
        "get_initiative_feed" => Case::new(anyone, "/v1/initiatives.atom"),
        "export_scdl_subventions" => Case::new(anyone, loos("/scdl/subventions.csv")),
        "export_scdl_deliberations" => Case::new(anyone, loos("/scdl/deliberations.csv")),
        "list_scdl_left_out" => {
            active(world).await;
            Case::new(anyone, loos("/scdl/left_out"))
        }
        "list_changes" | "list_commune_changes" => {
            held_meeting(world).await;
            // Who asks first gives what was written its place.
            anyone.get("/v1/changes?after=now").await.ok();
            let path = match operation {
                "list_changes" => "/v1/changes".to_owned(),
                _ => loos("/changes"),
            };
            Case::new(anyone, format!("{path}?kind=meeting&limit=2"))
        }
        "list_webhooks" => {
            webhook(world).await;
            Case::new(agent, loos("/webhooks?limit=2"))
        }
        "create_webhook" => {
            webhook(world).await;
            Case::new(agent, loos("/webhooks")).with(hook())
        }
        "get_webhook" => Case::new(agent, webhook(world).await),
        "update_webhook" => {
            Case::new(agent, webhook(world).await).with(json!({"state": "disabled"}))
        }
        "delete_webhook" => Case::new(agent, webhook(world).await),
        "rotate_webhook_secret" => {
            Case::new(agent, format!("{}/rotate_secret", webhook(world).await))
        }
        "get_webhook_history" => Case::new(agent, format!("{}/history", webhook(world).await)),
        "ping_webhook" => Case::new(agent, format!("{}/ping", webhook(world).await)),
        "list_webhook_deliveries" => {
            let webhook = webhook(world).await;
            tested(world, &webhook).await;
            Case::new(agent, format!("{webhook}/deliveries"))
        }
        "get_webhook_delivery" => {
            let webhook = webhook(world).await;
            Case::new(agent, tested(world, &webhook).await)
        }
        "replay_webhook_delivery" => {
            let webhook = webhook(world).await;
            Case::new(agent, format!("{}/replay", tested(world, &webhook).await))
        }
        "list_clients" => {
            client(world).await;
            Case::new(agent, loos("/clients?limit=1"))
        }
        "create_client" => {
            client(world).await;
            Case::new(admin, loos("/clients")).with(program())
        }
        "get_client" => Case::new(agent, client(world).await.path),
        "update_client" => {
            Case::new(admin, client(world).await.path).with(json!({"state": "disabled"}))
        }
        "delete_client" => Case::new(admin, client(world).await.path),
        "rotate_client_secret" => {
            Case::new(admin, format!("{}/rotate_secret", client(world).await.path))
                .with(json!({"overlap_hours": 48}))
        }
        "revoke_previous_client_secret" => {
            let path = client(world).await.path;
            admin.act(&path, "rotate_secret", json!({})).await.ok();
            Case::new(admin, format!("{path}/revoke_previous_secret"))
        }
        "list_client_usage" => {
            let client = client(world).await;
            crate::clients::signed_in(app, &client.id, &client.secret).await;
            fifty_fifty::clients::usage::flush(&app.state).await.unwrap();
            Case::new(agent, format!("{}/usage", client.path))
        }
        "get_client_history" => {
            Case::new(agent, format!("{}/history", client(world).await.path))
        }
        "bulk_holders" => Case::new(agent, loos("/bulk/holders")).with(json!({"items": [club()]})),
        "bulk_initiatives" => {
            let holder = imported(world, "holders", club()).await;
            let item = completed(&format!("I-{}", number()), holder.as_str().unwrap());
            Case::new(agent, loos("/bulk/initiatives")).with(json!({"items": [item]}))
        }
        "bulk_commitments" => {
            let holder = imported(world, "holders", club()).await;
            let past = completed(&format!("I-{}", number()), holder.as_str().unwrap());
            let past = imported(world, "initiatives", past).await;
            let item = commitment(&format!("C-{}", number()), past.as_str().unwrap());
            Case::new(agent, loos("/bulk/commitments")).with(json!({"items": [item]}))
        }
        "bulk_meetings" => {
            let item = json!({"external_id": format!("R-{}", number()), "title": "Réunion publique sur les chemins",
                "held_on": "2019-03-12", "attendance": 45});
            Case::new(agent, loos("/bulk/meetings")).with(json!({"items": [item]}))
        }
        "bulk_measures" => {
            let number = number();
            let item = json!({"external_id": format!("M-{number}"), "indicator": format!("bulk_{number}"), "year": 2019,
                "value": "73", "unit": "associations", "source": "Annuaire municipal 2019"});
            Case::new(agent, loos("/bulk/measures")).with(json!({"items": [item]}))
        }
        "start_import" => Case::new(agent, loos("/imports?resource=holders")).with(json!(clubs(2))),
        "list_imports" => {
            import(world).await;
            Case::new(agent, loos("/imports?limit=2"))
        }
        "get_import" => Case::new(agent, import(world).await),
        "get_import_errors" => Case::new(agent, format!("{}/errors.csv", import(world).await)),
        "cancel_import" => Case::new(agent, format!("{}/cancel", import(world).await)),
        "list_mappings" => {
            mapping(world).await;
            Case::new(agent, loos("/mappings"))
        }
        "get_mapping" => Case::new(agent, mapping(world).await),
        "put_mapping" => Case::new(agent, mapping(world).await).with(columns()),
        "delete_mapping" => Case::new(agent, mapping(world).await),
        "list_lifecycles" => Case::new(anyone, "/v1/lifecycles"),
        "get_lifecycle" => Case::new(anyone, "/v1/lifecycles/initiative"),
        "list_reference" => Case::new(anyone, "/v1/reference"),
        "get_reference" => Case::new(anyone, "/v1/reference/themes"),
        _ => return None,
    };
    Some(case)
}
