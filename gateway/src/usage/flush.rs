//! Carries counts from the journal to Postgres and knows what was used of each quota elsewhere.
//!
//! Counts are cumulative per process, so sending them again changes nothing: a batch that was stored but not
//! acknowledged, or a journal that was flushed but not deleted, cannot bill a call twice.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_domain::{CalendarMonth, SubscriptionId, UsageCount};

use super::journal::Recovered;
use super::ledger::{Ledger, Pending};
use super::leftovers::{Leftovers, charged_by_subscription};
use crate::disk::{DataDir, SavedQuota};
use crate::feed::source::{Source, SourceError, timed};
use crate::live::Live;
use crate::settings::Settings;

/// Counts per statement.
const BATCH: usize = 500;
/// How often the quota file is written where something changed.
const SAVE_EVERY: Duration = Duration::from_secs(10);
const MICROS: f64 = 1e6;

/// Numbers about the journal for the operator.
#[derive(Debug, Default)]
pub(crate) struct FlushStatus {
    lag_us: AtomicU64,
    /// Journals of earlier processes that could not be read.
    pub(crate) set_aside: AtomicU64,
}

impl FlushStatus {
    /// Seconds since everything counted was last safe in Postgres; 0 while it is.
    pub(crate) fn lag_seconds(&self) -> f64 {
        self.lag_us.load(Ordering::Relaxed) as f64 / MICROS
    }
}

pub(crate) struct Flush {
    ledger: Arc<Ledger>,
    source: Arc<dyn Source>,
    live: Arc<Live>,
    data: Arc<DataDir>,
    settings: Arc<Settings>,
    status: Arc<FlushStatus>,
    leftovers: Vec<(PathBuf, Recovered)>,
    /// Calls last accepted, by file and slot.
    accepted: HashMap<u64, Vec<u64>>,
    month: CalendarMonth,
    /// What this process charged in minutes that are already settled.
    settled: HashMap<SubscriptionId, u64>,
    /// Minutes below this one are settled.
    settled_before: u32,
    elsewhere: HashMap<SubscriptionId, u64>,
    leftovers_in_elsewhere: bool,
    complete_at: Instant,
    quota_at: Instant,
    save_at: Instant,
    unsaved: bool,
    answered: bool,
}

impl Flush {
    pub(crate) fn new(
        ledger: Arc<Ledger>,
        source: Arc<dyn Source>,
        live: Arc<Live>,
        data: Arc<DataDir>,
        settings: Arc<Settings>,
        leftovers: Leftovers,
    ) -> Self {
        let status = Arc::new(FlushStatus::default());
        status.set_aside.store(leftovers.set_aside as u64, Ordering::Relaxed);
        ledger.hold(leftovers.recovered.iter().map(|(_, journal)| journal.file_bytes).sum());
        let now = Instant::now();
        Self {
            ledger,
            source,
            live,
            data,
            settings,
            status,
            leftovers: leftovers.recovered,
            accepted: HashMap::new(),
            month: CalendarMonth::of(Utc::now()),
            settled: HashMap::new(),
            settled_before: 0,
            elsewhere: HashMap::new(),
            leftovers_in_elsewhere: false,
            complete_at: now,
            quota_at: now,
            save_at: now,
            unsaved: false,
            answered: true,
        }
    }

    pub(crate) fn status(&self) -> Arc<FlushStatus> {
        Arc::clone(&self.status)
    }

    /// Before the first call, without Postgres: what is known on disk, that is the quota file and the journals that it
    /// does not contain yet.
    pub(crate) fn quota_from_disk(&mut self) {
        let saved = self.data.load_quota(self.month).unwrap_or_default();
        let uncounted = self
            .leftovers
            .iter()
            .flat_map(|(_, journal)| &journal.counts)
            .filter(|count| !(count.boot_id == saved.boot_id && count.key.minute < saved.settled_before));
        let charged = charged_by_subscription(uncounted, &minutes_of(self.month));
        for (subscription, count) in charged.into_iter().chain(saved.used) {
            *self.elsewhere.entry(subscription).or_default() += count;
        }
        self.leftovers_in_elsewhere = true;
        self.live.set_used_elsewhere(self.month, &self.elsewhere);
    }

    /// Before the first call, with Postgres: hands in what earlier processes left, then asks for all that was used.
    pub(crate) async fn quota_from_source(&mut self) -> Result<(), SourceError> {
        self.flush_leftovers().await?;
        self.ask_quota().await
    }

