//! Ending sessions: one, or all others.

use axum::extract::State;
use serde::Deserialize;
use uuid::Uuid;

use crate::PortalState;
use crate::error::Answer;
use crate::say::{say, t};
use crate::session::Visit;
use crate::session_rows::digest;
use crate::shell::Flash;

/// What the form sends: which one; none for all others.
#[derive(Debug, Deserialize)]
pub struct Typed {
    id: Option<Uuid>,
}

/// `POST /account/sessions/end`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let (user, actor) = visit.person()?;
    let text = match typed.id {
        Some(id) => {
            state.control.end_session(&actor, user, id).await?;
            t("sessions-one").to_owned()
        }
        None => {
            let own = visit.session.id().map(digest).unwrap_or_default();
            let ended = state.control.end_other_sessions(&actor, user, &own).await?;
            let ended = usize::try_from(ended).unwrap_or(usize::MAX);
            say("sessions-ended").count(ended).into()
        }
    };
    visit.go("/account", Some(Flash::done(text))).await
}
