//! Clients in the database.

use std::collections::BTreeSet;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use ipnet::IpNet;

use super::dto::{AddressRange, Client, ClientPatch, ClientState, NewClient, SecretRotation};
use super::usage;
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::policy::{Role, Scope};
use crate::auth::tokens::Secret;
use crate::db::schema::{clients, users};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code, Fault, FaultCode, Text};
use crate::ids::{ClientId, UserId};
use crate::state::Session;

/// Most clients of a commune.
const CLIENTS_MAX: i64 = 50;

/// A row of `clients`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = clients)]
pub struct ClientRow {
    pub id: ClientId,
    pub commune_code: String,
    pub user_id: UserId,
    pub name: String,
    pub contact: String,
    pub scopes: Vec<Option<Scope>>,
    pub address_ranges: Vec<Option<IpNet>>,
    pub state: ClientState,
    pub state_changed_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub secret_number: i32,
    pub secret_hash: Vec<u8>,
    pub secret_made_at: DateTime<Utc>,
    pub previous_secret_hash: Option<Vec<u8>>,
    pub previous_secret_until: Option<DateTime<Utc>>,
    pub created_by: UserId,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl ClientRow {
    /// As the town hall and administrators see it, with the secret that was just made, if one was.
    pub fn show(&self, secret: Option<&str>, last_used_at: Option<DateTime<Utc>>) -> Client {
        Client {
            id: self.id,
            commune_code: self.commune_code.clone(),
            account_id: self.user_id,
            name: self.name.clone(),
            contact: self.contact.clone(),
            scopes: self.scopes.iter().copied().flatten().collect(),
            address_ranges: self
                .address_ranges
                .iter()
                .flatten()
                .map(|range| AddressRange(range.to_string()))
                .collect(),
            state: self.state,
            state_changed_at: self.state_changed_at,
            expires_at: self.expires_at,
            secret: secret.map(str::to_owned),
            secret_made_at: self.secret_made_at,
            previous_secret_until: self.previous_secret_until,
            last_used_at,
            created_at: self.created_at,
        }
    }

    /// The number of the secret that this is, if it is one that counts.
    pub fn number_of(&self, secret: &str, now: DateTime<Utc>) -> Option<i32> {
        let hash = Secret::hash(secret);
        let is =
            |known: &[u8]| aws_lc_rs::constant_time::verify_slices_are_equal(&hash, known).is_ok();
        if is(&self.secret_hash) {
            return Some(self.secret_number);
        }
        let overlaps = self.previous_secret_until.is_some_and(|end| now < end);
        let previous = self.previous_secret_hash.as_deref().filter(|_| overlaps)?;
        is(previous).then_some(self.secret_number - 1)
    }
}

fn sorted(scopes: Vec<Scope>) -> Vec<Option<Scope>> {
    let scopes: BTreeSet<Scope> = scopes.into_iter().collect();
    scopes.into_iter().map(Some).collect()
}

/// Reads ranges; each that is none is a fault at its place. One of IPv4 is written as such: that is how addresses are
/// compared.
fn ranges(texts: &[AddressRange]) -> Result<Vec<Option<IpNet>>, ApiError> {
    let mut ranges = Vec::new();
    let mut faults = Vec::new();
    for (place, AddressRange(text)) in texts.iter().enumerate() {
        let range = text.parse().ok().filter(|range: &IpNet| {
            let mapped =
                matches!(range.addr(), IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
            range.trunc() == *range && !mapped
        });
        match range {
            Some(range) => ranges.push(Some(range)),
            None => faults.push(Fault::at(
                &format!("/address_ranges/{place}"),
                FaultCode::BadFormat,
                Text::new(
                    "Une plage d'adresses telle que 203.0.113.0/24 ou 2001:db8::/32, sans bits après le préfixe.",
                    "A range of addresses such as 203.0.113.0/24 or 2001:db8::/32, without bits behind the prefix.",
                ),
            )),
        }
    }
    if faults.is_empty() {
        Ok(ranges)
    } else {
        Err(ApiError::invalid(faults))
    }
}

/// Refuses an end that has passed.
fn check_end(end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), ApiError> {
    if end.is_some_and(|end| end <= now) {
        return Err(ApiError::fault(
            "/expires_at",
            FaultCode::OutOfRange,
            "Un moment à venir.",
            "A moment to come.",
        ));
    }
    Ok(())
}

async fn write_down(
    session: &mut Session,
    row: &ClientRow,
    action: Beginning,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &row.commune_code,
        initiative: None,
        subject: Subject::Client,
        subject_id: row.id.0,
        action: action.code(),
        states: None,
        reason: None,
        role: Role::Admin,
        visibility: Visibility::Commune,
    };
    audit::record(session, entry).await
}

/// Makes a client, with an account to act in the name of. Returns its secret too, which nobody knows afterwards.
pub async fn create(
    session: &mut Session,
    commune: &str,
    new: NewClient,
) -> Result<(ClientRow, String), ApiError> {
    let now = session.now;
    let address_ranges = ranges(&new.address_ranges)?;
    check_end(new.expires_at, now)?;
    let count: i64 = clients::table
        .filter(clients::commune_code.eq(commune))
        .count()
        .get_result(&mut session.conn)
        .await?;
    if count >= CLIENTS_MAX {
        return Err(ApiError::because(
            Code::RequirementMissing,
            "Une commune a cinquante programmes au plus.",
            "A commune has fifty clients at most.",
        ));
    }
    let secret = Secret::new().map_err(ApiError::internal)?;
    let row = ClientRow {
        id: ClientId::new(commune, now)?,
        commune_code: commune.to_owned(),
        user_id: UserId::new(now)?,
        name: new.name,
        contact: new.contact,
        scopes: sorted(new.scopes),
        address_ranges,
        state: ClientState::Active,
        state_changed_at: now,
        expires_at: new.expires_at,
        secret_number: 1,
        secret_hash: secret.hash,
        secret_made_at: now,
        previous_secret_hash: None,
        previous_secret_until: None,
        created_by: session.actor.person()?.id,
        created_at: now,
        version: 1,
    };
    diesel::insert_into(users::table)
        .values((
            users::id.eq(row.user_id),
            users::kind.eq("client"),
            users::display_name.eq(&row.name),
            users::created_at.eq(now),
        ))
        .execute(&mut session.conn)
        .await?;
    diesel::insert_into(clients::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    write_down(session, &row, Beginning::Create).await?;
    Ok((row, secret.secret))
}

/// Where a client stands in the list.
pub type Position = (DateTime<Utc>, ClientId);

/// A client with when it last called.
pub type Used = (ClientRow, Option<DateTime<Utc>>);

/// The clients of a commune, the latest first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    commune: &str,
    after: Option<Position>,
    limit: i64,
) -> QueryResult<Page<Used>> {
    let mut query = clients::table
        .filter(clients::commune_code.eq(commune))
        .order((clients::created_at.desc(), clients::id.desc()))
        .limit(limit + 1)
        .select(ClientRow::as_select())
        .into_boxed();
    if let Some((created_at, id)) = after {
        query = query
            .filter(clients::created_at.le(created_at))
            .filter(clients::created_at.lt(created_at).or(clients::id.lt(id)));
    }
    let rows: Vec<ClientRow> = query.load(conn).await?;
    let ids: Vec<ClientId> = rows.iter().map(|row| row.id).collect();
    let used = usage::last_used(conn, &ids).await?;
    let rows = rows.into_iter().map(|row| {
        let last = used.get(&row.id).copied().flatten();
        (row, last)
    });
    Ok(Page::cut(rows.collect(), limit))
}

/// A client, whoever asks.
pub async fn find(conn: &mut AsyncPgConnection, id: ClientId) -> QueryResult<ClientRow> {
    clients::table
        .find((id, id.commune()))
        .select(ClientRow::as_select())
        .first(conn)
        .await
}

/// When a client last called.
pub async fn last_used(
    conn: &mut AsyncPgConnection,
    id: ClientId,
) -> QueryResult<Option<DateTime<Utc>>> {
    let used = usage::last_used(conn, &[id]).await?;
    Ok(used.into_values().next().flatten())
}

/// A client, held until the transaction ends.
pub async fn lock(conn: &mut AsyncPgConnection, id: ClientId) -> QueryResult<ClientRow> {
    clients::table
        .find((id, id.commune()))
        .select(ClientRow::as_select())
        .for_update()
        .first(conn)
        .await
}

/// Writes what may change of a client that the caller holds locked.
async fn save(session: &mut Session, row: &mut ClientRow) -> Result<(), ApiError> {
    row.version += 1;
    diesel::update(clients::table.find((row.id, &row.commune_code)))
        .set((
            (
                clients::name.eq(&row.name),
                clients::contact.eq(&row.contact),
                clients::scopes.eq(&row.scopes),
                clients::address_ranges.eq(&row.address_ranges),
                clients::state.eq(row.state),
                clients::state_changed_at.eq(row.state_changed_at),
                clients::expires_at.eq(row.expires_at),
            ),
            (
                clients::secret_number.eq(row.secret_number),
                clients::secret_hash.eq(&row.secret_hash),
                clients::secret_made_at.eq(row.secret_made_at),
                clients::previous_secret_hash.eq(&row.previous_secret_hash),
                clients::previous_secret_until.eq(row.previous_secret_until),
                clients::version.eq(row.version),
            ),
        ))
        .execute(&mut session.conn)
        .await?;
    write_down(session, row, Beginning::Update).await
}

/// Changes a client that the caller holds locked.
pub async fn change(
    session: &mut Session,
    row: &mut ClientRow,
    patch: ClientPatch,
) -> Result<(), ApiError> {
    if let Some(name) = patch.name {
        row.name = name;
    }
    if let Some(contact) = patch.contact {
        row.contact = contact;
    }
    if let Some(scopes) = patch.scopes {
        row.scopes = sorted(scopes);
    }
    if let Some(texts) = patch.address_ranges {
        row.address_ranges = ranges(&texts)?;
    }
    if let Some(end) = patch.expires_at {
        check_end(end, session.now)?;
        row.expires_at = end;
    }
    if let Some(state) = patch.state.filter(|state| *state != row.state) {
        row.state = state;
        row.state_changed_at = session.now;
    }
    save(session, row).await
}

/// Gives a client that the caller holds locked a new secret, and returns it. Two secrets count at most: the new one, and
/// for some time the one before.
pub async fn rotate(
    session: &mut Session,
    row: &mut ClientRow,
    how: &SecretRotation,
) -> Result<String, ApiError> {
    let secret = Secret::new().map_err(ApiError::internal)?;
    let previous = std::mem::replace(&mut row.secret_hash, secret.hash);
    row.secret_number += 1;
    row.secret_made_at = session.now;
    let overlap = TimeDelta::hours(i64::from(how.overlap_hours));
    let overlaps = how.overlap_hours > 0;
    row.previous_secret_hash = overlaps.then_some(previous);
    row.previous_secret_until = overlaps.then(|| session.now + overlap);
    save(session, row).await?;
    Ok(secret.secret)
}

/// Ends the overlap of a client that the caller holds locked: only the newest secret counts.
pub async fn revoke_previous(session: &mut Session, row: &mut ClientRow) -> Result<(), ApiError> {
    row.previous_secret_hash = None;
    row.previous_secret_until = None;
    save(session, row).await
}

/// Deletes a client that the caller holds locked, and its usage. Its account stays, for the history.
pub async fn delete(session: &mut Session, row: &ClientRow) -> Result<(), ApiError> {
    diesel::delete(clients::table.find((row.id, &row.commune_code)))
        .execute(&mut session.conn)
        .await?;
    write_down(session, row, Beginning::Delete).await
}
