//! Evaluations as the API shows and takes them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::lifecycle::{EvaluationAction, EvaluationState};
use crate::http::extract::absent_or_null;
use crate::ids::{EvaluationId, InitiativeId};
use crate::initiatives::dto::AgeCount;

/// What an initiative achieved, what it cost and what it saved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Evaluation {
    /// Identifier.
    pub id: EvaluationId,
    /// The initiative.
    pub initiative_id: InitiativeId,
    /// Where it stands.
    pub state: EvaluationState,
    /// What the caller may do now.
    pub allowed_actions: Vec<EvaluationAction>,
    /// What was achieved.
    #[schema(example = "4 km de chemins refaits avec douze agriculteurs.")]
    pub summary: String,
    /// What the commune would have paid without the residents, in euro cents.
    #[schema(minimum = 0, example = 10000000)]
    pub reference_cost_cents: i64,
    /// What the commune had planned to pay, in euro cents.
    #[schema(required, minimum = 0, example = 3500000)]
    pub expected_cost_cents: Option<i64>,
    /// What the commune paid, in euro cents.
    #[schema(minimum = 0, example = 3000000)]
    pub municipal_cost_cents: i64,
    /// Working time of the commune's staff, in minutes.
    #[schema(minimum = 0, example = 2400)]
    pub staff_minutes: i32,
    /// Cost of that time, in euro cents.
    #[schema(minimum = 0, example = 120000)]
    pub staff_cost_cents: i64,
    /// Time that elected officials gave, in minutes.
    #[schema(minimum = 0, example = 600)]
    pub official_minutes: i32,
    /// Reference cost − municipal cost − staff cost, in euro cents; below zero when it cost more.
    #[schema(minimum = -200000000000i64, maximum = 100000000000i64, example = 6880000)]
    pub savings_cents: i64,
    /// Savings divided by reference cost: a decimal number; null when the reference cost is 0.
    #[schema(required, format = "decimal", example = "0.688")]
    pub savings_rate: Option<String>,
    /// How the costs were found.
    #[schema(example = "Comparaison avec le devis d'une entreprise")]
    pub method: String,
    /// Where the figures come from.
    #[schema(example = "Devis du 3 février 2025 ; grand livre 2025")]
    pub source: String,
    /// What worked.
    #[schema(
        required,
        example = "Les agriculteurs connaissent le terrain et ont choisi le bon moment."
    )]
    pub what_worked: Option<String>,
    /// What stood in the way.
    #[schema(required, example = "Deux semaines de pluie.")]
    pub obstacles: Option<String>,
    /// Advice to those who will do the like.
    #[schema(required, example = "Réserver les machines avant la moisson.")]
    pub advice: Option<String>,
    /// The people whom it concerned, by age; for others than the holder and the town hall fewer than five of an age band are
    /// counted without an age.
    #[schema(max_items = 7)]
    pub people: Vec<AgeCount>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When the holder's side agreed, or had been silent for 30 days; null until then, and again after a change.
    #[schema(required)]
    pub agreed_at: Option<DateTime<Utc>>,
    /// When it was validated; null until then.
    #[schema(required)]
    pub validated_at: Option<DateTime<Utc>>,
}

/// An evaluation to write.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"summary": "4 km de chemins refaits avec douze agriculteurs.",
    "reference_cost_cents": 10000000, "expected_cost_cents": 3500000, "municipal_cost_cents": 3000000,
    "staff_minutes": 2400, "staff_cost_cents": 120000, "official_minutes": 600,
    "method": "Comparaison avec le devis d'une entreprise", "source": "Devis du 3 février 2025 ; grand livre 2025",
    "what_worked": "Les agriculteurs connaissent le terrain.", "obstacles": "Deux semaines de pluie.",
    "advice": "Réserver les machines avant la moisson.", "people": [{"age_band": "30_59", "people": 12}]}))]
pub struct NewEvaluation {
    /// What was achieved. Public once validated, so no names of people.
    #[schema(min_length = 1, max_length = 20000)]
    pub summary: String,
    /// What the commune would have paid without the residents, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64)]
    pub reference_cost_cents: i64,
    /// What the commune had planned to pay, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64, nullable = false)]
    pub expected_cost_cents: Option<i64>,
    /// What the commune paid, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64)]
    pub municipal_cost_cents: i64,
    /// Working time of the commune's staff, in minutes.
    #[schema(minimum = 0, maximum = 10000000)]
    pub staff_minutes: i32,
    /// Cost of that time, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64)]
    pub staff_cost_cents: i64,
    /// Time that elected officials gave, in minutes.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10000000)]
    pub official_minutes: i32,
    /// How the costs were found.
    #[schema(min_length = 1, max_length = 2000)]
    pub method: String,
    /// Where the figures come from.
    #[schema(min_length = 1, max_length = 2000)]
    pub source: String,
    /// What worked. Public once validated, so no names of people; the same goes for what follows.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub what_worked: Option<String>,
    /// What stood in the way.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub obstacles: Option<String>,
    /// Advice to those who will do the like.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub advice: Option<String>,
    /// The people whom it concerned, by age, each band once.
    #[serde(default)]
    #[schema(max_items = 7)]
    pub people: Vec<AgeCount>,
}

/// Changes to an evaluation that is not validated; what is absent stays.
#[derive(Debug, Deserialize, ToSchema, Validate, diesel::query_builder::AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = crate::db::schema::evaluations)]
#[schema(min_properties = 1, example = json!({"municipal_cost_cents": 3100000}))]
pub struct EvaluationPatch {
    /// What was achieved.
    #[schema(min_length = 1, max_length = 20000, nullable = false)]
    pub summary: Option<String>,
    /// What the commune would have paid without the residents, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64, nullable = false)]
    pub reference_cost_cents: Option<i64>,
    /// What the commune had planned to pay, in euro cents.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100000000000i64)]
    pub expected_cost_cents: Option<Option<i64>>,
    /// What the commune paid, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64, nullable = false)]
    pub municipal_cost_cents: Option<i64>,
    /// Working time of the commune's staff, in minutes.
    #[schema(minimum = 0, maximum = 10000000, nullable = false)]
    pub staff_minutes: Option<i32>,
    /// Cost of that time, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64, nullable = false)]
    pub staff_cost_cents: Option<i64>,
    /// Time that elected officials gave, in minutes.
    #[schema(minimum = 0, maximum = 10000000, nullable = false)]
    pub official_minutes: Option<i32>,
    /// How the costs were found.
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub method: Option<String>,
    /// Where the figures come from.
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub source: Option<String>,
    /// What worked.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub what_worked: Option<Option<String>>,
    /// What stood in the way.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub obstacles: Option<Option<String>>,
    /// Advice to those who will do the like.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub advice: Option<Option<String>>,
    /// The people whom it concerned, by age, each band once; they replace those that were counted.
    #[diesel(skip_update)]
    #[schema(max_items = 7, nullable = false)]
    pub people: Option<Vec<AgeCount>>,
}
