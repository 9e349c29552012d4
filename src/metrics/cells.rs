//! Figures that are added up beforehand: those of departments, regions and the country. What a commune adds is computed
//! with the SQL of the dictionary, set against what it added before, and the difference goes to its territories.

use std::collections::HashMap;

use bigdecimal::{BigDecimal, ToPrimitive};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Jsonb, Nullable, Numeric, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::compute::Cases;
use super::indicators::{Indicator, IndicatorKind, indicators, sources};
use super::model::{GROUPED, MetricGroup};
use super::periods::PeriodUnit;
use super::territories::TerritoryKind;
use crate::db::schema::communes;
use crate::http::error::ApiError;

/// The residents of the communes that have joined: a cell like others, so that a territory needs no look at its communes.
const RESIDENTS: &str = "residents";
/// The day on which residents are kept; they are of no period.
const EVER: &str = "0001-01-01";

/// The first and the last day that a figure can need: years are asked for from 1990 to 2100, and one takes two before it.
fn reach() -> (NaiveDate, NaiveDate) {
    let day = NaiveDate::from_ymd_opt;
    (
        day(1988, 1, 1).unwrap_or(NaiveDate::MIN),
        day(2100, 12, 31).unwrap_or(NaiveDate::MAX),
    )
}

/// The columns of a case in `commune_cells`, one array each.
const PACKED: &str = "starts_on, themes, holder_kinds, parts, middles, sums, bases, counts";

/// Those whose cases come from SQL.
fn computed() -> impl Iterator<Item = &'static Indicator> {
    indicators().filter(|indicator| indicator.kind != IndicatorKind::Reported)
}

/// Whether the cases depend on how long a period is; of the others those of a year are those of its months.
fn is_by_period(indicator: &Indicator) -> bool {
    indicator.cases.contains("$5") || indicator.cases.contains("period_ends")
}

/// Codes as an array of SQL.
fn listed<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = codes.map(|code| format!("'{code}'")).collect();
    format!("ARRAY[{}]::text[]", quoted.join(", "))
}

fn medians() -> String {
    listed(
        computed()
            .filter(|indicator| indicator.kind == IndicatorKind::Median)
            .map(|indicator| indicator.code),
    )
}

/// Those of which months are kept alone.
fn by_month() -> String {
    let alone = computed().filter(|indicator| !is_by_period(indicator));
    listed(alone.map(|indicator| indicator.code).chain([RESIDENTS]))
}

