//! Compiles every part of a blueprint by itself: services, plans, and APIs with their routes.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;

use tollgate_domain::{ApiId, Blueprint, HeaderMatch, PlanId, ProductId, ServiceId, UnreadableRow};

use super::policies::{self, Guards};
use super::{CompileError, Kind, compile_plan, compile_service, fault, metering};
use crate::admission::{Method, check_host, check_path};
use crate::retired::Retired;
use crate::router::{Conditions, Tables, pattern};
use crate::rules::Names;
use crate::snapshot::{Api, IdMap, IdSet, Plan, Route, Service, Snapshot};

/// What breaks when a row is at fault; a route breaks its API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Service(ServiceId),
    Plan(PlanId),
    Api(ApiId),
    /// Those of the platform, which break everything.
    Policies,
}

/// A fault and the part it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) part: Part,
    pub(super) error: CompileError,
}

/// All of a blueprint that compiles, and all that does not.
pub(super) struct Compiled {
    pub(super) snapshot: Snapshot,
    pub(super) faults: Vec<Fault>,
}

/// Compiles a blueprint. Calls of what is at fault find their route and are refused, so that none of them is taken
/// by a wider route of somebody else.
pub(super) fn compile(blueprint: &Blueprint) -> Compiled {
    let mut faults = Faults::default();
    for row in &blueprint.unreadable {
        let (part, kind, id): (Part, Kind, &dyn Display) = match &row.row {
            UnreadableRow::Service(id) => (Part::Service(*id), Kind::Service, id),
            UnreadableRow::Plan(id) => (Part::Plan(*id), Kind::Plan, id),
            UnreadableRow::Api(id) => (Part::Api(*id), Kind::Api, id),
            UnreadableRow::Policies => (Part::Policies, Kind::Policies, &Kind::PLATFORM),
        };
        faults.add(part, fault(kind, id, row.field.as_str(), &row.reason));
    }
    for fault in policies::faults_of_platform(blueprint) {
        faults.add(Part::Policies, fault);
    }
    let mut guards = Guards::new(&blueprint.policies);
    let mut services = compile_services(blueprint, &mut faults);
    let mut service_indices: IdMap<ServiceId, usize> =
        services.iter().enumerate().map(|(at, service)| (service.id, at)).collect();
    let products: IdSet<ProductId> = blueprint.products.iter().map(|product| product.id).collect();
    let (plans, plan_indices) = compile_plans(blueprint, &products, &mut faults);

    let mut routes: Vec<Route> = Vec::new();
    let mut names: Vec<Names> = Vec::new();
    let mut apis: Vec<Api> = Vec::with_capacity(blueprint.apis.len());
    let mut tables = Tables::default();
    for api in &blueprint.apis {
        let part = Part::Api(api.id);
        let service = service_of(api, &mut services, &mut service_indices, &mut faults);
        check_products(api, &products, &mut faults);
        let hosts = check_hosts(api, &mut faults);
        let base_ok =
            api.base_path.is_empty() || (check_path(&api.base_path).is_ok() && !api.base_path.ends_with('/'));
        if !base_ok {
            let rule = "it must be empty, or begin with / and not end with it, in canonical spelling";
            faults.add(part, fault(Kind::Api, api.id, "base_path", rule));
        }
        let guard = guards.of_api(api);
        // Without any of its hosts it must not answer on all of them.
        let conditions = check_conditions(api, &mut faults);
        let has_place = base_ok && conditions.is_some() && (api.hosts.is_empty() || !hosts.is_empty());
        let conditions = conditions.unwrap_or_default();
        for route in api.routes.iter().filter(|_| has_place) {
            let Some(method) = Method::parse(&route.method) else {
                let reason = format_args!("`{}` cannot be routed", route.method);
                faults.add(part, fault(Kind::Route, route.id, "method", reason));
                continue;
            };
            let pattern = match pattern(&api.base_path, &route.path) {
                Ok(pattern) => pattern,
                Err(reason) => {
                    faults.add(part, fault(Kind::Route, route.id, "path", reason));
                    continue;
                }
            };
            let template = format!("{}{}", api.base_path, route.path);
            names.push(Names {
                operation_id: route.operation_id.as_str().into(),
                tags: route.tags.iter().map(|tag| tag.as_str().into()).collect(),
            });
            routes.push(Route {
                id: route.id,
                method,
                template: template.into(),
                units: api.metering.units_of(&route.method, &route.path),
                body_bytes_max: guards.body_bytes_max(api, route),
                guard: guards.of_route(api, route, guard.as_ref()),
                api: apis.len() as u32,
            });
            if let Err(fault) = tables.add(&hosts, &conditions, &pattern, &routes) {
                faults.add(part, fault);
            }
        }
        for fault in metering::check(api).err().into_iter().chain(policies::faults_of(api)) {
            faults.add(part, fault);
        }
        apis.push(Api {
            id: api.id,
            slug: api.slug.as_str().into(),
            product_ids: api.product_ids.clone().into(),
            readings: api.metering.readings.iter().map(metering::place).collect(),
            sunset_ns: sunset_ns(api),
            successor: api.deprecation.as_ref().and_then(|it| it.successor.as_deref().map(Arc::from)),
            charged: (!api.metering.charged.is_empty()).then(|| api.metering.charged.clone().into()),
            is_broken: false,
            service: service as u32,
        });
    }
    let built = tables.build(&routes);
    for (fault, lost) in built.left_out {
        for index in lost {
            let api = apis[routes[index as usize].api as usize].id;
            faults.add(Part::Api(api), fault.clone());
        }
    }
    for api in &mut apis {
        let service = services[api.service as usize].id;
        let parts = [Part::Policies, Part::Api(api.id), Part::Service(service)];
        api.is_broken = parts.iter().any(|part| faults.broken.contains(part));
    }
    let broken_plans = faults.broken.iter().filter_map(|part| match part {
        Part::Plan(id) => Some(*id),
        _ => None,
    });
    let api_indices = apis.iter().enumerate().map(|(at, api)| (api.id, at as u32)).collect();
    let snapshot = Snapshot {
        epoch: blueprint.epoch,
        revision: blueprint.revision,
        router: built.router,
        retired: Retired::of(&blueprint.retired),
        routes,
        names,
        apis,
        api_indices,
        services,
        plans,
        plan_indices,
        broken_plans: broken_plans.collect(),
        policy_counts: guards.counts(),
        serial: Snapshot::next_serial(),
    };
    Compiled { snapshot, faults: faults.all }
}

