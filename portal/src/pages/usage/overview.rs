//! Usage of the organization's applications: sums, quota, time, endpoints.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use tollgate_control::SecretText;
use tollgate_domain::{Amount, ApplicationId, CalendarMonth, SubscriptionState};
use tollgate_store::{
    Grain, Page, TrafficRow, UsageKeyRow, UsageLineRow, UsageRange, UsageStepRow, UsageTotals,
};

use super::range::{Choice, Range};
use crate::chart::{Chart, Step};
use crate::error::{Answer, Fault};
use crate::pages::start::first_step;
use crate::say::{say, t};
use crate::session::{Member, Visit};
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters, reference};

/// So few calls in a month mean that these are the first.
const FIRST_CALLS: i64 = 3;
/// Lines that sums are made of; an API has fewer operations times statuses.
const LINES_MAX: i64 = 5_000;
/// Lines of the tables.
const ROWS_MAX: usize = 100;
const KEYS_MAX: i64 = 50;

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
    pub metered: Vec<MeterLine>,
    pub step: &'static str,
    pub chart: Chart,
    /// What the script draws in place of the chart: JSON.
    pub series: String,
    pub rows: Vec<Row>,
    pub keys: Vec<KeyLine>,
    pub errors: Vec<ErrorLine>,
    pub csv_href: String,
}

/// What one meter of one subscription counted this month.
pub struct MeterLine {
    pub of: String,
    pub what: String,
    pub units: String,
}

/// Usage of one key.
pub struct KeyLine {
    pub href: String,
    pub name: String,
    pub shown: String,
    pub calls: String,
    pub errors: String,
}

/// Calls that ended in one kind of error.
pub struct ErrorLine {
    pub status: Label,
    pub outcome: &'static str,
    pub calls: String,
    pub share: String,
    pub log_href: String,
}

/// What the page's address carries.
#[derive(Debug, Deserialize)]
pub struct Address {
    pub range: Option<String>,
    application: Option<String>,
}

impl Address {
    /// The application that it names, if it is the organization's.
    pub async fn application(
        &self,
        state: &PortalState,
        member: &Member,
    ) -> Result<Option<ApplicationId>, Fault> {
        let Some(id) = self.application.as_deref() else { return Ok(None) };
        let id = id.parse().map_err(|_| Fault::not_found())?;
        state.store.get_application(member.scope, id).await?;
        Ok(Some(id))
    }
}

/// `GET /usage`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    let member = visit.member()?;
    let store = &state.store;
    let application = address.application(&state, &member).await?;
    let range = Range::named(address.range.as_deref());
    let since = range.since(visit.now);
    let month = UsageRange {
        organization: member.organization_id,
        application,
        credential: None,
        since: Range::Month.since(visit.now),
        grain: Grain::Days,
    };
    let calls: i64 = store.usage_steps(&month, 86_400).await?.iter().map(|day| day.calls).sum();
    let waiting = calls == 0;
    let wanted = UsageRange {
        organization: member.organization_id,
        application,
        credential: None,
        since,
        grain: range.grain(),
    };
    let series = store.usage_steps(&wanted, range.step_seconds()).await?;
    let steps: Vec<Step> = series
        .iter()
        .map(|one| Step { at: one.at, calls: one.calls, errors: one.refused + one.failed })
        .collect();
    let lines = store.usage_lines(&wanted, None, LINES_MAX).await?;
    let totals = totals(&lines);
    let rest = application.map_or_else(String::new, |id| format!("&application={id}"));
    visit.page(&View {
        shell: visit.shell(Area::Developer, t("around-usage")).await?,
        counted_to: store.counted_up_to().await?.map(Moment::clock),
        ranges: range.choices("/usage", &rest),
        waiting,
        first: !waiting && calls <= FIRST_CALLS,
        curl: if waiting { example(&state, &member, application).await? } else { None },
        stats: stats(&totals),
        meters: meters(&state, &member, &visit, application).await?,
        metered: metered(&state, &member, &visit).await?,
        step: range.step(),
        chart: Chart::of(&steps, range.step_seconds()),
        series: drawn(&series, range.step_seconds()),
        errors: errors(&lines, &totals, &rest),
        rows: lines.into_iter().take(ROWS_MAX).map(line).collect(),
        keys: store.usage_keys(&wanted, KEYS_MAX).await?.iter().map(key_line).collect(),
        csv_href: format!("/usage.csv?range={}{rest}", range.name()),
    })
}

