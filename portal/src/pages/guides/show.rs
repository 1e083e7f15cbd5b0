//! One guide, with what is in it, and the guides before and after it.

use askama::Template;
use axum::extract::{Path, State};

use crate::content::Guide;
use crate::error::{Answer, Fault};
use crate::markup::{self, Html};
use crate::pages::reference::as_markdown;
use crate::say::language;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

/// A link to another guide.
pub struct Way {
    pub href: String,
    pub title: String,
    pub tag: &'static str,
    pub current: bool,
}

#[derive(Template)]
#[template(path = "guides/show.html")]
pub struct View {
    pub shell: Shell,
    pub all: Vec<Way>,
    pub contents: Vec<(String, String)>,
    pub text: Html,
    /// What it is written in, where that is known.
    pub tag: &'static str,
    pub previous: Option<Way>,
    pub next: Option<Way>,
    pub markdown_href: String,
}

/// `GET /guides/{slug}`, with `.md` as Markdown
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    let (slug, markdown) = slug.strip_suffix(".md").map_or((slug.as_str(), false), |stem| (stem, true));
    let mut guides = state.content.guides(language());
    let mut found = guides.iter().position(|guide| guide.slug == slug);
    if found.is_none() && visit.operator().is_ok() {
        guides = state.content.operators_guides();
        found = guides.iter().position(|guide| guide.slug == slug);
    }
    let at = found.ok_or_else(Fault::not_found)?;
    let guide = guides[at];
    if markdown {
        return Ok(as_markdown(format!("# {}\n\n{}\n", guide.title, guide.text)));
    }
    visit.page(&View::of(visit.shell(Area::Reference, &guide.title).await?, &guides, at))
}

impl View {
    fn of(shell: Shell, guides: &[&Guide], at: usize) -> Self {
        let way = |(index, guide): (usize, &&Guide)| Way {
            tag: guide.tag(),
            href: format!("/guides/{}", guide.slug),
            title: guide.title.clone(),
            current: index == at,
        };
        let (text, contents) = markup::with_contents(&guides[at].text);
        Self {
            shell,
            all: guides.iter().enumerate().map(way).collect(),
            contents: if contents.len() > 1 { contents } else { Vec::new() },
            text,
            tag: guides[at].tag(),
            previous: at.checked_sub(1).map(|index| way((index, &guides[index]))),
            next: guides.get(at + 1).map(|guide| way((at + 1, guide))),
            markdown_href: format!("/guides/{}.md", guides[at].slug),
        }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let content = crate::content::Content::read(None);
        let mut guides = content.guides(crate::say::Language::English);
        guides.extend(content.operators_guides());
        let sample = |at: usize| {
            let shell =
                Shell::sample(Area::Reference, &guides[at].title, &format!("/guides/{}", guides[at].slug));
            Self::of(shell, &guides, at)
        };
        (0..guides.len()).map(sample).collect()
    }
}
