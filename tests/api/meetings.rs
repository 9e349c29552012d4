//! Public meetings: agents record them, everybody reads those that are about nothing hidden.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::app::{LENS, LOOS};
use crate::support::rows::Initiative;

const PATH: &str = "/v1/communes/62528/meetings";

fn meeting(held_on: &str) -> Value {
    json!({"title": "Réunion de quartier", "place": "Salle des fêtes", "held_on": held_on, "attendance": 45})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_records_corrects_and_deletes_a_meeting() {
    let app = TestApp::new().await;
    let world = app.world().await;
    world
        .anyone
        .post(PATH, meeting("2026-03-12"))
        .await
        .problem(401, "unauthorized");
    for refused in [
        &world.camille,
        &world.mayor,
        &world.foreign_agent,
        &world.admin,
    ] {
        refused
            .post(PATH, meeting("2026-03-12"))
            .await
            .problem(403, "forbidden");
    }
    world
        .agent
        .post("/v1/communes/99999/meetings", meeting("2026-03-12"))
        .await
        .problem(404, "not_found");
    let tomorrow = world.agent.post(PATH, meeting("2026-06-16")).await;
    assert_eq!(tomorrow.pointers(), ["#/attendance"]);
    let far = json!({"title": "Réunion de quartier", "held_on": "2027-06-17"});
    assert_eq!(world.agent.post(PATH, far).await.pointers(), ["#/held_on"]);

    let reply = world.agent.post(PATH, meeting("2026-06-15")).await;
    let (path, etag) = (
        reply.header("location").to_owned(),
        reply.header("etag").to_owned(),
    );
    assert_eq!(reply.created()["commune"]["name"], "Loos-en-Gohelle");
    let read = world.anyone.get(&path).await;
    assert!(read.header("cache-control").starts_with("public"));
    assert_eq!(read.ok()["attendance"], 45);

    let patch = json!({"attendance": null, "title": "Réunion"});
    for refused in [&world.camille, &world.mayor, &world.foreign_agent] {
        refused
            .with("if-match", "*")
            .patch(&path, patch.clone())
            .await
            .problem(403, "forbidden");
    }
    world
        .agent
        .patch(&path, patch.clone())
        .await
        .problem(428, "precondition_required");
    let agent = world.agent.with("if-match", &etag);
    let changed = agent.patch(&path, patch.clone()).await.ok();
    assert_eq!(
        (&changed["attendance"], &changed["title"], &changed["place"]),
        (&json!(null), &json!("Réunion"), &json!("Salle des fêtes"))
    );
    agent.delete(&path).await.problem(412, "stale_version");
    world
        .agent
        .with("if-match", "*")
        .delete(&path)
        .await
        .expect(204);
    world.anyone.get(&path).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn meetings_page_by_day_and_filter_by_year() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for day in ["2025-12-31", "2026-01-01", "2026-01-01", "2026-05-05"] {
        world.agent.post(PATH, meeting(day)).await.created();
    }
    let days = |page: &Value| -> Vec<String> {
        let items = page["data"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["held_on"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = world.anyone.get(&format!("{PATH}?limit=2")).await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world
        .anyone
        .get(&format!("{PATH}?limit=2&cursor={cursor}"))
        .await
        .ok();
    assert_eq!(days(&first), ["2026-05-05", "2026-01-01"]);
    assert_eq!(days(&second), ["2026-01-01", "2025-12-31"]);
    assert_eq!(second["has_more"], false);
    let year = world.anyone.get(&format!("{PATH}?year=2025")).await.ok();
    assert_eq!(days(&year), ["2025-12-31"]);
    world
        .anyone
        .get(&format!("{PATH}?year=1"))
        .await
        .problem(400, "invalid_query");
    world
        .anyone
        .get("/v1/communes/99999/meetings")
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_as_public_as_its_initiative() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = app
        .holder_row(LOOS, "association", Some(world.camille.id()))
        .await;
    let hidden = app
        .initiative_row(Initiative {
            commune: LOOS,
            state: "in_review",
            holder,
            author: world.camille.id(),
            submitted_at: "2026-02-01T10:00:00Z",
            published: false,
        })
        .await;
    let mut about = meeting("2026-03-12");
    about["initiative_id"] = json!(hidden);
    let reply = world.agent.post(PATH, about.clone()).await;
    let path = reply.header("location").to_owned();
    assert_eq!(reply.created()["initiative"]["title"], "Chemins");
    world
        .agent
        .post(PATH, meeting("2026-01-01"))
        .await
        .created();

    let listed = format!("{PATH}?initiative={hidden}");
    for (reader, sees) in [
        (&world.anyone, false),
        (&world.dominique, false),
        (&world.foreign_mayor, false),
        (&world.camille, true),
        (&world.agent, true),
        (&world.mayor, true),
    ] {
        let found = |page: Value| page["data"].as_array().unwrap().len();
        assert_eq!(found(reader.get(&listed).await.ok()), usize::from(sees));
        assert_eq!(found(reader.get(PATH).await.ok()), 1 + usize::from(sees));
        let status = if sees { 200 } else { 404 };
        assert_eq!(reader.get(&path).await.status.as_u16(), status);
    }
    app.write_rows(&format!(
        "UPDATE initiatives SET published_at = submitted_at WHERE id = '{hidden}'"
    ))
    .await;
    world.anyone.get(&path).await.ok();

    // An agent who is a member of the holder records nothing about it.
    app.write_rows(&format!(
        "UPDATE holder_members SET user_id = '{}' WHERE holder_id = '{holder}'",
        world.agent.id()
    ))
    .await;
    world
        .agent
        .post(PATH, about.clone())
        .await
        .problem(409, "conflict_of_interest");
    world
        .agent
        .with("if-match", "*")
        .delete(&path)
        .await
        .problem(409, "conflict_of_interest");
    // Nor does another commune's agent, and an unknown initiative is a fault of the body.
    let elsewhere = format!("/v1/communes/{LENS}/meetings");
    let foreign = world.foreign_agent.post(&elsewhere, about).await;
    assert_eq!(foreign.pointers(), ["#/initiative_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_announced_and_counts_once_it_was_held() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let announced = json!({"title": "Réunion à venir", "held_on": "2026-07-02"});
    let reply = world.agent.post(PATH, announced).await;
    let path = reply.header("location").to_owned();
    reply.created();
    let calendar = world.anyone.get(&format!("{PATH}.ics")).await.text;
    assert!(calendar.contains("20260702"), "{calendar}");
    let figures = format!(
        "/v1/metrics?communes={LOOS}&from=2026&to=2026&indicators=public_meetings,attendance"
    );
    let counted = async || {
        let report = world.anyone.get(&figures).await.ok();
        let values = report["territories"][0]["periods"][0]["values"].clone();
        [values[0]["value"].clone(), values[1]["value"].clone()]
    };
    assert_eq!(counted().await, ["0", "0"]);
    let early = world.agent.edit(&path, json!({"attendance": 30})).await;
    assert_eq!(early.pointers(), ["#/attendance"]);
    app.travel_to("2026-07-02T18:00:00Z");
    world
        .agent
        .edit(&path, json!({"attendance": 30}))
        .await
        .ok();
    assert_eq!(counted().await, ["1", "30"]);
    // It was held: it does not become one to come again.
    let back = world
        .agent
        .edit(&path, json!({"held_on": "2026-08-01"}))
        .await;
    assert_eq!(back.pointers(), ["#/attendance"]);
}
