//! From an idea to a decision, by the right people and in the right order.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::support::app::{LENS, LOOS, World};
use crate::support::{Client, TestApp};

/// A holder that this resident leads.
/// A SIRET that no holder has yet: thirteen digits and the one that Luhn's sum asks for.
pub fn siret() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(7_328_293_200_007);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let sum: u64 = (0..13)
        .map(|place| number / 10_u64.pow(place) % 10)
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight / 10 + digit * weight % 10)
        .sum();
    format!("{number}{}", (10 - sum % 10) % 10)
}

pub async fn association(resident: &Client, name: &str) -> String {
    let body = json!({"kind": "association", "name": name, "siret": siret(),
        "republican_commitment_on": "2022-01-10"});
    let holder = resident
        .post(&format!("/v1/communes/{LOOS}/holders"), body)
        .await
        .created();
    holder["id"].as_str().unwrap().to_owned()
}

pub fn idea(holder: &str) -> Value {
    json!({"title": "Réfection des chemins agricoles", "description": "Les agriculteurs apportent leurs machines.",
        "theme": "agriculture", "holder_id": holder, "requests_money": true,
        "location": {"latitude": 50.4567, "longitude": 2.7912}})
}

/// An initiative of Camille's association, submitted.
pub async fn submitted(world: &World) -> String {
    let holder = association(&world.camille, "Les chemins de Loos").await;
    let mut body = idea(&holder);
    body["submit"] = json!(true);
    let initiative = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
        .await
        .created();
    format!("/v1/initiatives/{}", initiative["id"].as_str().unwrap())
}

pub async fn in_review(world: &World) -> String {
    let path = submitted(world).await;
    world.agent.act(&path, "start_review", json!({})).await.ok();
    path
}

pub async fn accepted(world: &World) -> String {
    let path = in_review(world).await;
    world
        .agent
        .act(
            &path,
            "give_opinion",
            json!({"outcome": "favourable", "text": "Faisable."}),
        )
        .await
        .ok();
    world
        .official
        .act(&path, "accept", json!({"reason": "Utile à tous."}))
        .await
        .ok();
    path
}

