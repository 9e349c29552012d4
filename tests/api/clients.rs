//! Programs of partners: what they may do, until when and from where, their secrets, and how much they do.

use std::net::TcpListener;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use fifty_fifty::app::{self, ServerOptions};
use fifty_fifty::clients::usage;
use fifty_fifty::ids::UserId;
use serde_json::{Value, json};

use crate::conventions::drafted;
use crate::initiatives::{association, idea, in_review};
use crate::support::app::{LENS, LOOS, World};
use crate::support::client::Reply;
use crate::support::{Client, TestApp};

const CLIENTS: &str = "/v1/communes/62528/clients";
const WEBHOOKS: &str = "/v1/communes/62528/webhooks";

fn program(scopes: &[&str]) -> Value {
    json!({"name": "Site de la commune", "contact": "informatique@partner.example", "scopes": scopes})
}

/// A client as its maker knows it.
pub struct Made {
    pub path: String,
    pub id: String,
    pub account: String,
    pub secret: String,
}

/// Makes a client of Loos.
pub async fn made(world: &World, body: Value) -> Made {
    let reply = world.admin.post(CLIENTS, body).await;
    let path = reply.header("location").to_owned();
    let client = reply.created();
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    Made {
        path,
        id: text("id"),
        account: text("account_id"),
        secret: text("secret"),
    }
}

async fn ask(app: &TestApp, id: &str, secret: &str, more: &[(&str, &str)]) -> Reply {
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
    ];
    form.extend_from_slice(more);
    app.anyone().form("/v1/auth/token", &form).await
}

/// A caller with a token of this client.
pub async fn signed_in(app: &TestApp, id: &str, secret: &str) -> Client {
    let tokens = ask(app, id, secret, &[]).await.ok();
    let token = tokens["access_token"].as_str().unwrap();
    Client::new(&app.address, Some(token.to_owned()))
}

fn measure() -> Value {
    json!({"value": "73", "unit": "associations", "source": "Annuaire municipal 2026"})
}

