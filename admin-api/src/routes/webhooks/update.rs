//! `PATCH /v1/webhooks/{webhook}`

use serde::Deserialize;
use tollgate_control::WebhookPatch;
use tollgate_domain::WebhookId;
use utoipa::ToSchema;

use super::{Webhook, shown};
use crate::auth::Writer;
use crate::body::{Json, Text, given};
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// What to change about a webhook; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "active": true }))]
pub struct WebhookChange {
    /// Where it is: https, at a public address.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 2000)]
    url: Option<Text>,
    /// What it is for.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 200)]
    description: Option<Text>,
    /// What it wants to be told; everything where empty.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<schema::EventType>)]
    event_types: Option<Vec<String>>,
    /// Whether it is told anything. What one that is switched off was still to be told is given up.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    active: Option<bool>,
}

/// Change a webhook, or switch it off or on
#[utoipa::path(
    patch, path = "/v1/webhooks/{webhook}", tag = "Webhooks", operation_id = "updateWebhook",
    params(("webhook" = schema::WebhookId, Path, description = "Its id."), IfMatchParam),
    request_body = WebhookChange,
    responses((status = 200, description = "The webhook after the change.", body = Webhook))
)]
pub async fn update_webhook(
    writer: Writer,
    Id(id): Id<WebhookId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<WebhookChange>,
) -> Answer {
    let patch = WebhookPatch {
        url: body.url.map(|url| url.0),
        description: body.description.map(|text| text.0),
        event_types: body.event_types,
        active: body.active,
    };
    Ok(shown(writer.control.update_webhook(&writer.actor, id, expected, patch).await?))
}
