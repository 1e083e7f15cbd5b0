//! Pages around parts that were made once: what is rendered for a reader is the frame alone.
//!
//! In the frame stand marks instead of the parts. A mark names what is in its part, so the frame's digest names the whole page:
//! whoever has it already is told so before the parts are put in.

use askama::Template;
use axum::http::HeaderMap;
use axum::response::{Html as Page, IntoResponse, Response};

use crate::conditional::{self, Whole};
use crate::error::Fault;
use crate::markup::Html;
use crate::session::Visit;

/// What stands in a frame, in this order: marks, or the parts themselves.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The navigation beside the page.
    pub side: Html,
    /// The text.
    pub body: Html,
    /// What stands beside the text.
    pub samples: Html,
}

impl Parts {
    fn each(&self) -> [&str; 3] {
        [self.side.as_str(), self.body.as_str(), self.samples.as_str()]
    }
}

impl Visit {
    /// A page with its parts in the places of their marks, or 304 for a visitor who has it.
    ///
    /// # Errors
    /// The frame cannot be rendered.
    pub fn page_of_parts(
        &self,
        frame: &impl Template,
        marks: &Parts,
        parts: impl FnOnce() -> Parts,
    ) -> Result<Response, Fault> {
        let frame = frame.render()?;
        // What signed-in people see is kept by nobody, and has no tag.
        let tag = self.account.is_none().then(|| conditional::tag_of(frame.as_bytes()));
        if let Some(tag) = &tag
            && let Some(known) = conditional::known(&self.known, tag)
        {
            return Ok(self.caching(conditional::not_modified(HeaderMap::new(), known)));
        }
        let html = put_in(&frame, marks, &parts());
        let bytes = html.len();
        let mut response = self.caching(Page(html).into_response());
        if let Some(tag) = tag {
            conditional::set_tag(response.headers_mut(), &tag);
            response.extensions_mut().insert(Whole(bytes));
        }
        Ok(response)
    }
}

/// The frame with each part in the place of its mark.
fn put_in(frame: &str, marks: &Parts, parts: &Parts) -> String {
    let parts = parts.each();
    let mut out = String::with_capacity(frame.len() + parts.iter().map(|part| part.len()).sum::<usize>());
    let mut rest = frame;
    for (mark, part) in marks.each().into_iter().zip(parts) {
        if let Some((before, after)) = rest.split_once(mark).filter(|_| !mark.is_empty()) {
            out.push_str(before);
            out.push_str(part);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(side: &str, body: &str, samples: &str) -> Parts {
        let [side, body, samples] = [side, body, samples].map(|part| Html::made_here(part.to_owned()));
        Parts { side, body, samples }
    }

    #[test]
    fn parts_stand_where_their_marks_stood_whatever_is_in_them() {
        let marks = parts("<!--d side-->", "<!--d body-->", "<!--d samples-->");
        let frame = "a<!--d side-->b<!--d body-->c<!--d samples-->d";
        assert_eq!(put_in(frame, &marks, &parts("S", "B", "M")), "aSbBcMd");
        assert_eq!(put_in(frame, &marks, &parts("<!--d body-->", "B", "")), "a<!--d body-->bBcd");
        assert_eq!(put_in("a<!--d body-->b", &parts("", "<!--d body-->", ""), &parts("S", "B", "M")), "aBb");
    }
}
