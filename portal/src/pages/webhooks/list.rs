//! All webhooks of the place, and a new one.

use axum::extract::State;
use tollgate_control::WebhookInput;
use tollgate_store::{Page, WebhookRow};

use super::{Place, host_of, part, state_of, told};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::{Action, Asked, Cell, List, Sent, Sheet};
use crate::say::t;
use crate::session::Visit;
use crate::show::Moment;

fn cells(place: &Place, row: WebhookRow, visit: &Visit) -> Vec<Cell> {
    let mut cells = vec![
        Cell::Link { href: place.path(row.id), text: host_of(&row), second: row.description.clone() },
        Cell::Label(state_of(&row)),
        Cell::Text(told(&row)),
        Cell::When(Moment::of(row.created_at, visit.now)),
    ];
    if place.organization.is_none() {
        let whose = match (row.organization_id(), row.organization) {
            (Some(id), Some(text)) => Cell::Way { href: format!("/admin/organizations/{id}"), text },
            _ => Cell::Text(t("webhook-platform").into()),
        };
        cells.insert(2, whose);
    }
    cells
}

/// `GET /webhooks` and `GET /admin/webhooks`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let place = Place::of(&visit, &asked)?;
    let rows = state.store.list_webhooks(place.scope, Page { after: None, limit: 500 }).await?;
    let list =
        List::new("webhooks", t("around-webhooks")).column(t("account-address")).column(t("status-state"));
    let list = if place.organization.is_none() { list.column(t("webhook-whose")) } else { list };
    let list = list
        .column(t("webhook-told"))
        .numbers(t("applications-created"))
        .or_empty("bell", t("webhook-none"), t("webhook-none-text"))
        .or_do(place.may_write, &place.new_path(), t("webhook-add"))
        .rows(rows.into_iter().map(|row| cells(&place, row, &visit)))
        .whole(&asked, t("account-address"));
    let intro = if place.organization.is_none() { t("webhook-all-intro") } else { t("webhook-intro") };
    place
        .sheet(&visit, t("around-webhooks"))
        .await?
        .intro(intro)
        .action(place.may_write, Action::main(place.new_path(), "plus", t("webhook-add")))
        .part(list)
        .answer(&visit, &asked)
}

async fn new_sheet(place: &Place, visit: &Visit, form: &Form) -> Result<Sheet, Fault> {
    let sheet = place.sheet(visit, t("webhook-add")).await?.below(place.base, t("around-webhooks")).narrow();
    Ok(sheet.part(part(form, t("webhook-add-button"), place.base, false)))
}

/// `GET /webhooks/new` and `GET /admin/webhooks/new`
pub async fn create(visit: Visit, asked: Asked) -> Answer {
    let place = Place::writing(&visit, &asked)?;
    visit.page(&new_sheet(&place, &visit, &Form::default()).await?)
}

/// `POST` to the same
pub async fn post_new(State(state): State<PortalState>, visit: Visit, asked: Asked, sent: Sent) -> Answer {
    let place = Place::writing(&visit, &asked)?;
    let input = WebhookInput {
        organization_id: place.organization,
        url: sent.get("url"),
        description: sent.get("description"),
        event_types: sent.all("event_types").map(str::to_owned).collect(),
    };
    match state.control.create_webhook(&place.actor, input).await {
        Ok((row, secret)) => {
            visit.keep_secret(row.id, secret.reveal()).await?;
            visit.go(&format!("{}/settings", place.path(row.id)), None).await
        }
        Err(error) => visit.refused(&new_sheet(&place, &visit, &sent.form().refused(error)?).await?),
    }
}
