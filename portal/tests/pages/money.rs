//! What use costs: told before, billed, and open down to the single call.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use tollgate_domain::{CalendarMonth, Scope};
use tollgate_store::{NewRequest, Page as Rows, Parties};
use uuid::Uuid;

use crate::journey::count_a_call;
use crate::site::{Browser, Page, Site};

/// The plan that is open costs 20 cents a call, whoever is on it already included.
const PRICED: &[&str] = &[
    "insert into tariffs (plan_id, number, terms) select plan_id, number + 1, terms || jsonb_build_object('meters',
        '[{\"meter\": \"calls\", \"included\": 0, \"price\": {\"scheme\": \"per_unit\", \"unit_minor\": \"20\"}}]'::jsonb)
     from tariffs t join plans p on p.id = t.plan_id where p.slug = 'free' and number = 1",
    "update subscription_terms set tariff = 2",
];

pub async fn priced(site: &Site) {
    for sql in PRICED {
        site.run(sql).await;
    }
}

/// A call that is billed: with a live key, since calls of sandboxes are not.
async fn live_call(site: &Site) {
    site.run("update credentials set sealed = null, environment = 'live'").await;
    count_a_call(site).await;
}

/// What was called so far was called last month.
async fn a_month_passes(site: &Site) {
    site.run("update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date").await;
}

/// Bills what was called last month; how many bills that makes.
async fn close_last_month(site: &Site) -> usize {
    let after = CalendarMonth::of(Utc::now()).end() + TimeDelta::hours(3);
    site.control.close_months(after).await.unwrap()
}

/// The call of Maria's that is on the bill, as the request log keeps it.
async fn log_the_call(site: &Site, request_id: &str) {
    let store = site.control.store();
    let subscription =
        store.list_subscriptions(Scope::Operator, None, Rows::FIRST_500).await.unwrap().remove(0);
    let api = store.find_api_by_slug("countries").await.unwrap().unwrap();
    let route = store.list_routes(api.id).await.unwrap().remove(0);
    let call = NewRequest {
        id: 1,
        at: Utc::now(),
        request_id: request_id.to_owned(),
        minted: true,
        node: Uuid::from_u128(1),
        parties: Parties {
            organization_id: Some(subscription.organization_id.uuid()),
            subscription_id: Some(subscription.id.uuid()),
            route_id: Some(route.id.uuid()),
            ..Parties::default()
        },
        method: Some("GET".to_owned()),
        host: Some("127.0.0.1".to_owned()),
        path: Some("/countries/v1/countries".to_owned()),
        status: 200,
        code: None,
        detail: None,
        duration_us: 1_500,
        upstream_us: Some(1_000),
        bytes_in: 0,
        bytes_out: 10,
        client: None,
        user_agent: None,
    };
    store.insert_requests(&[call]).await.unwrap();
}

/// Where an invoice's first day and operation opens to.
async fn calls_of(browser: &mut Browser<'_>, list: &str, invoices: &str) -> (String, Page) {
    let listed = browser.get(list).await;
    let invoice = format!("{invoices}/inv_{}", listed.between(&format!("{invoices}/inv_"), "\""));
    let shown = browser.get(&invoice).await;
    let calls = format!("{invoice}/calls?{}", shown.between(&format!("{invoice}/calls?"), "\""));
    let calls = calls.replace("&#38;", "&").replace("&amp;", "&");
    let page = browser.get(&calls).await;
    (calls, page)
}

