//! What one call carries through the proxy's phases, and how it is counted at its end.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, HOST, USER_AGENT};
use pingora_http::RequestHeader;
use tollgate_domain::{Outcome, UsageKey};
use tollgate_engine::{Admission, Call, Consumers, Denial, Holder, Matched, Refusal, credential_of, decide};
use tollgate_store::Parties;
use uuid::Uuid;

use crate::live::{Runtime, Way};
use crate::metrics::RouteMetrics;
use crate::request_log::{Ending, Slot, Text};
use crate::upstream::Destination;
use crate::usage::journal::Amounts;
use crate::usage::ledger::Ledger;

/// The longest request id that is taken over from a caller.
const REQUEST_ID_MAX: usize = 128;
/// nginx's word for a caller that went away.
const CLIENT_CLOSED: u16 = 499;
const NANOS: u64 = 1_000_000_000;
const X_API_KEY: &str = "x-api-key";
const X_REQUEST_ID: &str = "x-request-id";

/// What a call is called in every log, header and problem.
#[derive(Debug, Clone)]
pub(crate) struct RequestId {
    text: HeaderValue,
    /// Whether it was made here, so that only who got the answer knows it.
    minted: bool,
}

impl RequestId {
    /// The caller's own where it is a valid one, else a new UUIDv7.
    pub(crate) fn of(request: &RequestHeader) -> Self {
        let mut given = request.headers.get_all(X_REQUEST_ID).iter();
        match (given.next(), given.next()) {
            (Some(id), None) if is_request_id(id.as_bytes()) => Self { text: id.clone(), minted: false },
            _ => Self::fresh(),
        }
    }

    /// A new UUIDv7.
    pub(crate) fn fresh() -> Self {
        let mut text = vec![0; uuid::fmt::Hyphenated::LENGTH];
        Uuid::now_v7().hyphenated().encode_lower(&mut text);
        let text = HeaderValue::from_maybe_shared(Bytes::from(text));
        Self { text: text.unwrap_or(HeaderValue::from_static("unknown")), minted: true }
    }

    pub(crate) fn value(&self) -> HeaderValue {
        self.text.clone()
    }

    pub(crate) fn as_str(&self) -> &str {
        self.text.to_str().unwrap_or("unknown")
    }

    /// Whether nobody but who made the call can know it.
    pub(crate) const fn is_minted(&self) -> bool {
        self.minted
    }
}

