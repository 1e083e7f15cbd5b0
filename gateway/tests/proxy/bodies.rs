//! How large the bodies of requests may be: as an operation says, else as its API says, else as the gateway says.

use tollgate_domain::{ApiPolicies, OperationPolicies};

use crate::http::request;
use crate::stage::{Plot, Stage, route, until};

/// `POST /v1/items` takes 10 bytes, as its API says, `/v1/uploads` 1,000 and `/v1/empty` none; the gateway says 100.
async fn stage() -> Stage {
    let mut plot = Plot::new().await.tune(|settings| settings.body_bytes_max = 100);
    let api = &mut plot.blueprint.apis[0];
    api.routes.extend([route(33, "POST", "/uploads"), route(34, "POST", "/empty")]);
    let own = |path: &str, bytes| OperationPolicies {
        method: "POST".into(),
        path: path.into(),
        body_bytes_max: Some(bytes),
        ..OperationPolicies::default()
    };
    api.policies = ApiPolicies {
        body_bytes_max: Some(10),
        operations: vec![own("/uploads", 1_000), own("/empty", 0)],
        ..ApiPolicies::default()
    };
    plot.start().await
}

async fn announced(stage: &Stage, path: &str, bytes: usize) -> (u16, serde_json::Value) {
    let fields = [("X-API-Key", stage.key.as_str())];
    let mut client = stage.client().await;
    client.send(request(&format!("POST {path}"), &fields, &"a".repeat(bytes))).await;
    let answer = client.answer().await;
    (answer.status(), serde_json::from_slice(&answer.body).unwrap_or_default())
}

async fn chunked(stage: &Stage, path: &str, chunks: &[usize]) -> (u16, serde_json::Value) {
    let fields = [("X-API-Key", stage.key.as_str()), ("Transfer-Encoding", "chunked")];
    let mut client = stage.client().await;
    client.send(request(&format!("POST {path}"), &fields, "")).await;
    for bytes in chunks {
        client.try_send(format!("{bytes:x}\r\n{}\r\n", "a".repeat(*bytes))).await;
    }
    client.try_send("0\r\n\r\n").await;
    let answer = client.answer().await;
    (answer.status(), serde_json::from_slice(&answer.body).unwrap_or_default())
}

#[tokio::test]
async fn an_operation_takes_what_it_says_and_the_others_what_their_api_says() {
    let stage = stage().await;
    for (path, bytes_max) in [("/v1/items", 10), ("/v1/uploads", 1_000), ("/v1/empty", 0)] {
        assert_eq!(announced(&stage, path, bytes_max).await.0, 200, "{path}");
        let seen = stage.upstream.seen().len();
        let (status, problem) = announced(&stage, path, bytes_max + 1).await;
        assert_eq!((status, problem["code"].as_str()), (413, Some("body_too_large")), "{path}");
        assert_eq!(problem["body_bytes_max"], bytes_max);
        assert_eq!(stage.upstream.seen().len(), seen, "announced, so the upstream never hears of it");
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_where_it_passes_the_limit_of_its_operation() {
    let stage = stage().await;
    for (path, bytes_max) in [("/v1/items", 10), ("/v1/uploads", 1_000)] {
        assert_eq!(chunked(&stage, path, &[bytes_max - 4, 4]).await.0, 200, "{path}");
        let (status, problem) = chunked(&stage, path, &[bytes_max - 4, 5]).await;
        assert_eq!((status, problem["code"].as_str()), (413, Some("body_too_large")), "{path}");
        assert_eq!(problem["body_bytes_max"], bytes_max);
    }
    let whole = stage.upstream.seen().iter().filter(|seen| seen.body.len() > 5).count();
    assert_eq!(whole, 2, "no upstream took a cut body for a whole one");
}

#[tokio::test]
async fn a_limit_that_is_changed_holds_for_the_next_call() {
    let stage = stage().await;
    assert_eq!(announced(&stage, "/v1/items", 11).await.0, 413);
    stage.source.change_blueprint(|blueprint| blueprint.apis[0].policies = ApiPolicies::default());
    until("the gateway's own limit", async || announced(&stage, "/v1/items", 11).await.0 == 200).await;
    assert_eq!(announced(&stage, "/v1/items", 101).await.1["body_bytes_max"], 100);
}
