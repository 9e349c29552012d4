//! Webhooks: what changes is told to whom the commune names, signed, until it is received.

use std::time::Duration;

use fifty_fifty::webhooks::worker;
use reqwest::Method;
use serde_json::{Value, json};

use crate::initiatives::in_review;
use crate::receiver::{Manner, Received, Receiver};
use crate::support::app::{LOOS, World};
use crate::support::{Client, TestApp};

const WEBHOOKS: &str = "/v1/communes/62528/webhooks";

fn hook(url: &str, kinds: &[&str]) -> Value {
    json!({"url": url, "kinds": kinds})
}

/// A webhook to this receiver, with its path and its secret.
async fn webhook(world: &World, receiver: &Receiver, kinds: &[&str]) -> (String, String) {
    let reply = world
        .agent
        .post(WEBHOOKS, hook(&receiver.url(), kinds))
        .await;
    let path = reply.header("location").to_owned();
    let secret = reply.created()["secret"].as_str().unwrap().to_owned();
    (path, secret)
}

async fn measure(world: &World, value: u32) -> String {
    let path = format!("/v1/communes/{LOOS}/measures/associations/2024");
    let body = json!({"value": value.to_string(), "unit": "associations", "source": "Annuaire"});
    let reply = world.agent.put(&path, body.clone()).await;
    let reply = match reply.status.as_u16() {
        428 | 412 => world.agent.with("if-match", "*").put(&path, body).await,
        _ => reply,
    };
    reply.body["id"].as_str().unwrap().to_owned()
}

