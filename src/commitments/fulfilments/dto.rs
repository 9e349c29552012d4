//! Fulfilments as the API shows and takes them.

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::commitments::dto::Side;
use crate::commitments::lifecycle::{FulfilmentAction, FulfilmentState};
use crate::ids::{CommitmentId, FulfilmentId};

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
    let (field, complaint) = if measures.into_iter().filter(|given| *given).count() != 1 {
        (
            "",
            "Soit amount_cents, soit quantity, soit timesheet. | Either amount_cents, or quantity, or timesheet.",
        )
    } else if new.payment_reference.is_some() && new.amount_cents.is_none() {
        (
            "payment_reference",
            "L'argent en a une, et lui seul. | Money has one, and only money.",
        )
    } else if new
        .timesheet
        .as_ref()
        .is_some_and(|sheet| sheet.iter().any(beyond))
    {
        (
            "done_on",
            "Au plus tôt le dernier jour de la feuille d'heures. | Not before the last day of the timesheet.",
        )
    } else {
        return Ok(());
    };
    Err(ValidationError::new(field).with_message(complaint.into()))
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

crate::db::jsonb!(Timesheet);
