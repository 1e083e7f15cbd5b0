//! Counts calls by key and minute, in journal files that grow with what is called.
//!
//! One [`Minute`] is open at a time. A call looks its key up without a lock and adds to a slot; only the first
//! call of a key in a minute takes a lock, to claim the slot. When the minute is over it is put aside; once its last
//! writer has let go, its counts are final, and once they were accepted its files are deleted. A key contains
//! its minute, so no key ever lives in two minutes and its count only grows.
//!
//! Files are made ahead of need by a task of their own ([`Ledger::prepare_files`]): always room for as many further keys
//! as the open minute or the one before it has. A call makes a file only where keys come faster than that.

mod files;

use std::hash::BuildHasherDefault;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tollgate_domain::UsageKey;
use tollgate_engine::snapshot::IdHasher;
use uuid::Uuid;

use super::journal::{Amounts, Segment};
use files::Prepared;
#[cfg(test)]
pub(in crate::usage) use files::SEGMENT_KEYS_MIN;

/// The counting side of the journal.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    boot_id: Uuid,
    bytes_max: u64,
    bytes: AtomicU64,
    next_seq: AtomicU64,
    dropped: AtomicU64,
    made_in_calls: AtomicU64,
    in_memory: AtomicU64,
    disk_fails: AtomicBool,
    pub(super) current: ArcSwap<Minute>,
    retired: Mutex<Vec<Arc<Minute>>>,
    prepared: Mutex<Prepared>,
    /// One at a time prepares.
    preparing: Mutex<()>,
    taken: Notify,
    /// Keys of the minute before the open one.
    keys_before: AtomicUsize,
}

/// Counts of the calls that ended in one minute.
#[derive(Debug)]
pub struct Minute {
    minute: u32,
    /// All that a key is made of was numbered by the platform: nobody can choose two that meet.
    places: papaya::HashMap<UsageKey, Place, BuildHasherDefault<IdHasher>>,
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
            made_in_calls: AtomicU64::new(0),
            in_memory: AtomicU64::new(0),
            disk_fails: AtomicBool::new(false),
            current: ArcSwap::from_pointee(Minute::new(minute)),
            retired: Mutex::default(),
            prepared: Mutex::default(),
            preparing: Mutex::default(),
            taken: Notify::new(),
            keys_before: AtomicUsize::new(0),
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

    /// How many calls had to make a file themselves, waiting for the disk, because none was ready.
    #[must_use]
    pub fn files_made_in_calls(&self) -> u64 {
        self.made_in_calls.load(Ordering::Relaxed)
    }

    /// Files that are in memory only, because the disk took none.
    #[must_use]
    pub fn files_in_memory(&self) -> u64 {
        self.in_memory.load(Ordering::Relaxed)
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

    /// Opens the minute `now`, also one before the open one; only before the first call.
    pub fn begin(&self, now: u32) {
        if lock(&self.current.load().segments).is_empty() {
            self.current.store(Arc::new(Minute::new(now)));
        }
    }

    /// Opens the minute `now` if it lies after the open one.
    pub fn turn(&self, now: u32) {
        let mut retired = lock(&self.retired);
        if now > self.current.load().minute {
            let old = self.current.swap(Arc::new(Minute::new(now)));
            self.keys_before.store(old.keys(), Ordering::Relaxed);
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

    /// Forgets a final minute and deletes its files; its counts must have been accepted. Files in which some were
    /// refused for good (`refused`, by their seq) are kept under another name.
    pub fn settle(&self, done: Pending, refused: &[u64]) {
        lock(&self.retired).retain(|minute| !Arc::ptr_eq(minute, &done.minute));
        for segment in &done.segments {
            self.bytes.fetch_sub(segment.bytes(), Ordering::Relaxed);
            if !segment.is_on_disk() {
                self.in_memory.fetch_sub(1, Ordering::Relaxed);
            }
            let refused = refused.contains(&segment.seq());
            if let Err(error) = if refused { segment.set_aside() } else { segment.delete() } {
                tracing::warn!(%error, seq = segment.seq(), "cannot clear a settled usage journal away");
            }
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
            let segment = self.take_prepared().or_else(|| {
                self.made_in_calls.fetch_add(1, Ordering::Relaxed);
                let known: usize = segments.iter().map(|segment| segment.capacity()).sum();
                self.create_segment(known, Segment::create_unsynced)
                    .or_else(|| self.create_segment(known, Segment::in_memory))
            })?;
            segments.push(Arc::clone(&segment));
            let slot = segment.claim(key)?;
            Some((segment, slot))
        });
        let Some((segment, slot)) = placed else { return false };
        segment.add(slot, amounts);
        minute.places.pin().insert(*key, Place { segment, slot });
        true
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
        Self { minute, places: papaya::HashMap::default(), segments: Mutex::default() }
    }

    fn keys(&self) -> usize {
        lock(&self.segments).iter().map(|segment| segment.claimed()).sum()
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
