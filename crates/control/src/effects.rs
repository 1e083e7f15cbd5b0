//! Who would notice a change: read from what is used now, told before anything is done.

use chrono::Utc;
use serde_json::Value;
use tollgate_domain::{
    ApiState, ApplicationId, CalendarMonth, Limit, LimitKind, OrganizationId, PlanId, Scope, SubscriptionId,
    SubscriptionState,
};
use tollgate_store::{KeyHolder, UserOfThing};

use crate::change::Note;
use crate::documents::Change;
use crate::{Actor, Control, Result};

/// Somebody who would notice.
#[derive(Debug, Clone)]
pub struct Effect {
    /// over_quota, over_rate, other_bill, breaks_calls, loses_api or keys_stop.
    pub kind: &'static str,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Which application.
    pub application_id: ApplicationId,
    /// Its name.
    pub application: String,
    /// By which subscription, where it is one.
    pub subscription_id: Option<SubscriptionId>,
    /// What would happen, in plain words with its figures.
    pub message: String,
}

/// Told at most.
const EFFECTS_MAX: usize = 200;

impl Control {
    /// Who would notice what these notes tell: subscriptions over a lowered limit, callers of an API that goes, keys
    /// that stop.
    ///
    /// # Errors
    /// The actor may not, or the database failed.
    pub async fn effects(&self, actor: &Actor, notes: &[Note]) -> Result<Vec<Effect>> {
        actor.may_write()?;
        let mut effects = Vec::new();
        for note in notes {
            effects.extend(self.effects_of(note).await?);
            if effects.len() >= EFFECTS_MAX {
                effects.truncate(EFFECTS_MAX);
                break;
            }
        }
        Ok(effects)
    }

