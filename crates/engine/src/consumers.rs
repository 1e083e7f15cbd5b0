//! Who may call: keys, their applications and their accounts, updated one application at a time while calls go on.
//!
//! There may be a million of them, so they lie in sorted arrays without a pointer per key (docs/adr/0007): one table
//! of keys by digest, one of applications by id, each in 4,096 shards that are replaced whole. A reader takes no lock
//! and copies nothing; a change copies the few shards that it touches.

mod accounts;
mod applications;
mod change;
mod keys;
mod shards;
mod terms;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::Guard;
use tollgate_domain::{
    ApplicationId, ConsumerApplication, ConsumerCredential, CredentialId, Environment, Limit, OrganizationId,
    PlanId, ProductId, RouteId, SubscriptionId,
};

use crate::denial::Denial;
use crate::grant::Grant;
use crate::key::{ParsedKey, Peppers};
use crate::lease::{LeaseCell, key_of};
use crate::quota::Month;
use crate::rules::{Names, RulesOfShard, Whence};
pub(crate) use accounts::{Account, RateCells};
use accounts::{Held, Remembered, is_spent};
use applications::ApplicationShard;
use change::{Writer, shard_of};
use keys::{KeyRow, KeyShard, Place, Tag};
use shards::Shards;
use terms::Terms;

/// Every key that opens something, and every application that holds one.
///
/// Reading takes no lock, except at the first call of a subscription. Writers take one, among themselves. What is
/// counted belongs to the subscription and outlives every replacement of it, also a removal in between.
pub struct Consumers {
    peppers: Peppers,
    keys: Shards<KeyShard>,
    /// What keys are held to beside their plans, in the shards of the keys.
    rules: Shards<RulesOfShard>,
    /// Whether a key that was made elsewhere ever came: until then a text that is no key of ours is looked for nowhere.
    has_imported: AtomicBool,
    applications: Shards<ApplicationShard>,
    terms: Terms,
    accounts: Remembered<SubscriptionId, Held>,
    /// Meters of keys, made at the first call under a limit per key.
    key_meters: Remembered<CredentialId, Arc<RateCells>>,
    counts: (AtomicUsize, AtomicUsize),
    /// Moves on behind every change of a key or an application.
    state: AtomicU64,
    writer: Mutex<Writer>,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Applications.
    pub applications: usize,
    /// Keys.
    pub credentials: usize,
}

/// A key that was found, in the tables as they stood then.
pub(crate) struct Found {
    keys: Guard<Arc<KeyShard>>,
    key: usize,
    applications: Guard<Arc<ApplicationShard>>,
    application: usize,
    /// The portal calls with it, for whom it belongs to.
    is_granted: bool,
}

/// A subscription of a key's application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Its place in its shard.
    place: usize,
    pub(crate) plan_id: PlanId,
    pub(crate) suspended: bool,
    pub(crate) unpaid: bool,
}

impl Found {
    pub(crate) fn credential_id(&self) -> CredentialId {
        self.keys.row(self.key).id
    }

    pub(crate) fn environment(&self) -> Environment {
        self.keys.row(self.key).environment
    }

    /// Organization and application that hold it.
    pub(crate) fn owner(&self) -> (OrganizationId, ApplicationId) {
        self.applications.owner(self.application)
    }

    /// Whether it is held to rules of its own.
    pub(crate) fn is_restricted(&self) -> bool {
        self.keys.row(self.key).is_restricted()
    }

    /// Whether the portal calls with it.
    pub(crate) const fn is_granted(&self) -> bool {
        self.is_granted
    }

    /// Unix seconds; none where it does not expire.
    pub(crate) fn expires_at_s(&self) -> Option<u64> {
        self.keys.row(self.key).expires_at_s()
    }

    /// Whether its expiry has come.
    pub(crate) fn is_expired(&self, now_ns: u64) -> bool {
        self.keys.row(self.key).is_expired(now_ns / 1_000_000_000)
    }
}

