//! The catalogue of the exports for portals that harvest it: DCAT-AP as JSON-LD. The platform's has what is of all communes
//! and names the catalogue of each; a commune's has its own, and is what a portal reads to publish in its name.

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, SecondsFormat, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::changes::stamp;
use super::columns::{COMMUNES, CONVENTIONS, INITIATIVES, PRACTICES, TABLES, Table};
use super::dto::{LICENCE, MapFormat};
use super::scdl::{deliberations, subventions};
use super::stream::begin;
use crate::auth::caller::Anyone;
use crate::communes;
use crate::communes::model::CommuneRow;
use crate::db::schema;
use crate::http::error::ApiError;
use crate::http::routes::Routes;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes.service(get_catalogue).service(get_commune_catalogue);
}

/// JSON-LD.
pub const LINKED_DATA: &str = "application/ld+json";

/// Linked data: JSON-LD 1.1.
#[derive(Serialize, ToSchema)]
pub struct LinkedData {
    /// What the names mean.
    #[serde(rename = "@context")]
    pub context: LinkedContext,
    /// The things.
    #[serde(rename = "@graph")]
    #[schema(min_items = 1)]
    pub graph: Vec<LinkedThing>,
}

/// What the names of linked data mean.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct LinkedContext(pub Value);

/// A thing of linked data, under the names of its context.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct LinkedThing(pub Value);

/// Where the vocabularies of the European Union are.
const AUTHORITY: &str = "http://publications.europa.eu/resource/authority";

