//! The request log.

use chrono::{DateTime, Duration, DurationRound, Utc};
use serde_json::json;
use tollgate_domain::{OrganizationId, Scope};
use tollgate_store::{NewRequest, Parties, RequestCursor, RequestFilter};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

/// As exact as PostgreSQL keeps it.
fn now() -> DateTime<Utc> {
    Utc::now().duration_trunc(Duration::microseconds(1)).unwrap()
}

fn call(request_id: &str, organization: Option<OrganizationId>) -> NewRequest {
    NewRequest {
        id: i64::from(Uuid::new_v4().as_fields().0),
        at: now(),
        request_id: request_id.to_owned(),
        minted: true,
        node: Uuid::from_u128(1),
        parties: Parties {
            organization_id: organization.map(Uuid::from),
            application_id: organization.map(|_| Uuid::from_u128(2)),
            ..Parties::default()
        },
        method: Some("GET".to_owned()),
        host: Some("api.example".to_owned()),
        path: Some("/v1/items".to_owned()),
        status: 200,
        code: None,
        detail: None,
        duration_us: 1_500,
        upstream_us: Some(1_000),
        bytes_in: 0,
        bytes_out: 10,
        client: Some("203.0.113.0/24".to_owned()),
        user_agent: Some("curl/8".to_owned()),
    }
}

fn organization(n: u128) -> OrganizationId {
    Uuid::from_u128(n).into()
}

