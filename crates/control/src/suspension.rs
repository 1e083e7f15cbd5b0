//! Stopping an organization or a person at once, and letting them go on.

use serde_json::json;
use tollgate_domain::{OrganizationId, UserId};

use crate::change::Subject;
use crate::{Action, Actor, Control, Error, Result, Who};

impl Control {
    /// Stops an organization: its applications are suspended, so that their calls fail with 403, and it makes no new ones.
    /// Or lets it go on with exactly the applications that were stopped with it. Returns how many those were; doing it
    /// twice is no error.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn suspend_organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
        suspend: bool,
    ) -> Result<u64> {
        actor.authorize(Action::ManageTenants)?;
        let mut change = self.change(actor).await?;
        let Some(applications) = change.tx.suspend_organization(id, suspend).await? else { return Ok(0) };
        let action = if suspend { "organization.suspend" } else { "organization.resume" };
        let subject = Subject { kind: "organization", id: id.uuid(), organization: Some(id) };
        change.commit(action, subject, json!({ "applications": applications })).await?;
        Ok(applications)
    }

    /// Keeps a person from signing in and ends their sessions, or lets them in again. Their applications go on.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where it is oneself or the last admin; or the actor may not.
    pub async fn disable_user(&self, actor: &Actor, id: UserId, disable: bool) -> Result<()> {
        actor.authorize(Action::ManagePeople)?;
        if disable && matches!(actor.who, Who::Operator { user_id, .. } if user_id == id) {
            return Err(Error::Conflict("nobody can disable themselves; another admin can".to_owned()));
        }
        let mut change = self.change(actor).await?;
        if disable && change.tx.lock_admins().await? == [id] {
            return Err(Error::Conflict("this is the last admin".to_owned()));
        }
        if !change.tx.disable_user(id, disable).await? {
            return Ok(());
        }
        let action = if disable { "user.disable" } else { "user.enable" };
        let subject = Subject { kind: "user", id: id.uuid(), organization: None };
        change.commit(action, subject, json!({})).await
    }
}
