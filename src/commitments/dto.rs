//! Commitments as the API shows and takes them.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::balance::dto::Balance;
use super::lifecycle::{CommitmentAction, CommitmentState};
use super::upkeep::Upkeep;
use crate::codes::codes;
use crate::conventions::lifecycle::ConventionState;
use crate::ids::{CommitmentId, ConventionId, HolderId, InitiativeId};

codes! {
    /// Who owes.
    pub enum Side "sides" {
        Commune = "commune", "La commune", "The commune";
        Holder = "holder", "Le porteur", "The holder";
        Host = "host", "La structure porteuse", "The host organisation";
        ThirdParty = "third_party", "Un tiers", "A third party";
    }

    /// What is promised.
    pub enum CommitmentKind "commitment_kinds" {
        Financial = "financial", "Argent", "Money";
        Material = "material", "Matériel et matériaux", "Equipment and material";
        Technical = "technical", "Aide technique", "Technical help";
        Labour = "labour", "Travail", "Labour";
        Premises = "premises", "Locaux", "Premises";
        Advice = "advice", "Conseil", "Advice";
    }

    /// How the commune's help goes out.
    pub enum CommuneRoute "commune_routes" {
        Purchase = "purchase", "La commune achète", "The commune buys";
        Subsidy = "subsidy", "Subvention", "Subsidy";
        InKind = "in_kind", "En nature", "In kind";
    }

    /// How something that is no money is valued.
    pub enum ValuationMethod "valuation_methods" {
        RealCost = "real_cost", "Coût réel", "Real cost";
        ReplacementCost = "replacement_cost", "Coût de remplacement", "Replacement cost";
        HourlyRate = "hourly_rate", "Taux horaire", "Hourly rate";
    }

    /// The side that put something on the table.
    pub enum ProposedSide "proposed_sides" {
        Commune = "commune", "La commune", "The commune";
        Holder = "holder", "Le porteur", "The holder";
    }
}

/// A quantity of something, at a value for each unit.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Valuation {
    /// How much: a decimal number above 0, with at most three decimals.
    #[schema(value_type = String, format = "decimal", pattern = r"^(0*[1-9]\d{0,7}(\.\d{1,3})?|0+\.(00[1-9]|0[1-9]\d?|[1-9]\d{0,2}))$", example = "120")]
    pub quantity: BigDecimal,
    /// Of what.
    #[schema(min_length = 1, max_length = 40, example = "heure")]
    pub unit: String,
    /// Value of one unit, in euro cents.
    #[schema(minimum = 0, maximum = 100000000, example = 1500)]
    pub unit_value_cents: i64,
    /// How the value was found.
    pub method: ValuationMethod,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 300,
        nullable = false,
        example = "SMIC horaire 2026"
    )]
    pub source: Option<String>,
}

/// A commitment to propose.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = consistent))]
#[schema(example = json!({"side": "holder", "kind": "labour", "title": "Travail des agriculteurs",
    "valuation": {"quantity": "120", "unit": "heure", "unit_value_cents": 1500, "method": "hourly_rate",
    "source": "SMIC horaire 2026"}, "due_on": "2026-10-31"}))]
pub struct NewCommitment {
    /// Who owes.
    pub side: Side,
    /// What.
    pub kind: CommitmentKind,
    /// In a few words.
    #[schema(min_length = 3, max_length = 200)]
    pub title: String,
    /// In more words.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub description: Option<String>,
    /// Who gives, when a third party does: a legal body, no natural person.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub third_party_name: Option<String>,
    /// How the commune's help goes out; for the commune's commitments only.
    #[schema(nullable = false)]
    pub route: Option<CommuneRoute>,
    /// Money, in euro cents; for financial commitments only.
    #[schema(minimum = 1, maximum = 100000000000i64, nullable = false)]
    pub amount_cents: Option<i64>,
    /// Everything that is no money.
    #[schema(nullable = false)]
    pub valuation: Option<Valuation>,
    /// Year of the envelope; for the commune's money only.
    #[schema(minimum = 1990, maximum = 2100, nullable = false)]
    pub budget_year: Option<i32>,
    /// By when, for what is done once.
    #[schema(nullable = false)]
    pub due_on: Option<NaiveDate>,
    /// From when to when and how often, for upkeep.
    #[schema(nullable = false)]
    pub upkeep: Option<Upkeep>,
}

fn consistent(new: &NewCommitment) -> Result<(), ValidationError> {
    let financial = new.kind == CommitmentKind::Financial;
    let communes = new.side == Side::Commune;
    let (field, complaint) = if financial && (new.amount_cents.is_none() || new.valuation.is_some())
    {
        (
            "amount_cents",
            "De l'argent : amount_cents, et pas de valuation. | Money: amount_cents, and no valuation.",
        )
    } else if !financial && (new.valuation.is_none() || new.amount_cents.is_some()) {
        (
            "valuation",
            "Autre que de l'argent : valuation, et pas d'amount_cents. | Other than money: valuation, and no amount_cents.",
        )
    } else if communes != new.route.is_some() {
        (
            "route",
            "Les engagements de la commune en ont un, et eux seuls. | The commune's commitments have one, and only they.",
        )
    } else if communes && financial == (new.route == Some(CommuneRoute::InKind)) {
        (
            "route",
            "purchase ou subsidy pour l'argent, in_kind pour le reste. | purchase or subsidy for money, in_kind for the rest.",
        )
    } else if (communes && financial) != new.budget_year.is_some() {
        (
            "budget_year",
            "L'argent de la commune en a un, et lui seul. | The commune's money has one, and only that.",
        )
    } else if (new.side == Side::ThirdParty) != new.third_party_name.is_some() {
        (
            "third_party_name",
            "Un tiers a un nom, et lui seul. | A third party has one, and only a third party.",
        )
    } else if new.due_on.is_some() == new.upkeep.is_some() {
        ("", "Soit due_on, soit upkeep. | Either due_on or upkeep.")
    } else if let Some((fr, en)) = new.upkeep.as_ref().and_then(Upkeep::complaint) {
        return Err(ValidationError::new("upkeep").with_message(format!("{fr} | {en}").into()));
    } else {
        return Ok(());
    };
    Err(ValidationError::new(field).with_message(complaint.into()))
}

