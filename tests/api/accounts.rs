//! People register, sign in, stay signed in, and sign out.

use serde_json::{Value, json};

use crate::support::TestApp;

fn account(email: &str) -> Value {
    json!({"email": email, "password": "planters-on-rue-hoche", "display_name": "Camille", "full_name": "Camille Dupont",
        "birth_on": "1990-04-12"})
}

fn password<'a>(username: &'a str, password: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("grant_type", "password"),
        ("username", username),
        ("password", password),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn from_registration_to_the_last_token() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    let me = anyone
        .post("/v1/accounts", account("Camille@Example.org"))
        .await
        .created();
    assert_eq!(me["email"], "camille@example.org");
    anyone
        .post("/v1/accounts", account("camille@example.org"))
        .await
        .problem(409, "already_exists");

    let token = "/v1/auth/token";
    let wrong = anyone
        .form(token, &password("camille@example.org", "wrong"))
        .await
        .expect(400);
    assert_eq!(wrong["error"], "invalid_grant");
    let unknown = anyone
        .form(token, &password("nobody@example.org", "wrong"))
        .await
        .expect(400);
    assert_eq!(
        unknown, wrong,
        "an unknown address answers like a wrong password"
    );
    let tokens = anyone
        .form(
            token,
            &password("camille@example.org", "planters-on-rue-hoche"),
        )
        .await
        .ok();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(900))
    );

    let camille = anyone.with(
        "authorization",
        &format!("Bearer {}", tokens["access_token"].as_str().unwrap()),
    );
    let reply = camille.get("/v1/me").await;
    let etag = reply.header("etag").to_owned();
    assert_eq!(reply.ok()["display_name"], "Camille");
    let renamed = camille
        .with("if-match", &etag)
        .patch("/v1/me", json!({"display_name": "Cam"}))
        .await
        .ok();
    assert_eq!(renamed["display_name"], "Cam");

    // OAuth clients understand no other words than OAuth's.
    for (path, fields) in [
        (token, vec![("username", "camille@example.org")]),
        (
            token,
            vec![("grant_type", "password"), ("grant_type", "password")],
        ),
        ("/v1/auth/revoke", vec![]),
    ] {
        let refused = anyone.form(path, &fields).await.expect(400);
        assert_eq!(refused["error"], "invalid_request", "{path} {fields:?}");
    }

    // Swagger UI and other OAuth clients send credentials of their own beside the form.
    let client = anyone.with("authorization", "Basic Og==");
    client
        .form(
            token,
            &password("camille@example.org", "planters-on-rue-hoche"),
        )
        .await
        .ok();

    // Each refresh token counts once; the first may come back for a moment, in case its answer was lost.
    let refresh = async |secret: &Value| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", secret.as_str().unwrap()),
        ];
        anyone.form(token, &fields).await
    };
    let second = refresh(&tokens["refresh_token"]).await.ok();
    refresh(&tokens["refresh_token"]).await.ok();
    app.travel_to("2026-06-15T10:01:00Z");
    assert_eq!(
        refresh(&tokens["refresh_token"]).await.expect(400)["error"],
        "invalid_grant"
    );
    assert_eq!(
        refresh(&second["refresh_token"]).await.expect(400)["error"],
        "invalid_grant",
        "the family is dead"
    );

    app.travel_to("2026-06-15T10:16:00Z");
    camille.get("/v1/me").await.problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_and_a_sign_out_end_sessions() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    anyone
        .post("/v1/accounts", account("camille@example.org"))
        .await
        .created();
    let sign_in = async |secret: &str| {
        anyone
            .form("/v1/auth/token", &password("camille@example.org", secret))
            .await
    };
    let refresh = async |tokens: &Value| {
        let secret = tokens["refresh_token"].as_str().unwrap().to_owned();
        anyone
            .form(
                "/v1/auth/token",
                &[("grant_type", "refresh_token"), ("refresh_token", &secret)],
            )
            .await
    };
    let tokens = sign_in("planters-on-rue-hoche").await.ok();
    let camille = anyone.with(
        "authorization",
        &format!("Bearer {}", tokens["access_token"].as_str().unwrap()),
    );
    let change =
        |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let path = "/v1/me/password";
    let wrong = camille
        .post(path, change("something else", "skate-park-at-school"))
        .await;
    assert_eq!(wrong.pointers(), ["#/current_password"]);
    let common = camille
        .post(path, change("planters-on-rue-hoche", "password1"))
        .await;
    assert_eq!(common.pointers(), ["#/new_password"]);
    camille
        .post(
            path,
            change("planters-on-rue-hoche", "skate-park-at-school"),
        )
        .await
        .expect(204);
    refresh(&tokens).await.expect(400);
    sign_in("planters-on-rue-hoche").await.expect(400);
    let tokens = sign_in("skate-park-at-school").await.ok();
    anyone
        .form(
            "/v1/auth/revoke",
            &[("token", tokens["refresh_token"].as_str().unwrap())],
        )
        .await
        .expect(204);
    refresh(&tokens).await.expect(400);
    anyone
        .form("/v1/auth/revoke", &[("token", "unknown")])
        .await
        .expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_for_people_of_15_with_a_password_worth_the_name() {
    let app = TestApp::new().await;
    let mut young = account("young@example.org");
    young["birth_on"] = json!("2011-06-16");
    young["password"] = json!("12345678");
    assert_eq!(
        app.anyone()
            .post("/v1/accounts", young.clone())
            .await
            .pointers(),
        ["#/birth_on", "#/password"]
    );
    young["birth_on"] = json!("2011-06-15");
    young["password"] = json!("planters-on-rue-hoche");
    app.anyone().post("/v1/accounts", young).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_identical_registrations_make_one_account() {
    let app = TestApp::new().await;
    let camille = app.person("camille").await;
    let admin = app.admin().await;
    admin.post("/v1/communes/62528/enrol", json!({})).await.ok();
    let grant = json!({"email": "camille@example.org", "role": "agent", "capacity": "Agente", "starts_on": "2026-01-01"});
    let tries = (0..50).map(|_| {
        let (admin, grant) = (admin.with("idempotency-key", "\"grant-1\""), grant.clone());
        tokio::spawn(async move { admin.post("/v1/communes/62528/mandates", grant).await })
    });
    let mut ids = std::collections::HashSet::new();
    for attempt in tries.collect::<Vec<_>>() {
        let reply = attempt.await.unwrap();
        match reply.status.as_u16() {
            201 => drop(ids.insert(reply.body["id"].to_string())),
            409 => assert_eq!(reply.body["code"], "still_running"),
            status => panic!("{status}: {}", reply.text),
        }
    }
    assert_eq!(ids.len(), 1);
    let again = admin
        .with("idempotency-key", "grant-1")
        .post("/v1/communes/62528/mandates", grant.clone())
        .await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    let mut other = grant;
    other["capacity"] = json!("Stagiaire");
    let mismatch = admin
        .with("idempotency-key", "grant-1")
        .post("/v1/communes/62528/mandates", other)
        .await;
    mismatch.problem(422, "idempotency_mismatch");
    assert_eq!(
        camille.get("/v1/me").await.ok()["mandates"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let longest = "k".repeat(255);
    for (key, status) in [
        ("", 400),
        ("a key", 400),
        ("\"half", 400),
        (&format!("{longest}k"), 400),
        (&format!("\"{longest}\""), 200),
    ] {
        let reply = admin
            .with("idempotency-key", key)
            .post("/v1/communes/62386/enrol", json!(null))
            .await;
        assert_eq!(reply.status, status, "{key}: {}", reply.text);
    }
}
