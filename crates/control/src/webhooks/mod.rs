//! Webhooks: who is told what happens, by HTTP (Standard Webhooks 1.0).
//!
//! Every delivery carries the event's id and two instants: receivers drop what they have seen. Nothing is promised about
//! the order in which events arrive.

mod address;
mod delivery;
mod sender;
mod signature;

pub use address::Reachable;
use chrono::{TimeDelta, Utc};
use rand::TryRngCore;
use rand::rngs::OsRng;
pub(crate) use sender::{Sender, guarded_client};
use serde_json::{Value, json};
use signature::Secret;
use tollgate_domain::{EventId, OrganizationId, Scope, WebhookId};
use tollgate_engine::NONCE_BYTES;
use tollgate_store::{NewEvent, NewWebhook, WebhookRow};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::events::{EVENT_TYPES, TEST_EVENT};
use crate::{Action, Actor, Control, Error, FieldFault, Result, SecretText, Who};

/// Webhooks of one organization, and of the platform.
const WEBHOOKS_MAX: i64 = 20;
/// How long the secret before a rotation signs too.
const OLD_SECRET_HOURS: i64 = 24;

/// What a webhook is made from.
#[derive(Debug, Clone)]
pub struct WebhookInput {
    /// Whose it is; none for the platform's, which is told everything.
    pub organization_id: Option<OrganizationId>,
    /// Where it is.
    pub url: String,
    /// What it is for, up to 200 characters.
    pub description: String,
    /// Names of [`EVENT_TYPES`]; everything where empty.
    pub event_types: Vec<String>,
}

/// What to change about a webhook; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookPatch {
    /// Where it is.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it wants to be told.
    pub event_types: Option<Vec<String>>,
    /// Whether it is told anything.
    pub active: Option<bool>,
}

pub(crate) fn place(id: WebhookId) -> String {
    format!("webhooks/{id}/secret")
}

const fn subject(id: WebhookId, organization: Option<OrganizationId>) -> Subject {
    Subject { kind: "webhook", id: id.uuid(), organization }
}

fn audit(new: &NewWebhook<'_>, active: bool) -> Value {
    json!({ "url": new.url, "description": new.description, "event_types": new.event_types, "active": active })
}

impl Control {
    /// Adds a webhook; the secret is in this answer alone.
    ///
    /// # Errors
    /// `Invalid`, `Conflict` where there are many, or the actor may not.
    pub async fn create_webhook(
        &self,
        actor: &Actor,
        input: WebhookInput,
    ) -> Result<(WebhookRow, SecretText)> {
        self.webhook_scope(actor, input.organization_id)?;
        if let (Some(id), false) = (input.organization_id, matches!(actor.who, Who::Member { .. })) {
            self.store.get_organization(Scope::Operator, id).await.map_err(|error| match error {
                tollgate_store::Error::NotFound(_) => {
                    Error::invalid("/organization_id", "there is no such organization")
                }
                other => other.into(),
            })?;
        }
        let new = NewWebhook {
            id: WebhookId::from(Uuid::now_v7()),
            organization_id: input.organization_id,
            url: &input.url,
            description: &input.description,
            event_types: &input.event_types,
        };
        self.check_webhook(&new)?;
        let secret = Secret::draw()?;
        let mut change = self.change(actor).await?;
        if change.tx.count_webhooks(new.organization_id).await? >= WEBHOOKS_MAX {
            return Err(Error::Conflict(format!("at most {WEBHOOKS_MAX} webhooks; delete one first")));
        }
        change.tx.insert_webhook(&new, &self.seal_secret(new.id, &secret)?).await?;
        change.commit("webhook.create", subject(new.id, new.organization_id), audit(&new, true)).await?;
        let row = self.store.get_webhook(Scope::Operator, new.id).await?;
        Ok((row, SecretText::new(secret.text())))
    }

