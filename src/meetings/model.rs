//! Meetings in the database.

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Meeting, MeetingFilter, MeetingInitiative, MeetingPatch, NewMeeting};
use crate::auth::policy::Standing;
use crate::db::schema::{communes, holder_members, initiatives, meetings};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, FaultCode};
use crate::ids::{InitiativeId, MeetingId, UserId};
use crate::initiatives::dto::CommuneSummary;
use crate::initiatives::lifecycle::InitiativeState;
use crate::initiatives::model as initiative;
use crate::state::Session;

/// A row of `meetings`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = meetings)]
pub struct MeetingRow {
    pub id: MeetingId,
    pub commune_code: String,
    pub initiative_id: Option<InitiativeId>,
    pub title: String,
    pub place: Option<String>,
    pub held_on: NaiveDate,
    pub attendance: Option<i32>,
    pub recorded_by: UserId,
    pub external_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

/// A meeting with the names around it.
pub struct NamedMeeting {
    pub row: MeetingRow,
    pub commune: String,
    pub initiative: Option<String>,
}

type Joined = (MeetingRow, String, Option<String>);

fn named((row, commune, initiative): Joined) -> NamedMeeting {
    NamedMeeting {
        row,
        commune,
        initiative,
    }
}

impl From<NamedMeeting> for Meeting {
    fn from(
        NamedMeeting {
            row,
            commune,
            initiative,
        }: NamedMeeting,
    ) -> Self {
        Self {
            id: row.id,
            commune: CommuneSummary {
                code: row.commune_code,
                name: commune,
            },
            initiative: row
                .initiative_id
                .zip(initiative)
                .map(|(id, title)| MeetingInitiative { id, title }),
            title: row.title,
            place: row.place,
            held_on: row.held_on,
            attendance: row.attendance,
            external_id: row.external_id,
            created_at: row.created_at,
        }
    }
}

/// Where a meeting stands in the list.
pub type Position = (NaiveDate, MeetingId);

/// The meetings of a commune that the caller may read, the latest first.
pub async fn list(
    session: &mut Session,
    commune: &str,
    filter: &MeetingFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<NamedMeeting>, ApiError> {
    let mut query = meetings::table
        .inner_join(communes::table)
        .left_join(
            initiatives::table.on(initiatives::id
                .nullable()
                .eq(meetings::initiative_id)
                .and(initiatives::commune_code.eq(meetings::commune_code))),
        )
        .filter(meetings::commune_code.eq(commune))
        .order((meetings::held_on.desc(), meetings::id.desc()))
        .limit(limit + 1)
        .select((
            MeetingRow::as_select(),
            communes::name,
            initiatives::title.nullable(),
        ))
        .into_boxed();
    let public = meetings::initiative_id
        .is_null()
        .or(initiatives::published_at.nullable().is_not_null());
    let town_hall = session.actor.standing_in(commune).is_town_hall();
    query = match session.actor.user_id() {
        // What the town hall has received, and what it has entered.
        Some(_) if town_hall => query.filter(
            public.or(initiatives::state
                .nullable()
                .ne(InitiativeState::Draft)
                .or(initiatives::entered_by.nullable().is_not_null())),
        ),
        Some(me) => {
            let mine = || {
                holder_members::table
                    .filter(holder_members::user_id.eq(me))
                    .filter(holder_members::commune_code.eq(commune.to_owned()))
                    .filter(holder_members::state.eq("active"))
                    .select(holder_members::holder_id.nullable())
            };
            query.filter(
                public.or(initiatives::holder_id
                    .eq_any(mine())
                    .or(initiatives::host_id.eq_any(mine()))),
            )
        }
        None => query.filter(public),
    };
    if let Some(first) = filter
        .year
        .and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1))
    {
        let last = first + chrono::Months::new(12);
        query = query
            .filter(meetings::held_on.ge(first))
            .filter(meetings::held_on.lt(last));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(meetings::external_id.eq(external_id));
    }
    if let Some(initiative) = filter.initiative {
        query = query.filter(meetings::initiative_id.eq(initiative));
    }
    if let Some((held_on, id)) = after {
        query = query
            .filter(meetings::held_on.le(held_on))
            .filter(meetings::held_on.lt(held_on).or(meetings::id.lt(id)));
    }
    let found: Vec<Joined> = query.load(&mut session.conn).await?;
    Ok(Page::cut(found.into_iter().map(named).collect(), limit))
}

/// These meetings, as far as everybody may read them.
pub async fn public(
    conn: &mut AsyncPgConnection,
    ids: Vec<MeetingId>,
) -> QueryResult<Vec<Meeting>> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let found: Vec<Joined> = meetings::table
        .inner_join(communes::table)
        .left_join(
            initiatives::table.on(initiatives::id
                .nullable()
                .eq(meetings::initiative_id)
                .and(initiatives::commune_code.eq(meetings::commune_code))),
        )
        .filter(meetings::id.eq_any(ids))
        .filter(meetings::commune_code.eq_any(communes))
        .filter(
            meetings::initiative_id
                .is_null()
                .or(initiatives::published_at.nullable().is_not_null()),
        )
        .select((
            MeetingRow::as_select(),
            communes::name,
            initiatives::title.nullable(),
        ))
        .load(conn)
        .await?;
    Ok(found.into_iter().map(named).map(Meeting::from).collect())
}

