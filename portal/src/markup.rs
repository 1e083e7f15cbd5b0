//! Text of others as safe HTML: Markdown without raw HTML, code with quiet colours.

use std::fmt;

use askama::filters::HtmlSafe;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::highlight;

/// HTML that was made here and needs no escaping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl HtmlSafe for Html {}

impl Html {
    /// Takes what was put together from escaped parts.
    #[must_use]
    pub(crate) const fn made_here(html: String) -> Self {
        Self(html)
    }

    /// Whether there is nothing to see.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// The HTML itself.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Markdown (CommonMark with tables) as HTML. Raw HTML becomes text, images their description, and links lead
/// only to web pages, mail addresses and places of this site: the text may come from anybody. Headings begin at
/// `h2`, since a page has one `h1`.
#[must_use]
pub fn markdown(text: &str) -> Html {
    let mut links = Vec::new();
    // The language of the block that is open, and what stands in it so far.
    let mut block: Option<(String, String)> = None;
    let events =
        Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).filter_map(|event| {
            match (&event, &mut block) {
                (Event::Start(Tag::CodeBlock(kind)), _) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    block = Some((language, String::new()));
                }
                (Event::Text(text), Some((_, code))) => {
                    code.push_str(text);
                    return None;
                }
                (Event::End(TagEnd::CodeBlock), Some((language, code))) => {
                    let html = format!("{}</code></pre>", highlight::code(language, code));
                    block = None;
                    return Some(Event::Html(html.into()));
                }
                _ => {}
            }
            safe_event(event, &mut links)
        });
    let mut out = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut out, events);
    // The corner of a table heads nothing, and a head without words is read out as one.
    Html(out.replace("<th></th>", "<td></td>"))
}

/// Markdown as [`markdown`] makes it, with an id on every second heading, and those ids with their titles.
#[must_use]
pub fn with_contents(text: &str) -> (Html, Vec<(String, String)>) {
    let Html(html) = markdown(text);
    let mut contents: Vec<(String, String)> = Vec::new();
    let mut out = String::with_capacity(html.len() + 256);
    let mut rest = html.as_str();
    while let Some((before, after)) = rest.split_once("<h2>") {
        out.push_str(before);
        let title = after.split_once("</h2>").map_or(after, |(title, _)| title);
        let (title, id) = (plain(title), anchor(title, contents.len()));
        // Writing to a String cannot fail.
        let _ = fmt::Write::write_fmt(&mut out, format_args!("<h2 id=\"{id}\">"));
        contents.push((id, title));
        rest = after;
    }
    out.push_str(rest);
    (Html(out), contents)
}

/// The words of HTML without its tags, entities resolved.
pub(crate) fn plain(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// An id of a heading: its letters and digits, and its number where it has none.
fn anchor(html: &str, count: usize) -> String {
    let words = plain(html).to_lowercase();
    let words: Vec<&str> =
        words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    if words.is_empty() { format!("part-{count}") } else { format!("{}-{count}", words.join("-")) }
}

fn safe_event<'a>(event: Event<'a>, links: &mut Vec<bool>) -> Option<Event<'a>> {
    match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Some(Event::Text(raw)),
        // A scroller that the keyboard reaches.
        Event::Start(Tag::CodeBlock(_)) => Some(Event::Html(CowStr::Borrowed("<pre tabindex=\"0\"><code>"))),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Heading { level, .. }) => {
            Some(Event::Start(Tag::Heading { level: lower(level), id: None, classes: vec![], attrs: vec![] }))
        }
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(lower(level)))),
        Event::Start(Tag::Link { link_type, dest_url, .. }) => {
            let kept = leads_to_a_page(&dest_url);
            links.push(kept);
            let title = CowStr::Borrowed("");
            kept.then_some(Event::Start(Tag::Link { link_type, dest_url, title, id: CowStr::Borrowed("") }))
        }
        Event::End(TagEnd::Link) => links.pop().unwrap_or(false).then_some(Event::End(TagEnd::Link)),
        other => Some(other),
    }
}

