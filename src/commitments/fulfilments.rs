//! `/v1/commitments/{id}/fulfilments`, `/v1/fulfilments/{id}/{action}`: what was done of a promise, and what the other
//! side says to it.

use actix_web::{get, post, web};
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Fulfilment, FulfilmentList, NewFulfilment, Settlement, Side};
use super::lifecycle::{
    CommitmentAction, CommitmentState, FulfilmentAction as Action, FulfilmentState,
    OWED_BY_COMMUNE, OWED_BY_OTHERS,
};
use super::model::{self, CommitmentRow, may_record};
use super::routes;
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::caller::{Anyone, Caller, Request};
use crate::auth::policy::{Role, Standing};
use crate::db::schema::fulfilments;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{CommitmentId, FulfilmentId, UserId};
use crate::initiatives::dto::Reason;
use crate::initiatives::model as initiatives;
use crate::lifecycle::{Lifecycle, Step};
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_fulfilments)
        .service(record_fulfilment)
        .service(get_fulfilment)
        .service(acknowledge_fulfilment)
        .service(dispute_fulfilment)
        .service(settle_fulfilment)
        .service(withdraw_fulfilment);
}

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
    pub value_cents: i64,
    pub evidence: String,
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
    const fn lifecycle(&self) -> &'static Lifecycle<FulfilmentState, Action> {
        match self.recorded_side {
            Side::Commune => &OWED_BY_COMMUNE,
            Side::Holder | Side::Host | Side::ThirdParty => &OWED_BY_OTHERS,
        }
    }

    /// What the other side has not acknowledged is between the two.
    fn is_readable(&self, standing: &Standing) -> bool {
        self.state == FulfilmentState::Acknowledged
            || standing.is_town_hall()
            || standing.is_on_the_holders_side()
    }

    fn show(&self, standing: &Standing, me: Option<UserId>) -> Fulfilment {
        let mine = me == Some(self.recorded_by);
        Fulfilment {
            id: self.id,
            commitment_id: self.commitment_id,
            done_on: self.done_on,
            amount_cents: self.amount_cents,
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

/// List the fulfilments of a commitment
///
/// Others than the holder and the town hall see those that were acknowledged.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment.")),
    responses((status = 200, description = "The fulfilments, the oldest first.", body = FulfilmentList)),
    security((), ("password" = [])),
)]
#[get("/v1/commitments/{id}/fulfilments")]
pub async fn list_fulfilments(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<CommitmentId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let commitment = model::find(&mut session.conn, *id).await?;
    let found = initiatives::find(&mut session, commitment.initiative_id).await?;
    if !commitment.is_readable(&found.standing) {
        return Err(ApiError::not_found());
    }
    let rows: Vec<FulfilmentRow> = fulfilments::table
        .filter(fulfilments::commitment_id.eq(*id))
        .filter(fulfilments::commune_code.eq(id.commune()))
        .order((fulfilments::done_on, fulfilments::id))
        .select(FulfilmentRow::as_select())
        .load(&mut session.conn)
        .await?;
    let me = session.actor.user_id();
    let data = rows
        .iter()
        .filter(|row| row.is_readable(&found.standing))
        .map(|row| row.show(&found.standing, me))
        .collect();
    Reply::data(&FulfilmentList { data })
}

/// Get a fulfilment
///
/// Others than the holder and the town hall see it once it is acknowledged.
#[utoipa::path(
    tag = "commitments",
    params(("id" = FulfilmentId, Path, description = "Identifier of the fulfilment.")),
    responses((status = 200, description = "The fulfilment.", body = Fulfilment)),
    security((), ("password" = [])),
)]
#[get("/v1/fulfilments/{id}")]
pub async fn get_fulfilment(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<FulfilmentId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let row: FulfilmentRow = fulfilments::table
        .find((*id, id.commune()))
        .select(FulfilmentRow::as_select())
        .first(&mut session.conn)
        .await?;
    let commitment = model::find(&mut session.conn, row.commitment_id).await?;
    let found = initiatives::find(&mut session, commitment.initiative_id).await?;
    if !row.is_readable(&found.standing) {
        return Err(ApiError::not_found());
    }
    Reply::resource(
        row.version,
        &row.show(&found.standing, session.actor.user_id()),
    )
}

