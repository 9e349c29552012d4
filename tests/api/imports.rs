//! What partners bring along: items told apart by the names of their own system, as often as they like, each standing alone.

use std::io::Write;
use std::time::Duration;

use fifty_fifty::clockwork;
use fifty_fifty::imports::worker;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::initiatives::siret;
use crate::support::app::{LENS, LOOS, World};
use crate::support::client::Reply;
use crate::support::{Client, TestApp};

/// What became of each item.
async fn bulk(caller: &Client, resource: &str, items: Value) -> Vec<Value> {
    let path = format!("/v1/communes/{LOOS}/bulk/{resource}");
    let answer = caller
        .post(&path, json!({"items": items}))
        .await
        .expect(207);
    answer["data"].as_array().unwrap().clone()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results
        .iter()
        .map(|result| result["outcome"].as_str().unwrap())
        .collect()
}

/// The problem of an item: its code and its pointers.
fn problem(result: &Value) -> (&str, Vec<&str>) {
    let problem = &result["problem"];
    let errors = problem["errors"].as_array().unwrap();
    let mut pointers: Vec<&str> = errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    (problem["code"].as_str().unwrap(), pointers)
}

fn club(name: &str) -> Value {
    json!({"external_id": name, "kind": "association", "name": format!("Club {name}"),
        "contact_email": "secretariat@example.org"})
}

/// Something that was completed in 2019.
pub fn completed(name: &str, holder: &str) -> Value {
    json!({"external_id": name, "title": format!("Chemin {name}"), "theme": "agriculture",
        "description": "Les agriculteurs apportent machines et bras.", "holder_external_id": holder,
        "state": "completed", "submitted_on": "2019-02-04", "decided_on": "2019-03-20",
        "completed_on": "2019-10-31", "published": true})
}

pub fn commitment(name: &str, initiative: &str) -> Value {
    json!({"external_id": name, "initiative_external_id": initiative, "side": "holder", "kind": "labour",
        "title": "Travail des agriculteurs", "due_on": "2019-10-31", "state": "fulfilled",
        "valuation": {"quantity": "120", "unit": "heure", "unit_value_cents": 1200, "method": "hourly_rate"},
        "delivered_quantity": "130", "delivered_on": "2019-10-20"})
}

