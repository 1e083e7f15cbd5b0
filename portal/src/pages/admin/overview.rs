//! How the platform is doing: the last 24 hours and the gateways.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use tollgate_store::{NodeRow, Page, TrafficRow};

use super::TRAFFIC_ROWS;
use crate::chart::{Chart, Step};
use crate::error::Answer;
use crate::pages::usage::overview::{Stat, stats};
use crate::pages::usage::range::Range;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters};

/// A serving gateway that has not spoken for this long, in seconds, is not well.
const SILENCE_SECONDS: i64 = 30;

pub struct TopRow {
    pub href: String,
    pub name: String,
    pub calls: String,
    pub client: String,
    pub server: String,
    pub average: String,
}

pub struct Node {
    pub name: String,
    pub error: Option<String>,
    pub state: Label,
    pub revision: i64,
    /// Equal on all that run the same.
    pub hash: Option<String>,
    pub version: String,
    pub seen: Moment,
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
pub struct View {
    pub shell: Shell,
    pub warning: Option<String>,
    pub stats: Vec<Stat>,
    pub chart: Chart,
    pub top: Vec<TopRow>,
    pub nodes: Vec<Node>,
    pub revision: i64,
}

/// `GET /admin`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let (_, scope) = visit.operator()?;
    let store = &state.store;
    let range = Range::Day;
    let since = range.since(visit.now);
    let totals = store.usage_totals(scope, None, since).await?;
    let series = store.usage_series(scope, None, since, range.step_seconds()).await?;
    let steps: Vec<Step> =
        series.iter().map(|one| Step { at: one.at, calls: one.calls, errors: one.errors }).collect();
    let names = store.list_apis(Page::FIRST_500).await?;
    let traffic = store.traffic(scope, None, since, TRAFFIC_ROWS).await?;
    let name_of = |slug: &str| names.iter().find(|api| api.slug.as_str() == slug).map(|api| api.name.clone());
    let revision = store.feed_head().await?.revision;
    let nodes = store.list_nodes().await?;
    visit.page(&View {
        shell: visit.shell(Area::Admin, "Overview").await?,
        warning: warning(&nodes, revision, visit.now),
        stats: stats(&totals),
        chart: Chart::of(&steps, range.step_seconds()),
        top: busiest(traffic, name_of),
        nodes: nodes.into_iter().map(|row| node(row, visit.now)).collect(),
        revision,
    })
}

/// Traffic lines summed by API, most calls first.
fn busiest(traffic: Vec<TrafficRow>, name_of: impl Fn(&str) -> Option<String>) -> Vec<TopRow> {
    #[derive(Default)]
    struct Sum {
        calls: i64,
        client: i64,
        server: i64,
        micros: i64,
    }
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for row in traffic {
        let Some(api) = row.api else { continue };
        let sum = sums.entry(api).or_default();
        sum.calls += row.calls;
        sum.micros += row.calls * row.mean_us;
        match row.status {
            400..=499 => sum.client += row.calls,
            500.. => sum.server += row.calls,
            _ => {}
        }
    }
    let mut sums: Vec<(String, Sum)> = sums.into_iter().collect();
    sums.sort_by_key(|(_, sum)| -sum.calls);
    sums.into_iter()
        .take(10)
        .map(|(slug, sum)| TopRow {
            href: format!("/admin/apis/{slug}"),
            name: name_of(&slug).unwrap_or(slug),
            calls: show::number(sum.calls),
            client: show::number(sum.client),
            server: show::number(sum.server),
            average: show::duration(sum.micros / sum.calls.max(1)),
        })
        .collect()
}

fn is_silent(node: &NodeRow, now: DateTime<Utc>) -> bool {
    node.state == "serving" && now - node.seen_at > TimeDelta::seconds(SILENCE_SECONDS)
}

fn warning(nodes: &[NodeRow], revision: i64, now: DateTime<Utc>) -> Option<String> {
    let serving: Vec<&NodeRow> = nodes.iter().filter(|node| node.state == "serving").collect();
    if let Some(node) = serving.iter().find(|node| node.last_error.is_some()) {
        return Some(format!(
            "{} keeps revision {} because it could not take a newer one.",
            node.name, node.revision
        ));
    }
    if let Some(node) = serving.iter().find(|node| is_silent(node, now)) {
        return Some(format!("{} has not been heard of for {SILENCE_SECONDS} seconds or more.", node.name));
    }
    let behind = serving.iter().find(|node| node.revision + 1 < revision)?;
    Some(format!("{} serves revision {}, the newest is {revision}.", behind.name, behind.revision))
}

fn node(row: NodeRow, now: DateTime<Utc>) -> Node {
    let state = match row.state.as_str() {
        "serving" if is_silent(&row, now) => Label::new("bad", "Silent"),
        "serving" => Label::new("ok", "Serving"),
        "starting" => Label::new("info", "Starting"),
        "draining" => Label::new("warn", "Draining"),
        _ => Label::new("", "Stopped"),
    };
    Node {
        name: row.name,
        error: row.last_error,
        state,
        revision: row.revision,
        hash: row.hash,
        version: row.version,
        seen: Moment::of(row.seen_at, now),
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use tollgate_store::UsageTotals;
        let top = |name: &str, calls: &str| TopRow {
            href: "/admin/apis/countries".into(),
            name: name.into(),
            calls: calls.into(),
            client: "53".into(),
            server: "3".into(),
            average: "4.2 ms".into(),
        };
        let node = |name: &str, state: Label, error: Option<&str>| Node {
            name: name.into(),
            error: error.map(str::to_owned),
            state,
            revision: 41,
            hash: Some("9f86d081884c7d65".into()),
            version: "0.1.0".into(),
            seen: crate::pages::sample_time(-1),
        };
        let totals = UsageTotals {
            calls: 1_204_551,
            charged: 1_190_023,
            refused: 8_230,
            client_errors: 4_100,
            server_errors: 77,
            duration_us: 6_100_000_000,
        };
        let shell = || Shell::sample(Area::Admin, "Overview", "/admin");
        vec![
            Self {
                shell: shell(),
                warning: None,
                stats: stats(&totals),
                chart: crate::pages::usage::overview::sample_chart(3_600),
                top: vec![top("Countries API", "1,100,200"), top("Exchange rates", "104,351")],
                nodes: vec![node("gw-1.fra", Label::new("ok", "Serving"), None)],
                revision: 41,
            },
            Self {
                shell: shell(),
                warning: Some("gw-2.fra keeps revision 41 because it could not take a newer one.".into()),
                stats: stats(&UsageTotals::default()),
                chart: Chart::of(&[], 3_600),
                top: vec![],
                nodes: vec![node("gw-2.fra", Label::new("bad", "Silent"), Some("API countries: no target"))],
                revision: 43,
            },
        ]
    }
}
