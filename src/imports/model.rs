//! Imports of files in the database.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use super::dto::{Import, ImportFault, ImportFileType, ImportResource, ImportState, NewImport};
use super::files::Unreadable;
use super::mappings::{self, NewMapping};
use super::upload::stored;
use crate::db::schema::{import_refusals as refusals, imports};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code};
use crate::ids::{ImportId, UserId};
use crate::state::{Session, State};

/// How long a file may be on its way; more than an upload may take.
const AWAITED: TimeDelta = TimeDelta::hours(1);
/// How long refused rows are kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How long a worker that says nothing counts as being at it; each thousand rows say something.
const LEASE: TimeDelta = TimeDelta::seconds(5);

/// A row of `imports`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = imports)]
pub struct ImportRow {
    pub id: ImportId,
    pub commune_code: String,
    pub resource: ImportResource,
    pub file_type: ImportFileType,
    pub mapping: Option<Value>,
    pub validate_only: bool,
    pub state: ImportState,
    pub fault: Option<ImportFault>,
    pub fault_line: Option<i64>,
    pub size_bytes: Option<i64>,
    pub titles: Option<Value>,
    pub rows_total: Option<i64>,
    pub rows_read: i64,
    pub rows_created: i64,
    pub rows_updated: i64,
    pub rows_unchanged: i64,
    pub rows_refused: i64,
    pub created_by: UserId,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub version: i32,
}

impl ImportRow {
    /// How its columns become fields.
    pub fn mapping(&self) -> NewMapping {
        self.mapping
            .clone()
            .and_then(|mapping| serde_json::from_value::<NewMapping>(mapping).ok())
            .map_or_else(|| NewMapping::none(self.resource), NewMapping::folded)
    }

    /// The titles of the columns, in order.
    pub fn titles(&self) -> Vec<String> {
        let titles = self.titles.as_ref().and_then(Value::as_array);
        titles
            .into_iter()
            .flatten()
            .filter_map(|title| title.as_str().map(str::to_owned))
            .collect()
    }
}

