//! `PATCH /v1/subscriptions/{subscription}`

use serde::Deserialize;
use tollgate_control::SubscriptionPatch;
use tollgate_domain::{PlanId, SubscriptionId, SubscriptionState};
use utoipa::ToSchema;

use super::{Subscription, shown};
use crate::auth::Writer;
use crate::body::{Json, given};
use crate::path::Id;
use crate::precondition::{IfMatch, IfMatchParam};
use crate::problem::{Answer, named_by};
use crate::schema;

/// What to change about a subscription; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "suspended" }))]
pub struct SubscriptionChange {
    /// Another plan of the same product.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::PlanId)]
    plan_id: Option<PlanId>,
    /// The next state: a requested one becomes active (approved) or ended (declined), an active one suspended or
    /// ended, a suspended one active or ended.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = schema::SubscriptionState)]
    state: Option<SubscriptionState>,
    /// Words for the developer, with the decision about a request; they are mailed with it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, max_length = 500)]
    reason: Option<String>,
}

/// Approve, move, suspend, resume or end a subscription
#[utoipa::path(
    patch, path = "/v1/subscriptions/{subscription}", tag = "Subscriptions", operation_id = "updateSubscription",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id."), IfMatchParam),
    request_body = SubscriptionChange,
    responses((status = 200, description = "The subscription after the change.", body = Subscription))
)]
pub async fn update_subscription(
    writer: Writer,
    Id(id): Id<SubscriptionId>,
    IfMatch(expected): IfMatch,
    Json(body): Json<SubscriptionChange>,
) -> Answer {
    let patch = SubscriptionPatch { plan_id: body.plan_id, state: body.state };
    let reason = body.reason.unwrap_or_default();
    let changed = writer.control.decide_subscription(&writer.actor, id, expected, patch, &reason).await;
    Ok(shown(changed.map_err(named_by(&[("plan", "/plan_id")]))?))
}
