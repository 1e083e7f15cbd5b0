//! One shard of the applications: 40 bytes for each, 20 for each subscription, 4 for each key.
//!
//! An application keeps its slot for as long as it is known, because its keys name it by its slot.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use tollgate_domain::{
    ApplicationId, ConsumerApplication, ConsumerCredential, ConsumerSubscription, OrganizationId,
    SubscriptionId,
};
use uuid::Uuid;

use super::accounts::{Account, Owner};
use super::keys::Tag;
use super::terms::Terms;

/// An application; a slot that nobody has holds the nil id.
#[derive(Clone, Copy)]
struct Row {
    id: ApplicationId,
    organization_id: OrganizationId,
    /// Its subscriptions and keys begin where those of the slot before end.
    subscriptions_end: u32,
    keys_end: u32,
}

/// A subscription.
#[derive(Debug, Clone, Copy)]
pub(super) struct SubscriptionRow {
    pub(super) id: SubscriptionId,
    /// The number of its product and plan, and why its calls are refused.
    marks: u32,
}

const SUSPENDED: u32 = 1 << 31;
const UNPAID: u32 = 1 << 30;

impl SubscriptionRow {
    pub(super) const fn new(id: SubscriptionId, terms: u32, suspended: bool, unpaid: bool) -> Self {
        let terms = if suspended { terms | SUSPENDED } else { terms };
        Self { id, marks: if unpaid { terms | UNPAID } else { terms } }
    }

    pub(super) const fn terms(self) -> u32 {
        self.marks & !(SUSPENDED | UNPAID)
    }

    pub(super) const fn is_unpaid(self) -> bool {
        self.marks & UNPAID != 0
    }

    pub(super) const fn is_suspended(self) -> bool {
        self.marks & SUSPENDED != 0
    }
}

/// What an application is replaced by.
pub(super) struct NewApplication {
    pub(super) id: ApplicationId,
    pub(super) organization_id: OrganizationId,
    pub(super) subscriptions: Vec<SubscriptionRow>,
    /// The first bits of its keys' tags, each once.
    pub(super) keys: Vec<u32>,
}

type Cached = OnceLock<Arc<Account>>;

/// Some of the applications.
#[derive(Default)]
pub(super) struct ApplicationShard {
    rows: Box<[Row]>,
    subscriptions: Box<[SubscriptionRow]>,
    keys: Box<[u32]>,
    /// Accounts of the subscriptions that called; nothing where none did.
    accounts: OnceLock<Box<[Cached]>>,
}

impl ApplicationShard {
    fn is_taken(&self, slot: usize) -> bool {
        self.rows.get(slot).is_some_and(|row| row.id.uuid() != Uuid::nil())
    }

