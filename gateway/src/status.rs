//! Where a gateway stands: what it runs, what it refused, whether it is going away.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tollgate_engine::CompileError;

use crate::fingerprint::Fingerprint;

/// What of the newest configuration is not in force.
#[derive(Debug, Default)]
struct Trouble {
    /// Why, where there is anything.
    text: Option<String>,
    /// Rows at fault, where all else is in force.
    faults: usize,
    /// Nothing of it is: it could not be compiled at all.
    is_refused: bool,
}

/// Read by readiness, metrics and heartbeats; written by the feed, the flush and the shutdown.
#[derive(Debug, Default)]
pub(crate) struct Status {
    revision: AtomicI64,
    revision_seen: AtomicI64,
    draining: AtomicBool,
    full_loads: AtomicI64,
    counted_us: AtomicI64,
    trouble: Mutex<Trouble>,
    fingerprint: Mutex<Option<(i64, Fingerprint)>>,
    /// When the control plane last told the newest revision.
    answered_at: Mutex<Option<Instant>>,
    changed: Notify,
}

impl Status {
    /// All changes up to `revision` are in force, or were refused and are on record.
    pub(crate) fn applied(&self, revision: i64) {
        self.revision.store(revision, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// The control plane has announced `revision`.
    pub(crate) fn seen(&self, revision: i64) {
        self.revision_seen.store(revision, Ordering::Relaxed);
        *lock(&self.answered_at) = Some(Instant::now());
    }

    /// Everything was loaded, and not only what changed.
    pub(crate) fn loaded_all(&self) {
        self.full_loads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn full_loads(&self) -> i64 {
        self.full_loads.load(Ordering::Relaxed)
    }

    /// What `revision` is made of.
    pub(crate) fn fingerprinted(&self, revision: i64, fingerprint: Fingerprint) {
        *lock(&self.fingerprint) = Some((revision, fingerprint));
        self.changed.notify_one();
    }

    /// The newest blueprint was refused as a whole.
    pub(crate) fn refused(&self, error: String) {
        *lock(&self.trouble) = Trouble { text: Some(error), faults: 0, is_refused: true };
        self.changed.notify_one();
    }

    /// The newest blueprint is in force, but for some rows.
    pub(crate) fn in_force(&self, revision: i64, faults: &[CompileError]) {
        let more = faults.len().saturating_sub(1);
        let and_more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        let text = faults.first().map(|first| format!("revision {revision}: {first}{and_more}"));
        *lock(&self.trouble) = Trouble { text, faults: faults.len(), is_refused: false };
        self.changed.notify_one();
    }

    /// All calls that ended before `at` are stored.
    pub(crate) fn counted(&self, at: DateTime<Utc>) {
        self.counted_us.store(at.timestamp_micros(), Ordering::Relaxed);
    }

    /// The gateway begins to go away.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    pub(crate) fn revision(&self) -> i64 {
        self.revision.load(Ordering::Relaxed)
    }

    pub(crate) fn revision_seen(&self) -> i64 {
        self.revision_seen.load(Ordering::Relaxed).max(self.revision())
    }

    pub(crate) fn counted_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.counted_us.load(Ordering::Relaxed))
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// What of the newest configuration is not in force, and why.
    pub(crate) fn last_error(&self) -> Option<String> {
        lock(&self.trouble).text.clone()
    }

    /// Rows of the configuration in force that do not compile.
    pub(crate) fn faults(&self) -> usize {
        lock(&self.trouble).faults
    }

    /// Whether an older configuration runs because the newest could not be compiled at all.
    pub(crate) fn is_refused(&self) -> bool {
        lock(&self.trouble).is_refused
    }

    /// Of the revision that runs; none before it was saved.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        lock(&self.fingerprint).filter(|(revision, _)| *revision == self.revision()).map(|(_, it)| it)
    }

    /// How long the control plane has not told whether there is anything newer; none before it first did.
    pub(crate) fn unconfirmed_for(&self) -> Option<Duration> {
        lock(&self.answered_at).map(|at| at.elapsed())
    }

    /// Waits for news; one waiter at a time.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
