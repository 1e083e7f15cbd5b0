//! What the ledger promises.

use std::path::Path;

use tollgate_domain::{Outcome, UsageKey};
use uuid::Uuid;

use super::journal::Amounts;
use super::ledger::*;

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

const ONE: Amounts =
    Amounts { charged: 1, units: 1, readings: [0, 0], bytes_in: 0, bytes_out: 0, duration_us: 5 };

fn total(ledger: &Ledger) -> u64 {
    let pending = ledger.pending();
    let segments = pending.iter().flat_map(|minute| &minute.segments);
    segments.flat_map(|s| (0..s.claimed()).filter_map(|slot| s.count(slot))).map(|count| count.calls).sum()
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
                    assert!(ledger.record(key(u128::from(n % 700)), 100 + (n / 1_000) + thread % 2, &ONE));
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
    ledger.settle(done, &[]);
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
fn calls_make_no_files_while_files_are_prepared_between_them() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path(), 64 << 20);
    ledger.prepare_files();
    for minute in 100..103 {
        for n in 0..10_000u128 {
            assert!(ledger.record(key(n), minute, &ONE));
            if n % 200 == 0 {
                ledger.prepare_files();
            }
        }
    }
    assert_eq!(ledger.files_made_in_calls(), 0);
    assert_eq!(total(&ledger), 30_000);
}

#[test]
fn a_minute_begins_with_room_for_as_many_keys_as_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path(), 64 << 20);
    for n in 0..50_000u128 {
        assert!(ledger.record(key(n), 100, &ONE));
    }
    ledger.prepare_files();
    let made = ledger.files_made_in_calls();
    assert!(made > 0, "nothing was prepared in the first minute, so calls made their files themselves");
    for n in 0..50_000u128 {
        assert!(ledger.record(key(n), 101, &ONE));
    }
    assert_eq!(ledger.files_made_in_calls(), made, "the second minute found its files ready");
}

#[test]
fn files_made_ahead_stay_within_the_bound_and_go_at_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let room = 3 * (4096 + 128 * SEGMENT_KEYS_MIN as u64);
    let ledger = ledger(dir.path(), room);
    for n in 0..3 * SEGMENT_KEYS_MIN as u128 {
        ledger.record(key(n), 100, &ONE);
        ledger.prepare_files();
        assert!(ledger.bytes() <= room);
    }
    ledger.turn(101);
    for done in ledger.pending() {
        ledger.settle(done, &[]);
    }
    ledger.prepare_files();
    ledger.discard_files();
    // One that was being made during the stop is not left behind.
    ledger.prepare_files();
    assert_eq!((ledger.bytes(), std::fs::read_dir(dir.path()).unwrap().count()), (0, 0));
}
