//! What a plan charges: a base fee, a price per meter, a minimum.

use serde::{Deserialize, Serialize};
use tollgate_domain::{Currency, Meter};

use crate::UnitPrice;

/// Meters of one tariff.
pub const METERS_MAX: usize = 24;
/// Tiers of one meter.
pub const TIERS_MAX: usize = 20;
/// The largest fixed amount in minor units.
const MINOR_MAX: u64 = 100_000_000_000;

/// What a plan charges per month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Of every amount in it.
    pub currency: Currency,
    /// Due whatever is used, in minor units; a part of a month costs its part.
    #[serde(default)]
    pub base_minor: u64,
    /// What usage costs; each meter at most once.
    #[serde(default)]
    pub meters: Vec<MeterPrice>,
    /// The least that base and usage together come to, in minor units; a part of a month has its part of it.
    #[serde(default)]
    pub minimum_minor: u64,
}

/// What one meter costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterPrice {
    /// What is counted.
    pub meter: Meter,
    /// Units of a month that cost nothing; a part of a month has its part of them, rounded up.
    #[serde(default)]
    pub included: u64,
    /// What the units beyond cost.
    pub price: Scheme,
}

/// How the price grows with the units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scheme {
    /// Each unit costs the same.
    PerUnit {
        /// Of one unit.
        unit_minor: UnitPrice,
    },
    /// Each unit costs what its own tier says.
    Graduated {
        /// From the first unit on; the last one has no end.
        tiers: Vec<Tier>,
    },
    /// All units cost what the tier of the last one says.
    Volume {
        /// From the first unit on; the last one has no end.
        tiers: Vec<Tier>,
    },
    /// Units are sold in packages; a begun one is paid whole.
    Package {
        /// Units in one.
        size: u64,
        /// The price of one package, in minor units.
        minor: u64,
    },
}

/// A range of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its last unit; none for the last tier.
    #[serde(default)]
    pub up_to: Option<u64>,
    /// The price of one unit in it.
    pub unit_minor: UnitPrice,
    /// Due once when the tier is reached, in minor units.
    #[serde(default)]
    pub flat_minor: u64,
}

/// A tariff that cannot be charged by, and where it is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidTariff {
    /// JSON Pointer into the tariff.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub message: &'static str,
}

impl Tariff {
    /// A base fee and nothing else.
    #[must_use]
    pub const fn flat(currency: Currency, base_minor: u64) -> Self {
        Self { currency, base_minor, meters: Vec::new(), minimum_minor: 0 }
    }

    /// Whether nothing ever costs anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.base_minor == 0 && self.minimum_minor == 0 && self.meters.is_empty()
    }

    /// Checks what types do not.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn check(&self) -> Result<(), InvalidTariff> {
        let fault = |pointer: String, message| Err(InvalidTariff { pointer, message });
        for (name, minor) in [("base_minor", self.base_minor), ("minimum_minor", self.minimum_minor)] {
            if minor > MINOR_MAX {
                return fault(format!("/{name}"), "at most 100000000000");
            }
        }
        if self.meters.len() > METERS_MAX {
            return fault("/meters".into(), "at most 24 meters");
        }
        for (index, price) in self.meters.iter().enumerate() {
            let at = format!("/meters/{index}");
            if self.meters[..index].iter().any(|earlier| earlier.meter == price.meter) {
                return fault(format!("{at}/meter"), "this meter has a price already");
            }
            if let Err((pointer, message)) = price.price.check() {
                return fault(format!("{at}/price{pointer}"), message);
            }
        }
        Ok(())
    }
}

impl Scheme {
    fn check(&self) -> Result<(), (String, &'static str)> {
        match self {
            Self::PerUnit { .. } => Ok(()),
            Self::Package { size: 0, .. } => Err(("/size".into(), "a package has at least one unit")),
            Self::Package { minor, .. } if *minor > MINOR_MAX => {
                Err(("/minor".into(), "at most 100000000000"))
            }
            Self::Package { .. } => Ok(()),
            Self::Graduated { tiers } | Self::Volume { tiers } => check_tiers(tiers),
        }
    }
}

fn check_tiers(tiers: &[Tier]) -> Result<(), (String, &'static str)> {
    if tiers.is_empty() || tiers.len() > TIERS_MAX {
        return Err(("/tiers".into(), "one to twenty tiers"));
    }
    let mut end = 0;
    for (index, tier) in tiers.iter().enumerate() {
        let at = |field: &str| format!("/tiers/{index}/{field}");
        if tier.flat_minor > MINOR_MAX {
            return Err((at("flat_minor"), "at most 100000000000"));
        }
        match tier.up_to {
            None if index + 1 == tiers.len() => {}
            None => return Err((at("up_to"), "only the last tier is without an end")),
            Some(_) if index + 1 == tiers.len() => {
                return Err((
                    at("up_to"),
                    "the last tier must be without an end, so that every unit has a price",
                ));
            }
            Some(up_to) if up_to <= end => return Err((at("up_to"), "tiers must ascend")),
            Some(up_to) => end = up_to,
        }
    }
    Ok(())
}
