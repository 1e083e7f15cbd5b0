//! The work on orders: what is due is ordered, renewed, and tried again, by one process at a time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use tokio::time::Instant;
use tollgate_domain::{CertificateId, CertificateSource};
use tollgate_store::DueOrderRow;

use super::authority::{self, AcmeFault};
use crate::certificates::{audit, row, subject};
use crate::jobs::Job;
use crate::{Actor, Control, Error, Result};

/// What the account's secret is sealed for.
pub(crate) const CREDENTIALS_PLACE: &str = "acme_account/credentials";
/// One order has this long; its job's own time is longer, so that a failure is always told.
const ORDER_TIME_MAX: Duration = Duration::from_secs(50);
/// Orders that are looked for at once.
const AT_ONCE: i64 = 20;
/// How long gateways may take to answer for us, and how long one may be silent before it is taken for gone.
const APPLY_TIME_MAX: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const SILENCE_MAX: TimeDelta = TimeDelta::seconds(10);
/// Pauses after failures: authorities count them by the hour.
const PAUSE_SECONDS: f64 = 300.0;
const PAUSE_SECONDS_MAX: f64 = 43_200.0;

/// Why an order came to nothing.
#[derive(Debug, thiserror::Error)]
enum OrderFault {
    #[error(transparent)]
    Acme(#[from] AcmeFault),
    #[error(transparent)]
    Control(#[from] Error),
    #[error(transparent)]
    Store(#[from] tollgate_store::Error),
    #[error("no certificate authority is set up")]
    NoAccount,
    #[error("no gateway is serving: nobody would answer the authority")]
    NoGateway,
    #[error("gateway {0} does not answer for it yet")]
    Behind(String),
    #[error("it took longer than {} s", ORDER_TIME_MAX.as_secs())]
    TooLong,
    #[error("the certificate that was issued cannot be presented: {0}")]
    Unfit(String),
}

/// Seconds to wait after a failure: twice as long each time, spread by a quarter.
fn pause_seconds(attempts: i32, spread: f64) -> f64 {
    let doubled = PAUSE_SECONDS * 2f64.powi(attempts.clamp(0, 20));
    doubled.min(PAUSE_SECONDS_MAX) * (0.75 + 0.5 * spread)
}

/// When a certificate is renewed: a third of its lifetime before it ends, spread by a fiftieth, so that what was issued
/// together is not renewed together.
fn renewal_of(from: i64, until: i64, spread: f64) -> DateTime<Utc> {
    let lifetime = until.saturating_sub(from).max(0);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "seconds of some years")]
    let earlier = (lifetime as f64 / 50.0 * spread) as i64;
    DateTime::from_timestamp(until - lifetime / 3 - earlier, 0).unwrap_or_default()
}

impl Control {
    /// Queues the orders that are due.
    pub(crate) async fn look_after_certificates(&self) -> Result<()> {
        for order in self.store.due_orders(AT_ONCE).await? {
            let once = format!("order:{}:{}", order.certificate_id, order.due_at.timestamp_millis());
            let job = Job::OrderCertificate { certificate_id: order.certificate_id };
            self.queue(&job, Some(&once), None).await?;
        }
        Ok(())
    }

