//! Acts that let a commune commit: who records them, what they say, and that nothing of it changes under a signature.

use serde_json::{Value, json};

use crate::conventions::{drafted, signing};
use crate::support::TestApp;
use crate::support::app::{LENS, LOOS, World};

const PATH: &str = "/v1/communes/62528/authorities";

/// A deliberation of the council of Loos-en-Gohelle that is executory.
pub fn deliberation(number: &str) -> Value {
    json!({"kind": "deliberation", "number": number, "adopted_on": "2026-06-02", "object": "Embellir les rues",
        "subject": {"code": "7.5", "name": "Finances locales/Subventions"}, "executory_on": "2026-06-05"})
}

/// The id of an act that the agent records.
pub async fn recorded(world: &World, act: Value) -> String {
    let made = world.agent.post(PATH, act).await.created();
    made["id"].as_str().unwrap().to_owned()
}

/// A draft that rests on an act that is executory since 2026-06-05; both paths.
async fn resting(world: &World, number: &str) -> (String, String) {
    let (_, convention) = drafted(world).await;
    let act = recorded(world, deliberation(number)).await;
    let agent = world.agent.with("if-match", "*");
    agent
        .patch(&convention, json!({"authority_id": act}))
        .await
        .ok();
    (convention, format!("/v1/authorities/{act}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_town_hall_records_acts_and_everybody_reads_them() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let act = deliberation("2026-042");
    world
        .anyone
        .post(PATH, act.clone())
        .await
        .problem(401, "unauthorized");
    for refused in [&world.camille, &world.foreign_agent, &world.admin] {
        refused
            .post(PATH, act.clone())
            .await
            .problem(403, "forbidden");
    }
    world
        .agent
        .post("/v1/communes/99999/authorities", act.clone())
        .await
        .problem(404, "not_found");
    let reply = world.official.post(PATH, act.clone()).await;
    let (path, etag) = (
        reply.header("location").to_owned(),
        reply.header("etag").to_owned(),
    );
    reply.created();
    // The same act once, whoever records it; another commune has its own.
    world
        .agent
        .post(PATH, act.clone())
        .await
        .problem(409, "already_exists");
    let elsewhere = format!("/v1/communes/{LENS}/authorities");
    world.foreign_agent.post(&elsewhere, act).await.created();

    let read = world.anyone.get(&path).await;
    assert!(read.header("cache-control").starts_with("public"));
    let read = read.ok();
    assert_eq!(
        (&read["votes"], &read["budget"], &read["executory_on"]),
        (&json!(null), &json!(null), &json!("2026-06-05"))
    );
    let votes =
        json!({"council_members": 29, "cast": 27, "in_favour": 24, "against": 1, "abstained": 2});
    let patch = json!({"votes": votes, "budget": {"year": "2026/2027", "name": "Budget principal"},
        "prefecture_reference": "SPREF0627", "sent_to_prefecture_on": "2026-06-03", "published_on": "2026-06-04",
        "url": "https://www.example.org/2026-042.pdf"});
    world
        .agent
        .patch(&path, patch.clone())
        .await
        .problem(428, "precondition_required");
    for refused in [&world.camille, &world.foreign_mayor] {
        refused
            .with("if-match", "*")
            .patch(&path, patch.clone())
            .await
            .problem(403, "forbidden");
    }
    let agent = world.agent.with("if-match", &etag);
    let changed = agent.patch(&path, patch.clone()).await.ok();
    for (name, value) in patch.as_object().unwrap() {
        assert_eq!(&changed[name], value, "{name}");
    }
    agent
        .patch(&path, patch)
        .await
        .problem(412, "stale_version");
    let cleared = json!({"votes": null, "budget": null, "executory_on": null});
    let cleared = world
        .agent
        .with("if-match", "*")
        .patch(&path, cleared)
        .await
        .ok();
    assert_eq!(cleared["executory_on"], json!(null));

    // The history tells what was done, and the town hall who did it.
    let history = format!("{path}/history");
    for (reader, name) in [
        (&world.anyone, json!(null)),
        (&world.agent, json!("official")),
    ] {
        let page = reader.get(&history).await.ok();
        let actions: Vec<&Value> = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["action"])
            .collect();
        assert_eq!(actions, ["record", "update", "update"]);
        assert_eq!(page["data"][0]["actor"]["display_name"], name);
    }
    agent.delete(&path).await.problem(412, "stale_version");
    world
        .mayor
        .with("if-match", "*")
        .delete(&path)
        .await
        .expect(204);
    world.anyone.get(&path).await.problem(404, "not_found");
    world.anyone.get(&history).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_go_together_comes_at_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let wrong = json!({"kind": "mayor_order", "number": "12", "adopted_on": "2026-06-16", "object": "Un arrêté",
        "sent_to_prefecture_on": "2026-06-17", "published_on": "2026-06-10", "executory_on": "2026-06-16",
        "votes": {"council_members": 29, "cast": 27, "in_favour": 27, "against": 0, "abstained": 0}});
    let reply = world.agent.post(PATH, wrong).await;
    assert_eq!(
        reply.pointers(),
        [
            "#/adopted_on",
            "#/executory_on",
            "#/published_on",
            "#/sent_to_prefecture_on",
            "#/votes"
        ]
    );
    let mut bare = deliberation("2026-043");
    bare.as_object_mut().unwrap().remove("subject");
    assert_eq!(world.agent.post(PATH, bare).await.pointers(), ["#/subject"]);
    let mut wrong = deliberation("2026-044");
    wrong["votes"] =
        json!({"council_members": 27, "cast": 28, "in_favour": 28, "against": 0, "abstained": 0});
    wrong["budget"] = json!({"year": "2027/2026", "name": "Budget principal"});
    wrong["subject"]["code"] = json!("7.11");
    wrong["prefecture_reference"] = json!("Préfecture");
    wrong["url"] = json!("javascript:alert(1)");
    let reply = world.agent.post(PATH, wrong).await;
    assert_eq!(
        reply.pointers(),
        [
            "#/budget/year",
            "#/prefecture_reference",
            "#/subject/code",
            "#/url",
            "#/votes/cast"
        ]
    );
    // A change is held against what is there.
    let act = recorded(&world, deliberation("2026-045")).await;
    let agent = world.agent.with("if-match", "*");
    for (change, pointer) in [
        (json!({"executory_on": "2026-06-01"}), "#/executory_on"),
        (json!({"published_on": "2026-06-06"}), "#/executory_on"),
        (json!({"adopted_on": "2026-06-06"}), "#/executory_on"),
        (json!({"subject": null}), "#/subject"),
    ] {
        let reply = agent.patch(&format!("/v1/authorities/{act}"), change).await;
        assert_eq!(reply.pointers(), [pointer]);
        reply.problem(422, "invalid_body");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_page_by_day_and_filter() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for (second, number, day) in [
        (1, "a", "2026-01-15"),
        (2, "b", "2026-03-02"),
        (3, "c", "2026-03-02"),
        (4, "d", "2026-06-02"),
    ] {
        app.travel_to(&format!("2026-06-15T10:00:0{second}Z"));
        let mut act = deliberation(number);
        act["adopted_on"] = json!(day);
        recorded(&world, act).await;
    }
    recorded(
        &world,
        json!({"kind": "mayor_order", "number": "a", "adopted_on": "2026-03-02", "object": "Un arrêté"}),
    )
    .await;
    let list = async |query: &str| -> Vec<String> {
        let (mut numbers, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{PATH}?limit=2{query}{cursor}");
            let page = world.anyone.get(&path).await.ok();
            let items = page["data"].as_array().unwrap();
            numbers.extend(
                items
                    .iter()
                    .map(|act| act["number"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return numbers,
            }
        }
    };
    assert_eq!(list("").await.len(), 5);
    assert_eq!(list("&kind=deliberation").await, ["d", "c", "b", "a"]);
    assert_eq!(list("&kind=mayor_order,delegated_decision").await, ["a"]);
    let spring = "&kind=deliberation&adopted_after=2026-01-15&adopted_before=2026-06-02";
    assert_eq!(list(spring).await, ["c", "b"]);
    for wrong in ["kind=decree", "adopted_after=spring"] {
        world
            .anyone
            .get(&format!("{PATH}?{wrong}"))
            .await
            .problem(400, "invalid_query");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_under_an_act_stays_as_it_was_signed() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (convention, act) = resting(&world, "2026-042").await;
    let agent = world.agent.with("if-match", "*");
    // While it is a draft all may change; the act stays.
    agent
        .patch(&act, json!({"number": "2026-043", "executory_on": null}))
        .await
        .ok();
    agent.delete(&act).await.problem(409, "requirement_missing");
    let reply = world
        .agent
        .act(&convention, "open_for_signature", json!(null))
        .await;
    assert_eq!(reply.pointers(), ["#/authority/executory_on"]);
    reply.problem(409, "requirement_missing");
    agent
        .patch(&act, json!({"executory_on": "2026-06-20"}))
        .await
        .ok();
    let open = world
        .agent
        .act(&convention, "open_for_signature", json!(null))
        .await
        .ok();
    let content = world.agent.get(&format!("{convention}/content")).await.ok();
    assert_eq!(
        content["authority"],
        json!({"kind": "deliberation", "reference": "2026-043", "decided_on": "2026-06-02", "executory_on": "2026-06-20",
            "votes": null})
    );
    for change in [
        json!({"number": "2026-044"}),
        json!({"executory_on": "2026-06-10"}),
        json!({"kind": "framework_deliberation"}),
        json!({"votes": {"council_members": 29, "cast": 1, "in_favour": 1, "against": 0, "abstained": 0}}),
    ] {
        agent
            .patch(&act, change)
            .await
            .problem(409, "requirement_missing");
    }
    let after = json!({"url": "https://www.example.org/1", "prefecture_reference": "PREF062",
        "sent_to_prefecture_on": "2026-06-03", "published_on": "2026-06-10"});
    agent.patch(&act, after).await.ok();

    // Nobody signs before it is executory.
    let hash = open["content_sha256"].as_str().unwrap();
    let sign = format!("{convention}/sign");
    world
        .mayor
        .post(&sign, signing(hash))
        .await
        .problem(409, "requirement_missing");
    app.travel_to("2026-06-20T08:00:00Z");
    for signatory in [&world.mayor, &world.camille] {
        signatory.post(&sign, signing(hash)).await.ok();
    }
    agent
        .patch(&act, json!({"object": "Autre chose"}))
        .await
        .problem(409, "requirement_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_act_of_another_commune_carries_a_convention() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, convention) = drafted(&world).await;
    let elsewhere = format!("/v1/communes/{LENS}/authorities");
    let act = world
        .foreign_agent
        .post(&elsewhere, deliberation("2026-042"))
        .await
        .created();
    let agent = world.agent.with("if-match", "*");
    let reply = agent
        .patch(&convention, json!({"authority_id": act["id"]}))
        .await;
    assert_eq!(reply.pointers(), ["#/authority_id"]);
    let id = convention.rsplit('/').next().unwrap();
    let attack = format!(
        "UPDATE conventions SET authority_id = {} WHERE id = '{id}'",
        quoted(&act["id"])
    );
    assert_eq!(
        app.attack(&attack).await.as_deref(),
        Some("conventions_authority")
    );
}

fn quoted(id: &Value) -> String {
    format!("'{}'", id.as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_change_and_an_opening_at_once_the_content_says_what_the_act_says() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let agent = world.agent.with("if-match", "*");
    for round in 0..20 {
        let (convention, act) = resting(&world, &format!("{round}")).await;
        let changed = json!({"number": format!("{round} bis")});
        let (opened, changed) = tokio::join!(
            world
                .agent
                .act(&convention, "open_for_signature", json!(null)),
            agent.patch(&act, changed),
        );
        opened.ok();
        let content = world.agent.get(&format!("{convention}/content")).await.ok();
        let known = world.anyone.get(&act).await.ok();
        assert_eq!(content["authority"]["reference"], known["number"]);
        if changed.status == 200 {
            assert_eq!(known["number"], format!("{round} bis"));
        } else {
            changed.problem(409, "requirement_missing");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_deletion_and_a_convention_that_begins_to_rest_on_it_one_wins() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let agent = world.agent.with("if-match", "*");
    let (_, convention) = drafted(&world).await;
    for round in 0..20 {
        let act = recorded(&world, deliberation(&format!("{round}"))).await;
        let path = format!("/v1/authorities/{act}");
        let (deleted, rested) = tokio::join!(
            agent.delete(&path),
            agent.patch(&convention, json!({"authority_id": act})),
        );
        match (deleted.status.as_u16(), rested.status.as_u16()) {
            (204, 422) => assert_eq!(rested.pointers(), ["#/authority_id"]),
            (409, 200) => {}
            other => panic!("{other:?} {} {}", deleted.text, rested.text),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_record_an_act_once() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for round in 0..10 {
        let act = deliberation(&format!("{round}"));
        let (one, other) = tokio::join!(
            world.agent.post(PATH, act.clone()),
            world.official.post(PATH, act.clone()),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_what_an_act_is() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (convention, act) = resting(&world, "2026-042").await;
    let id = act.rsplit('/').next().unwrap().to_owned();
    let set = |what: &str| format!("UPDATE authorities SET {what} WHERE id = '{id}'");
    let votes = |cast: i32, members: i32, of: [i32; 3]| {
        set(&format!(
            "council_members = {members}, votes_cast = {cast}, votes_for = {}, votes_against = {}, votes_abstained = {}",
            of[0], of[1], of[2]
        ))
    };
    let attacks = [
        (set("kind = 'decree'"), "authorities_kind"),
        (
            set("commune_code = '62498'"),
            "authorities_id_carries_commune",
        ),
        (set("subject_code = '2.4'"), "authorities_subject_code"),
        (set("subject_name = NULL"), "authorities_subject_whole"),
        (
            set("subject_code = NULL, subject_name = NULL"),
            "authorities_subject_of_deliberations",
        ),
        (set("budget_year = '2026'"), "authorities_budget_whole"),
        (
            set("budget_year = '2027/2026', budget_name = 'x'"),
            "authorities_budget_year",
        ),
        (
            set("prefecture_reference = '062'"),
            "authorities_prefecture_reference",
        ),
        (set("executory_on = '2026-06-01'"), "authorities_dates"),
        (set("published_on = '2026-06-01'"), "authorities_dates"),
        (set("published_on = '2026-06-06'"), "authorities_dates"),
        (
            set("sent_to_prefecture_on = '2026-06-01'"),
            "authorities_dates",
        ),
        (
            set("sent_to_prefecture_on = '2026-06-06'"),
            "authorities_dates",
        ),
        (set("votes_cast = 3"), "authorities_votes_whole"),
        (votes(27, 29, [20, 5, 1]), "authorities_votes"),
        (votes(30, 29, [30, 0, 0]), "authorities_votes"),
        (votes(27, 29, [30, -3, 0]), "authorities_votes"),
        (
            format!(
                "{}; {}",
                votes(3, 3, [3, 0, 0]),
                set("kind = 'mayor_order'")
            ),
            "authorities_votes_of_the_council",
        ),
        (
            format!("DELETE FROM authorities WHERE id = '{id}'"),
            "conventions_authority",
        ),
    ];
    for (sql, refusal) in attacks {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(refusal), "{sql}");
    }
    let mut other = deliberation("2026-043");
    other["adopted_on"] = json!("2026-06-01");
    let other = recorded(&world, other).await;
    let twin = format!(
        "UPDATE authorities SET number = '2026-042', adopted_on = '2026-06-02' WHERE id = '{other}'"
    );
    assert_eq!(
        app.attack(&twin).await.as_deref(),
        Some("authorities_recorded_once")
    );
    assert_eq!(app.attack(&set("number = '2026-042 bis'")).await, None);
    let open = world
        .agent
        .act(&convention, "open_for_signature", json!(null))
        .await
        .ok();
    for what in [
        "number = 'x'",
        "executory_on = '2026-06-03'",
        "created_at = '2020-01-01T00:00:00Z'",
    ] {
        assert_eq!(
            app.attack(&set(what)).await.as_deref(),
            Some("authorities_rested_upon"),
            "{what}"
        );
    }
    let convention = convention.rsplit('/').next().unwrap();
    let signature = format!(
        "INSERT INTO signatures (id, commune_code, convention_id, party, method, content_sha256, identity_id, user_id, mandate_id, capacity, signed_on, signed_at)
         SELECT p.identity_id, '{LOOS}', p.convention_id, 'commune', 'simple', {}, p.identity_id, p.user_id, p.mandate_id, p.capacity, '2026-06-04', now()
         FROM convention_parties AS p WHERE p.convention_id = '{convention}' AND p.party = 'commune'",
        quoted(&open["content_sha256"])
    );
    assert_eq!(
        app.attack(&signature).await.as_deref(),
        Some("signatures_after_authority")
    );
    // What was cancelled was never signed.
    let agent = &world.agent;
    let reason = json!({"reason": "Autre forme."});
    agent
        .act(&format!("/v1/conventions/{convention}"), "cancel", reason)
        .await
        .ok();
    assert_eq!(app.attack(&set("number = 'x'")).await, None);
}
