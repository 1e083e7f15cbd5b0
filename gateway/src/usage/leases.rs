//! Leases of exact quotas: asked for ahead of need, handed back when nobody spends them.
//!
//! One task asks; calls tell it whose budgets run low, and those that cannot be decided without an answer wait for one. It
//! asks for what lasts about a second: twice as much each time a lease was spent faster than that, half as much each time
//! it lasted longer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_domain::SubscriptionId;
use tollgate_engine::NewLease;
use tollgate_store::{LeaseAsk, LeaseGrant, LeaseReturn};
use uuid::Uuid;

use super::parcel::with_causes;
use crate::feed::source::{Source, SourceError, timed};
use crate::live::Live;
use crate::settings::Settings;
use crate::time;

/// How long a call waits for units, at most.
const PATIENCE: Duration = Duration::from_secs(1);
/// Subscriptions asked for at once.
const BATCH: usize = 500;
/// What is not spent for so long is handed back.
const IDLE: Duration = Duration::from_secs(10);
/// A lease that is spent within this time was too small.
const LASTS: Duration = Duration::from_secs(1);
/// After a question that failed, the next one waits.
const REST: Duration = Duration::from_millis(250);
const WANTED_MIN: u64 = 8;
const WANTED_MAX: u64 = 1_000_000;

/// Where calls ask for units.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    asks: mpsc::UnboundedSender<(SubscriptionId, u32)>,
    answered: watch::Receiver<u64>,
}

impl Desk {
    /// One where nobody answers.
    #[cfg(test)]
    pub(crate) fn of_nobody() -> Self {
        Self { asks: mpsc::unbounded_channel().0, answered: watch::channel(0).1 }
    }

    /// Says that a subscription's budgets run low. Nobody waits.
    pub(crate) fn ask(&self, subscription: SubscriptionId, units: u32) {
        // It fails only when the process ends.
        let _ = self.asks.send((subscription, units));
    }

    /// Waits for the next answer; false where none comes in time.
    pub(crate) async fn next_answer(&self, since: Instant, subscription: SubscriptionId, units: u32) -> bool {
        let mut answered = self.answered.clone();
        answered.mark_unchanged();
        self.ask(subscription, units);
        tokio::time::timeout_at(since + PATIENCE, answered.changed())
            .await
            .is_ok_and(|changed| changed.is_ok())
    }
}

/// A budget of which this process was lent some.
#[derive(Debug)]
struct Lent {
    name: String,
    starts: DateTime<Utc>,
    ends: DateTime<Utc>,
    cell: usize,
    /// Units left when they were last looked at.
    seen: u64,
    spent_at: Instant,
}

/// The task that asks.
pub(crate) struct Leases {
    source: Arc<dyn Source>,
    live: Arc<Live>,
    settings: Arc<Settings>,
    boot_id: Uuid,
    asks: mpsc::UnboundedReceiver<(SubscriptionId, u32)>,
    answered: watch::Sender<u64>,
    lent: HashMap<SubscriptionId, Vec<Lent>>,
    /// What was last asked for, and when.
    wanted: HashMap<SubscriptionId, (u64, Instant)>,
    fails: bool,
}

impl Leases {
    pub(crate) fn new(
        source: Arc<dyn Source>,
        live: Arc<Live>,
        settings: Arc<Settings>,
        boot_id: Uuid,
    ) -> (Self, Desk) {
        let (send, asks) = mpsc::unbounded_channel();
        let (answered, watched) = watch::channel(0);
        let (lent, wanted) = (HashMap::new(), HashMap::new());
        let leases = Self { source, live, settings, boot_id, asks, answered, lent, wanted, fails: false };
        (leases, Desk { asks: send, answered: watched })
    }

