//! From cases to values: medians, rates, and the years that are taken together where one has too few cases.

use bigdecimal::{BigDecimal, RoundingMode, Zero};

use super::indicators::IndicatorKind;
use crate::figures::{self, ratio};

/// With fewer cases in a year than this, a rate or median takes three years together.
const ENOUGH: i64 = 5;
/// How many years before it a year takes with it.
pub const POOL: u32 = 2;

/// Cases of one territory, indicator, group and period that have a part (and, of medians, a value) in common.
#[derive(Clone, Debug)]
pub struct Cases {
    pub part: Option<String>,
    /// Of medians the value that they share, of others the sum.
    pub value: BigDecimal,
    /// Of rates the sum of what is divided by.
    pub base: Option<BigDecimal>,
    pub n: i64,
}

/// The value of an indicator in one period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    pub value: Option<BigDecimal>,
    pub n: Option<i64>,
    /// Whether the years before were taken with it.
    pub is_pooled: bool,
    /// Sums by part, where there are parts.
    pub parts: Vec<(String, BigDecimal)>,
}

/// The value of an indicator in a period, from its cases; and, for rates, means and medians of a year with too few cases,
/// from those of the two years before.
pub fn figure(
    kind: IndicatorKind,
    population: Option<i64>,
    cases: &[Cases],
    before: Option<&[&[Cases]]>,
) -> Figure {
    match kind {
        IndicatorKind::Total | IndicatorKind::Stock => total(cases),
        IndicatorKind::PerResident => Figure {
            value: ratio(&sum(cases), &BigDecimal::from(population.unwrap_or(0)), 2),
            ..Figure::default()
        },
        IndicatorKind::Median | IndicatorKind::Mean | IndicatorKind::Rate => {
            let earlier = before.filter(|_| count(cases) < ENOUGH);
            let all: Vec<&Cases> = earlier
                .into_iter()
                .flatten()
                .copied()
                .chain([cases])
                .flatten()
                .collect();
            Figure {
                value: if kind == IndicatorKind::Median {
                    median(&all)
                } else {
                    rate(&all)
                },
                n: Some(all.iter().map(|cases| cases.n).sum()),
                is_pooled: earlier.is_some(),
                parts: Vec::new(),
            }
        }
        // What is reported by hand stands beside the figures.
        IndicatorKind::Reported => Figure::default(),
    }
}

/// A figure for a thousand residents, rounded to two decimals; of rates, means and medians it says nothing.
pub fn per_thousand(
    kind: IndicatorKind,
    value: Option<&BigDecimal>,
    population: Option<i64>,
) -> Option<BigDecimal> {
    if !matches!(kind, IndicatorKind::Total | IndicatorKind::Stock) {
        return None;
    }
    let thousandfold = value? * BigDecimal::from(1000);
    ratio(&thousandfold, &BigDecimal::from(population.unwrap_or(0)), 2)
}

fn count(cases: &[Cases]) -> i64 {
    cases.iter().map(|cases| cases.n).sum()
}

fn sum(cases: &[Cases]) -> BigDecimal {
    cases.iter().map(|cases| &cases.value).sum()
}

fn total(cases: &[Cases]) -> Figure {
    let rounded = |number: &BigDecimal| number.with_scale_round(2, RoundingMode::HalfUp);
    Figure {
        value: Some(rounded(&sum(cases))),
        parts: cases
            .iter()
            .filter_map(|cases| Some((cases.part.clone()?, rounded(&cases.value))))
            .collect(),
        ..Figure::default()
    }
}

fn rate(cases: &[&Cases]) -> Option<BigDecimal> {
    let part: BigDecimal = cases.iter().map(|cases| &cases.value).sum();
    let whole: BigDecimal = cases.iter().filter_map(|cases| cases.base.as_ref()).sum();
    figures::rate(&part, &whole)
}