    async fn effects_of(&self, note: &Note) -> Result<Vec<Effect>> {
        let id = note.subject.id;
        let after = &note.details["after"];
        match note.action.as_str() {
            "plan.update" => self.of_plan(id.into(), &note.details).await,
            "plan.price" => self.of_prices(id.into(), after).await,
            "api.publish" => self.of_publishing(id.into(), &note.details["changes"]).await,
            "api.delete" => self.of_lost_api(id.into()).await,
            "api.update" => {
                let served = [ApiState::Published, ApiState::Deprecated];
                let mut effects = self.of_renamed_api(&note.details).await?;
                if !served.iter().any(|state| after["state"] == state.as_str()) {
                    effects.extend(self.of_lost_api(id.into()).await?);
                }
                Ok(effects)
            }
            "product.update" => self.of_product(note).await,
            "organization.delete" => self.of_keys(KeyHolder::Organization(id.into())).await,
            "application.delete" => self.of_keys(KeyHolder::Application(id.into())).await,
            "application.update" if after["state"] == "suspended" => {
                self.of_keys(KeyHolder::Application(id.into())).await
            }
            "subscription.update" if after["state"] != SubscriptionState::Active.as_str() => {
                self.of_keys(KeyHolder::Subscription(id.into())).await
            }
            "key.revoke" => self.of_keys(KeyHolder::Key(id.into())).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Who was on a plan last month and would have paid something else; told apart, for each keeps the prices of then.
    async fn of_prices(&self, plan: PlanId, after: &Value) -> Result<Vec<Effect>> {
        let tariff = crate::billing::read_terms(after.clone())?;
        let month = CalendarMonth::of(Utc::now()).previous();
        let rows = self.store.list_billable(Scope::Operator, month).await?;
        let mut effects = Vec::new();
        for row in rows.into_iter().filter(|row| row.plan_id == plan).take(EFFECTS_MAX) {
            let Some((was, would_be)) = crate::billing::shadow_of(&row, month, &tariff)? else { continue };
            let subscription = self.store.get_subscription(Scope::Operator, row.subscription_id).await?;
            effects.push(Effect {
                kind: "other_bill",
                organization_id: subscription.organization_id,
                application_id: subscription.application_id,
                application: row.application,
                subscription_id: Some(row.subscription_id),
                message: format!(
                    "{month} would have come to {would_be} instead of {was}; it keeps the prices of then"
                ),
            });
        }
        Ok(effects)
    }

    /// Keys that are held to an API name it by its slug.
    async fn of_renamed_api(&self, details: &Value) -> Result<Vec<Effect>> {
        let (before, after) = (&details["before"]["slug"], &details["after"]["slug"]);
        let Some(old) = before.as_str().filter(|_| before != after).and_then(|slug| slug.parse().ok()) else {
            return Ok(Vec::new());
        };
        let holders = self.store.list_held_to(&old).await?;
        let effects = holders.into_iter().map(|holder| {
            let keys = if holder.amount == 1 {
                "1 key is".to_owned()
            } else {
                format!("{} keys are", holder.amount)
            };
            effect(
                "keys_stop",
                holder,
                format!("{keys} held to {old} by name, and would not open it any more"),
            )
        });
        Ok(effects.collect())
    }

    async fn of_plan(&self, plan: PlanId, details: &Value) -> Result<Vec<Effect>> {
        let limits = |side: &str| -> Vec<Limit> {
            serde_json::from_value(details[side]["limits"].clone()).unwrap_or_default()
        };
        let before = limits("before");
        let mut effects = Vec::new();
        for limit in limits("after") {
            let old = before.iter().find(|old| old.name == limit.name && old.kind == limit.kind);
            if old.is_some_and(|old| old.period == limit.period && old.amount <= limit.amount) {
                continue;
            }
            let amount = i64::try_from(limit.amount).unwrap_or(i64::MAX);
            match limit.kind {
                LimitKind::Quota => {
                    for user in self.store.list_over_quota(plan, amount).await? {
                        let text = format!(
                            "used {} calls this month, more than the {amount} of {}: refused until the month ends",
                            user.amount, limit.name
                        );
                        effects.push(effect("over_quota", user, text));
                    }
                }
                LimitKind::Rate => {
                    let seconds = i64::try_from(limit.period.seconds()).unwrap_or(i64::MAX).max(1);
                    let per_minute = amount.saturating_mul(60) / seconds;
                    for user in self.store.list_over_rate(plan, per_minute.max(1)).await? {
                        let text = format!(
                            "made {} calls in one minute of the last day, more than {} lets through ({per_minute})",
                            user.amount, limit.name
                        );
                        effects.push(effect("over_rate", user, text));
                    }
                }
            }
        }
        Ok(effects)
    }

    /// Callers of operations that a new document breaks.
    async fn of_publishing(&self, api: tollgate_domain::ApiId, changes: &Value) -> Result<Vec<Effect>> {
        let changes: Vec<Change> = serde_json::from_value(changes.clone()).unwrap_or_default();
        let mut effects = Vec::new();
        for change in changes.iter().filter(|change| !change.breaking.is_empty()) {
            let path = &change.path;
            for user in self.store.list_callers_of_operation(api, &change.method, path).await? {
                let (what, calls) = (change.breaking.join("; "), user.amount);
                let text =
                    format!("called {} {path} {calls} times in the last 30 days: {what}", change.method);
                effects.push(effect("breaks_calls", user, text));
            }
            if effects.len() >= EFFECTS_MAX {
                break;
            }
        }
        Ok(effects)
    }

    async fn of_lost_api(&self, api: tollgate_domain::ApiId) -> Result<Vec<Effect>> {
        let callers = self.store.list_callers(api).await?;
        Ok(callers
            .into_iter()
            .map(|user| {
                let text = format!(
                    "made {} calls to the API in the last 30 days; they would be refused",
                    user.amount
                );
                effect("loses_api", user, text)
            })
            .collect())
    }

    /// Subscribers of a product lose the APIs that it no longer offers.
    async fn of_product(&self, note: &Note) -> Result<Vec<Effect>> {
        let apis =
            |side: &str| -> Vec<Value> { note.details[side]["apis"].as_array().cloned().unwrap_or_default() };
        let after = apis("after");
        let lost = apis("before").iter().filter(|api| !after.contains(api)).count();
        if lost == 0 {
            return Ok(Vec::new());
        }
        let users = self.store.list_subscribers(note.subject.id.into()).await?;
        Ok(users
            .into_iter()
            .map(|user| {
                effect(
                    "loses_api",
                    user,
                    format!("subscribes to the product and would lose {lost} of its APIs"),
                )
            })
            .collect())
    }

    async fn of_keys(&self, holder: KeyHolder) -> Result<Vec<Effect>> {
        let users = self.store.list_key_holders(holder).await?;
        Ok(users
            .into_iter()
            .map(|user| {
                let keys = if user.amount == 1 { "key stops" } else { "keys stop" };
                let text = format!("{} active {keys} opening this", user.amount);
                effect("keys_stop", user, text)
            })
            .collect())
    }
}

fn effect(kind: &'static str, user: UserOfThing, message: String) -> Effect {
    Effect {
        kind,
        organization_id: user.organization_id,
        application_id: user.application_id,
        application: user.application,
        subscription_id: user.by.map(SubscriptionId::from),
        message,
    }
}
