//! `/v1/communes`

use actix_web::{get, patch, post, web};

use super::dto::{Commune, CommuneFilter, CommunePage, CommuneSettingsPatch};
use super::model::{self, Position};
use crate::auth::caller::{Anyone, Caller};
use crate::auth::policy::Role;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_communes)
        .service(get_commune)
        .service(update_commune)
        .service(enrol_commune);
}

/// Who sets how a commune's scheme works.
const MAY_SET: &[Role] = &[Role::ElectedOfficial, Role::Admin];

/// Who says how much room a commune's documents have: who runs the store.
const MAY_GIVE_ROOM: &[Role] = &[Role::Admin];

/// List communes
///
/// All 34,969 communes of France (official geographic code 2026), by name, by postal code or by department.
#[utoipa::path(
    tag = "communes",
    params(CommuneFilter, Paging),
    responses((status = 200, description = "A page of communes.", body = CommunePage)),
    security(()),
)]
#[get("/v1/communes")]
pub async fn list_communes(
    state: web::Data<State>,
    anyone: Anyone,
    filter: Query<CommuneFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    let page = model::list(&mut session.conn, &filter.0, after, paging.0.limit()).await?;
    let reply = state.page(
        &anyone,
        page,
        |commune| Position::from(commune),
        |items, has_more, next_cursor| CommunePage {
            data: items.into_iter().map(Commune::from).collect(),
            has_more,
            next_cursor,
        },
    )?;
    Ok(reply.public(60))
}

/// Get a commune
///
/// With its settings, where it takes part.
#[utoipa::path(
    tag = "communes",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    responses(
        (status = 200, description = "The commune.", body = Commune),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}")]
pub async fn get_commune(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let commune = model::find(&mut session.conn, &code).await?;
    Ok(Reply::resource(commune.row.version, &Commune::from(commune))?.public(60))
}

/// Change the settings of a commune
///
/// An elected official of the commune, or an admin, sets the reply delay, the ceiling of small projects, the longest
/// convention, the days of the council and the commune's SIRET; only an admin sets the quota of documents. What is under way keeps the dates that it was given.
#[utoipa::path(
    tag = "communes",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), IfMatchHeader),
    request_body(content = CommuneSettingsPatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The commune with its new settings.", body = Commune),
        (status = 409, description = "The commune's documents take more than the new quota already.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/communes/{code}")]
pub async fn update_commune(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    if_match: IfMatch,
    body: Json<CommuneSettingsPatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let version = model::lock(&mut session.conn, &code).await?;
            let standing = session.actor.standing_in(&code);
            standing.permit(MAY_SET)?;
            if body.0.document_quota_bytes.is_some() {
                standing.permit(MAY_GIVE_ROOM)?;
            }
            if_match.check(version)?;
            if let Some(Some(siret)) = &body.0.siret {
                model::check_siret(&mut session.conn, &code, siret).await?;
            }
            model::change_settings(&mut session.conn, &code, &body.0).await?;
            let commune = model::find(&mut session.conn, &code).await?;
            Reply::resource(commune.row.version, &Commune::from(commune))
        })
        .await
}

/// Enrol a commune
///
/// An admin lets a commune take part: from then on its residents can submit initiatives.
#[utoipa::path(
    tag = "communes",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    responses(
        (status = 200, description = "The commune, enrolled.", body = Commune),
        (status = 409, description = "The commune takes part already.", body = crate::http::problem::Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/communes/{code}/enrol")]
pub async fn enrol_commune(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            model::lock(&mut session.conn, &code).await?;
            session.actor.standing_in(&code).permit(&[Role::Admin])?;
            model::enrol(&mut session.conn, &code, session.now).await?;
            let commune = model::find(&mut session.conn, &code).await?;
            Reply::resource(commune.row.version, &Commune::from(commune))
        })
        .await
}
