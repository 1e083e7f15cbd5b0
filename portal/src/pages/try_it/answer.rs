//! What a tried call was answered, and what to do about it.

use askama::Template;
use serde_json::Value;

use crate::filters;
use crate::markup::{self, Html};
use crate::relay::{Incoming, NoAnswer};
use crate::say::{language, say, t};
use crate::show::{self, Label};

/// How much of a body is shown.
const SHOWN_BYTES_MAX: usize = 48 * 1024;

/// What somebody who was refused can do.
#[derive(Debug, Clone)]
pub struct Advice {
    pub tone: &'static str,
    pub title: String,
    pub text: String,
    pub link: Option<(String, String)>,
}

/// What is left of one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub name: String,
    pub calls: String,
    pub resets: String,
}

/// The answer of a tried call.
#[derive(Template)]
#[template(path = "try_it/answer.html")]
pub struct AnswerView {
    /// The call as it was sent, without key.
    pub call: String,
    pub status: Option<Label>,
    pub took: String,
    pub size: String,
    pub left: Vec<Left>,
    pub headers: Vec<(String, String)>,
    pub body: Option<Html>,
    pub note: Option<String>,
    pub advice: Option<Advice>,
}

impl AnswerView {
    /// An answer.
    #[must_use]
    pub fn of(call: String, answer: &Incoming, product_href: &str) -> Self {
        let header = |wanted: &str| {
            answer.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        let media = header("content-type").unwrap_or_default();
        let (body, note) = body(media, answer);
        Self {
            call,
            status: Some(Label::status(answer.status)),
            took: show::duration(i64::try_from(answer.took.as_micros()).unwrap_or(i64::MAX)),
            size: bytes(answer.body.len()),
            left: header("ratelimit").map(left).unwrap_or_default(),
            advice: advice(answer.status, media, &answer.body, header("retry-after"), product_href),
            headers: answer.headers.clone(),
            body,
            note,
        }
    }

    /// No answer.
    #[must_use]
    pub fn without(call: String, why: &NoAnswer) -> Self {
        let (title, text) = match why {
            NoAnswer::TimedOut => (t("tried-timed-out"), t("tried-timed-out-text")),
            NoAnswer::NameUnknown => (t("tried-no-name"), t("tried-no-name-text")),
            NoAnswer::Unreachable => (t("tried-unreachable"), t("tried-unreachable-text")),
            NoAnswer::Malformed => (t("tried-malformed"), t("tried-malformed-text")),
        };
        Self::advised(call, "bad", title, text, None)
    }

    /// A call that was not made.
    #[must_use]
    pub fn advised(
        call: String,
        tone: &'static str,
        title: &str,
        text: &str,
        link: Option<(String, String)>,
    ) -> Self {
        let advice = Advice { tone, title: title.into(), text: text.into(), link };
        Self {
            call,
            status: None,
            took: String::new(),
            size: String::new(),
            left: Vec::new(),
            headers: Vec::new(),
            body: None,
            note: None,
            advice: Some(advice),
        }
    }
}

fn bytes(count: usize) -> String {
    match count {
        ..1024 => say("requests-bytes").with("bytes", count).into(),
        1024..1_048_576 => {
            let tenths = i64::try_from(count * 10 / 1024).unwrap_or(0);
            format!("{} KB", tollgate_language::decimal(language(), tenths / 10, tenths % 10))
        }
        _ => format!("{} MB", count / 1_048_576),
    }
}

/// The body as people read it, or a note of what it is.
fn body(media: &str, answer: &Incoming) -> (Option<Html>, Option<String>) {
    if answer.body.is_empty() {
        return (None, Some(t("tried-no-body").into()));
    }
    let Ok(text) = std::str::from_utf8(&answer.body) else {
        let media = if media.is_empty() { t("tried-unknown-type") } else { media };
        return (
            None,
            Some(say("tried-binary").with("size", bytes(answer.body.len())).with("media", media).into()),
        );
    };
    let pretty = serde_json::from_str::<Value>(text).ok().filter(|_| media.contains("json"));
    let text =
        pretty.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.into());
    let mut end = text.len().min(SHOWN_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let note = (end < text.len() || answer.cut).then(|| say("tried-first").with("size", bytes(end)).into());
    (Some(markup::json(&text[..end])), note)
}

/// Reads `"burst";r=9;t=1, "month";r=995;t=788000`.
fn left(field: &str) -> Vec<Left> {
    let of = |item: &str| {
        let mut parts = item.split(';');
        let name = parts.next()?.trim().trim_matches('"').to_owned();
        let number = |key: &str| {
            let found = item.split(';').find_map(|part| part.trim().strip_prefix(key)?.strip_prefix('='));
            found.and_then(|text| text.parse::<i64>().ok())
        };
        let calls = show::number(number("r")?);
        let resets = number("t").map(seconds).unwrap_or_default();
        Some(Left { name, calls, resets })
    };
    field.split(',').filter_map(of).collect()
}

fn seconds(count: i64) -> String {
    match count {
        ..=1 => t("tried-a-second").into(),
        2..120 => say("tried-seconds").count(count).into(),
        120..7_200 => say("tried-minutes").count(count / 60).into(),
        7_200..172_800 => say("tried-hours").count(count / 3_600).into(),
        _ => say("tried-days").count(count / 86_400).into(),
    }
}

/// What a refusal of the gateway means here, by its problem's code.
fn advice(status: u16, media: &str, body: &[u8], retry: Option<&str>, product_href: &str) -> Option<Advice> {
    if status < 400 {
        return None;
    }
    let problem: Option<Value> = serde_json::from_slice(body).ok().filter(|_| media.contains("problem+json"));
    let text_of = |key: &str| problem.as_ref().and_then(|problem| problem[key].as_str()).unwrap_or_default();
    let code = text_of("code");
    let again = retry
        .and_then(|text| text.parse().ok())
        .map_or_else(String::new, |count| say("tried-opens").with("time", seconds(count)).into());
    let (title, text, link) = match code {
        "invalid_credential" | "expired_credential" | "missing_credential" => (
            t("tried-key-refused"),
            t("tried-key-refused-text").to_owned(),
            Some(("/applications".to_owned(), t("tried-your-keys").to_owned())),
        ),
        "scope_missing" => (
            t("tried-held"),
            t("tried-held-text").to_owned(),
            Some(("/applications".to_owned(), t("tried-your-keys").to_owned())),
        ),
        "not_entitled" => (
            t("tried-no-subscription"),
            t("tried-no-subscription-text").to_owned(),
            Some((format!("{product_href}#plans"), t("product-subscribe").to_owned())),
        ),
        "subscription_suspended" => (t("tried-suspended"), t("tried-suspended-text").to_owned(), None),
        "api_retired" => (t("tried-retired"), t("tried-retired-text").to_owned(), None),
        "payment_required" => (
            t("tried-bill"),
            t("tried-bill-text").to_owned(),
            Some(("/billing".to_owned(), t("tried-pay").to_owned())),
        ),
        "spend_cap_reached" => (
            t("tried-cap"),
            t("tried-cap-text").to_owned(),
            Some(("/applications".to_owned(), t("tried-raise").to_owned())),
        ),
        "credits_used_up" => (
            t("tried-credits"),
            t("tried-credits-text").to_owned(),
            Some(("/billing/credits".to_owned(), t("tried-see-credits").to_owned())),
        ),
        "rate_limited" => (t("tried-too-many"), again, None),
        "quota_exceeded" => (
            t("limits-used-up"),
            again,
            Some((format!("{product_href}#plans"), t("tried-other-plans").to_owned())),
        ),
        "route_not_found" | "method_not_allowed" => {
            (t("tried-not-served"), t("tried-not-served-text").to_owned(), None)
        }
        "upstream_timeout" => (t("tried-slow"), t("tried-slow-text").to_owned(), None),
        "upstream_unreachable" | "upstream_failed" => {
            (t("tried-away"), t("tried-away-text").to_owned(), None)
        }
        "" => return None,
        _ => (t("tried-refused"), text_of("detail").to_owned(), None),
    };
    let link = link.or_else(|| Some((format!("/problems/{code}"), t("tried-means").to_owned())));
    Some(Advice { tone: if status < 500 { "warn" } else { "bad" }, title: title.into(), text, link })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_limits_are_read_from_their_header() {
        let found = left("\"burst\";r=9;t=1, \"month\";r=1995;t=788000");
        assert_eq!(found[0], Left { name: "burst".into(), calls: "9".into(), resets: "a second".into() });
        assert_eq!(found[1], Left { name: "month".into(), calls: "1,995".into(), resets: "9 days".into() });
        assert!(left("nonsense").is_empty());
    }

    #[test]
    fn a_refusal_names_its_fix() {
        let problem = |code: &str| format!("{{\"code\": \"{code}\"}}").into_bytes();
        let of = |status, code: &str, retry| {
            advice(status, "application/problem+json", &problem(code), retry, "/products/a").expect("advice")
        };
        assert_eq!(of(403, "not_entitled", None).link.expect("a link").0, "/products/a#plans");
        assert!(of(429, "rate_limited", Some("7")).text.contains("7 seconds"));
        assert_eq!(of(401, "invalid_credential", None).link.expect("a link").0, "/applications");
        assert!(
            advice(404, "application/json", b"{}", None, "").is_none(),
            "the API's own 404 needs no advice"
        );
    }
}
