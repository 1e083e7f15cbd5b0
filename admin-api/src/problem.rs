//! The one file that turns refusals of the brain and the store into problems on the wire.

use axum::response::{IntoResponse, Response};
use http::header::{ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use tollgate_control::provider::ProviderFault;
use tollgate_control::{Error, FieldFault};
use tollgate_web::Problem;

/// A refusal on its way out. Never says more than the caller may know.
#[derive(Debug)]
pub struct Refusal(Problem);

/// What was looked for, or nothing where it is not there; other refusals stay.
pub fn found<T>(looked: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    match looked {
        Ok(thing) => Ok(Some(thing)),
        Err(Refusal(problem)) if problem.status == StatusCode::NOT_FOUND => Ok(None),
        Err(other) => Err(other),
    }
}

/// What handlers give.
pub type Answer = Result<Response, Refusal>;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<tollgate_store::Error> for Refusal {
    fn from(error: tollgate_store::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(match error {
            // Which kind of thing is missing stays unsaid: a malformed id, an unknown one and another
            // tenant's get the same answer.
            Error::NotFound(_) | Error::DeadLink => Problem::not_found(),
            Error::Invalid(faults) => invalid(faults),
            Error::Conflict(text) => {
                Problem::new(StatusCode::CONFLICT, "conflict", "It collides with something that exists")
                    .detail(text)
            }
            Error::VersionMismatch(version) => Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "version_mismatch",
                "It was changed meanwhile",
            )
            .detail(format!("The stored version is \"v{version}\"."))
            .hint("Read it again, apply your change to what you find, and send its new ETag as If-Match.")
            .header(ETAG, HeaderValue::from_str(&format!("\"v{version}\"")).expect("a number in quotes")),
            Error::Unauthenticated | Error::WrongPassword => invalid_token(),
            Error::Forbidden => {
                Problem::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this")
                    .detail("The token's role, or what it was narrowed to, does not include this.")
                    .hint("Use a token of another role; an admin makes one with POST /v1/tokens.")
            }
            Error::TooManyTries(seconds) => too_many_tries(seconds),
            Error::Busy => Problem::unavailable("Too much at once; try again in a moment."),
            Error::Provider(ProviderFault::Unavailable(cause)) => {
                tracing::warn!(cause, "the payment provider cannot be reached");
                Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "payment_provider_unavailable",
                    "The payment provider cannot be reached",
                )
                .detail("Nothing was changed here. Try again in a minute.")
            }
            Error::Provider(ProviderFault::Declined(reason) | ProviderFault::Refused(reason)) => {
                Problem::new(
                    StatusCode::CONFLICT,
                    "payment_refused",
                    "The payment provider did not accept this",
                )
                .detail(reason)
            }
            Error::Unavailable => Problem::unavailable("The database does not answer."),
            Error::Internal(cause) => {
                tracing::error!(error = %Chain(&*cause), "a request failed by a fault of ours");
                Problem::internal()
            }
        })
    }
}

/// An error with its causes, on one line.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

/// 422 with a pointer for every fault.
pub fn invalid(faults: Vec<FieldFault>) -> Problem {
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not valid")
        .detail("Nothing was changed; errors says what is wrong and where.");
    faults.into_iter().fold(problem, |problem, fault| problem.at_pointer(fault.pointer, fault.message))
}

/// 422 for query parameters.
pub fn invalid_parameter(parameter: &str, expected: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not valid")
        .detail("Nothing was done; errors says what is wrong and where.")
        .at_parameter(parameter, expected)
}

/// 400: it cannot even be read.
pub fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read").detail(detail.into())
}

/// 415.
pub fn unsupported_media_type(expected: &'static str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The request body has another media type",
    )
    .detail(format!("This operation takes {expected}."))
    .hint("Send the Content-Type that the operation documents.")
}

/// 401: no token was sent.
pub fn token_missing() -> Problem {
    unauthenticated(
        "No service token was sent.",
        HeaderValue::from_static(r#"Bearer realm="tollgate-admin""#),
    )
}

/// 401: one was sent, and it opens nothing.
pub fn invalid_token() -> Problem {
    unauthenticated(
        "The service token is malformed, unknown, revoked or expired.",
        HeaderValue::from_static(r#"Bearer realm="tollgate-admin", error="invalid_token""#),
    )
}

fn unauthenticated(detail: &'static str, challenge: HeaderValue) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", "A service token is needed")
        .detail(detail)
        .hint("Send a service token as Authorization: Bearer tgadm_live_…; cookies and API keys open nothing here.")
        .header(WWW_AUTHENTICATE, challenge)
}

/// 429: wrong tokens came too often from one address.
pub fn too_many_tries(seconds: u32) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", "Too many tries")
        .detail("Too many wrong tokens came from your address.")
        .header(RETRY_AFTER, HeaderValue::from(seconds))
}

/// For bodies that name other things: what is not found is a fault of the field that named it.
pub fn named_by(fields: &'static [(&'static str, &'static str)]) -> impl FnOnce(Error) -> Refusal {
    move |error| match error {
        Error::NotFound(what) => match fields.iter().find(|(name, _)| *name == what) {
            Some((_, pointer)) => {
                invalid(vec![FieldFault::new(*pointer, format!("there is no such {what}"))]).into()
            }
            None => Error::NotFound(what).into(),
        },
        other => other.into(),
    }
}
