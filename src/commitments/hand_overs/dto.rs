//! Hand-overs of an upkeep as the API shows and takes them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::commitments::lifecycle::{HandOverAction, HandOverState};
use crate::holders::dto::HolderSummary;
use crate::ids::{CommitmentId, HandOverId, HolderId};

/// An upkeep to hand over.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"holder_id": "019b1f2e-7c00-8d24-8f04-6b1f4a3c9d10", "starts_on": "2027-01-01",
    "reason": "L'association des jardins prend la suite."}))]
pub struct NewUpkeepHandOver {
    /// Who is to take it over: another holder of the commune.
    pub holder_id: HolderId,
    /// From which day: today or later, within the upkeep.
    pub starts_on: NaiveDate,
    /// Why.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
}

/// An upkeep that another holder takes over, or was asked to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UpkeepHandOver {
    /// Identifier.
    pub id: HandOverId,
    /// The upkeep.
    pub commitment_id: CommitmentId,
    /// Who is to take it over.
    pub holder: HolderSummary,
    /// From which day that holder owes it, once it is accepted.
    pub starts_on: NaiveDate,
    /// Why, for those whom it concerns.
    #[schema(required)]
    pub reason: Option<String>,
    /// Offered by an agent for a resident.
    pub on_behalf: bool,
    /// When it was offered.
    pub offered_at: DateTime<Utc>,
    /// Where it stands.
    pub state: HandOverState,
    /// When it was accepted, refused or withdrawn.
    #[schema(required)]
    pub answered_at: Option<DateTime<Utc>>,
    /// Why it was refused, for those whom it concerns.
    #[schema(required)]
    pub answer_reason: Option<String>,
    /// What the caller may do now.
    pub allowed_actions: Vec<HandOverAction>,
}

/// All hand-overs of an upkeep, the oldest first.
#[derive(Serialize, ToSchema)]
pub struct UpkeepHandOverList {
    /// The hand-overs.
    pub data: Vec<UpkeepHandOver>,
}
