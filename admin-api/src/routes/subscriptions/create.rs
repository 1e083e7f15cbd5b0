//! `POST /v1/subscriptions`

use serde::Deserialize;
use tollgate_control::SubscriptionInput;
use tollgate_domain::{ApplicationId, PlanId};
use utoipa::ToSchema;

use super::Subscription;
use crate::answer;
use crate::auth::Writer;
use crate::body::Json;
use crate::problem::{Answer, named_by};
use crate::schema;

/// What a subscription is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "application_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb", "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb"
}))]
pub struct NewSubscription {
    /// Which application.
    #[schema(value_type = schema::ApplicationId)]
    application_id: ApplicationId,
    /// On which plan; the plan says for which product.
    #[schema(value_type = schema::PlanId)]
    plan_id: PlanId,
}

/// Create a subscription
///
/// Active at once, also where the plan asks developers for approval. An application has at most one subscription
/// to a product that has not ended.
#[utoipa::path(
    post, path = "/v1/subscriptions", tag = "Subscriptions", operation_id = "createSubscription",
    request_body = NewSubscription,
    responses((status = 201, description = "The new subscription.", body = Subscription))
)]
pub async fn create_subscription(writer: Writer, Json(body): Json<NewSubscription>) -> Answer {
    let input = SubscriptionInput { application_id: body.application_id, plan_id: body.plan_id };
    let row = writer
        .control
        .subscribe(&writer.actor, input)
        .await
        .map_err(named_by(&[("application", "/application_id"), ("plan", "/plan_id")]))?;
    Ok(answer::tagged(row.version, answer::created("subscriptions", row.id, Subscription::from(row))))
}
