//! Webhooks and their deliveries in the database.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::address;
use super::dto::{
    DeliveryFault, DeliveryState, NewWebhook, Webhook, WebhookDelivery, WebhookDisabling,
    WebhookPatch, WebhookState,
};
use super::signing;
use super::worker::Options;
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::policy::Role;
use crate::changes::dto::ChangeKind;
use crate::changes::model::{self as feed, Part};
use crate::db::schema::{changes, webhook_deliveries as deliveries, webhooks};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::ids::{DeliveryId, UserId, WebhookId};
use crate::state::Session;

/// Most webhooks of a commune.
const WEBHOOKS_MAX: i64 = 20;
/// How long requests are signed with the secret before, too.
const OVERLAP: TimeDelta = TimeDelta::hours(24);
/// How long a webhook may fail.
const PATIENCE: TimeDelta = TimeDelta::days(5);
/// How long deliveries are kept after they came to an end.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How many changes become deliveries in one transaction.
const BATCH: i64 = 500;

/// A row of `webhooks`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhooks)]
pub struct WebhookRow {
    pub id: WebhookId,
    pub commune_code: String,
    pub url: String,
    pub kinds: Vec<Option<ChangeKind>>,
    pub description: Option<String>,
    pub state: WebhookState,
    pub disabled_by: Option<WebhookDisabling>,
    pub state_changed_at: DateTime<Utc>,
    pub failing_since: Option<DateTime<Utc>>,
    pub secret: String,
    pub previous_secret: Option<String>,
    pub previous_secret_until: Option<DateTime<Utc>>,
    pub position: i64,
    pub created_by: UserId,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl WebhookRow {
    /// As the town hall sees it; the secret only when it is new.
    pub fn show(&self, with_secret: bool) -> Webhook {
        Webhook {
            id: self.id,
            commune_code: self.commune_code.clone(),
            url: self.url.clone(),
            kinds: self.kinds(),
            description: self.description.clone(),
            state: self.state,
            disabled_by: self.disabled_by,
            state_changed_at: self.state_changed_at,
            failing_since: self.failing_since,
            secret: with_secret.then(|| self.secret.clone()),
            previous_secret_until: self.previous_secret_until,
            created_at: self.created_at,
        }
    }

    fn kinds(&self) -> Vec<ChangeKind> {
        self.kinds.iter().copied().flatten().collect()
    }

    /// What requests are signed with at this moment.
    pub fn secrets(&self, now: DateTime<Utc>) -> Vec<&str> {
        let previous = self
            .previous_secret
            .as_deref()
            .filter(|_| self.previous_secret_until.is_some_and(|until| now < until));
        std::iter::once(self.secret.as_str())
            .chain(previous)
            .collect()
    }
}

/// A row of `webhook_deliveries`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    pub commune_code: String,
    pub webhook_id: WebhookId,
    pub change_position: Option<i64>,
    pub state: DeliveryState,
    pub attempts: i32,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub last_attempt_at: Option<DateTime<Utc>>,
    pub last_status: Option<i16>,
    pub last_fault: Option<DeliveryFault>,
    pub created_at: DateTime<Utc>,
}

/// A delivery with what changed.
pub type Told = (DeliveryRow, Option<(ChangeKind, Uuid)>);

impl From<Told> for WebhookDelivery {
    fn from((row, change): Told) -> Self {
        Self {
            id: row.id,
            webhook_id: row.webhook_id,
            kind: change.map(|(kind, _)| kind),
            resource_id: change.map(|(_, id)| id),
            state: row.state,
            attempts: row.attempts,
            next_attempt_at: row.next_attempt_at,
            last_attempt_at: row.last_attempt_at,
            last_status: row.last_status,
            last_fault: row.last_fault,
            created_at: row.created_at,
        }
    }
}

