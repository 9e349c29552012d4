//! Everything that can go wrong, as one table: code, status, and what to tell people in French and English.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::constraints::CONSTRAINTS;
use crate::auth::policy::Scope;

/// A sentence in both languages of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub fr: Cow<'static, str>,
    pub en: Cow<'static, str>,
}

impl Text {
    /// Two fixed sentences.
    pub const fn new(fr: &'static str, en: &'static str) -> Self {
        Self {
            fr: Cow::Borrowed(fr),
            en: Cow::Borrowed(en),
        }
    }

    /// Two sentences made for the occasion.
    pub fn made(fr: String, en: String) -> Self {
        Self {
            fr: Cow::Owned(fr),
            en: Cow::Owned(en),
        }
    }

    /// The sentence in one language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::French => &self.fr,
            Language::English => &self.en,
        }
    }
}

/// The languages of the API's sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    French,
    English,
}

impl Language {
    /// The better of the two for an `Accept-Language` header (RFC 9110, 12.5.4); French where nothing is asked.
    pub fn of(header: Option<&str>) -> Self {
        let mut best = (0.0_f32, Self::French);
        for range in header.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .find_map(|p| p.strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            let language = match tag.split('-').next() {
                Some("en") => Self::English,
                Some("fr" | "*") => Self::French,
                _ => continue,
            };
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }

    /// The tag of `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

/// Declares the table of problem codes.
macro_rules! problem_codes {
    ($($variant:ident = $code:literal, $status:literal, $fr:literal, $en:literal;)+) => {
        /// A stable code of a problem; `/problems/{code}` explains it to people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum Code {
            $(#[serde(rename = $code)] $variant,)+
        }

        impl utoipa::PartialSchema for Code {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($code),+]))
                    .description(Some("A stable code of a problem; `/problems/{code}` explains it to people."))
                    .into()
            }
        }

        impl ToSchema for Code {
            fn name() -> Cow<'static, str> {
                "ProblemCode".into()
            }
        }

        impl Code {
            /// The whole table, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it stands in an answer.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The HTTP status that goes with it, always the same.
            pub fn status(self) -> StatusCode {
                let number: u16 = match self { $(Self::$variant => $status,)+ };
                StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// What it means, in one sentence.
            pub const fn title(self) -> Text {
                match self { $(Self::$variant => Text::new($fr, $en),)+ }
            }
        }
    };
}

