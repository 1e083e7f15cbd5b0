//! All applications with the people behind them.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use tollgate_domain::{CredentialState, SubscriptionState};
use tollgate_store::Page;

use crate::error::Answer;
use crate::pages::applications::{Names, shown};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{Label, Moment};
use crate::{PortalState, filters};

/// Applications that one page looks through.
const LOOKED_THROUGH: i64 = 2_000;

pub struct Row {
    pub href: String,
    pub name: String,
    pub organization: String,
    pub people: String,
    pub subscriptions: String,
    pub keys: String,
    pub state: Label,
    pub created: Moment,
}

#[derive(Template)]
#[template(path = "admin/developers.html")]
pub struct View {
    pub shell: Shell,
    pub q: String,
    pub rows: Vec<Row>,
}

/// What the page's address carries.
#[derive(Debug, Deserialize)]
pub struct Address {
    #[serde(default)]
    q: String,
}

/// `GET /admin/developers`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    let (_, scope) = visit.operator()?;
    let store = &state.store;
    let page = Page { after: None, limit: LOOKED_THROUGH };
    let organizations = store.list_organizations(scope, page).await?;
    let members = store.list_members(scope).await?;
    let keys = store.list_credentials(scope, None, page).await?;
    let subscriptions = store.list_subscriptions(scope, None, page).await?;
    let names = Names::read(&state).await?;
    let wanted = address.q.trim().to_lowercase();
    let mut rows = Vec::new();
    for application in store.list_applications(scope, page).await?.into_iter().rev() {
        let organization = organizations.iter().find(|one| one.id == application.organization_id);
        let people: Vec<&str> = members
            .iter()
            .filter(|one| one.organization_id == application.organization_id)
            .map(|one| one.email.as_str())
            .collect();
        let own_keys: Vec<String> = keys
            .iter()
            .filter(|key| key.application_id == application.id && key.state() == CredentialState::Active)
            .map(shown)
            .collect();
        let own_subscriptions: Vec<String> = subscriptions
            .iter()
            .filter(|one| one.application_id == application.id && one.state != SubscriptionState::Ended)
            .map(|one| format!("{}: {}", names.product(one), names.plan(one)))
            .collect();
        let row = Row {
            href: format!("/admin/applications/{}", application.id),
            name: application.name,
            organization: organization.map(|one| one.name.clone()).unwrap_or_default(),
            people: people.join(", "),
            subscriptions: none_or(own_subscriptions),
            keys: none_or(own_keys),
            state: application.state.into(),
            created: Moment::of(application.created_at, visit.now),
        };
        if row.matches(&wanted) {
            rows.push(row);
        }
    }
    rows.truncate(200);
    visit.page(&View { shell: visit.shell(Area::Admin, "Developers").await?, q: address.q, rows })
}

fn none_or(items: Vec<String>) -> String {
    if items.is_empty() { "none".into() } else { items.join(", ") }
}

impl Row {
    fn matches(&self, wanted: &str) -> bool {
        let texts = [&self.name, &self.organization, &self.people, &self.keys, &self.href];
        wanted.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(wanted))
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use tollgate_domain::ApplicationState;
        let row = |name: &str, state: ApplicationState| Row {
            href: "/admin/applications/app_01h455vb4pex5vsknk084sn02q".into(),
            name: name.into(),
            organization: "maria.lindqvist".into(),
            people: "maria.lindqvist@example.com".into(),
            subscriptions: "Countries: Free".into(),
            keys: "tg_live_8Kd2…x9Qa, tg_live_Pq0Z…77bL".into(),
            state: state.into(),
            created: crate::pages::sample_time(-90_000),
        };
        let view = |q: &str, rows| Self {
            shell: Shell::sample(Area::Admin, "Developers", "/admin/developers"),
            q: q.into(),
            rows,
        };
        let rows =
            vec![row("My first app", ApplicationState::Active), row("Importer", ApplicationState::Suspended)];
        vec![view("", rows), view("", vec![]), view("nobody@", vec![])]
    }
}
