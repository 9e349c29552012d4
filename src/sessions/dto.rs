//! Requests and answers of the token endpoint, as OAuth 2 names them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A request for tokens.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"grant_type": "password", "username": "camille@example.org", "password": "planters-on-rue-hoche"}))]
pub struct TokenRequest {
    /// `password` or `refresh_token`.
    pub grant_type: String,
    /// E-mail address, with `password`.
    #[schema(nullable = false)]
    pub username: Option<String>,
    /// Password, with `password`.
    #[schema(format = "password", nullable = false)]
    pub password: Option<String>,
    /// The last refresh token, with `refresh_token`.
    #[schema(nullable = false)]
    pub refresh_token: Option<String>,
    /// Taken and not used: the rights are those of the person.
    #[schema(nullable = false)]
    #[allow(dead_code, reason = "clients of OAuth send it")]
    pub scope: Option<String>,
}

/// Tokens.
#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    /// For the header `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds for which the access token counts.
    #[schema(example = 900)]
    pub expires_in: u64,
    /// Counts once, for the next pair of tokens.
    pub refresh_token: String,
    /// Scopes; empty for people, whose rights are their own.
    pub scope: &'static str,
}

/// A token to revoke.
#[derive(Deserialize, ToSchema)]
pub struct RevocationRequest {
    /// A refresh token.
    pub token: String,
    /// Taken and not used.
    #[schema(nullable = false)]
    #[allow(dead_code, reason = "clients of OAuth send it")]
    pub token_type_hint: Option<String>,
}

/// An error of the token endpoint (RFC 6749, 5.2).
#[derive(Serialize, ToSchema)]
pub struct TokenError {
    /// `invalid_request`, `invalid_grant` or `unsupported_grant_type`.
    #[schema(example = "invalid_grant")]
    pub error: &'static str,
    /// The error in words.
    #[schema(example = "The address or the password is wrong.")]
    pub error_description: &'static str,
}