/// Refuses a URL that no request may go to.
fn check_url(url: &str, options: &Options) -> Result<(), ApiError> {
    let parsed = reqwest::Url::parse(url).ok();
    if parsed.is_some_and(|url| options.allow_private || address::is_allowed(&url)) {
        return Ok(());
    }
    Err(ApiError::fault(
        "/url",
        FaultCode::BadFormat,
        "Une adresse https publique, sans identifiants.",
        "A public https address, without credentials.",
    ))
}

fn sorted(mut kinds: Vec<ChangeKind>) -> Vec<Option<ChangeKind>> {
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(Some).collect()
}

fn entry(row: &WebhookRow, action: Beginning, role: Role) -> Entry<'_> {
    Entry {
        commune: &row.commune_code,
        initiative: None,
        subject: Subject::Webhook,
        subject_id: row.id.0,
        action: action.code(),
        states: None,
        reason: None,
        role,
        visibility: Visibility::Commune,
    }
}

async fn write_down(
    session: &mut Session,
    row: &WebhookRow,
    action: Beginning,
    role: Role,
) -> Result<(), ApiError> {
    audit::record(session, entry(row, action, role)).await
}

/// Makes a webhook: it is told of what changes from now on.
pub async fn create(
    session: &mut Session,
    options: &Options,
    commune: &str,
    role: Role,
    new: NewWebhook,
) -> Result<WebhookRow, ApiError> {
    check_url(&new.url, options)?;
    let count: i64 = webhooks::table
        .filter(webhooks::commune_code.eq(commune))
        .count()
        .get_result(&mut session.conn)
        .await?;
    if count >= WEBHOOKS_MAX {
        return Err(ApiError::because(
            Code::RequirementMissing,
            "Une commune a vingt webhooks au plus.",
            "A commune has twenty webhooks at most.",
        ));
    }
    let row = WebhookRow {
        id: WebhookId::new(commune, session.now)?,
        commune_code: commune.to_owned(),
        url: new.url,
        kinds: sorted(new.kinds),
        description: new.description,
        state: WebhookState::Active,
        disabled_by: None,
        state_changed_at: session.now,
        failing_since: None,
        secret: signing::new_secret()?,
        previous_secret: None,
        previous_secret_until: None,
        position: feed::head(&mut session.conn).await?,
        created_by: session.actor.account()?,
        created_at: session.now,
        version: 1,
    };
    diesel::insert_into(webhooks::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    write_down(session, &row, Beginning::Create, role).await?;
    Ok(row)
}

/// Where a webhook or a delivery stands in its list.
pub type Position<I> = (DateTime<Utc>, I);

/// The webhooks of a commune, the latest first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    commune: &str,
    after: Option<Position<WebhookId>>,
    limit: i64,
) -> QueryResult<Page<WebhookRow>> {
    let mut query = webhooks::table
        .filter(webhooks::commune_code.eq(commune))
        .order((webhooks::created_at.desc(), webhooks::id.desc()))
        .limit(limit + 1)
        .select(WebhookRow::as_select())
        .into_boxed();
    if let Some((created_at, id)) = after {
        query = query
            .filter(webhooks::created_at.le(created_at))
            .filter(webhooks::created_at.lt(created_at).or(webhooks::id.lt(id)));
    }
    Ok(Page::cut(query.load(conn).await?, limit))
}

/// A webhook, whoever asks.
pub async fn find(conn: &mut AsyncPgConnection, id: WebhookId) -> QueryResult<WebhookRow> {
    webhooks::table
        .find((id, id.commune()))
        .select(WebhookRow::as_select())
        .first(conn)
        .await
}

/// The same, held until the transaction ends.
pub async fn lock(conn: &mut AsyncPgConnection, id: WebhookId) -> QueryResult<WebhookRow> {
    webhooks::table
        .find((id, id.commune()))
        .select(WebhookRow::as_select())
        .for_update()
        .first(conn)
        .await
}

