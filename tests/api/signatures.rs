//! Who signs, what, when, and what happens at once; and what the database refuses by itself.

use serde_json::{Value, json};

use crate::authorities::{deliberation, recorded};
use crate::conventions::{active, drafted, opened, quickly_opened, signing};
use crate::initiatives::association;
use crate::support::TestApp;
use crate::support::app::LOOS;

#[tokio::test(flavor = "multi_thread")]
async fn only_the_named_signatories_sign_and_only_what_they_read() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path, hash) = opened(&world).await;
    let sign = format!("{path}/sign");
    world
        .anyone
        .post(&sign, signing(&hash))
        .await
        .problem(401, "unauthorized");
    for refused in [&world.agent, &world.official] {
        refused
            .post(&sign, signing(&hash))
            .await
            .problem(403, "forbidden");
    }
    // Nobody else knows that it is there.
    for outsider in [
        &world.dominique,
        &world.foreign_mayor,
        &world.foreign_agent,
        &world.admin,
    ] {
        outsider
            .post(&sign, signing(&hash))
            .await
            .problem(404, "not_found");
    }
    let other = "0".repeat(64);
    let problem = world
        .camille
        .post(&sign, signing(&other))
        .await
        .problem(409, "content_changed");
    assert_eq!(problem["content_sha256"], json!(hash));
    world.camille.post(&sign, signing(&hash)).await.ok();

    // A changed content needs new signatures.
    let draft = world
        .agent
        .act(&path, "reopen", json!({"reason": "Une date change."}))
        .await
        .ok();
    assert_eq!(
        (&draft["content_sha256"], &draft["parties"][1]["signed"]),
        (&json!(null), &json!(false))
    );
    world
        .mayor
        .post(&sign, signing(&hash))
        .await
        .problem(409, "wrong_state");
    let change = json!({"ends_on": "2028-05-31", "parties": {"holder": {"user_id": world.camille.id(), "capacity": "Trésorière"}}});
    world
        .agent
        .with("if-match", "*")
        .patch(&path, change)
        .await
        .ok();
    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    let new = open["content_sha256"].as_str().unwrap();
    assert_ne!(new, hash);
    let problem = world
        .mayor
        .post(&sign, signing(&hash))
        .await
        .problem(409, "content_changed");
    assert_eq!(problem["content_sha256"], json!(new));
    world.mayor.post(&sign, signing(new)).await.ok();
    assert_eq!(
        world.camille.post(&sign, signing(new)).await.ok()["state"],
        "active"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_stands_on_both_sides() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, path) = drafted(&world).await;
    let holder = world.agent.get(&initiative).await.ok()["holder"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let join = |may_sign: bool| {
        format!(
            "INSERT INTO holder_members VALUES ('{holder}', '{LOOS}', '{}', 'active', 'member', {may_sign}, now())",
            world.mayor.id()
        )
    };
    let leave = format!(
        "DELETE FROM holder_members WHERE user_id = '{}'",
        world.mayor.id()
    );
    let sign = format!("{path}/sign");
    // A member of the holder is no signatory of the commune: told when it is opened, and when they sign.
    assert_eq!(app.attack(&join(true)).await, None);
    let reply = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await;
    assert_eq!(reply.pointers(), ["#/parties/commune"]);
    // Nor does one person sign for two.
    let both = json!({"parties": {"holder": {"user_id": world.mayor.id(), "capacity": "Membre"}}});
    let reply = world.agent.with("if-match", "*").patch(&path, both).await;
    assert_eq!(reply.pointers(), ["#/parties/holder"]);
    assert_eq!(app.attack(&leave).await, None);
    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    assert_eq!(app.attack(&join(true)).await, None);
    world
        .mayor
        .post(&sign, signing(hash))
        .await
        .problem(409, "conflict_of_interest");
    assert_eq!(
        world.mayor.get(&path).await.ok()["allowed_actions"],
        json!([])
    );
    let paper = json!({"party": "commune", "content_sha256": hash, "signed_on": "2026-06-15", "paper_reference": "R1"});
    world
        .agent
        .post(&format!("{path}/record_signature"), paper)
        .await
        .problem(409, "conflict_of_interest");
    assert_eq!(app.attack(&leave).await, None);
    // An admin never signs, whatever else they are.
    assert_eq!(
        app.attack(&format!(
            "UPDATE users SET is_admin = true WHERE id = '{}'",
            world.mayor.id()
        ))
        .await,
        None
    );
    world
        .mayor
        .post(&sign, signing(hash))
        .await
        .problem(403, "forbidden");
    assert_eq!(
        app.attack(&format!(
            "UPDATE users SET is_admin = false WHERE id = '{}'",
            world.mayor.id()
        ))
        .await,
        None
    );
    // Who lost the right to sign for the holder does not sign.
    assert_eq!(
        app.attack(&format!(
            "UPDATE holder_members SET may_sign = false WHERE user_id = '{}'",
            world.camille.id()
        ))
        .await,
        None
    );
    world
        .camille
        .post(&sign, signing(hash))
        .await
        .problem(403, "forbidden");
    // Nor does who has no mandate today.
    app.travel_to("2026-06-20T10:00:00Z");
    assert_eq!(
        app.attack(&format!(
            "UPDATE mandates SET ends_on = '2026-06-19' WHERE user_id = '{}'",
            world.mayor.id()
        ))
        .await,
        None
    );
    world
        .mayor
        .post(&sign, signing(hash))
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn paper_is_signed_and_an_agent_records_it() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = drafted(&world).await;
    let mut act = deliberation("2026-042");
    act["executory_on"] = json!("2026-06-10");
    let act = recorded(&world, act).await;
    let change = json!({"authority_id": act, "parties": {"holder": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"}}});
    world
        .agent
        .with("if-match", "*")
        .patch(&path, change)
        .await
        .ok();
    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].clone();
    let record = format!("{path}/record_signature");
    let paper = |party: &str, day: &str| json!({"party": party, "content_sha256": hash, "signed_on": day, "paper_reference": "Registre 17", "method": "paper"});
    for refused in [&world.camille, &world.mayor] {
        refused
            .post(&record, paper("holder", "2026-06-12"))
            .await
            .problem(403, "forbidden");
    }
    world
        .foreign_agent
        .post(&record, paper("holder", "2026-06-12"))
        .await
        .problem(404, "not_found");
    assert_eq!(
        world
            .agent
            .post(&record, paper("holder", "2026-06-16"))
            .await
            .pointers(),
        ["#/signed_on"]
    );
    assert_eq!(
        world
            .agent
            .post(&record, paper("host", "2026-06-12"))
            .await
            .pointers(),
        ["#/party"]
    );
    world
        .agent
        .post(&record, paper("holder", "2026-06-09"))
        .await
        .problem(409, "requirement_missing");
    world
        .agent
        .post(&record, paper("commune", "2020-01-01"))
        .await
        .problem(409, "requirement_missing");
    let mut wrong = paper("holder", "2026-06-12");
    wrong["content_sha256"] = json!("0".repeat(64));
    world
        .agent
        .post(&record, wrong)
        .await
        .problem(409, "content_changed");
    let half = world
        .agent
        .post(&record, paper("holder", "2026-06-12"))
        .await
        .ok();
    assert_eq!(
        (
            &half["parties"][1]["method"],
            &half["parties"][1]["signed_on"]
        ),
        (&json!("paper"), &json!("2026-06-12"))
    );
    world
        .agent
        .post(&record, paper("holder", "2026-06-12"))
        .await
        .problem(409, "already_exists");
    // The mandate counts on the day of the signature, whatever has come since.
    assert_eq!(
        app.attack(&format!(
            "UPDATE mandates SET ends_on = '2026-06-13' WHERE user_id = '{}'",
            world.mayor.id()
        ))
        .await,
        None
    );
    world
        .agent
        .post(&record, paper("commune", "2026-06-14"))
        .await
        .problem(409, "requirement_missing");
    let whole = world
        .agent
        .post(&record, paper("commune", "2026-06-13"))
        .await
        .ok();
    assert_eq!(whole["state"], "active");
    assert!(!world.anyone.get(&path).await.text.contains("Martin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_last_signatures_at_once_activate_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.camille, "Les jardins").await;
    for _ in 0..20 {
        let (initiative, path, hash) = quickly_opened(&world, &holder).await;
        let sign = format!("{path}/sign");
        let (one, other) = tokio::join!(
            world.camille.post(&sign, signing(&hash)),
            world.mayor.post(&sign, signing(&hash)),
        );
        let mut states = [one.ok()["state"].clone(), other.ok()["state"].clone()]
            .map(|state| state.as_str().unwrap().to_owned());
        states.sort_unstable();
        assert_eq!(states, ["active", "open_for_signature"]);
        let history = world
            .agent
            .get(&format!("{initiative}/history?limit=100"))
            .await
            .ok();
        let count = |action: &str| {
            history["data"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|entry| entry["action"] == action)
                .count()
        };
        assert_eq!((count("start"), count("bind"), count("sign")), (1, 2, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_signature_and_a_reopening_at_once_one_wins() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.camille, "Les jardins").await;
    for round in 0..20 {
        let (_, path, hash) = quickly_opened(&world, &holder).await;
        let sign = format!("{path}/sign");
        // In every other round it is the last signature.
        if round % 2 == 0 {
            world.mayor.post(&sign, signing(&hash)).await.ok();
        }
        let seen = world.agent.get(&path).await.header("etag").to_owned();
        let agent = world.agent.with("if-match", &seen);
        let (reopen, signature) = (format!("{path}/reopen"), signing(&hash));
        let (signed, reopened) = tokio::join!(
            world.camille.post(&sign, signature),
            agent.post(&reopen, json!({"reason": "Une date change."})),
        );
        let outcome = (signed.status.as_u16(), reopened.status.as_u16());
        let state: Value = world.agent.get(&path).await.ok()["state"].clone();
        match outcome {
            (200, 409) => assert_eq!(state, "active"),
            (200, 412) => assert_eq!(state, "open_for_signature"),
            (409, 200) => assert_eq!(state, "draft"),
            other => panic!("{other:?} {} {}", signed.text, reopened.text),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_what_is_signed() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, path, hash) = opened(&world).await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    let initiative_id = initiative.rsplit('/').next().unwrap().to_owned();
    let signature = |hash: &str, party: &str, method: &str| {
        format!(
        "INSERT INTO signatures (id, commune_code, convention_id, party, method, content_sha256, identity_id, user_id, mandate_id, capacity, signed_on, signed_at)
         SELECT overlay(id::text placing substr(md5(random()::text), 1, 12) from 25)::uuid, p.commune_code, p.convention_id, '{party}', '{method}', '{hash}',
             p.identity_id, p.user_id, p.mandate_id, p.capacity, '2026-06-15', now()
         FROM convention_parties AS p JOIN conventions AS c ON c.id = p.convention_id WHERE c.id = '{id}' AND p.party = '{party}'")
    };
    let zeros = "0".repeat(64);
    let open = [
        (
            format!("UPDATE conventions SET object = 'x' WHERE id = '{id}'"),
            "conventions_content_is_frozen",
        ),
        (
            format!("UPDATE conventions SET content = '{{}}' WHERE id = '{id}'"),
            "conventions_content_is_frozen",
        ),
        (
            format!(
                "UPDATE conventions SET state = 'active', activated_at = now() WHERE id = '{id}'"
            ),
            "conventions_all_signed",
        ),
        (
            format!("UPDATE commitments SET title = 'x' WHERE initiative_id = '{initiative_id}'"),
            "commitments_terms_are_bound",
        ),
        (
            format!("DELETE FROM convention_commitments WHERE convention_id = '{id}'"),
            "conventions_content_is_frozen",
        ),
        (
            format!("UPDATE convention_parties SET capacity = 'x' WHERE convention_id = '{id}'"),
            "conventions_content_is_frozen",
        ),
        (
            "TRUNCATE convention_commitments".to_owned(),
            "convention_commitments_append_only",
        ),
        (
            signature(&zeros, "holder", "simple"),
            "signatures_on_current_content",
        ),
        (signature(&hash, "holder", "paper"), "signatures_paper"),
        (
            format!("{}; {0}", signature(&hash, "holder", "simple")),
            "signatures_one_valid",
        ),
        (
            format!(
                "UPDATE users SET birth_on = '2010-01-01' WHERE id = '{}'; {}",
                world.camille.id(),
                signature(&hash, "holder", "simple")
            ),
            "signatures_by_adults",
        ),
        (
            format!(
                "UPDATE mandates SET may_sign = false WHERE user_id = '{}'; {}",
                world.mayor.id(),
                signature(&hash, "commune", "simple")
            ),
            "signatures_by_mandate",
        ),
    ];
    for (sql, refusal) in open {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
    for signatory in [&world.camille, &world.mayor] {
        signatory
            .post(&format!("{path}/sign"), signing(&hash))
            .await
            .ok();
    }
    let in_force = [
        (
            format!("UPDATE conventions SET content_sha256 = '{zeros}' WHERE id = '{id}'"),
            "conventions_content_is_frozen",
        ),
        (
            format!("UPDATE conventions SET state = 'draft' WHERE id = '{id}'"),
            "lifecycle_transition",
        ),
        (
            "UPDATE signatures SET voided_at = now(), void_reason = 'x'".to_owned(),
            "signatures_append_only",
        ),
        (
            "UPDATE signatures SET signed_on = '2026-06-14'".to_owned(),
            "signatures_append_only",
        ),
        (
            "DELETE FROM signatures".to_owned(),
            "signatures_append_only",
        ),
        ("TRUNCATE signatures".to_owned(), "signatures_append_only"),
        (
            format!("UPDATE commitments SET quantity = 9 WHERE initiative_id = '{initiative_id}'"),
            "commitments_terms_are_bound",
        ),
        (
            signature(&hash, "holder", "simple"),
            "signatures_on_current_content",
        ),
    ];
    for (sql, refusal) in in_force {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_opens_nothing_that_is_not_ready() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = drafted(&world).await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    let order = json!({"kind": "mayor_order", "number": "1", "adopted_on": "2026-06-01", "object": "Un arrêté"});
    let unsent = recorded(&world, order.clone()).await;
    let mut order = order;
    order["number"] = json!("2");
    order["executory_on"] = json!("2026-06-01");
    let order = recorded(&world, order).await;
    let open = |change: &str| {
        format!(
            "UPDATE conventions SET state = 'open_for_signature', content = '{{}}', content_sha256 = repeat('a', 64){change} WHERE id = '{id}'"
        )
    };
    let attacks = [
        (open(", no_upkeep_reason = NULL, land = 'rural_track'"), "conventions_authority_needed"),
        (open(", ends_on = '2040-01-01'"), "conventions_duration"),
        (open(&format!(", land = 'public_domain', authority_id = '{order}'")), "conventions_public_domain"),
        (open(&format!(", authority_id = '{unsent}'")), "conventions_authority_executory"),
        (open(", starts_on = '2021-01-01', ends_on = '2022-01-01'"), "conventions_republican_commitment"),
        (open(&format!(", authority_id = '{id}'")), "conventions_authority"),
        (format!("UPDATE conventions SET state = 'open_for_signature' WHERE id = '{id}'"), "conventions_content_when_open"),
        (format!("UPDATE commitments SET state = 'withdrawn' WHERE side = 'holder'; {}", open("")), "conventions_two_sided"),
        (format!("DELETE FROM convention_parties WHERE convention_id = '{id}' AND party = 'holder'; {}", open("")), "conventions_parties_complete"),
        (format!("DELETE FROM convention_commitments WHERE convention_id = '{id}' AND commitment_id IN (SELECT id FROM commitments WHERE side = 'holder'); {}", open("")), "conventions_two_sided"),
        (format!("UPDATE commitments SET kind = 'financial', amount_cents = 100, quantity = NULL, unit_value_cents = NULL, route = 'subsidy', budget_year = 2026, due_on = '2026-09-01'
            WHERE side = 'commune' AND state = 'accepted' AND initiative_id = (SELECT initiative_id FROM conventions WHERE id = '{id}')"), "envelopes_not_exceeded"),
        (format!("INSERT INTO envelopes VALUES ('{LOOS}', 2026, 1000, 0, 1); UPDATE commitments SET kind = 'financial', amount_cents = 100, quantity = NULL, unit_value_cents = NULL, route = 'subsidy', budget_year = 2026
            WHERE side = 'commune' AND initiative_id = (SELECT initiative_id FROM conventions WHERE id = '{id}');
            {}", open(&format!(", authority_id = '{order}'"))), "conventions_subsidy_needs_deliberation"),
    ];
    for (sql, refusal) in attacks {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
    assert_eq!(app.attack(&open("")).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_version_is_in_force_and_one_is_prepared() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, first) = active(&world).await;
    let reason = json!({"reason": "Avenant."});
    let draft = world
        .agent
        .act(&first, "amend", reason.clone())
        .await
        .created();
    let second = format!("/v1/conventions/{}", draft["id"].as_str().unwrap());
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    // Another row with the same commune in its id.
    let other = |path: &str| {
        let mut id = id(path);
        let last = id.pop().unwrap();
        id.push(if last == '0' { '1' } else { '0' });
        id
    };
    let set = |what: &str| format!("UPDATE conventions SET {what} WHERE id = '{}'", id(&second));
    let another = |number: i32| {
        format!(
            "INSERT INTO conventions SELECT (jsonb_populate_record(c, jsonb_build_object('id', '{}', 'number', {number}, \
             'state', 'draft', 'ended_at', null))).* FROM conventions AS c WHERE id = '{}'",
            other(&second),
            id(&second)
        )
    };
    for (attack, constraint) in [
        (set("number = 1"), "conventions_first_version"),
        (set("supersedes_id = NULL"), "conventions_first_version"),
        (another(3), "conventions_one_unsigned"),
    ] {
        assert_eq!(
            app.attack(&attack).await.as_deref(),
            Some(constraint),
            "{attack}"
        );
    }

    // Signed by all, it is not in force as long as the first one is.
    let open = world
        .agent
        .act(&second, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    world
        .camille
        .post(&format!("{second}/sign"), signing(hash))
        .await
        .ok();
    let signed = format!(
        "INSERT INTO signatures SELECT (jsonb_populate_record(s, jsonb_build_object('id', '{}', 'convention_id', '{}', \
         'content_sha256', '{hash}'))).* FROM signatures AS s WHERE convention_id = '{}' AND party = 'commune'",
        other(&second),
        id(&second),
        id(&first)
    );
    let in_force = set("state = 'active', activated_at = '2026-06-15T10:00:00Z'");
    assert_eq!(
        app.attack(&format!("{signed}; {in_force}"))
            .await
            .as_deref(),
        Some("conventions_amend_the_active_one")
    );
    world.agent.act(&second, "cancel", reason).await.ok();
    assert_eq!(
        app.attack(&another(2)).await.as_deref(),
        Some("conventions_number_unique")
    );
}