/// The statement that brings some communes up to date, in one length of periods. `$1` to `$5` as `SOURCES` says, `$1` those
/// of the communes that have joined; `$6` all of them.
fn refresh_sql(unit: PeriodUnit) -> String {
    let month = unit == PeriodUnit::Month;
    let mut fresh: Vec<String> = computed()
        .filter(|indicator| month || is_by_period(indicator))
        .map(|indicator| {
            let (theme, holder_kind, join) = if indicator.is_of_initiatives() {
                ("coalesce(i.theme, '')", "coalesce(h.kind, '')", GROUPED)
            } else {
                ("''", "''", "")
            };
            let middle = match indicator.kind {
                IndicatorKind::Median => "value::numeric",
                _ => "0::numeric",
            };
            format!(
                "SELECT '{}' AS indicator, cases.commune_code, date_trunc($5, day::timestamp)::date AS starts_on, \
                    {theme} AS theme, {holder_kind} AS holder_kind, coalesce(part::text, '') AS part, {middle} AS middle, \
                    sum(value::numeric) AS value, coalesce(sum(base::numeric), 0) AS base, count(*) AS n \
                 FROM ({}) AS cases (commune_code, initiative_id, record_id, day, part, value, base) {join} \
                 WHERE day BETWEEN $2 AND $3 GROUP BY 2, 3, 4, 5, 6, 7",
                indicator.code, indicator.cases
            )
        })
        .collect();
    if month {
        fresh.push(format!(
            "SELECT '{RESIDENTS}', code, date '{EVER}', '', '', '', 0, population, 0, 1 FROM communes \
             WHERE code = ANY($1) AND population IS NOT NULL"
        ));
    }
    let (sources, fresh) = (sources(), fresh.join(" UNION ALL "));
    let (by_month, medians) = (by_month(), medians());
    format!(
        "WITH {sources},
        fresh AS MATERIALIZED ({fresh}),
        stored AS (
            SELECT c.indicator, c.commune_code, p.* FROM commune_cells AS c CROSS JOIN LATERAL unnest({PACKED})
                AS p (starts_on, theme, holder_kind, part, middle, value, base, n)
            WHERE c.commune_code = ANY($6) AND c.unit = $5
        ),
        changed AS MATERIALIZED (
            SELECT indicator, commune_code, starts_on, theme, holder_kind, part, middle,
                sum(value) AS value, sum(base) AS base, sum(n) AS n
            FROM (
                SELECT * FROM fresh UNION ALL
                SELECT indicator, commune_code, starts_on, theme, holder_kind, part, middle, -value, -base, -n FROM stored
            ) AS differences
            GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(value) <> 0 OR sum(base) <> 0 OR sum(n) <> 0
        ),
        touched AS MATERIALIZED (SELECT DISTINCT commune_code, indicator FROM changed),
        packed AS (
            INSERT INTO commune_cells AS c (commune_code, unit, indicator, {PACKED})
            SELECT commune_code, $5, indicator, array_agg(starts_on), array_agg(theme), array_agg(holder_kind),
                array_agg(part), array_agg(middle), array_agg(value), array_agg(base), array_agg(n)
            FROM fresh JOIN touched USING (commune_code, indicator) GROUP BY commune_code, indicator
            ON CONFLICT (commune_code, unit, indicator) DO UPDATE
            SET ({PACKED}) = (SELECT excluded.starts_on, excluded.themes, excluded.holder_kinds, excluded.parts,
                excluded.middles, excluded.sums, excluded.bases, excluded.counts)
        ),
        emptied AS (
            DELETE FROM commune_cells AS c USING touched AS t
            WHERE (c.commune_code, c.unit, c.indicator) = (t.commune_code, $5, t.indicator)
                AND NOT EXISTS (SELECT FROM fresh AS f WHERE (f.commune_code, f.indicator) = (t.commune_code, t.indicator))
        ),
        placed AS (
            SELECT c.department_code, c.region_code, d.indicator, d.starts_on, d.theme, d.holder_kind, d.part, d.middle,
                sum(d.value) AS value, sum(d.base) AS base, sum(d.n) AS n
            FROM changed AS d JOIN communes AS c ON c.code = d.commune_code
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        ),
        spread_out AS (
            SELECT t.kind, t.code, u.unit, g.grouping, d.indicator, date_trunc(u.unit, d.starts_on::timestamp)::date AS starts_on,
                g.grp, d.part, d.middle, sum(d.value) AS value, sum(d.base) AS base, sum(d.n)::bigint AS n
            FROM placed AS d
            CROSS JOIN LATERAL (VALUES ('department', d.department_code), ('region', d.region_code), ('country', 'FR'))
                AS t (kind, code)
            CROSS JOIN LATERAL (VALUES ('', ''), ('theme', d.theme), ('holder_kind', d.holder_kind)) AS g (grouping, grp)
            CROSS JOIN LATERAL unnest(CASE WHEN d.indicator = ANY({by_month}) THEN ARRAY['year', 'quarter', 'month']
                ELSE ARRAY[$5] END) AS u (unit)
            WHERE g.grouping = '' OR g.grp <> ''
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        )
        INSERT INTO metric_cells AS c (territory_kind, territory_code, unit, grouping, indicator, starts_on, grp, part,
            value, base, n, spread)
        SELECT kind, code, unit, grouping, indicator, starts_on, grp, part, sum(value), sum(base), sum(n)::bigint,
            jsonb_object_agg(middle::text, n) FILTER (WHERE n <> 0 AND indicator = ANY({medians}))
        FROM spread_out GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        -- what is read together lies together
        ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
        ON CONFLICT (territory_kind, territory_code, unit, grouping, indicator, starts_on, grp, part) DO UPDATE
        SET value = c.value + excluded.value, base = c.base + excluded.base, n = c.n + excluded.n,
            spread = add_spread(c.spread, excluded.spread)"
    )
}

