//! What officials did on paper and agents record, and what the officials have to say of it.

use serde_json::{Value, json};

use crate::conventions::{mandate_of, opened, planters, signing, upkeep};
use crate::initiatives::{association, idea, in_review};
use crate::support::app::{LOOS, World};
use crate::support::{Client, TestApp};

/// The same body, as what this official wrote on paper today.
pub async fn on_paper(world: &World, official: &Client, mut body: Value) -> Value {
    body["mandate_id"] = json!(mandate_of(world, official).await);
    body["decided_on"] = json!("2026-06-15");
    body["paper_reference"] = json!("Registre 2026-31");
    body
}

/// A yes of the official, on paper.
pub async fn recorded_decision(world: &World) -> Value {
    let yes = json!({"outcome": "accepted", "reason": "Utile à tous."});
    on_paper(world, &world.official, yes).await
}

async fn to_decide(world: &World) -> String {
    let path = in_review(world).await;
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    world.agent.act(&path, "give_opinion", opinion).await.ok();
    path
}

/// An initiative that an agent recorded as accepted by the official.
async fn accepted_on_paper(world: &World) -> String {
    let path = to_decide(world).await;
    let decision = recorded_decision(world).await;
    world
        .agent
        .act(&path, "record_decision", decision)
        .await
        .ok();
    path
}

fn contest() -> Value {
    json!({"reason": "Cette décision reste à prendre."})
}

fn offers(resource: &Value, action: &str) -> bool {
    let actions = resource["allowed_actions"].as_array().unwrap();
    actions.contains(&json!(action))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_records_what_an_official_decided_on_paper() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = in_review(&world).await;
    let decision = recorded_decision(&world).await;
    world
        .agent
        .act(&path, "record_decision", decision.clone())
        .await
        .problem(409, "requirement_missing");
    app.travel_to("2026-06-16T10:00:00Z");
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    world.agent.act(&path, "give_opinion", opinion).await.ok();
    app.travel_to("2026-06-18T10:00:00Z");
    for refused in [&world.official, &world.mayor, &world.camille] {
        refused
            .act(&path, "record_decision", decision.clone())
            .await
            .problem(403, "forbidden");
    }
    // Before the opinion, and in the future.
    for day in ["2026-06-15", "2026-06-19"] {
        let mut other = decision.clone();
        other["decided_on"] = json!(day);
        let refused = world.agent.act(&path, "record_decision", other).await;
        assert_eq!(refused.pointers(), ["#/decided_on"], "{day}");
    }
    let mut decision = decision;
    decision["decided_on"] = json!("2026-06-16");
    let foreign = world.foreign_mayor.get("/v1/me").await.ok()["mandates"][0]["id"].clone();
    let of_an_agent = json!(mandate_of(&world, &world.agent).await);
    for unknown in [foreign, of_an_agent] {
        let mut other = decision.clone();
        other["mandate_id"] = unknown;
        let refused = world.agent.act(&path, "record_decision", other).await;
        assert_eq!(refused.pointers(), ["#/mandate_id"]);
    }
    // The mandate counts on the day of the decision, whatever has come since.
    let end = |day: &str| {
        format!(
            "UPDATE mandates SET ends_on = '{day}' WHERE user_id = '{}'",
            world.official.id()
        )
    };
    assert_eq!(app.attack(&end("2026-06-15")).await, None);
    world
        .agent
        .act(&path, "record_decision", decision.clone())
        .await
        .problem(409, "requirement_missing");
    assert_eq!(app.attack(&end("2026-06-16")).await, None);
    let accepted = world
        .agent
        .act(&path, "record_decision", decision)
        .await
        .ok();
    assert_eq!(accepted["state"], "accepted");
    assert_eq!(accepted["decision"]["decided_on"], "2026-06-16");
    assert_eq!(
        accepted["inside"]["decision_on_paper"],
        json!({"paper_reference": "Registre 2026-31", "recorded_at": "2026-06-18T10:00:00Z",
            "contestable_until": "2026-06-26"})
    );
    for reader in [&world.anyone, &world.camille] {
        let shown = reader.get(&path).await.text;
        assert!(!shown.contains("Registre"), "{shown}");
    }

    // A refusal, by somebody who is no member and was not recused.
    let path = to_decide(&world).await;
    let no = json!({"outcome": "refused", "reason": "Trop cher."});
    let mut no = on_paper(&world, &world.mayor, no).await;
    no["decided_on"] = json!("2026-06-18");
    let refused = world.agent.act(&path, "record_decision", no.clone()).await;
    assert_eq!(refused.ok()["state"], "refused");
    let path = to_decide(&world).await;
    let aside = json!({"grounds": "kinship"});
    let recusals = format!("{path}/recusals");
    world.mayor.post(&recusals, aside).await.created();
    world
        .agent
        .act(&path, "record_decision", no.clone())
        .await
        .problem(409, "conflict_of_interest");
    // Nobody records their own.
    let path = to_decide(&world).await;
    let also_agent = json!({"email": "mayor@example.org", "role": "agent", "capacity": "Secrétaire",
        "starts_on": "2026-01-01"});
    let mandates = format!("/v1/communes/{LOOS}/mandates");
    world.admin.post(&mandates, also_agent).await.created();
    world
        .mayor
        .act(&path, "record_decision", no)
        .await
        .problem(409, "conflict_of_interest");
}

