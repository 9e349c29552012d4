//! Lists of initiatives: filters, search and the inbox, in one query with everything that a screen needs.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    CommuneSummary, Inbox, InitiativeFilter, InitiativeOrder, InitiativeSort, InitiativeSummary,
    Location,
};
use super::lifecycle::InitiativeState;
use crate::auth::actor::Actor;
use crate::db::schema::{
    communes, convention_parties, conventions, holders, initiatives, opinions, signatures,
};
use crate::holders::dto::{HolderKind, HolderSummary};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code, Fault, FaultCode, Text as Words};
use crate::ids::{HolderId, InitiativeId};
use crate::text::fold;

/// Where an item stands in the chosen order.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Position {
    created_at: DateTime<Utc>,
    reply_due_on: Option<NaiveDate>,
    id: InitiativeId,
}

impl From<&InitiativeSummary> for Position {
    fn from(item: &InitiativeSummary) -> Self {
        Self {
            created_at: item.created_at,
            reply_due_on: item.reply_due_on,
            id: item.id,
        }
    }
}

/// Columns of a list item.
#[derive(Queryable, Selectable)]
#[diesel(table_name = initiatives)]
struct ItemRow {
    id: InitiativeId,
    commune_code: String,
    title: String,
    theme: Option<super::dto::Theme>,
    state: InitiativeState,
    state_changed_at: DateTime<Utc>,
    origin: super::dto::Origin,
    delivery: super::dto::Delivery,
    place: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    starts_on: Option<NaiveDate>,
    ends_on: Option<NaiveDate>,
    published_at: Option<DateTime<Utc>>,
    submitted_at: Option<DateTime<Utc>>,
    reply_due_on: Option<NaiveDate>,
    endorsement_count: i32,
    participant_count: i32,
    external_id: Option<String>,
    imported_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// Columns of a holder's summary.
pub type HolderColumns = (HolderId, HolderKind, String);
type Joined = (ItemRow, String, Option<HolderColumns>);

/// A holder's summary.
pub fn summary((id, kind, name): HolderColumns) -> HolderSummary {
    HolderSummary { id, kind, name }
}

/// A point, where both coordinates are known.
pub fn location(latitude: Option<f64>, longitude: Option<f64>) -> Option<Location> {
    latitude
        .zip(longitude)
        .map(|(latitude, longitude)| Location {
            latitude,
            longitude,
        })
}

fn item((row, commune, holder): Joined) -> InitiativeSummary {
    InitiativeSummary {
        id: row.id,
        commune: CommuneSummary {
            code: row.commune_code,
            name: commune,
        },
        holder: holder.map(summary),
        title: row.title,
        theme: row.theme,
        state: row.state,
        state_changed_at: row.state_changed_at,
        origin: row.origin,
        delivery: row.delivery,
        place: row.place,
        location: location(row.latitude, row.longitude),
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        published_at: row.published_at,
        submitted_at: row.submitted_at,
        reply_due_on: row.reply_due_on,
        endorsement_count: row.endorsement_count,
        participant_count: row.participant_count,
        external_id: row.external_id,
        imported_at: row.imported_at,
        created_at: row.created_at,
    }
}

/// Who a list is for.
pub enum Reader<'a> {
    /// Everybody: what is published. The town hall of the commune that is asked for: what it has received.
    Of(&'a Actor),
    /// The caller: what they carry or have written.
    Mine(&'a Actor),
}

/// Four numbers, as its pattern in the document says; what no pattern can say is which are the smaller.
pub fn bounds(bbox: &str) -> Result<[f64; 4], ApiError> {
    let numbers: Vec<f64> = bbox
        .split(',')
        .filter_map(|part| part.parse().ok())
        .collect();
    match <[f64; 4]>::try_from(numbers) {
        Ok([west, south, east, north]) if west <= east && south <= north => {
            Ok([west, south, east, north])
        }
        _ => {
            let fault = Fault {
                pointer: "bbox".to_owned(),
                code: FaultCode::Inconsistent,
                detail: Words::new(
                    "Le coin le plus petit d'abord : ouest,sud,est,nord.",
                    "The smaller corner first: west,south,east,north.",
                ),
            };
            Err(ApiError {
                faults: vec![fault],
                ..ApiError::new(Code::InvalidQuery)
            })
        }
    }
}

/// A page of the list, in one query.
pub async fn list(
    conn: &mut AsyncPgConnection,
    reader: Reader<'_>,
    filter: &InitiativeFilter,
    order: &InitiativeOrder,
    today: NaiveDate,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<InitiativeSummary>, ApiError> {
    let mut query = initiatives::table
        .inner_join(communes::table)
        .left_join(
            holders::table.on(holders::id
                .nullable()
                .eq(initiatives::holder_id)
                .and(holders::commune_code.eq(initiatives::commune_code))),
        )
        .select((
            ItemRow::as_select(),
            communes::name,
            (holders::id, holders::kind, holders::name).nullable(),
        ))
        .limit(limit + 1)
        .into_boxed();

    match reader {
        Reader::Of(actor) => {
            let commune = filter.commune.as_deref().unwrap_or_default();
            if actor.standing_in(commune).is_town_hall() {
                query = query.filter(
                    initiatives::submitted_at
                        .is_not_null()
                        .or(initiatives::entered_by.is_not_null()),
                );
            } else if order.inbox.is_some() {
                actor
                    .standing_in(commune)
                    .permit(&[crate::auth::policy::Role::Agent])?;
            } else {
                query = query.filter(initiatives::published_at.is_not_null());
            }
        }
        Reader::Mine(actor) => {
            let me = actor.person()?.id;
            let mut bodies = crate::holders::model::bodies_of(conn, me).await?;
            bodies.sort_unstable();
            query = query.filter(
                initiatives::holder_id
                    .eq_any(bodies.clone())
                    .or(initiatives::host_id.eq_any(bodies))
                    .or(initiatives::author_id
                        .eq(me)
                        .and(initiatives::holder_id.is_null())),
            );
        }
    }
    if let Some(commune) = &filter.commune {
        query = query.filter(initiatives::commune_code.eq(commune.clone()));
    }
    if let Some(states) = &filter.state {
        query = match states.as_slice() {
            // One state is an equality, which the indexes of lists answer in order.
            [only] => query.filter(initiatives::state.eq(*only)),
            several => query.filter(initiatives::state.eq_any(several.to_vec())),
        };
    }
    if let Some(theme) = filter.theme {
        query = query.filter(initiatives::theme.eq(theme));
    }
    if let Some(holder) = filter.holder {
        query = query
            .filter(initiatives::holder_id.eq(holder))
            .filter(initiatives::commune_code.eq(holder.commune()));
    }
    if let Some(practice) = filter.inspired_by {
        query = query.filter(initiatives::inspired_by_practice_id.eq(practice));
    }
    if let Some(external_id) = &filter.external_id {
        query = query.filter(initiatives::external_id.eq(external_id.clone()));
    }
    if let Some(after) = filter.created_after {
        query = query.filter(initiatives::created_at.gt(after));
    }
    if let Some(q) = &filter.q {
        query = query.filter(
            sql::<Bool>("initiatives.words @@ websearch_to_tsquery('french', ")
                .bind::<Text, _>(fold(q))
                .sql(")"),
        );
    }
    if let Some(bbox) = &filter.bbox {
        let [west, south, east, north] = bounds(bbox)?;
        query = query
            .filter(initiatives::latitude.between(south, north))
            .filter(initiatives::longitude.between(west, east));
    }
    let opinion_given = || {
        exists(
            opinions::table
                .filter(opinions::initiative_id.eq(initiatives::id))
                .filter(opinions::commune_code.eq(initiatives::commune_code))
                .filter(opinions::submission_number.eq(initiatives::submission_number)),
        )
    };
    let waiting = [InitiativeState::Submitted, InitiativeState::InReview];
    match order.inbox {
        Some(Inbox::ToInstruct) => {
            query = query
                .filter(initiatives::state.eq_any(waiting))
                .filter(not(opinion_given()));
        }
        Some(Inbox::Overdue) => {
            query = query
                .filter(initiatives::state.eq_any(waiting))
                .filter(initiatives::reply_due_on.lt(today));
        }
        Some(Inbox::ToDecide) => {
            query = query
                .filter(initiatives::state.eq(InitiativeState::InReview))
                .filter(opinion_given());
        }
        Some(Inbox::ToSign) => {
            let unsigned = conventions::table
                .inner_join(
                    convention_parties::table
                        .on(convention_parties::convention_id.eq(conventions::id)),
                )
                .left_join(
                    signatures::table.on(signatures::convention_id
                        .eq(conventions::id)
                        .and(signatures::party.eq(convention_parties::party))
                        .and(signatures::voided_at.is_null())),
                )
                .filter(conventions::initiative_id.eq(initiatives::id))
                .filter(conventions::commune_code.eq(initiatives::commune_code))
                .filter(conventions::state.eq("open_for_signature"))
                .filter(convention_parties::party.eq("commune"))
                .filter(signatures::id.is_null());
            query = query.filter(exists(unsigned));
        }
        None => {}
    }
    query = match order.sort {
        InitiativeSort::Newest => {
            if let Some(after) = after {
                query = query
                    .filter(initiatives::created_at.le(after.created_at))
                    .filter(
                        initiatives::created_at
                            .lt(after.created_at)
                            .or(initiatives::id.lt(after.id)),
                    );
            }
            query.order((initiatives::created_at.desc(), initiatives::id.desc()))
        }
        InitiativeSort::Oldest => {
            if let Some(after) = after {
                query = query
                    .filter(initiatives::created_at.ge(after.created_at))
                    .filter(
                        initiatives::created_at
                            .gt(after.created_at)
                            .or(initiatives::id.gt(after.id)),
                    );
            }
            query.order((initiatives::created_at.asc(), initiatives::id.asc()))
        }
        InitiativeSort::MostUrgent => {
            // Only what waits for a reply can be urgent.
            query = query.filter(initiatives::state.eq_any(waiting));
            if let Some((due, id)) =
                after.and_then(|after| after.reply_due_on.map(|due| (due, after.id)))
            {
                query = query
                    .filter(initiatives::reply_due_on.ge(due))
                    .filter(initiatives::reply_due_on.gt(due).or(initiatives::id.gt(id)));
            }
            query.order((initiatives::reply_due_on.asc(), initiatives::id.asc()))
        }
    };
    let found: Vec<Joined> = query.load(conn).await?;
    Ok(Page::cut(found.into_iter().map(item).collect(), limit))
}
