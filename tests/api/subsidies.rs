//! What each body receives in a year, and what the law makes of it above 23,000 EUR.

use serde_json::{Value, json};

use crate::authorities::{deliberation, recorded};
use crate::conventions::{agree, mandate_of, planters, signing, upkeep};
use crate::initiatives::idea;
use crate::support::TestApp;
use crate::support::app::{LOOS, World};

const PATH: &str = "/v1/communes/62528/subsidies";

/// The SIRET of an establishment: its number within the body, and the digit that Luhn's sum asks for.
fn siret(body: u64, establishment: u64) -> String {
    let number = format!("{:09}{establishment:04}", 800_000_000 + body);
    let sum: u32 = number
        .chars()
        .rev()
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| {
            let counted = digit.to_digit(10).unwrap() * weight;
            counted / 10 + counted % 10
        })
        .sum();
    format!("{number}{}", (10 - sum % 10) % 10)
}

/// An association of Camille's with a SIREN of its own, or another establishment of it.
async fn association(world: &World, body: u64, establishment: u64) -> String {
    let holder = json!({"kind": "association", "name": format!("Les jardins {body}-{establishment}"),
        "siret": siret(body, establishment), "republican_commitment_on": "2022-01-10"});
    holder_of(world, holder).await
}

async fn holder_of(world: &World, holder: Value) -> String {
    let made = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/holders"), holder)
        .await
        .created();
    made["id"].as_str().unwrap().to_owned()
}

async fn envelope(world: &World) {
    let mayor = world.mayor.with("if-match", "*");
    for year in [2026, 2027] {
        let path = format!("/v1/communes/{LOOS}/envelopes/{year}");
        mayor
            .put(&path, json!({"amount_cents": 100_000_000}))
            .await
            .ok();
    }
}

fn subsidy(cents: i64, year: i32) -> Value {
    json!({"side": "commune", "kind": "financial", "title": "Aide au projet", "route": "subsidy", "amount_cents": cents,
        "budget_year": year, "due_on": "2026-09-01"})
}

/// What the commune gives in kind, worth so many euros, due on a day.
fn material(euros: i64, due_on: &str) -> Value {
    json!({"side": "commune", "kind": "material", "title": "Terre et outils", "route": "in_kind", "due_on": due_on,
        "valuation": {"quantity": euros.to_string(), "unit": "lot", "unit_value_cents": 100, "method": "real_cost"}})
}

/// An initiative of this holder whose convention holds these commitments of the commune and an upkeep; all have signed.
/// The initiative, the convention and the commitments of the commune.
async fn signed(world: &World, body: Value, helps: Vec<Value>) -> (String, String, Vec<String>) {
    let mut body = body;
    body["submit"] = json!(true);
    let made = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), body)
        .await
        .created();
    let initiative = format!("/v1/initiatives/{}", made["id"].as_str().unwrap());
    let agent = &world.agent;
    agent.act(&initiative, "start_review", json!({})).await.ok();
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    agent.act(&initiative, "give_opinion", opinion).await.ok();
    let yes = json!({"reason": "Utile à tous."});
    world.official.act(&initiative, "accept", yes).await.ok();
    let mut given = Vec::new();
    for help in helps {
        given.push(agree(world, &initiative, help).await);
    }
    agree(world, &initiative, upkeep()).await;
    let person =
        json!({"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"});
    let mut parties = json!({"commune": {"mandate_id": mandate_of(world, &world.mayor).await},
        "holder": {"user_id": world.camille.id(), "capacity": "Présidente"}});
    if !made["host"].is_null() {
        parties["host"] = person;
    }
    let number = initiative.rsplit('/').next().unwrap();
    let terms = json!({"object": "Embellir la rue", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
        "authority_id": recorded(world, deliberation(number)).await, "parties": parties});
    let reply = agent
        .post(&format!("{initiative}/conventions"), terms)
        .await;
    let convention = reply.header("location").to_owned();
    reply.created();
    let open = agent
        .act(&convention, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    if !made["host"].is_null() {
        let paper = json!({"party": "host", "content_sha256": hash, "signed_on": "2026-06-15", "paper_reference": "R1"});
        agent
            .post(&format!("{convention}/record_signature"), paper)
            .await
            .ok();
    }
    for signatory in [&world.camille, &world.mayor] {
        signatory
            .post(&format!("{convention}/sign"), signing(hash))
            .await
            .ok();
    }
    (initiative, convention, given)
}

