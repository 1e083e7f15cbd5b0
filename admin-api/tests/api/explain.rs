//! What would happen to a call, and where its limits were written.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_call_is_explained_as_far_as_it_would_come() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let ask = |query: &str| {
        let path = format!("/v1/explain?key={}&{query}", world.key);
        let stage = &stage;
        async move { stage.get(&path).await }
    };
    let admitted = ask("path=/countries/de").await.expect(200);
    assert_eq!(admitted.body["verdict"], "admitted", "{}", admitted.text);
    assert_eq!(admitted.body["operation"], "GET /countries/{code}");
    assert_eq!(
        (&admitted.body["plan_id"], &admitted.body["subscription_id"]),
        (&json!(world.plan), &json!(world.subscription))
    );
    let limits = admitted.body["limits"].as_array().unwrap();
    assert_eq!(limits.len(), 2);
    assert_eq!(
        (&limits[0]["from"], &limits[0]["used"]),
        (&json!("plan free of product atlas"), &json!(null))
    );
    assert_eq!((&limits[1]["limit"]["amount"], &limits[1]["used"]), (&json!(1000), &json!(0)));

    for (query, verdict) in
        [("path=/nowhere", "route_not_found"), ("path=/countries/de&method=POST", "method_not_allowed")]
    {
        assert_eq!(ask(query).await.expect(200).body["verdict"], verdict, "{query}");
    }
    let second = json!({
        "slug": "second", "name": "Second", "service_id": world.service, "base_path": "/countries", "state": "published",
        "document": crate::stage::document(), "match_headers": [{ "name": "x-version", "value": "2" }],
    });
    let second = stage.post("/v1/apis", second).await.expect(201).id().to_owned();
    let asked = ask("path=/countries/de&headers=Accept:%20*/*%0AX-Version:%202").await.expect(200);
    assert_eq!((&asked.body["api_id"], &asked.body["verdict"]), (&json!(second), &json!("not_entitled")));
    assert_eq!(ask("path=/countries/de&headers=rubbish").await.expect(422).places(), ["headers"]);
    let sql = "insert into quota_usage (subscription_id, month, boot_id, charged)
        select id, date_trunc('month', now() at time zone 'utc')::date, gen_random_uuid(), 1000 from subscriptions";
    sqlx::query(sql).execute(stage.pool()).await.unwrap();
    let over = ask("path=/countries/de").await.expect(200);
    assert_eq!(
        (&over.body["verdict"], &over.body["limits"][1]["used"]),
        (&json!("quota_exceeded"), &json!(1000))
    );
    let application = format!("/v1/applications/{}", world.application);
    stage.patch(&application, json!({ "state": "suspended" })).await.expect(200);
    assert_eq!(ask("path=/countries/de").await.expect(200).body["verdict"], "subscription_suspended");
    stage.delete(&format!("/v1/subscriptions/{}", world.subscription)).await.expect(204);
    let alone = ask("path=/countries/de").await.expect(200);
    assert_eq!((&alone.body["verdict"], &alone.body["limits"]), (&json!("not_entitled"), &json!([])));
    stage.delete(&format!("/v1/keys/{}", world.key)).await.expect(204);
    assert_eq!(ask("path=/countries/de").await.expect(200).body["verdict"], "invalid_credential");
}

#[tokio::test]
async fn every_limit_is_told_with_its_scope_and_the_first_that_is_hit() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let each = json!({ "name": "each", "amount": 500, "period": "second", "per": "subscription" });
    let platform = json!({ "rates": [each], "networks": [], "body_bytes_max": 1_000 });
    stage.call_as(&stage.admin, "PUT", "/v1/policies", Some(platform)).await.expect(200);
    let shield = json!({ "name": "shield", "amount": 3, "period": "minute", "per": "all" });
    let operation = json!({ "method": "GET", "path": "/{code}", "rates": [shield], "body_bytes_max": 0 });
    let policies = json!({ "networks": ["10.0.0.0/8"], "operations": [operation] });
    stage.patch("/v1/apis/countries", json!({ "policies": policies })).await.expect(200);

    let path = format!("/v1/explain?key={}&path=/countries/de", world.key);
    let found = stage.get(&path).await.expect(200).body;
    let told: Vec<_> = found["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| {
            let words = ["scope", "from", "is_first"].map(|name| limit[name].to_string());
            format!("{} {}", limit["limit"]["name"], words.join(" "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "\"each\" \"platform\" \"the platform's policies\" false",
            "\"shield\" \"operation\" \"operation GET /countries/{code} of API countries\" true",
            "\"burst\" \"plan\" \"plan free of product atlas\" false",
            "\"month\" \"plan\" \"plan free of product atlas\" false",
        ]
    );
    assert_eq!(found["networks"], json!([{ "scope": "api", "networks": ["10.0.0.0/8"] }]));
    assert_eq!(found["body_bytes_max"], json!({ "scope": "operation", "bytes": 0 }));
    assert!(found["because"].as_str().unwrap().ends_with("and the networks that its policies name"));
}

#[tokio::test]
async fn a_key_is_known_by_its_first_characters_where_no_other_begins_so() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let key = stage.get(&format!("/v1/keys/{}", world.key)).await.expect(200);
    let prefix = key.body["prefix"].as_str().unwrap();
    let found = stage.get(&format!("/v1/explain?key={prefix}&path=/countries/de")).await.expect(200);
    assert_eq!(found.body["key_id"], json!(world.key));
    stage
        .post("/v1/keys", json!({ "application_id": world.application, "name": "Second" }))
        .await
        .expect(201);
    stage.get("/v1/explain?key=tg_live_&path=/countries/de").await.expect(409);
    stage.get("/v1/explain?key=tg_live_none&path=/countries/de").await.expect(404);
    for (query, place) in [
        ("path=/x", "key"),
        (&format!("key={prefix}") as &str, "path"),
        (&format!("key={prefix}&path=x"), "path"),
        (&format!("key={prefix}&path=/a/../b"), "path"),
        (&format!("key={prefix}&path=/x&method=BREW"), "method"),
    ] {
        assert_eq!(stage.get(&format!("/v1/explain?{query}")).await.expect(422).places(), [place], "{query}");
    }
}
