//! All APIs.

use std::collections::HashMap;

use axum::extract::State;
use tollgate_domain::ApiState;
use tollgate_store::browse::ApiFilter;

use super::TRAFFIC_ROWS;
use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::pages::usage::range::Range;
use crate::parts::{Action, Asked, Cell, List};
use crate::session::Visit;
use crate::show::Moment;

/// `GET /admin/apis`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let cut = asked.cut(&["name", "path", "-created"]);
    let filter = ApiFilter { words: asked.get("q"), state: asked.read("state"), ..ApiFilter::default() };
    let found = state.store.browse_apis(filter, &cut).await?;
    let mut calls: HashMap<String, i64> = HashMap::new();
    for row in state.store.traffic(desk.scope, None, Range::Day.since(visit.now), TRAFFIC_ROWS).await? {
        *calls.entry(row.api.unwrap_or_default()).or_default() += row.calls;
    }
    let states =
        [(ApiState::Draft, "Draft"), (ApiState::Published, "Published"), (ApiState::Retired, "Retired")];
    let list = List::new("apis", "All APIs")
        .searched(&asked, "name, slug or path")
        .filtered(&asked, "state", "State", "Any state", states.map(|(state, text)| (state.as_str(), text)))
        .sortable("API", &asked, "name", &cut)
        .column("State")
        .sortable("Base path", &asked, "path", &cut)
        .column("Service")
        .numbers("Routes")
        .numbers("Calls, 24 h")
        .sortable("Created", &asked, "created", &cut)
        .or_empty(
            "route",
            "No API yet",
            "An API is published from an OpenAPI document: what callers may ask, and which service answers.",
        )
        .or_do(desk.may_write, "/admin/new/api", "Create API")
        .found(&asked, found, |row| {
            vec![
                Cell::Link {
                    href: format!("/admin/apis/{}", row.slug),
                    text: row.name,
                    second: row.slug.clone(),
                },
                Cell::Label(row.state.into()),
                Cell::Code(if row.base_path.is_empty() { "/".into() } else { row.base_path }),
                Cell::Way { href: format!("/admin/services/{}", row.service), text: row.service },
                Cell::number(row.routes),
                Cell::number(calls.get(&row.slug).copied().unwrap_or(0)),
                Cell::When(Moment::of(row.created_at, visit.now)),
            ]
        });
    sheet(&visit, "APIs")
        .await?
        .intro("What the gateway publishes, and which service answers.")
        .action(desk.may_write, Action::main("/admin/new/api", "plus", "Create API"))
        .part(list)
        .answer(&visit, &asked)
}