impl From<ImportRow> for Import {
    fn from(row: ImportRow) -> Self {
        let mut ignored_columns = row.mapping().ignored(&row.titles());
        ignored_columns.truncate(1000);
        for title in &mut ignored_columns {
            *title = title.chars().take(200).collect();
        }
        Self {
            ignored_columns,
            percent: match row.rows_total {
                Some(0) => 100,
                Some(total) => row.rows_read * 100 / total,
                None => 0,
            },
            id: row.id,
            commune_code: row.commune_code,
            resource: row.resource,
            file_type: row.file_type,
            size_bytes: row.size_bytes,
            validate_only: row.validate_only,
            state: row.state,
            fault: row.fault,
            fault_line: row.fault_line,
            rows_total: row.rows_total,
            rows_read: row.rows_read,
            rows_created: row.rows_created,
            rows_updated: row.rows_updated,
            rows_unchanged: row.rows_unchanged,
            rows_refused: row.rows_refused,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

/// Where an import stands in the list.
pub type Position = (DateTime<Utc>, ImportId);

/// Begins an import, whose file is still to come.
pub async fn begin(
    session: &mut Session,
    commune: &str,
    new: &NewImport,
    file_type: ImportFileType,
) -> Result<ImportId, ApiError> {
    let mapping = match &new.mapping {
        Some(name) => Some(mappings::named(&mut session.conn, commune, name, new.resource).await?),
        None => None,
    };
    let row = ImportRow {
        mapping: mapping.map(|mapping| serde_json::json!(mapping)),
        id: ImportId::new(commune, session.now)?,
        commune_code: commune.to_owned(),
        resource: new.resource,
        file_type,
        validate_only: new.validate_only,
        state: ImportState::Receiving,
        fault: None,
        fault_line: None,
        size_bytes: None,
        titles: None,
        rows_total: None,
        rows_read: 0,
        rows_created: 0,
        rows_updated: 0,
        rows_unchanged: 0,
        rows_refused: 0,
        created_by: session.actor.account()?,
        created_at: session.now,
        started_at: None,
        ended_at: None,
        version: 1,
    };
    diesel::insert_into(imports::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    Ok(row.id)
}

/// The file is there: the import waits for its turn.
pub async fn queue(session: &mut Session, id: ImportId, size: i64) -> Result<ImportRow, ApiError> {
    let queued = diesel::update(imports::table.find((id, id.commune())))
        .filter(imports::state.eq(ImportState::Receiving))
        .set((
            imports::state.eq(ImportState::Queued),
            imports::size_bytes.eq(size),
            imports::version.eq(imports::version + 1),
        ))
        .returning(ImportRow::as_returning())
        .get_result(&mut session.conn)
        .await
        .optional()?;
    // It was taken for one that was cut.
    queued.ok_or_else(|| ApiError::new(Code::RequestTimeout))
}

/// One import.
pub async fn find(conn: &mut AsyncPgConnection, id: ImportId) -> Result<ImportRow, ApiError> {
    Ok(imports::table
        .find((id, id.commune()))
        .select(ImportRow::as_select())
        .first(conn)
        .await?)
}

/// One import, held until the transaction ends.
pub async fn lock(conn: &mut AsyncPgConnection, id: ImportId) -> Result<ImportRow, ApiError> {
    Ok(imports::table
        .find((id, id.commune()))
        .select(ImportRow::as_select())
        .for_update()
        .first(conn)
        .await?)
}

/// The imports of a commune, the latest first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    commune: &str,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<ImportRow>, ApiError> {
    let mut query = imports::table
        .filter(imports::commune_code.eq(commune))
        .order((imports::created_at.desc(), imports::id.desc()))
        .limit(limit + 1)
        .select(ImportRow::as_select())
        .into_boxed();
    if let Some((created_at, id)) = after {
        query = query
            .filter(imports::created_at.le(created_at))
            .filter(imports::created_at.lt(created_at).or(imports::id.lt(id)));
    }
    Ok(Page::cut(query.load(conn).await?, limit))
}

/// Ends an import that is waiting or under way; what is written stays.
pub async fn cancel(session: &mut Session, id: ImportId) -> Result<ImportRow, ApiError> {
    let row = lock(&mut session.conn, id).await?;
    if !matches!(row.state, ImportState::Queued | ImportState::Running) {
        return Err(ApiError {
            state: Some(row.state.code()),
            ..ApiError::new(Code::WrongState)
        });
    }
    end(session, id, ImportState::Cancelled, None).await
}

/// Ends an import that the caller holds locked.
pub async fn end(
    session: &mut Session,
    id: ImportId,
    state: ImportState,
    wrong: Option<Unreadable>,
) -> Result<ImportRow, ApiError> {
    Ok(diesel::update(imports::table.find((id, id.commune())))
        .set((
            imports::state.eq(state),
            imports::fault.eq(wrong.map(|wrong| wrong.fault)),
            imports::fault_line.eq(wrong.and_then(|wrong| wrong.line)),
            imports::ended_at.eq(session.now),
            imports::leased_until.eq(None::<DateTime<Utc>>),
            imports::version.eq(imports::version + 1),
        ))
        .returning(ImportRow::as_returning())
        .get_result(&mut session.conn)
        .await?)
}

/// Takes the oldest import that nobody is at.
pub async fn claim(session: &mut Session) -> Result<Option<ImportRow>, ApiError> {
    let waiting = imports::table
        .filter(imports::state.eq_any([ImportState::Queued, ImportState::Running]))
        .filter(
            imports::leased_until
                .is_null()
                .or(imports::leased_until.lt(session.now)),
        )
        .order(imports::created_at)
        .select(ImportRow::as_select())
        .for_update()
        .skip_locked()
        .first(&mut session.conn)
        .await
        .optional()?;
    let Some(row) = waiting else { return Ok(None) };
    let claimed = diesel::update(imports::table.find((row.id, &row.commune_code)))
        .set((
            imports::state.eq(ImportState::Running),
            imports::started_at.eq(row.started_at.unwrap_or(session.now)),
            imports::leased_until.eq(session.now + LEASE),
        ))
        .returning(ImportRow::as_returning())
        .get_result(&mut session.conn)
        .await?;
    Ok(Some(claimed))
}

/// The file was read to its end once: so many rows, under these titles.
pub async fn count(
    session: &mut Session,
    id: ImportId,
    rows: i64,
    titles: &[String],
) -> Result<(), ApiError> {
    diesel::update(imports::table.find((id, id.commune())))
        .filter(imports::state.eq(ImportState::Running))
        .set((
            imports::rows_total.eq(rows),
            imports::titles.eq(serde_json::json!(titles)),
            imports::leased_until.eq(session.now + LEASE),
        ))
        .execute(&mut session.conn)
        .await?;
    Ok(())
}

/// What became of some rows.
#[derive(Default)]
pub struct Counts {
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub refused: i64,
}

/// A refused row, as it came, and why, in both languages.
#[derive(Insertable)]
#[diesel(table_name = refusals)]
pub struct Refusal {
    pub import_id: ImportId,
    pub commune_code: String,
    pub row_number: i64,
    pub cells: Value,
    pub faults: Value,
}

/// Writes down how far an import that the caller holds locked has come.
pub async fn proceed(
    session: &mut Session,
    id: ImportId,
    counts: &Counts,
    refused: &[Refusal],
) -> Result<(), ApiError> {
    let read = counts.created + counts.updated + counts.unchanged + counts.refused;
    if !refused.is_empty() {
        diesel::insert_into(refusals::table)
            .values(refused)
            .execute(&mut session.conn)
            .await?;
    }
    diesel::update(imports::table.find((id, id.commune())))
        .set((
            imports::rows_read.eq(imports::rows_read + read),
            imports::rows_created.eq(imports::rows_created + counts.created),
            imports::rows_updated.eq(imports::rows_updated + counts.updated),
            imports::rows_unchanged.eq(imports::rows_unchanged + counts.unchanged),
            imports::rows_refused.eq(imports::rows_refused + counts.refused),
            imports::leased_until.eq(session.now + LEASE),
            imports::version.eq(imports::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    Ok(())
}

/// The refused rows of an import behind this one, in their order.
pub async fn refused(
    conn: &mut AsyncPgConnection,
    id: ImportId,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<(i64, Value, Value)>> {
    refusals::table
        .filter(refusals::import_id.eq(id))
        .filter(refusals::commune_code.eq(id.commune()))
        .filter(refusals::row_number.gt(after))
        .order(refusals::row_number)
        .limit(limit)
        .select((refusals::row_number, refusals::cells, refusals::faults))
        .load(conn)
        .await
}

/// Removes the bytes of an import that has ended.
pub async fn empty(state: &State, id: ImportId) -> Result<(), ApiError> {
    state
        .documents
        .remove(stored(id))
        .await
        .map_err(ApiError::internal)?;
    let mut session = state.as_time_passes().await?;
    let now = session.now;
    let emptied = diesel::update(imports::table.find((id, id.commune())))
        .set(imports::emptied_at.eq(now))
        .execute(&mut session.conn)
        .await
        .map_err(ApiError::from);
    session.finish(emptied).await?;
    Ok(())
}

/// Takes back an import whose file did not come.
pub async fn discard(state: &State, id: ImportId) -> Result<(), ApiError> {
    state
        .documents
        .remove(stored(id))
        .await
        .map_err(ApiError::internal)?;
    let mut session = state.as_time_passes().await?;
    let gone = diesel::delete(imports::table.find((id, id.commune())))
        .filter(imports::state.eq(ImportState::Receiving))
        .execute(&mut session.conn)
        .await
        .map_err(ApiError::from);
    session.finish(gone).await?;
    Ok(())
}

/// What was left behind: files that never came whole, bytes of what has ended, and refused rows that are a month old.
pub async fn sweep(state: &State) -> Result<usize, ApiError> {
    let mut session = state.as_everybody().await?;
    let now = session.now;
    let left: Vec<(ImportId, ImportState)> = imports::table
        .filter(imports::emptied_at.is_null())
        .filter(
            imports::ended_at.is_not_null().or(imports::state
                .eq(ImportState::Receiving)
                .and(imports::created_at.lt(now - AWAITED))),
        )
        .select((imports::id, imports::state))
        .limit(100)
        .load(&mut session.conn)
        .await?;
    let old = imports::table
        .filter(imports::ended_at.lt(now - KEPT))
        .select(imports::id);
    diesel::delete(refusals::table.filter(refusals::import_id.eq_any(old)))
        .execute(&mut session.conn)
        .await?;
    drop(session);
    for (id, stands) in &left {
        if *stands == ImportState::Receiving {
            discard(state, *id).await?;
        } else {
            empty(state, *id).await?;
        }
    }
    Ok(left.len())
}
