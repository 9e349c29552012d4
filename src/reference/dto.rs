//! Closed lists and lifecycles as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::policy::Role;
use crate::codes::CodeList;
use crate::http::error::Text;
use crate::lifecycle::{ActionData, LifecycleData};

/// A text in both languages of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Labels {
    /// French.
    #[schema(max_length = 1000, example = "Porteur de projet")]
    pub fr: String,
    /// English.
    #[schema(max_length = 1000, example = "Holder")]
    pub en: String,
}

impl From<(&str, &str)> for Labels {
    fn from((fr, en): (&str, &str)) -> Self {
        Self {
            fr: fr.to_owned(),
            en: en.to_owned(),
        }
    }
}

impl From<&Text> for Labels {
    fn from(text: &Text) -> Self {
        Self::from((&*text.fr, &*text.en))
    }
}

/// A code with its labels.
#[derive(Serialize, ToSchema)]
pub struct ReferenceCode {
    /// The code as it stands in JSON: a word, or a type of media.
    #[schema(
        pattern = "^([a-z0-9_]{1,60}|[a-z]+/[a-z0-9.+-]{1,80})$",
        example = "in_review"
    )]
    pub code: String,
    /// What people read.
    pub labels: Labels,
}

/// A closed list.
#[derive(Serialize, ToSchema)]
pub struct ReferenceList {
    /// Its name.
    #[schema(pattern = "^[a-z0-9_]{1,60}$", example = "initiative_states")]
    pub name: String,
    /// Its members, in their usual order.
    pub codes: Vec<ReferenceCode>,
}

impl From<&CodeList> for ReferenceList {
    fn from(list: &CodeList) -> Self {
        Self {
            name: list.name.to_owned(),
            codes: list
                .codes
                .iter()
                .map(|(code, fr, en)| ReferenceCode {
                    code: (*code).to_owned(),
                    labels: Labels::from((*fr, *en)),
                })
                .collect(),
        }
    }
}

/// All closed lists.
#[derive(Serialize, ToSchema)]
pub struct ReferenceLists {
    /// The lists.
    pub data: Vec<ReferenceList>,
}

/// One action of a lifecycle.
#[derive(Serialize, ToSchema)]
pub struct LifecycleTransition {
    /// The action's code, as in `allowed_actions`.
    #[schema(example = "start_review")]
    pub action: String,
    /// What people read on the button.
    pub labels: Labels,
    /// States in which it is possible.
    #[schema(example = json!(["submitted"]))]
    pub from: Vec<String>,
    /// The state that follows; null when the state stays.
    #[schema(required, example = "in_review")]
    pub to: Option<String>,
    /// States that may follow instead, by what the action finds or says.
    pub or_to: Vec<String>,
    /// Who may take it.
    pub who: Vec<Role>,
    /// What else must be true; null when nothing.
    #[schema(required)]
    pub requires: Option<Labels>,
}

impl From<&ActionData> for LifecycleTransition {
    fn from(action: &ActionData) -> Self {
        Self {
            action: action.code.to_owned(),
            labels: Labels::from(action.labels),
            from: action
                .from
                .iter()
                .map(|state| (*state).to_owned())
                .collect(),
            to: action.to.map(str::to_owned),
            or_to: action
                .or_to
                .iter()
                .map(|state| (*state).to_owned())
                .collect(),
            who: action.who.to_vec(),
            requires: (!action.requires.en.is_empty()).then(|| Labels::from(action.requires)),
        }
    }
}

/// A lifecycle: which action leads from where to where, who may take it, and what it asks for.
#[derive(Serialize, ToSchema)]
#[schema(as = Lifecycle)]
pub struct LifecycleTable {
    /// Its name.
    #[schema(pattern = "^[a-z0-9_]{1,60}$", example = "initiative")]
    pub name: String,
    /// The state in which everything begins.
    #[schema(example = "draft")]
    pub start: String,
    /// Its actions.
    pub transitions: Vec<LifecycleTransition>,
}

impl From<&LifecycleData> for LifecycleTable {
    fn from(lifecycle: &LifecycleData) -> Self {
        Self {
            name: lifecycle.name.to_owned(),
            start: lifecycle.start.to_owned(),
            transitions: lifecycle
                .actions
                .iter()
                .map(LifecycleTransition::from)
                .collect(),
        }
    }
}

/// All lifecycles.
#[derive(Serialize, ToSchema)]
pub struct LifecycleTables {
    /// The lifecycles.
    pub data: Vec<LifecycleTable>,
}
