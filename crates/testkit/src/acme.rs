//! A certificate authority that speaks ACME (RFC 8555), looks at challenges for real, and can fail.
//!
//! It checks what a client must do: nonces once, signatures, addresses, accounts, terms. It speaks TLS, as clients insist.

mod issue;
mod jws;
mod look;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use issue::Issuer;
use jws::Signed;
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use crate::Authority;

/// What the authority does wrong, or finds wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcmeTrouble {
    /// Nothing.
    #[default]
    None,
    /// It answers 429 to new orders.
    RateLimited,
    /// It answers 500 to everything but its directory.
    Broken,
    /// It never looks at challenges.
    NeverLooks,
    /// It is asked for a certificate and issues one for another key.
    AnotherKey,
}

/// One authority on a free port; it ends when dropped.
pub struct AcmeServer {
    /// Where it says what it can do.
    pub directory: String,
    /// Who certifies its address, in PEM: what a client must be told to trust.
    pub root_file: PathBuf,
    shared: Arc<Shared>,
    _dir: tempfile::TempDir,
    _task: AbortOnDropHandle<()>,
}

pub(crate) struct Shared {
    base: String,
    state: Mutex<Books>,
    issuer: Issuer,
    /// Where hosts are looked for: (HTTP, TLS).
    looks_at: (SocketAddr, SocketAddr),
}

#[derive(Default)]
pub(crate) struct Books {
    trouble: AcmeTrouble,
    nonces: HashSet<String>,
    /// By id: the account's public key.
    accounts: HashMap<String, jws::PublicKey>,
    orders: Vec<Order>,
    looked: usize,
    serial: u64,
    lifetime_seconds: u64,
}

struct Order {
    hosts: Vec<Host>,
    finalized: bool,
    chain: Option<String>,
}

struct Host {
    name: String,
    token: String,
    state: &'static str,
    kind: Option<String>,
    why: Option<String>,
}

impl AcmeServer {
    /// Starts one that finds all hosts at these two addresses, for HTTP and for TLS.
    ///
    /// # Panics
    /// When there is no free port, as all of this.
    pub async fn start(http: SocketAddr, tls: SocketAddr) -> Self {
        let authority = Authority::new();
        let issued = authority.issue(&["localhost"]);
        let dir = tempfile::tempdir().expect("a directory");
        let root_file = dir.path().join("acme-root.pem");
        std::fs::write(&root_file, authority.pem()).expect("it can be written");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            base: format!("https://localhost:{port}"),
            state: Mutex::new(Books { lifetime_seconds: 90 * 86_400, ..Books::default() }),
            issuer: Issuer::new(),
            looks_at: (http, tls),
        });
        let router = Router::new()
            .route("/directory", get(directory))
            .route("/nonce", get(new_nonce))
            .route("/account", post(new_account))
            .route("/order", post(new_order))
            .route("/order/{order}", post(show_order))
            .route("/order/{order}/finalize", post(finalize))
            .route("/order/{order}/certificate", post(certificate))
            .route("/authorization/{order}/{host}", post(show_authorization))
            .route("/challenge/{order}/{host}/{kind}", post(respond))
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(crate::tls_server::serve(listener, issued, router));
        Self {
            directory: format!("https://localhost:{port}/directory"),
            root_file,
            shared,
            _dir: dir,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// From now on.
    pub fn trouble(&self, trouble: AcmeTrouble) {
        self.shared.books().trouble = trouble;
    }

    /// For how long it certifies from now on.
    pub fn lifetime_seconds(&self, seconds: u64) {
        self.shared.books().lifetime_seconds = seconds;
    }

    /// Accounts and orders so far, and challenges that it looked at.
    #[must_use]
    pub fn figures(&self) -> (usize, usize, usize) {
        let books = self.shared.books();
        (books.accounts.len(), books.orders.len(), books.looked)
    }

    /// Who signs what it issues, in PEM.
    #[must_use]
    pub fn issuer_pem(&self) -> String {
        self.shared.issuer.pem()
    }
}

impl Shared {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer with a new nonce.
    fn answer(&self, status: StatusCode, location: Option<String>, body: impl IntoResponse) -> Response {
        let mut answer = (status, body).into_response();
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let value = |text: &str| HeaderValue::from_str(text).expect("plain text");
        answer.headers_mut().insert("replay-nonce", value(&nonce));
        if let Some(location) = location {
            answer.headers_mut().insert("location", value(&location));
        }
        self.books().nonces.insert(nonce);
        answer
    }

    fn refuse(&self, status: u16, kind: &str, detail: &str) -> Response {
        let kind = format!("urn:ietf:params:acme:error:{kind}");
        let body = json!({ "type": kind, "detail": detail, "status": status });
        let mut answer = self.answer(StatusCode::from_u16(status).expect("a status"), None, Json(body));
        let problem = HeaderValue::from_static("application/problem+json");
        answer.headers_mut().insert("content-type", problem);
        answer
    }

