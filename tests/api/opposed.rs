//! Two people who do opposite things at the same moment, fifty rounds each: one wins, the other is told so, and the history
//! has one line of it.

use serde_json::{Value, json};

use crate::conventions::{active, opened, planters, signing};
use crate::initiatives::in_review;
use crate::support::TestApp;
use crate::support::app::World;
use crate::support::client::Reply;

const ROUNDS: usize = 50;

/// One of the two has won, the other heard of it with 409; these actions stand once in the history of the resource.
/// Returns whether the first one won.
async fn one_won(
    world: &World,
    resource: &str,
    (first, second): (Reply, Reply),
    actions: [&str; 2],
) -> bool {
    let won = first.status == 200;
    let mut answers = [first.status.as_u16(), second.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [200, 409], "{} {}", first.text, second.text);
    let loser = if won { second } else { first };
    assert!(loser.problem(409, "wrong_state")["state"].is_string());
    let history = world
        .agent
        .get(&format!("{resource}/history?limit=100"))
        .await
        .ok();
    let count = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| actions.contains(&entry["action"].as_str().unwrap()))
        .count();
    assert_eq!(count, 1, "{history}");
    won
}

fn reason() -> Value {
    json!({"reason": "Il le faut."})
}

#[tokio::test(flavor = "multi_thread")]
async fn accept_and_refuse() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for _ in 0..ROUNDS {
        let path = in_review(&world).await;
        let opinion = json!({"outcome": "favourable", "text": "Faisable."});
        world.agent.act(&path, "give_opinion", opinion).await.ok();
        let both = tokio::join!(
            world.mayor.act(&path, "accept", reason()),
            world.official.act(&path, "refuse", reason()),
        );
        let accepted = one_won(&world, &path, both, ["accept", "refuse"]).await;
        let state = world.anyone.get(&path).await.ok()["state"].clone();
        assert_eq!(state, if accepted { "accepted" } else { "refused" });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_signature_and_reopen() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for _ in 0..ROUNDS {
        let (_, path, hash) = opened(&world).await;
        let sign = signing(&hash);
        world.camille.act(&path, "sign", sign.clone()).await.ok();
        let both = tokio::join!(
            world.mayor.act(&path, "sign", sign),
            world.agent.act(&path, "reopen", reason()),
        );
        let signed = both.0.status == 200;
        // The signature of Camille is in the history whoever wins.
        let history = if signed { "reopen" } else { "sign" };
        let mut answers = [both.0.status.as_u16(), both.1.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [200, 409], "{} {}", both.0.text, both.1.text);
        let lines = world.agent.get(&format!("{path}/history")).await.ok();
        let count = lines["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["action"] == history)
            .count();
        assert_eq!(count, usize::from(!signed), "{lines}");
        let now = world.camille.get(&path).await.ok();
        let signatures = now["parties"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|party| party["signed"] == true)
            .count();
        let expected = if signed { ("active", 2) } else { ("draft", 0) };
        assert_eq!((now["state"].as_str().unwrap(), signatures), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terminate_and_the_last_signature_of_an_amendment() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for _ in 0..ROUNDS {
        let (_, old) = active(&world).await;
        let amended = world.agent.act(&old, "amend", reason()).await;
        let new = amended.header("location").to_owned();
        amended.created();
        let open = world
            .agent
            .act(&new, "open_for_signature", json!(null))
            .await
            .ok();
        let sign = signing(open["content_sha256"].as_str().unwrap());
        world.camille.act(&new, "sign", sign.clone()).await.ok();
        let (ended, signed) = tokio::join!(
            world.official.act(&old, "terminate", reason()),
            world.mayor.act(&new, "sign", sign),
        );
        let mut answers = [ended.status.as_u16(), signed.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [200, 409], "{} {}", ended.text, signed.text);
        let state = async |path: &str| world.agent.get(path).await.ok()["state"].clone();
        let now = (state(&old).await, state(&new).await);
        let expected = if ended.status == 200 {
            (json!("terminated"), json!("cancelled"))
        } else {
            (json!("superseded"), json!("active"))
        };
        assert_eq!(now, expected);
        let lines = world
            .agent
            .get(&format!("{old}/history?limit=100"))
            .await
            .ok();
        let ends = lines["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| {
                let to = entry["to_state"].as_str();
                matches!(to, Some("terminated" | "superseded"))
            })
            .count();
        assert_eq!(ends, 1, "{lines}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledge_and_dispute() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for _ in 0..ROUNDS {
        let (initiative, _) = active(&world).await;
        let columns = world
            .agent
            .get(&format!("{initiative}/commitments"))
            .await
            .ok();
        let title = planters()["title"].clone();
        let columns = columns["data"].as_array().unwrap();
        let promise = columns.iter().find(|one| one["title"] == title).unwrap();
        let promise = format!("/v1/commitments/{}", promise["id"].as_str().unwrap());
        let done =
            json!({"done_on": "2026-06-15", "quantity": "8", "evidence": "Bon de livraison"});
        let made = world
            .agent
            .post(&format!("{promise}/fulfilments"), done)
            .await;
        let path = made.header("location").to_owned();
        made.created();
        // The same person in two windows.
        let (yes, no) = tokio::join!(
            world.camille.act(&path, "acknowledge", json!(null)),
            world.camille.act(&path, "dispute", reason()),
        );
        let mut answers = [yes.status.as_u16(), no.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [200, 409], "{} {}", yes.text, no.text);
        let acknowledged = yes.status == 200;
        let state = if acknowledged {
            "acknowledged"
        } else {
            "disputed"
        };
        assert_eq!(world.camille.get(&path).await.ok()["state"], state);
        let progress = world.camille.get(&promise).await.ok()["progress"].clone();
        assert_eq!(progress, if acknowledged { "1.00" } else { "0.00" });
        let lines = world
            .agent
            .get(&format!("{initiative}/history?limit=100"))
            .await
            .ok();
        let answers = lines["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| {
                entry["subject"] == "fulfilment"
                    && matches!(entry["action"].as_str(), Some("acknowledge" | "dispute"))
            })
            .count();
        assert_eq!(answers, 1, "{lines}");
    }
}
