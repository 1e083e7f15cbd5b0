//! In which language a request is answered, and what is said in it.
//!
//! A request has one language: that of the signed-in reader's account, else of the cookie that the footer's switch
//! sets, else the one that the browser likes best. It goes with the request's task, so that a word deep in a page needs
//! no hand to carry it; what runs elsewhere is told by [`speaking`]. Operators' pages are always English.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::Future;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use tollgate_language::Said;
pub use tollgate_language::{Language, text};

/// The cookie that names the language.
pub const LOCALE_COOKIE: &str = "locale";

tokio::task_local! {
    static SPOKEN: Cell<Language>;
}

/// The language that is spoken now; English outside of requests.
#[must_use]
pub fn language() -> Language {
    SPOKEN.try_with(Cell::get).unwrap_or_default()
}

/// Speaks another language from here to the end of the request.
pub fn speak(language: Language) {
    let _outside_of_requests_nothing_is_chosen = SPOKEN.try_with(|spoken| spoken.set(language));
}

/// Speaks a language while `work` runs, on whichever thread.
pub fn speaking<T>(language: Language, work: impl FnOnce() -> T) -> T {
    SPOKEN.sync_scope(Cell::new(language), work)
}

/// Speaks a language while a future runs.
pub async fn spoken<T>(language: Language, work: impl Future<Output = T>) -> T {
    SPOKEN.scope(Cell::new(language), work).await
}

/// A message without anything to fill in.
#[must_use]
pub fn t(key: &'static str) -> &'static str {
    text(language(), key)
}

/// A message with something to fill in.
#[must_use]
pub fn say(key: &'static str) -> Said {
    Said::new(language(), key)
}

/// What a use case says in English, in the language that is spoken now; as it is where that has no words for
/// it: what a payment provider answered, say.
#[must_use]
pub fn translated(english: &str) -> Cow<'_, str> {
    match language() {
        Language::English => english.into(),
        other => tollgate_language::translated(other, english).map_or(english.into(), Cow::Owned),
    }
}

/// The language that a request's headers ask for.
#[must_use]
pub fn language_of(headers: &HeaderMap) -> Language {
    let jar = CookieJar::from_headers(headers);
    let chosen = jar.get(LOCALE_COOKIE).and_then(|cookie| Language::named(cookie.value()));
    let liked =
        || headers.get(header::ACCEPT_LANGUAGE).and_then(|field| Language::accepted(field.to_str().ok()?));
    chosen.or_else(liked).unwrap_or_default()
}

/// Answers in the language that is asked for, and says so. Caches are told that pages differ by it.
pub async fn in_their_language(request: Request, next: Next) -> Response {
    let asked = language_of(request.headers());
    let operators = request.uri().path().starts_with("/admin");
    let work = async {
        let response = next.run(request).await;
        (response, language())
    };
    let (mut response, spoken) = spoken(if operators { Language::English } else { asked }, work).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|media| media.as_bytes().starts_with(b"text/html"));
    if is_page {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(spoken.tag()));
        headers.append(header::VARY, HeaderValue::from_static("Accept-Language"));
    }
    response
}

/// Something that can stand in HTML with its marks: `` `code` ``, `*strong*`, `[words](address)`.
pub trait Rich {
    /// As HTML; what was filled in means itself.
    fn html(&self) -> String;
}

impl Rich for &str {
    fn html(&self) -> String {
        marked(self)
    }
}

impl Rich for Said {
    fn html(&self) -> String {
        marked(&self.written(unmarked))
    }
}

impl<R: Rich> Rich for &R {
    fn html(&self) -> String {
        (**self).html()
    }
}

/// A filled-in text that means itself, in HTML and between marks.
fn unmarked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '"' | '\'' | '`' | '*' | '[' | ']' | '(' | ')' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            other => out.push(other),
        }
    }
    out
}

/// Turns the marks of a message into tags. Messages are ours and hold no HTML, which a test asks of them.
fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*', '[']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let inside = &from[1..];
        let (close, open, end) = match from.as_bytes()[0] {
            b'`' => ('`', "<code>", "</code>"),
            b'*' => ('*', "<span class=\"strong\">", "</span>"),
            _ => (']', "", "</a>"),
        };
        let Some((words, after)) = inside.split_once(close) else {
            out.push_str(&from[..1]);
            rest = inside;
            continue;
        };
        rest = after;
        if close == ']' {
            let address = after.strip_prefix('(').and_then(|after| after.split_once(')'));
            let Some((address, after)) = address else {
                out.push_str(&format!("[{words}]"));
                continue;
            };
            out.push_str(&format!("<a href=\"{address}\">"));
            rest = after;
        } else {
            out.push_str(open);
        }
        out.push_str(words);
        out.push_str(end);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_tags_and_what_is_filled_in_stays_text() {
        assert_eq!(
            marked("Put `KEY` *here*, or [go](/x) on."),
            "Put <code>KEY</code> <span class=\"strong\">here</span>, or <a href=\"/x\">go</a> on."
        );
        assert_eq!(marked("2 * 3 and [x]"), "2 * 3 and [x]");
        assert_eq!(unmarked("<b>`x` [a](b)"), "&#60;b&#62;&#96;x&#96; &#91;a&#93;&#40;b&#41;");
    }

    #[test]
    fn the_cookie_weighs_more_than_what_the_browser_likes() {
        let mut headers = HeaderMap::new();
        assert_eq!(language_of(&headers), Language::English);
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("de-CH, en;q=0.8"));
        assert_eq!(language_of(&headers), Language::German);
        headers.insert(header::COOKIE, HeaderValue::from_static("locale=en"));
        assert_eq!(language_of(&headers), Language::English);
    }
}
