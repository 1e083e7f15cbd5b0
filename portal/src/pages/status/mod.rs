//! How the APIs do right now, from what the gateways counted, and what was wrong with them lately.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use tollgate_control::HEALTH_WINDOW;
use tollgate_domain::Trouble;
use tollgate_language::Said;
use tollgate_store::{ApiHealthRow, ApiRow, IncidentRow};

use super::catalog::served_apis;
use crate::error::{Answer, Fault};
use crate::feed::{self, Feed};
use crate::say::{say, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters};

/// How far back incidents are shown.
const REMEMBERED: TimeDelta = TimeDelta::days(90);

/// One API.
pub struct Line {
    pub href: String,
    pub name: String,
    pub product: String,
    pub label: Label,
    pub note: String,
}

/// A time in which an API failed calls.
pub struct Incident {
    pub id: String,
    pub api: String,
    pub label: Label,
    pub note: String,
    pub began: Moment,
}

#[derive(Template)]
#[template(path = "status/page.html")]
pub struct View {
    pub shell: Shell,
    pub label: Label,
    pub sentence: &'static str,
    pub lines: Vec<Line>,
    pub counted_to: Option<Moment>,
    pub incidents: Vec<Incident>,
}

/// What a viewer sees, each API once, with the product through which they see it.
async fn seen(state: &PortalState, visit: &Visit) -> Result<Vec<(String, String, ApiRow)>, Fault> {
    let mut seen: Vec<(String, String, ApiRow)> = Vec::new();
    for product in state.store.list_offered_products(visit.viewer()).await? {
        for api in served_apis(&state.store, &product).await? {
            seen.push((product.slug.to_string(), product.name.clone(), api));
        }
    }
    Ok(seen)
}

/// `GET /status`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let health = state.store.api_health(visit.now - HEALTH_WINDOW).await?;
    let seen = seen(&state, &visit).await?;
    let incidents = incidents(&state, &seen).await?;
    let lines = seen.into_iter().map(|(slug, product, api)| {
        let (label, note) = judge(health.iter().find(|one| one.api_id == api.id));
        Line { href: format!("/products/{slug}/apis/{}", api.slug), name: api.name, product, label, note }
    });
    let counted_to = state.store.counted_up_to().await?.map(Moment::clock);
    let incidents = incidents.into_iter().map(|(api, row)| incident(api, &row, visit.now)).collect();
    let shell = visit.shell(Area::Public, t("around-status")).await?;
    visit.page(&View::of(shell, lines.collect(), counted_to, incidents))
}

/// `GET /status.atom`
pub async fn atom(State(state): State<PortalState>, visit: Visit) -> Answer {
    let seen = seen(&state, &visit).await?;
    let entries: Vec<feed::Entry> = incidents(&state, &seen).await?.into_iter().map(told).collect();
    Ok(Feed { base: &state.settings.portal_url, path: "/status", about: "status" }.answer(&entries))
}

/// What was wrong lately with what a viewer sees, with the name of its API.
async fn incidents(
    state: &PortalState,
    seen: &[(String, String, ApiRow)],
) -> Result<Vec<(String, IncidentRow)>, Fault> {
    let mut ids: Vec<_> = seen.iter().map(|(.., api)| api.id).collect();
    ids.sort();
    ids.dedup();
    let rows = state.store.list_incidents(&ids, REMEMBERED).await?;
    let named = rows.into_iter().filter_map(|row| {
        let (.., api) = seen.iter().find(|(.., api)| api.id == row.api_id)?;
        Some((api.name.clone(), row))
    });
    Ok(named.collect())
}

fn incident(api: String, row: &IncidentRow, now: DateTime<Utc>) -> Incident {
    let share = show::share(row.failed, row.calls);
    let note = match row.ended_at {
        None => say("status-lasts").with("share", share),
        Some(ended) => say("status-over").with("share", share).with("span", span(ended - row.began_at)),
    };
    Incident {
        id: format!("incident-{}", row.id),
        api,
        label: match row.ended_at {
            Some(_) => Label::new("", graded(row.trouble)),
            None => Label::new(tone(row.trouble), graded(row.trouble)),
        },
        note: note.into(),
        began: Moment::of(row.began_at, now),
    }
}

