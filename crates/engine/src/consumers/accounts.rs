//! What is counted of subscriptions and keys, and remembered for as long as it says anything.
//!
//! The tables of [`super::Consumers`] cache what lies here. A lock is taken where the cache is empty: at the first
//! call after a start, and after the subscription's last account had nothing left to tell.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tollgate_domain::{ApplicationId, ID_TEXT_LEN, OrganizationId, SubscriptionId};

use super::CELLS;
use crate::lease::{self, LeaseCell};
use crate::quota::{Month, QuotaMeter};
use crate::snapshot::IdHasher;

/// One number per rate limit.
pub(crate) type RateCells = [AtomicU64; CELLS];

/// Whether every rate is whole again, so that these cells say no more than new ones.
pub(super) fn is_spent(cells: &RateCells, now_ns: u64) -> bool {
    cells.iter().all(|cell| cell.load(Ordering::Relaxed) <= now_ns)
}

/// Whose account it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) organization_id: OrganizationId,
    pub(crate) application_id: ApplicationId,
    pub(crate) subscription_id: SubscriptionId,
}

/// What a subscription that calls needs at every call. One that never calls has none.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) owner: Owner,
    /// Ids as upstreams are told them, written once.
    pub(crate) organization: [u8; ID_TEXT_LEN],
    pub(crate) application: [u8; ID_TEXT_LEN],
    pub(crate) subscription: [u8; ID_TEXT_LEN],
    pub(crate) rates: RateCells,
    pub(crate) quota: QuotaMeter,
    leases: OnceLock<Box<[LeaseCell; lease::CELLS]>>,
}

impl Account {
    fn new(owner: Owner) -> Self {
        Self {
            owner,
            organization: owner.organization_id.text(),
            application: owner.application_id.text(),
            subscription: owner.subscription_id.text(),
            rates: RateCells::default(),
            quota: QuotaMeter::default(),
            leases: OnceLock::new(),
        }
    }

    /// What is left of a leased budget.
    pub(crate) fn lease(&self, cell: usize) -> &LeaseCell {
        // A plan has no more leased budgets than there are cells.
        &self.leases.get_or_init(Box::default)[cell % lease::CELLS]
    }

    /// The leases that were looked at.
    pub(super) fn leases(&self) -> &[LeaseCell] {
        self.leases.get().map_or(&[], |leases| &leases[..])
    }

    /// Whether a new one would say the same.
    pub(super) fn is_idle(&self, month: Month, now_ns: u64) -> bool {
        let (counted, count) = self.quota.own();
        (count == 0 || counted < month)
            && is_spent(&self.rates, now_ns)
            && self.leases().iter().all(|lease| lease.is_idle(now_ns / 1_000_000_000))
    }
}

/// What is known of a subscription's use.
#[derive(Default)]
pub(super) struct Held {
    /// Charged elsewhere.
    others: QuotaMeter,
    account: Option<Arc<Account>>,
}

impl Held {
    /// The one account of the subscription; it is made where there is none.
    pub(super) fn account(&mut self, owner: Owner) -> Arc<Account> {
        let account = self.account.get_or_insert_with(|| {
            let account = Account::new(owner);
            let (month, count) = self.others.others();
            account.quota.set_others(month, count);
            Arc::new(account)
        });
        Arc::clone(account)
    }

    pub(super) fn set_others(&mut self, month: Month, count: u64) {
        self.others.set_others(month, count);
        if let Some(account) = &self.account {
            account.quota.set_others(month, count);
        }
    }

    /// The account, where there is one.
    pub(super) fn known(&self) -> Option<&Account> {
        self.account.as_deref()
    }

    #[cfg(test)]
    pub(super) fn own(&self, month: Month) -> u64 {
        let own = self.account.as_ref().map(|account| account.quota.own());
        own.filter(|(counted, _)| *counted == month).map_or(0, |(_, count)| count)
    }

    /// Lets go of an account that says nothing and that nobody has. Whether nothing is left at all.
    pub(super) fn is_idle(&mut self, month: Month, now_ns: u64) -> bool {
        // Who has an account got it from here, under the lock that the caller holds, or from a copy that is counted.
        self.account.take_if(|account| Arc::strong_count(account) == 1 && account.is_idle(month, now_ns));
        let (counted, count) = self.others.others();
        self.account.is_none() && (count == 0 || counted < month)
    }
}

/// Few enough to be cheap, enough that threads rarely meet.
const PARTS: usize = 256;

type Part<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// A map in parts with a lock each.
pub(super) struct Remembered<K, V>(Box<[Mutex<Part<K, V>>]>);

impl<K: Hash + Eq, V: Default> Remembered<K, V> {
    pub(super) fn new() -> Self {
        Self((0..PARTS).map(|_| Mutex::default()).collect())
    }

    /// Does something with the value of `id`, under the lock of its part; a new one where there is none.
    pub(super) fn with<R>(&self, id: K, act: impl FnOnce(&mut V) -> R) -> R {
        // High bits: the map itself uses the low ones.
        let part = BuildHasherDefault::<IdHasher>::default().hash_one(&id) >> 32;
        act(lock(&self.0[part as usize % PARTS]).entry(id).or_default())
    }

    /// Keeps what `keep` says.
    pub(super) fn retain(&self, mut keep: impl FnMut(&mut V) -> bool) {
        for part in &self.0 {
            let mut part = lock(part);
            part.retain(|_, value| keep(value));
            part.shrink_to_fit();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|part| lock(part).len()).sum()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every value is whole between two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
