//! People join holders, leave them, and hand them over; exactly one leads.

use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::{Value, json};

use crate::holders::{HOLDERS, having_read, holder, path};
use crate::support::TestApp;
use crate::support::client::{Client, Reply};

/// What a lead does, from the version that the holder has now.
async fn act(lead: &Client, holder: &str, action: &str, body: Value) -> Reply {
    let lead = having_read(lead, holder).await;
    lead.post(&format!("{holder}/{action}"), body).await
}

async fn accept(lead: &Client, holder: &str, member: &Client) -> Value {
    member.post(&format!("{holder}/join"), json!({})).await.ok();
    let action = format!("members/{}/accept", member.id());
    act(lead, holder, &action, json!({})).await.ok()
}

/// An association that Camille leads.
async fn association(camille: &Client) -> String {
    let made = camille
        .post(HOLDERS, holder("association", "Les Jardins"))
        .await;
    path(&made.created())
}

async fn states(reader: &Client, holder: &str, query: &str) -> Vec<String> {
    let page = reader.get(&format!("{holder}/members{query}")).await.ok();
    let mut members: Vec<String> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| {
            let word = |field: &str| member[field].as_str().unwrap().to_owned();
            let name = member["person"]["display_name"].as_str().unwrap();
            format!("{name} {} {}", word("state"), word("role"))
        })
        .collect();
    members.sort_unstable();
    members
}

