//! The parties of a convention: what they are by law, who signs for them, and by what right.

use serde_json::json;

use crate::conventions::{drafted, mandate_of, opened, signing};
use crate::support::TestApp;
use crate::support::app::LOOS;

#[tokio::test(flavor = "multi_thread")]
async fn the_power_to_sign_comes_from_an_act() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mandates = format!("/v1/communes/{LOOS}/mandates");
    let mandate = json!({"email": "camille@example.org", "role": "elected_official", "capacity": "Adjointe",
        "may_sign": true, "starts_on": "2026-06-01"});
    let half = [
        json!({}),
        json!({"delegation_reference": "Arrêté 2026-12"}),
        json!({"delegation_on": "2026-06-02"}),
    ];
    for act in half {
        let mut mandate = mandate.clone();
        mandate
            .as_object_mut()
            .unwrap()
            .extend(act.as_object().unwrap().clone());
        world
            .admin
            .post(&mandates, mandate)
            .await
            .problem(422, "invalid_body");
    }
    let mut without = mandate.clone();
    without["may_sign"] = json!(false);
    let made = world.admin.post(&mandates, without).await.created();
    assert_eq!(made["delegation_on"], json!(null));
    let path = format!("/v1/mandates/{}", made["id"].as_str().unwrap());
    let refused = world.admin.edit(&path, json!({"may_sign": true})).await;
    assert_eq!(refused.pointers(), ["#/delegation_on"]);
    let delegated = json!({"may_sign": true, "delegation_reference": "Arrêté 2026-12", "delegation_on": "2026-06-20"});
    let delegated = world.admin.edit(&path, delegated).await.ok();
    assert_eq!(delegated["delegation_reference"], "Arrêté 2026-12");

    // A delegation that has not begun gives nothing yet.
    let me = world.camille.get("/v1/me").await.ok();
    assert_eq!(me["mandates"][0]["may_sign"], false);
    app.travel_to("2026-06-20T10:00:00Z");
    let me = world.camille.get("/v1/me").await.ok();
    assert_eq!(me["mandates"][0]["may_sign"], true);

    let mayor = world.mayor.id();
    for (sql, refusal) in [
        (
            format!("UPDATE mandates SET delegation_on = NULL WHERE user_id = '{mayor}'"),
            "mandates_delegation_whole",
        ),
        (
            format!(
                "UPDATE mandates SET delegation_on = NULL, delegation_reference = NULL WHERE user_id = '{mayor}'"
            ),
            "mandates_sign_by_delegation",
        ),
        (
            format!(
                "INSERT INTO holders (id, commune_code, kind, name, address, created_at) VALUES ('{}', '{LOOS}', 'person', 'Luc', 'chez lui', now())",
                app.row_id(LOOS)
            ),
            "holders_natural_persons_have_no_office",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_before_their_delegation() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mandate = format!("/v1/mandates/{}", mandate_of(&world, &world.mayor).await);
    let later = json!({"delegation_reference": "Arrêté 2026-12", "delegation_on": "2026-06-20"});
    world.admin.edit(&mandate, later).await.ok();
    let (_, path, hash) = opened(&world).await;
    let sign = format!("{path}/sign");
    world
        .mayor
        .post(&sign, signing(&hash))
        .await
        .problem(403, "forbidden");
    app.travel_to("2026-06-20T10:00:00Z");
    let paper = |day: &str| json!({"party": "commune", "content_sha256": hash, "signed_on": day, "paper_reference": "R1"});
    let record = format!("{path}/record_signature");
    world
        .agent
        .post(&record, paper("2026-06-19"))
        .await
        .problem(409, "requirement_missing");
    world.mayor.post(&sign, signing(&hash)).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_says_who_the_parties_are_and_by_what_right_they_sign() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = drafted(&world).await;
    let draft = world.agent.get(&path).await.ok();
    let holder = format!("/v1/holders/{}", draft["holder"]["id"].as_str().unwrap());
    let office =
        json!({"rna": "W621000123", "address": "12 rue <b>Hoche</b>, 62750 Loos-en-Gohelle"});
    let known = world.camille.edit(&holder, office.clone()).await.ok();
    assert_eq!(known["address"], office["address"]);
    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    let content = world.camille.get(&format!("{path}/content")).await.ok();
    let delegation = json!({"kind": "mandate", "delegation_reference": "Procès-verbal de l'élection du maire",
        "delegation_on": "2020-05-24"});
    let membership =
        json!({"kind": "membership", "delegation_reference": null, "delegation_on": null});
    for parties in [&open["parties"], &content["parties"]] {
        let (commune, holder) = (&parties[0], &parties[1]);
        assert_eq!(
            (&commune["name"], &commune["kind"], &commune["entitlement"]),
            (&json!("Loos-en-Gohelle"), &json!(null), &delegation)
        );
        assert_eq!(
            (&holder["name"], &holder["kind"], &holder["entitlement"]),
            (
                &json!("Les chemins de Loos"),
                &json!("association"),
                &membership
            )
        );
        assert_eq!(
            (&holder["siret"], &holder["rna"], &holder["address"]),
            (&known["siret"], &office["rna"], &office["address"])
        );
        assert_eq!(holder["signatory"].as_str().unwrap().len(), 64);
    }
    assert_eq!(
        open["parties"][1]["signatory"],
        content["parties"][1]["signatory"]
    );
    let page = world
        .camille
        .get(&format!("{path}/document.html"))
        .await
        .text;
    for said in [
        "Procès-verbal de l’élection du maire du 24\u{a0}mai\u{a0}2020",
        "RNA W621000123",
        "12 rue &lt;b&gt;Hoche&lt;/b&gt;",
        "membre habilité",
    ] {
        let said = said.replace('’', "'");
        let found = page.replace("&#39;", "'").replace('’', "'");
        assert!(found.contains(&said), "{said}: {page}");
    }

    // What was signed stays as it was when the mandate, or the office, changes.
    let mandate = format!("/v1/mandates/{}", mandate_of(&world, &world.mayor).await);
    world
        .admin
        .edit(&mandate, json!({"delegation_reference": "Arrêté 2026-12"}))
        .await
        .ok();
    let after = world.camille.get(&format!("{path}/content")).await.ok();
    assert_eq!(after, content);
    let id = path.rsplit('/').next().unwrap();
    let attack = format!(
        "UPDATE convention_parties SET delegation_on = '2020-01-01' WHERE convention_id = '{id}'"
    );
    assert_eq!(
        app.attack(&attack).await.as_deref(),
        Some("conventions_content_is_frozen")
    );
    let (_, path) = drafted(&world).await;
    let id = path.rsplit('/').next().unwrap();
    for change in [
        "delegation_on = NULL WHERE party = 'commune' AND",
        "delegation_reference = 'x', delegation_on = '2020-01-01' WHERE party = 'holder' AND",
    ] {
        let attack = format!("UPDATE convention_parties SET {change} convention_id = '{id}'");
        assert_eq!(
            app.attack(&attack).await.as_deref(),
            Some("convention_parties_mandate_by_delegation"),
            "{attack}"
        );
    }
    // Who signs on paper without an account was checked by the agent.
    let person = json!({"parties": {"holder": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"}}});
    let named = world.agent.edit(&path, person).await.ok();
    assert_eq!(named["parties"][1]["entitlement"]["kind"], "attested");
    // A natural person has no registered office.
    let luc = json!({"kind": "collective", "name": "Les voisins", "address": "12 rue Hoche"});
    let refused = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/holders"), luc)
        .await;
    assert_eq!(refused.pointers(), ["#/address"]);
}
