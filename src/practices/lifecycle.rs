//! The life of a practice sheet: written, published, withdrawn.

use crate::auth::policy::Role::Agent;
use crate::codes::codes;
use crate::http::error::Text;
use crate::lifecycle::{Lifecycle, Rule};

codes! {
    /// Where a practice sheet stands.
    pub enum PracticeState "practice_states" {
        Draft = "draft", "Brouillon", "Draft";
        Published = "published", "Publiée", "Published";
        Withdrawn = "withdrawn", "Retirée", "Withdrawn";
    }

    /// What can be done with a practice sheet.
    pub enum PracticeAction "practice_actions" {
        Update = "update", "Modifier", "Change";
        Publish = "publish", "Publier", "Publish";
        Withdraw = "withdraw", "Retirer", "Withdraw";
    }
}

use PracticeState::{Draft, Published, Withdrawn};

/// Agents write and publish; what was published is withdrawn for good, and stays as a name to what it inspired.
pub const PRACTICE: Lifecycle<PracticeState, PracticeAction> = Lifecycle {
    name: "practice",
    subject: "practice",
    start: Draft,
    rules: &[
        Rule {
            action: PracticeAction::Update,
            from: &[Draft, Published],
            to: None,
            or_to: &[],
            who: &[Agent],
            requires: Text::new(
                "Une fois publiée, elle reste complète et garde la fiche dont elle s'inspire.",
                "Once published it stays complete, and keeps the sheet that inspired it.",
            ),
        },
        Rule {
            action: PracticeAction::Publish,
            from: &[Draft],
            to: Some(Published),
            or_to: &[],
            who: &[Agent],
            requires: Text::new(
                "Un thème, un niveau de participation, le contexte, les objectifs, la démarche, les résultats, un service à qui écrire, et une initiative publiée qui la prouve.",
                "A theme, a level of participation, context, objectives, approach, results, a service to write to, and a published initiative that proves it.",
            ),
        },
        Rule {
            action: PracticeAction::Withdraw,
            from: &[Draft, Published],
            to: Some(Withdrawn),
            or_to: &[],
            who: &[Agent],
            requires: Text::new("Un motif.", "A reason."),
        },
    ],
};
