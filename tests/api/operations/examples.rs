//! The examples in the document: every request and every answer has one, it is valid, and it was seen.
//! `UPDATE_SNAPSHOTS=1` records them anew in `openapi/examples.json`; then make the document anew too.

use serde_json::{Map, Value, json};

use super::{FORM, all, ready};
use crate::support::TestApp;
use crate::support::client::{OCTETS, faults_by};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/examples.json");

/// Enough of a list to see what it is.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.truncate(2);
            items.iter_mut().for_each(shorten);
        }
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

/// Nobody should take a token of a test for one that counts.
fn without_tokens(value: &mut Value) {
    for (name, shown) in [
        (
            "access_token",
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiJ9.e30.AA",
        ),
        ("refresh_token", "rt_example"),
        ("token", "rt_example"),
    ] {
        if value[name].is_string() {
            value[name] = json!(shown);
        }
    }
    if let Some(secret) = value["secret"].as_str() {
        let nothing = "A".repeat(43);
        value["secret"] = match secret.strip_prefix("whsec_") {
            Some(_) => json!(format!("whsec_{nothing}=")),
            None => json!(nothing),
        };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn record() {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_none() {
        return;
    }
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut recorded = Map::new();
    for operation in all() {
        let case = ready(&app, &world, &operation).await;
        let mut request = case.body.clone().unwrap_or_default();
        without_tokens(&mut request);
        let reply = case.send(&operation).await;
        let mut answers = Map::new();
        let mut keep = |status: String, body: Value| {
            let mut body = body;
            shorten(&mut body);
            without_tokens(&mut body);
            if !body.is_null() {
                answers.insert(status, body);
            }
        };
        // A file: whole, and the beginning of it.
        if reply.header("content-type") == OCTETS {
            let range = case.caller.with("range", "bytes=0-7").get(&case.path).await;
            for reply in [&reply, &range] {
                keep(reply.status.as_str().to_owned(), json!(reply.text));
            }
        }
        keep(reply.status.as_str().to_owned(), reply.body);
        let another = match operation.id.as_str() {
            "put_measure" => Some(case.path.replace("/19", "/20")),
            "put_mapping" => Some(format!("{}-bis", case.path)),
            _ => None,
        };
        if let Some(path) = another {
            let made = case.caller.put(&path, case.body.clone().unwrap()).await;
            keep(made.status.as_str().to_owned(), made.body);
        }
        if operation.content_type().as_deref() == Some(FORM) {
            let refused = app.anyone().form(&case.path, &[]).await;
            keep(refused.status.as_str().to_owned(), refused.body);
        }
        let mut example = Map::new();
        if !request.is_null() {
            example.insert("request".to_owned(), request);
        }
        example.insert("answers".to_owned(), Value::Object(answers));
        recorded.insert(operation.id.clone(), Value::Object(example));
    }
    let text = serde_json::to_string_pretty(&recorded).unwrap() + "\n";
    std::fs::write(RECORDED, text).unwrap();
}

#[test]
fn every_request_and_every_answer_has_a_valid_example() {
    let document = fifty_fifty::openapi::document(None);
    let mut missing = Vec::new();
    let mut check = |place: String, content: &Value| {
        for (content_type, media) in content.as_object().into_iter().flatten() {
            let place = format!("{place} {content_type}");
            match &media["example"] {
                Value::Null => missing.push(place),
                example => {
                    let faults = faults_by(&media["schema"], example);
                    assert!(faults.is_empty(), "{place}: {faults:#?}");
                }
            }
        }
    };
    for operation in all() {
        let described = &operation.described;
        check(
            format!("{} request", operation.id),
            &described["requestBody"]["content"],
        );
        for (status, response) in described["responses"].as_object().unwrap() {
            check(format!("{} {status}", operation.id), &response["content"]);
        }
    }
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        check(name.clone(), &response["content"]);
    }
    assert!(missing.is_empty(), "no example: {missing:#?}");
}
