//! Metrics from the database, in three queries however much is asked for.

use std::collections::HashMap;

use bigdecimal::BigDecimal;
use chrono::{Datelike, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Numeric, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::compute::{Cases, POOL, figure};
use super::dto::{
    CommuneMetrics, IndicatorCode, MetricFilter, MetricPart, MetricReport, MetricValue,
    ReportedMeasure, YearMetrics,
};
use super::indicators::{Indicator, IndicatorKind, SOURCES, indicators};
use crate::db::schema::{communes, measures};
use crate::figures::plain;
use crate::http::error::{ApiError, FaultCode};
use crate::initiatives::dto::CommuneSummary;
use crate::state::Session;

/// Longest period of one request, in years.
const YEARS_MAX: i32 = 12;

/// What a request asks for, checked.
struct Question {
    communes: Vec<String>,
    from: i32,
    to: i32,
    indicators: Vec<&'static Indicator>,
}

impl Question {
    fn new(filter: MetricFilter, today: NaiveDate) -> Result<Self, ApiError> {
        let to = filter.to.unwrap_or(today.year());
        let from = filter.from.unwrap_or(to);
        if to > today.year() {
            return Err(ApiError::query_fault(
                "to",
                FaultCode::OutOfRange,
                "Cette année n'a pas commencé.",
                "This year has not begun.",
            ));
        }
        if from > to || to - from >= YEARS_MAX {
            return Err(ApiError::query_fault(
                "from",
                FaultCode::OutOfRange,
                "De 1 à 12 années, dans l'ordre.",
                "1 to 12 years, in order.",
            ));
        }
        let mut codes = filter.communes;
        let mut seen = std::collections::HashSet::new();
        codes.retain(|code| seen.insert(code.clone()));
        let asked = |indicator: &Indicator| {
            filter
                .indicators
                .as_ref()
                .is_none_or(|codes| codes.iter().any(|code| code.0.code == indicator.code))
        };
        Ok(Self {
            communes: codes,
            from,
            to,
            indicators: indicators().filter(|indicator| asked(indicator)).collect(),
        })
    }

    fn asks_for_measures(&self) -> bool {
        self.indicators
            .iter()
            .any(|indicator| indicator.kind == IndicatorKind::Reported)
    }

    /// One query for the cases of all computed indicators; nothing when none is asked for.
    fn sql(&self) -> Option<String> {
        let selects: Vec<String> = self
            .indicators
            .iter()
            .filter(|indicator| indicator.kind != IndicatorKind::Reported)
            .map(|indicator| {
                let (value, group) = match indicator.kind {
                    IndicatorKind::Median => ("value", ", value"),
                    _ => ("sum(value)", ""),
                };
                format!(
                    "SELECT '{}' AS indicator, commune_code, date_part('year', day)::integer AS year, part::text AS part, \
                        {value}::numeric AS value, sum(base::numeric) AS base, count(*) AS n \
                     FROM ({}) AS cases (commune_code, day, part, value, base) \
                     WHERE day BETWEEN make_date($2, 1, 1) AND make_date($3, 12, 31) \
                     GROUP BY commune_code, date_part('year', day), part{group}",
                    indicator.code, indicator.cases
                )
            })
            .collect();
        (!selects.is_empty()).then(|| {
            format!(
                "WITH {SOURCES} {} ORDER BY part",
                selects.join(" UNION ALL ")
            )
        })
    }
}

#[derive(QueryableByName)]
struct CasesRow {
    #[diesel(sql_type = Text)]
    indicator: String,
    #[diesel(sql_type = Text)]
    commune_code: String,
    #[diesel(sql_type = Integer)]
    year: i32,
    #[diesel(sql_type = Nullable<Text>)]
    part: Option<String>,
    #[diesel(sql_type = Numeric)]
    value: BigDecimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    base: Option<BigDecimal>,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Cases by commune, indicator and year.
type Known = HashMap<(String, String, i32), Vec<Cases>>;

async fn cases(
    conn: &mut AsyncPgConnection,
    question: &Question,
    today: NaiveDate,
) -> Result<Known, ApiError> {
    let mut known = Known::new();
    let Some(sql) = question.sql() else {
        return Ok(known);
    };
    let rows: Vec<CasesRow> = diesel::sql_query(sql)
        .bind::<Array<Text>, _>(&question.communes)
        .bind::<Integer, _>(question.from - POOL + 1)
        .bind::<Integer, _>(question.to)
        .bind::<Date, _>(today)
        .load(conn)
        .await?;
    for row in rows {
        known
            .entry((row.commune_code, row.indicator, row.year))
            .or_default()
            .push(Cases {
                part: row.part,
                value: row.value,
                base: row.base,
                n: row.n,
            });
    }
    Ok(known)
}

/// Measures by commune and year.
type Reported = HashMap<(String, i32), Vec<ReportedMeasure>>;

async fn reported(conn: &mut AsyncPgConnection, question: &Question) -> Result<Reported, ApiError> {
    let mut reported = Reported::new();
    if !question.asks_for_measures() {
        return Ok(reported);
    }
    let rows: Vec<(String, i32, String, BigDecimal, String, String)> = measures::table
        .filter(measures::commune_code.eq_any(&question.communes))
        .filter(measures::year.between(question.from, question.to))
        .order(measures::indicator)
        .select((
            measures::commune_code,
            measures::year,
            measures::indicator,
            measures::value,
            measures::unit,
            measures::source,
        ))
        .load(conn)
        .await?;
    for (commune, year, indicator, value, unit, source) in rows {
        reported
            .entry((commune, year))
            .or_default()
            .push(ReportedMeasure {
                indicator,
                value: plain(&value),
                unit,
                source,
            });
    }
    Ok(reported)
}

/// The communes asked for, in that order; 400 when one does not exist.
async fn known_communes(
    conn: &mut AsyncPgConnection,
    question: &Question,
) -> Result<Vec<(String, String, Option<i32>)>, ApiError> {
    let rows: Vec<(String, String, Option<i32>)> = communes::table
        .filter(communes::code.eq_any(&question.communes))
        .select((communes::code, communes::name, communes::population))
        .load(conn)
        .await?;
    question
        .communes
        .iter()
        .map(|code| {
            rows.iter()
                .find(|(known, ..)| known == code)
                .cloned()
                .ok_or_else(|| {
                    ApiError::query_fault(
                        "communes",
                        FaultCode::NotFound,
                        "Aucune commune n'a l'un de ces codes INSEE.",
                        "No commune has one of these INSEE codes.",
                    )
                })
        })
        .collect()
}

/// The figures that a request asks for.
pub async fn report(session: &mut Session, filter: MetricFilter) -> Result<MetricReport, ApiError> {
    let today = session.today();
    let question = Question::new(filter, today)?;
    let communes = known_communes(&mut session.conn, &question).await?;
    let known = cases(&mut session.conn, &question, today).await?;
    let mut reported = reported(&mut session.conn, &question).await?;
    let communes = communes
        .into_iter()
        .map(|(code, name, population)| CommuneMetrics {
            years: (question.from..=question.to)
                .map(|year| YearMetrics {
                    year,
                    values: values(&question, &known, &code, population, year),
                    measures: reported.remove(&(code.clone(), year)).unwrap_or_default(),
                })
                .collect(),
            commune: CommuneSummary { code, name },
            population,
        })
        .collect();
    Ok(MetricReport { communes })
}

fn values(
    question: &Question,
    known: &Known,
    commune: &str,
    population: Option<i32>,
    year: i32,
) -> Vec<MetricValue> {
    question
        .indicators
        .iter()
        .filter(|indicator| indicator.kind != IndicatorKind::Reported)
        .map(|indicator| {
            let figure = figure(indicator.kind, year, population, |year| {
                known
                    .get(&(commune.to_owned(), indicator.code.to_owned(), year))
                    .map_or(&[], Vec::as_slice)
            });
            MetricValue {
                indicator: IndicatorCode(indicator),
                value: figure.value.as_ref().map(plain),
                n: figure.n,
                pooled_years: figure.pooled_years,
                parts: figure
                    .parts
                    .into_iter()
                    .map(|(code, value)| MetricPart {
                        code,
                        value: plain(&value),
                    })
                    .collect(),
            }
        })
        .collect()
}
