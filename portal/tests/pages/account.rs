//! What people do with their own account: passwords, sessions, the second factor, leaving.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use chrono::Utc;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::site::{Browser, PASSWORD, Site};

const NEW: &str = "nine quiet harbours at dusk";

async fn sign_in(browser: &mut Browser<'_>, password: &str) -> StatusCode {
    let fields = [("email", "maria@example.com"), ("password", password)];
    browser.post("/signin", &fields).await.status
}

/// Bad input 151: what ends a session ends it on the server.
#[tokio::test]
async fn case_151_changing_the_password_and_disabling_end_every_session() {
    let site = Site::open().await;
    let (mut here, mut there) = (site.browser(), site.browser());
    here.sign_up("maria@example.com").await;
    assert_eq!(sign_in(&mut there, PASSWORD).await, StatusCode::SEE_OTHER);
    let planted = here.cookie("session").expect("a session").to_owned();

    let wrong = [("password", "not this one at all"), ("new_password", NEW)];
    let refused = here.post("/account/password", &wrong).await;
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.text.contains("not your password"));
    let weak = [("password", PASSWORD), ("new_password", "passwordpassword1!")];
    assert!(here.post("/account/password", &weak).await.text.contains("easy to guess"));
    assert_eq!(there.get("/account").await.status, StatusCode::OK, "nothing was changed so far");

    let fields = [("password", PASSWORD), ("new_password", NEW)];
    assert_eq!(here.post("/account/password", &fields).await.location(), "/account");
    assert!(here.get("/account").await.text.contains("Your password is changed"), "whoever did it goes on");
    assert_ne!(here.cookie("session"), Some(planted.as_str()), "under a new id");
    assert!(there.get("/account").await.location().starts_with("/signin"));
    let mut old = site.browser();
    old.set_cookie("session", &planted);
    assert!(old.get("/account").await.location().starts_with("/signin"));
    assert_eq!(sign_in(&mut there, PASSWORD).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(sign_in(&mut there, NEW).await, StatusCode::SEE_OTHER);
    assert!(site.work().await.iter().any(|mail| mail.subject == "Your password was changed"));

    let disable = "with up as (update users set disabled_at = now() where email = $1 returning id)
        select count(*) from up";
    assert_eq!(site.database.count(disable, "maria@example.com").await, 1);
    for browser in [&mut here, &mut there] {
        assert!(browser.get("/account").await.location().starts_with("/signin"));
    }
}

/// Bad input 152: the link of a reset is the configured origin's, works once and for ten minutes, for its owner.
#[tokio::test]
async fn case_152_a_reset_link_is_good_once_for_ten_minutes_and_never_poisoned() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    site.work().await;

    let known = site.browser().post("/password/forgotten", &[("email", "maria@example.com")]).await;
    let unknown = site.browser().post("/password/forgotten", &[("email", "nobody@example.com")]).await;
    assert_eq!(known.status, unknown.status);
    assert_eq!(known.text.replace("maria@", "x@"), unknown.text.replace("nobody@", "x@"), "the same answer");
    site.work().await;
    let poisoned = Request::builder()
        .method(Method::POST)
        .uri("/password/forgotten")
        .header(header::HOST, "evil.test")
        .header("x-forwarded-host", "evil.test")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("email=maria@example.com"))
        .expect("a valid request");
    assert_eq!(site.send(poisoned).await.status, StatusCode::OK);
    let link = site.link_to("maria@example.com").await;
    let resets: Vec<_> =
        site.work().await.into_iter().filter(|mail| mail.subject == "Set a new password").collect();
    assert_eq!(resets.len(), 2, "one for each time it was asked, none for whoever has no account");
    for mail in &resets {
        assert!(mail.text.contains("http://portal.test/password/new/") && !mail.source.contains("evil"));
    }
    let older = resets[0].text.trim().rsplit('/').next().unwrap_or_default().to_owned();
    let path = link.trim_start_matches("http://portal.test").to_owned();
    let fields = [("new_password", NEW)];
    assert_eq!(
        site.browser().post(&format!("/password/new/{older}"), &fields).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        site.browser().get(&path.replace("/password/new/", "/verify/")).await.status,
        StatusCode::NOT_FOUND
    );

    let weak = site.browser().post(&path, &[("new_password", "short")]).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY, "a weak one does not use the link up");
    assert_eq!(site.browser().post(&path, &fields).await.location(), "/signin");
    assert!(maria.get("/account").await.location().starts_with("/signin"), "every session ended");
    assert_eq!(site.browser().post(&path, &fields).await.status, StatusCode::NOT_FOUND, "used");
    assert_eq!(sign_in(&mut maria, NEW).await, StatusCode::SEE_OTHER);

    // The mail that the password was changed goes first, so that the last one is that with the link.
    site.work().await;
    site.browser().post("/password/forgotten", &[("email", "maria@example.com")]).await;
    let link = site.link_to("maria@example.com").await;
    let age = "with up as (update account_links set expires_at = expires_at - interval '10 minutes 1 second'
        where purpose = $1 returning 1) select count(*) from up";
    assert!(site.database.count(age, "reset").await >= 1);
    let path = link.trim_start_matches("http://portal.test").to_owned();
    assert_eq!(site.browser().post(&path, &fields).await.status, StatusCode::NOT_FOUND, "ten minutes old");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_others() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let (mut phone, mut desk) = (site.browser(), site.browser());
    for browser in [&mut phone, &mut desk] {
        assert_eq!(sign_in(browser, PASSWORD).await, StatusCode::SEE_OTHER);
    }
    let page = maria.get("/account").await;
    assert_eq!(page.text.matches("data-th=\"Last seen\"").count(), 3);
    assert_eq!(page.text.matches("This one").count(), 1);
    let id = page.between("name=\"id\" value=\"", "\"").to_owned();
    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    let foreign = eve.post("/account/sessions/end", &[("id", &id)]).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    assert_eq!(maria.post("/account/sessions/end", &[("id", &id)]).await.location(), "/account");
    assert_eq!(maria.get("/account").await.text.matches("data-th=\"Last seen\"").count(), 2);
    assert_eq!(maria.post("/account/sessions/end", &[]).await.location(), "/account");
    for browser in [&mut phone, &mut desk] {
        assert!(browser.get("/account").await.location().starts_with("/signin"));
    }
    assert_eq!(maria.get("/account").await.status, StatusCode::OK);
    assert_eq!(eve.get("/account").await.status, StatusCode::OK);
}

