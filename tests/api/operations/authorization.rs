//! Who is answered what, at every operation: one table, committed as `authorization.snap`. An operation that is added
//! without a case fails here, and so does a right that changes; `UPDATE_SNAPSHOTS=1` writes the table anew.

use std::fmt::Write;

use fifty_fifty::auth::policy::Scope;
use serde_json::{Value, json};

use super::{Operation, all, is_json, ready};
use crate::support::app::World;
use crate::support::client::Reply;
use crate::support::{Client, TestApp};

const SNAPSHOT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/api/operations/authorization.snap"
);

const LEGEND: &str = "\
Who is answered what at each operation, by a request that is right in every other way. Camille carries the initiative
and leads the holder; all other residents are as Dominique. \"of Lens\" is the town hall of another commune. The client is a
program of a partner of Loos with every scope.

yes    done, or shown            may    lacks only the If-Match that was left out (428)
401    no token that counts      403    readable, but not theirs to do
404    not there for them        409    theirs to do, but not as things stand, or they stand on both sides
other  the request names its person or object, which is somebody else's
";

/// The columns.
async fn people(app: &TestApp, world: &World) -> Vec<(&'static str, Client)> {
    vec![
        ("anonymous", world.anyone.clone()),
        (
            "bogus",
            world.anyone.with("authorization", "Bearer e30.e30.e30"),
        ),
        ("resident", world.dominique.clone()),
        ("agent of Lens", world.foreign_agent.clone()),
        ("mayor of Lens", world.foreign_mayor.clone()),
        ("admin", world.admin.clone()),
        ("agent", world.agent.clone()),
        ("official", world.official.clone()),
        ("mayor", world.mayor.clone()),
        ("owner", world.camille.clone()),
        ("client", program(app, world, Scope::ALL).await),
    ]
}

/// A program of a partner of Loos with these scopes.
async fn program(app: &TestApp, world: &World, scopes: &[Scope]) -> Client {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.code()).collect();
    let body =
        json!({"name": "Site du partenaire", "contact": "x@partner.example", "scopes": scopes});
    let made = crate::clients::made(world, body).await;
    crate::clients::signed_in(app, &made.id, &made.secret).await
}

fn word(reply: &Reply) -> String {
    match reply.status.as_u16() {
        200..=299 => "yes".to_owned(),
        428 => "may".to_owned(),
        status => status.to_string(),
    }
}

