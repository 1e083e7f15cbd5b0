//! A call's life, as Pingora's phases in their order. Each is a few lines; what is decided is decided in the engine.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use pingora_core::modules::http::HttpModules;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use tollgate_domain::Outcome;
use tollgate_engine::Denial;
use tollgate_engine::head::BadHead;

use crate::caller::Caller;
use crate::connection::{BodyFault, Connection};
use crate::exchange::{Exchange, RequestId};
use crate::fields;
use crate::live::Live;
use crate::reply::{self, Unreadable, Why};
use crate::request_log::RequestLog;
use crate::settings::Settings;
use crate::upstream::{Failure, failure_of};
use crate::usage::ledger::Ledger;

/// A caller that takes nothing of its answer for so long is cut off.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// More interim answers (1xx) to one call are no help to anybody.
const INTERIM_MAX: u32 = 10;
/// How long an unread rest of a refused request is read, to keep the connection.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The proxy's side of Pingora.
pub(crate) struct Proxy {
    settings: Arc<Settings>,
    live: Arc<Live>,
    ledger: Arc<Ledger>,
    log: Arc<RequestLog>,
    /// What problem codes are appended to.
    type_base: String,
    /// No upstream may set a cookie that reaches it.
    portal_host: String,
}

impl Proxy {
    pub(crate) fn new(
        settings: Arc<Settings>,
        live: Arc<Live>,
        ledger: Arc<Ledger>,
        log: Arc<RequestLog>,
    ) -> Self {
        let type_base = format!("{}/", settings.problem_base_url.trim_end_matches('/'));
        let portal: Option<http::Uri> = settings.problem_base_url.parse().ok();
        let portal_host = portal.and_then(|uri| Some(uri.host()?.to_ascii_lowercase())).unwrap_or_default();
        Self { settings, live, ledger, log, type_base, portal_host }
    }

    /// What answers where Pingora refuses a head before the first phase.
    pub(crate) fn unreadable(&self) -> Unreadable {
        Unreadable::new(self.type_base.clone(), Arc::clone(&self.live.metrics), Arc::clone(&self.log))
    }

    /// A caller that does not take its refusal is gone; that changes nothing about the refusal. Tells its code.
    async fn refuse(&self, session: &mut Session, request_id: &RequestId, why: &Why<'_>) -> &'static str {
        let code = why.code();
        self.live.metrics.refused(code);
        tracing::debug!(request_id = request_id.as_str(), code, "refused");
        if let Err(error) = reply::refuse(session, request_id, &self.type_base, why).await {
            session.set_keepalive(None);
            tracing::debug!(request_id = request_id.as_str(), %error, "the caller did not take its refusal");
        }
        code
    }
}

fn peer(session: &Session) -> Option<IpAddr> {
    session.client_addr()?.as_inet().map(|address| address.ip())
}

fn connection(session: &Session) -> Option<&Connection> {
    (**session.stream()?).as_any().downcast_ref()
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Exchange;

    fn new_ctx(&self) -> Exchange {
        Exchange::new()
    }

    /// None: bodies pass as they are.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    /// The head is here: its clock stops, those of the bodies are set.
    async fn early_request_filter(&self, session: &mut Session, _exchange: &mut Exchange) -> Result<()> {
        if let Some(connection) = connection(session) {
            connection.head_is_complete();
        }
        session.set_write_timeout(Some(WRITE_TIMEOUT));
        session.set_total_drain_timeout(Some(DRAIN_TIMEOUT));
        Ok(())
    }

    /// The engine, for the head is in order: route, key, entitlement, limits.
    async fn request_filter(&self, session: &mut Session, exchange: &mut Exchange) -> Result<bool> {
        exchange.request_id = RequestId::of(session.req_header());
        let request_id = exchange.request_id.clone();
        let decided = exchange.decide(self.live.runtime(), &self.live.consumers, session.req_header());
        if let Err(refusal) = decided {
            self.refuse(session, &request_id, &Why::Refused(refusal)).await;
            return Ok(true);
        }
        if fields::declared_length(session.req_header()) > self.settings.body_bytes_max {
            exchange.failed_as = Some(Outcome::Canceled);
            let why = Why::Denied(&Denial::BodyTooLarge, exchange.admission.as_ref());
            exchange.code = Some(self.refuse(session, &request_id, &why).await);
            return Ok(true);
        }
        if fields::waits_for_consent(session.req_header()) {
            // Pingora would take this for an early answer that makes the body useless, and close behind it.
            session.set_close_on_response_before_downstream_finish(false);
            session.write_continue_response().await?;
            session.set_close_on_response_before_downstream_finish(true);
        }
        Ok(false)
    }

    async fn upstream_peer(&self, _session: &mut Session, exchange: &mut Exchange) -> Result<Box<HttpPeer>> {
        let peer = exchange.choose_target().and_then(|destination| destination.peer());
        peer.ok_or_else(|| Error::new_up(ErrorType::ConnectNoRoute))
    }

    /// Another try, at the next target, is safe: nothing of the request was sent.
    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        _exchange: &mut Exchange,
        mut error: Box<Error>,
    ) -> Box<Error> {
        error.set_retry(true);
        error
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        let (Some(admission), Some(destination), Some(way)) =
            (&exchange.admission, exchange.destination(), exchange.way())
        else {
            return Err(Error::new_in(ErrorType::InternalError));
        };
        let caller =
            peer(session).map(|peer| Caller::of(&self.settings.trusted_proxies, peer, &request.headers));
        fields::to_upstream(request, admission, destination, &way.base_path, &exchange.request_id, caller)?;
        exchange.sent_upstream = true;
        Ok(())
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        _body: &mut Option<Bytes>,
        _end_of_stream: bool,
        _exchange: &mut Exchange,
    ) -> Result<()> {
        if session.body_bytes_read() as u64 > self.settings.body_bytes_max {
            return Err(Error::new_down(ErrorType::HTTPStatus(413)));
        }
        Ok(())
    }

