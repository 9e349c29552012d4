//! Commitments of the past.

use serde_json::json;

use super::{Faults, Follow, Known, Ready, Scope, row};
use crate::clock::{is_past, start_of};
use crate::commitments::dto::{CommitmentKind, NewCommitment, Side};
use crate::http::error::{ApiError, FaultCode};
use crate::ids::{CommitmentId, FulfilmentId};
use crate::imports::dto::{CommitmentExtra, SettledState};
use crate::imports::merge::Table;

static TABLE: Table = Table {
    name: "commitments",
    fixed: &[
        "proposed_side",
        "proposed_by",
        "imported_at",
        "state_changed_at",
    ],
    changing: &[&[
        "initiative_id",
        "side",
        "kind",
        "state",
        "title",
        "description",
        "third_party_name",
        "route",
        "amount_cents",
        "quantity",
        "unit",
        "unit_value_cents",
        "valuation_method",
        "valuation_source",
        "budget_year",
        "due_on",
        "reason",
    ]],
    kept: &[],
    derive: None,
    blocked: "'settled'",
};

pub fn prepare(
    scope: &Scope<'_>,
    known: &Known,
    new: NewCommitment,
    extra: CommitmentExtra,
) -> Result<Ready, ApiError> {
    let mut faults = Faults::default();
    let initiative = faults.referred(
        "initiative",
        (extra.initiative_id, extra.initiative_external_id.as_ref()),
        &known.initiatives,
        &known.initiatives_named,
    );
    if extra.initiative_id.is_none() && extra.initiative_external_id.is_none() {
        faults.missing("initiative_external_id");
    }
    let matter = initiative.and_then(|id| known.initiatives.get(&id));
    if let Some(matter) = matter {
        if !matches!(matter.past.as_deref(), Some("completed" | "closed")) {
            faults.add(
                "/initiative_external_id",
                FaultCode::Inconsistent,
                "Seulement d'une initiative importée comme réalisée ou clôturée.",
                "Only of an initiative that was imported as completed or closed.",
            );
        }
        if new.side == Side::Host && matter.host.is_none() {
            faults.add(
                "/side",
                FaultCode::Inconsistent,
                "L'initiative n'a pas de structure porteuse.",
                "The initiative has no host organisation.",
            );
        }
    }
    let is_money = new.kind == CommitmentKind::Financial;
    let nothing = extra.state == SettledState::Unfulfilled;
    for (field, is_there, belongs) in [
        ("delivered_cents", extra.delivered_cents.is_some(), is_money),
        (
            "delivered_quantity",
            extra.delivered_quantity.is_some(),
            !is_money,
        ),
        ("delivered_on", extra.delivered_on.is_some(), true),
    ] {
        if is_there && (nothing || !belongs) {
            faults.add(
                &format!("/{field}"),
                FaultCode::Inconsistent,
                "Cela ne va pas avec le reste.",
                "This does not go with the rest.",
            );
        } else if !is_there && belongs && !nothing {
            faults.missing(field);
        }
    }
    if extra
        .delivered_on
        .is_some_and(|day| !is_past(day, scope.today))
    {
        faults.not_past("delivered_on");
    }
    faults.none()?;
    let Some((initiative, matter)) = initiative.zip(matter) else {
        return Err(ApiError::not_found());
    };
    known.apart(matter.holder, matter.host)?;

    let id = CommitmentId::new(&scope.commune.code, scope.now)?;
    let valuation = new.valuation.as_ref();
    let values = json!({
        "initiative_id": initiative,
        "side": new.side,
        "kind": new.kind,
        "state": extra.state,
        "title": new.title,
        "description": new.description,
        "third_party_name": new.third_party_name,
        "route": new.route,
        "amount_cents": new.amount_cents,
        "quantity": valuation.map(|valuation| &valuation.quantity),
        "unit": valuation.map(|valuation| &valuation.unit),
        "unit_value_cents": valuation.map(|valuation| valuation.unit_value_cents),
        "valuation_method": valuation.map(|valuation| valuation.method),
        "valuation_source": valuation.and_then(|valuation| valuation.source.as_ref()),
        "budget_year": new.budget_year,
        "due_on": new.due_on,
        "proposed_side": if new.side == Side::Commune { "commune" } else { "holder" },
        "proposed_by": scope.me,
        "imported_at": scope.now,
        "state_changed_at": extra.delivered_on.or(new.due_on).map(start_of),
    });
    let delivered = extra.delivered_on.map(|day| {
        json!({
            "id": FulfilmentId::new(&scope.commune.code, scope.now).map(|id| id.0).ok(),
            "commune_code": scope.commune.code,
            "commitment_id": id,
            "state": "recorded",
            "done_on": day,
            "amount_cents": extra.delivered_cents,
            "quantity": extra.delivered_quantity,
            "unit_value_cents": valuation.map(|valuation| valuation.unit_value_cents),
            "evidence": extra.evidence.as_deref().unwrap_or("Import"),
            "recorded_by": scope.me,
            "recorded_side": new.side,
            "on_behalf": new.side != Side::Commune,
            "recorded_at": scope.now,
            "version": 1,
        })
    });
    Ok(Ready {
        row: row(id.0, scope, &extra.external_id, values),
        table: &TABLE,
        follow: Follow::Settled {
            initiative,
            delivered: delivered.and_then(|value| value.as_object().cloned()),
        },
    })
}
