//! What has changed of years that were over: who read a figure before learns that there is another one, and when.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bigdecimal::{BigDecimal, Zero};
use chrono::{DateTime, Datelike, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Nullable, Numeric, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::cells::{self, ByYear};
use super::compute::{Cases, POOL, figure};
use super::dto::{IndicatorCode, MetricRevision, RevisionFilter};
use super::indicators::{IndicatorKind, indicators};
use super::territories::TerritoryKind;
use crate::clock::paris_day;
use crate::db::schema::{commune_figures, communes, metric_editions, metric_revisions};
use crate::figures::plain;
use crate::http::cursor::Page;
use crate::http::error::ApiError;

/// A figure, by commune, year and indicator. What is zero or unknown is left out.
type Figures = BTreeMap<(String, i32, &'static str), BigDecimal>;

/// The yearly figures of communes until this year.
fn figures_of(cases: &ByYear, residents: &HashMap<String, Option<i32>>, year: i32) -> Figures {
    let mut figures = Figures::new();
    let computed = indicators().filter(|indicator| indicator.kind != IndicatorKind::Reported);
    let pool = i32::try_from(POOL).unwrap_or(0);
    for indicator in computed {
        for (commune, residents) in residents {
            let Some(by_year) = cases.get(&(commune.clone(), indicator.code.to_owned())) else {
                continue;
            };
            let of = |year: i32| by_year.get(&year).map_or(&[][..], Vec::as_slice);
            let years: BTreeSet<i32> = by_year
                .keys()
                .flat_map(|known| *known..=known + pool)
                .filter(|known| *known <= year)
                .collect();
            for year in years {
                let before: Vec<&[Cases]> = (1..=pool).rev().map(|ago| of(year - ago)).collect();
                let population = residents.map(i64::from);
                let figure = figure(indicator.kind, population, of(year), Some(&before));
                if let Some(value) = figure
                    .value
                    .filter(|value| !is_nothing(indicator.kind, value))
                {
                    figures.insert((commune.clone(), year, indicator.code), value);
                }
            }
        }
    }
    figures
}

/// Nothing counted is zero; of nothing there is no rate.
fn is_nothing(kind: IndicatorKind, value: &BigDecimal) -> bool {
    nothing(kind).is_some() && value.is_zero()
}

fn nothing(kind: IndicatorKind) -> Option<BigDecimal> {
    matches!(
        kind,
        IndicatorKind::Total | IndicatorKind::Stock | IndicatorKind::PerResident
    )
    .then(BigDecimal::zero)
}

/// Writes down the yearly figures of communes whose cells are new, and what differs of years that were over. The first
/// figures of a year are none that anybody could have read: they are entered, not corrected.
pub async fn look(
    conn: &mut AsyncPgConnection,
    codes: &[String],
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let this_year = paris_day(now).year();
    let residents: HashMap<String, Option<i32>> = communes::table
        .filter(communes::code.eq_any(codes))
        .select((communes::code, communes::population))
        .load(conn)
        .await?
        .into_iter()
        .collect();
    let figures = figures_of(&cells::years_of(conn, codes).await?, &residents, this_year);
    let stored: Vec<(String, i32, String, BigDecimal)> = commune_figures::table
        .filter(commune_figures::commune_code.eq_any(codes))
        .select((
            commune_figures::commune_code,
            commune_figures::year,
            commune_figures::indicator,
            commune_figures::value,
        ))
        .load(conn)
        .await?;
    let known_years: BTreeSet<(String, i32)> = stored
        .iter()
        .map(|(commune, year, ..)| (commune.clone(), *year))
        .collect();
    let mut before: Figures = Figures::new();
    for (commune, year, code, value) in stored {
        if let Some(indicator) = indicators().find(|indicator| indicator.code == code) {
            before.insert((commune, year, indicator.code), value);
        }
    }
    let differ: BTreeSet<&(String, i32, &'static str)> = before
        .keys()
        .chain(figures.keys())
        .filter(|key| before.get(*key) != figures.get(*key))
        .collect();
    let mut changes = Changes::default();
    for key in differ {
        let (commune, year, code) = key;
        changes.communes.push(commune.clone());
        changes.years.push(*year);
        changes.indicators.push(code);
        let kind = indicators().find(|indicator| indicator.code == *code);
        let otherwise = || kind.and_then(|indicator| nothing(indicator.kind));
        changes
            .before
            .push(before.get(key).cloned().or_else(otherwise));
        changes
            .after
            .push(figures.get(key).cloned().or_else(otherwise));
        changes.kept.push(figures.get(key).cloned());
        let is_over = *year < this_year && known_years.contains(&(commune.clone(), *year));
        changes.over.push(is_over);
    }
    changes.write(conn, now).await
}

/// Figures that differ, as columns.
#[derive(Default)]
struct Changes {
    communes: Vec<String>,
    years: Vec<i32>,
    indicators: Vec<&'static str>,
    before: Vec<Option<BigDecimal>>,
    after: Vec<Option<BigDecimal>>,
    kept: Vec<Option<BigDecimal>>,
    over: Vec<bool>,
}

impl Changes {
    async fn write(self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<(), ApiError> {
        if self.communes.is_empty() {
            return Ok(());
        }
        diesel::sql_query(
            "WITH changed AS (SELECT * FROM unnest($1, $2, $3, $4) AS c (commune_code, year, indicator, value)),
            gone AS (
                DELETE FROM commune_figures AS f USING changed AS c
                WHERE (f.year, f.indicator, f.commune_code) = (c.year, c.indicator, c.commune_code) AND c.value IS NULL
            )
            INSERT INTO commune_figures (commune_code, year, indicator, value)
            SELECT * FROM changed WHERE value IS NOT NULL
            ON CONFLICT (year, indicator, commune_code) DO UPDATE SET value = excluded.value",
        )
        .bind::<Array<Text>, _>(&self.communes)
        .bind::<Array<Integer>, _>(&self.years)
        .bind::<Array<Text>, _>(&self.indicators)
        .bind::<Array<Nullable<Numeric>>, _>(&self.kept)
        .execute(conn)
        .await?;
        diesel::sql_query(
            "WITH seen AS (
                SELECT commune_code, year, indicator, before, after
                FROM unnest($1, $2, $3, $4, $5, $6) AS s (commune_code, year, indicator, before, after, is_over)
                WHERE is_over
            ),
            years AS MATERIALIZED (SELECT DISTINCT commune_code, year FROM seen),
            numbered AS (
                INSERT INTO metric_editions AS e (territory_kind, territory_code, year, revision)
                SELECT 'commune', commune_code, year, 1 FROM years
                ON CONFLICT (territory_kind, territory_code, year) DO UPDATE SET revision = e.revision + 1
                RETURNING territory_code, year, revision
            ),
            larger AS (
                INSERT INTO metric_editions AS e (territory_kind, territory_code, year, revision)
                SELECT t.kind, t.code, y.year, count(*) FROM years AS y JOIN communes AS c ON c.code = y.commune_code
                CROSS JOIN LATERAL (VALUES ('department', c.department_code), ('region', c.region_code), ('country', 'FR'))
                    AS t (kind, code)
                GROUP BY 1, 2, 3
                ON CONFLICT (territory_kind, territory_code, year) DO UPDATE SET revision = e.revision + excluded.revision
            )
            INSERT INTO metric_revisions (commune_code, year, number, indicator, before, after, seen_at)
            SELECT s.commune_code, s.year, n.revision, s.indicator, s.before, s.after, $7
            FROM seen AS s JOIN numbered AS n ON (n.territory_code, n.year) = (s.commune_code, s.year)
            ORDER BY s.commune_code, s.year, s.indicator",
        )
        .bind::<Array<Text>, _>(&self.communes)
        .bind::<Array<Integer>, _>(&self.years)
        .bind::<Array<Text>, _>(&self.indicators)
        .bind::<Array<Nullable<Numeric>>, _>(&self.before)
        .bind::<Array<Nullable<Numeric>>, _>(&self.after)
        .bind::<Array<Bool>, _>(&self.over)
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// How often each of some years was revised, by territory.
pub async fn editions(
    conn: &mut AsyncPgConnection,
    kind: TerritoryKind,
    codes: &[String],
) -> Result<HashMap<(String, i32), i32>, ApiError> {
    let rows: Vec<(String, i32, i32)> = metric_editions::table
        .filter(metric_editions::territory_kind.eq(kind.code()))
        .filter(metric_editions::territory_code.eq_any(codes))
        .select((
            metric_editions::territory_code,
            metric_editions::year,
            metric_editions::revision,
        ))
        .load(conn)
        .await?;
    let by_year = rows
        .into_iter()
        .map(|(code, year, revision)| ((code, year), revision));
    Ok(by_year.collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = metric_revisions)]
pub struct RevisionRow {
    pub id: i64,
    commune_code: String,
    year: i32,
    number: i32,
    indicator: String,
    before: Option<BigDecimal>,
    after: Option<BigDecimal>,
    seen_at: DateTime<Utc>,
}

impl RevisionRow {
    /// As the API shows it; nothing of an indicator that is no more.
    pub fn show(self) -> Option<MetricRevision> {
        let indicator = indicators().find(|indicator| indicator.code == self.indicator)?;
        Some(MetricRevision {
            commune_code: self.commune_code,
            year: self.year,
            revision: self.number,
            indicator: IndicatorCode(indicator),
            before: self.before.as_ref().map(plain),
            after: self.after.as_ref().map(plain),
            seen_at: self.seen_at,
        })
    }
}

/// Revisions of a commune or of all, the last one first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    commune: Option<&str>,
    filter: &RevisionFilter,
    after: Option<i64>,
    limit: i64,
) -> Result<Page<RevisionRow>, ApiError> {
    let mut query = metric_revisions::table
        .select(RevisionRow::as_select())
        .order(metric_revisions::id.desc())
        .limit(limit + 1)
        .into_boxed();
    if let Some(commune) = commune {
        query = query.filter(metric_revisions::commune_code.eq(commune));
    }
    if let Some(year) = filter.year {
        query = query.filter(metric_revisions::year.eq(year));
    }
    if let Some(after) = after {
        query = query.filter(metric_revisions::id.lt(after));
    }
    Ok(Page::cut(query.load(conn).await?, limit))
}
