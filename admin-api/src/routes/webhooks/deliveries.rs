//! `/v1/webhooks/{webhook}/deliveries`: what a webhook was told, how that went, and the same once more.

use axum::extract::{FromRequestParts, Path};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use http::request::Parts;
use serde::Serialize;
use serde_json::Value;
use tollgate_domain::{EventId, WebhookId};
use tollgate_store::{AttemptRow, DeliveryRow};
use tollgate_web::Problem;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::answer;
use crate::auth::{Reader, Writer};
use crate::page::{Listing, PageParams, take_limit};
use crate::path::Id;
use crate::problem::{Answer, Refusal};
use crate::query::Params;
use crate::schema;

/// What a webhook was told, or is about to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "event_id": "evt_01ks2v8d3tf5cs9y0v3jq1q7zb", "type": "invoice.paid", "happened_at": "2026-12-03T09:30:00Z",
    "state": "pending", "attempts": 2, "status": 503, "error": "answered 503 Service Unavailable",
    "next_at": "2026-12-03T09:35:11Z", "settled_at": null
}))]
pub struct Delivery {
    /// The event's id: `webhook-id` of every attempt.
    #[schema(value_type = schema::EventId)]
    event_id: EventId,
    /// What happened; `webhook.test` where somebody tried it.
    r#type: String,
    /// When it happened.
    happened_at: DateTime<Utc>,
    /// `pending`, `delivered`, or `dead` where it was given up.
    #[schema(pattern = "^(pending|delivered|dead)$")]
    state: String,
    /// How often it was sent.
    attempts: i64,
    /// What the receiver answered last; `null` where no answer came.
    #[schema(required)]
    status: Option<i32>,
    /// Why the last attempt did not arrive.
    #[schema(required)]
    error: Option<String>,
    /// When it is sent next, while it is pending.
    #[schema(required)]
    next_at: Option<DateTime<Utc>>,
    /// When it arrived or was given up.
    #[schema(required)]
    settled_at: Option<DateTime<Utc>>,
}

/// A delivery with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryWithAttempts {
    #[serde(flatten)]
    delivery: Delivery,
    /// What is told: `data` of the body.
    #[schema(value_type = Object)]
    data: Value,
    /// Every time that it was sent, the latest first; 100 at most.
    log: Vec<Attempt>,
}

/// One time that a delivery was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "number": 1, "at": "2026-12-03T09:30:01Z", "duration_ms": 84, "status": 503,
    "error": "answered 503 Service Unavailable", "response": "busy"
}))]
pub struct Attempt {
    /// Counts from 1.
    number: i32,
    /// When.
    at: DateTime<Utc>,
    /// How long it took.
    duration_ms: i32,
    /// What the receiver answered; `null` where no answer came.
    #[schema(required)]
    status: Option<i32>,
    /// Why it did not arrive.
    #[schema(required)]
    error: Option<String>,
    /// How the answer began: 1,000 characters at most.
    response: String,
}

/// How many deliveries are sent anew.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "deliveries": 3 }))]
pub struct Replayed {
    /// So many.
    deliveries: u64,
}

/// A delivery by the webhook and the event of its path.
pub struct Named(WebhookId, EventId);

impl FromRequestParts<App> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let read = Path::<(String, String)>::from_request_parts(parts, app).await;
        let Path((webhook, event)) = read.map_err(|_| Problem::not_found())?;
        match (webhook.parse(), event.parse()) {
            (Ok(webhook), Ok(event)) => Ok(Self(webhook, event)),
            _ => Err(Problem::not_found().into()),
        }
    }
}

impl From<DeliveryRow> for Delivery {
    fn from(row: DeliveryRow) -> Self {
        let next_at = (row.state == "pending").then_some(row.run_at);
        Self {
            event_id: row.event.id,
            r#type: row.event.kind,
            happened_at: row.event.created_at,
            state: row.state,
            attempts: row.attempts,
            status: row.status,
            error: row.error,
            next_at,
            settled_at: row.settled_at,
        }
    }
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Self {
        let AttemptRow { number, at, duration_ms, status, error, response } = row;
        Self { number, at, duration_ms, status, error, response }
    }
}

/// List a webhook's deliveries
///
/// Of the latest event first; kept for 30 days.
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook}/deliveries", tag = "Webhooks", operation_id = "listWebhookDeliveries",
    params(
        ("webhook" = schema::WebhookId, Path, description = "Its id."),
        ("state" = Option<String>, Query, description = "Only these: `pending`, `delivered` or `dead`.", pattern = "^(pending|delivered|dead)$"),
        PageParams
    ),
    responses((status = 200, description = "A page of deliveries.", body = Listing<Delivery>))
)]
pub async fn list_webhook_deliveries(reader: Reader, Id(id): Id<WebhookId>, mut params: Params) -> Answer {
    let state = params.take("state", "pending, delivered or dead", |text| {
        ["pending", "delivered", "dead"].into_iter().find(|known| *known == text)
    })?;
    let before = params.take("cursor", "a next_cursor of this list, unchanged", |text| {
        Uuid::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    })?;
    let limit = take_limit(&mut params)?;
    params.finish()?;
    let store = reader.control.store();
    store.get_webhook(reader.scope, id).await?;
    let mut rows = store.list_deliveries(reader.scope, id, state, before, limit as i64 + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| URL_SAFE_NO_PAD.encode(row.event.id.uuid()));
    Ok(answer::ok(Listing { data: rows.into_iter().map(Delivery::from).collect(), next_cursor }))
}

/// Get a delivery
///
/// With what was told and how every attempt went.
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook}/deliveries/{event}", tag = "Webhooks", operation_id = "getWebhookDelivery",
    params(
        ("webhook" = schema::WebhookId, Path, description = "The webhook's id."),
        ("event" = schema::EventId, Path, description = "The event's id."),
    ),
    responses((status = 200, description = "The delivery.", body = DeliveryWithAttempts))
)]
pub async fn get_webhook_delivery(reader: Reader, Named(id, event): Named) -> Answer {
    let store = reader.control.store();
    let row = store.get_delivery(reader.scope, id, event).await?;
    let log = store.list_attempts(id, event).await?.into_iter().map(Attempt::from).collect();
    let data = row.event.data.clone();
    Ok(answer::ok(DeliveryWithAttempts { delivery: Delivery::from(row), data, log }))
}

/// Send a delivery anew
///
/// Whatever became of it, from the beginning, under the id that it had.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhook}/deliveries/{event}/replay", tag = "Webhooks",
    operation_id = "replayWebhookDelivery",
    params(
        ("webhook" = schema::WebhookId, Path, description = "The webhook's id."),
        ("event" = schema::EventId, Path, description = "The event's id."),
    ),
    responses((status = 200, description = "It is on its way.", body = Replayed))
)]
pub async fn replay_webhook_delivery(writer: Writer, Named(id, event): Named) -> Answer {
    writer.control.replay_delivery(&writer.actor, id, event).await?;
    Ok(answer::ok(Replayed { deliveries: 1 }))
}

/// Send anew what was given up
///
/// Every dead delivery of the last 30 days.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhook}/deliveries/replay", tag = "Webhooks",
    operation_id = "replayWebhookDeliveries",
    params(("webhook" = schema::WebhookId, Path, description = "The webhook's id.")),
    responses((status = 200, description = "They are on their way.", body = Replayed))
)]
pub async fn replay_webhook_deliveries(writer: Writer, Id(id): Id<WebhookId>) -> Answer {
    let deliveries = writer.control.replay_dead_deliveries(&writer.actor, id, 30).await?;
    Ok(answer::ok(Replayed { deliveries }))
}
