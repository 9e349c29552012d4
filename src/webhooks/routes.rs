//! `/v1/communes/{code}/webhooks`, `/v1/webhooks/{id}`, `/v1/webhook-deliveries/{id}`

use actix_web::{delete, get, patch, post, web};

use super::dto::{
    DeliveryFilter, NewWebhook, Webhook, WebhookDelivery, WebhookDeliveryPage, WebhookPage,
    WebhookPatch,
};
use super::model::{self, Position, Told, WebhookRow};
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
use crate::ids::{DeliveryId, WebhookId};
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_webhooks)
        .service(create_webhook)
        .service(get_webhook)
        .service(update_webhook)
        .service(delete_webhook)
        .service(rotate_webhook_secret)
        .service(get_webhook_history)
        .service(ping_webhook)
        .service(list_webhook_deliveries)
        .service(get_webhook_delivery)
        .service(replay_webhook_delivery);
}

/// Who looks after the webhooks of a commune.
const MAY_MANAGE: &[Role] = &[Role::Agent, Role::ElectedOfficial, Role::Client];

/// In which role the caller looks after the webhooks of this commune; for others there are none.
fn permit(session: &Session, commune: &str) -> Result<Role, ApiError> {
    let standing = session.actor.standing_in(commune);
    standing
        .permit(MAY_MANAGE)
        .map_err(|_| ApiError::not_found())
}

async fn find(session: &mut Session, id: WebhookId) -> Result<WebhookRow, ApiError> {
    permit(session, &id.commune())?;
    Ok(model::find(&mut session.conn, id).await?)
}

async fn lock(session: &mut Session, id: WebhookId) -> Result<(WebhookRow, Role), ApiError> {
    let role = permit(session, &id.commune())?;
    Ok((model::lock(&mut session.conn, id).await?, role))
}

/// List the webhooks of a commune
///
/// For its agents and elected officials.
#[utoipa::path(
    tag = "webhooks",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), Paging),
    responses((status = 200, description = "A page of webhooks.", body = WebhookPage)),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[get("/v1/communes/{code}/webhooks")]
pub async fn list_webhooks(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position<WebhookId>> = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    communes::model::find(&mut session.conn, &code).await?;
    session.actor.standing_in(&code).permit(MAY_MANAGE)?;
    let page = model::list(&mut session.conn, &code, after, paging.0.limit()).await?;
    let position = |row: &WebhookRow| (row.created_at, row.id);
    state.page(&caller, page, position, |items, has_more, next_cursor| {
        WebhookPage {
            data: items.iter().map(|row| row.show(false)).collect(),
            has_more,
            next_cursor,
        }
    })
}

/// Make a webhook
///
/// From now on what changes in the commune is told to this address, as the feed of changes has it: `POST` with `type`
/// (`initiative.updated`), `timestamp` and `data`, signed by the rules of Standard Webhooks. The answer shows the secret,
/// once.
#[utoipa::path(
    tag = "webhooks",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = NewWebhook,
    responses(
        (status = 201, description = "The webhook, with its secret.", body = Webhook),
        (status = 409, description = "The commune has twenty already, or does not take part yet.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[post("/v1/communes/{code}/webhooks")]
pub async fn create_webhook(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<NewWebhook>,
) -> Answer {
    let options = state.webhooks;
    state
        .write(&caller, async move |session| {
            communes::model::find(&mut session.conn, &code).await?;
            let role = session.actor.standing_in(&code).permit(MAY_MANAGE)?;
            communes::model::enrolled(&mut session.conn, &code).await?;
            let row = model::create(session, &options, &code, role, body.0).await?;
            let location = format!("/v1/webhooks/{}", row.id);
            Reply::created(location, row.version, &row.show(true))
        })
        .await
}

/// Get a webhook
///
/// Where it goes, what it is told of, and since when it fails, if it does.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "Identifier of the webhook.")),
    responses((status = 200, description = "The webhook.", body = Webhook)),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[get("/v1/webhooks/{id}")]
pub async fn get_webhook(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<WebhookId>,
) -> Answer {
    let mut session = state.read(&caller).await?;
    let row = find(&mut session, *id).await?;
    Reply::resource(row.version, &row.show(false))
}

/// Change a webhook
///
/// Another address, other kinds; disabled, or active again: then it is told what it has missed.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "Identifier of the webhook."), IfMatchHeader),
    request_body(content = WebhookPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The webhook as it is now.", body = Webhook)),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[patch("/v1/webhooks/{id}")]
pub async fn update_webhook(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<WebhookId>,
    if_match: IfMatch,
    body: Json<WebhookPatch>,
) -> Answer {
    let options = state.webhooks;
    state
        .write(&caller, async move |session| {
            let (mut row, role) = lock(session, *id).await?;
            if_match.check(row.version)?;
            model::change(session, &options, &mut row, role, body.0).await?;
            Reply::resource(row.version, &row.show(false))
        })
        .await
}

/// Delete a webhook
///
/// Its deliveries go with it, those that were not sent yet too.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "Identifier of the webhook."), IfMatchHeader),
    responses((status = 204, description = "Deleted.")),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[delete("/v1/webhooks/{id}")]
pub async fn delete_webhook(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<WebhookId>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (row, role) = lock(session, *id).await?;
            if_match.check(row.version)?;
            model::delete(session, &row, role).await?;
            Ok(Reply::no_content())
        })
        .await
}

/// Give a webhook a new secret
///
/// The answer shows it, once. For 24 hours requests are signed with both, so that the receiver can change over.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "Identifier of the webhook."), IfMatchHeader),
    responses((status = 200, description = "The webhook, with its new secret.", body = Webhook)),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[post("/v1/webhooks/{id}/rotate_secret")]
pub async fn rotate_webhook_secret(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<WebhookId>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (mut row, role) = lock(session, *id).await?;
            if_match.check(row.version)?;
            model::rotate(session, &mut row, role).await?;
            Reply::resource(row.version, &row.show(true))
        })
        .await
}

