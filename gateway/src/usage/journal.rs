//! One file of the usage journal: a memory-mapped table of counters that outlives the process.
//!
//! A counted call must cost a few nanoseconds and must not be lost when the process is killed, so the counters
//! live in a shared mapping of a preallocated file: every addition is at once in the page cache, and `kill -9`
//! loses nothing. A power cut loses what was not yet synced, at most a second (`Segment::sync` is called
//! each second). The file is in the byte order of the machine that wrote it; another order fails the magic.
//!
//! Layout: a header page of `u64` words, then slots of 16 words: `state`, 7 words of key, 8 counters.
//! A slot is published by storing its `state` (marker and checksum of the key) after its key.
//!
//! This is the one module with `unsafe`. It holds because the mapping is read-write, page-aligned, as long
//! as the slice made from it and alive as long as the segment; because every word is an atomic, for which all bit
//! patterns are valid; and because the directory is locked, so that no other process shortens the file.

pub(super) mod record;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use memmap2::{MmapOptions, MmapRaw};
use tollgate_domain::{Metering, UsageCount, UsageKey};
use uuid::Uuid;

use self::record::{
    HEADER_BYTES, KEY_WORDS, PUBLISHED, SLOT_BYTES, charged_of, checksum, file_bytes, header, key_from_words,
    key_words, units_of,
};
use crate::fail_point;

pub use self::record::Recovered;

/// What one call adds to its counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    /// 1 where the call is charged.
    pub charged: u64,
    /// What it costs: what counts against quotas.
    pub units: u64,
    /// The numbers read from its answer.
    pub readings: [u64; Metering::READINGS_MAX],
    /// Request body bytes.
    pub bytes_in: u64,
    /// Response body bytes.
    pub bytes_out: u64,
    /// Whole-call time in microseconds.
    pub duration_us: u64,
}

/// A journal file that this process writes.
#[derive(Debug)]
pub struct Segment {
    /// None where it is in memory only.
    path: Option<PathBuf>,
    boot_id: Uuid,
    seq: u64,
    map: MmapRaw,
    capacity: usize,
    claimed: AtomicUsize,
}

#[repr(C)]
pub(super) struct Slot {
    state: AtomicU64,
    key: [AtomicU64; KEY_WORDS],
    calls: AtomicU64,
    charged: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    duration_us: AtomicU64,
    units: AtomicU64,
    readings: [AtomicU64; Metering::READINGS_MAX],
}

const _: () = assert!(size_of::<Slot>() == SLOT_BYTES);

impl Segment {
    /// Creates a file with room for `capacity` keys. Its blocks are allocated now, so that a disk that fills
    /// later cannot fault the mapping.
    ///
    /// # Errors
    /// When the file cannot be made, for example on a full disk.
    pub fn create(dir: &Path, boot_id: Uuid, seq: u64, capacity: usize) -> io::Result<Self> {
        Self::make(dir, boot_id, seq, capacity, true)
    }

    /// Like [`Segment::create`], for a call that waits: the file is not yet on the disk but in the page cache, where its
    /// counters live anyway, and reaches the disk with the next [`Segment::sync`].
    ///
    /// # Errors
    /// When the file cannot be made, for example on a full disk.
    pub fn create_unsynced(dir: &Path, boot_id: Uuid, seq: u64, capacity: usize) -> io::Result<Self> {
        Self::make(dir, boot_id, seq, capacity, false)
    }

    fn make(dir: &Path, boot_id: Uuid, seq: u64, capacity: usize, synced: bool) -> io::Result<Self> {
        let path = dir.join(format!("{}{seq:08}.journal", prefix_of(boot_id)));
        let unfinished = path.with_extension("new");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        let header = header(boot_id, seq, capacity);
        let made = prepare(&file, capacity, &header)
            .and_then(|()| if synced { file.sync_all() } else { Ok(()) })
            .and_then(|()| std::fs::rename(&unfinished, &path));
        if let Err(error) = made {
            let _ = std::fs::remove_file(&unfinished);
            return Err(error);
        }
        let map = MmapOptions::new().len(file_bytes(capacity)).map_raw(&file)?;
        Ok(Self { path: Some(path), boot_id, seq, map, capacity, claimed: AtomicUsize::new(0) })
    }

