//! A commune beside those of its size: median and quartiles, never a place in a list.

use bigdecimal::BigDecimal;
use chrono::Datelike;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Numeric, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::compute::per_thousand;
use super::dto::{Comparison, ComparisonFilter, ComparisonReport, IndicatorCode, Territory};
use super::indicators::{Indicator, IndicatorKind, indicators};
use super::territories::TerritoryKind;
use super::worker;
use crate::codes::codes;
use crate::communes;
use crate::figures::plain;
use crate::http::error::{ApiError, FaultCode};
use crate::state::Session;

/// Of fewer communes nothing is said.
const ENOUGH: i64 = 5;

codes! {
    /// Bands of residents, those of the Direction générale des collectivités locales ("Les collectivités locales en
    /// chiffres").
    pub enum CommuneSize "commune_sizes" {
        Under100 = "under_100", "Moins de 100 habitants", "Fewer than 100 residents";
        From100 = "from_100", "De 100 à 199 habitants", "100 to 199 residents";
        From200 = "from_200", "De 200 à 499 habitants", "200 to 499 residents";
        From500 = "from_500", "De 500 à 1 999 habitants", "500 to 1,999 residents";
        From2000 = "from_2000", "De 2 000 à 3 499 habitants", "2,000 to 3,499 residents";
        From3500 = "from_3500", "De 3 500 à 4 999 habitants", "3,500 to 4,999 residents";
        From5000 = "from_5000", "De 5 000 à 9 999 habitants", "5,000 to 9,999 residents";
        From10000 = "from_10000", "De 10 000 à 19 999 habitants", "10,000 to 19,999 residents";
        From20000 = "from_20000", "De 20 000 à 49 999 habitants", "20,000 to 49,999 residents";
        From50000 = "from_50000", "De 50 000 à 99 999 habitants", "50,000 to 99,999 residents";
        From100000 = "from_100000", "100 000 habitants et plus", "100,000 residents and more";
    }
}

impl CommuneSize {
    const fn begins_at(self) -> i32 {
        match self {
            Self::Under100 => 1,
            Self::From100 => 100,
            Self::From200 => 200,
            Self::From500 => 500,
            Self::From2000 => 2_000,
            Self::From3500 => 3_500,
            Self::From5000 => 5_000,
            Self::From10000 => 10_000,
            Self::From20000 => 20_000,
            Self::From50000 => 50_000,
            Self::From100000 => 100_000,
        }
    }

    /// The band of so many residents; none of nobody.
    fn of(residents: i32) -> Option<Self> {
        let bands = Self::ALL.iter().rev().copied();
        bands.into_iter().find(|band| band.begins_at() <= residents)
    }

    /// Where the next band begins.
    fn ends_before(self) -> i32 {
        let begins = Self::ALL.iter().map(|band| band.begins_at());
        begins
            .filter(|begin| *begin > self.begins_at())
            .min()
            .unwrap_or(i32::MAX)
    }
}

/// Whether an indicator is compared: a balance is no target and no ranking, and what is reported by hand has no common
/// definition.
fn is_compared(indicator: &Indicator) -> bool {
    indicator.code != "residents_share" && indicator.kind != IndicatorKind::Reported
}

/// Whether it is set against the residents.
fn is_counted(indicator: &Indicator) -> bool {
    matches!(indicator.kind, IndicatorKind::Total | IndicatorKind::Stock)
}

/// The indicators asked for.
fn asked(filter: &ComparisonFilter) -> Result<Vec<&'static Indicator>, ApiError> {
    let Some(codes) = &filter.indicators else {
        return Ok(indicators()
            .filter(|indicator| is_compared(indicator))
            .collect());
    };
    if codes.iter().any(|code| !is_compared(code.0)) {
        return Err(ApiError::query_fault(
            "indicators",
            FaultCode::Inconsistent,
            "Cet indicateur ne se compare pas.",
            "This indicator is not compared.",
        ));
    }
    let named = |indicator: &&Indicator| codes.iter().any(|code| code.0.code == indicator.code);
    Ok(indicators().filter(named).collect())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    indicator: String,
    #[diesel(sql_type = BigInt)]
    communes: i64,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Nullable<Array<Double>>)]
    quartiles: Option<Vec<f64>>,
}

/// What is counted is zero where no figure is kept; a rate is not.
const SIMILAR: &str = "
    SELECT a.indicator, count(*) AS communes, count(v.value) AS n,
        percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY v.value::double precision) AS quartiles
    FROM unnest($1, $2, $3) AS a (indicator, is_total, is_counted)
    CROSS JOIN communes AS c
    LEFT JOIN commune_figures AS f ON (f.year, f.indicator, f.commune_code) = ($4, a.indicator, c.code)
    CROSS JOIN LATERAL (SELECT CASE WHEN a.is_counted THEN coalesce(f.value, 0) * 1000 / c.population
        WHEN a.is_total THEN coalesce(f.value, 0) ELSE f.value END AS value) AS v
    WHERE c.enrolled_at IS NOT NULL AND c.population >= $5 AND c.population < $6
    GROUP BY a.indicator";

