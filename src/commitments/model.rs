//! Commitments in the database, and what conventions do with them.

use bigdecimal::{BigDecimal, ToPrimitive};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    CommitmentKind, CommuneRoute, NewCommitment, ProposedSide, Side, ValuationMethod,
};
use super::lifecycle::{
    CommitmentAction, CommitmentState, PROPOSED_BY_COMMUNE, PROPOSED_BY_OTHERS,
};
use super::upkeep::{Recurrence, Upkeep};
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::policy::{Role, Standing};
use crate::db::schema::{commitments, convention_commitments, conventions};
use crate::http::error::{ApiError, Code};
use crate::ids::{CommitmentId, InitiativeId, UserId};
use crate::initiatives::model::{self as initiatives, InitiativeRow};
use crate::lifecycle::{Lifecycle, Step};
use crate::state::Session;

/// A row of `commitments`; `value_cents` is computed by the database.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = commitments)]
pub struct CommitmentRow {
    pub id: CommitmentId,
    pub commune_code: String,
    pub initiative_id: InitiativeId,
    pub side: Side,
    pub kind: CommitmentKind,
    pub state: CommitmentState,
    pub title: String,
    pub description: Option<String>,
    pub third_party_name: Option<String>,
    pub route: Option<CommuneRoute>,
    pub amount_cents: Option<i64>,
    pub quantity: Option<BigDecimal>,
    pub unit: Option<String>,
    pub unit_value_cents: Option<i64>,
    pub valuation_method: Option<ValuationMethod>,
    pub valuation_source: Option<String>,
    pub value_cents: i64,
    pub budget_year: Option<i32>,
    pub due_on: Option<NaiveDate>,
    pub upkeep_starts_on: Option<NaiveDate>,
    pub upkeep_ends_on: Option<NaiveDate>,
    pub upkeep_recurrence: Option<Recurrence>,
    pub upkeep_ended_on: Option<NaiveDate>,
    pub proposed_side: ProposedSide,
    pub proposed_by: UserId,
    pub answered_by: Option<UserId>,
    pub reason: Option<String>,
    pub external_id: Option<String>,
    pub imported_at: Option<DateTime<Utc>>,
    pub state_changed_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl CommitmentRow {
    /// The table that applies, by the side that put it on the table.
    pub const fn lifecycle(&self) -> &'static Lifecycle<CommitmentState, CommitmentAction> {
        match self.proposed_side {
            ProposedSide::Commune => &PROPOSED_BY_COMMUNE,
            ProposedSide::Holder => &PROPOSED_BY_OTHERS,
        }
    }

    /// What is negotiated is for those who negotiate; what binds is for everybody who may read the initiative.
    pub fn is_readable(&self, standing: &Standing) -> bool {
        standing.is_on_the_holders_side()
            || standing.is_town_hall()
            || CommitmentState::BOUND.contains(&self.state)
    }

    /// What it is worth, in euro cents, as the database computes it.
    pub fn value(&self) -> i64 {
        let valued = || {
            let quantity = self.quantity.as_ref()?;
            let exact = quantity * BigDecimal::from(self.unit_value_cents?);
            exact
                .with_scale_round(0, bigdecimal::RoundingMode::HalfUp)
                .to_i64()
        };
        self.amount_cents.or_else(valued).unwrap_or(0)
    }

    /// Whether it is upkeep, and not done once.
    pub const fn is_upkeep(&self) -> bool {
        self.upkeep_starts_on.is_some()
    }

    /// The time of its upkeep.
    pub fn upkeep(&self) -> Option<Upkeep> {
        let (starts_on, ends_on) = self.upkeep_starts_on.zip(self.upkeep_ends_on)?;
        Some(Upkeep {
            starts_on,
            ends_on,
            recurrence: self.upkeep_recurrence.clone(),
        })
    }

    /// Settled: fulfilled, or marked unfulfilled; what was never binding needs no settling.
    pub const fn is_settled(&self) -> bool {
        !matches!(
            self.state,
            CommitmentState::Binding | CommitmentState::PartiallyFulfilled
        )
    }

    /// What the columns of the table do not say: the side that owes, or an agent for it,
    /// tells of what it owes or hands it over, and the other side looks after it.
    pub fn permit(&self, action: CommitmentAction, standing: &Standing) -> Result<(), ApiError> {
        // What was imported was settled before.
        if self.imported_at.is_some() {
            return Err(ApiError {
                state: Some(self.state.code()),
                ..ApiError::new(Code::WrongState)
            });
        }
        match action {
            CommitmentAction::RecordFulfilment | CommitmentAction::EndUpkeep => {
                may_record(self.side, standing).map(drop)
            }
            CommitmentAction::Check => may_check(self.side, standing).map(drop),
            CommitmentAction::HandOver => may_hand_over(self.side, standing).map(drop),
            _ => Ok(()),
        }
    }

