//! Keyset pages: a cursor says where the last page ended, and is signed together with the filters and the sort that it
//! was made for.

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};

/// Largest and usual number of items of a page.
pub const LIMIT_MAX: i64 = 100;
pub const LIMIT_DEFAULT: i64 = 20;

const TAG_BYTES: usize = 16;

/// Signs and opens cursors, and makes digests, with one secret.
pub struct Cursors {
    key: hmac::Key,
}

impl Cursors {
    /// Cursors live as long as the secret: another one makes them invalid, which costs a reader one restart of a list.
    pub fn new(secret: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    /// A cursor after `position`, for the list that `scope` describes (path, filters and sort).
    pub fn seal<P: Serialize>(&self, scope: &str, position: &P) -> Result<String, ApiError> {
        let position = serde_json::to_vec(position).map_err(ApiError::internal)?;
        let mut sealed = self.tag(scope, &position);
        sealed.extend_from_slice(&position);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The position of a cursor that was made for the same list.
    pub fn open<P: DeserializeOwned>(&self, scope: &str, cursor: &str) -> Result<P, ApiError> {
        let invalid = || ApiError::new(Code::InvalidCursor);
        let sealed = BASE64_URL_SAFE_NO_PAD
            .decode(cursor)
            .map_err(|_| invalid())?;
        let (tag, position) = sealed.split_at_checked(TAG_BYTES).ok_or_else(invalid)?;
        if tag != self.tag(scope, position) {
            return Err(invalid());
        }
        serde_json::from_slice(position).map_err(|_| invalid())
    }

    /// A digest that only the secret's owner can make: what it was made of, a password perhaps, cannot be guessed by it.
    pub fn digest(&self, of: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, of).as_ref().to_vec()
    }

    fn tag(&self, scope: &str, position: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(scope.as_bytes());
        context.update(b"\0");
        context.update(position);
        context
            .sign()
            .as_ref()
            .iter()
            .take(TAG_BYTES)
            .copied()
            .collect()
    }
}

/// One page, read with one row more than asked for to know whether another follows.
pub struct Page<T> {
    pub items: Vec<T>,
    pub has_more: bool,
}

impl<T> Page<T> {
    /// Cuts the rows of a query that was limited to `limit + 1`.
    pub fn cut(mut items: Vec<T>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_where_it_was_made() {
        let cursors = Cursors::new(b"secret");
        let sealed = cursors.seal("/v1/communes?q=loos", &("loos", 3)).unwrap();
        assert_eq!(
            cursors
                .open::<(String, i32)>("/v1/communes?q=loos", &sealed)
                .unwrap(),
            ("loos".to_owned(), 3)
        );
        assert!(
            cursors
                .open::<(String, i32)>("/v1/communes?q=lens", &sealed)
                .is_err()
        );
        let mut tampered = sealed.into_bytes();
        tampered[30] ^= 1;
        assert!(
            cursors
                .open::<(String, i32)>(
                    "/v1/communes?q=loos",
                    std::str::from_utf8(&tampered).unwrap()
                )
                .is_err()
        );
        assert!(cursors.open::<(String, i32)>("", "é").is_err());
        assert!(cursors.open::<(String, i32)>("", "").is_err());
    }
}