fn path_of(kind: &str, result: &Value) -> String {
    format!("/v1/{kind}/{}", result["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_created_then_the_same_then_changed() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let agent = &world.agent;
    let clubs = json!([club("A"), club("B")]);
    let made = bulk(agent, "holders", clubs.clone()).await;
    assert_eq!(outcomes(&made), ["created", "created"]);
    let again = bulk(agent, "holders", clubs).await;
    assert_eq!(outcomes(&again), ["unchanged", "unchanged"]);
    assert_eq!(again[0]["id"], made[0]["id"]);
    let mut renamed = club("B");
    renamed["name"] = json!("Club des B");
    let changed = bulk(agent, "holders", json!([club("A"), renamed, club("C")])).await;
    assert_eq!(outcomes(&changed), ["unchanged", "updated", "created"]);
    let found = format!("/v1/communes/{LOOS}/holders?external_id=B");
    let found = world.anyone.get(&found).await.ok();
    assert_eq!(found["data"][0]["name"], "Club des B");
    assert_eq!(found["data"][0]["external_id"], "B");

    // What an item does not mention stays as it is, the words of the town hall too.
    let path = path_of("holders", &made[0]);
    let described = json!({"description": "Écrit par la mairie."});
    agent.edit(&path, described).await.ok();
    let same = bulk(agent, "holders", json!([club("A")])).await;
    assert_eq!(outcomes(&same), ["unchanged"]);
    let kept = &agent.get(&path).await.ok()["description"];
    assert_eq!(*kept, "Écrit par la mairie.");

    // What begins here is a draft that nobody else sees; it is submitted when that is asked.
    let mut idea =
        json!({"external_id": "I-1", "title": "Huit jardinières", "holder_external_id": "A"});
    let draft = bulk(agent, "initiatives", json!([idea])).await;
    assert_eq!(outcomes(&draft), ["created"]);
    let path = path_of("initiatives", &draft[0]);
    let described = json!({"external_id": "I-1", "title": "Huit jardinières", "description": "Rue Hoche.",
        "location": {"latitude": 50.45, "longitude": 2.79}});
    for (item, outcome) in [(&described, "updated"), (&idea, "unchanged")] {
        let brought = bulk(agent, "initiatives", json!([item])).await;
        assert_eq!(outcomes(&brought), [outcome]);
    }
    let found = format!("/v1/initiatives?commune={LOOS}&q=hoche");
    assert_eq!(
        agent.get(&found).await.ok()["data"][0]["location"]["latitude"],
        50.45
    );
    world.anyone.get(&path).await.problem(404, "not_found");
    assert_eq!(agent.get(&path).await.ok()["state"], "draft");
    idea["submit"] = json!(true);
    let refused = bulk(agent, "initiatives", json!([idea])).await;
    let missing = vec!["#/description", "#/theme"];
    assert_eq!(problem(&refused[0]), ("invalid_body", missing));
    idea["description"] = json!("Huit jardinières pour la rue.");
    idea["theme"] = json!("living_environment");
    let submitted = bulk(agent, "initiatives", json!([idea])).await;
    assert_eq!(outcomes(&submitted), ["updated"]);
    let seen = agent.get(&path).await.ok();
    assert_eq!(seen["state"], "submitted");
    assert_eq!(seen["receipt"]["reply_due_on"], "2026-08-14");
    assert_eq!(
        (&seen["external_id"], &seen["imported_at"]),
        (&json!("I-1"), &json!(null))
    );
    world.anyone.get(&path).await.problem(404, "not_found");
    let same = bulk(agent, "initiatives", json!([idea])).await;
    assert_eq!(outcomes(&same), ["unchanged"]);
    // What is under way is nobody's to change by an import.
    idea["title"] = json!("Neuf jardinières");
    let late = bulk(agent, "initiatives", json!([idea])).await;
    assert_eq!(problem(&late[0]).0, "wrong_state");

    let meeting = json!({"external_id": "R-1", "title": "Réunion de quartier", "held_on": "2026-03-12",
        "attendance": 45, "initiative_external_id": "I-1"});
    let measure = json!({"external_id": "M-1", "indicator": "associations", "year": 2019, "value": "73",
        "unit": "associations", "source": "Annuaire"});
    for (resource, mut item, field, value) in [
        ("meetings", meeting, "attendance", json!(52)),
        ("measures", measure, "value", json!("74.5")),
    ] {
        assert_eq!(
            outcomes(&bulk(agent, resource, json!([item])).await),
            ["created"]
        );
        assert_eq!(
            outcomes(&bulk(agent, resource, json!([item])).await),
            ["unchanged"]
        );
        item[field] = value.clone();
        assert_eq!(
            outcomes(&bulk(agent, resource, json!([item])).await),
            ["updated"]
        );
        let name = item["external_id"].as_str().unwrap();
        let found = format!("/v1/communes/{LOOS}/{resource}?external_id={name}");
        assert_eq!(agent.get(&found).await.ok()["data"][0][field], value);
    }
    let twice = json!([{"external_id": "M-2", "indicator": "associations", "year": 2019, "value": "73",
        "unit": "associations", "source": "Annuaire"}]);
    assert_eq!(
        problem(&bulk(agent, "measures", twice).await[0]).0,
        "already_exists"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_wrong_stops_no_other() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let number = siret();
    let mut items = vec![
        club("A"),
        club("B"),
        club("C"),
        club("D"),
        club("A"),
        club("E"),
    ];
    items[1]["contact_email"] = json!("zqxnobodyxqz");
    items[1]["kind"] = json!("zqxkindxqz");
    items[2]["siret"] = json!(number);
    items[3]["siret"] = json!(number);
    items[5] = json!("zqxnothingxqz");
    let path = format!("/v1/communes/{LOOS}/bulk/holders");
    let reply = world.agent.post(&path, json!({"items": items})).await;
    assert!(!reply.text.contains("zqx"), "{}", reply.text);
    let answer = reply.expect(207);
    let results = answer["data"].as_array().unwrap();
    let expected = [
        "created", "refused", "created", "refused", "refused", "refused",
    ];
    assert_eq!(outcomes(results), expected);
    let wrong = vec!["#/contact_email", "#/kind"];
    assert_eq!(problem(&results[1]), ("invalid_body", wrong));
    // The database refuses one of two, and only that.
    assert_eq!(problem(&results[3]).0, "already_exists");
    assert_eq!(
        problem(&results[4]),
        ("invalid_body", vec!["#/external_id"])
    );
    assert_eq!(problem(&results[5]), ("invalid_body", vec!["#"]));
    assert_eq!(results[5]["external_id"], json!(null));

    // What is wrong with the whole refuses the whole.
    let before = app.fingerprint().await;
    let many: Vec<Value> = (0..1001).map(|number| club(&number.to_string())).collect();
    for (body, pointer) in [
        (json!({"items": many}), "#/items"),
        (json!({"items": []}), "#/items"),
        (json!({"items": [club("Z")], "dry": true}), "#/dry"),
        (json!({"validate_only": true}), "#/items"),
    ] {
        let reply = world.agent.post(&path, body).await;
        assert_eq!(reply.pointers(), [pointer]);
        reply.problem(422, "invalid_body");
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bring_the_same_at_once_each_finds_it_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    bulk(&world.agent, "holders", json!([club("A")])).await;
    let items: Vec<Value> = (0..60)
        .map(|number| completed(&number.to_string(), "A"))
        .collect();
    let mut crowd = tokio::task::JoinSet::new();
    for turn in 0..8 {
        let (agent, mut items) = (world.agent.clone(), items.clone());
        // Each in an order of their own.
        items.rotate_left(turn * 7);
        crowd.spawn(async move { bulk(&agent, "initiatives", json!(items)).await });
    }
    let (mut created, mut unchanged) = (0, 0);
    while let Some(results) = crowd.join_next().await {
        for outcome in outcomes(&results.unwrap()) {
            match outcome {
                "created" => created += 1,
                "unchanged" => unchanged += 1,
                other => panic!("{other}"),
            }
        }
    }
    assert_eq!((created, unchanged), (60, 7 * 60));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_checked_leaves_no_trace() {
    let app = TestApp::new().await;
    let world = app.world().await;
    bulk(&world.agent, "holders", json!([club("A")])).await;
    let feed = format!("/v1/communes/{LOOS}/changes?limit=100");
    let told = world.anyone.get(&feed).await.ok();
    let before = app.fingerprint().await;
    let mut items = vec![
        completed("1", "A"),
        completed("2", "A"),
        completed("3", "nobody"),
    ];
    items[1]["decided_on"] = json!("2018-01-01");
    let path = format!("/v1/communes/{LOOS}/bulk/initiatives");
    let body = json!({"items": items, "validate_only": true});
    let answer = world.agent.post(&path, body).await.expect(207);
    let results = answer["data"].as_array().unwrap();
    assert_eq!(outcomes(results), ["created", "refused", "refused"]);
    assert_eq!(results[0]["id"], json!(null));
    assert_eq!(problem(&results[1]).1, ["#/decided_on"]);
    assert_eq!(problem(&results[2]).1, ["#/holder_external_id"]);
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(world.anyone.get(&feed).await.ok(), told);
}

/// An indicator of 2019.
async fn figure(world: &World, indicator: &str) -> Value {
    let path = format!("/v1/metrics?communes={LOOS}&from=2019&to=2019&indicators={indicator}");
    let metrics = world.anyone.get(&path).await.ok();
    metrics.to_string().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_comes_in_as_it_ended() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let agent = &world.agent;
    bulk(agent, "holders", json!([club("A")])).await;
    let nothing = figure(&world, "initiatives_completed").await;
    let mut hidden = completed("2", "A");
    hidden["published"] = json!(false);
    let mut refused = completed("3", "A");
    refused["state"] = json!("refused");
    refused.as_object_mut().unwrap().remove("completed_on");
    let made = bulk(
        agent,
        "initiatives",
        json!([completed("1", "A"), hidden, refused]),
    )
    .await;
    assert_eq!(outcomes(&made), ["created", "created", "created"]);
    let path = path_of("initiatives", &made[0]);
    let seen = world.anyone.get(&path).await.ok();
    assert_eq!(seen["state"], "completed");
    assert_eq!(seen["state_changed_at"], "2019-10-30T23:00:00Z");
    assert!(seen["imported_at"].is_string());
    assert_eq!(
        (&seen["decision"], &seen["receipt"]),
        (&json!(null), &json!(null))
    );
    // It happened, and not here.
    let history = world.anyone.get(&format!("{path}/history")).await.ok();
    let actions: Vec<&Value> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["action"])
        .collect();
    assert_eq!(actions, ["import"]);
    assert_ne!(figure(&world, "initiatives_completed").await, nothing);
    let hidden = path_of("initiatives", &made[1]);
    world.anyone.get(&hidden).await.problem(404, "not_found");
    assert!(agent.get(&hidden).await.ok()["published_at"].is_null());

    // It is corrected; what became of it stays; it is published later, once.
    let mut corrected = completed("2", "A");
    corrected["decided_on"] = json!("2019-04-01");
    assert_eq!(
        outcomes(&bulk(agent, "initiatives", json!([corrected])).await),
        ["updated"]
    );
    assert_eq!(
        outcomes(&bulk(agent, "initiatives", json!([corrected])).await),
        ["unchanged"]
    );
    assert!(world.anyone.get(&hidden).await.ok()["published_at"].is_string());
    corrected["state"] = json!("closed");
    corrected["ended_on"] = json!("2020-01-01");
    let moved = bulk(agent, "initiatives", json!([corrected])).await;
    assert_eq!(problem(&moved[0]).0, "wrong_state");

    // Each state has its days.
    let mut wrong = Vec::new();
    for (field, value) in [
        ("submitted_on", json!(null)),
        ("submitted_on", json!("0017-02-04")),
        ("completed_on", json!(null)),
        ("ended_on", json!("2020-01-01")),
        ("completed_on", json!("2027-01-01")),
        ("decided_on", json!("2019-01-01")),
        ("submit", json!(true)),
        ("theme", json!(null)),
    ] {
        let mut item = completed(&format!("W-{}", wrong.len()), "A");
        match value {
            Value::Null => drop(item.as_object_mut().unwrap().remove(field)),
            value => item[field] = value,
        }
        wrong.push((field, item));
    }
    let items: Vec<Value> = wrong.iter().map(|(_, item)| item.clone()).collect();
    for (result, (field, _)) in bulk(agent, "initiatives", json!(items))
        .await
        .iter()
        .zip(&wrong)
    {
        assert_eq!(
            problem(result),
            ("invalid_body", vec![format!("#/{field}").as_str()])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_promised_before_is_told_with_what_was_delivered() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let agent = &world.agent;
    bulk(agent, "holders", json!([club("A")])).await;
    let mut under_way = completed("2", "A");
    under_way["state"] = json!("in_progress");
    under_way.as_object_mut().unwrap().remove("completed_on");
    let made = bulk(
        agent,
        "initiatives",
        json!([completed("1", "A"), under_way]),
    )
    .await;
    let path = path_of("initiatives", &made[0]);
    let money = json!({"external_id": "C-2", "initiative_external_id": "1", "side": "commune", "kind": "financial",
        "route": "subsidy", "title": "Subvention", "amount_cents": 100_000, "budget_year": 2019,
        "due_on": "2019-06-30", "state": "fulfilled", "delivered_cents": 90_000, "delivered_on": "2019-06-12"});
    let items = json!([
        commitment("C-1", "1"),
        money,
        commitment("C-3", "2"),
        commitment("C-4", "nothing")
    ]);
    let results = bulk(agent, "commitments", items.clone()).await;
    assert_eq!(
        outcomes(&results),
        ["created", "created", "refused", "refused"]
    );
    assert_eq!(problem(&results[2]).1, ["#/initiative_external_id"]);
    assert_eq!(problem(&results[3]).1, ["#/initiative_external_id"]);
    let shown = world.anyone.get(&format!("{path}/commitments")).await.ok();
    let labour = shown["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["external_id"] == "C-1")
        .unwrap();
    assert_eq!(labour["state"], "fulfilled");
    assert_eq!(labour["delivered_cents"], 130 * 1200);
    assert_eq!(labour["allowed_actions"], json!([]));
    let again = bulk(agent, "commitments", items).await;
    assert_eq!(outcomes(&again)[..2], ["unchanged", "unchanged"]);
    let mut other = commitment("C-1", "1");
    other["title"] = json!("Autre chose");
    assert_eq!(
        problem(&bulk(agent, "commitments", json!([other])).await[0]).0,
        "wrong_state"
    );
    let promised = figure(&world, "value_promised_by_side").await;
    assert!(promised.as_str().unwrap().contains("144000"), "{promised}");
    let delivered = figure(&world, "value_delivered_by_side").await;
    assert!(
        delivered.as_str().unwrap().contains("156000"),
        "{delivered}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_imports_for_others_or_for_themselves() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = format!("/v1/communes/{LOOS}/bulk/holders");
    let body = json!({"items": [club("A")]});
    world
        .anyone
        .post(&path, body.clone())
        .await
        .problem(401, "unauthorized");
    for refused in [
        &world.camille,
        &world.mayor,
        &world.admin,
        &world.foreign_agent,
    ] {
        refused
            .post(&path, body.clone())
            .await
            .problem(403, "forbidden");
    }
    // Nothing of another commune is there.
    let lens = format!("/v1/communes/{LENS}/bulk/holders");
    let there = world
        .foreign_agent
        .post(&lens, body.clone())
        .await
        .expect(207);
    let mut item = completed("1", "A");
    let missed = bulk(&world.agent, "initiatives", json!([item])).await;
    assert_eq!(problem(&missed[0]).1, ["#/holder_external_id"]);
    item.as_object_mut().unwrap().remove("holder_external_id");
    item["holder_id"] = there["data"][0]["id"].clone();
    let missed = bulk(&world.agent, "initiatives", json!([item])).await;
    assert_eq!(problem(&missed[0]).1, ["#/holder_id"]);

    // An agent who carries it themselves leaves it to another.
    let holder = json!({"kind": "collective", "name": "Les voisins"});
    let mine = world
        .agent
        .post(&format!("/v1/communes/{LOOS}/holders"), holder)
        .await
        .created();
    item["holder_id"] = mine["id"].clone();
    let own = bulk(&world.agent, "initiatives", json!([item])).await;
    assert_eq!(problem(&own[0]).0, "conflict_of_interest");
    // A holder with members is theirs.
    let clubs = bulk(&world.agent, "holders", json!([club("A")])).await;
    app.write_rows(&format!(
        "INSERT INTO holder_members (holder_id, commune_code, user_id, state, role, since)
        VALUES ('{}', '{LOOS}', '{}', 'active', 'lead', '2020-01-01T10:00:00Z')",
        clubs[0]["id"].as_str().unwrap(),
        world.camille.id()
    ))
    .await;
    let mut renamed = club("A");
    renamed["name"] = json!("Autre nom");
    let refused = bulk(&world.agent, "holders", json!([renamed, club("B")])).await;
    assert_eq!(outcomes(&refused), ["refused", "created"]);
    assert_eq!(problem(&refused[0]).0, "requirement_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_lets_in_no_other_past() {
    let app = TestApp::new().await;
    let world = app.world().await;
    bulk(&world.agent, "holders", json!([club("A")])).await;
    let idea = json!({"external_id": "2", "title": "Une idée", "holder_external_id": "A"});
    let made = bulk(
        &world.agent,
        "initiatives",
        json!([completed("1", "A"), idea]),
    )
    .await;
    let (past, draft) = (
        made[0]["id"].as_str().unwrap(),
        made[1]["id"].as_str().unwrap(),
    );
    bulk(&world.agent, "commitments", json!([commitment("C-1", "1")])).await;
    let fresh = app.row_id(LOOS);
    for (attack, refusal) in [
        (format!("UPDATE initiatives SET imported_at = now(), past_state = 'withdrawn', past_ended_on = '2020-01-01' WHERE id = '{draft}'"),
            "initiatives_imported_once"),
        (format!("UPDATE initiatives SET imported_at = NULL WHERE id = '{past}'"), "initiatives_imported_once"),
        (format!("UPDATE initiatives SET past_completed_on = '2018-01-01' WHERE id = '{past}'"), "initiatives_imported_in_order"),
        (format!("UPDATE initiatives SET past_decided_on = NULL WHERE id = '{past}'"), "initiatives_imported_whole"),
        (format!("UPDATE initiatives SET external_id = '1' WHERE id = '{draft}'"), "initiatives_external_id_unique"),
        (format!("UPDATE initiatives SET state = 'accepted' WHERE id = '{draft}'"), "lifecycle_transition"),
        ("UPDATE commitments SET state = 'binding' WHERE external_id = 'C-1'".to_owned(), "lifecycle_transition"),
        ("UPDATE commitments SET imported_at = NULL WHERE external_id = 'C-1'".to_owned(), "commitments_imported_once"),
        (format!("INSERT INTO commitments (id, commune_code, initiative_id, side, kind, state, title, quantity, unit,
                unit_value_cents, valuation_method, due_on, proposed_side, proposed_by, state_changed_at, created_at, imported_at)
            SELECT '{fresh}', commune_code, '{draft}', side, kind, state, title, quantity, unit, unit_value_cents,
                valuation_method, due_on, proposed_side, proposed_by, state_changed_at, created_at, imported_at
            FROM commitments WHERE external_id = 'C-1'"), "commitments_imported_settled"),
        (format!("INSERT INTO initiatives (id, commune_code, state, origin, delivery, title, description, theme, holder_id,
                author_id, channel, entered_by, submitted_at, state_changed_at, created_at, folded_text, imported_at,
                past_state, past_decided_on)
            SELECT '{fresh}', commune_code, 'in_progress', origin, delivery, title, description, theme, holder_id, author_id,
                channel, entered_by, submitted_at, state_changed_at, created_at, folded_text, imported_at, 'accepted', '2019-03-20'
            FROM initiatives WHERE id = '{past}'"), "initiatives_imported_in_final_state"),
        (format!("INSERT INTO initiatives (id, commune_code, state, origin, delivery, title, description, theme, holder_id,
                author_id, channel, entered_by, submitted_at, reply_due_on, state_changed_at, created_at, folded_text)
            SELECT '{fresh}', commune_code, 'accepted', origin, delivery, title, description, theme, holder_id, author_id,
                channel, entered_by, submitted_at, '2019-05-01', state_changed_at, created_at, folded_text
            FROM initiatives WHERE id = '{past}'"), "lifecycle_start"),
    ] {
        assert_eq!(app.attack(&attack).await.as_deref(), Some(refusal), "{attack}");
    }
}

const IMPORTS: &str = "/v1/communes/62528/imports";

async fn file(
    caller: &Client,
    query: &str,
    content_type: &str,
    bytes: impl Into<Vec<u8>>,
) -> Reply {
    let path = format!("{IMPORTS}?{query}");
    caller
        .send(Method::POST, &path, Some((content_type, bytes.into())))
        .await
}

/// Brings a file, and waits until it is imported.
async fn brought(
    caller: &Client,
    query: &str,
    content_type: &str,
    bytes: impl Into<Vec<u8>>,
) -> Value {
    let reply = file(caller, query, content_type, bytes).await;
    let path = reply.header("location").to_owned();
    reply.expect(202);
    ended(caller, &path).await
}

async fn ended(caller: &Client, path: &str) -> Value {
    let begin = std::time::Instant::now();
    loop {
        let import = caller.get(path).await.ok();
        if !import["ended_at"].is_null() {
            return import;
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "{import:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn counts(import: &Value) -> [i64; 5] {
    ["total", "created", "updated", "unchanged", "refused"]
        .map(|name| import[format!("rows_{name}")].as_i64().unwrap_or(-1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_and_what_was_refused_is_corrected() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let agent = &world.agent;
    let worker = tokio::spawn(worker::run(app.state.clone()));
    let table = "Identifiant;Nature;Nom;Courriel;Remarque\r\n\
        A;Association;Les Œuvres d'été;a@example.org;rien\r\n\
        B;Licorne;Le club B;b@example.org;=1+1\r\n\
        C;École;;c@example.org;\r\n";
    let import = brought(agent, "resource=holders", "text/csv", table).await;
    assert_eq!(
        (import["state"].as_str(), counts(&import)),
        (Some("done"), [3, 1, 0, 0, 2])
    );
    assert_eq!(import["percent"], 100);
    assert_eq!(import["ignored_columns"], json!(["Remarque"]));
    let errors = format!("/v1/imports/{}/errors.csv", import["id"].as_str().unwrap());
    let refused = agent.with("accept-language", "fr").get(&errors).await;
    let lines: Vec<&str> = refused
        .text
        .trim_start_matches('\u{feff}')
        .lines()
        .collect();
    assert_eq!(lines.len(), 3, "{}", refused.text);
    assert_eq!(lines[0], "Identifiant;Nature;Nom;Courriel;Remarque;erreurs");
    assert!(
        lines[1].starts_with("B;Licorne;Le club B;b@example.org;'=1+1;Nature : "),
        "{}",
        lines[1]
    );
    assert!(lines[2].contains("Nom : "), "{}", lines[2]);
    // Corrected, as a spreadsheet of a town hall saves it, and sent again.
    let corrected = refused
        .text
        .trim_start_matches('\u{feff}')
        .replace("Licorne", "Association")
        .replace("École;;", "École;Collège;");
    let saved: Vec<u8> = corrected
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect();
    let import = brought(agent, "resource=holders", "text/csv", saved).await;
    assert_eq!(counts(&import), [2, 2, 0, 0, 0]);
    let found = format!("/v1/communes/{LOOS}/holders?external_id=C");
    assert_eq!(agent.get(&found).await.ok()["data"][0]["name"], "Collège");
    // Twice the same is once.
    let import = brought(agent, "resource=holders", "text/csv", table).await;
    assert_eq!(counts(&import), [3, 0, 0, 1, 2]);

    // The same as lines of JSON; only looked at first.
    let lines: String = ["1", "2", "nobody"]
        .map(|name| completed(name, if name == "nobody" { "Z" } else { "A" }).to_string() + "\n")
        .concat();
    let list = format!("/v1/initiatives?commune={LOOS}&limit=100");
    let before = agent.get(&list).await.ok();
    let checked = brought(
        agent,
        "resource=initiatives&validate_only=true",
        "application/x-ndjson",
        lines.clone(),
    )
    .await;
    assert_eq!(counts(&checked), [3, 2, 0, 0, 1]);
    assert_eq!(agent.get(&list).await.ok(), before);
    let import = brought(agent, "resource=initiatives", "application/x-ndjson", lines).await;
    assert_eq!(counts(&import), [3, 2, 0, 0, 1]);

    // A row of more cells than titles keeps them, behind what is wrong; and what was wrong the last time goes.
    let long = "Identifiant;Nature;erreurs;Nom\r\nD;Licorne;kind : non;Le club D;de plus\r\n";
    let import = brought(agent, "resource=holders", "text/csv", long).await;
    assert_eq!(
        (counts(&import), &import["ignored_columns"]),
        ([1, 0, 0, 0, 1], &json!([]))
    );
    let errors = format!("/v1/imports/{}/errors.csv", import["id"].as_str().unwrap());
    let refused = agent.with("accept-language", "fr").get(&errors).await.text;
    let lines: Vec<&str> = refused.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines[0], "Identifiant;Nature;Nom;erreurs");
    assert!(
        lines[1].starts_with("D;Licorne;Le club D;") && lines[1].contains("Nature : "),
        "{refused}"
    );
    assert!(lines[1].ends_with(";de plus"), "{refused}");
    let id = import["id"].as_str().unwrap();
    let refusal = |change: &str| {
        format!(
            "INSERT INTO import_refusals SELECT (r).* FROM (SELECT jsonb_populate_record(r, '{change}') AS r
            FROM import_refusals AS r WHERE import_id = '{id}') AS r"
        )
    };
    let mapping = |name: &str, change: &str| {
        format!(
            "INSERT INTO import_mappings SELECT (m).* FROM (SELECT jsonb_populate_record(NULL::import_mappings,
                jsonb_build_object('commune_code', commune_code, 'name', '{name}', 'resource', 'holders',
                    'fields', jsonb '{{}}', 'constants', jsonb '{{}}', 'words', jsonb '{{}}', 'changed_by', created_by,
                    'changed_at', created_at, 'version', 1) || '{change}') AS m FROM imports WHERE id = '{id}') AS m"
        )
    };
    for (attack, refusal) in [
        (
            refusal(r#"{"row_number": 0}"#),
            "import_refusals_row_number",
        ),
        (
            refusal(r#"{"row_number": 2, "cells": {}}"#),
            "import_refusals_cells",
        ),
        (
            refusal(r#"{"row_number": 2, "faults": {"fr": "x"}}"#),
            "import_refusals_faults",
        ),
        (refusal("{}"), "import_refusals_pkey"),
        (
            refusal(&format!(r#"{{"import_id": "{}"}}"#, app.row_id(LOOS))),
            "import_refusals_import_id_commune_code_fkey",
        ),
        (mapping("Les clubs", "{}"), "import_mappings_name"),
        (
            mapping("clubs", r#"{"resource": "users"}"#),
            "import_mappings_resource",
        ),
        (
            mapping("clubs", r#"{"fields": []}"#),
            "import_mappings_fields",
        ),
        (
            mapping("clubs", r#"{"constants": []}"#),
            "import_mappings_constants",
        ),
        (
            mapping("clubs", r#"{"words": []}"#),
            "import_mappings_words",
        ),
        (
            mapping("clubs", r#"{"commune_code": "99999"}"#),
            "import_mappings_commune_code_fkey",
        ),
    ] {
        assert_eq!(
            app.attack(&attack).await.as_deref(),
            Some(refusal),
            "{attack}"
        );
    }

    // What cannot be read fails as a whole, before anything is written.
    for (content_type, text, fault, line) in [
        ("text/csv", "a;b\n1;2\n", "no_columns", None),
        (
            "text/csv",
            "external_id;kind;name\n1;school;\"A\n2;school;B\n",
            "open_quote",
            Some(2),
        ),
        (
            "application/x-ndjson",
            "{\"external_id\": \"9\"}\n{]\n",
            "bad_json",
            Some(2),
        ),
    ] {
        let import = brought(agent, "resource=holders", content_type, text).await;
        assert_eq!(
            (&import["state"], &import["fault"], &import["fault_line"]),
            (&json!("failed"), &json!(fault), &json!(line))
        );
        assert_eq!(counts(&import)[1..], [0, 0, 0, 0]);
    }
    let empty = file(agent, "resource=holders", "text/csv", "").await;
    empty.problem(422, "invalid_body");
    // Nothing of what has ended is in the store.
    let begin = std::time::Instant::now();
    while std::fs::read_dir(app.documents.path().join(LOOS))
        .into_iter()
        .flatten()
        .count()
        > 0
    {
        assert!(begin.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    worker.abort();

    // Nobody else sees what was in it; what waits is cancelled, and what has ended has ended.
    for stranger in [
        &world.camille,
        &world.mayor,
        &world.admin,
        &world.foreign_agent,
    ] {
        stranger.get(&errors).await.problem(404, "not_found");
        stranger.get(IMPORTS).await.problem(403, "forbidden");
        file(stranger, "resource=holders", "text/csv", table)
            .await
            .problem(403, "forbidden");
    }
    let waiting = file(agent, "resource=holders", "text/csv", table).await;
    let cancel = format!("{}/cancel", waiting.header("location"));
    let cancelled = agent.send(Method::POST, &cancel, None).await.ok();
    assert_eq!(cancelled["state"], "cancelled");
    let again = agent.send(Method::POST, &cancel, None).await;
    again.problem(409, "wrong_state");
    let id = cancelled["id"].as_str().unwrap();
    for (attack, refusal) in [
        (
            format!("UPDATE imports SET state = 'queued', ended_at = NULL WHERE id = '{id}'"),
            "imports_go_forward",
        ),
        (
            format!("UPDATE imports SET rows_created = 5 WHERE id = '{id}'"),
            "imports_go_forward",
        ),
        (
            format!("INSERT INTO imports SELECT * FROM imports WHERE id = '{id}'"),
            "imports_start",
        ),
    ] {
        assert_eq!(
            app.attack(&attack).await.as_deref(),
            Some(refusal),
            "{attack}"
        );
    }
    let import = file(agent, "resource=holders", "text/csv", table)
        .await
        .expect(202);
    let id = import["id"].as_str().unwrap();
    for (attack, refusal) in [
        (
            format!("UPDATE imports SET rows_created = 1 WHERE id = '{id}'"),
            "imports_rows_are_counted_once",
        ),
        (
            format!(
                "UPDATE imports SET rows_total = 3, rows_read = 1, rows_created = 1, state = 'done', ended_at = now() WHERE id = '{id}'"
            ),
            "imports_done_to_the_end",
        ),
        (
            format!("UPDATE imports SET state = 'failed', ended_at = now() WHERE id = '{id}'"),
            "imports_fault_of_failures",
        ),
    ] {
        assert_eq!(
            app.attack(&attack).await.as_deref(),
            Some(refusal),
            "{attack}"
        );
    }
}

/// Five thousand published initiatives in much less time than a hundred thousand may take: 100,000 in two minutes are 833 a
/// second, on a machine that does nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn many_are_imported_quickly() {
    const MANY: usize = 5000;
    let app = TestApp::new().await;
    let world = app.world().await;
    bulk(&world.agent, "holders", json!([club("A")])).await;
    let lines: String = (0..MANY)
        .map(|number| completed(&number.to_string(), "A").to_string() + "\n")
        .collect();
    let worker = tokio::spawn(worker::run(app.state.clone()));
    let begin = std::time::Instant::now();
    let import = brought(
        &world.agent,
        "resource=initiatives",
        "application/x-ndjson",
        lines,
    )
    .await;
    let took = begin.elapsed();
    worker.abort();
    assert_eq!(counts(&import), [5000, 5000, 0, 0, 0]);
    println!("{MANY} in {took:?}");
    assert!(took < Duration::from_secs(60), "{took:?}");
    // Each is told in the feed once.
    let mut told = 0;
    let mut next = format!("/v1/communes/{LOOS}/changes?kind=initiative&limit=100");
    loop {
        let page = world.anyone.get(&next).await.ok();
        told += page["data"].as_array().unwrap().len();
        if page["has_more"] != true {
            break;
        }
        next = format!(
            "/v1/communes/{LOOS}/changes?kind=initiative&limit=100&after={}",
            page["next_cursor"].as_str().unwrap()
        );
    }
    assert_eq!(told, MANY);
}

/// A file of parts, as office programs make them.
fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn xlsx(rows: &str) -> Vec<u8> {
    let sheet = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    );
    zipped(&[
        (
            "[Content_Types].xml",
            r#"<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Projets" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
        ),
        // The first style is that of plain cells, the second that of days.
        (
            "xl/styles.xml",
            r#"<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#,
        ),
        ("xl/worksheets/sheet1.xml", &sheet),
    ])
}

fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="Projets">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"#
    );
    zipped(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", &content),
    ])
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";

#[tokio::test(flavor = "multi_thread")]
async fn the_spreadsheet_that_a_town_hall_has_is_read_by_a_saved_mapping() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let agent = &world.agent;
    bulk(agent, "holders", json!([club("A")])).await;
    let mappings = format!("/v1/communes/{LOOS}/mappings");
    let path = format!("{mappings}/tableau-des-projets");
    let mapping = json!({"resource": "initiatives",
        "columns": {"N° dossier": "external_id", "Intitulé": "title", "Où en est-on": "state", "Délibération": "decided_on",
            "Reçu": "submitted_on", "Fini": "completed_on"},
        "constants": {"theme": "agriculture", "holder_external_id": "A", "description": "Repris du tableau.", "published": "oui"},
        "words": {"state": {"Terminé": "completed", "En panne": "abandoned"}}});
    for refused in [&world.camille, &world.mayor, &world.foreign_agent] {
        refused
            .put(&path, mapping.clone())
            .await
            .problem(403, "forbidden");
        refused.get(&mappings).await.problem(403, "forbidden");
    }
    let mut wrong = mapping.clone();
    wrong["columns"]["Intitulé"] = json!("titel");
    wrong["constants"]["couleur"] = json!("rouge");
    let reply = agent.put(&path, wrong).await;
    assert_eq!(
        reply.pointers(),
        ["#/columns/Intitulé", "#/constants/couleur"]
    );
    reply.problem(422, "invalid_body");
    agent
        .put(&format!("{mappings}/Tableau"), mapping.clone())
        .await
        .problem(404, "not_found");
    agent.put(&path, mapping.clone()).await.created();
    agent
        .put(&path, mapping.clone())
        .await
        .problem(428, "precondition_required");
    agent
        .with("if-match", "*")
        .put(&path, mapping.clone())
        .await
        .ok();
    assert_eq!(agent.get(&path).await.ok()["words"], mapping["words"]);
    assert_eq!(
        agent.get(&mappings).await.ok()["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // Two at once make one.
    let (one, two) = (format!("{mappings}/deux"), format!("{mappings}/deux"));
    let (one, two) = tokio::join!(
        agent.put(&one, mapping.clone()),
        agent.put(&two, mapping.clone())
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 428]);

    let worker = tokio::spawn(worker::run(app.state.clone()));
    let text = |column: &str, row: u32, text: &str| {
        format!(r#"<c r="{column}{row}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    };
    let day = |column: &str, row: u32, number: u32| {
        format!(r#"<c r="{column}{row}" s="1"><v>{number}</v></c>"#)
    };
    // 43500 is 4 February 2019.
    let book = xlsx(&format!(
        r#"<row r="1">{}{}{}{}{}{}</row><row r="3"><c r="A3"><v>42</v></c>{}{}{}{}{}</row>"#,
        text("A", 1, "N° dossier"),
        text("B", 1, "Intitulé"),
        text("C", 1, "Où en est-on"),
        text("D", 1, "Reçu"),
        text("E", 1, "Délibération"),
        text("F", 1, "Fini"),
        text("B", 3, "Chemins &amp; haies"),
        text("C", 3, "Terminé"),
        day("D", 3, 43500),
        day("E", 3, 43544),
        day("F", 3, 43769),
    ));
    let query = "resource=initiatives&mapping=tableau-des-projets";
    let import = brought(agent, query, XLSX, book).await;
    assert_eq!(
        (&import["state"], counts(&import)),
        (&json!("done"), [1, 1, 0, 0, 0]),
        "{import:#}"
    );
    let found = format!("/v1/initiatives?commune={LOOS}&external_id=42");
    let found = world.anyone.get(&found).await.ok();
    let seen = &found["data"][0];
    assert_eq!(
        (&seen["title"], &seen["state"]),
        (&json!("Chemins & haies"), &json!("completed"))
    );
    assert_eq!(seen["submitted_at"], "2019-02-03T23:00:00Z");

    // The same from another office: unchanged; and a row that is wrong, with a word that nobody translates.
    let cell = |text: &str| {
        format!(
            r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#
        )
    };
    let day = |day: &str| {
        format!(
            r#"<table:table-cell office:value-type="date" office:date-value="{day}"><text:p>un jour</text:p></table:table-cell>"#
        )
    };
    let number = |value: u32| {
        format!(
            r#"<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value},00</text:p></table:table-cell>"#
        )
    };
    let titles = [
        "N° dossier",
        "Intitulé",
        "Où en est-on",
        "Reçu",
        "Délibération",
        "Fini",
    ]
    .map(cell)
    .concat();
    let row = |value, state| {
        format!(
            "<table:table-row>{}{}{}{}{}{}</table:table-row>",
            number(value),
            cell("Chemins &amp; haies"),
            cell(state),
            day("2019-02-04"),
            day("2019-03-20"),
            day("2019-10-31")
        )
    };
    let empty = r#"<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#;
    let book = ods(&format!(
        "<table:table-row>{titles}</table:table-row>{}{empty}{}",
        row(42, "Terminé"),
        row(43, "Perdu")
    ));
    let import = brought(agent, query, ODS, book).await;
    assert_eq!(
        (&import["state"], counts(&import)),
        (&json!("done"), [2, 0, 0, 1, 1]),
        "{import:#}"
    );

    // What is no spreadsheet, and what would unfold to more than anybody has.
    let zeros = " ".repeat(1 << 20);
    let mut bomb = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    bomb.start_file("content.xml", zip::write::SimpleFileOptions::default())
        .unwrap();
    for _ in 0..1000 {
        bomb.write_all(zeros.as_bytes()).unwrap();
    }
    let bomb = bomb.finish().unwrap().into_inner();
    for (content_type, bytes, fault) in [
        (XLSX, b"PK\x03\x04 nothing".to_vec(), "unreadable"),
        (ODS, bomb, "too_large"),
        (ODS, xlsx(""), "unreadable"),
    ] {
        let import = brought(agent, query, content_type, bytes).await;
        assert_eq!(
            (&import["state"], &import["fault"]),
            (&json!("failed"), &json!(fault))
        );
    }
    worker.abort();
    let unknown = file(
        agent,
        "resource=holders&mapping=tableau-des-projets",
        "text/csv",
        "Nom\nA\n",
    )
    .await;
    unknown.problem(400, "invalid_query");
    agent.with("if-match", "*").delete(&path).await.expect(204);
    agent.get(&path).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_too_late_is_not_kept() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (open, opened) = tokio::sync::oneshot::channel::<()>();
    let rest = stream::once(async move {
        opened.await.unwrap();
        Ok::<_, std::io::Error>(b"1;A;school".as_slice())
    });
    let file = stream::iter([Ok(b"external_id;name;kind\n".as_slice())]).chain(rest);
    let agent = world.agent.clone();
    let upload = tokio::spawn(async move {
        let path = format!("{IMPORTS}?resource=holders");
        let body = reqwest::Body::wrap_stream(file);
        agent
            .send_any(Method::POST, &path, Some(("text/csv", body)))
            .await
    });
    while app.count("SELECT count(*) FROM imports").await < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // So late that it was taken for one that was cut.
    app.travel_to("2026-06-15T11:30:01Z");
    clockwork::turn(&app.state).await.unwrap();
    assert_eq!(app.count("SELECT count(*) FROM imports").await, 0);
    open.send(()).unwrap();
    upload.await.unwrap().problem(408, "request_timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commune_has_a_hundred_mappings_at_most() {
    let app = TestApp::new().await;
    let world = app.world().await;
    app.write_rows(&format!(
        "INSERT INTO import_mappings (commune_code, name, resource, fields, constants, words, changed_by, changed_at)
        SELECT '{LOOS}', 'm' || n, 'holders', '{{}}', '{{}}', '{{}}', '{}', now() FROM generate_series(1, 100) AS n",
        world.agent.id()
    ))
    .await;
    let path = format!("/v1/communes/{LOOS}/mappings/one-more");
    let mapping = json!({"resource": "holders", "columns": {}, "constants": {}, "words": {}});
    world
        .agent
        .put(&path, mapping)
        .await
        .problem(409, "requirement_missing");
}
