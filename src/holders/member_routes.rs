//! `/v1/holders/{id}/members`, and how people join, leave and hand over.
//!
//! What the lead decides about members counts as a change of the holder: it takes the holder's `If-Match`, and answers
//! with the holder's new version.

use actix_web::{get, patch, post, web};

use super::dto::{
    HandOver, Holder, HolderAction, HolderMember, HolderMemberPage, HolderMemberPatch,
    MemberAcceptance, MemberFilter, MemberRole, MemberState,
};
use super::member_model::{self, MemberRow, Position};
use super::model::{self, HolderRow};
use super::policy::MAY_READ_INSIDE;
use super::routes::show;
use crate::auth::caller::Caller;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{HolderId, UserId};
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_holder_members)
        .service(join_holder)
        .service(leave_holder)
        .service(accept_holder_member)
        .service(update_holder_member)
        .service(remove_holder_member)
        .service(hand_over_holder);
}

/// A member as they are now, with the new version of the holder that the caller has changed.
async fn changed(session: &mut Session, holder: &HolderRow, user: UserId) -> Answer {
    let version = model::touch(&mut session.conn, holder).await?;
    let member = member_model::find(&mut session.conn, holder.id, user).await?;
    Reply::resource(version, &HolderMember::from(member))
}

/// The caller's own membership as it is now. Nobody's version moves: people come and go while the lead works.
async fn own(session: &mut Session, holder: HolderId) -> Answer {
    let me = session.actor.person()?.id;
    let member = member_model::find(&mut session.conn, holder, me).await?;
    Reply::data(&HolderMember::from(member))
}

/// List the members of a holder
///
/// For its members and the town hall of its commune.
#[utoipa::path(
    tag = "holders",
    params(("id" = HolderId, Path, description = "Identifier of the holder."), MemberFilter, Paging),
    responses((status = 200, description = "A page of members.", body = HolderMemberPage)),
)]
#[get("/v1/holders/{id}/members")]
pub async fn list_holder_members(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<HolderId>,
    filter: Query<MemberFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    let seen = model::find(&mut session.conn, &session.actor, *id).await?;
    seen.relation.standing.permit(MAY_READ_INSIDE)?;
    let found = member_model::list(
        &mut session.conn,
        *id,
        filter.0.state,
        after,
        paging.0.limit(),
    )
    .await?;
    let position = |member: &member_model::NamedMember| (member.row.since, member.row.user_id);
    state.page(&caller, found, position, |items, has_more, next_cursor| {
        HolderMemberPage {
            data: items.into_iter().map(HolderMember::from).collect(),
            has_more,
            next_cursor,
        }
    })
}

/// Ask to join a holder
///
/// Its lead accepts or removes the request.
#[utoipa::path(
    tag = "holders",
    params(("id" = HolderId, Path, description = "Identifier of the holder.")),
    responses(
        (status = 200, description = "The caller's membership, requested.", body = HolderMember),
        (status = 409, description = "The caller is a member or has asked already, or it is a single person.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/holders/{id}/join")]
pub async fn join_holder(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<HolderId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let held = model::hold(session, *id, HolderAction::Join).await?;
            let me = session.actor.person()?.id;
            member_model::request(&mut session.conn, &held.row, me, session.now).await?;
            own(session, *id).await
        })
        .await
}

/// Leave a holder
///
/// Ends the caller's membership, or takes the request back. A lead hands over first, unless nobody else is left.
#[utoipa::path(
    tag = "holders",
    params(("id" = HolderId, Path, description = "Identifier of the holder.")),
    responses(
        (status = 200, description = "The caller's membership, ended.", body = HolderMember),
        (status = 409, description = "The caller leads other members, or is no member.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/holders/{id}/leave")]
pub async fn leave_holder(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<HolderId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let held = model::hold(session, *id, HolderAction::Leave).await?;
            let mine = held.mine.ok_or_else(ApiError::not_found)?;
            member_model::end(&mut session.conn, mine, session.now).await?;
            own(session, *id).await
        })
        .await
}

/// Accept somebody who asked to join
///
/// The lead does. They become a member, and sign for the holder if the lead says so and they are adult. Where there is
/// no member yet, as with a holder entered at the counter, an agent accepts somebody else, who is adult and becomes the
/// lead.
#[utoipa::path(
    tag = "holders",
    params(
        ("id" = HolderId, Path, description = "Identifier of the holder."),
        ("user_id" = UserId, Path, description = "Account of the person."),
        IfMatchHeader,
    ),
    request_body = MemberAcceptance,
    responses(
        (status = 200, description = "The member.", body = HolderMember),
        (status = 409, description = "They do not ask to join, the lead has just changed, or the first member would be a minor or the caller.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/holders/{id}/members/{user_id}/accept")]
