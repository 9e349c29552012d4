//! `/v1/conventions/{id}/verification`: everything that can be recomputed about a version is, and what holds is said.
//! The answer is also a file that proves itself: `fifty-fifty verify FILE` checks it without us.

use std::collections::BTreeSet;

use actix_web::{get, web};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::dto::{Party, SignatureMethod};
use super::model;
use super::parties::{self, hexadecimal};
use crate::auth::caller::Anyone;
use crate::codes::codes;
use crate::db::schema::{conventions, signatures};
use crate::http::error::ApiError;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::ConventionId;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes.service(verify_convention);
}

codes! {
    /// What is checked about a version.
    pub enum VerificationCheck "verification_checks" {
        Canonical = "canonical", "Le contenu est du JSON canonique (RFC 8785)", "The content is canonical JSON (RFC 8785)";
        Hash = "hash", "L'empreinte est celle du contenu", "The hash is that of the content";
        SignedContent = "signed_content", "Chaque signature porte sur cette empreinte", "Each signature is on this hash";
        AllSigned = "all_signed", "Chaque partie a signé une fois, et elle seule", "Each party has signed once, and nobody else";
        Uncontested = "uncontested", "Aucune signature n'est contestée", "No signature is contested";
        Executory = "executory", "Nul n'a signé avant que l'acte soit exécutoire", "Nobody signed before the authority was executory";
        Chain = "chain", "La version remplacée est celle que le contenu nomme", "The version that was replaced is the one that the content names";
        Signatories = "signatories", "Les signataires sont ceux du contenu, autant que leur identité est conservée", "The signatories are those of the content, as far as their identity is kept";
    }
}

/// A valid signature, without the name of the person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = signatures)]
pub struct VerifiedSignature {
    /// For which party.
    pub party: Party,
    /// In which function.
    #[schema(example = "Présidente")]
    pub capacity: String,
    /// How it was given.
    pub method: SignatureMethod,
    /// On which day.
    pub signed_on: NaiveDate,
    /// What was signed: SHA-256 in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: String,
    /// When the commune's signatory said that this signature, recorded from a paper, is not theirs.
    #[schema(required)]
    pub contested_at: Option<DateTime<Utc>>,
}

/// A check and its result.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct VerificationResult {
    /// What was checked.
    pub check: VerificationCheck,
    /// Whether it holds.
    pub holds: bool,
}

/// A version with what was recomputed about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verification {
    /// Identifier of the version.
    pub convention_id: ConventionId,
    /// The content as it was hashed, byte for byte: canonical JSON in a string.
    #[schema(max_length = 10000000)]
    pub content: String,
    /// Its SHA-256 in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: String,
    /// The valid signatures.
    #[schema(max_items = 3)]
    pub signatures: Vec<VerifiedSignature>,
    /// Each check.
    #[schema(max_items = 8)]
    pub results: Vec<VerificationResult>,
    /// Whether all of them hold.
    pub holds: bool,
}

/// What a file must have to be checked without us.
#[derive(Debug, Deserialize)]
pub struct Exported {
    content: String,
    pub content_sha256: String,
    signatures: Vec<VerifiedSignature>,
}

impl Exported {
    /// What can be recomputed from the file alone.
    pub fn check(&self) -> Vec<VerificationResult> {
        let content: Option<Value> = serde_json::from_str(&self.content).ok();
        let canonical = content
            .as_ref()
            .and_then(|content| serde_json_canonicalizer::to_string(content).ok());
        let parties: BTreeSet<&str> = content
            .iter()
            .filter_map(|content| content.get("parties")?.as_array())
            .flatten()
            .filter_map(|party| party.get("party")?.as_str())
            .collect();
        let signed: BTreeSet<&str> = self
            .signatures
            .iter()
            .map(|signature| signature.party.code())
            .collect();
        let executory_on: Option<NaiveDate> = content
            .as_ref()
            .and_then(|content| content.pointer("/authority/executory_on")?.as_str())
            .and_then(|day| day.parse().ok());
        let result = |check, holds| VerificationResult { check, holds };
        vec![
            result(
                VerificationCheck::Canonical,
                canonical.as_deref() == Some(&self.content),
            ),
            result(
                VerificationCheck::Hash,
                hexadecimal(&Sha256::digest(&self.content)) == self.content_sha256,
            ),
            result(
                VerificationCheck::SignedContent,
                self.signatures
                    .iter()
                    .all(|signature| signature.content_sha256 == self.content_sha256),
            ),
            result(
                VerificationCheck::AllSigned,
                !parties.is_empty() && parties == signed && signed.len() == self.signatures.len(),
            ),
            result(
                VerificationCheck::Uncontested,
                self.signatures
                    .iter()
                    .all(|signature| signature.contested_at.is_none()),
            ),
            result(
                VerificationCheck::Executory,
                self.signatures
                    .iter()
                    .all(|signature| executory_on.is_none_or(|day| signature.signed_on >= day)),
            ),
        ]
    }
}

/// Verify a convention
///
/// Recomputes what was signed: canonical form, hash, signatures, the authority's date, the version that was replaced,
/// the signatories. Keep the answer as a file: `fifty-fifty verify FILE` checks it offline. A draft has nothing to
/// verify.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    responses((status = 200, description = "What holds.", body = Verification)),
    security((), ("password" = [])),
)]
#[get("/v1/conventions/{id}/verification")]
pub async fn verify_convention(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<ConventionId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let row = model::find(&mut session, *id).await?.row;
    let (Some(content), Some(content_sha256)) = (row.content, row.content_sha256) else {
        return Err(ApiError::not_found());
    };
    let signatures: Vec<VerifiedSignature> = signatures::table
        .filter(signatures::convention_id.eq(*id))
        .filter(signatures::commune_code.eq(id.commune()))
        .filter(signatures::voided_at.is_null())
        .order(signatures::party)
        .select(VerifiedSignature::as_select())
        .load(&mut session.conn)
        .await?;
    let replaced: Option<String> = match row.supersedes_id {
        None => None,
        Some(before) => {
            conventions::table
                .find((before, before.commune()))
                .select(conventions::content_sha256)
                .first(&mut session.conn)
                .await?
        }
    };
    let exported = Exported {
        content,
        content_sha256,
        signatures,
    };
    let mut results = exported.check();
    let content: Value = serde_json::from_str(&exported.content).unwrap_or_default();
    let named = content.pointer("/supersedes/content_sha256");
    results.push(VerificationResult {
        check: VerificationCheck::Chain,
        holds: named.and_then(Value::as_str) == replaced.as_deref(),
    });
    let of_the_content = |party: Party| {
        content
            .get("parties")?
            .as_array()?
            .iter()
            .find(|one| one.get("party").and_then(Value::as_str) == Some(party.code()))?
            .get("signatory")?
            .as_str()
    };
    let parties = parties::of(&mut session.conn, *id).await?;
    results.push(VerificationResult {
        check: VerificationCheck::Signatories,
        holds: parties.iter().all(|party| {
            let kept = party.identity.hash();
            kept.is_none() || kept.as_deref() == of_the_content(party.row.party)
        }),
    });
    Reply::data(&Verification {
        convention_id: *id,
        holds: results.iter().all(|result| result.holds),
        results,
        content: exported.content,
        content_sha256: exported.content_sha256,
        signatures: exported.signatures,
    })
}