/// Writes what may change of a webhook that the caller holds locked.
async fn save(conn: &mut AsyncPgConnection, row: &WebhookRow) -> QueryResult<usize> {
    diesel::update(webhooks::table.find((row.id, &row.commune_code)))
        .set((
            (
                webhooks::url.eq(&row.url),
                webhooks::kinds.eq(&row.kinds),
                webhooks::description.eq(&row.description),
                webhooks::state.eq(row.state),
                webhooks::disabled_by.eq(row.disabled_by),
                webhooks::state_changed_at.eq(row.state_changed_at),
                webhooks::failing_since.eq(row.failing_since),
            ),
            (
                webhooks::secret.eq(&row.secret),
                webhooks::previous_secret.eq(&row.previous_secret),
                webhooks::previous_secret_until.eq(row.previous_secret_until),
                webhooks::version.eq(row.version),
            ),
        ))
        .execute(conn)
        .await
}

/// Changes a webhook that the caller holds locked.
pub async fn change(
    session: &mut Session,
    options: &Options,
    row: &mut WebhookRow,
    role: Role,
    patch: WebhookPatch,
) -> Result<(), ApiError> {
    if let Some(url) = patch.url {
        check_url(&url, options)?;
        row.url = url;
    }
    if let Some(kinds) = patch.kinds {
        row.kinds = sorted(kinds);
    }
    if let Some(description) = patch.description {
        row.description = description;
    }
    if let Some(state) = patch.state.filter(|state| *state != row.state) {
        row.state = state;
        row.state_changed_at = session.now;
        row.disabled_by = (state == WebhookState::Disabled).then_some(WebhookDisabling::ByHand);
        row.failing_since = None;
    }
    row.version += 1;
    save(&mut session.conn, row).await?;
    write_down(session, row, Beginning::Update, role).await
}

/// Gives a webhook that the caller holds locked a new secret; the one before goes on for a day.
pub async fn rotate(
    session: &mut Session,
    row: &mut WebhookRow,
    role: Role,
) -> Result<(), ApiError> {
    let previous = std::mem::replace(&mut row.secret, signing::new_secret()?);
    row.previous_secret = Some(previous);
    row.previous_secret_until = Some(session.now + OVERLAP);
    row.version += 1;
    save(&mut session.conn, row).await?;
    write_down(session, row, Beginning::Update, role).await
}

/// Deletes a webhook that the caller holds locked, and its deliveries.
pub async fn delete(session: &mut Session, row: &WebhookRow, role: Role) -> Result<(), ApiError> {
    diesel::delete(webhooks::table.find((row.id, &row.commune_code)))
        .execute(&mut session.conn)
        .await?;
    write_down(session, row, Beginning::Delete, role).await
}

/// A delivery that is to be sent at once.
fn to_send(
    webhook: &WebhookRow,
    change_position: Option<i64>,
    now: DateTime<Utc>,
) -> Result<DeliveryRow, ApiError> {
    Ok(DeliveryRow {
        id: DeliveryId::new(&webhook.commune_code, now)?,
        commune_code: webhook.commune_code.clone(),
        webhook_id: webhook.id,
        change_position,
        state: DeliveryState::Pending,
        attempts: 0,
        next_attempt_at: Some(now),
        last_attempt_at: None,
        last_status: None,
        last_fault: None,
        created_at: now,
    })
}

/// Asks for a test of a webhook.
pub async fn ping(session: &mut Session, webhook: &WebhookRow) -> Result<DeliveryRow, ApiError> {
    let row = to_send(webhook, None, session.now)?;
    diesel::insert_into(deliveries::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    Ok(row)
}

/// The deliveries with what changed.
macro_rules! told {
    () => {
        deliveries::table
            .left_join(changes::table.on(changes::position.eq(deliveries::change_position)))
            .select((
                DeliveryRow::as_select(),
                (changes::kind, changes::subject_id).nullable(),
            ))
    };
}

/// The deliveries of a webhook, the latest first.
pub async fn list_deliveries(
    conn: &mut AsyncPgConnection,
    webhook: WebhookId,
    state: Option<DeliveryState>,
    after: Option<Position<DeliveryId>>,
    limit: i64,
) -> QueryResult<Page<Told>> {
    let mut query = told!()
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::commune_code.eq(webhook.commune()))
        .order((deliveries::created_at.desc(), deliveries::id.desc()))
        .limit(limit + 1)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(deliveries::state.eq(state));
    }
    if let Some((created_at, id)) = after {
        query = query.filter(deliveries::created_at.le(created_at)).filter(
            deliveries::created_at
                .lt(created_at)
                .or(deliveries::id.lt(id)),
        );
    }
    Ok(Page::cut(query.load(conn).await?, limit))
}

