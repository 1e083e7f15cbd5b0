//! What a call is counted and logged as, once it has ended.

use tokio::time::Instant;
use tollgate_domain::{Metering, Outcome, UsageKey};
use tollgate_engine::{Denial, Holder, Matched};
use tollgate_store::Parties;

use super::{Ended, Exchange};
use crate::downstream::Downstream;
use crate::fail_point;
use crate::fields::Said;
use crate::metrics::Metrics;
use crate::readings::Readings;
use crate::request_log::{Ending, Slot, Text};
use crate::usage::journal::Amounts;
use crate::usage::ledger::Ledger;

/// nginx's word for a caller that went away.
const CLIENT_CLOSED: u16 = 499;
const NANOS: u64 = 1_000_000_000;

impl Exchange {
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
