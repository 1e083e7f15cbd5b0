//! What every call is held to.

use std::sync::Arc;
use std::time::Duration;

use crate::downstream::Downstream;
use crate::exchange::Exchange;
use crate::fields::Ours;
use crate::live::Live;
use crate::settings::Settings;
use crate::time;

/// What every call is held to.
pub(crate) struct Terms {
    /// What problem codes are appended to.
    pub(crate) type_base: String,
    /// No upstream may set a cookie that reaches it.
    pub(crate) portal_host: String,
    pub(crate) body_bytes_max: u64,
    pub(crate) body_patience: Duration,
    pub(crate) body_rate_min: u64,
    pub(crate) write_timeout: Duration,
    pub(crate) half_close_timeout: Duration,
    pub(crate) stream_idle_timeout: Duration,
    pub(crate) tunnel_idle_timeout: Duration,
    pub(crate) upstream_waiting_max: u32,
    live: Arc<Live>,
}

impl Terms {
    pub(crate) fn new(settings: &Settings, live: &Arc<Live>) -> Self {
        let portal: Option<http::Uri> = settings.problem_base_url.parse().ok();
        Self {
            type_base: settings.type_base(),
            portal_host: portal.and_then(|uri| Some(uri.host()?.to_ascii_lowercase())).unwrap_or_default(),
            body_bytes_max: settings.body_bytes_max,
            body_patience: settings.body_patience,
            body_rate_min: settings.body_rate_min,
            write_timeout: settings.write_timeout,
            half_close_timeout: settings.half_close_timeout,
            stream_idle_timeout: settings.stream_idle_timeout,
            tunnel_idle_timeout: settings.tunnel_idle_timeout,
            upstream_waiting_max: settings.upstream_waiting_max,
            live: Arc::clone(live),
        }
    }

    /// Whether a call that lasts may go on: its API is served yet, and its caller may still call.
    pub(crate) fn still_allows(&self, exchange: &Exchange) -> bool {
        let Some(admission) = &exchange.admission else { return false };
        let (consumer, now_ns) = (&admission.consumer, time::unix_ns());
        let (application, subscription) = (consumer.application_id(), consumer.subscription_id());
        self.live.serves(admission.matched.api().id, now_ns)
            && self.live.consumers.still_knows(application, consumer.credential_id, subscription, now_ns)
    }

    /// What of an upstream's answer is ours to say.
    pub(crate) fn ours(&self, exchange: &Exchange) -> Ours<'_> {
        Ours { portal_host: &self.portal_host, deprecation: exchange.notice().is_some() }
    }

    /// Adds `Date` where the upstream did not.
    pub(crate) fn date<D: Downstream>(&self, answer: &mut D) {
        answer.field_with(b"date", |out| crate::date::write(out, time::unix_ns()));
    }
}
