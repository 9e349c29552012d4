//! Holders as the API shows them.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use validator::{Validate, ValidationError, ValidationErrors};

use crate::codes::codes;
use crate::http::error::Text;
use crate::http::extract::absent_or_null;
use crate::ids::{HolderId, UserId};
use crate::mandates::dto::PersonSummary;
use crate::registry::is_siret;

codes! {
    /// What a holder is.
    pub enum HolderKind "holder_kinds" {
        Person = "person", "Personne", "Person";
        Collective = "collective", "Collectif", "Collective";
        YouthGroup = "youth_group", "Groupe de jeunes", "Youth group";
        Association = "association", "Association", "Association";
        School = "school", "École", "School";
        Company = "company", "Entreprise (exploitation agricole, coopérative…)", "Company (farm, cooperative…)";
    }
}

impl HolderKind {
    /// Those with legal personality: in public registers, so public here.
    pub const LEGAL_PERSONS: &'static [Self] = &[Self::Association, Self::School, Self::Company];

    /// Those that the register of associations may know: a school through its cooperative.
    const WITH_RNA: &'static [Self] = &[Self::Association, Self::School];

    /// What something of this kind does not have, each with the field's name.
    pub fn faults(
        self,
        has_siret: bool,
        has_rna: bool,
        has_address: bool,
    ) -> Vec<(&'static str, Text)> {
        let mut faults = Vec::new();
        if has_address && !Self::LEGAL_PERSONS.contains(&self) {
            let text = Text::new(
                "Seule une personne morale a un siège.",
                "Only a legal person has a registered office.",
            );
            faults.push(("address", text));
        }
        if has_siret && !Self::LEGAL_PERSONS.contains(&self) {
            let text = Text::new(
                "Seule une personne morale a un SIRET.",
                "Only a legal person has a SIRET.",
            );
            faults.push(("siret", text));
        }
        if has_rna && !Self::WITH_RNA.contains(&self) {
            let text = Text::new(
                "Seules les associations et les écoles ont un numéro RNA.",
                "Only associations and schools have an RNA number.",
            );
            faults.push(("rna", text));
        }
        faults
    }
}

codes! {
    /// Where a membership of a holder stands.
    pub enum MemberState "holder_member_states" {
        Requested = "requested", "Demandée", "Requested";
        Active = "active", "Active", "Active";
        Left = "left", "Terminée", "Ended";
    }
}

codes! {
    /// What a member is in a holder.
    pub enum MemberRole "holder_member_roles" {
        Lead = "lead", "Responsable", "Lead";
        Member = "member", "Membre", "Member";
    }
}

codes! {
    /// What somebody may do with a holder.
    pub enum HolderAction "holder_actions" {
        Update = "update", "Modifier", "Change";
        Join = "join", "Demander à rejoindre", "Ask to join";
        Leave = "leave", "Quitter", "Leave";
        HandOver = "hand_over", "Passer la main", "Hand over";
        ManageMembers = "manage_members", "Gérer les membres", "Manage members";
    }
}

/// A holder in a few words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderSummary {
    /// Identifier.
    pub id: HolderId,
    /// What it is.
    pub kind: HolderKind,
    /// Name; of a person, the display name that they chose.
    #[schema(example = "Les Jardins de la Fosse 11")]
    pub name: String,
}

/// The caller's own membership.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderMembership {
    /// Asked for, active or over.
    pub state: MemberState,
    /// Lead or member.
    pub role: MemberRole,
    /// Whether they sign for the holder.
    pub may_sign: bool,
    /// When it came to this state.
    pub since: DateTime<Utc>,
}

/// What only members and the town hall see of a holder.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderPrivate {
    /// Address to write to.
    #[schema(required, example = "jardins@example.org")]
    pub contact_email: Option<String>,
    /// Number to call.
    #[schema(required, example = "+33 3 21 00 00 00")]
    pub contact_phone: Option<String>,
    /// The agent who entered it at the counter; null when a resident did.
    #[schema(required)]
    pub entered_by: Option<UserId>,
}

