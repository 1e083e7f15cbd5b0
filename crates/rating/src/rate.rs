//! From counts to a bill.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tollgate_domain::ReadingName;

use crate::unit_price::Parts;
use crate::{Meter, MeterPrice, Scheme, Span, Tariff, Tier, UnitPrice};

const BYTES_PER_MEGABYTE: u64 = 1_000_000;

/// What was used in a month: of charged calls alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Calls.
    pub calls: u64,
    /// Calls, each weighted by what its operation costs.
    pub units: u64,
    /// Bytes of their request bodies.
    pub bytes_in: u64,
    /// Bytes of their response bodies.
    pub bytes_out: u64,
    /// Sums of the numbers that were read from their answers.
    pub readings: BTreeMap<ReadingName, u64>,
}

impl Usage {
    /// The units of a meter.
    #[must_use]
    pub fn units(&self, meter: Meter) -> u64 {
        match meter {
            Meter::Calls => self.calls,
            Meter::Units => self.units,
            Meter::MegabytesIn => self.bytes_in.div_ceil(BYTES_PER_MEGABYTE),
            Meter::MegabytesOut => self.bytes_out.div_ceil(BYTES_PER_MEGABYTE),
            Meter::Reading(name) => self.readings.get(&name).copied().unwrap_or(0),
        }
    }

    /// What both come to.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        for (name, sum) in other.readings {
            let own = self.readings.entry(name).or_default();
            *own = own.saturating_add(sum);
        }
        Self {
            calls: self.calls.saturating_add(other.calls),
            units: self.units.saturating_add(other.units),
            bytes_in: self.bytes_in.saturating_add(other.bytes_in),
            bytes_out: self.bytes_out.saturating_add(other.bytes_out),
            readings: self.readings,
        }
    }

    /// Every count made another by `change`.
    #[must_use]
    pub fn map(&self, change: impl Fn(u64) -> u64) -> Self {
        Self {
            calls: change(self.calls),
            units: change(self.units),
            bytes_in: change(self.bytes_in),
            bytes_out: change(self.bytes_out),
            readings: self.readings.iter().map(|(name, sum)| (*name, change(*sum))).collect(),
        }
    }
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// The base fee.
    Base,
    /// Units of a meter.
    Usage(Meter),
    /// What is missing to the minimum.
    Minimum,
    /// The one-time fee.
    Setup,
}

/// Units that cost the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How many.
    pub units: u64,
    /// What one costs; 0 in packages, whose price is in `flat_minor`.
    pub unit_minor: UnitPrice,
    /// What is due besides, in minor units.
    pub flat_minor: u64,
}

/// One amount of a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What for.
    pub kind: LineKind,
    /// All units, the included ones among them; 0 where none are counted.
    pub units: u64,
    /// Of them, those that cost nothing.
    pub included: u64,
    /// How the others come to the amount.
    pub parts: Vec<Part>,
    /// Minor units.
    pub minor: u64,
}

/// What is due: lines in the tariff's order. A line that comes to nothing stays where units were counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bill {
    /// Its lines.
    pub lines: Vec<Line>,
    /// Their sum in minor units.
    pub total_minor: u64,
}

/// Rates what was used in a month or a part of it.
#[must_use]
pub fn rate(tariff: &Tariff, span: impl Into<Span>, usage: &Usage) -> Bill {
    let span = span.into();
    let trial = tariff.trial.as_ref();
    let paid = span.paid_share(trial);
    let mut lines = Vec::with_capacity(tariff.meters.len() + 3);
    if tariff.base_minor > 0 {
        lines.push(Line::fixed(LineKind::Base, paid.of_amount(tariff.base_minor)));
    }
    lines.extend(tariff.meters.iter().map(|price| {
        let included = span.share().of_allowance(price.included);
        let included = included.saturating_add(span.given(trial, price.meter));
        meter_line(price, included, usage.units(price.meter))
    }));
    let sum = |lines: &[Line]| lines.iter().fold(0u64, |sum, line| sum.saturating_add(line.minor));
    let missing = paid.of_amount(tariff.minimum_minor).saturating_sub(sum(&lines));
    if missing > 0 {
        lines.push(Line::fixed(LineKind::Minimum, missing));
    }
    // Beside the minimum: it buys nothing that is used.
    if span.setup && tariff.setup_minor > 0 {
        lines.push(Line::fixed(LineKind::Setup, tariff.setup_minor));
    }
    Bill { total_minor: sum(&lines), lines }
}

impl Line {
    const fn fixed(kind: LineKind, minor: u64) -> Self {
        Self { kind, units: 0, included: 0, parts: Vec::new(), minor }
    }
}

fn meter_line(price: &MeterPrice, included: u64, units: u64) -> Line {
    let included = included.min(units);
    let parts = parts_of(&price.price, units - included);
    let exact = parts.iter().fold(Parts::default(), |sum, part| {
        sum.plus(part.unit_minor.times(part.units)).plus(Parts::of_minor(part.flat_minor))
    });
    Line { kind: LineKind::Usage(price.meter), units, included, parts, minor: exact.rounded() }
}

fn parts_of(scheme: &Scheme, units: u64) -> Vec<Part> {
    if units == 0 {
        return Vec::new();
    }
    let whole = |unit_minor, flat_minor| vec![Part { units, unit_minor, flat_minor }];
    match scheme {
        Scheme::PerUnit { unit_minor } => whole(*unit_minor, 0),
        Scheme::Package { size, minor } => {
            whole(UnitPrice::default(), units.div_ceil((*size).max(1)).saturating_mul(*minor))
        }
        Scheme::Volume { tiers } => {
            let tier = tiers.iter().find(|tier| holds(tier, units)).or(tiers.last());
            tier.map_or_else(Vec::new, |tier| whole(tier.unit_minor, tier.flat_minor))
        }
        Scheme::Graduated { tiers } => graduated(tiers, units),
    }
}

fn holds(tier: &Tier, unit: u64) -> bool {
    tier.up_to.is_none_or(|up_to| unit <= up_to)
}

fn graduated(tiers: &[Tier], units: u64) -> Vec<Part> {
    let mut begin = 0;
    let mut parts = Vec::new();
    for tier in tiers {
        let end = tier.up_to.unwrap_or(u64::MAX).min(units);
        parts.push(Part { units: end - begin, unit_minor: tier.unit_minor, flat_minor: tier.flat_minor });
        begin = end;
        if end == units {
            break;
        }
    }
    parts
}
