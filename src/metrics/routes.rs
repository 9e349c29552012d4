//! `/v1/metrics`

use actix_web::http::header;
use actix_web::{HttpRequest, get, web};
use chrono::Datelike;

use super::chart::{ChartKind, Picture};
use super::comparison;
use super::dto::{
    ChartFilter, ComparisonFilter, ComparisonReport, IndicatorCode, IndicatorDefinition,
    MetricDictionary, MetricFilter, MetricRecord, MetricRecordPage, MetricReport,
    MetricRevisionPage, RecordFilter, RevisionFilter,
};
use super::indicators::{Indicator, indicators};
use super::model;
use super::periods::Period;
use super::records::{self, Position};
use super::revisions::{self, RevisionRow};
use crate::auth::caller::Anyone;
use crate::communes;
use crate::http::error::{ApiError, Code, FaultCode, Language};
use crate::http::extract::Query;
use crate::http::paging::Paging;
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(get_metrics)
        .service(get_metric_dictionary)
        .service(list_metric_records)
        .service(list_metric_revisions)
        .service(list_commune_revisions)
        .service(compare_commune)
        .service(get_commune_chart);
}

/// Get metrics
///
/// Figures of up to 20 communes, or of one intercommunality, department, region or the country, in up to 12 years, by
/// year, quarter or month, and by theme or kind of holder. Those of communes and intercommunalities are right at once, those of
/// larger territories within a minute: `as_of` says for which moment. Each rate, mean and median says how many cases it rests on, and
/// in a year takes three years together where one has fewer than 5. The dictionary defines each indicator.
#[utoipa::path(
    tag = "metrics",
    params(MetricFilter),
    responses((status = 200, description = "The figures.", body = MetricReport)),
    security(()),
)]
#[get("/v1/metrics")]
pub async fn get_metrics(
    state: web::Data<State>,
    anyone: Anyone,
    filter: Query<MetricFilter>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let report = model::report(&mut session, filter.0).await?;
    // Right at once, and what a cache may still serve is less than a minute old.
    Ok(Reply::data(&report)?.public(1))
}

/// Get the dictionary of metrics
///
/// What each indicator means, counts and leaves out, and how it is computed.
#[utoipa::path(
    tag = "metrics",
    responses(
        (status = 200, description = "The indicators.", body = MetricDictionary),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/metrics/dictionary")]
pub async fn get_metric_dictionary(_: Anyone) -> Answer {
    let data = indicators().map(IndicatorDefinition::from).collect();
    Ok(Reply::resource(1, &MetricDictionary { data })?.public(3600))
}

/// List the records behind a figure
///
/// What a figure of a commune is made of: everybody may read each of these records, and adding up what each adds gives the
/// figure. Figures of people, and of initiatives that may not be public, are totals without records.
#[utoipa::path(
    tag = "metrics",
    params(("indicator" = String, Path, description = "Code of the indicator.", example = "value_delivered_by_side"), RecordFilter, Paging),
    responses(
        (status = 200, description = "A page of records.", body = MetricRecordPage),
        (status = 404, description = "No indicator has this code, or it has no records.", body = Problem, content_type = "application/problem+json"),
    ),
    security(()),
)]
#[get("/v1/metrics/{indicator}/records")]
pub async fn list_metric_records(
    state: web::Data<State>,
    anyone: Anyone,
    indicator: web::Path<String>,
    filter: Query<RecordFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let found = indicators().find(|known| known.code == indicator.as_str());
    let indicator = found.ok_or_else(ApiError::not_found)?;
    let kind = indicator.records.ok_or_else(|| {
        ApiError::because(
            Code::NotFound,
            "Cet indicateur est un total sans données derrière lui : personne ne doit les voir.",
            "This indicator is a total without records behind it: they are nobody's business.",
        )
    })?;
    let period = Period::parse(&filter.0.period).ok_or_else(|| {
        ApiError::query_fault(
            "period",
            FaultCode::BadFormat,
            "Une année, un trimestre ou un mois.",
            "A year, a quarter or a month.",
        )
    })?;
    let mut session = state.read(&anyone).await?;
    let commune = &filter.0.commune;
    communes::model::find(&mut session.conn, commune)
        .await
        .map_err(|_| {
            ApiError::query_fault(
                "commune",
                FaultCode::NotFound,
                "Aucune commune n'a ce code INSEE.",
                "No commune has this INSEE code.",
            )
        })?;
    let today = session.today();
    let asked = records::Asked {
        indicator,
        kind,
        commune,
        period,
        today,
    };
    let page = records::list(&mut session.conn, asked, after, paging.0.limit()).await?;
    let position = |record: &MetricRecord| Position::from(record);
    let reply = state.page(&anyone, page, position, |data, has_more, next_cursor| {
        MetricRecordPage {
            data,
            has_more,
            next_cursor,
        }
    })?;
    Ok(reply.public_to(&anyone, 30))
}

