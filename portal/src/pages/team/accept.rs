//! The link of an invitation: who invites, into what, as what, before anything is accepted.

use askama::Template;
use axum::extract::{Path, State};

use crate::error::Answer;
use crate::say::{say, t};
use crate::session::{Visit, unkept};
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "team/invitation.html")]
pub struct View {
    pub shell: Shell,
    pub organization: String,
    pub role: &'static str,
    pub invited_by: String,
    /// Who would accept; none where nobody is signed in.
    pub email: Option<String>,
    pub signin_href: String,
    pub signup_href: String,
}

/// `GET /invitations/{token}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(token): Path<String>) -> Answer {
    let row = state.control.invitation(&token).await?;
    Ok(unkept(visit.page(&View {
        shell: visit.shell(Area::Public, say("team-join").with("organization", &row.organization)).await?,
        organization: row.organization,
        role: super::called(row.role),
        invited_by: row.invited_by,
        email: visit.account.as_ref().map(|account| account.email.clone()),
        signin_href: format!("/signin?next=/invitations/{}", crate::error::query_value(&token)),
        signup_href: format!("/signup?next=/invitations/{}", crate::error::query_value(&token)),
    })?))
}

/// `POST /invitations/{token}`
pub async fn post(State(state): State<PortalState>, visit: Visit, Path(token): Path<String>) -> Answer {
    let (user, actor) = visit.person()?;
    let organization = state.control.accept_invitation(&actor, user, &token).await?;
    visit.act_in(organization).await?;
    visit.go("/applications", Some(Flash::done(t("team-you-are-in")))).await
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        [Some("jo@example.com".to_owned()), None]
            .map(|email| Self {
                shell: Shell::sample(Area::Public, "Join Acme", "/invitations/3f9c"),
                organization: "Acme".into(),
                role: "developer",
                invited_by: "maria.lindqvist@example.com".into(),
                email,
                signin_href: "/signin?next=/invitations/3f9c".into(),
                signup_href: "/signup?next=/invitations/3f9c".into(),
            })
            .into()
    }
}