/// An incident as programs read it, in English.
fn told((api, row): (String, IncidentRow)) -> feed::Entry {
    let english = crate::say::Language::English;
    crate::say::speaking(english, || {
        let one = incident(api, &row, row.began_at);
        feed::Entry {
            anchor: one.id,
            title: format!("{}: {}", one.api, one.label.text),
            updated: Moment::of(row.ended_at.unwrap_or(row.began_at), row.began_at).iso,
            html: format!("<p>{} {}</p>", one.began.exact, one.note),
        }
    })
}

/// `12 minutes`, `3 hours`.
fn span(span: TimeDelta) -> Said {
    match span.num_minutes() {
        minutes @ ..120 => say("status-minutes").count(minutes.max(1)),
        minutes => say("status-hours").count((minutes + 30) / 60),
    }
}

const fn tone(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Degraded => "warn",
        Trouble::Down => "bad",
    }
}

fn graded(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Degraded => t("status-some-fail"),
        Trouble::Down => t("status-down"),
    }
}

/// What the share of calls that the API failed says. Refusals of the gateway are the callers' and do not count.
fn judge(health: Option<&ApiHealthRow>) -> (Label, String) {
    let Some(health) = health.filter(|one| one.calls > 0) else {
        return (Label::new("", t("status-quiet")), t("status-quiet-note").into());
    };
    let label = match Trouble::of(health.calls, health.failed) {
        None => Label::new("ok", t("status-working")),
        Some(trouble) => Label::new(tone(trouble), graded(trouble)),
    };
    let mean = show::duration(health.duration_us / health.calls);
    (
        label,
        say("status-failed")
            .with("share", show::share(health.failed, health.calls))
            .with("mean", mean)
            .into(),
    )
}

impl View {
    fn of(shell: Shell, lines: Vec<Line>, counted_to: Option<Moment>, incidents: Vec<Incident>) -> Self {
        let worst = |tone: &str| lines.iter().any(|line| line.label.tone == tone);
        let (label, sentence) = if worst("bad") {
            (Label::new("bad", t("status-trouble")), t("status-trouble-text"))
        } else if worst("warn") {
            (Label::new("warn", t("status-degraded")), t("status-degraded-text"))
        } else {
            (Label::new("ok", t("status-working")), t("status-working-text"))
        };
        Self { shell, label, sentence, lines, counted_to, incidents }
    }
}

#[cfg(test)]
fn health(calls: i64, failed: i64) -> ApiHealthRow {
    ApiHealthRow {
        api_id: tollgate_domain::ApiId::from(uuid::Uuid::nil()),
        calls,
        failed,
        duration_us: calls * 40_000,
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let line = |calls, failed| {
            let (label, note) = judge(Some(&health(calls, failed)));
            Line {
                href: "/products/countries/apis/countries".into(),
                name: "Countries API".into(),
                product: "Countries".into(),
                label,
                note,
            }
        };
        let shell = || Shell::sample(Area::Public, "Status", "/status");
        let counted = || Some(crate::pages::sample_time(-1));
        let now: DateTime<Utc> = crate::pages::SAMPLE_NOW.parse().expect("a time");
        let incident = |trouble, minutes_ago: i64, lasted: Option<i64>| {
            let began_at = now - TimeDelta::minutes(minutes_ago);
            let row = IncidentRow {
                id: uuid::Uuid::from_u128(minutes_ago.unsigned_abs().into()),
                api_id: tollgate_domain::ApiId::from(uuid::Uuid::nil()),
                trouble,
                began_at,
                ended_at: lasted.map(|minutes| began_at + TimeDelta::minutes(minutes)),
                calls: 812,
                failed: 90,
            };
            incident("Countries API".into(), &row, now)
        };
        let incidents = || {
            vec![
                incident(Trouble::Degraded, 12, None),
                incident(Trouble::Down, 9_000, Some(42)),
                incident(Trouble::Degraded, 70_000, Some(185)),
            ]
        };
        vec![
            Self::of(shell(), vec![line(812, 0), line(0, 0)], counted(), vec![]),
            Self::of(shell(), vec![line(812, 90), line(12, 12)], counted(), incidents()),
            Self::of(shell(), vec![], None, vec![]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_judged_by_the_calls_that_it_failed() {
        for (calls, failed, tone) in
            [(0, 0, ""), (100, 0, "ok"), (100, 4, "ok"), (100, 5, "warn"), (100, 50, "bad"), (1, 1, "bad")]
        {
            assert_eq!(judge(Some(&health(calls, failed))).0.tone, tone, "{failed} of {calls}");
        }
        assert_eq!(judge(None).0.text, "Quiet");
    }
}
