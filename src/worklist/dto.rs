//! The worklist as the API shows it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::audit::Subject;
use crate::auth::policy::Role;
use crate::codes::codes;
use crate::ids::{InitiativeId, UserId};
use crate::mandates::dto::PersonSummary;

codes! {
    /// What is to be done.
    pub enum WorkKind "work_kinds" {
        Instruct = "instruct", "À instruire", "To instruct";
        Decide = "decide", "À décider", "To decide";
        Answer = "answer", "Complément à donner", "Changes to make";
        Prepare = "prepare", "Convention à préparer", "Convention to prepare";
        Agree = "agree", "Engagement à accepter", "Commitment to accept";
        Sign = "sign", "À signer", "To sign";
        ReplaceSignatory = "replace_signatory", "Signataire récusé à remplacer", "Recused signatory to replace";
        Resume = "resume", "Convention suspendue, à reprendre ou à résilier", "Suspended convention to resume or terminate";
        Pay = "pay", "À payer", "To pay";
        TakeOver = "take_over", "Entretien à reprendre", "Upkeep to take over";
        Fulfil = "fulfil", "À réaliser", "To fulfil";
        Publish = "publish", "Données essentielles à publier", "Essential data to publish";
        Report = "report", "Compte rendu financier à recevoir", "Financial report to receive";
        Check = "check", "Entretien à vérifier", "Upkeep to check";
        Acknowledge = "acknowledge", "Réalisation à constater", "Fulfilment to acknowledge";
        Settle = "settle", "Désaccord à trancher", "Dispute to settle";
        Contest = "contest", "Acte enregistré en votre nom", "Act recorded in your name";
        Renew = "renew", "Convention qui expire", "Convention that expires";
        Evaluate = "evaluate", "Bilan à rédiger", "Evaluation to write";
        AgreeEvaluation = "agree_evaluation", "Accord à donner sur le bilan", "Evaluation to agree with";
        Validate = "validate", "Bilan à valider", "Evaluation to validate";
        Close = "close", "À clôturer", "To close";
    }
}

/// Something that waits.
#[derive(Serialize, ToSchema)]
pub struct WorkItem {
    /// What is to be done.
    pub kind: WorkKind,
    /// What it is to be done with.
    pub subject: Subject,
    /// Identifier of that.
    pub subject_id: Uuid,
    /// What it is about: the title of an initiative, or the name of a body.
    #[schema(max_length = 300, example = "Huit jardinières rue Faidherbe")]
    pub title: String,
    /// The commitment that it is about; null where it is about none.
    #[schema(required, max_length = 300, example = "Plantation et arrosage")]
    pub commitment: Option<String>,
    /// The initiative; null for what concerns a body.
    #[schema(required)]
    pub initiative_id: Option<InitiativeId>,
    /// The quality in which it is done: a role of the commune, the holder or the host.
    pub waits_for: Role,
    /// The one person who can do it, where only one can.
    #[schema(required)]
    pub person: Option<PersonSummary>,
    /// The last day for it; null where there is none.
    #[schema(required, example = "2026-08-14")]
    pub due_on: Option<NaiveDate>,
    /// Whether that day has passed.
    pub is_late: bool,
    /// Since when it waits.
    pub since: DateTime<Utc>,
}

/// How much of a kind waits.
#[derive(Serialize, ToSchema)]
pub struct WorkCount {
    /// What is to be done.
    pub kind: WorkKind,
    /// How often.
    #[schema(minimum = 1)]
    pub total: i64,
    /// How often its day has passed.
    #[schema(minimum = 0)]
    pub late: i64,
}

/// A page of the worklist, the most urgent first, with the counts of the whole.
#[derive(Serialize, ToSchema)]
pub struct WorkPage {
    /// The items of this page.
    pub data: Vec<WorkItem>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// The counts of all pages together, in the order of the closed list.
    pub counts: Vec<WorkCount>,
    /// The next meeting of the council among the dates that the commune has set; null where none is set.
    #[schema(required, example = "2026-06-25")]
    pub next_council_on: Option<NaiveDate>,
}

/// Which work.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WorkFilter {
    /// Kinds, separated by commas.
    #[param(style = Form, explode = false, max_items = 20, example = json!(["sign", "pay"]))]
    pub kind: Option<Vec<WorkKind>>,
    /// Only what waits for this role.
    pub waits_for: Option<Role>,
    /// Only what this person can do: by name, by a mandate of today, or as a member of the holder or host.
    pub person: Option<UserId>,
    /// Days ahead: what is due later is left out.
    #[param(minimum = 0, maximum = 3660, default = 90)]
    pub days: Option<i32>,
}

/// Days ahead where nothing else is asked for.
pub const DAYS_AHEAD: i32 = 90;
