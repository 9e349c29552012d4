//! The two kinds of readers of a request: someone who says who they are, and anyone.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use crate::http::error::{ApiError, Code, Language};
use crate::http::extract::BodyDigest;
use crate::http::middleware::BodyLeftOut;
use crate::http::reply::none_match;
use crate::ids::UserId;
use crate::state::State;

/// A request with a valid token: without one, 401.
pub struct Caller(pub Request);

/// A request with or without a token; one that is given must be valid.
pub struct Anyone(pub Request);

/// A request whose `Authorization` is not looked at: at the token endpoint OAuth clients, Swagger UI among them, put
/// credentials of their own there.
pub struct Unidentified(pub Request);

/// What a request says about itself, apart from its path, query and body.
#[derive(Clone)]
pub struct Request {
    pub user: Option<UserId>,
    /// Method and path: what an idempotency key belongs to.
    pub operation: String,
    pub idempotency_key: Option<String>,
    http: HttpRequest,
}

impl Request {
    fn read(http: &HttpRequest) -> Result<Self, ApiError> {
        let state = http
            .app_data::<web::Data<State>>()
            .ok_or_else(|| ApiError::internal("no state"))?;
        match http.headers().get(header::AUTHORIZATION) {
            None => Self::of(http, None),
            Some(value) => {
                let user = value
                    .to_str()
                    .ok()
                    .and_then(|text| text.split_once(' '))
                    .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                    .and_then(|(_, token)| state.keys.check(token.trim(), state.clock.now()));
                Self::of(
                    http,
                    Some(user.ok_or_else(|| ApiError::unauthorized(true))?),
                )
            }
        }
    }

    /// The rest of what a request says, for this person or nobody.
    fn of(http: &HttpRequest, user: Option<UserId>) -> Result<Self, ApiError> {
        // A key belongs to a POST; anything else is repeated without one.
        let key = http.headers().get("Idempotency-Key");
        let idempotency_key = match key.filter(|_| http.method() == Method::POST) {
            None => None,
            Some(value) => Some(read_key(value).ok_or_else(|| {
                ApiError::because(
                    Code::InvalidHeader,
                    "Idempotency-Key : 1 à 255 caractères visibles ASCII, entre guillemets ou non.",
                    "Idempotency-Key: 1 to 255 visible ASCII characters, between quotes or not.",
                )
            })?),
        };
        let operation = format!("{} {}", http.method(), http.path());
        Ok(Self {
            user,
            operation,
            idempotency_key,
            http: http.clone(),
        })
    }

    /// What was sent to the operation: SHA-256 of the body, zeros where there is none, and the query.
    pub fn sent(&self) -> Vec<u8> {
        let body = self.http.extensions();
        let body = body.get::<BodyDigest>().map_or([0; 32], |digest| digest.0);
        [&body, self.http.query_string().as_bytes()].concat()
    }

    /// Path and query without the cursor and the limit: what a cursor belongs to, and what `Link` repeats.
    pub fn list_scope(&self) -> String {
        let kept: Vec<&str> = self
            .http
            .query_string()
            .split('&')
            .filter(|p| !p.is_empty() && !p.starts_with("cursor="))
            .collect();
        if kept.is_empty() {
            self.http.path().to_owned()
        } else {
            format!("{}?{}", self.http.path(), kept.join("&"))
        }
    }

    /// Whether the reader has what this tag stands for.
    pub fn has(&self, etag: &str) -> bool {
        none_match(&self.http, etag)
    }

    /// Path and query as they came.
    pub fn address(&self) -> String {
        self.http.uri().to_string()
    }

    /// The language of the reader.
    pub fn language(&self) -> Language {
        let header = self.http.headers().get(header::ACCEPT_LANGUAGE);
        Language::of(header.and_then(|value| value.to_str().ok()))
    }

    /// Whether the answer is sent without its body.
    pub fn is_head(&self) -> bool {
        self.http.extensions().contains::<BodyLeftOut>()
    }

    /// Whether there is an `If-None-Match`.
    pub fn has_something(&self) -> bool {
        self.http.headers().contains_key(header::IF_NONE_MATCH)
    }

    /// Whether `Prefer` asks for this (RFC 7240).
    pub fn prefers(&self, preference: &str) -> bool {
        self.http
            .headers()
            .get_all("Prefer")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(preference))
    }
}

/// The key without its quotes.
fn read_key(header: &HeaderValue) -> Option<String> {
    let text = header.to_str().ok()?;
    let key = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
    ((1..=255).contains(&key.len()) && key.bytes().all(visible)).then(|| key.to_owned())
}

impl Deref for Caller {
    type Target = Request;
    fn deref(&self) -> &Request {
        &self.0
    }
}

impl Deref for Anyone {
    type Target = Request;
    fn deref(&self) -> &Request {
        &self.0
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(http: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(match Request::read(http) {
            Ok(request) if request.user.is_none() => Err(ApiError::unauthorized(false)),
            read => read.map(Self),
        })
    }
}

impl FromRequest for Anyone {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(http: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Request::read(http).map(Self))
    }
}

impl Deref for Unidentified {
    type Target = Request;
    fn deref(&self) -> &Request {
        &self.0
    }
}

impl FromRequest for Unidentified {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(http: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Their answers hold secrets, which are not kept.
        let without_key = |request| Request {
            idempotency_key: None,
            ..request
        };
        std::future::ready(Request::of(http, None).map(without_key).map(Self))
    }
}
