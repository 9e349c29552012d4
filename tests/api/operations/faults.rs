//! Every fault that a request can have, at every operation where it can happen: what comes back is a problem that says
//! what is wrong, and nothing has changed.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Case, Operation, all, encoded, is_json, ready};
use crate::conventions::active;
use crate::initiatives::{association, in_review};
use crate::support::app::{LOOS, World};
use crate::support::client::Reply;
use crate::support::{Client, TestApp};

/// A caller whose request is right in every way but the one that is tried.
fn caller(operation: &Operation, case: &Case) -> Client {
    if operation.takes("If-Match") {
        case.caller.with("if-match", "*")
    } else {
        case.caller.clone()
    }
}

#[track_caller]
fn refused(operation: &Operation, what: &str, reply: Reply, status: u16, code: &str) -> Value {
    let seen = (reply.status.as_u16(), reply.body["code"].as_str());
    // The token endpoint answers as OAuth has it.
    if operation.id == "issue_token" && reply.body["error"].is_string() {
        assert!(reply.status.is_client_error(), "{what}: {}", reply.text);
        return reply.body;
    }
    assert_eq!(
        seen,
        (status, Some(code)),
        "{} with {what}: {}",
        operation.id,
        reply.text
    );
    assert_eq!(
        reply.header("content-type"),
        "application/problem+json",
        "{}",
        operation.id
    );
    assert_eq!(
        reply.body["request_id"],
        reply.header("x-request-id"),
        "{}",
        operation.id
    );
    reply.body
}

/// Everything that can be wrong whatever the body.
async fn outside(world: &World, operation: &Operation, case: &Case) {
    let send =
        async |caller: &Client, path: &str| case_at(case, path).send_bare(operation, caller).await;
    let right = caller(operation, case);
    let joint = if case.path.contains('?') { '&' } else { '?' };
    for (query, what) in [
        ("unknown_parameter=1", "an unknown parameter"),
        ("unknown_parameter=%00", "NUL in the query"),
        ("%ff=%fe", "no UTF-8 in the query"),
    ] {
        let reply = send(&right, &format!("{}{joint}{query}", case.path)).await;
        refused(operation, what, reply, 400, "invalid_query");
    }
    if operation.takes("limit") {
        let forged = if operation.takes("cursor") {
            "cursor=bm90aGluZw"
        } else {
            "after=bm90aGluZw"
        };
        for (query, what) in [
            ("limit=3&limit=4", "a repeated parameter"),
            ("limit=0", "a limit of nothing"),
            ("limit=101", "a limit over the limit"),
            ("limit=9223372036854775808", "2^63"),
            ("limit=NaN", "no number"),
            (forged, "a forged cursor"),
        ] {
            // Besides what the operation needs.
            let (path, needed) = case.path.split_once('?').unwrap_or((&case.path, ""));
            let kept: Vec<&str> = needed
                .split('&')
                .filter(|pair| {
                    !pair.is_empty() && !pair.starts_with("limit=") && !pair.starts_with("cursor=")
                })
                .chain([query])
                .collect();
            let reply = send(&right, &format!("{path}?{}", kept.join("&"))).await;
            refused(
                operation,
                what,
                reply,
                400,
                if what == "a forged cursor" {
                    "invalid_cursor"
                } else {
                    "invalid_query"
                },
            );
        }
    }
    let nobody = if operation.takes("If-Match") {
        world.anyone.with("if-match", "*")
    } else {
        world.anyone.clone()
    };
    // Who asks for a token, or gives one back, needs none: these two never look at one.
    if !["issue_token", "revoke_token"].contains(&operation.id.as_str()) {
        let bogus = nobody.with("authorization", "Bearer e30.e30.e30");
        let reply = send(&bogus, &case.path).await;
        let challenge = reply.header("www-authenticate").to_owned();
        assert_eq!(
            challenge, "Bearer error=\"invalid_token\"",
            "{}",
            operation.id
        );
        refused(operation, "a bogus token", reply, 401, "unauthorized");
    }
    let free = operation.described["security"]
        .as_array()
        .is_some_and(|ways| ways.is_empty() || ways.contains(&json!({})));
    if !free {
        let reply = send(&nobody, &case.path).await;
        assert_eq!(
            reply.header("www-authenticate"),
            "Bearer",
            "{}",
            operation.id
        );
        refused(operation, "no token", reply, 401, "unauthorized");
    }
    if operation.takes("If-Match") {
        let reply = send(&case.caller, &case.path).await;
        // What is being made has no version yet.
        if !reply.status.is_success() {
            refused(
                operation,
                "no If-Match",
                reply,
                428,
                "precondition_required",
            );
            let stale = case.caller.with("if-match", "\"99999-0000000000000000\"");
            refused(
                operation,
                "a stale ETag",
                send(&stale, &case.path).await,
                412,
                "stale_version",
            );
        }
    }
    // A path with an id that is none, and one with an id that nobody has.
    let ids = operation
        .path
        .split('/')
        .zip(case.path.split('?').next().unwrap().split('/'));
    for (part, (template, _)) in ids
        .enumerate()
        .filter(|(_, (template, _))| template.starts_with('{'))
    {
        for wrong in [
            "x",
            "00000000-0000-0000-0000-000000000000",
            "019ecab9-4500-826d-8c20-e9ea82b796d8",
            "%00",
            "%ff",
            "..%2f",
        ] {
            let path: Vec<&str> = case
                .path
                .split('/')
                .enumerate()
                .map(|(at, text)| if at == part { wrong } else { text })
                .collect();
            let reply = send(&right, &path.join("/")).await;
            assert!(
                matches!(reply.status.as_u16(), 404 | 403 | 422),
                "{} with {wrong} for {template}: {} {}",
                operation.id,
                reply.status,
                reply.text
            );
        }
    }
}

