//! Constraints of the database that a caller can run into, each with the problem that it means. What is not here is a
//! bug of ours.

use super::error::{Code, Text};

/// Name of the constraint, problem, and what to say.
pub const CONSTRAINTS: &[(&str, Code, Text)] = &[
    (
        "authorities_recorded_once",
        Code::AlreadyExists,
        Text::new(
            "Un acte de cette nature, de ce numéro et de ce jour est déjà enregistré.",
            "An act of this kind, number and day is recorded already.",
        ),
    ),
    (
        "authorities_rested_upon",
        Code::RequirementMissing,
        Text::new(
            "Une convention ouverte à la signature, ou qui l'a été, repose sur cet acte : ce qu'elle en dit ne change plus.",
            "A convention that is open for signature, or was, rests on this act: what it says of it does not change any more.",
        ),
    ),
    (
        "commitments_answered_by_another",
        Code::ConflictOfInterest,
        Text::new(
            "Nul n'accepte ni ne décline ce qu'il a lui-même proposé.",
            "Nobody accepts or declines what they have proposed themselves.",
        ),
    ),
    (
        "commitments_subsidy_needs_siret",
        Code::RequirementMissing,
        Text::new(
            "Une subvention demande un porteur ou une structure porteuse avec un SIRET.",
            "A subsidy needs a holder or a host organisation with a SIRET.",
        ),
    ),
    (
        "communes_document_quota",
        Code::QuotaExceeded,
        Text::new(
            "Le quota de la commune ne couvre pas tous ses documents.",
            "The commune's quota does not cover all its documents.",
        ),
    ),
    (
        "convention_templates_one_follows",
        Code::AlreadyExists,
        Text::new(
            "Une autre version suit déjà celle-là.",
            "Another version follows that one already.",
        ),
    ),
    (
        "conventions_authority",
        Code::RequirementMissing,
        Text::new(
            "Une convention repose sur cet acte.",
            "A convention rests on this act.",
        ),
    ),
    (
        "conventions_one_active",
        Code::AlreadyExists,
        Text::new(
            "Une autre version est en vigueur.",
            "Another version is in force.",
        ),
    ),
    (
        "conventions_one_unsigned",
        Code::AlreadyExists,
        Text::new(
            "Un avenant est déjà en préparation.",
            "An amendment is being prepared already.",
        ),
    ),
    (
        "decisions_conflict_of_interest",
        Code::ConflictOfInterest,
        Text::new(
            "L'élu est membre du porteur ou de la structure porteuse, ou récusé.",
            "The official is a member of the holder or of the host organisation, or was recused.",
        ),
    ),
    (
        "decisions_mandate_held",
        Code::RequirementMissing,
        Text::new(
            "L'élu n'avait pas de mandat ce jour-là.",
            "The official had no mandate on that day.",
        ),
    ),
    (
        "decisions_recorded_by_another",
        Code::ConflictOfInterest,
        Text::new(
            "Nul n'enregistre sa propre décision.",
            "Nobody records their own decision.",
        ),
    ),
    (
        "documents_of_one_initiative",
        Code::InvalidQuery,
        Text::new(
            "convention, fulfilment ou evaluation : rien de cette initiative n'a cet identifiant.",
            "convention, fulfilment or evaluation: nothing of this initiative has this id.",
        ),
    ),
    (
        "envelopes_not_exceeded",
        Code::EnvelopeExceeded,
        Text::new(
            "L'enveloppe de l'année visée ne couvre pas tout ce qui est réservé.",
            "The envelope of that year does not cover all that is reserved.",
        ),
    ),
    (
        "evaluations_one_per_initiative",
        Code::AlreadyExists,
        Text::new(
            "Cette initiative a déjà un bilan.",
            "This initiative has an evaluation already.",
        ),
    ),
    (
        "fulfilments_nobody_acknowledges_themselves",
        Code::RequirementMissing,
        Text::new(
            "Qui l'a déclarée ne peut pas y répondre.",
            "Who recorded it cannot answer it.",
        ),
    ),
    (
        "fulfilments_payments_within_commitment",
        Code::RequirementMissing,
        Text::new(
            "Les paiements dépasseraient l'engagement.",
            "Payments would exceed the commitment.",
        ),
    ),
    (
        "conventions_authority_adopted",
        Code::RequirementMissing,
        Text::new(
            "Le conseil municipal a rejeté cette délibération.",
            "The council has rejected this deliberation.",
        ),
    ),
    (
        "inspired_by_what_is_public",
        Code::RequirementMissing,
        Text::new(
            "La fiche dont on s'inspire est publiée.",
            "What inspires is a published sheet.",
        ),
    ),
    (
        "practice_initiatives_public",
        Code::RequirementMissing,
        Text::new(
            "Ce qui prouve une fiche est une initiative publiée.",
            "What proves a sheet is a published initiative.",
        ),
    ),
    (
        "practices_proved",
        Code::RequirementMissing,
        Text::new(
            "Aucune initiative publiée ne prouve cette fiche.",
            "No published initiative proves this sheet.",
        ),
    ),
    (
        "recusals_contested_is_respected",
        Code::RequirementMissing,
        Text::new(
            "Cette personne a contesté un déport dans cette affaire.",
            "This person has contested a recusal in this matter.",
        ),
    ),
    (
        "fulfilments_not_before_promise",
        Code::RequirementMissing,
        Text::new(
            "Rien n'était encore promis ce jour-là.",
            "Nothing was promised yet on that day.",
        ),
    ),
    (
        "fulfilments_within_reach",
        Code::RequirementMissing,
        Text::new(
            "C'est plus de dix fois ce qui était promis : vérifiez l'unité, ou faites un avenant.",
            "This is more than ten times what was promised: look at the unit, or amend the convention.",
        ),
    ),
    (
        "fulfilments_timesheet_of_hours",
        Code::RequirementMissing,
        Text::new(
            "Une feuille d'heures vaut pour un travail compté en heures.",
            "A timesheet is for labour that is counted in hours.",
        ),
    ),
    (
        "fulfilments_subsidy_under_active_convention",
        Code::RequirementMissing,
        Text::new(
            "Une subvention se verse au titre d'une convention en vigueur, et pas avant sa dernière signature.",
            "A subsidy is paid under a convention that is active, and not before its last signature.",
        ),
    ),
    (
        "holders_siret_unique",
        Code::AlreadyExists,
        Text::new(
            "Un porteur de cette commune a déjà ce SIRET.",
            "A holder of this commune has this SIRET already.",
        ),
    ),
    (
        "measures_one_a_year",
        Code::AlreadyExists,
        Text::new(
            "Cet indicateur a déjà une valeur cette année-là.",
            "This indicator has a value of that year already.",
        ),
    ),
    (
        "recusals_one_per_person",
        Code::AlreadyExists,
        Text::new(
            "Cette personne est déjà récusée.",
            "This person stands aside already.",
        ),
    ),
    (
        "signatures_after_authority",
        Code::RequirementMissing,
        Text::new(
            "La signature précède le jour où l'acte d'autorisation est exécutoire.",
            "The signature comes before the day on which the authority is executory.",
        ),
    ),
    (
        "signatures_by_adults",
        Code::RequirementMissing,
        Text::new(
            "Le signataire n'était pas majeur ce jour-là.",
            "The signatory was not of age on that day.",
        ),
    ),
    (
        "signatures_by_mandate",
        Code::RequirementMissing,
        Text::new(
            "Le signataire de la commune n'avait pas de mandat pour signer ce jour-là.",
            "The commune's signatory had no mandate to sign on that day.",
        ),
    ),
    (
        "signatures_conflict_of_interest",
        Code::ConflictOfInterest,
        Text::new(
            "Le signataire de la commune est membre du porteur ou de la structure porteuse, ou récusé.",
            "The commune's signatory is a member of the holder or of the host organisation, or was recused.",
        ),
    ),
    (
        "signatures_recorded_by_another",
        Code::ConflictOfInterest,
        Text::new(
            "Nul n'enregistre sa propre signature.",
            "Nobody records their own signature.",
        ),
    ),
    (
        "upkeep_checks_done_once",
        Code::AlreadyExists,
        Text::new(
            "C'est fait : quelqu'un l'a déjà constaté.",
            "It is done: somebody has seen that already.",
        ),
    ),
    (
        "upkeep_checks_pkey",
        Code::AlreadyExists,
        Text::new(
            "Quelqu'un a déjà contrôlé ce jour-là.",
            "Somebody has checked that day already.",
        ),
    ),
    (
        "upkeep_hand_overs_accepted_by_another",
        Code::ConflictOfInterest,
        Text::new(
            "Nul n'accepte ce qu'il a lui-même proposé.",
            "Nobody accepts what they have offered themselves.",
        ),
    ),
    (
        "upkeep_hand_overs_one_offered",
        Code::AlreadyExists,
        Text::new(
            "Cet entretien est déjà proposé à quelqu'un.",
            "This upkeep is offered to somebody already.",
        ),
    ),
    (
        "users_email_unique",
        Code::AlreadyExists,
        Text::new(
            "Un compte existe déjà avec cette adresse.",
            "An account exists already with this address.",
        ),
    ),
];