/// Visible characters of a token (RFC 9110 §5.6.2), so that it can stand in logs and URLs as it is.
fn is_request_id(id: &[u8]) -> bool {
    (1..=REQUEST_ID_MAX).contains(&id.len())
        && id.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

/// One call.
pub(crate) struct Exchange {
    began: Instant,
    pub(crate) request_id: RequestId,
    runtime: Option<Arc<Runtime>>,
    pub(crate) admission: Option<Admission>,
    /// A refusal by the engine, kept to be counted.
    refusal: Option<Box<Refusal>>,
    /// Which target of the service the call goes to.
    target: Option<usize>,
    pub(crate) attempts: u32,
    /// Interim answers (1xx) of the upstream so far.
    pub(crate) interim: u32,
    asked_upstream: Option<Instant>,
    upstream_took: Option<Duration>,
    /// Whether the upstream was asked: from then on the call costs.
    pub(crate) sent_upstream: bool,
    /// Why the call failed after it was admitted.
    pub(crate) failed_as: Option<Outcome>,
    /// The problem's code where the gateway answered after the call was admitted, or had to break the answer off.
    pub(crate) code: Option<&'static str>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    at_ns: u64,
    status: u16,
    took: Duration,
    bytes: (u64, u64),
}

impl Exchange {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            request_id: RequestId { text: HeaderValue::from_static("unknown"), minted: false },
            runtime: None,
            admission: None,
            refusal: None,
            target: None,
            attempts: 0,
            interim: 0,
            asked_upstream: None,
            upstream_took: None,
            sent_upstream: false,
            failed_as: None,
            code: None,
        }
    }

    /// Asks the engine. The runtime is held to the end of the call: it lives in one revision.
    pub(crate) fn decide(
        &mut self,
        runtime: Option<Arc<Runtime>>,
        consumers: &Consumers,
        request: &RequestHeader,
    ) -> Result<(), &Refusal> {
        let decided = match &runtime {
            Some(runtime) => ask(runtime, consumers, request),
            None => Err(Box::from(Denial::NotReady)),
        };
        self.runtime = runtime;
        match decided {
            Ok(admission) => {
                self.admission = Some(admission);
                Ok(())
            }
            Err(refusal) => Err(self.refusal.insert(refusal)),
        }
    }

    /// Chooses the next target and notes when it is asked.
    pub(crate) fn choose_target(&mut self) -> Option<&Destination> {
        self.attempts += 1;
        self.asked_upstream = Some(Instant::now());
        let service = self.admission.as_ref()?.matched.service();
        self.target = Some(service.pick());
        self.destination()
    }

    /// The chosen target.
    pub(crate) fn destination(&self) -> Option<&Destination> {
        self.way()?.destinations.get(self.target?)
    }

    /// The matched route as the proxy knows it.
    pub(crate) fn way(&self) -> Option<&Way> {
        self.runtime.as_ref()?.way(self.matched()?)
    }

    /// The head of the upstream's answer is here.
    pub(crate) fn upstream_answered(&mut self) {
        self.upstream_took = self.asked_upstream.map(|asked| asked.elapsed());
    }

    /// Ends the call: settles the quota, counts it in the journal and the route's metrics. The same event does all,
    /// so that they cannot disagree. `status` is none where the caller saw no answer.
    pub(crate) fn finish(
        &self,
        status: Option<u16>,
        bytes: (u64, u64),
        ledger: &Ledger,
        unrouted: &RouteMetrics,
    ) -> Ended {
        let took = self.began.elapsed();
        let status = status.unwrap_or(CLIENT_CLOSED);
        let metrics = self.way().map_or(unrouted, |way| &way.metrics);
        metrics.finished(status, took, self.upstream_took);
        let ended = Ended { at_ns: unix_ns(), status, took, bytes };
        self.count(&ended, ledger);
        ended
    }

    fn count(&self, ended: &Ended, ledger: &Ledger) {
        let Ended { at_ns, status, took, bytes } = *ended;
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
                (Some(consumer), Some(matched), Some(outcome)) => (consumer, matched, outcome, false),
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
            charged: u64::from(charged),
            bytes_in: bytes.0,
            bytes_out: bytes.1,
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
            code: self.code.or_else(|| refused.map(|refusal| refusal.denial.code())),
            known: self.admission.is_some() || refused.is_some_and(|refusal| refusal.holder.is_some()),
        }
    }

    /// Writes the call down for the log.
    pub(crate) fn describe(&self, ended: &Ended, request: &RequestHeader, slot: &mut Slot) {
        slot.minted = self.request_id.is_minted();
        slot.parties = self.parties();
        (slot.duration, slot.upstream, slot.bytes) = (ended.took, self.upstream_took, ended.bytes);
        slot.write(Text::RequestId, self.request_id.as_str().as_bytes());
        slot.write(Text::Method, request.method.as_str().as_bytes());
        slot.write(Text::Host, request.headers.get(HOST).map_or(&[], HeaderValue::as_bytes));
        slot.write_path_of(request.raw_path());
        slot.write(Text::UserAgent, request.headers.get(USER_AGENT).map_or(&[], HeaderValue::as_bytes));
        if let Some(matched) = self.matched() {
            slot.write(Text::Route, matched.route().template.as_bytes());
        }
        if let Some(refusal) = &self.refusal {
            slot.denial = Some(refusal.denial.clone());
            if refusal.denial == Denial::InvalidCredential
                && let Ok(Some(credential)) = credential_in(request)
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
            plan_id: consumer.map(|consumer| consumer.subscription().plan_id.uuid()),
            api_id: matched.map(|matched| matched.api().id.uuid()),
            route_id: matched.map(|matched| matched.route().id.uuid()),
        }
    }
}

fn ask(runtime: &Runtime, consumers: &Consumers, request: &RequestHeader) -> Result<Admission, Box<Refusal>> {
    let credential = credential_in(request)?;
    let call = Call {
        method: request.method.as_str(),
        host: request.headers.get(HOST).map(HeaderValue::as_bytes),
        target: request.raw_path(),
        credential,
    };
    decide(&runtime.snapshot, consumers, &call, unix_ns())
}

fn credential_in(request: &RequestHeader) -> Result<Option<&[u8]>, Denial> {
    let values = |name: &str| request.headers.get_all(name).iter().map(HeaderValue::as_bytes);
    credential_of(values(AUTHORIZATION.as_str()), values(X_API_KEY))
}

/// Nanoseconds since the Unix epoch; 0 for clocks before it.
pub(crate) fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(given: &[&str]) -> String {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        for id in given {
            request.append_header("X-Request-Id", *id).unwrap();
        }
        RequestId::of(&request).as_str().to_owned()
    }

    #[test]
    fn a_valid_request_id_is_kept_and_any_other_replaced_by_a_uuid_v7() {
        assert_eq!(id_for(&["abc-123_x.y"]), "abc-123_x.y");
        let long = "a".repeat(129);
        for given in [vec![], vec!["a b"], vec!["a\"b"], vec!["a", "a"], vec![""], vec![long.as_str()]] {
            let id: Uuid = id_for(&given).parse().unwrap_or_else(|_| panic!("{given:?}"));
            assert_eq!(id.get_version_num(), 7);
        }
    }
}
