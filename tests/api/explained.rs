//! Every figure is explained: by its records, by the communes of its territory, by its groups and its periods.

use std::collections::BTreeMap;

use bigdecimal::{BigDecimal, RoundingMode, Zero};
use fifty_fifty::metrics::worker;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{LENS, LOOS, World};
use crate::support::rows::Initiative;
use crate::support::{Client, TestApp};

const THEMES: [&str; 3] = ["agriculture", "environment", "sport"];
const KINDS: [&str; 3] = ["association", "company", "collective"];

/// Numbers that look like chance and are the same in every run (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let sides = u64::try_from(of.len()).unwrap();
        of[usize::try_from(self.below(sides)).unwrap()]
    }

    /// A day from 2024 on, and before the day of the tests.
    fn day(&mut self, year: u64) -> String {
        let month = self.below(if year == 2026 { 5 } else { 12 }) + 1;
        format!("{year}-{month:02}-{:02}", self.below(28) + 1)
    }
}

/// Initiatives of two communes at all stages, with all that hangs on them: written as rows.
pub async fn lives(app: &TestApp, world: &World, count: u64) {
    let mut dice = Dice(2026);
    let (user, mayor) = (world.agent.id(), world.mayor.id());
    let sheet = app.row_id(LOOS);
    let mut rows = format!(
        "INSERT INTO practices (id, commune_code, state, title, theme, participation_level, tags, context, objectives, approach, \
            results, contact_service, contact_address, created_by, published_at, state_changed_at, created_at, folded_text) \
         VALUES ('{sheet}', '{LOOS}', 'published', 'x', 'sport', 'citizen_led', '{{}}', 'x', 'x', 'x', 'x', 'x', 'x', '{user}', \
            '2024-01-01T10:00:00Z', '2024-01-01T10:00:00Z', '2024-01-01T10:00:00Z', 'x');"
    );
    for _ in 0..count {
        let commune = dice.one(&[LOOS, LOOS, LENS]);
        let holder = app.holder_row(commune, dice.one(&KINDS), None).await;
        let year = 2024 + dice.below(3);
        let day = dice.day(year);
        let submitted_at = format!("{day}T10:00:00Z");
        let state = dice.one(&[
            "in_review",
            "accepted",
            "in_progress",
            "completed",
            "refused",
        ]);
        let id = app
            .initiative_row(Initiative {
                commune,
                state,
                holder,
                author: world.camille.id(),
                submitted_at: &submitted_at,
                published: dice.below(5) > 0,
            })
            .await;
        let theme = dice.one(&THEMES);
        let wait = dice.below(40);
        if dice.below(3) == 0 {
            rows.push_str(&format!(
                "UPDATE initiatives SET inspired_by_practice_id = '{sheet}' WHERE id = '{id}';"
            ));
        }
        rows.push_str(&format!(
            "UPDATE initiatives SET theme = '{theme}', first_reply_at = submitted_at + interval '{wait} days' WHERE id = '{id}';"
        ));
        let mut entry = |from: &str, to: &str, days: u64| {
            let event = app.row_id(commune);
            rows.push_str(&format!(
                "INSERT INTO events (id, commune_code, initiative_id, subject, subject_id, action, from_state, to_state, \
                    actor_role, visibility, at) \
                 VALUES ('{event}', '{commune}', '{id}', 'initiative', '{id}', 'x', '{from}', '{to}', 'clock', 'public', \
                    timestamptz '{submitted_at}' + interval '{days} days');"
            ));
        };
        match state {
            "in_progress" => entry("accepted", "in_progress", wait + 5),
            "completed" => {
                entry("accepted", "in_progress", wait + 5);
                entry("in_progress", "completed", wait + 20);
            }
            _ => {}
        }
        if state == "in_review" {
            continue;
        }
        let outcome = if state == "refused" {
            "refused"
        } else {
            "accepted"
        };
        let decision = app.row_id(commune);
        rows.push_str(&format!(
            "INSERT INTO decisions (id, commune_code, initiative_id, outcome, reason, mandate_id, decided_by, decided_on, \
                decided_at, capacity) \
             SELECT '{decision}', '{commune}', '{id}', '{outcome}', 'x', '{id}', '{mayor}', \
                (d.at AT TIME ZONE 'Europe/Paris')::date, d.at, 'Maire' \
             FROM (SELECT timestamptz '{submitted_at}' + interval '{wait} days' AS at) AS d; \
             UPDATE initiatives SET decided_at = submitted_at + interval '{wait} days' WHERE id = '{id}';"
        ));
        let people = dice.below(9) + 1;
        for band in ["11_14", "30_59"] {
            rows.push_str(&format!(
                "INSERT INTO headcounts (initiative_id, commune_code, counted_on, age_band, people, recorded_by) \
                 VALUES ('{id}', '{commune}', '{day}', '{band}', {people}, '{user}');"
            ));
        }
        rows.push_str(&format!(
            "INSERT INTO endorsements (initiative_id, commune_code, user_id, created_at) \
             VALUES ('{id}', '{commune}', '{user}', '{submitted_at}'), ('{id}', '{commune}', '{mayor}', '{submitted_at}'); \
             INSERT INTO meetings (id, commune_code, initiative_id, title, held_on, attendance, recorded_by, created_at) \
             VALUES ('{}', '{commune}', '{id}', 'Réunion', '{day}', {people}, '{user}', '{submitted_at}');",
            app.row_id(commune)
        ));
        if state == "refused" || state == "accepted" {
            continue;
        }
        rows.push_str(&agreement(
            app,
            commune,
            id,
            user.0,
            &submitted_at,
            &mut dice,
        ));
        if state == "completed" {
            let evaluation = app.row_id(commune);
            let cost = dice.below(900_000);
            rows.push_str(&format!(
                "INSERT INTO evaluations (id, commune_code, initiative_id, summary, reference_cost_cents, \
                    municipal_cost_cents, staff_minutes, staff_cost_cents, official_minutes, method, source, created_by, \
                    created_at, worded_at, agreed_at, validated_by, validated_at) \
                 VALUES ('{evaluation}', '{commune}', '{id}', 'x', 1000000, {cost}, 60 * {people}, 100, 120, 'x', 'x', '{user}', \
                    '{submitted_at}', '{submitted_at}', '{submitted_at}', '{mayor}', '{submitted_at}');"
            ));
        }
    }
    app.write_rows(&rows).await;
}

