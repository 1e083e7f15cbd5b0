//! Exact quotas: spent from leases, never a unit over, whoever else spends.

use std::sync::Arc;

use tollgate_domain::{Budget, Enforcement, Limit, OperationCost, Period};

use crate::fake_source::FakeSource;
use crate::http::Reaction;
use crate::stage::{Plot, quota, until};

fn exact(amount: u64) -> Limit {
    let budget = Budget { enforcement: Enforcement::Exact, ..Budget::default() };
    Limit { name: "day".into(), period: Period::Day, budget, ..quota(amount) }
}

#[tokio::test]
async fn several_gateways_together_admit_exactly_what_there_is() {
    let plots = [Plot::new().await.limits(vec![exact(120)]), Plot::new().await.limits(vec![exact(120)])];
    let [mut first, second] = plots;
    // Both know the same key.
    first.key.clone_from(&second.key);
    first.consumer = second.consumer.clone();
    let source = FakeSource::new(second.blueprint.clone(), vec![second.consumer.clone()]);
    source.set_budget(120);
    let first = Arc::new(first.start_from(Arc::clone(&source)).await);
    let second = Arc::new(second.start_from(Arc::clone(&source)).await);
    let mut callers = Vec::new();
    for stage in [&first, &second, &first, &second] {
        let stage = Arc::clone(stage);
        callers.push(tokio::spawn(async move {
            let mut admitted = 0;
            for _ in 0..60 {
                match stage.call("GET /v1/items").await.status() {
                    200 => admitted += 1,
                    429 => {}
                    other => panic!("{other}"),
                }
            }
            admitted
        }));
    }
    let mut admitted = 0;
    for caller in callers {
        admitted += caller.await.unwrap();
    }
    assert!(admitted <= 120, "{admitted} of 120");
    // What one did not spend, the other may have meanwhile.
    until("the last unit is spent", async || {
        for stage in [&first, &second] {
            admitted += usize::from(stage.call("GET /v1/items").await.status() == 200);
        }
        admitted >= 120
    })
    .await;
    for stage in [&first, &second] {
        assert_eq!(stage.call("GET /v1/items").await.status(), 429);
    }
    assert_eq!(admitted, 120);
    assert!(source.leases() < 100, "most calls ask nobody: {}", source.leases());
}

#[tokio::test]
async fn without_its_ledger_a_gateway_spends_what_it_has_and_then_says_that_it_does_not_know() {
    let stage = Plot::new().await.limits(vec![exact(1_000)]).start().await;
    stage.source.set_budget(1_000);
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    stage.source.set_away(true);
    let mut served = 1;
    let refused = loop {
        let answer = stage.call("GET /v1/items").await;
        if answer.status() != 200 {
            break answer;
        }
        served += 1;
        assert!(served < 1_000, "it lends itself what it was not lent");
    };
    assert_eq!((refused.status(), refused.json()["code"].as_str()), (503, Some("quota_unavailable")));
    assert_eq!(refused.field("retry-after"), Some("1"));
    stage.source.set_away(false);
    until("it is lent some again", async || stage.call("GET /v1/items").await.status() == 200).await;
}

#[tokio::test]
async fn what_is_not_charged_and_what_is_not_spent_comes_back() {
    let mut plot = Plot::new().await.limits(vec![exact(100)]);
    let cost = |units| OperationCost { method: "GET".into(), path: "/items".into(), units };
    plot.blueprint.apis[0].metering.costs = vec![cost(30)];
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    source.set_budget(100);
    let mut stage = plot.start_from(source).await;
    stage
        .upstream
        .behave(|_| Reaction::SayAndClose("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n".into()));
    for _ in 0..5 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 500, "failures are given back");
    }
    stage.upstream.behave(|_| Reaction::Say(crate::http::ok("", "hello")));
    for _ in 0..3 {
        let answer = stage.call("GET /v1/items").await;
        assert_eq!(answer.status(), 200);
        assert!(answer.field("ratelimit-policy").unwrap().contains("\"day\";q=100;w=86400"));
    }
    assert_eq!(stage.call("GET /v1/items").await.status(), 429, "ten are left, and it costs thirty");
    stage.stop().await;
    assert_eq!(stage.source.budget(), 10);
}
