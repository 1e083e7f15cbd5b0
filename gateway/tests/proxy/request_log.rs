//! Single calls as they come to Postgres and into the access log.

use tollgate_domain::Period;
use tollgate_gateway::source::NewRequest;
use tollgate_gateway::{AccessLogTarget, LoggedAddress, RequestLogMode};
use uuid::Uuid;

use crate::http::{Reaction, request};
use crate::stage::{Plot, Stage, credential, mint, quota, rate, until};

/// The one logged call with this id.
async fn logged(stage: &Stage, request_id: &str) -> NewRequest {
    let find = || stage.source.requests().into_iter().filter(|call| call.request_id == request_id);
    until("the call is logged", async || find().count() > 0).await;
    assert_eq!(find().count(), 1);
    find().next().unwrap()
}

#[tokio::test]
async fn an_answered_call_is_logged_with_who_what_and_how_long_but_without_its_query_or_key() {
    let stage = Plot::new().await.start().await;
    let fields = [("X-API-Key", stage.key.as_str()), ("X-Request-Id", "mine-1"), ("User-Agent", "atlas/2")];
    let mut client = stage.client().await;
    client.send(request("POST /v1/items?token=secret", &fields, "hello")).await;
    assert_eq!(client.answer().await.status(), 200);
    let call = logged(&stage, "mine-1").await;
    assert_eq!((call.status, call.code, call.minted, call.node), (200, None, false, stage.boot_id));
    assert_eq!((call.method.as_deref(), call.path.as_deref()), (Some("POST"), Some("/v1/items")));
    assert_eq!(call.parties.organization_id, Some(Uuid::from_u128(71)));
    assert_eq!(call.parties.application_id, Some(Uuid::from_u128(70)));
    assert_eq!(call.parties.credential_id, Some(Uuid::from_u128(72)));
    assert_eq!(call.parties.subscription_id, Some(Uuid::from_u128(73)));
    assert_eq!(call.parties.plan_id, Some(Uuid::from_u128(50)));
    assert_eq!(
        (call.parties.api_id, call.parties.route_id),
        (Some(Uuid::from_u128(20)), Some(Uuid::from_u128(32)))
    );
    assert_eq!((call.bytes_in, call.client.as_deref()), (5, Some("127.0.0.0/24")));
    assert_eq!(call.user_agent.as_deref(), Some("atlas/2"));
    assert!(call.upstream_us.is_some_and(|upstream| upstream > 0 && upstream <= call.duration_us));
    let shown = format!("{call:?}");
    assert!(!shown.contains("secret") && !shown.contains(&stage.key), "{shown}");
}

#[tokio::test]
async fn every_refusal_says_in_the_log_what_was_missing() {
    let mut plot = Plot::new().await.limits(vec![rate(1, Period::Hour), quota(100)]);
    let expired = mint();
    let mut old = credential(90, &expired);
    old.expires_at = Some(1_000_000_000);
    plot.consumer.credentials.push(old);
    let stage = plot.start().await;
    let mut client = stage.client().await;
    let key = stage.key.clone();
    let revoked = mint();
    let mut refused = async |line: &str, key: Option<&str>, code: &str| {
        let fields: Vec<_> = key.map(|key| ("X-API-Key", key)).into_iter().collect();
        let answer = client.call(line, &fields).await;
        assert_eq!(answer.json()["code"], code);
        let call = logged(&stage, answer.field("x-request-id").unwrap()).await;
        assert_eq!((call.code, call.status), (Some(code), answer.status()));
        assert!(call.minted);
        call
    };
    let call = refused("GET /v1/items", None, "missing_credential").await;
    assert_eq!((call.parties.organization_id, call.detail), (None, None));
    assert_eq!(call.parties.route_id, Some(Uuid::from_u128(30)));

    let call = refused("GET /v1/items", Some(&revoked), "invalid_credential").await;
    let shown = call.detail.unwrap()["key"].as_str().unwrap().to_owned();
    assert!(shown.starts_with(&revoked[..12]) && shown.ends_with(&revoked[revoked.len() - 4..]), "{shown}");

    let call = refused("GET /v1/items", Some("sk_of_somebody_else"), "invalid_credential").await;
    assert_eq!(call.detail, None);

    let call = refused("GET /v1/items", Some(&expired), "expired_credential").await;
    assert_eq!(call.parties.organization_id, Some(Uuid::from_u128(71)));
    assert_eq!(call.parties.credential_id, Some(Uuid::from_u128(90)));

    let call = refused("DELETE /v1/items", Some(&key), "method_not_allowed").await;
    assert_eq!(call.detail.unwrap()["allow"], "GET, HEAD, POST");

    let call = refused("GET /v1/../items", Some(&key), "bad_request_target").await;
    assert_eq!(call.detail.unwrap()["reason"], "dot_segment");

    let mut other = stage.client().await;
    assert_eq!(other.call("GET /v1/items", &[("X-API-Key", &key)]).await.status(), 200);
    let mut client = stage.client().await;
    let answer = client.call("GET /v1/items", &[("X-API-Key", &key)]).await;
    let call = logged(&stage, answer.field("x-request-id").unwrap()).await;
    let detail = call.detail.unwrap();
    assert_eq!(
        (&detail["limit"], &detail["amount"], &detail["per"]),
        (&"burst".into(), &1.into(), &"hour".into())
    );
    let opens: chrono::DateTime<chrono::Utc> = detail["opens_at"].as_str().unwrap().parse().unwrap();
    let wait = (opens - call.at).num_seconds();
    let said: i64 = answer.field("retry-after").unwrap().parse().unwrap();
    assert!((said - 1..=said).contains(&wait), "{wait} {said}");
}

