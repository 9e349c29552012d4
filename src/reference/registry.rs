//! Every closed list and every lifecycle of the API. A new one is registered here; tests find what was forgotten.

use crate::audit::{Beginning, Notice, Subject, Visibility};
use crate::auth::policy::{Role, Scope};
use crate::authorities::dto::AuthorityKind;
use crate::changes::dto::{ChangeKind, ChangeType};
use crate::clients::dto::{ClientState, UsageOutcome};
use crate::codes::CodeList;
use crate::commitments::checks::dto::{CheckOutcome, OccurrenceState};
use crate::commitments::dto::{CommitmentKind, CommuneRoute, ProposedSide, Side, ValuationMethod};
use crate::commitments::lifecycle::{
    CommitmentAction, CommitmentState, FulfilmentAction, FulfilmentState, HAND_OVER,
    HandOverAction, HandOverState, OWED_BY_COMMUNE, OWED_BY_OTHERS, PROPOSED_BY_COMMUNE,
    PROPOSED_BY_OTHERS,
};
use crate::commitments::upkeep::{Frequency, Month, Weekday};
use crate::conventions::dto::{
    AmendmentKind, ContributorStatus, EntitlementKind, Party, SignatureMethod, WorksOwnership,
};
use crate::conventions::lifecycle::{CONVENTION, ConventionAction, ConventionState};
use crate::conventions::verification::VerificationCheck;
use crate::documents::dto::{DocumentAction, DocumentPurpose, DocumentState, MediaType};
use crate::evaluations::lifecycle::{EVALUATION, EvaluationAction, EvaluationState};
use crate::exports::scdl::dto::{ScdlObstacle, ScdlSchema};
use crate::holders::dto::{HolderAction, HolderKind, MemberRole, MemberState};
use crate::imports::dto::{
    BulkOutcome, ImportFault, ImportFileType, ImportResource, ImportState, PastState, SettledState,
};
use crate::initiatives::dto::{
    AgeBand, Channel, DecisionOutcome, Delivery, Inbox, Land, OpinionOutcome, Origin, Theme,
};
use crate::initiatives::lifecycle::{INITIATIVE, InitiativeAction, InitiativeState};
use crate::lifecycle::LifecycleData;
use crate::mandates::dto::MandateRole;
use crate::metrics::chart::ChartKind;
use crate::metrics::comparison::CommuneSize;
use crate::metrics::indicators::{IndicatorKind, IndicatorUnit, RecordKind};
use crate::metrics::model::MetricGroup;
use crate::metrics::periods::PeriodUnit;
use crate::metrics::territories::TerritoryKind;
use crate::practices::dto::{LineageKind, NeighbourReason, ParticipationLevel};
use crate::practices::lifecycle::{PRACTICE, PracticeAction, PracticeState};
use crate::recusals::dto::RecusalGrounds;
use crate::sessions::dto::GrantType;
use crate::subsidies::dto::{SubsidyDuty, SubsidyInbox};
use crate::templates::articles::TemplateVariable;
use crate::users::dto::Locale;
use crate::webhooks::dto::{DeliveryFault, DeliveryState, WebhookDisabling, WebhookState};
use crate::worklist::dto::WorkKind;

