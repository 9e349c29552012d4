//! Commitments as a reader sees them, with what is known of each besides its row.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::balance::model::{self as balance, Tally};
use super::checks::dto::CheckOutcome;
use super::dto::{Commitment, Valuation};
use super::hand_overs::model as hand_overs;
use super::lifecycle::{CommitmentAction, CommitmentState, WITH_ROUTE};
use super::model::CommitmentRow;
use crate::auth::policy::Standing;
use crate::http::error::ApiError;
use crate::ids::{CommitmentId, InitiativeId};
use crate::state::Session;

impl CommitmentRow {
    /// The day by which something is to be done, and whether that is late. An occurrence that was reported as not done
    /// is late until the next one comes, which is presumed done.
    fn due(&self, tally: &Tally, today: NaiveDate) -> Option<(NaiveDate, bool)> {
        if let Some(due_on) = self.due_on {
            return (!self.is_settled() && CommitmentState::BOUND.contains(&self.state))
                .then_some((due_on, due_on < today));
        }
        let upkeep = self.upkeep()?;
        if self.state != CommitmentState::Binding {
            return None;
        }
        let next = |after: NaiveDate| upkeep.occurrences(after).find(|day| *day > after);
        let (looked_on, missed) = match tally.last_check {
            Some((day, outcome)) => (day, outcome == CheckOutcome::NotDone),
            None => return upkeep.occurrences(today).next().map(|day| (day, false)),
        };
        let following = next(looked_on);
        if missed && following.is_none_or(|day| day > today) {
            return Some((looked_on, true));
        }
        let due_on = if looked_on >= today {
            following
        } else {
            upkeep.occurrences(today).next()
        };
        due_on.map(|day| (day, false))
    }

    /// As the API shows it, with what is known of it besides.
    pub fn show(&self, tally: Tally, today: NaiveDate, standing: &Standing) -> Commitment {
        let due = self.due(&tally, today);
        let delivered_cents = tally.delivered_cents;
        let valuation = match (
            &self.quantity,
            &self.unit,
            self.unit_value_cents,
            self.valuation_method,
        ) {
            (Some(quantity), Some(unit), Some(unit_value_cents), Some(method)) => Some(Valuation {
                quantity: quantity.normalized(),
                unit: unit.clone(),
                unit_value_cents,
                method,
                source: self.valuation_source.clone(),
            }),
            _ => None,
        };
        Commitment {
            id: self.id,
            initiative_id: self.initiative_id,
            side: self.side,
            kind: self.kind,
            title: self.title.clone(),
            description: self.description.clone(),
            third_party_name: self.third_party_name.clone(),
            route: self.route,
            valuation,
            value_cents: self.value_cents,
            delivered_cents,
            progress: balance::progress(delivered_cents, self.value_cents),
            budget_year: self.budget_year,
            due_on: self.due_on,
            upkeep: self.upkeep(),
            upkeep_ended_on: self.upkeep_ended_on,
            kept_by: tally.kept_by,
            next_due_on: due.map(|(day, _)| day),
            is_late: due.is_some_and(|(_, late)| late),
            proposed_side: self.proposed_side,
            state: self.state,
            state_changed_at: self.state_changed_at,
            reason: self.reason.clone(),
            external_id: self.external_id.clone(),
            imported_at: self.imported_at,
            allowed_actions: self
                .lifecycle()
                .allowed(self.state, standing)
                .into_iter()
                .filter(|action| WITH_ROUTE.contains(action))
                .filter(|action| {
                    self.is_upkeep()
                        || !matches!(
                            action,
                            CommitmentAction::EndUpkeep | CommitmentAction::Check
                        )
                })
                .filter(|action| self.permit(*action, standing).is_ok())
                .collect(),
            created_at: self.created_at,
        }
    }
}

/// The commitments of an initiative that the caller may read, as the caller sees them.
pub async fn show_all(
    session: &mut Session,
    id: InitiativeId,
    standing: &Standing,
) -> Result<Vec<Commitment>, ApiError> {
    let today = session.today();
    let rows = balance::of_initiative(&mut session.conn, id, today).await?;
    shown(session, rows, standing).await
}

/// These commitments of an initiative, as far as the caller may read them, as the caller sees them.
pub async fn show(
    session: &mut Session,
    id: InitiativeId,
    rows: Vec<CommitmentRow>,
    standing: &Standing,
) -> Result<Vec<Commitment>, ApiError> {
    let today = session.today();
    let tallies: HashMap<CommitmentId, Tally> =
        balance::of_initiative(&mut session.conn, id, today)
            .await?
            .into_iter()
            .map(|(row, tally)| (row.id, tally))
            .collect();
    let tallied = |row: CommitmentRow| {
        let tally = tallies.get(&row.id).copied().unwrap_or_default();
        (row, tally)
    };
    shown(session, rows.into_iter().map(tallied).collect(), standing).await
}

async fn shown(
    session: &mut Session,
    rows: Vec<(CommitmentRow, Tally)>,
    standing: &Standing,
) -> Result<Vec<Commitment>, ApiError> {
    let today = session.today();
    let mut shown = Vec::new();
    for (row, tally) in rows {
        if row.is_readable(standing) {
            let own = hand_overs::standing(session, standing, &row, tally.kept_by).await?;
            shown.push(row.show(tally, today, &own));
        }
    }
    Ok(shown)
}
