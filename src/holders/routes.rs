//! `/v1/communes/{code}/holders`, `/v1/holders/{id}`, `/v1/me/holders`

use actix_web::{get, patch, post, web};

use super::dto::{Holder, HolderAction, HolderFilter, HolderPage, HolderPatch, HolderRegistration};
use super::model::{self, Position, SeenHolder};
use crate::auth::caller::{Anyone, Caller, Request};
use crate::communes;
use crate::http::cursor::Page;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::HolderId;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_holders)
        .service(create_holder)
        .service(list_my_holders)
        .service(get_holder)
        .service(update_holder);
}

fn page(
    state: &State,
    request: &Request,
    page: Page<SeenHolder>,
    position: impl FnOnce(&SeenHolder) -> Position,
) -> Answer {
    state.page(request, page, position, |items, has_more, next_cursor| {
        HolderPage {
            data: items.into_iter().map(Holder::from).collect(),
            has_more,
            next_cursor,
        }
    })
}

/// The holder as the caller sees it now.
pub async fn show(session: &mut Session, id: HolderId) -> Answer {
    let seen = model::find(&mut session.conn, &session.actor, id).await?;
    Reply::resource(seen.row.version, &Holder::from(seen))
}

/// List the holders of a commune
///
/// Everybody sees associations, schools and companies, and those who carry or host a published initiative. Members
/// see their own, the town hall sees all of its commune.
#[utoipa::path(
    tag = "holders",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), HolderFilter, Paging),
    responses((status = 200, description = "A page of holders, the latest first.", body = HolderPage)),
    security((), ("password" = [])),
)]
#[get("/v1/communes/{code}/holders")]
pub async fn list_holders(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<HolderFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let found = model::list(
        &mut session.conn,
        &session.actor,
        &code,
        &filter.0,
        after,
        paging.0.limit(),
    )
    .await?;
    let position = |seen: &SeenHolder| (seen.row.created_at, seen.row.id);
    let reply = page(&state, &anyone, found, position)?;
    Ok(reply.public_to(&anyone, 30))
}

/// Create a holder
///
/// A resident creates it and leads it; when adult they sign for it. An agent of the commune may enter one `on_behalf`
/// of somebody at the counter: it has no members. A youth group is created by an adult.
#[utoipa::path(
    tag = "holders",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = HolderRegistration,
    responses(
        (status = 201, description = "The holder.", body = Holder),
        (status = 409, description = "The commune does not take part yet, or it has a holder with this SIRET.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/communes/{code}/holders")]
pub async fn create_holder(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<HolderRegistration>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let commune = communes::model::enrolled(&mut session.conn, &code).await?;
            let HolderRegistration { holder, on_behalf } = body.0;
            let row = model::create(session, &commune.code, holder, on_behalf).await?;
            let seen = model::find(&mut session.conn, &session.actor, row.id).await?;
            let location = format!("/v1/holders/{}", row.id);
            Reply::created(location, row.version, &Holder::from(seen))
        })
        .await
}

/// List one's own holders
///
/// Those of which the caller is a member or asks to be, in all communes, each with the caller's membership.
#[utoipa::path(
    tag = "holders",
    params(Paging),
    responses((status = 200, description = "A page of holders, the latest membership first.", body = HolderPage)),
)]
#[get("/v1/me/holders")]
pub async fn list_my_holders(
    state: web::Data<State>,
    caller: Caller,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    let limit = paging.0.limit();
    let found = model::list_mine(&mut session.conn, &session.actor, after, limit).await?;
    page(&state, &caller, found, |seen| {
        let since = seen.mine.as_ref().map(|member| member.since);
        (since.unwrap_or(seen.row.created_at), seen.row.id)
    })
}

/// Get a holder
///
/// With the number of its members and what the caller may do; `private` is for members and the town hall. A person, a
/// collective or a youth group shows itself to others once it carries or hosts a published initiative.
#[utoipa::path(
    tag = "holders",
    params(("id" = HolderId, Path, description = "Identifier of the holder.")),
    responses((status = 200, description = "The holder.", body = Holder)),
    security((), ("password" = [])),
)]
#[get("/v1/holders/{id}")]
pub async fn get_holder(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<HolderId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let reply = show(&mut session, *id).await?;
    Ok(reply.public_to(&anyone, 30))
}

/// Change a holder
///
/// Its lead does, or an agent of the commune as long as it has no members. Its kind stays.
#[utoipa::path(
    tag = "holders",
    params(("id" = HolderId, Path, description = "Identifier of the holder."), IfMatchHeader),
    request_body(content = HolderPatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The holder as it is now.", body = Holder),
        (status = 409, description = "Another holder of the commune has this SIRET, or the lead has just changed.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/holders/{id}")]
pub async fn update_holder(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<HolderId>,
    if_match: IfMatch,
    body: Json<HolderPatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let held = model::hold(session, *id, HolderAction::Update).await?;
            if_match.check(held.row.version)?;
            model::change(&mut session.conn, &held.row, &body.0).await?;
            show(session, *id).await
        })
        .await
}
