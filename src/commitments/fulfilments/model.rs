//! Fulfilments in the database: rows, what they are worth, and what follows from them.

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::dsl::min;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Fulfilment, NewFulfilment, Timesheet};
use crate::audit::{self, Entry, Subject, Visibility};
use crate::auth::policy::{Role, Standing};
use crate::clock::paris_day;
use crate::commitments::balance::model as balance;
use crate::commitments::dto::Side;
use crate::commitments::hand_overs::model as hand_overs;
use crate::commitments::lifecycle::{
    CommitmentAction, CommitmentState, FulfilmentAction as Action, FulfilmentState,
    OWED_BY_COMMUNE, OWED_BY_OTHERS,
};
use crate::commitments::model::{self, CommitmentRow};
use crate::db::schema::{
    commitments, convention_commitments, conventions, fulfilments, initiatives as matters,
};
use crate::http::error::{ApiError, Code, FaultCode};
use crate::ids::{CommitmentId, FulfilmentId, UserId};
use crate::initiatives::model::{self as initiatives, InitiativeRow};
use crate::lifecycle::{Lifecycle, Step};
use crate::state::Session;

/// How long the other side may stay silent before that acknowledges.
pub const SILENCE: TimeDelta = TimeDelta::days(30);

/// A row of `fulfilments`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = fulfilments)]
pub struct FulfilmentRow {
    pub id: FulfilmentId,
    pub commune_code: String,
    pub commitment_id: CommitmentId,
    pub state: FulfilmentState,
    pub done_on: NaiveDate,
    pub amount_cents: Option<i64>,
    pub quantity: Option<BigDecimal>,
    pub timesheet: Option<Timesheet>,
    pub value_cents: i64,
    pub evidence: String,
    pub payment_reference: Option<String>,
    pub recorded_by: UserId,
    pub recorded_side: Side,
    pub on_behalf: bool,
    pub recorded_at: DateTime<Utc>,
    pub answered_by: Option<UserId>,
    pub answered_at: Option<DateTime<Utc>>,
    pub dispute_reason: Option<String>,
    pub settlement_reason: Option<String>,
    pub version: i32,
}

impl FulfilmentRow {
    /// The table that applies, by the side that owes.
    pub const fn lifecycle(&self) -> &'static Lifecycle<FulfilmentState, Action> {
        match self.recorded_side {
            Side::Commune => &OWED_BY_COMMUNE,
            Side::Holder | Side::Host | Side::ThirdParty => &OWED_BY_OTHERS,
        }
    }

    /// What the other side has not acknowledged is between the two.
    pub fn is_readable(&self, standing: &Standing) -> bool {
        self.state == FulfilmentState::Acknowledged
            || standing.is_town_hall()
            || standing.is_on_the_holders_side()
    }

    pub fn show(&self, standing: &Standing, me: Option<UserId>) -> Fulfilment {
        let mine = me == Some(self.recorded_by);
        let inside = standing.is_town_hall() || standing.is_on_the_holders_side();
        Fulfilment {
            id: self.id,
            commitment_id: self.commitment_id,
            done_on: self.done_on,
            amount_cents: self.amount_cents,
            payment_reference: self.payment_reference.clone(),
            timesheet: self.timesheet.clone().map(|sheet| {
                let mut lines = sheet.0;
                for line in &mut lines {
                    line.label = line.label.take().filter(|_| inside);
                }
                lines
            }),
            minutes: self.timesheet.as_ref().map(Timesheet::minutes),
            quantity: self.quantity.as_ref().map(BigDecimal::normalized),
            value_cents: self.value_cents,
            evidence: self.evidence.clone(),
            recorded_side: self.recorded_side,
            on_behalf: self.on_behalf,
            recorded_at: self.recorded_at,
            state: self.state,
            answered_at: self.answered_at,
            dispute_reason: self.dispute_reason.clone(),
            settlement_reason: self.settlement_reason.clone(),
            allowed_actions: self
                .lifecycle()
                .allowed(self.state, standing)
                .into_iter()
                // Who recorded it may take it back, and only somebody else may answer it.
                .filter(|action| (*action == Action::Withdraw) == mine)
                .collect(),
        }
    }
}

