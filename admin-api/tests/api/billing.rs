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
    stage.get(&statement.replace("04", "4")).await.expect(422);

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
