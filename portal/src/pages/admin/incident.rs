//! One incident: written, told more of, ended, deleted.

use axum::extract::{Path, State};
use tollgate_control::IncidentPatch;
use tollgate_domain::{ApiId, IncidentId, Trouble};
use tollgate_store::{ApiRow, IncidentRow, Page, ToldIncident};

use super::desk::{Desk, Question, not_taken, sheet};
use super::incidents::{HERE, about, graded};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sent::INSTANT;
use crate::parts::sheet::fact;
use crate::parts::{Action, Cell, Fieldset, FormPart, Input, Reader, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Moment};

const NEW: &str = "Write incident";

/// What is said in words, of any incident.
fn words(form: &Form, required: bool) -> Vec<Input> {
    let title = Input::line(form, "title", "Title").hint("What readers notice, on one line.");
    vec![
        if required { title.required() } else { title },
        Input::long(form, "text", "What is known", 6)
            .hint("Markdown, up to 5,000 characters: what fails, since when, what is done about it."),
    ]
}

/// What only an operator knows, of an incident that they wrote.
fn facts_typed(form: &Form, apis: &[ApiRow]) -> Vec<Input> {
    let all = std::iter::once((String::new(), "All APIs".to_owned()));
    let each = apis.iter().map(|api| (api.id.to_string(), api.name.clone()));
    vec![
        Input::one(form, "api_id", "About", all.chain(each))
            .hint("Who sees the API sees the incident; of all APIs, everybody."),
        Input::one(form, "trouble", "How bad", Trouble::ALL.iter().map(|one| (one.as_str(), graded(*one)))),
        Input::typed(form, "began_at", "Began (UTC)", "datetime-local").required(),
        Input::typed(form, "ended_at", "Over (UTC)", "datetime-local").hint("Empty: it lasts."),
    ]
}

fn part(form: &Form, apis: &[ApiRow], button: &str) -> FormPart {
    let sets = vec![Fieldset::new("", words(form, true)), Fieldset::new("Facts", facts_typed(form, apis))];
    FormPart::new("incident-form", form, sets, button).or_back(HERE)
}

/// The form of one that is there; what gateways noticed is theirs to say.
fn stored_part(form: &Form, row: &IncidentRow, apis: &[ApiRow]) -> FormPart {
    let part = if row.noticed {
        FormPart::new("incident-form", form, vec![Fieldset::new("", words(form, false))], "Save")
            .or_back(HERE)
    } else {
        part(form, apis, "Save")
    };
    part.with("version", row.version.to_string())
}

fn typed(sent: &Sent) -> Result<ToldIncident, Form> {
    let mut reader = Reader::new(sent);
    let api_id = match sent.has("api_id") {
        true => reader.value::<ApiId>("api_id", "choose one of the list").map(Some),
        false => Some(None),
    };
    let trouble = reader.value("trouble", "choose how bad it is");
    let ended_at = reader.instant("ended_at");
    let began_at = reader.instant("began_at");
    if !sent.has("began_at") {
        reader.wrong("began_at", "a date and a time in UTC, like 2027-01-31T00:00");
    }
    match (api_id, trouble, began_at, reader.refused()) {
        (Some(api_id), Some(trouble), Some(began_at), None) => Ok(ToldIncident {
            api_id,
            trouble,
            title: sent.get("title"),
            text: sent.get("text"),
            began_at,
            ended_at,
        }),
        (.., refused) => Err(refused.unwrap_or_default()),
    }
}

fn filled(row: &IncidentRow) -> Form {
    let instant = |at: chrono::DateTime<chrono::Utc>| at.format(INSTANT).to_string();
    Form::with([
        ("title", row.title.clone()),
        ("text", row.text.clone()),
        ("api_id", row.api_id().map(|id| id.to_string()).unwrap_or_default()),
        ("trouble", row.trouble.to_string()),
        ("began_at", instant(row.began_at)),
        ("ended_at", row.ended_at.map(instant).unwrap_or_default()),
    ])
}

async fn apis(state: &PortalState) -> Result<Vec<ApiRow>, Fault> {
    Ok(state.store.list_apis(Page::FIRST_500).await?)
}

async fn new_sheet(visit: &Visit) -> Result<Sheet, Fault> {
    let about = "The status page and its feed tell of it as soon as it is written.";
    Ok(sheet(visit, "Write an incident").await?.below(HERE, "Incidents").intro(about).narrow())
}

/// `GET /admin/new/incident`
pub async fn create(State(state): State<PortalState>, visit: Visit) -> Answer {
    Desk::publishing(&visit)?;
    let now = visit.now.format("%Y-%m-%dT%H:%M").to_string();
    let form = Form::with([("trouble", Trouble::Degraded.to_string()), ("began_at", now)]);
    visit.page(&new_sheet(&visit).await?.part(part(&form, &apis(&state).await?, NEW)))
}

