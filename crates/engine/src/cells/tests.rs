use std::collections::HashMap;
use std::sync::Barrier;

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_790_000_000_000_000_000;

/// Tags of one bucket.
fn crowd(size: usize) -> Vec<Tag> {
    (0..size as u64).map(|n| Tag((n + 1) << 32 | 7)).collect()
}

proptest! {
    /// Eight callers fit a bucket, so nothing is lost of them, whatever others left in their places.
    #[test]
    fn as_long_as_there_are_places_each_caller_has_an_exact_count(
        amount in prop::sample::select(vec![1u64, 3, 10, 1_000]),
        burst in 1u64..6,
        calls in prop::collection::vec((0usize..8, 0u64..400_000_000), 1..400),
    ) {
        let (cells, rate) = (Cells::default(), Rate::new(amount, 1, burst));
        let callers = crowd(8);
        let mut exact: HashMap<u64, AtomicU64> = HashMap::new();
        let mut now = NOW;
        for (caller, step) in calls {
            now += step;
            let tag = callers[caller];
            let alone = exact.entry(tag.0).or_default();
            prop_assert_eq!(cells.peek(&rate, tag, now), rate.peek(alone, now));
            prop_assert_eq!(cells.take(&rate, tag, now).err(), rate.take(alone, now).err());
        }
        prop_assert_eq!(cells.uncounted(), 0);
    }

    /// However crowded it is: a call is either counted exactly, or admitted and told of.
    #[test]
    fn of_a_crowd_what_is_counted_is_counted_exactly(
        calls in prop::collection::vec((0usize..20, 0u64..300_000_000), 1..400),
    ) {
        let (cells, rate) = (Cells::default(), Rate::new(1, 1, 2));
        let callers = crowd(20);
        let mut exact: HashMap<u64, AtomicU64> = HashMap::new();
        let (mut now, mut uncounted) = (NOW, 0);
        for (caller, step) in calls {
            now += step;
            let tag = callers[caller];
            let taken = cells.take(&rate, tag, now);
            if cells.uncounted() > uncounted {
                uncounted += 1;
                prop_assert_eq!(taken, Ok(()));
            } else {
                prop_assert_eq!(taken.err(), rate.take(exact.entry(tag.0).or_default(), now).err());
            }
        }
    }
}

#[test]
fn what_was_taken_is_given_back_and_an_unknown_caller_has_nothing_to_give() {
    let (cells, rate) = (Cells::default(), Rate::new(1, 60, 2));
    let tag = Tag::of(1, 2);
    cells.undo(&rate, tag);
    assert!(cells.take(&rate, tag, NOW).is_ok() && cells.take(&rate, tag, NOW).is_ok());
    assert_eq!(cells.take(&rate, tag, NOW).expect_err("both are taken").remaining, 0);
    cells.undo(&rate, tag);
    assert_eq!(cells.peek(&rate, tag, NOW).remaining, 1);
}

#[test]
fn a_number_of_another_rate_is_pulled_to_the_longest_wait_of_this_one() {
    let (cells, tag) = (Cells::default(), Tag::of(1, 2));
    let (day, second) = (Rate::new(1, 86_400, 1), Rate::new(1, 1, 1));
    assert!(cells.take(&day, tag, NOW).is_ok());
    assert_eq!(cells.peek(&second, tag, NOW).next_ns, 1_000_000_000);
    assert!(cells.take(&second, tag, NOW + 1_000_000_000).is_ok());
}

#[test]
fn threads_together_take_no_more_than_one_call_each_beyond_the_rate() {
    const THREADS: usize = 8;
    for round in 0..50 {
        let (cells, rate) = (Cells::default(), Rate::new(1, 3_600, 5));
        let (start, tag) = (Barrier::new(THREADS), Tag::of(round, 2));
        let taken: usize = std::thread::scope(|scope| {
            let threads = (0..THREADS).map(|_| {
                scope.spawn(|| {
                    start.wait();
                    (0..10).filter(|_| cells.take(&rate, tag, NOW).is_ok()).count()
                })
            });
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert!((5..=5 + THREADS).contains(&taken), "{taken}");
    }
}
