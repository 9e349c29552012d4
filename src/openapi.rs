//! The document: what `/openapi.json` serves, what Swagger UI shows, and what requests are checked against.

use serde_json::{Value, json};
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::AppExt;

use crate::app::routes;
use crate::http::routes::Routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Fifty-Fifty",
        contact(name = "Fifty-Fifty", url = "https://github.com/fifty-fifty/fifty-fifty"),
    ),
    servers((url = "/", description = "Where this document came from.")),
    modifiers(&Signing),
    security(("password" = [])),
    components(schemas(crate::http::problem::Problem, crate::initiatives::dto::Inbox)),
    tags(
        (name = "authentication", description = "Tokens: start here."),
        (name = "accounts", description = "One's own account."),
        (name = "communes", description = "Communes and the settings of their scheme."),
        (name = "mandates", description = "Who works for a commune, and who signs for it."),
        (name = "holders", description = "Who carries initiatives: people, groups, associations, schools, companies."),
        (name = "initiatives", description = "Ideas, and what became of them: from draft to decision."),
        (name = "commitments", description = "What each side promises, valued, and what was done of it."),
        (name = "envelopes", description = "What a commune gives in a year."),
        (name = "conventions", description = "Who does what, signed by both sides."),
        (name = "evaluations", description = "What an initiative achieved, cost and saved; and its end."),
        (name = "meetings", description = "Public meetings and their attendance."),
        (name = "measures", description = "Indicators that communes report by hand."),
        (name = "metrics", description = "What the scheme brings, in figures that say what they mean."),
        (name = "reference", description = "Codes with their labels, and the lifecycles as data."),
    ),
)]
struct Document;

/// How callers say who they are; Swagger UI makes its Authorize dialog of it.
struct Signing;

impl Modify for Signing {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let flow = Password::with_refresh_url("/v1/auth/token", Scopes::new(), "/v1/auth/token");
        document
            .components
            .get_or_insert_default()
            .add_security_scheme(
                "password",
                SecurityScheme::OAuth2(OAuth2::new([Flow::Password(flow)])),
            );
    }
}

const DESCRIPTION: &str = include_str!("../openapi/description.md");

/// The document, made from the routes that are served. `accounts` names the demonstration's accounts, in Markdown.
pub fn document(accounts: Option<&str>) -> Value {
    let (_, document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Document::openapi())
        .configure(|config| routes(&mut Routes::Describe(config)))
        .split_for_parts();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let description = match accounts {
        Some(accounts) => format!("{DESCRIPTION}\n{accounts}"),
        None => DESCRIPTION.to_owned(),
    };
    if let Some(info) = document.get_mut("info") {
        info["description"] = description.into();
    }
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                // The path of a single resource ends with its id; such an answer has an ETag.
                let single = method == "get" && (path.ends_with('}') || path == "/v1/me");
                complete(operation, single);
            }
        }
    }
    document
}

/// The problems that follow from what an operation takes: said once here, not at every handler.
fn complete(operation: &mut Value, single: bool) {
    let parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let takes = |place: &str| parameters.iter().any(|parameter| parameter["in"] == place);
    let anonymous = operation
        .get("security")
        .is_some_and(|security| security == &json!([{}]));
    let mut problems = vec![
        (
            "400",
            "The query or a header is wrong, or the body is malformed.",
        ),
        (
            "503",
            "The service is busy; `Retry-After` says when to come back.",
        ),
    ];
    // A bogus token is refused everywhere; none is needed where reading is free.
    problems.push(("401", "The access token is missing or does not count."));
    if !anonymous {
        problems.push(("403", "Readable, but not for the caller to do."));
    }
    if takes("path") {
        problems.push(("404", "Nothing there, or nothing that the caller may read."));
    }
    if parameters
        .iter()
        .any(|parameter| parameter["name"] == "If-Match")
    {
        problems.push(("412", "The resource has changed since the caller read it."));
        problems.push(("428", "`If-Match` is missing."));
    }
    if operation.get("requestBody").is_some() {
        problems.push(("413", "The body is larger than 256 KiB."));
        problems.push((
            "415",
            "The content type is not accepted, or the body is compressed.",
        ));
        problems.push((
            "422",
            "The body breaks the rules; `errors` lists every fault.",
        ));
    }
    if let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    {
        if single {
            let same = json!({"description": "The same as the one whose `ETag` stands in `If-None-Match`."});
            responses.entry("304").or_insert(same);
        }
        for (status, description) in problems {
            if !responses.contains_key(status) {
                let schema = json!({"$ref": "#/components/schemas/Problem"});
                let content = json!({"application/problem+json": {"schema": schema}});
                responses.insert(
                    status.to_owned(),
                    json!({"description": description, "content": content}),
                );
            }
        }
        responses.sort_keys();
    }
    // A query parameter is there or not; it is never null.
    for parameter in operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(schema) = parameter.get_mut("schema") {
            not_null(schema);
        }
    }
}

fn not_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| choice != &json!({"type": "null"}));
        if let [only] = choices.as_slice() {
            *schema = only.clone();
        }
    }
}

/// The committed form: pretty, with a newline at the end.
pub fn printed(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}
