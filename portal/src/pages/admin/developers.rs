//! All people with an account.

use axum::extract::State;
use tollgate_domain::OrganizationId;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Asked, Cell, List};
use crate::session::Visit;
use crate::show::{Label, Moment};

/// `GET /admin/developers`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    Desk::of(&visit)?;
    let cut = asked.cut(&["-created", "email"]);
    let disabled = match asked.get("state") {
        "disabled" => Some(true),
        "enabled" => Some(false),
        _ => None,
    };
    let found = state.store.browse_users(asked.get("q"), disabled, &cut).await?;
    let list = List::new("developers", "All developers")
        .searched(&asked, "e-mail or name")
        .filtered(
            &asked,
            "state",
            "Sign-in",
            "Anybody",
            [("enabled", "May sign in"), ("disabled", "Disabled")],
        )
        .sortable("Person", &asked, "email", &cut)
        .column("Organization")
        .column("Role there")
        .column("Sign-in")
        .sortable("Signed up", &asked, "created", &cut)
        .or_empty(
            "users",
            "Nobody has signed up yet",
            "Developers appear here when they create an account in the portal.",
        )
        .or_do(true, "/signup", "See the sign-up page")
        .found(&asked, found, |row| {
            let organization = match (row.organization_id, row.organization) {
                (Some(id), Some(name)) => Cell::Way {
                    href: format!("/admin/organizations/{}", OrganizationId::from(id)),
                    text: name,
                },
                _ => Cell::Nothing("none"),
            };
            vec![
                Cell::Link {
                    href: format!("/admin/developers/{}", row.id),
                    text: row.email,
                    second: row.name,
                },
                organization,
                Cell::text_or(row.role.unwrap_or_default(), "–"),
                Cell::Label(sign_in(row.disabled_at.is_some())),
                Cell::When(Moment::of(row.created_at, visit.now)),
            ]
        });
    sheet(&visit, "Developers")
        .await?
        .intro("People with an account, and the organization each acts in.")
        .part(list)
        .answer(&visit, &asked)
}

/// Whether somebody may sign in.
#[must_use]
pub fn sign_in(disabled: bool) -> Label {
    if disabled { Label::new("bad", "Disabled") } else { Label::new("ok", "May sign in") }
}
