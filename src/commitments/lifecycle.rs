//! The lives of a commitment and of a fulfilment. Who may act depends on a side, so each lifecycle has two tables of
//! one shape: for what the commune put on the table (or owes), and for what the others did.

use crate::auth::policy::Role::{self, Agent, AgentOnBehalf, Clock, ElectedOfficial, Holder, Host};
use crate::codes::codes;
use crate::http::error::Text;
use crate::lifecycle::{Lifecycle, Rule};

codes! {
    /// Where a commitment stands.
    pub enum CommitmentState "commitment_states" {
        Proposed = "proposed", "Proposé", "Proposed";
        Accepted = "accepted", "Accepté", "Accepted";
        Declined = "declined", "Décliné", "Declined";
        Withdrawn = "withdrawn", "Retiré", "Withdrawn";
        Binding = "binding", "Engagé", "Binding";
        Fulfilled = "fulfilled", "Réalisé", "Fulfilled";
        PartiallyFulfilled = "partially_fulfilled", "Réalisé en partie", "Partially fulfilled";
        Unfulfilled = "unfulfilled", "Non réalisé", "Unfulfilled";
    }

    /// What can be done with a commitment.
    pub enum CommitmentAction "commitment_actions" {
        Update = "update", "Modifier", "Change";
        Accept = "accept", "Accepter", "Accept";
        Decline = "decline", "Décliner", "Decline";
        Withdraw = "withdraw", "Retirer", "Withdraw";
        Bind = "bind", "Engager", "Bind";
        Amend = "amend", "Modifier par avenant", "Amend";
        RecordFulfilment = "record_fulfilment", "Déclarer une réalisation", "Record a fulfilment";
        MarkUnfulfilled = "mark_unfulfilled", "Déclarer non réalisé", "Mark unfulfilled";
        Check = "check", "Contrôler l'entretien", "Check the upkeep";
        EndUpkeep = "end_upkeep", "Mettre fin à l'entretien", "End the upkeep";
    }

    /// Where a fulfilment stands.
    pub enum FulfilmentState "fulfilment_states" {
        Recorded = "recorded", "Déclarée", "Recorded";
        Acknowledged = "acknowledged", "Reconnue", "Acknowledged";
        Disputed = "disputed", "Contestée", "Disputed";
        Rejected = "rejected", "Rejetée", "Rejected";
        Withdrawn = "withdrawn", "Retirée", "Withdrawn";
    }

    /// What can be done with a fulfilment.
    pub enum FulfilmentAction "fulfilment_actions" {
        Acknowledge = "acknowledge", "Reconnaître", "Acknowledge";
        Dispute = "dispute", "Contester", "Dispute";
        Settle = "settle", "Trancher", "Settle";
        Withdraw = "withdraw", "Retirer", "Withdraw";
    }
}

impl CommitmentState {
    /// What a convention binds or has bound.
    pub const BOUND: [Self; 4] = [
        Self::Binding,
        Self::Fulfilled,
        Self::PartiallyFulfilled,
        Self::Unfulfilled,
    ];
}

/// The actions on a commitment that a caller can take. The terms of one change by another that takes its place, and it
/// binds with its convention.
pub const WITH_ROUTE: &[CommitmentAction] = &[
    CommitmentAction::Accept,
    CommitmentAction::Decline,
    CommitmentAction::Withdraw,
    CommitmentAction::RecordFulfilment,
    CommitmentAction::MarkUnfulfilled,
    CommitmentAction::Check,
    CommitmentAction::EndUpkeep,
];

const THE_COMMUNE: &[Role] = &[Agent, ElectedOfficial];
const THE_OTHERS: &[Role] = &[Holder, Host, AgentOnBehalf];
/// Who answers for the others: nobody at the town hall, not even on behalf.
const THE_OTHERS_THEMSELVES: &[Role] = &[Holder, Host];
const NOTHING: Text = Text::new("", "");

