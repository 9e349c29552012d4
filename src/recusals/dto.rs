//! Recusals as the API shows them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::codes::codes;
use crate::ids::{MandateId, RecusalId};
use crate::mandates::dto::PersonSummary;

codes! {
    /// Why somebody stands aside.
    pub enum RecusalGrounds "recusal_grounds" {
        Membership = "membership", "Membre du porteur ou d'un organisme lié", "Member of the holder or of a body tied to it";
        Kinship = "kinship", "Lien de parenté ou d'alliance", "Kinship";
        Interest = "interest", "Intérêt personnel ou professionnel", "Personal or professional interest";
        Other = "other", "Autre motif", "Another ground";
    }
}

/// Somebody of the town hall who stands aside.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Recusal {
    /// Identifier.
    pub id: RecusalId,
    /// Who stands aside.
    pub person: PersonSummary,
    /// Why.
    pub grounds: RecusalGrounds,
    /// In words, where something was said.
    #[schema(required, example = "Mon frère préside l'association.")]
    pub text: Option<String>,
    /// The agent who recorded it; null when the person did.
    #[schema(required)]
    pub recorded_by: Option<PersonSummary>,
    /// Since when.
    pub recused_at: DateTime<Utc>,
    /// Where an agent recorded it, the last day on which the person may contest it.
    #[schema(required)]
    pub contestable_until: Option<NaiveDate>,
    /// When the person contested it: from then on it keeps them from nothing.
    #[schema(required)]
    pub contested_at: Option<DateTime<Utc>>,
    /// Why.
    #[schema(required)]
    pub contest_reason: Option<String>,
}

/// Who stands aside, the first one first.
#[derive(Serialize, ToSchema)]
pub struct RecusalList {
    /// The recusals.
    pub data: Vec<Recusal>,
}

/// To stand aside, or to record that somebody does.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = other_is_explained))]
#[schema(example = json!({"grounds": "kinship", "text": "Mon frère préside l'association."}))]
pub struct NewRecusal {
    /// Why.
    pub grounds: RecusalGrounds,
    /// In words, for the town hall only; needed for another ground.
    #[schema(min_length = 1, max_length = 5000, pattern = r"\S", nullable = false)]
    pub text: Option<String>,
    /// For an agent who records it: a mandate of the person who stands aside, that counts today.
    #[schema(nullable = false)]
    pub mandate_id: Option<MandateId>,
}

fn other_is_explained(new: &NewRecusal) -> Result<(), ValidationError> {
    if new.grounds == RecusalGrounds::Other && new.text.is_none() {
        return Err(ValidationError::new("text").with_message(
            "Un autre motif se dit en toutes lettres. | Another ground is said in words.".into(),
        ));
    }
    Ok(())
}
