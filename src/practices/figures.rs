//! The figures of a practice sheet, from the records of what proves it, with the definitions of the metrics.

use std::collections::HashMap;

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::dto::{PracticeFigures, PracticeProof, ProofConvention};
use crate::commitments::dto::Side;
use crate::db::schema::{conventions, initiatives, practice_initiatives};
use crate::figures::plain;
use crate::http::error::ApiError;
use crate::ids::{InitiativeId, PracticeId};
use crate::initiatives::lifecycle::InitiativeState;
use crate::metrics::records::{Sum, of_initiatives};

/// The indicators that a sheet shows.
const INDICATORS: &[&str] = &[
    "municipal_spending",
    "staff_hours",
    "official_hours",
    "volunteer_hours",
    "headcounts",
    "value_delivered_by_side",
    "savings",
];

/// What an initiative tells besides its indicators.
#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<Integer>)]
    duration_days: Option<i32>,
    #[diesel(sql_type = Integer)]
    participants: i32,
    #[diesel(sql_type = Nullable<Text>)]
    method: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<String>,
}

/// The published initiatives that prove each of these sheets, in the order of their submission: a few queries, however
/// many sheets there are.
pub async fn proofs(
    conn: &mut AsyncPgConnection,
    practices: &[PracticeId],
    today: NaiveDate,
) -> Result<HashMap<PracticeId, Vec<PracticeProof>>, ApiError> {
    let communes: Vec<String> = practices.iter().map(|id| id.commune()).collect();
    let named: Vec<(PracticeId, InitiativeId, String, InitiativeState)> =
        practice_initiatives::table
            .inner_join(
                initiatives::table.on(initiatives::id
                    .eq(practice_initiatives::initiative_id)
                    .and(initiatives::commune_code.eq(practice_initiatives::commune_code))),
            )
            .filter(practice_initiatives::practice_id.eq_any(practices))
            .filter(practice_initiatives::commune_code.eq_any(communes))
            .filter(initiatives::published_at.is_not_null())
            .order((initiatives::submitted_at, initiatives::id))
            .select((
                practice_initiatives::practice_id,
                initiatives::id,
                initiatives::title,
                initiatives::state,
            ))
            .load(conn)
            .await?;
    let mut shown: HashMap<PracticeId, Vec<PracticeProof>> = HashMap::new();
    if named.is_empty() {
        return Ok(shown);
    }
    let mut ids: Vec<InitiativeId> = named.iter().map(|(_, id, ..)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut figures = figures(conn, &ids, today).await?;
    let mut conventions = signed(conn, &ids).await?;
    // An initiative may prove several sheets.
    let mut known: HashMap<InitiativeId, PracticeProof> = HashMap::new();
    for (practice, id, title, state) in named {
        let proof = known.entry(id).or_insert_with(|| {
            let (figures, savings_method, savings_source) = figures.remove(&id).unwrap_or_default();
            PracticeProof {
                id,
                title,
                state,
                conventions: conventions.remove(&id).unwrap_or_default(),
                figures,
                savings_method,
                savings_source,
            }
        });
        shown.entry(practice).or_default().push(proof.clone());
    }
    Ok(shown)
}

/// The conventions that are or were in force, by initiative.
pub async fn signed(
    conn: &mut AsyncPgConnection,
    ids: &[InitiativeId],
) -> Result<HashMap<InitiativeId, Vec<ProofConvention>>, ApiError> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let rows: Vec<(InitiativeId, _, i32, String, _, NaiveDate, NaiveDate)> = conventions::table
        .filter(conventions::initiative_id.eq_any(ids))
        .filter(conventions::commune_code.eq_any(communes))
        .filter(conventions::activated_at.is_not_null())
        .order((conventions::activated_at, conventions::id))
        .select((
            conventions::initiative_id,
            conventions::id,
            conventions::number,
            conventions::object,
            conventions::state,
            conventions::starts_on,
            conventions::ends_on,
        ))
        .load(conn)
        .await?;
    let mut found: HashMap<_, Vec<ProofConvention>> = HashMap::new();
    for (initiative, id, number, object, state, starts_on, ends_on) in rows {
        found.entry(initiative).or_default().push(ProofConvention {
            id,
            number,
            object,
            state,
            starts_on,
            ends_on,
        });
    }
    Ok(found)
}

