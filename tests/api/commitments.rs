//! The ways that a commitment can take besides the straight one: declined, withdrawn, disputed, settled, left undone,
//! upkeep that ends.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::authorities::recorded;
use crate::conventions::{agree, planters};
use crate::initiatives::accepted;
use crate::story::mandate_of;
use crate::support::app::{LOOS, World};
use crate::support::{Client, TestApp};

pub fn of_holder(title: &str, when: Value) -> Value {
    let mut body = json!({"side": "holder", "kind": "labour", "title": title, "valuation":
        {"quantity": "10", "unit": "heure", "unit_value_cents": 1_500, "method": "hourly_rate"}});
    body.as_object_mut()
        .unwrap()
        .extend(when.as_object().unwrap().clone());
    body
}

async fn propose(path: &str, who: &Client, body: Value) -> String {
    let made = who
        .post(&format!("{path}/commitments"), body)
        .await
        .created();
    format!("/v1/commitments/{}", made["id"].as_str().unwrap())
}

/// An order of the mayor, under a number of its own.
pub async fn order(world: &World) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let number = format!("2026-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let order = json!({"kind": "mayor_order", "number": number, "adopted_on": "2026-06-01", "object": "Travaux",
        "executory_on": "2026-06-02"});
    recorded(world, order).await
}