#[tokio::test(flavor = "multi_thread")]
async fn from_asking_to_leaving() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = association(&world.camille).await;
    let (join, leave) = (format!("{path}/join"), format!("{path}/leave"));
    let member = |action: &str| format!("{path}/members/{}{action}", world.dominique.id());

    world
        .anyone
        .post(&join, json!({}))
        .await
        .problem(401, "unauthorized");
    let asked = world.dominique.post(&join, json!({})).await.ok();
    assert_eq!(
        (&asked["state"], &asked["role"], &asked["may_sign"]),
        (&json!("requested"), &json!("member"), &json!(false))
    );
    world
        .dominique
        .post(&join, json!({}))
        .await
        .problem(409, "already_exists");
    world
        .camille
        .post(&join, json!({}))
        .await
        .problem(409, "already_exists");
    // Who asks is no member yet: nothing private, no members' names.
    let seen = world.dominique.get(&path).await.ok();
    assert_eq!(
        (
            &seen["private"],
            &seen["allowed_actions"],
            &seen["members_count"]
        ),
        (&json!(null), &json!(["leave"]), &json!(1))
    );
    let members = format!("{path}/members");
    for outsider in [&world.dominique, &world.foreign_agent, &world.admin] {
        outsider.get(&members).await.problem(403, "forbidden");
    }
    world
        .anyone
        .get(&members)
        .await
        .problem(401, "unauthorized");
    for inside in [&world.camille, &world.agent, &world.mayor] {
        assert_eq!(
            states(inside, &path, "").await,
            ["camille active lead", "dominique requested member"]
        );
    }
    assert_eq!(
        states(&world.agent, &path, "?state=requested").await,
        ["dominique requested member"]
    );
    let mine = world.dominique.get("/v1/me/holders").await.ok();
    assert_eq!(mine["data"][0]["membership"]["state"], "requested");

    // The lead decides, from the version that they have read.
    for refused in [&world.dominique, &world.agent, &world.mayor] {
        let refused = having_read(refused, &path).await;
        for action in ["/accept", "/remove"] {
            refused
                .post(&member(action), json!({}))
                .await
                .problem(403, "forbidden");
        }
    }
    world
        .camille
        .post(&member("/accept"), json!({}))
        .await
        .problem(428, "precondition_required");
    let reply = act(
        &world.camille,
        &path,
        &format!("members/{}/accept", world.official.id()),
        json!({}),
    )
    .await;
    reply.problem(404, "not_found");
    let lead = having_read(&world.camille, &path).await;
    let promoted = lead.post(&member("/accept"), json!({"role": "lead"})).await;
    assert_eq!(promoted.pointers(), ["#/role"]);
    let accepted = lead
        .post(&member("/accept"), json!({"may_sign": true}))
        .await;
    let next = world.camille.with("if-match", accepted.header("etag"));
    let accepted = accepted.ok();
    assert_eq!(
        (&accepted["state"], &accepted["role"], &accepted["may_sign"]),
        (&json!("active"), &json!("member"), &json!(true))
    );
    let again = lead.post(&member("/accept"), json!({})).await;
    assert_eq!(again.problem(409, "wrong_state")["state"], "active");
    lead.patch(&member(""), json!({"may_sign": false}))
        .await
        .problem(412, "stale_version");
    // The answer carries the version to go on from.
    let changed = next.patch(&member(""), json!({"may_sign": false})).await;
    assert_eq!(changed.ok()["may_sign"], false);
    let seen = world.dominique.get(&path).await.ok();
    assert_eq!(seen["private"]["contact_email"], "secret@example.org");
    assert_eq!(seen["members_count"], 2);
    let selfish = having_read(&world.dominique, &path).await;
    selfish
        .patch(&member(""), json!({"may_sign": true}))
        .await
        .problem(403, "forbidden");

    // A lead of others does not just go, and is not removed.
    world
        .camille
        .post(&leave, json!({}))
        .await
        .problem(409, "requirement_missing");
    let own = format!("members/{}/remove", world.camille.id());
    act(&world.camille, &path, &own, json!({}))
        .await
        .problem(409, "requirement_missing");
    let removed = act(
        &world.camille,
        &path,
        &format!("members/{}/remove", world.dominique.id()),
        json!({}),
    )
    .await
    .ok();
    assert_eq!(removed["state"], "left");
    assert_eq!(
        world.dominique.get(&path).await.ok()["private"],
        json!(null)
    );
    let gone = having_read(&world.camille, &path).await;
    let gone = gone.post(&member("/remove"), json!({})).await;
    assert_eq!(gone.problem(409, "wrong_state")["state"], "left");
    world
        .dominique
        .post(&leave, json!({}))
        .await
        .problem(409, "requirement_missing");
    assert!(
        world.dominique.get("/v1/me/holders").await.ok()["data"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    // Who comes back asks again; who takes the request back may ask again too.
    world.dominique.post(&join, json!({})).await.ok();
    let back = world.dominique.post(&leave, json!({})).await.ok();
    assert_eq!(back["state"], "left");
    world.dominique.post(&join, json!({})).await.ok();
    world.dominique.post(&leave, json!({})).await.ok();
    assert_eq!(
        states(&world.camille, &path, "").await,
        ["camille active lead"]
    );
    assert_eq!(
        states(&world.camille, &path, "?state=left").await,
        ["dominique left member"]
    );
    // The last one may go; then the agents keep the holder.
    world.camille.post(&leave, json!({})).await.ok();
    let seen = world.agent.get(&path).await.ok();
    assert_eq!(
        (&seen["members_count"], &seen["allowed_actions"]),
        (&json!(0), &json!(["update", "join", "manage_members"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn minors_are_members_who_neither_sign_nor_lead() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = association(&world.camille).await;
    let young = app.person_born("young", "2008-06-16").await;
    young.post(&format!("{path}/join"), json!({})).await.ok();
    let member = format!("{path}/members/{}", young.id());
    let lead = having_read(&world.camille, &path).await;
    let signing = lead
        .post(&format!("{member}/accept"), json!({"may_sign": true}))
        .await;
    assert_eq!(signing.pointers(), ["#/may_sign"]);
    signing.problem(422, "invalid_body");
    lead.post(&format!("{member}/accept"), json!({})).await.ok();
    let lead = having_read(&world.camille, &path).await;
    let signing = lead.patch(&member, json!({"may_sign": true})).await;
    assert_eq!(signing.pointers(), ["#/may_sign"]);
    let to = json!({"user_id": young.id()});
    let leading = lead.post(&format!("{path}/hand_over"), to.clone()).await;
    assert_eq!(leading.pointers(), ["#/user_id"]);
    // The day of the birthday is the first of the rights.
    app.travel_to("2026-06-15T22:00:00Z");
    lead.patch(&member, json!({"may_sign": true})).await.ok();
    act(&world.camille, &path, "hand_over", to).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_joined_by_nobody() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = world
        .camille
        .post(HOLDERS, holder("person", "Camille"))
        .await;
    let path = path(&made.created());
    let join = format!("{path}/join");
    world
        .dominique
        .post(&join, json!({}))
        .await
        .problem(404, "not_found");
    world
        .agent
        .post(&join, json!({}))
        .await
        .problem(409, "requirement_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_entered_at_the_counter_finds_its_people() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut new = holder("association", "Les jardiniers");
    new["on_behalf"] = json!(true);
    let path = path(&world.agent.post(HOLDERS, new).await.created());
    let young = app.person_born("young", "2009-01-01").await;
    for asking in [&young, &world.agent, &world.dominique, &world.camille] {
        asking.post(&format!("{path}/join"), json!({})).await.ok();
    }
    let accept = |who: &Client| format!("{path}/members/{}/accept", who.id());
    for refused in [&world.dominique, &world.mayor, &world.foreign_agent] {
        let refused = refused.with("if-match", "*");
        refused
            .post(&accept(&world.dominique), json!({}))
            .await
            .problem(403, "forbidden");
    }
    let agent = having_read(&world.agent, &path).await;
    agent
        .post(&accept(&world.agent), json!({}))
        .await
        .problem(409, "conflict_of_interest");
    agent
        .post(&accept(&young), json!({}))
        .await
        .problem(409, "requirement_missing");
    let lead = agent
        .post(&accept(&world.dominique), json!({"may_sign": true}))
        .await
        .ok();
    assert_eq!(
        (&lead["role"], &lead["may_sign"]),
        (&json!("lead"), &json!(true))
    );
    // From now on the lead decides.
    let agent = having_read(&world.agent, &path).await;
    agent
        .post(&accept(&world.camille), json!({}))
        .await
        .problem(403, "forbidden");
    let dominique = having_read(&world.dominique, &path).await;
    let member = dominique
        .post(&accept(&world.camille), json!({}))
        .await
        .ok();
    assert_eq!(member["role"], "member");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_the_town_hall_is_a_member_like_any_other() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = association(&world.camille).await;
    accept(&world.camille, &path, &world.agent).await;
    let seen = world.agent.get(&path).await.ok();
    assert_eq!(seen["allowed_actions"], json!(["leave"]));
    let agent = having_read(&world.agent, &path).await;
    agent
        .patch(&path, json!({"name": "Mairie"}))
        .await
        .problem(403, "forbidden");
    world.agent.get(&format!("{path}/members")).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_hands_over_to_an_adult_member() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = association(&world.camille).await;
    let to = |person: &Client| json!({"user_id": person.id()});
    let alone = act(&world.camille, &path, "hand_over", to(&world.dominique)).await;
    alone.problem(409, "requirement_missing");
    accept(&world.camille, &path, &world.dominique).await;
    world
        .official
        .post(&format!("{path}/join"), json!({}))
        .await
        .ok();
    // Neither who only asks, nor oneself, nor who never came.
    for wrong in [&world.official, &world.camille, &world.mayor] {
        let refused = act(&world.camille, &path, "hand_over", to(wrong)).await;
        assert_eq!(refused.pointers(), ["#/user_id"]);
    }
    for refused in [&world.dominique, &world.agent, &world.official] {
        act(refused, &path, "hand_over", to(&world.dominique))
            .await
            .problem(403, "forbidden");
    }
    let hand_over = format!("{path}/hand_over");
    world
        .camille
        .post(&hand_over, to(&world.dominique))
        .await
        .problem(428, "precondition_required");
    let stale = world.camille.with("if-match", "\"1-x\"");
    stale
        .post(&hand_over, to(&world.dominique))
        .await
        .problem(412, "stale_version");
    let handed = act(&world.camille, &path, "hand_over", to(&world.dominique))
        .await
        .ok();
    assert_eq!(handed["membership"]["role"], "member");
    assert_eq!(handed["allowed_actions"], json!(["leave"]));
    assert_eq!(
        states(&world.dominique, &path, "?state=active").await,
        ["camille active member", "dominique active lead"]
    );
    world
        .camille
        .post(&format!("{path}/leave"), json!({}))
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hand_overs_at_once_one_wins() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = association(&world.camille).await;
    accept(&world.camille, &path, &world.dominique).await;
    accept(&world.camille, &path, &world.official).await;
    let lead = having_read(&world.camille, &path).await;
    // Both are let in as the lead's, and both wait for the holder.
    let mut gate = app.database().await;
    gate.batch_execute("BEGIN; SELECT FROM holders FOR UPDATE")
        .await
        .unwrap();
    let attempts = [&world.dominique, &world.official].map(|to| {
        let (lead, url, body) = (
            lead.clone(),
            format!("{path}/hand_over"),
            json!({"user_id": to.id()}),
        );
        tokio::spawn(async move { lead.post(&url, body).await })
    });
    let mut watcher = app.database().await;
    let waiting = "(SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while diesel::select(diesel::dsl::sql::<BigInt>(waiting))
        .get_result::<i64>(&mut watcher)
        .await
        .unwrap()
        < 2
    {
        tokio::task::yield_now().await;
    }
    gate.batch_execute("COMMIT").await.unwrap();
    let mut outcomes = Vec::new();
    for attempt in attempts {
        let reply = attempt.await.unwrap();
        outcomes.push(reply.status.as_u16());
        if reply.status != 200 {
            reply.problem(409, "wrong_state");
        }
    }
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409]);
    let leads = states(&world.agent, &path, "").await;
    let leads = leads.iter().filter(|member| member.ends_with("lead"));
    assert_eq!(leads.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_requests_at_once_are_one() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = association(&world.camille).await;
    let attempts = (0..20).map(|_| {
        let (dominique, url) = (world.dominique.clone(), format!("{path}/join"));
        tokio::spawn(async move { dominique.post(&url, json!({})).await })
    });
    let mut accepted = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        let reply = attempt.await.unwrap();
        if reply.status == 200 {
            accepted += 1;
        } else {
            reply.problem(409, "already_exists");
        }
    }
    assert_eq!(accepted, 1);
    assert_eq!(
        states(&world.camille, &path, "").await,
        ["camille active lead", "dominique requested member"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_and_handing_over_at_once_leave_one_lead() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for round in 0..5 {
        let made = world
            .camille
            .post(HOLDERS, holder("association", &format!("Tour {round}")))
            .await;
        let path = path(&made.created());
        accept(&world.camille, &path, &world.dominique).await;
        let lead = having_read(&world.camille, &path).await;
        let (hand_over, leave) = (format!("{path}/hand_over"), format!("{path}/leave"));
        let (handed, left) = tokio::join!(
            lead.post(&hand_over, json!({"user_id": world.dominique.id()})),
            world.dominique.post(&leave, json!({})),
        );
        // Who leaves first cannot be given the lead; who was given it cannot leave the other member.
        let statuses = (handed.status.as_u16(), left.status.as_u16());
        assert!([(200, 409), (409, 200)].contains(&statuses), "{statuses:?}");
        let leads = states(&world.agent, &path, "?state=active").await;
        let leads = leads.iter().filter(|member| member.ends_with("lead"));
        assert_eq!(leads.count(), 1);
    }
}
