//! Accounts as their owners see them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::auth::policy::{ActiveMandate, Role};
use crate::codes::codes;
use crate::ids::{MandateId, UserId};
use crate::mandates::dto::MandateRole;

codes! {
    /// Languages of messages.
    pub enum Locale "locales" {
        French = "fr", "Français", "French";
        English = "en", "Anglais", "English";
    }
}

/// A new account.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "camille@example.org", "password": "planters-on-rue-hoche", "display_name": "Camille D.",
    "full_name": "Camille Dupont", "birth_on": "1990-04-12"}))]
pub struct NewAccount {
    /// Address to sign in with; never shown to others.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
    /// 8 to 1,000 characters; the first that anybody would try are refused.
    #[schema(format = "password", min_length = 8, max_length = 1000)]
    pub password: String,
    /// The name that others see.
    #[schema(min_length = 1, max_length = 80)]
    pub display_name: String,
    /// First and last name, for conventions; never shown to others.
    #[schema(min_length = 1, max_length = 120)]
    pub full_name: String,
    /// Birthday: an account needs 15 years, a signature 18; never shown to others.
    pub birth_on: NaiveDate,
    /// Language of messages; `fr` where it is not given.
    #[serde(default = "french")]
    pub locale: Locale,
}

const fn french() -> Locale {
    Locale::French
}

/// A mandate of the caller that counts today.
#[derive(Serialize, ToSchema)]
pub struct MyMandate {
    /// Identifier.
    pub id: MandateId,
    /// INSEE code of the commune.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// Agent or elected official.
    pub role: MandateRole,
    /// Function.
    #[schema(example = "Maire")]
    pub capacity: String,
    /// Whether the caller signs for the commune.
    pub may_sign: bool,
}

impl From<&ActiveMandate> for MyMandate {
    fn from(mandate: &ActiveMandate) -> Self {
        Self {
            id: mandate.id,
            commune_code: mandate.commune.clone(),
            role: if mandate.role == Role::ElectedOfficial {
                MandateRole::ElectedOfficial
            } else {
                MandateRole::Agent
            },
            capacity: mandate.capacity.clone(),
            may_sign: mandate.may_sign,
        }
    }
}

/// The caller's own account.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// Identifier.
    pub id: UserId,
    /// Address to sign in with.
    #[schema(example = "camille@example.org")]
    pub email: String,
    /// The name that others see.
    #[schema(example = "Camille D.")]
    pub display_name: String,
    /// First and last name, for conventions.
    #[schema(example = "Camille Dupont")]
    pub full_name: String,
    /// Birthday.
    pub birth_on: NaiveDate,
    /// Language of messages.
    #[schema(example = "fr")]
    pub locale: Locale,
    /// Whether the caller runs the platform.
    pub is_admin: bool,
    /// Mandates that count today.
    pub mandates: Vec<MyMandate>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// Changes to the caller's account; what is absent stays.
#[derive(Debug, Deserialize, ToSchema, Validate, diesel::query_builder::AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = crate::db::schema::users)]
#[schema(min_properties = 1, example = json!({"display_name": "Camille"}))]
pub struct MePatch {
    /// The name that others see.
    #[schema(min_length = 1, max_length = 80, nullable = false)]
    pub display_name: Option<String>,
    /// First and last name, for conventions.
    #[schema(min_length = 1, max_length = 120, nullable = false)]
    pub full_name: Option<String>,
    /// Language of messages.
    #[schema(nullable = false)]
    pub locale: Option<Locale>,
}

/// A new password.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "planters-on-rue-hoche", "new_password": "skate-park-behind-the-school"}))]
pub struct PasswordChange {
    /// The password as it is.
    #[schema(format = "password", max_length = 1000)]
    pub current_password: String,
    /// 8 to 1,000 characters; the first that anybody would try are refused.
    #[schema(format = "password", min_length = 8, max_length = 1000)]
    pub new_password: String,
}
