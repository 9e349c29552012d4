//! Authorities in the database.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    Authority, AuthorityBudget, AuthorityFilter, AuthorityKind, AuthorityPatch, AuthoritySubject,
    AuthoritySummary, NewAuthority, Votes,
};
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::policy::Role;
use crate::db::schema::authorities;
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Fault, FaultCode, Text};
use crate::ids::{AuthorityId, UserId};
use crate::state::Session;

/// A row of `authorities`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = authorities, treat_none_as_null = true)]
pub struct AuthorityRow {
    pub id: AuthorityId,
    pub commune_code: String,
    pub kind: AuthorityKind,
    pub number: String,
    pub adopted_on: NaiveDate,
    pub object: String,
    pub subject_code: Option<String>,
    pub subject_name: Option<String>,
    pub budget_year: Option<String>,
    pub budget_name: Option<String>,
    pub prefecture_reference: Option<String>,
    pub sent_to_prefecture_on: Option<NaiveDate>,
    pub published_on: Option<NaiveDate>,
    pub executory_on: Option<NaiveDate>,
    pub council_members: Option<i32>,
    pub votes_cast: Option<i32>,
    pub votes_for: Option<i32>,
    pub votes_against: Option<i32>,
    pub votes_abstained: Option<i32>,
    pub url: Option<String>,
    pub recorded_by: UserId,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl AuthorityRow {
    /// The votes, where there was a vote.
    pub fn votes(&self) -> Option<Votes> {
        Some(Votes {
            council_members: self.council_members?,
            cast: self.votes_cast?,
            in_favour: self.votes_for?,
            against: self.votes_against?,
            abstained: self.votes_abstained?,
        })
    }

    /// In a few words.
    pub fn summary(self) -> AuthoritySummary {
        AuthoritySummary {
            id: self.id,
            kind: self.kind,
            number: self.number,
            adopted_on: self.adopted_on,
            executory_on: self.executory_on,
        }
    }

    fn set_subject(&mut self, subject: Option<AuthoritySubject>) {
        (self.subject_code, self.subject_name) =
            subject.map(|subject| (subject.code, subject.name)).unzip();
    }

    fn set_budget(&mut self, budget: Option<AuthorityBudget>) {
        (self.budget_year, self.budget_name) =
            budget.map(|budget| (budget.year, budget.name)).unzip();
    }

    fn set_votes(&mut self, votes: Option<Votes>) {
        self.council_members = votes.map(|votes| votes.council_members);
        self.votes_cast = votes.map(|votes| votes.cast);
        self.votes_for = votes.map(|votes| votes.in_favour);
        self.votes_against = votes.map(|votes| votes.against);
        self.votes_abstained = votes.map(|votes| votes.abstained);
    }

    /// What does not go together, as the database has it too.
    fn check(&self, today: NaiveDate) -> Result<(), ApiError> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, code, fr, en| {
            faults.push(Fault::at(pointer, code, Text::new(fr, en)));
        };
        let done = [
            ("/adopted_on", Some(self.adopted_on)),
            ("/sent_to_prefecture_on", self.sent_to_prefecture_on),
            ("/published_on", self.published_on),
        ];
        for (pointer, day) in done {
            if day > Some(today) {
                let code = FaultCode::OutOfRange;
                fault(pointer, code, "Pas dans l'avenir.", "Not in the future.");
            }
            if day.is_some_and(|day| day < self.adopted_on) {
                fault(
                    pointer,
                    FaultCode::Inconsistent,
                    "Pas avant l'adoption de l'acte.",
                    "Not before the act is taken.",
                );
            }
        }
        let last = done.into_iter().filter_map(|(_, day)| day).max();
        if self.executory_on.is_some() && self.executory_on < last {
            fault(
                "/executory_on",
                FaultCode::Inconsistent,
                "Un acte n'est exécutoire qu'une fois pris, transmis et publié.",
                "An act is executory only once it is taken, sent and published.",
            );
        }
        if self.kind.is_of_the_council() && self.subject_code.is_none() {
            fault(
                "/subject",
                FaultCode::Required,
                "Une délibération a une matière.",
                "A deliberation has a matter.",
            );
        }
        if !self.kind.is_of_the_council() && self.votes_cast.is_some() {
            fault(
                "/votes",
                FaultCode::Inconsistent,
                "Seul le conseil vote.",
                "Only the council votes.",
            );
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(faults))
        }
    }
}

impl From<AuthorityRow> for Authority {
    fn from(row: AuthorityRow) -> Self {
        Self {
            votes: row.votes(),
            id: row.id,
            commune_code: row.commune_code,
            kind: row.kind,
            number: row.number,
            adopted_on: row.adopted_on,
            object: row.object,
            subject: row
                .subject_code
                .zip(row.subject_name)
                .map(|(code, name)| AuthoritySubject { code, name }),
            budget: row
                .budget_year
                .zip(row.budget_name)
                .map(|(year, name)| AuthorityBudget { year, name }),
            prefecture_reference: row.prefecture_reference,
            sent_to_prefecture_on: row.sent_to_prefecture_on,
            published_on: row.published_on,
            executory_on: row.executory_on,
            url: row.url,
            created_at: row.created_at,
        }
    }
}

/// Where an act stands in the list.
pub type Position = (NaiveDate, AuthorityId);

