//! Answers of handlers: the status, the body, and the headers that follow from them.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use crate::auth::caller::Request;

/// An answer that can be stored and sent again: everything in it is text.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Option<String>,
    /// What is kept of it for a repetition, where the body holds a secret.
    pub kept: Option<String>,
    pub etag: Option<String>,
    pub location: Option<String>,
    pub link: Option<String>,
    /// Seconds for which shared caches may keep it; nothing for a caller's own.
    pub public_for: Option<u32>,
    pub replayed: bool,
    /// How to say who one is, for a refusal in OAuth's own words.
    pub challenge: Option<&'static str>,
}

/// What handlers return.
pub type Answer = Result<Reply, ApiError>;

impl Reply {
    /// Any status and body.
    pub fn new<T: Serialize>(status: StatusCode, body: &T) -> Answer {
        let body = serde_json::to_string(body).map_err(ApiError::internal)?;
        Ok(Self {
            status: status.as_u16(),
            body: Some(body),
            kept: None,
            etag: None,
            location: None,
            link: None,
            public_for: None,
            replayed: false,
            challenge: None,
        })
    }

    /// A list, or anything else that nobody edits as a whole.
    pub fn data<T: Serialize>(body: &T) -> Answer {
        Self::new(StatusCode::OK, body)
    }

    /// A single resource and the number of its edits.
    pub fn resource<T: Serialize>(version: i32, body: &T) -> Answer {
        Ok(Self::new(StatusCode::OK, body)?.tagged(version))
    }

    /// Nothing new for who has what this tag stands for.
    pub fn unchanged(etag: String) -> Self {
        Self {
            status: 304,
            etag: Some(etag),
            ..Self::no_content()
        }
    }

    /// A resource that was just made, and where it is from now on.
    pub fn created<T: Serialize>(location: String, version: i32, body: &T) -> Answer {
        Ok(Self {
            location: Some(location),
            ..Self::new(StatusCode::CREATED, body)?
        }
        .tagged(version))
    }

    /// Done, and nothing to say.
    pub const fn no_content() -> Self {
        Self {
            status: 204,
            body: None,
            kept: None,
            etag: None,
            location: None,
            link: None,
            public_for: None,
            replayed: false,
            challenge: None,
        }
    }

    /// The same answer, of which this is kept and repeated: a secret is shown once.
    pub fn kept_as<T: Serialize>(self, body: &T) -> Answer {
        let kept = serde_json::to_string(body).map_err(ApiError::internal)?;
        Ok(Self {
            kept: Some(kept),
            ..self
        })
    }

    /// Lets shared caches keep the answer when nobody is signed in, who might see more than others.
    pub fn public_to(self, reader: &Request, seconds: u32) -> Self {
        if reader.user.is_none() {
            self.public(seconds)
        } else {
            self
        }
    }

    /// Lets shared caches keep the answer: only for what everybody sees alike.
    pub const fn public(mut self, seconds: u32) -> Self {
        self.public_for = Some(seconds);
        self
    }

    fn tagged(mut self, version: i32) -> Self {
        self.etag = Some(tag(version, self.body.as_deref().unwrap_or_default()));
        self
    }
}

/// An `ETag` for this number of edits and whatever else the answer follows from.
pub fn tag(version: impl Into<i64>, follows_from: &str) -> String {
    let version = version.into();
    let digest = Sha256::digest(follows_from);
    let fingerprint: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{version}-{fingerprint}\"")
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let unchanged = request.method().is_safe()
            && self
                .etag
                .as_deref()
                .is_some_and(|etag| none_match(request, etag));
        let mut answer = HttpResponse::build(if unchanged {
            StatusCode::NOT_MODIFIED
        } else {
            status
        });
        for (name, value) in [
            (header::ETAG, self.etag),
            (header::LOCATION, self.location),
            (header::LINK, self.link),
        ] {
            if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
                answer.insert_header((name, value));
            }
        }
        answer.insert_header((header::CACHE_CONTROL, cache_control(self.public_for)));
        answer.insert_header((header::VARY, "Authorization"));
        if let Some(challenge) = self.challenge {
            answer.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if self.replayed {
            answer.insert_header(("Idempotency-Replayed", "true"));
        }
        match self.body {
            Some(body) if !unchanged => answer.content_type("application/json").body(body),
            _ => answer.finish(),
        }
    }
}

/// What caches may do with an answer.
pub fn cache_control(public_for: Option<u32>) -> String {
    public_for.map_or_else(
        || "no-store".to_owned(),
        |seconds| {
            format!(
                "public, max-age={seconds}, stale-while-revalidate={}",
                seconds.saturating_mul(10)
            )
        },
    )
}

/// Whether the reader has what this tag stands for.
pub fn none_match(request: &HttpRequest, etag: &str) -> bool {
    request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == etag)
}
