//! A call's life: decided in the engine, carried to its upstream and back, and counted once.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::ready;

use tokio::time::Instant;
use tollgate_domain::{Outcome, ServiceProtocol};
use tollgate_engine::Denial;
use tollgate_engine::head::BadHead;

use crate::browser::{self, Browser};
use crate::caller::Caller;
use crate::downstream::{Answer, Downstream, Length};
use crate::exchange::{Ended, Exchange};
use crate::fields::{Hop, Said, ToUpstream};
use crate::grpc;
use crate::grpc::messages::Messages;
use crate::http2::carry::{Asked, Carry, head_of};
use crate::http2::trunk::Lane;
use crate::link::Link;
use crate::live::Live;
use crate::pool::Pool;
use crate::relay::{Done, Failure, Relay, Wishes, outcome_of};
use crate::reply::{self, Why};
use crate::request_log::{Ending, RequestLog, Text};
use crate::settings::Settings;
use crate::terms::Terms;
use crate::time;
use crate::tls::challenges;
use crate::tunnel::Tunnel;
use crate::usage::leases::Desk;
use crate::usage::ledger::Ledger;

/// Upstream attempts of one call; the second is only made where the first cannot have reached the upstream, or the
/// call may be repeated.
const ATTEMPTS: u32 = 2;

/// Serves calls, however they come.
pub(crate) struct Proxy {
    settings: Arc<Settings>,
    live: Arc<Live>,
    ledger: Arc<Ledger>,
    log: Arc<RequestLog>,
    terms: Terms,
    desk: Desk,
    draining: AtomicBool,
}

impl Proxy {
    pub(crate) fn new(
        settings: Arc<Settings>,
        live: Arc<Live>,
        ledger: Arc<Ledger>,
        log: Arc<RequestLog>,
        desk: Desk,
    ) -> Self {
        let terms = Terms::new(&settings, &live);
        Self { settings, live, ledger, log, terms, desk, draining: AtomicBool::new(false) }
    }

    /// From now on connections end behind their answers.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether connections end behind their answers.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Counts a connection that was ended for what its caller did.
    pub(crate) fn connection_cut(&self, reason: &'static str) {
        self.live.metrics.connection_cut(reason);
    }

    /// Serves one call to its end. Whatever happens, it is counted once. Says when it ended, where that was this moment.
    pub(crate) async fn serve<D: Downstream>(&self, pool: &Pool, caller: &mut D) -> Option<Instant> {
        if let Some(wanted) = self.live.challenges.wanted(caller.authority(), caller.target()) {
            challenges::answer(caller, &wanted);
            self.flush_or_abort(caller).await;
            return None;
        }
        let origins = &self.settings.origins;
        if !origins.is_empty() && browser::is_preflight(caller) && browser::origin(caller).is_some() {
            self.answer_preflight(caller).await;
            return None;
        }
        match Browser::of(caller, origins) {
            Ok(mut page) => self.serve_call(pool, &mut page).await,
            Err(caller) => self.serve_call(pool, caller).await,
        }
    }

