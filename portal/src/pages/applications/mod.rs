//! Developers' programs: list, one, its keys.

pub mod key_create;
pub mod key_restrict;
pub mod key_revoke;
pub mod key_rotate;
pub mod key_show;
pub mod list;
pub mod show;

use std::collections::HashMap;

use tollgate_domain::{ApplicationId, CredentialState, Environment, Scope, SubscriptionState};
use tollgate_store::{CredentialRow, Page, SubscriptionRow};

use crate::PortalState;
use crate::error::Fault;
use crate::say::t;
use crate::show::{Label, Moment, limits};

/// A key as tables show it.
pub struct KeyRow {
    pub name: String,
    pub shown: String,
    pub state: Label,
    pub last_used: Option<Moment>,
    pub created: Moment,
    pub environment: Label,
    pub ends: Option<Moment>,
    /// Where it is shown, rotated and revoked.
    pub href: String,
    pub rotate_href: Option<String>,
    pub revoke_href: Option<String>,
}

/// A subscription as tables show it.
pub struct SubscribedRow {
    pub href: String,
    /// Where its plan can be changed, by its owner.
    pub plan_href: String,
    pub product: String,
    pub plan: String,
    pub limits: String,
    pub state: Label,
    pub since: Moment,
}

/// The visible part of a key.
pub fn shown(key: &CredentialRow) -> String {
    format!("{}…{}", key.display_prefix, key.display_last4)
}

/// Sandbox or live, always beside the key.
pub fn environment(environment: Environment) -> Label {
    match environment {
        Environment::Test => Label::new("accent", t("applications-sandbox")),
        Environment::Live => Label::new("", t("applications-live")),
    }
}

/// Whether a key works, and for how long.
pub fn key_state(key: &CredentialRow, now: chrono::DateTime<chrono::Utc>) -> Label {
    if key.state() != CredentialState::Active {
        return key.state().into();
    }
    match key.expires_at {
        Some(at) if at <= now => Label::new("warn", t("applications-expired")),
        _ if key.replaced_by.is_some() => Label::new("info", t("applications-being-replaced")),
        Some(at) if at <= now + chrono::TimeDelta::days(14) => {
            Label::new("warn", t("applications-ends-soon"))
        }
        _ => key.state().into(),
    }
}

/// A key for a table; `base` is where its pages are.
pub fn key_row(key: &CredentialRow, base: &str, now: chrono::DateTime<chrono::Utc>) -> KeyRow {
    let active = key.state() == CredentialState::Active;
    let works = active && key.expires_at.is_none_or(|at| at > now);
    KeyRow {
        name: key.name.clone(),
        shown: shown(key),
        state: key_state(key, now),
        environment: environment(key.environment),
        ends: key.expires_at.filter(|_| active).map(|at| Moment::of(at, now)),
        href: format!("{base}/{}", key.id),
        rotate_href: (works && key.replaced_by.is_none()).then(|| format!("{base}/{}/rotate", key.id)),
        last_used: key.last_used_at.map(|at| Moment::of(at, now)),
        created: Moment::of(key.created_at, now),
        revoke_href: active.then(|| format!("{base}/{}/revoke", key.id)),
    }
}

/// An application's subscriptions with the names of their products and plans; those that ended last.
pub async fn subscribed_rows(
    state: &PortalState,
    scope: Scope,
    application: ApplicationId,
    product_base: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<SubscribedRow>, Fault> {
    let mut subscriptions = state.store.list_subscriptions(scope, Some(application), Page::FIRST_500).await?;
    subscriptions.sort_by_key(|one| one.state == SubscriptionState::Ended);
    let names = Names::read(state).await?;
    Ok(subscriptions.iter().map(|one| names.row(one, product_base, now)).collect())
}

/// Products and plans by id, for tables that name them.
pub struct Names {
    products: HashMap<tollgate_domain::ProductId, tollgate_store::ProductRow>,
    plans: HashMap<tollgate_domain::PlanId, tollgate_store::PlanRow>,
}

impl Names {
    /// Where a subscription's product is shown.
    pub fn product_href(&self, one: &SubscriptionRow) -> String {
        format!("/products/{}", self.products.get(&one.product_id).map_or("", |row| row.slug.as_str()))
    }

    pub async fn read(state: &PortalState) -> Result<Self, Fault> {
        let products = state.store.list_products(Page::FIRST_500).await?;
        let plans = state.store.list_plans(None, Page::FIRST_500).await?;
        Ok(Self {
            products: products.into_iter().map(|row| (row.id, row)).collect(),
            plans: plans.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    pub fn product(&self, one: &SubscriptionRow) -> &str {
        self.products.get(&one.product_id).map_or("", |row| row.name.as_str())
    }

    pub fn plan(&self, one: &SubscriptionRow) -> &str {
        self.plans.get(&one.plan_id).map_or("", |row| row.name.as_str())
    }

    pub fn row(
        &self,
        one: &SubscriptionRow,
        product_base: &str,
        now: chrono::DateTime<chrono::Utc>,
    ) -> SubscribedRow {
        let slug = self.products.get(&one.product_id).map_or("", |row| row.slug.as_str());
        SubscribedRow {
            href: format!("{product_base}{slug}"),
            plan_href: format!("/subscriptions/{}", one.id),
            product: self.product(one).to_owned(),
            plan: self.plan(one).to_owned(),
            limits: self.plans.get(&one.plan_id).map(|plan| limits(&plan.limits)).unwrap_or_default(),
            state: one.state.into(),
            since: Moment::of(one.created_at, now),
        }
    }
}

#[cfg(test)]
pub fn sample_keys(base: &str) -> Vec<KeyRow> {
    use crate::pages::sample_time;
    let key = |name: &str, shown: &str, active: bool, used: Option<i64>| KeyRow {
        name: name.into(),
        shown: shown.into(),
        state: if active { CredentialState::Active.into() } else { CredentialState::Revoked.into() },
        last_used: used.map(sample_time),
        created: sample_time(-90_000),
        environment: environment(if active { Environment::Live } else { Environment::Test }),
        ends: used.map(|_| sample_time(900_000)),
        href: format!("{base}/key_01h455vb4pex5vsknk084sn02q"),
        rotate_href: active.then(|| format!("{base}/key_01h455vb4pex5vsknk084sn02q/rotate")),
        revoke_href: active.then(|| format!("{base}/key_01h455vb4pex5vsknk084sn02q/revoke")),
    };
    vec![
        key("First key", "tg_live_8Kd2…x9Qa", true, Some(-70)),
        key("Nightly import on the old server", "tg_live_Pq0Z…77bL", true, None),
        key("Laptop", "tg_live_a1B2…c3D4", false, Some(-400_000)),
    ]
}

#[cfg(test)]
pub fn sample_subscriptions(base: &str) -> Vec<SubscribedRow> {
    vec![SubscribedRow {
        plan_href: "/subscriptions/sub_01h455vb4pex5vsknk084sn02q".into(),
        href: format!("{base}countries"),
        product: "Countries".into(),
        plan: "Free".into(),
        limits: "10 requests per second, 1,000 calls per month".into(),
        state: SubscriptionState::Active.into(),
        since: crate::pages::sample_time(-90_000),
    }]
}
