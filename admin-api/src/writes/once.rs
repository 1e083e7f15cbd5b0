//! `Idempotency-Key`: a request that is sent again does nothing again and gets the first answer.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tollgate_control::Once;
use tollgate_web::Problem;

use super::{admitted, whole, whole_answer, within};
use crate::App;
use crate::problem::{Refusal, malformed};

/// The header that names the request.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// What of an answer's head is kept.
const KEPT_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, LOCATION, ETAG];

/// How long a request waits for another one with its key before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The key of a `POST`, where it has one; other methods do the same however often they are sent.
pub fn key_of(request: &Request) -> Result<Option<String>, Refusal> {
    if request.method() != Method::POST {
        return Ok(None);
    }
    let mut sent = request.headers().get_all(&KEY).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    if sent.next().is_some()
        || !(1..=255).contains(&text.len())
        || !text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(malformed("Idempotency-Key takes one value of 1 to 255 visible ASCII characters.").into());
    }
    Ok(Some(text.to_owned()))
}

/// Does what the request asks for and keeps the answer in the same transaction; or gives the answer that was kept. What
/// was refused did nothing, so nothing of it is kept.
pub async fn run(app: &App, key: &str, request: Request, next: Next) -> Result<Response, Refusal> {
    let (request, admitted) = admitted(app, request).await?;
    let (mut request, body) = whole(request).await?;
    let asked = fingerprint(&request, &body);
    let deadline = Instant::now() + PATIENCE;
    let unit = loop {
        let unit = app.control.open_unit().await?;
        match unit.control().claim_once(&admitted.actor, key, &asked).await? {
            Once::Mine => break unit,
            Once::Done(answer) => return replayed(&answer),
            Once::Other => return Err(reused().into()),
            Once::UnderWay => {}
        }
        // The connection goes back while this request waits.
        drop(unit);
        if Instant::now() >= deadline {
            return Err(under_way().into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    within(&mut request, &admitted, unit.control());
    let response = next.run(request).await;
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = whole_answer(response).await?;
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let kept = Kept {
        status: parts.status.as_u16(),
        headers: KEPT_HEADERS
            .iter()
            .filter_map(|name| Some((name.as_str().to_owned(), parts.headers.get(name).map(text)?)))
            .collect(),
        body: String::from_utf8(body.to_vec()).map_err(|_| Problem::internal())?,
    };
    let kept = serde_json::to_vec(&kept).map_err(|_| Problem::internal())?;
    unit.control().keep_answer(&admitted.actor, key, &asked, &kept).await?;
    unit.commit().await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn fingerprint(request: &Request, body: &Bytes) -> [u8; 32] {
    let mut hash = Sha256::new();
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    for part in [request.method().as_str().as_bytes(), target.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn replayed(answer: &[u8]) -> Result<Response, Refusal> {
    let kept: Kept = serde_json::from_slice(answer).map_err(|_| Problem::internal())?;
    let status = StatusCode::from_u16(kept.status).map_err(|_| Problem::internal())?;
    let mut response = (status, kept.body).into_response();
    response.headers_mut().remove(CONTENT_TYPE);
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn under_way() -> Problem {
    Problem::new(StatusCode::CONFLICT, "idempotency_key_in_use", "The first request is still under way")
        .detail("A request with this Idempotency-Key has not been answered yet.")
        .hint("Send it again in a moment; it gets the first one's answer.")
        .header(RETRY_AFTER, HeaderValue::from_static("1"))
}

fn reused() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "This Idempotency-Key stands for another request",
    )
    .detail("Within the last 24 hours it was sent with another method, path, query or body.")
    .at_parameter("Idempotency-Key", "was used for another request")
    .hint("Make a new key, like a UUID, for every request that is not a repetition.")
}
