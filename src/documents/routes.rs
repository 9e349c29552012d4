//! `/v1/initiatives/{id}/documents`, `/v1/meetings/{id}/documents`, `/v1/documents/{id}`, `/v1/documents/{id}/file`

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use utoipa::IntoParams;

use super::dto::{
    Document, DocumentFilter, DocumentPage, DocumentState, File, NewDocument, NewMeetingDocument,
};
use super::model::{self, Coming, Matter, NamedDocument, Place, Position};
use super::transfer::{self, Upload};
use crate::auth::caller::{Anyone, Caller, Request};
use crate::http::error::{ApiError, Code};
use crate::http::extract::Query;
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{DocumentId, InitiativeId, MeetingId};
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_documents)
        .service(upload_document)
        .service(list_meeting_documents)
        .service(upload_meeting_document)
        .service(get_document)
        .service(get_document_file)
        .service(delete_document);
}

/// Seconds for which shared caches keep what everybody may read.
const PUBLIC_FOR: u32 = 30;

/// What of a file to send, for downloads that go on where they were cut.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct RangeHeaders {
    /// One range of bytes; anything else is answered with the whole file.
    #[param(rename = "Range", example = "bytes=0-1023", nullable = false)]
    #[allow(dead_code, reason = "describes the header; the answer reads it")]
    pub range: Option<String>,
    /// The `ETag` of what is there already: the range counts only while the file is the same.
    #[param(rename = "If-Range", nullable = false)]
    #[allow(dead_code, reason = "describes the header; the answer reads it")]
    pub if_range: Option<String>,
}

/// List the documents of an initiative
///
/// Those about the initiative as a whole, its conventions, fulfilments and evaluation, the newest first. Others than the
/// holder and the town hall see what is not internal and is about something public: a convention that is or was in force,
/// a fulfilment that was acknowledged, an evaluation that is validated.
#[utoipa::path(
    tag = "documents",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), DocumentFilter, Paging),
    responses((status = 200, description = "A page of documents.", body = DocumentPage)),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives/{id}/documents")]
pub async fn list_documents(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
    filter: Query<DocumentFilter>,
    paging: Query<Paging>,
) -> Answer {
    list(
        &state,
        &anyone,
        Place::Initiative(*id),
        &filter.0,
        &paging.0,
    )
    .await
}

async fn list(
    state: &State,
    anyone: &Request,
    place: Place,
    filter: &DocumentFilter,
    paging: &Paging,
) -> Answer {
    let after: Option<Position> = state.after(anyone, paging.cursor.as_deref())?;
    let mut session = state.read(anyone).await?;
    let Matter { standing, .. } = model::matter(&mut session, place).await?;
    let limit = paging.limit();
    let page = model::list(&mut session, place, &standing, filter, after, limit).await?;
    let position = |document: &NamedDocument| (document.row.created_at, document.row.id);
    let reply = state.page(anyone, page, position, |items, has_more, next_cursor| {
        DocumentPage {
            data: items
                .into_iter()
                .map(|document| document.show(&standing))
                .collect(),
            has_more,
            next_cursor,
        }
    })?;
    Ok(reply.public_to(anyone, PUBLIC_FOR))
}

/// Upload a document
///
/// The body is the file itself. An agent or the holder's side uploads it, to an evaluation only an agent until it is
/// validated. Its type is found from its bytes, whatever its name says: PDF, JPEG, PNG, WebP, text and CSV in UTF-8,
/// OpenDocument text and spreadsheet, Word and Excel. Photos lose their metadata, places and dates among them, except
/// how they are turned.
#[utoipa::path(
    tag = "documents",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), NewDocument),
    request_body(content = inline(File), content_type = "application/octet-stream", description = "The file."),
    responses(
        (status = 201, description = "The document.", body = Document),
        (status = 408, description = "The file did not come within half an hour.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The commune's documents would exceed their quota, the evaluation is validated, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The file is larger than this server takes: 20 MB unless set otherwise.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The file is of none of the types that are accepted or damaged, or the request's content type is another one.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is empty, or the `Idempotency-Key` stands for another request.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/documents")]
pub async fn upload_document(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    new: Query<NewDocument>,
    file: Upload,
) -> Answer {
    upload(&state, caller, Coming::about_initiative(*id, new.0), file).await
}

async fn upload(state: &State, caller: Caller, new: Coming, file: Upload) -> Answer {
    let (state, caller) = (state.clone(), caller.0);
    // When the client hangs up, this takes back what it began.
    actix_web::rt::spawn(async move { receive(&state, &caller, new, file).await })
        .await
        .map_err(ApiError::internal)?
}

async fn receive(state: &State, caller: &Request, new: Coming, file: Upload) -> Answer {
    let mut session = state.begin(caller).await?;
    let begun = model::begin(&mut session, &new).await;
    let id = session.finish(begun).await?;
    let answer = match file.receive(&state.documents, id, &new.name).await {
        Ok(received) => {
            state
                .write(caller, async move |session| {
                    let (version, document) = model::complete(session, id, &new, received).await?;
                    Reply::created(format!("/v1/documents/{id}"), version, &document)
                })
                .await
        }
        Err(error) => Err(error),
    };
    // What was answered before is there already.
    let is_new = answer.as_ref().is_ok_and(|reply| !reply.replayed);
    if !is_new && let Err(error) = model::discard(state, id).await {
        tracing::warn!(cause = %error, "an upload waits for the sweep");
    }
    answer
}

