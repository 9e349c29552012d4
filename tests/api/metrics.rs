//! Figures: every one of them follows from the rows that the test wrote.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::TestApp;
use crate::support::app::{LENS, LOOS, World};
use crate::support::rows::Initiative;

/// An initiative of a new holder of this kind, submitted at 10:00 in the morning.
async fn initiative(
    app: &TestApp,
    world: &World,
    commune: &str,
    day: &str,
    published: bool,
) -> Uuid {
    let holder = app.holder_row(commune, "association", None).await;
    let submitted_at = format!("{day}T10:00:00Z");
    app.initiative_row(Initiative {
        commune,
        state: "in_review",
        holder,
        author: world.camille.id(),
        submitted_at: &submitted_at,
        published,
    })
    .await
}

async fn moved(app: &TestApp, id: Uuid, from: &str, to: &str, day: &str) {
    let event = app.row_id(LOOS);
    app.write_rows(&format!(
        "INSERT INTO events (id, commune_code, initiative_id, subject, subject_id, action, from_state, to_state, \
            actor_role, visibility, at) \
         VALUES ('{event}', '{LOOS}', '{id}', 'initiative', '{id}', 'x', '{from}', '{to}', 'clock', 'public', \
            '{day}T10:00:00Z')"
    ))
    .await;
}

async fn decided(app: &TestApp, world: &World, id: Uuid, outcome: &str, day: &str) {
    let decision = app.row_id(LOOS);
    app.write_rows(&format!(
        "INSERT INTO decisions (id, commune_code, initiative_id, outcome, reason, mandate_id, decided_by, decided_on, \
            decided_at, capacity) \
         VALUES ('{decision}', '{LOOS}', '{id}', '{outcome}', 'x', '{id}', '{}', '{day}', '{day}T10:00:00Z', 'Maire'); \
         UPDATE initiatives SET state = '{outcome}', decided_at = '{day}T10:00:00Z' WHERE id = '{id}'",
        world.mayor.id()
    ))
    .await;
}

/// A signed convention that binds these commitments: side, kind, quantity (or cents for money) and unit value.
async fn agreed(
    app: &TestApp,
    world: &World,
    id: Uuid,
    days: [&str; 2],
    commitments: &[(&str, &str, i64, i64)],
) -> Vec<Uuid> {
    let (convention, user) = (app.row_id(LOOS), world.agent.id());
    let [from, to] = days;
    let mut sql = format!(
        "INSERT INTO conventions (id, commune_code, root_id, number, initiative_id, holder_id, state, object, \
            starts_on, ends_on, content, content_sha256, activated_at, created_by, state_changed_at, created_at) \
         VALUES ('{convention}', '{LOOS}', '{convention}', 1, '{id}', '{id}', 'active', 'x', '{from}', '{to}', '{{}}', \
            repeat('0', 64), '{from}T10:00:00Z', '{user}', '{from}T10:00:00Z', '{from}T10:00:00Z');"
    );
    let mut ids = Vec::new();
    for (side, kind, quantity, unit_value) in commitments {
        let commitment = app.row_id(LOOS);
        let (money, things) = if *kind == "financial" {
            (quantity.to_string(), "NULL, NULL, NULL, NULL".to_owned())
        } else {
            let things = format!("{quantity}, 'Heures', {unit_value}, 'hourly_rate'");
            ("NULL".to_owned(), things)
        };
        let third_party = if *side == "third_party" {
            "'Une entreprise'"
        } else {
            "NULL"
        };
        let (route, year) = match (*side, *kind) {
            ("commune", "financial") => ("'purchase'", "2026"),
            ("commune", _) => ("'in_kind'", "NULL"),
            _ => ("NULL", "NULL"),
        };
        sql.push_str(&format!(
            "INSERT INTO commitments (id, commune_code, initiative_id, side, kind, state, title, amount_cents, quantity, \
                unit, unit_value_cents, valuation_method, third_party_name, route, budget_year, due_on, proposed_side, proposed_by, state_changed_at, \
                created_at) \
             VALUES ('{commitment}', '{LOOS}', '{id}', '{side}', '{kind}', 'binding', 'x', {money}, {things}, {third_party}, {route}, \
                {year}, '{to}', 'commune', '{user}', '{from}T10:00:00Z', '{from}T10:00:00Z'); \
             INSERT INTO convention_commitments (convention_id, commitment_id, commune_code) \
             VALUES ('{convention}', '{commitment}', '{LOOS}');"
        ));
        ids.push(commitment);
    }
    app.write_rows(&sql).await;
    ids
}

