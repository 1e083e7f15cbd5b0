//! Requests that wait for an operator, oldest first, with what is needed to decide.

use axum::extract::State;
use tollgate_domain::{Scope, SubscriptionState};
use tollgate_store::browse::{Cut, SubscriptionFilter, SubscriptionLine};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::list::{Lead, Press};
use crate::parts::{Asked, Cell, List, Section};
use crate::session::Visit;
use crate::show::Moment;

/// Requests that are shown at once.
const SHOWN: i64 = 50;

/// `GET /admin/approvals`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_subscriptions(&visit)?;
    let filter =
        SubscriptionFilter { state: Some(SubscriptionState::Requested), ..SubscriptionFilter::default() };
    let found = state.store.browse_subscriptions(desk.scope, filter, &Cut::first(SHOWN)).await?;
    let mut rows = Vec::new();
    for line in found.rows {
        let own = Scope::Organization(line.organization_id);
        let others =
            SubscriptionFilter { state: Some(SubscriptionState::Active), ..SubscriptionFilter::default() };
        let others = state.store.browse_subscriptions(own, others, &Cut::first(3)).await?;
        rows.push(row(line, others.rows, &desk, &visit));
    }
    let list = List::new("approvals", "Waiting for approval")
        .column("Application")
        .column("Wants")
        .column("Has already")
        .numbers("Asked")
        .acts()
        .or_empty(
            "check",
            "All done",
            "Nobody waits for an approval. Requests come from plans that ask for one.",
        )
        .rows(rows);
    let waiting = !list.rows.is_empty() && desk.may_write;
    let sheet =
        sheet(&visit, "Approvals").await?.intro("Subscriptions that open only when you say so.").part(list);
    let keys = Section::Text(
        "With the keyboard: j and k move, a approves, r leads to the rejection and its reason.".into(),
    );
    let sheet = if waiting { sheet.part(keys) } else { sheet };
    sheet.answer(&visit, &asked)
}

fn row(line: SubscriptionLine, others: Vec<SubscriptionLine>, desk: &Desk, visit: &Visit) -> Vec<Cell> {
    let of = format!("{} on {}", line.application, line.plan);
    let press = |next: SubscriptionState, text, key| Press {
        action: format!("/admin/subscriptions/{}", line.id),
        fields: vec![
            ("state", next.to_string()),
            ("version", line.version.to_string()),
            ("from", "approvals".to_owned()),
        ],
        text,
        of: of.clone(),
        key,
    };
    let approve = vec![press(SubscriptionState::Active, "Approve", "a")];
    // A reason is asked for: it is what the developer reads.
    let reject = Lead {
        href: format!("/admin/subscriptions/{}#end-form", line.id),
        text: "Reject…",
        of: of.clone(),
        key: "r",
    };
    let others: Vec<String> =
        others.into_iter().map(|one| format!("{}: {}", one.product, one.plan)).collect();
    vec![
        Cell::Link {
            href: format!("/admin/subscriptions/{}", line.id),
            text: line.application.clone(),
            second: line.organization.clone(),
        },
        Cell::Way {
            href: format!("/admin/products/{}/plans/{}", line.product_slug, line.plan_slug),
            text: format!("{}: {}", line.product, line.plan),
        },
        Cell::text_or(others.join(", "), "nothing yet"),
        Cell::When(Moment::of(line.created_at, visit.now)),
        if desk.may_write { Cell::Decide(approve, reject) } else { Cell::Nothing("") },
    ]
}
