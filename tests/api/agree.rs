//! A number that is shown in several places is the same in all of them.

use std::collections::BTreeMap;

use bigdecimal::{BigDecimal, Zero};
use serde_json::{Value, json};

use crate::crowd::text;
use crate::exports::records;
use crate::support::app::{LOOS, World};

/// The years in which tests live.
const YEARS: &str = "from=2024&to=2026";

type Parts = BTreeMap<String, i64>;

fn number(value: &Value) -> i64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_i64().unwrap(),
    }
}

fn sum<'a>(items: &'a [Value], of: impl Fn(&'a Value) -> &'a Value) -> i64 {
    items
        .iter()
        .map(of)
        .filter(|v| !v.is_null())
        .map(number)
        .sum()
}

fn count(items: &[Value], of: impl Fn(&Value) -> bool) -> i64 {
    i64::try_from(items.iter().filter(|item| of(item)).count()).unwrap()
}

fn length(items: &[Value]) -> i64 {
    count(items, |_| true)
}

/// The figures of the commune: totals of all years, stocks of the last one; and their parts.
async fn figures(world: &World) -> BTreeMap<String, (i64, Parts)> {
    let dictionary = world.anyone.get("/v1/metrics/dictionary").await.ok();
    let report = world
        .anyone
        .get(&format!("/v1/metrics?communes={LOOS}&{YEARS}"))
        .await
        .ok();
    let periods = report["territories"][0]["periods"].as_array().unwrap();
    let mut figures = BTreeMap::new();
    for definition in dictionary["data"].as_array().unwrap() {
        let last_only = match definition["kind"].as_str().unwrap() {
            "total" => false,
            "stock" => true,
            _ => continue,
        };
        let skipped = if last_only { periods.len() - 1 } else { 0 };
        let (mut total, mut parts) = (BigDecimal::zero(), Parts::new());
        for period in &periods[skipped..] {
            let values = period["values"].as_array().unwrap();
            let value = values
                .iter()
                .find(|value| value["indicator"] == definition["code"])
                .unwrap();
            total += text(&value["value"]).parse::<BigDecimal>().unwrap();
            for part in value["parts"].as_array().unwrap() {
                *parts.entry(text(&part["code"])).or_default() += number(&part["value"]);
            }
        }
        // Hours have decimals; nothing here compares them.
        let whole = total.with_scale(0).to_string().parse().unwrap();
        figures.insert(text(&definition["code"]), (whole, parts));
    }
    figures
}

/// The values of these, by what this field says; what is zero is left out.
fn by(items: &[Value], field: &str, value: &str) -> Parts {
    let mut parts = Parts::new();
    for item in items {
        *parts.entry(text(&item[field])).or_default() += number(&item[value]);
    }
    parts.retain(|_, value| *value != 0);
    parts
}

/// People of an initiative by age, as the figures count them: those of the day of most people, the last of such days.
fn counted(days: &[Value]) -> Parts {
    let of_day = |day: &&Value| sum(day["counts"].as_array().unwrap(), |count| &count["people"]);
    // The latest comes first, and of equals the last is taken.
    let busiest = days.iter().rev().max_by_key(of_day);
    busiest.map_or_else(Parts::new, |day| {
        by(day["counts"].as_array().unwrap(), "age_band", "people")
    })
}

