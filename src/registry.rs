//! SIRET: the number of an establishment of a company, school or association. The database holds the same rule; here it
//! comes as a fault of the body. The rule of the RNA stands in the schema.

/// SIREN of La Poste, whose many establishments do not follow Luhn's formula.
const LA_POSTE: &str = "356000000";

/// Whether this is the SIRET of an establishment: 14 digits that follow Luhn's formula. Those of La Poste need only
/// sum to a multiple of 5.
pub fn is_siret(text: &str) -> bool {
    let Some(digits) = digits(text).filter(|digits| digits.len() == 14) else {
        return false;
    };
    follows_luhn(&digits)
        || (text.starts_with(LA_POSTE) && digits.iter().sum::<u32>().is_multiple_of(5))
}

fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

/// From the right, every second digit counts twice, less 9 when that is more than 9; the sum ends in 0.
fn follows_luhn(digits: &[u32]) -> bool {
    let counted = |(place, digit): (usize, &u32)| match (place % 2, *digit) {
        (0, digit) => digit,
        (_, digit) if digit > 4 => digit * 2 - 9,
        (_, digit) => digit * 2,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(counted).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_siret_follows_luhn() {
        // An establishment of the commune of Loos-en-Gohelle first.
        for good in ["21620528600018", "73282932000074", "00000000000000"] {
            assert!(is_siret(good), "{good}");
        }
        for bad in [
            "21620528600019",
            "12620528600018",
            "2162052860001",
            "216205286000180",
            "2162052860001X",
            "٢١٦٢٠٥٢٨٦٠٠٠١٨",
            "",
        ] {
            assert!(!is_siret(bad), "{bad}");
        }
    }

    #[test]
    fn la_poste_has_a_rule_of_its_own() {
        // The head office follows Luhn too; the others only sum to a multiple of 5.
        for good in ["35600000000048", "35600000000006", "35600000049837"] {
            assert!(is_siret(good), "{good}");
        }
        for bad in ["35600000000002", "35600000049838", "35600000100048"] {
            assert!(!is_siret(bad), "{bad}");
        }
        // What sums to a multiple of 5 counts for La Poste alone.
        assert!(!is_siret("35600100000000"));
    }
}
