//! `Idempotency-Key`: sent often, done once.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::stage::{Reply, Stage};

fn service(slug: &str) -> Value {
    json!({ "slug": slug, "name": slug, "targets": [{ "url": "http://10.0.0.7:8080" }] })
}

fn keyed(stage: &Stage, path: &str, key: &str, body: &Value) -> Request<Body> {
    stage
        .request("POST", path)
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body.to_string()))
        .unwrap()
}

async fn send(stage: &Stage, path: &str, key: &str, body: &Value) -> Reply {
    stage.send(keyed(stage, path, key, body)).await
}

#[tokio::test]
async fn fifty_at_once_make_one_thing_and_get_one_answer() {
    let stage = Stage::new().await;
    let body = service("backend");
    let sent = (0..50).map(|_| send(&stage, "/v1/services", "9f5c", &body));
    let answers = futures_util::future::join_all(sent).await;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), &answer.body), (201, &answers[0].body), "{}", answer.text);
        assert_eq!(answer.header("location"), answers[0].header("location"));
        assert_eq!(answer.header("etag"), "\"v1\"");
    }
    let first_ones = answers.iter().filter(|answer| answer.header("idempotent-replayed").is_empty());
    assert_eq!(first_ones.count(), 1);
    let all = stage.get("/v1/services").await.expect(200);
    assert_eq!(all.body["data"].as_array().unwrap().len(), 1);
    let audit = stage.get("/v1/audit?limit=200").await.expect(200);
    assert_eq!(audit.text.matches("service.create").count(), 1);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let stage = Stage::new().await;
    send(&stage, "/v1/services", "k", &service("one")).await.expect(201);
    let other = send(&stage, "/v1/services", "k", &service("two")).await.expect(422);
    assert_eq!(
        (other.body["code"].as_str(), other.places()),
        (Some("idempotency_key_reused"), vec!["Idempotency-Key"])
    );
    send(&stage, "/v1/services?wait=applied&timeout=0s", "k", &service("one")).await.expect(422);
    send(&stage, "/v1/organizations", "k", &service("one")).await.expect(422);
    send(&stage, "/v1/services", "k2", &service("two")).await.expect(201);
}

#[tokio::test]
async fn what_was_refused_can_be_sent_again() {
    let stage = Stage::new().await;
    send(&stage, "/v1/services", "k", &json!({ "slug": "x" })).await.expect(422);
    send(&stage, "/v1/services", "k", &service("x")).await.expect(201);
}

#[tokio::test]
async fn while_the_first_is_under_way_the_second_is_told_so() {
    let stage = Stage::new().await;
    let body = service("backend");
    let slow = {
        // Somebody else keeps the row that gives revisions, so the first cannot end.
        let mut held = stage.pool().begin().await.unwrap();
        sqlx::query("select revision from config_head for update").execute(&mut *held).await.unwrap();
        held
    };
    let first = send(&stage, "/v1/services", "k", &body);
    let second = async {
        // The lock of a key is the only advisory one: once it is there, the first is under way.
        loop {
            let sql = "select count(*) from pg_locks where locktype = 'advisory' and database =
                (select oid from pg_database where datname = current_database())";
            let held: i64 = sqlx::query_scalar(sql).fetch_one(stage.pool()).await.unwrap();
            if held > 0 {
                break;
            }
        }
        let told = send(&stage, "/v1/services", "k", &body).await;
        slow.rollback().await.unwrap();
        told
    };
    let (first, second) = tokio::join!(first, second);
    // The database gives the first up after 4 s, or the second after 5 s, whichever clock is faster.
    match second.status.as_u16() {
        409 => assert_eq!(second.body["code"], "idempotency_key_in_use"),
        other => assert!((other == 503 || other == 201) && first.status.as_u16() == 503, "{}", second.text),
    }
}

#[tokio::test]
async fn what_was_cut_off_before_it_was_done_never_was_and_an_answer_that_was_lost_is_given_again() {
    let stage = Stage::new().await;
    let body = service("backend");
    // Somebody else keeps the row that gives revisions: whatever is made waits there, all written.
    let mut held = stage.pool().begin().await.unwrap();
    sqlx::query("select revision from config_head for update").execute(&mut *held).await.unwrap();
    let waits = async {
        let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while sqlx::query_scalar::<_, i64>(sql).fetch_one(stage.pool()).await.unwrap() == 0 {}
    };
    tokio::select! {
        answer = send(&stage, "/v1/services", "k", &body) => panic!("it waits: {}", answer.text),
        () = waits => {}
    }
    held.rollback().await.unwrap();
    let all = stage.get("/v1/services").await.expect(200);
    assert!(all.body["data"].as_array().unwrap().is_empty(), "{}", all.text);

    let lost = send(&stage, "/v1/services", "k", &body).await.expect(201);
    let again = send(&stage, "/v1/services", "k", &body).await.expect(201);
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&lost.body, "true"));
    let all = stage.get("/v1/services").await.expect(200);
    assert_eq!(all.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_in_a_kept_answer_is_given_again_and_not_to_be_read_from_the_database() {
    let stage = Stage::new().await;
    let world = stage.world().await;
    let body = json!({ "application_id": world.application, "name": "CI" });
    let first = send(&stage, "/v1/keys", "k", &body).await.expect(201);
    let again = send(&stage, "/v1/keys", "k", &body).await.expect(201);
    assert_eq!(first.body["secret"], again.body["secret"]);
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("select answer from idempotency_keys").fetch_all(stage.pool()).await.unwrap();
    let secret = first.body["secret"].as_str().unwrap().as_bytes().to_vec();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].windows(secret.len()).any(|part| part == secret));
    // Another caller's key of the same name is another one.
    let request = keyed(&stage, "/v1/keys", "k", &body);
    let (mut parts, body) = request.into_parts();
    let token = stage.token("second").await;
    parts.headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    let other = stage.send(Request::from_parts(parts, body)).await.expect(201);
    assert_ne!(other.body["secret"], first.body["secret"]);
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused() {
    let stage = Stage::new().await;
    for key in ["", "ü", &"x".repeat(256)] {
        let refused = send(&stage, "/v1/services", key, &service("x")).await.expect(400);
        assert_eq!(refused.body["code"], "malformed", "{key}");
    }
    let mut twice = keyed(&stage, "/v1/services", "a", &service("x"));
    twice.headers_mut().append("idempotency-key", "b".parse().unwrap());
    stage.send(twice).await.expect(400);
    let mut nobody = keyed(&stage, "/v1/services", "a", &service("x"));
    nobody.headers_mut().remove("authorization");
    stage.send(nobody).await.expect(401);
}
