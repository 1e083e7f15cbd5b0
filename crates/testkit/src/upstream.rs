//! Upstreams for the gateway to forward to: they answer as told and remember what they were sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

const BODY_BYTES_MAX: usize = 64 << 20;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

type Log = Arc<Mutex<Vec<Recorded>>>;

#[derive(Clone)]
struct Memory {
    log: Log,
    count: Arc<watch::Sender<usize>>,
}

/// A running upstream on a free port of the loopback address; stops when dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    log: Log,
    count: watch::Receiver<usize>,
    _stop: DropGuard,
}

impl Upstream {
    /// Answers 200 with a JSON account of the request: `method`, `path`, `query`, `headers`, `body`.
    pub async fn echo() -> Self {
        Self::serving(Router::new().fallback(echo)).await
    }

    /// Answers always the same.
    pub async fn answering(status: StatusCode, body: &'static str) -> Self {
        Self::serving(Router::new().fallback(move || async move { (status, body) })).await
    }

    /// Answers with these routes, and remembers every request, also those that no route takes.
    ///
    /// # Panics
    /// When the loopback address has no free port.
    pub async fn serving(routes: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback address has a free port");
        Self::on(listener, routes)
    }

    /// Like [`Upstream::serving`], on a listener of the caller's: an upstream that comes back where it was.
    ///
    /// # Panics
    /// When the listener has no address.
    #[must_use]
    pub fn on(listener: TcpListener, routes: Router) -> Self {
        let address = listener.local_addr().expect("a bound listener has an address");
        let log = Log::default();
        let (sender, count) = watch::channel(0);
        let memory = Memory { log: Arc::clone(&log), count: Arc::new(sender) };
        let routes = routes.layer(middleware::from_fn_with_state(memory, remember));
        let stop = until_dropped(listener, |listener| async move {
            axum::serve(listener, routes).await.unwrap_or(());
        });
        Self { address, log, count, _stop: stop }
    }

    /// Accepts connections and closes them after the first bytes, without an answer.
    ///
    /// # Panics
    /// When the loopback address has no free port.
    pub async fn hanging_up() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback address has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (sender, count) = watch::channel(0);
        let stop = until_dropped(listener, |listener| async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                sender.send_modify(|count| *count += 1);
            }
        });
        Self { address, log: Log::default(), count, _stop: stop }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What arrived so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until that many requests have arrived.
    ///
    /// # Panics
    /// When they have not after ten seconds.
    pub async fn wait_for(&self, count: usize) {
        let mut arrived = self.count.clone();
        let waiting = arrived.wait_for(|arrived| *arrived >= count);
        let waited = tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await;
        assert!(matches!(waited, Ok(Ok(_))), "{count} requests did not arrive");
    }
}

/// Runs a server on a runtime of its own, which ends with the guard and takes every open connection along,
/// as an upstream does that goes away.
fn until_dropped<F>(listener: TcpListener, serve: impl FnOnce(TcpListener) -> F + Send + 'static) -> DropGuard
where
    F: Future<Output = ()>,
{
    let listener = listener.into_std().expect("a listener can leave its runtime");
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a test may start a runtime");
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).expect("and join another");
            tokio::select! {
                () = stopped => {}
                () = serve(listener) => {}
            }
        });
    });
    stop.drop_guard()
}

async fn remember(State(memory): State<Memory>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    memory.log.lock().unwrap_or_else(PoisonError::into_inner).push(Recorded {
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        headers: parts.headers.clone(),
        body: body.clone(),
    });
    memory.count.send_modify(|count| *count += 1);
    next.run(Request::from_parts(parts, body.into())).await
}

async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> axum::Json<serde_json::Value> {
    let mut listed = serde_json::Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        listed.insert(name.to_string(), values.join(", ").into());
    }
    axum::Json(serde_json::json!({
        "method": method.as_str(),
        "path": uri.path(),
        "query": uri.query(),
        "headers": listed,
        "body": String::from_utf8_lossy(&body),
    }))
}
