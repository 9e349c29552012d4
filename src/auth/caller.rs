//! The two kinds of readers of a request: someone who says who they are, and anyone.

use std::net::IpAddr;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::policy::Scope;
use super::tokens::{Bearer, ClientGrant};
use crate::http::error::{ApiError, Code, Language};
use crate::http::extract::BodyDigest;
use crate::http::middleware::{BodyLeftOut, ByClient, Taken};
use crate::http::reply::none_match;
use crate::ids::{ClientId, UserId};
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
    /// What a program shows.
    pub client: Option<Shown>,
    /// Method and path: what an idempotency key belongs to.
    pub operation: String,
    pub idempotency_key: Option<String>,
    http: HttpRequest,
}

/// What a program shows with a request, to be held against what the database says of it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub grant: ClientGrant,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
    /// The scope that the operation asks for; none where everybody reads.
    pub needs: Option<Scope>,
}

impl Request {
    fn read(http: &HttpRequest) -> Result<Self, ApiError> {
        let state = http
            .app_data::<web::Data<State>>()
            .ok_or_else(|| ApiError::internal("no state"))?;
        match http.headers().get(header::AUTHORIZATION) {
            None => Self::of(http, None),
            Some(value) => {
                let bearer = value
                    .to_str()
                    .ok()
                    .and_then(|text| text.split_once(' '))
                    .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                    .and_then(|(_, token)| state.keys.check(token.trim(), state.clock.now()));
                Self::of(
                    http,
                    Some(bearer.ok_or_else(|| ApiError::unauthorized(true))?),
                )
            }
        }
    }

    /// The rest of what a request says, for this account or nobody.
    fn of(http: &HttpRequest, bearer: Option<Bearer>) -> Result<Self, ApiError> {
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
        let user = bearer.as_ref().map(|bearer| bearer.user);
        let address = address_of(http);
        let client = bearer.and_then(|bearer| bearer.client).map(|grant| Shown {
            grant,
            address,
            needs: None,
        });
        let request = Self {
            user,
            client,
            operation,
            idempotency_key,
            http: http.clone(),
        };
        if let Some(shown) = &request.client {
            request.count_for(shown.grant.id);
        }
        Ok(request)
    }

    /// Counts the request as one of this program's.
    pub fn count_for(&self, id: ClientId) {
        let mut extensions = self.http.extensions_mut();
        if let Some(tag) = extensions.get::<Taken>().map(|taken| taken.tag.clone()) {
            extensions.insert(ByClient { id, tag });
        }
    }

    /// Where it comes from.
    pub fn came_from(&self) -> Option<IpAddr> {
        address_of(&self.http)
    }

    /// The id and the secret of an OAuth client in the header (RFC 6749, 2.3.1).
    pub fn basic_credentials(&self) -> Option<(String, String)> {
        let header = self.http.headers().get(header::AUTHORIZATION)?;
        let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        Some((id.to_owned(), secret.to_owned()))
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

/// The address that a request comes from: that of who has called us, or, where that is a trusted proxy, the last one in
/// `X-Forwarded-For` that is none. One of IPv4 is one, however it was written.
fn address_of(http: &HttpRequest) -> Option<IpAddr> {
    let state = http.app_data::<web::Data<State>>()?;
    let is_trusted = |address: &IpAddr| {
        let mut proxies = state.trusted_proxies.iter();
        proxies.any(|proxy| proxy.contains(address))
    };
    let peer = http.peer_addr()?.ip().to_canonical();
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let forwarded: Vec<&str> = http
        .headers()
        .get_all("X-Forwarded-For")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in forwarded.iter().rev() {
        let address = hop
            .trim()
            .parse()
            .ok()
            .map(|hop: IpAddr| hop.to_canonical());
        if !address.is_some_and(|address| is_trusted(&address)) {
            return address;
        }
    }
    Some(peer)
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
        std::future::ready(Request::read(http).and_then(|mut request| {
            if request.user.is_none() {
                return Err(ApiError::unauthorized(false));
            }
            // What the document opens to no program is closed to all, whatever the handler would say.
            if let Some(shown) = &mut request.client {
                let extensions = http.extensions();
                let scope = extensions.get::<Taken>().and_then(|taken| taken.scope);
                shown.needs = Some(scope.ok_or_else(ApiError::people_only)?);
            }
            Ok(Self(request))
        }))
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
