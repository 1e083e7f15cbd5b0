//! What comes in: every month for certain, this month so far, and what a month would have come to at other prices.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tollgate_domain::{Amount, CalendarMonth, Currency, PlanId, Scope};
use tollgate_rating::{LineKind, Tariff, rate};
use tollgate_store::{BillableRow, InvoiceSumRow};

use super::statement::{Charge, by_currency, span, usage};
use crate::{Action, Actor, Control, Result};

/// One plan's part, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRevenue {
    /// The product's name.
    pub product: String,
    /// Which plan.
    pub plan_id: PlanId,
    /// The plan's name.
    pub plan: String,
    /// Subscriptions that are in force now.
    pub subscriptions: u64,
    /// Their base fees of a whole month.
    pub recurring: Amount,
    /// What their use of this month comes to so far, minimums included: not billed yet.
    pub unbilled: Amount,
    /// What of open invoices that could not be collected is for it, taxes apart.
    pub failed: Amount,
}

/// What comes in.
#[derive(Debug, Clone)]
pub struct Revenue {
    /// By product and plan; those without money are left out.
    pub plans: Vec<PlanRevenue>,
    /// Base fees of a whole month, by currency.
    pub recurring: Vec<Amount>,
    /// This month's use so far, by currency.
    pub unbilled: Vec<Amount>,
    /// What could not be collected, by currency.
    pub failed: Vec<Amount>,
    /// Invoices by state and currency; those that are overdue apart.
    pub invoices: Vec<InvoiceSumRow>,
}

/// What a month came to, and what it would have come to at other prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowBill {
    /// The month.
    pub month: CalendarMonth,
    /// Subscriptions that were on the plan in it.
    pub subscriptions: usize,
    /// By currency.
    pub was: Vec<Amount>,
    /// By currency: each subscriber's own where there are prices in that, else the other prices' own.
    pub would_be: Vec<Amount>,
    /// Subscriptions that would have paid more, and less.
    pub dearer: usize,
    /// Less.
    pub cheaper: usize,
}

/// What a row came to, and what it would have at other prices in its currency; none where that is the same, or there are
/// no such prices.
pub(crate) fn shadow_of(
    row: &BillableRow,
    month: CalendarMonth,
    tariff: &Tariff,
) -> Result<Option<(Amount, Amount)>> {
    let charge = Charge::of(row.clone(), month)?;
    let currency = charge.tariff.currency;
    let Some(other) = tariff.in_currency(currency) else { return Ok(None) };
    let would_be = rate(&other, span(&charge.row, month), &usage(&charge.row.used)).total_minor;
    let amount = |minor| Amount { minor, currency };
    let was = charge.bill.total_minor;
    Ok((was != would_be).then(|| (amount(was), amount(would_be))))
}

