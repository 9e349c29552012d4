//! `/v1/communes/{code}/subsidies`, `/v1/holders/{id}/subsidies/{year}`

use actix_web::{get, patch, web};

use super::dto::{Subsidy, SubsidyFilter, SubsidyPage, SubsidyPatch};
use super::model::{self, Found, Position};
use crate::auth::caller::{Anyone, Caller};
use crate::auth::policy::Role;
use crate::communes;
use crate::http::cursor::Page;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::HolderId;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_subsidies)
        .service(get_subsidy)
        .service(update_subsidy);
}

/// Who records what was published and received.
const MAY_RECORD: &[Role] = &[Role::Agent, Role::ElectedOfficial];

/// List what a commune gives
///
/// One item for each body and calendar year, in cash and in kind, under conventions that were signed; the latest year
/// first. Above 23,000 EUR a year a convention is mandatory and its essential data are published; `inbox` has what is
/// to be done and what is late. The town hall counts everything; others see associations, schools and companies,
/// published initiatives, and what was acknowledged.
#[utoipa::path(
    tag = "subsidies",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), SubsidyFilter, Paging),
    responses((status = 200, description = "A page of subsidies.", body = SubsidyPage)),
    security((), ("password" = [])),
)]
#[get("/v1/communes/{code}/subsidies")]
pub async fn list_subsidies(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<SubsidyFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let limit = paging.0.limit();
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    // Figures of a year need those of the year before: all are counted, then one page is cut out.
    let items = model::all(&mut session, &code)
        .await?
        .into_iter()
        .filter(|found| filter.0.takes(&found.subsidy))
        .filter(|found| after.is_none_or(|after| found.position() < after))
        .take(usize::try_from(limit + 1).unwrap_or(usize::MAX))
        .collect();
    let page = Page::cut(items, limit);
    let reply = state.page(
        &anyone,
        page,
        Found::position,
        |items, has_more, next_cursor| SubsidyPage {
            data: items.into_iter().map(|found| found.subsidy).collect(),
            has_more,
            next_cursor,
        },
    )?;
    Ok(reply.public_to(&anyone, 60))
}

/// Get what a body receives in a year
///
/// Of a holder or a host organisation, with what is to be published and reported.
#[utoipa::path(
    tag = "subsidies",
    params(
        ("id" = HolderId, Path, description = "Identifier of the holder or host organisation."),
        ("year" = i32, Path, description = "Calendar year.", example = 2026),
    ),
    responses((status = 200, description = "The subsidy.", body = Subsidy)),
    security((), ("password" = [])),
)]
#[get("/v1/holders/{id}/subsidies/{year}")]
pub async fn get_subsidy(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(HolderId, i32)>,
) -> Answer {
    let (holder, year) = path.into_inner();
    let mut session = state.read(&anyone).await?;
    let found = model::find(&mut session, holder, year).await?;
    let reply = Reply::resource(found.version, &found.subsidy)?;
    Ok(reply.public_to(&anyone, 60))
}

/// Record what was published and received
///
/// An agent or an elected official records the day on which the essential data were published, and the day on which
/// the financial report came in.
#[utoipa::path(
    tag = "subsidies",
    params(
        ("id" = HolderId, Path, description = "Identifier of the holder or host organisation."),
        ("year" = i32, Path, description = "Calendar year.", example = 2026),
        IfMatchHeader,
    ),
    request_body(content = SubsidyPatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The subsidy as it is now.", body = Subsidy),
        (status = 409, description = "The caller is a member of the body.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/holders/{id}/subsidies/{year}")]
pub async fn update_subsidy(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(HolderId, i32)>,
    if_match: IfMatch,
    body: Json<SubsidyPatch>,
) -> Answer {
    let (holder, year) = path.into_inner();
    state
        .write(&caller, async move |session| {
            let found = model::find(session, holder, year).await?;
            let (commune, receiver) = (&found.subsidy.commune_code, found.subsidy.holder.id);
            let actor = &session.actor;
            let mut standing = actor.standing_in(commune);
            standing.holder = actor.membership(&session.conn, holder).await?;
            standing.host = actor.membership(&session.conn, receiver).await?;
            standing.permit(MAY_RECORD)?;
            model::record(session, &found.subsidy, if_match, &body.0).await?;
            let found = model::find(session, holder, year).await?;
            Reply::resource(found.version, &found.subsidy)
        })
        .await
}
