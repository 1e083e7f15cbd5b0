//! Signing in through OpenID Connect providers, honest ones and liars.

use axum::http::StatusCode;
use serde_json::json;
use tollgate_control::Actor;
use tollgate_testkit::{Lie, OidcProvider, SomebodyThere};

use crate::site::{Browser, PASSWORD, PORTAL_URL, Page, Site};

const USERS: &str = "select count(*) from users where email = $1";

/// Goes to the provider and comes back, as a browser does.
async fn sign_in(browser: &mut Browser<'_>, link: &str) -> Page {
    let back = at_provider(browser, link).await;
    browser.get(&back).await
}

/// Goes to the provider, and returns the path that it sends the browser back to.
async fn at_provider(browser: &mut Browser<'_>, link: &str) -> String {
    let off = browser.get(link).await;
    assert_eq!(off.status, StatusCode::SEE_OTHER, "{}", off.text);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let answer = client.expect("a client").get(off.location()).send().await.expect("the provider answers");
    let back = answer.headers().get("location").unwrap_or_else(|| panic!("{link}: no way back"));
    let back = back.to_str().expect("a URL");
    back.strip_prefix(PORTAL_URL).expect("back to the configured origin").to_owned()
}

fn somebody(subject: &str, email: &str, email_verified: bool, groups: &[&str]) -> SomebodyThere {
    SomebodyThere {
        subject: subject.to_owned(),
        email: Some(email.to_owned()),
        email_verified,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    }
}

/// What the page to sign in says after a sign-in that was refused.
async fn refusal(browser: &mut Browser<'_>, answer: &Page) -> String {
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/signin"), "{}", answer.text);
    browser.get("/signin").await.text
}

#[tokio::test]
async fn a_first_sign_in_makes_everything_a_first_call_needs_without_a_field() {
    let provider = OidcProvider::start().await;
    let site = Site::open_to(&[provider.settings(&json!({}))]).await;
    let mut maria = site.browser();
    let page = maria.get("/signup?product=countries").await;
    let link = page.between("href=\"/signin/with/", "\"").to_owned();
    assert_eq!(link, "work?product=countries");
    let back = sign_in(&mut maria, &format!("/signin/with/{link}")).await;
    assert_eq!(back.location(), "/get-started");
    let started = maria.get("/get-started").await;
    assert!(started.text.contains("tg_test_"), "the key is there");
    assert!(!started.text.contains("Confirm your e-mail"), "the provider has confirmed the address");
    let made = "select count(*) from users u join members m on m.user_id = u.id
        join applications a on a.organization_id = m.organization_id
        join subscriptions s on s.application_id = a.id
        join credentials k on k.application_id = a.id
        join identities i on i.user_id = u.id
        where u.email = $1 and u.email_verified_at is not null";
    assert_eq!(site.database.count(made, "maria@example.com").await, 1);
    assert!(site.work().await.is_empty(), "nobody is asked whether the address is theirs");

    let mut again = site.browser();
    provider.seat(somebody("248289761001", "other@example.com", true, &[]));
    let back = sign_in(&mut again, "/signin/with/work?next=/usage").await;
    assert_eq!(back.location(), "/usage", "issuer and subject say who it is, whatever their address is now");
    let page = again.get("/account").await;
    assert!(page.text.contains("Example SSO") && page.text.contains("maria@example.com"));
    assert_eq!(site.database.count(USERS, "other@example.com").await, 0);
}

