//! Metering: every call once, whatever happens in between.

use std::process::Stdio;
use std::sync::Arc;

use tollgate_domain::{Outcome, Period};
use tollgate_gateway::usage::leftovers::leftovers;

use crate::fake_source::FakeSource;
use crate::http::{Client, Reaction, ok, request};
use crate::stage::{Plot, credential, id, rate, until};

#[tokio::test]
async fn calls_are_counted_by_key_route_status_and_outcome_with_their_bytes() {
    let stage = Plot::new().await.limits(vec![rate(4, Period::Day)]).start().await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    assert_eq!(stage.call("GET /v1/items/7").await.status(), 200);
    let mut client = stage.client().await;
    client.send(request("POST /v1/items", &[("X-API-Key", &stage.key)], "12 bytes in.")).await;
    assert_eq!(client.answer().await.status(), 200);
    stage.upstream.behave(|_| Reaction::SayAndClose(String::new()));
    assert_eq!(stage.call("GET /v1/items").await.status(), 502);
    assert_eq!(stage.call("GET /v1/items").await.status(), 429);
    assert_eq!(stage.call("GET /v1/unknown").await.status(), 404);

    until("five calls are stored", async || stage.source.calls() == 5).await;
    let counts = stage.source.counts();
    let find = |route: u128, status: u16| {
        let of = counts.iter().find(|count| count.key.route_id == id(route) && count.key.status == status);
        *of.unwrap_or_else(|| panic!("{route} {status} in {counts:?}"))
    };
    let (served, posted) = (find(30, 200), find(32, 200));
    assert_eq!((served.key.outcome, served.charged, served.bytes_out), (Outcome::Served, 1, 5));
    assert_eq!((served.boot_id, served.key.credential_id), (stage.boot_id, id(72)));
    assert_eq!(served.key.subscription_id, id(73));
    assert!(served.duration_us > 0);
    assert_eq!((posted.bytes_in, posted.charged), (12, 1));
    assert_eq!(find(31, 200).charged, 1);
    assert_eq!((find(30, 502).key.outcome, find(30, 502).charged), (Outcome::UpstreamFailed, 0));
    assert_eq!((find(30, 429).key.outcome, find(30, 429).charged), (Outcome::RateLimited, 0));
}

#[tokio::test]
async fn flushing_again_and_again_changes_nothing() {
    let stage = Plot::new().await.start().await;
    for _ in 0..7 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    }
    until("stored", async || stage.source.calls() == 7).await;
    let flushes = stage.source.flushes();
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    until("flushed again", async || stage.source.flushes() > flushes).await;
    assert_eq!((stage.source.calls(), stage.source.charged()), (8, 8));
}

#[tokio::test]
async fn usage_that_was_stored_but_not_acknowledged_is_not_stored_twice() {
    let stage = Plot::new().await.start().await;
    stage.source.lose_acknowledgements(true);
    for _ in 0..5 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    }
    let flushes = stage.source.flushes();
    until("sent again and again", async || stage.source.flushes() > flushes + 3).await;
    assert_eq!((stage.source.calls(), stage.source.charged()), (5, 5));
    stage.source.lose_acknowledgements(false);
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    until("all stored", async || stage.source.calls() == 6).await;
    assert_eq!(stage.source.charged(), 6);
}

#[tokio::test]
async fn usage_of_an_outage_arrives_afterwards_and_no_call_is_disturbed() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    for round in 0..30 {
        if round == 10 {
            stage.source.set_away(true);
        }
        assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);
    }
    until("the lag is told", async || {
        stage.metric("tollgate_usage_journal_lag_seconds").await.is_some_and(|lag| lag > 0.0)
    })
    .await;
    stage.source.set_away(false);
    until("all arrived", async || stage.source.calls() == 30).await;
    assert_eq!(stage.source.charged(), 30);
    until("no lag", async || stage.metric("tollgate_usage_journal_lag_seconds").await == Some(0.0)).await;
}

#[tokio::test]
async fn a_full_journal_serves_on_and_says_what_it_dropped() {
    let dropped = "tollgate_usage_dropped_calls_total";
    let stage = Plot::new().await.tune(|settings| settings.journal_bytes_max = 1).start().await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    until("told", async || stage.metric(dropped).await == Some(1.0)).await;
}

#[tokio::test]
async fn a_graceful_stop_leaves_no_journal_behind() {
    let mut stage = Plot::new().await.start().await;
    for _ in 0..3 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    }
    stage.stop().await;
    assert_eq!(stage.source.calls(), 3);
    assert!(leftovers(&stage.data_dir).unwrap().recovered.is_empty());
}

#[tokio::test]
async fn a_new_key_of_the_same_application_is_counted_for_itself() {
    let mut plot = Plot::new().await;
    let other = crate::stage::mint();
    plot.consumer.credentials.push(credential(99, &other));
    let stage = plot.start().await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    let answer = stage.client().await.call("GET /v1/items", &[("X-API-Key", &other)]).await;
    assert_eq!(answer.status(), 200);
    until("both are stored", async || stage.source.calls() == 2).await;
    assert_eq!(stage.source.counts().len(), 2);
}

const CHILD_DIR: &str = "TOLLGATE_TEST_KILLED_GATEWAY_DIR";

/// Not a test of its own: the gateway that the next one kills. It cannot flush and prints where it listens.
#[tokio::test]
async fn the_gateway_that_will_be_killed() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let plot = Plot::new().await;
    plot.upstream.behave(|_| Reaction::Say(ok("", "hello")));
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    source.refuse_usage();
    let stage = plot.start_in(source, dir.as_ref()).await;
    println!("\nlistening {} {}", stage.gateway, stage.key);
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_gateway_loses_no_counted_call() {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "usage::the_gateway_that_will_be_killed", "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (address, key) = loop {
        let line = lines.next_line().await.unwrap().expect("the child tells where it listens");
        if let Some(rest) = line.strip_prefix("listening ") {
            let (address, key) = rest.split_once(' ').unwrap();
            break (address.parse().unwrap(), key.to_owned());
        }
    };
    let mut client = Client::connect(address).await;
    for _ in 0..50 {
        assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &key)]).await.status(), 200);
    }
    // A call is counted right after its answer; the next answer on the connection proves that it was.
    child.kill().await.unwrap();

    // The next gateway on the same directory carries it all away, exactly once.
    let plot = Plot::new().await;
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let stage = plot.start_in(Arc::clone(&source), dir.path()).await;
    until("the journal is flushed", async || source.calls() >= 49).await;
    assert!((49..=50).contains(&source.calls()), "{}", source.calls());
    assert_eq!(source.calls(), source.charged());
    assert!(source.counts().iter().all(|count| count.boot_id != stage.boot_id));
    until("and deleted", async || leftovers(dir.path()).unwrap().recovered.is_empty()).await;
}

#[tokio::test]
async fn a_damaged_journal_is_set_aside_and_told() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("usage-broken.journal"), vec![7; 9_000]).unwrap();
    let plot = Plot::new().await;
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let stage = plot.start_in(source, dir.path()).await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    assert_eq!(stage.metric("tollgate_usage_damaged_journals_total").await, Some(1.0));
    assert!(dir.path().join("usage-broken.damaged").exists());
}