    /// Reads what was sent to `path`, or says what is wrong with it.
    fn read(&self, path: &str, headers: &HeaderMap, body: &Bytes) -> Result<Signed, Box<Response>> {
        if self.books().trouble == AcmeTrouble::Broken {
            return Err(self.refuse(500, "serverInternal", "it is broken today").into());
        }
        if headers.get("content-type").is_none_or(|kind| kind != "application/jose+json") {
            return Err(self.refuse(415, "malformed", "is no application/jose+json").into());
        }
        let accounts = self.books().accounts.clone();
        let signed = Signed::read(body, &format!("{}{path}", self.base), &accounts)
            .map_err(|why| self.refuse(400, "malformed", &why))?;
        if !self.books().nonces.remove(&signed.nonce) {
            return Err(self.refuse(400, "badNonce", "was used before, or never given").into());
        }
        Ok(signed)
    }

    fn order_body(&self, at: usize, order: &Order) -> Value {
        let state = match order {
            Order { chain: Some(_), .. } => "valid",
            order if order.hosts.iter().any(|host| host.state == "invalid") => "invalid",
            order if order.hosts.iter().all(|host| host.state == "valid") => "ready",
            _ => "pending",
        };
        let url = |rest: String| format!("{}/{rest}", self.base);
        let mut body = json!({
            "status": state,
            "identifiers": order.hosts.iter().map(|host| json!({ "type": "dns", "value": host.name })).collect::<Vec<_>>(),
            "authorizations": (0..order.hosts.len()).map(|host| url(format!("authorization/{at}/{host}"))).collect::<Vec<_>>(),
            "finalize": url(format!("order/{at}/finalize")),
        });
        if order.chain.is_some() {
            body["certificate"] = url(format!("order/{at}/certificate")).into();
        }
        body
    }

    fn authorization_body(&self, at: (usize, usize), host: &Host) -> Value {
        let challenge = |kind: &str| {
            let is_this = host.kind.as_deref() == Some(kind);
            let mut body = json!({
                "type": kind, "token": host.token, "status": if is_this { host.state } else { "pending" },
                "url": format!("{}/challenge/{}/{}/{kind}", self.base, at.0, at.1),
            });
            if let (true, Some(why)) = (is_this, &host.why) {
                let kind = "urn:ietf:params:acme:error:unauthorized";
                body["error"] = json!({ "type": kind, "detail": why, "status": 403 });
            }
            body
        };
        json!({
            "status": host.state, "identifier": { "type": "dns", "value": host.name },
            "challenges": [challenge("http-01"), challenge("tls-alpn-01"), challenge("dns-01")],
        })
    }
}

type Sent = (State<Arc<Shared>>, HeaderMap, Bytes);

async fn directory(State(shared): State<Arc<Shared>>) -> Response {
    let base = &shared.base;
    Json(json!({
        "newNonce": format!("{base}/nonce"), "newAccount": format!("{base}/account"),
        "newOrder": format!("{base}/order"), "revokeCert": format!("{base}/revoke"),
        "keyChange": format!("{base}/key"), "meta": { "termsOfService": format!("{base}/terms") },
    }))
    .into_response()
}

async fn new_nonce(State(shared): State<Arc<Shared>>) -> Response {
    shared.answer(StatusCode::OK, None, ())
}

async fn new_account((State(shared), headers, body): Sent) -> Response {
    let signed = match shared.read("/account", &headers, &body) {
        Ok(signed) => signed,
        Err(refusal) => return *refusal,
    };
    if signed.payload["termsOfServiceAgreed"] != true {
        return shared.refuse(403, "userActionRequired", "the terms are not agreed to");
    }
    let id = format!("{}/account/{}", shared.base, shared.books().accounts.len());
    shared.books().accounts.insert(id.clone(), signed.key);
    shared.answer(StatusCode::CREATED, Some(id), Json(json!({ "status": "valid" })))
}

async fn new_order((State(shared), headers, body): Sent) -> Response {
    let signed = match shared.read("/order", &headers, &body) {
        Ok(signed) => signed,
        Err(refusal) => return *refusal,
    };
    if shared.books().trouble == AcmeTrouble::RateLimited {
        return shared.refuse(429, "rateLimited", "too many certificates this week");
    }
    let wanted = signed.payload["identifiers"].as_array().cloned().unwrap_or_default();
    let hosts = wanted.iter().map(|identifier| Host {
        name: identifier["value"].as_str().unwrap_or_default().to_owned(),
        token: uuid::Uuid::new_v4().simple().to_string(),
        state: "pending",
        kind: None,
        why: None,
    });
    let order = Order { hosts: hosts.collect(), finalized: false, chain: None };
    let at = shared.books().orders.len();
    let body = shared.order_body(at, &order);
    shared.books().orders.push(order);
    shared.answer(StatusCode::CREATED, Some(format!("{}/order/{at}", shared.base)), Json(body))
}

