//! The OpenAPI document at work: bodies and queries are checked against the schemas that it publishes, so that the
//! document and the check cannot drift apart.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Registry, ValidationError, Validator};
use percent_encoding::percent_decode_str;
use serde_json::map::Entry;
use serde_json::{Map, Value, json};

use super::error::{ApiError, Code, Fault, FaultCode, Text};
use crate::auth::policy::Scope;

/// The name under which the schemas refer to the document.
const DOCUMENT: &str = "urn:fifty-fifty:openapi";

/// The name under which the document says how programs identify themselves.
pub const CLIENT_SCHEME: &str = "client_credentials";

/// Every operation of the document, ready to check requests.
pub struct Contract {
    /// path template → method → operation
    paths: HashMap<String, HashMap<String, Operation>>,
}

/// What one operation takes.
pub struct Operation {
    /// Part of the API that it belongs to.
    pub tag: Arc<str>,
    /// The scope that opens it to programs.
    pub scope: Option<Scope>,
    /// Check of the body, by content type.
    bodies: HashMap<String, Validator>,
    query: Validator,
    parameters: HashMap<String, Reading>,
}

/// How a query parameter's text becomes JSON.
#[derive(Clone, Copy)]
enum Reading {
    Text,
    Number,
    Boolean,
    /// Values separated by commas.
    List,
}

/// Why the contract could not be made of a document: a fault of the document, so of ours.
#[derive(Debug, thiserror::Error)]
#[error("the OpenAPI document: {0}")]
pub struct ContractError(String);

impl Contract {
    /// Compiles the checks of every operation.
    pub fn new(document: &Value) -> Result<Self, ContractError> {
        let failed = |error: &dyn std::fmt::Display| ContractError(error.to_string());
        let registry = Registry::new()
            .add(DOCUMENT, document.clone())
            .and_then(|registry| registry.prepare())
            .map_err(|error| failed(&error))?;
        let compile = |schema: &Value| {
            // `#/components/…` is relative to the document, not to the schema that stands alone.
            let text = schema
                .to_string()
                .replace("\"#/components", &format!("\"{DOCUMENT}#/components"));
            let schema: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
            jsonschema::draft202012::options()
                .with_registry(&registry)
                .should_validate_formats(true)
                .should_ignore_unknown_formats(true)
                .build(&schema)
                .map_err(|error| failed(&error))
        };

        let mut paths = HashMap::new();
        for (path, item) in entries(document.get("paths")) {
            let mut methods = HashMap::new();
            for (method, operation) in entries(Some(item)) {
                let tag = operation.pointer("/tags/0").and_then(Value::as_str);
                let tag = tag.ok_or_else(|| failed(&format!("{method} {path} has no tag")))?;
                let scope = operation
                    .get("security")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .find_map(|way| way.get(CLIENT_SCHEME)?.get(0)?.as_str())
                    .map(str::parse)
                    .transpose()
                    .map_err(|error: String| failed(&error))?;
                let mut bodies = HashMap::new();
                for (content_type, media) in entries(operation.pointer("/requestBody/content")) {
                    let schema = media.get("schema").unwrap_or(&Value::Bool(true));
                    bodies.insert(content_type.clone(), compile(schema)?);
                }
                let mut parameters = HashMap::new();
                let mut properties = Map::new();
                let mut required = Vec::new();
                for parameter in operation
                    .get("parameters")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    let (Some(name), Some("query"), Some(schema)) = (
                        parameter.get("name").and_then(Value::as_str),
                        parameter.get("in").and_then(Value::as_str),
                        parameter.get("schema"),
                    ) else {
                        continue;
                    };
                    parameters.insert(name.to_owned(), reading(document, schema));
                    properties.insert(name.to_owned(), schema.clone());
                    if parameter.get("required") == Some(&Value::Bool(true)) {
                        required.push(name);
                    }
                }
                let query = compile(&json!({
                    "type": "object", "properties": properties, "required": required, "additionalProperties": false,
                }))?;
                methods.insert(
                    method.to_ascii_uppercase(),
                    Operation {
                        tag: tag.into(),
                        scope,
                        bodies,
                        query,
                        parameters,
                    },
                );
            }
            paths.insert(path.clone(), methods);
        }
        Ok(Self { paths })
    }

    /// The operation of a route template and a method.
    pub fn operation(&self, template: &str, method: &str) -> Option<&Operation> {
        self.paths.get(template)?.get(method)
    }

    /// The methods of a route template, for `Allow`; nothing when the document does not know it.
    pub fn methods(&self, template: &str) -> Option<String> {
        let methods = self.paths.get(template)?;
        let mut names: Vec<&str> = methods.keys().map(String::as_str).collect();
        if methods.contains_key("GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        names.sort_unstable();
        Some(names.join(", "))
    }
}

