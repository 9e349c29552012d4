//! Commitments and fulfilments as the API shows and takes them.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::lifecycle::{
    CommitmentAction, CommitmentState, FulfilmentAction, FulfilmentState, HandOverAction,
    HandOverState,
};
use super::upkeep::Upkeep;
use crate::codes::codes;
use crate::conventions::lifecycle::ConventionState;
use crate::holders::dto::HolderSummary;
use crate::ids::{CommitmentId, ConventionId, FulfilmentId, HandOverId, HolderId, InitiativeId};

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

    /// What somebody saw who looked after an upkeep.
    pub enum CheckOutcome "check_outcomes" {
        Done = "done", "Fait", "Done";
        NotDone = "not_done", "Pas fait", "Not done";
    }

    /// What is known of one occurrence of an upkeep.
    pub enum OccurrenceState "occurrence_states" {
        ToCome = "to_come", "À venir", "To come";
        PresumedDone = "presumed_done", "Présumé fait", "Presumed done";
        Done = "done", "Fait", "Done";
        NotDone = "not_done", "Pas fait", "Not done";
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
    let complaint = if financial && (new.amount_cents.is_none() || new.valuation.is_some()) {
        "De l'argent : amount_cents, et pas de valuation. | Money: amount_cents, and no valuation."
    } else if !financial && (new.valuation.is_none() || new.amount_cents.is_some()) {
        "Autre que de l'argent : valuation, et pas d'amount_cents. | Other than money: valuation, and no amount_cents."
    } else if communes != new.route.is_some() {
        "route : pour les engagements de la commune, et eux seuls. | route: for the commune's commitments, and only them."
    } else if communes && financial == (new.route == Some(CommuneRoute::InKind)) {
        "route : purchase ou subsidy pour l'argent, in_kind pour le reste. | route: purchase or subsidy for money, in_kind for the rest."
    } else if (communes && financial) != new.budget_year.is_some() {
        "budget_year : pour l'argent de la commune, et lui seul. | budget_year: for the commune's money, and only for it."
    } else if (new.side == Side::ThirdParty) != new.third_party_name.is_some() {
        "third_party_name : pour un tiers, et lui seul. | third_party_name: for a third party, and only for one."
    } else if new.due_on.is_some() == new.upkeep.is_some() {
        "Soit due_on, soit upkeep. | Either due_on or upkeep."
    } else if let Some((fr, en)) = new.upkeep.as_ref().and_then(Upkeep::complaint) {
        return Err(ValidationError::new("upkeep").with_message(format!("{fr} | {en}").into()));
    } else {
        return Ok(());
    };
    Err(ValidationError::new("consistent").with_message(complaint.into()))
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
    /// Delivered of promised, between 0 and 1: a decimal number.
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
    /// What the caller may do now.
    pub allowed_actions: Vec<CommitmentAction>,
    /// When it was proposed.
    pub created_at: DateTime<Utc>,
}

/// What one side promised and delivered of one kind.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct KindBalance {
    /// What.
    pub kind: CommitmentKind,
    /// Promised, in euro cents.
    #[schema(minimum = 0)]
    pub promised_cents: i64,
    /// Delivered and acknowledged, in euro cents.
    #[schema(minimum = 0)]
    pub delivered_cents: i64,
}

/// What one side promised and delivered.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct SideBalance {
    /// Promised, in euro cents: what is proposed, accepted, binding or done; not what was declined or withdrawn.
    #[schema(minimum = 0)]
    pub promised_cents: i64,
    /// Delivered and acknowledged, in euro cents.
    #[schema(minimum = 0)]
    pub delivered_cents: i64,
    /// The same by kind; kinds of which there is nothing are left out.
    #[schema(max_items = 6)]
    pub kinds: Vec<KindBalance>,
}

/// Something that is due.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DueCommitment {
    /// The commitment.
    pub commitment_id: CommitmentId,
    /// The initiative that it serves.
    pub initiative_id: InitiativeId,
    /// Who owes.
    pub side: Side,
    /// In a few words.
    pub title: String,
    /// By when.
    pub due_on: NaiveDate,
    /// Whether that has passed and it is not done.
    pub is_late: bool,
}

/// What each side gives: "fifty/fifty" as a number, never a target. All of it follows from the commitments as the same
/// reader sees them.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Balance {
    /// The commune.
    pub commune: SideBalance,
    /// The holder.
    pub holder: SideBalance,
    /// The host organisation.
    pub host: SideBalance,
    /// Third parties.
    pub third_party: SideBalance,
    /// Promised by all, in euro cents.
    #[schema(minimum = 0)]
    pub promised_cents: i64,
    /// Delivered by all and acknowledged, in euro cents.
    #[schema(minimum = 0)]
    pub delivered_cents: i64,
    /// Delivered by holder, host organisation and third parties, of what all have delivered: a decimal number rounded
    /// to four places, as in the metrics; null while nothing is delivered.
    #[schema(
        required,
        format = "decimal",
        pattern = r"^(0(\.[0-9]{1,4})?|1)$",
        example = "0.5"
    )]
    pub residents_share: Option<String>,
    /// Delivered of promised, each commitment counted up to its value, between 0 and 1: a decimal number cut to two
    /// places; null when nothing of value is promised.
    #[schema(
        required,
        format = "decimal",
        pattern = r"^(0\.[0-9]{2}|1\.00)$",
        example = "0.50"
    )]
    pub progress: Option<String>,
    /// How many commitments are late.
    #[schema(minimum = 0)]
    pub late_count: i64,
    /// The first twenty things that are due, what is late before all else.
    #[schema(max_items = 20)]
    pub due: Vec<DueCommitment>,
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

