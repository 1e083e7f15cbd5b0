//! Ids by the names that declarations use, and the inputs of the single use cases made with them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tollgate_domain::declared::{self, Api, MeterPrice, Plan, Product, Service, State};
use tollgate_domain::{ApiId, Page, PageId, PlanId, ProductId, ServiceId, Slug};
use tollgate_rating::{Prices, Tariff};
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
    pub pages: BTreeMap<Slug, PageId>,
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
            match_headers: api.match_headers.clone(),
            metering: api.metering.clone(),
            policies: api.policies.clone(),
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

/// Declared prices as they are charged by: read, checked, and written in the shortest way.
///
/// # Errors
/// What cannot be charged by, with a pointer into the plan.
pub fn tariff_of(plan: &Plan) -> Result<Tariff> {
    let mut currencies = Vec::with_capacity(plan.currencies.len());
    for (index, prices) in plan.currencies.iter().enumerate() {
        let declared::Prices { currency, base_minor, meters, minimum_minor, setup_minor } = prices;
        currencies.push(Prices {
            currency: *currency,
            base_minor: *base_minor,
            meters: read_meters(meters, &format!("/currencies/{index}"))?,
            minimum_minor: *minimum_minor,
            setup_minor: *setup_minor,
        });
    }
    let tariff = Tariff {
        currency: plan.price.currency,
        base_minor: plan.price.minor,
        meters: read_meters(&plan.meters, "")?,
        minimum_minor: plan.minimum_minor,
        setup_minor: plan.setup_minor,
        trial: plan.trial.as_ref().map(|trial| translated(trial, "/trial")).transpose()?,
        currencies,
    };
    tariff.check().map_err(|fault| Error::invalid(fault.pointer, fault.message))?;
    Ok(tariff)
}

fn read_meters(meters: &[MeterPrice], base: &str) -> Result<Vec<tollgate_rating::MeterPrice>> {
    meters
        .iter()
        .enumerate()
        .map(|(index, meter)| translated(meter, &format!("{base}/meters/{index}")))
        .collect()
}

/// What is declared and what is charged by say the same in JSON.
fn translated<T: DeserializeOwned>(declared: &impl Serialize, pointer: &str) -> Result<T> {
    let read = serde_json::to_value(declared).and_then(serde_json::from_value);
    read.map_err(|error| Error::invalid(pointer, error.to_string()))
}

/// Puts the prices of a tariff into a plan, spelt as they are stored: `0.20` is `0.2`.
///
/// # Errors
/// They cannot be declared: a fault of ours.
pub fn declare_prices(plan: &mut Plan, tariff: &Tariff) -> Result<()> {
    plan.meters = translated(&tariff.meters, "/meters")?;
    plan.minimum_minor = tariff.minimum_minor;
    plan.setup_minor = tariff.setup_minor;
    plan.trial = tariff.trial.as_ref().map(|trial| translated(trial, "/trial")).transpose()?;
    plan.currencies = translated(&tariff.currencies, "/currencies")?;
    Ok(())
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
            match_headers: row.match_headers,
            metering: row.metering,
            policies: row.policies,
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
        let tariff = tariffs.remove(&row.id).and_then(|terms| serde_json::from_value::<Tariff>(terms).ok());
        let mut plan = Plan {
            product,
            slug: row.slug,
            name: row.name,
            summary: row.summary,
            state: row.state,
            approval: row.approval,
            price,
            meters: Vec::new(),
            minimum_minor: 0,
            setup_minor: 0,
            trial: None,
            currencies: Vec::new(),
            unpaid_landing: row.unpaid_landing,
            grace_days: row.grace_days,
            prepaid: row.prepaid,
            limits: row.limits,
        };
        // What is stored was checked before it was.
        if let Some(tariff) = tariff
            && let Err(error) = declare_prices(&mut plan, &tariff)
        {
            tracing::error!(%error, plan = %plan.slug, "a stored tariff cannot be declared");
        }
        state.plans.push(plan);
    }
    state.policies.extend(rows.policies.map(|row| row.policies));
    state.portals.extend(rows.portal.map(|row| row.portal));
    for row in rows.pages {
        names.pages.insert(row.slug.clone(), row.id);
        state.pages.push(Page::from(row));
    }
    (state, names)
}

fn inverse<K: Clone, V: Copy + Ord>(names: &BTreeMap<K, V>) -> BTreeMap<V, K> {
    names.iter().map(|(name, id)| (*id, name.clone())).collect()
}
