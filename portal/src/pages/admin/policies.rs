//! What all calls are held to, and which APIs hold theirs to more.

use axum::extract::State;
use tollgate_domain::{ApiPolicies, Policies};
use tollgate_store::Page;

use super::desk::{Desk, SAVED, not_taken, sheet};
use super::policy_lines::{filled, inputs, lines_of, operation_lines, placed, typed};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, Fieldset, FormPart, List, Reader, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;

/// Where all of it is.
pub const HERE: &str = "/admin/policies";

fn part(form: &Form, version: i64) -> FormPart {
    let fields = inputs(form, "", "the gateway's own setting holds: 10 MiB at first");
    FormPart::new("policies-form", form, vec![Fieldset::new("", fields)], "Save policies")
        .titled("Of all calls", "Whatever they call, and on whatever plan. They hold with the next call.")
        .to(HERE)
        .with("version", version.to_string())
}

fn form(policies: &Policies) -> Form {
    Form::with(filled(policies.own(), ""))
}

async fn frame(
    state: &PortalState,
    visit: &Visit,
    asked: &Asked,
    policies: &Policies,
    may_write: bool,
) -> Result<Sheet, Fault> {
    let mut sheet = sheet(visit, "Policies").await?.intro(
        "Rates, networks and sizes that calls are held to whatever plan they are on. Those of all calls, of an API, of an \
         operation and of the plan hold together: each rate must admit a call, each list of networks must have the caller.",
    );
    if !may_write {
        let lines = lines_of(policies.own());
        let all = Cell::text_or(lines.join("; "), "nothing");
        sheet = sheet.part(Section::Facts("Of all calls".into(), vec![fact("Held to", all)]));
    }
    let rows = state.store.list_apis(Page::FIRST_500).await?;
    let held = rows.into_iter().filter(|row| row.policies != ApiPolicies::default());
    let list = List::new("api-policies", "Of APIs and operations")
        .column("API")
        .column("All its calls")
        .column("Single operations")
        .or_empty("shield", "No API holds its calls to more", "Each API says so among its settings.")
        .rows(held.map(|row| {
            vec![
                Cell::link(format!("/admin/apis/{}/settings", row.slug), row.name),
                Cell::text_or(lines_of(row.policies.own()).join("; "), "nothing more"),
                Cell::text_or(operation_lines(&row.policies).join("; "), "nothing more"),
            ]
        }));
    Ok(sheet.part(list.whole(asked, "API")))
}

/// `GET /admin/policies`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = state.store.get_policies().await?;
    let sheet = frame(&state, &visit, &asked, &row.policies, desk.may_write).await?;
    if !desk.may_write {
        return sheet.answer(&visit, &asked);
    }
    sheet.part(part(&form(&row.policies), row.version)).answer(&visit, &asked)
}

/// `POST /admin/policies`
pub async fn post(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = state.store.get_policies().await?;
    let sheet = frame(&state, &visit, &Asked::plain(HERE), &row.policies, true).await?;
    let version = sent.read("version").unwrap_or(row.version);
    let mut reader = Reader::new(&sent);
    let policies = typed(&sent, &mut reader, "");
    if let Some(form) = reader.refused() {
        return visit.refused(&sheet.part(part(&form, version)));
    }
    match state.control.put_policies(&desk.actor, sent.read("version"), policies).await {
        Ok(_) => visit.go(HERE, Some(Flash::done(SAVED))).await,
        Err(error) => {
            let error = placed(error, "", &ApiPolicies::default());
            let stored = async { Ok((form(&row.policies), row.version)) };
            not_taken(&visit, sheet, &sent, error, stored, |form| part(form, version)).await
        }
    }
}