    /// The step that an action of the caller takes.
    pub fn step(
        &self,
        action: CommitmentAction,
        standing: &Standing,
    ) -> Result<Step<CommitmentState>, ApiError> {
        self.permit(action, standing)?;
        self.lifecycle().step(self.state, action, standing)
    }
}

/// In which role the caller records what this side has done: as that side, or as an agent.
pub fn may_record(side: Side, standing: &Standing) -> Result<Role, ApiError> {
    let who: &[Role] = match side {
        Side::Commune => &[Role::Agent],
        Side::Holder | Side::ThirdParty => &[Role::Holder, Role::Agent],
        Side::Host => &[Role::Host, Role::Agent],
    };
    Ok(standing.permit(who)?)
}

/// In which role the caller hands over what this side owes. The commune's own upkeep stays with the commune.
pub fn may_hand_over(side: Side, standing: &Standing) -> Result<Role, ApiError> {
    let who: &[Role] = match side {
        Side::Commune => &[],
        Side::Holder | Side::ThirdParty => &[Role::Holder, Role::AgentOnBehalf],
        Side::Host => &[Role::Host, Role::AgentOnBehalf],
    };
    Ok(standing.permit(who)?)
}

/// In which role the caller looks after what this side owes: the side that benefits from it.
fn may_check(side: Side, standing: &Standing) -> Result<Role, ApiError> {
    let who: &[Role] = match side {
        Side::Commune => &[Role::Holder, Role::Host],
        Side::Holder | Side::Host | Side::ThirdParty => &[Role::Agent, Role::ElectedOfficial],
    };
    Ok(standing.permit(who)?)
}

#[derive(Insertable)]
#[diesel(table_name = commitments)]
struct NewRow<'a> {
    id: CommitmentId,
    commune_code: &'a str,
    initiative_id: InitiativeId,
    side: Side,
    kind: CommitmentKind,
    state: CommitmentState,
    title: &'a str,
    description: Option<&'a str>,
    third_party_name: Option<&'a str>,
    route: Option<CommuneRoute>,
    amount_cents: Option<i64>,
    quantity: Option<&'a BigDecimal>,
    unit: Option<&'a str>,
    unit_value_cents: Option<i64>,
    valuation_method: Option<ValuationMethod>,
    valuation_source: Option<&'a str>,
    budget_year: Option<i32>,
    due_on: Option<NaiveDate>,
    upkeep_starts_on: Option<NaiveDate>,
    upkeep_ends_on: Option<NaiveDate>,
    upkeep_recurrence: Option<&'a Recurrence>,
    proposed_side: ProposedSide,
    proposed_by: UserId,
    state_changed_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

/// Puts a commitment on the table of an initiative that the caller holds locked.
pub async fn propose(
    session: &mut Session,
    initiative: &InitiativeRow,
    role: Role,
    new: &NewCommitment,
) -> Result<CommitmentRow, ApiError> {
    let proposed_side = match role {
        Role::Agent | Role::ElectedOfficial => ProposedSide::Commune,
        _ => ProposedSide::Holder,
    };
    if new.side == Side::Host && initiative.host_id.is_none() {
        return Err(ApiError::requirement(
            "L'initiative n'a pas de structure porteuse.",
            "The initiative has no host organisation.",
        ));
    }
    let now = session.now;
    let row = NewRow {
        id: CommitmentId::new(&initiative.commune_code, now)?,
        commune_code: &initiative.commune_code,
        initiative_id: initiative.id,
        side: new.side,
        kind: new.kind,
        state: CommitmentState::Proposed,
        title: &new.title,
        description: new.description.as_deref(),
        third_party_name: new.third_party_name.as_deref(),
        route: new.route,
        amount_cents: new.amount_cents,
        quantity: new.valuation.as_ref().map(|valuation| &valuation.quantity),
        unit: new
            .valuation
            .as_ref()
            .map(|valuation| valuation.unit.as_str()),
        unit_value_cents: new
            .valuation
            .as_ref()
            .map(|valuation| valuation.unit_value_cents),
        valuation_method: new.valuation.as_ref().map(|valuation| valuation.method),
        valuation_source: new
            .valuation
            .as_ref()
            .and_then(|valuation| valuation.source.as_deref()),
        budget_year: new.budget_year,
        due_on: new.due_on,
        upkeep_starts_on: new.upkeep.as_ref().map(|upkeep| upkeep.starts_on),
        upkeep_ends_on: new.upkeep.as_ref().map(|upkeep| upkeep.ends_on),
        upkeep_recurrence: new
            .upkeep
            .as_ref()
            .and_then(|upkeep| upkeep.recurrence.as_ref()),
        proposed_side,
        proposed_by: session.actor.person()?.id,
        state_changed_at: now,
        created_at: now,
    };
    let row: CommitmentRow = diesel::insert_into(commitments::table)
        .values(&row)
        .returning(CommitmentRow::as_returning())
        .get_result(&mut session.conn)
        .await?;
    record(session, &row, Beginning::Propose.code(), None, role, None).await?;
    Ok(row)
}

