//! What a caller is told whose call is refused, or fails on its way.

use std::future::poll_fn;
use std::task::ready;

use tokio::time::Instant;
use tollgate_domain::Outcome;
use tollgate_engine::Denial;
use tollgate_engine::head::BadHead;

use super::Proxy;
use crate::downstream::Downstream;
use crate::exchange::Exchange;
use crate::relay::{Failure, outcome_of};
use crate::reply::{self, Why};
use crate::request_log::{Ending, Text};
use crate::time;

impl Proxy {
    /// Answers a head that cannot be read. Nobody's call: it is not counted.
    pub(crate) async fn refuse_unreadable<D: Downstream>(&self, caller: &mut D, bad: &BadHead) {
        let mut exchange = Exchange::new(None);
        caller.close_after();
        let why = Why::BadHead(bad);
        self.refuse(caller, &mut exchange, &why);
        self.flush_or_abort(caller).await;
        let ending =
            Ending { at_ns: time::unix_ns(), status: why.status(), code: Some(why.code()), known: false };
        self.log.note(ending, |slot| {
            slot.minted = true;
            slot.denial = why.denial().cloned();
            slot.write(Text::RequestId, exchange.request_id.as_bytes());
        });
    }

    /// The call failed after it was admitted. Where nothing was answered yet, the caller is told what happened, in our
    /// words; where the answer had begun, its connection is cut, so that it cannot look complete.
    pub(super) async fn fail<D: Downstream>(
        &self,
        caller: &mut D,
        exchange: &mut Exchange,
        failure: Failure,
    ) {
        tracing::debug!(request_id = exchange.request_id.as_str(), ?failure, "a call failed on its way");
        let begun = exchange.status.is_some();
        let denial = match &failure {
            Failure::Denied(denial) => Some(denial),
            Failure::Stale => Some(&Denial::UpstreamFailed),
            Failure::BadRequest => None,
            Failure::CallerGone | Failure::NoLongerAllowed => {
                // An answer that had begun was the upstream's; that the caller did not wait for its end changes nothing.
                exchange.failed_as = (!begun).then_some(Outcome::Canceled);
                return caller.abort();
            }
        };
        exchange.failed_as = Some(denial.map_or(Outcome::Canceled, outcome_of));
        let why = match denial {
            Some(denial) => Why::Denied(denial),
            None => Why::BadHead(&BadHead::Ambiguous("body_or_connection_field")),
        };
        if begun {
            exchange.code = Some(why.code());
            // What is held back of it is true; a caller that can take it now may have it.
            let _ = poll_fn(|cx| std::task::Poll::Ready(caller.poll_flush(cx))).await;
            return caller.abort();
        }
        match denial {
            // Refused before its upstream was asked: its body may be small enough to keep the connection.
            Some(
                Denial::BodyTooLarge { .. }
                | Denial::GrpcNeedsHttp2
                | Denial::OriginNotAllowed
                | Denial::WebSocketKey
                | Denial::WebSocketVersion,
            ) if !exchange.sent_upstream => exchange.failed_as = Some(Outcome::Canceled),
            // What is left of the request, and of the upstream's answer, is unknown.
            _ => caller.close_after(),
        }
        self.refuse(caller, exchange, &why);
        self.count(exchange);
        self.flush_or_abort(caller).await;
    }

    pub(super) async fn refuse_decided<D: Downstream>(&self, caller: &mut D, exchange: &mut Exchange) {
        let Some(refusal) = exchange.take_refusal() else { return };
        if let Some(scope) = refusal.denial.policy_scope() {
            self.live.metrics.refused_by_policy(refusal.denial.code(), scope.as_str());
        }
        self.refuse(caller, exchange, &Why::Refused(&refusal));
        exchange.put_refusal(refusal);
        self.count(exchange);
        self.flush_or_abort(caller).await;
    }

    /// Writes a refusal, to be sent.
    pub(super) fn refuse<D: Downstream>(&self, caller: &mut D, exchange: &mut Exchange, why: &Why<'_>) {
        let code = why.code();
        self.live.metrics.refused(code);
        tracing::debug!(request_id = exchange.request_id.as_str(), code, "refused");
        exchange.status = Some(why.status());
        exchange.code = Some(code);
        exchange.bytes_out = reply::write(caller, exchange, &self.terms.type_base, why);
    }

    /// A caller that does not take its refusal is gone; that changes nothing about the refusal.
    pub(super) async fn flush_or_abort<D: Downstream>(&self, caller: &mut D) {
        if self.flush(caller).await.is_err() {
            caller.abort();
        }
    }

    /// Sends what is held back, in time.
    pub(super) async fn flush<D: Downstream>(&self, caller: &mut D) -> Result<(), Failure> {
        let mut due = None;
        poll_fn(|cx| {
            if let std::task::Poll::Ready(flushed) = caller.poll_flush(cx) {
                return std::task::Poll::Ready(flushed.map_err(|_| Failure::CallerGone));
            }
            let due = *due.get_or_insert_with(|| Instant::now() + self.terms.write_timeout);
            ready!(caller.poll_until(cx, due));
            std::task::Poll::Ready(Err(Failure::CallerGone))
        })
        .await
    }
}
