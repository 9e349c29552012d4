//! `/v1/communes/{code}/bulk/…`, `/v1/communes/{code}/imports`, `/v1/imports/{id}`

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get, post, web};
use futures_util::stream;
use serde_json::Value;

use super::dto::{
    BulkAnswer, BulkCommitments, BulkHolders, BulkInitiatives, BulkMeasures, BulkMeetings,
    BulkOutcome, BulkResult, Import, ImportPage, ImportResource, ItemProblem, NewImport,
};
use super::fields::FAULTS;
use super::items::Bulk;
use super::model::{self, ImportRow, Position};
use super::upload::Upload;
use super::write::{Done, write};
use crate::auth::caller::{Caller, Request};
use crate::communes;
use crate::documents::dto::File;
use crate::exports::format::harmless;
use crate::http::error::{ApiError, Language};
use crate::http::extract::Query;
use crate::http::paging::Paging;
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::ImportId;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(bulk_initiatives)
        .service(bulk_holders)
        .service(bulk_commitments)
        .service(bulk_meetings)
        .service(bulk_measures)
        .service(list_imports)
        .service(start_import)
        .service(get_import_errors)
        .service(cancel_import)
        .service(get_import);
}

async fn bulk(
    state: &State,
    caller: &Caller,
    code: String,
    resource: ImportResource,
    body: Bulk,
) -> Answer {
    let language = caller.language();
    state
        .write(caller, async move |session| {
            communes::model::find(&mut session.conn, &code).await?;
            let role = session.actor.permit_import(&code)?;
            let commune = communes::model::enrolled(&mut session.conn, &code).await?;
            let validate_only = body.validate_only;
            let checked = body.checked(resource);
            let done = write(session, role, &commune, checked, validate_only).await?;
            let data = done.into_iter().map(|done| show(done, language)).collect();
            let answer = BulkAnswer {
                data,
                validate_only,
            };
            Reply::new(StatusCode::MULTI_STATUS, &answer)
        })
        .await
}

fn show(done: Done, language: Language) -> BulkResult {
    let (outcome, id, problem) = match &done.merged {
        Ok((outcome, id)) => (*outcome, *id, None),
        Err(error) => (
            BulkOutcome::Refused,
            None,
            Some(ItemProblem::new(error, language)),
        ),
    };
    BulkResult {
        external_id: done.external_id,
        outcome,
        id,
        problem,
    }
}

