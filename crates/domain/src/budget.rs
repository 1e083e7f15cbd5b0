//! How a quota is kept: how exactly, from when to when, and what becomes of units that were not used.

use serde::{Deserialize, Serialize};

use crate::Anchor;

/// How exactly a quota is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// No gateway ever admits more than is left as far as it knows; several together may, by what the others took in the
    /// seconds since they were asked. Goes on without the database. Calendar months in UTC only.
    #[default]
    Shared,
    /// Never a unit over: gateways spend what the database lent them. Without the database, until that is spent.
    Exact,
    /// Nothing is refused; use beyond it is told, and billed where the plan has a price for it.
    Soft,
}

impl Enforcement {
    /// Every way.
    pub const ALL: &'static [Self] = &[Self::Shared, Self::Exact, Self::Soft];

    /// As it stands in files and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Exact => "exact",
            Self::Soft => "soft",
        }
    }
}

/// What a quota has besides its amount and its period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// How exactly it is kept.
    pub enforcement: Enforcement,
    /// When its months begin.
    pub anchor: Anchor,
    /// Of the units that one period left over, so many at most are had in the next one.
    pub rollover: u64,
    /// At which percentages of it somebody is told; ascending.
    pub alerts: Vec<u8>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            enforcement: Enforcement::default(),
            anchor: Anchor::default(),
            rollover: 0,
            alerts: Self::ALERTS.to_vec(),
        }
    }
}

impl Budget {
    /// Where nothing else is said, these percentages are told.
    pub const ALERTS: [u8; 3] = [50, 80, 100];
    /// Percentages of one quota.
    pub const ALERTS_MAX: usize = 5;
    /// The highest percentage: twice the quota, which only a soft one reaches.
    pub const ALERT_MAX: u8 = 200;

    pub(crate) fn alerts_ok(&self) -> bool {
        self.alerts.len() <= Self::ALERTS_MAX
            && self.alerts.iter().all(|percent| (1..=Self::ALERT_MAX).contains(percent))
            && self.alerts.windows(2).all(|pair| pair[0] < pair[1])
    }
}
