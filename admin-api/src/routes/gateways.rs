//! `GET /v1/gateways`

use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_store::NodeRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer;
use crate::auth::Reader;
use crate::problem::Answer;
use crate::query::Params;

/// The gateways heard of, and what they should run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "revision": 42,
    "data": [{
        "boot_id": "019a9f1c-7d7a-7c31-9b1e-2f0f5a6f7c11", "name": "edge-1", "version": "0.1.0", "revision": 42,
        "state": "serving", "last_error": null, "hash": "9f86d081884c7d65", "started_at": "2026-11-21T09:00:00Z", "seen_at": "2026-11-21T09:30:00Z"
    }],
    "next_cursor": null
}))]
pub struct Gateways {
    /// The newest revision: what every gateway should run.
    revision: i64,
    /// Gateway processes heard of in the last day, latest first, 100 at most.
    data: Vec<Gateway>,
    /// Always `null`: there are no further pages.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// One gateway process.
#[derive(Debug, Serialize, ToSchema)]
pub struct Gateway {
    /// The process; a restart brings a new one.
    boot_id: Uuid,
    /// Its host's name, or what it was told to be called.
    name: String,
    /// The build.
    version: String,
    /// The revision that it serves.
    revision: i64,
    /// starting, serving, draining or stopped.
    state: String,
    /// What of the newest revision it does not run, and why; `null` where it runs all of it.
    #[schema(required)]
    last_error: Option<String>,
    /// What the revision is made of, routes and keys: equal wherever the same configuration runs. `null` until it was
    /// saved to the gateway's disk, about a second after a change.
    #[schema(required)]
    hash: Option<String>,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it last spoke.
    seen_at: DateTime<Utc>,
}

impl From<NodeRow> for Gateway {
    fn from(row: NodeRow) -> Self {
        Self {
            boot_id: row.boot_id,
            name: row.name,
            version: row.version,
            revision: row.revision,
            state: row.state,
            last_error: row.last_error,
            hash: row.hash,
            started_at: row.started_at,
            seen_at: row.seen_at,
        }
    }
}

/// List gateways
///
/// A gateway whose revision stays below the newest could not take it. One that took it but for a row that does not
/// compile names that row in `last_error`; what it breaks is served as it was before, or refused as `config_invalid`.
#[utoipa::path(
    get, path = "/v1/gateways", tag = "Gateways", operation_id = "listGateways",
    responses((status = 200, description = "The gateways.", body = Gateways))
)]
pub async fn list_gateways(reader: Reader, params: Params) -> Answer {
    params.finish()?;
    let store = reader.control.store();
    let revision = store.feed_head().await?.revision;
    let data = store.list_nodes().await?.into_iter().map(Gateway::from).collect();
    Ok(answer::ok(Gateways { revision, data, next_cursor: None }))
}
