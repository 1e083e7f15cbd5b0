//! One key: itself where it may be shown, a call to try it with, how it is used, and what takes over from it.

use askama::Template;
use axum::extract::{Path, State};
use chrono::TimeDelta;
use tollgate_domain::Restrictions;
use tollgate_store::CredentialRow;

use super::key_revoke::key_of;
use super::{KeyRow, key_row, shown};
use crate::error::{Answer, Fault, query_value};
use crate::pages::start::first_step;
use crate::say::{say, t};
use crate::session::{Member, Visit, unkept};
use crate::shell::{Area, Shell};
use crate::show::{self, Moment};
use crate::{PortalState, filters, reference};

/// What takes over, and how far that is.
pub struct Succession {
    pub successor_href: String,
    pub successor: String,
    /// When the successor was last used.
    pub used: Option<Moment>,
    /// Hours that this key goes on after the first use of its successor.
    pub hours: Option<i32>,
    pub ends: Option<Moment>,
    /// Of the last day's calls with either, how many still came with this one.
    pub meter: Option<Left>,
    /// Who still uses this one.
    pub users: Vec<User>,
}

/// How much of the calls still comes with a key that was replaced.
pub struct Left {
    pub percent: String,
    pub tone: &'static str,
    /// In words.
    pub said: String,
}

/// A program somewhere that uses a key.
pub struct User {
    pub client: String,
    pub program: String,
    pub calls: String,
    pub last: Moment,
}

#[derive(Template)]
#[template(path = "applications/key.html")]
pub struct View {
    pub shell: Shell,
    pub application: String,
    pub application_href: String,
    pub key: Option<String>,
    pub env_href: Option<String>,
    pub reveal_action: Option<String>,
    pub row: KeyRow,
    pub calls_a_day: String,
    pub succession: Option<Succession>,
    pub curl: Option<String>,
    /// What it is held to beside its plan: name and entries.
    pub held_to: Vec<(&'static str, String)>,
    pub restrict_href: Option<String>,
}

/// What a key is held to, for people.
pub fn held_to(row: &CredentialRow) -> Vec<(&'static str, String)> {
    let Restrictions { scopes, networks, origins } = row.restrictions();
    [(t("key-operations"), scopes), (t("key-networks"), networks), (t("key-sites"), origins)]
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| (name, list.join(", ")))
        .collect()
}

/// `GET /applications/{id}/keys/{key}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let member = visit.member()?;
    let row = key_of(&state, member.scope, &id, &key).await?;
    let application = state.store.get_application(member.scope, row.application_id).await?;
    let secret = visit.take_secret(row.id).await?;
    let step = first_step(&state, member.scope, row.application_id).await?;
    let curl = step.and_then(|step| step.call).map(|call| {
        reference::curl(&state.settings.gateway_url, &call.api, &call.operation, secret.as_deref())
    });
    let calls = state.store.calls_with(member.scope, row.id, visit.now - TimeDelta::days(1)).await?;
    let base = format!("/applications/{id}/keys");
    let href = format!("{base}/{}", row.id);
    Ok(unkept(
        visit.page(&View {
            shell: visit.shell(Area::Developer, &row.name).await?,
            application: application.name,
            application_href: format!("/applications/{id}"),
            env_href: secret.as_deref().map(|secret| env_href(&state.settings.gateway_url, secret)),
            reveal_action: (row.revealable && secret.is_none() && row.revoked_at.is_none())
                .then(|| format!("{href}/reveal")),
            calls_a_day: show::number(calls),
            succession: succession(&state, &visit, &member, &row, &base).await?,
            row: key_row(&row, &base, visit.now),
            held_to: held_to(&row),
            restrict_href: row.revoked_at.is_none().then(|| format!("{href}/restrict")),
            key: secret,
            curl,
        })?,
    ))
}

/// `POST /applications/{id}/keys/{key}/reveal`
pub async fn reveal(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let member = visit.member()?;
    let row = key_of(&state, member.scope, &id, &key).await?;
    let secret = state.control.reveal_credential(&member.actor, row.id).await?;
    visit.keep_secret(row.id, secret.reveal()).await?;
    visit.go(&format!("/applications/{id}/keys/{}", row.id), None).await
}