impl Consumers {
    /// None yet; keys will be recognised under these peppers.
    #[must_use]
    pub fn new(peppers: Peppers) -> Self {
        Self {
            peppers,
            keys: Shards::new(),
            rules: Shards::new(),
            has_imported: AtomicBool::new(false),
            applications: Shards::new(),
            terms: Terms::default(),
            accounts: Remembered::new(),
            key_meters: Remembered::new(),
            counts: (AtomicUsize::new(0), AtomicUsize::new(0)),
            state: AtomicU64::new(0),
            writer: Mutex::default(),
        }
    }

    /// Names what is known now. As long as it stays the same, what was looked up after it was asked would be found again.
    pub(crate) fn state(&self) -> u64 {
        self.state.load(Ordering::Acquire)
    }

    /// Finds a key: under the current pepper first, then under the older ones.
    pub(crate) fn find(&self, key: &ParsedKey<'_>) -> Option<Found> {
        self.peppers.tags(key.text()).find_map(|tag| self.find_tag(Tag::from(tag), || ()))
    }

    /// Finds a key that was made elsewhere, and came as the SHA-256 of its text.
    pub(crate) fn find_imported(&self, text: &str) -> Option<Found> {
        if !self.has_imported.load(Ordering::Acquire) {
            return None;
        }
        self.peppers.imported_tags(text).find_map(|tag| self.find_tag(Tag::from(tag), || ()))
    }

    /// Whether a key that was found may be used for an operation, from there.
    pub(crate) fn check_rules(
        &self,
        found: &Found,
        api: &str,
        names: &Names,
        whence: &dyn Whence,
    ) -> Result<(), Denial> {
        let row = found.keys.row(found.key);
        let rules = self.rules.get(found.keys.shard_of(found.key));
        // They come before their key and go after it.
        let rules = rules.get(&row.id).ok_or(Denial::NotReady)?;
        rules.check(api, names, (!found.is_granted).then_some(whence))
    }

    /// `meanwhile` is where a test lets things change between the two tables.
    fn find_tag(&self, tag: Tag, mut meanwhile: impl FnMut()) -> Option<Found> {
        let mut keys = self.keys.get(tag.shard());
        loop {
            let key = keys.find(tag)?;
            let place = keys.row(key).application;
            meanwhile();
            let applications = self.applications.get(place.shard());
            // A place is given to another application only after the keys of the former one are gone. So as long as
            // the key still stands where it was found, the place is its application's.
            let keys_after = self.keys.get(tag.shard());
            if Arc::ptr_eq(&keys, &keys_after) {
                return Some(Found { keys, key, applications, application: place.slot(), is_granted: false });
            }
            keys = keys_after;
        }
    }

    /// The subscription of a key's application that opens one of these products: one whose calls are served where there
    /// is one, else a suspended or unpaid one.
    pub(crate) fn opening(&self, found: &Found, product_ids: &[ProductId]) -> Option<Opening> {
        let mut stopped = None;
        for (place, row) in found.applications.subscriptions_of(found.application) {
            let (product_id, plan_id) = self.terms.get(row.terms());
            if product_ids.contains(&product_id) {
                let (suspended, unpaid) = (row.is_suspended(), row.is_unpaid());
                let opening = Opening { place, plan_id, suspended, unpaid };
                if !suspended && !unpaid {
                    return Some(opening);
                }
                stopped = stopped.or(Some(opening));
            }
        }
        stopped
    }

    /// The account of a subscription.
    pub(crate) fn account(&self, found: &Found, opening: &Opening) -> Arc<Account> {
        found.applications.account(found.application, opening.place, |new| {
            self.accounts.with(new.subscription_id, |held| held.account(new))
        })
    }

    /// The cells of one key, for limits that each key has for itself.
    pub(crate) fn key_cells(&self, found: &Found) -> Arc<RateCells> {
        found.keys.cells(found.key, |id| self.key_meters.with(id, |cells| Arc::clone(cells)))
    }

