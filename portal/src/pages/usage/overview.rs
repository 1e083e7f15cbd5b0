//! Usage of the organization's applications: sums, quota, time, endpoints.

use askama::Template;
use axum::extract::{Query, State};
use chrono::TimeDelta;
use serde::Deserialize;
use tollgate_domain::{ApplicationId, CalendarMonth, LimitKind, SubscriptionState};
use tollgate_store::{Page, TrafficRow, UsageTotals};

use super::range::{Choice, Range};
use crate::chart::{Chart, Step};
use crate::error::{Answer, Fault};
use crate::pages::start::first_step;
use crate::session::{Member, Visit};
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters, reference};

/// So few calls in a month mean that these are the first.
const FIRST_CALLS: i64 = 3;

pub struct Stat {
    pub name: &'static str,
    pub value: String,
    pub note: String,
}

pub struct Meter {
    pub name: String,
    pub left: String,
    pub limit: String,
    pub resets: Moment,
    pub percent: String,
    pub tone: &'static str,
}

pub struct Row {
    pub method: String,
    pub path: String,
    pub status: Label,
    pub outcome: &'static str,
    pub calls: String,
    pub average: String,
}

#[derive(Template)]
#[template(path = "usage/usage.html")]
pub struct View {
    pub shell: Shell,
    pub counted_to: Option<Moment>,
    pub ranges: Vec<Choice>,
    pub waiting: bool,
    pub first: bool,
    pub curl: Option<String>,
    pub stats: Vec<Stat>,
    pub meters: Vec<Meter>,
    pub step: &'static str,
    pub chart: Chart,
    pub rows: Vec<Row>,
}

/// What the page's address carries.
#[derive(Debug, Deserialize)]
pub struct Address {
    range: Option<String>,
    application: Option<String>,
}

/// `GET /usage`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    let member = visit.member()?;
    let store = &state.store;
    let application: Option<ApplicationId> =
        address.application.as_deref().map(str::parse).transpose().map_err(|_| Fault::not_found())?;
    if let Some(id) = application {
        store.get_application(member.scope, id).await?;
    }
    let range = Range::named(address.range.as_deref());
    let since = range.since(visit.now);
    let month = store.usage_totals(member.scope, application, visit.now - TimeDelta::days(30)).await?;
    let waiting = month.calls == 0;
    let totals = store.usage_totals(member.scope, application, since).await?;
    let series = store.usage_series(member.scope, application, since, range.step_seconds()).await?;
    let steps: Vec<Step> =
        series.iter().map(|one| Step { at: one.at, calls: one.calls, errors: one.errors }).collect();
    let rest = application.map_or_else(String::new, |id| format!("&application={id}"));
    visit.page(&View {
        shell: visit.shell(Area::Developer, "Usage").await?,
        counted_to: store.counted_up_to().await?.map(Moment::clock),
        ranges: range.choices("/usage", &rest),
        waiting,
        first: !waiting && month.calls <= FIRST_CALLS,
        curl: if waiting { example(&state, &member, application).await? } else { None },
        stats: stats(&totals),
        meters: meters(&state, &member, &visit, application).await?,
        step: range.step(),
        chart: Chart::of(&steps, range.step_seconds()),
        rows: store.traffic(member.scope, application, since, 200).await?.into_iter().map(row).collect(),
    })
}

/// The sums as tiles.
pub fn stats(totals: &UsageTotals) -> Vec<Stat> {
    let errors = totals.refused + totals.client_errors + totals.server_errors;
    let mean = totals.duration_us / totals.calls.max(1);
    vec![
        Stat {
            name: "Calls",
            value: show::number(totals.calls),
            note: format!("{} charged", show::number(totals.charged)),
        },
        Stat {
            name: "Refused or failed",
            value: show::number(errors),
            note: format!("{} of all calls", show::share(errors, totals.calls)),
        },
        Stat {
            name: "Average time",
            value: if totals.calls == 0 { "–".into() } else { show::duration(mean) },
            note: "of a whole call".into(),
        },
    ]
}

/// A line of a traffic table.
pub fn row(row: TrafficRow) -> Row {
    Row {
        method: row.method.unwrap_or_else(|| "–".into()),
        path: row.path.unwrap_or_else(|| "an operation that is gone".into()),
        status: Label::status(u16::try_from(row.status).unwrap_or(0)),
        outcome: show::outcome(row.outcome),
        calls: show::number(row.calls),
        average: show::duration(row.mean_us),
    }
}