fn case_at(case: &Case, path: &str) -> Case {
    Case {
        path: path.to_owned(),
        ..case.clone()
    }
}

/// Everything that can be wrong with a body, whatever is in it.
async fn of_the_body(operation: &Operation, case: &Case) {
    let Some(body) = &case.body else { return };
    let content_type = operation.content_type().unwrap();
    let right = caller(operation, case);
    let method = || operation.method.clone();
    let send = async |content_type: &str, bytes: Vec<u8>| {
        right
            .send(method(), &case.path, Some((content_type, bytes)))
            .await
    };
    let good = encoded(&content_type, body);
    for (wrong, what) in [
        ("text/plain", "a wrong content type"),
        ("application/xml", "XML"),
        ("", "an empty content type"),
    ] {
        let reply = send(wrong, good.clone()).await;
        refused(operation, what, reply, 415, "unsupported_media_type");
    }
    let zipped = right.with("content-encoding", "gzip");
    let bomb = zipped
        .send(method(), &case.path, Some((&content_type, gzip_bomb())))
        .await;
    refused(
        operation,
        "a gzip bomb",
        bomb,
        415,
        "unsupported_media_type",
    );
    // Who brings many things may bring more.
    let size = match operation.id.as_str() {
        "start_import" => 9_000_000,
        id if id.starts_with("bulk_") => 4_200_000,
        _ => 300_000,
    };
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(size));
    let reply = send(&content_type, large.into_bytes()).await;
    refused(operation, "a large body", reply, 413, "too_large");
    if !is_json(&content_type) {
        return;
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (bytes, what) in [
        (b"{".to_vec(), "half an object"),
        (Vec::new(), "no body"),
        (b"{\"a\":NaN}".to_vec(), "NaN"),
        (b"{\"a\":1,}".to_vec(), "a comma too many"),
        (b"{\"a\":\"\xff\xfe\"}".to_vec(), "no UTF-8"),
        (deep.into_bytes(), "depth 10,000"),
        (b"{\"a\":1e999}".to_vec(), "a number beyond all limits"),
    ] {
        let reply = send(&content_type, bytes).await;
        refused(operation, what, reply, 400, "malformed_json");
    }
    for not_an_object in [json!([]), json!(null), json!("x"), json!(1)] {
        let reply = send(&content_type, not_an_object.to_string().into_bytes()).await;
        refused(operation, "no object", reply, 422, "invalid_body");
    }
    let mut both = body.clone();
    both["unknown_field"] = json!(1);
    both["unknown\u{0}field"] = json!("\u{0}");
    let reply = send(&content_type, both.to_string().into_bytes()).await;
    assert!(
        reply.pointers().len() >= 2,
        "{}: all faults at once: {}",
        operation.id,
        reply.text
    );
    refused(operation, "two unknown fields", reply, 422, "invalid_body");
}

/// A megabyte of zeros twice compressed is small; what it would become is not.
fn gzip_bomb() -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap()
}

/// The leaves of a body with their pointers.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                leaves(member, &format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => found.push(pointer.to_owned()),
    }
}

