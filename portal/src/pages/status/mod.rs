//! How the APIs do right now, from what the gateways counted.

use askama::Template;
use axum::extract::State;
use chrono::TimeDelta;
use tollgate_store::ApiHealthRow;

use super::catalog::served_apis;
use crate::error::Answer;
use crate::say::{say, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters};

/// The time that is looked at.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// One API.
pub struct Line {
    pub href: String,
    pub name: String,
    pub product: String,
    pub label: Label,
    pub note: String,
}

#[derive(Template)]
#[template(path = "status/page.html")]
pub struct View {
    pub shell: Shell,
    pub label: Label,
    pub sentence: &'static str,
    pub lines: Vec<Line>,
    pub counted_to: Option<Moment>,
}

/// `GET /status`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let health = state.store.api_health(visit.now - WINDOW).await?;
    let mut lines = Vec::new();
    for product in state.store.list_offered_products(visit.viewer()).await? {
        for api in served_apis(&state.store, &product).await? {
            let (label, note) = judge(health.iter().find(|one| one.api_id == api.id));
            lines.push(Line {
                href: format!("/products/{}/apis/{}", product.slug, api.slug),
                name: api.name.clone(),
                product: product.name.clone(),
                label,
                note,
            });
        }
    }
    let counted_to = state.store.counted_up_to().await?.map(Moment::clock);
    visit.page(&View::of(visit.shell(Area::Public, t("around-status")).await?, lines, counted_to))
}

/// What the share of calls that the API failed says. Refusals of the gateway are the callers' and do not count.
fn judge(health: Option<&ApiHealthRow>) -> (Label, String) {
    let Some(health) = health.filter(|one| one.calls > 0) else {
        return (Label::new("", t("status-quiet")), t("status-quiet-note").into());
    };
    let failed = health.failed * 100 / health.calls;
    let label = match failed {
        0..5 => Label::new("ok", t("status-working")),
        5..50 => Label::new("warn", t("status-some-fail")),
        _ => Label::new("bad", t("status-down")),
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
    fn of(shell: Shell, lines: Vec<Line>, counted_to: Option<Moment>) -> Self {
        let worst = |tone: &str| lines.iter().any(|line| line.label.tone == tone);
        let (label, sentence) = if worst("bad") {
            (Label::new("bad", t("status-trouble")), t("status-trouble-text"))
        } else if worst("warn") {
            (Label::new("warn", t("status-degraded")), t("status-degraded-text"))
        } else {
            (Label::new("ok", t("status-working")), t("status-working-text"))
        };
        Self { shell, label, sentence, lines, counted_to }
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
        vec![
            Self::of(shell(), vec![line(812, 0), line(0, 0)], counted()),
            Self::of(shell(), vec![line(812, 90), line(12, 12)], counted()),
            Self::of(shell(), vec![], None),
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
