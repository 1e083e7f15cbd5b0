//! `DELETE /v1/subscriptions/{subscription}`

use tollgate_control::SubscriptionPatch;
use tollgate_domain::{SubscriptionId, SubscriptionState};

use crate::answer;
use crate::auth::Writer;
use crate::path::Id;
use crate::precondition::{OptionalIfMatch, OptionalIfMatchParam};
use crate::problem::Answer;
use crate::schema;

/// End a subscription
///
/// Its calls are refused from now on. It stays readable, with the state `ended`; ending it twice is no error.
#[utoipa::path(
    delete, path = "/v1/subscriptions/{subscription}", tag = "Subscriptions", operation_id = "endSubscription",
    params(("subscription" = schema::SubscriptionId, Path, description = "Its id."), OptionalIfMatchParam),
    responses((status = 204, description = "It has ended."))
)]
pub async fn end_subscription(
    writer: Writer,
    Id(id): Id<SubscriptionId>,
    condition: OptionalIfMatch,
) -> Answer {
    let patch = SubscriptionPatch { plan_id: None, state: Some(SubscriptionState::Ended) };
    writer.control.update_subscription(&writer.actor, id, condition.version, patch).await?;
    Ok(answer::no_content())
}
