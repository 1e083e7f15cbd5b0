//! Ids by the names that declarations use, and the inputs of the single use cases made with them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tollgate_domain::declared::{Api, MeterPrice, Plan, Product, Service, State};
use tollgate_domain::{ApiId, PlanId, ProductId, ServiceId, Slug};
use tollgate_rating::Tariff;
use tollgate_store::Publication;

use crate::{ApiInput, Error, PlanInput, ProductInput, Result, ServiceInput};

/// Which id each name stands for.
#[derive(Debug, Default)]
pub struct Names {
    pub services: BTreeMap<Slug, ServiceId>,
    pub apis: BTreeMap<Slug, ApiId>,
    pub products: BTreeMap<Slug, ProductId>,
    /// By product and slug.
    pub plans: BTreeMap<(Slug, Slug), PlanId>,
}

impl Names {
    pub fn service_input(&self, service: &Service) -> ServiceInput {
        ServiceInput {
            slug: service.slug.clone(),
            name: service.name.clone(),
            connect_timeout_ms: service.connect_timeout_ms,
            read_timeout_ms: service.read_timeout_ms,
            protocol: service.protocol,
            targets: service.targets.clone(),
        }
    }

    /// None where the service or the successor has no id.
    pub fn api_input(&self, api: &Api) -> Option<ApiInput> {
        Some(ApiInput {
            slug: api.slug.clone(),
            name: api.name.clone(),
            summary: api.summary.clone(),
            service_id: *self.services.get(&api.service)?,
            hosts: api.hosts.clone(),
            base_path: api.base_path.clone(),
            metering: api.metering.clone(),
            body_limits: api.body_limits.clone(),
            state: api.state,
            sunset_at: api.sunset_at,
            successor_id: match &api.successor {
                Some(successor) => Some(*self.apis.get(successor)?),
                None => None,
            },
        })
    }

    /// None where an API has no id.
    pub fn product_input(&self, product: &Product) -> Option<ProductInput> {
        Some(ProductInput {
            slug: product.slug.clone(),
            name: product.name.clone(),
            summary: product.summary.clone(),
            description: product.description.clone(),
            state: product.state,
            visibility: product.visibility,
            apis: product.apis.iter().map(|slug| self.apis.get(slug).copied()).collect::<Option<_>>()?,
        })
    }

    /// None where the product has no id.
    pub fn plan_input(&self, plan: &Plan) -> Option<PlanInput> {
        Some(PlanInput {
            product_id: *self.products.get(&plan.product)?,
            slug: plan.slug.clone(),
            name: plan.name.clone(),
            summary: plan.summary.clone(),
            state: plan.state,
            approval: plan.approval,
            price: plan.price,
            limits: plan.limits.clone(),
        })
    }
}

/// The part of a stored tariff that is declared beside the price.
#[derive(Default, Deserialize)]
struct Prices {
    meters: Vec<MeterPrice>,
    minimum_minor: u64,
}

/// Declared prices as they are charged by: read, checked, and written in the shortest way.
///
/// # Errors
/// What cannot be charged by, with a pointer into the plan.
pub fn tariff_of(plan: &Plan) -> Result<Tariff> {
    let mut meters = Vec::with_capacity(plan.meters.len());
    for (index, meter) in plan.meters.iter().enumerate() {
        let read = serde_json::to_value(meter).and_then(serde_json::from_value);
        meters.push(read.map_err(|error| Error::invalid(format!("/meters/{index}"), error.to_string()))?);
    }
    let tariff = Tariff {
        currency: plan.price.currency,
        base_minor: plan.price.minor,
        meters,
        minimum_minor: plan.minimum_minor,
    };
    tariff.check().map_err(|fault| Error::invalid(fault.pointer, fault.message))?;
    Ok(tariff)
}

/// Meters as one declares them.
pub fn declared_meters(tariff: &Tariff) -> Result<Vec<MeterPrice>> {
    let declared = serde_json::to_value(&tariff.meters).and_then(serde_json::from_value);
    declared.map_err(|error| Error::Internal(Box::new(error)))
}

/// Rows as their author would declare them, in the order of the rows, without documents; and their ids.
pub fn declared(rows: Publication) -> (State, Names) {
    let mut names = Names::default();
    let mut state = State::default();
    for row in rows.services {
        names.services.insert(row.slug.clone(), row.id);
        state.services.push(Service {
            slug: row.slug,
            name: row.name,
            connect_timeout_ms: row.connect_timeout_ms,
            read_timeout_ms: row.read_timeout_ms,
            protocol: row.protocol,
            targets: row.targets,
        });
    }
    let services: BTreeMap<ServiceId, Slug> = inverse(&names.services);
    let slugs: BTreeMap<ApiId, Slug> = rows.apis.iter().map(|row| (row.id, row.slug.clone())).collect();
    for row in rows.apis {
        names.apis.insert(row.slug.clone(), row.id);
        // A foreign key holds in one consistent read.
        let Some(service) = services.get(&row.service_id).cloned() else { continue };
        state.apis.push(Api {
            successor: row.successor().and_then(|id| slugs.get(&id).cloned()),
            sunset_at: row.sunset_at,
            slug: row.slug,
            name: row.name,
            summary: row.summary,
            service,
            hosts: row.hosts,
            base_path: row.base_path,
            metering: row.metering,
            body_limits: row.body_limits,
            state: row.state,
            document: None,
        });
    }
    for row in rows.products {
        names.products.insert(row.slug.clone(), row.id);
        let members = row.apis();
        state.products.push(Product {
            slug: row.slug,
            name: row.name,
            summary: row.summary,
            description: row.description,
            state: row.state,
            visibility: row.visibility,
            apis: members.iter().filter_map(|id| slugs.get(id).cloned()).collect(),
        });
    }
    let products: BTreeMap<ProductId, Slug> = inverse(&names.products);
    let mut tariffs: BTreeMap<PlanId, Value> = rows.tariffs.into_iter().collect();
    for row in rows.plans {
        let Some(product) = products.get(&row.product_id).cloned() else { continue };
        names.plans.insert((product.clone(), row.slug.clone()), row.id);
        let price = row.price();
        let prices = tariffs.remove(&row.id).and_then(|terms| serde_json::from_value(terms).ok());
        let prices: Prices = prices.unwrap_or_default();
        state.plans.push(Plan {
            product,
            slug: row.slug,
            name: row.name,
            summary: row.summary,
            state: row.state,
            approval: row.approval,
            price,
            meters: prices.meters,
            minimum_minor: prices.minimum_minor,
            limits: row.limits,
        });
    }
    (state, names)
}

fn inverse<K: Clone, V: Copy + Ord>(names: &BTreeMap<K, V>) -> BTreeMap<V, K> {
    names.iter().map(|(name, id)| (*id, name.clone())).collect()
}