/// The acts of a commune, the latest first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    commune: &str,
    filter: &AuthorityFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<AuthorityRow>, ApiError> {
    let mut query = authorities::table
        .filter(authorities::commune_code.eq(commune))
        .order((authorities::adopted_on.desc(), authorities::id.desc()))
        .limit(limit + 1)
        .select(AuthorityRow::as_select())
        .into_boxed();
    if let Some(kinds) = &filter.kind {
        query = query.filter(authorities::kind.eq_any(kinds.clone()));
    }
    if let Some(day) = filter.adopted_after {
        query = query.filter(authorities::adopted_on.gt(day));
    }
    if let Some(day) = filter.adopted_before {
        query = query.filter(authorities::adopted_on.lt(day));
    }
    if let Some((adopted_on, id)) = after {
        query = query.filter(authorities::adopted_on.le(adopted_on)).filter(
            authorities::adopted_on
                .lt(adopted_on)
                .or(authorities::id.lt(id)),
        );
    }
    Ok(Page::cut(query.load(conn).await?, limit))
}

/// One act.
pub async fn find(conn: &mut AsyncPgConnection, id: AuthorityId) -> Result<AuthorityRow, ApiError> {
    Ok(authorities::table
        .find((id, id.commune()))
        .select(AuthorityRow::as_select())
        .first(conn)
        .await?)
}

/// One act, held until the transaction ends.
pub async fn lock(conn: &mut AsyncPgConnection, id: AuthorityId) -> Result<AuthorityRow, ApiError> {
    Ok(authorities::table
        .find((id, id.commune()))
        .select(AuthorityRow::as_select())
        .for_update()
        .first(conn)
        .await?)
}

/// One act that nobody changes until the transaction ends, while others may rest on it too.
pub async fn hold(conn: &mut AsyncPgConnection, id: AuthorityId) -> Result<AuthorityRow, ApiError> {
    Ok(authorities::table
        .find((id, id.commune()))
        .select(AuthorityRow::as_select())
        .for_share()
        .first(conn)
        .await?)
}

/// Refuses, as a fault of the body, an act that is not one of this commune; the others stay until the transaction ends.
pub async fn require(
    conn: &mut AsyncPgConnection,
    commune: &str,
    id: Option<AuthorityId>,
) -> Result<(), ApiError> {
    let Some(id) = id else { return Ok(()) };
    let found: Option<AuthorityId> = authorities::table
        .find((id, commune))
        .select(authorities::id)
        .for_key_share()
        .first(conn)
        .await
        .optional()?;
    match found {
        Some(_) => Ok(()),
        None => Err(ApiError::fault(
            "/authority_id",
            FaultCode::NotFound,
            "Aucun acte de la commune n'a cet identifiant.",
            "No act of the commune has this id.",
        )),
    }
}

/// Records an act.
pub async fn record(
    session: &mut Session,
    commune: &str,
    role: Role,
    new: NewAuthority,
) -> Result<AuthorityRow, ApiError> {
    let mut row = AuthorityRow {
        id: AuthorityId::new(commune, session.now)?,
        commune_code: commune.to_owned(),
        kind: new.kind,
        number: new.number,
        adopted_on: new.adopted_on,
        object: new.object,
        subject_code: None,
        subject_name: None,
        budget_year: None,
        budget_name: None,
        prefecture_reference: new.prefecture_reference,
        sent_to_prefecture_on: new.sent_to_prefecture_on,
        published_on: new.published_on,
        executory_on: new.executory_on,
        council_members: None,
        votes_cast: None,
        votes_for: None,
        votes_against: None,
        votes_abstained: None,
        url: new.url,
        recorded_by: session.actor.person()?.id,
        created_at: session.now,
        version: 1,
    };
    row.set_subject(new.subject);
    row.set_budget(new.budget);
    row.set_votes(new.votes);
    row.check(session.today())?;
    diesel::insert_into(authorities::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    remember(session, &row, role, Beginning::Record).await?;
    Ok(row)
}

/// Changes an act that the caller holds locked. The database refuses what a signed convention says.
pub async fn change(
    session: &mut Session,
    row: &mut AuthorityRow,
    role: Role,
    patch: AuthorityPatch,
) -> Result<(), ApiError> {
    macro_rules! set {
        ($($field:ident),+ $(,)?) => {$(if let Some(value) = patch.$field { row.$field = value; })+};
    }
    set!(
        kind,
        number,
        adopted_on,
        object,
        prefecture_reference,
        sent_to_prefecture_on,
        published_on,
        executory_on,
        url,
    );
    if let Some(subject) = patch.subject {
        row.set_subject(subject);
    }
    if let Some(budget) = patch.budget {
        row.set_budget(budget);
    }
    if let Some(votes) = patch.votes {
        row.set_votes(votes);
    }
    row.check(session.today())?;
    row.version += 1;
    diesel::update(authorities::table.find((row.id, &row.commune_code)))
        .set(&*row)
        .execute(&mut session.conn)
        .await?;
    remember(session, row, role, Beginning::Update).await
}

/// Deletes an act that the caller holds locked. The database refuses that of one on which a convention rests.
pub async fn delete(session: &mut Session, row: &AuthorityRow, role: Role) -> Result<(), ApiError> {
    diesel::delete(authorities::table.find((row.id, &row.commune_code)))
        .execute(&mut session.conn)
        .await?;
    remember(session, row, role, Beginning::Delete).await
}

/// Writes the history.
async fn remember(
    session: &mut Session,
    row: &AuthorityRow,
    role: Role,
    what: Beginning,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &row.commune_code,
        initiative: None,
        subject: Subject::Authority,
        subject_id: row.id.0,
        action: what.code(),
        states: None,
        reason: None,
        role,
        visibility: Visibility::Public,
    };
    audit::record(session, entry).await
}