    /// Slots that somebody has.
    pub(super) fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.rows.len()).filter(|slot| self.is_taken(*slot))
    }

    /// Slots that nobody has, without end.
    pub(super) fn free_slots(&self) -> impl Iterator<Item = usize> + '_ {
        (0..).filter(|slot| !self.is_taken(*slot))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ApplicationId> + '_ {
        self.slots().map(|slot| self.rows[slot].id)
    }

    pub(super) fn slot_of(&self, id: ApplicationId) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id)
    }

    /// Organization and id of the application in a slot that somebody has.
    pub(super) fn owner(&self, slot: usize) -> (OrganizationId, ApplicationId) {
        (self.rows[slot].organization_id, self.rows[slot].id)
    }

    fn range(&self, slot: usize, end: impl Fn(&Row) -> u32) -> std::ops::Range<usize> {
        let Some(row) = self.rows.get(slot) else { return 0..0 };
        let from = slot.checked_sub(1).map_or(0, |before| end(&self.rows[before]));
        from as usize..end(row) as usize
    }

    /// The subscriptions of an application, with their places.
    pub(super) fn subscriptions_of(
        &self,
        slot: usize,
    ) -> impl Iterator<Item = (usize, SubscriptionRow)> + '_ {
        self.range(slot, |row| row.subscriptions_end).map(|place| (place, self.subscriptions[place]))
    }

    /// The first bits of the tags of an application's keys.
    pub(super) fn keys_of(&self, slot: usize) -> &[u32] {
        &self.keys[self.range(slot, |row| row.keys_end)]
    }

    /// The account of the subscription at a place; it is asked for once.
    pub(super) fn account(
        &self,
        slot: usize,
        place: usize,
        account: impl FnOnce(Owner) -> Arc<Account>,
    ) -> Arc<Account> {
        let all = self.accounts.get_or_init(|| self.subscriptions.iter().map(|_| OnceLock::new()).collect());
        let cached = all[place].get_or_init(|| {
            let (organization_id, application_id) = self.owner(slot);
            account(Owner { organization_id, application_id, subscription_id: self.subscriptions[place].id })
        });
        Arc::clone(cached)
    }

    /// A copy that has forgotten the accounts that are idle; none where there are none.
    pub(super) fn without_accounts(&self, idle: impl Fn(&Account) -> bool) -> Option<Self> {
        let accounts = self.accounts.get()?;
        accounts.iter().any(|cached| cached.get().is_some_and(|account| idle(account))).then(|| {
            let kept = accounts.iter().map(|cached| cached.get().filter(|account| !idle(account)));
            let kept: Vec<Cached> =
                kept.map(|account| account.cloned().map_or_else(OnceLock::new, Into::into)).collect();
            Self {
                rows: self.rows.clone(),
                subscriptions: self.subscriptions.clone(),
                keys: self.keys.clone(),
                accounts: cached(kept),
            }
        })
    }

    /// A copy with some slots filled anew, or left.
    pub(super) fn with(&self, changes: &BTreeMap<usize, Option<NewApplication>>) -> Self {
        let len = changes.keys().next_back().map_or(0, |last| last + 1).max(self.rows.len());
        let mut new = Growing { rows: Vec::with_capacity(len), ..Growing::default() };
        for slot in 0..len {
            match changes.get(&slot) {
                Some(Some(application)) => {
                    let before = self.subscriptions_of(slot).filter(|_| self.is_taken(slot));
                    let before: Vec<_> = before.map(|(place, row)| (row.id, place)).collect();
                    let account = |id| {
                        before
                            .iter()
                            .find(|(known, _)| *known == id)
                            .and_then(|(_, place)| self.cached(*place))
                    };
                    let subscriptions = application.subscriptions.iter().map(|row| (*row, account(row.id)));
                    new.push((application.id, application.organization_id), subscriptions, &application.keys);
                }
                None if self.is_taken(slot) => {
                    let row = &self.rows[slot];
                    let subscriptions =
                        self.subscriptions_of(slot).map(|(place, row)| (row, self.cached(place)));
                    new.push((row.id, row.organization_id), subscriptions, self.keys_of(slot));
                }
                None | Some(None) => new.push((Uuid::nil().into(), Uuid::nil().into()), [], &[]),
            }
        }
        new.finish()
    }

    fn cached(&self, place: usize) -> Option<&Arc<Account>> {
        self.accounts.get()?.get(place)?.get()
    }

    /// An application in the form it came in.
    pub(super) fn application(
        &self,
        slot: usize,
        credentials: Vec<ConsumerCredential>,
        terms: &Terms,
    ) -> ConsumerApplication {
        let row = &self.rows[slot];
        let subscriptions = self.subscriptions_of(slot).map(|(_, row)| {
            let (product_id, plan_id) = terms.get(row.terms());
            let (suspended, unpaid) = (row.is_suspended(), row.is_unpaid());
            ConsumerSubscription { id: row.id, product_id, plan_id, suspended, unpaid }
        });
        ConsumerApplication {
            id: row.id,
            organization_id: row.organization_id,
            credentials,
            subscriptions: subscriptions.collect(),
        }
    }
}

/// A shard that is being written.
#[derive(Default)]
struct Growing {
    rows: Vec<Row>,
    subscriptions: Vec<SubscriptionRow>,
    keys: Vec<u32>,
    accounts: Vec<Cached>,
}

impl Growing {
    fn push<'a>(
        &mut self,
        (id, organization_id): (ApplicationId, OrganizationId),
        subscriptions: impl IntoIterator<Item = (SubscriptionRow, Option<&'a Arc<Account>>)>,
        keys: &[u32],
    ) {
        for (row, account) in subscriptions {
            if let Some(account) = account {
                self.accounts.resize_with(self.subscriptions.len(), OnceLock::new);
                self.accounts.push(Cached::from(Arc::clone(account)));
            }
            self.subscriptions.push(row);
        }
        self.keys.extend_from_slice(keys);
        let (subscriptions_end, keys_end) = (self.subscriptions.len() as u32, self.keys.len() as u32);
        self.rows.push(Row { id, organization_id, subscriptions_end, keys_end });
    }

    fn finish(mut self) -> ApplicationShard {
        while self.rows.pop_if(|row| row.id.uuid() == Uuid::nil()).is_some() {}
        if !self.accounts.is_empty() {
            self.accounts.resize_with(self.subscriptions.len(), OnceLock::new);
        }
        ApplicationShard {
            rows: self.rows.into(),
            subscriptions: self.subscriptions.into(),
            keys: self.keys.into(),
            accounts: cached(self.accounts),
        }
    }
}

fn cached(accounts: Vec<Cached>) -> OnceLock<Box<[Cached]>> {
    match accounts.iter().any(|account| account.get().is_some()) {
        true => OnceLock::from(accounts.into_boxed_slice()),
        false => OnceLock::new(),
    }
}

impl NewApplication {
    pub(super) fn new(
        row: &ConsumerApplication,
        mut terms: impl FnMut(&ConsumerSubscription) -> u32,
    ) -> Self {
        let subscriptions = row.subscriptions.iter();
        let mut keys: Vec<u32> = row.credentials.iter().map(|key| Tag::from(key.tag).prefix()).collect();
        keys.sort_unstable();
        keys.dedup();
        Self {
            id: row.id,
            organization_id: row.organization_id,
            subscriptions: subscriptions
                .map(|row| SubscriptionRow::new(row.id, terms(row), row.suspended, row.unpaid))
                .collect(),
            keys,
        }
    }
}
