//! Speed limits: the generic cell rate algorithm on one atomic number per limit and consumer.
//!
//! The number is the theoretical arrival time (TAT) in nanoseconds since the Unix epoch: how far it lies ahead of
//! now is the debt. A call adds one emission interval and is refused where the debt would exceed the burst.
//!
//! Intervals are whole nanoseconds and rounded up, so a limit is never exceeded; where the amount does not divide
//! its period the rate is low by less than `amount / period_ns` of itself (3 per second: 3·10⁻⁹, 1,000,007 per
//! second: 0.1 %), and more than 10⁹ per second is not told apart from 10⁹.

use std::sync::atomic::{AtomicU64, Ordering};

/// A TAT this far beyond what a limit can produce was left by another limit or another clock.
const FOREIGN_AFTER_NS: u64 = 1_000_000_000;
/// The largest debt: 146 years. It keeps every sum with a present time inside 64 bits.
const TOLERANCE_NS_MAX: u64 = 1 << 62;

/// One rate limit, ready to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    interval_ns: u64,
    burst: u64,
    /// `burst × interval_ns`
    tolerance_ns: u64,
}

/// How a limit stands for one consumer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// Calls that may come right now.
    pub remaining: u64,
    /// Nanoseconds until one more than `remaining` may come; 0 where the burst is whole.
    pub next_ns: u64,
}

impl Rate {
    /// `amount` calls per `period_s` seconds, of which `burst` may come at once. All three at least 1.
    #[must_use]
    pub fn new(amount: u64, period_s: u64, burst: u64) -> Self {
        let period_ns = period_s.saturating_mul(1_000_000_000);
        let interval_ns = period_ns.div_ceil(amount.max(1)).max(1);
        let burst = burst.clamp(1, (TOLERANCE_NS_MAX / interval_ns).max(1));
        Self { interval_ns, burst, tolerance_ns: burst * interval_ns }
    }

    /// Nanoseconds that each call costs.
    #[must_use]
    pub const fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// How the limit stands, nothing taken.
    #[must_use]
    pub fn peek(&self, tat: &AtomicU64, now_ns: u64) -> Level {
        self.level(self.debt(tat, now_ns).1)
    }

    /// Whether a call would be admitted, nothing taken.
    #[must_use]
    pub fn admits(&self, tat: &AtomicU64, now_ns: u64) -> bool {
        self.debt(tat, now_ns).1 + self.interval_ns <= self.tolerance_ns
    }

