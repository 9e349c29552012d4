//! `If-Match`: a change names the version that it was made from, so that nobody overwrites what they have not seen.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;

use super::error::{ApiError, Code};

/// The version that the caller has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    Absent,
    /// `*`: whatever is there.
    Any,
    Version(i32),
    /// A tag that none of our answers carried.
    Unknown,
}

/// The header as the document shows it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatchHeader {
    /// The `ETag` of the resource as you last read it. Only its version is compared.
    #[param(rename = "If-Match", example = "\"3-9f86d081884c7d65\"")]
    #[allow(dead_code, reason = "describes the header; the extractor reads it")]
    pub if_match: String,
}

/// The same where the resource may not be there yet.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatchWhenThereHeader {
    /// The `ETag` of the resource as you last read it, when it is there already. Only its version is compared.
    #[param(
        rename = "If-Match",
        example = "\"3-9f86d081884c7d65\"",
        nullable = false
    )]
    #[allow(dead_code, reason = "describes the header; the extractor reads it")]
    pub if_match: Option<String>,
}

impl IfMatch {
    fn read(header: &str) -> Self {
        let tag = header.trim();
        if tag == "*" {
            return Self::Any;
        }
        tag.trim_start_matches("W/")
            .strip_prefix('"')
            .and_then(|tag| tag.split_once('-'))
            .and_then(|(version, _)| version.parse().ok())
            .map_or(Self::Unknown, Self::Version)
    }

    /// Refuses a change that was made from another version. Call it after the check of the state.
    pub fn check(self, version: i32) -> Result<(), ApiError> {
        match self {
            Self::Absent => Err(ApiError::because(
                Code::PreconditionRequired,
                "Envoyez dans If-Match l'ETag de la ressource que vous avez lue.",
                "Send in If-Match the ETag of the resource that you read.",
            )),
            Self::Any => Ok(()),
            Self::Version(seen) if seen == version => Ok(()),
            Self::Version(_) | Self::Unknown => Err(ApiError::new(Code::StaleVersion)),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request.headers().get(header::IF_MATCH);
        std::future::ready(Ok(match header.map(|value| value.to_str()) {
            None => Self::Absent,
            Some(Ok(text)) => Self::read(text),
            Some(Err(_)) => Self::Unknown,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_version_counts() {
        assert_eq!(IfMatch::read("\"7-abc\""), IfMatch::Version(7));
        assert_eq!(IfMatch::read("W/\"7-abc\""), IfMatch::Version(7));
        assert_eq!(IfMatch::read("*"), IfMatch::Any);
        assert_eq!(IfMatch::read("\"abc\""), IfMatch::Unknown);
        assert!(IfMatch::Version(7).check(7).is_ok());
        assert!(IfMatch::Version(6).check(7).is_err());
        assert!(IfMatch::Absent.check(7).is_err());
    }
}
