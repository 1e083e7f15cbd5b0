//! What a page's address asks for: words to find, filters, an order, a part of the list, a form of the answer.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tollgate_store::browse::{Cut, Edge};

use crate::PortalState;
use crate::error::{Fault, query_value};

/// Rows of one page of a list.
pub const PAGE_ROWS: i64 = 50;
/// Rows of an export; who needs more asks the admin API.
pub const EXPORT_ROWS: i64 = 10_000;

/// The path and the query of a request, in order.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    path: String,
    pairs: Vec<(String, String)>,
}

impl FromRequestParts<PortalState> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &PortalState) -> Result<Self, Fault> {
        let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let pairs = query.map(|query| query.0).unwrap_or_default();
        Ok(Self { path: parts.uri.path().to_owned(), pairs })
    }
}

impl Asked {
    /// An address without a query.
    #[must_use]
    pub fn plain(path: &str) -> Self {
        Self { path: path.to_owned(), pairs: Vec::new() }
    }

    /// What stands behind a name, without spaces around it; empty where nothing does.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// What stands behind a name, read as a value; none where it is no such value.
    #[must_use]
    pub fn read<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name).parse().ok()
    }

    /// The page itself, without a query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// This address with other values; an empty one takes its name out. A part of the list is left behind, because it
    /// is one of another list.
    #[must_use]
    pub fn with(&self, changes: &[(&str, &str)]) -> String {
        let kept = self.pairs.iter().filter(|(name, value)| {
            !value.is_empty()
                && !matches!(name.as_str(), "after" | "before" | "format")
                && !changes.iter().any(|(changed, _)| changed == name)
        });
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let query: Vec<String> = kept
            .chain(changes.iter().copied().filter(|(_, value)| !value.is_empty()))
            .map(|(name, value)| format!("{}={}", query_value(name), query_value(value)))
            .collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }

    /// Whether the answer shall be a file of comma-separated values.
    #[must_use]
    pub fn wants_csv(&self) -> bool {
        self.get("format") == "csv"
    }

    /// The order and part that are asked for. The first of `sorts` is the order where none is asked for; one that
    /// begins with `-` runs downwards.
    #[must_use]
    pub fn cut(&self, sorts: &[&'static str]) -> Cut {
        let asked = self.get("sort");
        let first = sorts.first().copied().unwrap_or("id");
        let known = sorts.iter().map(|sort| sort.trim_start_matches('-'));
        let named = known.clone().find(|sort| *sort == asked.trim_start_matches('-'));
        let (sort, descending) = match named {
            Some(sort) => (sort, asked.starts_with('-')),
            None => (first.trim_start_matches('-'), first.starts_with('-')),
        };
        let csv = self.wants_csv();
        let edge = if csv { None } else { self.edge("after", false).or_else(|| self.edge("before", true)) };
        Cut { sort, descending, edge, limit: if csv { EXPORT_ROWS } else { PAGE_ROWS } }
    }

    fn edge(&self, name: &str, backwards: bool) -> Option<Edge> {
        let bytes = URL_SAFE_NO_PAD.decode(self.get(name)).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (id, key) = text.split_once(' ')?;
        Some(Edge { backwards, key: key.to_owned(), id: id.to_owned() })
    }

    /// The address of the part beyond an edge.
    #[must_use]
    pub fn beyond(&self, edge: &Edge) -> String {
        let text = URL_SAFE_NO_PAD.encode(format!("{} {}", edge.id, edge.key));
        self.with(&[(if edge.backwards { "before" } else { "after" }, &text)])
    }
}

#[cfg(test)]
impl Asked {
    /// As a browser asks for it.
    pub fn sample(address: &str) -> Self {
        let uri: axum::http::Uri = address.parse().expect("an address");
        let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).expect("a query");
        Self { path: uri.path().to_owned(), pairs: query.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_filters_but_not_its_part_when_the_order_changes() {
        let asked = Asked::sample("/admin/apis?q=a%20b&state=draft&after=xyz&empty=");
        assert_eq!(asked.with(&[("sort", "-name")]), "/admin/apis?q=a%20b&state=draft&sort=-name");
        assert_eq!(asked.with(&[("q", ""), ("state", "")]), "/admin/apis");
        assert_eq!(asked.get("q"), "a b");
    }

    #[test]
    fn an_edge_survives_the_way_through_the_address_whatever_is_in_its_key() {
        let edge = Edge { backwards: false, key: "a name & more ü".into(), id: "42".into() };
        let asked = Asked::sample(&Asked::plain("/admin/apis").beyond(&edge));
        assert_eq!(asked.cut(&["name"]).edge, Some(edge));
        assert_eq!(Asked::sample("/admin/apis?after=%21%21").cut(&["name"]).edge, None);
    }

    #[test]
    fn an_unknown_order_is_the_first() {
        let sorts = ["-created", "name"];
        let cut = Asked::sample("/x?sort=password").cut(&sorts);
        assert_eq!((cut.sort, cut.descending), ("created", true));
        let cut = Asked::sample("/x?sort=-name").cut(&sorts);
        assert_eq!((cut.sort, cut.descending), ("name", true));
    }
}
