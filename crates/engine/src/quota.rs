//! Budgets: units of charged calls per calendar month in UTC, counted in this process and in the others.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Datelike;
use tollgate_domain::CalendarMonth;

const COUNT_BITS: u32 = 48;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// A calendar month in UTC as a number: months since January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(u16);

impl Month {
    /// The month that an instant lies in.
    #[must_use]
    pub const fn at(now_ns: u64) -> Self {
        let (year, month) = civil_month((now_ns / 1_000_000_000 / 86_400) as i64);
        Self(((year - 1970) * 12 + month - 1) as u16)
    }

    /// Unix seconds of the first instant after it: when the quota opens again.
    #[must_use]
    pub const fn end_s(self) -> u64 {
        let next = self.0 as i64 + 1;
        (days_from_civil(1970 + next / 12, next % 12 + 1) * 86_400) as u64
    }

    const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl From<CalendarMonth> for Month {
    fn from(month: CalendarMonth) -> Self {
        let day = month.first_day();
        Self(((i64::from(day.year()) - 1970) * 12 + i64::from(day.month0())).clamp(0, 65_535) as u16)
    }
}

/// Year and month (1 to 12) of a day since 1970-01-01, after Howard Hinnant's `civil_from_days`.
const fn civil_month(days: i64) -> (i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month)
}

/// Days since 1970-01-01 of the first day of a month, after Howard Hinnant's `days_from_civil`.
const fn days_from_civil(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// How a quota stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The month that is counted.
    pub month: Month,
    /// Units left in it.
    pub remaining: u64,
}

/// The count of one subscription. One process never exceeds the limit; several together may, by what the others
/// took since [`QuotaMeter::set_others`] was last called.
#[derive(Debug, Default)]
pub struct QuotaMeter {
    /// Counted here: month index in the high 16 bits, count below.
    own: AtomicU64,
    /// Counted elsewhere, packed alike.
    others: AtomicU64,
}

const fn pack(month: Month, count: u64) -> u64 {
    ((month.0 as u64) << COUNT_BITS) | if count > COUNT_MASK { COUNT_MASK } else { count }
}

const fn unpack(packed: u64) -> (Month, u64) {
    (Month((packed >> COUNT_BITS) as u16), packed & COUNT_MASK)
}

impl QuotaMeter {
    /// Takes the units of a call from the budget: all of them or none.
    ///
    /// # Errors
    /// The standing, with less remaining than that; nothing is taken then.
    pub fn take(&self, now: Month, limit: u64, units: u32) -> Result<Standing, Standing> {
        loop {
            let seen = self.own.load(Ordering::Relaxed);
            let (month, own) = effective(seen, now);
            let used = own + self.others_in(month);
            let after = used + u64::from(units);
            if after > limit && units > 0 {
                return Err(Standing { month, remaining: limit.saturating_sub(used) });
            }
            let next = pack(month, own + u64::from(units));
            if self.own.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return Ok(Standing { month, remaining: limit.saturating_sub(after) });
            }
        }
    }

    /// How the quota stands, nothing taken.
    #[must_use]
    pub fn peek(&self, now: Month, limit: u64) -> Standing {
        let (month, own) = effective(self.own.load(Ordering::Relaxed), now);
        Standing { month, remaining: limit.saturating_sub(own + self.others_in(month)) }
    }

    /// Gives back the units of a call that turned out not to be charged; nothing happens once their month is over.
    pub fn give_back(&self, taken_in: Month, units: u32) {
        let _ = self.own.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seen| {
            let (month, count) = unpack(seen);
            (month == taken_in && count > 0).then(|| seen - count.min(u64::from(units)))
        });
    }

    /// Sets what every other process, an earlier life of this one included, counted in a month.
    pub fn set_others(&self, month: Month, count: u64) {
        self.others.store(pack(month, count), Ordering::Relaxed);
    }

    /// The month last counted here, and the count.
    #[must_use]
    pub fn own(&self) -> (Month, u64) {
        unpack(self.own.load(Ordering::Relaxed))
    }

    /// The month last counted elsewhere, and the count.
    #[must_use]
    pub fn others(&self) -> (Month, u64) {
        unpack(self.others.load(Ordering::Relaxed))
    }

    fn others_in(&self, month: Month) -> u64 {
        match self.others() {
            (counted, count) if counted == month => count,
            _ => 0,
        }
    }
}

