//! Identifiers. Rows of a commune carry UUIDs of version 8 (RFC 9562) that name the commune, so that a flat path such
//! as `/v1/initiatives/{id}` tells its tenant before the database is asked.
//!
//! ```text
//! 48 bits  Unix time in milliseconds
//!  4 bits  version, 8
//! 12 bits  INSEE code in base 36, high part
//!  2 bits  variant, 10
//! 14 bits  INSEE code in base 36, low part
//! 48 bits  random
//! ```

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Why an id could not be made: the INSEE code is not five characters of base 36, or the machine has no randomness.
#[derive(Debug, thiserror::Error)]
pub enum IdError {
    #[error("not an INSEE code")]
    Commune,
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

/// A new id for a row of this commune.
pub fn tenant_uuid(commune: &str, now: DateTime<Utc>) -> Result<Uuid, IdError> {
    let millis = u128::try_from(now.timestamp_millis()).unwrap_or(0);
    carrying(commune, millis, u128::from(getrandom::u64()?))
}

/// The id of a commune with this time and randomness.
fn carrying(commune: &str, millis: u128, random: u128) -> Result<Uuid, IdError> {
    if commune.len() != 5
        || commune
            .bytes()
            .any(|b| !b.is_ascii_digit() && !b.is_ascii_uppercase())
    {
        return Err(IdError::Commune);
    }
    let code = u128::from_str_radix(commune, 36).map_err(|_| IdError::Commune)?;
    let (millis, random) = (millis & 0xffff_ffff_ffff, random & 0xffff_ffff_ffff);
    Ok(Uuid::from_u128(
        millis << 80 | 8 << 76 | (code >> 14) << 64 | 0b10 << 62 | (code & 0x3fff) << 48 | random,
    ))
}

/// The commune that an id names, or nothing when it is not one of ours.
pub fn commune_of(id: Uuid) -> Option<String> {
    let bits = id.as_u128();
    if bits >> 76 & 0xf != 8 || bits >> 62 & 0b11 != 0b10 {
        return None;
    }
    let mut code = (bits >> 64 & 0xfff) << 14 | bits >> 48 & 0x3fff;
    let mut digits = ['0'; 5];
    for place in digits.iter_mut().rev() {
        *place = char::from_digit(u32::try_from(code % 36).ok()?, 36)?.to_ascii_uppercase();
        code /= 36;
    }
    (code == 0).then(|| digits.iter().collect())
}

/// Declares the id type of a tenant's rows.
macro_rules! tenant_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id in this commune.
            pub fn new(commune: &str, now: DateTime<Utc>) -> Result<Self, IdError> {
                tenant_uuid(commune, now).map(Self)
            }

            /// The INSEE code that the id carries; for an id that is not ours the empty string, which no row has.
            pub fn commune(self) -> String {
                commune_of(self.0).unwrap_or_default()
            }
        }
        crate::ids::uuid_type!($name);
    )+};
}

/// What every id type shares: its text form, its column and its schema.
macro_rules! uuid_type {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Uuid, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Uuid, diesel::pg::Pg>::to_sql(
                    &self.0, out,
                )
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Uuid, diesel::pg::Pg> for $name {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                diesel::deserialize::FromSql::<diesel::sql_types::Uuid, diesel::pg::Pg>::from_sql(
                    bytes,
                )
                .map(Self)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
                    .into()
            }
        }

        // No name and no component: an id stands in the document where it is used, as a string of format uuid.
        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use uuid_type;

tenant_ids! {
    /// A mandate: the id of a row of `mandates`.
    MandateId,
    /// A holder or host organisation.
    HolderId,
    /// A natural person in a convention.
    IdentityId,
    /// An initiative.
    InitiativeId,
    /// A file that is imported.
    ImportId,
    /// An opinion of an agent.
    OpinionId,
    /// A decision of an elected official.
    DecisionId,
    /// Somebody who stands aside.
    RecusalId,
    /// An internal note.
    NoteId,
    /// An entry of the history.
    EventId,
    /// A commitment.
    CommitmentId,
    /// A fulfilment of a commitment.
    FulfilmentId,
    /// An upkeep that is offered to another holder.
    HandOverId,
    /// An act that lets a commune commit.
    AuthorityId,
    /// One version of a convention.
    ConventionId,
    /// A signature.
    SignatureId,
    /// A version of a commune's model of articles.
    TemplateId,
    /// An evaluation.
    EvaluationId,
    /// A public meeting.
    MeetingId,
    /// A measure.
    MeasureId,
    /// A practice sheet.
    PracticeId,
    /// A document.
    DocumentId,
    /// An address that is told what changes.
    WebhookId,
    /// A program of a partner.
    ClientId,
    /// A change that is told to a webhook.
    DeliveryId,
}

impl TemplateId {
    /// The id of version 0, which has no row: that of time zero without randomness.
    pub fn first(commune: &str) -> Result<Self, IdError> {
        carrying(commune, 0, 0).map(Self)
    }
}

/// An account. Accounts are global, so their ids are plain UUIDs of version 7.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Uuid)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

impl UserId {
    /// A new account's id.
    pub fn new(now: DateTime<Utc>) -> Result<Self, IdError> {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        let mut random = [0; 10];
        getrandom::fill(&mut random)?;
        Ok(Self(
            uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
        ))
    }
}
uuid_type!(UserId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commune_comes_back_from_its_ids() {
        for code in [
            "62528", "01001", "2A004", "2B033", "97105", "98735", "00000", "ZZZZZ",
        ] {
            let id = tenant_uuid(code, Utc::now()).unwrap();
            assert_eq!(commune_of(id).as_deref(), Some(code));
            assert_eq!(id.get_version_num(), 8);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        }
    }

    #[test]
    fn ids_sort_by_time() {
        let early = tenant_uuid("62528", "2020-01-01T00:00:00Z".parse().unwrap()).unwrap();
        let late = tenant_uuid("62528", "2020-01-01T00:00:00.001Z".parse().unwrap()).unwrap();
        assert!(early < late);
    }

    #[test]
    fn other_ids_name_no_commune() {
        assert_eq!(commune_of(Uuid::nil()), None);
        assert_eq!(commune_of(UserId::new(Utc::now()).unwrap().0), None);
        assert!(tenant_uuid("6252", Utc::now()).is_err());
        assert!(tenant_uuid("6252é", Utc::now()).is_err());
        assert!(tenant_uuid("+2528", Utc::now()).is_err());
    }
}
