//! The story of the farm tracks of Loos, told over HTTP: each step by the right person, each figure derived from what
//! went in.

use serde_json::{Value, json};

use crate::initiatives::association;
use crate::support::app::{LOOS, World};
use crate::support::{Client, TestApp};

/// What the two sides promise, in euro cents.
const COMMUNES_MONEY: i64 = 3_000_000;
const MACHINES: (i64, i64) = (40, 60_000);
const SKIPS: (i64, i64) = (60, 15_000);
const HOURS: (i64, i64) = (600, 1_500);
/// What the tracks would have cost without the farmers: the commune paid 70 % less.
const FULL_COST: i64 = 10_000_000;

const fn value((quantity, unit_value): (i64, i64)) -> i64 {
    quantity * unit_value
}

fn in_kind(kind: &str, title: &str, (quantity, unit_value): (i64, i64), unit: &str) -> Value {
    let method = if kind == "labour" {
        "hourly_rate"
    } else {
        "replacement_cost"
    };
    json!({"side": "holder", "kind": kind, "title": title, "due_on": "2026-10-31",
        "valuation": {"quantity": quantity.to_string(), "unit": unit, "unit_value_cents": unit_value, "method": method}})
}

fn id(made: &Value) -> &str {
    made["id"].as_str().unwrap()
}

/// Proposes, and lets the other side accept.
async fn agree(path: &str, own: &Client, other: &Client, commitment: Value) -> String {
    let proposed = own
        .post(&format!("{path}/commitments"), commitment)
        .await
        .created();
    let commitment = format!("/v1/commitments/{}", id(&proposed));
    own.act(&commitment, "accept", json!(null))
        .await
        .problem(403, "forbidden");
    assert_eq!(
        other.act(&commitment, "accept", json!(null)).await.ok()["state"],
        "accepted"
    );
    commitment
}

/// Records, and lets the other side acknowledge.
async fn fulfil(commitment: &str, own: &Client, other: &Client, how_much: Value) {
    let mut body = json!({"done_on": "2026-09-15", "evidence": "Carnet de chantier"});
    body.as_object_mut()
        .unwrap()
        .extend(how_much.as_object().unwrap().clone());
    let recorded = own
        .post(&format!("{commitment}/fulfilments"), body)
        .await
        .created();
    let fulfilment = format!("/v1/fulfilments/{}", id(&recorded));
    own.act(&fulfilment, "acknowledge", json!(null))
        .await
        .problem(403, "forbidden");
    assert_eq!(
        other
            .act(&fulfilment, "acknowledge", json!(null))
            .await
            .ok()["state"],
        "acknowledged"
    );
}

