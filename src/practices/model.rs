//! Practice sheets in the database: rows, who may see them, and their changes.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    NewPractice, ParticipationLevel, Practice, PracticeContact, PracticeFigures, PracticePatch,
    PracticeTag,
};
use super::figures::proofs;
use super::lifecycle::{PRACTICE, PracticeAction, PracticeState};
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::actor::Actor;
use crate::auth::policy::{Role, Standing};
use crate::db::schema::{communes, initiatives as matters, practice_initiatives, practices};
use crate::http::error::{ApiError, Code, Fault, FaultCode, Text};
use crate::ids::{InitiativeId, PracticeId, UserId};
use crate::initiatives::dto::{CommuneSummary, Theme};
use crate::initiatives::list::location;
use crate::initiatives::model::require_inspiration;
use crate::lifecycle::Step;
use crate::state::Session;
use crate::text::fold;

/// A row of `practices`, without its search columns.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = practices, treat_none_as_null = true)]
pub struct PracticeRow {
    pub id: PracticeId,
    pub commune_code: String,
    pub state: PracticeState,
    pub title: String,
    pub theme: Option<Theme>,
    pub participation_level: Option<ParticipationLevel>,
    pub tags: Vec<Option<String>>,
    pub context: Option<String>,
    pub objectives: Option<String>,
    pub approach: Option<String>,
    pub results: Option<String>,
    pub tips: Option<String>,
    pub satisfactions: Option<String>,
    pub obstacles: Option<String>,
    pub contact_service: Option<String>,
    pub contact_address: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub inspired_by_practice_id: Option<PracticeId>,
    pub created_by: UserId,
    pub published_at: Option<DateTime<Utc>>,
    pub state_changed_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl PracticeRow {
    /// What is published is everybody's; drafts and what was withdrawn are the town hall's.
    pub fn is_readable(&self, standing: &Standing) -> bool {
        self.state == PracticeState::Published || standing.is_town_hall()
    }

    /// Searches look into this text.
    fn folded_text(&self) -> String {
        let texts = [
            &self.context,
            &self.objectives,
            &self.approach,
            &self.results,
            &self.tips,
            &self.satisfactions,
            &self.obstacles,
        ];
        let words = std::iter::once(self.title.as_str())
            .chain(self.tags.iter().flatten().map(String::as_str))
            .chain(texts.into_iter().flatten().map(String::as_str));
        fold(&words.collect::<Vec<_>>().join(" "))
    }

    fn change(&mut self, patch: PracticePatch) -> Option<Vec<InitiativeId>> {
        macro_rules! set {
            ($($field:ident),+) => {$(if let Some(value) = patch.$field { self.$field = value; })+};
        }
        set!(
            title,
            context,
            objectives,
            approach,
            results,
            tips,
            satisfactions,
            obstacles,
            inspired_by_practice_id
        );
        self.theme = patch.theme.or(self.theme);
        self.participation_level = patch.participation_level.or(self.participation_level);
        if let Some(tags) = patch.tags {
            self.tags = tags.into_iter().map(|tag| Some(tag.0)).collect();
        }
        if let Some(contact) = patch.contact {
            (self.contact_service, self.contact_address) = parts(contact);
        }
        if let Some(location) = patch.location {
            self.latitude = location.map(|location| location.latitude);
            self.longitude = location.map(|location| location.longitude);
        }
        patch.initiative_ids
    }

    /// What is still missing for others to learn from it.
    fn check_complete(&self) -> Result<(), ApiError> {
        let missing = [
            ("/theme", self.theme.is_none()),
            ("/participation_level", self.participation_level.is_none()),
            ("/context", self.context.is_none()),
            ("/objectives", self.objectives.is_none()),
            ("/approach", self.approach.is_none()),
            ("/results", self.results.is_none()),
            ("/contact", self.contact_service.is_none()),
        ];
        let faults: Vec<Fault> = missing
            .into_iter()
            .filter(|(_, missing)| *missing)
            .map(|(pointer, _)| {
                let text = Text::new(
                    "Nécessaire à une fiche publiée.",
                    "Needed by a published sheet.",
                );
                Fault::at(pointer, FaultCode::Required, text)
            })
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(faults))
        }
    }

    fn check_tags(&self) -> Result<(), ApiError> {
        let mut tags: Vec<&Option<String>> = self.tags.iter().collect();
        tags.sort_unstable();
        tags.dedup();
        if tags.len() == self.tags.len() {
            return Ok(());
        }
        Err(ApiError::fault(
            "/tags",
            FaultCode::Repeated,
            "Chaque mot une seule fois.",
            "Each word once.",
        ))
    }
}

