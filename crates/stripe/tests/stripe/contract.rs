//! What we rely on of Stripe: asked of the double always, and of Stripe's test mode where TOLLGATE_TEST_STRIPE_KEY is a key.

use chrono::{TimeDelta, Utc};
use tollgate_control::provider::{
    BillStanding, NewBill, NewBillLine, NewCustomer, PageRequest, PageState, PaymentProvider, ProviderFault,
    Purchase, Sought,
};
use tollgate_domain::{Amount, InvoiceId, OrganizationId};
use tollgate_stripe::{API_URL, Settings, Stripe};
use tollgate_testkit::StripeDouble;
use uuid::Uuid;

async fn holds(stripe: &Stripe) {
    let organization_id = OrganizationId::from(Uuid::now_v7());
    let new = NewCustomer {
        organization_id,
        name: "Maria's".to_owned(),
        email: Some("maria@example.com".to_owned()),
    };
    let key = Uuid::now_v7();
    let customer = stripe.create_customer(key, &new).await.unwrap();
    assert_eq!(
        stripe.create_customer(key, &new).await.unwrap(),
        customer,
        "the same key makes the same thing"
    );
    let other = NewCustomer { name: "Another".to_owned(), ..new };
    assert!(matches!(stripe.create_customer(key, &other).await, Err(ProviderFault::Refused(_))));
    assert_eq!(stripe.method(&customer).await.unwrap(), None);

    let invoice_id = InvoiceId::from(Uuid::now_v7());
    let total = Amount { minor: 1_234, currency: "EUR".parse().unwrap() };
    let number = format!("INV-{}", Uuid::now_v7().simple());
    let new = NewBill { invoice_id, number, customer: customer.clone(), total, collect: false };
    let bill = stripe.create_bill(Uuid::now_v7(), &new).await.unwrap();
    for minor in [1_000, 234] {
        let amount = Amount { minor, ..total };
        let line = NewBillLine {
            bill: bill.clone(),
            customer: customer.clone(),
            title: "Calls".to_owned(),
            amount,
            deducts: false,
        };
        stripe.add_line(Uuid::now_v7(), &line).await.unwrap();
    }
    let open = stripe.finalize(Uuid::now_v7(), &bill).await.unwrap();
    assert_eq!((open.standing, open.total, open.invoice_id), (BillStanding::Open, total, Some(invoice_id)));
    assert_eq!(open.payment, None);
    assert!(open.hosted_url.is_some());
    let sought = Sought::Bill { customer: customer.clone(), invoice_id };
    assert_eq!(stripe.find(&sought).await.unwrap(), Some(bill.clone()));
    let listed = stripe.bills(Utc::now() - TimeDelta::hours(1), None).await.unwrap();
    assert!(listed.iter().any(|one| one.id == bill));
    let without_card = stripe.collect(Uuid::now_v7(), &bill).await;
    assert!(matches!(without_card, Err(ProviderFault::Refused(_))), "{without_card:?}");
    stripe.credit(Uuid::now_v7(), &bill, Amount { minor: 34, ..total }, "a test").await.unwrap();
    stripe.close(Uuid::now_v7(), &bill, true).await.unwrap();
    assert_eq!(stripe.bill(&bill).await.unwrap().standing, BillStanding::Paid);

    let page = PageRequest {
        checkout: Uuid::now_v7(),
        customer: customer.clone(),
        pays: None,
        currency: total.currency,
        return_url: "https://portal.test/back".to_owned(),
        cancel_url: "https://portal.test/away".to_owned(),
    };
    let pays = |invoice_id| {
        let bought = Purchase { invoice_id, title: "Invoice".to_owned(), amount: total };
        PageRequest { pays: Some(bought), checkout: Uuid::now_v7(), ..page.clone() }
    };
    for request in [pays(Some(invoice_id)), pays(None), page] {
        let opened = stripe.open_page(Uuid::now_v7(), &request).await.unwrap();
        assert!(stripe.page_origins().iter().any(|origin| opened.url.starts_with(origin)), "{}", opened.url);
        assert_eq!(stripe.page(&opened.id).await.unwrap(), PageState::Open);
    }
    let wrong = stripe.add_tax_id(Uuid::now_v7(), &customer, "no_such_kind", "1").await;
    assert!(matches!(wrong, Err(ProviderFault::Refused(_))));
}

#[tokio::test]
async fn the_double_does_what_we_rely_on() {
    let double = StripeDouble::start().await;
    holds(&crate::fixture::stripe(&double.url())).await;
}

#[tokio::test]
async fn stripes_test_mode_does_what_we_rely_on() {
    let Ok(key) = std::env::var("TOLLGATE_TEST_STRIPE_KEY") else { return };
    assert!(key.contains("_test_"), "a key of test mode, never one for real money");
    let settings = Settings {
        secret_key: key.into(),
        webhook_secrets: vec!["whsec_unused".into()],
        api_url: API_URL.to_owned(),
        tax: false,
    };
    holds(&Stripe::new(settings).unwrap()).await;
}
