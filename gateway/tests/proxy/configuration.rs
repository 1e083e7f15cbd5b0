//! Changes take effect while calls go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tollgate_gateway::source::GatewayState;

use crate::http::{Client, Upstream};
use crate::stage::{Plot, credential, id, mint, route, until};

#[tokio::test]
async fn a_new_route_is_served_and_a_removed_one_is_not() {
    let stage = Plot::new().await.start().await;
    assert_eq!(stage.call("GET /v1/news").await.status(), 404);
    let revision =
        stage.source.change_blueprint(|blueprint| blueprint.apis[0].routes.push(route(33, "GET", "/news")));
    until("the new route", async || stage.call("GET /v1/news").await.status() == 200).await;
    until("the revision is told", async || {
        stage
            .source
            .last_heartbeat()
            .is_some_and(|beat| beat.revision == revision && beat.last_error.is_none())
    })
    .await;
    assert_eq!(stage.metric("tollgate_config_revision").await, Some(revision as f64));

    stage.source.change_blueprint(|blueprint| {
        blueprint.apis[0].routes.pop();
    });
    until("the route is gone", async || stage.call("GET /v1/news").await.status() == 404).await;
}

#[tokio::test]
async fn a_revoked_key_stops_and_a_new_one_works() {
    let plot = Plot::new().await;
    let mut consumer = plot.consumer.clone();
    let stage = plot.start().await;
    let mut client = stage.client().await;
    assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await.status(), 200);

    let new_key = mint();
    consumer.credentials = vec![credential(74, &new_key)];
    stage.source.put_consumer(consumer.clone());
    until("the new key works", async || {
        stage.client().await.call("GET /v1/items", &[("X-API-Key", &new_key)]).await.status() == 200
    })
    .await;
    // Also on a connection that was open before.
    let answer = client.call("GET /v1/items", &[("X-API-Key", &stage.key)]).await;
    assert_eq!((answer.status(), answer.json()["code"].as_str()), (401, Some("invalid_credential")));

    stage.source.remove_consumer(consumer.id);
    until("the application is gone", async || {
        client.call("GET /v1/items", &[("X-API-Key", &new_key)]).await.status() == 401
    })
    .await;
}

#[tokio::test]
async fn changes_arrive_without_hints_too() {
    let stage = Plot::new().await.start().await;
    stage.source.mute_hints();
    stage.source.change_blueprint(|blueprint| blueprint.apis[0].routes.push(route(33, "GET", "/news")));
    until("the poll finds it", async || stage.call("GET /v1/news").await.status() == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_dropped_while_the_configuration_changes() {
    // As fast as this machine calls.
    let stage = Plot::new().await.limits(vec![]).start().await;
    let other = Upstream::start().await;
    let mut callers = tokio::task::JoinSet::new();
    let enough = Arc::new(AtomicBool::new(false));
    for _ in 0..4 {
        let (gateway, key, enough) = (stage.gateway, stage.key.clone(), Arc::clone(&enough));
        callers.spawn(async move {
            let mut client = Client::connect(gateway).await;
            while !enough.load(Ordering::Relaxed) {
                assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &key)]).await.status(), 200);
            }
        });
    }
    let mut changes = 0;
    while !callers.is_empty() {
        changes += 1;
        // Some calls went to each.
        enough.store(changes > 20 && !other.seen().is_empty(), Ordering::Relaxed);
        let address = if changes % 2 == 0 { stage.upstream.address } else { other.address };
        stage
            .source
            .change_blueprint(|blueprint| blueprint.services[0].targets[0].url = format!("http://{address}"));
        tokio::select! {
            Some(done) = callers.join_next() => done.unwrap(),
            () = tokio::time::sleep(std::time::Duration::from_millis(10)) => {}
        }
    }
}