#[tokio::test]
async fn every_lie_of_a_provider_is_refused_and_nothing_is_made() {
    for lie in [
        Lie::Nonce,
        Lie::NoNonce,
        Lie::Audience,
        Lie::TwoAudiences,
        Lie::Issuer,
        Lie::Expired,
        Lie::Future,
        Lie::NoneAlgorithm,
        Lie::ClientSecret,
        Lie::Changed,
        Lie::AccessToken,
        Lie::NoToken,
        Lie::OtherAnswer,
    ] {
        let provider = OidcProvider::start().await;
        let site = Site::open_to(&[provider.settings(&json!({}))]).await;
        provider.lie(Some(lie));
        let mut maria = site.browser();
        let back = sign_in(&mut maria, "/signin/with/work").await;
        let page = refusal(&mut maria, &back).await;
        assert!(page.contains("something that proves nothing"), "{lie:?}: {page}");
        assert_eq!(site.database.count(USERS, "maria@example.com").await, 0, "{lie:?}");
        provider.lie(None);
        assert_eq!(sign_in(&mut maria, "/signin/with/work").await.location(), "/get-started", "{lie:?}");
    }
}

#[tokio::test]
async fn a_discovery_document_that_leads_elsewhere_never_ends_or_is_packed_is_not_followed() {
    for (lie, said) in [
        (Lie::OtherDiscovery, "proves nothing"),
        (Lie::PrivateKeys, "does not answer"),
        (Lie::Endless, "does not answer"),
        (Lie::Packed, "does not answer"),
    ] {
        let provider = OidcProvider::start().await;
        let site = Site::open_to(&[provider.settings(&json!({}))]).await;
        provider.lie(Some(lie));
        let mut maria = site.browser();
        let off = maria.get("/signin/with/work").await;
        let page = refusal(&mut maria, &off).await;
        assert!(page.contains(said), "{lie:?}: {page}");
        assert_eq!(provider.asked("/keys"), 0);
    }
}

#[tokio::test]
async fn an_answer_comes_back_once_and_to_the_browser_that_asked() {
    let provider = OidcProvider::start().await;
    let site = Site::open_to(&[provider.settings(&json!({}))]).await;
    let mut maria = site.browser();
    let back = at_provider(&mut maria, "/signin/with/work").await;
    let mut eve = site.browser();
    let stolen = eve.get(&back).await;
    assert!(refusal(&mut eve, &stolen).await.contains("began in another browser"));
    assert_eq!(provider.asked("/token"), 0, "the code of a stranger is not even shown to the provider");

    assert_eq!(maria.get(&back).await.location(), "/get-started");
    let again = maria.get(&back).await;
    assert_eq!(again.location(), "/signin");

    provider.lie(Some(Lie::State));
    let mut other = site.browser();
    let forged = sign_in(&mut other, "/signin/with/work").await;
    assert!(refusal(&mut other, &forged).await.contains("began in another browser"));
    provider.lie(Some(Lie::Denied));
    let denied = sign_in(&mut other, "/signin/with/work").await;
    let page = refusal(&mut other, &denied).await;
    assert!(page.contains("was told not to") && !page.contains("<b>no"), "its own words are not shown");
    assert_eq!(other.get("/signin/with/nobody").await.status, StatusCode::NOT_FOUND);
    provider.lie(None);
    let led = sign_in(&mut other, "/signin/with/work?next=//evil.test/").await;
    assert_eq!(led.location(), "/applications", "nowhere but here");
}

