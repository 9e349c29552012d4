//! Who comes back with a tag is told that nothing has changed without the whole being read, and everything that the
//! public sees changes the tag.

use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use serde_json::json;

use crate::conventions::active;
use crate::support::TestApp;
use crate::support::app::World;
use crate::support::client::Reply;

/// Reads again with the tag of the first answer.
async fn again(world: &World, path: &str, first: &Reply) -> Reply {
    let reader = world.anyone.with("if-none-match", first.header("etag"));
    let answer = reader.get(path);
    tokio::time::timeout(Duration::from_secs(5), answer)
        .await
        .unwrap_or_else(|_| panic!("{path} waits for what it need not read"))
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_is_said_without_reading_the_whole() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, convention) = active(&world).await;
    let paths = [
        initiative,
        convention.clone(),
        format!("{convention}/content"),
        format!("{convention}/document.html"),
        format!("{convention}/document.pdf"),
    ];
    let mut first = Vec::new();
    for path in &paths {
        first.push(world.anyone.get(path).await);
    }
    // Nobody reads these tables now: whoever tries waits.
    let mut holding = app.database().await;
    let lock = "BEGIN; LOCK TABLE opinions, decisions, commitments, convention_commitments, convention_parties, fulfilments,
        signatures, identities, convention_templates IN ACCESS EXCLUSIVE MODE";
    holding.batch_execute(lock).await.unwrap();
    for (path, first) in paths.iter().zip(&first) {
        assert_eq!(first.status, 200, "{path}");
        let same = again(&world, path, first).await;
        assert_eq!(
            (same.status.as_u16(), same.text.as_str()),
            (304, ""),
            "{path}"
        );
        for name in ["etag", "cache-control", "vary"] {
            assert_eq!(same.header(name), first.header(name), "{path} {name}");
        }
    }
    holding.batch_execute("ROLLBACK").await.unwrap();
    // What is hidden again is not confirmed to those who once saw it.
    let hidden = json!({"reason": "Une plainte est examinée."});
    world.agent.act(&paths[0], "unpublish", hidden).await.ok();
    for (path, first) in paths.iter().zip(&first) {
        again(&world, path, first).await.problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_everybody_sees_changes_the_tag() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, convention) = active(&world).await;
    let holder = world.anyone.get(&initiative).await.ok()["holder"]["id"].clone();
    let holder = format!("/v1/holders/{}", holder.as_str().unwrap());

    let first = world.anyone.get(&initiative).await;
    world
        .dominique
        .put(&format!("{initiative}/endorsement"), json!({}))
        .await;
    let second = again(&world, &initiative, &first).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.body, first.body);

    let seen = world.anyone.get(&convention).await;
    let name = json!({"name": "Les Jardins réunis"});
    world.camille.edit(&holder, name).await.ok();
    for (path, before) in [(&initiative, &second), (&convention, &seen)] {
        let after = again(&world, path, before).await.ok();
        assert_eq!(after["holder"]["name"], "Les Jardins réunis", "{path}");
    }

    let seen = world.anyone.get(&convention).await;
    let list = world
        .anyone
        .get(&format!("{initiative}/commitments"))
        .await
        .ok();
    let planters = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["side"] == "commune")
        .unwrap();
    let planters = format!(
        "/v1/commitments/{}/fulfilments",
        planters["id"].as_str().unwrap()
    );
    let done =
        json!({"done_on": "2026-06-15", "quantity": "8", "evidence": "Bon de livraison 12."});
    let made = world.agent.post(&planters, done).await;
    let fulfilment = made.header("location").to_owned();
    made.created();
    world
        .camille
        .act(&fulfilment, "acknowledge", json!(null))
        .await
        .ok();
    let after = again(&world, &convention, &seen).await.ok();
    assert_ne!(after["balance"], seen.body["balance"]);
    // The paper says what was signed, and nothing of that changed.
    let paper = format!("{convention}/document.html");
    let page = world.anyone.get(&paper).await;
    assert_eq!(again(&world, &paper, &page).await.status, 304);
    world
        .mayor
        .act(
            &convention,
            "suspend",
            json!({"reason": "Travaux de voirie."}),
        )
        .await
        .ok();
    let rests = again(&world, &convention, &seen).await.ok();
    assert_eq!(rests["state"], "suspended");
}
