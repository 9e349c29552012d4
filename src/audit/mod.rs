//! The history: what happened, in order, for ever. An entry is written in the transaction of its change.

pub mod dto;

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::auth::caller::Request;
use crate::auth::policy::{Role, Standing};
use crate::codes::codes;
use crate::db::schema::{events, users};
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::http::paging::Paging;
use crate::http::reply::Answer;
use crate::ids::{EventId, InitiativeId, UserId};
use crate::mandates::dto::PersonSummary;
use crate::state::{Session, State};
use dto::{HistoryEntry, HistoryPage};

codes! {
    /// Who reads an entry of the history, besides whoever may read what it is about.
    pub enum Visibility "history_visibilities" {
        Public = "public", "Tout le monde", "Everybody";
        Parties = "parties", "Le porteur et la commune", "The holder and the commune";
        Commune = "commune", "La commune", "The commune";
    }
}

codes! {
    /// What an entry of the history is about.
    pub enum Subject "history_subjects" {
        Initiative = "initiative", "Initiative", "Initiative";
        Commitment = "commitment", "Engagement", "Commitment";
        Fulfilment = "fulfilment", "Réalisation", "Fulfilment";
        HandOver = "hand_over", "Passage de relais", "Hand-over";
        Convention = "convention", "Convention", "Convention";
        Evaluation = "evaluation", "Bilan", "Evaluation";
        Recusal = "recusal", "Déport", "Recusal";
        Authority = "authority", "Acte d'autorisation", "Authority";
        Document = "document", "Document", "Document";
        Holder = "holder", "Porteur", "Holder";
        Webhook = "webhook", "Webhook", "Webhook";
        Practice = "practice", "Fiche de bonne pratique", "Practice sheet";
        Client = "client", "Programme d'un partenaire", "Program of a partner";
    }
}

codes! {
    /// What the clock says of something that waits.
    pub enum Notice "history_notices" {
        Remind = "remind", "Rappeler", "Remind";
        Overdue = "overdue", "Signaler le retard", "Mark as late";
    }
}

codes! {
    /// How something came to be, changed or went, where its lifecycle has no action for it.
    pub enum Beginning "history_beginnings" {
        Propose = "propose", "Proposer", "Propose";
        Record = "record", "Déclarer", "Record";
        Create = "create", "Rédiger", "Draft";
        Update = "update", "Modifier", "Change";
        Delete = "delete", "Supprimer", "Delete";
        Import = "import", "Importer", "Import";
    }
}

/// A change to write down.
pub struct Entry<'a> {
    pub commune: &'a str,
    pub initiative: Option<InitiativeId>,
    pub subject: Subject,
    pub subject_id: uuid::Uuid,
    /// Code of an action of the lifecycle, or of a beginning.
    pub action: &'static str,
    pub states: Option<(&'static str, &'static str)>,
    pub reason: Option<&'a str>,
    /// In which quality; what the clock does, nobody does.
    pub role: Role,
    pub visibility: Visibility,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = events)]
struct EventRow {
    id: EventId,
    commune_code: String,
    initiative_id: Option<InitiativeId>,
    subject: Subject,
    subject_id: uuid::Uuid,
    action: String,
    from_state: Option<String>,
    to_state: Option<String>,
    reason: Option<String>,
    actor_id: Option<UserId>,
    actor_role: Role,
    on_behalf: bool,
    visibility: Visibility,
    at: DateTime<Utc>,
}

/// Writes an entry.
pub async fn record(session: &mut Session, entry: Entry<'_>) -> Result<(), ApiError> {
    record_all(session, vec![entry]).await
}

/// Writes entries, in this order.
pub async fn record_all(session: &mut Session, entries: Vec<Entry<'_>>) -> Result<(), ApiError> {
    let rows = entries
        .into_iter()
        .map(|entry| row(session, entry))
        .collect::<Result<Vec<_>, _>>()?;
    diesel::insert_into(events::table)
        .values(&rows)
        .execute(&mut session.conn)
        .await?;
    Ok(())
}

