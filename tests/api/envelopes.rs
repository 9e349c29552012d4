//! The yearly envelope: what is reserved in it, what is refused, and what comes back.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::commitments::order;
use crate::conventions::{agree, drafted, signing};
use crate::initiatives::accepted;
use crate::support::TestApp;
use crate::support::app::{LOOS, World};

const ENVELOPE: &str = "/v1/communes/62528/envelopes/2026";

async fn set(world: &World, amount_cents: i64) -> crate::support::client::Reply {
    let mayor = world.mayor.with("if-match", "*");
    mayor
        .put(ENVELOPE, json!({"amount_cents": amount_cents}))
        .await
}

/// What is reserved and what is left.
async fn left(world: &World) -> (i64, i64) {
    let envelope = world.official.get(ENVELOPE).await.ok();
    let cents = |field: &str| envelope[field].as_i64().unwrap();
    (cents("reserved_cents"), cents("available_cents"))
}

fn money(title: &str, amount_cents: i64) -> Value {
    json!({"side": "commune", "kind": "financial", "title": title, "route": "purchase",
        "amount_cents": amount_cents, "budget_year": 2026, "due_on": "2026-10-01"})
}

/// A convention in force in which the commune pays: its path and that of the money.
async fn financed(world: &World, amount_cents: i64) -> (String, String) {
    let (initiative, path) = drafted(world).await;
    let money = agree(world, &initiative, money("Terreau", amount_cents)).await;
    let all = world
        .agent
        .get(&format!("{initiative}/commitments"))
        .await
        .ok();
    let all: Vec<&Value> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    let authority = order(world).await;
    world
        .agent
        .edit(
            &path,
            json!({"commitment_ids": all, "authority_id": authority}),
        )
        .await
        .ok();
    sign(world, &path).await;
    (path, money)
}

/// Opens a version and has it signed by both sides.
async fn sign(world: &World, path: &str) {
    let open = world
        .agent
        .act(path, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    for signatory in [&world.camille, &world.mayor] {
        signatory
            .post(&format!("{path}/sign"), signing(hash))
            .await
            .ok();
    }
}

async fn pay(world: &World, money: &str, amount_cents: i64) {
    let paid =
        json!({"done_on": "2026-06-15", "amount_cents": amount_cents, "evidence": "Facture 12"});
    world
        .agent
        .post(&format!("{money}/fulfilments"), paid)
        .await
        .created();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_take_what_there_is_and_no_more() {
    let app = TestApp::new().await;
    let world = app.world().await;
    set(&world, 1_000_000).await.ok();
    // Ten initiatives, so that what they meet at is the envelope.
    let mut all = Vec::new();
    for _ in 0..10 {
        let initiative = accepted(&world).await;
        for _ in 0..10 {
            let reply = world
                .agent
                .post(
                    &format!("{initiative}/commitments"),
                    money("Terreau", 15_000),
                )
                .await;
            all.push(reply.header("location").to_owned());
            reply.created();
        }
    }
    let mut under_way = JoinSet::new();
    for path in all.clone() {
        let camille = world.camille.clone();
        under_way.spawn(async move { camille.act(&path, "accept", Value::Null).await });
    }
    let (mut accepted, mut refused) = (0, 0);
    while let Some(reply) = under_way.join_next().await {
        let reply = reply.unwrap();
        if reply.status == 200 {
            accepted += 1;
        } else {
            reply.problem(409, "envelope_exceeded");
            refused += 1;
        }
    }
    assert_eq!((accepted, refused), (66, 34));
    assert_eq!(left(&world).await, (990_000, 10_000));
    let mut states = Vec::new();
    for path in &all {
        states.push(world.agent.get(path).await.ok()["state"].clone());
    }
    assert_eq!(
        states.iter().filter(|state| **state == "accepted").count(),
        66,
        "what was refused is on the table still"
    );

    // The envelope is never lowered below what is committed.
    set(&world, 989_999).await.problem(409, "envelope_exceeded");
    set(&world, 990_000).await.ok();
    assert_eq!(left(&world).await, (990_000, 0));
    assert_eq!(
        app.attack(&format!(
            "UPDATE envelopes SET amount_cents = 989999 WHERE commune_code = '{LOOS}'"
        ))
        .await
        .as_deref(),
        Some("envelopes_not_exceeded")
    );

    // What is withdrawn is free for another.
    let taken = states.iter().position(|state| state == "accepted").unwrap();
    let waits = states.iter().position(|state| state == "proposed").unwrap();
    world
        .agent
        .act(&all[taken], "withdraw", json!({"reason": "Déjà acheté."}))
        .await
        .ok();
    assert_eq!(left(&world).await, (975_000, 15_000));
    world
        .camille
        .act(&all[waits], "accept", Value::Null)
        .await
        .ok();
    assert_eq!(left(&world).await, (990_000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_that_lowers_gives_back_the_difference() {
    let app = TestApp::new().await;
    let world = app.world().await;
    set(&world, 100_000).await.ok();
    let (mut path, money) = financed(&world, 60_000).await;
    pay(&world, &money, 25_000).await;
    assert_eq!(left(&world).await, (60_000, 40_000));

    let id = money.rsplit('/').next().unwrap();
    for amount in [40_001, 25_000, 90_000] {
        let before = left(&world).await;
        let reason = json!({"reason": "Autre prix."});
        let reply = world.agent.act(&path, "amend", reason).await;
        path = reply.header("location").to_owned();
        reply.created();
        let terms = json!({"new_terms": [{"commitment_id": id, "amount_cents": amount}]});
        world.agent.edit(&path, terms).await.ok();
        assert_eq!(left(&world).await, before, "until it is signed by all");
        sign(&world, &path).await;
        assert_eq!(left(&world).await, (amount, 100_000 - amount));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_termination_gives_back_what_is_unspent_when_it_takes_effect() {
    let app = TestApp::new().await;
    let world = app.world().await;
    set(&world, 100_000).await.ok();
    let (path, money) = financed(&world, 60_000).await;
    pay(&world, &money, 25_000).await;
    let ended = world
        .mayor
        .act(
            &path,
            "terminate",
            json!({"reason": "Le porteur déménage."}),
        )
        .await
        .ok();
    let last_day = ended["effective_on"].as_str().unwrap().to_owned();

    // Until its last day the commune pays what it owes.
    app.travel_to(&format!("{last_day}T20:00:00Z"));
    fifty_fifty::clockwork::turn(&app.state).await.unwrap();
    assert_eq!(left(&world).await, (60_000, 40_000));
    let late = json!({"done_on": last_day, "amount_cents": 5_000, "evidence": "Facture 13"});
    world
        .agent
        .post(&format!("{money}/fulfilments"), late)
        .await
        .created();
    app.travel_to(&format!("{last_day}T23:00:00Z"));
    for _ in 0..2 {
        fifty_fifty::clockwork::turn(&app.state).await.unwrap();
        assert_eq!(left(&world).await, (30_000, 70_000));
    }
    let money = world.camille.get(&money).await.ok();
    assert_eq!(money["state"], "unfulfilled");
    assert_eq!(money["reason"], "La convention est résiliée.");
}
