//! Naming the signatories of a draft. What the content says of a natural person is a salted hash; the name and the
//! salt get a row of their own.

use chrono::NaiveDate;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::Party;
use super::input::{CommuneSignatory, NewParties, NewSignatory};
use super::model::ConventionRow;
use super::parties::{IdentityRow, PartyRow, of};
use crate::clock::age_on;
use crate::db::schema::{
    convention_parties, holder_members, identities, mandates, signatures, users,
};
use crate::http::error::{ApiError, FaultCode};
use crate::ids::{HolderId, IdentityId, MandateId, UserId};
use crate::mandates::model::MandateRow;
use crate::state::Session;

/// Age at which somebody may sign.
const OF_AGE: u32 = 18;

/// Names the signatories of a draft. A party that is not given keeps the one it has.
pub async fn name(
    session: &mut Session,
    row: &ConventionRow,
    new: &NewParties,
) -> Result<(), ApiError> {
    if let Some(commune) = new.commune {
        name_for_commune(session, row, commune).await?;
    }
    if let Some(holder) = &new.holder {
        name_for(session, row, Party::Holder, row.holder_id, holder).await?;
    }
    match (&new.host, row.host_id) {
        (Some(host), Some(body)) => name_for(session, row, Party::Host, body, host).await?,
        (Some(_), None) => {
            return Err(ApiError::fault(
                "/parties/host",
                FaultCode::Inconsistent,
                "L'initiative n'a pas de structure porteuse.",
                "The initiative has no host organisation.",
            ));
        }
        (None, _) => {}
    }
    Ok(())
}

async fn name_for_commune(
    session: &mut Session,
    row: &ConventionRow,
    CommuneSignatory { mandate_id }: CommuneSignatory,
) -> Result<(), ApiError> {
    let mandate: Option<(MandateRow, String)> = mandates::table
        .inner_join(users::table.on(users::id.eq(mandates::user_id)))
        .filter(mandates::id.eq(mandate_id))
        .filter(mandates::commune_code.eq(&row.commune_code))
        .filter(mandates::may_sign)
        .filter(users::erased_at.is_null())
        .select((MandateRow::as_select(), users::full_name.assume_not_null()))
        .first(&mut session.conn)
        .await
        .optional()?;
    let (mandate, full_name) = mandate.ok_or_else(|| {
        ApiError::fault(
            "/parties/commune/mandate_id",
            FaultCode::NotFound,
            "Aucun mandat de la commune qui permet de signer n'a cet identifiant.",
            "No mandate of the commune that may sign has this id.",
        )
    })?;
    put(
        session,
        row,
        &full_name,
        Named {
            party: Party::Commune,
            user_id: Some(mandate.user_id),
            mandate_id: Some(mandate.id),
            capacity: mandate.capacity,
            delegation_reference: mandate.delegation_reference,
            delegation_on: mandate.delegation_on,
        },
    )
    .await
}

async fn name_for(
    session: &mut Session,
    row: &ConventionRow,
    party: Party,
    body: HolderId,
    new: &NewSignatory,
) -> Result<(), ApiError> {
    let full_name = match (new.user_id, &new.person) {
        (Some(user), _) => member(session, party, body, user).await?,
        (None, Some(person)) => person.full_name.clone(),
        (None, None) => return Err(ApiError::internal("a signatory who is nobody")),
    };
    put(
        session,
        row,
        &full_name,
        Named {
            party,
            user_id: new.user_id,
            mandate_id: None,
            capacity: new.capacity.clone(),
            delegation_reference: None,
            delegation_on: None,
        },
    )
    .await
}

/// The full name of a member who may sign and is of age; a fault otherwise.
async fn member(
    session: &mut Session,
    party: Party,
    body: HolderId,
    user: UserId,
) -> Result<String, ApiError> {
    let pointer = format!("/parties/{party}/user_id");
    let member: Option<(String, NaiveDate)> = holder_members::table
        .inner_join(users::table)
        .filter(holder_members::holder_id.eq(body))
        .filter(holder_members::commune_code.eq(body.commune()))
        .filter(holder_members::user_id.eq(user))
        .filter(holder_members::state.eq("active"))
        .filter(holder_members::may_sign)
        .filter(users::erased_at.is_null())
        .select((
            users::full_name.assume_not_null(),
            users::birth_on.assume_not_null(),
        ))
        .first(&mut session.conn)
        .await
        .optional()?;
    match member {
        Some((full_name, birth_on)) if age_on(birth_on, session.today()) >= OF_AGE => Ok(full_name),
        Some(_) => Err(ApiError::fault(
            &pointer,
            FaultCode::Inconsistent,
            "Un signataire est majeur.",
            "A signatory is of age.",
        )),
        None => Err(ApiError::fault(
            &pointer,
            FaultCode::NotFound,
            "Aucun membre actif qui peut signer n'a cet identifiant.",
            "No active member who may sign has this id.",
        )),
    }
}

/// A signatory, but for the name.
struct Named {
    party: Party,
    user_id: Option<UserId>,
    mandate_id: Option<MandateId>,
    capacity: String,
    delegation_reference: Option<String>,
    delegation_on: Option<NaiveDate>,
}

async fn put(
    session: &mut Session,
    row: &ConventionRow,
    full_name: &str,
    new: Named,
) -> Result<(), ApiError> {
    let (party, user_id) = (new.party, new.user_id);
    let named = of(&mut session.conn, row.id).await?;
    let elsewhere = named
        .iter()
        .any(|other| other.row.party != party && other.row.user_id == user_id);
    if user_id.is_some() && elsewhere {
        return Err(ApiError::fault(
            &format!("/parties/{party}"),
            FaultCode::Inconsistent,
            "Nul ne signe pour deux parties.",
            "Nobody signs for two parties.",
        ));
    }
    let mut salt = vec![0; 32];
    getrandom::fill(&mut salt).map_err(ApiError::internal)?;
    let identity = IdentityRow {
        id: IdentityId::new(&row.commune_code, session.now)?,
        commune_code: row.commune_code.clone(),
        user_id,
        full_name: Some(full_name.to_owned()),
        salt: Some(salt),
        is_adult: true,
        created_at: session.now,
    };
    diesel::insert_into(identities::table)
        .values(&identity)
        .execute(&mut session.conn)
        .await?;
    let signatory = PartyRow {
        convention_id: row.id,
        commune_code: row.commune_code.clone(),
        party,
        identity_id: identity.id,
        user_id,
        mandate_id: new.mandate_id,
        capacity: new.capacity,
        delegation_reference: new.delegation_reference,
        delegation_on: new.delegation_on,
    };
    diesel::insert_into(convention_parties::table)
        .values(&signatory)
        .on_conflict((
            convention_parties::convention_id,
            convention_parties::commune_code,
            convention_parties::party,
        ))
        .do_update()
        .set(&signatory)
        .execute(&mut session.conn)
        .await?;
    // Nobody's name is kept longer than it is needed; one that stands under a voided signature is.
    let former = named
        .iter()
        .find(|other| other.row.party == party)
        .map(|other| other.identity.id);
    if let Some(former) = former {
        diesel::delete(identities::table.find((former, &row.commune_code)))
            .filter(not(exists(
                signatures::table
                    .filter(signatures::identity_id.eq(former))
                    .filter(signatures::commune_code.eq(&row.commune_code)),
            )))
            .execute(&mut session.conn)
            .await?;
    }
    Ok(())
}
