//! Applications: developers' programs.

use serde_json::json;
use tollgate_domain::{ApplicationId, ApplicationState, OrganizationId, Scope};
use tollgate_store::{ApplicationRow, Page};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::services::check_name;
use crate::{Action, Actor, Control, Error, Result, Who};

/// Applications that the members of an organization may make; operators may make more. Each brings the free quotas of
/// its plans, so there is an end to them.
const APPLICATIONS_MAX: i64 = 20;

/// What to change about an application; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ApplicationPatch {
    /// Its name.
    pub name: Option<String>,
    /// Whether it may call; operators only.
    pub state: Option<ApplicationState>,
}

impl Control {
    /// Adds an application.
    ///
    /// # Errors
    /// `Invalid`, `NotFound` (unknown organization), or the actor may not.
    pub async fn create_application(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        name: &str,
    ) -> Result<ApplicationRow> {
        let scope = actor.authorize(Action::WriteOrganization(organization))?;
        checked_name(name)?;
        self.store.get_organization(scope, organization).await?;
        if matches!(actor.who, Who::Member { .. }) {
            if self.store.organization_suspended_at(organization).await?.is_some() {
                return Err(Error::Conflict("this organization is suspended by an operator".to_owned()));
            }
            let page = Page { after: None, limit: APPLICATIONS_MAX };
            let present = self.store.list_applications(scope, page).await?.len();
            if i64::try_from(present).is_ok_and(|present| present >= APPLICATIONS_MAX) {
                return Err(Error::Conflict(format!(
                    "an organization has at most {APPLICATIONS_MAX} applications"
                )));
            }
        }
        let id = ApplicationId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        change.tx.insert_application(id, organization, name).await?;
        change.commit("application.create", subject(id, organization), json!({ "name": name })).await?;
        Ok(self.store.get_application(scope, id).await?)
    }

    /// Renames, suspends or resumes an application.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`; `Forbidden` where a member would change the state; or the actor
    /// may not.
    pub async fn update_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
        expected: Option<i64>,
        patch: ApplicationPatch,
    ) -> Result<ApplicationRow> {
        let scope = actor.tenants(true)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_application(scope, id).await?;
        check_version(expected, row.version)?;
        let name = patch.name.as_deref().unwrap_or(&row.name);
        let state = patch.state.unwrap_or(row.state);
        if state != row.state && matches!(actor.who, Who::Member { .. }) {
            return Err(Error::Forbidden);
        }
        checked_name(name)?;
        if name == row.name && state == row.state {
            return Ok(row);
        }
        change.tx.update_application(id, name, state).await?;
        let details = before_after(
            &json!({ "name": row.name, "state": row.state }),
            &json!({ "name": name, "state": state }),
        );
        change.commit("application.update", subject(id, row.organization_id), details).await?;
        Ok(self.store.get_application(scope, id).await?)
    }

    /// Ends an application: its keys are revoked and its subscriptions ended. With `expected`, only where that is its
    /// version.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, or the actor may not.
    pub async fn delete_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
        expected: Option<i64>,
    ) -> Result<()> {
        let scope = actor.tenants(true)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_application(scope, id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_application(scope, id).await?;
        let details = json!({ "before": { "name": row.name, "state": row.state } });
        change.commit("application.delete", subject(id, row.organization_id), details).await
    }

    /// An application that the actor may change, for use cases that build on one.
    pub(crate) async fn own_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<(Scope, ApplicationRow)> {
        let scope = actor.tenants(true)?;
        Ok((scope, self.store.get_application(scope, id).await?))
    }
}

fn checked_name(name: &str) -> Result<()> {
    let mut faults = Vec::new();
    check_name(name, "/name", &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

const fn subject(id: ApplicationId, organization: OrganizationId) -> Subject {
    Subject { kind: "application", id: id.uuid(), organization: Some(organization) }
}
