//! `/v1/communes/{code}/envelopes/{year}`

use actix_web::{get, put, web};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::auth::caller::{Anyone, Caller};
use crate::auth::policy::Role;
use crate::communes;
use crate::db::schema::envelopes;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes.service(get_envelope).service(set_envelope);
}

/// The commune's budget of one year for supporting initiatives.
#[derive(Serialize, ToSchema)]
pub struct Envelope {
    /// INSEE code.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// Budget year.
    #[schema(minimum = 1990, maximum = 2100, example = 2026)]
    pub year: i32,
    /// What may be given, in euro cents; 0 while none is set.
    #[schema(example = 5000000, minimum = 0)]
    pub amount_cents: i64,
    /// What accepted commitments have reserved, in euro cents.
    #[schema(example = 3000000, minimum = 0)]
    pub reserved_cents: i64,
    /// What is left, in euro cents.
    #[schema(example = 2000000, minimum = 0)]
    pub available_cents: i64,
}

/// A new amount.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount_cents": 5000000}))]
pub struct EnvelopeAmount {
    /// What may be given, in euro cents; never below what is reserved.
    #[schema(minimum = 0, maximum = 100000000000i64)]
    pub amount_cents: i64,
}

/// Years that an envelope may have, as in the database.
fn check_year(year: i32) -> Result<(), ApiError> {
    if (1990..=2100).contains(&year) {
        Ok(())
    } else {
        Err(ApiError::not_found())
    }
}

/// The envelope and its version; version 0 while none is set.
async fn find(
    conn: &mut AsyncPgConnection,
    commune: &str,
    year: i32,
) -> Result<(i32, Envelope), ApiError> {
    let row: Option<(i64, i64, i32)> = envelopes::table
        .find((commune, year))
        .select((
            envelopes::amount_cents,
            envelopes::reserved_cents,
            envelopes::version,
        ))
        .first(conn)
        .await
        .optional()?;
    let (amount_cents, reserved_cents, version) = row.unwrap_or((0, 0, 0));
    let envelope = Envelope {
        commune_code: commune.to_owned(),
        year,
        amount_cents,
        reserved_cents,
        available_cents: amount_cents - reserved_cents,
    };
    Ok((version, envelope))
}

/// Get the envelope of a year
///
/// Public, like every budget of a commune.
#[utoipa::path(
    tag = "envelopes",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("year" = i32, Path, description = "Budget year, 1990 to 2100.", example = 2026),
    ),
    responses((status = 200, description = "The envelope.", body = Envelope)),
    security(()),
)]
#[get("/v1/communes/{code}/envelopes/{year}")]
pub async fn get_envelope(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, i32)>,
) -> Answer {
    let (code, year) = path.into_inner();
    check_year(year)?;
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let (version, envelope) = find(&mut session.conn, &code, year).await?;
    Reply::resource(version, &envelope)
}

/// Set the envelope of a year
///
/// An elected official sets it; never below what is reserved.
#[utoipa::path(
    tag = "envelopes",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("year" = i32, Path, description = "Budget year, 1990 to 2100.", example = 2026),
        IfMatchHeader,
    ),
    request_body = EnvelopeAmount,
    responses(
        (status = 200, description = "The envelope.", body = Envelope),
        (status = 409, description = "More than that is reserved.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[put("/v1/communes/{code}/envelopes/{year}")]
pub async fn set_envelope(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(String, i32)>,
    if_match: IfMatch,
    body: Json<EnvelopeAmount>,
) -> Answer {
    let (code, year) = path.into_inner();
    check_year(year)?;
    state
        .write(&caller, async move |session| {
            communes::model::find(&mut session.conn, &code).await?;
            session
                .actor
                .standing_in(&code)
                .permit(&[Role::ElectedOfficial])?;
            // The row is made first, so that two officials who set a year's first amount meet at one lock.
            diesel::insert_into(envelopes::table)
                .values((
                    envelopes::commune_code.eq(&code),
                    envelopes::year.eq(year),
                    envelopes::amount_cents.eq(0),
                    envelopes::version.eq(0),
                ))
                .on_conflict_do_nothing()
                .execute(&mut session.conn)
                .await?;
            let row = envelopes::table.find((&code, year));
            let version: i32 = row
                .select(envelopes::version)
                .for_update()
                .first(&mut session.conn)
                .await?;
            if_match.check(version)?;
            diesel::update(row)
                .set((
                    envelopes::amount_cents.eq(body.0.amount_cents),
                    envelopes::version.eq(version + 1),
                ))
                .execute(&mut session.conn)
                .await?;
            let (version, envelope) = find(&mut session.conn, &code, year).await?;
            Reply::resource(version, &envelope)
        })
        .await
}
