//! From the account to the first call.

pub mod first_call;
pub mod get_started;

use tollgate_control::SecretText;
use tollgate_domain::{ApplicationId, ProductId, Scope, SubscriptionState};
use tollgate_openapi::OperationDetail;
use tollgate_store::{ApiRow, Page, PlanRow, ProductRow};

use crate::error::Fault;
use crate::session::Visit;
use crate::{PortalState, reference};

/// A call to begin with.
pub struct Call {
    pub api: ApiRow,
    pub operation: OperationDetail,
}

/// What an application can do first.
pub struct Step {
    pub product: ProductRow,
    pub plan: PlanRow,
    pub call: Option<Call>,
}

/// The reader's own sandbox key for samples of a product's calls.
pub async fn sample_key(
    state: &PortalState,
    visit: &Visit,
    product: ProductId,
) -> Result<Option<SecretText>, Fault> {
    match visit.member() {
        Ok(member) => Ok(state.control.sample_key(&member.actor, product).await?),
        Err(_) => Ok(None),
    }
}

/// The product that an application subscribed to first, and a call of it.
pub async fn first_step(
    state: &PortalState,
    scope: Scope,
    application: ApplicationId,
) -> Result<Option<Step>, Fault> {
    let subscriptions = state.store.list_subscriptions(scope, Some(application), Page::FIRST_500).await?;
    let Some(first) = subscriptions.into_iter().find(|one| one.state == SubscriptionState::Active) else {
        return Ok(None);
    };
    let product = state.store.get_product(first.product_id).await?;
    let plan = state.store.get_plan(first.plan_id).await?;
    let mut call = None;
    for api in state.store.list_served_apis(product.id).await? {
        let document = state.documents.of(&state.store, &api).await?;
        if let Some(operation) = document.and_then(|document| reference::first_call(&document)) {
            call = Some(Call { api, operation });
            break;
        }
    }
    Ok(Some(Step { product, plan, call }))
}
