//! `/v1/communes/{code}/measures`

use actix_web::{delete, get, put, web};

use super::dto::{Measure, MeasureFilter, MeasurePage, NewMeasure};
use super::model::{self, Key, MeasureRow};
use crate::auth::caller::{Anyone, Caller};
use crate::auth::policy::Role;
use crate::communes;
use crate::http::error::ApiError;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader, IfMatchWhenThereHeader};
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::MeasureId;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_measures)
        .service(get_measure)
        .service(put_measure)
        .service(delete_measure);
}

/// Who reports for the commune.
const MAY_REPORT: &[Role] = &[Role::Agent, Role::ElectedOfficial, Role::Client];

/// List the measures of a commune
///
/// Indicators that the commune reports by hand, with year and source; the latest year first.
#[utoipa::path(
    tag = "measures",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), MeasureFilter, Paging),
    responses((status = 200, description = "A page of measures.", body = MeasurePage)),
    security(()),
)]
#[get("/v1/communes/{code}/measures")]
pub async fn list_measures(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<MeasureFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<(i32, MeasureId)> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let page = model::list(&mut session.conn, &code, &filter.0, after, paging.0.limit()).await?;
    let position = |measure: &MeasureRow| (measure.year, measure.id);
    let reply = state.page(&anyone, page, position, |items, has_more, next_cursor| {
        MeasurePage {
            data: items.into_iter().map(Measure::from).collect(),
            has_more,
            next_cursor,
        }
    })?;
    Ok(reply.public(60))
}

/// Get a measure
///
/// The value of one year, with its unit and its source.
#[utoipa::path(
    tag = "measures",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("indicator" = String, Path, description = "What was measured.", example = "number_of_associations"),
        ("year" = i32, Path, description = "Year.", example = 2024),
    ),
    responses(
        (status = 200, description = "The measure.", body = Measure),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/measures/{indicator}/{year}")]
pub async fn get_measure(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, String, i32)>,
) -> Answer {
    let key = Key::new(path.into_inner())?;
    let mut session = state.read(&anyone).await?;
    let row = model::find(&mut session.conn, &key).await?;
    Ok(Reply::resource(row.version, &Measure::from(row))?.public(60))
}

/// Report a measure
///
/// An agent or an elected official reports an indicator of one year, with its unit and its source; or replaces it, and
/// then names in `If-Match` the version that they read.
#[utoipa::path(
    tag = "measures",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("indicator" = String, Path, description = "What was measured: 2 to 60 lower-case letters, digits and underscores, a letter first.", example = "number_of_associations"),
        ("year" = i32, Path, description = "Year, 1900 to 2100.", example = 2024),
        IfMatchWhenThereHeader,
    ),
    request_body = NewMeasure,
    responses(
        (status = 200, description = "The measure, replaced.", body = Measure),
        (status = 201, description = "The measure, new.", body = Measure),
    ),
    security(("password" = []), ("client_credentials" = ["measures"])),
)]
#[put("/v1/communes/{code}/measures/{indicator}/{year}")]
pub async fn put_measure(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(String, String, i32)>,
    if_match: IfMatch,
    body: Json<NewMeasure>,
) -> Answer {
    let key = Key::new(path.into_inner())?;
    state
        .write(&caller, async move |session| {
            communes::model::find(&mut session.conn, &key.commune).await?;
            session.actor.standing_in(&key.commune).permit(MAY_REPORT)?;
            let created = model::put(session, &key, if_match, &body.0).await?;
            let row = model::find(&mut session.conn, &key).await?;
            if created {
                Reply::created(key.path(), row.version, &Measure::from(row))
            } else {
                Reply::resource(row.version, &Measure::from(row))
            }
        })
        .await
}

/// Delete a measure
///
/// For what was reported by mistake.
#[utoipa::path(
    tag = "measures",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("indicator" = String, Path, description = "What was measured.", example = "number_of_associations"),
        ("year" = i32, Path, description = "Year.", example = 2024),
        IfMatchHeader,
    ),
    responses((status = 204, description = "Deleted.")),
    security(("password" = []), ("client_credentials" = ["measures"])),
)]
#[delete("/v1/communes/{code}/measures/{indicator}/{year}")]
pub async fn delete_measure(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(String, String, i32)>,
    if_match: IfMatch,
) -> Answer {
    let key = Key::new(path.into_inner())?;
    state
        .write(&caller, async move |session| {
            let row = model::lock(&mut session.conn, &key)
                .await?
                .ok_or_else(ApiError::not_found)?;
            session.actor.standing_in(&key.commune).permit(MAY_REPORT)?;
            if_match.check(row.version)?;
            model::delete(&mut session.conn, &row).await?;
            Ok(Reply::no_content())
        })
        .await
}
