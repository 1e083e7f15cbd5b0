//! A graceful stop: readiness goes first, calls in flight end, usage is carried away.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tollgate_gateway::source::GatewayState;

use crate::http::{Reaction, ok, request};
use crate::stage::{Plot, until};

#[tokio::test]
async fn a_call_in_flight_ends_well_and_the_gateway_then_goes() {
    let mut stage = Plot::new().await.start().await;
    let answer_now = Arc::new(Notify::new());
    let signal = Arc::clone(&answer_now);
    stage.upstream.behave(move |_| Reaction::Later(ok("", "late but whole"), Arc::clone(&signal)));
    let mut in_flight = stage.client().await;
    in_flight.send(request("GET /v1/items", &[("X-API-Key", &stage.key)], "")).await;
    until("the upstream was asked", async || !stage.upstream.seen().is_empty()).await;

    stage.begin_stop();
    until("not ready any more", async || stage.operator_get("/readyz").await.status() == 503).await;
    until("no new connections", async || TcpStream::connect(stage.gateway).await.is_err()).await;
    answer_now.notify_one();
    let answer = in_flight.answer().await;
    assert_eq!((answer.status(), answer.body.as_slice()), (200, b"late but whole".as_slice()));
    assert!(in_flight.try_answer().await.is_none(), "the connection is closed behind it");

    stage.stopped().await;
    assert_eq!((stage.source.calls(), stage.source.charged()), (1, 1));
    assert_eq!(stage.source.last_heartbeat().unwrap().state, GatewayState::Stopped);
}

#[tokio::test]
async fn calls_that_come_while_it_says_not_ready_are_still_served() {
    let stage = Plot::new()
        .await
        .tune(|settings| settings.drain_delay = std::time::Duration::from_secs(5))
        .start()
        .await;
    let mut client = stage.client().await;
    stage.begin_stop();
    until("not ready", async || stage.operator_get("/readyz").await.status() == 503).await;
    let answer = client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await;
    assert_eq!((answer.status(), answer.field("connection")), (200, Some("close")));
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
}

#[tokio::test]
async fn idle_connections_do_not_hold_a_stop_up() {
    let mut stage =
        Plot::new().await.tune(|settings| settings.drain = std::time::Duration::from_secs(120)).start().await;
    let mut idle = stage.client().await;
    assert_eq!(idle.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);
    let began = std::time::Instant::now();
    stage.stop().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(idle.try_answer().await.is_none());
}

#[tokio::test]
async fn a_call_that_never_ends_is_cut_off_when_its_time_is_over() {
    let mut stage = Plot::new()
        .await
        .tune(|settings| settings.drain = std::time::Duration::from_millis(200))
        .start()
        .await;
    stage.upstream.behave(|_| Reaction::Silence);
    let mut stuck = stage.client().await;
    stuck.send(request("GET /v1/items", &[("X-API-Key", &stage.key)], "")).await;
    until("the upstream was asked", async || !stage.upstream.seen().is_empty()).await;
    stage.stop().await;
    assert!(stuck.try_answer().await.is_none());
}

#[tokio::test]
async fn a_stop_with_the_control_plane_away_keeps_usage_in_the_journal() {
    let mut stage = Plot::new().await.start().await;
    stage.source.set_away(true);
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    stage.stop().await;
    let left = tollgate_gateway::usage::leftovers::leftovers(&stage.data_dir, None).unwrap();
    let calls: u64 =
        left.recovered.iter().flat_map(|(_, journal)| &journal.counts).map(|count| count.calls).sum();
    assert_eq!(calls, 1);
}
