//! What calls are held to whatever plan they are on: of the platform, of an API, of an operation.

use serde_json::{Value, json};
use tollgate_domain::{ApiPolicies, OperationPolicies, Period, Policies, RatePer, RatePolicy};

use crate::http::request;
use crate::stage::{Plot, Stage, until};

fn once_an_hour(name: &str, per: RatePer) -> Vec<RatePolicy> {
    vec![RatePolicy { name: name.into(), amount: 1, period: Period::Hour, burst: None, per }]
}

async fn stage(platform: Policies, api: ApiPolicies) -> Stage {
    let mut plot = Plot::new().await;
    plot.blueprint.policies = platform;
    plot.blueprint.apis[0].policies = api;
    plot.start().await
}

struct Answer {
    status: u16,
    retry_after_s: Option<u64>,
    shows_limits: bool,
    problem: Value,
}

async fn call(stage: &Stage, method: &str) -> Answer {
    let mut client = stage.client().await;
    client.send(request(&format!("{method} /v1/items"), &[("X-API-Key", stage.key.as_str())], "")).await;
    let answer = client.answer().await;
    Answer {
        status: answer.status(),
        retry_after_s: answer.field("Retry-After").and_then(|text| text.parse().ok()),
        shows_limits: answer.field("RateLimit-Policy").is_some_and(|text| text.contains("shield")),
        problem: serde_json::from_slice(&answer.body).unwrap_or_default(),
    }
}

async fn refused_once(stage: &Stage, method: &str, scope: &str) {
    let first = call(stage, method).await;
    assert!(first.status < 400 && !first.shows_limits, "{}", first.problem);
    let second = call(stage, method).await;
    assert_eq!((second.status, &second.problem["code"]), (429, &json!("rate_limited")));
    let limit = json!({ "name": "shield", "amount": 1, "per": "hour", "scope": scope });
    assert_eq!(second.problem["limit"], limit);
    assert!(second.retry_after_s.is_some_and(|wait| (1..=3_600).contains(&wait)));
    let metrics = String::from_utf8(stage.operator_get("/metrics").await.body).expect("text");
    let line = format!("tollgate_policy_refusals_total{{code=\"rate_limited\",scope=\"{scope}\"}} 1");
    assert!(metrics.contains(&line), "{metrics}");
    assert!(metrics.contains("tollgate_policy_uncounted_calls_total 0"), "{metrics}");
}

#[tokio::test]
async fn a_rate_of_the_platform_holds_and_is_named() {
    let platform = Policies { rates: once_an_hour("shield", RatePer::Subscription), ..Policies::default() };
    refused_once(&stage(platform, ApiPolicies::default()).await, "GET", "platform").await;
}

#[tokio::test]
async fn a_rate_of_an_api_holds_and_outlives_a_change_of_the_configuration() {
    let api = ApiPolicies { rates: once_an_hour("shield", RatePer::All), ..ApiPolicies::default() };
    let stage = stage(Policies::default(), api).await;
    refused_once(&stage, "GET", "api").await;
    // That a change is in force shows in what it allows.
    stage.source.change_blueprint(|blueprint| {
        blueprint.apis[0].policies.networks = vec!["192.0.2.0/24".into()];
    });
    until("the change is in force", async || call(&stage, "GET").await.status == 403).await;
    stage.source.change_blueprint(|blueprint| blueprint.apis[0].policies.networks.clear());
    until("the change is in force", async || call(&stage, "GET").await.status == 429).await;
}

#[tokio::test]
async fn a_rate_of_an_operation_holds_for_no_other() {
    let operation = OperationPolicies {
        method: "GET".into(),
        path: "/items".into(),
        rates: once_an_hour("shield", RatePer::Credential),
        ..OperationPolicies::default()
    };
    let api = ApiPolicies { operations: vec![operation], ..ApiPolicies::default() };
    let stage = stage(Policies::default(), api).await;
    refused_once(&stage, "GET", "operation").await;
    assert!(call(&stage, "POST").await.status < 400);
}

#[tokio::test]
async fn calls_from_elsewhere_are_refused_by_the_scope_that_says_so() {
    let platform = Policies { networks: vec!["127.0.0.0/8".into(), "::1".into()], ..Policies::default() };
    let api = ApiPolicies { networks: vec!["192.0.2.0/24".into()], ..ApiPolicies::default() };
    let stage = stage(platform, api).await;
    let refused = call(&stage, "GET").await;
    assert_eq!((refused.status, &refused.problem["code"]), (403, &json!("address_not_allowed")));
    assert_eq!(refused.problem["held_by"], "api");
    stage.source.change_blueprint(|blueprint| blueprint.apis[0].policies = ApiPolicies::default());
    until("the change is in force", async || call(&stage, "GET").await.status == 200).await;
}
