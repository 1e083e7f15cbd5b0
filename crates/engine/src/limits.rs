//! A plan's limits applied to one call: all are looked at before any is taken.
//!
//! Between the look and the taking another thread may take the last call; then what was taken is undone, and nothing
//! is lost. In that instant a third call can be refused that would have fitted: at most one per thread.

use std::sync::atomic::AtomicU64;

use tollgate_domain::{Funds, Limit, LimitPer};

use crate::consumers::{Account, RateCells};
use crate::denial::{Denial, LimitHit};
use crate::gcra::Rate;
use crate::lease::{self, Answer};
use crate::policies::{Counting, Guard};
use crate::quota::Month;
use crate::snapshot::{LimitCheck, Plan, Snapshot};

/// Every limit that a gateway checks.
const LIMITS_MAX: usize = Limit::RATES_PER_PLAN_MAX + Limit::LEASES_MAX;

/// How each limit of a plan stands, in the plan's order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Levels([Shown; LIMITS_MAX]);

#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    remaining: u64,
    /// Seconds until more than `remaining` can be had, rounded up.
    opens_in_s: u64,
}

/// What a call is counted on.
pub(crate) struct Cells<'c> {
    pub(crate) account: &'c Account,
    /// For plans that limit each key for itself.
    pub(crate) of_key: Option<&'c RateCells>,
}

impl Cells<'_> {
    fn of(&self, per: LimitPer, cell: usize) -> &AtomicU64 {
        match (per, self.of_key) {
            (LimitPer::Credential, Some(cells)) => &cells[cell],
            _ => &self.account.rates[cell],
        }
    }
}

/// What a call took from quotas, to be given back where it is not charged.
#[derive(Debug, Default)]
#[cfg_attr(feature = "bare", derive(Clone))]
pub(crate) struct Takings {
    month: Option<Month>,
    /// The generation of each lease, and what was taken from it.
    leases: [Option<(u32, u32)>; lease::CELLS],
    /// Whether a lease runs low and this call is the one to say so.
    pub(crate) is_low: bool,
}

impl Takings {
    /// Gives everything back.
    pub(crate) fn give_back(&self, account: &Account, units: u32) {
        if let Some(month) = self.month {
            account.quota.give_back(month, units);
        }
        for (cell, taken) in self.leases.iter().enumerate() {
            if let Some((generation, taken)) = taken {
                account.lease(cell).give_back(*generation, *taken);
            }
        }
    }
}

/// How the limits stand and what was taken of quotas; or why not, and how they stand.
type Taken = Result<(Levels, Takings), Box<(Denial, Levels)>>;

/// Takes a call from every rate of a route's guard, where the plan admits it too: all of both is looked at before anything
/// is taken of either. Speed is named before budget, and of two limits of speed the one that opens later. Where the
/// plan's spend cap is reached, `plan` becomes the one whose limits hold instead.
#[inline(never)]
pub(crate) fn take_guard(
    guard: &Guard,
    counting: Counting<'_>,
    snapshot: &Snapshot,
    plan: &mut u32,
    cells: &Cells<'_>,
    units: u32,
) -> Result<(), Box<(Denial, Levels)>> {
    let now_ns = counting.now_ns;
    let refused_by = |hit: LimitHit, plan: u32| {
        let (of_plan, levels) = stand(snapshot.plan(plan), cells, units, now_ns);
        let denial = match of_plan {
            Some(Denial::RateLimited(later)) if later.retry_after_s > hit.retry_after_s => later,
            _ => hit,
        };
        Box::new((Denial::RateLimited(denial), levels))
    };
    if let Some(hit) = guard.look(counting) {
        return Err(refused_by(hit, *plan));
    }
    let refusal_of = |plan: u32| {
        let plan = snapshot.plan(plan);
        (!admits(plan, cells, units, now_ns)).then(|| refused(plan, cells, units, now_ns))
    };
    if let Some(refused) = refusal_of(*plan) {
        match (&refused.0, snapshot.fallback_of(*plan)) {
            (Denial::SpendCapReached(_), Some(fallback)) => *plan = fallback,
            _ => return Err(refused),
        }
        if let Some(refused) = refusal_of(*plan) {
            return Err(refused);
        }
    }
    guard.take(counting).map_err(|hit| refused_by(hit, *plan))
}

/// Whether a plan admits a call, nothing taken.
#[inline(always)]
fn admits(plan: &Plan, cells: &Cells<'_>, units: u32, now_ns: u64) -> bool {
    let account = cells.account;
    let (month, now_s) = (Month::at(now_ns), now_ns / 1_000_000_000);
    // A loop, which the compiler unfolds into its callers; `all` it would call.
    for limit in &plan.limits {
        let admits = match limit.check {
            LimitCheck::Rate { rate, cell, per } => rate.admits(cells.of(per, cell), now_ns),
            LimitCheck::Quota => account.quota.peek(month, limit.amount).remaining >= u64::from(units),
            LimitCheck::Lease { cell, key, funds } => {
                matches!(account.lease(cell).peek(key, funds.weight(units), now_s), Answer::Had { .. })
            }
        };
        if !admits {
            return false;
        }
    }
    true
}

