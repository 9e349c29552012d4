//! Whatever comes in, what goes out is a problem that helps its reader.

use diesel_async::SimpleAsyncConnection;
use reqwest::Method;
use serde_json::json;

use crate::support::TestApp;
use crate::support::app::POOL_SIZE;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_a_problem() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    let json_type = "application/json";
    let send = async |method: Method, path: &str, body: Option<(&str, Vec<u8>)>| {
        anyone.send(method, path, body).await
    };

    anyone.get("/v1/nothing").await.problem(404, "not_found");
    anyone
        .get("/nothing/at/all")
        .await
        .problem(404, "not_found");
    anyone
        .with("authorization", "Bearer bogus")
        .get("/v1/communes")
        .await
        .problem(401, "unauthorized");
    let reply = anyone.get("/v1/me").await;
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    reply.problem(401, "unauthorized");

    let reply = send(Method::DELETE, "/v1/communes/62528", None).await;
    assert_eq!(reply.header("allow"), "GET, HEAD, OPTIONS, PATCH");
    reply.problem(405, "method_not_allowed");
    let reply = send(Method::OPTIONS, "/v1/communes/62528", None).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("allow")),
        (204, "GET, HEAD, OPTIONS, PATCH")
    );
    let (head, get) = (
        send(Method::HEAD, "/v1/communes/62528", None).await,
        anyone.get("/v1/communes/62528").await,
    );
    assert_eq!((head.status, head.text.as_str()), (get.status, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));

    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("x=1", "x"),
        ("sort=color", "sort"),
        ("enrolled=maybe", "enrolled"),
        ("q=", "q"),
        ("limit=99999999999999999999", "limit"),
    ] {
        let reply = anyone.get(&format!("/v1/communes?{query}")).await;
        assert_eq!(reply.pointers(), [name], "{query}: {}", reply.text);
        reply.problem(400, "invalid_query");
    }
    for query in ["q=%00", "q=%ff%fe", "%00=1"] {
        anyone
            .get(&format!("/v1/communes?{query}"))
            .await
            .problem(400, "invalid_query");
    }
    anyone
        .get("/v1/communes?cursor=AAAA")
        .await
        .problem(400, "invalid_cursor");
    let reply = anyone.get("/v1/communes?limit=0&x=1&sort=no").await;
    assert_eq!(
        reply.pointers(),
        ["limit", "sort", "x"],
        "all faults at once"
    );

    let post = async |body: &str, content_type: &str| {
        send(
            Method::POST,
            "/v1/accounts",
            Some((content_type, body.as_bytes().to_vec())),
        )
        .await
    };
    post("{", json_type).await.problem(400, "malformed_json");
    post("", json_type).await.problem(400, "malformed_json");
    post(&"[".repeat(10_000), json_type)
        .await
        .problem(400, "malformed_json");
    post("{\"email\": NaN}", json_type)
        .await
        .problem(400, "malformed_json");
    send(
        Method::POST,
        "/v1/accounts",
        Some((json_type, vec![b'"', 0xff, b'"'])),
    )
    .await
    .problem(400, "malformed_json");
    post("{}", "text/plain")
        .await
        .problem(415, "unsupported_media_type");
    anyone
        .send(Method::POST, "/v1/accounts", None)
        .await
        .problem(415, "unsupported_media_type");
    anyone
        .with("content-encoding", "gzip")
        .post("/v1/accounts", json!({}))
        .await
        .problem(415, "unsupported_media_type");
    post(&format!("\"{}\"", "x".repeat(300_000)), json_type)
        .await
        .problem(413, "too_large");
    let nul = post("{\"email\": \"a\\u0000@b.fr\"}", json_type).await;
    assert_eq!(
        nul.pointers(),
        [
            "#/birth_on",
            "#/display_name",
            "#/email",
            "#/full_name",
            "#/password"
        ]
    );

    let wrong = json!({"email": 3, "password": "secret!", "display_name": "", "full_name": "x".repeat(121),
        "birth_on": "2027-02-29", "is_admin": true});
    let reply = anyone.post("/v1/accounts", wrong).await;
    let all = [
        "#/birth_on",
        "#/display_name",
        "#/email",
        "#/full_name",
        "#/is_admin",
        "#/password",
    ];
    assert_eq!(reply.pointers(), all);
    assert!(
        !reply.text.contains("secret!"),
        "the rejected value is never said"
    );
    for date in ["294277-01-01", "0000-00-00", "2026-13-01", "yesterday"] {
        let body = json!({"email": "a@b.fr", "password": "planters-on-rue-hoche", "display_name": "A", "full_name": "A",
            "birth_on": date});
        assert_eq!(
            anyone.post("/v1/accounts", body).await.pointers(),
            ["#/birth_on"],
            "{date}"
        );
    }

    let reader = app.person("reader").await;
    for id in [
        "x",
        "00000000-0000-0000-0000-000000000000",
        "019a0000-0000-8000-8000-000000000000",
        "%00",
    ] {
        reader
            .get(&format!("/v1/mandates/{id}"))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_speak_the_readers_language() {
    let app = TestApp::new().await;
    let reply = app
        .anyone()
        .with("accept-language", "fr-FR, en;q=0.8")
        .get("/v1/nothing")
        .await;
    assert_eq!(reply.header("content-language"), "fr");
    assert!(
        reply.body["detail"]
            .as_str()
            .unwrap()
            .starts_with("Rien n'existe")
    );
    assert_eq!(reply.body["request_id"], reply.header("x-request-id"));
    let numbered = app
        .anyone()
        .with("x-request-id", "front-end-42")
        .get("/v1/nothing")
        .await;
    assert_eq!(numbered.header("x-request-id"), "front-end-42");
    let forged = app
        .anyone()
        .with("x-request-id", "a b\tc<script>")
        .get("/v1/nothing")
        .await;
    assert_ne!(forged.header("x-request-id"), "a b\tc<script>");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_pool_says_when_to_come_back() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    anyone.get("/v1/communes/62528").await.ok();
    // Whoever reads a commune waits, and the others wait for a connection.
    let mut lock = app.database().await;
    lock.batch_execute("BEGIN; LOCK TABLE communes IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..3 * POOL_SIZE {
        let (anyone, told) = (anyone.clone(), told.clone());
        tokio::spawn(async move {
            told.send(anyone.get("/v1/communes/62528").await).unwrap();
        });
    }
    drop(told);
    let busy = hears.recv().await.unwrap();
    assert_eq!(busy.header("retry-after"), "1");
    busy.problem(503, "busy");
    // Alive all the same.
    assert!(anyone.get("/livez").await.status.is_success());
    lock.batch_execute("ROLLBACK").await.unwrap();
    while let Some(reply) = hears.recv().await {
        match reply.status.as_u16() {
            200 => drop(reply.ok()),
            _ => drop(reply.problem(503, "busy")),
        }
    }
    anyone.get("/v1/communes/62528").await.ok();
}
