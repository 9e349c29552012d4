//! Every operation of the document, each with one way in which it succeeds. The checks that must hold for all operations
//! take theirs from here: an operation without a case fails them.

mod authorization;
mod cases;
mod examples;
mod faults;
mod repetition;

use fifty_fifty::openapi;
use reqwest::Method;
use serde_json::{Map, Value};

use crate::support::app::World;
use crate::support::client::Reply;
use crate::support::{Client, TestApp};

/// The content type of OAuth's requests.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// An operation as the document has it.
#[derive(Clone, Debug)]
pub struct Operation {
    pub id: String,
    pub method: Method,
    /// `/v1/initiatives/{id}`
    pub path: String,
    pub described: Value,
}

impl Operation {
    /// Whether it takes a header or query parameter of this name.
    pub fn takes(&self, name: &str) -> bool {
        self.described["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|parameter| parameter["name"] == name)
    }

    /// The content type of its body, if it has one.
    pub fn content_type(&self) -> Option<String> {
        let content = self.described["requestBody"]["content"].as_object()?;
        content.keys().next().cloned()
    }
}

/// All of them, in the order of the document.
pub fn all() -> Vec<Operation> {
    let document = openapi::document(None);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, described) in item.as_object().unwrap() {
            operations.push(Operation {
                id: described["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                described: described.clone(),
            });
        }
    }
    operations
}

/// One request that succeeds, made ready.
#[derive(Clone)]
pub struct Case {
    pub caller: Client,
    pub path: String,
    /// A form's fields as an object, a file as a text.
    pub body: Option<Value>,
}

impl Case {
    fn new(caller: &Client, path: impl Into<String>) -> Self {
        Self {
            caller: caller.clone(),
            path: path.into(),
            body: None,
        }
    }

    fn with(self, body: Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// The request of this case as somebody makes it, with `If-Match: *` where the operation takes it.
    pub async fn send_as(&self, operation: &Operation, caller: &Client) -> Reply {
        let caller = if operation.takes("If-Match") {
            caller.with("if-match", "*")
        } else {
            caller.clone()
        };
        self.send_bare(operation, &caller).await
    }

    /// The same without `If-Match`.
    pub async fn send_bare(&self, operation: &Operation, caller: &Client) -> Reply {
        let content_type = operation.content_type();
        let body = self.body.as_ref().map(|body| {
            let content_type = content_type.as_deref().expect("a body that it takes");
            (content_type, encoded(content_type, body))
        });
        caller
            .send(operation.method.clone(), &self.path, body)
            .await
    }

    /// The request as it is meant.
    pub async fn send(&self, operation: &Operation) -> Reply {
        self.send_as(operation, &self.caller).await
    }
}

/// Whether a body of this type is a JSON value; others are forms and files.
pub fn is_json(content_type: &str) -> bool {
    content_type == "application/json" || content_type.ends_with("+json")
}

/// A body as it is sent.
pub fn encoded(content_type: &str, body: &Value) -> Vec<u8> {
    if let (false, Some(text)) = (is_json(content_type), body.as_str()) {
        return text.as_bytes().to_vec();
    }
    if content_type != FORM {
        return body.to_string().into_bytes();
    }
    let fields: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    let fields: Vec<(&String, &str)> = fields
        .iter()
        .map(|(name, value)| (name, value.as_str().unwrap_or_default()))
        .collect();
    serde_urlencoded::to_string(fields).unwrap().into_bytes()
}

/// Makes an operation's case ready: what it needs is new, so that cases do not disturb each other.
pub async fn ready(app: &TestApp, world: &World, operation: &Operation) -> Case {
    cases::case(app, world, &operation.id)
        .await
        .unwrap_or_else(|| {
            panic!(
                "{} has no case in tests/api/operations/cases.rs",
                operation.id
            )
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_succeeds() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for operation in all() {
        let case = ready(&app, &world, &operation).await;
        let reply = case.send(&operation).await;
        assert!(
            reply.status.is_success(),
            "{}: {} {}",
            operation.id,
            reply.status,
            reply.text
        );
        if reply.status == 201 {
            let there = case.caller.get(reply.header("location")).await;
            // Whoever has just registered signs in first.
            let status = if operation.id == "register_account" {
                401
            } else {
                200
            };
            assert_eq!(there.status, status, "{}: its Location", operation.id);
        }
        // Whoever takes If-Match gives the ETag for the next time, unless nothing is left.
        if operation.takes("If-Match") && reply.status != 204 {
            assert!(
                !reply.header("etag").is_empty(),
                "{}: no ETag",
                operation.id
            );
        }
    }
}
