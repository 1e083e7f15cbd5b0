//! All services: the systems that calls are forwarded to.

use axum::extract::State;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Action, Asked, Cell, List};
use crate::session::Visit;
use crate::show::Moment;

/// `GET /admin/services`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let cut = asked.cut(&["name", "slug", "-created"]);
    let found = state.store.browse_services(asked.get("q"), &cut).await?;
    let list = List::new("services", "All services")
        .searched(&asked, "name or slug")
        .sortable("Service", &asked, "name", &cut)
        .column("Targets")
        .numbers("APIs")
        .numbers("Answers within")
        .sortable("Created", &asked, "created", &cut)
        .or_empty(
            "network",
            "No service yet",
            "A service is a system of yours that answers calls. APIs forward to it.",
        )
        .or_do(desk.may_write, "/admin/new/service", "Create service")
        .found(&asked, found, |row| {
            vec![
                Cell::Link {
                    href: format!("/admin/services/{}", row.slug),
                    text: row.name,
                    second: row.slug,
                },
                Cell::Code(row.targets.join(", ")),
                Cell::number(row.apis),
                Cell::Text(format!("{} ms", row.read_timeout_ms)),
                Cell::When(Moment::of(row.created_at, visit.now)),
            ]
        });
    sheet(&visit, "Services")
        .await?
        .intro("Systems of yours that answer calls, each with its addresses.")
        .action(desk.may_write, Action::main("/admin/new/service", "plus", "Create service"))
        .part(list)
        .answer(&visit, &asked)
}
