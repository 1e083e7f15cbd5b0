//! The double beside PyPI's localstripe, which is not ours: the same requests of our client, the same answers. What
//! localstripe does not know is not compared: invoices without a subscription and their list by date (it answers 500),
//! Checkout, Billing Portal, credit notes, searches, idempotency keys.
//!
//! Needs `localstripe` on the path, or named by TOLLGATE_TEST_LOCALSTRIPE (`pip install localstripe`); says so and passes
//! where there is none.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use chrono::Utc;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tollgate_control::provider::{NewCustomer, PaymentProvider, ProviderFault};
use tollgate_domain::OrganizationId;
use tollgate_stripe::Stripe;
use tollgate_testkit::{STRIPE_KEY, STRIPE_WEBHOOK_SECRET, StripeDouble};
use uuid::Uuid;

pub fn client() -> reqwest::Client {
    // One process-wide choice; whoever was first is right.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Stopped when dropped.
struct LocalStripe {
    child: Child,
    url: String,
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl LocalStripe {
    /// None where it is not installed.
    async fn start() -> Option<Self> {
        let program = std::env::var("TOLLGATE_TEST_LOCALSTRIPE").unwrap_or_else(|_| "localstripe".to_owned());
        // Free a moment ago; it takes no listener of ours.
        let port = TcpListener::bind("[::1]:0").await.ok()?.local_addr().ok()?.port();
        let child = Command::new(program)
            .args(["--from-scratch", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let started = Self { child, url: format!("http://127.0.0.1:{port}") };
        for _ in 0..200 {
            if client().get(&started.url).send().await.is_ok() {
                return Some(started);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("localstripe does not listen");
    }
}

/// What the client is told, with what is named differently each time left out.
async fn told(stripe: &Stripe, url: &str) -> Vec<String> {
    let mut told = Vec::new();
    let new = NewCustomer {
        organization_id: OrganizationId::from(Uuid::now_v7()),
        name: "Maria's".to_owned(),
        email: Some("maria@example.com".to_owned()),
    };
    let customer = stripe.create_customer(Uuid::now_v7(), &new).await.unwrap();
    told.push(format!("customer {}", customer.split('_').next().unwrap_or_default()));
    let object = get(url, &format!("/v1/customers/{customer}")).await;
    told.push(format!("{} {} {} {}", object["object"], object["name"], object["email"], object["livemode"]));
    told.push(format!("of ours: {}", object["metadata"].as_object().map_or(0, serde_json::Map::len)));
    told.push(format!("way to pay {:?}", stripe.method(&customer).await.unwrap()));
    for (kind, value) in [("eu_vat", "DE123456789"), ("eu_vat", "nonsense"), ("no_such_kind", "1")] {
        let added = stripe.add_tax_id(Uuid::now_v7(), &customer, kind, value).await;
        told.push(format!("tax number {kind} {value}: {}", outcome(added.map(drop))));
    }
    let unknown = stripe.set_method(Uuid::now_v7(), &customer, "pm_none").await;
    told.push(format!("a way to pay that is not there: {}", outcome(unknown)));
    told.push(format!("nobody: {}", outcome(stripe.method("cus_none").await.map(drop))));
    told.push(format!("no such invoice: {}", outcome(stripe.bill("in_none").await.map(drop))));
    told
}

fn outcome(answer: Result<(), ProviderFault>) -> &'static str {
    match answer {
        Ok(()) => "done",
        Err(ProviderFault::Refused(_)) => "refused",
        Err(_) => "failed",
    }
}

async fn get(url: &str, path: &str) -> Value {
    let request = client().get(format!("{url}{path}")).bearer_auth(STRIPE_KEY);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_double_answers_our_client_as_localstripe_does() {
    let Some(theirs) = LocalStripe::start().await else {
        eprintln!("skipped: localstripe is not installed (pip install localstripe)");
        return;
    };
    let double = StripeDouble::start().await;
    let ours = told(&crate::fixture::stripe(&double.url()), &double.url()).await;
    assert_eq!(ours, told(&crate::fixture::stripe(&theirs.url), &theirs.url).await);
}

#[tokio::test]
async fn events_that_localstripe_signs_are_authentic() {
    let Some(theirs) = LocalStripe::start().await else {
        eprintln!("skipped: localstripe is not installed (pip install localstripe)");
        return;
    };
    let (heard, mut hears) = mpsc::unbounded_channel::<(String, Vec<u8>)>();
    let hear = move |headers: HeaderMap, body: axum::body::Bytes| {
        let signature = headers["stripe-signature"].to_str().unwrap_or_default().to_owned();
        let _ = heard.send((signature, body.to_vec()));
        std::future::ready("")
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(hear))).await });
    let webhook = serde_json::json!({ "url": format!("http://{address}/"), "secret": STRIPE_WEBHOOK_SECRET });
    let registered = client().post(format!("{}/_config/webhooks/ours", theirs.url));
    let registered = registered.body(webhook.to_string()).header("content-type", "application/json");
    assert!(registered.send().await.unwrap().status().is_success());
    let stripe = crate::fixture::stripe(&theirs.url);
    let new = NewCustomer {
        organization_id: OrganizationId::from(Uuid::now_v7()),
        name: "Maria's".to_owned(),
        email: None,
    };
    let customer = stripe.create_customer(Uuid::now_v7(), &new).await.unwrap();
    let (signature, body) =
        tokio::time::timeout(Duration::from_secs(20), hears.recv()).await.expect("it tells").unwrap();
    let event = stripe.verify(Some(&signature), &body, Utc::now()).expect("it is signed as ours are");
    assert_eq!((event.kind.as_str(), event.object_id), ("customer.created", Some(customer)));
    let mut changed = body;
    changed.push(b' ');
    assert!(stripe.verify(Some(&signature), &changed, Utc::now()).is_err());
}
