//! Tokens: short-lived access tokens that anyone can check (RFC 9068, ES256), long-lived refresh tokens that only the
//! database knows.

use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::policy::Scope;
use crate::ids::{ClientId, UserId};

/// How long an access token counts.
pub const ACCESS_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long a refresh token counts when it is not used.
pub const REFRESH_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// Our only client of passwords: the person's own program.
const CLIENT: &str = "first-party";
const TYPE: &str = "at+jwt";

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub exp: i64,
    pub iat: i64,
    pub sub: Uuid,
    pub jti: Uuid,
    pub client_id: String,
    pub scope: String,
    /// A hint for front ends; rights are read from the database at every request.
    pub roles: Vec<String>,
    /// Of a program: the number of the secret that it was given for, so that a revoked one stops its tokens too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<i32>,
}

/// Whom a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub user: UserId,
    /// Where the account is that of a program.
    pub client: Option<ClientGrant>,
}

/// What a token says of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientGrant {
    pub id: ClientId,
    /// Number of the secret that the token was given for.
    pub secret: i32,
    pub scopes: Vec<Scope>,
}

/// A public key of ours (RFC 7517).
#[derive(Clone, Serialize, ToSchema)]
pub struct Jwk {
    /// Key type.
    #[schema(pattern = "^EC$", example = "EC")]
    kty: &'static str,
    /// Curve.
    #[schema(pattern = "^P-256$", example = "P-256")]
    crv: &'static str,
    /// Signature algorithm.
    #[schema(pattern = "^ES256$", example = "ES256")]
    alg: &'static str,
    /// Use: signatures.
    #[serde(rename = "use")]
    #[schema(pattern = "^sig$", example = "sig")]
    purpose: &'static str,
    /// Identifier, as in the header of tokens.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    kid: String,
    /// First coordinate, base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    x: String,
    /// Second coordinate, base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    y: String,
}

/// The public keys that check our access tokens (RFC 7517).
#[derive(Clone, Serialize, ToSchema)]
pub struct Jwks {
    /// The signing key first, then those that still count during a rotation.
    keys: Vec<Jwk>,
}

struct SigningKey {
    jwk: Jwk,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// The keys: the first signs, all of them check.
pub struct Keys {
    keys: Vec<SigningKey>,
    issuer: String,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "expected a P-256 private key in PKCS#8 PEM (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256)"
    )]
    NotAKey,
    #[error("no key to sign with")]
    None,
    #[error("cannot make a key")]
    Generation,
}

/// A new private key as PKCS#8 PEM.
pub fn generate_key() -> Result<String, KeyError> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .map_err(|_| KeyError::Generation)?;
    let der = pair.to_pkcs8v1().map_err(|_| KeyError::Generation)?;
    Ok(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(der.as_ref())
    ))
}

impl SigningKey {
    fn read(pem: &str) -> Result<Self, KeyError> {
        let body: String = pem
            .split_once("-----BEGIN PRIVATE KEY-----")
            .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
            .map(|(body, _)| body.split_whitespace().collect())
            .ok_or(KeyError::NotAKey)?;
        let der = BASE64_STANDARD
            .decode(body)
            .map_err(|_| KeyError::NotAKey)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
            .map_err(|_| KeyError::NotAKey)?;
        let point = pair.public_key().as_ref();
        let (x, y) = match (point.first(), point.get(1..33), point.get(33..65)) {
            (Some(4), Some(x), Some(y)) => (
                BASE64_URL_SAFE_NO_PAD.encode(x),
                BASE64_URL_SAFE_NO_PAD.encode(y),
            ),
            _ => return Err(KeyError::NotAKey),
        };
        // The thumbprint of RFC 7638: the same key has the same name everywhere.
        let canonical = format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}");
        let kid = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        Ok(Self {
            decoding: DecodingKey::from_ec_components(&x, &y).map_err(|_| KeyError::NotAKey)?,
            encoding: EncodingKey::from_ec_der(&der),
            jwk: Jwk {
                kty: "EC",
                crv: "P-256",
                alg: "ES256",
                purpose: "sig",
                kid,
                x,
                y,
            },
        })
    }
}

