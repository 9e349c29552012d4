//! Subsidies in the database: the commune's commitments by route subsidy and in kind that a convention has bound, with
//! what was given of them, and what the town hall has recorded.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Subsidy, SubsidyDuty, SubsidyFilter, SubsidyInbox, SubsidyPatch};
use super::figures::{Help, THRESHOLD_CENTS, Upkeep, Year, report_due_on, years};
use crate::commitments::lifecycle::FulfilmentState;
use crate::db::schema::subsidy_records;
use crate::holders::dto::{HolderKind, HolderSummary};
use crate::http::error::{ApiError, FaultCode};
use crate::http::precondition::IfMatch;
use crate::ids::{CommitmentId, HolderId};
use crate::state::Session;

/// A subsidy and the number of its edits.
pub struct Found {
    pub version: i32,
    pub subsidy: Subsidy,
}

/// Where a subsidy stands in the list.
pub type Position = (i32, HolderId);

impl Found {
    pub const fn position(&self) -> Position {
        (self.subsidy.year, self.subsidy.holder.id)
    }
}

#[derive(QueryableByName)]
struct HelpRow {
    #[diesel(sql_type = SqlUuid)]
    commitment_id: CommitmentId,
    #[diesel(sql_type = Bool)]
    money: bool,
    #[diesel(sql_type = BigInt)]
    value_cents: i64,
    #[diesel(sql_type = Bool)]
    pending: bool,
    #[diesel(sql_type = Nullable<Integer>)]
    year: Option<i32>,
    #[diesel(sql_type = Nullable<Date>)]
    starts_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    ends_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    stopped_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    signed_on: Option<NaiveDate>,
    #[diesel(sql_type = SqlUuid)]
    body: HolderId,
    #[diesel(sql_type = Text)]
    kind: HolderKind,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    siren: Option<String>,
}

/// Who receives: the host, unless only the holder has a SIRET; and of several establishments the one entered first. The
/// terms are those of the last version that reworded the commitment, else of the first one that held it.
const HELP: &str = "
    SELECT c.id AS commitment_id, c.route = 'subsidy' AS money, c.value_cents,
        c.state IN ('binding', 'partially_fulfilled') AND last.state IN ('active', 'suspended') AS pending,
        coalesce(c.budget_year, extract(year FROM c.due_on)::integer) AS year,
        c.upkeep_starts_on AS starts_on, c.upkeep_ends_on AS ends_on,
        least(c.upkeep_ends_on, c.upkeep_ended_on, CASE WHEN last.state NOT IN ('active', 'suspended') THEN
            coalesce(last.effective_on, least(last.ends_on, (last.ended_at AT TIME ZONE 'Europe/Paris')::date)) END)
            AS stopped_on,
        (SELECT max(s.signed_on) FROM signatures AS s
            WHERE (s.convention_id, s.commune_code) = (versions.terms, c.commune_code) AND s.voided_at IS NULL) AS signed_on,
        body.id AS body, body.kind, body.name, left(body.siret, 9) AS siren
    FROM commitments AS c
    JOIN initiatives AS i ON (i.id, i.commune_code) = (c.initiative_id, c.commune_code)
    CROSS JOIN LATERAL (
        SELECT (array_agg(v.id ORDER BY r.reworded DESC, CASE WHEN r.reworded THEN -v.number ELSE v.number END))[1] AS terms,
            (array_agg(v.id ORDER BY v.number DESC))[1] AS last
        FROM convention_commitments AS b
        JOIN conventions AS v ON (v.id, v.commune_code) = (b.convention_id, b.commune_code)
        CROSS JOIN LATERAL (
            SELECT num_nonnulls(b.amount_cents, b.quantity, b.unit_value_cents) > 0 AS reworded
        ) AS r
        WHERE (b.commitment_id, b.commune_code) = (c.id, c.commune_code) AND v.activated_at IS NOT NULL
    ) AS versions
    JOIN conventions AS last ON (last.id, last.commune_code) = (versions.last, c.commune_code)
    JOIN holders AS holder ON (holder.id, holder.commune_code) = (last.holder_id, c.commune_code)
    LEFT JOIN holders AS host ON (host.id, host.commune_code) = (last.host_id, c.commune_code)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN host.siret IS NULL AND holder.siret IS NOT NULL THEN holder.id
                ELSE coalesce(host.id, holder.id) END AS id,
            left(coalesce(host.siret, holder.siret), 9) AS siren
    ) AS given
    CROSS JOIN LATERAL (
        SELECT * FROM holders AS h
        WHERE h.commune_code = c.commune_code
            AND (h.id = given.id OR h.siret BETWEEN given.siren || '00000' AND given.siren || '99999')
        ORDER BY h.id LIMIT 1
    ) AS body
    WHERE c.commune_code = $1 AND c.route IN ('subsidy', 'in_kind')
        AND (c.upkeep_starts_on IS NULL OR c.state <> 'unfulfilled')
        AND ($2 OR (i.published_at IS NOT NULL AND body.kind = ANY ($3)))";