pub async fn mandate_of(official: &Client) -> String {
    official.get("/v1/me").await.ok()["mandates"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The value of an indicator of Loos in a year.
async fn figure(reader: &Client, indicator: &str) -> Value {
    let page = reader
        .get(&format!(
            "/v1/metrics?communes={LOOS}&from=2026&to=2026&indicators={indicator}"
        ))
        .await
        .ok();
    let mut found = Vec::new();
    collect(&page, indicator, &mut found);
    assert_eq!(found.len(), 1, "{indicator}: {page}");
    found.remove(0)
}

/// Finds the figures of an indicator wherever the answer holds them.
fn collect(value: &Value, indicator: &str, found: &mut Vec<Value>) {
    match value {
        Value::Object(members) => {
            if members.get("indicator").and_then(Value::as_str) == Some(indicator)
                && members.contains_key("value")
            {
                found.push(members["value"].clone());
            }
            members
                .values()
                .for_each(|member| collect(member, indicator, found));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect(item, indicator, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_farm_tracks_of_loos() {
    let app = TestApp::new().await;
    let world: World = app.world().await;
    let (camille, agent, mayor) = (&world.camille, &world.agent, &world.mayor);
    let holder = association(camille, "Les agriculteurs de la plaine").await;
    let draft = json!({"title": "Réfection des chemins agricoles", "theme": "agriculture", "holder_id": holder,
        "description": "Machines, bennes et travail des agriculteurs ; matériaux de la commune.",
        "land": "rural_track", "requests_money": true, "delivery": "joint"});
    let made = camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), draft)
        .await
        .created();
    let path = format!("/v1/initiatives/{}", id(&made));
    camille.act(&path, "submit", json!(null)).await.ok();
    agent.act(&path, "start_review", json!({})).await.ok();
    agent
        .act(
            &path,
            "give_opinion",
            json!({"outcome": "favourable", "text": "Avant l'hiver."}),
        )
        .await
        .ok();
    mayor
        .act(&path, "accept", json!({"reason": "Utile à tous."}))
        .await
        .ok();

    // Both columns. The commune's money needs an envelope, and never goes beyond it.
    let money = json!({"side": "commune", "kind": "financial", "title": "Matériaux", "route": "purchase",
        "amount_cents": COMMUNES_MONEY, "budget_year": 2026, "due_on": "2026-10-31"});
    let proposed = agent
        .post(&format!("{path}/commitments"), money)
        .await
        .created();
    let money = format!("/v1/commitments/{}", id(&proposed));
    camille
        .act(&money, "accept", json!(null))
        .await
        .problem(409, "envelope_exceeded");
    let envelope = format!("/v1/communes/{LOOS}/envelopes/2026");
    agent
        .with("if-match", "*")
        .put(&envelope, json!({"amount_cents": 5_000_000}))
        .await
        .problem(403, "forbidden");
    mayor
        .with("if-match", "*")
        .put(&envelope, json!({"amount_cents": 5_000_000}))
        .await
        .ok();
    camille.act(&money, "accept", json!(null)).await.ok();
    assert_eq!(
        world.anyone.get(&envelope).await.ok()["available_cents"],
        5_000_000 - COMMUNES_MONEY
    );
    let lowered = mayor
        .with("if-match", "*")
        .put(&envelope, json!({"amount_cents": 2_000_000}))
        .await;
    lowered.problem(409, "envelope_exceeded");
    let machines = agree(
        &path,
        camille,
        agent,
        in_kind("material", "Tracteurs et pelles", MACHINES, "jour"),
    )
    .await;
    let skips = agree(
        &path,
        camille,
        agent,
        in_kind("material", "Bennes", SKIPS, "rotation"),
    )
    .await;
    let labour = agree(
        &path,
        camille,
        agent,
        in_kind("labour", "Travail des agriculteurs", HOURS, "heure"),
    )
    .await;
    let negotiated = world.anyone.get(&format!("{path}/commitments")).await.ok();
    assert_eq!(
        (&negotiated["data"], &negotiated["convention"]),
        (&json!([]), &json!(null))
    );

    // What the council has voted, one content, two signatures.
    let act = json!({"kind": "deliberation", "number": "2026-042", "adopted_on": "2026-06-10",
        "object": "Réfection des chemins agricoles", "subject": {"code": "8.3", "name": "Voirie"},
        "sent_to_prefecture_on": "2026-06-11", "published_on": "2026-06-14", "executory_on": "2026-06-14",
        "votes": {"council_members": 29, "cast": 27, "in_favour": 27, "against": 0, "abstained": 0}});
    let act = agent
        .post(&format!("/v1/communes/{LOOS}/authorities"), act)
        .await
        .created();
    let convention = json!({"object": "Réfection des chemins agricoles", "starts_on": "2026-06-15", "ends_on": "2027-06-14",
        "no_upkeep_reason": "L'entretien reste à la commune",
        "authority_id": id(&act),
        "parties": {"commune": {"mandate_id": mandate_of(mayor).await},
            "holder": {"user_id": camille.id(), "capacity": "Présidente"}}});
    camille
        .post(&format!("{path}/conventions"), convention.clone())
        .await
        .problem(403, "forbidden");
    let drafted = agent
        .post(&format!("{path}/conventions"), convention)
        .await
        .created();
    let convention = format!("/v1/conventions/{}", id(&drafted));
    camille
        .act(
            &convention,
            "sign",
            json!({"content_sha256": "0".repeat(64)}),
        )
        .await
        .problem(409, "wrong_state");
    let open = agent
        .act(&convention, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = json!({"content_sha256": open["content_sha256"]});
    camille
        .act(
            &convention,
            "sign",
            json!({"content_sha256": "0".repeat(64)}),
        )
        .await
        .problem(409, "content_changed");
    for refused in [agent, &world.admin, &world.official] {
        assert!(
            refused
                .act(&convention, "sign", hash.clone())
                .await
                .status
                .is_client_error()
        );
    }
    camille.act(&convention, "sign", hash.clone()).await.ok();
    world
        .anyone
        .get(&convention)
        .await
        .problem(404, "not_found");
    let signed = mayor.act(&convention, "sign", hash).await.ok();
    assert_eq!(signed["state"], "active");
    assert_eq!(world.anyone.get(&path).await.ok()["state"], "in_progress");
    let public = world.anyone.get(&convention).await;
    assert!(
        !public.text.contains("camille Dupont"),
        "names of natural persons stay private"
    );
    let columns = world.anyone.get(&format!("{path}/commitments")).await;
    assert!(columns.header("cache-control").starts_with("public"));
    let columns = columns.ok();
    assert_eq!(
        columns["convention"],
        json!({"id": signed["id"], "number": 1, "state": "active", "state_changed_at": signed["state_changed_at"],
            "starts_on": "2026-06-15", "ends_on": "2027-06-14"})
    );
    let own = agent.get(&format!("{path}/commitments")).await;
    assert_eq!(own.header("cache-control"), "no-store");
    let promised = value(MACHINES) + value(SKIPS) + value(HOURS);
    assert_eq!(
        columns["balance"]["commune"]["promised_cents"],
        COMMUNES_MONEY
    );
    assert_eq!(columns["balance"]["holder"]["promised_cents"], promised);

    // Doing it.
    app.travel_to("2026-09-20T08:00:00Z");
    agent
        .act(&path, "complete", json!(null))
        .await
        .problem(409, "requirement_missing");
    let beyond =
        json!({"done_on": "2026-09-15", "evidence": "Facture", "amount_cents": COMMUNES_MONEY + 1});
    agent
        .post(&format!("{money}/fulfilments"), beyond)
        .await
        .problem(409, "requirement_missing");
    fulfil(
        &money,
        agent,
        camille,
        json!({"amount_cents": COMMUNES_MONEY}),
    )
    .await;
    fulfil(
        &machines,
        camille,
        agent,
        json!({"quantity": MACHINES.0.to_string()}),
    )
    .await;
    fulfil(
        &skips,
        camille,
        agent,
        json!({"quantity": SKIPS.0.to_string()}),
    )
    .await;
    fulfil(
        &labour,
        camille,
        agent,
        json!({"quantity": (HOURS.0 / 2).to_string()}),
    )
    .await;
    assert_eq!(world.anyone.get(&labour).await.ok()["progress"], "0.50");
    // The other half is left unanswered: thirty days of silence acknowledge it.
    let half = json!({"done_on": "2026-09-18", "evidence": "Carnet de chantier", "quantity": (HOURS.0 / 2).to_string()});
    camille
        .post(&format!("{labour}/fulfilments"), half)
        .await
        .created();
    app.travel_to("2026-10-19T08:00:00Z");
    fifty_fifty::clockwork::turn(&app.state).await.unwrap();
    assert_eq!(
        world.anyone.get(&labour).await.ok()["state"],
        "partially_fulfilled"
    );
    app.travel_to("2026-10-20T09:00:00Z");
    fifty_fifty::clockwork::turn(&app.state).await.unwrap();
    assert_eq!(world.anyone.get(&labour).await.ok()["state"], "fulfilled");
    camille
        .act(&path, "complete", json!(null))
        .await
        .problem(403, "forbidden");
    assert_eq!(
        agent.act(&path, "complete", json!(null)).await.ok()["state"],
        "completed"
    );

    // What came of it.
    let evaluation = json!({"summary": "Chemins refaits.", "reference_cost_cents": FULL_COST,
        "municipal_cost_cents": COMMUNES_MONEY, "staff_minutes": 0, "staff_cost_cents": 0, "official_minutes": 0,
        "method": "Coût complet par entreprise", "source": "Ville de Loos-en-Gohelle"});
    agent
        .act(&path, "close", json!(null))
        .await
        .problem(409, "requirement_missing");
    agent
        .post(&format!("{path}/evaluation"), evaluation)
        .await
        .created();
    agent
        .act(&format!("{path}/evaluation"), "validate", json!(null))
        .await
        .problem(403, "forbidden");
    mayor
        .act(&format!("{path}/evaluation"), "validate", json!(null))
        .await
        .problem(409, "requirement_missing");
    camille
        .act(&format!("{path}/evaluation"), "agree", json!(null))
        .await
        .ok();
    let validated = mayor
        .act(&format!("{path}/evaluation"), "validate", json!(null))
        .await
        .ok();
    let savings = FULL_COST - COMMUNES_MONEY;
    assert_eq!(validated["savings_cents"], savings);
    assert_eq!(
        agent.act(&path, "close", json!(null)).await.ok()["state"],
        "closed"
    );

    // The year's figures, each from what went in.
    let anyone = &world.anyone;
    assert_eq!(figure(anyone, "savings").await, json!(savings.to_string()));
    let share = format!(
        "{:.4}",
        f64::from(i32::try_from(promised).unwrap())
            / f64::from(i32::try_from(promised + COMMUNES_MONEY).unwrap())
    );
    assert_eq!(figure(anyone, "residents_share").await, json!(share));
    assert_eq!(figure(anyone, "savings_rate").await, json!("0.7"));
    assert_eq!(
        figure(anyone, "volunteer_hours").await,
        json!(HOURS.0.to_string())
    );
    assert_eq!(figure(anyone, "initiatives_completed").await, json!("1"));
    let delivered =
        format!("/v1/metrics?communes={LOOS}&from=2026&to=2026&indicators=value_delivered_by_side");
    let delivered = anyone.get(&delivered).await.ok();
    let parts = &delivered["territories"][0]["periods"][0]["values"][0]["parts"];
    for (side, cents) in [("commune", COMMUNES_MONEY), ("holder", promised)] {
        let part = parts
            .as_array()
            .unwrap()
            .iter()
            .find(|part| part["code"] == side)
            .unwrap();
        assert_eq!(part["value"], json!(cents.to_string()), "{side}");
    }
    let dictionary = anyone.get("/v1/metrics/dictionary").await.ok();
    assert!(dictionary.to_string().contains("savings"));

    // The day after its last day the convention has expired, and says so to everybody.
    app.travel_to("2027-06-15T08:00:00Z");
    fifty_fifty::clockwork::turn(&app.state).await.unwrap();
    assert_eq!(anyone.get(&convention).await.ok()["state"], "expired");
    let columns = anyone.get(&format!("{path}/commitments")).await.ok();
    assert_eq!(columns["convention"]["state"], "expired");
}
