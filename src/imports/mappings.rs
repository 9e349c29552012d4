//! How the columns of a commune's own files become fields: titles, constants, and words for codes. A mapping is saved under
//! a name, and an import keeps it as it was when the file came.

use std::collections::BTreeMap;

use actix_web::{delete, get, put, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::dto::ImportResource;
use crate::auth::caller::Caller;
use crate::communes;
use crate::db::schema::import_mappings as mappings;
use crate::http::error::{ApiError, Fault, FaultCode, Text};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader, IfMatchWhenThereHeader};
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::UserId;
use crate::state::{Session, State};

/// Most mappings of a commune.
const MAPPINGS_MAX: i64 = 100;
/// Most entries of a part of a mapping, and the longest of its texts in characters.
const ENTRIES_MAX: usize = 500;
const TEXT_MAX: usize = 1000;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_mappings)
        .service(get_mapping)
        .service(put_mapping)
        .service(delete_mapping);
}

/// Names, and what each stands for.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a name in the document for what is a map here")]
pub struct MappedNames(BTreeMap<String, String>);

/// By field, words and what each stands for.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a name in the document for what is a map here")]
pub struct MappedWords(BTreeMap<String, MappedNames>);

/// What columns, constants and words become.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"resource": "initiatives", "columns": {"N° dossier": "external_id", "Intitulé": "title"},
    "constants": {"theme": "living_environment"}, "words": {"state": {"Fini": "completed"}}}))]
pub struct NewMapping {
    /// What is imported with it.
    pub resource: ImportResource,
    /// The field of each column, by its title; other columns are known by their own names.
    #[schema(value_type = MappedNames)]
    pub columns: BTreeMap<String, String>,
    /// What fields hold where no cell says otherwise.
    #[serde(default)]
    #[schema(value_type = MappedNames)]
    pub constants: BTreeMap<String, String>,
    /// What words of cells mean, by field.
    #[serde(default)]
    #[schema(value_type = MappedWords)]
    pub words: BTreeMap<String, BTreeMap<String, String>>,
}

/// A saved mapping.
#[derive(Serialize, ToSchema)]
pub struct ColumnMapping {
    /// Its name in the commune.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,59}$", example = "tableau-des-projets")]
    pub name: String,
    /// What is imported with it.
    pub resource: ImportResource,
    /// The field of each column, by its title.
    #[schema(value_type = MappedNames)]
    pub columns: BTreeMap<String, String>,
    /// What fields hold where no cell says otherwise.
    #[schema(value_type = MappedNames)]
    pub constants: BTreeMap<String, String>,
    /// What words of cells mean, by field.
    #[schema(value_type = MappedWords)]
    pub words: BTreeMap<String, BTreeMap<String, String>>,
    /// When it was saved.
    pub changed_at: DateTime<Utc>,
}

/// All mappings of a commune, by name.
#[derive(Serialize, ToSchema)]
pub struct MappingList {
    /// The mappings.
    #[schema(max_items = 100)]
    pub data: Vec<ColumnMapping>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = mappings)]
struct MappingRow {
    commune_code: String,
    name: String,
    resource: ImportResource,
    fields: Value,
    constants: Value,
    words: Value,
    changed_by: UserId,
    changed_at: DateTime<Utc>,
    version: i32,
}

fn read<T: serde::de::DeserializeOwned + Default>(value: Value) -> T {
    serde_json::from_value(value).unwrap_or_default()
}

impl From<MappingRow> for ColumnMapping {
    fn from(row: MappingRow) -> Self {
        Self {
            name: row.name,
            resource: row.resource,
            columns: read(row.fields),
            constants: read(row.constants),
            words: read(row.words),
            changed_at: row.changed_at,
        }
    }
}

