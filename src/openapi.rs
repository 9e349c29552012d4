//! The document: what `/openapi.json` serves, what Swagger UI shows, and what requests are checked against.

mod examples;
mod limits;

use std::collections::HashSet;

use serde_json::{Value, json};
use utoipa::openapi::security::{
    ClientCredentials, Flow, OAuth2, Password, Scopes, SecurityScheme,
};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::AppExt;

use crate::app::routes;
use crate::auth::policy::Scope;
use crate::http::contract::{CLIENT_SCHEME, VISIBLE};
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
    components(schemas(
        crate::http::problem::Problem,
        // Parameters refer to these, which registers nothing.
        crate::communes::dto::CommuneSort,
        crate::exports::dto::TableFormat,
        crate::exports::dto::MapFormat,
        crate::practices::dto::PracticeSort,
        crate::metrics::chart::ChartKind,
        crate::metrics::model::MetricGroup,
        crate::metrics::periods::PeriodUnit,
        crate::imports::dto::ImportResource,
        crate::initiatives::dto::Inbox,
        crate::initiatives::dto::InitiativeSort,
        crate::subsidies::dto::SubsidyInbox,
    )),
    tags(
        (name = "authentication", description = "Tokens: start here."),
        (name = "accounts", description = "One's own account."),
        (name = "communes", description = "Communes and the settings of their scheme."),
        (name = "mandates", description = "Who works for a commune, and who signs for it."),
        (name = "holders", description = "Who carries initiatives: people, groups, associations, schools, companies."),
        (name = "initiatives", description = "Ideas, and what became of them: from draft to decision."),
        (name = "recusals", description = "Who of the town hall stands aside, for they have an interest of their own."),
        (name = "commitments", description = "What each side promises, valued, and what was done of it."),
        (name = "envelopes", description = "What a commune gives in a year."),
        (name = "authorities", description = "The acts that let a commune commit: deliberations, decisions, orders."),
        (name = "conventions", description = "Who does what, signed by both sides."),
        (name = "subsidies", description = "Who received how much, and what has to be published and reported."),
        (name = "evaluations", description = "What an initiative achieved, cost and saved; and its end."),
        (name = "documents", description = "Files about initiatives, conventions, fulfilments, evaluations and meetings."),
        (name = "meetings", description = "Public meetings and their attendance."),
        (name = "measures", description = "Indicators that communes report by hand."),
        (name = "metrics", description = "What the scheme brings, in figures that say what they mean."),
        (name = "practices", description = "What communes learned, for others who will do the like."),
        (name = "exports", description = "Open data: what everybody may read, as files for spreadsheets, maps and programs."),
        (name = "changes", description = "What has changed, in order: for those who keep a copy."),
        (name = "webhooks", description = "Addresses that are told what changes in a commune."),
        (name = "clients", description = "Programs of partners: what they may do in a commune, and how much they do."),
        (name = "imports", description = "What partners and town halls bring along: items, files, and the history from before."),
        (name = "reference", description = "Codes with their labels, and the lifecycles as data."),
    ),
)]
struct Document;

/// How callers say who they are; Swagger UI makes its Authorize dialog of it.
struct Signing;

impl Modify for Signing {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let flow = Password::with_refresh_url("/v1/auth/token", Scopes::new(), "/v1/auth/token");
        let scopes = Scope::LIST.codes.iter().map(|(code, _, en)| (*code, *en));
        let programs = ClientCredentials::new("/v1/auth/token", Scopes::from_iter(scopes));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "password",
            SecurityScheme::OAuth2(OAuth2::new([Flow::Password(flow)])),
        );
        components.add_security_scheme(
            CLIENT_SCHEME,
            SecurityScheme::OAuth2(OAuth2::new([Flow::ClientCredentials(programs)])),
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
    let resources = resources(&document);
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                complete(operation, method, path, &resources);
            }
        }
    }
    if let Some(components) = document
        .get_mut("components")
        .and_then(Value::as_object_mut)
    {
        components.insert("headers".to_owned(), headers());
        components.insert("parameters".to_owned(), parameters());
        components.insert("responses".to_owned(), responses());
    }
    describe_properties(&mut document);
    texts_say_something(&mut document);
    limits::add(&mut document);
    examples::add(&mut document);
    document
}

