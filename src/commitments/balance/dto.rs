//! Balances as the API shows them.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::commitments::dto::{CommitmentKind, Side};
use crate::ids::{CommitmentId, InitiativeId};

/// What one side promised and delivered of one kind.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct KindBalance {
    /// What.
    pub kind: CommitmentKind,
    /// Promised, in euro cents.
    #[schema(minimum = 0)]
    pub promised_cents: i64,
    /// Delivered and acknowledged, in euro cents.
    #[schema(minimum = 0)]
    pub delivered_cents: i64,
}

/// What one side promised and delivered.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct SideBalance {
    /// Promised, in euro cents: what is proposed, accepted, binding or done; not what was declined or withdrawn.
    #[schema(minimum = 0)]
    pub promised_cents: i64,
    /// Delivered and acknowledged, in euro cents.
    #[schema(minimum = 0)]
    pub delivered_cents: i64,
    /// The same by kind; kinds of which there is nothing are left out.
    #[schema(max_items = 6)]
    pub kinds: Vec<KindBalance>,
}

/// Something that is due.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DueCommitment {
    /// The commitment.
    pub commitment_id: CommitmentId,
    /// The initiative that it serves.
    pub initiative_id: InitiativeId,
    /// Who owes.
    pub side: Side,
    /// In a few words.
    pub title: String,
    /// By when.
    pub due_on: NaiveDate,
    /// Whether that has passed and it is not done.
    pub is_late: bool,
}

/// What each side gives: "fifty/fifty" as a number, never a target. All of it follows from the commitments as the same
/// reader sees them.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Balance {
    /// The commune.
    pub commune: SideBalance,
    /// The holder.
    pub holder: SideBalance,
    /// The host organisation.
    pub host: SideBalance,
    /// Third parties.
    pub third_party: SideBalance,
    /// Promised by all, in euro cents.
    #[schema(minimum = 0)]
    pub promised_cents: i64,
    /// Delivered by all and acknowledged, in euro cents.
    #[schema(minimum = 0)]
    pub delivered_cents: i64,
    /// Delivered by holder, host organisation and third parties, of what all have delivered: a decimal number rounded
    /// to four places, as in the metrics; null while nothing is delivered.
    #[schema(
        required,
        format = "decimal",
        pattern = r"^(0(\.[0-9]{1,4})?|1)$",
        example = "0.5"
    )]
    pub residents_share: Option<String>,
    /// Delivered of promised, each commitment counted up to its value, between 0 and 1: a decimal number cut to two
    /// places; null when nothing of value is promised.
    #[schema(
        required,
        format = "decimal",
        pattern = r"^(0\.[0-9]{2}|1\.00)$",
        example = "0.50"
    )]
    pub progress: Option<String>,
    /// How many commitments are late.
    #[schema(minimum = 0)]
    pub late_count: i64,
    /// The first twenty things that are due, what is late before all else.
    #[schema(max_items = 20)]
    pub due: Vec<DueCommitment>,
}
