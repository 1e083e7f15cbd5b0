//! An OpenID Connect provider that signs in whoever it is told to, and lies where it is told to.

mod sign;

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What it calls the portal, and what the portal proves itself with.
const CLIENT_ID: &str = "tollgate-portal";
const CLIENT_SECRET: &str = "a secret of the client";

/// Who is signed in at the provider.
#[derive(Debug, Clone)]
pub struct SomebodyThere {
    /// How it calls them.
    pub subject: String,
    /// Their address.
    pub email: Option<String>,
    /// Whether it vouches for that.
    pub email_verified: bool,
    /// The claim `groups`.
    pub groups: Vec<String>,
}

/// How it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// The token is of another sign-in.
    Nonce,
    /// The token has no nonce at all.
    NoNonce,
    /// The token is for another client.
    Audience,
    /// The token is for us and somebody else.
    TwoAudiences,
    /// The token is of another issuer.
    Issuer,
    /// The token ended an hour ago.
    Expired,
    /// The token is of tomorrow.
    Future,
    /// The token is not signed, and says so.
    NoneAlgorithm,
    /// The token is signed with the client's secret instead of the provider's key.
    ClientSecret,
    /// The claims were changed after signing.
    Changed,
    /// The access token is not the one that the token was made with.
    AccessToken,
    /// There is no ID token.
    NoToken,
    /// The discovery document is of another issuer.
    OtherDiscovery,
    /// The discovery document leads to an address that is none of its own.
    PrivateKeys,
    /// The discovery document begins and never ends.
    Endless,
    /// The discovery document is true, and packed, though nobody asked for that.
    Packed,
    /// The answer names another issuer (RFC 9207).
    OtherAnswer,
    /// Somebody else's `state` comes back.
    State,
    /// It says no.
    Denied,
}

#[derive(Debug)]
struct Desk {
    url: String,
    somebody: SomebodyThere,
    lie: Option<Lie>,
    /// By code: nonce, challenge, where to.
    codes: HashMap<String, (String, String, String)>,
    drawn: u64,
    key_id: String,
    /// Questions by path.
    asked: HashMap<String, usize>,
    /// A page with a button instead of going back at once.
    asks: bool,
}

/// The provider; gone when dropped.
#[derive(Debug, Clone)]
pub struct OidcProvider {
    desk: Arc<Mutex<Desk>>,
    _stop: Arc<DropGuard>,
}

type Shared = Arc<Mutex<Desk>>;

fn locked(desk: &Shared) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OidcProvider {
    /// Starts one on a free port of loopback.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let somebody = SomebodyThere {
            subject: "248289761001".to_owned(),
            email: Some("maria@example.com".to_owned()),
            email_verified: true,
            groups: Vec::new(),
        };
        let desk = Arc::new(Mutex::new(Desk {
            url,
            somebody,
            lie: None,
            codes: HashMap::new(),
            drawn: 0,
            key_id: "first".to_owned(),
            asked: HashMap::new(),
            asks: false,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(Arc::clone(&desk));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned());
            serving.await.expect("it serves");
        });
        Self { desk, _stop: Arc::new(stop.drop_guard()) }
    }

    /// Its issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        locked(&self.desk).url.clone()
    }

    /// An entry of the settings file that trusts it, with these fields besides.
    ///
    /// # Panics
    /// When the fields are no object.
    #[must_use]
    pub fn settings(&self, besides: &Value) -> Value {
        let mut settings = json!({ "slug": "work", "name": "Example SSO", "issuer": self.issuer(),
            "client_id": CLIENT_ID, "networks": "127.0.0.1", "for": ["developers"] });
        for (name, value) in besides.as_object().expect("fields") {
            settings[name] = value.clone();
        }
        settings
    }

    /// What the client must have in its secret's file.
    #[must_use]
    pub const fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    /// Somebody else sits at the provider from now on.
    pub fn seat(&self, somebody: SomebodyThere) {
        locked(&self.desk).somebody = somebody;
    }

    /// Lies so from now on.
    pub fn lie(&self, lie: Option<Lie>) {
        locked(&self.desk).lie = lie;
    }

    /// Signs under another name of its key from now on.
    pub fn rotate(&self, key_id: &str) {
        key_id.clone_into(&mut locked(&self.desk).key_id);
    }

    /// Shows a page with one button before it goes back, as providers do the first time.
    pub fn ask(&self) {
        locked(&self.desk).asks = true;
    }

    /// How often a path was asked for.
    #[must_use]
    pub fn asked(&self, path: &str) -> usize {
        locked(&self.desk).asked.get(path).copied().unwrap_or_default()
    }
}

fn count(desk: &mut Desk, path: &str) {
    *desk.asked.entry(path.to_owned()).or_default() += 1;
}

async fn discovery(State(desk): State<Shared>) -> Response {
    let mut desk = locked(&desk);
    count(&mut desk, "/.well-known/openid-configuration");
    let url = &desk.url;
    let issuer = if desk.lie == Some(Lie::OtherDiscovery) { "https://other.example" } else { url };
    let keys = if desk.lie == Some(Lie::PrivateKeys) { "http://169.254.169.254" } else { url };
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{keys}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    match desk.lie {
        Some(Lie::Endless) => {
            let spaces = Ok::<_, std::convert::Infallible>(bytes::Bytes::from_static(&[b' '; 16 * 1024]));
            Body::from_stream(futures_util::stream::repeat(spaces)).into_response()
        }
        Some(Lie::Packed) => ([(header::CONTENT_ENCODING, "gzip")], packed(&document)).into_response(),
        _ => axum::Json(document).into_response(),
    }
}

