//! Plain rows become a snapshot, or an error that names the row and the field.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tollgate_domain::{Blueprint, Limit, LimitKind, LimitPer};

use crate::admission::{Method, check_host, check_path};
use crate::gcra::Rate;
use crate::router::{Tables, pattern};
use crate::snapshot::{Api, IdMap, LimitCheck, Plan, PlanLimit, Route, Service, Snapshot};
use crate::target::{parse_target, schedule};

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
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Api => "api",
            Self::Route => "route",
            Self::Plan => "plan",
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

/// Compiles a blueprint.
///
/// # Errors
/// The first fault found, in the order services, plans, APIs, routes.
pub fn compile(blueprint: &Blueprint) -> Result<Snapshot, CompileError> {
    let services = blueprint.services.iter().map(compile_service).collect::<Result<Vec<_>, _>>()?;
    let mut plans = Vec::with_capacity(blueprint.plans.len());
    let mut plan_indices = IdMap::default();
    for plan in &blueprint.plans {
        if !blueprint.products.iter().any(|product| product.id == plan.product_id) {
            return Err(fault(Kind::Plan, plan.id, "product_id", "there is no such product"));
        }
        plan_indices.insert(plan.id, plans.len() as u32);
        plans.push(compile_plan(plan)?);
    }
    let mut routes = Vec::new();
    let mut apis = Vec::with_capacity(blueprint.apis.len());
    let mut tables = Tables::default();
    for api in &blueprint.apis {
        let service = services
            .iter()
            .position(|service| service.id == api.service_id)
            .ok_or_else(|| fault(Kind::Api, api.id, "service_id", "there is no such service"))?;
        if services[service].schedule.is_empty() {
            return Err(fault(Kind::Service, api.service_id, "targets", "no target takes calls"));
        }
        let known = |id| blueprint.products.iter().any(|product| product.id == id);
        if let Some(id) = api.product_ids.iter().find(|id| !known(**id)) {
            return Err(fault(Kind::Api, api.id, "product_ids", format_args!("there is no product {id}")));
        }
        for host in &api.hosts {
            if check_host(Some(host.as_bytes())).ok().as_deref() != Some(host.as_str()) {
                return Err(fault(
                    Kind::Api,
                    api.id,
                    "hosts",
                    format_args!("`{host}` is not a host in lower case without port"),
                ));
            }
        }
        let base_ok =
            api.base_path.is_empty() || (check_path(&api.base_path).is_ok() && !api.base_path.ends_with('/'));
        if !base_ok {
            return Err(fault(
                Kind::Api,
                api.id,
                "base_path",
                "it must be empty, or begin with / and not end with it, in canonical spelling",
            ));
        }
        for route in &api.routes {
            let method = Method::parse(&route.method).ok_or_else(|| {
                fault(Kind::Route, route.id, "method", format_args!("`{}` cannot be routed", route.method))
            })?;
            let template = format!("{}{}", api.base_path, route.path);
            let pattern = pattern(&api.base_path, &route.path)
                .map_err(|reason| fault(Kind::Route, route.id, "path", reason))?;
            let index = routes.len() as u32;
            routes.push(Route { id: route.id, method, template: template.into(), api: apis.len() as u32 });
            tables.add(&api.hosts, pattern, method, index, &routes)?;
        }
        apis.push(Api {
            id: api.id,
            slug: api.slug.as_str().into(),
            product_ids: api.product_ids.clone().into(),
            service: service as u32,
        });
    }
    let (hosts, any_host) = tables.build(&routes)?;
    Ok(Snapshot {
        epoch: blueprint.epoch,
        revision: blueprint.revision,
        hosts,
        any_host,
        routes,
        apis,
        services,
        plans,
        plan_indices,
    })
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
    Limit::check_all(&plan.limits)
        .map_err(|(at, reason)| fault(Kind::Plan, plan.id, format!("limits/{at}"), reason))?;
    let mut policy = String::new();
    let mut cell = 0;
    let mut limits = Vec::with_capacity(plan.limits.len());
    for limit in &plan.limits {
        if limit.visible {
            let comma = if policy.is_empty() { "" } else { ", " };
            let (name, q, w) = (&limit.name, limit.amount, limit.period.seconds());
            policy.push_str(&format!("{comma}\"{name}\";q={q};w={w}"));
        }
        let check = match limit.kind {
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
        limits_keys: plan.limits.iter().any(|limit| limit.per == LimitPer::Credential),
    })
}

#[cfg(test)]
mod tests;