macro_rules! commitment_lifecycle {
    ($name:literal, $own:expr, $other:expr) => {
        Lifecycle {
            name: $name,
            subject: "commitment",
            start: CommitmentState::Proposed,
            rules: &[
                Rule {
                    action: CommitmentAction::Update,
                    from: &[CommitmentState::Proposed],
                    to: None,
                    or_to: &[],
                    who: $own,
                    requires: NOTHING,
                },
                Rule {
                    action: CommitmentAction::Accept,
                    from: &[CommitmentState::Proposed],
                    to: Some(CommitmentState::Accepted),
                    or_to: &[],
                    who: $other,
                    requires: Text::new(
                        "L'autre partie ; réserve l'argent de la commune dans l'enveloppe.",
                        "The other side; reserves the commune's money in the envelope.",
                    ),
                },
                Rule {
                    action: CommitmentAction::Decline,
                    from: &[CommitmentState::Proposed],
                    to: Some(CommitmentState::Declined),
                    or_to: &[],
                    who: $other,
                    requires: Text::new("L'autre partie ; un motif.", "The other side; a reason."),
                },
                Rule {
                    action: CommitmentAction::Withdraw,
                    from: &[CommitmentState::Proposed, CommitmentState::Accepted],
                    to: Some(CommitmentState::Withdrawn),
                    or_to: &[],
                    who: $own,
                    requires: Text::new(
                        "La partie qui l'a proposé, tant qu'aucune convention ne l'engage ni n'est ouverte à la signature.",
                        "The side that proposed it, until a convention binds it or is open for signature with it.",
                    ),
                },
                Rule {
                    action: CommitmentAction::Bind,
                    from: &[CommitmentState::Accepted],
                    to: Some(CommitmentState::Binding),
                    or_to: &[],
                    who: &[Clock],
                    requires: Text::new(
                        "De soi-même, quand la convention devient active.",
                        "By itself, when the convention becomes active.",
                    ),
                },
                Rule {
                    action: CommitmentAction::Amend,
                    from: &[CommitmentState::Binding, CommitmentState::PartiallyFulfilled],
                    to: None,
                    or_to: &[],
                    who: &[Clock],
                    requires: Text::new(
                        "De soi-même, quand un avenant qui le dit est signé par tous.",
                        "By itself, when an amendment that says so is signed by all.",
                    ),
                },
                Rule {
                    action: CommitmentAction::RecordFulfilment,
                    from: &[CommitmentState::Binding, CommitmentState::PartiallyFulfilled],
                    to: None,
                    or_to: &[CommitmentState::PartiallyFulfilled, CommitmentState::Fulfilled],
                    who: &[Holder, Host, Agent],
                    requires: Text::new("La partie qui doit, ou un agent.", "The side that owes, or an agent."),
                },
                Rule {
                    action: CommitmentAction::MarkUnfulfilled,
                    from: &[CommitmentState::Binding, CommitmentState::PartiallyFulfilled],
                    to: Some(CommitmentState::Unfulfilled),
                    or_to: &[],
                    who: &[Agent],
                    requires: Text::new(
                        "Un motif ; de soi-même pour l'argent de la commune, après le dernier jour d'une convention résiliée.",
                        "A reason; by itself for the commune's money, after the last day of a convention that was terminated.",
                    ),
                },
                Rule {
                    action: CommitmentAction::Check,
                    from: &[CommitmentState::Binding],
                    to: None,
                    or_to: &[],
                    who: &[Holder, Host, Agent, ElectedOfficial],
                    requires: Text::new(
                        "Un entretien ; la partie qui en bénéficie, jamais celle qui le doit.",
                        "An upkeep; the side that benefits, never the one that owes it.",
                    ),
                },
                Rule {
                    action: CommitmentAction::EndUpkeep,
                    from: &[CommitmentState::Binding],
                    to: Some(CommitmentState::Fulfilled),
                    or_to: &[CommitmentState::PartiallyFulfilled],
                    who: &[Holder, Host, Agent],
                    requires: Text::new(
                        "Un entretien ; la partie qui doit, ou un agent ; avant son terme il est réalisé en partie, et demande un motif.",
                        "An upkeep; the side that owes, or an agent; before its end it is partially fulfilled, and needs a reason.",
                    ),
                },
            ],
        }
    };
}

/// What the commune put on the table: the others accept it.
pub const PROPOSED_BY_COMMUNE: Lifecycle<CommitmentState, CommitmentAction> =
    commitment_lifecycle!("commitment_proposed_by_commune", THE_COMMUNE, THE_OTHERS);
/// What the others put on the table: the commune accepts it.
pub const PROPOSED_BY_OTHERS: Lifecycle<CommitmentState, CommitmentAction> =
    commitment_lifecycle!("commitment_proposed_by_holder", THE_OTHERS, THE_COMMUNE);

macro_rules! fulfilment_lifecycle {
    ($name:literal, $own:expr, $other:expr) => {
        Lifecycle {
            name: $name,
            subject: "fulfilment",
            start: FulfilmentState::Recorded,
            rules: &[
                Rule {
                    action: FulfilmentAction::Acknowledge,
                    from: &[FulfilmentState::Recorded],
                    to: Some(FulfilmentState::Acknowledged),
                    or_to: &[],
                    who: $other,
                    requires: Text::new(
                        "L'autre partie, et jamais qui l'a déclarée ; trente jours de silence valent reconnaissance.",
                        "The other side, and never who recorded it; thirty days of silence acknowledge it.",
                    ),
                },
                Rule {
                    action: FulfilmentAction::Dispute,
                    from: &[FulfilmentState::Recorded],
                    to: Some(FulfilmentState::Disputed),
                    or_to: &[],
                    who: $other,
                    requires: Text::new("L'autre partie ; un motif.", "The other side; a reason."),
                },
                Rule {
                    action: FulfilmentAction::Settle,
                    from: &[FulfilmentState::Disputed],
                    to: Some(FulfilmentState::Acknowledged),
                    or_to: &[FulfilmentState::Rejected],
                    who: &[ElectedOfficial],
                    requires: Text::new(
                        "Un motif ; la réalisation est reconnue ou rejetée.",
                        "A reason; the fulfilment is acknowledged or rejected.",
                    ),
                },
                Rule {
                    action: FulfilmentAction::Withdraw,
                    from: &[FulfilmentState::Recorded],
                    to: Some(FulfilmentState::Withdrawn),
                    or_to: &[],
                    who: $own,
                    requires: Text::new("Qui l'a déclarée.", "Who recorded it."),
                },
            ],
        }
    };
}

/// Of what the commune owes.
pub const OWED_BY_COMMUNE: Lifecycle<FulfilmentState, FulfilmentAction> =
    fulfilment_lifecycle!("fulfilment_by_commune", THE_COMMUNE, THE_OTHERS_THEMSELVES);
/// Of what the others owe.
pub const OWED_BY_OTHERS: Lifecycle<FulfilmentState, FulfilmentAction> =
    fulfilment_lifecycle!("fulfilment_by_holder", &[Holder, Host, Agent], THE_COMMUNE);
