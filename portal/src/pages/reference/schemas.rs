//! All schemas of an API, by name.

use axum::extract::{Path, State};

use super::Reading;
use super::nav::Current;
use super::schema::shown;
use crate::PortalState;
use crate::error::Answer;
use crate::say::t;
use crate::session::Visit;

/// `GET /products/{slug}/apis/{api}/schemas`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api)): Path<(String, String)>,
) -> Answer {
    page(&state, &visit, &product, &api, false).await
}

/// `GET /products/{slug}/apis/{api}/schemas.md`
pub async fn markdown(
    State(state): State<PortalState>,
    visit: Visit,
    Path((product, api)): Path<(String, String)>,
) -> Answer {
    page(&state, &visit, &product, &api, true).await
}

async fn page(state: &PortalState, visit: &Visit, product: &str, api: &str, markdown: bool) -> Answer {
    let reading = Reading::of(state, visit, product, api).await?;
    let href = reading.place.schemas();
    shown(state, visit, &reading, Current::Schemas, t("schema-schemas"), href, markdown).await
}
