//! A control plane in memory that can be taken away.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::broadcast;
use tollgate_domain::{
    ApplicationId, Blueprint, CalendarMonth, ConsumerApplication, RouteId, SubscriptionId, UsageCount,
    UsageKey,
};
use tollgate_gateway::source::{
    FeedChange, FeedKind, FullLoad, Head, Heartbeat, Hints, LeaseAsk, LeaseGrant, LeaseReturn, NewRequest,
    QuotaAnswer, QuotaMark, QuotaQuestion, RecordError, Source, SourceError,
};
use uuid::Uuid;

/// Subscriptions per page.
const QUOTA_PAGE: usize = 2;

pub struct FakeSource {
    state: Mutex<State>,
    hints: broadcast::Sender<()>,
}

struct State {
    away: bool,
    hanging: bool,
    muted: bool,
    refuses_usage: bool,
    refuses: Vec<RouteId>,
    fails_for: Option<Uuid>,
    loses_acknowledgements: bool,
    flushes: usize,
    epoch: Uuid,
    revision: i64,
    blueprint: Blueprint,
    consumers: BTreeMap<ApplicationId, ConsumerApplication>,
    log: Vec<FeedChange>,
    usage: HashMap<(Uuid, UsageKey), UsageCount>,
    elsewhere: HashMap<SubscriptionId, u64>,
    heartbeats: Vec<Heartbeat>,
    requests: Vec<NewRequest>,
    full_loads: usize,
    quota_loads: usize,
    /// Units of the leased budget `day` that nobody has.
    budget: u64,
    leases: usize,
}

impl FakeSource {
    pub fn new(mut blueprint: Blueprint, consumers: Vec<ConsumerApplication>) -> Arc<Self> {
        let epoch = Uuid::now_v7();
        blueprint.epoch = epoch;
        blueprint.revision = 1;
        let state = State {
            away: false,
            hanging: false,
            muted: false,
            refuses_usage: false,
            refuses: Vec::new(),
            fails_for: None,
            loses_acknowledgements: false,
            flushes: 0,
            epoch,
            revision: 1,
            blueprint,
            consumers: consumers.into_iter().map(|consumer| (consumer.id, consumer)).collect(),
            log: Vec::new(),
            usage: HashMap::new(),
            elsewhere: HashMap::new(),
            heartbeats: Vec::new(),
            requests: Vec::new(),
            full_loads: 0,
            quota_loads: 0,
            budget: 0,
            leases: 0,
        };
        Arc::new(Self { state: Mutex::new(state), hints: broadcast::channel(16).0 })
    }

    /// So many units of the leased budget `day` are lent to whoever asks.
    pub fn set_budget(&self, units: u64) {
        self.state.lock().unwrap().budget = units;
    }

    /// Units of it that nobody has.
    pub fn budget(&self) -> u64 {
        self.state.lock().unwrap().budget
    }

    /// How often some of it was asked for.
    pub fn leases(&self) -> usize {
        self.state.lock().unwrap().leases
    }

    /// Every question fails until it is back.
    pub fn set_away(&self, away: bool) {
        self.state.lock().unwrap().away = away;
        // Listeners notice that their connection is gone.
        let _ = self.hints.send(());
    }

    /// Every question stays without an answer until this ends.
    pub fn set_hanging(&self, hanging: bool) {
        self.state.lock().unwrap().hanging = hanging;
    }

    /// From now on changes are made without a hint.
    pub fn mute_hints(&self) {
        self.state.lock().unwrap().muted = true;
    }

    /// Usage is never taken.
    pub fn refuse_usage(&self) {
        self.state.lock().unwrap().refuses_usage = true;
    }

    /// Counts of these routes break a rule, as does every batch that contains one.
    pub fn refuse_counts_of(&self, routes: Vec<RouteId>) {
        self.state.lock().unwrap().refuses = routes;
    }

    /// Counts of this process can never be stored, for a reason that has nothing to do with them.
    pub fn fail_for(&self, boot_id: Uuid) {
        self.state.lock().unwrap().fails_for = Some(boot_id);
    }

    /// How often all used quotas were asked for.
    pub fn quota_loads(&self) -> usize {
        self.state.lock().unwrap().quota_loads
    }

    /// Usage is stored, but the gateway is told that it was not.
    pub fn lose_acknowledgements(&self, lose: bool) {
        self.state.lock().unwrap().loses_acknowledgements = lose;
    }

    /// How many batches of usage were taken.
    pub fn flushes(&self) -> usize {
        self.state.lock().unwrap().flushes
    }