/// Figures, and how the savings were found and where they come from.
type Explained = (PracticeFigures, Option<String>, Option<String>);

async fn figures(
    conn: &mut AsyncPgConnection,
    ids: &[InitiativeId],
    today: NaiveDate,
) -> Result<HashMap<InitiativeId, Explained>, ApiError> {
    let told: Vec<Told> = diesel::sql_query(
        "SELECT i.id, i.participant_count AS participants, v.method, v.source,
            (SELECT (max(e.at) FILTER (WHERE e.to_state = 'completed') AT TIME ZONE 'Europe/Paris')::date
                - (min(e.at) FILTER (WHERE e.to_state = 'in_progress') AT TIME ZONE 'Europe/Paris')::date
                FROM events AS e WHERE (e.initiative_id, e.commune_code) = (i.id, i.commune_code)
                AND e.subject = 'initiative') AS duration_days
        FROM initiatives AS i LEFT JOIN evaluations AS v ON (v.initiative_id, v.commune_code) = (i.id, i.commune_code)
            AND v.validated_at IS NOT NULL
        WHERE i.id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)
    .await?;
    let mut found: HashMap<InitiativeId, Explained> = told
        .into_iter()
        .map(|told| {
            let figures = PracticeFigures {
                duration_days: told.duration_days.map(i64::from),
                participants: i64::from(told.participants),
                ..PracticeFigures::default()
            };
            (InitiativeId(told.id), (figures, told.method, told.source))
        })
        .collect();
    for sum in of_initiatives(conn, ids, INDICATORS, today).await? {
        if let Some((figures, ..)) = found.get_mut(&InitiativeId(sum.initiative_id)) {
            figures.take(&sum);
        }
    }
    Ok(found)
}

impl PracticeFigures {
    fn take(&mut self, sum: &Sum) {
        let commune = sum.part.as_deref() == Some(Side::Commune.code());
        match sum.indicator.as_str() {
            "municipal_spending" => add(&mut self.municipal_spending_cents, whole(&sum.value)),
            "staff_hours" => self.staff_hours = hours(&sum.value),
            "official_hours" => self.official_hours = hours(&sum.value),
            "volunteer_hours" => self.volunteer_hours = hours(&sum.value),
            "headcounts" => add(&mut self.people_counted, whole(&sum.value)),
            "savings" => add(&mut self.savings_cents, whole(&sum.value)),
            _ if commune => add(&mut self.commune_value_cents, whole(&sum.value)),
            _ => add(&mut self.residents_value_cents, whole(&sum.value)),
        }
    }

    /// The sums of several; of durations the longest.
    pub fn of(proofs: &[PracticeProof]) -> Self {
        let all = || proofs.iter().map(|proof| &proof.figures);
        let sum = |of: fn(&Self) -> Option<i64>| all().filter_map(of).reduce(i64::saturating_add);
        let hours_of = |of: fn(&Self) -> &Option<String>| {
            all()
                .filter_map(|figures| of(figures).as_ref()?.parse::<BigDecimal>().ok())
                .reduce(|sum, more| sum + more)
                .map(|sum| plain(&sum))
        };
        Self {
            duration_days: all().filter_map(|figures| figures.duration_days).max(),
            municipal_spending_cents: sum(|figures| figures.municipal_spending_cents),
            staff_hours: hours_of(|figures| &figures.staff_hours),
            official_hours: hours_of(|figures| &figures.official_hours),
            volunteer_hours: hours_of(|figures| &figures.volunteer_hours),
            participants: all().map(|figures| figures.participants).sum(),
            people_counted: sum(|figures| figures.people_counted),
            commune_value_cents: sum(|figures| figures.commune_value_cents),
            residents_value_cents: sum(|figures| figures.residents_value_cents),
            savings_cents: sum(|figures| figures.savings_cents),
        }
    }
}

fn add(sum: &mut Option<i64>, more: i64) {
    *sum = Some(sum.unwrap_or(0).saturating_add(more));
}

fn whole(value: &BigDecimal) -> i64 {
    value.to_i64().unwrap_or(i64::MAX)
}

/// As the metrics write them: two decimals at most.
fn hours(value: &BigDecimal) -> Option<String> {
    Some(plain(&value.with_scale_round(2, RoundingMode::HalfUp)))
}
