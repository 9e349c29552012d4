//! Measures: what a commune counts by hand, with its year and source.

use serde_json::{Value, json};

use crate::support::TestApp;

const LIST: &str = "/v1/communes/62528/measures";

fn measure(value: &str) -> Value {
    json!({"value": value, "unit": "associations", "source": "Annuaire municipal"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measure_is_reported_replaced_and_deleted() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = format!("{LIST}/number_of_associations/2024");
    world
        .anyone
        .put(&path, measure("73"))
        .await
        .problem(401, "unauthorized");
    for refused in [&world.camille, &world.foreign_agent, &world.admin] {
        refused
            .put(&path, measure("73"))
            .await
            .problem(403, "forbidden");
    }
    // A version of what is not there is stale.
    world
        .agent
        .with("if-match", "*")
        .put(&path, measure("73"))
        .await
        .problem(412, "stale_version");
    let reply = world.agent.put(&path, measure("70.000")).await;
    assert_eq!(reply.header("location"), path);
    let etag = reply.header("etag").to_owned();
    assert_eq!(reply.created()["value"], "70");

    world
        .mayor
        .put(&path, measure("73"))
        .await
        .problem(428, "precondition_required");
    let mayor = world.mayor.with("if-match", &etag);
    assert_eq!(mayor.put(&path, measure("73")).await.ok()["value"], "73");
    mayor
        .put(&path, measure("74"))
        .await
        .problem(412, "stale_version");
    assert_eq!(world.anyone.get(&path).await.ok()["value"], "73");

    world
        .camille
        .with("if-match", "*")
        .delete(&path)
        .await
        .problem(403, "forbidden");
    world
        .agent
        .delete(&path)
        .await
        .problem(428, "precondition_required");
    world
        .agent
        .with("if-match", "*")
        .delete(&path)
        .await
        .expect(204);
    world.anyone.get(&path).await.problem(404, "not_found");
    world
        .agent
        .with("if-match", "*")
        .delete(&path)
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_measure_are_named() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let wrong = json!({"value": "1.2345", "unit": "", "source": " "});
    let reply = world.agent.put(&format!("{LIST}/trees/2024"), wrong).await;
    assert_eq!(reply.status.as_u16(), 422);
    assert_eq!(reply.pointers(), ["#/source", "#/unit", "#/value"]);
    for nowhere in ["Trees/2024", "t/2024", "trees/1899", "trees/x"] {
        world
            .agent
            .put(&format!("{LIST}/{nowhere}"), measure("1"))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_list_by_year() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for (indicator, year, value) in [
        ("trees", 2023, "120"),
        ("trees", 2024, "150"),
        ("number_of_associations", 2024, "73"),
    ] {
        world
            .agent
            .put(&format!("{LIST}/{indicator}/{year}"), measure(value))
            .await
            .created();
    }
    let values = async |query: &str| -> Vec<String> {
        let page = world.anyone.get(&format!("{LIST}?{query}")).await.ok();
        let items = page["data"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["value"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(values("indicator=trees").await, ["150", "120"]);
    assert_eq!(values("year=2023").await, ["120"]);
    let first = world.anyone.get(&format!("{LIST}?limit=2")).await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(values(&format!("limit=2&cursor={cursor}")).await, ["120"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_first_reports_one_is_first() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = format!("{LIST}/trees/2024");
    let (a, b) = tokio::join!(
        world.agent.put(&path, measure("1")),
        world.mayor.put(&path, measure("2"))
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 428]);
}