    pub fn change_blueprint(&self, change: impl FnOnce(&mut Blueprint)) -> i64 {
        let mut state = self.state.lock().unwrap();
        change(&mut state.blueprint);
        state.revision += 1;
        let revision = state.revision;
        state.blueprint.revision = revision;
        state.log.push(FeedChange { revision, kind: FeedKind::Blueprint });
        self.hint(&state);
        revision
    }

    pub fn put_consumer(&self, consumer: ConsumerApplication) -> i64 {
        let id = consumer.id;
        self.change_consumer(id, Some(consumer))
    }

    pub fn remove_consumer(&self, id: ApplicationId) -> i64 {
        self.change_consumer(id, None)
    }

    fn change_consumer(&self, id: ApplicationId, consumer: Option<ConsumerApplication>) -> i64 {
        let mut state = self.state.lock().unwrap();
        match consumer {
            Some(consumer) => drop(state.consumers.insert(id, consumer)),
            None => drop(state.consumers.remove(&id)),
        }
        state.revision += 1;
        let revision = state.revision;
        state.log.push(FeedChange { revision, kind: FeedKind::Consumer(id) });
        self.hint(&state);
        revision
    }

    /// As after a restore from a backup: another epoch, a smaller revision, no log.
    pub fn restore(&self, change: impl FnOnce(&mut Blueprint)) {
        let mut state = self.state.lock().unwrap();
        state.epoch = Uuid::now_v7();
        state.revision = 1;
        state.log.clear();
        change(&mut state.blueprint);
        (state.blueprint.epoch, state.blueprint.revision) = (state.epoch, 1);
        let _ = self.hints.send(());
    }

    pub fn set_used_elsewhere(&self, subscription: SubscriptionId, used: u64) {
        self.state.lock().unwrap().elsewhere.insert(subscription, used);
    }

    pub fn counts(&self) -> Vec<UsageCount> {
        self.state.lock().unwrap().usage.values().copied().collect()
    }

    pub fn calls(&self) -> u64 {
        self.counts().iter().map(|count| count.calls).sum()
    }

    pub fn charged(&self) -> u64 {
        self.counts().iter().map(|count| count.charged).sum()
    }

    /// Logged calls, in the order they came.
    pub fn requests(&self) -> Vec<NewRequest> {
        self.state.lock().unwrap().requests.clone()
    }

    pub fn full_loads(&self) -> usize {
        self.state.lock().unwrap().full_loads
    }

    pub fn last_heartbeat(&self) -> Option<Heartbeat> {
        self.state.lock().unwrap().heartbeats.last().cloned()
    }

    fn hint(&self, state: &State) {
        if !state.muted {
            let _ = self.hints.send(());
        }
    }

    async fn answer<T>(&self, answer: impl FnOnce(&mut State) -> T + Send) -> Result<T, SourceError> {
        if self.state.lock().unwrap().hanging {
            return std::future::pending().await;
        }
        let mut state = self.state.lock().unwrap();
        if state.away { Err("away".into()) } else { Ok(answer(&mut state)) }
    }
}

#[async_trait]
impl Source for FakeSource {
    async fn head(&self) -> Result<(Head, Option<DateTime<Utc>>), SourceError> {
        self.answer(|state| (Head { epoch: state.epoch, revision: state.revision }, None)).await
    }

    async fn pepper_fingerprint(&self, _version: i16) -> Result<Option<String>, SourceError> {
        self.answer(|_| None).await
    }

    async fn full(&self) -> Result<FullLoad, SourceError> {
        self.answer(|state| {
            state.full_loads += 1;
            let blueprint = Blueprint { revision: state.revision, ..state.blueprint.clone() };
            FullLoad { blueprint, applications: state.consumers.values().cloned().collect() }
        })
        .await
    }

    async fn changes(&self, after: i64) -> Result<Option<Vec<FeedChange>>, SourceError> {
        self.answer(|state| {
            Some(state.log.iter().filter(|change| change.revision > after).copied().collect())
        })
        .await
    }

    async fn blueprint(&self, _known: Option<&Blueprint>) -> Result<Blueprint, SourceError> {
        self.answer(|state| Blueprint { revision: state.revision, ..state.blueprint.clone() }).await
    }

    async fn consumers(&self, ids: &[ApplicationId]) -> Result<Vec<ConsumerApplication>, SourceError> {
        self.answer(|state| ids.iter().filter_map(|id| state.consumers.get(id).cloned()).collect()).await
    }

    async fn listen(&self) -> Result<Box<dyn Hints>, SourceError> {
        self.answer(|_| ()).await?;
        Ok(Box::new(FakeHints(self.hints.subscribe())))
    }