pub async fn accept_holder_member(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(HolderId, UserId)>,
    if_match: IfMatch,
    body: Json<MemberAcceptance>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (id, user) = path.into_inner();
            let held = model::hold(session, id, HolderAction::ManageMembers).await?;
            let member = member_model::find(&mut session.conn, id, user).await?;
            member.must_be(&[MemberState::Requested])?;
            if_match.check(held.row.version)?;
            let is_first = held.relation.members == 0;
            if is_first && session.actor.user_id() == Some(user) {
                return Err(ApiError::because(
                    Code::ConflictOfInterest,
                    "Nul ne s'accepte soi-même.",
                    "Nobody accepts themselves.",
                ));
            }
            if is_first && !member.is_adult(session.today()) {
                return Err(ApiError::requirement(
                    "Le premier membre dirige, et il est majeur.",
                    "The first member leads, and is of age.",
                ));
            }
            if body.0.may_sign {
                member.must_be_adult(session.today(), "/may_sign")?;
            }
            let accepted = MemberRow {
                state: MemberState::Active,
                role: if is_first {
                    MemberRole::Lead
                } else {
                    member.row.role
                },
                may_sign: body.0.may_sign,
                since: session.now,
                ..member.row
            };
            member_model::save(&mut session.conn, &accepted).await?;
            changed(session, &held.row, user).await
        })
        .await
}

/// Change a membership
///
/// The lead says who signs for the holder: adults only.
#[utoipa::path(
    tag = "holders",
    params(
        ("id" = HolderId, Path, description = "Identifier of the holder."),
        ("user_id" = UserId, Path, description = "Account of the member."),
        IfMatchHeader,
    ),
    request_body(content = HolderMemberPatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The member.", body = HolderMember),
        (status = 409, description = "They are no active member, or the lead has just changed.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/holders/{id}/members/{user_id}")]
pub async fn update_holder_member(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(HolderId, UserId)>,
    if_match: IfMatch,
    body: Json<HolderMemberPatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (id, user) = path.into_inner();
            let held = model::hold(session, id, HolderAction::ManageMembers).await?;
            let member = member_model::find(&mut session.conn, id, user).await?;
            member.must_be(&[MemberState::Active])?;
            if_match.check(held.row.version)?;
            let may_sign = body.0.may_sign.unwrap_or(member.row.may_sign);
            if may_sign {
                member.must_be_adult(session.today(), "/may_sign")?;
            }
            let signing = MemberRow {
                may_sign,
                ..member.row
            };
            member_model::save(&mut session.conn, &signing).await?;
            changed(session, &held.row, user).await
        })
        .await
}

/// Remove a member
///
/// The lead ends a membership or declines a request.
#[utoipa::path(
    tag = "holders",
    params(
        ("id" = HolderId, Path, description = "Identifier of the holder."),
        ("user_id" = UserId, Path, description = "Account of the member."),
        IfMatchHeader,
    ),
    responses(
        (status = 200, description = "The membership, ended.", body = HolderMember),
        (status = 409, description = "They have left already, they are the lead, or the lead has just changed.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/holders/{id}/members/{user_id}/remove")]
pub async fn remove_holder_member(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(HolderId, UserId)>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (id, user) = path.into_inner();
            let held = model::hold(session, id, HolderAction::ManageMembers).await?;
            if Some(user) == session.actor.user_id() {
                return Err(ApiError::requirement(
                    "On ne s'exclut pas soi-même : passez la main, puis quittez.",
                    "Nobody removes themselves: hand over, then leave.",
                ));
            }
            let member = member_model::find(&mut session.conn, id, user).await?;
            member.must_be(&[MemberState::Requested, MemberState::Active])?;
            if_match.check(held.row.version)?;
            member_model::end(&mut session.conn, member.row, session.now).await?;
            changed(session, &held.row, user).await
        })
        .await
}

/// Hand a holder over
///
/// The lead makes another active adult member the lead, and stays as a member. Who signs does not change.
#[utoipa::path(
    tag = "holders",
    params(("id" = HolderId, Path, description = "Identifier of the holder."), IfMatchHeader),
    request_body = HandOver,
    responses(
        (status = 200, description = "The holder as it is now.", body = Holder),
        (status = 409, description = "There is no other member, or the lead has just changed.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/holders/{id}/hand_over")]
pub async fn hand_over_holder(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<HolderId>,
    if_match: IfMatch,
    body: Json<HandOver>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let held = model::hold(session, *id, HolderAction::HandOver).await?;
            if_match.check(held.row.version)?;
            let mine = held.mine.ok_or_else(ApiError::not_found)?;
            let to = body.0.user_id;
            let other = member_model::active(&mut session.conn, *id, to).await?;
            let Some(other) = other.filter(|_| to != mine.user_id) else {
                return Err(ApiError::fault(
                    "/user_id",
                    FaultCode::NotFound,
                    "Ce n'est pas un autre membre actif du porteur.",
                    "This is no other active member of the holder.",
                ));
            };
            other.must_be_adult(session.today(), "/user_id")?;
            member_model::hand_over(&mut session.conn, mine, other.row).await?;
            model::touch(&mut session.conn, &held.row).await?;
            show(session, *id).await
        })
        .await
}
