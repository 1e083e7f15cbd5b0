//! Carries counts from the journal to Postgres.
//!
//! Counts are cumulative per process, so sending them again changes nothing: a batch that was stored but not
//! acknowledged, or a journal that was flushed but not deleted, cannot bill a call twice.
//!
//! Nothing that Postgres refuses holds up anything else: rows that break a rule of the database are found and left out, and
//! the file they stand in is kept as `*.damaged`; a file that fails otherwise is tried again after all others.

mod leftover;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tollgate_domain::UsageCount;
use uuid::Uuid;

use super::ledger::{Ledger, Pending};
use super::leftovers::Leftovers;
use super::parcel::{Parcel, Verdict, with_causes};
use super::quota::Quota;
use super::status::FlushStatus;
use crate::disk::DataDir;
use crate::feed::source::{RecordError, Source, SourceError};
use crate::live::Live;
use crate::settings::Settings;
use crate::time;
use leftover::Leftover;

/// In place of a number of accepted calls: this count was refused for good.
const REFUSED: u64 = u64::MAX;

pub(crate) struct Flush {
    ledger: Arc<Ledger>,
    source: Arc<dyn Source>,
    live: Arc<Live>,
    settings: Arc<Settings>,
    status: Arc<FlushStatus>,
    quota: Quota,
    leftovers: Vec<Leftover>,
    /// Processes that left journals and are gone for good.
    gone: Vec<Uuid>,
    /// Calls last accepted, by file and slot.
    accepted: HashMap<u64, Vec<u64>>,
    complete_at: Instant,
    answered: bool,
}

/// How many counts of a file were refused for good, and why the first was.
#[derive(Default)]
struct Refused {
    counts: u64,
    cause: String,
}

