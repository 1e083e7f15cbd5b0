//! What a plan charges for use, as schemas; the bodies themselves are those of the rating.

use tollgate_rating as rating;
use utoipa::ToSchema;

/// What one meter costs.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(example = json!({
    "meter": "calls", "included": 10_000, "price": { "scheme": "per_unit", "unit_minor": "0.2" }
}))]
pub struct MeterPrice {
    /// What is counted; each meter at most once.
    #[schema(value_type = super::Meter)]
    meter: rating::Meter,
    /// Units of a month that cost nothing. A part of a month has its part of them, rounded up.
    #[schema(required = false, default = 0)]
    included: u64,
    /// What the units beyond cost.
    price: Scheme,
}

/// How the price grows with the units.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[serde(tag = "scheme", rename_all = "snake_case")]
#[schema(as = PriceScheme)]
pub enum Scheme {
    /// Each unit costs the same.
    PerUnit {
        /// Of one unit, in minor units: a decimal with at most twelve decimals. `0.2` with EUR is a fifth of a cent.
        #[schema(pattern = "^[0-9]{1,8}(\\.[0-9]{1,12})?$")]
        unit_minor: String,
    },
    /// Each unit costs what its own tier says.
    Graduated {
        /// From the first unit on; the last one has no end.
        #[schema(min_items = 1, max_items = 20)]
        tiers: Vec<Tier>,
    },
    /// All units cost what the tier of the last one says.
    Volume {
        /// From the first unit on; the last one has no end.
        #[schema(min_items = 1, max_items = 20)]
        tiers: Vec<Tier>,
    },
    /// Units are sold in packages; a begun one is paid whole.
    Package {
        /// Units in one.
        #[schema(minimum = 1)]
        size: u64,
        /// The price of one package, in minor units.
        #[schema(maximum = 100_000_000_000_u64)]
        minor: u64,
    },
}

/// A range of units.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(as = PriceTier)]
pub struct Tier {
    /// Its last unit; `null` for the last tier.
    #[schema(required = false)]
    up_to: Option<u64>,
    /// The price of one unit in it, in minor units: a decimal with at most twelve decimals.
    #[schema(pattern = "^[0-9]{1,8}(\\.[0-9]{1,12})?$")]
    unit_minor: String,
    /// Due once when the tier is reached, in minor units.
    #[schema(required = false, default = 0, maximum = 100_000_000_000_u64)]
    flat_minor: u64,
}

/// How long a plan can be tried. Days are of 24 hours and count from the first trial that the customer had of the product.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(example = json!({ "days": 14, "included": [{ "meter": "calls", "units": 5000 }] }))]
pub struct Trial {
    /// How many days.
    #[schema(minimum = 1, maximum = 365)]
    days: u16,
    /// Whether the base fee and the minimum are due all the same.
    #[schema(required = false, default = false)]
    base_due: bool,
    /// Units that cost nothing besides those that the plan includes; of the whole trial, each meter once.
    #[schema(required = false, max_items = 24)]
    included: Vec<TrialUnits>,
}

/// Units of a meter that a trial gives.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
pub struct TrialUnits {
    /// What is counted.
    #[schema(value_type = super::Meter)]
    meter: rating::Meter,
    /// How many of the whole trial.
    units: u64,
}

/// A plan's prices in one more currency: written down, never converted.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
#[schema(example = json!({ "currency": "USD", "base_minor": 3200 }))]
pub struct Prices {
    /// Of every amount in it; not the plan's own.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Due every month, in minor units.
    #[schema(required = false, default = 0, maximum = 100_000_000_000_u64)]
    base_minor: u64,
    /// What use costs.
    #[schema(required = false, max_items = 24)]
    meters: Vec<MeterPrice>,
    /// The least that base and use together come to in a month, in minor units.
    #[schema(required = false, default = 0, maximum = 100_000_000_000_u64)]
    minimum_minor: u64,
    /// Due once, in minor units.
    #[schema(required = false, default = 0, maximum = 100_000_000_000_u64)]
    setup_minor: u64,
}
