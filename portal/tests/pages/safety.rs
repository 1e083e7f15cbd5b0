//! What strangers and other sites cannot do.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};

use crate::site::{PASSWORD, PORTAL_URL, Site};

#[tokio::test]
async fn case_159_every_page_says_what_a_browser_may_do_with_it() {
    let site = Site::open().await;
    let page = site.browser().get("/").await;
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_ne!(page.headers[header::REFERRER_POLICY], "no-referrer", "Origin would become null");
    assert!(page.headers.contains_key("x-request-id") && !page.headers.contains_key(header::SET_COOKIE));
    let missing = site.browser().get("/nowhere").await;
    let id = missing.headers["x-request-id"].to_str().unwrap().to_owned();
    assert!(missing.text.contains(&id) && missing.headers.contains_key(header::CONTENT_SECURITY_POLICY));
}

#[tokio::test]
async fn case_150_another_site_cannot_post_here() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.sign_up("maria@example.com").await;
    for fetch_site in ["cross-site", "same-site"] {
        let refused = browser.post_from("/applications", &[("name", "planted")], fetch_site).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{fetch_site}");
        assert!(refused.text.contains("sent by another site"));
    }
    for (origin, status) in [
        ("null", StatusCode::FORBIDDEN),
        ("http://evil.test", StatusCode::FORBIDDEN),
        (PORTAL_URL, StatusCode::SEE_OTHER),
    ] {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/theme")
            .header(header::HOST, "portal.test")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("theme=dark&next=/"))
            .expect("a valid request");
        assert_eq!(site.send(request).await.status, status, "{origin}");
    }
    assert!(!browser.get("/applications").await.text.contains("planted"));
}

#[tokio::test]
async fn case_151_a_session_that_was_planted_before_signing_in_opens_nothing_after() {
    const COOKIE: &str = "__Host-session";
    let site = Site::open_with(true).await;
    site.browser().sign_up("maria@example.com").await;
    // Eve's own session is a live one, which the server knows and would keep.
    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    assert!(eve.get("/applications").await.text.contains("eve@example.com"));
    let planted = eve.cookie(COOKIE).expect("a session").to_owned();

    let mut maria = site.browser();
    maria.set_cookie(COOKIE, &planted);
    let fields = [("email", "maria@example.com"), ("password", PASSWORD)];
    let answer = maria.post("/signin", &fields).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["__Host-session=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert_ne!(maria.cookie(COOKIE), Some(planted.as_str()));
    assert!(maria.get("/applications").await.text.contains("maria@example.com"));

    let peeped = eve.get("/applications").await;
    assert!(peeped.location().starts_with("/signin"), "{} {}", peeped.status, peeped.text);
    let stored =
        site.database.count("select count(*) from sessions where octet_length(digest) <> 32 and $1 = ''", "");
    assert_eq!(stored.await, 0, "only hashes of ids are stored");
}

#[tokio::test]
async fn case_151_a_session_that_was_signed_out_opens_nothing() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let kept = maria.cookie("session").expect("a session").to_owned();
    assert_eq!(maria.post("/signout", &[]).await.location(), "/");
    let mut eve = site.browser();
    eve.set_cookie("session", &kept);
    for path in ["/applications", "/account", "/get-started"] {
        assert!(eve.get(path).await.location().starts_with("/signin"), "{path}");
    }
    assert_eq!(site.database.count("select count(*) from sessions where $1 = ''", "").await, 0);
}

/// Bad input 156: two of one form at the same instant.
#[tokio::test]
async fn case_156_subscribing_twice_at_once_subscribes_once() {
    let site = Site::open().await;
    let mut here = site.browser();
    here.sign_up("maria@example.com").await;
    let made = here.post("/applications", &[("name", "Importer")]).await;
    let id = made.location().trim_start_matches("/applications/").to_owned();
    let mut there = site.browser();
    there.set_cookie("session", here.cookie("session").expect("a session"));
    let fields = [("plan", "free"), ("application", id.as_str())];
    let path = "/products/countries/subscribe";
    let (one, two) = tokio::join!(here.post(path, &fields), there.post(path, &fields));
    assert_eq!((one.status, two.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER), "{}", two.text);
    let count = "select count(*) from subscriptions s join applications a on a.id = s.application_id where a.name = $1";
    assert_eq!(site.database.count(count, "Importer").await, 1);
}