fn lower(level: pulldown_cmark::HeadingLevel) -> pulldown_cmark::HeadingLevel {
    use pulldown_cmark::HeadingLevel as Level;
    match level {
        Level::H1 | Level::H2 => Level::H2,
        Level::H3 => Level::H3,
        _ => Level::H4,
    }
}

fn leads_to_a_page(url: &str) -> bool {
    let clean = url.trim().to_ascii_lowercase();
    let local = clean.starts_with('#') || (clean.starts_with('/') && !clean.starts_with("//"));
    local || ["https://", "http://", "mailto:"].iter().any(|scheme| clean.starts_with(scheme))
}

/// JSON text with keys, strings and numbers in their colours; anything else passes through escaped.
#[must_use]
pub fn json(text: &str) -> Html {
    let mut out = String::with_capacity(text.len() * 2);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
                while !text.is_char_boundary(at) {
                    at += 1;
                }
                let is_key = text[at..].trim_start().starts_with(':');
                span(&mut out, if is_key { "c-key" } else { "c-str" }, &text[start..at]);
            }
            b'0'..=b'9' | b'-' => {
                while at < bytes.len() && matches!(bytes[at], b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
                {
                    at += 1;
                }
                span(&mut out, "c-num", &text[start..at]);
            }
            _ => {
                at += 1;
                while at < bytes.len() && !matches!(bytes[at], b'"' | b'0'..=b'9' | b'-') {
                    at += 1;
                }
                escape(&mut out, &text[start..at]);
            }
        }
    }
    Html(out)
}

fn span(out: &mut String, class: &str, text: &str) {
    out.push_str("<span class=\"");
    out.push_str(class);
    out.push_str("\">");
    escape(out, text);
    out.push_str("</span>");
}

/// A text that means itself between tags and in attributes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_become_script() {
        let html = markdown(
            "# Hi\n<script>alert(1)</script>\n\ntext <b>x</b> [a](javascript:alert(1)) [b](https://example.org) \
             [c](//evil.example) ![pic](x)",
        )
        .to_string();
        assert!(
            !html.contains("<script") && !html.contains("<b>") && !html.contains("javascript:"),
            "{html}"
        );
        assert!(!html.contains("<img") && !html.contains("//evil"), "{html}");
        assert!(html.contains("<h2>Hi</h2>") && html.contains("href=\"https://example.org\""), "{html}");
    }

    #[test]
    fn an_empty_corner_of_a_table_is_no_head() {
        let html = markdown("| | a |\n|---|---|\n| b | 1 |").to_string();
        assert!(
            html.contains("<td></td>") && html.contains("<th>a</th>") && !html.contains("<th></th>"),
            "{html}"
        );
    }

    #[test]
    fn code_is_coloured_by_what_stands_behind_its_fence() {
        let html = markdown("```python\nimport time\n\nx = \"\"\"a\n\nb\"\"\"\n```\n\n    <b>\n\nAfter.")
            .to_string();
        assert!(html.contains("<code><span class=\"c-key\">import</span> time\n\nx ="), "{html}");
        assert!(html.contains("&quot;&quot;&quot;a\n\nb&quot;&quot;&quot;</span>\n</code></pre>"), "{html}");
        assert!(html.contains("<code>&lt;b&gt;\n</code></pre>") && html.contains("<p>After.</p>"), "{html}");
    }

    #[test]
    fn json_is_coloured_and_escaped() {
        let html = json(r#"{"a": "x<\"y", "n": -1.5, "t": true, "é": null}"#).to_string();
        assert!(html.contains("<span class=\"c-key\">&quot;a&quot;</span>"), "{html}");
        assert!(html.contains("x&lt;") && html.contains("<span class=\"c-num\">-1.5</span>"), "{html}");
        assert_eq!(json("\"open").to_string(), "<span class=\"c-str\">&quot;open</span>");
        assert!(json("\"\\é").to_string().contains('é'));
    }
}
