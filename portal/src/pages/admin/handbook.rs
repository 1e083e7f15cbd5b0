//! The handbook: a page for each resource, guides, and the documents that come with Tollgate.

use askama::Template;
use axum::extract::{Path, State};

use super::desk::Desk;
use crate::content::{Content, Guide};
use crate::error::{Answer, Fault};
use crate::handbook::{documents, on_site, resources};
use crate::markup::{self, Html};
use crate::say::Language;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

const TITLE: &str = "Handbook";

/// Pages of one sort.
pub struct Group {
    pub id: &'static str,
    pub title: &'static str,
    pub base: &'static str,
    pub pages: Vec<Guide>,
}

#[derive(Template)]
#[template(path = "admin/handbook.html")]
pub struct View {
    pub shell: Shell,
    pub groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "admin/handbook_page.html")]
pub struct PageView {
    pub shell: Shell,
    pub text: Html,
    pub contents: Vec<(String, String)>,
}

/// What operators read, and what their developers do.
fn guides(content: &Content) -> Vec<Guide> {
    [content.operators_guides(), content.guides(Language::English)].concat().into_iter().cloned().collect()
}

fn groups(content: &Content) -> Vec<Group> {
    let guides = guides(content);
    let group = |id, title, base, pages: &[Guide]| Group { id, title, base, pages: pages.to_vec() };
    vec![
        group("resources", "What there is", "/admin/handbook", resources()),
        group("guides", "How to", "/admin/handbook/guides", &guides),
        group("documents", "In depth", "/admin/handbook", documents()),
    ]
}

/// `GET /admin/handbook`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    Desk::of(&visit)?;
    let shell = visit.shell(Area::Admin, TITLE).await?;
    visit.page(&View { shell, groups: groups(&state.content) })
}

/// `GET /admin/handbook/{slug}`
pub async fn show(visit: Visit, Path(slug): Path<String>) -> Answer {
    Desk::of(&visit)?;
    let page = resources().iter().chain(documents()).find(|page| page.slug == slug);
    let page = page.ok_or_else(Fault::not_found)?;
    visit.page(&PageView::of(visit.shell(Area::Admin, &page.title).await?, page))
}

/// `GET /admin/handbook/guides/{slug}`: a guide whose links lead into the handbook
pub async fn guide(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    Desk::of(&visit)?;
    let found = guides(&state.content).into_iter().find(|guide| guide.slug == slug);
    let found = found.ok_or_else(Fault::not_found)?;
    let page = Guide { text: on_site(&found.text, true), ..found };
    visit.page(&PageView::of(visit.shell(Area::Admin, &page.title).await?, &page))
}

impl PageView {
    fn of(shell: Shell, page: &Guide) -> Self {
        let (text, contents) = markup::with_contents(&page.text);
        Self { shell, text, contents: if contents.len() > 1 { contents } else { Vec::new() } }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let groups = groups(&Content::read(None));
        vec![Self { shell: Shell::sample(Area::Admin, TITLE, "/admin/handbook"), groups }]
    }
}

#[cfg(test)]
impl PageView {
    pub fn samples() -> Vec<Self> {
        let sample = |page: &Guide| {
            let path = format!("/admin/handbook/{}", page.slug);
            Self::of(Shell::sample(Area::Admin, &page.title, &path), page)
        };
        resources().iter().chain(documents()).map(sample).collect()
    }
}
