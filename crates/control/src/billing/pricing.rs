//! What usage of a plan costs.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{Currency, PlanId, SubscriptionId};
use tollgate_rating::{MeterPrice, Prices, Tariff, Trial};
use tollgate_store::TariffRow;

use crate::change::{Subject, before_after, check_version};
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// The part of a tariff that is not the plan's base fee.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pricing {
    /// What usage costs.
    pub meters: Vec<MeterPrice>,
    /// The least that base and usage together come to, in minor units.
    pub minimum_minor: u64,
    /// Due once, in minor units.
    pub setup_minor: u64,
    /// How long the plan can be tried.
    pub trial: Option<Trial>,
    /// The same in other currencies, base fees among them.
    pub currencies: Vec<Prices>,
}

impl Pricing {
    /// The tariff that it makes of a base fee.
    #[must_use]
    pub fn beside(self, currency: Currency, base_minor: u64) -> Tariff {
        let Self { meters, minimum_minor, setup_minor, trial, currencies } = self;
        Tariff { currency, base_minor, meters, minimum_minor, setup_minor, trial, currencies }
    }
}

/// What a plan charges whoever subscribes now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanTariff {
    /// Counts from 1 in its plan.
    pub number: i32,
    /// Base fee, meters and minimum.
    pub tariff: Tariff,
}

/// One of the prices that a plan had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanVersion {
    /// The price, by its number.
    pub price: PlanTariff,
    /// From then on whoever subscribed got it, until the next one.
    pub since: DateTime<Utc>,
    /// Subscriptions that are charged by it now.
    pub subscriptions: u64,
}

impl TryFrom<TariffRow> for PlanTariff {
    type Error = Error;

    fn try_from(row: TariffRow) -> Result<Self> {
        Ok(Self { number: row.number, tariff: read_terms(row.terms)? })
    }
}

pub(crate) fn read_terms(terms: serde_json::Value) -> Result<Tariff> {
    serde_json::from_value(terms).map_err(|error| Error::Internal(Box::new(error)))
}

/// The prices of a tariff in one of its currencies.
pub(super) fn read_prices(terms: serde_json::Value, currency: Currency) -> Result<Tariff> {
    let tariff = read_terms(terms)?;
    // Terms are written with one of the tariff's currencies, and tariffs never change.
    tariff.in_currency(currency).ok_or_else(|| Error::Internal("terms in a currency without prices".into()))
}

impl Control {
    /// What a subscription is charged by, in its currency, and until when its trial goes. One that never was active has
    /// what its plan charges now.
    ///
    /// # Errors
    /// `NotFound`, or the database is away.
    pub async fn subscription_tariff(
        &self,
        id: SubscriptionId,
        plan: PlanId,
    ) -> Result<(Tariff, Option<DateTime<Utc>>)> {
        match self.store.find_subscription_terms(id).await? {
            Some(row) if row.plan_id == plan => Ok((read_prices(row.terms, row.currency)?, row.trial_ends)),
            _ => Ok((self.plan_tariff(plan).await?.tariff, None)),
        }
    }

    /// What a plan charges whoever subscribes now.
    ///
    /// # Errors
    /// `NotFound`, or the database is away.
    pub async fn plan_tariff(&self, plan: PlanId) -> Result<PlanTariff> {
        self.store.get_tariff(plan).await?.try_into()
    }

    /// Every price that a plan had, the one of now first.
    ///
    /// # Errors
    /// `NotFound`, or the database is away.
    pub async fn plan_versions(&self, plan: PlanId) -> Result<Vec<PlanVersion>> {
        self.store.get_plan(plan).await?;
        let rows = self.store.list_tariffs(plan).await?.into_iter();
        rows.map(|row| {
            Ok(PlanVersion {
                since: row.tariff.created_at,
                subscriptions: row.subscriptions.unsigned_abs(),
                price: row.tariff.try_into()?,
            })
        })
        .collect()
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
        let tariff = pricing.beside(before.tariff.currency, before.tariff.base_minor);
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