/// Brings what some communes add up to date, and the territories that they lie in. Who calls it holds the lock of the
/// worker.
pub async fn refresh(
    conn: &mut AsyncPgConnection,
    codes: &[String],
    today: NaiveDate,
) -> Result<(), ApiError> {
    let joined: Vec<String> = communes::table
        .filter(communes::code.eq_any(codes))
        .filter(communes::enrolled_at.is_not_null())
        .select(communes::code)
        .load(conn)
        .await?;
    let (first, last) = reach();
    for unit in PeriodUnit::ALL {
        diesel::sql_query(refresh_sql(*unit))
            .bind::<Array<Text>, _>(&joined)
            .bind::<Date, _>(first)
            .bind::<Date, _>(last)
            .bind::<Date, _>(today)
            .bind::<Text, _>(unit.code())
            .bind::<Array<Text>, _>(codes)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Forgets everything that is added up.
pub async fn clear(conn: &mut AsyncPgConnection) -> Result<(), ApiError> {
    for table in ["metric_cells", "commune_cells"] {
        diesel::sql_query(format!("DELETE FROM {table}"))
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Marks the communes whose figures the days from `last` to `today` change by passing: a reply is overdue, a convention
/// has ended, an upkeep is a year old, a month has begun.
pub async fn mark_passed_days(
    conn: &mut AsyncPgConnection,
    last: NaiveDate,
    today: NaiveDate,
) -> Result<(), ApiError> {
    let stocks = listed(
        computed()
            .filter(|indicator| indicator.kind == IndicatorKind::Stock)
            .map(|indicator| indicator.code),
    );
    diesel::sql_query(format!(
        "INSERT INTO metric_marks (commune_code)
        SELECT code FROM communes AS c WHERE enrolled_at IS NOT NULL AND EXISTS (
            SELECT FROM initiatives WHERE commune_code = c.code AND state IN ('submitted', 'in_review')
                AND reply_due_on >= $1 AND reply_due_on < $2)
        UNION SELECT commune_code FROM conventions
            WHERE state IN ('active', 'suspended') AND ends_on >= $1 AND ends_on < $2
        UNION SELECT commune_code FROM conventions WHERE effective_on >= $1 AND effective_on < $2
        UNION SELECT commune_code FROM (VALUES (interval '1 year'), (interval '3 years')) AS a (age), commitments
            WHERE upkeep_starts_on BETWEEN ($1 - age)::date - 1 AND ($2 - age)::date + 1
        UNION SELECT commune_code FROM meetings WHERE held_on > $1 AND held_on <= $2
        UNION SELECT commune_code FROM commune_cells
            WHERE unit = 'month' AND indicator = ANY({stocks}) AND date_trunc('month', $1::timestamp)::date = ANY(starts_on)
                AND date_trunc('month', $1::timestamp) < date_trunc('month', $2::timestamp)
        ON CONFLICT DO NOTHING"
    ))
    .bind::<Date, _>(last)
    .bind::<Date, _>(today)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct CellRow {
    #[diesel(sql_type = Text)]
    indicator: String,
    #[diesel(sql_type = Date)]
    starts_on: NaiveDate,
    #[diesel(sql_type = Text)]
    grp: String,
    #[diesel(sql_type = Text)]
    part: String,
    #[diesel(sql_type = Numeric)]
    value: BigDecimal,
    #[diesel(sql_type = Numeric)]
    base: BigDecimal,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Nullable<Jsonb>)]
    spread: Option<serde_json::Value>,
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl CellRow {
    fn cases(self) -> Vec<Cases> {
        let Some(spread) = self.spread else {
            return vec![Cases {
                part: given(self.part),
                value: self.value,
                base: Some(self.base),
                n: self.n,
            }];
        };
        let by_value = spread.as_object().into_iter().flatten();
        by_value
            .filter_map(|(value, n)| {
                Some(Cases {
                    part: None,
                    value: value.parse().ok()?,
                    base: None,
                    n: n.as_i64()?,
                })
            })
            .collect()
    }
}

/// Cases of an indicator, by the group and the first day of the period.
pub type ByPeriod = HashMap<(Option<String>, NaiveDate), Vec<Cases>>;

/// What is asked for of a territory.
pub struct Asked<'a> {
    pub kind: TerritoryKind,
    pub code: &'a str,
    pub unit: PeriodUnit,
    pub group_by: Option<MetricGroup>,
    pub indicators: Vec<&'static str>,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// The cells of a territory, by indicator.
pub async fn of(
    conn: &mut AsyncPgConnection,
    asked: Asked<'_>,
) -> Result<HashMap<String, ByPeriod>, ApiError> {
    let groupings: Vec<&str> = [""]
        .into_iter()
        .chain(asked.group_by.map(MetricGroup::code))
        .collect();
    let rows: Vec<CellRow> = diesel::sql_query(
        "SELECT indicator, starts_on, grp, part, value, base, n, spread FROM metric_cells
        WHERE territory_kind = $1 AND territory_code = $2 AND unit = $3 AND grouping = ANY($4) AND indicator = ANY($5)
            AND starts_on BETWEEN $6 AND $7 AND n > 0
        ORDER BY part",
    )
    .bind::<Text, _>(asked.kind.code())
    .bind::<Text, _>(asked.code)
    .bind::<Text, _>(asked.unit.code())
    .bind::<Array<Text>, _>(groupings)
    .bind::<Array<Text>, _>(asked.indicators)
    .bind::<Date, _>(asked.from)
    .bind::<Date, _>(asked.to)
    .load(conn)
    .await?;
    let mut known: HashMap<String, ByPeriod> = HashMap::new();
    for mut row in rows {
        let place = (given(std::mem::take(&mut row.grp)), row.starts_on);
        let of_indicator = known.entry(std::mem::take(&mut row.indicator)).or_default();
        of_indicator.entry(place).or_default().extend(row.cases());
    }
    Ok(known)
}

/// The residents of the communes of a territory that have joined; nothing where nobody knows.
pub async fn residents(
    conn: &mut AsyncPgConnection,
    kind: TerritoryKind,
    code: &str,
) -> Result<Option<i64>, ApiError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Numeric)]
        value: BigDecimal,
    }
    let row: Option<Row> = diesel::sql_query(format!(
        "SELECT value FROM metric_cells
        WHERE territory_kind = $1 AND territory_code = $2 AND unit = 'year' AND grouping = ''
            AND indicator = '{RESIDENTS}' AND starts_on = '{EVER}' AND grp = '' AND part = '' AND n > 0"
    ))
    .bind::<Text, _>(kind.code())
    .bind::<Text, _>(code)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.and_then(|row| row.value.to_i64()))
}

