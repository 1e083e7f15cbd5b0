//! What a call costs and what may refuse it, beside an operation.

use tollgate_domain::PlanState;
use tollgate_store::{PlanRow, ProductRow, Store};

use crate::error::Fault;
use crate::pages::{catalog, problems};
use crate::show;

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
}

/// The plans of a product that developers are shown.
pub async fn plans(store: &Store, product: &ProductRow) -> Result<Vec<PlanLine>, Fault> {
    let line = |plan: &PlanRow| PlanLine {
        name: plan.name.clone(),
        price: if plan.price().minor == 0 { "free".into() } else { plan.price().to_string() },
        limits: show::limits(&plan.limits),
        announced: plan.state == PlanState::Announced,
    };
    Ok(catalog::shown_plans(store, product).await?.iter().map(line).collect())
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
        .map(|doc| RefusalLine {
            status: doc.status,
            tone: doc.tone(),
            code: doc.code.as_str(),
            title: doc.title.as_str(),
        })
        .collect()
}
