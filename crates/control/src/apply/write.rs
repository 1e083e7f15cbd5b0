//! Does the steps of a change set inside one open change, each with its audit entry.

use std::collections::HashMap;

use serde_json::{Value, json};
use tollgate_domain::declared::{Api, Plan, Product, Service, State};
use tollgate_domain::{ApiId, Page, PageId, PlanId, Policies, Portal, ProductId, ServiceId, UnpaidLanding};
use tollgate_rating::Tariff;
use tollgate_store::UnpaidTermsRow;
use uuid::Uuid;

use super::change_set::{Step, Verb};
use super::names::{Names, tariff_of};
use super::resource::{Resource, pointer};
use super::wanted::Wanted;
use crate::apis::put_document;
use crate::change::{Change, Subject, before_after};
use crate::{Error, FieldFault, Result, policies, portal};

/// What the steps are done with.
pub struct Writer<'a, 'b> {
    change: &'a mut Change<'b>,
    wanted: &'a Wanted,
    held: Held<'a>,
    /// Grows with what is made.
    names: &'a mut Names,
}

/// What holds, by name.
struct Held<'a> {
    services: HashMap<String, &'a Service>,
    apis: HashMap<String, &'a Api>,
    products: HashMap<String, &'a Product>,
    plans: HashMap<String, &'a Plan>,
    policies: Option<&'a Policies>,
    portal: Option<&'a Portal>,
    pages: HashMap<String, &'a Page>,
}

impl<'a, 'b> Writer<'a, 'b> {
    pub fn new(
        change: &'a mut Change<'b>,
        wanted: &'a Wanted,
        current: &'a State,
        names: &'a mut Names,
    ) -> Self {
        let held = Held {
            services: by_name(&current.services),
            apis: by_name(&current.apis),
            products: by_name(&current.products),
            plans: by_name(&current.plans),
            policies: current.policies.first(),
            portal: current.portals.first(),
            pages: by_name(&current.pages),
        };
        // An API may be succeeded by one that is made after it.
        for api in &wanted.state.apis {
            names.apis.entry(api.slug.clone()).or_insert_with(|| ApiId::from(Uuid::now_v7()));
        }
        Self { change, wanted, held, names }
    }

    /// Does one step; what refuses it is told with a pointer into the wanted state.
    pub async fn step(&mut self, step: &Step) -> Result<()> {
        let done = match step.kind {
            "service" => self.service(step).await,
            "api" => self.api(step).await,
            "product" => self.product(step).await,
            "plan" => self.plan(step).await,
            "policies" => self.policies(step).await,
            "portal" => self.portal(step).await,
            _ => self.page(step).await,
        };
        done.map_err(|error| placed(error, step))
    }

    async fn note(&mut self, step: &Step, id: Uuid, details: Value) -> Result<()> {
        let verb = match step.verb {
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Delete => "delete",
        };
        let subject = Subject { kind: step.kind, id, organization: None };
        self.change.note(&format!("{}.{verb}", step.kind), &subject, &details).await
    }

    async fn service(&mut self, step: &Step) -> Result<()> {
        let before = self.held.services.get(&step.name).map(|held| self.names.service_input(held));
        let Some(wanted) = self.wanted.state.services.get(step.index) else {
            let before = before.ok_or_else(lost)?;
            let id = self.names.services.remove(&before.slug).ok_or_else(lost)?;
            self.change.tx.delete_service(id).await?;
            return self.note(step, id.uuid(), json!({ "before": before.audit() })).await;
        };
        let input = self.names.service_input(wanted);
        let id = *self
            .names
            .services
            .entry(wanted.slug.clone())
            .or_insert_with(|| ServiceId::from(Uuid::now_v7()));
        let details = match before {
            None => {
                self.change.tx.insert_service(&input.row(id)).await?;
                input.audit()
            }
            Some(before) => {
                self.change.tx.update_service(&input.row(id)).await?;
                before_after(&before.audit(), &input.audit())
            }
        };
        self.note(step, id.uuid(), details).await
    }

