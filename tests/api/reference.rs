//! Front ends learn codes, labels and lifecycles from the API, and these are the database's own.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use fifty_fifty::db::schema::lifecycle_transitions;
use fifty_fifty::reference::registry::lifecycles;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn codes_have_labels_in_french_and_english() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    let all = anyone.get("/v1/reference").await.ok();
    let themes = anyone.get("/v1/reference/themes").await;
    assert!(themes.header("cache-control").starts_with("public"));
    let etag = themes.header("etag").to_owned();
    let themes = themes.ok();
    assert!(all["data"].as_array().unwrap().contains(&themes));
    assert_eq!(
        themes["codes"][0],
        json!({"code": "environment", "labels": {"fr": "Environnement", "en": "Environment"}})
    );
    let again = anyone
        .with("if-none-match", &etag)
        .get("/v1/reference/themes")
        .await;
    assert_eq!(again.status.as_u16(), 304);
    anyone
        .get("/v1/reference/nothing")
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn lifecycles_are_data() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    let all = anyone.get("/v1/lifecycles").await.ok();
    assert_eq!(all["data"].as_array().unwrap().len(), lifecycles().len());
    let life = anyone.get("/v1/lifecycles/initiative").await.ok();
    assert_eq!(life["start"], "draft");
    let transitions = life["transitions"].as_array().unwrap();
    let close = transitions
        .iter()
        .find(|transition| transition["action"] == "close")
        .unwrap();
    assert_eq!(
        *close,
        json!({
            "action": "close", "labels": {"fr": "Clôturer", "en": "Close"}, "from": ["completed"], "to": "closed", "or_to": [],
            "who": ["agent"], "requires": {"fr": "Un bilan validé.", "en": "A validated evaluation."},
        })
    );
    let update = &transitions[0];
    assert_eq!(
        (&update["to"], &update["requires"]),
        (&json!(null), &json!(null))
    );
    anyone
        .get("/v1/lifecycles/nothing")
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_the_same_lifecycles() {
    let app = TestApp::new().await;
    let mut conn = app.database().await;
    for lifecycle in lifecycles() {
        let mut rows: Vec<(String, String)> = lifecycle_transitions::table
            .filter(lifecycle_transitions::lifecycle.eq(lifecycle.subject))
            .select((
                lifecycle_transitions::from_state,
                lifecycle_transitions::to_state,
            ))
            .load(&mut conn)
            .await
            .unwrap();
        rows.sort_unstable();
        let rows: Vec<(&str, &str)> = rows
            .iter()
            .map(|(from, to)| (from.as_str(), to.as_str()))
            .collect();
        assert_eq!(lifecycle.transitions, rows, "{}", lifecycle.name);
    }
}
