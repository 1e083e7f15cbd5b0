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
