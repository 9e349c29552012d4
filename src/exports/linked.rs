//! Public resources in the words of schema.org, as JSON-LD: for search engines, and for pages that put them in a `script`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::catalogue::{LINKED_DATA, say};
use super::changes::stamp;
use super::columns::{COMMUNES, INITIATIVES, MEETINGS, PRACTICES};
use super::stream::begin;
use crate::auth::caller::Anyone;
use crate::communes;
use crate::communes::model::CommuneWithPlaces;
use crate::db::schema;
use crate::holders::dto::HolderKind;
use crate::http::error::ApiError;
use crate::http::routes::Routes;
use crate::ids::{InitiativeId, MeetingId, PracticeId};
use crate::initiatives::model as initiative;
use crate::meetings::model as meeting;
use crate::practices::model as practice;
use crate::state::State;

/// Before the resources themselves: an id with a suffix would be taken for an id.
pub fn configure(routes: &mut Routes) {
    routes
        .service(get_linked_initiative)
        .service(get_linked_meeting)
        .service(get_linked_commune)
        .service(get_linked_practice);
}

/// A thing of schema.org.
#[derive(Serialize, ToSchema)]
pub struct Thing {
    /// `https://schema.org`
    #[serde(rename = "@context")]
    #[schema(pattern = "^https://schema.org$")]
    context: String,
    /// What it is.
    #[serde(rename = "@type")]
    #[schema(pattern = "^(Project|Event|AdministrativeArea|Article)$")]
    kind: String,
    /// Its address.
    #[serde(rename = "@id")]
    #[schema(max_length = 2000)]
    id: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Other properties.
    #[serde(flatten)]
    properties: BTreeMap<String, Value>,
}

impl Thing {
    /// A thing with what of its properties is known.
    fn new(kind: &str, id: String, name: String, properties: Value) -> Self {
        let known = match properties {
            Value::Object(properties) => properties
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
            _ => BTreeMap::new(),
        };
        Self {
            context: "https://schema.org".to_owned(),
            kind: kind.to_owned(),
            id,
            name,
            properties: known,
        }
    }
}

fn area(address: &str, code: &str, name: &str) -> Value {
    json!({"@type": "AdministrativeArea", "@id": format!("{address}/v1/communes/{code}"), "name": name})
}

