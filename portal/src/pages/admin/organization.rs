//! One organization: its people, its applications, what happened to it, and the switch that stops it.

use axum::extract::{Path, State};
use tollgate_control::OrganizationPatch;
use tollgate_domain::{OrganizationId, Scope};
use tollgate_store::OrganizationRow;
use tollgate_store::browse::{AuditFilter, Cut, SubscriptionFilter};

use super::desk::{Desk, Question, sheet};
use super::{applications, organization_terms, subscriptions, timeline};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, Fieldset, FormPart, Input, List, Notice, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Label, Moment};

const LIST: &str = "/admin/organizations";
/// Rows of each of its lists.
const SHOWN: i64 = 20;

async fn find(state: &PortalState, desk: &Desk, id: &str) -> Result<OrganizationRow, Fault> {
    let id: OrganizationId = id.parse().map_err(|_| Fault::not_found())?;
    Ok(state.store.get_organization(desk.scope, id).await?)
}

fn rename(form: &Form, row: &OrganizationRow) -> FormPart {
    FormPart::new(
        "name-form",
        form,
        vec![Fieldset::new("", vec![Input::line(form, "name", "Name").required()])],
        "Rename",
    )
    .titled("Name", "")
    .to(format!("{LIST}/{}", row.id))
    .toned("")
}

async fn page(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    row: &OrganizationRow,
    asked: &Asked,
    form: &Form,
) -> Result<Sheet, Fault> {
    let store = &state.store;
    let own = Scope::Organization(row.id);
    let suspended = store.organization_suspended_at(row.id).await?;
    let members = store.list_members(own).await?;
    let apps = store.browse_applications(own, "", None, &Cut::latest(SHOWN)).await?;
    let subscribed =
        store.browse_subscriptions(own, SubscriptionFilter::default(), &Cut::latest(SHOWN)).await?;
    let log = store.browse_audit(own, AuditFilter::default(), &Cut::latest(SHOWN)).await?;
    let base = format!("{LIST}/{}", row.id);
    let people = List::new("members", "Members")
        .column("Person")
        .column("Role")
        .or_empty("users", "Nobody is in it", "It was made by an operator or has lost its members.")
        .rows(members.into_iter().map(|member| {
            vec![
                Cell::link(format!("/admin/developers/{}", member.user_id), member.email),
                Cell::Label(Label::new("", member.role.to_string())),
            ]
        }))
        .whole(asked, "person or role");
    let state_label =
        if suspended.is_some() { Label::new("bad", "Suspended") } else { Label::new("ok", "Active") };
    let switch = if suspended.is_some() {
        Action::post(format!("{base}/resume"), "check", "Let it go on", Vec::new())
    } else {
        Action::link(format!("{base}/suspend"), "ban", "Suspend")
    };
    let notice = suspended.map(|at| {
        Notice::new(
            "bad",
            format!("Suspended {}", Moment::of(at, visit.now).text),
            "All calls of its applications fail with 403, and it makes no new ones.",
        )
    });
    let facts = vec![
        fact("Slug", Cell::Code(row.slug.to_string())),
        fact("Created", Cell::When(Moment::of(row.created_at, visit.now))),
    ];
    let sheet = sheet(visit, &row.name)
        .await?
        .below(LIST, "Organizations")
        .labelled(state_label)
        .identified(row.id)
        .action(true, Action::link(format!("{base}/credits"), "scroll-text", "Credits"))
        .action(true, Action::post(format!("{base}/view-as"), "eye", "View as", Vec::new()))
        .action(desk.may_write, switch)
        .action(desk.may_write, Action::link(format!("{base}/delete"), "x", "Delete"))
        .maybe(notice)
        .part(Section::Facts(String::new(), facts))
        .part(people)
        .part(
            applications::table("Applications", false)
                .rows(apps.rows.into_iter().map(|one| applications::row(one, false, visit))),
        )
        .part(
            subscriptions::table("Subscriptions")
                .rows(subscribed.rows.into_iter().map(|one| subscriptions::row(one, visit))),
        )
        .part(organization_terms::part(state, desk, row).await?)
        .part(timeline::list(&log.rows, visit));
    Ok(if desk.may_write { sheet.part(rename(form, row)) } else { sheet })
}

/// `GET /admin/organizations/{id}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let form = Form::with([("name", row.name.clone())]);
    page(&state, &visit, &desk, &row, &asked, &form).await?.answer(&visit, &asked)
}

