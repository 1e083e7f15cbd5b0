//! Who may call: keys, their applications and their meters, updated one application at a time while calls go on.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subtle::ConstantTimeEq;
use tollgate_domain::{
    ApplicationId, ConsumerApplication, ConsumerCredential, ConsumerSubscription, CredentialId, Environment,
    Limit, OrganizationId, PlanId, ProductId, SubscriptionId,
};

use crate::key::{ParsedKey, Peppers};
use crate::quota::{Month, QuotaMeter};
use crate::snapshot::IdHasher;

type Map<K, V> = papaya::HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Every key that opens something, and every application that holds one.
///
/// Reading takes no lock. Writers take one, among themselves. Meters belong to the subscription and outlive every
/// replacement of it, also a removal in between.
pub struct Consumers {
    peppers: Peppers,
    credentials: papaya::HashMap<DigestHead, Entry, BuildHasherDefault<HeadHasher>>,
    applications: Map<ApplicationId, Arc<Application>>,
    /// Meters of keys, made on the first call under a limit per key.
    credential_meters: Map<CredentialId, Arc<RateCells>>,
    /// Meters of subscriptions that were removed after they had counted something this month.
    parked: Map<SubscriptionId, Arc<Meters>>,
    writers: Mutex<()>,
}

/// The first half of a digest. It is uniform and keyed by the pepper, so it is its own hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DigestHead([u64; 2]);

impl Hash for DigestHead {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

#[derive(Default)]
struct HeadHasher(u64);

impl Hasher for HeadHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// One key: 48 bytes beside its head, for there may be a million.
struct Entry {
    /// The second half of the digest, compared in constant time.
    tail: [u8; 16],
    id: CredentialId,
    application: Arc<Application>,
    /// Unix seconds; [`NEVER`] where it does not expire.
    expires_at_s: u32,
    pepper_version: i16,
    environment: Environment,
}

const NEVER: u32 = u32::MAX;

/// An application as the gateway knows it.
#[derive(Debug)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// The tenant that owns it.
    pub organization_id: OrganizationId,
    /// Its subscriptions, suspended ones included.
    pub subscriptions: Box<[Subscription]>,
    keys: Box<[DigestHead]>,
}

/// An application's standing on a plan.
#[derive(Debug)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// The product that it opens.
    pub product_id: ProductId,
    /// On which terms.
    pub plan_id: PlanId,
    /// Whether its calls are refused.
    pub suspended: bool,
    pub(crate) meters: Arc<Meters>,
}

pub(crate) type RateCells = [AtomicU64; Limit::RATES_PER_PLAN_MAX];

/// What is counted of one subscription.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(crate) rates: RateCells,
    pub(crate) quota: QuotaMeter,
}

/// A key that was found.
#[derive(Debug)]
pub struct Found {
    /// Its id.
    pub credential_id: CredentialId,
    /// Live or test.
    pub environment: Environment,
    /// Whose it is.
    pub application: Arc<Application>,
    expires_at_s: u32,
}

impl Found {
    /// Whether its expiry has come.
    #[must_use]
    pub const fn is_expired(&self, now_ns: u64) -> bool {
        self.expires_at_s != NEVER && now_ns / 1_000_000_000 >= self.expires_at_s as u64
    }
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Applications.
    pub applications: usize,
    /// Keys.
    pub credentials: usize,
}

impl Consumers {
    /// None yet; keys will be recognised under these peppers.
    #[must_use]
    pub fn new(peppers: Peppers) -> Self {
        Self {
            peppers,
            credentials: papaya::HashMap::default(),
            applications: Map::default(),
            credential_meters: Map::default(),
            parked: Map::default(),
            writers: Mutex::new(()),
        }
    }

    /// Finds a key: under the current pepper first, then under the older ones.
    #[must_use]
    pub fn find(&self, key: &ParsedKey<'_>) -> Option<Found> {
        let credentials = self.credentials.pin();
        self.peppers.digests(key.text()).find_map(|digest| {
            let (head, tail) = split(&digest);
            let entry = credentials.get(&head)?;
            bool::from(entry.tail.ct_eq(&tail)).then(|| Found {
                credential_id: entry.id,
                environment: entry.environment,
                application: Arc::clone(&entry.application),
                expires_at_s: entry.expires_at_s,
            })
        })
    }