#[tokio::test]
async fn what_does_not_compile_stays_as_it_was_and_keeps_nothing_else_back() {
    let plot = Plot::new().await;
    let mut consumer = plot.consumer.clone();
    let stage = plot.start().await;
    let revision = stage.source.change_blueprint(|blueprint| {
        blueprint.services[0].targets[0].url = "not a url".into();
        let (mut service, mut api) = (blueprint.services[0].clone(), blueprint.apis[0].clone());
        (service.id, service.targets[0].url) = (id(11), format!("http://{}", stage.upstream.address));
        (api.id, api.service_id, api.base_path) = (id(21), service.id, "/v2".into());
        api.routes = vec![route(34, "GET", "/items")];
        blueprint.services.push(service);
        blueprint.apis.push(api);
    });
    until("what is sound is in force", async || stage.call("GET /v2/items").await.status() == 200).await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200, "to the target it had");
    until("the fault is told", async || {
        stage.source.last_heartbeat().is_some_and(|beat| {
            beat.revision == revision && beat.last_error.is_some_and(|error| error.contains("targets/0/url"))
        })
    })
    .await;
    assert_eq!(stage.metric("tollgate_config_last_apply_success").await, Some(0.0));
    assert_eq!(stage.metric("tollgate_config_faults").await, Some(1.0));

    // Revocations do not wait for whoever broke the blueprint.
    let key = mint();
    consumer.credentials = vec![credential(75, &key)];
    stage.source.put_consumer(consumer);
    until("the key is revoked", async || stage.call("GET /v1/items").await.status() == 401).await;

    let url = format!("http://{}", stage.upstream.address);
    let revision = stage.source.change_blueprint(|blueprint| blueprint.services[0].targets[0].url = url);
    until("mended", async || {
        stage
            .source
            .last_heartbeat()
            .is_some_and(|beat| beat.last_error.is_none() && beat.revision == revision)
    })
    .await;
    assert_eq!(stage.metric("tollgate_config_last_apply_success").await, Some(1.0));
    assert_eq!(stage.metric("tollgate_config_faults").await, Some(0.0));
}

#[tokio::test]
async fn what_was_never_sound_is_refused_by_name_and_everything_else_is_served() {
    let mut plot = Plot::new().await;
    let mut api = plot.blueprint.apis[0].clone();
    (api.id, api.base_path) = (id(21), "/v2".into());
    api.routes = vec![route(34, "GET", "/items"), route(35, "GET", "/{")];
    plot.blueprint.apis.push(api);
    let stage = plot.start().await;
    assert_eq!(stage.call("GET /v1/items").await.status(), 200);
    let answer = stage.call("GET /v2/items").await;
    assert_eq!((answer.status(), answer.json()["code"].as_str()), (503, Some("config_invalid")));
    assert!(answer.field("retry-after").is_some());
    assert_eq!(stage.operator_get("/readyz").await.status(), 200);
    until("the call that was served is counted", async || stage.source.calls() > 0).await;
    assert_eq!((stage.source.calls(), stage.source.charged()), (1, 1), "and the refusal costs nothing");
}

#[tokio::test]
async fn a_restored_database_is_loaded_anew() {
    let stage = Plot::new().await.start().await;
    stage.source.change_blueprint(|_| {});
    stage.source.change_blueprint(|_| {});
    let loads = stage.source.full_loads();
    stage.source.restore(|blueprint| blueprint.apis[0].routes.push(route(33, "GET", "/old-news")));
    until("the older revision is served", async || stage.call("GET /v1/old-news").await.status() == 200)
        .await;
    assert_eq!(stage.source.full_loads(), loads + 1);
    assert_eq!(stage.metric("tollgate_config_revision").await, Some(1.0));
}

#[tokio::test]
async fn the_gateway_tells_who_and_where_it_is() {
    let stage = Plot::new().await.tune(|settings| settings.name = "edge-1".into()).start().await;
    until("a heartbeat", async || stage.source.last_heartbeat().is_some()).await;
    let beat = stage.source.last_heartbeat().unwrap();
    assert_eq!((beat.boot_id, beat.name.as_str()), (stage.boot_id, "edge-1"));
    assert_eq!((beat.state, beat.revision), (GatewayState::Serving, 1));
}

#[tokio::test]
async fn metrics_name_routes_and_refusals_and_nobody() {
    let stage = Plot::new().await.start().await;
    assert_eq!(stage.call("GET /v1/items/7").await.status(), 200);
    assert_eq!(stage.call("GET /nowhere").await.status(), 404);
    let wanted = r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="/v1/items/{id}",http_response_status_class="2xx"}"#;
    until("counted", async || stage.metric(wanted).await == Some(1.0)).await;
    assert_eq!(stage.metric(r#"tollgate_refusals_total{code="route_not_found"}"#).await, Some(1.0));
    let all = stage.operator_get("/metrics").await.dump();
    for private in [stage.key.as_str(), "app_", "org_", "sub_", "key_"] {
        assert!(!all.contains(private), "{private}");
    }
    assert_eq!(stage.operator_get("/livez").await.status(), 200);
    assert_eq!(stage.operator_get("/readyz").await.status(), 200);
}
