//! Versions of conventions in the database: rows, who may read them, and their steps.

use std::collections::HashMap;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{AmendmentKind, ContributorStatus, WorksOwnership};
use super::lifecycle::{ConventionAction, ConventionState, UNSIGNED};
use crate::audit::{self, Entry, Subject, Visibility};
use crate::auth::policy::{Role, Standing};
use crate::commitments;
use crate::commitments::model::CommitmentRow;
use crate::commitments::upkeep::Recurrence;
use crate::db::schema::{convention_commitments, conventions};
use crate::http::error::{ApiError, Code};
use crate::ids::{
    AuthorityId, CommitmentId, ConventionId, HolderId, InitiativeId, TemplateId, UserId,
};
use crate::initiatives;
use crate::initiatives::dto::Land;
use crate::lifecycle::Step;
use crate::state::Session;

/// A row of `conventions`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = conventions, treat_none_as_null = true)]
pub struct ConventionRow {
    pub id: ConventionId,
    pub commune_code: String,
    pub root_id: ConventionId,
    pub number: i32,
    pub initiative_id: InitiativeId,
    pub holder_id: HolderId,
    pub host_id: Option<HolderId>,
    pub state: ConventionState,
    pub object: String,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    pub long_duration_reason: Option<String>,
    pub land: Land,
    pub land_description: Option<String>,
    pub land_fee_cents: Option<i64>,
    pub land_fee_exemption: Option<String>,
    pub tacit_renewal: bool,
    pub clergy_agreement: Option<String>,
    pub works_ownership: WorksOwnership,
    pub contributor_status: ContributorStatus,
    pub commune_insurance: Option<String>,
    pub holder_insurance: Option<String>,
    pub forbidden_tasks: Option<String>,
    pub supervision_of_minors: Option<String>,
    pub image_consent: Option<String>,
    pub no_upkeep_reason: Option<String>,
    pub notice_days: i32,
    pub evaluation_terms: Option<String>,
    pub supersedes_id: Option<ConventionId>,
    pub amendment_kind: Option<AmendmentKind>,
    pub amendment_reason: Option<String>,
    pub authority_id: Option<AuthorityId>,
    pub content: Option<String>,
    pub content_sha256: Option<String>,
    pub opened_at: Option<DateTime<Utc>>,
    pub activated_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub effective_on: Option<NaiveDate>,
    pub reason: Option<String>,
    pub practical_information: Option<String>,
    pub created_by: UserId,
    pub state_changed_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub version: i32,
    /// The commune's model with which it was opened; nothing for the program's own.
    pub template_id: Option<TemplateId>,
}

/// A version that the caller may read, with its initiative and what they are in it.
pub struct Found {
    pub row: ConventionRow,
    pub initiative: initiatives::model::Found,
}

impl Found {
    /// What the caller is in this matter.
    pub const fn standing(&self) -> &Standing {
        &self.initiative.standing
    }

    /// Whether the caller is one of those who negotiate and sign.
    pub fn is_inside(&self) -> bool {
        self.standing().is_town_hall() || self.standing().is_on_the_holders_side()
    }
}

/// A version that the caller may read; 404 otherwise. Drafts, open and cancelled ones are for those who negotiate.
pub async fn find(session: &mut Session, id: ConventionId) -> Result<Found, ApiError> {
    let row = conventions::table
        .find((id, id.commune()))
        .select(ConventionRow::as_select())
        .first(&mut session.conn)
        .await?;
    let initiative = initiatives::model::find(session, row.initiative_id).await?;
    readable(row, initiative)
}

/// The same, held until the transaction ends, after its initiative.
pub async fn lock(session: &mut Session, id: ConventionId) -> Result<Found, ApiError> {
    let initiative: InitiativeId = conventions::table
        .find((id, id.commune()))
        .select(conventions::initiative_id)
        .first(&mut session.conn)
        .await?;
    let initiative = initiatives::model::lock(session, initiative).await?;
    let row = conventions::table
        .find((id, id.commune()))
        .select(ConventionRow::as_select())
        .for_update()
        .first(&mut session.conn)
        .await?;
    readable(row, initiative)
}

fn readable(row: ConventionRow, initiative: initiatives::model::Found) -> Result<Found, ApiError> {
    let found = Found { row, initiative };
    if found.row.activated_at.is_some() || found.is_inside() {
        Ok(found)
    } else {
        Err(ApiError::not_found())
    }
}

/// All versions of an initiative's conventions in these states, held until the transaction ends.
pub async fn lock_all(
    conn: &mut AsyncPgConnection,
    initiative: InitiativeId,
    states: &[ConventionState],
) -> Result<Vec<ConventionRow>, ApiError> {
    Ok(conventions::table
        .filter(conventions::initiative_id.eq(initiative))
        .filter(conventions::commune_code.eq(initiative.commune()))
        .filter(conventions::state.eq_any(states))
        .order((conventions::number, conventions::id))
        .select(ConventionRow::as_select())
        .for_update()
        .load(conn)
        .await?)
}

