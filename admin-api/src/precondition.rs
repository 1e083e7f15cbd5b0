//! `If-Match`: change it only where it is still what was read.

use axum::extract::FromRequestParts;
use http::header::IF_MATCH;
use http::request::Parts;
use tollgate_control::Error;

use crate::App;
use crate::problem::{Refusal, malformed};

/// The version that the caller read, where one was sent. `*` means any.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<i64>);

/// No row has it: for entity tags that are not ours, which match nothing (RFC 9110 §13.1.1).
const NEVER: i64 = -1;

impl FromRequestParts<App> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let mut sent = parts.headers.get_all(IF_MATCH).iter();
        let Some(value) = sent.next() else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if sent.next().is_some() || text.contains(',') {
            return Err(malformed("If-Match takes one entity tag, like \"v3\".").into());
        }
        if text == "*" {
            return Ok(Self(None));
        }
        let opaque =
            text.strip_prefix("W/").unwrap_or(text).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        if opaque.is_none_or(|opaque| opaque.contains('"')) {
            return Err(malformed("If-Match takes an entity tag with its quotes, like \"v3\".").into());
        }
        let version = text.strip_prefix("\"v").and_then(|rest| rest.strip_suffix('"'));
        Ok(Self(Some(version.and_then(|digits| digits.parse().ok()).unwrap_or(NEVER))))
    }
}

impl IfMatch {
    /// For deletions, which the brain does not compare: the version was read a moment before.
    pub fn check(self, stored: i64) -> Result<(), Refusal> {
        match self.0 {
            Some(expected) if expected != stored => Err(Error::VersionMismatch(stored).into()),
            _ => Ok(()),
        }
    }
}

/// `If-Match`, for the OpenAPI document.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub struct IfMatchParam {
    /// The `ETag` that you read, like `"v3"`: the change happens only where that is still the stored version.
    /// Absent or `*`: it happens anyway.
    #[param(rename = "If-Match", pattern = r#"^((W/)?"[^",]*"|\*)$"#, example = "\"v3\"")]
    if_match: Option<String>,
}
