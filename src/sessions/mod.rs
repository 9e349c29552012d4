//! Signing in and out: the OAuth 2 token endpoint, which answers errors in OAuth's own form (RFC 6749, 5.2).

pub mod dto;
pub mod routes;