/// The commitments that a version holds.
pub async fn held(
    conn: &mut AsyncPgConnection,
    id: ConventionId,
) -> Result<Vec<CommitmentId>, ApiError> {
    Ok(convention_commitments::table
        .filter(convention_commitments::convention_id.eq(id))
        .filter(convention_commitments::commune_code.eq(id.commune()))
        .select(convention_commitments::commitment_id)
        .load(conn)
        .await?)
}

/// New terms that an amendment gives to a commitment; nothing leaves the old one.
#[derive(Clone, Debug, Default, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = convention_commitments, treat_none_as_null = true)]
pub struct NewTerms {
    pub amount_cents: Option<i64>,
    pub quantity: Option<BigDecimal>,
    pub unit_value_cents: Option<i64>,
    pub budget_year: Option<i32>,
    pub due_on: Option<NaiveDate>,
    pub upkeep_starts_on: Option<NaiveDate>,
    pub upkeep_ends_on: Option<NaiveDate>,
    pub upkeep_recurrence: Option<Recurrence>,
}

impl NewTerms {
    /// Whether it changes anything.
    pub fn is_empty(&self) -> bool {
        self.amount_cents.is_none()
            && self.quantity.is_none()
            && self.unit_value_cents.is_none()
            && self.budget_year.is_none()
            && self.due_on.is_none()
            && self.upkeep_starts_on.is_none()
            && self.upkeep_ends_on.is_none()
            && self.upkeep_recurrence.is_none()
    }

    /// The commitment under these terms.
    pub fn apply(self, row: &mut CommitmentRow) {
        row.amount_cents = self.amount_cents.or(row.amount_cents);
        row.quantity = self.quantity.or_else(|| row.quantity.take());
        row.unit_value_cents = self.unit_value_cents.or(row.unit_value_cents);
        row.budget_year = self.budget_year.or(row.budget_year);
        row.due_on = self.due_on.or(row.due_on);
        row.upkeep_starts_on = self.upkeep_starts_on.or(row.upkeep_starts_on);
        row.upkeep_ends_on = self.upkeep_ends_on.or(row.upkeep_ends_on);
        row.upkeep_recurrence = self
            .upkeep_recurrence
            .or_else(|| row.upkeep_recurrence.take());
        row.value_cents = row.value();
    }
}

/// The new terms that a version gives, by commitment.
pub async fn new_terms(
    conn: &mut AsyncPgConnection,
    id: ConventionId,
) -> Result<HashMap<CommitmentId, NewTerms>, ApiError> {
    let rows: Vec<(CommitmentId, NewTerms)> = convention_commitments::table
        .filter(convention_commitments::convention_id.eq(id))
        .filter(convention_commitments::commune_code.eq(id.commune()))
        .select((convention_commitments::commitment_id, NewTerms::as_select()))
        .load(conn)
        .await?;
    Ok(rows
        .into_iter()
        .filter(|(_, terms)| !terms.is_empty())
        .collect())
}

/// The commitments that a version holds as rows, in the order in which they were proposed, held until the transaction
/// ends. They are as they are now.
pub async fn lock_held(
    conn: &mut AsyncPgConnection,
    row: &ConventionRow,
) -> Result<Vec<CommitmentRow>, ApiError> {
    let held = held(conn, row.id).await?;
    let mut rows = commitments::model::lock_all(conn, row.initiative_id).await?;
    rows.retain(|commitment| held.contains(&commitment.id));
    Ok(rows)
}

/// The commitments that a version holds, as it words them.
pub async fn held_as_worded(
    conn: &mut AsyncPgConnection,
    row: &ConventionRow,
) -> Result<Vec<CommitmentRow>, ApiError> {
    let held = held(conn, row.id).await?;
    let mut rows = commitments::model::of_initiative(conn, row.initiative_id).await?;
    rows.retain(|commitment| held.contains(&commitment.id));
    word(conn, row, &mut rows).await?;
    Ok(rows)
}

/// The same, held until the transaction ends.
pub async fn lock_held_as_worded(
    conn: &mut AsyncPgConnection,
    row: &ConventionRow,
) -> Result<Vec<CommitmentRow>, ApiError> {
    let mut rows = lock_held(conn, row).await?;
    word(conn, row, &mut rows).await?;
    Ok(rows)
}

/// Gives the commitments the terms of a version that is not signed yet; afterwards they have them.
async fn word(
    conn: &mut AsyncPgConnection,
    row: &ConventionRow,
    rows: &mut [CommitmentRow],
) -> Result<(), ApiError> {
    if !UNSIGNED.contains(&row.state) {
        return Ok(());
    }
    let mut terms = new_terms(conn, row.id).await?;
    for commitment in rows {
        if let Some(terms) = terms.remove(&commitment.id) {
            terms.apply(commitment);
        }
    }
    Ok(())
}

