//! What goes wrong on the way to a page, as a page: the one place that maps errors to answers.

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use tollgate_control::provider::ProviderFault;
use tollgate_web::Problem;

use crate::filters;
use crate::say::{self, Language, t};
use crate::shell::{Area, Shell};

/// Why a handler has no page to give.
#[derive(Debug)]
pub enum Fault {
    /// An error page.
    Problem(Problem),
    /// Sign in first, then come back to this path.
    SignIn(String),
}

/// What handlers return.
pub type Answer = Result<Response, Fault>;

impl Fault {
    /// No such page, or not one that this viewer may know of.
    #[must_use]
    pub fn not_found() -> Self {
        Self::Problem(Problem::not_found())
    }

    /// The viewer's role is too small.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::Problem(
            Problem::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this")
                .detail("Operators of the platform can give you another role."),
        )
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::SignIn(next) => {
                Redirect::to(&format!("/signin?next={}", query_value(&next))).into_response()
            }
        }
    }
}

/// What the payment provider did not do.
fn payment_problem(fault: &ProviderFault) -> Problem {
    match fault {
        ProviderFault::Unavailable(cause) => {
            tracing::warn!(cause, "the payment provider cannot be reached");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment_provider_unavailable",
                "The payment provider cannot be reached",
            )
            .detail(
                "Nothing was paid or changed, and your calls are served as before. Try again in a minute.",
            )
        }
        ProviderFault::Declined(reason) | ProviderFault::Refused(reason) => {
            Problem::new(StatusCode::CONFLICT, "payment_refused", "The payment provider did not accept this")
                .detail(reason.clone())
        }
    }
}

/// Percent-encodes what may not stand in a query value.
#[must_use]
pub fn query_value(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<tollgate_store::Error> for Fault {
    fn from(error: tollgate_store::Error) -> Self {
        tollgate_control::Error::from(error).into()
    }
}

impl From<askama::Error> for Fault {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "a page could not be rendered");
        Self::Problem(Problem::internal())
    }
}

impl From<tower_sessions::session::Error> for Fault {
    fn from(error: tower_sessions::session::Error) -> Self {
        tracing::error!(%error, "a session could not be read or kept");
        Self::Problem(Problem::unavailable("Your session could not be read. Nothing was changed."))
    }
}

impl From<tollgate_control::Error> for Fault {
    fn from(error: tollgate_control::Error) -> Self {
        use tollgate_control::Error;
        let problem = match error {
            Error::NotFound(_) => Problem::not_found(),
            Error::Invalid(faults) => {
                let detail = faults.first().map_or_else(String::new, |fault| fault.message.clone());
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "This cannot be taken")
                    .detail(detail)
            }
            Error::Conflict(text) => {
                Problem::new(StatusCode::CONFLICT, "conflict", "This collides with something that exists")
                    .detail(text)
            }
            Error::VersionMismatch(_) => {
                Problem::new(StatusCode::CONFLICT, "conflict", "Somebody changed it meanwhile")
                    .detail("Nothing was saved. Go back, look at the new state, and try again.")
            }
            Error::Unauthenticated => return Self::SignIn("/".into()),
            Error::Forbidden => return Self::forbidden(),
            Error::WrongPassword => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "The e-mail or the password is wrong",
            ),
            Error::TooManyTries(seconds) => {
                let minutes = seconds.div_ceil(60);
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", "Too many tries")
                    .detail(format!("Wait {minutes} minutes, then try again. Nobody else is affected."))
                    .header(header::RETRY_AFTER, HeaderValue::from(seconds))
            }
            Error::DeadLink => {
                Problem::new(StatusCode::NOT_FOUND, "dead_link", "This link is no longer valid")
                    .detail("It was used, or it is too old, or a newer one was sent since. Ask for a new one where you got it.")
            }
            Error::Busy => Problem::unavailable("Many people sign in right now. Try again in a few seconds."),
            Error::Provider(fault) => payment_problem(&fault),
            Error::Unavailable => Problem::unavailable(
                "The database does not answer. Nothing was saved; calls through the gateway go on.",
            ),
            Error::Internal(source) => {
                tracing::error!(error = %source, "a use case failed");
                Problem::internal()
            }
        };
        Self::Problem(problem)
    }
}

#[derive(Template)]
#[template(path = "error/page.html")]
pub(crate) struct ErrorPage {
    pub shell: Shell,
    pub status: u16,
    pub advice: String,
    pub retry: bool,
    pub request_id: String,
}

/// A problem as a page of this site; browsers and people read these, programs use the admin API.
pub fn render(problem: &Problem, request: &HeaderMap) -> Response {
    let advice = [problem.detail.as_deref(), problem.hint.as_deref()].into_iter().flatten();
    let operators = problem.instance.as_deref().is_some_and(|path| path.starts_with("/admin"));
    let language = if operators { Language::English } else { say::language_of(request) };
    let mut response = say::speaking(language, || {
        let advice = advice.map(say::translated).collect::<Vec<_>>().join(" ");
        page(problem, request, advice)
    });
    if let Some(headers) = problem.headers() {
        response.headers_mut().extend(headers.clone());
    }
    response
}

/// What is said of a problem in other languages than that of programs, by its code: title, and what to do.
fn in_own_words(problem: &Problem) -> Option<(&'static str, &'static str)> {
    let keys = match problem.code.as_ref() {
        "not_found" => ("fault-not-found", "fault-not-found-text"),
        _ if say::language() == Language::English => return None,
        "forbidden" => ("fault-forbidden", "fault-forbidden-text"),
        "too_many_tries" => ("fault-too-many-tries", "fault-too-many-tries-text"),
        "dead_link" => ("fault-dead-link", "fault-dead-link-text"),
        "cross_site" => ("fault-cross-site", "fault-cross-site-text"),
        "payment_provider_unavailable" => {
            ("fault-payment-provider-unavailable", "fault-payment-provider-unavailable-text")
        }
        "internal_error" => ("fault-internal", "fault-internal-text"),
        _ => return None,
    };
    Some((t(keys.0), t(keys.1)))
}

fn page(problem: &Problem, request: &HeaderMap, advice: String) -> Response {
    let status = problem.status;
    let (title, advice) = match in_own_words(problem) {
        Some((title, advice)) => (title.to_owned(), advice.to_owned()),
        None => (say::translated(&problem.title).into_owned(), advice),
    };
    let page = ErrorPage {
        shell: Shell {
            look: crate::look::worn(),
            title,
            path: problem.instance.clone().unwrap_or_else(|| "/".into()),
            area: Area::Public,
            viewer: None,
            offers_sign_in: !crate::session::seems_signed_in(request),
            theme: crate::session::theme_of(request),
            flash: None,
            viewing: None,
        },
        status: status.as_u16(),
        advice,
        retry: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
        request_id: problem.request_id.clone().unwrap_or_default(),
    };
    let html = page.render().unwrap_or_else(|error| {
        tracing::error!(%error, "the error page could not be rendered");
        problem.title.to_string()
    });
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

#[cfg(test)]
impl ErrorPage {
    pub fn samples() -> Vec<Self> {
        [
            (404, "There is nothing here"),
            (403, "Your role does not allow this"),
            (500, "Something broke on our side"),
        ]
        .map(|(status, title)| Self {
            shell: Shell::sample(Area::Public, title, "/usage"),
            status,
            advice: "The address may be mistyped, or the thing was removed.".into(),
            retry: status == 500,
            request_id: "01936f0e-7a1c-7b52-9f0e-2c1d3b4a5e6f".into(),
        })
        .into()
    }
}
