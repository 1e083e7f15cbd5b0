//! One API: where its calls go, and which routes it has.

use askama::Template;
use axum::extract::{Path, State};
use tollgate_domain::Target;
use tollgate_store::{Page, RouteRow};

use crate::error::{Answer, Fault};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::Label;
use crate::{PortalState, filters};

pub struct ProductLink {
    pub href: String,
    pub text: String,
}

pub struct RouteLine {
    pub method: String,
    pub path: String,
    pub operation: String,
}

#[derive(Template)]
#[template(path = "admin/api.html")]
pub struct View {
    pub shell: Shell,
    pub name: String,
    pub slug: String,
    pub state: Label,
    pub base_path: String,
    pub hosts: String,
    pub products: Vec<ProductLink>,
    pub document: String,
    pub service: String,
    pub timeouts: String,
    pub targets: Vec<Target>,
    pub routes: Vec<RouteLine>,
}

/// `GET /admin/apis/{slug}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    visit.operator()?;
    let store = &state.store;
    let api = store.find_api_by_slug(&slug).await?.ok_or_else(Fault::not_found)?;
    let service = store.get_service(api.service_id).await?;
    let document = state.documents.of(store, &api).await?;
    let products = store.list_products(Page::FIRST_500).await?;
    let routes = store.list_routes(api.id).await?;
    visit.page(&View {
        shell: visit.shell(Area::Admin, &api.name).await?,
        name: api.name,
        slug,
        state: api.state.into(),
        hosts: if api.hosts.is_empty() { "any".into() } else { api.hosts.join(", ") },
        base_path: if api.base_path.is_empty() { "/".into() } else { api.base_path },
        products: products
            .into_iter()
            .filter(|product| product.apis().contains(&api.id))
            .map(|product| ProductLink {
                href: format!("/admin/products#{}", product.slug),
                text: product.name,
            })
            .collect(),
        document: document.map_or_else(
            || "none".to_owned(),
            |document| format!("version {}, upload {}", document.version(), api.document_number),
        ),
        service: service.slug.to_string(),
        timeouts: format!(
            "connects within {} ms, answers within {} ms",
            service.connect_timeout_ms, service.read_timeout_ms
        ),
        targets: service.targets,
        routes: routes.into_iter().map(line).collect(),
    })
}

fn line(route: RouteRow) -> RouteLine {
    RouteLine { method: route.method, path: route.path, operation: route.operation_id }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let route = |method: &str, path: &str, operation: &str| RouteLine {
            method: method.into(),
            path: path.into(),
            operation: operation.into(),
        };
        vec![Self {
            shell: Shell::sample(Area::Admin, "Countries API", "/admin/apis/countries"),
            name: "Countries API".into(),
            slug: "countries".into(),
            state: tollgate_domain::ApiState::Published.into(),
            base_path: "/countries/v1".into(),
            hosts: "any".into(),
            products: vec![ProductLink {
                href: "/admin/products#countries".into(),
                text: "Countries".into(),
            }],
            document: "version 1.2.0, upload 3".into(),
            service: "countries".into(),
            timeouts: "connects within 2000 ms, answers within 30000 ms".into(),
            targets: vec![Target { url: "http://127.0.0.1:9000".into(), weight: 1 }],
            routes: vec![
                route("GET", "/countries", "listCountries"),
                route("GET", "/countries/{code}", "getCountry"),
                route("POST", "/favourites", "addFavourite"),
            ],
        }]
    }
}
