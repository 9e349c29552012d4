//! Bodies and queries: checked by the document first, by the type's own rules second, and then typed.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::StreamExt;
use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::contract::{Contract, faults_of, write_integers};
use super::error::{ApiError, Code, Fault, FaultCode, Text};

/// Largest body of a request, in bytes. Bulk operations and files have limits of their own.
pub const BODY_LIMIT: usize = 256 * 1024;

/// SHA-256 of a request's body: what tells a repeated request from another one with the same idempotency key.
#[derive(Clone, Copy)]
pub struct BodyDigest(pub [u8; 32]);

/// A JSON body that follows the operation's schema and the rules of its type.
pub struct Json<T>(pub T);

/// A form, for the token endpoint only.
pub struct Form<T>(pub T);

/// Query parameters that follow the operation's schema.
pub struct Query<T>(pub T);

/// The query as the middleware read it.
#[derive(Clone)]
pub struct ReadQuery(pub Value);

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (value, schema) = read_json(&request, payload, BODY_LIMIT).await?;
            let faults = broken_schema(schema_of(&request, &schema)?, &value);
            typed(&value, faults).map(Self)
        })
    }
}

/// A JSON body within a limit, and its content type.
pub async fn read_json(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<(Value, String), ApiError> {
    let bytes = read_body(request, payload, limit).await?;
    let mut value: Value = serde_json::from_slice(&bytes).map_err(|error| ApiError {
        detail: Some(syntax(&error)),
        ..ApiError::new(Code::MalformedJson)
    })?;
    write_integers(&mut value);
    Ok((value, content_type(request)))
}

/// The schema that the request's operation has for a body of this type.
pub fn schema_of<'a>(
    request: &'a HttpRequest,
    content_type: &str,
) -> Result<&'a Validator, ApiError> {
    let template = request.match_pattern().unwrap_or_default();
    contract(request)?
        .operation(&template, request.method().as_str())
        .and_then(|operation| operation.body(content_type))
        .ok_or_else(|| ApiError::internal(format!("no schema for the body of {template}")))
}

/// What a schema finds wrong with a value.
pub fn broken_schema(schema: &Validator, value: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    find_nul("", value, &mut faults);
    let mut broken: Vec<Fault> = schema
        .iter_errors(value)
        .flat_map(|error| faults_of(&error))
        .collect();
    broken.retain(|fault| faults.iter().all(|nul| nul.pointer != fault.pointer));
    faults.append(&mut broken);
    faults
}

/// A value as its type, with the type's own rules, so that all faults come at once; not of what the schema refuses
/// already.
pub fn typed<T: DeserializeOwned + Validate>(
    value: &Value,
    mut faults: Vec<Fault>,
) -> Result<T, ApiError> {
    let typed = serde_path_to_error::deserialize::<_, T>(value);
    if let Err(errors) = typed.as_ref().map_or(Ok(()), Validate::validate) {
        let mut broken = rules_broken("", &errors);
        broken.retain(|fault| faults.iter().all(|known| known.pointer != fault.pointer));
        faults.extend(broken);
    }
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    typed.map_err(|error| {
        let at = error.path().to_string();
        let pointer = if at == "." {
            String::new()
        } else {
            format!("/{}", at.replace('.', "/"))
        };
        ApiError::fault(
            &pointer,
            FaultCode::OutOfRange,
            "Cette valeur ne peut pas être représentée.",
            "This value cannot be represented.",
        )
    })
}

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = ApiError;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read_body(&request, payload, BODY_LIMIT).await?;
            let form = serde_urlencoded::from_bytes(&bytes)
                .map_err(|_| ApiError::new(Code::MalformedForm))?;
            Ok(Self(form))
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = request.extensions().get::<ReadQuery>().cloned();
        std::future::ready(match read {
            None => Err(ApiError::internal(
                "the query was not read: is the operation in the document?",
            )),
            Some(ReadQuery(value)) => {
                serde_path_to_error::deserialize(&value)
                    .map(Self)
                    .map_err(|error| {
                        let fault = Fault {
                            pointer: error.path().to_string(),
                            code: FaultCode::BadFormat,
                            detail: Text::new(
                                "Ce paramètre est incorrect.",
                                "This parameter is wrong.",
                            ),
                        };
                        ApiError {
                            faults: vec![fault],
                            ..ApiError::new(Code::InvalidQuery)
                        }
                    })
            }
        })
    }
}

