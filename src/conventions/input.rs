//! What the API takes to make, change, sign and end conventions.

use bigdecimal::BigDecimal;
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::dto::{ContributorStatus, Party, WorksOwnership};
use crate::commitments::upkeep::Upkeep;
use crate::http::extract::absent_or_null;
use crate::ids::{AuthorityId, CommitmentId, DocumentId, MandateId, UserId};
use crate::initiatives::dto::Land;

/// An adult without an account, who signs on paper.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedPerson {
    /// First name and surname; kept apart, and in the content only as a salted hash.
    #[schema(min_length = 2, max_length = 120, example = "Jeanne Martin")]
    pub full_name: String,
    /// The agent has checked that the person is of age: always true.
    #[schema(schema_with = always_true)]
    pub adult: bool,
}

fn always_true() -> utoipa::openapi::schema::Object {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::Boolean)
        .enum_values(Some([true]))
        .description(Some(
            "The agent has checked that the person is of age: always true.",
        ))
        .build()
}

/// Who signs for the holder or the host organisation: an account, or somebody who signs on paper.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = account_or_person))]
#[schema(example = json!({"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"}))]
pub struct NewSignatory {
    /// An active member who may sign, of age.
    #[schema(nullable = false)]
    pub user_id: Option<UserId>,
    /// Somebody who signs on paper.
    #[schema(nullable = false)]
    pub person: Option<NamedPerson>,
    /// Their function.
    #[schema(min_length = 1, max_length = 120, example = "Présidente")]
    pub capacity: String,
}

fn account_or_person(signatory: &NewSignatory) -> Result<(), ValidationError> {
    if signatory.user_id.is_some() == signatory.person.is_some() {
        return Err(ValidationError::new("")
            .with_message("Soit user_id, soit person. | Either user_id or person.".into()));
    }
    Ok(())
}

/// Who signs for the commune.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommuneSignatory {
    /// A mandate of the commune that may sign.
    pub mandate_id: MandateId,
}

/// Who signs for each party; a party that is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewParties {
    /// For the commune.
    #[schema(nullable = false)]
    pub commune: Option<CommuneSignatory>,
    /// For the holder.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub holder: Option<NewSignatory>,
    /// For the host organisation.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub host: Option<NewSignatory>,
}

