//! Clients as the API shows and takes them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::auth::policy::Scope;
use crate::codes::codes;
use crate::http::extract::absent_or_null;
use crate::ids::{ClientId, UserId};

codes! {
    /// Whether a client may act.
    pub enum ClientState "client_states" {
        Active = "active", "Actif", "Active";
        Disabled = "disabled", "Désactivé", "Disabled";
    }

    /// How requests ended: the class of the status.
    pub enum UsageOutcome "usage_outcomes" {
        Done = "2xx", "Réussies", "Done";
        Elsewhere = "3xx", "Inchangées ou ailleurs", "Unchanged, or elsewhere";
        Refused = "4xx", "Refusées", "Refused";
        Failed = "5xx", "En échec de notre côté", "Failed on our side";
    }
}

/// A range of addresses as CIDR: what it says is read and checked where it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressRange(pub String);

impl utoipa::PartialSchema for AddressRange {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(43))
            .pattern(Some("^[0-9A-Fa-f:.]+/[0-9]{1,3}$"))
            .into()
    }
}

// No name and no component: a range stands in the document where it is used.
impl utoipa::ToSchema for AddressRange {}

/// A program of a partner of a commune.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PartnerClient)]
pub struct Client {
    /// Identifier, its `client_id`.
    pub id: ClientId,
    /// INSEE code of the only commune in which it may do something.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// The account in whose name it acts: what the history names.
    pub account_id: UserId,
    /// What it is called, in the history too.
    #[schema(example = "Site de la commune")]
    pub name: String,
    /// Who looks after it.
    #[schema(example = "informatique@partner.example")]
    pub contact: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From where it calls, as CIDR; from anywhere where there is none.
    #[schema(max_items = 20)]
    pub address_ranges: Vec<AddressRange>,
    /// Whether it may act.
    pub state: ClientState,
    /// When it came to this state.
    pub state_changed_at: DateTime<Utc>,
    /// From when on it may do nothing any more.
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Its `client_secret`; shown once, when it is new, null otherwise.
    #[schema(required, pattern = "^[A-Za-z0-9_-]{43}$")]
    pub secret: Option<String>,
    /// When the secret was made.
    pub secret_made_at: DateTime<Utc>,
    /// Until when the secret before counts too.
    #[schema(required)]
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// When it last called; some seconds late.
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A page of clients, the latest first.
#[derive(Serialize, ToSchema)]
pub struct ClientPage {
    /// The clients of this page.
    pub data: Vec<Client>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A client to make.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Site de la commune", "contact": "informatique@partner.example",
    "scopes": ["import", "webhooks"], "address_ranges": ["203.0.113.0/24"]}))]
pub struct NewClient {
    /// What it is called, in the history too.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// Who looks after it.
    #[schema(min_length = 1, max_length = 200)]
    pub contact: String,
    /// What it may do.
    #[schema(min_items = 1, max_items = 10)]
    pub scopes: Vec<Scope>,
    /// From where it calls, as CIDR, of IPv4 or IPv6; from anywhere where there is none.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub address_ranges: Vec<AddressRange>,
    /// From when on it may do nothing any more.
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Changes to a client; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"state": "disabled"}))]
pub struct ClientPatch {
    /// What it is called, in the history too.
    #[schema(min_length = 1, max_length = 80, nullable = false)]
    pub name: Option<String>,
    /// Who looks after it.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub contact: Option<String>,
    /// What it may do, from now on: tokens that were given before do no more either.
    #[schema(min_items = 1, max_items = 10, nullable = false)]
    pub scopes: Option<Vec<Scope>>,
    /// From where it calls, as CIDR, of IPv4 or IPv6; from anywhere where there is none.
    #[schema(max_items = 20, nullable = false)]
    pub address_ranges: Option<Vec<AddressRange>>,
    /// From when on it may do nothing any more.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// Disabled, it is refused from the next request on, with a token that still counts too.
    #[schema(nullable = false)]
    pub state: Option<ClientState>,
}

/// How a secret is replaced.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"overlap_hours": 24}))]
pub struct SecretRotation {
    /// For how many hours the secret before counts too; with 0 it stops at once.
    #[serde(default = "one_day")]
    #[schema(minimum = 0, maximum = 168)]
    pub overlap_hours: i32,
}

const fn one_day() -> i32 {
    24
}

/// Requests of a client on one day, in one part of the API, that ended alike.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ClientUsage {
    /// Day, in Europe/Paris.
    pub day: NaiveDate,
    /// Part of the API: the tag of the operations.
    #[schema(example = "webhooks", max_length = 40)]
    pub tag: String,
    /// How they ended.
    pub outcome: UsageOutcome,
    /// How many.
    #[schema(minimum = 1)]
    pub requests: i64,
    /// The last of them.
    pub last_at: DateTime<Utc>,
}

/// A page of usage, the latest day first.
#[derive(Serialize, ToSchema)]
pub struct ClientUsagePage {
    /// The usage of this page.
    pub data: Vec<ClientUsage>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
