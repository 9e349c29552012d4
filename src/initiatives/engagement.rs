//! `/v1/initiatives/{id}/endorsement`, `/participation`, `/headcounts`: residents who support, take part, or are
//! counted without a name.

use actix_web::{delete, get, put, web};
use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::{AgeBand, AgeCount, Headcount, HeadcountList, Initiative, NewHeadcount};
use super::lifecycle::{INITIATIVE, InitiativeAction as Action};
use super::model::{self, Found};
use super::view;
use crate::auth::caller::{Anyone, Caller};
use crate::clock::is_past;
use crate::db::schema::{endorsements, headcounts, participations};
use crate::http::error::{ApiError, Code};
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::InitiativeId;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(endorse_initiative)
        .service(withdraw_endorsement)
        .service(join_initiative)
        .service(leave_initiative)
        .service(list_headcounts)
        .service(record_headcount);
}

/// What everybody may support or join is public; the holder cannot gather support for what nobody can read.
async fn engage(
    session: &mut Session,
    id: InitiativeId,
    action: Action,
) -> Result<Found, ApiError> {
    let found = model::lock(session, id).await?;
    INITIATIVE.step(found.row.state, action, &found.standing)?;
    if found.row.published_at.is_none() {
        return Err(ApiError::requirement(
            "Elle n'est pas publiée.",
            "It is not published.",
        ));
    }
    Ok(found)
}

async fn answer(session: &mut Session, id: InitiativeId) -> Answer {
    let (version, initiative) = view::show(&session.conn, &session.actor, id).await?;
    Reply::resource(version, &initiative)
}

/// Endorse an initiative
///
/// "I support this." Once a person; a second time changes nothing.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses(
        (status = 200, description = "The initiative with its new count.", body = Initiative),
        (status = 409, description = "It is not alive any more, or not published.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[put("/v1/initiatives/{id}/endorsement")]
pub async fn endorse_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let found = engage(session, *id, Action::Endorse).await?;
            diesel::insert_into(endorsements::table)
                .values((
                    endorsements::initiative_id.eq(*id),
                    endorsements::commune_code.eq(&found.row.commune_code),
                    endorsements::user_id.eq(session.actor.person()?.id),
                    endorsements::created_at.eq(session.now),
                ))
                .on_conflict_do_nothing()
                .execute(&mut session.conn)
                .await?;
            answer(session, *id).await
        })
        .await
}

/// Withdraw one's endorsement
///
/// Possible at any time; without an endorsement it changes nothing.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses((status = 200, description = "The initiative with its new count.", body = Initiative)),
)]
#[delete("/v1/initiatives/{id}/endorsement")]
pub async fn withdraw_endorsement(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            model::lock(session, *id).await?;
            let me = session.actor.person()?.id;
            diesel::delete(endorsements::table.find((*id, id.commune(), me)))
                .execute(&mut session.conn)
                .await?;
            answer(session, *id).await
        })
        .await
}

/// Take part in an initiative
///
/// A resident joins in. A second time changes nothing.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses(
        (status = 200, description = "The initiative with its new count.", body = Initiative),
        (status = 409, description = "It is not alive any more, or not published.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[put("/v1/initiatives/{id}/participation")]
pub async fn join_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let found = engage(session, *id, Action::TakePart).await?;
            let me = session.actor.person()?.id;
            let active = participations::table
                .filter(participations::initiative_id.eq(*id))
                .filter(participations::commune_code.eq(&found.row.commune_code))
                .filter(participations::user_id.eq(me))
                .filter(participations::ended_at.is_null());
            // The initiative is locked: nobody joins between this question and its answer.
            if !diesel::select(exists(active))
                .get_result::<bool>(&mut session.conn)
                .await?
            {
                diesel::insert_into(participations::table)
                    .values((
                        participations::initiative_id.eq(*id),
                        participations::commune_code.eq(&found.row.commune_code),
                        participations::user_id.eq(me),
                        participations::started_at.eq(session.now),
                    ))
                    // Who left at this very instant has not left.
                    .on_conflict((
                        participations::initiative_id,
                        participations::commune_code,
                        participations::user_id,
                        participations::started_at,
                    ))
                    .do_update()
                    .set(participations::ended_at.eq(None::<chrono::DateTime<chrono::Utc>>))
                    .execute(&mut session.conn)
                    .await?;
            }
            answer(session, *id).await
        })
        .await
}

