//! Writing a draft, and changing it: its terms, its parties, its commitments.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::input::{ConventionPatch, NewConvention, NewTermsOfCommitment};
use super::lifecycle::{ConventionAction, ConventionState, LIVE};
use super::model::{self, ConventionRow, NewTerms};
use super::naming;
use crate::auth::policy::Role;
use crate::authorities;
use crate::commitments;
use crate::commitments::lifecycle::CommitmentState;
use crate::commitments::upkeep::Upkeep;
use crate::db::schema::{convention_commitments, conventions};
use crate::http::error::{ApiError, Code, Fault, FaultCode, Text};
use crate::ids::{CommitmentId, ConventionId};
use crate::initiatives;
use crate::lifecycle::Step;
use crate::state::Session;

/// Drafts version 1 for an initiative that the caller holds locked, with its parties and its commitments.
pub async fn draft(
    session: &mut Session,
    initiative: &initiatives::model::Found,
    role: Role,
    new: NewConvention,
) -> Result<ConventionRow, ApiError> {
    let about = &initiative.row;
    let live = model::lock_all(&mut session.conn, about.id, LIVE).await?;
    if let [live, ..] = live.as_slice() {
        return Err(ApiError {
            state: Some(live.state.code()),
            ..ApiError::because(
                Code::AlreadyExists,
                "L'initiative a déjà une convention.",
                "The initiative has a convention already.",
            )
        });
    }
    let holder_id = about
        .holder_id
        .ok_or_else(|| ApiError::internal("an accepted initiative without a holder"))?;
    let id = ConventionId::new(&about.commune_code, session.now)?;
    authorities::model::require(&mut session.conn, &about.commune_code, new.authority_id).await?;
    let row = ConventionRow {
        id,
        commune_code: about.commune_code.clone(),
        root_id: id,
        number: 1,
        initiative_id: about.id,
        holder_id,
        host_id: about.host_id,
        state: ConventionState::Draft,
        object: new.object,
        starts_on: new.starts_on,
        ends_on: new.ends_on,
        long_duration_reason: new.long_duration_reason,
        land: new.land.unwrap_or(about.land),
        land_description: new.land_description,
        land_fee_cents: new.land_fee_cents,
        land_fee_exemption: new.land_fee_exemption,
        tacit_renewal: new.tacit_renewal,
        clergy_agreement: new.clergy_agreement,
        works_ownership: new.works_ownership,
        contributor_status: new.contributor_status,
        commune_insurance: new.commune_insurance,
        holder_insurance: new.holder_insurance,
        forbidden_tasks: new.forbidden_tasks,
        supervision_of_minors: new.supervision_of_minors,
        image_consent: new.image_consent,
        no_upkeep_reason: new.no_upkeep_reason,
        notice_days: new.notice_days,
        evaluation_terms: new.evaluation_terms,
        supersedes_id: None,
        amendment_kind: None,
        amendment_reason: None,
        authority_id: new.authority_id,
        content: None,
        content_sha256: None,
        opened_at: None,
        activated_at: None,
        ended_at: None,
        effective_on: None,
        reason: None,
        practical_information: None,
        created_by: session.actor.person()?.id,
        state_changed_at: session.now,
        created_at: session.now,
        version: 1,
        template_id: None,
    };
    diesel::insert_into(conventions::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    naming::name(session, &row, &new.parties).await?;
    hold(session, &row, new.commitment_ids.as_deref()).await?;
    let step = Step {
        from: row.state,
        to: row.state,
        role,
    };
    model::record(session, &row, step, ConventionAction::Create, None).await?;
    Ok(row)
}

/// Chooses what a draft holds: these commitments, or all that are proposed or accepted; an amendment also what the
/// version before it holds.
pub async fn hold(
    session: &mut Session,
    row: &ConventionRow,
    chosen: Option<&[CommitmentId]>,
) -> Result<(), ApiError> {
    let before = match row.supersedes_id {
        Some(before) => model::held(&mut session.conn, before).await?,
        None => Vec::new(),
    };
    let on_the_table: Vec<CommitmentId> =
        commitments::model::of_initiative(&mut session.conn, row.initiative_id)
            .await?
            .into_iter()
            .filter(|commitment| {
                before.contains(&commitment.id)
                    || matches!(
                        commitment.state,
                        CommitmentState::Proposed | CommitmentState::Accepted
                    )
            })
            .map(|commitment| commitment.id)
            .collect();
    if let Some(chosen) = chosen {
        let faults: Vec<Fault> = chosen
            .iter()
            .enumerate()
            .filter(|(_, id)| !on_the_table.contains(id))
            .map(|(index, _)| {
                let text = Text::new(
                    "Aucun engagement proposé, accepté ou déjà dans la convention n'a cet identifiant.",
                    "No commitment that is proposed, accepted or in the convention already has this id.",
                );
                Fault::at(
                    &format!("/commitment_ids/{index}"),
                    FaultCode::NotFound,
                    text,
                )
            })
            .collect();
        if !faults.is_empty() {
            return Err(ApiError::invalid(faults));
        }
    }
    let kept: Vec<CommitmentId> = on_the_table
        .into_iter()
        .filter(|id| chosen.is_none_or(|chosen| chosen.contains(id)))
        .collect();
    let held: Vec<_> = kept
        .iter()
        .map(|id| {
            (
                convention_commitments::convention_id.eq(row.id),
                convention_commitments::commitment_id.eq(id),
                convention_commitments::commune_code.eq(&row.commune_code),
            )
        })
        .collect();
    diesel::delete(convention_commitments::table)
        .filter(convention_commitments::convention_id.eq(row.id))
        .filter(convention_commitments::commune_code.eq(&row.commune_code))
        .filter(convention_commitments::commitment_id.ne_all(&kept))
        .execute(&mut session.conn)
        .await?;
    diesel::insert_into(convention_commitments::table)
        .values(held)
        .on_conflict_do_nothing()
        .execute(&mut session.conn)
        .await?;
    Ok(())
}

/// Gives new terms to commitments that are binding, in place of those that the amendment gave before.
pub async fn reword(
    session: &mut Session,
    row: &ConventionRow,
    all: Vec<NewTermsOfCommitment>,
) -> Result<(), ApiError> {
    let held = model::lock_held(&mut session.conn, row).await?;
    let mut faults = Vec::new();
    for (index, new) in all.iter().enumerate() {
        let pointer = |field: &str| format!("/new_terms/{index}/{field}");
        if all
            .iter()
            .take(index)
            .any(|other| other.commitment_id == new.commitment_id)
        {
            let text = Text::new("Chaque engagement une seule fois.", "Each commitment once.");
            faults.push(Fault::at(
                &pointer("commitment_id"),
                FaultCode::Repeated,
                text,
            ));
            continue;
        }
        let bound = held
            .iter()
            .find(|held| held.id == new.commitment_id)
            .filter(|held| {
                matches!(
                    held.state,
                    CommitmentState::Binding | CommitmentState::PartiallyFulfilled
                )
            });
        let Some(bound) = bound else {
            let text = Text::new(
                "Aucun engagement en cours de la version en vigueur n'a cet identifiant, ou l'avenant ne le reprend pas.",
                "No pending commitment of the version in force has this id, or the amendment does not hold it.",
            );
            faults.push(Fault::at(
                &pointer("commitment_id"),
                FaultCode::NotFound,
                text,
            ));
            continue;
        };
        let money = bound.amount_cents.is_some();
        let misplaced = [
            ("amount_cents", new.amount_cents.is_some() && !money),
            ("quantity", new.quantity.is_some() && money),
            ("unit_value_cents", new.unit_value_cents.is_some() && money),
            (
                "budget_year",
                new.budget_year.is_some() && bound.budget_year.is_none(),
            ),
            ("due_on", new.due_on.is_some() && bound.is_upkeep()),
            ("upkeep", new.upkeep.is_some() && !bound.is_upkeep()),
        ];
        if let Some((fr, en)) = new.upkeep.as_ref().and_then(Upkeep::complaint) {
            let text = Text::new(fr, en);
            faults.push(Fault::at(&pointer("upkeep"), FaultCode::Inconsistent, text));
        }
        for (field, _) in misplaced.into_iter().filter(|(_, misplaced)| *misplaced) {
            let text = Text::new(
                "Cet engagement n'a pas cela.",
                "This commitment has no such thing.",
            );
            faults.push(Fault::at(&pointer(field), FaultCode::Inconsistent, text));
        }
    }
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    let of_this_version = || {
        convention_commitments::table
            .filter(convention_commitments::convention_id.eq(row.id))
            .filter(convention_commitments::commune_code.eq(&row.commune_code))
    };
    diesel::update(of_this_version())
        .set(NewTerms::default())
        .execute(&mut session.conn)
        .await?;
    for new in all {
        let terms = NewTerms {
            amount_cents: new.amount_cents,
            quantity: new.quantity,
            unit_value_cents: new.unit_value_cents,
            budget_year: new.budget_year,
            due_on: new.due_on,
            upkeep_starts_on: new.upkeep.as_ref().map(|upkeep| upkeep.starts_on),
            upkeep_ends_on: new.upkeep.as_ref().map(|upkeep| upkeep.ends_on),
            upkeep_recurrence: new.upkeep.and_then(|upkeep| upkeep.recurrence),
        };
        diesel::update(
            of_this_version().filter(convention_commitments::commitment_id.eq(new.commitment_id)),
        )
        .set(terms)
        .execute(&mut session.conn)
        .await?;
    }
    Ok(())
}

/// Applies a change of the draft, apart from its parties and commitments.
pub fn change(row: &mut ConventionRow, patch: ConventionPatch) -> Result<(), ApiError> {
    macro_rules! set {
        ($($field:ident),+ $(,)?) => {$(if let Some(value) = patch.$field { row.$field = value; })+};
    }
    set!(
        object,
        starts_on,
        ends_on,
        long_duration_reason,
        land,
        land_description,
        land_fee_cents,
        land_fee_exemption,
        tacit_renewal,
        clergy_agreement,
        works_ownership,
        contributor_status,
        commune_insurance,
        holder_insurance,
        forbidden_tasks,
        supervision_of_minors,
        image_consent,
        no_upkeep_reason,
        notice_days,
        evaluation_terms,
        authority_id,
        practical_information,
    );
    if row.ends_on < row.starts_on {
        return Err(ApiError::fault(
            "/ends_on",
            FaultCode::Inconsistent,
            "La fin précède le début.",
            "The end comes before the start.",
        ));
    }
    Ok(())
}
