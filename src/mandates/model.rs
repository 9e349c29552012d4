//! Mandates in the database.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Mandate, MandatePatch, MandateRole, NewMandate, PersonSummary, delegation_fault};
use crate::db::schema::{mandates, users};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Fault, FaultCode};
use crate::ids::{MandateId, UserId};

/// A row of `mandates`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = mandates)]
pub struct MandateRow {
    pub id: MandateId,
    pub commune_code: String,
    pub user_id: UserId,
    pub role: MandateRole,
    pub capacity: String,
    pub may_sign: bool,
    pub delegation_reference: Option<String>,
    pub delegation_on: Option<NaiveDate>,
    pub starts_on: NaiveDate,
    pub ends_on: Option<NaiveDate>,
    pub granted_by: UserId,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl MandateRow {
    /// Whether it counts on this day.
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.starts_on <= day && self.ends_on.is_none_or(|last| last >= day)
    }
}

/// A mandate with the name of its holder.
pub struct NamedMandate {
    pub row: MandateRow,
    pub display_name: String,
}

impl From<NamedMandate> for Mandate {
    fn from(NamedMandate { row, display_name }: NamedMandate) -> Self {
        Self {
            id: row.id,
            commune_code: row.commune_code,
            person: PersonSummary {
                id: row.user_id,
                display_name,
            },
            role: row.role,
            capacity: row.capacity,
            may_sign: row.may_sign,
            delegation_reference: row.delegation_reference,
            delegation_on: row.delegation_on,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            created_at: row.created_at,
        }
    }
}

/// Grants a mandate to the account with that address; 422 when there is none.
pub async fn grant(
    conn: &mut AsyncPgConnection,
    commune: &str,
    new: NewMandate,
    granted_by: UserId,
    now: DateTime<Utc>,
) -> Result<NamedMandate, ApiError> {
    let account: Option<(UserId, String)> = users::table
        .filter(users::email.eq(new.email.to_lowercase()))
        .filter(users::erased_at.is_null())
        .select((users::id, users::display_name))
        .first(conn)
        .await
        .optional()?;
    let Some((user_id, display_name)) = account else {
        return Err(ApiError::fault(
            "/email",
            FaultCode::NotFound,
            "Aucun compte n'a cette adresse : la personne doit d'abord s'inscrire.",
            "No account has this address: the person registers first.",
        ));
    };
    let row = MandateRow {
        id: MandateId::new(commune, now)?,
        commune_code: commune.to_owned(),
        user_id,
        role: new.role,
        capacity: new.capacity,
        may_sign: new.may_sign,
        delegation_reference: new.delegation_reference,
        delegation_on: new.delegation_on,
        starts_on: new.starts_on,
        ends_on: new.ends_on,
        granted_by,
        created_at: now,
        version: 1,
    };
    diesel::insert_into(mandates::table)
        .values(&row)
        .execute(conn)
        .await?;
    Ok(NamedMandate { row, display_name })
}

/// The mandates of a commune, the latest to start first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    commune: &str,
    after: Option<(NaiveDate, MandateId)>,
    limit: i64,
) -> Result<Page<NamedMandate>, ApiError> {
    let mut query = mandates::table
        .inner_join(users::table.on(users::id.eq(mandates::user_id)))
        .filter(mandates::commune_code.eq(commune))
        .order((mandates::starts_on.desc(), mandates::id.desc()))
        .limit(limit + 1)
        .select((MandateRow::as_select(), users::display_name))
        .into_boxed();
    if let Some((starts_on, id)) = after {
        query = query
            .filter(mandates::starts_on.le(starts_on))
            .filter(mandates::starts_on.lt(starts_on).or(mandates::id.lt(id)));
    }
    let rows: Vec<(MandateRow, String)> = query.load(conn).await?;
    Ok(Page::cut(
        rows.into_iter()
            .map(|(row, display_name)| NamedMandate { row, display_name })
            .collect(),
        limit,
    ))
}

/// One mandate.
pub async fn find(conn: &mut AsyncPgConnection, id: MandateId) -> Result<NamedMandate, ApiError> {
    let (row, display_name) = mandates::table
        .inner_join(users::table.on(users::id.eq(mandates::user_id)))
        .filter(mandates::id.eq(id))
        .filter(mandates::commune_code.eq(id.commune()))
        .select((MandateRow::as_select(), users::display_name))
        .first(conn)
        .await?;
    Ok(NamedMandate { row, display_name })
}

/// A mandate of this commune, whoever asks, that stays as it is until the transaction ends.
pub async fn of_commune(
    conn: &mut AsyncPgConnection,
    id: MandateId,
    commune: &str,
) -> Result<Option<MandateRow>, ApiError> {
    Ok(mandates::table
        .find((id, commune))
        .select(MandateRow::as_select())
        .for_share()
        .first(conn)
        .await
        .optional()?)
}

/// One mandate, held until the transaction ends.
pub async fn lock(conn: &mut AsyncPgConnection, id: MandateId) -> Result<MandateRow, ApiError> {
    Ok(mandates::table
        .find((id, id.commune()))
        .select(MandateRow::as_select())
        .for_update()
        .first(conn)
        .await?)
}

/// Changes a mandate that the caller holds locked.
pub async fn change(
    conn: &mut AsyncPgConnection,
    row: &MandateRow,
    patch: &MandatePatch,
) -> Result<(), ApiError> {
    if patch.may_sign == Some(true) && row.role == MandateRole::Agent {
        return Err(ApiError::fault(
            "/may_sign",
            FaultCode::Inconsistent,
            "Un agent ne signe jamais.",
            "Agents never sign.",
        ));
    }
    let fault = delegation_fault(
        patch.may_sign.unwrap_or(row.may_sign),
        patch.delegation_reference.is_some() || row.delegation_reference.is_some(),
        patch.delegation_on.is_some() || row.delegation_on.is_some(),
    );
    if let Some(text) = fault {
        let fault = Fault::at("/delegation_on", FaultCode::Inconsistent, text);
        return Err(ApiError::invalid(vec![fault]));
    }
    if patch
        .ends_on
        .flatten()
        .is_some_and(|end| end < row.starts_on)
    {
        return Err(ApiError::fault(
            "/ends_on",
            FaultCode::Inconsistent,
            "La fin précède le début.",
            "The end comes before the start.",
        ));
    }
    diesel::update(mandates::table.find((row.id, &row.commune_code)))
        .set((patch, mandates::version.eq(mandates::version + 1)))
        .execute(conn)
        .await?;
    Ok(())
}