/// Who carries an initiative, or hosts it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Holder {
    /// Identifier.
    pub id: HolderId,
    /// INSEE code of the commune.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// What it is.
    pub kind: HolderKind,
    /// Name; of a person, the display name that they chose.
    #[schema(example = "Les Jardins de la Fosse 11")]
    pub name: String,
    /// What it does.
    #[schema(required)]
    pub description: Option<String>,
    /// SIRET of a legal person.
    #[schema(required, example = "21620528600018")]
    pub siret: Option<String>,
    /// Number in the national register of associations.
    #[schema(required, example = "W621000123")]
    pub rna: Option<String>,
    /// Registered office of a legal person.
    #[schema(required, example = "1 place de la République, 62750 Loos-en-Gohelle")]
    pub address: Option<String>,
    /// Day on which it subscribed to the "contrat d'engagement républicain".
    #[schema(required)]
    pub republican_commitment_on: Option<NaiveDate>,
    /// The name that a partner's system gives it; null where none does.
    #[schema(required, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
    /// Active members.
    #[schema(example = 12, minimum = 0)]
    pub members_count: i64,
    /// The caller's own membership; null for who never asked.
    #[schema(required)]
    pub membership: Option<HolderMembership>,
    /// For members and the town hall; null for others.
    #[schema(required)]
    pub private: Option<HolderPrivate>,
    /// What the caller may do now.
    pub allowed_actions: Vec<HolderAction>,
    /// When it was entered here.
    pub created_at: DateTime<Utc>,
}

/// A page of holders.
#[derive(Serialize, ToSchema)]
pub struct HolderPage {
    /// The holders of this page.
    pub data: Vec<Holder>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Which holders to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HolderFilter {
    /// Only holders of this kind.
    pub kind: Option<HolderKind>,
    /// The name that a partner's system gives it.
    #[param(min_length = 1, max_length = 100, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
}

/// A holder to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "association", "name": "Les Jardins de la Fosse 11", "rna": "W621000123",
    "republican_commitment_on": "2025-09-01", "contact_email": "jardins@example.org"}))]
pub struct NewHolder {
    /// What it is; it stays so.
    pub kind: HolderKind,
    /// Name; of a person, the display name that they choose.
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    pub name: String,
    /// What it does.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub description: Option<String>,
    /// SIRET; legal persons only.
    #[schema(pattern = "^[0-9]{14}$", nullable = false)]
    pub siret: Option<String>,
    /// Number in the national register of associations; associations and schools only.
    #[schema(pattern = "^W[0-9][0-9A-Z][0-9]{7}$", nullable = false)]
    pub rna: Option<String>,
    /// Registered office; legal persons only.
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", nullable = false)]
    pub address: Option<String>,
    /// Day on which it subscribed to the "contrat d'engagement républicain".
    #[schema(nullable = false)]
    pub republican_commitment_on: Option<NaiveDate>,
    /// Address to write to; for members and the town hall.
    #[schema(format = "email", max_length = 254, nullable = false)]
    pub contact_email: Option<String>,
    /// Number to call; for members and the town hall.
    #[schema(pattern = r"^\+?[0-9][0-9 .()-]{4,28}[0-9]$", nullable = false)]
    pub contact_phone: Option<String>,
}

impl Validate for NewHolder {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut faults = siret_fault(self.siret.as_deref());
        faults.extend(self.kind.faults(
            self.siret.is_some(),
            self.rna.is_some(),
            self.address.is_some(),
        ));
        outcome(faults)
    }
}

/// A SIRET that no register gives out.
fn siret_fault(siret: Option<&str>) -> Vec<(&'static str, Text)> {
    let wrong = siret.is_some_and(|siret| !is_siret(siret));
    let text = Text::new(
        "Ce n'est pas un SIRET : sa clé de contrôle est fausse.",
        "This is no SIRET: its check digit is wrong.",
    );
    wrong.then_some(("siret", text)).into_iter().collect()
}

