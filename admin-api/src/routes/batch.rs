//! `POST /v1/batch`

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::Response;
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH, LOCATION};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_control::{Control, FieldFault};
use tollgate_web::{Problem, RequestId};
use tower::ServiceExt;
use utoipa::ToSchema;

use crate::App;
use crate::answer;
use crate::auth::{Admitted, Writer};
use crate::body::Json;
use crate::problem::{Answer, Refusal, invalid};

/// The most writes of one batch.
const ITEMS_MAX: usize = 100;

/// All operations without what stands around them, for the writes of a batch.
#[derive(Debug, Clone)]
pub struct Inner(pub Router);

/// Several writes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "atomic": true, "requests": [
    { "method": "PATCH", "path": "/v1/plans/pln_01ks2v8d3tf5cs9y0v3jq1q7zb", "if_match": "*", "body": { "state": "closed" } },
    { "method": "DELETE", "path": "/v1/keys/key_01ks2v8d3tf5cs9y0v3jq1q7zb" }
] }))]
pub struct Batch {
    /// Whether all happen or none: the first that is refused undoes those before it, and those after it are not tried.
    /// Otherwise each stands for itself.
    #[serde(default)]
    #[schema(default = false)]
    atomic: bool,
    /// The writes, done one after the other.
    #[schema(min_items = 1, max_items = 100)]
    requests: Vec<BatchItem>,
}

/// One write of a batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchItem {
    /// POST, PUT, PATCH or DELETE.
    #[schema(pattern = "^(POST|PUT|PATCH|DELETE)$")]
    method: String,
    /// Below `/v1`, without a query.
    #[schema(pattern = "^/v1/[A-Za-z0-9_/-]+$")]
    path: String,
    /// What the write would send as `If-Match`.
    #[serde(default)]
    if_match: Option<String>,
    /// Its JSON body; `null` is none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    body: Option<Box<RawValue>>,
}

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// Whether anything may have changed: false where an atomic batch was undone.
    committed: bool,
    /// One result for each write, in their order.
    results: Vec<BatchItemResult>,
}

/// What became of one write of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchItemResult {
    /// The status that it would be answered with alone; 424 where it was undone or not tried because of another one.
    status: u16,
    /// The `Location` of what was made; `null` where nothing was.
    #[schema(required)]
    location: Option<String>,
    /// The `ETag` of what it left; `null` where it has none.
    #[schema(required)]
    etag: Option<String>,
    /// The body that it would be answered with alone: the thing, or a problem; `null` where there is none.
    #[schema(required, value_type = Option<Object>)]
    body: Option<Value>,
}

/// Do several writes at once
///
/// Up to 100, each with a result of its own; the answer is 200 also where some were refused. With `atomic` they are one
/// transaction. `Idempotency-Key` and `dry_run` hold for the batch as a whole.
#[utoipa::path(
    post, path = "/v1/batch", tag = "Batch", operation_id = "runBatch", request_body = Batch,
    responses((status = 200, description = "What became of each write.", body = BatchResult))
)]
pub async fn run_batch(
    State(app): State<App>,
    writer: Writer,
    Extension(inner): Extension<Inner>,
    Extension(request_id): Extension<RequestId>,
    Json(batch): Json<Batch>,
) -> Answer {
    check(&batch)?;
    let desk = Desk { app, inner, request_id, writer };
    let result = match batch.atomic {
        true => desk.all_or_nothing(batch.requests).await?,
        false => desk.each(batch.requests).await?,
    };
    Ok(answer::ok(result))
}

