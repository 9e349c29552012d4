//! A convention from draft to its end, as both sides see it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::authorities::{deliberation, recorded};
use crate::initiatives::{accepted, association, idea};
use crate::support::app::{LOOS, World};
use crate::support::{Client, TestApp};

/// The mandate of an official of Loos-en-Gohelle.
pub async fn mandate_of(world: &World, official: &Client) -> String {
    let page = world
        .agent
        .get(&format!("/v1/communes/{LOOS}/mandates?limit=100"))
        .await
        .ok();
    let theirs = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|mandate| mandate["person"]["id"] == json!(official.id()))
        .unwrap();
    theirs["id"].as_str().unwrap().to_owned()
}

/// Eight planters of the commune.
pub fn planters() -> Value {
    json!({"side": "commune", "kind": "material", "title": "Huit jardinières", "route": "in_kind", "due_on": "2026-07-15",
        "valuation": {"quantity": "8", "unit": "jardinière", "unit_value_cents": 5000, "method": "real_cost"}})
}

/// Two years of upkeep by the holder.
pub fn upkeep() -> Value {
    json!({"side": "holder", "kind": "labour", "title": "Plantation et arrosage",
        "upkeep": {"starts_on": "2026-07-15", "ends_on": "2028-06-30"},
        "valuation": {"quantity": "120", "unit": "heure", "unit_value_cents": 1500, "method": "hourly_rate"}})
}

/// A commitment that the commune proposes and Camille accepts, or the other way round.
pub async fn agree(world: &World, initiative: &str, commitment: Value) -> String {
    let (proposer, accepter) = if commitment["side"] == "commune" {
        (&world.agent, &world.camille)
    } else {
        (&world.camille, &world.official)
    };
    let reply = proposer
        .post(&format!("{initiative}/commitments"), commitment)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    accepter.act(&path, "accept", json!(null)).await.ok();
    path
}

/// What an agent drafts, complete.
pub async fn terms(world: &World) -> Value {
    json!({"object": "Huit jardinières rue Faidherbe", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
    "parties": {
        "commune": {"mandate_id": mandate_of(world, &world.mayor).await},
        "holder": {"user_id": world.camille.id(), "capacity": "Présidente"},
    }})
}

/// A draft that is ready to be opened, for an initiative of Camille's association.
pub async fn drafted(world: &World) -> (String, String) {
    let initiative = accepted(world).await;
    agree(world, &initiative, planters()).await;
    agree(world, &initiative, upkeep()).await;
    let reply = world
        .agent
        .post(&format!("{initiative}/conventions"), terms(world).await)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    (initiative, path)
}

/// The same, open for signature, with its hash.
pub async fn opened(world: &World) -> (String, String, String) {
    let (initiative, path) = drafted(world).await;
    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap().to_owned();
    (initiative, path, hash)
}

pub fn signing(hash: &str) -> Value {
    json!({"content_sha256": hash})
}

/// The same, signed by both.
pub async fn active(world: &World) -> (String, String) {
    let (initiative, path, hash) = opened(world).await;
    let sign = format!("{path}/sign");
    world.camille.post(&sign, signing(&hash)).await.ok();
    world.mayor.post(&sign, signing(&hash)).await.ok();
    (initiative, path)
}

/// An open convention of this holder in two calls; Camille and the mayor sign.
pub async fn quickly_opened(world: &World, holder: &str) -> (String, String, String) {
    let mut body = idea(holder);
    body["requests_money"] = json!(false);
    body["submit"] = json!(true);
    body["commitments"] = json!([planters(), upkeep()]);
    let reply = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
        .await;
    let initiative = reply.header("location").to_owned();
    reply.created();
    let yes = json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue.", "convention": {
        "object": "Jardinières", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
        "holder_signatory": {"user_id": world.camille.id(), "capacity": "Présidente"}}});
    let answer = world.mayor.act(&initiative, "quick_accept", yes).await.ok();
    let convention = &answer["convention"];
    assert_eq!(convention["state"], "open_for_signature");
    (
        initiative,
        format!("/v1/conventions/{}", convention["id"].as_str().unwrap()),
        convention["content_sha256"].as_str().unwrap().to_owned(),
    )
}

