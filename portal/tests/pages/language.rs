//! In which language people are answered.

use axum::http::{StatusCode, header};

use crate::site::{Browser, Site};

async fn lang(browser: &mut Browser<'_>, path: &str) -> String {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}");
    page.between("<html lang=\"", "\"").to_owned()
}

#[tokio::test]
async fn a_browser_is_answered_in_the_language_it_likes_until_its_reader_chooses() {
    let site = Site::open().await;
    let mut browser = site.browser();
    assert_eq!(lang(&mut browser, "/").await, "en");
    browser.like("de-AT, en;q=0.5");
    let german = browser.get("/").await;
    assert!(german.text.contains("<html lang=\"de\"") && german.text.contains("Produkte"), "{}", german.text);
    assert_eq!(german.headers[header::CONTENT_LANGUAGE], "de");
    let vary: Vec<_> =
        german.headers.get_all(header::VARY).iter().filter_map(|one| one.to_str().ok()).collect();
    assert!(vary.join(", ").contains("Accept-Language") && vary.join(", ").contains("Cookie"), "{vary:?}");
    let chosen = browser.post("/locale", &[("locale", "en"), ("next", "/guides")]).await;
    assert_eq!(chosen.location(), "/guides");
    let english = browser.get("/").await;
    assert!(english.text.contains("<html lang=\"en\""), "the choice weighs more");
    assert_ne!(
        english.headers[header::ETAG],
        german.headers[header::ETAG],
        "no cache takes one for the other"
    );
}

#[tokio::test]
async fn a_choice_goes_with_the_account_to_other_browsers() {
    let site = Site::open().await;
    let (mut here, mut there) = (site.browser(), site.browser());
    here.sign_up("maria@example.com").await;
    here.post("/locale", &[("locale", "de"), ("next", "//evil.example")]).await;
    assert!(here.get("/applications").await.text.contains("Aktive Schlüssel"));
    let fields = [("email", "maria@example.com"), ("password", crate::site::PASSWORD)];
    there.post("/signin", &fields).await;
    assert_eq!(lang(&mut there, "/usage").await, "de");
    assert_eq!(there.get("/admin").await.between("<html lang=\"", "\""), "en", "operators read English");
}

#[tokio::test]
async fn whoever_signs_up_in_german_has_everything_in_german_from_the_first_mail_on() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.like("de");
    maria.sign_up("maria@example.com").await;
    let mails = site.work().await;
    assert!(mails.iter().any(|mail| mail.subject == "Bestätige deine E-Mail-Adresse"), "{mails:?}");
    maria.like("en");
    let page = maria.get("/applications").await.text;
    assert!(page.contains("<html lang=\"de\"") && page.contains("Meine erste Anwendung"), "{page}");
}

#[tokio::test]
async fn what_goes_wrong_is_said_in_the_language_of_the_reader() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.like("de");
    let missing = browser.get("/products/none").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.text.contains("Hier ist nichts"), "{}", missing.text);
    let refused = browser.post("/signin", &[("email", "a@example.com"), ("password", "x")]).await;
    assert!(refused.text.contains("E-Mail oder Passwort stimmt nicht"), "{}", refused.text);
}

#[tokio::test]
async fn what_is_not_in_the_language_of_its_page_says_in_which_it_is() {
    let site = Site::open().await;
    let mut browser = site.browser();
    assert!(
        !browser.get("/problems/expired_credential").await.text.contains(" lang=\"en\">The key has expired")
    );
    browser.like("de");
    let refusal = browser.get("/problems/expired_credential").await.text;
    assert!(
        refusal.contains("<h1>Der Schlüssel ist abgelaufen</h1>") && refusal.contains("<h2>Beispiel</h2>")
    );
    assert!(refusal.contains("<article class=\"prose guide\">"), "{refusal}");
    let refusal = browser.get("/problems/version_mismatch").await.text;
    assert!(refusal.contains("<h1 lang=\"en\">"), "{refusal}");
    assert!(refusal.contains("<article class=\"prose guide\" lang=\"en\">"), "{refusal}");
    let guide = browser.get("/guides/limits").await.text;
    assert!(guide.contains("<h1>Limits und was davon übrig ist</h1>"), "a guide is in German: {guide}");
    let found = browser.get("/search?q=Ratenlimits").await.text;
    assert!(found.contains("href=\"/guides/limits\">Limits und was davon"), "and found so: {found}");
}

#[tokio::test]
async fn guides_for_operators_are_for_operators() {
    let site = Site::open().await;
    let mut reader = site.browser();
    assert!(!reader.get("/guides").await.text.contains("/guides/connect-stripe"));
    assert_eq!(reader.get("/guides/connect-stripe").await.status, StatusCode::NOT_FOUND);
    let mut admin = site.browser();
    admin.become_admin("ada@example.com").await;
    let guides = admin.get("/guides").await.text;
    assert!(
        guides.contains("For operators of this portal") && guides.contains("/guides/connect-stripe"),
        "{guides}"
    );
    let guide = admin.get("/guides/close-a-month").await.text;
    assert!(guide.contains("href=\"/guides/connect-stripe\">Stripe</a>"), "{guide}");
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_said_in_the_language_of_the_page() {
    let site = Site::open().await;
    let mut browser = site.browser();
    browser.like("de");
    let fields = [("email", "maria@"), ("password", "kurz"), ("product", "countries")];
    let refused = browser.post("/signup", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for said in ["Eine E-Mail-Adresse, etwa name@example.com.", "Mindestens 15 Zeichen; drei oder vier"] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
}
