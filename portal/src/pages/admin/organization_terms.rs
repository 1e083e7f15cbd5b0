//! What was agreed with an organization: its clock, what it pays in, how late it may be. Finance may do the last.

use axum::extract::{Path, State};
use tollgate_control::{Action as May, Error, FieldFault};
use tollgate_domain::{OrganizationId, Zone};
use tollgate_store::OrganizationRow;

use super::desk::Desk;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sheet::fact;
use crate::parts::{Cell, Fieldset, FormPart, Input, Reader, Section, Sent};
use crate::session::Visit;
use crate::shell::Flash;

/// What is agreed now, as a part of the organization's page: a form for whoever may change it.
///
/// # Errors
/// The database is away.
pub async fn part(state: &PortalState, desk: &Desk, row: &OrganizationRow) -> Result<Section, Fault> {
    let store = &state.store;
    let zone = store.get_time_zone(desk.scope, row.id).await?;
    let grace = store.get_grace(row.id).await?;
    let currency = store.get_currency(desk.scope, row.id).await?;
    let said = currency.map_or_else(String::new, |currency| currency.as_str().to_owned());
    let settles = desk.actor.authorize(May::SettleBills).is_ok();
    if !settles {
        let grace = grace.map_or_else(String::new, |days| days.to_string());
        let facts = vec![
            fact("Time zone", Cell::Text(zone.as_str().to_owned())),
            fact("Currency", Cell::text_or(said, "open")),
            fact("Days of grace", Cell::text_or(grace, "as its plans say")),
        ];
        return Ok(Section::Facts("Terms".into(), facts));
    }
    let form = Form::with([
        ("time_zone", zone.as_str().to_owned()),
        ("currency", said),
        ("grace_days", grace.map_or_else(String::new, |days| days.to_string())),
    ]);
    let mut inputs = Vec::new();
    if desk.may_write {
        let fixed = store.pays(row.id).await?;
        let hint = if fixed {
            "Fixed: it has or had a plan that costs something."
        } else {
            "Three letters, like EUR. Empty leaves it to the first plan that costs something."
        };
        inputs.push(Input::line(&form, "time_zone", "Time zone").hint(
            "A name like Europe/Berlin. Days and months of its exact and soft quotas are those of a clock there.",
        ));
        inputs.push(Input::line(&form, "currency", "Currency").hint(hint));
    }
    inputs
        .push(Input::number(&form, "grace_days", "Days of grace", 0, 365).hint(
            "Between a payment that failed and what its plan does then. Empty leaves it to its plans.",
        ));
    let part = FormPart::new("organization-terms-form", &form, vec![Fieldset::new("", inputs)], "Save terms")
        .titled("Terms", "")
        .to(format!("/admin/organizations/{}/terms", row.id))
        .toned("");
    Ok(part.into())
}

/// `POST /admin/organizations/{id}/terms`: all of it or nothing.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let id: OrganizationId = id.parse().map_err(|_| Fault::not_found())?;
    let there = format!("/admin/organizations/{id}");
    let refused = |text: String| Flash { tone: "bad".into(), text: format!("Nothing was changed: {text}") };
    let flash = match save(&state, &desk, id, &sent).await {
        Ok(()) => Flash::done("The terms are kept."),
        Err(Error::Invalid(faults)) => {
            refused(faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; "))
        }
        Err(Error::Conflict(text)) => refused(text),
        Err(other) => return Err(other.into()),
    };
    visit.go(&there, Some(flash)).await
}

async fn save(state: &PortalState, desk: &Desk, id: OrganizationId, sent: &Sent) -> Result<(), Error> {
    let mut reader = Reader::new(sent);
    let grace_days = if sent.has("grace_days") { reader.number::<i16>("grace_days") } else { None };
    let zone = sent.has("time_zone").then(|| sent.get("time_zone").parse::<Zone>());
    let currency = sent.has("currency").then(|| sent.get("currency").to_uppercase().parse());
    let zone = zone.transpose().map_err(|error| invalid("/time_zone", error.to_string()))?;
    let currency =
        currency.transpose().map_err(|_| invalid("/currency", "a currency is three letters, like EUR"))?;
    if sent.has("grace_days") && grace_days.is_none() {
        return Err(invalid("/grace_days", "days of grace are a whole number, 0 to 365"));
    }
    let unit = state.control.open_unit().await?;
    let brain = unit.control();
    if brain.store().get_grace(id).await? != grace_days {
        brain.agree_on_grace(&desk.actor, id, grace_days).await?;
    }
    if let Some(zone) = zone {
        brain.set_time_zone(&desk.actor, id, zone).await?;
    }
    if let Some(currency) = currency {
        brain.choose_currency(&desk.actor, id, currency).await?;
    }
    unit.commit().await?;
    Ok(())
}

fn invalid(field: &str, message: impl Into<String>) -> Error {
    Error::Invalid(vec![FieldFault::new(field, message)])
}
