//! What all visitors see alike is kept for a moment: a page that a thousand of them ask for in a second is made once.
//!
//! Only answers without a session and without a secret are kept, and none that is older than the last change made
//! through this portal. A change made elsewhere shows when the moment is over.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tollgate_language::Language;

use crate::conditional::{Whole, known, may_be_kept, not_modified};
use crate::look::Look;
use crate::say::language_of;

/// How much is kept; where more is asked for in a moment, it begins anew.
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// How large one page may be.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// How long a page whose moment is over is shown while somebody waits for it to be made anew.
const RENEWED_WITHIN: Duration = Duration::from_secs(5);
/// How long an address and the encodings that are taken may be together.
const ASKED_BYTES_MAX: usize = 512;

/// Pages and the look of all pages, for a moment.
#[derive(Debug, Clone)]
pub struct Kept {
    moment: Duration,
    /// Changes made through this portal.
    changes: Arc<AtomicU64>,
    pages: Arc<RwLock<Pages>>,
    look: Arc<RwLock<KeptLook>>,
}

type KeptLook = Option<(Made, Arc<Look>)>;

#[derive(Debug, Default)]
struct Pages {
    by_asked: HashMap<Asked, Page>,
    bytes: usize,
}

/// All that a public page depends on: its address, its language, and how it may be encoded.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Asked {
    address: String,
    language: Language,
    encodings: String,
}

#[derive(Debug)]
struct Page {
    made: Made,
    headers: HeaderMap,
    body: Bytes,
    /// Somebody has it made anew; one is enough, and the others need not wait.
    renewing: AtomicBool,
}

/// When something was made, and after how many changes.
#[derive(Debug, Clone, Copy)]
struct Made {
    at: Instant,
    changes: u64,
}

impl Kept {
    /// Keeps things for so long; nothing where that is zero.
    #[must_use]
    pub fn new(moment: Duration) -> Self {
        Self { moment, changes: Arc::default(), pages: Arc::default(), look: Arc::default() }
    }

    /// The look of all pages, if it is known.
    pub fn look(&self) -> Option<Arc<Look>> {
        let kept = self.look.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(made, _)| self.is_fresh(*made)).map(|(_, look)| Arc::clone(look))
    }

    /// Keeps the look that `read` finds.
    pub async fn keep_look<E>(&self, read: impl Future<Output = Result<Look, E>>) -> Result<Arc<Look>, E> {
        let made = self.now();
        let look = Arc::new(read.await?);
        *self.look.write().unwrap_or_else(PoisonError::into_inner) = Some((made, Arc::clone(&look)));
        Ok(look)
    }

    /// Before something is read: what changes meanwhile makes it old.
    fn now(&self) -> Made {
        Made { at: Instant::now(), changes: self.changes.load(Ordering::Acquire) }
    }

    fn is_fresh(&self, made: Made) -> bool {
        self.is_current(made) && made.at.elapsed() < self.moment
    }

    fn is_current(&self, made: Made) -> bool {
        made.changes == self.changes.load(Ordering::Acquire)
    }

    /// Whether a page is shown as it is. The first who finds its moment over does not see it, and has it made anew.
    fn is_shown(&self, page: &Page) -> bool {
        let late = self.is_current(page.made) && page.made.at.elapsed() < self.moment + RENEWED_WITHIN;
        self.is_fresh(page.made) || (late && page.renewing.swap(true, Ordering::AcqRel))
    }

    fn find(&self, asked: &Asked, request: &HeaderMap) -> Option<Response> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        let page = pages.by_asked.get(asked).filter(|page| self.is_shown(page))?;
        let (headers, body) = (page.headers.clone(), page.body.clone());
        drop(pages);
        let tag = headers.get(header::ETAG)?.to_str().ok()?.trim_matches('"').to_owned();
        Some(match known(request.get_all(header::IF_NONE_MATCH), &tag) {
            Some(known) => not_modified(headers, known),
            None => (headers, body).into_response(),
        })
    }

    fn keep(&self, asked: Asked, page: Page) {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        if pages.bytes + page.body.len() > BYTES_MAX {
            *pages = Pages::default();
        }
        pages.bytes += page.body.len();
        if let Some(before) = pages.by_asked.insert(asked, page) {
            pages.bytes -= before.body.len();
        }
    }
}

