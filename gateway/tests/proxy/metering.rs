//! What calls cost, which of them are charged, and the numbers that their answers carry.

use tollgate_domain::{Metering, OperationCost, Reading};

use crate::http::Reaction;
use crate::stage::{Plot, Stage, id, quota, until};

fn reading(meter: &str, json: Option<&str>, header: Option<&str>) -> Reading {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Reading { meter: meter.parse().unwrap(), json: owned(json), header: owned(header) }
}

async fn metered(metering: Metering) -> Stage {
    let mut plot = Plot::new().await.limits(vec![quota(10)]);
    plot.blueprint.apis[0].metering = metering;
    plot.start().await
}

fn answer(head: &str, body: &str) -> Reaction {
    Reaction::SayAndClose(format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len()))
}

#[tokio::test]
async fn an_operation_takes_its_cost_from_the_quota_and_what_it_cannot_have_it_leaves() {
    let cost =
        |method: &str, path: &str, units| OperationCost { method: method.into(), path: path.into(), units };
    let costs = vec![cost("GET", "/items", 7), cost("GET", "/items/{id}", 0)];
    let stage = metered(Metering { costs, ..Metering::default() }).await;
    let first = stage.call("GET /v1/items").await;
    assert_eq!((first.status(), first.field("ratelimit").unwrap().contains(";r=3;")), (200, true));
    assert_eq!(stage.call("GET /v1/items").await.status(), 429);
    assert_eq!(stage.call("POST /v1/items").await.status(), 200, "what is left is enough for a cheap one");
    for _ in 0..20 {
        assert_eq!(stage.call("GET /v1/items/7").await.status(), 200, "free of quota");
    }
    until("stored", async || stage.source.calls() == 23).await;
    let units: u64 = stage.source.counts().iter().map(|count| count.units).sum();
    assert_eq!((units, stage.source.charged()), (8, 22));
}

#[tokio::test]
async fn only_the_chosen_statuses_are_charged() {
    let stage = metered(Metering { charged: vec!["2xx".parse().unwrap()], ..Metering::default() }).await;
    let not_found = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    stage.upstream.behave(move |_| Reaction::SayAndClose(not_found.to_owned()));
    for _ in 0..12 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 404, "they take nothing from the quota");
    }
    until("stored", async || stage.source.calls() == 12).await;
    assert_eq!(stage.source.charged(), 0);
}

#[tokio::test]
async fn numbers_are_read_from_body_header_and_events_and_missing_ones_are_told() {
    let readings =
        vec![reading("tokens", Some("/usage/total_tokens"), None), reading("rows", None, Some("x-rows"))];
    let stage = metered(Metering { readings, ..Metering::default() }).await;
    let sums = || {
        let counts = stage.source.counts();
        let of_items = counts.iter().filter(|count| count.key.route_id == id(30));
        of_items.fold([0, 0], |sum, count| [sum[0] + count.readings[0], sum[1] + count.readings[1]])
    };
    let body = r#"{"text":"{\"usage\":{\"total_tokens\":9}}","usage":{"total_tokens":41}}"#;
    stage.upstream.behave(move |_| answer("X-Rows: 5\r\nContent-Type: application/json\r\n", body));
    assert_eq!(stage.call("GET /v1/items").await.body, body.as_bytes());
    until("stored", async || stage.source.calls() == 1).await;
    assert_eq!(sums(), [41, 5]);
    let events = "data: {\"n\":1}\n\ndata: {\"usage\":{\"total_tokens\":100}}\n\ndata: [DONE]\n\n";
    stage.upstream.behave(move |_| answer("X-Rows: 2\r\nContent-Type: text/event-stream\r\n", events));
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    until("read from the last event", async || stage.source.calls() == 2).await;
    assert_eq!(sums(), [141, 7]);
    assert_eq!(stage.metric("tollgate_readings_missing_total").await, Some(0.0));
    stage.upstream.behave(|_| answer("X-Rows: many\r\n", "no JSON"));
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    until("told", async || stage.metric("tollgate_readings_missing_total").await == Some(2.0)).await;
    assert_eq!(sums(), [141, 7]);
}

#[tokio::test]
async fn bodies_that_are_read_are_not_asked_for_compressed() {
    let readings = vec![reading("tokens", Some("/n"), None)];
    let stage = metered(Metering { readings, ..Metering::default() }).await;
    let bearer = format!("Bearer {}", stage.key);
    let fields = [("Authorization", bearer.as_str()), ("Accept-Encoding", "gzip, br")];
    assert_eq!(stage.client().await.call("GET /v1/items", &fields).await.status(), 200);
    let seen = stage.upstream.last();
    assert_eq!(seen.field("accept-encoding"), None);
}
