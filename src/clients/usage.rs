//! How much clients do. A request is counted in memory, which slows nothing; every few seconds, and when the program
//! ends, what was counted is added in the database in one statement.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Text, Timestamptz, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tokio::sync::oneshot;

use super::dto::{ClientUsage, UsageOutcome};
use crate::clock::paris_day;
use crate::db::schema::client_usage as usage;
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::ids::ClientId;
use crate::state::{Session, State};

/// How often what was counted is written.
const PAUSE: Duration = Duration::from_secs(5);
/// How long usage is kept: a year can be held against the one before.
const KEPT: TimeDelta = TimeDelta::days(2 * 366);

/// Client, day, tag, how it ended.
type Key = (ClientId, NaiveDate, String, UsageOutcome);

/// What was counted and is not written yet.
#[derive(Default)]
pub struct Usage(Mutex<BTreeMap<Key, (i64, DateTime<Utc>)>>);

impl Usage {
    /// Counts a request.
    pub fn count(&self, client: ClientId, tag: &str, status: StatusCode, now: DateTime<Utc>) {
        let outcome = match status.as_u16() {
            ..300 => UsageOutcome::Done,
            300..400 => UsageOutcome::Elsewhere,
            400..500 => UsageOutcome::Refused,
            500.. => UsageOutcome::Failed,
        };
        self.add((client, paris_day(now), tag.to_owned(), outcome), 1, now);
    }

    fn add(&self, key: Key, requests: i64, at: DateTime<Utc>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last_at) = counted.entry(key).or_insert((0, at));
        *count += requests;
        *last_at = at.max(*last_at);
    }

    fn take(&self) -> BTreeMap<Key, (i64, DateTime<Utc>)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes what was counted since the last time. What cannot be written is counted with the next.
pub async fn flush(state: &State) -> Result<(), ApiError> {
    let counted = state.usage.take();
    if counted.is_empty() {
        return Ok(());
    }
    let written = match state.pool.get().await {
        Ok(mut conn) => write(&mut conn, &counted).await.map_err(ApiError::from),
        Err(error) => Err(ApiError::busy(error)),
    };
    if written.is_err() {
        for (key, (requests, at)) in counted {
            state.usage.add(key, requests, at);
        }
    }
    written
}

/// In the order of the key, so that two programs never wait for each other; what a client that is gone has done goes with it.
async fn write(
    conn: &mut AsyncPgConnection,
    counted: &BTreeMap<Key, (i64, DateTime<Utc>)>,
) -> QueryResult<()> {
    let each = || counted.iter();
    diesel::sql_query(
        "INSERT INTO client_usage (client_id, commune_code, day, tag, outcome, requests, last_at) \
         SELECT c.id, c.commune_code, u.day, u.tag, u.outcome, u.requests, u.last_at \
         FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY \
             AS u (client_id, commune_code, day, tag, outcome, requests, last_at, place) \
         JOIN clients AS c ON (c.id, c.commune_code) = (u.client_id, u.commune_code) \
         ORDER BY u.place \
         ON CONFLICT (client_id, commune_code, day, tag, outcome) DO UPDATE \
             SET requests = client_usage.requests + excluded.requests, \
                 last_at = greatest(client_usage.last_at, excluded.last_at)",
    )
    .bind::<Array<Uuid>, _>(each().map(|((client, ..), _)| *client).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(
        each()
            .map(|((client, ..), _)| client.commune())
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Date>, _>(each().map(|((_, day, ..), _)| *day).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(each().map(|((.., tag, _), _)| tag).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(
        each()
            .map(|((.., outcome), _)| *outcome)
            .collect::<Vec<_>>(),
    )
    .bind::<Array<BigInt>, _>(
        each()
            .map(|(_, (requests, _))| *requests)
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Timestamptz>, _>(each().map(|(_, (_, at))| *at).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes until the program ends, and then once more.
pub async fn run(state: State, mut end: oneshot::Receiver<()>) {
    let mut pauses = tokio::time::interval(PAUSE);
    loop {
        let ends = tokio::select! {
            _ = pauses.tick() => false,
            _ = &mut end => true,
        };
        if let Err(error) = flush(&state).await {
            tracing::warn!(cause = %error, "usage of clients");
        }
        if ends {
            return;
        }
    }
}

/// Where an entry stands in the list.
pub type Position = (NaiveDate, String, UsageOutcome);

/// The usage of a client, the latest day first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    after: Option<Position>,
    limit: i64,
) -> QueryResult<Page<ClientUsage>> {
    let mut query = usage::table
        .filter(usage::client_id.eq(client))
        .filter(usage::commune_code.eq(client.commune()))
        .order((usage::day.desc(), usage::tag, usage::outcome))
        .limit(limit + 1)
        .select((
            usage::day,
            usage::tag,
            usage::outcome,
            usage::requests,
            usage::last_at,
        ))
        .into_boxed();
    if let Some((day, tag, outcome)) = after {
        query = query.filter(
            usage::day.lt(day).or(usage::day.eq(day).and(
                usage::tag
                    .gt(tag.clone())
                    .or(usage::tag.eq(tag).and(usage::outcome.gt(outcome))),
            )),
        );
    }
    let rows: Vec<(NaiveDate, String, UsageOutcome, i64, DateTime<Utc>)> = query.load(conn).await?;
    let shown = rows
        .into_iter()
        .map(|(day, tag, outcome, requests, last_at)| ClientUsage {
            day,
            tag,
            outcome,
            requests,
            last_at,
        });
    Ok(Page::cut(shown.collect(), limit))
}

/// When each of these clients last called, as far as it is written.
pub async fn last_used(
    conn: &mut AsyncPgConnection,
    clients: &[ClientId],
) -> QueryResult<BTreeMap<ClientId, Option<DateTime<Utc>>>> {
    let rows: Vec<(ClientId, Option<DateTime<Utc>>)> = usage::table
        .filter(usage::client_id.eq_any(clients))
        .group_by(usage::client_id)
        .select((usage::client_id, diesel::dsl::max(usage::last_at)))
        .load(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Forgets usage of long ago. Returns how many entries.
pub async fn forget(session: &mut Session) -> Result<usize, ApiError> {
    let old = usage::table.filter(usage::day.lt(session.today() - KEPT));
    Ok(diesel::delete(old).execute(&mut session.conn).await?)
}
