//! `POST /v1/webhooks`

use serde::Deserialize;
use tollgate_control::WebhookInput;
use tollgate_domain::OrganizationId;
use utoipa::ToSchema;

use super::{Webhook, WebhookWithSecret};
use crate::answer;
use crate::auth::Writer;
use crate::body::{Json, Text};
use crate::problem::Answer;
use crate::schema;

/// What a webhook is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "url": "https://hooks.example.com/tollgate", "event_types": ["invoice.finalized"] }))]
pub struct NewWebhook {
    /// Whose it is; absent or `null` for the platform's, which is told everything.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    organization_id: Option<OrganizationId>,
    /// Where it is: https, at a public address.
    #[schema(value_type = String, max_length = 2000)]
    url: Text,
    /// What it is for.
    #[serde(default)]
    #[schema(value_type = String, max_length = 200)]
    description: Text,
    /// What it wants to be told; everything where empty.
    #[serde(default)]
    #[schema(value_type = Vec<schema::EventType>)]
    event_types: Vec<String>,
}

/// Create a webhook
///
/// The answer carries the secret, once. Deliveries are signed as Standard Webhooks say; their order is not promised.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "Webhooks", operation_id = "createWebhook", request_body = NewWebhook,
    responses((status = 201, description = "The new webhook and its secret.", body = WebhookWithSecret))
)]
pub async fn create_webhook(writer: Writer, Json(body): Json<NewWebhook>) -> Answer {
    let input = WebhookInput {
        organization_id: body.organization_id,
        url: body.url.0,
        description: body.description.0,
        event_types: body.event_types,
    };
    let (row, secret) = writer.control.create_webhook(&writer.actor, input).await?;
    let (id, version) = (row.id, row.version);
    let answer = WebhookWithSecret { webhook: Webhook::from(row), secret: secret.reveal().to_owned() };
    Ok(answer::tagged(version, answer::created("webhooks", id, answer)))
}
