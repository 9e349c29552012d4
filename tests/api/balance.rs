//! The balance, added up by hand: every figure follows from what the API shows.

use serde_json::{Value, json};

use crate::commitments::bound;
use crate::initiatives::accepted;
use crate::support::app::{LOOS, World};
use crate::support::{Client, TestApp};

const SIDES: [&str; 4] = ["commune", "holder", "host", "third_party"];
const KINDS: [&str; 6] = [
    "financial",
    "material",
    "technical",
    "labour",
    "premises",
    "advice",
];

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let place = self.below(u64::try_from(all.len()).unwrap());
        all[usize::try_from(place).unwrap()]
    }

    /// A quantity with up to three decimals.
    fn quantity(&mut self, limit: u64) -> String {
        format!("{}.{:03}", 1 + self.below(limit), self.below(1000))
    }

    fn promise(&mut self) -> Value {
        let side = self.of(&["commune", "holder", "third_party"]);
        let kind = if side == "commune" {
            self.of(&["financial", "material", "advice"])
        } else {
            self.of(&["material", "labour", "premises", "financial"])
        };
        let mut promise = json!({"side": side, "kind": kind, "title": "Promesse",
            "due_on": self.of(&["2026-07-31", "2026-09-30", "2026-10-01", "2027-01-31"])});
        if kind == "financial" {
            promise["amount_cents"] = json!(1 + self.below(90_000));
        } else {
            promise["valuation"] = json!({"quantity": self.quantity(40), "unit": "unité",
                "unit_value_cents": self.below(2_500), "method": "replacement_cost"});
        }
        if side == "commune" {
            promise["route"] = json!(if kind == "financial" {
                "purchase"
            } else {
                "in_kind"
            });
            if kind == "financial" {
                promise["budget_year"] = json!(2026);
            }
        }
        if side == "third_party" {
            promise["third_party_name"] = json!("La coopérative");
        }
        promise
    }
}

fn upkeep() -> Value {
    json!({"side": "holder", "kind": "labour", "title": "Entretien",
        "upkeep": {"starts_on": "2026-06-15", "ends_on": "2028-06-14"},
        "valuation": {"quantity": "60", "unit": "heure", "unit_value_cents": 1207, "method": "hourly_rate"}})
}

/// Records up to three fulfilments of a promise; the other side acknowledges some of them.
async fn fulfil(world: &World, dice: &mut Dice, path: &str) {
    let promise = world.agent.get(path).await.ok();
    let (own, other) = if promise["side"] == "commune" {
        (&world.agent, &world.camille)
    } else {
        (&world.camille, &world.official)
    };
    for _ in 0..dice.below(4) {
        let mut done = json!({"done_on": "2026-06-15", "evidence": "Bon"});
        if promise["kind"] == "financial" {
            let share = promise["value_cents"].as_i64().unwrap() / 3;
            if share == 0 {
                return;
            }
            done["amount_cents"] = json!(share);
        } else if promise["valuation"]["unit"] == "heure" {
            let line = |dice: &mut Dice| json!({"worked_on": "2026-06-15", "minutes": 1 + dice.below(500), "people": 1 + dice.below(9)});
            done["timesheet"] = json!([line(dice), line(dice)]);
        } else {
            done["quantity"] = json!(dice.quantity(20));
        }
        let reply = own.post(&format!("{path}/fulfilments"), done).await;
        if reply.status == 409 {
            // It is done already.
            return;
        }
        let fulfilment = reply.header("location").to_owned();
        reply.created();
        match dice.below(4) {
            0 => {}
            1 => {
                let reason = json!({"reason": "Rien n'est venu."});
                other.act(&fulfilment, "dispute", reason).await.ok();
            }
            _ => drop(
                other
                    .act(&fulfilment, "acknowledge", Value::Null)
                    .await
                    .ok(),
            ),
        }
    }
}

