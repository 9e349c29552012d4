//! `/v1/communes/{code}/meetings`, `/v1/meetings/{id}`

use actix_web::{delete, get, patch, post, web};

use super::dto::{Meeting, MeetingFilter, MeetingPage, MeetingPatch, NewMeeting};
use super::model::{self, NamedMeeting, Position};
use crate::auth::caller::{Anyone, Caller};
use crate::auth::policy::Role;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::MeetingId;
use crate::state::State;
use crate::{communes, documents};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_meetings)
        .service(record_meeting)
        .service(get_meeting)
        .service(update_meeting)
        .service(delete_meeting);
}

/// Who records meetings, corrects them and takes them back.
const MAY_RECORD: &[Role] = &[Role::Agent, Role::Client];

/// List the public meetings of a commune
///
/// The latest first. A meeting about an initiative that is not published shows to those who may read the initiative.
#[utoipa::path(
    tag = "meetings",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), MeetingFilter, Paging),
    responses((status = 200, description = "A page of meetings.", body = MeetingPage)),
    security((), ("password" = [])),
)]
#[get("/v1/communes/{code}/meetings")]
pub async fn list_meetings(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<MeetingFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let page = model::list(&mut session, &code, &filter.0, after, paging.0.limit()).await?;
    let position = |meeting: &NamedMeeting| (meeting.row.held_on, meeting.row.id);
    let reply = state.page(&anyone, page, position, |items, has_more, next_cursor| {
        MeetingPage {
            data: items.into_iter().map(Meeting::from).collect(),
            has_more,
            next_cursor,
        }
    })?;
    Ok(reply.public_to(&anyone, 30))
}

/// Record a public meeting
///
/// An agent announces it, at most a year ahead, or records it once it was held, with the number of entries.
#[utoipa::path(
    tag = "meetings",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = NewMeeting,
    responses(
        (status = 201, description = "The meeting.", body = Meeting),
        (status = 409, description = "The caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["meetings"])),
)]
#[post("/v1/communes/{code}/meetings")]
pub async fn record_meeting(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<NewMeeting>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            communes::model::find(&mut session.conn, &code).await?;
            session.actor.standing_in(&code).permit(MAY_RECORD)?;
            model::standing_in(session, &code, body.0.initiative_id)
                .await?
                .permit(MAY_RECORD)?;
            let id = model::record(session, &code, body.0).await?;
            let (meeting, _) = model::find(session, id).await?;
            Reply::created(
                format!("/v1/meetings/{id}"),
                meeting.row.version,
                &Meeting::from(meeting),
            )
        })
        .await
}

/// Get a public meeting
///
/// When and where it was held, about what, and how many came.
#[utoipa::path(
    tag = "meetings",
    params(("id" = MeetingId, Path, description = "Identifier of the meeting.")),
    responses(
        (status = 200, description = "The meeting.", body = Meeting),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security((), ("password" = [])),
)]
#[get("/v1/meetings/{id}")]
pub async fn get_meeting(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<MeetingId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let (meeting, _) = model::find(&mut session, *id).await?;
    let reply = Reply::resource(meeting.row.version, &Meeting::from(meeting))?;
    Ok(reply.public_to(&anyone, 30))
}

/// Correct a public meeting
///
/// For the town hall, when something was written down wrongly.
#[utoipa::path(
    tag = "meetings",
    params(("id" = MeetingId, Path, description = "Identifier of the meeting."), IfMatchHeader),
    request_body(content = MeetingPatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The meeting as it is now.", body = Meeting),
        (status = 409, description = "The caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["meetings"])),
)]
#[patch("/v1/meetings/{id}")]
pub async fn update_meeting(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<MeetingId>,
    if_match: IfMatch,
    body: Json<MeetingPatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (row, standing) = model::lock(session, *id).await?;
            standing.permit(MAY_RECORD)?;
            if_match.check(row.version)?;
            if let Some(initiative) = body.0.initiative_id {
                model::standing_in(session, &row.commune_code, initiative)
                    .await?
                    .permit(MAY_RECORD)?;
            }
            model::change(session, &row, &body.0).await?;
            let (meeting, _) = model::find(session, *id).await?;
            Reply::resource(meeting.row.version, &Meeting::from(meeting))
        })
        .await
}

/// Delete a public meeting
///
/// For what was recorded by mistake. Its documents are erased.
#[utoipa::path(
    tag = "meetings",
    params(("id" = MeetingId, Path, description = "Identifier of the meeting."), IfMatchHeader),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "The caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["meetings"])),
)]
#[delete("/v1/meetings/{id}")]
pub async fn delete_meeting(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<MeetingId>,
    if_match: IfMatch,
) -> Answer {
    let answer = state
        .write(&caller, async move |session| {
            let (row, standing) = model::lock(session, *id).await?;
            let role = standing.permit(MAY_RECORD)?;
            if_match.check(row.version)?;
            documents::model::erase_with(session, &row, role).await?;
            model::delete(session, &row).await?;
            Ok(Reply::no_content())
        })
        .await?;
    if let Err(error) = documents::model::sweep(&state).await {
        tracing::warn!(cause = %error, "erased bytes wait for the next sweep");
    }
    Ok(answer)
}