/// Answers visitors with what is kept, and keeps what they are answered.
pub async fn public(State(kept): State<Kept>, request: Request, next: Next) -> Response {
    if !request.method().is_safe() {
        let response = next.run(request).await;
        if response.status().is_success() || response.status().is_redirection() {
            kept.changes.fetch_add(1, Ordering::Release);
        }
        return response;
    }
    let Some(asked) = asked(&request).filter(|_| !kept.moment.is_zero()) else {
        return next.run(request).await;
    };
    if let Some(response) = kept.find(&asked, request.headers()) {
        return response;
    }
    let made = kept.now();
    let response = next.run(request).await;
    if !is_public(&response) {
        return response;
    }
    let (parts, body) = response.into_parts();
    // Compressing makes none much longer.
    let Ok(body) = to_bytes(body, 2 * PAGE_BYTES_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let renewing = AtomicBool::new(false);
    kept.keep(asked, Page { made, headers: parts.headers.clone(), body: body.clone(), renewing });
    Response::from_parts(parts, Body::from(body))
}

/// What is asked for, if it may be answered to everybody alike.
fn asked(request: &Request) -> Option<Asked> {
    let headers = request.headers();
    let alone =
        ![header::COOKIE, header::AUTHORIZATION, header::RANGE].iter().any(|name| headers.contains_key(name));
    let address = request.uri().path_and_query()?.as_str();
    let encodings = headers.get(header::ACCEPT_ENCODING).map_or(Some(""), |value| value.to_str().ok())?;
    let short = address.len() + encodings.len() <= ASKED_BYTES_MAX;
    (alone && short && *request.method() == Method::GET).then(|| Asked {
        address: address.to_owned(),
        language: language_of(headers),
        encodings: encodings.to_owned(),
    })
}

/// Whether an answer has nothing of its reader in it.
fn is_public(response: &Response) -> bool {
    let headers = response.headers();
    let is_short = response.extensions().get::<Whole>().is_some_and(|whole| whole.0 <= PAGE_BYTES_MAX);
    response.status() == StatusCode::OK
        && is_short
        && headers.contains_key(header::ETAG)
        && !headers.contains_key(header::SET_COOKIE)
        && may_be_kept(headers)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use axum::Router;
    use axum::http::HeaderValue;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    /// A page that says how often it was made; who posts to it changes it.
    fn site(moment: Duration, caching: &'static str) -> Router {
        let made = Arc::new(AtomicUsize::new(0));
        let page = move || async move {
            (
                [(header::CACHE_CONTROL, caching)],
                format!("made {} times", made.fetch_add(1, Ordering::Relaxed) + 1),
            )
        };
        Router::new()
            .route("/", get(page).post(|| async { StatusCode::SEE_OTHER }))
            .layer(axum::middleware::from_fn(crate::conditional::tagged))
            .layer(axum::middleware::from_fn_with_state(Kept::new(moment), public))
    }

    async fn ask(
        site: &Router,
        method: Method,
        address: &str,
        field: Option<(&str, &str)>,
    ) -> (StatusCode, String) {
        let mut request = Request::builder().method(method).uri(address);
        if let Some((name, value)) = field {
            request = request.header(name, HeaderValue::from_str(value).unwrap());
        }
        let response = site.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn read(site: &Router, address: &str, field: Option<(&str, &str)>) -> String {
        ask(site, Method::GET, address, field).await.1
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn visitors_share_a_page_of_one_address_language_and_encoding() {
        let site = site(HOUR, "private, no-cache");
        assert_eq!(read(&site, "/", None).await, "made 1 times");
        assert_eq!(read(&site, "/", None).await, "made 1 times");
        assert_eq!(read(&site, "/?q=a", None).await, "made 2 times");
        assert_eq!(read(&site, "/", Some(("accept-language", "de"))).await, "made 3 times");
        assert_eq!(read(&site, "/", Some(("accept-encoding", "gzip"))).await, "made 4 times");
        assert_eq!(read(&site, "/", None).await, "made 1 times");
    }

    #[tokio::test]
    async fn who_has_it_is_told_so_from_what_is_kept() {
        let site = site(HOUR, "private, no-cache");
        let first =
            site.clone().oneshot(Request::builder().uri("/").body(Body::empty()).unwrap()).await.unwrap();
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let known = ask(&site, Method::GET, "/", Some(("if-none-match", &tag))).await;
        assert_eq!(known, (StatusCode::NOT_MODIFIED, String::new()));
        assert_eq!(read(&site, "/", Some(("if-none-match", "\"other\""))).await, "made 1 times");
    }

    #[tokio::test]
    async fn while_one_has_a_page_made_anew_the_others_see_it_as_it_was() {
        let (made, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Semaphore::new(1)));
        let opened = Arc::clone(&gate);
        let page = move || async move {
            opened.acquire().await.unwrap().forget();
            (
                [(header::CACHE_CONTROL, "private")],
                format!("made {} times", made.fetch_add(1, Ordering::Relaxed) + 1),
            )
        };
        let site = Router::new()
            .route("/", get(page))
            .layer(axum::middleware::from_fn(crate::conditional::tagged))
            .layer(axum::middleware::from_fn_with_state(Kept::new(Duration::from_nanos(1)), public));
        assert_eq!(read(&site, "/", None).await, "made 1 times");
        let mut renewing = Box::pin(read(&site, "/", None));
        let waits =
            std::future::poll_fn(|cx| std::task::Poll::Ready(renewing.as_mut().poll(cx).is_pending()));
        assert!(waits.await, "it waits for the gate");
        assert_eq!(read(&site, "/", None).await, "made 1 times");
        gate.add_permits(1);
        assert_eq!(renewing.await, "made 2 times");
    }

    #[tokio::test]
    async fn a_session_a_change_a_moment_and_a_secret_each_make_a_page_anew() {
        let kept = site(HOUR, "private, no-cache");
        read(&kept, "/", None).await;
        assert_eq!(read(&kept, "/", Some(("cookie", "theme=dark"))).await, "made 2 times");
        assert_eq!(read(&kept, "/", Some(("authorization", "Bearer x"))).await, "made 3 times");
        assert_eq!(read(&kept, "/", None).await, "made 1 times");
        ask(&kept, Method::POST, "/", None).await;
        assert_eq!(read(&kept, "/", None).await, "made 4 times");
        ask(&kept, Method::PUT, "/", None).await;
        assert_eq!(read(&kept, "/", None).await, "made 4 times", "what was refused changed nothing");
        for site in [
            site(Duration::ZERO, "private, no-cache"),
            site(Duration::from_nanos(1), "private"),
            site(HOUR, "no-store"),
        ] {
            read(&site, "/", None).await;
            assert_eq!(read(&site, "/", None).await, "made 2 times");
        }
    }
}
