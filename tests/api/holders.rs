//! Holders are created by residents or at the counter, and seen by those who may.

use fifty_fifty::ids::{HolderId, InitiativeId};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::app::{LENS, LOOS};
use crate::support::client::Client;

pub const HOLDERS: &str = "/v1/communes/62528/holders";

pub fn path(holder: &Value) -> String {
    format!("/v1/holders/{}", holder["id"].as_str().unwrap())
}

/// A holder in Loos-en-Gohelle with contacts that must not leak.
pub fn holder(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name, "contact_email": "secret@example.org", "contact_phone": "+33 6 99 99 99 99"})
}

/// The same caller with the version that the holder has now.
pub async fn having_read(client: &Client, path: &str) -> Client {
    client.with("if-match", client.get(path).await.header("etag"))
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("{HOLDERS}{query}")).await.ok();
    let names = page["data"].as_array().unwrap().iter();
    names
        .map(|holder| holder["name"].as_str().unwrap().to_owned())
        .collect()
}

/// An initiative that a holder carries (`holder_id`) or hosts (`host_id`).
async fn initiative(app: &TestApp, holder: &Value, author: &Client, column: &str, published: bool) {
    let id = InitiativeId::new(LOOS, app.state.clock.now()).unwrap();
    let (holder, author) = (holder["id"].as_str().unwrap(), author.id());
    let published_at = if published { "now()" } else { "NULL" };
    let sql = format!(
        "INSERT INTO initiatives (id, commune_code, state, origin, delivery, title, {column}, author_id, channel,
             published_at, submitted_at, state_changed_at, created_at, folded_text)
         VALUES ('{id}', '{LOOS}', 'draft', 'idea', 'holder', 'Bacs', '{holder}', '{author}', 'online',
             {published_at}, now(), now(), now(), '')"
    );
    assert_eq!(app.attack(&sql).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_creates_a_holder_and_leads_it() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let reply = world
        .camille
        .post(HOLDERS, holder("collective", "Bacs de la rue Hoche"))
        .await;
    let location = reply.header("location").to_owned();
    let made = reply.created();
    assert_eq!(location, path(&made));
    assert_eq!(made["membership"]["role"], "lead");
    assert_eq!(made["membership"]["state"], "active");
    assert_eq!(made["membership"]["may_sign"], true);
    assert_eq!(made["members_count"], 1);
    assert_eq!(
        made["allowed_actions"],
        json!(["update", "leave", "manage_members"])
    );
    assert_eq!(made["private"]["contact_email"], "secret@example.org");
    assert_eq!(made["private"]["entered_by"], json!(null));

    // At 17 one leads, and does not sign; a youth group needs an adult.
    let young = app.person_born("young", "2008-06-16").await;
    let made = young
        .post(HOLDERS, holder("collective", "Skate"))
        .await
        .created();
    assert_eq!(
        (&made["membership"]["role"], &made["membership"]["may_sign"]),
        (&json!("lead"), &json!(false))
    );
    let group = holder("youth_group", "Skate 11-14");
    let refused = young.post(HOLDERS, group.clone()).await;
    assert_eq!(refused.pointers(), ["#/kind"]);
    refused.problem(422, "invalid_body");
    world.camille.post(HOLDERS, group).await.created();

    let new = holder("collective", "Nulle part");
    world
        .anyone
        .post(HOLDERS, new.clone())
        .await
        .problem(401, "unauthorized");
    let unknown = world
        .camille
        .post("/v1/communes/99999/holders", new.clone())
        .await;
    unknown.problem(404, "not_found");
    let unenrolled = world.camille.post("/v1/communes/62001/holders", new).await;
    unenrolled.problem(409, "requirement_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_enters_a_holder_for_someone_at_the_counter() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut new = holder("collective", "Les voisins");
    new["on_behalf"] = json!(true);
    for refused in [
        &world.camille,
        &world.mayor,
        &world.foreign_agent,
        &world.admin,
    ] {
        refused
            .post(HOLDERS, new.clone())
            .await
            .problem(403, "forbidden");
    }
    let made = world.agent.post(HOLDERS, new).await.created();
    assert_eq!(
        (&made["membership"], &made["members_count"]),
        (&json!(null), &json!(0))
    );
    assert_eq!(
        made["private"]["entered_by"],
        json!(world.agent.id().to_string())
    );
    assert_eq!(
        made["allowed_actions"],
        json!(["update", "join", "manage_members"])
    );

    // As long as it has no members the agents keep it.
    let path = path(&made);
    let patch = json!({"description": "Du 3 au 9"});
    world
        .agent
        .patch(&path, patch.clone())
        .await
        .problem(428, "precondition_required");
    let agent = having_read(&world.agent, &path).await;
    let changed = agent.patch(&path, patch.clone()).await.ok();
    assert_eq!(changed["description"], "Du 3 au 9");
    agent
        .patch(&path, patch.clone())
        .await
        .problem(412, "stale_version");
    let mayor = having_read(&world.mayor, &path).await;
    mayor
        .patch(&path, patch.clone())
        .await
        .problem(403, "forbidden");
    for blind in [&world.camille, &world.foreign_agent, &world.admin] {
        let blind = blind.with("if-match", "*");
        blind
            .patch(&path, patch.clone())
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_new_holder_come_at_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let faulty = json!({"kind": "company", "name": " ", "siret": "21620528600019", "rna": "W62", "colour": "red",
        "contact_email": "nowhere", "contact_phone": "call me", "on_behalf": "yes"});
    let reply = world.camille.post(HOLDERS, faulty.clone()).await;
    // While a field has the wrong type nothing but the schema can speak.
    assert_eq!(
        reply.pointers(),
        [
            "#/colour",
            "#/contact_email",
            "#/contact_phone",
            "#/name",
            "#/on_behalf",
            "#/rna"
        ]
    );
    let mut faulty = faulty;
    faulty["on_behalf"] = json!(false);
    let reply = world.camille.post(HOLDERS, faulty).await;
    assert_eq!(
        reply.pointers(),
        [
            "#/colour",
            "#/contact_email",
            "#/contact_phone",
            "#/name",
            "#/rna",
            "#/siret"
        ]
    );
    assert!(
        !reply.text.contains("21620528600019"),
        "no value comes back"
    );
    reply.problem(422, "invalid_body");

    let person = json!({"kind": "person", "name": "Camille", "siret": "21620528600018", "rna": "W621000123"});
    let reply = world.camille.post(HOLDERS, person.clone()).await;
    assert_eq!(reply.pointers(), ["#/rna", "#/siret"]);
    // The same rules hold where a holder stands in another body.
    let nested = json!({"title": "Bacs", "holder": person});
    let reply = world
        .camille
        .post("/v1/communes/62528/initiatives", nested)
        .await;
    assert_eq!(reply.pointers(), ["#/holder/rna", "#/holder/siret"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn natural_persons_show_themselves_when_they_publish() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for kind in ["person", "collective", "youth_group", "association"] {
        world
            .camille
            .post(HOLDERS, holder(kind, kind))
            .await
            .created();
    }
    let mine = world.camille.get(HOLDERS).await.ok()["data"].clone();
    let of = |kind: &str| {
        let mut all = mine.as_array().unwrap().iter();
        all.find(|holder| holder["kind"] == kind).unwrap().clone()
    };
    let outsiders = [
        &world.anyone,
        &world.dominique,
        &world.foreign_agent,
        &world.foreign_mayor,
        &world.admin,
    ];
    // A draft shows nobody.
    initiative(&app, &of("person"), &world.camille, "holder_id", false).await;
    for outsider in outsiders {
        assert_eq!(names(outsider, "").await, ["association"]);
        assert!(names(outsider, "?kind=person").await.is_empty());
        let page = outsider.get(HOLDERS).await;
        assert!(!page.text.contains("secret") && !page.text.contains("99 99"));
        assert_eq!(page.ok()["data"][0]["private"], json!(null));
        for hidden in ["person", "collective", "youth_group"] {
            outsider
                .get(&path(&of(hidden)))
                .await
                .problem(404, "not_found");
        }
        let seen = outsider.get(&path(&of("association"))).await.ok();
        assert_eq!(
            (&seen["private"], &seen["membership"]),
            (&json!(null), &json!(null))
        );
    }
    for inside in [&world.camille, &world.agent, &world.mayor, &world.official] {
        assert_eq!(names(inside, "").await.len(), 4);
        let seen = inside.get(&path(&of("person"))).await.ok();
        assert_eq!(seen["private"]["contact_phone"], "+33 6 99 99 99 99");
    }

    initiative(&app, &of("person"), &world.camille, "holder_id", true).await;
    initiative(&app, &of("collective"), &world.camille, "host_id", true).await;
    for outsider in outsiders {
        let mut seen = names(outsider, "").await;
        seen.sort_unstable();
        assert_eq!(seen, ["association", "collective", "person"]);
        for shown in ["person", "collective"] {
            let seen = outsider.get(&path(&of(shown))).await;
            assert!(!seen.text.contains("secret"));
            assert_eq!(seen.ok()["private"], json!(null));
        }
        outsider
            .get(&path(&of("youth_group")))
            .await
            .problem(404, "not_found");
    }
    let anonymous = world.anyone.get(&path(&of("person"))).await;
    assert!(anonymous.header("cache-control").starts_with("public"));
    assert_eq!(
        world.camille.get(HOLDERS).await.header("cache-control"),
        "no-store"
    );

    let elsewhere = HolderId::new(LENS, app.state.clock.now()).unwrap();
    for nothing in [
        elsewhere.to_string(),
        world.camille.id().to_string(),
        "x".to_owned(),
    ] {
        world
            .agent
            .get(&format!("/v1/holders/{nothing}"))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_cut_into_pages_without_gap_or_repeat() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for number in 0..7 {
        let kind = if number % 2 == 0 {
            "association"
        } else {
            "collective"
        };
        world
            .camille
            .post(HOLDERS, holder(kind, &number.to_string()))
            .await
            .created();
    }
    for (reader, list, expected) in [
        (&world.anyone, HOLDERS.to_owned(), 4),
        (&world.agent, HOLDERS.to_owned(), 7),
        (&world.agent, format!("{HOLDERS}?kind=collective"), 3),
        (&world.camille, "/v1/me/holders".to_owned(), 7),
    ] {
        let joint = if list.contains('?') { '&' } else { '?' };
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = reader
                .get(&format!("{list}{joint}limit=2{cursor}"))
                .await
                .ok();
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= 2);
            seen.extend(data.iter().map(|holder| holder["id"].to_string()));
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.len(), expected, "{list}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), expected, "{list}");
        let other = format!("{HOLDERS}?kind=school{cursor}");
        reader.get(&other).await.problem(400, "invalid_cursor");
    }
    world
        .anyone
        .get("/v1/me/holders")
        .await
        .problem(401, "unauthorized");
    let unknown = world.anyone.get(&format!("{HOLDERS}?kind=club")).await;
    unknown.problem(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_changes_a_holder() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut new = holder("association", "Les Jardins");
    new["siret"] = json!("35600000049837");
    new["rna"] = json!("W621000123");
    let made = world.camille.post(HOLDERS, new.clone()).await.created();
    let taken = world.dominique.post(HOLDERS, new).await;
    taken.problem(409, "already_exists");

    let path = path(&made);
    let lead = having_read(&world.camille, &path).await;
    let other_kind = lead.patch(&path, json!({"kind": "school"})).await;
    assert_eq!(other_kind.pointers(), ["#/kind"]);
    let wrong = lead
        .patch(&path, json!({"siret": "1", "rna": "W", "name": null}))
        .await;
    assert_eq!(wrong.pointers(), ["#/name", "#/rna", "#/siret"]);
    let patch = json!({"rna": null, "name": "Jardins", "republican_commitment_on": "2025-09-01"});
    let changed = lead.patch(&path, patch.clone()).await.ok();
    assert_eq!(
        (&changed["rna"], &changed["siret"], &changed["name"]),
        (&json!(null), &json!("35600000049837"), &json!("Jardins"))
    );
    lead.patch(&path, patch.clone())
        .await
        .problem(412, "stale_version");
    world
        .camille
        .patch(&path, patch.clone())
        .await
        .problem(428, "precondition_required");
    for refused in [&world.dominique, &world.agent, &world.mayor, &world.admin] {
        let refused = having_read(refused, &path).await;
        refused
            .patch(&path, patch.clone())
            .await
            .problem(403, "forbidden");
    }
    world
        .anyone
        .patch(&path, patch)
        .await
        .problem(401, "unauthorized");

    let group = world
        .camille
        .post(HOLDERS, holder("collective", "Voisins"))
        .await
        .created();
    let path = self::path(&group);
    let lead = having_read(&world.camille, &path).await;
    let numbered = lead
        .patch(
            &path,
            json!({"siret": "73282932000074", "rna": "W621000123"}),
        )
        .await;
    assert_eq!(numbered.pointers(), ["#/rna", "#/siret"]);
}
