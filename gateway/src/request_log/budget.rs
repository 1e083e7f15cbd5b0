//! So many a second, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bits of the word that count within the second.
const COUNT_BITS: u32 = 24;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// Counts what is taken in the present second of the wall clock.
#[derive(Debug)]
pub(super) struct Budget {
    per_second: u64,
    /// The second, then how many were taken in it.
    word: AtomicU64,
    refused: AtomicU64,
}

impl Budget {
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = u64::from(per_second).min(COUNT_MASK);
        Self { per_second, word: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    /// Whether there is one left in `second`. In a busy second this mostly only reads.
    pub(super) fn take(&self, second: u64) -> bool {
        let second = second << COUNT_BITS;
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let taken = if word & !COUNT_MASK == second { word & COUNT_MASK } else { 0 };
            if taken >= self.per_second {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            let next = second | (taken + 1);
            match self.word.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// How many found none left.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own_and_a_clock_that_steps_back_does_not_close_it() {
        let budget = Budget::new(2);
        let taken = |second| (0..4).filter(|_| budget.take(second)).count();
        assert_eq!((taken(10), taken(11), taken(10)), (2, 2, 2));
        assert_eq!(budget.refused(), 6);
    }
}
