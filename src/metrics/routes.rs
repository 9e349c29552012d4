//! `/v1/metrics`

use actix_web::{get, web};

use super::dto::{IndicatorDefinition, MetricDictionary, MetricFilter, MetricReport};
use super::indicators::indicators;
use super::model;
use crate::auth::caller::Anyone;
use crate::http::extract::Query;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes.service(get_metrics).service(get_metric_dictionary);
}

/// Get metrics
///
/// Figures of up to 20 communes and 12 years, computed at the moment of the request. Each rate and median says how many
/// cases it rests on, and takes three years together where one has fewer than 5. The dictionary defines each indicator.
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
    Ok(Reply::data(&report)?.public(300))
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
