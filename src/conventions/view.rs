//! The single view of a version, as far as the caller may see it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;

use super::content;
use super::dto::Convention;
use super::lifecycle::{CONVENTION, ConventionAction, ConventionState, WITH_ROUTE};
use super::model::{self, Found};
use super::parties::{self, LegalIdentity, PartyState};
use crate::authorities;
use crate::commitments;
use crate::commitments::dto::Commitment;
use crate::db::schema::{authorities as acts, communes, conventions, events, holders, initiatives};
use crate::http::error::ApiError;
use crate::http::reply::{self, Answer, Reply};
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
            ConventionAction::ContestSignature => parties.iter().any(|party| {
                party.in_name().is_some_and(|signed| {
                    Some(signed.user_id) == session.actor.user_id()
                        && session.today() <= signed.contestable_until
                })
            }),
            ConventionAction::Resume => parties.iter().all(|party| {
                let contested = party
                    .signature
                    .as_ref()
                    .is_some_and(|s| s.contested_at.is_some());
                !contested || party.row.user_id == session.actor.user_id()
            }),
            ConventionAction::Terminate => model::may_terminate(standing).is_ok(),
            _ => true,
        })
        .collect()
}

/// What everybody sees of a version follows from this and from nothing else.
#[derive(Queryable, Serialize)]
pub struct Fingerprint {
    activated_at: Option<DateTime<Utc>>,
    published_at: Option<DateTime<Utc>>,
    pub version: i32,
    pub state: ConventionState,
    pub content_sha256: Option<String>,
    commune: String,
    holder: i32,
    host: Option<i32>,
    authority: Option<i32>,
    /// Commitments and fulfilments change with an entry of the history, and only so.
    history: Option<i64>,
}

impl Fingerprint {
    /// Of a version that everybody sees; 404 for others.
    pub async fn find(conn: &mut AsyncPgConnection, id: ConventionId) -> Result<Self, ApiError> {
        let (holder, host) = diesel::alias!(holders as holder, holders as host);
        let history = events::table
            .filter(events::initiative_id.eq(conventions::initiative_id.nullable()))
            .filter(events::commune_code.eq(conventions::commune_code))
            .select(max(events::number))
            .single_value();
        let found: Self = conventions::table
            .inner_join(communes::table)
            .inner_join(
                initiatives::table.on(initiatives::id
                    .eq(conventions::initiative_id)
                    .and(initiatives::commune_code.eq(conventions::commune_code))),
            )
            .inner_join(
                holder.on(holder.field(holders::id).eq(conventions::holder_id).and(
                    holder
                        .field(holders::commune_code)
                        .eq(conventions::commune_code),
                )),
            )
            .left_join(
                host.on(host
                    .field(holders::id)
                    .nullable()
                    .eq(conventions::host_id)
                    .and(
                        host.field(holders::commune_code)
                            .eq(conventions::commune_code),
                    )),
            )
            .left_join(
                acts::table.on(acts::id
                    .nullable()
                    .eq(conventions::authority_id)
                    .and(acts::commune_code.eq(conventions::commune_code))),
            )
            .filter(conventions::id.eq(id))
            .filter(conventions::commune_code.eq(id.commune()))
            .select((
                conventions::activated_at,
                initiatives::published_at,
                conventions::version,
                conventions::state,
                conventions::content_sha256,
                communes::name,
                holder.field(holders::version),
                host.field(holders::version).nullable(),
                acts::version.nullable(),
                history,
            ))
            .first(conn)
            .await?;
        if found.activated_at.is_none() || found.published_at.is_none() {
            return Err(ApiError::not_found());
        }
        Ok(found)
    }

    /// The tag of the version as everybody sees it today: what is late depends on the day.
    pub fn tag(&self, today: NaiveDate) -> Result<String, ApiError> {
        let all = serde_json::to_string(&(self, today)).map_err(ApiError::internal)?;
        Ok(reply::tag(self.version, &all))
    }

    /// The tag of the content that was frozen.
    pub fn content_tag(&self) -> Option<String> {
        Some(format!("\"{}\"", self.content_sha256.as_deref()?))
    }
}

/// The commitments that a version holds, in its own words, as far as the caller may read them.
pub async fn commitments(
    session: &mut Session,
    found: &Found,
) -> Result<Vec<Commitment>, ApiError> {
    let mut rows = model::held_as_worded(&mut session.conn, &found.row).await?;
    content::word_as_frozen(&found.row, &mut rows)?;
    let initiative = found.row.initiative_id;
    commitments::view::show(session, initiative, rows, found.standing()).await
}

/// A version as the caller sees it, with its number of edits; 404 when they may not.
pub async fn show(session: &mut Session, id: ConventionId) -> Result<(i32, Convention), ApiError> {
    let found = model::find(session, id).await?;
    let commune: String = communes::table
        .find(&found.row.commune_code)
        .select(communes::name)
        .first(&mut session.conn)
        .await?;
    let bodies = parties::bodies(&mut session.conn, &found.row).await?;
    let parties = parties::of(&mut session.conn, id).await?;
    let commitments = commitments(session, &found).await?;
    let allowed_actions = allowed_actions(session, &found, &parties);
    let inside = found.is_inside();
    let shown = |party: &PartyState| {
        let legal = LegalIdentity::of(party.row.party, &commune, &bodies);
        party.show(legal, inside)
    };
    let shown_parties = parties.iter().map(shown).collect();
    let (holder, host) = bodies;
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
        balance: commitments::balance::model::balance(&commitments),
        commitments,
        parties: shown_parties,
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
