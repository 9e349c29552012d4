//! Models of articles as the API shows and takes them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::articles::variables_are_known;
use crate::ids::TemplateId;

/// An article of a convention: a title, and paragraphs with variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Article {
    /// Title, without its number and without variables.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^{}]*[^{}\s][^{}]*$",
        example = "Durée"
    )]
    pub title: String,
    /// Paragraphs, one a line. `{{variable}}` stands for a value (`GET /v1/reference/template_variables`); a paragraph
    /// with a variable that has none is left out, and so is an article that has no paragraph left.
    #[schema(
        min_length = 1,
        max_length = 5000,
        pattern = r"\S",
        example = "La convention court du {{starts_on}} au {{ends_on}}.\nElle {{renewal}}."
    )]
    #[validate(custom(function = "variables_are_known"))]
    pub text: String,
}

/// A version of a commune's model of articles. It never changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConventionTemplate {
    /// Identifier.
    pub id: TemplateId,
    /// INSEE code of the commune.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// Number of the version; 0 is the program's own.
    #[schema(minimum = 0)]
    pub version: i32,
    /// The articles, in the order in which they are printed.
    pub articles: Vec<Article>,
    /// When it was saved; null for the program's own.
    #[schema(required)]
    pub saved_at: Option<DateTime<Utc>>,
}

/// A version in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConventionTemplateSummary {
    /// Identifier.
    pub id: TemplateId,
    /// Number of the version; 0 is the program's own.
    #[schema(minimum = 0)]
    pub version: i32,
    /// When it was saved; null for the program's own.
    #[schema(required)]
    pub saved_at: Option<DateTime<Utc>>,
}

/// A page of versions, the latest first.
#[derive(Serialize, ToSchema)]
pub struct ConventionTemplatePage {
    /// The versions of this page.
    pub data: Vec<ConventionTemplateSummary>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A version to save.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewConventionTemplate {
    /// The version that it follows: the latest, 0 where there is none of the commune's. Of two people who follow the
    /// same one, one is told.
    #[schema(minimum = 0, maximum = 1000000)]
    pub follows: i32,
    /// The articles, all of them.
    #[validate(nested)]
    #[schema(min_items = 1, max_items = 40)]
    pub articles: Vec<Article>,
}

/// Articles to look at before they are saved.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TemplateToPreview {
    /// The articles, all of them.
    #[validate(nested)]
    #[schema(min_items = 1, max_items = 40)]
    pub articles: Vec<Article>,
}

/// What a convention would look like.
#[derive(Serialize, ToSchema)]
pub struct TemplatePreview {
    /// A page in HTML, without scripts: a draft made of an invented convention.
    #[schema(example = "<!DOCTYPE html><html lang=\"fr\">…</html>")]
    pub html: String,
}
