//! The life of one version of a convention, from draft to its end.

use crate::auth::policy::Role::{self, Agent, Clock, ElectedOfficial, Holder, Host};
use crate::codes::codes;
use crate::http::error::Text;
use crate::lifecycle::{Lifecycle, Rule};

codes! {
    /// Where a version of a convention stands.
    pub enum ConventionState "convention_states" {
        Draft = "draft", "Brouillon", "Draft";
        OpenForSignature = "open_for_signature", "Ouverte à la signature", "Open for signature";
        Active = "active", "En vigueur", "Active";
        Suspended = "suspended", "Suspendue", "Suspended";
        Terminated = "terminated", "Résiliée", "Terminated";
        Expired = "expired", "Échue", "Expired";
        Superseded = "superseded", "Remplacée par un avenant", "Superseded";
        Cancelled = "cancelled", "Annulée", "Cancelled";
    }

    /// What can be done with a version of a convention.
    pub enum ConventionAction "convention_actions" {
        Create = "create", "Rédiger", "Draft";
        Update = "update", "Modifier", "Change";
        OpenForSignature = "open_for_signature", "Ouvrir à la signature", "Open for signature";
        Reopen = "reopen", "Rouvrir la rédaction", "Reopen";
        Sign = "sign", "Signer", "Sign";
        RecordSignature = "record_signature", "Enregistrer une signature sur papier", "Record a signature on paper";
        ContestSignature = "contest_signature", "Contester une signature enregistrée en son nom", "Contest a signature recorded in one's name";
        Cancel = "cancel", "Annuler", "Cancel";
        Amend = "amend", "Préparer un avenant", "Amend";
        Renew = "renew", "Renouveler", "Renew";
        Suspend = "suspend", "Suspendre", "Suspend";
        Resume = "resume", "Reprendre", "Resume";
        Terminate = "terminate", "Résilier", "Terminate";
        Expire = "expire", "Échoir", "Expire";
        Supersede = "supersede", "Remplacer", "Supersede";
    }
}

use ConventionAction as Action;
use ConventionState::{
    Active, Cancelled, Draft, Expired, OpenForSignature, Superseded, Suspended, Terminated,
};

/// While one of these exists, the initiative has a convention.
pub const LIVE: &[ConventionState] = &[Draft, OpenForSignature, Active, Suspended];
/// Nobody has signed these for good.
pub const UNSIGNED: &[ConventionState] = &[Draft, OpenForSignature];
/// What is in force, or pauses.
pub const IN_FORCE: &[ConventionState] = &[Active, Suspended];

/// The actions that a caller can take: each has a route of its own, or is the PATCH. The others come with time, or
/// when an amendment is signed.
pub const WITH_ROUTE: &[Action] = &[
    Action::Update,
    Action::OpenForSignature,
    Action::Reopen,
    Action::Sign,
    Action::RecordSignature,
    Action::ContestSignature,
    Action::Cancel,
    Action::Amend,
    Action::Renew,
    Action::Suspend,
    Action::Resume,
    Action::Terminate,
];

const fn rule(
    action: Action,
    from: &'static [ConventionState],
    to: Option<ConventionState>,
    who: &'static [Role],
    requires: Text,
) -> Rule<ConventionState, Action> {
    Rule {
        action,
        from,
        to,
        or_to: &[],
        who,
        requires,
    }
}

const A_REASON: Text = Text::new("Un motif.", "A reason.");