#[tokio::test]
async fn an_account_is_opened_only_where_both_sides_have_shown_the_address() {
    let provider = OidcProvider::start().await;
    let site = Site::open_to(&[provider.settings(&json!({}))]).await;
    // Confirmed here, not there: another account, which nobody learns of, and the first one stays shut.
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    provider.seat(somebody("eve", "maria@example.com", false, &[]));
    let mut eve = site.browser();
    assert_eq!(sign_in(&mut eve, "/signin/with/work").await.location(), "/get-started");
    let shadows = "select count(*) from users u join identities i on i.user_id = u.id
        where u.email = $1 and u.shadow_of is not null and u.email_verified_at is null";
    assert_eq!(site.database.count(shadows, "maria@example.com").await, 1);

    // Confirmed on both sides: the same account.
    provider.seat(somebody("maria", "Maria@Example.com", true, &[]));
    let mut there = site.browser();
    assert_eq!(sign_in(&mut there, "/signin/with/work").await.location(), "/applications");
    let linked = "select count(*) from users u join identities i on i.user_id = u.id
        where u.email = $1 and u.shadow_of is null and i.subject = 'maria'";
    assert_eq!(site.database.count(linked, "maria@example.com").await, 1);
    let removed = [("issuer", provider.issuer()), ("subject", "maria".to_owned())];
    let removed = removed.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(there.post("/account/identities/remove", &removed).await.location(), "/account");
    assert_eq!(site.database.count(linked, "maria@example.com").await, 0);

    // Confirmed there, never here: whoever typed the address first has no more right to it.
    let mut squatter = site.browser();
    squatter.sign_up("nora@example.com").await;
    provider.seat(somebody("nora", "nora@example.com", true, &[]));
    let mut nora = site.browser();
    assert_eq!(sign_in(&mut nora, "/signin/with/work").await.location(), "/get-started");
    let owner = "select count(*) from users u join identities i on i.user_id = u.id
        where u.email = $1 and u.shadow_of is null and u.email_verified_at is not null";
    assert_eq!(site.database.count(owner, "nora@example.com").await, 1);
    assert_eq!(site.database.count(USERS, "nora@example.com").await, 2);
    let only = [("issuer", provider.issuer()), ("subject", "nora".to_owned())];
    let only = only.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(nora.post("/account/identities/remove", &only).await.location(), "/account");
    assert!(nora.get("/account").await.text.contains("set a password first"), "the last way in stays");
}

#[tokio::test]
async fn without_an_address_there_is_no_account() {
    let provider = OidcProvider::start().await;
    let site = Site::open_to(&[provider.settings(&json!({}))]).await;
    for email in [None, Some("no address".to_owned()), Some("a@b.c\r\nbcc: d@e.f".to_owned())] {
        provider.seat(SomebodyThere {
            subject: "somebody".to_owned(),
            email,
            email_verified: true,
            groups: Vec::new(),
        });
        let mut browser = site.browser();
        let back = sign_in(&mut browser, "/signin/with/work").await;
        assert!(refusal(&mut browser, &back).await.contains("no confirmed e-mail address"));
    }
}

#[tokio::test]
async fn who_came_by_a_provider_leaves_without_a_password_they_never_had() {
    let provider = OidcProvider::start().await;
    let site = Site::open_to(&[provider.settings(&json!({}))]).await;
    let mut maria = site.browser();
    sign_in(&mut maria, "/signin/with/work").await;
    let form = maria.get("/account/delete").await;
    assert!(form.text.contains("no password to ask for") && !form.text.contains("name=\"password\""));
    let id: tollgate_domain::UserId = {
        let user = site.control.store().find_user_by_email("maria@example.com").await.expect("a store");
        user.expect("her account").id
    };
    let long_ago = chrono::Utc::now() - chrono::TimeDelta::minutes(11);
    let refused =
        site.control.delete_account(&Actor::system(), id, "", long_ago).await.expect_err("too late");
    assert!(refused.to_string().contains("sign in again"), "{refused}");
    assert_eq!(site.database.count(USERS, "maria@example.com").await, 1);
    assert_eq!(maria.post("/account/delete", &[("email", "maria@example.com")]).await.location(), "/");
    assert_eq!(site.database.count(USERS, "maria@example.com").await, 0);
}