    /// Finds the key that a grant speaks for, if the grant is for this route: a key that was revoked is not found.
    pub(crate) fn find_granted(&self, text: &str, route: RouteId, now_ns: u64) -> Option<Found> {
        let grant = Grant::open(text, &self.peppers, now_ns / 1_000_000_000)?;
        let shard = self.applications.get(shard_of(grant.application_id));
        let slot = shard.slot_of(grant.application_id).filter(|_| grant.route_id == route)?;
        let tag = shard.keys_of(slot).iter().find_map(|prefix| {
            let keys = self.keys.get(Tag::shard_of_prefix(*prefix));
            keys.with_prefix(*prefix).find(|(_, row)| row.id == grant.credential_id).map(|(tag, _)| tag)
        })?;
        // Found by its tag like any key, so that what changes meanwhile matters as little.
        let found = self.find_tag(tag, || ())?;
        let is_meant =
            found.credential_id() == grant.credential_id && found.owner().1 == grant.application_id;
        is_meant.then_some(Found { is_granted: true, ..found })
    }

    /// Puts an application in the place of what was known of it. Keys it no longer lists open nothing from now on;
    /// calls that were already decided go on.
    pub fn replace(&self, application: ConsumerApplication) {
        self.apply(vec![application], &[]);
    }

    /// Forgets an application and its keys.
    pub fn remove(&self, id: ApplicationId) {
        self.apply(Vec::new(), &[id]);
    }

    /// Puts applications in the place of what was known of them, and forgets others.
    pub fn apply(&self, present: Vec<ConsumerApplication>, gone: &[ApplicationId]) {
        self.apply_locked(present, |_| gone.to_vec(), &mut self.lock());
    }

    /// Puts these applications in the place of all that were known; keys that stay open never close in between.
    pub fn replace_all(&self, applications: impl IntoIterator<Item = ConsumerApplication>) {
        let all_known = |listed: &dyn Fn(ApplicationId) -> bool| {
            let known = self.applications.iter().flat_map(|shard| shard.ids().collect::<Vec<_>>());
            known.filter(|id| !listed(*id)).collect()
        };
        self.apply_locked(applications.into_iter().collect(), all_known, &mut self.lock());
    }

    /// Whether a caller that was admitted once would still be known: its key is there and has not expired, its
    /// subscription is there, not suspended and paid. For calls that last; looked up by ids, for the key is not kept.
    #[must_use]
    pub fn still_knows(
        &self,
        of: ApplicationId,
        credential: CredentialId,
        subscription: SubscriptionId,
        now_ns: u64,
    ) -> bool {
        let shard = change::shard_of(of);
        let applications = self.applications.get(shard);
        let Some(slot) = applications.slot_of(of) else { return false };
        let subscribed = applications
            .subscriptions_of(slot)
            .any(|(_, row)| row.id == subscription && !row.is_suspended() && !row.is_unpaid());
        let place = Place::new(shard, slot);
        subscribed
            && applications.keys_of(slot).iter().any(|prefix| {
                let keys = self.keys.get(Tag::shard_of_prefix(*prefix));
                keys.with_prefix(*prefix).any(|(_, row)| {
                    row.id == credential
                        && row.application == place
                        && !row.is_expired(now_ns / 1_000_000_000)
                })
            })
    }

