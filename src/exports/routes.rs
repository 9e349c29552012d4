//! The lists that everybody reads, as files: `/v1/initiatives.csv`, `/v1/communes/{code}/meetings.ndjson` and so on; and
//! `/v1/exports`, the dictionary of their columns.

use actix_web::{HttpResponse, get, web};

use super::columns::{
    AUTHORITIES, COMMITMENTS, COMMUNES, CONVENTIONS, HOLDERS, INITIATIVES, MEASURES, MEETINGS,
    PRACTICES, SUBSIDIES, TABLES,
};
use super::dto::{Export, Exports, InitiativeMap, MapFormat, PracticeMap, TableFormat};
use super::stream::{self, PAGE, Rows, Wanted};
use crate::auth::actor::Actor;
use crate::auth::caller::Anyone;
use crate::auth::policy::Standing;
use crate::authorities::dto::{Authority, AuthorityFilter};
use crate::commitments::balance::model as balance;
use crate::commitments::dto::CommitmentFilter;
use crate::communes::dto::{Commune, CommuneFilter};
use crate::communes::model::Position;
use crate::conventions::dto::ConventionFilter;
use crate::holders::dto::{Holder, HolderFilter, HolderKind, HolderSummary};
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::http::extract::Query;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::initiatives::dto::{InitiativeFilter, InitiativeOrder};
use crate::initiatives::list::{Position as InitiativePosition, Reader};
use crate::measures::dto::{Measure, MeasureFilter};
use crate::meetings::dto::{Meeting, MeetingFilter};
use crate::practices::dto::{PracticeFilter, PracticeOrder};
use crate::practices::list::{Placed, Position as PracticePosition};
use crate::state::State;
use crate::subsidies::dto::SubsidyFilter;
use crate::{
    authorities, communes, conventions, holders, initiatives, measures, meetings, practices,
    subsidies,
};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_exports)
        .service(get_export)
        .service(export_initiatives)
        .service(export_conventions)
        .service(export_communes)
        .service(export_holders)
        .service(export_commitments)
        .service(export_meetings)
        .service(export_measures)
        .service(export_authorities)
        .service(export_subsidies)
        .service(export_practices);
}

/// What exports answer.
type File = Result<HttpResponse, ApiError>;

/// They change with the program only.
const VERSION: i32 = 1;
const KEPT: u32 = 3600;

