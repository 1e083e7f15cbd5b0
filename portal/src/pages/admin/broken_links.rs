//! Links of the portal's own that lead nowhere: asked of the portal itself, as a visitor would.

use std::collections::{HashMap, HashSet};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use pulldown_cmark::{Event, Parser, Tag};
use tollgate_domain::Portal;
use tollgate_store::PageRow;
use tower::ServiceExt;

use super::portal::HERE;
use crate::PortalState;
use crate::parts::{Cell, List};

/// Addresses that are asked; a portal has a few dozen.
const ASKED_MAX: usize = 200;

/// A link and where it is written.
struct Written {
    /// The name of the place, and where it is changed.
    place: (String, String),
    href: String,
}

fn written(portal: &Portal, pages: &[PageRow]) -> Vec<Written> {
    let of_look = |name: &str, links: &[tollgate_domain::SiteLink]| {
        let place = (name.to_owned(), format!("{HERE}#look-form"));
        links.iter().map(|link| Written { place: place.clone(), href: link.href.clone() }).collect::<Vec<_>>()
    };
    let of_page = |page: &PageRow| {
        let place = (page.title.clone(), format!("{HERE}/pages/{}", page.slug));
        let links = Parser::new(&page.text).filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
            _ => None,
        });
        links.map(|href| Written { place: place.clone(), href }).collect::<Vec<_>>()
    };
    let mut all = of_look("Header", &portal.navigation);
    all.extend(of_look("Footer", &portal.footer));
    all.extend(pages.iter().flat_map(of_page));
    all
}

/// The path on this site that a link leads to; none for links to elsewhere and within a page. Pages are below `/pages/`.
fn on_site(href: &str) -> Option<String> {
    let path = href.split(['?', '#']).next().unwrap_or_default();
    let has_scheme = path.split('/').next().is_some_and(|first| first.contains(':'));
    if path.is_empty() || has_scheme || path.starts_with("//") {
        return None;
    }
    Some(if path.starts_with('/') { path.to_owned() } else { format!("/pages/{path}") })
}

async fn is_lost(state: &PortalState, path: &str) -> bool {
    let Ok(request) = Request::get(path).header("host", "localhost").body(Body::empty()) else { return true };
    let Ok(answer) = crate::router(state.clone()).oneshot(request).await;
    matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED)
}

/// The links that lead a visitor nowhere; none where all are well.
pub async fn list(state: &PortalState, portal: &Portal, pages: &[PageRow]) -> Option<List> {
    let links = written(portal, pages);
    let paths: HashSet<String> = links.iter().filter_map(|link| on_site(&link.href)).collect();
    let mut lost = HashMap::new();
    for path in paths.into_iter().take(ASKED_MAX) {
        let is_lost = is_lost(state, &path).await;
        lost.insert(path, is_lost);
    }
    let rows: Vec<_> = links
        .into_iter()
        .filter(|link| on_site(&link.href).is_some_and(|path| lost.get(&path) == Some(&true)))
        .map(|link| vec![Cell::link(link.place.1, link.place.0), Cell::Code(link.href)])
        .collect();
    let list =
        List::new("broken-links", "Links that lead nowhere").column("Written in").column("Link").rows(rows);
    (!list.rows.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_this_site_are_asked() {
        for (href, path) in [
            ("/guides/start?x=1#y", Some("/guides/start")),
            ("terms", Some("/pages/terms")),
            ("https://example.com/a", None),
            ("//example.com/a", None),
            ("mailto:a@example.com", None),
            ("#part", None),
            ("", None),
        ] {
            assert_eq!(on_site(href).as_deref(), path, "{href}");
        }
    }
}