/// One commitment, as it is.
pub async fn find(
    conn: &mut AsyncPgConnection,
    id: CommitmentId,
) -> Result<CommitmentRow, ApiError> {
    Ok(commitments::table
        .find((id, id.commune()))
        .select(CommitmentRow::as_select())
        .first(conn)
        .await?)
}

/// One commitment, held until the transaction ends. Lock its initiative and its convention first.
pub async fn lock(
    conn: &mut AsyncPgConnection,
    id: CommitmentId,
) -> Result<CommitmentRow, ApiError> {
    Ok(commitments::table
        .find((id, id.commune()))
        .select(CommitmentRow::as_select())
        .for_update()
        .first(conn)
        .await?)
}

/// All commitments of an initiative, in the order in which they were proposed.
pub async fn of_initiative(
    conn: &mut AsyncPgConnection,
    id: InitiativeId,
) -> Result<Vec<CommitmentRow>, ApiError> {
    Ok(commitments::table
        .filter(commitments::initiative_id.eq(id))
        .filter(commitments::commune_code.eq(id.commune()))
        .order((commitments::created_at, commitments::id))
        .select(CommitmentRow::as_select())
        .load(conn)
        .await?)
}

/// The same, held until the transaction ends.
pub async fn lock_all(
    conn: &mut AsyncPgConnection,
    id: InitiativeId,
) -> Result<Vec<CommitmentRow>, ApiError> {
    Ok(commitments::table
        .filter(commitments::initiative_id.eq(id))
        .filter(commitments::commune_code.eq(id.commune()))
        .order((commitments::created_at, commitments::id))
        .select(CommitmentRow::as_select())
        .for_update()
        .load(conn)
        .await?)
}