/// Commitments that a convention in force since today binds: the paths of the initiative, of the convention and of each.
pub async fn bound(world: &World, promises: Vec<Value>) -> (String, String, Vec<String>) {
    let initiative = accepted(world).await;
    let mut paths = Vec::new();
    for promise in promises {
        paths.push(agree(world, &initiative, promise).await);
    }
    let terms = json!({"object": "Travaux", "starts_on": "2026-06-15", "ends_on": "2030-06-14",
        "no_upkeep_reason": "Rien à entretenir.",
        "authority_id": order(world).await,
        "parties": {"commune": {"mandate_id": mandate_of(&world.mayor).await},
            "holder": {"user_id": world.camille.id(), "capacity": "Présidente"}}});
    let drafted = world
        .agent
        .post(&format!("{initiative}/conventions"), terms)
        .await
        .created();
    let convention = format!("/v1/conventions/{}", drafted["id"].as_str().unwrap());
    let open = world
        .agent
        .act(&convention, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = json!({"content_sha256": open["content_sha256"]});
    for signatory in [&world.camille, &world.mayor] {
        signatory.act(&convention, "sign", hash.clone()).await.ok();
    }
    (initiative, convention, paths)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_promised_may_be_declined_withdrawn_disputed_and_settled() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (camille, agent, mayor) = (&world.camille, &world.agent, &world.mayor);
    let path = accepted(&world).await;
    let due = json!({"due_on": "2026-12-31"});
    let reason = json!({"reason": "Pas cette année."});

    let declined = propose(&path, camille, of_holder("Déclinée", due.clone())).await;
    camille
        .act(&declined, "decline", reason.clone())
        .await
        .problem(403, "forbidden");
    assert_eq!(
        agent.act(&declined, "decline", reason.clone()).await.ok()["state"],
        "declined"
    );
    agent
        .act(&declined, "accept", json!(null))
        .await
        .problem(409, "wrong_state");
    let withdrawn = propose(&path, camille, of_holder("Retirée", due.clone())).await;
    agent
        .act(&withdrawn, "withdraw", reason.clone())
        .await
        .problem(403, "forbidden");
    world
        .foreign_agent
        .act(&withdrawn, "accept", json!(null))
        .await
        .problem(404, "not_found");
    assert_eq!(
        camille
            .act(&withdrawn, "withdraw", reason.clone())
            .await
            .ok()["state"],
        "withdrawn"
    );

    let labour = propose(&path, camille, of_holder("Travail", due.clone())).await;
    let undone = propose(&path, camille, of_holder("Autre travail", due)).await;
    let dates = json!({"upkeep": {"starts_on": "2026-06-15", "ends_on": "2028-06-14"}});
    let upkeep = propose(&path, camille, of_holder("Entretien", dates)).await;
    for commitment in [&labour, &undone, &upkeep] {
        agent.act(commitment, "accept", json!(null)).await.ok();
    }
    let planks = json!({"side": "commune", "kind": "material", "route": "in_kind", "title": "Planches", "due_on": "2026-12-31",
        "valuation": {"quantity": "2.5", "unit": "lot", "unit_value_cents": 333, "method": "real_cost"}});
    let planks = propose(&path, agent, planks).await;
    camille.act(&planks, "accept", json!(null)).await.ok();
    assert_eq!(
        camille.get(&planks).await.ok()["value_cents"],
        833,
        "2.5 × 3.33 EUR, rounded half up"
    );
    let early = json!({"done_on": "2026-06-15", "quantity": "1", "evidence": "x"});
    camille
        .post(&format!("{labour}/fulfilments"), early.clone())
        .await
        .problem(409, "wrong_state");

    let convention = json!({"object": "Travaux", "starts_on": "2026-06-15", "ends_on": "2028-06-14",
        "parties": {"commune": {"mandate_id": mandate_of(mayor).await},
            "holder": {"user_id": camille.id(), "capacity": "Présidente"}}});
    let drafted = agent
        .post(&format!("{path}/conventions"), convention)
        .await
        .created();
    let convention = format!("/v1/conventions/{}", drafted["id"].as_str().unwrap());
    let open = agent
        .act(&convention, "open_for_signature", json!(null))
        .await
        .ok();
    camille
        .act(&labour, "withdraw", reason.clone())
        .await
        .problem(409, "requirement_missing");
    let hash = json!({"content_sha256": open["content_sha256"]});
    camille.act(&convention, "sign", hash.clone()).await.ok();
    mayor.act(&convention, "sign", hash).await.ok();

    let record = async |quantity: &str| {
        let body = json!({"done_on": "2026-06-15", "quantity": quantity, "evidence": "Feuille"});
        let made = camille
            .post(&format!("{labour}/fulfilments"), body)
            .await
            .created();
        format!("/v1/fulfilments/{}", made["id"].as_str().unwrap())
    };
    let future = json!({"done_on": "2026-06-16", "quantity": "1", "evidence": "x"});
    assert_eq!(
        camille
            .post(&format!("{labour}/fulfilments"), future)
            .await
            .pointers(),
        ["#/done_on"]
    );
    let money = json!({"done_on": "2026-06-15", "amount_cents": 1, "evidence": "x"});
    assert_eq!(
        camille
            .post(&format!("{labour}/fulfilments"), money)
            .await
            .pointers(),
        ["#/quantity"]
    );
    agent
        .post(&format!("{labour}/fulfilments"), early)
        .await
        .created();

    let mistaken = record("1").await;
    assert_eq!(
        camille.act(&mistaken, "withdraw", json!(null)).await.ok()["state"],
        "withdrawn"
    );
    for (yes, state) in [(true, "acknowledged"), (false, "rejected")] {
        let fulfilment = record("4").await;
        world
            .anyone
            .get(&fulfilment)
            .await
            .problem(404, "not_found");
        camille
            .act(&fulfilment, "dispute", reason.clone())
            .await
            .problem(403, "forbidden");
        let settlement = json!({"acknowledge": yes, "reason": "La feuille fait foi."});
        mayor
            .act(&fulfilment, "settle", settlement.clone())
            .await
            .problem(409, "wrong_state");
        assert_eq!(
            agent.act(&fulfilment, "dispute", reason.clone()).await.ok()["state"],
            "disputed"
        );
        agent
            .act(&fulfilment, "settle", settlement.clone())
            .await
            .problem(403, "forbidden");
        assert_eq!(
            mayor.act(&fulfilment, "settle", settlement).await.ok()["state"],
            state
        );
    }
    assert_eq!(
        camille.get(&labour).await.ok()["progress"],
        "0.40",
        "what was rejected does not count"
    );

    camille
        .act(&undone, "mark_unfulfilled", reason.clone())
        .await
        .problem(403, "forbidden");
    assert_eq!(
        agent
            .act(&undone, "mark_unfulfilled", reason.clone())
            .await
            .ok()["state"],
        "unfulfilled"
    );
    agent
        .act(&undone, "end_upkeep", json!({}))
        .await
        .problem(409, "wrong_state");
    agent
        .act(&planks, "end_upkeep", json!({}))
        .await
        .problem(409, "requirement_missing");
    assert_eq!(
        camille
            .act(&upkeep, "end_upkeep", json!({}))
            .await
            .pointers(),
        ["#/reason"]
    );
    let ended = camille.act(&upkeep, "end_upkeep", reason).await.ok();
    assert_eq!(
        (&ended["state"], &ended["upkeep_ended_on"]),
        (&json!("partially_fulfilled"), &json!("2026-06-15"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_side_owes_the_other_does_not_end() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (camille, agent) = (&world.camille, &world.agent);
    let dates = json!({"upkeep": {"starts_on": "2026-06-15", "ends_on": "2028-06-14"}});
    let mut theirs = of_holder("Taille des haies", dates.clone());
    theirs["side"] = json!("commune");
    theirs["route"] = json!("in_kind");
    let (_, _, paths) = bound(&world, vec![of_holder("Arrosage", dates), theirs]).await;
    let [mine, theirs] = &paths[..] else {
        unreachable!()
    };

    let reason = json!({"reason": "Nous n'en voulons plus."});
    camille
        .act(theirs, "end_upkeep", reason.clone())
        .await
        .problem(403, "forbidden");
    let offered = camille.get(theirs).await.ok()["allowed_actions"].clone();
    assert!(!offered.as_array().unwrap().contains(&json!("end_upkeep")));
    agent.act(theirs, "end_upkeep", reason.clone()).await.ok();
    camille.act(mine, "end_upkeep", reason).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_does_not_answer_on_behalf_what_they_have_proposed() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let body = json!({"title": "Huit jardinières rue Faidherbe", "theme": "living_environment",
        "description": "La commune fournit huit jardinières.",
        "holder": {"kind": "collective", "name": "Les voisins"},
        "on_behalf": {"channel": "counter"}, "submit": true});
    let promise = json!({"side": "commune", "kind": "material", "route": "in_kind", "title": "Jardinières",
        "due_on": "2026-12-31",
        "valuation": {"quantity": "8", "unit": "pièce", "unit_value_cents": 4500, "method": "real_cost"}});
    let made = world
        .agent
        .post("/v1/communes/62528/initiatives", body)
        .await
        .created();
    let path = format!("/v1/initiatives/{}", made["id"].as_str().unwrap());
    let proposed = propose(&path, &world.agent, promise).await;
    for (action, body) in [
        ("accept", json!(null)),
        ("decline", json!({"reason": "Finalement non."})),
    ] {
        world
            .agent
            .act(&proposed, action, body)
            .await
            .problem(409, "conflict_of_interest");
    }
    let id = proposed.rsplit('/').next().unwrap();
    let attack = format!("UPDATE commitments SET answered_by = proposed_by WHERE id = '{id}'");
    assert_eq!(
        app.attack(&attack).await.as_deref(),
        Some("commitments_answered_by_another")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_times_what_was_promised_is_something_else() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, _, paths) = bound(
        &world,
        vec![
            planters(),
            of_holder("Travaux", json!({"due_on": "2026-12-31"})),
        ],
    )
    .await;
    let to = format!("{}/fulfilments", paths[0]);
    let done = |quantity: &str| json!({"done_on": "2026-06-15", "quantity": quantity, "evidence": "Facture"});
    let refused = world.agent.post(&to, done("80.001")).await;
    refused.problem(409, "requirement_missing");
    let first = world.agent.post(&to, done("79")).await.created();
    world.agent.post(&to, done("1")).await.created();
    let refused = world.agent.post(&to, done("0.1")).await;
    refused.problem(409, "requirement_missing");
    // What is taken back makes room.
    let first = format!("/v1/fulfilments/{}", first["id"].as_str().unwrap());
    world.agent.act(&first, "withdraw", Value::Null).await.ok();
    world.agent.post(&to, done("79")).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_before_it_is_promised() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, _, paths) = bound(
        &world,
        vec![
            planters(),
            of_holder("Travaux", json!({"due_on": "2026-12-31"})),
        ],
    )
    .await;
    let to = format!("{}/fulfilments", paths[0]);
    let done = |day: &str| json!({"done_on": day, "quantity": "1", "evidence": "Facture"});
    for early in ["1900-01-01", "2026-06-14"] {
        let refused = world.agent.post(&to, done(early)).await;
        assert_eq!(refused.pointers(), ["#/done_on"], "{early}");
    }
    world.agent.post(&to, done("2026-06-15")).await.created();
    let attack = format!(
        "INSERT INTO fulfilments (id, commune_code, commitment_id, state, done_on, quantity, value_cents, evidence, \
            recorded_by, recorded_side, recorded_at) \
         VALUES ('{}', '{LOOS}', '{}', 'recorded', '2026-06-14', 1, 5000, 'x', '{}', 'commune', '2026-06-15T10:00:00Z')",
        app.row_id(LOOS),
        paths[0].rsplit('/').next().unwrap(),
        world.agent.id()
    );
    assert_eq!(
        app.attack(&attack).await.as_deref(),
        Some("fulfilments_not_before_promise")
    );
}