    async fn serve_call<D: Downstream>(&self, pool: &Pool, caller: &mut D) -> Option<Instant> {
        let said = Said::of(caller.fields());
        let mut exchange = Exchange::new(said.request_id());
        let mut decided = exchange.decide(self.live.runtime(), &self.live.consumers, &*caller, &said);
        if let Some((subscription, units)) = exchange.runs_low() {
            self.desk.ask(subscription, units);
        }
        // Exact quotas alone, and only where nothing is leased: every other call goes past this.
        if exchange.waits_for_lease().is_some() {
            let since = Instant::now();
            while let Some((subscription, units)) = exchange.waits_for_lease()
                && self.desk.next_answer(since, subscription, units).await
            {
                decided = exchange.decide(self.live.runtime(), &self.live.consumers, &*caller, &said);
            }
        }
        let wishes = Wishes {
            consent: said.waits_for_consent && caller.length() != Length::None && !caller.is_of_1_0(),
            trailers: said.wants_trailers && !caller.is_of_1_0(),
            websocket: said.asks_for_websocket() && caller.can_switch() && caller.method() == "GET",
            hop: said.hop(),
        };
        let handshake = match wishes.websocket {
            true => {
                browser::check_origin(caller, &self.settings.origins).and_then(|()| said.check_websocket())
            }
            false => Ok(()),
        };
        let mut ended_at = None;
        if decided.is_err() {
            self.refuse_decided(caller, &mut exchange).await;
        } else if let Err(denial) = handshake {
            self.fail(caller, &mut exchange, Failure::Denied(denial)).await;
        } else {
            match self.carry(pool, caller, &mut exchange, wishes).await {
                Ok(at) => ended_at = at,
                Err(failure) => self.fail(caller, &mut exchange, failure).await,
            }
        }
        let ended = self.count(&mut exchange);
        if !crate::HAS_CHAIN {
            return ended_at;
        }
        self.log.note(exchange.ending(&ended), |slot| {
            exchange.describe(&ended, caller, slot);
            slot.client = Some(self.client(caller));
        });
        ended_at
    }

    /// Tells a page whether it may send a call. Nobody's call: it needs no key, and is not counted.
    async fn answer_preflight<D: Downstream>(&self, caller: &mut D) {
        if let Err(denial) = browser::check_origin(caller, &self.settings.origins) {
            self.refuse(caller, &mut Exchange::new(None), &Why::Denied(&denial));
        } else {
            browser::allow_preflight(caller);
        }
        self.flush_or_abort(caller).await;
    }

    /// Counts a call, once.
    fn count(&self, exchange: &mut Exchange) -> Ended {
        exchange.finish(&self.ledger, &self.live.metrics, Instant::now)
    }

    /// Whose call it is, through whichever proxies are trusted.
    fn client<D: Downstream>(&self, caller: &D) -> IpAddr {
        let said = caller.fields().filter(|(name, _)| name.eq_ignore_ascii_case(b"x-forwarded-for"));
        self.settings.trusted_proxies.client_address(caller.peer().address, said.map(|(_, value)| value))
    }

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

    /// Takes an admitted call to its upstream and the answer back; when that was, if it was this moment.
    async fn carry<D: Downstream>(
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
            let carried = self.carry_frames(pool, caller, exchange, wishes, asked, repeatable).await;
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

    /// The call failed after it was admitted. Where nothing was answered yet, the caller is told what happened, in our
    /// words; where the answer had begun, its connection is cut, so that it cannot look complete.
    async fn fail<D: Downstream>(&self, caller: &mut D, exchange: &mut Exchange, failure: Failure) {
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

    async fn refuse_decided<D: Downstream>(&self, caller: &mut D, exchange: &mut Exchange) {
        let Some(refusal) = exchange.take_refusal() else { return };
        self.refuse(caller, exchange, &Why::Refused(&refusal));
        exchange.put_refusal(refusal);
        self.count(exchange);
        self.flush_or_abort(caller).await;
    }

    /// Writes a refusal, to be sent.
    fn refuse<D: Downstream>(&self, caller: &mut D, exchange: &mut Exchange, why: &Why<'_>) {
        let code = why.code();
        self.live.metrics.refused(code);
        tracing::debug!(request_id = exchange.request_id.as_str(), code, "refused");
        exchange.status = Some(why.status());
        exchange.code = Some(code);
        exchange.bytes_out = reply::write(caller, exchange, &self.terms.type_base, why);
    }

    /// A caller that does not take its refusal is gone; that changes nothing about the refusal.
    async fn flush_or_abort<D: Downstream>(&self, caller: &mut D) {
        if self.flush(caller).await.is_err() {
            caller.abort();
        }
    }

    /// Sends what is held back, in time.
    async fn flush<D: Downstream>(&self, caller: &mut D) -> Result<(), Failure> {
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

/// Methods that have the same effect twice as once (RFC 9110 §9.2.2).
fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS")
}
