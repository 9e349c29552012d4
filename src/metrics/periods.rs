//! Years, quarters and months, in Europe/Paris.

use chrono::{Datelike, Months, NaiveDate};

use crate::codes::codes;

codes! {
    /// How long a period is.
    pub enum PeriodUnit "period_units" {
        Year = "year", "Année", "Year";
        Quarter = "quarter", "Trimestre", "Quarter";
        Month = "month", "Mois", "Month";
    }
}

impl PeriodUnit {
    const fn months(self) -> u32 {
        match self {
            Self::Year => 12,
            Self::Quarter => 3,
            Self::Month => 1,
        }
    }
}

/// A year, quarter or month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    pub unit: PeriodUnit,
    pub starts_on: NaiveDate,
}

impl Period {
    /// The periods of these years that have begun by a day, the first one first.
    pub fn of_years(unit: PeriodUnit, from: i32, to: i32, today: NaiveDate) -> Vec<Self> {
        let first = NaiveDate::from_ymd_opt(from, 1, 1);
        std::iter::successors(first, |day| {
            day.checked_add_months(Months::new(unit.months()))
        })
        .take_while(|day| day.year() <= to && *day <= today)
        .map(|starts_on| Self { unit, starts_on })
        .collect()
    }

    /// The last day.
    pub fn ends_on(self) -> NaiveDate {
        self.starts_on
            .checked_add_months(Months::new(self.unit.months()))
            .and_then(|next| next.pred_opt())
            .unwrap_or(NaiveDate::MAX)
    }

    /// `2026`, `2026-Q3` or `2026-07`.
    pub fn code(self) -> String {
        let (year, month) = (self.starts_on.year(), self.starts_on.month());
        match self.unit {
            PeriodUnit::Year => format!("{year}"),
            PeriodUnit::Quarter => format!("{year}-Q{}", month.div_ceil(3)),
            PeriodUnit::Month => format!("{year}-{month:02}"),
        }
    }

    /// The period of a code, where it is one.
    pub fn parse(code: &str) -> Option<Self> {
        let (year, rest) = code.split_once('-').unwrap_or((code, ""));
        let (unit, month) = match (rest, rest.strip_prefix('Q')) {
            ("", _) => (PeriodUnit::Year, 1),
            (_, Some(quarter)) => (
                PeriodUnit::Quarter,
                (quarter.parse::<u32>().ok()? * 3).checked_sub(2)?,
            ),
            (month, None) => (PeriodUnit::Month, month.parse().ok()?),
        };
        let starts_on = NaiveDate::from_ymd_opt(year.parse().ok()?, month, 1)?;
        let period = Self { unit, starts_on };
        // One way to write each, with four digits for the year.
        (period.code() == code && year.len() == 4).then_some(period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_a_code_and_two_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (code, starts_on, ends_on) in [
            ("2024", "2024-01-01", "2024-12-31"),
            ("2024-Q1", "2024-01-01", "2024-03-31"),
            ("2024-Q4", "2024-10-01", "2024-12-31"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("2026-12", "2026-12-01", "2026-12-31"),
        ] {
            let period = Period::parse(code).unwrap();
            assert_eq!(
                (period.starts_on, period.ends_on()),
                (day(starts_on), day(ends_on))
            );
            assert_eq!(period.code(), code);
        }
        for wrong in [
            "", "-", "24", "2024-", "2024-Q0", "2024-Q5", "2024-13", "2024-1", "2024-Q", "02024",
            "+2024",
        ] {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn periods_follow_each_other_until_today() {
        let today = NaiveDate::from_ymd_opt(2026, 5, 2).unwrap();
        let codes = |unit, from| {
            let periods = Period::of_years(unit, from, 2026, today);
            periods.into_iter().map(Period::code).collect::<Vec<_>>()
        };
        assert_eq!(codes(PeriodUnit::Year, 2025), ["2025", "2026"]);
        assert_eq!(codes(PeriodUnit::Quarter, 2026), ["2026-Q1", "2026-Q2"]);
        assert_eq!(codes(PeriodUnit::Month, 2026).len(), 5);
        assert_eq!(codes(PeriodUnit::Month, 2025).len(), 17);
    }
}