#[derive(QueryableByName)]
struct GivenRow {
    #[diesel(sql_type = SqlUuid)]
    commitment_id: CommitmentId,
    #[diesel(sql_type = Date)]
    done_on: NaiveDate,
    #[diesel(sql_type = BigInt)]
    value_cents: i64,
}

const GIVEN: &str = "
    SELECT f.commitment_id, f.done_on, f.value_cents
    FROM fulfilments AS f
    JOIN commitments AS c ON (c.id, c.commune_code) = (f.commitment_id, f.commune_code)
    WHERE c.commune_code = $1 AND c.route IN ('subsidy', 'in_kind') AND f.state = ANY ($2)";

#[derive(Queryable, Selectable, Clone, Copy)]
#[diesel(table_name = subsidy_records)]
struct RecordRow {
    holder_id: HolderId,
    year: i32,
    published_on: Option<NaiveDate>,
    report_received_on: Option<NaiveDate>,
    version: i32,
}

/// Everything that the commune gives, the latest year first. Its town hall counts all of it; others see legal persons,
/// published initiatives and what was acknowledged.
pub async fn all(session: &mut Session, commune: &str) -> Result<Vec<Found>, ApiError> {
    let town_hall = session.actor.standing_in(commune).is_town_hall();
    let legal: Vec<&str> = HolderKind::LEGAL_PERSONS
        .iter()
        .map(|kind| kind.code())
        .collect();
    let states: &[FulfilmentState] = if town_hall {
        &[
            FulfilmentState::Recorded,
            FulfilmentState::Acknowledged,
            FulfilmentState::Disputed,
        ]
    } else {
        &[FulfilmentState::Acknowledged]
    };
    let states: Vec<&str> = states.iter().map(|state| state.code()).collect();
    let rows: Vec<HelpRow> = diesel::sql_query(HELP)
        .bind::<Text, _>(commune)
        .bind::<Bool, _>(town_hall)
        .bind::<Array<Text>, _>(legal)
        .load(&mut session.conn)
        .await?;
    let given: Vec<GivenRow> = diesel::sql_query(GIVEN)
        .bind::<Text, _>(commune)
        .bind::<Array<Text>, _>(states)
        .load(&mut session.conn)
        .await?;
    let records: Vec<RecordRow> = subsidy_records::table
        .filter(subsidy_records::commune_code.eq(commune))
        .select(RecordRow::as_select())
        .load(&mut session.conn)
        .await?;
    let records: HashMap<(HolderId, i32), RecordRow> = records
        .into_iter()
        .map(|row| ((row.holder_id, row.year), row))
        .collect();
    let mut by_commitment: HashMap<CommitmentId, Vec<(NaiveDate, i64)>> = HashMap::new();
    for row in given {
        let given = by_commitment.entry(row.commitment_id).or_default();
        given.push((row.done_on, row.value_cents));
    }
    let mut bodies: HashMap<HolderId, (HolderSummary, Option<String>)> = HashMap::new();
    let mut help = Vec::new();
    for row in rows {
        help.push(Help {
            body: row.body,
            money: row.money,
            value_cents: row.value_cents,
            pending: row.pending,
            year: row.year,
            upkeep: row.starts_on.zip(row.ends_on).zip(row.stopped_on).map(
                |((starts_on, ends_on), stopped_on)| Upkeep {
                    starts_on,
                    ends_on,
                    stopped_on,
                },
            ),
            signed_on: row.signed_on,
            given: by_commitment.remove(&row.commitment_id).unwrap_or_default(),
        });
        let summary = HolderSummary {
            id: row.body,
            kind: row.kind,
            name: row.name,
        };
        bodies.insert(row.body, (summary, row.siren));
    }
    let today = session.today();
    let mut found: Vec<Found> = years(&help, today)
        .into_iter()
        .filter_map(|((body, year), figures)| {
            let (holder, siren) = bodies.get(&body)?.clone();
            let record = records.get(&(body, year)).copied();
            Some(Found {
                version: record.map_or(0, |record| record.version),
                subsidy: show(commune, holder, siren, year, &figures, record, today),
            })
        })
        .collect();
    found.sort_unstable_by_key(|found| std::cmp::Reverse(found.position()));
    Ok(found)
}

