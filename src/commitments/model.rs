//! Commitments in the database, and what conventions do with them.

use bigdecimal::{BigDecimal, ToPrimitive};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{exists, sum};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    Balance, Commitment, CommitmentKind, CommuneRoute, NewCommitment, ProposedSide, Side, Upkeep,
    Valuation, ValuationMethod,
};
use super::lifecycle::{
    CommitmentAction, CommitmentState, FulfilmentState, PROPOSED_BY_COMMUNE, PROPOSED_BY_OTHERS,
    WITH_ROUTE,
};
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::policy::{Role, Standing};
use crate::db::schema::{commitments, convention_commitments, conventions, fulfilments};
use crate::http::error::{ApiError, Code};
use crate::ids::{CommitmentId, InitiativeId, UserId};
use crate::initiatives::model::InitiativeRow;
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
    pub upkeep_ended_on: Option<NaiveDate>,
    pub proposed_side: ProposedSide,
    pub proposed_by: UserId,
    pub accepted_by: Option<UserId>,
    pub reason: Option<String>,
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
            || !matches!(
                self.state,
                CommitmentState::Proposed
                    | CommitmentState::Accepted
                    | CommitmentState::Declined
                    | CommitmentState::Withdrawn
            )
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

    /// Settled: fulfilled, or marked unfulfilled; what was never binding needs no settling.
    pub const fn is_settled(&self) -> bool {
        !matches!(
            self.state,
            CommitmentState::Binding | CommitmentState::PartiallyFulfilled
        )
    }

    /// As the API shows it, with the value of its acknowledged fulfilments.
    pub fn show(&self, delivered_cents: i64, standing: &Standing) -> Commitment {
        let valuation = match (
            &self.quantity,
            &self.unit,
            self.unit_value_cents,
            self.valuation_method,
        ) {
            (Some(quantity), Some(unit), Some(unit_value_cents), Some(method)) => Some(Valuation {
                quantity: quantity.normalized(),
                unit: unit.clone(),
                unit_value_cents,
                method,
                source: self.valuation_source.clone(),
            }),
            _ => None,
        };
        Commitment {
            id: self.id,
            initiative_id: self.initiative_id,
            side: self.side,
            kind: self.kind,
            title: self.title.clone(),
            description: self.description.clone(),
            third_party_name: self.third_party_name.clone(),
            route: self.route,
            valuation,
            value_cents: self.value_cents,
            delivered_cents,
            progress: progress(delivered_cents, self.value_cents),
            budget_year: self.budget_year,
            due_on: self.due_on,
            upkeep: self
                .upkeep_starts_on
                .zip(self.upkeep_ends_on)
                .map(|(starts_on, ends_on)| Upkeep { starts_on, ends_on }),
            upkeep_ended_on: self.upkeep_ended_on,
            proposed_side: self.proposed_side,
            state: self.state,
            state_changed_at: self.state_changed_at,
            reason: self.reason.clone(),
            allowed_actions: self
                .lifecycle()
                .allowed(self.state, standing)
                .into_iter()
                .filter(|action| WITH_ROUTE.contains(action))
                .filter(|action| *action != CommitmentAction::EndUpkeep || self.is_upkeep())
                .filter(|action| {
                    *action != CommitmentAction::RecordFulfilment
                        || may_record(self.side, standing).is_ok()
                })
                .collect(),
            created_at: self.created_at,
        }
    }
}

