//! Counts calls by key and minute, in journal files that grow with what is called.
//!
//! One [`Minute`] is open at a time. A call looks its key up without a lock and adds to a slot; only the first
//! call of a key in a minute takes a lock, to claim the slot. When the minute is over it is put aside; once its last
//! writer has let go, its counts are final, and once they were accepted its files are deleted. A key contains
//! its minute, so no key ever lives in two minutes and its count only grows.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tollgate_domain::{UsageCount, UsageKey};
use uuid::Uuid;

use super::journal::{Amounts, Recovered, Segment, Unreadable, recover};

/// Keys in the first file of a minute; each further file doubles, up to `SEGMENT_KEYS_MAX`.
const SEGMENT_KEYS_MIN: usize = 480;
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
    current: ArcSwap<Minute>,
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

/// Files of earlier processes, as found at start.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// What could be read, with the file it came from.
    pub recovered: Vec<(PathBuf, Recovered)>,
    /// Files set aside because they could not be read.
    pub set_aside: usize,
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

/// Reads what earlier processes left in `dir`: journals are recovered, unreadable ones set aside under another
/// name, unfinished ones removed.
///
/// # Errors
/// When the directory cannot be listed.
pub fn leftovers(dir: &Path) -> std::io::Result<Leftovers> {
    let mut found = Leftovers::default();
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with("usage-") {
            continue;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("new") => drop(std::fs::remove_file(&path)),
            Some("journal") => match recover(&path) {
                Ok(recovered) => {
                    if recovered.damaged_slots > 0 {
                        tracing::error!(
                            file = %path.display(),
                            damaged_slots = recovered.damaged_slots,
                            "a usage journal has damaged entries; the others are kept"
                        );
                    }
                    found.recovered.push((path, recovered));
                }
                Err(error) => {
                    found.set_aside += 1;
                    set_aside(&path, &error);
                }
            },
            _ => {}
        }
    }
    Ok(found)
}

fn set_aside(path: &Path, error: &Unreadable) {
    tracing::error!(file = %path.display(), %error, "a usage journal is set aside as *.damaged");
    if let Err(error) = std::fs::rename(path, path.with_extension("damaged")) {
        tracing::error!(%error, "cannot set it aside");
    }
}

/// The sum of what `counts` charge each subscription in the given range of minutes.
pub fn charged_by_subscription<'a>(
    counts: impl IntoIterator<Item = &'a UsageCount>,
    minutes: &std::ops::Range<u32>,
) -> std::collections::HashMap<tollgate_domain::SubscriptionId, u64> {
    let mut sums = std::collections::HashMap::new();
    for count in counts {
        if count.charged > 0 && minutes.contains(&count.key.minute) {
            *sums.entry(count.key.subscription_id).or_default() += count.charged;
        }
    }
    sums
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is whole after every step, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::Outcome;

    fn key(n: u128) -> UsageKey {
        UsageKey {
            credential_id: Uuid::from_u128(n).into(),
            subscription_id: Uuid::from_u128(1).into(),
            route_id: Uuid::from_u128(2).into(),
            status: 200,
            outcome: Outcome::Served,
            minute: 0,
        }
    }

    fn ledger(dir: &Path, bytes_max: u64) -> Ledger {
        Ledger::new(dir.to_owned(), Uuid::now_v7(), bytes_max, 100)
    }

    const ONE: Amounts = Amounts { charged: 1, bytes_in: 0, bytes_out: 0, duration_us: 5 };

    fn total(ledger: &Ledger) -> u64 {
        let pending = ledger.pending();
        let segments = pending.iter().flat_map(|minute| &minute.segments);
        segments
            .flat_map(|s| (0..s.claimed()).filter_map(|slot| s.count(slot)))
            .map(|count| count.calls)
            .sum()
    }

    #[test]
    fn every_call_is_counted_once_across_threads_keys_and_minutes() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path(), 64 << 20);
        std::thread::scope(|scope| {
            for thread in 0..4u32 {
                let ledger = &ledger;
                scope.spawn(move || {
                    for n in 0..3_000u32 {
                        assert!(ledger.record(
                            key(u128::from(n % 700)),
                            100 + (n / 1_000) + thread % 2,
                            &ONE
                        ));
                    }
                });
            }
        });
        assert_eq!(total(&ledger), 12_000);
        // No key has two slots: cumulative counts of one key would otherwise overwrite each other.
        let mut keys = std::collections::HashSet::new();
        for minute in ledger.pending() {
            for segment in &minute.segments {
                for count in (0..segment.claimed()).filter_map(|slot| segment.count(slot)) {
                    assert!(keys.insert(count.key), "{:?}", count.key);
                }
            }
        }
    }

    #[test]
    fn a_minute_becomes_final_when_its_writers_are_gone_and_its_files_go_when_settled() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path(), 1 << 20);
        ledger.record(key(1), 100, &ONE);
        let writer = ledger.current.load();
        ledger.turn(101);
        assert!(!ledger.pending()[0].is_final, "a writer still holds it");
        drop(writer);
        let done = ledger.pending().remove(0);
        assert!(done.is_final);
        ledger.settle(done);
        assert_eq!((ledger.pending().len(), ledger.bytes()), (0, 0));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_full_journal_drops_counts_but_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path(), 4096 + 128 * SEGMENT_KEYS_MIN as u64);
        for n in 0..SEGMENT_KEYS_MIN as u128 + 5 {
            ledger.record(key(n), 100, &ONE);
        }
        assert_eq!(ledger.dropped(), 5);
        assert!(ledger.record(key(0), 100, &ONE), "known keys still count");
        assert_eq!(total(&ledger), SEGMENT_KEYS_MIN as u64 + 1);
    }

    #[test]
    fn leftovers_are_recovered_and_broken_ones_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let first = ledger(dir.path(), 1 << 20);
        first.record(key(1), 100, &ONE);
        std::mem::forget(first);
        std::fs::write(dir.path().join("usage-x.journal"), b"not a journal").unwrap();
        std::fs::write(dir.path().join("usage-y.new"), b"half made").unwrap();

        let found = leftovers(dir.path()).unwrap();
        assert_eq!((found.recovered.len(), found.set_aside), (1, 1));
        assert_eq!(found.recovered[0].1.counts[0].charged, 1);
        assert!(dir.path().join("usage-x.damaged").exists());
        assert!(!dir.path().join("usage-y.new").exists());
        let sums = charged_by_subscription(&found.recovered[0].1.counts, &(100..101));
        assert_eq!(sums.values().sum::<u64>(), 1);
    }
}
