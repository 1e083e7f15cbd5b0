//! The list of pages.

pub mod account;
pub mod admin;
pub mod applications;
pub mod billing;
pub mod catalog;
pub mod guides;
pub mod limits;
pub mod problems;
pub mod reference;
pub mod requests;
#[cfg(test)]
mod samples;
pub mod search;
pub mod site;
pub mod start;
pub mod status;
pub mod subscriptions;
pub mod team;
pub mod try_it;
pub mod usage;
pub mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::PortalState;

/// Every page with its path.
pub fn routes() -> Router<PortalState> {
    // Documents come twice: as a file or a text, and the other part of the form beside it.
    let large = DefaultBodyLimit::max(tollgate_openapi::TEXT_BYTES_MAX + 64 * 1024);
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
        .route("/apis/{slug}", get(reference::ending::get))
        .route("/llms.txt", get(reference::llms::get))
        .route("/.well-known/api-catalog", get(reference::api_catalog::get))
        .route("/guides", get(guides::list::get))
        .route("/guides/{slug}", get(guides::show::get))
        .route("/changelog", get(guides::changelog::get))
        .route("/changelog.atom", get(guides::changelog::atom))
        .route("/search", get(search::get))
        .route("/status", get(status::get))
        .route("/status.atom", get(status::atom))
        .route("/problems", get(problems::list::get))
        .route("/problems/{code}", get(problems::show::get))
        .route("/pages/{slug}", get(site::page::get))
        .route("/theme", post(site::theme::post))
        .route("/theme/accent.css", get(site::look::accent))
        .route("/theme/logo", get(site::look::logo))
        .route("/locale", post(site::locale::post))
        .route("/signup", get(account::signup::get).post(account::signup::post))
        .route("/signin", get(account::signin::get).post(account::signin::post))
        .route("/signin/with/{provider}", get(account::signin_with::get))
        .route("/signin/with/{provider}/back", get(account::signin_with::came_back))
        .route("/signin/passkey", post(account::passkey_signin::post))
        .route("/signin/passkey/question", post(account::passkey_signin::question))
        .route("/device", get(account::device::get).post(account::device::post))
        .route("/device/decide", post(account::device::decide))
        .route("/device/authorize", post(account::device_grant::authorize))
        .route("/device/token", post(account::device_grant::token))
        .route("/account/passkeys", get(account::passkeys::get).post(account::passkeys::post))
        .route("/account/passkeys/question", post(account::passkeys::question))
        .route("/account/passkeys/{id}/rename", post(account::passkeys::rename))
        .route("/account/passkeys/{id}/remove", post(account::passkeys::remove))
        .route("/account/identities/remove", post(account::profile::remove_identity))
        .route("/signout", post(account::signout::post))
        .route("/account", get(account::profile::get))
        .route("/signin/code", get(account::code::get).post(account::code::post))
        .route("/password/forgotten", get(account::forgotten::get).post(account::forgotten::post))
        .route("/password/new/{token}", get(account::reset::get).post(account::reset::post))
        .route("/account/email", get(account::email::get).post(account::email::post))
        .route("/email/{token}", get(account::email::ask).post(account::email::confirm))
        .route("/account/mails", get(account::mails::get).post(account::mails::post))
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
        .route("/billing", get(billing::overview::get))
        .route("/billing/credits", get(billing::credits::get).post(billing::credits::buy))
        .route("/billing/invoices/{id}", get(billing::invoice::get))
        .route("/billing/invoices/{id}/calls", get(billing::calls::get))
        .route("/billing/invoices/{id}/pdf", get(billing::pdf::get))
        .route("/billing/invoices/{id}/pay", post(billing::pay::invoice))
        .route("/billing/method", post(billing::pay::method))
        .route("/billing/account", post(billing::pay::account))
        .route("/billing/tax-id", post(billing::pay::tax_id))
        .route("/billing/checkouts/{id}", get(billing::checkout::get))
        .route("/usage", get(usage::overview::get))
        .route("/usage.csv", get(usage::csv::get))
        .route("/limits", get(limits::overview::get))
        .route("/requests", get(requests::list::get))
        .route("/requests/{request_id}", get(requests::show::get))
        .route("/subscriptions/{id}", get(subscriptions::get))
        .merge(moving_routes("/subscriptions/{id}"))
        .merge(moving_routes("/admin/subscriptions/{id}"))
        .merge(webhook_routes("/webhooks"))
        .merge(webhook_routes("/admin/webhooks"))
        .route("/team", get(team::members::get))
        .route("/team/switch", post(team::members::switch))
        .route("/team/invitations", post(team::members::invite))
        .route("/team/invitations/{id}/again", post(team::members::again))
        .route("/team/invitations/{id}/revoke", post(team::members::revoke))
        .route("/team/members/{id}/role", post(team::members::change))
        .route("/team/members/{id}/remove", post(team::members::remove))
        .route("/invitations/{token}", get(team::accept::get).post(team::accept::post))
        .route("/applications", get(applications::list::get).post(applications::list::post))
        .route("/applications/{id}", get(applications::show::get))
        .route("/applications/{id}/keys", post(applications::key_create::post))
        .route("/applications/{id}/keys/{key}", get(applications::key_show::get))
        .route("/applications/{id}/keys/{key}/reveal", post(applications::key_show::reveal))
        .route(
            "/applications/{id}/keys/{key}/restrict",
            get(applications::key_restrict::get).post(applications::key_restrict::post),
        )
        .route(
            "/applications/{id}/keys/{key}/rotate",
            get(applications::key_rotate::get).post(applications::key_rotate::post),
        )
        .route(
            "/applications/{id}/keys/{key}/revoke",
            get(applications::key_revoke::get).post(applications::key_revoke::post),
        )
        .route("/admin", get(admin::overview::get))
        .route("/admin/traffic", get(admin::traffic::get))
        .route("/admin/apis", get(admin::apis::get))
        .route("/admin/new/api", get(admin::api::create::get).post(admin::api::create::post).layer(large))
        .route("/admin/apis/{slug}", get(admin::api::overview::get))
        .route("/admin/apis/{slug}/routes", get(admin::api::routes::get))
        .route(
            "/admin/apis/{slug}/document",
            get(admin::api::document::get).post(admin::api::document::post).layer(large),
        )
        .route("/admin/apis/{slug}/document/{file}", get(admin::api::document::file))
        .route("/admin/apis/{slug}/life", get(admin::api::life::get).post(admin::api::life::post))
        .route("/admin/apis/{slug}/settings", get(admin::api::settings::get).post(admin::api::settings::post))
        .route("/admin/apis/{slug}/yaml", get(admin::yaml::api).post(admin::yaml::post_api))
        .route("/admin/apis/{slug}/delete", get(admin::api::delete::get).post(admin::api::delete::post))
        .route("/admin/find", get(admin::find::get).post(admin::find::post))
        .route("/admin/gateways", get(admin::gateways::get))
        .route("/admin/handbook", get(admin::handbook::get))
        .route("/admin/handbook/{slug}", get(admin::handbook::show))
        .route("/admin/handbook/guides/{slug}", get(admin::handbook::guide))
        .route("/admin/proofs", get(admin::proofs::get))
        .route(
            "/admin/subscriptions/{id}/limits",
            get(admin::subscription_limits::get).post(admin::subscription_limits::post),
        )
        .route("/admin/requests", get(admin::requests::get))
        .route("/admin/requests/{id}", get(admin::explain::get))
        .route("/admin/audit", get(admin::audit::get))
        .route("/admin/audit/{sequence}", get(admin::audit::show))
        .route("/admin/setup", get(admin::setup::get))
        .route("/admin/services", get(admin::services::get))
        .route("/admin/new/service", get(admin::service::create).post(admin::service::post_new))
        .route("/admin/services/{slug}", get(admin::service::get).post(admin::service::post))
        .route("/admin/services/{slug}/yaml", get(admin::yaml::service).post(admin::yaml::post_service))
        .route("/admin/services/{slug}/test", post(admin::service::test))
        .route("/admin/services/{slug}/delete", get(admin::service::ask_delete).post(admin::service::delete))
        .route("/admin/certificates", get(admin::certificates::get))
        .route("/admin/new/certificate", get(admin::certificate::create).post(admin::certificate::post_new))
        .route(
            "/admin/new/certificate-order",
            get(admin::certificate_order::create).post(admin::certificate_order::post_new),
        )
        .route(
            "/admin/certificate-authority",
            get(admin::certificate_order::authority).post(admin::certificate_order::post_authority),
        )
        .route("/admin/certificates/{slug}", get(admin::certificate::get).post(admin::certificate::post))
        .route("/admin/certificates/{slug}/renew", post(admin::certificate::renew))
        .route(
            "/admin/certificates/{slug}/delete",
            get(admin::certificate::ask_delete).post(admin::certificate::delete),
        )
        .route("/admin/policies", get(admin::policies::get).post(admin::policies::post))
        .route("/admin/portal", get(admin::portal::get).post(admin::portal::post).layer(large))
        .route(
            "/admin/new/page",
            get(admin::portal_page::create).post(admin::portal_page::post_new).layer(large),
        )
        .route(
            "/admin/portal/pages/{slug}",
            get(admin::portal_page::get).post(admin::portal_page::post).layer(large),
        )
        .route(
            "/admin/portal/pages/{slug}/delete",
            get(admin::portal_page::ask_delete).post(admin::portal_page::delete),
        )
        .route("/admin/incidents", get(admin::incidents::get))
        .route("/admin/new/incident", get(admin::incident::create).post(admin::incident::post_new))
        .route("/admin/incidents/{id}", get(admin::incident::get).post(admin::incident::post))
        .route("/admin/incidents/{id}/delete", get(admin::incident::ask_delete).post(admin::incident::delete))
        .route("/admin/mails", get(admin::mails::list))
        .route("/admin/mails/test", post(admin::mails::test))
        .route("/admin/mails/letter", get(admin::mails::show).post(admin::mails::html))
        .route("/admin/reference", get(admin::reference::get))
        .route("/admin/reference/openapi.json", get(admin::reference::document))
        .route("/admin/products", get(admin::products::get))
        .route(
            "/admin/new/product",
            get(admin::product::settings::create).post(admin::product::settings::post_new),
        )
        .route("/admin/products/{slug}", get(admin::product::overview::get))
        .route("/admin/products/{slug}/yaml", get(admin::yaml::product).post(admin::yaml::post_product))
        .route("/admin/products/{slug}/guests", post(admin::product::overview::switch_guests))
        .route(
            "/admin/products/{slug}/audience",
            get(admin::product::audience::get).post(admin::product::audience::post),
        )
        .route(
            "/admin/products/{slug}/settings",
            get(admin::product::settings::get).post(admin::product::settings::post),
        )
        .route(
            "/admin/products/{slug}/delete",
            get(admin::product::delete::get).post(admin::product::delete::post),
        )
        .route("/admin/new/plan", get(admin::plan::create).post(admin::plan::post_new))
        .route("/admin/products/{slug}/plans/{plan}", get(admin::plan::get).post(admin::plan::post))
        .route(
            "/admin/products/{slug}/plans/{plan}/delete",
            get(admin::plan::ask_delete).post(admin::plan::delete),
        )
        .route(
            "/admin/products/{slug}/plans/{plan}/move",
            get(admin::plan_move::get).post(admin::plan_move::post),
        )
        .route("/admin/organizations", get(admin::organizations::get))
        .route("/admin/organizations/{id}", get(admin::organization::get).post(admin::organization::post))
        .route(
            "/admin/organizations/{id}/suspend",
            get(admin::organization::ask_suspend).post(admin::organization::suspend),
        )
        .route("/admin/organizations/{id}/view-as", post(admin::organization::view_as))
        .route("/admin/view-as/end", post(admin::organization::stop_viewing))
        .route("/admin/organizations/{id}/terms", post(admin::organization_terms::post))
        .route("/admin/organizations/{id}/resume", post(admin::organization::resume))
        .route(
            "/admin/organizations/{id}/delete",
            get(admin::organization::ask_delete).post(admin::organization::delete),
        )
        .route("/admin/developers", get(admin::developers::get))
        .route("/admin/developers/{id}", get(admin::developer::get))
        .route("/admin/developers/{id}/disable", post(admin::developer::disable))
        .route("/admin/operators", get(admin::operators::get).post(admin::operators::invite))
        .route("/admin/operators/invitations/{id}/revoke", post(admin::operators::revoke))
        .route("/admin/operators/{id}", get(admin::operators::show).post(admin::operators::change))
        .route("/admin/operators/{id}/remove", post(admin::operators::remove))
        .route("/admin/applications", get(admin::applications::get))
        .route("/admin/keys", get(admin::keys::list))
        .route("/admin/keys/find", post(admin::keys::find))
        .route("/admin/keys/{id}", get(admin::keys::show))
        .route("/admin/keys/{id}/explain", get(admin::key_limits::get).post(admin::key_limits::post))
        .route(
            "/admin/keys/{id}/restrict",
            get(applications::key_restrict::get_any).post(applications::key_restrict::post_any),
        )
        .route("/admin/subscriptions", get(admin::subscriptions::get))
        .route("/admin/subscriptions/{id}", get(admin::subscription::get).post(admin::subscription::post))
        .route("/admin/revenue", get(admin::revenue::get))
        .route("/admin/journal.csv", get(admin::revenue::journal))
        .route("/admin/invoices", get(admin::invoices::list))
        .route("/admin/invoices/{id}", get(admin::invoices::show).post(admin::invoices::settle))
        .route("/admin/invoices/{id}/calls", get(billing::calls::admin))
        .route("/admin/invoices/{id}/refund", post(admin::invoice_money::refund))
        .route("/admin/invoices/{id}/credit", post(admin::invoice_money::credit))
        .route("/admin/invoices/{id}/payments/{payment}/retry", post(admin::invoice_money::retry))
        .route("/admin/invoices/{id}/payments/{payment}/withdraw", post(admin::invoice_money::withdraw))
        .route(
            "/admin/organizations/{id}/credits",
            get(billing::credits::admin).post(billing::credits::grant),
        )
        .route("/admin/organizations/{id}/credits/refund", post(billing::credits::refund))
        .route("/admin/payments", get(admin::payments::get))
        .route("/admin/approvals", get(admin::approvals::get))
        .route("/admin/applications/{id}", get(admin::application::get))
        .route("/admin/applications/{id}/state", post(admin::application::post))
        .route(
            "/admin/applications/{id}/keys/{key}/revoke",
            get(admin::key_revoke::get).post(admin::key_revoke::post),
        )
}

