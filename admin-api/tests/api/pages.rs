//! Lists are walked page by page.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn walking_the_pages_meets_everything_once() {
    let stage = Stage::new().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(stage.service(&format!("service-{number}")).await.id().to_owned());
    }
    for limit in [1, 3, 7, 8] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/services?limit={limit}");
        loop {
            let page = stage.get(&path).await.expect(200);
            let data = page.body["data"].as_array().unwrap();
            assert!(data.len() <= limit && !data.is_empty());
            seen.extend(data.iter().map(|service| service["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/v1/services?cursor={cursor}&limit={limit}");
        }
        assert_eq!(seen, made, "limit {limit}");
    }
}

#[tokio::test]
async fn pages_have_bounds() {
    let stage = Stage::new().await;
    for (query, place) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=201", "limit"),
        ("limit=1000000000", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=5&limit=6", "limit"),
        ("cursor=", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=../../etc", "cursor"),
        ("offset=3", "offset"),
    ] {
        for collection in [
            "services",
            "apis",
            "products",
            "plans",
            "organizations",
            "applications",
            "subscriptions",
            "keys",
        ] {
            let refused = stage.get(&format!("/v1/{collection}?{query}")).await.expect(422);
            assert_eq!(refused.places(), [place], "{collection} {query}");
        }
    }
    for (path, place) in [
        ("/v1/keys?application_id=app_x", "application_id"),
        ("/v1/applications?organization_id=", "organization_id"),
        ("/v1/audit?limit=0", "limit"),
        ("/v1/gateways?limit=5", "limit"),
    ] {
        assert_eq!(stage.get(path).await.expect(422).places(), [place]);
    }
    let empty = stage.get("/v1/services").await.expect(200);
    assert_eq!(empty.body, json!({ "data": [], "next_cursor": null }));
}
