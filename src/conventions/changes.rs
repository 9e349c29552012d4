//! `/v1/conventions/{id}/changes`: what an amendment changes, term by term.

use std::collections::BTreeMap;

use actix_web::{get, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::content::{self, MATERIAL};
use super::model;
use super::parties;
use crate::auth::caller::Anyone;
use crate::http::error::ApiError;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::ConventionId;
use crate::reference::dto::Labels;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes.service(list_convention_changes);
}

/// One term that differs.
#[derive(Serialize, ToSchema)]
pub struct ConventionChange {
    /// Where it stands in the content: a JSON pointer in which commitments go by their id, parties by their code and
    /// articles by their title.
    #[schema(max_length = 300, example = "/ends_on")]
    pub pointer: String,
    /// What the term is called.
    pub labels: Labels,
    /// What the version before said; null where it said nothing.
    #[schema(required, max_length = 5000, example = "2028-06-30")]
    pub before: Option<String>,
    /// What this version says; null where it says nothing any more.
    #[schema(required, max_length = 5000, example = "2030-06-30")]
    pub after: Option<String>,
}

/// All terms that differ, in the order of their pointers.
#[derive(Serialize, ToSchema)]
pub struct ConventionChangeList {
    /// The changes.
    #[schema(max_items = 5000)]
    pub data: Vec<ConventionChange>,
}

/// List what an amendment changes
///
/// The differences between the content of this version and that of the one which it replaces. Empty for a first
/// version.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    responses((status = 200, description = "The changes.", body = ConventionChangeList)),
    security((), ("password" = [])),
)]
#[get("/v1/conventions/{id}/changes")]
pub async fn list_convention_changes(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<ConventionId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let found = model::find(&mut session, *id).await?;
    let Some(before) = found.row.supersedes_id else {
        return Reply::data(&ConventionChangeList { data: Vec::new() });
    };
    let before = model::find(&mut session, before).await?.row.content;
    let after = match found.row.content.clone() {
        Some(content) => content,
        // A draft says what it would freeze now.
        None => {
            let parties = parties::of(&mut session.conn, *id).await?;
            let content = content::now(&mut session, &found, &parties).await?;
            content::freeze(&content)?.0
        }
    };
    let read = |content: &str| -> Result<BTreeMap<String, String>, ApiError> {
        let content: Value = serde_json::from_str(content).map_err(ApiError::internal)?;
        let mut terms = BTreeMap::new();
        flatten(&content, String::new(), &mut terms);
        Ok(terms)
    };
    let before = read(before.as_deref().unwrap_or("{}"))?;
    let after = read(&after)?;
    Reply::data(&ConventionChangeList {
        data: changes(&before, &after),
    })
}

fn changes(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<ConventionChange> {
    let pointers: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    pointers
        .into_iter()
        .filter(|pointer| before.get(*pointer) != after.get(*pointer))
        .filter_map(|pointer| {
            let term = pointer.split('/').nth(1)?;
            let (_, label) = MATERIAL.iter().find(|(name, _)| *name == term)?;
            Some(ConventionChange {
                pointer: pointer.clone(),
                labels: Labels::from(label),
                before: before.get(pointer).cloned(),
                after: after.get(pointer).cloned(),
            })
        })
        .collect()
}

/// The leaves of the content as text. What stands in a list goes by its own name, so that an order changes nothing.
fn flatten(value: &Value, pointer: String, terms: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(value, format!("{pointer}/{name}"), terms);
            }
        }
        Value::Array(items) if items.first().is_some_and(Value::is_string) => {
            let words = items.iter().map(|item| item.as_str().unwrap_or_default());
            terms.insert(pointer, words.collect::<Vec<_>>().join(", "));
        }
        Value::Array(items) => {
            for item in items {
                let name = ["id", "party", "title"]
                    .iter()
                    .find_map(|name| item.get(name)?.as_str())
                    .unwrap_or_default();
                flatten(item, format!("{pointer}/{name}"), terms);
            }
        }
        Value::String(text) => {
            terms.insert(pointer, text.clone());
        }
        other => {
            terms.insert(pointer, other.to_string());
        }
    }
}