    /// Takes one call.
    ///
    /// # Errors
    /// The level, with nothing remaining, where the limit is reached; nothing is taken then.
    pub fn take(&self, tat: &AtomicU64, now_ns: u64) -> Result<Level, Level> {
        loop {
            let (seen, debt) = self.debt(tat, now_ns);
            let after = debt + self.interval_ns;
            if after > self.tolerance_ns {
                return Err(self.level(debt));
            }
            let next = now_ns.saturating_add(after);
            // The number guards nothing but itself, so no ordering with other memory is needed.
            if tat.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return Ok(self.level(after));
            }
        }
    }

    /// Gives back one taken call. What others took in between stays taken.
    pub fn undo(&self, tat: &AtomicU64) {
        tat.fetch_sub(self.interval_ns, Ordering::Relaxed);
    }

    /// How the limit stands for one who has called nothing for long.
    #[must_use]
    pub fn rested(&self) -> Level {
        self.level(0)
    }

    /// How the limit stands where this is the TAT.
    #[must_use]
    pub fn level_at(&self, tat: u64, now_ns: u64) -> Level {
        self.level(tat.saturating_sub(now_ns).min(self.tolerance_ns))
    }

    /// The TAT once a call more was taken.
    ///
    /// # Errors
    /// The level, with nothing remaining, where the limit is reached.
    pub fn after(&self, tat: u64, now_ns: u64) -> Result<u64, Level> {
        let debt = tat.saturating_sub(now_ns).min(self.tolerance_ns);
        let after = debt + self.interval_ns;
        if after > self.tolerance_ns { Err(self.level(debt)) } else { Ok(now_ns.saturating_add(after)) }
    }

    /// What a TAT that this limit cannot have produced (its amount was changed, the clock was set back) is pulled to,
    /// the largest debt, so that nobody waits for another limit's day; none for one that it can.
    #[must_use]
    pub fn pulled(&self, tat: u64, now_ns: u64) -> Option<u64> {
        let foreign = tat.saturating_sub(now_ns) > self.tolerance_ns.saturating_add(FOREIGN_AFTER_NS);
        foreign.then(|| now_ns.saturating_add(self.tolerance_ns))
    }

    /// The number as read and the debt it means; a foreign one is pulled.
    fn debt(&self, tat: &AtomicU64, now_ns: u64) -> (u64, u64) {
        let seen = tat.load(Ordering::Relaxed);
        let debt = seen.saturating_sub(now_ns);
        if debt <= self.tolerance_ns {
            return (seen, debt);
        }
        if let Some(full) = self.pulled(seen, now_ns) {
            // Lost to another thread: that one wrote a better number.
            let _ = tat.compare_exchange(seen, full, Ordering::Relaxed, Ordering::Relaxed);
        }
        (seen, self.tolerance_ns)
    }

    fn level(&self, debt: u64) -> Level {
        let remaining = (self.tolerance_ns - debt) / self.interval_ns;
        let next_ns = if remaining >= self.burst {
            0
        } else {
            debt - (self.tolerance_ns - (remaining + 1) * self.interval_ns)
        };
        Level { remaining, next_ns }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_790_000_000_000_000_000;

    /// A bucket in exact integer arithmetic: levels are in calls × `period_ns`.
    struct Bucket {
        amount: u128,
        period_ns: u128,
        burst: u128,
        level: u128,
        at: u64,
    }

    impl Bucket {
        fn take(&mut self, now: u64) -> Result<u64, u128> {
            let refill = u128::from(now - self.at) * self.amount;
            self.level = (self.level + refill).min(self.burst * self.period_ns);
            self.at = now;
            if self.level >= self.period_ns {
                self.level -= self.period_ns;
                Ok((self.level / self.period_ns) as u64)
            } else {
                Err((self.period_ns - self.level).div_ceil(self.amount))
            }
        }
    }

    proptest! {
        #[test]
        fn where_the_amount_divides_the_period_it_is_an_exact_bucket(
            amount in prop::sample::select(vec![1u64, 2, 5, 10, 100, 1_000, 1_000_000]),
            period in prop::sample::select(vec![1u64, 60, 3_600, 86_400]),
            burst in 1u64..20,
            steps in prop::collection::vec(0u64..3_000_000_000, 1..200),
        ) {
            let rate = Rate::new(amount, period, burst);
            let tat = AtomicU64::new(0);
            let (amount, period_ns) = (u128::from(amount), u128::from(period) * 1_000_000_000);
            let burst = u128::from(burst);
            let mut model = Bucket { amount, period_ns, burst, level: burst * period_ns, at: NOW };
            let mut now = NOW;
            for step in steps {
                now += step % (rate.interval_ns() * 3 + 1);
                match (rate.take(&tat, now), model.take(now)) {
                    (Ok(level), Ok(remaining)) => prop_assert_eq!(level.remaining, remaining),
                    (Err(level), Err(wait)) => {
                        prop_assert_eq!(level.remaining, 0);
                        prop_assert_eq!(u128::from(level.next_ns), wait);
                    }
                    (ours, exact) => prop_assert!(false, "{ours:?} where exact is {exact:?}"),
                }
            }
        }

        #[test]
        fn for_any_amount_it_is_an_exact_bucket_that_refills_a_call_in_each_interval_rounded_up(
            amount in 1u64..5_000_000,
            period in prop::sample::select(vec![1u64, 60, 3_600, 86_400]),
            burst in 1u64..20,
            steps in prop::collection::vec(0u64..u64::MAX, 1..200),
        ) {
            let rate = Rate::new(amount, period, burst);
            let interval_ns = rate.interval_ns();
            let (exact, whole) = (u128::from(period) * 1_000_000_000, u128::from(interval_ns) * u128::from(amount));
            prop_assert!(exact <= whole && whole < exact + u128::from(amount), "the least whole number that is no less");
            let tat = AtomicU64::new(0);
            let (period_ns, calls) = (u128::from(interval_ns), u128::from(burst));
            let mut model = Bucket { amount: 1, period_ns, burst: calls, level: calls * period_ns, at: NOW };
            let mut now = NOW;
            for step in steps {
                now += step % (interval_ns * 3 + 1);
                let before = rate.peek(&tat, now);
                let (ours, exact) = (rate.take(&tat, now), model.take(now));
                prop_assert_eq!(before.remaining > 0, exact.is_ok());
                match (ours, exact) {
                    (Ok(level), Ok(remaining)) => prop_assert_eq!(level.remaining, remaining),
                    (Err(level), Err(wait)) => prop_assert_eq!(u128::from(level.next_ns), wait),
                    (ours, exact) => prop_assert!(false, "{ours:?} where exact is {exact:?}"),
                }
            }
        }

        #[test]
        fn no_window_ever_holds_more_than_the_limit_and_the_loss_is_bounded(
            amount in 1u64..5_000_000,
            period in prop::sample::select(vec![1u64, 60, 3_600, 86_400]),
            burst in 1u64..50,
            steps in prop::collection::vec(0u64..1_000_000, 1..300),
        ) {
            let rate = Rate::new(amount, period, burst);
            let tat = AtomicU64::new(0);
            let mut now = NOW;
            let mut admitted: Vec<u64> = Vec::new();
            for step in steps {
                now += step % (rate.interval_ns() * 2 + 1);
                match rate.take(&tat, now) {
                    Ok(_) => admitted.push(now),
                    Err(level) => {
                        prop_assert!(level.next_ns > 0);
                        let early = AtomicU64::new(tat.load(Ordering::Relaxed));
                        prop_assert!(rate.take(&early, now + level.next_ns - 1).is_err());
                        prop_assert!(rate.take(&early, now + level.next_ns).is_ok());
                    }
                }
            }
            let period_ns = u128::from(period) * 1_000_000_000;
            for (index, from) in admitted.iter().enumerate() {
                for (count, to) in admitted[index..].iter().enumerate() {
                    let refilled = u128::from(to - from) * u128::from(amount) / period_ns;
                    prop_assert!((count as u128) < u128::from(burst) + refilled);
                }
            }
            let exact = period_ns as f64 / amount as f64;
            let low_by = (rate.interval_ns() as f64 - exact) / exact;
            prop_assert!((0.0..=amount as f64 / period_ns as f64).contains(&low_by));
        }

        #[test]
        fn a_take_that_is_undone_leaves_the_limit_as_it_was(
            amount in 1u64..10_000, burst in 1u64..50, taken in 0u64..60, later in 0u64..2_000_000_000,
        ) {
            let rate = Rate::new(amount, 1, burst);
            let tat = AtomicU64::new(0);
            for _ in 0..taken {
                let _ = rate.take(&tat, NOW);
            }
            let before = rate.peek(&tat, NOW + later);
            if rate.take(&tat, NOW + later).is_ok() {
                rate.undo(&tat);
            }
            prop_assert_eq!(rate.peek(&tat, NOW + later), before);
        }
    }

    #[test]
    fn racing_threads_together_never_exceed_the_limit() {
        let rate = Rate::new(1, 3_600, 1_000);
        let tat = AtomicU64::new(0);
        let admitted = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for step in 0..1_000 {
                        if rate.take(&tat, NOW + step).is_ok() {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(admitted.into_inner(), 1_000);
    }

    #[test]
    fn a_debt_of_another_limit_or_clock_is_cut_to_one_full_wait() {
        let rate = Rate::new(10, 1, 10);
        let tat = AtomicU64::new(NOW + 86_400_000_000_000);
        assert!(rate.take(&tat, NOW).is_err());
        assert!(rate.take(&tat, NOW + rate.interval_ns()).is_ok());
    }

    #[test]
    fn extreme_limits_do_not_overflow() {
        let fast = Rate::new(1_000_000_000_000, 1, 1_000_000_000_000);
        assert_eq!(fast.interval_ns(), 1);
        let slow = Rate::new(1, 86_400, 1_000_000_000_000);
        let tat = AtomicU64::new(0);
        assert!(slow.take(&tat, NOW).expect("admitted").remaining > 50_000);
    }
}
