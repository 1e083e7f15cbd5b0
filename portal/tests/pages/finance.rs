//! What the role finance does on operators' pages, and what it does not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use tollgate_domain::{CalendarMonth, OperatorRole};

use crate::journey::count_a_call;
use crate::money::priced;
use crate::site::{Browser, Site};

/// An operator of this role, and only this one.
async fn operator(site: &Site, role: OperatorRole) -> Browser<'_> {
    let mut browser = site.browser();
    browser.become_admin("ada@example.com").await;
    let changed = "with up as (update operators set role = $1 returning 1) select count(*) from up";
    assert_eq!(site.database.count(changed, role.as_str()).await, 1);
    browser
}

/// A subscriber with an open invoice over 20 cents.
async fn billed(site: &Site) {
    site.browser().sign_up("maria@example.com").await;
    priced(site).await;
    site.run("update credentials set sealed = null, environment = 'live'").await;
    count_a_call(site).await;
    site.run("update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date").await;
    let after = CalendarMonth::of(Utc::now()).end() + TimeDelta::hours(3);
    assert_eq!(site.control.close_months(after).await.unwrap(), 1);
}

async fn address_in(browser: &mut Browser<'_>, list: &str, prefix: &str) -> String {
    let listed = browser.get(list).await;
    format!("{list}/{prefix}{}", listed.between(&format!("{list}/{prefix}"), "\""))
}

