//! `DELETE /v1/webhooks/{webhook}`

use tollgate_domain::WebhookId;

use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// Delete a webhook
///
/// With the log of its deliveries. It is told nothing more.
#[utoipa::path(
    delete, path = "/v1/webhooks/{webhook}", tag = "Webhooks", operation_id = "deleteWebhook",
    params(("webhook" = schema::WebhookId, Path, description = "Its id."), IfMatchParam),
    responses((status = 204, description = "It is gone."))
)]
pub async fn delete_webhook(writer: Writer, Id(id): Id<WebhookId>, IfMatch(expected): IfMatch) -> Answer {
    writer.control.delete_webhook(&writer.actor, id, expected).await?;
    Ok(answer::no_content())
}
