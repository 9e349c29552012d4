//! `/v1/initiatives/{id}/record_decision`, `/record_quick_accept` and `/contest`, `/v1/conventions/{id}/contest_signature`:
//! what an official did on paper and an agent records, and what the official has to say of it.

use actix_web::{post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::{Convention, Party};
use super::ending::cancel_unsigned;
use super::input::{QuickYes, RecordedQuickYes};
use super::lifecycle::{CONVENTION, ConventionAction, ConventionState};
use super::quick::{self, QuickAccepted};
use super::{model, parties, view};
use crate::audit::Visibility;
use crate::auth::caller::Caller;
use crate::clock::paris_day;
use crate::db::schema::signatures;
use crate::http::error::{ApiError, Code, FaultCode, Text};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{ConventionId, InitiativeId};
use crate::initiatives::actions::act;
use crate::initiatives::dto::{
    DecisionOutcome, DecisionPaper, Initiative, Reason, RecordedDecision,
};
use crate::initiatives::lifecycle::{INITIATIVE, InitiativeAction, InitiativeState};
use crate::initiatives::model::{self as initiatives, Decider, Remark, in_time};
use crate::lifecycle::Step;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(record_initiative_decision)
        .service(record_initiative_quick_accept)
        .service(contest_initiative_decision)
        .service(contest_convention_signature);
}

/// Record a decision on paper
///
/// An agent records what an elected official has decided on paper, after an opinion and with a reason: an official whose
/// mandate counted on that day, who stands on no other side and does not record it themselves. They may contest it within
/// eight days.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = RecordedDecision,
    responses(
        (status = 200, description = "The initiative, accepted or refused.", body = Initiative),
        (status = 409, description = "Not in this state, no opinion yet, no mandate on that day, or the agent or the official stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/record_decision")]
pub async fn record_initiative_decision(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<RecordedDecision>,
) -> Answer {
    let action = InitiativeAction::RecordDecision;
    act(
        &state,
        &caller,
        *id,
        if_match,
        action,
        async move |session, found, step| {
            let RecordedDecision {
                outcome,
                reason,
                mandate_id,
                decided_on,
                paper_reference,
            } = body.0;
            let paper = DecisionPaper {
                mandate_id,
                decided_on,
                paper_reference,
            };
            let opinion_on = initiatives::require_opinion(session, &found.row).await?;
            let commune = &found.row.commune_code;
            let decider = Decider::on_paper(session, commune, paper, opinion_on).await?;
            initiatives::decide(session, found, outcome, &reason, decider).await?;
            let to = match outcome {
                DecisionOutcome::Accepted => InitiativeState::Accepted,
                DecisionOutcome::Refused => InitiativeState::Refused,
            };
            let remark = Remark {
                reason: Some(&reason),
                visibility: Visibility::Public,
            };
            let step = Step { to, ..step };
            initiatives::advance(session, &mut found.row, step, action, remark).await
        },
    )
    .await
}

/// Record a quick yes on paper
///
/// An agent records that an elected official has accepted a small project on paper, with a one-line opinion; under the
/// rules of a quick yes. With `convention` the official accepts the holder's commitments too, and a convention with all
/// of them is opened for signature; the signatures on its paper are recorded one by one.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = RecordedQuickYes,
    responses(
        (status = 200, description = "The initiative, accepted, and its convention.", body = QuickAccepted),
        (status = 409, description = "Not in this state, not a small project, conditions of the convention are missing, no mandate on that day, or the agent or the official stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/record_quick_accept")]
pub async fn record_initiative_quick_accept(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<RecordedQuickYes>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let found = initiatives::lock(session, *id).await?;
            let action = InitiativeAction::RecordQuickAccept;
            let step = INITIATIVE.step(found.row.state, action, &found.standing)?;
            if_match.check(found.row.version)?;
            let RecordedQuickYes {
                opinion,
                reason,
                convention,
                mandate_id,
                decided_on,
                paper_reference,
            } = body.0;
            if convention.as_ref().is_some_and(|terms| terms.sign) {
                return Err(ApiError::fault(
                    "/convention/sign",
                    FaultCode::Inconsistent,
                    "Un agent ne signe jamais ; la signature sur papier s'enregistre.",
                    "Agents never sign; a signature on paper is recorded.",
                ));
            }
            let paper = DecisionPaper {
                mandate_id,
                decided_on,
                paper_reference,
            };
            let submitted_on = found.row.submitted_at.map_or(decided_on, paris_day);
            let commune = &found.row.commune_code;
            let decider = Decider::on_paper(session, commune, paper, submitted_on).await?;
            let yes = QuickYes {
                opinion,
                reason,
                convention,
            };
            quick::say_yes(session, found, step, action, yes, decider).await
        })
        .await
}

