//! How long each side of a call is waited for.

use std::task::{Context, Poll, ready};

use tokio::time::Instant;
use tollgate_engine::Denial;

use super::{Body, Failure, Relay, WATCH_EVERY};
use crate::downstream::{Downstream, Leaving};

impl<D: Downstream> Relay<'_, D> {
    /// Everything waits for somebody: for how long yet?
    pub(super) fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        if !self.is_sending && self.gone_due.is_none() {
            match self.caller.poll_gone(cx) {
                Poll::Ready(Leaving::Gone) => return Poll::Ready(Failure::CallerGone),
                Poll::Ready(Leaving::HalfClosed) => {
                    self.gone_due = Some(Instant::now() + self.terms.half_close_timeout);
                }
                Poll::Pending => {}
            }
        }
        if !matches!(self.body, Body::Head) && self.watch_due.is_none() {
            self.watch_due = Some(self.now() + WATCH_EVERY);
        }
        loop {
            let Some((due, failure)) = self.next_due() else { return Poll::Pending };
            ready!(self.caller.poll_until(cx, due));
            if failure != Failure::NoLongerAllowed || !self.terms.still_allows(self.exchange) {
                return Poll::Ready(failure);
            }
            self.watch_due = Some(Instant::now() + WATCH_EVERY);
        }
    }

    /// What happens first if nothing else does.
    fn next_due(&self) -> Option<(Instant, Failure)> {
        let clocks = [
            (self.waits_body.due(), Failure::Denied(Denial::RequestTimeout)),
            (self.waits_answer.due(), Failure::Denied(Denial::UpstreamTimeout)),
            (self.waits_up.due(), Failure::Denied(Denial::UpstreamTimeout)),
            (self.waits_down.due(), Failure::CallerGone),
            (self.gone_due, Failure::CallerGone),
            (self.watch_due, Failure::NoLongerAllowed),
        ];
        let set = clocks.into_iter().filter_map(|(due, failure)| Some((due?, failure)));
        set.min_by_key(|next| next.0)
    }
}