fn parts(contact: Option<PracticeContact>) -> (Option<String>, Option<String>) {
    contact.map_or((None, None), |contact| {
        (Some(contact.service), Some(contact.address))
    })
}

/// A sheet that the caller may read, with the name of its commune and what they are there.
pub struct Found {
    pub row: PracticeRow,
    pub commune: String,
    pub standing: Standing,
}

/// A sheet that the caller may read; 404 otherwise.
pub async fn find(session: &mut Session, id: PracticeId) -> Result<Found, ApiError> {
    let (row, commune): (PracticeRow, String) = practices::table
        .inner_join(communes::table)
        .filter(practices::id.eq(id))
        .filter(practices::commune_code.eq(id.commune()))
        .select((PracticeRow::as_select(), communes::name))
        .first(&mut session.conn)
        .await?;
    let standing = session.actor.standing_in(&row.commune_code);
    if row.is_readable(&standing) {
        Ok(Found {
            row,
            commune,
            standing,
        })
    } else {
        Err(ApiError::not_found())
    }
}

/// The same, held until the transaction ends; before it what proves it and will prove it, as locks are taken everywhere.
pub async fn lock(
    session: &mut Session,
    id: PracticeId,
    more: &[InitiativeId],
) -> Result<Found, ApiError> {
    let mut proofs: Vec<InitiativeId> = practice_initiatives::table
        .filter(practice_initiatives::practice_id.eq(id))
        .filter(practice_initiatives::commune_code.eq(id.commune()))
        .select(practice_initiatives::initiative_id)
        .load(&mut session.conn)
        .await?;
    proofs.extend(more);
    hold(session, &id.commune(), proofs).await?;
    practices::table
        .find((id, id.commune()))
        .select(practices::version)
        .for_update()
        .first::<i32>(&mut session.conn)
        .await?;
    find(session, id).await
}

/// Holds initiatives of a commune until the transaction ends, and tells which of them are published.
async fn hold(
    session: &mut Session,
    commune: &str,
    ids: Vec<InitiativeId>,
) -> Result<Vec<InitiativeId>, ApiError> {
    let held: Vec<(InitiativeId, Option<DateTime<Utc>>)> = matters::table
        .filter(matters::id.eq_any(ids))
        .filter(matters::commune_code.eq(commune))
        .order(matters::id)
        .select((matters::id, matters::published_at))
        .for_update()
        .load(&mut session.conn)
        .await?;
    let public = held.into_iter().filter(|(_, at)| at.is_some());
    Ok(public.map(|(id, _)| id).collect())
}