#[tokio::test]
async fn finance_settles_refunds_credits_and_agrees_on_grace_and_edits_nothing_else() {
    let site = Site::open().await;
    billed(&site).await;
    let mut ada = operator(&site, OperatorRole::Finance).await;
    let invoice = address_in(&mut ada, "/admin/invoices", "inv_").await;
    let shown = ada.get(&invoice).await.text;
    assert!(shown.contains("Mark as paid") && shown.contains("Write a credit note"), "{shown}");
    let credited = ada.post(&format!("{invoice}/credit"), &[("amount", "0.05"), ("note", "by phone")]).await;
    assert_eq!(credited.location(), invoice);
    assert_eq!(ada.post(&invoice, &[("state", "paid")]).await.location(), invoice);
    let shown = ada.get(&invoice).await.text;
    assert!(shown.contains("by phone") && shown.contains("Money of the payment goes back"), "{shown}");
    ada.post(&format!("{invoice}/refund"), &[("amount", "0.10"), ("note", "a day without service")]).await;

    let organization = address_in(&mut ada, "/admin/organizations", "org_").await;
    let shown = ada.get(&organization).await.text;
    assert!(shown.contains("grace_days") && !shown.contains("name=\"time_zone\""), "{shown}");
    let grace = ada.post(&format!("{organization}/terms"), &[("grace_days", "9")]).await;
    assert_eq!(grace.location(), organization);
    let kept = "select count(*) from organizations where grace_days = 9 and $1 = ''";
    assert_eq!(site.database.count(kept, "").await, 1);
    let credits = format!("{organization}/credits");
    assert!(ada.get(&credits).await.text.contains("Take credits back"));
    let gift = [("amount", "5.00"), ("currency", "EUR"), ("note", "a gift")];
    assert_eq!(ada.post(&credits, &gift).await.status, StatusCode::SEE_OTHER);

    // What is published and who is who is not theirs: no button, and no way around it.
    for page in ["/admin/products", "/admin/services", "/admin/apis", "/admin/operators"] {
        let shown = ada.get(page).await.text;
        assert!(!shown.contains("/admin/new/") && !shown.contains("invite-form"), "{page}: {shown}");
    }
    assert_eq!(ada.get("/admin/new/product").await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        ada.post(&organization, &[("name", "Mine"), ("version", "1")]).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_refund_that_failed_is_shown_with_its_reason_and_decided_about_by_a_button() {
    let site = Site::open().await;
    billed(&site).await;
    let mut ada = operator(&site, OperatorRole::Finance).await;
    let invoice = address_in(&mut ada, "/admin/invoices", "inv_").await;
    ada.post(&invoice, &[("state", "paid")]).await;
    ada.post(&format!("{invoice}/refund"), &[("amount", "0.10"), ("note", "a day without service")]).await;
    site.run("update payments set state = 'failed', failure = 'the card has expired' where kind = 'refund'")
        .await;
    let shown = ada.get(&invoice).await.text;
    assert!(shown.contains("Money did not go back") && shown.contains("the card has expired"), "{shown}");
    let listed = ada.get("/admin/payments").await.text;
    assert!(listed.contains("Money did not go back") && listed.contains("the card has expired"), "{listed}");
    let failed = ada.get(&invoice).await.between(&format!("{invoice}/payments/"), "/retry").to_owned();
    let press = async |browser: &mut Browser<'_>, id: &str, verb: &str| {
        browser.post(&format!("{invoice}/payments/{id}/{verb}"), &[]).await.location().to_owned()
    };
    assert_eq!(press(&mut ada, &failed, "retry").await, invoice);
    let shown = ada.get(&invoice).await.text;
    assert!(shown.contains("It is tried again.") && !shown.contains("Money did not go back"), "{shown}");
    assert_eq!(press(&mut ada, &failed, "withdraw").await, invoice);
    assert!(ada.get(&invoice).await.text.contains("it did not fail: it is withdrawn"));

    // Whoever only reads sees why, and has no button.
    site.run(
        "update payments set state = 'failed', failure = 'again' where kind = 'refund' and state = 'done'",
    )
    .await;
    site.run("update operators set role = 'support'").await;
    let shown = ada.get(&invoice).await.text;
    assert!(shown.contains("Money did not go back") && !shown.contains("/retry"), "{shown}");
}

#[tokio::test]
async fn a_plan_lists_its_prices_over_time_and_revenue_what_could_not_be_collected() {
    let site = Site::open().await;
    billed(&site).await;
    let mut ada = operator(&site, OperatorRole::Auditor).await;
    let shown = ada.get("/admin/products/countries/plans/free").await.text;
    for said in ["Prices over time", "Version 2", "whoever subscribes now", "0.20 EUR per call", "Version 1"]
    {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let failed = async |ada: &mut Browser<'_>| {
        let listed = ada.get("/admin/revenue?format=csv").await.text;
        assert!(listed.contains("Failed payments"), "{listed}");
        let last: Vec<_> = listed.lines().filter_map(|line| line.rsplit(',').next()).collect();
        last.iter().any(|cell| cell.trim_matches(['"', '\r']) == "0.20")
    };
    assert!(!failed(&mut ada).await);
    site.run("update invoices set failed_at = now(), failure = 'declined'").await;
    assert!(failed(&mut ada).await);
}

#[tokio::test]
async fn why_money_of_credits_did_not_go_back_is_told_where_finance_looks_and_not_to_the_customer() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let mut ada = operator(&site, OperatorRole::Finance).await;
    for sql in [
        "insert into checkouts (id, organization_id, kind, state, provider_ref, payment_ref, credits_minor, currency)
         select gen_random_uuid(), id, 'credits', 'completed', 'cs_' || id, 'pi_1', 5000, 'EUR' from organizations",
        "insert into credit_entries (id, organization_id, currency, kind, amount_minor, checkout_id)
         select gen_random_uuid(), organization_id, 'EUR', 'grant', 5000, id from checkouts",
        "insert into credit_refunds (id, organization_id, grant_id, amount_minor, currency, state, note, failure, settled_at)
         select gen_random_uuid(), organization_id, id, 2000, 'EUR', 'failed', 'too many', 'the card was closed', now() from credit_entries",
    ] {
        site.run(sql).await;
    }
    let organization = address_in(&mut ada, "/admin/organizations", "org_").await;
    for page in ["/admin/payments".to_owned(), format!("{organization}/credits")] {
        let shown = ada.get(&page).await.text;
        for text in ["Refunds of bought credits", "the card was closed", "20.00 EUR", "there again"] {
            assert!(shown.contains(text), "{text} on {page}: {shown}");
        }
    }
    let shown = maria.get("/billing/credits").await.text;
    assert!(shown.contains("50.00 EUR") && !shown.contains("the card was closed"), "{shown}");
}