/// The value in the middle; between two, the mean of both.
fn median(cases: &[&Cases]) -> Option<BigDecimal> {
    let mut sorted: Vec<&Cases> = cases.iter().copied().filter(|cases| cases.n > 0).collect();
    sorted.sort_by(|a, b| a.value.cmp(&b.value));
    let n: i64 = sorted.iter().map(|cases| cases.n).sum();
    let at = |place: i64| {
        let mut seen = 0;
        sorted.iter().find_map(|cases| {
            seen += cases.n;
            (seen > place).then_some(&cases.value)
        })
    };
    let (low, high) = (at((n - 1) / 2)?, at(n / 2)?);
    let mean = (low + high).half();
    Some(if mean.is_zero() {
        BigDecimal::zero()
    } else {
        mean
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::plain;

    fn cases(value: i64, base: Option<i64>, n: i64) -> Cases {
        Cases {
            part: None,
            value: BigDecimal::from(value),
            base: base.map(BigDecimal::from),
            n,
        }
    }

    fn of(
        kind: IndicatorKind,
        years: &[(i32, Vec<Cases>)],
        year: i32,
    ) -> (Option<String>, Option<i64>, bool) {
        let cases_of = |year| {
            years
                .iter()
                .find(|(known, _)| *known == year)
                .map_or(&[][..], |(_, cases)| cases.as_slice())
        };
        let before = [cases_of(year - 2), cases_of(year - 1)];
        let figure = figure(kind, Some(100), cases_of(year), Some(&before));
        (
            figure.value.map(|value| plain(&value)),
            figure.n,
            figure.is_pooled,
        )
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let of_days = |days: &[(i64, i64)]| {
            let cases: Vec<Cases> = days
                .iter()
                .map(|(value, n)| cases(*value, None, *n))
                .collect();
            median(&cases.iter().collect::<Vec<_>>()).map(|value| plain(&value))
        };
        assert_eq!(of_days(&[]), None);
        assert_eq!(of_days(&[(7, 1)]).as_deref(), Some("7"));
        assert_eq!(of_days(&[(30, 1), (1, 1), (2, 1)]).as_deref(), Some("2"));
        assert_eq!(of_days(&[(1, 1), (4, 1)]).as_deref(), Some("2.5"));
        assert_eq!(of_days(&[(1, 3), (90, 2)]).as_deref(), Some("1"));
        assert_eq!(of_days(&[(1, 2), (90, 2)]).as_deref(), Some("45.5"));
    }

    #[test]
    fn few_cases_take_three_years_together() {
        let years = [
            (2024, vec![cases(10, Some(100), 4)]),
            (2025, vec![cases(80, Some(100), 5)]),
            (2026, vec![cases(60, Some(100), 1)]),
        ];
        let rate = IndicatorKind::Rate;
        assert_eq!(
            of(rate, &years, 2025),
            (Some("0.8".to_owned()), Some(5), false)
        );
        assert_eq!(
            of(rate, &years, 2026),
            (Some("0.5".to_owned()), Some(10), true)
        );
        assert_eq!(of(rate, &years, 2023), (None, Some(0), true));
    }

    #[test]
    fn a_rate_of_nothing_has_no_value() {
        let years = [(2026, vec![cases(0, Some(0), 6)])];
        assert_eq!(
            of(IndicatorKind::Rate, &years, 2026),
            (None, Some(6), false)
        );
    }

    #[test]
    fn totals_add_up_and_residents_are_never_zero() {
        let years = [(2026, vec![cases(150, None, 2), cases(50, None, 1)])];
        assert_eq!(
            of(IndicatorKind::Total, &years, 2026).0.as_deref(),
            Some("200")
        );
        assert_eq!(
            of(IndicatorKind::Total, &years, 2025).0.as_deref(),
            Some("0")
        );
        assert_eq!(
            of(IndicatorKind::PerResident, &years, 2026).0.as_deref(),
            Some("2")
        );
        for nobody in [None, Some(0)] {
            let figure = figure(IndicatorKind::PerResident, nobody, &years[0].1, None);
            assert_eq!(figure.value, None);
        }
    }

    #[test]
    fn what_is_counted_is_set_against_the_residents() {
        let of = |kind, population| {
            let value = BigDecimal::from(7);
            per_thousand(kind, Some(&value), population).map(|value| plain(&value))
        };
        assert_eq!(
            of(IndicatorKind::Total, Some(6700)).as_deref(),
            Some("1.04")
        );
        assert_eq!(of(IndicatorKind::Total, Some(0)), None);
        assert_eq!(of(IndicatorKind::Total, None), None);
        assert_eq!(of(IndicatorKind::Rate, Some(6700)), None);
    }

    #[test]
    fn parts_stand_beside_the_total() {
        let mut labour = cases(5, None, 1);
        labour.part = Some("labour".to_owned());
        let figure = figure(
            IndicatorKind::Total,
            None,
            std::slice::from_ref(&labour),
            None,
        );
        assert_eq!(figure.parts.len(), 1);
        assert_eq!(figure.parts[0].0, "labour");
    }
}
