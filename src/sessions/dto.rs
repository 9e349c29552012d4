//! Requests and answers of the token endpoint, as OAuth 2 names them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::codes;

codes! {
    /// What tokens are given for.
    pub enum GrantType "grant_types" {
        Password = "password", "Mot de passe", "Password";
        RefreshToken = "refresh_token", "Jeton de rafraîchissement", "Refresh token";
    }
}

/// A request for tokens.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"grant_type": "password", "username": "camille@example.org", "password": "planters-on-rue-hoche"}))]
pub struct TokenRequest {
    /// `password` or `refresh_token`.
    #[schema(value_type = GrantType)]
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
    #[schema(pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(pattern = "^Bearer$", example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds for which the access token counts.
    #[schema(minimum = 1, maximum = 900, example = 900)]
    pub expires_in: u64,
    /// Counts once, for the next pair of tokens.
    #[schema(max_length = 43)]
    pub refresh_token: String,
    /// Scopes: always empty, for the rights of people are their own.
    #[schema(max_length = 0)]
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

/// Why there are no tokens, as OAuth names it.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenErrorCode {
    InvalidRequest,
    InvalidGrant,
    UnsupportedGrantType,
}

/// An error of the token endpoint (RFC 6749, 5.2).
#[derive(Serialize, ToSchema)]
pub struct TokenError {
    /// `invalid_request`, `invalid_grant` or `unsupported_grant_type`.
    #[schema(example = "invalid_grant")]
    pub error: TokenErrorCode,
    /// The error in words.
    #[schema(max_length = 200, example = "The address or the password is wrong.")]
    pub error_description: &'static str,
}
