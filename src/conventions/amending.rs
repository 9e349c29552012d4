//! `/v1/conventions/{id}/amend` and `/renew`: a new version beside the one in force, and what happens when all have
//! signed it: the old version is superseded, new terms and new commitments bind, what is no longer held stays undone.

use actix_web::{post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::drafting;
use super::dto::{AmendmentKind, Convention};
use super::input::{NewAmendment, NewRenewal};
use super::lifecycle::{CONVENTION, ConventionAction as Action, ConventionState};
use super::model::{self, ConventionRow, Found};
use super::parties::PartyRow;
use super::view;
use crate::auth::caller::{Caller, Request};
use crate::auth::policy::Role;
use crate::clock::paris_day;
use crate::commitments;
use crate::commitments::lifecycle::CommitmentState;
use crate::db::schema::{convention_parties, conventions};
use crate::http::error::{ApiError, Code, FaultCode};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::ConventionId;
use crate::lifecycle::Step;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes.service(amend_convention).service(renew_convention);
}

/// Prepare an amendment
///
/// An agent drafts the next version of a convention that is in force. It begins as a copy: terms, signatories, and the
/// commitments that are in the convention or on the table. The old version stays in force until all have signed this
/// one.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version in force."), IfMatchHeader),
    request_body = NewAmendment,
    responses(
        (status = 201, description = "The draft of the next version.", body = Convention),
        (status = 409, description = "Not active, an amendment is being prepared already, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/amend")]
pub async fn amend_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<NewAmendment>,
) -> Answer {
    let kind = AmendmentKind::Amendment;
    let reason = body.0.reason;
    next(
        &state,
        &caller,
        *id,
        if_match,
        Action::Amend,
        async move |_, row| {
            row.amendment_kind = Some(kind);
            row.amendment_reason = Some(reason);
            Ok(())
        },
    )
    .await
}

/// Prepare a renewal
///
/// Like an amendment, for the time after the last day of the version in force.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version in force."), IfMatchHeader),
    request_body = NewRenewal,
    responses(
        (status = 201, description = "The draft of the next version.", body = Convention),
        (status = 409, description = "Not active, an amendment is being prepared already, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/renew")]
pub async fn renew_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<NewRenewal>,
) -> Answer {
    let NewRenewal { reason, ends_on } = body.0;
    next(
        &state,
        &caller,
        *id,
        if_match,
        Action::Renew,
        async move |before, row| {
            if ends_on <= before.ends_on {
                return Err(ApiError::fault(
                    "/ends_on",
                    FaultCode::OutOfRange,
                    "Après le dernier jour de la version en vigueur.",
                    "After the last day of the version in force.",
                ));
            }
            row.amendment_kind = Some(AmendmentKind::Renewal);
            row.amendment_reason = Some(reason);
            // It replaces the version in force as soon as all have signed: no day without a text.
            row.starts_on = paris_day(row.created_at).max(before.starts_on);
            row.ends_on = ends_on;
            Ok(())
        },
    )
    .await
}

/// Drafts the next version as a copy in which `change` is made.
async fn next<F>(
    state: &State,
    request: &Request,
    id: ConventionId,
    if_match: IfMatch,
    action: Action,
    change: F,
) -> Answer
where
    F: AsyncFnOnce(&ConventionRow, &mut ConventionRow) -> Result<(), ApiError> + 'static,
{
    state
        .write(request, async move |session| {
            let before = model::lock(session, id).await?;
            let step = CONVENTION.step(before.row.state, action, before.standing())?;
            if_match.check(before.row.version)?;
            let mut row = copy(session, &before).await?;
            change(&before.row, &mut row).await?;
            diesel::insert_into(conventions::table)
                .values(&row)
                .execute(&mut session.conn)
                .await?;
            copy_parties(session, id, &row).await?;
            drafting::hold(session, &row, None).await?;
            let step = Step {
                from: row.state,
                to: row.state,
                role: step.role,
            };
            let reason = row.amendment_reason.as_deref();
            model::record(session, &row, step, action, reason).await?;
            let (version, convention) = view::show(session, row.id).await?;
            Reply::created(format!("/v1/conventions/{}", row.id), version, &convention)
        })
        .await
}