async fn done(
    app: &TestApp,
    world: &World,
    commitment: Uuid,
    state: &str,
    day: &str,
    how_much: (&str, i64),
    value: i64,
) {
    let (id, user) = (app.row_id(LOOS), world.agent.id());
    let (column, amount) = how_much;
    app.write_rows(&format!(
        "INSERT INTO fulfilments (id, commune_code, commitment_id, state, done_on, {column}, value_cents, evidence, \
            recorded_by, recorded_side, recorded_at) \
         VALUES ('{id}', '{LOOS}', '{commitment}', '{state}', '{day}', {amount}, {value}, 'x', '{user}', 'holder', \
            '{day}T10:00:00Z')"
    ))
    .await;
}

/// The answer for one commune and year, as indicator → value.
fn year(report: &Value, commune: usize, year: i32) -> &Value {
    report["territories"][commune]["periods"]
        .as_array()
        .unwrap()
        .iter()
        .find(|figures| figures["code"].as_str() == Some(&year.to_string()))
        .unwrap()
}

fn metric<'a>(figures: &'a Value, indicator: &str) -> &'a Value {
    figures["values"]
        .as_array()
        .unwrap()
        .iter()
        .find(|value| value["indicator"] == indicator)
        .unwrap_or_else(|| panic!("no {indicator}"))
}

