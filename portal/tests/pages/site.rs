//! A portal over a database of its own, with something published, and browsers that keep cookies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tollgate_control::mail::{KeptMail, Mailer, Transport};
use tollgate_control::oidc::{self, Providers};
use tollgate_control::{Actor, ApiInput, Control, PlanInput, ProductInput, ServiceInput};
use tollgate_domain::{
    ApiState, Limit, LimitKind, LimitPer, Period, PlanState, Price, ProductState, Target, Visibility,
};
use tollgate_engine::Peppers;
use tollgate_portal::{PortalState, Settings};
use tollgate_testkit::TestDatabase;
use tower::ServiceExt;

pub const PORTAL_URL: &str = "http://portal.test";
pub const PASSWORD: &str = "plain lamp seven boats";

pub struct Site {
    pub control: Control,
    /// Two portals over one database, asked in turn: none may keep what the other needs.
    routers: [Router; 2],
    asked: AtomicUsize,
    pub database: TestDatabase,
    pub mails: Transport,
}

/// What a browser was answered.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The first text between two others.
    pub fn between(&self, before: &str, after: &str) -> &str {
        let rest = self.text.split_once(before).unwrap_or_else(|| panic!("no {before} in {}", self.text)).1;
        rest.split(after).next().unwrap_or_default()
    }
}

/// A browser: cookies, and nothing else.
pub struct Browser<'s> {
    site: &'s Site,
    cookies: BTreeMap<String, String>,
    /// What it says of languages.
    likes: Option<&'static str>,
}

impl Site {
    /// A portal with one product: a free plan that is open, and a paid one that is announced.
    pub async fn open() -> Self {
        Self::open_with(false).await
    }

    pub async fn open_with(secure_cookies: bool) -> Self {
        Self::open_before(secure_cookies, "http://127.0.0.1:9").await
    }

    /// A portal that tries calls at this address.
    pub async fn open_before(secure_cookies: bool, relay_url: &str) -> Self {
        Self::open_as(secure_cookies, relay_url, Providers::default(), PORTAL_URL).await
    }

    /// A portal that these providers sign people in to.
    pub async fn open_to(providers: &[serde_json::Value]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("providers.json");
        std::fs::write(&file, serde_json::json!({ "providers": providers }).to_string())
            .expect("it is written");
        let ready = oidc::read(&file).expect("providers can be set up");
        Self::open_as(false, "http://127.0.0.1:9", Providers::new(ready), PORTAL_URL).await
    }

    /// A portal that browsers reach at this URL.
    pub async fn open_at(portal_url: &str) -> Self {
        Self::open_as(false, "http://127.0.0.1:9", Providers::default(), portal_url).await
    }

    async fn open_as(secure_cookies: bool, relay_url: &str, providers: Providers, portal_url: &str) -> Self {
        let database = TestDatabase::create().await;
        let peppers = Arc::new(
            Peppers::new(vec![(1, *b"a pepper that only the tests use")]).expect("one pepper is enough"),
        );
        let control = Control::new(database.store(), peppers, tollgate_control::Settings::default())
            .signing_in_by(providers);
        publish(&control).await;
        let settings = Settings {
            portal_url: portal_url.to_owned(),
            gateway_url: "http://127.0.0.1:8080".to_owned(),
            relay_url: relay_url.to_owned(),
            content_dir: None,
            secure_cookies,
            trusted_proxies: "10.0.0.0/8".parse().expect("a network"),
            // What these tests change behind the portal's back shows at once.
            public_pages_kept: Duration::ZERO,
        };
        let portal = || tollgate_portal::router(PortalState::new(control.clone(), settings.clone()));
        let routers = [portal(), portal()];
        Self { control, routers, asked: AtomicUsize::new(0), database, mails: Transport::kept() }
    }

    /// Does the jobs that are due, and returns the link in the last mail to somebody.
    pub async fn link_to(&self, email: &str) -> String {
        self.work().await;
        let mail = self.mails.last_to(email).unwrap_or_else(|| panic!("no mail to {email}"));
        mail.text.trim().rsplit('\n').next().unwrap_or_default().to_owned()
    }

