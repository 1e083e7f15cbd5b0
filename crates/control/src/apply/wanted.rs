//! A declared state, checked field by field: everything that can be said without the database.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};
use tollgate_domain::declared::State;
use tollgate_domain::{ApiId, ProductId, ServiceId, Slug};
use tollgate_openapi::Document;
use uuid::Uuid;

use super::names::{Names, declare_prices, tariff_of};
use super::resource::{Resource, pointer};
use crate::apis::read_document;
use crate::{Error, FieldFault, Result, pages, policies, portal};

/// A state spelt as it will be stored.
pub struct Wanted {
    /// Without the documents' texts.
    pub state: State,
    /// The documents, one place for each API.
    pub documents: Vec<Option<Published>>,
}

/// A document, and the digest of its JSON text.
pub struct Published {
    pub document: Document,
    pub digest: String,
}

impl Wanted {
    /// Checks a state; every fault's pointer is one into the state.
    pub async fn check(mut state: State) -> (Self, Vec<FieldFault>) {
        let mut faults = Vec::new();
        let names = invented(&state);
        twice(&state.services, &mut faults);
        twice(&state.apis, &mut faults);
        twice(&state.products, &mut faults);
        twice(&state.plans, &mut faults);
        twice(&state.policies, &mut faults);
        twice(&state.portals, &mut faults);
        twice(&state.pages, &mut faults);
        for (index, service) in state.services.iter().enumerate() {
            place(names.service_input(service).check(), &pointer("service", index), &mut faults);
        }
        let mut documents = Vec::with_capacity(state.apis.len());
        for (index, api) in state.apis.iter_mut().enumerate() {
            let pointer = pointer("api", index);
            if let Some(mut input) = names.api_input(api) {
                place(renamed(input.check()), &pointer, &mut faults);
                (api.hosts, api.sunset_at) = (input.hosts, input.sunset_at);
                api.policies = input.policies;
            }
            if api.successor.as_ref() == Some(&api.slug) {
                let message = "an API does not take its own place";
                faults.push(FieldFault::new(format!("{pointer}/successor"), message));
            }
            documents.push(match api.document.take() {
                None => None,
                Some(text) => match read_document(&text).await {
                    Ok(document) => {
                        let text = document.value().to_string();
                        let digest = Sha256::digest(text.as_bytes());
                        let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                        Some(Published { document, digest })
                    }
                    Err(error) => {
                        place(Err(error), &format!("{pointer}/document"), &mut faults);
                        None
                    }
                },
            });
        }
        for (index, product) in state.products.iter().enumerate() {
            if let Some(input) = names.product_input(product) {
                place(input.check(), &pointer("product", index), &mut faults);
            }
        }
        for (index, plan) in state.plans.iter_mut().enumerate() {
            if let Some(input) = names.plan_input(plan) {
                place(input.check(), &pointer("plan", index), &mut faults);
            }
            // Spelt as it will be stored: `0.20` is `0.2`.
            let read = tariff_of(plan).and_then(|tariff| declare_prices(plan, &tariff));
            place(read, &pointer("plan", index), &mut faults);
        }
        for (index, one) in state.policies.iter_mut().enumerate() {
            place(policies::check(one), &pointer("policies", index), &mut faults);
        }
        for (index, portal) in state.portals.iter_mut().enumerate() {
            place(portal::check(portal), &pointer("portal", index), &mut faults);
        }
        for (index, page) in state.pages.iter().enumerate() {
            place(pages::check(page), &pointer("page", index), &mut faults);
        }
        (Self { state, documents }, faults)
    }

