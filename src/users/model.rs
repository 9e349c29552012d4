//! Accounts and their refresh tokens in the database.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::dto::{Locale, MePatch};
use crate::auth::tokens::{REFRESH_LIFETIME, Secret};
use crate::db::schema::{refresh_tokens, users};
use crate::http::error::ApiError;
use crate::ids::UserId;

/// For how long a used refresh token may come back, because its answer was lost.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// A row of `users`, of a person.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
pub struct UserRow {
    pub id: UserId,
    #[diesel(select_expression = users::email.assume_not_null())]
    pub email: String,
    #[diesel(select_expression = users::password_hash.assume_not_null())]
    pub password_hash: String,
    pub display_name: String,
    #[diesel(select_expression = users::full_name.assume_not_null())]
    pub full_name: String,
    #[diesel(select_expression = users::birth_on.assume_not_null())]
    pub birth_on: NaiveDate,
    pub is_admin: bool,
    pub locale: Locale,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

/// Adds an account; 409 when the address is taken.
pub async fn insert(conn: &mut AsyncPgConnection, row: &UserRow) -> Result<(), ApiError> {
    diesel::insert_into(users::table)
        .values(row)
        .execute(conn)
        .await?;
    Ok(())
}

/// The account with this address, erased ones left out.
pub async fn by_email(
    conn: &mut AsyncPgConnection,
    email: &str,
) -> Result<Option<UserRow>, ApiError> {
    Ok(users::table
        .filter(users::email.eq(email.to_lowercase()))
        .filter(users::erased_at.is_null())
        .select(UserRow::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// One account.
pub async fn find(conn: &mut AsyncPgConnection, id: UserId) -> Result<UserRow, ApiError> {
    Ok(users::table
        .find(id)
        .select(UserRow::as_select())
        .first(conn)
        .await?)
}

/// One account, held until the transaction ends.
pub async fn lock(conn: &mut AsyncPgConnection, id: UserId) -> Result<UserRow, ApiError> {
    Ok(users::table
        .find(id)
        .select(UserRow::as_select())
        .for_update()
        .first(conn)
        .await?)
}

/// Changes an account.
pub async fn change(
    conn: &mut AsyncPgConnection,
    id: UserId,
    patch: &MePatch,
) -> Result<(), ApiError> {
    diesel::update(users::table.find(id))
        .set((patch, users::version.eq(users::version + 1)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets a password and ends every session of the account.
pub async fn set_password(
    conn: &mut AsyncPgConnection,
    id: UserId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    diesel::update(users::table.find(id))
        .set((
            users::password_hash.eq(password_hash),
            users::version.eq(users::version + 1),
        ))
        .execute(conn)
        .await?;
    diesel::update(refresh_tokens::table.filter(refresh_tokens::user_id.eq(id)))
        .filter(refresh_tokens::revoked_at.is_null())
        .set(refresh_tokens::revoked_at.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes an account an administrator.
pub async fn make_admin(conn: &mut AsyncPgConnection, id: UserId) -> Result<(), ApiError> {
    diesel::update(users::table.find(id))
        .set(users::is_admin.eq(true))
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens)]
struct TokenRow {
    token_hash: Vec<u8>,
    family_id: Uuid,
    user_id: UserId,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

/// A new refresh token, of a family of its own or of the family of the one that it replaces.
pub async fn issue_refresh_token(
    conn: &mut AsyncPgConnection,
    user_id: UserId,
    family_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<String, ApiError> {
    let token = Secret::new().map_err(ApiError::internal)?;
    let lifetime = TimeDelta::from_std(REFRESH_LIFETIME).map_err(ApiError::internal)?;
    let row = TokenRow {
        token_hash: token.hash,
        family_id: family_id.unwrap_or_else(Uuid::now_v7),
        user_id,
        issued_at: now,
        expires_at: now + lifetime,
        used_at: None,
        revoked_at: None,
    };
    diesel::insert_into(refresh_tokens::table)
        .values(&row)
        .execute(conn)
        .await?;
    Ok(token.secret)
}

/// Uses a refresh token: whose it is and its family, or nothing when it does not count. One that was used before
/// kills its whole family, unless the first answer may just have been lost.
pub async fn use_refresh_token(
    conn: &mut AsyncPgConnection,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<Option<(UserId, Uuid)>, ApiError> {
    let row: Option<TokenRow> = refresh_tokens::table
        .find(Secret::hash(secret))
        .select(TokenRow::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()?;
    let Some(row) = row.filter(|row| row.revoked_at.is_none() && row.expires_at > now) else {
        return Ok(None);
    };
    match row.used_at {
        Some(used_at) if now - used_at > GRACE => {
            revoke_family(conn, row.family_id, now).await?;
            return Ok(None);
        }
        Some(_) => {}
        None => {
            diesel::update(refresh_tokens::table.find(&row.token_hash))
                .set(refresh_tokens::used_at.eq(now))
                .execute(conn)
                .await?;
        }
    }
    Ok(Some((row.user_id, row.family_id)))
}

/// Revokes a refresh token and all that came from the same sign-in. An unknown token is no error (RFC 7009).
pub async fn revoke_refresh_token(
    conn: &mut AsyncPgConnection,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let family: Option<Uuid> = refresh_tokens::table
        .find(Secret::hash(secret))
        .select(refresh_tokens::family_id)
        .first(conn)
        .await
        .optional()?;
    match family {
        Some(family) => revoke_family(conn, family, now).await,
        None => Ok(()),
    }
}

async fn revoke_family(
    conn: &mut AsyncPgConnection,
    family: Uuid,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    diesel::update(refresh_tokens::table.filter(refresh_tokens::family_id.eq(family)))
        .filter(refresh_tokens::revoked_at.is_null())
        .set(refresh_tokens::revoked_at.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}