impl Refused {
    fn note(&mut self, error: &SourceError) {
        if self.counts == 0 {
            self.cause = with_causes(error.as_ref());
        }
        self.counts += 1;
    }
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
        ledger.prepare_files();
        // What an earlier process left is not handed in yet.
        let counts = leftovers.recovered.iter().flat_map(|(_, journal)| &journal.counts);
        let oldest = counts.map(|count| i64::from(count.key.minute)).min();
        let oldest = oldest.and_then(|minute| DateTime::from_timestamp(minute * 60, 0));
        live.status.counted(oldest.unwrap_or_else(time::utc));
        let mut flush = Self {
            quota: Quota::new(
                Arc::clone(&source),
                Arc::clone(&live),
                data,
                Arc::clone(&settings),
                Arc::clone(&status),
                ledger.boot_id(),
            ),
            ledger,
            source,
            live,
            settings,
            status,
            leftovers: Vec::new(),
            gone: Vec::new(),
            accepted: HashMap::new(),
            complete_at: Instant::now(),
            answered: true,
        };
        flush.adopt(leftovers);
        flush
    }

    pub(crate) fn status(&self) -> Arc<FlushStatus> {
        Arc::clone(&self.status)
    }

    /// Before the first call, without Postgres: what is known on disk, that is the quota file and the journals that it
    /// does not contain yet.
    pub(crate) fn quota_from_disk(&mut self) {
        self.quota.take_from_disk(self.leftovers.iter().flat_map(|leftover| &leftover.journal.counts));
    }

    /// Before the first call, with Postgres: hands in what earlier processes left, then asks for all that was used.
    pub(crate) async fn quota_from_source(&mut self) -> Result<(), SourceError> {
        self.flush_leftovers().await?;
        self.quota.ask().await
    }

    /// Flushes until `stop`, then once more. Call [`Flush::finish`] after the last call has ended. `found` brings what a
    /// process left that had handed over to this one.
    pub(crate) async fn run(mut self, stop: CancellationToken, mut found: mpsc::Receiver<Leftovers>) -> Self {
        let _preparing = AbortOnDropHandle::new(tokio::spawn(keep_files_ready(Arc::clone(&self.ledger))));
        let mut ticks = tokio::time::interval(self.settings.flush_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return self,
                _ = ticks.tick() => self.round().await,
                Some(left) = found.recv() => self.adopt(left),
            }
        }
    }

    /// The last flush of a graceful stop.
    pub(crate) async fn finish(mut self) {
        // A minute of its own for nobody: the open one is put aside, becomes final and can be deleted.
        self.ledger.turn(minute_of(time::utc()) + 1);
        self.round().await;
        self.ledger.discard_files();
        self.quota.save().await;
    }

    async fn round(&mut self) {
        let began = time::utc();
        self.ledger.turn(minute_of(began));
        self.sync().await;
        let flushed = self.flush_all().await;
        match &flushed {
            Ok(()) => {
                self.complete_at = Instant::now();
                // Calls that ended before were in what was just sent.
                self.live.status.counted(began);
                if !self.answered {
                    tracing::info!("usage is flushed again");
                }
            }
            Err(error) if self.answered => {
                tracing::warn!(error = with_causes(error), "cannot flush usage; it stays in the journal");
            }
            Err(error) => tracing::debug!(error = with_causes(error), "still cannot flush usage"),
        }
        self.answered = flushed.is_ok();
        self.status.lags(if flushed.is_ok() { Duration::ZERO } else { self.complete_at.elapsed() });
        if !matches!(flushed, Err(RecordError::Away(_))) {
            self.quota.ask_when_due().await;
        }
        self.quota.save_when_due().await;
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

    /// Everything, or else the first failure; only one to reach Postgres at all ends it early.
    async fn flush_all(&mut self) -> Result<(), RecordError> {
        let mut all = self.flush_leftovers().await;
        if matches!(all, Err(RecordError::Away(_))) {
            return all;
        }
        // Settled in order, so that one number says what is settled.
        let mut in_order = true;
        for pending in self.ledger.pending() {
            let flushed = self.flush_minute(&pending).await;
            if matches!(flushed, Err(RecordError::Away(_))) {
                return flushed;
            }
            in_order &= pending.is_final && flushed.is_ok();
            if in_order {
                self.settle(pending);
            }
            all = all.and(flushed);
        }
        all
    }

    async fn flush_minute(&mut self, pending: &Pending) -> Result<(), RecordError> {
        let mut all = Ok(());
        for segment in &pending.segments {
            let accepted = self.accepted.entry(segment.seq()).or_default();
            accepted.resize(segment.claimed(), 0);
            let (slots, counts): (Vec<usize>, Vec<UsageCount>) = (0..accepted.len())
                .filter_map(|slot| Some((slot, segment.count(slot)?)))
                .filter(|(slot, count)| count.calls > accepted[*slot])
                .unzip();
            let mut refused = Refused::default();
            let mut stored = false;
            let tell = |at: usize, verdict: Verdict<'_>| match verdict {
                Verdict::Stored => {
                    accepted[slots[at]] = counts[at].calls;
                    stored = true;
                }
                Verdict::Refused(error) => {
                    accepted[slots[at]] = REFUSED;
                    refused.note(error);
                }
            };
            let limit = self.settings.query_timeout;
            let sent = Parcel::new(counts.len()).send(self.source.as_ref(), limit, &counts, tell).await;
            if stored {
                self.quota.own_stored();
            }
            if refused.counts > 0 {
                self.status.refused(refused.counts);
                tracing::error!(
                    seq = segment.seq(),
                    refused = refused.counts,
                    cause = refused.cause,
                    "the database refuses some counts for good; their usage journal will be set aside as *.damaged"
                );
            }
            if matches!(sent, Err(RecordError::Away(_))) {
                return sent;
            }
            all = all.and(sent);
        }
        all
    }

    /// All its counts were accepted, or refused for good, and nobody can add to it.
    fn settle(&mut self, done: Pending) {
        let mut set_aside = Vec::new();
        for segment in &done.segments {
            let accepted = self.accepted.remove(&segment.seq()).unwrap_or_default();
            if accepted.contains(&REFUSED) {
                set_aside.push(segment.seq());
            }
            let counts: Vec<_> = (0..segment.claimed()).filter_map(|slot| segment.count(slot)).collect();
            self.quota.settle(done.minute(), &counts);
        }
        self.status.set_aside(set_aside.len() as u64);
        self.ledger.settle(done, &set_aside);
    }
}

/// Minutes since the Unix epoch; 0 for clocks before it.
pub(crate) fn minute_of(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp().div_euclid(60)).unwrap_or(0)
}

/// Makes the next files as soon as one is taken, however long a round takes; every round tries, too.
async fn keep_files_ready(ledger: Arc<Ledger>) {
    loop {
        ledger.file_taken().await;
        let ledger = Arc::clone(&ledger);
        if let Err(error) = tokio::task::spawn_blocking(move || ledger.prepare_files()).await {
            tracing::error!(%error, "making usage journal files failed");
        }
    }
}
