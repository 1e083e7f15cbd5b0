//! The list of pages.

pub mod account;
pub mod admin;
pub mod applications;
pub mod catalog;
pub mod problems;
pub mod reference;
#[cfg(test)]
mod samples;
pub mod site;
pub mod start;
pub mod usage;

use axum::Router;
use axum::routing::{get, post};

use crate::PortalState;

/// Every page with its path.
pub fn routes() -> Router<PortalState> {
    Router::new()
        .route("/", get(catalog::home::get))
        .route("/products/{slug}", get(catalog::product::get))
        .route("/products/{slug}/subscribe", post(catalog::product::subscribe))
        .route("/products/{slug}/apis/{api}", get(reference::api::get))
        .route("/products/{slug}/apis/{api}/openapi.json", get(reference::document::get))
        .route("/products/{slug}/apis/{api}/operations/{operation_id}", get(reference::operation::get))
        .route("/products/{slug}/apis/{api}/webhooks/{webhook}", get(reference::schema::webhook))
        .route("/products/{slug}/apis/{api}/schemas", get(reference::schemas::get))
        .route("/products/{slug}/apis/{api}/schemas.md", get(reference::schemas::markdown))
        .route("/products/{slug}/apis/{api}/schemas/{name}", get(reference::schema::get))
        .route("/llms.txt", get(reference::llms::get))
        .route("/.well-known/api-catalog", get(reference::api_catalog::get))
        .route("/problems", get(problems::list::get))
        .route("/problems/{code}", get(problems::show::get))
        .route("/theme", post(site::theme::post))
        .route("/signup", get(account::signup::get).post(account::signup::post))
        .route("/signin", get(account::signin::get).post(account::signin::post))
        .route("/signout", post(account::signout::post))
        .route("/account", get(account::profile::get))
        .route("/signin/code", get(account::code::get).post(account::code::post))
        .route("/password/forgotten", get(account::forgotten::get).post(account::forgotten::post))
        .route("/password/new/{token}", get(account::reset::get).post(account::reset::post))
        .route("/account/password", get(account::password::get).post(account::password::post))
        .route("/account/second-factor", get(account::second_factor::get).post(account::second_factor::post))
        .route("/account/second-factor/off", post(account::second_factor::off))
        .route("/account/second-factor/codes", post(account::second_factor::renew))
        .route("/account/recovery-codes", get(account::second_factor::codes))
        .route("/account/sessions/end", post(account::sessions::post))
        .route("/account/export", get(account::delete::export))
        .route("/account/delete", get(account::delete::get).post(account::delete::post))
        .route("/account/verification", post(account::verify::again))
        .route("/verify/{token}", get(account::verify::get).post(account::verify::post))
        .route("/setup/{token}", get(account::setup::get).post(account::setup::post))
        .route("/get-started", get(start::get_started::get))
        .route("/get-started/first-call", get(start::first_call::get))
        .route("/usage", get(usage::overview::get))
        .route("/applications", get(applications::list::get).post(applications::list::post))
        .route("/applications/{id}", get(applications::show::get))
        .route("/applications/{id}/keys", post(applications::key_create::post))
        .route("/applications/{id}/keys/{key}", get(applications::key_create::get))
        .route(
            "/applications/{id}/keys/{key}/revoke",
            get(applications::key_revoke::get).post(applications::key_revoke::post),
        )
        .route("/admin", get(admin::overview::get))
        .route("/admin/traffic", get(admin::traffic::get))
        .route("/admin/apis", get(admin::apis::get))
        .route("/admin/apis/{slug}", get(admin::api::get))
        .route("/admin/products", get(admin::products::get))
        .route("/admin/developers", get(admin::developers::get))
        .route("/admin/applications/{id}", get(admin::application::get))
        .route("/admin/applications/{id}/state", post(admin::application::post))
        .route(
            "/admin/applications/{id}/keys/{key}/revoke",
            get(admin::key_revoke::get).post(admin::key_revoke::post),
        )
}

/// The instant that samples are made at.
#[cfg(test)]
pub const SAMPLE_NOW: &str = "2026-11-21T14:05:00Z";

/// A moment some seconds from the samples' now.
#[cfg(test)]
pub fn sample_time(seconds: i64) -> crate::show::Moment {
    let now: chrono::DateTime<chrono::Utc> = SAMPLE_NOW.parse().expect("an instant");
    crate::show::Moment::of(now + chrono::TimeDelta::seconds(seconds), now)
}
