//! Measures in the database.

use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Measure, MeasureFilter, NewMeasure};
use crate::db::schema::measures;
use crate::figures::plain;
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code};
use crate::http::precondition::IfMatch;
use crate::ids::{MeasureId, UserId};
use crate::state::Session;

/// A row of `measures`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = measures)]
pub struct MeasureRow {
    pub id: MeasureId,
    pub commune_code: String,
    pub indicator: String,
    pub year: i32,
    pub value: BigDecimal,
    pub unit: String,
    pub source: String,
    pub recorded_by: UserId,
    pub external_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl From<MeasureRow> for Measure {
    fn from(row: MeasureRow) -> Self {
        Self {
            id: row.id,
            commune_code: row.commune_code,
            indicator: row.indicator,
            year: row.year,
            value: plain(&row.value),
            unit: row.unit,
            source: row.source,
            external_id: row.external_id,
            created_at: row.created_at,
        }
    }
}

/// Which measure: commune, indicator and year name one.
#[derive(Clone, Debug)]
pub struct Key {
    pub commune: String,
    pub indicator: String,
    pub year: i32,
}

impl Key {
    /// The key of a path; 404 for one that can name nothing.
    pub fn new((commune, indicator, year): (String, String, i32)) -> Result<Self, ApiError> {
        let named = (2..=60).contains(&indicator.len())
            && indicator.starts_with(|c: char| c.is_ascii_lowercase())
            && indicator
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if named && (1900..=2100).contains(&year) {
            Ok(Self {
                commune,
                indicator,
                year,
            })
        } else {
            Err(ApiError::not_found())
        }
    }

    /// Where it is.
    pub fn path(&self) -> String {
        let Self {
            commune,
            indicator,
            year,
        } = self;
        format!("/v1/communes/{commune}/measures/{indicator}/{year}")
    }
}

/// The measures of a commune, the latest year first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    commune: &str,
    filter: &MeasureFilter,
    after: Option<(i32, MeasureId)>,
    limit: i64,
) -> Result<Page<MeasureRow>, ApiError> {
    let mut query = measures::table
        .filter(measures::commune_code.eq(commune))
        .order((measures::year.desc(), measures::id.desc()))
        .limit(limit + 1)
        .select(MeasureRow::as_select())
        .into_boxed();
    if let Some(indicator) = &filter.indicator {
        query = query.filter(measures::indicator.eq(indicator));
    }
    if let Some(year) = filter.year {
        query = query.filter(measures::year.eq(year));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(measures::external_id.eq(external_id));
    }
    if let Some((year, id)) = after {
        query = query
            .filter(measures::year.le(year))
            .filter(measures::year.lt(year).or(measures::id.lt(id)));
    }
    Ok(Page::cut(query.load(conn).await?, limit))
}

/// These measures.
pub async fn public(
    conn: &mut AsyncPgConnection,
    ids: Vec<MeasureId>,
) -> QueryResult<Vec<Measure>> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let rows: Vec<MeasureRow> = measures::table
        .filter(measures::id.eq_any(ids))
        .filter(measures::commune_code.eq_any(communes))
        .select(MeasureRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Measure::from).collect())
}

/// One measure.
pub async fn find(conn: &mut AsyncPgConnection, key: &Key) -> Result<MeasureRow, ApiError> {
    Ok(measures::table
        .filter(measures::commune_code.eq(&key.commune))
        .filter(measures::indicator.eq(&key.indicator))
        .filter(measures::year.eq(key.year))
        .select(MeasureRow::as_select())
        .first(conn)
        .await?)
}

/// One measure, held until the transaction ends; nothing when there is none.
pub async fn lock(conn: &mut AsyncPgConnection, key: &Key) -> Result<Option<MeasureRow>, ApiError> {
    Ok(measures::table
        .filter(measures::commune_code.eq(&key.commune))
        .filter(measures::indicator.eq(&key.indicator))
        .filter(measures::year.eq(key.year))
        .select(MeasureRow::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()?)
}

/// Reports a measure that is not there yet; false when somebody else has just reported it.
async fn create(session: &mut Session, key: &Key, new: &NewMeasure) -> Result<bool, ApiError> {
    let row = MeasureRow {
        id: MeasureId::new(&key.commune, session.now)?,
        commune_code: key.commune.clone(),
        indicator: key.indicator.clone(),
        year: key.year,
        value: new.value.clone(),
        unit: new.unit.clone(),
        source: new.source.clone(),
        recorded_by: session.actor.account()?,
        external_id: None,
        created_at: session.now,
        version: 1,
    };
    let created = diesel::insert_into(measures::table)
        .values(&row)
        .on_conflict((measures::commune_code, measures::indicator, measures::year))
        .do_nothing()
        .execute(&mut session.conn)
        .await?;
    Ok(created == 1)
}

/// Reports a measure, or replaces the version that the caller has read. True when it is new.
pub async fn put(
    session: &mut Session,
    key: &Key,
    if_match: IfMatch,
    new: &NewMeasure,
) -> Result<bool, ApiError> {
    // Who names a version wants to replace; who names none may create.
    if if_match == IfMatch::Absent && create(session, key, new).await? {
        return Ok(true);
    }
    let Some(row) = lock(&mut session.conn, key).await? else {
        return Err(ApiError::new(Code::StaleVersion));
    };
    if_match.check(row.version)?;
    diesel::update(measures::table.find((row.id, &row.commune_code)))
        .set((
            new,
            measures::recorded_by.eq(session.actor.account()?),
            measures::version.eq(measures::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    Ok(false)
}

/// Deletes a measure that the caller holds locked.
pub async fn delete(conn: &mut AsyncPgConnection, row: &MeasureRow) -> Result<(), ApiError> {
    diesel::delete(measures::table.find((row.id, &row.commune_code)))
        .execute(conn)
        .await?;
    Ok(())
}
