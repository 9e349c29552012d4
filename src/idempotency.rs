//! `Idempotency-Key`: a POST that is sent again does its work once. The stored answer is written in the transaction of
//! the work, so that neither exists without the other.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::auth::caller::Request;
use crate::db::schema::idempotency_keys as keys;
use crate::http::cursor::Cursors;
use crate::http::error::{ApiError, Code};
use crate::http::reply::{Answer, Reply};
use crate::ids::UserId;
use crate::state::Session;

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = keys)]
struct Stored {
    user_id: UserId,
    operation: String,
    key: String,
    body_digest: Vec<u8>,
    status: i16,
    body: Option<String>,
    etag: Option<String>,
    location: Option<String>,
    created_at: DateTime<Utc>,
}

/// Does the work, or gives the answer that it gave before.
pub async fn once<F>(session: &mut Session, request: &Request, secret: &Cursors, work: F) -> Answer
where
    F: AsyncFnOnce(&mut Session) -> Answer,
{
    let Some(key) = request.idempotency_key.clone() else {
        return work(session).await;
    };
    // Those who have no account yet are all one caller: key and body together tell them apart.
    let user_id = session.actor.user_id().unwrap_or(UserId(Uuid::nil()));
    // A second insert of the same key would only wait; the lock answers at once.
    let name = format!("{} {} {}", user_id, request.operation, key);
    let free: bool = diesel::select(
        sql::<Bool>("pg_try_advisory_xact_lock(hashtextextended(")
            .bind::<Text, _>(name)
            .sql(", 5050))"),
    )
    .get_result(&mut session.conn)
    .await?;
    if !free {
        return Err(ApiError::new(Code::StillRunning).retry_after(1));
    }
    let digest = secret.digest(&request.sent());
    let known: Option<Stored> = keys::table
        .find((user_id, &request.operation, &key))
        .select(Stored::as_select())
        .first(&mut session.conn)
        .await
        .optional()?;
    match known {
        Some(stored) if stored.created_at + KEPT > session.now => {
            if stored.body_digest != digest {
                return Err(ApiError::new(Code::IdempotencyMismatch));
            }
            return Ok(Reply {
                status: u16::try_from(stored.status).unwrap_or(200),
                etag: stored.etag,
                location: stored.location,
                replayed: true,
                body: stored.body,
                ..Reply::no_content()
            });
        }
        Some(_) => {
            diesel::delete(keys::table.find((user_id, &request.operation, &key)))
                .execute(&mut session.conn)
                .await?;
        }
        None => {}
    }
    let reply = work(session).await?;
    let stored = Stored {
        user_id,
        operation: request.operation.clone(),
        key,
        body_digest: digest,
        status: i16::try_from(reply.status).unwrap_or(200),
        body: reply.kept.as_ref().or(reply.body.as_ref()).cloned(),
        etag: reply.etag.clone(),
        location: reply.location.clone(),
        created_at: session.now,
    };
    diesel::insert_into(keys::table)
        .values(&stored)
        .execute(&mut session.conn)
        .await?;
    Ok(reply)
}

/// Forgets answers older than a day; the program does so every hour.
pub async fn forget(
    conn: &mut diesel_async::AsyncPgConnection,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::delete(keys::table.filter(keys::created_at.lt(now - KEPT)))
        .execute(conn)
        .await
}