#[tokio::test]
async fn a_page_that_is_only_read_writes_no_session() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.sign_up("maria@example.com").await;
    for path in ["/get-started", "/get-started/first-call", "/usage", "/applications", "/"] {
        let page = browser.get(path).await;
        assert!(!page.headers.contains_key(header::SET_COOKIE), "{path}");
    }
}

#[tokio::test]
async fn case_154_nobody_is_sent_to_another_host_after_signing_in() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    for next in ["//evil", "/\\evil", "https:evil", "https://evil/", "/\t/evil"] {
        let mut browser = site.browser();
        let fields = [("email", "maria@example.com"), ("password", PASSWORD), ("next", next)];
        assert_eq!(browser.post("/signin", &fields).await.location(), "/applications", "{next}");
        let theme = browser.post("/theme", &[("theme", "dark"), ("next", next)]).await;
        assert_eq!(theme.location(), "/", "{next}");
    }
}

#[tokio::test]
async fn case_161_the_things_of_another_organization_are_not_found() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let list = maria.get("/applications").await;
    let path = format!("/applications/app_{}", list.between("/applications/app_", "\""));
    let page = maria.get(&path).await;
    let key = format!("{path}/keys/key_{}", &page.between(&format!("{path}/keys/key_"), "\"")[..26]);
    let revoke = format!("{key}/revoke");
    let id = path.trim_start_matches("/applications/").to_owned();

    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    for path in
        [&path, &revoke, &key, &format!("/usage?application={id}"), &format!("/usage.csv?application={id}")]
    {
        assert_eq!(eve.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let once = uuid::Uuid::now_v7().to_string();
    for (path, fields) in [
        (revoke.clone(), vec![]),
        (format!("{path}/keys"), vec![("name", "stolen"), ("once", once.as_str())]),
        ("/products/countries/subscribe".to_owned(), vec![("plan", "free"), ("application", id.as_str())]),
    ] {
        assert_eq!(eve.post(&path, &fields).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// Bad input 147: what a stranger sees does not tell whether an address is taken.
#[tokio::test]
async fn case_147_a_taken_address_is_answered_like_a_free_one() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let mut pages = Vec::new();
    for email in ["maria@example.com", "olga@example.com"] {
        let mut eve = site.browser();
        let fields = [("email", email), ("password", "another good password"), ("product", "countries")];
        let answer = eve.post("/signup", &fields).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/get-started"), "{email}");
        let page = eve.get("/get-started").await;
        let key = page.between("id=\"new-key\">", "<").to_owned();
        assert!(key.starts_with("tg_test_"), "{email}");
        assert!(eve.get("/applications").await.text.contains("My first app"));
        let same =
            page.text.replace(&key, "KEY").replace(&key[key.len() - 4..], "LAST").replace(email, "EMAIL");
        pages.push(same.replace(&key[..12], "FIRST"));
    }
    assert_eq!(pages[0], pages[1], "the same page");
    let own = maria.get("/applications").await;
    assert!(!own.text.contains("another"), "nothing of it reaches the owner's account");
}

#[tokio::test]
async fn an_address_is_confirmed_by_the_link_of_the_mail_and_only_by_a_click() {
    let site = Site::open().await;
    let mut maria = site.browser();
    let page = maria.sign_up("maria@example.com").await;
    assert!(page.text.contains("Confirm your address"), "the notice");
    let link = site.link_to("maria@example.com").await;
    assert!(link.starts_with("http://portal.test/verify/"), "{link}");
    let path = link.trim_start_matches("http://portal.test").to_owned();
    // What looks through mails opens links; it clicks nothing.
    for _ in 0..2 {
        let question = site.browser().get(&path).await;
        assert!(
            question.text.contains("Confirm address")
                && question.headers[header::CACHE_CONTROL] == "no-store"
        );
    }
    assert_eq!(maria.post(&path, &[]).await.location(), "/applications");
    let after = maria.get("/applications").await;
    assert!(after.text.contains("Your address is confirmed.") && !after.text.contains("Send it again"));
    assert_eq!(maria.post(&path, &[]).await.status, StatusCode::NOT_FOUND, "the link is used up");
    assert_eq!(site.browser().get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn case_149_guessing_passwords_is_slowed_down() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let mut eve = site.browser();
    let fields = [("email", "maria@example.com"), ("password", "guess guess guess")];
    let mut last = eve.post("/signin", &fields).await;
    for _ in 0..10 {
        last = eve.post("/signin", &fields).await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(last.headers.contains_key(header::RETRY_AFTER) && last.text.contains("Too many tries"));
}

/// Bad input 149: whoever tries one password on very many accounts fails a hundred times; others are not held up.
#[tokio::test]
async fn case_149_the_101st_failure_closes_an_address_and_nobody_elses() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let sign_in = async |address: [u8; 4], email: &str, password: &str| {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/signin")
            .header(header::HOST, "portal.test")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("email={email}&password={}", password.replace(' ', "+"))))
            .expect("a valid request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 4711))));
        site.send(request).await.status
    };
    let (guesser, home) = ([203, 0, 113, 9], [198, 51, 100, 4]);
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    assert_eq!(sign_in(guesser, "person1@example.com", "wrong").await, wrong);
    site.run("insert into attempts (subject) select subject from attempts, generate_series(2, 99)").await;
    assert_eq!(sign_in(guesser, "person100@example.com", "wrong").await, wrong, "the hundredth");
    assert_eq!(sign_in(guesser, "maria@example.com", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        sign_in(home, "maria@example.com", PASSWORD).await,
        StatusCode::SEE_OTHER,
        "the owner's way in"
    );
}

/// Bad input 149: guesses at one account from very many addresses come to one a minute; its owner is held up nowhere that
/// they signed in from, and keeps every other way in.
#[tokio::test]
async fn case_149_guesses_at_one_account_from_everywhere_wait_for_their_turn_and_its_owner_does_not() {
    let site = Site::open().await;
    let sign_in = async |address: [u8; 4], password: &str| {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/signin")
            .header(header::HOST, "portal.test")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("email=maria@example.com&password={}", password.replace(' ', "+"))))
            .expect("a valid request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 4711))));
        site.send(request).await
    };
    site.browser().sign_up("maria@example.com").await;
    let (wrong, right) = (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::SEE_OTHER);
    let home = [198, 51, 100, 4];
    assert_eq!(sign_in(home, PASSWORD).await.status, right);
    assert_eq!(sign_in([203, 0, 113, 1], "wrong").await.status, wrong);
    // Each of a hundred addresses fails once: what they have in common is the account.
    site.run(
        "insert into attempts (subject)
         select sha256('account'::bytea || '\\x00'::bytea || 'maria@example.com'::bytea) from generate_series(1, 100)",
    )
    .await;
    assert_eq!(sign_in([203, 0, 113, 2], "wrong").await.status, wrong, "the first has the turn");
    let waits = sign_in([203, 0, 113, 3], PASSWORD).await;
    assert_eq!(
        (waits.status, &waits.headers[header::RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &"60".parse().unwrap())
    );
    assert_eq!(sign_in(home, PASSWORD).await.status, right, "where they signed in before");
    site.run("update attempts set made_at = made_at - interval '61 seconds'").await;
    assert_eq!(sign_in([203, 0, 113, 4], PASSWORD).await.status, right, "slower, not closed");
    assert_eq!(sign_in([203, 0, 113, 4], PASSWORD).await.status, right, "and known from now on");

    // A stranger who signed up with the same address has a password of their own, and no network of the owner's.
    site.run("update attempts set made_at = now() - interval '2 minutes'").await;
    let form = [("email", "maria@example.com"), ("password", "a password of somebody else's")];
    site.browser().post("/signup", &form).await;
    assert_eq!(sign_in([203, 0, 113, 5], form[1].1).await.status, right, "it was their turn");
    assert_eq!(sign_in([203, 0, 113, 5], form[1].1).await.status, StatusCode::TOO_MANY_REQUESTS);
    let mut owner = site.browser();
    let asked = owner.post("/password/forgotten", &[("email", "maria@example.com")]).await;
    assert_ne!(asked.status, StatusCode::TOO_MANY_REQUESTS, "a new password by mail is a way in as ever");
}

#[tokio::test]
async fn a_guesser_behind_a_trusted_proxy_slows_down_only_themselves() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let sign_in = async |proxy: [u8; 4], forwarded_for: &str, password: &str| {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/signin")
            .header(header::HOST, "portal.test")
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", forwarded_for)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("email=maria@example.com&password={password}")))
            .expect("a valid request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((proxy, 4711))));
        site.send(request).await.status
    };
    let right = PASSWORD.replace(' ', "+");
    for (proxy, name) in [([10, 0, 0, 1], "the proxy"), ([192, 0, 2, 66], "a stranger that claims to be one")]
    {
        for n in 0..10 {
            let fields = format!("198.51.100.{n}, 203.0.113.7");
            assert_eq!(sign_in(proxy, &fields, "guess").await, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        }
        let guesser = sign_in(proxy, "203.0.113.7", &right).await;
        assert_eq!(guesser, StatusCode::TOO_MANY_REQUESTS, "{name}");
    }
    assert_eq!(sign_in([10, 0, 0, 1], "203.0.113.8", &right).await, StatusCode::SEE_OTHER);
    assert_eq!(sign_in([192, 0, 2, 66], "203.0.113.8", &right).await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_theme_is_kept_in_a_cookie_and_drawn_by_the_server() {
    let site = Site::open().await;
    let mut browser = site.browser();
    assert!(!browser.get("/").await.text.contains("data-theme"));
    let answer = browser.post("/theme", &[("theme", "dark"), ("next", "/problems")]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/problems"));
    assert!(browser.get("/problems").await.text.contains("<html lang=\"en\" data-theme=\"dark\">"));
    assert!(browser.get("/nowhere").await.text.contains("data-theme=\"dark\""));
}

#[tokio::test]
async fn static_files_are_kept_for_ever_under_their_hash() {
    let site = Site::open().await;
    let home = site.browser().get("/").await;
    let path = format!("/static/tollgate.{}", home.between("/static/tollgate.", "\""));
    let css = site.browser().get(&path).await;
    assert_eq!(css.status, StatusCode::OK);
    assert!(css.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    let missing = site.browser().get("/static/vendor.sh").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

/// Bad inputs 153 and 160: what stands in a name stays text, and breaks no line.
#[tokio::test]
async fn case_153_a_script_in_a_name_is_text_and_case_160_a_line_break_is_refused() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.sign_up("maria@example.com").await;
    for name in [
        "<script>alert(1)</script>",
        "javascript:alert(1)",
        "<svg onload=alert(1)>",
        "![x](http://evil.test/i)",
    ] {
        let made = browser.post("/applications", &[("name", name)]).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{name}");
        for path in [made.location(), "/applications"] {
            let page = browser.get(path).await;
            assert!(!page.text.contains("<script>alert") && !page.text.contains("<svg onload"), "{name}");
            assert!(!page.text.contains("src=\"http") && !page.text.contains("href=\"javascript"), "{name}");
        }
    }
    for name in ["Acme\r\nBcc: all@example.com", "Acme\nX: y", "Acme\u{0}"] {
        let refused = browser.post("/applications", &[("name", name)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name:?}");
    }
    let address = [("email", "maria@example.com\r\nBcc: all@example.com"), ("password", PASSWORD)];
    assert_eq!(site.browser().post("/signup", &address).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// Bad input 158: a plan that was not offered is not got by naming it, whatever price is sent beside it.
#[tokio::test]
async fn case_158_a_plan_that_is_not_for_sale_is_refused() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.sign_up("maria@example.com").await;
    let list = browser.get("/applications").await;
    let id = format!("app_{}", list.between("/applications/app_", "\""));
    for plan in ["pro", "none", "", "free' or 1=1", "pln_00000000000000000000000000"] {
        let fields = [("plan", plan), ("application", id.as_str()), ("price", "0")];
        let answer = browser.post("/products/countries/subscribe", &fields).await;
        let refused = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::NOT_FOUND].contains(&answer.status);
        assert!(refused, "{plan}: {}", answer.status);
    }
    assert_eq!(site.database.count("select count(*) from subscriptions where state <> $1", "ended").await, 1);
}
