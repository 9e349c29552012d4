//! `/v1/communes/{code}/clients`, `/v1/clients/{id}`

use actix_web::{delete, get, patch, post, web};

use super::dto::{
    Client, ClientPage, ClientPatch, ClientUsage, ClientUsagePage, NewClient, SecretRotation,
};
use super::model::{self, ClientRow, Position, Used};
use super::usage;
use crate::audit::dto::HistoryPage;
use crate::audit::{self, Of};
use crate::auth::caller::Caller;
use crate::auth::policy::Role;
use crate::communes;
use crate::http::error::ApiError;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::ClientId;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_clients)
        .service(create_client)
        .service(get_client)
        .service(update_client)
        .service(delete_client)
        .service(rotate_client_secret)
        .service(revoke_previous_client_secret)
        .service(list_client_usage)
        .service(get_client_history);
}

/// Who makes clients, and ends them.
const MAY_MANAGE: &[Role] = &[Role::Admin];
/// Who sees which clients act in a commune, and how much.
const MAY_READ: &[Role] = &[Role::Agent, Role::ElectedOfficial, Role::Admin];

/// A client that the caller may see; for others there is none.
async fn find(session: &mut Session, id: ClientId) -> Result<ClientRow, ApiError> {
    let standing = session.actor.standing_in(&id.commune());
    standing
        .permit(MAY_READ)
        .map_err(|_| ApiError::not_found())?;
    Ok(model::find(&mut session.conn, id).await?)
}

/// A client that the caller may change, held locked.
async fn lock(session: &mut Session, id: ClientId) -> Result<ClientRow, ApiError> {
    find(session, id).await?;
    session
        .actor
        .standing_in(&id.commune())
        .permit(MAY_MANAGE)?;
    Ok(model::lock(&mut session.conn, id).await?)
}

async fn show(session: &mut Session, row: &ClientRow) -> Result<Client, ApiError> {
    let last_used_at = model::last_used(&mut session.conn, row.id).await?;
    Ok(row.show(None, last_used_at))
}

/// List the clients of a commune
///
/// The programs of its partners: for its agents and elected officials, and for administrators. Secrets are never shown.
#[utoipa::path(
    tag = "clients",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), Paging),
    responses((status = 200, description = "A page of clients.", body = ClientPage)),
)]
#[get("/v1/communes/{code}/clients")]
pub async fn list_clients(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    communes::model::find(&mut session.conn, &code).await?;
    session.actor.standing_in(&code).permit(MAY_READ)?;
    let page = model::list(&mut session.conn, &code, after, paging.0.limit()).await?;
    let position = |(row, _): &Used| (row.created_at, row.id);
    state.page(&caller, page, position, |items, has_more, next_cursor| {
        ClientPage {
            data: items
                .iter()
                .map(|(row, last)| row.show(None, *last))
                .collect(),
            has_more,
            next_cursor,
        }
    })
}

/// Make a client
///
/// An administrator makes it for one commune, with the scopes that it needs. The answer shows its secret, once: a
/// repetition with the same `Idempotency-Key` has null in its place.
#[utoipa::path(
    tag = "clients",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = NewClient,
    responses(
        (status = 201, description = "The client, with its secret.", body = Client),
        (status = 409, description = "The commune has fifty already, or does not take part yet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/communes/{code}/clients")]
pub async fn create_client(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<NewClient>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            communes::model::find(&mut session.conn, &code).await?;
            session.actor.standing_in(&code).permit(MAY_MANAGE)?;
            communes::model::enrolled(&mut session.conn, &code).await?;
            let (row, secret) = model::create(session, &code, body.0).await?;
            let location = format!("/v1/clients/{}", row.id);
            Reply::created(location, row.version, &row.show(Some(&secret), None))?
                .kept_as(&row.show(None, None))
        })
        .await
}

/// Get a client
///
/// What it may do, from where and until when, and when it last called.
#[utoipa::path(
    tag = "clients",
    params(("id" = ClientId, Path, description = "Identifier of the client.")),
    responses((status = 200, description = "The client.", body = Client)),
)]
#[get("/v1/clients/{id}")]
pub async fn get_client(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ClientId>,
) -> Answer {
    let mut session = state.read(&caller).await?;
    let row = find(&mut session, *id).await?;
    Reply::resource(row.version, &show(&mut session, &row).await?)
}

