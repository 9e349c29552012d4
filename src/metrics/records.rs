//! The records behind a figure: what everybody may read, and what each adds.

use bigdecimal::BigDecimal;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::dto::MetricRecord;
use super::indicators::{Indicator, RecordKind, SOURCES, SOURCES_OF_SOME, indicators};
use super::periods::Period;
use crate::figures::plain;
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::ids::InitiativeId;

/// Which records.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub indicator: &'a Indicator,
    pub kind: RecordKind,
    pub commune: &'a str,
    pub period: Period,
    pub today: NaiveDate,
}

/// Where a record stands in the list.
#[derive(Serialize, Deserialize)]
pub struct Position {
    day: NaiveDate,
    id: Uuid,
    part: String,
}

impl From<&MetricRecord> for Position {
    fn from(record: &MetricRecord) -> Self {
        Self {
            day: record.day,
            id: record.id,
            part: record.part.clone().unwrap_or_default(),
        }
    }
}

#[derive(QueryableByName)]
struct RecordRow {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    initiative_id: Option<Uuid>,
    #[diesel(sql_type = SqlUuid)]
    record_id: Uuid,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = Nullable<Text>)]
    part: Option<String>,
    #[diesel(sql_type = Numeric)]
    value: BigDecimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    base: Option<BigDecimal>,
}

impl RecordRow {
    fn show(self, kind: RecordKind) -> MetricRecord {
        let path = match (kind, self.initiative_id) {
            (RecordKind::Evaluation, Some(initiative)) => {
                format!("/v1/initiatives/{initiative}/evaluation")
            }
            (kind, _) => format!("/v1/{kind}s/{}", self.record_id),
        };
        MetricRecord {
            kind,
            id: self.record_id,
            path,
            day: self.day,
            part: self.part,
            value: plain(&self.value),
            base: self.base.as_ref().map(plain),
        }
    }
}

/// The records of an indicator in a commune and a period, by day.
pub async fn list(
    conn: &mut AsyncPgConnection,
    asked: Asked<'_>,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<MetricRecord>, ApiError> {
    let Asked {
        indicator,
        kind,
        commune,
        period,
        today,
    } = asked;
    // Where parts of one record are folded into one, they count together.
    let sql = format!(
        "WITH {SOURCES} \
         SELECT initiative_id, record_id, day, part, value, base FROM ( \
            SELECT initiative_id, record_id, max(day) AS day, part::text AS part, sum(value::numeric) AS value, \
                sum(base::numeric) AS base \
            FROM ({}) AS cases (commune_code, initiative_id, record_id, day, part, value, base) \
            WHERE day BETWEEN $2 AND $3 GROUP BY initiative_id, record_id, part) AS records \
         WHERE $6 OR (day, record_id, coalesce(part, '')) > ($7, $8, $9) \
         ORDER BY day, record_id, coalesce(part, '') LIMIT $10",
        indicator.cases
    );
    let first = after.is_none();
    let after = after.unwrap_or(Position {
        day: period.starts_on,
        id: Uuid::nil(),
        part: String::new(),
    });
    let rows: Vec<RecordRow> = diesel::sql_query(sql)
        .bind::<Array<Text>, _>(vec![commune])
        .bind::<Date, _>(period.starts_on)
        .bind::<Date, _>(period.ends_on())
        .bind::<Date, _>(today)
        .bind::<Text, _>(period.unit.code())
        .bind::<Bool, _>(first)
        .bind::<Date, _>(after.day)
        .bind::<SqlUuid, _>(after.id)
        .bind::<Text, _>(after.part)
        .bind::<BigInt, _>(limit + 1)
        .load(conn)
        .await?;
    let records = rows.into_iter().map(|row| row.show(kind)).collect();
    Ok(Page::cut(records, limit))
}

/// What an indicator counts in one initiative, whenever that was.
#[derive(QueryableByName)]
pub struct Sum {
    #[diesel(sql_type = Text)]
    pub indicator: String,
    #[diesel(sql_type = SqlUuid)]
    pub initiative_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    pub part: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub value: BigDecimal,
}

/// What these indicators count in each of these initiatives until today; nothing of what has no record.
pub async fn of_initiatives(
    conn: &mut AsyncPgConnection,
    initiatives: &[InitiativeId],
    codes: &[&str],
    today: NaiveDate,
) -> Result<Vec<Sum>, ApiError> {
    let selects: Vec<String> = indicators()
        .filter(|indicator| codes.contains(&indicator.code))
        .map(|indicator| {
            format!(
                "SELECT '{}' AS indicator, initiative_id, part::text AS part, sum(value::numeric) AS value \
                 FROM ({}) AS cases (commune_code, initiative_id, record_id, day, part, value, base) \
                 WHERE day BETWEEN $2 AND $3 GROUP BY initiative_id, part",
                indicator.code, indicator.cases
            )
        })
        .collect();
    let mut communes: Vec<String> = initiatives.iter().map(|id| id.commune()).collect();
    communes.sort_unstable();
    communes.dedup();
    let sql = format!("WITH {SOURCES_OF_SOME} {}", selects.join(" UNION ALL "));
    Ok(diesel::sql_query(sql)
        .bind::<Array<Text>, _>(communes)
        .bind::<Date, _>(NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or(today))
        .bind::<Date, _>(today)
        .bind::<Date, _>(today)
        // All years are one period.
        .bind::<Text, _>("millennium")
        .bind::<Array<SqlUuid>, _>(initiatives)
        .load(conn)
        .await?)
}
