//! `/v1/initiatives/{id}/quick_accept`: the quick yes to a small project, with its convention in the same call, so
//! that eight planters need no more than the counter, the mayor and one sheet of paper.

use actix_web::{post, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::Convention;
use super::input::{QuickConvention, QuickYes};
use super::lifecycle::ConventionState;
use super::model::Found;
use super::{drafting, opening, signing, view};
use crate::auth::caller::Caller;
use crate::auth::policy::Role;
use crate::commitments::dto::{CommuneRoute, ProposedSide, Side};
use crate::commitments::lifecycle::{CommitmentAction, CommitmentState};
use crate::commitments::model::CommitmentRow;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{ConventionId, InitiativeId, MandateId, UserId};
use crate::initiatives::actions;
use crate::initiatives::dto::{Initiative, QuickAccept};
use crate::initiatives::lifecycle::{INITIATIVE, InitiativeAction, InitiativeState};
use crate::initiatives::model::Decider;
use crate::lifecycle::Step;
use crate::state::{Session, State};
use crate::{commitments, communes, initiatives};

pub fn configure(routes: &mut Routes) {
    routes.service(quick_accept_initiative);
}

/// What came of a quick yes.
#[derive(Serialize, ToSchema)]
pub struct QuickAccepted {
    /// The initiative, accepted.
    pub initiative: Initiative,
    /// Its convention, open for signature; null when none was asked for.
    #[schema(required)]
    pub convention: Option<Convention>,
}

/// Say a quick yes to a small project
///
/// An elected official accepts, with a one-line opinion: below the commune's ceiling, without subsidy, building work
/// or public land. It is published. With `convention` the holder's commitments are accepted and a convention with all
/// of them is opened for signature in the same transaction; with `sign` the caller signs it for the commune.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = QuickYes,
    responses(
        (status = 200, description = "The initiative, accepted, and its convention.", body = QuickAccepted),
        (status = 409, description = "Not in this state, not a small project, conditions of the convention are missing, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/quick_accept")]
pub async fn quick_accept_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<QuickYes>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let found = initiatives::model::lock(session, *id).await?;
            let action = InitiativeAction::QuickAccept;
            let step = INITIATIVE.step(found.row.state, action, &found.standing)?;
            if_match.check(found.row.version)?;
            let decider = Decider::caller(session, &found.standing)?;
            say_yes(session, found, step, action, body.0, decider).await
        })
        .await
}

/// Accepts a small project in the name of an official, and opens its convention where there is one.
pub async fn say_yes(
    session: &mut Session,
    mut found: initiatives::model::Found,
    step: Step<InitiativeState>,
    action: InitiativeAction,
    yes: QuickYes,
    decider: Decider,
) -> Answer {
    require_small(session, &found).await?;
    let id = found.row.id;
    let QuickYes {
        opinion,
        reason,
        convention,
    } = yes;
    let yes = QuickAccept { opinion, reason };
    let (official, signs_by) = (decider.user_id, decider.signs_by);
    actions::quick_accept(session, &mut found, step, action, yes, decider).await?;
    let convention = match convention {
        Some(terms) => {
            let opened = open_small(session, found, step.role, terms, official, signs_by).await?;
            Some(view::show(session, opened).await?.1)
        }
        None => None,
    };
    let (version, initiative) = initiatives::view::show(&session.conn, &session.actor, id).await?;
    let accepted = QuickAccepted {
        initiative,
        convention,
    };
    Reply::resource(version, &accepted)
}

/// No subsidy, and what the commune gives stays below its ceiling.
async fn require_small(
    session: &mut Session,
    found: &initiatives::model::Found,
) -> Result<(), ApiError> {
    let commune = communes::model::enrolled(&mut session.conn, &found.row.commune_code).await?;
    let on_the_table: Vec<CommitmentRow> =
        commitments::model::of_initiative(&mut session.conn, found.row.id)
            .await?
            .into_iter()
            .filter(|row| {
                matches!(
                    row.state,
                    CommitmentState::Proposed | CommitmentState::Accepted
                )
            })
            .collect();
    if on_the_table
        .iter()
        .any(|row| row.route == Some(CommuneRoute::Subsidy))
    {
        return Err(ApiError::requirement(
            "Un petit projet ne comporte pas de subvention.",
            "A small project has no subsidy.",
        ));
    }
    let given: i64 = on_the_table
        .iter()
        .filter(|row| row.side == Side::Commune)
        .map(|row| row.value_cents)
        .fold(0, i64::saturating_add);
    if given > commune.small_project_ceiling_cents {
        return Err(ApiError::requirement(
            "Ce que la commune donne dépasse le plafond des petits projets.",
            "What the commune gives is above the ceiling of small projects.",
        ));
    }
    Ok(())
}

/// Accepts in the name of an official what the holder proposed, drafts a convention with all of it, opens it, and signs
/// it for the commune when that is asked. The caller holds the accepted initiative locked.
async fn open_small(
    session: &mut Session,
    initiative: initiatives::model::Found,
    role: Role,
    terms: QuickConvention,
    official: UserId,
    own: Option<MandateId>,
) -> Result<ConventionId, ApiError> {
    let sign = terms.sign;
    if sign && (own.is_none() || terms.mandate_id.is_some_and(|named| Some(named) != own)) {
        return Err(ApiError::forbidden(
            "Votre mandat ne permet pas de signer cette convention.",
            "Your mandate does not allow you to sign this convention.",
        ));
    }
    let commune = terms.mandate_id.or(own);
    accept_the_holders(session, &initiative, official).await?;
    let row = drafting::draft(session, &initiative, role, terms.draft(commune)).await?;
    let id = row.id;
    let mut found = Found { row, initiative };
    let step = Step {
        from: ConventionState::Draft,
        to: ConventionState::OpenForSignature,
        role,
    };
    opening::open(session, &mut found, step).await?;
    if sign {
        signing::sign(session, &mut found, None).await?;
    }
    Ok(id)
}

async fn accept_the_holders(
    session: &mut Session,
    initiative: &initiatives::model::Found,
    official: UserId,
) -> Result<(), ApiError> {
    for mut row in commitments::model::lock_all(&mut session.conn, initiative.row.id).await? {
        if row.state != CommitmentState::Proposed || row.proposed_side != ProposedSide::Holder {
            continue;
        }
        let action = CommitmentAction::Accept;
        let step = row
            .lifecycle()
            .step(row.state, action, &initiative.standing)?;
        row.answered_by = Some(official);
        commitments::model::advance(session, &mut row, step, action, None).await?;
    }
    Ok(())
}