/// Record a fulfilment
///
/// The side that owes says what was done, or an agent says it for them. The other side answers; thirty days of
/// silence acknowledge it.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment.")),
    request_body = NewFulfilment,
    responses(
        (status = 201, description = "The fulfilment, to be acknowledged.", body = Fulfilment),
        (status = 409, description = "Not binding, a subsidy without an active convention, payments beyond the commitment, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/commitments/{id}/fulfilments")]
pub async fn record_fulfilment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<CommitmentId>,
    body: Json<NewFulfilment>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (found, commitment) = routes::lock(session, *id).await?;
            let role = may_record(commitment.side, &found.standing)?;
            commitment.lifecycle().step(
                commitment.state,
                CommitmentAction::RecordFulfilment,
                &found.standing,
            )?;
            let new = body.0;
            if new.done_on > session.today() {
                return Err(ApiError::fault(
                    "/done_on",
                    FaultCode::OutOfRange,
                    "Ce qui n'est pas encore fait ne se déclare pas.",
                    "What is not done yet is not recorded.",
                ));
            }
            let on_behalf = role == Role::Agent && commitment.side != Side::Commune;
            let row = FulfilmentRow {
                id: FulfilmentId::new(&commitment.commune_code, session.now)?,
                commune_code: commitment.commune_code.clone(),
                commitment_id: commitment.id,
                state: FulfilmentState::Recorded,
                done_on: new.done_on,
                value_cents: value(&commitment, &new)?,
                amount_cents: new.amount_cents,
                quantity: new.quantity,
                evidence: new.evidence,
                recorded_by: session.actor.person()?.id,
                recorded_side: commitment.side,
                on_behalf,
                recorded_at: session.now,
                answered_by: None,
                answered_at: None,
                dispute_reason: None,
                settlement_reason: None,
                version: 1,
            };
            diesel::insert_into(fulfilments::table)
                .values(&row)
                .execute(&mut session.conn)
                .await?;
            record(
                session,
                &commitment,
                &row,
                Beginning::Record.code(),
                None,
                role,
                None,
            )
            .await?;
            let shown = row.show(&found.standing, session.actor.user_id());
            Reply::created(format!("/v1/fulfilments/{}", row.id), row.version, &shown)
        })
        .await
}

/// What a fulfilment is worth: its money, or its quantity at the unit value that was agreed, rounded half up.
fn value(commitment: &CommitmentRow, new: &NewFulfilment) -> Result<i64, ApiError> {
    match (commitment.unit_value_cents, new.amount_cents, &new.quantity) {
        (None, Some(amount), None) => Ok(amount),
        (Some(unit_value), None, Some(quantity)) => (quantity * BigDecimal::from(unit_value))
            .with_scale_round(0, RoundingMode::HalfUp)
            .to_i64()
            .ok_or_else(|| {
                ApiError::fault(
                    "/quantity",
                    FaultCode::OutOfRange,
                    "Trop grand.",
                    "Too large.",
                )
            }),
        (None, ..) => Err(ApiError::fault(
            "/amount_cents",
            FaultCode::Required,
            "Un engagement financier se réalise en argent.",
            "A financial commitment is fulfilled in money.",
        )),
        (Some(_), ..) => Err(ApiError::fault(
            "/quantity",
            FaultCode::Required,
            "Cet engagement se réalise en quantité.",
            "This commitment is fulfilled in a quantity.",
        )),
    }
}

