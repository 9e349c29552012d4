//! `/v1/changes`, `/v1/communes/{code}/changes`

use std::time::Duration;

use actix_web::{get, web};
use diesel_async::AsyncPgConnection;
use tokio::time::Instant;

use super::dto::{ChangeFilter, ChangePage, FeedEntry};
use super::model::{self, ChangeRow, Part};
use super::watch;
use crate::auth::caller::Anyone;
use crate::clock::paris_day;
use crate::communes;
use crate::http::cursor::{Cursors, LIMIT_DEFAULT};
use crate::http::error::{ApiError, Code};
use crate::http::extract::Query;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes.service(list_changes).service(list_commune_changes);
}

/// What all cursors of the feed belong to: they go with every commune and every kind.
const SCOPE: &str = "/v1/changes";
/// The end of the feed, whatever that is now.
const NOW: &str = "now";

/// The cursor of a place.
fn cursor(cursors: &Cursors, position: i64) -> Result<String, ApiError> {
    cursors.seal(SCOPE, &position)
}

/// A page of the feed as everybody may read it; waits for one where that is asked, without a connection to the database.
async fn follow(state: &State, commune: Option<&str>, filter: &ChangeFilter) -> Answer {
    let until = Instant::now() + Duration::from_secs(filter.wait.unwrap_or(0));
    let limit = filter.limit.unwrap_or(LIMIT_DEFAULT);
    let mut after: Option<i64> = match filter.after.as_deref() {
        None => Some(0),
        Some(NOW) => None,
        Some(cursor) => Some(state.cursors.open(SCOPE, cursor)?),
    };
    loop {
        let (page, next) = page(state, commune, filter, after, limit).await?;
        after = Some(next);
        let waits = page.data.is_empty() && !page.has_more;
        if !waits || !watch::passes(state, commune, next, until).await {
            return Reply::data(&page);
        }
    }
}

/// A page behind a place or, without one, behind the end of the feed; and where to go on.
async fn page(
    state: &State,
    commune: Option<&str>,
    filter: &ChangeFilter,
    after: Option<i64>,
    limit: i64,
) -> Result<(ChangePage, i64), ApiError> {
    let mut conn = state.pool.get().await.map_err(ApiError::busy)?;
    let head = model::head(&mut conn).await?;
    let after = after.unwrap_or(head);
    // A place that the feed has not come to: the database is an older one, and whoever has this cursor knows more than it.
    if after > head {
        return Err(ApiError::new(Code::InvalidCursor));
    }
    let part = Part {
        commune,
        kinds: filter.kind.as_deref(),
        after,
        head,
    };
    let found = model::list(&mut conn, &part, limit).await?;
    let next = match found.items.last() {
        Some(last) if found.has_more => last.position,
        _ => head,
    };
    let page = ChangePage {
        data: shown(state, &mut conn, found.items).await?,
        has_more: found.has_more,
        next_cursor: cursor(&state.cursors, next)?,
    };
    Ok((page, next))
}

/// Changes as everybody may read them now.
pub async fn shown(
    state: &State,
    conn: &mut AsyncPgConnection,
    rows: Vec<ChangeRow>,
) -> Result<Vec<FeedEntry>, ApiError> {
    let today = paris_day(state.clock.now());
    let resources = model::resources(conn, today, &rows).await?;
    let mut changes = Vec::new();
    for row in rows {
        let resource = resources.get(&row.subject_id).cloned();
        if let Some(change) = row.seen_as(resource.is_some()) {
            changes.push(FeedEntry {
                cursor: cursor(&state.cursors, row.position)?,
                kind: row.kind,
                id: row.subject_id,
                commune_code: row.commune_code,
                change,
                at: row.at,
                resource,
            });
        }
    }
    Ok(changes)
}

/// Follow the changes of all communes
///
/// What has changed of what everybody may read, in the order in which it was committed, without a gap: whoever keeps a
/// copy takes the cursor of `after=now`, reads the lists, and then follows the feed from that cursor: put in place what has a
/// `resource`, remove what has none. With `wait` the answer comes with the first change, or empty after so many seconds.
/// Behind a cursor that is not known any more comes 400 `invalid_cursor`: begin anew with the lists.
#[utoipa::path(
    tag = "changes",
    params(ChangeFilter),
    responses((status = 200, description = "A page of changes.", body = ChangePage)),
    security(()),
)]
#[get("/v1/changes")]
pub async fn list_changes(
    state: web::Data<State>,
    _anyone: Anyone,
    filter: Query<ChangeFilter>,
) -> Answer {
    follow(&state, None, &filter.0).await
}

/// Follow the changes of a commune
///
/// The same for one commune. Cursors go with both.
#[utoipa::path(
    tag = "changes",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), ChangeFilter),
    responses((status = 200, description = "A page of changes.", body = ChangePage)),
    security(()),
)]
#[get("/v1/communes/{code}/changes")]
pub async fn list_commune_changes(
    state: web::Data<State>,
    _anyone: Anyone,
    code: web::Path<String>,
    filter: Query<ChangeFilter>,
) -> Answer {
    {
        let mut conn = state.pool.get().await.map_err(ApiError::busy)?;
        communes::model::find(&mut conn, &code).await?;
    }
    follow(&state, Some(&code), &filter.0).await
}
