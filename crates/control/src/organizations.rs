//! Organizations: tenants.

use serde_json::json;
use tollgate_domain::{OrganizationId, Scope, Slug, Zone};
use tollgate_store::OrganizationRow;
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::services::check_name;
use crate::{Action, Actor, Control, Error, Result};

/// What to change about an organization; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct OrganizationPatch {
    /// Its name.
    pub name: Option<String>,
    /// Its name in URLs; operators only.
    pub slug: Option<Slug>,
}

impl Control {
    /// Adds an organization without members; without a slug, one is made from the name.
    ///
    /// # Errors
    /// `Invalid`, or the actor may not.
    pub async fn create_organization(
        &self,
        actor: &Actor,
        name: &str,
        slug: Option<Slug>,
    ) -> Result<OrganizationRow> {
        actor.authorize(Action::ManageTenants)?;
        checked_name(name)?;
        let id = OrganizationId::from(Uuid::now_v7());
        let slug = slug.unwrap_or_else(|| unique_slug(name, id.uuid()));
        let mut change = self.change(actor).await?;
        change.tx.insert_organization(id, name, &slug).await?;
        change.commit("organization.create", subject(id), json!({ "name": name, "slug": slug })).await?;
        Ok(self.store.get_organization(Scope::Operator, id).await?)
    }

    /// Changes an organization; with `expected`, only where that is its version. Its slug is for operators to change.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn update_organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
        expected: Option<i64>,
        patch: OrganizationPatch,
    ) -> Result<OrganizationRow> {
        let scope = actor.authorize(Action::WriteOrganization(id))?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_organization(scope, id).await?;
        check_version(expected, row.version)?;
        let name = patch.name.unwrap_or_else(|| row.name.clone());
        let slug = patch.slug.unwrap_or_else(|| row.slug.clone());
        if slug != row.slug {
            actor.authorize(Action::ManageTenants)?;
        }
        checked_name(&name)?;
        if name == row.name && slug == row.slug {
            return Ok(row);
        }
        change.tx.update_organization(id, &name, &slug).await?;
        let details = before_after(
            &json!({ "name": row.name, "slug": row.slug }),
            &json!({ "name": name, "slug": slug }),
        );
        change.commit("organization.update", subject(id), details).await?;
        Ok(self.store.get_organization(scope, id).await?)
    }

    /// Lets an operator look at the portal as an organization's people see it; that they do is put on record.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn view_as(&self, actor: &Actor, id: OrganizationId) -> Result<OrganizationRow> {
        let scope = actor.authorize(Action::ReadPlatform)?;
        let row = self.store.get_organization(scope, id).await?;
        self.change(actor).await?.commit("organization.view", subject(id), json!({})).await?;
        Ok(row)
    }

    /// The time zone whose days and months an organization's exact and soft quotas are of.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn time_zone(&self, actor: &Actor, id: OrganizationId) -> Result<Zone> {
        let scope = actor.authorize(Action::ReadOrganization(id))?;
        Ok(self.store.get_time_zone(scope, id).await?)
    }

    /// Sets it.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn set_time_zone(&self, actor: &Actor, id: OrganizationId, zone: Zone) -> Result<()> {
        let scope = actor.authorize(Action::WriteOrganization(id))?;
        let before = self.store.get_time_zone(scope, id).await?;
        if before == zone {
            return Ok(());
        }
        let mut change = self.change(actor).await?;
        change.tx.set_time_zone(id, zone).await?;
        let details = before_after(&json!({ "time_zone": before }), &json!({ "time_zone": zone }));
        change.commit("organization.update", subject(id), details).await
    }

    /// Ends an organization: its applications, subscriptions and keys stop working at once.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, or the actor may not.
    pub async fn delete_organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
        expected: Option<i64>,
    ) -> Result<()> {
        let scope = actor.authorize(Action::ManageTenants)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_organization(scope, id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_organization(id).await?;
        let details = json!({ "before": { "name": row.name, "slug": row.slug } });
        change.commit("organization.delete", subject(id), details).await
    }
}

/// A slug from free text, made unique by the tail of an id.
pub fn unique_slug(text: &str, id: Uuid) -> Slug {
    let tail = id.simple().to_string().split_off(24);
    let head = Slug::from_text(&text.chars().take(40).collect::<String>());
    let text = head.map_or_else(|| format!("org-{tail}"), |head| format!("{head}-{tail}"));
    text.parse().expect("a slug, a hyphen and eight hexadecimal digits make a slug")
}

fn checked_name(name: &str) -> Result<()> {
    let mut faults = Vec::new();
    check_name(name, "/name", &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

const fn subject(id: OrganizationId) -> Subject {
    Subject { kind: "organization", id: id.uuid(), organization: Some(id) }
}