/// A convention to draft. What is missing can follow while it is a draft; opening it for signature says what is.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = dates_in_order, skip_on_field_errors = false))]
#[schema(example = json!({"object": "Huit jardinières rue Faidherbe", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
    "parties": {"holder": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"}}}))]
pub struct NewConvention {
    /// Object, in a sentence.
    #[schema(min_length = 3, max_length = 5000)]
    pub object: String,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// Why it lasts longer than the commune's setting allows.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub long_duration_reason: Option<String>,
    /// Whose land is used; the initiative's by default.
    #[schema(nullable = false)]
    pub land: Option<Land>,
    /// Which piece of it.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub land_description: Option<String>,
    /// Fee for the land, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64, nullable = false)]
    pub land_fee_cents: Option<i64>,
    /// Why there is no fee.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub land_fee_exemption: Option<String>,
    /// Whether it goes on by itself; never on the public domain.
    #[serde(default)]
    pub tacit_renewal: bool,
    /// Agreement of the clergy in charge, for a church.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub clergy_agreement: Option<String>,
    /// Who owns what is built.
    #[serde(default = "communes")]
    pub works_ownership: WorksOwnership,
    /// What the contributors are by law.
    #[serde(default = "volunteers")]
    pub contributor_status: ContributorStatus,
    /// The commune's insurance.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub commune_insurance: Option<String>,
    /// The holder's insurance.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub holder_insurance: Option<String>,
    /// What contributors may not do.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub forbidden_tasks: Option<String>,
    /// How minors are supervised.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub supervision_of_minors: Option<String>,
    /// Consent for pictures.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub image_consent: Option<String>,
    /// Why nobody keeps it up afterwards.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub no_upkeep_reason: Option<String>,
    /// Days between a termination and its effect.
    #[serde(default = "a_month")]
    #[schema(minimum = 0, maximum = 366)]
    pub notice_days: i32,
    /// How the result will be evaluated.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub evaluation_terms: Option<String>,
    /// The act that lets the commune commit.
    #[schema(nullable = false)]
    pub authority_id: Option<AuthorityId>,
    /// Who signs.
    #[serde(default)]
    #[validate(nested)]
    pub parties: NewParties,
    /// The commitments that it holds; by default all that are proposed or accepted.
    #[schema(max_items = 100, nullable = false)]
    pub commitment_ids: Option<Vec<CommitmentId>>,
}

const fn communes() -> WorksOwnership {
    WorksOwnership::Commune
}

const fn volunteers() -> ContributorStatus {
    ContributorStatus::AssociationVolunteer
}

const fn a_month() -> i32 {
    30
}

fn dates_in_order(new: &NewConvention) -> Result<(), ValidationError> {
    in_order(new.starts_on, new.ends_on)
}

fn in_order(starts_on: NaiveDate, ends_on: NaiveDate) -> Result<(), ValidationError> {
    if ends_on < starts_on {
        return Err(ValidationError::new("ends_on")
            .with_message("La fin précède le début. | The end comes before the start.".into()));
    }
    Ok(())
}

/// Changes to a draft; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"no_upkeep_reason": "L'action dure un jour.", "land_description": null}))]
pub struct ConventionPatch {
    /// Object, in a sentence.
    #[schema(min_length = 3, max_length = 5000, nullable = false)]
    pub object: Option<String>,
    /// First day.
    #[schema(nullable = false)]
    pub starts_on: Option<NaiveDate>,
    /// Last day.
    #[schema(nullable = false)]
    pub ends_on: Option<NaiveDate>,
    /// Why it lasts longer than the commune's setting allows.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub long_duration_reason: Option<Option<String>>,
    /// Whose land is used.
    #[schema(nullable = false)]
    pub land: Option<Land>,
    /// Which piece of it.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub land_description: Option<Option<String>>,
    /// Fee for the land, in euro cents.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100000000000i64)]
    pub land_fee_cents: Option<Option<i64>>,
    /// Why there is no fee.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub land_fee_exemption: Option<Option<String>>,
    /// Whether it goes on by itself; never on the public domain.
    #[schema(nullable = false)]
    pub tacit_renewal: Option<bool>,
    /// Agreement of the clergy in charge, for a church.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub clergy_agreement: Option<Option<String>>,
    /// Who owns what is built.
    #[schema(nullable = false)]
    pub works_ownership: Option<WorksOwnership>,
    /// What the contributors are by law.
    #[schema(nullable = false)]
    pub contributor_status: Option<ContributorStatus>,
    /// The commune's insurance.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub commune_insurance: Option<Option<String>>,
    /// The holder's insurance.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub holder_insurance: Option<Option<String>>,
    /// What contributors may not do.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub forbidden_tasks: Option<Option<String>>,
    /// How minors are supervised.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub supervision_of_minors: Option<Option<String>>,
    /// Consent for pictures.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub image_consent: Option<Option<String>>,
    /// Why nobody keeps it up afterwards.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub no_upkeep_reason: Option<Option<String>>,
    /// Days between a termination and its effect.
    #[schema(minimum = 0, maximum = 366, nullable = false)]
    pub notice_days: Option<i32>,
    /// How the result will be evaluated.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub evaluation_terms: Option<Option<String>>,
    /// The act that lets the commune commit.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<AuthorityId>)]
    pub authority_id: Option<Option<AuthorityId>>,
    /// Who signs; each signatory as a whole.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub parties: Option<NewParties>,
    /// The commitments that it holds, all of them.
    #[schema(max_items = 100, nullable = false)]
    pub commitment_ids: Option<Vec<CommitmentId>>,
    /// New terms for commitments that are binding already, all of them; of an amendment.
    #[validate(nested)]
    #[schema(max_items = 100, nullable = false)]
    pub new_terms: Option<Vec<NewTermsOfCommitment>>,
    /// Whom to call, where the key is. It is not signed: it changes at any time.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub practical_information: Option<Option<String>>,
}

impl ConventionPatch {
    /// Whether it changes only what is not signed.
    pub fn is_immaterial(&self) -> bool {
        let Self {
            object: None,
            starts_on: None,
            ends_on: None,
            long_duration_reason: None,
            land: None,
            land_description: None,
            land_fee_cents: None,
            land_fee_exemption: None,
            tacit_renewal: None,
            clergy_agreement: None,
            works_ownership: None,
            contributor_status: None,
            commune_insurance: None,
            holder_insurance: None,
            forbidden_tasks: None,
            supervision_of_minors: None,
            image_consent: None,
            no_upkeep_reason: None,
            notice_days: None,
            evaluation_terms: None,
            authority_id: None,
            parties: None,
            commitment_ids: None,
            new_terms: None,
            practical_information: _,
        } = self
        else {
            return false;
        };
        true
    }
}

/// New terms of a commitment that is binding; what is absent stays.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 2)]
pub struct NewTermsOfCommitment {
    /// Which commitment.
    pub commitment_id: CommitmentId,
    /// Amount of money, in euro cents.
    #[schema(minimum = 1, maximum = 100000000000i64, nullable = false)]
    pub amount_cents: Option<i64>,
    /// How much, of what is no money; a decimal number above 0, with at most three decimals.
    #[schema(value_type = Option<String>, format = "decimal", nullable = false,
        pattern = r"^(0*[1-9]\d{0,7}(\.\d{1,3})?|0+\.(00[1-9]|0[1-9]\d?|[1-9]\d{0,2}))$")]
    pub quantity: Option<BigDecimal>,
    /// Value of one unit, in euro cents.
    #[schema(minimum = 0, maximum = 100000000, nullable = false)]
    pub unit_value_cents: Option<i64>,
    /// Year of the envelope, for the commune's money.
    #[schema(minimum = 1990, maximum = 2100, nullable = false)]
    pub budget_year: Option<i32>,
    /// By when, of what is done once.
    #[schema(nullable = false)]
    pub due_on: Option<NaiveDate>,
    /// From when to when and how often, of upkeep; without `recurrence` it comes as it came.
    #[schema(nullable = false)]
    pub upkeep: Option<Upkeep>,
}

