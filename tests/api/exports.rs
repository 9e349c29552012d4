//! Public lists as files: the same as the list, page after page, for whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::authorities::deliberation;
use crate::conventions::active;
use crate::initiatives::{association, submitted};
use crate::support::app::{LENS, LOOS, POOL_SIZE, World};
use crate::support::rows::Initiative;
use crate::support::{Client, TestApp};

/// The records of a CSV file, each by the names of its columns.
pub fn records(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The path of a list with a suffix.
fn file(path: &str, format: &str) -> String {
    match path.split_once('?') {
        Some((path, query)) => format!("{path}.{format}?{query}"),
        None => format!("{path}.{format}"),
    }
}

async fn lived_in(world: &World) {
    let (initiative, _) = active(world).await;
    crate::practices::published(world, &initiative, json!({})).await;
    world
        .camille
        .post(
            &format!("/v1/communes/{LOOS}/holders"),
            json!({"kind": "person", "name": "Camille D."}),
        )
        .await
        .created();
    for held_on in ["2026-03-12", "2025-03-12"] {
        let meeting = json!({"title": "=1+1", "place": "Salle \"Michelet\", 1er\r\nétage", "held_on": held_on});
        world
            .agent
            .post(&format!("/v1/communes/{LOOS}/meetings"), meeting)
            .await
            .created();
    }
    let measure = json!({"value": "-12.5", "unit": "@degrés", "source": "+Relevé"});
    world
        .agent
        .put(&format!("/v1/communes/{LOOS}/measures/frost/2025"), measure)
        .await
        .created();
    world
        .agent
        .post(
            &format!("/v1/communes/{LOOS}/authorities"),
            deliberation("2026-06-099"),
        )
        .await
        .created();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_the_list() {
    let app = TestApp::new().await;
    let world = app.world().await;
    lived_in(&world).await;
    let loos = |list: &str| format!("/v1/communes/{LOOS}/{list}");
    let mut seen = BTreeSet::new();
    for (name, path) in [
        ("initiatives", "/v1/initiatives".to_owned()),
        ("initiatives", format!("/v1/initiatives?commune={LENS}")),
        (
            "conventions",
            format!("/v1/conventions?commune={LOOS}&state=active"),
        ),
        ("communes", "/v1/communes?department=2A".to_owned()),
        ("communes", "/v1/communes?enrolled=true".to_owned()),
        ("meetings", loos("meetings")),
        ("meetings", loos("meetings?year=2025")),
        ("measures", loos("measures")),
        ("commitments", loos("commitments")),
        (
            "commitments",
            loos("commitments?side=holder&kind=labour&state=binding"),
        ),
        ("holders", loos("holders?kind=association")),
        ("authorities", loos("authorities?kind=deliberation")),
        ("subsidies", loos("subsidies?year=2026")),
        ("practices", "/v1/practices?theme=agriculture".to_owned()),
    ] {
        let items = world.anyone.every(&path).await;
        let ndjson = world.anyone.get(&file(&path, "ndjson")).await;
        assert_eq!(lines(&ndjson.text), items, "{path}");
        let csv = world.anyone.get(&file(&path, "csv")).await;
        assert_eq!(
            csv.header("content-type"),
            "text/csv; header=present; charset=utf-8"
        );
        let described = world.anyone.get(&format!("/v1/exports/{name}")).await.ok();
        let columns = described["columns"].as_array().unwrap();
        let names: Vec<&str> = columns
            .iter()
            .map(|column| column["name"].as_str().unwrap())
            .collect();
        let (first, _) = csv.text.split_once("\r\n").unwrap();
        assert_eq!(first, names.join(","), "{path}");
        let records = records(&csv.text);
        assert_eq!(records.len(), items.len(), "{path}");
        for (record, item) in records.iter().zip(&items) {
            for column in columns {
                let value = item.pointer(column["pointer"].as_str().unwrap());
                let cell = &record[column["name"].as_str().unwrap()];
                match (column["type"].as_str().unwrap(), value) {
                    ("label", _) => {}
                    (_, None | Some(Value::Null)) => assert_eq!(cell, "", "{path} {column}"),
                    (_, Some(Value::String(text))) => {
                        assert_eq!(cell.trim_start_matches('\''), text, "{path} {column}");
                    }
                    (_, Some(Value::Array(values))) => {
                        let parts: Vec<&str> =
                            values.iter().map(|value| value.as_str().unwrap()).collect();
                        assert_eq!(*cell, parts.join(";"), "{path} {column}");
                    }
                    (_, Some(value)) => assert_eq!(*cell, value.to_string(), "{path} {column}"),
                }
            }
            if !items.is_empty() {
                seen.insert(name);
            }
        }
    }
    let exports = world.anyone.get("/v1/exports").await.ok();
    let known: BTreeSet<&str> = exports["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|export| export["name"].as_str().unwrap())
        .collect();
    assert_eq!(seen, known, "each export was seen with rows in it");

    // What a spreadsheet would run, it shows; a number stays one.
    let meetings = world.anyone.get(&loos("meetings.csv")).await;
    let meetings = records(&meetings.text);
    assert_eq!(meetings[0]["title"], "'=1+1");
    assert_eq!(meetings[0]["place"], "Salle \"Michelet\", 1er\r\nétage");
    let measures = records(&world.anyone.get(&loos("measures.csv")).await.text);
    let measure = &measures[0];
    assert_eq!(
        (&*measure["value"], &*measure["unit"], &*measure["source"]),
        ("-12.5", "'@degrés", "'+Relevé")
    );
    // Labels are those that people read.
    let conventions = records(&world.anyone.get("/v1/conventions.csv").await.text);
    assert_eq!(
        (&*conventions[0]["state"], &*conventions[0]["state_label"]),
        ("active", "En vigueur")
    );

    // The licence and the dictionary are with it, and what is not there is not.
    let csv = world.anyone.get("/v1/initiatives.csv").await;
    assert_eq!(
        csv.header("link"),
        "<https://www.etalab.gouv.fr/licence-ouverte-open-licence/>; rel=\"license\", \
         </v1/exports/initiatives>; rel=\"describedby\""
    );
    for nothing in [
        "/v1/initiatives.xlsx",
        "/v1/conventions.geojson",
        "/v1/initiatives.",
        "/v1/communes/99999/meetings.csv",
        "/v1/exports/users",
    ] {
        world.anyone.get(nothing).await.problem(404, "not_found");
    }
    for wrong in [
        "/v1/initiatives.csv?limit=5",
        "/v1/initiatives.csv?inbox=to_sign",
        "/v1/initiatives.csv?bbox=9,9,1,1",
        "/v1/communes/62528/meetings.csv?year=1",
    ] {
        world.anyone.get(wrong).await.problem(400, "invalid_query");
    }
    app.anyone()
        .with("authorization", "Bearer e30.e30.e30")
        .get("/v1/initiatives.csv")
        .await
        .problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_the_same_and_no_names_of_people() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let row = |holder, published| Initiative {
        commune: LOOS,
        state: "in_review",
        holder,
        author: world.camille.id(),
        submitted_at: "2026-02-01T10:00:00Z",
        published,
    };
    let person = app
        .holder_row(LOOS, "person", Some(world.camille.id()))
        .await;
    let group = app.holder_row(LOOS, "collective", None).await;
    app.initiative_row(row(person, true)).await;
    app.initiative_row(row(group, true)).await;
    app.initiative_row(row(group, false)).await;
    let path = format!("/v1/initiatives.csv?commune={LOOS}");
    let public = world.anyone.get(&path).await;
    let mut names: Vec<String> = records(&public.text)
        .into_iter()
        .map(|mut record| record.remove("holder_name").unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["Personne", "Porteur"]);
    for reader in [&world.agent, &world.mayor, &world.camille, &world.admin] {
        let theirs = reader.get(&path).await;
        assert_eq!(theirs.text, public.text);
        assert!(theirs.header("cache-control").starts_with("public"));
    }
    // Only legal persons are in the file of holders, though the list shows who carries something published.
    let holders = format!("/v1/communes/{LOOS}/holders");
    assert_eq!(world.anyone.every(&holders).await.len(), 2);
    assert!(records(&world.anyone.get(&file(&holders, "csv")).await.text).is_empty());
    association(&world.camille, "Les chemins de Loos").await;
    assert_eq!(
        records(&world.agent.get(&file(&holders, "csv")).await.text).len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_has_each_initiative_with_its_place_if_it_is_known() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let empty = world.anyone.get("/v1/initiatives.geojson").await.ok();
    assert_eq!(empty, json!({"type": "FeatureCollection", "features": []}));
    let holder = app.holder_row(LOOS, "association", None).await;
    for _ in 0..2 {
        app.initiative_row(Initiative {
            commune: LOOS,
            state: "in_review",
            holder,
            author: world.camille.id(),
            submitted_at: "2026-02-01T10:00:00Z",
            published: true,
        })
        .await;
    }
    app.write_rows(
        "UPDATE initiatives SET latitude = 50.45, longitude = 2.79
         WHERE id = (SELECT id FROM initiatives ORDER BY id DESC LIMIT 1)",
    )
    .await;
    let reply = world.anyone.get("/v1/initiatives.geojson").await;
    assert_eq!(reply.header("content-type"), "application/geo+json");
    let map = reply.ok();
    let features = map["features"].as_array().unwrap();
    assert_eq!(
        features[0]["geometry"],
        json!({"type": "Point", "coordinates": [2.79, 50.45]})
    );
    assert_eq!(features[1]["geometry"], Value::Null);
    let listed = world.anyone.every("/v1/initiatives").await;
    assert_eq!(features[0]["properties"], listed[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_not_changed_is_not_sent_again() {
    let app = TestApp::new().await;
    let world = app.world().await;
    lived_in(&world).await;
    let path = format!("/v1/communes/{LOOS}/meetings.csv");
    let first = world.anyone.get(&path).await;
    let etag = first.header("etag").to_owned();
    let same = |caller: &Client| caller.with("if-none-match", &etag);
    let again = same(&world.anyone).get(&path).await;
    assert_eq!((again.status.as_u16(), &*again.text), (304, ""));
    for name in ["etag", "last-modified", "link", "cache-control"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    // HEAD says the same and sends nothing.
    let head = world.anyone.send(reqwest::Method::HEAD, &path, None).await;
    assert_eq!((head.header("etag"), &*head.text), (&*etag, ""));

    // Adding up the changes changes nothing, and other lists and communes are other files.
    fifty_fifty::clockwork::turn(&app.state).await.unwrap();
    world
        .agent
        .edit(
            &format!("/v1/communes/{LOOS}/measures/frost/2025"),
            json!({"value": "1"}),
        )
        .await;
    let elsewhere = json!({"title": "Réunion de quartier", "held_on": "2026-03-12"});
    world
        .foreign_agent
        .post(&format!("/v1/communes/{LENS}/meetings"), elsewhere.clone())
        .await
        .created();
    // What nobody sees changes nothing either.
    let holder = association(&world.camille, "Les chemins de Loos").await;
    let draft =
        json!({"title": "Brouillon", "description": "x", "theme": "sport", "holder_id": holder});
    let draft = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), draft)
        .await
        .created();
    let draft = format!("/v1/initiatives/{}", draft["id"].as_str().unwrap());
    world
        .camille
        .edit(&draft, json!({"title": "Autre brouillon"}))
        .await
        .ok();
    let hidden = submitted(&world).await;
    let meeting = json!({"title": "Réunion", "held_on": "2026-03-12", "initiative_id": hidden.rsplit('/').next()});
    world
        .agent
        .post(&format!("/v1/communes/{LOOS}/meetings"), meeting)
        .await
        .created();
    assert_eq!(same(&world.anyone).get(&path).await.status, 304);
    // How to reach a holder is nobody's business: no file and no feed tells that it changed.
    let holders = format!("/v1/communes/{LOOS}/holders.csv");
    let feed = "/v1/changes?after=now";
    let (tag, now) = (
        world.anyone.get(&holders).await.header("etag").to_owned(),
        world.anyone.get(feed).await.ok()["next_cursor"].clone(),
    );
    let path_of_holder = format!("/v1/holders/{holder}");
    let contact = json!({"contact_email": "bureau@chemins.example"});
    world.camille.edit(&path_of_holder, contact).await.ok();
    assert_eq!(world.anyone.get(&holders).await.header("etag"), tag);
    let since = format!("/v1/changes?after={}", now.as_str().unwrap());
    assert_eq!(world.anyone.get(&since).await.ok()["data"], json!([]));
    let name = json!({"name": "Les chemins de Loos et de Lens"});
    world.camille.edit(&path_of_holder, name).await.ok();
    assert_ne!(world.anyone.get(&holders).await.header("etag"), tag);
    assert_eq!(same(&world.anyone).get(&path).await.status, 304);
    let initiatives = world.anyone.get("/v1/initiatives.csv").await;

    // A meeting that is added, changed or deleted does, and another format has another tag.
    let mut tags = BTreeSet::from([etag.clone()]);
    let mut is_new = async |what: &str| {
        let reply = same(&world.anyone).get(&path).await;
        assert_eq!(reply.status, 200, "{what}");
        assert!(tags.insert(reply.header("etag").to_owned()), "{what}");
    };
    let made = world
        .agent
        .post(&format!("/v1/communes/{LOOS}/meetings"), elsewhere)
        .await;
    let meeting = made.header("location").to_owned();
    is_new("added").await;
    let title = json!({"title": "Réunion"});
    world.agent.edit(&meeting, title).await.ok();
    is_new("changed").await;
    fifty_fifty::clockwork::turn(&app.state).await.unwrap();
    world
        .agent
        .with("if-match", "*")
        .delete(&meeting)
        .await
        .expect(204);
    is_new("deleted").await;
    let ndjson = same(&world.anyone)
        .get(&format!("/v1/communes/{LOOS}/meetings.ndjson"))
        .await;
    assert_eq!(ndjson.status, 200);

    // An endorsement counts.
    let public = world.anyone.every("/v1/initiatives").await;
    let endorsed = format!(
        "/v1/initiatives/{}/endorsement",
        public[0]["id"].as_str().unwrap()
    );
    world.dominique.put(&endorsed, json!({})).await;
    let reader = world
        .anyone
        .with("if-none-match", initiatives.header("etag"));
    assert_eq!(reader.get("/v1/initiatives.csv").await.status, 200);
}

/// Published initiatives of Lens, written at once.
async fn many(app: &TestApp, world: &World, count: usize) {
    let id = app.row_id(LENS).to_string();
    app.write_rows(&format!(
        "INSERT INTO initiatives (id, commune_code, state, origin, delivery, title, description, theme, holder_id, author_id,
            channel, published_at, submitted_at, submission_number, reply_due_on, state_changed_at, created_at, folded_text)
         SELECT ('{}' || lpad(to_hex(n), 12, '0'))::uuid, '{LENS}', 'in_review', 'idea', 'holder', repeat('Projet ', 20) || n, 'x',
            'sport', NULL, '{}', 'online', now(), now(), 1, '2026-01-01', now(),
            '2020-01-01'::timestamptz + n / 3 * interval '1 minute', 'projet'
         FROM generate_series(1, {count}) AS n",
        &id[..24],
        world.dominique.id(),
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_file_comes_whole_and_who_reads_slowly_keeps_nobody_waiting() {
    let app = TestApp::new().await;
    let world = app.world().await;
    app.write_rows("ALTER TABLE initiatives DROP CONSTRAINT initiatives_complete_when_submitted")
        .await;
    many(&app, &world, 20_000).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1/initiatives.csv", app.address);
    // More readers than there are connections, who take the beginning and then nothing.
    let mut slow = Vec::new();
    for _ in 0..2 * POOL_SIZE {
        let answer = http.get(&url).send().await.unwrap();
        let mut bytes = answer.bytes_stream();
        assert!(bytes.next().await.unwrap().is_ok());
        slow.push(bytes);
    }
    for _ in 0..POOL_SIZE {
        world.anyone.get("/v1/initiatives").await.ok();
    }
    // While they wait, what they have not read yet changes: no row comes twice and none is missing.
    app.write_rows("DELETE FROM initiatives WHERE title LIKE '% 7'")
        .await;
    let mut read = slow.pop().unwrap();
    let mut text = Vec::new();
    while let Some(chunk) = read.next().await {
        text.extend_from_slice(&chunk.unwrap());
    }
    drop(slow);
    let text = String::from_utf8(text).unwrap();
    let ids: Vec<&str> = text
        .lines()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    let different: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), different.len());
    assert!(ids.len() > 19_000, "{}", ids.len());
    let whole = world.anyone.get("/v1/initiatives.csv").await;
    assert_eq!(records(&whole.text).len(), 20_000 - 1);
    assert_eq!(
        lines(&world.anyone.get("/v1/initiatives.ndjson").await.text).len(),
        20_000 - 1
    );

    // A file that cannot be finished is cut, and whoever reads it notices.
    let answer = http.get(&url).send().await.unwrap();
    let mut bytes = answer.bytes_stream();
    assert!(bytes.next().await.unwrap().is_ok());
    app.write_rows("ALTER TABLE initiatives RENAME TO elsewhere")
        .await;
    let mut last = Ok(());
    while let Some(chunk) = bytes.next().await {
        last = chunk.map(|_| ());
    }
    assert!(last.is_err(), "a cut that nobody sees");
}

/// The columns of the first release: programs of others depend on their names, so they stay.
#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_columns_are_those_of_the_release() {
    let app = TestApp::new().await;
    let exports = app.anyone().get("/v1/exports").await.ok();
    let mut now = String::new();
    for export in exports["data"].as_array().unwrap() {
        now.push_str(export["name"].as_str().unwrap());
        for column in export["columns"].as_array().unwrap() {
            now.push_str(&format!(
                "\n  {} {}",
                column["name"].as_str().unwrap(),
                column["type"].as_str().unwrap()
            ));
        }
        now.push('\n');
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/exports.snap");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let released = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        now == released,
        "columns have changed; those that are new go to the end, and UPDATE_SNAPSHOTS=1 writes them down:\n{now}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commune_sets_a_siret_of_its_own() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = format!("/v1/communes/{LOOS}");
    let siret = |siret: &str| json!({"siret": siret});
    for wrong in ["21620528600010", "73282932000074", "2162052860001"] {
        let reply = world.mayor.edit(&path, siret(wrong)).await;
        assert_eq!(reply.pointers(), ["#/siret"], "{wrong}");
    }
    let set = world.mayor.edit(&path, siret("21620528600018")).await.ok();
    assert_eq!(set["settings"]["siret"], "21620528600018");
    let cleared = world.mayor.edit(&path, json!({"siret": null})).await.ok();
    assert_eq!(cleared["settings"]["siret"], Value::Null);
    world
        .agent
        .edit(&path, siret("21620528600018"))
        .await
        .problem(403, "forbidden");
    assert_eq!(
        app.attack(&format!(
            "UPDATE communes SET siret = '21620528600010' WHERE code = '{LOOS}'"
        ))
        .await
        .as_deref(),
        Some("communes_siret")
    );
}

/// Lets the commune's files be filled: its SIRET is set.
async fn with_siret(world: &World) {
    let siret = json!({"siret": "21620528600018"});
    world
        .mayor
        .edit(&format!("/v1/communes/{LOOS}"), siret)
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn national_files_have_each_row_or_say_why_not() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = |name: &str| format!("/v1/communes/{LOOS}/scdl/{name}");
    let (initiative, convention) = active(&world).await;
    let number = "2026-06-099";
    let act = json!({"kind": "delegated_decision", "number": "D1", "adopted_on": "2026-06-02", "object": "Prêter",
        "executory_on": "2026-06-05"});
    for act in [deliberation(number), act] {
        let acts = format!("/v1/communes/{LOOS}/authorities");
        world.agent.post(&acts, act).await.created();
    }
    // Without the commune's SIRET nothing fits, and all of it is listed.
    let obstacles = |list: &Value, schema: &str| -> Vec<Value> {
        let rows = list["data"].as_array().unwrap().iter();
        rows.filter(|row| row["schema"] == schema)
            .map(|row| row["obstacles"].clone())
            .collect()
    };
    for name in ["subventions.csv", "deliberations.csv"] {
        assert!(records(&world.anyone.get(&path(name)).await.text).is_empty());
    }
    let list = world.anyone.get(&path("left_out")).await.ok();
    let none = json!(["commune_has_no_siret"]);
    assert_eq!(obstacles(&list, "subventions"), std::slice::from_ref(&none));
    assert_eq!(obstacles(&list, "deliberations"), [none]);

    with_siret(&world).await;
    let file = world.anyone.get(&path("subventions.csv?year=2026")).await;
    let rows = records(&file.text);
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    let shown = world.anyone.get(&convention).await.ok();
    assert_eq!(row["objet"], shown["object"].as_str().unwrap());
    assert_eq!(
        row["nomBeneficiaire"],
        shown["holder"]["name"].as_str().unwrap()
    );
    assert_eq!(
        (
            &*row["idAttribuant"],
            &*row["nature"],
            &*row["pourcentageSubvention"]
        ),
        ("21620528600018", "aide en nature", "1.00")
    );
    assert_eq!(row["dateConvention"], "2026-06-15");
    let promised: i64 = shown["commitments"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|commitment| commitment["side"] == "commune")
        .map(|commitment| commitment["value_cents"].as_i64().unwrap())
        .sum();
    assert_eq!(
        row["montant"],
        format!("{}.{:02}", promised / 100, promised % 100)
    );
    assert!(
        records(
            &world
                .anyone
                .get(&path("subventions.csv?year=2025"))
                .await
                .text
        )
        .is_empty()
    );
    let acts = records(&world.anyone.get(&path("deliberations.csv")).await.text);
    assert_eq!(acts.len(), 1);
    assert_eq!(
        (&*acts[0]["DELIB_ID"], &*acts[0]["DELIB_MATIERE_NOM"]),
        (number, "Finances locales/Subventions")
    );
    let list = world.anyone.get(&path("left_out")).await.ok();
    assert_eq!(list, json!({"data": []}));

    // What of a beneficiary the schema asks for, and what it cannot take.
    for (change, expected) in [
        ("siret = NULL, rna = 'W621000123'", json!([])),
        ("siret = NULL, rna = NULL", json!(["no_number"])),
        (
            "siret = NULL, rna = 'W2A1000123'",
            json!(["rna_not_of_the_schema"]),
        ),
        (
            "kind = 'company', siret = '73282932000074', rna = NULL",
            json!(["state_aid_unknown"]),
        ),
        (
            "kind = 'collective', siret = NULL, rna = NULL",
            json!(["no_legal_person"]),
        ),
    ] {
        app.write_rows(&format!(
            "UPDATE holders SET kind = 'association', rna = NULL; UPDATE holders SET {change}"
        ))
        .await;
        let list = world.anyone.get(&path("left_out")).await.ok();
        let rows = records(&world.anyone.get(&path("subventions.csv")).await.text);
        match expected.as_array().unwrap().len() {
            0 => {
                assert_eq!(list, json!({"data": []}), "{change}");
                assert_eq!(rows[0]["rnaBeneficiaire"], "W621000123");
            }
            _ => {
                assert_eq!(obstacles(&list, "subventions"), [expected], "{change}");
                assert!(rows.is_empty(), "{change}");
            }
        }
    }
    // Money without a SIRET does not fit either.
    app.write_rows(
        "UPDATE holders SET kind = 'association', rna = 'W621000123', siret = NULL;
         UPDATE commitments SET route = 'subsidy', kind = 'financial', amount_cents = 40000, quantity = NULL,
             unit_value_cents = NULL, budget_year = 2026 WHERE side = 'commune'",
    )
    .await;
    let list = world.anyone.get(&path("left_out")).await.ok();
    assert_eq!(
        obstacles(&list, "subventions"),
        [json!(["money_needs_siret"])]
    );
    // What is taken back from the public is in no file and in no list.
    let reason = json!({"reason": "Une plainte est examinée."});
    world.agent.act(&initiative, "unpublish", reason).await.ok();
    let list = world.anyone.get(&path("left_out")).await.ok();
    assert_eq!(list, json!({"data": []}));
    world
        .anyone
        .get("/v1/communes/99999/scdl/left_out")
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_and_a_feed_follow_what_is_public() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = app.holder_row(LOOS, "association", None).await;
    let person = app.holder_row(LOOS, "person", None).await;
    let mut ids = Vec::new();
    for (holder, published) in [(holder, true), (person, true), (holder, false)] {
        let row = Initiative {
            commune: LOOS,
            state: "in_review",
            holder,
            author: world.camille.id(),
            submitted_at: "2026-02-01T10:00:00Z",
            published,
        };
        ids.push(app.initiative_row(row).await);
    }
    app.write_rows(&format!(
        "UPDATE initiatives SET title = 'Haies & <talus> \u{1}\"', latitude = 50.45, longitude = 2.79,
            published_at = '2026-06-01T10:00:00Z' WHERE id = '{}'",
        ids[0]
    ))
    .await;
    for path in ["/v1/initiatives.atom", "/v1/initiatives.atom?commune=62528"] {
        let feed = world.agent.get(path).await;
        assert_eq!(feed.header("content-type"), "application/atom+xml");
        assert_eq!(feed.text.matches("<entry>").count(), 2, "{}", feed.text);
        let first = feed.text.split("<entry>").nth(1).unwrap();
        for part in [
            &*format!("<id>urn:uuid:{}</id>", ids[0]),
            "<title>Haies &amp; &lt;talus&gt; &quot;</title>",
            "<georss:point>50.45 2.79</georss:point>",
            "<published>2026-06-01T10:00:00Z</published>",
            &*format!("http://fifty-fifty.test/v1/initiatives/{}", ids[0]),
            "<author><name>Porteur</name></author>",
        ] {
            assert!(first.contains(part), "{part}: {first}");
        }
        // A person is not named in what others keep.
        let second = feed.text.split("<entry>").nth(2).unwrap();
        assert!(second.contains("<author><name>Loos-en-Gohelle</name></author>"));
    }
    let lens = world.anyone.get("/v1/initiatives.atom?commune=62498").await;
    assert!(!lens.text.contains("<entry>"));
    let nowhere = world.anyone.get("/v1/initiatives.atom?commune=99999").await;
    assert_eq!(nowhere.status, 200);
    assert!(!nowhere.text.contains("<entry>"));

    let meetings = format!("/v1/communes/{LOOS}/meetings");
    for (initiative, title) in [(None, "Forum; des, idées"), (Some(ids[2]), "Cachée")] {
        let mut meeting =
            json!({"title": title, "place": "Salle\ndes fêtes", "held_on": "2026-03-12"});
        if let Some(id) = initiative {
            meeting["initiative_id"] = json!(id);
        }
        world.agent.post(&meetings, meeting).await.created();
    }
    let calendar = world.agent.get(&format!("{meetings}.ics")).await;
    assert_eq!(
        calendar.header("content-type"),
        "text/calendar; charset=utf-8"
    );
    let text = calendar.text.replace("\r\n ", "");
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 1, "{text}");
    for line in [
        "DTSTART;VALUE=DATE:20260312\r\n",
        "SUMMARY:Forum\\; des\\, idées\r\n",
        "LOCATION:Salle\\ndes fêtes\r\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let same = world
        .anyone
        .with("if-none-match", calendar.header("etag"))
        .get(&format!("{meetings}.ics"))
        .await;
    assert_eq!(same.status, 304);
    let other_year = world.anyone.get(&format!("{meetings}.ics?year=2025")).await;
    assert!(!other_year.text.contains("VEVENT"));
}

/// The nodes of a graph of this type.
fn nodes<'a>(catalogue: &'a Value, kind: &str) -> Vec<&'a Value> {
    let graph = catalogue["@graph"].as_array().unwrap();
    graph.iter().filter(|node| node["@type"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_of_the_catalogue_is_there() {
    let app = TestApp::new().await;
    let world = app.world().await;
    lived_in(&world).await;
    with_siret(&world).await;
    let own = |url: &Value| url.as_str().unwrap().replace("http://fifty-fifty.test", "");
    let platform = world.anyone.get("/v1/catalogue.jsonld").await;
    assert_eq!(platform.header("content-type"), "application/ld+json");
    let platform = platform.ok();
    let catalogues: Vec<String> = nodes(&platform, "dcat:Catalog")[0]["dcat:catalog"]
        .as_array()
        .unwrap()
        .iter()
        .map(|catalogue| own(&catalogue["@id"]))
        .collect();
    assert_eq!(
        catalogues,
        [LENS, LOOS].map(|code| format!("/v1/communes/{code}/catalogue.jsonld"))
    );
    let loos = world.anyone.get(&catalogues[1]).await.ok();
    let map = format!("http://fifty-fifty.test/v1/initiatives.geojson?commune={LOOS}");
    assert!(loos.to_string().contains(&map), "the commune's own map");
    let mut conforms = BTreeSet::new();
    for catalogue in [&platform, &loos] {
        let sets = nodes(catalogue, "dcat:Dataset");
        let listed = &nodes(catalogue, "dcat:Catalog")[0]["dcat:dataset"];
        let ids: Vec<Value> = sets.iter().map(|set| json!({"@id": set["@id"]})).collect();
        assert_eq!(*listed, json!(ids));
        let files = nodes(catalogue, "dcat:Distribution");
        let of_sets: usize = sets
            .iter()
            .map(|set| set["dcat:distribution"].as_array().unwrap().len())
            .sum();
        assert_eq!(files.len(), of_sets);
        for file in files {
            let path = own(&file["dcat:downloadURL"]["@id"]);
            let reply = world.anyone.send(reqwest::Method::HEAD, &path, None).await;
            assert_eq!(reply.status, 200, "{path}");
            let media_type = file["dcat:mediaType"]["@id"].as_str().unwrap();
            let content_type = reply.header("content-type").split(';').next().unwrap();
            assert!(media_type.ends_with(content_type), "{path}");
            conforms.insert(own(&file["dct:conformsTo"]["@id"]));
        }
    }
    for described in conforms.iter().filter(|path| path.starts_with("/v1/")) {
        world.anyone.get(described).await.ok();
    }
    // Each export, and the two national schemas.
    let exports = world.anyone.get("/v1/exports").await.ok();
    let exports = exports["data"].as_array().unwrap();
    assert_eq!(conforms.len(), exports.len() + 2, "{conforms:?}");
    // A commune that takes no part publishes nothing.
    world
        .anyone
        .get("/v1/communes/2A004/catalogue.jsonld")
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn linked_data_say_what_is_public_and_nothing_else() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let person = app.holder_row(LOOS, "person", None).await;
    let row = |published| Initiative {
        commune: LOOS,
        state: "in_review",
        holder: person,
        author: world.camille.id(),
        submitted_at: "2026-02-01T10:00:00Z",
        published,
    };
    let public = app.initiative_row(row(true)).await;
    let hidden = app.initiative_row(row(false)).await;
    let path = format!("/v1/initiatives/{public}.jsonld");
    let project = world.camille.get(&path).await;
    let shown = project.body.clone();
    assert_eq!(
        (
            &shown["@type"],
            &shown["name"],
            &shown["areaServed"]["name"]
        ),
        (
            &json!("Project"),
            &json!("Chemins"),
            &json!("Loos-en-Gohelle")
        )
    );
    assert_eq!(shown["member"], Value::Null);
    let reader = world.anyone.with("if-none-match", project.header("etag"));
    assert_eq!(reader.get(&path).await.status, 304);
    // Not even to those who may read it elsewhere.
    for reader in [&world.anyone, &world.agent] {
        let path = format!("/v1/initiatives/{hidden}.jsonld");
        reader.get(&path).await.problem(404, "not_found");
    }
    for (initiative, status) in [(public, 200), (hidden, 404)] {
        let meeting =
            json!({"title": "Réunion", "held_on": "2026-03-12", "initiative_id": initiative});
        let path = format!("/v1/communes/{LOOS}/meetings");
        let made = world.agent.post(&path, meeting).await.created();
        let path = format!("/v1/meetings/{}.jsonld", made["id"].as_str().unwrap());
        let event = world.anyone.get(&path).await;
        assert_eq!(event.status.as_u16(), status);
        if status == 200 {
            assert_eq!(event.body["about"]["name"], "Chemins");
        }
    }
    let commune = world.anyone.get("/v1/communes/62528.jsonld").await.ok();
    assert_eq!(commune["containedInPlace"]["name"], "Pas-de-Calais");
    world
        .anyone
        .get("/v1/communes/99999.jsonld")
        .await
        .problem(404, "not_found");
}