    /// How many are known.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (applications, credentials) = &self.counts;
        Counts {
            applications: applications.load(Ordering::Relaxed),
            credentials: credentials.load(Ordering::Relaxed),
        }
    }

    /// Visits every application in the form it came in: for the snapshot on disk.
    pub fn for_each(&self, mut visit: impl FnMut(ConsumerApplication)) {
        for (index, shard) in self.applications.iter().enumerate() {
            for slot in shard.slots() {
                let place = Place::new(index, slot);
                let credentials = shard.keys_of(slot).iter().flat_map(|prefix| {
                    let keys = self.keys.get(Tag::shard_of_prefix(*prefix));
                    let of_it = keys.with_prefix(*prefix).filter(|(_, row)| row.application == place);
                    let rules = self.rules.get(Tag::shard_of_prefix(*prefix));
                    let restrictions =
                        |id: CredentialId| rules.get(&id).map(|rules| Box::new(rules.source().clone()));
                    let credential = |(tag, row): (Tag, &KeyRow)| ConsumerCredential {
                        restrictions: restrictions(row.id).filter(|_| row.is_restricted()),
                        ..row.credential(tag)
                    };
                    of_it.map(credential).collect::<Vec<ConsumerCredential>>()
                });
                visit(shard.application(slot, credentials.collect(), &self.terms));
            }
        }
    }

    /// Sets what other processes, an earlier life of this one included, charged to a subscription in a month; also
    /// of one that is not known yet.
    pub fn set_quota_others(&self, id: SubscriptionId, month: Month, count: u64) {
        self.accounts.with(id, |held| held.set_others(month, count));
    }

    /// Adds what the database granted of a leased budget; false where nobody is there to spend it.
    pub fn fill_lease(&self, id: SubscriptionId, lease: &NewLease<'_>) -> bool {
        self.accounts.with(id, |held| {
            let NewLease { cell, name, ends_s, granted, free, now_s } = *lease;
            let account = held.known();
            account
                .map(|account| account.lease(cell).fill(key_of(name), ends_s, granted, free, now_s))
                .is_some()
        })
    }

    /// Whoever of a subscription needs more may ask again.
    pub fn lease_was_asked(&self, id: SubscriptionId) {
        self.accounts.with(id, |held| {
            held.known().into_iter().flat_map(Account::leases).for_each(LeaseCell::ask_again);
        });
    }

    /// Units left of a lease.
    #[must_use]
    pub fn lease_left(&self, id: SubscriptionId, cell: usize) -> u64 {
        self.accounts.with(id, |held| held.known().map_or(0, |account| account.lease(cell).left()))
    }

    /// Takes back all that is left of a lease of the window that ends at `ends_s`, to hand it in.
    #[must_use]
    pub fn take_lease_back(&self, id: SubscriptionId, cell: usize, name: &str, ends_s: u64) -> u64 {
        let key = key_of(name);
        self.accounts
            .with(id, |held| held.known().map_or(0, |account| account.lease(cell).take_all(key, ends_s)))
    }

    /// Charged calls that this process counted for a subscription in a month.
    #[cfg(test)]
    pub(crate) fn quota_own(&self, id: SubscriptionId, month: Month) -> u64 {
        self.accounts.with(id, |held| held.own(month))
    }

    /// Forgets what tells nothing any more: counts of months that are over, rates that are whole again.
    pub fn purge(&self, now_ns: u64) {
        let _writers = self.lock();
        let month = Month::at(now_ns);
        self.applications
            .update_where(|shard| shard.without_accounts(|account| account.is_idle(month, now_ns)));
        self.accounts.retain(|held| !held.is_idle(month, now_ns));
        self.keys.update_where(|shard| shard.without_cells(|cells| is_spent(cells, now_ns)));
        self.key_meters.retain(|cells| Arc::strong_count(cells) > 1 || !is_spent(cells, now_ns));
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        // What a writer that panicked left is repaired by the next replacement.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Consumers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumers").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// What the database granted of a leased budget.
#[derive(Debug, Clone, Copy)]
pub struct NewLease<'n> {
    /// Its place among the leased quotas of the plan.
    pub cell: usize,
    /// Its name.
    pub name: &'n str,
    /// The end of its window in Unix seconds.
    pub ends_s: u64,
    /// Units granted.
    pub granted: u64,
    /// Units that nobody has.
    pub free: u64,
    /// The time of the answer in Unix seconds.
    pub now_s: u64,
}

/// One number per rate limit of a plan.
const CELLS: usize = Limit::RATES_PER_PLAN_MAX;

#[cfg(test)]
mod tests;
