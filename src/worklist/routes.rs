//! `/v1/communes/{code}/worklist`, `/v1/communes/{code}/worklist.ics`

use actix_web::{get, web};
use chrono::NaiveDate;

use super::calendar::{self, Calendar};
use super::dto::{WorkFilter, WorkPage};
use super::model::{self, Position, Wanted, Work};
use crate::auth::caller::Caller;
use crate::auth::policy::Role;
use crate::communes;
use crate::http::error::ApiError;
use crate::http::extract::Query;
use crate::http::paging::Paging;
use crate::http::reply::Answer;
use crate::http::routes::Routes;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes.service(get_worklist).service(get_worklist_calendar);
}

/// Whose desk it is.
const MAY_READ: &[Role] = &[Role::Agent, Role::ElectedOfficial];

/// A session of who may read it, and the days from today on which the council meets.
async fn open(
    state: &State,
    caller: &Caller,
    code: &str,
    filter: &WorkFilter,
) -> Result<(Session, Vec<NaiveDate>), ApiError> {
    let mut session = state.read(caller).await?;
    let commune = communes::model::find(&mut session.conn, code).await?.row;
    if filter.person.is_none() || filter.person != session.actor.user_id() {
        session.actor.standing_in(code).permit(MAY_READ)?;
    }
    let today = session.today();
    let mut council = commune.council_dates();
    council.retain(|day| *day >= today);
    Ok((session, council))
}

/// Get the worklist of a commune
///
/// What waits, for whom and until when: to instruct, to decide, to sign, to pay, to acknowledge and the rest, the most urgent
/// first, with the counts of each kind and the next meeting of the council. For its agents and elected officials; with
/// themselves as `person` for everybody.
#[utoipa::path(
    tag = "communes",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), WorkFilter, Paging),
    responses((status = 200, description = "A page of the worklist.", body = WorkPage)),
)]
#[get("/v1/communes/{code}/worklist")]
pub async fn get_worklist(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    filter: Query<WorkFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&caller, paging.0.cursor.as_deref())?;
    let (mut session, council) = open(&state, &caller, &code, &filter.0).await?;
    let today = session.today();
    let wanted = Wanted::new(&mut session, &code, &filter.0).await?;
    let page = wanted
        .page(&mut session.conn, after, paging.0.limit())
        .await?;
    let counts = wanted.counts(&mut session.conn).await?;
    let last = page.items.last().cloned();
    let shown = model::show(&mut session.conn, page.items, today).await?;
    let page = crate::http::cursor::Page {
        items: shown,
        has_more: page.has_more,
    };
    state.page(
        &caller,
        page,
        |_| last.as_ref().map(Position::from),
        |data, has_more, next_cursor| WorkPage {
            data,
            has_more,
            next_cursor,
            counts,
            next_council_on: council.first().copied(),
        },
    )
}

/// Get the worklist of a commune as a calendar
///
/// The same as iCalendar (RFC 5545): what has a day, the thousand most urgent, and the meetings of the council, each as an
/// event that lasts a day.
#[utoipa::path(
    tag = "communes",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), WorkFilter),
    responses((status = 200, description = "The calendar.", body = String, content_type = "text/calendar", example = "BEGIN:VCALENDAR…")),
)]
#[get("/v1/communes/{code}/worklist.ics")]
pub async fn get_worklist_calendar(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    filter: Query<WorkFilter>,
) -> Result<Calendar, ApiError> {
    let (mut session, council) = open(&state, &caller, &code, &filter.0).await?;
    let wanted = Wanted::new(&mut session, &code, &filter.0).await?;
    let work: Vec<Work> = wanted
        .page(&mut session.conn, None, calendar::EVENTS_MAX)
        .await?
        .items;
    Ok(Calendar::new(
        state.keys.issuer(),
        &code,
        session.now,
        &work,
        &council,
    ))
}
