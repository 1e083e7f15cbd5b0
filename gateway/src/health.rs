//! How a target does: how many calls wait for it, and whether it failed so often that the others are asked first.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Failures in a row after which a target is passed over.
const FAILURES_MAX: u32 = 5;
/// For how long at first; each further time twice as long, up to five minutes and more.
const PASSED_OVER_NS: u64 = 10_000_000_000;
const DOUBLINGS_MAX: u32 = 5;

/// What calls have seen of one target. Shared by all revisions and workers.
#[derive(Debug, Default)]
pub(crate) struct Health {
    waiting: AtomicU32,
    failures: AtomicU32,
    /// How often in a row it was passed over.
    times: AtomicU32,
    /// Nanoseconds since the Unix epoch.
    passed_over_until: AtomicU64,
}

impl Health {
    /// One more call waits; not where `most` do already. To be followed by [`Health::left`].
    pub(crate) fn enter(&self, most: u32) -> bool {
        let fits = self.waiting.fetch_add(1, Ordering::Relaxed) < most;
        if !fits {
            self.left();
        }
        fits
    }

    /// A call that had a place before waits again.
    pub(crate) fn enter_again(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// A call waits no more.
    pub(crate) fn left(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// It answered.
    pub(crate) fn answered(&self) {
        // Read first: nothing is written as long as all is well.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.times.store(0, Ordering::Relaxed);
            self.passed_over_until.store(0, Ordering::Relaxed);
        }
    }

    /// It refused, broke off or said nothing.
    pub(crate) fn failed(&self, now_ns: u64) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures >= FAILURES_MAX && !self.is_passed_over(now_ns) {
            let times = self.times.fetch_add(1, Ordering::Relaxed).min(DOUBLINGS_MAX);
            self.passed_over_until.store(now_ns.saturating_add(PASSED_OVER_NS << times), Ordering::Relaxed);
        }
    }

    /// Whether others are to be asked first. When its time is over it is tried again, and the first failure passes it
    /// over for twice as long.
    pub(crate) fn is_passed_over(&self, now_ns: u64) -> bool {
        self.failures.load(Ordering::Relaxed) >= FAILURES_MAX
            && now_ns < self.passed_over_until.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_pass_a_target_over_for_longer_and_longer() {
        let health = Health::default();
        let second = 1_000_000_000;
        (0..4).for_each(|_| health.failed(0));
        assert!(!health.is_passed_over(0));
        health.answered();
        (0..4).for_each(|_| health.failed(0));
        assert!(!health.is_passed_over(0), "not in a row");
        health.failed(0);
        assert!(health.is_passed_over(0) && health.is_passed_over(10 * second - 1));
        assert!(!health.is_passed_over(10 * second), "it is tried again");
        health.failed(10 * second);
        assert!(health.is_passed_over(30 * second - 1) && !health.is_passed_over(30 * second));
        health.answered();
        assert!(!health.is_passed_over(11 * second));
        (0..5).for_each(|_| health.failed(0));
        assert!(health.is_passed_over(9 * second) && !health.is_passed_over(10 * second), "it begins anew");
    }

    #[test]
    fn only_so_many_calls_wait() {
        let health = Health::default();
        assert!(health.enter(2) && health.enter(2) && !health.enter(2));
        health.left();
        assert!(health.enter(2));
    }
}