/// RFC 6238 as an authenticator app has it.
fn code(secret: &str, at: i64) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret
        .chars()
        .filter_map(|letter| ALPHABET.find(letter))
        .map(|digit| format!("{digit:05b}"))
        .collect();
    let key: Vec<u8> =
        (0..bits.len() / 8).map(|n| u8::from_str_radix(&bits[n * 8..n * 8 + 8], 2).expect("bits")).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("a key");
    mac.update(&(at / 30).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let from = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[from..from + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[tokio::test]
async fn with_a_second_factor_a_password_alone_opens_nothing_and_each_code_works_once() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let offer = maria.get("/account/second-factor").await;
    let secret = offer.between("id=\"factor-key\">", "<").to_owned();
    assert_eq!(maria.get("/account/second-factor").await.between("id=\"factor-key\">", "<"), secret);
    let now = Utc::now().timestamp();
    let first = code(&secret, now);
    let fields = [("code", first.as_str()), ("password", PASSWORD)];
    let early = maria.post("/account/second-factor", &fields).await;
    assert!(early.text.contains("Confirm your e-mail address first"), "{}", early.text);
    let link = site.link_to("maria@example.com").await;
    maria.post(link.trim_start_matches("http://portal.test"), &[]).await;
    let wrong = [("code", "000000"), ("password", PASSWORD)];
    assert_eq!(maria.post("/account/second-factor", &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(maria.post("/account/second-factor", &fields).await.location(), "/account/recovery-codes");
    let shown = maria.get("/account/recovery-codes").await;
    let codes: Vec<String> =
        shown.between("<code id=\"codes\">", "</code>").split_whitespace().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10);
    assert!(maria.get("/account/recovery-codes").await.text.contains("shown once"));

    let mut phone = site.browser();
    let fields = [("email", "maria@example.com"), ("password", PASSWORD), ("next", "/usage")];
    let half = phone.post("/signin", &fields).await;
    assert_eq!(half.location(), "/signin/code?next=/usage");
    assert!(phone.get("/account").await.location().starts_with("/signin"), "halfway is not in");
    let again =
        site.browser().post("/signup", &[("email", "maria@example.com"), ("password", PASSWORD)]).await;
    assert_eq!(again.location(), "/signin/code?next=/get-started", "nor is signing up a way around");
    let used = phone.post("/signin/code", &[("code", &first), ("next", "/usage")]).await;
    assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY, "the code that set it up is used");
    let later = code(&secret, now + 30);
    assert_eq!(
        phone.post("/signin/code", &[("code", &later), ("next", "/usage")]).await.location(),
        "/usage"
    );
    assert_eq!(phone.get("/account").await.status, StatusCode::OK);

    for expected in [StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY] {
        let mut lost = site.browser();
        lost.post("/signin", &fields).await;
        assert_eq!(lost.post("/signin/code", &[("code", &codes[0])]).await.status, expected);
    }
    assert!(maria.get("/account/second-factor").await.text.contains("9 of 10"));
    maria.post("/account/second-factor/off", &[("password", PASSWORD)]).await;
    assert_eq!(sign_in(&mut site.browser(), PASSWORD).await, StatusCode::SEE_OTHER);
    assert!(maria.get("/account").await.text.contains("Off: your password alone"));
}

#[tokio::test]
async fn who_leaves_takes_their_data_and_leaves_no_address_behind() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let export = maria.get("/account/export").await;
    assert!(export.headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains("attachment"));
    let person: serde_json::Value = serde_json::from_str(&export.text).expect("JSON");
    assert_eq!(person["user"]["email"], "maria@example.com");
    assert_eq!(person["organizations"][0]["applications"][0]["keys"][0]["name"], "First key");
    assert!(!export.text.contains("argon2"));

    let elsewhere = [("email", "other@example.com"), ("password", PASSWORD)];
    assert_eq!(maria.post("/account/delete", &elsewhere).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [("email", "maria@example.com"), ("password", PASSWORD)];
    assert_eq!(maria.post("/account/delete", &fields).await.location(), "/");
    assert!(maria.get("/account").await.location().starts_with("/signin"));
    assert_eq!(sign_in(&mut maria, PASSWORD).await, StatusCode::UNPROCESSABLE_ENTITY);
    let left = "select (select count(*) from users where email = $1)
        + (select count(*) from credentials where revoked_at is null) + (select count(*) from members)";
    assert_eq!(site.database.count(left, "maria@example.com").await, 0);
    maria.sign_up("maria@example.com").await;

    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    let last = admin.post("/account/delete", &[("email", "ops@example.com"), ("password", PASSWORD)]).await;
    assert!(last.text.contains("The platform needs an admin"), "{}", last.text);
}

#[tokio::test]
async fn an_address_changes_when_the_new_one_is_confirmed_and_both_are_told() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    let wanted = |email: &'static str, password: &'static str| [("email", email), ("password", password)];
    let wrong = maria.post("/account/email", &wanted("maria@example.org", "not the password at all")).await;
    assert!(wrong.text.contains("id=\"password-error\""), "{}", wrong.text);
    let same = maria.post("/account/email", &wanted("Maria@example.com", PASSWORD)).await;
    assert!(same.text.contains("id=\"email-error\""), "{}", same.text);
    site.work().await;
    let asked = maria.post("/account/email", &wanted("Maria@Example.org", PASSWORD)).await;
    assert_eq!(asked.location(), "/account", "{}", asked.text);
    let mails = site.work().await;
    assert!(
        mails.iter().any(|mail| mail.to == "maria@example.com" && mail.subject.contains("to be changed"))
    );
    assert!(maria.get("/account").await.text.contains("maria@example.com"), "nothing changed yet");
    let new = mails.iter().find(|mail| mail.to == "maria@example.org").expect("a mail");
    let token =
        new.text.split("/email/").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a link");
    let path = format!("/email/{token}");
    assert!(site.browser().get(&path).await.text.contains("maria@example.org"), "a look uses nothing up");
    assert_eq!(maria.post(&path, &[]).await.location(), "/account");
    assert!(maria.get("/account").await.text.contains("maria@example.org"));
    let told = site.work().await;
    assert!(told.iter().any(|mail| mail.to == "maria@example.com" && mail.subject.contains("was changed")));
    assert_eq!(maria.post(&path, &[]).await.status, StatusCode::NOT_FOUND, "good once");
    let mut again = site.browser();
    let old = [("email", "maria@example.com"), ("password", PASSWORD)];
    assert_eq!(again.post("/signin", &old).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let new = [("email", "maria@example.org"), ("password", PASSWORD)];
    assert_eq!(again.post("/signin", &new).await.location(), "/applications");
}

#[tokio::test]
async fn another_accounts_address_is_asked_for_in_vain_and_a_new_password_stops_a_change() {
    let site = Site::open().await;
    let (mut maria, mut eve) = (site.browser(), site.browser());
    maria.sign_up_confirmed("maria@example.com").await;
    eve.sign_up_confirmed("eve@example.com").await;
    site.work().await;
    let taken = eve.post("/account/email", &[("email", "maria@example.com"), ("password", PASSWORD)]).await;
    assert_eq!(taken.location(), "/account", "nobody learns that it is taken: {}", taken.text);
    let mails = site.work().await;
    assert!(
        mails.iter().all(|mail| mail.to != "maria@example.com" || mail.subject != "Confirm your new address")
    );
    assert!(mails.iter().any(|mail| mail.to == "eve@example.com" && mail.subject.contains("to be changed")));
    eve.post("/account/email", &[("email", "eve@example.org"), ("password", PASSWORD)]).await;
    let mails = site.work().await;
    let new = mails.iter().find(|mail| mail.to == "eve@example.org").expect("a mail");
    let token =
        new.text.split("/email/").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a link");
    let passwords = [("password", PASSWORD), ("new_password", "another lamp and nine boats")];
    assert_eq!(eve.post("/account/password", &passwords).await.location(), "/account");
    assert_eq!(eve.post(&format!("/email/{token}"), &[]).await.status, StatusCode::NOT_FOUND);
}
