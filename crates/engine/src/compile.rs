//! Plain rows become a snapshot; each fault names its row and field, and breaks the part it lies in but no other.

mod metering;
mod parts;
mod policies;
mod tolerant;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tollgate_domain::{Blueprint, Enforcement, Funds, Limit, LimitKind, LimitPer};

use crate::gcra::Rate;
use crate::lease::key_of;
use crate::snapshot::{LimitCheck, Plan, PlanLimit, Service, Snapshot};
use crate::target::{parse_target, schedule};

pub use tolerant::{Tolerated, compile_what_can_be};

/// What kind of row is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A service.
    Service,
    /// An API.
    Api,
    /// A route.
    Route,
    /// A plan.
    Plan,
    /// The policies of the platform.
    Policies,
}

impl Kind {
    /// The id of what there is one of.
    pub const PLATFORM: &'static str = "platform";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Api => "api",
            Self::Route => "route",
            Self::Plan => "plan",
            Self::Policies => "policies",
        })
    }
}

/// Why a blueprint cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {id}: {field}: {reason}")]
pub struct CompileError {
    /// The kind of row.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// The field, like `targets/0/url`.
    pub field: String,
    /// One sentence.
    pub reason: String,
    /// The id of the other row, where two collide.
    pub collides_with: Option<String>,
}

impl CompileError {
    pub(crate) fn with(self, other: impl fmt::Display) -> Self {
        Self { collides_with: Some(other.to_string()), ..self }
    }
}

pub(crate) fn fault(
    kind: Kind,
    id: impl fmt::Display,
    field: impl Into<String>,
    reason: impl fmt::Display,
) -> CompileError {
    CompileError {
        kind,
        id: id.to_string(),
        field: field.into(),
        reason: reason.to_string(),
        collides_with: None,
    }
}

/// Compiles a blueprint that must be whole.
///
/// # Errors
/// The first fault, in the order policies of the platform, services, plans, APIs, routes.
pub fn compile(blueprint: &Blueprint) -> Result<Snapshot, CompileError> {
    let compiled = parts::compile(blueprint);
    compiled.faults.into_iter().next().map_or(Ok(compiled.snapshot), |fault| Err(fault.error))
}

/// Everything that is wrong with a blueprint, in the order of [`compile`].
#[must_use]
pub fn faults_of(blueprint: &Blueprint) -> Vec<CompileError> {
    parts::compile(blueprint).faults.into_iter().map(|fault| fault.error).collect()
}

fn compile_service(service: &tollgate_domain::Service) -> Result<Service, CompileError> {
    if service.targets.len() > usize::from(u16::MAX) {
        return Err(fault(Kind::Service, service.id, "targets", "there are more than 65535"));
    }
    let targets = service
        .targets
        .iter()
        .enumerate()
        .map(|(at, target)| {
            parse_target(&target.url, target.weight)
                .map_err(|reason| fault(Kind::Service, service.id, format!("targets/{at}/url"), reason))
        })
        .collect::<Result<Box<[_]>, _>>()?;
    for (field, value) in
        [("connect_timeout_ms", service.connect_timeout_ms), ("read_timeout_ms", service.read_timeout_ms)]
    {
        if value == 0 {
            return Err(fault(Kind::Service, service.id, field, "it must be at least 1"));
        }
    }
    let weights: Vec<u16> = targets.iter().map(|target| target.weight).collect();
    Ok(Service {
        id: service.id,
        slug: service.slug.as_str().into(),
        connect_timeout_ms: service.connect_timeout_ms,
        read_timeout_ms: service.read_timeout_ms,
        protocol: service.protocol,
        schedule: schedule(&weights),
        targets,
        turn: AtomicUsize::new(0),
    })
}

fn compile_plan(plan: &tollgate_domain::Plan) -> Result<Plan, CompileError> {
    // What money allows is no plan's limit, and is not counted among them.
    let (kept, own): (Vec<Limit>, Vec<Limit>) =
        plan.limits.iter().cloned().partition(|limit| limit.funds() != Funds::Units);
    if kept.iter().any(|limit| !limit.is_leased()) {
        return Err(fault(Kind::Plan, plan.id, "limits", "what money allows is leased"));
    }
    Limit::check_all(&own)
        .map_err(|(at, reason)| fault(Kind::Plan, plan.id, format!("limits/{at}"), reason))?;
    let mut policy = String::new();
    let (mut cell, mut leases) = (0, 0);
    let mut limits = Vec::with_capacity(plan.limits.len());
    for limit in &plan.limits {
        if limit.visible && limit.budget.enforcement != Enforcement::Soft {
            let comma = if policy.is_empty() { "" } else { ", " };
            let (name, q, w) = (&limit.name, limit.amount, limit.period.seconds());
            policy.push_str(&format!("{comma}\"{name}\";q={q};w={w}"));
        }
        let check = match limit.kind {
            // Nothing is refused for it.
            LimitKind::Quota if limit.budget.enforcement == Enforcement::Soft => continue,
            LimitKind::Quota if limit.is_leased() => {
                let funds = limit.funds();
                let cell = funds.cell(leases);
                leases += usize::from(funds == Funds::Units);
                LimitCheck::Lease { cell, key: key_of(&limit.name), funds }
            }
            LimitKind::Quota => LimitCheck::Quota,
            LimitKind::Rate => {
                let burst = limit.burst.unwrap_or(limit.amount);
                let rate = Rate::new(limit.amount, limit.period.seconds(), burst);
                // A key's meter and a subscription's have cells of their own, but one numbering serves both.
                cell += 1;
                LimitCheck::Rate { rate, cell: cell - 1, per: limit.per }
            }
        };
        limits.push(PlanLimit {
            name: Arc::from(limit.name.as_str()),
            amount: limit.amount,
            period: limit.period,
            visible: limit.visible,
            check,
            header_start: format!("\"{}\";r=", limit.name).into(),
        });
    }
    debug_assert!(plan.limits.iter().all(|l| l.kind == LimitKind::Rate || l.per == LimitPer::Subscription));
    Ok(Plan {
        id: plan.id,
        product_id: plan.product_id,
        slug: plan.slug.as_str().into(),
        limits: limits.into(),
        policy_header: (!policy.is_empty()).then(|| policy.into()),
        fallback: plan.fallback,
        uncharged: plan.uncharged,
        limits_keys: plan.limits.iter().any(|limit| limit.per == LimitPer::Credential),
    })
}

#[cfg(test)]
mod tests;
