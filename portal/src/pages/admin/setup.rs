//! The way from an empty platform to a first metered call, ticked off by what is there.

use axum::extract::State;

use super::desk::{Desk, sheet};
use super::gateways::Fleet;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::parts::sheet::Step;
use crate::parts::{Action, Asked, Notice, Section};
use crate::session::Visit;

/// What there is to do, and what of it is done. Nothing is remembered: each is looked up.
///
/// # Errors
/// The database is away.
pub async fn steps(state: &PortalState, desk: &Desk, visit: &Visit) -> Result<Vec<Step>, Fault> {
    let store = &state.store;
    let there = store.milestones(visit.now - chrono::TimeDelta::days(30)).await?;
    let fleet = Fleet::look(state, visit.now).await?;
    let step = |done: bool, title: &str, text: &str, action: Option<(&str, &str)>| Step {
        done,
        title: title.into(),
        text: text.into(),
        action: action
            .filter(|_| desk.may_write || done)
            .map(|(href, text)| (href.to_owned(), text.to_owned())),
    };
    let plan_href = there
        .product
        .as_ref()
        .map_or_else(|| "/admin/products".to_owned(), |slug| format!("/admin/products/{slug}"));
    Ok(vec![
        step(
            fleet.serving > 0,
            "A gateway serves",
            "It answers calls and reports itself here.",
            Some(("/admin/gateways", "Gateways")),
        ),
        step(
            there.service,
            "A service is there",
            "A system of yours that answers calls, with its addresses.",
            Some(if there.service {
                ("/admin/services", "Services")
            } else {
                ("/admin/new/service", "Create service")
            }),
        ),
        step(
            there.published_api,
            "An API is published",
            "An OpenAPI document says what callers may ask.",
            Some(if there.published_api {
                ("/admin/apis", "APIs")
            } else {
                ("/admin/new/api", "Create API")
            }),
        ),
        step(
            there.filled_product,
            "A product offers it",
            "Developers subscribe to products; a key opens the APIs in them.",
            Some(if there.filled_product {
                ("/admin/products", "Products")
            } else {
                ("/admin/new/product", "Create product")
            }),
        ),
        step(
            there.open_plan,
            "A plan can be chosen",
            "It says how fast and how much may be called, and what it costs.",
            Some((&plan_href, "Plans")),
        ),
        step(
            there.second_person,
            "Somebody signed up",
            "Share the address of the portal, or sign up yourself to see what developers see.",
            Some(("/admin/developers", "Developers")),
        ),
        step(
            there.counted_call,
            "A first call was counted",
            "It shows in the traffic a second or two after it was answered.",
            Some(("/admin/traffic?range=day", "Traffic")),
        ),
    ])
}

/// `GET /admin/setup`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let steps = steps(&state, &desk, &visit).await?;
    let left = steps.iter().filter(|step| !step.done).count();
    let notice = if left == 0 {
        Notice::new("ok", "Everything is set up", "Calls are answered, counted and shown.")
    } else {
        Notice::new(
            "info",
            format!("{} left", crate::show::count(left, "step")),
            "In any order, and whenever you like: each is ticked off by what is there.",
        )
    };
    sheet(&visit, "Setup")
        .await?
        .intro("From an empty platform to the first metered call.")
        .action(true, Action::link("/admin/mails", "mail", "Send a test mail"))
        .action(desk.may_write, Action::link("/admin/portal", "settings", "Name and look"))
        .part(notice)
        .part(Section::Steps("Steps".into(), steps))
        .narrow()
        .answer(&visit, &asked)
}
