//! What each body receives in each year, counted from the commune's commitments: no database, no clock.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};

use crate::ids::HolderId;

/// EUR 23,000 in cents. Above it a convention is mandatory: article 10 of the law 2000-321 of 12 April 2000, article 1 of
/// the decree 2001-495 of 6 June 2001.
pub const THRESHOLD_CENTS: i64 = 2_300_000;

/// Months between a signature and the publication of the essential data: decree 2017-779 of 5 May 2017.
const MONTHS_TO_PUBLISH: Months = Months::new(3);

/// One commitment of the commune to a body, with what was given of it.
#[derive(Clone, Debug)]
pub struct Help {
    pub body: HolderId,
    /// Money; else help in kind.
    pub money: bool,
    pub value_cents: i64,
    /// Whether the rest is still to come.
    pub pending: bool,
    /// The year of the rest: of the budget, or of the day on which it is due.
    pub year: Option<i32>,
    pub upkeep: Option<Upkeep>,
    /// When the last party signed the terms that count.
    pub signed_on: Option<NaiveDate>,
    /// What was given, and when.
    pub given: Vec<(NaiveDate, i64)>,
}

/// Upkeep by the commune, which is presumed done.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep {
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    /// Its last day, when it ended before its time.
    pub stopped_on: NaiveDate,
}

/// What a body receives in a year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Year {
    pub paid_cents: i64,
    pub owed_cents: i64,
    pub in_kind_cents: i64,
    pub twelve_months_cents: i64,
    pub warning: bool,
    pub publication_due_on: Option<NaiveDate>,
}

impl Year {
    pub const fn total_cents(&self) -> i64 {
        self.paid_cents
            .saturating_add(self.owed_cents)
            .saturating_add(self.in_kind_cents)
    }

    pub const fn is_over(&self) -> bool {
        self.total_cents() > THRESHOLD_CENTS
    }
}

/// A body and a year.
type Key = (HolderId, i32);

/// A part of a commitment that belongs to one year.
struct Part {
    year: i32,
    cents: i64,
    /// When it was given; nothing for what is still to come.
    given_on: Option<NaiveDate>,
}

impl Help {
    fn parts(&self) -> Vec<Part> {
        if let Some(upkeep) = self.upkeep {
            return upkeep.parts(self.value_cents);
        }
        let mut parts: Vec<Part> = self
            .given
            .iter()
            .map(|(day, cents)| Part {
                year: day.year(),
                cents: *cents,
                given_on: Some(*day),
            })
            .collect();
        let given = sum(parts.iter().map(|part| part.cents));
        let rest = self.value_cents.saturating_sub(given);
        if let Some(year) = self.year.filter(|_| self.pending && rest > 0) {
            parts.push(Part {
                year,
                cents: rest,
                given_on: None,
            });
        }
        parts
    }
}

impl Upkeep {
    /// Equal parts for each day, counted at the end of each month. Nothing is kept up for more than a century.
    fn parts(self, value_cents: i64) -> Vec<Part> {
        let all = i128::from((self.ends_on - self.starts_on).num_days() + 1);
        let until = |day: NaiveDate| {
            let days = i128::from((day - self.starts_on).num_days() + 1);
            i64::try_from(i128::from(value_cents) * days / all).unwrap_or(i64::MAX)
        };
        let last = self.ends_on.min(self.stopped_on);
        let mut parts = Vec::new();
        let mut counted = 0;
        for months in 1..=1200 {
            let next = self
                .starts_on
                .with_day(1)
                .and_then(|first| first.checked_add_months(Months::new(months)));
            let day = next
                .and_then(|next| next.pred_opt())
                .map_or(last, |end| end.min(last));
            if day < self.starts_on {
                break;
            }
            let cents = until(day);
            parts.push(Part {
                year: day.year(),
                cents: cents - counted,
                given_on: Some(day),
            });
            counted = cents;
            if day == last {
                break;
            }
        }
        parts
    }
}

fn sum(cents: impl Iterator<Item = i64>) -> i64 {
    cents.fold(0, i64::saturating_add)
}

/// The figures of each body and year, as they are today.
pub fn years(all: &[Help], today: NaiveDate) -> BTreeMap<Key, Year> {
    let mut years: BTreeMap<Key, Year> = BTreeMap::new();
    let mut signed: BTreeMap<Key, Vec<(Option<NaiveDate>, i64)>> = BTreeMap::new();
    let mut given: BTreeMap<HolderId, Vec<(NaiveDate, i64)>> = BTreeMap::new();
    for help in all {
        for part in help.parts() {
            let year = years.entry((help.body, part.year)).or_default();
            let figure = match (help.money, part.given_on) {
                (true, Some(_)) => &mut year.paid_cents,
                (true, None) => &mut year.owed_cents,
                (false, _) => &mut year.in_kind_cents,
            };
            *figure = figure.saturating_add(part.cents);
            signed
                .entry((help.body, part.year))
                .or_default()
                .push((help.signed_on, part.cents));
            if let Some(day) = part.given_on.filter(|day| *day <= today) {
                given.entry(help.body).or_default().push((day, part.cents));
            }
        }
    }
    for (body, mut days) in given {
        days.sort_unstable();
        for (day, cents) in peaks(&days) {
            let year = years.entry((body, day.year())).or_default();
            year.twelve_months_cents = year.twelve_months_cents.max(cents);
        }
    }
    for (key, mut parts) in signed {
        parts.sort_unstable();
        if let Some(year) = years.get_mut(&key).filter(|year| year.is_over()) {
            let mut total = 0_i64;
            let crossing = parts.into_iter().find(|(_, cents)| {
                total = total.saturating_add(*cents);
                total > THRESHOLD_CENTS
            });
            year.publication_due_on = crossing
                .and_then(|(signed_on, _)| signed_on?.checked_add_months(MONTHS_TO_PUBLISH));
        }
    }
    let over: Vec<Key> = years
        .iter()
        .filter(|(_, year)| year.is_over())
        .map(|(key, _)| *key)
        .collect();
    for ((body, number), year) in &mut years {
        let either = over.contains(&(*body, *number)) || over.contains(&(*body, *number - 1));
        year.warning = year.twelve_months_cents > THRESHOLD_CENTS && !either;
    }
    years
}