#[tokio::test]
async fn roles_follow_the_claim_at_every_sign_in_and_the_last_admin_stays() {
    let provider = OidcProvider::start().await;
    let operators = json!({ "slug": "staff", "name": "Staff", "for": ["operators"], "role_claim": "groups",
        "roles": { "api-admins": "admin", "api-desk": "support" } });
    let site = Site::open_to(&[provider.settings(&operators)]).await;
    let roles = "select count(*) from operators o join users u on u.id = o.user_id
        where u.email = 'ada@example.com' and o.role = $1";
    let mut ada = site.browser();
    assert!(!ada.get("/signup").await.text.contains("Staff"), "it makes no accounts of developers");

    provider.seat(somebody("ada", "ada@example.com", true, &["cooks"]));
    let back = sign_in(&mut ada, "/signin/with/staff").await;
    assert!(refusal(&mut ada, &back).await.contains("gives you no role here"));
    assert_eq!(site.database.count(USERS, "ada@example.com").await, 0);

    provider.seat(somebody("ada", "ada@example.com", true, &["cooks", "api-admins", "api-desk"]));
    assert_eq!(sign_in(&mut ada, "/signin/with/staff?next=/admin").await.location(), "/admin");
    assert_eq!(ada.get("/admin").await.status, StatusCode::OK);
    assert_eq!(site.database.count(roles, "admin").await, 1);

    // Nobody else could give roles any more.
    provider.seat(somebody("ada", "ada@example.com", true, &["api-desk"]));
    assert_eq!(sign_in(&mut ada, "/signin/with/staff").await.location(), "/applications");
    assert_eq!(site.database.count(roles, "admin").await, 1);

    let mut other = site.browser();
    other.become_admin("grace@example.com").await;
    let shown = other.get("/admin/operators").await;
    assert!(
        shown.text.contains("by groups: api-admins: admin, api-desk: support")
            && shown.text.contains("Staff"),
        "{}",
        shown.text
    );
    sign_in(&mut ada, "/signin/with/staff").await;
    assert_eq!(site.database.count(roles, "support").await, 1);
    provider.seat(somebody("ada", "ada@example.com", true, &[]));
    let mut later = site.browser();
    let back = sign_in(&mut later, "/signin/with/staff").await;
    assert!(refusal(&mut later, &back).await.contains("gives you no role here"));
    assert_eq!(ada.get("/admin").await.status, StatusCode::NOT_FOUND, "the role is gone in every session");
    let audited = "select count(*) from audit_entries where subject_kind = 'operator' and action = $1";
    assert_eq!(site.database.count(audited, "operator.delete").await, 1);

    // What somebody gave by hand is theirs to take.
    provider.seat(somebody("grace", "grace@example.com", true, &["api-desk"]));
    let mut grace = site.browser();
    assert_eq!(sign_in(&mut grace, "/signin/with/staff").await.location(), "/applications");
    let by_hand = "select count(*) from operators o join users u on u.id = o.user_id
        where u.email = $1 and o.role = 'admin' and o.granted_by is null";
    assert_eq!(site.database.count(by_hand, "grace@example.com").await, 1);
}

#[tokio::test]
async fn an_operator_is_not_signed_in_by_a_provider_for_developers() {
    let provider = OidcProvider::start().await;
    let site = Site::open_to(&[provider.settings(&json!({}))]).await;
    let mut admin = site.browser();
    admin.become_admin("maria@example.com").await;
    let mut other = site.browser();
    let back = sign_in(&mut other, "/signin/with/work").await;
    assert!(refusal(&mut other, &back).await.contains("You run this platform"));
    let fields = [("email", "maria@example.com"), ("password", PASSWORD)];
    assert_eq!(other.post("/signin", &fields).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn discovery_and_keys_are_kept_until_a_key_is_new() {
    let provider = OidcProvider::start().await;
    let site = Site::open_to(&[provider.settings(&json!({}))]).await;
    for _ in 0..3 {
        let back = sign_in(&mut site.browser(), "/signin/with/work").await;
        assert_eq!(back.status, StatusCode::SEE_OTHER);
    }
    assert_eq!((provider.asked("/keys"), provider.asked("/.well-known/openid-configuration")), (1, 1));
    provider.rotate("second");
    let mut maria = site.browser();
    let back = sign_in(&mut maria, "/signin/with/work").await;
    // What is newer than a minute is believed: a flood of unknown keys asks the provider nothing.
    assert!(refusal(&mut maria, &back).await.contains("proves nothing"));
    assert_eq!(provider.asked("/keys"), 1);
}
