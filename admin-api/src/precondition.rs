//! `If-Match` and `If-None-Match`: change it only where it is still what was read.

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use tollgate_web::Problem;

use crate::App;
use crate::problem::{Refusal, malformed};

/// The version that the caller read; none where it sent `*`, which means any. Without the header the request is
/// refused with 428, so that nobody overwrites a change that they have not seen without saying so.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<i64>);

/// The same for operations of which the whole outcome is in the request: without the header any version is meant.
#[derive(Debug, Clone, Copy)]
pub struct OptionalIfMatch {
    /// The version that the caller read.
    pub version: Option<i64>,
    /// Whether the thing must exist: `If-Match` was sent.
    pub must_exist: bool,
    /// Whether it must not: `If-None-Match: *` was sent.
    pub must_be_new: bool,
}

/// No row has it: for entity tags that are not ours, which match nothing (RFC 9110 §13.1.1).
const NEVER: i64 = -1;

impl FromRequestParts<App> for IfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        match sent(parts, &IF_MATCH)? {
            Some(version) => Ok(Self(version)),
            None => Err(required().into()),
        }
    }
}

impl FromRequestParts<App> for OptionalIfMatch {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let (if_match, if_none_match) = (sent(parts, &IF_MATCH)?, sent(parts, &IF_NONE_MATCH)?);
        if if_none_match.is_some_and(|version| version.is_some()) {
            return Err(malformed("If-None-Match takes only * here.").into());
        }
        Ok(Self {
            version: if_match.flatten(),
            must_exist: if_match.is_some(),
            must_be_new: if_none_match.is_some(),
        })
    }
}

/// The one tag of a header: its version, or none for `*`; nothing where the header was not sent.
fn sent(parts: &Parts, name: &HeaderName) -> Result<Option<Option<i64>>, Refusal> {
    let mut sent = parts.headers.get_all(name).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if sent.next().is_some() || text.contains(',') {
        return Err(malformed("A condition takes one entity tag, like \"v3\".").into());
    }
    if text == "*" {
        return Ok(Some(None));
    }
    let opaque =
        text.strip_prefix("W/").unwrap_or(text).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if opaque.is_none_or(|opaque| opaque.contains('"')) {
        return Err(malformed("A condition takes an entity tag with its quotes, like \"v3\".").into());
    }
    let version = text.strip_prefix("\"v").and_then(|rest| rest.strip_suffix('"'));
    Ok(Some(Some(version.and_then(|digits| digits.parse().ok()).unwrap_or(NEVER))))
}

/// 428: RFC 6585 §3.
fn required() -> Problem {
    Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", "Say which version you mean")
        .detail("This operation needs If-Match, so that no change is lost unseen.")
        .hint("Send the ETag that you read, like If-Match: \"v3\"; or If-Match: * to change it whatever it is now.")
}

/// 412: it exists though it should not, or the other way round.
pub fn existence(problem: &'static str) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", "It was changed meanwhile")
        .detail(problem)
}

/// `If-Match`, for the OpenAPI document.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub struct IfMatchParam {
    /// The `ETag` that you read, like `"v3"`: the change happens only where that is still the stored version. `*`: it
    /// happens anyway.
    #[param(rename = "If-Match", pattern = r#"^((W/)?"[^",]*"|\*)$"#, example = "\"v3\"")]
    if_match: String,
}

/// An `If-Match` that may be absent, for the OpenAPI document.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub struct OptionalIfMatchParam {
    /// The `ETag` that you read, like `"v3"`: the change happens only where that is still the stored version.
    /// Absent: it happens anyway.
    #[param(rename = "If-Match", pattern = r#"^((W/)?"[^",]*"|\*)$"#, example = "\"v3\"")]
    if_match: Option<String>,
}

/// The conditions of a `PUT` that may create, for the OpenAPI document.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub struct PutConditions {
    /// The `ETag` that you read: replaced only where that is still the stored version, and never created.
    #[param(rename = "If-Match", pattern = r#"^((W/)?"[^",]*"|\*)$"#, example = "\"v3\"")]
    if_match: Option<String>,
    /// `*`: created only, never replaced.
    #[param(rename = "If-None-Match", pattern = r"^\*$", example = "*")]
    if_none_match: Option<String>,
}