impl Keys {
    /// The address under which the world reaches the API, without a slash at the end.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Reads the keys, the one that signs first.
    pub fn new(pems: &[String], issuer: &str) -> Result<Self, KeyError> {
        let keys = pems
            .iter()
            .map(|pem| SigningKey::read(pem))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::None);
        }
        Ok(Self {
            keys,
            issuer: issuer.trim_end_matches('/').to_owned(),
        })
    }

    /// The public halves.
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: self.keys.iter().map(|key| key.jwk.clone()).collect(),
        }
    }

    /// An access token for a person.
    pub fn issue(
        &self,
        user: UserId,
        roles: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<String, KeyError> {
        self.issue_for(user, roles, now, ACCESS_LIFETIME)
    }

    /// An access token for a program.
    pub fn issue_to_client(
        &self,
        user: UserId,
        grant: &ClientGrant,
        now: DateTime<Utc>,
    ) -> Result<String, KeyError> {
        let claims = Claims {
            client_id: grant.id.to_string(),
            scope: scope_list(&grant.scopes),
            secret: Some(grant.secret),
            ..self.claims(user, Vec::new(), now, ACCESS_LIFETIME)?
        };
        self.sign(&claims)
    }

    /// An access token that counts for as long as is said.
    pub fn issue_for(
        &self,
        user: UserId,
        roles: Vec<String>,
        now: DateTime<Utc>,
        lifetime: Duration,
    ) -> Result<String, KeyError> {
        self.sign(&self.claims(user, roles, now, lifetime)?)
    }

    /// What the token of a person says.
    fn claims(
        &self,
        user: UserId,
        roles: Vec<String>,
        now: DateTime<Utc>,
        lifetime: Duration,
    ) -> Result<Claims, KeyError> {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(0);
        Ok(Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            exp: now.timestamp() + lifetime,
            iat: now.timestamp(),
            sub: user.0,
            jti: Uuid::from_u128(getrandom_u128().map_err(|_| KeyError::Generation)?),
            client_id: CLIENT.to_owned(),
            scope: String::new(),
            roles,
            secret: None,
        })
    }

    fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        let key = self.keys.first().ok_or(KeyError::None)?;
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(key.jwk.kid.clone()),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, claims, &key.encoding).map_err(|_| KeyError::Generation)
    }

    /// Whom a token names, if it is ours and counts now.
    pub fn check(&self, token: &str, now: DateTime<Utc>) -> Option<Bearer> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let key = self
            .keys
            .iter()
            .find(|key| Some(&key.jwk.kid) == header.kid.as_ref())?;
        // The algorithm is ours to say, not the token's.
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[&self.issuer]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Compared below with our own clock.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation)
            .ok()?
            .claims;
        let client = match claims.secret {
            Some(secret) => Some(ClientGrant {
                id: ClientId(claims.client_id.parse().ok()?),
                secret,
                scopes: claims
                    .scope
                    .split(' ')
                    .filter_map(|scope| scope.parse().ok())
                    .collect(),
            }),
            None => None,
        };
        (claims.exp > now.timestamp()).then_some(Bearer {
            user: UserId(claims.sub),
            client,
        })
    }
}

/// Scopes as OAuth writes them (RFC 6749, 3.3).
pub fn scope_list(scopes: &[Scope]) -> String {
    let codes: Vec<&str> = scopes.iter().map(|scope| scope.code()).collect();
    codes.join(" ")
}

/// A refresh token, or the secret of a program: what the other side keeps, and what we keep of it.
pub struct Secret {
    pub secret: String,
    pub hash: Vec<u8>,
}

impl Secret {
    /// A new one, of 256 random bits.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let secret = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let hash = Self::hash(&secret);
        Ok(Self { secret, hash })
    }

    /// What we keep of a secret. Random secrets need no slow hash.
    pub fn hash(secret: &str) -> Vec<u8> {
        Sha256::digest(secret).to_vec()
    }
}

fn getrandom_u128() -> Result<u128, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(u128::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new(&[generate_key().unwrap()], "http://127.0.0.1:8080/").unwrap()
    }

    fn person(user: UserId) -> Bearer {
        Bearer { user, client: None }
    }

    #[test]
    fn a_token_names_its_person_until_it_ends() {
        let (keys, now) = (keys(), Utc::now());
        let user = UserId::new(now).unwrap();
        let token = keys.issue(user, vec![], now).unwrap();
        assert_eq!(keys.check(&token, now), Some(person(user)));
        assert_eq!(keys.check(&token, now + ACCESS_LIFETIME), None);
    }

    #[test]
    fn tokens_of_others_do_not_count() {
        let (keys, now) = (keys(), Utc::now());
        let user = UserId::new(now).unwrap();
        let strangers = Keys::new(&[generate_key().unwrap()], "http://127.0.0.1:8080").unwrap();
        assert_eq!(
            keys.check(&strangers.issue(user, vec![], now).unwrap(), now),
            None
        );
        for bogus in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(keys.check(bogus, now), None);
        }
    }

    #[test]
    fn rotation_keeps_the_old_key_counting() {
        let (old, new, now) = (generate_key().unwrap(), generate_key().unwrap(), Utc::now());
        let user = UserId::new(now).unwrap();
        let token = Keys::new(std::slice::from_ref(&old), "x")
            .unwrap()
            .issue(user, vec![], now)
            .unwrap();
        assert_eq!(
            Keys::new(&[new, old], "x").unwrap().check(&token, now),
            Some(person(user))
        );
    }

    #[test]
    fn the_token_of_a_program_says_which_secret_and_scopes_it_has() {
        let (keys, now) = (keys(), Utc::now());
        let bearer = Bearer {
            user: UserId::new(now).unwrap(),
            client: Some(ClientGrant {
                id: ClientId::new("62528", now).unwrap(),
                secret: 3,
                scopes: vec![Scope::Import, Scope::Webhooks],
            }),
        };
        let token = keys
            .issue_to_client(bearer.user, bearer.client.as_ref().unwrap(), now)
            .unwrap();
        assert_eq!(keys.check(&token, now), Some(bearer));
    }
}