/// The closed lists, in the order of the story.
pub const LISTS: &[CodeList] = &[
    Role::LIST,
    Scope::LIST,
    MandateRole::LIST,
    HolderKind::LIST,
    HolderAction::LIST,
    MemberState::LIST,
    MemberRole::LIST,
    InitiativeState::LIST,
    InitiativeAction::LIST,
    Origin::LIST,
    Delivery::LIST,
    Theme::LIST,
    Land::LIST,
    Channel::LIST,
    OpinionOutcome::LIST,
    DecisionOutcome::LIST,
    RecusalGrounds::LIST,
    AgeBand::LIST,
    EvaluationState::LIST,
    EvaluationAction::LIST,
    Inbox::LIST,
    CommitmentState::LIST,
    CommitmentAction::LIST,
    Side::LIST,
    ProposedSide::LIST,
    CommitmentKind::LIST,
    CommuneRoute::LIST,
    ValuationMethod::LIST,
    Frequency::LIST,
    Weekday::LIST,
    Month::LIST,
    OccurrenceState::LIST,
    CheckOutcome::LIST,
    FulfilmentState::LIST,
    FulfilmentAction::LIST,
    HandOverState::LIST,
    HandOverAction::LIST,
    ConventionState::LIST,
    ConventionAction::LIST,
    Party::LIST,
    EntitlementKind::LIST,
    AmendmentKind::LIST,
    AuthorityKind::LIST,
    WorksOwnership::LIST,
    ContributorStatus::LIST,
    SignatureMethod::LIST,
    DocumentPurpose::LIST,
    DocumentState::LIST,
    DocumentAction::LIST,
    MediaType::LIST,
    VerificationCheck::LIST,
    TemplateVariable::LIST,
    SubsidyDuty::LIST,
    SubsidyInbox::LIST,
    ScdlSchema::LIST,
    ScdlObstacle::LIST,
    PracticeState::LIST,
    PracticeAction::LIST,
    ParticipationLevel::LIST,
    NeighbourReason::LIST,
    LineageKind::LIST,
    IndicatorUnit::LIST,
    IndicatorKind::LIST,
    RecordKind::LIST,
    PeriodUnit::LIST,
    CommuneSize::LIST,
    MetricGroup::LIST,
    ChartKind::LIST,
    TerritoryKind::LIST,
    Subject::LIST,
    Beginning::LIST,
    Notice::LIST,
    WorkKind::LIST,
    ChangeKind::LIST,
    ChangeType::LIST,
    WebhookState::LIST,
    WebhookDisabling::LIST,
    ImportResource::LIST,
    BulkOutcome::LIST,
    PastState::LIST,
    SettledState::LIST,
    ImportFileType::LIST,
    ImportState::LIST,
    ImportFault::LIST,
    DeliveryState::LIST,
    DeliveryFault::LIST,
    ClientState::LIST,
    UsageOutcome::LIST,
    Locale::LIST,
    GrantType::LIST,
    Visibility::LIST,
];

/// The lifecycles, in the order of the story.
pub fn lifecycles() -> Vec<LifecycleData> {
    vec![
        INITIATIVE.data(),
        PROPOSED_BY_COMMUNE.data(),
        PROPOSED_BY_OTHERS.data(),
        CONVENTION.data(),
        OWED_BY_COMMUNE.data(),
        OWED_BY_OTHERS.data(),
        HAND_OVER.data(),
        EVALUATION.data(),
        PRACTICE.data(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The names in `pub enum Name "list" {` of all sources.
    fn declared(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                declared(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                names.extend(source.lines().filter_map(|line| {
                    let declaration = line.trim().strip_prefix("pub enum ")?;
                    let (_, rest) = declaration.split_once(" \"")?;
                    rest.strip_suffix("\" {").map(str::to_owned)
                }));
            }
        }
    }

    #[test]
    fn every_closed_list_is_registered_once() {
        let mut names = BTreeSet::new();
        declared(
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
            &mut names,
        );
        let registered: BTreeSet<String> = LISTS.iter().map(|list| list.name.to_owned()).collect();
        assert_eq!(registered, names);
        assert_eq!(registered.len(), LISTS.len());
    }

    #[test]
    fn everything_has_labels_in_both_languages() {
        for list in LISTS {
            for (code, fr, en) in list.codes {
                assert!(
                    !fr.is_empty() && !en.is_empty(),
                    "{code} of {} has no label",
                    list.name
                );
            }
        }
        for lifecycle in lifecycles() {
            for action in lifecycle.actions {
                assert!(!action.labels.0.is_empty(), "{}", action.code);
            }
        }
    }
}
