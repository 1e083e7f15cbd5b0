//! A face from the outside: what stands on every answer, whatever a handler does.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tollgate_web::{
    Content, Face, JsonHeaders, Limits, PageHeaders, Problem, RequestId, render_json, serve::serve,
};
use tower::ServiceExt;

fn routes() -> Router {
    Router::new()
        .route("/id", get(|Extension(id): Extension<RequestId>| async move { id.to_string() }))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("secret of the house")
                }
            }),
        )
        .route("/slow", get(std::future::pending::<()>))
        .route(
            "/body",
            post(|body: Result<String, axum::extract::rejection::StringRejection>| async move {
                body.map(|body| body.len().to_string()).map_err(Problem::from)
            }),
        )
        .route("/cookie", get(|| async { ([("set-cookie", "a=b")], Problem::not_found()) }))
}

fn face() -> Face {
    Face {
        problem_base: "https://portal.example/problems".to_owned(),
        body_bytes_max: 16,
        timeout: Duration::from_millis(200),
        headers: JsonHeaders { https: true }.into(),
        render: render_json,
    }
}

async fn call(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

async fn get_path(path: &str) -> (StatusCode, HeaderMap, String) {
    call(&face().around(routes()), Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_request_keeps_its_id() {
    let router = face().around(routes());
    let request = Request::get("/id").header("x-request-id", "mine-1").body(Body::empty()).unwrap();
    let (_, headers, body) = call(&router, request).await;
    assert_eq!((body.as_str(), &headers["x-request-id"]), ("mine-1", &"mine-1".parse().unwrap()));
}

#[tokio::test]
async fn every_refusal_is_a_located_problem() {
    for (path, status, code) in [
        ("/nowhere", StatusCode::NOT_FOUND, "not_found"),
        ("/body", StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        ("/panic", StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        ("/slow", StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    ] {
        let (answered, headers, body) = get_path(path).await;
        let problem: Content = serde_json::from_str(&body).unwrap();
        assert_eq!((answered, problem.code.as_ref()), (status, code));
        assert_eq!(problem.kind, format!("https://portal.example/problems/{code}"));
        assert_eq!(problem.instance.as_deref(), Some(path));
        assert_eq!(problem.request_id.as_deref(), headers["x-request-id"].to_str().ok());
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(!body.contains("secret of the house"));
    }
}

#[tokio::test]
async fn readiness_follows_what_is_found() {
    for (found, status) in [(true, StatusCode::OK), (false, StatusCode::SERVICE_UNAVAILABLE)] {
        let router = face().around(routes()).merge(tollgate_web::probes(move || async move { found }));
        let (answered, headers, _) =
            call(&router, Request::get("/readyz").body(Body::empty()).unwrap()).await;
        assert_eq!(answered, status);
        assert!(!headers.contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn a_405_names_the_methods_there_are() {
    let (_, headers, _) = get_path("/body").await;
    assert_eq!(headers["allow"], "POST");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let router = face().around(routes());
    let (status, _, body) = call(&router, Request::post("/body").body("x".repeat(17).into()).unwrap()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(body.contains("body_too_large"), "{body}");
    let (status, ..) = call(&router, Request::post("/body").body("x".repeat(16).into()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_face_draws_its_own_problems_and_keeps_cookies() {
    fn page(problem: &Problem, _: &HeaderMap) -> Response {
        (problem.status, [("content-type", "text/html")], format!("<h1>{}</h1>", problem.title))
            .into_response()
    }
    let headers = PageHeaders { form_hosts: vec!["https://pay.example".to_owned()], https: false }.into();
    let router = Face { headers, render: page, ..face() }.around(routes());
    let (_, headers, body) = call(&router, Request::get("/cookie").body(Body::empty()).unwrap()).await;
    assert_eq!(body, "<h1>Not found</h1>");
    assert_eq!(headers["content-type"], "text/html");
    assert_eq!(headers["set-cookie"], "a=b");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("form-action 'self' https://pay.example"), "{policy}");
    assert!(!headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_server_leaves() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (entered, mut inside) = tokio::sync::mpsc::channel::<()>(1);
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let opened = gate.clone();
    let router = Router::new().route(
        "/",
        get(move || {
            let (entered, opened) = (entered.clone(), opened.clone());
            async move {
                entered.send(()).await.unwrap();
                opened.notified().await;
                "done"
            }
        }),
    );
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve(listener, router, Limits::default(), shutdown.clone()));
    let _idle = TcpStream::connect(address).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    inside.recv().await.unwrap();
    shutdown.cancel();
    gate.notify_one();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
    server.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nothing is accepted any more");
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_is_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { head_timeout: Duration::from_millis(100), ..Limits::default() };
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve(listener, Router::new(), limits, shutdown.clone()));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    shutdown.cancel();
    server.await.unwrap();
}

#[tokio::test]
async fn a_client_that_says_nothing_or_speaks_http_2_is_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { head_timeout: Duration::from_millis(100), ..Limits::default() };
    tokio::spawn(serve(listener, Router::new(), limits, CancellationToken::new()));
    for greeting in [&b""[..], b"PRI * HT", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(greeting).await.unwrap();
        let mut answer = Vec::new();
        // Ends only because the server closes; a reset is an end as well.
        let _ = client.read_to_end(&mut answer).await;
        assert!(!answer.windows(3).any(|part| part == [0, 0, 4]), "no HTTP/2 settings frame: {answer:?}");
    }
}
