//! What is added up beforehand is what the records say: whatever is written, by however many, and whatever day it is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fifty_fifty::metrics::worker;
use serde_json::{Value, json};

use crate::crowd::{Dice, Things, do_something, things};
use crate::explained::lives;
use crate::support::app::{LENS, LOOS, World};
use crate::support::rows::Initiative;
use crate::support::{Client, TestApp};

/// The intercommunality of both communes: its figures are computed from the records at the moment.
const EPCI: &str = "epci=246200364";

async fn rows(app: &TestApp, sql: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(&app.database_url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The periods of the only territory.
async fn periods(anyone: &Client, territory: &str, question: &str) -> Value {
    let path = format!("/v1/metrics?{territory}&{question}");
    let mut report = anyone.get(&path).await.ok();
    let territory = &mut report["territories"][0];
    json!([territory["population"].take(), territory["periods"].take()])
}

/// Whether department, region and country say what the records say, in every unit and group.
async fn same_as_records(anyone: &Client, year: i32) {
    let mut told = 0;
    for (unit, years) in [("year", 12), ("quarter", 10), ("month", 3)] {
        for group_by in ["", "&group_by=theme", "&group_by=holder_kind"] {
            let from = year - years + 1;
            let question = format!("from={from}&to={year}&period={unit}{group_by}");
            let records = periods(anyone, EPCI, &question).await;
            for territory in ["department=62", "region=32", "country=FR"] {
                let cells = periods(anyone, territory, &question).await;
                assert_eq!(cells[0], records[0], "residents of {territory}");
                let of = |whole: &Value| whole[1].as_array().unwrap().clone();
                for (cells, records) in of(&cells).iter().zip(of(&records)) {
                    let values = |period: &Value| period["values"].as_array().unwrap().clone();
                    let (cells, records) = (values(cells), values(&records));
                    for (cell, record) in cells.iter().zip(&records) {
                        assert_eq!(cell, record, "{territory} {question}");
                    }
                    assert_eq!(cells.len(), records.len(), "{territory} {question}");
                    told += cells.len();
                }
            }
        }
    }
    assert!(told > 10_000, "only {told} figures were compared");
}

/// All that is added up, in an order of its own.
async fn added_up(app: &TestApp) -> Vec<String> {
    rows(
        app,
        "SELECT concat_ws('|', territory_kind, territory_code, unit, grouping, indicator, starts_on, grp, part,
            trim_scale(value), trim_scale(base), n, spread) AS line FROM metric_cells WHERE n > 0
        UNION ALL SELECT concat_ws('|', c.commune_code, c.unit, c.indicator, p.starts_on, p.theme, p.kind, p.part,
            trim_scale(p.middle), trim_scale(p.value), trim_scale(p.base), p.n)
        FROM commune_cells AS c CROSS JOIN LATERAL
            unnest(c.starts_on, themes, holder_kinds, parts, middles, sums, bases, counts)
            AS p (starts_on, theme, kind, part, middle, value, base, n)
        ORDER BY line",
    )
    .await
}

/// Writes from several sides at once, while two workers add up.
async fn writes(world: &Arc<World>, things: &Arc<Things>, app: &TestApp, round: u64, each: usize) {
    let over = Arc::new(AtomicBool::new(false));
    let mut workers = Vec::new();
    for _ in 0..2 {
        let (state, over) = (app.state.clone(), Arc::clone(&over));
        workers.push(tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                worker::catch_up(&state).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }));
    }
    let mut writers = Vec::new();
    for seed in 1..=4_u64 {
        let (world, things) = (Arc::clone(world), Arc::clone(things));
        writers.push(tokio::spawn(async move {
            let mut dice = Dice((round * 7 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            for _ in 0..each {
                do_something(&world, &things, &mut dice).await;
                if dice.roll(4) == 0 {
                    count_people(&world, &things, &mut dice).await;
                }
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
    worker::catch_up(&app.state).await.unwrap();
}

/// What no feed tells of and yet moves figures.
async fn count_people(world: &World, things: &Things, dice: &mut Dice) {
    let initiative = &things.initiatives[dice.roll(things.initiatives.len())];
    let reply = match dice.roll(3) {
        0 => {
            let path = format!("{initiative}/headcounts/2026-06-{:02}", dice.roll(14) + 1);
            let counts = json!({"counts": [{"age_band": "11_14", "people": dice.roll(12)},
                {"age_band": "30_59", "people": dice.roll(12)}]});
            world.agent.put(&path, counts).await
        }
        1 => {
            world
                .dominique
                .put(&format!("{initiative}/participation"), json!(null))
                .await
        }
        _ => {
            world
                .dominique
                .delete(&format!("{initiative}/participation"))
                .await
        }
    };
    assert!(reply.status.as_u16() < 500, "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_up_is_what_the_records_say() {
    let app = TestApp::new().await;
    let world = Arc::new(app.world().await);
    // Both communes have a past.
    lives(&app, &world, 80).await;
    let things = Arc::new(things(&world).await);
    worker::catch_up(&app.state).await.unwrap();
    same_as_records(&world.anyone, 2026).await;
    writes(&world, &things, &app, 1, 250).await;
    same_as_records(&world.anyone, 2026).await;
    // Days pass: replies are overdue, conventions end, upkeep grows old, months, a quarter and a year begin.
    for (day, year) in [
        ("2026-06-16", 2026),
        ("2026-07-01", 2026),
        ("2026-09-20", 2026),
        ("2027-01-01", 2027),
        ("2028-02-29", 2028),
    ] {
        app.travel_to(&format!("{day}T10:00:00Z"));
        worker::catch_up(&app.state).await.unwrap();
        same_as_records(&world.anyone, year).await;
    }
    writes(&world, &things, &app, 2, 100).await;
    same_as_records(&world.anyone, 2028).await;
    // Anew it is the same.
    let before = added_up(&app).await;
    assert!(before.len() > 5_000, "{}", before.len());
    worker::rebuild(&mut app.database().await, app.state.clock.now())
        .await
        .unwrap();
    let anew = added_up(&app).await;
    for (before, anew) in before.iter().zip(&anew) {
        assert_eq!(before, anew);
    }
    assert_eq!(before.len(), anew.len());
    // A commune that moves takes its figures along, and its residents change with it.
    let moved =
        "UPDATE communes SET department_code = '59', population = 7000 WHERE code = '62528'";
    assert_eq!(app.attack(moved).await, None);
    worker::catch_up(&app.state).await.unwrap();
    let question = "from=2028&to=2028&indicators=initiatives_submitted";
    let north = periods(&world.anyone, "department=59", question).await;
    let loos = periods(&world.anyone, &format!("communes={LOOS}"), question).await;
    assert_eq!(north, loos);
    let all = periods(&world.anyone, "country=FR", question).await;
    assert_eq!(all, periods(&world.anyone, EPCI, question).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_country_follows_within_a_minute() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let adding_up = tokio::spawn(worker::run(app.state.clone()));
    let held = async |territory: &str| {
        let path = format!("/v1/metrics?{territory}&indicators=public_meetings");
        let report = world.anyone.get(&path).await.ok();
        let value = report["territories"][0]["periods"][0]["values"][0]["value"].clone();
        (value, report["as_of"].clone())
    };
    let begin = Instant::now();
    for count in 1..=3 {
        let meeting = json!({"title": "Réunion", "held_on": "2026-06-01"});
        let path = format!("/v1/communes/{LOOS}/meetings");
        world.agent.post(&path, meeting).await.created();
        // Of the commune at once.
        let (value, as_of) = held(&format!("communes={LOOS}")).await;
        assert_eq!(
            (value, as_of),
            (json!(count.to_string()), json!("2026-06-15T10:00:00Z"))
        );
        assert_eq!(held(EPCI).await.0, count.to_string());
        loop {
            let (value, as_of) = held("country=FR").await;
            if value.as_str() == Some(&*count.to_string()) {
                assert_eq!(as_of, "2026-06-15T10:00:00Z");
                break;
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "{value}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    adding_up.abort();
}

/// A figure of a year that is over, corrected: a meeting of 2025 had more people than was noted.
pub async fn revised(app: &TestApp, world: &World) {
    let meeting = json!({"title": "Réunion", "held_on": "2025-03-01", "attendance": 40});
    let path = format!("/v1/communes/{LOOS}/meetings");
    let made = world.agent.post(&path, meeting).await.created();
    worker::catch_up(&app.state).await.unwrap();
    let path = format!("/v1/meetings/{}", made["id"].as_str().unwrap());
    world
        .agent
        .edit(&path, json!({"attendance": 45}))
        .await
        .ok();
    worker::catch_up(&app.state).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_read_a_figure_sees_that_it_was_corrected() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let revision = async |territory: &str, year: i32, unit: &str| {
        let path = format!(
            "/v1/metrics?{territory}&from={year}&to={year}&period={unit}&indicators=attendance"
        );
        let report = world.anyone.get(&path).await.ok();
        report["territories"][0]["periods"][0]["revision"].clone()
    };
    let all = "/v1/metrics/revisions";
    let ours = format!("/v1/communes/{LOOS}/metrics/revisions");
    // The first figures of a year are no correction, whenever they come.
    let meeting = json!({"title": "Réunion", "held_on": "2025-03-01", "attendance": 40});
    let path = format!("/v1/communes/{LOOS}/meetings");
    let made = world.agent.post(&path, meeting.clone()).await.created();
    worker::catch_up(&app.state).await.unwrap();
    assert_eq!(world.anyone.get(all).await.ok()["data"], json!([]));
    for territory in [
        &*format!("communes={LOOS}"),
        EPCI,
        "department=62",
        "country=FR",
    ] {
        assert_eq!(revision(territory, 2025, "year").await, 0);
    }
    // What changes in the current year is none either.
    let mut now = meeting.clone();
    now["held_on"] = json!("2026-03-01");
    for _ in 0..2 {
        world.agent.post(&path, now.clone()).await.created();
        worker::catch_up(&app.state).await.unwrap();
    }
    assert_eq!(world.anyone.get(all).await.ok()["data"], json!([]));

    app.travel_to("2026-06-16T08:00:00Z");
    let path = format!("/v1/meetings/{}", made["id"].as_str().unwrap());
    world
        .agent
        .edit(&path, json!({"attendance": 45}))
        .await
        .ok();
    worker::catch_up(&app.state).await.unwrap();
    let seen = world.anyone.get(&ours).await.ok()["data"].clone();
    assert_eq!(
        seen,
        json!([{"commune_code": LOOS, "year": 2025, "revision": 1, "indicator": "attendance", "before": "40", "after": "45",
            "seen_at": "2026-06-16T08:00:00Z"}])
    );
    // A late entry is a correction too; what is seen at once has one number.
    let path = format!("/v1/communes/{LOOS}/meetings");
    world.agent.post(&path, meeting).await.created();
    worker::catch_up(&app.state).await.unwrap();
    let seen = world.anyone.get(&format!("{ours}?year=2025")).await.ok();
    let told: BTreeSet<String> = seen["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {}",
                row["revision"], row["indicator"], row["before"], row["after"]
            )
        })
        .collect();
    let expected = [
        r#"1 "attendance" "40" "45""#,
        r#"2 "attendance" "45" "85""#,
        r#"2 "public_meetings" "1" "2""#,
    ];
    assert_eq!(told, expected.map(str::to_owned).into());
    let page = world.anyone.get(&format!("{all}?limit=2")).await.ok();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    let next = page["next_cursor"].as_str().unwrap();
    let page = world
        .anyone
        .get(&format!("{all}?limit=2&cursor={next}"))
        .await
        .ok();
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    for (path, count) in [
        (format!("{all}?year=2024"), 0),
        (format!("/v1/communes/{LENS}/metrics/revisions"), 0),
    ] {
        let page = world.anyone.get(&path).await.ok();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{path}");
    }
    for territory in [
        &*format!("communes={LOOS}"),
        EPCI,
        "department=62",
        "region=32",
        "country=FR",
    ] {
        for unit in ["year", "month"] {
            assert_eq!(revision(territory, 2025, unit).await, 2, "{territory}");
        }
        assert_eq!(revision(territory, 2026, "year").await, 0, "{territory}");
    }
    assert_eq!(revision(&format!("communes={LENS}"), 2025, "year").await, 0);
    // Anew it is no other figure.
    worker::rebuild(&mut app.database().await, app.state.clock.now())
        .await
        .unwrap();
    assert_eq!(revision("country=FR", 2025, "year").await, 2);
    let nowhere = world
        .anyone
        .get("/v1/communes/99999/metrics/revisions")
        .await;
    nowhere.problem(404, "not_found");

    for sql in [
        "UPDATE metric_revisions SET after = 1",
        "DELETE FROM metric_revisions",
        "TRUNCATE metric_revisions",
    ] {
        assert_eq!(
            app.attack(sql).await.as_deref(),
            Some("metric_revisions_append_only"),
            "{sql}"
        );
    }
    let revision = |year: i32, number: i32, after: &str| {
        format!(
            "INSERT INTO metric_revisions (commune_code, year, number, indicator, before, after, seen_at)
            VALUES ('{LOOS}', {year}, {number}, 'attendance', 1, {after}, '2026-06-16T08:00:00Z')"
        )
    };
    for (sql, constraint) in [
        (revision(2026, 1, "2"), "metric_revisions_past"),
        (revision(2024, 0, "2"), "metric_revisions_number"),
        (revision(2024, 1, "1"), "metric_revisions_change"),
        (revision(2025, 1, "2"), "metric_revisions_once"),
        (
            "INSERT INTO metric_editions VALUES ('commune', '62528', 2024, 0)".to_owned(),
            "metric_editions_revision",
        ),
        (
            "INSERT INTO metric_editions VALUES ('village', '62528', 2024, 1)".to_owned(),
            "metric_editions_territory",
        ),
        (
            "INSERT INTO metric_state (only_row) VALUES (false)".to_owned(),
            "metric_state_only_row",
        ),
        (
            "INSERT INTO metric_state (only_row) VALUES (true)".to_owned(),
            "metric_state_pkey",
        ),
        (
            "UPDATE commune_cells SET parts = parts || ''::text".to_owned(),
            "commune_cells_even",
        ),
        (
            "UPDATE commune_cells SET unit = 'week'".to_owned(),
            "commune_cells_unit",
        ),
        (
            "UPDATE metric_cells SET unit = 'week'".to_owned(),
            "metric_cells_unit",
        ),
        (
            "UPDATE metric_cells SET grouping = 'age'".to_owned(),
            "metric_cells_grouping",
        ),
        (
            "UPDATE metric_cells SET territory_kind = 'commune'".to_owned(),
            "metric_cells_territory",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(constraint), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_source_of_a_figure_marks_its_commune() {
    let app = TestApp::new().await;
    let dictionary = app.anyone().get("/v1/metrics/dictionary").await.ok();
    let sources: BTreeSet<String> = dictionary["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|definition| definition["kind"] != "reported")
        .flat_map(|definition| definition["sources"].as_array().unwrap().clone())
        .map(|source| source.as_str().unwrap().to_owned())
        .collect();
    // By inserting, updating and deleting: bits 2, 4 and 3 of what PostgreSQL calls the type.
    let marked = rows(
        &app,
        "SELECT tgrelid::regclass::text FROM pg_trigger JOIN pg_proc AS p ON p.oid = tgfoid
        WHERE proname = 'mark_metrics' AND tgenabled = 'O'
        GROUP BY 1 HAVING bit_or(tgtype & 28) = 28",
    )
    .await;
    let missing: Vec<_> = sources
        .iter()
        .filter(|source| !marked.contains(source))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {marked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commune_stands_beside_those_of_its_size() {
    let app = TestApp::new().await;
    let world = app.world().await;
    // Loos has some 6,800 residents; four others of 5,000 to 9,999 join, and one that is larger.
    let others = rows(
        &app,
        "SELECT code FROM communes WHERE population BETWEEN 5000 AND 9999 AND code <> '62528' ORDER BY code LIMIT 4",
    )
    .await;
    let ask = async |query: &str| {
        let path = format!("/v1/communes/{LOOS}/metrics/comparison?year=2025{query}");
        world.anyone.get(&path).await.ok()
    };
    let of = |report: &Value, indicator: &str| {
        let data = report["data"].as_array().unwrap().clone();
        data.into_iter()
            .find(|row| row["indicator"] == indicator)
            .unwrap()
    };
    let residents: i64 = 5_000;
    for (place, code) in others.iter().enumerate().chain([(9, &LOOS.to_owned())]) {
        let joined = format!(
            "UPDATE communes SET enrolled_at = '2024-01-01', population = {residents} WHERE code = '{code}'"
        );
        assert_eq!(app.attack(&joined).await, None);
        // One, two, three, four; and ten of Loos.
        let holder = app.holder_row(code, "association", None).await;
        for _ in 0..=place {
            app.initiative_row(Initiative {
                commune: code,
                state: "in_review",
                holder,
                author: world.camille.id(),
                submitted_at: "2025-02-01T10:00:00Z",
                published: true,
            })
            .await;
        }
        if place == 3 {
            worker::catch_up(&app.state).await.unwrap();
            // Loos has joined too, with nothing yet: five, of which nobody has a rate.
            let report = ask("").await;
            assert_eq!(report["similar_communes"], 5, "{report:#}");
            assert_eq!(of(&report, "initiatives_submitted")["is_too_few"], false);
        }
    }
    // Rows mark nothing.
    worker::rebuild(&mut app.database().await, app.state.clock.now())
        .await
        .unwrap();
    let report = ask("").await;
    assert_eq!(report["territory"]["code"], LOOS);
    assert_eq!(
        (&report["size"], &report["population"]),
        (&json!("from_5000"), &json!(5000))
    );
    assert_eq!(
        of(&report, "initiatives_submitted"),
        json!({"indicator": "initiatives_submitted", "value": "10", "per_1000_residents": "2", "n": 5, "is_too_few": false,
            "first_quartile": "0.4", "median": "0.6", "third_quartile": "0.8"})
    );
    let rate = of(&report, "savings_rate");
    assert_eq!(
        rate,
        json!({"indicator": "savings_rate", "value": null, "per_1000_residents": null, "n": 0, "is_too_few": true,
            "first_quartile": null, "median": null, "third_quartile": null})
    );
    // The residents' share is nobody's score, and nobody has a place.
    assert!(
        !report.to_string().contains("residents_share") && !report.to_string().contains("rank")
    );
    let only = ask("&indicators=initiatives_submitted").await;
    assert_eq!(only["data"].as_array().unwrap().len(), 1);
    for (query, parameter) in [
        ("indicators=residents_share", "indicators"),
        ("indicators=savings,measures", "indicators"),
        ("indicators=happiness", "indicators"),
        ("year=2027", "year"),
        ("year=1900", "year"),
    ] {
        let path = format!("/v1/communes/{LOOS}/metrics/comparison?{query}");
        let reply = world.anyone.get(&path).await;
        assert_eq!(reply.pointers(), [parameter], "{query}");
        reply.problem(400, "invalid_query");
    }
    // Lens is larger and alone, a village destroyed in 1916 has nobody.
    for (code, size, similar) in [(LENS, json!("from_20000"), 1), ("55050", json!(null), 0)] {
        let path = format!("/v1/communes/{code}/metrics/comparison");
        let report = world.anyone.get(&path).await.ok();
        assert_eq!(
            (&report["size"], &report["similar_communes"]),
            (&size, &json!(similar))
        );
        assert_eq!(of(&report, "initiatives_submitted")["is_too_few"], true);
        assert_eq!(report["year"], 2025);
    }
    let nowhere = world
        .anyone
        .get("/v1/communes/99999/metrics/comparison")
        .await;
    nowhere.problem(404, "not_found");
}

/// How often each table was read, as far as the sessions that have ended say.
async fn reads(app: &TestApp) -> Vec<String> {
    let others = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database()
        AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while rows(app, others).await != ["0"] {
        tokio::task::yield_now().await;
    }
    rows(
        app,
        "SELECT relname || ' ' || coalesce(seq_scan, 0) || ' ' || coalesce(idx_scan, 0) FROM pg_stat_user_tables ORDER BY relname",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_national_question_reads_only_cells() {
    let mut app = TestApp::new().await;
    let world = app.world().await;
    lives(&app, &world, 20).await;
    worker::catch_up(&app.state).await.unwrap();
    // Many of them, so that reading them all would not be the shortest way.
    let many = "INSERT INTO metric_cells SELECT 'department', n::text, 'year', '', 'savings', '2025-01-01', '', '', 1, 0, 1
        FROM generate_series(1000, 200000) AS n";
    assert_eq!(app.attack(many).await, None);
    assert_eq!(app.attack("ANALYZE metric_cells").await, None);
    for question in [
        "country=FR",
        "country=FR&from=2015&to=2026",
        "country=FR&from=2015&period=month",
        "country=FR&from=2018&period=quarter&group_by=theme",
    ] {
        app.restart().await;
        let before = reads(&app).await;
        let path = format!("/v1/metrics?{question}");
        world.anyone.at(&app.address).get(&path).await.ok();
        app.restart().await;
        let after = reads(&app).await;
        let mut read: Vec<&str> = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| before != after)
            .map(|(_, after)| after.split(' ').next().unwrap())
            .collect();
        read.sort_unstable();
        assert_eq!(
            read,
            ["metric_cells", "metric_editions", "metric_state"],
            "{question}"
        );
        let from_end_to_end = |counts: &[String]| {
            let cells = counts.iter().find(|line| line.starts_with("metric_cells "));
            cells.unwrap().split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(
            from_end_to_end(&before),
            from_end_to_end(&after),
            "{question}"
        );
    }
}