    /// Asks until `stop`, then hands everything back.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut looks = tokio::time::interval(IDLE / 4);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(first) = self.asks.recv() => self.round(first).await,
                _ = looks.tick() => self.hand_back(IDLE).await,
            }
        }
        self.hand_back(Duration::ZERO).await;
    }

    async fn round(&mut self, first: (SubscriptionId, u32)) {
        let mut units: HashMap<SubscriptionId, u32> = HashMap::from([first]);
        while units.len() < BATCH
            && let Ok((subscription, more)) = self.asks.try_recv()
        {
            let units = units.entry(subscription).or_default();
            *units = more.max(*units);
        }
        let now = Instant::now();
        let asks: Vec<LeaseAsk> = units
            .into_iter()
            .map(|(subscription_id, units)| {
                let wanted = self.wanted(subscription_id, now).max(u64::from(units) * 2);
                LeaseAsk { subscription_id, needed: units.into(), wanted }
            })
            .collect();
        let leased = self.source.lease_budgets(self.boot_id, &asks);
        match timed(self.settings.query_timeout, leased).await {
            Ok(grants) => {
                self.note(None);
                for grant in grants {
                    self.fill(grant, now).await;
                }
                asks.iter().for_each(|ask| self.live.consumers.lease_was_asked(ask.subscription_id));
                self.answered.send_modify(|rounds| *rounds += 1);
            }
            Err(error) => {
                self.note(Some(&error));
                asks.iter().for_each(|ask| self.live.consumers.lease_was_asked(ask.subscription_id));
                tokio::time::sleep(REST).await;
            }
        }
    }

    /// How much would last a while.
    fn wanted(&mut self, subscription: SubscriptionId, now: Instant) -> u64 {
        let (wanted, asked_at) = self.wanted.entry(subscription).or_insert((WANTED_MIN, now));
        *wanted = match now.duration_since(*asked_at) {
            Duration::ZERO => WANTED_MIN,
            lasted if lasted < LASTS => (*wanted * 2).min(WANTED_MAX),
            _ => (*wanted / 2).max(WANTED_MIN),
        };
        *asked_at = now;
        *wanted
    }

    async fn fill(&mut self, grant: LeaseGrant, now: Instant) {
        let lease = NewLease {
            cell: grant.cell,
            name: &grant.name,
            ends_s: u64::try_from(grant.ends.timestamp()).unwrap_or(0),
            granted: grant.granted,
            free: grant.free,
            now_s: time::unix_ns() / 1_000_000_000,
        };
        if !self.live.consumers.fill_lease(grant.subscription_id, &lease) {
            // Nobody there to spend it.
            let LeaseGrant { subscription_id, name, starts, granted, .. } = grant;
            if granted > 0 {
                self.give(vec![LeaseReturn { subscription_id, name, starts, units: granted }]).await;
            }
            return;
        }
        let all = self.lent.entry(grant.subscription_id).or_default();
        all.retain(|lent| lent.name != grant.name || lent.starts == grant.starts);
        match all.iter_mut().find(|lent| lent.name == grant.name) {
            Some(lent) => (lent.cell, lent.spent_at) = (grant.cell, now),
            None => all.push(Lent {
                name: grant.name,
                starts: grant.starts,
                ends: grant.ends,
                cell: grant.cell,
                seen: u64::MAX,
                spent_at: now,
            }),
        }
    }

    /// Hands back what was not spent for `idle`, and forgets windows that are over.
    async fn hand_back(&mut self, idle: Duration) {
        let (now, utc) = (Instant::now(), time::utc());
        let mut returns = Vec::new();
        for (subscription, all) in &mut self.lent {
            all.retain(|lent| lent.ends > utc);
            for lent in all {
                let left = self.live.consumers.lease_left(*subscription, lent.cell);
                if left != lent.seen && !idle.is_zero() {
                    (lent.seen, lent.spent_at) = (left, now);
                } else if left > 0 && now.duration_since(lent.spent_at) >= idle {
                    let ends_s = u64::try_from(lent.ends.timestamp()).unwrap_or(0);
                    let units =
                        self.live.consumers.take_lease_back(*subscription, lent.cell, &lent.name, ends_s);
                    let (subscription_id, name, starts) = (*subscription, lent.name.clone(), lent.starts);
                    if units > 0 {
                        returns.push(LeaseReturn { subscription_id, name, starts, units });
                    }
                }
            }
        }
        self.lent.retain(|_, all| !all.is_empty());
        self.wanted.retain(|_, (_, asked_at)| now.duration_since(*asked_at) < IDLE * 6);
        if !returns.is_empty() {
            self.give(returns).await;
        }
    }

    /// What does not arrive stays lent to this process, and is free again when the process is gone for good.
    async fn give(&self, returns: Vec<LeaseReturn>) {
        let given = self.source.return_leases(self.boot_id, &returns);
        if let Err(error) = timed(self.settings.query_timeout, given).await {
            let units: u64 = returns.iter().map(|one| one.units).sum();
            tracing::warn!(error = with_causes(error.as_ref()), units, "cannot hand unspent quota back");
        }
    }

    /// Says once when answers stop coming, and once when they come again.
    fn note(&mut self, error: Option<&SourceError>) {
        match error {
            Some(error) if !self.fails => {
                tracing::warn!(
                    error = with_causes(error.as_ref()),
                    "cannot lease quotas; what is leased is spent"
                );
            }
            None if self.fails => tracing::info!("quotas are leased again"),
            _ => {}
        }
        self.fails = error.is_some();
    }
}
