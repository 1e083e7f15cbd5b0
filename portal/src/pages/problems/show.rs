//! One refusal: what happened, how to fix it, how it looks.

use askama::Template;
use axum::extract::Path;

use super::{DOCS, Doc};
use crate::error::{Answer, Fault};
use crate::filters;
use crate::markup::{self, Html};
use crate::session::Visit;
use crate::shell::{Area, Shell};

#[derive(Template)]
#[template(path = "problems/show.html")]
pub struct View {
    pub shell: Shell,
    pub code: &'static str,
    pub status: u16,
    pub tone: &'static str,
    pub text: Html,
    pub tag: &'static str,
}

/// `GET /problems/{code}`
pub async fn get(visit: Visit, Path(code): Path<String>) -> Answer {
    let doc = DOCS.iter().find(|doc| doc.code == code).ok_or_else(Fault::not_found)?;
    visit.page(&view(visit.shell(Area::Public, doc.shown().title).await?, doc))
}

fn view(shell: Shell, doc: &'static Doc) -> View {
    let shown = doc.shown();
    View {
        shell,
        code: &doc.code,
        status: doc.status,
        tone: doc.tone(),
        text: markup::markdown(shown.text),
        tag: shown.tag,
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let sample = |doc: &'static Doc| {
            view(Shell::sample(Area::Public, &doc.title, &format!("/problems/{}", doc.code)), doc)
        };
        DOCS.iter().map(sample).collect()
    }
}
