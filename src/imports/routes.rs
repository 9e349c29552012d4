//! `/v1/communes/{code}/bulk/…`

use actix_web::http::StatusCode;
use actix_web::{post, web};

use super::dto::{
    BulkAnswer, BulkCommitments, BulkHolders, BulkInitiatives, BulkMeasures, BulkMeetings,
    BulkOutcome, BulkResult, ImportResource, ItemProblem,
};
use super::items::Bulk;
use super::write::{Done, permit_import, write};
use crate::auth::caller::Caller;
use crate::communes;
use crate::http::error::Language;
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(bulk_initiatives)
        .service(bulk_holders)
        .service(bulk_commitments)
        .service(bulk_meetings)
        .service(bulk_measures);
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
            permit_import(session, &code)?;
            let commune = communes::model::enrolled(&mut session.conn, &code).await?;
            let validate_only = body.validate_only;
            let done = write(session, &commune, body.checked(resource), validate_only).await?;
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
