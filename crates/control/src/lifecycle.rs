//! The end of an API: whoever still calls it is reminded, and it is retired when its sunset comes.

use chrono::{DateTime, TimeDelta, Utc};
use tollgate_domain::ApiState;

use crate::jobs::Job;
use crate::{Actor, ApiPatch, Control, Result};

/// So many days before the end, the nearest first.
const DAYS_BEFORE: [i32; 3] = [1, 7, 30];

impl Control {
    /// Retires APIs whose sunset is past. Gateways refuse their calls from that instant on by themselves; this puts it on
    /// record, tells webhooks, and gives their paths free. One that cannot be changed holds up no other. Returns how many
    /// were retired.
    ///
    /// # Errors
    /// The database is away.
    pub async fn retire_apis(&self) -> Result<usize> {
        let mut retired = 0;
        for id in self.store.list_apis_past_sunset().await? {
            let patch = ApiPatch { state: Some(ApiState::Retired), ..ApiPatch::default() };
            match self.update_api(&Actor::system(), id, None, patch).await {
                Ok(_) => retired += 1,
                Err(error) => tracing::warn!(api = %id, %error, "an API past its sunset was not retired"),
            }
        }
        Ok(retired)
    }

    /// Queues a reminder of each API that ends in a month, in a week or tomorrow, once each. Where several days have come
    /// at once, the nearest is enough; who was told of the end itself after that day needs no reminder.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_apis(&self, now: DateTime<Utc>) -> Result<()> {
        for row in self.store.list_ending_apis(DAYS_BEFORE[2]).await? {
            let Some(sunset) = row.sunset_at else { continue };
            let reached = |days: &i32| sunset - TimeDelta::days(i64::from(*days)) <= now;
            let Some(days) = DAYS_BEFORE.into_iter().find(reached) else { continue };
            if row.deprecated_at.is_some_and(|at| at > sunset - TimeDelta::days(i64::from(days))) {
                continue;
            }
            let once = format!("api_reminder:{}:{}:{days}", row.id, sunset.timestamp());
            self.queue(&Job::RemindOfApi { api_id: row.id }, Some(&once), None).await?;
        }
        Ok(())
    }
}
