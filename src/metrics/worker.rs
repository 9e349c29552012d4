//! Keeps the figures of larger territories, and tells what has changed of years that were over. Each process of the API
//! has a worker; one works at a time. What it did half is taken back by the database, and done by the next one.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::{cells, revisions};
use crate::clock::paris_day;
use crate::db::schema::{communes, metric_state};
use crate::http::error::ApiError;
use crate::state::State;

/// How often the worker looks for what has changed.
const TURN: Duration = Duration::from_secs(5);
/// Communes of one transaction.
const BATCH: i64 = 50;

/// Adds up what changes, for as long as the program runs.
pub async fn run(state: State) {
    let mut turns = tokio::time::interval(TURN);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        if let Err(error) = catch_up(&state).await {
            tracing::warn!(cause = %error, "adding up figures");
        }
    }
}

/// Adds up all that has changed until now.
pub async fn catch_up(state: &State) -> Result<(), ApiError> {
    loop {
        let mut session = state.as_time_passes().await?;
        let now = session.now;
        let more = step(&mut session.conn, now).await;
        if !session.finish(more).await? {
            return Ok(());
        }
    }
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Nullable<Date>)]
    day: Option<NaiveDate>,
    #[diesel(sql_type = Bool)]
    is_stale: bool,
}

#[derive(QueryableByName)]
struct Commune {
    #[diesel(sql_type = Text)]
    commune_code: String,
}

/// One transaction; whether more is left. What is committed before it begins, and has fewer communes than a batch, is in.
async fn step(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<bool, ApiError> {
    conn.batch_execute(
        // However much a commune has, and however long one statement takes to plan: no request waits for it.
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'",
    )
    .await?;
    if !is_alone(conn).await? {
        return Ok(false);
    }
    let today = paris_day(now);
    let known: Known = diesel::sql_query("SELECT day, is_stale FROM metric_state")
        .get_result(conn)
        .await?;
    let day = match known.day {
        Some(day) if !known.is_stale => day,
        _ => {
            add_up_anew(conn, now).await?;
            return Ok(false);
        }
    };
    if day != today {
        cells::mark_passed_days(conn, day, today).await?;
    }
    // Those that have waited longest, so that nobody who changes all the time keeps another waiting.
    let marked: Vec<Commune> = diesel::sql_query(
        "WITH taken AS (
            SELECT commune_code FROM metric_marks GROUP BY commune_code ORDER BY min(transaction) LIMIT $1
        ), gone AS (
            DELETE FROM metric_marks AS m USING taken AS t WHERE m.commune_code = t.commune_code
        )
        SELECT commune_code FROM taken ORDER BY commune_code",
    )
    .bind::<BigInt, _>(BATCH)
    .load(conn)
    .await?;
    let communes: Vec<String> = marked.into_iter().map(|row| row.commune_code).collect();
    let more = i64::try_from(communes.len()).is_ok_and(|count| count == BATCH);
    if !communes.is_empty() {
        cells::refresh(conn, &communes, today).await?;
        revisions::look(conn, &communes, now).await?;
    }
    conclude(conn, (!more).then_some(now), today).await?;
    Ok(more)
}

/// The moment that the figures of larger territories stand for; nothing before they are first added up.
pub async fn as_of(conn: &mut AsyncPgConnection) -> Result<Option<DateTime<Utc>>, ApiError> {
    let as_of = metric_state::table.select(metric_state::as_of);
    Ok(as_of.first(conn).await?)
}

/// Whether this transaction is the only one that adds up; it stays so to its end.
async fn is_alone(conn: &mut AsyncPgConnection) -> Result<bool, ApiError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        alone: bool,
    }
    let row: Row = diesel::sql_query("SELECT pg_try_advisory_xact_lock(5052) AS alone")
        .get_result(conn)
        .await?;
    Ok(row.alone)
}

async fn conclude(
    conn: &mut AsyncPgConnection,
    as_of: Option<DateTime<Utc>>,
    day: NaiveDate,
) -> Result<(), ApiError> {
    diesel::sql_query(
        "UPDATE metric_state SET as_of = coalesce($1, as_of), day = $2, is_stale = false",
    )
    .bind::<Nullable<Timestamptz>, _>(as_of)
    .bind::<Date, _>(day)
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds up everything from the records, department by department: in one transaction, so that readers see the old figures
/// until the new ones are whole.
async fn add_up_anew(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<(), ApiError> {
    let today = paris_day(now);
    diesel::sql_query("DELETE FROM metric_marks")
        .execute(conn)
        .await?;
    cells::clear(conn).await?;
    let joined: Vec<(String, String)> = communes::table
        .filter(communes::enrolled_at.is_not_null())
        .select((communes::department_code, communes::code))
        .order((communes::department_code, communes::code))
        .load(conn)
        .await?;
    for department in joined.chunk_by(|one, next| one.0 == next.0) {
        let communes: Vec<String> = department.iter().map(|(_, code)| code.clone()).collect();
        cells::refresh(conn, &communes, today).await?;
        revisions::look(conn, &communes, now).await?;
        tracing::debug!(communes = communes.len(), "added up anew");
    }
    conclude(conn, Some(now), today).await
}

/// Adds up everything anew, once the worker of another process has finished.
pub async fn rebuild(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<(), ApiError> {
    conn.transaction(async |conn| {
        conn.batch_execute(
            "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SELECT pg_advisory_xact_lock(5052)",
        )
        .await?;
        add_up_anew(conn, now).await
    })
    .await
}
