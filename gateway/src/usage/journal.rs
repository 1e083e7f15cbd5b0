//! One file of the usage journal: a memory-mapped table of counters that outlives the process.
//!
//! A counted call must cost a few nanoseconds and must not be lost when the process is killed, so the counters
//! live in a shared mapping of a preallocated file: every addition is at once in the page cache, and `kill -9`
//! loses nothing. A power cut loses what was not yet synced, at most a second (`Segment::sync` is called
//! each second). The file is in the byte order of the machine that wrote it; another order fails the magic.
//!
//! Layout: a header page of `u64` words, then slots of 16 words: `state`, 7 words of key, 5 counters, 3 spare.
//! A slot is published by storing its `state` (marker and checksum of the key) after its key.
//!
//! This is the one module with `unsafe`. It holds because the mapping is read-write, page-aligned, as long
//! as the slice made from it and alive as long as the segment; because every word is an atomic, for which all bit
//! patterns are valid; and because the directory is locked, so that no other process shortens the file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use memmap2::{MmapOptions, MmapRaw};
use tollgate_domain::{Outcome, UsageCount, UsageKey};
use uuid::Uuid;

use crate::fail_point;

const MAGIC: u64 = u64::from_le_bytes(*b"TGUSAGE1");
const HEADER_BYTES: usize = 4096;
const HEADER_WORDS: usize = 7;
const SLOT_WORDS: usize = 16;
const SLOT_BYTES: usize = SLOT_WORDS * 8;
const KEY_WORDS: usize = 7;
const PUBLISHED: u64 = 1 << 63;
const WORD: usize = 8;
const CALLS_BEYOND_BELIEF: u64 = 1 << 40;

/// What one call adds to its counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    /// 1 where the call counts against the quota and on the bill.
    pub charged: u64,
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
    spare: [AtomicU64; 3],
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
        slot.charged.fetch_add(amounts.charged, Ordering::Relaxed);
        slot.bytes_in.fetch_add(amounts.bytes_in, Ordering::Relaxed);
        slot.bytes_out.fetch_add(amounts.bytes_out, Ordering::Relaxed);
        slot.duration_us.fetch_add(amounts.duration_us, Ordering::Relaxed);
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
        Some(UsageCount {
            boot_id: self.boot_id,
            key,
            calls,
            charged: charged_of(slot.charged.load(Ordering::Relaxed), calls),
            bytes_in: slot.bytes_in.load(Ordering::Relaxed),
            bytes_out: slot.bytes_out.load(Ordering::Relaxed),
            duration_us: slot.duration_us.load(Ordering::Relaxed),
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

/// What a journal file of an earlier process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The process that counted.
    pub boot_id: Uuid,
    /// The file's place among that process's files.
    pub seq: u64,
    /// Its counts.
    pub counts: Vec<UsageCount>,
    /// The file's size.
    pub file_bytes: u64,
    /// Slots whose key does not match its checksum, whose calls are beyond belief, or that a shortened file has lost.
    pub damaged_slots: usize,
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
    let bytes = std::fs::read(path)?;
    let word = |at: usize| -> Option<u64> {
        bytes.get(at * WORD..(at + 1) * WORD).and_then(|word| word.try_into().ok()).map(u64::from_ne_bytes)
    };
    let mut head = [0u64; HEADER_WORDS];
    for (at, to) in head.iter_mut().enumerate() {
        *to = word(at).ok_or(Unreadable::Header)?;
    }
    let [magic, slot_bytes, capacity, boot_high, boot_low, seq, check] = head;
    let sound = magic == MAGIC
        && slot_bytes == SLOT_BYTES as u64
        && check == u64::from(checksum(&head[..HEADER_WORDS - 1]));
    let capacity = usize::try_from(capacity).ok().filter(|_| sound).ok_or(Unreadable::Header)?;
    let boot_id = Uuid::from_u64_pair(boot_high, boot_low);

    let present = bytes.len().saturating_sub(HEADER_BYTES) / SLOT_BYTES;
    let mut recovered = Recovered {
        boot_id,
        seq,
        counts: Vec::new(),
        file_bytes: bytes.len() as u64,
        damaged_slots: capacity.saturating_sub(present),
    };
    for slot in 0..capacity.min(present) {
        let first = (HEADER_BYTES + slot * SLOT_BYTES) / WORD;
        let words: [u64; SLOT_WORDS] = std::array::from_fn(|i| word(first + i).unwrap_or(0));
        let state = words[0];
        if state == 0 {
            continue;
        }
        let key_part: [u64; KEY_WORDS] = std::array::from_fn(|i| words[1 + i]);
        let sound = state == PUBLISHED | u64::from(checksum(&key_part));
        // No checksum guards counters that change with every call, but no machine answers so much in a minute.
        let sound = sound && words[8] < CALLS_BEYOND_BELIEF;
        match key_from_words(&key_part).filter(|_| sound) {
            Some(key) => recovered.counts.push(UsageCount {
                boot_id,
                key,
                calls: words[8],
                charged: charged_of(words[9], words[8]),
                bytes_in: words[10],
                bytes_out: words[11],
                duration_us: words[12],
            }),
            None => recovered.damaged_slots += 1,
        }
    }
    Ok(recovered)
}

/// Charged calls among `calls`. A call raises `charged` first, so it may be seen, or have died, between the two; it is no
/// call yet, and a charge without its call is refused by Postgres, with all that is sent beside it.
fn charged_of(charged: u64, calls: u64) -> u64 {
    charged.min(calls)
}

const fn file_bytes(capacity: usize) -> usize {
    HEADER_BYTES + capacity * SLOT_BYTES
}

fn header(boot_id: Uuid, seq: u64, capacity: usize) -> [u64; HEADER_WORDS] {
    let (high, low) = boot_id.as_u64_pair();
    let mut words = [MAGIC, SLOT_BYTES as u64, capacity as u64, high, low, seq, 0];
    words[HEADER_WORDS - 1] = u64::from(checksum(&words[..HEADER_WORDS - 1]));
    words
}

fn prepare(mut file: &File, capacity: usize, header: &[u64]) -> io::Result<()> {
    // Written, not merely sized: a hole in a mapped file is a fault when the disk is full by then.
    io::copy(&mut io::repeat(0).take(file_bytes(capacity) as u64), &mut file)?;
    file.rewind()?;
    let bytes: Vec<u8> = header.iter().flat_map(|word| word.to_ne_bytes()).collect();
    file.write_all(&bytes)
}

fn checksum(words: &[u64]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for word in words {
        hasher.update(&word.to_ne_bytes());
    }
    hasher.finalize()
}

fn key_words(key: &UsageKey) -> [u64; KEY_WORDS] {
    let (c1, c2) = key.credential_id.uuid().as_u64_pair();
    let (s1, s2) = key.subscription_id.uuid().as_u64_pair();
    let (r1, r2) = key.route_id.uuid().as_u64_pair();
    let last = u64::from(key.minute) | u64::from(key.status) << 32 | u64::from(key.outcome as u8) << 48;
    [c1, c2, s1, s2, r1, r2, last]
}

fn key_from_words(words: &[u64; KEY_WORDS]) -> Option<UsageKey> {
    let [c1, c2, s1, s2, r1, r2, last] = *words;
    Some(UsageKey {
        credential_id: Uuid::from_u64_pair(c1, c2).into(),
        subscription_id: Uuid::from_u64_pair(s1, s2).into(),
        route_id: Uuid::from_u64_pair(r1, r2).into(),
        status: (last >> 32) as u16,
        outcome: Outcome::from_code(i16::from((last >> 48) as u8))?,
        minute: last as u32,
    })
}