fn actions(initiative: &Value) -> Vec<&str> {
    initiative["allowed_actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action.as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idea_becomes_a_decision() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.camille, "Les chemins de Loos").await;
    let create = format!("/v1/communes/{LOOS}/initiatives");
    let reply = world
        .camille
        .post(&create, json!({"title": "Chemins", "holder_id": holder}))
        .await;
    let path = reply.header("location").to_owned();
    let draft = reply.created();
    assert_eq!(
        (draft["state"].as_str(), &draft["receipt"]),
        (Some("draft"), &json!(null))
    );
    assert_eq!(actions(&draft), ["update", "submit", "withdraw"]);

    // A draft is its holder's alone.
    for other in [
        &world.anyone,
        &world.dominique,
        &world.agent,
        &world.mayor,
        &world.admin,
    ] {
        other.get(&path).await.problem(404, "not_found");
    }
    let missing = world.camille.act(&path, "submit", json!(null)).await;
    assert_eq!(missing.pointers(), ["#/description", "#/theme"]);
    let patch = json!({"description": "Les agriculteurs apportent leurs machines.", "theme": "agriculture",
        "requests_money": true, "title": "Réfection des chemins agricoles"});
    world
        .camille
        .with("if-match", "*")
        .patch(&path, patch)
        .await
        .ok();
    let submitted = world.camille.act(&path, "submit", json!(null)).await.ok();
    let receipt = &submitted["receipt"];
    assert_eq!(receipt["reply_due_on"], "2026-08-14", "sixty days");
    assert_eq!(
        (
            &receipt["implicit_decision_on"],
            &receipt["implicit_decision"]
        ),
        (&json!("2026-08-15"), &json!("refused"))
    );

    // Received, not published.
    world.anyone.get(&path).await.problem(404, "not_found");
    world
        .foreign_agent
        .get(&path)
        .await
        .problem(404, "not_found");
    world
        .agent
        .act(&path, "accept", json!({"reason": "x"}))
        .await
        .problem(403, "forbidden");
    world
        .mayor
        .act(&path, "accept", json!({"reason": "x"}))
        .await
        .problem(409, "wrong_state");
    world
        .foreign_mayor
        .act(&path, "accept", json!({"reason": "x"}))
        .await
        .problem(404, "not_found");
    world
        .agent
        .act(&path, "start_review", json!({"publish": false}))
        .await
        .problem(422, "invalid_body");
    app.travel_to("2026-06-20T10:00:00Z");
    let review = world.agent.act(&path, "start_review", json!({})).await.ok();
    assert_eq!(
        (review["state"].as_str(), &review["first_reply_at"]),
        (Some("in_review"), &json!("2026-06-20T10:00:00Z"))
    );
    assert!(world.anyone.get(&path).await.ok()["published_at"].is_string());

    // The clock stands still while the holder works.
    world
        .agent
        .act(
            &path,
            "request_changes",
            json!({"message": "Un plan, s'il vous plaît."}),
        )
        .await
        .ok();
    app.travel_to("2026-06-30T10:00:00Z");
    let resubmitted = world.camille.act(&path, "resubmit", json!(null)).await.ok();
    assert_eq!(
        resubmitted["receipt"]["reply_due_on"], "2026-08-24",
        "ten days later"
    );

    world
        .mayor
        .act(&path, "accept", json!({"reason": "x"}))
        .await
        .problem(409, "requirement_missing");
    let opinion = json!({"outcome": "favourable_with_conditions", "text": "OPINION-SECRETE", "estimated_cost_cents": 3_000_000});
    world
        .official
        .act(&path, "give_opinion", opinion.clone())
        .await
        .problem(403, "forbidden");
    world.agent.act(&path, "give_opinion", opinion).await.ok();
    for other in [
        &world.anyone,
        &world.camille,
        &world.dominique,
        &world.foreign_agent,
    ] {
        assert!(
            !other.get(&path).await.text.contains("OPINION-SECRETE"),
            "before the decision the opinion is internal"
        );
    }
    assert_eq!(
        world.mayor.get(&path).await.ok()["opinion"]["text"],
        "OPINION-SECRETE"
    );
    world
        .admin
        .act(&path, "accept", json!({"reason": "x"}))
        .await
        .problem(403, "forbidden");
    world
        .camille
        .act(&path, "accept", json!({"reason": "x"}))
        .await
        .problem(403, "forbidden");
    let accepted = world
        .official
        .act(&path, "accept", json!({"reason": "Utile à tous."}))
        .await
        .ok();
    assert_eq!(
        (accepted["state"].as_str(), &accepted["decision"]["reason"]),
        (Some("accepted"), &json!("Utile à tous."))
    );
    assert_eq!(
        world.anyone.get(&path).await.ok()["opinion"]["text"],
        "OPINION-SECRETE"
    );

    let history = world.anyone.get(&format!("{path}/history")).await.ok();
    let seen: Vec<&str> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["action"].as_str().unwrap())
        .collect();
    assert_eq!(seen, ["submit", "start_review", "resubmit", "accept"]);
    assert!(
        history["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["actor"].is_null())
    );
    let inside = world.camille.get(&format!("{path}/history")).await.ok();
    assert_eq!(
        inside["data"].as_array().unwrap().len(),
        5,
        "the request for changes is between the two"
    );
    assert_eq!(
        world.agent.get(&format!("{path}/history")).await.ok()["data"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_side_doors() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = in_review(&world).await;
    let redirect = json!({"competent_body": "Département du Pas-de-Calais", "reason": "Route départementale."});
    assert_eq!(
        world.agent.act(&path, "redirect", redirect).await.ok()["redirected_to"],
        "Département du Pas-de-Calais"
    );
    world
        .agent
        .act(&path, "reopen", json!({"reason": "x"}))
        .await
        .problem(409, "wrong_state");

    let path = again(&world).await;
    world.agent.act(&path, "start_review", json!({})).await.ok();
    world
        .agent
        .act(
            &path,
            "give_opinion",
            json!({"outcome": "unfavourable", "text": "Trop cher."}),
        )
        .await
        .ok();
    let refused = world
        .mayor
        .act(&path, "refuse", json!({"reason": "Trop cher."}))
        .await
        .ok();
    assert_eq!(refused["state"], "refused");
    app.travel_to("2026-09-01T08:00:00Z");
    let reopened = world
        .agent
        .act(&path, "reopen", json!({"reason": "Une aide de la région."}))
        .await
        .ok();
    assert_eq!(
        (reopened["state"].as_str(), &reopened["decision"]),
        (Some("in_review"), &json!(null))
    );
    assert_eq!(reopened["receipt"]["reply_due_on"], "2026-10-31");
    world
        .agent
        .act(&path, "request_changes", json!({"message": "?"}))
        .await
        .ok();
    // Six months of silence, and time lets it lapse.
    fifty_fifty::clockwork::turn(&app.state).await.unwrap();
    assert_eq!(
        world.agent.get(&path).await.ok()["state"],
        "changes_requested"
    );
    for (instant, state) in [
        ("2027-02-01T08:00:00Z", "changes_requested"),
        ("2027-03-01T08:00:00Z", "lapsed"),
    ] {
        app.travel_to(instant);
        fifty_fifty::clockwork::turn(&app.state).await.unwrap();
        assert_eq!(world.agent.get(&path).await.ok()["state"], state);
    }

    let path = again(&world).await;
    let withheld = json!({"publish": false, "reason": "Le voisin est nommé."});
    world.agent.act(&path, "start_review", withheld).await.ok();
    world.anyone.get(&path).await.problem(404, "not_found");
    assert_eq!(
        world.agent.get(&path).await.ok()["inside"]["publication_withheld_reason"],
        "Le voisin est nommé."
    );
    assert_eq!(
        world.camille.get(&path).await.ok()["inside"]["publication_withheld_reason"],
        json!(null)
    );
    world.agent.act(&path, "publish", json!(null)).await.ok();
    world.anyone.get(&path).await.ok();
    world
        .agent
        .act(
            &path,
            "unpublish",
            json!({"reason": "À la demande du voisin."}),
        )
        .await
        .ok();
    world.anyone.get(&path).await.problem(404, "not_found");

    let note = json!({"text": "NOTE-INTERNE"});
    world
        .camille
        .post(&format!("{path}/notes"), note.clone())
        .await
        .problem(403, "forbidden");
    world
        .agent
        .post(&format!("{path}/notes"), note)
        .await
        .created();
    world
        .camille
        .get(&format!("{path}/notes"))
        .await
        .problem(403, "forbidden");
    assert_eq!(
        world.mayor.get(&format!("{path}/notes")).await.ok()["data"][0]["text"],
        "NOTE-INTERNE"
    );
    assert!(
        !world
            .camille
            .get(&format!("{path}/history"))
            .await
            .text
            .contains("NOTE-INTERNE")
    );
}

/// Another initiative of the association that Camille leads already.
async fn again(world: &World) -> String {
    let holders = world.camille.get("/v1/me/holders").await.ok();
    let holder = holders["data"][0]["id"].as_str().unwrap().to_owned();
    let mut body = idea(&holder);
    body["submit"] = json!(true);
    let initiative = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
        .await
        .created();
    format!("/v1/initiatives/{}", initiative["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_stands_on_both_sides() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.mayor, "Le maire et ses amis").await;
    let mut body = idea(&holder);
    body["submit"] = json!(true);
    let initiative = world
        .mayor
        .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
        .await
        .created();
    let path = format!("/v1/initiatives/{}", initiative["id"].as_str().unwrap());
    world.agent.act(&path, "start_review", json!({})).await.ok();
    world
        .agent
        .act(
            &path,
            "give_opinion",
            json!({"outcome": "favourable", "text": "Bien."}),
        )
        .await
        .ok();
    world
        .mayor
        .act(&path, "accept", json!({"reason": "Pour moi."}))
        .await
        .problem(409, "conflict_of_interest");
    assert!(!actions(&world.mayor.get(&path).await.ok()).contains(&"accept"));
    world
        .official
        .act(&path, "accept", json!({"reason": "Pour tous."}))
        .await
        .ok();
    // The database says the same to whoever comes around the API.
    let attack = format!(
        "INSERT INTO decisions SELECT '{}', commune_code, initiative_id, outcome, reason, m, '{}', decided_on, decided_at, capacity
         FROM decisions, LATERAL (SELECT id AS m FROM mandates WHERE user_id = '{}') AS mandate",
        fifty_fifty::ids::DecisionId::new(LOOS, app.state.clock.now()).unwrap(), world.mayor.id(), world.mayor.id()
    );
    assert_eq!(
        app.attack(&attack).await.as_deref(),
        Some("decisions_conflict_of_interest")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_opposite_decisions_at_once_one_wins() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.camille, "Les chemins de Loos").await;
    for _ in 0..10 {
        let mut body = idea(&holder);
        body["submit"] = json!(true);
        let initiative = world
            .camille
            .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
            .await
            .created();
        let path = format!("/v1/initiatives/{}", initiative["id"].as_str().unwrap());
        world.agent.act(&path, "start_review", json!({})).await.ok();
        world
            .agent
            .act(
                &path,
                "give_opinion",
                json!({"outcome": "favourable", "text": "Bien."}),
            )
            .await
            .ok();
        let yes = world.mayor.act(&path, "accept", json!({"reason": "Oui."}));
        let no = world
            .official
            .act(&path, "refuse", json!({"reason": "Non."}));
        let (yes, no) = tokio::join!(yes, no);
        let mut answers = [yes.status.as_u16(), no.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [200, 409], "{} {}", yes.text, no.text);
        let loser = if yes.status == 409 { yes } else { no };
        let state = loser.body["state"].as_str().unwrap().to_owned();
        loser.problem(409, "wrong_state");
        assert_eq!(world.anyone.get(&path).await.ok()["state"], state.as_str());
        let history = world.agent.get(&format!("{path}/history")).await.ok();
        assert_eq!(history["data"].as_array().unwrap().len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_search_and_the_inbox() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.camille, "Les chemins de Loos").await;
    let create = format!("/v1/communes/{LOOS}/initiatives");
    let mut paths = Vec::new();
    for (title, theme) in [
        ("Réfection des chemins agricoles", "agriculture"),
        ("Jardinières rue Hoche", "living_environment"),
        ("Toiture de l'église", "energy"),
    ] {
        let body = json!({"title": title, "description": "Œuvre collective des habitants.", "theme": theme,
            "holder_id": holder, "submit": true, "location": {"latitude": 50.45, "longitude": 2.79}});
        // The newest first needs an order of time.
        app.travel_to(&format!("2026-06-15T10:0{}:00Z", paths.len()));
        let initiative = world.camille.post(&create, body).await.created();
        paths.push(format!(
            "/v1/initiatives/{}",
            initiative["id"].as_str().unwrap()
        ));
    }
    let secret = json!({"title": "BROUILLON-SECRET", "holder_id": holder});
    world.camille.post(&create, secret).await.created();
    let titles = async |client: &Client, query: &str| -> Vec<String> {
        let page = client.get(&format!("/v1/initiatives?{query}")).await.ok();
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["title"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(
        titles(&world.anyone, "").await.is_empty(),
        "nothing is published yet"
    );
    assert!(
        titles(&world.foreign_agent, &format!("commune={LOOS}"))
            .await
            .is_empty()
    );
    assert_eq!(
        titles(&world.agent, &format!("commune={LOOS}&inbox=to_instruct"))
            .await
            .len(),
        3
    );
    world
        .camille
        .get(&format!("/v1/initiatives?commune={LOOS}&inbox=to_decide"))
        .await
        .problem(403, "forbidden");
    world
        .anyone
        .get("/v1/initiatives?inbox=to_decide")
        .await
        .problem(401, "unauthorized");
    for path in &paths {
        world.agent.act(path, "start_review", json!({})).await.ok();
    }
    assert_eq!(
        titles(&world.anyone, "q=chemin").await,
        ["Réfection des chemins agricoles"]
    );
    assert_eq!(
        titles(&world.anyone, "q=eglises").await,
        ["Toiture de l'église"]
    );
    assert_eq!(
        titles(&world.anyone, "q=%C5%93uvre&sort=created_at&limit=1").await,
        ["Réfection des chemins agricoles"]
    );
    // Several values with commas between them, or the parameter repeated, as many programs write it.
    for states in ["state=in_review,accepted", "state=in_review&state=accepted"] {
        assert_eq!(
            titles(&world.anyone, &format!("theme=energy&{states}")).await,
            ["Toiture de l'église"]
        );
    }
    assert_eq!(
        titles(
            &world.anyone,
            &format!("holder={holder}&commune={LOOS}&bbox=2.7,50.4,2.8,50.5")
        )
        .await
        .len(),
        3
    );
    assert!(
        titles(&world.anyone, "bbox=2.8,50.4,2.9,50.5")
            .await
            .is_empty()
    );
    let crossed = world
        .anyone
        .get("/v1/initiatives?bbox=3,50,2,51")
        .await
        .problem(400, "invalid_query");
    assert_eq!(crossed["errors"][0]["code"], "inconsistent");
    assert!(titles(&world.anyone, "q=BROUILLON").await.is_empty());
    assert!(
        titles(&world.agent, &format!("commune={LOOS}&q=brouillon"))
            .await
            .is_empty()
    );
    let mine = world.camille.get("/v1/me/initiatives").await.ok();
    assert_eq!(mine["data"].as_array().unwrap().len(), 4);
    assert!(
        world.dominique.get("/v1/me/initiatives").await.ok()["data"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    let commune = format!("commune={LOOS}");
    world
        .agent
        .act(
            &paths[1],
            "give_opinion",
            json!({"outcome": "favourable", "text": "Bien."}),
        )
        .await
        .ok();
    assert_eq!(
        titles(&world.mayor, &format!("{commune}&inbox=to_decide")).await,
        ["Jardinières rue Hoche"]
    );
    assert_eq!(
        titles(&world.agent, &format!("{commune}&inbox=to_instruct"))
            .await
            .len(),
        2
    );
    assert!(
        titles(&world.agent, &format!("{commune}&inbox=overdue"))
            .await
            .is_empty()
    );
    app.travel_to("2026-08-15T10:00:00Z");
    assert_eq!(
        titles(
            &world.agent,
            &format!("{commune}&inbox=overdue&sort=reply_due_on")
        )
        .await
        .len(),
        3
    );
    let item = &world.anyone.get("/v1/initiatives?q=chemins").await.ok()["data"][0];
    assert_eq!(
        (&item["commune"]["name"], &item["holder"]["name"]),
        (&json!("Loos-en-Gohelle"), &json!("Les chemins de Loos"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn residents_support_and_take_part_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = submitted(&world).await;
    let endorse = format!("{path}/endorsement");
    world
        .camille
        .put(&endorse, json!({}))
        .await
        .problem(409, "requirement_missing");
    world.agent.act(&path, "start_review", json!({})).await.ok();
    world
        .anyone
        .put(&endorse, json!({}))
        .await
        .problem(401, "unauthorized");
    let tries = (0..20).map(|_| {
        let (dominique, endorse) = (world.dominique.clone(), endorse.clone());
        tokio::spawn(async move { dominique.put(&endorse, json!({})).await.ok() })
    });
    for attempt in tries.collect::<Vec<_>>() {
        attempt.await.unwrap();
    }
    let initiative = world
        .dominique
        .put(&format!("{path}/participation"), json!({}))
        .await
        .ok();
    assert_eq!(
        (
            &initiative["endorsement_count"],
            &initiative["participant_count"]
        ),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&initiative["endorsed_by_me"], &initiative["joined_by_me"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        world.anyone.get(&path).await.ok()["endorsed_by_me"],
        json!(null)
    );
    world
        .dominique
        .delete(&format!("{path}/participation"))
        .await
        .ok();
    let initiative = world.dominique.delete(&endorse).await.ok();
    assert_eq!(
        (
            &initiative["endorsement_count"],
            &initiative["participant_count"]
        ),
        (&json!(0), &json!(0))
    );

    let day = format!("{path}/headcounts/2026-06-10");
    let counts = json!({"counts": [{"age_band": "11_14", "people": 14}, {"age_band": "30_59", "people": 3}]});
    world
        .agent
        .put(&day, counts.clone())
        .await
        .problem(409, "wrong_state");
    world
        .agent
        .act(
            &path,
            "give_opinion",
            json!({"outcome": "favourable", "text": "Bien."}),
        )
        .await
        .ok();
    world
        .mayor
        .act(&path, "accept", json!({"reason": "Oui."}))
        .await
        .ok();
    world
        .dominique
        .put(&day, counts.clone())
        .await
        .problem(403, "forbidden");
    world.camille.put(&day, counts.clone()).await.ok();
    world.camille.put(&day, counts).await.ok();
    let repeated =
        json!({"counts": [{"age_band": "11_14", "people": 1}, {"age_band": "11_14", "people": 2}]});
    assert_eq!(
        world.camille.put(&day, repeated).await.pointers(),
        ["#/counts"]
    );
    world
        .camille
        .put(
            &format!("{path}/headcounts/2026-06-16"),
            json!({"counts": [{"age_band": "11_14", "people": 1}]}),
        )
        .await
        .problem(404, "not_found");
    // A day of two digits is none, and a count of nobody takes a day away.
    let (long_ago, wrong) = (
        format!("{path}/headcounts/0026-06-10"),
        format!("{path}/headcounts/2026-06-11"),
    );
    let one = json!({"counts": [{"age_band": "11_14", "people": 1}]});
    world
        .camille
        .put(&long_ago, one.clone())
        .await
        .problem(404, "not_found");
    world.camille.put(&wrong, one).await.ok();
    let list = format!("{path}/headcounts");
    let days = async || {
        world.anyone.get(&list).await.ok()["data"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(days().await, 2);
    let nobody = json!({"counts": [{"age_band": "11_14", "people": 0}]});
    world.camille.put(&wrong, nobody).await.ok();
    assert_eq!(days().await, 1);
    assert_eq!(
        world.anyone.get(&list).await.ok()["data"][0]["counts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_counter_an_agent_acts_for_a_resident() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let create = format!("/v1/communes/{LOOS}/initiatives");
    let mut paper = json!({"title": "Huit jardinières", "description": "Rue Hoche.", "theme": "living_environment",
        "holder": {"kind": "collective", "name": "Voisins de la rue Hoche"}, "submit": true,
        "on_behalf": {"channel": "paper", "paper_reference": "2026-117"}});
    world
        .camille
        .post(&create, paper.clone())
        .await
        .problem(403, "forbidden");
    world
        .foreign_agent
        .post(&create, paper.clone())
        .await
        .problem(403, "forbidden");
    let entered = world.agent.post(&create, paper.clone()).await.created();
    assert_eq!(
        (&entered["inside"]["channel"], &entered["state"]),
        (&json!("paper"), &json!("submitted"))
    );
    let path = format!("/v1/initiatives/{}", entered["id"].as_str().unwrap());
    let history = world.agent.get(&format!("{path}/history")).await.ok();
    assert_eq!(
        (
            &history["data"][0]["actor_role"],
            &history["data"][0]["on_behalf"]
        ),
        (&json!("agent"), &json!(true))
    );
    world
        .official
        .act(
            &path,
            "quick_accept",
            json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue."}),
        )
        .await
        .ok();
    paper["building_work"] = json!(true);
    let built = world.agent.post(&create, paper.clone()).await.created();
    let path = format!("/v1/initiatives/{}", built["id"].as_str().unwrap());
    let yes = json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue."});
    world
        .official
        .act(&path, "quick_accept", yes)
        .await
        .problem(409, "requirement_missing");

    // A draft that is withdrawn is never public.
    paper["submit"] = json!(false);
    let draft = world.agent.post(&create, paper).await.created();
    let path = format!("/v1/initiatives/{}", draft["id"].as_str().unwrap());
    let withdrawn = world.agent.act(&path, "withdraw", json!({})).await.ok();
    assert!(!actions(&withdrawn).contains(&"publish"));
    world
        .agent
        .act(&path, "publish", json!(null))
        .await
        .problem(409, "requirement_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_what_the_code_would_not_do() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = in_review(&world).await;
    let id = path.rsplit('/').next().unwrap();
    let attacks = [
        (format!("UPDATE initiatives SET state = 'closed' WHERE id = '{id}'"), "lifecycle_transition"),
        (format!("UPDATE initiatives SET state = 'nonsense' WHERE id = '{id}'"), "lifecycle_transition"),
        (format!("UPDATE initiatives SET commune_code = '{LENS}' WHERE id = '{id}'"), "initiatives_id_carries_commune"),
        (format!("UPDATE initiatives SET holder_id = NULL WHERE id = '{id}'"), "initiatives_complete_when_submitted"),
        (format!("UPDATE initiatives SET latitude = 91 WHERE id = '{id}'"), "initiatives_latitude"),
        (format!("UPDATE initiatives SET latitude = NULL WHERE id = '{id}'"), "initiatives_location_whole"),
        (format!("UPDATE initiatives SET host_id = holder_id WHERE id = '{id}'"), "initiatives_host_is_another"),
        (format!("UPDATE initiatives SET channel = 'paper' WHERE id = '{id}'"), "initiatives_on_behalf"),
        (format!("UPDATE initiatives SET reply_paused_on = '2026-01-01' WHERE id = '{id}'"), "initiatives_clock_pauses"),
        ("UPDATE events SET reason = 'x'".to_owned(), "events_append_only"),
        ("DELETE FROM events".to_owned(), "events_append_only"),
        ("TRUNCATE events".to_owned(), "events_append_only"),
        (format!("INSERT INTO endorsements VALUES ('{id}', '{LOOS}', '{0}', now()), ('{id}', '{LOOS}', '{0}', now())", world.camille.id()), "endorsements_pkey"),
        (format!("INSERT INTO endorsements VALUES ('{id}', '{LENS}', '{}', now())", world.camille.id()), "endorsements_initiative_id_commune_code_fkey"),
        (format!("INSERT INTO participations (initiative_id, commune_code, user_id, started_at) VALUES
            ('{id}', '{LOOS}', '{0}', now()), ('{id}', '{LOOS}', '{0}', now() + interval '1 second')", world.camille.id()), "participations_one_active"),
        (format!("INSERT INTO initiatives (id, commune_code, state, origin, delivery, title, author_id, channel, state_changed_at, created_at, folded_text)
            SELECT id, commune_code, 'accepted', origin, delivery, title, author_id, channel, now(), now(), '' FROM initiatives WHERE id = '{id}'"), "lifecycle_start"),
        (format!("INSERT INTO decisions SELECT '{}', '{LOOS}', '{id}', 'accepted', 'x', m.id, m.user_id, '2019-01-01', now(), 'x' FROM mandates AS m WHERE user_id = '{}'",
            fifty_fifty::ids::DecisionId::new(LOOS, app.state.clock.now()).unwrap(), world.mayor.id()), "decisions_mandate_held"),
        (format!("INSERT INTO decisions SELECT '{}', '{LOOS}', '{id}', 'accepted', 'x', m.id, m.user_id, '2026-01-01', now(), 'x' FROM mandates AS m WHERE user_id = '{}'",
            fifty_fifty::ids::DecisionId::new(LOOS, app.state.clock.now()).unwrap(), world.agent.id()), "decisions_mandate_held"),
        (format!("UPDATE mandates SET may_sign = true WHERE user_id = '{}'", world.agent.id()), "mandates_agents_never_sign"),
        (format!("UPDATE users SET birth_on = '2015-01-01' WHERE id = '{}'", world.camille.id()), "users_at_least_15"),
        ("UPDATE communes SET code = '9Z999' WHERE code = '01001'".to_owned(), "communes_code_is_insee"),
    ];
    for (sql, constraint) in attacks {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(constraint), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blanks_are_no_reason() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = in_review(&world).await;
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    world.agent.act(&path, "give_opinion", opinion).await.ok();
    for action in ["accept", "refuse"] {
        for blank in [" ", "\t\n", "\u{a0}\u{2003}"] {
            let refused = world
                .official
                .act(&path, action, json!({"reason": blank}))
                .await;
            assert_eq!(refused.pointers(), ["#/reason"], "{action} {blank:?}");
            refused.problem(422, "invalid_body");
        }
    }
    // So it is with every text of a request that must not be empty.
    let document = fifty_fifty::openapi::document(None);
    let mut texts = 0;
    let bodies: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .filter_map(|operation| {
            let content = operation["requestBody"]["content"].as_object()?;
            content.values().next()?["schema"]["$ref"].as_str()
        })
        .map(|reference| reference.rsplit('/').next().unwrap())
        .collect();
    for name in bodies {
        let schema = &document["components"]["schemas"][name];
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            if property["minLength"].as_u64() > Some(0) && property["enum"].is_null() {
                let is_limited = property["pattern"].is_string() || property["format"].is_string();
                assert!(is_limited, "{name}/{field}: {property}");
                texts += 1;
            }
        }
    }
    assert!(texts > 50, "{texts}");
}
