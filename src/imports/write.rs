//! Items are written: in one set, and where the database refuses one of them, in halves until it stands alone.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, Date, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, TransactionManager};
use serde_json::Value;
use uuid::Uuid;

use super::dto::BulkOutcome;
use super::items::Checked;
use super::merge::{Merged, Row, Table};
use super::prepare::{Follow, Ready, Scope, clock, prepare};
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::policy::Role;
use crate::communes::model::CommuneRow;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::ids::InitiativeId;
use crate::initiatives::lifecycle::InitiativeAction;
use crate::state::Session;

type Manager = <AsyncPgConnection as AsyncConnection>::TransactionManager;

/// What became of an item.
pub struct Done {
    pub external_id: Option<String>,
    pub merged: Result<(BulkOutcome, Option<Uuid>), ApiError>,
}

/// Writes items, within the caller's transaction; with `validate_only` all of it is taken back.
pub async fn write(
    session: &mut Session,
    role: Role,
    commune: &CommuneRow,
    checked: Vec<Checked>,
    validate_only: bool,
) -> Result<Vec<Done>, ApiError> {
    let scope = Scope {
        role,
        commune,
        now: session.now,
        today: session.today(),
        me: session.actor.account()?,
    };
    let mut done: Vec<Done> = Vec::with_capacity(checked.len());
    let (mut items, mut given) = (Vec::new(), HashMap::new());
    let mut names: HashSet<String> = HashSet::new();
    for (place, checked) in checked.into_iter().enumerate() {
        let repeated = checked
            .external_id
            .as_ref()
            .is_some_and(|name| !names.insert(name.clone()));
        let merged = match checked.item {
            Ok(_) if repeated => Err(repeated_name()),
            Ok(item) => {
                items.push((place, item));
                given.insert(place, checked.given);
                Err(ApiError::internal("an item without a result"))
            }
            Err(error) => Err(error),
        };
        done.push(Done {
            external_id: checked.external_id,
            merged,
        });
    }
    let mut ready = Vec::new();
    for (place, item) in prepare(session, &scope, items).await? {
        match item {
            Ok(mut item) => {
                item.row.given = given.remove(&place).unwrap_or_default();
                ready.push((place, item));
            }
            Err(error) if is_the_items(&error) => set(&mut done, place, Err(error)),
            Err(error) => return Err(error),
        }
    }
    if validate_only {
        Manager::begin_transaction(&mut *session.conn).await?;
    }
    let written = write_in_halves(session, &scope, &ready).await;
    if validate_only {
        Manager::rollback_transaction(&mut *session.conn).await?;
    }
    for (place, merged) in written? {
        let merged = merged.map(|(outcome, id)| {
            let is_there = !validate_only || outcome != BulkOutcome::Created;
            (outcome, is_there.then_some(id))
        });
        set(&mut done, place, merged);
    }
    match done
        .iter()
        .find_map(|done| done.merged.as_ref().err().filter(|e| !is_the_items(e)))
    {
        Some(error) => Err(error.clone()),
        None => Ok(done),
    }
}

/// Each name once in a request or a file.
pub fn repeated_name() -> ApiError {
    ApiError::fault(
        "/external_id",
        FaultCode::Repeated,
        "Un autre élément du même envoi a cet identifiant.",
        "Another item of the same request has this id.",
    )
}

fn set(done: &mut [Done], place: usize, merged: Result<(BulkOutcome, Option<Uuid>), ApiError>) {
    if let Some(done) = done.get_mut(place) {
        done.merged = merged;
    }
}

/// Whether an error says something of an item, and not of the server.
fn is_the_items(error: &ApiError) -> bool {
    !matches!(error.code, Code::Internal | Code::Busy)
}

