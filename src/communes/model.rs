//! Communes in the database.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    Commune, CommuneFilter, CommuneSettings, CommuneSettingsPatch, CommuneSort, Intercommunality,
    Place,
};
use crate::db::schema::{communes, departments, intercommunalities, regions};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::registry::is_siret;
use crate::text::prefix_query;

/// A row of `communes`, without its search columns.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = communes)]
pub struct CommuneRow {
    pub code: String,
    pub name: String,
    pub folded_name: String,
    pub department_code: String,
    pub region_code: String,
    pub epci_siren: Option<String>,
    pub siren: Option<String>,
    pub siret: Option<String>,
    pub population: Option<i32>,
    pub postal_codes: Vec<Option<String>>,
    pub enrolled_at: Option<DateTime<Utc>>,
    pub reply_delay_days: i32,
    pub small_project_ceiling_cents: i64,
    pub convention_max_months: i32,
    pub document_quota_bytes: i64,
    pub council_dates: Vec<Option<NaiveDate>>,
    pub version: i32,
}

impl CommuneRow {
    /// The days on which the council meets, in order.
    pub fn council_dates(&self) -> Vec<NaiveDate> {
        let mut dates: Vec<NaiveDate> = self.council_dates.iter().copied().flatten().collect();
        dates.sort_unstable();
        dates.dedup();
        dates
    }
}

/// A commune with the names around it.
pub struct CommuneWithPlaces {
    pub row: CommuneRow,
    pub department: String,
    pub region: String,
    pub epci: Option<String>,
}

impl From<CommuneWithPlaces> for Commune {
    fn from(commune: CommuneWithPlaces) -> Self {
        let row = commune.row;
        let council_dates = row.council_dates();
        Self {
            code: row.code,
            name: row.name,
            department: Place {
                code: row.department_code,
                name: commune.department,
            },
            region: Place {
                code: row.region_code,
                name: commune.region,
            },
            intercommunality: row
                .epci_siren
                .zip(commune.epci)
                .map(|(siren, name)| Intercommunality { siren, name }),
            siren: row.siren,
            population: row.population,
            postal_codes: row.postal_codes.into_iter().flatten().collect(),
            enrolled_at: row.enrolled_at,
            settings: CommuneSettings {
                siret: row.siret,
                reply_delay_days: row.reply_delay_days,
                small_project_ceiling_cents: row.small_project_ceiling_cents,
                convention_max_months: row.convention_max_months,
                document_quota_bytes: row.document_quota_bytes,
                council_dates,
            },
        }
    }
}

/// Where an item of the list stands in the chosen order.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Position {
    folded_name: String,
    population: i32,
    code: String,
}

impl From<&CommuneWithPlaces> for Position {
    fn from(commune: &CommuneWithPlaces) -> Self {
        Self {
            folded_name: commune.row.folded_name.clone(),
            population: commune.row.population.unwrap_or(0),
            code: commune.row.code.clone(),
        }
    }
}

type Joined = (CommuneRow, String, String, Option<String>);

fn with_places(found: Joined) -> CommuneWithPlaces {
    let (row, department, region, epci) = found;
    CommuneWithPlaces {
        row,
        department,
        region,
        epci,
    }
}

/// One commune.
pub async fn find(conn: &mut AsyncPgConnection, code: &str) -> Result<CommuneWithPlaces, ApiError> {
    let found: Joined = communes::table
        .inner_join(departments::table)
        .inner_join(regions::table.on(regions::code.eq(communes::region_code)))
        .left_join(intercommunalities::table)
        .filter(communes::code.eq(code))
        .select((
            CommuneRow::as_select(),
            departments::name,
            regions::name,
            intercommunalities::name.nullable(),
        ))
        .first(conn)
        .await?;
    Ok(with_places(found))
}

/// The settings of a commune that takes part in the scheme; 409 for one that does not.
pub async fn enrolled(conn: &mut AsyncPgConnection, code: &str) -> Result<CommuneRow, ApiError> {
    let row: Option<CommuneRow> = communes::table
        .find(code)
        .select(CommuneRow::as_select())
        .first(conn)
        .await
        .optional()?;
    match row {
        Some(row) if row.enrolled_at.is_some() => Ok(row),
        Some(_) => Err(ApiError::requirement(
            "Cette commune ne participe pas encore.",
            "This commune does not take part yet.",
        )),
        None => Err(ApiError::not_found()),
    }
}