impl NewMapping {
    /// A mapping names fields that there are.
    fn check(&self) -> Result<(), ApiError> {
        let mut faults = Vec::new();
        let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
        let unknown = |name: &str| !self.resource.fields().iter().any(|it| it.name == name);
        let too_long = |text: &str| text.chars().count() > TEXT_MAX;
        let mut fault = |pointer: String, code: FaultCode, fr: &'static str, en: &'static str| {
            faults.push(Fault::at(&pointer, code, Text::new(fr, en)));
        };
        let no_field = (
            FaultCode::NotFound,
            "Aucun champ n'a ce nom.",
            "No field has this name.",
        );
        let long = (
            FaultCode::Inconsistent,
            "1 000 caractères au plus.",
            "At most 1,000 characters.",
        );
        for (title, field) in &self.columns {
            let at = format!("/columns/{}", escape(title));
            if unknown(field) {
                fault(at, no_field.0, no_field.1, no_field.2);
            } else if too_long(title) {
                fault(at, long.0, long.1, long.2);
            }
        }
        for (field, value) in &self.constants {
            let at = format!("/constants/{}", escape(field));
            if unknown(field) {
                fault(at, no_field.0, no_field.1, no_field.2);
            } else if too_long(value) {
                fault(at, long.0, long.1, long.2);
            }
        }
        for (field, words) in &self.words {
            let at = format!("/words/{}", escape(field));
            if unknown(field) {
                fault(at.clone(), no_field.0, no_field.1, no_field.2);
            }
            for (word, code) in words {
                if too_long(word) || too_long(code) {
                    fault(format!("{at}/{}", escape(word)), long.0, long.1, long.2);
                }
            }
        }
        let entries = self.words.values().map(BTreeMap::len).sum::<usize>();
        if self.columns.len().max(self.constants.len()).max(entries) > ENTRIES_MAX {
            fault(
                String::new(),
                FaultCode::Inconsistent,
                "500 colonnes, constantes et mots au plus.",
                "At most 500 columns, constants and words.",
            );
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(faults))
        }
    }
}

/// A mapping of a commune by its name, for an import of this resource.
pub async fn named(
    conn: &mut AsyncPgConnection,
    commune: &str,
    name: &str,
    resource: ImportResource,
) -> Result<NewMapping, ApiError> {
    let row: Option<MappingRow> = mappings::table
        .find((commune, name))
        .filter(mappings::resource.eq(resource))
        .select(MappingRow::as_select())
        .first(conn)
        .await
        .optional()?;
    let row = row.ok_or_else(|| {
        ApiError::query_fault(
            "mapping",
            FaultCode::NotFound,
            "Aucune correspondance de la commune n'a ce nom pour cette ressource.",
            "No mapping of the commune has this name for this resource.",
        )
    })?;
    Ok(NewMapping {
        resource,
        columns: read(row.fields),
        constants: read(row.constants),
        words: read(row.words),
    })
}

async fn find(session: &mut Session, key: &(String, String)) -> Result<MappingRow, ApiError> {
    let (commune, name) = key;
    communes::model::find(&mut session.conn, commune).await?;
    session.actor.permit_import(commune)?;
    Ok(mappings::table
        .find((commune, name))
        .select(MappingRow::as_select())
        .first(&mut session.conn)
        .await?)
}

/// List the mappings of a commune
///
/// How its own files are read, by name.
#[utoipa::path(
    tag = "imports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    responses((status = 200, description = "The mappings.", body = MappingList)),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[get("/v1/communes/{code}/mappings")]
pub async fn list_mappings(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
) -> Answer {
    let mut session = state.read(&caller).await?;
    communes::model::find(&mut session.conn, &code).await?;
    session.actor.permit_import(&code)?;
    let rows: Vec<MappingRow> = mappings::table
        .filter(mappings::commune_code.eq(code.as_str()))
        .order(mappings::name)
        .limit(MAPPINGS_MAX)
        .select(MappingRow::as_select())
        .load(&mut session.conn)
        .await?;
    let data = rows.into_iter().map(ColumnMapping::from).collect();
    Reply::data(&MappingList { data })
}

/// Get a mapping
///
/// How columns become fields.
#[utoipa::path(
    tag = "imports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("name" = String, Path, description = "Name of the mapping.", example = "tableau-des-projets"),
    ),
    responses((status = 200, description = "The mapping.", body = ColumnMapping)),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[get("/v1/communes/{code}/mappings/{name}")]
pub async fn get_mapping(
    state: web::Data<State>,
    caller: Caller,
    key: web::Path<(String, String)>,
) -> Answer {
    let mut session = state.read(&caller).await?;
    let row = find(&mut session, &key).await?;
    Reply::resource(row.version, &ColumnMapping::from(row))
}

