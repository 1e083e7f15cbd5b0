//! One search over everything that has a page: a page by itself, and what the palette (Ctrl K) shows.
//!
//! Posted, not asked for by address: what is typed may be a whole key, and addresses are kept by browsers and logs.

use askama::Template;
use axum::extract::State;
use tollgate_domain::{ApplicationId, CredentialId, OrganizationId, UserId};
use tollgate_store::browse::{Hit, HitKind};
use uuid::Uuid;

use super::desk::Desk;
use super::keys::shown_part;
use crate::error::Answer;
use crate::parts::Sent;
use crate::session::{Visit, unkept};
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

/// A thing that was found.
pub struct Line {
    pub href: String,
    pub name: String,
    pub second: String,
}

/// Things of one kind.
pub struct Group {
    pub title: &'static str,
    pub lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "admin/find.html")]
pub struct View {
    pub shell: Shell,
    pub q: String,
    pub groups: Vec<Group>,
}

/// Pages that are found by what they are called.
const PAGES: [(&str, &str, &str); 20] = [
    ("/admin", "Overview", "health traffic attention"),
    ("/admin/traffic", "Traffic", "calls errors explorer"),
    ("/admin/requests", "Requests", "log refused why id"),
    ("/admin/gateways", "Gateways", "nodes revision rollout"),
    ("/admin/apis", "APIs", "routes openapi"),
    ("/admin/services", "Services", "upstream targets"),
    ("/admin/products", "Products", "plans catalogue"),
    ("/admin/approvals", "Approvals", "requests waiting"),
    ("/admin/organizations", "Organizations", "tenants companies"),
    ("/admin/developers", "Developers", "people users"),
    ("/admin/applications", "Applications", "apps programs"),
    ("/admin/keys", "Keys", "credentials find"),
    ("/admin/subscriptions", "Subscriptions", "plans"),
    ("/admin/audit", "Audit log", "changes who history"),
    ("/admin/setup", "Setup", "checklist first steps"),
    ("/admin/new/api", "Create API", "new publish openapi import"),
    ("/admin/new/service", "Create service", "new upstream"),
    ("/admin/new/product", "Create product", "new"),
    ("/admin/handbook", "Handbook", "documentation help resources"),
    ("/problems", "Error codes", "problems refusals"),
];

/// `GET /admin/find`
pub async fn get(visit: Visit) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let shell = visit.shell(Area::Admin, "Find anything").await?;
    visit.page(&View { shell, q: String::new(), groups: pages("", desk.may_write) })
}

/// `POST /admin/find`
pub async fn post(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let typed = sent.get("q");
    let mut groups = Vec::new();
    let key = state.control.find_key(&desk.actor, &typed).await?;
    // A whole key goes no further than its hash; what is shown again and searched for is what every page shows of it.
    let is_secret = key.is_some() || typed.len() > 200;
    let q = if is_secret { shown_part(&typed) } else { typed };
    match key {
        Some(row) => {
            let second = format!("{}…{}", row.display_prefix, row.display_last4);
            let href = format!("/admin/keys/{}", row.id);
            groups.push(Group { title: "This key", lines: vec![Line { href, name: row.name, second }] });
        }
        None => {
            groups.extend(pages(&q, desk.may_write));
            groups.extend(grouped(state.store.find_everywhere(&q).await?));
        }
    }
    let shell = visit.shell(Area::Admin, "Find anything").await?;
    Ok(unkept(visit.page(&View { shell, q, groups })?))
}

fn pages(typed: &str, may_write: bool) -> Vec<Group> {
    let typed = typed.to_lowercase();
    let open = PAGES.iter().filter(|(href, ..)| may_write || !href.starts_with("/admin/new/"));
    let found = open.filter(|(_, name, words)| {
        let name = name.to_lowercase();
        typed
            .split_whitespace()
            .all(|word| name.contains(word) || words.split(' ').any(|one| one.starts_with(word)))
    });
    let line = |(href, name, _): &(&str, &str, &str)| Line {
        href: (*href).to_owned(),
        name: (*name).to_owned(),
        second: String::new(),
    };
    let lines: Vec<Line> = found.map(line).collect();
    if lines.is_empty() { Vec::new() } else { vec![Group { title: "Pages", lines }] }
}

fn grouped(hits: Vec<Hit>) -> Vec<Group> {
    const TITLES: [(HitKind, &str); 7] = [
        (HitKind::Api, "APIs"),
        (HitKind::Product, "Products"),
        (HitKind::Service, "Services"),
        (HitKind::Organization, "Organizations"),
        (HitKind::User, "Developers"),
        (HitKind::Application, "Applications"),
        (HitKind::Key, "Keys"),
    ];
    let mut groups = Vec::new();
    for (kind, title) in TITLES {
        let lines: Vec<Line> = hits.iter().filter(|hit| hit.kind == kind).filter_map(line).collect();
        if !lines.is_empty() {
            groups.push(Group { title, lines });
        }
    }
    groups
}

fn line(hit: &Hit) -> Option<Line> {
    let uuid = || hit.id.parse::<Uuid>().ok();
    let href = match hit.kind {
        HitKind::Api => format!("/admin/apis/{}", hit.id),
        HitKind::Product => format!("/admin/products/{}", hit.id),
        HitKind::Service => format!("/admin/services/{}", hit.id),
        HitKind::Organization => format!("/admin/organizations/{}", OrganizationId::from(uuid()?)),
        HitKind::User => format!("/admin/developers/{}", UserId::from(uuid()?)),
        HitKind::Application => format!("/admin/applications/{}", ApplicationId::from(uuid()?)),
        HitKind::Key => format!("/admin/keys/{}", CredentialId::from(uuid()?)),
    };
    Some(Line { href, name: hit.name.clone(), second: hit.second.clone() })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let hit = |kind, id: &str, name: &str, second: &str| Hit {
            kind,
            id: id.into(),
            name: name.into(),
            second: second.into(),
        };
        let hits = vec![
            hit(HitKind::Api, "countries", "Countries API", "/countries/v1"),
            hit(
                HitKind::Application,
                "01936f0e-7a1c-7b52-9f0e-2c1d3b4a5e6f",
                "My first app",
                "maria.lindqvist",
            ),
        ];
        let view = |q: &str, groups| Self {
            shell: Shell::sample(Area::Admin, "Find anything", "/admin/find"),
            q: q.into(),
            groups,
        };
        vec![view("", pages("", true)), view("cou", grouped(hits)), view("nobody", vec![])]
    }
}
