//! The life of an initiative, from draft to closed.

use crate::auth::policy::Role::{
    self, Agent, AgentOnBehalf, Clock, ElectedOfficial, Holder, Resident, TownHall,
};
use crate::codes::codes;
use crate::http::error::Text;
use crate::lifecycle::{Lifecycle, Rule};

codes! {
    /// Where an initiative stands.
    pub enum InitiativeState "initiative_states" {
        Draft = "draft", "Brouillon", "Draft";
        Submitted = "submitted", "Déposée", "Submitted";
        InReview = "in_review", "En instruction", "In review";
        ChangesRequested = "changes_requested", "Complément demandé", "Changes requested";
        Accepted = "accepted", "Acceptée", "Accepted";
        Refused = "refused", "Refusée", "Refused";
        Redirected = "redirected", "Réorientée", "Redirected";
        Lapsed = "lapsed", "Caduque", "Lapsed";
        InProgress = "in_progress", "En cours de réalisation", "In progress";
        Completed = "completed", "Réalisée", "Completed";
        Closed = "closed", "Clôturée", "Closed";
        Withdrawn = "withdrawn", "Retirée", "Withdrawn";
        Abandoned = "abandoned", "Abandonnée", "Abandoned";
    }

    /// What can be done with an initiative.
    pub enum InitiativeAction "initiative_actions" {
        Update = "update", "Modifier", "Change";
        Submit = "submit", "Déposer", "Submit";
        StartReview = "start_review", "Instruire", "Start the review";
        QuickAccept = "quick_accept", "Accepter un petit projet", "Accept a small project";
        RequestChanges = "request_changes", "Demander un complément", "Request changes";
        Resubmit = "resubmit", "Déposer à nouveau", "Resubmit";
        Lapse = "lapse", "Constater la caducité", "Let lapse";
        GiveOpinion = "give_opinion", "Donner l'avis", "Give the opinion";
        Accept = "accept", "Accepter", "Accept";
        Refuse = "refuse", "Refuser", "Refuse";
        RecordDecision = "record_decision", "Enregistrer une décision prise sur papier", "Record a decision on paper";
        RecordQuickAccept = "record_quick_accept", "Enregistrer sur papier l'accord donné à un petit projet", "Record a quick yes on paper";
        ContestRecusal = "contest_recusal", "Contester un déport enregistré en son nom", "Contest a recusal recorded in one's name";
        Contest = "contest", "Contester une décision enregistrée en son nom", "Contest a decision recorded in one's name";
        Redirect = "redirect", "Réorienter", "Redirect";
        Reopen = "reopen", "Rouvrir", "Reopen";
        Start = "start", "Commencer", "Start";
        Complete = "complete", "Constater la réalisation", "Complete";
        Evaluate = "evaluate", "Rédiger le bilan", "Write the evaluation";
        Close = "close", "Clôturer", "Close";
        Withdraw = "withdraw", "Retirer", "Withdraw";
        Abandon = "abandon", "Abandonner", "Abandon";
        Publish = "publish", "Publier", "Publish";
        Unpublish = "unpublish", "Dépublier", "Unpublish";
        AddNote = "add_note", "Ajouter une note interne", "Add an internal note";
        Recuse = "recuse", "Se récuser", "Stand aside";
        Endorse = "endorse", "Soutenir", "Endorse";
        TakePart = "take_part", "Participer", "Take part";
        RecordHeadcount = "record_headcount", "Compter les participants", "Record a headcount";
    }
}

use InitiativeAction as Action;
use InitiativeState::{
    Abandoned, Accepted, ChangesRequested, Closed, Completed, Draft, InProgress, InReview, Lapsed,
    Redirected, Refused, Submitted, Withdrawn,
};

/// Everything that the town hall has received.
const RECEIVED: &[InitiativeState] = &[
    Submitted,
    InReview,
    ChangesRequested,
    Accepted,
    Refused,
    Redirected,
    Lapsed,
    InProgress,
    Completed,
    Closed,
    Withdrawn,
    Abandoned,
];
const ALIVE: &[InitiativeState] = &[Submitted, InReview, ChangesRequested, Accepted, InProgress];
const HOLDER: &[Role] = &[Holder, AgentOnBehalf];

