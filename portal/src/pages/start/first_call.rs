//! Whether the first call has come: the part of "get started" that ticks itself off.

use askama::Template;
use axum::extract::State;
use chrono::TimeDelta;
use tollgate_store::Page;

use crate::error::{Answer, Fault};
use crate::say::t;
use crate::session::{Member, Visit};
use crate::shell::{Area, Shell};
use crate::show::Moment;
use crate::{PortalState, filters};

/// A call that came.
pub struct Came {
    pub what: String,
    pub status: i16,
    pub at: Moment,
}

#[derive(Template)]
#[template(path = "start/first_call.html")]
pub struct View {
    pub shell: Shell,
    pub first_call: Option<Came>,
}

/// `GET /get-started/first-call`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    let first_call = came(&state, &visit, &member).await?;
    visit.page(&View { shell: visit.shell(Area::Developer, t("start-first-call")).await?, first_call })
}

/// The organization's call, where one was counted within the month.
pub async fn came(state: &PortalState, visit: &Visit, member: &Member) -> Result<Option<Came>, Fault> {
    let since = visit.now - TimeDelta::days(30);
    let rows = state.store.traffic(member.scope, None, since, 1).await?;
    let keys = state.store.list_credentials(member.scope, None, Page::FIRST_500).await?;
    let at = keys.iter().filter_map(|key| key.last_used_at).max();
    Ok(rows.into_iter().next().zip(at).map(|(row, at)| Came {
        what: format!("{} {}", row.method.unwrap_or_default(), row.path.unwrap_or_default()),
        status: row.status,
        at: Moment::of(at, visit.now),
    }))
}

#[cfg(test)]
impl Came {
    pub fn sample() -> Self {
        Self { what: "GET /countries/v1/countries".into(), status: 200, at: crate::pages::sample_time(-3) }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        [None, Some(Came::sample())]
            .map(|first_call| Self {
                shell: Shell::sample(Area::Developer, "First call", "/get-started/first-call"),
                first_call,
            })
            .into()
    }
}
