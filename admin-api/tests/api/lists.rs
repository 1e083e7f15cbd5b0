//! Lists are searched, filtered and sorted, and their pages fit together.

use serde_json::{Value, json};

use crate::stage::Stage;

fn names(body: &Value) -> Vec<String> {
    body["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

async fn three(stage: &Stage) {
    for (slug, name) in [("b-one", "beta Weather"), ("a-two", "Alpha"), ("c-three", "Gamma weather station")]
    {
        let body = json!({ "slug": slug, "name": name, "targets": [{ "url": "http://10.0.0.7:8080" }] });
        stage.post("/v1/services", body).await.expect(201);
    }
}

#[tokio::test]
async fn a_list_has_the_order_that_was_asked_for_over_all_its_pages() {
    let stage = Stage::new().await;
    three(&stage).await;
    for (sort, expected) in [
        ("created_at", ["beta Weather", "Alpha", "Gamma weather station"]),
        ("-created_at", ["Gamma weather station", "Alpha", "beta Weather"]),
        ("name", ["Alpha", "beta Weather", "Gamma weather station"]),
        ("-name", ["Gamma weather station", "beta Weather", "Alpha"]),
        ("slug", ["Alpha", "beta Weather", "Gamma weather station"]),
    ] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/services?sort={sort}&limit=1");
        loop {
            let page = stage.get(&path).await.expect(200);
            seen.extend(names(&page.body));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/v1/services?sort={sort}&limit=1&cursor={cursor}");
        }
        assert_eq!(seen, expected, "{sort}");
    }
    let page = stage.get("/v1/services?sort=name&limit=1").await.expect(200);
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let other = stage.get(&format!("/v1/services?cursor={cursor}")).await.expect(422);
    assert_eq!(other.places(), ["cursor"], "a cursor belongs to its order");
    assert_eq!(stage.get("/v1/services?sort=color").await.expect(422).places(), ["sort"]);
    assert_eq!(stage.get("/v1/applications?sort=slug").await.expect(422).places(), ["sort"]);
}

#[tokio::test]
async fn a_search_finds_the_beginnings_of_words_slugs_keys_and_ids() {
    let stage = Stage::new().await;
    three(&stage).await;
    for (q, expected) in [
        ("weather", vec!["beta Weather", "Gamma weather station"]),
        ("wea+sta", vec!["Gamma weather station"]),
        ("a-t", vec!["Alpha"]),
        ("eather", vec![]),
        ("%25", vec![]),
        ("%27%3B--", vec![]),
        ("al%26%7C!%3A*", vec!["Alpha"]),
    ] {
        let found = stage.get(&format!("/v1/services?q={q}")).await.expect(200);
        assert_eq!(names(&found.body), expected, "{q}");
    }
    let world = stage.world().await;
    let by_id = stage.get(&format!("/v1/applications?q={}", world.application)).await.expect(200);
    assert_eq!(names(&by_id.body), ["Website"]);
    let key = stage.get(&format!("/v1/keys/{}", world.key)).await.expect(200);
    let prefix = key.body["prefix"].as_str().unwrap();
    let found = stage.get(&format!("/v1/keys?q={prefix}")).await.expect(200);
    assert_eq!(names(&found.body), ["First"]);
    for bad in ["", &"x".repeat(101), "%00"] {
        assert_eq!(stage.get(&format!("/v1/services?q={bad}")).await.expect(422).places(), ["q"]);
    }
}

#[tokio::test]
async fn filters_narrow_and_unknown_values_are_refused() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    for (path, count) in [
        ("/v1/apis?state=published".to_owned(), 1),
        ("/v1/apis?state=draft,retired".to_owned(), 0),
        ("/v1/apis?state=draft,published".to_owned(), 1),
        (format!("/v1/apis?service_id={}", world.service), 1),
        ("/v1/products?visibility=signed_in".to_owned(), 0),
        ("/v1/plans?state=open".to_owned(), 1),
        ("/v1/applications?state=active".to_owned(), 1),
        ("/v1/subscriptions?state=requested".to_owned(), 0),
        (format!("/v1/subscriptions?plan_id={}&state=active", world.plan), 1),
        ("/v1/keys?environment=test".to_owned(), 0),
        ("/v1/keys?state=active".to_owned(), 1),
        ("/v1/keys?state=revoked".to_owned(), 0),
        (format!("/v1/keys?organization_id={}", world.organization), 1),
    ] {
        let found = stage.get(&path).await.expect(200);
        assert_eq!(found.body["data"].as_array().unwrap().len(), count, "{path}");
    }
    for bad in
        ["/v1/apis?state=gone", "/v1/apis?state=draft,", "/v1/keys?state=active'--", "/v1/services?state=x"]
    {
        assert_eq!(stage.get(bad).await.expect(422).places(), ["state"], "{bad}");
    }
}

