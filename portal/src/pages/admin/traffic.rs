//! All calls by route, status and outcome.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::TRAFFIC_ROWS;
use crate::chart::{Chart, Step};
use crate::error::Answer;
use crate::pages::usage::overview::{Row, row};
use crate::pages::usage::range::{Choice, Range};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::Moment;
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "admin/traffic.html")]
pub struct View {
    pub shell: Shell,
    pub counted_to: Option<Moment>,
    pub ranges: Vec<Choice>,
    pub step: &'static str,
    pub chart: Chart,
    pub rows: Vec<Row>,
}

/// What the page's address carries.
#[derive(Debug, Deserialize)]
pub struct Address {
    range: Option<String>,
}

/// `GET /admin/traffic`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    let (_, scope) = visit.operator()?;
    let range = Range::named(address.range.as_deref());
    let since = range.since(visit.now);
    let series = state.store.usage_series(scope, None, since, range.step_seconds()).await?;
    let steps: Vec<Step> =
        series.iter().map(|one| Step { at: one.at, calls: one.calls, errors: one.errors }).collect();
    let traffic = state.store.traffic(scope, None, since, TRAFFIC_ROWS).await?;
    visit.page(&View {
        shell: visit.shell(Area::Admin, "Traffic").await?,
        counted_to: state.store.counted_up_to().await?.map(Moment::clock),
        ranges: range.choices("/admin/traffic", ""),
        step: range.step(),
        chart: Chart::of(&steps, range.step_seconds()),
        rows: traffic.into_iter().map(row).collect(),
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        [true, false]
            .map(|filled| Self {
                shell: Shell::sample(Area::Admin, "Traffic", "/admin/traffic"),
                counted_to: Some(crate::pages::sample_time(-1)),
                ranges: Range::Hour.choices("/admin/traffic", ""),
                step: "minute",
                chart: if filled {
                    crate::pages::usage::overview::sample_chart(60)
                } else {
                    Chart::of(&[], 60)
                },
                rows: if filled { crate::pages::usage::overview::sample_rows() } else { vec![] },
            })
            .into()
    }
}
