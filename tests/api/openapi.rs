//! The committed document is the one that is served.

use crate::support::TestApp;

#[test]
fn the_committed_document_is_that_of_the_code() {
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json"))
            .unwrap_or_default();
    let made = fifty_fifty::openapi::printed(&fifty_fifty::openapi::document(None));
    assert!(
        committed == made,
        "run: cargo run -- openapi > openapi/openapi.json"
    );
}

#[test]
fn every_operation_is_described() {
    let document = fifty_fifty::openapi::document(None);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for field in ["operationId", "summary", "tags", "responses"] {
                assert!(
                    !operation[field].is_null(),
                    "{method} {path} has no {field}"
                );
            }
            assert_eq!(
                operation["tags"].as_array().unwrap().len(),
                1,
                "{method} {path} has one tag"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_pages_are_served() {
    let app = TestApp::new().await;
    let document = app.anyone().get("/openapi.json").await.ok();
    assert_eq!(document, fifty_fifty::openapi::document(None));
    for path in ["/", "/docs"] {
        let answer = app.anyone().get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (307, "/docs/"),
            "{path}"
        );
    }
    assert!(app.anyone().get("/docs/").await.text.contains("Swagger UI"));
    let page = app.anyone().get("/problems/not_found").await;
    assert_eq!(page.status, 200);
    assert_eq!(app.anyone().get("/livez").await.text, "ok\n");
    assert_eq!(app.anyone().get("/readyz").await.text, "ready\n");
    let measured = app.anyone().get("/metrics").await.text;
    assert!(
        measured
            .contains("http_server_request_duration_seconds_bucket{http_request_method=\"GET\""),
        "{measured}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_demonstration_its_page_is_unknown() {
    let app = TestApp::new().await;
    for path in ["/demo", "/demo/", "/demo/app.js"] {
        app.anyone().get(path).await.problem(404, "not_found");
    }
}
