//! The life of an evaluation: written, then validated for good.

use crate::auth::policy::Role::{Agent, AgentOnBehalf, Clock, ElectedOfficial, Holder};
use crate::codes::codes;
use crate::http::error::Text;
use crate::lifecycle::{Lifecycle, Rule};

codes! {
    /// Where an evaluation stands.
    pub enum EvaluationState "evaluation_states" {
        Draft = "draft", "À valider", "To be validated";
        Validated = "validated", "Validé", "Validated";
    }

    /// What can be done with an evaluation.
    pub enum EvaluationAction "evaluation_actions" {
        Update = "update", "Modifier", "Change";
        Agree = "agree", "Donner l'accord du porteur", "Agree for the holder";
        Validate = "validate", "Valider", "Validate";
    }
}

/// An agent writes, the holder's side agrees, an elected official validates.
pub const EVALUATION: Lifecycle<EvaluationState, EvaluationAction> = Lifecycle {
    name: "evaluation",
    subject: "evaluation",
    start: EvaluationState::Draft,
    rules: &[
        Rule {
            action: EvaluationAction::Update,
            from: &[EvaluationState::Draft],
            to: None,
            or_to: &[],
            who: &[Agent],
            requires: Text::new("", ""),
        },
        Rule {
            action: EvaluationAction::Agree,
            from: &[EvaluationState::Draft],
            to: None,
            or_to: &[],
            who: &[Holder, AgentOnBehalf, Clock],
            requires: Text::new(
                "Une initiative réalisée ; jamais par qui a rédigé le bilan. Trente jours de silence valent accord.",
                "A completed initiative; never by who wrote the evaluation. Thirty days of silence agree.",
            ),
        },
        Rule {
            action: EvaluationAction::Validate,
            from: &[EvaluationState::Draft],
            to: Some(EvaluationState::Validated),
            or_to: &[],
            who: &[ElectedOfficial],
            requires: Text::new(
                "Une initiative réalisée et l'accord du porteur ; jamais par qui a rédigé le bilan.",
                "A completed initiative and the holder's agreement; never by who wrote the evaluation.",
            ),
        },
    ],
};