/// Contest a decision
///
/// The official in whose name an agent recorded a decision on paper says that it is not what they decided: within eight
/// days, with a reason that is public. The initiative is in review again, unsigned versions of its conventions are
/// cancelled, and commitments stay on the table. Once a convention is in force, suspend or terminate that.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The initiative, in review again.", body = Initiative),
        (status = 409, description = "Not in this state, not recorded on paper, too late, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/contest")]
pub async fn contest_initiative_decision(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut found = initiatives::lock(session, *id).await?;
            let action = InitiativeAction::Contest;
            let step = INITIATIVE
                .step(found.row.state, action, &found.standing)
                .map_err(|error| hint(error, found.row.state))?;
            if_match.check(found.row.version)?;
            let reason = body.0.reason;
            initiatives::contest(session, &mut found.row, &reason).await?;
            cancel_unsigned(session, *id, step.role, &reason).await?;
            let remark = Remark {
                reason: Some(&reason),
                visibility: Visibility::Public,
            };
            initiatives::advance(session, &mut found.row, step, action, remark).await?;
            let (version, initiative) =
                crate::initiatives::view::show(&session.conn, &session.actor, *id).await?;
            Reply::resource(version, &initiative)
        })
        .await
}

/// What else an official can do when it is too late to contest a decision.
fn hint(error: ApiError, state: InitiativeState) -> ApiError {
    if error.code != Code::WrongState || state != InitiativeState::InProgress {
        return error;
    }
    ApiError {
        detail: Some(Text::new(
            "La convention est en vigueur : suspendez-la ou résiliez-la.",
            "The convention is in force: suspend or terminate it.",
        )),
        ..error
    }
}

/// Contest a signature
///
/// The commune's signatory, in whose name an agent recorded a signature on paper, says that it is not theirs: within
/// eight days, with a reason. While the convention is open for signature the signature is void. One that is in force
/// keeps its signatures: it is suspended, and the signature is marked.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The convention without the signature, or suspended.", body = Convention),
        (status = 409, description = "Not in this state, not recorded on paper, too late, contested already, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/contest_signature")]
pub async fn contest_convention_signature(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut found = model::lock(session, *id).await?;
            let action = ConventionAction::ContestSignature;
            let step = CONVENTION.step(found.row.state, action, found.standing())?;
            if_match.check(found.row.version)?;
            let parties = parties::of(&mut session.conn, *id).await?;
            let signed = parties
                .iter()
                .find(|party| party.row.party == Party::Commune)
                .and_then(|party| party.in_name())
                .ok_or_else(|| {
                    ApiError::requirement(
                        "Aucune signature de la commune sur papier n'est à contester.",
                        "There is no signature of the commune on paper to contest.",
                    )
                })?;
            let me = session.actor.person()?.id;
            in_time(
                me,
                signed.user_id,
                session.today(),
                signed.contestable_until,
            )?;
            let reason = body.0.reason;
            let open = found.row.state == ConventionState::OpenForSignature;
            diesel::update(signatures::table.find((signed.id, &found.row.commune_code)))
                .set((
                    signatures::contested_at.eq(session.now),
                    signatures::contested_by.eq(me),
                    signatures::contest_reason.eq(&reason),
                    signatures::voided_at.eq(open.then_some(session.now)),
                    signatures::void_reason.eq(open.then_some(&reason)),
                ))
                .execute(&mut session.conn)
                .await?;
            model::advance(session, &mut found.row, step, action, Some(&reason)).await?;
            if found.row.state == ConventionState::Active {
                let action = ConventionAction::Suspend;
                let step = CONVENTION.step(found.row.state, action, found.standing())?;
                found.row.reason = Some(reason.clone());
                model::advance(session, &mut found.row, step, action, Some(&reason)).await?;
            }
            view::reply(session, *id).await
        })
        .await
}
