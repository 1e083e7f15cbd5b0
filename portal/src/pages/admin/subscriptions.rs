//! All subscriptions.

use axum::extract::State;
use tollgate_domain::SubscriptionState;
use tollgate_store::Page;
use tollgate_store::browse::{SubscriptionFilter, SubscriptionLine};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::parts::{Asked, Cell, List};
use crate::session::Visit;
use crate::show::Moment;

/// The columns of subscriptions.
#[must_use]
pub fn table(title: &str) -> List {
    List::new("subscriptions", title)
        .column("Application")
        .column("Product")
        .column("Plan")
        .column("State")
        .numbers("Since")
        .acts()
        .or_empty(
            "gauge",
            "No subscription",
            "An application subscribes to a plan of a product; then its keys open the APIs in it.",
        )
}

/// One of them.
#[must_use]
pub fn row(line: SubscriptionLine, visit: &Visit) -> Vec<Cell> {
    let href = format!("/admin/subscriptions/{}", line.id);
    let of = format!("{} to {}", line.application, line.product);
    vec![
        Cell::Link {
            href: format!("/admin/applications/{}", line.application_id),
            text: line.application,
            second: line.organization,
        },
        Cell::Way { href: format!("/admin/products/{}", line.product_slug), text: line.product },
        Cell::Way {
            href: format!("/admin/products/{}/plans/{}", line.product_slug, line.plan_slug),
            text: line.plan,
        },
        Cell::Label(line.state.into()),
        Cell::When(Moment::of(line.created_at, visit.now)),
        Cell::Open { href, text: "Open", of },
    ]
}

/// `GET /admin/subscriptions`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_subscriptions(&visit)?;
    let cut = asked.cut(&["-created"]);
    let mut filter = SubscriptionFilter {
        words: asked.get("q"),
        state: asked.read("state"),
        ..SubscriptionFilter::default()
    };
    // `plan=atlas/free`: the product's slug and the plan's.
    if let Some((product, plan)) = asked.get("plan").split_once('/') {
        let product = state.store.find_product_by_slug(product).await?.ok_or_else(Fault::not_found)?;
        let plans = state.store.list_plans(Some(product.id), Page::FIRST_500).await?;
        let plan = plans.iter().find(|row| row.slug.as_str() == plan).ok_or_else(Fault::not_found)?;
        filter.plan = Some(plan.id);
    }
    let found = state.store.browse_subscriptions(desk.scope, filter, &cut).await?;
    let states = [
        (SubscriptionState::Requested, "Waiting for approval"),
        (SubscriptionState::Active, "Active"),
        (SubscriptionState::Suspended, "Suspended"),
        (SubscriptionState::Ended, "Ended"),
    ];
    let mut list = table("All subscriptions")
        .sorted_by("Since", &asked, "created", &cut)
        .searched(&asked, "application")
        .filtered(&asked, "state", "State", "Any state", states.map(|(state, text)| (state.as_str(), text)))
        .keeping(&asked, "plan")
        .narrowed(&asked, "plan")
        .found(&asked, found, |line| row(line, &visit));
    if !asked.get("plan").is_empty() {
        list.note = format!("on {}", asked.get("plan"));
    }
    sheet(&visit, "Subscriptions")
        .await?
        .intro("Applications on plans: what each may call, how fast and how much.")
        .part(list)
        .answer(&visit, &asked)
}
