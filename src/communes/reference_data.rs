//! Loads the official geography that comes with the program (data/README.md names source and licence).

use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use sha2::{Digest, Sha256};

use crate::db::DatabaseError;
use crate::db::schema::reference_data;
use crate::text::fold;

const COMMUNES: &str = include_str!("../../data/communes-cog-2026.csv");
const DEPARTMENTS: &str = include_str!("../../data/departments.csv");
const REGIONS: &str = include_str!("../../data/regions.csv");
const INTERCOMMUNALITIES: &str = include_str!("../../data/epci.csv");

/// No name of the official geography is longer, in characters.
pub const NAME_LENGTH_MAX: usize = 100;

/// No commune has more postal codes.
pub const POSTAL_CODES_MAX: usize = 50;

/// The columns of a file, each as one array: what a single statement can insert.
struct Columns(Vec<Vec<Option<String>>>);

impl Columns {
    fn read(text: &str, width: usize) -> Result<Self, csv::Error> {
        let mut columns = vec![Vec::new(); width];
        for record in csv::Reader::from_reader(text.as_bytes()).records() {
            let record = record?;
            for (column, value) in columns.iter_mut().zip(record.iter()) {
                column.push((!value.is_empty()).then(|| value.to_owned()));
            }
        }
        Ok(Self(columns))
    }

    fn take(&mut self, index: usize) -> Vec<Option<String>> {
        self.0
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or_default()
    }
}

/// Loads the edition that comes with this program unless it is there already. Returns the number of communes loaded.
pub async fn load(conn: &mut AsyncPgConnection) -> Result<usize, DatabaseError> {
    let mut digest = Sha256::new();
    for file in [REGIONS, DEPARTMENTS, INTERCOMMUNALITIES, COMMUNES] {
        digest.update(file);
    }
    let edition: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let loaded: Option<String> = reference_data::table
        .find("communes")
        .select(reference_data::sha256)
        .first(conn)
        .await
        .optional()?;
    if loaded.as_ref() == Some(&edition) {
        return Ok(0);
    }
    conn.transaction(async |conn| {
        insert(conn).await?;
        diesel::insert_into(reference_data::table)
            .values((
                reference_data::name.eq("communes"),
                reference_data::sha256.eq(&edition),
            ))
            .on_conflict(reference_data::name)
            .do_update()
            .set(reference_data::sha256.eq(&edition))
            .execute(conn)
            .await?;
        // Whoever has the list of communes as a file learns that there is another one.
        diesel::sql_query(
            "INSERT INTO public_changes (source, commune_code, changes) VALUES ('communes', '', 1)",
        )
        .execute(conn)
        .await?;
        Ok::<_, DatabaseError>(())
    })
    .await?;
    Ok(COMMUNES.lines().count().saturating_sub(1))
}

type Texts = Array<Nullable<Text>>;

async fn insert(conn: &mut AsyncPgConnection) -> Result<(), DatabaseError> {
    let unreadable =
        |error: csv::Error| DatabaseError::Migration(format!("reference data: {error}"));

    let mut regions = Columns::read(REGIONS, 2).map_err(unreadable)?;
    diesel::sql_query(
        "INSERT INTO regions SELECT * FROM unnest($1, $2) ON CONFLICT (code) DO UPDATE SET name = excluded.name",
    )
    .bind::<Texts, _>(regions.take(0))
    .bind::<Texts, _>(regions.take(1))
    .execute(conn)
    .await?;

    let mut departments = Columns::read(DEPARTMENTS, 3).map_err(unreadable)?;
    diesel::sql_query(
        "INSERT INTO departments SELECT * FROM unnest($1, $2, $3)
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, region_code = excluded.region_code",
    )
    .bind::<Texts, _>(departments.take(0))
    .bind::<Texts, _>(departments.take(1))
    .bind::<Texts, _>(departments.take(2))
    .execute(conn)
    .await?;

    let mut epci = Columns::read(INTERCOMMUNALITIES, 3).map_err(unreadable)?;
    diesel::sql_query(
        "INSERT INTO intercommunalities SELECT * FROM unnest($1, $2, $3)
         ON CONFLICT (siren) DO UPDATE SET name = excluded.name, kind = excluded.kind",
    )
    .bind::<Texts, _>(epci.take(0))
    .bind::<Texts, _>(epci.take(1))
    .bind::<Texts, _>(epci.take(2))
    .execute(conn)
    .await?;

    let mut communes = Columns::read(COMMUNES, 8).map_err(unreadable)?;
    let codes = communes.take(0);
    let names = communes.take(1);
    let folded: Vec<Option<String>> = names.iter().map(|name| name.as_deref().map(fold)).collect();
    let populations: Vec<Option<i32>> = communes
        .take(6)
        .iter()
        .map(|text| text.as_deref().and_then(|text| text.parse().ok()))
        .collect();
    diesel::sql_query(
        "INSERT INTO communes (code, name, folded_name, department_code, region_code, epci_siren, siren, population,
             postal_codes)
         SELECT code, name, folded, department, region, epci, siren, population,
             string_to_array(coalesce(postal_codes, ''), ';')
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
             AS row (code, name, folded, department, region, epci, siren, population, postal_codes)
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, folded_name = excluded.folded_name,
             department_code = excluded.department_code, region_code = excluded.region_code,
             epci_siren = excluded.epci_siren, siren = excluded.siren, population = excluded.population,
             postal_codes = excluded.postal_codes",
    )
    .bind::<Texts, _>(codes)
    .bind::<Texts, _>(names)
    .bind::<Texts, _>(folded)
    .bind::<Texts, _>(communes.take(2))
    .bind::<Texts, _>(communes.take(3))
    .bind::<Texts, _>(communes.take(4))
    .bind::<Texts, _>(communes.take(5))
    .bind::<Array<Nullable<Integer>>, _>(populations)
    .bind::<Texts, _>(communes.take(7))
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_geography_is_as_the_document_says() {
        for (file, width) in [
            (REGIONS, 2),
            (DEPARTMENTS, 3),
            (INTERCOMMUNALITIES, 3),
            (COMMUNES, 8),
        ] {
            let names = Columns::read(file, width).unwrap().take(1);
            for name in names.into_iter().flatten() {
                assert!(name.chars().count() <= NAME_LENGTH_MAX, "{name}");
            }
        }
        let postal_codes = Columns::read(COMMUNES, 8).unwrap().take(7);
        for codes in postal_codes.into_iter().flatten() {
            let digits = |code: &str| code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
            assert!(codes.split(';').all(digits), "{codes}");
            assert!(codes.split(';').count() <= POSTAL_CODES_MAX, "{codes}");
        }
    }
}
