//! One application as operators see it: its keys, its subscriptions, what happened to it, and the switch that stops it.

use axum::extract::{Path, State};
use serde::Deserialize;
use tollgate_control::ApplicationPatch;
use tollgate_domain::{ApplicationId, ApplicationState};
use tollgate_store::Page;
use tollgate_store::browse::{AuditFilter, Cut, SubscriptionFilter};

use super::desk::{Desk, sheet};
use super::{subscriptions, timeline};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::pages::applications::key_row;
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, List, Notice, Section};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::Moment;

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Typed {
    state: ApplicationState,
}

/// `GET /admin/applications/{id}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let id: ApplicationId = id.parse().map_err(|_| Fault::not_found())?;
    let store = &state.store;
    let row = store.get_application(desk.scope, id).await?;
    let organization = store.get_organization(desk.scope, row.organization_id).await?;
    let keys = store.list_credentials(desk.scope, Some(id), Page { after: None, limit: 100 }).await?;
    let filter = SubscriptionFilter { application: Some(id), ..SubscriptionFilter::default() };
    let subscribed = store.browse_subscriptions(desk.scope, filter, &Cut::latest(50)).await?;
    let filter = AuditFilter { subject: Some(id.uuid()), ..AuditFilter::default() };
    let log = store.browse_audit(desk.scope, filter, &Cut::latest(20)).await?;
    let base = format!("/admin/applications/{id}/keys");
    let keys = List::new("keys", "Keys")
        .column("Name")
        .column("Key")
        .column("State")
        .numbers("Last used")
        .numbers("Created")
        .acts()
        .or_empty("key-round", "No key", "This application cannot call anything.")
        .rows(keys.iter().map(|key| {
            let line = key_row(key, &base, visit.now);
            let revoke = line.revoke_href.filter(|_| desk.may_write);
            vec![
                Cell::link(format!("/admin/keys/{}", key.id), line.name.clone()),
                Cell::Code(line.shown),
                Cell::Label(line.state),
                line.last_used.map_or(Cell::Nothing("never"), Cell::When),
                Cell::When(line.created),
                revoke.map_or(Cell::Nothing(""), |href| Cell::Open { href, text: "Revoke", of: line.name }),
            ]
        }))
        .whole(&asked, "name or key");
    let facts = vec![
        fact(
            "Organization",
            Cell::Way { href: format!("/admin/organizations/{}", organization.id), text: organization.name },
        ),
        fact("Created", Cell::When(Moment::of(row.created_at, visit.now))),
    ];
    let suspended = row.state == ApplicationState::Suspended;
    let notice = suspended
        .then(|| Notice::new("bad", "This application is suspended", "All its calls fail with 403."));
    let switch = |next: ApplicationState, icon, text| {
        Action::post(format!("/admin/applications/{id}/state"), icon, text, vec![("state", next.to_string())])
    };
    let switch = if suspended {
        switch(ApplicationState::Active, "check", "Lift suspension")
    } else {
        switch(ApplicationState::Suspended, "ban", "Suspend application")
    };
    sheet(&visit, &row.name)
        .await?
        .below("/admin/applications", "Applications")
        .labelled(row.state)
        .identified(id)
        .action(
            true,
            Action::link(format!("/admin/traffic?range=day&application={id}"), "activity", "Traffic"),
        )
        .action(true, Action::link(format!("/admin/requests?application={id}"), "terminal", "Requests"))
        .action(desk.may_write, switch)
        .maybe(notice)
        .part(Section::Facts(String::new(), facts))
        .part(keys)
        .part(
            subscriptions::table("Subscriptions")
                .rows(subscribed.rows.into_iter().map(|one| subscriptions::row(one, &visit))),
        )
        .part(timeline::list(&log.rows, &visit))
        .answer(&visit, &asked)
}

/// `POST /admin/applications/{id}/state`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let desk = Desk::writing(&visit)?;
    let id: ApplicationId = id.parse().map_err(|_| Fault::not_found())?;
    let patch = ApplicationPatch { name: None, state: Some(typed.state) };
    let row = state.control.update_application(&desk.actor, id, None, patch).await?;
    let flash = Flash::done(match row.state {
        ApplicationState::Active => format!("{} may call again.", row.name),
        ApplicationState::Suspended => {
            format!("{} is suspended. Its calls fail with 403 from now on.", row.name)
        }
    });
    visit.go(&format!("/admin/applications/{id}"), Some(flash)).await
}
