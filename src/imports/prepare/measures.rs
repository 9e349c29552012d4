//! Measures.

use serde_json::json;

use super::{Follow, Ready, Scope, row};
use crate::http::error::ApiError;
use crate::ids::MeasureId;
use crate::imports::dto::MeasureExtra;
use crate::imports::merge::Table;
use crate::measures::dto::NewMeasure;

static TABLE: Table = Table {
    name: "measures",
    fixed: &["recorded_by"],
    changing: &[&["indicator", "year", "value", "unit", "source"]],
    kept: &[],
    derive: None,
    blocked: "NULL",
};

pub fn prepare(scope: &Scope<'_>, new: NewMeasure, extra: MeasureExtra) -> Result<Ready, ApiError> {
    let id = MeasureId::new(&scope.commune.code, scope.now)?.0;
    let values = json!({
        "indicator": extra.indicator,
        "year": extra.year,
        "value": new.value,
        "unit": new.unit,
        "source": new.source,
        "recorded_by": scope.me,
    });
    Ok(Ready {
        row: row(id, scope, &extra.external_id, values),
        table: &TABLE,
        follow: Follow::Nothing,
    })
}
