//! What calls of a route are held to besides the plan they come on: networks and rates of the platform, the API and the
//! operation, compiled into one guard.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tollgate_domain::{CredentialId, Network, Period, PolicyScope, SubscriptionId};

use crate::cells::{Cells, Tag};
use crate::denial::{Denial, LimitHit};
use crate::gcra::{Level, Rate};
use crate::rules::Whence;

/// What a call of a route must meet besides its plan; the same one for all routes that are held to the same.
#[derive(Debug, Default, Clone)]
pub(crate) struct Guard {
    /// Each list must have the caller in it.
    pub(crate) networks: Vec<(PolicyScope, Arc<[Network]>)>,
    /// Each must admit the call.
    pub(crate) rates: Vec<GuardRate>,
}

/// A rate of a scope.
#[derive(Debug, Clone)]
pub(crate) struct GuardRate {
    /// Names it in every snapshot.
    pub(crate) key: u64,
    pub(crate) scope: PolicyScope,
    pub(crate) name: Arc<str>,
    pub(crate) amount: u64,
    pub(crate) period: Period,
    pub(crate) rate: Rate,
    pub(crate) per: Counted,
}

/// Where the calls of a rate are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Those of each subscription, in the table.
    Subscription,
    /// Those of each key, in the table.
    Credential,
    /// Everybody's, on this one of the common counts.
    All(usize),
}

/// What is counted for the guards of a snapshot. It goes on from snapshot to snapshot.
#[derive(Debug, Default)]
pub(crate) struct PolicyCounts {
    /// By the keys of their rates.
    pub(crate) all: Vec<(u64, Arc<AtomicU64>)>,
    pub(crate) each: Arc<Cells>,
    /// Whether anything is counted in the table.
    pub(crate) needs_each: bool,
}

impl PolicyCounts {
    /// The place of the common count of a rate.
    pub(crate) fn place_of(&mut self, key: u64) -> usize {
        self.all.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            self.all.push((key, Arc::default()));
            self.all.len() - 1
        })
    }

    /// Goes on with the counts of another snapshot. Calls that still live in that one count with this one's.
    pub(crate) fn carry_on(&mut self, before: &Self) {
        for (key, count) in &mut self.all {
            if let Some((_, known)) = before.all.iter().find(|(known, _)| known == key) {
                *count = Arc::clone(known);
            }
        }
        self.each = Arc::clone(&before.each);
    }
}

/// Who calls, as guards count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counting<'c> {
    counts: &'c PolicyCounts,
    subscription: u64,
    credential: u64,
    pub(crate) now_ns: u64,
}

impl<'c> Counting<'c> {
    pub(crate) fn new(
        counts: &'c PolicyCounts,
        subscription: SubscriptionId,
        credential: CredentialId,
        now_ns: u64,
    ) -> Self {
        // The half of an id that is random.
        let (subscription, credential) =
            (subscription.uuid().as_u64_pair().1, credential.uuid().as_u64_pair().1);
        Self { counts, subscription, credential, now_ns }
    }

    fn tag(&self, rate: &GuardRate) -> Tag {
        Tag::of(rate.key, if rate.per == Counted::Credential { self.credential } else { self.subscription })
    }

    fn peek(&self, rate: &GuardRate) -> Level {
        match rate.per {
            Counted::All(place) => rate.rate.peek(&self.counts.all[place].1, self.now_ns),
            _ => self.counts.each.peek(&rate.rate, self.tag(rate), self.now_ns),
        }
    }

    fn take(&self, rate: &GuardRate) -> Result<(), Level> {
        match rate.per {
            Counted::All(place) => rate.rate.take(&self.counts.all[place].1, self.now_ns).map(drop),
            _ => self.counts.each.take(&rate.rate, self.tag(rate), self.now_ns),
        }
    }

    fn undo(&self, rate: &GuardRate) {
        match rate.per {
            Counted::All(place) => rate.rate.undo(&self.counts.all[place].1),
            _ => self.counts.each.undo(&rate.rate, self.tag(rate)),
        }
    }
}

impl Guard {
    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.rates.is_empty()
    }

    /// Whether calls may come from there.
    pub(crate) fn check_networks(&self, whence: &dyn Whence) -> Result<(), Denial> {
        if self.networks.is_empty() {
            return Ok(());
        }
        let address = whence.address();
        let is_in = |networks: &[Network]| {
            address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
        };
        match self.networks.iter().find(|(_, networks)| !is_in(networks)) {
            Some((scope, _)) => Err(Denial::AddressNotAllowed(Some(*scope))),
            None => Ok(()),
        }
    }

    /// The rate that refuses a call now, nothing taken: among several the one that opens last.
    pub(crate) fn look(&self, counting: Counting<'_>) -> Option<LimitHit> {
        let levels = self.rates.iter().map(|rate| (rate, counting.peek(rate)));
        let reached = levels.filter(|(_, level)| level.remaining == 0);
        reached.max_by_key(|(_, level)| level.next_ns).map(|(rate, level)| rate.hit(level))
    }

    /// Takes a call from every rate, or from none.
    ///
    /// # Errors
    /// The rate of which another call took the last one meanwhile.
    pub(crate) fn take(&self, counting: Counting<'_>) -> Result<(), LimitHit> {
        for (taken, rate) in self.rates.iter().enumerate() {
            if let Err(level) = counting.take(rate) {
                self.rates[..taken].iter().for_each(|earlier| counting.undo(earlier));
                return Err(rate.hit(level));
            }
        }
        Ok(())
    }

    /// Gives back what a call took.
    pub(crate) fn undo(&self, counting: Counting<'_>) {
        self.rates.iter().for_each(|rate| counting.undo(rate));
    }
}

impl GuardRate {
    fn hit(&self, level: Level) -> LimitHit {
        LimitHit {
            name: Arc::clone(&self.name),
            scope: self.scope,
            amount: self.amount,
            period: self.period,
            visible: true,
            retry_after_s: level.next_ns.div_ceil(1_000_000_000).max(1),
        }
    }
}

#[cfg(test)]
mod tests;