/// Moves a commitment that the caller holds locked, with its history.
pub async fn advance(
    session: &mut Session,
    row: &mut CommitmentRow,
    step: Step<CommitmentState>,
    action: CommitmentAction,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    // Who accepted on paper stands there already.
    if matches!(action, CommitmentAction::Accept | CommitmentAction::Decline)
        && row.answered_by.is_none()
    {
        row.answered_by = session.actor.user_id();
    }
    if let Some(reason) = reason {
        row.reason = Some(reason.to_owned());
    }
    row.state = step.to;
    row.state_changed_at = session.now;
    let changed = diesel::update(commitments::table.find((row.id, &row.commune_code)))
        .filter(commitments::state.eq(step.from))
        .set((
            commitments::state.eq(row.state),
            commitments::state_changed_at.eq(row.state_changed_at),
            commitments::answered_by.eq(row.answered_by),
            commitments::reason.eq(&row.reason),
            commitments::upkeep_ended_on.eq(row.upkeep_ended_on),
            commitments::version.eq(commitments::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    if changed != 1 {
        return Err(ApiError {
            state: Some(step.from.code()),
            ..ApiError::new(Code::WrongState)
        });
    }
    row.version += 1;
    record(session, row, action.code(), Some(step), step.role, reason).await
}

/// Writes the history.
pub async fn record(
    session: &mut Session,
    row: &CommitmentRow,
    action: &'static str,
    step: Option<Step<CommitmentState>>,
    role: Role,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &row.commune_code,
        initiative: Some(row.initiative_id),
        subject: Subject::Commitment,
        subject_id: row.id.0,
        action,
        states: step.map(|step| (step.from.code(), step.to.code())),
        reason,
        role,
        // What is negotiated, or said by who looked, is for those who work on it together; what binds is public with the
        // convention.
        visibility: if CommitmentState::BOUND.contains(&row.state)
            && action != CommitmentAction::Check.code()
        {
            Visibility::Public
        } else {
            Visibility::Parties
        },
    };
    audit::record(session, entry).await
}

/// An amendment that holds it has been signed: it is worth what that says. The database holds that nothing else changes.
pub async fn reword(session: &mut Session, row: &CommitmentRow) -> Result<(), ApiError> {
    diesel::update(commitments::table.find((row.id, &row.commune_code)))
        .set((
            commitments::amount_cents.eq(row.amount_cents),
            commitments::quantity.eq(&row.quantity),
            commitments::unit_value_cents.eq(row.unit_value_cents),
            commitments::budget_year.eq(row.budget_year),
            commitments::due_on.eq(row.due_on),
            commitments::upkeep_starts_on.eq(row.upkeep_starts_on),
            commitments::upkeep_ends_on.eq(row.upkeep_ends_on),
            commitments::upkeep_recurrence.eq(&row.upkeep_recurrence),
            commitments::version.eq(commitments::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    record(
        session,
        row,
        CommitmentAction::Amend.code(),
        None,
        Role::Clock,
        None,
    )
    .await
}

/// An amendment that no longer holds it has been signed: what is not done stays undone.
pub async fn drop_by_amendment(
    session: &mut Session,
    row: &mut CommitmentRow,
    number: i32,
) -> Result<(), ApiError> {
    let step = Step {
        from: row.state,
        to: CommitmentState::Unfulfilled,
        role: Role::Clock,
    };
    let reason = format!("N'est plus dans la convention (version {number}).");
    advance(
        session,
        row,
        step,
        CommitmentAction::MarkUnfulfilled,
        Some(&reason),
    )
    .await
}

/// The convention has become active: what it holds is binding from now on.
pub async fn bind(session: &mut Session, row: &mut CommitmentRow) -> Result<(), ApiError> {
    let step = Step {
        from: CommitmentState::Accepted,
        to: CommitmentState::Binding,
        role: Role::Clock,
    };
    advance(session, row, step, CommitmentAction::Bind, None).await
}

/// The initiative has come to an early end: what was only promised is withdrawn and frees the envelope, what was
/// binding and not done stays undone.
pub async fn release(
    session: &mut Session,
    initiative: InitiativeId,
    role: Role,
    reason: &str,
) -> Result<(), ApiError> {
    for mut row in lock_all(&mut session.conn, initiative).await? {
        let (to, action) = match row.state {
            CommitmentState::Proposed | CommitmentState::Accepted => {
                (CommitmentState::Withdrawn, CommitmentAction::Withdraw)
            }
            CommitmentState::Binding | CommitmentState::PartiallyFulfilled => (
                CommitmentState::Unfulfilled,
                CommitmentAction::MarkUnfulfilled,
            ),
            _ => continue,
        };
        let step = Step {
            from: row.state,
            to,
            role,
        };
        advance(session, &mut row, step, action, Some(reason)).await?;
    }
    Ok(())
}

/// Why money is not paid when its convention has been terminated.
const TERMINATED: &str = "La convention est résiliée.";

/// After the last day of a convention that was terminated, the commune's money in it that is unspent goes back into the
/// envelope. All else is settled by people. Returns how many commitments that were.
pub async fn free_what_is_terminated(session: &mut Session) -> Result<usize, ApiError> {
    let pending = [
        CommitmentState::Binding,
        CommitmentState::PartiallyFulfilled,
    ];
    let due: Vec<(CommitmentId, InitiativeId)> = commitments::table
        .inner_join(
            convention_commitments::table.on(convention_commitments::commitment_id
                .eq(commitments::id)
                .and(convention_commitments::commune_code.eq(commitments::commune_code))),
        )
        .inner_join(
            conventions::table.on(conventions::id
                .eq(convention_commitments::convention_id)
                .and(conventions::commune_code.eq(convention_commitments::commune_code))),
        )
        .filter(conventions::state.eq("terminated"))
        .filter(conventions::effective_on.lt(session.today()))
        .filter(commitments::budget_year.is_not_null())
        .filter(commitments::state.eq_any(pending))
        .order(commitments::id)
        .limit(100)
        .select((commitments::id, commitments::initiative_id))
        .load(&mut session.conn)
        .await?;
    let mut count = 0;
    for (id, initiative) in due {
        initiatives::lock_row(&mut session.conn, initiative).await?;
        let mut row = lock(&mut session.conn, id).await?;
        if !pending.contains(&row.state) || is_in_a_convention(&mut session.conn, &row).await? {
            continue;
        }
        let step = Step {
            from: row.state,
            to: CommitmentState::Unfulfilled,
            role: Role::Clock,
        };
        let action = CommitmentAction::MarkUnfulfilled;
        advance(session, &mut row, step, action, Some(TERMINATED)).await?;
        count += 1;
    }
    Ok(count)
}

/// Whether a version of a convention that is open for signature or in force holds it.
pub async fn is_in_a_convention(
    conn: &mut AsyncPgConnection,
    row: &CommitmentRow,
) -> Result<bool, ApiError> {
    let held = convention_commitments::table
        .inner_join(
            conventions::table.on(conventions::id
                .eq(convention_commitments::convention_id)
                .and(conventions::commune_code.eq(convention_commitments::commune_code))),
        )
        .filter(convention_commitments::commitment_id.eq(row.id))
        .filter(convention_commitments::commune_code.eq(&row.commune_code))
        .filter(conventions::state.eq_any(["open_for_signature", "active", "suspended"]));
    Ok(diesel::select(exists(held)).get_result(conn).await?)
}
