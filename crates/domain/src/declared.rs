//! What is published as its author declares it: by names instead of ids, every field filled in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ApiPolicies, ApiState, Currency, HeaderMatch, Limit, Metering, Page, PlanState, Policies, Portal, Price,
    ProductState, ServiceProtocol, Slug, Target, UnpaidLanding, Visibility,
};

/// The publisher's whole state, or the part of it that somebody declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Systems that calls are forwarded to.
    pub services: Vec<Service>,
    /// What is published.
    pub apis: Vec<Api>,
    /// APIs offered together.
    pub products: Vec<Product>,
    /// Terms of the products.
    pub plans: Vec<Plan>,
    /// What all calls are held to; at most one.
    #[serde(default)]
    pub policies: Vec<Policies>,
    /// Name, colours, logo and links of the portal; at most one.
    #[serde(default)]
    pub portals: Vec<Portal>,
    /// Pages of the publisher's.
    #[serde(default)]
    pub pages: Vec<Page>,
}

/// A system that calls are forwarded to; `slug` is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name in URLs and files.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// Milliseconds to open a connection.
    pub connect_timeout_ms: i32,
    /// Milliseconds to wait for bytes of an answer.
    pub read_timeout_ms: i32,
    /// How it is spoken to.
    #[serde(default)]
    pub protocol: ServiceProtocol,
    /// Its addresses, in order.
    pub targets: Vec<Target>,
}

/// Something published; `slug` is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// Its name in URLs and files.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// The service that calls go to.
    pub service: Slug,
    /// Hosts it answers on; empty means any.
    pub hosts: Vec<String>,
    /// What stands before every path.
    pub base_path: String,
    /// What its calls must say to be its own, beside host and path.
    #[serde(default)]
    pub match_headers: Vec<HeaderMatch>,
    /// Where it stands in its life.
    pub state: ApiState,
    /// When it stops being served; of a deprecated or retired one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset_at: Option<DateTime<Utc>>,
    /// The API that takes its place; of a deprecated or retired one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<Slug>,
    /// How its calls are metered.
    #[serde(default)]
    pub metering: Metering,
    /// What its calls are held to, besides what all are.
    #[serde(default)]
    pub policies: ApiPolicies,
    /// The text of its OpenAPI document; without one, the document in force stays.
    #[serde(default, skip_serializing)]
    pub document: Option<String>,
}

/// APIs offered together; `slug` is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its name in URLs and files.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// What can be built with it.
    pub description: String,
    /// Whether it is on offer.
    pub state: ProductState,
    /// Who sees it.
    pub visibility: Visibility,
    /// Its APIs, in order.
    pub apis: Vec<Slug>,
}

/// Terms of a product; `product` and `slug` together are its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The product it is for.
    pub product: Slug,
    /// Its name in headers and files; unique in its product.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Whether it can be chosen.
    pub state: PlanState,
    /// Whether an operator must approve a subscription.
    pub approval: bool,
    /// What it costs.
    pub price: Price,
    /// What use costs besides; each meter once.
    #[serde(default)]
    pub meters: Vec<MeterPrice>,
    /// The least that price and use together come to in a month, in minor units.
    #[serde(default)]
    pub minimum_minor: u64,
    /// Due once, in minor units.
    #[serde(default)]
    pub setup_minor: u64,
    /// How long it can be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// Its prices in other currencies.
    #[serde(default)]
    pub currencies: Vec<Prices>,
    /// What becomes of calls when an invoice stays unpaid past its grace.
    #[serde(default = "UnpaidLanding::block")]
    pub unpaid_landing: UnpaidLanding,
    /// Days of grace; none for the installation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_days: Option<i16>,
    /// Whether its calls are paid from credits as they are made.
    #[serde(default)]
    pub prepaid: bool,
    /// Its limits, in the order they are checked and shown.
    pub limits: Vec<Limit>,
}

impl UnpaidLanding {
    const fn block() -> Self {
        Self::Block
    }
}

/// Days in which a plan can be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Of 24 hours each, from the beginning of the subscription.
    pub days: u16,
    /// Whether price and minimum are due all the same.
    #[serde(default)]
    pub base_due: bool,
    /// Units that cost nothing in it, besides those that the plan includes.
    #[serde(default)]
    pub included: Vec<TrialUnits>,
}

/// Units of a meter that a trial gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialUnits {
    /// What is counted.
    pub meter: String,
    /// How many of the whole trial.
    pub units: u64,
}

/// A plan's prices in one more currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// Of every amount in it.
    pub currency: Currency,
    /// The price per month, in minor units.
    #[serde(default)]
    pub base_minor: u64,
    /// What use costs besides.
    #[serde(default)]
    pub meters: Vec<MeterPrice>,
    /// The least that price and use together come to in a month, in minor units.
    #[serde(default)]
    pub minimum_minor: u64,
    /// Due once, in minor units.
    #[serde(default)]
    pub setup_minor: u64,
}

/// What the units of one meter cost, as its author wrote it; what may stand there, the rating says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterPrice {
    /// What is counted.
    pub meter: String,
    /// Units of a month that cost nothing.
    #[serde(default)]
    pub included: u64,
    /// What the others cost.
    pub price: UsagePrice,
}

/// How a price grows with the units; which fields there are follows from the scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsagePrice {
    /// per_unit, graduated, volume or package.
    pub scheme: String,
    /// Of one unit, a decimal in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_minor: Option<String>,
    /// Ranges of units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<Vec<PriceTier>>,
    /// Units in one package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Of one package, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor: Option<u64>,
}

/// A range of units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceTier {
    /// Its last unit; none for the last tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u64>,
    /// Of one unit in it, a decimal in minor units.
    pub unit_minor: String,
    /// Due once when the tier is reached, in minor units.
    #[serde(default)]
    pub flat_minor: u64,
}