#[derive(Default)]
struct Faults {
    all: Vec<Fault>,
    broken: HashSet<Part>,
}

impl Faults {
    fn add(&mut self, part: Part, error: CompileError) {
        self.broken.insert(part);
        self.all.push(Fault { part, error });
    }
}

fn compile_services(blueprint: &Blueprint, faults: &mut Faults) -> Vec<Service> {
    let compiled = blueprint.services.iter().map(|service| {
        compile_service(service).unwrap_or_else(|error| {
            faults.add(Part::Service(service.id), error);
            Service::stub(service.id, &service.slug)
        })
    });
    compiled.collect()
}

fn compile_plans(
    blueprint: &Blueprint,
    products: &IdSet<ProductId>,
    faults: &mut Faults,
) -> (Vec<Plan>, IdMap<PlanId, u32>) {
    let mut plans = Vec::with_capacity(blueprint.plans.len());
    let mut indices = IdMap::default();
    for plan in &blueprint.plans {
        let compiled = match products.contains(&plan.product_id) {
            true => compile_plan(plan),
            false => Err(fault(Kind::Plan, plan.id, "product_id", "there is no such product")),
        };
        match compiled {
            Ok(compiled) => {
                indices.insert(plan.id, plans.len() as u32);
                plans.push(compiled);
            }
            Err(error) => faults.add(Part::Plan(plan.id), error),
        }
    }
    (plans, indices)
}

/// What an API's calls must say; none where it is at fault: without any of it the API must not answer all.
fn check_conditions(api: &tollgate_domain::Api, faults: &mut Faults) -> Option<Conditions> {
    if let Err(wrong) = HeaderMatch::check_all(&api.match_headers) {
        let field = format!("match_headers{}", wrong.pointer);
        faults.add(Part::Api(api.id), fault(Kind::Api, api.id, field, wrong.message));
        return None;
    }
    let mut conditions = api.match_headers.clone();
    conditions.sort();
    Some(conditions.into())
}

/// The instant from which on an API is not served.
fn sunset_ns(api: &tollgate_domain::Api) -> u64 {
    let sunset_s = api.deprecation.as_ref().and_then(|deprecation| deprecation.sunset_s);
    sunset_s.map_or(u64::MAX, |at| u64::try_from(at).unwrap_or(0).saturating_mul(1_000_000_000))
}

/// The index of an API's service; of one in its place where there is none that can be used.
fn service_of(
    api: &tollgate_domain::Api,
    services: &mut Vec<Service>,
    indices: &mut IdMap<ServiceId, usize>,
    faults: &mut Faults,
) -> usize {
    let part = Part::Service(api.service_id);
    let known = indices.get(&api.service_id).copied();
    if faults.broken.contains(&part) {
        // It is told what is wrong with it.
    } else if known.is_none() {
        faults.add(Part::Api(api.id), fault(Kind::Api, api.id, "service_id", "there is no such service"));
    } else if known.is_some_and(|at| services[at].schedule.is_empty()) {
        faults.add(part, fault(Kind::Service, api.service_id, "targets", "no target takes calls"));
    }
    known.unwrap_or_else(|| {
        indices.insert(api.service_id, services.len());
        services.push(Service::stub(api.service_id, ""));
        services.len() - 1
    })
}

fn check_products(api: &tollgate_domain::Api, products: &IdSet<ProductId>, faults: &mut Faults) {
    if let Some(id) = api.product_ids.iter().find(|id| !products.contains(*id)) {
        let reason = format_args!("there is no product {id}");
        faults.add(Part::Api(api.id), fault(Kind::Api, api.id, "product_ids", reason));
    }
}

/// The hosts that are some.
fn check_hosts(api: &tollgate_domain::Api, faults: &mut Faults) -> Vec<String> {
    let is_host = |host: &&String| check_host(Some(host.as_bytes())).ok().as_deref() == Some(host.as_str());
    let (sound, unsound): (Vec<&String>, Vec<&String>) = api.hosts.iter().partition(is_host);
    for host in unsound {
        let reason = format_args!("`{host}` is not a host in lower case without port");
        faults.add(Part::Api(api.id), fault(Kind::Api, api.id, "hosts", reason));
    }
    sound.into_iter().cloned().collect()
}