fn check(batch: &Batch) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    if !(1..=ITEMS_MAX).contains(&batch.requests.len()) {
        faults.push(FieldFault::new("/requests", "1 to 100 writes"));
    }
    for (at, item) in batch.requests.iter().enumerate() {
        if !matches!(item.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE") {
            faults.push(FieldFault::new(format!("/requests/{at}/method"), "POST, PUT, PATCH or DELETE"));
        }
        let rest = item.path.strip_prefix("/v1/").unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte);
        if rest.is_empty() || !rest.bytes().all(plain) || rest == "batch" {
            let message = "a path below /v1 without a query, and no other batch";
            faults.push(FieldFault::new(format!("/requests/{at}/path"), message));
        }
        if item.body.as_deref().is_some_and(|body| !body.get().starts_with('{')) {
            faults.push(FieldFault::new(format!("/requests/{at}/body"), "an object"));
        }
        if item.if_match.as_deref().is_some_and(|tag| HeaderValue::from_str(tag).is_err()) {
            faults.push(FieldFault::new(
                format!("/requests/{at}/if_match"),
                "an entity tag, like \"v3\", or *",
            ));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(invalid(faults).into()) }
}

/// What the writes of a batch are done with.
struct Desk {
    app: App,
    inner: Inner,
    request_id: RequestId,
    writer: Writer,
}

impl Desk {
    async fn each(&self, items: Vec<BatchItem>) -> Result<BatchResult, Refusal> {
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            // A unit of its own, so that a refused write leaves nothing behind inside a batch that is only tried.
            let unit = self.writer.control.open_unit().await?;
            let result = self.answer(item, unit.control()).await?;
            if result.status < 300 {
                unit.commit().await?;
            }
            results.push(result);
        }
        Ok(BatchResult { committed: true, results })
    }

    async fn all_or_nothing(&self, items: Vec<BatchItem>) -> Result<BatchResult, Refusal> {
        let unit = self.writer.control.open_unit().await?;
        let total = items.len();
        let mut results = Vec::with_capacity(total);
        for item in items {
            let result = self.answer(item, unit.control()).await?;
            let refused = result.status >= 300;
            results.push(result);
            if refused {
                let last = results.len() - 1;
                results[..last].fill_with(undone);
                results.resize_with(total, undone);
                return Ok(BatchResult { committed: false, results });
            }
        }
        unit.commit().await?;
        Ok(BatchResult { committed: true, results })
    }

    /// Does one write as if it had been sent alone by the same caller.
    async fn answer(&self, item: BatchItem, control: &Control) -> Result<BatchItemResult, Refusal> {
        let method = Method::from_bytes(item.method.as_bytes()).map_err(|_| Problem::internal())?;
        let mut request = Request::builder().method(method).uri(&item.path);
        if let Some(tag) = item.if_match {
            request = request.header(IF_MATCH, tag);
        }
        let body = match item.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Body::from(body.get().to_owned())
            }
            None => Body::empty(),
        };
        let mut request = request.body(body).map_err(|_| Problem::internal())?;
        let admitted = Admitted { actor: self.writer.actor.clone(), control: control.clone() };
        request.extensions_mut().insert(admitted);
        request.extensions_mut().insert(self.request_id.clone());
        let Ok(response) = self.inner.0.clone().oneshot(request).await;
        self.result(&item.path, response).await
    }

    async fn result(&self, path: &str, mut response: Response) -> Result<BatchItemResult, Refusal> {
        let status = response.status();
        let (location, etag) = (header(&response, &LOCATION), header(&response, &ETAG));
        let body = match response.extensions_mut().remove::<Problem>() {
            Some(mut problem) => {
                problem.locate(&self.app.problem_base, path, self.request_id.as_str());
                serde_json::to_value(&*problem).ok()
            }
            None => {
                let bytes = response.into_body().collect().await.map_err(|_| Problem::internal())?.to_bytes();
                serde_json::from_slice(&bytes).ok()
            }
        };
        Ok(BatchItemResult { status: status.as_u16(), location, etag, body })
    }
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// 424: RFC 4918 §11.4.
fn undone() -> BatchItemResult {
    let status = StatusCode::FAILED_DEPENDENCY.as_u16();
    BatchItemResult { status, location: None, etag: None, body: None }
}
