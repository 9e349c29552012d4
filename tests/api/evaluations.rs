//! The evaluation of an initiative: an agent writes it, an elected official validates it, and it closes the initiative.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{LOOS, World};
use crate::support::rows::Initiative;
use crate::support::{Client, TestApp};

pub fn farm_tracks() -> Value {
    json!({
        "summary": "4 km de chemins refaits.", "reference_cost_cents": 10_000_000, "municipal_cost_cents": 3_000_000,
        "staff_minutes": 2400, "staff_cost_cents": 120_000, "official_minutes": 600,
        "method": "Devis d'une entreprise", "source": "Devis du 3 février 2025",
    })
}

/// An initiative of Camille's holder, and the path of its evaluation.
async fn initiative(app: &TestApp, world: &World, state: &str) -> (Uuid, Uuid, String) {
    let holder = app
        .holder_row(LOOS, "association", Some(world.camille.id()))
        .await;
    let id = app
        .initiative_row(Initiative {
            commune: LOOS,
            state,
            holder,
            author: world.camille.id(),
            submitted_at: "2026-02-01T10:00:00Z",
            published: true,
        })
        .await;
    (holder, id, format!("/v1/initiatives/{id}/evaluation"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_closes_an_initiative() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, id, path) = initiative(&app, &world, "completed").await;
    let close = format!("/v1/initiatives/{id}/close");
    let agent = world.agent.with("if-match", "*");
    let mayor = world.mayor.with("if-match", "*");

    agent
        .post(&close, json!({}))
        .await
        .problem(409, "requirement_missing");
    world
        .anyone
        .post(&path, farm_tracks())
        .await
        .problem(401, "unauthorized");
    for refused in [
        &world.camille,
        &world.mayor,
        &world.foreign_agent,
        &world.admin,
    ] {
        refused
            .post(&path, farm_tracks())
            .await
            .problem(403, "forbidden");
    }
    let created = world.agent.post(&path, farm_tracks()).await;
    assert_eq!(created.header("location"), path);
    let created = created.created();
    assert_eq!(
        (
            &created["savings_cents"],
            &created["savings_rate"],
            &created["state"],
            &created["allowed_actions"]
        ),
        (
            &json!(6_880_000),
            &json!("0.688"),
            &json!("draft"),
            &json!(["update"])
        )
    );
    world
        .agent
        .post(&path, farm_tracks())
        .await
        .problem(409, "already_exists");

    // Until it is validated it stays between the two sides.
    for outsider in [&world.anyone, &world.dominique, &world.foreign_mayor] {
        outsider.get(&path).await.problem(404, "not_found");
    }
    for insider in [&world.camille, &world.mayor] {
        insider.get(&path).await.ok();
    }

    app.travel_to("2026-06-16T10:00:00Z");
    let patch = json!({"municipal_cost_cents": 4_000_000});
    mayor
        .patch(&path, patch.clone())
        .await
        .problem(403, "forbidden");
    world
        .agent
        .patch(&path, patch.clone())
        .await
        .problem(428, "precondition_required");
    assert_eq!(
        agent.patch(&path, patch.clone()).await.ok()["savings_rate"],
        "0.588"
    );

    app.travel_to("2026-06-16T11:00:00Z");
    let validate = format!("{path}/validate");
    agent
        .post(&validate, json!({}))
        .await
        .problem(403, "forbidden");
    world
        .camille
        .with("if-match", "\"1-x\"")
        .post(&format!("{path}/agree"), json!({}))
        .await
        .problem(412, "stale_version");
    agent
        .post(&close, json!({}))
        .await
        .problem(409, "requirement_missing");
    mayor
        .post(&validate, json!({}))
        .await
        .problem(409, "requirement_missing");
    let agree = format!("{path}/agree");
    let camille = world.camille.with("if-match", "*");
    for refused in [&agent, &mayor, &world.dominique.with("if-match", "*")] {
        let answer = refused.post(&agree, json!({})).await;
        assert!(
            [403, 404].contains(&answer.status.as_u16()),
            "{}",
            answer.text
        );
    }
    let offered = async |who: &Client| who.get(&path).await.ok()["allowed_actions"].clone();
    assert_eq!(offered(&camille).await, json!(["agree"]));
    assert_eq!(offered(&mayor).await, json!([]));
    assert!(camille.post(&agree, json!({})).await.ok()["agreed_at"].is_string());
    assert_eq!(offered(&camille).await, json!([]));
    assert_eq!(offered(&mayor).await, json!(["validate"]));
    camille
        .post(&agree, json!({}))
        .await
        .problem(409, "already_exists");
    // Who agreed, agreed to these words.
    let words = json!({"obstacles": "Deux semaines de pluie.", "expected_cost_cents": 3_500_000,
        "people": [{"age_band": "60_plus", "people": 3}, {"age_band": "30_59", "people": 12}]});
    let reworded = agent.patch(&path, words).await.ok();
    assert_eq!(reworded["agreed_at"], json!(null));
    assert_eq!(
        reworded["people"][0],
        json!({"age_band": "30_59", "people": 12})
    );
    let twice =
        json!({"people": [{"age_band": "30_59", "people": 1}, {"age_band": "30_59", "people": 2}]});
    assert_eq!(agent.patch(&path, twice).await.pointers(), ["#/people"]);
    mayor
        .post(&validate, json!({}))
        .await
        .problem(409, "requirement_missing");
    camille.post(&agree, json!({})).await.ok();
    let validated = mayor.post(&validate, json!({})).await.ok();
    assert_eq!(validated["people"], reworded["people"]);
    assert_eq!(validated["expected_cost_cents"], 3_500_000);
    assert_eq!(validated["state"], "validated");
    assert_eq!(validated["allowed_actions"], json!([]));
    assert_eq!(
        world.anyone.get(&path).await.ok()["savings_cents"],
        5_880_000
    );
    agent.patch(&path, patch).await.problem(409, "wrong_state");
    mayor
        .post(&validate, json!({}))
        .await
        .problem(409, "wrong_state");

    app.travel_to("2026-06-16T12:00:00Z");
    mayor
        .post(&close, json!({}))
        .await
        .problem(403, "forbidden");
    assert_eq!(agent.post(&close, json!({})).await.ok()["state"], "closed");
    let history = world
        .camille
        .get(&format!("/v1/initiatives/{id}/history"))
        .await
        .ok();
    let acts: Vec<(&str, &str)> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["subject"].as_str().unwrap(),
                entry["action"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        acts,
        [
            ("evaluation", "create"),
            ("evaluation", "update"),
            ("evaluation", "agree"),
            ("evaluation", "update"),
            ("evaluation", "agree"),
            ("evaluation", "validate"),
            ("initiative", "close")
        ]
    );
    let public = world
        .anyone
        .get(&format!("/v1/initiatives/{id}/history"))
        .await
        .ok();
    assert_eq!(public["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_written_in_progress_and_validated_when_completed() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, _, too_early) = initiative(&app, &world, "accepted").await;
    let refused = world.agent.post(&too_early, farm_tracks()).await;
    assert_eq!(refused.problem(409, "wrong_state")["state"], "accepted");

    let (_, id, path) = initiative(&app, &world, "in_progress").await;
    let mut free = farm_tracks();
    free["reference_cost_cents"] = json!(0);
    // For JSON Schema, and so for the document, this is an integer too.
    free["official_minutes"] = json!(600.0);
    let created = world.agent.post(&path, free).await.created();
    assert_eq!(
        (&created["savings_cents"], &created["savings_rate"]),
        (&json!(-3_120_000), &json!(null))
    );
    let mayor = world.mayor.with("if-match", "*");
    mayor
        .post(&format!("{path}/validate"), json!({}))
        .await
        .problem(409, "requirement_missing");
    app.write_rows(&format!(
        "UPDATE initiatives SET state = 'completed' WHERE id = '{id}'"
    ))
    .await;
    // Thirty days of silence after the end agree.
    let says_nothing = async |instant: &str| {
        app.travel_to(instant);
        fifty_fifty::clockwork::turn(&app.state).await.unwrap();
        world.camille.get(&path).await.ok()["agreed_at"].clone()
    };
    app.write_rows(&format!(
        "UPDATE initiatives SET state_changed_at = '2026-06-20T10:00:00Z' WHERE id = '{id}'"
    ))
    .await;
    assert_eq!(says_nothing("2026-07-20T09:59:59Z").await, json!(null));
    assert_eq!(
        says_nothing("2026-07-20T10:00:00Z").await,
        "2026-07-20T10:00:00Z"
    );
    mayor
        .post(&format!("{path}/validate"), json!({}))
        .await
        .ok();
    // The database refuses what the API never does.
    for attack in [
        "UPDATE evaluations SET summary = 'x'",
        "UPDATE evaluations SET agreed_at = NULL, agreed_by = NULL",
        "INSERT INTO evaluation_people SELECT id, commune_code, 'unknown', 4 FROM evaluations",
        "DELETE FROM evaluations",
    ] {
        assert_eq!(
            app.attack(attack).await.as_deref(),
            Some("evaluations_validated_is_final")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_validates_what_they_wrote_or_carry() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (holder, _, path) = initiative(&app, &world, "completed").await;
    let validate = format!("{path}/validate");
    world.agent.post(&path, farm_tracks()).await.created();

    // The mayor is an agent too, and corrects it: that makes them an author.
    let mandate = json!({"email": "mayor@example.org", "role": "agent", "capacity": "Secrétaire", "starts_on": "2026-01-01"});
    world
        .admin
        .post("/v1/communes/62528/mandates", mandate)
        .await
        .created();
    let mayor = world.mayor.with("if-match", "*");
    mayor
        .patch(&path, json!({"official_minutes": 0}))
        .await
        .ok();
    mayor
        .post(&validate, json!({}))
        .await
        .problem(409, "conflict_of_interest");

    // Another official belongs to the holder.
    let official = world.official.with("if-match", "*");
    app.write_rows(&format!(
        "INSERT INTO holder_members (holder_id, commune_code, user_id, state, role, since) \
         VALUES ('{holder}', '{LOOS}', '{}', 'active', 'member', '2026-01-01T10:00:00Z')",
        world.official.id()
    ))
    .await;
    official
        .post(&validate, json!({}))
        .await
        .problem(409, "conflict_of_interest");
    app.write_rows("UPDATE holder_members SET state = 'left' WHERE role = 'member'")
        .await;
    world.camille.act(&path, "agree", json!(null)).await.ok();
    official.post(&validate, json!({})).await.ok();
}
