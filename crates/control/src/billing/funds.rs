//! How the money stands that the calls of a subscription depend on: what its spend cap and its organization's credits still
//! allow.

use chrono::{DateTime, Utc};
use tollgate_domain::{Amount, CalendarMonth, CapLanding, Funds, SubscriptionId};
use tollgate_store::{PlanRow, SubscriptionRow};

use super::spend_cap::{SpendStanding, window};
use crate::{Actor, Control, Result};

/// What the credits of an organization still allow one of its prepaid subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditsLeft {
    /// What is there, before what calls have taken this month is billed.
    pub balance: Amount,
    /// Calls of one unit each that it is paid for, those that gateways hold ready among them.
    pub calls_left: u64,
}

/// The money that calls depend on.
#[derive(Debug, Clone, Default)]
pub struct FundsStanding {
    /// The cap, where it has one.
    pub cap: Option<SpendStanding>,
    /// The credits, where the plan is prepaid.
    pub credits: Option<CreditsLeft>,
}

impl FundsStanding {
    /// The code that calls are refused with, and why; none while money allows them.
    #[must_use]
    pub fn refusal(&self) -> Option<(&'static str, String)> {
        if let Some(credits) = self.credits.filter(|credits| credits.calls_left == 0) {
            let because =
                format!("the plan is prepaid, and the credits ({}) pay for no further call", credits.balance);
            return Some(("credits_used_up", because));
        }
        let cap = self.cap.as_ref().filter(|cap| cap.is_reached())?;
        let refuses = match cap.landing {
            CapLanding::Block => true,
            CapLanding::Throttle => cap.free_plan.is_none(),
            CapLanding::Notify => false,
        };
        refuses.then(|| {
            ("spend_cap_reached", format!("{} of its cap of {} are spent this month", cap.spent, cap.cap))
        })
    }

    /// The free plan that calls are held to because the cap is reached.
    #[must_use]
    pub fn throttled_to(&self) -> Option<&str> {
        let cap = self.cap.as_ref()?;
        cap.free_plan.as_deref().filter(|_| cap.landing == CapLanding::Throttle && cap.is_reached())
    }
}

impl Control {
    /// How the money stands that the calls of a subscription depend on.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn funds_of(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        now: DateTime<Utc>,
    ) -> Result<FundsStanding> {
        let row = self.movable_subscription(actor, id).await?;
        let plan = self.store.get_plan(row.plan_id).await?;
        self.funds_standing(actor, &row, &plan, now).await
    }

    pub(crate) async fn funds_standing(
        &self,
        actor: &Actor,
        row: &SubscriptionRow,
        plan: &PlanRow,
        now: DateTime<Utc>,
    ) -> Result<FundsStanding> {
        let cap = self.spend_cap(actor, row.id, now).await?;
        let credits = match plan.prepaid {
            false => None,
            true => Some(self.credits_left(row, plan, now).await?),
        };
        Ok(FundsStanding { cap, credits })
    }

    async fn credits_left(
        &self,
        row: &SubscriptionRow,
        plan: &PlanRow,
        now: DateTime<Utc>,
    ) -> Result<CreditsLeft> {
        let currency = self.subscription_tariff(row.id, plan.id).await?.0.currency;
        let accounts = self.store.list_credit_accounts(row.organization_id).await?;
        let account = accounts.iter().find(|account| account.currency == currency);
        let month = window(CalendarMonth::of(now));
        let budget = self.store.find_money_budget(row.id, Funds::Credits, month).await?;
        let spent = self.store.weight_used(row.id, month).await?;
        Ok(CreditsLeft {
            balance: account.map_or(Amount { minor: 0, currency }, |account| account.balance()),
            // No budget, no loan: calls wait for one, and are refused where there is no money.
            calls_left: budget.unwrap_or(0).saturating_sub(spent),
        })
    }
}