/// How much a fulfilment is and what it is worth: its money, or its quantity at the unit value that was agreed, rounded
/// half up. Of a timesheet both follow from the minutes.
pub fn measure(
    commitment: &CommitmentRow,
    new: &NewFulfilment,
    timesheet: Option<&Timesheet>,
) -> Result<(Option<BigDecimal>, i64), ApiError> {
    let sixtieth = |exact: BigDecimal, decimals: i64| {
        (exact / BigDecimal::from(60)).with_scale_round(decimals, RoundingMode::HalfUp)
    };
    let minutes = timesheet.map(|sheet| BigDecimal::from(sheet.minutes()));
    let hours = minutes.clone().map(|minutes| sixtieth(minutes, 3));
    let quantity = hours.or_else(|| new.quantity.clone());
    let value = match (commitment.unit_value_cents, new.amount_cents, &quantity) {
        (None, Some(amount), None) => amount,
        (Some(unit_value), None, Some(quantity)) => {
            let unit_value = BigDecimal::from(unit_value);
            let exact = match minutes {
                // Multiplied first: a sixtieth has no end.
                Some(minutes) => sixtieth(minutes * unit_value, 0),
                None => (quantity * unit_value).with_scale_round(0, RoundingMode::HalfUp),
            };
            exact.to_i64().ok_or_else(|| {
                ApiError::fault(
                    "/quantity",
                    FaultCode::OutOfRange,
                    "Trop grand.",
                    "Too large.",
                )
            })?
        }
        (None, ..) => {
            return Err(ApiError::fault(
                "/amount_cents",
                FaultCode::Required,
                "Un engagement financier se réalise en argent.",
                "A financial commitment is fulfilled in money.",
            ));
        }
        (Some(_), ..) => {
            return Err(ApiError::fault(
                "/quantity",
                FaultCode::Required,
                "Cet engagement se réalise en quantité.",
                "This commitment is fulfilled in a quantity.",
            ));
        }
    };
    Ok((quantity, value))
}

/// The day from which something could be done for a commitment: its initiative was submitted, or a convention that holds it
/// had begun.
pub async fn promised_from(
    session: &mut Session,
    initiative: &InitiativeRow,
    id: CommitmentId,
) -> Result<NaiveDate, ApiError> {
    let since = initiative.submitted_at.unwrap_or(initiative.created_at);
    let begun: Option<NaiveDate> = convention_commitments::table
        .inner_join(
            conventions::table.on(conventions::id
                .eq(convention_commitments::convention_id)
                .and(conventions::commune_code.eq(convention_commitments::commune_code))),
        )
        .filter(convention_commitments::commitment_id.eq(id))
        .filter(convention_commitments::commune_code.eq(id.commune()))
        .select(min(conventions::starts_on))
        .first(&mut session.conn)
        .await?;
    let since = paris_day(since);
    Ok(begun.map_or(since, |begun| begun.min(since)))
}

