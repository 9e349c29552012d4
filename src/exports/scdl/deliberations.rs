//! SCDL deliberations 2.1.5: the deliberations that let the commune commit.

use chrono::{Datelike, NaiveDate};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::dto::{ScdlObstacle, ScdlSchema};
use super::{Sheet, optional, text};
use crate::authorities::dto::AuthorityKind;
use crate::authorities::model::AuthorityRow;
use crate::db::schema::{authorities, communes};
use crate::http::error::ApiError;

/// The schema's columns.
pub const COLUMNS: &[&str] = &[
    "COLL_NOM",
    "COLL_SIRET",
    "DELIB_ID",
    "DELIB_DATE",
    "DELIB_MATIERE_CODE",
    "DELIB_MATIERE_NOM",
    "DELIB_OBJET",
    "BUDGET_ANNEE",
    "BUDGET_NOM",
    "PREF_ID",
    "PREF_DATE",
    "VOTE_EFFECTIF",
    "VOTE_REEL",
    "VOTE_POUR",
    "VOTE_CONTRE",
    "VOTE_ABSTENTION",
    "DELIB_URL",
];

/// Tables of the database that it is made of.
pub const SOURCES: &[&str] = &["authorities", "communes"];

/// The first level of the nomenclature "Actes"; the first digit of a code is its place here.
const MATTERS: [&str; 9] = [
    "Commande publique",
    "Urbanisme",
    "Domaine et patrimoine",
    "Fonction publique",
    "Institutions et vie politique",
    "Libertés publiques et pouvoirs de police",
    "Finances locales",
    "Domaines de compétences par thèmes",
    "Autres domaines de compétences",
];

/// What RFC 3986 does not allow in an address.
const NOT_IN_ADDRESSES: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The deliberations of a commune, of all years or of one.
pub async fn sheet(
    conn: &mut AsyncPgConnection,
    commune: &str,
    year: Option<i32>,
) -> Result<Sheet, ApiError> {
    let (name, siret): (String, Option<String>) = communes::table
        .find(commune)
        .select((communes::name, communes::siret))
        .first(conn)
        .await?;
    let of_the_council: Vec<AuthorityKind> = AuthorityKind::ALL
        .iter()
        .copied()
        .filter(|kind| kind.is_of_the_council())
        .collect();
    let rows: Vec<AuthorityRow> = authorities::table
        .filter(authorities::commune_code.eq(commune))
        .filter(authorities::kind.eq_any(of_the_council))
        .order((authorities::adopted_on, authorities::id))
        .select(AuthorityRow::as_select())
        .load(conn)
        .await?;
    let mut sheet = Sheet::default();
    for row in rows {
        if year.is_some_and(|year| year != row.adopted_on.year()) {
            continue;
        }
        let url = row.url.as_deref().map(address);
        let obstacles = [
            (ScdlObstacle::CommuneHasNoSiret, siret.is_none()),
            (ScdlObstacle::UrlIsNone, url == Some(None)),
        ];
        let obstacles = obstacles
            .into_iter()
            .filter_map(|(obstacle, is_there)| is_there.then_some(obstacle))
            .collect();
        sheet.add(
            ScdlSchema::Deliberations,
            (row.id.0, row.adopted_on),
            obstacles,
            || {
                cells(
                    &name,
                    siret.as_deref().unwrap_or_default(),
                    &row,
                    url.flatten(),
                )
            },
        );
    }
    Ok(sheet)
}

/// An address as the schema takes it, if it is one.
fn address(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    Some(utf8_percent_encode(url.as_str(), NOT_IN_ADDRESSES).to_string())
}

/// The name of a matter as the schema wants it: first and second level, with a slash and no space between them.
fn matter(code: &str, name: &str) -> String {
    let first = code
        .split('.')
        .next()
        .and_then(|digit| digit.parse::<usize>().ok())
        .and_then(|digit| MATTERS.get(digit.checked_sub(1)?))
        .copied()
        .unwrap_or_default();
    let second = name
        .rsplit('/')
        .map(str::trim)
        .find(|part| !part.is_empty());
    format!("{first}/{}", second.unwrap_or(first))
}

/// A year, or two that differ.
fn years(years: &str) -> &str {
    match years.split_once('/') {
        Some((first, last)) if first == last => first,
        _ => years,
    }
}

fn cells(commune: &str, siret: &str, row: &AuthorityRow, url: Option<String>) -> Vec<String> {
    let day = |day: Option<NaiveDate>| optional(day);
    let any = |words: Option<&str>| text(words.unwrap_or_default(), usize::MAX);
    let code = row.subject_code.as_deref().unwrap_or_default();
    vec![
        text(commune, usize::MAX),
        siret.to_owned(),
        text(&row.number, usize::MAX),
        row.adopted_on.to_string(),
        code.to_owned(),
        matter(code, row.subject_name.as_deref().unwrap_or_default()),
        text(&row.object, usize::MAX),
        row.budget_year
            .as_deref()
            .map(years)
            .unwrap_or_default()
            .to_owned(),
        any(row.budget_name.as_deref()),
        any(row.prefecture_reference.as_deref()),
        day(row.sent_to_prefecture_on),
        optional(row.council_members),
        optional(row.votes_cast),
        optional(row.votes_for),
        optional(row.votes_against),
        optional(row.votes_abstained),
        url.unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_is_named_as_the_nomenclature_does() {
        for (name, expected) in [
            (
                "Finances locales/Subventions",
                "Finances locales/Subventions",
            ),
            ("Subventions", "Finances locales/Subventions"),
            ("finances / subventions ", "Finances locales/subventions"),
            ("/", "Finances locales/Finances locales"),
        ] {
            assert_eq!(matter("7.5", name), expected);
        }
    }

    #[test]
    fn an_address_is_one_or_none() {
        assert_eq!(
            address("https://mairie.example/délib {1}|a.pdf?q=ä^b").as_deref(),
            Some("https://mairie.example/d%C3%A9lib%20%7B1%7D%7Ca.pdf?q=%C3%A4%5Eb")
        );
        assert_eq!(address("http://["), None);
    }
}
