//! All refusals.

use askama::Template;

use super::DOCS;
use crate::error::Answer;
use crate::filters;
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Shell};

pub struct Row {
    pub href: String,
    pub code: &'static str,
    pub status: u16,
    pub tone: &'static str,
    pub title: &'static str,
    pub tag: &'static str,
}

#[derive(Template)]
#[template(path = "problems/list.html")]
pub struct View {
    pub shell: Shell,
    pub groups: Vec<Group>,
}

pub struct Group {
    pub id: &'static str,
    pub title: &'static str,
    pub note: &'static str,
    pub problems: Vec<Row>,
}

/// `GET /problems`
pub async fn get(visit: Visit) -> Answer {
    visit.page(&view(visit.shell(Area::Public, t("around-errors")).await?))
}

fn view(shell: Shell) -> View {
    let group = |said_by, id, title, note| Group {
        id,
        title,
        note,
        problems: DOCS
            .iter()
            .filter(|doc| doc.said_by.split(", ").any(|who| who == said_by))
            .map(row)
            .collect(),
    };
    let groups = vec![
        group("gateway", "gateway", t("problems-gateway"), t("problems-gateway-note")),
        group("admin API", "admin", t("problems-admin-api"), t("problems-admin-api-note")),
    ];
    View { shell, groups }
}

fn row(doc: &'static super::Doc) -> Row {
    let shown = doc.shown();
    Row {
        href: format!("/problems/{}", doc.code),
        code: &doc.code,
        status: doc.status,
        tone: doc.tone(),
        title: shown.title,
        tag: shown.tag,
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        vec![view(Shell::sample(Area::Public, "Error codes", "/problems"))]
    }
}
