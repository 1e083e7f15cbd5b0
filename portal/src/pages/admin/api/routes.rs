//! The operations of an API.

use axum::extract::{Path, State};

use super::{find, frame};
use crate::PortalState;
use crate::error::Answer;
use crate::pages::admin::desk::Desk;
use crate::parts::{Asked, Cell, List};
use crate::session::Visit;

/// More are not drawn: a search finds them.
const SHOWN_MAX: usize = 300;

/// `GET /admin/apis/{slug}/routes`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let wanted = asked.get("q").to_lowercase();
    let mut routes = state.store.list_routes(row.id).await?;
    let all = routes.len();
    routes.retain(|one| {
        [&one.method, &one.path, &one.operation_id].iter().any(|text| text.to_lowercase().contains(&wanted))
    });
    let found = routes.len();
    if !asked.wants_csv() {
        routes.truncate(SHOWN_MAX);
    }
    let note = if found > SHOWN_MAX {
        format!("the first {SHOWN_MAX} of {found}; find others by their path")
    } else {
        String::new()
    };
    let mut list = List::new("routes", "Routes")
        .searched(&asked, "path or operation")
        .column("Route")
        .column("Operation")
        .or_empty(
            "route",
            "No route",
            "Every call to this API is answered with 404. Publish an OpenAPI document to give it operations.",
        )
        .or_do(desk.may_write, &format!("{}/{slug}/document", super::LIST), "Publish document")
        .rows(routes.into_iter().map(|route| {
            let href = format!(
                "/admin/traffic?range=day&api={slug}&path={}",
                crate::error::query_value(&route.path)
            );
            vec![Cell::Route { method: route.method, path: route.path, href }, Cell::Code(route.operation_id)]
        }));
    list.note = note;
    list.count = if found == all { all.to_string() } else { format!("{found} of {all}") };
    list.export = Some(asked.with(&[("format", "csv")])).filter(|_| found > 0);
    frame(&visit, &desk, &row).await?.part(list).answer(&visit, &asked)
}
