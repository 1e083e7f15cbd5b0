//! What usage of a plan costs.

use serde_json::json;
use tollgate_domain::PlanId;
use tollgate_rating::{MeterPrice, Tariff};
use tollgate_store::TariffRow;

use crate::change::{Subject, before_after, check_version};
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// The part of a tariff that is not the plan's base fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    /// What usage costs.
    pub meters: Vec<MeterPrice>,
    /// The least that base and usage together come to, in minor units.
    pub minimum_minor: u64,
}

/// What a plan charges whoever subscribes now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanTariff {
    /// Counts from 1 in its plan.
    pub number: i32,
    /// Base fee, meters and minimum.
    pub tariff: Tariff,
}

impl TryFrom<TariffRow> for PlanTariff {
    type Error = Error;

    fn try_from(row: TariffRow) -> Result<Self> {
        Ok(Self { number: row.number, tariff: read_terms(row.terms)? })
    }
}

pub(super) fn read_terms(terms: serde_json::Value) -> Result<Tariff> {
    serde_json::from_value(terms).map_err(|error| Error::Internal(Box::new(error)))
}

impl Control {
    /// What a plan charges whoever subscribes now.
    ///
    /// # Errors
    /// `NotFound`, or the database is away.
    pub async fn plan_tariff(&self, plan: PlanId) -> Result<PlanTariff> {
        self.store.get_tariff(plan).await?.try_into()
    }

    /// Prices the usage of a plan from now on: whoever subscribed before keeps the tariff of then. With `expected`, only
    /// where that is the plan's version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn price_plan(
        &self,
        actor: &Actor,
        plan: PlanId,
        expected: Option<i64>,
        pricing: Pricing,
    ) -> Result<PlanTariff> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        check_version(expected, change.tx.lock_plan(plan).await?.version)?;
        let before: PlanTariff = change.tx.get_tariff(plan).await?.try_into()?;
        let Pricing { meters, minimum_minor } = pricing;
        let tariff = Tariff { meters, minimum_minor, ..before.tariff.clone() };
        tariff
            .check()
            .map_err(|fault| Error::Invalid(vec![FieldFault::new(fault.pointer, fault.message)]))?;
        if tariff == before.tariff {
            return Ok(before);
        }
        let after = PlanTariff { number: before.number + 1, tariff };
        change.tx.insert_tariff(plan, after.number, &json!(after.tariff)).await?;
        let subject = Subject { kind: "plan", id: plan.uuid(), organization: None };
        let details = before_after(&json!(before.tariff), &json!(after.tariff));
        change.commit("plan.price", subject, details).await?;
        Ok(after)
    }
}