/// Stop taking part
///
/// Possible at any time; who does not take part changes nothing.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses((status = 200, description = "The initiative with its new count.", body = Initiative)),
)]
#[delete("/v1/initiatives/{id}/participation")]
pub async fn leave_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            model::lock(session, *id).await?;
            let mine = participations::table
                .filter(participations::initiative_id.eq(*id))
                .filter(participations::commune_code.eq(id.commune()))
                .filter(participations::user_id.eq(session.actor.person()?.id))
                .filter(participations::ended_at.is_null());
            diesel::update(mine)
                .set(participations::ended_at.eq(session.now))
                .execute(&mut session.conn)
                .await?;
            answer(session, *id).await
        })
        .await
}

/// List the headcounts of an initiative
///
/// People counted by age band, without names: minors above all. For others than the holder and the town hall fewer than
/// five people of an age band are counted without an age.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses((status = 200, description = "The headcounts.", body = HeadcountList)),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives/{id}/headcounts")]
pub async fn list_headcounts(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let standing = model::find(&mut session, *id).await?.standing;
    let inside = standing.is_town_hall() || standing.is_on_the_holders_side();
    let rows: Vec<(NaiveDate, AgeBand, i32)> = headcounts::table
        .filter(headcounts::initiative_id.eq(*id))
        .filter(headcounts::commune_code.eq(id.commune()))
        .order((headcounts::counted_on.desc(), headcounts::age_band))
        .select((
            headcounts::counted_on,
            headcounts::age_band,
            headcounts::people,
        ))
        .load(&mut session.conn)
        .await?;
    let mut days: Vec<Headcount> = Vec::new();
    for (counted_on, age_band, people) in rows {
        let count = AgeCount { age_band, people };
        match days.last_mut().filter(|day| day.counted_on == counted_on) {
            Some(day) => day.counts.push(count),
            None => days.push(Headcount {
                counted_on,
                counts: vec![count],
            }),
        }
    }
    if !inside {
        for day in &mut days {
            day.counts = AgeCount::for_everybody(std::mem::take(&mut day.counts));
        }
    }
    Reply::data(&HeadcountList { data: days })
}

/// Record a headcount
///
/// The holder or an agent counts the people of one day by age band. It replaces an earlier count of that day; a count of
/// nobody takes it away.
#[utoipa::path(
    tag = "initiatives",
    params(
        ("id" = InitiativeId, Path, description = "Identifier of the initiative."),
        ("day" = NaiveDate, Path, description = "Day of the count, from 1900 to today.", example = "2026-05-30"),
    ),
    request_body = NewHeadcount,
    responses(
        (status = 200, description = "The headcount.", body = Headcount),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[put("/v1/initiatives/{id}/headcounts/{day}")]
pub async fn record_headcount(
    state: web::Data<State>,
    caller: Caller,
    path: web::Path<(InitiativeId, NaiveDate)>,
    body: Json<NewHeadcount>,
) -> Answer {
    let (id, counted_on) = path.into_inner();
    state
        .write(&caller, async move |session| {
            let found = model::lock(session, id).await?;
            INITIATIVE.step(found.row.state, Action::RecordHeadcount, &found.standing)?;
            if !is_past(counted_on, session.today()) {
                return Err(ApiError::because(
                    Code::NotFound,
                    "On a compté un jour entre 1900 et aujourd'hui.",
                    "People were counted on a day between 1900 and today.",
                ));
            }
            let counts = body.0.counts;
            AgeCount::each_once(&counts, "/counts")?;
            let day = headcounts::table
                .filter(headcounts::initiative_id.eq(id))
                .filter(headcounts::commune_code.eq(id.commune()))
                .filter(headcounts::counted_on.eq(counted_on));
            diesel::delete(day).execute(&mut session.conn).await?;
            let recorded_by = session.actor.person()?.id;
            let rows: Vec<_> = counts
                .iter()
                .filter(|count| count.people > 0)
                .map(|count| {
                    (
                        headcounts::initiative_id.eq(id),
                        headcounts::commune_code.eq(&found.row.commune_code),
                        headcounts::counted_on.eq(counted_on),
                        headcounts::age_band.eq(count.age_band),
                        headcounts::people.eq(count.people),
                        headcounts::recorded_by.eq(recorded_by),
                    )
                })
                .collect();
            diesel::insert_into(headcounts::table)
                .values(rows)
                .execute(&mut session.conn)
                .await?;
            Reply::data(&Headcount { counted_on, counts })
        })
        .await
}