/// Steps as the script takes them: a list of times, and one of counts for each kind of answer.
fn drawn(steps: &[UsageStepRow], step_seconds: i32) -> String {
    let column = |of: fn(&UsageStepRow) -> i64| steps.iter().map(of).collect::<Vec<i64>>();
    serde_json::json!({
        "step": step_seconds,
        "at": column(|one| one.at.timestamp()),
        "answered": column(|one| one.calls - one.refused - one.failed),
        "refused": column(|one| one.refused),
        "failed": column(|one| one.failed),
    })
    .to_string()
}

fn totals(lines: &[UsageLineRow]) -> UsageTotals {
    let sum = |pick: fn(&UsageLineRow) -> i64, of: fn(&UsageLineRow) -> bool| {
        lines.iter().filter(|line| of(line)).map(pick).sum::<i64>()
    };
    UsageTotals {
        calls: sum(|line| line.calls, |_| true),
        charged: sum(|line| line.charged, |_| true),
        refused: sum(|line| line.calls, |line| matches!(line.outcome, 2 | 3)),
        client_errors: sum(
            |line| line.calls,
            |line| !matches!(line.outcome, 2 | 3) && (400..500).contains(&line.status),
        ),
        server_errors: sum(|line| line.calls, |line| line.status >= 500),
        duration_us: sum(|line| line.duration_us, |_| true),
    }
}

fn line(line: UsageLineRow) -> Row {
    row(TrafficRow {
        api: line.api,
        method: line.method,
        path: line.path,
        status: line.status,
        outcome: line.outcome,
        calls: line.calls,
        mean_us: line.duration_us / line.calls.max(1),
    })
}

fn key_line(row: &UsageKeyRow) -> KeyLine {
    KeyLine {
        href: format!("/applications/{}/keys/{}", row.application_id, row.credential_id),
        name: row.name.clone(),
        shown: format!("{}…{}", row.display_prefix, row.display_last4),
        calls: show::number(row.calls),
        errors: show::share(row.errors, row.calls),
    }
}