/// Writes a row that the caller holds locked; `from` guards against a state that is not the one that was read.
pub async fn save(
    conn: &mut AsyncPgConnection,
    row: &mut ConventionRow,
    from: ConventionState,
) -> Result<(), ApiError> {
    let version = row.version;
    row.version += 1;
    let changed = diesel::update(conventions::table.find((row.id, &row.commune_code)))
        .filter(conventions::state.eq(from))
        .filter(conventions::version.eq(version))
        .set(&*row)
        .execute(conn)
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(ApiError::new(Code::WrongState))
    }
}

/// Takes a step: moves the state, saves the row and writes the history.
pub async fn advance(
    session: &mut Session,
    row: &mut ConventionRow,
    step: Step<ConventionState>,
    action: ConventionAction,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    if step.to != step.from {
        row.state = step.to;
        row.state_changed_at = session.now;
    }
    save(&mut session.conn, row, step.from).await?;
    record(session, row, step, action, reason).await
}

/// Writes the history of a step whose row is saved already.
pub async fn record(
    session: &mut Session,
    row: &ConventionRow,
    step: Step<ConventionState>,
    action: ConventionAction,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &row.commune_code,
        initiative: Some(row.initiative_id),
        subject: Subject::Convention,
        subject_id: row.id.0,
        action: action.code(),
        states: (step.from != step.to).then(|| (step.from.code(), step.to.code())),
        reason,
        role: step.role,
        // What is negotiated is for those who negotiate; what is in force is public.
        visibility: if row.activated_at.is_some() {
            Visibility::Public
        } else {
            Visibility::Parties
        },
    };
    audit::record(session, entry).await
}

/// Ends an unsigned version.
pub async fn cancel(
    session: &mut Session,
    row: &mut ConventionRow,
    role: Role,
    reason: &str,
) -> Result<(), ApiError> {
    let step = Step {
        from: row.state,
        to: ConventionState::Cancelled,
        role,
    };
    row.reason = Some(reason.to_owned());
    advance(session, row, step, ConventionAction::Cancel, Some(reason)).await
}

/// Ends the amendment that is being prepared, for what it would change has come to an end.
async fn cancel_amendments(
    session: &mut Session,
    row: &ConventionRow,
    role: Role,
    reason: &str,
) -> Result<(), ApiError> {
    for mut version in lock_all(&mut session.conn, row.initiative_id, UNSIGNED).await? {
        if version.root_id == row.root_id {
            cancel(session, &mut version, role, reason).await?;
        }
    }
    Ok(())
}

/// Ends a version that is in force, with effect on a day, and the amendment that is being prepared.
pub async fn terminate(
    session: &mut Session,
    row: &mut ConventionRow,
    role: Role,
    effective_on: NaiveDate,
    reason: &str,
) -> Result<(), ApiError> {
    cancel_amendments(session, row, role, reason).await?;
    let step = Step {
        from: row.state,
        to: ConventionState::Terminated,
        role,
    };
    row.reason = Some(reason.to_owned());
    row.effective_on = Some(effective_on);
    row.ended_at = Some(session.now);
    advance(
        session,
        row,
        step,
        ConventionAction::Terminate,
        Some(reason),
    )
    .await
}

/// Why an amendment is cancelled when time ends what it would change.
const EXPIRED: &str = "La convention est arrivée à son terme.";

/// Lets expire what has passed its last day. Returns how many.
pub async fn expire_by_time(session: &mut Session) -> Result<usize, ApiError> {
    let due: Vec<(ConventionId, InitiativeId)> = conventions::table
        .filter(conventions::state.eq_any([ConventionState::Active, ConventionState::Suspended]))
        .filter(conventions::ends_on.lt(session.today()))
        .order(conventions::ends_on)
        .limit(100)
        .select((conventions::id, conventions::initiative_id))
        .load(&mut session.conn)
        .await?;
    let mut count = 0;
    for (id, initiative) in due {
        // The initiative first, then the convention: the order in which everything is locked.
        initiatives::model::lock_row(&mut session.conn, initiative).await?;
        let mut row: ConventionRow = conventions::table
            .find((id, id.commune()))
            .select(ConventionRow::as_select())
            .for_update()
            .first(&mut session.conn)
            .await?;
        let from = row.state;
        if !matches!(from, ConventionState::Active | ConventionState::Suspended) {
            continue;
        }
        cancel_amendments(session, &row, Role::Clock, EXPIRED).await?;
        row.ended_at = Some(session.now);
        let step = Step {
            from,
            to: ConventionState::Expired,
            role: Role::Clock,
        };
        advance(session, &mut row, step, ConventionAction::Expire, None).await?;
        count += 1;
    }
    Ok(count)
}

/// An elected official terminates for the commune, for the holder a member who may sign.
pub fn may_terminate(standing: &Standing) -> Result<Role, ApiError> {
    let role = standing.permit(&[Role::ElectedOfficial, Role::Holder])?;
    let signs = standing
        .holder
        .is_some_and(|membership| membership.may_sign);
    if role == Role::Holder && !signs {
        return Err(ApiError::forbidden(
            "Il faut un membre qui peut signer pour le porteur.",
            "It takes a member who may sign for the holder.",
        ));
    }
    Ok(role)
}