/// A page of revisions, of one commune or of all.
async fn revised(
    state: &State,
    anyone: &Anyone,
    commune: Option<&str>,
    filter: &RevisionFilter,
    paging: &Paging,
) -> Answer {
    let after: Option<i64> = state.after(anyone, paging.cursor.as_deref())?;
    let mut session = state.read(anyone).await?;
    if let Some(code) = commune {
        communes::model::find(&mut session.conn, code).await?;
    }
    let page = revisions::list(&mut session.conn, commune, filter, after, paging.limit()).await?;
    let reply = state.page(
        anyone,
        page,
        |row| row.id,
        |rows, has_more, next_cursor| MetricRevisionPage {
            data: rows.into_iter().filter_map(RevisionRow::show).collect(),
            has_more,
            next_cursor,
        },
    )?;
    Ok(reply.public_to(anyone, 5))
}

/// List the revisions of figures
///
/// What has changed of the figures of years that were over, in all communes, the last one first. A figure changes when what it
/// is made of is corrected or entered late; the rate of fulfilment of a year also moves while its promises are still being kept.
#[utoipa::path(
    tag = "metrics",
    params(RevisionFilter, Paging),
    responses((status = 200, description = "A page of revisions.", body = MetricRevisionPage)),
    security(()),
)]
#[get("/v1/metrics/revisions")]
pub async fn list_metric_revisions(
    state: web::Data<State>,
    anyone: Anyone,
    filter: Query<RevisionFilter>,
    paging: Query<Paging>,
) -> Answer {
    revised(&state, &anyone, None, &filter.0, &paging.0).await
}

/// List the revisions of a commune's figures
///
/// What has changed of the figures of years that were over, the last one first; those of other communes are left out.
#[utoipa::path(
    tag = "metrics",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), RevisionFilter, Paging),
    responses((status = 200, description = "A page of revisions.", body = MetricRevisionPage)),
    security(()),
)]
#[get("/v1/communes/{code}/metrics/revisions")]
pub async fn list_commune_revisions(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<RevisionFilter>,
    paging: Query<Paging>,
) -> Answer {
    revised(&state, &anyone, Some(&code), &filter.0, &paging.0).await
}

/// Compare a commune with those of its size
///
/// The figures of a year beside median and quartiles of the communes that have joined and are of similar size: of what is
/// counted for a thousand residents, of rates, means and medians as they are. Nobody learns a place in a list, and the
/// residents' share is not compared: a balance is no target.
#[utoipa::path(
    tag = "metrics",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), ComparisonFilter),
    responses((status = 200, description = "The comparison.", body = ComparisonReport)),
    security(()),
)]
#[get("/v1/communes/{code}/metrics/comparison")]
pub async fn compare_commune(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<ComparisonFilter>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let report = comparison::compare(&mut session, &code, filter.0).await?;
    Ok(Reply::data(&report)?.public(5))
}

/// Get the figures of a commune as a picture
///
/// Bars by year as SVG, readable in black and white, with the numbers as text for those who do not see it. In French or
/// English, by `Accept-Language`.
#[utoipa::path(
    tag = "metrics",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), ChartFilter),
    responses((status = 200, description = "The picture.", body = String, content_type = "image/svg+xml", example = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">…</svg>")),
    security(()),
)]
#[get("/v1/communes/{code}/metrics/chart.svg")]
pub async fn get_commune_chart(
    state: web::Data<State>,
    anyone: Anyone,
    request: HttpRequest,
    code: web::Path<String>,
    filter: Query<ChartFilter>,
) -> Result<Picture, ApiError> {
    let kind = filter.0.chart.unwrap_or(ChartKind::Balance);
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let to = filter.0.to.unwrap_or(session.today().year());
    let shown = |indicator: &&Indicator| kind.indicators().contains(&indicator.code);
    let wanted = MetricFilter {
        communes: Some(vec![code.into_inner()]),
        from: Some(filter.0.from.unwrap_or(to - 5)),
        to: Some(to),
        indicators: Some(indicators().filter(shown).map(IndicatorCode).collect()),
        ..MetricFilter::default()
    };
    let report = model::report(&mut session, wanted).await?;
    let language = request.headers().get(header::ACCEPT_LANGUAGE);
    let language = Language::of(language.and_then(|tags| tags.to_str().ok()));
    Picture::of(kind, &report, language)
}
