//! Conventions as the API shows them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::lifecycle::{ConventionAction, ConventionState};
use crate::authorities::dto::AuthoritySummary;
use crate::codes::codes;
use crate::commitments::balance::dto::Balance;
use crate::commitments::dto::Commitment;
use crate::holders::dto::{HolderKind, HolderSummary};
use crate::ids::{ConventionId, DocumentId, InitiativeId, MandateId, TemplateId, UserId};
use crate::initiatives::dto::{CommuneSummary, Land};

codes! {
    /// Who signs.
    pub enum Party "parties" {
        Commune = "commune", "La commune", "The commune";
        Holder = "holder", "Le porteur", "The holder";
        Host = "host", "La structure porteuse", "The host organisation";
    }

    /// In which way a version changes the one before it.
    pub enum AmendmentKind "amendment_kinds" {
        Amendment = "amendment", "Avenant", "Amendment";
        Renewal = "renewal", "Renouvellement", "Renewal";
    }

    /// Who owns what is built.
    pub enum WorksOwnership "works_ownerships" {
        Commune = "commune", "La commune", "The commune";
        Holder = "holder", "Le porteur", "The holder";
        Shared = "shared", "Les deux", "Both";
    }

    /// What the contributors are by law.
    pub enum ContributorStatus "contributor_statuses" {
        AssociationVolunteer = "association_volunteer", "Bénévole d'association", "Volunteer of an association";
        OccasionalCollaborator = "occasional_collaborator", "Collaborateur occasionnel du service public", "Occasional collaborator of the public service";
    }

    /// How a signature was given.
    pub enum SignatureMethod "signature_methods" {
        Paper = "paper", "Sur papier", "On paper";
        Simple = "simple", "Simple, par le compte du signataire", "Simple, by the signatory's account";
        Advanced = "advanced", "Avancée", "Advanced";
        Qualified = "qualified", "Qualifiée", "Qualified";
    }
}

codes! {
    /// What makes somebody the one who signs for a party.
    pub enum EntitlementKind "entitlement_kinds" {
        Mandate = "mandate", "Mandat, par délégation", "Mandate, by delegation";
        Membership = "membership", "Membre qui peut signer", "Member who may sign";
        Attested = "attested", "Vérifié par la commune, pour qui signe sur papier", "Checked by the commune, of who signs on paper";
    }
}

/// By what right somebody signs for a party.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Entitlement {
    /// What makes them the one who signs.
    pub kind: EntitlementKind,
    /// Of a mandate, the act that gives the power to sign.
    #[schema(required, example = "Arrêté 2026-12")]
    pub delegation_reference: Option<String>,
    /// Day of that act.
    #[schema(required)]
    pub delegation_on: Option<NaiveDate>,
}

/// An initiative by its title.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InitiativeTitle {
    /// Identifier.
    pub id: InitiativeId,
    /// Title.
    #[schema(example = "Huit jardinières rue Faidherbe")]
    pub title: String,
}

/// A version of a convention in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConventionSummary {
    /// Identifier of this version.
    pub id: ConventionId,
    /// Identifier of its first version.
    pub root_id: ConventionId,
    /// Number of the version, from 1.
    #[schema(minimum = 1)]
    pub number: i32,
    /// The commune.
    pub commune: CommuneSummary,
    /// What it is for.
    pub initiative: InitiativeTitle,
    /// Who carries it.
    pub holder: HolderSummary,
    /// Object, in a sentence.
    pub object: String,
    /// Where it stands.
    pub state: ConventionState,
    /// When it came there.
    pub state_changed_at: DateTime<Utc>,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// When the last signature was given.
    #[schema(required)]
    pub activated_at: Option<DateTime<Utc>>,
    /// When it was written down here.
    pub created_at: DateTime<Utc>,
}

/// A page of conventions, the newest first.
#[derive(Serialize, ToSchema)]
pub struct ConventionPage {
    /// The conventions of this page.
    pub data: Vec<ConventionSummary>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// The versions of an initiative's conventions that the caller may read, the oldest first.
#[derive(Serialize, ToSchema)]
pub struct ConventionList {
    /// The versions.
    pub data: Vec<ConventionSummary>,
}

/// Which conventions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConventionFilter {
    /// INSEE code. The town hall of that commune sees what is not public too.
    #[param(pattern = r"^[0-9][0-9AB][0-9]{3}$", example = "62528")]
    pub commune: Option<String>,
    /// States, separated by commas.
    #[param(style = Form, explode = false, max_items = 8, example = json!(["active"]))]
    pub state: Option<Vec<ConventionState>>,
}

