//! SCDL subventions 2.1.1: what the commune gives under conventions, in cash and in kind, a row for each beneficiary and
//! convention.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{ScdlObstacle, ScdlSchema};
use super::{Sheet, text};
use crate::holders::dto::HolderKind;
use crate::http::error::ApiError;
use crate::ids::ConventionId;

/// The schema's columns.
pub const COLUMNS: &[&str] = &[
    "nomAttribuant",
    "idAttribuant",
    "dateConvention",
    "referenceDecision",
    "nomBeneficiaire",
    "idBeneficiaire",
    "rnaBeneficiaire",
    "objet",
    "montant",
    "nature",
    "conditionsVersement",
    "datesPeriodeVersement",
    "idRAE",
    "notificationUE",
    "pourcentageSubvention",
    "dispositifAide",
];

/// What changes it, as for the other exports.
pub const SOURCES: &[&str] = &[
    "commitment",
    "convention",
    "holder",
    "communes",
    "authorities",
];

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    convention: ConventionId,
    #[diesel(sql_type = Date)]
    signed_on: NaiveDate,
    #[diesel(sql_type = Text)]
    commune: String,
    #[diesel(sql_type = Nullable<Text>)]
    commune_siret: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    authority: Option<String>,
    #[diesel(sql_type = Text)]
    object: String,
    #[diesel(sql_type = Text)]
    kind: HolderKind,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    siret: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rna: Option<String>,
    #[diesel(sql_type = BigInt)]
    value_cents: i64,
    #[diesel(sql_type = Bool)]
    money: bool,
    #[diesel(sql_type = Bool)]
    in_kind: bool,
    #[diesel(sql_type = Bool)]
    at_once: bool,
    #[diesel(sql_type = Date)]
    from_day: NaiveDate,
    #[diesel(sql_type = Date)]
    to_day: NaiveDate,
}

/// The terms are those of the last version that was in force; the day is that of the first. Who receives is the host, unless
/// there is none, or only the holder has a SIRET.
const GIVEN: &str = "
    SELECT last.root_id AS convention, signed.signed_on, commune.name AS commune, commune.siret AS commune_siret,
        authority.number AS authority, last.object, body.kind, body.name, body.siret, body.rna,
        given.value_cents, given.money, given.in_kind, given.at_once, given.from_day, given.to_day
    FROM (
        SELECT last.id, last.commune_code, sum(c.value_cents)::bigint AS value_cents, bool_or(c.route = 'subsidy') AS money,
            bool_or(c.route = 'in_kind') AS in_kind, count(*) = 1 AND bool_and(c.upkeep_starts_on IS NULL) AS at_once,
            min(coalesce(c.due_on, c.upkeep_starts_on, make_date(c.budget_year, 1, 1), last.starts_on)) AS from_day,
            max(coalesce(c.due_on, c.upkeep_ends_on, make_date(c.budget_year, 12, 31), last.ends_on)) AS to_day
        FROM commitments AS c
        JOIN initiatives AS i ON (i.id, i.commune_code) = (c.initiative_id, c.commune_code)
        CROSS JOIN LATERAL (
            SELECT v.id, v.commune_code, v.starts_on, v.ends_on
            FROM convention_commitments AS b
            JOIN conventions AS v ON (v.id, v.commune_code) = (b.convention_id, b.commune_code)
            WHERE (b.commitment_id, b.commune_code) = (c.id, c.commune_code) AND v.activated_at IS NOT NULL
            ORDER BY v.activated_at DESC, v.number DESC LIMIT 1
        ) AS last
        WHERE c.commune_code = $1 AND c.side = 'commune' AND c.route IN ('subsidy', 'in_kind')
            AND i.published_at IS NOT NULL
        GROUP BY last.id, last.commune_code
    ) AS given
    JOIN conventions AS last ON (last.id, last.commune_code) = (given.id, given.commune_code)
    JOIN communes AS commune ON commune.code = last.commune_code
    JOIN holders AS holder ON (holder.id, holder.commune_code) = (last.holder_id, last.commune_code)
    LEFT JOIN holders AS host ON (host.id, host.commune_code) = (last.host_id, last.commune_code)
    JOIN holders AS body ON body.commune_code = last.commune_code AND body.id =
        CASE WHEN host.siret IS NULL AND holder.siret IS NOT NULL THEN holder.id ELSE coalesce(host.id, holder.id) END
    LEFT JOIN authorities AS authority ON (authority.id, authority.commune_code) = (last.authority_id, last.commune_code)
    CROSS JOIN LATERAL (
        SELECT coalesce(max(s.signed_on), (first.activated_at AT TIME ZONE 'Europe/Paris')::date) AS signed_on
        FROM conventions AS first
        LEFT JOIN signatures AS s ON (s.convention_id, s.commune_code) = (first.id, first.commune_code) AND s.voided_at IS NULL
        WHERE (first.id, first.commune_code) = (last.root_id, last.commune_code)
        GROUP BY first.activated_at
    ) AS signed
    WHERE $2 IS NULL OR extract(year FROM signed.signed_on) = $2
    ORDER BY signed.signed_on, last.root_id, last.number";

