//! Counts of rates for callers whom nobody announces: a table of fixed size, in which a count lives as long as it says
//! anything.
//!
//! A word is who is counted and until when what it took weighs (the TAT of [`crate::gcra`]), read and written as one.
//! Once that time is past it says no more than an empty one, and whoever needs a place may have it. A caller's words
//! lie in one bucket of eight; where all of them are others' and still weigh, its call is not counted, which is counted.
//!
//! What may go wrong, and how far:
//! - A bucket is full: with n callers that weigh at once the share without a place is what a Poisson distribution with
//!   n/32,768 has above eight: 10⁻⁶ at 33,000, 1.5·10⁻⁴ at 66,000, 0.8 % at 131,000. Their calls are admitted.
//! - First calls of one caller at the same instant find different free places, and are counted apart: one call more for
//!   each thread, whenever the caller was as good as unknown.
//! - Two callers have the same 64 bits, and share a count. Ids are random and nobody chooses them: among 131,000 that
//!   weigh at once there are two such with a probability of 5·10⁻¹⁰.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use portable_atomic::AtomicU128;

use crate::gcra::{Level, Rate};

/// 4 MiB, which are only taken where something is counted.
const BUCKETS: usize = 1 << 15;
const PLACES: usize = 8;

/// Two lines of a cache, which processors fetch together.
#[repr(align(128))]
#[derive(Default)]
struct Bucket([AtomicU128; PLACES]);

/// The table.
#[derive(Default)]
pub(crate) struct Cells {
    buckets: OnceLock<Box<[Bucket]>>,
    /// Calls that found no place.
    uncounted: AtomicU64,
}

/// Who is counted by which rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u64);

impl Tag {
    /// Both are 64 bits that are random already.
    pub(crate) fn of(rate: u64, caller: u64) -> Self {
        // What splitmix64 ends with: every bit of both decides about every bit of the bucket.
        let mut word = rate ^ caller.rotate_left(32);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(word ^ (word >> 31))
    }
}

const fn word(tag: Tag, tat: u64) -> u128 {
    (tag.0 as u128) << 64 | tat as u128
}

const fn tag_of(word: u128) -> Tag {
    Tag((word >> 64) as u64)
}

const fn tat_of(word: u128) -> u64 {
    word as u64
}

impl Cells {
    /// Takes its memory now, so that no call has to.
    pub(crate) fn prepare(&self) {
        self.buckets();
    }

    fn buckets(&self) -> &[Bucket] {
        self.buckets.get_or_init(|| (0..BUCKETS).map(|_| Bucket::default()).collect())
    }

    fn places(&self, tag: Tag) -> &[AtomicU128; PLACES] {
        &self.buckets()[tag.0 as usize % BUCKETS].0
    }

    /// The place of a caller and what stands there.
    fn find(&self, tag: Tag) -> Option<(&AtomicU128, u128)> {
        let read = |place| (place, AtomicU128::load(place, Ordering::Relaxed));
        self.places(tag).iter().map(read).find(|(_, seen)| tag_of(*seen) == tag)
    }

    /// How a rate stands for a caller, nothing taken.
    pub(crate) fn peek(&self, rate: &Rate, tag: Tag, now_ns: u64) -> Level {
        let Some((place, seen)) = self.find(tag) else { return rate.rested() };
        if let Some(pulled) = rate.pulled(tat_of(seen), now_ns) {
            // Lost to another thread: that one wrote a better number.
            let new = word(tag, pulled);
            let _ = place.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Relaxed);
        }
        rate.level_at(tat_of(seen), now_ns)
    }

    /// Takes one call; one that finds no place is admitted.
    ///
    /// # Errors
    /// How the rate stands, where it is reached; nothing is taken then.
    pub(crate) fn take(&self, rate: &Rate, tag: Tag, now_ns: u64) -> Result<(), Level> {
        loop {
            let Some((place, seen)) = self.find(tag).or_else(|| self.free(tag, now_ns)) else {
                self.uncounted.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            };
            // What another left weighs nothing.
            let tat = if tag_of(seen) == tag { tat_of(seen) } else { 0 };
            let new = word(tag, rate.after(tat, now_ns)?);
            // A word guards nothing but itself, so no ordering with other memory is needed.
            if place.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return Ok(());
            }
        }
    }

    /// A place that nobody needs any more.
    fn free(&self, tag: Tag, now_ns: u64) -> Option<(&AtomicU128, u128)> {
        let read = |place| (place, AtomicU128::load(place, Ordering::Relaxed));
        self.places(tag).iter().map(read).find(|(_, seen)| tat_of(*seen) <= now_ns)
    }

    /// Gives back one taken call, where it was counted. What others took in between stays taken.
    pub(crate) fn undo(&self, rate: &Rate, tag: Tag) {
        while let Some((place, seen)) = self.find(tag) {
            let new = word(tag, tat_of(seen).saturating_sub(rate.interval_ns()));
            if place.compare_exchange(seen, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }

    /// Calls that were admitted uncounted since the process began.
    pub(crate) fn uncounted(&self) -> u64 {
        self.uncounted.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells").field("uncounted", &self.uncounted()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
