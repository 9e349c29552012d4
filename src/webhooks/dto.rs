//! Webhooks as the API shows and takes them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::changes::dto::ChangeKind;
use crate::codes::codes;
use crate::http::extract::absent_or_null;
use crate::ids::{DeliveryId, WebhookId};

codes! {
    /// Whether a webhook is told of changes.
    pub enum WebhookState "webhook_states" {
        Active = "active", "Actif", "Active";
        Disabled = "disabled", "Désactivé", "Disabled";
    }

    /// Why a webhook is disabled.
    pub enum WebhookDisabling "webhook_disablings" {
        ByHand = "by_hand", "Par la commune", "By the commune";
        Failing = "failing", "Cinq jours d'échecs", "Five days of failures";
    }

    /// What became of a delivery.
    pub enum DeliveryState "delivery_states" {
        Pending = "pending", "À envoyer", "To be sent";
        Delivered = "delivered", "Reçu", "Received";
        Failed = "failed", "Abandonné après tous les essais", "Given up after all attempts";
        Void = "void", "Sans objet : plus rien de public", "Nothing to tell: no longer public";
    }

    /// Why an attempt to deliver failed.
    pub enum DeliveryFault "delivery_faults" {
        Status = "status", "Réponse autre que 2xx", "An answer other than 2xx";
        Timeout = "timeout", "Pas de réponse à temps", "No answer in time";
        Connection = "connection", "Connexion impossible", "No connection";
        Address = "address", "Adresse qui n'est pas publique", "An address that is not public";
    }
}

/// An address that is told what changes in a commune.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Identifier.
    pub id: WebhookId,
    /// INSEE code.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// Where requests go.
    #[schema(example = "https://partner.example/hooks/fifty-fifty")]
    pub url: String,
    /// What it is told of.
    pub kinds: Vec<ChangeKind>,
    /// What it is for.
    #[schema(required)]
    pub description: Option<String>,
    /// Whether it is told of changes. A disabled one keeps its place in the feed.
    pub state: WebhookState,
    /// Why it is disabled.
    #[schema(required)]
    pub disabled_by: Option<WebhookDisabling>,
    /// When it came to this state.
    pub state_changed_at: DateTime<Utc>,
    /// Since when no request was answered with 2xx; after five days it is disabled.
    #[schema(required)]
    pub failing_since: Option<DateTime<Utc>>,
    /// What requests are signed with; shown when it is new, null otherwise.
    #[schema(required, pattern = r"^whsec_[A-Za-z0-9+/]{43}=$")]
    pub secret: Option<String>,
    /// Until when requests are signed with the secret before too.
    #[schema(required)]
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A page of webhooks, the latest first.
#[derive(Serialize, ToSchema)]
pub struct WebhookPage {
    /// The webhooks of this page.
    pub data: Vec<Webhook>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A webhook to make.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://partner.example/hooks/fifty-fifty", "kinds": ["initiative", "convention"],
    "description": "Site de la commune"}))]
pub struct NewWebhook {
    /// Where requests go: https, a public address, no credentials.
    #[schema(min_length = 10, max_length = 2000, pattern = r"^https?://[!-~]+$")]
    pub url: String,
    /// What it is told of.
    #[schema(min_items = 1, max_items = 9)]
    pub kinds: Vec<ChangeKind>,
    /// What it is for.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub description: Option<String>,
}

/// Changes to a webhook; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"state": "disabled"}))]
pub struct WebhookPatch {
    /// Where requests go.
    #[schema(
        min_length = 10,
        max_length = 2000,
        pattern = r"^https?://[!-~]+$",
        nullable = false
    )]
    pub url: Option<String>,
    /// What it is told of, from now on.
    #[schema(min_items = 1, max_items = 9, nullable = false)]
    pub kinds: Option<Vec<ChangeKind>>,
    /// What it is for.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub description: Option<Option<String>>,
    /// Active again, it is told what it has missed.
    #[schema(nullable = false)]
    pub state: Option<WebhookState>,
}

/// One event for one webhook, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// Identifier: the `webhook-id` of every attempt.
    pub id: DeliveryId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// What changed; null for a test.
    #[schema(required)]
    pub kind: Option<ChangeKind>,
    /// Identifier of what changed; null for a test.
    #[schema(required)]
    pub resource_id: Option<Uuid>,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was sent.
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// When it is sent next.
    #[schema(required)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was sent last.
    #[schema(required)]
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// Status of the last answer.
    #[schema(required, minimum = 100, maximum = 999)]
    pub last_status: Option<i16>,
    /// Why the last attempt failed.
    #[schema(required)]
    pub last_fault: Option<DeliveryFault>,
    /// When it came to be.
    pub created_at: DateTime<Utc>,
}

/// A page of deliveries, the latest first.
#[derive(Serialize, ToSchema)]
pub struct WebhookDeliveryPage {
    /// The deliveries of this page.
    pub data: Vec<WebhookDelivery>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Which deliveries to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryFilter {
    /// Where they stand.
    pub state: Option<DeliveryState>,
}