/// Takes an action on a fulfilment: initiative, commitment and fulfilment are locked in this order.
async fn act<F>(
    state: &State,
    request: &Request,
    id: FulfilmentId,
    if_match: IfMatch,
    action: Action,
    work: F,
) -> Answer
where
    F: FnOnce(&mut FulfilmentRow, Step<FulfilmentState>) -> (FulfilmentState, Option<String>)
        + 'static,
{
    state
        .write(request, async move |session| {
            let commitment = fulfilments::table
                .find((id, id.commune()))
                .select(fulfilments::commitment_id)
                .first(&mut session.conn)
                .await?;
            let (found, mut commitment) = routes::lock(session, commitment).await?;
            let mut row: FulfilmentRow = fulfilments::table
                .find((id, id.commune()))
                .select(FulfilmentRow::as_select())
                .for_update()
                .first(&mut session.conn)
                .await?;
            if !row.is_readable(&found.standing) {
                return Err(ApiError::not_found());
            }
            let step = row.lifecycle().step(row.state, action, &found.standing)?;
            let mine = session.actor.user_id() == Some(row.recorded_by);
            if action == Action::Withdraw && !mine {
                return Err(ApiError::forbidden(
                    "Seul qui l'a déclarée la retire.",
                    "Only who recorded it withdraws it.",
                ));
            }
            if action != Action::Withdraw && mine {
                return Err(ApiError::forbidden(
                    "Qui l'a déclarée ne peut pas y répondre.",
                    "Who recorded it cannot answer it.",
                ));
            }
            if_match.check(row.version)?;
            let (to, reason) = work(&mut row, step);
            let step = Step { to, ..step };
            if action != Action::Withdraw {
                row.answered_by = session.actor.user_id();
            }
            row.answered_at = Some(session.now);
            settle(
                session,
                &mut commitment,
                &mut row,
                step,
                action.code(),
                reason.as_deref(),
            )
            .await?;
            Reply::resource(
                row.version,
                &row.show(&found.standing, session.actor.user_id()),
            )
        })
        .await
}

/// Writes the new state of a fulfilment, its history, and what follows for the commitment.
async fn settle(
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
    let delivered = model::delivered_of(&mut session.conn, commitment.id).await?;
    let to = if delivered >= commitment.value_cents {
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

async fn record(
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
        actor: if role == Role::Clock {
            None
        } else {
            session.actor.user_id()
        },
        role,
        visibility: if row.state == FulfilmentState::Acknowledged {
            Visibility::Public
        } else {
            Visibility::Parties
        },
    };
    audit::record(&mut session.conn, session.now, entry).await
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

/// Acknowledge a fulfilment
///
/// The other side than the one that owes; never who recorded it.
#[utoipa::path(
    tag = "commitments",
    params(("id" = FulfilmentId, Path, description = "Identifier of the fulfilment."), IfMatchHeader),
    responses(
        (status = 200, description = "The fulfilment, acknowledged.", body = Fulfilment),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/fulfilments/{id}/acknowledge")]
pub async fn acknowledge_fulfilment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<FulfilmentId>,
    if_match: IfMatch,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Acknowledge,
        |_, step| (step.to, None),
    )
    .await
}

/// Dispute a fulfilment
///
/// The other side than the one that owes, with a reason. An elected official settles it.
#[utoipa::path(
    tag = "commitments",
    params(("id" = FulfilmentId, Path, description = "Identifier of the fulfilment."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The fulfilment, disputed.", body = Fulfilment),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/fulfilments/{id}/dispute")]
pub async fn dispute_fulfilment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<FulfilmentId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Dispute,
        move |row, step| {
            row.dispute_reason = Some(body.0.reason.clone());
            (step.to, Some(body.0.reason))
        },
    )
    .await
}

/// Settle a dispute
///
/// An elected official says whether the fulfilment counts, with a reason.
#[utoipa::path(
    tag = "commitments",
    params(("id" = FulfilmentId, Path, description = "Identifier of the fulfilment."), IfMatchHeader),
    request_body = Settlement,
    responses(
        (status = 200, description = "The fulfilment, acknowledged or rejected.", body = Fulfilment),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/fulfilments/{id}/settle")]
pub async fn settle_fulfilment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<FulfilmentId>,
    if_match: IfMatch,
    body: Json<Settlement>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Settle,
        move |row, step| {
            row.settlement_reason = Some(body.0.reason.clone());
            (
                if body.0.acknowledge {
                    step.to
                } else {
                    FulfilmentState::Rejected
                },
                Some(body.0.reason),
            )
        },
    )
    .await
}

/// Withdraw a fulfilment
///
/// Who recorded it takes it back, until the other side has answered.
#[utoipa::path(
    tag = "commitments",
    params(("id" = FulfilmentId, Path, description = "Identifier of the fulfilment."), IfMatchHeader),
    responses(
        (status = 200, description = "The fulfilment, withdrawn.", body = Fulfilment),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/fulfilments/{id}/withdraw")]
pub async fn withdraw_fulfilment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<FulfilmentId>,
    if_match: IfMatch,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Withdraw,
        |_, step| (step.to, None),
    )
    .await
}
