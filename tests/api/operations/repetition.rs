//! Every POST may be repeated with its `Idempotency-Key`: fifty at once do the work once.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Case, FORM, Operation, all, ready};
use crate::support::client::Reply;
use crate::support::{Client, TestApp};

/// Requests at once.
const CROWD: usize = 50;

/// The account of those who have none.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// While the first request is at work, the next one is told so. A crowd alone may miss that moment: here the first one
/// is at work for as long as the test holds its lock.
async fn still_running(app: &TestApp, operation: &Operation, case: &Case, caller: &Client) {
    let me = caller.get("/v1/me").await.body["id"].clone();
    let name = format!(
        "{} POST {} {}-1",
        me.as_str().unwrap_or(NOBODY),
        case.path.split('?').next().unwrap(),
        operation.id
    );
    let (first, connection) = tokio_postgres::connect(&app.database_url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let lock = "SELECT pg_advisory_lock(hashtextextended($1, 5050))";
    first.execute(lock, &[&name]).await.unwrap();
    let told = case.send_as(operation, caller).await;
    assert_eq!(told.header("retry-after"), "1", "{}", operation.id);
    told.problem(409, "still_running");
    let unlock = "SELECT pg_advisory_unlock(hashtextextended($1, 5050))";
    first.execute(unlock, &[&name]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_do_it_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for operation in all() {
        // The token endpoint and its like would store secrets.
        if operation.method != Method::POST || operation.content_type().as_deref() == Some(FORM) {
            continue;
        }
        let case = ready(&app, &world, &operation).await;
        let caller = case
            .caller
            .with("idempotency-key", &format!("\"{}-1\"", operation.id));
        still_running(&app, &operation, &case, &caller).await;
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..CROWD {
            let (case, operation, caller) = (case.clone(), operation.clone(), caller.clone());
            crowd.spawn(async move { case.send_as(&operation, &caller).await });
        }
        let (mut done, mut replayed) = (Vec::new(), 0);
        while let Some(reply) = crowd.join_next().await {
            let reply = reply.unwrap();
            match reply.status.as_u16() {
                200..=299 if reply.header("idempotency-replayed") == "true" => {
                    replayed += 1;
                    done.push(reply);
                }
                200..=299 => done.push(reply),
                // So many passwords at once are more than the server hashes.
                429 => drop(reply.problem(429, "too_many_requests")),
                _ => {
                    assert_eq!(
                        reply.header("retry-after"),
                        "1",
                        "{}: {}",
                        operation.id,
                        reply.text
                    );
                    reply.problem(409, "still_running");
                }
            }
        }
        assert_eq!(done.len() - replayed, 1, "{} was done once", operation.id);
        let before = app.fingerprint().await;
        // A secret is shown once.
        let shown = |reply: &Reply| {
            let mut body = reply.body.clone();
            if operation.path.contains("/clients") && body["secret"].is_string() {
                body["secret"] = Value::Null;
            }
            body
        };
        // Much later the same answer, and nothing more is done.
        let again = case.send_as(&operation, &caller).await;
        assert_eq!(
            again.header("idempotency-replayed"),
            "true",
            "{}",
            operation.id
        );
        for reply in &done {
            for name in ["location", "etag"] {
                assert_eq!(
                    reply.header(name),
                    again.header(name),
                    "{} {name}",
                    operation.id
                );
            }
            assert_eq!(
                (reply.status, shown(reply)),
                (again.status, shown(&again)),
                "{}",
                operation.id
            );
        }
        assert_eq!(app.fingerprint().await, before, "{}", operation.id);
        // The key stands for that request, not for another.
        if let Some(body) = &case.body {
            let mut other = case.clone();
            let mut body = body.clone();
            if body.is_string() {
                body = json!("autre chose");
            } else {
                let known = body.as_object().unwrap().keys().next().cloned();
                match known {
                    Some(name) => body[name] = json!("autre chose"),
                    None => continue,
                }
            }
            other.body = Some(body);
            let reply = other.send_as(&operation, &caller).await;
            assert_eq!(reply.status, 422, "{}: {}", operation.id, reply.text);
        }
        // Somebody else's key of the same name is another key.
        let other = world
            .foreign_mayor
            .with("idempotency-key", &format!("\"{}-1\"", operation.id));
        let reply = case.send_as(&operation, &other).await;
        assert_eq!(reply.header("idempotency-replayed"), "", "{}", operation.id);
    }
}