/// A delivery, whoever asks.
pub async fn find_delivery(conn: &mut AsyncPgConnection, id: DeliveryId) -> QueryResult<Told> {
    told!()
        .filter(deliveries::id.eq(id))
        .filter(deliveries::commune_code.eq(id.commune()))
        .first(conn)
        .await
}

/// Has a delivery sent again, from the first attempt on.
pub async fn replay(session: &mut Session, id: DeliveryId) -> QueryResult<usize> {
    diesel::update(deliveries::table.find((id, id.commune())))
        .set((
            deliveries::state.eq(DeliveryState::Pending),
            deliveries::attempts.eq(0),
            deliveries::next_attempt_at.eq(session.now),
        ))
        .execute(&mut session.conn)
        .await
}

/// Makes deliveries of what has changed up to a place for one webhook that nobody else works on; false when there is nothing to do.
pub async fn hand_out(session: &mut Session, head: i64) -> Result<bool, ApiError> {
    let behind = diesel::dsl::exists(
        changes::table
            .filter(changes::commune_code.eq(webhooks::commune_code))
            .filter(changes::position.gt(webhooks::position.nullable()))
            .filter(changes::position.le(head)),
    );
    let webhook: Option<WebhookRow> = webhooks::table
        .filter(webhooks::state.eq(WebhookState::Active))
        .filter(behind)
        .select(WebhookRow::as_select())
        .for_update()
        .skip_locked()
        .first(&mut session.conn)
        .await
        .optional()?;
    let Some(webhook) = webhook else {
        return Ok(false);
    };
    let kinds = webhook.kinds();
    let part = Part {
        commune: Some(&webhook.commune_code),
        kinds: Some(&kinds),
        after: webhook.position,
        head,
    };
    let page = feed::list(&mut session.conn, &part, BATCH).await?;
    let reached = match page.items.last() {
        Some(last) if page.has_more => last.position,
        _ => head,
    };
    let rows: Vec<DeliveryRow> = page
        .items
        .iter()
        .map(|change| to_send(&webhook, Some(change.position), session.now))
        .collect::<Result<_, _>>()?;
    diesel::insert_into(deliveries::table)
        .values(&rows)
        .execute(&mut session.conn)
        .await?;
    diesel::update(webhooks::table.find((webhook.id, &webhook.commune_code)))
        .set(webhooks::position.eq(reached))
        .execute(&mut session.conn)
        .await?;
    Ok(true)
}

/// A delivery that is this process's to send until its lease ends.
#[derive(Clone, Debug, QueryableByName)]
#[diesel(table_name = deliveries)]
pub struct Claimed {
    pub id: DeliveryId,
    pub commune_code: String,
    pub webhook_id: WebhookId,
    pub change_position: Option<i64>,
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
}

