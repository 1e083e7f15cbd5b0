//! Why a call was answered as it was, in plain words, with the ways to what decided it.

use axum::extract::{Path, State};
use serde_json::Value;
use tollgate_domain::{ApiId, ApplicationId, CredentialId, OrganizationId, PlanId, SubscriptionId};
use tollgate_store::RequestRow;

use super::desk::{Desk, sheet};
use super::requests;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::pages::problems::DOCS;
use crate::parts::sheet::{Fact, fact};
use crate::parts::{Action, Asked, Cell, Notice, Section};
use crate::session::Visit;
use crate::show::{self, Label, Moment};

/// What happened, in a few words.
#[must_use]
pub fn title(call: &RequestRow) -> &str {
    let Some(code) = call.code.as_deref() else {
        return match call.status {
            ..400 => "Answered by the service",
            400..500 => "The service refused it",
            _ => "The service failed",
        };
    };
    DOCS.iter().find(|doc| doc.code == code).map_or(code, |doc| doc.title.as_str())
}

/// Why, in one or two sentences; what is known of the limit comes from the call itself.
#[must_use]
pub fn reason(call: &RequestRow, plan: Option<&str>) -> String {
    let text = |key: &str| call.detail.as_ref().and_then(|detail| detail.get(key)).and_then(Value::as_str);
    let number = |key: &str| call.detail.as_ref().and_then(|detail| detail.get(key)).and_then(Value::as_i64);
    let of_plan = match text("scope") {
        Some("platform") => " of the platform's policies".to_owned(),
        Some("api") => " of the API".to_owned(),
        Some("operation") => " of the operation".to_owned(),
        _ => plan.map_or_else(String::new, |plan| format!(" of the plan {plan}")),
    };
    let limit = || match (text("limit"), number("amount"), text("per")) {
        (Some(name), Some(amount), Some(per)) => {
            format!("The limit “{name}”{of_plan} allows {} calls per {per}", show::number(amount))
        }
        _ => format!("A limit{of_plan} was reached"),
    };
    let opens = || match (text("opens_at"), number("retry_after_s")) {
        (Some(at), Some(wait)) => format!(
            " It opened again {} later, at {at}.",
            show::count(usize::try_from(wait).unwrap_or_default(), "second")
        ),
        _ => String::new(),
    };
    match call.code.as_deref() {
        Some("rate_limited") => format!("{}, and this call came sooner.{} It was not charged.", limit(), opens()),
        Some("quota_exceeded") => format!("{}, and they were used up.{} It was not charged.", limit(), opens()),
        Some("missing_credential") => "The call carried no key. The gateway looks for one in X-API-Key and in Authorization: Bearer.".into(),
        Some("ambiguous_credential") => "The call carried keys in two places, so it is not clear whose it is.".into(),
        Some("invalid_credential") => "The key is not one of this installation, was mistyped, or was revoked.".into(),
        Some("expired_credential") => "The key was good once and is past its expiry. Its owner makes another in the portal.".into(),
        Some("scope_missing") => "The key is held to other operations: its page says to which.".into(),
        Some("address_not_allowed") => match text("held_by") {
            Some(scope) => format!("Calls may come from some networks only, by the policies of the {scope}, and this one came from another."),
            None => "The key is held to some networks, and the call came from another.".into(),
        },
        Some("key_origin_not_allowed") => "The key is held to pages of some sites, and the call came from another, or from no page.".into(),
        Some("not_entitled") => "The key is good, but its application has no active subscription to a product with this API, or is suspended.".into(),
        Some("api_retired") => "The API is retired, or its sunset is past. Its page under Life says since when, and what takes its place.".into(),
        Some("payment_required") => "A bill for the subscription was not paid, and its grace is over.".into(),
        Some("spend_cap_reached") => "Its owner capped what the subscription may cost in a month, and that is spent. They can raise it; so can you.".into(),
        Some("credits_used_up") => "The plan is paid from credits, and the organization has none left. Finance adds some on its page.".into(),
        Some("subscription_suspended") => "The application has a subscription, and an operator suspended it.".into(),
        Some("route_not_found") => "No published API has this host and path. A draft is not served.".into(),
        Some("method_not_allowed") => format!("The path is published, but only with {}.", text("allow").unwrap_or("other methods")),
        Some("upstream_unreachable") => "No connection to a target of the service could be made. A test of the service shows which.".into(),
        Some("upstream_timeout") => "The service did not answer within its time.".into(),
        Some("upstream_failed") => "The service broke off, or answered what is not HTTP.".into(),
        Some("not_ready") => "The gateway had no configuration for it yet; it had just been started.".into(),
        Some("config_invalid") => "Something of the API or of the plan does not compile. The page of gateways names the row and its field.".into(),
        Some(_) => text("reason").map_or_else(|| "The page of this refusal says what it means.".to_owned(), |why| format!("The gateway refused it: {why}.")),
        None if call.status < 400 => "The gateway let it through and the service answered.".into(),
        None => "The gateway let it through; this status is the service's own answer.".into(),
    }
}

