//! A product at a glance: its plans and APIs.

use axum::extract::{Path, State};
use tollgate_domain::{Price, ProductState};
use tollgate_store::browse::{ApiFilter, Cut, PlanLine};

use super::{LIST, find, frame};
use crate::PortalState;
use crate::error::Answer;
use crate::pages::admin::desk::Desk;
use crate::pages::admin::products::seen_by;
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, List, Notice, Section};
use crate::session::Visit;
use crate::show;

/// `GET /admin/products/{slug}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let plans = state.store.browse_plans(row.id, &Cut::first(100)).await?.rows;
    let filter = ApiFilter { product: Some(row.id), ..ApiFilter::default() };
    let apis = state.store.browse_apis(filter, &Cut::first(100)).await?.rows;
    let notice = match row.state {
        ProductState::Draft => {
            Some(Notice::new("info", "This product is a draft", "Only operators see it in the portal."))
        }
        ProductState::Retired => Some(Notice::new(
            "warn",
            "This product is retired",
            "Its subscribers keep it; nobody new can subscribe.",
        )),
        ProductState::Published if plans.is_empty() => Some(Notice::new(
            "warn",
            "Nobody can subscribe to this product",
            "It has no plan. A free one with a small quota is a good first.",
        )),
        ProductState::Published if apis.is_empty() => Some(Notice::new(
            "warn",
            "This product opens nothing",
            "No API is in it. Choose some in its settings.",
        )),
        ProductState::Published => None,
    };
    let plan_list = List::new("plans", "Plans")
        .column("Plan")
        .column("State")
        .column("Price")
        .column("Limits")
        .numbers("Subscriptions")
        .or_empty(
            "gauge",
            "No plan yet",
            "A plan says how fast and how much may be called, and what it costs.",
        )
        .or_do(desk.may_write, &format!("/admin/new/plan?product={slug}"), "Create plan")
        .rows(plans.into_iter().map(|plan| {
            let limits = show::limits(&plan.limits);
            vec![
                Cell::Link {
                    href: format!("{LIST}/{slug}/plans/{}", plan.slug),
                    text: plan.name.clone(),
                    second: plan.slug.clone(),
                },
                Cell::Label(plan.state.into()),
                Cell::Text(price(&plan)),
                Cell::Text(limits),
                Cell::Way {
                    href: format!("/admin/subscriptions?plan={slug}/{}", plan.slug),
                    text: show::number(plan.subscriptions),
                },
            ]
        }));
    let api_list = List::new("apis", "APIs in it")
        .column("API")
        .column("State")
        .column("Base path")
        .or_empty("route", "No API in it", "Choose the APIs that a subscription opens.")
        .or_do(desk.may_write, &format!("{LIST}/{slug}/settings"), "Choose APIs")
        .rows(apis.into_iter().map(|api| {
            vec![
                Cell::Link { href: format!("/admin/apis/{}", api.slug), text: api.name, second: api.slug },
                Cell::Label(api.state.into()),
                Cell::Code(if api.base_path.is_empty() { "/".into() } else { api.base_path }),
            ]
        }));
    let facts = vec![
        fact("Slug", Cell::Code(slug.clone())),
        fact("Seen by", Cell::Text(seen_by(row.visibility).into())),
    ];
    let sheet = frame(&visit, &desk, &row).await?;
    let sheet = if row.summary.is_empty() { sheet } else { sheet.intro(row.summary.clone()) };
    sheet
        .maybe(notice)
        .part(plan_list)
        .part(api_list)
        .part(Section::Facts("In the portal".into(), facts))
        .answer(&visit, &asked)
}

fn price(plan: &PlanLine) -> String {
    plan.price_currency.parse().map_or_else(
        |_| plan.price_minor.to_string(),
        |currency| {
            let price = Price {
                minor: plan.price_minor.unsigned_abs(),
                currency,
                per: tollgate_domain::Period::Month,
            };
            price.to_string()
        },
    )
}
