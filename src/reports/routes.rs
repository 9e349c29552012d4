//! `/v1/communes/{code}/reports/{year}.pdf`

use actix_web::{get, web};
use chrono::Datelike;

use super::sheet::{self, Report};
use crate::auth::caller::Anyone;
use crate::http::error::ApiError;
use crate::http::routes::Routes;
use crate::state::State;
use crate::typesetting::answer::{Paper, Pdf, tag};
use crate::typesetting::layout::Flow;
use crate::typesetting::pdf::{self, Work};

pub fn configure(routes: &mut Routes) {
    routes.service(get_commune_report);
}

/// The first year that can be reported: as for the metrics.
const FIRST_YEAR: i32 = 1990;

/// Get the yearly report of a commune
///
/// In French, typeset on A4: what each side has given, the initiatives that were accepted and completed with their conventions and
/// their balance, practice sheets, measures with their sources, and every figure with its definition and its n. What charts show
/// on a screen stands in tables. The year that runs has PROVISOIRE across it. Made of what everybody may read.
#[utoipa::path(
    tag = "metrics",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("year" = i32, Path, description = "Year, 1990 to the current one.", example = 2025),
    ),
    responses(
        (status = 200, description = "The PDF.", body = inline(Pdf), content_type = "application/pdf", example = "%PDF-1.7…"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/reports/{year}.pdf")]
pub async fn get_commune_report(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, i32)>,
) -> Result<Paper, ApiError> {
    let (code, year) = path.into_inner();
    let mut session = state.as_everybody().await?;
    if !(FIRST_YEAR..=session.today().year()).contains(&year) {
        return Err(ApiError::not_found());
    }
    let report = sheet::of(&mut session, &code, year, state.keys.issuer()).await?;
    // Typesetting takes longer than a connection should be held.
    drop(session);
    let written = serde_json::to_vec(&report).map_err(ApiError::internal)?;
    let etag = tag(&[env!("CARGO_PKG_VERSION").as_bytes(), &written]);
    let body = if anyone.has(&etag) {
        None
    } else {
        Some(typeset(report, written.len()).await?)
    };
    Ok(Paper {
        content_type: "application/pdf",
        policy: None,
        etag,
        is_public: true,
        body,
    })
}

async fn typeset(report: Report, length: usize) -> Result<Vec<u8>, ApiError> {
    let work = Work {
        title: report.title.clone(),
        stamp: report.stamp,
        foot: report.foot.clone(),
        length,
        fill: move |flow: &mut Flow<'_>| report.fill(flow),
    };
    // Each of its lists has an end, so it never is too long.
    pdf::typeset(work)
        .await?
        .ok_or_else(|| ApiError::internal("a report that is too long"))
}
