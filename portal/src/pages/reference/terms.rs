//! What a call costs and what may refuse it, beside an operation.

use tollgate_domain::{PlanState, PolicyScope, RatePolicy};
use tollgate_store::ProductRow;

use super::Reading;
use crate::error::Fault;
use crate::pages::{billing, catalog, problems};
use crate::say::say;
use crate::{PortalState, show};

/// One plan in a line.
pub struct PlanLine {
    pub name: String,
    pub price: String,
    pub limits: String,
    pub announced: bool,
}

/// A rate that every caller of an operation is held to, whatever its plan.
pub struct PolicyLine {
    /// As a refusal by it says.
    pub name: String,
    /// Like `5 requests per minute`.
    pub limit: String,
    /// Whose calls it counts together, and of what.
    pub counts: String,
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

/// The rates that hold for an operation besides those of plans.
pub async fn policies(state: &PortalState, reading: &Reading, id: &str) -> Result<Vec<PolicyLine>, Fault> {
    let Some(operation) = reading.document.operations().iter().find(|one| one.operation_id == id) else {
        return Ok(Vec::new());
    };
    let platform = state.store.get_policies().await?.policies;
    let scopes = reading.api.policies.scopes_of(&platform, &operation.method, &operation.path);
    Ok(scopes.flat_map(|(scope, own)| own.rates.iter().map(move |rate| policy(scope, rate))).collect())
}

fn policy(scope: PolicyScope, rate: &RatePolicy) -> PolicyLine {
    let counts = say("operation-policy-counts").with("per", rate.per.as_str()).with("scope", scope.as_str());
    PolicyLine { name: rate.name.clone(), limit: show::rate(rate), counts: counts.into() }
}

/// What callers meet, in the order in which the gateway looks.
const MET: [&str; 13] = [
    "address_not_allowed",
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
