//! `tollgate status`: which gateways run the configuration that is in force.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use tollgate_control::Control;
use tollgate_store::NodeRow;

use crate::cli::Place;
use crate::once;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A gateway that was silent for longer is taken for gone.
const SILENCE_MAX: TimeDelta = TimeDelta::seconds(10);

/// Prints the revision and every gateway; 0 where all that serve run it. With `wait`, looks until they do or time is up.
pub async fn status(place: Place, wait: bool, timeout: Duration) -> anyhow::Result<ExitCode> {
    let control = once::control(&place).await?;
    let until = Instant::now() + timeout;
    loop {
        let (revision, nodes) = look(&control).await?;
        let applied = !nodes.is_empty() && nodes.iter().all(|node| node.revision >= revision);
        if applied || !wait || Instant::now() >= until {
            print(revision, &nodes);
            return Ok(if applied { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The revision in force, and the gateways that serve.
pub async fn look(control: &Control) -> anyhow::Result<(i64, Vec<NodeRow>)> {
    let revision = control.store().feed_head().await?.revision;
    let mut nodes = control.store().list_nodes().await?;
    let alive_since = Utc::now() - SILENCE_MAX;
    nodes.retain(|node| node.state == "serving" && node.seen_at > alive_since);
    Ok((revision, nodes))
}

fn print(revision: i64, nodes: &[NodeRow]) {
    println!("revision {revision}");
    if nodes.is_empty() {
        println!("no gateway serves");
    }
    for node in nodes {
        let standing = match node.revision >= revision {
            true => "up to date".to_owned(),
            false => format!("behind, at {}", node.revision),
        };
        let error = node.last_error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
        println!("gateway {} ({}) {standing}{error}", node.name, node.version);
    }
}
