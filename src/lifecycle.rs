//! Lifecycles as data: which action leads from which states to which, who may take it, and what it asks for. The same
//! tables drive the handlers, `allowed_actions`, the documentation and a check against the database.

use crate::auth::policy::{Role, Standing};
use crate::codes::Coded;
use crate::http::error::{ApiError, Code, Text};

/// One action of a lifecycle.
pub struct Rule<S: 'static, A> {
    pub action: A,
    pub from: &'static [S],
    /// The state that follows; nothing when the state stays.
    pub to: Option<S>,
    /// States that may follow instead, by what the action finds or says.
    pub or_to: &'static [S],
    pub who: &'static [Role],
    /// What else must be true, for people.
    pub requires: Text,
}

/// A lifecycle: a name, the state in which everything begins, and its actions, one rule each.
pub struct Lifecycle<S: 'static, A: 'static> {
    pub name: &'static str,
    /// What lives it: the name under which the database keeps the transitions.
    pub subject: &'static str,
    pub start: S,
    pub rules: &'static [Rule<S, A>],
}

/// A lifecycle without its types, for the reference endpoints and for checks against the database.
pub struct LifecycleData {
    pub name: &'static str,
    pub subject: &'static str,
    pub start: &'static str,
    pub actions: Vec<ActionData>,
    /// As `Lifecycle::transitions` gives them.
    pub transitions: Vec<(&'static str, &'static str)>,
}

/// One action of a lifecycle, in codes.
pub struct ActionData {
    pub code: &'static str,
    /// French and English.
    pub labels: (&'static str, &'static str),
    pub from: Vec<&'static str>,
    pub to: Option<&'static str>,
    pub or_to: Vec<&'static str>,
    pub who: &'static [Role],
    pub requires: &'static Text,
}

/// What an action does once it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<S> {
    pub from: S,
    pub to: S,
    /// The quality in which the caller acts.
    pub role: Role,
}

impl<S: Coded + Copy + PartialEq, A: Copy + PartialEq> Lifecycle<S, A> {
    /// Checks the caller first (401, 403, conflict of interest), then the state (409).
    pub fn step(&self, state: S, action: A, standing: &Standing) -> Result<Step<S>, ApiError> {
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.action == action)
            .ok_or_else(|| {
                ApiError::internal(format!("an action without a rule in {}", self.name))
            })?;
        let role = standing.permit(rule.who)?;
        if !rule.from.contains(&state) {
            return Err(ApiError {
                state: Some(state.code()),
                ..ApiError::new(Code::WrongState)
            });
        }
        Ok(Step {
            from: state,
            to: rule.to.unwrap_or(state),
            role,
        })
    }

    /// The actions that somebody may take now.
    pub fn allowed(&self, state: S, standing: &Standing) -> Vec<A> {
        self.rules
            .iter()
            .filter(|rule| rule.from.contains(&state) && standing.permit(rule.who).is_ok())
            .map(|rule| rule.action)
            .collect()
    }

    /// Every pair of states that the rules lead through, as the database keeps them.
    pub fn transitions(&self) -> Vec<(&'static str, &'static str)> {
        let mut pairs: Vec<_> = self
            .rules
            .iter()
            .flat_map(|rule| rule.to.iter().chain(rule.or_to).map(move |to| (rule, to)))
            .flat_map(|(rule, to)| rule.from.iter().map(move |from| (from.code(), to.code())))
            .filter(|(from, to)| from != to)
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

impl<S: Coded + Copy + PartialEq, A: Coded + Copy + PartialEq> Lifecycle<S, A> {
    /// The same table in codes and labels.
    pub fn data(&self) -> LifecycleData {
        let action = |rule: &'static Rule<S, A>| ActionData {
            code: rule.action.code(),
            labels: A::LIST.labels(rule.action.code()).unwrap_or_default(),
            from: rule.from.iter().map(|state| state.code()).collect(),
            to: rule.to.map(Coded::code),
            or_to: rule.or_to.iter().map(|state| state.code()).collect(),
            who: rule.who,
            requires: &rule.requires,
        };
        LifecycleData {
            name: self.name,
            subject: self.subject,
            start: self.start.code(),
            actions: self.rules.iter().map(action).collect(),
            transitions: self.transitions(),
        }
    }
}