/// `POST /admin/new/incident`
pub async fn post_new(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let told = match typed(&sent) {
        Ok(told) => told,
        Err(form) => {
            return visit.refused(&new_sheet(&visit).await?.part(part(&form, &apis(&state).await?, NEW)));
        }
    };
    match state.control.create_incident(&desk.actor, told, visit.now).await {
        Ok(row) => {
            let flash = Flash::done("The status page tells of it.");
            visit.go(&format!("{HERE}/{}", row.id), Some(flash)).await
        }
        Err(error) => {
            let form = sent.form().refused(error)?;
            visit.refused(&new_sheet(&visit).await?.part(part(&form, &apis(&state).await?, NEW)))
        }
    }
}

async fn find(state: &PortalState, id: &str) -> Result<IncidentRow, Fault> {
    let id: IncidentId = id.parse().map_err(|_| Fault::not_found())?;
    Ok(state.store.get_incident(id).await?)
}

/// What was counted, or what readers of a role that may not write see.
fn facts(row: &IncidentRow, apis: &[ApiRow], visit: &Visit) -> Section {
    let mut facts = vec![
        fact("About", Cell::Text(about(row.api_id(), apis))),
        fact("How bad", Cell::Text(graded(row.trouble).to_owned())),
        fact("Began", Cell::When(Moment::of(row.began_at, visit.now))),
    ];
    facts.push(match row.ended_at {
        Some(ended) => fact("Over", Cell::When(Moment::of(ended, visit.now))),
        None => fact("Over", Cell::Nothing("lasts")),
    });
    if let Some((calls, failed)) = row.counted() {
        let share = format!("{} of {}", show::number(failed), show::number(calls));
        facts.push(fact("Failed at worst", Cell::Text(share)));
    }
    Section::Facts("Facts".into(), facts)
}

async fn frame(visit: &Visit, desk: &Desk, row: &IncidentRow, apis: &[ApiRow]) -> Result<Sheet, Fault> {
    let title = if row.title.is_empty() { about(row.api_id(), apis) } else { row.title.clone() };
    let delete = Action::link(format!("{HERE}/{}/delete", row.id), "x", "Delete");
    let sheet = sheet(visit, title)
        .await?
        .below(HERE, "Incidents")
        .identified(row.id)
        .action(desk.may_write, delete)
        .narrow();
    Ok(if row.noticed || !desk.may_write { sheet.part(facts(row, apis, visit)) } else { sheet })
}

/// `GET /admin/incidents/{id}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &id).await?;
    let apis = apis(&state).await?;
    let sheet = frame(&visit, &desk, &row, &apis).await?;
    if !desk.may_write {
        let code = Section::Code { title: "Markdown".into(), text: row.text };
        return visit.page(&sheet.part(code));
    }
    visit.page(&sheet.part(stored_part(&filled(&row), &row, &apis)))
}

/// `POST /admin/incidents/{id}`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &id).await?;
    let apis = apis(&state).await?;
    let sheet = frame(&visit, &desk, &row, &apis).await?;
    let patch = if row.noticed {
        IncidentPatch {
            title: Some(sent.get("title")),
            text: Some(sent.get("text")),
            ..IncidentPatch::default()
        }
    } else {
        match typed(&sent) {
            Ok(told) => IncidentPatch::from(told),
            Err(form) => return visit.refused(&sheet.part(stored_part(&form, &row, &apis))),
        }
    };
    match state.control.update_incident(&desk.actor, row.id, sent.read("version"), patch, visit.now).await {
        Ok(row) => {
            let flash = Flash::done("Saved. The status page tells of it.");
            visit.go(&format!("{HERE}/{}", row.id), Some(flash)).await
        }
        Err(error) => {
            let stored = async { Ok((filled(&row), row.version)) };
            not_taken(&visit, sheet, &sent, error, stored, |form| stored_part(form, &row, &apis)).await
        }
    }
}

const fn question<'q>(row: &IncidentRow, back: &'q str) -> Question<'q> {
    Question {
        button: "Delete incident",
        consequence: "The status page and its feed tell of it no more. One that gateways notice still comes back within a minute.",
        name: "",
        version: row.version,
        back,
    }
}

/// `GET /admin/incidents/{id}/delete`
pub async fn ask_delete(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    Desk::publishing(&visit)?;
    let row = find(&state, &id).await?;
    let back = format!("{HERE}/{id}");
    let sheet = sheet(&visit, "Delete this incident?").await?;
    visit.page(&question(&row, &back).ask(sheet, &Form::default(), Vec::new()))
}

/// `POST /admin/incidents/{id}/delete`
pub async fn delete(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &id).await?;
    let back = format!("{HERE}/{id}");
    let sheet = sheet(&visit, "Delete this incident?").await?;
    match state.control.delete_incident(&desk.actor, row.id, sent.read("version")).await {
        Ok(()) => visit.go(HERE, Some(Flash::done("The incident is deleted."))).await,
        Err(error) => question(&row, &back).refused(&visit, sheet, &sent, error),
    }
}
