//! Practice sheets: written by a commune, proved by its records, of use to others.

use serde_json::{Value, json};

use crate::conventions::active;
use crate::evaluations::farm_tracks;
use crate::initiatives::{accepted, association, idea, in_review};
use crate::support::app::{LENS, LOOS, World};
use crate::support::{Client, TestApp};

/// A whole sheet.
pub fn sheet() -> Value {
    json!({"title": "Refaire les chemins avec les agriculteurs", "theme": "agriculture",
        "participation_level": "co_construction", "tags": ["chemin rural", "agriculteurs"],
        "context": "Des chemins défoncés.", "objectives": "Des chemins praticables.",
        "approach": "Chacun apporte ses machines.", "results": "Tout est refait.", "tips": "Avant la moisson.",
        "satisfactions": "L'entente.", "obstacles": "La pluie.",
        "contact": {"service": "Service de la participation", "address": "Place de la République, 62750 Loos-en-Gohelle"},
        "location": {"latitude": 50.4571, "longitude": 2.7835}})
}

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// A draft of an agent, with what proves it. Returns its path.
pub async fn drafted(agent: &Client, commune: &str, more: Value) -> String {
    let mut body = sheet();
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let reply = agent
        .post(&format!("/v1/communes/{commune}/practices"), body)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

/// A published sheet of Loos with this initiative as its proof.
pub async fn published(world: &World, initiative: &str, more: Value) -> String {
    let mut named = json!({"initiative_ids": [id_of(initiative)]});
    named
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let path = drafted(&world.agent, LOOS, named).await;
    world.agent.act(&path, "publish", json!(null)).await.ok();
    path
}

/// A published initiative of Lens.
async fn of_lens(world: &World) -> String {
    let lens = format!("/v1/communes/{LENS}");
    let holder = json!({"kind": "collective", "name": "Les voisins de Lens"});
    let holder = world
        .camille
        .post(&format!("{lens}/holders"), holder)
        .await
        .created();
    let mut body = idea(holder["id"].as_str().unwrap());
    body["submit"] = json!(true);
    let reply = world
        .camille
        .post(&format!("{lens}/initiatives"), body)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    world
        .foreign_agent
        .act(&path, "start_review", json!({}))
        .await
        .ok();
    path
}

async fn sheet_of_lens(world: &World, more: Value) -> String {
    let initiative = of_lens(world).await;
    let mut named = json!({"initiative_ids": [id_of(&initiative)]});
    named
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let path = drafted(&world.foreign_agent, LENS, named).await;
    world
        .foreign_agent
        .act(&path, "publish", json!(null))
        .await
        .ok();
    path
}

async fn ids(reader: &Client, query: &str) -> Vec<String> {
    let page = reader.get(&format!("/v1/practices{query}")).await.ok();
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_written_published_and_withdrawn() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let create = format!("/v1/communes/{LOOS}/practices");
    let begun = json!({"title": "Refaire les chemins", "tags": ["chemin rural"]});
    world
        .anyone
        .post(&create, begun.clone())
        .await
        .problem(401, "unauthorized");
    for refused in [
        &world.camille,
        &world.mayor,
        &world.foreign_agent,
        &world.admin,
    ] {
        refused
            .post(&create, begun.clone())
            .await
            .problem(403, "forbidden");
    }
    world
        .agent
        .post("/v1/communes/99999/practices", begun.clone())
        .await
        .problem(404, "not_found");
    let reply = world.agent.post(&create, begun.clone()).await;
    let path = reply.header("location").to_owned();
    let draft = reply.created();
    assert_eq!(draft["state"], "draft");
    assert_eq!(
        draft["allowed_actions"],
        json!(["update", "publish", "withdraw"])
    );
    assert_eq!(
        (&draft["figures"]["savings_cents"], &draft["proofs"]),
        (&json!(null), &json!([]))
    );

    // A draft is the town hall's, in lists too.
    for other in [
        &world.anyone,
        &world.camille,
        &world.foreign_agent,
        &world.admin,
    ] {
        other.get(&path).await.problem(404, "not_found");
        for below in ["history", "lineage", "neighbours"] {
            other
                .get(&format!("{path}/{below}"))
                .await
                .problem(404, "not_found");
        }
        assert!(ids(other, &format!("?commune={LOOS}")).await.is_empty());
    }
    world.agent.get(&format!("{path}/lineage")).await.ok();
    assert_eq!(
        world.mayor.get(&path).await.ok()["allowed_actions"],
        json!([])
    );
    assert_eq!(
        ids(&world.mayor, &format!("?commune={LOOS}")).await.len(),
        1
    );
    assert!(ids(&world.mayor, "").await.is_empty());

    // What others need is there before it is published, and something proves it.
    let missing = world.agent.act(&path, "publish", json!(null)).await;
    assert_eq!(
        missing.pointers(),
        [
            "#/approach",
            "#/contact",
            "#/context",
            "#/objectives",
            "#/participation_level",
            "#/results",
            "#/theme"
        ]
    );
    let stale = world.agent.get(&path).await.header("etag").to_owned();
    world.agent.edit(&path, sheet()).await.ok();
    world
        .agent
        .with("if-match", &stale)
        .patch(&path, sheet())
        .await
        .problem(412, "stale_version");
    world
        .agent
        .patch(&path, sheet())
        .await
        .problem(428, "precondition_required");
    world
        .agent
        .act(&path, "publish", json!(null))
        .await
        .problem(409, "requirement_missing");
    let hidden = in_review(&world).await;
    let reason = json!({"reason": "Un nom."});
    world
        .agent
        .act(&hidden, "unpublish", reason.clone())
        .await
        .ok();
    let lens = of_lens(&world).await;
    let proof = in_review(&world).await;
    for wrong in [
        json!([id_of(&hidden)]),
        json!([id_of(&lens)]),
        json!([id_of(&path)]),
        json!([id_of(&proof), id_of(&proof)]),
    ] {
        let refused = world
            .agent
            .edit(&path, json!({"initiative_ids": wrong}))
            .await;
        assert_eq!(refused.pointers(), ["#/initiative_ids"]);
    }
    let repeated = json!({"tags": ["agriculteurs", "agriculteurs"]});
    assert_eq!(
        world.agent.edit(&path, repeated).await.pointers(),
        ["#/tags"]
    );
    // Nobody is written to at a person's address.
    let mail = json!({"contact": {"service": "Participation", "address": "claude@loos.example"}});
    assert_eq!(
        world.agent.edit(&path, mail).await.pointers(),
        ["#/contact/address"]
    );
    let named = json!({"initiative_ids": [id_of(&proof)]});
    world.agent.edit(&path, named).await.ok();
    let shown = world.agent.act(&path, "publish", json!(null)).await.ok();
    assert_eq!(
        (&shown["state"], &shown["published_at"]),
        (&json!("published"), &json!("2026-06-15T10:00:00Z"))
    );
    world
        .agent
        .act(&path, "publish", json!(null))
        .await
        .problem(409, "wrong_state");

    // Everybody reads it, and the town hall can correct it without making it less.
    let seen = world.anyone.get(&path).await.ok();
    assert_eq!(seen["allowed_actions"], json!([]));
    assert_eq!(seen["proofs"][0]["id"], id_of(&proof));
    assert_eq!(ids(&world.anyone, "").await, [id_of(&path)]);
    world
        .agent
        .edit(&path, json!({"tips": null, "title": "Refaire les chemins"}))
        .await
        .ok();
    let less = world.agent.edit(&path, json!({"approach": null})).await;
    assert_eq!(less.pointers(), ["#/approach"]);
    world
        .agent
        .edit(&path, json!({"initiative_ids": []}))
        .await
        .problem(409, "requirement_missing");
    let told: Vec<Value> = world.anyone.get(&format!("{path}/history")).await.ok()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert_eq!(
        told,
        ["publish", "update"],
        "drafts have a history of their own"
    );
    let whole = world.agent.get(&format!("{path}/history")).await.ok();
    assert_eq!(whole["data"].as_array().unwrap().len(), 5);

    // Withdrawn, it is the town hall's again, for good.
    world
        .camille
        .act(&path, "withdraw", reason.clone())
        .await
        .problem(403, "forbidden");
    let gone = world.agent.act(&path, "withdraw", reason).await.ok();
    assert_eq!(
        (&gone["state"], &gone["allowed_actions"]),
        (&json!("withdrawn"), &json!([]))
    );
    world.anyone.get(&path).await.problem(404, "not_found");
    assert!(ids(&world.anyone, "").await.is_empty());
    world
        .agent
        .edit(&path, sheet())
        .await
        .problem(409, "wrong_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_the_records() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, convention) = active(&world).await;
    let path = published(&world, &initiative, json!({})).await;
    let before = world.anyone.get(&path).await.ok();
    for unknown in [
        "duration_days",
        "municipal_spending_cents",
        "staff_hours",
        "volunteer_hours",
        "people_counted",
        "commune_value_cents",
        "savings_cents",
    ] {
        assert_eq!(before["figures"][unknown], json!(null), "{unknown}");
    }
    assert_eq!(
        before["proofs"][0]["conventions"][0]["id"],
        id_of(&convention)
    );
    // Something is delivered, people are counted, the initiative is completed and evaluated.
    let columns = world
        .camille
        .get(&format!("{initiative}/commitments"))
        .await
        .ok();
    let owed = columns["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|commitment| commitment["side"] == "commune")
        .unwrap();
    let done = json!({"done_on": "2026-06-15", "quantity": "8", "evidence": "Bon de livraison"});
    let fulfilments = format!(
        "/v1/commitments/{}/fulfilments",
        owed["id"].as_str().unwrap()
    );
    let recorded = world.agent.post(&fulfilments, done).await;
    let recorded = recorded.header("location").to_owned();
    world
        .camille
        .act(&recorded, "acknowledge", json!(null))
        .await
        .ok();
    for (day, people) in [("2026-06-10", 12), ("2026-06-12", 9)] {
        let counts = json!({"counts": [{"age_band": "11_14", "people": people}, {"age_band": "30_59", "people": 3}]});
        let day = format!("{initiative}/headcounts/{day}");
        world.agent.put(&day, counts).await.ok();
    }
    app.travel_to("2026-07-01T10:00:00Z");
    world
        .agent
        .act(&initiative, "complete", json!(null))
        .await
        .ok();
    let evaluation = format!("{initiative}/evaluation");
    world.agent.post(&evaluation, farm_tracks()).await.created();
    let unvalidated = world.anyone.get(&path).await.ok();
    assert_eq!(unvalidated["figures"]["savings_cents"], json!(null));
    assert_eq!(unvalidated["proofs"][0]["savings_method"], json!(null));
    world
        .camille
        .act(&evaluation, "agree", json!(null))
        .await
        .ok();
    world
        .mayor
        .act(&evaluation, "validate", json!(null))
        .await
        .ok();

    let shown = world.anyone.get(&path).await.ok();
    let figures = &shown["figures"];
    assert_eq!(*figures, shown["proofs"][0]["figures"]);
    assert_eq!(figures["duration_days"], 16);
    assert_eq!(figures["people_counted"], 15);
    assert_eq!(
        shown["proofs"][0]["savings_method"],
        farm_tracks()["method"]
    );
    let unknown = format!("/v1/practices/{}.jsonld", app.row_id(LOOS));
    for path in [unknown.as_str(), "/v1/practices.xml"] {
        world.anyone.get(path).await.problem(404, "not_found");
    }
    // The one initiative of the commune: the metrics say the same.
    let metrics = format!("/v1/metrics?communes={LOOS}&from=2026&to=2026");
    let metrics = world.anyone.get(&metrics).await.ok();
    let values = metrics["territories"][0]["periods"][0]["values"]
        .as_array()
        .unwrap();
    let value = |code: &str| {
        values
            .iter()
            .find(|value| value["indicator"] == code)
            .unwrap()
    };
    let number = |code: &str| {
        value(code)["value"]
            .as_str()
            .unwrap()
            .parse::<i64>()
            .unwrap()
    };
    assert_eq!(figures["savings_cents"], number("savings"));
    assert_eq!(figures["people_counted"], number("headcounts"));
    assert_eq!(figures["staff_hours"], value("staff_hours")["value"]);
    assert_eq!(figures["official_hours"], value("official_hours")["value"]);
    assert_eq!(
        figures["commune_value_cents"],
        number("value_delivered_by_side")
    );
    assert_eq!(figures["residents_value_cents"], json!(null));

    // What is no longer public proves nothing, and nothing of it is left.
    let reason = json!({"reason": "Un nom."});
    world.agent.act(&initiative, "unpublish", reason).await.ok();
    for reader in [&world.anyone, &world.agent] {
        let bare = reader.get(&path).await.ok();
        assert_eq!(bare["proofs"], json!([]));
        assert_eq!(bare["figures"]["savings_cents"], json!(null));
        assert_eq!(bare["figures"]["participants"], 0);
    }
    let proved = format!("?initiative={}", id_of(&initiative));
    assert!(ids(&world.anyone, &proved).await.is_empty());
    world
        .agent
        .act(&initiative, "publish", json!(null))
        .await
        .ok();
    assert_eq!(ids(&world.anyone, &proved).await, [id_of(&path)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_goes_from_commune_to_commune() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let proof = in_review(&world).await;
    let root = published(&world, &proof, json!({})).await;
    let draft = drafted(&world.agent, LOOS, json!({})).await;
    // A draft inspires nobody, not even by its id.
    for unknown in [id_of(&draft), id_of(&proof)] {
        let refused = world
            .foreign_agent
            .post(
                &format!("/v1/communes/{LENS}/practices"),
                json!({"title": "Nos chemins", "inspired_by_practice_id": unknown}),
            )
            .await;
        assert_eq!(refused.pointers(), ["#/inspired_by_practice_id"]);
    }
    let inspired = json!({"inspired_by_practice_id": id_of(&root), "title": "Les chemins de Lens"});
    let child = sheet_of_lens(&world, inspired).await;
    // Nor does what was published come to be inspired by what came after it: no line ends where it began.
    for (path, agent, source) in [
        (&root, &world.agent, &child),
        (&root, &world.agent, &root),
        (&child, &world.foreign_agent, &child),
    ] {
        agent
            .edit(path, json!({"inspired_by_practice_id": id_of(source)}))
            .await
            .problem(409, "requirement_missing");
    }
    let holder = association(&world.camille, "Les chemins de Loos").await;
    let mut body = idea(&holder);
    body["inspired_by_practice_id"] = json!(id_of(&draft));
    let initiatives = format!("/v1/communes/{LOOS}/initiatives");
    let refused = world.camille.post(&initiatives, body.clone()).await;
    assert_eq!(refused.pointers(), ["#/inspired_by_practice_id"]);
    body["inspired_by_practice_id"] = json!(id_of(&child));
    let reply = world.camille.post(&initiatives, body).await;
    let initiative = reply.header("location").to_owned();
    reply.created();
    let names = |line: &Value, side: &str| -> Vec<(String, i64, bool)> {
        line[side]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                (
                    entry["id"].as_str().unwrap().to_owned(),
                    entry["steps"].as_i64().unwrap(),
                    entry["is_public"].as_bool().unwrap(),
                )
            })
            .collect()
    };
    let entry = |path: &str, steps, is_public| (id_of(path).to_owned(), steps, is_public);
    let lineage = |path: &str| format!("{path}/lineage");
    // A draft of somebody is in nobody's line.
    let line = world.anyone.get(&lineage(&root)).await.ok();
    assert_eq!(names(&line, "descendants"), [entry(&child, 1, true)]);
    for (who, action, body) in [
        (&world.camille, "submit", json!(null)),
        (&world.agent, "start_review", json!({})),
        (
            &world.agent,
            "give_opinion",
            json!({"outcome": "favourable", "text": "Faisable."}),
        ),
        (
            &world.official,
            "accept",
            json!({"reason": "Comme à Lens."}),
        ),
    ] {
        who.act(&initiative, action, body).await.ok();
    }
    let line = world.anyone.get(&lineage(&root)).await.ok();
    assert_eq!(
        names(&line, "descendants"),
        [entry(&child, 1, true), entry(&initiative, 2, true)]
    );
    assert_eq!(line["descendants"][0]["commune"]["name"], "Lens");
    assert_eq!(line["ancestors"], json!([]));
    let line = world.anyone.get(&lineage(&child)).await.ok();
    assert_eq!(names(&line, "ancestors"), [entry(&root, 1, true)]);
    let by = format!("?inspired_by={}", id_of(&root));
    assert_eq!(ids(&world.anyone, &by).await, [id_of(&child)]);
    let by = format!("/v1/initiatives?inspired_by={}", id_of(&child));
    let inspired = world.anyone.get(&by).await.ok();
    assert_eq!(inspired["data"][0]["id"], id_of(&initiative));

    // It counts in the commune of the sheet, with its record, and under its theme.
    let metrics = |commune: &str| {
        format!(
            "/v1/metrics?communes={commune}&from=2026&to=2026&indicators=practices_reused&group_by=theme"
        )
    };
    let of_lens = world.anyone.get(&metrics(LENS)).await.ok();
    let values = &of_lens["territories"][0]["periods"][0]["values"];
    assert_eq!(
        (
            &values[0]["value"],
            &values[1]["group"],
            &values[1]["value"]
        ),
        (&json!("1"), &json!("agriculture"), &json!("1"))
    );
    let of_loos = world.anyone.get(&metrics(LOOS)).await.ok();
    assert_eq!(
        of_loos["territories"][0]["periods"][0]["values"][0]["value"],
        "0"
    );
    let records = format!("/v1/metrics/practices_reused/records?commune={LENS}&period=2026");
    let records = world.anyone.get(&records).await.ok();
    assert_eq!(records["data"][0]["path"], initiative);

    // Withdrawn, it stays as a name; and what names it may still be changed.
    let reason = json!({"reason": "Dépassée."});
    world
        .foreign_agent
        .act(&child, "withdraw", reason.clone())
        .await
        .ok();
    let line = world.anyone.get(&lineage(&root)).await.ok();
    assert_eq!(
        names(&line, "descendants"),
        [entry(&child, 1, false), entry(&initiative, 2, true)]
    );
    assert_eq!(line["descendants"][0]["title"], "Les chemins de Lens");
    world.anyone.get(&lineage(&child)).await.ok();
    let seen = world.anyone.get(&initiative).await.ok();
    assert_eq!(seen["inspired_by_practice_id"], id_of(&child));
    world.agent.act(&initiative, "unpublish", reason).await.ok();
    let line = world.anyone.get(&lineage(&root)).await.ok();
    assert_eq!(names(&line, "descendants"), [entry(&child, 1, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sheets_are_found_by_what_they_are_and_where() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let proof = in_review(&world).await;
    let tracks = published(&world, &proof, json!({})).await;
    app.travel_to("2026-06-15T11:00:00Z");
    let roof = json!({"title": "Un toit d'église solaire", "theme": "energy", "participation_level": "citizen_led",
        "tags": ["soleil"], "location": {"latitude": 50.4583, "longitude": 2.7921}, "approach": "Des panneaux",
        "context": "Un toit bien exposé.", "objectives": "De l'électricité."});
    let roof = published(&world, &proof, roof).await;
    app.travel_to("2026-06-15T12:00:00Z");
    let far =
        json!({"title": "Les chemins de Lens", "location": {"latitude": 50.43, "longitude": 2.83}});
    let lens = sheet_of_lens(&world, far).await;
    let none: &[&String] = &[];
    for (query, found) in [
        ("", &[&lens, &roof, &tracks][..]),
        ("?sort=created_at", &[&tracks, &roof, &lens]),
        ("?commune=62528", &[&roof, &tracks]),
        ("?department=62&region=32", &[&lens, &roof, &tracks]),
        ("?department=2A", none),
        ("?theme=energy", &[&roof]),
        ("?tag=chemin+rural", &[&lens, &tracks]),
        ("?participation_level=citizen_led", &[&roof]),
        ("?q=panneau", &[&roof]),
        ("?q=CHEMIN", &[&lens, &tracks]),
        ("?bbox=2.82,50.42,2.84,50.44", &[&lens]),
        (
            "?near=50.4583,2.7921&within_km=1&sort=distance",
            &[&roof, &tracks],
        ),
        ("?near=50.43,2.83&sort=distance", &[&lens, &roof, &tracks]),
        ("?near=-50,2.83", none),
        ("?population_min=10000", &[&lens]),
        ("?population_max=10000", &[&roof, &tracks]),
        ("?state=draft", none),
    ] {
        let expected: Vec<&str> = found.iter().map(|path| id_of(path)).collect();
        assert_eq!(ids(&world.anyone, query).await, expected, "{query}");
    }
    // Page by page in every order.
    for sort in ["-created_at", "created_at", "distance"] {
        let list = format!("/v1/practices?near=50.4583,2.7921&sort={sort}&limit=1");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.anyone.get(&format!("{list}{cursor}")).await.ok();
            seen.extend(page["data"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let whole = format!("/v1/practices?near=50.4583,2.7921&sort={sort}");
        assert_eq!(json!(seen), world.anyone.get(&whole).await.ok()["data"]);
        assert_eq!(seen.len(), 3);
    }
    for wrong in [
        "?near=91,2",
        "?near=50",
        "?sort=distance",
        "?within_km=5",
        "?bbox=9,9,1,1",
        "?population_min=-1",
        "?theme=x",
    ] {
        world
            .anyone
            .get(&format!("/v1/practices{wrong}"))
            .await
            .problem(400, "invalid_query");
    }
    let neighbours = world.anyone.get(&format!("{tracks}/neighbours")).await.ok();
    let neighbours = neighbours["data"].as_array().unwrap();
    assert_eq!(neighbours.len(), 1, "not those of the commune itself");
    assert_eq!(neighbours[0]["id"], id_of(&lens));
    assert_eq!(neighbours[0]["reasons"], json!(["same_theme", "near"]));
    let metres = neighbours[0]["distance_m"].as_i64().unwrap();
    assert!((4_000..5_000).contains(&metres), "{metres}");
    let of_roof = world.anyone.get(&format!("{roof}/neighbours")).await.ok();
    assert_eq!(of_roof["data"][0]["reasons"], json!(["near"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_leave_a_sheet_whole() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for _ in 0..8 {
        let proof = in_review(&world).await;
        let path = drafted(
            &world.agent,
            LOOS,
            json!({"initiative_ids": [id_of(&proof)]}),
        )
        .await;
        // Two publish it, while its proof goes.
        let (one, other, hidden) = tokio::join!(
            world.agent.act(&path, "publish", json!(null)),
            world.agent.act(&path, "publish", json!(null)),
            world
                .agent
                .act(&proof, "unpublish", json!({"reason": "Un nom."})),
        );
        hidden.ok();
        let done = [&one, &other]
            .iter()
            .filter(|reply| reply.status == 200)
            .count();
        assert!(done <= 1, "{} {}", one.text, other.text);
        for reply in [&one, &other] {
            assert!(
                [200, 409].contains(&reply.status.as_u16()),
                "{}",
                reply.text
            );
        }
        let shown = world.agent.get(&path).await.ok();
        assert_eq!(shown["state"] == "published", done == 1);
    }
    // Two change it: who comes second has read something else.
    let proof = in_review(&world).await;
    let path = published(&world, &proof, json!({})).await;
    let etag = world.agent.get(&path).await.header("etag").to_owned();
    let agent = world.agent.with("if-match", &etag);
    let (one, other) = tokio::join!(
        agent.patch(&path, json!({"tips": "Un."})),
        agent.patch(&path, json!({"tips": "Deux."}))
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    // Two drafts that would inspire each other: neither is public, so neither is named.
    let first = drafted(
        &world.agent,
        LOOS,
        json!({"initiative_ids": [id_of(&proof)]}),
    )
    .await;
    let second = drafted(
        &world.agent,
        LOOS,
        json!({"initiative_ids": [id_of(&proof)]}),
    )
    .await;
    for _ in 0..4 {
        let name = |path: &str| json!({"inspired_by_practice_id": id_of(path)});
        let replies = tokio::join!(
            world.agent.edit(&first, name(&second)),
            world.agent.edit(&second, name(&first)),
            world.agent.act(&first, "publish", json!(null)),
            world.agent.act(&second, "publish", json!(null)),
        );
        for reply in [&replies.0, &replies.1, &replies.2, &replies.3] {
            assert!(reply.status.as_u16() < 500, "{}", reply.text);
        }
    }
    let names: Vec<Value> = [
        world.agent.get(&first).await.ok(),
        world.agent.get(&second).await.ok(),
    ]
    .iter()
    .map(|sheet| sheet["inspired_by_practice_id"].clone())
    .collect();
    assert!(names.contains(&json!(null)), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_sheets_whole() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let proof = in_review(&world).await;
    let path = published(&world, &proof, json!({})).await;
    let hidden = in_review(&world).await;
    let reason = json!({"reason": "Un nom."});
    world.agent.act(&hidden, "unpublish", reason).await.ok();
    let draft = drafted(&world.agent, LOOS, json!({})).await;
    let lens = of_lens(&world).await;
    let (id, draft, proof, hidden, lens) = (
        id_of(&path),
        id_of(&draft),
        id_of(&proof),
        id_of(&hidden),
        id_of(&lens),
    );
    let set = |what: &str, of: &str| format!("UPDATE practices SET {what} WHERE id = '{of}'");
    for (sql, constraint) in [
        (
            set("state = 'draft', published_at = NULL", id),
            "lifecycle_transition",
        ),
        (
            set("state = 'published', published_at = now()", draft),
            "practices_proved",
        ),
        (set("theme = NULL", id), "practices_complete_when_published"),
        (
            set("approach = NULL", id),
            "practices_complete_when_published",
        ),
        (set("contact_address = NULL", id), "practices_contact_whole"),
        (
            set("contact_service = 'a@b.fr'", draft),
            "practices_contact_is_no_mail",
        ),
        (
            set("published_at = now()", draft),
            "practices_drafts_are_private",
        ),
        (
            set("published_at = now()", id),
            "practices_inspiration_is_final",
        ),
        (
            set(&format!("inspired_by_practice_id = '{id}'"), id),
            "practices_inspiration_is_final",
        ),
        (
            set(&format!("inspired_by_practice_id = '{draft}'"), draft),
            "inspired_by_what_is_public",
        ),
        (set("latitude = 91", id), "practices_latitude"),
        (set("longitude = NULL", id), "practices_location_whole"),
        (
            set("tags = array_fill('x'::text, ARRAY[11])", id),
            "practices_tags",
        ),
        (
            set("participation_level = 'x'", id),
            "practices_participation_level",
        ),
        (set("theme = 'x'", id), "practices_theme"),
        (
            set("commune_code = '62498'", draft),
            "practices_id_carries_commune",
        ),
        (
            format!(
                "UPDATE initiatives SET inspired_by_practice_id = '{draft}' WHERE id = '{proof}'"
            ),
            "inspired_by_what_is_public",
        ),
        (
            format!("DELETE FROM practices WHERE id = '{draft}'"),
            "practices_append_only",
        ),
        (
            format!("DELETE FROM practice_initiatives WHERE practice_id = '{id}'"),
            "practices_proved",
        ),
        (
            format!("INSERT INTO practice_initiatives VALUES ('{id}', '{LOOS}', '{hidden}')"),
            "practice_initiatives_public",
        ),
        (
            format!("INSERT INTO practice_initiatives VALUES ('{id}', '{LOOS}', '{lens}')"),
            "practice_initiatives_public",
        ),
        (
            format!("INSERT INTO practice_initiatives VALUES ('{id}', '{LENS}', '{lens}')"),
            "practice_initiatives_practice_id_commune_code_fkey",
        ),
        (
            format!(
                "INSERT INTO practices (id, commune_code, state, title, tags, created_by, state_changed_at, created_at, folded_text) \
                 VALUES ('{}', '{LOOS}', 'published', 'x', '{{}}', '{}', now(), now(), 'x')",
                app.row_id(LOOS),
                world.agent.id()
            ),
            "lifecycle_start",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(constraint), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_is_told_when_figures_change() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = accepted(&world).await;
    let path = published(&world, &initiative, json!({})).await;
    let end = async || {
        let page = world.anyone.get("/v1/changes?after=now").await.ok();
        page["next_cursor"].as_str().unwrap().to_owned()
    };
    let told = async |after: &str| {
        let page = world
            .anyone
            .get(&format!("/v1/changes?after={after}&kind=practice"))
            .await
            .ok();
        page["data"].as_array().unwrap().clone()
    };
    for (what, change) in [
        ("headcount", "updated"),
        ("participation", "updated"),
        ("unpublish", "updated"),
        ("publish", "updated"),
        ("edit", "updated"),
        ("withdraw", "removed"),
    ] {
        let after = end().await;
        let etag = world
            .anyone
            .get("/v1/practices.csv")
            .await
            .header("etag")
            .to_owned();
        let reason = json!({"reason": "Un nom."});
        match what {
            "headcount" => {
                let day = format!("{initiative}/headcounts/2026-06-10");
                let counts = json!({"counts": [{"age_band": "30_59", "people": 12}]});
                world.agent.put(&day, counts).await.ok();
            }
            "participation" => {
                let place = format!("{initiative}/participation");
                world.dominique.put(&place, json!(null)).await.ok();
            }
            "unpublish" => drop(world.agent.act(&initiative, what, reason).await.ok()),
            "publish" => drop(world.agent.act(&initiative, what, json!(null)).await.ok()),
            "edit" => drop(world.agent.edit(&path, json!({"tips": "Deux."})).await.ok()),
            _ => drop(world.agent.act(&path, what, reason).await.ok()),
        }
        let told = told(&after).await;
        assert_eq!(told.len(), 1, "{what}");
        assert_eq!(told[0]["change"], change, "{what}");
        if change == "updated" {
            assert_eq!(told[0]["resource"], world.anyone.get(&path).await.ok());
        }
        // The file has a new tag too.
        let reader = world.anyone.with("if-none-match", &etag);
        assert_eq!(reader.get("/v1/practices.csv").await.status, 200, "{what}");
    }
}
