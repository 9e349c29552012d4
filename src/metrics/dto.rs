//! Metrics and their dictionary as the API shows them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::chart::ChartKind;
use super::comparison::CommuneSize;
use super::indicators::{Indicator, IndicatorKind, IndicatorUnit, RecordKind, indicators};
use super::model::MetricGroup;
use super::periods::PeriodUnit;
use super::territories::TerritoryKind;
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
    /// How its cases become its value. Rates, means and medians of a year take three
    /// years together where one has fewer than 5 cases.
    pub kind: IndicatorKind,
    /// The tables that its cases come from.
    #[schema(min_items = 1, example = json!(["commitments", "fulfilments", "initiatives"]))]
    pub sources: Vec<&'static str>,
    /// What its cases are, where `/v1/metrics/{indicator}/records` lists them; null where they are people, initiatives that
    /// may not be public, or measures.
    #[schema(required)]
    pub records: Option<RecordKind>,
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
            sources: indicator.tables(),
            records: indicator.records,
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

/// Which metrics: of some communes, or of one larger territory.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MetricFilter {
    /// INSEE codes, separated by commas.
    #[param(style = Form, explode = false, min_items = 1, max_items = 20, example = json!(["62528", "62498"]))]
    pub communes: Option<Vec<String>>,
    /// SIREN of an intercommunality, in place of communes.
    #[param(pattern = r"^\d{9}$", example = "246200364")]
    pub epci: Option<String>,
    /// Code of a department, in place of communes.
    #[param(pattern = r"^(\d{2,3}|2[AB])$", example = "62")]
    pub department: Option<String>,
    /// Code of a region, in place of communes.
    #[param(pattern = r"^\d{2}$", example = "32")]
    pub region: Option<String>,
    /// All communes of the scheme, in place of communes.
    #[param(pattern = "^FR$", example = "FR")]
    pub country: Option<String>,
    /// First year; the last one where it is not given. At most 12 years.
    #[param(minimum = 1990, maximum = 2100, example = 2024)]
    pub from: Option<i32>,
    /// Last year, the current one at most; the current one where it is not given.
    #[param(minimum = 1990, maximum = 2100, example = 2026)]
    pub to: Option<i32>,
    /// How long a period is: a year where it is not given. Territories × periods: at most 240, with `group_by` 40.
    pub period: Option<PeriodUnit>,
    /// By what to group, besides the whole: indicators whose records are not of one initiative each have the whole only.
    pub group_by: Option<MetricGroup>,
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

