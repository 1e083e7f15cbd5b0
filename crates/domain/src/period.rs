//! Lengths of time that limits and prices are for.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// The time a limit's amount or a plan's price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// 1 s
    Second,
    /// 60 s
    Minute,
    /// 3,600 s
    Hour,
    /// 86,400 s
    Day,
    /// A calendar month in UTC.
    Month,
}

impl Period {
    /// Its length in seconds; a month counts as 30 days where a fixed length must be named.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Month => 2_592_000,
        }
    }

    /// As it stands in the database and in texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// A text that names no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is written like 2026-11")]
pub struct InvalidMonth;

/// One calendar month in UTC: the period of a quota and of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CalendarMonth(NaiveDate);

impl CalendarMonth {
    /// The month that an instant lies in.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        Self::from(at.date_naive())
    }

    /// Its first day.
    #[must_use]
    pub const fn first_day(self) -> NaiveDate {
        self.0
    }

    /// The first instant inside it.
    #[must_use]
    pub fn start(self) -> DateTime<Utc> {
        self.0.and_time(chrono::NaiveTime::MIN).and_utc()
    }

    /// The first instant after it: when a monthly quota opens again.
    #[must_use]
    pub fn end(self) -> DateTime<Utc> {
        self.next().start()
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + Months::new(1))
    }

    /// The month before it.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0 - Months::new(1))
    }

    /// How long it is, in seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        (self.end() - self.start()).num_seconds().unsigned_abs()
    }
}

impl fmt::Display for CalendarMonth {
    /// `2026-11`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

impl FromStr for CalendarMonth {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").map_err(|_| InvalidMonth)?;
        let month = Self(day);
        (month.to_string() == text).then_some(month).ok_or(InvalidMonth)
    }
}

impl From<NaiveDate> for CalendarMonth {
    fn from(day: NaiveDate) -> Self {
        Self(day.with_day(1).unwrap_or(day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let at = "2026-12-31T23:59:59Z".parse::<DateTime<Utc>>().expect("a valid instant");
        let month = CalendarMonth::of(at);
        assert_eq!(month.start().to_rfc3339(), "2026-12-01T00:00:00+00:00");
        assert_eq!(month.end().to_rfc3339(), "2027-01-01T00:00:00+00:00");
        assert_eq!(CalendarMonth::of(month.end()).start(), month.end());
        assert_eq!((month.next().previous(), month.seconds()), (month, 31 * 86_400));
    }

    #[test]
    fn a_month_reads_back_as_written() {
        let month: CalendarMonth = "2026-11".parse().expect("a month");
        assert_eq!(month.to_string(), "2026-11");
        for bad in ["", "2026", "2026-13", "2026-1", "2026-11-01", "+2026-11", "11-2026"] {
            assert_eq!(bad.parse::<CalendarMonth>(), Err(InvalidMonth), "{bad}");
        }
    }
}
