//! What a gateway says of itself to the control plane.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::feed::source::{GatewayState, Heartbeat, Source, timed};
use crate::live::Live;
use crate::settings::Settings;

/// Reports this gateway until `stop`: at the usual times, and at once when there is news, for somebody may wait for a
/// revision to be in force.
pub(crate) async fn heartbeats(
    source: Arc<dyn Source>,
    live: Arc<Live>,
    settings: Arc<Settings>,
    boot_id: Uuid,
    stop: CancellationToken,
) {
    let mut last: Option<Heartbeat> = None;
    let mut due = tokio::time::Instant::now();
    loop {
        let state = match (live.status.is_draining(), live.is_loaded()) {
            (true, _) => GatewayState::Draining,
            (false, true) => GatewayState::Serving,
            (false, false) => GatewayState::Starting,
        };
        let now = heartbeat(&live, &settings, boot_id, state);
        if due <= tokio::time::Instant::now() || last.as_ref() != Some(&now) {
            if let Err(error) = timed(settings.query_timeout, source.heartbeat(&now)).await {
                tracing::debug!(%error, "no heartbeat");
            }
            due = tokio::time::Instant::now() + settings.heartbeat_every;
            last = Some(now);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = live.status.changed() => {}
            () = tokio::time::sleep_until(due) => {}
        }
    }
}

/// What there is to report now.
pub(crate) fn heartbeat(live: &Live, settings: &Settings, boot_id: Uuid, state: GatewayState) -> Heartbeat {
    Heartbeat {
        boot_id,
        name: settings.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        revision: live.status.revision(),
        state,
        last_error: live.status.last_error(),
        hash: live.status.fingerprint().map(|fingerprint| fingerprint.to_string()),
        counted_at: live.status.counted_at(),
    }
}
