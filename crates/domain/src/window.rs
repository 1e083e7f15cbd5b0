//! The spans of time that budgets are for: days and months as a clock on the customer's wall shows them.
//!
//! A day begins at its first instant in the customer's time zone, which is midnight but for the few places where clocks
//! jump over it. Days have 23, 24 or 25 hours where clocks change, and no instant lies in two of them or in none.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::Period;

/// A time zone of the IANA database, like `Europe/Berlin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// A text that names no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time zone of the IANA database, like Europe/Berlin or UTC")]
pub struct InvalidZone;

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Every name there is, in the order of the database.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// As the IANA database names it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0.name()
    }

    /// The day that a clock there shows.
    #[must_use]
    pub fn day_of(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// The first instant of a day there.
    #[must_use]
    pub fn start_of(self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day.and_time(NaiveTime::MIN);
        if let Some(first) = self.0.from_local_datetime(&midnight).earliest() {
            return first.with_timezone(&Utc);
        }
        // Clocks jump over midnight: the day begins where they jump, which is where the offset of before ends.
        let before = midnight - TimeDelta::hours(24);
        let before = self.0.from_local_datetime(&before).latest().map_or(TimeDelta::zero(), |at| {
            TimeDelta::seconds(i64::from(at.offset().fix().local_minus_utc()))
        });
        (midnight - before).and_utc()
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(text: &str) -> Result<Self, InvalidZone> {
        text.parse().map(Self).map_err(|_| InvalidZone)
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidZone;

    fn try_from(text: String) -> Result<Self, InvalidZone> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.as_str().to_owned()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When a budget's periods begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// With the calendar's months.
    #[default]
    Calendar,
    /// On the day of the month on which the subscription began; on the last of a month that has no such day.
    Subscription,
}

/// A span of time that a budget is for: from its start up to, not including, its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The first instant in it.
    pub starts: DateTime<Utc>,
    /// The first instant after it.
    pub ends: DateTime<Utc>,
}

impl Anchor {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Calendar, Self::Subscription];

    /// As it stands in files and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Subscription => "subscription",
        }
    }
}

impl Window {
    /// The window of a day or month that `at` lies in. `anchor` is the first instant of the subscription where months
    /// begin with it. None for periods that budgets do not have.
    #[must_use]
    pub fn at(at: DateTime<Utc>, period: Period, zone: Zone, anchor: Option<DateTime<Utc>>) -> Option<Self> {
        let day = zone.day_of(at);
        let (first, next) = match period {
            Period::Day => (day, day.checked_add_days(Days::new(1))?),
            Period::Month => {
                let monthday = anchor.map_or(1, |anchor| zone.day_of(anchor).day());
                let this = day_in_month(day.with_day(1)?, monthday)?;
                match this <= day {
                    true => {
                        (this, day_in_month(day.with_day(1)?.checked_add_months(Months::new(1))?, monthday)?)
                    }
                    false => {
                        (day_in_month(day.with_day(1)?.checked_sub_months(Months::new(1))?, monthday)?, this)
                    }
                }
            }
            Period::Second | Period::Minute | Period::Hour => return None,
        };
        Some(Self { starts: zone.start_of(first), ends: zone.start_of(next) })
    }

    /// The window before it.
    #[must_use]
    pub fn previous(self, period: Period, zone: Zone, anchor: Option<DateTime<Utc>>) -> Option<Self> {
        Self::at(self.starts.checked_sub_signed(TimeDelta::milliseconds(1))?, period, zone, anchor)
    }
}

/// A day of a month, or its last day where there is no such.
fn day_in_month(first: NaiveDate, monthday: u32) -> Option<NaiveDate> {
    let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
    first.with_day(monthday.min(last.day()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn zone(name: &str) -> Zone {
        name.parse().expect("a zone")
    }

    fn window(now: &str, period: Period, name: &str, anchor: Option<&str>) -> [String; 2] {
        let window = Window::at(at(now), period, zone(name), anchor.map(at)).expect("a window");
        [window.starts, window.ends].map(|at| at.format("%Y-%m-%dT%H:%M").to_string())
    }

    #[test]
    fn days_are_those_of_the_wall_clock() {
        let berlin = |now| window(now, Period::Day, "Europe/Berlin", None);
        assert_eq!(berlin("2026-07-01T22:30:00Z"), ["2026-07-01T22:00", "2026-07-02T22:00"]);
        assert_eq!(berlin("2026-03-29T12:00:00Z"), ["2026-03-28T23:00", "2026-03-29T22:00"], "23 hours");
        assert_eq!(berlin("2026-10-25T12:00:00Z"), ["2026-10-24T22:00", "2026-10-25T23:00"], "25 hours");
        assert_eq!(
            window("2026-07-01T12:00:00Z", Period::Day, "Asia/Kathmandu", None)[0],
            "2026-06-30T18:15"
        );
    }

    #[test]
    fn a_day_whose_midnight_is_jumped_over_begins_at_the_jump() {
        // Chile's clocks go from 23:59:59 to 01:00.
        let day = window("2025-09-07T12:00:00Z", Period::Day, "America/Santiago", None);
        assert_eq!(day, ["2025-09-07T04:00", "2025-09-08T03:00"]);
    }

    #[test]
    fn months_begin_with_the_calendar_or_with_the_subscription() {
        let month = |now, anchor| window(now, Period::Month, "Europe/Berlin", anchor);
        assert_eq!(month("2026-03-31T22:30:00Z", None), ["2026-03-31T22:00", "2026-04-30T22:00"]);
        let began = Some("2026-01-31T10:00:00Z");
        assert_eq!(month("2026-02-10T00:00:00Z", began), ["2026-01-30T23:00", "2026-02-27T23:00"]);
        assert_eq!(month("2026-02-28T12:00:00Z", began), ["2026-02-27T23:00", "2026-03-30T22:00"]);
        assert_eq!(month("2024-02-29T12:00:00Z", began)[0], "2024-02-28T23:00");
        assert_eq!(month("2026-03-31T12:00:00Z", began), ["2026-03-30T22:00", "2026-04-29T22:00"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn windows_follow_each_other_without_gap_and_without_overlap(
            seconds in 0i64..4_000_000_000,
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
            anchor in prop::option::of(0i64..4_000_000_000),
            is_day: bool,
        ) {
            let instant = |seconds| DateTime::from_timestamp(seconds, 0).expect("in range");
            let (now, zone, anchor) = (instant(seconds), Zone(zone), anchor.map(instant));
            let period = if is_day { Period::Day } else { Period::Month };
            let window = |at| Window::at(at, period, zone, anchor).expect("a window");
            let this = window(now);
            prop_assert!(this.starts <= now && now < this.ends, "{:?} {}", this, now);
            prop_assert_eq!(window(this.starts), this);
            prop_assert_eq!(window(this.ends - TimeDelta::seconds(1)), this);
            prop_assert_eq!(window(this.ends).starts, this.ends);
            prop_assert_eq!(this.previous(period, zone, anchor).expect("a window").ends, this.starts);
            let hours = (this.ends - this.starts).num_hours();
            let expected = if is_day { 1..=48 } else { 27 * 24..=32 * 24 };
            prop_assert!(expected.contains(&hours), "{} hours in {}", hours, zone);
        }
    }
}
