//! Upkeep that comes again: its days, and what somebody saw who looked.

use serde_json::{Value, json};

use crate::commitments::{bound, of_holder};
use crate::conventions::planters;
use crate::initiatives::accepted;
use crate::support::client::Reply;
use crate::support::{Client, TestApp};

/// The days and states of a list.
async fn listed(who: &Client, path: &str, query: &str) -> Vec<(String, String)> {
    let list = who.get(&format!("{path}/occurrences{query}")).await.ok();
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let word = |field: &str| one[field].as_str().unwrap().to_owned();
            (word("occurs_on"), word("state"))
        })
        .collect()
}

fn upkeep(recurrence: Value) -> Value {
    let mut promise = of_holder(
        "Arrosage",
        json!({"upkeep": {"starts_on": "2026-06-15", "ends_on": "2028-06-14"}}),
    );
    if !recurrence.is_null() {
        promise["upkeep"]["recurrence"] = recurrence;
    }
    promise
}

async fn check(who: &Client, path: &str, day: &str, outcome: &str) -> Reply {
    let seen = json!({"occurs_on": day, "outcome": outcome, "remark": "Deux bacs sont secs."});
    who.post(&format!("{path}/checks"), seen).await
}

/// What is due next, and whether that is late.
async fn due(who: &Client, path: &str) -> (Value, Value) {
    let seen = who.get(path).await.ok();
    (seen["next_due_on"].clone(), seen["is_late"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn upkeep_is_presumed_done_unless_somebody_says_otherwise() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (agent, camille) = (&world.agent, &world.camille);
    let rule = json!({"frequency": "monthly", "months": ["june", "july", "august", "september"]});
    let (_, _, paths) = bound(&world, vec![planters(), upkeep(rule)]).await;
    let path = &paths[1];
    let month = |state: [&str; 4]| -> Vec<(String, String)> {
        ["2026-06-15", "2026-07-15", "2026-08-15", "2026-09-15"]
            .into_iter()
            .zip(state)
            .map(|(day, state)| (day.to_owned(), state.to_owned()))
            .collect()
    };
    let of_2026 = "?from=2026-01-01&to=2026-12-31";
    assert_eq!(
        listed(&world.anyone, path, of_2026).await,
        month(["presumed_done", "to_come", "to_come", "to_come"])
    );
    assert_eq!(
        due(camille, path).await,
        (json!("2026-06-15"), json!(false))
    );

    // Midnight in Paris is ten in the evening in UTC.
    app.travel_to("2026-07-14T21:59:59Z");
    check(agent, path, "2026-07-15", "done")
        .await
        .problem(422, "invalid_body");
    app.travel_to("2026-07-14T22:00:00Z");
    assert_eq!(
        listed(&world.anyone, path, of_2026).await,
        month(["presumed_done", "presumed_done", "to_come", "to_come"])
    );

    // The side that benefits looks; who owes does not, and who has nothing to do with it neither.
    check(camille, path, "2026-07-15", "done")
        .await
        .problem(403, "forbidden");
    check(&world.dominique, path, "2026-07-15", "done")
        .await
        .problem(403, "forbidden");
    check(&world.foreign_agent, path, "2026-07-15", "done")
        .await
        .problem(403, "forbidden");
    check(agent, path, "2026-07-14", "done")
        .await
        .problem(422, "invalid_body");
    let silent = json!({"occurs_on": "2026-07-15", "outcome": "not_done"});
    agent
        .post(&format!("{path}/checks"), silent)
        .await
        .problem(422, "invalid_body");
    agent
        .post(
            &format!("{}/checks", paths[0]),
            json!({"occurs_on": "2026-07-15", "outcome": "done"}),
        )
        .await
        .problem(403, "forbidden");
    check(camille, &paths[0], "2026-07-15", "done")
        .await
        .problem(409, "requirement_missing");
    let reply = check(&world.official, path, "2026-07-15", "not_done").await;
    let there = reply.header("location").to_owned();
    let seen = reply.created();
    assert_eq!(camille.get(&there).await.ok(), seen);
    assert_eq!(seen["remark"], "Deux bacs sont secs.");
    check(agent, path, "2026-07-15", "not_done")
        .await
        .problem(409, "already_exists");
    // It waits for who keeps it.
    let waiting = async || {
        let list = agent
            .get("/v1/communes/62528/worklist?kind=fulfil&waits_for=holder")
            .await;
        list.ok()["data"].as_array().unwrap().clone()
    };
    let waits = waiting().await;
    assert_eq!(
        (waits.len(), &waits[0]["due_on"]),
        (1, &json!("2026-07-15"))
    );

    // Everybody sees that it is not done; what was noted is for those who work on it together.
    let public = world.anyone.get(&there).await.ok();
    assert_eq!(
        (&public["state"], &public["remark"]),
        (&json!("not_done"), &json!(null))
    );
    let id = path.rsplit('/').next().unwrap();
    let initiative = agent.get(path).await.ok()["initiative_id"].clone();
    let history = format!(
        "/v1/initiatives/{}/history?limit=100",
        initiative.as_str().unwrap()
    );
    let checks = |history: Value| {
        let entries = history["data"].as_array().unwrap().clone();
        entries
            .iter()
            .filter(|entry| entry["action"] == "check" && entry["subject_id"] == id)
            .count()
    };
    assert_eq!(checks(camille.get(&history).await.ok()), 1);
    assert_eq!(checks(world.anyone.get(&history).await.ok()), 0);

    // Late until the next one, which is presumed done again.
    assert_eq!(
        due(&world.anyone, path).await,
        (json!("2026-07-15"), json!(true))
    );
    app.travel_to("2026-08-14T22:00:00Z");
    assert_eq!(
        due(camille, path).await,
        (json!("2026-08-15"), json!(false))
    );
    check(agent, path, "2026-08-15", "done").await.created();
    assert_eq!(
        due(camille, path).await,
        (json!("2026-09-15"), json!(false))
    );
    app.travel_to("2026-09-20T10:00:00Z");
    assert_eq!(
        listed(camille, path, of_2026).await,
        month(["presumed_done", "not_done", "done", "presumed_done"])
    );
    assert_eq!(
        due(camille, path).await,
        (json!("2027-06-15"), json!(false))
    );
    // Caught up, it is done, once.
    check(agent, path, "2026-07-15", "done").await.created();
    check(agent, path, "2026-07-15", "done")
        .await
        .problem(409, "already_exists");
    assert_eq!(
        listed(camille, path, of_2026).await,
        month(["presumed_done", "done", "done", "presumed_done"])
    );
    assert_eq!(waiting().await, Vec::<Value>::new());

    // After its end nothing comes any more, and nothing is checked.
    camille
        .act(path, "end_upkeep", json!({"reason": "Nous déménageons."}))
        .await
        .ok();
    assert_eq!(listed(camille, path, "").await.len(), 4);
    assert_eq!(due(camille, path).await, (json!(null), json!(false)));
    check(agent, path, "2026-09-15", "done")
        .await
        .problem(409, "wrong_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_commune_keeps_up_is_checked_by_the_holder() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut theirs = upkeep(json!(null));
    theirs["side"] = json!("commune");
    theirs["route"] = json!("in_kind");
    let (_, _, paths) = bound(&world, vec![theirs, upkeep(json!(null))]).await;
    for refused in [&world.agent, &world.official, &world.mayor] {
        check(refused, &paths[0], "2026-06-15", "done")
            .await
            .problem(403, "forbidden");
    }
    let offered = |commitment: Value| {
        let actions = commitment["allowed_actions"].as_array().unwrap().clone();
        actions.contains(&json!("check"))
    };
    assert!(offered(world.camille.get(&paths[0]).await.ok()));
    assert!(!offered(world.camille.get(&paths[1]).await.ok()));
    assert!(!offered(world.agent.get(&paths[0]).await.ok()));
    assert!(offered(world.agent.get(&paths[1]).await.ok()));

    // Of two at once one is heard.
    let (one, other) = tokio::join!(
        check(&world.agent, &paths[1], "2026-06-15", "done"),
        check(&world.official, &paths[1], "2026-06-15", "done"),
    );
    let mut answers = [one.status.as_u16(), other.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [201, 409]);
    check(&world.camille, &paths[0], "2026-06-15", "done")
        .await
        .created();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_consistent_and_part_of_what_is_signed() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = accepted(&world).await;
    let table = format!("{initiative}/commitments");
    for wrong in [
        json!({"frequency": "monthly", "weekday": "monday"}),
        json!({"frequency": "yearly", "months": ["may"]}),
        json!({"frequency": "daily"}),
        json!({"frequency": "weekly", "interval": 0}),
        json!({"frequency": "weekly", "months": []}),
        json!({"frequency": "monthly", "interval": 12, "months": ["may"]}),
    ] {
        world
            .camille
            .post(&table, upkeep(wrong))
            .await
            .problem(422, "invalid_body");
    }
    let rule = json!({"frequency": "weekly", "interval": 2, "weekday": "saturday", "months": ["july", "august"]});
    let proposed = world
        .camille
        .post(&table, upkeep(rule.clone()))
        .await
        .created();
    assert_eq!(proposed["upkeep"]["recurrence"], rule);
    assert_eq!(proposed["next_due_on"], json!(null), "nothing binds yet");
    let path = format!("/v1/commitments/{}", proposed["id"].as_str().unwrap());
    world
        .anyone
        .get(&format!("{path}/occurrences"))
        .await
        .problem(404, "not_found");
    app.travel_to("2026-07-31T10:00:00Z");
    let days = listed(&world.camille, &path, "?to=2026-08-15").await;
    let days: Vec<&str> = days
        .iter()
        .map(|(day, state)| {
            assert_eq!(state, "to_come", "what is on the table is not done");
            day.as_str()
        })
        .collect();
    assert_eq!(
        days,
        ["2026-07-04", "2026-07-18", "2026-08-01", "2026-08-15"]
    );
    world
        .camille
        .get(&format!("{path}/occurrences?from=2026-07-01&to=2031-07-03"))
        .await
        .problem(400, "invalid_query");
    world
        .camille
        .get(&format!("{path}/occurrences/2026-07-05"))
        .await
        .problem(404, "not_found");

    // Signed with the rest, and printed.
    app.travel_to("2026-06-15T10:00:00Z");
    let (_, convention, paths) = bound(&world, vec![planters(), upkeep(rule.clone())]).await;
    let content = world
        .anyone
        .get(&format!("{convention}/content"))
        .await
        .ok();
    let frozen = content["commitments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["side"] == "holder")
        .unwrap();
    assert_eq!(frozen["upkeep"]["recurrence"], rule);
    let sheet = world
        .anyone
        .get(&format!("{convention}/document.html"))
        .await
        .text;
    assert!(
        sheet.contains("toutes les 2\u{a0}semaines, le samedi, en juillet, août"),
        "{sheet}"
    );

    // An amendment changes it, and says so.
    let reason = json!({"reason": "Chaque mois suffit."});
    let reply = world.agent.act(&convention, "amend", reason).await;
    let next = reply.header("location").to_owned();
    reply.created();
    let id = paths[1].rsplit('/').next().unwrap();
    let terms = |ends_on: &str| {
        json!({"new_terms": [{"commitment_id": id, "upkeep":
            {"starts_on": "2026-06-15", "ends_on": ends_on, "recurrence": {"frequency": "monthly"}}}]})
    };
    world
        .agent
        .edit(&next, terms("2026-06-14"))
        .await
        .problem(422, "invalid_body");
    world.agent.edit(&next, terms("2027-06-14")).await.ok();
    let changes = world.agent.get(&format!("{next}/changes")).await.ok();
    let pointer = format!("/commitments/{id}/upkeep/recurrence/months");
    let months = changes["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["pointer"] == pointer)
        .unwrap();
    assert_eq!(months["before"], "july, august");
    assert_eq!(
        world.camille.get(&paths[1]).await.ok()["upkeep"]["recurrence"],
        rule
    );
    let open = world
        .agent
        .act(&next, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = json!({"content_sha256": open["content_sha256"]});
    for signatory in [&world.camille, &world.mayor] {
        signatory.act(&next, "sign", hash.clone()).await.ok();
    }
    let now = world.camille.get(&paths[1]).await.ok();
    assert_eq!(
        now["upkeep"],
        json!({"starts_on": "2026-06-15", "ends_on": "2027-06-14", "recurrence": {"frequency": "monthly", "interval": 1}})
    );
    // The old version says what it said.
    let before = world.anyone.get(&convention).await.ok();
    assert_eq!(before["state"], "superseded");
    let held = before["commitments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == id)
        .unwrap();
    assert_eq!(held["upkeep"], frozen["upkeep"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_what_a_check_is() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, _, paths) = bound(&world, vec![planters(), upkeep(json!(null))]).await;
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let agent = world.agent.id();
    let insert = |path: &str, day: &str, outcome: &str, remark: &str, at: &str| {
        format!(
            "INSERT INTO upkeep_checks (commitment_id, commune_code, occurs_on, outcome, remark, checked_by, checked_at) \
             VALUES ('{}', '62528', '{day}', '{outcome}', {remark}, '{agent}', '{at}')",
            id(path)
        )
    };
    let now = "2026-06-15T10:00:00Z";
    let kept = &paths[1];
    for (sql, refusal) in [
        (
            insert(kept, "2026-06-15", "half", "NULL", now),
            "upkeep_checks_outcome",
        ),
        (
            insert(kept, "2026-06-15", "not_done", "NULL", now),
            "upkeep_checks_say_what_is_missing",
        ),
        (
            insert(kept, "2026-06-16", "done", "NULL", "2026-06-15T21:59:59Z"),
            "upkeep_checks_not_beforehand",
        ),
        (
            insert(kept, "2026-06-14", "done", "NULL", now),
            "upkeep_checks_within_upkeep",
        ),
        (
            insert(kept, "2028-06-15", "done", "NULL", "2029-01-01T10:00:00Z"),
            "upkeep_checks_within_upkeep",
        ),
        (
            insert(&paths[0], "2026-06-15", "done", "NULL", now),
            "upkeep_checks_within_upkeep",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
    let once = insert(kept, "2026-06-15", "done", "NULL", now);
    assert_eq!(app.attack(&once).await, None);
    for (sql, refusal) in [
        (once.as_str(), "upkeep_checks_done_once"),
        (
            "UPDATE upkeep_checks SET outcome = 'done'",
            "upkeep_checks_append_only",
        ),
        ("DELETE FROM upkeep_checks", "upkeep_checks_append_only"),
        ("TRUNCATE upkeep_checks", "upkeep_checks_append_only"),
    ] {
        assert_eq!(app.attack(sql).await.as_deref(), Some(refusal), "{sql}");
    }
    world
        .camille
        .act(kept, "end_upkeep", json!({"reason": "Nous déménageons."}))
        .await
        .ok();
    let late = insert(kept, "2026-09-15", "done", "NULL", "2026-09-15T10:00:00Z");
    assert_eq!(
        app.attack(&late).await.as_deref(),
        Some("upkeep_checks_of_binding_commitments")
    );
    // A rule that is none is no rule.
    let initiative = accepted(&world).await;
    let made = world
        .camille
        .post(&format!("{initiative}/commitments"), upkeep(json!(null)))
        .await
        .created();
    for rule in [
        r#"{"frequency": "daily", "interval": 1}"#,
        r#"{"frequency": "weekly", "interval": 0}"#,
        r#"{"frequency": "weekly"}"#,
        r#"{"frequency": "monthly", "interval": 1, "weekday": "monday"}"#,
        r#"{"frequency": "weekly", "interval": 1, "months": ["brumaire"]}"#,
        r#"{"frequency": "weekly", "interval": 1, "months": []}"#,
        r#"{"frequency": "yearly", "interval": 1, "months": ["may"]}"#,
        "[]",
    ] {
        let sql = format!(
            "UPDATE commitments SET upkeep_recurrence = '{rule}' WHERE id = '{}'",
            made["id"].as_str().unwrap()
        );
        assert_eq!(
            app.attack(&sql).await.as_deref(),
            Some("commitments_upkeep_recurrence"),
            "{rule}"
        );
    }
}