/// Wrong values for each leaf of a body: the answer names the leaf, and only it.
async fn of_each_value(operation: &Operation, case: &Case) {
    let (Some(body), Some(content_type)) = (&case.body, operation.content_type()) else {
        return;
    };
    if !is_json(&content_type) {
        return;
    }
    let right = caller(operation, case);
    let mut pointers = Vec::new();
    leaves(body, "", &mut pointers);
    for pointer in pointers {
        let present = body.pointer(&pointer).unwrap();
        let mut wrong = vec![json!({"x": []}), json!(["x"])];
        match present {
            Value::String(text) => {
                wrong.extend([json!(7), json!("\u{0}"), json!("x".repeat(100_000))]);
                if text.parse::<chrono::NaiveDate>().is_ok() {
                    for day in [
                        "2027-02-29",
                        "2026-13-01",
                        "294277-01-01",
                        "demain",
                        "2026-06-15T10:00:00Z",
                        "",
                    ] {
                        wrong.push(json!(day));
                    }
                } else if uuid::Uuid::parse_str(text).is_ok() {
                    wrong.extend([json!("x"), json!("00000000-0000-0000-0000-00000000000")]);
                }
            }
            Value::Number(_) => wrong.extend([
                json!("7"),
                json!(9_223_372_036_854_775_808_u64),
                json!(-9_223_372_036_854_775_808_i64),
                json!(1e300),
            ]),
            Value::Bool(_) => wrong.extend([json!("true"), json!(1)]),
            _ => {}
        }
        for value in wrong {
            let mut bad = body.clone();
            *bad.pointer_mut(&pointer).unwrap() = value.clone();
            let bytes = bad.to_string().into_bytes();
            let reply = right
                .send(
                    operation.method.clone(),
                    &case.path,
                    Some((&content_type, bytes)),
                )
                .await;
            let told = reply.text.len();
            // Of many items each is answered in its place.
            if operation.id.starts_with("bulk_") && pointer.starts_with("/items/0/") {
                assert!(told < 5_000, "{} with {pointer}", operation.id);
                let item = reply.expect(207)["data"][0].clone();
                assert_eq!(
                    item["outcome"], "refused",
                    "{} with {pointer} = {value:.60}",
                    operation.id
                );
                let at = item["problem"]["errors"][0]["pointer"].as_str().unwrap();
                let expected = pointer.replacen("/items/0", "#", 1);
                assert!(
                    expected.starts_with(at),
                    "{} with {pointer} = {value:.60}: {at}",
                    operation.id
                );
                continue;
            }
            let seen: Vec<String> = reply.pointers().into_iter().map(str::to_owned).collect();
            refused(
                operation,
                &format!("{pointer} = {value:.60}"),
                reply,
                422,
                "invalid_body",
            );
            let expected = format!("#{pointer}");
            assert!(
                seen.iter()
                    .any(|at| *at == expected || expected.starts_with(&format!("{at}/"))),
                "{} with {pointer} = {value:.60}: {seen:?}",
                operation.id
            );
            // The value that was refused is never told back.
            assert!(told < 5_000, "{} with {pointer}", operation.id);
        }
    }
}