/// `POST /admin/organizations/{id}`: another name.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::writing(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let patch = OrganizationPatch { name: Some(sent.get("name")), slug: None };
    match state.control.update_organization(&desk.actor, row.id, sent.read("version"), patch).await {
        Ok(row) => {
            visit
                .go(&format!("{LIST}/{id}"), Some(Flash::done(format!("It is called {} now.", row.name))))
                .await
        }
        Err(error) => {
            let form = sent.form().refused(error)?;
            let asked = Asked::plain(&format!("{LIST}/{}", row.id));
            visit.refused(&page(&state, &visit, &desk, &row, &asked, &form).await?)
        }
    }
}

/// `GET /admin/organizations/{id}/suspend`
pub async fn ask_suspend(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let desk = Desk::writing(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let apps = state.store.browse_applications(Scope::Organization(row.id), "", None, &Cut::first(1)).await?;
    let count = usize::try_from(apps.total.unwrap_or_default()).unwrap_or_default();
    let title = format!("All calls of {} fail with 403 from now on", show::count(count, "application"));
    let part = FormPart::new("suspend-form", &Form::default(), Vec::new(), "Suspend organization")
        .toned("danger")
        .or_back(&format!("{LIST}/{id}"));
    let sheet = sheet(&visit, format!("Suspend {}?", row.name)).await?.narrow();
    visit.page(&sheet.part(Notice::new("warn", title, "Its members can still sign in and read. Letting it go on brings back exactly these applications.")).part(part))
}

/// `POST /admin/organizations/{id}/suspend`
pub async fn suspend(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    switch(&state, &visit, &id, true).await
}

/// `POST /admin/organizations/{id}/resume`
pub async fn resume(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    switch(&state, &visit, &id, false).await
}

async fn switch(state: &PortalState, visit: &Visit, id: &str, suspend: bool) -> Answer {
    let desk = Desk::writing(visit)?;
    let row = find(state, &desk, id).await?;
    let count = state.control.suspend_organization(&desk.actor, row.id, suspend).await?;
    let count = show::count(usize::try_from(count).unwrap_or_default(), "application");
    let text = if suspend {
        format!("{} is suspended with {count}.", row.name)
    } else {
        format!("{} goes on with {count}.", row.name)
    };
    visit.go(&format!("{LIST}/{id}"), Some(Flash::done(text))).await
}

fn question<'q>(row: &'q OrganizationRow, back: &'q str) -> Question<'q> {
    Question {
        button: "Delete organization",
        consequence: "Its applications, subscriptions and keys stop working at once. What it used stays in usage and on bills.",
        name: row.slug.as_str(),
        version: row.version,
        back,
    }
}

/// `GET /admin/organizations/{id}/delete`
pub async fn ask_delete(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let desk = Desk::writing(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let back = format!("{LIST}/{id}");
    let sheet = sheet(&visit, format!("Delete {}?", row.name)).await?;
    visit.page(&question(&row, &back).ask(sheet, &Form::default(), Vec::new()))
}

/// `POST /admin/organizations/{id}/delete`
pub async fn delete(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::writing(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let back = format!("{LIST}/{id}");
    let question = question(&row, &back);
    let sheet = sheet(&visit, format!("Delete {}?", row.name)).await?;
    if let Some(form) = question.wrong(&sent) {
        return question.again(&visit, sheet, &form);
    }
    match state.control.delete_organization(&desk.actor, row.id, sent.read("version")).await {
        Ok(()) => visit.go(LIST, Some(Flash::done(format!("{} is deleted.", row.name)))).await,
        Err(error) => question.refused(&visit, sheet, &sent, error),
    }
}

/// `POST /admin/organizations/{id}/view-as`
pub async fn view_as(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let desk = Desk::of(&visit)?;
    let row = find(&state, &desk, &id).await?;
    let row = state.control.view_as(&desk.actor, row.id).await?;
    visit.view_as(row.id, row.name).await?;
    visit.go("/applications", None).await
}

/// `POST /admin/view-as/end`
pub async fn stop_viewing(visit: Visit) -> Answer {
    Desk::of(&visit)?;
    let there = visit.view_as_oneself().await?.map_or_else(|| LIST.to_owned(), |id| format!("{LIST}/{id}"));
    visit.go(&there, Some(Flash::done("You see the portal as yourself again."))).await
}
