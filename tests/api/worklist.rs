//! What waits in a commune, for whom, until when; and what the clock says of it.

use std::slice::from_ref;

use serde_json::{Value, json};

use crate::conventions::{active, opened, signing};
use crate::initiatives::{in_review, submitted};
use crate::support::TestApp;
use crate::support::app::{LOOS, World};

const LIST: &str = "/v1/communes/62528/worklist";

/// What waits, in short: kind, for whom, until when.
async fn waiting(world: &World, query: &str) -> Vec<(String, String, Option<String>)> {
    let page = world.agent.get(&format!("{LIST}{query}")).await.ok();
    let text = |item: &Value, name: &str| item[name].as_str().map(str::to_owned);
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let (kind, role) = (text(item, "kind"), text(item, "waits_for"));
            (kind.unwrap(), role.unwrap(), text(item, "due_on"))
        })
        .collect()
}

fn one(kind: &str, role: &str, due_on: Option<&str>) -> (String, String, Option<String>) {
    (kind.to_owned(), role.to_owned(), due_on.map(str::to_owned))
}

async fn turn(app: &TestApp) {
    fifty_fifty::clockwork::turn(&app.state).await.unwrap();
}

/// What the clock has said of an initiative: action and reason.
async fn said(world: &World, initiative: &str) -> Vec<(String, String)> {
    let history = world
        .agent
        .get(&format!("{initiative}/history?limit=100"))
        .await
        .ok();
    history["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| matches!(entry["action"].as_str(), Some("remind" | "overdue")))
        .map(|entry| {
            assert_eq!(
                (&entry["actor_role"], &entry["actor"]),
                (&json!("clock"), &json!(null))
            );
            (
                entry["action"].as_str().unwrap().to_owned(),
                entry["reason"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_waits_for_the_one_who_takes_it() {
    let app = TestApp::new().await;
    let world = app.world().await;
    assert_eq!(waiting(&world, "").await, []);
    let path = submitted(&world).await;
    let instruct = one("instruct", "agent", Some("2026-08-14"));
    assert_eq!(waiting(&world, "").await, from_ref(&instruct));
    assert_eq!(waiting(&world, "?days=59").await, []);
    world.agent.act(&path, "start_review", json!({})).await.ok();
    let message = json!({"message": "Le plan du chemin ?"});
    world
        .agent
        .act(&path, "request_changes", message)
        .await
        .ok();
    assert_eq!(waiting(&world, "").await, []);
    let answer = one("answer", "holder", Some("2026-12-15"));
    assert_eq!(waiting(&world, "?days=200").await, [answer]);
    world.camille.act(&path, "resubmit", json!({})).await.ok();
    assert_eq!(waiting(&world, "").await, [instruct]);
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    world.agent.act(&path, "give_opinion", opinion).await.ok();
    let decide = one("decide", "elected_official", Some("2026-08-14"));
    assert_eq!(waiting(&world, "").await, [decide]);
    let yes = json!({"reason": "Utile à tous."});
    world.official.act(&path, "accept", yes).await.ok();
    assert_eq!(waiting(&world, "").await, [one("prepare", "agent", None)]);
    let wish = crate::conventions::planters();
    let asked = world
        .camille
        .post(&format!("{path}/commitments"), wish)
        .await;
    asked.created();
    assert_eq!(
        waiting(&world, "").await,
        [one("agree", "agent", None), one("prepare", "agent", None)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_convention_waits_for_its_signatories_and_then_for_what_it_promises() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, convention, hash) = opened(&world).await;
    let both = world.agent.get(LIST).await.ok();
    let people: Vec<&Value> = both["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["person"]["display_name"])
        .collect();
    assert_eq!(people, [&json!("mayor"), &json!("camille")]);
    assert_eq!(
        both["counts"],
        json!([{"kind": "sign", "total": 2, "late": 0}])
    );
    assert_eq!(both["data"][0]["title"], "Réfection des chemins agricoles");
    // Who signs sees it, and nobody else with the same role does.
    for (person, count) in [
        (&world.mayor, 1),
        (&world.camille, 1),
        (&world.official, 0),
        (&world.agent, 0),
    ] {
        let theirs = waiting(&world, &format!("?person={}", person.id())).await;
        assert_eq!(theirs.len(), count, "{theirs:?}");
    }
    app.travel_to("2026-07-02T10:00:00Z");
    let late = world.agent.get(LIST).await.ok();
    assert_eq!(late["counts"][0]["late"], 2);
    assert_eq!(late["data"][0]["is_late"], true);
    app.travel_to("2026-06-15T10:00:00Z");
    for person in [&world.camille, &world.mayor] {
        person.act(&convention, "sign", signing(&hash)).await.ok();
    }
    let fulfil = one("fulfil", "agent", Some("2026-07-15"));
    assert_eq!(waiting(&world, "").await, from_ref(&fulfil));
    assert_eq!(
        waiting(&world, "?days=3660").await,
        [
            fulfil,
            one("check", "agent", Some("2026-10-15")),
            one("renew", "agent", Some("2028-06-30"))
        ]
    );
    let columns = world
        .agent
        .get(&format!("{initiative}/commitments"))
        .await
        .ok();
    let columns = columns["data"].as_array().unwrap();
    let planters = columns.iter().find(|one| one["side"] == "commune").unwrap();
    let planters = format!("/v1/commitments/{}", planters["id"].as_str().unwrap());
    let done = json!({"done_on": "2026-06-15", "quantity": "8", "evidence": "Bon de livraison"});
    let made = world
        .agent
        .post(&format!("{planters}/fulfilments"), done)
        .await;
    let fulfilment = made.header("location").to_owned();
    made.created();
    let acknowledge = one("acknowledge", "holder", Some("2026-07-15"));
    assert_eq!(
        waiting(&world, "?waits_for=holder").await,
        from_ref(&acknowledge)
    );
    let theirs = format!("?person={}", world.camille.id());
    assert_eq!(waiting(&world, &theirs).await, [acknowledge]);
    let reason = json!({"reason": "Il en manque deux."});
    world.camille.act(&fulfilment, "dispute", reason).await.ok();
    let settle = one("settle", "elected_official", None);
    let official = format!("?person={}", world.official.id());
    assert_eq!(waiting(&world, &official).await, [settle]);
    // An official who becomes a member of the holder has nothing to decide there any more.
    let joins = format!(
        "INSERT INTO holder_members (holder_id, commune_code, user_id, role, may_sign, state, since)
         SELECT holder_id, commune_code, '{}', 'member', false, 'active', now() FROM initiatives",
        world.official.id()
    );
    let refused = app.attack(&joins).await;
    assert_eq!(refused, None);
    assert_eq!(
        waiting(&world, &format!("{official}&kind=settle")).await,
        []
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_the_town_halls_and_comes_in_pages_and_as_a_calendar() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for _ in 0..3 {
        in_review(&world).await;
    }
    active(&world).await;
    let dates = json!({"council_dates": ["2026-09-24", "2026-06-25", "2026-03-26"]});
    let settings = world
        .mayor
        .edit(&format!("/v1/communes/{LOOS}"), dates)
        .await
        .ok();
    assert_eq!(
        settings["settings"]["council_dates"],
        json!(["2026-03-26", "2026-06-25", "2026-09-24"])
    );
    let whole = world
        .mayor
        .get(&format!("{LIST}?limit=100&days=3660"))
        .await
        .ok();
    assert_eq!(whole["next_council_on"], "2026-06-25");
    let total: i64 = whole["counts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| count["total"].as_i64().unwrap())
        .sum();
    assert_eq!(total, 6);
    let mut walked = Vec::new();
    let mut next = format!("{LIST}?limit=2&days=3660");
    loop {
        let page = world.mayor.get(&next).await.ok();
        assert_eq!(page["counts"], whole["counts"]);
        walked.extend(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        next = format!("{LIST}?limit=2&days=3660&cursor={cursor}");
    }
    assert_eq!(json!(walked), whole["data"]);

    for path in [LIST, "/v1/communes/62528/worklist.ics"] {
        world.anyone.get(path).await.problem(401, "unauthorized");
        for stranger in [&world.camille, &world.foreign_mayor, &world.admin] {
            stranger.get(path).await.problem(403, "forbidden");
        }
        world
            .agent
            .get(&format!("{path}?days=-1"))
            .await
            .problem(400, "invalid_query");
        world
            .agent
            .get(&format!("{path}?kind=nap"))
            .await
            .problem(400, "invalid_query");
    }
    let calendar = world.agent.get("/v1/communes/62528/worklist.ics").await;
    assert!(calendar.header("content-type").starts_with("text/calendar"));
    let unfolded = calendar.text.replace("\r\n ", "");
    let lines: Vec<&str> = unfolded.split("\r\n").collect();
    assert_eq!(
        (lines[0], lines[lines.len() - 2]),
        ("BEGIN:VCALENDAR", "END:VCALENDAR")
    );
    let count = |line: &str| lines.iter().filter(|known| **known == line).count();
    assert_eq!(count("BEGIN:VEVENT"), 6);
    assert_eq!(count("DTSTART;VALUE=DATE:20260814"), 3);
    // Without an end it lasts its day (RFC 5545, 3.6.1).
    assert!(!lines.iter().any(|line| line.starts_with("DTEND")));
    assert_eq!(
        count("SUMMARY:À instruire : Réfection des chemins agricoles"),
        3
    );
    assert_eq!(count("SUMMARY:Conseil municipal"), 2);
    let again = world.agent.get("/v1/communes/62528/worklist.ics").await;
    assert_eq!(again.text, calendar.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_says_each_thing_once_whoever_turns_it() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = submitted(&world).await;
    turn(&app).await;
    assert_eq!(said(&world, &path).await, []);
    // Fifteen days before 14 August; eight servers look at the clock together.
    app.travel_to("2026-07-29T22:30:00Z");
    let turns: Vec<_> = (0..8)
        .map(|_| {
            let state = app.state.clone();
            tokio::spawn(async move { fifty_fifty::clockwork::turn(&state).await })
        })
        .collect();
    for one in turns {
        one.await.unwrap().unwrap();
    }
    let reminded = ("remind".to_owned(), "À instruire : 14/08/2026".to_owned());
    assert_eq!(said(&world, &path).await, from_ref(&reminded));
    app.travel_to("2026-08-14T21:59:00Z");
    turn(&app).await;
    assert_eq!(said(&world, &path).await, from_ref(&reminded));
    // Midnight in Paris.
    app.travel_to("2026-08-14T22:00:00Z");
    turn(&app).await;
    turn(&app).await;
    let late = ("overdue".to_owned(), "À instruire : 14/08/2026".to_owned());
    assert_eq!(said(&world, &path).await, [reminded, late]);
    // The holder and the public do not read what the town hall owes itself.
    let history = world.camille.get(&format!("{path}/history")).await.text;
    assert!(!history.contains("remind"), "{history}");
    let attack = "DELETE FROM reminders";
    assert_eq!(
        app.attack(attack).await.as_deref(),
        Some("reminders_append_only")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_stop_what_was_missed_is_caught_up_and_nothing_lapses_unannounced() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = in_review(&world).await;
    let message = json!({"message": "Le plan du chemin ?"});
    world
        .agent
        .act(&path, "request_changes", message)
        .await
        .ok();
    let (_, convention) = active(&world).await;
    // No server ran for two and a half years, over a leap day, six changes of the hour and two ends of a year.
    app.travel_to("2028-12-31T23:30:00Z");
    turn(&app).await;
    assert_eq!(world.agent.get(&convention).await.ok()["state"], "expired");
    let state = || async { world.agent.get(&path).await.ok()["state"].clone() };
    assert_eq!(state().await, "changes_requested");
    let announced = (
        "remind".to_owned(),
        "Complément à donner : 15/12/2026".to_owned(),
    );
    assert_eq!(said(&world, &path).await, [announced]);
    let read = world.camille.get(&format!("{path}/history")).await.text;
    assert!(read.contains("Complément à donner"), "{read}");
    app.travel_to("2029-01-14T10:00:00Z");
    turn(&app).await;
    assert_eq!(state().await, "changes_requested");
    app.travel_to("2029-01-14T23:00:00Z");
    turn(&app).await;
    assert_eq!(state().await, "lapsed");
}

#[tokio::test(flavor = "multi_thread")]
async fn days_end_at_midnight_in_paris_when_the_hour_changes_too() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, convention) = active(&world).await;
    // The content is frozen: only the test's own hand moves the last day.
    for (day, before, after) in [
        ("2026-10-25", "2026-10-25T22:59:00Z", "2026-10-25T23:00:00Z"),
        ("2027-03-28", "2027-03-28T21:59:00Z", "2027-03-28T22:00:00Z"),
        ("2027-12-31", "2027-12-31T22:59:00Z", "2027-12-31T23:00:00Z"),
    ] {
        let moved = format!(
            "SET session_replication_role = replica;
             UPDATE conventions SET ends_on = '{day}', state = 'active', ended_at = NULL"
        );
        assert_eq!(app.attack(&moved).await, None);
        for (instant, state) in [(before, "active"), (after, "expired")] {
            app.travel_to(instant);
            turn(&app).await;
            assert_eq!(
                world.agent.get(&convention).await.ok()["state"],
                state,
                "{instant}"
            );
        }
    }
}
