//! Incidents: noticed by what gateways counted, and over when calls go well again or nobody calls any more.

use chrono::{DateTime, TimeDelta, Utc};
use tollgate_domain::Trouble;

use crate::{Control, Result};

/// The time that is looked at, as the status page does.
pub const HEALTH_WINDOW: TimeDelta = TimeDelta::minutes(15);
/// Fewer calls say too little for something to begin; for it to go on, one is enough.
const CALLS_MIN: i64 = 20;

impl Control {
    /// Notes which APIs fail calls now, and what is over. A gateway's refusals are the callers' and do not count.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_health(&self, now: DateTime<Utc>) -> Result<()> {
        let troubled = self.store.list_troubled().await?;
        let mut lasting = Vec::new();
        for health in self.store.api_health(now - HEALTH_WINDOW).await? {
            let Some(trouble) = Trouble::of(health.calls, health.failed) else { continue };
            if health.calls < CALLS_MIN && !troubled.contains(&health.api_id) {
                continue;
            }
            if self.store.note_trouble(health.api_id, trouble, health.calls, health.failed).await? {
                tracing::warn!(api = %health.api_id, %trouble, calls = health.calls, failed = health.failed, "an API fails calls");
            }
            lasting.push(health.api_id);
        }
        if self.store.end_trouble(&lasting).await? > 0 {
            tracing::info!("an API answers as it should again");
        }
        Ok(())
    }
}