fn context() -> LinkedContext {
    LinkedContext(json!({
        "dcat": "http://www.w3.org/ns/dcat#",
        "dct": "http://purl.org/dc/terms/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }))
}

/// Says one thing more of something.
pub fn say(of: &mut Value, name: &str, value: Value) {
    if let Some(known) = of.as_object_mut() {
        known.insert(name.to_owned(), value);
    }
}

fn iri(iri: impl Into<String>) -> Value {
    json!({"@id": iri.into()})
}

fn instant(at: DateTime<Utc>) -> Value {
    json!({"@type": "xsd:dateTime", "@value": at.to_rfc3339_opts(SecondsFormat::Secs, true)})
}

fn both((fr, en): (&str, &str)) -> Value {
    json!([{"@language": "fr", "@value": fr}, {"@language": "en", "@value": en}])
}

/// A data set of the catalogue: what it is, where its files are and what they are made of.
struct DataSet {
    title: (&'static str, &'static str),
    /// Path of its files without their suffix.
    path: String,
    /// What of it, after the suffix.
    query: String,
    formats: Vec<MapFormat>,
    /// The schema that it follows.
    conforms_to: String,
    sources: &'static [&'static str],
}

/// What a portal knows of a kind of file: its suffix, its media type, and its name in the European vocabulary.
const fn file_type(format: MapFormat) -> (&'static str, &'static str, &'static str) {
    match format {
        MapFormat::Csv => ("csv", "text/csv", "CSV"),
        MapFormat::Ndjson => ("ndjson", "application/x-ndjson", "JSON"),
        MapFormat::Geojson => ("geojson", "application/geo+json", "GEOJSON"),
    }
}

impl DataSet {
    fn of_table(address: &str, table: &Table, code: &str) -> Self {
        let mut formats = vec![MapFormat::Csv, MapFormat::Ndjson];
        formats.extend(table.place.map(|_| MapFormat::Geojson));
        Self {
            title: table.title,
            path: table.path.replace("{code}", code),
            query: if code.is_empty() || table.is_of_a_commune() {
                String::new()
            } else {
                format!("?commune={code}")
            },
            formats,
            conforms_to: format!("{address}/v1/exports/{}", table.name),
            sources: table.sources,
        }
    }

    fn national(
        code: &str,
        (name, version): (&str, &str),
        title: (&'static str, &'static str),
        sources: &'static [&'static str],
    ) -> Self {
        Self {
            title,
            path: format!("/v1/communes/{code}/scdl/{name}"),
            query: String::new(),
            formats: vec![MapFormat::Csv],
            conforms_to: format!("https://schema.data.gouv.fr/scdl/{name}/{version}"),
            sources,
        }
    }

    fn id(&self, address: &str) -> String {
        format!("{address}{}{}#dataset", self.path, self.query)
    }

    /// The data set and its distributions.
    fn nodes(
        &self,
        address: &str,
        publisher: &str,
        spatial: &Value,
        changed_at: DateTime<Utc>,
    ) -> Vec<Value> {
        let mut nodes = Vec::new();
        let mut distributions = Vec::new();
        for format in &self.formats {
            let (suffix, media_type, name) = file_type(*format);
            let url = format!("{address}{}.{suffix}{}", self.path, self.query);
            distributions.push(iri(&*url));
            nodes.push(json!({
                "@id": url,
                "@type": "dcat:Distribution",
                "dct:title": both(self.title),
                "dcat:accessURL": iri(&*url),
                "dcat:downloadURL": iri(&*url),
                "dct:license": iri(LICENCE),
                "dct:format": iri(format!("{AUTHORITY}/file-type/{name}")),
                "dcat:mediaType": iri(format!("https://www.iana.org/assignments/media-types/{media_type}")),
                "dct:conformsTo": iri(&*self.conforms_to),
                "dct:modified": instant(changed_at),
            }));
        }
        nodes.insert(
            0,
            json!({
                "@id": self.id(address),
                "@type": "dcat:Dataset",
                "dct:identifier": self.id(address),
                "dct:title": both(self.title),
                "dct:description": both(self.title),
                "dct:publisher": iri(publisher),
                "dct:license": iri(LICENCE),
                "dct:conformsTo": iri(&*self.conforms_to),
                "dct:modified": instant(changed_at),
                "dct:accrualPeriodicity": iri(format!("{AUTHORITY}/frequency/CONT")),
                "dct:spatial": spatial,
                "dcat:theme": iri(format!("{AUTHORITY}/data-theme/GOVE")),
                "dcat:keyword": ["initiative citoyenne", "commune", "convention"],
                "dcat:distribution": distributions,
            }),
        );
        nodes
    }
}

/// The graph of a catalogue: itself, its publisher, and its data sets.
async fn graph(
    session: &mut Session,
    address: &str,
    catalogue: Value,
    publisher: Value,
    (sets, commune): (&[DataSet], Option<&str>),
    spatial: &Value,
) -> Result<Vec<Value>, ApiError> {
    let name = publisher.get("@id").and_then(Value::as_str);
    let name = name.unwrap_or_default().to_owned();
    let mut graph = vec![catalogue, publisher];
    for set in sets {
        let changed_at = stamp(&mut session.conn, set.sources, commune)
            .await?
            .changed_at;
        graph.extend(set.nodes(address, &name, spatial, changed_at));
    }
    Ok(graph)
}

/// What both kinds of catalogue say of themselves.
fn catalogue(
    id: &str,
    title: (&str, &str),
    publisher: &str,
    sets: &[String],
    spatial: &Value,
    changed_at: DateTime<Utc>,
) -> Value {
    let homepage = id.split_once("/v1/").map_or(id, |(address, _)| address);
    json!({
        "@id": id,
        "@type": "dcat:Catalog",
        "dct:title": both(title),
        "dct:description": both(title),
        "dct:publisher": iri(publisher),
        "dct:license": iri(LICENCE),
        "dct:language": [iri(format!("{AUTHORITY}/language/FRA")), iri(format!("{AUTHORITY}/language/ENG"))],
        "dct:modified": instant(changed_at),
        "dct:spatial": spatial,
        "foaf:homepage": iri(homepage),
        "dcat:dataset": sets.iter().map(|id| iri(id.as_str())).collect::<Vec<_>>(),
    })
}

/// Get the catalogue of the platform
///
/// The data sets of all communes together, and where the catalogue of each enrolled commune is: DCAT-AP as JSON-LD.
#[utoipa::path(
    tag = "exports",
    responses(
        (status = 200, description = "The catalogue.", body = LinkedData, content_type = "application/ld+json"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/catalogue.jsonld")]
pub async fn get_catalogue(
    state: web::Data<State>,
    anyone: Anyone,
) -> Result<HttpResponse, ApiError> {
    let address = state.keys.issuer();
    let tables: [&Table; 4] = [&INITIATIVES, &CONVENTIONS, &COMMUNES, &PRACTICES];
    let sources: Vec<&str> = tables
        .iter()
        .flat_map(|table| table.sources)
        .copied()
        .collect();
    let mut session = state.as_everybody().await?;
    let stamp = stamp(&mut session.conn, &sources, None).await?;
    let (unchanged, mut answer) = begin(&anyone, &stamp, "", "/v1/exports");
    if unchanged {
        return Ok(answer.finish());
    }
    let enrolled: Vec<String> = schema::communes::table
        .filter(schema::communes::enrolled_at.is_not_null())
        .order((schema::communes::folded_name, schema::communes::code))
        .select(schema::communes::code)
        .load(&mut session.conn)
        .await?;
    let sets = tables.map(|table| DataSet::of_table(address, table, ""));
    let ids: Vec<String> = sets.iter().map(|set| set.id(address)).collect();
    let spatial = iri(format!("{AUTHORITY}/country/FRA"));
    let id = format!("{address}/v1/catalogue.jsonld");
    let title = (
        "Initiatives citoyennes portées par conventions",
        "Citizen initiatives carried by conventions",
    );
    let mut itself = catalogue(&id, title, address, &ids, &spatial, stamp.changed_at);
    let parts = enrolled
        .iter()
        .map(|code| iri(format!("{address}/v1/communes/{code}/catalogue.jsonld")))
        .collect();
    say(&mut itself, "dcat:catalog", parts);
    let publisher = json!({"@id": address, "@type": "foaf:Agent", "foaf:name": "Fifty-Fifty"});
    let graph = graph(
        &mut session,
        address,
        itself,
        publisher,
        (sets.as_slice(), None),
        &spatial,
    )
    .await?;
    Ok(answer.content_type(LINKED_DATA).json(LinkedData {
        context: context(),
        graph: graph.into_iter().map(LinkedThing).collect(),
    }))
}

/// Get the catalogue of a commune
///
/// The data sets of an enrolled commune, published in its name: DCAT-AP as JSON-LD. `dct:conformsTo` names the national
/// schema (SCDL), or where the columns are described.
#[utoipa::path(
    tag = "exports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    responses(
        (status = 200, description = "The catalogue.", body = LinkedData, content_type = "application/ld+json"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}/catalogue.jsonld")]
pub async fn get_commune_catalogue(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let address = state.keys.issuer();
    let mut session = state.as_everybody().await?;
    let CommuneRow {
        name,
        siret,
        siren,
        enrolled_at,
        ..
    } = communes::model::find(&mut session.conn, &code).await?.row;
    if enrolled_at.is_none() {
        return Err(ApiError::not_found());
    }
    let mut sets: Vec<DataSet> = TABLES
        .iter()
        .filter(|table| table.name != COMMUNES.name)
        .map(|table| DataSet::of_table(address, table, &code))
        .collect();
    sets.push(DataSet::national(
        &code,
        ("subventions", "2.1.1"),
        (
            "Subventions au schéma national",
            "Subsidies in the national schema",
        ),
        subventions::SOURCES,
    ));
    sets.push(DataSet::national(
        &code,
        ("deliberations", "2.1.5"),
        (
            "Délibérations au schéma national",
            "Deliberations in the national schema",
        ),
        deliberations::SOURCES,
    ));
    let sources: Vec<&str> = sets.iter().flat_map(|set| set.sources).copied().collect();
    let stamp = stamp(&mut session.conn, &sources, Some(&code)).await?;
    let (unchanged, mut answer) = begin(&anyone, &stamp, "", "/v1/exports");
    if unchanged {
        return Ok(answer.finish());
    }
    let ids: Vec<String> = sets.iter().map(|set| set.id(address)).collect();
    let spatial = json!({"@id": format!("http://id.insee.fr/geo/commune/{code}"), "@type": "dct:Location",
        "dct:identifier": *code, "skos:prefLabel": name});
    let publisher = format!("{address}/v1/communes/{code}");
    let id = format!("{publisher}/catalogue.jsonld");
    let french = format!("Initiatives citoyennes de {name}");
    let english = format!("Citizen initiatives of {name}");
    let title = (&*french, &*english);
    let itself = catalogue(&id, title, &publisher, &ids, &spatial, stamp.changed_at);
    let mut commune =
        json!({"@id": publisher, "@type": ["foaf:Organization", "foaf:Agent"], "foaf:name": name});
    if let Some(number) = siret.or(siren) {
        say(&mut commune, "dct:identifier", number.into());
    }
    let graph = graph(
        &mut session,
        address,
        itself,
        commune,
        (sets.as_slice(), Some(code.as_str())),
        &spatial,
    )
    .await?;
    Ok(answer.content_type(LINKED_DATA).json(LinkedData {
        context: context(),
        graph: graph.into_iter().map(LinkedThing).collect(),
    }))
}
