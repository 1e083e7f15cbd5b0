//! Days in which a plan can be tried.

use serde::{Deserialize, Serialize};
use tollgate_domain::Meter;

use crate::tariff::{InvalidTariff, METERS_MAX};
use crate::{Share, Usage};

const DAYS_MAX: u16 = 365;
const SECONDS_PER_DAY: u64 = 86_400;

/// How long a plan can be tried, and what that leaves out. Days are of 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// From the beginning of the subscription on.
    pub days: u16,
    /// Whether the base fee and the minimum are due all the same.
    #[serde(default)]
    pub base_due: bool,
    /// Units that cost nothing besides those that the plan includes; of the whole trial, each meter once.
    #[serde(default)]
    pub included: Vec<TrialUnits>,
}

/// Units of a meter that a trial gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialUnits {
    /// What is counted.
    pub meter: Meter,
    /// How many of the whole trial.
    pub units: u64,
}

impl Trial {
    /// How long it is.
    #[must_use]
    pub const fn seconds(&self) -> u64 {
        self.days as u64 * SECONDS_PER_DAY
    }

    /// Units of a meter that it gives in a part of it, rounded up in favour of who has them.
    fn units(&self, meter: Meter, seconds: u64) -> u64 {
        let all = self.included.iter().find(|one| one.meter == meter).map_or(0, |one| one.units);
        Share::of(seconds, self.seconds()).of_allowance(all)
    }

    pub(crate) fn check(&self) -> Result<(), InvalidTariff> {
        if !(1..=DAYS_MAX).contains(&self.days) {
            return InvalidTariff::at("/trial/days", "1 to 365 days");
        }
        if self.included.len() > METERS_MAX {
            return InvalidTariff::at("/trial/included", "at most 24 meters");
        }
        for (index, one) in self.included.iter().enumerate() {
            if self.included[..index].iter().any(|earlier| earlier.meter == one.meter) {
                return InvalidTariff::at(
                    format!("/trial/included/{index}/meter"),
                    "this meter stands there already",
                );
            }
        }
        Ok(())
    }
}

/// What of a month is charged for: how long, how much of it was a trial, and whether the one-time fee falls into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub(crate) seconds: u64,
    pub(crate) whole: u64,
    tried_seconds: u64,
    tried: Usage,
    pub(crate) setup: bool,
}

impl Span {
    /// So many seconds of so many.
    #[must_use]
    pub fn of(seconds: u64, whole: u64) -> Self {
        Self { seconds: seconds.min(whole), whole, tried_seconds: 0, tried: Usage::default(), setup: false }
    }

    /// Of them, so many were a trial, in which so much was used; tariffs without one take no notice.
    #[must_use]
    pub fn tried(self, seconds: u64, used: Usage) -> Self {
        Self { tried_seconds: seconds.min(self.seconds), tried: used, ..self }
    }

    /// With the one-time fee, or without.
    #[must_use]
    pub fn with_setup(self, setup: bool) -> Self {
        Self { setup, ..self }
    }

    /// What the plan includes is for all of it.
    #[must_use]
    pub const fn share(&self) -> Share {
        Share::of(self.seconds, self.whole)
    }

    /// Base fee and minimum are due for this.
    pub(crate) fn paid_share(&self, trial: Option<&Trial>) -> Share {
        match trial {
            Some(trial) if !trial.base_due => Share::of(self.seconds - self.tried_seconds, self.whole),
            _ => self.share(),
        }
    }

    /// Units of a meter that the trial gave and that were used in it.
    #[must_use]
    pub fn given(&self, trial: Option<&Trial>, meter: Meter) -> u64 {
        trial.map_or(0, |trial| trial.units(meter, self.tried_seconds).min(self.tried.units(meter)))
    }
}

impl From<Share> for Span {
    fn from(share: Share) -> Self {
        let (seconds, whole) = share.parts();
        Self::of(seconds, whole)
    }
}
