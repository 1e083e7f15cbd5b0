//! Request bodies: strict JSON, and faults that name their place.

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};
use tollgate_control::FieldFault;
use tollgate_web::Problem;

use crate::App;
use crate::problem::{Refusal, invalid, malformed, unsupported_media_type};

/// A JSON body. Other media types are 415, text that is not JSON 400 with line and column, and JSON that does
/// not fit 422 with a pointer.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        if media_type(request.headers()).as_deref() != Some("application/json") {
            return Err(unsupported_media_type("application/json").into());
        }
        let bytes = Bytes::from_request(request, app).await.map_err(Problem::from)?;
        Ok(Self(read(&bytes)?))
    }
}

/// The media type of a body in lower case, without parameters; none where it is absent, unreadable, given
/// twice, or says that the text is not UTF-8.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let text = sent.next()?.to_str().ok()?.to_ascii_lowercase();
    if sent.next().is_some() {
        return None;
    }
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next()?.to_owned();
    let utf8 = parts
        .filter_map(|parameter| parameter.strip_prefix("charset="))
        .all(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8"));
    utf8.then_some(essence)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        refused(pointer, error.inner())
    })?;
    deserializer.end().map_err(|error| refused(String::new(), &error))?;
    Ok(value)
}

fn refused(mut pointer: String, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    match error.classify() {
        Category::Data => {
            // The path ends at the object; the member is only in the text.
            for (begin, message) in
                [("missing field `", "is required"), ("duplicate field `", "is given twice")]
            {
                if let Some(name) = text.strip_prefix(begin).and_then(|rest| rest.strip_suffix('`')) {
                    let member = format!("/{}", escaped(name));
                    if !pointer.ends_with(&member) {
                        pointer.push_str(&member);
                    }
                    return invalid(vec![FieldFault::new(pointer, message)]);
                }
            }
            invalid(vec![FieldFault::new(pointer, plain(text))])
        }
        Category::Eof if error.column() == 0 => malformed("The body is empty; it must be one JSON value."),
        _ => malformed(format!(
            "The body is not valid JSON: {text}, line {}, column {}.",
            error.line(),
            error.column()
        )),
    }
}

/// serde's words without its quotes for code.
fn plain(text: &str) -> String {
    let text = text.replace('`', "\"");
    let text = text.strip_prefix("invalid type: ").map(|rest| format!("wrong type: {rest}")).unwrap_or(text);
    text.replace("unknown field", "there is no field").replace("unknown variant", "there is no value")
}

/// A path as JSON Pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escaped(key))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// For members of a patch: absent is `None` and leaves the field alone, `null` is refused like any wrong type.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Text that Postgres can hold: anything but U+0000.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct Text(pub String);

/// It holds U+0000.
#[derive(Debug)]
pub struct HoldsNul;

impl fmt::Display for HoldsNul {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the character U+0000 cannot be stored")
    }
}

impl TryFrom<String> for Text {
    type Error = HoldsNul;

    fn try_from(text: String) -> Result<Self, HoldsNul> {
        if text.contains('\0') { Err(HoldsNul) } else { Ok(Self(text)) }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only read by serde")]
        amount: u32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Outer {
        name: Text,
        #[serde(default, deserialize_with = "given")]
        limits: Option<Vec<Inner>>,
    }

    fn fault(text: &str) -> String {
        let problem = read::<Outer>(text.as_bytes()).expect_err(text);
        let place = problem.errors.first().map(|fault| format!("{:?} {}", fault.place, fault.detail));
        format!("{} {}", problem.status.as_u16(), place.unwrap_or_else(|| format!("{:?}", problem.detail)))
    }

    #[test]
    fn a_fault_names_its_place() {
        for (text, expected) in [
            (r#"{"name":"a","x/y":1}"#, r#"422 Pointer("/x~1y") there is no field "x/y""#),
            (r#"{"limits":[]}"#, r#"422 Pointer("/name") is required"#),
            (r#"{"name":"a","limits":[{}]}"#, r#"422 Pointer("/limits/0/amount") is required"#),
            (r#"{"name":"a","limits":[{"amount":-1}]}"#, r#"422 Pointer("/limits/0/amount") invalid value"#),
            (r#"{"name":"a","limits":null}"#, r#"422 Pointer("/limits") wrong type: null"#),
            (r#"{"name":"a","name":"b"}"#, r#"422 Pointer("/name") is given twice"#),
            (r#"{"name":"a\u0000"}"#, r#"422 Pointer("/name") the character U+0000"#),
            (r#"{"name":}"#, r#"400 Some("The body is not valid JSON: expected value, line 1, column 9."#),
            (r#"{"name":"a"} x"#, "400 Some(\"The body is not valid JSON: trailing characters"),
            ("", r#"400 Some("The body is empty"#),
            (r#"{"name":1e400}"#, "400 Some(\"The body is not valid JSON: number out of range"),
        ] {
            let got = fault(text);
            assert!(got.starts_with(expected), "{text}: {got}");
        }
    }

    #[test]
    fn only_json_in_utf_8_is_json() {
        for (sent, good) in [
            ("application/json", true),
            ("Application/JSON; charset=\"UTF-8\"", true),
            ("application/json; charset=utf-16", false),
            ("text/plain", false),
            ("application/jsonp", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(sent))]);
            assert_eq!(media_type(&headers).as_deref() == Some("application/json"), good, "{sent}");
        }
    }
}
