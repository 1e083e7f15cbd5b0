//! What every write may be asked: to be only tried, to happen once, to answer when gateways run it.

mod applied;
mod current;
mod dry_run;
mod once;

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
pub use dry_run::DryRun;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use tollgate_control::Control;
use tollgate_web::Problem;

use crate::App;
use crate::auth::{Admitted, authenticate};
use crate::problem::Refusal;
use crate::query::Params;

/// The most that a write's body may be; the operation's own bound is usually lower.
const BODY_BYTES_MAX: usize = tollgate_openapi::TEXT_BYTES_MAX + (1 << 20);

/// What the query of a write asks for.
struct Asked {
    dry_run: bool,
    wait: Option<Duration>,
}

/// Around every route.
pub async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let asked = current::Asked::of(&request);
    let response = match handled(&app, request, next).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    match asked {
        Some(asked) if response.status() == StatusCode::PRECONDITION_FAILED => asked.beside(response).await,
        _ => response,
    }
}

async fn handled(app: &App, request: Request, next: Next) -> Result<Response, Refusal> {
    let asked = asked(&request)?;
    let key = once::key_of(&request)?;
    if asked.dry_run {
        return dry_run::run(app, request, next).await;
    }
    let response = match key {
        Some(key) => once::run(app, &key, request, next).await?,
        None => next.run(request).await,
    };
    match asked.wait {
        Some(timeout) if response.status().is_success() => {
            Ok(applied::held_back(app, timeout, response).await)
        }
        _ => Ok(response),
    }
}

fn asked(request: &Request) -> Result<Asked, Refusal> {
    let mut params = Params::of(request.uri())?;
    let flag = |text: &str| match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    };
    let dry_run = params.take("dry_run", "true or false", flag)?.unwrap_or(false);
    let wait = params.take("wait", "applied, or nothing at all", |text| (text == "applied").then_some(()))?;
    let timeout = params.take("timeout", "like 5s or 500ms, 20s at most", applied::duration)?;
    params.finish()?;
    Ok(Asked { dry_run, wait: wait.map(|()| timeout.unwrap_or(applied::TIMEOUT_DEFAULT)) })
}

/// Signs the caller in before a body is read, and notes who it is for the handler.
async fn admitted(app: &App, request: Request) -> Result<(Request, Admitted), Refusal> {
    let (mut parts, body) = request.into_parts();
    let actor = authenticate(&parts, app).await?;
    actor.may_write()?;
    let admitted = Admitted { actor, control: app.control.clone() };
    parts.extensions.insert(admitted.clone());
    Ok((Request::from_parts(parts, body), admitted))
}

/// The same caller, inside a unit of work.
fn within(request: &mut Request, admitted: &Admitted, control: &Control) {
    let inside = Admitted { actor: admitted.actor.clone(), control: control.clone() };
    request.extensions_mut().insert(inside);
}

/// A request's body as a whole.
async fn whole(request: Request) -> Result<(Request, Bytes), Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The request body is too large")
    })?;
    Ok((Request::from_parts(parts, Body::from(bytes.clone())), bytes))
}

/// An answer's body as a whole; it was made by us and is no larger than a document.
async fn whole_answer(response: Response) -> Result<(http::response::Parts, Bytes), Refusal> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(|_| Problem::internal())?.to_bytes();
    Ok((parts, bytes))
}