/// An amendment to prepare.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Deux jardinières de plus, à la demande des riverains."}))]
pub struct NewAmendment {
    /// Why; it is signed with the rest.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
}

/// A renewal to prepare.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "L'association continue.", "ends_on": "2030-06-30"}))]
pub struct NewRenewal {
    /// Why; it is signed with the rest.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
    /// Last day of the new version, which begins on the day after the last day of the old one.
    pub ends_on: NaiveDate,
}

/// A signature by the caller's own account.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct Sign {
    /// Hash of the content that the caller has read.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: String,
}

/// How a signature that an agent records was given.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedMethod {
    #[default]
    Paper,
}

/// A signature on paper.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"party": "holder", "signed_on": "2026-06-15", "paper_reference": "Registre 2026/17",
    "content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct RecordSignature {
    /// Whose signatory signed.
    pub party: Party,
    /// Hash of the content that is printed on the paper.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: String,
    /// When it was signed; not in the future.
    pub signed_on: NaiveDate,
    /// Where the paper is kept.
    #[schema(min_length = 1, max_length = 200)]
    pub paper_reference: String,
    /// Its scan: a document about this version, uploaded with `purpose=scan` and `internal=true`.
    #[schema(nullable = false)]
    pub document_id: Option<DocumentId>,
    /// How it was signed.
    #[serde(default)]
    pub method: RecordedMethod,
}

/// A withdrawal.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Le groupe s'est dissous."}))]
pub struct Withdrawal {
    /// Why. Public where the initiative is, so no names of people.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub reason: Option<String>,
}

