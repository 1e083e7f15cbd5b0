//! The documents of an API: the one in force, older ones, and a new one looked at before it is published.

use axum::extract::{Path, State};
use tollgate_control::DocumentPreview;
use tollgate_openapi::{Fate, OperationDiff};
use tollgate_store::ApiRow;

use super::create::{document_fields, sent_document};
use super::{LIST, find, frame};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::{Desk, sheet};
use crate::parts::list::Press;
use crate::parts::sheet::Tile;
use crate::parts::{Action, Asked, Cell, Fieldset, FormPart, List, Notice, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Label, Moment};

/// Documents that are listed, the latest ones.
const VERSIONS: i64 = 1_000;

fn upload(form: &Form, row: &ApiRow) -> FormPart {
    let about = "OpenAPI 3.1, 3.0 or Swagger 2, as JSON or YAML. Before anything is published you see what changes and whom it breaks.";
    let mut part =
        FormPart::new("document-form", form, vec![document_fields(form, about)], "Look at the changes")
            .titled("Publish a new document", "")
            .with("version", row.version.to_string());
    part.files = true;
    part
}

async fn page(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    row: &ApiRow,
    asked: &Asked,
    form: &Form,
) -> Result<Sheet, Fault> {
    let base = format!("{LIST}/{}/document", row.slug);
    let versions = state.store.list_documents(row.id, VERSIONS).await?;
    let action = |number: i32| {
        if number == row.document_number || !desk.may_write {
            return Cell::Nothing("");
        }
        let fields = vec![("number", number.to_string()), ("version", row.version.to_string())];
        let press = Press {
            action: base.clone(),
            fields,
            text: "Go back to it",
            of: format!("number {number}"),
            key: "",
        };
        Cell::Press(vec![press])
    };
    let list = List::new("versions", "Documents")
        .column("Number")
        .column("State")
        .numbers("Published")
        .acts()
        .or_empty(
            "book-open",
            "No document yet",
            "Without one the API has no operations, and every call to it is answered with 404.",
        )
        .rows(versions.into_iter().map(|one| {
            let state = if one.number == row.document_number {
                Label::new("ok", "In force")
            } else {
                Label::new("", "Replaced")
            };
            vec![
                Cell::Link {
                    href: format!("{base}/{}.json", one.number),
                    text: format!("Number {}", one.number),
                    second: String::new(),
                },
                Cell::Label(state),
                Cell::When(Moment::of(one.created_at, visit.now)),
                action(one.number),
            ]
        }))
        .whole(asked, "number or state");
    let sheet = frame(visit, desk, row).await?.part(list);
    Ok(if desk.may_write { sheet.part(upload(form, row)) } else { sheet })
}

/// `GET /admin/apis/{slug}/document`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let sheet = page(&state, &visit, &desk, &row, &asked, &Form::default()).await?;
    sheet.answer(&visit, &asked)
}