/// A page of the list.
pub async fn list(
    conn: &mut AsyncPgConnection,
    filter: &CommuneFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<CommuneWithPlaces>, ApiError> {
    let population = || sql::<Integer>("coalesce(communes.population, 0)");
    let mut query = communes::table
        .inner_join(departments::table)
        .inner_join(regions::table.on(regions::code.eq(communes::region_code)))
        .left_join(intercommunalities::table)
        .select((
            CommuneRow::as_select(),
            departments::name,
            regions::name,
            intercommunalities::name.nullable(),
        ))
        .limit(limit + 1)
        .into_boxed();
    if let Some(q) = &filter.q {
        if q.len() == 5 && q.bytes().all(|byte| byte.is_ascii_digit()) {
            query = query.filter(communes::postal_codes.contains(vec![Some(q.clone())]));
        } else if let Some(words) = prefix_query(q) {
            query = query.filter(
                sql::<Bool>("communes.name_words @@ to_tsquery('simple', ")
                    .bind::<Text, _>(words)
                    .sql(")"),
            );
        } else {
            return Ok(Page {
                items: Vec::new(),
                has_more: false,
            });
        }
    }
    if let Some(department) = &filter.department {
        query = query.filter(communes::department_code.eq(department.clone()));
    }
    match filter.enrolled {
        Some(true) => query = query.filter(communes::enrolled_at.is_not_null()),
        Some(false) => query = query.filter(communes::enrolled_at.is_null()),
        None => {}
    }
    match filter.sort {
        CommuneSort::Name => {
            if let Some(after) = after {
                let further = communes::folded_name
                    .gt(after.folded_name.clone())
                    .or(communes::code.gt(after.code));
                query = query
                    .filter(communes::folded_name.ge(after.folded_name))
                    .filter(further);
            }
            query = query.order((communes::folded_name, communes::code));
        }
        CommuneSort::Population => {
            if let Some(after) = after {
                let further = population()
                    .lt(after.population)
                    .or(communes::code.gt(after.code));
                query = query
                    .filter(population().le(after.population))
                    .filter(further);
            }
            query = query.order((population().desc(), communes::code.asc()));
        }
    }
    let found: Vec<Joined> = query.load(conn).await?;
    Ok(Page::cut(
        found.into_iter().map(with_places).collect(),
        limit,
    ))
}

/// Joins a commune to the scheme; 409 when it has joined already.
pub async fn enrol(
    conn: &mut AsyncPgConnection,
    code: &str,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let changed = diesel::update(
        communes::table
            .find(code)
            .filter(communes::enrolled_at.is_null()),
    )
    .set((
        communes::enrolled_at.eq(now),
        communes::version.eq(communes::version + 1),
    ))
    .execute(conn)
    .await?;
    if changed == 1 {
        return Ok(());
    }
    find(conn, code).await?;
    Err(ApiError::because(
        Code::AlreadyExists,
        "Cette commune participe déjà.",
        "This commune takes part already.",
    ))
}

/// Refuses, as a fault of the body, a SIRET that is none or not the commune's.
pub async fn check_siret(
    conn: &mut AsyncPgConnection,
    code: &str,
    siret: &str,
) -> Result<(), ApiError> {
    let siren = find(conn, code).await?.row.siren;
    if is_siret(siret) && siren.is_none_or(|siren| siret.starts_with(&siren)) {
        return Ok(());
    }
    Err(ApiError::fault(
        "/siret",
        FaultCode::Inconsistent,
        "Ce n'est pas un SIRET de la commune : il commence par son SIREN, et sa clé de contrôle est juste.",
        "This is no SIRET of the commune: it begins with its SIREN, and its check digit is right.",
    ))
}

/// Changes settings of a commune that the caller holds locked at `version`.
pub async fn change_settings(
    conn: &mut AsyncPgConnection,
    code: &str,
    patch: &CommuneSettingsPatch,
) -> Result<(), ApiError> {
    diesel::update(communes::table.find(code))
        .set((patch, communes::version.eq(communes::version + 1)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The version of a commune's row, held until the transaction ends.
pub async fn lock(conn: &mut AsyncPgConnection, code: &str) -> Result<i32, ApiError> {
    Ok(communes::table
        .find(code)
        .select(communes::version)
        .for_update()
        .first(conn)
        .await?)
}