/// An end of upkeep.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "L'association a déménagé."}))]
pub struct EndUpkeep {
    /// Why, before its time.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub reason: Option<String>,
}

/// One day on which an upkeep is due.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Occurrence {
    /// The day.
    pub occurs_on: NaiveDate,
    /// What is known of it; what nobody has reported is presumed done.
    pub state: OccurrenceState,
    /// What was noted, for those who work on it together.
    #[schema(required)]
    pub remark: Option<String>,
    /// When somebody looked.
    #[schema(required)]
    pub checked_at: Option<DateTime<Utc>>,
}

/// The occurrences of a period, in order.
#[derive(Serialize, ToSchema)]
pub struct OccurrenceList {
    /// The occurrences.
    #[schema(max_items = 262)]
    pub data: Vec<Occurrence>,
}

/// Which occurrences to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OccurrenceFilter {
    /// From this day on; from the first day of the upkeep when it is not said.
    #[param(example = "2026-06-01")]
    pub from: Option<NaiveDate>,
    /// Until this day, at most five years after the first one; five years when it is not said.
    #[param(example = "2026-12-31")]
    pub to: Option<NaiveDate>,
}

/// What somebody saw who looked.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = says_what_is_missing))]
#[schema(example = json!({"occurs_on": "2026-06-15", "outcome": "not_done", "remark": "Deux jardinières sont sèches."}))]
pub struct NewCheck {
    /// Which occurrence: its day, today or earlier.
    pub occurs_on: NaiveDate,
    /// What was seen.
    pub outcome: CheckOutcome,
    /// What there is to say; needed when it is not done. No names of people.
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub remark: Option<String>,
}

fn says_what_is_missing(new: &NewCheck) -> Result<(), ValidationError> {
    if new.outcome == CheckOutcome::NotDone && new.remark.is_none() {
        return Err(ValidationError::new("remark")
            .with_message("remark : ce qui n'est pas fait. | remark: what is not done.".into()));
    }
    Ok(())
}

/// An upkeep to hand over.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"holder_id": "019b1f2e-7c00-8d24-8f04-6b1f4a3c9d10", "starts_on": "2027-01-01",
    "reason": "L'association des jardins prend la suite."}))]
pub struct NewUpkeepHandOver {
    /// Who is to take it over: another holder of the commune.
    pub holder_id: HolderId,
    /// From which day: today or later, within the upkeep.
    pub starts_on: NaiveDate,
    /// Why.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
}

/// An upkeep that another holder takes over, or was asked to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UpkeepHandOver {
    /// Identifier.
    pub id: HandOverId,
    /// The upkeep.
    pub commitment_id: CommitmentId,
    /// Who is to take it over.
    pub holder: HolderSummary,
    /// From which day that holder owes it, once it is accepted.
    pub starts_on: NaiveDate,
    /// Why, for those whom it concerns.
    #[schema(required)]
    pub reason: Option<String>,
    /// Offered by an agent for a resident.
    pub on_behalf: bool,
    /// When it was offered.
    pub offered_at: DateTime<Utc>,
    /// Where it stands.
    pub state: HandOverState,
    /// When it was accepted, refused or withdrawn.
    #[schema(required)]
    pub answered_at: Option<DateTime<Utc>>,
    /// Why it was refused, for those whom it concerns.
    #[schema(required)]
    pub answer_reason: Option<String>,
    /// What the caller may do now.
    pub allowed_actions: Vec<HandOverAction>,
}

/// All hand-overs of an upkeep, the oldest first.
#[derive(Serialize, ToSchema)]
pub struct UpkeepHandOverList {
    /// The hand-overs.
    pub data: Vec<UpkeepHandOver>,
}