/// The subsidies of a commune, of all years or of one.
pub async fn sheet(
    conn: &mut AsyncPgConnection,
    commune: &str,
    year: Option<i32>,
) -> Result<Sheet, ApiError> {
    let rows: Vec<Row> = diesel::sql_query(GIVEN)
        .bind::<Text, _>(commune)
        .bind::<Nullable<Integer>, _>(year)
        .load(conn)
        .await?;
    let mut sheet = Sheet::default();
    for row in rows {
        let of = (row.convention.0, row.signed_on);
        sheet.add(ScdlSchema::Subventions, of, row.obstacles(), || row.cells());
    }
    Ok(sheet)
}

/// A number of the register of associations, as the schema knows them: nine digits.
fn schema_takes(rna: &str) -> bool {
    rna.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

impl Row {
    fn obstacles(&self) -> Vec<ScdlObstacle> {
        let is_legal = HolderKind::LEGAL_PERSONS.contains(&self.kind);
        let nameless = is_legal && self.siret.is_none();
        [
            (
                ScdlObstacle::CommuneHasNoSiret,
                self.commune_siret.is_none(),
            ),
            (ScdlObstacle::NoLegalPerson, !is_legal),
            (ScdlObstacle::MoneyNeedsSiret, nameless && self.money),
            (ScdlObstacle::NoNumber, nameless && self.rna.is_none()),
            (
                ScdlObstacle::RnaNotOfTheSchema,
                nameless && self.rna.as_deref().is_some_and(|rna| !schema_takes(rna)),
            ),
            (
                ScdlObstacle::StateAidUnknown,
                self.kind == HolderKind::Company,
            ),
        ]
        .into_iter()
        .filter_map(|(obstacle, is_there)| is_there.then_some(obstacle))
        .collect()
    }

    fn cells(&self) -> Vec<String> {
        let nature = match (self.money, self.in_kind) {
            (true, true) => "aide en numéraire;aide en nature",
            (true, false) => "aide en numéraire",
            _ => "aide en nature",
        };
        let period = if self.from_day == self.to_day {
            self.from_day.to_string()
        } else {
            format!("{}/{}", self.from_day, self.to_day)
        };
        vec![
            text(&self.commune, usize::MAX),
            self.commune_siret.clone().unwrap_or_default(),
            self.signed_on.to_string(),
            text(self.authority.as_deref().unwrap_or_default(), usize::MAX),
            text(&self.name, usize::MAX),
            self.siret.clone().unwrap_or_default(),
            // One with letters is left out of a row that has a SIRET: the schema would refuse it.
            self.rna
                .clone()
                .filter(|rna| schema_takes(rna))
                .unwrap_or_default(),
            text(&self.object, 256),
            format!("{}.{:02}", self.value_cents / 100, self.value_cents % 100),
            nature.to_owned(),
            if self.at_once {
                "unique"
            } else {
                "échelonné"
            }
            .to_owned(),
            period,
            String::new(),
            // Associations and schools are helped with what is not commercial.
            "non".to_owned(),
            "1.00".to_owned(),
            String::new(),
        ]
    }
}