/// The value of an indicator in one territory and one period.
#[derive(Serialize, ToSchema)]
pub struct MetricValue {
    /// Which indicator.
    pub indicator: IndicatorCode,
    /// The group, by its code in the list of themes or of kinds of holders; null for the whole.
    #[schema(required, pattern = "^[a-z0-9_]{1,60}$", example = "environment")]
    pub group: Option<String>,
    /// A decimal number, in the indicator's unit: of every indicator alike, so that none loses precision. Null where
    /// there is nothing to divide, or no case in the middle.
    #[schema(required, format = "decimal", example = "0.688")]
    pub value: Option<String>,
    /// Of what is counted: the value for a thousand residents, a decimal number. Null for rates, means and medians, and
    /// where the population is zero or unknown.
    #[schema(required, format = "decimal", example = "1.04")]
    pub per_1000_residents: Option<String>,
    /// Of rates, means and medians: how many cases they rest on; null for the others.
    #[schema(required, minimum = 0, example = 7)]
    pub n: Option<i64>,
    /// The years that a rate, mean or median takes together, where the year alone has fewer than 5 cases; else null.
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

/// The figures of one period.
#[derive(Serialize, ToSchema)]
pub struct PeriodMetrics {
    /// A year, quarter or month; an event counts in the period of its date in Europe/Paris.
    #[schema(pattern = r"^\d{4}(-Q[1-4]|-\d{2})?$", example = "2025")]
    pub code: String,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// How often figures of its year have changed since that year was over; 0 when they never did. The lists of revisions
    /// say what changed.
    #[schema(minimum = 0, example = 0)]
    pub revision: i32,
    /// The values, in the order of the dictionary; of each indicator the whole first, then its groups.
    pub values: Vec<MetricValue>,
    /// What the commune reported by hand for the year, where `measures` is asked for.
    pub measures: Vec<ReportedMeasure>,
}

/// A part of France.
#[derive(Serialize, ToSchema)]
pub struct Territory {
    /// Which kind.
    pub kind: TerritoryKind,
    /// INSEE code, SIREN of an intercommunality, or `FR`.
    #[schema(min_length = 2, max_length = 9, example = "62528")]
    pub code: String,
    /// Name.
    #[schema(max_length = 200, example = "Loos-en-Gohelle")]
    pub name: String,
}

/// The figures of one territory.
#[derive(Serialize, ToSchema)]
pub struct TerritoryMetrics {
    /// Which territory.
    pub territory: Territory,
    /// Residents; of a larger territory, of its communes that have joined the scheme. Null where unknown.
    #[schema(required, minimum = 0, example = 6799)]
    pub population: Option<i64>,
    /// The periods, the first one first.
    #[schema(max_items = 144)]
    pub periods: Vec<PeriodMetrics>,
}

/// Metrics. They describe; they are no ranking.
#[derive(Serialize, ToSchema)]
pub struct MetricReport {
    /// How long a period is.
    pub period: PeriodUnit,
    /// The moment that the figures stand for: now for communes and intercommunalities; within the last minute for larger
    /// territories, whose figures are added up beforehand. Null before they were first added up.
    #[schema(required)]
    pub as_of: Option<DateTime<Utc>>,
    /// The territories, in the order asked for.
    #[schema(max_items = 20)]
    pub territories: Vec<TerritoryMetrics>,
}

/// Which records of an indicator.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RecordFilter {
    /// INSEE code of the commune.
    #[param(min_length = 5, max_length = 5, example = "62528")]
    pub commune: String,
    /// A year (`2026`), quarter (`2026-Q3`) or month (`2026-07`), as `/v1/metrics` writes it. A rate that takes three years
    /// together is explained by the records of each.
    #[param(
        pattern = r"^(199\d|20\d{2}|2100)(-Q[1-4]|-(0[1-9]|1[0-2]))?$",
        example = "2026"
    )]
    pub period: String,
}

/// Which revisions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RevisionFilter {
    /// The year whose figures changed.
    #[param(minimum = 1990, maximum = 2100, example = 2025)]
    pub year: Option<i32>,
}

/// A figure of a year that was over, and has changed since.
#[derive(Serialize, ToSchema)]
pub struct MetricRevision {
    /// INSEE code of the commune.
    #[schema(min_length = 5, max_length = 5, example = "62528")]
    pub commune_code: String,
    /// The year of the figure.
    #[schema(minimum = 1900, maximum = 2101, example = 2025)]
    pub year: i32,
    /// Number of the revision of this commune and year: what was seen at once has the same.
    #[schema(minimum = 1, example = 1)]
    pub revision: i32,
    /// Which indicator.
    pub indicator: IndicatorCode,
    /// The figure before, a decimal number in the indicator's unit; null where there was none.
    #[schema(required, format = "decimal", example = "12")]
    pub before: Option<String>,
    /// The figure after.
    #[schema(required, format = "decimal", example = "13")]
    pub after: Option<String>,
    /// When it was seen, within a minute of the change.
    pub seen_at: DateTime<Utc>,
}

