//! `/v1/initiatives/{id}/{action}`: the steps of the lifecycle that concern the initiative alone. Those that reach
//! into conventions and evaluations (quick_accept, withdraw, abandon, complete, close) live on the floors above.

use actix_web::{post, web};

use super::dto::{
    DecisionOutcome, Initiative, Message, NewOpinion, OpinionOutcome, QuickAccept, Reason,
    Redirection, StartReview,
};
use super::lifecycle::{INITIATIVE, InitiativeAction as Action, InitiativeState};
use super::model::{self, Decider, Found, Remark};
use super::view;
use crate::audit::Visibility;
use crate::auth::caller::{Caller, Request};
use crate::communes;
use crate::http::error::{ApiError, Code};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::InitiativeId;
use crate::lifecycle::Step;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(submit_initiative)
        .service(start_initiative_review)
        .service(request_initiative_changes)
        .service(resubmit_initiative)
        .service(lapse_initiative)
        .service(give_initiative_opinion)
        .service(accept_initiative)
        .service(refuse_initiative)
        .service(redirect_initiative)
        .service(reopen_initiative)
        .service(publish_initiative)
        .service(unpublish_initiative);
}

/// Takes an action: finds the initiative, checks right, state and version, does the work, and answers with the
/// initiative as it is then.
pub async fn act<F>(
    state: &State,
    request: &Request,
    id: InitiativeId,
    if_match: IfMatch,
    action: Action,
    work: F,
) -> Answer
where
    F: AsyncFnOnce(&mut Session, &mut Found, Step<InitiativeState>) -> Result<(), ApiError>
        + 'static,
{
    state
        .write(request, async move |session| {
            let mut found = model::lock(session, id).await?;
            let step = INITIATIVE.step(found.row.state, action, &found.standing)?;
            if_match.check(found.row.version)?;
            work(session, &mut found, step).await?;
            let (version, initiative) = view::show(&session.conn, &session.actor, id).await?;
            Reply::resource(version, &initiative)
        })
        .await
}

/// Submit an initiative
///
/// The holder gets a receipt and the reply clock starts.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    responses(
        (status = 200, description = "The initiative, submitted.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Something that a submission needs is missing.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/submit")]
pub async fn submit_initiative(
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
        Action::Submit,
        async |session, found, step| {
            let commune =
                communes::model::enrolled(&mut session.conn, &found.row.commune_code).await?;
            found.row.submit(&commune, session.now)?;
            model::advance(
                session,
                &mut found.row,
                step,
                Action::Submit,
                Remark::PUBLIC,
            )
            .await
        },
    )
    .await
}

/// Start the review
///
/// An agent of the commune takes it up. It is published, unless the agent says why not.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = StartReview,
    responses(
        (status = 200, description = "The initiative, in review.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/start_review")]
pub async fn start_initiative_review(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<StartReview>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::StartReview,
        async move |session, found, step| {
            found.row.replied(session.now);
            match (body.0.publish, body.0.reason) {
                (false, Some(reason)) => found.row.withhold(reason),
                _ => found.row.publish(session.now),
            }
            model::advance(
                session,
                &mut found.row,
                step,
                Action::StartReview,
                Remark::PUBLIC,
            )
            .await
        },
    )
    .await
}

/// The quick yes itself, for whoever continues with a convention in the same transaction.
pub async fn quick_accept(
    session: &mut Session,
    found: &mut Found,
    step: Step<InitiativeState>,
    action: Action,
    yes: QuickAccept,
    decider: Decider,
) -> Result<(), ApiError> {
    if found.row.building_work || found.row.land != super::dto::Land::None {
        return Err(ApiError::requirement(
            "Un petit projet ne comporte ni travaux ni terrain public.",
            "A small project has no building work and uses no public land.",
        ));
    }
    let opinion = NewOpinion {
        outcome: OpinionOutcome::Favourable,
        text: yes.opinion,
        estimated_cost_cents: None,
    };
    model::give_opinion(session, &mut found.row, opinion).await?;
    let outcome = DecisionOutcome::Accepted;
    model::decide(session, found, outcome, &yes.reason, decider).await?;
    found.row.publish(session.now);
    let remark = Remark {
        reason: Some(&yes.reason),
        visibility: Visibility::Public,
    };
    model::advance(session, &mut found.row, step, action, remark).await
}

/// Request changes
///
/// An agent asks the holder for something; the reply clock pauses.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Message,
    responses(
        (status = 200, description = "The initiative, waiting for its holder.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/request_changes")]
pub async fn request_initiative_changes(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<Message>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::RequestChanges,
        async move |session, found, step| {
            found.row.replied(session.now);
            found.row.pause(session.today());
            let remark = Remark {
                reason: Some(&body.0.message),
                visibility: Visibility::Parties,
            };
            model::advance(
                session,
                &mut found.row,
                step,
                Action::RequestChanges,
                remark,
            )
            .await
        },
    )
    .await
}

/// Resubmit an initiative
///
/// The holder has made the changes; the reply clock goes on.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    responses(
        (status = 200, description = "The initiative, in review again.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/resubmit")]
pub async fn resubmit_initiative(
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
        Action::Resubmit,
        async |session, found, step| {
            found.row.resume(session.today());
            model::advance(
                session,
                &mut found.row,
                step,
                Action::Resubmit,
                Remark::PUBLIC,
            )
            .await
        },
    )
    .await
}