/// List the documents of a meeting
///
/// Its minutes, who was there, photos, the newest first. Everybody who may read the meeting sees what is not internal.
#[utoipa::path(
    tag = "documents",
    params(("id" = MeetingId, Path, description = "Identifier of the meeting."), Paging),
    responses((status = 200, description = "A page of documents.", body = DocumentPage)),
    security((), ("password" = [])),
)]
#[get("/v1/meetings/{id}/documents")]
pub async fn list_meeting_documents(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<MeetingId>,
    paging: Query<Paging>,
) -> Answer {
    let all = DocumentFilter::default();
    list(&state, &anyone, Place::Meeting(*id), &all, &paging.0).await
}

/// Upload a document of a meeting
///
/// An agent uploads it. The same rules hold as for documents of initiatives; when the meeting is deleted, its documents
/// are erased.
#[utoipa::path(
    tag = "documents",
    params(("id" = MeetingId, Path, description = "Identifier of the meeting."), NewMeetingDocument),
    request_body(content = inline(File), content_type = "application/octet-stream", description = "The file."),
    responses(
        (status = 201, description = "The document.", body = Document),
        (status = 408, description = "The file did not come within half an hour.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The commune's documents would exceed their quota, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The file is larger than this server takes: 20 MB unless set otherwise.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The file is of none of the types that are accepted or damaged, or the request's content type is another one.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is empty, or the `Idempotency-Key` stands for another request.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/meetings/{id}/documents")]
pub async fn upload_meeting_document(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<MeetingId>,
    new: Query<NewMeetingDocument>,
    file: Upload,
) -> Answer {
    upload(&state, caller, Coming::about_meeting(*id, new.0), file).await
}

/// Get a document
///
/// What it is and what it is about, without its bytes. What is erased stays for the two sides, with its hash and without
/// its name.
#[utoipa::path(
    tag = "documents",
    params(("id" = DocumentId, Path, description = "Identifier of the document.")),
    responses((status = 200, description = "The document.", body = Document)),
    security((), ("password" = [])),
)]
#[get("/v1/documents/{id}")]
pub async fn get_document(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<DocumentId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let (matter, document) = model::find(&mut session, *id).await?;
    let reply = Reply::resource(document.row.version, &document.show(&matter.standing))?;
    Ok(reply.public_to(&anyone, PUBLIC_FOR))
}

/// Get the file of a document
///
/// Its bytes, or one range of them. It is always sent to be saved, and as bytes of no type, so that no browser shows or
/// runs what somebody uploaded; `media_type` of the document says what they are. The `ETag` is their SHA-256.
#[utoipa::path(
    tag = "documents",
    params(("id" = DocumentId, Path, description = "Identifier of the document."), RangeHeaders),
    responses(
        (status = 200, description = "The bytes.", body = inline(File), content_type = "application/octet-stream"),
        (status = 206, description = "The bytes of the range.", body = inline(File), content_type = "application/octet-stream"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
        (status = 416, description = "The range begins behind the end.", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("password" = [])),
)]
#[get("/v1/documents/{id}/file")]
pub async fn get_document_file(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<DocumentId>,
    http: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut session = state.read(&anyone).await?;
    let (_, document) = model::find(&mut session, *id).await?;
    if document.row.state != DocumentState::Stored {
        return Err(ApiError::not_found());
    }
    // Its connection is not held while the bytes go out.
    drop(session);
    let public_for = anyone.user.is_none().then_some(PUBLIC_FOR);
    transfer::send(&http, &state.documents, &document, public_for).await
}

/// Erase a document
///
/// Who uploaded it, or an agent; a scan that a signature or an initiative was recorded from, only an agent. Its bytes and its name go for good; its hash stays, with who erased it and when, in the
/// history too.
#[utoipa::path(
    tag = "documents",
    params(("id" = DocumentId, Path, description = "Identifier of the document."), IfMatchHeader),
    responses(
        (status = 204, description = "Erased."),
        (status = 409, description = "It is erased already, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[delete("/v1/documents/{id}")]
pub async fn delete_document(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<DocumentId>,
    if_match: IfMatch,
) -> Answer {
    let id = *id;
    let answer = state
        .write(&caller, async move |session| {
            let (matter, document) = model::lock(session, id).await?;
            let role = model::may_erase(session, &document, &matter.standing).await?;
            if document.row.state != DocumentState::Stored {
                return Err(ApiError {
                    state: Some(document.row.state.code()),
                    ..ApiError::new(Code::WrongState)
                });
            }
            if_match.check(document.row.version)?;
            model::erase(session, &matter, &document, role).await?;
            Ok(Reply::no_content())
        })
        .await?;
    if let Err(error) = model::empty(&state, id).await {
        tracing::warn!(cause = %error, "erased bytes wait for the sweep");
    }
    Ok(answer)
}
