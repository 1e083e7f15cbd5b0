//! One call, one decision: what the proxy asks, and what it gets to carry out.

mod caller;

use std::sync::Arc;

use bytes::Bytes;
use tollgate_domain::{
    ApplicationId, CredentialId, Environment, OrganizationId, Outcome, PlanId, SubscriptionId,
};

use crate::admission::{check_host, check_method, check_target};
use crate::consumers::{Account, Consumers, Found};
use crate::denial::Denial;
use crate::limits::{self, Cells, Levels, Takings};
use crate::rules::Whence;
use crate::snapshot::{Api, Plan, Route, RouteMatch, Service, Snapshot};
pub use caller::Familiar;
use caller::{Caller, Unserved, identify, recognise};

/// What a call says of itself, as it came: nothing decoded, nothing trimmed.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    /// The method.
    pub method: &'c str,
    /// `Host` or `:authority`.
    pub host: Option<&'c [u8]>,
    /// Path and query in origin form.
    pub target: &'c [u8],
    /// The key, without `Bearer`; see [`credential_of`].
    pub credential: Option<&'c [u8]>,
    /// Where it comes from, and its fields: asked only where something is held to that.
    pub whence: &'c dyn Whence,
}

/// The route that a call matched, in the snapshot it matched in.
#[derive(Debug, Clone)]
pub struct Matched {
    snapshot: Arc<Snapshot>,
    route: u32,
}

impl Matched {
    /// The snapshot that the call lives in to its end.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The route's place among [`Snapshot::routes`]: what is kept per route needs no map.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.route as usize
    }

    /// The route.
    #[must_use]
    pub fn route(&self) -> &Route {
        self.snapshot.route(self.route)
    }

    /// Its API.
    #[must_use]
    pub fn api(&self) -> &Api {
        self.snapshot.api_of(self.route())
    }

    /// Where the call goes.
    #[must_use]
    pub fn service(&self) -> &Service {
        self.snapshot.service_of(self.api())
    }
}

/// The identified caller on one of its subscriptions.
#[derive(Debug, Clone)]
pub struct Consumer {
    account: Arc<Account>,
    /// The key that was shown.
    pub credential_id: CredentialId,
    /// Live or test.
    pub environment: Environment,
    /// The terms of the subscription.
    pub plan_id: PlanId,
}

impl Consumer {
    /// The organization's id, as text.
    #[must_use]
    pub fn organization(&self) -> &[u8] {
        &self.account.organization
    }

    /// The application's id, as text.
    #[must_use]
    pub fn application(&self) -> &[u8] {
        &self.account.application
    }

    /// The subscription's id, as text.
    #[must_use]
    pub fn subscription(&self) -> &[u8] {
        &self.account.subscription
    }

    /// The tenant that owns the application.
    #[must_use]
    pub fn organization_id(&self) -> OrganizationId {
        self.account.owner.organization_id
    }

    /// The application.
    #[must_use]
    pub fn application_id(&self) -> ApplicationId {
        self.account.owner.application_id
    }

    /// The subscription that the call is decided and metered under.
    #[must_use]
    pub fn subscription_id(&self) -> SubscriptionId {
        self.account.owner.subscription_id
    }
}

/// How a consumer's plan stands after a decision: what the `RateLimit` fields say.
#[derive(Debug, Clone)]
pub struct Standing {
    plan: u32,
    levels: Levels,
}

/// A call that may go to its upstream.
#[derive(Debug)]
#[cfg_attr(feature = "bare", derive(Clone))]
pub struct Admission {
    /// Where it goes.
    pub matched: Matched,
    /// Whose it is.
    pub consumer: Consumer,
    standing: Standing,
    takings: Takings,
}