impl Operation {
    /// Whether it takes a body of this type; an operation without a body takes none.
    pub fn body(&self, content_type: &str) -> Option<&Validator> {
        self.bodies.get(content_type)
    }

    /// The content types that it takes.
    pub fn content_types(&self) -> String {
        let mut types: Vec<&str> = self.bodies.keys().map(String::as_str).collect();
        types.sort_unstable();
        types.join(", ")
    }

    /// Reads and checks a query string; all faults at once.
    pub fn read_query(&self, query: &str) -> Result<Value, ApiError> {
        let mut read = Map::new();
        let mut faults = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                return Err(ApiError::because(
                    Code::InvalidQuery,
                    "Les paramètres doivent être de l'UTF-8 sans caractère nul.",
                    "Parameters must be UTF-8 without NUL.",
                ));
            };
            let Some(reading) = self.parameters.get(&name) else {
                faults.push(query_fault(
                    &name,
                    FaultCode::UnknownField,
                    unknown_parameter(),
                ));
                continue;
            };
            let value = match reading {
                Reading::Text => Value::String(value),
                Reading::Number => value
                    .parse::<serde_json::Number>()
                    .map_or(Value::String(value), |number| {
                        Value::Number(whole(&number).unwrap_or(number))
                    }),
                Reading::Boolean => value
                    .parse::<bool>()
                    .map_or(Value::String(value), Value::Bool),
                Reading::List => value
                    .split(',')
                    .map(|item| Value::String(item.to_owned()))
                    .collect(),
            };
            match read.entry(name) {
                Entry::Vacant(first) => {
                    first.insert(value);
                }
                Entry::Occupied(mut before) => match (before.get_mut(), value) {
                    // Generated clients repeat the name of a list where others write commas.
                    (Value::Array(items), Value::Array(more)) => items.extend(more),
                    _ => {
                        let text =
                            Text::new("Ce paramètre est répété.", "This parameter is repeated.");
                        faults.push(query_fault(before.key(), FaultCode::Repeated, text));
                    }
                },
            }
        }
        let read = Value::Object(read);
        for error in self.query.iter_errors(&read) {
            for fault in faults_of(&error) {
                let name = fault
                    .pointer
                    .trim_start_matches("#/")
                    .split('/')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                if !faults.iter().any(|known: &Fault| known.pointer == name) {
                    faults.push(Fault {
                        pointer: name,
                        ..fault
                    });
                }
            }
        }
        if faults.is_empty() {
            Ok(read)
        } else {
            Err(ApiError {
                faults,
                ..ApiError::new(Code::InvalidQuery)
            })
        }
    }
}

fn query_fault(name: &str, code: FaultCode, detail: Text) -> Fault {
    Fault {
        pointer: name.to_owned(),
        code,
        detail,
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .map(Cow::into_owned)
        .ok()?;
    (!decoded.contains('\0')).then_some(decoded)
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// How a parameter of this schema is read; references and `oneOf` are followed.
fn reading(document: &Value, schema: &Value) -> Reading {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return document
            .pointer(target.trim_start_matches('#'))
            .map_or(Reading::Text, |s| reading(document, s));
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if types.contains(&"array") {
        Reading::List
    } else if types.contains(&"integer") || types.contains(&"number") {
        Reading::Number
    } else if types.contains(&"boolean") {
        Reading::Boolean
    } else {
        Reading::Text
    }
}

/// An integer that is written with a point or an exponent, as one: `5.0` is an integer for JSON Schema and not for serde.
fn whole(number: &serde_json::Number) -> Option<serde_json::Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    // Beyond this a float does not say which integer it is.
    let exact = float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0;
    exact
        .then(|| format!("{float:.0}").parse::<i64>().ok())
        .flatten()
        .map(serde_json::Number::from)
}

/// Writes all whole numbers of a body as integers.
pub fn write_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(integer) = whole(number) {
                *number = integer;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_integers),
        Value::Object(members) => members.values_mut().for_each(write_integers),
        _ => {}
    }
}

/// A text in which something can be seen.
pub const VISIBLE: &str = r"\S";

fn unknown_parameter() -> Text {
    Text::new(
        "Ce paramètre n'existe pas ici.",
        "This parameter does not exist here.",
    )
}