/// List the exports
///
/// Every public list as files, with the name, the type and the meaning of each column in French and English, and the
/// licence. Names of columns are stable.
#[utoipa::path(
    tag = "exports",
    responses(
        (status = 200, description = "The exports.", body = Exports),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/exports")]
pub async fn list_exports(_: Anyone) -> Answer {
    let data = TABLES.iter().map(|table| Export::from(*table)).collect();
    Ok(Reply::resource(VERSION, &Exports { data })?.public(KEPT))
}

/// Get an export
///
/// Its columns with their meaning in French and English, its formats and its licence.
#[utoipa::path(
    tag = "exports",
    params(("name" = String, Path, description = "Name of the export.", example = "meetings")),
    responses(
        (status = 200, description = "The export.", body = Export),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/exports/{name}")]
pub async fn get_export(_: Anyone, name: web::Path<String>) -> Answer {
    let table = TABLES
        .iter()
        .find(|table| table.name == *name)
        .ok_or_else(ApiError::not_found)?;
    Ok(Reply::resource(VERSION, &Export::from(*table))?.public(KEPT))
}

/// The rows of a page of a list.
fn rows<T, I: serde::Serialize, P>(
    page: Page<T>,
    position: impl FnOnce(&T) -> P,
    show: impl FnMut(T) -> I,
) -> Result<Rows<P>, ApiError> {
    let next = page.items.last().filter(|_| page.has_more).map(position);
    let items: Vec<I> = page.items.into_iter().map(show).collect();
    Rows::new(&items, next)
}

/// A person's display name stays where it can be taken back: a file is kept by others.
fn anonymous(mut holder: HolderSummary) -> HolderSummary {
    if holder.kind == HolderKind::Person {
        let (french, _) = HolderKind::LIST
            .labels(holder.kind.code())
            .unwrap_or_default();
        holder.name = french.to_owned();
    }
    holder
}

/// Download initiatives
///
/// Those that are published, the newest first, as CSV, a JSON object a line, or a map: the suffix says which. What an
/// item is, `GET /v1/initiatives` says; what the columns mean, `GET /v1/exports/initiatives`. Whoever asks gets the same:
/// what everybody may read.
#[utoipa::path(
    tag = "exports",
    params(("format" = MapFormat, Path, description = "Kind of file."), InitiativeFilter),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "id,commune_code,commune_name,title…"),
            (String = "application/x-ndjson", example = "{\"id\":…}\n{\"id\":…}\n"),
            (InitiativeMap = "application/geo+json"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/initiatives.{format}")]
pub async fn export_initiatives(
    state: web::Data<State>,
    anyone: Anyone,
    format: web::Path<MapFormat>,
    filter: Query<InitiativeFilter>,
) -> File {
    let wanted = Wanted {
        table: &INITIATIVES,
        format: format.into_inner(),
        commune: filter.0.commune.clone(),
        edition: String::new(),
    };
    let filter = filter.0;
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let today = session.today();
        let everybody = Actor::default();
        let (reader, order) = (Reader::Of(&everybody), InitiativeOrder::default());
        let page = initiatives::list::list(
            &mut session.conn,
            reader,
            &filter,
            &order,
            today,
            after,
            PAGE,
        )
        .await?;
        rows(
            page,
            |item| InitiativePosition::from(item),
            |mut item| {
                item.holder = item.holder.map(anonymous);
                item
            },
        )
    })
    .await
}

/// Download conventions
///
/// The versions that are or were in force, of published initiatives, the newest first, as CSV or a JSON object a line.
/// `GET /v1/exports/conventions` says what the columns mean.
#[utoipa::path(
    tag = "exports",
    params(("format" = TableFormat, Path, description = "Kind of file."), ConventionFilter),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "id,root_id,number,commune_code…"),
            (String = "application/x-ndjson", example = "{\"id\":…}\n{\"id\":…}\n"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/conventions.{format}")]
pub async fn export_conventions(
    state: web::Data<State>,
    anyone: Anyone,
    format: web::Path<TableFormat>,
    filter: Query<ConventionFilter>,
) -> File {
    let wanted = Wanted {
        table: &CONVENTIONS,
        format: format.into_inner().into(),
        commune: filter.0.commune.clone(),
        edition: String::new(),
    };
    let filter = filter.0;
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let page = conventions::list::list(&mut session.conn, &session.actor, &filter, after, PAGE)
            .await?;
        rows(
            page,
            |item| (item.created_at, item.id),
            |mut item| {
                item.holder = anonymous(item.holder);
                item
            },
        )
    })
    .await
}

/// Download communes
///
/// As CSV or a JSON object a line. `GET /v1/exports/communes` says what the columns mean.
#[utoipa::path(
    tag = "exports",
    params(("format" = TableFormat, Path, description = "Kind of file."), CommuneFilter),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "code,name,department_code…"),
            (String = "application/x-ndjson", example = "{\"code\":…}\n{\"code\":…}\n"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes.{format}")]
pub async fn export_communes(
    state: web::Data<State>,
    anyone: Anyone,
    format: web::Path<TableFormat>,
    filter: Query<CommuneFilter>,
) -> File {
    let wanted = Wanted {
        table: &COMMUNES,
        format: format.into_inner().into(),
        commune: None,
        edition: String::new(),
    };
    let filter = filter.0;
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let page = communes::model::list(&mut session.conn, &filter, after, PAGE).await?;
        rows(page, |commune| Position::from(commune), Commune::from)
    })
    .await
}