/// A convention in force that binds money of the commune, labour and an upkeep, of which something was done.
fn agreement(
    app: &TestApp,
    commune: &str,
    initiative: Uuid,
    user: Uuid,
    at: &str,
    dice: &mut Dice,
) -> String {
    let convention = app.row_id(commune);
    let day = &at[..10];
    let mut rows = format!(
        "INSERT INTO conventions (id, commune_code, root_id, number, initiative_id, holder_id, state, object, starts_on, \
            ends_on, content, content_sha256, activated_at, created_by, state_changed_at, created_at) \
         VALUES ('{convention}', '{commune}', '{convention}', 1, '{initiative}', '{initiative}', 'active', 'x', '{day}', \
            date '{day}' + 700, '{{}}', repeat('0', 64), '{at}', '{user}', '{at}', '{at}');"
    );
    let amount = dice.below(500_000) + 1;
    for (side, kind, terms) in [
        (
            "commune",
            "financial",
            format!("{amount}, NULL, NULL, NULL, NULL, 'purchase', 2026, '{day}', NULL, NULL"),
        ),
        (
            "holder",
            "labour",
            "NULL, 40, 'heure', 1500, 'hourly_rate', NULL, NULL, '2026-12-31', NULL, NULL"
                .to_owned(),
        ),
        (
            "holder",
            "labour",
            format!(
                "NULL, 10, 'heure', 1500, 'hourly_rate', NULL, NULL, NULL, date '{day}' + 30, date '{day}' + 700"
            ),
        ),
    ] {
        let commitment = app.row_id(commune);
        rows.push_str(&format!(
            "INSERT INTO commitments (id, commune_code, initiative_id, side, kind, state, title, amount_cents, quantity, \
                unit, unit_value_cents, valuation_method, route, budget_year, due_on, upkeep_starts_on, upkeep_ends_on, \
                proposed_side, proposed_by, state_changed_at, created_at) \
             VALUES ('{commitment}', '{commune}', '{initiative}', '{side}', '{kind}', 'binding', 'x', {terms}, 'commune', \
                '{user}', '{at}', '{at}'); \
             INSERT INTO convention_commitments (convention_id, commitment_id, commune_code) \
             VALUES ('{convention}', '{commitment}', '{commune}');"
        ));
        if dice.below(3) == 0 {
            rows.push_str(&format!(
                "UPDATE commitments SET upkeep_ended_on = upkeep_starts_on + 100 WHERE id = '{commitment}' \
                 AND upkeep_starts_on IS NOT NULL;"
            ));
        }
        let (column, how_much, value) = match kind {
            "financial" => ("amount_cents", amount, amount),
            _ => ("quantity", 7, 10_500),
        };
        rows.push_str(&format!(
            "INSERT INTO fulfilments (id, commune_code, commitment_id, state, done_on, {column}, value_cents, evidence, \
                recorded_by, recorded_side, recorded_at) \
             VALUES ('{}', '{commune}', '{commitment}', '{}', '{day}', {how_much}, {value}, 'x', '{user}', '{side}', '{at}');",
            app.row_id(commune),
            dice.one(&["acknowledged", "acknowledged", "recorded"]),
        ));
    }
    rows
}

