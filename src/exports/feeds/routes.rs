//! `/v1/communes/{code}/meetings.ics`, `/v1/initiatives.atom`

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{atom, calendar};
use crate::auth::caller::Anyone;
use crate::communes;
use crate::exports::changes::stamp;
use crate::exports::columns::{INITIATIVES, MEETINGS};
use crate::exports::stream::begin;
use crate::http::error::ApiError;
use crate::http::extract::Query;
use crate::http::routes::Routes;
use crate::meetings;
use crate::meetings::dto::MeetingFilter;
use crate::state::State;

/// Before the files whose suffix is a parameter.
pub fn configure(routes: &mut Routes) {
    routes
        .service(get_meeting_calendar)
        .service(get_initiative_feed);
}

/// Which initiatives to follow.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedFilter {
    /// INSEE code.
    #[param(pattern = r"^[0-9][0-9AB][0-9]{3}$", example = "62528")]
    pub commune: Option<String>,
}

/// Get the public meetings of a commune as a calendar
///
/// As iCalendar (RFC 5545), to be subscribed to: the latest thousand, each an event that lasts a day.
#[utoipa::path(
    tag = "exports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), MeetingFilter),
    responses(
        (status = 200, description = "The calendar.", body = String, content_type = "text/calendar", example = "BEGIN:VCALENDAR…"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/meetings.ics")]
pub async fn get_meeting_calendar(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<MeetingFilter>,
) -> Result<HttpResponse, ApiError> {
    let mut session = state.as_everybody().await?;
    let commune = communes::model::find(&mut session.conn, &code).await?.row;
    let stamp = stamp(&mut session.conn, MEETINGS.sources, Some(&code)).await?;
    let (unchanged, mut answer) = begin(&anyone, &stamp, "", "/v1/exports/meetings");
    if unchanged {
        return Ok(answer.finish());
    }
    let most = calendar::MEETINGS_MAX;
    let page = meetings::model::list(&mut session, &code, &filter.0, None, most).await?;
    let text = calendar::calendar(state.keys.issuer(), &commune.name, &page.items);
    Ok(answer
        .content_type("text/calendar; charset=utf-8")
        .body(text))
}

/// Follow the initiatives that are published
///
/// An Atom feed (RFC 4287) with their places (GeoRSS), of a commune or of all: the last fifty.
#[utoipa::path(
    tag = "exports",
    params(FeedFilter),
    responses(
        (status = 200, description = "The feed.", body = String, content_type = "application/atom+xml", example = "<?xml version=\"1.0\" encoding=\"utf-8\"?><feed…"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/initiatives.atom")]
pub async fn get_initiative_feed(
    state: web::Data<State>,
    anyone: Anyone,
    filter: Query<FeedFilter>,
) -> Result<HttpResponse, ApiError> {
    let code = filter.0.commune.as_deref();
    let mut session = state.as_everybody().await?;
    let commune = match code {
        Some(code) => atom::commune(&mut session.conn, code).await?,
        None => None,
    };
    let stamp = stamp(&mut session.conn, INITIATIVES.sources, code).await?;
    let (unchanged, mut answer) = begin(&anyone, &stamp, "", "/v1/exports/initiatives");
    if unchanged {
        return Ok(answer.finish());
    }
    let entries = atom::last(&mut session.conn, code).await?;
    let feed = atom::feed(
        state.keys.issuer(),
        &anyone.address(),
        commune.as_deref(),
        stamp.changed_at,
        &entries,
    )
    .map_err(ApiError::internal)?;
    Ok(answer.content_type("application/atom+xml").body(feed))
}
