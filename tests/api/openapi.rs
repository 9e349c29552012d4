//! The committed document is the one that is served.

use serde_json::Value;

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

/// Lists that are as long as what there is to tell.
const UNLIMITED: &[&str] = &[
    "CommitmentList/data",
    "ComparisonReport/data",
    "Convention/commitments",
    "ConventionContent/commitments",
    "ConventionList/data",
    "FulfilmentList/data",
    "HeadcountList/data",
    "InitiativeMap/features",
    "Jwks/keys",
    "LeftOutList/data",
    "Lifecycle/transitions",
    "LifecycleTables/data",
    "LifecycleTransition/from",
    "LifecycleTransition/or_to",
    "LinkedData/@graph",
    "Me/mandates",
    "MetricDictionary/data",
    "MetricValue/parts",
    "PeriodMetrics/measures",
    "PeriodMetrics/values",
    "Point/coordinates/items",
    "PracticeMap/features",
    "Problem/errors",
    "RecusalList/data",
    "ReferenceList/codes",
    "ReferenceLists/data",
    "TemplatePreview/html",
    "UpkeepHandOverList/data",
    "WorkPage/counts",
];

/// What a schema says of its values, and nothing limits: each with its place.
fn unlimited(schema: &Value, at: &str, found: &mut Vec<String>) {
    for choice in ["oneOf", "anyOf", "allOf"] {
        for inner in schema[choice].as_array().into_iter().flatten() {
            unlimited(inner, at, found);
        }
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            unlimited(property, &format!("{at}/{name}"), found);
        }
    }
    if schema["items"].is_object() {
        unlimited(&schema["items"], &format!("{at}/items"), found);
    }
    let is = |name: &str| {
        schema["type"] == name
            || schema["type"]
                .as_array()
                .is_some_and(|types| types.contains(&name.into()))
    };
    let says = |words: &[&str]| words.iter().any(|word| !schema[*word].is_null());
    let fixed = ["uuid", "date", "date-time"].map(Value::from);
    let limited = says(&["enum", "const"])
        || if is("string") {
            says(&["maxLength", "pattern"]) || fixed.contains(&schema["format"])
        } else if is("integer") || is("number") {
            says(&["minimum"])
        } else {
            !is("array") || says(&["maxItems"])
        };
    if !limited {
        found.push(at.to_owned());
    }
}

#[test]
fn every_property_is_described_and_has_limits() {
    let document = fifty_fifty::openapi::document(None);
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        unlimited(schema, name, &mut found);
        for (property, described) in schema["properties"].as_object().into_iter().flatten() {
            let description = described["description"].as_str().unwrap_or_default();
            assert!(
                !description.is_empty(),
                "{name}/{property} is not described"
            );
        }
    }
    found.sort_unstable();
    assert_eq!(found, UNLIMITED);
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