fn decimal(text: &Value) -> BigDecimal {
    text.as_str().unwrap().parse().unwrap()
}

async fn every_page(reader: &Client, path: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = reader
            .get(&format!("{path}&limit={limit}{cursor}"))
            .await
            .ok();
        let data = page["data"].as_array().unwrap();
        all.extend(data.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// What a figure must be, from its records alone, by the formula of the dictionary.
fn recomputed(kind: &str, population: &Value, records: &[Value]) -> Option<BigDecimal> {
    let values = || records.iter().map(|record| decimal(&record["value"]));
    let sum: BigDecimal = values().sum();
    let rounded =
        |number: BigDecimal, decimals| number.with_scale_round(decimals, RoundingMode::HalfUp);
    let over =
        |whole: BigDecimal, decimals| (!whole.is_zero()).then(|| rounded(&sum / whole, decimals));
    match kind {
        "total" | "stock" => Some(rounded(sum, 2)),
        "per_resident" => over(population.as_i64().unwrap().into(), 2),
        "rate" | "mean" => over(
            records.iter().map(|record| decimal(&record["base"])).sum(),
            4,
        ),
        "median" => {
            let mut sorted: Vec<BigDecimal> = values().collect();
            sorted.sort();
            let middle = |place: usize| sorted.get(place).cloned();
            let count = sorted.len();
            let low = middle(count.checked_sub(1)? / 2)?;
            Some((low + middle(count / 2)?) / BigDecimal::from(2))
        }
        other => panic!("{other}"),
    }
}

fn parts_of(records: &[Value]) -> BTreeMap<String, BigDecimal> {
    let mut parts = BTreeMap::new();
    for record in records {
        if let Some(part) = record["part"].as_str() {
            *parts
                .entry(part.to_owned())
                .or_insert_with(BigDecimal::zero) += decimal(&record["value"]);
        }
    }
    parts
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_follows_from_its_records() {
    let app = TestApp::new().await;
    let world = app.world().await;
    lives(&app, &world, 60).await;
    let anyone = &world.anyone;
    let dictionary = anyone.get("/v1/metrics/dictionary").await.ok();
    let mut explained = 0;
    for definition in dictionary["data"].as_array().unwrap() {
        let (code, kind) = (
            definition["code"].as_str().unwrap(),
            definition["kind"].as_str().unwrap(),
        );
        let of =
            |period: &str| format!("/v1/metrics/{code}/records?commune={LOOS}&period={period}");
        if definition["records"].is_null() {
            anyone.get(&of("2026")).await.problem(404, "not_found");
            continue;
        }
        for unit in ["year", "quarter", "month"] {
            let first = if unit == "month" { 2026 } else { 2024 };
            let path = format!(
                "/v1/metrics?communes={LOOS}&from={first}&to=2026&period={unit}&indicators={code}"
            );
            let report = anyone.get(&path).await.ok();
            let loos = &report["territories"][0];
            for period in loos["periods"].as_array().unwrap() {
                let figure = &period["values"][0];
                let periods: Vec<String> = match figure["pooled_years"].as_array() {
                    Some(years) => years.iter().map(Value::to_string).collect(),
                    None => vec![period["code"].as_str().unwrap().to_owned()],
                };
                let mut records = Vec::new();
                for period in &periods {
                    records.extend(every_page(anyone, &of(period), 7).await);
                }
                let told = format!(
                    "{code} of {periods:?}: {figure}, of {} records",
                    records.len()
                );
                let expected = recomputed(kind, &loos["population"], &records);
                let value = (!figure["value"].is_null()).then(|| decimal(&figure["value"]));
                assert_eq!(value, expected, "{told}");
                if let Some(n) = figure["n"].as_u64() {
                    assert_eq!(n, u64::try_from(records.len()).unwrap(), "{told}");
                }
                let parts: BTreeMap<String, BigDecimal> = figure["parts"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|part| {
                        (
                            part["code"].as_str().unwrap().to_owned(),
                            decimal(&part["value"]),
                        )
                    })
                    .collect();
                if !definition["breakdown"].is_null() {
                    assert_eq!(parts, parts_of(&records), "{told}");
                }
                explained += usize::from(!records.is_empty());
            }
        }
    }
    assert!(explained > 300, "only {explained} figures had records");
}

/// Values of one territory and one period, by indicator and group.
fn values(
    report: &Value,
    territory: usize,
    period: usize,
) -> BTreeMap<(String, Option<String>), Value> {
    let values = &report["territories"][territory]["periods"][period]["values"];
    let group = |value: &Value| value["group"].as_str().map(str::to_owned);
    let all = values.as_array().unwrap().iter();
    all.map(|value| {
        let indicator = value["indicator"].as_str().unwrap().to_owned();
        ((indicator, group(value)), value["value"].clone())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn territories_groups_and_quarters_add_up() {
    let app = TestApp::new().await;
    let world = app.world().await;
    lives(&app, &world, 60).await;
    worker::catch_up(&app.state).await.unwrap();
    let anyone = &world.anyone;
    let ask = async |query: &str| {
        let path = format!("/v1/metrics?{query}&from=2025&to=2025");
        anyone.get(&path).await.ok()
    };
    let dictionary = anyone.get("/v1/metrics/dictionary").await.ok();
    let adds_up: Vec<(&str, bool)> = dictionary["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|definition| definition["kind"] == "total")
        .map(|definition| {
            let of_initiatives = [
                "initiative",
                "convention",
                "commitment",
                "fulfilment",
                "evaluation",
            ];
            let records = definition["records"].as_str().unwrap_or_default();
            (
                definition["code"].as_str().unwrap(),
                of_initiatives.contains(&records),
            )
        })
        .collect();
    assert!(adds_up.len() > 15);

    let communes = ask(&format!("communes={LOOS},{LENS}")).await;
    let loos = anyone.get(&format!("/v1/communes/{LOOS}")).await.ok();
    for (query, kind) in [
        (
            format!(
                "epci={}",
                loos["intercommunality"]["siren"].as_str().unwrap()
            ),
            "epci",
        ),
        ("department=62".to_owned(), "department"),
        ("region=32".to_owned(), "region"),
        ("country=FR".to_owned(), "country"),
    ] {
        let whole = ask(&query).await;
        assert_eq!(whole["territories"][0]["territory"]["kind"], kind);
        let residents = |place: usize| {
            communes["territories"][place]["population"]
                .as_i64()
                .unwrap()
        };
        assert_eq!(
            whole["territories"][0]["population"],
            residents(0) + residents(1)
        );
        let of_whole = values(&whole, 0, 0);
        let (ours, theirs) = (values(&communes, 0, 0), values(&communes, 1, 0));
        for (indicator, _) in &adds_up {
            let key = ((*indicator).to_owned(), None);
            assert_eq!(
                decimal(&of_whole[&key]),
                decimal(&ours[&key]) + decimal(&theirs[&key]),
                "{indicator} of {query}"
            );
        }
    }

    for by in ["theme", "holder_kind"] {
        let grouped = values(&ask(&format!("communes={LOOS}&group_by={by}")).await, 0, 0);
        for (indicator, of_initiatives) in &adds_up {
            let total = decimal(&grouped[&((*indicator).to_owned(), None)]);
            let groups: Vec<BigDecimal> = grouped
                .iter()
                .filter(|((code, group), _)| code == indicator && group.is_some())
                .map(|(_, value)| decimal(value))
                .collect();
            if *of_initiatives {
                assert_eq!(
                    groups.iter().sum::<BigDecimal>(),
                    total,
                    "{indicator} by {by}"
                );
            } else if !["public_meetings", "attendance"].contains(indicator) {
                assert!(groups.is_empty(), "{indicator} by {by}");
            }
        }
    }

    let year = values(&communes, 0, 0);
    let quarters = ask(&format!("communes={LOOS}&period=quarter")).await;
    for indicator in [
        "conventions_signed",
        "value_delivered_by_side",
        "savings",
        "public_meetings",
    ] {
        let key = (indicator.to_owned(), None);
        let sum: BigDecimal = (0..4)
            .map(|quarter| decimal(&values(&quarters, 0, quarter)[&key]))
            .sum();
        assert_eq!(sum, decimal(&year[&key]), "{indicator}");
    }
    // What is counted is set against the residents.
    let figure = &communes["territories"][0]["periods"][0]["values"][0];
    let residents = communes["territories"][0]["population"].as_i64().unwrap();
    let expected = decimal(&figure["value"]) * BigDecimal::from(1000) / BigDecimal::from(residents);
    assert_eq!(
        decimal(&figure["per_1000_residents"]),
        expected.with_scale_round(2, RoundingMode::HalfUp)
    );

    for (query, parameter) in [
        ("department=62&region=32", "communes"),
        ("communes=62528&region=32", "communes"),
        ("department=99", "department"),
        ("epci=123456789", "epci"),
        ("country=BE", "country"),
        ("communes=62528&group_by=happiness", "group_by"),
        ("communes=62528&period=week", "period"),
        ("communes=62528,62498&period=month&from=2015", "from"),
        (
            "communes=62528&period=month&from=2022&group_by=theme",
            "from",
        ),
    ] {
        let reply = anyone.get(&format!("/v1/metrics?{query}")).await;
        assert_eq!(reply.pointers(), [parameter], "{query}");
        reply.problem(400, "invalid_query");
    }
    for (query, parameter) in [
        ("commune=62528", "period"),
        ("period=2026", "commune"),
        ("commune=99999&period=2026", "commune"),
        ("commune=62528&period=2026-Q5", "period"),
        ("commune=62528&period=2026-13", "period"),
    ] {
        let reply = anyone
            .get(&format!("/v1/metrics/savings/records?{query}"))
            .await;
        assert_eq!(reply.pointers(), [parameter], "{query}");
        reply.problem(400, "invalid_query");
    }
    let unknown = anyone
        .get("/v1/metrics/happiness/records?commune=62528&period=2026")
        .await;
    unknown.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_how_old_the_few_are() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let holder = app.holder_row(LOOS, "association", None).await;
    let initiative = Initiative {
        commune: LOOS,
        state: "in_progress",
        holder,
        author: world.camille.id(),
        submitted_at: "2026-02-01T10:00:00Z",
        published: true,
    };
    let id = app.initiative_row(initiative).await;
    let counted = [
        ("2026-03-01", "11_14", 14),
        ("2026-03-01", "60_plus", 3),
        ("2026-03-08", "11_14", 4),
        ("2026-03-08", "60_plus", 4),
        // Few on one day, more on another: the days must not give away what the months keep.
        ("2026-04-11", "15_17", 3),
        ("2026-04-11", "30_59", 10),
        ("2026-05-11", "15_17", 7),
        ("2026-05-11", "30_59", 10),
        // The age of two would follow from the five others.
        ("2026-05-20", "under_11", 6),
        ("2026-05-20", "11_14", 7),
        ("2026-05-20", "15_17", 8),
        ("2026-05-20", "18_29", 9),
        ("2026-05-20", "30_59", 10),
        ("2026-05-20", "60_plus", 2),
        // Of eight in two bands each has four.
        ("2026-02-20", "under_11", 4),
        ("2026-02-20", "11_14", 4),
        ("2026-02-20", "15_17", 8),
        ("2026-02-20", "18_29", 9),
        ("2026-02-20", "30_59", 10),
        ("2026-02-20", "60_plus", 11),
    ];
    for (day, band, people) in counted {
        app.write_rows(&format!(
            "INSERT INTO headcounts (initiative_id, commune_code, counted_on, age_band, people, recorded_by) \
             VALUES ('{id}', '{LOOS}', '{day}', '{band}', {people}, '{}')",
            world.agent.id()
        ))
        .await;
    }
    worker::catch_up(&app.state).await.unwrap();
    let list = format!("/v1/initiatives/{id}/headcounts");
    let public = world.anyone.get(&list).await.ok();
    assert_eq!(
        public["data"],
        json!([
            {"counted_on": "2026-05-20", "counts": [{"age_band": "11_14", "people": 7}, {"age_band": "15_17", "people": 8},
                {"age_band": "18_29", "people": 9}, {"age_band": "30_59", "people": 10}, {"age_band": "unknown", "people": 8}]},
            {"counted_on": "2026-05-11", "counts": [{"age_band": "15_17", "people": 7}, {"age_band": "30_59", "people": 10}]},
            {"counted_on": "2026-04-11", "counts": [{"age_band": "30_59", "people": 10}, {"age_band": "unknown", "people": 3}]},
            {"counted_on": "2026-03-08", "counts": [{"age_band": "unknown", "people": 8}]},
            {"counted_on": "2026-03-01", "counts": [{"age_band": "11_14", "people": 14}, {"age_band": "unknown", "people": 3}]},
            {"counted_on": "2026-02-20", "counts": [{"age_band": "18_29", "people": 9}, {"age_band": "30_59", "people": 10},
                {"age_band": "60_plus", "people": 11}, {"age_band": "unknown", "people": 16}]},
        ])
    );
    let inside = world.agent.get(&list).await.ok();
    assert_eq!(
        inside["data"][3]["counts"][1],
        json!({"age_band": "60_plus", "people": 4})
    );
    // Every figure follows from these days, so that no subtraction tells more than they do.
    let told = |parts: &Value, code: &str, value: &str| {
        let parts = parts.as_array().unwrap().iter().map(|part| {
            let people = match &part[value] {
                Value::String(people) => people.parse().unwrap(),
                people => people.as_i64().unwrap(),
            };
            (part[code].as_str().unwrap().to_owned(), people)
        });
        parts.collect::<BTreeMap<String, i64>>()
    };
    let busiest = |begins: &str| {
        let days = public["data"].as_array().unwrap().iter();
        let counts = days
            .filter(|day| day["counted_on"].as_str().unwrap().starts_with(begins))
            .map(|day| told(&day["counts"], "age_band", "people"));
        // The latest comes first, and of equals the last is taken.
        let counts: Vec<_> = counts.collect();
        let most = counts
            .into_iter()
            .rev()
            .max_by_key(|parts| parts.values().sum::<i64>());
        most.unwrap_or_default()
    };
    for (territory, begins) in [
        (format!("communes={LOOS}&period=month"), true),
        (format!("communes={LOOS}&group_by=theme"), false),
        ("department=62".to_owned(), false),
        (
            "country=FR&period=month&group_by=holder_kind".to_owned(),
            true,
        ),
    ] {
        let path = format!("/v1/metrics?{territory}&from=2026&to=2026&indicators=headcounts");
        let report = world.anyone.get(&path).await.ok();
        for period in report["territories"][0]["periods"].as_array().unwrap() {
            let begins = if begins {
                period["code"].as_str().unwrap()
            } else {
                "2026"
            };
            for value in period["values"].as_array().unwrap() {
                assert_eq!(
                    told(&value["parts"], "code", "value"),
                    busiest(begins),
                    "{path} {value}"
                );
            }
        }
    }
    for (period, begins) in [
        ("2026", "2026"),
        ("2026-02", "2026-02"),
        ("2026-04", "2026-04"),
        ("2026-05", "2026-05"),
    ] {
        let path = format!("/v1/metrics/headcounts/records?commune={LOOS}&period={period}");
        let records = world.anyone.get(&path).await.ok();
        assert_eq!(told(&records["data"], "part", "value"), busiest(begins));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_can_be_read() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, _, paths) = crate::commitments::bound(
        &world,
        vec![
            crate::conventions::planters(),
            crate::commitments::of_holder("Travaux", json!({"due_on": "2026-12-31"})),
        ],
    )
    .await;
    let done = json!({"done_on": "2026-06-15", "quantity": "8", "evidence": "Livrées"});
    let made = world
        .agent
        .post(&format!("{}/fulfilments", paths[0]), done)
        .await
        .created();
    let made = format!("/v1/fulfilments/{}", made["id"].as_str().unwrap());
    world
        .camille
        .act(&made, "acknowledge", Value::Null)
        .await
        .ok();
    let dictionary = world.anyone.get("/v1/metrics/dictionary").await.ok();
    let mut read = BTreeMap::new();
    for definition in dictionary["data"].as_array().unwrap() {
        let code = definition["code"].as_str().unwrap();
        if definition["records"].is_null() {
            continue;
        }
        let list = format!("/v1/metrics/{code}/records?commune={LOOS}&period=2026-06");
        for record in every_page(&world.anyone, &list, 100).await {
            world
                .anyone
                .get(record["path"].as_str().unwrap())
                .await
                .ok();
            *read.entry(record["kind"].to_string()).or_insert(0) += 1;
        }
    }
    for kind in [
        "initiative",
        "convention",
        "commitment",
        "fulfilment",
        "holder",
    ] {
        assert!(
            read.contains_key(&format!("\"{kind}\"")),
            "{kind}: {read:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_says_what_the_figures_say() {
    let app = TestApp::new().await;
    let world = app.world().await;
    lives(&app, &world, 20).await;
    let path = format!("/v1/communes/{LOOS}/metrics/chart.svg");
    let french = world.anyone.with("accept-language", "fr");
    let picture = french.get(&format!("{path}?from=2024&to=2026")).await;
    assert_eq!(
        (picture.status.as_u16(), picture.header("content-type")),
        (200, "image/svg+xml")
    );
    assert!(picture.header("vary").contains("Accept-Language"));
    assert!(picture.header("cache-control").starts_with("public"));
    let svg = &picture.text;
    assert!(
        svg.starts_with("<svg ") && svg.contains("role=\"img\"><title>Loos-en-Gohelle"),
        "{svg}"
    );
    assert!(
        svg.contains("La commune") && !svg.contains("<script"),
        "{svg}"
    );
    // The numbers stand in it as text, in euros.
    let query = format!("communes={LOOS}&from=2024&to=2026&indicators=value_delivered_by_side");
    let report = world.anyone.get(&format!("/v1/metrics?{query}")).await.ok();
    for period in report["territories"][0]["periods"].as_array().unwrap() {
        let parts = period["values"][0]["parts"].as_array().unwrap();
        let by_commune = parts.iter().find(|part| part["code"] == "commune");
        let euros = by_commune.map_or(0.0, |part| {
            part["value"].as_str().unwrap().parse::<f64>().unwrap() / 100.0
        });
        let code = period["code"].as_str().unwrap();
        let running = if code == "2026" { "*" } else { "" };
        let euros = euros.to_string().replace('.', ",");
        let said = format!("{code}{running}\u{a0}: La commune {euros},");
        assert!(svg.replace('\u{202f}', "").contains(&said), "{said}: {svg}");
    }
    let in_english = world.anyone.with("accept-language", "en");
    let english = in_english.get(&format!("{path}?chart=path")).await;
    assert!(
        english.text.contains("Initiatives submitted") && english.text.contains("* not over yet"),
        "{}",
        english.text
    );
    let nothing = in_english
        .get("/v1/communes/62498/metrics/chart.svg?from=2020&to=2021")
        .await;
    assert!(
        nothing.text.contains("– no values</title>"),
        "{}",
        nothing.text
    );
    for (query, parameter) in [
        ("chart=pie", "chart"),
        ("to=2027", "to"),
        ("from=2027", "from"),
        ("year=2026", "year"),
    ] {
        let reply = world.anyone.get(&format!("{path}?{query}")).await;
        assert_eq!(reply.pointers(), [parameter], "{query}");
    }
    let nowhere = world
        .anyone
        .get("/v1/communes/99999/metrics/chart.svg")
        .await;
    nowhere.problem(404, "not_found");
}
