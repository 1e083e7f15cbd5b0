//! A gateway's life from its first call to its last word: the work beside the calls, and the end of it in order.

use std::net::TcpListener as StdTcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Parts;
use super::serving::{Succession, end, serve_calls};
use crate::disk::DataDir;
use crate::feed::Feed;
use crate::feed::source::{GatewayState, timed};
use crate::handover::{Inheritance, Thing};
use crate::heartbeat::{heartbeat, heartbeats};
use crate::listen::Listeners;
use crate::request_log::carry::Carrier;
use crate::usage::flush::Flush;
use crate::usage::leases::Leases;

/// How long the last words at shutdown may take.
const FAREWELL: Duration = Duration::from_secs(10);

pub(super) async fn supervise(
    parts: Parts,
    (data, things, inherited): (Arc<DataDir>, Vec<Thing>, Option<Inheritance>),
    (listeners, operator_listener): (Listeners, StdTcpListener),
    (feed, flush, leases): (Feed, Flush, Leases),
    shutdown: CancellationToken,
) {
    let Parts { settings, source, live, ledger, log, resolver, boot_id, .. } = &parts;
    // Background work outlives the calls: what they counted must be carried away. Dropped handles abort, so that a
    // gateway that has stopped holds nothing, its directory least of all.
    let background_stop = CancellationToken::new();
    let flush_status = flush.status();
    let (tell, left_behind) = mpsc::channel(1);
    let flushing = AbortOnDropHandle::new(tokio::spawn(flush.run(background_stop.clone(), left_behind)));
    let leasing = AbortOnDropHandle::new(tokio::spawn(leases.run(background_stop.clone())));
    let following = AbortOnDropHandle::new(tokio::spawn(feed.follow(background_stop.clone())));
    let resolving = Arc::clone(resolver).refresh(settings.look_up_every, background_stop.clone());
    let resolving = AbortOnDropHandle::new(tokio::spawn(resolving));
    let beating = AbortOnDropHandle::new(tokio::spawn(heartbeats(
        Arc::clone(source),
        Arc::clone(live),
        Arc::clone(settings),
        *boot_id,
        background_stop.clone(),
    )));
    let carrier = Carrier::new(Arc::clone(log), Arc::clone(source), Arc::clone(settings), *boot_id);
    let carrying = AbortOnDropHandle::new(tokio::spawn(carrier.run(background_stop.clone())));
    let _watching =
        AbortOnDropHandle::new(tokio::spawn(Arc::clone(&live.certificates).watch(background_stop.clone())));
    let handed_over = CancellationToken::new();
    let _operating = match TcpListener::from_std(operator_listener) {
        Ok(listener) => {
            let (live, ledger, log) = (Arc::clone(live), Arc::clone(ledger), Arc::clone(log));
            let snapshots = data.snapshot_counts();
            let operating = crate::operator::serve(listener, live, ledger, flush_status, log, snapshots);
            // Whoever takes over is asked instead.
            let taken = handed_over.clone();
            Some(AbortOnDropHandle::new(tokio::spawn(
                async move { taken.run_until_cancelled(operating).await },
            )))
        }
        Err(error) => {
            tracing::error!(%error, "the operator's listener cannot be used");
            None
        }
    };

    let succession = Succession { data, things, inherited, tell, handed_over };
    let taken = serve_calls(&parts, listeners, succession, &shutdown).await;

    background_stop.cancel();
    let usage = async {
        if let Ok(flush) = flushing.await {
            flush.finish().await;
        }
    };
    let farewell = async {
        // How the others end is of no interest any more.
        let _ = tokio::join!(usage, leasing, carrying, following, resolving, beating);
        let last = heartbeat(live, settings, *boot_id, GatewayState::Stopped);
        if let Err(error) = timed(settings.query_timeout, source.heartbeat(&last)).await {
            tracing::debug!(%error, "could not say goodbye");
        }
    };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        tracing::warn!("the control plane was too slow for a full farewell; usage stays in the journal");
    }
    log.finish_access();
    // The connection to whoever took over is open until here: then all is handed in or left for them.
    if let Some(passing) = taken {
        end(passing).await;
    }
    tracing::info!("the gateway has stopped");
}
