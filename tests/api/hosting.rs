//! A group without legal personality and an association that receives the money and signs for it: three parties.

use serde_json::json;

use crate::authorities::{deliberation, recorded};
use crate::conventions::{mandate_of, signing, upkeep};
use crate::initiatives::{association, idea};
use crate::support::TestApp;
use crate::support::app::{LOOS, World};

/// An initiative of Camille's collective, accepted, and with this host.
async fn accepted(world: &World, collective: &str, host: Option<&str>) -> String {
    let mut body = idea(collective);
    body["submit"] = json!(true);
    if let Some(host) = host {
        body["host_id"] = json!(host);
    }
    let made = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
        .await
        .created();
    let path = format!("/v1/initiatives/{}", made["id"].as_str().unwrap());
    world.agent.act(&path, "start_review", json!({})).await.ok();
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    world.agent.act(&path, "give_opinion", opinion).await.ok();
    let yes = json!({"reason": "Utile à tous."});
    world.official.act(&path, "accept", yes).await.ok();
    path
}

/// A subsidy that the agent puts on the table; its path.
async fn subsidy(world: &World, initiative: &str) -> String {
    let subsidy = json!({"side": "commune", "kind": "financial", "title": "Aide au projet", "route": "subsidy",
        "amount_cents": 150_000, "budget_year": 2026, "due_on": "2026-09-01"});
    let reply = world
        .agent
        .post(&format!("{initiative}/commitments"), subsidy)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_organisation_receives_the_subsidy_and_signs_as_the_third_party() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let collective = json!({"kind": "collective", "name": "Les voisins"});
    let collective = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/holders"), collective)
        .await
        .created();
    let collective = collective["id"].as_str().unwrap();
    let host = association(&world.dominique, "La maison des associations").await;
    let envelope = format!("/v1/communes/{LOOS}/envelopes/2026");
    let mayor = world.mayor.with("if-match", "*");
    mayor
        .put(&envelope, json!({"amount_cents": 500_000}))
        .await
        .ok();

    // A host is a legal person.
    let other = json!({"kind": "collective", "name": "D'autres voisins"});
    let other = world
        .dominique
        .post(&format!("/v1/communes/{LOOS}/holders"), other)
        .await
        .created();
    let mut body = idea(collective);
    body["host_id"] = other["id"].clone();
    let refused = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
        .await;
    assert_eq!(refused.pointers(), ["#/host_id"]);
    refused.problem(422, "invalid_body");

    // Without a host nobody can receive the subsidy.
    let alone = accepted(&world, collective, None).await;
    let money = subsidy(&world, &alone).await;
    world
        .camille
        .act(&money, "accept", json!(null))
        .await
        .problem(409, "requirement_missing");

    let initiative = accepted(&world, collective, Some(&host)).await;
    let seen = world.dominique.get(&initiative).await.ok();
    assert_eq!(seen["host"]["name"], "La maison des associations");
    let money = subsidy(&world, &initiative).await;
    world.camille.act(&money, "accept", json!(null)).await.ok();
    // The host owes something too, and says so itself.
    let premises = json!({"side": "host", "kind": "premises", "title": "Salle et comptabilité", "due_on": "2026-12-31",
        "valuation": {"quantity": "12", "unit": "mois", "unit_value_cents": 5_000, "method": "replacement_cost"}});
    for (proposer, commitment) in [(&world.dominique, premises), (&world.camille, upkeep())] {
        let reply = proposer
            .post(&format!("{initiative}/commitments"), commitment)
            .await;
        let path = reply.header("location").to_owned();
        reply.created();
        world.agent.act(&path, "accept", json!(null)).await.ok();
    }

    let terms = json!({"object": "Embellir la rue", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
    "authority_id": recorded(&world, deliberation("2026-042")).await,
    "parties": {
        "commune": {"mandate_id": mandate_of(&world, &world.mayor).await},
        "holder": {"user_id": world.camille.id(), "capacity": "Voisine"},
    }});
    let drafted = world
        .agent
        .post(&format!("{initiative}/conventions"), terms)
        .await
        .created();
    let path = format!("/v1/conventions/{}", drafted["id"].as_str().unwrap());
    // Whoever names no signatory of the host is told so.
    let opening = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await;
    assert_eq!(opening.pointers(), ["#/parties/host"]);
    let named =
        json!({"parties": {"host": {"user_id": world.dominique.id(), "capacity": "Président"}}});
    let agent = world.agent.with("if-match", "*");
    agent.patch(&path, named).await.ok();
    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    let content = world.dominique.get(&format!("{path}/content")).await.ok();
    let parties: Vec<_> = content["parties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| party["party"].as_str().unwrap())
        .collect();
    assert_eq!(parties, ["commune", "holder", "host"]);

    // Two of three are not enough; the third makes it active.
    let sign = format!("{path}/sign");
    for signatory in [&world.mayor, &world.camille] {
        let seen = signatory.post(&sign, signing(hash)).await.ok();
        assert_eq!(seen["state"], "open_for_signature");
    }
    let signed = world.dominique.post(&sign, signing(hash)).await.ok();
    assert_eq!(signed["state"], "active");
    assert_eq!(signed["balance"]["host"]["promised_cents"], 60_000);
    assert_eq!(signed["balance"]["commune"]["promised_cents"], 150_000);
    let public = world.anyone.get(&path).await.ok();
    assert_eq!(public["host"]["name"], "La maison des associations");
}
