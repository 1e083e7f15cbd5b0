//! `GET /v1/subscriptions/{subscription}`

use tollgate_domain::SubscriptionId;

use super::{Subscription, shown};
use crate::auth::Reader;
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// Get a subscription
#[utoipa::path(
    get, path = "/v1/subscriptions/{subscription}", tag = "Subscriptions", operation_id = "getSubscription",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id.")),
    responses((status = 200, description = "The subscription.", body = Subscription))
)]
pub async fn get_subscription(reader: Reader, Id(id): Id<SubscriptionId>) -> Answer {
    Ok(shown(reader.control.store().get_subscription(reader.scope, id).await?))
}