/// Writes the new state of a fulfilment, its history, and what follows for the commitment.
pub async fn settle(
    session: &mut Session,
    commitment: &mut CommitmentRow,
    row: &mut FulfilmentRow,
    step: Step<FulfilmentState>,
    action: &'static str,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    row.state = step.to;
    let changed = diesel::update(fulfilments::table.find((row.id, &row.commune_code)))
        .filter(fulfilments::state.eq(step.from))
        .set((
            fulfilments::state.eq(row.state),
            fulfilments::answered_by.eq(row.answered_by),
            fulfilments::answered_at.eq(row.answered_at),
            fulfilments::dispute_reason.eq(&row.dispute_reason),
            fulfilments::settlement_reason.eq(&row.settlement_reason),
            fulfilments::version.eq(fulfilments::version + 1),
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
    record(
        session,
        commitment,
        row,
        action,
        Some(step),
        step.role,
        reason,
    )
    .await?;
    if step.to == FulfilmentState::Acknowledged {
        progress(session, commitment, step.role).await?;
    }
    Ok(())
}

/// A commitment follows its acknowledged fulfilments; upkeep ends by its end.
async fn progress(
    session: &mut Session,
    commitment: &mut CommitmentRow,
    role: Role,
) -> Result<(), ApiError> {
    if commitment.is_upkeep() {
        return Ok(());
    }
    let today = session.today();
    let tally = balance::of_commitment(&mut session.conn, commitment.id, today).await?;
    let to = if tally.delivered_cents >= commitment.value_cents {
        CommitmentState::Fulfilled
    } else {
        CommitmentState::PartiallyFulfilled
    };
    let open = [
        CommitmentState::Binding,
        CommitmentState::PartiallyFulfilled,
    ];
    if to == commitment.state || !open.contains(&commitment.state) {
        return Ok(());
    }
    let step = Step {
        from: commitment.state,
        to,
        role,
    };
    model::advance(
        session,
        commitment,
        step,
        CommitmentAction::RecordFulfilment,
        None,
    )
    .await
}

/// Writes the history.
pub async fn record(
    session: &mut Session,
    commitment: &CommitmentRow,
    row: &FulfilmentRow,
    action: &'static str,
    step: Option<Step<FulfilmentState>>,
    role: Role,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let role = if row.on_behalf && role == Role::Agent {
        Role::AgentOnBehalf
    } else {
        role
    };
    let entry = Entry {
        commune: &row.commune_code,
        initiative: Some(commitment.initiative_id),
        subject: Subject::Fulfilment,
        subject_id: row.id.0,
        action,
        states: step.map(|step| (step.from.code(), step.to.code())),
        reason,
        role,
        visibility: if row.state == FulfilmentState::Acknowledged {
            Visibility::Public
        } else {
            Visibility::Parties
        },
    };
    audit::record(session, entry).await
}

/// What the caller is to a fulfilment of this initiative, as who owes its commitment stands today.
pub async fn standing(
    session: &mut Session,
    id: FulfilmentId,
    of_the_initiative: &Standing,
) -> Result<Standing, ApiError> {
    let commitment: Option<CommitmentRow> = fulfilments::table
        .find((id, id.commune()))
        .inner_join(
            commitments::table.on(commitments::id
                .eq(fulfilments::commitment_id)
                .and(commitments::commune_code.eq(fulfilments::commune_code))),
        )
        .select(CommitmentRow::as_select())
        .first(&mut session.conn)
        .await
        .optional()?;
    let Some(commitment) = commitment else {
        return Ok(of_the_initiative.clone());
    };
    let today = session.today();
    let keeper = hand_overs::keeper(&mut session.conn, commitment.id, today).await?;
    hand_overs::standing(session, of_the_initiative, &commitment, keeper).await
}

/// These fulfilments, as far as everybody may read them.
pub async fn public(
    conn: &mut AsyncPgConnection,
    ids: Vec<FulfilmentId>,
) -> QueryResult<Vec<Fulfilment>> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let rows: Vec<FulfilmentRow> = fulfilments::table
        .inner_join(
            commitments::table.on(commitments::id
                .eq(fulfilments::commitment_id)
                .and(commitments::commune_code.eq(fulfilments::commune_code))),
        )
        .inner_join(
            matters::table.on(matters::id
                .eq(commitments::initiative_id)
                .and(matters::commune_code.eq(commitments::commune_code))),
        )
        .filter(fulfilments::id.eq_any(ids))
        .filter(fulfilments::commune_code.eq_any(communes))
        .filter(fulfilments::state.eq(FulfilmentState::Acknowledged))
        .filter(commitments::state.eq_any(CommitmentState::BOUND))
        .filter(matters::published_at.is_not_null())
        .select(FulfilmentRow::as_select())
        .load(conn)
        .await?;
    let show = |row: &FulfilmentRow| row.show(&Standing::default(), None);
    Ok(rows.iter().map(show).collect())
}

/// Acknowledges what the other side has left unanswered for thirty days. Returns how many.
pub async fn acknowledge_by_silence(session: &mut Session) -> Result<usize, ApiError> {
    let silent: Vec<FulfilmentRow> = unanswered(&mut session.conn, session.now - SILENCE).await?;
    let count = silent.len();
    for row in silent {
        let mut commitment = model::find(&mut session.conn, row.commitment_id).await?;
        initiatives::lock_row(&mut session.conn, commitment.initiative_id).await?;
        commitment = model::lock(&mut session.conn, commitment.id).await?;
        let mut row: FulfilmentRow = fulfilments::table
            .find((row.id, &row.commune_code))
            .select(FulfilmentRow::as_select())
            .for_update()
            .first(&mut session.conn)
            .await?;
        if row.state != FulfilmentState::Recorded {
            continue;
        }
        row.answered_at = Some(session.now);
        let step = Step {
            from: FulfilmentState::Recorded,
            to: FulfilmentState::Acknowledged,
            role: Role::Clock,
        };
        settle(
            session,
            &mut commitment,
            &mut row,
            step,
            Action::Acknowledge.code(),
            None,
        )
        .await?;
    }
    Ok(count)
}

async fn unanswered(
    conn: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> Result<Vec<FulfilmentRow>, ApiError> {
    Ok(fulfilments::table
        .filter(fulfilments::state.eq(FulfilmentState::Recorded))
        .filter(fulfilments::recorded_at.le(before))
        .order(fulfilments::recorded_at)
        .limit(100)
        .select(FulfilmentRow::as_select())
        .load(conn)
        .await?)
}
