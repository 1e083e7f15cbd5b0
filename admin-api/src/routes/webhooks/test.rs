//! `POST /v1/webhooks/{webhook}/test`

use serde::Serialize;
use tollgate_domain::{EventId, WebhookId};
use utoipa::ToSchema;

use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// An event that means nothing and is on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "event_id": "evt_01ks2v8d3tf5cs9y0v3jq1q7zb" }))]
pub struct SentTest {
    /// Its id: `webhook-id` of the delivery, and where its log is.
    #[schema(value_type = schema::EventId)]
    event_id: EventId,
}

/// Test a webhook
///
/// Sends it an event of the type `webhook.test` within seconds; the log of deliveries tells how that went.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhook}/test", tag = "Webhooks", operation_id = "testWebhook",
    params(("webhook" = schema::WebhookId, Path, description = "Its id.")),
    responses((status = 200, description = "It is on its way.", body = SentTest))
)]
pub async fn test_webhook(writer: Writer, Id(id): Id<WebhookId>) -> Answer {
    let event_id = writer.control.test_webhook(&writer.actor, id).await?;
    Ok(answer::ok(SentTest { event_id }))
}