fn row(session: &Session, entry: Entry<'_>) -> Result<EventRow, ApiError> {
    let on_behalf = entry.role == Role::AgentOnBehalf;
    let actor = session.actor.user_id();
    Ok(EventRow {
        id: EventId::new(entry.commune, session.now)?,
        commune_code: entry.commune.to_owned(),
        initiative_id: entry.initiative,
        subject: entry.subject,
        subject_id: entry.subject_id,
        action: entry.action.to_owned(),
        from_state: entry.states.map(|(from, _)| from.to_owned()),
        to_state: entry.states.map(|(_, to)| to.to_owned()),
        reason: entry.reason.map(str::to_owned),
        actor_id: actor.filter(|_| entry.role != Role::Clock),
        actor_role: if on_behalf { Role::Agent } else { entry.role },
        on_behalf,
        visibility: entry.visibility,
        at: session.now,
    })
}

/// Where an entry stands in the history.
pub type Position = (DateTime<Utc>, i64);

/// Whether somebody has done one of these with a resource.
pub async fn has_acted(
    conn: &mut AsyncPgConnection,
    subject: uuid::Uuid,
    commune: &str,
    actor: UserId,
    actions: &[&str],
) -> Result<bool, ApiError> {
    let acts = events::table
        .filter(events::subject_id.eq(subject))
        .filter(events::commune_code.eq(commune))
        .filter(events::actor_id.eq(actor))
        .filter(events::action.eq_any(actions));
    Ok(diesel::select(exists(acts)).get_result(conn).await?)
}

/// Whose history.
pub enum Of {
    /// Everything about an initiative.
    Initiative(InitiativeId),
    /// One resource of a commune.
    Resource(uuid::Uuid, String),
}

/// A page of the history, oldest first, as far as the reader may see it.
async fn history(
    conn: &mut AsyncPgConnection,
    of: Of,
    standing: &Standing,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<(Position, HistoryEntry)>, ApiError> {
    let inside = standing.is_town_hall() || standing.is_on_the_holders_side();
    let seen: &[Visibility] = if standing.is_town_hall() {
        Visibility::ALL
    } else if inside {
        &[Visibility::Public, Visibility::Parties]
    } else {
        &[Visibility::Public]
    };
    let mut query = events::table
        .left_join(users::table)
        .filter(events::visibility.eq_any(seen))
        .order((events::at, events::number))
        .limit(limit + 1)
        .select((
            EventRow::as_select(),
            events::number,
            users::display_name.nullable(),
        ))
        .into_boxed();
    query = match of {
        Of::Initiative(id) => query
            .filter(events::initiative_id.eq(id))
            .filter(events::commune_code.eq(id.commune())),
        Of::Resource(id, commune) => query
            .filter(events::subject_id.eq(id))
            .filter(events::commune_code.eq(commune)),
    };
    if let Some((at, number)) = after {
        query = query
            .filter(events::at.ge(at))
            .filter(events::at.gt(at).or(events::number.gt(number)));
    }
    let rows: Vec<(EventRow, i64, Option<String>)> = query.load(conn).await?;
    let show = |(row, number, name): (EventRow, i64, Option<String>)| {
        let position = (row.at, number);
        let entry = HistoryEntry {
            id: row.id,
            subject: row.subject,
            subject_id: row.subject_id,
            action: row.action,
            from_state: row.from_state,
            to_state: row.to_state,
            reason: row.reason,
            actor_role: row.actor_role,
            // Who did it is for those who work on it together.
            actor: row
                .actor_id
                .zip(name)
                .filter(|_| inside)
                .map(|(id, display_name)| PersonSummary { id, display_name }),
            on_behalf: row.on_behalf,
            at: row.at,
        };
        (position, entry)
    };
    Ok(Page::cut(rows.into_iter().map(show).collect(), limit))
}

/// Answers with a page of the history of what is found for the caller, and as what they stand to it.
pub async fn answer(
    state: &State,
    request: &Request,
    paging: &Paging,
    find: impl AsyncFnOnce(&mut Session) -> Result<(Of, Standing), ApiError>,
) -> Answer {
    let after = state.after(request, paging.cursor.as_deref())?;
    let mut session = state.read(request).await?;
    let (of, standing) = find(&mut session).await?;
    let page = history(&mut session.conn, of, &standing, after, paging.limit()).await?;
    state.page(
        request,
        page,
        |(position, _)| *position,
        |items, has_more, next_cursor| HistoryPage {
            data: items.into_iter().map(|(_, entry)| entry).collect(),
            has_more,
            next_cursor,
        },
    )
}
