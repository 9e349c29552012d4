//! Measures as the API shows and takes them.

use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::ids::MeasureId;

/// An indicator of one year, reported by hand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Measure {
    /// Identifier.
    pub id: MeasureId,
    /// INSEE code of the commune.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// What was measured: a name that the commune gives, the same every year.
    #[schema(example = "number_of_associations")]
    pub indicator: String,
    /// Year that it is about.
    #[schema(minimum = 1900, maximum = 2100, example = 2024)]
    pub year: i32,
    /// The value, a decimal number.
    #[schema(format = "decimal", example = "73")]
    pub value: String,
    /// Of what.
    #[schema(example = "associations")]
    pub unit: String,
    /// Where the value comes from.
    #[schema(example = "Annuaire municipal des associations, décembre 2024")]
    pub source: String,
    /// The name that a partner's system gives it; null where none does.
    #[schema(required, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
    /// When it was first reported here.
    pub created_at: DateTime<Utc>,
}

/// A page of measures, the latest year first.
#[derive(Serialize, ToSchema)]
pub struct MeasurePage {
    /// The measures of this page.
    pub data: Vec<Measure>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A measure to report.
#[derive(Debug, Deserialize, ToSchema, Validate, diesel::query_builder::AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = crate::db::schema::measures)]
#[schema(example = json!({"value": "73", "unit": "associations",
    "source": "Annuaire municipal des associations, décembre 2024"}))]
pub struct NewMeasure {
    /// The value: a decimal number with at most three decimals.
    #[schema(value_type = String, format = "decimal", pattern = r"^-?\d{1,11}(\.\d{1,3})?$")]
    pub value: BigDecimal,
    /// Of what.
    #[schema(min_length = 1, max_length = 60)]
    pub unit: String,
    /// Where the value comes from.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub source: String,
}

/// Which measures to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MeasureFilter {
    /// What was measured.
    #[param(
        pattern = r"^[a-z][a-z0-9_]{1,59}$",
        example = "number_of_associations"
    )]
    pub indicator: Option<String>,
    /// Year.
    #[param(minimum = 1900, maximum = 2100, example = 2024)]
    pub year: Option<i32>,
    /// The name that a partner's system gives it.
    #[param(min_length = 1, max_length = 100, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
}
