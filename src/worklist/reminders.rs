//! What the clock says of the worklist: that a day comes near, and that it has passed. Each is said once, by an entry in
//! the history, whatever the number of servers and however long they stood still.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Integer, Text};
use diesel_async::RunQueryDsl;

use super::dto::WorkKind;
use crate::audit::{self, Entry, Notice, Subject, Visibility};
use crate::auth::policy::Role;
use crate::db::schema::communes;
use crate::http::error::ApiError;
use crate::ids::InitiativeId;
use crate::state::{Session, State};

/// How many days ahead of its day each kind of work is announced. What is not here has no day.
const AHEAD: &[(WorkKind, i32)] = &[
    (WorkKind::Instruct, 15),
    (WorkKind::Decide, 15),
    (WorkKind::Answer, 30),
    (WorkKind::Sign, 7),
    (WorkKind::Pay, 15),
    (WorkKind::Fulfil, 15),
    // At once.
    (WorkKind::TakeOver, 3660),
    (WorkKind::Check, 0),
    (WorkKind::Acknowledge, 7),
    // At once: that is how the official hears of it.
    (WorkKind::Contest, 8),
    (WorkKind::Renew, 90),
    (WorkKind::AgreeEvaluation, 7),
];

/// What has to be said: of each piece of work one of the two, and of a missing answer always the first, for nothing lapses
/// that was not announced.
const DUE: &str = "
    INSERT INTO reminders (commune_code, initiative_id, kind, subject, subject_id, waits_for, due_on, stage, said_on)
    SELECT w.commune_code, w.initiative_id, w.kind, w.subject, w.subject_id, w.waits_for, w.due_on,
        CASE WHEN w.due_on < $2 AND w.kind <> 'answer' THEN 'overdue' ELSE 'remind' END, $2
    FROM work_items AS w
    JOIN unnest($3, $4) AS a (kind, days) ON a.kind = w.kind
    WHERE w.commune_code = $1 AND w.due_on <= $2 + a.days AND (w.kind <> 'contest' OR w.due_on >= $2)
    ON CONFLICT DO NOTHING
    RETURNING initiative_id, kind, subject, subject_id, due_on, stage";

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    initiative_id: InitiativeId,
    #[diesel(sql_type = Text)]
    subject: Subject,
    #[diesel(sql_type = Text)]
    kind: WorkKind,
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    subject_id: uuid::Uuid,
    #[diesel(sql_type = Date)]
    due_on: NaiveDate,
    #[diesel(sql_type = Text)]
    stage: Notice,
}

/// Says in every commune of the scheme what is due, each commune in a transaction of its own. Returns how often.
pub async fn say(state: &State) -> Result<usize, ApiError> {
    let mut session = state.as_time_passes().await?;
    let enrolled = communes::table
        .filter(communes::enrolled_at.is_not_null())
        .order(communes::code)
        .select(communes::code)
        .load(&mut session.conn)
        .await
        .map_err(ApiError::from);
    let enrolled: Vec<String> = session.finish(enrolled).await?;
    let mut said = 0;
    for commune in enrolled {
        let mut session = state.as_time_passes().await?;
        let done = say_in(&mut session, &commune).await;
        said += session.finish(done).await?;
    }
    Ok(said)
}

async fn say_in(session: &mut Session, commune: &str) -> Result<usize, ApiError> {
    let (kinds, days): (Vec<&str>, Vec<i32>) = AHEAD
        .iter()
        .map(|(kind, days)| (kind.code(), *days))
        .unzip();
    let said: Vec<Said> = diesel::sql_query(DUE)
        .bind::<Text, _>(commune)
        .bind::<Date, _>(session.today())
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Integer>, _>(days)
        .load(&mut session.conn)
        .await?;
    let count = said.len();
    for item in said {
        write_down(session, commune, item).await?;
    }
    Ok(count)
}

async fn write_down(session: &mut Session, commune: &str, said: Said) -> Result<(), ApiError> {
    let what = WorkKind::LIST.labels(said.kind.code());
    let what = what.map_or("", |(french, _)| french);
    let reason = format!("{what} : {}", said.due_on.format("%d/%m/%Y"));
    let entry = Entry {
        commune,
        initiative: Some(said.initiative_id),
        subject: said.subject,
        subject_id: said.subject_id,
        action: said.stage.code(),
        states: None,
        reason: Some(&reason),
        role: Role::Clock,
        // What the town hall owes itself is its own affair.
        visibility: match said.kind {
            WorkKind::Instruct | WorkKind::Decide | WorkKind::Contest => Visibility::Commune,
            _ => Visibility::Parties,
        },
    };
    audit::record(session, entry).await
}