#[tokio::test]
async fn a_line_opens_to_its_single_calls_for_its_owner_and_operators_and_for_nobody_else() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    priced(&site).await;
    live_call(&site).await;
    log_the_call(&site, "019aa000-0000-7000-8000-00000000feed").await;
    a_month_passes(&site).await;
    assert_eq!(close_last_month(&site).await, 1);

    let (calls, page) = calls_of(&mut maria, "/billing", "/billing/invoices").await;
    assert_eq!(page.status, StatusCode::OK, "{calls}: {}", page.text);
    assert!(page.text.contains("/requests/019aa000-0000-7000-8000-00000000feed"), "{}", page.text);
    assert!(!page.text.contains("No single call is kept"));
    let (invoice, asked) = calls.split_once('?').unwrap();
    for asked in ["", "line=1", "line=99&day=2026-01-01&route=x", "line=x&day=x&route=x"] {
        let page = maria.get(&format!("{invoice}?{asked}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{asked}");
    }
    let (start, route) = (asked.split("&day=").next().unwrap(), asked.split("route=").nth(1).unwrap());
    let other_day = maria.get(&format!("{invoice}?{start}&day=2020-01-01&route={route}")).await;
    assert!(other_day.text.contains("No single call is kept of this"), "{}", other_day.text);

    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    assert_eq!(eve.get(&calls).await.status, StatusCode::NOT_FOUND, "another's invoice");
    assert_eq!(eve.get(&calls.replace("/billing/", "/admin/")).await.status, StatusCode::NOT_FOUND);
    let mut admin = site.browser();
    admin.become_admin("ada@example.com").await;
    let (_, page) = calls_of(&mut admin, "/admin/invoices", "/admin/invoices").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("/admin/requests/019aa000-0000-7000-8000-00000000feed"), "{}", page.text);
}

#[tokio::test]
async fn the_file_of_an_invoice_is_in_the_language_that_it_was_written_in() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    priced(&site).await;
    site.run("update users set language = 'de'").await;
    live_call(&site).await;
    a_month_passes(&site).await;
    assert_eq!(close_last_month(&site).await, 1);
    site.run("update users set language = 'en'").await;
    let listed = maria.get("/billing").await;
    let invoice = format!("/billing/invoices/inv_{}", listed.between("/billing/invoices/inv_", "\""));
    let file = maria.get(&format!("{invoice}/pdf")).await;
    for said in ["(Rechnung INV-", "(Ausgestellt)", "Aufrufe)", "(Zu bezahlen)", "(0,20 EUR)"] {
        assert!(file.text.contains(said), "{said}: {}", file.text);
    }
    let page = maria.get(&invoice).await.text;
    assert!(
        page.contains("Invoice INV-") && page.contains("0.20 EUR"),
        "the page is in the reader's: {page}"
    );
    site.run("update users set language = 'de'").await;
    let page = maria.get(&invoice).await.text;
    assert!(page.contains("1 × 0,20 EUR") && !page.contains("0.20"), "{page}");
}

#[tokio::test]
async fn whoever_pays_is_told_of_a_new_invoice_once_in_their_language() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    priced(&site).await;
    site.run("update users set language = 'de'").await;
    live_call(&site).await;
    a_month_passes(&site).await;
    assert_eq!([close_last_month(&site).await, close_last_month(&site).await], [1, 0]);
    let mails = site.work().await;
    let told: Vec<_> = mails.iter().filter(|mail| mail.subject.starts_with("Rechnung INV-")).collect();
    assert_eq!(told.len(), 1, "{mails:?}");
    assert_eq!(told[0].to, "maria@example.com");
    let source = told[0].source.replace("=\r\n", "");
    assert!(source.contains("0,20 EUR sind bis ") && source.contains("</html>"), "{source}");
    let page = told[0].text.split("http://portal.test").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(page.starts_with("/billing/invoices/inv_"), "{page}");
    assert!(maria.get(page).await.text.contains("0,20 EUR"), "the mail leads to the invoice");
}

#[tokio::test]
async fn a_plan_that_costs_by_the_call_says_so_and_a_prepaid_one_that_it_is() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    priced(&site).await;
    let shown = maria.get("/products/countries").await.text;
    assert!(shown.contains("0.20 EUR <small>per call</small>"), "{shown}");
    assert!(!shown.contains("0.00 EUR") && !shown.contains("Paid in advance"), "{shown}");
    site.run("update plans set prepaid = true where slug = 'free'").await;
    let mut reader = site.browser();
    assert!(reader.get("/products/countries").await.text.contains("Paid in advance"));
    reader.like("de");
    let german = reader.get("/products/countries").await.text;
    assert!(german.contains("Im Voraus bezahlt") && german.contains("0,20 EUR <small>pro "), "{german}");
}

#[tokio::test]
async fn a_subscription_without_limits_says_that_there_are_none() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let open = "No quota, no rate limit";
    assert!(!maria.get("/limits").await.text.contains(open));
    site.run("update plans set limits = '[]' where slug = 'free'").await;
    assert!(maria.get("/limits").await.text.contains(open));
}
