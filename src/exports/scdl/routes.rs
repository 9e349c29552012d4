//! `/v1/communes/{code}/scdl/…`

use actix_web::{HttpResponse, get, web};

use super::dto::{LeftOutList, ScdlFilter};
use super::{Sheet, deliberations, subventions};
use crate::auth::caller::{Anyone, Request};
use crate::communes;
use crate::exports::changes::stamp;
use crate::exports::dto::MapFormat;
use crate::exports::stream::begin;
use crate::http::error::ApiError;
use crate::http::extract::Query;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(export_scdl_subventions)
        .service(export_scdl_deliberations)
        .service(list_scdl_left_out);
}

/// Answers with a national file. A commune has some thousands of rows at most: they are made at once.
async fn file(
    state: &State,
    request: &Request,
    commune: &str,
    (schema, sources, columns): (&str, &[&str], &[&str]),
    sheet: impl AsyncFnOnce(&mut Session) -> Result<Sheet, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let mut session = state.as_everybody().await?;
    communes::model::find(&mut session.conn, commune).await?;
    let stamp = stamp(&mut session.conn, sources, Some(commune)).await?;
    let (unchanged, mut answer) = begin(request, &stamp, "", schema);
    if unchanged {
        return Ok(answer.finish());
    }
    let bytes = sheet(&mut session).await?.csv(columns)?;
    Ok(answer
        .content_type(MapFormat::Csv.content_type())
        .body(bytes))
}

/// Download subsidies in the national schema
///
/// What the commune gives under signed conventions of published initiatives, in cash and in kind, a row for each
/// beneficiary and convention: SCDL subventions 2.1.1. It needs the commune's SIRET
/// (`PATCH /v1/communes/{code}`). `GET /v1/communes/{code}/scdl/left_out` lists what the schema cannot take.
#[utoipa::path(
    tag = "exports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), ScdlFilter),
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/csv", example = "nomAttribuant,idAttribuant,dateConvention…"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/scdl/subventions.csv")]
pub async fn export_scdl_subventions(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<ScdlFilter>,
) -> Result<HttpResponse, ApiError> {
    let schema = "https://schema.data.gouv.fr/scdl/subventions/2.1.1";
    let what = (schema, subventions::SOURCES, subventions::COLUMNS);
    file(&state, &anyone, &code, what, async |session| {
        subventions::sheet(&mut session.conn, &code, filter.0.year).await
    })
    .await
}

/// Download deliberations in the national schema
///
/// The deliberations and framework deliberations that let the commune commit: SCDL deliberations 2.1.5. It needs the
/// commune's SIRET. `GET /v1/communes/{code}/scdl/left_out` lists what the schema cannot take.
#[utoipa::path(
    tag = "exports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), ScdlFilter),
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/csv", example = "COLL_NOM,COLL_SIRET,DELIB_ID…"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/scdl/deliberations.csv")]
pub async fn export_scdl_deliberations(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<ScdlFilter>,
) -> Result<HttpResponse, ApiError> {
    let schema = "https://schema.data.gouv.fr/scdl/deliberations/2.1.5";
    let what = (schema, deliberations::SOURCES, deliberations::COLUMNS);
    file(&state, &anyone, &code, what, async |session| {
        deliberations::sheet(&mut session.conn, &code, filter.0.year).await
    })
    .await
}

/// List what the national schemas cannot take
///
/// Each convention and act that should be in a national file and is not, with the reasons.
#[utoipa::path(
    tag = "exports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), ScdlFilter),
    responses((status = 200, description = "What is left out.", body = LeftOutList)),
    security(()),
)]
#[get("/v1/communes/{code}/scdl/left_out")]
pub async fn list_scdl_left_out(
    state: web::Data<State>,
    _: Anyone,
    code: web::Path<String>,
    filter: Query<ScdlFilter>,
) -> Answer {
    let mut session = state.as_everybody().await?;
    communes::model::find(&mut session.conn, &code).await?;
    let year = filter.0.year;
    let mut data = subventions::sheet(&mut session.conn, &code, year)
        .await?
        .left_out;
    data.extend(
        deliberations::sheet(&mut session.conn, &code, year)
            .await?
            .left_out,
    );
    Ok(Reply::data(&LeftOutList { data })?.public(60))
}
