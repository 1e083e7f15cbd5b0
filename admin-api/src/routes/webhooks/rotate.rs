//! `POST /v1/webhooks/{webhook}/rotate`

use tollgate_domain::WebhookId;

use super::{Webhook, WebhookWithSecret};
use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Rotate a webhook's secret
///
/// The answer carries the new secret, once. For 24 hours deliveries are signed by both, so that a receiver can change
/// over without losing one.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhook}/rotate", tag = "Webhooks", operation_id = "rotateWebhookSecret",
    params(("webhook" = schema::WebhookId, Path, description = "Its id.")),
    responses((status = 200, description = "The webhook and its new secret.", body = WebhookWithSecret))
)]
pub async fn rotate_webhook_secret(writer: Writer, Id(id): Id<WebhookId>) -> Answer {
    let (row, secret) = writer.control.rotate_webhook_secret(&writer.actor, id).await?;
    let answer = WebhookWithSecret { webhook: Webhook::from(row), secret: secret.reveal().to_owned() };
    Ok(answer::ok(answer))
}
