//! The values of the variables of articles, from the content that is signed.

use crate::authorities::dto::AuthorityKind;
use crate::commitments::dto::{CommuneRoute, Side};
use crate::conventions::content::{ContentAuthority, ConventionContent};
use crate::conventions::dto::{ContributorStatus, Party, WorksOwnership};
use crate::initiatives::dto::Land;
use crate::templates::articles::TemplateVariable as Variable;
use crate::typesetting::french::{clean, date, money};

/// The terms of a convention that its paper says in any case.
pub const TERMS: &[(Variable, &str)] = &[
    (Variable::Object, "Objet"),
    (Variable::StartsOn, "Premier jour"),
    (Variable::EndsOn, "Dernier jour"),
    (Variable::LongDurationReason, "Motif de la durée"),
    (Variable::Renewal, "À son terme la convention"),
    (Variable::Land, "Terrain"),
    (Variable::LandDescription, "Désignation du terrain"),
    (Variable::LandFee, "Redevance"),
    (Variable::LandFeeExemption, "Exonération de redevance"),
    (Variable::ClergyAgreement, "Accord de l’affectataire"),
    (Variable::WorksOwnership, "Les ouvrages appartiennent"),
    (Variable::ContributorStatus, "Qualité des contributeurs"),
    (Variable::CommuneInsurance, "Assurance de la commune"),
    (Variable::HolderInsurance, "Assurance du porteur"),
    (Variable::ForbiddenTasks, "Tâches interdites"),
    (Variable::SupervisionOfMinors, "Encadrement des mineurs"),
    (Variable::ImageConsent, "Droit à l’image"),
    (Variable::NoUpkeepReason, "Absence d’entretien"),
    (Variable::Notice, "Chaque partie peut résilier"),
    (Variable::EvaluationTerms, "Bilan"),
    (Variable::Authority, "Acte d’autorisation"),
];

/// What a variable stands for in this content; nothing where the content has nothing to say.
pub fn value(content: &ConventionContent, variable: Variable) -> Option<String> {
    let typed = |text: &Option<String>| text.as_deref().map(clean);
    match variable {
        Variable::Commune => Some(clean(&content.commune.name)),
        Variable::Initiative => Some(clean(&content.initiative.title)),
        Variable::Object => Some(clean(&content.object)),
        Variable::Number => (content.number > 1).then(|| content.number.to_string()),
        Variable::Host => {
            let mut parties = content.parties.iter();
            typed(&parties.find(|party| party.party == Party::Host)?.name)
        }
        Variable::StartsOn => Some(date(content.starts_on)),
        Variable::EndsOn => Some(date(content.ends_on)),
        Variable::LongDurationReason => typed(&content.long_duration_reason),
        Variable::Renewal => Some(
            if content.tacit_renewal {
                "se renouvelle par tacite reconduction"
            } else {
                "prend fin sans tacite reconduction"
            }
            .to_owned(),
        ),
        Variable::Land => land(content.land).map(str::to_owned),
        Variable::PublicDomain => {
            (content.land == Land::PublicDomain).then(|| "domaine public".to_owned())
        }
        Variable::LandDescription => typed(&content.land_description),
        Variable::LandFee => content.land_fee_cents.filter(|fee| *fee > 0).map(money),
        Variable::LandFeeExemption => typed(&content.land_fee_exemption),
        Variable::ClergyAgreement => typed(&content.clergy_agreement),
        Variable::WorksOwnership => Some(
            match content.works_ownership {
                WorksOwnership::Commune => "à la commune",
                WorksOwnership::Holder => "au porteur de projet",
                WorksOwnership::Shared => "aux deux parties",
            }
            .to_owned(),
        ),
        Variable::ContributorStatus => Some(
            match content.contributor_status {
                ContributorStatus::AssociationVolunteer => "bénévoles d’une association",
                ContributorStatus::OccasionalCollaborator => {
                    "collaborateurs occasionnels du service public"
                }
            }
            .to_owned(),
        ),
        Variable::CommuneInsurance => typed(&content.commune_insurance),
        Variable::HolderInsurance => typed(&content.holder_insurance),
        Variable::ForbiddenTasks => typed(&content.forbidden_tasks),
        Variable::SupervisionOfMinors => typed(&content.supervision_of_minors),
        Variable::ImageConsent => typed(&content.image_consent),
        Variable::UpkeepUntil => content
            .commitments
            .iter()
            .filter(|held| matches!(held.side, Side::Holder | Side::Host))
            .filter_map(|held| held.upkeep.as_ref().map(|upkeep| upkeep.ends_on))
            .max()
            .map(date),
        Variable::NoUpkeepReason => typed(&content.no_upkeep_reason),
        Variable::Notice => Some(match content.notice_days {
            0 => "sans préavis".to_owned(),
            1 => "avec un préavis d’un jour".to_owned(),
            days => format!("avec un préavis de {days}\u{a0}jours"),
        }),
        Variable::EvaluationTerms => typed(&content.evaluation_terms),
        Variable::Authority => content.authority.as_ref().map(authority),
        Variable::Subsidy => {
            let subsidies = content
                .commitments
                .iter()
                .filter(|held| held.route == Some(CommuneRoute::Subsidy));
            Some(sum(subsidies.map(|held| held.value_cents)))
                .filter(|sum| *sum > 0)
                .map(money)
        }
        Variable::CommuneValue => Some(money(promised(content, true))),
        Variable::ResidentsValue => Some(money(promised(content, false))),
    }
}

/// What the commune, or all others, promise, in euro cents.
pub fn promised(content: &ConventionContent, by_commune: bool) -> i64 {
    let theirs = content
        .commitments
        .iter()
        .filter(|held| (held.side == Side::Commune) == by_commune);
    sum(theirs.map(|held| held.value_cents))
}

fn sum(cents: impl Iterator<Item = i64>) -> i64 {
    cents.fold(0, i64::saturating_add)
}

const fn land(land: Land) -> Option<&'static str> {
    match land {
        Land::None => None,
        Land::PublicDomain => Some("domaine public de la commune"),
        Land::PrivateDomain => Some("domaine privé de la commune"),
        Land::RuralTrack => Some("chemin rural"),
        Land::Church => Some("édifice affecté au culte"),
    }
}

/// « délibération n° 2026-06-042 du 12 juin 2026, exécutoire le 15 juin 2026 ».
fn authority(authority: &ContentAuthority) -> String {
    let kind = match authority.kind {
        AuthorityKind::Deliberation => "délibération du conseil municipal",
        AuthorityKind::FrameworkDeliberation => "délibération-cadre du conseil municipal",
        AuthorityKind::DelegatedDecision => "décision prise par délégation du conseil municipal",
        AuthorityKind::MayorOrder => "arrêté du maire",
    };
    let executory = match authority.executory_on {
        Some(day) => format!("exécutoire le {}", date(day)),
        None => "pas encore exécutoire".to_owned(),
    };
    format!(
        "{kind} ({}) du {}, {executory}",
        clean(&authority.reference),
        date(authority.decided_on),
    )
}
