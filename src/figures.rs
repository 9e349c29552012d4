//! Figures in answers: decimal numbers as text, exact and without exponent.

use bigdecimal::{BigDecimal, RoundingMode, Zero};

/// "73", "0.5": no exponent, no zeros at the end.
pub fn plain(number: &BigDecimal) -> String {
    number.normalized().to_plain_string()
}

/// A part of a whole, rounded to so many decimals; nothing where the whole is zero.
pub fn ratio(part: &BigDecimal, whole: &BigDecimal, decimals: i64) -> Option<BigDecimal> {
    (!whole.is_zero()).then(|| (part / whole).with_scale_round(decimals, RoundingMode::HalfUp))
}

/// A rate: a part of a whole, rounded to four decimals.
pub fn rate(part: &BigDecimal, whole: &BigDecimal) -> Option<BigDecimal> {
    ratio(part, whole, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (number, text) in [
            ("70", "70"),
            ("73.000", "73"),
            ("0.500", "0.5"),
            ("0", "0"),
            ("-12.30", "-12.3"),
        ] {
            assert_eq!(plain(&number.parse().unwrap()), text);
        }
        assert_eq!(plain(&"7e3".parse().unwrap()), "7000");
    }

    #[test]
    fn a_ratio_of_nothing_is_no_number() {
        let ratio = |part: i64, whole: i64| {
            ratio(&BigDecimal::from(part), &BigDecimal::from(whole), 4).map(|r| plain(&r))
        };
        assert_eq!(ratio(2, 3).as_deref(), Some("0.6667"));
        assert_eq!(ratio(-1, 8).as_deref(), Some("-0.125"));
        assert_eq!(ratio(5, 0), None);
    }
}