/// Eight planters where nobody but one agent has an account at hand: four calls.
#[tokio::test(flavor = "multi_thread")]
async fn eight_planters_all_on_paper_take_four_calls() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let agent = &world.agent;
    let created = agent.post(&format!("/v1/communes/{LOOS}/initiatives"), json!({
        "title": "Huit jardinières rue Faidherbe", "description": "L'association les plante et les arrose.", "theme": "living_environment",
        "holder": {"kind": "association", "name": "Les voisins de la rue Faidherbe", "republican_commitment_on": "2025-01-01"},
        "on_behalf": {"channel": "paper", "paper_reference": "Registre 2026-30"}, "submit": true,
        "commitments": [planters(), upkeep()]})).await;
    let path = created.header("location").to_owned();
    created.created();
    let yes = json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue.", "convention": {
        "object": "Huit jardinières rue Faidherbe", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
        "holder_signatory": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"}}});
    let yes = on_paper(&world, &world.mayor, yes).await;
    let mut signing_agent = yes.clone();
    signing_agent["convention"]["sign"] = json!(true);
    let refused = agent.act(&path, "record_quick_accept", signing_agent).await;
    assert_eq!(refused.pointers(), ["#/convention/sign"]);
    let mut too_early = yes.clone();
    too_early["decided_on"] = json!("2026-06-14");
    let refused = agent.act(&path, "record_quick_accept", too_early).await;
    assert_eq!(refused.pointers(), ["#/decided_on"]);
    world
        .mayor
        .act(&path, "record_quick_accept", yes.clone())
        .await
        .problem(403, "forbidden");
    let accepted = agent.act(&path, "record_quick_accept", yes).await.ok();
    assert_eq!(accepted["initiative"]["decision"]["capacity"], "Maire");
    let convention = format!(
        "/v1/conventions/{}",
        accepted["convention"]["id"].as_str().unwrap()
    );
    let hash = &accepted["convention"]["content_sha256"];
    for party in ["holder", "commune"] {
        let paper = json!({"party": party, "content_sha256": hash, "signed_on": "2026-06-15", "paper_reference": "Registre 2026-32"});
        agent.act(&convention, "record_signature", paper).await.ok();
    }
    assert_eq!(world.anyone.get(&convention).await.ok()["state"], "active");
    assert_eq!(world.anyone.get(&path).await.ok()["state"], "in_progress");
    // Too late for the decision: the hint says what else there is.
    let late = world.mayor.act(&path, "contest", contest()).await;
    let late = late.problem(409, "wrong_state");
    assert!(
        late["detail"].as_str().unwrap().contains("suspend"),
        "{late}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_contests_a_decision_within_eight_days() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = accepted_on_paper(&world).await;
    let promise = world
        .agent
        .post(&format!("{path}/commitments"), planters())
        .await
        .created();
    let draft =
        json!({"object": "Jardinières", "starts_on": "2026-07-01", "ends_on": "2028-06-30"});
    let reply = world
        .agent
        .post(&format!("{path}/conventions"), draft)
        .await;
    let convention = reply.header("location").to_owned();
    reply.created();
    assert!(offers(&world.official.get(&path).await.ok(), "contest"));
    for (other, status, code) in [
        (&world.mayor, 403, "forbidden"),
        (&world.agent, 403, "forbidden"),
        (&world.camille, 403, "forbidden"),
        (&world.foreign_mayor, 403, "forbidden"),
        (&world.anyone, 401, "unauthorized"),
    ] {
        let refused = other.act(&path, "contest", contest()).await;
        refused.problem(status, code);
    }
    assert!(!offers(&world.mayor.get(&path).await.ok(), "contest"));
    let again = world.official.act(&path, "contest", contest()).await.ok();
    assert_eq!(
        (&again["state"], &again["decision"]),
        (&json!("in_review"), &json!(null))
    );
    assert_eq!(
        world.agent.get(&convention).await.ok()["state"],
        "cancelled"
    );
    let promise = format!("/v1/commitments/{}", promise["id"].as_str().unwrap());
    assert_eq!(world.agent.get(&promise).await.ok()["state"], "proposed");
    world
        .official
        .act(&path, "contest", contest())
        .await
        .problem(409, "wrong_state");
    // They decide themselves then, and that counts as anything else.
    let yes = json!({"reason": "Après réflexion, oui."});
    world.official.act(&path, "accept", yes).await.ok();
    world
        .official
        .act(&path, "contest", contest())
        .await
        .problem(409, "requirement_missing");
    let figures =
        format!("/v1/metrics?communes={LOOS}&from=2026&to=2026&indicators=initiatives_accepted");
    let figures = world.anyone.get(&figures).await.text;
    assert!(figures.contains("\"value\":\"1\""), "{figures}");

    // A refusal, on the last day and after it: days are those of Paris.
    for (instant, contested) in [
        ("2026-06-23T21:59:59Z", true),
        ("2026-06-23T22:00:00Z", false),
    ] {
        app.travel_to("2026-06-15T10:00:00Z");
        let path = to_decide(&world).await;
        let no = json!({"outcome": "refused", "reason": "Trop cher."});
        let no = on_paper(&world, &world.official, no).await;
        world.agent.act(&path, "record_decision", no).await.ok();
        app.travel_to(instant);
        assert_eq!(
            offers(&world.official.get(&path).await.ok(), "contest"),
            contested
        );
        let reply = world.official.act(&path, "contest", contest()).await;
        if contested {
            assert_eq!(reply.ok()["state"], "in_review");
        } else {
            reply.problem(409, "requirement_missing");
        }
    }
}