fn line(name: &str, words: &[String]) -> String {
    let mut line = format!("{name:<32}");
    for word in words {
        write!(line, " {word:<13}").unwrap();
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn no_operation_escapes_authorization() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let people = people(&app, &world).await;
    let names: Vec<String> = people.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut table = format!("{LEGEND}\n{}", line("", &names));
    for operation in all() {
        let mut case = ready(&app, &world, &operation).await;
        let mut before = app.fingerprint().await;
        let mut words = Vec::new();
        for (name, person) in &people {
            let reply = case.send_bare(&operation, person).await;
            words.push(word(&reply));
            if operation.method == reqwest::Method::GET {
                continue;
            }
            if reply.status.is_success() {
                case = ready(&app, &world, &operation).await;
                before = app.fingerprint().await;
            } else {
                // Whoever is refused has changed nothing.
                assert_eq!(
                    app.fingerprint().await,
                    before,
                    "{} by {name}",
                    operation.id
                );
            }
        }
        table.push_str(&line(&operation.id, &words));
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(SNAPSHOT, &table).unwrap();
    }
    let committed = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    assert!(
        committed == table,
        "the table of rights has changed; UPDATE_SNAPSHOTS=1 writes it anew:\n{table}"
    );
}

/// The scope that the document names for an operation.
fn scope_of(operation: &Operation) -> Option<Scope> {
    let ways = operation.described["security"].as_array()?;
    let scope = ways
        .iter()
        .find_map(|way| way["client_credentials"][0].as_str())?;
    Some(scope.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_opens_what_the_document_says() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut opened = Vec::new();
    for scope in Scope::ALL {
        let with = program(&app, &world, &[*scope]).await;
        let others: Vec<Scope> = Scope::ALL
            .iter()
            .copied()
            .filter(|other| other != scope)
            .collect();
        let without = program(&app, &world, &others).await;
        for operation in all()
            .iter()
            .filter(|operation| scope_of(operation) == Some(*scope))
        {
            let case = ready(&app, &world, operation).await;
            let before = app.fingerprint().await;
            let refused = case.send_as(operation, &without).await;
            let named = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
            assert_eq!(
                refused.header("www-authenticate"),
                named,
                "{}",
                operation.id
            );
            refused.problem(403, "forbidden");
            assert_eq!(app.fingerprint().await, before, "{}", operation.id);
            let done = case.send_as(operation, &with).await;
            assert!(done.status.is_success(), "{}: {}", operation.id, done.text);
            opened.push(*scope);
        }
    }
    opened.dedup();
    // What no operation asks for would open nothing. The imports come with their operations.
    assert_eq!(opened, [Scope::Webhooks, Scope::Meetings, Scope::Measures]);
}

/// Names that only the server gives.
const SERVERS_OWN: [&str; 12] = [
    "id",
    "state",
    "commune_code",
    "author",
    "author_id",
    "signed_at",
    "role",
    "version",
    "is_admin",
    "entered_by",
    "created_at",
    "allowed_actions",
];

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_what_only_the_server_gives() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for operation in all() {
        let case = ready(&app, &world, &operation).await;
        let Some(body) = &case.body else { continue };
        // OAuth has unknown fields of a form ignored, and a file has no fields.
        if !is_json(&operation.content_type().unwrap_or_default()) {
            continue;
        }
        let taken = properties(&operation);
        let before = app.fingerprint().await;
        for name in SERVERS_OWN
            .iter()
            .filter(|name| !taken.contains(&(**name).to_owned()))
        {
            let mut smuggling = case.clone();
            let mut body = body.clone();
            body[*name] = json!("x");
            smuggling.body = Some(body);
            let reply = smuggling.send(&operation).await;
            assert_eq!(
                reply.status, 422,
                "{} with {name}: {}",
                operation.id, reply.text
            );
            if operation.content_type().as_deref() != Some("application/x-www-form-urlencoded") {
                assert_eq!(reply.pointers(), [format!("#/{name}")], "{}", operation.id);
            }
        }
        assert_eq!(app.fingerprint().await, before, "{}", operation.id);
    }
}

/// The names of the fields of an operation's body.
fn properties(operation: &Operation) -> Vec<String> {
    let document = fifty_fifty::openapi::document(None);
    let content_type = operation
        .content_type()
        .unwrap_or_default()
        .replace('/', "~1");
    let schema = operation
        .described
        .pointer(&format!("/requestBody/content/{content_type}/schema"))
        .cloned()
        .unwrap_or_default();
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .cloned()
            .unwrap(),
        None => schema,
    };
    schema["properties"]
        .as_object()
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

/// What a body refers to, with something of the same kind in another commune.
async fn of_lens(world: &World) -> Vec<(&'static str, Value)> {
    let lens = crate::support::app::LENS;
    let holder = json!({"kind": "association", "name": "Les jardiniers de Lens", "siret": crate::initiatives::siret(),
        "republican_commitment_on": "2022-01-10"});
    let holder = world
        .camille
        .post(&format!("/v1/communes/{lens}/holders"), holder)
        .await
        .created();
    let mut body = crate::initiatives::idea(holder["id"].as_str().unwrap());
    body["submit"] = json!(true);
    let initiative = world
        .camille
        .post(&format!("/v1/communes/{lens}/initiatives"), body)
        .await
        .created();
    let path = format!("/v1/initiatives/{}", initiative["id"].as_str().unwrap());
    let commitment = world
        .camille
        .post(&format!("{path}/commitments"), crate::conventions::upkeep())
        .await
        .created();
    let mandate = world.foreign_mayor.get("/v1/me").await.ok()["mandates"][0]["id"].clone();
    vec![
        ("holder_id", holder["id"].clone()),
        ("host_id", holder["id"].clone()),
        ("follows_id", initiative["id"].clone()),
        ("initiative_id", initiative["id"].clone()),
        ("initiative_ids", json!([initiative["id"]])),
        ("commitment_ids", json!([commitment["id"]])),
        ("parties", json!({"commune": {"mandate_id": mandate}})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_reaches_into_another_commune() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let foreign = of_lens(&world).await;
    let mut tried = 0;
    for operation in all() {
        let taken = properties(&operation);
        for (name, value) in foreign
            .iter()
            .filter(|(name, _)| taken.contains(&(*name).to_owned()))
        {
            let mut case = ready(&app, &world, &operation).await;
            let before = app.fingerprint().await;
            if let Some(body) = &mut case.body {
                body[*name] = value.clone();
            }
            let reply = case.send(&operation).await;
            assert!(
                reply.status.is_client_error(),
                "{} with {name} of Lens: {} {}",
                operation.id,
                reply.status,
                reply.text
            );
            assert_eq!(
                app.fingerprint().await,
                before,
                "{} with {name} of Lens",
                operation.id
            );
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried} references were tried");
}
