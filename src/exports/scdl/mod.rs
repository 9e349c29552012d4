//! What the national schemas of open data (SCDL) ask of a commune: its subsidies and its deliberations, column by column as
//! `data/scdl/` says. A row that a schema cannot take is left out of the file and listed with the reason.

pub mod deliberations;
pub mod dto;
pub mod routes;
pub mod subventions;

use std::borrow::Cow;

use super::format::{harmless, record};
use crate::http::error::ApiError;
use dto::{LeftOut, ScdlObstacle, ScdlSchema};

/// What goes into the file, and what cannot.
#[derive(Default)]
pub struct Sheet {
    /// Cells in the order of the schema's columns.
    pub rows: Vec<Vec<String>>,
    pub left_out: Vec<LeftOut>,
}

impl Sheet {
    /// The file: CSV with the columns' names first.
    pub fn csv(&self, columns: &[&str]) -> Result<Vec<u8>, ApiError> {
        let mut bytes = record(columns.iter().map(|name| Cow::from(*name)))?;
        for row in &self.rows {
            bytes.extend(record(row.iter().map(|cell| Cow::from(cell.as_str())))?);
        }
        Ok(bytes)
    }

    /// A row if nothing is in its way.
    fn add(
        &mut self,
        schema: ScdlSchema,
        (id, day): (uuid::Uuid, chrono::NaiveDate),
        obstacles: Vec<ScdlObstacle>,
        row: impl FnOnce() -> Vec<String>,
    ) {
        if obstacles.is_empty() {
            self.rows.push(row());
        } else {
            self.left_out.push(LeftOut {
                schema,
                id,
                day,
                obstacles,
            });
        }
    }
}

/// A text of at most so many characters that no spreadsheet runs.
fn text(text: &str, most: usize) -> String {
    let text = harmless(text);
    if text.chars().count() <= most {
        return text.into_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}

/// A number, or nothing.
fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn the_columns_are_those_of_the_schemas() {
        for (schema, columns) in [
            (
                include_str!("../../../data/scdl/subventions-2.1.1.json"),
                super::subventions::COLUMNS,
            ),
            (
                include_str!("../../../data/scdl/deliberations-2.1.5.json"),
                super::deliberations::COLUMNS,
            ),
        ] {
            let schema: Value = serde_json::from_str(schema).unwrap();
            let fields: Vec<&str> = schema["fields"]
                .as_array()
                .unwrap()
                .iter()
                .map(|field| field["name"].as_str().unwrap())
                .collect();
            assert_eq!(fields, columns);
        }
    }
}