/// Methods that the path does not have, and those that every path has.
async fn of_the_method(operation: &Operation, case: &Case, known: &[Method]) {
    let caller = caller(operation, case);
    let mut allowed: Vec<String> = known.iter().map(Method::to_string).collect();
    allowed.push("OPTIONS".to_owned());
    if known.contains(&Method::GET) {
        allowed.push("HEAD".to_owned());
    }
    allowed.sort_unstable();
    let allow = allowed.join(", ");
    for method in [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::TRACE,
    ] {
        if known.contains(&method) {
            continue;
        }
        let reply = caller.send(method.clone(), &case.path, None).await;
        assert_eq!(reply.header("allow"), allow, "{method} {}", operation.path);
        refused(operation, method.as_str(), reply, 405, "method_not_allowed");
    }
    let options = caller.send(Method::OPTIONS, &case.path, None).await;
    assert_eq!(
        (options.status.as_u16(), options.header("allow")),
        (204, allow.as_str()),
        "{}",
        operation.path
    );
    if operation.method == Method::GET {
        let (head, get) = (
            caller.send(Method::HEAD, &case.path, None).await,
            caller.get(&case.path).await,
        );
        assert_eq!(
            (head.status, head.text.as_str()),
            (get.status, ""),
            "{}",
            operation.id
        );
        for name in ["content-length", "content-type", "etag", "cache-control"] {
            assert_eq!(
                head.header(name),
                get.header(name),
                "{} {name}",
                operation.id
            );
        }
        if !get.header("etag").is_empty() {
            let reader = caller.with("if-none-match", get.header("etag"));
            let same = reader.get(&case.path).await;
            assert_eq!(
                (same.status.as_u16(), same.text.as_str()),
                (304, ""),
                "{}",
                operation.id
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_answered_at_every_operation() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let operations = all();
    for operation in &operations {
        let known: Vec<Method> = operations
            .iter()
            .filter(|other| other.path == operation.path)
            .map(|other| other.method.clone())
            .collect();
        let case = ready(&app, &world, operation).await;
        let before = app.fingerprint().await;
        outside(&world, operation, &case).await;
        of_the_method(operation, &case, &known).await;
        of_the_body(operation, &case).await;
        of_each_value(operation, &case).await;
        assert_eq!(
            app.fingerprint().await,
            before,
            "{} changed something",
            operation.id
        );
        // It was the fault that was refused, not the request.
        let reply = case.send(operation).await;
        assert!(
            reply.status.is_success(),
            "{}: {}",
            operation.id,
            reply.text
        );
    }
}

/// Actions that may be taken again: another opinion, another secret, and what is published, or is not, stays so.
const REPEATED: [&str; 4] = [
    "give_initiative_opinion",
    "publish_initiative",
    "rotate_webhook_secret",
    "unpublish_initiative",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_not_done_twice() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for operation in all() {
        // Actions change a state, and what they need is gone.
        let is_action = operation.method == Method::POST && operation.takes("If-Match");
        if !is_action {
            continue;
        }
        let case = ready(&app, &world, &operation).await;
        case.send(&operation).await;
        let again = case.send(&operation).await;
        if again.status.is_success() {
            assert!(
                REPEATED.contains(&operation.id.as_str()),
                "{}",
                operation.id
            );
            continue;
        }
        let french = case
            .caller
            .with("accept-language", "fr")
            .with("if-match", "*");
        let (english, french) = (again, case.send_bare(&operation, &french).await);
        assert!(
            matches!(english.status.as_u16(), 403 | 409),
            "{}: {}",
            operation.id,
            english.text
        );
        assert_ne!(
            english.body["title"], french.body["title"],
            "{}",
            operation.id
        );
        assert_eq!(
            english.body["code"], french.body["code"],
            "{}",
            operation.id
        );
        if english.body["code"] == "wrong_state" {
            assert!(
                english.body["state"].is_string(),
                "{}: {}",
                operation.id,
                english.text
            );
        }
    }
}

/// What the document lists and no request meets that is wrong in one way only.
#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_the_moment() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (agent, camille) = (&world.agent, &world.camille);
    let dominique = world.dominique.with("if-match", "*");

    // Everybody reads what is published; only its holder changes it, and not at any time.
    let initiative = in_review(&world).await;
    let place = json!({"place": "Plaine de Loos"});
    let refused = dominique.patch(&initiative, place.clone()).await;
    refused.problem(403, "forbidden");
    let late = camille.with("if-match", "*");
    let late = late.patch(&initiative, place).await;
    late.problem(409, "wrong_state");
    let submit = format!("{initiative}/submit");
    let submitted = dominique.post(&submit, json!({})).await;
    submitted.problem(403, "forbidden");
    let unpublished = crate::initiatives::submitted(&world).await;
    let join = format!("{unpublished}/participation");
    let joined = camille.put(&join, json!({})).await;
    joined.problem(409, "requirement_missing");

    // Only agents enter holders for others; a SIRET is one holder's; who only asks to join has no rights to change.
    let holders = format!("/v1/communes/{LOOS}/holders");
    let group = json!({"kind": "collective", "name": "Les voisins", "on_behalf": true});
    let entered = dominique.post(&holders, group).await;
    entered.problem(403, "forbidden");
    let first = association(camille, "Les jardiniers").await;
    let second = association(camille, "Les chemins").await;
    let siret = camille.get(&format!("/v1/holders/{first}")).await.ok()["siret"].clone();
    let second = format!("/v1/holders/{second}");
    let lead = camille.with("if-match", "*");
    let taken = lead.patch(&second, json!({"siret": siret})).await;
    taken.problem(409, "already_exists");
    dominique
        .post(&format!("{second}/join"), json!({}))
        .await
        .ok();
    let asking = format!("{second}/members/{}", world.dominique.id());
    let early = lead.patch(&asking, json!({"may_sign": true})).await;
    early.problem(409, "wrong_state");

    // What is signed stays as it is.
    let (_, convention) = active(&world).await;
    let signed = agent.with("if-match", "*");
    let signed = signed.patch(&convention, json!({"notice_days": 60})).await;
    signed.problem(409, "wrong_state");

    // Nobody stands on both sides, to read what the town hall thinks or to say what was said.
    let about = camille.get(&initiative).await.ok();
    let meeting = json!({"title": "Réunion de quartier", "held_on": "2026-06-10", "initiative_id": about["id"]});
    let meetings = format!("/v1/communes/{LOOS}/meetings");
    let meeting = agent.post(&meetings, meeting).await;
    let path = meeting.header("location").to_owned();
    meeting.created();
    app.write_rows(&format!(
        "UPDATE holder_members SET user_id = '{}' WHERE holder_id = '{}'",
        agent.id(),
        about["holder"]["id"].as_str().unwrap()
    ))
    .await;
    let notes = agent.get(&format!("{initiative}/notes")).await;
    notes.problem(409, "conflict_of_interest");
    let both = agent.with("if-match", "*");
    let changed = both.patch(&path, json!({"attendance": 12})).await;
    changed.problem(409, "conflict_of_interest");
}
