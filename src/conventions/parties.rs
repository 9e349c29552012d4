//! Who signs for whom, and who has signed. Names of natural persons live in `identities` alone, where they can be
//! erased; the content knows them by a salted hash.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use sha2::{Digest, Sha256};

use super::dto::{ConventionParty, Party, SignatureMethod};
use super::input::{CommuneSignatory, NewParties, NewSignatory};
use super::model::ConventionRow;
use crate::auth::policy::{Role, Standing};
use crate::clock::age_on;
use crate::db::schema::{
    convention_parties, holder_members, holders, identities, mandates, signatures, users,
};
use crate::holders::dto::{HolderKind, HolderSummary};
use crate::http::error::{ApiError, FaultCode};
use crate::ids::{ConventionId, HolderId, IdentityId, MandateId, SignatureId, UserId};
use crate::state::Session;

/// Age at which somebody may sign.
const OF_AGE: u32 = 18;

/// A row of `convention_parties`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = convention_parties, treat_none_as_null = true)]
pub struct PartyRow {
    pub convention_id: ConventionId,
    pub commune_code: String,
    pub party: Party,
    pub identity_id: IdentityId,
    pub user_id: Option<UserId>,
    pub mandate_id: Option<MandateId>,
    pub capacity: String,
}

/// A row of `identities`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = identities)]
pub struct IdentityRow {
    pub id: IdentityId,
    pub commune_code: String,
    pub user_id: Option<UserId>,
    pub full_name: Option<String>,
    pub salt: Option<Vec<u8>>,
    pub is_adult: bool,
    pub created_at: DateTime<Utc>,
}

impl IdentityRow {
    /// How the content names the person: SHA-256(salt ‖ full name), in hexadecimal.
    pub fn hash(&self) -> Option<String> {
        let mut hash = Sha256::new();
        hash.update(self.salt.as_deref()?);
        hash.update(self.full_name.as_deref()?);
        Some(hexadecimal(&hash.finalize()))
    }
}

/// Bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The valid signature of a party.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = signatures)]
pub struct Signature {
    pub signed_on: NaiveDate,
    pub method: SignatureMethod,
}

/// A row of `signatures` to add.
#[derive(Insertable)]
#[diesel(table_name = signatures)]
pub struct NewSignature<'a> {
    pub id: SignatureId,
    pub commune_code: &'a str,
    pub convention_id: ConventionId,
    pub party: Party,
    pub method: SignatureMethod,
    pub content_sha256: &'a str,
    pub identity_id: IdentityId,
    pub user_id: Option<UserId>,
    pub mandate_id: Option<MandateId>,
    pub capacity: &'a str,
    pub signed_on: NaiveDate,
    pub signed_at: DateTime<Utc>,
    pub recorded_by: Option<UserId>,
    pub paper_reference: Option<&'a str>,
}

/// A party with its signatory, and its signature where it has signed.
pub struct PartyState {
    pub row: PartyRow,
    pub identity: IdentityRow,
    pub signature: Option<Signature>,
}

impl PartyState {
    /// As the API shows it; `inside` to those who sign and to the town hall.
    pub fn show(&self, inside: bool) -> ConventionParty {
        ConventionParty {
            party: self.row.party,
            capacity: self.row.capacity.clone(),
            full_name: self.identity.full_name.clone().filter(|_| inside),
            user_id: self.row.user_id.filter(|_| inside),
            mandate_id: self.row.mandate_id.filter(|_| inside),
            signed: self.signature.is_some(),
            signed_on: self.signature.as_ref().map(|signed| signed.signed_on),
            method: self.signature.as_ref().map(|signed| signed.method),
        }
    }
}

/// The parties of a version: the commune, the holder, the host.
pub async fn of(
    conn: &mut AsyncPgConnection,
    id: ConventionId,
) -> Result<Vec<PartyState>, ApiError> {
    let rows: Vec<(PartyRow, IdentityRow, Option<Signature>)> = convention_parties::table
        .inner_join(
            identities::table.on(identities::id
                .eq(convention_parties::identity_id)
                .and(identities::commune_code.eq(convention_parties::commune_code))),
        )
        .left_join(
            signatures::table.on(signatures::convention_id
                .eq(convention_parties::convention_id)
                .and(signatures::commune_code.eq(convention_parties::commune_code))
                .and(signatures::party.eq(convention_parties::party))
                .and(signatures::voided_at.is_null())),
        )
        .filter(convention_parties::convention_id.eq(id))
        .filter(convention_parties::commune_code.eq(id.commune()))
        .order(convention_parties::party)
        .select((
            PartyRow::as_select(),
            IdentityRow::as_select(),
            Option::<Signature>::as_select(),
        ))
        .load(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(row, identity, signature)| PartyState {
            row,
            identity,
            signature,
        })
        .collect())
}

