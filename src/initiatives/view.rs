//! The single view of an initiative: one query for everything that everybody sees, more for who is signed in.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{array, exists};
use diesel::prelude::*;
use diesel::sql_types::Uuid;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    CommuneSummary, Decision, DecisionOnPaper, DecisionOutcome, Initiative, InitiativeInside,
    Opinion, Receipt,
};
use super::list::{HolderColumns, location, summary};
use super::model::{DecisionInName, Found, InitiativeRow, allowed_actions};
use crate::auth::actor::Actor;
use crate::auth::policy::Standing;
use crate::db::batch::{Lookup, PLACES};
use crate::db::contestable_until;
use crate::db::remembered::Remembered;
use crate::db::schema::{
    self, communes, decisions, endorsements, evaluations, initiatives, opinions, participations,
};
use crate::holders;
use crate::holders::dto::HolderSummary;
use crate::http::error::ApiError;
use crate::http::reply;
use crate::ids::{HolderId, InitiativeId};

/// Everything about an initiative, whoever asks.
#[derive(Clone)]
pub struct Whole {
    columns: Columns,
    host: Option<HolderSummary>,
}

/// Few have one: a join would cost every reader more than this costs some.
async fn hosts_among(
    conn: &AsyncPgConnection,
    hosts: Vec<HolderId>,
) -> QueryResult<HashMap<HolderId, HolderSummary>> {
    if hosts.is_empty() {
        return Ok(HashMap::new());
    }
    holders::model::summaries(conn, hosts).await
}

/// What tells whether everybody still sees the same of an initiative: its edits count what it says, the opinion and the
/// decision; the rest comes from elsewhere.
#[derive(Clone)]
pub struct Fingerprint {
    id: InitiativeId,
    is_published: bool,
    version: i32,
    counts: (i32, i32),
    commune: String,
    holder: Option<HolderSummary>,
    host: Option<HolderSummary>,
}

#[derive(Clone, Queryable)]
struct Columns {
    row: InitiativeRow,
    counts: (i32, i32),
    commune: String,
    holder: Option<HolderColumns>,
    opinion: Option<Opinion>,
    decision: Option<Decision>,
    in_name: Option<DecisionInName>,
    paper: Option<(Option<String>, DateTime<Utc>)>,
}

impl Lookup for Whole {
    type Key = InitiativeId;

    async fn find(
        mut conn: &AsyncPgConnection,
        keys: [InitiativeId; PLACES],
    ) -> QueryResult<Vec<Self>> {
        let [a, b, c, d, e, f, g, h] = keys;
        // An id carries its commune, and no other row has it.
        let among = initiatives::id.eq_any(array::<Uuid, _>((a, b, c, d, e, f, g, h)));
        let query = initiatives::table
            .inner_join(communes::table)
            .left_join(
                schema::holders::table.on(schema::holders::id
                    .nullable()
                    .eq(initiatives::holder_id)
                    .and(schema::holders::commune_code.eq(initiatives::commune_code))),
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
            .filter(among)
            .select((
                InitiativeRow::as_select(),
                (
                    initiatives::endorsement_count,
                    initiatives::participant_count,
                ),
                communes::name,
                (
                    schema::holders::id,
                    schema::holders::kind,
                    schema::holders::name,
                )
                    .nullable(),
                Option::<Opinion>::as_select(),
                Option::<Decision>::as_select(),
                (
                    decisions::id,
                    decisions::decided_by,
                    decisions::recorded_by,
                    contestable_until(decisions::decided_at),
                )
                    .nullable(),
                (decisions::paper_reference, decisions::decided_at).nullable(),
            ));
        let found: Vec<Columns> = Remembered(query).load(&mut conn).await?;
        let hosts = found.iter().filter_map(|columns| columns.row.host_id);
        let hosts = hosts_among(conn, hosts.collect()).await?;
        let whole = |columns: Columns| Self {
            host: columns
                .row
                .host_id
                .and_then(|host| hosts.get(&host).cloned()),
            columns,
        };
        Ok(found.into_iter().map(whole).collect())
    }

    fn key(&self) -> InitiativeId {
        self.columns.row.id
    }
}

impl Lookup for Fingerprint {
    type Key = InitiativeId;

