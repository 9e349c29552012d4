//! Lists of conventions, in one query with everything that a screen needs.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{ConventionFilter, ConventionSummary, InitiativeTitle};
use super::lifecycle::ConventionState;
use crate::auth::actor::Actor;
use crate::commitments::dto::BindingConvention;
use crate::db::schema::{communes, conventions, holders, initiatives};
use crate::holders::dto::{HolderKind, HolderSummary};
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::ids::{ConventionId, HolderId, InitiativeId};
use crate::initiatives::dto::CommuneSummary;

/// Where an item stands.
pub type Position = (DateTime<Utc>, ConventionId);

#[derive(Queryable, Selectable)]
#[diesel(table_name = conventions)]
struct ItemRow {
    id: ConventionId,
    root_id: ConventionId,
    number: i32,
    object: String,
    state: ConventionState,
    state_changed_at: DateTime<Utc>,
    starts_on: chrono::NaiveDate,
    ends_on: chrono::NaiveDate,
    activated_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

type Joined = (
    ItemRow,
    (String, String),
    (InitiativeId, String),
    (HolderId, HolderKind, String),
);

fn item((row, commune, initiative, holder): Joined) -> ConventionSummary {
    ConventionSummary {
        id: row.id,
        root_id: row.root_id,
        number: row.number,
        commune: CommuneSummary {
            code: commune.0,
            name: commune.1,
        },
        initiative: InitiativeTitle {
            id: initiative.0,
            title: initiative.1,
        },
        holder: HolderSummary {
            id: holder.0,
            kind: holder.1,
            name: holder.2,
        },
        object: row.object,
        state: row.state,
        state_changed_at: row.state_changed_at,
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        activated_at: row.activated_at,
        created_at: row.created_at,
    }
}

/// The tables and columns of an item.
macro_rules! items {
    () => {
        conventions::table
            .inner_join(communes::table)
            .inner_join(
                initiatives::table.on(initiatives::id
                    .eq(conventions::initiative_id)
                    .and(initiatives::commune_code.eq(conventions::commune_code))),
            )
            .inner_join(
                holders::table.on(holders::id
                    .eq(conventions::holder_id)
                    .and(holders::commune_code.eq(conventions::commune_code))),
            )
            .select((
                ItemRow::as_select(),
                (communes::code, communes::name),
                (initiatives::id, initiatives::title),
                (holders::id, holders::kind, holders::name),
            ))
    };
}

/// A page of the list, the newest first: what is public, or everything of a commune for its town hall.
pub async fn list(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    filter: &ConventionFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<ConventionSummary>, ApiError> {
    let mut query = items!()
        .order((conventions::created_at.desc(), conventions::id.desc()))
        .limit(limit + 1)
        .into_boxed();
    let commune = filter.commune.as_deref().unwrap_or_default();
    if !actor.standing_in(commune).is_town_hall() {
        query = query
            .filter(conventions::activated_at.is_not_null())
            .filter(initiatives::published_at.is_not_null());
    }
    if let Some(commune) = &filter.commune {
        query = query.filter(conventions::commune_code.eq(commune.clone()));
    }
    if let Some(states) = &filter.state {
        query = query.filter(conventions::state.eq_any(states.clone()));
    }
    if let Some((created_at, id)) = after {
        query = query.filter(conventions::created_at.le(created_at)).filter(
            conventions::created_at
                .lt(created_at)
                .or(conventions::id.lt(id)),
        );
    }
    let found: Vec<Joined> = query.load(conn).await?;
    Ok(Page::cut(found.into_iter().map(item).collect(), limit))
}

/// The versions of one initiative, the oldest first; `inside` with drafts, open and cancelled ones.
pub async fn of_initiative(
    conn: &mut AsyncPgConnection,
    initiative: InitiativeId,
    inside: bool,
) -> Result<Vec<ConventionSummary>, ApiError> {
    let mut query = items!()
        .filter(conventions::initiative_id.eq(initiative))
        .filter(conventions::commune_code.eq(initiative.commune()))
        .order((conventions::created_at, conventions::number))
        .into_boxed();
    if !inside {
        query = query.filter(conventions::activated_at.is_not_null());
    }
    let found: Vec<Joined> = query.load(conn).await?;
    Ok(found.into_iter().map(item).collect())
}

/// These versions, as far as everybody may read them.
pub async fn public(
    conn: &mut AsyncPgConnection,
    ids: Vec<ConventionId>,
) -> QueryResult<Vec<ConventionSummary>> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let found: Vec<Joined> = items!()
        .filter(conventions::id.eq_any(ids))
        .filter(conventions::commune_code.eq_any(communes))
        .filter(conventions::activated_at.is_not_null())
        .filter(initiatives::published_at.is_not_null())
        .load(conn)
        .await?;
    Ok(found.into_iter().map(item).collect())
}

/// The version that binds the commitments of an initiative: the one in force, else the last one that was.
pub async fn binding(
    conn: &mut AsyncPgConnection,
    initiative: InitiativeId,
) -> QueryResult<Option<BindingConvention>> {
    let found: Option<ItemRow> = conventions::table
        .filter(conventions::initiative_id.eq(initiative))
        .filter(conventions::commune_code.eq(initiative.commune()))
        .filter(conventions::activated_at.is_not_null())
        .order(conventions::activated_at.desc())
        .select(ItemRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(|row| BindingConvention {
        id: row.id,
        number: row.number,
        state: row.state,
        state_changed_at: row.state_changed_at,
        starts_on: row.starts_on,
        ends_on: row.ends_on,
    }))
}
