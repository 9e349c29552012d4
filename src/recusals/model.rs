//! Recusals in the database. What they keep their person from is read with every standing: `auth/actor.rs`.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Recusal, RecusalGrounds};
use crate::db::contestable_until;
use crate::db::schema::{recusals, users};
use crate::http::error::{ApiError, FaultCode};
use crate::ids::{InitiativeId, MandateId, RecusalId, UserId};
use crate::initiatives::model::in_time;
use crate::mandates;
use crate::mandates::dto::PersonSummary;
use crate::state::Session;

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
    pub contested_at: Option<DateTime<Utc>>,
    pub contest_reason: Option<String>,
}

/// Who has contested a recusal in a matter says themselves when they stand aside in it after all.
pub async fn refuse_again(
    conn: &mut AsyncPgConnection,
    initiative: InitiativeId,
    person: UserId,
) -> Result<(), ApiError> {
    let contested = recusals::table
        .filter(recusals::initiative_id.eq(initiative))
        .filter(recusals::commune_code.eq(initiative.commune()))
        .filter(recusals::user_id.eq(person))
        .filter(recusals::contested_at.is_not_null());
    if diesel::select(exists(contested)).get_result(conn).await? {
        return Err(ApiError::requirement(
            "Cette personne a contesté un déport dans cette affaire : elle seule peut encore se déporter.",
            "This person has contested a recusal in this matter: only they can still stand aside.",
        ));
    }
    Ok(())
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

/// Marks the recusal of the caller that somebody else recorded as contested; the caller holds the initiative.
pub async fn contest(
    session: &mut Session,
    initiative: InitiativeId,
    reason: &str,
) -> Result<RecusalId, ApiError> {
    let me = session.actor.person()?.id;
    let recorded: Option<(RecusalId, NaiveDate)> = recusals::table
        .filter(recusals::initiative_id.eq(initiative))
        .filter(recusals::commune_code.eq(initiative.commune()))
        .filter(recusals::user_id.eq(me))
        .filter(recusals::recorded_by.is_not_null())
        .filter(recusals::contested_at.is_null())
        .select((recusals::id, contestable_until(recusals::recused_at)))
        .first(&mut session.conn)
        .await
        .optional()?;
    let (id, until) = recorded.ok_or_else(|| {
        ApiError::requirement(
            "Seul un déport qu'un agent a enregistré en votre nom se conteste.",
            "Only a recusal that an agent recorded in your name is contested.",
        )
    })?;
    in_time(me, me, session.today(), until)?;
    diesel::update(recusals::table.find((id, initiative.commune())))
        .set((
            recusals::contested_at.eq(session.now),
            recusals::contest_reason.eq(reason),
        ))
        .execute(&mut session.conn)
        .await?;
    Ok(id)
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
        .filter(recusals::contested_at.is_null())
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
    let rows: Vec<(RecusalRow, NaiveDate, String, Option<String>)> = recusals::table
        .inner_join(users::table.on(users::id.eq(recusals::user_id)))
        .left_join(agents.on(agents.field(users::id).nullable().eq(recusals::recorded_by)))
        .filter(recusals::initiative_id.eq(initiative))
        .filter(recusals::commune_code.eq(initiative.commune()))
        .order((recusals::recused_at, recusals::id))
        .select((
            RecusalRow::as_select(),
            contestable_until(recusals::recused_at),
            users::display_name,
            agents.field(users::display_name).nullable(),
        ))
        .load(conn)
        .await?;
    let named = |id, display_name| PersonSummary { id, display_name };
    Ok(rows
        .into_iter()
        .map(|(row, until, person, agent)| Recusal {
            id: row.id,
            person: named(row.user_id, person),
            grounds: row.grounds,
            text: row.text,
            recorded_by: row.recorded_by.zip(agent).map(|(id, name)| named(id, name)),
            recused_at: row.recused_at,
            contestable_until: row.recorded_by.map(|_| until),
            contested_at: row.contested_at,
            contest_reason: row.contest_reason,
        })
        .collect())
}