#[tokio::test]
async fn a_call_is_found_by_its_id_by_its_owner_and_operators_only() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let (acme, other) = (organization(10), organization(11));
    let refused = NewRequest {
        status: 429,
        code: Some("rate_limited"),
        detail: Some(json!({"limit": "burst", "visible": true})),
        ..call("a", Some(acme))
    };
    let batch = [refused.clone(), call("b", Some(other))];
    for _ in 0..2 {
        store.insert_requests(&batch).await.unwrap();
    }
    let found = store.find_requests(Scope::Organization(acme), "a").await.unwrap();
    assert_eq!(found.len(), 1);
    let row = &found[0];
    assert_eq!((row.at, row.status, row.code.as_deref()), (refused.at, 429, Some("rate_limited")));
    assert_eq!((row.client.as_deref(), row.upstream_us), (Some("203.0.113.0/24"), Some(1_000)));
    assert_eq!(row.detail, refused.detail);
    assert!(store.find_requests(Scope::Organization(acme), "b").await.unwrap().is_empty());
    assert_eq!(store.find_requests(Scope::Operator, "b").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_of_nobody_is_shown_to_who_has_an_id_that_cannot_be_guessed() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let chosen = NewRequest { minted: false, ..call("1", None) };
    store.insert_requests(&[call("0190a3f0-1111-7222-8333-444455556666", None), chosen]).await.unwrap();
    let acme = Scope::Organization(organization(10));
    let minted = store.find_requests(acme, "0190a3f0-1111-7222-8333-444455556666").await.unwrap();
    assert_eq!(minted.len(), 1);
    assert!(store.find_requests(acme, "1").await.unwrap().is_empty());
    assert_eq!(store.find_requests(Scope::Operator, "1").await.unwrap().len(), 1);
    assert!(store.list_requests(acme, &RequestFilter::default(), None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn consumers_are_not_told_of_limits_that_are_not_theirs_to_see() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let acme = organization(10);
    let detail = json!({"limit": "shield", "amount": 5, "retry_after_s": 3, "visible": false});
    let refused = NewRequest { detail: Some(detail.clone()), ..call("a", Some(acme)) };
    store.insert_requests(&[refused]).await.unwrap();
    let seen = async |scope| store.find_requests(scope, "a").await.unwrap()[0].detail.clone().unwrap();
    assert_eq!(seen(Scope::Organization(acme)).await, json!({"retry_after_s": 3}));
    assert_eq!(seen(Scope::Operator).await, detail);
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_and_filters_narrow() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let acme = organization(10);
    let same_instant = now();
    let calls: Vec<NewRequest> = (0..7)
        .map(|n| NewRequest {
            id: i64::from(n),
            at: same_instant - Duration::seconds(i64::from(n / 3)),
            status: if n == 4 { 404 } else { 200 },
            code: (n == 4).then_some("route_not_found"),
            path: Some(if n < 2 { "/v1/orders/1" } else { "/v1/items" }.to_owned()),
            method: Some(if n == 6 { "POST" } else { "GET" }.to_owned()),
            ..call(&n.to_string(), Some(acme))
        })
        .collect();
    store.insert_requests(&calls).await.unwrap();
    let scope = Scope::Organization(acme);
    let mut seen = Vec::new();
    let mut after: Option<RequestCursor> = None;
    loop {
        let page = store.list_requests(scope, &RequestFilter::default(), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        seen.extend(page.into_iter().map(|row| row.request_id));
    }
    assert_eq!(seen, ["2", "1", "0", "5", "4", "3", "6"]);

    let ids = async |filter: RequestFilter| {
        let rows = store.list_requests(Scope::Operator, &filter, None, 10).await.unwrap();
        rows.into_iter().map(|row| row.request_id).collect::<Vec<_>>()
    };
    let none = RequestFilter::default;
    assert_eq!(ids(RequestFilter { status_class: Some(4), ..none() }).await, ["4"]);
    assert_eq!(ids(RequestFilter { status_class: Some(2), ..none() }).await.len(), 6);
    assert_eq!(ids(RequestFilter { code: Some("route_not_found".into()), ..none() }).await, ["4"]);
    assert_eq!(ids(RequestFilter { method: Some("POST".into()), ..none() }).await, ["6"]);
    assert_eq!(ids(RequestFilter { path_prefix: Some("/v1/orders".into()), ..none() }).await, ["1", "0"]);
    assert_eq!(ids(RequestFilter { until: Some(same_instant), ..none() }).await.len(), 4);
    assert_eq!(ids(RequestFilter { from: Some(same_instant), ..none() }).await.len(), 3);
    let application = Some(Uuid::from_u128(2).into());
    assert_eq!(ids(RequestFilter { application, ..none() }).await.len(), 7);
    assert_eq!(ids(RequestFilter { credential: Some(Uuid::from_u128(3).into()), ..none() }).await.len(), 0);
}

#[tokio::test]
async fn a_clock_far_off_is_not_believed_and_a_missing_day_is_made() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let tomorrow = format!("request_log_{}", (Utc::now() + Duration::days(1)).format("%Y%m%d"));
    let drop = sqlx::AssertSqlSafe(format!("drop table {tomorrow}"));
    sqlx::query(drop).execute(database.pool()).await.unwrap();
    for years in [-50, 50] {
        let off = NewRequest { at: now() + Duration::days(365 * years), ..call("x", None) };
        store.insert_requests(&[off]).await.unwrap();
    }
    let rows = store.find_requests(Scope::Operator, "x").await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| (row.at - Utc::now()).abs() <= Duration::days(1) + Duration::minutes(1)));
}

#[tokio::test]
async fn days_past_keeping_are_dropped_whole() {
    let database = TestDatabase::create().await;
    let store = database.store();
    for (age, name) in [(31, "old"), (30, "kept")] {
        let day = Utc::now().date_naive() - Duration::days(age);
        let sql = format!(
            "create table request_log_{} partition of request_log for values from ('{day} 00:00Z') to ('{} 00:00Z')",
            day.format("%Y%m%d"),
            day + Duration::days(1)
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(database.pool()).await.unwrap();
        sqlx::query(
            "insert into request_log (id, at, request_id, minted, node, status, duration_us, bytes_in, bytes_out)
                     values (1, $1, $2, true, gen_random_uuid(), 200, 0, 0, 0)",
        )
        .bind(day.and_hms_opt(12, 0, 0).unwrap().and_utc())
        .bind(name)
        .execute(database.pool())
        .await
        .unwrap();
    }
    assert_eq!(store.keep_request_days().await.unwrap(), 1);
    assert_eq!(store.keep_request_days().await.unwrap(), 0);
    assert!(store.find_requests(Scope::Operator, "old").await.unwrap().is_empty());
    assert_eq!(store.find_requests(Scope::Operator, "kept").await.unwrap().len(), 1);
}