async fn show_order(Path(at): Path<usize>, (State(shared), headers, body): Sent) -> Response {
    if let Err(refusal) = shared.read(&format!("/order/{at}"), &headers, &body) {
        return *refusal;
    }
    let body = shared.books().orders.get(at).map(|order| shared.order_body(at, order));
    match body {
        Some(body) => shared.answer(StatusCode::OK, None, Json(body)),
        None => shared.refuse(404, "malformed", "no such order"),
    }
}

async fn show_authorization(
    Path(at): Path<(usize, usize)>,
    (State(shared), headers, body): Sent,
) -> Response {
    if let Err(refusal) = shared.read(&format!("/authorization/{}/{}", at.0, at.1), &headers, &body) {
        return *refusal;
    }
    let body = shared
        .books()
        .orders
        .get(at.0)
        .and_then(|order| order.hosts.get(at.1).map(|host| shared.authorization_body(at, host)));
    match body {
        Some(body) => shared.answer(StatusCode::OK, None, Json(body)),
        None => shared.refuse(404, "malformed", "no such authorization"),
    }
}

async fn respond(
    Path((order, host, kind)): Path<(usize, usize, String)>,
    (State(shared), headers, body): Sent,
) -> Response {
    let signed = match shared.read(&format!("/challenge/{order}/{host}/{kind}"), &headers, &body) {
        Ok(signed) => signed,
        Err(refusal) => return *refusal,
    };
    let found = {
        let mut books = shared.books();
        let waits = books.trouble == AcmeTrouble::NeverLooks;
        books.looked += usize::from(!waits);
        let found = books.orders.get_mut(order).and_then(|order| order.hosts.get_mut(host));
        found.map(|found| {
            found.kind = Some(kind.clone());
            (found.name.clone(), found.token.clone(), waits)
        })
    };
    let Some((name, token, waits)) = found else {
        return shared.refuse(404, "malformed", "no such challenge");
    };
    let answer = json!({ "type": kind, "token": token, "status": "processing",
        "url": format!("{}/challenge/{order}/{host}/{kind}", shared.base) });
    if !waits {
        let expected = format!("{token}.{}", signed.key.thumbprint());
        let looks = Arc::clone(&shared);
        tokio::spawn(async move {
            let seen = look::at(looks.looks_at, &kind, &name, &token, &expected).await;
            let mut books = looks.books();
            if let Some(host) = books.orders.get_mut(order).and_then(|order| order.hosts.get_mut(host)) {
                host.state = if seen.is_ok() { "valid" } else { "invalid" };
                host.why = seen.err();
            }
        });
    }
    shared.answer(StatusCode::OK, None, Json(answer))
}

async fn finalize(Path(at): Path<usize>, (State(shared), headers, body): Sent) -> Response {
    let signed = match shared.read(&format!("/order/{at}/finalize"), &headers, &body) {
        Ok(signed) => signed,
        Err(refusal) => return *refusal,
    };
    let mut books = shared.books();
    let (trouble, lifetime) = (books.trouble, books.lifetime_seconds);
    books.serial += 1;
    let Some(order) = books.orders.get_mut(at) else {
        drop(books);
        return shared.refuse(404, "malformed", "no such order");
    };
    if order.finalized || order.hosts.iter().any(|host| host.state != "valid") {
        drop(books);
        return shared.refuse(403, "orderNotReady", "its hosts are not proven");
    }
    let names: Vec<String> = order.hosts.iter().map(|host| host.name.clone()).collect();
    let another_key = trouble == AcmeTrouble::AnotherKey;
    match shared.issuer.sign(
        signed.payload["csr"].as_str().unwrap_or_default(),
        &names,
        lifetime,
        another_key,
    ) {
        Ok(chain) => {
            order.finalized = true;
            order.chain = Some(chain);
            let body = shared.order_body(at, order);
            drop(books);
            shared.answer(StatusCode::OK, Some(format!("{}/order/{at}", shared.base)), Json(body))
        }
        Err(why) => {
            drop(books);
            shared.refuse(400, "badCSR", &why)
        }
    }
}

async fn certificate(Path(at): Path<usize>, (State(shared), headers, body): Sent) -> Response {
    if let Err(refusal) = shared.read(&format!("/order/{at}/certificate"), &headers, &body) {
        return *refusal;
    }
    let chain = shared.books().orders.get(at).and_then(|order| order.chain.clone());
    match chain {
        Some(chain) => shared.answer(StatusCode::OK, None, chain),
        None => shared.refuse(404, "malformed", "it is not issued"),
    }
}
