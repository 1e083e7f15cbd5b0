//! Ranges of time that usage is shown for.

use chrono::{DateTime, TimeDelta, Utc};
use tollgate_store::Grain;

use crate::say::t;

/// The last hour, day, week, month or quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
}

/// One of the ranges to choose from.
pub struct Choice {
    pub href: String,
    pub text: &'static str,
    pub chosen: bool,
}

impl Range {
    /// From the shortest to the longest.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// From the address; the last hour where it says nothing known.
    pub fn named(name: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|range| Some(range.name()) == name).unwrap_or(Self::Hour)
    }

    /// As the address says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// As people read it.
    pub fn text(self) -> &'static str {
        t(match self {
            Self::Hour => "usage-hour",
            Self::Day => "usage-day",
            Self::Week => "usage-week",
            Self::Month => "usage-month",
            Self::Quarter => "usage-quarter",
        })
    }

    /// When it begins, at the beginning of a step.
    pub fn since(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let (length, step) = match self {
            Self::Hour => (TimeDelta::minutes(59), 60),
            Self::Day => (TimeDelta::hours(23), 3_600),
            Self::Week => (TimeDelta::hours(7 * 24 - 6), 21_600),
            Self::Month => (TimeDelta::days(29), 86_400),
            Self::Quarter => (TimeDelta::days(89), 86_400),
        };
        let from = (now - length).timestamp();
        DateTime::from_timestamp(from - from.rem_euclid(step), 0).unwrap_or(now)
    }

    /// Seconds of one bar.
    pub const fn step_seconds(self) -> i32 {
        match self {
            Self::Hour => 60,
            Self::Day => 3_600,
            Self::Week => 21_600,
            Self::Month | Self::Quarter => 86_400,
        }
    }

    /// How fine the counts must be.
    pub const fn grain(self) -> Grain {
        match self {
            Self::Hour => Grain::Minutes,
            Self::Day | Self::Week => Grain::Hours,
            Self::Month | Self::Quarter => Grain::Days,
        }
    }

    /// One bar in a word.
    pub fn step(self) -> &'static str {
        t(match self {
            Self::Hour => "usage-step-minute",
            Self::Day => "usage-step-hour",
            Self::Week => "usage-step-six-hours",
            Self::Month | Self::Quarter => "usage-step-day",
        })
    }

    /// Links to all ranges; `rest` is what else the address says.
    pub fn choices(self, path: &str, rest: &str) -> Vec<Choice> {
        Self::ALL
            .into_iter()
            .map(|range| Choice {
                href: format!("{path}?range={}{rest}", range.name()),
                text: range.text(),
                chosen: range == self,
            })
            .collect()
    }
}
