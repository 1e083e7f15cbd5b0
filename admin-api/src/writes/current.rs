//! Beside a 412: the thing as it stands now, so that whoever was slower sees both versions without asking again.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use tollgate_web::{Problem, RequestId};
use tower::ServiceExt;

use crate::routes::batch::Inner;

/// What is larger is left to be asked for.
const BYTES_MAX: usize = 256 * 1024;

/// What is needed to ask for the thing that a request changes, as the same caller.
pub struct Asked {
    inner: Inner,
    path: String,
    token: HeaderValue,
    request_id: Option<RequestId>,
}

impl Asked {
    /// None where the request cannot be answered by 412.
    pub fn of(request: &Request) -> Option<Self> {
        if !matches!(*request.method(), Method::PATCH | Method::PUT | Method::DELETE) {
            return None;
        }
        Some(Self {
            inner: request.extensions().get::<Inner>()?.clone(),
            path: request.uri().path().to_owned(),
            token: request.headers().get(AUTHORIZATION)?.clone(),
            request_id: request.extensions().get::<RequestId>().cloned(),
        })
    }

    /// The refusal with the thing in it; as it was where the caller may not read that.
    pub async fn beside(self, mut response: Response) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
        match self.read().await {
            Some(current) => problem.current(current).into_response(),
            None => problem.into_response(),
        }
    }

    async fn read(self) -> Option<serde_json::Value> {
        let mut request =
            Request::get(&self.path).header(AUTHORIZATION, self.token).body(Body::empty()).ok()?;
        if let Some(id) = self.request_id {
            request.extensions_mut().insert(id);
        }
        let Ok(answer) = self.inner.0.oneshot(request).await;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let bytes = Limited::new(answer.into_body(), BYTES_MAX).collect().await.ok()?.to_bytes();
        serde_json::from_slice(&bytes).ok().filter(serde_json::Value::is_object)
    }
}
