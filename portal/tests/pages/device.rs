//! A command line is let in by somebody who is signed in, and by nobody else (RFC 8628).
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use axum::http::StatusCode;
use serde_json::Value;

use crate::site::{Browser, Page, Site};

const CLIENT: (&str, &str) = ("client_id", "tollgate-cli");
const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");

/// A command line that asked to be let in.
struct Terminal<'s> {
    site: &'s Site,
    line: Browser<'s>,
    device_code: String,
    user_code: String,
}

impl<'s> Terminal<'s> {
    async fn begin(site: &'s Site) -> Self {
        let mut line = site.browser();
        let answer = line.post("/device/authorize", &[CLIENT]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
        let codes: Value = serde_json::from_str(&answer.text).unwrap();
        let text = |name: &str| codes[name].as_str().unwrap().to_owned();
        assert!(text("verification_uri").ends_with("/device"));
        assert_eq!((codes["expires_in"].as_i64(), codes["interval"].as_i64()), (Some(600), Some(5)));
        Self { site, line, device_code: text("device_code"), user_code: text("user_code") }
    }

    /// Asks, as if it had waited as it was told to.
    async fn ask(&mut self) -> (StatusCode, Value) {
        self.site.run("update device_sign_ins set polled_at = polled_at - interval '5 seconds'").await;
        self.ask_at_once().await
    }

    async fn ask_at_once(&mut self) -> (StatusCode, Value) {
        let fields = [CLIENT, GRANT, ("device_code", self.device_code.as_str())];
        let answer: Page = self.line.post("/device/token", &fields).await;
        (answer.status, serde_json::from_str(&answer.text).unwrap())
    }

    async fn error(&mut self) -> String {
        let (status, body) = self.ask().await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        body["error"].as_str().unwrap().to_owned()
    }
}

async fn decide(browser: &mut Browser<'_>, code: &str, decision: &str) -> Page {
    let look = browser.post("/device", &[("user_code", code)]).await;
    assert_eq!(look.status, StatusCode::OK, "{}", look.text);
    assert!(look.text.contains("sandbox key of one application"), "it says what is given: {}", look.text);
    let application = format!("app_{}", look.between("<option value=\"app_", "\""));
    let fields = [("user_code", code), ("application", application.as_str()), ("decision", decision)];
    browser.post("/device/decide", &fields).await
}

#[tokio::test]
async fn a_command_line_gets_a_sandbox_key_once_after_somebody_let_it_in() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let mut terminal = Terminal::begin(&site).await;
    assert_eq!(terminal.error().await, "authorization_pending");
    let (_, hasty) = terminal.ask_at_once().await;
    assert_eq!(hasty["error"], "slow_down");

    // As people type it.
    let code = terminal.user_code.to_lowercase().replace('-', " ");
    let shown = maria.get(&format!("/device?user_code={}", terminal.user_code)).await;
    assert!(shown.text.contains(&format!("value=\"{}\"", terminal.user_code)), "{}", shown.text);
    assert_eq!(terminal.error().await, "authorization_pending", "a link decides nothing");
    assert_eq!(decide(&mut maria, &code, "allow").await.location(), "/device");

    let (status, key) = terminal.ask().await;
    assert_eq!(status, StatusCode::OK, "{key}");
    assert!(key["access_token"].as_str().unwrap().starts_with("tg_test_"), "{key}");
    let of = "select count(*) from credentials where environment = 'test' and name like 'Command line,%' and $1 = ''";
    assert_eq!(site.database.count(of, "").await, 1);
    assert_eq!(terminal.error().await, "expired_token", "it is told once");
    assert_eq!(site.database.count("select count(*) from device_sign_ins where $1 = ''", "").await, 0);
}

#[tokio::test]
async fn what_is_denied_or_too_late_gives_nothing() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let mut denied = Terminal::begin(&site).await;
    assert_eq!(decide(&mut maria, &denied.user_code.clone(), "deny").await.location(), "/device");
    assert_eq!(denied.error().await, "access_denied");
    let again = maria.post("/device", &[("user_code", denied.user_code.as_str())]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "a code is decided on once");

    let mut late = Terminal::begin(&site).await;
    decide(&mut maria, &late.user_code.clone(), "allow").await;
    site.run("update device_sign_ins set expires_at = now() - interval '1 second'").await;
    assert_eq!(late.error().await, "expired_token");
    late.device_code = "of nobody".into();
    assert_eq!(late.error().await, "expired_token");
    let keys = "select count(*) from credentials where name like 'Command line,%' and $1 = ''";
    assert_eq!(site.database.count(keys, "").await, 0);
}

#[tokio::test]
async fn codes_are_not_found_by_guessing_and_nobody_lets_in_with_what_is_not_theirs() {
    let site = Site::open().await;
    let (mut maria, mut eve) = (site.browser(), site.browser());
    maria.sign_up("maria@example.com").await;
    eve.sign_up("eve@example.com").await;
    let mut terminal = Terminal::begin(&site).await;
    let mut stranger = site.browser();
    let code = terminal.user_code.clone();
    assert!(
        stranger.post("/device", &[("user_code", code.as_str())]).await.location().starts_with("/signin")
    );
    let look = maria.post("/device", &[("user_code", code.as_str())]).await;
    let hers = format!("app_{}", look.between("<option value=\"app_", "\""));
    let fields = [("user_code", code.as_str()), ("application", hers.as_str()), ("decision", "allow")];
    assert_eq!(eve.post("/device/decide", &fields).await.status, StatusCode::NOT_FOUND);
    assert_eq!(terminal.error().await, "authorization_pending");

    for _ in 0..10 {
        let guess = eve.post("/device", &[("user_code", "BBBB-BBBB")]).await;
        assert_eq!(guess.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let throttled = eve.post("/device", &[("user_code", code.as_str())]).await;
    assert_eq!(throttled.status, StatusCode::TOO_MANY_REQUESTS, "even the right one, now");
    assert_eq!(maria.post("/device", &[("user_code", code.as_str())]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn another_client_and_another_grant_are_refused_and_starts_are_bounded() {
    let site = Site::open().await;
    let mut line = site.browser();
    let other = line.post("/device/authorize", &[("client_id", "somebody")]).await;
    assert!(
        other.status == StatusCode::BAD_REQUEST && other.text.contains("invalid_client"),
        "{}",
        other.text
    );
    let other = line.post("/device/token", &[CLIENT, ("grant_type", "password")]).await;
    assert!(other.text.contains("unsupported_grant_type"), "{}", other.text);
    for _ in 0..30 {
        assert_eq!(line.post("/device/authorize", &[CLIENT]).await.status, StatusCode::OK);
    }
    let refused = line.post("/device/authorize", &[CLIENT]).await;
    assert!(
        refused.status == StatusCode::BAD_REQUEST && refused.text.contains("slow_down"),
        "{}",
        refused.text
    );
}