impl Admission {
    /// The plan it was admitted under.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        self.matched.snapshot.plan(self.standing.plan)
    }

    /// Whether a leased budget runs low and this call is the one to say so.
    #[must_use]
    pub const fn runs_low(&self) -> bool {
        self.takings.is_low
    }

    /// The value of `RateLimit-Policy`; none where the plan shows no limit.
    #[must_use]
    pub fn rate_limit_policy(&self) -> Option<&Bytes> {
        self.plan().policy_header.as_ref()
    }

    /// Appends the value of `RateLimit`; nothing where the plan shows no limit.
    pub fn write_rate_limit(&self, out: &mut Vec<u8>) {
        limits::write(self.plan(), &self.standing.levels, out);
    }

    /// Settles the call once its end is known: a call that is not charged is given back to the quota. Says what it
    /// costs; nothing where it is not charged. A call that is never settled stays counted.
    pub fn finish(&self, status: u16, outcome: Outcome) -> Option<u32> {
        let units = self.matched.route().units;
        let charged = outcome.is_charged(status, |status| self.matched.api().charges(status));
        if !charged {
            self.takings.give_back(&self.consumer.account, units);
        }
        (charged && !self.plan().uncharged).then_some(units)
    }
}

/// Whose key was shown: known as soon as it was found, whether or not it opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The tenant that owns the application.
    pub organization_id: OrganizationId,
    /// The application.
    pub application_id: ApplicationId,
    /// The key.
    pub credential_id: CredentialId,
}

impl From<&Consumer> for Holder {
    fn from(consumer: &Consumer) -> Self {
        let (organization_id, application_id) = (consumer.organization_id(), consumer.application_id());
        Self { organization_id, application_id, credential_id: consumer.credential_id }
    }
}

impl From<&Found> for Holder {
    fn from(found: &Found) -> Self {
        let (organization_id, application_id) = found.owner();
        Self { organization_id, application_id, credential_id: found.credential_id() }
    }
}

/// A call that is refused.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub denial: Denial,
    /// The route, where one was found.
    pub matched: Option<Matched>,
    /// Whose key it was, where it is one of ours.
    pub holder: Option<Holder>,
    /// The caller, where it is known on which subscription it called.
    pub consumer: Option<Consumer>,
    standing: Option<Standing>,
}

impl Refusal {
    /// The value of `RateLimit-Policy`; none where no limits were looked at.
    #[must_use]
    pub fn rate_limit_policy(&self) -> Option<&Bytes> {
        self.plan()?.policy_header.as_ref()
    }

    /// Appends the value of `RateLimit`; nothing where no limits were looked at.
    pub fn write_rate_limit(&self, out: &mut Vec<u8>) {
        if let (Some(plan), Some(standing)) = (self.plan(), &self.standing) {
            limits::write(plan, &standing.levels, out);
        }
    }

    /// The plan whose limits were looked at.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        let standing = self.standing.as_ref()?;
        Some(self.matched.as_ref()?.snapshot.plan(standing.plan))
    }
}

impl From<Denial> for Box<Refusal> {
    fn from(denial: Denial) -> Self {
        Box::new(Refusal { denial, matched: None, holder: None, consumer: None, standing: None })
    }
}

/// Decides a call, in the order: form, route, networks of the route, key, entitlement, rate limits, quota. `now_ns` is nanoseconds since
/// the Unix epoch; `familiar` is the connection's, none where its calls come side by side. An admission has taken its share of every limit; settle it with
/// [`Admission::finish`].
///
/// # Errors
/// The refusal, boxed because it is rare and large.
pub fn decide(
    snapshot: &Arc<Snapshot>,
    consumers: &Consumers,
    call: &Call<'_>,
    now_ns: u64,
    familiar: Option<&mut Familiar>,
) -> Result<Admission, Box<Refusal>> {
    let matched = find_route(snapshot, call)?;
    if matched.api().is_over(now_ns) {
        // Whoever still calls it can be found, but is not asked for a key.
        let found = identify(consumers, call.credential, matched.route(), now_ns).ok();
        let denial = Denial::ApiRetired { successor: matched.api().successor.clone() };
        let holder = found.as_ref().map(Holder::from);
        return Err(refuse(Unserved { denial, holder, consumer: None }, matched, None));
    }
    let guard = matched.route().guard.as_deref();
    if let Some(guard) = guard
        && let Err(denial) = guard.check_networks(call.whence)
    {
        return Err(refuse_from_there(denial, call, consumers, matched, now_ns));
    }
    let caller = match familiar {
        Some(familiar) => familiar.caller_of(call, &matched, consumers, now_ns),
        None => recognise(call, &matched, consumers, now_ns).map(|(_, caller)| caller),
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(unserved) => return Err(refuse(*unserved, matched, None)),
    };
    let cells = Cells { account: &caller.consumer.account, of_key: caller.of_key.as_deref() };
    let units = matched.route().units;
    let mut plan = caller.plan;
    if let Some(guard) = guard {
        let counting = caller.counting(snapshot, now_ns);
        if let Err(refused) = limits::take_guard(guard, counting, snapshot, &mut plan, &cells, units) {
            return Err(refuse_limited(*refused, caller, matched, plan));
        }
    }
    let take = |plan| limits::take(snapshot.plan(plan), &cells, units, now_ns);
    let mut taken = take(plan);
    if let Err(refused) = &taken
        && matches!(refused.0, Denial::SpendCapReached(_))
        && let Some(fallback) = snapshot.fallback_of(plan)
    {
        (plan, taken) = (fallback, take(fallback));
    }
    match taken {
        Ok((levels, takings)) => {
            let (consumer, standing) = (caller.consumer, Standing { plan, levels });
            Ok(Admission { matched, consumer, standing, takings })
        }
        Err(refused) => {
            if let Some(guard) = guard {
                // Another call took the plan's last one meanwhile.
                guard.undo(caller.counting(snapshot, now_ns));
            }
            Err(refuse_limited(*refused, caller, matched, plan))
        }
    }
}