/// The convention of a small project: what its one page says.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = quick_dates_in_order, skip_on_field_errors = false))]
pub struct QuickConvention {
    /// Object, in a sentence.
    #[schema(min_length = 3, max_length = 5000)]
    pub object: String,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// Who signs for the holder.
    #[validate(nested)]
    pub holder_signatory: NewSignatory,
    /// Who signs for the host organisation, where there is one.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub host_signatory: Option<NewSignatory>,
    /// Who signs for the commune; the caller by default.
    #[schema(nullable = false)]
    pub mandate_id: Option<MandateId>,
    /// The act that lets the commune commit, where it buys something.
    #[schema(nullable = false)]
    pub authority_id: Option<AuthorityId>,
    /// Why nobody keeps it up afterwards.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub no_upkeep_reason: Option<String>,
    /// Why it lasts longer than the commune's setting allows.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub long_duration_reason: Option<String>,
    /// Days between a termination and its effect.
    #[serde(default = "a_month")]
    #[schema(minimum = 0, maximum = 366)]
    pub notice_days: i32,
    /// Whether the caller signs for the commune at once.
    #[serde(default)]
    pub sign: bool,
}

fn quick_dates_in_order(quick: &QuickConvention) -> Result<(), ValidationError> {
    in_order(quick.starts_on, quick.ends_on)
}

impl QuickConvention {
    /// The draft that it stands for.
    pub fn draft(self, commune: Option<MandateId>) -> NewConvention {
        NewConvention {
            object: self.object,
            starts_on: self.starts_on,
            ends_on: self.ends_on,
            long_duration_reason: self.long_duration_reason,
            land: Some(Land::None),
            land_description: None,
            land_fee_cents: None,
            land_fee_exemption: None,
            tacit_renewal: false,
            clergy_agreement: None,
            works_ownership: communes(),
            contributor_status: volunteers(),
            commune_insurance: None,
            holder_insurance: None,
            forbidden_tasks: None,
            supervision_of_minors: None,
            image_consent: None,
            no_upkeep_reason: self.no_upkeep_reason,
            notice_days: self.notice_days,
            evaluation_terms: None,
            authority_id: self.authority_id,
            parties: NewParties {
                commune: commune.map(|mandate_id| CommuneSignatory { mandate_id }),
                holder: Some(self.holder_signatory),
                host: self.host_signatory,
            },
            commitment_ids: None,
        }
    }
}

/// A quick yes that an official gave on paper, for an agent who records it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"opinion": "Huit jardinières, sans difficulté.", "reason": "Embellit la rue.",
    "mandate_id": "019ecac3-3f10-8035-b9b9-a4c7d1f0e212", "decided_on": "2026-06-12", "paper_reference": "Registre 2026-31",
    "convention": {"object": "Huit jardinières rue Faidherbe", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
    "holder_signatory": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"}}}))]
pub struct RecordedQuickYes {
    /// The opinion in one line.
    #[schema(min_length = 1, max_length = 500)]
    pub opinion: String,
    /// Why yes.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
    /// The mandate of the official who decided.
    pub mandate_id: MandateId,
    /// Day on which it was decided: neither in the future nor before the submission.
    pub decided_on: NaiveDate,
    /// Where the paper is.
    #[schema(min_length = 1, max_length = 200)]
    pub paper_reference: String,
    /// The convention to open for signature at once; the official who decided signs it by default.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub convention: Option<QuickConvention>,
}

/// A quick yes to a small project, with its convention where that is ready.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"opinion": "Huit jardinières, sans difficulté.", "reason": "Embellit la rue.",
    "convention": {"object": "Huit jardinières rue Faidherbe", "starts_on": "2026-07-01", "ends_on": "2028-06-30",
    "holder_signatory": {"person": {"full_name": "Jeanne Martin", "adult": true}, "capacity": "Présidente"}, "sign": true}}))]
pub struct QuickYes {
    /// The opinion in one line.
    #[schema(min_length = 1, max_length = 500)]
    pub opinion: String,
    /// Why yes.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
    /// The convention to open for signature at once.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub convention: Option<QuickConvention>,
}
