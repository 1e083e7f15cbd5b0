//! The search: what is found, by whom, in which order.

use std::path::Path;

use tollgate_control::{Actor, ApiInput, ProductInput, ServiceInput};
use tollgate_domain::{ApiState, Page, ProductState, Target, Visibility};
use tollgate_store::{HitRow, Viewer};

use crate::site::Site;

async fn found(site: &Site, viewer: Viewer, question: &str) -> Vec<HitRow> {
    let words: Vec<String> = question.split(' ').map(str::to_lowercase).collect();
    site.control.store().search(viewer, question, &words, 12).await.expect("an answer")
}

fn names(rows: &[HitRow], kind: &str) -> Vec<String> {
    rows.iter().filter(|row| row.kind == kind).map(|row| row.name.clone()).collect()
}

#[tokio::test]
async fn words_are_found_while_they_are_typed_and_in_other_forms() {
    let site = Site::open().await;
    let nobody = Viewer::default();
    for question in ["cou", "countr", "country", "countries", "COUNTRIES"] {
        let rows = found(&site, nobody, question).await;
        assert!(!names(&rows, "operation").is_empty(), "{question}: {rows:?}");
        assert!(names(&rows, "product").contains(&"countries".to_owned()), "{question}");
        assert_eq!(names(&rows, "api"), ["countries"], "{question}");
    }
    assert_eq!(names(&found(&site, nobody, "Country").await, "schema")[0], "Country", "called exactly so");
    assert!(found(&site, nobody, "country zebra").await.is_empty(), "all words must be found");
    assert!(found(&site, nobody, "²").await.is_empty());
}

#[tokio::test]
async fn pages_are_found_by_their_text_in_both_languages_and_titles_weigh_more() {
    let site = Site::open().await;
    let page = |slug: &str, title: &str, text: &str| Page {
        slug: slug.parse().expect("a slug"),
        title: title.into(),
        text: text.into(),
        in_navigation: false,
        position: 0,
    };
    for (slug, title, text) in [
        ("payment", "Invoices", "How bills are paid, and what refunds take."),
        ("refunds", "Refunds", "Money that comes back."),
        ("hilfe", "Hilfe", "Die Häuser der Stadt."),
    ] {
        site.control.create_page(&Actor::system(), page(slug, title, text)).await.expect("made");
    }
    let nobody = Viewer::default();
    assert_eq!(names(&found(&site, nobody, "refund").await, "page"), ["refunds", "payment"]);
    assert_eq!(names(&found(&site, nobody, "paid refunding").await, "page"), ["payment"], "English");
    assert_eq!(names(&found(&site, nobody, "haus").await, "page"), ["hilfe"], "German");
    let shown = site.browser().get("/search?q=refund").await.text;
    assert!(shown.contains("href=\"/pages/refunds\"") && shown.contains("id=\"found-pages\""), "{shown}");
}

#[tokio::test]
async fn what_a_viewer_does_not_see_is_not_found() {
    let site = Site::open().await;
    let nobody = Viewer::default();
    assert!(!names(&found(&site, nobody, "countries").await, "operation").is_empty());
    for (showing, hiding) in [
        ("update products set visibility = 'public'", "update products set visibility = 'signed_in'"),
        ("update products set visibility = 'public'", "update products set state = 'draft'"),
        ("update products set state = 'published'", "update apis set state = 'draft'"),
    ] {
        site.run(showing).await;
        site.run(hiding).await;
        let rows = found(&site, nobody, "countries").await;
        assert!(
            ["operation", "schema", "api"].iter().all(|kind| names(&rows, kind).is_empty()),
            "{hiding}: {rows:?}"
        );
    }
    site.run("update apis set state = 'published'").await;
    site.run("update products set visibility = 'signed_in'").await;
    assert!(!names(&found(&site, Viewer::SIGNED_IN, "countries").await, "operation").is_empty());
}

