//! Trials end by themselves; before they do, whoever pays is told.

use serde_json::json;
use tollgate_domain::Scope;
use tollgate_store::TrialEndingRow;

use crate::events::Event;
use crate::jobs::Job;
use crate::{Control, Result};

/// So many days before the end.
const DAYS_BEFORE: i32 = 3;

impl Control {
    /// Queues one mail to each owner, and one event, three days before a trial ends of a plan that costs something then.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_trials(&self) -> Result<()> {
        for TrialEndingRow { subscription_id, trial_ends } in
            self.store.list_ending_trials(DAYS_BEFORE).await?
        {
            let row = self.store.get_subscription(Scope::Operator, subscription_id).await?;
            let once = format!("{subscription_id}:{}", trial_ends.timestamp());
            for user_id in self.store.list_payers(row.organization_id).await? {
                let job = Job::TrialEnds { subscription_id, user_id };
                self.queue(&job, Some(&format!("trial_ends:{once}:{user_id}")), None).await?;
            }
            let data = json!({
                "subscription": {
                    "id": row.id, "organization_id": row.organization_id, "application_id": row.application_id,
                    "product_id": row.product_id, "plan_id": row.plan_id, "state": row.state,
                },
                "trial_ends_at": trial_ends,
            });
            let event = Event::of("subscription.trial_ending", row.organization_id, data);
            self.emit_once(&event, &format!("subscription.trial_ending:{once}")).await?;
        }
        Ok(())
    }
}