fn field<'a>(items: &'a Value, name: &str) -> Vec<&'a str> {
    items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item[name].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_sign_the_same_content_and_it_begins() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, path) = drafted(&world).await;
    let draft = world.agent.get(&path).await.ok();
    assert_eq!(
        draft["allowed_actions"],
        json!(["update", "open_for_signature", "cancel"])
    );
    assert_eq!(draft["balance"]["commune"]["promised_cents"], 40000);
    assert_eq!(draft["balance"]["holder"]["promised_cents"], 180000);
    assert_eq!(
        (&draft["number"], &draft["root_id"]),
        (&json!(1), &draft["id"])
    );
    // What is negotiated is for those who negotiate.
    for outsider in [
        &world.anyone,
        &world.dominique,
        &world.foreign_mayor,
        &world.admin,
    ] {
        outsider.get(&path).await.problem(404, "not_found");
        let list = outsider
            .get(&format!("{initiative}/conventions"))
            .await
            .ok();
        assert_eq!(list["data"], json!([]));
        let page = outsider.get("/v1/conventions").await.ok();
        assert_eq!(page["data"], json!([]));
    }
    let own = world
        .mayor
        .get(&format!("/v1/conventions?commune={LOOS}&state=draft"))
        .await
        .ok();
    assert_eq!(own["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        world
            .camille
            .get(&format!("{initiative}/conventions"))
            .await
            .ok()["data"][0]["state"],
        "draft"
    );
    world
        .camille
        .get(&format!("{path}/content"))
        .await
        .problem(404, "not_found");

    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    let content = world.camille.get(&format!("{path}/content")).await;
    assert_eq!(content.header("etag"), format!("\"{hash}\""));
    let digest: String = Sha256::digest(&content.text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(digest, hash);
    assert_eq!(
        content.text,
        serde_json_canonicalizer::to_string(&content.body).unwrap()
    );
    assert!(!content.text.contains("Dupont"), "{}", content.text);
    assert_eq!(
        field(&content.body["parties"], "capacity"),
        ["Maire", "Présidente"]
    );
    let holder = open["holder"]["id"].as_str().unwrap();
    let holder = world
        .camille
        .get(&format!("/v1/holders/{holder}"))
        .await
        .ok();
    assert_eq!(content.body["parties"][1]["siret"], holder["siret"]);

    assert_eq!(
        world.camille.get(&path).await.ok()["allowed_actions"],
        json!(["sign"])
    );
    assert_eq!(
        world.official.get(&path).await.ok()["allowed_actions"],
        json!([])
    );
    let sign = format!("{path}/sign");
    let half = world.camille.post(&sign, signing(hash)).await.ok();
    assert_eq!(half["state"], "open_for_signature");
    assert_eq!(half["parties"][1]["signed_on"], "2026-06-15");
    world
        .camille
        .post(&sign, signing(hash))
        .await
        .problem(409, "already_exists");
    let whole = world.mayor.post(&sign, signing(hash)).await.ok();
    assert_eq!(
        (&whole["state"], &whole["content_sha256"]),
        (&json!("active"), &json!(hash))
    );
    assert_eq!(
        field(&whole["commitments"], "state"),
        ["binding", "binding"]
    );
    assert_eq!(
        world.anyone.get(&initiative).await.ok()["state"],
        "in_progress"
    );
    world
        .mayor
        .post(&sign, signing(hash))
        .await
        .problem(409, "wrong_state");

    // Now it is public, without a name.
    let public = world.anyone.get(&path).await;
    assert!(public.header("cache-control").starts_with("public"));
    assert!(
        !public.text.contains("Dupont") && !public.text.contains(&world.camille.id().to_string())
    );
    let public = public.ok();
    assert_eq!(field(&public["parties"], "method"), ["simple", "simple"]);
    assert_eq!(public["parties"][0]["full_name"], json!(null));
    assert_eq!(
        world.camille.get(&path).await.ok()["parties"][0]["full_name"],
        "mayor Dupont"
    );
    assert_eq!(
        world.anyone.get(&format!("{path}/content")).await.text,
        content.text
    );
    let listed = world.anyone.get("/v1/conventions?limit=1").await.ok();
    assert_eq!(
        listed["data"][0]["initiative"]["title"],
        "Réfection des chemins agricoles"
    );
    // The clock stands still, so that what happened has no order.
    let seen = |history: Value| {
        let mut actions = field(&history["data"], "action");
        actions.sort_unstable();
        actions.join(" ")
    };
    let history = format!("{path}/history");
    assert_eq!(seen(world.anyone.get(&history).await.ok()), "sign");
    assert_eq!(
        seen(world.agent.get(&history).await.ok()),
        "create open_for_signature sign sign"
    );
    let started = world
        .anyone
        .get(&format!("{initiative}/history"))
        .await
        .ok();
    assert_eq!(seen(started).matches("start ").count(), 1);
    // What is not published is not public, convention or not.
    world
        .agent
        .act(&initiative, "unpublish", json!({"reason": "À revoir."}))
        .await
        .ok();
    world.anyone.get(&path).await.problem(404, "not_found");
    assert_eq!(
        world.anyone.get("/v1/conventions").await.ok()["data"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_drafts_once_for_what_is_accepted() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = crate::initiatives::in_review(&world).await;
    let create = format!("{initiative}/conventions");
    let terms = terms(&world).await;
    world
        .agent
        .post(&create, terms.clone())
        .await
        .problem(409, "wrong_state");
    world
        .agent
        .act(
            &initiative,
            "give_opinion",
            json!({"outcome": "favourable", "text": "Oui."}),
        )
        .await
        .ok();
    world
        .official
        .act(&initiative, "accept", json!({"reason": "Utile."}))
        .await
        .ok();
    for refused in [
        &world.camille,
        &world.mayor,
        &world.admin,
        &world.foreign_agent,
    ] {
        refused
            .post(&create, terms.clone())
            .await
            .problem(403, "forbidden");
    }
    world
        .anyone
        .post(&create, terms.clone())
        .await
        .problem(401, "unauthorized");

    let wrong = |parties: Value| {
        let mut wrong = terms.clone();
        wrong["parties"] = parties;
        wrong
    };
    let unable = mandate_of(&world, &world.official).await;
    let minor = app.person_born("minor", "2009-01-01").await;
    let holder = world.agent.get(&initiative).await.ok()["holder"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let join = format!(
        "INSERT INTO holder_members VALUES ('{holder}', '{LOOS}', '{}', 'active', 'member', true, now())",
        minor.id()
    );
    assert_eq!(app.attack(&join).await, None);
    let refusals = [
        (
            json!({"commune": {"mandate_id": unable}}),
            "#/parties/commune/mandate_id",
        ),
        (
            json!({"holder": {"user_id": world.dominique.id(), "capacity": "x"}}),
            "#/parties/holder/user_id",
        ),
        (
            json!({"holder": {"user_id": minor.id(), "capacity": "x"}}),
            "#/parties/holder/user_id",
        ),
        (
            json!({"holder": {"person": {"full_name": "Petit Pierre", "adult": false}, "capacity": "x"}}),
            "#/parties/holder/person/adult",
        ),
        (json!({"holder": {"capacity": "x"}}), "#/parties/holder"),
        (
            json!({"host": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "x"}}),
            "#/parties/host",
        ),
    ];
    for (parties, pointer) in refusals {
        let reply = world.agent.post(&create, wrong(parties)).await;
        assert_eq!(reply.pointers(), [pointer], "{}", reply.text);
        reply.problem(422, "invalid_body");
    }
    let mut stray = terms.clone();
    stray["commitment_ids"] = json!(["0190cf1c-8a5e-7c3e-9b1e-2f1d3c4b5a69"]);
    assert_eq!(
        world.agent.post(&create, stray).await.pointers(),
        ["#/commitment_ids/0"]
    );
    let mut no_act = terms.clone();
    no_act["authority_id"] = json!("0190cf1c-8a5e-7c3e-9b1e-2f1d3c4b5a69");
    let reply = world.agent.post(&create, no_act.clone()).await;
    assert_eq!(reply.pointers(), ["#/authority_id"]);

    let made = world.agent.post(&create, terms.clone()).await;
    let path = made.header("location").to_owned();
    made.created();
    world
        .agent
        .post(&create, terms.clone())
        .await
        .problem(409, "already_exists");
    let etag = world.agent.get(&path).await.header("etag").to_owned();
    world
        .agent
        .patch(&path, json!({"notice_days": 15}))
        .await
        .problem(428, "precondition_required");
    world
        .mayor
        .with("if-match", "*")
        .patch(&path, json!({"notice_days": 15}))
        .await
        .problem(403, "forbidden");
    let agent = world.agent.with("if-match", &etag);
    let act = recorded(&world, deliberation("2026-042")).await;
    let changed = agent
        .patch(
            &path,
            json!({"notice_days": 15, "authority_id": act, "parties": {"holder":
        {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Trésorière"}}}),
        )
        .await
        .ok();
    assert_eq!(
        (&changed["notice_days"], &changed["authority"]),
        (
            &json!(15),
            &json!({"id": act, "kind": "deliberation", "number": "2026-042", "adopted_on": "2026-06-02",
                "executory_on": "2026-06-05"})
        )
    );
    assert_eq!(changed["parties"][1]["full_name"], "Jeanne Martin");
    agent
        .patch(&path, json!({"notice_days": 16}))
        .await
        .problem(412, "stale_version");
    let cleared = world
        .agent
        .with("if-match", "*")
        .patch(&path, json!({"authority_id": null}))
        .await
        .ok();
    assert_eq!(cleared["authority"], json!(null));
    // The name that is not needed any more is gone.
    let mut database = app.database().await;
    let kept: Vec<Name> = diesel_async::RunQueryDsl::load(
        diesel::sql_query("SELECT full_name FROM identities ORDER BY 1"),
        &mut database,
    )
    .await
    .unwrap();
    let kept: Vec<_> = kept.into_iter().map(|name| name.full_name).collect();
    assert_eq!(kept, ["Jeanne Martin", "mayor Dupont"]);

    world
        .agent
        .act(&path, "cancel", json!({"reason": "Autre forme."}))
        .await
        .ok();
    world.agent.post(&create, terms).await.created();
}

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    full_name: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_missing_comes_at_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = accepted(&world).await;
    let bare = json!({"object": "Un chemin", "starts_on": "2026-07-01", "ends_on": "2036-06-30", "land": "church"});
    let reply = world
        .agent
        .post(&format!("{initiative}/conventions"), bare)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    let open = async || {
        world
            .agent
            .act(&path, "open_for_signature", json!(null))
            .await
    };
    let reply = open().await;
    assert_eq!(
        reply.pointers(),
        [
            "#/authority",
            "#/clergy_agreement",
            "#/commitments",
            "#/commitments",
            "#/long_duration_reason",
            "#/no_upkeep_reason",
            "#/parties/commune",
            "#/parties/holder"
        ]
    );
    reply.problem(409, "requirement_missing");

    // Money that is given, and not accepted yet.
    let envelope = world
        .official
        .with("if-match", "*")
        .put(
            &format!("/v1/communes/{LOOS}/envelopes/2026"),
            json!({"amount_cents": 1000000}),
        )
        .await;
    assert!(envelope.status.is_success(), "{}", envelope.text);
    let subsidy = json!({"side": "commune", "kind": "financial", "title": "Aide au projet", "route": "subsidy",
        "amount_cents": 300000, "budget_year": 2026, "due_on": "2026-09-01"});
    let offered = world
        .agent
        .post(&format!("{initiative}/commitments"), subsidy)
        .await
        .created();
    app.travel_to("2026-06-15T10:00:01Z");
    agree(&world, &initiative, upkeep()).await;
    let parties = terms(&world).await["parties"].clone();
    let delegated = json!({"kind": "delegated_decision", "number": "2026-7", "adopted_on": "2026-06-02",
        "object": "Mise à disposition d'un terrain"});
    let delegated = recorded(&world, delegated).await;
    let deliberation = recorded(&world, deliberation("2026-042")).await;
    let held: Vec<Value> = world
        .agent
        .get(&format!("{initiative}/commitments"))
        .await
        .ok()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["id"].clone())
        .collect();
    let agent = world.agent.with("if-match", "*");
    agent.patch(&path, json!({"parties": parties, "authority_id": delegated, "land": "public_domain", "tacit_renewal": true,
        "long_duration_reason": "Un chemin dure.", "commitment_ids": held, "starts_on": "2022-01-09", "ends_on": "2025-01-09"})).await.ok();
    let reply = open().await;
    assert_eq!(
        reply.pointers(),
        [
            "#/authority/executory_on",
            "#/authority/kind",
            "#/commitments/0/state",
            "#/holder",
            "#/land_fee_cents",
            "#/tacit_renewal"
        ]
    );
    world
        .camille
        .act(
            &format!("/v1/commitments/{}", offered["id"].as_str().unwrap()),
            "accept",
            json!(null),
        )
        .await
        .ok();
    agent.patch(&path, json!({"authority_id": deliberation, "land_fee_exemption": "Intérêt général", "tacit_renewal": false,
        "starts_on": "2026-07-01", "ends_on": "2028-07-01"})).await.ok();
    assert_eq!(open().await.ok()["state"], "open_for_signature");
    for refused in [&world.camille, &world.mayor] {
        refused
            .act(&path, "reopen", json!({"reason": "x"}))
            .await
            .problem(403, "forbidden");
    }
    world
        .agent
        .with("if-match", "*")
        .patch(&path, json!({"notice_days": 1}))
        .await
        .problem(409, "wrong_state");
    open().await.problem(409, "wrong_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn conventions_end_in_their_ways() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, path) = active(&world).await;
    let reason = json!({"reason": "L'association déménage."});
    // One-off commitments are settled first; upkeep may go on.
    let reply = world.agent.act(&initiative, "complete", json!(null)).await;
    assert_eq!(reply.pointers().len(), 1);
    reply.problem(409, "requirement_missing");
    world
        .camille
        .act(&initiative, "withdraw", json!({}))
        .await
        .problem(409, "wrong_state");
    for refused in [
        &world.agent,
        &world.dominique,
        &world.foreign_mayor,
        &world.admin,
    ] {
        refused
            .act(&path, "terminate", reason.clone())
            .await
            .problem(403, "forbidden");
    }
    world
        .camille
        .post(&format!("{path}/terminate"), reason.clone())
        .await
        .problem(428, "precondition_required");
    let ended = world
        .camille
        .act(&path, "terminate", reason.clone())
        .await
        .ok();
    assert_eq!(
        (&ended["state"], &ended["effective_on"]),
        (&json!("terminated"), &json!("2026-07-15"))
    );
    world
        .official
        .act(&path, "terminate", reason.clone())
        .await
        .problem(409, "wrong_state");
    assert_eq!(
        world.anyone.get(&path).await.ok()["reason"],
        "L'association déménage."
    );
    // Settling goes on.
    let shown = world.agent.get(&path).await.ok();
    let commitments = shown["commitments"].as_array().unwrap();
    let planters = commitments
        .iter()
        .find(|held| held["side"] == "commune")
        .unwrap()["id"]
        .as_str()
        .unwrap();
    world
        .agent
        .act(
            &format!("/v1/commitments/{planters}"),
            "mark_unfulfilled",
            json!({"reason": "Sans suite."}),
        )
        .await
        .ok();
    assert_eq!(
        world
            .agent
            .act(&initiative, "complete", json!(null))
            .await
            .ok()["state"],
        "completed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn early_ends_reach_conventions_and_commitments() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.camille, "Les jardins").await;
    let states = async |initiative: &str| {
        let held = world
            .agent
            .get(&format!("{initiative}/commitments"))
            .await
            .ok();
        let versions = world
            .agent
            .get(&format!("{initiative}/conventions"))
            .await
            .ok();
        (
            field(&held["data"], "state").join(" "),
            field(&versions["data"], "state").join(" "),
        )
    };
    let (initiative, _, _) = quickly_opened(&world, &holder).await;
    world
        .mayor
        .act(&initiative, "withdraw", json!({}))
        .await
        .problem(403, "forbidden");
    world
        .camille
        .act(&initiative, "withdraw", json!({}))
        .await
        .ok();
    assert_eq!(
        states(&initiative).await,
        ("withdrawn withdrawn".to_owned(), "cancelled".to_owned())
    );

    let (initiative, path, hash) = quickly_opened(&world, &holder).await;
    for signatory in [&world.mayor, &world.camille] {
        signatory
            .post(&format!("{path}/sign"), signing(&hash))
            .await
            .ok();
    }
    let reason = json!({"reason": "Le terrain est pollué."});
    for refused in [&world.agent, &world.camille] {
        refused
            .act(&initiative, "abandon", reason.clone())
            .await
            .problem(403, "forbidden");
    }
    world
        .official
        .act(&initiative, "abandon", reason)
        .await
        .ok();
    assert_eq!(
        states(&initiative).await,
        (
            "unfulfilled unfulfilled".to_owned(),
            "terminated".to_owned()
        )
    );
    assert_eq!(
        world.anyone.get(&path).await.ok()["effective_on"],
        "2026-06-15"
    );
}

/// Eight planters at the counter, on paper: three calls besides the sign-in of the agent and of the mayor.
#[tokio::test(flavor = "multi_thread")]
async fn eight_planters_take_three_calls() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let created = world.agent.post(&format!("/v1/communes/{LOOS}/initiatives"), json!({
        "title": "Huit jardinières rue Faidherbe", "description": "L'association les plante et les arrose.", "theme": "living_environment",
        "holder": {"kind": "association", "name": "Les voisins de la rue Faidherbe", "republican_commitment_on": "2025-01-01"},
        "on_behalf": {"channel": "counter"}, "submit": true, "commitments": [planters(), upkeep()]})).await;
    let etag = created.header("etag").to_owned();
    let initiative = created.header("location").to_owned();
    created.created();
    let yes = json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue.", "convention": {
        "object": "Huit jardinières rue Faidherbe", "starts_on": "2026-07-01", "ends_on": "2028-06-30", "sign": true,
        "holder_signatory": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"}}});
    let accepted = world
        .mayor
        .with("if-match", &etag)
        .post(&format!("{initiative}/quick_accept"), yes)
        .await
        .ok();
    let convention = &accepted["convention"];
    assert_eq!(convention["parties"][0]["signed"], true);
    let path = format!("/v1/conventions/{}", convention["id"].as_str().unwrap());
    let paper = json!({"party": "holder", "content_sha256": convention["content_sha256"], "signed_on": "2026-06-15", "paper_reference": "Registre 2026/17"});
    let active = world
        .agent
        .post(&format!("{path}/record_signature"), paper)
        .await
        .ok();
    assert_eq!(active["state"], "active");
    assert_eq!(
        world.anyone.get(&initiative).await.ok()["state"],
        "in_progress"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_yes_is_for_small_projects() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let submitted = async |name: &str, commitments: Value| {
        let reply = world.agent.post(&format!("/v1/communes/{LOOS}/initiatives"), json!({
            "title": "Huit jardinières", "description": "L'association les plante.", "theme": "living_environment",
            "holder": {"kind": "collective", "name": name},
            "on_behalf": {"channel": "paper"}, "submit": true, "commitments": commitments})).await;
        let path = reply.header("location").to_owned();
        reply.created();
        path
    };
    let yes = |sign: bool| {
        json!({"opinion": "Oui.", "reason": "Utile.", "convention": {"object": "Jardinières", "starts_on": "2026-07-01",
        "ends_on": "2028-06-30", "sign": sign, "holder_signatory": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Voisine"}}})
    };
    let mut dear = planters();
    dear["valuation"]["quantity"] = json!("11");
    let path = submitted("Les voisins", json!([dear, upkeep()])).await;
    world
        .mayor
        .act(&path, "quick_accept", yes(true))
        .await
        .problem(409, "requirement_missing");
    let path = submitted("Les voisines", json!([planters()])).await;
    let reply = world.mayor.act(&path, "quick_accept", yes(true)).await;
    assert_eq!(reply.pointers(), ["#/commitments", "#/no_upkeep_reason"]);
    reply.problem(409, "requirement_missing");
    // Nothing of a refused yes remains.
    assert_eq!(world.agent.get(&path).await.ok()["state"], "submitted");
    let path = submitted("Les voisins d'en face", json!([planters(), upkeep()])).await;
    for refused in [&world.agent, &world.camille, &world.foreign_mayor] {
        let status = refused
            .act(&path, "quick_accept", yes(false))
            .await
            .status
            .as_u16();
        assert!(matches!(status, 403 | 404), "{status}");
    }
    // Who may not sign still decides, and names who signs.
    world
        .official
        .act(&path, "quick_accept", yes(true))
        .await
        .problem(403, "forbidden");
    let reply = world.official.act(&path, "quick_accept", yes(false)).await;
    assert_eq!(reply.pointers(), ["#/parties/commune"]);
    let mut named = yes(false);
    named["convention"]["mandate_id"] = json!(mandate_of(&world, &world.mayor).await);
    let accepted = world.official.act(&path, "quick_accept", named).await.ok();
    assert_eq!(accepted["convention"]["state"], "open_for_signature");
    assert_eq!(
        field(&accepted["convention"]["commitments"], "state"),
        ["accepted", "accepted"]
    );
    let path = submitted("Encore des voisins", json!([])).await;
    let only = world
        .official
        .act(
            &path,
            "quick_accept",
            json!({"opinion": "Oui.", "reason": "Utile."}),
        )
        .await
        .ok();
    assert_eq!(
        (&only["initiative"]["state"], &only["convention"]),
        (&json!("accepted"), &json!(null))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_council_rejected_allows_nothing() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = drafted(&world).await;
    let mut rejected = deliberation("2026-099");
    rejected["votes"] =
        json!({"council_members": 27, "cast": 20, "in_favour": 2, "against": 18, "abstained": 0});
    let rejected = recorded(&world, rejected).await;
    world
        .agent
        .edit(&path, json!({"authority_id": rejected}))
        .await
        .ok();
    let refused = world
        .agent
        .act(&path, "open_for_signature", Value::Null)
        .await;
    assert_eq!(refused.pointers(), ["#/authority/votes"]);
}
