//! Pages of the reference carry a tag that names all that is in them, in whichever process they were made.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tollgate_control::Actor;
use tollgate_domain::Portal;

use crate::site::{Browser, Page, Site};

const OPERATION: &str = "/products/countries/apis/countries/operations/op1";
const OTHER: &str = "openapi: 3.1.0\ninfo: {title: T, version: '2'}\npaths: {/zebras: {get: {operationId: op1, summary: List zebras, \
                     responses: {'200': {description: ok}}}}}";

fn tag(page: &Page) -> String {
    let tag = page.headers[header::ETAG].to_str().unwrap().to_owned();
    assert!(tag.starts_with('"'), "{tag} is a strong one");
    tag
}

async fn ask(site: &Site, path: &str, encoding: &str, known: &str) -> Page {
    let request = Request::get(path)
        .header(header::HOST, "portal.test")
        .header(header::ACCEPT_ENCODING, encoding)
        .header(header::IF_NONE_MATCH, known);
    site.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn who_has_a_page_in_a_coding_is_told_so_by_every_process() {
    let site = Site::open().await;
    for path in [
        OPERATION,
        "/products/countries/apis/countries",
        "/products/countries/apis/countries/schemas/Country",
    ] {
        let plain = tag(&site.browser().get(path).await);
        let packed = ask(&site, path, "gzip", "\"other\"").await;
        assert_eq!(packed.headers[header::CONTENT_ENCODING], "gzip");
        let coded = tag(&packed);
        assert_ne!(coded, plain, "other bytes, another tag (RFC 9110 section 8.8.3)");
        for (encoding, known) in [("", &plain), ("gzip", &coded), ("gzip", &coded)] {
            let again = ask(&site, path, encoding, known).await;
            assert_eq!((again.status, again.text.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
            assert_eq!(again.headers[header::ETAG], known.as_str());
            assert_eq!(again.headers[header::CACHE_CONTROL], "private, no-cache");
        }
    }
}

#[tokio::test]
async fn whatever_is_seen_on_a_page_is_in_its_tag() {
    let site = Site::open().await;
    let (control, system) = (&site.control, Actor::system());
    let api = control.store().find_api_by_slug("countries").await.unwrap().unwrap();
    let of = async |browser: &mut Browser<'_>| {
        let (page, again) = (browser.get(OPERATION).await, browser.get(OPERATION).await);
        assert_eq!(tag(&page), tag(&again), "two processes make the same page");
        (tag(&page), page.text)
    };
    let mut reader = site.browser();
    let (first, text) = of(&mut reader).await;

    control.publish_document(&system, api.id, None, OTHER).await.unwrap();
    let (published, zebras) = of(&mut reader).await;
    assert!(zebras.contains("List zebras") && !text.contains("List zebras"));
    control.rollback_document(&system, api.id, None, api.document_number).await.unwrap();
    let (back, again) = of(&mut reader).await;
    assert_eq!((&back, &again), (&first, &text), "what is as before has its tag again");

    let mut seen = vec![first, published];
    let mut german = site.browser();
    german.like("de");
    seen.push(of(&mut german).await.0);
    let mut dark = site.browser();
    dark.set_cookie("theme", "dark");
    seen.push(of(&mut dark).await.0);
    let mut gopher = site.browser();
    gopher.set_cookie("language", "go");
    seen.push(of(&mut gopher).await.0);
    let look = Portal { name: "Atlas".to_owned(), ..Portal::default() };
    control.put_portal(&system, None, look).await.unwrap();
    seen.push(of(&mut reader).await.0);
    for change in [
        "update products set name = 'Nations' where slug = 'countries'",
        "update apis set name = 'Nations API' where slug = 'countries'",
        "update plans set name = 'Gratis' where slug = 'free'",
        "update apis set state = 'deprecated', deprecated_at = now() where slug = 'countries'",
    ] {
        site.run(change).await;
        seen.push(of(&mut reader).await.0);
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[tokio::test]
async fn a_page_with_somebodys_key_has_no_tag_and_is_kept_by_nobody() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let page = maria.get(OPERATION).await;
    assert!(page.text.contains("tg_test_") && !page.text.contains("YOUR_KEY"), "{}", page.text);
    assert!(!page.headers.contains_key(header::ETAG));
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
}
