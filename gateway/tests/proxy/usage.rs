//! Metering: every call once, whatever happens in between.

use std::process::Stdio;
use std::sync::Arc;

use tollgate_domain::{Outcome, Period, UsageKey};
use tollgate_gateway::usage::journal::{Amounts, Segment};
use tollgate_gateway::usage::leftovers::leftovers;
use uuid::Uuid;

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
    assert!(leftovers(&stage.data_dir, None).unwrap().recovered.is_empty());
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
    until("and deleted", async || journals_of(dir.path(), |boot| boot != stage.boot_id) == 0).await;
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

#[tokio::test]
async fn counts_that_the_database_refuses_hold_up_no_others_and_are_kept_aside() {
    let mut stage = Plot::new().await.start().await;
    stage.source.refuse_counts_of(vec![id(31)]);
    for line in ["GET /v1/items", "GET /v1/items/7", "GET /v1/items/8", "GET /v1/items"] {
        assert_eq!(stage.call(line).await.status(), 200);
    }
    let mut client = stage.client().await;
    client.send(request("POST /v1/items", &[("X-API-Key", &stage.key)], "")).await;
    assert_eq!(client.answer().await.status(), 200);
    until("the others are stored", async || stage.source.calls() == 3).await;
    until("told", async || stage.metric("tollgate_usage_refused_counts_total").await == Some(1.0)).await;
    until("no lag", async || stage.metric("tollgate_usage_journal_lag_seconds").await == Some(0.0)).await;

    stage.stop().await;
    let names = std::fs::read_dir(&stage.data_dir).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = names.filter(|path| path.extension().is_some_and(|end| end == "damaged")).collect();
    assert!(!kept.is_empty());
    assert!(leftovers(&stage.data_dir, None).unwrap().recovered.is_empty());
}

/// How many journals of such processes there are, by their names: a live gateway's directory is not to be recovered.
fn journals_of(dir: &std::path::Path, boot: impl Fn(Uuid) -> bool) -> usize {
    let names =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let journals = names.filter(|name| {
        let boot_id = name
            .strip_prefix("usage-")
            .and_then(|rest| rest.strip_suffix(".journal"))
            .map(|rest| &rest[..32]);
        boot_id.is_some_and(|text| boot(text.parse().unwrap()))
    });
    journals.count()
}

/// Leaves a journal of one call as the process `boot_id` would.
fn leave_journal(dir: &std::path::Path, boot_id: Uuid, minute: u32) {
    let segment = Segment::create(dir, boot_id, 0, 4).unwrap();
    let key = UsageKey {
        credential_id: id(72),
        subscription_id: id(73),
        route_id: id(30),
        status: 200,
        outcome: Outcome::Served,
        minute,
    };
    let slot = segment.claim(&key).unwrap();
    segment.add(slot, &Amounts { charged: 1, units: 1, ..Amounts::default() });
}

#[tokio::test]
async fn a_journal_that_cannot_be_stored_holds_up_no_other_and_no_quota() {
    let dir = tempfile::tempdir().unwrap();
    let boots = [1, 2, 3].map(Uuid::from_u128);
    boots.iter().for_each(|boot_id| leave_journal(dir.path(), *boot_id, 29_000_000));
    let plot = Plot::new().await;
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    source.fail_for(boots[2]);
    let stage = plot.start_in(Arc::clone(&source), dir.path()).await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    until("all others are stored", async || source.calls() == 3).await;
    until("quotas are asked for", async || source.quota_loads() == 1).await;
    assert_eq!(journals_of(dir.path(), |boot| boots.contains(&boot)), 1);
    source.fail_for(Uuid::nil());
    until("it is stored when it can be", async || source.calls() == 4).await;
    until("no lag", async || stage.metric("tollgate_usage_journal_lag_seconds").await == Some(0.0)).await;
}

#[tokio::test]
async fn used_quotas_are_loaded_once_and_then_asked_for_by_their_changes() {
    let plot = Plot::new().await.limits(vec![crate::stage::quota(10)]);
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    // Several pages.
    for n in 70..75 {
        source.set_used_elsewhere(id(n), 8);
    }
    let stage = plot.start_from(source).await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    stage.source.set_used_elsewhere(id(73), 9);
    until("the change is known", async || stage.call("GET /v1/items").await.status() == 429).await;
    assert_eq!(stage.source.quota_loads(), 1);
    stage.source.restore(|_| ());
    until("a restored database is asked for all", async || stage.source.quota_loads() == 2).await;

    stage.source.set_away(true);
    let age = async || stage.metric("tollgate_quota_answer_age_seconds").await.unwrap();
    until("the silence is told", async || age().await > 0.5).await;
    stage.source.set_away(false);
    until("it is over", async || age().await < 0.3).await;
}

#[tokio::test]
async fn heartbeats_say_up_to_when_all_calls_are_stored() {
    let dir = tempfile::tempdir().unwrap();
    leave_journal(dir.path(), Uuid::from_u128(1), 29_000_000);
    let plot = Plot::new().await;
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    source.fail_for(Uuid::from_u128(1));
    let stage = plot.start_in(Arc::clone(&source), dir.path()).await;
    let counted = || stage.source.last_heartbeat().and_then(|heartbeat| heartbeat.counted_at);
    let left = chrono::DateTime::from_timestamp(29_000_000 * 60, 0);
    until("the oldest of what was left is told", async || counted() == left).await;
    source.fail_for(Uuid::nil());
    let began = chrono::Utc::now();
    until("it follows the clock", async || counted() > Some(began)).await;
    source.refuse_usage();
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    let called = chrono::Utc::now();
    until("what is not stored is noticed", async || {
        stage.metric("tollgate_usage_journal_lag_seconds").await.is_some_and(|lag| lag > 0.5)
    })
    .await;
    assert!(counted() < Some(called));
}