    /// Does the jobs that are due; returns all mails so far.
    pub async fn work(&self) -> Vec<KeptMail> {
        let from = "Tollgate <no-reply@tollgate.test>";
        let mailer = Arc::new(Mailer::new(self.mails.clone(), from, PORTAL_URL).expect("a mailbox"));
        while self.control.work_once(&mailer).await.expect("the queue can be read") > 0 {}
        self.mails.all()
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: BTreeMap::new(), likes: None }
    }

    /// Changes rows by hand, for states that no page leads to.
    pub async fn run(&self, sql: &'static str) {
        self.database.run(sql).await;
    }

    pub async fn send(&self, request: Request<Body>) -> Page {
        let router = &self.routers[self.asked.fetch_add(1, Ordering::Relaxed) % 2];
        let response = router.clone().oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body can be read").to_bytes();
        Page {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

impl Browser<'_> {
    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut builder = Request::builder().method(method).uri(path).header(header::HOST, "portal.test");
        if !cookies.is_empty() {
            builder = builder.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(likes) = self.likes {
            builder = builder.header(header::ACCEPT_LANGUAGE, likes);
        }
        builder
    }

    async fn keep(&mut self, request: Request<Body>) -> Page {
        let page = self.site.send(request).await;
        for cookie in page.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie is text");
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("name=value");
            if value.is_empty() || cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        page
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.request(Method::GET, path).body(Body::empty()).expect("a valid request");
        self.keep(request).await
    }

    /// Sends a multipart form as a browser does from a page of the portal.
    pub async fn post_parts(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut body = String::new();
        for (name, value) in fields {
            body.push_str(&format!(
                "--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str("--part--\r\n");
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=part")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .expect("a valid request");
        self.keep(request).await
    }

    /// Sends a form as a browser does from a page of the portal.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from(path, fields, "same-origin").await
    }

    pub async fn post_from(&mut self, path: &str, fields: &[(&str, &str)], fetch_site: &str) -> Page {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", fetch_site)
            .body(Body::from(body.join("&")))
            .expect("a valid request");
        self.keep(request).await
    }

    /// Signs up and returns the page that shows the key.
    pub async fn sign_up(&mut self, email: &str) -> Page {
        let fields = [("email", email), ("password", PASSWORD), ("product", "countries")];
        let answer = self.post("/signup", &fields).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/get-started"),
            "{}",
            answer.text
        );
        self.get("/get-started").await
    }

    /// Signs up and confirms the address.
    pub async fn sign_up_confirmed(&mut self, email: &str) {
        self.sign_up(email).await;
        let link = self.site.link_to(email).await;
        let answer = self.post(link.trim_start_matches(PORTAL_URL), &[]).await;
        assert_eq!(answer.location(), "/applications", "{}", answer.text);
    }

    /// Opens the one-time link and becomes an admin.
    pub async fn become_admin(&mut self, email: &str) {
        let token = self.site.control.create_setup_token(&Actor::system()).await.expect("a link can be made");
        let path = format!("/setup/{}", token.reveal());
        assert_eq!(self.get(&path).await.status, StatusCode::OK);
        let answer = self.post(&path, &[("email", email), ("password", PASSWORD)]).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/admin"), "{}", answer.text);
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Says from now on which languages it likes.
    pub fn like(&mut self, languages: &'static str) {
        self.likes = Some(languages);
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

async fn publish(control: &Control) {
    let actor = Actor::system();
    let service = ServiceInput {
        slug: "countries".parse().expect("a slug"),
        name: "Countries".into(),
        connect_timeout_ms: 1_000,
        read_timeout_ms: 5_000,
        protocol: tollgate_domain::ServiceProtocol::H1,
        targets: vec![Target { url: "http://127.0.0.1:9".into(), weight: 1 }],
    };
    let service = control.create_service(&actor, service).await.expect("a service");
    let api = ApiInput {
        slug: "countries".parse().expect("a slug"),
        name: "Countries API".into(),
        summary: "All countries.".into(),
        service_id: service.id,
        hosts: vec![],
        base_path: "/countries/v1".into(),
        match_headers: Vec::new(),
        state: ApiState::Published,
        metering: tollgate_domain::Metering::default(),
        sunset_at: None,
        successor_id: None,
        policies: tollgate_domain::ApiPolicies::default(),
    };
    let document = include_str!("../../src/pages/reference/sample.openapi.json");
    let api = control.create_api(&actor, api, Some(document)).await.expect("an API");
    let product = ProductInput {
        slug: "countries".parse().expect("a slug"),
        name: "Countries".into(),
        summary: "Every country, <b>with</b> its code.".into(),
        description: "Fill address forms.\n\n<script>alert(1)</script>".into(),
        state: ProductState::Published,
        visibility: Visibility::Public,
        apis: vec![api.id],
    };
    let product = control.create_product(&actor, product).await.expect("a product");
    for (slug, minor, state) in [("free", 0, PlanState::Open), ("pro", 2_900, PlanState::Announced)] {
        let plan = PlanInput {
            product_id: product.id,
            slug: slug.parse().expect("a slug"),
            name: if minor == 0 { "Free".into() } else { "Pro".into() },
            summary: String::new(),
            state,
            approval: false,
            price: Price { minor, currency: "EUR".parse().expect("a currency"), per: Period::Month },
            limits: vec![Limit {
                name: "month".into(),
                kind: LimitKind::Quota,
                amount: 1_000,
                period: Period::Month,
                burst: None,
                per: LimitPer::Subscription,
                visible: true,
                budget: tollgate_domain::Budget::default(),
            }],
        };
        control.create_plan(&actor, plan).await.expect("a plan");
    }
}
