//! A table in parts that are read without a lock and replaced whole.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// Bits of a number that say which shard it is in.
pub(super) const SHARD_BITS: u32 = 12;
/// With a million rows a shard has some 250: its copy takes a few microseconds.
const SHARDS: usize = 1 << SHARD_BITS;

/// The shards of one table.
pub(super) struct Shards<T>(Box<[ArcSwap<T>]>);

impl<T: Default> Shards<T> {
    pub(super) fn new() -> Self {
        // Empty ones are all the same one.
        let empty = Arc::new(T::default());
        Self((0..SHARDS).map(|_| ArcSwap::new(Arc::clone(&empty))).collect())
    }

    /// A shard as it stands now.
    pub(super) fn get(&self, shard: usize) -> Guard<Arc<T>> {
        self.0[shard].load()
    }

    /// Puts a shard in force.
    pub(super) fn set(&self, shard: usize, new: T) {
        self.0[shard].store(Arc::new(new));
    }

    /// Every shard as it stands when it is its turn.
    pub(super) fn iter(&self) -> impl Iterator<Item = Guard<Arc<T>>> + '_ {
        self.0.iter().map(ArcSwap::load)
    }

    /// Replaces the shards for which there is something new. For writers, who are alone.
    pub(super) fn update_where(&self, mut new: impl FnMut(&T) -> Option<T>) {
        for shard in &self.0 {
            if let Some(new) = new(&shard.load()) {
                shard.store(Arc::new(new));
            }
        }
    }
}
