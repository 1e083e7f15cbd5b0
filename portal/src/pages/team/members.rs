//! Members and invitations of the organization.

use askama::Template;
use axum::extract::{Path, State};
use serde::Deserialize;
use tollgate_domain::{MemberRole, OrganizationId, UserId};
use uuid::Uuid;

use super::{ROLES, called, role};
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::{say, t};
use crate::session::{Member, Visit};
use crate::shell::{Area, Flash, Shell};
use crate::show::Moment;
use crate::{PortalState, filters};

/// A member.
pub struct Row {
    pub id: UserId,
    pub email: String,
    /// As forms send it.
    pub role: &'static str,
    /// As people call it.
    pub called: &'static str,
    pub is_self: bool,
}

/// An invitation that waits.
pub struct Waiting {
    pub id: Uuid,
    pub email: String,
    pub role: &'static str,
    pub ends: Option<Moment>,
}

/// An organization to act in.
pub struct Choice {
    pub id: OrganizationId,
    pub name: String,
    pub chosen: bool,
}

#[derive(Template)]
#[template(path = "team/team.html")]
pub struct View {
    pub shell: Shell,
    pub organization: String,
    pub organizations: Vec<Choice>,
    pub is_owner: bool,
    pub rows: Vec<Row>,
    pub waiting: Vec<Waiting>,
    pub roles: &'static [(&'static str, &'static str)],
    pub form: Form,
}

/// What the form that invites sends.
#[derive(Debug, Deserialize)]
pub struct Invited {
    email: String,
    role: String,
}

/// What the form beside a member sends.
#[derive(Debug, Deserialize)]
pub struct Chosen {
    role: String,
}

/// What the form that changes organizations sends.
#[derive(Debug, Deserialize)]
pub struct Switched {
    organization: OrganizationId,
}

/// `GET /team`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    visit.page(&view(&state, &visit, &member, Form::default()).await?)
}

/// `POST /team/invitations`
pub async fn invite(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Invited>,
) -> Answer {
    let member = visit.member()?;
    let invited = match role(&typed.role) {
        Ok(role) => state.control.invite(&member.actor, &typed.email, role).await,
        Err(error) => Err(error),
    };
    match invited {
        Ok(()) => visit.go("/team", Some(Flash::done(say("team-invited").with("email", &typed.email)))).await,
        Err(error) => {
            let form = Form::with([("email", typed.email), ("role", typed.role)]).refused(error)?;
            visit.refused(&view(&state, &visit, &member, form).await?)
        }
    }
}

/// `POST /team/invitations/{id}/again`
pub async fn again(State(state): State<PortalState>, visit: Visit, Path(id): Path<Uuid>) -> Answer {
    state.control.invite_again(&visit.member()?.actor, id).await?;
    visit.go("/team", Some(Flash::done(t("team-sent-again")))).await
}

/// `POST /team/invitations/{id}/revoke`
pub async fn revoke(State(state): State<PortalState>, visit: Visit, Path(id): Path<Uuid>) -> Answer {
    state.control.revoke_invitation(&visit.member()?.actor, id).await?;
    visit.go("/team", Some(Flash::done(t("team-taken-back")))).await
}

/// `POST /team/members/{id}/role`
pub async fn change(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    axum::Form(typed): axum::Form<Chosen>,
) -> Answer {
    let member = visit.member()?;
    let user = id.parse().map_err(|_| Fault::not_found())?;
    let changed = match role(&typed.role) {
        Ok(role) => state.control.change_member(&member.actor, user, role).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(()) => visit.go("/team", Some(Flash::done(t("team-role-changed")))).await,
        Err(error) => {
            let form = Form::default().refused(error)?;
            visit.refused(&view(&state, &visit, &member, form).await?)
        }
    }
}

/// `POST /team/members/{id}/remove`
pub async fn remove(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let member = visit.member()?;
    let user: UserId = id.parse().map_err(|_| Fault::not_found())?;
    let left = user == visit.account()?.user_id;
    match state.control.remove_member(&member.actor, user).await {
        Ok(()) if left => visit.go("/account", Some(Flash::done(t("team-you-left")))).await,
        Ok(()) => visit.go("/team", Some(Flash::done(t("team-removed")))).await,
        Err(error) => {
            let form = Form::default().refused(error)?;
            visit.refused(&view(&state, &visit, &member, form).await?)
        }
    }
}

/// `POST /team/switch`
pub async fn switch(visit: Visit, axum::Form(typed): axum::Form<Switched>) -> Answer {
    if !visit.account()?.organizations.contains(&typed.organization) {
        return Err(Fault::not_found());
    }
    visit.act_in(typed.organization).await?;
    visit.go("/team", None).await
}

async fn view(state: &PortalState, visit: &Visit, member: &Member, form: Form) -> Result<View, Fault> {
    let account = visit.account()?;
    let is_owner = matches!(account.organization, Some((_, MemberRole::Owner)));
    let mut organizations = Vec::new();
    for id in &account.organizations {
        let row = state.store.get_organization(tollgate_domain::Scope::Organization(*id), *id).await?;
        organizations.push(Choice { id: *id, name: row.name, chosen: *id == member.organization_id });
    }
    let rows = state.store.list_members(member.scope).await?;
    let waiting =
        if is_owner { state.store.list_invitations(member.organization_id).await? } else { Vec::new() };
    Ok(View {
        shell: visit.shell(Area::Developer, t("around-team")).await?,
        organization: organizations
            .iter()
            .find(|one| one.chosen)
            .map_or_else(String::new, |one| one.name.clone()),
        organizations,
        is_owner,
        rows: rows
            .into_iter()
            .map(|row| Row {
                id: row.user_id,
                is_self: row.user_id == account.user_id,
                email: row.email,
                role: row.role.as_str(),
                called: called(row.role),
            })
            .collect(),
        waiting: waiting
            .into_iter()
            .map(|row| Waiting {
                id: row.id,
                email: row.email,
                role: called(row.role),
                ends: row.expires_at.map(|at| Moment::of(at, visit.now)),
            })
            .collect(),
        roles: ROLES,
        form,
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let row = |n: u128, email: &str, role, is_self| Row {
            id: UserId::from(Uuid::from_u128(n)),
            email: email.into(),
            role,
            called: role,
            is_self,
        };
        let view = |is_owner| Self {
            shell: Shell::sample(Area::Developer, "Team", "/team"),
            organization: "Acme".into(),
            organizations: ["Acme", "maria.lindqvist"]
                .map(|name| Choice {
                    id: OrganizationId::from(Uuid::from_u128(name.len() as u128)),
                    name: name.into(),
                    chosen: name == "Acme",
                })
                .into(),
            is_owner,
            rows: vec![
                row(1, "maria.lindqvist@example.com", "owner", true),
                row(2, "jo@example.com", "developer", false),
            ],
            waiting: vec![Waiting {
                id: Uuid::from_u128(3),
                email: "sam@example.com".into(),
                role: "viewer",
                ends: Some(crate::pages::sample_time(500_000)),
            }],
            roles: ROLES,
            form: Form::default(),
        };
        vec![view(true), view(false)]
    }
}
