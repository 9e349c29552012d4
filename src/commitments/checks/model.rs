//! Occurrences of an upkeep and the checks of them in the database.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{CheckOutcome, Occurrence, OccurrenceState};
use crate::auth::policy::Standing;
use crate::clock::paris_day;
use crate::commitments::lifecycle::CommitmentState;
use crate::commitments::model::CommitmentRow;
use crate::db::schema::upkeep_checks;
use crate::http::error::ApiError;
use crate::ids::{CommitmentId, UserId};

/// The longest period of one list: what comes each week comes 262 times at most.
pub const PERIOD: TimeDelta = TimeDelta::days(5 * 365 + 2);

/// A row of `upkeep_checks`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = upkeep_checks)]
pub struct CheckRow {
    pub commitment_id: CommitmentId,
    pub commune_code: String,
    pub occurs_on: NaiveDate,
    pub outcome: CheckOutcome,
    pub remark: Option<String>,
    pub checked_by: UserId,
    pub checked_at: DateTime<Utc>,
}

/// The days of a period on which an upkeep is due, in order. None of what was declined or withdrawn, nor after its end.
pub fn days(row: &CommitmentRow, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    let Some(upkeep) = row.upkeep() else {
        return Vec::new();
    };
    let last = match row.state {
        CommitmentState::Declined | CommitmentState::Withdrawn => return Vec::new(),
        CommitmentState::Unfulfilled => paris_day(row.state_changed_at).min(to),
        _ => row.upkeep_ended_on.unwrap_or(to).min(to),
    };
    upkeep
        .occurrences(from)
        .take_while(|day| *day <= last)
        .collect()
}

/// These days with what is known of each.
pub async fn occurrences(
    conn: &mut AsyncPgConnection,
    row: &CommitmentRow,
    days: Vec<NaiveDate>,
    today: NaiveDate,
    standing: &Standing,
) -> Result<Vec<Occurrence>, ApiError> {
    let checks: Vec<CheckRow> = upkeep_checks::table
        .filter(upkeep_checks::commitment_id.eq(row.id))
        .filter(upkeep_checks::commune_code.eq(&row.commune_code))
        .filter(upkeep_checks::occurs_on.eq_any(&days))
        // What was caught up is done.
        .order(upkeep_checks::checked_at.desc())
        .select(CheckRow::as_select())
        .load(conn)
        .await?;
    let inside = standing.is_town_hall() || standing.is_on_the_holders_side();
    let has_begun = CommitmentState::BOUND.contains(&row.state);
    let known = |occurs_on: NaiveDate| {
        let check = checks.iter().find(|check| check.occurs_on == occurs_on);
        Occurrence {
            occurs_on,
            state: match check.map(|check| check.outcome) {
                Some(CheckOutcome::Done) => OccurrenceState::Done,
                Some(CheckOutcome::NotDone) => OccurrenceState::NotDone,
                None if occurs_on <= today && has_begun => OccurrenceState::PresumedDone,
                None => OccurrenceState::ToCome,
            },
            remark: check
                .filter(|_| inside)
                .and_then(|check| check.remark.clone()),
            checked_at: check.map(|check| check.checked_at),
        }
    };
    Ok(days.into_iter().map(known).collect())
}
