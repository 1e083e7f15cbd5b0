//! One person: where they belong, what they did, and whether they may sign in.

use axum::extract::{Path, State};
use tollgate_control::Error;
use tollgate_domain::UserId;
use tollgate_store::UserRow;
use tollgate_store::browse::{AuditFilter, Cut};

use super::desk::{Desk, sheet};
use super::developers::sign_in;
use super::timeline;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, List, Section};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{Label, Moment};

const LIST: &str = "/admin/developers";

async fn find(state: &PortalState, id: &str) -> Result<UserRow, Fault> {
    let id: UserId = id.parse().map_err(|_| Fault::not_found())?;
    state.store.find_user(id).await?.ok_or_else(Fault::not_found)
}

/// `GET /admin/developers/{id}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let row = find(&state, &id).await?;
    let memberships = state.store.list_memberships(row.id).await?;
    let operator = state.store.find_operator(row.id).await?;
    let filter = AuditFilter { actor: Some(row.id.uuid()), ..AuditFilter::default() };
    let log = state.store.browse_audit(desk.scope, filter, &Cut::latest(20)).await?;
    let mut rows = Vec::new();
    for one in memberships {
        let organization = state.store.get_organization(desk.scope, one.organization_id).await?;
        rows.push(vec![
            Cell::link(format!("/admin/organizations/{}", organization.id), organization.name),
            Cell::Label(Label::new("", one.role.to_string())),
        ]);
    }
    let organizations = List::new("organizations", "Organizations")
        .column("Organization")
        .column("Role")
        .or_empty("boxes", "In no organization", "Without one they own no application.")
        .rows(rows);
    let role =
        operator.map_or(Cell::Nothing("none"), |row| Cell::Label(Label::new("accent", row.role.to_string())));
    let facts = vec![
        fact("Name", Cell::text_or(row.name.clone(), "not given")),
        fact("Signed up", Cell::When(Moment::of(row.created_at, visit.now))),
        fact("Role on the platform", role),
    ];
    let disabled = row.disabled_at.is_some();
    let (text, icon, value) =
        if disabled { ("Let sign in", "check", "no") } else { ("Disable sign-in", "ban", "yes") };
    let switch =
        Action::post(format!("{LIST}/{id}/disable"), icon, text, vec![("disable", value.to_owned())]);
    sheet(&visit, &row.email)
        .await?
        .below(LIST, "Developers")
        .labelled(sign_in(disabled))
        .identified(row.id)
        .action(desk.may_write, switch)
        .part(Section::Facts(String::new(), facts))
        .part(organizations)
        .part(timeline::list(&log.rows, &visit))
        .answer(&visit, &asked)
}

/// `POST /admin/developers/{id}/disable`
pub async fn disable(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: crate::parts::Sent,
) -> Answer {
    let desk = Desk::writing(&visit)?;
    let row = find(&state, &id).await?;
    let disable = sent.get("disable") == "yes";
    let flash = match state.control.disable_user(&desk.actor, row.id, disable).await {
        Ok(()) if disable => {
            Flash::done(format!("{} cannot sign in any more, and is signed out everywhere.", row.email))
        }
        Ok(()) => Flash::done(format!("{} may sign in again.", row.email)),
        Err(Error::Conflict(text)) => {
            Flash { tone: "bad".into(), text: format!("Nothing was changed: {text}.") }
        }
        Err(error) => return Err(error.into()),
    };
    visit.go(&format!("{LIST}/{id}"), Some(flash)).await
}
