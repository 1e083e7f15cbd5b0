//! All organizations.

use axum::extract::State;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Asked, Cell, List};
use crate::session::Visit;
use crate::show::Moment;

/// `GET /admin/organizations`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let cut = asked.cut(&["-created", "name"]);
    let found = state.store.browse_organizations(desk.scope, asked.get("q"), &cut).await?;
    let list = List::new("organizations", "All organizations")
        .searched(&asked, "name")
        .sortable("Organization", &asked, "name", &cut)
        .column("First member")
        .numbers("Members")
        .numbers("Applications")
        .numbers("Subscriptions")
        .sortable("Created", &asked, "created", &cut)
        .or_empty(
            "boxes",
            "Nobody has signed up yet",
            "Each developer who creates an account in the portal brings an organization of their own.",
        )
        .or_do(true, "/signup", "See the sign-up page")
        .found(&asked, found, |row| {
            vec![
                Cell::Link {
                    href: format!("/admin/organizations/{}", row.id),
                    text: row.name,
                    second: row.slug,
                },
                Cell::text_or(row.first_member.unwrap_or_default(), "nobody"),
                Cell::number(row.members),
                Cell::number(row.applications),
                Cell::number(row.subscriptions),
                Cell::When(Moment::of(row.created_at, visit.now)),
            ]
        });
    sheet(&visit, "Organizations")
        .await?
        .intro("Tenants: the companies and people whose applications call your APIs.")
        .part(list)
        .answer(&visit, &asked)
}