/// Download the holders of a commune
///
/// Associations, schools and companies, the latest first, as CSV or a JSON object a line; people and groups without
/// legal personality are in no file. `GET /v1/exports/holders` says what the columns mean.
#[utoipa::path(
    tag = "exports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("format" = TableFormat, Path, description = "Kind of file."),
        HolderFilter,
    ),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "id,commune_code,kind…"),
            (String = "application/x-ndjson", example = "{\"id\":…}\n{\"id\":…}\n"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/holders.{format}")]
pub async fn export_holders(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, TableFormat)>,
    filter: Query<HolderFilter>,
) -> File {
    let (code, wanted) = of_commune(&HOLDERS, path, String::new());
    let filter = filter.0;
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let mut page = holders::model::list(
            &mut session.conn,
            &session.actor,
            &code,
            &filter,
            after,
            PAGE,
        )
        .await?;
        let next = page
            .items
            .last()
            .filter(|_| page.has_more)
            .map(|seen| (seen.row.created_at, seen.row.id));
        page.items
            .retain(|seen| HolderKind::LEGAL_PERSONS.contains(&seen.row.kind));
        let items: Vec<Holder> = page.items.into_iter().map(Holder::from).collect();
        Rows::new(&items, next)
    })
    .await
}

/// A list of a commune.
fn of_commune(
    table: &'static super::columns::Table,
    path: web::Path<(String, TableFormat)>,
    edition: String,
) -> (String, Wanted) {
    let (code, format) = path.into_inner();
    let wanted = Wanted {
        table,
        format: format.into(),
        commune: Some(code.clone()),
        edition,
    };
    (code, wanted)
}

/// Download the commitments of a commune
///
/// What both sides have bound themselves to in published initiatives, the latest first, as CSV or a JSON object a line.
/// `GET /v1/exports/commitments` says what the columns mean.
#[utoipa::path(
    tag = "exports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("format" = TableFormat, Path, description = "Kind of file."),
        CommitmentFilter,
    ),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "id,initiative_id,side…"),
            (String = "application/x-ndjson", example = "{\"id\":…}\n{\"id\":…}\n"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/commitments.{format}")]
pub async fn export_commitments(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, TableFormat)>,
    filter: Query<CommitmentFilter>,
) -> File {
    // What is late changes with the day.
    let today = crate::clock::paris_day(state.clock.now());
    let (code, wanted) = of_commune(&COMMITMENTS, path, today.to_string());
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let page =
            balance::page_of_commune(&mut session.conn, &code, &filter.0, today, after, PAGE)
                .await?;
        rows(
            page,
            |(row, _)| (row.created_at, row.id),
            |(row, tally)| row.show(tally, today, &Standing::default()),
        )
    })
    .await
}

/// Download the public meetings of a commune
///
/// The latest first, as CSV or a JSON object a line. `GET /v1/exports/meetings` says what the columns mean.
#[utoipa::path(
    tag = "exports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("format" = TableFormat, Path, description = "Kind of file."),
        MeetingFilter,
    ),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "id,commune_code,commune_name,held_on…"),
            (String = "application/x-ndjson", example = "{\"id\":…}\n{\"id\":…}\n"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/meetings.{format}")]
pub async fn export_meetings(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, TableFormat)>,
    filter: Query<MeetingFilter>,
) -> File {
    let (code, wanted) = of_commune(&MEETINGS, path, String::new());
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let page = meetings::model::list(session, &code, &filter.0, after, PAGE).await?;
        rows(
            page,
            |meeting| (meeting.row.held_on, meeting.row.id),
            Meeting::from,
        )
    })
    .await
}

/// Download the measures of a commune
///
/// The latest year first, as CSV or a JSON object a line. `GET /v1/exports/measures` says what the columns mean.
#[utoipa::path(
    tag = "exports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("format" = TableFormat, Path, description = "Kind of file."),
        MeasureFilter,
    ),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "id,commune_code,indicator,year…"),
            (String = "application/x-ndjson", example = "{\"id\":…}\n{\"id\":…}\n"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/measures.{format}")]
pub async fn export_measures(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, TableFormat)>,
    filter: Query<MeasureFilter>,
) -> File {
    let (code, wanted) = of_commune(&MEASURES, path, String::new());
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let page = measures::model::list(&mut session.conn, &code, &filter.0, after, PAGE).await?;
        rows(page, |measure| (measure.year, measure.id), Measure::from)
    })
    .await
}