fn packed(document: &Value) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(document.to_string().as_bytes()).expect("a Vec takes everything");
    encoder.finish().expect("a Vec takes everything")
}

async fn keys(State(desk): State<Shared>) -> axum::Json<Value> {
    let mut desk = locked(&desk);
    count(&mut desk, "/keys");
    axum::Json(json!({ "keys": [sign::public_key(&desk.key_id)] }))
}

async fn authorize(State(desk): State<Shared>, Query(asked): Query<HashMap<String, String>>) -> Response {
    let mut desk = locked(&desk);
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    if of("client_id") != CLIENT_ID || of("response_type") != "code" || of("code_challenge_method") != "S256"
    {
        return (StatusCode::BAD_REQUEST, "the client asks for something else").into_response();
    }
    let back = of("redirect_uri");
    let state = if desk.lie == Some(Lie::State) { "another".to_owned() } else { of("state") };
    let query = if desk.lie == Some(Lie::Denied) {
        format!("error=access_denied&error_description=%3Cb%3Eno%3C/b%3E&state={state}")
    } else {
        desk.drawn += 1;
        let code = format!("code-{}", desk.drawn);
        desk.codes.insert(code.clone(), (of("nonce"), of("code_challenge"), back.clone()));
        let issuer = if desk.lie == Some(Lie::OtherAnswer) { "https://other.example" } else { &desk.url };
        format!("code={code}&state={state}&iss={issuer}")
    };
    let there = format!("{back}?{query}");
    if desk.asks {
        let page = format!(
            "<!doctype html><title>Example SSO</title><h1>Example SSO</h1><a href=\"{}\">Allow</a>",
            there.replace('&', "&amp;")
        );
        return axum::response::Html(page).into_response();
    }
    Redirect::to(&there).into_response()
}

async fn token(
    State(desk): State<Shared>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Response {
    let refused =
        |error: &str| (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": error }))).into_response();
    let mut desk = locked(&desk);
    count(&mut desk, "/token");
    if let Some(basic) = headers.get(header::AUTHORIZATION) {
        let expected = format!("{CLIENT_ID}:{}", CLIENT_SECRET.replace(' ', "+"));
        if basic.as_bytes() != format!("Basic {}", STANDARD.encode(expected)).as_bytes() {
            return refused("invalid_client");
        }
    }
    let of = |name: &str| sent.get(name).map(String::as_str).unwrap_or_default();
    // Good once.
    let Some((nonce, challenge, back)) = desk.codes.remove(of("code")) else {
        return refused("invalid_grant");
    };
    let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier")));
    if verifier != challenge || of("redirect_uri") != back {
        return refused("invalid_grant");
    }
    let access = "an access token";
    let mut answer = json!({ "access_token": access, "token_type": "Bearer", "expires_in": 300 });
    if desk.lie != Some(Lie::NoToken) {
        answer["id_token"] = Value::String(id_token(&desk, &nonce, access));
    }
    axum::Json(answer).into_response()
}

fn id_token(desk: &Desk, nonce: &str, access: &str) -> String {
    let now = Utc::now().timestamp();
    let somebody = &desk.somebody;
    let half_hash = |text: &str| URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..16]);
    let mut claims = json!({
        "iss": desk.url, "sub": somebody.subject, "aud": CLIENT_ID, "iat": now, "exp": now + 300,
        "nonce": nonce, "email_verified": somebody.email_verified, "groups": somebody.groups,
        "at_hash": half_hash(access),
    });
    if let Some(email) = &somebody.email {
        claims["email"] = json!(email);
    }
    match desk.lie {
        Some(Lie::Nonce) => claims["nonce"] = json!("of another sign-in"),
        Some(Lie::NoNonce) => claims["nonce"] = Value::Null,
        Some(Lie::Audience) => claims["aud"] = json!("another-client"),
        Some(Lie::TwoAudiences) => claims["aud"] = json!([CLIENT_ID, "another-client"]),
        Some(Lie::Issuer) => claims["iss"] = json!("https://other.example"),
        Some(Lie::Expired) => (claims["iat"], claims["exp"]) = (json!(now - 7_200), json!(now - 3_600)),
        Some(Lie::Future) => (claims["iat"], claims["exp"]) = (json!(now + 86_400), json!(now + 90_000)),
        Some(Lie::AccessToken) => claims["at_hash"] = json!(half_hash("another")),
        _ => {}
    }
    match desk.lie {
        Some(Lie::NoneAlgorithm) => sign::unsigned(&claims),
        Some(Lie::ClientSecret) => sign::with_secret(&claims, CLIENT_SECRET),
        Some(Lie::Changed) => sign::changed_after(&desk.key_id, &claims),
        _ => sign::signed(&desk.key_id, &claims),
    }
}