/// All at once; what the database refuses is halved until only that item is refused.
async fn write_in_halves(
    session: &mut Session,
    scope: &Scope<'_>,
    ready: &[(usize, Ready)],
) -> Result<Vec<(usize, Merged)>, ApiError> {
    let mut written = Vec::with_capacity(ready.len());
    let mut to_do = vec![ready];
    while let Some(part) = to_do.pop() {
        if part.is_empty() {
            continue;
        }
        Manager::begin_transaction(&mut *session.conn).await?;
        match write_set(session, scope, part).await {
            Ok(merged) => {
                Manager::commit_transaction(&mut *session.conn).await?;
                written.extend(merged);
            }
            Err(error) => {
                Manager::rollback_transaction(&mut *session.conn).await?;
                match part {
                    _ if !is_the_items(&error) => return Err(error),
                    [(place, _)] => written.push((*place, Err(error))),
                    _ => {
                        let (first, second) = part.split_at(part.len() / 2);
                        to_do.extend([second, first]);
                    }
                }
            }
        }
    }
    Ok(written)
}

async fn write_set(
    session: &mut Session,
    scope: &Scope<'_>,
    ready: &[(usize, Ready)],
) -> Result<Vec<(usize, Merged)>, ApiError> {
    let mut tables: Vec<(&'static Table, Vec<&Row>)> = Vec::new();
    for (_, item) in ready {
        match tables
            .iter_mut()
            .find(|(table, _)| std::ptr::eq(*table, item.table))
        {
            Some((_, rows)) => rows.push(&item.row),
            None => tables.push((item.table, vec![&item.row])),
        }
    }
    let mut merged: HashMap<String, Merged> = HashMap::new();
    for (table, rows) in tables {
        merged.extend(table.merge(session, &scope.commune.code, &rows).await?);
    }
    follow(session, scope, ready, &mut merged).await?;
    Ok(ready
        .iter()
        .filter_map(|(place, item)| Some((*place, merged.remove(&item.row.external_id)?)))
        .collect())
}

/// What goes with a row: submission, publication, what was delivered, and the history.
async fn follow(
    session: &mut Session,
    scope: &Scope<'_>,
    ready: &[(usize, Ready)],
    merged: &mut HashMap<String, Merged>,
) -> Result<(), ApiError> {
    let (mut submitted, mut published, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
    let mut history: Vec<(Uuid, InitiativeId, Subject, Beginning)> = Vec::new();
    for (_, item) in ready {
        let Some(Ok((outcome, id))) = merged.get(&item.row.external_id) else {
            continue;
        };
        let beginning = match outcome {
            BulkOutcome::Created => Some(Beginning::Import),
            BulkOutcome::Updated => Some(Beginning::Update),
            BulkOutcome::Unchanged | BulkOutcome::Refused => None,
        };
        match &item.follow {
            Follow::Draft { submit: true } => submitted.push(*id),
            Follow::Past { publish } => {
                if *publish && *outcome != BulkOutcome::Created {
                    published.push(*id);
                }
                history
                    .extend(beginning.map(|it| (*id, InitiativeId(*id), Subject::Initiative, it)));
            }
            Follow::Settled {
                initiative,
                delivered: theirs,
            } if *outcome == BulkOutcome::Created => {
                delivered.extend(theirs.clone().map(Value::Object));
                history.push((*id, *initiative, Subject::Commitment, Beginning::Import));
            }
            _ => {}
        }
    }
    let commune = &scope.commune.code;
    // An agent submits for the holder.
    let submitter = match scope.role {
        Role::Agent => Role::AgentOnBehalf,
        role => role,
    };
    let now_submitted = submit(session, scope, submitted).await?;
    let now_published = publish(session, scope, published).await?;
    deliver(session, scope, delivered).await?;
    let entry = |subject, subject_id, initiative, action, role| Entry {
        commune,
        initiative: Some(initiative),
        subject,
        subject_id,
        action,
        states: None,
        reason: None,
        role,
        visibility: Visibility::Public,
    };
    let mut entries: Vec<Entry<'_>> = history
        .into_iter()
        .map(|(id, initiative, subject, beginning)| {
            entry(subject, id, initiative, beginning.code(), scope.role)
        })
        .collect();
    entries.extend(now_submitted.iter().map(|id| Entry {
        states: Some(("draft", "submitted")),
        ..entry(
            Subject::Initiative,
            *id,
            InitiativeId(*id),
            InitiativeAction::Submit.code(),
            submitter,
        )
    }));
    entries.extend(now_published.iter().map(|id| {
        entry(
            Subject::Initiative,
            *id,
            InitiativeId(*id),
            InitiativeAction::Publish.code(),
            scope.role,
        )
    }));
    if !entries.is_empty() {
        audit::record_all(session, entries).await?;
    }
    // What was the same and is submitted or published now has changed after all.
    let moved: HashSet<Uuid> = now_submitted.into_iter().chain(now_published).collect();
    for (outcome, id) in merged.values_mut().flatten() {
        if *outcome == BulkOutcome::Unchanged && moved.contains(id) {
            *outcome = BulkOutcome::Updated;
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Submits those that are drafts, with the reply clock of the commune.
async fn submit(
    session: &mut Session,
    scope: &Scope<'_>,
    ids: Vec<Uuid>,
) -> Result<Vec<Uuid>, ApiError> {
    if ids.is_empty() {
        return Ok(ids);
    }
    let (reply_due_on, implicit_decision_on): (NaiveDate, Option<NaiveDate>) = clock(scope);
    let now: DateTime<Utc> = scope.now;
    let moved: Vec<Moved> = diesel::sql_query(
        "UPDATE initiatives SET state = 'submitted', submitted_at = $3, state_changed_at = $3, submission_number = $6,
            reply_due_on = $4, implicit_decision_on = $5, version = version + 1
        WHERE commune_code = $1 AND id = ANY($2) AND state = 'draft' RETURNING id",
    )
    .bind::<Text, _>(&scope.commune.code)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Timestamptz, _>(now)
    .bind::<Date, _>(reply_due_on)
    .bind::<Nullable<Date>, _>(implicit_decision_on)
    .bind::<Integer, _>(1)
    .load(&mut session.conn)
    .await?;
    Ok(moved.into_iter().map(|moved| moved.id).collect())
}

/// Publishes those that were there already and are not public.
async fn publish(
    session: &mut Session,
    scope: &Scope<'_>,
    ids: Vec<Uuid>,
) -> Result<Vec<Uuid>, ApiError> {
    if ids.is_empty() {
        return Ok(ids);
    }
    let moved: Vec<Moved> = diesel::sql_query(
        "UPDATE initiatives SET published_at = $3, version = version + 1
        WHERE commune_code = $1 AND id = ANY($2) AND published_at IS NULL AND publication_withheld_reason IS NULL RETURNING id",
    )
    .bind::<Text, _>(&scope.commune.code)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Timestamptz, _>(scope.now)
    .load(&mut session.conn)
    .await?;
    Ok(moved.into_iter().map(|moved| moved.id).collect())
}

/// What was delivered of commitments of the past. Nobody here answers to it: it is acknowledged as by silence.
async fn deliver(
    session: &mut Session,
    scope: &Scope<'_>,
    delivered: Vec<Value>,
) -> Result<(), ApiError> {
    if delivered.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "WITH came AS (
            SELECT f.*, x.unit_value_cents
            FROM jsonb_array_elements($1) AS element
            CROSS JOIN LATERAL jsonb_populate_record(NULL::fulfilments, element) AS f
            CROSS JOIN LATERAL jsonb_to_record(element) AS x (unit_value_cents bigint)
        )
        INSERT INTO fulfilments (id, commune_code, commitment_id, state, done_on, amount_cents, quantity, value_cents,
            evidence, recorded_by, recorded_side, on_behalf, recorded_at, version)
        SELECT id, commune_code, commitment_id, state, done_on, amount_cents, quantity,
            coalesce(amount_cents, round(quantity * unit_value_cents)::bigint),
            evidence, recorded_by, recorded_side, on_behalf, recorded_at, version
        FROM came",
    )
    .bind::<Jsonb, _>(Value::Array(delivered.clone()))
    .execute(&mut session.conn)
    .await?;
    let ids: Vec<Uuid> = delivered
        .iter()
        .filter_map(|fulfilment| fulfilment["id"].as_str()?.parse().ok())
        .collect();
    diesel::sql_query(
        "UPDATE fulfilments SET state = 'acknowledged', answered_at = recorded_at, version = version + 1
        WHERE commune_code = $1 AND id = ANY($2)",
    )
    .bind::<Text, _>(&scope.commune.code)
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(&mut session.conn)
    .await?;
    Ok(())
}
