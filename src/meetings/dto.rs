//! Public meetings as the API shows and takes them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::http::extract::absent_or_null;
use crate::ids::{InitiativeId, MeetingId};
use crate::initiatives::dto::CommuneSummary;

/// The initiative that a meeting was about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeetingInitiative {
    /// Identifier.
    pub id: InitiativeId,
    /// Title.
    #[schema(example = "Réfection des chemins agricoles")]
    pub title: String,
}

/// A public meeting.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Meeting {
    /// Identifier.
    pub id: MeetingId,
    /// Where it was held.
    pub commune: CommuneSummary,
    /// What it was about, if it was about one initiative.
    #[schema(required)]
    pub initiative: Option<MeetingInitiative>,
    /// Title.
    #[schema(example = "Réunion publique sur les chemins agricoles")]
    pub title: String,
    /// Place in words.
    #[schema(required, example = "Salle des fêtes")]
    pub place: Option<String>,
    /// Day; of a meeting that is announced, one to come.
    pub held_on: NaiveDate,
    /// Entries, not people: who comes to two meetings counts twice. Null when nobody counted.
    #[schema(required, minimum = 0, example = 45)]
    pub attendance: Option<i32>,
    /// The name that a partner's system gives it; null where none does.
    #[schema(required, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
    /// When it was recorded here.
    pub created_at: DateTime<Utc>,
}

/// A page of meetings, the latest first.
#[derive(Serialize, ToSchema)]
pub struct MeetingPage {
    /// The meetings of this page.
    pub data: Vec<Meeting>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A meeting to record.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Réunion publique sur les chemins agricoles", "place": "Salle des fêtes",
    "held_on": "2026-03-12", "attendance": 45}))]
pub struct NewMeeting {
    /// The initiative that it was about.
    #[schema(nullable = false)]
    pub initiative_id: Option<InitiativeId>,
    /// Title. Public, so no names of people.
    #[schema(min_length = 3, max_length = 200)]
    pub title: String,
    /// Place in words.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub place: Option<String>,
    /// Day: in the past, or of a meeting to come at most a year ahead.
    pub held_on: NaiveDate,
    /// Entries, not people; once it was held.
    #[schema(minimum = 0, maximum = 1000000, nullable = false)]
    pub attendance: Option<i32>,
}

/// Changes to a meeting; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, Validate, diesel::query_builder::AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = crate::db::schema::meetings)]
#[schema(min_properties = 1, example = json!({"attendance": 52}))]
pub struct MeetingPatch {
    /// The initiative that it was about.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<InitiativeId>)]
    pub initiative_id: Option<Option<InitiativeId>>,
    /// Title.
    #[schema(min_length = 3, max_length = 200, nullable = false)]
    pub title: Option<String>,
    /// Place in words.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub place: Option<Option<String>>,
    /// Day: in the past, or of a meeting to come at most a year ahead.
    #[schema(nullable = false)]
    pub held_on: Option<NaiveDate>,
    /// Entries, not people.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 1000000)]
    pub attendance: Option<Option<i32>>,
}

/// Which meetings to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MeetingFilter {
    /// Year.
    #[param(minimum = 1900, maximum = 2100, example = 2026)]
    pub year: Option<i32>,
    /// Initiative.
    pub initiative: Option<InitiativeId>,
    /// The name that a partner's system gives it.
    #[param(min_length = 1, max_length = 100, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
}