    /// Changes a webhook, or switches it off or on; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn update_webhook(
        &self,
        actor: &Actor,
        id: WebhookId,
        expected: Option<i64>,
        patch: WebhookPatch,
    ) -> Result<WebhookRow> {
        let (mut change, row) = self.open_webhook(actor, id).await?;
        check_version(expected, row.version)?;
        let url = patch.url.unwrap_or_else(|| row.url.clone());
        let description = patch.description.unwrap_or_else(|| row.description.clone());
        let event_types = patch.event_types.unwrap_or_else(|| row.event_types.clone());
        let of = |url, description, event_types| NewWebhook {
            id,
            organization_id: row.organization_id(),
            url,
            description,
            event_types,
        };
        let new = of(&url, &description, &event_types);
        self.check_webhook(&new)?;
        let active = patch.active.unwrap_or(row.is_active());
        let before = audit(&of(&row.url, &row.description, &row.event_types), row.is_active());
        let after = audit(&new, active);
        if before == after {
            return Ok(row);
        }
        let because = row.disabled_because.as_deref().unwrap_or("asked");
        change.tx.update_webhook(&new, (!active).then_some(because)).await?;
        let details = before_after(&before, &after);
        change.commit("webhook.update", subject(id, row.organization_id()), details).await?;
        Ok(self.store.get_webhook(Scope::Operator, id).await?)
    }

    /// Gives a webhook another secret; the one before signs too for a day.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn rotate_webhook_secret(
        &self,
        actor: &Actor,
        id: WebhookId,
    ) -> Result<(WebhookRow, SecretText)> {
        let (mut change, row) = self.open_webhook(actor, id).await?;
        let secret = Secret::draw()?;
        let sealed = self.seal_secret(id, &secret)?;
        let old = change.tx.get_webhook_secret(id).await?;
        let until = Utc::now() + TimeDelta::hours(OLD_SECRET_HOURS);
        change.tx.rotate_webhook_secret(id, &sealed, &old, until).await?;
        let details = json!({ "old_secret_until": until });
        change.commit("webhook.rotate", subject(id, row.organization_id()), details).await?;
        Ok((self.store.get_webhook(Scope::Operator, id).await?, SecretText::new(secret.text())))
    }

    /// Removes a webhook with the log of its deliveries; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, or the actor may not.
    pub async fn delete_webhook(&self, actor: &Actor, id: WebhookId, expected: Option<i64>) -> Result<()> {
        let (mut change, row) = self.open_webhook(actor, id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_webhook(id).await?;
        change.commit("webhook.delete", subject(id, row.organization_id()), json!({ "url": row.url })).await
    }

    /// Sends a webhook an event that means nothing, at once; returns its id, under which its delivery is found.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` where it is switched off, or the actor may not.
    pub async fn test_webhook(&self, actor: &Actor, id: WebhookId) -> Result<EventId> {
        let (mut change, row) = self.open_webhook(actor, id).await?;
        check_active(&row)?;
        let event = EventId::from(Uuid::now_v7());
        let data = json!({ "webhook": { "id": id, "description": row.description } });
        let new = NewEvent {
            id: event,
            kind: TEST_EVENT,
            organization_id: row.organization_id(),
            api_id: None,
            data: &data,
            once: None,
        };
        change.tx.insert_event_for(id, &new).await?;
        change
            .commit("webhook.test", subject(id, row.organization_id()), json!({ "event_id": event }))
            .await?;
        Ok(event)
    }

    /// Sends a delivery anew, under the id that it had.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` where the webhook is switched off, or the actor may not.
    pub async fn replay_delivery(&self, actor: &Actor, id: WebhookId, event: EventId) -> Result<()> {
        let (mut change, row) = self.open_webhook(actor, id).await?;
        check_active(&row)?;
        change.tx.replay_delivery(id, event).await?;
        let details = json!({ "event_id": event });
        change.commit("webhook.replay", subject(id, row.organization_id()), details).await
    }

    /// Sends everything anew that was given up in the last so many days; returns how many.
    ///
    /// # Errors
    /// As [`Control::replay_delivery`].
    pub async fn replay_dead_deliveries(&self, actor: &Actor, id: WebhookId, days: u32) -> Result<u64> {
        let (mut change, row) = self.open_webhook(actor, id).await?;
        check_active(&row)?;
        let since = Utc::now() - TimeDelta::days(days.into());
        let count = change.tx.replay_dead_deliveries(id, since).await?;
        let details = json!({ "since": since, "deliveries": count });
        change.commit("webhook.replay", subject(id, row.organization_id()), details).await?;
        Ok(count)
    }

    /// Whose webhooks the actor may change: an organization's, or the platform's.
    fn webhook_scope(&self, actor: &Actor, organization: Option<OrganizationId>) -> Result<Scope> {
        match organization {
            Some(id) => actor.authorize(Action::WriteOrganization(id)),
            None => actor.authorize(Action::WritePlatform),
        }
    }

    async fn open_webhook<'a>(
        &'a self,
        actor: &'a Actor,
        id: WebhookId,
    ) -> Result<(crate::change::Change<'a>, WebhookRow)> {
        let seen = actor.tenants(true)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_webhook(seen, id).await?;
        self.webhook_scope(actor, row.organization_id())?;
        Ok((change, row))
    }

    fn check_webhook(&self, new: &NewWebhook<'_>) -> Result<()> {
        let mut faults = Vec::new();
        if let Err(expected) = self.sender.reachable().check(new.url) {
            faults.push(FieldFault::new("/url", expected));
        }
        if new.description.chars().count() > 200 || new.description.chars().any(char::is_control) {
            faults.push(FieldFault::new("/description", "one line of at most 200 characters"));
        }
        for (index, name) in new.event_types.iter().enumerate() {
            let pointer = format!("/event_types/{index}");
            if !EVENT_TYPES.iter().any(|known| known.name == name) {
                faults.push(FieldFault::new(pointer, "there is no such event"));
            } else if new.event_types[..index].contains(name) {
                faults.push(FieldFault::new(pointer, "named twice"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    fn seal_secret(&self, id: WebhookId, secret: &Secret) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        OsRng.try_fill_bytes(&mut nonce).map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(self.peppers.seal(&place(id), &nonce, secret.bytes()))
    }
}

fn check_active(row: &WebhookRow) -> Result<()> {
    if row.is_active() {
        return Ok(());
    }
    Err(Error::Conflict("this webhook is switched off; switch it on first".to_owned()))
}