/// Takes a call from every rate and its units from the quotas, or nothing from any.
pub(crate) fn take(plan: &Plan, cells: &Cells<'_>, units: u32, now_ns: u64) -> Taken {
    let account = cells.account;
    let (month, now_s) = (Month::at(now_ns), now_ns / 1_000_000_000);
    if !admits(plan, cells, units, now_ns) {
        return Err(refused(plan, cells, units, now_ns));
    }
    let mut levels = Levels::default();
    let mut takings = Takings::default();
    for (index, limit) in plan.limits.iter().enumerate() {
        let taken = match limit.check {
            LimitCheck::Rate { rate, cell, per } => {
                rate.take(cells.of(per, cell), now_ns).ok().map(|level| Shown {
                    remaining: level.remaining,
                    opens_in_s: level.next_ns.div_ceil(1_000_000_000),
                })
            }
            LimitCheck::Quota => account.quota.take(month, limit.amount, units).ok().map(|standing| {
                takings.month = Some(standing.month);
                Shown {
                    remaining: standing.remaining,
                    opens_in_s: standing.month.end_s().saturating_sub(now_s),
                }
            }),
            LimitCheck::Lease { cell, key, funds } => {
                match account.lease(cell).take(key, funds.weight(units), now_s) {
                    Answer::Had { generation, remaining, ends_s, is_low } => {
                        takings.leases[cell] = Some((generation, funds.weight(units)));
                        takings.is_low |= is_low && account.lease(cell).is_first_to_ask();
                        Some(Shown { remaining, opens_in_s: ends_s.saturating_sub(now_s) })
                    }
                    Answer::Exhausted { .. } | Answer::Unknown => None,
                }
            }
        };
        let Some(shown) = taken else {
            for earlier in &plan.limits[..index] {
                if let LimitCheck::Rate { rate, cell, per } = earlier.check {
                    Rate::undo(&rate, cells.of(per, cell));
                }
            }
            takings.give_back(account, units);
            return Err(refused(plan, cells, units, now_ns));
        };
        levels.0[index] = shown;
    }
    Ok((levels, takings))
}

/// The refusal and how every limit stands.
fn refused(plan: &Plan, cells: &Cells<'_>, units: u32, now_ns: u64) -> Box<(Denial, Levels)> {
    let (denial, levels) = stand(plan, cells, units, now_ns);
    // Another thread's undo reopened the limit since; the caller may come again at once.
    let denial = denial.unwrap_or_else(|| Denial::RateLimited(LimitHit::new(&plan.limits[0], 1)));
    Box::new((denial, levels))
}

/// How every limit stands, and what refuses a call now. Speed is named before budget, budget before money; among several of a kind the one that opens
/// last, so that who waits as told is not refused by the next one.
fn stand(plan: &Plan, cells: &Cells<'_>, units: u32, now_ns: u64) -> (Option<Denial>, Levels) {
    let account = cells.account;
    let (month, now_s) = (Month::at(now_ns), now_ns / 1_000_000_000);
    let mut levels = Levels::default();
    let mut rate_hit: Option<(u64, usize)> = None;
    let mut quota_hit = None;
    let mut money_hit = None;
    let mut is_unknown = false;
    let later = |hit: Option<(u64, usize)>, wait: u64, index| match hit {
        Some((longest, _)) if longest >= wait => hit,
        _ => Some((wait, index)),
    };
    for (index, limit) in plan.limits.iter().enumerate() {
        let shown = match limit.check {
            LimitCheck::Rate { rate, cell, per } => {
                let level = rate.peek(cells.of(per, cell), now_ns);
                let shown =
                    Shown { remaining: level.remaining, opens_in_s: level.next_ns.div_ceil(1_000_000_000) };
                if level.remaining == 0 {
                    rate_hit = later(rate_hit, shown.opens_in_s, index);
                }
                shown
            }
            LimitCheck::Quota => {
                let standing = account.quota.peek(month, limit.amount);
                let opens_in_s = standing.month.end_s().saturating_sub(now_s);
                if standing.remaining < u64::from(units) {
                    quota_hit = later(quota_hit, opens_in_s, index);
                }
                Shown { remaining: standing.remaining, opens_in_s }
            }
            LimitCheck::Lease { cell, key, funds } => {
                match account.lease(cell).peek(key, funds.weight(units), now_s) {
                    Answer::Had { remaining, ends_s, .. } => {
                        Shown { remaining, opens_in_s: ends_s.saturating_sub(now_s) }
                    }
                    Answer::Exhausted { remaining, ends_s } => {
                        let opens_in_s = ends_s.saturating_sub(now_s);
                        match funds {
                            Funds::Units => quota_hit = later(quota_hit, opens_in_s, index),
                            _ => money_hit = Some(funds),
                        }
                        Shown { remaining, opens_in_s }
                    }
                    Answer::Unknown => {
                        is_unknown = true;
                        Shown::default()
                    }
                }
            }
        };
        levels.0[index] = shown;
    }
    let denial = match (rate_hit, quota_hit, money_hit) {
        (Some((wait, index)), ..) => Some(Denial::RateLimited(LimitHit::new(&plan.limits[index], wait))),
        (None, Some((wait, index)), _) => {
            Some(Denial::QuotaExceeded(LimitHit::new(&plan.limits[index], wait)))
        }
        (None, None, Some(Funds::Credits)) => Some(Denial::CreditsUsedUp),
        (None, None, Some(_)) => Some(Denial::SpendCapReached(account.owner.subscription_id)),
        (None, None, None) => is_unknown.then_some(Denial::QuotaUnavailable),
    };
    (denial, levels)
}

/// Appends the value of `RateLimit`: two numbers per visible limit, everything else is rendered already.
pub(crate) fn write(plan: &Plan, levels: &Levels, out: &mut Vec<u8>) {
    let mut first = true;
    for (limit, shown) in plan.limits.iter().zip(&levels.0).filter(|(limit, _)| limit.visible) {
        if !std::mem::take(&mut first) {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(limit.header_start.as_bytes());
        out.extend_from_slice(itoa::Buffer::new().format(shown.remaining).as_bytes());
        out.extend_from_slice(b";t=");
        out.extend_from_slice(itoa::Buffer::new().format(shown.opens_in_s).as_bytes());
    }
}
