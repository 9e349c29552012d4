//! Models of articles in the database. Versions are added, never changed.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::articles::own;
use super::dto::{Article, ConventionTemplate, ConventionTemplateSummary};
use crate::db::schema::convention_templates as templates;
use crate::http::cursor::Page;
use crate::http::error::{ApiError, FaultCode};
use crate::ids::{TemplateId, UserId};
use crate::state::Session;

/// A row of `convention_templates`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = templates)]
struct TemplateRow {
    id: TemplateId,
    commune_code: String,
    version: i32,
    articles: serde_json::Value,
    saved_by: UserId,
    saved_at: DateTime<Utc>,
}

impl TemplateRow {
    fn show(self) -> Result<ConventionTemplate, ApiError> {
        Ok(ConventionTemplate {
            id: self.id,
            commune_code: self.commune_code,
            version: self.version,
            articles: serde_json::from_value(self.articles).map_err(ApiError::internal)?,
            saved_at: Some(self.saved_at),
        })
    }
}

/// Version 0 in a commune: the program's own.
fn version_zero(commune: &str) -> Result<ConventionTemplate, ApiError> {
    Ok(ConventionTemplate {
        id: TemplateId::first(commune)?,
        commune_code: commune.to_owned(),
        version: 0,
        articles: own().to_vec(),
        saved_at: None,
    })
}

/// The versions of a commune, the latest first, the program's own last.
pub async fn list(
    conn: &mut AsyncPgConnection,
    commune: &str,
    after: Option<i32>,
    limit: i64,
) -> Result<Page<ConventionTemplateSummary>, ApiError> {
    let rows: Vec<(TemplateId, i32, DateTime<Utc>)> = templates::table
        .filter(templates::commune_code.eq(commune))
        .filter(templates::version.lt(after.unwrap_or(i32::MAX)))
        .order(templates::version.desc())
        .limit(limit + 1)
        .select((templates::id, templates::version, templates::saved_at))
        .load(conn)
        .await?;
    let mut items: Vec<_> = rows
        .into_iter()
        .map(|(id, version, saved_at)| ConventionTemplateSummary {
            id,
            version,
            saved_at: Some(saved_at),
        })
        .collect();
    if after != Some(0) {
        items.push(ConventionTemplateSummary {
            id: TemplateId::first(commune)?,
            version: 0,
            saved_at: None,
        });
    }
    Ok(Page::cut(items, limit))
}

/// One version; 404 where there is none.
pub async fn find(
    conn: &mut AsyncPgConnection,
    id: TemplateId,
) -> Result<ConventionTemplate, ApiError> {
    let commune = id.commune();
    if TemplateId::first(&commune).is_ok_and(|first| first == id) {
        crate::communes::model::find(conn, &commune).await?;
        return version_zero(&commune);
    }
    templates::table
        .find((id, commune))
        .select(TemplateRow::as_select())
        .first(conn)
        .await?
        .show()
}

/// The version that conventions are opened with.
pub async fn latest(
    conn: &mut AsyncPgConnection,
    commune: &str,
) -> Result<ConventionTemplate, ApiError> {
    let row = templates::table
        .filter(templates::commune_code.eq(commune))
        .order(templates::version.desc())
        .select(TemplateRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map_or_else(|| version_zero(commune), TemplateRow::show)
}

/// Saves the version that follows another one. Of two who follow the same one the database takes the first.
pub async fn save(
    session: &mut Session,
    commune: &str,
    follows: i32,
    articles: &[Article],
) -> Result<ConventionTemplate, ApiError> {
    if follows > latest(&mut session.conn, commune).await?.version {
        return Err(ApiError::fault(
            "/follows",
            FaultCode::NotFound,
            "La commune n'a pas cette version.",
            "The commune has no such version.",
        ));
    }
    let row = TemplateRow {
        id: TemplateId::new(commune, session.now)?,
        commune_code: commune.to_owned(),
        version: follows + 1,
        articles: serde_json::to_value(articles).map_err(ApiError::internal)?,
        saved_by: session.actor.person()?.id,
        saved_at: session.now,
    };
    diesel::insert_into(templates::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    row.show()
}
