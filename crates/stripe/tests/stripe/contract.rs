//! What we rely on of Stripe: asked of the double always, and of Stripe's test mode where TOLLGATE_TEST_STRIPE_KEY is a key.

use chrono::{TimeDelta, Utc};
use tollgate_control::provider::{
    BillStanding, NewBill, NewBillLine, NewCustomer, PageRequest, PageState, PaymentProvider, ProviderFault,
    Purchase, RefundStanding, Sought,
};
use tollgate_domain::{Amount, InvoiceId, OrganizationId};
use tollgate_stripe::{API_URL, Settings, Stripe};
use tollgate_testkit::{STRIPE_KEY, StripeDouble};
use uuid::Uuid;

/// Gives a customer one of the cards that Stripe has for tests; what it is called then.
async fn attach(url: &str, key: &str, card: &str, customer: &str) -> String {
    let request = crate::localstripe::client()
        .post(format!("{url}/v1/payment_methods/{card}/attach"))
        .bearer_auth(key)
        .form(&[("customer", customer)]);
    let method: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    method["id"].as_str().unwrap_or_else(|| panic!("a card: {method}")).to_owned()
}

/// A bill of 12.34 EUR that is final and to be collected.
async fn due(stripe: &Stripe, customer: &str) -> String {
    let invoice_id = InvoiceId::from(Uuid::now_v7());
    let total = Amount { minor: 1_234, currency: "EUR".parse().unwrap() };
    let number = format!("INV-{}", Uuid::now_v7().simple());
    let customer = customer.to_owned();
    let new = NewBill { invoice_id, number, customer: customer.clone(), total, collect: true };
    let bill = stripe.create_bill(Uuid::now_v7(), &new).await.unwrap();
    let title = "Calls".to_owned();
    let line = NewBillLine { bill: bill.clone(), customer, title, amount: total, deducts: false };
    stripe.add_line(Uuid::now_v7(), &line).await.unwrap();
    assert_eq!(stripe.finalize(Uuid::now_v7(), &bill).await.unwrap().standing, BillStanding::Open);
    bill
}

/// Cards: one pays and its money goes back, once and no further; another one is declined.
async fn collects(stripe: &Stripe, url: &str, key: &str, customer: &str) {
    let card = attach(url, key, "pm_card_visa", customer).await;
    stripe.set_method(Uuid::now_v7(), customer, &card).await.unwrap();
    let (method, label) = stripe.method(customer).await.unwrap().expect("a way to pay");
    assert!(method == card && label.starts_with("Visa ending in 4242"), "{label}");
    let bill = due(stripe, customer).await;
    let once = Uuid::now_v7();
    let paid = stripe.collect(once, &bill).await.unwrap();
    assert_eq!((paid.standing, paid.paid_minor), (BillStanding::Paid, 1_234));
    assert_eq!(stripe.collect(once, &bill).await.unwrap().payment, paid.payment, "paid once");
    let payment = paid.payment.expect("what it was paid by");
    let (once, ours) = (Uuid::now_v7(), Uuid::now_v7());
    let part = Amount { minor: 234, currency: paid.total.currency };
    let (refund, standing) = stripe.refund(once, &payment, part, ours).await.unwrap();
    assert_eq!(standing, RefundStanding::Done);
    assert_eq!(stripe.refund(once, &payment, part, ours).await.unwrap().0, refund);
    assert_eq!(stripe.refund_standing(&refund).await.unwrap(), RefundStanding::Done);
    let sought = Sought::Refund { payment: payment.clone(), ours };
    assert_eq!(stripe.find(&sought).await.unwrap(), Some(refund));
    let rest = Amount { minor: 1_001, ..part };
    let too_much = stripe.refund(Uuid::now_v7(), &payment, rest, Uuid::now_v7()).await;
    assert!(matches!(too_much, Err(ProviderFault::Refused(_))), "{too_much:?}");

    let card = attach(url, key, "pm_card_chargeCustomerFail", customer).await;
    stripe.set_method(Uuid::now_v7(), customer, &card).await.unwrap();
    let bill = due(stripe, customer).await;
    let declined = stripe.collect(Uuid::now_v7(), &bill).await;
    assert!(matches!(declined, Err(ProviderFault::Declined(_))), "{declined:?}");
    let standing = stripe.bill(&bill).await.unwrap();
    assert_eq!((standing.standing, standing.payment, standing.attempts), (BillStanding::Open, None, 1));
    stripe.close(Uuid::now_v7(), &bill, false).await.unwrap();
    assert_eq!(stripe.bill(&bill).await.unwrap().standing, BillStanding::Void);
}

async fn holds(stripe: &Stripe, url: &str, key: &str) {
    let organization_id = OrganizationId::from(Uuid::now_v7());
    let new = NewCustomer {
        organization_id,
        name: "Maria's".to_owned(),
        email: Some("maria@example.com".to_owned()),
    };
    let once = Uuid::now_v7();
    let customer = stripe.create_customer(once, &new).await.unwrap();
    assert_eq!(
        stripe.create_customer(once, &new).await.unwrap(),
        customer,
        "the same key makes the same thing"
    );
    let other = NewCustomer { name: "Another".to_owned(), ..new };
    assert!(matches!(stripe.create_customer(once, &other).await, Err(ProviderFault::Refused(_))));
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
    collects(stripe, url, key, &customer).await;
}

#[tokio::test]
async fn the_double_does_what_we_rely_on() {
    let double = StripeDouble::start().await;
    holds(&crate::fixture::stripe(&double.url()), &double.url(), STRIPE_KEY).await;
}

#[tokio::test]
async fn stripes_test_mode_does_what_we_rely_on() {
    let Ok(key) = std::env::var("TOLLGATE_TEST_STRIPE_KEY") else { return };
    assert!(key.contains("_test_"), "a key of test mode, never one for real money");
    let settings = Settings {
        secret_key: key.clone().into(),
        webhook_secrets: vec!["whsec_unused".into()],
        api_url: API_URL.to_owned(),
        tax: false,
    };
    holds(&Stripe::new(settings).unwrap(), API_URL, &key).await;
}
