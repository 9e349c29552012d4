//! `/v1/communes/{code}/authorities`, `/v1/authorities/{id}`

use actix_web::{delete, get, patch, post, web};

use super::dto::{Authority, AuthorityFilter, AuthorityPage, AuthorityPatch, NewAuthority};
use super::model::{self, AuthorityRow, Position};
use crate::audit::dto::HistoryPage;
use crate::audit::{self, Of};
use crate::auth::caller::{Anyone, Caller};
use crate::auth::policy::Role;
use crate::communes;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::AuthorityId;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_authorities)
        .service(record_authority)
        .service(get_authority)
        .service(update_authority)
        .service(delete_authority)
        .service(get_authority_history);
}

/// Who writes down what the council and the mayor have decided.
const MAY_RECORD: &[Role] = &[Role::Agent, Role::ElectedOfficial];

/// List the acts of a commune
///
/// Deliberations, decisions by delegation and the mayor's orders that let the commune commit; the latest first. They
/// are public.
#[utoipa::path(
    tag = "authorities",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), AuthorityFilter, Paging),
    responses((status = 200, description = "A page of acts.", body = AuthorityPage)),
    security(()),
)]
#[get("/v1/communes/{code}/authorities")]
pub async fn list_authorities(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<AuthorityFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let page = model::list(&mut session.conn, &code, &filter.0, after, paging.0.limit()).await?;
    let position = |row: &AuthorityRow| (row.adopted_on, row.id);
    let reply = state.page(&anyone, page, position, |items, has_more, next_cursor| {
        AuthorityPage {
            data: items.into_iter().map(Authority::from).collect(),
            has_more,
            next_cursor,
        }
    })?;
    Ok(reply.public(30))
}

/// Record an act
///
/// An agent or an elected official records a deliberation, a decision by delegation or an order of the mayor.
/// Conventions with the commune's money or land rest on one. An act is executory once it is sent to the prefecture,
/// where it must be, and published: who records it states the day, now or later, and nobody signs before.
#[utoipa::path(
    tag = "authorities",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = NewAuthority,
    responses(
        (status = 201, description = "The act.", body = Authority),
        (status = 409, description = "An act of this kind, number and day is recorded already.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/communes/{code}/authorities")]
pub async fn record_authority(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<NewAuthority>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            communes::model::find(&mut session.conn, &code).await?;
            let role = session.actor.standing_in(&code).permit(MAY_RECORD)?;
            let row = model::record(session, &code, role, body.0).await?;
            let location = format!("/v1/authorities/{}", row.id);
            Reply::created(location, row.version, &Authority::from(row))
        })
        .await
}

/// Get an act
///
/// With the fields of the national schema of deliberations.
#[utoipa::path(
    tag = "authorities",
    params(("id" = AuthorityId, Path, description = "Identifier of the act.")),
    responses((status = 200, description = "The act.", body = Authority)),
    security(()),
)]
#[get("/v1/authorities/{id}")]
pub async fn get_authority(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<AuthorityId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let row = model::find(&mut session.conn, *id).await?;
    Ok(Reply::resource(row.version, &Authority::from(row))?.public(30))
}

/// Change an act
///
/// Completes or corrects it. Once a convention that rests on it was opened for signature only `prefecture_reference`,
/// `sent_to_prefecture_on`, `published_on` and `url` change: the rest is what was signed.
#[utoipa::path(
    tag = "authorities",
    params(("id" = AuthorityId, Path, description = "Identifier of the act."), IfMatchHeader),
    request_body(content = AuthorityPatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The act as it is now.", body = Authority),
        (status = 409, description = "A convention that is open for signature, or was, rests on it; or another act has this kind, number and day.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/authorities/{id}")]
pub async fn update_authority(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<AuthorityId>,
    if_match: IfMatch,
    body: Json<AuthorityPatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut row = model::lock(&mut session.conn, *id).await?;
            let standing = session.actor.standing_in(&row.commune_code);
            let role = standing.permit(MAY_RECORD)?;
            if_match.check(row.version)?;
            model::change(session, &mut row, role, body.0).await?;
            Reply::resource(row.version, &Authority::from(row))
        })
        .await
}

/// Delete an act
///
/// For what was recorded by mistake, as long as no convention rests on it.
#[utoipa::path(
    tag = "authorities",
    params(("id" = AuthorityId, Path, description = "Identifier of the act."), IfMatchHeader),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "A convention rests on it.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[delete("/v1/authorities/{id}")]
pub async fn delete_authority(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<AuthorityId>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let row = model::lock(&mut session.conn, *id).await?;
            let standing = session.actor.standing_in(&row.commune_code);
            let role = standing.permit(MAY_RECORD)?;
            if_match.check(row.version)?;
            model::delete(session, &row, role).await?;
            Ok(Reply::no_content())
        })
        .await
}

/// Get the history of an act
///
/// Who recorded and changed it, and when; names are for the town hall.
#[utoipa::path(
    tag = "authorities",
    params(("id" = AuthorityId, Path, description = "Identifier of the act."), Paging),
    responses((status = 200, description = "A page of the history.", body = HistoryPage)),
    security((), ("password" = [])),
)]
#[get("/v1/authorities/{id}/history")]
pub async fn get_authority_history(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<AuthorityId>,
    paging: Query<Paging>,
) -> Answer {
    audit::answer(&state, &anyone, &paging.0, async |session| {
        let row = model::find(&mut session.conn, *id).await?;
        let standing = session.actor.standing_in(&row.commune_code);
        Ok((Of::Resource(id.0, row.commune_code), standing))
    })
    .await
}
