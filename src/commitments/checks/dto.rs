//! Occurrences and checks of an upkeep as the API shows and takes them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use crate::codes::codes;

codes! {
    /// What somebody saw who looked after an upkeep.
    pub enum CheckOutcome "check_outcomes" {
        Done = "done", "Fait", "Done";
        NotDone = "not_done", "Pas fait", "Not done";
    }

    /// What is known of one occurrence of an upkeep.
    pub enum OccurrenceState "occurrence_states" {
        ToCome = "to_come", "À venir", "To come";
        PresumedDone = "presumed_done", "Présumé fait", "Presumed done";
        Done = "done", "Fait", "Done";
        NotDone = "not_done", "Pas fait", "Not done";
    }
}

/// One day on which an upkeep is due.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Occurrence {
    /// The day.
    pub occurs_on: NaiveDate,
    /// What is known of it; what nobody has reported is presumed done.
    pub state: OccurrenceState,
    /// What was noted, for those who work on it together.
    #[schema(required)]
    pub remark: Option<String>,
    /// When somebody looked.
    #[schema(required)]
    pub checked_at: Option<DateTime<Utc>>,
}

/// The occurrences of a period, in order.
#[derive(Serialize, ToSchema)]
pub struct OccurrenceList {
    /// The occurrences.
    #[schema(max_items = 262)]
    pub data: Vec<Occurrence>,
}

/// Which occurrences to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OccurrenceFilter {
    /// From this day on; from the first day of the upkeep when it is not said.
    #[param(example = "2026-06-01")]
    pub from: Option<NaiveDate>,
    /// Until this day, at most five years after the first one; five years when it is not said.
    #[param(example = "2026-12-31")]
    pub to: Option<NaiveDate>,
}

/// What somebody saw who looked.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = says_what_is_missing))]
#[schema(example = json!({"occurs_on": "2026-06-15", "outcome": "not_done", "remark": "Deux jardinières sont sèches."}))]
pub struct NewCheck {
    /// Which occurrence: its day, today or earlier.
    pub occurs_on: NaiveDate,
    /// What was seen.
    pub outcome: CheckOutcome,
    /// What there is to say; needed when it is not done. No names of people.
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub remark: Option<String>,
}

fn says_what_is_missing(new: &NewCheck) -> Result<(), ValidationError> {
    if new.outcome == CheckOutcome::NotDone && new.remark.is_none() {
        return Err(ValidationError::new("remark")
            .with_message("Dites ce qui n'est pas fait. | Say what is not done.".into()));
    }
    Ok(())
}