/// For each day on which something was given, in order, what was given within the twelve months that end on it.
fn peaks(days: &[(NaiveDate, i64)]) -> Vec<(NaiveDate, i64)> {
    let mut window: std::collections::VecDeque<(NaiveDate, i64)> =
        std::collections::VecDeque::new();
    let mut peaks = Vec::new();
    for (day, cents) in days {
        window.push_back((*day, *cents));
        let before = day.checked_sub_months(Months::new(12));
        while window
            .front()
            .is_some_and(|(first, _)| Some(*first) <= before)
        {
            window.pop_front();
        }
        peaks.push((*day, sum(window.iter().map(|(_, cents)| *cents))));
    }
    peaks
}

/// When the financial report of a year is due: six months after its end.
pub fn report_due_on(year: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year.checked_add(1)?, 6, 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: HolderId = HolderId(uuid::Uuid::nil());

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn money(value_cents: i64, year: i32, signed_on: &str, given: &[(&str, i64)]) -> Help {
        Help {
            body: BODY,
            money: true,
            value_cents,
            pending: true,
            year: Some(year),
            upkeep: None,
            signed_on: Some(day(signed_on)),
            given: given.iter().map(|(on, cents)| (day(on), *cents)).collect(),
        }
    }

    fn figures(all: &[Help], today: &str) -> BTreeMap<i32, Year> {
        years(all, day(today))
            .into_iter()
            .map(|((_, number), year)| (number, year))
            .collect()
    }

    #[test]
    fn what_is_paid_counts_in_its_year_and_the_rest_in_that_of_its_budget() {
        let all = [money(
            1_000,
            2025,
            "2025-03-01",
            &[("2025-12-31", 300), ("2026-01-01", 200)],
        )];
        let years = figures(&all, "2026-06-15");
        assert_eq!(
            (years[&2025].paid_cents, years[&2025].owed_cents),
            (300, 500)
        );
        assert_eq!((years[&2026].paid_cents, years[&2026].owed_cents), (200, 0));
        assert_eq!(years[&2026].twelve_months_cents, 500);
    }

    #[test]
    fn the_threshold_is_passed_by_one_cent_and_publication_follows_the_signature_that_passed_it() {
        let at = |cents| {
            [
                money(THRESHOLD_CENTS - 1, 2026, "2026-01-31", &[]),
                money(cents, 2026, "2026-11-30", &[]),
            ]
        };
        assert!(!figures(&at(1), "2026-12-01")[&2026].is_over());
        let over = figures(&at(2), "2026-12-01");
        assert!(over[&2026].is_over());
        // The end of February.
        assert_eq!(over[&2026].publication_due_on, Some(day("2027-02-28")));
    }

    #[test]
    fn twelve_months_warn_where_no_calendar_year_is_above() {
        let all = |second: &str| {
            [money(
                4_000_000,
                2030,
                "2025-01-01",
                &[("2025-07-01", 2_000_000), (second, 2_000_000)],
            )]
        };
        let near = figures(&all("2026-06-30"), "2026-07-01");
        assert_eq!(near[&2026].twelve_months_cents, 4_000_000);
        assert!(near[&2026].warning && !near[&2026].is_over() && !near[&2025].warning);
        // A year later to the day is the next twelve months; what is not given yet warns nobody.
        assert!(!figures(&all("2026-07-01"), "2026-07-01")[&2026].warning);
        assert!(!figures(&all("2026-06-30"), "2026-06-29")[&2026].warning);
    }

    #[test]
    fn nobody_is_warned_of_what_a_calendar_year_says_already() {
        let all = [money(
            4_000_000,
            2030,
            "2025-01-01",
            &[("2025-12-31", 3_000_000), ("2026-01-01", 1)],
        )];
        let years = figures(&all, "2026-07-01");
        assert!(years[&2025].is_over() && !years[&2025].warning && !years[&2026].warning);
    }

    #[test]
    fn upkeep_counts_day_by_day_and_to_the_cent() {
        let upkeep = |stopped_on: &str| Help {
            money: false,
            year: None,
            upkeep: Some(Upkeep {
                starts_on: day("2027-12-31"),
                ends_on: day("2028-12-31"),
                stopped_on: day(stopped_on),
            }),
            ..money(1_000, 0, "2027-01-01", &[])
        };
        let whole = figures(&[upkeep("2028-12-31")], "2028-02-29");
        assert_eq!(whole[&2027].in_kind_cents, 1_000 / 367);
        assert_eq!(whole[&2028].in_kind_cents, 1_000 - 1_000 / 367);
        // Two days of the old year and the new one, and two months of a leap year, are over.
        assert_eq!(whole[&2028].twelve_months_cents, 1_000 * 61 / 367);
        let stopped = figures(&[upkeep("2027-12-31")], "2028-02-29");
        assert_eq!(stopped.keys().collect::<Vec<_>>(), [&2027]);
        assert!(figures(&[upkeep("2027-12-30")], "2028-02-29").is_empty());
    }

    #[test]
    fn a_report_is_due_in_june() {
        assert_eq!(report_due_on(2026), Some(day("2027-06-30")));
    }
}
