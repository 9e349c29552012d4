//! Lists of practice sheets: filters, search, and what is near.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Double, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Practice, PracticeFilter, PracticeOrder, PracticeSort};
use super::lifecycle::PracticeState;
use super::model::{PracticeRow, show_all};
use crate::auth::actor::Actor;
use crate::db::schema::{communes, initiatives, practice_initiatives, practices};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, FaultCode};
use crate::ids::PracticeId;
use crate::initiatives::list::bounds;
use crate::text::fold;

/// Where a sheet stands in the chosen order.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Position {
    created_at: DateTime<Utc>,
    metres: i32,
    id: PracticeId,
}

/// A sheet, and how far it is.
pub struct Placed {
    pub practice: Practice,
    metres: i32,
}

impl From<&Placed> for Position {
    fn from(placed: &Placed) -> Self {
        Self {
            created_at: placed.practice.created_at,
            metres: placed.metres,
            id: placed.practice.id,
        }
    }
}

/// Kilometres of a degree of latitude; a little less, so that a box holds its circle.
const KILOMETRES: f64 = 110.5;

/// How many degrees of latitude and of longitude hold what is so many kilometres around.
pub fn degrees(latitude: f64, kilometres: i32) -> (f64, f64) {
    let high = f64::from(kilometres) / KILOMETRES;
    // Towards a pole every longitude is near.
    let narrow = (latitude.abs() + high).to_radians().cos();
    let wide = if narrow > 0.01 { high / narrow } else { 360.0 };
    (high, wide)
}

/// Two numbers, as the pattern in the document says; what no pattern can say is how large they are.
fn point(near: &str) -> Result<(f64, f64), ApiError> {
    let numbers: Vec<f64> = near
        .split(',')
        .filter_map(|part| part.parse().ok())
        .collect();
    match numbers.as_slice() {
        [latitude, longitude] if latitude.abs() <= 90.0 && longitude.abs() <= 180.0 => {
            Ok((*latitude, *longitude))
        }
        _ => Err(ApiError::query_fault(
            "near",
            FaultCode::OutOfRange,
            "La latitude d'abord, de -90 à 90, puis la longitude, de -180 à 180.",
            "The latitude first, -90 to 90, then the longitude, -180 to 180.",
        )),
    }
}

/// A page of the list as somebody sees it.
pub async fn list(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    filter: &PracticeFilter,
    order: &PracticeOrder,
    today: NaiveDate,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<Placed>, ApiError> {
    let near = filter.near.as_deref().map(point).transpose()?;
    if near.is_none() && (filter.within_km.is_some() || order.sort == PracticeSort::Nearest) {
        return Err(ApiError::query_fault(
            "near",
            FaultCode::Required,
            "Près de quoi ?",
            "Near what?",
        ));
    }
    let metres = || {
        sql::<Integer>("coalesce(metres_between(")
            .bind::<Nullable<Double>, _>(near.map(|(latitude, _)| latitude))
            .sql(", ")
            .bind::<Nullable<Double>, _>(near.map(|(_, longitude)| longitude))
            .sql(", practices.latitude, practices.longitude), 0)")
    };
    let mut query = practices::table
        .inner_join(communes::table)
        .select((PracticeRow::as_select(), communes::name, metres()))
        .limit(limit + 1)
        .into_boxed();
    let commune = filter.commune.as_deref().unwrap_or_default();
    if !actor.standing_in(commune).is_town_hall() {
        query = query.filter(practices::state.eq(PracticeState::Published));
    }
    if let Some(commune) = &filter.commune {
        query = query.filter(practices::commune_code.eq(commune.clone()));
    }
    if let Some(department) = &filter.department {
        query = query.filter(communes::department_code.eq(department.clone()));
    }
    if let Some(region) = &filter.region {
        query = query.filter(communes::region_code.eq(region.clone()));
    }
    if let Some(state) = filter.state {
        query = query.filter(practices::state.eq(state));
    }
    if let Some(theme) = filter.theme {
        query = query.filter(practices::theme.eq(theme));
    }
    if let Some(level) = filter.participation_level {
        query = query.filter(practices::participation_level.eq(level));
    }
    if let Some(tag) = &filter.tag {
        query = query
            .filter(sql::<Bool>("practices.tags @> ").bind::<Array<Text>, _>(vec![tag.clone()]));
    }
    if let Some(q) = &filter.q {
        query = query.filter(
            sql::<Bool>("practices.words @@ websearch_to_tsquery('french', ")
                .bind::<Text, _>(fold(q))
                .sql(")"),
        );
    }
    if let Some(bbox) = &filter.bbox {
        let [west, south, east, north] = bounds(bbox)?;
        query = query
            .filter(practices::latitude.between(south, north))
            .filter(practices::longitude.between(west, east));
    }
    if let Some((latitude, longitude)) = near {
        let kilometres = filter.within_km.unwrap_or(50);
        let (high, wide) = degrees(latitude, kilometres);
        query = query
            .filter(practices::latitude.between(latitude - high, latitude + high))
            .filter(practices::longitude.between(longitude - wide, longitude + wide))
            .filter(metres().le(kilometres * 1000));
    }
    if let Some(least) = filter.population_min {
        query = query.filter(communes::population.ge(least));
    }
    if let Some(most) = filter.population_max {
        query = query.filter(communes::population.le(most));
    }
    if let Some(practice) = filter.inspired_by {
        query = query.filter(practices::inspired_by_practice_id.eq(practice));
    }
    if let Some(initiative) = filter.initiative {
        // One that is no longer public proves nothing to anybody.
        query = query.filter(exists(
            practice_initiatives::table
                .inner_join(
                    initiatives::table.on(initiatives::id
                        .eq(practice_initiatives::initiative_id)
                        .and(initiatives::commune_code.eq(practice_initiatives::commune_code))),
                )
                .filter(practice_initiatives::practice_id.eq(practices::id))
                .filter(practice_initiatives::commune_code.eq(practices::commune_code))
                .filter(practice_initiatives::initiative_id.eq(initiative))
                .filter(initiatives::published_at.is_not_null()),
        ));
    }
    query = match order.sort {
        PracticeSort::Newest => {
            if let Some(after) = after {
                query = query
                    .filter(practices::created_at.le(after.created_at))
                    .filter(
                        practices::created_at
                            .lt(after.created_at)
                            .or(practices::id.lt(after.id)),
                    );
            }
            query.order((practices::created_at.desc(), practices::id.desc()))
        }
        PracticeSort::Oldest => {
            if let Some(after) = after {
                query = query
                    .filter(practices::created_at.ge(after.created_at))
                    .filter(
                        practices::created_at
                            .gt(after.created_at)
                            .or(practices::id.gt(after.id)),
                    );
            }
            query.order((practices::created_at.asc(), practices::id.asc()))
        }
        PracticeSort::Nearest => {
            if let Some(after) = after {
                query = query
                    .filter(metres().ge(after.metres))
                    .filter(metres().gt(after.metres).or(practices::id.gt(after.id)));
            }
            query.order((metres().asc(), practices::id.asc()))
        }
    };
    let found: Vec<(PracticeRow, String, i32)> = query.load(conn).await?;
    let (rows, far): (Vec<_>, Vec<i32>) = found
        .into_iter()
        .map(|(row, commune, metres)| ((row, commune), metres))
        .unzip();
    let shown = show_all(conn, actor, rows, today).await?;
    let placed = shown.into_iter().zip(far);
    let placed = placed.map(|(practice, metres)| Placed { practice, metres });
    Ok(Page::cut(placed.collect(), limit))
}
