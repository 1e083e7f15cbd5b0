//! The signed-in user's own account.

use askama::Template;
use axum::extract::State;

use crate::error::Answer;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::Moment;
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "account/account.html")]
pub struct View {
    pub shell: Shell,
    pub email: String,
    pub organization: String,
    pub since: Moment,
}

/// `GET /account`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    let organization = state.store.get_organization(member.scope, member.organization_id).await?;
    let account = visit.account()?;
    visit.page(&View {
        shell: visit.shell(Area::Developer, "Account").await?,
        email: account.email.clone(),
        organization: organization.name,
        since: Moment::of(account.since, visit.now),
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let since = crate::pages::sample_time(-300_000);
        vec![Self {
            shell: Shell::sample(Area::Developer, "Account", "/account"),
            email: "maria.lindqvist@example.com".into(),
            organization: "maria.lindqvist".into(),
            since,
        }]
    }
}
