//! Who gets in.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use http::header::AUTHORIZATION;
use serde_json::json;
use tollgate_control::Actor;
use tollgate_domain::OperatorRole;

use crate::stage::{Reply, Stage};

async fn knock(stage: &Stage, from: &str, authorization: &str) -> Reply {
    let mut request =
        Request::get("/v1/services").header(AUTHORIZATION, authorization).body(Body::empty()).unwrap();
    let peer: SocketAddr = from.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    stage.send(request).await
}

#[tokio::test]
async fn only_a_bearer_token_opens() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let key = stage.post("/v1/keys", json!({ "application_id": world.application, "name": "K" })).await;
    let key = key.body["secret"].as_str().unwrap().to_owned();
    let admin = &stage.admin;
    let flipped = format!("{}{}", &admin[..admin.len() - 1], if admin.ends_with('0') { '1' } else { '0' });
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRtaW46YWRtaW4=",
        admin.as_str(),
        &format!("Bearer {flipped}"),
        &format!("Bearer {key}"),
        &format!("Bearer {admin} {admin}"),
    ] {
        let refused = knock(&stage, "192.0.2.9:1", wrong).await.expect(401);
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{wrong}");
        assert_eq!(refused.body["code"], "unauthenticated");
    }
    let cookie = Request::get("/v1/services").header("cookie", format!("session={admin}; token={admin}"));
    stage.send(cookie.body(Body::empty()).unwrap()).await.expect(401);
    let query = Request::get(format!("/v1/services?access_token={admin}")).body(Body::empty()).unwrap();
    stage.send(query).await.expect(401);
    let twice = stage.request("GET", "/v1/services").header(AUTHORIZATION, format!("Bearer {admin}"));
    stage.send(twice.body(Body::empty()).unwrap()).await.expect(401);
    knock(&stage, "192.0.2.9:1", &format!("bearer {admin}")).await.expect(200);
}

#[tokio::test]
async fn a_replaced_token_and_an_expired_one_are_refused() {
    let stage = Stage::new().await;
    let system = Actor::system();
    let past = chrono::Utc::now() - chrono::TimeDelta::seconds(1);
    let expired =
        stage.control.create_token(&system, "old", OperatorRole::Admin, Some(past), false).await.unwrap();
    knock(&stage, "192.0.2.9:1", &format!("Bearer {}", expired.reveal())).await.expect(401);
    stage.control.create_token(&system, "admin", OperatorRole::Admin, None, true).await.unwrap();
    stage.get("/v1/services").await.expect(401);
}

#[tokio::test]
async fn sixty_wrong_tokens_close_an_address_for_a_minute() {
    let stage = Stage::new().await;
    for _ in 0..60 {
        knock(&stage, "203.0.113.7:1", "Bearer nonsense").await.expect(401);
    }
    let refused = knock(&stage, "203.0.113.7:2", "Bearer nonsense").await.expect(429);
    let seconds: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&seconds));
    knock(&stage, "203.0.113.8:1", "Bearer nonsense").await.expect(401);
    // A token that was right before still is; one never seen from anywhere waits.
    let admin = format!("Bearer {}", stage.admin);
    knock(&stage, "203.0.113.7:3", &admin).await.expect(429);
    knock(&stage, "203.0.113.8:2", &admin).await.expect(200);
    knock(&stage, "203.0.113.7:4", &admin).await.expect(200);
}

#[tokio::test]
async fn a_guesser_behind_a_trusted_proxy_closes_only_their_own_address() {
    let stage = Stage::new().await;
    let knock_through = async |proxy: &str, forwarded_for: &str| {
        let mut request = Request::get("/v1/services")
            .header(AUTHORIZATION, "Bearer nonsense")
            .header("x-forwarded-for", forwarded_for)
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(proxy.parse().unwrap(), 1)));
        stage.send(request).await
    };
    for n in 0..60 {
        // What the guesser says of themselves stands left of what the proxy adds.
        knock_through("10.0.0.1", &format!("198.51.100.{n}, 203.0.113.7")).await.expect(401);
    }
    knock_through("10.0.0.1", "203.0.113.7").await.expect(429);
    knock_through("10.0.0.1", "203.0.113.8").await.expect(401);
    for n in 0..60 {
        knock_through("192.0.2.66", &format!("203.0.113.{n}")).await.expect(401);
    }
    knock_through("192.0.2.66", "203.0.113.99").await.expect(429);
}

#[tokio::test]
async fn health_needs_no_token_and_request_ids_are_kept() {
    let stage = Stage::new().await;
    for path in ["/livez", "/readyz", "/openapi.json"] {
        let request = Request::get(path).header("x-request-id", "job-7").body(Body::empty()).unwrap();
        let reply = stage.send(request).await.expect(200);
        assert_eq!(reply.header("x-request-id"), "job-7");
    }
    stage.control.store().pool().close().await;
    stage.send(Request::get("/livez").body(Body::empty()).unwrap()).await.expect(200);
    let away = stage.send(Request::get("/readyz").body(Body::empty()).unwrap()).await.expect(503);
    assert!(!away.header("retry-after").is_empty());
    stage.get("/v1/services").await.expect(503);
}
