//! `GET /v1/apis/{api}/routes`

use serde::Serialize;
use tollgate_domain::{ApiId, RouteId};
use tollgate_store::RouteRow;
use utoipa::ToSchema;

use super::find;
use crate::answer;
use crate::auth::Reader;
use crate::page::{Listing, PageParams};
use crate::path::Named;
use crate::problem::Answer;
use crate::query::Params;
use crate::schema;

/// One operation of an API.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "rte_01ks2v8d3tf5cs9y0v3jq1q7zb", "operation_id": "getCountry", "method": "GET", "path": "/{code}"
}))]
pub struct Route {
    /// Its id; stays while method and path stay.
    #[schema(value_type = schema::RouteId)]
    id: RouteId,
    /// The document's name for it, or one made from method and path.
    operation_id: String,
    /// Upper-case method.
    method: String,
    /// Path template below the API's base path.
    path: String,
}

impl From<RouteRow> for Route {
    fn from(row: RouteRow) -> Self {
        Self { id: row.id, operation_id: row.operation_id, method: row.method, path: row.path }
    }
}

/// List an API's routes
///
/// In the order in which they were first published.
#[utoipa::path(
    get, path = "/v1/apis/{api}/routes", tag = "APIs", operation_id = "listApiRoutes",
    params(("api" = String, Path, description = "Its id or slug."), PageParams),
    responses((status = 200, description = "A page of routes.", body = Listing<Route>))
)]
pub async fn list_api_routes(reader: Reader, name: Named<ApiId>, mut params: Params) -> Answer {
    let page = params.page()?;
    params.finish()?;
    let store = reader.control.store();
    let id = find(store, name).await?.id;
    let rows = page.cut(store.list_routes(id).await?, |row| row.id.uuid());
    Ok(answer::ok(page.listing(rows, |row| row.id.uuid(), Route::from)))
}
