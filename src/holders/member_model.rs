//! Members of holders in the database. Whoever writes here holds the holder (`model::hold`), so that of two people at
//! once the second sees what the first has done.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{HolderMember, HolderMembership, MemberRole, MemberState};
use super::model::HolderRow;
use crate::clock::age_on;
use crate::db::schema::{holder_members, users};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::ids::{HolderId, UserId};
use crate::mandates::dto::PersonSummary;

/// Age from which somebody signs, and leads.
const MAJORITY: u32 = 18;

/// A row of `holder_members`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = holder_members, primary_key(holder_id, commune_code, user_id))]
pub struct MemberRow {
    pub holder_id: HolderId,
    pub commune_code: String,
    pub user_id: UserId,
    pub state: MemberState,
    pub role: MemberRole,
    pub may_sign: bool,
    pub since: DateTime<Utc>,
}

impl From<&MemberRow> for HolderMembership {
    fn from(row: &MemberRow) -> Self {
        Self {
            state: row.state,
            role: row.role,
            may_sign: row.may_sign,
            since: row.since,
        }
    }
}

/// A membership with the person's name, and their birthday, which nobody else gets to see.
#[derive(Clone, Debug)]
pub struct NamedMember {
    pub row: MemberRow,
    display_name: String,
    birth_on: NaiveDate,
}

impl NamedMember {
    fn new((row, display_name, birth_on): (MemberRow, String, NaiveDate)) -> Self {
        Self {
            row,
            display_name,
            birth_on,
        }
    }

    /// Whether they are of age.
    pub fn is_adult(&self, today: NaiveDate) -> bool {
        age_on(self.birth_on, today) >= MAJORITY
    }

    /// Refuses to let a minor do what only adults do.
    pub fn must_be_adult(&self, today: NaiveDate, pointer: &str) -> Result<(), ApiError> {
        if self.is_adult(today) {
            return Ok(());
        }
        Err(ApiError::fault(
            pointer,
            FaultCode::Inconsistent,
            "Cette personne doit être majeure.",
            "This person must be of age.",
        ))
    }

    /// Refuses what does not go with the state of the membership: 409 with that state.
    pub fn must_be(&self, states: &[MemberState]) -> Result<(), ApiError> {
        if states.contains(&self.row.state) {
            return Ok(());
        }
        Err(ApiError {
            state: Some(self.row.state.code()),
            ..ApiError::new(Code::WrongState)
        })
    }
}

impl From<NamedMember> for HolderMember {
    fn from(
        NamedMember {
            row, display_name, ..
        }: NamedMember,
    ) -> Self {
        Self {
            person: PersonSummary {
                id: row.user_id,
                display_name,
            },
            state: row.state,
            role: row.role,
            may_sign: row.may_sign,
            since: row.since,
        }
    }
}

/// One membership, whatever became of it.
pub async fn find(
    conn: &mut AsyncPgConnection,
    holder: HolderId,
    user: UserId,
) -> Result<NamedMember, ApiError> {
    let found = holder_members::table
        .inner_join(users::table)
        .filter(holder_members::holder_id.eq(holder))
        .filter(holder_members::commune_code.eq(holder.commune()))
        .filter(holder_members::user_id.eq(user))
        .select((
            MemberRow::as_select(),
            users::display_name,
            users::birth_on.assume_not_null(),
        ))
        .first(conn)
        .await?;
    Ok(NamedMember::new(found))
}

/// Somebody's membership if it is active.
pub async fn active(
    conn: &mut AsyncPgConnection,
    holder: HolderId,
    user: UserId,
) -> Result<Option<NamedMember>, ApiError> {
    match find(conn, holder, user).await {
        Ok(member) if member.row.state == MemberState::Active => Ok(Some(member)),
        Ok(_) => Ok(None),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where a member stands in the list.
pub type Position = (DateTime<Utc>, UserId);

/// The members in a state, the latest to change first; without a state, those who are members or ask to be.
pub async fn list(
    conn: &mut AsyncPgConnection,
    holder: HolderId,
    state: Option<MemberState>,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<NamedMember>, ApiError> {
    let states = match state {
        Some(state) => vec![state],
        None => vec![MemberState::Requested, MemberState::Active],
    };
    let mut query = holder_members::table
        .inner_join(users::table)
        .filter(holder_members::holder_id.eq(holder))
        .filter(holder_members::commune_code.eq(holder.commune()))
        .filter(holder_members::state.eq_any(states))
        .order((holder_members::since.desc(), holder_members::user_id.desc()))
        .limit(limit + 1)
        .select((
            MemberRow::as_select(),
            users::display_name,
            users::birth_on.assume_not_null(),
        ))
        .into_boxed();
    if let Some((since, user)) = after {
        query = query.filter(holder_members::since.le(since)).filter(
            holder_members::since
                .lt(since)
                .or(holder_members::user_id.lt(user)),
        );
    }
    let found = query.load(conn).await?;
    Ok(Page::cut(
        found.into_iter().map(NamedMember::new).collect(),
        limit,
    ))
}

/// Writes down that somebody asks to join, for the first time or again.
pub async fn request(
    conn: &mut AsyncPgConnection,
    holder: &HolderRow,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let row = MemberRow {
        holder_id: holder.id,
        commune_code: holder.commune_code.clone(),
        user_id: user,
        state: MemberState::Requested,
        role: MemberRole::Member,
        may_sign: false,
        since: now,
    };
    diesel::insert_into(holder_members::table)
        .values(&row)
        .on_conflict(holder_members::table.primary_key())
        .do_update()
        .set(&row)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes a membership back.
pub async fn save(conn: &mut AsyncPgConnection, row: &MemberRow) -> Result<(), ApiError> {
    diesel::update(holder_members::table.find((row.holder_id, &row.commune_code, row.user_id)))
        .set(row)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a membership, or a request for one. Who has left signs no more.
pub async fn end(
    conn: &mut AsyncPgConnection,
    row: MemberRow,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let ended = MemberRow {
        state: MemberState::Left,
        may_sign: false,
        since: now,
        ..row
    };
    save(conn, &ended).await
}

/// Makes one member the lead instead of another.
pub async fn hand_over(
    conn: &mut AsyncPgConnection,
    from: MemberRow,
    to: MemberRow,
) -> Result<(), ApiError> {
    // In this order there are never two.
    let member = MemberRow {
        role: MemberRole::Member,
        ..from
    };
    save(conn, &member).await?;
    let lead = MemberRow {
        role: MemberRole::Lead,
        ..to
    };
    save(conn, &lead).await
}
