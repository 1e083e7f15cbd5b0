//! What a plan charges: a base fee, a price per meter, a minimum.

use serde::{Deserialize, Serialize};
use tollgate_domain::{Currency, Meter};

use crate::{Trial, UnitPrice};

/// Meters of one tariff.
pub const METERS_MAX: usize = 24;
/// Tiers of one meter.
pub const TIERS_MAX: usize = 20;
/// Currencies of one tariff beside its own.
pub const CURRENCIES_MAX: usize = 20;
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
    /// Due once, when a subscription is on the plan for the first time and its trial is over; in minor units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub setup_minor: u64,
    /// How long the plan can be tried, and what that leaves out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// The same in other currencies: written down for each, never converted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub currencies: Vec<Prices>,
}

/// What a plan charges in one more currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Of every amount in it.
    pub currency: Currency,
    /// As in [`Tariff`].
    #[serde(default)]
    pub base_minor: u64,
    /// As in [`Tariff`].
    #[serde(default)]
    pub meters: Vec<MeterPrice>,
    /// As in [`Tariff`].
    #[serde(default)]
    pub minimum_minor: u64,
    /// As in [`Tariff`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub setup_minor: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_zero(minor: &u64) -> bool {
    *minor == 0
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
        Self {
            currency,
            base_minor,
            meters: Vec::new(),
            minimum_minor: 0,
            setup_minor: 0,
            trial: None,
            currencies: Vec::new(),
        }
    }

    /// Whether nothing ever costs anything, in any currency.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.sheet().is_free() && self.currencies.iter().all(|prices| prices.sheet().is_free())
    }

    /// Whether it says no more than a base fee, which a plan has of itself.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        *self == Self::flat(self.currency, self.base_minor)
    }

    /// The currencies that it has prices in, its own first.
    pub fn in_currencies(&self) -> impl Iterator<Item = Currency> {
        std::iter::once(self.currency).chain(self.currencies.iter().map(|prices| prices.currency))
    }

    /// What it charges in one currency; none where it has no prices in that.
    #[must_use]
    pub fn in_currency(&self, currency: Currency) -> Option<Self> {
        if currency == self.currency {
            return Some(Self { currencies: Vec::new(), ..self.clone() });
        }
        let prices = self.currencies.iter().find(|prices| prices.currency == currency)?.clone();
        let Prices { currency, base_minor, meters, minimum_minor, setup_minor } = prices;
        let trial = self.trial.clone();
        Some(Self { currency, base_minor, meters, minimum_minor, setup_minor, trial, currencies: Vec::new() })
    }

    fn sheet(&self) -> Sheet<'_> {
        Sheet {
            fixed: [
                ("base_minor", self.base_minor),
                ("minimum_minor", self.minimum_minor),
                ("setup_minor", self.setup_minor),
            ],
            meters: &self.meters,
        }
    }

    /// Checks what types do not.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn check(&self) -> Result<(), InvalidTariff> {
        self.sheet().check("")?;
        if let Some(trial) = &self.trial {
            trial.check()?;
        }
        if self.currencies.len() > CURRENCIES_MAX {
            return InvalidTariff::at("/currencies", "at most 20 more currencies");
        }
        for (index, prices) in self.currencies.iter().enumerate() {
            let at = format!("/currencies/{index}");
            let earlier = &self.currencies[..index];
            if prices.currency == self.currency || earlier.iter().any(|one| one.currency == prices.currency) {
                return InvalidTariff::at(format!("{at}/currency"), "this currency has its prices already");
            }
            prices.sheet().check(&at)?;
            let counted = |meters: &[MeterPrice]| {
                meters.iter().map(|one| (one.meter, one.included)).collect::<Vec<_>>()
            };
            if counted(&prices.meters) != counted(&self.meters) {
                let message = "the meters of the plan's own currency, in the same order and with the same included units";
                return InvalidTariff::at(format!("{at}/meters"), message);
            }
        }
        Ok(())
    }
}

impl InvalidTariff {
    pub(crate) fn at<T>(pointer: impl Into<String>, message: &'static str) -> Result<T, Self> {
        Err(Self { pointer: pointer.into(), message })
    }
}

impl Prices {
    fn sheet(&self) -> Sheet<'_> {
        Sheet {
            fixed: [
                ("base_minor", self.base_minor),
                ("minimum_minor", self.minimum_minor),
                ("setup_minor", self.setup_minor),
            ],
            meters: &self.meters,
        }
    }
}

/// What a tariff says in one currency.
struct Sheet<'a> {
    fixed: [(&'static str, u64); 3],
    meters: &'a [MeterPrice],
}

impl Sheet<'_> {
    fn is_free(&self) -> bool {
        self.meters.is_empty() && self.fixed.iter().all(|(_, minor)| *minor == 0)
    }

    fn check(&self, base: &str) -> Result<(), InvalidTariff> {
        for (name, minor) in self.fixed {
            if minor > MINOR_MAX {
                return InvalidTariff::at(format!("{base}/{name}"), "at most 100000000000");
            }
        }
        if self.meters.len() > METERS_MAX {
            return InvalidTariff::at(format!("{base}/meters"), "at most 24 meters");
        }
        for (index, price) in self.meters.iter().enumerate() {
            let at = format!("{base}/meters/{index}");
            if self.meters[..index].iter().any(|earlier| earlier.meter == price.meter) {
                return InvalidTariff::at(format!("{at}/meter"), "this meter has a price already");
            }
            if let Err((pointer, message)) = price.price.check() {
                return InvalidTariff::at(format!("{at}/price{pointer}"), message);
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
