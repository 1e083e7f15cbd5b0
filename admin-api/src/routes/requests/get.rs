//! `GET /v1/requests/{request_id}`

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::Serialize;
use tollgate_web::Problem;
use utoipa::ToSchema;

use super::Call;
use crate::App;
use crate::answer;
use crate::auth::Reader;
use crate::problem::{Answer, Refusal};

/// The longest request id that a gateway takes.
const ID_BYTES_MAX: usize = 128;

/// Calls with one request id.
#[derive(Debug, Serialize, ToSchema)]
pub struct Calls {
    /// The latest first; more than one where a caller chose an id again.
    data: Vec<Call>,
}

/// A request id in a path.
#[derive(Debug)]
pub struct CallId(String);

impl FromRequestParts<App> for CallId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, app).await.map_err(|_| Problem::not_found())?;
        let known =
            (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if known { Ok(Self(text)) } else { Err(Problem::not_found().into()) }
    }
}

/// Find a call by its request id
///
/// Why was it refused? Every refusal is kept for 30 days, and other calls up to a rate.
#[utoipa::path(
    get, path = "/v1/requests/{request_id}", tag = "Requests", operation_id = "getRequest",
    params(("request_id" = String, Path, description = "The `X-Request-Id` of the answer.")),
    responses((status = 200, description = "The calls with this id.", body = Calls))
)]
pub async fn get_request(reader: Reader, CallId(id): CallId) -> Answer {
    let rows = reader.control.store().find_requests(reader.scope, &id).await?;
    if rows.is_empty() {
        return Err(Problem::not_found().into());
    }
    Ok(answer::ok(Calls { data: rows.into_iter().map(Call::from).collect() }))
}
