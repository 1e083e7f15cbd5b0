//! A face over a fresh database, two tokens, and what holds for every answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tollgate_admin_api::{AdminApiState, router};
use tollgate_control::{Actor, Control, Settings};
use tollgate_domain::OperatorRole;
use tollgate_engine::Peppers;
use tollgate_testkit::{Authority, TestDatabase};
use tower::ServiceExt;

/// The platform as scripts see it.
pub struct Stage {
    pub control: Control,
    pub router: Router,
    pub admin: String,
    pub auditor: String,
    pub database: TestDatabase,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// `null` where there is none or it is not JSON.
    pub body: Value,
    pub text: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The one member `id`.
    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text))
    }

    /// Pointers and parameters of the faults.
    pub fn places(&self) -> Vec<&str> {
        let faults = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        faults.iter().filter_map(|fault| fault["pointer"].as_str().or(fault["parameter"].as_str())).collect()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

impl Stage {
    pub async fn new() -> Self {
        let database = TestDatabase::create().await;
        let peppers = Peppers::new(vec![(1, *b"0123456789abcdef0123456789abcdef")]).unwrap();
        let control = Control::new(database.store(), Arc::new(peppers), Settings::default());
        let mut tokens = Vec::new();
        for (name, role) in [("admin", OperatorRole::Admin), ("auditor", OperatorRole::Auditor)] {
            let token = control.create_token(&Actor::system(), name, role, None, false).await.unwrap();
            tokens.push(token.reveal().to_owned());
        }
        let state = AdminApiState {
            control: control.clone(),
            problem_base_url: "https://portal.example/problems".to_owned(),
            https: true,
            trusted_proxies: "10.0.0.0/8".parse().unwrap(),
        };
        let [admin, auditor] = tokens.try_into().unwrap();
        Self { control, router: router(state), admin, auditor, database }
    }

    /// Connections of its own, for what happens behind the face's back.
    pub fn pool(&self) -> &sqlx::PgPool {
        self.database.pool()
    }

    /// A token that was an admin's until now.
    pub async fn expired(&self) -> String {
        let past = Some(chrono::Utc::now() - chrono::TimeDelta::seconds(1));
        let token =
            self.control.create_token(&Actor::system(), "expired", OperatorRole::Admin, past, false).await;
        token.unwrap().reveal().to_owned()
    }

    /// The id of a person with an account.
    pub async fn user(&self, email: &str) -> String {
        let sql = "insert into users (id, email, password_hash) values (gen_random_uuid(), $1, 'none') returning id";
        let id: uuid::Uuid = sqlx::query_scalar(sql).bind(email).fetch_one(self.pool()).await.unwrap();
        tollgate_domain::UserId::from(id).to_string()
    }

    /// Another admin's token.
    pub async fn token(&self, name: &str) -> String {
        let token = self.control.create_token(&Actor::system(), name, OperatorRole::Admin, None, false).await;
        token.unwrap().reveal().to_owned()
    }

    /// Sends a request as it is, and checks what holds for every answer.
    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        let peer = SocketAddr::new(IpAddr::from([192, 0, 2, 1]), 4711);
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let head = request.method() == Method::HEAD;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("answers are UTF-8");
        let body = serde_json::from_str(&text).unwrap_or_default();
        let reply = Reply { status: parts.status, headers: parts.headers, body, text };
        assert!(!reply.header("x-request-id").is_empty(), "{reply:?}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        if reply.status.as_u16() >= 400 && !head {
            assert_eq!(reply.header("content-type"), "application/problem+json", "{}", reply.text);
            let code = reply.body["code"].as_str().expect("a problem has a code");
            assert_eq!(reply.body["type"], json!(format!("https://portal.example/problems/{code}")));
            assert_eq!(reply.body["status"], json!(reply.status.as_u16()));
            assert_eq!(reply.body["request_id"], json!(reply.header("x-request-id")));
            for leak in ["sqlx", "constraint", "postgres", "panicked", "src/"] {
                assert!(!reply.text.to_lowercase().contains(leak), "{}", reply.text);
            }
        }
        reply
    }

    /// A request with a token and a JSON body; changes mean whatever version is stored.
    pub async fn call_as(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request =
            Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {token}"));
        if matches!(method, "PATCH" | "DELETE") {
            request = request.header(IF_MATCH, "*");
        }
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call_as(&self.admin, "GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call_as(&self.admin, "POST", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.call_as(&self.admin, "PUT", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call_as(&self.admin, "PATCH", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call_as(&self.admin, "DELETE", path, None).await
    }

    /// A request with more than these say; the token is the admin's.
    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {}", self.admin))
    }

    pub async fn service(&self, slug: &str) -> Reply {
        let body = json!({ "slug": slug, "name": slug, "targets": [{ "url": "http://10.0.0.7:8080" }] });
        self.post("/v1/services", body).await.expect(201)
    }

    /// One of everything: service, API with one route, product, plan, organization, application, subscription, key.
    pub async fn world(&self) -> World {
        let service = self.service("backend").await.id().to_owned();
        let api = json!({
            "slug": "countries", "name": "Countries", "service_id": service, "base_path": "/countries",
            "state": "published", "document": document(),
        });
        let api = self.post("/v1/apis", api).await.expect(201).id().to_owned();
        let product = json!({ "slug": "atlas", "name": "Atlas", "state": "published", "apis": [api] });
        let product = self.post("/v1/products", product).await.expect(201).id().to_owned();
        let plan = self.post("/v1/plans", plan(&product, "free")).await.expect(201).id().to_owned();
        let organization = self.post("/v1/organizations", json!({ "name": "Globex" })).await.expect(201);
        let organization = organization.id().to_owned();
        let application = json!({ "organization_id": organization, "name": "Website" });
        let application = self.post("/v1/applications", application).await.expect(201).id().to_owned();
        let subscription = json!({ "application_id": application, "plan_id": plan });
        let subscription = self.post("/v1/subscriptions", subscription).await.expect(201).id().to_owned();
        let key = self.post("/v1/keys", json!({ "application_id": application, "name": "First" })).await;
        let key = key.expect(201).id().to_owned();
        let issued = Authority::new().issue(&["api.example.com"]);
        let pair = json!({ "slug": "api", "chain": issued.chain, "private_key": issued.key });
        let certificate = self.post("/v1/certificates", pair).await.expect(201).id().to_owned();
        World { service, api, product, plan, organization, application, subscription, key, certificate }
    }
}

/// Ids of one thing of each kind.
pub struct World {
    pub service: String,
    pub api: String,
    pub product: String,
    pub plan: String,
    pub organization: String,
    pub application: String,
    pub subscription: String,
    pub key: String,
    pub certificate: String,
}

pub fn plan(product: &str, slug: &str) -> Value {
    json!({
        "product_id": product, "slug": slug, "name": slug,
        "price": { "minor": 0, "currency": "EUR", "per": "month" },
        "limits": [
            { "name": "burst", "kind": "rate", "amount": 10, "period": "second" },
            { "name": "month", "kind": "quota", "amount": 1000, "period": "month" },
        ],
    })
}

pub fn document() -> Value {
    json!({
        "openapi": "3.1.0", "info": { "title": "Countries", "version": "1.0.0" },
        "paths": { "/{code}": { "get": {
            "operationId": "getCountry", "summary": "One country",
            "parameters": [{ "name": "code", "in": "path", "required": true, "schema": { "type": "string" } }],
            "responses": { "200": { "description": "The country." } },
        } } },
    })
}
