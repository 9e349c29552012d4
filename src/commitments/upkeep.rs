//! Upkeep that comes again: the rule, and the days on which it is due. They are computed, never stored; a row is
//! written when somebody has looked. Days are days of the calendar, so that no change of the hour moves them.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::codes;

codes! {
    /// How often an upkeep is due.
    pub enum Frequency "frequencies" {
        Weekly = "weekly", "Chaque semaine", "Each week";
        Monthly = "monthly", "Chaque mois", "Each month";
        Seasonal = "seasonal", "Chaque saison", "Each season";
        Yearly = "yearly", "Chaque année", "Each year";
    }

    /// A day of the week.
    pub enum Weekday "weekdays" {
        Monday = "monday", "lundi", "Monday";
        Tuesday = "tuesday", "mardi", "Tuesday";
        Wednesday = "wednesday", "mercredi", "Wednesday";
        Thursday = "thursday", "jeudi", "Thursday";
        Friday = "friday", "vendredi", "Friday";
        Saturday = "saturday", "samedi", "Saturday";
        Sunday = "sunday", "dimanche", "Sunday";
    }

    /// A month of the year.
    pub enum Month "months" {
        January = "january", "janvier", "January";
        February = "february", "février", "February";
        March = "march", "mars", "March";
        April = "april", "avril", "April";
        May = "may", "mai", "May";
        June = "june", "juin", "June";
        July = "july", "juillet", "July";
        August = "august", "août", "August";
        September = "september", "septembre", "September";
        October = "october", "octobre", "October";
        November = "november", "novembre", "November";
        December = "december", "décembre", "December";
    }
}

const fn one() -> i32 {
    1
}

/// How an upkeep comes again, counted from its first day.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"frequency": "weekly", "interval": 1, "weekday": "saturday", "months": ["may", "june", "july", "august", "september"]}))]
pub struct Recurrence {
    /// How often. A season is three months. A day that a month does not have is its last one: the 31st falls on 30
    /// April, and 29 February on the 28th in most years.
    pub frequency: Frequency,
    /// Every so many weeks, months, seasons or years.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 99, default = 1)]
    pub interval: i32,
    /// On this day of the week, of what is weekly; that of the first day when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub weekday: Option<Weekday>,
    /// In these months only, of what is weekly or monthly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_items = 1, max_items = 12)]
    pub months: Option<Vec<Month>>,
}

/// Where nothing is said, somebody looks once a season.
pub const EACH_SEASON: Recurrence = Recurrence {
    frequency: Frequency::Seasonal,
    interval: 1,
    weekday: None,
    months: None,
};

crate::db::jsonb!(Recurrence);

/// The time of an upkeep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Upkeep {
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// How it comes again; once a season when it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recurrence: Option<Recurrence>,
}

impl Upkeep {
    /// What is wrong with it, in French and in English.
    pub fn complaint(&self) -> Option<(&'static str, &'static str)> {
        let frequency = self.recurrence().frequency;
        let recurrence = self.recurrence();
        if self.ends_on < self.starts_on {
            Some((
                "La fin de l'entretien précède son début.",
                "The upkeep ends before it starts.",
            ))
        } else if recurrence.weekday.is_some() && frequency != Frequency::Weekly {
            Some((
                "weekday : pour ce qui revient chaque semaine.",
                "weekday: for what comes each week.",
            ))
        } else if recurrence.months.is_some()
            && !matches!(frequency, Frequency::Weekly | Frequency::Monthly)
        {
            Some((
                "months : pour ce qui revient chaque semaine ou chaque mois.",
                "months: for what comes each week or each month.",
            ))
        } else if self.occurrences(self.starts_on).next().is_none() {
            Some((
                "Cette règle ne donne aucun jour entre le début et la fin de l'entretien.",
                "This rule gives no day between the start and the end of the upkeep.",
            ))
        } else {
            None
        }
    }

    fn recurrence(&self) -> &Recurrence {
        self.recurrence.as_ref().unwrap_or(&EACH_SEASON)
    }

    /// The days on which it is due, from a day on.
    pub fn occurrences(&self, from: NaiveDate) -> impl Iterator<Item = NaiveDate> + use<'_> {
        let rule = self.recurrence();
        let interval = u32::try_from(rule.interval).unwrap_or(1).max(1);
        let first = match rule.weekday {
            Some(weekday) if rule.frequency == Frequency::Weekly => {
                self.starts_on.iter_days().find(|day| is_on(*day, weekday))
            }
            _ => Some(self.starts_on),
        };
        let months = match rule.frequency {
            Frequency::Weekly => 0,
            Frequency::Monthly => interval,
            Frequency::Seasonal => interval.saturating_mul(3),
            Frequency::Yearly => interval.saturating_mul(12),
        };
        // Each day is counted from the first, so that a short month shortens no later one.
        let nth = move |n: u32| match months {
            0 => first?.checked_add_days(Days::new(u64::from(n) * u64::from(interval) * 7)),
            months => first?.checked_add_months(Months::new(n.checked_mul(months)?)),
        };
        let passed = first.map_or(0, |first| match months {
            0 => (from - first).num_days() / (7 * i64::from(interval)),
            months => {
                let between = i64::from(from.year() - first.year()) * 12 + i64::from(from.month())
                    - i64::from(first.month());
                between / i64::from(months)
            }
        });
        // One earlier: a month that has begun may not have come to its day.
        let begin = u32::try_from(passed.saturating_sub(1)).unwrap_or(0);
        (begin..)
            .map_while(nth)
            .take_while(|day| *day <= self.ends_on)
            .filter(move |day| *day >= from)
            .filter(|day| {
                let among = |months: &Vec<Month>| months.iter().any(|month| is_in(*day, *month));
                rule.months.as_ref().is_none_or(among)
            })
    }
}