/// The commune's signature, recorded by the agent.
async fn signed_on_paper(world: &World) -> (String, String) {
    let (_, path, hash) = opened(world).await;
    let paper = json!({"party": "commune", "content_sha256": hash, "signed_on": "2026-06-15", "paper_reference": "R1"});
    world.agent.act(&path, "record_signature", paper).await.ok();
    (path, hash)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signatory_contests_a_signature_within_eight_days() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (path, hash) = signed_on_paper(&world).await;
    let seen = world.mayor.get(&path).await.ok();
    assert!(offers(&seen, "contest_signature"));
    assert_eq!(seen["parties"][0]["contestable_until"], "2026-06-23");
    for refused in [&world.official, &world.agent, &world.camille] {
        refused
            .act(&path, "contest_signature", contest())
            .await
            .problem(403, "forbidden");
    }
    // While it is open the signature is void, and another one is given.
    let open = world
        .mayor
        .act(&path, "contest_signature", contest())
        .await
        .ok();
    assert_eq!(
        (&open["state"], &open["parties"][0]["signed"]),
        (&json!("open_for_signature"), &json!(false))
    );
    world
        .mayor
        .act(&path, "contest_signature", contest())
        .await
        .problem(409, "requirement_missing");
    world.camille.act(&path, "sign", signing(&hash)).await.ok();
    let active = world.mayor.act(&path, "sign", signing(&hash)).await.ok();
    assert_eq!(active["state"], "active");
    world
        .mayor
        .act(&path, "contest_signature", contest())
        .await
        .problem(409, "requirement_missing");

    // In force, the convention is suspended and keeps its signatures.
    let (path, hash) = signed_on_paper(&world).await;
    world.camille.act(&path, "sign", signing(&hash)).await.ok();
    app.travel_to("2026-06-23T21:00:00Z");
    let suspended = world
        .mayor
        .act(&path, "contest_signature", contest())
        .await
        .ok();
    let commune = &suspended["parties"][0];
    assert_eq!(
        (
            &suspended["state"],
            &commune["signed"],
            &commune["contested_at"]
        ),
        (
            &json!("suspended"),
            &json!(true),
            &json!("2026-06-23T21:00:00Z")
        )
    );
    assert_eq!(suspended["reason"], contest()["reason"]);
    // Whoever verifies it is told.
    let verified = world.anyone.get(&format!("{path}/verification")).await.ok();
    assert_eq!(verified["holds"], false);
    let told = &verified["signatures"][0];
    assert_eq!(
        (&told["party"], &told["contested_at"]),
        (&json!("commune"), &commune["contested_at"])
    );
    world
        .mayor
        .act(&path, "contest_signature", contest())
        .await
        .problem(409, "requirement_missing");
    let public = world.anyone.get(&path).await.ok();
    assert_eq!(public["parties"][0]["contestable_until"], json!(null));
    assert_eq!(
        public["parties"][0]["contested_at"],
        commune["contested_at"]
    );
    let history = world.anyone.get(&format!("{path}/history")).await.ok();
    let last: Vec<&str> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .take(2)
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(last, ["suspend", "contest_signature"]);
    let held = world.anyone.get(&format!("{path}/verification")).await.ok();
    let failed: Vec<&Value> = held["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["holds"] == false)
        .map(|check| &check["check"])
        .collect();
    assert_eq!(
        (&held["holds"], failed),
        (&json!(false), vec![&json!("uncontested")])
    );

    // Nobody else puts it in force again; who contested may stand by it after all.
    assert!(!offers(&world.official.get(&path).await.ok(), "resume"));
    let again = json!({"reason": "Vérifié : c'est bien ma signature."});
    world
        .official
        .act(&path, "resume", again.clone())
        .await
        .problem(409, "requirement_missing");
    let resumed = world.mayor.act(&path, "resume", again).await.ok();
    assert_eq!(
        (&resumed["state"], &resumed["parties"][0]["contested_at"]),
        (&json!("active"), &json!(null))
    );
    let held = world.anyone.get(&format!("{path}/verification")).await.ok();
    assert_eq!(held["holds"], true);

    // The ninth day is too late.
    app.travel_to("2026-06-15T10:00:00Z");
    let (path, _) = signed_on_paper(&world).await;
    app.travel_to("2026-06-23T22:00:00Z");
    assert!(!offers(
        &world.mayor.get(&path).await.ok(),
        "contest_signature"
    ));
    world
        .mayor
        .act(&path, "contest_signature", contest())
        .await
        .problem(409, "requirement_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_contest_and_the_last_signature_at_once_one_wins() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.camille, "Les jardins").await;
    for _ in 0..20 {
        let mut body = idea(&holder);
        body["requests_money"] = json!(false);
        body["submit"] = json!(true);
        body["commitments"] = json!([planters(), upkeep()]);
        let made = world
            .camille
            .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
            .await;
        let path = made.header("location").to_owned();
        made.created();
        let yes = json!({"opinion": "Oui.", "reason": "Utile.", "convention": {
            "object": "Jardinières", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
            "holder_signatory": {"user_id": world.camille.id(), "capacity": "Présidente"}}});
        let yes = on_paper(&world, &world.mayor, yes).await;
        let made = world
            .agent
            .act(&path, "record_quick_accept", yes)
            .await
            .ok();
        let convention = format!(
            "/v1/conventions/{}",
            made["convention"]["id"].as_str().unwrap()
        );
        let hash = made["convention"]["content_sha256"].as_str().unwrap();
        world
            .mayor
            .act(&convention, "sign", signing(hash))
            .await
            .ok();
        let (contested, signed) = tokio::join!(
            world.mayor.act(&path, "contest", contest()),
            world.camille.act(&convention, "sign", signing(hash)),
        );
        let states = (
            world.agent.get(&path).await.ok()["state"].clone(),
            world.agent.get(&convention).await.ok()["state"].clone(),
        );
        match (contested.status.as_u16(), signed.status.as_u16()) {
            (200, 409) => assert_eq!(states, (json!("in_review"), json!("cancelled"))),
            (409, 200) => assert_eq!(states, (json!("in_progress"), json!("active"))),
            other => panic!("{other:?} {} {}", contested.text, signed.text),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_what_was_recorded_and_contested() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = accepted_on_paper(&world).await;
    let online = to_decide(&world).await;
    let yes = json!({"reason": "Utile à tous."});
    world.official.act(&online, "accept", yes).await.ok();
    let (signed, _) = signed_on_paper(&world).await;
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let (official, mayor, agent) = (world.official.id(), world.mayor.id(), world.agent.id());
    let decision = |initiative: &str, set: &str| {
        format!(
            "UPDATE decisions SET {set} WHERE initiative_id = '{}'",
            id(initiative)
        )
    };
    let signature = |set: &str| {
        format!(
            "UPDATE signatures SET {set} WHERE convention_id = '{}'",
            id(&signed)
        )
    };
    let contested = |by: &fifty_fifty::ids::UserId, at: &str| {
        format!("contested_at = '{at}', contested_by = '{by}', contest_reason = 'x'")
    };
    let (in_time, late) = ("2026-06-23T21:59:59Z", "2026-06-23T22:00:00Z");
    let record = |by: String, paper: &str, on: &str| {
        format!(
            "INSERT INTO decisions (id, commune_code, initiative_id, outcome, reason, mandate_id, decided_by, decided_on, decided_at,
                capacity, recorded_by, paper_reference)
             SELECT '{}', '{LOOS}', '{}', 'accepted', 'x', m.id, m.user_id, '{on}', '2026-06-15T10:00:00Z', 'x', {by}, {paper}
             FROM mandates AS m WHERE user_id = '{official}'",
            app.row_id(LOOS),
            id(&online)
        )
    };
    let attacks = [
        (
            decision(&path, "outcome = 'refused'"),
            "decisions_append_only",
        ),
        (
            decision(&path, "recorded_by = NULL, paper_reference = NULL"),
            "decisions_append_only",
        ),
        (
            decision(&path, &format!("contested_at = '{in_time}'")),
            "decisions_contested_whole",
        ),
        (
            decision(&path, &contested(&mayor, in_time)),
            "decisions_contested_by_the_official",
        ),
        (
            decision(&path, &contested(&official, late)),
            "decisions_contested_in_time",
        ),
        (
            decision(&online, &contested(&official, in_time)),
            "decisions_contested_in_time",
        ),
        (
            format!(
                "{}; {}",
                decision(&path, &contested(&official, in_time)),
                decision(&path, "contest_reason = 'y'")
            ),
            "decisions_append_only",
        ),
        ("DELETE FROM decisions".to_owned(), "decisions_append_only"),
        (
            "TRUNCATE decisions CASCADE".to_owned(),
            "decisions_append_only",
        ),
        (
            record("NULL".to_owned(), "'R1'", "2026-06-15"),
            "decisions_paper",
        ),
        (
            record(format!("'{agent}'"), "NULL", "2026-06-15"),
            "decisions_paper",
        ),
        (
            record(format!("'{official}'"), "'R1'", "2026-06-15"),
            "decisions_recorded_by_another",
        ),
        (
            record(format!("'{agent}'"), "'R1'", "2026-06-16"),
            "decisions_not_in_the_future",
        ),
        (
            record(format!("'{agent}'"), "'R1'", "2019-06-15"),
            "decisions_mandate_held",
        ),
        (
            signature("contested_at = now()"),
            "signatures_contested_are_void",
        ),
        (
            signature(&format!(
                "voided_at = now(), void_reason = 'x', {}",
                contested(&official, in_time)
            )),
            "signatures_contested_by_the_official",
        ),
        (
            signature(&format!(
                "voided_at = now(), void_reason = 'x', {}",
                contested(&mayor, late)
            )),
            "signatures_contested_in_time",
        ),
        (
            signature(&format!(
                "voided_at = now(), void_reason = 'x', contested_at = '{in_time}'"
            )),
            "signatures_contested_whole",
        ),
        (
            format!(
                "{}; {}",
                signature(&format!(
                    "voided_at = now(), void_reason = 'x', {}",
                    contested(&mayor, in_time)
                )),
                signature("contest_reason = 'y'")
            ),
            "signatures_append_only",
        ),
    ];
    for (sql, refusal) in attacks {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }

    // In force a contested signature stays; a contest is not taken back.
    let hash = world.camille.get(&signed).await.ok()["content_sha256"].clone();
    let hash = hash.as_str().unwrap();
    world.camille.act(&signed, "sign", signing(hash)).await.ok();
    let in_force = [
        (
            signature(&format!(
                "voided_at = now(), void_reason = 'x', {}",
                contested(&mayor, in_time)
            )),
            "signatures_append_only",
        ),
        (
            format!(
                "{} AND party = 'holder'",
                signature(&contested(&world.camille.id(), in_time))
            ),
            "signatures_contested_in_time",
        ),
        (
            format!(
                "{} AND party = 'commune'; {}",
                signature(&contested(&mayor, in_time)),
                signature("contested_at = NULL, contested_by = NULL, contest_reason = NULL")
            ),
            "signatures_append_only",
        ),
    ];
    for (sql, refusal) in in_force {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
}
