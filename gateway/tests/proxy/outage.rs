//! The control plane comes and goes; traffic does not notice.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tollgate_gateway::{DirError, Gateway, StartError};

use crate::fake_source::FakeSource;
use crate::stage::{Plot, quick_settings, route, until};

#[tokio::test]
async fn a_start_without_the_control_plane_serves_what_was_saved() {
    let dir = tempfile::tempdir().unwrap();
    let plot = Plot::new().await;
    let (blueprint, consumer, key) = (plot.blueprint.clone(), plot.consumer.clone(), plot.key.clone());
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let mut first = plot.start_in(Arc::clone(&source), dir.path()).await;
    assert_eq!(first.call("GET /v1/items").await.status(), 200);
    first.stop().await;

    source.set_away(true);
    let upstream = first.upstream.clone();
    let again = Plot { blueprint, consumer, key, upstream, tune: Box::new(|_| {}) };
    let second = again.start_in(Arc::clone(&source), dir.path()).await;
    assert_eq!(second.operator_get("/readyz").await.status(), 200);
    assert_eq!(second.call("GET /v1/items").await.status(), 200);

    source.change_blueprint(|blueprint| blueprint.apis[0].routes.push(route(33, "GET", "/news")));
    source.set_away(false);
    until("it catches up", async || second.call("GET /v1/news").await.status() == 200).await;
}

#[tokio::test]
async fn a_first_start_without_the_control_plane_is_not_ready_until_it_comes() {
    let plot = Plot::new().await;
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    source.set_away(true);
    let stage = plot.start_from(Arc::clone(&source)).await;
    assert_eq!(stage.operator_get("/livez").await.status(), 200);
    assert_eq!(stage.operator_get("/readyz").await.status(), 503);
    let answer = stage.call("GET /v1/items").await;
    assert_eq!((answer.status(), answer.json()["code"].as_str()), (503, Some("not_ready")));
    assert!(answer.field("retry-after").is_some());
    source.set_away(false);
    until("ready", async || stage.operator_get("/readyz").await.status() == 200).await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
}

#[tokio::test]
async fn a_control_plane_that_hangs_delays_nobody() {
    let stage = Plot::new().await.start().await;
    stage.source.set_hanging(true);
    let mut client = stage.client().await;
    for _ in 0..20 {
        assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);
    }
    stage.source.set_hanging(false);
    stage.source.change_blueprint(|blueprint| blueprint.apis[0].routes.push(route(33, "GET", "/news")));
    until("it catches up", async || stage.call("GET /v1/news").await.status() == 200).await;
    until("usage arrived", async || stage.source.calls() >= 21).await;
}

#[tokio::test]
async fn two_gateways_on_one_directory_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let plot = Plot::new().await;
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let _first = plot.start_in(Arc::clone(&source), dir.path()).await;
    let second = Gateway::start(quick_settings(dir.path()), source, CancellationToken::new()).await;
    assert!(matches!(second, Err(StartError::DataDir(DirError::Locked(_)))), "{second:?}");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut settings = quick_settings(dir.path());
    settings.listen = taken.local_addr().unwrap();
    let source = FakeSource::new(Default::default(), vec![]);
    let error = Gateway::start(settings, source, CancellationToken::new()).await.expect_err("it is taken");
    assert!(error.to_string().contains(&taken.local_addr().unwrap().to_string()), "{error}");
}