    async fn find(
        mut conn: &AsyncPgConnection,
        keys: [InitiativeId; PLACES],
    ) -> QueryResult<Vec<Self>> {
        type Row = (
            (InitiativeId, Option<DateTime<Utc>>, i32, (i32, i32)),
            String,
            Option<HolderColumns>,
            Option<HolderId>,
        );
        let [a, b, c, d, e, f, g, h] = keys;
        let query = initiatives::table
            .inner_join(communes::table)
            .left_join(
                schema::holders::table.on(schema::holders::id
                    .nullable()
                    .eq(initiatives::holder_id)
                    .and(schema::holders::commune_code.eq(initiatives::commune_code))),
            )
            .filter(initiatives::id.eq_any(array::<Uuid, _>((a, b, c, d, e, f, g, h))))
            .select((
                (
                    initiatives::id,
                    initiatives::published_at,
                    initiatives::version,
                    (
                        initiatives::endorsement_count,
                        initiatives::participant_count,
                    ),
                ),
                communes::name,
                (
                    schema::holders::id,
                    schema::holders::kind,
                    schema::holders::name,
                )
                    .nullable(),
                initiatives::host_id,
            ));
        let rows: Vec<Row> = Remembered(query).load(&mut conn).await?;
        let hosts = hosts_among(conn, rows.iter().filter_map(|row| row.3).collect()).await?;
        let fingerprint = |row: Row| {
            let ((id, published_at, version, counts), commune, holder, host) = row;
            Self {
                id,
                is_published: published_at.is_some(),
                version,
                counts,
                commune,
                holder: holder.map(summary),
                host: host.and_then(|host| hosts.get(&host).cloned()),
            }
        };
        Ok(rows.into_iter().map(fingerprint).collect())
    }

