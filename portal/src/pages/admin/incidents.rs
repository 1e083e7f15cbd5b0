//! What the status page tells of: incidents that gateways noticed, and those that operators wrote.

use axum::extract::State;
use tollgate_domain::{ApiId, Trouble};
use tollgate_store::{ApiRow, IncidentRow, Page};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Action, Asked, Cell, List};
use crate::session::Visit;
use crate::show::{Label, Moment};

/// Where all of it is.
pub const HERE: &str = "/admin/incidents";

/// How bad it was, in words.
pub const fn graded(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Degraded => "Some calls fail",
        Trouble::Down => "Down",
    }
}

/// The name of what an incident is about.
pub fn about(api: Option<ApiId>, apis: &[ApiRow]) -> String {
    let named = |id| apis.iter().find(|api| api.id == id).map(|api| api.name.clone());
    api.and_then(named).unwrap_or_else(|| "All APIs".to_owned())
}

fn cells(row: &IncidentRow, apis: &[ApiRow], visit: &Visit) -> Vec<Cell> {
    let about = about(row.api_id(), apis);
    let (text, second) =
        if row.title.is_empty() { (about, String::new()) } else { (row.title.clone(), about) };
    let tone = match (row.ended_at, row.trouble) {
        (Some(_), _) => "",
        (None, Trouble::Degraded) => "warn",
        (None, Trouble::Down) => "bad",
    };
    vec![
        Cell::Link { href: format!("{HERE}/{}", row.id), text, second },
        Cell::Label(Label::new(tone, graded(row.trouble))),
        Cell::Text(if row.noticed { "Gateways" } else { "An operator" }.to_owned()),
        Cell::When(Moment::of(row.began_at, visit.now)),
        row.ended_at.map_or(Cell::Nothing("lasts"), |ended| Cell::When(Moment::of(ended, visit.now))),
    ]
}

/// `GET /admin/incidents`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let apis = state.store.list_apis(Page::FIRST_500).await?;
    let rows = state.store.list_latest_incidents().await?;
    let list = List::new("incidents", "Incidents")
        .column("Incident")
        .column("How bad")
        .column("Told by")
        .column("Began")
        .column("Over")
        .or_empty(
            "circle-check",
            "No incidents",
            "An API that fails calls appears here by itself. What gateways cannot see, you write.",
        )
        .or_do(desk.may_write, "/admin/new/incident", "Write an incident")
        .rows(rows.iter().map(|row| cells(row, &apis, &visit)))
        .whole(&asked, "incident");
    sheet(&visit, "Incidents")
        .await?
        .intro("What the status page and its feed tell of the last 90 days. They are kept for a year.")
        .action(true, Action::link("/status", "external-link", "See as a developer"))
        .action(desk.may_write, Action::main("/admin/new/incident", "plus", "Write an incident"))
        .part(list)
        .answer(&visit, &asked)
}
