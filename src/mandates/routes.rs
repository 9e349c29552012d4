//! `/v1/communes/{code}/mandates`, `/v1/mandates/{id}`

use actix_web::{get, patch, post, web};

use super::dto::{Mandate, MandatePage, MandatePatch, NewMandate};
use super::model;
use crate::auth::caller::Caller;
use crate::auth::policy::Role;
use crate::communes;
use crate::http::error::ApiError;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::MandateId;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_mandates)
        .service(grant_mandate)
        .service(get_mandate)
        .service(update_mandate);
}

/// Who sees who works for the commune.
const MAY_READ: &[Role] = &[Role::Agent, Role::ElectedOfficial, Role::Admin];

/// A mandate that the caller sees: their own, or one of the commune that they work for. To others it does not exist.
async fn read(session: &mut Session, id: MandateId) -> Result<model::NamedMandate, ApiError> {
    let mandate = model::find(&mut session.conn, id).await?;
    let standing = session.actor.standing_in(&mandate.row.commune_code);
    let is_own = Some(mandate.row.user_id) == session.actor.user_id();
    if is_own || standing.permit(MAY_READ).is_ok() {
        Ok(mandate)
    } else {
        Err(ApiError::not_found())
    }
}

/// List the mandates of a commune
///
/// For the commune's own agents and elected officials, and for admins.
#[utoipa::path(
    tag = "mandates",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), Paging),
    responses((status = 200, description = "A page of mandates.", body = MandatePage)),
)]
#[get("/v1/communes/{code}/mandates")]
pub async fn list_mandates(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    paging: Query<Paging>,
) -> Answer {
    let after = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    communes::model::find(&mut session.conn, &code).await?;
    session.actor.standing_in(&code).permit(MAY_READ)?;
    let page = model::list(&mut session.conn, &code, after, paging.0.limit()).await?;
    let position = |mandate: &model::NamedMandate| (mandate.row.starts_on, mandate.row.id);
    state.page(&caller, page, position, |items, has_more, next_cursor| {
        MandatePage {
            data: items.into_iter().map(Mandate::from).collect(),
            has_more,
            next_cursor,
        }
    })
}

/// Grant a mandate
///
/// An admin grants it to an account, by its e-mail address. It counts from its first day to its last.
#[utoipa::path(
    tag = "mandates",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = NewMandate,
    responses(
        (status = 201, description = "The mandate.", body = Mandate),
        (status = 409, description = "The commune does not take part yet.", body = crate::http::problem::Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/communes/{code}/mandates")]
pub async fn grant_mandate(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<NewMandate>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            session.actor.standing_in(&code).permit(&[Role::Admin])?;
            communes::model::enrolled(&mut session.conn, &code).await?;
            let granted_by = session.actor.person()?.id;
            let mandate =
                model::grant(&mut session.conn, &code, body.0, granted_by, session.now).await?;
            Reply::created(
                format!("/v1/mandates/{}", mandate.row.id),
                mandate.row.version,
                &Mandate::from(mandate),
            )
        })
        .await
}

/// Get a mandate
///
/// For its holder, for the town hall of its commune, and for admins.
#[utoipa::path(
    tag = "mandates",
    params(("id" = MandateId, Path, description = "Identifier of the mandate.")),
    responses((status = 200, description = "The mandate.", body = Mandate)),
)]
#[get("/v1/mandates/{id}")]
pub async fn get_mandate(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<MandateId>,
) -> Answer {
    let mut session = state.read(&caller).await?;
    let mandate = read(&mut session, *id).await?;
    Reply::resource(mandate.row.version, &Mandate::from(mandate))
}

/// Change or end a mandate
///
/// An admin changes the function, the right to sign, or the last day. Ending a mandate stops its rights at once.
#[utoipa::path(
    tag = "mandates",
    params(("id" = MandateId, Path, description = "Identifier of the mandate."), IfMatchHeader),
    request_body(content = MandatePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The mandate as it is now.", body = Mandate)),
)]
#[patch("/v1/mandates/{id}")]
pub async fn update_mandate(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<MandateId>,
    if_match: IfMatch,
    body: Json<MandatePatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            read(session, *id).await?;
            session.actor.standing_in("").permit(&[Role::Admin])?;
            let row = model::lock(&mut session.conn, *id).await?;
            if_match.check(row.version)?;
            model::change(&mut session.conn, &row, &body.0).await?;
            let mandate = model::find(&mut session.conn, *id).await?;
            Reply::resource(mandate.row.version, &Mandate::from(mandate))
        })
        .await
}