/// A fulfilment to record.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = amount_or_quantity))]
#[schema(example = json!({"done_on": "2026-09-12", "quantity": "60", "evidence": "Feuille de présence du 12 septembre"}))]
pub struct NewFulfilment {
    /// When it was done.
    pub done_on: NaiveDate,
    /// Of a financial commitment: money, in euro cents.
    #[schema(minimum = 1, maximum = 100000000000i64, nullable = false)]
    pub amount_cents: Option<i64>,
    /// Of money: under which the treasury knows the payment, which was made on `done_on`.
    #[schema(
        min_length = 1,
        max_length = 100,
        nullable = false,
        example = "Mandat 2026-1187"
    )]
    pub payment_reference: Option<String>,
    /// Of labour in hours, in place of the quantity: who worked when and how long.
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub timesheet: Option<Vec<TimesheetLine>>,
    /// Of another one: how much, in its unit; a decimal number above 0, with at most three decimals.
    #[schema(value_type = Option<String>, format = "decimal", nullable = false,
        pattern = r"^(0*[1-9]\d{0,7}(\.\d{1,3})?|0+\.(00[1-9]|0[1-9]\d?|[1-9]\d{0,2}))$")]
    pub quantity: Option<BigDecimal>,
    /// What proves it: an attendance sheet, an invoice, a photo's reference. No names of people.
    #[schema(min_length = 1, max_length = 2000)]
    pub evidence: String,
}

fn amount_or_quantity(new: &NewFulfilment) -> Result<(), ValidationError> {
    let measures = [
        new.amount_cents.is_some(),
        new.quantity.is_some(),
        new.timesheet.is_some(),
    ];
    let beyond = |line: &TimesheetLine| line.worked_on > new.done_on;
    let complaint = if measures.into_iter().filter(|given| *given).count() != 1 {
        "Soit amount_cents, soit quantity, soit timesheet. | Either amount_cents, or quantity, or timesheet."
    } else if new.payment_reference.is_some() && new.amount_cents.is_none() {
        "payment_reference : pour de l'argent. | payment_reference: for money."
    } else if new
        .timesheet
        .as_ref()
        .is_some_and(|sheet| sheet.iter().any(beyond))
    {
        "done_on : au plus tôt le dernier jour de la feuille d'heures. | done_on: not before the last day of the timesheet."
    } else {
        return Ok(());
    };
    Err(ValidationError::new("amount").with_message(complaint.into()))
}

/// Work of one day.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"worked_on": "2026-09-12", "minutes": 180, "people": 6, "label": "Équipe du samedi"}))]
pub struct TimesheetLine {
    /// The day.
    pub worked_on: NaiveDate,
    /// How long each of them worked.
    #[schema(minimum = 1, maximum = 1440)]
    pub minutes: i32,
    /// How many they were.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    pub people: i32,
    /// Which team or task, for those who work on it together. No names of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60, nullable = false)]
    pub label: Option<String>,
}

const fn one() -> i32 {
    1
}

/// The lines of a timesheet, as the database keeps them.
#[derive(
    Clone,
    Debug,
    Serialize,
    Deserialize,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(transparent)]
pub struct Timesheet(pub Vec<TimesheetLine>);
crate::db::jsonb!(Timesheet);

impl Timesheet {
    /// The minutes of all people.
    pub fn minutes(&self) -> i64 {
        let of = |line: &TimesheetLine| i64::from(line.minutes) * i64::from(line.people);
        self.0.iter().map(of).sum()
    }
}

/// A dated piece of evidence that part of a commitment was done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Fulfilment {
    /// Identifier.
    pub id: FulfilmentId,
    /// The commitment.
    pub commitment_id: CommitmentId,
    /// When it was done.
    pub done_on: NaiveDate,
    /// Money, in euro cents; null for what is no money.
    #[schema(required)]
    pub amount_cents: Option<i64>,
    /// Under which the treasury knows the payment.
    #[schema(required)]
    pub payment_reference: Option<String>,
    /// Who worked when and how long; null where none was given.
    #[schema(required)]
    pub timesheet: Option<Vec<TimesheetLine>>,
    /// What the timesheet adds up to: the quantity is a sixtieth of it rounded to three decimals, the value a sixtieth of
    /// it at the unit value rounded to cents.
    #[schema(required, minimum = 1)]
    pub minutes: Option<i64>,
    /// How much, in the commitment's unit; null for money.
    #[schema(required, value_type = Option<String>, format = "decimal")]
    pub quantity: Option<BigDecimal>,
    /// Its value, in euro cents.
    #[schema(minimum = 0)]
    pub value_cents: i64,
    /// What proves it.
    pub evidence: String,
    /// The side that did it.
    pub recorded_side: Side,
    /// Recorded by an agent for a resident.
    pub on_behalf: bool,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Where it stands.
    pub state: FulfilmentState,
    /// When the other side answered, or silence did.
    #[schema(required)]
    pub answered_at: Option<DateTime<Utc>>,
    /// Why it was disputed.
    #[schema(required)]
    pub dispute_reason: Option<String>,
    /// Why the dispute was settled as it was.
    #[schema(required)]
    pub settlement_reason: Option<String>,
    /// What the caller may do now.
    pub allowed_actions: Vec<FulfilmentAction>,
}

/// All fulfilments of a commitment, the oldest first.
#[derive(Serialize, ToSchema)]
pub struct FulfilmentList {
    /// The fulfilments.
    pub data: Vec<Fulfilment>,
}

/// The end of a dispute.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"acknowledge": true, "reason": "La feuille de présence fait foi."}))]
pub struct Settlement {
    /// Whether the fulfilment counts.
    pub acknowledge: bool,
    /// Why.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
}
