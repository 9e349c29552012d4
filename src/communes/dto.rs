//! Communes as the API shows them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::http::extract::absent_or_null;

/// A code of the official geography with its name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Place {
    /// Official code.
    #[schema(pattern = "^([0-9]{2,3}|2[AB])$", example = "62")]
    pub code: String,
    /// Official name.
    #[schema(example = "Pas-de-Calais")]
    pub name: String,
}

/// An intercommunality (EPCI).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Intercommunality {
    /// SIREN.
    #[schema(example = "246200364")]
    pub siren: String,
    /// Official name.
    #[schema(example = "CA de Lens - Liévin")]
    pub name: String,
}

/// What a commune sets for its scheme.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommuneSettings {
    /// SIRET of the establishment that decides and gives: the national schemas of open data want it.
    #[schema(required, pattern = "^[0-9]{14}$", example = "21620528600018")]
    pub siret: Option<String>,
    /// Days within which the commune promises to answer. A promise of service, not a legal delay.
    #[schema(example = 60, minimum = 1, maximum = 365)]
    pub reply_delay_days: i32,
    /// Up to this value (cash and kind, in euro cents) an initiative is a small project.
    #[schema(example = 50000, minimum = 0, maximum = 10000000)]
    pub small_project_ceiling_cents: i64,
    /// Longest convention without a reason, in months.
    #[schema(example = 48, minimum = 1, maximum = 360)]
    pub convention_max_months: i32,
    /// What all documents of the commune may take, in bytes.
    #[schema(example = 1000000000, minimum = 0)]
    pub document_quota_bytes: i64,
    /// Days on which the council meets, as far as the commune has set them, in order.
    #[schema(max_items = 60, example = json!(["2026-06-25", "2026-09-24"]))]
    pub council_dates: Vec<NaiveDate>,
}

/// A commune of France.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Commune {
    /// INSEE code: the commune's only identifier.
    #[schema(example = "62528")]
    pub code: String,
    /// Official name.
    #[schema(example = "Loos-en-Gohelle")]
    pub name: String,
    /// Department.
    pub department: Place,
    /// Region.
    pub region: Place,
    /// Intercommunality; a few communes have none.
    #[schema(required)]
    pub intercommunality: Option<Intercommunality>,
    /// SIREN of the commune as a legal body; unknown for a few.
    #[schema(required, example = "216205286")]
    pub siren: Option<String>,
    /// Residents (municipal population); unknown for a few, 0 for the villages destroyed in 1916.
    #[schema(required, example = 6799, minimum = 0)]
    pub population: Option<i32>,
    /// Postal codes.
    #[schema(example = json!(["62750"]))]
    pub postal_codes: Vec<String>,
    /// When the commune joined the scheme; null for a commune that has not.
    #[schema(required)]
    pub enrolled_at: Option<DateTime<Utc>>,
    /// What the commune has set.
    pub settings: CommuneSettings,
}

/// A page of communes.
#[derive(Serialize, ToSchema)]
pub struct CommunePage {
    /// The communes of this page.
    pub data: Vec<Commune>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Which communes to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommuneFilter {
    /// Beginnings of the words of the name, accents or not (`loos goh`), or a postal code (`62750`).
    #[param(max_length = 100, min_length = 1, example = "loos")]
    pub q: Option<String>,
    /// Code of a department.
    #[param(pattern = r"^(\d{2,3}|2[AB])$", example = "62")]
    pub department: Option<String>,
    /// Only communes that have (or have not) joined the scheme.
    pub enrolled: Option<bool>,
    /// Order: by name, or the most populous first.
    #[serde(default)]
    pub sort: CommuneSort,
}

/// Orders of the list of communes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum CommuneSort {
    #[default]
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "-population")]
    Population,
}

/// New settings; what is absent stays.
#[derive(Debug, Deserialize, ToSchema, Validate, diesel::query_builder::AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = crate::db::schema::communes)]
#[schema(min_properties = 1, example = json!({"reply_delay_days": 45}))]
pub struct CommuneSettingsPatch {
    /// SIRET of the establishment that decides and gives; it begins with the commune's SIREN.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{14}$", example = "21620528600018")]
    pub siret: Option<Option<String>>,
    /// Days within which the commune promises to answer.
    #[schema(minimum = 1, maximum = 365, nullable = false)]
    pub reply_delay_days: Option<i32>,
    /// Up to this value (cash and kind, in euro cents) an initiative is a small project.
    #[schema(minimum = 0, maximum = 10000000, nullable = false)]
    pub small_project_ceiling_cents: Option<i64>,
    /// Longest convention without a reason, in months.
    #[schema(minimum = 1, maximum = 360, nullable = false)]
    pub convention_max_months: Option<i32>,
    /// What all documents of the commune may take, in bytes: for admins.
    #[schema(minimum = 0, maximum = 1000000000000i64, nullable = false)]
    pub document_quota_bytes: Option<i64>,
    /// Days on which the council meets; they replace those that were set.
    #[schema(max_items = 60, nullable = false)]
    pub council_dates: Option<Vec<NaiveDate>>,
}
