//! What a tried call was answered, and what to do about it.

use askama::Template;
use serde_json::Value;

use crate::filters;
use crate::markup::{self, Html};
use crate::relay::{Incoming, NoAnswer};
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
            NoAnswer::TimedOut => (
                "No answer within 60 seconds",
                "The service behind this API is slow or hangs. The call may still have been carried out.",
            ),
            NoAnswer::NameUnknown => (
                "The gateway's name has no address",
                "The portal could not look the gateway up (DNS). Its operator has to check TOLLGATE_GATEWAY_URL.",
            ),
            NoAnswer::Unreachable => (
                "The gateway cannot be reached",
                "The portal got no connection to it. Try again in a moment; if it stays so, tell the operator.",
            ),
            NoAnswer::Malformed => {
                ("This cannot be sent", "A header holds something that no header can, like a line break.")
            }
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
        ..1024 => show::count(count, "byte"),
        1024..1_048_576 => format!("{}.{} KB", count / 1024, count % 1024 * 10 / 1024),
        _ => format!("{} MB", count / 1_048_576),
    }
}

/// The body as people read it, or a note of what it is.
fn body(media: &str, answer: &Incoming) -> (Option<Html>, Option<String>) {
    if answer.body.is_empty() {
        return (None, Some("The answer has no body.".into()));
    }
    let Ok(text) = std::str::from_utf8(&answer.body) else {
        let media = if media.is_empty() { "unknown type" } else { media };
        return (None, Some(format!("{} of {media}, which cannot be shown here.", bytes(answer.body.len()))));
    };
    let pretty = serde_json::from_str::<Value>(text).ok().filter(|_| media.contains("json"));
    let text =
        pretty.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.into());
    let mut end = text.len().min(SHOWN_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let note = (end < text.len() || answer.cut).then(|| format!("The first {} are shown.", bytes(end)));
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
        ..=1 => "a second".into(),
        2..120 => format!("{count} seconds"),
        120..7_200 => format!("{} minutes", count / 60),
        7_200..172_800 => format!("{} hours", count / 3_600),
        _ => format!("{} days", count / 86_400),
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
        .map_or_else(String::new, |count| format!("It opens again in {}.", seconds(count)));
    let (title, text, link) = match code {
        "invalid_credential" | "expired_credential" | "missing_credential" => (
            "The key was refused",
            "It was revoked or has expired, or the gateway has not heard of it yet: a new key works within a second.".to_owned(),
            Some(("/applications".to_owned(), "Your keys".to_owned())),
        ),
        "scope_missing" => (
            "The key is held to other operations",
            "Its owner chose under Restrict what it may call.".to_owned(),
            Some(("/applications".to_owned(), "Your keys".to_owned())),
        ),
        "not_entitled" => (
            "The application has no subscription",
            "Its key is valid, but not for this product.".to_owned(),
            Some((format!("{product_href}#plans"), "Subscribe".to_owned())),
        ),
        "subscription_suspended" => (
            "The subscription is suspended",
            "The operator of the platform can resume it.".to_owned(),
            None,
        ),
        "api_retired" => (
            "The API is no longer served",
            "It was retired; the answer names what takes its place, where there is something.".to_owned(),
            None,
        ),
        "payment_required" => (
            "A bill is to be paid first",
            "It was not paid in time; calls are served again as soon as it is.".to_owned(),
            Some(("/billing".to_owned(), "Pay it".to_owned())),
        ),
        "spend_cap_reached" => (
            "The spend cap is reached",
            "What the subscription may cost this month is spent.".to_owned(),
            Some(("/applications".to_owned(), "Raise it".to_owned())),
        ),
        "credits_used_up" => (
            "The credits are used up",
            "Calls of this plan are paid from credits, and there are none left.".to_owned(),
            Some(("/billing/credits".to_owned(), "See the credits".to_owned())),
        ),
        "rate_limited" => ("Too many calls in a short time", again, None),
        "quota_exceeded" => (
            "The quota is used up",
            again,
            Some((format!("{product_href}#plans"), "Look at other plans".to_owned())),
        ),
        "route_not_found" | "method_not_allowed" => (
            "The gateway does not serve this operation",
            "Its document names it, but it is not published, or was taken back a moment ago.".to_owned(),
            None,
        ),
        "upstream_timeout" => {
            ("The service did not answer in time", "The gateway waited for it in vain. Try again, or ask for less.".to_owned(), None)
        }
        "upstream_unreachable" | "upstream_failed" => {
            ("The service cannot be reached", "The gateway is up, what is behind it is not.".to_owned(), None)
        }
        "" => return None,
        _ => ("The gateway refused the call", text_of("detail").to_owned(), None),
    };
    let link = link.or_else(|| Some((format!("/problems/{code}"), "What this means".to_owned())));
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
