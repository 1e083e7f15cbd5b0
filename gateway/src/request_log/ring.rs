//! Slots that are written, carried away and written again; bounded, and without a lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_queue::ArrayQueue;

use super::slot::Slot;

/// Empty slots beyond this are given back to the system after a burst.
const KEPT: usize = 512;

/// Written slots in two rows, for answered calls give way to refusals.
pub(crate) struct Ring {
    slots_max: usize,
    made: AtomicUsize,
    empty: ArrayQueue<Box<Slot>>,
    answered: ArrayQueue<Box<Slot>>,
    refused: ArrayQueue<Box<Slot>>,
    dropped: AtomicU64,
}

impl Ring {
    pub(super) fn new(slots_max: usize) -> Self {
        let queue = || ArrayQueue::new(slots_max);
        Self {
            slots_max,
            made: AtomicUsize::new(0),
            empty: queue(),
            answered: queue(),
            refused: queue(),
            dropped: AtomicU64::new(0),
        }
    }

    /// Writes a slot. Where none is left the oldest answered call is given up; refusals are given up only for newer
    /// refusals.
    pub(super) fn put(&self, answered: bool, write: impl FnOnce(&mut Slot)) {
        let Some(mut slot) = self.slot(answered) else { return };
        write(&mut slot);
        let row = if answered { &self.answered } else { &self.refused };
        // Each row has room for all slots there are.
        if row.push(slot).is_err() {
            self.lost_one();
            self.made.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn slot(&self, answered: bool) -> Option<Box<Slot>> {
        if let Some(slot) = self.empty.pop() {
            return Some(slot);
        }
        if self.made.fetch_add(1, Ordering::Relaxed) < self.slots_max {
            return Some(Slot::boxed());
        }
        self.made.fetch_sub(1, Ordering::Relaxed);
        let given_up = self.answered.pop().or_else(|| if answered { None } else { self.refused.pop() });
        self.lost_one();
        given_up
    }

    /// The oldest written slot, refusals first; to be given back.
    pub(super) fn take(&self) -> Option<Box<Slot>> {
        self.refused.pop().or_else(|| self.answered.pop())
    }

    /// Takes a slot back that was carried away.
    pub(super) fn give_back(&self, mut slot: Box<Slot>) {
        slot.clear();
        if self.empty.len() >= KEPT || self.empty.push(slot).is_err() {
            self.made.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many written slots were lost.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn lost(&self, slots: u64) {
        self.dropped.fetch_add(slots, Ordering::Relaxed);
    }

    fn lost_one(&self) {
        self.lost(1);
    }
}
