//! `/v1/practices`, `/v1/communes/{code}/practices`

use actix_web::{get, patch, post, web};

use super::dto::{
    NewPractice, Practice, PracticeFilter, PracticeLineage, PracticeNeighbours, PracticeOrder,
    PracticePage, PracticePatch,
};
use super::lifecycle::{PRACTICE, PracticeAction, PracticeState};
use super::list::{self, Placed, Position};
use super::model::{self, PracticeRow};
use super::{lineage, neighbours};
use crate::audit::dto::HistoryPage;
use crate::audit::{self, Of};
use crate::auth::caller::{Anyone, Caller, Request};
use crate::auth::policy::Role;
use crate::communes;
use crate::http::error::ApiError;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{InitiativeId, PracticeId};
use crate::initiatives::dto::Reason;
use crate::lifecycle::Step;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_practices)
        .service(create_practice)
        .service(get_practice)
        .service(update_practice)
        .service(publish_practice)
        .service(withdraw_practice)
        .service(get_practice_history)
        .service(get_practice_lineage)
        .service(list_practice_neighbours);
}

/// A sheet as the caller sees it, with its version.
async fn show(session: &mut Session, id: PracticeId) -> Result<(i32, Practice), ApiError> {
    let found = model::find(session, id).await?;
    let (version, today) = (found.row.version, session.today());
    let rows = vec![(found.row, found.commune)];
    let shown = model::show_all(&mut session.conn, &session.actor, rows, today).await?;
    let shown = shown.into_iter().next().ok_or_else(ApiError::not_found)?;
    Ok((version, shown))
}

/// Takes an action: finds the sheet, checks right, state and version, does the work, and answers with the sheet as it is
/// then.
async fn act<F>(
    state: &State,
    request: &Request,
    id: PracticeId,
    if_match: IfMatch,
    action: PracticeAction,
    // What will prove it besides what does.
    proofs: Vec<InitiativeId>,
    work: F,
) -> Answer
where
    F: AsyncFnOnce(&mut Session, PracticeRow, Step<PracticeState>) -> Result<(), ApiError>
        + 'static,
{
    state
        .write(request, async move |session| {
            let found = model::lock(session, id, &proofs).await?;
            let step = PRACTICE.step(found.row.state, action, &found.standing)?;
            if_match.check(found.row.version)?;
            work(session, found.row, step).await?;
            let (version, practice) = show(session, id).await?;
            Reply::resource(version, &practice)
        })
        .await
}

/// List practice sheets
///
/// Everybody sees what is published; agents and elected officials who name their commune see its drafts and what it has
/// withdrawn too. By place, size of the commune, theme, tag, words, and by what they come from.
#[utoipa::path(
    tag = "practices",
    params(PracticeFilter, PracticeOrder, Paging),
    responses((status = 200, description = "A page of practice sheets.", body = PracticePage)),
    security((), ("password" = [])),
)]
#[get("/v1/practices")]
pub async fn list_practices(
    state: web::Data<State>,
    anyone: Anyone,
    filter: Query<PracticeFilter>,
    order: Query<PracticeOrder>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    let (today, limit) = (session.today(), paging.0.limit());
    let found = list::list(
        &mut session.conn,
        &session.actor,
        &filter.0,
        &order.0,
        today,
        after,
        limit,
    )
    .await?;
    let position = |placed: &Placed| Position::from(placed);
    let reply = state.page(&anyone, found, position, |items, has_more, next_cursor| {
        PracticePage {
            data: items.into_iter().map(|placed| placed.practice).collect(),
            has_more,
            next_cursor,
        }
    })?;
    Ok(reply.public_to(&anyone, 30))
}

/// Write a practice sheet
///
/// An agent of the commune drafts what others can learn from it. Figures are not written: they come from the records of the
/// initiatives that prove it.
#[utoipa::path(
    tag = "practices",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = NewPractice,
    responses(
        (status = 201, description = "The draft.", body = Practice),
        (status = 409, description = "The commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/communes/{code}/practices")]
pub async fn create_practice(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<NewPractice>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            communes::model::find(&mut session.conn, &code).await?;
            let standing = session.actor.standing_in(&code);
            let role = standing.permit(&[Role::Agent])?;
            communes::model::enrolled(&mut session.conn, &code).await?;
            let id = model::create(session, &code, role, body.0).await?;
            let (version, practice) = show(session, id).await?;
            Reply::created(format!("/v1/practices/{id}"), version, &practice)
        })
        .await
}

/// Get a practice sheet
///
/// With its figures, and the published initiatives and their conventions that prove it.
#[utoipa::path(
    tag = "practices",
    params(("id" = PracticeId, Path, description = "Identifier of the sheet.")),
    responses((status = 200, description = "The sheet.", body = Practice)),
    security((), ("password" = [])),
)]
#[get("/v1/practices/{id}")]
pub async fn get_practice(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<PracticeId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let (version, practice) = show(&mut session, *id).await?;
    Ok(Reply::resource(version, &practice)?.public_to(&anyone, 30))
}