    async fn api(&mut self, step: &Step) -> Result<()> {
        let before = self.held.apis.get(&step.name).and_then(|held| self.names.api_input(held));
        let Some(wanted) = self.wanted.state.apis.get(step.index) else {
            let before = before.ok_or_else(lost)?;
            // Its name stays: it may be what takes the place of another that goes as well.
            let id = *self.names.apis.get(&before.slug).ok_or_else(lost)?;
            self.change.tx.delete_api(id).await?;
            return self.note(step, id.uuid(), json!({ "before": before.audit() })).await;
        };
        let input = self.names.api_input(wanted).ok_or_else(lost)?;
        let id = *self.names.apis.get(&wanted.slug).ok_or_else(lost)?;
        let mut details = match before {
            None => {
                self.change.tx.insert_api(&input.row(id)).await?;
                input.audit()
            }
            Some(_) if step.fields.is_empty() => json!({}),
            Some(before) => {
                self.change.tx.update_api(&input.row(id)).await?;
                before_after(&before.audit(), &input.audit())
            }
        };
        let published = self.wanted.documents.get(step.index).and_then(Option::as_ref);
        if let (Some(operations), Some(published)) = (&step.operations, published) {
            details["document"] = put_document(&mut self.change.tx, id, &published.document).await?.into();
            details["operations"] = operations.total.into();
        }
        self.note(step, id.uuid(), details).await
    }

    async fn product(&mut self, step: &Step) -> Result<()> {
        let before = self.held.products.get(&step.name).and_then(|held| self.names.product_input(held));
        let Some(wanted) = self.wanted.state.products.get(step.index) else {
            let before = before.ok_or_else(lost)?;
            let id = self.names.products.remove(&before.slug).ok_or_else(lost)?;
            self.change.tx.delete_product(id).await?;
            return self.note(step, id.uuid(), json!({ "before": before.audit() })).await;
        };
        let input = self.names.product_input(wanted).ok_or_else(lost)?;
        let id = *self
            .names
            .products
            .entry(wanted.slug.clone())
            .or_insert_with(|| ProductId::from(Uuid::now_v7()));
        let details = match before {
            None => {
                self.change.tx.insert_product(&input.row(id)).await?;
                input.audit()
            }
            Some(before) => {
                self.change.tx.update_product(&input.row(id)).await?;
                before_after(&before.audit(), &input.audit())
            }
        };
        self.note(step, id.uuid(), details).await
    }

    async fn plan(&mut self, step: &Step) -> Result<()> {
        let held = self.held.plans.get(&step.name).copied();
        let before = held.and_then(|held| self.names.plan_input(held));
        let Some(wanted) = self.wanted.state.plans.get(step.index) else {
            let (held, before) = held.zip(before).ok_or_else(lost)?;
            let name = (held.product.clone(), held.slug.clone());
            let id = self.names.plans.remove(&name).ok_or_else(lost)?;
            self.change.tx.delete_plan(id).await?;
            return self.note(step, id.uuid(), json!({ "before": before.audit() })).await;
        };
        let input = self.names.plan_input(wanted).ok_or_else(lost)?;
        let name = (wanted.product.clone(), wanted.slug.clone());
        let id = *self.names.plans.entry(name).or_insert_with(|| PlanId::from(Uuid::now_v7()));
        let tariff = tariff_of(wanted)?;
        let details = match before {
            None => {
                self.change.tx.insert_plan(&input.row(id)).await?;
                input.audit()
            }
            Some(before) => {
                if before.price.currency != tariff.currency {
                    // One tariff has one currency: the old prices go before the new currency comes.
                    self.price(id, &Tariff::flat(before.price.currency, before.price.minor)).await?;
                }
                self.change.tx.update_plan(&input.row(id)).await?;
                before_after(&before.audit(), &input.audit())
            }
        };
        self.note(step, id.uuid(), details).await?;
        let subject = Subject { kind: "plan", id: id.uuid(), organization: None };
        let late = |plan: &Plan| (plan.unpaid_landing, plan.grace_days);
        if late(wanted) != held.map_or((UnpaidLanding::Block, None), late) {
            let (landing, grace_days) = late(wanted);
            self.change.tx.update_unpaid_terms(id, UnpaidTermsRow { landing, grace_days }).await?;
            let details = json!({ "unpaid_landing": landing, "grace_days": grace_days });
            self.change.note("plan.late_payers", &subject, &details).await?;
        }
        if wanted.prepaid != held.is_some_and(|held| held.prepaid) {
            self.change.tx.set_prepaid(id, wanted.prepaid).await?;
            self.change.note("plan.prepaid", &subject, &json!({ "prepaid": wanted.prepaid })).await?;
        }
        if let Some((old, new)) = self.price(id, &tariff).await? {
            self.change.note("plan.price", &subject, &before_after(&old, &new)).await?;
        }
        Ok(())
    }