const fn rule(
    action: Action,
    from: &'static [InitiativeState],
    to: Option<InitiativeState>,
    who: &'static [Role],
    requires: Text,
) -> Rule<InitiativeState, Action> {
    Rule {
        action,
        from,
        to,
        or_to: &[],
        who,
        requires,
    }
}

const NOTHING: Text = Text::new("", "");

/// The table of domain.md, with what changes no state beside it.
pub const INITIATIVE: Lifecycle<InitiativeState, Action> = Lifecycle {
    name: "initiative",
    subject: "initiative",
    start: Draft,
    rules: &[
        rule(
            Action::Update,
            &[Draft, ChangesRequested],
            None,
            HOLDER,
            NOTHING,
        ),
        rule(
            Action::Submit,
            &[Draft],
            Some(Submitted),
            HOLDER,
            Text::new(
                "Un titre, une description, un thème et un porteur.",
                "A title, a description, a theme and a holder.",
            ),
        ),
        rule(
            Action::StartReview,
            &[Submitted],
            Some(InReview),
            &[Agent],
            Text::new(
                "Publie, sauf indication contraire motivée.",
                "Publishes, unless told not to with a reason.",
            ),
        ),
        rule(
            Action::QuickAccept,
            &[Submitted],
            Some(Accepted),
            &[ElectedOfficial],
            Text::new(
                "Un petit projet : sous le plafond de la commune, sans subvention, sans travaux, sans domaine public ; un avis d'une ligne.",
                "A small project: below the commune's ceiling, no subsidy, no building work, no public land; a one-line opinion.",
            ),
        ),
        rule(
            Action::RequestChanges,
            &[InReview],
            Some(ChangesRequested),
            &[Agent],
            Text::new(
                "Un message ; le délai de réponse est suspendu.",
                "A message; the reply clock pauses.",
            ),
        ),
        rule(
            Action::Resubmit,
            &[ChangesRequested],
            Some(InReview),
            HOLDER,
            Text::new("Le délai de réponse reprend.", "The reply clock resumes."),
        ),
        rule(
            Action::Lapse,
            &[ChangesRequested],
            Some(Lapsed),
            &[Agent, Clock],
            Text::new(
                "Par le temps : six mois sans réponse, après un rappel.",
                "By time: six months without an answer, after one reminder.",
            ),
        ),
        rule(
            Action::GiveOpinion,
            &[InReview],
            None,
            &[Agent],
            Text::new(
                "Un sens, un texte et un coût estimé.",
                "An outcome, a text and an estimated cost.",
            ),
        ),
        rule(
            Action::Accept,
            &[InReview],
            Some(Accepted),
            &[ElectedOfficial],
            Text::new(
                "Un avis donné depuis le dernier dépôt ; un motif.",
                "An opinion given since the last submission; a reason.",
            ),
        ),
        rule(
            Action::Refuse,
            &[InReview],
            Some(Refused),
            &[ElectedOfficial],
            Text::new(
                "Un avis donné depuis le dernier dépôt ; un motif.",
                "An opinion given since the last submission; a reason.",
            ),
        ),
        Rule {
            action: Action::RecordDecision,
            from: &[InReview],
            to: Some(Accepted),
            or_to: &[Refused],
            who: &[Agent],
            requires: Text::new(
                "Comme pour décider : un avis, un motif ; le mandat d'un élu ce jour-là, qui n'est pas celui qui enregistre ; la référence du papier.",
                "As for deciding: an opinion, a reason; the mandate of an official on that day, who is not the one that records; the reference of the paper.",
            ),
        },
        rule(
            Action::RecordQuickAccept,
            &[Submitted],
            Some(Accepted),
            &[Agent],
            Text::new(
                "Un petit projet, accepté sur papier par un élu qui n'est pas celui qui enregistre.",
                "A small project, accepted on paper by an official who is not the one that records.",
            ),
        ),
        rule(
            Action::Contest,
            &[Accepted, Refused],
            Some(InReview),
            &[ElectedOfficial],
            Text::new(
                "L'élu au nom de qui une décision sur papier a été enregistrée, dans les huit jours ; un motif ; annule les versions de convention non signées.",
                "The official in whose name a decision on paper was recorded, within eight days; a reason; cancels unsigned versions of conventions.",
            ),
        ),
        rule(
            Action::Redirect,
            &[Submitted, InReview],
            Some(Redirected),
            &[Agent],
            Text::new("L'organisme compétent.", "The competent body."),
        ),
        rule(
            Action::Reopen,
            &[Refused, Lapsed],
            Some(InReview),
            &[Agent],
            Text::new("Un fait nouveau.", "A new fact."),
        ),
        rule(
            Action::Start,
            &[Accepted],
            Some(InProgress),
            &[Clock],
            Text::new(
                "De soi-même, quand la première convention devient active.",
                "By itself, when the first convention becomes active.",
            ),
        ),
        rule(
            Action::Complete,
            &[InProgress],
            Some(Completed),
            &[Agent],
            Text::new(
                "Chaque engagement ponctuel est soldé : réalisé, ou déclaré non réalisé avec un motif.",
                "Every one-off commitment is settled: fulfilled, or marked unfulfilled with a reason.",
            ),
        ),
        rule(
            Action::Evaluate,
            &[InProgress, Completed],
            None,
            &[Agent],
            Text::new("Une seule fois.", "Once."),
        ),
        rule(
            Action::Close,
            &[Completed],
            Some(Closed),
            &[Agent],
            Text::new("Un bilan validé.", "A validated evaluation."),
        ),
        rule(
            Action::Withdraw,
            &[Draft, Submitted, InReview, ChangesRequested, Accepted],
            Some(Withdrawn),
            HOLDER,
            Text::new(
                "Annule les versions de convention non signées et libère l'enveloppe.",
                "Cancels unsigned versions of conventions and frees the envelope.",
            ),
        ),
        rule(
            Action::Abandon,
            &[Accepted, InProgress],
            Some(Abandoned),
            &[ElectedOfficial],
            Text::new(
                "Un motif ; résilie la convention active.",
                "A reason; terminates the active convention.",
            ),
        ),
        rule(Action::Publish, RECEIVED, None, &[Agent], NOTHING),
        rule(
            Action::Unpublish,
            RECEIVED,
            None,
            &[Agent],
            Text::new("Un motif.", "A reason."),
        ),
        rule(
            Action::AddNote,
            RECEIVED,
            None,
            &[Agent, ElectedOfficial],
            NOTHING,
        ),
        rule(
            Action::Recuse,
            RECEIVED,
            None,
            &[TownHall],
            Text::new(
                "Une fois par personne, soi-même ou un élu pour qui un agent l'enregistre ; sans retour, sauf si celui-ci conteste.",
                "Once a person, oneself or somebody for whom an agent records it; for good, unless that person contests it.",
            ),
        ),
        rule(
            Action::ContestRecusal,
            RECEIVED,
            None,
            &[TownHall],
            Text::new(
                "La personne au nom de qui un agent a enregistré un déport, dans les huit jours ; un motif.",
                "The person in whose name an agent recorded a recusal, within eight days; a reason.",
            ),
        ),
        rule(
            Action::Endorse,
            ALIVE,
            None,
            &[Resident],
            Text::new("Une initiative publiée.", "A published initiative."),
        ),
        rule(
            Action::TakePart,
            ALIVE,
            None,
            &[Resident],
            Text::new("Une initiative publiée.", "A published initiative."),
        ),
        rule(
            Action::RecordHeadcount,
            &[Accepted, InProgress, Completed, Closed],
            None,
            &[Holder, Agent],
            NOTHING,
        ),
    ],
};
