//! Deleting an API, after its name was typed.

use axum::extract::{Path, State};
use tollgate_store::ApiRow;

use super::{LIST, find};
use crate::PortalState;
use crate::error::Answer;
use crate::form::Form;
use crate::pages::admin::desk::{Desk, Question, sheet};
use crate::parts::Sent;
use crate::session::Visit;
use crate::shell::Flash;

fn question<'q>(row: &'q ApiRow, back: &'q str) -> Question<'q> {
    Question {
        button: "Delete API",
        consequence: "Its operations and all its documents are gone, and its calls are answered with 404. It can only be deleted while no product offers it; retiring it keeps its documents.",
        name: row.slug.as_str(),
        version: row.version,
        back,
    }
}

/// `GET /admin/apis/{slug}/delete`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let back = format!("{LIST}/{slug}/settings");
    let sheet = sheet(&visit, format!("Delete {}?", row.name)).await?;
    visit.page(&question(&row, &back).ask(sheet, &Form::default(), Vec::new()))
}

/// `POST /admin/apis/{slug}/delete`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let back = format!("{LIST}/{slug}/settings");
    let question = question(&row, &back);
    let sheet = sheet(&visit, format!("Delete {}?", row.name)).await?;
    if let Some(form) = question.wrong(&sent) {
        return question.again(&visit, sheet, &form);
    }
    match state.control.delete_api(&desk.actor, row.id, sent.read("version")).await {
        Ok(()) => visit.go(LIST, Some(Flash::done(format!("{} is deleted.", row.name)))).await,
        Err(error) => question.refused(&visit, sheet, &sent, error),
    }
}
