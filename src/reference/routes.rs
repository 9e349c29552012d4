//! `/v1/reference`, `/v1/lifecycles`

use actix_web::{get, web};

use super::dto::{LifecycleTable, LifecycleTables, ReferenceList, ReferenceLists};
use super::registry::{LISTS, lifecycles};
use crate::auth::caller::Anyone;
use crate::http::error::ApiError;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_reference)
        .service(get_reference)
        .service(list_lifecycles)
        .service(get_lifecycle);
}

/// It changes with the program only, so it is always at its first version; its fingerprint tells one edition from
/// another.
const VERSION: i32 = 1;
/// Seconds for which caches keep it.
const KEPT: u32 = 3600;

/// List the closed lists
///
/// Every code of the API with its labels in French and English.
#[utoipa::path(
    tag = "reference",
    responses(
        (status = 200, description = "The lists.", body = ReferenceLists),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/reference")]
pub async fn list_reference(_: Anyone) -> Answer {
    let data = LISTS.iter().map(ReferenceList::from).collect();
    Ok(Reply::resource(VERSION, &ReferenceLists { data })?.public(KEPT))
}

/// Get a closed list
///
/// Codes with their labels in French and English.
#[utoipa::path(
    tag = "reference",
    params(("list" = String, Path, description = "Name of the list.", example = "initiative_states")),
    responses(
        (status = 200, description = "The list.", body = ReferenceList),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/reference/{list}")]
pub async fn get_reference(_: Anyone, name: web::Path<String>) -> Answer {
    let list = LISTS
        .iter()
        .find(|list| list.name == *name)
        .ok_or_else(ApiError::not_found)?;
    Ok(Reply::resource(VERSION, &ReferenceList::from(list))?.public(KEPT))
}

/// List the lifecycles
///
/// Which action leads from where to where, who may take it, and what it asks for: the tables that the service itself
/// follows.
#[utoipa::path(
    tag = "reference",
    responses(
        (status = 200, description = "The lifecycles.", body = LifecycleTables),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/lifecycles")]
pub async fn list_lifecycles(_: Anyone) -> Answer {
    let data = lifecycles().iter().map(LifecycleTable::from).collect();
    Ok(Reply::resource(VERSION, &LifecycleTables { data })?.public(KEPT))
}

/// Get a lifecycle
///
/// Its rules: from which state, by which action, to which state, by whom, and on what condition.
#[utoipa::path(
    tag = "reference",
    params(("name" = String, Path, description = "Name of the lifecycle.", example = "initiative")),
    responses(
        (status = 200, description = "The lifecycle.", body = LifecycleTable),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security(()),
)]
#[get("/v1/lifecycles/{name}")]
pub async fn get_lifecycle(_: Anyone, name: web::Path<String>) -> Answer {
    let lifecycle = lifecycles()
        .into_iter()
        .find(|lifecycle| lifecycle.name == *name)
        .ok_or_else(ApiError::not_found)?;
    Ok(Reply::resource(VERSION, &LifecycleTable::from(&lifecycle))?.public(KEPT))
}