fn unknown_field() -> Text {
    Text::new(
        "Ce champ n'existe pas ici.",
        "This field does not exist here.",
    )
}

/// The faults of one failed check, each where it is, none with the value.
pub fn faults_of(error: &ValidationError<'_>) -> Vec<Fault> {
    let at = error.instance_path().as_str().to_owned();
    let one = |code, fr: &str, en: &str| {
        vec![Fault::at(
            &at,
            code,
            Text::made(fr.to_owned(), en.to_owned()),
        )]
    };
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected
                .iter()
                .map(|name| {
                    Fault::at(
                        &format!("{at}/{}", escape(name)),
                        FaultCode::UnknownField,
                        unknown_field(),
                    )
                })
                .collect()
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let text = Text::new("Ce champ est nécessaire.", "This field is required.");
            vec![Fault::at(
                &format!("{at}/{}", escape(name)),
                FaultCode::Required,
                text,
            )]
        }
        Kind::MinLength { limit } => one(
            FaultCode::TooShort,
            &format!("{limit} caractère(s) au moins."),
            &format!("At least {limit} character(s)."),
        ),
        Kind::MaxLength { limit } => one(
            FaultCode::TooLong,
            &format!("{limit} caractères au plus."),
            &format!("At most {limit} characters."),
        ),
        Kind::MinItems { limit } | Kind::MinProperties { limit } => one(
            FaultCode::TooFew,
            &format!("{limit} élément(s) au moins."),
            &format!("At least {limit} item(s)."),
        ),
        Kind::MaxItems { limit } | Kind::MaxProperties { limit } => one(
            FaultCode::TooMany,
            &format!("{limit} éléments au plus."),
            &format!("At most {limit} items."),
        ),
        Kind::Minimum { limit } => one(
            FaultCode::OutOfRange,
            &format!("{limit} au moins."),
            &format!("At least {limit}."),
        ),
        Kind::Maximum { limit } => one(
            FaultCode::OutOfRange,
            &format!("{limit} au plus."),
            &format!("At most {limit}."),
        ),
        Kind::ExclusiveMinimum { limit } => one(
            FaultCode::OutOfRange,
            &format!("Plus de {limit}."),
            &format!("More than {limit}."),
        ),
        Kind::ExclusiveMaximum { limit } => one(
            FaultCode::OutOfRange,
            &format!("Moins de {limit}."),
            &format!("Less than {limit}."),
        ),
        Kind::Enum { options } => {
            let listed = options
                .as_array()
                .into_iter()
                .flatten()
                .map(listed)
                .collect::<Vec<_>>()
                .join(", ");
            one(
                FaultCode::UnknownValue,
                &format!("L'un de : {listed}."),
                &format!("One of: {listed}."),
            )
        }
        Kind::Format { format } => one(
            FaultCode::BadFormat,
            &format!("Le format attendu est « {format} »."),
            &format!("The format expected is \"{format}\"."),
        ),
        // Of nothing it was said already that it is too short.
        Kind::Pattern { pattern }
            if pattern == VISIBLE && error.instance().as_str().is_some_and(str::is_empty) =>
        {
            Vec::new()
        }
        Kind::Pattern { pattern } if pattern == VISIBLE => one(
            FaultCode::TooShort,
            "Du texte, et pas seulement des espaces.",
            "Some text, and not only blanks.",
        ),
        Kind::Pattern { pattern } => one(
            FaultCode::BadFormat,
            &format!("Le texte doit correspondre à {pattern}."),
            &format!("The text must match {pattern}."),
        ),
        Kind::UniqueItems => one(
            FaultCode::Repeated,
            "Un élément est répété.",
            "An item is repeated.",
        ),
        // A value that may be null or something else fails both: what matters is why it is not the something else.
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => context
            .iter()
            .filter(|branch| {
                !branch
                    .iter()
                    .all(|e| matches!(e.kind(), Kind::Type { .. }) && is_null_check(e))
            })
            .flatten()
            .flat_map(faults_of)
            .collect(),
        _ => one(
            FaultCode::WrongType,
            "Le type de cette valeur n'est pas le bon.",
            "This value has the wrong type.",
        ),
    }
}

fn is_null_check(error: &ValidationError<'_>) -> bool {
    matches!(
        error.kind(),
        Kind::Type {
            kind: jsonschema::error::TypeKind::Single(jsonschema::JsonType::Null)
        }
    )
}

fn listed(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// RFC 6901: `~` and `/` in a member's name.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