    async fn record_usage(&self, counts: &[UsageCount]) -> Result<(), RecordError> {
        if self.state.lock().unwrap().refuses_usage {
            return Err(RecordError::Failed("no room".into()));
        }
        self.answer(|state| {
            if counts.iter().any(|count| state.refuses.contains(&count.key.route_id)) {
                return Err(RecordError::Refused("a rule is broken".into()));
            }
            if counts.iter().any(|count| Some(count.boot_id) == state.fails_for) {
                return Err(RecordError::Failed("a page cannot be read".into()));
            }
            state.flushes += 1;
            for count in counts {
                let stored = state.usage.entry((count.boot_id, count.key)).or_insert(*count);
                stored.calls = stored.calls.max(count.calls);
                stored.charged = stored.charged.max(count.charged);
                stored.units = stored.units.max(count.units);
                for (stored, count) in stored.readings.iter_mut().zip(count.readings) {
                    *stored = count.max(*stored);
                }
                stored.bytes_in = stored.bytes_in.max(count.bytes_in);
                stored.bytes_out = stored.bytes_out.max(count.bytes_out);
                stored.duration_us = stored.duration_us.max(count.duration_us);
            }
            if state.loses_acknowledgements { Err(RecordError::Away("lost".into())) } else { Ok(()) }
        })
        .await
        .map_err(RecordError::Away)?
    }

    async fn lease_budgets(&self, _boot_id: Uuid, asks: &[LeaseAsk]) -> Result<Vec<LeaseGrant>, SourceError> {
        self.answer(|state| {
            let (starts, ends) =
                (chrono::DateTime::UNIX_EPOCH, chrono::Utc::now() + chrono::TimeDelta::days(1));
            let lend = |ask: &LeaseAsk| {
                let granted = ask.needed.max(ask.wanted.min(state.budget / 4)).min(state.budget);
                state.budget -= granted;
                state.leases += 1;
                LeaseGrant {
                    subscription_id: ask.subscription_id,
                    cell: 0,
                    name: "day".to_owned(),
                    starts,
                    ends: chrono::DateTime::from_timestamp(ends.timestamp() / 86_400 * 86_400, 0).unwrap(),
                    granted,
                    free: state.budget,
                }
            };
            asks.iter().map(lend).collect()
        })
        .await
    }

    async fn return_leases(&self, _boot_id: Uuid, returns: &[LeaseReturn]) -> Result<(), SourceError> {
        self.answer(|state| state.budget += returns.iter().map(|one| one.units).sum::<u64>()).await
    }

    async fn bury(&self, _boots: &[Uuid]) -> Result<(), SourceError> {
        self.answer(|_| ()).await
    }

    async fn quota_used_elsewhere(
        &self,
        _month: CalendarMonth,
        boot_id: Uuid,
        question: QuotaQuestion,
    ) -> Result<QuotaAnswer, SourceError> {
        self.answer(|state| {
            let mark = QuotaMark { epoch: state.epoch, transaction: 1 };
            let after = match question {
                QuotaQuestion::All { after } => {
                    state.quota_loads += usize::from(after.is_none());
                    after
                }
                QuotaQuestion::Changed { since } if since != mark => {
                    return QuotaAnswer { mark, used: vec![], complete: false };
                }
                QuotaQuestion::Changed { .. } => None,
            };
            let mut used = state.elsewhere.clone();
            for ((boot, key), count) in &state.usage {
                if *boot != boot_id {
                    *used.entry(key.subscription_id).or_default() += count.charged;
                }
            }
            let mut used: Vec<_> =
                used.into_iter().filter(|(id, _)| after.is_none_or(|last| *id > last)).collect();
            used.sort_unstable();
            let pages = matches!(question, QuotaQuestion::All { .. }) && used.len() > QUOTA_PAGE;
            used.truncate(if pages { QUOTA_PAGE } else { used.len() });
            QuotaAnswer { mark, used, complete: !pages }
        })
        .await
    }

    async fn record_requests(&self, calls: &[NewRequest]) -> Result<(), RecordError> {
        self.answer(|state| state.requests.extend_from_slice(calls)).await.map_err(RecordError::Away)
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), SourceError> {
        self.answer(|state| state.heartbeats.push(heartbeat.clone())).await
    }
}

struct FakeHints(broadcast::Receiver<()>);

#[async_trait]
impl Hints for FakeHints {
    async fn next(&mut self) -> Result<(), SourceError> {
        Ok(self.0.recv().await?)
    }
}
