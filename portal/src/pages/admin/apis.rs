//! All APIs.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use tollgate_domain::ServiceId;
use tollgate_store::Page;

use super::TRAFFIC_ROWS;
use crate::error::Answer;
use crate::pages::usage::range::Range;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{self, Label};
use crate::{PortalState, filters};

pub struct Row {
    pub href: String,
    pub name: String,
    pub slug: String,
    pub state: Label,
    pub base_path: String,
    pub service: String,
    pub routes: usize,
    pub calls: String,
}

#[derive(Template)]
#[template(path = "admin/apis.html")]
pub struct View {
    pub shell: Shell,
    pub rows: Vec<Row>,
}

/// `GET /admin/apis`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let (_, scope) = visit.operator()?;
    let store = &state.store;
    let services = store.list_services(Page::FIRST_500).await?;
    let services: HashMap<ServiceId, String> =
        services.into_iter().map(|service| (service.id, service.slug.to_string())).collect();
    let mut calls: HashMap<String, i64> = HashMap::new();
    for row in store.traffic(scope, None, Range::Day.since(visit.now), TRAFFIC_ROWS).await? {
        *calls.entry(row.api.unwrap_or_default()).or_default() += row.calls;
    }
    let mut rows = Vec::new();
    for api in store.list_apis(Page::FIRST_500).await? {
        let slug = api.slug.to_string();
        rows.push(Row {
            href: format!("/admin/apis/{slug}"),
            routes: store.list_routes(api.id).await?.len(),
            calls: show::number(calls.get(&slug).copied().unwrap_or(0)),
            service: services.get(&api.service_id).cloned().unwrap_or_default(),
            state: api.state.into(),
            base_path: if api.base_path.is_empty() { "/".into() } else { api.base_path },
            name: api.name,
            slug,
        });
    }
    visit.page(&View { shell: visit.shell(Area::Admin, "APIs").await?, rows })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use tollgate_domain::ApiState;
        let row = |name: &str, state: ApiState| Row {
            href: "/admin/apis/countries".into(),
            name: name.into(),
            slug: "countries".into(),
            state: state.into(),
            base_path: "/countries/v1".into(),
            service: "countries".into(),
            routes: 4,
            calls: "1,100,200".into(),
        };
        let rows = vec![row("Countries API", ApiState::Published), row("Exchange rates", ApiState::Draft)];
        [rows, vec![]]
            .map(|rows| Self { shell: Shell::sample(Area::Admin, "APIs", "/admin/apis"), rows })
            .into()
    }
}
