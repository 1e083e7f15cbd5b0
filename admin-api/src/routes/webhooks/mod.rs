//! Webhooks: who is told what happens.

pub mod create;
pub mod delete;
pub mod deliveries;
pub mod get;
pub mod list;
pub mod rotate;
pub mod test;
pub mod update;

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_domain::{OrganizationId, WebhookId};
use tollgate_store::WebhookRow;
use utoipa::ToSchema;

use crate::answer;
use crate::schema;

/// An address that is told what happens. Its secret is told once, when it is made or rotated.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "whk_01ks2v8d3tf5cs9y0v3jq1q7zb", "organization_id": null, "url": "https://hooks.example.com/tollgate",
    "description": "Billing system", "event_types": ["invoice.finalized", "invoice.paid"], "active": true,
    "disabled_because": null, "failing_since": null, "old_secret_until": null, "version": 1,
    "created_at": "2026-11-21T09:30:00Z"
}))]
pub struct Webhook {
    /// Its id.
    #[schema(value_type = schema::WebhookId)]
    id: WebhookId,
    /// Whose it is; `null` for the platform's, which is told everything.
    #[schema(value_type = Option<String>, required)]
    organization_id: Option<OrganizationId>,
    /// Where it is.
    url: String,
    /// What it is for.
    description: String,
    /// What it wants to be told; everything where empty.
    #[schema(value_type = Vec<schema::EventType>)]
    event_types: Vec<String>,
    /// Whether it is told anything.
    active: bool,
    /// Why it is not: `asked`, `failing` for days, or `gone` (it answered 410).
    #[schema(required)]
    disabled_because: Option<String>,
    /// Since when nothing has arrived.
    #[schema(required)]
    failing_since: Option<DateTime<Utc>>,
    /// Until when deliveries carry a second signature, by the secret before a rotation.
    #[schema(required)]
    old_secret_until: Option<DateTime<Utc>>,
    /// Grows with every change; the `ETag` carries it.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// A webhook with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    /// What deliveries are signed with: `whsec_` and base64. This is the only time that it is shown.
    secret: String,
}

impl From<WebhookRow> for Webhook {
    fn from(row: WebhookRow) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id(),
            active: row.is_active(),
            url: row.url,
            description: row.description,
            event_types: row.event_types,
            disabled_because: row.disabled_because,
            failing_since: row.failing_since,
            old_secret_until: row.old_secret_until,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

fn shown(row: WebhookRow) -> Response {
    answer::tagged(row.version, answer::ok(Webhook::from(row)))
}
