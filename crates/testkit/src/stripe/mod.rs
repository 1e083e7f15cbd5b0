//! A double of Stripe that remembers: customers, pages that a browser can click through, invoices, payments, refunds, and
//! signed events that can be lost, repeated, mixed up and forged.
//!
//! It does what Stripe's documentation says, for what Tollgate asks. Its clock can be turned forward.

mod events;
mod form;
mod objects;
mod pages;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
pub use events::StripeMessage;
use form::Form;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A key that it takes.
pub const STRIPE_KEY: &str = "sk_test_double";
/// What it signs events with.
pub const STRIPE_WEBHOOK_SECRET: &str = "whsec_double";
/// For how long it remembers idempotency keys, like Stripe.
const KEY_LASTS: TimeDelta = TimeDelta::hours(24);

/// How it treats a request that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StripeFault {
    /// It answers 500 and does nothing.
    Fail,
    /// It does it, and the answer is lost on the way.
    LoseAnswer,
    /// It answers 429.
    Busy,
}

/// Stripe's double; gone when dropped.
#[derive(Debug, Clone)]
pub struct StripeDouble {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    _stop: Arc<DropGuard>,
}

/// Everything it knows.
#[derive(Debug, Default)]
struct Desk {
    url: String,
    ahead: TimeDelta,
    objects: HashMap<String, Value>,
    /// Ids, oldest first.
    order: Vec<String>,
    keys: HashMap<String, Remembered>,
    faults: VecDeque<StripeFault>,
    /// Changes that were asked for, repeated ones too.
    writes: usize,
    undelivered: Vec<Value>,
    hook: Option<String>,
    taxed: bool,
}

#[derive(Debug, Clone)]
struct Remembered {
    request: String,
    at: DateTime<Utc>,
    status: u16,
    answer: Value,
}

type Shared = Arc<Mutex<Desk>>;

fn locked(desk: &Shared) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A refusal as Stripe words it.
fn refusal(status: u16, kind: &str, message: &str) -> (u16, Value) {
    (status, json!({ "error": { "type": kind, "message": message } }))
}

impl StripeDouble {
    /// Starts one on a free port of the loopback address.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("the loopback address has a free port"))
    }

    /// Starts one on a listener.
    ///
    /// # Panics
    /// When the listener has no address.
    #[must_use]
    pub fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("a bound listener has an address");
        let desk = Desk { url: format!("http://{address}"), ..Desk::default() };
        let desk = Arc::new(Mutex::new(desk));
        let routes = Router::new()
            .route("/pages/{id}", axum::routing::get(pages::show).post(pages::click))
            .route("/account/{customer}", axum::routing::get(pages::account))
            .fallback(answer)
            .with_state(Arc::clone(&desk));
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped => {}
                _ = axum::serve(listener, routes) => {}
            }
        });
        Self { address, desk, _stop: Arc::new(stop.drop_guard()) }
    }

    /// Where it listens: `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Treats the next changes so, one each.
    pub fn fail_next(&self, faults: &[StripeFault]) {
        locked(&self.desk).faults.extend(faults);
    }

    /// Turns its clock forward.
    pub fn advance(&self, by: TimeDelta) {
        locked(&self.desk).ahead += by;
    }

    /// Puts a fifth on top of invoices that ask for taxes.
    pub fn tax(&self) {
        locked(&self.desk).taxed = true;
    }

    /// How many changes were asked for, repeated ones too.
    #[must_use]
    pub fn writes(&self) -> usize {
        locked(&self.desk).writes
    }

    /// Objects of a kind, like `invoice`, oldest first.
    #[must_use]
    pub fn list(&self, kind: &str) -> Vec<Value> {
        locked(&self.desk).list(kind, |_| true)
    }

    /// Changes an object behind everybody's back: for differences to be found.
    ///
    /// # Panics
    /// When there is no such object.
    pub fn tamper(&self, id: &str, field: &str, value: Value) {
        locked(&self.desk).objects.get_mut(id).expect("an object of that id")[field] = value;
    }

    /// Somebody finishes a page with a card: `4242` pays, `0341` is taken and declined later.
    pub async fn finish(&self, page: &str, card: &str) {
        pages::finish(&self.desk, page, card).await;
    }

    /// Everything that would be delivered now, signed; it is not delivered again.
    #[must_use]
    pub fn messages(&self) -> Vec<StripeMessage> {
        let mut desk = locked(&self.desk);
        let now = desk.now();
        std::mem::take(&mut desk.undelivered).iter().map(|event| StripeMessage::of(event, now)).collect()
    }

    /// Delivers every event at once to an address, as it happens.
    pub fn deliver_to(&self, url: &str) {
        locked(&self.desk).hook = Some(url.to_owned());
    }
}

impl Desk {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", uuid::Uuid::now_v7().simple())
    }

    fn keep(&mut self, object: Value) -> Value {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        if !self.objects.contains_key(&id) {
            self.order.push(id.clone());
        }
        self.objects.insert(id, object.clone());
        object
    }

    fn list(&self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let all = self.order.iter().filter_map(|id| self.objects.get(id));
        all.filter(|object| object["object"] == kind && wanted(object)).cloned().collect()
    }

    /// Does a change once per key, and says again what it said.
    fn write(&mut self, key: Option<&str>, path: &str, form: &Form) -> (u16, Value) {
        self.writes += 1;
        let now = self.now();
        self.keys.retain(|_, known| now - known.at < KEY_LASTS);
        let request = format!("{path} {form:?}");
        if let Some(known) = key.and_then(|key| self.keys.get(key)) {
            if known.request != request {
                return refusal(400, "idempotency_error", "this key was used for another request");
            }
            return (known.status, known.answer.clone());
        }
        let (status, answer) = self.change(path, form);
        if let Some(key) = key {
            let known = Remembered { request, at: now, status, answer: answer.clone() };
            self.keys.insert(key.to_owned(), known);
        }
        (status, answer)
    }
}

async fn answer(
    State(desk): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if bearer != Some(&format!("Bearer {STRIPE_KEY}")) {
        return json_of(refusal(401, "invalid_request_error", "Invalid API Key provided"));
    }
    let path = uri.path().strip_prefix("/v1/").unwrap_or_default().to_owned();
    if method == Method::GET {
        return json_of(locked(&desk).read(&path, &Form::read(uri.query().unwrap_or_default())));
    }
    let form = Form::read(&String::from_utf8_lossy(&body));
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let fault = locked(&desk).faults.pop_front();
    let answered = match fault {
        Some(StripeFault::Fail) => refusal(500, "api_error", "Something went wrong on Stripe's end"),
        Some(StripeFault::Busy) => refusal(429, "api_error", "Too many requests"),
        Some(StripeFault::LoseAnswer) | None => locked(&desk).write(key, &path, &form),
    };
    events::deliver(&desk).await;
    if fault == Some(StripeFault::LoseAnswer) {
        let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("lost"))]);
        return Body::from_stream(broken).into_response();
    }
    json_of(answered)
}

fn json_of((status, body): (u16, Value)) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(body)).into_response()
}
