//! The lives of a commitment and of a fulfilment. Who may act depends on a side, so each lifecycle has two tables of
//! one shape: for what the commune put on the table (or owes), and for what the others did.

use crate::auth::policy::Role::{
    self, Agent, AgentOnBehalf, Clock, ElectedOfficial, Holder, Host, Resident,
};
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
        Accept = "accept", "Accepter", "Accept";
        Decline = "decline", "Décliner", "Decline";
        Withdraw = "withdraw", "Retirer", "Withdraw";
        Bind = "bind", "Engager", "Bind";
        Amend = "amend", "Modifier par avenant", "Amend";
        RecordFulfilment = "record_fulfilment", "Déclarer une réalisation", "Record a fulfilment";
        MarkUnfulfilled = "mark_unfulfilled", "Déclarer non réalisé", "Mark unfulfilled";
        Check = "check", "Contrôler l'entretien", "Check the upkeep";
        HandOver = "hand_over", "Proposer de passer le relais", "Offer to hand over";
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

    /// Where the hand-over of an upkeep stands.
    pub enum HandOverState "hand_over_states" {
        Offered = "offered", "Proposé", "Offered";
        Accepted = "accepted", "Accepté", "Accepted";
        Refused = "refused", "Refusé", "Refused";
        Withdrawn = "withdrawn", "Retiré", "Withdrawn";
    }

    /// What can be done with the hand-over of an upkeep.
    pub enum HandOverAction "hand_over_actions" {
        Accept = "accept", "Accepter", "Accept";
        Refuse = "refuse", "Refuser", "Refuse";
        Withdraw = "withdraw", "Retirer", "Withdraw";
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
    CommitmentAction::HandOver,
    CommitmentAction::EndUpkeep,
];

const THE_COMMUNE: &[Role] = &[Agent, ElectedOfficial];
const THE_OTHERS: &[Role] = &[Holder, Host, AgentOnBehalf];
/// Who answers for the others: nobody at the town hall, not even on behalf.
const THE_OTHERS_THEMSELVES: &[Role] = &[Holder, Host];

macro_rules! commitment_lifecycle {
    ($name:literal, $own:expr, $other:expr) => {
        Lifecycle {
            name: $name,
            subject: "commitment",
            start: CommitmentState::Proposed,
            rules: &[
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
                    action: CommitmentAction::HandOver,
                    from: &[CommitmentState::Binding],
                    to: None,
                    or_to: &[],
                    who: &[Holder, Host, AgentOnBehalf],
                    requires: Text::new(
                        "Un entretien que la commune ne doit pas ; la partie qui le doit nomme un autre porteur, qui accepte.",
                        "An upkeep that the commune does not owe; the side that owes it names another holder, who accepts.",
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

const BY_THE_SUCCESSOR: Text = Text::new(
    "Un membre du nouveau porteur qui peut signer, ou un agent pour un porteur sans membre ; jamais qui l'a proposé.",
    "A member of the new holder who may sign, or an agent for a holder without members; never who offered it.",
);

/// Of an upkeep that another holder is asked to take over. Who may answer is a member of that holder, who is nobody else
/// in the matter.
pub const HAND_OVER: Lifecycle<HandOverState, HandOverAction> = Lifecycle {
    name: "hand_over",
    subject: "hand_over",
    start: HandOverState::Offered,
    rules: &[
        Rule {
            action: HandOverAction::Accept,
            from: &[HandOverState::Offered],
            to: Some(HandOverState::Accepted),
            or_to: &[],
            who: &[Resident, AgentOnBehalf],
            requires: BY_THE_SUCCESSOR,
        },
        Rule {
            action: HandOverAction::Refuse,
            from: &[HandOverState::Offered],
            to: Some(HandOverState::Refused),
            or_to: &[],
            who: &[Resident, AgentOnBehalf],
            requires: Text::new(
                "Qui pourrait l'accepter ; un motif.",
                "Who could accept it; a reason.",
            ),
        },
        Rule {
            action: HandOverAction::Withdraw,
            from: &[HandOverState::Offered],
            to: Some(HandOverState::Withdrawn),
            or_to: &[],
            who: THE_OTHERS,
            requires: Text::new(
                "La partie qui doit l'entretien.",
                "The side that owes the upkeep.",
            ),
        },
    ],
};
