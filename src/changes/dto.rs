//! Changes as the API shows them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::codes;
use crate::commitments::dto::Commitment;
use crate::commitments::fulfilments::dto::Fulfilment;
use crate::conventions::dto::ConventionSummary;
use crate::evaluations::dto::Evaluation;
use crate::holders::dto::Holder;
use crate::initiatives::dto::Initiative;
use crate::measures::dto::Measure;
use crate::meetings::dto::Meeting;
use crate::practices::dto::Practice;

codes! {
    /// What a change is about.
    pub enum ChangeKind "change_kinds" {
        Initiative = "initiative", "Initiative", "Initiative";
        Convention = "convention", "Convention", "Convention";
        Commitment = "commitment", "Engagement", "Commitment";
        Fulfilment = "fulfilment", "Réalisation", "Fulfilment";
        Evaluation = "evaluation", "Bilan", "Evaluation";
        Meeting = "meeting", "Réunion publique", "Public meeting";
        Measure = "measure", "Mesure", "Measure";
        Holder = "holder", "Porteur", "Holder";
        Practice = "practice", "Fiche de bonne pratique", "Practice sheet";
    }

    /// What a change did to what everybody may read.
    pub enum ChangeType "change_types" {
        Created = "created", "Devenu public", "Became public";
        Updated = "updated", "Modifié", "Updated";
        Removed = "removed", "N'est plus public", "Is no longer public";
    }
}

/// What changed, as everybody may read it now: initiatives, commitments, fulfilments, evaluations, meetings, measures,
/// holders and practice sheets whole, conventions as in their list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum PublicResource {
    Initiative(Box<Initiative>),
    Convention(Box<ConventionSummary>),
    Commitment(Box<Commitment>),
    Fulfilment(Box<Fulfilment>),
    Evaluation(Box<Evaluation>),
    Meeting(Box<Meeting>),
    Measure(Box<Measure>),
    Holder(Box<Holder>),
    Practice(Box<Practice>),
}

/// A change of something that everybody may read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FeedEntry {
    /// Its place in the feed: `after` takes it to go on behind it.
    #[schema(min_length = 1, max_length = 2000)]
    pub cursor: String,
    /// What changed.
    pub kind: ChangeKind,
    /// Identifier of what changed.
    pub id: Uuid,
    /// INSEE code.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// What happened to it.
    pub change: ChangeType,
    /// When it was written down, by the clock of the machine.
    pub at: DateTime<Utc>,
    /// What it says now, which may be newer than the change; null when it is no longer public.
    #[schema(required)]
    pub resource: Option<PublicResource>,
}

/// A page of the feed, the oldest change first.
#[derive(Serialize, ToSchema)]
pub struct ChangePage {
    /// The changes of this page; none where all of them are of what is no longer public and was not before.
    pub data: Vec<FeedEntry>,
    /// Whether another page follows at once.
    pub has_more: bool,
    /// What `after` takes to go on behind this page, now or later.
    pub next_cursor: String,
}

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangeFilter {
    /// The cursor of a change, or `next_cursor` of a page: what comes behind it. `now` is the end of the feed, without it
    /// the feed begins at its start. A cursor goes with every commune and every kind.
    #[param(min_length = 1, max_length = 2000, example = "now")]
    pub after: Option<String>,
    /// Kinds, separated by commas.
    #[param(style = Form, explode = false, max_items = 9, example = json!(["initiative", "convention"]))]
    pub kind: Option<Vec<ChangeKind>>,
    /// Changes on the page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<i64>,
    /// Seconds to wait for a change when there is none yet.
    #[param(minimum = 0, maximum = 30, default = 0)]
    pub wait: Option<u64>,
}
