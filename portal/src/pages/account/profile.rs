//! The signed-in user's own account: who, how safe, signed in where.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use uuid::Uuid;

use crate::error::Answer;
use crate::say::{t, translated};
use crate::session::Visit;
use crate::session_rows::digest;
use crate::shell::{Area, Flash, Shell};
use crate::show::{Label, Moment};
use crate::{PortalState, filters};

/// Somewhere that the user is signed in.
pub struct Session {
    pub id: Uuid,
    pub agent: String,
    pub address: String,
    pub since: Moment,
    pub seen: Option<Moment>,
    pub is_this: bool,
}

#[derive(Template)]
#[template(path = "account/account.html")]
pub struct View {
    pub shell: Shell,
    pub email: String,
    pub verified: Label,
    pub organization: Option<String>,
    pub since: Moment,
    pub second_factor: bool,
    /// An operator without a second factor.
    pub unprotected: bool,
    pub sessions: Vec<Session>,
    pub has_password: bool,
    pub passkeys: usize,
    pub identities: Vec<Identity>,
}

/// A provider that opens the account.
pub struct Identity {
    pub provider: String,
    pub email: String,
    pub issuer: String,
    pub subject: String,
    pub used: Moment,
}

/// Which identity goes.
#[derive(Deserialize)]
pub struct Removed {
    issuer: String,
    subject: String,
}

/// `POST /account/identities/remove`
pub async fn remove_identity(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(removed): axum::Form<Removed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    let flash = match state.control.delete_identity(&actor, user, &removed.issuer, &removed.subject).await {
        Ok(()) => Flash::done(t("account-identity-removed")),
        Err(tollgate_control::Error::Conflict(text)) => {
            Flash::failed(crate::form::sentence(&translated(&text)))
        }
        Err(error) => return Err(error.into()),
    };
    visit.go("/account", Some(flash)).await
}

/// `GET /account`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let account = visit.account()?;
    let organization = match visit.member() {
        Ok(member) => Some(state.store.get_organization(member.scope, member.organization_id).await?.name),
        Err(_) => None,
    };
    let own = visit.session.id().map(digest).unwrap_or_default();
    let rows = state.store.list_sessions(account.user_id).await?;
    let sessions = rows.into_iter().map(|row| Session {
        id: row.id,
        is_this: row.digest == own,
        agent: if row.agent.is_empty() { t("account-a-browser").into() } else { row.agent },
        address: row.address,
        since: Moment::of(row.created_at, visit.now),
        seen: row.seen_at.map(|at| Moment::of(at, visit.now)),
    });
    let second_factor = state.store.find_second_factor(account.user_id).await?.is_some();
    let user = state.store.find_user(account.user_id).await?;
    let identities = state.store.list_identities(account.user_id).await?.into_iter().map(|row| Identity {
        provider: state.control.provider_name(&row.issuer).unwrap_or(&row.issuer).to_owned(),
        email: row.email,
        used: Moment::of(row.last_used_at, visit.now),
        issuer: row.issuer,
        subject: row.subject,
    });
    visit.page(&View {
        has_password: user.is_some_and(|user| !user.password_hash.is_empty()),
        identities: identities.collect(),
        passkeys: state.store.list_passkeys(account.user_id).await?.len(),
        email: account.email.clone(),
        verified: verified(account.verified),
        organization,
        since: Moment::of(account.since, visit.now),
        second_factor,
        unprotected: account.operator.is_some() && !second_factor,
        sessions: sessions.collect(),
        shell: visit.shell(Area::Developer, t("around-account")).await?,
    })
}

fn verified(verified: bool) -> Label {
    if verified {
        Label::new("ok", t("account-confirmed"))
    } else {
        Label::new("warn", t("account-unconfirmed"))
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let session = |is_this, agent: &str, seen| Session {
            id: Uuid::from_u128(7),
            agent: agent.into(),
            address: "198.51.100.7".into(),
            since: crate::pages::sample_time(-90_000),
            seen: Some(crate::pages::sample_time(seen)),
            is_this,
        };
        let view = |second_factor, unprotected| Self {
            shell: Shell::sample(Area::Developer, "Account", "/account"),
            email: "maria.lindqvist@example.com".into(),
            verified: verified(second_factor),
            organization: Some("maria.lindqvist".into()),
            since: crate::pages::sample_time(-300_000),
            second_factor,
            unprotected,
            has_password: !unprotected,
            passkeys: usize::from(second_factor),
            identities: vec![Identity {
                provider: "Example SSO".into(),
                email: "maria.lindqvist@example.com".into(),
                issuer: "https://sso.example.com".into(),
                subject: "248289761001".into(),
                used: crate::pages::sample_time(-90_000),
            }],
            sessions: vec![
                session(true, "Firefox on Linux", -10),
                session(false, "Safari on iPhone", -7_000),
            ],
        };
        vec![view(true, false), view(false, true)]
    }
}
