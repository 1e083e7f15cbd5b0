//! What one call carries through the proxy's phases, and how it is counted at its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tollgate_domain::{Metering, Outcome, ServiceProtocol, SubscriptionId, UsageKey};
use tollgate_engine::{Admission, Call, Consumers, Denial, Holder, Matched, Refusal, decide};
use tollgate_store::Parties;

use crate::downstream::Downstream;
use crate::fail_point;
use crate::fields::Said;
use crate::live::{Runtime, Way};
use crate::metrics::Metrics;
use crate::notice::Notice;
use crate::readings::Readings;
use crate::relay::{Done, Failure};
use crate::request_id::RequestId;
use crate::request_log::{Ending, Slot, Text};
use crate::time;
use crate::upstream::Destination;
use crate::usage::journal::Amounts;
use crate::usage::ledger::Ledger;

/// nginx's word for a caller that went away.
const CLIENT_CLOSED: u16 = 499;
const NANOS: u64 = 1_000_000_000;

/// One call.
pub(crate) struct Exchange {
    began: Instant,
    began_ns: u64,
    pub(crate) request_id: RequestId,
    runtime: Option<Arc<Runtime>>,
    pub(crate) admission: Option<Admission>,
    /// A refusal by the engine, kept to be counted.
    refusal: Option<Box<Refusal>>,
    /// Which target of the service the call goes to.
    target: usize,
    /// Whether the call has a place among those that wait for it.
    waits: bool,
    asked_upstream: Option<Instant>,
    upstream_took: Option<Duration>,
    /// Whether the upstream was asked: from then on the call costs.
    pub(crate) sent_upstream: bool,
    /// Why the call failed after it was admitted.
    pub(crate) failed_as: Option<Outcome>,
    /// The problem's code where the gateway answered, or had to break an answer off.
    pub(crate) code: Option<&'static str>,
    /// The status that the caller was answered with.
    pub(crate) status: Option<u16>,
    /// Bytes of the two bodies.
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// What is read of the answer, where its API has numbers read.
    readings: Option<Box<Readings>>,
    /// How it ended; none while it is not counted.
    ended: Option<Ended>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end_waiting();
    }
}

/// The numbers of a charged call's answer. One that is not there is none, and counted as missing.
fn numbers_of(
    readings: Option<&mut Readings>,
    matched: &Matched,
    metrics: &Metrics,
) -> [u64; Metering::READINGS_MAX] {
    let wanted = matched.api().readings.len();
    if wanted == 0 {
        return Default::default();
    }
    let numbers = readings.map(Readings::numbers).unwrap_or_default();
    metrics.readings_missing(numbers.iter().take(wanted).filter(|number| number.is_none()).count() as u64);
    numbers.map(|number| number.unwrap_or(0))
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) at_ns: u64,
    pub(crate) status: u16,
    took: Duration,
}

impl Exchange {
    /// Begins a call; `given` is what the caller calls it.
    pub(crate) fn new(given: Option<&[u8]>) -> Self {
        let began = Instant::now();
        let began_ns = time::unix_ns_at(began.into_std());
        Self {
            began,
            began_ns,
            request_id: RequestId::of(given, began_ns),
            runtime: None,
            admission: None,
            refusal: None,
            target: 0,
            waits: false,
            asked_upstream: None,
            upstream_took: None,
            sent_upstream: false,
            failed_as: None,
            code: None,
            status: None,
            bytes_in: 0,
            bytes_out: 0,
            readings: None,
            ended: None,
        }
    }

    /// Asks the engine. The runtime is held to the end of the call: it lives in one revision.
    pub(crate) fn decide<D: Downstream>(
        &mut self,
        runtime: Option<Arc<Runtime>>,
        consumers: &Consumers,
        request: &D,
        said: &Said<'_>,
    ) -> Result<(), ()> {
        #[cfg(feature = "bare")]
        if let Some(admission) = crate::bare::admitted() {
            (self.runtime, self.admission) = (runtime, Some(admission));
            return Ok(());
        }
        let decided = match &runtime {
            Some(runtime) => said.credential().map_err(Box::from).and_then(|credential| {
                let call = Call {
                    method: request.method(),
                    host: request.authority(),
                    target: request.target(),
                    credential,
                };
                decide(&runtime.snapshot, consumers, &call, self.began_ns)
            }),
            None => Err(Box::from(Denial::NotReady)),
        };
        self.runtime = runtime;
        self.refusal = None;
        match decided {
            Ok(admission) => {
                #[cfg(feature = "bare")]
                crate::bare::keep(&admission);
                self.admission = Some(admission);
                Ok(())
            }
            Err(refusal) => {
                self.refusal = Some(refusal);
                Err(())
            }
        }
    }

