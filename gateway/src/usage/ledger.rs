//! Counts calls by key and minute, in journal files that grow with what is called.
//!
//! One [`Minute`] is open at a time. A call looks its key up without a lock and adds to a slot; only the first
//! call of a key in a minute takes a lock, to claim the slot. When the minute is over it is put aside; once its last
//! writer has let go, its counts are final, and once they were accepted its files are deleted. A key contains
//! its minute, so no key ever lives in two minutes and its count only grows.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tollgate_domain::UsageKey;
use uuid::Uuid;

use super::journal::{Amounts, Segment};

/// Keys in the first file of a minute; each further file doubles, up to `SEGMENT_KEYS_MAX`.
pub(super) const SEGMENT_KEYS_MIN: usize = 480;
const SEGMENT_KEYS_MAX: usize = 32_736;

/// The counting side of the journal.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    boot_id: Uuid,
    bytes_max: u64,
    bytes: AtomicU64,
    next_seq: AtomicU64,
    dropped: AtomicU64,
    pub(super) current: ArcSwap<Minute>,
    retired: Mutex<Vec<Arc<Minute>>>,
    /// A file made ahead of need, so that calls do not wait for the disk.
    spare: Mutex<Option<Arc<Segment>>>,
}

/// Counts of the calls that ended in one minute.
#[derive(Debug)]
pub struct Minute {
    minute: u32,
    places: papaya::HashMap<UsageKey, Place>,
    segments: Mutex<Vec<Arc<Segment>>>,
}

#[derive(Debug)]
struct Place {
    segment: Arc<Segment>,
    slot: usize,
}

/// A minute on its way out.
#[derive(Debug)]
pub struct Pending {
    /// Its files, oldest first.
    pub segments: Vec<Arc<Segment>>,
    /// Whether no writer can add to it any more; asked before its counts are read.
    pub is_final: bool,
    minute: Arc<Minute>,
}

impl Ledger {
    /// Opens an empty ledger in `dir`, which must be this process's alone. It keeps its files within `bytes_max`.
    #[must_use]
    pub fn new(dir: PathBuf, boot_id: Uuid, bytes_max: u64, minute: u32) -> Self {
        Self {
            dir,
            boot_id,
            bytes_max,
            bytes: AtomicU64::new(0),
            next_seq: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            current: ArcSwap::from_pointee(Minute::new(minute)),
            retired: Mutex::default(),
            spare: Mutex::default(),
        }
    }

    /// The gateway process that counts here.
    #[must_use]
    pub const fn boot_id(&self) -> Uuid {
        self.boot_id
    }

    /// Calls that were served but could not be counted because the journal was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Bytes of journal files on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts files of earlier processes into the bound; they take the same disk.
    pub fn hold(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes them out again when they are gone.
    pub fn release(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts one call that ended in the minute `now`; `key.minute` is set here. A clock that steps back counts into
    /// the open minute. Returns false where the call could not be counted.
    pub fn record(&self, mut key: UsageKey, now: u32, amounts: &Amounts) -> bool {
        let mut current = self.current.load();
        if now > current.minute {
            self.turn(now);
            current = self.current.load();
        }
        key.minute = current.minute;
        let counted = current.add(&key, amounts) || self.first_of_key(&current, &key, amounts);
        if !counted {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        counted
    }

    /// Opens the minute `now` if it lies after the open one.
    pub fn turn(&self, now: u32) {
        let mut retired = lock(&self.retired);
        if now > self.current.load().minute {
            let old = self.current.swap(Arc::new(Minute::new(now)));
            if !lock(&old.segments).is_empty() || Arc::strong_count(&old) > 1 {
                retired.push(old);
            }
        }
    }

    /// What is to be carried away: minutes put aside, oldest first, then the open one.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        let retired = lock(&self.retired);
        let open = self.current.load_full();
        // `swap` has turned every reader's hold on a minute put aside into a counted one, hence a count of one is
        // ours alone; the fence orders the last writer's additions before our reads.
        let mut pending: Vec<Pending> = retired
            .iter()
            .map(|minute| Pending {
                is_final: Arc::strong_count(minute) == 1,
                segments: lock(&minute.segments).clone(),
                minute: Arc::clone(minute),
            })
            .collect();
        fence(Ordering::Acquire);
        let segments = lock(&open.segments).clone();
        if !segments.is_empty() {
            pending.push(Pending { is_final: false, segments, minute: open });
        }
        pending
    }

    /// Forgets a final minute and deletes its files; its counts must have been accepted.
    pub fn settle(&self, done: Pending) {
        lock(&self.retired).retain(|minute| !Arc::ptr_eq(minute, &done.minute));
        for segment in &done.segments {
            self.bytes.fetch_sub(segment.bytes(), Ordering::Relaxed);
            if let Err(error) = segment.delete() {
                tracing::warn!(%error, seq = segment.seq(), "cannot delete a settled usage journal");
            }
        }
    }

    /// Makes the next file ahead of need. Blocks on the disk.
    pub fn prepare_spare(&self) {
        if lock(&self.spare).is_none()
            && let Some(segment) = self.create_segment(SEGMENT_KEYS_MIN)
        {
            *lock(&self.spare) = Some(segment);
        }
    }

    /// Removes the unused spare file, at a graceful stop.
    pub fn discard_spare(&self) {
        if let Some(spare) = lock(&self.spare).take() {
            self.bytes.fetch_sub(spare.bytes(), Ordering::Relaxed);
            let _ = spare.delete();
        }
    }

    fn first_of_key(&self, minute: &Minute, key: &UsageKey, amounts: &Amounts) -> bool {
        let mut segments = lock(&minute.segments);
        // Another call may have claimed the slot while this one waited.
        if minute.add(key, amounts) {
            return true;
        }
        let claimed = segments.last().and_then(|last| Some((Arc::clone(last), last.claim(key)?)));
        let placed = claimed.or_else(|| {
            let keys = SEGMENT_KEYS_MAX.min(SEGMENT_KEYS_MIN << segments.len().min(8));
            let spare = if segments.is_empty() { lock(&self.spare).take() } else { None };
            let segment = spare.or_else(|| self.create_segment(keys))?;
            segments.push(Arc::clone(&segment));
            let slot = segment.claim(key)?;
            Some((segment, slot))
        });
        let Some((segment, slot)) = placed else { return false };
        segment.add(slot, amounts);
        minute.places.pin().insert(*key, Place { segment, slot });
        true
    }

    fn create_segment(&self, keys: usize) -> Option<Arc<Segment>> {
        let seq = self.next_seq.fetch_add(1, Ordering::Relaxed);
        let bytes = 4096 + 128 * keys as u64;
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return None;
        }
        match Segment::create(&self.dir, self.boot_id, seq, keys) {
            Ok(segment) => Some(Arc::new(segment)),
            Err(error) => {
                self.bytes.fetch_sub(bytes, Ordering::Relaxed);
                tracing::error!(%error, "cannot make a usage journal file");
                None
            }
        }
    }
}

impl Pending {
    /// Which minute, since the Unix epoch.
    #[must_use]
    pub fn minute(&self) -> u32 {
        self.minute.minute
    }
}

impl Minute {
    fn new(minute: u32) -> Self {
        Self { minute, places: papaya::HashMap::new(), segments: Mutex::default() }
    }

    fn add(&self, key: &UsageKey, amounts: &Amounts) -> bool {
        let places = self.places.pin();
        let Some(place) = places.get(key) else { return false };
        place.segment.add(place.slot, amounts);
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is whole after every step, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
