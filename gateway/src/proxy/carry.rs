//! Takes an admitted call to its upstream, of HTTP/1 or HTTP/2, and the answer back.

use std::future::poll_fn;

use tokio::time::Instant;
use tollgate_domain::ServiceProtocol;
use tollgate_engine::Denial;

use super::Proxy;
use crate::caller::Caller;
use crate::downstream::{Answer, Downstream, Length};
use crate::exchange::Exchange;
use crate::fields::{Hop, ToUpstream};
use crate::grpc;
use crate::grpc::messages::Messages;
use crate::http2::carry::{Asked, Carry, head_of};
use crate::http2::trunk::Lane;
use crate::link::Link;
use crate::pool::Pool;
use crate::relay::{Done, Failure, Relay, Wishes};
use crate::tunnel::Tunnel;

/// Upstream attempts of one call; the second is only made where the first cannot have reached the upstream, or the
/// call may be repeated.
const ATTEMPTS: u32 = 2;

impl Proxy {
    /// Takes an admitted call to its upstream and the answer back; when that was, if it was this moment.
    pub(super) async fn carry<D: Downstream>(
        &self,
        pool: &Pool,
        caller: &mut D,
        exchange: &mut Exchange,
        wishes: Wishes,
    ) -> Result<Option<Instant>, Failure> {
        let length = caller.length();
        let is_grpc = caller.method() == "POST" && grpc::is_call(caller);
        if is_grpc && exchange.protocol() == ServiceProtocol::H1 {
            return Err(Failure::Denied(Denial::GrpcNeedsHttp2));
        }
        if !is_grpc && let Length::Known(bytes) = length {
            let bytes_max = exchange.body_bytes_max(self.terms.body_bytes_max);
            if bytes > bytes_max {
                return Err(Failure::Denied(Denial::BodyTooLarge { bytes_max }));
            }
        }
        if wishes.consent {
            caller.begin(100);
            caller.head_done(Answer::Interim);
            self.flush(caller).await?;
        }
        let due =
            if is_grpc { grpc::due(caller, wishes.trailers).map_err(|_| Failure::BadRequest)? } else { None };
        let repeatable = length == Length::None && is_idempotent(caller.method()) && !wishes.websocket;
        if exchange.protocol() != ServiceProtocol::H1 {
            let most = exchange.body_bytes_max(self.settings.grpc_message_bytes_max);
            let asked = || Asked {
                trailers: wishes.trailers,
                due,
                messages: is_grpc.then(|| Messages::of(caller, most)),
            };
            let asked = [asked(), asked()];
            // In a box: no call by HTTP/1 is to be larger for it.
            let carried =
                Box::pin(self.carry_frames(pool, caller, exchange, wishes, asked, repeatable)).await;
            return carried.map(|()| None);
        }
        let mut fresh = false;
        let count = |exchange: &mut Exchange, now: Instant| {
            exchange.finish(&self.ledger, &self.live.metrics, || now);
        };
        for attempt in 1.. {
            let mut link = match self.link(pool, exchange, fresh).await {
                Ok(link) => link,
                Err(Denial::UpstreamOverloaded) => return Err(Failure::Denied(Denial::UpstreamOverloaded)),
                Err(_) if attempt < ATTEMPTS => continue,
                Err(denial) => return Err(Failure::Denied(denial)),
            };
            self.write_head(caller, exchange, &mut link.out, wishes.hop, wishes.websocket);
            exchange.sent_upstream = true;
            let mut relay = Relay::new(&self.terms, &count, exchange, caller, &mut link, wishes);
            let relayed = poll_fn(|cx| relay.poll(cx)).await;
            exchange.upstream_is_done(&relayed);
            match relayed {
                Ok(Done::Answered { reusable, at }) => {
                    if let (true, Some(destination)) = (reusable, exchange.destination()) {
                        pool.put(destination, link, at);
                    }
                    return Ok(Some(at));
                }
                Ok(Done::Switched) => {
                    let mut tunnel = Tunnel::new(&self.terms, exchange, caller, &mut link, &self.draining);
                    poll_fn(|cx| tunnel.poll(cx)).await;
                    return self.flush(caller).await.map(|()| None);
                }
                Err(Failure::Stale) if repeatable && attempt < ATTEMPTS => fresh = true,
                Err(Failure::Stale) => break,
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Denied(Denial::UpstreamFailed))
    }

    /// As [`Proxy::carry`], to an upstream that speaks HTTP/2; what is asked is given for each attempt.
    async fn carry_frames<D: Downstream>(
        &self,
        pool: &Pool,
        caller: &mut D,
        exchange: &mut Exchange,
        wishes: Wishes,
        attempts: [Asked; ATTEMPTS as usize],
        repeatable: bool,
    ) -> Result<(), Failure> {
        let count = |exchange: &mut Exchange| {
            self.count(exchange);
        };
        let mut attempts = attempts.into_iter();
        while let Some(asked) = attempts.next() {
            let again = attempts.len() > 0;
            let (mut lane, scheme) = match self.lane(pool, exchange).await {
                Ok(lane) => lane,
                Err(Denial::UpstreamOverloaded) => return Err(Failure::Denied(Denial::UpstreamOverloaded)),
                Err(_) if again => continue,
                Err(denial) => return Err(Failure::Denied(denial)),
            };
            let mut written = Vec::with_capacity(1_024);
            self.write_head(caller, exchange, &mut written, wishes.hop, false);
            let request = head_of(&written, scheme).ok_or(Failure::Denied(Denial::Internal))?;
            let failed = |_| Failure::Denied(Denial::UpstreamFailed);
            let due = asked.due;
            let sent = lane.send.send_request(request, caller.length() == Length::None).map_err(failed);
            let carried = match sent {
                Ok(stream) => {
                    exchange.sent_upstream = true;
                    let mut carry = Carry::new(&self.terms, &count, exchange, caller, stream, asked);
                    poll_fn(|cx| carry.poll(cx)).await
                }
                Err(failure) => Err(failure),
            };
            let now = Instant::now();
            // A deadline of the caller's own says nothing about the target.
            let own = due.is_some_and(|due| now >= due);
            let done = carried.clone().map(|()| Done::Answered { reusable: true, at: now });
            exchange.upstream_is_done(&if own && done.is_err() { Err(Failure::CallerGone) } else { done });
            match carried {
                Ok(()) => return Ok(()),
                Err(Failure::Stale) if repeatable && again => {}
                Err(Failure::Stale) => break,
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Denied(Denial::UpstreamFailed))
    }

    /// A share of a connection to the next target, and the scheme of its URLs.
    async fn lane(&self, pool: &Pool, exchange: &mut Exchange) -> Result<(Lane, &'static str), Denial> {
        let address = exchange.choose_target();
        exchange.begin_waiting(self.terms.upstream_waiting_max)?;
        let (Some(address), Some(destination)) = (address, exchange.destination()) else {
            return Err(Denial::UpstreamUnreachable);
        };
        let connected = async {
            let mut lane = pool.lane(destination, address).await?;
            let ready = tokio::time::timeout(destination.connect_timeout, lane.ready());
            ready.await.map_err(|_| Denial::UpstreamTimeout)??;
            Ok(lane)
        };
        let connected: Result<Lane, Denial> = connected.await;
        if connected.is_err() {
            destination.health().failed(exchange.began_ns());
        }
        Ok((connected?, destination.scheme()))
    }

    /// A connection to the next target, or a fresh one to the same.
    async fn link(&self, pool: &Pool, exchange: &mut Exchange, fresh: bool) -> Result<Link, Denial> {
        let address = if fresh {
            exchange.destination().and_then(|destination| destination.next_address())
        } else {
            exchange.choose_target()
        };
        exchange.begin_waiting(self.terms.upstream_waiting_max)?;
        let (Some(address), Some(destination)) = (address, exchange.destination()) else {
            return Err(Denial::UpstreamUnreachable);
        };
        if !fresh && let Some(link) = pool.take(destination, address) {
            return Ok(link);
        }
        let connected = pool.connect(destination, address).await;
        if connected.is_err() {
            destination.health().failed(exchange.began_ns());
        }
        connected
    }

    fn write_head<D: Downstream>(
        &self,
        caller: &D,
        exchange: &Exchange,
        out: &mut Vec<u8>,
        hop: Hop,
        upgrades: bool,
    ) {
        let (Some(admission), Some(destination), Some(way)) =
            (&exchange.admission, exchange.destination(), exchange.way())
        else {
            return;
        };
        let head = ToUpstream {
            request: caller,
            hop,
            admission,
            destination,
            base_path: &way.base_path,
            request_id: &exchange.request_id,
            caller: Caller::of(
                &self.settings.trusted_proxies,
                caller.peer(),
                caller.authority(),
                caller.fields(),
            ),
            upgrades,
        };
        head.write(out);
    }
}

/// Methods that have the same effect twice as once (RFC 9110 §9.2.2).
fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS")
}