    /// Puts an application in the place of what was known of it. Keys it no longer lists open nothing from now on;
    /// calls that were already decided go on.
    pub fn replace(&self, application: ConsumerApplication) {
        let writers = self.lock();
        self.replace_locked(application, &writers);
    }

    /// Forgets an application and its keys.
    pub fn remove(&self, id: ApplicationId) {
        let writers = self.lock();
        self.remove_locked(id, &writers);
    }

    /// Puts these applications in the place of all that were known; keys that stay open never close in between.
    pub fn replace_all(&self, applications: impl IntoIterator<Item = ConsumerApplication>) {
        let writers = self.lock();
        let mut listed = std::collections::HashSet::new();
        for application in applications {
            listed.insert(application.id);
            self.replace_locked(application, &writers);
        }
        let known = self.applications.pin();
        let gone: Vec<ApplicationId> = known.keys().copied().filter(|id| !listed.contains(id)).collect();
        for id in gone {
            self.remove_locked(id, &writers);
        }
    }

    /// How many are known.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { applications: self.applications.len(), credentials: self.credentials.len() }
    }

    /// Visits every application in the form it came in: for the snapshot on disk.
    pub fn for_each(&self, mut visit: impl FnMut(ConsumerApplication)) {
        let credentials = self.credentials.pin();
        for application in self.applications.pin().values() {
            let listed = application.keys.iter().filter_map(|head| {
                let entry = credentials.get(head).filter(|entry| entry.application.id == application.id)?;
                Some(ConsumerCredential {
                    id: entry.id,
                    environment: entry.environment,
                    digest: join(*head, entry.tail),
                    pepper_version: entry.pepper_version,
                    expires_at: (entry.expires_at_s != NEVER).then_some(i64::from(entry.expires_at_s)),
                })
            });
            visit(ConsumerApplication {
                id: application.id,
                organization_id: application.organization_id,
                credentials: listed.collect(),
                subscriptions: application
                    .subscriptions
                    .iter()
                    .map(|subscription| ConsumerSubscription {
                        id: subscription.id,
                        product_id: subscription.product_id,
                        plan_id: subscription.plan_id,
                        suspended: subscription.suspended,
                    })
                    .collect(),
            });
        }
    }

    /// Sets what other processes, an earlier life of this one included, charged to a subscription in a month.
    /// False where the subscription is not known.
    pub fn set_quota_others(&self, of: ApplicationId, id: SubscriptionId, month: Month, count: u64) -> bool {
        let applications = self.applications.pin();
        let known = applications.get(&of).and_then(|application| {
            application.subscriptions.iter().find(|subscription| subscription.id == id)
        });
        known.inspect(|subscription| subscription.meters.quota.set_others(month, count)).is_some()
    }

    /// Charged calls that this process counted for a subscription in a month.
    #[must_use]
    pub fn quota_own(&self, of: ApplicationId, id: SubscriptionId, month: Month) -> Option<u64> {
        let applications = self.applications.pin();
        let subscription = applications.get(&of)?.subscriptions.iter().find(|known| known.id == id)?;
        let (counted, count) = subscription.meters.quota.own();
        Some(if counted == month { count } else { 0 })
    }

    /// Forgets the meters of removed subscriptions whose month is over, and of keys that are gone.
    pub fn purge(&self, now_ns: u64) {
        let _writers = self.lock();
        let month = Month::at(now_ns);
        self.parked.pin().retain(|_, meters| meters.quota.own().0 >= month);
        let mut live = std::collections::HashSet::new();
        let credentials = self.credentials.pin();
        live.extend(credentials.values().map(|entry| entry.id));
        self.credential_meters.pin().retain(|id, _| live.contains(id));
    }

    /// The cells of one key, for limits that each key has for itself.
    pub(crate) fn credential_cells(&self, id: CredentialId) -> Arc<RateCells> {
        let meters = self.credential_meters.pin();
        match meters.get(&id) {
            Some(cells) => Arc::clone(cells),
            None => Arc::clone(meters.get_or_insert_with(id, Arc::default)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // The lock guards no value; what a writer that panicked left is repaired by the next replacement.
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace_locked(&self, row: ConsumerApplication, _: &MutexGuard<'_, ()>) {
        let applications = self.applications.pin();
        let credentials = self.credentials.pin();
        let before = applications.get(&row.id).cloned();
        let subscriptions = row
            .subscriptions
            .iter()
            .map(|subscription| Subscription {
                id: subscription.id,
                product_id: subscription.product_id,
                plan_id: subscription.plan_id,
                suspended: subscription.suspended,
                meters: self.meters_for(before.as_deref(), subscription.id),
            })
            .collect();
        let application = Arc::new(Application {
            id: row.id,
            organization_id: row.organization_id,
            subscriptions,
            keys: row.credentials.iter().map(|credential| split(&credential.digest).0).collect(),
        });
        // The application first: its subscriptions must be found by id as soon as a key of it is accepted.
        applications.insert(row.id, Arc::clone(&application));
        for credential in row.credentials {
            let (head, tail) = split(&credential.digest);
            let entry = Entry {
                tail,
                id: credential.id,
                application: Arc::clone(&application),
                expires_at_s: credential
                    .expires_at
                    .map_or(NEVER, |at| at.clamp(0, i64::from(NEVER) - 1) as u32),
                pepper_version: credential.pepper_version,
                environment: credential.environment,
            };
            credentials.insert(head, entry);
        }
        if let Some(before) = before {
            self.drop_keys(&before, &application.keys);
            self.park(&before, &application.subscriptions);
        }
    }

    fn remove_locked(&self, id: ApplicationId, _: &MutexGuard<'_, ()>) {
        let applications = self.applications.pin();
        if let Some(before) = applications.remove(&id).cloned() {
            self.drop_keys(&before, &[]);
            self.park(&before, &[]);
        }
    }

    fn drop_keys(&self, before: &Application, kept: &[DigestHead]) {
        let credentials = self.credentials.pin();
        for head in before.keys.iter().filter(|head| !kept.contains(head)) {
            // Unless the key has moved to another application meanwhile.
            let removed = credentials.remove_if(head, |_, entry| entry.application.id == before.id);
            if let Ok(Some((_, entry))) = removed {
                self.credential_meters.pin().remove(&entry.id);
            }
        }
    }

    /// Keeps what removed subscriptions counted: a limit must not open by leaving and coming back.
    fn park(&self, before: &Application, kept: &[Subscription]) {
        for subscription in &before.subscriptions {
            let stays = kept.iter().any(|other| other.id == subscription.id);
            if !stays && subscription.meters.quota.own().1 > 0 {
                self.parked.pin().insert(subscription.id, Arc::clone(&subscription.meters));
            }
        }
    }

    fn meters_for(&self, before: Option<&Application>, id: SubscriptionId) -> Arc<Meters> {
        before
            .and_then(|application| application.subscriptions.iter().find(|known| known.id == id))
            .map(|known| Arc::clone(&known.meters))
            .or_else(|| self.parked.pin().remove(&id).cloned())
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for Consumers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumers").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

fn split(digest: &[u8; 32]) -> (DigestHead, [u8; 16]) {
    let word = |at: usize| {
        let mut bytes = [0u8; 8];
        bytes.copy_from_slice(&digest[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let mut tail = [0u8; 16];
    tail.copy_from_slice(&digest[16..]);
    (DigestHead([word(0), word(8)]), tail)
}

fn join(head: DigestHead, tail: [u8; 16]) -> [u8; 32] {
    let mut digest = [0u8; 32];
    digest[..8].copy_from_slice(&head.0[0].to_le_bytes());
    digest[8..16].copy_from_slice(&head.0[1].to_le_bytes());
    digest[16..].copy_from_slice(&tail);
    digest
}

#[cfg(test)]
mod tests;