async fn succession(
    state: &PortalState,
    visit: &Visit,
    member: &Member,
    row: &CredentialRow,
    base: &str,
) -> Result<Option<Succession>, Fault> {
    let Some(successor) = row.replaced_by else { return Ok(None) };
    let successor = state.store.get_credential(member.scope, successor.into()).await?;
    let since = visit.now - TimeDelta::days(1);
    let old = state.store.calls_with(member.scope, row.id, since).await?;
    let new = state.store.calls_with(member.scope, successor.id, since).await?;
    let users = state.store.list_key_users(member.scope, row.id, since).await?;
    Ok(Some(Succession {
        meter: left(old, new),
        users: users
            .into_iter()
            .map(|one| User {
                client: one.client.unwrap_or_else(|| t("account-unknown").to_owned()),
                program: one.user_agent.unwrap_or_else(|| t("account-unknown").to_owned()),
                calls: show::number(one.calls),
                last: Moment::of(one.last_at, visit.now),
            })
            .collect(),
        successor_href: format!("{base}/{}", successor.id),
        successor: shown(&successor),
        used: successor.last_used_at.map(|at| Moment::of(at, visit.now)),
        hours: row.retire_hours,
        ends: row.expires_at.map(|at| Moment::of(at, visit.now)),
    }))
}

/// Nothing where nobody called at all.
fn left(old: i64, new: i64) -> Option<Left> {
    let all = old.checked_add(new).filter(|all| *all > 0)?;
    Some(Left {
        percent: (old * 100 / all).max(i64::from(old > 0)).to_string(),
        tone: if old == 0 { "" } else { "warn" },
        said: say("key-left").with("old", show::number(old)).with("all", show::number(all)).into(),
    })
}

/// A file to be downloaded without a second request, which would need the secret once more.
fn env_href(gateway_url: &str, secret: &str) -> String {
    let file = format!("TOLLGATE_URL={gateway_url}\nTOLLGATE_KEY={secret}\n");
    format!("data:text/plain;charset=utf-8,{}", query_value(&file))
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let base = "/applications/app_01h455vb4pex5vsknk084sn02q/keys";
        let href = format!("{base}/key_01h455vb4pex5vsknk084sn02q");
        let view = |key: Option<&str>, reveals: bool, replaced: bool| Self {
            shell: Shell::sample(Area::Developer, "Nightly import", &href),
            application: "My first app".into(),
            application_href: "/applications/app_01h455vb4pex5vsknk084sn02q".into(),
            curl: key.map(|key| {
                format!("curl 'http://127.0.0.1:8080/countries/v1/countries' \\\n  -H \"X-API-Key: {key}\"")
            }),
            env_href: key.map(|key| env_href("http://127.0.0.1:8080", key)),
            key: key.map(str::to_owned),
            reveal_action: reveals.then(|| format!("{href}/reveal")),
            row: super::sample_keys(base).remove(usize::from(!replaced)),
            calls_a_day: "1,284".into(),
            held_to: if replaced { vec![("Operations", "countries/getCountry".into())] } else { vec![] },
            restrict_href: Some(format!("{href}/restrict")),
            succession: replaced.then(|| Succession {
                successor_href: href.clone(),
                successor: "tg_live_Pq0Z…77bL".into(),
                used: Some(crate::pages::sample_time(-600)),
                hours: None,
                ends: Some(crate::pages::sample_time(80_000)),
                meter: left(1_284, 9_310),
                users: vec![User {
                    client: "203.0.113.7".into(),
                    program: "import/2.1 python-requests/2.32".into(),
                    calls: "1,284".into(),
                    last: crate::pages::sample_time(-90),
                }],
            }),
        };
        let key = "tg_live_8Kd2mZ4pQ7vT1cXwB9nL3sHyR6fJ0aGeU5kD8xVtN2qMz0000";
        vec![view(Some(key), false, false), view(None, true, false), view(None, false, true)]
    }
}
