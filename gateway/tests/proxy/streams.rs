//! Answers that go on and on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tollgate_domain::Deprecation;

use crate::http::{Client, Reaction, ok, request};
use crate::stage::{Plot, Stage, id, route, until};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A call whose first event is here, and the signal for the second.
async fn streaming(stage: &Stage) -> (Client, Arc<Notify>) {
    let go_on = Arc::new(Notify::new());
    let signal = Arc::clone(&go_on);
    stage.upstream.behave(move |request| {
        if request.start.contains("/items/7") {
            return Reaction::Say(ok("", "no stream"));
        }
        let second = "9\r\ndata: 2\n\n\r\n0\r\n\r\n";
        Reaction::InTwo(format!("{HEAD}9\r\ndata: 1\n\n\r\n"), second.into(), Arc::clone(&signal))
    });
    let mut client = stage.client().await;
    client.send(request("GET /v1/items", &[("X-API-Key", &stage.key)], "")).await;
    assert_eq!(client.head().await.status(), 200);
    client.expect("9\r\ndata: 1\n\n\r\n").await;
    (client, go_on)
}

#[tokio::test]
async fn a_revoked_key_ends_an_open_stream() {
    let plot = Plot::new().await;
    let consumer = plot.consumer.id;
    let stage = plot.start().await;
    let (mut client, _go_on) = streaming(&stage).await;
    stage.source.remove_consumer(consumer);
    let ended = tokio::time::timeout(Duration::from_secs(5), client.try_answer());
    assert!(ended.await.expect("within five seconds").is_none(), "cut, without a last chunk");
    until("it was served, and is charged", async || (stage.source.calls(), stage.source.charged()) == (1, 1))
        .await;
}

#[tokio::test]
async fn a_suspended_subscription_ends_an_open_stream_and_a_change_of_another_key_does_not() {
    let mut plot = Plot::new().await;
    let other = crate::stage::mint();
    plot.consumer.credentials.push(crate::stage::credential(99, &other));
    let mut consumer = plot.consumer.clone();
    let stage = plot.start().await;
    let (mut client, go_on) = streaming(&stage).await;
    consumer.credentials.pop();
    stage.source.put_consumer(consumer.clone());
    until("the other key is gone", async || {
        stage.client().await.call("GET /v1/items/7", &[("X-API-Key", &other)]).await.status() == 401
    })
    .await;
    // Long enough to be asked about.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    go_on.notify_one();
    client.expect("9\r\ndata: 2\n\n\r\n0\r\n\r\n").await;

    let (mut client, _go_on) = streaming(&stage).await;
    consumer.subscriptions[0].suspended = true;
    stage.source.put_consumer(consumer);
    let ended = tokio::time::timeout(Duration::from_secs(5), client.try_answer());
    assert!(ended.await.expect("within five seconds").is_none());
}

#[tokio::test]
async fn an_open_stream_ends_with_its_api_and_not_with_another() {
    let mut plot = Plot::new().await;
    let mut other = plot.blueprint.apis[0].clone();
    (other.id, other.slug, other.base_path) = (id(21), "others".into(), "/others".into());
    other.routes = vec![route(39, "GET", "/items/{id}")];
    plot.blueprint.apis.push(other);
    let stage = plot.start().await;

    let (mut client, go_on) = streaming(&stage).await;
    stage.source.change_blueprint(|blueprint| blueprint.apis.truncate(1));
    until("the other API is gone", async || stage.call("GET /others/items/7").await.status() == 404).await;
    // Long enough to be asked about.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    go_on.notify_one();
    client.expect("9\r\ndata: 2\n\n\r\n0\r\n\r\n").await;

    let (mut sunset, _go_on) = streaming(&stage).await;
    stage.source.change_blueprint(|blueprint| {
        blueprint.apis[0].deprecation = Some(Deprecation { since_s: 1, sunset_s: Some(2), successor: None });
    });
    let ended = tokio::time::timeout(Duration::from_secs(5), sunset.try_answer());
    assert!(ended.await.expect("within five seconds").is_none(), "its sunset was brought forward");

    stage.source.change_blueprint(|blueprint| blueprint.apis[0].deprecation = None);
    until("it is served again", async || stage.call("GET /v1/items/7").await.status() == 200).await;
    let (mut retired, _go_on) = streaming(&stage).await;
    stage.source.change_blueprint(|blueprint| blueprint.apis.clear());
    let ended = tokio::time::timeout(Duration::from_secs(5), retired.try_answer());
    assert!(ended.await.expect("within five seconds").is_none(), "it was retired");
}

#[tokio::test]
async fn a_stream_of_events_may_be_silent_for_longer_than_an_answer() {
    let mut plot = Plot::new().await;
    plot.blueprint.services[0].read_timeout_ms = 200;
    let stage = plot.start().await;
    let (mut client, go_on) = streaming(&stage).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    go_on.notify_one();
    client.expect("9\r\ndata: 2\n\n\r\n0\r\n\r\n").await;

    let stage = Plot::new().await.tune(|settings| settings.stream_idle_timeout = Duration::ZERO);
    let mut stage = stage;
    stage.blueprint.services[0].read_timeout_ms = 200;
    let stage = stage.start().await;
    let (mut client, _go_on) = streaming(&stage).await;
    assert!(client.try_answer().await.is_none(), "cut");
}
