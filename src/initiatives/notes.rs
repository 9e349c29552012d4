//! `/v1/initiatives/{id}/notes`: what the town hall writes to itself. Nobody else knows that it is there.

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::{NewNote, Note, NotePage};
use super::lifecycle::{INITIATIVE, InitiativeAction};
use super::model;
use crate::auth::caller::Caller;
use crate::auth::policy::Role;
use crate::db::schema::{notes, users};
use crate::http::cursor::Page;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{InitiativeId, NoteId, UserId};
use crate::mandates::dto::PersonSummary;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes.service(list_notes).service(add_note);
}

/// List internal notes
///
/// For agents and elected officials of the commune, the newest first.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), Paging),
    responses(
        (status = 200, description = "A page of notes.", body = NotePage),
        (status = 409, description = "The caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[get("/v1/initiatives/{id}/notes")]
pub async fn list_notes(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<(DateTime<Utc>, NoteId)> =
        state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    let found = model::find(&mut session, *id).await?;
    found
        .standing
        .permit(&[Role::Agent, Role::ElectedOfficial])?;
    let mut query = notes::table
        .inner_join(users::table)
        .filter(notes::initiative_id.eq(*id))
        .filter(notes::commune_code.eq(id.commune()))
        .order((notes::created_at.desc(), notes::id.desc()))
        .limit(paging.0.limit() + 1)
        .select((
            notes::id,
            users::id,
            users::display_name,
            notes::text,
            notes::created_at,
        ))
        .into_boxed();
    if let Some((at, note)) = after {
        query = query
            .filter(notes::created_at.le(at))
            .filter(notes::created_at.lt(at).or(notes::id.lt(note)));
    }
    let rows: Vec<(NoteId, UserId, String, String, DateTime<Utc>)> =
        query.load(&mut session.conn).await?;
    let items = rows
        .into_iter()
        .map(|(id, author, display_name, text, created_at)| Note {
            id,
            author: PersonSummary {
                id: author,
                display_name,
            },
            text,
            created_at,
        })
        .collect();
    let page = Page::cut(items, paging.0.limit());
    state.page(
        &caller,
        page,
        |note| (note.created_at, note.id),
        |data, has_more, next_cursor| NotePage {
            data,
            has_more,
            next_cursor,
        },
    )
}

/// Add an internal note
///
/// For colleagues only: nobody outside the town hall ever reads it.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    request_body = NewNote,
    responses(
        (status = 201, description = "The note.", body = Note),
        (status = 409, description = "The caller is a member of the holder or host, or it is a draft.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/notes")]
pub async fn add_note(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    body: Json<NewNote>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let found = model::lock(session, *id).await?;
            INITIATIVE.step(found.row.state, InitiativeAction::AddNote, &found.standing)?;
            let author = session.actor.person()?.clone();
            let note = Note {
                id: NoteId::new(&found.row.commune_code, session.now)?,
                author: PersonSummary {
                    id: author.id,
                    display_name: author.display_name,
                },
                text: body.0.text,
                created_at: session.now,
            };
            diesel::insert_into(notes::table)
                .values((
                    notes::id.eq(note.id),
                    notes::commune_code.eq(&found.row.commune_code),
                    notes::initiative_id.eq(*id),
                    notes::author_id.eq(author.id),
                    notes::text.eq(&note.text),
                    notes::created_at.eq(note.created_at),
                ))
                .execute(&mut session.conn)
                .await?;
            Reply::created(format!("/v1/initiatives/{id}/notes"), 1, &note)
        })
        .await
}
