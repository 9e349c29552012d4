//! Figures in answers: decimal numbers as text, exact and without exponent.

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive, Zero};

/// "73", "0.5": no exponent, no zeros at the end.
pub fn plain(number: &BigDecimal) -> String {
    let mut text = number.to_plain_string();
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// A part of a whole, rounded to so many decimals; nothing where the whole is zero.
pub fn ratio(part: &BigDecimal, whole: &BigDecimal, decimals: i64) -> Option<BigDecimal> {
    let exact = || (part / whole).with_scale_round(decimals, RoundingMode::HalfUp);
    (!whole.is_zero()).then(|| quotient(part, whole, decimals).unwrap_or_else(exact))
}

/// The same in whole numbers, where these have room: `BigDecimal` divides to a hundred digits, which took a third of the time
/// of an answer.
fn quotient(part: &BigDecimal, whole: &BigDecimal, decimals: i64) -> Option<BigDecimal> {
    let ten = |power: i64| 10_i128.checked_pow(u32::try_from(power).ok()?);
    let (part, part_scale) = part.as_bigint_and_scale();
    let (whole, whole_scale) = whole.as_bigint_and_scale();
    let (mut part, mut whole) = (part.to_i128()?, whole.to_i128()?);
    let more = decimals.checked_add(whole_scale)?.checked_sub(part_scale)?;
    if more < 0 {
        whole = whole.checked_mul(ten(more.checked_neg()?)?)?;
    } else {
        part = part.checked_mul(ten(more)?)?;
    }
    let (down, rest) = (part.checked_div(whole)?, part.checked_rem(whole)?);
    let is_half = rest.unsigned_abs() >= whole.unsigned_abs() - rest.unsigned_abs();
    let away = i128::from(is_half) * part.signum() * whole.signum();
    Some(BigDecimal::new((down + away).into(), decimals))
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

    #[test]
    fn whole_numbers_say_what_decimals_say() {
        for (part, whole) in [
            ("1", "3"),
            ("-1", "8"),
            ("0.5", "3e3"),
            ("123456789.125", "0.03"),
            ("1e3", "-7"),
            ("0", "-7"),
            ("0.00005", "1"),
            ("-0.00005", "1"),
            ("0.00004", "1"),
            ("99999.99995", "1"),
        ] {
            let (part, whole) = (
                part.parse::<BigDecimal>().unwrap(),
                whole.parse::<BigDecimal>().unwrap(),
            );
            let exact = (&part / &whole).with_scale_round(4, RoundingMode::HalfUp);
            assert_eq!(quotient(&part, &whole, 4), Some(exact), "{part} / {whole}");
        }
        let huge: BigDecimal = format!("1{}", "0".repeat(60)).parse().unwrap();
        assert_eq!(quotient(&huge, &BigDecimal::from(3), 4), None);
        assert_eq!(plain(&ratio(&huge, &huge, 4).unwrap()), "1");
    }
}
