//! Works through what is still to be told: sends, writes down how it went, and says when it is tried again.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use serde_json::json;
use tokio::task::JoinSet;
use tollgate_store::{AfterAttempt, LeasedDelivery, NewAttempt};

use super::place;
use super::sender::{Answer, Outgoing};
use super::signature::Secret;
use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::{Actor, Control, Result};

/// Deliveries sent at once by one process.
const AT_ONCE: i64 = 16;
/// Longer than the longest attempt.
const LEASE_SECONDS: i32 = 60;
/// Pauses before each further try, in seconds: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. All of them are three days.
const PAUSES: [u32; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// A webhook to which nothing arrived for so long is switched off.
const FAILING_MAX: TimeDelta = TimeDelta::days(5);

/// Seconds until the next try after so many; none where it is given up. Spread by a tenth, so that what failed together
/// does not come back together.
fn pause_seconds(tries: i32, spread: f64) -> Option<f64> {
    let pause = PAUSES.get(usize::try_from(tries).ok()?)?;
    Some(f64::from(*pause) * (0.95 + 0.1 * spread))
}

impl Control {
    /// Sends what is due now, a few deliveries at most; returns how many were begun.
    ///
    /// # Errors
    /// The database is away.
    pub async fn deliver_once(&self) -> Result<usize> {
        let leased = self.store.lease_deliveries(AT_ONCE, LEASE_SECONDS).await?;
        let begun = leased.len();
        let mut running = JoinSet::new();
        for delivery in leased {
            let control = self.clone();
            running.spawn(async move { control.deliver(delivery).await });
        }
        while let Some(ended) = running.join_next().await {
            match ended {
                // The lease runs out, and it is sent again: receivers know it by its id.
                Err(error) => tracing::error!(%error, "a delivery panicked"),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a delivery's end was not noted; it will be sent again")
                }
                Ok(Ok(())) => {}
            }
        }
        Ok(begun)
    }

    async fn deliver(&self, delivery: LeasedDelivery) -> Result<()> {
        let at = Utc::now();
        let answer = match self.signed_delivery(&delivery, at) {
            Ok(outgoing) => self.sender.send(&delivery.url, outgoing).await,
            Err(error) => return Err(error),
        };
        let duration_ms = i32::try_from((Utc::now() - at).num_milliseconds().max(0)).unwrap_or(i32::MAX);
        let gone = answer.status == Some(410);
        let after = match pause_seconds(delivery.tries, rand::rng().random()) {
            _ if answer.is_delivered() => AfterAttempt::Delivered,
            Some(pause) if !gone => AfterAttempt::Again(at + longest(pause, &answer)),
            _ => AfterAttempt::Dead,
        };
        self.figures.count_delivery(after);
        self.settle(
            &delivery,
            NewAttempt {
                at,
                duration_ms,
                status: answer.status.map(i32::from),
                error: answer.error,
                response: answer.text,
            },
            after,
            gone,
        )
        .await
    }

    /// One transaction: the attempt, what becomes of the delivery and, where it has failed for too long, of the webhook.
    async fn settle(
        &self,
        delivery: &LeasedDelivery,
        attempt: NewAttempt,
        after: AfterAttempt,
        gone: bool,
    ) -> Result<()> {
        let system = Actor::system();
        let mut change = self.change(&system).await?;
        let Some(failing) = change.tx.settle_attempt(delivery, &attempt, after).await? else { return Ok(()) };
        let failing_for = failing.map_or(TimeDelta::zero(), |since| attempt.at - since);
        let because = match (gone, after) {
            (true, _) => "gone",
            (_, AfterAttempt::Delivered) => "",
            _ if failing_for >= FAILING_MAX => "failing",
            _ => "",
        };
        if because.is_empty() || !change.tx.disable_webhook(delivery.webhook_id, because).await? {
            change.tx.commit().await?;
            return Ok(());
        }
        let id = delivery.webhook_id;
        for user_id in change.tx.reads().list_webhook_keepers(id).await? {
            jobs::queue(&mut change.tx, &Job::WebhookDisabled { webhook_id: id, user_id }).await?;
        }
        let row = change.tx.reads().get_webhook(tollgate_domain::Scope::Operator, id).await?;
        let subject = Subject { kind: "webhook", id: id.uuid(), organization: row.organization_id() };
        change.commit("webhook.disable", subject, json!({ "because": because, "url": row.url })).await
    }

    fn signed_delivery(&self, delivery: &LeasedDelivery, at: DateTime<Utc>) -> Result<Outgoing> {
        let id = delivery.event.id.to_string();
        let body = json!({
            "type": delivery.event.kind, "timestamp": delivery.event.created_at, "data": delivery.event.data,
        });
        let body = body.to_string().into_bytes();
        let place = place(delivery.webhook_id);
        let mut signatures = Vec::new();
        for sealed in std::iter::once(&delivery.secret_sealed).chain(&delivery.old_secret_sealed) {
            let secret = self.peppers.open(&place, sealed);
            let secret = Secret::of(secret.map_err(|error| crate::Error::Internal(Box::new(error)))?);
            signatures.push(secret.sign(&id, at, &body));
        }
        Ok(Outgoing { id, at, signatures: signatures.join(" "), body })
    }
}

/// A receiver may ask for more time, within reason: a day.
fn longest(pause: f64, answer: &Answer) -> TimeDelta {
    let asked = answer.retry_after.map_or(0.0, |asked| asked.as_secs_f64().min(86_400.0));
    TimeDelta::milliseconds((pause.max(asked) * 1_000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tries_last_three_days_and_then_end() {
        let pauses: Vec<f64> = (0..).map_while(|tries| pause_seconds(tries, 0.5)).collect();
        assert_eq!(pauses.len(), 9);
        assert!(
            (pauses[0] - 5.0).abs() < 1e-6 && (72.0..80.0).contains(&(pauses.iter().sum::<f64>() / 3_600.0))
        );
        assert!(pause_seconds(1, 0.0) < pause_seconds(1, 1.0));
    }

    #[test]
    fn a_receiver_is_left_alone_as_long_as_it_asks_for_but_not_for_ever() {
        let answer = |seconds| Answer {
            status: Some(429),
            error: Some("answered 429".into()),
            text: String::new(),
            retry_after: Some(std::time::Duration::from_secs(seconds)),
        };
        assert_eq!(longest(5.0, &answer(60)).num_seconds(), 60);
        assert_eq!(longest(300.0, &answer(60)).num_seconds(), 300);
        assert_eq!(longest(5.0, &answer(1_000_000)).num_seconds(), 86_400);
    }
}