async fn similar(
    conn: &mut AsyncPgConnection,
    asked: &[&'static Indicator],
    year: i32,
    size: CommuneSize,
) -> Result<Vec<Row>, ApiError> {
    let is_total = |indicator: &Indicator| {
        is_counted(indicator) || indicator.kind == IndicatorKind::PerResident
    };
    let codes: Vec<&str> = asked.iter().map(|of| of.code).collect();
    let totals: Vec<bool> = asked.iter().map(|of| is_total(of)).collect();
    let counted: Vec<bool> = asked.iter().map(|of| is_counted(of)).collect();
    Ok(diesel::sql_query(SIMILAR)
        .bind::<Array<Text>, _>(codes)
        .bind::<Array<Bool>, _>(totals)
        .bind::<Array<Bool>, _>(counted)
        .bind::<Integer, _>(year)
        .bind::<Integer, _>(size.begins_at())
        .bind::<Integer, _>(size.ends_before())
        .load(conn)
        .await?)
}

#[derive(QueryableByName)]
struct Own {
    #[diesel(sql_type = Text)]
    indicator: String,
    #[diesel(sql_type = Numeric)]
    value: BigDecimal,
}

/// A commune's figures of a year beside those of its size.
pub async fn compare(
    session: &mut Session,
    code: &str,
    filter: ComparisonFilter,
) -> Result<ComparisonReport, ApiError> {
    let this_year = session.today().year();
    let year = filter.year.unwrap_or(this_year - 1);
    if year > this_year {
        return Err(ApiError::query_fault(
            "year",
            FaultCode::OutOfRange,
            "Cette année n'a pas commencé.",
            "This year has not begun.",
        ));
    }
    let asked = asked(&filter)?;
    let conn = &mut session.conn;
    let commune = communes::model::find(conn, code).await?.row;
    let as_of = worker::as_of(conn).await?;
    let size = commune.population.and_then(CommuneSize::of);
    let rows = match size {
        Some(size) => similar(conn, &asked, year, size).await?,
        None => Vec::new(),
    };
    let own: Vec<Own> = diesel::sql_query(
        "SELECT indicator, value FROM commune_figures WHERE year = $1 AND commune_code = $2",
    )
    .bind::<Integer, _>(year)
    .bind::<Text, _>(code)
    .load(conn)
    .await?;
    let data = asked
        .into_iter()
        .map(|indicator| {
            let kept = own.iter().find(|own| own.indicator == indicator.code);
            let zero = is_counted(indicator).then(BigDecimal::default);
            let value = kept.map(|own| own.value.clone()).or(zero);
            let residents = commune.population.map(i64::from);
            let per_thousand = per_thousand(indicator.kind, value.as_ref(), residents);
            let row = rows.iter().find(|row| row.indicator == indicator.code);
            let n = row.map_or(0, |row| row.n);
            let quartiles = row
                .and_then(|row| row.quartiles.as_ref())
                .filter(|_| n >= ENOUGH);
            let quartile = |place: usize| {
                let value = quartiles.and_then(|values| values.get(place))?;
                let value: BigDecimal = format!("{value:.4}").parse().ok()?;
                Some(plain(&value))
            };
            Comparison {
                indicator: IndicatorCode(indicator),
                value: value.as_ref().map(plain),
                per_1000_residents: per_thousand.as_ref().map(plain),
                n,
                is_too_few: n < ENOUGH,
                first_quartile: quartile(0),
                median: quartile(1),
                third_quartile: quartile(2),
            }
        })
        .collect();
    Ok(ComparisonReport {
        territory: Territory {
            kind: TerritoryKind::Commune,
            code: commune.code,
            name: commune.name,
        },
        population: commune.population,
        size,
        similar_communes: rows.iter().map(|row| row.communes).max().unwrap_or(0),
        year,
        as_of,
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_follow_each_other_without_a_gap() {
        assert_eq!(CommuneSize::of(0), None);
        for (residents, code) in [
            (1, "under_100"),
            (99, "under_100"),
            (100, "from_100"),
            (6_799, "from_5000"),
            (19_999, "from_10000"),
            (2_000_000, "from_100000"),
        ] {
            assert_eq!(CommuneSize::of(residents).unwrap().code(), code);
        }
        for bands in CommuneSize::ALL.windows(2) {
            assert_eq!(bands[0].ends_before(), bands[1].begins_at());
        }
    }
}