    fn key(&self) -> InitiativeId {
        self.id
    }
}

impl Fingerprint {
    /// The tag of what everybody sees; 404 when that is nothing.
    pub fn tag(&self) -> Result<String, ApiError> {
        if !self.is_published {
            return Err(ApiError::not_found());
        }
        let rest = (&self.counts, &self.commune, &self.holder, &self.host);
        let rest = serde_json::to_string(&rest).map_err(ApiError::internal)?;
        Ok(reply::tag(self.version, &rest))
    }
}

impl Whole {
    /// What tells whether everybody still sees the same.
    pub fn fingerprint(&self) -> Fingerprint {
        let Columns { row, counts, .. } = &self.columns;
        Fingerprint {
            id: row.id,
            is_published: row.published_at.is_some(),
            version: row.version,
            counts: *counts,
            commune: self.columns.commune.clone(),
            holder: self.columns.holder.clone().map(summary),
            host: self.host.clone(),
        }
    }
}

/// An initiative as the caller sees it, with its version; 404 when they may not.
pub async fn show(
    conn: &AsyncPgConnection,
    actor: &Actor,
    id: InitiativeId,
) -> Result<(i32, Initiative), ApiError> {
    let whole = Whole::find(conn, [id; PLACES]).await?.pop();
    seen_by(conn, actor, whole.ok_or_else(ApiError::not_found)?).await
}

/// The same of one that was read already.
pub async fn seen_by(
    conn: &AsyncPgConnection,
    actor: &Actor,
    whole: Whole,
) -> Result<(i32, Initiative), ApiError> {
    let standing = whole.columns.row.standing(conn, actor).await?;
    let mine = own_engagement(conn, actor, whole.columns.row.id).await?;
    compose(whole, standing, mine, actor)
}

/// The same for who is not signed in.
pub fn for_everybody(whole: Whole) -> Result<Initiative, ApiError> {
    Ok(compose(whole, Standing::default(), None, &Actor::default())?.1)
}

/// These initiatives, as far as everybody may read them.
pub async fn public(
    conn: &AsyncPgConnection,
    ids: &[InitiativeId],
) -> Result<Vec<Initiative>, ApiError> {
    let mut shown = Vec::new();
    for some in ids.chunks(PLACES) {
        let Some(first) = some.first() else {
            continue;
        };
        let mut keys = [*first; PLACES];
        for (place, id) in keys.iter_mut().zip(some) {
            *place = *id;
        }
        for whole in Whole::find(conn, keys).await? {
            if whole.columns.row.published_at.is_some() {
                shown.push(for_everybody(whole)?);
            }
        }
    }
    Ok(shown)
}

fn compose(
    whole: Whole,
    standing: Standing,
    mine: Option<Own>,
    actor: &Actor,
) -> Result<(i32, Initiative), ApiError> {
    let Whole { columns, host } = whole;
    let Columns {
        row,
        counts,
        commune,
        holder,
        opinion,
        decision,
        in_name,
        paper,
    } = columns;
    if !row.is_readable(&standing) {
        return Err(ApiError::not_found());
    }
    let found = Found { row, standing };
    let decision = decision.filter(|_| found.row.decided_at.is_some());
    let opinion = opinion.filter(|_| decision.is_some() || found.standing.is_town_hall());
    let in_name = in_name.filter(|_| decision.is_some());
    let contestable = in_name
        .as_ref()
        .is_some_and(|decision| decision.is_contestable_by(actor.user_id(), actor.today()));
    let evaluated = mine.as_ref().is_some_and(|mine| mine.evaluated);
    let allowed_actions = allowed_actions(&found, contestable, evaluated);
    let decision_on_paper = in_name.zip(paper).and_then(|(decision, (reference, at))| {
        Some(DecisionOnPaper {
            paper_reference: reference?,
            recorded_at: at,
            contestable_until: decision.contestable_until,
        })
    });
    let Found { row, standing } = found;
    let inside =
        (standing.is_town_hall() || standing.is_on_the_holders_side()).then(|| InitiativeInside {
            channel: row.channel,
            paper_reference: row.paper_reference.clone(),
            paper_document_id: row.paper_document_id,
            publication_withheld_reason: row
                .publication_withheld_reason
                .clone()
                .filter(|_| standing.is_town_hall()),
            decision_on_paper: decision_on_paper.filter(|_| standing.is_town_hall()),
        });
    let version = row.version;
    let initiative = Initiative {
        id: row.id,
        receipt: receipt(&row),
        commune: CommuneSummary {
            code: row.commune_code,
            name: commune,
        },
        holder: holder.map(summary),
        host,
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
        inspired_by_practice_id: row.inspired_by_practice_id,
        published_at: row.published_at,
        first_reply_at: row.first_reply_at,
        opinion,
        decision,
        redirected_to: row.redirected_to,
        external_id: row.external_id,
        imported_at: row.imported_at,
        endorsement_count: counts.0,
        participant_count: counts.1,
        endorsed_by_me: mine.as_ref().map(|mine| mine.endorsed),
        joined_by_me: mine.map(|mine| mine.joined),
        inside,
        created_at: row.created_at,
    };
    Ok((version, initiative))
}

/// What only somebody who is signed in needs to know of it.
#[derive(Queryable)]
struct Own {
    endorsed: bool,
    joined: bool,
    evaluated: bool,
}

/// Whether the caller supports it and takes part, and whether it is evaluated; nothing when nobody is signed in.
async fn own_engagement(
    mut conn: &AsyncPgConnection,
    actor: &Actor,
    id: InitiativeId,
) -> Result<Option<Own>, ApiError> {
    let Some(me) = actor.user_id() else {
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
        exists(
            evaluations::table
                .filter(evaluations::initiative_id.eq(id))
                .filter(evaluations::commune_code.eq(id.commune())),
        ),
    ))
    .get_result(&mut conn)
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