/// Get the history of a webhook
///
/// Who made and changed it, and when it was disabled because it failed for five days.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "Identifier of the webhook."), Paging),
    responses((status = 200, description = "A page of the history.", body = HistoryPage)),
)]
#[get("/v1/webhooks/{id}/history")]
pub async fn get_webhook_history(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<WebhookId>,
    paging: Query<Paging>,
) -> Answer {
    audit::answer(&state, &caller, &paging.0, async |session| {
        let row = find(session, *id).await?;
        let standing = session.actor.standing_in(&row.commune_code);
        Ok((Of::Resource(id.0, row.commune_code), standing))
    })
    .await
}

/// Test a webhook
///
/// Sends an event of the type `ping`, as soon as the webhook is active.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "Identifier of the webhook.")),
    responses((status = 201, description = "The delivery of the test.", body = WebhookDelivery)),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[post("/v1/webhooks/{id}/ping")]
pub async fn ping_webhook(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<WebhookId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (row, _) = lock(session, *id).await?;
            let delivery = model::ping(session, &row).await?;
            let location = format!("/v1/webhook-deliveries/{}", delivery.id);
            Reply::created(
                location,
                delivery.attempts,
                &WebhookDelivery::from((delivery, None)),
            )
        })
        .await
}

/// List the deliveries of a webhook
///
/// The latest first, each with what became of it. They are kept for 30 days after they came to an end.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "Identifier of the webhook."), DeliveryFilter, Paging),
    responses((status = 200, description = "A page of deliveries.", body = WebhookDeliveryPage)),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[get("/v1/webhooks/{id}/deliveries")]
pub async fn list_webhook_deliveries(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<WebhookId>,
    filter: Query<DeliveryFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position<DeliveryId>> = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    let webhook = find(&mut session, *id).await?;
    let limit = paging.0.limit();
    let page =
        model::list_deliveries(&mut session.conn, webhook.id, filter.0.state, after, limit).await?;
    let position = |(row, _): &Told| (row.created_at, row.id);
    state.page(&caller, page, position, |items, has_more, next_cursor| {
        WebhookDeliveryPage {
            data: items.into_iter().map(WebhookDelivery::from).collect(),
            has_more,
            next_cursor,
        }
    })
}

/// Get a delivery
///
/// What changed, how often it was sent, and how that ended.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = DeliveryId, Path, description = "Identifier of the delivery.")),
    responses((status = 200, description = "The delivery.", body = WebhookDelivery)),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[get("/v1/webhook-deliveries/{id}")]
pub async fn get_webhook_delivery(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<DeliveryId>,
) -> Answer {
    let mut session = state.read(&caller).await?;
    permit(&session, &id.commune())?;
    let told = model::find_delivery(&mut session.conn, *id).await?;
    Reply::resource(told.0.attempts, &WebhookDelivery::from(told))
}

/// Send a delivery again
///
/// Whatever became of it, with the same `webhook-id`; what it says is read anew.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = DeliveryId, Path, description = "Identifier of the delivery.")),
    responses((status = 200, description = "The delivery, to be sent.", body = WebhookDelivery)),
    security(("password" = []), ("client_credentials" = ["webhooks"])),
)]
#[post("/v1/webhook-deliveries/{id}/replay")]
pub async fn replay_webhook_delivery(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<DeliveryId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            permit(session, &id.commune())?;
            model::replay(session, *id).await?;
            let told = model::find_delivery(&mut session.conn, *id).await?;
            Reply::resource(told.0.attempts, &WebhookDelivery::from(told))
        })
        .await
}