/// An integer of JSON.
fn int(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

/// A quantity at a value for each unit, rounded half up.
fn valued(quantity: &Value, unit_value: &Value) -> i64 {
    let text = quantity.as_str().unwrap();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let thousandths: i64 = format!("{whole}{part:0<3}").parse().unwrap();
    (thousandths * int(unit_value) + 500) / 1000
}

/// What is due of a commitment and whether it is late, from its dates and its occurrences.
async fn due(who: &Client, commitment: &Value, path: &str, today: &str) -> Option<(String, bool)> {
    let state = commitment["state"].as_str().unwrap();
    if let Some(due_on) = commitment["due_on"].as_str() {
        let pending = ["binding", "partially_fulfilled"].contains(&state);
        return pending.then(|| (due_on.to_owned(), due_on < today));
    }
    if state != "binding" {
        return None;
    }
    let list = who.get(&format!("{path}/occurrences")).await.ok();
    let occurrences = list["data"].as_array().unwrap();
    let day = |one: &Value| one["occurs_on"].as_str().unwrap().to_owned();
    let last = occurrences.iter().rfind(|one| *day(one) <= *today);
    if let Some(missed) = last.filter(|one| one["state"] == "not_done") {
        return Some((day(missed), true));
    }
    let next = occurrences
        .iter()
        .find(|one| *day(one) >= *today && one["checked_at"].is_null());
    next.map(|one| (day(one), false))
}

/// The balance of these commitments, from their terms, fulfilments and occurrences alone.
async fn by_hand(who: &Client, commitments: &[Value], today: &str) -> Value {
    let mut sums = vec![[[0_i64; 2]; KINDS.len()]; SIDES.len()];
    let (mut counted, mut late, mut dues) = (0, 0, Vec::new());
    for commitment in commitments {
        let path = format!("/v1/commitments/{}", commitment["id"].as_str().unwrap());
        let value = int(&commitment["value_cents"]);
        let valuation = &commitment["valuation"];
        if !valuation.is_null() {
            assert_eq!(
                value,
                valued(&valuation["quantity"], &valuation["unit_value_cents"])
            );
        }
        let fulfilments = who.get(&format!("{path}/fulfilments")).await.ok();
        let mut delivered = 0;
        for done in fulfilments["data"].as_array().unwrap() {
            let rate = &valuation["unit_value_cents"];
            let worth = match (done["amount_cents"].as_i64(), done["minutes"].as_i64()) {
                (Some(amount), _) => amount,
                (None, Some(minutes)) => {
                    let lines = done["timesheet"].as_array().unwrap();
                    let of = |line: &Value| int(&line["minutes"]) * int(&line["people"]);
                    assert_eq!(minutes, lines.iter().map(of).sum::<i64>());
                    (minutes * int(rate) + 30) / 60
                }
                (None, None) => valued(&done["quantity"], rate),
            };
            assert_eq!(worth, int(&done["value_cents"]));
            if done["state"] == "acknowledged" {
                delivered += worth;
            }
        }
        assert_eq!(delivered, int(&commitment["delivered_cents"]));
        let due = due(who, commitment, &path, today).await;
        assert_eq!(
            commitment["next_due_on"],
            json!(due.as_ref().map(|(day, _)| day)),
            "{commitment}"
        );
        let is_late = due.as_ref().is_some_and(|(_, late)| *late);
        assert_eq!(commitment["is_late"], is_late);
        if ["declined", "withdrawn"].contains(&commitment["state"].as_str().unwrap()) {
            continue;
        }
        let place = |all: &[&str], field: &str| {
            all.iter()
                .position(|code| commitment[field] == *code)
                .unwrap()
        };
        let sum = &mut sums[place(&SIDES, "side")][place(&KINDS, "kind")];
        // Marked, so that a kind of which there is something worth nothing is named too.
        sum[0] += value + (1 << 40);
        sum[1] += delivered;
        counted += delivered.min(value);
        if let Some((due_on, is_late)) = due {
            late += i64::from(is_late);
            dues.push((
                !is_late,
                due_on.clone(),
                commitment["id"].as_str().unwrap().to_owned(),
                json!({"commitment_id": commitment["id"], "initiative_id": commitment["initiative_id"],
                    "side": commitment["side"], "title": commitment["title"], "due_on": due_on, "is_late": is_late}),
            ));
        }
    }
    dues.sort_by(|a, b| (&a.0, &a.1, &a.2).cmp(&(&b.0, &b.1, &b.2)));
    let mut balance = json!({});
    let (mut promised, mut delivered, mut residents) = (0, 0, 0);
    for (side, kinds) in SIDES.iter().zip(&sums) {
        let mut named = Vec::new();
        let (mut side_promised, mut side_delivered) = (0, 0);
        for (kind, sum) in KINDS.iter().zip(kinds) {
            if sum[0] == 0 {
                continue;
            }
            let worth = sum[0] % (1 << 40);
            named.push(json!({"kind": kind, "promised_cents": worth, "delivered_cents": sum[1]}));
            side_promised += worth;
            side_delivered += sum[1];
        }
        balance[*side] = json!({"promised_cents": side_promised, "delivered_cents": side_delivered, "kinds": named});
        promised += side_promised;
        delivered += side_delivered;
        if *side != "commune" {
            residents += side_delivered;
        }
    }
    balance["promised_cents"] = json!(promised);
    balance["delivered_cents"] = json!(delivered);
    balance["residents_share"] = if delivered == 0 {
        Value::Null
    } else {
        let rounded = (residents * 20_000 + delivered) / (2 * delivered);
        let text = format!("{}.{:04}", rounded / 10_000, rounded % 10_000);
        json!(text.trim_end_matches('0').trim_end_matches('.'))
    };
    balance["progress"] = if promised == 0 {
        Value::Null
    } else {
        let hundredths = counted * 100 / promised;
        json!(format!("{}.{:02}", hundredths / 100, hundredths % 100))
    };
    balance["late_count"] = json!(late);
    let due: Vec<Value> = dues.into_iter().map(|(.., due)| due).take(20).collect();
    balance["due"] = json!(due);
    balance
}

async fn commitments(who: &Client, initiative: &str) -> (Vec<Value>, Value) {
    let list = who.get(&format!("{initiative}/commitments")).await.ok();
    (
        list["data"].as_array().unwrap().clone(),
        list["balance"].clone(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_can_be_added_up_by_hand() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mayor = world.mayor.with("if-match", "*");
    mayor
        .put(
            &format!("/v1/communes/{LOOS}/envelopes/2026"),
            json!({"amount_cents": 100_000_000}),
        )
        .await
        .ok();
    let mut dice = Dice(50_50);
    let mut in_force = Vec::new();
    for _ in 0..3 {
        // Both columns have something.
        let mut promises = vec![upkeep(), crate::conventions::planters()];
        promises.extend((0..8).map(|_| dice.promise()));
        let (initiative, convention, paths) = bound(&world, promises).await;
        for path in &paths {
            fulfil(&world, &mut dice, path).await;
        }
        in_force.push((initiative, convention, paths));
    }
    // What is on the table, declined or withdrawn is the parties' business.
    let negotiated = accepted(&world).await;
    let reason = json!({"reason": "Pas cette année."});
    for action in [None, Some("decline"), Some("withdraw"), Some("accept")] {
        let reply = world
            .camille
            .post(&format!("{negotiated}/commitments"), upkeep())
            .await;
        let path = reply.header("location").to_owned();
        reply.created();
        match action {
            Some("decline") => drop(world.agent.act(&path, "decline", reason.clone()).await.ok()),
            Some("withdraw") => {
                drop(
                    world
                        .camille
                        .act(&path, "withdraw", reason.clone())
                        .await
                        .ok(),
                );
            }
            Some(other) => drop(world.agent.act(&path, other, Value::Null).await.ok()),
            None => {}
        }
    }
    // One is taken back from the public.
    let hidden = &in_force[2].0;
    world
        .agent
        .act(hidden, "unpublish", json!({"reason": "Un nom à retirer."}))
        .await
        .ok();
    // One upkeep was neglected, and one was given up.
    let today = "2026-10-01";
    app.travel_to(&format!("{today}T10:00:00Z"));
    let missed = json!({"occurs_on": "2026-09-15", "outcome": "not_done", "remark": "À sec."});
    world
        .agent
        .post(&format!("{}/checks", in_force[0].2[0]), missed)
        .await
        .created();
    world
        .agent
        .act(&in_force[1].2[0], "mark_unfulfilled", reason)
        .await
        .ok();

    for (initiative, convention, _) in &in_force[..2] {
        for who in [&world.anyone, &world.camille, &world.agent] {
            let (shown, beside) = commitments(who, initiative).await;
            let sums = by_hand(who, &shown, today).await;
            assert_eq!(beside, sums);
            let balance = format!("{initiative}/balance");
            assert_eq!(who.get(&balance).await.ok(), sums);
            let held = who.get(convention).await.ok();
            assert_eq!(held["balance"], sums);
            let balance = format!("{convention}/balance");
            assert_eq!(who.get(&balance).await.ok(), sums);
        }
    }
    let (_, sums) = commitments(&world.anyone, &in_force[0].0).await;
    assert!(int(&sums["late_count"]) >= 1, "{sums}");

    // Who negotiates sees what is on the table; what was declined or withdrawn is promised by nobody.
    let (shown, sums) = commitments(&world.camille, &negotiated).await;
    assert_eq!(shown.len(), 4);
    assert_eq!(sums, by_hand(&world.camille, &shown, today).await);
    assert_eq!(sums["holder"]["promised_cents"], 2 * 60 * 1207);
    let public = format!("{negotiated}/balance");
    assert_eq!(
        world.anyone.get(&public).await.ok(),
        by_hand(&world.anyone, &[], today).await
    );

    // The commune: what is public, the same for everybody.
    let page = world
        .anyone
        .get(&format!("/v1/initiatives?commune={LOOS}&limit=100"))
        .await
        .ok();
    let mut all = Vec::new();
    for initiative in page["data"].as_array().unwrap() {
        let path = format!("/v1/initiatives/{}", initiative["id"].as_str().unwrap());
        all.extend(commitments(&world.anyone, &path).await.0);
    }
    assert_eq!(all.len(), 20, "two initiatives in force are public");
    let sums = by_hand(&world.anyone, &all, today).await;
    let path = format!("/v1/communes/{LOOS}/balance");
    for who in [&world.anyone, &world.camille, &world.mayor, &world.admin] {
        assert_eq!(who.get(&path).await.ok(), sums);
    }

    // The metrics count the same.
    let report = world
        .anyone
        .get(&format!(
            "/v1/metrics?communes={LOOS}&from=2026&to=2026&indicators=residents_share,value_promised_by_side,value_delivered_by_side"
        ))
        .await
        .ok();
    let values = &report["territories"][0]["periods"][0]["values"];
    let metric = |code: &str| {
        let values = values.as_array().unwrap();
        let found = values.iter().find(|value| value["indicator"] == code);
        found.unwrap()["value"].clone()
    };
    assert_eq!(metric("residents_share"), sums["residents_share"]);
    for (code, field) in [
        ("value_promised_by_side", "promised_cents"),
        ("value_delivered_by_side", "delivered_cents"),
    ] {
        assert_eq!(metric(code), json!(int(&sums[field]).to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sum_is_too_large() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = accepted(&world).await;
    let mut most = upkeep();
    most["valuation"]["quantity"] = json!("99999999.999");
    most["valuation"]["unit_value_cents"] = json!(100_000_000);
    let made = world
        .camille
        .post(&format!("{initiative}/commitments"), most)
        .await
        .created();
    let id = made["id"].as_str().unwrap();
    app.write_rows(&format!(
        "INSERT INTO commitments (id, commune_code, initiative_id, side, kind, state, title, quantity, unit, unit_value_cents,
            valuation_method, upkeep_starts_on, upkeep_ends_on, proposed_side, proposed_by, state_changed_at, created_at)
         SELECT (left(id::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, commune_code, initiative_id, side, kind, state, title,
            quantity, unit, unit_value_cents, valuation_method, upkeep_starts_on, upkeep_ends_on, proposed_side, proposed_by,
            state_changed_at, created_at
         FROM commitments, generate_series(1, 1000) AS n WHERE id = '{id}'"
    ))
    .await;
    let balance = world
        .camille
        .get(&format!("{initiative}/balance"))
        .await
        .ok();
    assert_eq!(balance["promised_cents"], json!(i64::MAX));
    assert_eq!(balance["progress"], "0.00");
}