/// Takes deliveries that are due, one of each webhook that is not busy and so many in all. Whoever takes them and ends before they are sent leaves them to others after the lease.
pub async fn claim(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    lease: TimeDelta,
    busy: Vec<WebhookId>,
    all: i64,
) -> QueryResult<Vec<Claimed>> {
    use diesel::sql_types::{Array, BigInt, Timestamptz, Uuid};
    diesel::sql_query(
        "UPDATE webhook_deliveries AS d SET attempts = d.attempts + 1, last_attempt_at = $1, next_attempt_at = $2, \
             last_status = NULL, last_fault = NULL \
         FROM (SELECT due.id, due.commune_code FROM webhooks AS w CROSS JOIN LATERAL ( \
                 SELECT id, commune_code FROM webhook_deliveries \
                 WHERE (webhook_id, commune_code) = (w.id, w.commune_code) AND state = 'pending' \
                     AND next_attempt_at <= $1 \
                 ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED) AS due \
             WHERE w.state = 'active' AND w.id <> ALL ($3) LIMIT $4) AS taken \
         WHERE (d.id, d.commune_code) = (taken.id, taken.commune_code) \
         RETURNING d.id, d.commune_code, d.webhook_id, d.change_position, d.attempts, d.created_at",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now + lease)
    .bind::<Array<Uuid>, _>(busy)
    .bind::<BigInt, _>(all)
    .load(conn)
    .await
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// Answered with this status, 2xx.
    Received(i16),
    /// Nothing to send any more.
    Void,
    Failed {
        status: Option<i16>,
        fault: DeliveryFault,
        /// After how long it is tried again; never when that was the last time.
        again: Option<TimeDelta>,
    },
}

/// Writes down how an attempt ended, and what follows for the webhook.
pub async fn conclude(
    session: &mut Session,
    claimed: &Claimed,
    outcome: Outcome,
) -> Result<(), ApiError> {
    // The webhook first, as everybody does.
    let webhook = lock(&mut session.conn, claimed.webhook_id)
        .await
        .optional()?;
    let Some(mut webhook) = webhook else {
        return Ok(());
    };
    let now = session.now;
    let (state, next, status, fault) = match outcome {
        Outcome::Received(status) => (DeliveryState::Delivered, None, Some(status), None),
        Outcome::Void => (DeliveryState::Void, None, None, None),
        Outcome::Failed {
            status,
            fault,
            again,
        } => {
            let state = match again {
                Some(_) => DeliveryState::Pending,
                None => DeliveryState::Failed,
            };
            (state, again.map(|again| now + again), status, Some(fault))
        }
    };
    // Not if it was sent again by hand, or by another process after the lease.
    diesel::update(
        deliveries::table
            .find((claimed.id, &claimed.commune_code))
            .filter(deliveries::attempts.eq(claimed.attempts)),
    )
    .set((
        deliveries::state.eq(state),
        deliveries::next_attempt_at.eq(next),
        deliveries::last_status.eq(status),
        deliveries::last_fault.eq(fault),
    ))
    .execute(&mut session.conn)
    .await?;
    let failing_since = match outcome {
        Outcome::Received(_) => None,
        Outcome::Void => webhook.failing_since,
        Outcome::Failed { .. } => webhook.failing_since.or(Some(now)),
    };
    let gives_up = failing_since.is_some_and(|since| now - since > PATIENCE)
        && webhook.state == WebhookState::Active;
    if failing_since == webhook.failing_since && !gives_up {
        return Ok(());
    }
    webhook.failing_since = failing_since;
    if gives_up {
        webhook.version += 1;
        webhook.state = WebhookState::Disabled;
        webhook.disabled_by = Some(WebhookDisabling::Failing);
        webhook.state_changed_at = now;
        let entry = Entry {
            states: Some((WebhookState::Active.code(), WebhookState::Disabled.code())),
            ..entry(&webhook, Beginning::Update, Role::Clock)
        };
        audit::record(session, entry).await?;
    }
    save(&mut session.conn, &webhook).await?;
    Ok(())
}

/// Forgets deliveries that came to an end long ago. Returns how many.
pub async fn forget(session: &mut Session) -> Result<usize, ApiError> {
    let old = deliveries::table
        .filter(deliveries::state.ne(DeliveryState::Pending))
        .filter(deliveries::last_attempt_at.lt(session.now - KEPT));
    Ok(diesel::delete(old).execute(&mut session.conn).await?)
}