/// A holder or host as far as conventions go.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = holders)]
pub struct Body {
    pub id: HolderId,
    pub kind: HolderKind,
    pub name: String,
    pub siret: Option<String>,
    pub republican_commitment_on: Option<NaiveDate>,
}

impl Body {
    /// As the API shows it.
    pub fn summary(&self) -> HolderSummary {
        HolderSummary {
            id: self.id,
            kind: self.kind,
            name: self.name.clone(),
        }
    }
}

/// The holder and the host of a version.
pub async fn bodies(
    conn: &mut AsyncPgConnection,
    row: &ConventionRow,
) -> Result<(Body, Option<Body>), ApiError> {
    let mut host = None;
    if let Some(id) = row.host_id {
        host = Some(body(conn, id).await?);
    }
    Ok((body(conn, row.holder_id).await?, host))
}

async fn body(conn: &mut AsyncPgConnection, id: HolderId) -> Result<Body, ApiError> {
    Ok(holders::table
        .find((id, id.commune()))
        .select(Body::as_select())
        .first(conn)
        .await?)
}

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
    let mandate: Option<(UserId, String, String)> = mandates::table
        .inner_join(users::table.on(users::id.eq(mandates::user_id)))
        .filter(mandates::id.eq(mandate_id))
        .filter(mandates::commune_code.eq(&row.commune_code))
        .filter(mandates::may_sign)
        .filter(users::erased_at.is_null())
        .select((mandates::user_id, mandates::capacity, users::full_name))
        .first(&mut session.conn)
        .await
        .optional()?;
    let (user_id, capacity, full_name) = mandate.ok_or_else(|| {
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
        Party::Commune,
        Some(user_id),
        Some(mandate_id),
        &full_name,
        &capacity,
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
        party,
        new.user_id,
        None,
        &full_name,
        &new.capacity,
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
        .select((users::full_name, users::birth_on))
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

async fn put(
    session: &mut Session,
    row: &ConventionRow,
    party: Party,
    user_id: Option<UserId>,
    mandate_id: Option<MandateId>,
    full_name: &str,
    capacity: &str,
) -> Result<(), ApiError> {
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
        mandate_id,
        capacity: capacity.to_owned(),
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

/// Whether the caller signs for this party, and in which role: its named signatory, with the right of today.
pub fn may_sign(
    session: &Session,
    standing: &Standing,
    party: &PartyState,
) -> Result<Role, ApiError> {
    let not_yours = || {
        ApiError::forbidden(
            "Seul le signataire désigné de cette partie signe.",
            "Only the named signatory of this party signs.",
        )
    };
    if party.row.user_id.is_none()
        || party.row.user_id != session.actor.user_id()
        || standing.is_admin
    {
        return Err(not_yours());
    }
    let (role, holds) = match party.row.party {
        Party::Commune => (
            standing.permit(&[Role::ElectedOfficial])?,
            standing
                .mandates
                .iter()
                .any(|mandate| Some(mandate.id) == party.row.mandate_id && mandate.may_sign),
        ),
        Party::Holder => (
            standing.permit(&[Role::Holder])?,
            standing
                .holder
                .is_some_and(|membership| membership.may_sign),
        ),
        Party::Host => (
            standing.permit(&[Role::Host])?,
            standing.host.is_some_and(|membership| membership.may_sign),
        ),
    };
    if holds && session.actor.is_adult(session.now) {
        Ok(role)
    } else {
        Err(not_yours())
    }
}

/// Voids the signatures given so far.
pub async fn void(
    session: &mut Session,
    row: &ConventionRow,
    reason: &str,
) -> Result<(), ApiError> {
    diesel::update(signatures::table)
        .filter(signatures::convention_id.eq(row.id))
        .filter(signatures::commune_code.eq(&row.commune_code))
        .filter(signatures::voided_at.is_null())
        .set((
            signatures::voided_at.eq(session.now),
            signatures::void_reason.eq(reason),
        ))
        .execute(&mut session.conn)
        .await?;
    Ok(())
}
