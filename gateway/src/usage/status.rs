//! What the operator is told of the journal and of the quotas.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const MICROS: f64 = 1e6;

/// Written by the flush, read by the operator's listener.
#[derive(Debug)]
pub(crate) struct FlushStatus {
    born: Instant,
    lag_us: AtomicU64,
    /// Microseconds after `born`.
    quota_answered_us: AtomicU64,
    set_aside: AtomicU64,
    refused: AtomicU64,
}

impl Default for FlushStatus {
    fn default() -> Self {
        Self {
            born: Instant::now(),
            lag_us: AtomicU64::new(0),
            quota_answered_us: AtomicU64::new(0),
            set_aside: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }
}

impl FlushStatus {
    /// Seconds since everything counted was last safe in Postgres; 0 while it is.
    pub(crate) fn lag_seconds(&self) -> f64 {
        self.lag_us.load(Ordering::Relaxed) as f64 / MICROS
    }

    /// Seconds since Postgres last told what other gateways used of quotas, or since the start.
    pub(crate) fn quota_age_seconds(&self) -> f64 {
        let answered = Duration::from_micros(self.quota_answered_us.load(Ordering::Relaxed));
        self.born.elapsed().saturating_sub(answered).as_secs_f64()
    }

    /// Journals that were kept as `*.damaged`.
    pub(crate) fn journals_set_aside(&self) -> u64 {
        self.set_aside.load(Ordering::Relaxed)
    }

    /// Counts that Postgres refused for good.
    pub(crate) fn counts_refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn lags(&self, lag: Duration) {
        self.lag_us.store(micros(lag), Ordering::Relaxed);
    }

    pub(super) fn quota_answered(&self) {
        self.quota_answered_us.store(micros(self.born.elapsed()), Ordering::Relaxed);
    }

    pub(super) fn set_aside(&self, journals: u64) {
        self.set_aside.fetch_add(journals, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, counts: u64) {
        self.refused.fetch_add(counts, Ordering::Relaxed);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