/// Errors by what they were, most first.
fn errors(lines: &[UsageLineRow], totals: &UsageTotals, rest: &str) -> Vec<ErrorLine> {
    let mut kinds = std::collections::BTreeMap::<(i16, i16), i64>::new();
    for line in lines.iter().filter(|line| line.status >= 400) {
        *kinds.entry((line.status, line.outcome)).or_default() += line.calls;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    let line = |((status, outcome), calls): ((i16, i16), i64)| ErrorLine {
        status: Label::status(u16::try_from(status).unwrap_or(0)),
        outcome: show::outcome(outcome, status),
        calls: show::number(calls),
        share: show::share(calls, totals.calls),
        log_href: format!("/requests?status={}{rest}", status / 100),
    };
    kinds.into_iter().map(line).collect()
}

/// The sums as tiles.
pub fn stats(totals: &UsageTotals) -> Vec<Stat> {
    let errors = totals.refused + totals.client_errors + totals.server_errors;
    let mean = totals.duration_us / totals.calls.max(1);
    vec![
        Stat {
            name: t("ui-calls"),
            value: show::number(totals.calls),
            note: say("usage-charged").with("count", show::number(totals.charged)).into(),
        },
        Stat {
            name: t("ui-failed"),
            value: show::number(errors),
            note: say("usage-of-all-calls").with("share", show::share(errors, totals.calls)).into(),
        },
        Stat {
            name: t("usage-average-time"),
            value: if totals.calls == 0 { "–".into() } else { show::duration(mean) },
            note: t("usage-whole-call").into(),
        },
    ]
}

/// A line of a traffic table.
pub fn row(row: TrafficRow) -> Row {
    Row {
        method: row.method.unwrap_or_else(|| "–".into()),
        path: row.path.unwrap_or_else(|| t("usage-gone").into()),
        status: Label::status(u16::try_from(row.status).unwrap_or(0)),
        outcome: show::outcome(row.outcome, row.status),
        calls: show::number(row.calls),
        average: show::duration(row.mean_us),
    }
}

/// What is left of each quota in its period, and of each spend cap this month.
async fn meters(
    state: &PortalState,
    member: &Member,
    visit: &Visit,
    application: Option<ApplicationId>,
) -> Result<Vec<Meter>, Fault> {
    let mut meters = Vec::new();
    for one in state.store.list_subscriptions(member.scope, application, Page::FIRST_500).await? {
        if one.state != SubscriptionState::Active {
            continue;
        }
        let product = state.store.get_product(one.product_id).await?.name;
        let standing = state.control.limits_of(&member.actor, one.id).await?;
        let several = standing.iter().filter(|limit| limit.period.is_some()).count() > 1;
        for limit in &standing {
            let Some(period) = limit.period else { continue };
            let name = match several {
                true => say("usage-quota-left-of").with("product", &product).with("name", &limit.limit.name),
                false => say("usage-quota-left").with("product", &product),
            };
            meters.push(meter(name.into(), period.used, limit.amount(), Moment::day(period.window.ends)));
        }
        if let Some(cap) = state.control.spend_cap(&member.actor, one.id, visit.now).await? {
            let left = Amount { minor: cap.cap.minor.saturating_sub(cap.spent.minor), ..cap.cap };
            meters.push(Meter {
                name: say("usage-cap-left").with("product", &product).into(),
                left: show::money(left),
                limit: show::money(cap.cap),
                ..meter(String::new(), cap.spent.minor, cap.cap.minor, Moment::day(cap.ends))
            });
        }
    }
    Ok(meters)
}

fn meter(name: String, used: u64, amount: u64, resets: Moment) -> Meter {
    let percent = (used.min(amount) as f64) * 100.0 / amount.max(1) as f64;
    let shown = |calls: u64| show::number(i64::try_from(calls).unwrap_or(i64::MAX));
    Meter {
        name,
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

/// What each meter of this month says, besides calls.
async fn metered(state: &PortalState, member: &Member, visit: &Visit) -> Result<Vec<MeterLine>, Fault> {
    let month = CalendarMonth::of(visit.now);
    let told = state.control.statement(&member.actor, member.organization_id, month, visit.now).await?;
    let mut lines = Vec::new();
    for charge in &told.charges {
        let used = &charge.row.used;
        let of = format!("{}, {} {}", charge.row.application, charge.row.product, charge.row.plan);
        let mut line = |what: String, units: i64| {
            if units > 0 {
                lines.push(MeterLine { of: of.clone(), what, units: show::number(units) });
            }
        };
        line(t("usage-calls-charged").to_owned(), used.calls);
        if used.units != used.calls {
            line(t("usage-units").to_owned(), used.units);
        }
        line(t("usage-megabytes-sent").to_owned(), used.bytes_in.div_euclid(1_000_000));
        line(t("usage-megabytes-received").to_owned(), used.bytes_out.div_euclid(1_000_000));
        for (name, sum) in &used.readings {
            line(name.as_str().to_owned(), i64::try_from(*sum).unwrap_or(i64::MAX));
        }
    }
    Ok(lines)
}

async fn example(
    state: &PortalState,
    member: &Member,
    application: Option<ApplicationId>,
) -> Result<Option<String>, Fault> {
    let first = state.store.list_applications(member.scope, Page { after: None, limit: 1 }).await?;
    let Some(id) = application.or_else(|| first.first().map(|row| row.id)) else { return Ok(None) };
    let Some(step) = first_step(state, member.scope, id).await? else { return Ok(None) };
    let key = state.control.sample_key(&member.actor, step.product.id).await?;
    let key = key.as_ref().map(SecretText::reveal);
    Ok(step.call.map(|call| reference::curl(&state.settings.gateway_url, &call.api, &call.operation, key)))
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
            let at = end - chrono::TimeDelta::seconds((60 - index) * i64::from(seconds));
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
            meters: vec![meter(
                "Quota left, Countries".into(),
                used,
                25_000,
                crate::pages::sample_time(900_000),
            )],
            metered: ["Calls charged", "Megabytes received"]
                .map(|what| MeterLine {
                    of: "My first app, Countries Pro".into(),
                    what: what.into(),
                    units: "18,204".into(),
                })
                .into(),
            step: "minute",
            chart: sample_chart(60),
            series: drawn(&[], 60),
            rows: if first { vec![] } else { sample_rows() },
            keys: vec![KeyLine {
                href: "/applications/app_01h455vb4pex5vsknk084sn02q/keys/key_01h455vb4pex5vsknk084sn02q"
                    .into(),
                name: "Nightly import".into(),
                shown: "tg_live_8Kd2…x9Qa".into(),
                calls: "19,117".into(),
                errors: "0.3 %".into(),
            }],
            errors: vec![ErrorLine {
                status: Label::status(429),
                outcome: show::outcome(2, 429),
                calls: "12".into(),
                share: "under 0.1 %".into(),
                log_href: "/requests?status=4".into(),
            }],
            csv_href: "/usage.csv?range=hour".into(),
        };
        vec![view(false, false, 19_158), view(true, false, 0), view(false, true, 22_000)]
    }
}
