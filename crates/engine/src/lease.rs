//! Budgets that are spent from what the database lent this process: never a unit over, whoever else spends.
//!
//! A cell holds the units that are left of one lease. A call takes its units from it with one atomic exchange and looks at
//! nothing else; where there are too few it is told whether more could be had. Who fills cells is one task of the process;
//! it asks the database, which grants no more than there is ([`LeaseCell::fill`] is told what it granted).
//!
//! A lease is of one window of time. A refill for another window begins another generation: what a call took in an earlier
//! one cannot come back into a later one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tollgate_domain::Limit;

/// Leased budgets of one subscription.
pub(crate) const CELLS: usize = Limit::LEASES_MAX;

const COUNT_BITS: u32 = 40;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const _: () = assert!(Limit::AMOUNT_MAX < COUNT_MASK);

/// Seconds for which it is believed that nothing more can be had, before it is asked for again.
const BELIEVED_S: u64 = 1;

/// What is known of the window of a generation.
#[derive(Debug, Default)]
struct Span {
    /// Unix seconds of its end.
    ends_s: AtomicU64,
    /// Units that nobody had when the database was last asked.
    free: AtomicU64,
    /// Unix seconds of that answer.
    told_s: AtomicU64,
    /// Below so many left, more is asked for.
    low: AtomicU64,
}

/// What is left of the lease of one budget.
#[derive(Debug, Default)]
pub(crate) struct LeaseCell {
    /// The generation in the high 24 bits, the units left below.
    left: AtomicU64,
    /// Which budget it is, see [`key_of`].
    key: AtomicU64,
    /// Of even and of odd generations.
    spans: [Span; 2],
    /// Whether more was asked for and is not answered.
    asked: AtomicBool,
}

/// What a lease says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It has the units.
    Had {
        /// Taken in this generation.
        generation: u32,
        /// Units that can still be had, as far as is known.
        remaining: u64,
        /// When the budget opens anew, in Unix seconds.
        ends_s: u64,
        /// More should be asked for, by whoever is told this.
        is_low: bool,
    },
    /// There are too few, and were too few for everybody a moment ago.
    Exhausted {
        /// Units that can be had.
        remaining: u64,
        /// When the budget opens anew, in Unix seconds.
        ends_s: u64,
    },
    /// It is not known whether there are enough: ask.
    Unknown,
}

const fn unpack(packed: u64) -> (u32, u64) {
    ((packed >> COUNT_BITS) as u32, packed & COUNT_MASK)
}

const fn pack(generation: u32, left: u64) -> u64 {
    ((generation as u64) << COUNT_BITS) | left
}

/// A budget's name as a number: FNV-1a, never 0, which is nobody's.
#[must_use]
pub fn key_of(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.max(1)
}

impl LeaseCell {
    /// Takes `units` from the budget `key`, or nothing. What costs nothing is always had.
    pub(crate) fn take(&self, key: u64, units: u32, now_s: u64) -> Answer {
        loop {
            let seen = self.left.load(Ordering::Acquire);
            let answer = self.answer(seen, key, units, now_s);
            let Answer::Had { generation, .. } = answer else { return answer };
            let (_, left) = unpack(seen);
            let after = pack(generation, left.saturating_sub(u64::from(units)));
            if self.left.compare_exchange_weak(seen, after, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return answer;
            }
        }
    }

    /// What [`LeaseCell::take`] would say.
    pub(crate) fn peek(&self, key: u64, units: u32, now_s: u64) -> Answer {
        self.answer(self.left.load(Ordering::Acquire), key, units, now_s)
    }

    fn answer(&self, seen: u64, key: u64, units: u32, now_s: u64) -> Answer {
        let (generation, left) = unpack(seen);
        // Where another generation begins meanwhile, the exchange fails and all this is asked again.
        let span = &self.spans[generation as usize & 1];
        let ends_s = span.ends_s.load(Ordering::Relaxed);
        let is_this = self.key.load(Ordering::Relaxed) == key && now_s < ends_s;
        let (left, units) = (if is_this { left } else { 0 }, u64::from(units));
        if units > left || !is_this {
            if is_this
                && left + span.free.load(Ordering::Relaxed) < units
                && now_s < span.told_s.load(Ordering::Relaxed) + BELIEVED_S
            {
                return Answer::Exhausted { remaining: left, ends_s };
            }
            if units > 0 {
                return Answer::Unknown;
            }
        }
        let free = if is_this { span.free.load(Ordering::Relaxed) } else { 0 };
        let after = left - units;
        let could_have_more = free > 0 || now_s >= span.told_s.load(Ordering::Relaxed) + BELIEVED_S;
        let is_low = units > 0 && after < span.low.load(Ordering::Relaxed) && could_have_more;
        Answer::Had {
            generation,
            remaining: after + free,
            ends_s: if is_this { ends_s } else { now_s },
            is_low,
        }
    }

