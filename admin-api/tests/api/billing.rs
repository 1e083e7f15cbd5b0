//! Prices, statements and invoices.

use serde_json::{Value, json};

use crate::stage::Stage;

fn per_call(included: u64, unit_minor: &str) -> Value {
    json!({ "meter": "calls", "included": included, "price": { "scheme": "per_unit", "unit_minor": unit_minor } })
}

#[tokio::test]
async fn use_of_a_plan_is_priced_for_whoever_subscribes_from_now_on() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let path = format!("/v1/plans/{}/pricing", world.plan);
    let before = stage.get(&path).await.expect(200);
    assert_eq!((&before.body["tariff"], &before.body["meters"]), (&json!(1), &json!([])));
    assert_eq!(before.header("etag"), stage.get(&format!("/v1/plans/{}", world.plan)).await.header("etag"));

    let put = |body: Value| {
        let request =
            stage.request("PUT", &path).header("if-match", "*").header("content-type", "application/json");
        stage.send(request.body(body.to_string().into()).unwrap())
    };
    let priced = put(json!({ "meters": [per_call(1_000, "0.2")], "minimum_minor": 500 })).await.expect(200);
    assert_eq!((&priced.body["tariff"], &priced.body["meters"][0]["included"]), (&json!(2), &json!(1_000)));
    assert_ne!(priced.header("etag"), before.header("etag"));
    // What was read can be sent back as it is, and changes nothing.
    let same = json!({ "meters": priced.body["meters"], "minimum_minor": priced.body["minimum_minor"] });
    assert_eq!(put(same).await.expect(200).body, priced.body);

    let tiers = json!({ "meter": "calls", "price": { "scheme": "volume", "tiers": [{ "up_to": 5, "unit_minor": "1" }] } });
    let refused = put(json!({ "meters": [tiers] })).await.expect(422);
    assert_eq!(refused.places(), ["/meters/0/price/tiers/0/up_to"]);
    for (meter, place) in [
        (per_call(0, "0,2"), "/meters/0"),
        (per_call(0, "-1"), "/meters/0"),
        (
            json!({ "meter": "Tokens", "price": { "scheme": "per_unit", "unit_minor": "1" } }),
            "/meters/0/meter",
        ),
    ] {
        let refused = put(json!({ "meters": [meter] })).await.expect(422);
        assert!(refused.places()[0].starts_with(place), "{}", refused.text);
    }
    let dollars = json!({ "price": { "minor": 0, "currency": "USD", "per": "month" } });
    let refused = stage.patch(&format!("/v1/plans/{}", world.plan), dollars).await.expect(409);
    assert!(refused.text.contains("another currency"), "{}", refused.text);
}

#[tokio::test]
async fn a_month_that_is_over_has_an_invoice_that_is_paid_once() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let price = json!({ "price": { "minor": 2_900, "currency": "EUR", "per": "month" } });
    stage.patch(&format!("/v1/plans/{}", world.plan), price).await.expect(200);
    // As if the subscription had begun at that price in April.
    stage.database.run("update subscription_terms set begins = '2026-04-01', tariff = 2").await;
    stage.database.run("update billing_months set month = '2026-03-01'").await;

    let statement = format!("/v1/organizations/{}/statement?month=2026-04", world.organization);
    let april = stage.get(&statement).await.expect(200);
    assert_eq!(april.body["so_far"], json!([{ "minor": 2_900, "currency": "EUR" }]));
    assert_eq!(april.body["charges"][0]["lines"][0]["kind"], "base");
    stage.get(&statement.replace("=2026-04", "=2026-4")).await.expect(422);

    let now = "2026-05-02T00:00:00Z".parse().unwrap();
    assert_eq!(stage.control.close_months(now).await.unwrap(), 1);
    let listed = stage.get("/v1/invoices?state=open").await.expect(200);
    let invoice = &listed.body["data"][0];
    assert_eq!((&invoice["month"], &invoice["total_minor"]), (&json!("2026-04"), &json!(2_900)));
    let path = format!("/v1/invoices/{}", invoice["id"].as_str().unwrap());
    let read = stage.get(&path).await.expect(200);
    assert_eq!(
        (&read.body["number"], &read.body["lines"][0]["amount_minor"]),
        (&json!("INV-2026-000001"), &json!(2_900))
    );
    assert_eq!(stage.get(&format!("{path}/days")).await.expect(200).body["data"], json!([]));

    let post = |verb: &str| {
        let path = format!("{path}/{verb}");
        async { stage.call_as(&stage.admin, "POST", &{ path }, None).await }
    };
    let paid = post("pay").await.expect(200);
    assert_eq!((&paid.body["state"], paid.header("etag")), (&json!("paid"), "\"v2\""));
    assert_eq!(post("pay").await.expect(200).body, paid.body);
    assert_eq!(post("void").await.expect(409).body["code"], "conflict");
    assert_eq!(stage.get("/v1/invoices?state=open").await.expect(200).body["data"], json!([]));
}