/// Which month a call counts in. A thread whose clock reading is a moment older than the one that opened the new
/// month counts there too; otherwise the two would reset each other's count.
fn effective(seen: u64, now: Month) -> (Month, u64) {
    match unpack(seen) {
        (month, count) if month == now || month == now.next() => (month, count),
        _ => (now, 0),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    const S: u64 = 1_000_000_000;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn months_are_those_of_the_calendar(at in 0i64..15_000_000_000) {
            let instant = DateTime::from_timestamp(at, 0).expect("in range");
            let calendar = CalendarMonth::of(instant);
            let month = Month::at(at as u64 * S);
            prop_assert_eq!(month, Month::from(calendar));
            prop_assert_eq!(month.end_s() as i64, calendar.end().timestamp());
        }

        #[test]
        fn a_meter_is_a_count_per_month(
            limit in 1u64..20,
            steps in prop::collection::vec((0u8..4, 0u64..12), 1..120),
        ) {
            let meter = QuotaMeter::default();
            let mut now = Month(680);
            let (mut own, mut others) = (0u64, 0u64);
            for (kind, n) in steps {
                match kind {
                    0 | 1 => {
                        let taken = meter.take(now, limit, 1);
                        prop_assert_eq!(taken.is_ok(), own + others < limit);
                        if let Ok(standing) = taken {
                            own += 1;
                            prop_assert_eq!(standing, Standing { month: now, remaining: limit - own - others });
                        }
                    }
                    2 => {
                        meter.give_back(now, 1);
                        own = own.saturating_sub(1);
                    }
                    _ if n < 3 => {
                        now = now.next();
                        (own, others) = (0, 0);
                    }
                    _ => {
                        meter.set_others(now, n);
                        others = n;
                    }
                }
                prop_assert_eq!(meter.peek(now, limit).remaining, limit.saturating_sub(own + others));
            }
        }
    }

    #[test]
    fn the_month_turns_exactly_at_midnight_utc() {
        let end = Month::at(1_795_000_000 * S).end_s();
        assert_eq!(Month::at(end * S - 1).next(), Month::at(end * S));
        let meter = QuotaMeter::default();
        let (old, new) = (Month::at(end * S - 1), Month::at(end * S));
        assert!(meter.take(old, 1, 1).is_ok());
        assert!(meter.take(old, 1, 1).is_err());
        assert!(meter.take(new, 1, 1).is_ok());
        // A thread that read its clock just before midnight neither gets nor resets anything.
        assert!(meter.take(old, 1, 1).is_err());
        assert!(meter.take(new, 1, 1).is_err());
        meter.give_back(old, 1);
        assert!(meter.take(new, 1, 1).is_err());
        meter.give_back(new, 1);
        assert!(meter.take(new, 1, 1).is_ok());
    }

    #[test]
    fn a_call_that_costs_more_than_is_left_takes_nothing() {
        let (meter, month) = (QuotaMeter::default(), Month(680));
        assert_eq!(meter.take(month, 10, 7), Ok(Standing { month, remaining: 3 }));
        assert_eq!(meter.take(month, 10, 4), Err(Standing { month, remaining: 3 }));
        assert_eq!(meter.take(month, 10, 3), Ok(Standing { month, remaining: 0 }));
        assert!(meter.take(month, 10, 0).is_ok(), "what costs nothing is always had");
        meter.give_back(month, 7);
        assert_eq!(meter.peek(month, 10).remaining, 7);
    }

    #[test]
    fn a_clock_that_was_far_ahead_does_not_lock_the_meter() {
        let meter = QuotaMeter::default();
        assert!(meter.take(Month(2_000), 1, 1).is_ok());
        assert!(meter.take(Month(680), 1, 1).is_ok());
        assert!(meter.take(Month(680), 1, 1).is_err());
    }

    #[test]
    fn racing_threads_together_never_exceed_the_limit() {
        let meter = QuotaMeter::default();
        let admitted = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (meter, admitted) = (&meter, &admitted);
                scope.spawn(move || {
                    for step in 0..1_000 {
                        if meter.take(Month(680), 500, 1).is_ok() {
                            admitted.fetch_add(1, Ordering::Relaxed);
                            if (step + thread) % 7 == 0 {
                                meter.give_back(Month(680), 1);
                                admitted.fetch_sub(1, Ordering::Relaxed);
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(meter.own().1, 500);
        assert_eq!(admitted.into_inner(), 500);
    }
}
