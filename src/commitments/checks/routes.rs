//! `/v1/commitments/{id}/occurrences`, `/v1/commitments/{id}/checks`: when an upkeep is due, and what somebody saw who
//! looked.

use actix_web::{get, post, web};
use chrono::NaiveDate;
use diesel_async::RunQueryDsl;

use super::dto::{NewCheck, Occurrence, OccurrenceFilter, OccurrenceList};
use super::model::{self as checks, CheckRow, PERIOD};
use crate::auth::caller::{Anyone, Caller};
use crate::commitments::lifecycle::CommitmentAction as Action;
use crate::commitments::model;
use crate::commitments::routes;
use crate::db::schema::upkeep_checks;
use crate::http::error::{ApiError, FaultCode};
use crate::http::extract::{Json, Query};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::CommitmentId;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_occurrences)
        .service(get_occurrence)
        .service(check_upkeep);
}

/// List the occurrences of an upkeep
///
/// The days on which it is due, by its rule, in Europe/Paris, with what is known of each. Empty for what is done once.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment."), OccurrenceFilter),
    responses((status = 200, description = "The occurrences.", body = OccurrenceList)),
    security((), ("password" = [])),
)]
#[get("/v1/commitments/{id}/occurrences")]
pub async fn list_occurrences(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<CommitmentId>,
    filter: Query<OccurrenceFilter>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let (found, row) = routes::find(&mut session, *id).await?;
    let Some(starts_on) = row.upkeep_starts_on else {
        return Reply::data(&OccurrenceList { data: Vec::new() });
    };
    let from = filter.0.from.unwrap_or(starts_on);
    let latest = from.checked_add_signed(PERIOD).unwrap_or(NaiveDate::MAX);
    let to = filter.0.to.unwrap_or(latest);
    if to < from || to > latest {
        return Err(ApiError::query_fault(
            "to",
            FaultCode::OutOfRange,
            "Au moins from, et au plus cinq ans plus tard.",
            "Not before from, and at most five years later.",
        ));
    }
    let days = checks::days(&row, from, to);
    let today = session.today();
    let data = checks::occurrences(&mut session.conn, &row, days, today, &found.standing).await?;
    Reply::data(&OccurrenceList { data })
}

/// Get an occurrence of an upkeep
///
/// What is known of one day on which it is due.
#[utoipa::path(
    tag = "commitments",
    params(
        ("id" = CommitmentId, Path, description = "Identifier of the commitment."),
        ("day" = NaiveDate, Path, description = "A day on which it is due.", example = "2026-06-15"),
    ),
    responses((status = 200, description = "The occurrence.", body = Occurrence)),
    security((), ("password" = [])),
)]
#[get("/v1/commitments/{id}/occurrences/{day}")]
pub async fn get_occurrence(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(CommitmentId, NaiveDate)>,
) -> Answer {
    let (id, day) = path.into_inner();
    let mut session = state.read(&anyone).await?;
    let (found, row) = routes::find(&mut session, id).await?;
    let days = checks::days(&row, day, day);
    let today = session.today();
    let occurrence = checks::occurrences(&mut session.conn, &row, days, today, &found.standing)
        .await?
        .pop()
        .ok_or_else(ApiError::not_found)?;
    Reply::resource(i32::from(occurrence.checked_at.is_some()), &occurrence)
}

/// Check an upkeep
///
/// The side that benefits looks after one occurrence and says what it saw; nobody checks what they owe. What nobody
/// reports is presumed done. What was not done may be checked once more, when it is caught up.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment.")),
    request_body = NewCheck,
    responses(
        (status = 201, description = "The occurrence with what was seen.", body = Occurrence),
        (status = 409, description = "Not binding, no upkeep, checked already, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/commitments/{id}/checks")]
pub async fn check_upkeep(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<CommitmentId>,
    body: Json<NewCheck>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (found, row) = routes::lock(session, *id).await?;
            let step = row.step(Action::Check, &found.standing)?;
            if !row.is_upkeep() {
                return Err(ApiError::requirement(
                    "Ce n'est pas un entretien.",
                    "This is no upkeep.",
                ));
            }
            let day = body.0.occurs_on;
            let days = checks::days(&row, day, day);
            let today = session.today();
            if days.is_empty() || day > today {
                return Err(ApiError::fault(
                    "/occurs_on",
                    FaultCode::OutOfRange,
                    "L'entretien n'était pas dû ce jour-là, ou pas encore.",
                    "The upkeep was not due on that day, or not yet.",
                ));
            }
            let check = CheckRow {
                commitment_id: row.id,
                commune_code: row.commune_code.clone(),
                occurs_on: day,
                outcome: body.0.outcome,
                remark: body.0.remark,
                checked_by: session.actor.person()?.id,
                checked_at: session.now,
            };
            diesel::insert_into(upkeep_checks::table)
                .values(&check)
                .execute(&mut session.conn)
                .await?;
            let remark = check.remark.as_deref();
            model::record(session, &row, Action::Check.code(), None, step.role, remark).await?;
            let occurrence =
                checks::occurrences(&mut session.conn, &row, days, today, &found.standing)
                    .await?
                    .pop()
                    .ok_or_else(ApiError::not_found)?;
            let location = format!("/v1/commitments/{}/occurrences/{day}", row.id);
            Reply::created(location, 1, &occurrence)
        })
        .await
}
