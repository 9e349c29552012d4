//! Which sheets of other communes may be of use to those who read one: the same theme or near, and of similar size.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Double, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{NeighbourReason, PracticeNeighbour};
use super::list::degrees;
use super::model::PracticeRow;
use crate::http::error::ApiError;
use crate::ids::PracticeId;
use crate::initiatives::dto::{CommuneSummary, Theme};

/// What is near, in kilometres: as far as people drive to look at something in half a day.
const NEAR_KM: i32 = 50;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: PracticeId,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    theme: Theme,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Integer>)]
    population: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    distance_m: Option<i32>,
    #[diesel(sql_type = Bool)]
    same_theme: bool,
    #[diesel(sql_type = Bool)]
    near: bool,
    #[diesel(sql_type = Bool)]
    similar_size: bool,
}

/// Both halves have an index; size alone makes no neighbour.
const NEIGHBOURS: &str = "
    WITH around AS (
        SELECT id FROM practices WHERE theme = $2 AND state = 'published' AND commune_code <> $3
        UNION
        SELECT id FROM practices WHERE latitude BETWEEN $4 - $6 AND $4 + $6 AND longitude BETWEEN $5 - $7 AND $5 + $7
            AND state = 'published' AND commune_code <> $3
    ), told AS (
        SELECT p.id, p.title, p.theme, c.code, c.name, c.population,
            metres_between($4, $5, p.latitude, p.longitude) AS distance_m, p.theme = $2 AS same_theme,
            coalesce(metres_between($4, $5, p.latitude, p.longitude) <= $8 * 1000, false) AS near,
            coalesce(c.population BETWEEN $9 / 2.0 AND $9 * 2, false) AS similar_size
        FROM around JOIN practices AS p USING (id) JOIN communes AS c ON c.code = p.commune_code
    )
    SELECT * FROM told WHERE id <> $1 AND (same_theme OR near)
    ORDER BY same_theme::integer + near::integer + similar_size::integer DESC, distance_m NULLS LAST, id LIMIT 20";

/// The neighbours of a sheet of a commune with so many residents.
pub async fn of(
    conn: &mut AsyncPgConnection,
    row: &PracticeRow,
    population: Option<i32>,
) -> Result<Vec<PracticeNeighbour>, ApiError> {
    let (high, wide) = row
        .latitude
        .map_or((0.0, 0.0), |latitude| degrees(latitude, NEAR_KM));
    let rows: Vec<Row> = diesel::sql_query(NEIGHBOURS)
        .bind::<SqlUuid, _>(row.id)
        .bind::<Nullable<Text>, _>(row.theme)
        .bind::<Text, _>(&row.commune_code)
        .bind::<Nullable<Double>, _>(row.latitude)
        .bind::<Nullable<Double>, _>(row.longitude)
        .bind::<Double, _>(high)
        .bind::<Double, _>(wide)
        .bind::<Integer, _>(NEAR_KM)
        .bind::<Nullable<Integer>, _>(population.filter(|population| *population > 0))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(PracticeNeighbour::from).collect())
}

impl From<Row> for PracticeNeighbour {
    fn from(row: Row) -> Self {
        let reasons = [
            (row.same_theme, NeighbourReason::SameTheme),
            (row.near, NeighbourReason::Near),
            (row.similar_size, NeighbourReason::SimilarSize),
        ];
        Self {
            id: row.id,
            commune: CommuneSummary {
                code: row.code,
                name: row.name,
            },
            title: row.title,
            theme: row.theme,
            reasons: reasons
                .into_iter()
                .filter_map(|(holds, reason)| holds.then_some(reason))
                .collect(),
            distance_m: row.distance_m,
            population: row.population,
        }
    }
}
