//! Upkeep that somebody else takes over.

use serde_json::{Value, json};

use crate::commitments::{bound, of_holder};
use crate::conventions::planters;
use crate::documents::{PRESENCE, attaching};
use crate::initiatives::{association, siret};
use crate::support::app::{LOOS, World};
use crate::support::client::Reply;
use crate::support::{Client, TestApp};

fn upkeep() -> Value {
    of_holder(
        "Arrosage",
        json!({"upkeep": {"starts_on": "2026-06-15", "ends_on": "2028-06-14"}}),
    )
}

async fn offer(who: &Client, upkeep: &str, holder: &str, starts_on: &str) -> Reply {
    let body = json!({"holder_id": holder, "starts_on": starts_on, "reason": "Nous déménageons."});
    who.post(&format!("{upkeep}/hand_overs"), body).await
}

/// An upkeep of Camille's association, and another association, which Dominique leads.
async fn both(world: &World) -> (String, String) {
    let (_, _, paths) = bound(world, vec![upkeep(), planters()]).await;
    let successor = association(&world.dominique, "Les jardiniers de la cité").await;
    (paths[0].clone(), successor)
}

async fn record(who: &Client, upkeep: &str, day: &str) -> Reply {
    let done = json!({"done_on": day, "quantity": "1", "evidence": "Carnet"});
    who.post(&format!("{upkeep}/fulfilments"), done).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_an_upkeep_over_owes_it_from_that_day_on() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (camille, dominique) = (&world.camille, &world.dominique);
    let (path, successor) = both(&world).await;
    let convention = {
        let initiative = camille.get(&path).await.ok()["initiative_id"].clone();
        let list = camille
            .get(&format!(
                "/v1/initiatives/{}/conventions",
                initiative.as_str().unwrap()
            ))
            .await
            .ok();
        format!(
            "/v1/conventions/{}",
            list["data"][0]["id"].as_str().unwrap()
        )
    };
    let signed = world
        .anyone
        .get(&format!("{convention}/content"))
        .await
        .ok();

    // The side that owes offers it, within its time, to somebody else.
    for refused in [dominique, &world.agent, &world.mayor] {
        offer(refused, &path, &successor, "2026-07-01")
            .await
            .problem(403, "forbidden");
    }
    for (holder, day, pointer) in [
        (successor.as_str(), "2026-06-14", "#/starts_on"),
        (successor.as_str(), "2028-06-15", "#/starts_on"),
        (
            "019b1f2e-7c00-8d24-8f04-6b1f4a3c9d10",
            "2026-07-01",
            "#/holder_id",
        ),
    ] {
        let reply = offer(camille, &path, holder, day).await;
        assert_eq!(reply.pointers(), [pointer], "{}", reply.text);
    }
    let reply = offer(camille, &path, &successor, "2026-07-01").await;
    let offered = reply.header("location").to_owned();
    reply.created();
    offer(camille, &path, &successor, "2026-07-01")
        .await
        .problem(409, "already_exists");

    // It waits for the one who is asked.
    for (person, count) in [(dominique, 1), (camille, 0), (&world.agent, 0)] {
        let list = format!(
            "/v1/communes/{LOOS}/worklist?kind=take_over&person={}",
            person.id()
        );
        let list = world.agent.get(&list).await.ok();
        let items = list["data"].as_array().unwrap();
        assert_eq!(items.len(), count, "{list}");
        assert!(items.iter().all(|item| item["commitment"] == "Arrosage"));
    }
    let mine = format!("/v1/communes/{LOOS}/worklist?person={}", dominique.id());
    let items = dominique.get(&mine).await.ok();
    assert_eq!(items["data"][0]["kind"], "take_over");
    camille.get(&mine).await.problem(403, "forbidden");
    // Those whom it concerns see it.
    world.anyone.get(&offered).await.problem(404, "not_found");
    assert_eq!(
        dominique.get(&offered).await.ok()["allowed_actions"],
        json!(["accept", "refuse"])
    );
    assert_eq!(
        camille.get(&offered).await.ok()["allowed_actions"],
        json!(["withdraw"])
    );
    for refused in [camille, &world.agent, &world.mayor] {
        refused
            .act(&offered, "accept", Value::Null)
            .await
            .problem(403, "forbidden");
    }
    dominique.act(&offered, "accept", Value::Null).await.ok();
    dominique
        .act(&offered, "accept", Value::Null)
        .await
        .problem(409, "wrong_state");
    let public = world.anyone.get(&offered).await.ok();
    assert_eq!(public["reason"], Value::Null);
    assert_eq!(public["holder"]["name"], "Les jardiniers de la cité");

    // Until its day nothing changes.
    assert_eq!(camille.get(&path).await.ok()["kept_by"], Value::Null);
    let day = "2026-06-15";
    record(dominique, &path, day)
        .await
        .problem(403, "forbidden");
    record(camille, &path, day).await.created();
    app.travel_to("2026-06-30T21:59:59Z");
    record(camille, &path, "2026-06-30").await.created();
    app.travel_to("2026-06-30T22:00:00Z");
    assert_eq!(camille.get(&path).await.ok()["kept_by"], json!(successor));
    // Each says what they did while they owed it.
    let day = "2026-07-01";
    record(camille, &path, day).await.problem(403, "forbidden");
    record(dominique, &path, "2026-06-30")
        .await
        .problem(403, "forbidden");
    record(camille, &path, "2026-06-30").await.created();
    let made = record(dominique, &path, day).await.created();
    let made = format!("/v1/fulfilments/{}", made["id"].as_str().unwrap());
    // Who keeps it proves what they did, and reads what they sent.
    let id = made.rsplit('/').next().unwrap();
    let initiative = camille.get(&path).await.ok()["initiative_id"].clone();
    let initiative = format!("/v1/initiatives/{}", initiative.as_str().unwrap());
    let anything = attaching(&initiative);
    let proof = format!("{anything}&fulfilment={id}");
    let proof = dominique.upload(&proof, PRESENCE).await.created();
    let listed = format!("{initiative}/documents?fulfilment={id}");
    let seen = dominique.get(&listed).await.ok();
    assert_eq!(seen["data"][0]["id"], proof["id"]);
    dominique
        .upload(&anything, PRESENCE)
        .await
        .problem(403, "forbidden");
    dominique
        .act(&made, "acknowledge", Value::Null)
        .await
        .problem(403, "forbidden");
    world
        .agent
        .act(&made, "acknowledge", Value::Null)
        .await
        .ok();
    let mine = record(dominique, &path, day).await.created();
    let mine = format!("/v1/fulfilments/{}", mine["id"].as_str().unwrap());
    dominique.act(&mine, "withdraw", Value::Null).await.ok();

    // Wherever it is listed, each is offered what they may do.
    let listed = async |who: &Client| {
        let held = who.get(&convention).await.ok();
        let all = held["commitments"].as_array().unwrap().clone();
        let one = all.iter().find(|one| one["side"] == "holder").unwrap();
        let actions = one["allowed_actions"].as_array().unwrap();
        ["record_fulfilment", "end_upkeep", "hand_over"]
            .map(|action| actions.contains(&json!(action)))
    };
    assert_eq!(listed(camille).await, [false; 3]);
    assert_eq!(listed(dominique).await, [true; 3]);
    let own = dominique.get(&path).await.ok();
    assert!(
        own["allowed_actions"]
            .as_array()
            .unwrap()
            .contains(&json!("end_upkeep"))
    );

    // What was signed is what it was; nobody of either body acts for the commune.
    assert_eq!(
        world
            .anyone
            .get(&format!("{convention}/content"))
            .await
            .ok(),
        signed
    );
    let proof = world
        .anyone
        .get(&format!("{convention}/verification"))
        .await
        .ok();
    assert_eq!(proof["holds"], true);

    // It may go on from hand to hand, and back.
    let first = camille.get("/v1/me/holders").await.ok();
    let first = first["data"][0]["id"].as_str().unwrap().to_owned();
    offer(camille, &path, &first, "2026-07-01")
        .await
        .problem(403, "forbidden");
    let reply = offer(dominique, &path, &first, "2026-07-01").await;
    let back = reply.header("location").to_owned();
    reply.created();
    camille.act(&back, "accept", Value::Null).await.ok();
    assert_eq!(camille.get(&path).await.ok()["kept_by"], json!(first));
    record(dominique, &path, day)
        .await
        .problem(403, "forbidden");
    record(camille, &path, day).await.created();
    let all = world.anyone.get(&format!("{path}/hand_overs")).await.ok();
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    camille
        .act(&path, "end_upkeep", json!({"reason": "Plus d'eau."}))
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_may_be_refused_or_withdrawn_and_of_two_answers_one_counts() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (path, successor) = both(&world).await;
    let offered = async || {
        let reply = offer(&world.camille, &path, &successor, "2026-07-01").await;
        let offered = reply.header("location").to_owned();
        reply.created();
        offered
    };
    let reason = json!({"reason": "Trop loin de chez nous."});
    let first = offered().await;
    let refused = world
        .dominique
        .act(&first, "refuse", reason.clone())
        .await
        .ok();
    assert_eq!(
        (&refused["state"], &refused["answer_reason"]),
        (&json!("refused"), &reason["reason"])
    );
    world.anyone.get(&first).await.problem(404, "not_found");
    let (accepted, withdrawn) = {
        let second = offered().await;
        tokio::join!(
            world.dominique.act(&second, "accept", Value::Null),
            world.camille.act(&second, "withdraw", Value::Null),
        )
    };
    let mut answers = [accepted.status.as_u16(), withdrawn.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [200, 409]);

    // An upkeep that has ended is not taken over.
    let (path, successor) = both(&world).await;
    let reply = offer(&world.camille, &path, &successor, "2026-07-01").await;
    let late = reply.header("location").to_owned();
    reply.created();
    world
        .camille
        .act(&path, "end_upkeep", json!({"reason": "Plus d'eau."}))
        .await
        .ok();
    world
        .dominique
        .act(&late, "accept", Value::Null)
        .await
        .problem(409, "requirement_missing");

    // For a body without accounts the town hall answers, by somebody who has not offered it.
    let (path, _) = both(&world).await;
    let body = json!({"kind": "association", "name": "Les voisins de la rue Hoche", "siret": siret(),
        "republican_commitment_on": "2022-01-10", "on_behalf": true});
    let reply = world
        .agent
        .post(&format!("/v1/communes/{LOOS}/holders"), body)
        .await;
    let quiet = reply.created()["id"].as_str().unwrap().to_owned();
    let reply = offer(&world.camille, &path, &quiet, "2026-07-01").await;
    let at_the_counter = reply.header("location").to_owned();
    reply.created();
    world
        .official
        .act(&at_the_counter, "accept", Value::Null)
        .await
        .problem(403, "forbidden");
    world
        .agent
        .act(&at_the_counter, "accept", Value::Null)
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_what_a_hand_over_is() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut theirs = upkeep();
    theirs["side"] = json!("commune");
    theirs["route"] = json!("in_kind");
    let (_, _, paths) = bound(&world, vec![upkeep(), theirs]).await;
    let successor = association(&world.dominique, "Les jardiniers").await;
    let camille = world.camille.id();
    let insert = |path: &str, day: &str, state: &str, more: &str| {
        format!(
            "INSERT INTO upkeep_hand_overs (id, commune_code, commitment_id, holder_id, starts_on, state, reason, offered_by, \
                offered_at, answered_by, answered_at) \
             VALUES ('{}', '{LOOS}', '{}', '{successor}', '{day}', '{state}', 'x', '{camille}', '2026-06-15T10:00:00Z', {more})",
            app.row_id(LOOS),
            path.rsplit('/').next().unwrap()
        )
    };
    let open = "NULL, NULL";
    for (sql, refusal) in [
        (
            insert(&paths[0], "2026-07-01", "accepted", "NULL, NULL"),
            "lifecycle_start",
        ),
        (
            insert(&paths[0], "2026-06-14", "offered", open),
            "upkeep_hand_overs_within_upkeep",
        ),
        (
            insert(&paths[1], "2026-07-01", "offered", open),
            "upkeep_hand_overs_within_upkeep",
        ),
        (
            insert(
                &paths[0],
                "2026-07-01",
                "offered",
                "NULL, '2026-06-15T10:00:00Z'",
            ),
            "upkeep_hand_overs_answered_whole",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
    let once = insert(&paths[0], "2026-07-01", "offered", open);
    assert_eq!(app.attack(&once).await, None);
    let answered = |by: &Client, state: &str| {
        format!(
            "UPDATE upkeep_hand_overs SET state = '{state}', answered_by = '{}', answered_at = '2026-06-15T11:00:00Z'",
            by.id()
        )
    };
    for (sql, refusal) in [
        (
            insert(&paths[0], "2026-08-01", "offered", open),
            "upkeep_hand_overs_one_offered",
        ),
        (
            answered(&world.camille, "accepted"),
            "upkeep_hand_overs_accepted_by_another",
        ),
        (
            "UPDATE upkeep_hand_overs SET starts_on = '2026-08-01'".to_owned(),
            "upkeep_hand_overs_append_only",
        ),
        (
            "DELETE FROM upkeep_hand_overs".to_owned(),
            "upkeep_hand_overs_append_only",
        ),
        (
            "TRUNCATE upkeep_hand_overs".to_owned(),
            "upkeep_hand_overs_append_only",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
    assert_eq!(
        app.attack(&answered(&world.dominique, "accepted")).await,
        None
    );
    assert_eq!(
        app.attack(&answered(&world.dominique, "refused"))
            .await
            .as_deref(),
        Some("lifecycle_transition")
    );
    world
        .camille
        .act(&paths[0], "end_upkeep", json!({"reason": "Plus d'eau."}))
        .await
        .ok();
    assert_eq!(
        app.attack(&insert(&paths[0], "2026-08-01", "offered", open))
            .await
            .as_deref(),
        Some("upkeep_hand_overs_of_binding_commitments")
    );
}