/// A page of revisions, the last one first.
#[derive(Serialize, ToSchema)]
pub struct MetricRevisionPage {
    /// The revisions of this page.
    pub data: Vec<MetricRevision>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What to compare.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ComparisonFilter {
    /// The year; the last one that is over where it is not given.
    #[param(minimum = 1990, maximum = 2100, example = 2025)]
    pub year: Option<i32>,
    /// Indicators, separated by commas; all that are compared where it is not given.
    #[param(style = Form, explode = false, min_items = 1, max_items = 100, example = json!(["initiatives_submitted"]))]
    pub indicators: Option<Vec<IndicatorCode>>,
}

/// An indicator of a commune beside those of communes of similar size.
#[derive(Serialize, ToSchema)]
pub struct Comparison {
    /// Which indicator.
    pub indicator: IndicatorCode,
    /// The commune's value, a decimal number in the indicator's unit; null where there is none.
    #[schema(required, format = "decimal", example = "6")]
    pub value: Option<String>,
    /// Of what is counted: the value for a thousand residents; null for the others. Where it is given, it is compared.
    #[schema(required, format = "decimal", example = "0.88")]
    pub per_1000_residents: Option<String>,
    /// How many communes of that size have a value, this one included.
    #[schema(minimum = 0, example = 12)]
    pub n: i64,
    /// Whether they are fewer than 5: then nothing is said of them.
    pub is_too_few: bool,
    /// A quarter of them have this or less.
    #[schema(required, format = "decimal", example = "0.4")]
    pub first_quartile: Option<String>,
    /// The one in the middle.
    #[schema(required, format = "decimal", example = "0.7")]
    pub median: Option<String>,
    /// Three quarters of them have this or less.
    #[schema(required, format = "decimal", example = "1.1")]
    pub third_quartile: Option<String>,
}

/// A commune beside communes of similar size: no ranking, and no comparison of the residents' share.
#[derive(Serialize, ToSchema)]
pub struct ComparisonReport {
    /// The commune.
    pub territory: Territory,
    /// Residents.
    #[schema(required, minimum = 0, example = 6799)]
    pub population: Option<i32>,
    /// The band of residents that it is in; null where nobody lives there or the population is unknown.
    #[schema(required)]
    pub size: Option<CommuneSize>,
    /// How many communes of that band have joined, this one included.
    #[schema(minimum = 0, example = 12)]
    pub similar_communes: i64,
    /// The year.
    #[schema(minimum = 1990, maximum = 2100, example = 2025)]
    pub year: i32,
    /// The moment that the figures stand for, within the last minute. Null before they were first added up.
    #[schema(required)]
    pub as_of: Option<DateTime<Utc>>,
    /// The indicators, in the order of the dictionary.
    pub data: Vec<Comparison>,
}

/// Which picture.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChartFilter {
    /// What it shows.
    pub chart: Option<ChartKind>,
    /// First year; five years before the last one where it is not given. At most 12 years.
    #[param(minimum = 1990, maximum = 2100, example = 2021)]
    pub from: Option<i32>,
    /// Last year, the current one at most; the current one where it is not given.
    #[param(minimum = 1990, maximum = 2100, example = 2026)]
    pub to: Option<i32>,
}

/// One case behind a figure.
#[derive(Clone, Serialize, ToSchema)]
pub struct MetricRecord {
    /// What it is.
    pub kind: RecordKind,
    /// Its identifier.
    pub id: Uuid,
    /// Where the API shows it.
    #[schema(
        pattern = "^/v1/",
        max_length = 200,
        example = "/v1/initiatives/019ecab9-4500-826d-8c20-080c0a083fc8"
    )]
    pub path: String,
    /// The day on which it counts.
    pub day: NaiveDate,
    /// Under which part of the figure it counts, where that has parts.
    #[schema(required, pattern = "^[a-z0-9_]{1,60}$", example = "commune")]
    pub part: Option<String>,
    /// What it adds to the figure, or what the median is taken of: a decimal number in the indicator's unit.
    #[schema(format = "decimal", example = "120000")]
    pub value: String,
    /// Of rates and means: what it adds to what is divided by.
    #[schema(required, format = "decimal", example = "180000")]
    pub base: Option<String>,
}

/// A page of the records behind a figure, by day.
#[derive(Serialize, ToSchema)]
pub struct MetricRecordPage {
    /// The records of this page.
    pub data: Vec<MetricRecord>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
