//! Holds the notification channel open and passes hints on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::source::{Source, SourceError, timed};

const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// Listens until `stop`, reconnecting with growing, jittered pauses. A connection that dies silently costs nothing
/// but speed: the revision is polled as well.
pub(super) async fn listen(
    source: Arc<dyn Source>,
    hint: Arc<Notify>,
    query_timeout: Duration,
    stop: CancellationToken,
) {
    let mut pause = RETRY_MIN;
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = listen_once(source.as_ref(), &hint, query_timeout, &mut pause) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "not listening for changes");
        }
        let wait = pause.mul_f64(rand::random_range(0.1..1.0));
        pause = (pause * 2).min(RETRY_MAX);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn listen_once(
    source: &dyn Source,
    hint: &Notify,
    query_timeout: Duration,
    pause: &mut Duration,
) -> Result<(), SourceError> {
    let mut hints = timed(query_timeout, source.listen()).await?;
    *pause = RETRY_MIN;
    // Whatever was announced while nobody listened is found by looking once.
    hint.notify_one();
    loop {
        hints.next().await?;
        hint.notify_one();
    }
}
