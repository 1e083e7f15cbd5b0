//! A month under another plan: what the same use would have come to.

use tollgate_domain::{CalendarMonth, OrganizationId, PlanId};
use tollgate_rating::{Bill, Tariff, rate};

use super::statement::{Charge, span, usage};
use crate::{Action, Actor, Control, Result};

/// A charge as it is, and as it would be.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// As it is.
    pub charge: Charge,
    /// What the other plan charges.
    pub tariff: Tariff,
    /// What the same use comes to under it.
    pub bill: Bill,
}

impl Control {
    /// What a month of an organization would have come to under another plan: the use that was counted, for the times that
    /// the subscriptions were in force, at the plan's present tariff. Of subscriptions to the plan's product alone.
    ///
    /// # Errors
    /// `NotFound`, the actor may not, or the database is away.
    pub async fn replay(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        month: CalendarMonth,
        plan: PlanId,
    ) -> Result<Vec<Replayed>> {
        let scope = actor.authorize(Action::ReadOrganization(organization))?;
        self.check_kept(month).await?;
        let product = self.store.get_plan(plan).await?.product_id;
        let tariff = self.plan_tariff(plan).await?.tariff;
        let mut replayed = Vec::new();
        for row in self.store.list_billable(scope, month).await? {
            if self.store.get_plan(row.plan_id).await?.product_id != product {
                continue;
            }
            let bill = rate(&tariff, span(&row, month), &usage(&row.used));
            replayed.push(Replayed { charge: Charge::of(row, month)?, tariff: tariff.clone(), bill });
        }
        Ok(replayed)
    }
}