    /// Flushes until `stop`, then once more. Call [`Flush::finish`] after the last call has ended.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Self {
        let mut ticks = tokio::time::interval(self.settings.flush_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return self,
                _ = ticks.tick() => self.round().await,
            }
        }
    }

    /// The last flush of a graceful stop.
    pub(crate) async fn finish(mut self) {
        // A minute of its own for nobody: the open one is put aside, becomes final and can be deleted.
        self.ledger.turn(minute_of(Utc::now()) + 1);
        self.round().await;
        self.ledger.discard_files();
        self.save_quota().await;
    }

    async fn round(&mut self) {
        self.ledger.turn(minute_of(Utc::now()));
        self.sync().await;
        let flushed = self.flush_all().await;
        match &flushed {
            Ok(()) => {
                self.complete_at = Instant::now();
                if !self.answered {
                    tracing::info!("usage is flushed again");
                }
            }
            Err(error) if self.answered => {
                tracing::warn!(%error, "cannot flush usage; it stays in the journal")
            }
            Err(error) => tracing::debug!(%error, "still cannot flush usage"),
        }
        self.answered = flushed.is_ok();
        let lag = if flushed.is_ok() { Duration::ZERO } else { self.complete_at.elapsed() };
        self.status.lag_us.store(u64::try_from(lag.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);

        if flushed.is_ok() && self.quota_at <= Instant::now() {
            self.quota_at = Instant::now() + self.settings.quota_every;
            if let Err(error) = self.ask_quota().await {
                tracing::debug!(%error, "cannot ask what other gateways used");
            }
        }
        if self.unsaved && self.save_at <= Instant::now() {
            self.save_quota().await;
        }
    }

    async fn sync(&self) {
        let ledger = Arc::clone(&self.ledger);
        let synced = tokio::task::spawn_blocking(move || {
            ledger.prepare_files();
            let pending = ledger.pending();
            pending.iter().flat_map(|minute| &minute.segments).try_for_each(|segment| segment.sync())
        });
        match synced.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "cannot sync the usage journal"),
            Err(error) => tracing::error!(%error, "syncing the usage journal failed"),
        }
    }

    async fn flush_all(&mut self) -> Result<(), SourceError> {
        self.flush_leftovers().await?;
        // Settled in order, so that one number says what is settled.
        let mut in_order = true;
        for pending in self.ledger.pending() {
            self.flush_minute(&pending).await?;
            in_order &= pending.is_final;
            if in_order {
                self.settle(pending);
            }
        }
        Ok(())
    }

    async fn flush_leftovers(&mut self) -> Result<(), SourceError> {
        while let Some((path, journal)) = self.leftovers.last() {
            for batch in journal.counts.chunks(BATCH) {
                timed(self.settings.query_timeout, self.source.record_usage(batch)).await?;
            }
            if !journal.counts.is_empty() {
                tracing::info!(
                    counts = journal.counts.len(),
                    "flushed a usage journal of an earlier process"
                );
            }
            if !self.leftovers_in_elsewhere {
                // Until the next answer contains it, so that a start without one forgets nothing.
                for (subscription, count) in charged_by_subscription(&journal.counts, &minutes_of(self.month))
                {
                    *self.elsewhere.entry(subscription).or_default() += count;
                }
            }
            if let Err(error) = std::fs::remove_file(path) {
                tracing::warn!(%error, "cannot delete a flushed usage journal");
            }
            self.ledger.release(journal.file_bytes);
            self.leftovers.pop();
        }
        Ok(())
    }

    async fn flush_minute(&mut self, pending: &Pending) -> Result<(), SourceError> {
        for segment in &pending.segments {
            let accepted = self.accepted.entry(segment.seq()).or_default();
            accepted.resize(segment.claimed(), 0);
            let changed: Vec<(usize, UsageCount)> = (0..accepted.len())
                .filter_map(|slot| Some((slot, segment.count(slot)?)))
                .filter(|(slot, count)| count.calls > accepted[*slot])
                .collect();
            for batch in changed.chunks(BATCH) {
                let counts: Vec<UsageCount> = batch.iter().map(|(_, count)| *count).collect();
                timed(self.settings.query_timeout, self.source.record_usage(&counts)).await?;
                for (slot, count) in batch {
                    accepted[*slot] = count.calls;
                }
                self.unsaved = true;
            }
        }
        Ok(())
    }

    /// All its counts were accepted and nobody can add to it.
    fn settle(&mut self, done: Pending) {
        for segment in &done.segments {
            self.accepted.remove(&segment.seq());
            let counts: Vec<_> = (0..segment.claimed()).filter_map(|slot| segment.count(slot)).collect();
            for (subscription, count) in charged_by_subscription(&counts, &minutes_of(self.month)) {
                *self.settled.entry(subscription).or_default() += count;
            }
        }
        self.settled_before = self.settled_before.max(done.minute() + 1);
        self.ledger.settle(done, &[]);
    }

    async fn ask_quota(&mut self) -> Result<(), SourceError> {
        let month = CalendarMonth::of(Utc::now());
        let asked = self.source.quota_used_elsewhere(month, self.ledger.boot_id());
        let used = timed(self.settings.query_timeout, asked).await?;
        if month != self.month {
            self.month = month;
            self.settled.clear();
        }
        let used: HashMap<_, _> = used.into_iter().collect();
        self.unsaved |= used != self.elsewhere;
        self.elsewhere = used;
        self.live.set_used_elsewhere(month, &self.elsewhere);
        Ok(())
    }

    async fn save_quota(&mut self) {
        self.unsaved = false;
        self.save_at = Instant::now() + SAVE_EVERY;
        let mut used = self.elsewhere.clone();
        for (subscription, count) in &self.settled {
            *used.entry(*subscription).or_default() += count;
        }
        let saved = SavedQuota {
            month: self.month.first_day(),
            boot_id: self.ledger.boot_id(),
            settled_before: self.settled_before,
            used,
        };
        let data = Arc::clone(&self.data);
        match tokio::task::spawn_blocking(move || data.save_quota(&saved)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "cannot save the used quotas to disk"),
            Err(error) => tracing::error!(%error, "saving the used quotas failed"),
        }
    }
}

/// Minutes since the Unix epoch; 0 for clocks before it.
pub(crate) fn minute_of(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp().div_euclid(60)).unwrap_or(0)
}

fn minutes_of(month: CalendarMonth) -> std::ops::Range<u32> {
    minute_of(month.start())..minute_of(month.end())
}
