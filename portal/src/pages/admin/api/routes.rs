//! The operations of an API.

use axum::extract::{Path, State};

use super::{find, frame};
use crate::PortalState;
use crate::error::Answer;
use crate::pages::admin::desk::Desk;
use crate::pages::reference::Place;
use crate::parts::{Asked, Cell, List};
use crate::session::Visit;

/// `GET /admin/apis/{slug}/routes`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let routes = state.store.list_routes(row.id).await?;
    // A test call is what a developer makes: by the portal, with a key of one's own or as a guest.
    let offer = match row.is_served(visit.now) {
        true => state.store.find_offer(row.id, visit.viewer()).await?,
        false => None,
    };
    let place = offer.map(|product| Place { product: product.slug.to_string(), api: slug.clone() });
    let list = List::new("routes", "Routes")
        .column("Route")
        .column("Operation")
        .acts()
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
            let of = format!("{} {}", route.method, route.path);
            let test = place.as_ref().map(|place| format!("{}/try", place.operation(&route.operation_id)));
            let test = test.map_or(Cell::Nothing(""), |href| Cell::Open { href, text: "Test call", of });
            vec![
                Cell::Route { method: route.method, path: route.path, href },
                Cell::Code(route.operation_id),
                test,
            ]
        }))
        .whole(&asked, "path or operation");
    frame(&visit, &desk, &row).await?.part(list).answer(&visit, &asked)
}