/// A commune's cases of an indicator, by year.
pub type ByYear = HashMap<(String, String), HashMap<i32, Vec<Cases>>>;

/// What some communes add, by commune and indicator, and by year.
pub async fn years_of(conn: &mut AsyncPgConnection, codes: &[String]) -> Result<ByYear, ApiError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        commune_code: String,
        #[diesel(sql_type = Text)]
        indicator: String,
        #[diesel(sql_type = Integer)]
        year: i32,
        #[diesel(sql_type = Numeric)]
        value: BigDecimal,
        #[diesel(sql_type = Numeric)]
        base: BigDecimal,
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let (by_month, medians) = (by_month(), medians());
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT commune_code, indicator, extract(year FROM p.starts_on)::integer AS year,
            CASE WHEN indicator = ANY({medians}) THEN p.middle ELSE sum(p.value) END AS value,
            sum(p.base) AS base, sum(p.n)::bigint AS n
        FROM commune_cells AS c CROSS JOIN LATERAL unnest({PACKED})
            AS p (starts_on, theme, holder_kind, part, middle, value, base, n)
        WHERE commune_code = ANY($1) AND unit = CASE WHEN indicator = ANY({by_month}) THEN 'month' ELSE 'year' END
        GROUP BY 1, 2, 3, p.middle"
    ))
    .bind::<Array<Text>, _>(codes)
    .load(conn)
    .await?;
    let mut known = ByYear::new();
    for row in rows {
        known
            .entry((row.commune_code, row.indicator))
            .or_default()
            .entry(row.year)
            .or_default()
            .push(Cases {
                part: None,
                value: row.value,
                base: Some(row.base),
                n: row.n,
            });
    }
    Ok(known)
}