/// The deliveries of a webhook, the latest first, once this holds for them.
async fn deliveries(
    reader: &Client,
    webhook: &str,
    holds: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    let begin = std::time::Instant::now();
    loop {
        let page = reader
            .get(&format!("{webhook}/deliveries?limit=100"))
            .await
            .ok();
        let data = page["data"].as_array().unwrap();
        if holds(data) {
            return data.clone();
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{page:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn all(state: &'static str, count: usize) -> impl Fn(&[Value]) -> bool {
    move |deliveries| deliveries.len() == count && deliveries.iter().all(|it| it["state"] == state)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_town_hall_looks_after_its_webhooks() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let good = hook(
        "https://partner.example/hook",
        &["measure", "initiative", "measure"],
    );
    world
        .anyone
        .post(WEBHOOKS, good.clone())
        .await
        .problem(401, "unauthorized");
    for refused in [&world.camille, &world.admin, &world.foreign_agent] {
        refused
            .post(WEBHOOKS, good.clone())
            .await
            .problem(403, "forbidden");
        refused.get(WEBHOOKS).await.problem(403, "forbidden");
    }
    for url in [
        "http://partner.example/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/latest",
        "https://me:word@partner.example/hook",
        "https://partner.example:99999/",
    ] {
        let reply = world.agent.post(WEBHOOKS, hook(url, &["measure"])).await;
        assert_eq!(reply.pointers(), ["#/url"], "{url}");
        reply.problem(422, "invalid_body");
    }
    for kinds in [json!([]), json!(["user"]), json!(null)] {
        let body = json!({"url": "https://partner.example/hook", "kinds": kinds});
        world
            .agent
            .post(WEBHOOKS, body)
            .await
            .problem(422, "invalid_body");
    }
    let reply = world.agent.post(WEBHOOKS, good).await;
    let path = reply.header("location").to_owned();
    let made = reply.created();
    assert_eq!(made["kinds"], json!(["initiative", "measure"]));
    let first = made["secret"].as_str().unwrap().to_owned();

    // Shown once.
    let read = world.mayor.get(&path).await;
    assert!(!read.text.contains(&first[6..]));
    assert_eq!(read.ok()["secret"], json!(null));
    assert!(!world.agent.get(WEBHOOKS).await.text.contains(&first[6..]));
    for stranger in [&world.camille, &world.admin, &world.foreign_mayor] {
        stranger.get(&path).await.problem(404, "not_found");
        let history = format!("{path}/history");
        stranger.get(&history).await.problem(404, "not_found");
        stranger
            .edit(&path, json!({"state": "disabled"}))
            .await
            .problem(404, "not_found");
    }
    let rotated = world
        .mayor
        .act(&path, "rotate_secret", json!(null))
        .await
        .ok();
    assert_ne!(rotated["secret"], json!(first));
    assert_eq!(rotated["previous_secret_until"], "2026-06-16T10:00:00Z");

    let off = world
        .agent
        .edit(&path, json!({"state": "disabled"}))
        .await
        .ok();
    assert_eq!(off["disabled_by"], "by_hand");
    let back =
        json!({"state": "active", "url": "https://other.example/", "description": "Le site"});
    let on = world.agent.edit(&path, back).await.ok();
    assert_eq!(
        (&on["disabled_by"], &on["url"]),
        (&json!(null), &json!("https://other.example/"))
    );
    let wrong = world
        .agent
        .edit(&path, json!({"url": "http://other.example/"}))
        .await;
    assert_eq!(wrong.pointers(), ["#/url"]);

    for _ in 1..20 {
        let more = hook("https://partner.example/hook", &["meeting"]);
        world.agent.post(WEBHOOKS, more).await.created();
    }
    let one_too_many = hook("https://partner.example/hook", &["meeting"]);
    world
        .agent
        .post(WEBHOOKS, one_too_many)
        .await
        .problem(409, "requirement_missing");
    let delivery = world
        .agent
        .send(Method::POST, &format!("{path}/ping"), None)
        .await;
    let delivery_path = delivery.header("location").to_owned();
    delivery.created();
    for stranger in [&world.camille, &world.admin, &world.foreign_mayor] {
        stranger.get(&delivery_path).await.problem(404, "not_found");
        let replay = format!("{delivery_path}/replay");
        stranger
            .send(Method::POST, &replay, None)
            .await
            .problem(404, "not_found");
    }
    let agent = world.agent.with("if-match", "*");
    agent.delete(&path).await.expect(204);
    agent.get(&path).await.problem(404, "not_found");
    agent.get(&delivery_path).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_signed_and_as_everybody_may_read_it() {
    let app = TestApp::sending_webhooks(true).await;
    let world = app.world().await;
    let receiver = Receiver::new(|_| Manner::Takes).await;
    // What was before is not told.
    measure(&world, 72).await;
    let (path, secret) = webhook(&world, &receiver, &["measure", "initiative", "meeting"]).await;
    let worker = tokio::spawn(worker::run(app.state.clone()));
    let id = measure(&world, 73).await;
    let initiative = in_review(&world).await;
    let ping = world
        .agent
        .send(Method::POST, &format!("{path}/ping"), None)
        .await;
    let ping = ping.created();
    deliveries(&world.agent, &path, all("delivered", 3)).await;
    let received = receiver.received();
    let of = |kind: &str| -> Received {
        let mut found = received.iter().filter(|it| it.body["type"] == kind);
        let first = found
            .next()
            .unwrap_or_else(|| panic!("{kind} in {received:#?}"));
        assert!(found.next().is_none(), "{kind} came twice");
        first.clone()
    };
    for request in &received {
        assert!(request.is_signed_with(&secret));
        assert!(!request.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    }
    assert_eq!(of("ping").id, ping["id"].as_str().unwrap());
    let updated = of("measure.updated").body;
    assert_eq!(updated["data"]["id"], json!(id));
    let feed = world
        .anyone
        .get("/v1/changes?kind=measure&limit=100")
        .await
        .ok();
    assert_eq!(updated["data"], feed["data"][1], "the same as in the feed");
    assert_eq!(updated["timestamp"], updated["data"]["at"]);
    assert_eq!(
        of("initiative.created").body["data"]["resource"]["state"],
        "in_review"
    );

    // Both secrets for a day, then the new one.
    let rotated = world
        .agent
        .act(&path, "rotate_secret", json!(null))
        .await
        .ok();
    let new = rotated["secret"].as_str().unwrap().to_owned();
    measure(&world, 74).await;
    deliveries(&world.agent, &path, all("delivered", 4)).await;
    let both = receiver.received().pop().unwrap();
    assert!(both.is_signed_with(&secret) && both.is_signed_with(&new));
    app.travel_to("2026-06-16T10:00:01Z");
    measure(&world, 75).await;
    deliveries(&world.agent, &path, all("delivered", 5)).await;
    let one = receiver.received().pop().unwrap();
    assert!(!one.is_signed_with(&secret) && one.is_signed_with(&new));

    // Disabled, it misses nothing; and what is taken back meanwhile is not told any more.
    world
        .agent
        .edit(&path, json!({"state": "disabled"}))
        .await
        .ok();
    let meeting = json!({"title": "Autour des chemins", "held_on": "2026-06-10",
        "initiative_id": initiative.rsplit('/').next()});
    let meetings = format!("/v1/communes/{LOOS}/meetings");
    world.agent.post(&meetings, meeting).await.created();
    let reason = json!({"reason": "Le voisin est nommé."});
    world.agent.act(&initiative, "unpublish", reason).await.ok();
    let before = receiver.received().len();
    world
        .agent
        .edit(&path, json!({"state": "active"}))
        .await
        .ok();
    let after = deliveries(&world.agent, &path, |deliveries| {
        deliveries.len() == 8 && deliveries.iter().all(|it| it["state"] != "pending")
    })
    .await;
    let voids = after.iter().filter(|it| it["state"] == "void").count();
    assert_eq!(
        voids, 1,
        "the meeting that became public and is not: {after:#?}"
    );
    let rest: Vec<Received> = receiver.received().split_off(before);
    for request in &rest {
        assert!(request.body["type"].as_str().unwrap().ends_with(".removed"));
        assert!(!request.text.contains("chemins"), "{}", request.text);
    }
    assert_eq!(rest.len(), 2);
    worker.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_received_is_sent_again() {
    let app = TestApp::sending_webhooks(true).await;
    let world = app.world().await;
    let receiver = Receiver::new(|_| Manner::Answers(500)).await;
    let (path, _) = webhook(&world, &receiver, &["measure"]).await;
    let worker = tokio::spawn(worker::run(app.state.clone()));
    measure(&world, 73).await;
    let attempted = |times: i64, fault: &'static str| {
        move |deliveries: &[Value]| {
            deliveries.len() == 1
                && deliveries[0]["attempts"] == times
                && deliveries[0]["last_fault"] == fault
        }
    };
    let first = deliveries(&world.agent, &path, attempted(1, "status")).await;
    assert_eq!(
        (&first[0]["state"], &first[0]["last_status"]),
        (&json!("pending"), &json!(500))
    );
    let next: chrono::DateTime<chrono::Utc> = first[0]["next_attempt_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let pause = next - app.state.clock.now();
    assert!((4..=6).contains(&pause.num_seconds()), "{pause}");
    assert_eq!(
        world.agent.get(&path).await.ok()["failing_since"],
        "2026-06-15T10:00:00Z"
    );

    // Redirects are not followed, silence is not waited for, a gigabyte is not read.
    receiver.now(|_| Manner::Answers(307));
    app.travel_to("2026-06-15T10:00:10Z");
    let second = deliveries(&world.agent, &path, attempted(2, "status")).await;
    assert_eq!(second[0]["last_status"], 307);
    receiver.now(|_| Manner::Hangs);
    app.travel_to("2026-06-15T10:01:00Z");
    deliveries(&world.agent, &path, attempted(3, "timeout")).await;
    receiver.now(|_| Manner::Floods);
    app.travel_to("2026-06-15T10:05:00Z");
    let last = deliveries(&world.agent, &path, all("delivered", 1)).await;
    assert_eq!(last[0]["attempts"], 4);
    assert_eq!(
        world.agent.get(&path).await.ok()["failing_since"],
        json!(null)
    );
    let ids: Vec<String> = receiver.received().into_iter().map(|it| it.id).collect();
    assert_eq!(
        ids,
        vec![last[0]["id"].as_str().unwrap(); 4],
        "the id stays"
    );

    // Again by hand, with the same id.
    receiver.now(|_| Manner::Takes);
    let delivery = format!("/v1/webhook-deliveries/{}", ids[0]);
    let replay = world
        .agent
        .send(Method::POST, &format!("{delivery}/replay"), None)
        .await;
    assert_eq!(replay.ok()["state"], "pending");
    deliveries(&world.agent, &path, all("delivered", 1)).await;
    assert_eq!(receiver.received().pop().unwrap().id, ids[0]);

    // Ten attempts are all; after five days of failures it is over for the webhook too.
    receiver.now(|_| Manner::Answers(503));
    measure(&world, 74).await;
    for round in 1..=10 {
        let seen = deliveries(&world.agent, &path, |them| {
            them[0]["attempts"] == round && them[0]["last_fault"] == "status"
        })
        .await;
        if round < 10 {
            app.travel_to(seen[0]["next_attempt_at"].as_str().unwrap());
        } else {
            assert_eq!(seen[0]["state"], "failed");
        }
    }
    app.travel_to("2026-06-21T10:00:00Z");
    assert_eq!(world.agent.get(&path).await.ok()["state"], "active");
    measure(&world, 75).await;
    deliveries(&world.agent, &path, |them| {
        them.len() == 3 && them[0]["attempts"] == 1 && them[0]["last_fault"] == "status"
    })
    .await;
    let off = world.agent.get(&path).await.ok();
    assert_eq!(
        (&off["state"], &off["disabled_by"]),
        (&json!("disabled"), &json!("failing"))
    );
    let history = world.mayor.get(&format!("{path}/history")).await.ok();
    let notice = history["data"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&notice["actor_role"], &notice["to_state"]),
        (&json!("clock"), &json!("disabled"))
    );
    // Repaired, it is told what it has missed.
    measure(&world, 76).await;
    receiver.now(|_| Manner::Takes);
    world
        .agent
        .edit(&path, json!({"state": "active"}))
        .await
        .ok();
    app.travel_to("2026-06-21T10:01:00Z");
    deliveries(&world.agent, &path, |them| {
        them.len() == 4 && them[..2].iter().all(|it| it["state"] == "delivered")
    })
    .await;
    worker.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_goes_into_the_house() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let receiver = Receiver::new(|_| Manner::Takes).await;
    // A name says nothing of its address: that is looked at when the connection is made.
    let url = format!("https://localhost:{}/hook", receiver.port);
    let reply = world.agent.post(WEBHOOKS, hook(&url, &["measure"])).await;
    let path = reply.header("location").to_owned();
    reply.created();
    let ping = format!("{path}/ping");
    world.agent.send(Method::POST, &ping, None).await.created();
    // And of one that was written here before the rules were as they are.
    let reply = world
        .agent
        .post(WEBHOOKS, hook("https://partner.example/", &["measure"]))
        .await;
    let old = reply.header("location").to_owned();
    reply.created();
    app.write_rows(&format!(
        "UPDATE webhooks SET url = 'https://127.0.0.1:{}/' WHERE url = 'https://partner.example/'",
        receiver.port
    ))
    .await;
    world
        .agent
        .send(Method::POST, &format!("{old}/ping"), None)
        .await
        .created();
    let worker = tokio::spawn(worker::run(app.state.clone()));
    for path in [path, old] {
        let refused = deliveries(&world.agent, &path, |them| {
            them[0]["last_fault"] != json!(null)
        })
        .await;
        assert_eq!(refused[0]["last_fault"], "address");
    }
    assert!(receiver.received().is_empty());
    worker.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_webhooks_whole() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let good = hook("https://partner.example/", &["measure"]);
    let made = world.agent.post(WEBHOOKS, good).await.created();
    let id = made["id"].as_str().unwrap();
    measure(&world, 73).await;
    world.anyone.get("/v1/changes").await.ok();
    let (other, third) = (app.row_id(LOOS), app.row_id(LOOS));
    let delivery = |id: &uuid::Uuid, commune: &str, state: &str, next: &str| {
        format!(
            "INSERT INTO webhook_deliveries (id, commune_code, webhook_id, change_position, state, attempts, next_attempt_at, \
             created_at) SELECT '{id}', '{commune}', '{webhook}', max(position), '{state}', 0, {next}, now() FROM changes",
            webhook = made["id"].as_str().unwrap()
        )
    };
    let twice = format!(
        "{}; {}",
        delivery(&other, LOOS, "pending", "now()"),
        delivery(&third, LOOS, "pending", "now()")
    );
    for (attack, refusal) in [
        (
            "UPDATE webhooks SET kinds = '{user}'".to_owned(),
            "webhooks_kinds",
        ),
        (
            "UPDATE webhooks SET kinds = '{}'".to_owned(),
            "webhooks_kinds",
        ),
        (
            "UPDATE webhooks SET state = 'disabled'".to_owned(),
            "webhooks_disabled_whole",
        ),
        (
            "UPDATE webhooks SET secret = 'whsec_x'".to_owned(),
            "webhooks_secret",
        ),
        (
            "UPDATE webhooks SET previous_secret = secret".to_owned(),
            "webhooks_previous_whole",
        ),
        (
            "UPDATE webhooks SET state = 'asleep'".to_owned(),
            "webhooks_state",
        ),
        (
            format!("UPDATE webhooks SET commune_code = '62498' WHERE id = '{id}'"),
            "webhooks_id_carries_commune",
        ),
        (
            delivery(&other, "62498", "pending", "now()"),
            "webhook_deliveries_id_carries_commune",
        ),
        (
            delivery(&other, LOOS, "pending", "NULL"),
            "webhook_deliveries_pending_are_due",
        ),
        (
            delivery(&other, LOOS, "delivered", "now()"),
            "webhook_deliveries_pending_are_due",
        ),
        (
            delivery(&other, LOOS, "lost", "NULL"),
            "webhook_deliveries_state",
        ),
        (twice, "webhook_deliveries_once"),
    ] {
        assert_eq!(
            app.attack(&attack).await.as_deref(),
            Some(refusal),
            "{attack}"
        );
    }
}