/// A meeting that the caller may read, with what they are in its matter; 404 otherwise.
pub async fn find(
    session: &mut Session,
    id: MeetingId,
) -> Result<(NamedMeeting, Standing), ApiError> {
    let found: Joined = meetings::table
        .inner_join(communes::table)
        .left_join(
            initiatives::table.on(initiatives::id
                .nullable()
                .eq(meetings::initiative_id)
                .and(initiatives::commune_code.eq(meetings::commune_code))),
        )
        .filter(meetings::id.eq(id))
        .filter(meetings::commune_code.eq(id.commune()))
        .select((
            MeetingRow::as_select(),
            communes::name,
            initiatives::title.nullable(),
        ))
        .first(&mut session.conn)
        .await?;
    let meeting = named(found);
    let standing = match meeting.row.initiative_id {
        Some(initiative) => initiative::find(session, initiative).await?.standing,
        None => session.actor.standing_in(&meeting.row.commune_code),
    };
    Ok((meeting, standing))
}

/// The same, held until the transaction ends.
pub async fn lock(
    session: &mut Session,
    id: MeetingId,
) -> Result<(MeetingRow, Standing), ApiError> {
    meetings::table
        .find((id, id.commune()))
        .select(meetings::version)
        .for_update()
        .first::<i32>(&mut session.conn)
        .await?;
    let (meeting, standing) = find(session, id).await?;
    Ok((meeting.row, standing))
}

/// What the caller is in the matter of a meeting about this initiative of the commune; 422 when they cannot read it.
pub async fn standing_in(
    session: &mut Session,
    commune: &str,
    initiative: Option<InitiativeId>,
) -> Result<Standing, ApiError> {
    let Some(id) = initiative else {
        return Ok(session.actor.standing_in(commune));
    };
    match initiative::find(session, id).await {
        Ok(found) if found.row.commune_code == commune => Ok(found.standing),
        _ => Err(ApiError::fault(
            "/initiative_id",
            FaultCode::NotFound,
            "Aucune initiative de la commune n'a cet identifiant.",
            "No initiative of the commune has this id.",
        )),
    }
}

/// How many days ahead a meeting is announced at most: what is further away is a slip of the pen.
const DAYS_AHEAD: u64 = 366;

/// A meeting is announced before, and its people are counted after.
fn plausible(
    session: &Session,
    held_on: NaiveDate,
    attendance: Option<i32>,
) -> Result<(), ApiError> {
    let today = session.today();
    if held_on > today + Days::new(DAYS_AHEAD) {
        return Err(ApiError::fault(
            "/held_on",
            FaultCode::OutOfRange,
            "Une réunion s'annonce un an à l'avance, au plus.",
            "A meeting is announced a year ahead at most.",
        ));
    }
    if held_on > today && attendance.is_some() {
        return Err(ApiError::fault(
            "/attendance",
            FaultCode::Inconsistent,
            "La réunion n'a pas encore eu lieu.",
            "The meeting has not been held yet.",
        ));
    }
    Ok(())
}

/// Records a meeting.
pub async fn record(
    session: &mut Session,
    commune: &str,
    new: NewMeeting,
) -> Result<MeetingId, ApiError> {
    plausible(session, new.held_on, new.attendance)?;
    let row = MeetingRow {
        id: MeetingId::new(commune, session.now)?,
        commune_code: commune.to_owned(),
        initiative_id: new.initiative_id,
        title: new.title,
        place: new.place,
        held_on: new.held_on,
        attendance: new.attendance,
        recorded_by: session.actor.account()?,
        external_id: None,
        created_at: session.now,
        version: 1,
    };
    diesel::insert_into(meetings::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    Ok(row.id)
}

/// Changes a meeting that the caller holds locked.
pub async fn change(
    session: &mut Session,
    row: &MeetingRow,
    patch: &MeetingPatch,
) -> Result<(), ApiError> {
    plausible(
        session,
        patch.held_on.unwrap_or(row.held_on),
        patch.attendance.unwrap_or(row.attendance),
    )?;
    diesel::update(meetings::table.find((row.id, &row.commune_code)))
        .set((patch, meetings::version.eq(meetings::version + 1)))
        .execute(&mut session.conn)
        .await?;
    Ok(())
}

/// Deletes a meeting that the caller holds locked.
pub async fn delete(session: &mut Session, row: &MeetingRow) -> Result<(), ApiError> {
    diesel::delete(meetings::table.find((row.id, &row.commune_code)))
        .execute(&mut session.conn)
        .await?;
    Ok(())
}