/// Something one side promises to the other, valued.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Commitment {
    /// Identifier, the same in every version of a convention.
    pub id: CommitmentId,
    /// The initiative that it serves.
    pub initiative_id: InitiativeId,
    /// Who owes.
    pub side: Side,
    /// What.
    pub kind: CommitmentKind,
    /// In a few words.
    #[schema(example = "Travail des agriculteurs")]
    pub title: String,
    /// In more words.
    #[schema(required)]
    pub description: Option<String>,
    /// Who gives, when a third party does.
    #[schema(required)]
    pub third_party_name: Option<String>,
    /// How the commune's help goes out; null for the others.
    #[schema(required)]
    pub route: Option<CommuneRoute>,
    /// Everything that is no money; null for money.
    #[schema(required)]
    pub valuation: Option<Valuation>,
    /// Value of the whole, in euro cents.
    #[schema(example = 180000, minimum = 0)]
    pub value_cents: i64,
    /// Value of the acknowledged fulfilments, in euro cents.
    #[schema(example = 90000, minimum = 0)]
    pub delivered_cents: i64,
    /// Delivered of promised, between 0 and 1: a decimal number. Upkeep that is presumed done delivers nothing until it is
    /// recorded as a fulfilment.
    #[schema(
        format = "decimal",
        pattern = r"^(0\.[0-9]{2}|1\.00)$",
        example = "0.50"
    )]
    pub progress: String,
    /// Year of the envelope, for the commune's money.
    #[schema(required)]
    pub budget_year: Option<i32>,
    /// By when; null for upkeep.
    #[schema(required)]
    pub due_on: Option<NaiveDate>,
    /// From when to when and how often, for upkeep.
    #[schema(required)]
    pub upkeep: Option<Upkeep>,
    /// Day on which the upkeep ended.
    #[schema(required)]
    pub upkeep_ended_on: Option<NaiveDate>,
    /// The holder who has taken the upkeep over and owes it today; null while the side that promised it does.
    #[schema(required)]
    pub kept_by: Option<HolderId>,
    /// The day by which something is to be done, of what binds and is not settled: of what is late a day that has
    /// passed, of upkeep its next occurrence. Null when nothing is due.
    #[schema(required)]
    pub next_due_on: Option<NaiveDate>,
    /// What was due is not done: the day has passed or, of upkeep, its last occurrence was reported as not done.
    pub is_late: bool,
    /// The side that put it on the table.
    pub proposed_side: ProposedSide,
    /// Where it stands.
    pub state: CommitmentState,
    /// When it came there.
    pub state_changed_at: DateTime<Utc>,
    /// Why it was declined, withdrawn or left unfulfilled.
    #[schema(required)]
    pub reason: Option<String>,
    /// The name that a partner's system gives it; null where none does.
    #[schema(required, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
    /// When it was imported as what it had become before; null for what happened here.
    #[schema(required)]
    pub imported_at: Option<DateTime<Utc>>,
    /// What the caller may do now.
    pub allowed_actions: Vec<CommitmentAction>,
    /// When it was proposed.
    pub created_at: DateTime<Utc>,
}

/// The convention that binds the commitments, in short.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct BindingConvention {
    /// Identifier of this version.
    pub id: ConventionId,
    /// Number of the version, from 1.
    #[schema(minimum = 1)]
    pub number: i32,
    /// Where it stands.
    pub state: ConventionState,
    /// When it came there.
    pub state_changed_at: DateTime<Utc>,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
}

/// All commitments of an initiative, in the order in which they were proposed.
#[derive(Serialize, ToSchema)]
pub struct CommitmentList {
    /// The commitments.
    pub data: Vec<Commitment>,
    /// What they add up to.
    pub balance: Balance,
    /// The version that is in force, or was the last one in force; null while none was signed by all.
    #[schema(required)]
    pub convention: Option<BindingConvention>,
}

/// A page of the commitments of a commune, the latest first.
#[derive(Serialize, ToSchema)]
pub struct CommitmentPage {
    /// The commitments of this page.
    pub data: Vec<Commitment>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Which commitments to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CommitmentFilter {
    /// Only those of this side.
    pub side: Option<Side>,
    /// Only of this kind.
    pub kind: Option<CommitmentKind>,
    /// Only in these states, separated by commas.
    #[param(style = Form, explode = false, min_items = 1, max_items = 7, example = json!(["binding"]))]
    pub state: Option<Vec<CommitmentState>>,
    /// Only money of this year's envelope.
    #[param(minimum = 1990, maximum = 2100, example = 2026)]
    pub budget_year: Option<i32>,
}

/// An end of upkeep.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "L'association a déménagé."}))]
pub struct EndUpkeep {
    /// Why, before its time.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub reason: Option<String>,
}
