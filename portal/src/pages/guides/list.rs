//! All guides.

use askama::Template;
use axum::extract::State;

use crate::content::Guide;
use crate::error::Answer;
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "guides/list.html")]
pub struct View {
    pub shell: Shell,
    pub guides: Vec<Guide>,
}

/// `GET /guides`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    visit.page(&View {
        shell: visit.shell(Area::Public, t("around-guides")).await?,
        guides: state.content.guides.to_vec(),
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let guides = crate::content::Content::read(None).guides.to_vec();
        [guides, Vec::new()]
            .map(|guides| Self { shell: Shell::sample(Area::Public, "Guides", "/guides"), guides })
            .into()
    }
}
