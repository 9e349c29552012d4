//! Exports as the API shows them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::columns::{Column, Table};
use crate::ids::{InitiativeId, PracticeId};
use crate::initiatives::dto::InitiativeSummary;
use crate::practices::dto::Practice;
use crate::reference::dto::Labels;

/// The licence of everything that is exported: Licence Ouverte 2.0 of Etalab.
pub const LICENCE: &str = "https://www.etalab.gouv.fr/licence-ouverte-open-licence/";

/// Suffix of a list: which kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TableFormat {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// An item of the list on each line.
    Ndjson,
}

/// Suffix of a list that has places: which kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MapFormat {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// An item of the list on each line.
    Ndjson,
    /// A map (RFC 7946).
    Geojson,
}

impl From<TableFormat> for MapFormat {
    fn from(format: TableFormat) -> Self {
        match format {
            TableFormat::Csv => Self::Csv,
            TableFormat::Ndjson => Self::Ndjson,
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Any text. One that a spreadsheet would take for a formula has an apostrophe before it.
    Text,
    /// An identifier: not a number, even where it has only digits.
    Identifier,
    /// A code of a closed list, or an official one.
    Code,
    /// The French label of a code.
    Label,
    Integer,
    /// With a point.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// A day: `2026-06-15`.
    Date,
    /// An instant in UTC: `2026-06-15T10:00:00Z`.
    Timestamp,
    /// Values with semicolons between them.
    List,
}

/// A column of an export.
#[derive(Serialize, ToSchema)]
pub struct ExportColumn {
    /// Its name in the first line of CSV.
    #[schema(pattern = "^[a-z0-9_]{1,60}$", example = "held_on")]
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// JSON pointer of the same value in a line of NDJSON.
    #[schema(pattern = "^(/[a-z_]{1,60}){1,4}$", example = "/held_on")]
    pub pointer: String,
    /// What it means.
    pub meaning: Labels,
}

impl From<&Column> for ExportColumn {
    fn from(column: &Column) -> Self {
        Self {
            name: column.name.to_owned(),
            kind: column.kind,
            pointer: column.at.to_owned(),
            meaning: Labels::from(column.meaning),
        }
    }
}

/// A public list as files, with the meaning of its columns.
#[derive(Serialize, ToSchema)]
pub struct Export {
    /// Its name.
    #[schema(pattern = "^[a-z_]{1,60}$", example = "meetings")]
    pub name: String,
    /// What it is.
    pub title: Labels,
    /// Where the list is: a suffix more gives the file.
    #[schema(
        pattern = "^/v1/[a-z_/{}]{1,80}$",
        example = "/v1/communes/{code}/meetings"
    )]
    pub path: String,
    /// The suffixes.
    #[schema(max_items = 3)]
    pub formats: Vec<MapFormat>,
    /// The licence.
    #[schema(
        max_length = 200,
        example = "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"
    )]
    pub licence: String,
    /// The columns of CSV, in their order.
    #[schema(max_items = 60)]
    pub columns: Vec<ExportColumn>,
}

impl From<&Table> for Export {
    fn from(table: &Table) -> Self {
        let mut formats = vec![MapFormat::Csv, MapFormat::Ndjson];
        formats.extend(table.place.map(|_| MapFormat::Geojson));
        Self {
            name: table.name.to_owned(),
            title: Labels::from(table.title),
            path: table.path.to_owned(),
            formats,
            licence: LICENCE.to_owned(),
            columns: table.columns.iter().map(ExportColumn::from).collect(),
        }
    }
}

/// All exports.
#[derive(Serialize, ToSchema)]
pub struct Exports {
    /// The exports.
    #[schema(max_items = 60)]
    pub data: Vec<Export>,
}

/// Initiatives on the map (RFC 7946).
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is streamed, piece by piece")]
pub struct InitiativeMap {
    /// `FeatureCollection`.
    #[schema(pattern = "^FeatureCollection$")]
    r#type: String,
    /// The initiatives.
    features: Vec<InitiativeFeature>,
}

/// An initiative on the map.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is streamed, piece by piece")]
pub struct InitiativeFeature {
    /// `Feature`.
    #[schema(pattern = "^Feature$")]
    r#type: String,
    /// Identifier.
    id: InitiativeId,
    /// Its place; null where it is not known.
    #[schema(required)]
    geometry: Option<Point>,
    /// The item of the list.
    #[schema(value_type = InitiativeSummary)]
    properties: Value,
}

/// Practice sheets on the map (RFC 7946).
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is streamed, piece by piece")]
pub struct PracticeMap {
    /// `FeatureCollection`.
    #[schema(pattern = "^FeatureCollection$")]
    r#type: String,
    /// The sheets.
    features: Vec<PracticeFeature>,
}

/// A practice sheet on the map.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is streamed, piece by piece")]
pub struct PracticeFeature {
    /// `Feature`.
    #[schema(pattern = "^Feature$")]
    r#type: String,
    /// Identifier.
    id: PracticeId,
    /// Its place; null where it is not known.
    #[schema(required)]
    geometry: Option<Point>,
    /// The item of the list.
    #[schema(value_type = Practice)]
    properties: Value,
}

/// A place on the map.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what is streamed, piece by piece")]
pub struct Point {
    /// `Point`.
    #[schema(pattern = "^Point$")]
    r#type: String,
    /// Longitude and latitude in degrees (WGS 84).
    #[schema(min_items = 2, max_items = 2, example = json!([2.79, 50.45]))]
    coordinates: Vec<f64>,
}
