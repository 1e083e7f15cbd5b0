//! Who calls: found by the key that is shown, or known from the call before.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::{Call, Consumer, Holder, Matched};
use crate::consumers::{Consumers, Found, Opening, RateCells};
use crate::denial::Denial;
use crate::key;
use crate::policies::Counting;
use crate::snapshot::{Route, Snapshot};

/// Room for every key of ours; longer ones that were made elsewhere are looked up each time.
const KEY_WORDS: usize = key::KEY_LEN_MAX.div_ceil(size_of::<u64>());

/// Who a connection's last admitted call was, so that the next one with the same key need not be looked up.
///
/// It counts only while the configuration, all keys and all applications are as they were: a key that was revoked is
/// looked up, and not found. What holds for single calls is never kept: keys that are held to addresses, origins or
/// operations, and the portal's grants.
#[derive(Default)]
pub struct Familiar(Option<Box<Known>>);

struct Known {
    /// The key as it was shown, with zeros behind.
    key: [u64; KEY_WORDS],
    state: State,
    api: u32,
    /// Unix seconds.
    expires_at_s: u64,
    caller: Caller,
}

/// What was known when a call began: equal ones know the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    snapshot: u64,
    consumers: u64,
}

/// A caller on one of its subscriptions, which may be served.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) consumer: Consumer,
    /// Its terms, by their place in the snapshot.
    pub(super) plan: u32,
    /// What limits that each key has for itself are counted on, where there may be such.
    pub(super) of_key: Option<Arc<RateCells>>,
}

/// Why nobody is served, and what is known of who called. In a box: it is large, and rare.
pub(super) struct Unserved {
    pub(super) denial: Denial,
    pub(super) holder: Option<Holder>,
    pub(super) consumer: Option<Consumer>,
}

impl Caller {
    /// As policies count it.
    pub(super) fn counting<'s>(&self, snapshot: &'s Snapshot, now_ns: u64) -> Counting<'s> {
        let Consumer { credential_id, .. } = self.consumer;
        Counting::new(&snapshot.policy_counts, self.consumer.subscription_id(), credential_id, now_ns)
    }
}

impl Unserved {
    fn new(denial: Denial, holder: Option<Holder>) -> Box<Self> {
        Box::new(Self { denial, holder, consumer: None })
    }
}

impl Familiar {
    /// Who calls an API that was matched.
    pub(super) fn caller_of(
        &mut self,
        call: &Call<'_>,
        matched: &Matched,
        consumers: &Consumers,
        now_ns: u64,
    ) -> Result<Caller, Box<Unserved>> {
        // Before anything is looked up: what changes meanwhile makes it count no longer.
        let state = State { snapshot: matched.snapshot.serial, consumers: consumers.state() };
        let (api, shown) = (matched.route().api, call.credential.and_then(words));
        if let (Some(known), Some(shown)) = (&self.0, &shown)
            && known.state == state
            && known.api == api
            && now_ns / 1_000_000_000 < known.expires_at_s
            && bool::from(known.key.ct_eq(shown))
        {
            return Ok(known.caller.clone());
        }
        let (found, caller) = recognise(call, matched, consumers, now_ns)?;
        if let (Some(key), false) = (shown, found.is_restricted() || found.is_granted()) {
            let expires_at_s = found.expires_at_s().unwrap_or(u64::MAX);
            let known = Known { key, state, api, expires_at_s, caller: caller.clone() };
            match &mut self.0 {
                Some(before) => **before = known,
                None => self.0 = Some(Box::new(known)),
            }
        }
        Ok(caller)
    }
}

impl fmt::Debug for Familiar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Familiar(somebody)" } else { "Familiar(nobody)" })
    }
}

/// A key as it is compared: in constant time. No key has a zero byte, so that none is the beginning of another.
fn words(key: &[u8]) -> Option<[u64; KEY_WORDS]> {
    let mut bytes = [0; KEY_WORDS * size_of::<u64>()];
    bytes.get_mut(..key.len())?.copy_from_slice(key);
    let (words, _) = bytes.as_chunks();
    Some(std::array::from_fn(|at| u64::from_ne_bytes(words[at])))
}

/// Looks the caller up, in the order: key, rules of the key, entitlement, standing of the subscription.
pub(super) fn recognise(
    call: &Call<'_>,
    matched: &Matched,
    consumers: &Consumers,
    now_ns: u64,
) -> Result<(Found, Caller), Box<Unserved>> {
    let (snapshot, api) = (&matched.snapshot, matched.api());
    let found = identify(consumers, call.credential, matched.route(), now_ns)?;
    let holder = Some(Holder::from(&found));
    if found.is_restricted() {
        let names = &snapshot.names[matched.index()];
        let allowed = consumers.check_rules(&found, &api.slug, names, call.whence);
        allowed.map_err(|denial| Unserved::new(denial, holder))?;
    }
    let Some(opening) = consumers.opening(&found, &api.product_ids) else {
        return Err(Unserved::new(Denial::NotEntitled, holder));
    };
    let consumer = consumer_of(consumers, &found, &opening);
    match plan_of(snapshot, &opening, api.is_broken) {
        Ok(plan) => {
            let of_key = snapshot.limits_keys(plan).then(|| consumers.key_cells(&found));
            Ok((found, Caller { consumer, plan, of_key }))
        }
        Err(denial) => Err(Box::new(Unserved { denial, holder, consumer: Some(consumer) })),
    }
}

/// The terms that an opening is served under.
fn plan_of(snapshot: &Snapshot, opening: &Opening, is_broken: bool) -> Result<u32, Denial> {
    if opening.suspended {
        return Err(Denial::SubscriptionSuspended);
    }
    if opening.unpaid {
        return Err(Denial::PaymentRequired);
    }
    if is_broken {
        return Err(Denial::ConfigInvalid);
    }
    snapshot.plan_index(opening.plan_id).ok_or_else(|| match snapshot.is_broken(opening.plan_id) {
        true => Denial::ConfigInvalid,
        // The consumer came with a revision that this gateway has not compiled yet.
        false => Denial::NotReady,
    })
}

/// Finds the key that was shown.
pub(super) fn identify(
    consumers: &Consumers,
    credential: Option<&[u8]>,
    route: &Route,
    now_ns: u64,
) -> Result<Found, Box<Unserved>> {
    let text = credential.ok_or_else(|| Unserved::new(Denial::MissingCredential, None))?;
    let invalid = || Unserved::new(Denial::InvalidCredential, None);
    let text = std::str::from_utf8(text).map_err(|_| invalid())?;
    let found = match key::parse(text) {
        Ok(key) => consumers.find(&key),
        // What is no key may be the portal's leave to call as one.
        Err(_) => consumers.find_granted(text, route.id, now_ns),
    };
    let found = found.or_else(|| consumers.find_imported(text)).ok_or_else(invalid)?;
    if found.is_expired(now_ns) {
        return Err(Unserved::new(Denial::ExpiredCredential, Some(Holder::from(&found))));
    }
    Ok(found)
}

fn consumer_of(consumers: &Consumers, found: &Found, opening: &Opening) -> Consumer {
    Consumer {
        account: consumers.account(found, opening),
        credential_id: found.credential_id(),
        environment: found.environment(),
        plan_id: opening.plan_id,
    }
}

#[cfg(test)]
mod tests;