    /// One that is in memory only, for a disk that takes no file: its counts are carried away as others are, but do not
    /// outlive the process.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn in_memory(_: &Path, boot_id: Uuid, seq: u64, capacity: usize) -> io::Result<Self> {
        let map = MmapOptions::new().len(file_bytes(capacity)).map_anon()?.into();
        Ok(Self { path: None, boot_id, seq, map, capacity, claimed: AtomicUsize::new(0) })
    }

    /// Whether its counts outlive the process.
    #[must_use]
    pub const fn is_on_disk(&self) -> bool {
        self.path.is_some()
    }

    /// Its place among the files of this process.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// How many keys it has room for.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Its size on disk.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        file_bytes(self.capacity) as u64
    }

    /// How many slots were given out.
    #[must_use]
    pub fn claimed(&self) -> usize {
        self.claimed.load(Ordering::Acquire).min(self.capacity)
    }

    /// Gives `key` a slot of its own; none when the file is full. The caller sees to it that a key is claimed once.
    pub fn claim(&self, key: &UsageKey) -> Option<usize> {
        let index = self.claimed.fetch_add(1, Ordering::AcqRel);
        let slot = self.slots().get(index)?;
        let words = key_words(key);
        for (to, word) in slot.key.iter().zip(words) {
            to.store(word, Ordering::Relaxed);
        }
        slot.state.store(PUBLISHED | u64::from(checksum(&words)), Ordering::Release);
        Some(index)
    }

    /// Counts one call in a claimed slot.
    pub fn add(&self, index: usize, amounts: &Amounts) {
        if let Some(slot) = self.add_all_but_the_call(index, amounts) {
            fail_point::reach("append");
            // Last and with release: who reads this number of calls reads all that they added.
            slot.calls.fetch_add(1, Ordering::Release);
        }
    }

    /// Where a process killed in the middle of [`Segment::add`] may leave a slot.
    pub(super) fn add_all_but_the_call(&self, index: usize, amounts: &Amounts) -> Option<&Slot> {
        let slot = self.slots().get(index)?;
        slot.units.fetch_add(amounts.units, Ordering::Relaxed);
        slot.charged.fetch_add(amounts.charged, Ordering::Relaxed);
        slot.bytes_in.fetch_add(amounts.bytes_in, Ordering::Relaxed);
        slot.bytes_out.fetch_add(amounts.bytes_out, Ordering::Relaxed);
        slot.duration_us.fetch_add(amounts.duration_us, Ordering::Relaxed);
        // Most answers carry no number.
        for (sum, number) in slot.readings.iter().zip(amounts.readings).filter(|(_, number)| *number > 0) {
            sum.fetch_add(number, Ordering::Relaxed);
        }
        Some(slot)
    }

    /// The counts of a slot so far; none before it is published.
    #[must_use]
    pub fn count(&self, index: usize) -> Option<UsageCount> {
        let slot = self.slots().get(index)?;
        if slot.state.load(Ordering::Acquire) & PUBLISHED == 0 {
            return None;
        }
        let key = key_from_words(&std::array::from_fn(|i| slot.key[i].load(Ordering::Relaxed)))?;
        let calls = slot.calls.load(Ordering::Acquire);
        let charged = slot.charged.load(Ordering::Relaxed);
        Some(UsageCount {
            boot_id: self.boot_id,
            key,
            calls,
            charged: charged_of(charged, calls),
            bytes_in: slot.bytes_in.load(Ordering::Relaxed),
            bytes_out: slot.bytes_out.load(Ordering::Relaxed),
            duration_us: slot.duration_us.load(Ordering::Relaxed),
            units: units_of(slot.units.load(Ordering::Relaxed), charged, calls),
            readings: std::array::from_fn(|at| slot.readings[at].load(Ordering::Relaxed)),
        })
    }

    /// Writes the counters through to the disk, against power loss.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> io::Result<()> {
        let used = HEADER_BYTES + self.claimed() * SLOT_BYTES;
        if self.is_on_disk() { self.map.flush_range(0, used) } else { Ok(()) }
    }

    /// Removes the file; its counts must have been accepted elsewhere.
    ///
    /// # Errors
    /// When the file cannot be removed; it would be flushed again at the next start, which changes nothing.
    pub fn delete(&self) -> io::Result<()> {
        fail_point::reach("truncate");
        self.path.as_ref().map_or(Ok(()), std::fs::remove_file)
    }

    /// Keeps the file under a name that no start reads, for somebody to look at.
    ///
    /// # Errors
    /// When it cannot be renamed; it would be flushed again at the next start, which changes nothing.
    pub fn set_aside(&self) -> io::Result<()> {
        self.path.as_ref().map_or(Ok(()), |path| std::fs::rename(path, path.with_extension("damaged")))
    }

    #[allow(unsafe_code)]
    fn slots(&self) -> &[Slot] {
        // SAFETY: `map` is `file_bytes(capacity)` long and page-aligned, hence `capacity` slots fit behind the header
        // page and are aligned; a `Slot` is atomics only; the mapping lives as long as `self`. See the module text.
        unsafe {
            let first = self.map.as_ptr().add(HEADER_BYTES).cast::<Slot>();
            std::slice::from_raw_parts(first, self.capacity)
        }
    }
}

/// How the names of all files of a process begin.
pub(super) fn prefix_of(boot_id: Uuid) -> String {
    format!("usage-{}-", boot_id.simple())
}

/// Why a journal file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is no journal of this machine's byte order, or its header is broken.
    #[error("its header is damaged")]
    Header,
}

/// Reads a file that an earlier process left behind.
///
/// # Errors
/// When the file cannot be read or its header is broken; single damaged slots are only counted.
pub fn recover(path: &Path) -> Result<Recovered, Unreadable> {
    record::read(&std::fs::read(path)?).map_err(|_| Unreadable::Header)
}

fn prepare(mut file: &File, capacity: usize, header: &[u64]) -> io::Result<()> {
    // Written, not merely sized: a hole in a mapped file is a fault when the disk is full by then.
    io::copy(&mut io::repeat(0).take(file_bytes(capacity) as u64), &mut file)?;
    file.rewind()?;
    let bytes: Vec<u8> = header.iter().flat_map(|word| word.to_ne_bytes()).collect();
    file.write_all(&bytes)
}
