//! All products with their plans.

use askama::Template;
use axum::extract::State;
use tollgate_domain::SubscriptionState;
use tollgate_store::Page;

use crate::error::Answer;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{self, Label};
use crate::{PortalState, filters};

pub struct PlanLine {
    pub name: String,
    pub slug: String,
    pub state: Label,
    pub price: String,
    pub limits: String,
    pub subscriptions: usize,
}

pub struct ProductCard {
    pub name: String,
    pub slug: String,
    pub state: Label,
    pub apis: String,
    pub plans: Vec<PlanLine>,
}

#[derive(Template)]
#[template(path = "admin/products.html")]
pub struct View {
    pub shell: Shell,
    pub products: Vec<ProductCard>,
}

/// `GET /admin/products`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let (_, scope) = visit.operator()?;
    let store = &state.store;
    let plans = store.list_plans(None, Page::FIRST_500).await?;
    let subscriptions = store.list_subscriptions(scope, None, Page { after: None, limit: 10_000 }).await?;
    let apis = store.list_apis(Page::FIRST_500).await?;
    let products = store.list_products(Page::FIRST_500).await?.into_iter().map(|product| {
        let names: Vec<&str> = product
            .apis()
            .iter()
            .filter_map(|id| apis.iter().find(|api| api.id == *id))
            .map(|api| api.name.as_str())
            .collect();
        ProductCard {
            apis: if names.is_empty() { "no API".into() } else { names.join(", ") },
            plans: plans
                .iter()
                .filter(|plan| plan.product_id == product.id)
                .map(|plan| PlanLine {
                    name: plan.name.clone(),
                    slug: plan.slug.to_string(),
                    state: plan.state.into(),
                    price: plan.price().to_string(),
                    limits: show::limits(&plan.limits),
                    subscriptions: subscriptions
                        .iter()
                        .filter(|one| one.plan_id == plan.id && one.state != SubscriptionState::Ended)
                        .count(),
                })
                .collect(),
            state: product.state.into(),
            slug: product.slug.to_string(),
            name: product.name,
        }
    });
    visit.page(&View { products: products.collect(), shell: visit.shell(Area::Admin, "Products").await? })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use tollgate_domain::{PlanState, ProductState};
        let plan = |name: &str, state: PlanState, price: &str| PlanLine {
            name: name.into(),
            slug: name.to_lowercase(),
            state: state.into(),
            price: price.into(),
            limits: "10 requests per second, 1,000 calls per month".into(),
            subscriptions: 12,
        };
        let card = |name: &str, state: ProductState, plans| ProductCard {
            name: name.into(),
            slug: name.to_lowercase().replace(' ', "-"),
            state: state.into(),
            apis: "Countries API".into(),
            plans,
        };
        let plans = vec![
            plan("Free", PlanState::Open, "free"),
            plan("Pro", PlanState::Announced, "29.00 EUR per month"),
        ];
        let products = vec![
            card("Countries", ProductState::Published, plans),
            card("Exchange rates", ProductState::Draft, vec![]),
        ];
        [products, vec![]]
            .map(|products| Self {
                shell: Shell::sample(Area::Admin, "Products", "/admin/products"),
                products,
            })
            .into()
    }
}