    /// Orders one certificate, if it is due and nobody else is at it. A failure is told on the certificate, and tried
    /// again later.
    ///
    /// # Errors
    /// The database is away.
    pub async fn work_on_order(&self, id: CertificateId) -> Result<()> {
        let mut turn = self.store.begin().await?;
        if !turn.hold_order(id).await? {
            return Ok(());
        }
        let Some(due) = turn.find_due_order(id).await? else { return Ok(()) };
        let worked = tokio::time::timeout(ORDER_TIME_MAX, self.order(&due)).await;
        let failed = worked.unwrap_or(Err(OrderFault::TooLong)).err();
        let mut tx = self.store.begin().await?;
        tx.put_challenges(id, &[]).await?;
        if let Some(fault) = failed {
            let text = fault.to_string();
            tracing::warn!(certificate = %id, attempts = due.attempts + 1, error = text, "a certificate was not issued; trying again");
            let pause = pause_seconds(due.attempts, rand::rng().random());
            tx.order_failed(id, &text, pause).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn order(&self, due: &DueOrderRow) -> std::result::Result<(), OrderFault> {
        let id = due.certificate_id;
        let account = self.acme_account().await?;
        let begun = authority::begin(&account, &due.names, due.challenge).await?;
        if !begun.challenges.is_empty() {
            let mut tx = self.store.begin().await?;
            tx.put_challenges(id, &begun.challenges).await?;
            tx.commit().await?;
            self.until_gateways_answer().await?;
        }
        let (chain, key) = begun.finish().await?;
        let checked = self.checked(id, chain, &key).map_err(|error| match error {
            Error::Invalid(faults) => OrderFault::Unfit(
                faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; "),
            ),
            other => other.into(),
        })?;
        let actor = Actor::system();
        let mut change = self.change(&actor).await?;
        let (before, _) = change.tx.lock_certificate(id).await?;
        let source = (CertificateSource::Acme, checked.facts.names.as_slice());
        let new = row(id, &before.slug, source, Some(&checked), before.is_default);
        change.tx.update_certificate(&new).await?;
        let facts = &checked.facts;
        let next = renewal_of(facts.not_before, facts.not_after, rand::rng().random());
        change.tx.order_succeeded(id, next).await?;
        change.commit("certificate.issue", subject(id), audit(&new)).await?;
        tracing::info!(certificate = %id, "a certificate was issued");
        Ok(())
    }

    /// Our account with the authority; made with the first order.
    async fn acme_account(&self) -> std::result::Result<instant_acme::Account, OrderFault> {
        let row = self.store.find_acme_account().await?.ok_or(OrderFault::NoAccount)?;
        let roots = self.settings.acme_roots.as_deref();
        let opened = row.credentials_sealed.map(|sealed| self.peppers.open(CREDENTIALS_PLACE, &sealed));
        if let Some(Ok(secret)) = opened {
            return Ok(authority::recall(&secret, roots).await?);
        }
        let (account, secret) = authority::register(&row.directory, &row.contacts, roots).await?;
        let sealed = self.seal_for(CREDENTIALS_PLACE, &secret)?;
        let mut tx = self.store.begin().await?;
        tx.keep_acme_credentials(&row.directory, &sealed).await?;
        tx.commit().await?;
        Ok(account)
    }

    /// Waits until every gateway that serves has what was just written: the authority may ask any of them.
    async fn until_gateways_answer(&self) -> std::result::Result<(), OrderFault> {
        let deadline = Instant::now() + APPLY_TIME_MAX;
        let revision = self.store.feed_head().await?.revision;
        loop {
            let alive_since = Utc::now() - SILENCE_MAX;
            let mut nodes = self.store.list_nodes().await?;
            nodes.retain(|node| node.state == "serving" && node.seen_at > alive_since);
            let behind = nodes.iter().find(|node| node.revision < revision);
            match behind {
                None if !nodes.is_empty() => return Ok(()),
                _ if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
                None => return Err(OrderFault::NoGateway),
                Some(node) => return Err(OrderFault::Behind(node.name.clone())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_longer_and_longer_pauses_up_to_half_a_day() {
        let pauses: Vec<f64> = (0..9).map(|attempts| pause_seconds(attempts, 0.5)).collect();
        assert!((pauses[0] - 300.0).abs() < 1e-9 && (pauses[1] - 600.0).abs() < 1e-9);
        assert!((pauses[8] - 43_200.0).abs() < 1e-9);
    }

    #[test]
    fn a_certificate_is_renewed_a_third_of_its_lifetime_before_its_end() {
        let day = 86_400;
        assert_eq!(renewal_of(0, 90 * day, 0.0).timestamp(), 60 * day);
        let spread = renewal_of(0, 90 * day, 1.0).timestamp();
        assert!((58 * day..60 * day).contains(&spread), "{spread}");
        assert_eq!(renewal_of(0, 6 * day, 0.0).timestamp(), 4 * day);
    }
}