/// Download the acts of a commune
///
/// Deliberations, decisions by delegation and the mayor's orders that let the commune commit, the latest first, as CSV or
/// a JSON object a line. `GET /v1/exports/authorities` says what the columns mean.
#[utoipa::path(
    tag = "exports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("format" = TableFormat, Path, description = "Kind of file."),
        AuthorityFilter,
    ),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "id,commune_code,kind…"),
            (String = "application/x-ndjson", example = "{\"id\":…}\n{\"id\":…}\n"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/authorities.{format}")]
pub async fn export_authorities(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, TableFormat)>,
    filter: Query<AuthorityFilter>,
) -> File {
    let (code, wanted) = of_commune(&AUTHORITIES, path, String::new());
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let page =
            authorities::model::list(&mut session.conn, &code, &filter.0, after, PAGE).await?;
        rows(page, |row| (row.adopted_on, row.id), Authority::from)
    })
    .await
}

/// Download what a commune gives
///
/// A row for each association, school or company and each calendar year, the latest first, as CSV or a JSON object a line.
/// `GET /v1/exports/subsidies` says what the columns mean; `/v1/communes/{code}/scdl/subventions.csv` is the national
/// schema.
#[utoipa::path(
    tag = "exports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("format" = TableFormat, Path, description = "Kind of file."),
        SubsidyFilter,
    ),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "commune_code,holder_id,holder_kind…"),
            (String = "application/x-ndjson", example = "{\"commune_code\":…}\n{\"commune_code\":…}\n"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/subsidies.{format}")]
pub async fn export_subsidies(
    state: web::Data<State>,
    anyone: Anyone,
    path: web::Path<(String, TableFormat)>,
    filter: Query<SubsidyFilter>,
) -> File {
    // What is late and what upkeep has cost so far changes with the day.
    let today = crate::clock::paris_day(state.clock.now());
    let (code, wanted) = of_commune(&SUBSIDIES, path, today.to_string());
    stream::file(
        &state,
        &anyone,
        wanted,
        async move |session, _: Option<()>| {
            // Figures of a year need those of the year before: all are counted at once, a row for each body and year.
            let items: Vec<_> = subsidies::model::all(session, &code)
                .await?
                .into_iter()
                .map(|found| found.subsidy)
                .filter(|subsidy| filter.0.takes(subsidy))
                .collect();
            Rows::new(&items, None)
        },
    )
    .await
}

/// Download practice sheets
///
/// Those that are published, the newest first, with the figures of what proves them, as CSV, a JSON object a line, or a
/// map. `GET /v1/exports/practices` says what the columns mean.
#[utoipa::path(
    tag = "exports",
    params(("format" = MapFormat, Path, description = "Kind of file."), PracticeFilter),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/csv", example = "id,commune_code,commune_name,title…"),
            (String = "application/x-ndjson", example = "{\"id\":…}\n{\"id\":…}\n"),
            (PracticeMap = "application/geo+json"),
        )),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/practices.{format}")]
pub async fn export_practices(
    state: web::Data<State>,
    anyone: Anyone,
    format: web::Path<MapFormat>,
    filter: Query<PracticeFilter>,
) -> File {
    let wanted = Wanted {
        table: &PRACTICES,
        format: format.into_inner(),
        commune: filter.0.commune.clone(),
        edition: String::new(),
    };
    let filter = filter.0;
    stream::file(&state, &anyone, wanted, async move |session, after| {
        let today = session.today();
        let (everybody, order) = (Actor::default(), PracticeOrder::default());
        let page = practices::list::list(
            &mut session.conn,
            &everybody,
            &filter,
            &order,
            today,
            after,
            PAGE,
        )
        .await?;
        let position = |placed: &Placed| PracticePosition::from(placed);
        rows(page, position, |placed| placed.practice)
    })
    .await
}