/// `GET /admin/apis/{slug}/document/{file}`: `3.json` is the third.
pub async fn file(
    State(state): State<PortalState>,
    visit: Visit,
    Path((slug, file)): Path<(String, String)>,
) -> Answer {
    Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let number =
        file.strip_suffix(".json").and_then(|number| number.parse().ok()).ok_or_else(Fault::not_found)?;
    let document = state.store.get_document(row.id, number).await?;
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let headers = [
        (axum::http::header::CONTENT_TYPE, "application/json".to_owned()),
        (axum::http::header::CONTENT_DISPOSITION, format!("inline; filename=\"{slug}-{number}.json\"")),
        (axum::http::header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok(axum::response::IntoResponse::into_response((headers, text)))
}

/// `POST /admin/apis/{slug}/document`: first a look, then, with `publish`, the deed.
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let text = match sent.read::<i32>("number") {
        Some(number) => state.store.get_document(row.id, number).await?.to_string(),
        None => sent_document(&sent),
    };
    let expected = sent.read("version");
    if text.is_empty() {
        let form = sent.form().wrong("document", "choose a file, or paste the document's text");
        return again(&state, &visit, &desk, &row, &form).await;
    }
    if sent.has("publish") {
        return match state.control.publish_document(&desk.actor, row.id, expected, &text).await {
            Ok(row) => {
                let flash = Flash::done(format!(
                    "Document number {} is published. Gateways take it over within seconds.",
                    row.document_number
                ));
                visit.go(&format!("{LIST}/{slug}/routes"), Some(flash)).await
            }
            Err(tollgate_control::Error::VersionMismatch(_)) => {
                let notice = Notice::new(
                    "warn",
                    "Somebody else changed this API meanwhile",
                    "Nothing was published. Below are the changes compared with what is in force now.",
                );
                let preview = state.control.preview_document(&desk.actor, row.id, &text).await?;
                visit.page(&review(&visit, &row, preview, text, Some(notice)).await?)
            }
            Err(error) => refused(&state, &visit, &desk, &row, &sent, error).await,
        };
    }
    match state.control.preview_document(&desk.actor, row.id, &text).await {
        Ok(preview) => visit.page(&review(&visit, &row, preview, text, None).await?),
        Err(error) => refused(&state, &visit, &desk, &row, &sent, error).await,
    }
}

/// The page once more, with what is wrong.
async fn again(state: &PortalState, visit: &Visit, desk: &Desk, row: &ApiRow, form: &Form) -> Answer {
    let asked = Asked::plain(&format!("{LIST}/{}/document", row.slug));
    visit.refused(&page(state, visit, desk, row, &asked, form).await?)
}

async fn refused(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    row: &ApiRow,
    sent: &Sent,
    error: tollgate_control::Error,
) -> Answer {
    let form = sent.form().refused(error)?;
    again(state, visit, desk, row, &form).await
}

async fn review(
    visit: &Visit,
    row: &ApiRow,
    preview: DocumentPreview,
    text: String,
    first: Option<Notice>,
) -> Result<Sheet, Fault> {
    let base = format!("{LIST}/{}/document", row.slug);
    let breaking = preview.changes.iter().filter(|one| one.breaks()).count();
    let added = preview.changes.iter().filter(|one| one.fate == Fate::Added).count();
    let notice = if preview.changes.is_empty() {
        Notice::new("info", "No operation changes", "Descriptions and examples may; publishing is safe.")
    } else if breaking == 0 {
        Notice::new("ok", "Nothing breaks", "Programs that call this API can go on as they do.")
    } else if preview.callers.is_empty() {
        Notice::new(
            "warn",
            format!("{} for callers", show::count(breaking, "breaking change")),
            "Nobody has called these operations in the last 30 days.",
        )
    } else {
        Notice::new(
            "bad",
            format!("{} for applications that call", show::count(breaking, "breaking change")),
            "Tell the callers listed below first, or publish the new document as another API beside this one.",
        )
    };
    let tile = |name: &str, value: usize, note: &str| Tile {
        name: name.into(),
        value: show::number(value as i64),
        note: note.into(),
        href: None,
    };
    let part = FormPart::new("publish-form", &Form::default(), vec![Fieldset::default()], "Publish document")
        .with("publish", "yes")
        .with("version", row.version.to_string())
        .with("document", text)
        .toned(if breaking > 0 { "danger" } else { "primary" })
        .or_back(&base);
    let mut part = part.to(&base);
    part.files = true;
    let changes = List::new("changes", "What changes")
        .column("Operation")
        .column("Kind")
        .column("What")
        .or_empty("check", "No operation changes", "The operations are those that are in force.")
        .rows(preview.changes.into_iter().take(300).map(change));
    let callers = List::new("callers", "Who calls what breaks, 30 days")
        .column("Application")
        .column("Operation")
        .numbers("Calls")
        .rows(preview.callers.into_iter().map(|caller| {
            vec![
                Cell::Link {
                    href: format!("/admin/applications/{}", caller.application_id),
                    text: caller.application,
                    second: caller.organization,
                },
                Cell::Route { method: caller.method, path: caller.path, href: String::new() },
                Cell::number(caller.calls),
            ]
        }));
    let warnings = List::new("warnings", "What callers will miss in it").column("Where").column("What").rows(
        preview.warnings.into_iter().map(|one| {
            let line = one.line.map_or_else(String::new, |line| format!("line {line}, "));
            vec![Cell::Code(format!("{line}{}", one.pointer)), Cell::Text(one.message)]
        }),
    );
    let sheet = sheet(visit, format!("Publish {} {}?", preview.title, preview.version)).await?;
    let sheet = sheet
        .below(LIST, "APIs")
        .below(&base, &row.name)
        .action(true, Action::link(&base, "arrow-left", "Another document"))
        .maybe(first)
        .part(notice)
        .part(Section::Tiles(vec![
            tile("Operations", preview.operations, "after publishing"),
            tile("New", added, "callers need not care"),
            tile("Breaking", breaking, "removed, or asking for more"),
        ]))
        .part(changes);
    let sheet = if callers.rows.is_empty() { sheet } else { sheet.part(callers) };
    let sheet = if warnings.rows.is_empty() { sheet } else { sheet.part(warnings) };
    Ok(sheet.part(part))
}

fn change(one: OperationDiff) -> Vec<Cell> {
    let breaks = one.breaks();
    let (label, text) = match one.fate {
        Fate::Added => (Label::new("ok", "New"), String::new()),
        Fate::Removed => (Label::new("bad", "Removed"), "calls are answered with 404".into()),
        Fate::Changed { breaking, harmless } => {
            let label = if breaks { Label::new("bad", "Breaks") } else { Label::new("info", "Changed") };
            (label, breaking.into_iter().chain(harmless).collect::<Vec<_>>().join("; "))
        }
    };
    vec![
        Cell::Route { method: one.method, path: one.path, href: String::new() },
        Cell::Label(label),
        Cell::text_or(text, "–"),
    ]
}
