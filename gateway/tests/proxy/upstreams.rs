//! Upstreams that are away, slow or broken.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tollgate_domain::Target;

use crate::http::{Message, Reaction, ok, request};
use crate::stage::{Plot, Stage, until};

fn check(answer: &Message, status: u16, code: &str) {
    assert_eq!(answer.status(), status, "{answer:?}");
    assert_eq!(answer.json()["code"], code);
    assert!(answer.field("proxy-status").is_some_and(|it| it.starts_with("tollgate; error=")));
    assert!(!answer.dump().contains("secret"), "nothing of the upstream's: {answer:?}");
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn an_upstream_that_refuses_or_has_no_address_is_502() {
    let no_tls = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let no_tls_address = no_tls.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = no_tls.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 This is no TLS\r\n\r\n").await;
        }
    });
    let urls = [nobody(), "http://no-such-host.invalid:81".to_owned(), format!("https://{no_tls_address}")];
    for url in urls {
        let mut plot = Plot::new().await;
        plot.blueprint.services[0].targets[0].url = url;
        let stage = plot.start().await;
        let answer = stage.call("GET /v1/items").await;
        check(&answer, 502, "upstream_unreachable");
        assert!(answer.field("ratelimit").is_some(), "an authorised answer says what is left");
    }
}

#[tokio::test]
async fn a_silent_upstream_is_504_after_its_read_timeout() {
    let mut plot = Plot::new().await;
    plot.blueprint.services[0].read_timeout_ms = 300;
    let stage = plot.start().await;
    stage.upstream.behave(|_| Reaction::Silence);
    let began = Instant::now();
    check(&stage.call("GET /v1/items").await, 504, "upstream_timeout");
    assert!((Duration::from_millis(300)..Duration::from_secs(30)).contains(&began.elapsed()));
    assert_eq!(stage.upstream.seen().len(), 1, "what may have had effect is not repeated");
}

#[tokio::test]
async fn a_broken_answer_is_502_without_a_byte_of_it() {
    let stage = Plot::new().await.start().await;
    for broken in [
        "secret garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nsecret",
        "HTTP/1.1 200 OK\r\nX: sec",
        "",
    ] {
        stage.upstream.behave(move |_| Reaction::SayAndClose(broken.into()));
        check(&stage.call("GET /v1/items").await, 502, "upstream_failed");
    }
    stage.upstream.behave(|_| Reaction::Say(ok("", "well again")));
    assert_eq!(stage.call("GET /v1/items").await.body, b"well again");
}

#[tokio::test]
async fn an_answer_cut_short_never_looks_complete_and_is_not_charged() {
    let stage = Plot::new().await.start().await;
    for cut in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        stage.upstream.behave(move |_| Reaction::SayAndClose(cut.into()));
        let mut client = stage.client().await;
        client.send(request("GET /v1/items", &[("X-API-Key", &stage.key)], "")).await;
        assert!(client.try_answer().await.is_none(), "no complete message");
    }
    until("both are counted", async || stage.source.calls() == 2).await;
    assert_eq!(stage.source.charged(), 0);
}

#[tokio::test]
async fn a_call_tries_another_target_when_one_refuses() {
    let mut plot = Plot::new().await;
    plot.blueprint.services[0].targets.push(Target { url: nobody(), weight: 1 });
    let stage = plot.start().await;
    for _ in 0..6 {
        assert_eq!(stage.call("POST /v1/items").await.status(), 200);
    }
    assert_eq!(stage.upstream.seen().len(), 6);
    until("each counted once", async || stage.source.calls() == 6).await;
}

#[tokio::test]
async fn calls_are_spread_by_weight() {
    let mut plot = Plot::new().await;
    let heavy = crate::http::Upstream::start().await;
    plot.blueprint.services[0].targets.push(Target { url: format!("http://{}", heavy.address), weight: 3 });
    let stage = plot.start().await;
    for _ in 0..8 {
        assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    }
    assert_eq!((stage.upstream.seen().len(), heavy.seen().len()), (2, 6));
}