impl Control {
    /// What comes in, as counted up to now.
    ///
    /// # Errors
    /// The actor may not, or the database is away or took too long.
    pub async fn revenue(&self, actor: &Actor, now: DateTime<Utc>) -> Result<Revenue> {
        actor.authorize(Action::ReadPlatform)?;
        let month = CalendarMonth::of(now);
        let rows = self.store.list_billable(Scope::Operator, month).await?;
        let in_force = self.store.list_recurring().await?;
        let mut plans: BTreeMap<(String, String, PlanId, &str), PlanRevenue> = BTreeMap::new();
        let blank = |product: &str, plan: &str, plan_id, currency: Currency| PlanRevenue {
            product: product.to_owned(),
            plan_id,
            plan: plan.to_owned(),
            subscriptions: 0,
            recurring: Amount { minor: 0, currency },
            unbilled: Amount { minor: 0, currency },
            failed: Amount { minor: 0, currency },
        };
        let failed = self.store.list_failed().await?;
        let codes: Vec<String> = in_force.iter().map(|row| row.currency.as_str().to_owned()).collect();
        for (row, code) in in_force.iter().zip(&codes) {
            let key = (row.product.clone(), row.plan.clone(), row.plan_id, code.as_str());
            let line =
                plans.entry(key).or_insert_with(|| blank(&row.product, &row.plan, row.plan_id, row.currency));
            line.subscriptions += row.subscriptions.unsigned_abs();
            line.recurring.minor = line.recurring.minor.saturating_add(row.base_minor.unsigned_abs());
        }
        let mut used: Vec<(BillableRow, Currency, u64)> = Vec::new();
        for row in rows {
            let charge = Charge::of(row, month)?;
            let of_use = charge
                .bill
                .lines
                .iter()
                .filter(|line| !matches!(line.kind, LineKind::Base | LineKind::Setup));
            let minor = of_use.fold(0u64, |sum, line| sum.saturating_add(line.minor));
            if minor > 0 {
                used.push((charge.row, charge.tariff.currency, minor));
            }
        }
        for (row, currency, minor) in &used {
            let key = (row.product.clone(), row.plan.clone(), row.plan_id, currency.as_str());
            let line =
                plans.entry(key).or_insert_with(|| blank(&row.product, &row.plan, row.plan_id, *currency));
            line.unbilled.minor = line.unbilled.minor.saturating_add(*minor);
        }
        for row in &failed {
            let key = (row.product.clone(), row.plan.clone(), row.plan_id, row.currency.as_str());
            let line =
                plans.entry(key).or_insert_with(|| blank(&row.product, &row.plan, row.plan_id, row.currency));
            line.failed.minor = line.failed.minor.saturating_add(row.amount_minor.max(0).unsigned_abs());
        }
        let is_money = |line: &PlanRevenue| {
            [line.recurring, line.unbilled, line.failed].iter().any(|amount| amount.minor > 0)
        };
        let plans: Vec<PlanRevenue> = plans.into_values().filter(is_money).collect();
        let sum = |of: fn(&PlanRevenue) -> Amount| {
            by_currency(plans.iter().map(of).map(|amount| (amount.currency, amount.minor)))
        };
        Ok(Revenue {
            recurring: sum(|line| line.recurring),
            unbilled: sum(|line| line.unbilled),
            failed: sum(|line| line.failed),
            plans,
            invoices: self.store.sum_invoices(now).await?,
        })
    }

    /// What a month that is over would have come to for whoever was on a plan, had they been charged by this tariff.
    ///
    /// # Errors
    /// The actor may not, or the database is away.
    pub async fn shadow_bill(
        &self,
        actor: &Actor,
        plan: PlanId,
        month: CalendarMonth,
        tariff: &Tariff,
    ) -> Result<ShadowBill> {
        actor.authorize(Action::ReadPlatform)?;
        self.check_kept(month).await?;
        let rows = self.store.list_billable(Scope::Operator, month).await?;
        let mut shadow = ShadowBill {
            month,
            subscriptions: 0,
            was: Vec::new(),
            would_be: Vec::new(),
            dearer: 0,
            cheaper: 0,
        };
        let (mut was, mut would_be) = (Vec::new(), Vec::new());
        for row in rows.into_iter().filter(|row| row.plan_id == plan) {
            let charge = Charge::of(row, month)?;
            let own = tariff.in_currency(charge.tariff.currency);
            let prices = own.as_ref().unwrap_or(tariff);
            let other = rate(prices, span(&charge.row, month), &usage(&charge.row.used)).total_minor;
            let held = charge.bill.total_minor;
            shadow.subscriptions += 1;
            if charge.tariff.currency == prices.currency {
                shadow.dearer += usize::from(other > held);
                shadow.cheaper += usize::from(other < held);
            }
            was.push((charge.tariff.currency, held));
            would_be.push((prices.currency, other));
        }
        shadow.was = by_currency(was.into_iter());
        shadow.would_be = by_currency(would_be.into_iter());
        Ok(shadow)
    }
}