/// What people write is no text when it is only blanks: every text of a request that must not be empty has a character that
/// can be seen.
fn texts_say_something(document: &mut Value) {
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    schemas.values_mut().for_each(says_something);
}

fn says_something(schema: &mut Value) {
    match schema {
        Value::Array(choices) => choices.iter_mut().for_each(says_something),
        Value::Object(words) => {
            let is_text = words.get("type").is_some_and(|of| {
                of == "string"
                    || of
                        .as_array()
                        .is_some_and(|all| all.contains(&"string".into()))
            });
            let is_free = ["pattern", "format", "enum", "contentMediaType"]
                .iter()
                .all(|word| !words.contains_key(*word));
            let is_needed = words.get("minLength").and_then(Value::as_u64) > Some(0);
            if is_text && is_free && is_needed {
                words.insert("pattern".to_owned(), VISIBLE.into());
            }
            for word in ["properties", "items", "oneOf", "anyOf", "allOf"] {
                match words.get_mut(word) {
                    Some(Value::Object(inner)) if word == "properties" => {
                        inner.values_mut().for_each(says_something);
                    }
                    Some(inner) => says_something(inner),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// Puts the description of a property that may be null on the property: utoipa leaves it on one of its two choices, where
/// generators do not look.
fn describe_properties(document: &mut Value) {
    let schemas = document.pointer_mut("/components/schemas");
    for schema in schemas.and_then(Value::as_object_mut).into_iter().flatten() {
        let properties = schema.1.get_mut("properties");
        for (_, property) in properties
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            let choice = property
                .pointer_mut("/oneOf/0")
                .and_then(Value::as_object_mut);
            if let Some(description) = choice.and_then(|choice| choice.remove("description")) {
                property["description"] = description;
            }
        }
    }
}

/// The headers of answers. What is required is in every answer that refers to it.
fn headers() -> Value {
    json!({
        "RequestId": {
            "description": "Number of the request, as in the logs and in `request_id` of a problem: the one that came in \
                `X-Request-Id`, if it is 8 to 64 letters, digits, `-` and `_`, or a new one.",
            "required": true,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
            "example": "0199a3c1-5d52-7f3e-9a55-0d3c4f1f2a10",
        },
        "ETag": {
            "description": "What `If-Match` and `If-None-Match` take: number of the edit, and fingerprint of the answer.",
            "required": true,
            "schema": {"type": "string", "pattern": "^(W/)?\"([0-9]+-[0-9a-f]{16}|[0-9a-f]{64})\"$"},
            "example": "\"3-9f86d081884c7d65\"",
        },
        "Location": {
            "description": "Where what was made is from now on.",
            "required": true,
            "schema": {"type": "string", "format": "uri-reference", "pattern": "^/v1/"},
            "example": "/v1/holders/0199a3c1-5d52-826d-8c20-0d3c4f1f2a10",
        },
        "Link": {
            "description": "The first page, and the next one if there is one (RFC 8288).",
            "required": true,
            "schema": {"type": "string", "pattern": "; rel=\"first\""},
            "example": "</v1/communes?q=loos>; rel=\"first\"",
        },
        "LastModified": {
            "description": "When the last change of what the file has began.",
            "required": true,
            "schema": {"type": "string", "pattern": " GMT$"},
            "example": "Mon, 15 Jun 2026 10:00:00 GMT",
        },
        "LinkToLicence": {
            "description": "The licence, and where the columns are described (RFC 8288).",
            "required": true,
            "schema": {"type": "string", "pattern": "; rel=\"license\""},
            "example": "<https://www.etalab.gouv.fr/licence-ouverte-open-licence/>; rel=\"license\", </v1/exports/meetings>; rel=\"describedby\"",
        },
        "AcceptRanges": {
            "description": "That a range of the bytes may be asked for (RFC 9110, 14).",
            "required": true,
            "schema": {"type": "string", "enum": ["bytes"]},
        },
        "ContentDisposition": {
            "description": "That it is to be saved, and under which name (RFC 6266).",
            "required": true,
            "schema": {"type": "string", "pattern": "^attachment; filename\\*=UTF-8''"},
            "example": "attachment; filename*=UTF-8''presence%2Etxt",
        },
        "ContentRange": {
            "description": "Which bytes these are, and how many there are in all.",
            "required": true,
            "schema": {"type": "string", "pattern": "^bytes ([0-9]+-[0-9]+|\\*)/[0-9]+$"},
            "example": "bytes 0-1023/20480",
        },
        "LinkToHtml": {
            "description": "Where the same text is as a page (RFC 8288).",
            "required": true,
            "schema": {"type": "string", "pattern": "; rel=\"alternate\""},
            "example": "</v1/conventions/0199a3c1-5d52-826d-8c20-0d3c4f1f2a10/document.html>; rel=\"alternate\"; type=\"text/html\"",
        },
        "RetryAfter": {
            "description": "Seconds after which to come back.",
            "required": true,
            "schema": {"type": "integer", "minimum": 1},
            "example": 1,
        },
        "RetryAfterRunning": {
            "description": "Seconds after which to come back, where the same request is still running.",
            "schema": {"type": "integer", "minimum": 1},
            "example": 1,
        },
        "WwwAuthenticate": {
            "description": "What is wrong with the access token (RFC 6750).",
            "required": true,
            "schema": {"type": "string", "pattern": "^Bearer"},
            "example": "Bearer error=\"invalid_token\"",
        },
        "ClientChallenge": {
            "description": "How a program says who it is (RFC 7617).",
            "required": true,
            "schema": {"type": "string", "pattern": "^Basic "},
            "example": "Basic realm=\"Fifty-Fifty\"",
        },
        "IdempotencyReplayed": {
            "description": "That this is the answer to an earlier request with the same `Idempotency-Key`.",
            "schema": {"type": "string", "enum": ["true"]},
        },
    })
}

/// The headers of requests that many operations take.
fn parameters() -> Value {
    json!({
        "AcceptLanguage": {
            "name": "Accept-Language",
            "in": "header",
            "description": "Languages of the reader: sentences of problems are in French or English, French where nothing is asked.",
            "schema": {"type": "string"},
            "example": "en",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A key of the caller's choice: the same request with the same key gets the same answer again for \
                24 hours, and nothing is done twice.",
            "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY},
            "example": "5f3a9c2e-planters-rue-hoche",
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag`s that the reader has, or `*`: if the answer has one of them, 304 says so without a body.",
            "schema": {"type": "string"},
            "example": "\"3-9f86d081884c7d65\"",
        },
    })
}

const PROBLEM: &str = "application/problem+json";

/// The problems that operations answer without a word of their own: status, name and description.
const PROBLEMS: &[(&str, &str, &str)] = &[
    (
        "400",
        "BadRequest",
        "The query or a header is wrong, or the body is malformed.",
    ),
    (
        "401",
        "Unauthorized",
        "The access token is missing or does not count.",
    ),
    (
        "403",
        "Forbidden",
        "Readable, but not for the caller to do.",
    ),
    (
        "404",
        "NotFound",
        "Nothing there, or nothing that the caller may read.",
    ),
    (
        "409",
        "StillRunning",
        "The same request, with the same `Idempotency-Key`, is still running.",
    ),
    (
        "412",
        "PreconditionFailed",
        "The resource has changed since the caller read it.",
    ),
    ("413", "TooLarge", "The body is larger than 256 KiB."),
    (
        "415",
        "UnsupportedMediaType",
        "The content type is not accepted, or the body is compressed.",
    ),
    (
        "422",
        "InvalidBody",
        "The body breaks the rules; `errors` lists every fault.",
    ),
    ("428", "PreconditionRequired", "`If-Match` is missing."),
    (
        "503",
        "Busy",
        "The service is busy; `Retry-After` says when to come back.",
    ),
];

fn problem() -> Value {
    json!({"schema": {"$ref": "#/components/schemas/Problem"}})
}

/// The usual problems, said once.
fn responses() -> Value {
    let said = PROBLEMS.iter().map(|(status, name, description)| {
        let response = json!({
            "description": description,
            "headers": references(&headers_of(status, true)),
            "content": {PROBLEM: problem()},
        });
        ((*name).to_owned(), response)
    });
    Value::Object(said.collect())
}

/// The headers that go with a status, whatever the operation: each with the name of its description.
fn headers_of(status: &str, repeatable: bool) -> Vec<(&'static str, &'static str)> {
    let mut names = vec![("X-Request-Id", "RequestId")];
    match status {
        "201" | "202" => names.push(("Location", "Location")),
        "401" | "403" => names.push(("WWW-Authenticate", "WwwAuthenticate")),
        "409" if repeatable => names.push(("Retry-After", "RetryAfterRunning")),
        "501" => names.push(("Link", "LinkToHtml")),
        "429" | "503" => names.push(("Retry-After", "RetryAfter")),
        "206" | "416" => names.push(("Content-Range", "ContentRange")),
        _ => {}
    }
    names
}

/// The headers of an answer, as references to their descriptions.
fn references(names: &[(&str, &str)]) -> Value {
    let named = names.iter().map(|(name, component)| {
        let reference = json!({"$ref": format!("#/components/headers/{component}")});
        ((*name).to_owned(), reference)
    });
    Value::Object(named.collect())
}

/// What `Idempotency-Key` may be, bare or between quotes.
const IDEMPOTENCY_KEY: &str = "^([!#-~]{1,255}|\"[!#-~]{1,255}\")$";

/// The schemas of what can be read alone, and so has an `ETag` wherever it is answered.
fn resources(document: &Value) -> HashSet<String> {
    let mut found = HashSet::new();
    for (path, item) in members(document.get("paths")) {
        if let Some(operation) = item.get("get").filter(|get| is_single(get, path)) {
            found.extend(answers(operation, "200"));
        }
    }
    found
}

/// Whether this GET reads one thing: its path ends with the thing's name, or it says itself that it may answer 304.
fn is_single(get: &Value, path: &str) -> bool {
    path.ends_with('}') || path == "/v1/me" || get.pointer("/responses/304").is_some()
}

/// The schema of an operation's answer of this status, if it has a name.
fn answers(operation: &Value, status: &str) -> Option<String> {
    let pointer = format!("/responses/{status}/content/application~1json/schema/$ref");
    operation
        .pointer(&pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// What follows from what an operation takes and answers: said once here, not at every handler.
fn complete(operation: &mut Value, method: &str, path: &str, resources: &HashSet<String>) {
    let parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let takes = |place: &str, name: Option<&str>| {
        parameters.iter().any(|parameter| {
            parameter["in"] == place && name.is_none_or(|name| parameter["name"] == name)
        })
    };
    let anonymous = operation
        .get("security")
        .is_some_and(|security| security == &json!([{}]));
    if anonymous {
        // It means the same, and openapi-python-client takes `[{}]` for a need to sign in.
        operation["security"] = json!([]);
    }
    let optional = operation
        .get("security")
        .and_then(Value::as_array)
        .is_some_and(|ways| ways.contains(&json!({})));
    // The forms of OAuth: no token is looked at, and faults have OAuth's own form.
    let oauth = operation
        .pointer("/requestBody/content/application~1x-www-form-urlencoded")
        .is_some();
    let has_body = operation.get("requestBody").is_some();
    let single = method == "get" && is_single(operation, path);
    let edits = takes("header", Some("If-Match"));
    // Answers that hold secrets are not kept.
    let repeatable = method == "post" && !oauth;
    let is_list = takes("query", Some("cursor"));
    let is_export = operation["tags"] == json!(["exports"])
        && operation
            .pointer("/responses/200/content/application~1json")
            .is_none();
    let resource = answers(operation, "200").is_some_and(|schema| resources.contains(&schema));
    let has_etag = |status: &str| match status {
        "200" => single || edits || resource,
        "206" | "201" | "304" => true,
        _ => false,
    };

    let mut problems = vec!["400", "503"];
    if !oauth {
        // A bogus token is refused everywhere; none is needed where reading is free.
        problems.push("401");
    }
    // What everybody reads, nobody is refused: what is not public is not there for them. Elsewhere programs need a scope.
    if !anonymous && !optional {
        problems.push("403");
    }
    if takes("path", None) {
        problems.push("404");
    }
    if repeatable {
        problems.push("409");
    }
    if edits {
        problems.extend(["412", "428"]);
    }
    if has_body {
        problems.extend(["413", "415"]);
    }
    if has_body && !oauth {
        problems.push("422");
    }
    if let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    {
        if single {
            let same = json!({"description": "The same as the one whose `ETag` stands in `If-None-Match`."});
            responses.entry("304").or_insert(same);
        }
        for (status, response) in responses.iter_mut() {
            let mut names = headers_of(status, repeatable);
            if oauth && status == "401" {
                names.retain(|(name, _)| *name != "WWW-Authenticate");
                names.push(("WWW-Authenticate", "ClientChallenge"));
            }
            if has_etag(status) {
                names.push(("ETag", "ETag"));
            }
            if response
                .pointer("/content/application~1octet-stream")
                .is_some()
            {
                names.push(("Accept-Ranges", "AcceptRanges"));
                names.push(("Content-Disposition", "ContentDisposition"));
            }
            if status == "200" && path.ends_with("/errors.csv") {
                names.push(("Content-Disposition", "ContentDisposition"));
            }
            if is_export && ["200", "304"].contains(&status.as_str()) {
                names.push(("Last-Modified", "LastModified"));
                names.push(("Link", "LinkToLicence"));
            }
            if status == "200" && is_list {
                names.push(("Link", "Link"));
            }
            if repeatable && status.starts_with('2') {
                names.push(("Idempotency-Replayed", "IdempotencyReplayed"));
            }
            response["headers"] = references(&names);
            // An operation that words a problem in its own way may meet the usual one too.
            if problems.contains(&status.as_str())
                && let Some(content) = response.get_mut("content").and_then(Value::as_object_mut)
            {
                content.insert(PROBLEM.to_owned(), problem());
            }
        }
        for (status, name, _) in PROBLEMS {
            if problems.contains(status) && !responses.contains_key(*status) {
                let reference = json!({"$ref": format!("#/components/responses/{name}")});
                responses.insert((*status).to_owned(), reference);
            }
        }
        responses.sort_keys();
    }
    let parameters = operation
        .as_object_mut()
        .map(|operation| operation.entry("parameters").or_insert_with(|| json!([])))
        .and_then(Value::as_array_mut);
    if let Some(parameters) = parameters {
        // A query parameter is there or not; it is never null, and a list has a value.
        for parameter in parameters.iter_mut() {
            if let Some(schema) = parameter.get_mut("schema") {
                not_null(schema);
                if schema["type"] == "array" && schema.get("minItems").is_none() {
                    schema["minItems"] = 1.into();
                }
            }
        }
        for (name, takes_it) in [
            ("IfNoneMatch", single),
            ("IdempotencyKey", repeatable),
            ("AcceptLanguage", true),
        ] {
            if takes_it {
                parameters.push(json!({"$ref": format!("#/components/parameters/{name}")}));
            }
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
