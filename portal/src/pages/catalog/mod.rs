//! What is on offer: home and products.

pub mod home;
pub mod product;

use tollgate_domain::{PlanState, ProductState};
use tollgate_store::{ApiRow, Page, PlanRow, ProductRow, Store};

use crate::error::Fault;
use crate::session::Visit;

/// A product that the visitor may see; operators see drafts as well.
async fn visible_product(store: &Store, visit: &Visit, slug: &str) -> Result<ProductRow, Fault> {
    let product = store.find_product_by_slug(slug).await?.ok_or_else(Fault::not_found)?;
    let account = visit.account.as_ref();
    let offered =
        product.state == ProductState::Published && store.sees_product(visit.viewer(), product.id).await?;
    let operator = account.is_some_and(|account| account.operator.is_some());
    if offered || operator { Ok(product) } else { Err(Fault::not_found()) }
}

/// The product's APIs that are served.
pub async fn served_apis(store: &Store, product: &ProductRow) -> Result<Vec<ApiRow>, Fault> {
    Ok(store.list_served_apis(product.id).await?)
}

/// The product's plans that developers are shown.
pub async fn shown_plans(store: &Store, product: &ProductRow) -> Result<Vec<PlanRow>, Fault> {
    let plans = store.list_plans(Some(product.id), Page::FIRST_500).await?;
    Ok(plans.into_iter().filter(|plan| plan.state != PlanState::Closed).collect())
}

/// One API of a visible product, by slugs.
pub async fn visible_api(
    store: &Store,
    visit: &Visit,
    product: &str,
    api: &str,
) -> Result<(ProductRow, ApiRow), Fault> {
    let product = visible_product(store, visit, product).await?;
    let apis = served_apis(store, &product).await?;
    let api = apis.into_iter().find(|row| row.slug.as_str() == api).ok_or_else(Fault::not_found)?;
    Ok((product, api))
}
