//! What a call costs and what may refuse it, beside an operation.

use tollgate_domain::PlanState;
use tollgate_store::ProductRow;

use crate::error::Fault;
use crate::pages::{billing, catalog, problems};
use crate::{PortalState, show};

/// One plan in a line.
pub struct PlanLine {
    pub name: String,
    pub price: String,
    pub limits: String,
    pub announced: bool,
}

/// One refusal of the gateway.
pub struct RefusalLine {
    pub status: u16,
    pub tone: &'static str,
    pub code: &'static str,
    pub title: &'static str,
    pub tag: &'static str,
}

/// The plans of a product that developers are shown.
pub async fn plans(state: &PortalState, product: &ProductRow) -> Result<Vec<PlanLine>, Fault> {
    let mut lines = Vec::new();
    for plan in catalog::shown_plans(&state.store, product).await? {
        lines.push(PlanLine {
            price: billing::in_short(&state.control.plan_tariff(plan.id).await?.tariff),
            limits: show::limits(&plan.limits),
            announced: plan.state == PlanState::Announced,
            name: plan.name,
        });
    }
    Ok(lines)
}

/// What callers meet, in the order in which the gateway looks.
const MET: [&str; 12] = [
    "missing_credential",
    "invalid_credential",
    "expired_credential",
    "not_entitled",
    "subscription_suspended",
    "payment_required",
    "rate_limited",
    "quota_exceeded",
    "spend_cap_reached",
    "credits_used_up",
    "upstream_unreachable",
    "upstream_timeout",
];

/// Refusals that any call may meet before the API sees it.
#[must_use]
pub fn refusals() -> Vec<RefusalLine> {
    MET.iter()
        .filter_map(|code| problems::DOCS.iter().find(|doc| doc.code == *code))
        .map(|doc| (doc, doc.shown()))
        .map(|(doc, shown)| RefusalLine {
            status: doc.status,
            tone: doc.tone(),
            code: doc.code.as_str(),
            title: shown.title,
            tag: shown.tag,
        })
        .collect()
}