async fn copy(session: &mut Session, before: &Found) -> Result<ConventionRow, ApiError> {
    let last: Option<i32> = conventions::table
        .filter(conventions::root_id.eq(before.row.root_id))
        .filter(conventions::commune_code.eq(&before.row.commune_code))
        .select(diesel::dsl::max(conventions::number))
        .first(&mut session.conn)
        .await?;
    Ok(ConventionRow {
        id: ConventionId::new(&before.row.commune_code, session.now)?,
        number: last.unwrap_or(before.row.number) + 1,
        state: ConventionState::Draft,
        holder_id: before.row.holder_id,
        host_id: before.initiative.row.host_id,
        supersedes_id: Some(before.row.id),
        content: None,
        content_sha256: None,
        opened_at: None,
        activated_at: None,
        ended_at: None,
        effective_on: None,
        reason: None,
        created_by: session.actor.person()?.id,
        state_changed_at: session.now,
        created_at: session.now,
        version: 1,
        ..before.row.clone()
    })
}

async fn copy_parties(
    session: &mut Session,
    before: ConventionId,
    row: &ConventionRow,
) -> Result<(), ApiError> {
    let mut parties: Vec<PartyRow> = convention_parties::table
        .filter(convention_parties::convention_id.eq(before))
        .filter(convention_parties::commune_code.eq(&row.commune_code))
        .select(PartyRow::as_select())
        .load(&mut session.conn)
        .await?;
    for party in &mut parties {
        party.convention_id = row.id;
    }
    diesel::insert_into(convention_parties::table)
        .values(parties)
        .execute(&mut session.conn)
        .await?;
    Ok(())
}

/// All have signed the next version: this one, which must be in force, makes room for it.
pub async fn supersede(session: &mut Session, id: ConventionId) -> Result<(), ApiError> {
    let mut row: ConventionRow = conventions::table
        .find((id, id.commune()))
        .select(ConventionRow::as_select())
        .for_update()
        .first(&mut session.conn)
        .await?;
    if row.state != ConventionState::Active {
        return Err(ApiError {
            state: Some(row.state.code()),
            ..ApiError::because(
                Code::WrongState,
                "La version que l'avenant modifie n'est pas en vigueur.",
                "The version that the amendment changes is not active.",
            )
        });
    }
    row.ended_at = Some(session.now);
    let step = Step {
        from: row.state,
        to: ConventionState::Superseded,
        role: Role::Clock,
    };
    model::advance(session, &mut row, step, Action::Supersede, None).await
}

/// The new version is in force: its new commitments bind, its new terms count, and what only the old one held stays
/// undone. What the envelope does not cover is refused, and nothing has happened then.
pub async fn take_over(
    session: &mut Session,
    row: &ConventionRow,
    before: ConventionId,
) -> Result<(), ApiError> {
    let mut terms = model::new_terms(&mut session.conn, row.id).await?;
    let held = model::held(&mut session.conn, row.id).await?;
    let held_before = model::held(&mut session.conn, before).await?;
    for mut commitment in commitments::model::lock_all(&mut session.conn, row.initiative_id).await?
    {
        let pending = matches!(
            commitment.state,
            CommitmentState::Binding | CommitmentState::PartiallyFulfilled
        );
        if held.contains(&commitment.id) {
            if let Some(terms) = terms.remove(&commitment.id) {
                terms.apply(&mut commitment);
                commitments::model::reword(session, &commitment).await?;
            } else if commitment.state == CommitmentState::Accepted {
                commitments::model::bind(session, &mut commitment).await?;
            }
        } else if pending && held_before.contains(&commitment.id) {
            commitments::model::drop_by_amendment(session, &mut commitment, row.number).await?;
        }
    }
    Ok(())
}