#[tokio::test]
async fn the_audit_log_has_pages_and_filters() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let all = stage.get("/v1/audit?limit=200").await.expect(200).body["data"].as_array().unwrap().clone();
    let mut seen = Vec::new();
    let mut path = "/v1/audit?limit=3".to_owned();
    loop {
        let page = stage.get(&path).await.expect(200);
        seen.extend(page.body["data"].as_array().unwrap().clone());
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        path = format!("/v1/audit?limit=3&cursor={cursor}");
    }
    assert_eq!(seen, all);
    for (filter, count) in [
        (format!("subject_id={}", world.plan), 1),
        ("action=plan.create".to_owned(), 1),
        ("action=plan.".to_owned(), 1),
        ("action=plan".to_owned(), 0),
        (format!("organization_id={}", world.organization), 4),
        (format!("request_id={}", all[0]["request_id"].as_str().unwrap()), 1),
        (format!("actor_id={}&action=key.", all[0]["actor_id"].as_str().unwrap()), 1),
        ("until=2000-01-01T00:00:00Z".to_owned(), 0),
        ("since=2999-01-01T00:00:00Z".to_owned(), 0),
    ] {
        let found = stage.get(&format!("/v1/audit?{filter}")).await.expect(200);
        assert_eq!(found.body["data"].as_array().unwrap().len(), count, "{filter}");
    }
    assert_eq!((all[0]["face"].as_str(), all[0]["address"].as_str()), (Some("admin_api"), Some("192.0.2.1")));
    let head = stage.get("/v1/audit/head").await.expect(200);
    assert!(head.body["head"].as_str().unwrap().starts_with(&format!("{}:", all[0]["sequence"])));
}

#[tokio::test]
async fn usage_ends_where_it_is_asked_to() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let sql = "insert into usage_counters (boot_id, credential_id, subscription_id, route_id, status, outcome, minute, calls,
            charged, bytes_in, bytes_out, duration_us, organization_id, application_id)
        select gen_random_uuid(), c.id, s.id, r.id, 200, 1, m.at, 5, 5, 0, 0, 5000, s.organization_id, s.application_id
        from credentials c, subscriptions s, routes r,
            (values ('2026-11-01T10:00Z'::timestamptz), ('2026-11-01T11:00Z')) as m (at)";
    sqlx::query(sql).execute(stage.pool()).await.unwrap();
    for (range, calls) in [
        ("since=2026-11-01T00:00:00Z&until=2026-11-01T10:00:00Z", 0),
        ("since=2026-11-01T00:00:00Z&until=2026-11-01T10:01:00Z", 5),
        ("since=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z", 10),
        ("until=2026-11-02T10:30:00Z", 5),
    ] {
        let path = format!("/v1/usage?{range}&application_id={}", world.application);
        assert_eq!(stage.get(&path).await.expect(200).body["totals"]["calls"], calls, "{range}");
    }
}

#[tokio::test]
async fn a_call_is_found_by_its_request_id() {
    let stage = Stage::new().await;
    stage.get("/v1/requests/unknown").await.expect(404);
    stage.get("/v1/requests/%00").await.expect(404);
    let call = tollgate_store::NewRequest {
        id: 1,
        at: chrono::Utc::now(),
        request_id: "r-1".to_owned(),
        minted: false,
        node: uuid::Uuid::now_v7(),
        parties: tollgate_store::Parties::default(),
        method: Some("GET".to_owned()),
        host: Some("api.example.com".to_owned()),
        path: Some("/countries/de".to_owned()),
        status: 401,
        code: Some("invalid_credential"),
        detail: Some(json!({ "key": "tg_live_4fGh…x9Zq" })),
        duration_us: 200,
        upstream_us: None,
        bytes_in: 0,
        bytes_out: 400,
        client: Some("203.0.113.0/24".to_owned()),
        user_agent: None,
    };
    stage.control.store().insert_requests(&[call]).await.unwrap();
    let found = stage.get("/v1/requests/r-1").await.expect(200);
    let call = &found.body["data"][0];
    assert_eq!(
        (&call["code"], &call["duration_ms"], &call["key_id"]),
        (&json!("invalid_credential"), &json!(0.2), &Value::Null)
    );
}
