//! What a journal file says, read from its bytes alone: no file, no clock, nothing of this process.

use tollgate_domain::{Outcome, UsageCount, UsageKey};
use uuid::Uuid;

const MAGIC: u64 = u64::from_le_bytes(*b"TGUSAGE2");
pub(super) const HEADER_BYTES: usize = 4096;
const HEADER_WORDS: usize = 7;
const SLOT_WORDS: usize = 16;
pub(super) const SLOT_BYTES: usize = SLOT_WORDS * 8;
pub(super) const KEY_WORDS: usize = 7;
pub(super) const PUBLISHED: u64 = 1 << 63;
const WORD: usize = 8;
const CALLS_BEYOND_BELIEF: u64 = 1 << 40;

/// It is no journal of this machine's byte order, or its header is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadHeader;

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

/// Reads what a process left behind, however it died and whatever became of the file since.
///
/// # Errors
/// When the header is broken; single damaged slots are only counted.
pub fn read(bytes: &[u8]) -> Result<Recovered, BadHeader> {
    let word = |at: usize| -> Option<u64> {
        bytes.get(at * WORD..(at + 1) * WORD).and_then(|word| word.try_into().ok()).map(u64::from_ne_bytes)
    };
    let mut head = [0u64; HEADER_WORDS];
    for (at, to) in head.iter_mut().enumerate() {
        *to = word(at).ok_or(BadHeader)?;
    }
    let [magic, slot_bytes, capacity, boot_high, boot_low, seq, check] = head;
    let sound = magic == MAGIC
        && slot_bytes == SLOT_BYTES as u64
        && check == u64::from(checksum(&head[..HEADER_WORDS - 1]));
    let capacity = usize::try_from(capacity).ok().filter(|_| sound).ok_or(BadHeader)?;
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
                units: units_of(words[13], words[9], words[8]),
                readings: [words[14], words[15]],
            }),
            None => recovered.damaged_slots += 1,
        }
    }
    Ok(recovered)
}

/// Charged calls among `calls`. A call raises `charged` first, so it may be seen, or have died, between the two; it is no
/// call yet, and a charge without its call is refused by Postgres, with all that is sent beside it.
pub(super) fn charged_of(charged: u64, calls: u64) -> u64 {
    charged.min(calls)
}

/// Units of `calls` among what `charged` calls raised them to. A call raises its units before it is charged: what it raised
/// and did not live to be is taken off again, exactly where every call of the slot costs the same, which they do but in
/// the minute in which a cost is changed.
pub(super) fn units_of(units: u64, charged: u64, calls: u64) -> u64 {
    if charged <= calls {
        return units;
    }
    u64::try_from(u128::from(units) * u128::from(calls) / u128::from(charged)).unwrap_or(u64::MAX)
}

pub(super) const fn file_bytes(capacity: usize) -> usize {
    HEADER_BYTES + capacity * SLOT_BYTES
}

/// The words at the beginning of a file.
pub(super) fn header(boot_id: Uuid, seq: u64, capacity: usize) -> [u64; HEADER_WORDS] {
    let (high, low) = boot_id.as_u64_pair();
    let mut words = [MAGIC, SLOT_BYTES as u64, capacity as u64, high, low, seq, 0];
    words[HEADER_WORDS - 1] = u64::from(checksum(&words[..HEADER_WORDS - 1]));
    words
}

pub(super) fn checksum(words: &[u64]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for word in words {
        hasher.update(&word.to_ne_bytes());
    }
    hasher.finalize()
}

pub(super) fn key_words(key: &UsageKey) -> [u64; KEY_WORDS] {
    let (c1, c2) = key.credential_id.uuid().as_u64_pair();
    let (s1, s2) = key.subscription_id.uuid().as_u64_pair();
    let (r1, r2) = key.route_id.uuid().as_u64_pair();
    let last = u64::from(key.minute) | u64::from(key.status) << 32 | u64::from(key.outcome as u8) << 48;
    [c1, c2, s1, s2, r1, r2, last]
}

pub(super) fn key_from_words(words: &[u64; KEY_WORDS]) -> Option<UsageKey> {
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
