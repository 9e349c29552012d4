//! Items of a list as bytes of a file.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::columns::{Column, Table};
use super::dto::{ColumnType, MapFormat};
use crate::http::error::ApiError;

impl MapFormat {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; header=present; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Geojson => "application/geo+json",
        }
    }

    /// What comes before the first item.
    pub fn beginning(self, table: &Table) -> Result<Vec<u8>, ApiError> {
        match self {
            Self::Csv => record(table.columns.iter().map(|column| Cow::from(column.name))),
            Self::Ndjson => Ok(Vec::new()),
            Self::Geojson => Ok(b"{\"type\":\"FeatureCollection\",\"features\":[".to_vec()),
        }
    }

    /// What comes after the last item.
    pub const fn end(self) -> &'static str {
        match self {
            Self::Csv | Self::Ndjson => "",
            Self::Geojson => "\n]}\n",
        }
    }

    /// An item; `is_first` tells whether another came before it.
    pub fn item(self, table: &Table, item: &Value, is_first: bool) -> Result<Vec<u8>, ApiError> {
        match self {
            Self::Csv => record(table.columns.iter().map(|column| cell(column, item))),
            Self::Ndjson => Ok(format!("{item}\n").into_bytes()),
            Self::Geojson => {
                let comma = if is_first { "\n" } else { ",\n" };
                Ok(format!("{comma}{}", feature(table, item)).into_bytes())
            }
        }
    }
}

/// A line of CSV (RFC 4180).
pub fn record<'a>(cells: impl Iterator<Item = Cow<'a, str>>) -> Result<Vec<u8>, ApiError> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer
        .write_record(cells.map(|cell| cell.into_owned().into_bytes()))
        .map_err(ApiError::internal)?;
    writer.into_inner().map_err(ApiError::internal)
}

/// Spreadsheets run what begins like a formula; an apostrophe makes a text of it.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::from(format!("'{text}"))
    } else {
        Cow::from(text)
    }
}

fn cell<'a>(column: &Column, item: &'a Value) -> Cow<'a, str> {
    match item.pointer(column.at) {
        None | Some(Value::Null) => Cow::from(""),
        Some(Value::String(text)) => match (&column.labels, column.kind) {
            (Some(list), _) => Cow::from(list.labels(text).map_or("", |(french, _)| french)),
            (None, ColumnType::Decimal) => Cow::from(text),
            (None, _) => harmless(text),
        },
        Some(Value::Array(items)) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Cow::from(harmless(&items.join(";")).into_owned())
        }
        Some(value) => Cow::from(value.to_string()),
    }
}

/// An item on the map. One whose place is not known has none, and is there all the same.
fn feature(table: &Table, item: &Value) -> Value {
    let place = table.place.and_then(|place| item.pointer(place));
    let geometry = place.filter(|place| !place.is_null()).map(
        |place| json!({"type": "Point", "coordinates": [place["longitude"], place["latitude"]]}),
    );
    json!({"type": "Feature", "id": item["id"], "geometry": geometry, "properties": item})
}
