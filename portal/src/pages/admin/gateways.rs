//! Gateway processes: what each serves, and what it would not take.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use tollgate_store::NodeRow;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::parts::sheet::Tile;
use crate::parts::{Asked, Cell, List, Notice, Section};
use crate::session::Visit;
use crate::show::{self, Label, Moment};

/// A serving gateway that has not spoken for this long, in seconds, is not well.
const SILENCE_SECONDS: i64 = 30;

/// How the gateways are, in a sentence and a table.
pub struct Fleet {
    /// What is wrong, if anything.
    pub notice: Option<Notice>,
    /// The newest revision.
    pub revision: i64,
    /// How many serve it.
    pub current: usize,
    /// How many serve at all.
    pub serving: usize,
    /// All that were heard of in the last day.
    pub nodes: Vec<NodeRow>,
}

impl Fleet {
    /// As it is now.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look(state: &PortalState, now: DateTime<Utc>) -> Result<Self, Fault> {
        let nodes = state.store.list_nodes().await?;
        let revision = state.store.feed_head().await?.revision;
        let serving: Vec<&NodeRow> =
            nodes.iter().filter(|node| node.state == "serving" && !is_silent(node, now)).collect();
        let current = serving.iter().filter(|node| node.revision >= revision).count();
        Ok(Self { notice: notice(&nodes, revision, now), revision, current, serving: serving.len(), nodes })
    }

    /// All nodes.
    #[must_use]
    pub fn list(&self, asked: &Asked, now: DateTime<Utc>) -> List {
        let row = |node: &NodeRow| {
            let error = node.last_error.clone().unwrap_or_default();
            vec![
                Cell::Strong { text: node.name.clone(), second: error },
                Cell::Label(label(node, now)),
                Cell::Number(node.revision.to_string()),
                node.hash.clone().map_or(Cell::Nothing("–"), Cell::Code),
                Cell::Text(node.version.clone()),
                Cell::When(Moment::of(node.started_at, now)),
                Cell::When(Moment::of(node.seen_at, now)),
            ]
        };
        let mut list = List::new("nodes", "Gateways")
            .column("Node")
            .column("State")
            .numbers("Revision")
            .column("Hash")
            .column("Version")
            .numbers("Started")
            .numbers("Last heard of")
            .or_empty("server", "No gateway has reported", "A gateway reports itself when it has loaded its first revision. Start one with tollgate gateway.")
            .rows(self.nodes.iter().map(row))
            .whole(asked, "node");
        list.note = format!("newest revision {}", self.revision);
        list
    }
}

fn is_silent(node: &NodeRow, now: DateTime<Utc>) -> bool {
    node.state == "serving" && now - node.seen_at > TimeDelta::seconds(SILENCE_SECONDS)
}

fn label(node: &NodeRow, now: DateTime<Utc>) -> Label {
    match node.state.as_str() {
        "serving" if is_silent(node, now) => Label::new("bad", "Silent"),
        "serving" if node.last_error.is_some() => Label::new("warn", "Serving, with faults"),
        "serving" => Label::new("ok", "Serving"),
        "starting" => Label::new("info", "Starting"),
        "draining" => Label::new("warn", "Draining"),
        _ => Label::new("", "Stopped"),
    }
}

fn notice(nodes: &[NodeRow], revision: i64, now: DateTime<Utc>) -> Option<Notice> {
    let serving: Vec<&NodeRow> = nodes.iter().filter(|node| node.state == "serving").collect();
    if let Some((node, error)) =
        serving.iter().find_map(|node| node.last_error.as_ref().map(|error| (node, error)))
    {
        let title = format!("{} refuses a part of the configuration", node.name);
        let text = format!(
            "{error}. What this breaks is served as it was before, or answers 503; all else is in force. Mend the row, or change it back."
        );
        return Some(Notice::new("bad", title, text));
    }
    if let Some(node) = serving.iter().find(|node| is_silent(node, now)) {
        let title = format!("{} has not been heard of for {SILENCE_SECONDS} seconds or more", node.name);
        return Some(Notice::new(
            "bad",
            title,
            "It may be down, or cut off from the database. It serves on what it has, if it lives.",
        ));
    }
    if serving.is_empty() {
        return Some(Notice::new(
            "bad",
            "No gateway serves",
            "Calls are not answered. Start one with tollgate gateway.",
        ));
    }
    let behind = serving.iter().find(|node| node.revision + 1 < revision)?;
    let title = format!("{} serves revision {}, the newest is {revision}", behind.name, behind.revision);
    Some(Notice::new(
        "warn",
        title,
        "Gateways take a revision within seconds; one that stays behind has trouble with the database.",
    ))
}

/// `GET /admin/gateways`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    Desk::of(&visit)?;
    let fleet = Fleet::look(&state, visit.now).await?;
    let counted = state.store.counted_up_to().await?;
    let tile = |name: &str, value: String, note: &str| Tile {
        name: name.into(),
        value,
        note: note.into(),
        href: None,
    };
    let tiles = vec![
        tile("Serving", show::number(fleet.serving as i64), "gateways heard of in 30 seconds"),
        tile("Up to date", format!("{} of {}", fleet.current, fleet.serving), "serve the newest revision"),
        tile("Newest revision", fleet.revision.to_string(), "grows with every change"),
        tile(
            "Counted up to",
            counted.map_or_else(|| "–".into(), |at| Moment::clock(at).text),
            "calls of all gateways",
        ),
    ];
    sheet(&visit, "Gateways")
        .await?
        .intro("The processes that answer calls, and which revision of the configuration each serves.")
        .maybe(fleet.notice.clone())
        .part(Section::Tiles(tiles))
        .part(fleet.list(&asked, visit.now))
        .answer(&visit, &asked)
}