#[tokio::test]
async fn what_is_found_follows_the_document_in_force_and_is_made_up_where_it_is_missing() {
    let site = Site::open().await;
    let (control, system) = (&site.control, Actor::system());
    let rows = found(&site, Viewer::default(), "countries").await;
    let before = names(&rows, "operation");
    let slug = rows.iter().map(|row| row.api.as_str()).find(|slug| !slug.is_empty()).expect("an operation");
    let api = control.store().find_api_by_slug(slug).await.expect("an answer").expect("it is there");
    let other = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/zebras: {get: {operationId: listZebras, responses: {'200': {description: ok}}}}}";
    control.publish_document(&system, api.id, None, other).await.expect("published");
    assert!(names(&found(&site, Viewer::default(), "countries").await, "operation").is_empty());
    control.rollback_document(&system, api.id, None, api.document_number).await.expect("as before");
    assert_eq!(names(&found(&site, Viewer::default(), "countries").await, "operation"), before);
    assert!(found(&site, Viewer::default(), "zebras").await.is_empty());

    site.run("delete from search_entries where api_id is not null").await;
    assert!(names(&found(&site, Viewer::default(), "countries").await, "operation").is_empty());
    control.sweep().await.expect("swept");
    assert_eq!(names(&found(&site, Viewer::default(), "countries").await, "operation"), before);
}

/// With every document that the house has to try things on; the time that the database takes is told.
#[tokio::test]
async fn all_documents_are_searched_at_once_and_a_new_document_replaces_the_words_of_the_old() {
    let site = Site::open().await;
    let (control, system) = (&site.control, Actor::system());
    let service = ServiceInput {
        slug: "many".parse().expect("a slug"),
        name: "Many".into(),
        connect_timeout_ms: 2_000,
        read_timeout_ms: 30_000,
        protocol: tollgate_domain::ServiceProtocol::H1,
        targets: vec![Target { url: "http://127.0.0.1:9".into(), weight: 100 }],
    };
    let service = control.create_service(&system, service).await.expect("made").id;
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs");
    let mut apis = Vec::new();
    for entry in specs.read_dir().into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(entry.path()).expect("a text");
        let slug: tollgate_domain::Slug = tollgate_domain::Slug::from_text(&name).expect("a slug");
        let input = ApiInput {
            base_path: format!("/{slug}"),
            match_headers: Vec::new(),
            slug,
            name: name.clone(),
            summary: String::new(),
            service_id: service,
            hosts: Vec::new(),
            state: ApiState::Published,
            sunset_at: None,
            successor_id: None,
            metering: tollgate_domain::Metering::default(),
            policies: tollgate_domain::ApiPolicies::default(),
        };
        // One of them is no document, and one is refused on purpose.
        if let Ok(row) = control.create_api(&system, input, Some(&text)).await {
            apis.push(row.id);
        }
    }
    let input = ProductInput {
        slug: "all".parse().expect("a slug"),
        name: "All".into(),
        summary: String::new(),
        description: String::new(),
        state: ProductState::Published,
        visibility: Visibility::Public,
        apis: apis.clone(),
    };
    control.create_product(&system, input).await.expect("made");
    for question in ["a", "get channel", "message", "pet", "webhook guild"] {
        let started = std::time::Instant::now();
        let rows = found(&site, Viewer::default(), question).await;
        println!("{question}: {} hits in {:?}", rows.len(), started.elapsed());
    }
    if apis.is_empty() {
        return;
    }
    assert!(!found(&site, Viewer::default(), "pet").await.is_empty());
    let other = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/zebras: {get: {operationId: listZebras, responses: {'200': {description: ok}}}}}";
    control.publish_document(&system, apis[0], None, other).await.expect("published");
    let rows = found(&site, Viewer::default(), "zebras").await;
    assert_eq!(names(&rows, "operation"), ["listZebras"]);
    let slug = control.store().get_api(apis[0]).await.expect("it is there").slug;
    for question in ["get", "list", "a", "e"] {
        let rows = found(&site, Viewer::default(), question).await;
        let left = rows
            .iter()
            .filter(|row| row.kind != "api" && row.api == slug.as_str() && row.name != "listZebras");
        assert_eq!(left.count(), 0, "{question}: {rows:?}");
    }
}