    /// Whether the caller is the first to ask for more.
    pub(crate) fn is_first_to_ask(&self) -> bool {
        !self.asked.load(Ordering::Relaxed) && !self.asked.swap(true, Ordering::Relaxed)
    }

    /// Gives units back that a call took and is not charged; nothing happens once their window is over.
    pub(crate) fn give_back(&self, generation: u32, units: u32) {
        let _ = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |seen| {
            let (current, left) = unpack(seen);
            (current == generation).then(|| pack(current, (left + u64::from(units)).min(COUNT_MASK)))
        });
    }

    /// Adds what the database granted for the window that ends at `ends_s`, and notes what it has left. For one task alone.
    pub(crate) fn fill(&self, key: u64, ends_s: u64, granted: u64, free: u64, now_s: u64) {
        let note = |span: &Span| {
            span.free.store(free, Ordering::Relaxed);
            span.told_s.store(now_s, Ordering::Relaxed);
            span.low.store(granted / 2, Ordering::Relaxed);
        };
        let (generation, _) = unpack(self.left.load(Ordering::Acquire));
        let span = &self.spans[generation as usize & 1];
        if self.key.load(Ordering::Relaxed) == key && span.ends_s.load(Ordering::Relaxed) == ends_s {
            note(span);
            let _ = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |seen| {
                let (current, left) = unpack(seen);
                Some(pack(current, (left + granted).min(COUNT_MASK)))
            });
        } else {
            let next = (generation + 1) & 0x00ff_ffff;
            let span = &self.spans[next as usize & 1];
            note(span);
            span.ends_s.store(ends_s, Ordering::Relaxed);
            self.key.store(key, Ordering::Relaxed);
            self.left.store(pack(next, granted.min(COUNT_MASK)), Ordering::Release);
        }
        self.asked.store(false, Ordering::Relaxed);
    }

    /// Nobody answered: whoever needs more asks again.
    pub(crate) fn ask_again(&self) {
        self.asked.store(false, Ordering::Relaxed);
    }

    /// Takes all that is left of the window that ends at `ends_s`, to hand it back.
    pub(crate) fn take_all(&self, key: u64, ends_s: u64) -> u64 {
        let taken = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |seen| {
            let (generation, _) = unpack(seen);
            let span = &self.spans[generation as usize & 1];
            let is_this =
                self.key.load(Ordering::Relaxed) == key && span.ends_s.load(Ordering::Relaxed) == ends_s;
            is_this.then(|| pack(generation, 0))
        });
        let taken = taken.map_or(0, |seen| unpack(seen).1);
        if taken > 0 {
            // What is not here may be anywhere: ask before refusing.
            self.spans.iter().for_each(|span| span.told_s.store(0, Ordering::Relaxed));
        }
        taken
    }

    /// Whether it says no more than a new one.
    pub(crate) fn is_idle(&self, now_s: u64) -> bool {
        let (generation, left) = unpack(self.left.load(Ordering::Acquire));
        left == 0 || self.spans[generation as usize & 1].ends_s.load(Ordering::Relaxed) <= now_s
    }

    /// Units left, for whoever watches whether they are spent.
    pub(crate) fn left(&self) -> u64 {
        unpack(self.left.load(Ordering::Acquire)).1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: u64 = 7;

    fn units_of(answer: Answer) -> bool {
        matches!(answer, Answer::Had { .. })
    }

    #[test]
    fn an_empty_cell_knows_nothing_and_a_filled_one_is_spent_to_its_last_unit() {
        let cell = LeaseCell::default();
        assert_eq!(cell.take(KEY, 1, 100), Answer::Unknown);
        cell.fill(KEY, 200, 3, 0, 100);
        assert_eq!(
            cell.take(KEY, 2, 100),
            Answer::Had { generation: 1, remaining: 1, ends_s: 200, is_low: false }
        );
        assert_eq!(cell.take(KEY, 2, 100), Answer::Exhausted { remaining: 1, ends_s: 200 });
        assert!(units_of(cell.take(KEY, 1, 100)));
        assert!(units_of(cell.take(KEY, 0, 100)), "what costs nothing is always had");
        assert_eq!(cell.take(KEY, 1, 101), Answer::Unknown, "others may have handed some back");
        assert_eq!(cell.take(KEY + 1, 1, 100), Answer::Unknown, "another budget");
        assert_eq!(cell.take(KEY, 1, 200), Answer::Unknown, "its window is over");
    }

    #[test]
    fn what_was_taken_in_one_window_does_not_come_back_into_the_next() {
        let cell = LeaseCell::default();
        cell.fill(KEY, 200, 5, 0, 100);
        let Answer::Had { generation, .. } = cell.take(KEY, 5, 100) else { panic!("it has five") };
        cell.fill(KEY, 300, 2, 0, 200);
        cell.give_back(generation, 5);
        assert_eq!(cell.left(), 2);
        assert_eq!((cell.take_all(KEY, 200), cell.take_all(KEY, 300)), (0, 2));
        assert_eq!(cell.take(KEY, 1, 200), Answer::Unknown);
    }

    #[test]
    fn more_is_asked_for_once_while_there_is_more() {
        let cell = LeaseCell::default();
        cell.fill(KEY, 200, 4, 10, 100);
        let low = |answer| matches!(answer, Answer::Had { is_low: true, .. });
        assert!(!low(cell.take(KEY, 1, 100)) && !low(cell.take(KEY, 1, 100)) && low(cell.take(KEY, 1, 100)));
        assert!(cell.is_first_to_ask() && !cell.is_first_to_ask());
        cell.fill(KEY, 200, 1, 0, 100);
        assert!(cell.is_first_to_ask());
        assert_eq!(cell.left(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn no_more_is_taken_than_was_granted(
            steps in prop::collection::vec((0u8..6, 0u32..9), 1..80),
        ) {
            let cell = LeaseCell::default();
            let (mut now, mut ends) = (100u64, 110u64);
            let (mut granted, mut taken) = (0u64, 0u64);
            let mut held: Vec<(u32, u32)> = Vec::new();
            for (kind, n) in steps {
                match kind {
                    0..=2 => {
                        if let Answer::Had { generation, .. } = cell.take(KEY, n, now) && n > 0 {
                            held.push((generation, n));
                            taken += u64::from(n);
                        }
                    }
                    3 => {
                        cell.fill(KEY, ends, n.into(), 3, now);
                        granted += u64::from(n);
                    }
                    4 => {
                        if let Some((generation, units)) = held.pop() {
                            cell.give_back(generation, units);
                            taken -= u64::from(units);
                        }
                    }
                    _ if n < 2 => {
                        // The next window: nothing of the last one counts there.
                        (now, ends) = (ends, ends + 10);
                        cell.fill(KEY, ends, 0, 0, now);
                        (granted, taken) = (0, 0);
                        let old = std::mem::take(&mut held);
                        old.iter().for_each(|(generation, units)| cell.give_back(*generation, *units));
                    }
                    _ => granted -= cell.take_all(KEY, ends),
                }
                prop_assert_eq!(cell.left(), granted - taken);
            }
        }
    }

    #[test]
    fn racing_threads_take_no_more_than_was_granted() {
        let cell = LeaseCell::default();
        let taken = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for step in 0..2_000u32 {
                        if let Answer::Had { generation, .. } = cell.take(KEY, 1, 100) {
                            taken.fetch_add(1, Ordering::Relaxed);
                            if step % 5 == 0 {
                                cell.give_back(generation, 1);
                                taken.fetch_sub(1, Ordering::Relaxed);
                            }
                        }
                    }
                });
            }
            for _ in 0..50 {
                cell.fill(KEY, 200, 10, 0, 100);
            }
        });
        assert_eq!(taken.into_inner() + cell.left(), 500);
    }
}
