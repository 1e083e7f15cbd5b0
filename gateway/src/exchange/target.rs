//! Where a call goes: the target that is chosen, the place it takes there, and how the target did.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;
use tollgate_domain::ServiceProtocol;
use tollgate_engine::Denial;

use super::Exchange;
use crate::live::Way;
use crate::relay::{Done, Failure};
use crate::upstream::Destination;

impl Exchange {
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

    pub(super) fn end_waiting(&mut self) {
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
}