fn show(
    commune: &str,
    holder: HolderSummary,
    siren: Option<String>,
    year: i32,
    figures: &Year,
    record: Option<RecordRow>,
    today: NaiveDate,
) -> Subsidy {
    let published_on = record.and_then(|record| record.published_on);
    let report_received_on = record.and_then(|record| record.report_received_on);
    let report_due_on = report_due_on(year).filter(|_| figures.paid_cents > 0);
    // A report is asked for once the year is over; publication as soon as it is due.
    let duties = [
        (
            SubsidyDuty::Publication,
            figures.publication_due_on,
            published_on.is_none(),
        ),
        (
            SubsidyDuty::Report,
            report_due_on.filter(|_| today.year() > year),
            report_received_on.is_none(),
        ),
    ];
    let open = |late: bool| -> Vec<SubsidyDuty> {
        duties
            .iter()
            .filter(|(_, due, open)| *open && due.is_some_and(|due| !late || due < today))
            .map(|(duty, ..)| *duty)
            .collect()
    };
    Subsidy {
        commune_code: commune.to_owned(),
        holder,
        siren,
        year,
        paid_cents: figures.paid_cents,
        owed_cents: figures.owed_cents,
        in_kind_cents: figures.in_kind_cents,
        total_cents: figures.total_cents(),
        twelve_months_cents: figures.twelve_months_cents,
        threshold_cents: THRESHOLD_CENTS,
        over_threshold: figures.is_over(),
        warning: figures.warning,
        publication_due_on: figures.publication_due_on,
        published_on,
        report_due_on,
        report_received_on,
        to_do: open(false),
        late: open(true),
    }
}

impl SubsidyFilter {
    /// Whether a subsidy is meant.
    pub fn takes(&self, subsidy: &Subsidy) -> bool {
        self.year.is_none_or(|year| year == subsidy.year)
            && self
                .over_threshold
                .is_none_or(|over| over == subsidy.over_threshold)
            && match self.inbox {
                None => true,
                Some(SubsidyInbox::ToDo) => !subsidy.to_do.is_empty(),
                Some(SubsidyInbox::Late) => !subsidy.late.is_empty(),
            }
    }
}

#[derive(QueryableByName)]
struct BodyRow {
    #[diesel(sql_type = SqlUuid)]
    id: HolderId,
}

/// The body that a holder is an establishment of.
async fn body(conn: &mut AsyncPgConnection, holder: HolderId) -> Result<HolderId, ApiError> {
    let row: BodyRow = diesel::sql_query(
        "SELECT b.id FROM holders AS h
        JOIN holders AS b ON b.commune_code = h.commune_code
            AND (b.id = h.id OR b.siret BETWEEN left(h.siret, 9) || '00000' AND left(h.siret, 9) || '99999')
        WHERE (h.id, h.commune_code) = ($1, $2) ORDER BY b.id LIMIT 1",
    )
    .bind::<SqlUuid, _>(holder)
    .bind::<Text, _>(holder.commune())
    .get_result(conn)
    .await?;
    Ok(row.id)
}

/// What a body receives in a year, as far as the caller may see it; 404 otherwise.
pub async fn find(session: &mut Session, holder: HolderId, year: i32) -> Result<Found, ApiError> {
    let body = body(&mut session.conn, holder).await?;
    all(session, &holder.commune())
        .await?
        .into_iter()
        .find(|found| found.position() == (year, body))
        .ok_or_else(ApiError::not_found)
}

/// Records what was done about a subsidy that the caller has found.
pub async fn record(
    session: &mut Session,
    subsidy: &Subsidy,
    if_match: IfMatch,
    patch: &SubsidyPatch,
) -> Result<(), ApiError> {
    let (body, commune, year) = (subsidy.holder.id, &subsidy.commune_code, subsidy.year);
    let me = session.actor.person()?.id;
    // The row is made first, so that two who record the first thing meet at one lock.
    diesel::insert_into(subsidy_records::table)
        .values((
            subsidy_records::holder_id.eq(body),
            subsidy_records::commune_code.eq(commune),
            subsidy_records::year.eq(year),
            subsidy_records::recorded_by.eq(me),
        ))
        .on_conflict_do_nothing()
        .execute(&mut session.conn)
        .await?;
    let row = subsidy_records::table.find((body, commune, year));
    let known: RecordRow = row
        .select(RecordRow::as_select())
        .for_update()
        .first(&mut session.conn)
        .await?;
    if_match.check(known.version)?;
    let published_on = patch.published_on.unwrap_or(known.published_on);
    let report_received_on = patch.report_received_on.unwrap_or(known.report_received_on);
    let today = session.today();
    let out_of_range =
        |pointer, fr, en| Err(ApiError::fault(pointer, FaultCode::OutOfRange, fr, en));
    if published_on > Some(today) {
        return out_of_range("/published_on", "Pas dans l'avenir.", "Not in the future.");
    }
    if report_received_on.is_some_and(|day| day > today || day.year() < year) {
        return out_of_range(
            "/report_received_on",
            "Ni dans l'avenir, ni avant l'année.",
            "Neither in the future, nor before the year.",
        );
    }
    diesel::update(row)
        .set((
            subsidy_records::published_on.eq(published_on),
            subsidy_records::report_received_on.eq(report_received_on),
            subsidy_records::recorded_by.eq(me),
            subsidy_records::version.eq(known.version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    Ok(())
}
