//! Plans: the terms of a product.

use serde_json::{Value, json};
use tollgate_domain::{InvalidLimit, Limit, PlanId, PlanState, Price, ProductId, Slug};
use tollgate_store::{NewPlan, PlanRow};
use uuid::Uuid;

use crate::apis::check_summary;
use crate::change::{Subject, before_after, check_version};
use crate::services::check_name;
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// What a plan is made from.
#[derive(Debug, Clone)]
pub struct PlanInput {
    /// The product it is for; never changes.
    pub product_id: ProductId,
    /// Its name in headers; unique in its product.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// One sentence, up to 500 characters.
    pub summary: String,
    /// Whether it can be chosen.
    pub state: PlanState,
    /// Whether an operator must approve a subscription.
    pub approval: bool,
    /// What it costs.
    pub price: Price,
    /// Its limits.
    pub limits: Vec<Limit>,
}

/// What to change about a plan; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct PlanPatch {
    /// Its name in headers.
    pub slug: Option<Slug>,
    /// Its name.
    pub name: Option<String>,
    /// One sentence.
    pub summary: Option<String>,
    /// Whether it can be chosen.
    pub state: Option<PlanState>,
    /// Whether an operator must approve a subscription.
    pub approval: Option<bool>,
    /// What it costs.
    pub price: Option<Price>,
    /// Its limits.
    pub limits: Option<Vec<Limit>>,
}

/// The most that a plan may cost, in minor units.
const PRICE_MINOR_MAX: u64 = 100_000_000_000;

impl From<PlanInput> for PlanPatch {
    /// Replaces everything.
    fn from(input: PlanInput) -> Self {
        Self {
            slug: Some(input.slug),
            name: Some(input.name),
            summary: Some(input.summary),
            state: Some(input.state),
            approval: Some(input.approval),
            price: Some(input.price),
            limits: Some(input.limits),
        }
    }
}

impl PlanInput {
    pub(crate) fn check(&self) -> Result<()> {
        let mut faults = Vec::new();
        check_name(&self.name, "/name", &mut faults);
        check_summary(&self.summary, "/summary", &mut faults);
        if self.price.minor > PRICE_MINOR_MAX {
            faults.push(FieldFault::new("/price/minor", format!("at most {PRICE_MINOR_MAX}")));
        }
        if self.price.per != tollgate_domain::Period::Month {
            faults.push(FieldFault::new("/price/per", "a price is per month"));
        }
        if let Err((index, fault)) = Limit::check_all(&self.limits) {
            let field = match fault {
                InvalidLimit::Name | InvalidLimit::DuplicateName => "/name",
                InvalidLimit::Amount => "/amount",
                InvalidLimit::Burst => "/burst",
                InvalidLimit::Period => "/period",
                InvalidLimit::Rollover => "/rollover",
                InvalidLimit::Alerts => "/alerts",
                InvalidLimit::QuotaShape | InvalidLimit::Budget | InvalidLimit::TooMany => "",
            };
            faults.push(FieldFault::new(format!("/limits/{index}{field}"), fault.to_string()));
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    pub(crate) fn row(&self, id: PlanId) -> NewPlan<'_> {
        NewPlan {
            id,
            product_id: self.product_id,
            slug: &self.slug,
            name: &self.name,
            summary: &self.summary,
            state: self.state,
            approval: self.approval,
            price: self.price,
            limits: &self.limits,
        }
    }

    pub(crate) fn audit(&self) -> Value {
        json!({
            "product_id": self.product_id, "slug": self.slug, "name": self.name, "summary": self.summary,
            "state": self.state, "approval": self.approval, "price": self.price, "limits": self.limits,
        })
    }
}

impl From<&PlanRow> for PlanInput {
    fn from(row: &PlanRow) -> Self {
        Self {
            product_id: row.product_id,
            slug: row.slug.clone(),
            name: row.name.clone(),
            summary: row.summary.clone(),
            state: row.state,
            approval: row.approval,
            price: row.price(),
            limits: row.limits.clone(),
        }
    }
}

impl Control {
    /// Adds a plan.
    ///
    /// # Errors
    /// `Invalid`, or the actor may not.
    pub async fn create_plan(&self, actor: &Actor, input: PlanInput) -> Result<PlanRow> {
        actor.authorize(Action::Publish)?;
        input.check()?;
        let id = PlanId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        match change.tx.reads().get_product(input.product_id).await {
            Err(tollgate_store::Error::NotFound(_)) => {
                return Err(Error::invalid("/product_id", "there is no such product"));
            }
            other => other.map(drop)?,
        }
        change.tx.insert_plan(&input.row(id)).await?;
        change.compile_and_commit("plan.create", subject(id), input.audit()).await?;
        Ok(self.store.get_plan(id).await?)
    }

    /// Changes a plan for everybody on it; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn update_plan(
        &self,
        actor: &Actor,
        id: PlanId,
        expected: Option<i64>,
        patch: PlanPatch,
    ) -> Result<PlanRow> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_plan(id).await?;
        check_version(expected, row.version)?;
        if !row.limits_are_whole && patch.limits.is_none() {
            let message = "a limit of this plan cannot be read, and would be lost: give all limits anew";
            return Err(Error::invalid("/limits", message));
        }
        let before = PlanInput::from(&row);
        let after = PlanInput {
            product_id: before.product_id,
            slug: patch.slug.unwrap_or_else(|| before.slug.clone()),
            name: patch.name.unwrap_or_else(|| before.name.clone()),
            summary: patch.summary.unwrap_or_else(|| before.summary.clone()),
            state: patch.state.unwrap_or(before.state),
            approval: patch.approval.unwrap_or(before.approval),
            price: patch.price.unwrap_or(before.price),
            limits: patch.limits.unwrap_or_else(|| before.limits.clone()),
        };
        after.check()?;
        let (old, new) = (before.audit(), after.audit());
        if old == new {
            return Ok(row);
        }
        change.tx.update_plan(&after.row(id)).await?;
        change.compile_and_commit("plan.update", subject(id), before_after(&old, &new)).await?;
        Ok(self.store.get_plan(id).await?)
    }

    /// Removes a plan that never had a subscription; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, `Conflict`, or the actor may not.
    pub async fn delete_plan(&self, actor: &Actor, id: PlanId, expected: Option<i64>) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_plan(id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_plan(id).await?;
        let details = json!({ "before": PlanInput::from(&row).audit() });
        change.compile_and_commit("plan.delete", subject(id), details).await
    }
}

const fn subject(id: PlanId) -> Subject {
    Subject { kind: "plan", id: id.uuid(), organization: None }
}