fn year(year: u32) -> String {
    format!("/v1/communes/{LOOS}/measures/associations/{year}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_does_what_its_scopes_open_and_nothing_else() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = made(&world, program(&["webhooks", "measures"])).await;
    let tokens = ask(&app, &made.id, &made.secret, &[]).await.ok();
    assert_eq!(tokens["scope"], "webhooks measures");
    assert!(tokens.get("refresh_token").is_none());
    let claims = tokens["access_token"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    let claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(
        (&claims["client_id"], &claims["scope"], &claims["sub"]),
        (
            &json!(made.id),
            &json!("webhooks measures"),
            &json!(made.account)
        )
    );

    let client = signed_in(&app, &made.id, &made.secret).await;
    client.put(&year(2024), measure()).await.created();
    let hook = json!({"url": "https://partner.example/hook", "kinds": ["measure"]});
    let hook = client.post(WEBHOOKS, hook).await;
    let hook_path = hook.header("location").to_owned();
    hook.created();
    // What it has done stands in the history, under its name.
    let history = world.agent.get(&format!("{hook_path}/history")).await.ok();
    let entry = &history["data"][0];
    assert_eq!(
        (&entry["actor"]["display_name"], &entry["actor_role"]),
        (&json!("Site de la commune"), &json!("client"))
    );

    // Another scope would be needed, and is named.
    let meeting = json!({"title": "Réunion", "held_on": "2026-06-10"});
    let refused = client
        .post(&format!("/v1/communes/{LOOS}/meetings"), meeting)
        .await;
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer error=\"insufficient_scope\", scope=\"meetings\""
    );
    refused.problem(403, "forbidden");
    // No scope opens what people do.
    client.get("/v1/me").await.problem(403, "forbidden");
    let holder = association(&world.camille, "Les jardiniers").await;
    let initiatives = format!("/v1/communes/{LOOS}/initiatives");
    client
        .post(&initiatives, idea(&holder))
        .await
        .problem(403, "forbidden");
    client.get(CLIENTS).await.problem(403, "forbidden");
    let initiative = in_review(&world).await;
    client
        .act(&initiative, "accept", json!({"reason": "Oui"}))
        .await
        .problem(403, "forbidden");
    let support = format!("{initiative}/endorsement");
    client
        .put(&support, json!({}))
        .await
        .problem(403, "forbidden");
    // A token that does not say for which secret it was given is none, even if it is ours.
    let account = UserId(made.account.parse().unwrap());
    let token = app
        .state
        .keys
        .issue(account, vec![], app.state.clock.now())
        .unwrap();
    let bare = Client::new(&app.address, Some(token));
    bare.get("/v1/me").await.problem(401, "unauthorized");
    // It reads what everybody reads.
    client.get(&initiative).await.ok();
    let note = format!("{initiative}/notes");
    client.get(&note).await.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_one_commune_is_nobody_in_another() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = made(
        &world,
        program(&["import", "webhooks", "meetings", "measures"]),
    )
    .await;
    let client = signed_in(&app, &made.id, &made.secret).await;
    let lens = |rest: &str| format!("/v1/communes/{LENS}/{rest}");
    client
        .put(&lens("measures/associations/2024"), measure())
        .await
        .problem(403, "forbidden");
    client
        .get(&lens("webhooks"))
        .await
        .problem(403, "forbidden");
    let hook = json!({"url": "https://partner.example/hook", "kinds": ["measure"]});
    let theirs = world.foreign_agent.post(&lens("webhooks"), hook).await;
    let theirs = theirs.header("location").to_owned();
    client.get(&theirs).await.problem(404, "not_found");
    client
        .with("if-match", "*")
        .delete(&theirs)
        .await
        .problem(404, "not_found");
    // The town hall of Lens does not see it either.
    world
        .foreign_mayor
        .get(&made.path)
        .await
        .problem(404, "not_found");
    world.agent.get(&made.path).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_in_the_header_or_in_the_form() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = made(&world, program(&["webhooks", "measures"])).await;
    let basic = BASE64_STANDARD.encode(format!("{}:{}", made.id, made.secret));
    let basic = app
        .anyone()
        .with("authorization", &format!("Basic {basic}"));
    let grant = ("grant_type", "client_credentials");
    basic.form("/v1/auth/token", &[grant]).await.ok();
    // Both are one too many, and none is none.
    let both = [
        grant,
        ("client_id", &made.id),
        ("client_secret", &made.secret),
    ];
    let reply = basic.form("/v1/auth/token", &both).await.expect(400);
    assert_eq!(reply["error"], "invalid_request");
    for (id, secret) in [
        (made.id.as_str(), "wrong"),
        ("wrong", made.secret.as_str()),
        ("00000000-0000-0000-0000-000000000000", made.secret.as_str()),
        (made.account.as_str(), made.secret.as_str()),
        (made.id.as_str(), "\0"),
        ("", ""),
    ] {
        let refused = ask(&app, id, secret, &[]).await;
        assert_eq!(
            refused.header("www-authenticate"),
            "Basic realm=\"Fifty-Fifty\""
        );
        assert_eq!(refused.expect(401)["error"], "invalid_client");
    }
    let bare = app.anyone().form("/v1/auth/token", &[grant]).await;
    assert_eq!(bare.expect(401)["error"], "invalid_client");
    let garbled = app.anyone().with("authorization", "Basic e30");
    garbled.form("/v1/auth/token", &[grant]).await.expect(401);
    // A token for less.
    let narrow = ask(&app, &made.id, &made.secret, &[("scope", "measures")])
        .await
        .ok();
    assert_eq!(narrow["scope"], "measures");
    let narrow = Client::new(
        &app.address,
        narrow["access_token"].as_str().map(str::to_owned),
    );
    narrow.put(&year(2023), measure()).await.created();
    narrow.get(WEBHOOKS).await.problem(403, "forbidden");
    for beyond in ["import", "measures import", "everything"] {
        let refused = ask(&app, &made.id, &made.secret, &[("scope", beyond)]).await;
        assert_eq!(refused.expect(400)["error"], "invalid_scope");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_counts_no_more_is_stopped_at_the_next_request() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let ways = [
        json!({"state": "disabled"}),
        json!({"scopes": ["meetings"]}),
        json!({"address_ranges": ["203.0.113.0/24", "2001:db8::/32"]}),
        json!({"expires_at": "2026-06-15T10:00:01Z"}),
    ];
    for way in ways {
        let made = made(&world, program(&["measures"])).await;
        let client = signed_in(&app, &made.id, &made.secret).await;
        client.delete(&year(2022)).await.problem(404, "not_found");
        world.admin.edit(&made.path, way.clone()).await.ok();
        app.travel_to("2026-06-15T10:00:02Z");
        let stopped = client.delete(&year(2022)).await;
        if way.get("scopes").is_some() {
            stopped.problem(403, "forbidden");
        } else {
            assert_eq!(
                stopped.header("www-authenticate"),
                "Bearer error=\"invalid_token\""
            );
            stopped.problem(401, "unauthorized");
            ask(&app, &made.id, &made.secret, &[]).await.expect(401);
            // Back as it was, the same token counts again.
            let back = json!({"state": "active", "address_ranges": [], "expires_at": null});
            world.admin.edit(&made.path, back).await.ok();
            client.delete(&year(2022)).await.problem(404, "not_found");
        }
        app.travel_to("2026-06-15T10:00:00Z");
    }
    let made = made(&world, program(&["measures"])).await;
    let client = signed_in(&app, &made.id, &made.secret).await;
    world
        .admin
        .with("if-match", "*")
        .delete(&made.path)
        .await
        .expect(204);
    client
        .put(&year(2022), measure())
        .await
        .problem(401, "unauthorized");
    ask(&app, &made.id, &made.secret, &[]).await.expect(401);
    // An end that has passed is none to set, and ranges are ranges.
    let past = json!({"expires_at": "2026-06-15T10:00:00Z"});
    let again = made_with_faults(&world, past).await;
    assert_eq!(again, ["#/expires_at"]);
    let ranges = json!({"address_ranges": ["127.0.0.1/8", "10.0.0.0/8", "::ffff:10.0.0.0/104", "10.0.0.0/33", ":/1"]});
    let faults = made_with_faults(&world, ranges).await;
    assert_eq!(
        faults,
        [
            "#/address_ranges/0",
            "#/address_ranges/2",
            "#/address_ranges/3",
            "#/address_ranges/4"
        ]
    );
}

async fn made_with_faults(world: &World, more: Value) -> Vec<String> {
    let mut body = program(&["measures"]);
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let reply = world.admin.post(CLIENTS, body).await;
    assert_eq!(reply.status, 422, "{}", reply.text);
    reply.pointers().into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_secrets_overlap_for_as_long_as_is_asked() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = made(&world, program(&["measures"])).await;
    let old = signed_in(&app, &made.id, &made.secret).await;
    let rotated = |hours: Value| {
        let admin = world.admin.clone();
        let path = made.path.clone();
        async move {
            let client = admin.act(&path, "rotate_secret", hours).await.ok();
            client["secret"].as_str().unwrap().to_owned()
        }
    };
    let second = rotated(json!({})).await;
    let shown = world.agent.get(&made.path).await.ok();
    assert_eq!(shown["previous_secret_until"], "2026-06-16T10:00:00Z");
    ask(&app, &made.id, &made.secret, &[]).await.ok();
    ask(&app, &made.id, &second, &[]).await.ok();
    old.delete(&year(2022)).await.problem(404, "not_found");
    // The end of the overlap ends the old secret, and not the new one.
    app.travel_to("2026-06-16T10:00:00Z");
    ask(&app, &made.id, &made.secret, &[]).await.expect(401);
    let current = signed_in(&app, &made.id, &second).await;
    // A third stops the first for good; the second is revoked before its time, and its tokens with it.
    let third = rotated(json!({"overlap_hours": 168})).await;
    current.delete(&year(2022)).await.problem(404, "not_found");
    let after = world
        .admin
        .act(&made.path, "revoke_previous_secret", json!(null))
        .await
        .ok();
    assert_eq!(after["previous_secret_until"], Value::Null);
    current
        .delete(&year(2022))
        .await
        .problem(401, "unauthorized");
    ask(&app, &made.id, &second, &[]).await.expect(401);
    // Without an overlap the one before stops at once.
    let leaked = signed_in(&app, &made.id, &third).await;
    let fourth = rotated(json!({"overlap_hours": 0})).await;
    leaked
        .delete(&year(2022))
        .await
        .problem(401, "unauthorized");
    ask(&app, &made.id, &third, &[]).await.expect(401);
    ask(&app, &made.id, &fourth, &[]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rotations_at_once_one_wins() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = made(&world, program(&["measures"])).await;
    let version = world.admin.get(&made.path).await.header("etag").to_owned();
    let path = format!("{}/rotate_secret", made.path);
    let admin = world.admin.with("if-match", &version);
    let (one, other) = tokio::join!(admin.post(&path, json!({})), admin.post(&path, json!({})));
    let (won, lost) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    lost.problem(412, "stale_version");
    let secret = won.ok()["secret"].as_str().unwrap().to_owned();
    ask(&app, &made.id, &secret, &[]).await.ok();
    ask(&app, &made.id, &made.secret, &[]).await.ok();
}

/// Where a text stands in the database, as text or as bytes.
async fn found_in(app: &TestApp, text: &str) -> Vec<String> {
    let (database, connection) =
        tokio_postgres::connect(&app.database_url(), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";
    let mut found = Vec::new();
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    for row in database.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let sql = format!(
            "SELECT count(*) FROM \"{table}\" AS t WHERE strpos(t::text, '{text}') > 0 OR strpos(t::text, '{hex}') > 0"
        );
        let count: i64 = database.query_one(&sql, &[]).await.unwrap().get(0);
        if count > 0 {
            found.push(table);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_kept_nowhere() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let admin = world.admin.with("idempotency-key", "clients-1");
    let first = admin.post(CLIENTS, program(&["measures"])).await;
    let path = first.header("location").to_owned();
    let first = first.created();
    let secret = first["secret"].as_str().unwrap().to_owned();
    let again = admin.post(CLIENTS, program(&["measures"])).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    let mut expected = first.clone();
    expected["secret"] = Value::Null;
    assert_eq!(again.created(), expected);
    let rotate = world
        .admin
        .with("if-match", "*")
        .with("idempotency-key", "clients-2");
    let rotate_path = format!("{path}/rotate_secret");
    let second = rotate.post(&rotate_path, json!({})).await.ok();
    let second = second["secret"].as_str().unwrap().to_owned();
    assert_eq!(
        rotate.post(&rotate_path, json!({})).await.ok()["secret"],
        Value::Null
    );
    ask(&app, first["id"].as_str().unwrap(), &secret, &[])
        .await
        .ok();
    usage::flush(&app.state).await.unwrap();
    for reader in [&world.admin, &world.agent] {
        for place in [
            path.clone(),
            CLIENTS.to_owned(),
            format!("{path}/history"),
            format!("{path}/usage"),
        ] {
            let reply = reader.get(&place).await;
            assert_eq!(reply.status, 200, "{place}");
            assert!(
                !reply.text.contains(&secret) && !reply.text.contains(&second),
                "{place}"
            );
        }
    }
    for secret in [&secret, &second] {
        assert_eq!(found_in(&app, secret).await, [""; 0]);
    }
    // The search finds what is there.
    assert_eq!(found_in(&app, "Site de la commune").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_ipv4_is_one_however_it_arrives() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut body = program(&["measures"]);
    body["address_ranges"] = json!(["127.0.0.0/8"]);
    let made = made(&world, body).await;
    // Behind a socket of both families the same caller is ::ffff:127.0.0.1.
    let listener = TcpListener::bind("[::]:0").unwrap();
    let address = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let options = ServerOptions {
        workers: 1,
        cors_origins: vec!["*".to_owned()],
        shutdown_timeout_s: 1,
        demonstration_accounts: None,
    };
    let server = app::server(app.state.clone(), listener, options).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    let client = signed_in(&app, &made.id, &made.secret).await.at(&address);
    client.put(&year(2024), measure()).await.created();
    world
        .admin
        .edit(&made.path, json!({"address_ranges": ["::/0"]}))
        .await
        .ok();
    client
        .delete(&year(2024))
        .await
        .problem(401, "unauthorized");
    handle.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_where_a_request_comes_from() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut body = program(&["measures"]);
    body["address_ranges"] = json!(["203.0.113.0/24", "2001:db8::/32"]);
    let made = made(&world, body).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &made.id),
        ("client_secret", &made.secret),
    ];
    let proxy = app.anyone().calling_from("127.0.0.2".parse().unwrap());
    for (forwarded, status) in [
        ("203.0.113.7", 200),
        ("2001:db8::1", 200),
        ("::ffff:203.0.113.7", 200),
        // What the caller wrote stands before what the proxy has seen.
        ("198.51.100.1, 203.0.113.7", 200),
        ("203.0.113.7, 127.0.0.2", 200),
        ("203.0.113.7, 198.51.100.1", 401),
        ("203.0.113.7, unknown", 401),
        ("unknown", 401),
    ] {
        let caller = proxy.with("x-forwarded-for", forwarded);
        let reply = caller.form("/v1/auth/token", &form).await;
        assert_eq!(reply.status, status, "{forwarded}");
        // Nobody else is believed.
        let caller = app.anyone().with("x-forwarded-for", forwarded);
        caller.form("/v1/auth/token", &form).await.expect(401);
    }
    proxy.form("/v1/auth/token", &form).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_was_sent() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = made(&world, program(&["measures"])).await;
    let client = signed_in(&app, &made.id, &made.secret).await;
    assert_eq!(
        world.agent.get(&made.path).await.ok()["last_used_at"],
        Value::Null
    );
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..40 {
        let client = client.clone();
        crowd.spawn(async move { client.put(&year(1950 + number), measure()).await.created() });
    }
    while let Some(done) = crowd.join_next().await {
        done.unwrap();
    }
    usage::flush(&app.state).await.unwrap();
    // The next day, and in Paris it begins before midnight.
    app.travel_to("2026-06-15T22:30:00Z");
    let client = signed_in(&app, &made.id, &made.secret).await;
    client
        .put(&year(1950), measure())
        .await
        .problem(428, "precondition_required");
    client.get(WEBHOOKS).await.problem(403, "forbidden");
    let etag = client.get(&year(1950)).await.header("etag").to_owned();
    client
        .with("if-none-match", &etag)
        .get(&year(1950))
        .await
        .expect(304);
    world
        .admin
        .edit(&made.path, json!({"state": "disabled"}))
        .await
        .ok();
    client
        .put(&year(1950), measure())
        .await
        .problem(401, "unauthorized");
    let (one, other) = tokio::join!(usage::flush(&app.state), usage::flush(&app.state));
    one.and(other).unwrap();
    let mut seen = Vec::new();
    let mut page = format!("{}/usage?limit=2", made.path);
    loop {
        let reply = world.agent.get(&page).await.ok();
        for entry in reply["data"].as_array().unwrap() {
            seen.push(format!(
                "{} {} {} {}",
                entry["day"].as_str().unwrap(),
                entry["tag"].as_str().unwrap(),
                entry["outcome"].as_str().unwrap(),
                entry["requests"]
            ));
        }
        match reply["next_cursor"].as_str() {
            Some(cursor) => page = format!("{}/usage?limit=2&cursor={cursor}", made.path),
            None => break,
        }
    }
    assert_eq!(
        seen,
        [
            "2026-06-16 authentication 2xx 1",
            "2026-06-16 measures 2xx 1",
            "2026-06-16 measures 3xx 1",
            "2026-06-16 measures 4xx 2",
            "2026-06-16 webhooks 4xx 1",
            "2026-06-15 authentication 2xx 1",
            "2026-06-15 measures 2xx 40",
        ]
    );
    let shown = world.agent.get(&made.path).await.ok();
    assert_eq!(shown["last_used_at"], "2026-06-15T22:30:00Z");
    // What a client that is gone has done goes with it, and does not keep others from being written.
    client
        .put(&year(1950), measure())
        .await
        .problem(401, "unauthorized");
    world
        .admin
        .with("if-match", "*")
        .delete(&made.path)
        .await
        .expect(204);
    usage::flush(&app.state).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_knows_what_only_people_do() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = made(&world, program(&["measures"])).await;
    let initiative = in_review(&world).await;
    drafted(&world).await;
    let initiative = initiative.rsplit('/').next().unwrap();
    let holder = association(&world.camille, "Les jardiniers").await;
    let (account, camille) = (&made.account, world.camille.id());
    let id = || app.row_id(LOOS);
    let now = "'2026-06-15T10:00:00Z'";
    for (sql, refusal) in [
        (
            format!(
                "INSERT INTO mandates (id, commune_code, user_id, role, capacity, may_sign, starts_on, granted_by, created_at) \
            VALUES ('{}', '{LOOS}', '{account}', 'elected_official', 'Maire', false, '2026-01-01', '{account}', {now})",
                id()
            ),
            "people_only",
        ),
        (
            format!("UPDATE mandates SET user_id = '{account}'"),
            "people_only",
        ),
        (
            format!(
                "INSERT INTO refresh_tokens (token_hash, family_id, user_id, issued_at, expires_at) \
            VALUES ('\\x00', '{}', '{account}', {now}, {now})",
                id()
            ),
            "people_only",
        ),
        (
            format!(
                "INSERT INTO holder_members (holder_id, commune_code, user_id, state, role, since) \
            VALUES ('{holder}', '{LOOS}', '{account}', 'active', 'member', {now})"
            ),
            "people_only",
        ),
        (
            format!(
                "INSERT INTO endorsements VALUES ('{initiative}', '{LOOS}', '{account}', {now})"
            ),
            "people_only",
        ),
        (
            format!(
                "INSERT INTO participations VALUES ('{initiative}', '{LOOS}', '{account}', {now})"
            ),
            "people_only",
        ),
        (
            format!(
                "INSERT INTO identities (id, commune_code, user_id, full_name, salt, is_adult, created_at) \
            VALUES ('{}', '{LOOS}', '{account}', 'Robot', '\\x00', true, {now})",
                id()
            ),
            "people_only",
        ),
        (
            format!(
                "INSERT INTO opinions (id, commune_code, initiative_id, submission_number, outcome, text, given_by, given_at) \
            VALUES ('{}', '{LOOS}', '{initiative}', 1, 'favourable', 'Oui', '{account}', {now})",
                id()
            ),
            "people_only",
        ),
        (
            format!("UPDATE convention_parties SET user_id = '{account}' WHERE party = 'holder'"),
            "people_only",
        ),
        (
            format!("UPDATE users SET kind = 'person' WHERE id = '{account}'"),
            "users_keep_their_kind",
        ),
        (
            format!("UPDATE users SET kind = 'client' WHERE id = '{camille}'"),
            "users_keep_their_kind",
        ),
        (
            format!("UPDATE users SET password_hash = 'x' WHERE id = '{account}'"),
            "users_clients_are_no_people",
        ),
        (
            format!("UPDATE users SET email = 'robot@example.org' WHERE id = '{account}'"),
            "users_clients_are_no_people",
        ),
        (
            format!("UPDATE users SET is_admin = true WHERE id = '{account}'"),
            "users_clients_are_no_people",
        ),
        (
            format!("UPDATE users SET email = NULL WHERE id = '{camille}'"),
            "users_people_have_names",
        ),
        (
            format!("UPDATE clients SET user_id = '{camille}'"),
            "clients_keep_their_account",
        ),
        (
            format!("UPDATE clients SET commune_code = '{LENS}'"),
            "clients_keep_their_account",
        ),
        (
            format!(
                "INSERT INTO clients SELECT '{}', commune_code, '{camille}', name, contact, scopes, address_ranges, state, \
            state_changed_at, expires_at, secret_number, secret_hash, secret_made_at, previous_secret_hash, previous_secret_until, \
            created_by, created_at, version FROM clients",
                id()
            ),
            "clients_account_is_no_person",
        ),
        (
            format!(
                "INSERT INTO clients SELECT '{}', commune_code, user_id, name, contact, scopes, address_ranges, state, \
            state_changed_at, expires_at, secret_number, secret_hash, secret_made_at, previous_secret_hash, previous_secret_until, \
            created_by, created_at, version FROM clients",
                id()
            ),
            "clients_account",
        ),
        (
            "UPDATE clients SET secret_hash = sha256('x')".to_owned(),
            "clients_secrets_are_numbered",
        ),
        (
            "UPDATE clients SET secret_number = 2".to_owned(),
            "clients_secrets_are_numbered",
        ),
        (
            "UPDATE clients SET secret_hash = 'open', secret_number = 2".to_owned(),
            "clients_secret_is_hashed",
        ),
        (
            format!(
                "UPDATE clients SET previous_secret_hash = sha256('x'), previous_secret_until = {now}"
            ),
            "clients_previous_was_one",
        ),
        (
            "UPDATE clients SET scopes = '{}'".to_owned(),
            "clients_scopes",
        ),
        (
            "UPDATE clients SET scopes = '{everything}'".to_owned(),
            "clients_scopes",
        ),
        (
            "UPDATE clients SET address_ranges = '{NULL}'".to_owned(),
            "clients_address_ranges",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
}