    /// An answer must be in order; an upgrade was never asked for.
    async fn upstream_response_filter(
        &self,
        _session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        exchange.interim += u32::from(response.status.is_informational());
        if response.status == StatusCode::SWITCHING_PROTOCOLS
            || exchange.interim > INTERIM_MAX
            || !fields::is_in_order(response)
        {
            return Err(Error::new_up(ErrorType::InvalidHTTPHeader));
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        _session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        fields::from_upstream(response, &self.portal_host);
        if response.status.is_informational() {
            return Ok(());
        }
        exchange.upstream_answered();
        response.insert_header("X-Request-Id", exchange.request_id.value())?;
        if let Some(admission) = &exchange.admission {
            let mut level = Vec::with_capacity(64);
            admission.write_rate_limit(&mut level);
            reply::write_limits(response, admission.rate_limit_policy(), level)?;
        }
        Ok(())
    }

    /// The call failed after it was admitted. Where nothing was answered yet, the caller is told what happened, in our
    /// words; where the answer had begun, its connection is cut, so that it cannot look complete.
    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        exchange: &mut Exchange,
    ) -> FailToProxy {
        let failure = match connection(session).and_then(Connection::body_fault) {
            Some(BodyFault::TooSlow) => Failure::Denied(Denial::RequestTimeout),
            Some(BodyFault::Malformed) => Failure::BadRequest,
            None => failure_of(error),
        };
        let denial = match &failure {
            Failure::Denied(denial) => Some(denial),
            Failure::BadRequest | Failure::CallerGone => None,
        };
        // What the gateway refuses is never charged.
        exchange.failed_as =
            Some(denial.map_or(Outcome::Canceled, |denial| denial.outcome().unwrap_or(Outcome::Abandoned)));
        let begun = session.response_written().is_some_and(|head| !head.status.is_informational());
        let why = match (&failure, denial) {
            (_, Some(denial)) => Why::Denied(denial, exchange.admission.as_ref()),
            (Failure::BadRequest, None) => Why::BadHead(&BadHead::Ambiguous("body_or_connection_field")),
            (_, None) => {
                // An answer that had begun was the upstream's; that the caller did not wait for its end changes nothing.
                exchange.failed_as = (!begun).then_some(Outcome::Canceled);
                return FailToProxy { error_code: 0, can_reuse_downstream: false };
            }
        };
        tracing::debug!(request_id = exchange.request_id.as_str(), %error, "a call failed on its way");
        let (code, status) = (why.code(), why.status());
        if begun {
            exchange.code = Some(code);
            return FailToProxy { error_code: 0, can_reuse_downstream: false };
        }
        // What is left of the request, and of the upstream's answer, is unknown.
        session.set_keepalive(None);
        let request_id = exchange.request_id.clone();
        self.refuse(session, &request_id, &why).await;
        exchange.code = Some(code);
        FailToProxy { error_code: status, can_reuse_downstream: false }
    }

    /// Whatever happened, it ends here and is counted once.
    async fn logging(&self, session: &mut Session, _error: Option<&Error>, exchange: &mut Exchange) {
        let status =
            session.response_written().map(|head| head.status.as_u16()).filter(|status| *status >= 200);
        let bytes = (session.body_bytes_read() as u64, session.body_bytes_sent() as u64);
        let ended = exchange.finish(status, bytes, &self.ledger, &self.live.metrics.unrouted);
        self.log.note(exchange.ending(&ended), |slot| {
            let request = session.req_header();
            exchange.describe(&ended, request, slot);
            slot.client = peer(session).map(|peer| {
                let values = request.headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
                self.settings.trusted_proxies.client_address(peer, values)
            });
        });
    }

    /// Failures are told in one debug line each, above: an upstream that is down must not fill the disk.
    fn suppress_error_log(&self, _session: &Session, _exchange: &Exchange, _error: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _exchange: &Exchange,
        _error: &Error,
        _context: ProxyWarnLogContext,
    ) -> bool {
        true
    }
}
