//! Who stands aside, what they do not do any more, and what others learn of it.

use serde_json::{Value, json};

use crate::conventions::{active, drafted, mandate_of, opened, signing};
use crate::initiatives::{in_review, submitted};
use crate::support::app::{LENS, LOOS, World};
use crate::support::{Client, TestApp};

const SECRET: &str = "Mon frère Anselme préside l'association.";

fn kinship() -> Value {
    json!({"grounds": "kinship", "text": SECRET})
}

async fn recuse(who: &Client, initiative: &str) -> Value {
    let path = format!("{initiative}/recusals");
    who.post(&path, kinship()).await.created()
}

/// An initiative that waits for its decision.
async fn to_decide(world: &World) -> String {
    let path = in_review(world).await;
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    world.agent.act(&path, "give_opinion", opinion).await.ok();
    path
}

fn reason() -> Value {
    json!({"reason": "Utile à tous."})
}

async fn history(reader: &Client, path: &str) -> Vec<Value> {
    let page = reader.get(&format!("{path}/history?limit=100")).await.ok();
    page["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_aside_does_nothing_more_for_the_commune_in_that_matter() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (path, other) = (to_decide(&world).await, to_decide(&world).await);
    let before = world.official.get(&path).await.ok();
    assert!(before["allowed_actions"].to_string().contains("accept"));
    let made = recuse(&world.official, &path).await;
    assert_eq!(
        (
            &made["person"]["id"],
            &made["grounds"],
            &made["recorded_by"]
        ),
        (&json!(world.official.id()), &json!("kinship"), &json!(null))
    );
    recuse(&world.agent, &path).await;
    for (who, action, body) in [
        (&world.official, "accept", reason()),
        (&world.official, "refuse", reason()),
        (&world.official, "abandon", reason()),
        (
            &world.agent,
            "request_changes",
            json!({"message": "Précisez."}),
        ),
        (
            &world.agent,
            "redirect",
            json!({"competent_body": "x", "reason": "x"}),
        ),
        (&world.agent, "unpublish", reason()),
    ] {
        who.act(&path, action, body)
            .await
            .problem(409, "conflict_of_interest");
    }
    for who in [&world.official, &world.agent] {
        who.post(&format!("{path}/notes"), json!({"text": "Une note."}))
            .await
            .problem(409, "conflict_of_interest");
        // Who stands aside may still read that they do.
        let page = who.get(&format!("{path}/recusals")).await.ok();
        assert_eq!(page["data"].as_array().unwrap().len(), 2);
        who.post(&format!("{path}/recusals"), kinship())
            .await
            .problem(409, "already_exists");
        assert_eq!(
            who.get(&path).await.ok()["allowed_actions"],
            json!(["endorse", "take_part"])
        );
    }
    // What the commune would promise, and what it accepts.
    let promise = crate::conventions::planters();
    world
        .agent
        .post(&format!("{path}/commitments"), promise)
        .await
        .problem(409, "conflict_of_interest");
    // Elsewhere they are who they were, and others decide here.
    world.official.act(&other, "accept", reason()).await.ok();
    world.mayor.act(&path, "accept", reason()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_that_somebody_does_and_the_town_hall_who_and_why() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = to_decide(&world).await;
    recuse(&world.official, &path).await;
    let list = format!("{path}/recusals");
    let mandate = mandate_of(&world, &world.mayor).await;
    app.travel_to("2026-06-15T10:01:00Z");
    let recorded = json!({"grounds": "other", "text": "Voisin du terrain.", "mandate_id": mandate});
    world.agent.post(&list, recorded.clone()).await.created();
    world
        .agent
        .post(&list, recorded)
        .await
        .problem(409, "already_exists");
    let seen = world.agent.get(&list).await.ok();
    assert_eq!(
        (
            &seen["data"][0]["text"],
            &seen["data"][0]["person"]["display_name"]
        ),
        (&json!(SECRET), &json!("official"))
    );
    assert_eq!(
        (
            &seen["data"][1]["person"]["id"],
            &seen["data"][1]["recorded_by"]["id"]
        ),
        (&json!(world.mayor.id()), &json!(world.agent.id()))
    );
    world
        .mayor
        .act(&path, "accept", reason())
        .await
        .problem(409, "conflict_of_interest");
    for outsider in [
        &world.camille,
        &world.dominique,
        &world.foreign_agent,
        &world.foreign_mayor,
        &world.admin,
    ] {
        outsider.get(&list).await.problem(403, "forbidden");
        outsider
            .post(&list, kinship())
            .await
            .problem(403, "forbidden");
    }
    world.anyone.get(&list).await.problem(401, "unauthorized");
    for reader in [&world.anyone, &world.camille, &world.dominique] {
        for page in [path.clone(), format!("{path}/history?limit=100")] {
            let text = reader.get(&page).await.text;
            assert!(
                !text.contains("Anselme") && !text.contains("Voisin du"),
                "{text}"
            );
            assert!(!text.contains("kinship"), "{text}");
        }
    }
    let public: Vec<Value> = history(&world.anyone, &path)
        .await
        .into_iter()
        .filter(|entry| entry["action"] == "recuse")
        .collect();
    assert_eq!(public.len(), 2);
    for entry in public {
        assert_eq!(
            (&entry["actor"], &entry["reason"], &entry["actor_role"]),
            (&json!(null), &json!(null), &json!("town_hall"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_the_holder_says_so_and_only_agents_record_for_others() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = submitted(&world).await;
    let list = format!("{path}/recusals");
    let holder = world.agent.get(&path).await.ok()["holder"]["id"].clone();
    let join = format!(
        "INSERT INTO holder_members VALUES ('{}', '{LOOS}', '{}', 'active', 'member', false, now())",
        holder.as_str().unwrap(),
        world.official.id()
    );
    assert_eq!(app.attack(&join).await, None);
    let membership = json!({"grounds": "membership"});
    let actions = world.official.get(&path).await.ok()["allowed_actions"].clone();
    assert!(actions.to_string().contains("recuse"), "{actions}");
    world.official.post(&list, membership).await.created();

    let of_the_mayor = mandate_of(&world, &world.mayor).await;
    let mut recorded = json!({"grounds": "interest", "mandate_id": of_the_mayor});
    world
        .mayor
        .post(&list, recorded.clone())
        .await
        .problem(403, "forbidden");
    world
        .official
        .post(&list, recorded.clone())
        .await
        .problem(403, "forbidden");
    let foreign = world.foreign_mayor.get("/v1/me").await.ok()["mandates"][0]["id"].clone();
    for unknown in [foreign, json!("0190a6c2-7c7e-7d34-9b1a-3f6f2b9d4e55")] {
        recorded["mandate_id"] = unknown;
        let refused = world.agent.post(&list, recorded.clone()).await;
        assert_eq!(refused.pointers(), ["#/mandate_id"]);
    }
    let unsaid = world.agent.post(&list, json!({"grounds": "other"})).await;
    unsaid.problem(422, "invalid_body");

    // Nothing to stand aside from yet.
    let draft = json!({"title": "Chemins", "holder": {"kind": "collective", "name": "Les voisins"},
        "on_behalf": {"channel": "counter"}});
    let draft = world
        .agent
        .post(&format!("/v1/communes/{LOOS}/initiatives"), draft)
        .await
        .created();
    world
        .agent
        .post(
            &format!("/v1/initiatives/{}/recusals", draft["id"].as_str().unwrap()),
            kinship(),
        )
        .await
        .problem(409, "wrong_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_recorded_the_person_contests_within_eight_days() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = to_decide(&world).await;
    let list = format!("{path}/recusals");
    let contest = format!("{path}/contest_recusal");
    let mandate = mandate_of(&world, &world.mayor).await;
    let recorded =
        json!({"grounds": "interest", "text": "Voisin du terrain.", "mandate_id": mandate});
    let made = world.agent.post(&list, recorded.clone()).await.created();
    assert_eq!(made["contestable_until"], "2026-06-23");

    // It waits for them, and for nobody else.
    let work = format!("/v1/communes/{LOOS}/worklist?kind=contest&person=");
    let waits = async |who: &Client| {
        let items = world.agent.get(&format!("{work}{}", who.id())).await.ok();
        items["data"].as_array().unwrap().clone()
    };
    let item = &waits(&world.mayor).await[0];
    assert_eq!(
        (&item["subject"], &item["subject_id"], &item["due_on"]),
        (&json!("recusal"), &made["id"], &json!("2026-06-23"))
    );
    assert!(waits(&world.official).await.is_empty());
    let offered = async |who: &Client| {
        let actions = who.get(&path).await.ok()["allowed_actions"].clone();
        actions
            .as_array()
            .unwrap()
            .contains(&json!("contest_recusal"))
    };
    assert!(offered(&world.mayor).await && !offered(&world.official).await);
    for refused in [&world.official, &world.agent] {
        refused
            .act(&path, "contest_recusal", reason())
            .await
            .problem(409, "requirement_missing");
    }
    world
        .camille
        .act(&path, "contest_recusal", reason())
        .await
        .problem(403, "forbidden");
    world
        .mayor
        .post(&contest, reason())
        .await
        .problem(428, "precondition_required");

    // Too late is too late.
    app.travel_to("2026-06-23T22:00:00Z");
    world
        .mayor
        .act(&path, "contest_recusal", reason())
        .await
        .problem(409, "requirement_missing");
    assert!(!offered(&world.mayor).await && waits(&world.mayor).await.is_empty());
    app.travel_to("2026-06-23T21:59:59Z");
    let back = world
        .mayor
        .act(&path, "contest_recusal", reason())
        .await
        .ok();
    assert!(back["allowed_actions"].to_string().contains("accept"));
    let seen = world.agent.get(&list).await.ok();
    assert_eq!(
        (
            &seen["data"][0]["contest_reason"],
            &seen["data"][0]["contested_at"]
        ),
        (&reason()["reason"], &json!("2026-06-23T21:59:59Z"))
    );
    // Everybody else learns nothing of why.
    let public = world.anyone.get(&format!("{path}/history?limit=100")).await;
    assert!(
        public.text.contains("contest_recusal") && !public.text.contains("Utile à tous"),
        "{}",
        public.text
    );

    // It is not recorded anew; what somebody says of themselves stays.
    world
        .agent
        .post(&list, recorded)
        .await
        .problem(409, "requirement_missing");
    recuse(&world.mayor, &path).await;
    world
        .mayor
        .act(&path, "contest_recusal", reason())
        .await
        .problem(409, "requirement_missing");
    let facts = [
        (
            "UPDATE recusals SET contested_at = '2026-06-23T21:59:59Z', contest_reason = 'x' WHERE recorded_by IS NULL",
            "recusals_contested_in_time",
        ),
        (
            "UPDATE recusals SET contested_at = NULL, contest_reason = NULL WHERE recorded_by IS NOT NULL",
            "recusals_append_only",
        ),
    ];
    for (sql, refusal) in facts {
        assert_eq!(app.attack(sql).await.as_deref(), Some(refusal), "{sql}");
    }
    world
        .mayor
        .act(&path, "accept", reason())
        .await
        .problem(409, "conflict_of_interest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recused_official_does_not_sign_on_paper_either() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, path) = drafted(&world).await;
    recuse(&world.mayor, &initiative).await;
    let refused = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await;
    assert_eq!(refused.pointers(), ["#/parties/commune"]);

    let (initiative, path, hash) = opened(&world).await;
    recuse(&world.mayor, &initiative).await;
    world
        .mayor
        .post(&format!("{path}/sign"), signing(&hash))
        .await
        .problem(409, "conflict_of_interest");
    let paper = json!({"party": "commune", "content_sha256": hash, "signed_on": "2026-06-15", "paper_reference": "R1"});
    world
        .agent
        .post(&format!("{path}/record_signature"), paper)
        .await
        .problem(409, "conflict_of_interest");

    let (initiative, path) = active(&world).await;
    recuse(&world.mayor, &initiative).await;
    for action in ["suspend", "terminate"] {
        world
            .mayor
            .act(&path, action, reason())
            .await
            .problem(409, "conflict_of_interest");
    }
    world
        .mayor
        .act(&initiative, "abandon", reason())
        .await
        .problem(409, "conflict_of_interest");
    world.official.act(&path, "suspend", reason()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_after_standing_aside_whatever_runs_at_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut decided = 0;
    for _ in 0..20 {
        let path = to_decide(&world).await;
        let list = format!("{path}/recusals");
        let (recused, accepted) = tokio::join!(
            world.official.post(&list, kinship()),
            world.official.act(&path, "accept", reason()),
        );
        recused.created();
        let what: Vec<String> = history(&world.agent, &path)
            .await
            .iter()
            .filter_map(|entry| entry["action"].as_str())
            .filter(|action| ["recuse", "accept"].contains(action))
            .map(str::to_owned)
            .collect();
        match accepted.status.as_u16() {
            200 => {
                decided += 1;
                assert_eq!(what, ["accept", "recuse"]);
            }
            _ => {
                accepted.problem(409, "conflict_of_interest");
                assert_eq!(what, ["recuse"]);
            }
        }
    }
    assert!(decided < 20, "the recusal never came first");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_recusals() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = to_decide(&world).await;
    recuse(&world.official, &path).await;
    let id = path.rsplit('/').next().unwrap();
    let (official, resident) = (world.official.id(), world.dominique.id());
    let recusal = |row: uuid::Uuid,
                   commune: &str,
                   person: &str,
                   grounds: &str,
                   text: &str,
                   by: &str| {
        format!(
            "INSERT INTO recusals VALUES ('{row}', '{commune}', '{id}', '{person}', '{grounds}', {text}, {by}, '2026-06-15T10:00:00Z')"
        )
    };
    let mayor = world.mayor.id().to_string();
    let ours = || app.row_id(LOOS);
    let decision = format!(
        "INSERT INTO decisions SELECT '{}', '{LOOS}', '{id}', 'accepted', 'x', m.id, m.user_id, '2026-06-15', '2026-06-15T10:00:00Z', 'x'
         FROM mandates AS m WHERE user_id = '{official}'",
        ours()
    );
    let attacks = [
        (decision, "decisions_conflict_of_interest"),
        (
            recusal(
                ours(),
                LOOS,
                &official.to_string(),
                "kinship",
                "NULL",
                "NULL",
            ),
            "recusals_one_per_person",
        ),
        (
            recusal(
                ours(),
                LOOS,
                &resident.to_string(),
                "kinship",
                "NULL",
                "NULL",
            ),
            "recusals_by_the_town_hall",
        ),
        (
            recusal(ours(), LOOS, &mayor, "other", "NULL", "NULL"),
            "recusals_other_is_explained",
        ),
        (
            recusal(ours(), LOOS, &mayor, "x", "NULL", "NULL"),
            "recusals_grounds",
        ),
        (
            recusal(
                ours(),
                LOOS,
                &mayor,
                "kinship",
                "NULL",
                &format!("'{mayor}'"),
            ),
            "recusals_recorded_by_another",
        ),
        (
            recusal(app.row_id(LENS), LOOS, &mayor, "kinship", "NULL", "NULL"),
            "recusals_id_carries_commune",
        ),
        (
            recusal(
                app.row_id(LENS),
                LENS,
                &world.foreign_mayor.id().to_string(),
                "kinship",
                "NULL",
                "NULL",
            ),
            "recusals_initiative_id_commune_code_fkey",
        ),
        (
            "UPDATE recusals SET grounds = 'interest'".to_owned(),
            "recusals_append_only",
        ),
        ("DELETE FROM recusals".to_owned(), "recusals_append_only"),
        ("TRUNCATE recusals".to_owned(), "recusals_append_only"),
    ];
    for (sql, refusal) in attacks {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
}
