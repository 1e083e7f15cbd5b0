//! A plan's limits applied to one call: all are looked at before any is taken.
//!
//! Between the look and the taking another thread may take the last call; then what was taken is undone, and nothing
//! is lost. In that instant a third call can be refused that would have fitted: at most one per thread.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tollgate_domain::{Limit, LimitPer};

use crate::consumers::{Account, RateCells};
use crate::denial::{Denial, LimitHit};
use crate::gcra::Rate;
use crate::quota::Month;
use crate::snapshot::{LimitCheck, Plan};

/// Four rates and one quota.
const LIMITS_MAX: usize = Limit::RATES_PER_PLAN_MAX + 1;

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
    pub(crate) of_key: Option<Arc<RateCells>>,
}

impl Cells<'_> {
    fn of(&self, per: LimitPer, cell: usize) -> &AtomicU64 {
        match (per, &self.of_key) {
            (LimitPer::Credential, Some(cells)) => &cells[cell],
            _ => &self.account.rates[cell],
        }
    }
}

/// How the limits stand and in which month the quota was taken; or why not, and how they stand.
type Taken = Result<(Levels, Option<Month>), Box<(Denial, Levels)>>;

/// Takes one call from every limit, or from none.
pub(crate) fn take(plan: &Plan, cells: &Cells<'_>, now_ns: u64) -> Taken {
    let quota = &cells.account.quota;
    let month = Month::at(now_ns);
    let admitted = plan.limits.iter().all(|limit| match limit.check {
        LimitCheck::Rate { rate, cell, per } => rate.admits(cells.of(per, cell), now_ns),
        LimitCheck::Quota => quota.peek(month, limit.amount).remaining > 0,
    });
    if !admitted {
        return Err(refused(plan, cells, now_ns));
    }
    let mut levels = Levels::default();
    let mut quota_taken_in = None;
    for (index, limit) in plan.limits.iter().enumerate() {
        let taken = match limit.check {
            LimitCheck::Rate { rate, cell, per } => rate.take(cells.of(per, cell), now_ns).map(|level| {
                Shown { remaining: level.remaining, opens_in_s: level.next_ns.div_ceil(1_000_000_000) }
            }),
            LimitCheck::Quota => match quota.take(month, limit.amount) {
                Ok(standing) => {
                    quota_taken_in = Some(standing.month);
                    Ok(Shown {
                        remaining: standing.remaining,
                        opens_in_s: seconds_until(standing.month.end_s(), now_ns),
                    })
                }
                Err(_) => Err(Default::default()),
            },
        };
        match taken {
            Ok(shown) => levels.0[index] = shown,
            Err(_) => {
                for earlier in &plan.limits[..index] {
                    undo(earlier.check, cells, |month| quota.give_back(month), quota_taken_in);
                }
                return Err(refused(plan, cells, now_ns));
            }
        }
    }
    Ok((levels, quota_taken_in))
}

fn undo(check: LimitCheck, cells: &Cells<'_>, give_back: impl Fn(Month), quota_taken_in: Option<Month>) {
    match check {
        LimitCheck::Rate { rate, cell, per } => Rate::undo(&rate, cells.of(per, cell)),
        LimitCheck::Quota => quota_taken_in.into_iter().for_each(give_back),
    }
}

/// The refusal and how every limit stands. Speed is named before budget; among several of a kind the one that opens
/// last, so that who waits as told is not refused by the next one.
fn refused(plan: &Plan, cells: &Cells<'_>, now_ns: u64) -> Box<(Denial, Levels)> {
    let month = Month::at(now_ns);
    let mut levels = Levels::default();
    let mut slowest: Option<(u64, usize)> = None;
    let mut quota = None;
    for (index, limit) in plan.limits.iter().enumerate() {
        let shown = match limit.check {
            LimitCheck::Rate { rate, cell, per } => {
                let level = rate.peek(cells.of(per, cell), now_ns);
                let shown =
                    Shown { remaining: level.remaining, opens_in_s: level.next_ns.div_ceil(1_000_000_000) };
                if level.remaining == 0 && slowest.is_none_or(|(wait, _)| wait < shown.opens_in_s) {
                    slowest = Some((shown.opens_in_s, index));
                }
                shown
            }
            LimitCheck::Quota => {
                let standing = cells.account.quota.peek(month, limit.amount);
                let opens_in_s = seconds_until(standing.month.end_s(), now_ns);
                if standing.remaining == 0 {
                    quota = Some((opens_in_s, index));
                }
                Shown { remaining: standing.remaining, opens_in_s }
            }
        };
        levels.0[index] = shown;
    }
    let denial = match (slowest, quota) {
        (Some((wait, index)), _) => Denial::RateLimited(LimitHit::new(&plan.limits[index], wait)),
        (None, Some((wait, index))) => Denial::QuotaExceeded(LimitHit::new(&plan.limits[index], wait)),
        // Another thread's undo reopened the limit since; the caller may come again at once.
        (None, None) => Denial::RateLimited(LimitHit::new(&plan.limits[0], 1)),
    };
    Box::new((denial, levels))
}

fn seconds_until(end_s: u64, now_ns: u64) -> u64 {
    end_s.saturating_sub(now_ns / 1_000_000_000)
}

/// Appends the value of `RateLimit`: two numbers per visible limit, everything else is rendered already.
pub(crate) fn write(plan: &Plan, levels: &Levels, out: &mut Vec<u8>) {
    let mut first = true;
    for (limit, shown) in plan.limits.iter().zip(&levels.0).filter(|(limit, _)| limit.visible) {
        if !std::mem::take(&mut first) {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(limit.header_start.as_bytes());
        write_number(shown.remaining, out);
        out.extend_from_slice(b";t=");
        write_number(shown.opens_in_s, out);
    }
}

fn write_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    // Two at once: what is left of a month's budget has many.
    while number >= 10 {
        let pair = (number % 100) as u8;
        number /= 100;
        at -= 2;
        (digits[at], digits[at + 1]) = (b'0' + pair / 10, b'0' + pair % 10);
    }
    if number > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + number as u8;
    }
    out.extend_from_slice(&digits[at..]);
}