    /// Whose leased budgets run low, where this call is the one to say so, and what it costs.
    pub(crate) fn runs_low(&self) -> Option<(SubscriptionId, u32)> {
        let admission = self.admission.as_ref().filter(|admission| admission.runs_low())?;
        Some((admission.consumer.subscription_id(), admission.matched.route().units))
    }

    /// Whose leased budgets must be asked for before the call can be decided, and what it costs.
    pub(crate) fn waits_for_lease(&self) -> Option<(SubscriptionId, u32)> {
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.denial == Denial::QuotaUnavailable)?;
        let (consumer, matched) = (refusal.consumer.as_ref()?, refusal.matched.as_ref()?);
        Some((consumer.subscription_id(), matched.route().units))
    }

    /// Lends out why the engine refused the call.
    pub(crate) fn take_refusal(&mut self) -> Option<Box<Refusal>> {
        self.refusal.take()
    }

    /// Takes it back: it is counted at the end.
    pub(crate) fn put_refusal(&mut self, refusal: Box<Refusal>) {
        self.refusal = Some(refusal);
    }

    /// Chooses the next target and its address, and notes when it is asked; none where its name is not resolved.
    pub(crate) fn choose_target(&mut self) -> Option<SocketAddr> {
        self.end_waiting();
        self.asked_upstream = Some(Instant::now());
        let service = self.admission.as_ref()?.matched.service();
        self.target = service.pick();
        // One that failed again and again is asked only where all do.
        for _ in 1..service.targets.len() {
            if self.destination().is_some_and(|it| !it.health().is_passed_over(self.began_ns)) {
                break;
            }
            self.target = service.pick();
        }
        self.destination()?.next_address()
    }

    /// How the call's service is spoken to.
    pub(crate) fn protocol(&self) -> ServiceProtocol {
        self.admission.as_ref().map_or(ServiceProtocol::H1, |admission| admission.matched.service().protocol)
    }

    /// How many bytes its body may have, or each message of gRPC in it; `usually` where nobody says.
    pub(crate) fn body_bytes_max(&self, usually: u64) -> u64 {
        let said = self.admission.as_ref().and_then(|admission| admission.matched.route().body_bytes_max);
        said.unwrap_or(usually)
    }

    /// Takes one of the places to wait for the chosen target.
    pub(crate) fn begin_waiting(&mut self, most: u32) -> Result<(), Denial> {
        if self.waits {
            return Ok(());
        }
        if self.destination().is_some_and(|destination| !destination.health().enter(most)) {
            return Err(Denial::UpstreamOverloaded);
        }
        self.waits = self.destination().is_some();
        Ok(())
    }

    /// The caller's body is what the call waits for now: its place is another's meanwhile. Else a few slow uploads would
    /// keep everybody from an upstream that has nothing to do.
    pub(crate) fn waits_for_caller(&mut self) {
        self.end_waiting();
    }

    /// It is the upstream's turn again. The place is taken even where there is none left: what was sent cannot be taken back.
    pub(crate) fn waits_for_upstream(&mut self) {
        if !self.waits
            && self.upstream_took.is_none()
            && let Some(destination) = self.destination()
        {
            destination.health().enter_again();
            self.waits = true;
        }
    }

    fn end_waiting(&mut self) {
        if std::mem::take(&mut self.waits)
            && let Some(destination) = self.destination()
        {
            destination.health().left();
        }
    }

    /// Notes how the target did.
    pub(crate) fn upstream_is_done(&mut self, relayed: &Result<Done, Failure>) {
        self.end_waiting();
        let failed = matches!(
            relayed,
            Err(Failure::Denied(
                Denial::UpstreamFailed | Denial::UpstreamTimeout | Denial::UpstreamUnreachable
            ))
        );
        if let (true, Some(destination)) = (failed, self.destination()) {
            destination.health().failed(self.began_ns);
        }
    }

    /// When it began, in nanoseconds since the Unix epoch.
    pub(crate) const fn began_ns(&self) -> u64 {
        self.began_ns
    }

    /// The chosen target.
    pub(crate) fn destination(&self) -> Option<&Destination> {
        self.way()?.destinations.get(self.target)
    }

    /// How long any part of the upstream's answer is waited for.
    pub(crate) fn read_timeout(&self) -> Duration {
        self.destination().map_or(Duration::ZERO, |destination| destination.read_timeout)
    }

    /// The matched route as the proxy knows it.
    pub(crate) fn way(&self) -> Option<&Way> {
        self.runtime.as_ref()?.way(self.matched()?)
    }

    /// The head of the upstream's answer is here and on its way to the caller.
    pub(crate) fn upstream_answered(&mut self, status: u16, now: Instant) {
        self.upstream_took = self.asked_upstream.map(|asked| now.saturating_duration_since(asked));
        self.status = Some(status);
        self.end_waiting();
        if let Some(destination) = self.destination() {
            destination.health().answered();
        }
    }

    /// Reads numbers in the head of the upstream's answer, where its API has any, and prepares to do so in the body.
    pub(crate) fn read_head<'f>(&mut self, fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) {
        if let Some(admission) = &self.admission
            && !admission.matched.api().readings.is_empty()
        {
            self.readings = Some(Box::new(Readings::of_head(&admission.matched.api().readings, fields)));
        }
    }

    /// A piece of the upstream's body is on its way to the caller.
    pub(crate) fn passes(&mut self, piece: &[u8]) {
        self.bytes_out += piece.len() as u64;
        if let Some(readings) = &mut self.readings {
            readings.read(piece);
        }
    }

    /// Adds to an answer what every admitted call is told.
    pub(crate) fn write_fields<D: Downstream>(&self, answer: &mut D) {
        if !crate::HAS_CHAIN {
            return;
        }
        answer.field(b"x-request-id", self.request_id.as_bytes());
        if let Some(admission) = &self.admission
            && let Some(policy) = admission.rate_limit_policy()
        {
            answer.field(b"ratelimit-policy", policy);
            answer.field_with(b"ratelimit", |out| admission.write_rate_limit(out));
        }
        if let Some(notice) = self.notice() {
            notice.write(answer);
        }
    }

    /// What the caller of an admitted call is told of an API that will go.
    pub(crate) fn notice(&self) -> Option<&Notice> {
        self.way()?.notice.as_deref()
    }

    /// The same, of a route that was matched by a call that is refused.
    pub(crate) fn notice_of(&self, matched: &Matched) -> Option<&Notice> {
        self.runtime.as_ref()?.way(matched)?.notice.as_deref()
    }

    /// Ends the call, once: settles the quota, counts it in the journal and the route's metrics. The same event does all,
    /// so that they cannot disagree. It comes before the last bytes of the answer go out: whoever has a whole answer finds
    /// it counted, whatever happens to the process.
    pub(crate) fn finish(
        &mut self,
        ledger: &Ledger,
        metrics: &Metrics,
        now: impl FnOnce() -> Instant,
    ) -> Ended {
        if let Some(ended) = self.ended {
            return ended;
        }
        fail_point::reach("count");
        let took = now().saturating_duration_since(self.began);
        let status = self.status.unwrap_or(CLIENT_CLOSED);
        if crate::HAS_CHAIN {
            let of_route = self.way().map_or(&metrics.unrouted, |way| &way.metrics);
            of_route.finished(status, took, self.upstream_took);
        }
        let at_ns = self.began_ns.saturating_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        let ended = Ended { at_ns, status, took };
        if crate::HAS_CHAIN {
            self.count(&ended, ledger, metrics);
        }
        self.ended = Some(ended);
        ended
    }

    fn count(&mut self, ended: &Ended, ledger: &Ledger, metrics: &Metrics) {
        let Ended { at_ns, status, took } = *ended;
        let (consumer, matched, outcome, charged) = match (&self.admission, &self.refusal) {
            (Some(admission), _) => {
                let answered = self.upstream_took.is_some();
                let outcome = match self.failed_as.unwrap_or(if answered {
                    Outcome::Served
                } else {
                    Outcome::Canceled
                }) {
                    Outcome::Canceled if !self.sent_upstream => Outcome::Abandoned,
                    other => other,
                };
                let charged = admission.finish(status, outcome);
                (&admission.consumer, &admission.matched, outcome, charged)
            }
            (None, Some(refusal)) => match (&refusal.consumer, &refusal.matched, refusal.denial.outcome()) {
                (Some(consumer), Some(matched), Some(outcome)) => (consumer, matched, outcome, None),
                _ => return,
            },
            (None, None) => return,
        };
        let key = UsageKey {
            credential_id: consumer.credential_id,
            subscription_id: consumer.subscription_id(),
            route_id: matched.route().id,
            status,
            outcome,
            minute: 0,
        };
        let amounts = Amounts {
            charged: u64::from(charged.is_some()),
            units: u64::from(charged.unwrap_or(0)),
            readings: match charged {
                Some(_) => numbers_of(self.readings.as_deref_mut(), matched, metrics),
                None => Default::default(),
            },
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        };
        let minute = u32::try_from(at_ns / NANOS / 60).unwrap_or(u32::MAX);
        ledger.record(key, minute, &amounts);
    }

    /// What decides whether the call is logged.
    pub(crate) fn ending(&self, ended: &Ended) -> Ending {
        let refused = self.refusal.as_ref();
        Ending {
            at_ns: ended.at_ns,
            status: ended.status,
            code: self.code,
            known: self.admission.is_some() || refused.is_some_and(|refusal| refusal.holder.is_some()),
        }
    }

    /// Writes the call down for the log.
    pub(crate) fn describe<D: Downstream>(&self, ended: &Ended, request: &D, slot: &mut Slot) {
        let agent = request.fields().find(|(name, _)| name.eq_ignore_ascii_case(b"user-agent"));
        slot.minted = self.request_id.is_minted();
        slot.parties = self.parties();
        (slot.duration, slot.upstream) = (ended.took, self.upstream_took);
        slot.bytes = (self.bytes_in, self.bytes_out);
        slot.write(Text::RequestId, self.request_id.as_bytes());
        slot.write(Text::Method, request.method().as_bytes());
        slot.write(Text::Host, request.authority().unwrap_or_default());
        slot.write_path_of(request.target());
        slot.write(Text::UserAgent, agent.map_or(&[], |(_, value)| value));
        if let Some(matched) = self.matched() {
            slot.write(Text::Route, matched.route().template.as_bytes());
        }
        if let Some(refusal) = &self.refusal {
            slot.denial = Some(refusal.denial.clone());
            if refusal.denial == Denial::InvalidCredential
                && let Ok(Some(credential)) = Said::of(request.fields()).credential()
            {
                slot.write_shown_key(credential);
            }
        }
    }

    fn matched(&self) -> Option<&Matched> {
        match (&self.admission, &self.refusal) {
            (Some(admission), _) => Some(&admission.matched),
            (None, Some(refusal)) => refusal.matched.as_ref(),
            (None, None) => None,
        }
    }

    fn parties(&self) -> Parties {
        let consumer = match (&self.admission, &self.refusal) {
            (Some(admission), _) => Some(&admission.consumer),
            (None, refusal) => refusal.as_ref().and_then(|refusal| refusal.consumer.as_ref()),
        };
        let holder = match consumer {
            Some(consumer) => Some(Holder {
                organization_id: consumer.organization_id(),
                application_id: consumer.application_id(),
                credential_id: consumer.credential_id,
            }),
            None => self.refusal.as_ref().and_then(|refusal| refusal.holder),
        };
        let matched = self.matched();
        Parties {
            organization_id: holder.map(|holder| holder.organization_id.uuid()),
            application_id: holder.map(|holder| holder.application_id.uuid()),
            credential_id: holder.map(|holder| holder.credential_id.uuid()),
            subscription_id: consumer.map(|consumer| consumer.subscription_id().uuid()),
            plan_id: consumer.map(|consumer| consumer.plan_id.uuid()),
            api_id: matched.map(|matched| matched.api().id.uuid()),
            route_id: matched.map(|matched| matched.route().id.uuid()),
        }
    }
}
