//! Requests and answers of the token endpoint, as OAuth 2 names them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::codes;

codes! {
    /// What tokens are given for.
    pub enum GrantType "grant_types" {
        Password = "password", "Mot de passe", "Password";
        RefreshToken = "refresh_token", "Jeton de rafraîchissement", "Refresh token";
        ClientCredentials = "client_credentials", "Identifiants d'un programme", "Credentials of a program";
    }
}

/// A request for tokens.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"grant_type": "password", "username": "camille@example.org", "password": "planters-on-rue-hoche"}))]
pub struct TokenRequest {
    /// `password`, `refresh_token` or `client_credentials`.
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
    /// Identifier of the program, with `client_credentials`; or in the header, as HTTP Basic.
    #[schema(nullable = false)]
    pub client_id: Option<String>,
    /// Secret of the program, with `client_credentials`; or in the header, as HTTP Basic.
    #[schema(format = "password", nullable = false)]
    pub client_secret: Option<String>,
    /// With `client_credentials` those of the program's scopes that the token is for, all where it is not given. The rights
    /// of people are their own.
    #[schema(nullable = false)]
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
    /// Counts once, for the next pair of tokens. A program gets none: it has its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 43, nullable = false)]
    pub refresh_token: Option<String>,
    /// What the token opens to a program; empty for people, whose rights are their own.
    #[schema(max_length = 200, example = "import webhooks")]
    pub scope: String,
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
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnsupportedGrantType,
}

/// An error of the token endpoint (RFC 6749, 5.2).
#[derive(Serialize, ToSchema)]
pub struct TokenError {
    /// `invalid_request`, `invalid_client`, `invalid_grant`, `invalid_scope` or `unsupported_grant_type`.
    #[schema(example = "invalid_grant")]
    pub error: TokenErrorCode,
    /// The error in words.
    #[schema(max_length = 200, example = "The address or the password is wrong.")]
    pub error_description: &'static str,
}
