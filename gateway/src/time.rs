//! What time it is for calls: the database's, carried on by a clock that never steps.
//!
//! A machine's clock may be wrong, and may be set back or ahead at any moment. Calls are dated, limited and counted by a
//! time of this process's own: the machine's at the start, moved on by the monotonic clock, and set right whenever the
//! database tells what time it is there. So all gateways put a call into the same minute, day and month, and bills are by
//! one clock. What is counted never goes back: a minute stays open until this time is beyond it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

/// Differences up to this are left alone; two machines that keep their clocks are closer.
const TOLERATED: Duration = Duration::from_secs(1);

static TIME: LazyLock<Time> = LazyLock::new(|| Time::starting(Instant::now(), system_ns()));

/// Nanoseconds since the Unix epoch.
pub(crate) fn unix_ns() -> u64 {
    TIME.at(Instant::now())
}

/// What [`unix_ns`] was at a moment.
pub(crate) fn unix_ns_at(moment: Instant) -> u64 {
    TIME.at(moment)
}

/// Now.
pub(crate) fn utc() -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(i64::try_from(unix_ns()).unwrap_or(i64::MAX))
}

/// The database said that it was `there`, at some moment between the question and now.
pub(crate) fn told(there: DateTime<Utc>, asked: Instant) {
    let Some(ahead_ns) = TIME.told(there, asked, Instant::now()) else { return };
    let seconds = ahead_ns as f64 / 1e9;
    tracing::warn!(
        seconds,
        "this machine's clock differs from the database's; calls are dated by the database's"
    );
}

/// Seconds that the machine's clock is ahead of the time that calls are dated by.
pub(crate) fn machine_is_ahead_by() -> f64 {
    (system_ns() - i64::try_from(unix_ns()).unwrap_or(i64::MAX)) as f64 / 1e9
}

fn system_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

struct Time {
    start: Instant,
    /// What time it was then, as far as is known by now.
    start_ns: AtomicI64,
}

impl Time {
    const fn starting(start: Instant, start_ns: i64) -> Self {
        Self { start, start_ns: AtomicI64::new(start_ns) }
    }

    /// 0 before the epoch.
    fn at(&self, moment: Instant) -> u64 {
        let since = match moment.checked_duration_since(self.start) {
            Some(after) => nanos(after),
            None => -nanos(self.start - moment),
        };
        u64::try_from(self.start_ns.load(Ordering::Relaxed).saturating_add(since)).unwrap_or(0)
    }

    /// Sets itself right; by how much it was ahead, where that was worth it.
    fn told(&self, there: DateTime<Utc>, asked: Instant, answered: Instant) -> Option<i64> {
        let took = answered.saturating_duration_since(asked);
        let here = i64::try_from(self.at(asked + took / 2)).unwrap_or(i64::MAX);
        let ahead = here.saturating_sub(there.timestamp_nanos_opt()?);
        // A slow answer tells the time less exactly.
        if ahead.unsigned_abs() <= TOLERATED.max(took).as_nanos() as u64 {
            return None;
        }
        self.start_ns.fetch_sub(ahead, Ordering::Relaxed);
        Some(ahead)
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    fn utc_of(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a time")
    }

    #[test]
    fn it_goes_on_by_itself_and_is_set_right_by_what_it_is_told() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let time = Time::starting(start, 1_000_000 * S);
        assert_eq!(time.at(after(5)), 1_000_005 * S as u64);
        for (there, ahead) in [(1_003_600, -3_590 * S), (996_400, 7_200 * S), (1_086_400, -90_000 * S)] {
            assert_eq!(time.told(utc_of(there), after(10), after(10)), Some(ahead));
            assert_eq!(time.at(after(10)), there as u64 * S as u64);
            assert_eq!(time.at(after(12)), (there as u64 + 2) * S as u64);
        }
    }

    #[test]
    fn small_differences_and_slow_answers_change_nothing() {
        let start = Instant::now();
        let time = Time::starting(start, 1_000 * S);
        assert_eq!(time.told(utc_of(1_001), start, start), None);
        // The answer was five seconds under way: it may mean any moment between.
        assert_eq!(time.told(utc_of(1_005), start, start + Duration::from_secs(5)), None);
        assert_eq!(time.at(start), 1_000 * S as u64);
        assert_eq!(time.told(utc_of(1_009), start, start + Duration::from_secs(5)), Some(-6_500_000_000));
    }

    #[test]
    fn a_moment_before_the_start_has_its_time_too() {
        let start = Instant::now() + Duration::from_secs(60);
        let time = Time::starting(start, 1_000 * S);
        assert_eq!(time.at(start - Duration::from_secs(3)), 997 * S as u64);
    }
}