#[tokio::test]
async fn money_goes_back_and_the_books_say_it() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let price = json!({ "price": { "minor": 2_900, "currency": "EUR", "per": "month" } });
    stage.patch(&format!("/v1/plans/{}", world.plan), price).await.expect(200);
    stage.database.run("update subscription_terms set begins = '2026-04-01', tariff = 2").await;
    stage.database.run("update billing_months set month = '2026-03-01'").await;
    stage.control.close_months("2026-05-02T00:00:00Z".parse().unwrap()).await.unwrap();
    let listed = stage.get("/v1/invoices").await.expect(200);
    let path = format!("/v1/invoices/{}", listed.body["data"][0]["id"].as_str().unwrap());
    let post = |verb: &str, amount: u64, note: &str| {
        let (path, body) = (format!("{path}/{verb}"), json!({ "amount_minor": amount, "note": note }));
        let stage = &stage;
        async move { stage.call_as(&stage.admin, "POST", &path, Some(body)).await }
    };
    assert_eq!(post("refund", 100, "too early").await.expect(409).body["code"], "conflict");
    post("credit", 400, "half a day without service").await.expect(200);
    assert_eq!(post("credit", 2_501, "too much").await.expect(422).places(), ["/amount_minor"]);
    assert_eq!(post("credit", 1, " ").await.expect(422).places(), ["/note"]);
    stage.call_as(&stage.admin, "POST", &format!("{path}/pay"), None).await.expect(200);
    post("refund", 500, "sorry").await.expect(200);
    let payments = stage.get(&format!("{path}/payments")).await.expect(200);
    let said: Vec<_> = payments.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["kind"], &one["amount_minor"]))
        .collect();
    let (credit, paid, back) = (json!("credit"), json!("payment"), json!("refund"));
    assert_eq!(said, [(&credit, &json!(400)), (&paid, &json!(2_500)), (&back, &json!(500))]);

    // A payment provider would not do it: that stands with its reason until somebody decides.
    stage
        .database
        .run("update payments set state = 'failed', failure = 'the card has expired' where kind = 'refund'")
        .await;
    let last = async || {
        let told = stage.get(&format!("{path}/payments")).await.expect(200);
        told.body["data"].as_array().unwrap().last().unwrap().clone()
    };
    let failed = last().await;
    assert_eq!((&failed["state"], &failed["failure"]), (&json!("failed"), &json!("the card has expired")));
    let decide = async |payment: &Value, verb: &str| {
        let path = format!("{path}/payments/{}/{verb}", payment["id"].as_str().unwrap());
        stage.call_as(&stage.admin, "POST", &path, None).await
    };
    decide(&failed, "retry").await.expect(200);
    assert_eq!(decide(&failed, "withdraw").await.expect(409).body["code"], "conflict");
    let again = last().await;
    assert_eq!((&again["state"], &again["note"]), (&json!("done"), &json!("sorry")));
    stage.database.run("update payments set state = 'failed' where state = 'done' and kind = 'refund'").await;
    decide(&again, "withdraw").await.expect(200);
    assert_eq!(last().await["state"], "withdrawn");

    let journal = stage.get("/v1/journal?month=2026-05").await.expect(200);
    assert_eq!(
        (&journal.body["data"][0]["kind"], &journal.body["data"][0]["amount_minor"]),
        (&json!("base"), &json!(2_900))
    );
    assert_eq!(
        stage.get("/v1/journal?month=2026-04").await.expect(200).body["data"],
        json!([]),
        "by when it was issued"
    );
    let file = stage.get("/v1/journal?format=csv").await.expect(200);
    assert!(
        file.text.starts_with("invoice,issued_at,month,") && file.text.lines().count() == 2,
        "{}",
        file.text
    );
    stage.get("/v1/journal?format=xml").await.expect(422);
    let month = format!("/v1/plans/{}/shadow?month=2026-04", world.plan);
    assert_eq!(
        stage.get(&month).await.expect(200).body["would_be"],
        json!([{ "minor": 2_900, "currency": "EUR" }])
    );
}

#[tokio::test]
async fn trials_currencies_and_late_payers_are_agreed_by_rest() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let put = |path: String, body: Value| {
        let request =
            stage.request("PUT", &path).header("if-match", "*").header("content-type", "application/json");
        stage.send(request.body(body.to_string().into()).unwrap())
    };
    let pricing = json!({
        "meters": [per_call(1_000, "0.2")], "setup_minor": 5_000, "trial": { "days": 14 },
        "currencies": [{ "currency": "USD", "base_minor": 3_200, "meters": [per_call(1_000, "0.22")] }]
    });
    let priced = put(format!("/v1/plans/{}/pricing", world.plan), pricing.clone()).await.expect(200);
    assert_eq!((&priced.body["setup_minor"], &priced.body["trial"]["days"]), (&json!(5_000), &json!(14)));
    assert_eq!(priced.body["currencies"][0]["base_minor"], 3_200);
    let mut other = pricing;
    other["currencies"][0]["meters"] = json!([per_call(2_000, "0.22")]);
    let refused = put(format!("/v1/plans/{}/pricing", world.plan), other).await.expect(422);
    assert_eq!(refused.places(), ["/currencies/0/meters"]);

    let late = json!({ "landing": "throttle", "grace_days": 7 });
    let agreed = put(format!("/v1/plans/{}/late-payers", world.plan), late.clone()).await.expect(200);
    assert_eq!(agreed.body, late);
    let wrong = put(
        format!("/v1/plans/{}/late-payers", world.plan),
        json!({ "landing": "block", "grace_days": 366 }),
    )
    .await;
    assert_eq!(wrong.expect(422).places(), ["/grace_days"]);
    let organization = format!("/v1/organizations/{}", world.organization);
    put(format!("{organization}/grace"), json!({ "grace_days": 30 })).await.expect(200);
    assert_eq!(
        stage.get(&format!("{organization}/grace")).await.expect(200).body,
        json!({ "grace_days": 30 })
    );
    put(format!("{organization}/currency"), json!({ "currency": "USD" })).await.expect(200);
    assert_eq!(
        stage.get(&format!("{organization}/currency")).await.expect(200).body,
        json!({ "currency": "USD" })
    );
    put(format!("{organization}/currency"), json!({ "currency": "dollars" })).await.expect(422);
}
