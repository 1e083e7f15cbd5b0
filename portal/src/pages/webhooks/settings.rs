//! One webhook's settings: its address, what it is told, its secret.

use axum::extract::{Path, State};
use tollgate_control::WebhookPatch;
use tollgate_store::WebhookRow;

use super::{Place, filled, part};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::{Question, not_taken};
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, FormPart, Section, Sent, Sheet};
use crate::say::{say, t};
use crate::session::{Visit, unkept};
use crate::shell::Flash;
use crate::show::Moment;

fn edit_part(place: &Place, form: &Form, row: &WebhookRow) -> FormPart {
    part(form, t("webhook-save"), &place.path(row.id), true).with("version", row.version.to_string())
}

fn secret_part(place: &Place, row: &WebhookRow, visit: &Visit) -> FormPart {
    let text = match row.old_secret_until {
        Some(until) if until > visit.now => {
            say("webhook-before").with("until", Moment::of(until, visit.now).exact).into()
        }
        _ => t("webhook-signed").to_owned(),
    };
    FormPart::new("rotate-form", &Form::default(), Vec::new(), t("webhook-rotate"))
        .to(format!("{}/rotate", place.path(row.id)))
        .titled(t("webhook-secret"), &text)
        .toned("")
}

/// `GET /webhooks/{id}/settings` and the same below `/admin`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::of(&visit, &asked)?;
    let row = place.find(&state, &id).await?;
    let secret = visit.take_secret(row.id).await?;
    let shown = secret.is_some();
    let sheet = place.frame(&visit, &row).await?.maybe(secret.map(|secret| Section::Secret {
        title: t("webhook-secret-ready").into(),
        text: t("webhook-secret-text").into(),
        secret,
    }));
    if !place.may_write {
        let facts = vec![
            fact(t("account-address"), Cell::Code(row.url.clone())),
            fact(t("webhook-told"), Cell::Text(super::told(&row))),
            fact(t("applications-created"), Cell::When(Moment::of(row.created_at, visit.now))),
        ];
        return sheet.part(Section::Facts(String::new(), facts)).answer(&visit, &asked);
    }
    let path = place.path(row.id);
    let sheet =
        sheet.part(edit_part(&place, &filled(&row), &row)).part(secret_part(&place, &row, &visit)).part(
            FormPart::new("delete-form", &Form::default(), Vec::new(), t("webhook-delete"))
                .to(format!("{path}/delete"))
                .titled(t("webhook-delete-title"), t("webhook-delete-text"))
                .with("ask", "yes")
                .toned("danger"),
        );
    let page = visit.page(&sheet)?;
    Ok(if shown { unkept(page) } else { page })
}

/// `POST /webhooks/{id}/settings` and the same below `/admin`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let place = Place::writing(&visit, &asked)?;
    let row = place.find(&state, &id).await?;
    let patch = WebhookPatch {
        url: Some(sent.get("url")),
        description: Some(sent.get("description")),
        event_types: Some(sent.all("event_types").map(str::to_owned).collect()),
        active: Some(sent.has("active")),
    };
    match state.control.update_webhook(&place.actor, row.id, sent.read("version"), patch).await {
        Ok(row) => visit.go(&place.path(row.id), Some(Flash::done(t("webhook-saved")))).await,
        Err(error) => {
            let sheet = place.frame(&visit, &row).await?;
            let stored = async { Ok((filled(&row), row.version)) };
            not_taken(&visit, sheet, &sent, error, stored, |form| edit_part(&place, form, &row)).await
        }
    }
}

/// `POST /webhooks/{id}/rotate` and the same below `/admin`
pub async fn rotate(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::writing(&visit, &asked)?;
    let row = place.find(&state, &id).await?;
    let (row, secret) = state.control.rotate_webhook_secret(&place.actor, row.id).await?;
    visit.keep_secret(row.id, secret.reveal()).await?;
    visit.go(&format!("{}/settings", place.path(row.id)), None).await
}

fn question<'q>(row: &'q WebhookRow, host: &'q str, back: &'q str) -> Question<'q> {
    Question {
        button: t("webhook-delete"),
        consequence: t("webhook-delete-text"),
        name: host,
        version: row.version,
        back,
    }
}

/// `POST /webhooks/{id}/delete` and the same below `/admin`: asks first.
pub async fn delete(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let place = Place::writing(&visit, &asked)?;
    let row = place.find(&state, &id).await?;
    let back = format!("{}/settings", place.path(row.id));
    let host = super::host_of(&row);
    let question = question(&row, &host, &back);
    let sheet = ask_sheet(&place, &visit, &host).await?;
    if sent.has("ask") {
        return visit.page(&question.ask(sheet, &Form::default(), Vec::new()));
    }
    if let Some(form) = question.wrong(&sent) {
        return question.again(&visit, sheet, &form);
    }
    match state.control.delete_webhook(&place.actor, row.id, sent.read("version")).await {
        Ok(()) => visit.go(place.base, Some(Flash::done(t("webhook-deleted")))).await,
        Err(error) => question.refused(&visit, sheet, &sent, error),
    }
}

async fn ask_sheet(place: &Place, visit: &Visit, host: &str) -> Result<Sheet, Fault> {
    Ok(place
        .sheet(visit, say("webhook-delete-page").with("host", host))
        .await?
        .below(place.base, t("around-webhooks")))
}
