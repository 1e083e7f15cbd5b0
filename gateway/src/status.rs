//! Where a gateway stands: what it runs, what it refused, whether it is going away.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

/// Read by readiness, metrics and heartbeats; written by the feed, the flush and the shutdown.
#[derive(Debug, Default)]
pub(crate) struct Status {
    revision: AtomicI64,
    revision_seen: AtomicI64,
    draining: AtomicBool,
    counted_us: AtomicI64,
    last_error: Mutex<Option<String>>,
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
    }

    /// The newest blueprint was refused, or none is refused any more.
    pub(crate) fn refused(&self, error: Option<String>) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
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

    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for news; one waiter at a time.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}
