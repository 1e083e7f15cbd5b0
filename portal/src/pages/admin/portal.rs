//! How the portal looks and which pages of your own it has.

use std::borrow::Cow;

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tollgate_control::{LOGO_BYTES_MAX, logo_of};
use tollgate_domain::{Accent, Colour, Portal, SiteLink, StartingTheme, Tone};
use tollgate_store::PageRow;

use super::broken_links;
use super::desk::{Desk, not_taken, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sent::BYTES;
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, Fieldset, FormPart, Input, List, Reader, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;

/// Where all of it is.
pub const HERE: &str = "/admin/portal";
/// Lines of links that the form always has.
const LINES: usize = 2;

fn links(form: &Form, name: &str, legend: &str, more: &'static str) -> Fieldset {
    let used = (0..).take_while(|n| form.has(&format!("{name}/{n}/text"))).count();
    let line = |n: usize| {
        let ordinal = n + 1;
        vec![
            Input::line(form, &format!("{name}/{n}/text"), &format!("{legend} {ordinal}: words")),
            Input::line(form, &format!("{name}/{n}/href"), &format!("{legend} {ordinal}: address")),
        ]
    };
    Fieldset {
        lines: (0..used.max(LINES)).map(line).collect(),
        more: Some((more, "Add another link")),
        ..Fieldset::new(legend, Vec::new())
    }
}

fn part(form: &Form, version: i64, has_logo: bool) -> FormPart {
    let themes = [
        (StartingTheme::Auto, "What their system says"),
        (StartingTheme::Light, "Light"),
        (StartingTheme::Dark, "Dark"),
    ];
    let kib = LOGO_BYTES_MAX / 1024;
    let mut name = vec![
        Input::line(form, "name", "Name").required().hint("In the header, in titles and on bills."),
        Input::file(form, "logo", "Logo", "image/png,image/jpeg,image/webp").hint(format!(
            "A PNG, JPEG or WebP of at most {kib} KiB, shown 24 pixels high. No SVG: it can hold scripts."
        )),
    ];
    if has_logo {
        name.push(Input::tick(form, "no_logo", "Take the present logo away"));
    }
    let colours = vec![
        Input::line(form, "accent", "Accent")
            .hint("The colour of buttons and links, like #0f766e. Left empty, it is the design's own."),
        Input::line(form, "accent_dark", "Accent in the dark theme")
            .hint("Left empty, it is made from the other: lighter, until it is seen."),
        Input::one(form, "theme", "Theme at first", themes.map(|(one, text)| (one.as_str(), text))),
    ];
    let about = "A colour that cannot be seen on its theme, or words on it that cannot be read, are refused with their contrast. \
                 Links are made darker or lighter by themselves.";
    let mut part = FormPart::new(
        "look-form",
        form,
        vec![
            Fieldset::new("", name),
            Fieldset::new("Colours", colours).about(about),
            links(form, "navigation", "Header link", "navigation")
                .about("After the portal's own links and your pages. A path like /pages/imprint, or an address with https://."),
            links(form, "footer", "Footer link", "footer"),
        ],
        "Save look",
    )
    .titled("Look", "Readers see it with their next page.")
    .to(HERE)
    .with("version", version.to_string());
    part.files = true;
    part
}

fn filled(portal: &Portal) -> Form {
    let mut values: Vec<(Cow<'static, str>, String)> = vec![
        ("name".into(), portal.name.clone()),
        ("accent".into(), portal.accent.clone().unwrap_or_default()),
        ("accent_dark".into(), portal.accent_dark.clone().unwrap_or_default()),
        ("theme".into(), portal.theme.to_string()),
    ];
    for (name, list) in [("navigation", &portal.navigation), ("footer", &portal.footer)] {
        for (n, SiteLink { text, href }) in list.iter().enumerate() {
            values.push((format!("{name}/{n}/text").into(), text.clone()));
            values.push((format!("{name}/{n}/href").into(), href.clone()));
        }
    }
    Form::with(values)
}

/// What was typed; the picture that is there stays where none was sent.
fn typed(sent: &Sent, present: Option<String>) -> Result<Portal, Form> {
    let mut reader = Reader::new(sent);
    let theme = reader.value("theme", "choose a theme");
    let picture = sent.0.iter().find(|(name, value)| name == "logo" && !value.is_empty());
    let logo = match picture {
        None => present.filter(|_| !sent.has("no_logo")),
        Some((_, value)) => {
            let bytes = value.strip_prefix(BYTES).and_then(|encoded| STANDARD.decode(encoded).ok());
            match logo_of(bytes.as_deref().unwrap_or(value.as_bytes())) {
                Ok(logo) => Some(logo),
                Err(message) => {
                    reader.wrong("logo", &message);
                    None
                }
            }
        }
    };
    let optional = |name: &str| Some(sent.get(name)).filter(|text| !text.is_empty());
    let links = |name: &str| {
        let lines = sent.lines(name).into_iter();
        let link = |n| SiteLink {
            text: sent.get(&format!("{name}/{n}/text")),
            href: sent.get(&format!("{name}/{n}/href")),
        };
        lines.map(link).collect()
    };
    let portal = theme.map(|theme| Portal {
        name: sent.get("name"),
        accent: optional("accent"),
        accent_dark: optional("accent_dark"),
        theme,
        navigation: links("navigation"),
        footer: links("footer"),
        logo,
    });
    match (portal, reader.refused()) {
        (Some(portal), None) => Ok(portal),
        (_, form) => Err(form.unwrap_or_default()),
    }
}

/// What is made of the accent, with what it is read at.
fn accent(portal: &Portal) -> Option<Section> {
    let read = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Colour>().ok());
    let accent = Accent::of(read(&portal.accent)?, read(&portal.accent_dark)).ok()?;
    let told = |tone: &Tone| {
        let Tone { solid, on_solid, text, tint, .. } = tone;
        Cell::Text(format!(
            "Buttons {solid} with words in {on_solid}, {:.1}:1; links {text} on {tint}, {:.1}:1",
            solid.contrast(*on_solid),
            text.contrast(*tint)
        ))
    };
    let facts = vec![fact("Light", told(&accent.light)), fact("Dark", told(&accent.dark))];
    Some(Section::Facts("What is made of the accent".into(), facts))
}

