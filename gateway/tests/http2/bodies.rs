//! How large bodies may be, by HTTP/2: on both sides, announced and not, and message by message of gRPC.

use bytes::Bytes;
use tollgate_domain::{ApiPolicies, OperationPolicies, ServiceProtocol};

use crate::friend::{Answer, Friend, plot, read};
use crate::stage::{Stage, route};
use crate::upstream::{Asked, H2Upstream, Reply, map, ok};

const METHOD: &str = "/atlas.Countries/Find";

fn answer(asked: &Asked) -> Reply {
    let trailers = asked.head.uri().path().contains("atlas").then(|| map(&[("grpc-status", "0")]));
    Reply::Whole(ok(&[]), vec![Bytes::from_static(b"hello")], trailers)
}

/// The API takes 10 bytes, `/v1/uploads` 1,000, and messages of gRPC have 20 at most; the gateway says 100.
async fn stage(upstream: Option<&H2Upstream>) -> Stage {
    let mut plot = plot().await.tune(|settings| {
        settings.h2c = true;
        settings.body_bytes_max = 100;
    });
    if let Some(upstream) = upstream {
        plot.blueprint.services[0].protocol = ServiceProtocol::H2c;
        plot.blueprint.services[0].targets[0].url = format!("http://{}", upstream.address);
    }
    let own = |path: &str, bytes| OperationPolicies {
        method: "POST".into(),
        path: path.into(),
        body_bytes_max: Some(bytes),
        ..OperationPolicies::default()
    };
    let api = &mut plot.blueprint.apis[0];
    api.routes.extend([route(33, "POST", "/uploads"), route(34, "POST", METHOD)]);
    api.policies = ApiPolicies {
        body_bytes_max: Some(10),
        operations: vec![own("/uploads", 1_000), own(METHOD, 20)],
        ..ApiPolicies::default()
    };
    plot.start().await
}

async fn announced(friend: &mut Friend, path: &str, bytes: usize) -> Answer {
    let request = friend.request("POST", path).header("content-length", bytes);
    friend.call(request, Some(&vec![b'a'; bytes])).await.unwrap()
}

/// In two pieces, of which nobody says how long they are.
async fn in_pieces(friend: &mut Friend, path: &str, bytes: usize) -> Answer {
    let request = friend.request("POST", path).body(()).unwrap();
    let (answer, mut up) = friend.begin(request, false).await;
    up.send_data(Bytes::from(vec![b'a'; bytes - 1]), false).unwrap();
    // A refusal may come before the last byte.
    let _ = up.send_data(Bytes::from_static(b"a"), true);
    read(answer.await.unwrap()).await.unwrap()
}

async fn holds(stage: &Stage) {
    let mut friend = Friend::connect(stage).await;
    for (path, bytes_max) in [("/v1/items", 10), ("/v1/uploads", 1_000)] {
        assert_eq!(announced(&mut friend, path, bytes_max).await.status, 200, "{path}");
        assert_eq!(in_pieces(&mut friend, path, bytes_max).await.status, 200, "{path}");
        for refused in [
            announced(&mut friend, path, bytes_max + 1).await,
            in_pieces(&mut friend, path, bytes_max + 1).await,
        ] {
            let problem = refused.json();
            assert_eq!((refused.status, problem["code"].as_str()), (413, Some("body_too_large")), "{path}");
            assert_eq!(problem["body_bytes_max"], bytes_max);
        }
    }
}

#[tokio::test]
async fn bodies_on_their_way_to_http_1_are_held_to_their_operations_limit() {
    let stage = stage(None).await;
    holds(&stage).await;
    assert!(stage.upstream.seen().iter().all(|seen| [10, 1_000].contains(&seen.body.len())));
}

#[tokio::test]
async fn bodies_on_their_way_to_http_2_are_held_to_their_operations_limit() {
    let upstream = H2Upstream::start(answer).await;
    holds(&stage(Some(&upstream)).await).await;
    let bytes_max = |path: &str| if path == "/uploads" { 1_000 } else { 10 };
    assert!(upstream.asked().iter().all(|asked| asked.body.len() <= bytes_max(asked.head.uri().path())));
}

#[tokio::test]
async fn of_grpc_each_message_is_held_to_it() {
    let upstream = H2Upstream::start(answer).await;
    let stage = stage(Some(&upstream)).await;
    let mut friend = Friend::connect(&stage).await;
    let message = |bytes: u8| [&[0, 0, 0, 0, bytes][..], &vec![b'a'; bytes.into()]].concat();
    for (body, status) in [([message(20), message(20)].concat(), "0"), (message(21), "8")] {
        let request = friend
            .request("POST", &format!("/v1{METHOD}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        let answer = friend.call(request, Some(&body)).await.unwrap();
        let told = answer.trailers.unwrap_or(answer.headers);
        assert_eq!(told["grpc-status"], status);
    }
}
