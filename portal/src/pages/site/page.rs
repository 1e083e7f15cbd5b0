//! A page of the publisher's.

use askama::Template;
use axum::extract::{Path, State};
use tollgate_store::PageRow;

use crate::error::{Answer, Fault};
use crate::markup::{self, Html};
use crate::pages::reference::as_markdown;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "site/page.html")]
pub struct View {
    pub shell: Shell,
    pub contents: Vec<(String, String)>,
    pub text: Html,
    pub markdown_href: String,
}

/// `GET /pages/{slug}`, with `.md` as Markdown
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    let (slug, markdown) = slug.strip_suffix(".md").map_or((slug.as_str(), false), |stem| (stem, true));
    let page = state.store.find_page(slug).await?.ok_or_else(Fault::not_found)?;
    if markdown {
        return Ok(as_markdown(format!("# {}\n\n{}\n", page.title, page.text)));
    }
    visit.page(&View::of(visit.shell(Area::Public, &page.title).await?, &page))
}

impl View {
    fn of(shell: Shell, page: &PageRow) -> Self {
        let (text, contents) = markup::with_contents(&page.text);
        Self {
            shell,
            contents: if contents.len() > 1 { contents } else { Vec::new() },
            text,
            markdown_href: format!("/pages/{}.md", page.slug),
        }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let (text, contents) =
            markup::with_contents("Write to us.\n\n## Hours\n\nNine to five.\n\n## Where\n\nIn Bern.");
        let mut shell = Shell::sample(Area::Public, "Support", "/pages/support");
        shell.look = std::sync::Arc::new(crate::look::Look::sample());
        vec![Self { shell, contents, text, markdown_href: "/pages/support.md".into() }]
    }
}
