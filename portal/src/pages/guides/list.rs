//! All guides; operators find theirs below those of developers.

use askama::Template;
use axum::extract::State;

use crate::content::Guide;
use crate::error::Answer;
use crate::say::{language, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "guides/list.html")]
pub struct View {
    pub shell: Shell,
    pub guides: Vec<Guide>,
    /// For operators, where one reads.
    pub operators: Vec<Guide>,
}

/// `GET /guides`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    visit.page(&View {
        shell: visit.shell(Area::Public, t("around-guides")).await?,
        guides: state.content.guides(language()).into_iter().cloned().collect(),
        operators: match visit.operator() {
            Ok(_) => state.content.operators_guides().into_iter().cloned().collect(),
            Err(_) => Vec::new(),
        },
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let content = crate::content::Content::read(None);
        let of = |guides: Vec<&Guide>| guides.into_iter().cloned().collect::<Vec<Guide>>();
        [
            (content.guides(crate::say::Language::English), Vec::new()),
            (content.guides(crate::say::Language::English), content.operators_guides()),
            (Vec::new(), Vec::new()),
        ]
        .map(|(guides, operators)| Self {
            shell: Shell::sample(Area::Public, "Guides", "/guides"),
            guides: of(guides),
            operators: of(operators),
        })
        .into()
    }
}
