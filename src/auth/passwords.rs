//! Passwords: argon2id, hashed off the request's worker, no more at once than the machine has cores.

use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::error::{ApiError, Code};

/// How long a login waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(1);

/// A hash of no password, with the same cost: a login with an unknown address takes as long as any other.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$ZmlmdHktZmlmdHktc2FsdA$xTvhVGsxfiJ9KPZWHj0tI9FRlI6hHZ0FQX0uNcRLRuI";

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl Passwords {
    /// The PHC string to keep for a password.
    pub async fn hash(&self, password: String) -> Result<String, ApiError> {
        let permit = self.turn().await?;
        tokio::task::spawn_blocking(move || {
            // The permit lives as long as the work, even when nobody waits for it any more.
            let _permit = permit;
            argon2()?
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(ApiError::internal)
        })
        .await
        .map_err(ApiError::internal)?
    }

    /// Whether the password is the one that was hashed; without a hash the answer is no, after the same work.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, ApiError> {
        let permit = self.turn().await?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let known = hash.is_some();
            let text = hash.unwrap_or_else(|| NOBODY.to_owned());
            let hash = PasswordHash::new(&text).map_err(ApiError::internal)?;
            Ok(argon2()?
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
                && known)
        })
        .await
        .map_err(ApiError::internal)?
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(permit) => permit.map_err(ApiError::internal),
            Err(_) => Err(ApiError::new(Code::TooManyRequests).retry_after(1)),
        }
    }
}

/// OWASP's second recommendation: 19 MiB, two passes, one lane.
fn argon2() -> Result<Argon2<'static>, ApiError> {
    let params = Params::new(19_456, 2, 1, None).map_err(ApiError::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Whether a password is among the first that anybody would try, given what is known of the person.
pub fn is_too_common(password: &str, known: &[&str]) -> bool {
    zxcvbn::zxcvbn(password, known).score() < zxcvbn::Score::Two
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_no_other() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            passwords
                .verify("correct horse".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("battery staple".to_owned(), Some(hash))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("anything".to_owned(), None).await.unwrap());
    }

    #[test]
    fn common_passwords_are_refused() {
        for common in ["password", "12345678", "azertyuiop", "camille62"] {
            assert!(
                is_too_common(common, &["camille@example.org", "Camille"]),
                "{common}"
            );
        }
        assert!(!is_too_common("planters-on-rue-hoche", &[]));
    }
}
