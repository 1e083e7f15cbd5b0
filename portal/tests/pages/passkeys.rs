//! Passkeys through the pages, with an authenticator in software.

use axum::http::StatusCode;
use serde_json::Value;
use tollgate_testkit::Authenticator;

use crate::site::{Browser, PASSWORD, Page, Site};

const ORIGIN: &str = "https://portal.test";

async fn question(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Value {
    let page = browser.post(path, fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    serde_json::from_str(&page.text).expect("options")
}

/// Somebody with a passkey.
async fn with_passkey(browser: &mut Browser<'_>, email: &str) -> Authenticator {
    browser.sign_up(email).await;
    add(browser, "Phone").await
}

async fn add(browser: &mut Browser<'_>, name: &str) -> Authenticator {
    let asked = question(browser, "/account/passkeys/question", &[("password", PASSWORD)]).await;
    let (authenticator, answer) = Authenticator::create(&asked, ORIGIN);
    let fields = [("credential", answer.to_string()), ("name", name.to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let added = browser.post("/account/passkeys", &fields).await;
    assert_eq!(added.location(), "/account/passkeys", "{}", added.text);
    authenticator
}

async fn sign_in(browser: &mut Browser<'_>, authenticator: &mut Authenticator) -> Page {
    let asked = question(browser, "/signin/passkey/question", &[]).await;
    let answer = authenticator.get(&asked).to_string();
    browser.post("/signin/passkey", &[("credential", &answer), ("next", "/usage")]).await
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_password_and_is_named_and_removed() {
    let site = Site::open_at(ORIGIN).await;
    let mut maria = site.browser();
    let mut phone = with_passkey(&mut maria, "maria@example.com").await;
    let page = maria.get("/account/passkeys").await;
    assert!(page.text.contains("Phone") && page.text.contains("Never used"), "{}", page.text);

    let mut there = site.browser();
    assert!(there.get("/signin").await.text.contains("Sign in with a passkey"));
    assert_eq!(sign_in(&mut there, &mut phone).await.location(), "/usage");
    assert!(there.get("/account").await.text.contains("maria@example.com"));
    assert!(!there.get("/account/passkeys").await.text.contains("Never used"));

    let id = page.between("/account/passkeys/", "/rename").to_owned();
    let rename = format!("/account/passkeys/{id}/rename");
    assert_eq!(maria.post(&rename, &[("name", "<b>Key</b>")]).await.location(), "/account/passkeys");
    assert!(maria.get("/account/passkeys").await.text.contains("&#60;b&#62;Key"));
    maria.post(&rename, &[("name", " ")]).await;
    assert!(maria.get("/account/passkeys").await.text.contains("1 to 60 characters"));

    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    let remove = format!("/account/passkeys/{id}/remove");
    assert_eq!(eve.post(&remove, &[]).await.status, StatusCode::NOT_FOUND, "another person's");
    assert_eq!(eve.post(&rename, &[("name", "mine")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(maria.post(&remove, &[]).await.location(), "/account/passkeys");
    assert_eq!(sign_in(&mut site.browser(), &mut phone).await.location(), "/signin", "it opens nothing");
    for action in ["user.passkey.create", "user.passkey.update", "user.passkey.delete"] {
        let audited = "select count(*) from audit_entries where action = $1";
        assert_eq!(site.database.count(audited, action).await, 1, "{action}");
    }
}

#[tokio::test]
async fn a_passkey_that_is_not_right_opens_nothing() {
    let site = Site::open_at(ORIGIN).await;
    let mut maria = site.browser();
    let mut phone = with_passkey(&mut maria, "maria@example.com").await;
    let refused = async |browser: &mut Browser<'_>, phone: &mut Authenticator, why: &str| {
        assert_eq!(sign_in(browser, phone).await.location(), "/signin", "{why}");
        assert!(browser.get("/account").await.location().starts_with("/signin"), "{why}");
    };
    let mut thief = site.browser();
    phone.origin = "https://portal.test.evil.example".to_owned();
    refused(&mut thief, &mut phone, "of a page elsewhere").await;
    phone.origin = ORIGIN.to_owned();
    phone.unlocks = false;
    refused(&mut thief, &mut phone, "not unlocked").await;
    phone.unlocks = true;
    phone.set_back();
    refused(&mut thief, &mut phone, "a copy with an old counter").await;
    let mut other = site.browser();
    let asked = question(&mut other, "/signin/passkey/question", &[]).await;
    let answer = phone.get(&asked).to_string();
    let stolen = thief.post("/signin/passkey", &[("credential", &answer)]).await;
    assert_eq!(stolen.location(), "/signin", "asked of another browser");
    assert_eq!(other.post("/signin/passkey", &[("credential", &answer)]).await.location(), "/applications");
    let again = other.post("/signin/passkey", &[("credential", &answer)]).await;
    assert_eq!(again.location(), "/signin", "good once");
    for nonsense in ["", "{}", "null", "{\"response\":{}}"] {
        question(&mut thief, "/signin/passkey/question", &[]).await;
        let page = thief.post("/signin/passkey", &[("credential", nonsense)]).await;
        assert_eq!(page.location(), "/signin", "{nonsense}");
    }
    site.run("update users set disabled_at = now() where email = 'maria@example.com'").await;
    refused(&mut thief, &mut phone, "of a disabled account").await;
}

#[tokio::test]
async fn adding_a_passkey_takes_the_password_and_an_answer_to_the_own_question() {
    let site = Site::open_at(ORIGIN).await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let wrong = maria.post("/account/passkeys/question", &[("password", "not this one at all")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("not your password"), "{}", wrong.text);

    let asked = question(&mut maria, "/account/passkeys/question", &[("password", PASSWORD)]).await;
    let (_, elsewhere) = Authenticator::create(&asked, "https://evil.example");
    let fields = [("credential", elsewhere.to_string()), ("name", "Phone".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let refused = maria.post("/account/passkeys", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("no passkey of this site"));
    let unasked = maria.post("/account/passkeys", &fields).await;
    assert_eq!(unasked.status, StatusCode::UNPROCESSABLE_ENTITY, "the question is used up");

    let plain = Site::open().await;
    let mut browser = plain.browser();
    browser.sign_up("maria@example.com").await;
    assert!(browser.get("/account/passkeys").await.text.contains("Browsers make no passkeys here"));
    assert_eq!(browser.post("/account/passkeys/question", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post("/signin/passkey/question", &[]).await.status, StatusCode::NOT_FOUND);
}
