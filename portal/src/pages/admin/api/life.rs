//! Where an API stands in its life: deprecated with a date and a successor, retired, or published again.

use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use tollgate_control::ApiPatch;
use tollgate_domain::{ApiId, ApiState};
use tollgate_store::ApiRow;

use super::{LIST, find, frame};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::{Desk, SAVED, not_taken};
use crate::parts::sent::INSTANT;
use crate::parts::sheet::fact;
use crate::parts::{
    Action, Asked, Cell, Fieldset, FormPart, Input, List, Notice, Reader, Section, Sent, Sheet,
};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::Moment;

/// The form as it would be with what is stored.
async fn filled(state: &PortalState, row: &ApiRow) -> Result<Form, Fault> {
    let successor = match row.successor() {
        Some(id) => state.store.get_api(id).await?.slug.to_string(),
        None => String::new(),
    };
    let sunset = row.sunset_at.map(|at| at.format(INSTANT).to_string()).unwrap_or_default();
    Ok(Form::with([("sunset_at", sunset), ("successor_id", successor)]))
}

fn part(form: &Form, row: &ApiRow) -> FormPart {
    let (button, text) = match row.state {
        ApiState::Retired => ("Save", "Whoever still calls it is told what to call instead."),
        ApiState::Deprecated => ("Save", "Webhooks of its subscribers are told anew when this changes."),
        _ => ("Deprecate", "Calls are served as before, and every answer says that the API will go."),
    };
    let next = if row.state == ApiState::Retired { ApiState::Retired } else { ApiState::Deprecated };
    let sunset = Input::typed(form, "sunset_at", "Sunset (UTC)", "datetime-local")
        .hint("From then on calls are answered with 410. Empty: not decided yet.");
    let successor = Input::line(form, "successor_id", "Successor")
        .hint("The slug of the API that takes its place. Empty: none.");
    let inputs = if row.state == ApiState::Retired { vec![successor] } else { vec![sunset, successor] };
    FormPart::new("life-form", form, vec![Fieldset::new("", inputs)], button)
        .titled(if next == row.state { "Change it" } else { "Deprecate this API" }, text)
        .with("version", row.version.to_string())
        .with("state", next.to_string())
        .with("dates", "yes")
}

fn buttons(sheet: Sheet, row: &ApiRow, may_write: bool) -> Sheet {
    let to = |icon, text, state: ApiState| {
        let fields = vec![("version", row.version.to_string()), ("state", state.to_string())];
        Action::post(format!("{LIST}/{}/life", row.slug), icon, text, fields)
    };
    let sheet = match row.state {
        ApiState::Published => sheet,
        ApiState::Draft => sheet.action(may_write, to("circle-check", "Publish", ApiState::Published)),
        ApiState::Deprecated | ApiState::Retired => {
            sheet.action(may_write, to("circle-check", "Publish again", ApiState::Published))
        }
    };
    match row.state {
        ApiState::Deprecated => sheet.action(may_write, to("x", "Retire now", ApiState::Retired)),
        _ => sheet,
    }
}

fn notice(row: &ApiRow) -> Notice {
    match row.state {
        ApiState::Draft => Notice::new("info", "This API is a draft", "Its calls are answered with 404."),
        ApiState::Published => Notice::new(
            "ok",
            "This API is published",
            "Deprecate it before it goes, so that its callers can move.",
        ),
        ApiState::Deprecated => Notice::new(
            "warn",
            "This API is deprecated",
            "Answers carry Deprecation, Sunset and Link; its pages in the portal say so too.",
        ),
        ApiState::Retired => Notice::new(
            "warn",
            "This API is retired",
            "Its calls are answered with 410 and lead to the successor.",
        ),
    }
}

/// The page around a form.
async fn page(state: &PortalState, visit: &Visit, desk: &Desk, row: &ApiRow) -> Result<Sheet, Fault> {
    let successor = match row.successor() {
        Some(id) => {
            let next = state.store.get_api(id).await?;
            Cell::Way { href: format!("{LIST}/{}", next.slug), text: next.name }
        }
        None => Cell::Nothing("none"),
    };
    let moment = |at: Option<DateTime<Utc>>, none| match at {
        Some(at) => Cell::When(Moment::of(at, visit.now)),
        None => Cell::Nothing(none),
    };
    let facts = vec![
        fact("Deprecated", moment(row.deprecated_at, "never")),
        fact("Sunset", moment(row.sunset_at, "not decided")),
        fact("Successor", successor),
    ];
    let callers = state.store.list_callers(row.id).await?;
    let callers = List::new("callers", "Who calls it, 30 days")
        .column("Application")
        .numbers("Calls")
        .or_empty("app-window", "Nobody called it in 30 days", "It can go without anybody noticing.")
        .rows(callers.into_iter().map(|caller| {
            let href = format!("/admin/applications/{}", caller.application_id);
            vec![
                Cell::Link { href, text: caller.application, second: String::new() },
                Cell::number(caller.amount),
            ]
        }));
    let sheet = buttons(frame(visit, desk, row).await?, row, desk.may_write).part(notice(row));
    let sheet = match row.state.is_ending() {
        true => sheet.part(Section::Facts("Its end".into(), facts)),
        false => sheet,
    };
    Ok(sheet.part(callers))
}

/// `GET /admin/apis/{slug}/life`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let sheet = page(&state, &visit, &desk, &row).await?;
    if !desk.may_write || row.state == ApiState::Draft {
        return sheet.answer(&visit, &asked);
    }
    sheet.part(part(&filled(&state, &row).await?, &row)).answer(&visit, &asked)
}

/// What was typed of the end: its instant, and the successor's id.
async fn typed(
    state: &PortalState,
    sent: &Sent,
    row: &ApiRow,
) -> Result<Result<(Option<DateTime<Utc>>, Option<ApiId>), Form>, Fault> {
    let mut reader = Reader::new(sent);
    // The form of one that is gone has no such field, and it stays what it was.
    let sunset = match row.state {
        ApiState::Retired => row.sunset_at,
        _ => reader.instant("sunset_at"),
    };
    let successor = match sent.get("successor_id") {
        text if text.is_empty() => None,
        slug => {
            let found = state.store.find_api_by_slug(&slug).await?.map(|api| api.id);
            if found.is_none() {
                reader.wrong("successor_id", "there is no API with this slug");
            }
            found
        }
    };
    Ok(reader.refused().map_or(Ok((sunset, successor)), Err))
}

/// `POST /admin/apis/{slug}/life`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let mut patch = ApiPatch { state: sent.read("state"), ..ApiPatch::default() };
    if sent.has("dates") {
        match typed(&state, &sent, &row).await? {
            Ok((sunset, successor)) => {
                (patch.sunset_at, patch.successor_id) = (Some(sunset), Some(successor));
            }
            Err(form) => {
                let sheet = page(&state, &visit, &desk, &row).await?;
                return visit.refused(&sheet.part(part(&form, &row)));
            }
        }
    }
    match state.control.update_api(&desk.actor, row.id, sent.read("version"), patch).await {
        Ok(row) => visit.go(&format!("{LIST}/{}/life", row.slug), Some(Flash::done(SAVED))).await,
        Err(error) => {
            let sheet = page(&state, &visit, &desk, &row).await?;
            let stored = async { Ok((filled(&state, &row).await?, row.version)) };
            not_taken(&visit, sheet, &sent, error, stored, |form| part(form, &row)).await
        }
    }
}
