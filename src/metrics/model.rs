//! Metrics from the database, in a few queries however much is asked for.

use std::collections::HashMap;

use bigdecimal::BigDecimal;
use chrono::{Datelike, Months, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Numeric, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::cells::{self, ByPeriod};
use super::compute::{Cases, POOL, figure, per_thousand};
use super::dto::{
    IndicatorCode, MetricFilter, MetricPart, MetricReport, MetricValue, PeriodMetrics,
    ReportedMeasure, Territory, TerritoryMetrics,
};
use super::indicators::{Indicator, IndicatorKind, indicators, sources};
use super::periods::{Period, PeriodUnit};
use super::revisions;
use super::territories::{self, Place, TerritoryKind};
use super::worker;
use crate::codes::codes;
use crate::db::schema::measures;
use crate::figures::plain;
use crate::http::error::{ApiError, FaultCode};
use crate::state::Session;

/// Longest time of one request, in years.
const YEARS_MAX: i32 = 12;
/// Most periods of one request, over all its territories; fewer where each is told by groups.
const PERIODS_MAX: usize = 240;
const GROUPED_PERIODS_MAX: usize = 40;

codes! {
    /// By what figures are grouped.
    pub enum MetricGroup "metric_groups" {
        Theme = "theme", "Thème", "Theme";
        HolderKind = "holder_kind", "Nature du porteur", "Kind of holder";
    }
}

/// What a request asks for, checked.
struct Question {
    places: Vec<Place>,
    periods: Vec<Period>,
    unit: PeriodUnit,
    group_by: Option<MetricGroup>,
    indicators: Vec<&'static Indicator>,
    today: NaiveDate,
}

impl Question {
    async fn new(
        conn: &mut AsyncPgConnection,
        filter: MetricFilter,
        today: NaiveDate,
    ) -> Result<Self, ApiError> {
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
        let places = territories::named(conn, &filter).await?;
        let unit = filter.period.unwrap_or(PeriodUnit::Year);
        let periods = Period::of_years(unit, from, to, today);
        let most = match filter.group_by {
            Some(_) => GROUPED_PERIODS_MAX,
            None => PERIODS_MAX,
        };
        if places.len() * periods.len() > most {
            return Err(ApiError::query_fault(
                "from",
                FaultCode::OutOfRange,
                "Territoires × périodes : 240 au plus, 40 avec group_by.",
                "Territories × periods: at most 240, with group_by 40.",
            ));
        }
        let asked = |indicator: &Indicator| {
            filter
                .indicators
                .as_ref()
                .is_none_or(|codes| codes.iter().any(|code| code.0.code == indicator.code))
        };
        Ok(Self {
            places,
            periods,
            unit,
            group_by: filter.group_by,
            indicators: indicators().filter(|indicator| asked(indicator)).collect(),
            today,
        })
    }

    fn asks_for_measures(&self) -> bool {
        let by_hand = |indicator: &&&Indicator| indicator.kind == IndicatorKind::Reported;
        self.unit == PeriodUnit::Year && self.indicators.iter().any(|of| by_hand(&of))
    }

    /// Whether each commune is a territory of its own.
    fn is_of_communes(&self) -> bool {
        self.places
            .iter()
            .all(|place| place.kind == TerritoryKind::Commune)
    }

    /// One query for the cases of all computed indicators; nothing when none is asked for.
    fn sql(&self) -> Option<String> {
        let territory = if self.is_of_communes() {
            "cases.commune_code"
        } else {
            "''"
        };
        let selects: Vec<String> = self
            .indicators
            .iter()
            .filter(|indicator| indicator.kind != IndicatorKind::Reported)
            .map(|indicator| {
                let (value, by_value) = match indicator.kind {
                    IndicatorKind::Median => ("value", ", value"),
                    _ => ("sum(value)", ""),
                };
                let (grp, join, by_group) =
                    match self.group_by.filter(|_| indicator.is_of_initiatives()) {
                        None => ("NULL::text", "", String::new()),
                        Some(by) => {
                            let column = match by {
                                MetricGroup::Theme => "i.theme",
                                MetricGroup::HolderKind => "h.kind",
                            };
                            let sets = format!(
                                "GROUPING SETS ((territory, starts_on, part{by_value}), \
                                 (territory, starts_on, part, grp{by_value})) HAVING grouping(grp) = 1 OR grp IS NOT NULL"
                            );
                            (column, GROUPED, sets)
                        }
                    };
                let by_group = if by_group.is_empty() {
                    format!("territory, starts_on, part{by_value}")
                } else {
                    by_group
                };
                let grouped = if join.is_empty() { "NULL::text" } else { "grp" };
                format!(
                    "SELECT '{}' AS indicator, territory, starts_on, {grouped} AS grp, part, {value}::numeric AS value, \
                        sum(base) AS base, count(*) AS n \
                     FROM (SELECT {territory} AS territory, date_trunc($5, day::timestamp)::date AS starts_on, \
                            {grp} AS grp, part::text AS part, value::numeric AS value, base::numeric AS base \
                        FROM ({}) AS cases (commune_code, initiative_id, record_id, day, part, value, base) {join} \
                        WHERE day BETWEEN $2 AND $3) AS placed \
                     GROUP BY {by_group}",
                    indicator.code, indicator.cases
                )
            })
            .collect();
        (!selects.is_empty()).then(|| {
            format!(
                "WITH {} {} ORDER BY part",
                sources(),
                selects.join(" UNION ALL ")
            )
        })
    }
}

/// What the cases of initiatives are grouped by. A case may count in another commune than that of its initiative.
pub(super) const GROUPED: &str = "
    LEFT JOIN initiatives AS i ON i.id = cases.initiative_id
    LEFT JOIN holders AS h ON (h.id, h.commune_code) = (i.holder_id, i.commune_code)";

#[derive(QueryableByName)]
struct CasesRow {
    #[diesel(sql_type = Text)]
    indicator: String,
    #[diesel(sql_type = Text)]
    territory: String,
    #[diesel(sql_type = Date)]
    starts_on: NaiveDate,
    #[diesel(sql_type = Nullable<Text>)]
    grp: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    part: Option<String>,
    #[diesel(sql_type = Numeric)]
    value: BigDecimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    base: Option<BigDecimal>,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Cases by indicator and territory.
type Known = HashMap<(String, String), ByPeriod>;

async fn cases(conn: &mut AsyncPgConnection, question: &Question) -> Result<Known, ApiError> {
    let mut known = Known::new();
    let (Some(first), Some(last)) = (
        <[Period]>::first(&question.periods),
        question.periods.last(),
    ) else {
        return Ok(known);
    };
    // Only years take others together.
    let from = match question.unit {
        PeriodUnit::Year => years_before(first.starts_on, POOL),
        PeriodUnit::Quarter | PeriodUnit::Month => first.starts_on,
    };
    if let [place] = question.places.as_slice()
        && place.kind.is_added_up()
    {
        let asked = cells::Asked {
            kind: place.kind,
            code: &place.code,
            unit: question.unit,
            group_by: question.group_by,
            indicators: question.indicators.iter().map(|of| of.code).collect(),
            from,
            to: last.starts_on,
        };
        let cells = cells::of(conn, asked).await?;
        let whole = cells
            .into_iter()
            .map(|(indicator, by_period)| ((indicator, String::new()), by_period));
        return Ok(whole.collect());
    }
    let Some(sql) = question.sql() else {
        return Ok(known);
    };
    let communes: Vec<&String> = question
        .places
        .iter()
        .flat_map(|place| &place.communes)
        .collect();
    let rows: Vec<CasesRow> = diesel::sql_query(sql)
        .bind::<Array<Text>, _>(communes)
        .bind::<Date, _>(from)
        .bind::<Date, _>(last.ends_on())
        .bind::<Date, _>(question.today)
        .bind::<Text, _>(question.unit.code())
        .load(conn)
        .await?;
    for row in rows {
        known
            .entry((row.indicator, row.territory))
            .or_default()
            .entry((row.grp, row.starts_on))
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

fn years_before(day: NaiveDate, years: u32) -> NaiveDate {
    day.checked_sub_months(Months::new(12 * years))
        .unwrap_or(day)
}

/// Measures by commune and year.
type Reported = HashMap<(String, i32), Vec<ReportedMeasure>>;

async fn reported(conn: &mut AsyncPgConnection, question: &Question) -> Result<Reported, ApiError> {
    let mut reported = Reported::new();
    if !question.asks_for_measures() || !question.is_of_communes() {
        return Ok(reported);
    }
    let codes = question.places.iter().map(|place| &place.code);
    let years = question
        .periods
        .iter()
        .map(|period| period.starts_on.year());
    let rows: Vec<(String, i32, String, BigDecimal, String, String)> = measures::table
        .filter(measures::commune_code.eq_any(codes))
        .filter(measures::year.eq_any(years))
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

/// How often the years of each territory were revised; of an intercommunality those of its communes.
async fn revised(
    conn: &mut AsyncPgConnection,
    question: &Question,
) -> Result<HashMap<(String, i32), i32>, ApiError> {
    let [place, ..] = question.places.as_slice() else {
        return Ok(HashMap::new());
    };
    if place.kind != TerritoryKind::Epci {
        let codes: Vec<String> = question
            .places
            .iter()
            .map(|place| place.code.clone())
            .collect();
        return revisions::editions(conn, place.kind, &codes).await;
    }
    let mut revised = HashMap::new();
    let of_communes = revisions::editions(conn, TerritoryKind::Commune, &place.communes).await?;
    for ((_, year), revision) in of_communes {
        *revised.entry((place.code.clone(), year)).or_insert(0) += revision;
    }
    Ok(revised)
}

/// The figures that a request asks for.
pub async fn report(session: &mut Session, filter: MetricFilter) -> Result<MetricReport, ApiError> {
    let today = session.today();
    let question = Question::new(&mut session.conn, filter, today).await?;
    let as_of = if question.places.iter().any(|place| place.kind.is_added_up()) {
        worker::as_of(&mut session.conn).await?
    } else {
        Some(session.now)
    };
    let revised = revised(&mut session.conn, &question).await?;
    let known = cases(&mut session.conn, &question).await?;
    let mut reported = reported(&mut session.conn, &question).await?;
    let territories = question
        .places
        .iter()
        .map(|place| TerritoryMetrics {
            territory: Territory {
                kind: place.kind,
                code: place.code.clone(),
                name: place.name.clone(),
            },
            population: place.population,
            periods: question
                .periods
                .iter()
                .map(|period| PeriodMetrics {
                    code: period.code(),
                    starts_on: period.starts_on,
                    ends_on: period.ends_on(),
                    revision: revised
                        .get(&(place.code.clone(), period.starts_on.year()))
                        .copied()
                        .unwrap_or(0),
                    values: values(&question, &known, place, *period),
                    measures: reported
                        .remove(&(place.code.clone(), period.starts_on.year()))
                        .unwrap_or_default(),
                })
                .collect(),
        })
        .collect();
    Ok(MetricReport {
        period: question.unit,
        as_of,
        territories,
    })
}

fn values(question: &Question, known: &Known, place: &Place, period: Period) -> Vec<MetricValue> {
    let territory = match place.kind {
        TerritoryKind::Commune => place.code.as_str(),
        _ => "",
    };
    let computed = question
        .indicators
        .iter()
        .filter(|indicator| indicator.kind != IndicatorKind::Reported);
    let mut values = Vec::new();
    for indicator in computed {
        let cases = known.get(&(indicator.code.to_owned(), territory.to_owned()));
        // The whole first, then its groups.
        let mut groups: Vec<Option<String>> = cases
            .into_iter()
            .flat_map(HashMap::keys)
            .filter(|(group, day)| group.is_some() && *day == period.starts_on)
            .map(|(group, _)| group.clone())
            .collect();
        groups.sort_unstable();
        groups.insert(0, None);
        for group in groups {
            values.push(value(question, indicator, cases, place, period, group));
        }
    }
    values
}

fn value(
    question: &Question,
    indicator: &'static Indicator,
    cases: Option<&ByPeriod>,
    place: &Place,
    period: Period,
    group: Option<String>,
) -> MetricValue {
    let of = |day: NaiveDate| {
        cases
            .and_then(|cases| cases.get(&(group.clone(), day)))
            .map_or(&[][..], Vec::as_slice)
    };
    let before: Vec<&[Cases]> = (1..=POOL)
        .rev()
        .map(|years| of(years_before(period.starts_on, years)))
        .collect();
    let before = (question.unit == PeriodUnit::Year).then_some(before.as_slice());
    let population = place.population;
    let figure = figure(indicator.kind, population, of(period.starts_on), before);
    let year = period.starts_on.year();
    let per_thousand = per_thousand(indicator.kind, figure.value.as_ref(), population);
    MetricValue {
        indicator: IndicatorCode(indicator),
        group,
        value: figure.value.as_ref().map(plain),
        per_1000_residents: per_thousand.as_ref().map(plain),
        n: figure.n,
        pooled_years: figure.is_pooled.then(|| vec![year - 2, year - 1, year]),
        parts: figure
            .parts
            .into_iter()
            .map(|(code, value)| MetricPart {
                code,
                value: plain(&value),
            })
            .collect(),
    }
}