/// `GET /admin/requests/{id}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let calls = state.store.find_requests(desk.scope, &id).await?;
    let Some(call) = calls.first() else {
        let notice = Notice::new(
            "info",
            "No call with this id is logged",
            "Calls are kept for 30 days; of those that went well, not all are. Check that the id is whole: it stands in X-Request-Id and in every error.",
        );
        let sheet =
            sheet(&visit, "Request not found").await?.below("/admin/requests", "Requests").part(notice);
        return visit.page_with(axum::http::StatusCode::NOT_FOUND, &sheet);
    };
    let (facts, plan) = facts(&state, &desk, call, &visit).await?;
    let tone = match call.status {
        ..400 => "ok",
        400..500 => "warn",
        _ => "bad",
    };
    let mut notice = Notice::new(tone, title(call), reason(call, plan.as_deref()));
    if let Some(doc) = call.code.as_deref().and_then(|code| DOCS.iter().find(|doc| doc.code == code)) {
        notice = notice.with(format!("/problems/{}", doc.code), "What callers are told");
    }
    let name = match (&call.method, &call.path) {
        (Some(method), Some(path)) => format!("{method} {path}"),
        _ => "A call that could not be read".to_owned(),
    };
    let mut sheet = sheet(&visit, name)
        .await?
        .below("/admin/requests", "Requests")
        .labelled(Label::status(u16::try_from(call.status).unwrap_or_default()))
        .identified(&call.request_id)
        .part(notice)
        .part(Section::Facts("The call".into(), facts));
    if let Some(id) = call.application_id {
        let href = format!("/admin/requests?application={}", ApplicationId::from(id));
        sheet = sheet.action(true, Action::link(href, "activity", "Its other calls"));
    }
    if calls.len() > 1 {
        let names = requests::names(&state, &desk, &calls).await?;
        let list = requests::table("Calls with this id")
            .rows(calls.iter().map(|call| requests::row(call, &names, &visit)));
        sheet = sheet.part(list);
    }
    sheet.answer(&visit, &asked)
}

/// What is known of a call, each with its page; and the name of its plan.
async fn facts(
    state: &PortalState,
    desk: &Desk,
    call: &RequestRow,
    visit: &Visit,
) -> Result<(Vec<Fact>, Option<String>), Fault> {
    let store = &state.store;
    let way = |href: String, text: String| Cell::Way { href, text };
    let mut facts = vec![fact("When", Cell::When(Moment::of(call.at, visit.now)))];
    let mut push = |name: &str, cell: Option<Cell>| facts.extend(cell.map(|cell| fact(name, cell)));
    push("Host", call.host.clone().map(Cell::Code));
    if let Some(id) = call.application_id.map(ApplicationId::from) {
        let found = store.get_application(desk.scope, id).await.ok();
        push(
            "Application",
            Some(
                found.map_or(Cell::Nothing("deleted"), |row| {
                    way(format!("/admin/applications/{id}"), row.name)
                }),
            ),
        );
    }
    if let Some(id) = call.organization_id.map(OrganizationId::from) {
        let found = store.get_organization(desk.scope, id).await.ok();
        push(
            "Organization",
            Some(
                found.map_or(Cell::Nothing("deleted"), |row| {
                    way(format!("/admin/organizations/{id}"), row.name)
                }),
            ),
        );
    }
    if let Some(id) = call.credential_id.map(CredentialId::from) {
        let found = store.get_credential(desk.scope, id).await.ok();
        push(
            "Key",
            found.map(|row| {
                way(
                    format!("/admin/keys/{id}"),
                    format!("{} ({}…{})", row.name, row.display_prefix, row.display_last4),
                )
            }),
        );
    }
    if let Some(id) = call.api_id.map(ApiId::from) {
        let found = store.get_api(id).await.ok();
        push(
            "API",
            Some(
                found.map_or(Cell::Nothing("deleted"), |row| {
                    way(format!("/admin/apis/{}", row.slug), row.name)
                }),
            ),
        );
    }
    let mut plan_name = None;
    if let Some(id) = call.plan_id.map(PlanId::from)
        && let Ok(plan) = store.get_plan(id).await
    {
        let product = store.get_product(plan.product_id).await?;
        plan_name = Some(plan.name.clone());
        push(
            "Plan",
            Some(way(
                format!("/admin/products/{}/plans/{}", product.slug, plan.slug),
                format!("{}: {}", product.name, plan.name),
            )),
        );
    }
    if let Some(id) = call.subscription_id.map(SubscriptionId::from) {
        push("Subscription", Some(way(format!("/admin/subscriptions/{id}"), id.to_string())));
    }
    push("Took", Some(Cell::Took(call.duration_us)));
    push("Of that, the service", call.upstream_us.map(Cell::Took));
    push(
        "Bytes in and out",
        Some(Cell::Text(format!("{} and {}", show::number(call.bytes_in), show::number(call.bytes_out)))),
    );
    push("From", call.client.clone().map(Cell::Code));
    push("Calls itself", call.user_agent.clone().map(Cell::Text));
    push("Code", call.code.clone().map(Cell::Code));
    Ok((facts, plan_name))
}