/// Import initiatives
///
/// Up to 1,000, each told apart by its `external_id`: what is new is created, what differs is changed, what is the same
/// stays. Without `state` an initiative begins here as a draft, and is submitted with `submit`; with `state` it comes in as
/// what it had become before, marked as imported, and nothing of it counts as decided or signed here. A holder is named by
/// its id here or in your system. Each item stands alone: the answer is always 207 with a result for each, and one that is
/// refused has a problem in its place.
#[utoipa::path(
    tag = "imports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = BulkInitiatives,
    responses(
        (status = 207, description = "What became of each.", body = BulkAnswer),
        (status = 409, description = "The commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 4 MiB.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[post("/v1/communes/{code}/bulk/initiatives")]
pub async fn bulk_initiatives(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Bulk,
) -> Answer {
    bulk(
        &state,
        &caller,
        code.into_inner(),
        ImportResource::Initiatives,
        body,
    )
    .await
}

/// Import holders
///
/// Up to 1,000, as for initiatives. They have no members; once one has, it is theirs to change.
#[utoipa::path(
    tag = "imports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = BulkHolders,
    responses(
        (status = 207, description = "What became of each.", body = BulkAnswer),
        (status = 409, description = "The commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 4 MiB.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[post("/v1/communes/{code}/bulk/holders")]
pub async fn bulk_holders(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Bulk,
) -> Answer {
    bulk(
        &state,
        &caller,
        code.into_inner(),
        ImportResource::Holders,
        body,
    )
    .await
}

/// Import commitments
///
/// Up to 1,000, as for initiatives: what was promised and settled before, of initiatives that were imported as completed or
/// closed, with what was delivered. They bind nobody, reserve nothing, and do not change any more.
#[utoipa::path(
    tag = "imports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = BulkCommitments,
    responses(
        (status = 207, description = "What became of each.", body = BulkAnswer),
        (status = 409, description = "The commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 4 MiB.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[post("/v1/communes/{code}/bulk/commitments")]
pub async fn bulk_commitments(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Bulk,
) -> Answer {
    bulk(
        &state,
        &caller,
        code.into_inner(),
        ImportResource::Commitments,
        body,
    )
    .await
}

/// Import meetings
///
/// Up to 1,000, as for initiatives.
#[utoipa::path(
    tag = "imports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = BulkMeetings,
    responses(
        (status = 207, description = "What became of each.", body = BulkAnswer),
        (status = 409, description = "The commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 4 MiB.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[post("/v1/communes/{code}/bulk/meetings")]
pub async fn bulk_meetings(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Bulk,
) -> Answer {
    bulk(
        &state,
        &caller,
        code.into_inner(),
        ImportResource::Meetings,
        body,
    )
    .await
}

/// Import measures
///
/// Up to 1,000, as for initiatives. An indicator has one value a year.
#[utoipa::path(
    tag = "imports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = BulkMeasures,
    responses(
        (status = 207, description = "What became of each.", body = BulkAnswer),
        (status = 409, description = "The commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than 4 MiB.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[post("/v1/communes/{code}/bulk/measures")]
pub async fn bulk_measures(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Bulk,
) -> Answer {
    bulk(
        &state,
        &caller,
        code.into_inner(),
        ImportResource::Measures,
        body,
    )
    .await
}

/// List the imports of a commune
///
/// The files that its agents have brought, the latest first, and how far each has come.
#[utoipa::path(
    tag = "imports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), Paging),
    responses((status = 200, description = "A page of imports.", body = ImportPage)),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[get("/v1/communes/{code}/imports")]
pub async fn list_imports(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    communes::model::find(&mut session.conn, &code).await?;
    session.actor.permit_import(&code)?;
    let page = model::list(&mut session.conn, &code, after, paging.0.limit()).await?;
    let position = |row: &ImportRow| (row.created_at, row.id);
    state.page(&caller, page, position, |items, has_more, next_cursor| {
        ImportPage {
            data: items.into_iter().map(Import::from).collect(),
            has_more,
            next_cursor,
        }
    })
}

/// Import a file
///
/// The body is the file itself, and its content type says which: CSV with `;`, `,` or tabs between its cells, in UTF-8 or
/// Windows-1252, a JSON object a line, or the first sheet of an Excel or OpenDocument workbook. A column is known by the name of its field or by its title in French or English,
/// or by a saved mapping; days are `2019-03-20` or `20/03/2019`, codes go by their labels too. The rows are the items of the bulk operations, and
/// each stands alone. It is imported a thousand rows at a time while others work; `Location` tells how far it is.
#[utoipa::path(
    tag = "imports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), NewImport),
    request_body(description = "The file.", content(
        (inline(File) = "text/csv", example = "Identifiant;Nature;Nom\n1;Association;Les chemins de Loos\n"),
        (inline(File) = "application/x-ndjson", example = "{\"external_id\": \"1\", \"kind\": \"association\", \"name\": \"Les chemins de Loos\"}\n"),
        (inline(File) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", example = "PK…"),
        (inline(File) = "application/vnd.oasis.opendocument.spreadsheet", example = "PK…"),
    )),
    responses(
        (status = 202, description = "The import, which waits for its turn.", body = Import),
        (status = 408, description = "The file did not come within half an hour.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The file is larger than this server takes: 100 MB unless set otherwise.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The file is empty, or the `Idempotency-Key` stands for another request.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[post("/v1/communes/{code}/imports")]
pub async fn start_import(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    new: Query<NewImport>,
    file: Upload,
) -> Answer {
    let (state, caller) = (State::clone(&state), caller.0);
    // When the client hangs up, this takes back what it began.
    actix_web::rt::spawn(
        async move { receive(&state, &caller, code.into_inner(), new.0, file).await },
    )
    .await
    .map_err(ApiError::internal)?
}

async fn receive(
    state: &State,
    caller: &Request,
    code: String,
    new: NewImport,
    file: Upload,
) -> Answer {
    let mut session = state.begin(caller).await?;
    let begun = begin(&mut session, &code, &new, &file).await;
    let id = session.finish(begun).await?;
    let received = file
        .receive(&state.documents, id, state.import_max_bytes)
        .await;
    let answer = match received {
        Ok(size) => {
            state
                .write(caller, async move |session| {
                    session.actor.permit_import(&code)?;
                    let row = model::queue(session, id, size).await?;
                    let reply = Reply::new(StatusCode::ACCEPTED, &Import::from(row))?;
                    Ok(Reply {
                        location: Some(format!("/v1/imports/{id}")),
                        ..reply
                    })
                })
                .await
        }
        Err(error) => Err(error),
    };
    // What was answered before is there already.
    let is_new = answer.as_ref().is_ok_and(|reply| !reply.replayed);
    if !is_new && let Err(error) = model::discard(state, id).await {
        tracing::warn!(cause = %error, "a file waits for the sweep");
    }
    answer
}

async fn begin(
    session: &mut Session,
    code: &str,
    new: &NewImport,
    file: &Upload,
) -> Result<ImportId, ApiError> {
    communes::model::find(&mut session.conn, code).await?;
    session.actor.permit_import(code)?;
    communes::model::enrolled(&mut session.conn, code).await?;
    model::begin(session, code, new, file.file_type).await
}

/// One import; for others than those who import there is none.
async fn find(session: &mut Session, id: ImportId) -> Result<ImportRow, ApiError> {
    session
        .actor
        .permit_import(&id.commune())
        .map_err(|_| ApiError::not_found())?;
    model::find(&mut session.conn, id).await
}

/// Get an import
///
/// How far it has come, and what became of the rows that are read.
#[utoipa::path(
    tag = "imports",
    params(("id" = ImportId, Path, description = "Identifier of the import.")),
    responses((status = 200, description = "The import.", body = Import)),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[get("/v1/imports/{id}")]
pub async fn get_import(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ImportId>,
) -> Answer {
    let mut session = state.read(&caller).await?;
    let row = find(&mut session, *id).await?;
    Reply::resource(row.version, &Import::from(row))
}

/// Cancel an import
///
/// What is written stays; the rest is not read.
#[utoipa::path(
    tag = "imports",
    params(("id" = ImportId, Path, description = "Identifier of the import.")),
    responses(
        (status = 200, description = "The import, cancelled.", body = Import),
        (status = 409, description = "It has ended already.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[post("/v1/imports/{id}/cancel")]
pub async fn cancel_import(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ImportId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            find(session, *id).await?;
            let row = model::cancel(session, *id).await?;
            Reply::resource(row.version, &Import::from(row))
        })
        .await
}

/// Rows of the file of refused rows that are read at a time.
const REFUSED: i64 = 500;

/// Download the refused rows of an import
///
/// As CSV with `;`: the columns of the file as they came and one more, `erreurs` or `errors`, that tells what is wrong in
/// the language asked for. Corrected and sent again it is imported; that column is left out. Of JSON lines the columns are
/// the fields. They are kept for a month.
#[utoipa::path(
    tag = "imports",
    params(("id" = ImportId, Path, description = "Identifier of the import.")),
    responses((status = 200, description = "The rows.", content(
        (String = "text/csv", example = "Identifiant;Nom;erreurs…"),
    ))),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[get("/v1/imports/{id}/errors.csv")]
pub async fn get_import_errors(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ImportId>,
) -> Result<HttpResponse, ApiError> {
    let mut session = state.read(&caller).await?;
    let row = find(&mut session, *id).await?;
    // Its connection is not held while the rows go out.
    drop(session);
    let language = caller.language();
    let [french, english] = FAULTS;
    let faults = match language {
        Language::French => french,
        Language::English => english,
    };
    // Without the mark spreadsheets take it for something else than UTF-8.
    let mut head = "\u{feff}".as_bytes().to_vec();
    let titles = row.titles();
    head.extend(line(titles.iter().map(String::as_str).chain([faults]))?);
    let width = titles.len();
    let name = format!("attachment; filename*=UTF-8''{faults}-{}.csv", *id);
    let beginning = stream::iter([Ok::<_, std::io::Error>(Bytes::from(head))]);
    let state = State::clone(&state);
    let rows = stream::try_unfold(Some(0), move |after: Option<i64>| {
        let (state, id) = (state.clone(), *id);
        async move {
            let Some(after) = after else { return Ok(None) };
            let (bytes, next) = page(&state, id, after, width, language)
                .await
                .map_err(|error| std::io::Error::other(error.to_string()))?;
            Ok(Some((Bytes::from(bytes), next)))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Authorization, Accept-Language"))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .content_type("text/csv; header=present; charset=utf-8")
        .streaming(futures_util::StreamExt::chain(beginning, rows)))
}

/// Some rows, and behind which one the next ones come.
async fn page(
    state: &State,
    id: ImportId,
    after: i64,
    width: usize,
    language: Language,
) -> Result<(Vec<u8>, Option<i64>), ApiError> {
    let mut conn = state.pool.get().await.map_err(ApiError::busy)?;
    let rows = model::refused(&mut conn, id, after, REFUSED).await?;
    let is_last = i64::try_from(rows.len()).unwrap_or(0) < REFUSED;
    let next = rows.last().map(|(number, ..)| *number).filter(|_| !is_last);
    let mut bytes = Vec::new();
    for (_, cells, faults) in rows {
        let mut cells: Vec<String> = cells
            .as_array()
            .into_iter()
            .flatten()
            .map(|cell| harmless(cell.as_str().unwrap_or_default()).into_owned())
            .collect();
        // Cells without a title come behind what is wrong.
        let more = cells.split_off(width.min(cells.len()));
        cells.resize(width, String::new());
        let why = faults.get(language.tag()).and_then(Value::as_str);
        let why = harmless(why.unwrap_or_default());
        bytes.extend(line(
            cells
                .iter()
                .map(String::as_str)
                .chain([why.as_ref()])
                .chain(more.iter().map(String::as_str)),
        )?);
    }
    Ok((bytes, next))
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, ApiError> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(cells).map_err(ApiError::internal)?;
    writer.into_inner().map_err(ApiError::internal)
}