/// Let an initiative lapse
///
/// An agent states that the holder has not answered. Time does so by itself after six months.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    responses(
        (status = 200, description = "The initiative, lapsed.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/lapse")]
pub async fn lapse_initiative(
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
        Action::Lapse,
        async |session, found, step| {
            found.row.reply_paused_on = None;
            model::advance(session, &mut found.row, step, Action::Lapse, Remark::PUBLIC).await
        },
    )
    .await
}

/// Give the opinion
///
/// An agent concludes after the review. Until the decision only the town hall reads it.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = NewOpinion,
    responses(
        (status = 200, description = "The initiative with the opinion.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/give_opinion")]
pub async fn give_initiative_opinion(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<NewOpinion>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::GiveOpinion,
        async move |session, found, step| {
            model::give_opinion(session, &mut found.row, body.0).await?;
            let remark = Remark {
                reason: None,
                visibility: Visibility::Commune,
            };
            model::advance(session, &mut found.row, step, Action::GiveOpinion, remark).await
        },
    )
    .await
}

/// Accept an initiative
///
/// An elected official decides, after an opinion and with a reason.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The initiative, accepted.", body = Initiative),
        (status = 409, description = "Not in this state, no opinion yet, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/accept")]
pub async fn accept_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    decide(
        &state,
        &caller,
        *id,
        if_match,
        Action::Accept,
        DecisionOutcome::Accepted,
        body.0,
    )
    .await
}

/// Refuse an initiative
///
/// An elected official decides, after an opinion and with a reason. A refusal is final: a new initiative may follow.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The initiative, refused.", body = Initiative),
        (status = 409, description = "Not in this state, no opinion yet, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/refuse")]
pub async fn refuse_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    decide(
        &state,
        &caller,
        *id,
        if_match,
        Action::Refuse,
        DecisionOutcome::Refused,
        body.0,
    )
    .await
}

async fn decide(
    state: &State,
    request: &Request,
    id: InitiativeId,
    if_match: IfMatch,
    action: Action,
    outcome: DecisionOutcome,
    body: Reason,
) -> Answer {
    act(
        state,
        request,
        id,
        if_match,
        action,
        async move |session, found, step| {
            model::require_opinion(session, &found.row).await?;
            let decider = Decider::caller(session, &found.standing)?;
            model::decide(session, found, outcome, &body.reason, decider).await?;
            let remark = Remark {
                reason: Some(&body.reason),
                visibility: Visibility::Public,
            };
            model::advance(session, &mut found.row, step, action, remark).await
        },
    )
    .await
}

/// Redirect an initiative
///
/// An agent names the competent body: another level of government, or an existing service.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Redirection,
    responses(
        (status = 200, description = "The initiative, redirected.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/redirect")]
pub async fn redirect_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<Redirection>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Redirect,
        async move |session, found, step| {
            found.row.replied(session.now);
            found.row.redirected_to = Some(body.0.competent_body);
            let remark = Remark {
                reason: Some(&body.0.reason),
                visibility: Visibility::Public,
            };
            model::advance(session, &mut found.row, step, Action::Redirect, remark).await
        },
    )
    .await
}

/// Reopen an initiative
///
/// An agent takes up again what was refused or has lapsed, for a new fact. The reply clock starts anew.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The initiative, in review again.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/reopen")]
pub async fn reopen_initiative(
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
        Action::Reopen,
        async move |session, found, step| {
            let commune =
                communes::model::enrolled(&mut session.conn, &found.row.commune_code).await?;
            found.row.restart(&commune, session.today());
            let remark = Remark {
                reason: Some(&body.0.reason),
                visibility: Visibility::Public,
            };
            model::advance(session, &mut found.row, step, Action::Reopen, remark).await
        },
    )
    .await
}

/// Publish an initiative
///
/// An agent makes public what was withheld.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    responses(
        (status = 200, description = "The initiative, published.", body = Initiative),
        (status = 409, description = "Not in this state, never submitted, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/publish")]
pub async fn publish_initiative(
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
        Action::Publish,
        async |session, found, step| {
            // A draft that was withdrawn.
            if found.row.submitted_at.is_none() {
                return Err(ApiError::requirement(
                    "Elle n'a jamais été déposée.",
                    "It was never submitted.",
                ));
            }
            if found.row.published_at.is_some() {
                return Err(ApiError::because(
                    Code::AlreadyExists,
                    "Elle est déjà publiée.",
                    "It is published already.",
                ));
            }
            found.row.publish(session.now);
            model::advance(
                session,
                &mut found.row,
                step,
                Action::Publish,
                Remark::PUBLIC,
            )
            .await
        },
    )
    .await
}

/// Unpublish an initiative
///
/// An agent takes it back from the public, with a reason. Its holder and the town hall still see it.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The initiative, not public any more.", body = Initiative),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/unpublish")]
pub async fn unpublish_initiative(
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
        Action::Unpublish,
        async move |session, found, step| {
            let reason = body.0.reason;
            found.row.withhold(reason.clone());
            let remark = Remark {
                reason: Some(&reason),
                visibility: Visibility::Commune,
            };
            model::advance(session, &mut found.row, step, Action::Unpublish, remark).await
        },
    )
    .await
}
