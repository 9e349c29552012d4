//! A convention that is changed after it was signed: amendments, renewals, suspension.

use serde_json::{Value, json};

use fifty_fifty::conventions::content::MATERIAL;
use fifty_fifty::conventions::verification::Exported;

use crate::authorities::recorded;
use crate::conventions::{active, agree, signing};
use crate::support::TestApp;
use crate::support::app::{LOOS, World};

/// The path of the commitment with this title in a convention.
fn commitment(convention: &Value, title: &str) -> String {
    let all = convention["commitments"].as_array().unwrap();
    let one = all.iter().find(|one| one["title"] == title).unwrap();
    format!("/v1/commitments/{}", one["id"].as_str().unwrap())
}

/// A draft of the next version of an active convention: its path.
async fn amendment(world: &World, path: &str) -> String {
    let reason = json!({"reason": "Deux jardinières de plus."});
    let reply = world.agent.act(path, "amend", reason).await;
    let next = reply.header("location").to_owned();
    reply.created();
    next
}

/// Opens it for signature; its hash.
async fn open(world: &World, path: &str) -> String {
    let open = world
        .agent
        .act(path, "open_for_signature", json!(null))
        .await
        .ok();
    open["content_sha256"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_version_is_in_force_until_all_have_signed_the_new_one() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, path) = active(&world).await;
    let first = world.camille.get(&path).await.ok();
    let eight = commitment(&first, "Huit jardinières");

    // An agent prepares it, and nobody else.
    let reason = json!({"reason": "Deux jardinières de plus."});
    world
        .mayor
        .act(&path, "amend", reason.clone())
        .await
        .problem(403, "forbidden");
    world
        .camille
        .act(&path, "amend", reason.clone())
        .await
        .problem(403, "forbidden");
    let next = amendment(&world, &path).await;
    world
        .agent
        .act(&path, "amend", reason)
        .await
        .problem(409, "already_exists");
    let draft = world.agent.get(&next).await.ok();
    assert_eq!(draft["number"], 2);
    assert_eq!(draft["root_id"], first["id"]);
    assert_eq!(draft["supersedes_id"], first["id"]);
    assert_eq!(draft["object"], first["object"]);
    assert_eq!(draft["commitments"].as_array().unwrap().len(), 2);
    app.anyone().get(&next).await.problem(404, "not_found");

    // More of one, and one that is new.
    agree(&world, &initiative, json!({"side": "commune", "kind": "advice", "title": "Conseil du jardinier", "route": "in_kind",
        "due_on": "2026-09-15", "valuation": {"quantity": "4", "unit": "heure", "unit_value_cents": 3000, "method": "hourly_rate"}})).await;
    let all: Vec<Value> = world
        .agent
        .get(&format!("{initiative}/commitments"))
        .await
        .ok()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    let terms = json!({"commitment_ids": all, "new_terms": [{"commitment_id": eight.rsplit('/').next().unwrap(), "quantity": "10"}]});
    let changed = world.agent.edit(&next, terms).await.ok();
    assert_eq!(changed["commitments"].as_array().unwrap().len(), 3);
    assert_eq!(
        changed["balance"]["commune"]["promised_cents"],
        10 * 5000 + 4 * 3000
    );
    // What is in force says what it said.
    assert_eq!(world.camille.get(&eight).await.ok()["value_cents"], 40000);

    let hash = open(&world, &next).await;
    let content = world.camille.get(&format!("{next}/content")).await.ok();
    assert_eq!(content["supersedes"]["id"], first["id"]);
    assert_eq!(
        content["supersedes"]["content_sha256"],
        first["content_sha256"]
    );
    // What is signed is what is declared material, and nothing else.
    let fields: Vec<&str> = content
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let material: Vec<&str> = MATERIAL.iter().map(|(name, _)| *name).collect();
    assert_eq!(fields, material);
    // On paper it says what it is, what it replaces and why.
    let page = world.camille.get(&format!("{next}/document.html")).await;
    let replaced = first["content_sha256"].as_str().unwrap();
    for said in [
        "Avenant n°\u{a0}1 à la convention",
        "remplace en entier celle qui était en vigueur",
        replaced,
        "Lieu, date et signature",
    ] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    let sign = format!("{next}/sign");
    world.camille.post(&sign, signing(&hash)).await.ok();
    assert_eq!(world.camille.get(&path).await.ok()["state"], "active");
    let signed = world.mayor.post(&sign, signing(&hash)).await.ok();
    assert_eq!(signed["state"], "active");
    assert_eq!(world.camille.get(&eight).await.ok()["value_cents"], 50000);
    // The old version says what was signed in it, and the new one what counts now.
    let old = world.anyone.get(&path).await.ok();
    assert_eq!(old["state"], "superseded");
    let page = world.anyone.get(&format!("{path}/document.html")).await;
    assert!(page.text.contains("REMPLACÉE"), "{}", page.text);
    assert!(
        page.text
            .contains("Signé le 15\u{a0}juin\u{a0}2026 en ligne")
            && !page.text.contains("Lieu, date et signature"),
        "{}",
        page.text
    );
    let of = |version: &Value| {
        let all = version["commitments"].as_array().unwrap().clone();
        let one = all
            .into_iter()
            .find(|one| one["title"] == "Huit jardinières");
        let one = one.unwrap();
        (
            one["valuation"]["quantity"].clone(),
            one["value_cents"].clone(),
            version["balance"]["commune"]["promised_cents"].clone(),
        )
    };
    assert_eq!(of(&old), (json!("8"), json!(40000), json!(40000)));
    assert_eq!(of(&signed), (json!("10"), json!(50000), json!(62000)));
    let balance = world.anyone.get(&format!("{path}/balance")).await.ok();
    assert_eq!(balance, old["balance"]);
    let advice = world
        .camille
        .get(&commitment(&signed, "Conseil du jardinier"))
        .await
        .ok();
    assert_eq!(advice["state"], "binding");

    // Everybody sees both versions, and what happened.
    let versions = app
        .anyone()
        .get(&format!("{initiative}/conventions"))
        .await
        .ok();
    let states: Vec<_> = versions["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].clone())
        .collect();
    assert_eq!(states, ["superseded", "active"]);
    let history = app.anyone().get(&format!("{path}/history")).await.ok();
    assert_eq!(
        history["data"].as_array().unwrap().last().unwrap()["action"],
        "supersede"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_amendment_no_longer_holds_gives_back_what_is_unspent() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let envelope = format!("/v1/communes/{LOOS}/envelopes/2026");
    let mayor = world.mayor.with("if-match", "*");
    mayor
        .put(&envelope, json!({"amount_cents": 100_000}))
        .await
        .ok();
    let (initiative, path) = crate::conventions::drafted(&world).await;
    let money = agree(
        &world,
        &initiative,
        json!({"side": "commune", "kind": "financial", "title": "Terreau", "route": "purchase",
        "amount_cents": 60_000, "budget_year": 2026, "due_on": "2026-10-01"}),
    )
    .await;
    let all: Vec<Value> = world
        .agent
        .get(&format!("{initiative}/commitments"))
        .await
        .ok()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    let order = json!({"kind": "mayor_order", "number": "2026-12", "adopted_on": "2026-06-01", "object": "Terreau",
        "executory_on": "2026-06-02"});
    let order = recorded(&world, order).await;
    world
        .agent
        .edit(&path, json!({"commitment_ids": all, "authority_id": order}))
        .await
        .ok();
    let hash = open(&world, &path).await;
    world
        .camille
        .post(&format!("{path}/sign"), signing(&hash))
        .await
        .ok();
    world
        .mayor
        .post(&format!("{path}/sign"), signing(&hash))
        .await
        .ok();
    let paid = json!({"done_on": "2026-06-15", "amount_cents": 25_000, "evidence": "Facture 12"});
    world
        .agent
        .post(&format!("{money}/fulfilments"), paid)
        .await
        .created();

    // Less than was paid is not open to signatures; then it is dropped.
    let next = amendment(&world, &path).await;
    let id = json!(money.rsplit('/').next().unwrap());
    world
        .agent
        .edit(
            &next,
            json!({"new_terms": [{"commitment_id": id, "amount_cents": 20_000}]}),
        )
        .await
        .ok();
    let refused = world
        .agent
        .act(&next, "open_for_signature", Value::Null)
        .await;
    let pointers = refused.pointers();
    assert!(
        pointers.len() == 1 && pointers[0].ends_with("/amount_cents"),
        "{pointers:?}"
    );
    let twice = json!({"new_terms": [{"commitment_id": id, "amount_cents": 30_000}, {"commitment_id": id, "amount_cents": 40_000}]});
    let refused = world.agent.edit(&next, twice).await;
    assert_eq!(refused.pointers(), ["#/new_terms/1/commitment_id"]);
    let others: Vec<Value> = all.into_iter().filter(|one| *one != id).collect();
    world
        .agent
        .edit(&next, json!({"commitment_ids": others}))
        .await
        .ok();
    let hash = open(&world, &next).await;
    world
        .camille
        .post(&format!("{next}/sign"), signing(&hash))
        .await
        .ok();
    world
        .mayor
        .post(&format!("{next}/sign"), signing(&hash))
        .await
        .ok();
    assert_eq!(world.camille.get(&money).await.ok()["state"], "unfulfilled");
    assert_eq!(
        world.official.get(&envelope).await.ok()["reserved_cents"],
        25_000
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_rests_or_has_ended_is_not_replaced() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = active(&world).await;
    let next = amendment(&world, &path).await;
    let hash = open(&world, &next).await;
    let sign = format!("{next}/sign");
    world.camille.post(&sign, signing(&hash)).await.ok();

    let reason = json!({"reason": "Travaux de voirie."});
    world
        .agent
        .act(&path, "suspend", reason.clone())
        .await
        .problem(403, "forbidden");
    let resting = world.mayor.act(&path, "suspend", reason.clone()).await.ok();
    assert_eq!(resting["state"], "suspended");
    world
        .mayor
        .post(&sign, signing(&hash))
        .await
        .problem(409, "wrong_state");
    world
        .agent
        .act(&path, "amend", reason.clone())
        .await
        .problem(409, "wrong_state");
    world.mayor.act(&path, "resume", reason.clone()).await.ok();

    world.mayor.act(&path, "terminate", reason).await.ok();
    assert_eq!(world.agent.get(&next).await.ok()["state"], "cancelled");
    world
        .mayor
        .post(&sign, signing(&hash))
        .await
        .problem(409, "wrong_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_changes_at_any_time_and_the_rest_does_not() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = active(&world).await;
    let before = world.camille.get(&path).await.ok();
    let key = json!({"practical_information": "La clé est à l'accueil."});
    let after = world.agent.edit(&path, key.clone()).await.ok();
    assert_eq!(after["practical_information"], key["practical_information"]);
    assert_eq!(after["content_sha256"], before["content_sha256"]);
    assert_eq!(
        app.anyone().get(&path).await.ok()["practical_information"],
        Value::Null
    );
    world
        .agent
        .edit(&path, json!({"object": "Autre chose"}))
        .await
        .problem(409, "wrong_state");
    let history = world.agent.get(&format!("{path}/history")).await.ok();
    assert_eq!(
        history["data"].as_array().unwrap().last().unwrap()["action"],
        "update"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_leaves_no_day_without_a_text() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = active(&world).await;
    let early = json!({"reason": "On continue.", "ends_on": "2028-06-30"});
    world
        .agent
        .act(&path, "renew", early)
        .await
        .problem(422, "invalid_body");
    let body = json!({"reason": "On continue.", "ends_on": "2030-06-30"});
    let draft = world.agent.act(&path, "renew", body).await.created();
    // The version in force begins in July; a renewal of one that had begun would begin today.
    assert_eq!(draft["starts_on"], "2026-07-01");
    assert_eq!(draft["ends_on"], "2030-06-30");
    assert_eq!(draft["amendment_kind"], "renewal");
    let next = format!("/v1/conventions/{}", draft["id"].as_str().unwrap());
    world
        .agent
        .act(&next, "cancel", json!({"reason": "Plus tard."}))
        .await
        .ok();
    app.travel_to("2026-09-01T10:00:00Z");
    let body = json!({"reason": "On continue.", "ends_on": "2030-06-30"});
    let draft = world.agent.act(&path, "renew", body).await.created();
    assert_eq!(draft["starts_on"], "2026-09-01");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_signature_and_a_termination_at_once_one_wins() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = active(&world).await;
    let next = amendment(&world, &path).await;
    let hash = open(&world, &next).await;
    let sign = format!("{next}/sign");
    world.camille.post(&sign, signing(&hash)).await.ok();
    let (signed, terminated) = tokio::join!(
        world.mayor.post(&sign, signing(&hash)),
        world
            .camille
            .act(&path, "terminate", json!({"reason": "Nous arrêtons."})),
    );
    let states = (
        world.agent.get(&path).await.ok()["state"].clone(),
        world.agent.get(&next).await.ok()["state"].clone(),
    );
    if signed.status == 200 {
        assert_eq!(states, (json!("superseded"), json!("active")));
        assert_ne!(terminated.status, 200);
    } else {
        assert_eq!(states, (json!("terminated"), json!("cancelled")));
        terminated.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_can_be_checked_and_compared_by_anyone() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = active(&world).await;
    let proof = app.anyone().get(&format!("{path}/verification")).await.ok();
    assert_eq!(proof["holds"], true, "{proof}");
    assert_eq!(proof["signatures"].as_array().unwrap().len(), 2);
    let none = app.anyone().get(&format!("{path}/changes")).await.ok();
    assert_eq!(none["data"], json!([]));

    // A file that was changed does not hold: a word, the hash, a signature.
    let fails = |spoilt: Value| {
        let exported: Exported = serde_json::from_value(spoilt).unwrap();
        exported
            .check()
            .iter()
            .filter(|result| !result.holds)
            .map(|result| result.check.code())
            .collect::<Vec<_>>()
    };
    assert_eq!(fails(proof.clone()), Vec::<&str>::new());
    let mut word = proof.clone();
    word["content"] = json!(proof["content"].as_str().unwrap().replace("Huit", "Neuf"));
    assert_eq!(fails(word), ["hash"]);
    let mut space = proof.clone();
    space["content"] = json!(proof["content"].as_str().unwrap().replacen(':', ": ", 1));
    assert_eq!(fails(space), ["canonical", "hash"]);
    let mut unsigned = proof.clone();
    unsigned["signatures"].as_array_mut().unwrap().pop();
    assert_eq!(fails(unsigned), ["all_signed"]);
    let mut other = proof;
    other["signatures"][0]["content_sha256"] = json!("0".repeat(64));
    assert_eq!(fails(other), ["signed_content"]);

    // The draft of an amendment says what it would change, to those who negotiate.
    let next = amendment(&world, &path).await;
    world
        .agent
        .edit(&next, json!({"ends_on": "2028-12-31"}))
        .await
        .ok();
    let changed = world.camille.get(&format!("{next}/changes")).await.ok();
    let pointers: Vec<_> = changed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        pointers,
        [
            "/ends_on",
            "/number",
            "/supersedes/content_sha256",
            "/supersedes/id",
            "/supersedes/kind",
            "/supersedes/reason"
        ]
    );
    assert_eq!(changed["data"][0]["before"], "2028-06-30");
    assert_eq!(changed["data"][0]["after"], "2028-12-31");
    assert_eq!(changed["data"][0]["labels"]["fr"], "Dernier jour");
    app.anyone()
        .get(&format!("{next}/changes"))
        .await
        .problem(404, "not_found");
    world
        .agent
        .get(&format!("{next}/verification"))
        .await
        .problem(404, "not_found");
}
