//! Hours of volunteers and payments: fulfilments that say how they were counted.

use serde_json::{Value, json};

use crate::commitments::{bound, of_holder};
use crate::conventions::planters;
use crate::support::TestApp;
use crate::support::app::LOOS;

fn money() -> Value {
    json!({"side": "commune", "kind": "financial", "title": "Terreau", "route": "purchase",
        "amount_cents": 60_000, "budget_year": 2026, "due_on": "2026-10-01"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timesheet_is_worth_its_minutes() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut labour = of_holder("Chantier", json!({"due_on": "2026-12-31"}));
    labour["valuation"]["unit_value_cents"] = json!(1_207);
    let (_, _, paths) = bound(&world, vec![labour, planters()]).await;
    let to = format!("{}/fulfilments", paths[0]);
    let sheet = json!([
        {"worked_on": "2026-06-13", "minutes": 125, "people": 3, "label": "Équipe du samedi"},
        {"worked_on": "2026-06-15", "minutes": 50},
    ]);
    let done = json!({"done_on": "2026-06-15", "evidence": "Feuille", "timesheet": sheet});
    let made = world.camille.post(&to, done.clone()).await.created();
    assert_eq!(made["minutes"], 425);
    assert_eq!(made["quantity"], "7.083");
    assert_eq!(
        made["value_cents"], 8_550,
        "425 × 12.07 EUR ÷ 60 = 85.4958…"
    );
    assert_eq!(made["timesheet"][1]["people"], 1);

    // Half a cent is rounded up, though a sixtieth has no end.
    let one = json!({"done_on": "2026-06-15", "evidence": "Feuille",
        "timesheet": [{"worked_on": "2026-06-15", "minutes": 30}]});
    let half = world.camille.post(&to, one).await.created();
    assert_eq!(half["value_cents"], 604, "12.07 EUR ÷ 2 = 6.035");

    // Everybody sees the hours once they are acknowledged, and those who work together the labels.
    let path = format!("/v1/fulfilments/{}", made["id"].as_str().unwrap());
    world
        .agent
        .act(&path, "acknowledge", Value::Null)
        .await
        .ok();
    let public = world.anyone.get(&path).await.ok();
    assert_eq!(public["minutes"], 425);
    assert!(public["timesheet"][0]["label"].is_null());
    let inside = world.agent.get(&path).await.ok();
    assert_eq!(inside["timesheet"][0]["label"], "Équipe du samedi");

    let with = |name: &str, value: Value| {
        let mut body = done.clone();
        body[name] = value;
        body
    };
    let mut empty = done.clone();
    empty["timesheet"] = json!([]);
    let long = json!([{"worked_on": "2026-06-15", "minutes": 1_441}]);
    for wrong in [
        with("quantity", json!("7")),
        with("done_on", json!("2026-06-14")),
        with("payment_reference", json!("Mandat 1")),
        with("timesheet", long),
        empty,
    ] {
        world
            .camille
            .post(&to, wrong)
            .await
            .problem(422, "invalid_body");
    }
    // Planters are not counted in hours.
    world
        .agent
        .post(&format!("{}/fulfilments", paths[1]), done)
        .await
        .problem(409, "requirement_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_says_under_which_number_it_was_made() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mayor = world.mayor.with("if-match", "*");
    mayor
        .put(
            &format!("/v1/communes/{LOOS}/envelopes/2026"),
            json!({"amount_cents": 100_000}),
        )
        .await
        .ok();
    let upkeep = of_holder("Chantier", json!({"due_on": "2026-12-31"}));
    let (_, _, paths) = bound(&world, vec![money(), upkeep]).await;
    let paid = json!({"done_on": "2026-06-15", "amount_cents": 25_000, "evidence": "Facture 12",
        "payment_reference": "Mandat 2026-1187"});
    let made = world
        .agent
        .post(&format!("{}/fulfilments", paths[0]), paid)
        .await
        .created();
    assert_eq!(made["payment_reference"], "Mandat 2026-1187");
    assert_eq!(made["minutes"], Value::Null);

    // The database holds what a fulfilment is worth.
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let insert = |path: &str, columns: &str, values: &str| {
        format!(
            "INSERT INTO fulfilments (id, commune_code, commitment_id, state, done_on, evidence, recorded_by, recorded_side, \
                recorded_at, {columns}) \
             VALUES ('{}', '{LOOS}', '{}', 'recorded', '2026-06-15', 'x', '{}', 'holder', '2026-06-15T10:00:00Z', {values})",
            app.row_id(LOOS),
            id(path),
            world.camille.id()
        )
    };
    let sheet = |minutes: i64, people: i64| {
        format!(
            "'[{{\"worked_on\": \"2026-06-15\", \"minutes\": {minutes}, \"people\": {people}}}]'"
        )
    };
    let hours = "quantity, value_cents, timesheet";
    for (sql, refusal) in [
        (
            insert(&paths[1], "quantity, value_cents", "2, 3001"),
            "fulfilments_value_as_agreed",
        ),
        (
            insert(&paths[0], "amount_cents, value_cents", "2, 3"),
            "fulfilments_value_as_agreed",
        ),
        (
            insert(&paths[1], hours, &format!("1.5, 1500, {}", sheet(60, 1))),
            "fulfilments_timesheet",
        ),
        (
            insert(&paths[1], hours, &format!("1, 1500, {}", sheet(-60, -1))),
            "fulfilments_timesheet",
        ),
        (
            insert(&paths[1], hours, "1, 1500, '[]'"),
            "fulfilments_timesheet",
        ),
        (
            insert(
                &paths[0],
                "amount_cents, quantity, value_cents, timesheet",
                &format!("NULL, 1, 1500, {}", sheet(60, 1)),
            ),
            "fulfilments_timesheet_of_hours",
        ),
        (
            insert(
                &paths[1],
                "quantity, value_cents, payment_reference",
                "2, 3000, 'Mandat 1'",
            ),
            "fulfilments_payment_reference",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
    let right = insert(&paths[1], hours, &format!("1, 1500, {}", sheet(20, 3)));
    assert_eq!(app.attack(&right).await, None);
}