/// Rows, each with the name of its commune, as the caller sees them.
pub async fn show_all(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    rows: Vec<(PracticeRow, String)>,
    today: NaiveDate,
) -> Result<Vec<Practice>, ApiError> {
    let ids: Vec<PracticeId> = rows.iter().map(|(row, _)| row.id).collect();
    let mut proofs = proofs(conn, &ids, today).await?;
    let show = |(row, commune): (PracticeRow, String)| {
        let proofs = proofs.remove(&row.id).unwrap_or_default();
        let standing = actor.standing_in(&row.commune_code);
        Practice {
            id: row.id,
            commune: CommuneSummary {
                code: row.commune_code,
                name: commune,
            },
            state: row.state,
            state_changed_at: row.state_changed_at,
            allowed_actions: PRACTICE.allowed(row.state, &standing),
            title: row.title,
            theme: row.theme,
            participation_level: row.participation_level,
            tags: row.tags.into_iter().flatten().map(PracticeTag).collect(),
            context: row.context,
            objectives: row.objectives,
            approach: row.approach,
            results: row.results,
            tips: row.tips,
            satisfactions: row.satisfactions,
            obstacles: row.obstacles,
            contact: row
                .contact_service
                .zip(row.contact_address)
                .map(|(service, address)| PracticeContact { service, address }),
            location: location(row.latitude, row.longitude),
            inspired_by_practice_id: row.inspired_by_practice_id,
            figures: PracticeFigures::of(&proofs),
            proofs,
            published_at: row.published_at,
            created_at: row.created_at,
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// These sheets, as far as everybody may read them.
pub async fn public(
    conn: &mut AsyncPgConnection,
    ids: Vec<PracticeId>,
    today: NaiveDate,
) -> Result<Vec<Practice>, ApiError> {
    let codes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let rows = practices::table
        .inner_join(communes::table)
        .filter(practices::id.eq_any(ids))
        .filter(practices::commune_code.eq_any(codes))
        .filter(practices::state.eq(PracticeState::Published))
        .select((PracticeRow::as_select(), communes::name))
        .load(conn)
        .await?;
    show_all(conn, &Actor::default(), rows, today).await
}

/// Names what proves a sheet, in place of what did.
async fn prove(
    session: &mut Session,
    row: &PracticeRow,
    ids: Vec<InitiativeId>,
) -> Result<(), ApiError> {
    let named = ids.len();
    let public = hold(session, &row.commune_code, ids).await?;
    if public.len() != named {
        return Err(ApiError::fault(
            "/initiative_ids",
            FaultCode::NotFound,
            "Des initiatives publiées de la commune, chacune une seule fois.",
            "Published initiatives of the commune, each once.",
        ));
    }
    if row.state == PracticeState::Published && public.is_empty() {
        return Err(unproved());
    }
    let before = practice_initiatives::table
        .filter(practice_initiatives::practice_id.eq(row.id))
        .filter(practice_initiatives::commune_code.eq(&row.commune_code));
    diesel::delete(before).execute(&mut session.conn).await?;
    let rows: Vec<_> = public
        .into_iter()
        .map(|initiative| {
            (
                practice_initiatives::practice_id.eq(row.id),
                practice_initiatives::commune_code.eq(&row.commune_code),
                practice_initiatives::initiative_id.eq(initiative),
            )
        })
        .collect();
    diesel::insert_into(practice_initiatives::table)
        .values(rows)
        .execute(&mut session.conn)
        .await?;
    Ok(())
}

fn unproved() -> ApiError {
    ApiError::requirement(
        "Aucune initiative publiée ne prouve cette fiche.",
        "No published initiative proves this sheet.",
    )
}

/// Writes a sheet down.
pub async fn create(
    session: &mut Session,
    commune: &str,
    role: Role,
    new: NewPractice,
) -> Result<PracticeId, ApiError> {
    let (contact_service, contact_address) = parts(new.contact);
    let row = PracticeRow {
        id: PracticeId::new(commune, session.now)?,
        commune_code: commune.to_owned(),
        state: PracticeState::Draft,
        title: new.title,
        theme: new.theme,
        participation_level: new.participation_level,
        tags: new.tags.into_iter().map(|tag| Some(tag.0)).collect(),
        context: new.context,
        objectives: new.objectives,
        approach: new.approach,
        results: new.results,
        tips: new.tips,
        satisfactions: new.satisfactions,
        obstacles: new.obstacles,
        contact_service,
        contact_address,
        latitude: new.location.map(|location| location.latitude),
        longitude: new.location.map(|location| location.longitude),
        inspired_by_practice_id: new.inspired_by_practice_id,
        created_by: session.actor.person()?.id,
        published_at: None,
        state_changed_at: session.now,
        created_at: session.now,
        version: 1,
    };
    row.check_tags()?;
    require_inspiration(&mut session.conn, row.inspired_by_practice_id).await?;
    diesel::insert_into(practices::table)
        .values((&row, practices::folded_text.eq(row.folded_text())))
        .execute(&mut session.conn)
        .await?;
    prove(session, &row, new.initiative_ids).await?;
    let action = Beginning::Create.code();
    record(session, &row, action, None, role, None).await?;
    Ok(row.id)
}

/// Changes a sheet that the caller holds locked.
pub async fn change(
    session: &mut Session,
    mut row: PracticeRow,
    step: Step<PracticeState>,
    patch: PracticePatch,
) -> Result<(), ApiError> {
    let before = row.inspired_by_practice_id;
    let initiatives = row.change(patch);
    row.check_tags()?;
    if row.inspired_by_practice_id != before {
        if row.state != PracticeState::Draft {
            return Err(ApiError::requirement(
                "La fiche dont une autre s'inspire ne change plus une fois celle-ci publiée.",
                "What inspired a sheet does not change once it is published.",
            ));
        }
        require_inspiration(&mut session.conn, row.inspired_by_practice_id).await?;
    }
    if row.state == PracticeState::Published {
        row.check_complete()?;
    }
    if let Some(initiatives) = initiatives {
        prove(session, &row, initiatives).await?;
    }
    let action = PracticeAction::Update;
    advance(session, row, step, action, None).await
}

/// Publishes a sheet that the caller holds locked with what proves it.
pub async fn publish(
    session: &mut Session,
    mut row: PracticeRow,
    step: Step<PracticeState>,
) -> Result<(), ApiError> {
    row.check_complete()?;
    row.published_at = Some(session.now);
    advance(session, row, step, PracticeAction::Publish, None).await
}

/// Takes a step: moves the state, saves the row and writes the history.
pub async fn advance(
    session: &mut Session,
    mut row: PracticeRow,
    step: Step<PracticeState>,
    action: PracticeAction,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let version = row.version;
    row.version += 1;
    if step.to != step.from {
        row.state = step.to;
        row.state_changed_at = session.now;
    }
    let changed = diesel::update(practices::table.find((row.id, row.commune_code.clone())))
        .filter(practices::state.eq(step.from))
        .filter(practices::version.eq(version))
        .set((&row, practices::folded_text.eq(row.folded_text())))
        .execute(&mut session.conn)
        .await?;
    if changed != 1 {
        return Err(ApiError::new(Code::WrongState));
    }
    record(session, &row, action.code(), Some(step), step.role, reason).await
}

async fn record(
    session: &mut Session,
    row: &PracticeRow,
    action: &'static str,
    step: Option<Step<PracticeState>>,
    role: Role,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let moved = step.filter(|step| step.from != step.to);
    let entry = Entry {
        commune: &row.commune_code,
        initiative: None,
        subject: Subject::Practice,
        subject_id: row.id.0,
        action,
        states: moved.map(|step| (step.from.code(), step.to.code())),
        reason,
        role,
        // How a draft came to be is the town hall's.
        visibility: if row.published_at.is_some() {
            Visibility::Public
        } else {
            Visibility::Commune
        },
    };
    audit::record(session, entry).await
}

/// Whether a sheet was ever published: then its name stays.
pub async fn was_published(conn: &mut AsyncPgConnection, id: PracticeId) -> Result<bool, ApiError> {
    let at: Option<DateTime<Utc>> = practices::table
        .find((id, id.commune()))
        .select(practices::published_at)
        .first(conn)
        .await?;
    Ok(at.is_some())
}