    /// What is referred to but neither declared nor, unless what is not declared goes, exists.
    pub fn references(&self, existing: &Names, prune: bool) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let mut known = |kind: &str, slug: &Slug, declared: bool, exists: bool, pointer: String| {
            if declared || (exists && !prune) {
                return;
            }
            let message = match exists {
                true => {
                    format!("the {kind} `{slug}` is not declared, and what is not declared is to be deleted")
                }
                false => format!("there is no {kind} `{slug}`"),
            };
            faults.push(FieldFault::new(pointer, message));
        };
        let services: HashSet<&Slug> = self.state.services.iter().map(|service| &service.slug).collect();
        let apis: HashSet<&Slug> = self.state.apis.iter().map(|api| &api.slug).collect();
        let products: HashSet<&Slug> = self.state.products.iter().map(|product| &product.slug).collect();
        for (index, api) in self.state.apis.iter().enumerate() {
            let (slug, at) = (&api.service, format!("{}/service", pointer("api", index)));
            known("service", slug, services.contains(slug), existing.services.contains_key(slug), at);
            if let Some(slug) = &api.successor {
                let at = format!("{}/successor", pointer("api", index));
                known("api", slug, apis.contains(slug), existing.apis.contains_key(slug), at);
            }
        }
        for (index, product) in self.state.products.iter().enumerate() {
            for (item, slug) in product.apis.iter().enumerate() {
                let at = format!("{}/apis/{item}", pointer("product", index));
                known("api", slug, apis.contains(slug), existing.apis.contains_key(slug), at);
            }
        }
        for (index, plan) in self.state.plans.iter().enumerate() {
            let (slug, at) = (&plan.product, format!("{}/product", pointer("plan", index)));
            known("product", slug, products.contains(slug), existing.products.contains_key(slug), at);
        }
        faults
    }
}

/// Ids for everything that a state names, so that it can be checked before anything exists.
fn invented(state: &State) -> Names {
    let mut next = 0u128;
    let mut invent = || {
        next += 1;
        Uuid::from_u128(next)
    };
    let services = state.apis.iter().map(|api| api.service.clone());
    let apis = state.products.iter().flat_map(|product| product.apis.iter().cloned());
    let apis = apis.chain(state.apis.iter().filter_map(|api| api.successor.clone()));
    let products = state.plans.iter().map(|plan| plan.product.clone());
    // Equal slugs must get equal ids, or what is listed twice would pass.
    let mut apis_by_slug = BTreeMap::new();
    for slug in apis {
        apis_by_slug.entry(slug).or_insert_with(|| ApiId::from(invent()));
    }
    Names {
        services: services.map(|slug| (slug, ServiceId::from(Uuid::nil()))).collect(),
        apis: apis_by_slug,
        products: products.map(|slug| (slug, ProductId::from(Uuid::nil()))).collect(),
        plans: BTreeMap::new(),
        pages: BTreeMap::new(),
    }
}

/// Files name a successor by its slug.
fn renamed(result: Result<()>) -> Result<()> {
    match result {
        Err(Error::Invalid(mut faults)) => {
            for fault in faults.iter_mut().filter(|fault| fault.pointer == "/successor_id") {
                fault.pointer = "/successor".to_owned();
            }
            Err(Error::Invalid(faults))
        }
        other => other,
    }
}

fn twice<R: Resource>(resources: &[R], faults: &mut Vec<FieldFault>) {
    let mut seen = HashSet::new();
    for (index, resource) in resources.iter().enumerate() {
        if !seen.insert(resource.name()) {
            let pointer = format!("{}/slug", pointer(R::KIND, index));
            faults.push(FieldFault::new(pointer, format!("the {} is declared twice", R::KIND)));
        }
    }
}

/// Faults of one thing's input become faults of the state.
fn place(result: Result<()>, pointer: &str, faults: &mut Vec<FieldFault>) {
    match result {
        Ok(()) => {}
        Err(Error::Invalid(of_input)) => faults.extend(
            of_input
                .into_iter()
                .map(|fault| FieldFault::new(format!("{pointer}{}", fault.pointer), fault.message)),
        ),
        Err(other) => faults.push(FieldFault::new(pointer, other.to_string())),
    }
}