/// Change a practice sheet
///
/// An agent, while it is a draft or published.
#[utoipa::path(
    tag = "practices",
    params(("id" = PracticeId, Path, description = "Identifier of the sheet."), IfMatchHeader),
    request_body(content = PracticePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The sheet as it is now.", body = Practice),
        (status = 409, description = "It was withdrawn, nothing would prove it any more, or what inspired it does not change any more.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/practices/{id}")]
pub async fn update_practice(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<PracticeId>,
    if_match: IfMatch,
    body: Json<PracticePatch>,
) -> Answer {
    let patch = body.0;
    let proofs = patch.initiative_ids.clone().unwrap_or_default();
    act(
        &state,
        &caller,
        *id,
        if_match,
        PracticeAction::Update,
        proofs,
        async move |session, row, step| model::change(session, row, step, patch).await,
    )
    .await
}

/// Publish a practice sheet
///
/// An agent, once it is complete and a published initiative proves it.
#[utoipa::path(
    tag = "practices",
    params(("id" = PracticeId, Path, description = "Identifier of the sheet."), IfMatchHeader),
    responses(
        (status = 200, description = "The sheet, published.", body = Practice),
        (status = 409, description = "Not in this state, or no published initiative proves it.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Something that others need is missing.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/practices/{id}/publish")]
pub async fn publish_practice(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<PracticeId>,
    if_match: IfMatch,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        PracticeAction::Publish,
        Vec::new(),
        async |session, row, step| model::publish(session, row, step).await,
    )
    .await
}

/// Withdraw a practice sheet
///
/// An agent, with a reason, for good. To what it inspired it stays as a name.
#[utoipa::path(
    tag = "practices",
    params(("id" = PracticeId, Path, description = "Identifier of the sheet."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The sheet, withdrawn.", body = Practice),
        (status = 409, description = "It was withdrawn already.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/practices/{id}/withdraw")]
pub async fn withdraw_practice(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<PracticeId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        PracticeAction::Withdraw,
        Vec::new(),
        async move |session, row, step| {
            let reason = Some(body.0.reason.as_str());
            model::advance(session, row, step, PracticeAction::Withdraw, reason).await
        },
    )
    .await
}

/// Get the history of a practice sheet
///
/// What happened, oldest first, as far as the caller may see it.
#[utoipa::path(
    tag = "practices",
    params(("id" = PracticeId, Path, description = "Identifier of the sheet."), Paging),
    responses((status = 200, description = "A page of the history.", body = HistoryPage)),
    security((), ("password" = [])),
)]
#[get("/v1/practices/{id}/history")]
pub async fn get_practice_history(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<PracticeId>,
    paging: Query<Paging>,
) -> Answer {
    audit::answer(&state, &anyone, &paging.0, async |session| {
        let found = model::find(session, *id).await?;
        Ok((Of::Resource(id.0, found.row.commune_code), found.standing))
    })
    .await
}

/// Get the lineage of a practice sheet
///
/// The sheets that inspired it, and what it inspired, in any commune: sheets, and published initiatives. A sheet that was
/// withdrawn has its lineage still, and stays in that of others as a name.
#[utoipa::path(
    tag = "practices",
    params(("id" = PracticeId, Path, description = "Identifier of the sheet.")),
    responses((status = 200, description = "Where it comes from and where it went.", body = PracticeLineage)),
    security((), ("password" = [])),
)]
#[get("/v1/practices/{id}/lineage")]
pub async fn get_practice_lineage(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<PracticeId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    if !model::was_published(&mut session.conn, *id).await? {
        // A draft comes from somewhere too.
        model::find(&mut session, *id).await?;
    }
    let line = lineage::of(&mut session.conn, *id).await?;
    Ok(Reply::data(&line)?.public_to(&anyone, 30))
}

/// List the neighbours of a practice sheet
///
/// Published sheets of other communes with the same theme or within 50 km, at most twenty: each with why it is here and how
/// far it is. A commune of similar size is a reason more.
#[utoipa::path(
    tag = "practices",
    params(("id" = PracticeId, Path, description = "Identifier of the sheet.")),
    responses((status = 200, description = "The neighbours.", body = PracticeNeighbours)),
    security((), ("password" = [])),
)]
#[get("/v1/practices/{id}/neighbours")]
pub async fn list_practice_neighbours(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<PracticeId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let found = model::find(&mut session, *id).await?;
    let commune = communes::model::find(&mut session.conn, &found.row.commune_code).await?;
    let data = neighbours::of(&mut session.conn, &found.row, commune.row.population).await?;
    Ok(Reply::data(&PracticeNeighbours { data })?.public_to(&anyone, 30))
}
