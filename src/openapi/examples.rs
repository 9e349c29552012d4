//! Examples in the document: what the tests saw when they made every operation succeed. They are recorded in
//! `openapi/examples.json`, by operation: the request, and the answer of each status.

use serde_json::Value;

use crate::http::error::Code;
use crate::http::problem;

const RECORDED: &str = include_str!("../../openapi/examples.json");

/// The code that shows best what a status means, where an operation does not say which.
const TYPICAL: &[(&str, Code)] = &[
    ("400", Code::InvalidQuery),
    ("401", Code::Unauthorized),
    ("403", Code::Forbidden),
    ("404", Code::NotFound),
    ("408", Code::RequestTimeout),
    ("409", Code::WrongState),
    ("412", Code::StaleVersion),
    ("413", Code::TooLarge),
    ("415", Code::UnsupportedMediaType),
    ("416", Code::RangeNotSatisfiable),
    ("422", Code::InvalidBody),
    ("428", Code::PreconditionRequired),
    ("429", Code::TooManyRequests),
    ("501", Code::NotTypeset),
    ("503", Code::Busy),
];

/// Puts the examples where they belong.
pub fn add(document: &mut Value) {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap_or_default();
    for item in members(document.get_mut("paths")) {
        for operation in members(Some(item)) {
            let id = operation
                .get("operationId")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let example = recorded.get(id).unwrap_or(&Value::Null);
            let request = example.get("request").unwrap_or(&Value::Null);
            for media in members(operation.pointer_mut("/requestBody/content")) {
                set(media, request);
            }
            for (status, response) in entries(operation.get_mut("responses")) {
                let answer = example.pointer(&format!("/answers/{status}"));
                add_to_response(status, response, answer.unwrap_or(&Value::Null));
            }
        }
    }
    for (name, response) in entries(document.pointer_mut("/components/responses")) {
        let status = super::PROBLEMS
            .iter()
            .find(|(_, named, _)| named == name)
            .map_or("", |(status, ..)| status);
        // Of all conflicts this one has a name of its own.
        if name == "StillRunning" {
            let example = problem::example(Code::StillRunning);
            set_problem(response, &example);
        } else {
            add_to_response(status, response, &Value::Null);
        }
    }
}

fn add_to_response(status: &str, response: &mut Value, answer: &Value) {
    for content_type in [
        "application~1json",
        "application~1geo+json",
        "application~1ld+json",
        "application~1octet-stream",
    ] {
        if let Some(media) = response.pointer_mut(&format!("/content/{content_type}")) {
            set(media, answer);
        }
    }
    if let Some((_, code)) = TYPICAL.iter().find(|(typical, _)| *typical == status) {
        set_problem(response, &problem::example(*code));
    }
}

fn set_problem(response: &mut Value, example: &Value) {
    if let Some(media) = response.pointer_mut("/content/application~1problem+json") {
        set(media, example);
    }
}

fn set(media: &mut Value, example: &Value) {
    if !example.is_null() && media.is_object() {
        media["example"] = example.clone();
    }
}

fn entries(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

fn members(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    entries(value).map(|(_, member)| member)
}