fn contract(request: &HttpRequest) -> Result<&Contract, ApiError> {
    request
        .app_data::<web::Data<Contract>>()
        .map(|data| data.get_ref())
        .ok_or_else(|| ApiError::internal("no contract in the application"))
}

/// The media type without its parameters, in lower case.
pub fn content_type(request: &HttpRequest) -> String {
    let header = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    header
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// Refuses a body of a type that the operation does not take. Compressed bodies are not taken: a few bytes could unfold to
/// gigabytes.
pub fn refuse_other_types(request: &HttpRequest) -> Result<(), ApiError> {
    let template = request.match_pattern().unwrap_or_default();
    let operation = contract(request)?
        .operation(&template, request.method().as_str())
        .ok_or_else(|| ApiError::internal(format!("{template} is not in the document")))?;
    let encoded = request
        .headers()
        .get(header::CONTENT_ENCODING)
        .is_some_and(|value| value != "identity");
    if operation.body(&content_type(request)).is_some() && !encoded {
        return Ok(());
    }
    let types = operation.content_types();
    let (fr, en) = if request.headers().contains_key(header::CONTENT_TYPE) {
        ("Type accepté", "Accepted type")
    } else {
        (
            "Un corps est attendu, avec son type",
            "A body is needed, with its type",
        )
    };
    let detail = Text::made(
        format!("{fr}, sans compression : {types}."),
        format!("{en}, without compression: {types}."),
    );
    Err(ApiError {
        detail: Some(detail),
        ..ApiError::new(Code::UnsupportedMediaType)
    })
}

/// More than is taken.
pub fn too_large(max_bytes: impl std::fmt::Display) -> ApiError {
    let detail = Text::made(
        format!("{max_bytes} octets au plus."),
        format!("At most {max_bytes} bytes."),
    );
    ApiError {
        detail: Some(detail),
        ..ApiError::new(Code::TooLarge)
    }
}

/// The whole body, within the limit.
async fn read_body(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
) -> Result<Vec<u8>, ApiError> {
    refuse_other_types(request)?;
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(Code::MalformedRequest))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    request
        .extensions_mut()
        .insert(BodyDigest(Sha256::digest(&body).into()));
    Ok(body)
}

/// Where the JSON breaks; serde's own words may quote the input, so they stay inside.
fn syntax(error: &serde_json::Error) -> Text {
    let (line, column) = (error.line(), error.column());
    Text::made(
        format!("La lecture s'arrête à la ligne {line}, colonne {column}."),
        format!("Reading stops at line {line}, column {column}."),
    )
}

/// PostgreSQL keeps no NUL in text, so none may come in.
fn find_nul(at: &str, value: &Value, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) if text.contains('\0') => faults.push(Fault::at(
            at,
            FaultCode::ForbiddenCharacter,
            Text::new("Le caractère nul n'est pas permis.", "NUL is not allowed."),
        )),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_nul(&format!("{at}/{index}"), item, faults);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                find_nul(&format!("{at}/{name}"), member, faults);
            }
        }
        _ => {}
    }
}

/// The broken rules of the `validator` crate as faults. A rule's message is "French | English"; one of a whole body has
/// the name of the field at fault as its code, and none where several are.
fn rules_broken(at: &str, errors: &ValidationErrors) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (field, kind) in errors.errors() {
        let of_the_whole = *field == "__all__";
        let pointer = if of_the_whole {
            at.to_owned()
        } else {
            format!("{at}/{field}")
        };
        match kind {
            ValidationErrorsKind::Field(broken) => faults.extend(broken.iter().map(|error| {
                let message = error
                    .message
                    .as_deref()
                    .unwrap_or("Cette valeur est incorrecte. | This value is wrong.");
                let (fr, en) = message.split_once(" | ").unwrap_or((message, message));
                let pointer = match error.code.as_ref() {
                    field if of_the_whole && !field.is_empty() => format!("{at}/{field}"),
                    _ => pointer.clone(),
                };
                Fault::at(
                    &pointer,
                    FaultCode::Inconsistent,
                    Text::made(fr.to_owned(), en.to_owned()),
                )
            })),
            ValidationErrorsKind::Struct(inner) => faults.extend(rules_broken(&pointer, inner)),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    faults.extend(rules_broken(&format!("{pointer}/{index}"), inner));
                }
            }
        }
    }
    faults
}

/// Reads a field that may be absent, null or a value: `None`, `Some(None)`, `Some(Some(value))` (RFC 7396).
pub fn absent_or_null<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}
