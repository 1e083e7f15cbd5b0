//! A product at a glance: its plans and APIs.

use axum::extract::{Path, State};
use tollgate_domain::{PlanId, Price, ProductState};
use tollgate_store::browse::{ApiFilter, Cut, PlanLine};

use super::{LIST, find, frame};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::Desk;
use crate::pages::admin::products::seen_by;
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, List, Notice, Section, Sent};
use crate::session::Visit;
use crate::shell::Flash;
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
    let choices: Vec<(String, String)> = plans
        .iter()
        .map(|plan| {
            (PlanId::from(plan.id).to_string(), format!("{}: {}", plan.name, show::limits(&plan.limits)))
        })
        .collect();
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
        }))
        .whole(&asked, "plan");
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
        }))
        .whole(&asked, "API");
    let may_open = Desk::of(&visit)?.may_write && row.state == ProductState::Published;
    let is_open = state.store.find_guest(row.id).await?.is_some();
    let guests = guests(&slug, is_open, may_open, &choices);
    let facts = vec![
        fact("Slug", Cell::Code(slug.clone())),
        fact(
            "Guests",
            Cell::Text(if is_open { "may try it without an account" } else { "may only read" }.into()),
        ),
        fact("Seen by", Cell::Text(seen_by(row.visibility).into())),
    ];
    let sheet = frame(&visit, &desk, &row).await?;
    let sheet = if row.summary.is_empty() { sheet } else { sheet.intro(row.summary.clone()) };
    sheet
        .maybe(notice)
        .part(plan_list)
        .part(api_list)
        .part(Section::Facts("In the portal".into(), facts))
        .maybe(guests)
        .answer(&visit, &asked)
}

/// The switch that lets visitors try a product's calls without an account.
fn guests(slug: &str, is_open: bool, may: bool, plans: &[(String, String)]) -> Option<FormPart> {
    let action = format!("{LIST}/{slug}/guests");
    if !may || (!is_open && plans.is_empty()) {
        return None;
    }
    let form = Form::with(plans.first().map(|(id, _)| ("plan_id", id.clone())));
    Some(if is_open {
        FormPart::new("guests-form", &form, Vec::new(), "Close to guests")
            .titled("Guests", "Their key is revoked at once; what they called stays counted.")
            .to(action)
            .toned("")
    } else {
        let input = Input::one(&form, "plan_id", "On the terms of", plans.iter().cloned()).hint(
            "All guests together have the limits of this plan, and each network only so many calls of them.",
        );
        FormPart::new("guests-form", &form, vec![Fieldset::new("", vec![input])], "Open to guests")
            .titled("Guests", "Visitors may try its calls in the portal, without an account.")
            .to(action)
            .toned("")
    })
}

/// `POST /admin/products/{slug}/guests`: opens with a plan, closes without.
pub async fn switch_guests(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::writing(&visit)?;
    let row = find(&state, &slug).await?;
    // Only a form that names no plan closes; one that names a wrong one does nothing.
    let text = match sent.has("plan_id") {
        true => {
            let plan = sent.read::<PlanId>("plan_id").ok_or_else(Fault::not_found)?;
            state.control.open_to_guests(&desk.actor, row.id, plan).await?;
            "Guests may try it from now on."
        }
        false => {
            state.control.close_to_guests(&desk.actor, row.id).await?;
            "Closed to guests. Their key is revoked."
        }
    };
    visit.go(&format!("{LIST}/{slug}"), Some(Flash::done(text))).await
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
