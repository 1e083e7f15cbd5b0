//! The headers that tell a browser what it may do with an answer. A handler's own value always wins.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// For HTML pages.
#[derive(Debug, Clone, Default)]
pub struct PageHeaders {
    /// Hosts a form may end at besides our own: payment pages. A browser blocks a post that is redirected to
    /// a host missing here.
    pub form_hosts: Vec<String>,
    /// Whether the public address is https: then browsers are told to come back that way for two years.
    pub https: bool,
}

/// For JSON answers.
#[derive(Debug, Clone, Default)]
pub struct JsonHeaders {
    /// Whether the public address is https.
    pub https: bool,
}

/// A set of headers, ready to be put on answers.
#[derive(Debug, Clone)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// Adds those that the answer does not carry yet.
    pub fn apply(&self, answer: &mut HeaderMap) {
        for (name, value) in &self.0 {
            answer.entry(name).or_insert_with(|| value.clone());
        }
    }
}

impl From<PageHeaders> for Headers {
    fn from(settings: PageHeaders) -> Self {
        let form_hosts: String = settings.form_hosts.iter().map(|host| format!(" {host}")).collect();
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
             connect-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
             form-action 'self'{form_hosts}"
        );
        let mut headers = shared(settings.https);
        headers.extend([
            (CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).expect("hosts are checked at start")),
            // Never no-referrer: the Origin of a form post would become "null", and with it every post
            // would look like a forged one.
            (REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
            (OPENER_POLICY, HeaderValue::from_static("same-origin")),
            (
                PERMISSIONS_POLICY,
                HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ),
        ]);
        Self(headers)
    }
}

impl From<JsonHeaders> for Headers {
    fn from(settings: JsonHeaders) -> Self {
        let mut headers = shared(settings.https);
        headers.extend([
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ]);
        Self(headers)
    }
}

fn shared(https: bool) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    ];
    if https {
        headers.push((STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000")));
    }
    headers
}