#[tokio::test]
async fn a_name_is_resolved_before_its_first_call() {
    let mut plot = Plot::new().await;
    let port = plot.upstream.address.port();
    plot.blueprint.services[0].targets[0].url = format!("http://localhost:{port}");
    let stage = plot.start().await;
    // `localhost` may also be ::1, where nobody listens: then the second attempt finds it.
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    assert_eq!(stage.upstream.last().field("host"), Some(format!("localhost:{port}").as_str()));
}

#[tokio::test]
async fn an_unasked_upgrade_goes_no_further() {
    let stage: Stage = Plot::new().await.start().await;
    stage.upstream.behave(|_| {
        Reaction::SayAndClose(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nsecret"
                .into(),
        )
    });
    check(&stage.call("GET /v1/items").await, 502, "upstream_failed");
    stage.upstream.behave(|_| Reaction::Say(ok("", "plain")));
    let fields = [("X-API-Key", stage.key.as_str()), ("Connection", "Upgrade"), ("Upgrade", "h2c")];
    assert_eq!(stage.client().await.call("GET /v1/items", &fields).await.status(), 200);
    assert_eq!(stage.upstream.last().field("upgrade"), None);
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_where_the_call_may_be_repeated() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    let fields = [("X-API-Key", stage.key.as_str())];
    assert_eq!(client.call("GET /v1/items", &fields).await.status(), 200);
    // The upstream takes the next request of a kept connection and closes without a word; so does a server that was
    // about to close it anyway.
    let times = std::sync::atomic::AtomicUsize::new(0);
    stage.upstream.behave(move |_| match times.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 | 2 => Reaction::SayAndClose(String::new()),
        _ => Reaction::Say(ok("", "again")),
    });
    assert_eq!(client.call("GET /v1/items", &fields).await.body, b"again");
    assert_eq!(stage.upstream.seen().len(), 3);

    // What may have had effect is not repeated.
    check(&client.call("POST /v1/items", &fields).await, 502, "upstream_failed");
    assert_eq!(stage.upstream.seen().len(), 4);
    until("each counted once", async || stage.source.calls() == 3).await;
}

#[tokio::test]
async fn a_target_that_fails_again_and_again_is_passed_over() {
    let mut plot = Plot::new().await;
    let broken = crate::http::Upstream::start().await;
    broken.behave(|_| Reaction::SayAndClose(String::new()));
    plot.blueprint.services[0].targets.push(Target { url: format!("http://{}", broken.address), weight: 1 });
    let stage = plot.start().await;
    let mut failed = 0;
    for _ in 0..40 {
        failed += usize::from(stage.call("POST /v1/items").await.status() != 200);
    }
    assert_eq!((failed, broken.seen().len()), (5, 5));
    assert_eq!(stage.upstream.seen().len(), 35);
}

#[tokio::test]
async fn a_slow_upstream_holds_only_so_many_calls() {
    let plot = Plot::new().await.tune(|settings| settings.upstream_waiting_max = 2);
    let stage = plot.start().await;
    let go_on = std::sync::Arc::new(tokio::sync::Notify::new());
    let signal = std::sync::Arc::clone(&go_on);
    stage.upstream.behave(move |_| Reaction::Later(ok("", "at last"), std::sync::Arc::clone(&signal)));
    let fields = [("X-API-Key", stage.key.as_str())];
    let (mut first, mut second) = (stage.client().await, stage.client().await);
    for client in [&mut first, &mut second] {
        client.send(request("GET /v1/items", &fields, "")).await;
    }
    until("both wait", async || stage.upstream.seen().len() == 2).await;
    let answer = stage.call("GET /v1/items").await;
    check(&answer, 503, "upstream_overloaded");
    assert_eq!(answer.field("retry-after"), Some("1"));
    go_on.notify_waiters();
    assert_eq!((first.answer().await.status(), second.answer().await.status()), (200, 200));
    stage.upstream.behave(|_| Reaction::Say(ok("", "quick")));
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    until("the refused one is not charged", async || {
        (stage.source.calls(), stage.source.charged()) == (4, 3)
    })
    .await;
}