/// A party, and whether it has signed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConventionParty {
    /// Which party.
    pub party: Party,
    /// Name of the commune or of the holder; null for a natural person.
    #[schema(required)]
    pub name: Option<String>,
    /// What the holder or host is; null for the commune.
    #[schema(required)]
    pub kind: Option<HolderKind>,
    /// SIRET.
    #[schema(required)]
    pub siret: Option<String>,
    /// Number in the national register of associations.
    #[schema(required)]
    pub rna: Option<String>,
    /// Registered office.
    #[schema(required)]
    pub address: Option<String>,
    /// The signatory's function.
    #[schema(example = "Présidente")]
    pub capacity: String,
    /// By what right they sign.
    pub entitlement: Entitlement,
    /// The signatory as the content names them: SHA-256 of a secret salt followed by the full name, in hexadecimal; null
    /// once the name was erased.
    #[schema(required, pattern = "^[0-9a-f]{64}$")]
    pub signatory: Option<String>,
    /// The signatory's name, for the parties and the town hall; null for others, and once it was erased.
    #[schema(required, example = "Camille Dupont")]
    pub full_name: Option<String>,
    /// The signatory's account, for the parties and the town hall; null for others, and for who signs on paper only.
    #[schema(required)]
    pub user_id: Option<UserId>,
    /// The mandate of the commune's signatory, for the parties and the town hall.
    #[schema(required)]
    pub mandate_id: Option<MandateId>,
    /// Whether the party has signed the current content.
    pub signed: bool,
    /// Day of the signature.
    #[schema(required)]
    pub signed_on: Option<NaiveDate>,
    /// How it was given.
    #[schema(required)]
    pub method: Option<SignatureMethod>,
    /// The scan of a signature on paper, for the parties and the town hall.
    #[schema(required)]
    pub document_id: Option<DocumentId>,
    /// When the commune's signatory said that this signature, recorded from a paper, is not theirs.
    #[schema(required)]
    pub contested_at: Option<DateTime<Utc>>,
    /// Last day on which the commune's signatory may contest a signature that an agent recorded, for the parties and the
    /// town hall.
    #[schema(required)]
    pub contestable_until: Option<NaiveDate>,
}

/// One version of a convention: who does what, signed by both sides.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Convention {
    /// Identifier of this version.
    pub id: ConventionId,
    /// Identifier of its first version.
    pub root_id: ConventionId,
    /// Number of the version, from 1.
    #[schema(minimum = 1)]
    pub number: i32,
    /// The version that this one replaces once all have signed; null for the first.
    #[schema(required)]
    pub supersedes_id: Option<ConventionId>,
    /// In which way it changes that one.
    #[schema(required)]
    pub amendment_kind: Option<AmendmentKind>,
    /// Why it was changed.
    #[schema(required)]
    pub amendment_reason: Option<String>,
    /// What it is for.
    pub initiative_id: InitiativeId,
    /// The commune.
    pub commune: CommuneSummary,
    /// Who carries it.
    pub holder: HolderSummary,
    /// Legal body that receives money or signs for the holder.
    #[schema(required)]
    pub host: Option<HolderSummary>,
    /// Where it stands.
    pub state: ConventionState,
    /// When it came there.
    pub state_changed_at: DateTime<Utc>,
    /// What the caller may do now.
    pub allowed_actions: Vec<ConventionAction>,
    /// Object, in a sentence.
    pub object: String,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// Why it lasts longer than the commune's setting allows.
    #[schema(required)]
    pub long_duration_reason: Option<String>,
    /// Whose land is used.
    pub land: Land,
    /// Which piece of it.
    #[schema(required)]
    pub land_description: Option<String>,
    /// Fee for the land, in euro cents.
    #[schema(required, minimum = 0)]
    pub land_fee_cents: Option<i64>,
    /// Why there is no fee.
    #[schema(required)]
    pub land_fee_exemption: Option<String>,
    /// Whether it goes on by itself; never on the public domain.
    pub tacit_renewal: bool,
    /// Agreement of the clergy in charge, for a church.
    #[schema(required)]
    pub clergy_agreement: Option<String>,
    /// Who owns what is built.
    pub works_ownership: WorksOwnership,
    /// What the contributors are by law.
    pub contributor_status: ContributorStatus,
    /// The commune's insurance.
    #[schema(required)]
    pub commune_insurance: Option<String>,
    /// The holder's insurance.
    #[schema(required)]
    pub holder_insurance: Option<String>,
    /// What contributors may not do.
    #[schema(required)]
    pub forbidden_tasks: Option<String>,
    /// How minors are supervised.
    #[schema(required)]
    pub supervision_of_minors: Option<String>,
    /// Consent for pictures.
    #[schema(required)]
    pub image_consent: Option<String>,
    /// Why nobody keeps it up afterwards.
    #[schema(required)]
    pub no_upkeep_reason: Option<String>,
    /// Days between a termination and its effect.
    #[schema(minimum = 0, maximum = 366)]
    pub notice_days: i32,
    /// How the result will be evaluated.
    #[schema(required)]
    pub evaluation_terms: Option<String>,
    /// The act that lets the commune commit.
    #[schema(required)]
    pub authority: Option<AuthoritySummary>,
    /// What each side promises, in the order in which it was proposed: as this version words it until it is signed, then
    /// as it is now.
    pub commitments: Vec<Commitment>,
    /// What they add up to.
    pub balance: Balance,
    /// Who signs.
    #[schema(max_items = 3)]
    pub parties: Vec<ConventionParty>,
    /// SHA-256 of the content as `GET …/content` gives it, in hexadecimal; null while it is a draft.
    #[schema(required, pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: Option<String>,
    /// The version of the commune's model of articles with which it was opened; null for the program's own, and while
    /// it is a draft.
    #[schema(required)]
    pub template_id: Option<TemplateId>,
    /// When it was opened for signature.
    #[schema(required)]
    pub opened_at: Option<DateTime<Utc>>,
    /// When the last signature was given.
    #[schema(required)]
    pub activated_at: Option<DateTime<Utc>>,
    /// When it was terminated, expired or superseded.
    #[schema(required)]
    pub ended_at: Option<DateTime<Utc>>,
    /// Last day on which a terminated version counts.
    #[schema(required)]
    pub effective_on: Option<NaiveDate>,
    /// Why it was reopened, cancelled, suspended or terminated.
    #[schema(required)]
    pub reason: Option<String>,
    /// Whom to call, where the key is: not signed, changed at any time; for the parties and the town hall.
    #[schema(required)]
    pub practical_information: Option<String>,
    /// When it was written down here.
    pub created_at: DateTime<Utc>,
}
