//! The list of operations, and nothing else.

mod apis;
mod applications;
pub mod audit;
pub mod batch;
mod certificates;
mod explain;
mod gateways;
mod health;
mod invoices;
mod keys;
mod organizations;
mod plans;
mod policies;
mod portal;
mod products;
mod proofs;
mod requests;
mod services;
mod subscriptions;
mod tokens;
mod usage;
mod users;
mod webhooks;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{App, openapi};

/// Every operation with its description.
pub fn all() -> OpenApiRouter<App> {
    // A document may be as large as the reader takes, also inside the body that creates its API.
    let with_documents = OpenApiRouter::new()
        .routes(routes!(apis::list::list_apis, apis::create::create_api))
        .routes(routes!(apis::get_document::get_api_document, apis::put_document::put_api_document))
        .routes(routes!(
            apis::get::get_api,
            apis::put::put_api,
            apis::update::update_api,
            apis::delete::delete_api
        ))
        .layer(DefaultBodyLimit::max(tollgate_openapi::TEXT_BYTES_MAX));

    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::get_openapi))
        .routes(routes!(services::list::list_services, services::create::create_service))
        .routes(routes!(
            services::get::get_service,
            services::put::put_service,
            services::update::update_service,
            services::delete::delete_service
        ))
        .routes(routes!(certificates::list::list_certificates, certificates::create::create_certificate))
        .routes(routes!(
            certificates::get::get_certificate,
            certificates::update::update_certificate,
            certificates::delete::delete_certificate
        ))
        .routes(routes!(certificates::renew::renew_certificate))
        .routes(routes!(certificates::account::get_acme_account, certificates::account::put_acme_account))
        .merge(with_documents)
        .routes(routes!(apis::list_routes::list_api_routes))
        .routes(routes!(apis::documents::list_api_documents))
        .routes(routes!(apis::documents::get_api_document_numbered))
        .routes(routes!(apis::documents::get_api_document_changes))
        .routes(routes!(apis::documents::rollback_api_document))
        .routes(routes!(products::audience::get_product_audience, products::audience::put_product_audience))
        .routes(routes!(
            products::guests::get_product_guests,
            products::guests::put_product_guests,
            products::guests::delete_product_guests
        ))
        .routes(routes!(products::list::list_products, products::create::create_product))
        .routes(routes!(
            products::get::get_product,
            products::put::put_product,
            products::update::update_product,
            products::delete::delete_product
        ))
        .routes(routes!(plans::list::list_plans, plans::create::create_plan))
        .routes(routes!(plans::put::put_plan))
        .routes(routes!(plans::get::get_plan, plans::update::update_plan, plans::delete::delete_plan))
        .routes(routes!(plans::prepaid::get_plan_prepaid, plans::prepaid::put_plan_prepaid))
        .routes(routes!(plans::pricing::get_plan_pricing, plans::pricing::put_plan_pricing))
        .routes(routes!(plans::late_payers::get_plan_late_payers, plans::late_payers::put_plan_late_payers))
        .routes(routes!(plans::pricing::list_plan_tariffs))
        .routes(routes!(plans::shadow::get_plan_shadow))
        .routes(routes!(policies::get_policies, policies::put_policies))
        .routes(routes!(portal::look::get_portal, portal::look::put_portal))
        .routes(routes!(portal::incidents::list_incidents, portal::incidents::create_incident))
        .routes(routes!(
            portal::incidents::get_incident,
            portal::incidents::update_incident,
            portal::incidents::delete_incident
        ))
        .routes(routes!(portal::pages::list_pages))
        .routes(routes!(portal::pages::get_page, portal::pages::put_page, portal::pages::delete_page))
        .routes(routes!(organizations::list::list_organizations, organizations::create::create_organization))
        .routes(routes!(
            organizations::get::get_organization,
            organizations::put::put_organization,
            organizations::update::update_organization,
            organizations::delete::delete_organization
        ))
        .routes(routes!(organizations::credits::get_credits, organizations::credits::grant_credits))
        .routes(routes!(organizations::credits::refund_credits))
        .routes(routes!(organizations::statement::get_organization_statement))
        .routes(routes!(organizations::replay::replay_organization_month))
        .routes(routes!(
            organizations::time_zone::get_organization_time_zone,
            organizations::time_zone::put_organization_time_zone
        ))
        .routes(routes!(
            organizations::terms::get_organization_currency,
            organizations::terms::put_organization_currency
        ))
        .routes(routes!(
            organizations::terms::get_organization_grace,
            organizations::terms::put_organization_grace
        ))
        .routes(routes!(applications::list::list_applications, applications::create::create_application))
        .routes(routes!(
            applications::get::get_application,
            applications::update::update_application,
            applications::delete::delete_application
        ))
        .routes(routes!(subscriptions::list::list_subscriptions, subscriptions::create::create_subscription))
        .routes(routes!(
            subscriptions::get::get_subscription,
            subscriptions::update::update_subscription,
            subscriptions::end::end_subscription
        ))
        .routes(routes!(
            subscriptions::movement::move_subscription,
            subscriptions::movement::keep_subscription
        ))
        .routes(routes!(subscriptions::movement::pause_subscription))
        .routes(routes!(subscriptions::movement::resume_subscription))
        .routes(routes!(subscriptions::limits::list_subscription_limits))
        .routes(routes!(
            subscriptions::limits::put_subscription_limit,
            subscriptions::limits::delete_subscription_limit
        ))
        .routes(routes!(
            subscriptions::spend_cap::get_spend_cap,
            subscriptions::spend_cap::put_spend_cap,
            subscriptions::spend_cap::delete_spend_cap
        ))
        .routes(routes!(keys::list::list_keys, keys::create::create_key))
        .routes(routes!(keys::import::import_key))
        .routes(routes!(keys::get::get_key, keys::update::update_key, keys::revoke::revoke_key))
        .routes(routes!(batch::run_batch))
        .routes(routes!(usage::get_usage))
        .routes(routes!(proofs::list_proofs))
        .routes(routes!(invoices::list::list_invoices))
        .routes(routes!(invoices::get::get_invoice))
        .routes(routes!(invoices::list_days::list_invoice_days))
        .routes(routes!(invoices::settle::pay_invoice))
        .routes(routes!(invoices::settle::void_invoice))
        .routes(routes!(invoices::payments::list_invoice_payments))
        .routes(routes!(invoices::payments::refund_invoice))
        .routes(routes!(invoices::payments::credit_invoice))
        .routes(routes!(invoices::payments::retry_invoice_payment))
        .routes(routes!(invoices::payments::withdraw_invoice_payment))
        .routes(routes!(invoices::journal::get_journal))
        .routes(routes!(webhooks::list::list_webhooks, webhooks::create::create_webhook))
        .routes(routes!(
            webhooks::get::get_webhook,
            webhooks::update::update_webhook,
            webhooks::delete::delete_webhook
        ))
        .routes(routes!(webhooks::rotate::rotate_webhook_secret))
        .routes(routes!(webhooks::test::test_webhook))
        .routes(routes!(webhooks::deliveries::list_webhook_deliveries))
        .routes(routes!(webhooks::deliveries::get_webhook_delivery))
        .routes(routes!(webhooks::deliveries::replay_webhook_delivery))
        .routes(routes!(webhooks::deliveries::replay_webhook_deliveries))
        .routes(routes!(gateways::list_gateways))
        .routes(routes!(requests::get::get_request))
        .routes(routes!(explain::explain_call))
        .routes(routes!(tokens::list::list_tokens, tokens::create::create_token))
        .routes(routes!(tokens::get::get_token, tokens::revoke::revoke_token))
        .routes(routes!(users::list::list_users))
        .routes(routes!(users::get::get_user, users::update::update_user))
        .routes(routes!(users::operator::put_user_role, users::operator::delete_user_role))
        .routes(routes!(
            users::invitations::list_operator_invitations,
            users::invitations::create_operator_invitation
        ))
        .routes(routes!(users::invitations::delete_operator_invitation))
        .routes(routes!(audit::list::list_audit))
        .routes(routes!(audit::head::get_audit_head))
}
