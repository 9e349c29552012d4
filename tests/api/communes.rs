//! Communes are found by those who look for them, and set by those who may.

use serde_json::json;

use crate::support::TestApp;
use crate::support::app::{LENS, LOOS};

#[tokio::test(flavor = "multi_thread")]
async fn a_commune_is_found_by_name_postal_code_and_department() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    let names = async |query: &str| -> Vec<String> {
        let page = anyone.get(&format!("/v1/communes?{query}")).await.ok();
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|commune| commune["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("q=loos%20goh").await, ["Loos-en-Gohelle"]);
    assert_eq!(names("q=LIEVIN").await, ["Liévin", "Merck-Saint-Liévin"]);
    assert_eq!(names("q=li%C3%A9vin&limit=1").await, ["Liévin"]);
    assert_eq!(names("q=62750").await, ["Loos-en-Gohelle"]);
    assert_eq!(names("q=!!").await, Vec::<String>::new());
    assert_eq!(
        names("department=975&sort=-population").await,
        ["Saint-Pierre", "Miquelon-Langlade"]
    );
    assert_eq!(
        names("sort=-population&limit=2").await,
        ["Paris", "Marseille"]
    );
    let loos = anyone.get("/v1/communes/62528").await;
    assert!(loos.header("cache-control").starts_with("public"));
    let again = anyone
        .with("if-none-match", loos.header("etag"))
        .get("/v1/communes/62528")
        .await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    assert_eq!(loos.ok()["intercommunality"]["name"], "CA de Lens - Liévin");
    anyone
        .get("/v1/communes/99999")
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_without_gap_or_repeat() {
    let app = TestApp::new().await;
    for sort in ["name", "-population"] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/communes?department=62&sort={sort}&limit=100");
        loop {
            let reply = app.anyone().get(&path).await;
            let link = reply.header("link").to_owned();
            let page = reply.ok();
            seen.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|commune| commune["code"].as_str().unwrap().to_owned()),
            );
            if page["has_more"] == false {
                assert_eq!(page["next_cursor"], json!(null));
                break;
            }
            // The header says the same as the body.
            path = link.split(['<', '>']).nth(3).unwrap().to_owned();
            assert!(path.contains(page["next_cursor"].as_str().unwrap()));
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), count), (887, 887), "{sort}");
    }
    let page = app
        .anyone()
        .get("/v1/communes?department=62&limit=1")
        .await
        .ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    let elsewhere = format!("/v1/communes?department=59&limit=1&cursor={cursor}");
    app.anyone()
        .get(&elsewhere)
        .await
        .problem(400, "invalid_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_those_of_the_communes_own_officials() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = format!("/v1/communes/{LOOS}");
    let etag = world.mayor.get(&path).await.header("etag").to_owned();
    let patch = json!({"reply_delay_days": 45});

    world
        .anyone
        .patch(&path, patch.clone())
        .await
        .problem(401, "unauthorized");
    for refused in [&world.camille, &world.agent, &world.foreign_mayor] {
        refused
            .patch(&path, patch.clone())
            .await
            .problem(403, "forbidden");
    }
    world
        .mayor
        .patch(&path, patch.clone())
        .await
        .problem(428, "precondition_required");
    world
        .mayor
        .with("if-match", "\"99-x\"")
        .patch(&path, patch.clone())
        .await
        .problem(412, "stale_version");
    let mayor = world.mayor.with("if-match", &etag);
    assert_eq!(
        mayor.patch(&path, patch.clone()).await.ok()["settings"]["reply_delay_days"],
        45
    );
    // The version that was read is the version that was changed: the same request does not count twice.
    mayor
        .patch(&path, patch)
        .await
        .problem(412, "stale_version");
    let wrong = world
        .mayor
        .with("if-match", "*")
        .patch(&path, json!({"reply_delay_days": 0, "name": "x"}))
        .await;
    assert_eq!(wrong.pointers(), ["#/name", "#/reply_delay_days"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_enrols_and_grants_mandates() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let enrol = "/v1/communes/59350/enrol";
    world
        .mayor
        .post(enrol, json!({}))
        .await
        .problem(403, "forbidden");
    assert!(world.admin.post(enrol, json!({})).await.ok()["enrolled_at"].is_string());
    world
        .admin
        .post(enrol, json!({}))
        .await
        .problem(409, "already_exists");

    let mandates = format!("/v1/communes/{LENS}/mandates");
    let grant = |email: &str| json!({"email": email, "role": "agent", "capacity": "Stagiaire", "may_sign": false, "starts_on": "2026-06-15"});
    world
        .foreign_mayor
        .post(&mandates, grant("camille@example.org"))
        .await
        .problem(403, "forbidden");
    let unknown = world
        .admin
        .post(&mandates, grant("nobody@example.org"))
        .await;
    assert_eq!(unknown.pointers(), ["#/email"]);
    let mut signing = grant("camille@example.org");
    signing["may_sign"] = json!(true);
    world
        .admin
        .post(&mandates, signing)
        .await
        .problem(422, "invalid_body");
    let unenrolled = "/v1/communes/62001/mandates";
    world
        .admin
        .post(unenrolled, grant("camille@example.org"))
        .await
        .problem(409, "requirement_missing");

    world.camille.get(&mandates).await.problem(403, "forbidden");
    let reply = world
        .admin
        .post(&mandates, grant("Camille@Example.org"))
        .await;
    let path = reply.header("location").to_owned();
    let etag = reply.header("etag").to_owned();
    reply.created();
    // The right is there from the first day on, and gone the day after the last.
    assert_eq!(
        world.camille.get(&mandates).await.ok()["data"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    world.dominique.get(&path).await.problem(404, "not_found");
    world.camille.get(&path).await.ok();
    let ended = world
        .admin
        .with("if-match", &etag)
        .patch(&path, json!({"ends_on": "2026-06-15"}))
        .await
        .ok();
    assert_eq!(ended["ends_on"], "2026-06-15");
    world.camille.get(&mandates).await.ok();
    app.travel_to("2026-06-15T22:00:00Z");
    world.camille.get(&mandates).await.problem(403, "forbidden");
}