fn value(figures: &Value, indicator: &str) -> Value {
    metric(figures, indicator)["value"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_from_idea_to_decision_is_counted() {
    let app = TestApp::new().await;
    let world = app.world().await;
    // Five of 2025, answered after 2, 4, 6, 8 and 30 days.
    for days in [2, 4, 6, 8, 30] {
        let id = initiative(&app, &world, LOOS, "2025-03-01", true).await;
        app.write_rows(&format!(
            "UPDATE initiatives SET first_reply_at = submitted_at + interval '{days} days' WHERE id = '{id}'"
        ))
        .await;
        decided(&app, &world, id, "accepted", "2025-04-10").await;
    }
    // One of the last night of 2025 in UTC, which is 2026 in Paris: refused after 70 days, 10 too late.
    let late = initiative(&app, &world, LOOS, "2026-01-01", true).await;
    app.write_rows(&format!(
        "UPDATE initiatives SET submitted_at = '2025-12-31T23:30:00Z' WHERE id = '{late}'"
    ))
    .await;
    decided(&app, &world, late, "refused", "2026-03-12").await;
    // Hidden ones count as submitted and overdue, nowhere else.
    let hidden = initiative(&app, &world, LOOS, "2026-01-10", false).await;
    decided(&app, &world, hidden, "accepted", "2026-06-01").await;
    initiative(&app, &world, LOOS, "2026-06-01", false).await;
    let paused = initiative(&app, &world, LOOS, "2026-02-01", true).await;
    app.write_rows(&format!(
        "UPDATE initiatives SET state = 'changes_requested', reply_paused_on = '2026-02-20' WHERE id = '{paused}'"
    ))
    .await;
    let elsewhere = initiative(&app, &world, LOOS, "2026-05-01", true).await;
    moved(&app, elsewhere, "in_review", "redirected", "2026-05-20").await;
    app.write_rows(&format!(
        "UPDATE initiatives SET state = 'redirected', state_changed_at = '2026-05-20T10:00:00Z' WHERE id = '{elsewhere}'"
    ))
    .await;

    let report = world
        .anyone
        .get(&format!("/v1/metrics?communes={LOOS}&from=2025&to=2026"))
        .await;
    assert!(report.header("cache-control").starts_with("public"));
    let report = report.ok();
    let (before, now) = (year(&report, 0, 2025), year(&report, 0, 2026));
    let pairs = [
        ("initiatives_submitted", "5", "5"),
        ("initiatives_accepted", "5", "0"),
        ("initiatives_refused", "0", "1"),
        ("initiatives_redirected", "0", "1"),
        ("replies_overdue", "0", "2"),
    ];
    for (indicator, then, today) in pairs {
        assert_eq!(value(before, indicator), then, "{indicator} of 2025");
        assert_eq!(value(now, indicator), today, "{indicator} of 2026");
    }
    assert_eq!(
        *metric(before, "days_to_first_reply"),
        json!({"indicator": "days_to_first_reply", "group": null, "value": "6", "per_1000_residents": null, "n": 5,
            "pooled_years": null, "parts": []})
    );
    // One decision in 2026 is too few: with those of 2025 the middle is 40 days.
    assert_eq!(
        *metric(now, "days_to_decision"),
        json!({"indicator": "days_to_decision", "group": null, "value": "40", "per_1000_residents": null, "n": 6,
            "pooled_years": [2024, 2025, 2026], "parts": []})
    );
    // Holders of published initiatives by kind.
    assert_eq!(
        metric(now, "holders")["parts"],
        json!([{"code": "association", "value": "3"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_counted_at_the_end_of_the_year() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let done = initiative(&app, &world, LOOS, "2024-02-01", true).await;
    let given_up = initiative(&app, &world, LOOS, "2024-02-01", true).await;
    let going_on = initiative(&app, &world, LOOS, "2024-02-01", true).await;
    for (id, started) in [
        (done, "2024-06-01"),
        (given_up, "2025-01-10"),
        (going_on, "2026-01-10"),
    ] {
        decided(&app, &world, id, "accepted", "2024-04-01").await;
        moved(&app, id, "in_review", "accepted", "2024-04-01").await;
        moved(&app, id, "accepted", "in_progress", started).await;
    }
    moved(&app, done, "in_progress", "completed", "2025-05-01").await;
    moved(&app, given_up, "in_progress", "abandoned", "2026-02-01").await;
    agreed(&app, &world, done, ["2024-06-01", "2025-12-30"], &[]).await;
    agreed(&app, &world, given_up, ["2025-01-10", "2027-12-31"], &[]).await;
    let ended = agreed(
        &app,
        &world,
        going_on,
        ["2026-01-10", "2028-12-31"],
        &[("holder", "labour", 1, 1)],
    )
    .await;
    assert_eq!(ended.len(), 1);
    app.write_rows(&format!(
        "UPDATE conventions SET state = 'terminated', ended_at = '2026-02-01T10:00:00Z', effective_on = '2026-03-01' \
         WHERE initiative_id = '{given_up}'"
    ))
    .await;

    let path = format!(
        "/v1/metrics?communes={LOOS}&from=2024&to=2026&indicators=initiatives_in_progress,initiatives_completed,\
         initiatives_abandoned,conventions_signed,conventions_active,days_to_signature"
    );
    let report = world.anyone.get(&path).await.ok();
    for (of, in_progress, completed, abandoned, signed, active) in [
        (2024, "1", "0", "0", "1", "1"),
        (2025, "1", "1", "0", "1", "1"),
        (2026, "1", "0", "1", "1", "1"),
    ] {
        let figures = year(&report, 0, of);
        assert_eq!(
            value(figures, "initiatives_in_progress"),
            in_progress,
            "{of}"
        );
        assert_eq!(value(figures, "initiatives_completed"), completed, "{of}");
        assert_eq!(value(figures, "initiatives_abandoned"), abandoned, "{of}");
        assert_eq!(value(figures, "conventions_signed"), signed, "{of}");
        assert_eq!(value(figures, "conventions_active"), active, "{of}");
        assert_eq!(figures["values"].as_array().unwrap().len(), 6);
    }
    // 61, 284 and 649 days after the acceptance on 1 April 2024.
    let delay = metric(year(&report, 0, 2026), "days_to_signature");
    assert_eq!((&delay["value"], &delay["n"]), (&json!("284"), &json!(3)));
    let delay = metric(year(&report, 0, 2024), "days_to_signature");
    assert_eq!((&delay["value"], &delay["n"]), (&json!("61"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_contributions_and_savings_are_valued() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let id = initiative(&app, &world, LOOS, "2025-02-01", true).await;
    let hidden = initiative(&app, &world, LOOS, "2025-02-01", false).await;
    let terms = [
        ("commune", "financial", 3_000_000, 0),
        ("holder", "labour", 120, 1_500),
        ("third_party", "material", 2, 50_000),
    ];
    let days = ["2025-06-01", "2027-06-01"];
    let bound = agreed(&app, &world, id, days, &terms).await;
    let concealed = agreed(&app, &world, hidden, days, &terms).await;
    for bound in [&bound, &concealed] {
        done(
            &app,
            &world,
            bound[0],
            "acknowledged",
            "2025-07-01",
            ("amount_cents", 1_000_000),
            1_000_000,
        )
        .await;
        done(
            &app,
            &world,
            bound[0],
            "acknowledged",
            "2026-02-01",
            ("amount_cents", 500_000),
            500_000,
        )
        .await;
        done(
            &app,
            &world,
            bound[1],
            "acknowledged",
            "2026-02-01",
            ("quantity", 80),
            120_000,
        )
        .await;
        done(
            &app,
            &world,
            bound[1],
            "recorded",
            "2026-03-01",
            ("quantity", 10),
            15_000,
        )
        .await;
        done(
            &app,
            &world,
            bound[2],
            "acknowledged",
            "2026-04-01",
            ("quantity", 2),
            100_000,
        )
        .await;
    }
    for (initiative, author) in [(id, world.agent.id()), (hidden, world.agent.id())] {
        let evaluation = app.row_id(LOOS);
        app.write_rows(&format!(
            "INSERT INTO evaluations (id, commune_code, initiative_id, summary, reference_cost_cents, \
                municipal_cost_cents, staff_minutes, staff_cost_cents, official_minutes, method, source, created_by, \
                created_at, worded_at, agreed_at, validated_by, validated_at) \
             VALUES ('{evaluation}', '{LOOS}', '{initiative}', 'x', 10000000, 3000000, 2430, 120000, 100, 'x', 'x', \
                '{author}', '2025-12-01T10:00:00Z', '2025-12-01T10:00:00Z', '2026-01-04T10:00:00Z', '{}', '2026-01-05T10:00:00Z')",
            world.mayor.id()
        ))
        .await;
    }

    let report = world
        .anyone
        .get(&format!("/v1/metrics?communes={LOOS}&from=2025&to=2026"))
        .await
        .ok();
    let (before, now) = (year(&report, 0, 2025), year(&report, 0, 2026));
    let promised = metric(before, "value_promised_by_side");
    assert_eq!(promised["value"], "3280000");
    assert_eq!(
        promised["parts"],
        json!([{"code": "commune", "value": "3000000"}, {"code": "holder", "value": "180000"},
            {"code": "third_party", "value": "100000"}])
    );
    assert_eq!(
        metric(before, "value_promised_by_kind")["parts"],
        json!([{"code": "financial", "value": "3000000"}, {"code": "labour", "value": "180000"},
            {"code": "material", "value": "100000"}])
    );
    assert_eq!(value(now, "value_promised_by_side"), "0");
    assert_eq!(
        metric(now, "value_delivered_by_side")["parts"],
        json!([{"code": "commune", "value": "500000"}, {"code": "holder", "value": "120000"},
            {"code": "third_party", "value": "100000"}])
    );
    assert_eq!(value(now, "value_delivered_by_kind"), "720000");
    // Of 3,280,000 promised 1,720,000 were delivered so far, by three commitments.
    let rate = metric(before, "fulfilment_rate");
    assert_eq!(
        (&rate["value"], &rate["n"], &rate["pooled_years"]),
        (&json!("0.5244"), &json!(3), &json!([2023, 2024, 2025]))
    );
    // 220,000 of 1,720,000 in both years together.
    let share = metric(now, "residents_share");
    assert_eq!(
        (&share["value"], &share["n"]),
        (&json!("0.1279"), &json!(4))
    );
    let population = report["territories"][0]["population"].as_f64().unwrap();
    let per_resident = format!("{:.2}", 500_000.0 / population);
    for (indicator, expected) in [
        ("volunteer_hours", "80"),
        ("volunteer_value", "120000"),
        ("municipal_spending", "500000"),
        ("municipal_spending_per_resident", per_resident.as_str()),
        ("staff_hours", "40.5"),
        ("official_hours", "1.67"),
        ("savings", "6880000"),
        ("savings_rate", "0.688"),
    ] {
        assert_eq!(value(now, indicator), expected, "{indicator}");
    }
    assert_eq!(value(before, "savings"), "0");
    assert_eq!(value(before, "savings_rate"), json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_counted_without_their_names() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let tracks = initiative(&app, &world, LOOS, "2026-02-01", true).await;
    let planters = initiative(&app, &world, LOOS, "2026-02-01", true).await;
    let hidden = initiative(&app, &world, LOOS, "2026-02-01", false).await;
    for id in [tracks, planters, hidden] {
        for (person, day) in [
            (&world.camille, "2026-03-01"),
            (&world.dominique, "2026-04-01"),
        ] {
            app.write_rows(&format!(
                "INSERT INTO participations (initiative_id, commune_code, user_id, started_at) \
                 VALUES ('{id}', '{LOOS}', '{0}', '{day}T10:00:00Z'); \
                 INSERT INTO endorsements (initiative_id, commune_code, user_id, created_at) \
                 VALUES ('{id}', '{LOOS}', '{0}', '{day}T10:00:00Z')",
                person.id()
            ))
            .await;
        }
        for (day, band, people) in [
            ("2026-03-01", "11_14", 9),
            ("2026-03-08", "11_14", 14),
            ("2026-03-08", "30_59", 3),
        ] {
            app.write_rows(&format!(
                "INSERT INTO headcounts (initiative_id, commune_code, counted_on, age_band, people, recorded_by) \
                 VALUES ('{id}', '{LOOS}', '{day}', '{band}', {people}, '{}')",
                world.agent.id()
            ))
            .await;
        }
        let mut meeting = json!({"title": "Réunion", "held_on": "2026-03-01", "attendance": 40});
        meeting["initiative_id"] = json!(id);
        let path = format!("/v1/communes/{LOOS}/meetings");
        world.agent.post(&path, meeting).await.created();
    }
    let meeting = json!({"title": "Réunion", "held_on": "2026-04-01"});
    let path = format!("/v1/communes/{LOOS}/meetings");
    world.agent.post(&path, meeting).await.created();
    let measure = json!({"value": "73", "unit": "associations", "source": "Annuaire"});
    let path = format!("/v1/communes/{LOOS}/measures/number_of_associations/2026");
    world.mayor.put(&path, measure).await.created();

    let report = world
        .anyone
        .get(&format!("/v1/metrics?communes={LENS},{LOOS}"))
        .await
        .ok();
    assert_eq!(
        report["territories"][1]["territory"]["name"],
        "Loos-en-Gohelle"
    );
    let (lens, loos) = (year(&report, 0, 2026), year(&report, 1, 2026));
    for (indicator, expected) in [
        ("participants", "2"),
        ("endorsements", "4"),
        ("public_meetings", "3"),
        ("attendance", "80"),
        ("headcounts", "34"),
        ("holders", "2"),
    ] {
        assert_eq!(value(loos, indicator), expected, "{indicator}");
        assert_eq!(value(lens, indicator), "0", "{indicator}");
    }
    assert_eq!(
        metric(loos, "headcounts")["parts"],
        json!([{"code": "11_14", "value": "28"}, {"code": "unknown", "value": "6"}])
    );
    assert_eq!(
        loos["measures"],
        json!([{"indicator": "number_of_associations", "value": "73", "unit": "associations", "source": "Annuaire"}])
    );
    assert_eq!(lens["measures"], json!([]));
    let only = world
        .anyone
        .get(&format!("/v1/metrics?communes={LOOS}&indicators=measures"))
        .await
        .ok();
    let figures = year(&only, 0, 2026);
    assert_eq!(figures["values"], json!([]));
    assert_eq!(figures["measures"], loos["measures"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_questions_name_the_parameter() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    let many = vec![LOOS; 21].join(",");
    for (query, parameter) in [
        ("", "communes"),
        ("communes=99999", "communes"),
        ("communes=", "communes"),
        (&*format!("communes={many}"), "communes"),
        ("communes=62528&indicators=happiness", "indicators"),
        ("communes=62528&to=2027", "to"),
        ("communes=62528&from=2026&to=2025", "from"),
        ("communes=62528&from=2014&to=2026", "from"),
        ("communes=62528&year=2026", "year"),
    ] {
        let reply = anyone.get(&format!("/v1/metrics?{query}")).await;
        assert_eq!(reply.pointers(), [parameter], "{query}");
        reply.problem(400, "invalid_query");
    }
    // A village destroyed in 1916 has nobody to divide by.
    let village = "/v1/metrics?communes=55050&indicators=municipal_spending_per_resident";
    let report = anyone.get(village).await.ok();
    assert_eq!(report["territories"][0]["population"], 0);
    assert_eq!(
        report["territories"][0]["periods"][0]["values"][0]["value"],
        json!(null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dictionary_defines_every_figure() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    let dictionary = anyone.get("/v1/metrics/dictionary").await.ok();
    let lists = anyone.get("/v1/reference").await.ok();
    let codes: Vec<&Value> = dictionary["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|indicator| indicator["kind"] != "reported")
        .map(|indicator| &indicator["code"])
        .collect();
    let report = anyone
        .get(&format!("/v1/metrics?communes={LOOS}"))
        .await
        .ok();
    let served: Vec<&Value> = year(&report, 0, 2026)["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| &value["indicator"])
        .collect();
    assert_eq!(codes, served);
    let known = |name: &Value| {
        let lists = lists["data"].as_array().unwrap();
        lists.iter().any(|list| list["name"] == *name)
    };
    // The lists of commitments come with commitments.
    for indicator in dictionary["data"].as_array().unwrap() {
        let list = &indicator["breakdown"];
        let elsewhere = ["sides", "commitment_kinds"].contains(&list.as_str().unwrap_or_default());
        assert!(list.is_null() || elsewhere || known(list), "{list}");
    }
}
