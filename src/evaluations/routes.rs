//! `/v1/initiatives/{id}/evaluation`, and the end of the initiative that it allows.

use actix_web::{get, patch, post, web};

use super::dto::{Evaluation, EvaluationPatch, NewEvaluation};
use super::lifecycle::{EVALUATION, EvaluationAction};
use super::model;
use crate::auth::caller::{Anyone, Caller};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::InitiativeId;
use crate::initiatives;
use crate::initiatives::actions::act;
use crate::initiatives::dto::Initiative;
use crate::initiatives::lifecycle::{INITIATIVE, InitiativeAction};
use crate::initiatives::model::{Found, Remark};
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(get_evaluation)
        .service(create_evaluation)
        .service(update_evaluation)
        .service(agree_evaluation)
        .service(validate_evaluation)
        .service(close_initiative);
}

async fn answer(session: &mut Session, initiative: &Found) -> Answer {
    let row = model::find(&mut session.conn, initiative).await?;
    let version = row.version;
    let shown = row.show(session, initiative).await?;
    Reply::resource(version, &shown)
}

/// Get the evaluation of an initiative
///
/// Once validated it is as public as the initiative; before, the town hall and the holder's side read it.
#[utoipa::path(
    tag = "evaluations",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses(
        (status = 200, description = "The evaluation.", body = Evaluation),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives/{id}/evaluation")]
pub async fn get_evaluation(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let initiative = initiatives::model::find(&mut session, *id).await?;
    let reply = answer(&mut session, &initiative).await?;
    Ok(reply.public_to(&anyone, 30))
}

/// Write the evaluation of an initiative
///
/// An agent writes it while the initiative is in progress or completed: what was achieved, what it cost, what it would
/// have cost, with method and source.
#[utoipa::path(
    tag = "evaluations",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    request_body = NewEvaluation,
    responses(
        (status = 201, description = "The evaluation.", body = Evaluation),
        (status = 409, description = "The initiative is not in this state, has an evaluation already, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/evaluation")]
pub async fn create_evaluation(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    body: Json<NewEvaluation>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let initiative = initiatives::model::lock(session, *id).await?;
            let step = INITIATIVE.step(
                initiative.row.state,
                InitiativeAction::Evaluate,
                &initiative.standing,
            )?;
            model::create(session, &initiative, step.role, body.0).await?;
            let row = model::find(&mut session.conn, &initiative).await?;
            let version = row.version;
            let shown = row.show(session, &initiative).await?;
            Reply::created(format!("/v1/initiatives/{id}/evaluation"), version, &shown)
        })
        .await
}

/// Change the evaluation of an initiative
///
/// An agent, until it is validated. The holder's side agrees anew to what it says then.
#[utoipa::path(
    tag = "evaluations",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body(content = EvaluationPatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The evaluation as it is now.", body = Evaluation),
        (status = 409, description = "It is validated, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/initiatives/{id}/evaluation")]
pub async fn update_evaluation(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<EvaluationPatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let initiative = initiatives::model::lock(session, *id).await?;
            let row = model::find(&mut session.conn, &initiative).await?;
            let step =
                EVALUATION.step(row.state(), EvaluationAction::Update, &initiative.standing)?;
            if_match.check(row.version)?;
            model::change(session, &initiative, &row, step, &body.0).await?;
            answer(session, &initiative).await
        })
        .await
}

/// Agree with the evaluation of an initiative
///
/// The holder's side, once the initiative is completed. Thirty days of silence agree too.
#[utoipa::path(
    tag = "evaluations",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    responses(
        (status = 200, description = "The evaluation, agreed.", body = Evaluation),
        (status = 409, description = "It is validated, agreed already, the initiative is not completed, or the caller wrote it or stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/evaluation/agree")]
pub async fn agree_evaluation(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let initiative = initiatives::model::lock(session, *id).await?;
            let row = model::find(&mut session.conn, &initiative).await?;
            let agree = EvaluationAction::Agree;
            let step = EVALUATION.step(row.state(), agree, &initiative.standing)?;
            model::require_unanswered(&row)?;
            model::refuse_authors(session, &row).await?;
            model::require_completed(&initiative)?;
            if_match.check(row.version)?;
            model::agree(session, &initiative, &row, step.role).await?;
            answer(session, &initiative).await
        })
        .await
}

/// Validate the evaluation of an initiative
///
/// An elected official, who did not write it, once the initiative is completed and the holder's side has agreed. From
/// then on it is public and final.
#[utoipa::path(
    tag = "evaluations",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    responses(
        (status = 200, description = "The evaluation, validated.", body = Evaluation),
        (status = 409, description = "It is validated already, the initiative is not completed, the holder has not agreed, or the caller wrote it or stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/evaluation/validate")]
pub async fn validate_evaluation(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let initiative = initiatives::model::lock(session, *id).await?;
            let row = model::find(&mut session.conn, &initiative).await?;
            let validate = EvaluationAction::Validate;
            let step = EVALUATION.step(row.state(), validate, &initiative.standing)?;
            model::refuse_authors(session, &row).await?;
            model::require_completed(&initiative)?;
            model::require_agreed(&row)?;
            if_match.check(row.version)?;
            model::validate(session, &initiative, &row, step).await?;
            answer(session, &initiative).await
        })
        .await
}

/// Close an initiative
///
/// An agent, on a validated evaluation. Upkeep may go on under the convention.
#[utoipa::path(
    tag = "evaluations",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    responses(
        (status = 200, description = "The initiative, closed.", body = Initiative),
        (status = 409, description = "Not in this state, no validated evaluation, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/close")]
pub async fn close_initiative(
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
        InitiativeAction::Close,
        async |session, found, step| {
            model::require_validated(session, found).await?;
            initiatives::model::advance(
                session,
                &mut found.row,
                step,
                InitiativeAction::Close,
                Remark::PUBLIC,
            )
            .await
        },
    )
    .await
}
