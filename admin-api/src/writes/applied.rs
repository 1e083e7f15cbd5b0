//! `?wait=applied`: a write answers when the gateways run it.

use std::time::{Duration, Instant};

use axum::response::Response;
use chrono::{TimeDelta, Utc};
use http::{HeaderName, HeaderValue};

use crate::App;

/// The revision that the change is part of.
pub const REVISION: HeaderName = HeaderName::from_static("tollgate-revision");
/// Whether every gateway runs that revision.
pub const APPLIED: HeaderName = HeaderName::from_static("tollgate-applied");

/// How long gateways are waited for where the caller does not say.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
const TIMEOUT_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A gateway that was silent for longer is taken for gone.
const SILENCE_MAX: TimeDelta = TimeDelta::seconds(10);

/// Holds a good answer back until all serving gateways run the revision, or time is up. The answer stays the write's
/// own; a header says how it went.
pub async fn held_back(app: &App, timeout: Duration, mut response: Response) -> Response {
    // The change is made; a database that goes away now must not make it look failed.
    let (revision, applied) = wait(app, timeout).await.unwrap_or((None, false));
    let headers = response.headers_mut();
    if let Some(revision) = revision {
        headers.insert(REVISION, HeaderValue::from(revision));
    }
    headers.insert(APPLIED, HeaderValue::from_static(if applied { "true" } else { "false" }));
    response
}

/// Like `5s` or `500ms`, up to 20 s.
pub fn duration(text: &str) -> Option<Duration> {
    let duration = match text.strip_suffix("ms") {
        Some(number) => Duration::from_millis(number.parse().ok()?),
        None => Duration::from_secs(text.strip_suffix('s')?.parse().ok()?),
    };
    Some(duration).filter(|duration| *duration <= TIMEOUT_MAX)
}

async fn wait(app: &App, timeout: Duration) -> tollgate_store::Result<(Option<i64>, bool)> {
    let store = app.control.store();
    let deadline = Instant::now() + timeout;
    let revision = store.feed_head().await?.revision;
    loop {
        let alive_since = Utc::now() - SILENCE_MAX;
        let mut nodes = store.list_nodes().await.unwrap_or_default();
        nodes.retain(|node| node.state == "serving" && node.seen_at > alive_since);
        if nodes.is_empty() {
            return Ok((Some(revision), false));
        }
        if nodes.iter().all(|node| node.revision >= revision) {
            return Ok((Some(revision), true));
        }
        if Instant::now() >= deadline {
            return Ok((Some(revision), false));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_a_unit_and_an_end() {
        for (text, expected) in [
            ("5s", Some(5_000)),
            ("250ms", Some(250)),
            ("20s", Some(20_000)),
            ("21s", None),
            ("5", None),
            ("-1s", None),
            ("1e3ms", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(duration(text).map(|duration| duration.as_millis()), expected, "{text}");
        }
    }
}
