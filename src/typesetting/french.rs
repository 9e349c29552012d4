//! Figures and dates as they stand in French papers, with spaces that do not break.

use bigdecimal::BigDecimal;
use chrono::{Datelike, NaiveDate};

use crate::commitments::upkeep::{Frequency, Month, Recurrence, Weekday};
use crate::figures::plain;

/// The months, the first first.
pub const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// « 1er juillet 2026 ».
pub fn date(day: NaiveDate) -> String {
    let ordinal = if day.day() == 1 { "er" } else { "" };
    let month = MONTHS.get(usize::try_from(day.month0()).unwrap_or(0));
    let month = month.copied().unwrap_or_default();
    format!("{}{ordinal}\u{a0}{month}\u{a0}{}", day.day(), day.year())
}

/// « 1 234,56 € », of euro cents.
pub fn money(cents: i64) -> String {
    let (euros, cents) = (cents / 100, (cents % 100).abs());
    format!("{},{cents:02}\u{a0}€", grouped(&euros.to_string()))
}

/// « 1 234,5 ».
pub fn number(number: &BigDecimal) -> String {
    let text = plain(number);
    match text.split_once('.') {
        Some((whole, part)) => format!("{},{part}", grouped(whole)),
        None => grouped(&text),
    }
}

/// Digits in groups of three from the right.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// What a person typed, fit for paper: without control characters, and without those that turn the order of all that
/// follows around.
pub fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\t' => Some(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// « , toutes les 2 semaines, le samedi, en mai, juin ».
pub fn recurrence(rule: &Recurrence) -> String {
    let every = match (rule.frequency, rule.interval) {
        (frequency, 1) => {
            let (french, _) = Frequency::LIST.labels(frequency.code()).unwrap_or_default();
            french.to_lowercase()
        }
        (Frequency::Weekly, interval) => format!("toutes les {interval}\u{a0}semaines"),
        (Frequency::Monthly, interval) => format!("tous les {interval}\u{a0}mois"),
        (Frequency::Seasonal, interval) => format!("toutes les {interval}\u{a0}saisons"),
        (Frequency::Yearly, interval) => format!("tous les {interval}\u{a0}ans"),
    };
    let mut text = format!(", {every}");
    if let Some((day, _)) = rule
        .weekday
        .and_then(|weekday| Weekday::LIST.labels(weekday.code()))
    {
        text.push_str(&format!(", le {day}"));
    }
    if let Some(months) = &rule.months {
        let names: Vec<&str> = months
            .iter()
            .filter_map(|month| Some(Month::LIST.labels(month.code())?.0))
            .collect();
        text.push_str(&format!(", en {}", names.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_figures_are_french() {
        let day = |text: &str| date(text.parse().unwrap());
        assert_eq!(day("2026-07-01"), "1er\u{a0}juillet\u{a0}2026");
        assert_eq!(day("2028-02-29"), "29\u{a0}février\u{a0}2028");
        assert_eq!(money(0), "0,00\u{a0}€");
        assert_eq!(money(123_456_789), "1\u{202f}234\u{202f}567,89\u{a0}€");
        assert_eq!(money(100_005), "1\u{202f}000,05\u{a0}€");
        assert_eq!(number(&"1234.500".parse().unwrap()), "1\u{202f}234,5");
        assert_eq!(number(&"120".parse().unwrap()), "120");
    }

    #[test]
    fn an_upkeep_says_how_often() {
        let said = |rule| recurrence(&serde_json::from_value(rule).unwrap());
        assert_eq!(
            said(serde_json::json!({"frequency": "seasonal"})),
            ", chaque saison"
        );
        assert_eq!(
            said(
                serde_json::json!({"frequency": "weekly", "interval": 2, "weekday": "saturday",
                "months": ["may", "june"]})
            ),
            ", toutes les 2\u{a0}semaines, le samedi, en mai, juin"
        );
    }

    #[test]
    fn what_would_break_a_paper_is_left_out() {
        assert_eq!(clean(" a\u{202e}b\u{7}\tc\r\nd\u{2066} "), "ab c\nd");
        assert_eq!(clean("<b>שלום 🌻</b> #let"), "<b>שלום 🌻</b> #let");
    }
}