fn is_on(day: NaiveDate, weekday: Weekday) -> bool {
    usize::try_from(day.weekday().num_days_from_monday())
        .is_ok_and(|place| Weekday::ALL.get(place) == Some(&weekday))
}

fn is_in(day: NaiveDate, month: Month) -> bool {
    usize::try_from(day.month0()).is_ok_and(|place| Month::ALL.get(place) == Some(&month))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn upkeep(rule: serde_json::Value, starts_on: &str, ends_on: &str) -> Upkeep {
        Upkeep {
            starts_on: day(starts_on),
            ends_on: day(ends_on),
            recurrence: serde_json::from_value(rule).unwrap(),
        }
    }

    fn days(upkeep: &Upkeep, from: &str) -> Vec<String> {
        upkeep
            .occurrences(day(from))
            .map(|day| day.to_string())
            .collect()
    }

    #[test]
    fn a_day_that_a_month_does_not_have_is_its_last_one() {
        let monthly = upkeep(
            serde_json::json!({"frequency": "monthly"}),
            "2027-10-31",
            "2028-05-31",
        );
        assert_eq!(
            days(&monthly, "2027-10-31"),
            [
                "2027-10-31",
                "2027-11-30",
                "2027-12-31",
                "2028-01-31",
                "2028-02-29",
                "2028-03-31",
                "2028-04-30",
                "2028-05-31"
            ]
        );
        let leap = upkeep(
            serde_json::json!({"frequency": "yearly"}),
            "2024-02-29",
            "2029-12-31",
        );
        assert_eq!(
            days(&leap, "2024-01-01"),
            [
                "2024-02-29",
                "2025-02-28",
                "2026-02-28",
                "2027-02-28",
                "2028-02-29",
                "2029-02-28"
            ]
        );
    }

    #[test]
    fn weeks_count_on_through_the_turn_of_the_year_and_of_the_hour() {
        let weekly = upkeep(
            serde_json::json!({"frequency": "weekly", "interval": 2, "weekday": "sunday"}),
            "2026-10-14",
            "2027-04-30",
        );
        assert_eq!(
            days(&weekly, "2026-10-14")[..7],
            [
                "2026-10-18",
                "2026-11-01",
                "2026-11-15",
                "2026-11-29",
                "2026-12-13",
                "2026-12-27",
                "2027-01-10"
            ]
        );
        assert_eq!(days(&weekly, "2027-03-15")[0], "2027-03-21");
        assert_eq!(days(&weekly, "2027-03-28")[0], "2027-04-04");
    }

    #[test]
    fn only_the_months_that_are_named() {
        let watering = upkeep(
            serde_json::json!({"frequency": "weekly", "months": ["may", "september"]}),
            "2026-05-04",
            "2027-05-10",
        );
        let all = days(&watering, "2026-01-01");
        assert_eq!(all.len(), 4 + 4 + 2);
        assert_eq!(all.last().unwrap(), "2027-05-10");
        let never = upkeep(
            serde_json::json!({"frequency": "monthly", "interval": 12, "months": ["may"]}),
            "2026-06-01",
            "2029-06-01",
        );
        assert!(never.complaint().is_some());
    }

    #[test]
    fn without_a_rule_somebody_looks_once_a_season() {
        let plain = upkeep(serde_json::Value::Null, "2026-11-30", "2027-12-31");
        assert_eq!(
            days(&plain, "2026-11-30"),
            [
                "2026-11-30",
                "2027-02-28",
                "2027-05-30",
                "2027-08-30",
                "2027-11-30"
            ]
        );
    }

    #[test]
    fn from_any_day_on_they_are_the_same() {
        for rule in [
            serde_json::json!({"frequency": "weekly", "interval": 3, "weekday": "friday"}),
            serde_json::json!({"frequency": "monthly", "interval": 1}),
            serde_json::json!({"frequency": "seasonal", "interval": 1}),
            serde_json::json!({"frequency": "yearly", "interval": 2}),
        ] {
            let upkeep = upkeep(rule, "2023-12-31", "2031-03-01");
            let all: Vec<NaiveDate> = upkeep.occurrences(upkeep.starts_on).collect();
            for from in day("2023-11-01").iter_days().take(2800) {
                let next = all.iter().copied().find(|day| *day >= from);
                assert_eq!(upkeep.occurrences(from).next(), next, "{upkeep:?} {from}");
            }
        }
    }
}
