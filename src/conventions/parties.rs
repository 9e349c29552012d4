//! Who signs for whom, and who has signed. Names of natural persons live in `identities` alone, where they can be
//! erased; the content knows them by a salted hash.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use sha2::{Digest, Sha256};

use super::dto::{ConventionParty, Entitlement, EntitlementKind, Party, SignatureMethod};
use super::model::ConventionRow;
use crate::auth::policy::{Role, Standing};
use crate::db::contestable_until;
use crate::db::schema::{convention_parties, holders, identities, signatures};
use crate::holders::dto::{HolderKind, HolderSummary};
use crate::http::error::ApiError;
use crate::ids::{ConventionId, DocumentId, HolderId, IdentityId, MandateId, SignatureId, UserId};
use crate::state::Session;

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
    pub delegation_reference: Option<String>,
    pub delegation_on: Option<NaiveDate>,
}

impl PartyRow {
    /// By what right the signatory signs.
    pub fn entitlement(&self) -> Entitlement {
        Entitlement {
            kind: match (self.mandate_id, self.user_id) {
                (Some(_), _) => EntitlementKind::Mandate,
                (None, Some(_)) => EntitlementKind::Membership,
                (None, None) => EntitlementKind::Attested,
            },
            delegation_reference: self.delegation_reference.clone(),
            delegation_on: self.delegation_on,
        }
    }
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
    pub id: SignatureId,
    pub signed_on: NaiveDate,
    pub method: SignatureMethod,
    pub document_id: Option<DocumentId>,
    pub recorded_by: Option<UserId>,
    pub contested_at: Option<DateTime<Utc>>,
}

/// A signature that was recorded in the name of an official, who has not contested it.
pub struct SignatureInName {
    pub id: SignatureId,
    pub user_id: UserId,
    pub contestable_until: NaiveDate,
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
    pub document_id: Option<DocumentId>,
}

/// A party with its signatory, and its signature where it has signed.
pub struct PartyState {
    pub row: PartyRow,
    pub identity: IdentityRow,
    pub signature: Option<Signature>,
    /// Last day on which the signature can be contested, where it can be at all.
    contestable_until: Option<NaiveDate>,
}

impl PartyState {
    /// The commune's signature, where it was recorded from a paper and is not contested yet.
    pub fn in_name(&self) -> Option<SignatureInName> {
        let signature = self.signature.as_ref()?;
        let open = self.row.party == Party::Commune
            && signature.recorded_by.is_some()
            && signature.contested_at.is_none();
        Some(SignatureInName {
            id: signature.id,
            user_id: self.row.user_id.filter(|_| open)?,
            contestable_until: self.contestable_until?,
        })
    }

    /// As the API shows it; `inside` to those who sign and to the town hall.
    pub fn show(&self, legal: LegalIdentity, inside: bool) -> ConventionParty {
        ConventionParty {
            party: self.row.party,
            name: legal.name,
            kind: legal.kind,
            siret: legal.siret,
            rna: legal.rna,
            address: legal.address,
            capacity: self.row.capacity.clone(),
            entitlement: self.row.entitlement(),
            signatory: self.identity.hash(),
            full_name: self.identity.full_name.clone().filter(|_| inside),
            user_id: self.row.user_id.filter(|_| inside),
            mandate_id: self.row.mandate_id.filter(|_| inside),
            signed: self.signature.is_some(),
            signed_on: self.signature.as_ref().map(|signed| signed.signed_on),
            method: self.signature.as_ref().map(|signed| signed.method),
            document_id: self
                .signature
                .as_ref()
                .and_then(|signed| signed.document_id)
                .filter(|_| inside),
            contested_at: self
                .signature
                .as_ref()
                .and_then(|signed| signed.contested_at),
            contestable_until: self
                .in_name()
                .map(|signed| signed.contestable_until)
                .filter(|_| inside),
        }
    }
}

/// The parties of a version: the commune, the holder, the host.
pub async fn of(
    conn: &mut AsyncPgConnection,
    id: ConventionId,
) -> Result<Vec<PartyState>, ApiError> {
    type Row = (PartyRow, IdentityRow, Option<Signature>, Option<NaiveDate>);
    let rows: Vec<Row> = convention_parties::table
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
            contestable_until(signatures::signed_at).nullable(),
        ))
        .load(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(row, identity, signature, contestable_until)| PartyState {
            row,
            identity,
            signature,
            contestable_until,
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
    pub rna: Option<String>,
    pub address: Option<String>,
    pub republican_commitment_on: Option<NaiveDate>,
}

/// What a party is by law; natural persons have no name here.
#[derive(Clone, Debug, Default)]
pub struct LegalIdentity {
    pub name: Option<String>,
    pub kind: Option<HolderKind>,
    pub siret: Option<String>,
    pub rna: Option<String>,
    pub address: Option<String>,
}

impl LegalIdentity {
    /// That of a party of a convention between the commune of this name and these bodies.
    pub fn of(party: Party, commune: &str, (holder, host): &(Body, Option<Body>)) -> Self {
        let body = match party {
            Party::Commune => {
                return Self {
                    name: Some(commune.to_owned()),
                    ..Self::default()
                };
            }
            Party::Holder => Some(holder),
            Party::Host => host.as_ref(),
        };
        body.map_or_else(Self::default, |body| Self {
            name: Some(body.name.clone()).filter(|_| body.kind != HolderKind::Person),
            kind: Some(body.kind),
            siret: body.siret.clone(),
            rna: body.rna.clone(),
            address: body.address.clone(),
        })
    }
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

/// The official who contested the commune's signature stands by it, when a convention that rests is resumed; nobody else
/// does that for them.
pub async fn confirm(session: &mut Session, id: ConventionId) -> Result<(), ApiError> {
    let contested: Option<(SignatureId, Option<UserId>)> = signatures::table
        .filter(signatures::convention_id.eq(id))
        .filter(signatures::commune_code.eq(id.commune()))
        .filter(signatures::contested_at.is_not_null())
        .filter(signatures::voided_at.is_null())
        .select((signatures::id, signatures::contested_by))
        .first(&mut session.conn)
        .await
        .optional()?;
    let Some((signature, by)) = contested else {
        return Ok(());
    };
    if by != session.actor.user_id() {
        return Err(ApiError::requirement(
            "La signature de la commune est contestée : seul l'élu qui la conteste reprend la convention ; sinon, résiliez-la.",
            "The commune's signature is contested: only the official who contests it resumes; else terminate it.",
        ));
    }
    diesel::update(signatures::table.find((signature, id.commune())))
        .set((
            signatures::contested_at.eq(None::<DateTime<Utc>>),
            signatures::contested_by.eq(None::<UserId>),
            signatures::contest_reason.eq(None::<String>),
        ))
        .execute(&mut session.conn)
        .await?;
    Ok(())
}