/// Change a client
///
/// Other scopes, ranges or end; disabled, or active again. It counts from the next request on.
#[utoipa::path(
    tag = "clients",
    params(("id" = ClientId, Path, description = "Identifier of the client."), IfMatchHeader),
    request_body(content = ClientPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The client as it is now.", body = Client)),
)]
#[patch("/v1/clients/{id}")]
pub async fn update_client(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ClientId>,
    if_match: IfMatch,
    body: Json<ClientPatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut row = lock(session, *id).await?;
            if_match.check(row.version)?;
            model::change(session, &mut row, body.0).await?;
            Reply::resource(row.version, &show(session, &row).await?)
        })
        .await
}

/// Delete a client
///
/// It is refused from the next request on, and its usage goes with it. What it has done stays, under its name.
#[utoipa::path(
    tag = "clients",
    params(("id" = ClientId, Path, description = "Identifier of the client."), IfMatchHeader),
    responses((status = 204, description = "Deleted.")),
)]
#[delete("/v1/clients/{id}")]
pub async fn delete_client(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ClientId>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let row = lock(session, *id).await?;
            if_match.check(row.version)?;
            model::delete(session, &row).await?;
            Ok(Reply::no_content())
        })
        .await
}

/// Give a client a new secret
///
/// The answer shows it, once: a repetition with the same `Idempotency-Key` has null in its place. The secret before
/// counts for 24 hours more, or as long as is asked; any older one stops.
#[utoipa::path(
    tag = "clients",
    params(("id" = ClientId, Path, description = "Identifier of the client."), IfMatchHeader),
    request_body = SecretRotation,
    responses((status = 200, description = "The client, with its new secret.", body = Client)),
)]
#[post("/v1/clients/{id}/rotate_secret")]
pub async fn rotate_client_secret(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ClientId>,
    if_match: IfMatch,
    body: Json<SecretRotation>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut row = lock(session, *id).await?;
            if_match.check(row.version)?;
            let secret = model::rotate(session, &mut row, &body.0).await?;
            let without = show(session, &row).await?;
            let with = Client {
                secret: Some(secret),
                ..without.clone()
            };
            Reply::resource(row.version, &with)?.kept_as(&without)
        })
        .await
}

/// Revoke the former secret of a client
///
/// At once, before the time of both has run out; tokens that were given for it stop too.
#[utoipa::path(
    tag = "clients",
    params(("id" = ClientId, Path, description = "Identifier of the client."), IfMatchHeader),
    responses((status = 200, description = "The client as it is now.", body = Client)),
)]
#[post("/v1/clients/{id}/revoke_previous_secret")]
pub async fn revoke_previous_client_secret(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ClientId>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut row = lock(session, *id).await?;
            if_match.check(row.version)?;
            model::revoke_previous(session, &mut row).await?;
            Reply::resource(row.version, &show(session, &row).await?)
        })
        .await
}

/// List the usage of a client
///
/// Its requests of each day, by part of the API and by how they ended, some seconds late; kept for two years. What no
/// operation took, for its address or query was wrong, is not counted.
#[utoipa::path(
    tag = "clients",
    params(("id" = ClientId, Path, description = "Identifier of the client."), Paging),
    responses((status = 200, description = "A page of usage.", body = ClientUsagePage)),
)]
#[get("/v1/clients/{id}/usage")]
pub async fn list_client_usage(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ClientId>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<usage::Position> = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    let row = find(&mut session, *id).await?;
    let page = usage::list(&mut session.conn, row.id, after, paging.0.limit()).await?;
    let position = |entry: &ClientUsage| (entry.day, entry.tag.clone(), entry.outcome);
    state.page(&caller, page, position, |data, has_more, next_cursor| {
        ClientUsagePage {
            data,
            has_more,
            next_cursor,
        }
    })
}

/// Get the history of a client
///
/// Who made and changed it, for the town hall. What it has done itself stands in the history of what it did it to.
#[utoipa::path(
    tag = "clients",
    params(("id" = ClientId, Path, description = "Identifier of the client."), Paging),
    responses((status = 200, description = "A page of the history.", body = HistoryPage)),
)]
#[get("/v1/clients/{id}/history")]
pub async fn get_client_history(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ClientId>,
    paging: Query<Paging>,
) -> Answer {
    audit::answer(&state, &caller, &paging.0, async |session| {
        let row = find(session, *id).await?;
        let standing = session.actor.standing_in(&row.commune_code);
        Ok((Of::Resource(id.0, row.commune_code), standing))
    })
    .await
}