async fn pay(world: &World, commitment: &str, done_on: &str, cents: i64) -> String {
    let paid = json!({"done_on": done_on, "amount_cents": cents, "evidence": "Mandat de paiement"});
    let made = world
        .agent
        .post(&format!("{commitment}/fulfilments"), paid)
        .await
        .created();
    format!("/v1/fulfilments/{}", made["id"].as_str().unwrap())
}

/// The items that a reader finds.
async fn found(reader: &crate::support::Client, query: &str) -> Vec<Value> {
    let page = reader.get(&format!("{PATH}{query}")).await.ok();
    page["data"].as_array().unwrap().clone()
}

fn cents(item: &Value) -> [i64; 5] {
    [
        "paid_cents",
        "owed_cents",
        "in_kind_cents",
        "total_cents",
        "twelve_months_cents",
    ]
    .map(|name| item[name].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subsidy_is_paid_under_an_active_convention_only() {
    let app = TestApp::new().await;
    let world = app.world().await;
    envelope(&world).await;
    let holder = association(&world, 1, 1).await;
    let (_, convention, given) = signed(&world, idea(&holder), vec![subsidy(100_000, 2026)]).await;
    let money = &given[0];
    let payment = |done_on: &str| json!({"done_on": done_on, "amount_cents": 10_000, "evidence": "Mandat de paiement"});
    let fulfilments = format!("{money}/fulfilments");
    // Signed on 15 June: what was paid before was paid without a convention.
    let early = world.agent.post(&fulfilments, payment("2026-06-14")).await;
    assert_eq!(early.pointers(), ["#/done_on"]);
    world
        .agent
        .post(&fulfilments, payment("2026-06-15"))
        .await
        .created();
    let reason = json!({"reason": "Le chantier est arrêté."});
    world
        .mayor
        .act(&convention, "suspend", reason.clone())
        .await
        .ok();
    let suspended = world.agent.post(&fulfilments, payment("2026-06-15")).await;
    suspended.problem(409, "requirement_missing");
    let id = money.rsplit('/').next().unwrap();
    let attack = format!(
        "INSERT INTO fulfilments (id, commune_code, commitment_id, state, done_on, amount_cents, value_cents, evidence, recorded_by,
            recorded_side, recorded_at)
         SELECT id, commune_code, id, 'recorded', '2026-06-15', 100, 100, 'x', proposed_by, 'commune', now()
         FROM commitments WHERE id = '{id}'"
    );
    let refused = Some("fulfilments_subsidy_under_active_convention");
    assert_eq!(app.attack(&attack).await.as_deref(), refused);
    world
        .mayor
        .act(&convention, "resume", reason.clone())
        .await
        .ok();
    let early = attack.replace("'2026-06-15', 100", "'2026-06-14', 100");
    assert_eq!(app.attack(&early).await.as_deref(), refused);
    world
        .agent
        .post(&fulfilments, payment("2026-06-15"))
        .await
        .created();

    // An amendment that all have signed takes over.
    let next = world
        .agent
        .act(&convention, "amend", json!({"reason": "Plus long."}))
        .await
        .created();
    let next = format!("/v1/conventions/{}", next["id"].as_str().unwrap());
    let open = world
        .agent
        .act(&next, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    for signatory in [&world.camille, &world.mayor] {
        signatory
            .post(&format!("{next}/sign"), signing(hash))
            .await
            .ok();
    }
    world
        .agent
        .post(&fulfilments, payment("2026-06-15"))
        .await
        .created();
    world.mayor.act(&next, "terminate", reason).await.ok();
    let ended = world.agent.post(&fulfilments, payment("2026-06-15")).await;
    assert_eq!(ended.status, 409, "{}", ended.text);
    assert_eq!(app.attack(&attack).await.as_deref(), refused);
    // What is not paid is not owed any more.
    let item = &found(&world.agent, "").await[0];
    assert_eq!(cents(item), [30_000, 0, 0, 30_000, 30_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_threshold_the_convention_is_published_and_a_report_follows() {
    let app = TestApp::new().await;
    let world = app.world().await;
    envelope(&world).await;
    let holder = association(&world, 1, 1).await;
    let helps = vec![
        subsidy(2_000_000, 2026),
        subsidy(500_000, 2027),
        material(3_000, "2026-12-31"),
    ];
    let (_, _, given) = signed(&world, idea(&holder), helps).await;

    // 20,000.00 EUR and 3,000.00 EUR are the threshold, not above it.
    let items = found(&world.agent, "").await;
    let years: Vec<&Value> = items.iter().map(|item| &item["year"]).collect();
    assert_eq!(years, [2027, 2026]);
    assert_eq!(cents(&items[0]), [0, 500_000, 0, 500_000, 0]);
    assert_eq!(cents(&items[1]), [0, 2_000_000, 300_000, 2_300_000, 0]);
    assert_eq!(
        (&items[1]["over_threshold"], &items[1]["publication_due_on"]),
        (&json!(false), &json!(null))
    );
    // One cent of next year's that is paid this year is.
    app.travel_to("2026-09-10T10:00:00Z");
    let first = pay(&world, &given[0], "2026-09-01", 2_000_000).await;
    let second = pay(&world, &given[1], "2026-09-09", 1).await;
    let path = format!("/v1/holders/{holder}/subsidies/2026");
    let item = world.agent.get(&path).await.ok();
    assert_eq!(cents(&item), [2_000_001, 0, 300_000, 2_300_001, 2_000_001]);
    assert_eq!(item["siren"], siret(1, 1)[..9]);
    assert_eq!(
        (
            &item["over_threshold"],
            &item["publication_due_on"],
            &item["report_due_on"]
        ),
        (&json!(true), &json!("2026-09-15"), &json!("2027-06-30"))
    );
    assert_eq!(
        (&item["to_do"], &item["late"]),
        (&json!(["publication"]), &json!([]))
    );
    let duties = async |query: &str| {
        let list = format!("/v1/communes/{LOOS}/worklist?kind=publish,report{query}");
        let list = world.agent.get(&list).await.ok();
        let items = list["data"].as_array().unwrap().clone();
        assert_eq!(
            items.len(),
            usize::from(list["counts"] != json!([])),
            "{list}"
        );
        items
            .into_iter()
            .map(|mut item| item["is_late"].take())
            .collect::<Vec<_>>()
    };
    assert_eq!(duties("").await, [json!(false)]);
    assert_eq!(duties("&days=4").await, Vec::<Value>::new());
    assert_eq!(duties("&waits_for=holder").await, Vec::<Value>::new());
    for (person, count) in [(&world.agent, 1), (&world.mayor, 0), (&world.camille, 0)] {
        let theirs = duties(&format!("&person={}", person.id())).await;
        assert_eq!(theirs.len(), count);
    }
    // Others count what was acknowledged: nothing of it yet.
    let public = world.anyone.get(&path).await;
    assert!(public.header("cache-control").starts_with("public"));
    assert_eq!(cents(&public.ok()), [0, 2_000_000, 300_000, 2_300_000, 0]);
    for payment in [&first, &second] {
        world
            .camille
            .act(payment, "acknowledge", json!(null))
            .await
            .ok();
    }
    assert_eq!(
        cents(&world.anyone.get(&path).await.ok()),
        [2_000_001, 0, 300_000, 2_300_001, 2_000_001]
    );

    // The day after, it is late; until the agent says that it is published.
    app.travel_to("2026-09-15T10:00:00Z");
    assert!(found(&world.agent, "?inbox=late").await.is_empty());
    app.travel_to("2026-09-16T10:00:00Z");
    assert_eq!(found(&world.agent, "?inbox=late").await.len(), 1);
    assert_eq!(duties("").await, [json!(true)]);
    let published = json!({"published_on": "2026-09-16"});
    world
        .agent
        .patch(&path, published.clone())
        .await
        .problem(428, "precondition_required");
    for refused in [&world.camille, &world.foreign_agent, &world.admin] {
        refused
            .edit(&path, published.clone())
            .await
            .problem(403, "forbidden");
    }
    // An official who becomes a member of the body records nothing about it.
    let joins = format!(
        "INSERT INTO holder_members (holder_id, commune_code, user_id, state, role, since) \
         VALUES ('{holder}', '{LOOS}', '{}', 'active', 'member', '2026-01-01T10:00:00Z')",
        world.official.id()
    );
    app.write_rows(&joins).await;
    world
        .official
        .edit(&path, published.clone())
        .await
        .problem(409, "conflict_of_interest");
    app.write_rows("UPDATE holder_members SET state = 'left' WHERE role = 'member'")
        .await;
    let tomorrow = json!({"published_on": "2026-09-17", "report_received_on": "2026-09-17"});
    let reply = world.agent.edit(&path, tomorrow).await;
    assert_eq!(reply.pointers(), ["#/published_on"]);
    let seen = world.agent.get(&path).await.header("etag").to_owned();
    let reply = world.agent.edit(&path, published.clone()).await.ok();
    assert_eq!(
        (&reply["published_on"], &reply["to_do"]),
        (&json!("2026-09-16"), &json!([]))
    );
    world
        .agent
        .with("if-match", &seen)
        .patch(&path, published)
        .await
        .problem(412, "stale_version");
    assert!(found(&world.agent, "?inbox=to_do").await.is_empty());
    assert_eq!(duties("").await, Vec::<Value>::new());

    // The report: asked for in January, late in July.
    app.travel_to("2027-01-01T10:00:00Z");
    let open = found(&world.agent, "?inbox=to_do").await;
    assert_eq!(
        (open.len(), &open[0]["to_do"], &open[0]["late"]),
        (1, &json!(["report"]), &json!([]))
    );
    app.travel_to("2027-06-30T10:00:00Z");
    assert!(found(&world.agent, "?inbox=late").await.is_empty());
    app.travel_to("2027-07-01T10:00:00Z");
    assert_eq!(
        found(&world.agent, "?inbox=late").await[0]["late"],
        json!(["report"])
    );
    let before = json!({"report_received_on": "2025-12-31"});
    assert_eq!(
        world.agent.edit(&path, before).await.pointers(),
        ["#/report_received_on"]
    );
    let received = json!({"report_received_on": "2027-07-01"});
    let reply = world.official.edit(&path, received).await.ok();
    assert_eq!(
        (
            &reply["published_on"],
            &reply["report_received_on"],
            &reply["late"]
        ),
        (&json!("2026-09-16"), &json!("2027-07-01"), &json!([]))
    );
    let cleared = json!({"published_on": null});
    let reply = world.agent.edit(&path, cleared).await.ok();
    assert_eq!(
        (&reply["to_do"], &reply["report_received_on"]),
        (&json!(["publication"]), &json!("2027-07-01"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_months_in_a_row_warn() {
    let app = TestApp::new().await;
    let world = app.world().await;
    envelope(&world).await;
    let holder = association(&world, 1, 1).await;
    let helps = vec![subsidy(1_200_000, 2026), subsidy(1_200_000, 2027)];
    let (_, _, given) = signed(&world, idea(&holder), helps).await;
    app.travel_to("2026-12-10T10:00:00Z");
    pay(&world, &given[0], "2026-12-09", 1_200_000).await;
    assert!(
        found(&world.agent, "")
            .await
            .iter()
            .all(|item| item["warning"] == json!(false))
    );
    app.travel_to("2027-02-10T10:00:00Z");
    pay(&world, &given[1], "2027-02-09", 1_200_000).await;
    let items = found(&world.agent, "").await;
    let warnings: Vec<_> = items
        .iter()
        .map(|item| (&item["year"], &item["warning"], &item["over_threshold"]))
        .collect();
    assert_eq!(
        warnings,
        [
            (&json!(2027), &json!(true), &json!(false)),
            (&json!(2026), &json!(false), &json!(false))
        ]
    );
    assert_eq!(items[0]["twelve_months_cents"], 2_400_000);
    assert!(found(&world.agent, "?over_threshold=true").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_who_receives_with_all_its_establishments() {
    let app = TestApp::new().await;
    let world = app.world().await;
    envelope(&world).await;
    // A host receives for a collective, and carries something itself under another number.
    let host = association(&world, 1, 1).await;
    let branch = association(&world, 1, 2).await;
    let collective = json!({"kind": "collective", "name": "Les voisins de la rue Hoche"});
    let collective = holder_of(&world, collective).await;
    // The body is shown under its first establishment; two of one millisecond come in either order.
    let body = host.clone().min(branch.clone());
    let mut hosted = idea(&collective);
    hosted["host_id"] = json!(host);
    signed(&world, hosted, vec![subsidy(2_000_000, 2026)]).await;
    signed(&world, idea(&branch), vec![subsidy(400_000, 2026)]).await;
    // Another body, and neighbours who receive planters.
    let other = association(&world, 2, 1).await;
    signed(&world, idea(&other), vec![material(500, "2026-07-15")]).await;
    signed(&world, idea(&collective), vec![planters()]).await;

    let everything = found(&world.agent, "").await;
    let mut seen: Vec<(&str, i64)> = everything
        .iter()
        .map(|item| {
            (
                item["holder"]["id"].as_str().unwrap(),
                item["total_cents"].as_i64().unwrap(),
            )
        })
        .collect();
    seen.sort_unstable();
    let mut expected = vec![
        (body.as_str(), 2_400_000),
        (collective.as_str(), 40_000),
        (other.as_str(), 50_000),
    ];
    expected.sort_unstable();
    assert_eq!(seen, expected);
    assert_eq!(found(&world.mayor, "?over_threshold=true").await.len(), 1);
    assert_eq!(found(&world.agent, "?year=2027").await.len(), 0);
    // Both numbers lead to the one body.
    for establishment in [&host, &branch] {
        let path = format!("/v1/holders/{establishment}/subsidies/2026");
        let item = world.anyone.get(&path).await.ok();
        assert_eq!(
            (&item["holder"]["id"], &item["total_cents"]),
            (&json!(body), &json!(2_400_000))
        );
    }

    // Nobody else hears of those who are no legal persons.
    for outsider in [
        &world.anyone,
        &world.camille,
        &world.foreign_agent,
        &world.admin,
    ] {
        let page = outsider.get(PATH).await;
        assert!(!page.text.contains("Hoche"), "{}", page.text);
        assert_eq!(page.ok()["data"].as_array().unwrap().len(), 2);
        outsider
            .get(&format!("/v1/holders/{collective}/subsidies/2026"))
            .await
            .problem(404, "not_found");
    }
    for nothing in [
        format!("/v1/holders/{host}/subsidies/2025"),
        format!("/v1/holders/{host}/subsidies/99999999999"),
        "/v1/holders/0190cf1c-8a5e-7c3e-9b1e-2f1d3c4b5a69/subsidies/2026".to_owned(),
    ] {
        world.agent.get(&nothing).await.problem(404, "not_found");
    }

    // Pages follow each other.
    let (mut cursor, mut count) = (String::new(), 0);
    loop {
        let page = world
            .agent
            .get(&format!("{PATH}?limit=1{cursor}"))
            .await
            .ok();
        assert_eq!(page["data"][0], everything[count]);
        count += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(count, 3);

    // Whoever is a member of the body records nothing about it.
    let join = format!(
        "INSERT INTO holder_members VALUES ('{branch}', '{LOOS}', '{}', 'active', 'member', false, now())",
        world.agent.id()
    );
    assert_eq!(app.attack(&join).await, None);
    let path = format!("/v1/holders/{branch}/subsidies/2026");
    world
        .agent
        .edit(&path, json!({"published_on": "2026-06-15"}))
        .await
        .problem(409, "conflict_of_interest");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_published_is_not_among_what_everybody_sees() {
    let app = TestApp::new().await;
    let world = app.world().await;
    envelope(&world).await;
    let holder = association(&world, 1, 1).await;
    let (initiative, ..) = signed(&world, idea(&holder), vec![subsidy(100_000, 2026)]).await;
    let path = format!("/v1/holders/{holder}/subsidies/2026");
    world.anyone.get(&path).await.ok();
    let reason = json!({"reason": "Un nom à retirer."});
    world.agent.act(&initiative, "unpublish", reason).await.ok();
    world.anyone.get(&path).await.problem(404, "not_found");
    assert!(found(&world.camille, "").await.is_empty());
    world.agent.get(&path).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_record_at_once_do_not_overwrite_each_other() {
    let app = TestApp::new().await;
    let world = app.world().await;
    envelope(&world).await;
    let holder = association(&world, 1, 1).await;
    signed(&world, idea(&holder), vec![subsidy(100_000, 2026)]).await;
    let path = format!("/v1/holders/{holder}/subsidies/2026");
    for _ in 0..10 {
        let seen = world.agent.get(&path).await.header("etag").to_owned();
        let (agent, official) = (
            world.agent.with("if-match", &seen),
            world.official.with("if-match", &seen),
        );
        let (one, other) = tokio::join!(
            agent.patch(&path, json!({"published_on": "2026-06-14"})),
            official.patch(&path, json!({"report_received_on": "2026-06-15"})),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{} {}", one.text, other.text);
    }
    for (what, refusal) in [
        (
            "report_received_on = '2025-12-31'",
            "subsidy_records_report",
        ),
        (
            "year = 1989, report_received_on = NULL",
            "subsidy_records_year",
        ),
    ] {
        let attack = format!("UPDATE subsidy_records SET {what}");
        assert_eq!(app.attack(&attack).await.as_deref(), Some(refusal));
    }
}
