//! What every request of a face passes through, around the handlers and in one fixed order.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use tower_http::catch_panic::CatchPanicLayer;

use crate::headers::Headers;
use crate::problem::Problem;
use crate::request_id::{self, RequestId};

/// Turns a problem into the face's answer; sees the request's headers to choose a form.
pub type Render = fn(&Problem, &HeaderMap) -> Response;

/// How a face answers whatever its handlers do.
#[derive(Debug, Clone)]
pub struct Face {
    /// What `type` of a problem stands below: `https://portal.example/problems`.
    pub problem_base: String,
    /// The largest body that an extractor reads, in bytes; a route may set its own `DefaultBodyLimit`.
    pub body_bytes_max: usize,
    /// How long a handler may take.
    pub timeout: Duration,
    /// Security headers, from [`crate::PageHeaders`] or [`crate::JsonHeaders`].
    pub headers: Headers,
    /// The form of problems: [`render_json`], or the face's own page.
    pub render: Render,
}

/// A problem as `application/problem+json`.
#[must_use]
pub fn render_json(problem: &Problem, _request: &HeaderMap) -> Response {
    problem.clone().into_response()
}

impl Face {
    /// Puts the layers around a face's routes and answers unknown paths and methods. From the outside in:
    /// request id, log line, problem's form and headers (all answers need these, so nothing may stand
    /// around them), then the clock, then the net for panics, then the body limit, then the routes.
    pub fn around(self, routes: Router) -> Router {
        self.around_routes(routes.fallback(|| async { Problem::not_found() }))
    }

    /// As [`Face::around`], for routes that are merged into a face with other bounds: unknown paths are left to it.
    pub fn around_routes(self, routes: Router) -> Router {
        let timeout = self.timeout;
        routes
            .method_not_allowed_fallback(method_not_allowed)
            .layer(DefaultBodyLimit::max(self.body_bytes_max))
            .layer(CatchPanicLayer::custom(caught))
            .layer(middleware::from_fn(move |request: Request, next: Next| in_time(timeout, request, next)))
            .layer(middleware::from_fn_with_state(Arc::new(self), answer))
    }
}

async fn answer(State(face): State<Arc<Face>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers().get(request_id::HEADER));
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let request_headers = request.headers().clone();

    let mut response = next.run(request).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.locate(&face.problem_base, &path, id.as_str());
        let mut written = (face.render)(&problem, &request_headers);
        written.extensions_mut().remove::<Problem>();
        // What a layer below put on the answer stays: cookies, Allow.
        for (name, value) in response.headers() {
            if !written.headers().contains_key(name) && name != http::header::CONTENT_LENGTH {
                written.headers_mut().append(name, value.clone());
            }
        }
        response = written;
    }
    face.headers.apply(response.headers_mut());
    response.headers_mut().insert(request_id::HEADER, id.header_value());
    // The route, not the query: queries carry one-time links.
    tracing::debug!(
        request_id = %id,
        %method,
        route = route.as_ref().map_or("-", MatchedPath::as_str),
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

async fn in_time(timeout: Duration, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!(request_id = id.as_ref().map(RequestId::as_str), "a handler ran out of time");
            Problem::unavailable("The answer took too long to make.").into_response()
        }
    }
}

async fn method_not_allowed(uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path has other methods")
        .detail(format!("{} does not take this method; see Allow.", uri.path()))
}

fn caught(panic: Box<dyn Any + Send>) -> Response {
    // The message and place were printed by the panic hook; the caller learns neither.
    drop(panic);
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}
