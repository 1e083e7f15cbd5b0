//! The control plane comes and goes; traffic does not notice.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tollgate_gateway::{DirError, Gateway, StartError};

use crate::fake_source::FakeSource;
use crate::stage::{Plot, Stage, credential, mint, quick_settings, route, until};

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

#[tokio::test]
async fn the_same_configuration_has_the_same_hash_whether_it_came_by_changes_as_a_whole_or_from_disk() {
    let hash = async |stage: &Stage| {
        let reported = || stage.source.last_heartbeat().filter(|it| it.boot_id == stage.boot_id)?.hash;
        until("a hash", async || reported().is_some()).await;
        reported().unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let plot = Plot::new().await;
    let (blueprint, consumer, key) = (plot.blueprint.clone(), plot.consumer.clone(), plot.key.clone());
    let upstream = plot.upstream.clone();
    let again = || Plot {
        blueprint: blueprint.clone(),
        consumer: consumer.clone(),
        key: key.clone(),
        upstream: upstream.clone(),
        tune: Box::new(|_| {}),
    };
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let mut by_changes = plot.start_in(Arc::clone(&source), dir.path()).await;
    let first = hash(&by_changes).await;
    source.change_blueprint(|blueprint| blueprint.apis[0].routes.push(route(33, "GET", "/news")));
    let mut more = consumer.clone();
    more.credentials.push(credential(91, &mint()));
    source.put_consumer(more);
    until("all is in force", async || by_changes.metric("tollgate_config_revision").await == Some(3.0)).await;
    let changed = hash(&by_changes).await;
    assert_ne!(changed, first);
    assert_eq!(hash(&again().start_from(Arc::clone(&source)).await).await, changed, "loaded as a whole");
    by_changes.stop().await;
    source.set_away(true);
    let from_disk = again().start_in(Arc::clone(&source), dir.path()).await;
    source.set_away(false);
    assert_eq!(hash(&from_disk).await, changed, "from disk");
}

#[tokio::test]
async fn a_damaged_newest_configuration_is_passed_over_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let plot = Plot::new().await;
    let (blueprint, consumer, key) = (plot.blueprint.clone(), plot.consumer.clone(), plot.key.clone());
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let mut first = plot.start_in(Arc::clone(&source), dir.path()).await;
    let saved = || {
        let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<PathBuf> = names.collect();
        all.retain(|path| path.extension().is_some_and(|extension| extension == "snapshot"));
        all.retain(|path| path.to_string_lossy().contains("runtime."));
        all.sort();
        all
    };
    until("saved", async || saved().len() == 1).await;
    source.change_blueprint(|blueprint| blueprint.apis[0].routes.push(route(33, "GET", "/news")));
    until("in force", async || first.call("GET /v1/news").await.status() == 200).await;
    first.stop().await;
    let newest = saved().pop().unwrap();
    let mut bytes = std::fs::read(&newest).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&newest, bytes).unwrap();

    source.set_away(true);
    let upstream = first.upstream.clone();
    let again = Plot { blueprint, consumer, key, upstream, tune: Box::new(|_| {}) };
    let second = again.start_in(Arc::clone(&source), dir.path()).await;
    assert_eq!(second.call("GET /v1/items").await.status(), 200);
    assert_eq!(second.call("GET /v1/news").await.status(), 404);
    assert_eq!(second.metric("tollgate_config_snapshots_damaged_total").await, Some(1.0));
    assert_eq!(second.metric("tollgate_config_revision").await, Some(1.0));
}

#[tokio::test]
async fn how_old_the_configuration_may_be_is_told() {
    let stage = Plot::new().await.start().await;
    let age = async || stage.metric("tollgate_config_age_seconds").await.unwrap();
    stage.source.set_away(true);
    until("it grows", async || age().await > 0.5).await;
    stage.source.set_away(false);
    until("it is confirmed", async || age().await < 0.5).await;
}