/// The table of domain.md, with what changes no state beside it.
pub const CONVENTION: Lifecycle<ConventionState, Action> = Lifecycle {
    name: "convention",
    subject: "convention",
    start: Draft,
    rules: &[
        rule(
            Action::Update,
            &[Draft, OpenForSignature, Active, Suspended],
            None,
            &[Agent],
            Text::new(
                "Ce qui se signe ne change que tant que c'est un brouillon.",
                "What is signed changes only while it is a draft.",
            ),
        ),
        rule(
            Action::OpenForSignature,
            &[Draft],
            Some(OpenForSignature),
            &[Agent],
            Text::new(
                "Une initiative acceptée, pour un avenant en cours ou achevée ; un engagement de chaque côté, tous acceptés ; un entretien par le porteur ou le motif de son absence ; un signataire majeur par partie ; l'acte d'autorisation s'il y a de l'argent ou un terrain public.",
                "An initiative that is accepted, for an amendment in progress or completed; a commitment on each side, all of them accepted; an upkeep by the holder or why there is none; an adult signatory for each party; the authority where money or public land is concerned.",
            ),
        ),
        rule(
            Action::Reopen,
            &[OpenForSignature],
            Some(Draft),
            &[Agent],
            Text::new(
                "Un motif ; annule les signatures données.",
                "A reason; voids the signatures given so far.",
            ),
        ),
        rule(
            Action::Sign,
            &[OpenForSignature],
            Some(Active),
            &[Holder, Host, ElectedOfficial],
            Text::new(
                "Le signataire désigné d'une partie, et l'empreinte du contenu actuel ; la dernière signature fait entrer la convention en vigueur ; un avenant remplace alors la version en vigueur.",
                "The named signatory of a party, and the hash of the current content; the last signature makes the convention active; an amendment then replaces the version in force.",
            ),
        ),
        rule(
            Action::RecordSignature,
            &[OpenForSignature],
            Some(Active),
            &[Agent],
            Text::new(
                "Le papier signé par le signataire désigné, jamais par qui l'enregistre.",
                "The paper signed by the named signatory, who is never the one that records it.",
            ),
        ),
        rule(
            Action::ContestSignature,
            &[OpenForSignature, Active, Suspended],
            None,
            &[ElectedOfficial],
            Text::new(
                "L'élu au nom de qui une signature sur papier a été enregistrée, dans les huit jours ; un motif ; annule la signature, ou suspend la convention en vigueur.",
                "The official in whose name a signature on paper was recorded, within eight days; a reason; voids the signature, or suspends the convention in force.",
            ),
        ),
        rule(
            Action::Cancel,
            UNSIGNED,
            Some(Cancelled),
            &[Agent],
            A_REASON,
        ),
        rule(
            Action::Amend,
            &[Active],
            None,
            &[Agent],
            Text::new(
                "Un motif ; fait une nouvelle version en brouillon, l'ancienne reste en vigueur jusqu'à la dernière signature.",
                "A reason; makes a new version as a draft, the old one stays in force until the last signature.",
            ),
        ),
        rule(
            Action::Renew,
            &[Active],
            None,
            &[Agent],
            Text::new(
                "Un motif et un nouveau terme ; comme un avenant.",
                "A reason and a new last day; like an amendment.",
            ),
        ),
        rule(
            Action::Suspend,
            &[Active],
            Some(Suspended),
            &[ElectedOfficial],
            A_REASON,
        ),
        rule(
            Action::Resume,
            &[Suspended],
            Some(Active),
            &[ElectedOfficial],
            A_REASON,
        ),
        rule(
            Action::Terminate,
            IN_FORCE,
            Some(Terminated),
            &[ElectedOfficial, Holder],
            Text::new(
                "Un motif ; prend effet après le préavis. Le porteur, par un membre qui peut signer.",
                "A reason; takes effect after the notice. The holder, by a member who may sign.",
            ),
        ),
        rule(
            Action::Expire,
            IN_FORCE,
            Some(Expired),
            &[Clock],
            Text::new(
                "De soi-même, après le dernier jour.",
                "By itself, after the last day.",
            ),
        ),
        rule(
            Action::Supersede,
            &[Active],
            Some(Superseded),
            &[Clock],
            Text::new(
                "De soi-même, quand un avenant entre en vigueur.",
                "By itself, when an amendment becomes active.",
            ),
        ),
    ],
};