problem_codes! {
    MalformedJson = "malformed_json", 400,
        "Le corps de la requête n'est pas du JSON bien formé.", "The request body is not well-formed JSON.";
    MalformedForm = "malformed_form", 400,
        "Le corps de la requête n'est pas un formulaire bien formé.", "The request body is not a well-formed form.";
    MalformedRequest = "malformed_request", 400,
        "La requête HTTP ne peut pas être lue.", "The HTTP request cannot be read.";
    InvalidQuery = "invalid_query", 400,
        "Un paramètre de la requête est inconnu, répété ou incorrect.", "A query parameter is unknown, repeated or wrong.";
    InvalidCursor = "invalid_cursor", 400,
        "Le curseur ne vient pas de cette liste, avec ces filtres et ce tri.",
        "The cursor does not come from this list with these filters and this sort.";
    InvalidHeader = "invalid_header", 400,
        "Un en-tête de la requête est incorrect.", "A request header is wrong.";
    Unauthorized = "unauthorized", 401,
        "Un jeton d'accès valable est nécessaire.", "A valid access token is needed.";
    Forbidden = "forbidden", 403,
        "Vous n'avez pas le droit de faire cela.", "You are not allowed to do this.";
    NotFound = "not_found", 404,
        "Rien n'existe à cette adresse, ou rien que vous puissiez lire.",
        "Nothing exists at this address, or nothing that you may read.";
    MethodNotAllowed = "method_not_allowed", 405,
        "Cette adresse existe, mais pas avec cette méthode.", "This address exists, but not with this method.";
    NotAcceptable = "not_acceptable", 406,
        "Aucun des formats demandés n'est disponible.", "None of the formats asked for is available.";
    RequestTimeout = "request_timeout", 408,
        "La requête n'est pas arrivée à temps.", "The request did not arrive in time.";
    WrongState = "wrong_state", 409,
        "L'état actuel ne permet pas cette action.", "The current state does not allow this action.";
    ConflictOfInterest = "conflict_of_interest", 409,
        "Nul ne se tient des deux côtés : vous êtes membre du porteur ou de la structure porteuse, ou récusé dans cette affaire.",
        "Nobody stands on both sides: you are a member of the holder or of the host organisation, or stand aside.";
    AlreadyExists = "already_exists", 409,
        "Cela existe déjà.", "This exists already.";
    EnvelopeExceeded = "envelope_exceeded", 409,
        "L'enveloppe de l'année ne suffit pas.", "The year's envelope does not suffice.";
    QuotaExceeded = "quota_exceeded", 409,
        "Les documents de la commune prendraient plus de place que prévu.",
        "The commune's documents would take more room than they have.";
    ContentChanged = "content_changed", 409,
        "Le contenu a changé : l'empreinte donnée n'est pas celle du contenu actuel.",
        "The content has changed: the hash given is not that of the current content.";
    RequirementMissing = "requirement_missing", 409,
        "Une condition de cette action n'est pas remplie.", "A condition of this action is not met.";
    StillRunning = "still_running", 409,
        "La même requête est encore en cours.", "The same request is still running.";
    StaleVersion = "stale_version", 412,
        "La ressource a changé depuis que vous l'avez lue.", "The resource has changed since you read it.";
    TooLarge = "too_large", 413,
        "Le corps de la requête est trop grand.", "The request body is too large.";
    UriTooLong = "uri_too_long", 414,
        "L'adresse est trop longue.", "The address is too long.";
    UnsupportedMediaType = "unsupported_media_type", 415,
        "Ce type ou ce codage de contenu n'est pas accepté ici.", "This content type or encoding is not accepted here.";
    RangeNotSatisfiable = "range_not_satisfiable", 416,
        "La plage demandée commence après la fin.", "The range asked for begins behind the end.";
    InvalidBody = "invalid_body", 422,
        "Le corps de la requête ne respecte pas les règles.", "The request body breaks the rules.";
    IdempotencyMismatch = "idempotency_mismatch", 422,
        "Cette clé d'idempotence a déjà servi pour une autre requête.",
        "This idempotency key was already used for another request.";
    PreconditionRequired = "precondition_required", 428,
        "L'en-tête If-Match est nécessaire.", "The If-Match header is needed.";
    TooManyRequests = "too_many_requests", 429,
        "Trop de requêtes à la fois : réessayez un peu plus tard.", "Too many requests at once: try again a little later.";
    HeadersTooLarge = "headers_too_large", 431,
        "Les en-têtes sont trop grands.", "The headers are too large.";
    Internal = "internal", 500,
        "Une erreur s'est produite de notre côté. Elle est enregistrée sous le numéro de la requête.",
        "Something went wrong on our side. It is recorded under the request's number.";
    NotTypeset = "not_typeset", 501,
        "Ce document est trop long pour être composé en PDF ; le même texte est en HTML.",
        "This document is too long to be typeset as PDF; the same text is there in HTML.";
    Busy = "busy", 503,
        "Le service est occupé : réessayez dans un instant.", "The service is busy: try again in a moment.";
}

/// What kind of fault a part of the input has; `detail` says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    Required,
    UnknownField,
    WrongType,
    TooShort,
    TooLong,
    TooFew,
    TooMany,
    OutOfRange,
    UnknownValue,
    BadFormat,
    ForbiddenCharacter,
    Repeated,
    NotFound,
    Inconsistent,
}

/// One fault of the input.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Where: a JSON pointer as URI fragment (`#/title`) in a body, a parameter's name in a query.
    pub pointer: String,
    pub code: FaultCode,
    pub detail: Text,
}

impl Fault {
    /// A fault at a pointer such as `/title`.
    pub fn at(pointer: &str, code: FaultCode, detail: Text) -> Self {
        Self {
            pointer: format!("#{pointer}"),
            code,
            detail,
        }
    }
}

/// The one error of handlers. The middleware writes it as `application/problem+json`.
#[derive(Clone, Debug)]
pub struct ApiError {
    pub code: Code,
    pub detail: Option<Text>,
    pub faults: Vec<Fault>,
    /// The state that stood in the way, for conflicts of state.
    pub state: Option<&'static str>,
    /// The hash of the current content, for signatures of another one.
    pub content_sha256: Option<String>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For the log only.
    pub cause: Option<String>,
}