    async fn policies(&mut self, step: &Step) -> Result<()> {
        let before = self.held.policies.map(|held| json!(held));
        let id = policies::subject().id;
        let Some(wanted) = self.wanted.state.policies.get(step.index) else {
            self.change.tx.delete_policies().await?;
            return self.note(step, id, json!({ "before": before })).await;
        };
        self.change.tx.put_policies(wanted).await?;
        let after = json!(wanted);
        let details = before.map_or_else(|| after.clone(), |before| before_after(&before, &after));
        self.note(step, id, details).await
    }

    async fn portal(&mut self, step: &Step) -> Result<()> {
        let before = self.held.portal.map(portal::audit);
        let id = portal::subject().id;
        let Some(wanted) = self.wanted.state.portals.get(step.index) else {
            self.change.tx.delete_portal().await?;
            return self.note(step, id, json!({ "before": before })).await;
        };
        self.change.tx.put_portal(wanted).await?;
        let after = portal::audit(wanted);
        let details = before.map_or_else(|| after.clone(), |before| before_after(&before, &after));
        self.note(step, id, details).await
    }

    async fn page(&mut self, step: &Step) -> Result<()> {
        let before = self.held.pages.get(&step.name).copied();
        let Some(wanted) = self.wanted.state.pages.get(step.index) else {
            let before = before.ok_or_else(lost)?;
            let id = self.names.pages.remove(&before.slug).ok_or_else(lost)?;
            self.change.tx.delete_page(id).await?;
            return self.note(step, id.uuid(), json!({ "before": before })).await;
        };
        let id = *self.names.pages.entry(wanted.slug.clone()).or_insert_with(|| PageId::from(Uuid::now_v7()));
        let details = match before {
            None => {
                self.change.tx.insert_page(id, wanted).await?;
                json!(wanted)
            }
            Some(before) => {
                self.change.tx.update_page(id, wanted).await?;
                before_after(&json!(before), &json!(wanted))
            }
        };
        self.note(step, id.uuid(), details).await
    }

    /// Gives a plan its next tariff where it has another one: before and after.
    async fn price(&mut self, id: PlanId, tariff: &Tariff) -> Result<Option<(Value, Value)>> {
        let held = self.change.tx.get_tariff(id).await?;
        let before: Tariff =
            serde_json::from_value(held.terms.clone()).map_err(|error| Error::Internal(Box::new(error)))?;
        if before == *tariff {
            return Ok(None);
        }
        let terms = json!(tariff);
        self.change.tx.insert_tariff(id, held.number + 1, &terms).await?;
        Ok(Some((held.terms, terms)))
    }
}

fn by_name<R: Resource>(resources: &[R]) -> HashMap<String, &R> {
    resources.iter().map(|resource| (resource.name(), resource)).collect()
}

/// References were checked and steps follow dependency, so every name has an id by the time it is used.
fn lost() -> Error {
    Error::Internal("a step came before what it depends on".into())
}

/// What the database refused, where the author declared it.
fn placed(error: Error, step: &Step) -> Error {
    let message = |text: String| match step.verb {
        Verb::Delete => format!("{} {} cannot be deleted: {text}", step.kind, step.name),
        Verb::Create | Verb::Update => text,
    };
    let base = match step.verb {
        Verb::Delete => String::new(),
        Verb::Create | Verb::Update => pointer(step.kind, step.index),
    };
    match error {
        Error::Invalid(faults) => Error::Invalid(
            faults
                .into_iter()
                .map(|fault| match step.verb {
                    Verb::Delete => FieldFault::new("", message(fault.message)),
                    _ => FieldFault::new(format!("{base}{}", fault.pointer), fault.message),
                })
                .collect(),
        ),
        Error::Conflict(text) if step.kind == "api" && step.verb != Verb::Delete => {
            Error::invalid(format!("{base}/document"), text)
        }
        Error::Conflict(text) => Error::invalid(base, message(text)),
        other => other,
    }
}
