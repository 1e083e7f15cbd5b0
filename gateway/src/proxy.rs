//! A call's life: decided in the engine, carried to its upstream and back, and counted once.

mod carry;
mod refusal;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use crate::browser::{self, Browser};
use crate::downstream::{Downstream, Length};
use crate::exchange::{Ended, Exchange};
use crate::fields::Said;
use crate::live::Live;
use crate::pool::Pool;
use crate::relay::{Failure, Wishes};
use crate::reply::Why;
use crate::request_log::RequestLog;
use crate::settings::Settings;
use crate::terms::Terms;
use crate::tls::challenges;
use crate::usage::leases::Desk;
use crate::usage::ledger::Ledger;

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
            Box::pin(self.answer_preflight(caller)).await;
            return None;
        }
        match Browser::of(caller, origins) {
            // In a box: it is as large as the other way, and few calls come from pages.
            Ok(mut page) => Box::pin(self.serve_call(pool, &mut page)).await,
            Err(caller) => self.serve_call(pool, caller).await,
        }
    }

    async fn serve_call<D: Downstream>(&self, pool: &Pool, caller: &mut D) -> Option<Instant> {
        let mut familiar = caller.take_familiar();
        let said = Said::of(caller.fields());
        let mut exchange = Exchange::new(said.request_id());
        let mut decided = exchange.decide(
            self.live.runtime(),
            &self.live.consumers,
            &*caller,
            &said,
            &self.settings.trusted_proxies,
            familiar.as_mut(),
        );
        if let Some((subscription, units)) = exchange.runs_low() {
            self.desk.ask(subscription, units);
        }
        // Exact quotas alone, and only where nothing is leased: every other call goes past this.
        if exchange.waits_for_lease().is_some() {
            let since = Instant::now();
            while let Some((subscription, units)) = exchange.waits_for_lease()
                && self.desk.next_answer(since, subscription, units).await
            {
                decided = exchange.decide(
                    self.live.runtime(),
                    &self.live.consumers,
                    &*caller,
                    &said,
                    &self.settings.trusted_proxies,
                    familiar.as_mut(),
                );
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
        if let Some(familiar) = familiar {
            caller.keep_familiar(familiar);
        }
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
}
