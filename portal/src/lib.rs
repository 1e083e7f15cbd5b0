//! The control plane's HTML face: the developers' portal and the admins' web UI.
//!
//! Server-rendered pages that work without JavaScript. Reads go to `store`, writes to `control`.

mod agent;
mod assets;
mod chart;
mod conditional;
mod content;
mod error;
mod feed;
mod filters;
mod form;
mod framed;
mod handbook;
mod highlight;
mod kept;
mod look;
mod markup;
mod pages;
mod parts;
mod reference;
mod relay;
mod say;
mod session;
mod session_rows;
mod shell;
mod show;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tollgate_boot::TrustedProxies;
use tollgate_control::Control;
use tollgate_store::Store;
use tollgate_web::{Face, PageHeaders, Problem};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

/// What the portal needs to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where browsers reach the portal, without a final slash: `https://portal.example`.
    pub portal_url: String,
    /// Where callers reach the gateway, without a final slash.
    pub gateway_url: String,
    /// Where the portal itself reaches it to try calls out: often a loopback or private address.
    pub relay_url: String,
    /// Guides and changelog of the publisher; Tollgate's own where there is none.
    pub content_dir: Option<std::path::PathBuf>,
    /// Whether the portal is reached by https: then cookies are `__Host-` and `Secure`.
    pub secure_cookies: bool,
    /// Proxies whose `X-Forwarded-For` says who visits.
    pub trusted_proxies: TrustedProxies,
    /// How long a page is shown to visitors as it was made for another; what changes elsewhere shows after that.
    pub public_pages_kept: Duration,
}

/// What handlers work with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PortalState {
    /// Writes.
    pub control: Control,
    /// Reads.
    pub store: Store,
    /// What the portal was told.
    pub settings: Arc<Settings>,
    documents: reference::Documents,
    articles: pages::reference::Articles,
    relay: relay::Relay,
    content: content::Content,
    /// What passkeys are for; none where browsers make none here.
    passkeys: Option<tollgate_control::PasskeySite>,
    searched: pages::search::Files,
    kept: kept::Kept,
}

impl PortalState {
    /// Over the one brain and its store.
    #[must_use]
    pub fn new(control: Control, settings: Settings) -> Self {
        let store = control.store().clone();
        Self {
            control,
            store,
            relay: relay::Relay::to(&settings.relay_url),
            content: content::Content::read(settings.content_dir.as_deref()),
            passkeys: tollgate_control::PasskeySite::of(&settings.portal_url),
            kept: kept::Kept::new(settings.public_pages_kept),
            settings: Arc::new(settings),
            documents: reference::Documents::default(),
            articles: pages::reference::Articles::default(),
            searched: pages::search::Files::default(),
        }
    }
}

/// The portal, ready to be served. Layers from the outside in: what every answer carries, refusal of posts from
/// other sites, the session, the pages. What pages send is tagged
/// first, then compressed, and kept for a moment where it is for everybody. Static files need neither session nor protection, and are
/// compressed already.
pub fn router(state: PortalState) -> Router {
    let secure = state.settings.secure_cookies;
    let sessions = SessionManagerLayer::new(session_rows::SessionRows(state.store.clone()))
        .with_name(session::cookie_name(secure))
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(time::Duration::hours(12)));
    // A proxy in front may rewrite Host; the public origin is ours whatever Host says.
    let own_origin = CsrfLayer::new().add_trusted_origin(state.settings.portal_url.as_str()).unwrap_or_else(|error| {
        tracing::warn!(%error, "the portal's own URL is not an origin; posts are checked against Host alone");
        CsrfLayer::new()
    });
    let face = |body_bytes_max: usize, seconds: u64| Face {
        problem_base: format!("{}/problems/", state.settings.portal_url),
        body_bytes_max,
        timeout: Duration::from_secs(seconds),
        headers: PageHeaders { form_hosts: state.control.payment_origins(), https: secure }.into(),
        render: error::render,
    };
    let around = |pages: Router<PortalState>| {
        pages
            .layer(axum::middleware::from_fn(say::in_their_language))
            .layer(sessions.clone())
            .layer(own_origin.clone())
            .layer(axum::middleware::map_response(forged_posts_as_problems))
            .layer(axum::middleware::from_fn(conditional::tagged))
            .layer(
                CompressionLayer::new()
                    .quality(CompressionLevel::Precise(4))
                    .compress_when(DefaultPredicate::new().and(conditional::compressible)),
            )
            .layer(axum::middleware::map_response(conditional::coded))
            .layer(axum::middleware::from_fn_with_state(state.kept.clone(), kept::public))
            .with_state(state.clone())
    };
    // A tried call may be large and slow, as calls are: 1 MB with the form around it, a minute and the time to tell.
    let trying = face(1024 * 1024 + 64 * 1024, 70).around_routes(around(pages::trying()));
    let pages = around(pages::routes()).route("/static/{*path}", get(assets::serve));
    let told = face(pages::billing::webhook::MESSAGE_BYTES_MAX, 15)
        .around_routes(pages::told().with_state(state.clone()));
    let faces = face(64 * 1024, 15).around(pages).merge(trying).merge(told);
    // Outside of the faces, whose error pages wear it too.
    faces.layer(axum::middleware::from_fn_with_state(state, look::wear))
}

async fn forged_posts_as_problems(response: Response) -> Response {
    if response.extensions().get::<ProtectionError>().is_none() {
        return response;
    }
    Problem::new(StatusCode::FORBIDDEN, "cross_site", "This form was sent by another site")
        .detail("Nothing was done. Open the page here and send the form again.")
        .into_response()
}
