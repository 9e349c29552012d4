//! Secrets and signatures as Standard Webhooks has them. A secret has to be at hand to sign with, so the database keeps it
//! as it is.

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, Engine};

use crate::http::error::ApiError;

const PREFIX: &str = "whsec_";

/// A new secret: 32 random bytes.
pub fn new_secret() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
    Ok(format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes)))
}

/// The header `webhook-signature`: one signature for each secret.
pub fn signatures(
    secrets: &[&str],
    id: &str,
    timestamp: i64,
    body: &str,
) -> Result<String, ApiError> {
    let content = format!("{id}.{timestamp}.{body}");
    let sign = |secret: &&str| {
        let key = BASE64_STANDARD
            .decode(secret.trim_start_matches(PREFIX))
            .map_err(ApiError::internal)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signature = BASE64_STANDARD.encode(hmac::sign(&key, content.as_bytes()));
        Ok::<_, ApiError>(format!("v1,{signature}"))
    };
    let signed: Vec<String> = secrets.iter().map(sign).collect::<Result<_, _>>()?;
    Ok(signed.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_like_the_example_of_the_standard() {
        let signed = signatures(
            &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(
            signed.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn no_two_secrets_are_alike() {
        assert_ne!(new_secret().unwrap(), new_secret().unwrap());
    }
}
