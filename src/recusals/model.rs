//! Recusals in the database. What they keep their person from is read with every standing: `auth/actor.rs`.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Recusal, RecusalGrounds};
use crate::db::schema::{recusals, users};
use crate::http::error::{ApiError, FaultCode};
use crate::ids::{InitiativeId, MandateId, RecusalId, UserId};
use crate::mandates;
use crate::mandates::dto::PersonSummary;

/// A row of `recusals`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = recusals)]
pub struct RecusalRow {
    pub id: RecusalId,
    pub commune_code: String,
    pub initiative_id: InitiativeId,
    pub user_id: UserId,
    pub grounds: RecusalGrounds,
    pub text: Option<String>,
    pub recorded_by: Option<UserId>,
    pub recused_at: DateTime<Utc>,
}

/// Adds a row; the caller holds the initiative, so that nobody decides at the same moment.
pub async fn insert(conn: &mut AsyncPgConnection, row: &RecusalRow) -> Result<(), ApiError> {
    diesel::insert_into(recusals::table)
        .values(row)
        .execute(conn)
        .await?;
    Ok(())
}

/// Who holds a mandate of the commune that counts on a day; 422 when nobody does.
pub async fn holder_of(
    conn: &mut AsyncPgConnection,
    mandate: MandateId,
    commune: &str,
    day: NaiveDate,
) -> Result<UserId, ApiError> {
    let held = mandates::model::of_commune(conn, mandate, commune).await?;
    let covering = held.filter(|held| held.covers(day));
    covering.map(|held| held.user_id).ok_or_else(|| {
        ApiError::fault(
            "/mandate_id",
            FaultCode::NotFound,
            "Aucun mandat de la commune qui compte aujourd'hui n'a cet identifiant.",
            "No mandate of the commune that counts today has this id.",
        )
    })
}

/// Those of these people who stand aside in a matter.
pub async fn who(
    conn: &mut AsyncPgConnection,
    initiative: InitiativeId,
    people: &[UserId],
) -> Result<HashSet<UserId>, ApiError> {
    let found: Vec<UserId> = recusals::table
        .filter(recusals::initiative_id.eq(initiative))
        .filter(recusals::commune_code.eq(initiative.commune()))
        .filter(recusals::user_id.eq_any(people))
        .select(recusals::user_id)
        .load(conn)
        .await?;
    Ok(found.into_iter().collect())
}

/// The recusals in a matter, the first one first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    initiative: InitiativeId,
) -> Result<Vec<Recusal>, ApiError> {
    let agents = diesel::alias!(users as agents);
    let rows: Vec<(RecusalRow, String, Option<String>)> = recusals::table
        .inner_join(users::table.on(users::id.eq(recusals::user_id)))
        .left_join(agents.on(agents.field(users::id).nullable().eq(recusals::recorded_by)))
        .filter(recusals::initiative_id.eq(initiative))
        .filter(recusals::commune_code.eq(initiative.commune()))
        .order((recusals::recused_at, recusals::id))
        .select((
            RecusalRow::as_select(),
            users::display_name,
            agents.field(users::display_name).nullable(),
        ))
        .load(conn)
        .await?;
    let named = |id, display_name| PersonSummary { id, display_name };
    Ok(rows
        .into_iter()
        .map(|(row, person, agent)| Recusal {
            id: row.id,
            person: named(row.user_id, person),
            grounds: row.grounds,
            text: row.text,
            recorded_by: row.recorded_by.zip(agent).map(|(id, name)| named(id, name)),
            recused_at: row.recused_at,
        })
        .collect())
}
