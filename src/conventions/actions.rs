//! `/v1/conventions/{id}/{action}`: opening for signature, reopening, cancelling, suspending, resuming, terminating.

use actix_web::{post, web};

use super::dto::Convention;
use super::lifecycle::{CONVENTION, ConventionAction as Action, ConventionState};
use super::model::{self, Found};
use super::{opening, parties, view};
use crate::auth::caller::{Caller, Request};
use crate::clock::plus_days;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::Answer;
use crate::http::routes::Routes;
use crate::ids::ConventionId;
use crate::initiatives::dto::Reason;
use crate::lifecycle::Step;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(open_convention_for_signature)
        .service(reopen_convention)
        .service(cancel_convention)
        .service(suspend_convention)
        .service(resume_convention)
        .service(terminate_convention);
}

/// Takes an action: finds the version, checks right, state and version, does the work, and answers with it as it is
/// then.
async fn act<F>(
    state: &State,
    request: &Request,
    id: ConventionId,
    if_match: IfMatch,
    action: Action,
    work: F,
) -> Answer
where
    F: AsyncFnOnce(&mut Session, &mut Found, Step<ConventionState>) -> Result<(), ApiError>
        + 'static,
{
    state
        .write(request, async move |session| {
            let mut found = model::lock(session, id).await?;
            let step = CONVENTION.step(found.row.state, action, found.standing())?;
            if_match.check(found.row.version)?;
            work(session, &mut found, step).await?;
            view::reply(session, id).await
        })
        .await
}

/// Open a convention for signature
///
/// An agent freezes the content. Whatever is still missing is listed in `errors`, all of it at once.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), IfMatchHeader),
    responses(
        (status = 200, description = "The convention, open for signature.", body = Convention),
        (status = 409, description = "No draft, the initiative is not accepted, conditions are missing, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/open_for_signature")]
pub async fn open_convention_for_signature(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::OpenForSignature,
        async |session, found, step| opening::open(session, found, step).await,
    )
    .await
}

/// Reopen a convention
///
/// An agent takes it back to draft. The signatures given so far are void.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The convention, a draft again.", body = Convention),
        (status = 409, description = "Not open for signature, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/reopen")]
pub async fn reopen_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Reopen,
        async move |session, found, step| {
            let reason = body.0.reason;
            parties::void(session, &found.row, &reason).await?;
            found.row.content = None;
            found.row.content_sha256 = None;
            found.row.opened_at = None;
            found.row.reason = Some(reason.clone());
            model::advance(session, &mut found.row, step, Action::Reopen, Some(&reason)).await
        },
    )
    .await
}

/// Cancel a convention
///
/// An agent gives up a version that not all have signed.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The convention, cancelled.", body = Convention),
        (status = 409, description = "Neither a draft nor open for signature, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/cancel")]
pub async fn cancel_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Cancel,
        async move |session, found, step| {
            model::cancel(session, &mut found.row, step.role, &body.0.reason).await
        },
    )
    .await
}

/// Suspend a convention
///
/// An elected official lets it rest, with a reason that is public: nothing is signed on top of it until it is resumed.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The convention, suspended.", body = Convention),
        (status = 409, description = "Not active, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/suspend")]
pub async fn suspend_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    with_reason(&state, &caller, *id, if_match, Action::Suspend, body.0).await
}

/// Resume a convention
///
/// An elected official puts it in force again.
/// While the commune's signature is contested, only who contested it resumes: from then on it stands.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The convention, active again.", body = Convention),
        (status = 409, description = "Not suspended, a signature that somebody else contests, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/resume")]
pub async fn resume_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Resume,
        async move |session, found, step| {
            parties::confirm(session, found.row.id).await?;
            let reason = body.0.reason;
            found.row.reason = Some(reason.clone());
            model::advance(session, &mut found.row, step, Action::Resume, Some(&reason)).await
        },
    )
    .await
}

/// Takes an action that is a step with a reason and nothing more.
async fn with_reason(
    state: &State,
    request: &Request,
    id: ConventionId,
    if_match: IfMatch,
    action: Action,
    body: Reason,
) -> Answer {
    act(
        state,
        request,
        id,
        if_match,
        action,
        async move |session, found, step| {
            found.row.reason = Some(body.reason.clone());
            model::advance(session, &mut found.row, step, action, Some(&body.reason)).await
        },
    )
    .await
}

/// Terminate a convention
///
/// An elected official, or a member who may sign for the holder, ends it: today plus the notice is its last day.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The convention, terminated.", body = Convention),
        (status = 409, description = "Not in force, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/terminate")]
pub async fn terminate_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut found = model::lock(session, *id).await?;
            let role = model::may_terminate(found.standing())?;
            CONVENTION.step(found.row.state, Action::Terminate, found.standing())?;
            if_match.check(found.row.version)?;
            let last_day = plus_days(session.today(), i64::from(found.row.notice_days));
            model::terminate(session, &mut found.row, role, last_day, &body.0.reason).await?;
            view::reply(session, *id).await
        })
        .await
}
