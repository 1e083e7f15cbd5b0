//! `GET /v1/webhooks/{webhook}`

use tollgate_domain::WebhookId;

use super::{Webhook, shown};
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Get a webhook
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook}", tag = "Webhooks", operation_id = "getWebhook",
    params(("webhook" = schema::WebhookId, Path, description = "Its id.")),
    responses((status = 200, description = "The webhook.", body = Webhook))
)]
pub async fn get_webhook(reader: Reader, Id(id): Id<WebhookId>) -> Answer {
    Ok(shown(reader.control.store().get_webhook(reader.scope, id).await?))
}
