//! What changes on a page as a feed (Atom, RFC 4287).

use std::fmt::Write as _;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::{look, markup};

/// A page that has a feed.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// The origin of the portal.
    pub base: &'a str,
    /// The path of the page; the feed's is that with `.atom`.
    pub path: &'a str,
    /// What it is about, in English: a feed has one address and one language.
    pub about: &'a str,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it stands on the page.
    pub anchor: String,
    /// Plain words.
    pub title: String,
    /// RFC 3339.
    pub updated: String,
    /// HTML that is safe.
    pub html: String,
}

impl Feed<'_> {
    /// The feed with these entries, the latest first.
    #[must_use]
    pub fn answer(&self, entries: &[Entry]) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "application/atom+xml; charset=utf-8"),
            (header::CACHE_CONTROL, "public, max-age=300"),
        ];
        (headers, self.written(&look::worn().name, entries)).into_response()
    }

    fn written(&self, name: &str, entries: &[Entry]) -> String {
        let Self { base, path, about } = *self;
        let escaped = markup::escaped;
        let name = escaped(name);
        let updated =
            entries.iter().map(|entry| entry.updated.as_str()).max().unwrap_or("1970-01-01T00:00:00Z");
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
             <title>{name}: {about}</title>\n<id>{base}{path}</id>\n<updated>{updated}</updated>\n\
             <author><name>{name}</name></author>\n\
             <link rel=\"self\" href=\"{base}{path}.atom\"/>\n<link href=\"{base}{path}\"/>\n"
        );
        for Entry { anchor, title, updated, html } in entries {
            let (title, html) = (escaped(title), escaped(html));
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "<entry><title>{title}</title><id>{base}{path}#{anchor}</id><link href=\"{base}{path}#{anchor}\"/>\
                 <updated>{updated}</updated><content type=\"html\">{html}</content></entry>"
            );
        }
        out.push_str("</feed>\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_as_new_as_its_newest_entry_and_holds_no_markup_of_others() {
        let feed = Feed { base: "https://p.example", path: "/status", about: "status" };
        let entry = |updated: &str| Entry {
            anchor: "a".into(),
            title: "<b>Down</b>".into(),
            updated: updated.into(),
            html: "<p>x</p>".into(),
        };
        let text = feed.written("A & B", &[entry("2026-01-02T00:00:00Z"), entry("2026-01-03T00:00:00Z")]);
        assert!(text.contains(
            "<title>A &amp; B: status</title>\n<id>https://p.example/status</id>\n<updated>2026-01-03"
        ));
        assert!(
            text.contains("&lt;b&gt;Down") && text.contains("&lt;p&gt;x") && !text.contains("<b>"),
            "{text}"
        );
        assert!(feed.written("A", &[]).contains("<updated>1970-01-01T00:00:00Z</updated>"));
    }
}