/// What can become of a subscription: the same pages for its owner and for operators.
fn moving_routes(base: &str) -> Router<PortalState> {
    let at = |rest: &str| format!("{base}{rest}");
    Router::new()
        .route(&at("/change"), get(subscriptions::preview::change).post(subscriptions::post))
        .route(&at("/cap"), get(subscriptions::cap::get).post(subscriptions::cap::post))
        .route(&at("/cap/lift"), post(subscriptions::cap::lift))
        .route(&at("/cancel"), post(subscriptions::preview::cancel))
        .route(&at("/keep"), post(subscriptions::keep))
        .route(&at("/pause"), post(subscriptions::pause))
        .route(&at("/resume"), post(subscriptions::resume))
}

/// Webhooks: the same pages for an organization and for operators.
fn webhook_routes(base: &str) -> Router<PortalState> {
    use webhooks::{deliveries, list, settings};
    let at = |rest: &str| format!("{base}{rest}");
    Router::new()
        .route(base, get(list::get))
        .route(&at("/new"), get(list::create).post(list::post_new))
        .route(&at("/{id}"), get(deliveries::get))
        .route(&at("/{id}/settings"), get(settings::get).post(settings::post))
        .route(&at("/{id}/rotate"), post(settings::rotate))
        .route(&at("/{id}/delete"), post(settings::delete))
        .route(&at("/{id}/test"), post(deliveries::test))
        .route(&at("/{id}/replay"), post(deliveries::replay_all))
        .route(&at("/{id}/deliveries/{event}"), get(deliveries::show))
        .route(&at("/{id}/deliveries/{event}/replay"), post(deliveries::replay))
}

/// What other programs tell us; no session, and no protection that only browsers need.
pub fn told() -> Router<PortalState> {
    Router::new().route("/payments/events", post(billing::webhook::post))
}

/// Pages that call the gateway: they may take longer, and are sent more.
pub fn trying() -> Router<PortalState> {
    Router::new().route(
        "/products/{slug}/apis/{api}/operations/{operation_id}/try",
        get(try_it::page::get).post(try_it::page::post),
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
