//! Requests that wait for an operator, oldest first, with what is needed to decide.

use axum::extract::State;
use tollgate_domain::{OrganizationId, SubscriptionState};
use tollgate_store::browse::{SubscriptionFilter, SubscriptionLine};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::list::{Lead, Press};
use crate::parts::{Asked, Cell, List, Section};
use crate::session::Visit;
use crate::show::Moment;

/// `GET /admin/approvals`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_subscriptions(&visit)?;
    // Who has waited longest comes first.
    let cut = asked.cut(&["created"]);
    let filter = SubscriptionFilter {
        words: asked.get("q"),
        state: Some(SubscriptionState::Requested),
        ..SubscriptionFilter::default()
    };
    let found = state.store.browse_subscriptions(desk.scope, filter, &cut).await?;
    let mut asking: Vec<OrganizationId> = found.rows.iter().map(|line| line.organization_id).collect();
    asking.sort_unstable();
    asking.dedup();
    let held = state.store.active_subscriptions_of(&asking, 3).await?;
    let row = |line: SubscriptionLine| {
        let own = held.iter().filter(|one| one.organization_id == line.organization_id);
        let own: Vec<String> = own.map(|one| format!("{}: {}", one.product, one.plan)).collect();
        row(line, &own, &desk, &visit)
    };
    let list = List::new("approvals", "Waiting for approval")
        .column("Application")
        .column("Wants")
        .column("Has already")
        .sortable("Asked", &asked, "created", &cut)
        .acts()
        .or_empty(
            "check",
            "All done",
            "Nobody waits for an approval. Requests come from plans that ask for one.",
        )
        .searched(&asked, "application")
        .found(&asked, found, row);
    let waiting = !list.rows.is_empty() && desk.may_write;
    let sheet =
        sheet(&visit, "Approvals").await?.intro("Subscriptions that open only when you say so.").part(list);
    let keys = Section::Text(
        "With the keyboard: j and k move, a approves, r leads to the rejection and its reason.".into(),
    );
    let sheet = if waiting { sheet.part(keys) } else { sheet };
    sheet.answer(&visit, &asked)
}

fn row(line: SubscriptionLine, held: &[String], desk: &Desk, visit: &Visit) -> Vec<Cell> {
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
        Cell::text_or(held.join(", "), "nothing yet"),
        Cell::When(Moment::of(line.created_at, visit.now)),
        if desk.may_write { Cell::Decide(approve, reject) } else { Cell::Nothing("") },
    ]
}