/// Save a mapping
///
/// For the files that a commune has already: the field of each column by its title, what fields hold where no cell says
/// otherwise, and what words of cells mean. An import names it in `mapping`, and keeps it as it was then. Who replaces one
/// names in `If-Match` the version that they read.
#[utoipa::path(
    tag = "imports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("name" = String, Path, description = "Name of the mapping: 1 to 60 lower-case letters, digits, `-` and `_`, a letter first.", example = "tableau-des-projets"),
        IfMatchWhenThereHeader,
    ),
    request_body = NewMapping,
    responses(
        (status = 200, description = "The mapping, replaced.", body = ColumnMapping),
        (status = 201, description = "The mapping, new.", body = ColumnMapping),
        (status = 409, description = "The commune has a hundred already, or does not take part yet.", body = crate::http::problem::Problem, content_type = "application/problem+json"),
    ),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[put("/v1/communes/{code}/mappings/{name}")]
pub async fn put_mapping(
    state: web::Data<State>,
    caller: Caller,
    key: web::Path<(String, String)>,
    if_match: IfMatch,
    body: Json<NewMapping>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (commune, name) = key.into_inner();
            communes::model::find(&mut session.conn, &commune).await?;
            session.actor.permit_import(&commune)?;
            communes::model::enrolled(&mut session.conn, &commune).await?;
            let named = name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.len() <= 60
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
            if !named {
                return Err(ApiError::not_found());
            }
            body.0.check()?;
            let new = body.0;
            let mut row = MappingRow {
                commune_code: commune.clone(),
                name: name.clone(),
                resource: new.resource,
                fields: serde_json::json!(new.columns),
                constants: serde_json::json!(new.constants),
                words: serde_json::json!(new.words),
                changed_by: session.actor.account()?,
                changed_at: session.now,
                version: 1,
            };
            // Who names a version wants to replace; who names none may create.
            if if_match == IfMatch::Absent {
                let count: i64 = mappings::table
                    .filter(mappings::commune_code.eq(&commune))
                    .count()
                    .get_result(&mut session.conn)
                    .await?;
                if count >= MAPPINGS_MAX {
                    return Err(ApiError::requirement(
                        "Une commune a cent correspondances au plus.",
                        "A commune has a hundred mappings at most.",
                    ));
                }
                let created = diesel::insert_into(mappings::table)
                    .values(&row)
                    .on_conflict((mappings::commune_code, mappings::name))
                    .do_nothing()
                    .execute(&mut session.conn)
                    .await?;
                if created == 1 {
                    let path = format!("/v1/communes/{commune}/mappings/{name}");
                    return Reply::created(path, row.version, &ColumnMapping::from(row));
                }
            }
            let there: Option<i32> = mappings::table
                .find((&commune, &name))
                .select(mappings::version)
                .for_update()
                .first(&mut session.conn)
                .await
                .optional()?;
            let Some(version) = there else {
                return Err(ApiError::new(crate::http::error::Code::StaleVersion));
            };
            if_match.check(version)?;
            row.version = version + 1;
            diesel::update(mappings::table.find((&commune, &name)))
                .set(&row)
                .execute(&mut session.conn)
                .await?;
            Reply::resource(row.version, &ColumnMapping::from(row))
        })
        .await
}

/// Delete a mapping
///
/// Imports that were begun with it keep it.
#[utoipa::path(
    tag = "imports",
    params(
        ("code" = String, Path, description = "INSEE code.", example = "62528"),
        ("name" = String, Path, description = "Name of the mapping.", example = "tableau-des-projets"),
        IfMatchHeader,
    ),
    responses((status = 204, description = "Deleted.")),
    security(("password" = []), ("client_credentials" = ["import"])),
)]
#[delete("/v1/communes/{code}/mappings/{name}")]
pub async fn delete_mapping(
    state: web::Data<State>,
    caller: Caller,
    key: web::Path<(String, String)>,
    if_match: IfMatch,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let row = find(session, &key).await?;
            if_match.check(row.version)?;
            let (commune, name) = key.into_inner();
            diesel::delete(mappings::table.find((commune, name)))
                .filter(mappings::version.eq(row.version))
                .execute(&mut session.conn)
                .await?;
            Ok(Reply::no_content())
        })
        .await
}