/// Get an initiative as linked data
///
/// A published one, as a `Project` of schema.org.
#[utoipa::path(
    tag = "exports",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses(
        (status = 200, description = "The initiative.", body = Thing, content_type = "application/ld+json"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/initiatives/{id}.jsonld")]
pub async fn get_linked_initiative(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
) -> Result<HttpResponse, ApiError> {
    let address = state.keys.issuer();
    let mut session = state.as_everybody().await?;
    let row = initiative::find(&mut session, *id).await?.row;
    let code = &row.commune_code;
    let stamp = stamp(&mut session.conn, INITIATIVES.sources, Some(code)).await?;
    let (unchanged, mut answer) = begin(&anyone, &stamp, "", "https://schema.org/Project");
    if unchanged {
        return Ok(answer.finish());
    }
    let commune = communes::model::find(&mut session.conn, code)
        .await?
        .row
        .name;
    // A person's name stays where it can be taken back.
    let holder: Option<String> = schema::holders::table
        .filter(schema::holders::id.nullable().eq(row.holder_id))
        .filter(schema::holders::commune_code.eq(code))
        .filter(schema::holders::kind.ne(HolderKind::Person))
        .select(schema::holders::name)
        .first(&mut session.conn)
        .await
        .optional()?;
    let geo = row.latitude.zip(row.longitude).map(|(latitude, longitude)| {
        json!({"@type": "GeoCoordinates", "latitude": latitude, "longitude": longitude})
    });
    let mut place = json!({"@type": "Place", "containedInPlace": area(address, code, &commune)});
    if let Some(name) = &row.place {
        say(&mut place, "name", json!(name));
    }
    if let Some(geo) = geo {
        say(&mut place, "geo", geo);
    }
    let thing = Thing::new(
        "Project",
        format!("{address}/v1/initiatives/{id}"),
        row.title,
        json!({
            "identifier": id.to_string(),
            "description": row.description,
            "keywords": row.theme.map(|theme| theme.code()),
            "location": place,
            "areaServed": area(address, code, &commune),
            "member": holder.map(|name| json!({"@type": "Organization", "name": name})),
            "sponsor": {"@type": "GovernmentOrganization", "@id": format!("{address}/v1/communes/{code}"), "name": commune},
        }),
    );
    Ok(answer.content_type(LINKED_DATA).json(thing))
}

/// Get a public meeting as linked data
///
/// As an `Event` of schema.org.
#[utoipa::path(
    tag = "exports",
    params(("id" = MeetingId, Path, description = "Identifier of the meeting.")),
    responses(
        (status = 200, description = "The meeting.", body = Thing, content_type = "application/ld+json"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/meetings/{id}.jsonld")]
pub async fn get_linked_meeting(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<MeetingId>,
) -> Result<HttpResponse, ApiError> {
    let address = state.keys.issuer();
    let mut session = state.as_everybody().await?;
    let (found, _) = meeting::find(&mut session, *id).await?;
    let code = &found.row.commune_code;
    let stamp = stamp(&mut session.conn, MEETINGS.sources, Some(code)).await?;
    let (unchanged, mut answer) = begin(&anyone, &stamp, "", "https://schema.org/Event");
    if unchanged {
        return Ok(answer.finish());
    }
    let commune = area(address, code, &found.commune);
    let place = found.row.place.as_deref().unwrap_or(&found.commune);
    let about = found.row.initiative_id.zip(found.initiative).map(|(id, title)| {
        json!({"@type": "Project", "@id": format!("{address}/v1/initiatives/{id}"), "name": title})
    });
    let thing = Thing::new(
        "Event",
        format!("{address}/v1/meetings/{id}"),
        found.row.title,
        json!({
            "identifier": id.to_string(),
            "startDate": found.row.held_on,
            "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
            "location": {"@type": "Place", "name": place, "address": commune.get("name"), "containedInPlace": commune},
            "organizer": {"@type": "GovernmentOrganization", "@id": commune.get("@id"), "name": commune.get("name")},
            "about": about,
        }),
    );
    Ok(answer.content_type(LINKED_DATA).json(thing))
}

/// Get a commune as linked data
///
/// As an `AdministrativeArea` of schema.org.
#[utoipa::path(
    tag = "exports",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    responses(
        (status = 200, description = "The commune.", body = Thing, content_type = "application/ld+json"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/communes/{code}.jsonld")]
pub async fn get_linked_commune(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let address = state.keys.issuer();
    let mut session = state.as_everybody().await?;
    let CommuneWithPlaces {
        row,
        department,
        region,
        ..
    } = communes::model::find(&mut session.conn, &code).await?;
    // What all have in common changes with a new edition of the geographic code.
    let stamp = stamp(&mut session.conn, COMMUNES.sources, None).await?;
    let (unchanged, mut answer) =
        begin(&anyone, &stamp, "", "https://schema.org/AdministrativeArea");
    if unchanged {
        return Ok(answer.finish());
    }
    let thing = Thing::new(
        "AdministrativeArea",
        format!("{address}/v1/communes/{code}"),
        row.name,
        json!({
            "identifier": {"@type": "PropertyValue", "propertyID": "INSEE", "value": row.code},
            "containedInPlace": {"@type": "AdministrativeArea", "name": department,
                "containedInPlace": {"@type": "AdministrativeArea", "name": region,
                    "containedInPlace": {"@type": "Country", "name": "France"}}},
        }),
    );
    Ok(answer.content_type(LINKED_DATA).json(thing))
}

/// Get a practice sheet as linked data
///
/// A published one, as an `Article` of schema.org: `mentions` are the projects that prove it, `isBasedOn` is the sheet that
/// inspired it.
#[utoipa::path(
    tag = "exports",
    params(("id" = PracticeId, Path, description = "Identifier of the sheet.")),
    responses(
        (status = 200, description = "The sheet.", body = Thing, content_type = "application/ld+json"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/practices/{id}.jsonld")]
pub async fn get_linked_practice(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<PracticeId>,
) -> Result<HttpResponse, ApiError> {
    let address = state.keys.issuer();
    let mut session = state.as_everybody().await?;
    let today = session.today();
    let shown = practice::public(&mut session.conn, vec![*id], today).await?;
    let shown = shown.into_iter().next().ok_or_else(ApiError::not_found)?;
    let code = &shown.commune.code;
    let stamp = stamp(&mut session.conn, PRACTICES.sources, Some(code)).await?;
    let (unchanged, mut answer) = begin(&anyone, &stamp, "", "https://schema.org/Article");
    if unchanged {
        return Ok(answer.finish());
    }
    let texts = [
        shown.context,
        shown.objectives,
        shown.approach,
        shown.results,
    ];
    let texts: Vec<String> = texts.into_iter().flatten().collect();
    let mentions: Vec<Value> = shown
        .proofs
        .iter()
        .map(|proof| {
            json!({"@type": "Project", "@id": format!("{address}/v1/initiatives/{}", proof.id), "name": proof.title})
        })
        .collect();
    let thing = Thing::new(
        "Article",
        format!("{address}/v1/practices/{id}"),
        shown.title,
        json!({
            "identifier": id.to_string(),
            "inLanguage": "fr",
            "articleBody": texts.join("\n\n"),
            "about": shown.theme.map(|theme| theme.code()),
            "keywords": shown.tags,
            "datePublished": shown.published_at,
            "license": super::dto::LICENCE,
            "publisher": {"@type": "GovernmentOrganization", "@id": format!("{address}/v1/communes/{code}"), "name": shown.commune.name},
            "mentions": mentions,
            "isBasedOn": shown.inspired_by_practice_id.map(|source| format!("{address}/v1/practices/{source}")),
        }),
    );
    Ok(answer.content_type(LINKED_DATA).json(thing))
}
