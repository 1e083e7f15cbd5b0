//! All applications.

use axum::extract::State;
use tollgate_domain::ApplicationState;
use tollgate_store::browse::ApplicationLine;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Action, Asked, Cell, List};
use crate::session::Visit;
use crate::show::Moment;

/// The columns of applications, with their organization where it is not the page's own.
#[must_use]
pub fn table(title: &str, with_organization: bool) -> List {
    let list = List::new("applications", title).column("Application").column("State");
    let list = if with_organization { list.column("Organization") } else { list };
    list.column("Products").numbers("Active keys").numbers("Created").or_empty(
        "app-window",
        "No application",
        "An application is one program of a developer: it holds keys and subscribes to plans.",
    )
}

/// One of them.
#[must_use]
pub fn row(line: ApplicationLine, with_organization: bool, visit: &Visit) -> Vec<Cell> {
    let mut cells = vec![
        Cell::link(format!("/admin/applications/{}", line.id), line.name),
        Cell::Label(line.state.into()),
    ];
    if with_organization {
        cells.push(Cell::Way {
            href: format!("/admin/organizations/{}", line.organization_id),
            text: line.organization,
        });
    }
    cells.extend([
        Cell::text_or(line.products.join(", "), "none"),
        Cell::number(line.keys),
        Cell::When(Moment::of(line.created_at, visit.now)),
    ]);
    cells
}

/// `GET /admin/applications`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let cut = asked.cut(&["-created", "name"]);
    let found =
        state.store.browse_applications(desk.scope, asked.get("q"), asked.read("state"), &cut).await?;
    let states = [(ApplicationState::Active, "Active"), (ApplicationState::Suspended, "Suspended")];
    let list = List::new("applications", "All applications")
        .searched(&asked, "name")
        .filtered(&asked, "state", "State", "Any state", states.map(|(state, text)| (state.as_str(), text)))
        .sortable("Application", &asked, "name", &cut)
        .column("State")
        .column("Organization")
        .column("Products")
        .numbers("Active keys")
        .sortable("Created", &asked, "created", &cut)
        .or_empty(
            "app-window",
            "No application yet",
            "An application is one program of a developer: it holds keys and subscribes to plans.",
        )
        .found(&asked, found, |line| row(line, true, &visit));
    sheet(&visit, "Applications")
        .await?
        .intro("Developers' programs: what holds keys and subscribes to plans.")
        .action(true, Action::link("/admin/keys", "key-round", "Find a key"))
        .part(list)
        .answer(&visit, &asked)
}
