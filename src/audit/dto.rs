//! The history as the API shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Subject;
use crate::auth::policy::Role;
use crate::ids::EventId;
use crate::mandates::dto::PersonSummary;

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub struct HistoryEntry {
    /// Identifier.
    pub id: EventId,
    /// What it is about.
    pub subject: Subject,
    /// Identifier of what it is about.
    pub subject_id: Uuid,
    /// What was done.
    #[schema(example = "accept")]
    pub action: String,
    /// The state before; null where no state changed.
    #[schema(required, example = "in_review")]
    pub from_state: Option<String>,
    /// The state after; null where no state changed.
    #[schema(required, example = "accepted")]
    pub to_state: Option<String>,
    /// Why, where a reason was given.
    #[schema(required)]
    pub reason: Option<String>,
    /// The quality in which it was done.
    pub actor_role: Role,
    /// Who did it: for the holder and the town hall only.
    #[schema(required)]
    pub actor: Option<PersonSummary>,
    /// Done by an agent for a resident.
    pub on_behalf: bool,
    /// When.
    pub at: DateTime<Utc>,
}

/// A page of the history, oldest first.
#[derive(Serialize, ToSchema)]
pub struct HistoryPage {
    /// The entries of this page.
    pub data: Vec<HistoryEntry>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