/// Before the key is looked at: from elsewhere nothing is told of it. Whose it is goes on record.
#[cold]
fn refuse_from_there(
    denial: Denial,
    call: &Call<'_>,
    consumers: &Consumers,
    matched: Matched,
    now_ns: u64,
) -> Box<Refusal> {
    let found = identify(consumers, call.credential, matched.route(), now_ns).ok();
    let holder = found.as_ref().map(Holder::from);
    refuse(Unserved { denial, holder, consumer: None }, matched, None)
}

fn refuse_limited(
    (denial, levels): (Denial, Levels),
    caller: Caller,
    matched: Matched,
    plan: u32,
) -> Box<Refusal> {
    let holder = Some(Holder::from(&caller.consumer));
    let unserved = Unserved { denial, holder, consumer: Some(caller.consumer) };
    refuse(unserved, matched, Some(Standing { plan, levels }))
}

fn find_route(snapshot: &Arc<Snapshot>, call: &Call<'_>) -> Result<Matched, Denial> {
    let method = check_method(call.method)?;
    let (path, _) = check_target(call.target).map_err(Denial::BadRequest)?;
    let host = check_host(call.host).map_err(Denial::BadRequest)?;
    match snapshot.find_route(&host, method, path, call.whence) {
        RouteMatch::Found(route) => Ok(Matched { snapshot: Arc::clone(snapshot), route }),
        RouteMatch::MethodNotAllowed(allow) => Err(Denial::MethodNotAllowed { allow }),
        RouteMatch::NotFound => Err(snapshot.find_retired(&host, path).unwrap_or(Denial::RouteNotFound)),
    }
}

fn refuse(unserved: Unserved, matched: Matched, standing: Option<Standing>) -> Box<Refusal> {
    let Unserved { denial, holder, consumer } = unserved;
    Box::new(Refusal { denial, matched: Some(matched), holder, consumer, standing })
}

/// Picks the key out of `Authorization` (scheme Bearer, RFC 6750 §2.1) and `X-API-Key`.
///
/// # Errors
/// [`Denial::AmbiguousCredential`] where either field comes twice or both carry one.
pub fn credential_of<'h>(
    authorization: impl IntoIterator<Item = &'h [u8]>,
    api_key: impl IntoIterator<Item = &'h [u8]>,
) -> Result<Option<&'h [u8]>, Denial> {
    let authorization = at_most_one(authorization)?.and_then(bearer);
    match (authorization, at_most_one(api_key)?) {
        (Some(_), Some(_)) => Err(Denial::AmbiguousCredential),
        (bearer, api_key) => Ok(bearer.or(api_key)),
    }
}

fn at_most_one<'h>(values: impl IntoIterator<Item = &'h [u8]>) -> Result<Option<&'h [u8]>, Denial> {
    let mut values = values.into_iter();
    let first = values.next();
    if values.next().is_some() { Err(Denial::AmbiguousCredential) } else { Ok(first) }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii_start())
}

#[cfg(test)]
mod money_tests;
#[cfg(test)]
mod tests;
