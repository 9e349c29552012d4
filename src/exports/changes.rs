//! Whether something that everybody may read has changed since an export was made, without reading it: the change feed
//! tells of most, and the database counts the changes of the rest (migration 14).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::changes::model as feed;
use crate::http::error::ApiError;
use crate::state::Session;

/// The state of everything that an export is made of.
#[derive(Debug, QueryableByName)]
pub struct Stamp {
    /// Grows with every change.
    #[diesel(sql_type = BigInt)]
    pub changes: i64,
    /// When the last change began, by the database's clock.
    #[diesel(sql_type = Timestamptz)]
    pub changed_at: DateTime<Utc>,
}

/// The stamp of these sources, of one commune or of all: kinds of the change feed, and tables that the feed does not
/// follow. What the migration wrote counts for every table.
pub async fn stamp(
    conn: &mut AsyncPgConnection,
    sources: &[&str],
    commune: Option<&str>,
) -> Result<Stamp, ApiError> {
    feed::head(conn).await?;
    let of_commune = commune.map_or("AND $2 IS NULL", |_| "AND commune_code = $2");
    let found = diesel::sql_query(format!(
        "WITH told AS (
            SELECT last.position, last.at FROM unnest($1) AS source CROSS JOIN LATERAL (
                SELECT position, at FROM changes WHERE kind = source AND position IS NOT NULL {of_commune}
                ORDER BY position DESC LIMIT 1) AS last
        ), counted AS (
            SELECT changes, changed_at FROM public_changes
            WHERE source = 'all' OR (source = ANY ($1) {of_commune})
        )
        SELECT ((SELECT sum(changes) FROM counted) + coalesce((SELECT max(position) FROM told), 0))::bigint AS changes,
            greatest((SELECT max(changed_at) FROM counted), (SELECT max(at) FROM told)) AS changed_at"
    ))
    .bind::<Array<Text>, _>(sources)
    .bind::<Nullable<Text>, _>(commune)
    .get_result(conn)
    .await?;
    Ok(found)
}

/// Adds up the rows of each table and commune where there are several, and tells how many are gone. The sums stay the
/// same, so nobody sees it.
pub async fn add_up(session: &mut Session) -> Result<usize, ApiError> {
    let gone = diesel::sql_query(
        "WITH gone AS (
            DELETE FROM public_changes WHERE (source, commune_code) IN
                (SELECT source, commune_code FROM public_changes GROUP BY 1, 2 HAVING count(*) > 1 LIMIT 100)
            RETURNING source, commune_code, changes, changed_at
        )
        INSERT INTO public_changes (source, commune_code, changes, changed_at)
        SELECT source, commune_code, sum(changes), max(changed_at) FROM gone GROUP BY 1, 2",
    )
    .execute(&mut session.conn)
    .await?;
    Ok(gone)
}
