//! What one call carries through the proxy's phases, and how it is counted at its end.

mod account;
mod target;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tollgate_boot::TrustedProxies;
use tollgate_domain::{Outcome, SubscriptionId};
use tollgate_engine::{Admission, Call, Consumers, Denial, Familiar, Matched, Refusal, Whence, decide};

use crate::browser;
use crate::downstream::Downstream;
use crate::fields::Said;
use crate::live::Runtime;
use crate::notice::Notice;
use crate::readings::Readings;
use crate::request_id::RequestId;
use crate::time;

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

/// Where a call comes from, found out when it is asked for.
struct Sender<'s, D> {
    request: &'s D,
    proxies: &'s TrustedProxies,
}

impl<D> fmt::Debug for Sender<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<D: Downstream> Whence for Sender<'_, D> {
    fn address(&self) -> Option<IpAddr> {
        let said = self.request.fields().filter(|(name, _)| name.eq_ignore_ascii_case(b"x-forwarded-for"));
        Some(self.proxies.client_address(self.request.peer().address, said.map(|(_, value)| value)))
    }

    fn origin(&self) -> Option<&[u8]> {
        browser::origin(self.request)
    }

    fn field(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.request.fields().filter(|field| field.0.eq_ignore_ascii_case(name.as_bytes()));
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }
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
        proxies: &TrustedProxies,
        familiar: Option<&mut Familiar>,
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
                    whence: &Sender { request, proxies },
                };
                decide(&runtime.snapshot, consumers, &call, self.began_ns, familiar)
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
        Some((admission.consumer.subscription_id(), admission.matched.route().units.max(1)))
    }

    /// Whose leased budgets must be asked for before the call can be decided, and what it costs.
    pub(crate) fn waits_for_lease(&self) -> Option<(SubscriptionId, u32)> {
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.denial == Denial::QuotaUnavailable)?;
        let (consumer, matched) = (refusal.consumer.as_ref()?, refusal.matched.as_ref()?);
        // What costs no units may cost money.
        Some((consumer.subscription_id(), matched.route().units.max(1)))
    }

    /// Lends out why the engine refused the call.
    pub(crate) fn take_refusal(&mut self) -> Option<Box<Refusal>> {
        self.refusal.take()
    }

    /// Takes it back: it is counted at the end.
    pub(crate) fn put_refusal(&mut self, refusal: Box<Refusal>) {
        self.refusal = Some(refusal);
    }

    /// How many bytes its body may have, or each message of gRPC in it; `usually` where nobody says.
    pub(crate) fn body_bytes_max(&self, usually: u64) -> u64 {
        let said = self.admission.as_ref().and_then(|admission| admission.matched.route().body_bytes_max);
        said.unwrap_or(usually)
    }

    /// When it began, in nanoseconds since the Unix epoch.
    pub(crate) const fn began_ns(&self) -> u64 {
        self.began_ns
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
        let Some(way) = self.way() else { return };
        if let Some(notice) = &way.notice {
            notice.write(answer);
        }
        if let Some(names) = &way.vary {
            answer.field(b"vary", names);
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

    fn matched(&self) -> Option<&Matched> {
        match (&self.admission, &self.refusal) {
            (Some(admission), _) => Some(&admission.matched),
            (None, Some(refusal)) => refusal.matched.as_ref(),
            (None, None) => None,
        }
    }
}