fn pages(rows: Vec<PageRow>, asked: &Asked, may_write: bool) -> List {
    List::new("own-pages", "Pages")
        .column("Page")
        .column("In the header")
        .column("Address")
        .or_empty(
            "book-open",
            "No pages of your own",
            "An imprint, terms, how to reach you: written in Markdown, each with an address of its own.",
        )
        .or_do(may_write, "/admin/new/page", "Write a page")
        .rows(rows.into_iter().map(|row| {
            let href = format!("/pages/{}", row.slug);
            vec![
                Cell::link(format!("{HERE}/pages/{}", row.slug), row.title),
                if row.in_navigation { Cell::Text("Yes".into()) } else { Cell::Nothing("no") },
                Cell::Way { text: href.clone(), href },
            ]
        }))
        .whole(asked, "page")
}

async fn frame(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    asked: &Asked,
    portal: &Portal,
) -> Result<Sheet, Fault> {
    let rows = state.store.list_pages().await?;
    let mut sheet = sheet(visit, "Portal")
        .await?
        .intro("What developers see besides what is published. Guides and the changelog are files: TOLLGATE_CONTENT_DIR.")
        .action(true, Action::link("/", "external-link", "See as a developer"))
        .action(true, Action::link("/admin/mails", "mail", "Mails"))
        .action(desk.may_write, Action::main("/admin/new/page", "plus", "Write a page"))
        .maybe(broken_links::list(state, portal, &rows).await)
        .part(pages(rows, asked, desk.may_write));
    sheet.sections.extend(accent(portal));
    Ok(sheet)
}

/// `GET /admin/portal`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = state.store.get_portal().await?;
    let sheet = frame(&state, &visit, &desk, &asked, &row.portal).await?;
    if !desk.may_write {
        return sheet.answer(&visit, &asked);
    }
    let part = part(&filled(&row.portal), row.version, row.portal.logo.is_some());
    sheet.part(part).answer(&visit, &asked)
}

/// `POST /admin/portal`
pub async fn post(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = state.store.get_portal().await?;
    let has_logo = row.portal.logo.is_some();
    let sheet = frame(&state, &visit, &desk, &Asked::plain(HERE), &row.portal).await?;
    // A picture cannot be given back to a form, and would be long to show.
    let said = sent.without("logo");
    let version = said.read("version").unwrap_or(row.version);
    if said.has("more") {
        let mut pairs = said.0.clone();
        let name = said.get("more");
        let line = said.lines(&name).len().max(LINES);
        pairs.extend(["text", "href"].map(|field| (format!("{name}/{line}/{field}"), String::new())));
        return visit.page(&sheet.part(part(&Form::with(pairs), version, has_logo)));
    }
    let closed = |sent: &Sent| sent.without_empty("navigation", "href").without_empty("footer", "href");
    let portal = match typed(&closed(&sent), row.portal.logo.clone()) {
        Ok(portal) => portal,
        Err(form) => return visit.refused(&sheet.part(part(&form, version, has_logo))),
    };
    match state.control.put_portal(&desk.actor, sent.read("version"), portal).await {
        Ok(_) => visit.go(HERE, Some(Flash::done("Saved. Readers see it with their next page."))).await,
        Err(error) => {
            let stored = async { Ok((filled(&row.portal), row.version)) };
            let again = |form: &Form| part(form, version, has_logo);
            not_taken(&visit, sheet, &closed(&said), error, stored, again).await
        }
    }
}
