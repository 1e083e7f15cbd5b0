//! Whether the first call has come: the part of "get started" that ticks itself off.

use askama::Template;
use axum::extract::State;
use chrono::TimeDelta;
use tollgate_control::Action;
use tollgate_domain::{CredentialState, Environment};
use tollgate_store::{CredentialRow, Page};
use uuid::Uuid;

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

/// How far it is to a key for real traffic.
pub enum Live {
    /// There is one.
    Done,
    /// The address has to be confirmed first.
    Confirm,
    /// One press makes it: where the form goes, and its number.
    Offer(String, Uuid),
    /// Whoever only looks makes none.
    Closed,
}

#[derive(Template)]
#[template(path = "start/first_call.html")]
pub struct View {
    pub shell: Shell,
    pub first_call: Option<Came>,
    pub live: Live,
}

/// `GET /get-started/first-call`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    let first_call = came(&state, &visit, &member).await?;
    let live = live(&state, &visit, &member).await?;
    visit.page(&View { shell: visit.shell(Area::Developer, t("start-first-call")).await?, first_call, live })
}

/// How far the organization's first application is from a live key.
pub async fn live(state: &PortalState, visit: &Visit, member: &Member) -> Result<Live, Fault> {
    let keys = state.store.list_credentials(member.scope, None, Page::FIRST_500).await?;
    let is_live =
        |key: &CredentialRow| key.environment == Environment::Live && key.state() == CredentialState::Active;
    if keys.iter().any(is_live) {
        return Ok(Live::Done);
    }
    let applications = state.store.list_applications(member.scope, Page { after: None, limit: 1 }).await?;
    let may = member.actor.authorize(Action::WriteOrganization(member.organization_id)).is_ok();
    Ok(match applications.first().filter(|_| may) {
        None => Live::Closed,
        Some(_) if !visit.account()?.verified => Live::Confirm,
        Some(first) => Live::Offer(format!("/applications/{}/keys", first.id), Uuid::now_v7()),
    })
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
        [(None, Live::Confirm), (Some(Came::sample()), Live::Done)]
            .map(|(first_call, live)| Self {
                shell: Shell::sample(Area::Developer, "First call", "/get-started/first-call"),
                first_call,
                live,
            })
            .into()
    }
}
