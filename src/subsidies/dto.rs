//! Subsidies as the API shows them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::codes::codes;
use crate::holders::dto::HolderSummary;
use crate::http::extract::absent_or_null;

codes! {
    /// What the law asks for once somebody has received a subsidy.
    pub enum SubsidyDuty "subsidy_duties" {
        Publication = "publication", "Publier les données essentielles de la convention", "Publish the essential data of the convention";
        Report = "report", "Recevoir le compte rendu financier", "Receive the financial report";
    }
}

codes! {
    /// A drawer of the list of subsidies.
    pub enum SubsidyInbox "subsidy_inboxes" {
        ToDo = "to_do", "À faire", "To do";
        Late = "late", "En retard", "Late";
    }
}

/// What a body receives from a commune in a calendar year. Amounts are in euro cents.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Subsidy {
    /// INSEE code of the commune.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// Who receives: the host organisation where it receives for a holder. Establishments with one SIREN are one body.
    pub holder: HolderSummary,
    /// SIREN of the body.
    #[schema(required, example = "732829320")]
    pub siren: Option<String>,
    /// Calendar year.
    #[schema(minimum = 0, maximum = 9999, example = 2026)]
    pub year: i32,
    /// Money paid in the year, whatever the budget.
    #[schema(minimum = 0, example = 1500000)]
    pub paid_cents: i64,
    /// Money promised on the budget of the year and not paid yet, as long as the convention is in force.
    #[schema(minimum = 0, example = 500000)]
    pub owed_cents: i64,
    /// Help in kind: what was delivered in the year and what is due in it; upkeep by the commune counts day by day.
    #[schema(minimum = 0, example = 400000)]
    pub in_kind_cents: i64,
    /// All of it.
    #[schema(minimum = 0, example = 2400000)]
    pub total_cents: i64,
    /// The most that was given within twelve months which end in this year, today at the latest.
    #[schema(minimum = 0, example = 1900000)]
    pub twelve_months_cents: i64,
    /// 23,000 EUR (article 10 of the law 2000-321 of 12 April 2000, article 1 of the decree 2001-495 of 6 June 2001).
    #[schema(minimum = 0, example = 2300000)]
    pub threshold_cents: i64,
    /// Whether the total is above it: a convention is mandatory before payment, and its essential data are published.
    pub over_threshold: bool,
    /// Whether twelve months in a row are above it although neither this year nor the one before is.
    pub warning: bool,
    /// Three months after the signature with which the year went above the threshold.
    #[schema(required)]
    pub publication_due_on: Option<NaiveDate>,
    /// Day on which the essential data were published.
    #[schema(required)]
    pub published_on: Option<NaiveDate>,
    /// Six months after the end of a year in which money was paid.
    #[schema(required)]
    pub report_due_on: Option<NaiveDate>,
    /// Day on which the financial report came in.
    #[schema(required)]
    pub report_received_on: Option<NaiveDate>,
    /// What is to be done now.
    pub to_do: Vec<SubsidyDuty>,
    /// What of it is late.
    pub late: Vec<SubsidyDuty>,
}

/// A page of subsidies, the latest year first.
#[derive(Serialize, ToSchema)]
pub struct SubsidyPage {
    /// The subsidies of this page.
    pub data: Vec<Subsidy>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What was done about a subsidy; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"published_on": "2026-06-12"}))]
pub struct SubsidyPatch {
    /// Day on which the essential data were published, not in the future.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub published_on: Option<Option<NaiveDate>>,
    /// Day on which the financial report came in: not in the future, and not before the year.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub report_received_on: Option<Option<NaiveDate>>,
}

/// Which subsidies to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SubsidyFilter {
    /// Calendar year.
    #[param(minimum = 1900, maximum = 2100, example = 2026)]
    pub year: Option<i32>,
    /// Above the threshold, or not.
    pub over_threshold: Option<bool>,
    /// What is to be published or reported, or is late with it.
    pub inbox: Option<SubsidyInbox>,
}
