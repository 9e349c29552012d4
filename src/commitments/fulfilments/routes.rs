//! `/v1/commitments/{id}/fulfilments`, `/v1/fulfilments/{id}/{action}`: what was done of a promise, and what the other
//! side says to it.

use actix_web::{get, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::{Fulfilment, FulfilmentList, NewFulfilment, Settlement, Timesheet};
use super::model::{FulfilmentRow, measure, promised_from, record, settle};
use crate::audit::Beginning;
use crate::auth::caller::{Anyone, Caller, Request};
use crate::auth::policy::Role;
use crate::commitments::dto::Side;
use crate::commitments::lifecycle::{
    CommitmentAction, FulfilmentAction as Action, FulfilmentState,
};
use crate::commitments::model::may_record;
use crate::commitments::routes;
use crate::db::schema::fulfilments;
use crate::http::error::{ApiError, FaultCode};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{CommitmentId, FulfilmentId};
use crate::initiatives::dto::Reason;
use crate::lifecycle::Step;
use crate::state::State;

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
    let (found, _) = routes::find(&mut session, *id).await?;
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
    let (found, _) = routes::find(&mut session, row.commitment_id).await?;
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
        (status = 409, description = "Not binding, a subsidy without an active convention, payments beyond the commitment, more than ten times what was promised, a timesheet of what is not counted in hours, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
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
            let new = body.0;
            // Whoever owed it on that day.
            let (found, commitment) = routes::lock_as_of(session, *id, new.done_on).await?;
            let role = may_record(commitment.side, &found.standing)?;
            commitment.step(CommitmentAction::RecordFulfilment, &found.standing)?;
            if new.done_on > session.today() {
                return Err(ApiError::fault(
                    "/done_on",
                    FaultCode::OutOfRange,
                    "Ce qui n'est pas encore fait ne se déclare pas.",
                    "What is not done yet is not recorded.",
                ));
            }
            if new.done_on < promised_from(session, &found.row, commitment.id).await? {
                return Err(ApiError::fault(
                    "/done_on",
                    FaultCode::OutOfRange,
                    "Avant le dépôt de l'initiative et le premier jour de la convention, rien n'était promis.",
                    "Before the submission of the initiative and the first day of the convention nothing was promised.",
                ));
            }
            let on_behalf = role == Role::Agent && commitment.side != Side::Commune;
            let timesheet = new.timesheet.clone().map(Timesheet);
            let (quantity, value_cents) = measure(&commitment, &new, timesheet.as_ref())?;
            let row = FulfilmentRow {
                id: FulfilmentId::new(&commitment.commune_code, session.now)?,
                commune_code: commitment.commune_code.clone(),
                commitment_id: commitment.id,
                state: FulfilmentState::Recorded,
                done_on: new.done_on,
                value_cents,
                amount_cents: new.amount_cents,
                quantity,
                timesheet,
                payment_reference: new.payment_reference,
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
