//! A plan's limits: a rate limit is speed, a quota is budget.

use serde::{Deserialize, Serialize};

use crate::Period;

/// Which kind of limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Speed: `amount` calls per `period`, smoothed by GCRA.
    Rate,
    /// Budget: `amount` charged calls per calendar `period`.
    Quota,
}

/// Whose calls are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitPer {
    /// All keys of the subscription share the limit.
    #[default]
    Subscription,
    /// Each key has the limit for itself.
    Credential,
}

/// One limit of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Shown in `RateLimit-Policy`; `[a-z0-9_-]{1,32}`, unique in its plan.
    pub name: String,
    /// Speed or budget.
    pub kind: LimitKind,
    /// Calls per period, at least 1.
    pub amount: u64,
    /// The period that `amount` is for.
    pub period: Period,
    /// Calls that may come at once; `amount` where not given. Rates only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u64>,
    /// Whose calls are counted together. A quota is always the subscription's.
    #[serde(default)]
    pub per: LimitPer,
    /// A contractual limit shows itself in the headers, a protective one hides.
    #[serde(default = "shown")]
    pub visible: bool,
}

const fn shown() -> bool {
    true
}

/// Why a limit cannot be enforced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimit {
    /// The name is not a header token.
    #[error("a limit's name is 1 to 32 of a-z, 0-9, - and _")]
    Name,
    /// Two limits of a plan carry the same name.
    #[error("another limit of this plan has the same name")]
    DuplicateName,
    /// The amount is out of range.
    #[error("the amount must be between 1 and {max}", max = Limit::AMOUNT_MAX)]
    Amount,
    /// The burst is out of range.
    #[error("the burst must be between 1 and {max}", max = Limit::AMOUNT_MAX)]
    Burst,
    /// A quota cannot be this short, or a rate this long.
    #[error("a rate is per second, minute, hour or day; a quota is per month")]
    Period,
    /// A quota has no burst and is never per key.
    #[error("a quota has no burst and belongs to the subscription")]
    QuotaShape,
    /// A plan has more limits than the gateway keeps counters for.
    #[error("a plan has at most {max} rate limits and 1 quota", max = Limit::RATES_PER_PLAN_MAX)]
    TooMany,
}

impl Limit {
    /// The largest amount; it keeps every product with a period in nanoseconds inside 64 bits of seconds.
    pub const AMOUNT_MAX: u64 = 1_000_000_000_000;
    /// How many rate limits one plan may have.
    pub const RATES_PER_PLAN_MAX: usize = 4;

    /// Checks one limit by itself.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self) -> Result<(), InvalidLimit> {
        let name_ok = (1..=32).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if !name_ok {
            return Err(InvalidLimit::Name);
        }
        if !(1..=Self::AMOUNT_MAX).contains(&self.amount) {
            return Err(InvalidLimit::Amount);
        }
        match self.kind {
            LimitKind::Rate if self.period == Period::Month => Err(InvalidLimit::Period),
            LimitKind::Rate => match self.burst {
                Some(burst) if !(1..=Self::AMOUNT_MAX).contains(&burst) => Err(InvalidLimit::Burst),
                _ => Ok(()),
            },
            LimitKind::Quota if self.period != Period::Month => Err(InvalidLimit::Period),
            LimitKind::Quota if self.burst.is_some() || self.per != LimitPer::Subscription => {
                Err(InvalidLimit::QuotaShape)
            }
            LimitKind::Quota => Ok(()),
        }
    }

    /// Checks the limits of one plan together; the error carries the index of the offender.
    ///
    /// # Errors
    /// The index of the first limit that breaks a rule, and the rule.
    pub fn check_all(limits: &[Self]) -> Result<(), (usize, InvalidLimit)> {
        let mut rates = 0;
        let mut quotas = 0;
        for (index, limit) in limits.iter().enumerate() {
            limit.check().map_err(|error| (index, error))?;
            if limits[..index].iter().any(|earlier| earlier.name == limit.name) {
                return Err((index, InvalidLimit::DuplicateName));
            }
            match limit.kind {
                LimitKind::Rate => rates += 1,
                LimitKind::Quota => quotas += 1,
            }
            if rates > Self::RATES_PER_PLAN_MAX || quotas > 1 {
                return Err((index, InvalidLimit::TooMany));
            }
        }
        Ok(())
    }
}
