//! Rate and quota under concurrency, and with other gateways at work.

use std::sync::Arc;

use tollgate_domain::Period;

use crate::http::{Client, Reaction, request};
use crate::stage::{Plot, Stage, id, quota, rate, until};

/// Calls from `clients` connections at once; how many were served and how many refused with 429.
async fn race(stage: &Stage, clients: usize, calls: usize) -> (usize, usize) {
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (gateway, key) = (stage.gateway, stage.key.clone());
        racing.spawn(async move {
            let mut client = Client::connect(gateway).await;
            let mut counts = (0, 0);
            for _ in 0..calls {
                match client.call("GET /v1/items", &[("X-API-Key", &key)]).await.status() {
                    200 => counts.0 += 1,
                    429 => counts.1 += 1,
                    other => panic!("{other}"),
                }
            }
            counts
        });
    }
    racing.join_all().await.into_iter().fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_exact_among_racing_callers() {
    let stage = Plot::new().await.limits(vec![quota(100)]).start().await;
    assert_eq!(race(&stage, 8, 25).await, (100, 100));
    assert_eq!(stage.upstream.seen().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_exact_among_racing_callers() {
    let stage = Plot::new().await.limits(vec![rate(40, Period::Day)]).start().await;
    assert_eq!(race(&stage, 8, 10).await, (40, 40));
}

#[tokio::test]
async fn calls_that_the_upstream_failed_cost_no_quota() {
    let stage = Plot::new().await.limits(vec![quota(2)]).start().await;
    stage.upstream.behave(|_| Reaction::Say("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".into()));
    for _ in 0..5 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 500);
    }
    stage.upstream.behave(|_| Reaction::SayAndClose(String::new()));
    for _ in 0..5 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 502);
    }
    stage.upstream.behave(|_| Reaction::Say("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".into()));
    assert_eq!(stage.call("GET /v1/items").await.status(), 404);
    assert_eq!(stage.call("GET /v1/items").await.status(), 404);
    assert_eq!(stage.call("GET /v1/items").await.status(), 429);
}

#[tokio::test]
async fn a_caller_that_leaves_pays_for_what_the_upstream_was_asked() {
    let stage = Plot::new().await.limits(vec![quota(1)]).start().await;
    stage.upstream.behave(|_| Reaction::Silence);
    let mut client = stage.client().await;
    client.send(request("GET /v1/items", &[("X-API-Key", &stage.key)], "")).await;
    until("the upstream was asked", async || !stage.upstream.seen().is_empty()).await;
    drop(client);
    until("the call was counted as canceled and charged", async || {
        stage.source.counts().iter().any(|count| count.key.status == 499 && count.charged == 1)
    })
    .await;
    stage.upstream.behave(|_| Reaction::Say(crate::http::ok("", "")));
    assert_eq!(stage.call("GET /v1/items").await.status(), 429, "hanging up makes no call free");
}

#[tokio::test]
async fn what_other_gateways_charged_counts() {
    let stage = Plot::new().await.limits(vec![quota(10)]).start().await;
    stage.source.set_used_elsewhere(id(73), 9);
    until("the others' usage arrived", async || {
        // Asked without spending: a refused call is not charged, an admitted one shows what is left.
        stage.source.full_loads() > 0 && stage.call("GET /v1/items").await.status() == 429
    })
    .await;
    assert!(stage.upstream.seen().len() <= 10);
}

#[tokio::test]
async fn a_new_limit_is_in_force_and_what_was_used_stays_used() {
    let stage = Plot::new().await.limits(vec![quota(3)]).start().await;
    for _ in 0..3 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    }
    assert_eq!(stage.call("GET /v1/items").await.status(), 429);
    stage.source.change_blueprint(|blueprint| blueprint.plans[0].limits = vec![quota(5)]);
    until("two more calls", async || stage.call("GET /v1/items").await.status() == 200).await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    assert_eq!(stage.call("GET /v1/items").await.status(), 429);
}

#[tokio::test]
async fn a_quota_survives_a_restart_with_the_control_plane_away() {
    let dir = tempfile::tempdir().unwrap();
    let plot = Plot::new().await.limits(vec![quota(5)]);
    let (blueprint, consumer, key) = (plot.blueprint.clone(), plot.consumer.clone(), plot.key.clone());
    let source = crate::fake_source::FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let mut first = plot.start_in(Arc::clone(&source), dir.path()).await;
    for _ in 0..3 {
        assert_eq!(first.call("GET /v1/items").await.status(), 200);
    }
    source.set_away(true);
    assert_eq!(first.call("GET /v1/items").await.status(), 200);
    first.stop().await;

    let upstream = first.upstream.clone();
    let again = Plot { blueprint, consumer, key, upstream, tune: Box::new(|_| {}) };
    let second = again.start_in(Arc::clone(&source), dir.path()).await;
    assert_eq!(second.call("GET /v1/items").await.status(), 200, "the fifth");
    assert_eq!(second.call("GET /v1/items").await.status(), 429);
    source.set_away(false);
    until("all usage arrived", async || source.charged() == 5).await;
    assert_eq!(second.call("GET /v1/items").await.status(), 429);
}

#[tokio::test]
async fn a_quota_survives_a_crash_with_the_control_plane_away() {
    let dir = tempfile::tempdir().unwrap();
    let plot = Plot::new().await.limits(vec![quota(6)]);
    let (blueprint, consumer, key) = (plot.blueprint.clone(), plot.consumer.clone(), plot.key.clone());
    let source = crate::fake_source::FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    source.set_used_elsewhere(id(73), 2);
    let first = plot.start_in(Arc::clone(&source), &dir.path().join("first")).await;
    until("the configuration is saved", async || first.data_dir.join("runtime.0000000001.snapshot").exists())
        .await;
    until("the others' usage is saved", async || first.data_dir.join("quota.snapshot").exists()).await;
    source.refuse_usage();
    for _ in 0..3 {
        assert_eq!(first.call("GET /v1/items").await.status(), 200);
    }
    // What a crash leaves behind: the files as they are in this moment.
    let crashed = dir.path().join("crashed");
    until("the last call is counted", async || {
        copy_files(&first.data_dir, &crashed);
        let left = tollgate_gateway::usage::leftovers::leftovers(&crashed, None).unwrap();
        left.recovered.iter().flat_map(|(_, journal)| &journal.counts).map(|count| count.charged).sum::<u64>()
            == 3
    })
    .await;

    source.set_away(true);
    let upstream = first.upstream.clone();
    let again = Plot { blueprint, consumer, key, upstream, tune: Box::new(|_| {}) };
    let second = again.start_in(source, &crashed).await;
    assert_eq!(second.call("GET /v1/items").await.status(), 200, "the sixth");
    assert_eq!(second.call("GET /v1/items").await.status(), 429);
}

fn copy_files(from: &std::path::Path, to: &std::path::Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        // A file may have been renamed meanwhile; then it is there under its other name.
        let _ = std::fs::copy(&path, to.join(path.file_name().unwrap()));
    }
}
