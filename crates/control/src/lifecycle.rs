//! The end of an API: it is retired when its sunset comes.

use tollgate_domain::ApiState;

use crate::{Actor, ApiPatch, Control, Result};

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
}