#[tokio::test]
async fn a_head_that_nobody_could_read_and_an_upstream_that_failed_are_logged_too() {
    let stage = Plot::new().await.start().await;
    let mut client = stage.client().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    let answer = client.answer().await;
    let call = logged(&stage, answer.field("x-request-id").unwrap()).await;
    assert_eq!((call.status, call.code), (400, Some("ambiguous_request")));
    assert_eq!(answer.json()["code"], "ambiguous_request");
    assert_eq!(call.path, None);

    stage.upstream.behave(|_| Reaction::SayAndClose("nonsense\r\n\r\n".to_owned()));
    let answer = stage.call("GET /v1/items").await;
    assert_eq!(answer.status(), 502);
    let call = logged(&stage, answer.field("x-request-id").unwrap()).await;
    assert_eq!((call.status, call.code), (502, Some("upstream_failed")));
    assert_eq!(call.parties.application_id, Some(Uuid::from_u128(70)));
}

#[tokio::test]
async fn while_postgres_is_away_calls_go_on_and_are_logged_afterwards() {
    let stage = Plot::new().await.start().await;
    stage.source.set_away(true);
    let mut ids = Vec::new();
    for _ in 0..5 {
        let answer = stage.call("GET /v1/none").await;
        assert_eq!(answer.status(), 404);
        ids.push(answer.field("x-request-id").unwrap().to_owned());
    }
    stage.source.set_away(false);
    for id in ids {
        logged(&stage, &id).await;
    }
    assert_eq!(stage.metric("tollgate_request_log_dropped_total").await, Some(0.0));
}

#[tokio::test]
async fn a_flood_beyond_the_rate_is_counted_and_not_stored() {
    let stage = Plot::new().await.tune(|settings| settings.request_log_per_second = 1).start().await;
    let mut client = stage.client().await;
    for _ in 0..50 {
        client.call("GET /v1/none", &[]).await;
    }
    until("some were dropped", async || {
        stage.metric("tollgate_request_log_dropped_total").await.is_some_and(|dropped| dropped >= 30.0)
    })
    .await;
    assert!(stage.source.requests().len() <= 20);
}

#[tokio::test]
async fn the_access_log_has_a_line_for_each_call() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let target = AccessLogTarget::File(path.clone());
    let mut stage = Plot::new()
        .await
        .tune(move |settings| {
            settings.request_log = RequestLogMode::Off;
            settings.request_log_addresses = LoggedAddress::Whole;
            settings.access_log = Some(target.clone());
        })
        .start()
        .await;
    for _ in 0..20 {
        assert_eq!(stage.call("GET /v1/items/7?q=secret").await.status(), 200);
    }
    stage.stop().await;
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 20);
    let line = &lines[19];
    assert_eq!((&line["http.request.method"], &line["url.path"]), (&"GET".into(), &"/v1/items/7".into()));
    assert_eq!(
        (&line["http.route"], &line["client.address"]),
        (&"/v1/items/{id}".into(), &"127.0.0.1".into())
    );
    assert_eq!(line["http.response.status_code"], 200);
    assert!(!text.contains("secret") && !text.contains(&stage.key));
    assert!(stage.source.requests().is_empty());
}
