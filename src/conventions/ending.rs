//! `/v1/initiatives/{id}/withdraw`, `/abandon` and `/complete`: the ends of an initiative that reach into its
//! conventions and commitments.

use actix_web::{post, web};

use super::input::Withdrawal;
use super::lifecycle::{IN_FORCE, UNSIGNED};
use super::model;
use crate::audit::Visibility;
use crate::auth::caller::Caller;
use crate::auth::policy::Role;
use crate::commitments;
use crate::http::error::{ApiError, Fault, FaultCode, Text};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::Answer;
use crate::http::routes::Routes;
use crate::ids::InitiativeId;
use crate::initiatives::actions::act;
use crate::initiatives::dto::{Initiative, Reason};
use crate::initiatives::lifecycle::InitiativeAction as Action;
use crate::initiatives::model::{self as initiatives, Remark};
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(withdraw_initiative)
        .service(abandon_initiative)
        .service(complete_initiative);
}

/// What stands for a reason where the holder gave none.
const WITHDRAWN: &str = "L'initiative est retirée par son porteur.";

/// Cancels what not all have signed of an initiative.
pub async fn cancel_unsigned(
    session: &mut Session,
    id: InitiativeId,
    role: Role,
    reason: &str,
) -> Result<(), ApiError> {
    for mut version in model::lock_all(&mut session.conn, id, UNSIGNED).await? {
        model::cancel(session, &mut version, role, reason).await?;
    }
    Ok(())
}

/// Withdraw an initiative
///
/// Its holder takes it back, at the latest before a convention is in force. Unsigned versions are cancelled, and the
/// envelope gets back what was reserved.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Withdrawal,
    responses(
        (status = 200, description = "The initiative, withdrawn.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/withdraw")]
pub async fn withdraw_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<Withdrawal>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Withdraw,
        async move |session, found, step| {
            let given = body.0.reason.as_deref();
            let reason = given.unwrap_or(WITHDRAWN);
            cancel_unsigned(session, found.row.id, step.role, reason).await?;
            commitments::model::release(session, found.row.id, step.role, reason).await?;
            found.row.reply_paused_on = None;
            let remark = Remark {
                reason: given,
                visibility: Visibility::Public,
            };
            initiatives::advance(session, &mut found.row, step, Action::Withdraw, remark).await
        },
    )
    .await
}

/// Abandon an initiative
///
/// An elected official ends it with a reason. Unsigned versions are cancelled, the one in force ends today, and what
/// was promised and not done is released.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The initiative, abandoned.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/abandon")]
pub async fn abandon_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Abandon,
        async move |session, found, step| {
            let reason = body.0.reason;
            let today = session.today();
            cancel_unsigned(session, found.row.id, step.role, &reason).await?;
            for mut version in model::lock_all(&mut session.conn, found.row.id, IN_FORCE).await? {
                model::terminate(session, &mut version, step.role, today, &reason).await?;
            }
            commitments::model::release(session, found.row.id, step.role, &reason).await?;
            let remark = Remark {
                reason: Some(&reason),
                visibility: Visibility::Public,
            };
            initiatives::advance(session, &mut found.row, step, Action::Abandon, remark).await
        },
    )
    .await
}

/// Complete an initiative
///
/// An agent states that it is done: every one-off commitment is fulfilled, or marked unfulfilled with a reason.
/// Upkeep may go on. `errors` lists the commitments that are not settled yet.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    responses(
        (status = 200, description = "The initiative, completed.", body = Initiative),
        (status = 409, description = "Not in this state, commitments are not settled, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/complete")]
pub async fn complete_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Complete,
        async |session, found, step| {
            let commitments = commitments::model::lock_all(&mut session.conn, found.row.id).await?;
            let faults: Vec<Fault> = commitments
                .iter()
                .filter(|commitment| !commitment.is_upkeep() && !commitment.is_settled())
                .map(|commitment| {
                    let title = &commitment.title;
                    let text = Text::made(
                        format!("Pas encore soldé : {title}."),
                        format!("Not settled yet: {title}."),
                    );
                    let pointer = format!("/commitments/{}", commitment.id);
                    Fault::at(&pointer, FaultCode::Required, text)
                })
                .collect();
            if !faults.is_empty() {
                return Err(ApiError {
                    faults,
                    ..ApiError::requirement(
                        "Des engagements ponctuels ne sont pas soldés.",
                        "One-off commitments are not settled.",
                    )
                });
            }
            initiatives::advance(
                session,
                &mut found.row,
                step,
                Action::Complete,
                Remark::PUBLIC,
            )
            .await
        },
    )
    .await
}
