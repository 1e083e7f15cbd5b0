//! A plan's limits: a rate limit is speed, a quota is budget.

use serde::{Deserialize, Serialize};

use crate::{Anchor, Budget, Enforcement, Funds, Period};

/// Which kind of limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Speed: `amount` calls per `period`, smoothed by GCRA.
    Rate,
    /// Budget: `amount` units of charged calls per day or month.
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
    /// How it is kept. Quotas only.
    #[serde(flatten)]
    pub budget: Budget,
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
    #[error(
        "a rate is per second, minute, hour or day; a quota is per day or month, one that is `shared` per month"
    )]
    Period,
    /// A quota has no burst and is never per key.
    #[error("a quota has no burst and belongs to the subscription")]
    QuotaShape,
    /// Only quotas are kept in some way, and a shared one is of a calendar month in UTC.
    #[error(
        "only quotas have an enforcement, anchor, rollover and alerts; one with an anchor is per month, and one that is `shared` has neither anchor nor rollover"
    )]
    Budget,
    /// The rollover is out of range.
    #[error("the rollover is at most {max}", max = Limit::AMOUNT_MAX)]
    Rollover,
    /// The alerts are no percentages.
    #[error("at most five percentages from 1 to 200, ascending")]
    Alerts,
    /// A plan has more limits than the gateway keeps counters for.
    #[error(
        "a plan has at most {} rate limits and {} quotas, one of them `shared`",
        Limit::RATES_PER_PLAN_MAX,
        Limit::QUOTAS_PER_PLAN_MAX
    )]
    TooMany,
}

impl Limit {
    /// The largest amount; it keeps every product with a period in nanoseconds inside 64 bits of seconds.
    pub const AMOUNT_MAX: u64 = 1_000_000_000_000;
    /// How many rate limits one plan may have.
    pub const RATES_PER_PLAN_MAX: usize = 4;
    /// How many quotas one plan may have.
    pub const QUOTAS_PER_PLAN_MAX: usize = 3;

    /// Budgets of one subscription that gateways lease: its plan's quotas, and its money's.
    pub const LEASES_MAX: usize = Self::QUOTAS_PER_PLAN_MAX + Funds::KEPT.len();

    /// What it is a budget of.
    #[must_use]
    pub fn funds(&self) -> Funds {
        Funds::KEPT.into_iter().find(|funds| funds.limit_name() == Some(&self.name)).unwrap_or_default()
    }

    /// Whether a text can name a limit: it stands in header fields.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        let may_stand = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        (1..=32).contains(&text.len()) && text.bytes().all(may_stand)
    }

    /// Checks one limit by itself.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self) -> Result<(), InvalidLimit> {
        if !Self::is_name(&self.name) {
            return Err(InvalidLimit::Name);
        }
        if !(1..=Self::AMOUNT_MAX).contains(&self.amount) {
            return Err(InvalidLimit::Amount);
        }
        match self.kind {
            LimitKind::Rate if self.period == Period::Month => Err(InvalidLimit::Period),
            LimitKind::Rate if self.budget != Budget::default() => Err(InvalidLimit::Budget),
            LimitKind::Rate => match self.burst {
                Some(burst) if !(1..=Self::AMOUNT_MAX).contains(&burst) => Err(InvalidLimit::Burst),
                _ => Ok(()),
            },
            LimitKind::Quota if !self.has_budgets_period() => Err(InvalidLimit::Period),
            LimitKind::Quota if self.burst.is_some() || self.per != LimitPer::Subscription => {
                Err(InvalidLimit::QuotaShape)
            }
            LimitKind::Quota => self.check_budget(),
        }
    }

    fn has_budgets_period(&self) -> bool {
        let may_be_day = self.budget.enforcement != Enforcement::Shared;
        self.period == Period::Month || (may_be_day && self.period == Period::Day)
    }

    fn check_budget(&self) -> Result<(), InvalidLimit> {
        let Budget { enforcement, anchor, rollover, .. } = self.budget;
        let is_shared = enforcement == Enforcement::Shared;
        if rollover > Self::AMOUNT_MAX {
            return Err(InvalidLimit::Rollover);
        }
        if is_shared && rollover > 0
            || anchor == Anchor::Subscription && (is_shared || self.period != Period::Month)
        {
            return Err(InvalidLimit::Budget);
        }
        if self.budget.alerts_ok() { Ok(()) } else { Err(InvalidLimit::Alerts) }
    }

    /// Whether gateways spend it from what the database lends them.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        self.kind == LimitKind::Quota && self.budget.enforcement == Enforcement::Exact
    }

    /// Checks the limits of one plan together; the error carries the index of the offender.
    ///
    /// # Errors
    /// The index of the first limit that breaks a rule, and the rule.
    pub fn check_all(limits: &[Self]) -> Result<(), (usize, InvalidLimit)> {
        let mut rates = 0;
        let mut quotas = 0;
        let mut shared = 0;
        for (index, limit) in limits.iter().enumerate() {
            limit.check().map_err(|error| (index, error))?;
            if limits[..index].iter().any(|earlier| earlier.name == limit.name) {
                return Err((index, InvalidLimit::DuplicateName));
            }
            match limit.kind {
                LimitKind::Rate => rates += 1,
                LimitKind::Quota => {
                    quotas += 1;
                    shared += usize::from(limit.budget.enforcement == Enforcement::Shared);
                }
            }
            if rates > Self::RATES_PER_PLAN_MAX || quotas > Self::QUOTAS_PER_PLAN_MAX || shared > 1 {
                return Err((index, InvalidLimit::TooMany));
            }
        }
        Ok(())
    }
}
