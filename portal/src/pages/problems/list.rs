//! All refusals.

use askama::Template;

use super::DOCS;
use crate::error::Answer;
use crate::filters;
use crate::session::Visit;
use crate::shell::{Area, Shell};

pub struct Row {
    pub href: String,
    pub code: &'static str,
    pub status: u16,
    pub tone: &'static str,
    pub title: &'static str,
}

#[derive(Template)]
#[template(path = "problems/list.html")]
pub struct View {
    pub shell: Shell,
    pub problems: Vec<Row>,
}

/// `GET /problems`
pub async fn get(visit: Visit) -> Answer {
    visit.page(&view(visit.shell(Area::Public, "Error codes").await?))
}

fn view(shell: Shell) -> View {
    let problems = DOCS.iter().map(|doc| Row {
        href: format!("/problems/{}", doc.code),
        code: &doc.code,
        status: doc.status,
        tone: doc.tone(),
        title: &doc.title,
    });
    View { shell, problems: problems.collect() }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        vec![view(Shell::sample(Area::Public, "Error codes", "/problems"))]
    }
}