/// Compares resources, lists, files, balances and figures of Loos-en-Gohelle.
pub async fn everything_says_the_same(world: &World) {
    let World { anyone, agent, .. } = world;
    let figures = figures(world).await;
    let of = |code: &str| figures[code].0;
    let parts = |code: &str| {
        let mut parts = figures[code].1.clone();
        parts.retain(|_, value| *value != 0);
        parts
    };
    let in_commune = |list: &str| format!("/v1/communes/{LOOS}/{list}");

    // Equal numbers say something where there are some.
    for code in [
        "endorsements",
        "initiatives_accepted",
        "initiatives_refused",
        "initiatives_redirected",
        "initiatives_abandoned",
        "headcounts",
        "public_meetings",
        "attendance",
        "value_delivered_by_side",
    ] {
        assert!(of(code) > 0, "{code}");
    }

    // Initiatives: what the list counts is what each says of itself.
    let list = format!("/v1/initiatives?commune={LOOS}");
    let initiatives = anyone.every(&list).await;
    let (mut commitments, mut fulfilments, mut people) = (Vec::new(), Vec::new(), Parts::new());
    let (mut promised, mut delivered) = (0, 0);
    let mut completed = 0;
    for item in &initiatives {
        let path = format!("/v1/initiatives/{}", text(&item["id"]));
        let single = anyone.get(&path).await.ok();
        for shown in [
            "endorsement_count",
            "participant_count",
            "state",
            "published_at",
        ] {
            assert_eq!(single[shown], item[shown], "{shown} of {path}");
        }
        let days = anyone.get(&format!("{path}/headcounts")).await.ok();
        for (band, number) in counted(days["data"].as_array().unwrap()) {
            *people.entry(band).or_default() += number;
        }
        let history = anyone.every(&format!("{path}/history")).await;
        completed += count(&history, |entry| {
            entry["subject"] == "initiative" && entry["to_state"] == "completed"
        });
        let balance = anyone.get(&format!("{path}/balance")).await.ok();
        promised += number(&balance["promised_cents"]);
        delivered += number(&balance["delivered_cents"]);
        let theirs = anyone.get(&format!("{path}/commitments")).await.ok();
        for commitment in theirs["data"].as_array().unwrap() {
            let path = format!("/v1/commitments/{}/fulfilments", text(&commitment["id"]));
            let done = anyone.get(&path).await.ok();
            let mut acknowledged = done["data"].as_array().unwrap().clone();
            acknowledged.retain(|fulfilment| fulfilment["state"] == "acknowledged");
            let value = sum(&acknowledged, |fulfilment| &fulfilment["value_cents"]);
            assert_eq!(number(&commitment["delivered_cents"]), value, "{path}");
            for mut fulfilment in acknowledged {
                fulfilment["side"] = commitment["side"].clone();
                fulfilment["kind"] = commitment["kind"].clone();
                fulfilments.push(fulfilment);
            }
            commitments.push(commitment.clone());
        }
    }
    let in_state = |state: &str| count(&initiatives, |item| item["state"] == state);
    assert_eq!(
        of("endorsements"),
        sum(&initiatives, |item| &item["endorsement_count"])
    );
    assert_eq!(of("initiatives_refused"), in_state("refused"));
    assert_eq!(of("initiatives_redirected"), in_state("redirected"));
    assert_eq!(of("initiatives_in_progress"), in_state("in_progress"));
    assert_eq!(of("initiatives_abandoned"), in_state("abandoned"));
    assert_eq!(of("initiatives_completed"), completed);
    let decided = [
        "accepted",
        "in_progress",
        "completed",
        "closed",
        "abandoned",
    ];
    let accepted = decided.iter().map(|state| in_state(state)).sum::<i64>();
    assert_eq!(of("initiatives_accepted"), accepted);
    let received = agent.every(&list).await;
    assert_eq!(of("initiatives_submitted"), length(&received));
    assert_eq!(parts("headcounts"), people);
    assert_eq!(of("headcounts"), people.values().sum::<i64>());

    // What each side promised and gave: commitments, balances, figures.
    let listed = anyone.every(&in_commune("commitments")).await;
    let key = |commitment: &Value| text(&commitment["id"]);
    assert_eq!(
        listed
            .iter()
            .map(|item| (key(item), item))
            .collect::<BTreeMap<_, _>>(),
        commitments.iter().map(|item| (key(item), item)).collect()
    );
    assert_eq!(
        parts("value_promised_by_side"),
        by(&commitments, "side", "value_cents")
    );
    assert_eq!(
        parts("value_promised_by_kind"),
        by(&commitments, "kind", "value_cents")
    );
    assert_eq!(
        parts("value_delivered_by_side"),
        by(&fulfilments, "side", "value_cents")
    );
    assert_eq!(
        parts("value_delivered_by_kind"),
        by(&fulfilments, "kind", "value_cents")
    );
    let balance = anyone.get(&in_commune("balance")).await.ok();
    for (field, whole, figure) in [
        ("promised_cents", promised, "value_promised_by_side"),
        ("delivered_cents", delivered, "value_delivered_by_side"),
    ] {
        assert_eq!(number(&balance[field]), whole, "{field}");
        assert_eq!(of(figure), whole, "{figure}");
        for side in ["commune", "holder", "host", "third_party"] {
            let figure = parts(figure).get(side).copied().unwrap_or(0);
            assert_eq!(number(&balance[side][field]), figure, "{field} of {side}");
        }
    }

    // Conventions, meetings, holders, measures.
    let conventions = anyone
        .every(&format!("/v1/conventions?commune={LOOS}"))
        .await;
    let in_force = ["active", "suspended"].map(|state| json!(state));
    assert_eq!(
        of("conventions_active"),
        count(&conventions, |convention| in_force
            .contains(&convention["state"]))
    );
    assert_eq!(
        of("conventions_signed"),
        count(&conventions, |convention| convention["number"] == 1)
    );
    let meetings = anyone.every(&in_commune("meetings")).await;
    let mut held = meetings.clone();
    held.retain(|meeting| meeting["held_on"].as_str() <= Some("2026-06-15"));
    assert!(held.len() < meetings.len(), "some are announced");
    assert_eq!(of("public_meetings"), length(&held));
    assert_eq!(
        of("attendance"),
        sum(&meetings, |meeting| &meeting["attendance"])
    );
    let calendar = anyone.get(&in_commune("meetings.ics")).await.text;
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), meetings.len());
    let holders = agent.every(&in_commune("holders")).await;
    for holder in &holders {
        let members = format!("/v1/holders/{}/members", text(&holder["id"]));
        let members = agent.every(&members).await;
        let active = count(&members, |member| member["state"] == "active");
        assert_eq!(number(&holder["members_count"]), active, "{holder}");
    }
    let mut kinds = Parts::new();
    let mut carrying = Vec::new();
    for item in &initiatives {
        if !carrying.contains(&&item["holder"]["id"]) {
            carrying.push(&item["holder"]["id"]);
            *kinds.entry(text(&item["holder"]["kind"])).or_default() += 1;
        }
    }
    assert_eq!(parts("holders"), kinds);
    let measures = anyone.every(&in_commune("measures")).await;
    let report = format!("/v1/metrics?communes={LOOS}&from=2000&to=2011&indicators=measures");
    let report = anyone.get(&report).await.ok();
    let periods = report["territories"][0]["periods"].as_array().unwrap();
    let reported = periods
        .iter()
        .flat_map(|period| period["measures"].as_array().unwrap());
    assert_eq!(reported.count(), measures.len());

    // Files have a row for each item of the list.
    for (list, items) in [
        (list, &initiatives),
        (format!("/v1/conventions?commune={LOOS}"), &conventions),
        (in_commune("commitments"), &listed),
        (in_commune("meetings"), &meetings),
        (in_commune("measures"), &measures),
    ] {
        let (path, query) = list.split_once('?').unwrap_or((&list, ""));
        let csv = anyone.get(&format!("{path}.csv?{query}")).await.text;
        let lines = anyone.get(&format!("{path}.ndjson?{query}")).await.text;
        let rows = records(&csv);
        assert_eq!(
            (rows.len(), lines.lines().count()),
            (items.len(), items.len()),
            "{list}"
        );
        for (row, item) in rows.iter().zip(items) {
            for shown in [
                "id",
                "endorsement_count",
                "participant_count",
                "attendance",
                "value",
                "value_cents",
                "delivered_cents",
            ] {
                if let Some(cell) = row.get(shown).filter(|cell| !cell.is_empty()) {
                    let said = item[shown]
                        .as_str()
                        .map_or_else(|| item[shown].to_string(), str::to_owned);
                    assert_eq!(cell, &said, "{shown} of {list}");
                }
            }
        }
    }

    // The desk of the town hall: its counts are those of its pages.
    let path = in_commune("worklist");
    let waiting = agent.every(&path).await;
    let counts = agent.get(&path).await.ok();
    for of_kind in counts["counts"].as_array().unwrap() {
        let theirs = |item: &Value| item["kind"] == of_kind["kind"];
        assert_eq!(
            number(&of_kind["total"]),
            count(&waiting, theirs),
            "{of_kind}"
        );
        let late = count(&waiting, |item| theirs(item) && item["is_late"] == true);
        assert_eq!(number(&of_kind["late"]), late, "{of_kind}");
    }
    assert_eq!(
        sum(
            counts["counts"].as_array().unwrap(),
            |of_kind| &of_kind["total"]
        ),
        length(&waiting)
    );
}
