//! How the APIs do right now, from what the gateways counted, and what was wrong with them lately.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use tollgate_control::HEALTH_WINDOW;
use tollgate_domain::{ApiId, Trouble};
use tollgate_language::Said;
use tollgate_store::{ApiHealthRow, ApiRow, IncidentRow};

use super::catalog::served_apis;
use crate::error::{Answer, Fault};
use crate::feed::{self, Feed};
use crate::markup::{self, Html, escaped};
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

/// A time in which calls went wrong.
pub struct Incident {
    pub id: String,
    /// What it is about: an API, or what an operator says.
    pub title: String,
    /// Of what, and how it went on.
    pub note: String,
    /// What an operator tells of it.
    pub text: Option<Html>,
    pub label: Label,
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
    let told: Vec<Told> = incidents.iter().filter_map(|(_, row)| told_now(row)).collect();
    let lines = seen.into_iter().map(|(slug, product, api)| {
        let (label, note) = judge(health.iter().find(|one| one.api_id == api.id));
        let label = worst(&told, api.id, label);
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
    let feed = Feed { base: &state.settings.portal_url, path: "/status", about: "status" };
    // Who is signed in may see more than others: it is not for caches that they share.
    Ok(visit.caching(feed.answer(&entries)))
}

/// What was wrong lately with what a viewer sees, with the name of its API.
async fn incidents(
    state: &PortalState,
    seen: &[(String, String, ApiRow)],
) -> Result<Vec<(String, IncidentRow)>, Fault> {
    let mut ids: Vec<_> = seen.iter().map(|(.., api)| api.id).collect();
    ids.sort();
    ids.dedup();
    let rows = state.store.list_recent_incidents(&ids, REMEMBERED).await?;
    let named = rows.into_iter().filter_map(|row| {
        let Some(id) = row.api_id() else { return Some((t("status-all-apis").to_owned(), row)) };
        let (.., api) = seen.iter().find(|(.., api)| api.id == id)?;
        Some((api.name.clone(), row))
    });
    Ok(named.collect())
}

/// What an operator says of now: of which API, or of all, and how bad it is.
type Told = (Option<ApiId>, Trouble);

fn told_now(row: &IncidentRow) -> Option<Told> {
    (!row.noticed && row.ended_at.is_none()).then(|| (row.api_id(), row.trouble))
}

/// What is known of an API: what was counted, unless an operator says worse.
fn worst(told: &[Told], api: ApiId, counted: Label) -> Label {
    let mut about = told.iter().filter(|(of, _)| of.is_none_or(|of| of == api)).map(|(_, trouble)| *trouble);
    let rank = |tone: &str| ["ok", "warn", "bad"].iter().position(|one| *one == tone);
    let said = about.clone().find(|trouble| *trouble == Trouble::Down).or_else(|| about.next());
    match said.map(|trouble| Label::new(tone(trouble), said_of(trouble))) {
        Some(said) if rank(said.tone) > rank(counted.tone) => said,
        _ => counted,
    }
}

fn incident(api: String, row: &IncidentRow, now: DateTime<Utc>) -> Incident {
    let word = if row.noticed { graded(row.trouble) } else { said_of(row.trouble) };
    let (title, note) = match row.title.as_str() {
        "" => (api, course(row)),
        title => (title.to_owned(), format!("{api}. {}", course(row))),
    };
    Incident {
        id: format!("incident-{}", row.id.uuid()),
        title,
        note,
        text: (!row.text.is_empty()).then(|| markup::markdown(&row.text)),
        label: match row.ended_at {
            Some(_) => Label::new("", word),
            None => Label::new(tone(row.trouble), word),
        },
        began: Moment::of(row.began_at, now),
    }
}

/// How an incident went on: how many calls failed, where that was counted, and when it was over.
fn course(row: &IncidentRow) -> String {
    let share = row.counted().map(|(calls, failed)| show::share(failed, calls));
    match (row.ended_at.map(|ended| span(ended - row.began_at)), share) {
        (None, None) => t("status-told-lasts").to_owned(),
        (None, Some(share)) => say("status-lasts").with("share", share).into(),
        (Some(span), None) => say("status-told-over").with("span", span).into(),
        (Some(span), Some(share)) => say("status-over").with("share", share).with("span", span).into(),
    }
}

/// An incident as programs read it, in English.
fn told((api, row): (String, IncidentRow)) -> feed::Entry {
    let english = crate::say::Language::English;
    crate::say::speaking(english, || {
        let one = incident(api, &row, row.began_at);
        feed::Entry {
            anchor: one.id,
            title: format!("{}: {}", one.title, one.label.text),
            updated: Moment::of(row.ended_at.unwrap_or(row.began_at), row.began_at).iso,
            html: format!(
                "<p>{} {}</p>{}",
                one.began.exact,
                escaped(&one.note),
                one.text.unwrap_or_default()
            ),
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

/// The same in an operator's words, who need not have counted.
fn said_of(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Degraded => t("status-degraded"),
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
        let any = |tone: &str| lines.iter().any(|line| line.label.tone == tone);
        let (label, sentence) = if any("bad") {
            (Label::new("bad", t("status-trouble")), t("status-trouble-text"))
        } else if any("warn") {
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
        let row = |trouble, minutes_ago: i64, lasted: Option<i64>| {
            let began_at = now - TimeDelta::minutes(minutes_ago);
            IncidentRow {
                id: uuid::Uuid::from_u128(minutes_ago.unsigned_abs().into()).into(),
                api_uuid: None,
                noticed: true,
                trouble,
                title: String::new(),
                text: String::new(),
                began_at,
                ended_at: lasted.map(|minutes| began_at + TimeDelta::minutes(minutes)),
                calls: Some(812),
                failed: Some(90),
                version: 1,
            }
        };
        let counted_one = |trouble, minutes_ago, lasted| {
            incident("Countries API".into(), &row(trouble, minutes_ago, lasted), now)
        };
        let told_one = || {
            let told = IncidentRow {
                noticed: false,
                title: "Slow answers from one data centre".into(),
                text: "Calls go to **another one** until it is back.".into(),
                calls: None,
                failed: None,
                ..row(Trouble::Degraded, 40, None)
            };
            incident(t("status-all-apis").to_owned(), &told, now)
        };
        let incidents = || {
            vec![
                counted_one(Trouble::Degraded, 12, None),
                told_one(),
                counted_one(Trouble::Down, 9_000, Some(42)),
                counted_one(Trouble::Degraded, 70_000, Some(185)),
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

    #[test]
    fn an_operators_word_makes_an_api_worse_and_never_better() {
        let (api, other) = (ApiId::from(uuid::Uuid::from_u128(1)), ApiId::from(uuid::Uuid::from_u128(2)));
        let counted = |tone| Label::new(tone, "counted");
        let tone = |told: &[Told], tone| worst(told, api, counted(tone)).tone;
        assert_eq!(tone(&[], "ok"), "ok");
        assert_eq!(tone(&[(Some(other), Trouble::Down)], "ok"), "ok");
        assert_eq!(tone(&[(Some(api), Trouble::Degraded)], ""), "warn");
        assert_eq!(tone(&[(Some(api), Trouble::Degraded)], "bad"), "bad");
        assert_eq!(tone(&[(None, Trouble::Degraded), (Some(api), Trouble::Down)], "warn"), "bad");
    }
}
