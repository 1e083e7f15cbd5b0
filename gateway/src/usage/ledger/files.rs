//! The journal files of a ledger, made ahead of need, so that no call waits for the disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uuid::Uuid;

use super::{Ledger, lock};
use crate::usage::journal::Segment;

/// Keys in the smallest file, 64 KiB, and in the largest.
pub(in crate::usage) const SEGMENT_KEYS_MIN: usize = 480;
const SEGMENT_KEYS_MAX: usize = 32_736;
/// Keys per 64 KiB, of which the header takes the room of 32.
const SEGMENT_KEYS_STEP: usize = 512;

type Create = fn(&Path, Uuid, u64, usize) -> std::io::Result<Segment>;

/// Files made ahead of need.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    files: Vec<Arc<Segment>>,
    closed: bool,
}

impl Ledger {
    /// Makes files ahead of need. Blocks on the disk, but no call.
    pub fn prepare_files(&self) {
        let _one = lock(&self.preparing);
        loop {
            let ready: usize = {
                let prepared = lock(&self.prepared);
                if prepared.closed {
                    return;
                }
                prepared.files.iter().map(|file| file.capacity()).sum()
            };
            let open = self.current.load_full();
            let wanted = SEGMENT_KEYS_MIN.max(open.keys()).max(self.keys_before.load(Ordering::Relaxed));
            drop(open);
            if ready >= wanted {
                return;
            }
            let Some(file) = self.create_segment(wanted - ready, Segment::create) else { return };
            let mut prepared = lock(&self.prepared);
            if prepared.closed {
                drop(prepared);
                self.discard(&file);
                return;
            }
            prepared.files.push(file);
        }
    }

    /// Waits until a call took one of the files made ahead; one waiter at a time.
    pub async fn file_taken(&self) {
        self.taken.notified().await;
    }

    /// Removes the files that were made ahead and not used, at a graceful stop; no more are made.
    pub fn discard_files(&self) {
        let files = {
            let mut prepared = lock(&self.prepared);
            prepared.closed = true;
            std::mem::take(&mut prepared.files)
        };
        for file in files {
            self.discard(&file);
        }
    }

    fn discard(&self, file: &Segment) {
        self.bytes.fetch_sub(file.bytes(), Ordering::Relaxed);
        let _ = file.delete();
    }

    /// The largest, so that one made for busier times does not lie about for ever.
    pub(super) fn take_prepared(&self) -> Option<Arc<Segment>> {
        let mut prepared = lock(&self.prepared);
        let (at, _) = prepared.files.iter().enumerate().max_by_key(|(_, file)| file.capacity())?;
        let file = prepared.files.swap_remove(at);
        drop(prepared);
        self.taken.notify_one();
        Some(file)
    }

    /// A file for `keys` keys or fewer, as much as there is room for; none where there is none.
    pub(super) fn create_segment(&self, keys: usize, create: Create) -> Option<Arc<Segment>> {
        let steps = (keys + SEGMENT_KEYS_STEP - SEGMENT_KEYS_MIN).div_ceil(SEGMENT_KEYS_STEP).max(1);
        let mut keys =
            SEGMENT_KEYS_MAX.min(steps * SEGMENT_KEYS_STEP - (SEGMENT_KEYS_STEP - SEGMENT_KEYS_MIN));
        let bytes = loop {
            let bytes = 4096 + 128 * keys as u64;
            if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.bytes_max {
                break bytes;
            }
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            if keys == SEGMENT_KEYS_MIN {
                return None;
            }
            keys = SEGMENT_KEYS_MIN;
        };
        let seq = self.next_seq.fetch_add(1, Ordering::Relaxed);
        match create(&self.dir, self.boot_id, seq, keys) {
            Ok(segment) => {
                if segment.is_on_disk() {
                    self.disk_fails.store(false, Ordering::Relaxed);
                } else {
                    self.in_memory.fetch_add(1, Ordering::Relaxed);
                }
                Some(Arc::new(segment))
            }
            Err(error) => {
                self.bytes.fetch_sub(bytes, Ordering::Relaxed);
                // Once, for a full disk must not be filled with lines about it.
                if !self.disk_fails.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the disk takes no usage journal file; counting in memory until it does");
                }
                None
            }
        }
    }
}