/// What is left of each quota this month.
async fn meters(
    state: &PortalState,
    member: &Member,
    visit: &Visit,
    application: Option<ApplicationId>,
) -> Result<Vec<Meter>, Fault> {
    let month = CalendarMonth::of(visit.now);
    let mut meters = Vec::new();
    for one in state.store.list_subscriptions(member.scope, application, Page::FIRST_500).await? {
        if one.state != SubscriptionState::Active {
            continue;
        }
        let plan = state.store.get_plan(one.plan_id).await?;
        let Some(quota) = plan.limits.iter().find(|limit| limit.kind == LimitKind::Quota) else { continue };
        let used = state.store.quota_used(one.id, month).await?;
        let product = state.store.get_product(one.product_id).await?;
        meters.push(meter(product.name, used, quota.amount, Moment::day(month.end())));
    }
    Ok(meters)
}

fn meter(product: String, used: u64, amount: u64, resets: Moment) -> Meter {
    let percent = (used.min(amount) as f64) * 100.0 / amount.max(1) as f64;
    let shown = |calls: u64| show::number(i64::try_from(calls).unwrap_or(i64::MAX));
    Meter {
        name: format!("Quota left, {product}"),
        left: shown(amount.saturating_sub(used)),
        limit: shown(amount),
        resets,
        percent: format!("{percent:.1}"),
        tone: match percent {
            100.0.. => "bad",
            80.0.. => "warn",
            _ => "",
        },
    }
}

async fn example(
    state: &PortalState,
    member: &Member,
    application: Option<ApplicationId>,
) -> Result<Option<String>, Fault> {
    let first = state.store.list_applications(member.scope, Page { after: None, limit: 1 }).await?;
    let Some(id) = application.or_else(|| first.first().map(|row| row.id)) else { return Ok(None) };
    let call = first_step(state, member.scope, id).await?.and_then(|step| step.call);
    Ok(call.map(|call| reference::curl(&state.settings.gateway_url, &call.api, &call.operation, None)))
}

#[cfg(test)]
pub fn sample_rows() -> Vec<Row> {
    let line = |path: &str, status, outcome, calls| {
        row(TrafficRow {
            api: Some("countries".into()),
            method: Some("GET".into()),
            path: Some(path.into()),
            status,
            outcome,
            calls,
            mean_us: 4_210,
        })
    };
    vec![
        line("/countries/v1/countries", 200, 1, 18_204),
        line("/countries/v1/countries/{code}", 200, 1, 913),
        line("/countries/v1/countries/{code}", 404, 1, 41),
        line("/countries/v1/countries", 429, 2, 12),
        line("/countries/v1/countries", 502, 4, 3),
    ]
}

#[cfg(test)]
pub fn sample_chart(seconds: i32) -> Chart {
    let end = crate::pages::SAMPLE_NOW.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant");
    let steps: Vec<Step> = (0..60i64)
        .map(|index| {
            let calls = if index < 8 { 0 } else { (index * 37 % 53) * (index % 9) };
            let at = end - TimeDelta::seconds((60 - index) * i64::from(seconds));
            Step { at, calls, errors: if index % 11 == 0 { calls / 6 } else { 0 } }
        })
        .collect();
    Chart::of(&steps, seconds)
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let view = |waiting: bool, first: bool, used| Self {
            shell: Shell::sample(Area::Developer, "Usage", "/usage"),
            counted_to: Some(Moment::clock(crate::pages::SAMPLE_NOW.parse().expect("an instant"))),
            ranges: Range::Hour.choices("/usage", ""),
            waiting,
            first,
            curl: waiting.then(|| {
                "curl 'http://127.0.0.1:8080/countries/v1/countries' \\\n  -H \"X-API-Key: YOUR_KEY\"".into()
            }),
            stats: stats(&UsageTotals {
                calls: 19_173,
                charged: 19_158,
                refused: 12,
                client_errors: 41,
                server_errors: 3,
                duration_us: 80_000_000,
            }),
            meters: vec![meter("Countries".into(), used, 25_000, crate::pages::sample_time(900_000))],
            step: "minute",
            chart: sample_chart(60),
            rows: if first { vec![] } else { sample_rows() },
        };
        vec![view(false, false, 19_158), view(true, false, 0), view(false, true, 22_000)]
    }
}
