//! What the journal's file format promises.

use super::journal::{record, *};
use std::sync::Arc;
use tollgate_domain::{Outcome, UsageKey};
use uuid::Uuid;

fn key(n: u128) -> UsageKey {
    UsageKey {
        credential_id: Uuid::from_u128(n).into(),
        subscription_id: Uuid::from_u128(n + 1).into(),
        route_id: Uuid::from_u128(u128::MAX - n).into(),
        status: 404,
        outcome: Outcome::Served,
        minute: 29_000_000,
    }
}

fn amounts() -> Amounts {
    Amounts { charged: 1, units: 5, readings: [7, 0], bytes_in: 10, bytes_out: 200, duration_us: 3_000 }
}

fn only_file(dir: &std::path::Path) -> std::path::PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files.remove(0)
}

#[test]
fn counts_are_in_the_file_without_any_flush() {
    let dir = tempfile::tempdir().unwrap();
    let boot = Uuid::now_v7();
    let segment = Segment::create(dir.path(), boot, 7, 4).unwrap();
    let slot = segment.claim(&key(1)).unwrap();
    for _ in 0..3 {
        segment.add(slot, &amounts());
    }
    let written = segment.count(slot).unwrap();
    // As a killed process would: nothing is dropped, nothing is synced.
    std::mem::forget(segment);

    let found = recover(&only_file(dir.path())).unwrap();
    assert_eq!((found.boot_id, found.seq, found.damaged_slots), (boot, 7, 0));
    assert_eq!(found.counts, vec![written]);
    assert_eq!((written.calls, written.charged, written.bytes_out), (3, 3, 600));
}

#[test]
fn a_full_file_gives_no_slot() {
    let dir = tempfile::tempdir().unwrap();
    let segment = Segment::create(dir.path(), Uuid::now_v7(), 0, 2).unwrap();
    assert!(segment.claim(&key(1)).is_some());
    assert!(segment.claim(&key(2)).is_some());
    assert!(segment.claim(&key(3)).is_none());
    assert_eq!(segment.claimed(), 2);
}

#[test]
fn additions_from_many_threads_are_all_counted() {
    let dir = tempfile::tempdir().unwrap();
    let segment = Arc::new(Segment::create(dir.path(), Uuid::now_v7(), 0, 1).unwrap());
    let slot = segment.claim(&key(1)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|_| segment.add(slot, &amounts())));
        }
    });
    assert_eq!(segment.count(slot).unwrap().calls, 4_000);
}

#[test]
fn a_damaged_header_is_named_and_a_damaged_slot_costs_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let segment = Segment::create(dir.path(), Uuid::now_v7(), 0, 4).unwrap();
    for n in [1, 2] {
        let slot = segment.claim(&key(n)).unwrap();
        segment.add(slot, &amounts());
    }
    drop(segment);
    let path = only_file(dir.path());
    let mut bytes = std::fs::read(&path).unwrap();

    bytes[4096 + 8] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let found = recover(&path).unwrap();
    assert_eq!((found.counts.len(), found.damaged_slots), (1, 1));

    let mut absurd = bytes.clone();
    absurd[4096 + 128 + 8 * 8 + 6] ^= 0x40;
    std::fs::write(&path, &absurd).unwrap();
    assert_eq!(recover(&path).unwrap().damaged_slots, 2, "so many calls cannot have been");

    std::fs::write(&path, &bytes[..4096 + 128]).unwrap();
    assert_eq!(recover(&path).unwrap().damaged_slots, 1 + 3, "a shortened file names what it lost");

    bytes[17] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(recover(&path), Err(Unreadable::Header)));
    std::fs::write(&path, b"short").unwrap();
    assert!(matches!(recover(&path), Err(Unreadable::Header)));
}

#[test]
fn a_call_cut_short_between_its_counters_never_charges_more_than_was_called() {
    let dir = tempfile::tempdir().unwrap();
    let segment = Segment::create(dir.path(), Uuid::now_v7(), 0, 4).unwrap();
    let slot = segment.claim(&key(1)).unwrap();
    segment.add(slot, &amounts());
    // As `add` leaves it when the process is killed in its middle, and as the flush may see it on the way.
    segment.add_all_but_the_call(slot, &amounts());
    let seen = segment.count(slot).unwrap();
    assert_eq!((seen.calls, seen.charged, seen.units), (1, 1, 5));
    std::mem::forget(segment);
    let found = recover(&only_file(dir.path())).unwrap();
    let found = &found.counts[0];
    assert_eq!((found.calls, found.charged, found.units), (1, 1, 5));
}

/// A file with two counted keys, and what is in it.
fn counted(dir: &std::path::Path) -> (Vec<u8>, Vec<UsageKey>) {
    let segment = Segment::create(dir, Uuid::from_u128(7), 3, 4).unwrap();
    for n in [1, 2] {
        let slot = segment.claim(&key(n)).unwrap();
        segment.add(slot, &amounts());
    }
    std::mem::forget(segment);
    (std::fs::read(only_file(dir)).unwrap(), vec![key(1), key(2)])
}

#[test]
fn no_flipped_bit_and_no_lost_end_makes_a_key_that_was_never_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, keys) = counted(dir.path());
    let used = (0..64).chain(4096..4096 + 4 * 128);
    for (byte, bit) in used.flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1 << bit;
        let Ok(found) = record::read(&bytes) else { continue };
        assert!(found.counts.iter().all(|count| keys.contains(&count.key)), "byte {byte} bit {bit}");
        assert!(found.counts.len() + found.damaged_slots >= 2, "byte {byte} bit {bit}: one is lost unseen");
    }
    for length in (0..whole.len()).step_by(31) {
        let Ok(found) = record::read(&whole[..length]) else { continue };
        assert!(found.counts.iter().all(|count| keys.contains(&count.key)), "{length}");
    }
}

/// With `TOLLGATE_REWRITE_SEEDS` set they are written anew.
#[test]
fn what_the_fuzzer_starts_from_is_a_sound_journal() {
    let seed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/journal/counted");
    let dir = tempfile::tempdir().unwrap();
    let (whole, keys) = counted(dir.path());
    if std::env::var_os("TOLLGATE_REWRITE_SEEDS").is_some() {
        std::fs::create_dir_all(seed.parent().unwrap()).unwrap();
        std::fs::write(&seed, &whole[..4096 + 2 * 128]).unwrap();
    }
    let found = recover(&seed).unwrap();
    assert_eq!(found.counts.iter().map(|count| count.key).collect::<Vec<_>>(), keys);
}