/// What the validator says of these faults.
fn outcome(faults: Vec<(&'static str, Text)>) -> Result<(), ValidationErrors> {
    let mut errors = ValidationErrors::new();
    for (field, Text { fr, en }) in faults {
        errors.add(
            field,
            ValidationError::new("number").with_message(format!("{fr} | {en}").into()),
        );
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// A holder to create, and in which quality: the fields of `NewHolder` and one more.
#[derive(Debug, Deserialize)]
pub struct HolderRegistration {
    #[serde(flatten)]
    pub holder: NewHolder,
    #[serde(default)]
    pub on_behalf: bool,
}

impl Validate for HolderRegistration {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.holder.validate()
    }
}

// By hand: a flattened field would become `allOf`, where each part refuses the fields of the other.
impl PartialSchema for HolderRegistration {
    fn schema() -> RefOr<Schema> {
        let mut schema = NewHolder::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let on_behalf = ObjectBuilder::new()
                .schema_type(Type::Boolean)
                .description(Some(
                    "For an agent of the commune who enters it for someone else, at the counter: it has no members.",
                ));
            object
                .properties
                .insert("on_behalf".to_owned(), on_behalf.into());
            object.description = Some("A holder to create, and in which quality.".to_owned());
        }
        schema
    }
}

impl ToSchema for HolderRegistration {
    fn name() -> Cow<'static, str> {
        "HolderRegistration".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        NewHolder::schemas(schemas);
    }
}

/// Changes to a holder; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, diesel::query_builder::AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = crate::db::schema::holders)]
#[schema(min_properties = 1, example = json!({"contact_phone": "+33 3 21 00 00 00"}))]
pub struct HolderPatch {
    /// Name; of a person, the display name that they choose.
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    /// What it does.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub description: Option<Option<String>>,
    /// SIRET; legal persons only.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{14}$")]
    pub siret: Option<Option<String>>,
    /// Number in the national register of associations; associations and schools only.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, pattern = "^W[0-9][0-9A-Z][0-9]{7}$")]
    pub rna: Option<Option<String>>,
    /// Registered office; legal persons only.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 300, pattern = r"\S")]
    pub address: Option<Option<String>>,
    /// Day on which it subscribed to the "contrat d'engagement républicain".
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub republican_commitment_on: Option<Option<NaiveDate>>,
    /// Address to write to; for members and the town hall.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, format = "email", max_length = 254)]
    pub contact_email: Option<Option<String>>,
    /// Number to call; for members and the town hall.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, pattern = r"^\+?[0-9][0-9 .()-]{4,28}[0-9]$")]
    pub contact_phone: Option<Option<String>>,
}

impl Validate for HolderPatch {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let siret = self.siret.as_ref().and_then(Option::as_deref);
        outcome(siret_fault(siret))
    }
}

/// A member of a holder.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderMember {
    /// Who it is.
    pub person: PersonSummary,
    /// Asked for, active or over.
    pub state: MemberState,
    /// Lead or member.
    pub role: MemberRole,
    /// Whether they sign for the holder.
    pub may_sign: bool,
    /// When it came to this state.
    pub since: DateTime<Utc>,
}

/// A page of members.
#[derive(Serialize, ToSchema)]
pub struct HolderMemberPage {
    /// The members of this page, the latest to change first.
    pub data: Vec<HolderMember>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Which members to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MemberFilter {
    /// Only members in this state; without it, those who are members or ask to be.
    pub state: Option<MemberState>,
}

/// How somebody who asked becomes a member.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"may_sign": false}))]
pub struct MemberAcceptance {
    /// Whether they sign for the holder; adults only.
    #[serde(default)]
    pub may_sign: bool,
}

/// Changes to a membership; what is absent stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"may_sign": true}))]
pub struct HolderMemberPatch {
    /// Whether they sign for the holder; adults only.
    #[schema(nullable = false)]
    pub may_sign: Option<bool>,
}

/// Who leads from now on.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user_id": "0190a6c2-7c7e-7d34-9b1a-3f6f2b9d4e55"}))]
pub struct HandOver {
    /// An active adult member.
    pub user_id: UserId,
}