impl ApiError {
    /// A problem with nothing to add to its title.
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            faults: Vec::new(),
            state: None,
            content_sha256: None,
            headers: Vec::new(),
            cause: None,
        }
    }

    /// The same with a sentence of its own.
    pub fn because(code: Code, fr: &'static str, en: &'static str) -> Self {
        Self {
            detail: Some(Text::new(fr, en)),
            ..Self::new(code)
        }
    }

    /// Faults of a body that is well-formed and breaks a rule.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        Self {
            faults,
            ..Self::new(Code::InvalidBody)
        }
    }

    /// One fault of a body.
    pub fn fault(pointer: &str, code: FaultCode, fr: &'static str, en: &'static str) -> Self {
        Self::invalid(vec![Fault::at(pointer, code, Text::new(fr, en))])
    }

    /// One fault of a query, at the parameter of this name.
    pub fn query_fault(name: &str, code: FaultCode, fr: &'static str, en: &'static str) -> Self {
        let fault = Fault {
            pointer: name.to_owned(),
            code,
            detail: Text::new(fr, en),
        };
        Self {
            faults: vec![fault],
            ..Self::new(Code::InvalidQuery)
        }
    }

    /// A failure of ours: the cause goes to the log, never to the client.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Code::Internal)
        }
    }

    /// The service cannot take this now.
    pub fn busy(cause: impl std::fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Code::Busy)
        }
        .retry_after(1)
    }

    /// No token, or one that does not count (RFC 6750).
    pub fn unauthorized(token_given: bool) -> Self {
        let challenge = if token_given {
            "Bearer error=\"invalid_token\""
        } else {
            "Bearer"
        };
        Self::new(Code::Unauthorized).header(
            actix_web::http::header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        )
    }

    /// Readable, but not yours to do.
    pub fn forbidden(fr: &'static str, en: &'static str) -> Self {
        Self::because(Code::Forbidden, fr, en).header(
            actix_web::http::header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer error=\"insufficient_scope\""),
        )
    }

    /// A program that would need this scope (RFC 6750, 3.1).
    pub fn insufficient_scope(scope: Scope) -> Self {
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        Self {
            detail: Some(Text::made(
                format!("Ce programme aurait besoin de la portée « {scope} »."),
                format!("This program would need the scope `{scope}`."),
            )),
            ..Self::new(Code::Forbidden)
        }
        .header(
            actix_web::http::header::WWW_AUTHENTICATE,
            HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer")),
        )
    }

    /// What no program does, whatever its scopes.
    pub fn people_only() -> Self {
        Self::forbidden(
            "Seules des personnes font cela : aucune portée ne l'ouvre aux programmes.",
            "Only people do this: no scope opens it to programs.",
        )
    }

    /// Nothing there, or nothing for this reader.
    pub const fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// A condition of an action that is not met.
    pub fn requirement(fr: &'static str, en: &'static str) -> Self {
        Self::because(Code::RequirementMissing, fr, en)
    }

    /// Adds a header to the answer.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says when to come back, in seconds.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(
            actix_web::http::header::RETRY_AFTER,
            HeaderValue::from(seconds),
        )
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code.code())?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    // The body comes from the middleware, which knows the request's language and number.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.code.status())
    }
}

impl From<diesel::result::Error> for ApiError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        match &error {
            Error::NotFound => Self::not_found(),
            Error::DatabaseError(kind, info) => {
                let known = info.constraint_name().and_then(|name| {
                    CONSTRAINTS
                        .iter()
                        .find(|(constraint, ..)| *constraint == name)
                });
                match (kind, known) {
                    (_, Some((_, code, detail))) => Self {
                        detail: Some(detail.clone()),
                        ..Self::new(*code)
                    },
                    (
                        Kind::SerializationFailure
                        | Kind::ClosedConnection
                        | Kind::UnableToSendCommand,
                        None,
                    ) => Self::busy(info.message()),
                    // Deadlock, lock timeout, statement timeout: diesel has no kind for them.
                    (_, None)
                        if ["deadlock detected", "lock timeout", "statement timeout"]
                            .iter()
                            .any(|sign| info.message().contains(sign)) =>
                    {
                        Self::busy(info.message())
                    }
                    _ => Self::internal(format!(
                        "{kind:?} {}: {}",
                        info.constraint_name().unwrap_or(""),
                        info.message()
                    )),
                }
            }
            _ => Self::internal(error),
        }
    }
}

impl From<crate::ids::IdError> for ApiError {
    fn from(error: crate::ids::IdError) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_language_is_chosen() {
        assert_eq!(Language::of(None), Language::French);
        assert_eq!(Language::of(Some("en-GB,en;q=0.9")), Language::English);
        assert_eq!(
            Language::of(Some("de, en;q=0.5, fr;q=0.6")),
            Language::French
        );
        assert_eq!(Language::of(Some("en;q=0, fr;q=0")), Language::French);
        assert_eq!(Language::of(Some("*")), Language::French);
        assert_eq!(Language::of(Some(";;;q=,")), Language::French);
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}
