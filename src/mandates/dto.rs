//! Mandates as the API shows them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::codes::codes;
use crate::http::error::Text;
use crate::http::extract::absent_or_null;
use crate::ids::{MandateId, UserId};

codes! {
    /// What a mandate makes of somebody.
    pub enum MandateRole "mandate_roles" {
        Agent = "agent", "Agent de la commune", "Agent of the commune";
        ElectedOfficial = "elected_official", "Élu de la commune", "Elected official of the commune";
    }
}

/// A person as others see them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonSummary {
    /// The account.
    pub id: UserId,
    /// The name that the person chose.
    #[schema(example = "Camille D.")]
    pub display_name: String,
}

/// A dated role of a person in one commune.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mandate {
    /// Identifier.
    pub id: MandateId,
    /// INSEE code of the commune.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// Who holds it.
    pub person: PersonSummary,
    /// Agent or elected official.
    pub role: MandateRole,
    /// The person's function as conventions print it.
    #[schema(example = "Adjointe à la vie associative")]
    pub capacity: String,
    /// Whether they sign for the commune: the mayor and who has the mayor's delegation.
    pub may_sign: bool,
    /// The act that gives the power to sign: the mayor's order of delegation; for the mayor the minutes of the election.
    #[schema(required, example = "Arrêté 2026-12")]
    pub delegation_reference: Option<String>,
    /// Day of that act: nobody signs before.
    #[schema(required)]
    pub delegation_on: Option<NaiveDate>,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day; null while no end is known.
    #[schema(required)]
    pub ends_on: Option<NaiveDate>,
    /// When it was granted here.
    pub created_at: DateTime<Utc>,
}

/// A page of mandates.
#[derive(Serialize, ToSchema)]
pub struct MandatePage {
    /// The mandates of this page, the latest to start first.
    pub data: Vec<Mandate>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A mandate to grant.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(
    schema(function = agents_never_sign),
    schema(function = signs_by_delegation),
    schema(function = dates_in_order)
)]
#[schema(example = json!({"email": "agent@loos-en-gohelle.example", "role": "agent",
    "capacity": "Chargée de la participation", "may_sign": false, "starts_on": "2026-03-29"}))]
pub struct NewMandate {
    /// Address of the account that gets it.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
    /// Agent or elected official.
    pub role: MandateRole,
    /// The person's function as conventions print it.
    #[schema(min_length = 1, max_length = 120)]
    pub capacity: String,
    /// Whether they sign for the commune; agents never do.
    #[serde(default)]
    pub may_sign: bool,
    /// The act that gives the power to sign: the mayor's order of delegation; for the mayor the minutes of the election.
    /// Needed to sign.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub delegation_reference: Option<String>,
    /// Day of that act: nobody signs before.
    #[schema(nullable = false)]
    pub delegation_on: Option<NaiveDate>,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day, if it is known.
    #[schema(nullable = false)]
    pub ends_on: Option<NaiveDate>,
}

fn agents_never_sign(mandate: &NewMandate) -> Result<(), ValidationError> {
    if mandate.may_sign && mandate.role == MandateRole::Agent {
        return Err(ValidationError::new("may_sign")
            .with_message("Un agent ne signe jamais. | Agents never sign.".into()));
    }
    Ok(())
}

/// What is wrong with a power to sign, if anything: it comes from an act that has a reference and a day.
pub fn delegation_fault(may_sign: bool, reference: bool, day: bool) -> Option<Text> {
    (reference != day || (may_sign && !day)).then_some(Text::new(
        "Le pouvoir de signer vient d'un acte : delegation_reference et delegation_on.",
        "The power to sign comes from an act: delegation_reference and delegation_on.",
    ))
}

fn signs_by_delegation(mandate: &NewMandate) -> Result<(), ValidationError> {
    let fault = delegation_fault(
        mandate.may_sign && mandate.role == MandateRole::ElectedOfficial,
        mandate.delegation_reference.is_some(),
        mandate.delegation_on.is_some(),
    );
    fault.map_or(Ok(()), |Text { fr, en }| {
        Err(ValidationError::new("delegation_reference")
            .with_message(format!("{fr} | {en}").into()))
    })
}

fn dates_in_order(mandate: &NewMandate) -> Result<(), ValidationError> {
    if mandate.ends_on.is_some_and(|end| end < mandate.starts_on) {
        return Err(ValidationError::new("ends_on")
            .with_message("La fin précède le début. | The end comes before the start.".into()));
    }
    Ok(())
}

/// Changes to a mandate; what is absent stays.
#[derive(Debug, Deserialize, ToSchema, Validate, diesel::query_builder::AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = crate::db::schema::mandates)]
#[schema(min_properties = 1, example = json!({"ends_on": "2026-12-31"}))]
pub struct MandatePatch {
    /// The person's function as conventions print it.
    #[schema(min_length = 1, max_length = 120, nullable = false)]
    pub capacity: Option<String>,
    /// Whether they sign for the commune.
    #[schema(nullable = false)]
    pub may_sign: Option<bool>,
    /// The act that gives the power to sign.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub delegation_reference: Option<String>,
    /// Day of that act: nobody signs before.
    #[schema(nullable = false)]
    pub delegation_on: Option<NaiveDate>,
    /// Last day; null for no known end.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub ends_on: Option<Option<NaiveDate>>,
}