/// Delivered of promised with two decimals, never above 1.
pub fn progress(delivered_cents: i64, value_cents: i64) -> String {
    if value_cents <= 0 {
        return "1.00".to_owned();
    }
    let hundredths = delivered_cents.clamp(0, value_cents).saturating_mul(100) / value_cents;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
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
        upkeep_starts_on: new.upkeep.map(|upkeep| upkeep.starts_on),
        upkeep_ends_on: new.upkeep.map(|upkeep| upkeep.ends_on),
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

/// Value of the acknowledged fulfilments of each commitment of an initiative.
pub async fn delivered(
    conn: &mut AsyncPgConnection,
    id: InitiativeId,
) -> Result<Vec<(CommitmentId, i64)>, ApiError> {
    let sums: Vec<(CommitmentId, Option<BigDecimal>)> = fulfilments::table
        .inner_join(
            commitments::table.on(commitments::id
                .eq(fulfilments::commitment_id)
                .and(commitments::commune_code.eq(fulfilments::commune_code))),
        )
        .filter(commitments::initiative_id.eq(id))
        .filter(commitments::commune_code.eq(id.commune()))
        .filter(fulfilments::state.eq(FulfilmentState::Acknowledged))
        .group_by(fulfilments::commitment_id)
        .select((fulfilments::commitment_id, sum(fulfilments::value_cents)))
        .load(conn)
        .await?;
    Ok(sums
        .into_iter()
        .map(|(id, cents)| (id, whole(cents)))
        .collect())
}

/// Value of the acknowledged fulfilments of one commitment.
pub async fn delivered_of(conn: &mut AsyncPgConnection, id: CommitmentId) -> Result<i64, ApiError> {
    let cents: Option<BigDecimal> = fulfilments::table
        .filter(fulfilments::commitment_id.eq(id))
        .filter(fulfilments::commune_code.eq(id.commune()))
        .filter(fulfilments::state.eq(FulfilmentState::Acknowledged))
        .select(sum(fulfilments::value_cents))
        .first(conn)
        .await?;
    Ok(whole(cents))
}

fn whole(cents: Option<BigDecimal>) -> i64 {
    cents.and_then(|cents| cents.to_i64()).unwrap_or(0)
}

/// What the commitments add up to, by side.
pub fn balance(shown: &[Commitment]) -> Balance {
    let mut balance = Balance::default();
    for commitment in shown {
        let side = match commitment.side {
            Side::Commune => &mut balance.commune,
            Side::Holder => &mut balance.holder,
            Side::Host => &mut balance.host,
            Side::ThirdParty => &mut balance.third_party,
        };
        if !matches!(
            commitment.state,
            CommitmentState::Declined | CommitmentState::Withdrawn
        ) {
            side.promised_cents += commitment.value_cents;
        }
        side.delivered_cents += commitment.delivered_cents;
    }
    balance
}

/// The commitments of an initiative that the caller may read, as the caller sees them.
pub async fn show_all(
    conn: &mut AsyncPgConnection,
    id: InitiativeId,
    standing: &Standing,
) -> Result<Vec<Commitment>, ApiError> {
    let rows = of_initiative(conn, id).await?;
    show(conn, id, rows, standing).await
}

/// These commitments of an initiative, as far as the caller may read them, as the caller sees them.
pub async fn show(
    conn: &mut AsyncPgConnection,
    id: InitiativeId,
    rows: Vec<CommitmentRow>,
    standing: &Standing,
) -> Result<Vec<Commitment>, ApiError> {
    let delivered: std::collections::HashMap<_, _> =
        delivered(conn, id).await?.into_iter().collect();
    Ok(rows
        .iter()
        .filter(|row| row.is_readable(standing))
        .map(|row| row.show(delivered.get(&row.id).copied().unwrap_or(0), standing))
        .collect())
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
    if action == CommitmentAction::Accept && row.accepted_by.is_none() {
        row.accepted_by = session.actor.user_id();
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
            commitments::accepted_by.eq(row.accepted_by),
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

async fn record(
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
        actor: if role == Role::Clock {
            None
        } else {
            session.actor.user_id()
        },
        role,
        // What is negotiated is for those who negotiate; what binds is public with the convention.
        visibility: match row.state {
            CommitmentState::Proposed
            | CommitmentState::Accepted
            | CommitmentState::Declined
            | CommitmentState::Withdrawn => Visibility::Parties,
            _ => Visibility::Public,
        },
    };
    audit::record(&mut session.conn, session.now, entry).await
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

#[cfg(test)]
mod tests {
    use super::progress;

    #[test]
    fn progress_has_two_decimals_and_stays_within_one() {
        assert_eq!(progress(0, 300), "0.00");
        assert_eq!(progress(100, 300), "0.33");
        assert_eq!(progress(300, 300), "1.00");
        assert_eq!(progress(400, 300), "1.00");
        assert_eq!(progress(0, 0), "1.00");
    }
}
