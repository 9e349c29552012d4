//! An invented convention in which every variable has a value: what a model of articles is tried on.

use super::sheet::{Names, Sheet, Signed, sheet};
use crate::conventions::content::ConventionContent;
use crate::conventions::dto::Party;
use crate::http::error::ApiError;
use crate::templates::dto::Article;

/// Its content, but for the commune.
const CONTENT: &str = include_str!("sample.json");

/// The draft of an invented convention of a commune, with these articles.
pub fn sample(name: &str, code: &str, articles: Vec<Article>) -> Result<Sheet, ApiError> {
    let mut content: ConventionContent =
        serde_json::from_str(CONTENT).map_err(ApiError::internal)?;
    name.clone_into(&mut content.commune.name);
    code.clone_into(&mut content.commune.code);
    content.articles = articles;
    let names = [
        (Party::Commune, "Dominique Exemple"),
        (Party::Holder, "Camille Exemple"),
        (Party::Host, "Claude Exemple"),
    ];
    let names: Names = names.map(|(party, name)| (party, name.to_owned())).into();
    Ok(sheet(
        &content,
        &names,
        &Signed::new(),
        Some("PROJET"),
        None,
    ))
}
