//! The part of France that figures are asked for.

use diesel::dsl::sum;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::cells;
use super::dto::MetricFilter;
use crate::codes::codes;
use crate::db::schema::{communes, departments, intercommunalities, regions};
use crate::http::error::{ApiError, FaultCode};

codes! {
    /// What kind of territory.
    pub enum TerritoryKind "territory_kinds" {
        Commune = "commune", "Commune", "Commune";
        Epci = "epci", "Intercommunalité", "Intercommunality";
        Department = "department", "Département", "Department";
        Region = "region", "Région", "Region";
        Country = "country", "Pays", "Country";
    }
}

impl TerritoryKind {
    /// Whether its figures are added up beforehand. An intercommunality has some dozens of communes: its figures are
    /// computed from the records, as those of communes are, and right at once.
    pub const fn is_added_up(self) -> bool {
        match self {
            Self::Commune | Self::Epci => false,
            Self::Department | Self::Region | Self::Country => true,
        }
    }
}

/// A territory.
#[derive(Clone, Debug)]
pub struct Place {
    pub kind: TerritoryKind,
    pub code: String,
    pub name: String,
    /// Residents of a commune; of a larger territory, of its communes that have joined.
    pub population: Option<i64>,
    /// The communes whose records are read: of a larger territory those that have joined, of one that is added up none.
    pub communes: Vec<String>,
}

fn unknown(parameter: &str) -> ApiError {
    ApiError::query_fault(
        parameter,
        FaultCode::NotFound,
        "Aucun territoire n'a ce code.",
        "No territory has this code.",
    )
}

/// The territories that a request names: some communes, or one larger territory.
pub async fn named(
    conn: &mut AsyncPgConnection,
    filter: &MetricFilter,
) -> Result<Vec<Place>, ApiError> {
    let larger = [
        (TerritoryKind::Epci, &filter.epci),
        (TerritoryKind::Department, &filter.department),
        (TerritoryKind::Region, &filter.region),
        (TerritoryKind::Country, &filter.country),
    ];
    let mut larger = larger
        .into_iter()
        .filter_map(|(kind, code)| Some((kind, code.as_deref()?)));
    match (&filter.communes, larger.next(), larger.next()) {
        (Some(codes), None, _) => some_communes(conn, codes).await,
        (None, Some((kind, code)), None) => Ok(vec![whole(conn, kind, code).await?]),
        _ => Err(ApiError::query_fault(
            "communes",
            FaultCode::Inconsistent,
            "Soit communes, soit epci, department, region ou country.",
            "Either communes, or epci, department, region or country.",
        )),
    }
}

async fn some_communes(
    conn: &mut AsyncPgConnection,
    codes: &[String],
) -> Result<Vec<Place>, ApiError> {
    let rows: Vec<(String, String, Option<i32>)> = communes::table
        .filter(communes::code.eq_any(codes))
        .select((communes::code, communes::name, communes::population))
        .load(conn)
        .await?;
    let mut places: Vec<Place> = Vec::new();
    for code in codes {
        if places.iter().any(|place| place.code == *code) {
            continue;
        }
        let (code, name, population) = rows
            .iter()
            .find(|(known, ..)| known == code)
            .cloned()
            .ok_or_else(|| unknown("communes"))?;
        places.push(Place {
            kind: TerritoryKind::Commune,
            communes: vec![code.clone()],
            code,
            name,
            population: population.map(i64::from),
        });
    }
    Ok(places)
}

async fn whole(
    conn: &mut AsyncPgConnection,
    kind: TerritoryKind,
    code: &str,
) -> Result<Place, ApiError> {
    let name: Option<String> = match kind {
        TerritoryKind::Epci => {
            let named = intercommunalities::table.find(code);
            named.select(intercommunalities::name).first(conn).await
        }
        TerritoryKind::Department => {
            let named = departments::table.find(code);
            named.select(departments::name).first(conn).await
        }
        TerritoryKind::Region => {
            let named = regions::table.find(code);
            named.select(regions::name).first(conn).await
        }
        TerritoryKind::Commune | TerritoryKind::Country => Ok("France".to_owned()),
    }
    .optional()?;
    let name = name.ok_or_else(|| unknown(kind.code()))?;
    let (population, communes) = match kind {
        TerritoryKind::Epci => {
            let within = || {
                communes::table
                    .filter(communes::epci_siren.eq(code))
                    .filter(communes::enrolled_at.is_not_null())
            };
            let population = within().select(sum(communes::population));
            let codes = within().select(communes::code);
            (population.first(conn).await?, codes.load(conn).await?)
        }
        _ => (cells::residents(conn, kind, code).await?, Vec::new()),
    };
    Ok(Place {
        kind,
        code: code.to_owned(),
        name,
        population,
        communes,
    })
}
