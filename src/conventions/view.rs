//! The single view of a version, as far as the caller may see it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::Convention;
use super::lifecycle::{CONVENTION, ConventionAction, WITH_ROUTE};
use super::model::{self, Found};
use super::parties::{self, PartyState};
use crate::authorities;
use crate::commitments;
use crate::db::schema::communes;
use crate::http::error::ApiError;
use crate::http::reply::{Answer, Reply};
use crate::ids::ConventionId;
use crate::initiatives::dto::CommuneSummary;
use crate::state::Session;

/// The actions that the caller may take now.
fn allowed_actions(
    session: &Session,
    found: &Found,
    parties: &[PartyState],
) -> Vec<ConventionAction> {
    let standing = found.standing();
    CONVENTION
        .allowed(found.row.state, standing)
        .into_iter()
        .filter(|action| WITH_ROUTE.contains(action))
        .filter(|action| match action {
            ConventionAction::Sign => parties.iter().any(|party| {
                party.signature.is_none() && parties::may_sign(session, standing, party).is_ok()
            }),
            ConventionAction::Terminate => model::may_terminate(standing).is_ok(),
            _ => true,
        })
        .collect()
}

/// A version as the caller sees it, with its number of edits; 404 when they may not.
pub async fn show(session: &mut Session, id: ConventionId) -> Result<(i32, Convention), ApiError> {
    let found = model::find(session, id).await?;
    let commune: String = communes::table
        .find(&found.row.commune_code)
        .select(communes::name)
        .first(&mut session.conn)
        .await?;
    let (holder, host) = parties::bodies(&mut session.conn, &found.row).await?;
    let parties = parties::of(&mut session.conn, id).await?;
    let rows = model::held_as_worded(&mut session.conn, &found.row).await?;
    let initiative = found.row.initiative_id;
    let commitments =
        commitments::model::show(&mut session.conn, initiative, rows, found.standing()).await?;
    let allowed_actions = allowed_actions(session, &found, &parties);
    let inside = found.is_inside();
    let authority = match found.row.authority_id {
        Some(id) => {
            let row = authorities::model::find(&mut session.conn, id).await?;
            Some(row.summary())
        }
        None => None,
    };
    let row = found.row;
    let convention = Convention {
        id,
        root_id: row.root_id,
        number: row.number,
        supersedes_id: row.supersedes_id,
        amendment_kind: row.amendment_kind,
        amendment_reason: row.amendment_reason,
        initiative_id: row.initiative_id,
        commune: CommuneSummary {
            code: row.commune_code,
            name: commune,
        },
        holder: holder.summary(),
        host: host.as_ref().map(parties::Body::summary),
        state: row.state,
        state_changed_at: row.state_changed_at,
        allowed_actions,
        object: row.object,
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        long_duration_reason: row.long_duration_reason,
        land: row.land,
        land_description: row.land_description,
        land_fee_cents: row.land_fee_cents,
        land_fee_exemption: row.land_fee_exemption,
        tacit_renewal: row.tacit_renewal,
        clergy_agreement: row.clergy_agreement,
        works_ownership: row.works_ownership,
        contributor_status: row.contributor_status,
        commune_insurance: row.commune_insurance,
        holder_insurance: row.holder_insurance,
        forbidden_tasks: row.forbidden_tasks,
        supervision_of_minors: row.supervision_of_minors,
        image_consent: row.image_consent,
        no_upkeep_reason: row.no_upkeep_reason,
        notice_days: row.notice_days,
        evaluation_terms: row.evaluation_terms,
        authority,
        balance: commitments::model::balance(&commitments),
        commitments,
        parties: parties.iter().map(|party| party.show(inside)).collect(),
        content_sha256: row.content_sha256,
        template_id: row.template_id,
        opened_at: row.opened_at,
        activated_at: row.activated_at,
        ended_at: row.ended_at,
        effective_on: row.effective_on,
        reason: row.reason,
        practical_information: row.practical_information.filter(|_| inside),
        created_at: row.created_at,
    };
    Ok((row.version, convention))
}

/// The version as the answer to an action.
pub async fn reply(session: &mut Session, id: ConventionId) -> Answer {
    let (version, convention) = show(session, id).await?;
    Reply::resource(version, &convention)
}
