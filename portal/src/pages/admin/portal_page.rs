//! One page of the publisher's: written, changed, deleted.

use axum::extract::{Path, State};
use tollgate_domain::Page;
use tollgate_store::PageRow;

use super::desk::{Desk, Question, not_taken, sheet};
use super::portal::HERE;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::{Action, Fieldset, FormPart, Input, Reader, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;

fn part(form: &Form, button: &str) -> FormPart {
    let inputs = vec![
        Input::line(form, "name", "Title").required(),
        Input::line(form, "slug", "Slug").hint("Its address is /pages/<slug>. Left empty, it is made from the title."),
        Input::code(form, "text", "Text", 18)
            .hint("Markdown: headings begin with ##, tables and code as usual. HTML is shown as text. Up to 50,000 characters."),
    ];
    let place = vec![
        Input::tick(form, "in_navigation", "In the header"),
        Input::number(form, "position", "Position", 0, 1_000).hint("Smaller ones come first, then by title."),
    ];
    FormPart::new("page-form", form, vec![Fieldset::new("", inputs), Fieldset::new("Place", place)], button)
        .or_back(HERE)
}

fn typed(sent: &Sent) -> Result<Page, Form> {
    let mut reader = Reader::new(sent);
    let slug = reader.slug();
    let position = if sent.get("position").is_empty() { Some(0) } else { reader.number("position") };
    match (slug, position) {
        (Some(slug), Some(position)) => Ok(Page {
            slug,
            title: sent.get("name"),
            text: sent.get("text"),
            in_navigation: sent.has("in_navigation"),
            position,
        }),
        _ => Err(reader.refused().unwrap_or_default()),
    }
}

fn filled(row: &PageRow) -> Form {
    let page = Page::from(row.clone());
    let mut values = vec![
        ("name", page.title),
        ("slug", page.slug.to_string()),
        ("text", page.text),
        ("position", page.position.to_string()),
    ];
    if page.in_navigation {
        values.push(("in_navigation", "yes".to_owned()));
    }
    Form::with(values)
}

/// Here the title is typed as a name, so that a slug is made from it.
fn named(error: tollgate_control::Error) -> tollgate_control::Error {
    match error {
        tollgate_control::Error::Invalid(mut faults) => {
            for fault in faults.iter_mut().filter(|fault| fault.pointer == "/title") {
                fault.pointer = "/name".to_owned();
            }
            tollgate_control::Error::Invalid(faults)
        }
        other => other,
    }
}

async fn new_sheet(visit: &Visit) -> Result<Sheet, Fault> {
    let sheet = sheet(visit, "Write a page").await?;
    Ok(sheet.below(HERE, "Portal").intro("A page of your own in the developer portal.").narrow())
}

/// `GET /admin/new/page`
pub async fn create(visit: Visit) -> Answer {
    Desk::publishing(&visit)?;
    let form = Form::with([("position", "0".to_owned())]);
    visit.page(&new_sheet(&visit).await?.part(part(&form, "Publish page")))
}

/// `POST /admin/new/page`
pub async fn post_new(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let page = match typed(&sent) {
        Ok(page) => page,
        Err(form) => return visit.refused(&new_sheet(&visit).await?.part(part(&form, "Publish page"))),
    };
    match state.control.create_page(&desk.actor, page).await {
        Ok(row) => {
            let flash = Flash::done(format!("{} is there: /pages/{}.", row.title, row.slug));
            visit.go(&format!("{HERE}/pages/{}", row.slug), Some(flash)).await
        }
        Err(error) => {
            let form = sent.form().refused(named(error))?;
            visit.refused(&new_sheet(&visit).await?.part(part(&form, "Publish page")))
        }
    }
}

async fn find(state: &PortalState, slug: &str) -> Result<PageRow, Fault> {
    state.store.find_page(slug).await?.ok_or_else(Fault::not_found)
}

async fn frame(visit: &Visit, desk: &Desk, row: &PageRow) -> Result<Sheet, Fault> {
    let delete = Action::link(format!("{HERE}/pages/{}/delete", row.slug), "x", "Delete");
    Ok(sheet(visit, &row.title)
        .await?
        .below(HERE, "Portal")
        .identified(row.id)
        .action(true, Action::link(format!("/pages/{}", row.slug), "external-link", "See as a developer"))
        .action(desk.may_write, delete)
        .narrow())
}

fn stored_part(form: &Form, row: &PageRow) -> FormPart {
    part(form, "Save page").with("version", row.version.to_string())
}

/// `GET /admin/portal/pages/{slug}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let sheet = frame(&visit, &desk, &row).await?;
    if !desk.may_write {
        let code = Section::Code { title: "Markdown".into(), text: row.text };
        return visit.page(&sheet.part(code));
    }
    visit.page(&sheet.part(stored_part(&filled(&row), &row)))
}

/// `POST /admin/portal/pages/{slug}`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let sheet = frame(&visit, &desk, &row).await?;
    let page = match typed(&sent) {
        Ok(page) => page,
        Err(form) => return visit.refused(&sheet.part(stored_part(&form, &row))),
    };
    match state.control.update_page(&desk.actor, row.id, sent.read("version"), page).await {
        Ok(row) => {
            let flash = Flash::done("Saved. Readers see it with their next page.");
            visit.go(&format!("{HERE}/pages/{}", row.slug), Some(flash)).await
        }
        Err(error) => {
            let stored = async { Ok((filled(&row), row.version)) };
            not_taken(&visit, sheet, &sent, named(error), stored, |form| stored_part(form, &row)).await
        }
    }
}

const fn question<'q>(row: &'q PageRow, back: &'q str) -> Question<'q> {
    Question {
        button: "Delete page",
        consequence: "Its address is answered with 404 from then on, and no header leads to it.",
        name: "",
        version: row.version,
        back,
    }
}

/// `GET /admin/portal/pages/{slug}/delete`
pub async fn ask_delete(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let back = format!("{HERE}/pages/{slug}");
    let sheet = sheet(&visit, format!("Delete {}?", row.title)).await?;
    visit.page(&question(&row, &back).ask(sheet, &Form::default(), Vec::new()))
}

/// `POST /admin/portal/pages/{slug}/delete`
pub async fn delete(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let back = format!("{HERE}/pages/{slug}");
    let sheet = sheet(&visit, format!("Delete {}?", row.title)).await?;
    match state.control.delete_page(&desk.actor, row.id, sent.read("version")).await {
        Ok(()) => visit.go(HERE, Some(Flash::done(format!("{} is deleted.", row.title)))).await,
        Err(error) => question(&row, &back).refused(&visit, sheet, &sent, error),
    }
}
