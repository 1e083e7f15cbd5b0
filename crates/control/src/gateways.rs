//! Gateways that are gone with their disks.

use serde_json::json;
use uuid::Uuid;

use crate::change::Subject;
use crate::{Action, Actor, Control, Error, Result};

impl Control {
    /// Says that the disk of a gateway is lost: what its processes were lent and did not hand in as spent can be lent again
    /// at once. Calls that they had served and not handed in are given a second time; one that comes back counts anew.
    /// Returns which processes those were.
    ///
    /// # Errors
    /// `NotFound` where none has the name and is not stopped; `Conflict` where it spoke within the last minute; or the actor
    /// may not.
    pub async fn forget_gateway(&self, actor: &Actor, name: &str) -> Result<Vec<Uuid>> {
        actor.authorize(Action::WritePlatform)?;
        let mut change = self.change(actor).await?;
        let gone = change.tx.forget_gateways(name).await?;
        let Some(first) = gone.first().copied() else {
            return Err(match self.store.gateway_last_seen(name).await? {
                Some(at) => Error::Conflict(format!("{name} was heard of at {at}; stop it first")),
                None => Error::NotFound("gateway"),
            });
        };
        let subject = Subject { kind: "gateway", id: first, organization: None };
        change.commit("gateway.forget", subject, json!({ "name": name, "processes": gone })).await?;
        self.store.reclaim_leases().await?;
        Ok(gone)
    }
}
