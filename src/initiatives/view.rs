//! The single view of an initiative: one query for everything that everybody sees, one more for a host, one more for who is
//! signed in.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::{
    CommuneSummary, Decision, DecisionOutcome, Initiative, InitiativeInside, Opinion, Receipt,
};
use super::list::{HolderColumns, location, summary};
use super::model::{DecisionRow, Found, InitiativeRow, OpinionRow, allowed_actions};
use crate::db::remembered::Remembered;
use crate::db::schema::{
    communes, decisions, endorsements, holders, initiatives, opinions, participations,
};
use crate::holders::dto::HolderSummary;
use crate::http::error::ApiError;
use crate::ids::InitiativeId;
use crate::state::Session;

type Counters = (i32, i32);
type Columns = (
    InitiativeRow,
    Counters,
    String,
    Option<HolderColumns>,
    Option<OpinionRow>,
    Option<DecisionRow>,
);

/// An initiative as the caller sees it, with its version; 404 when they may not.
pub async fn show(session: &mut Session, id: InitiativeId) -> Result<(i32, Initiative), ApiError> {
    let query = initiatives::table
        .find((id, id.commune()))
        .inner_join(communes::table)
        .left_join(
            holders::table.on(holders::id
                .nullable()
                .eq(initiatives::holder_id)
                .and(holders::commune_code.eq(initiatives::commune_code))),
        )
        .left_join(
            opinions::table.on(opinions::id
                .nullable()
                .eq(initiatives::opinion_id)
                .and(opinions::commune_code.eq(initiatives::commune_code))),
        )
        .left_join(
            decisions::table.on(decisions::id
                .nullable()
                .eq(initiatives::decision_id)
                .and(decisions::commune_code.eq(initiatives::commune_code))),
        )
        .select((
            InitiativeRow::as_select(),
            (
                initiatives::endorsement_count,
                initiatives::participant_count,
            ),
            communes::name,
            (holders::id, holders::kind, holders::name).nullable(),
            Option::<OpinionRow>::as_select(),
            Option::<DecisionRow>::as_select(),
        ))
        .limit(1);
    let (row, counters, commune, holder, opinion, decision): Columns =
        Remembered(query).get_result(&mut session.conn).await?;
    let standing = row.standing(&mut session.conn, &session.actor).await?;
    if !row.is_readable(&standing) {
        return Err(ApiError::not_found());
    }
    // Few have one: a join would cost every reader more than this costs some.
    let host = match row.host_id {
        Some(host) => Some(crate::holders::model::find_row(&mut session.conn, host).await?),
        None => None,
    };
    let mine = own_engagement(session, id).await?;
    let found = Found { row, standing };
    let decision = decision.filter(|_| found.row.decided_at.is_some());
    let opinion = opinion.filter(|_| decision.is_some() || found.standing.is_town_hall());
    let allowed_actions = allowed_actions(&found);
    let Found { row, standing } = found;
    let inside =
        (standing.is_town_hall() || standing.is_on_the_holders_side()).then(|| InitiativeInside {
            channel: row.channel,
            paper_reference: row.paper_reference.clone(),
            publication_withheld_reason: row
                .publication_withheld_reason
                .clone()
                .filter(|_| standing.is_town_hall()),
        });
    let version = row.version;
    let initiative = Initiative {
        id,
        receipt: receipt(&row),
        commune: CommuneSummary {
            code: row.commune_code,
            name: commune,
        },
        holder: holder.map(summary),
        host: host.as_ref().map(HolderSummary::from),
        title: row.title,
        description: row.description,
        theme: row.theme,
        needs: row.needs,
        state: row.state,
        state_changed_at: row.state_changed_at,
        allowed_actions,
        origin: row.origin,
        delivery: row.delivery,
        place: row.place,
        location: location(row.latitude, row.longitude),
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        building_work: row.building_work,
        land: row.land,
        requests_money: row.requests_money,
        follows_id: row.follows_id,
        published_at: row.published_at,
        first_reply_at: row.first_reply_at,
        opinion: opinion.map(|opinion| Opinion {
            id: opinion.id,
            outcome: opinion.outcome,
            text: opinion.text,
            estimated_cost_cents: opinion.estimated_cost_cents,
            given_at: opinion.given_at,
        }),
        decision: decision.map(|decision| Decision {
            outcome: decision.outcome,
            reason: decision.reason,
            capacity: decision.capacity,
            decided_on: decision.decided_on,
        }),
        redirected_to: row.redirected_to,
        endorsement_count: counters.0,
        participant_count: counters.1,
        endorsed_by_me: mine.map(|(endorsed, _)| endorsed),
        joined_by_me: mine.map(|(_, joined)| joined),
        inside,
        created_at: row.created_at,
    };
    Ok((version, initiative))
}

/// Whether the caller supports it and takes part; nothing when nobody is signed in.
async fn own_engagement(
    session: &mut Session,
    id: InitiativeId,
) -> Result<Option<(bool, bool)>, ApiError> {
    let Some(me) = session.actor.user_id() else {
        return Ok(None);
    };
    let mine = diesel::select((
        exists(endorsements::table.find((id, id.commune(), me))),
        exists(
            participations::table
                .filter(participations::initiative_id.eq(id))
                .filter(participations::commune_code.eq(id.commune()))
                .filter(participations::user_id.eq(me))
                .filter(participations::ended_at.is_null()),
        ),
    ))
    .get_result(&mut session.conn)
    .await?;
    Ok(Some(mine))
}

fn receipt(row: &InitiativeRow) -> Option<Receipt> {
    row.submitted_at
        .zip(row.reply_due_on)
        .map(|(submitted_at, reply_due_on)| Receipt {
            submitted_at,
            reply_due_on,
            implicit_decision_on: row.implicit_decision_on,
            implicit_decision: if row.requests_money {
                DecisionOutcome::Refused
            } else {
                DecisionOutcome::Accepted
            },
        })
}
