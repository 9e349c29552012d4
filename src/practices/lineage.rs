//! Where a practice comes from, and where it went: sheets name sheets, initiatives name sheets, across communes.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::dto::{LineageEntry, LineageKind, PracticeLineage};
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::ids::PracticeId;
use crate::initiatives::dto::CommuneSummary;

/// How many descendants are named.
const DESCENDANTS_MAX: i64 = 100;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: LineageKind,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    steps: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    inspired_by: Option<Uuid>,
    #[diesel(sql_type = Bool)]
    is_public: bool,
}

impl From<Row> for LineageEntry {
    fn from(row: Row) -> Self {
        Self {
            kind: row.kind,
            id: row.id,
            title: row.title,
            commune: CommuneSummary {
                code: row.code,
                name: row.name,
            },
            steps: row.steps,
            inspired_by_practice_id: row.inspired_by.map(PracticeId),
            is_public: row.is_public,
        }
    }
}

/// What was published once is in the line for ever, by its name; a draft, and an initiative that is not public, is not.
const ANCESTORS: &str = "
    WITH RECURSIVE line AS (
        SELECT inspired_by_practice_id AS id, 1 AS steps FROM practices WHERE id = $1
        UNION ALL
        SELECT p.inspired_by_practice_id, line.steps + 1 FROM line JOIN practices AS p ON p.id = line.id
        WHERE line.steps < 20
    )
    SELECT 'practice' AS kind, p.id, p.title, c.code, c.name, line.steps, p.inspired_by_practice_id AS inspired_by,
        p.state = 'published' AS is_public
    FROM line JOIN practices AS p ON p.id = line.id JOIN communes AS c ON c.code = p.commune_code ORDER BY line.steps";

const DESCENDANTS: &str = "
    WITH RECURSIVE line AS (
        SELECT id, 0 AS steps FROM practices WHERE id = $1
        UNION ALL
        SELECT p.id, line.steps + 1 FROM line JOIN practices AS p ON p.inspired_by_practice_id = line.id
        WHERE line.steps < 20 AND p.published_at IS NOT NULL
    ), found AS (
        SELECT 'practice' AS kind, p.id, p.title, p.commune_code, line.steps, p.inspired_by_practice_id AS inspired_by,
            p.state = 'published' AS is_public, p.created_at
        FROM line JOIN practices AS p ON p.id = line.id WHERE line.steps > 0
        UNION ALL
        SELECT 'initiative', i.id, i.title, i.commune_code, line.steps + 1, i.inspired_by_practice_id, true, i.created_at
        FROM line JOIN initiatives AS i ON i.inspired_by_practice_id = line.id
        WHERE i.published_at IS NOT NULL AND line.steps < 20
    )
    SELECT kind, id, title, code, name, steps, inspired_by, is_public
    FROM found JOIN communes ON code = commune_code ORDER BY steps, created_at, id LIMIT $2";

/// The line of a sheet that was published.
pub async fn of(conn: &mut AsyncPgConnection, id: PracticeId) -> Result<PracticeLineage, ApiError> {
    let ancestors: Vec<Row> = diesel::sql_query(ANCESTORS)
        .bind::<SqlUuid, _>(id)
        .load(conn)
        .await?;
    let descendants: Vec<Row> = diesel::sql_query(DESCENDANTS)
        .bind::<SqlUuid, _>(id)
        .bind::<diesel::sql_types::BigInt, _>(DESCENDANTS_MAX + 1)
        .load(conn)
        .await?;
    let descendants = Page::cut(descendants, DESCENDANTS_MAX);
    let shown = |rows: Vec<Row>| rows.into_iter().map(LineageEntry::from).collect();
    Ok(PracticeLineage {
        ancestors: shown(ancestors),
        has_more: descendants.has_more,
        descendants: shown(descendants.items),
    })
}
