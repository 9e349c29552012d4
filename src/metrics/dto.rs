//! Metrics and their dictionary as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::indicators::{Indicator, IndicatorKind, IndicatorUnit, indicators};
use crate::initiatives::dto::CommuneSummary;
use crate::reference::dto::Labels;

/// An indicator by its code: one of the table.
#[derive(Clone, Copy)]
pub struct IndicatorCode(pub &'static Indicator);

impl Serialize for IndicatorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code)
    }
}

impl<'de> Deserialize<'de> for IndicatorCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        indicators()
            .find(|indicator| indicator.code == code)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("no indicator has this code"))
    }
}

impl utoipa::PartialSchema for IndicatorCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(indicators().map(|indicator| indicator.code)))
            .description(Some(
                "Code of an indicator; `/v1/metrics/dictionary` defines it.",
            ))
            .into()
    }
}

impl ToSchema for IndicatorCode {
    fn name() -> std::borrow::Cow<'static, str> {
        "IndicatorCode".into()
    }
}

/// What an indicator means.
#[derive(Serialize, ToSchema)]
pub struct IndicatorDefinition {
    /// Code.
    #[schema(example = "fulfilment_rate")]
    pub code: IndicatorCode,
    /// Name.
    pub label: Labels,
    /// What it says.
    pub definition: Labels,
    /// What is counted, and in which year.
    pub inclusion: Labels,
    /// How it is computed.
    pub formula: Labels,
    /// What it counts in.
    pub unit: IndicatorUnit,
    /// How its cases become its value. Rates and medians take three years together where one has fewer than 5 cases.
    pub kind: IndicatorKind,
    /// The closed list in `/v1/reference` by which its value is broken down in `parts`; null where it is not.
    #[schema(required, pattern = "^[a-z0-9_]{1,60}$", example = "sides")]
    pub breakdown: Option<&'static str>,
}

impl From<&'static Indicator> for IndicatorDefinition {
    fn from(indicator: &'static Indicator) -> Self {
        Self {
            code: IndicatorCode(indicator),
            label: Labels::from(&indicator.label),
            definition: Labels::from(&indicator.definition),
            inclusion: Labels::from(&indicator.inclusion),
            formula: Labels::from(&indicator.formula),
            unit: indicator.unit,
            kind: indicator.kind,
            breakdown: indicator.breakdown,
        }
    }
}

/// All indicators.
#[derive(Serialize, ToSchema)]
pub struct MetricDictionary {
    /// The indicators.
    pub data: Vec<IndicatorDefinition>,
}

/// Which metrics.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MetricFilter {
    /// INSEE codes, separated by commas.
    #[param(style = Form, explode = false, min_items = 1, max_items = 20, example = json!(["62528", "62498"]))]
    pub communes: Vec<String>,
    /// First year; the last one where it is not given. At most 12 years.
    #[param(minimum = 1990, maximum = 2100, example = 2024)]
    pub from: Option<i32>,
    /// Last year, the current one at most; the current one where it is not given.
    #[param(minimum = 1990, maximum = 2100, example = 2026)]
    pub to: Option<i32>,
    /// Indicators, separated by commas; all where it is not given.
    #[param(style = Form, explode = false, min_items = 1, max_items = 100, example = json!(["initiatives_submitted"]))]
    pub indicators: Option<Vec<IndicatorCode>>,
}

/// A part of a value.
#[derive(Serialize, ToSchema)]
pub struct MetricPart {
    /// Code in the list that the dictionary names.
    #[schema(pattern = "^[a-z0-9_]{1,60}$", example = "commune")]
    pub code: String,
    /// A decimal number, in the indicator's unit.
    #[schema(format = "decimal", example = "3000000")]
    pub value: String,
}

/// The value of an indicator in one commune and one year.
#[derive(Serialize, ToSchema)]
pub struct MetricValue {
    /// Which indicator.
    pub indicator: IndicatorCode,
    /// A decimal number, in the indicator's unit: of every indicator alike, so that none loses precision. Null where
    /// there is nothing to divide, or no case in the middle.
    #[schema(required, format = "decimal", example = "0.688")]
    pub value: Option<String>,
    /// Of rates and medians: how many cases they rest on; null for the others.
    #[schema(required, minimum = 0, example = 7)]
    pub n: Option<i64>,
    /// The years that a rate or median takes together, where the year alone has fewer than 5 cases; else null.
    #[schema(required, min_items = 3, max_items = 3, example = json!([2024, 2025, 2026]))]
    pub pooled_years: Option<Vec<i32>>,
    /// What the value is made of, for indicators with a breakdown; parts of nothing are left out.
    pub parts: Vec<MetricPart>,
}

/// A measure that the commune reported by hand.
#[derive(Serialize, ToSchema)]
pub struct ReportedMeasure {
    /// What was measured.
    #[schema(example = "number_of_associations")]
    pub indicator: String,
    /// The value, a decimal number.
    #[schema(format = "decimal", example = "73")]
    pub value: String,
    /// Of what.
    #[schema(example = "associations")]
    pub unit: String,
    /// Where it comes from.
    #[schema(example = "Annuaire municipal des associations, décembre 2024")]
    pub source: String,
}

/// The figures of one year.
#[derive(Serialize, ToSchema)]
pub struct YearMetrics {
    /// Year; an event counts in the year of its date in Europe/Paris.
    #[schema(minimum = 1990, maximum = 2100, example = 2025)]
    pub year: i32,
    /// The values, in the order of the dictionary.
    pub values: Vec<MetricValue>,
    /// What the commune reported by hand, where `measures` is asked for.
    pub measures: Vec<ReportedMeasure>,
}

/// The figures of one commune.
#[derive(Serialize, ToSchema)]
pub struct CommuneMetrics {
    /// Which commune.
    pub commune: CommuneSummary,
    /// Residents; null where unknown.
    #[schema(required, minimum = 0, example = 6799)]
    pub population: Option<i32>,
    /// The years, the first one first.
    #[schema(max_items = 12)]
    pub years: Vec<YearMetrics>,
}

/// Metrics. They describe; they are no ranking.
#[derive(Serialize, ToSchema)]
pub struct MetricReport {
    /// The communes, in the order asked for.
    #[schema(max_items = 20)]
    pub communes: Vec<CommuneMetrics>,
}
