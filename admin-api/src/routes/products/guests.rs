//! `/v1/products/{product}/guests`: whether visitors may try a product's calls in the portal, without an account.

use serde::{Deserialize, Serialize};
use tollgate_domain::{ApplicationId, PlanId, ProductId};
use tollgate_store::GuestTerms;
use utoipa::ToSchema;

use super::find;
use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::Json;
use crate::path::Named;
use crate::problem::Answer;
use crate::schema;

/// On which terms guests call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb", "application_id": "app_01ks2v8d3tf5cs9y0v3jq1q7zb"
}))]
pub struct Guests {
    /// The plan whose limits all guests have together.
    #[schema(value_type = schema::PlanId)]
    plan_id: PlanId,
    /// The application that their calls are counted for.
    #[schema(value_type = schema::ApplicationId)]
    application_id: ApplicationId,
}

impl From<GuestTerms> for Guests {
    fn from(terms: GuestTerms) -> Self {
        Self { plan_id: terms.plan_id, application_id: terms.application_id }
    }
}

/// Which plan guests shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "plan_id": "pln_01ks2v8d3tf5cs9y0v3jq1q7zb" }))]
pub struct NewGuests {
    /// A plan of the product.
    #[schema(value_type = schema::PlanId)]
    plan_id: PlanId,
}

/// Get on which terms guests call a product
#[utoipa::path(
    get, path = "/v1/products/{product}/guests", tag = "Products", operation_id = "getProductGuests",
    params(("product" = String, Path, description = "Its id or slug.")),
    responses((status = 200, description = "The terms; 404 where it is closed to guests.", body = Guests))
)]
pub async fn get_product_guests(reader: Reader, name: Named<ProductId>) -> Answer {
    let id = find(reader.control.store(), name).await?.id;
    let terms = reader.control.guest_terms(&reader.actor, id).await?;
    Ok(answer::ok(Guests::from(terms.ok_or_else(tollgate_web::Problem::not_found)?)))
}

/// Open a product to guests
///
/// Visitors may try its calls that only read in the portal, without an account; each network only so many. A product that is
/// open on another plan is a conflict: close it first.
#[utoipa::path(
    put, path = "/v1/products/{product}/guests", tag = "Products", operation_id = "putProductGuests",
    params(("product" = String, Path, description = "Its id or slug.")),
    request_body = NewGuests,
    responses((status = 200, description = "The terms.", body = Guests))
)]
pub async fn put_product_guests(
    writer: Writer,
    name: Named<ProductId>,
    Json(body): Json<NewGuests>,
) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    writer.control.open_to_guests(&writer.actor, id, body.plan_id).await?;
    let terms = writer.control.store().find_guest_terms(id).await?;
    Ok(answer::ok(Guests::from(terms.ok_or_else(tollgate_web::Problem::not_found)?)))
}

/// Close a product to guests
///
/// Their key is revoked at once; what they called stays counted.
#[utoipa::path(
    delete, path = "/v1/products/{product}/guests", tag = "Products", operation_id = "deleteProductGuests",
    params(("product" = String, Path, description = "Its id or slug.")),
    responses((status = 204, description = "Visitors may only read about it."))
)]
pub async fn delete_product_guests(writer: Writer, name: Named<ProductId>) -> Answer {
    let id = find(writer.control.store(), name).await?.id;
    writer.control.close_to_guests(&writer.actor, id).await?;
    Ok(answer::no_content())
}
