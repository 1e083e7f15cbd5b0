//! Every page of real documents renders, within its bounds, and leads only to pages that exist.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::article::{Article, render};
use super::nav::Current;
use super::{Place, sample_document, sample_place};
use tollgate_openapi::{Document, Language};

/// Uncompressed bytes of what one page says, its navigation included. Compressed it is a sixth of that.
const PAGE_BYTES_MAX: usize = 90 * 1024;

fn all(document: &Document) -> Vec<Current> {
    let mut all = vec![Current::Overview, Current::Schemas];
    all.extend(document.operations().iter().map(|one| Current::Operation(one.operation_id.clone())));
    all.extend(document.webhooks().iter().map(|one| Current::Webhook(one.operation_id.clone())));
    all.extend(document.schema_names().map(|name| Current::Schema(name.to_owned())));
    all
}

fn pages_of(document: &Document, place: &Place) -> BTreeSet<String> {
    let page = |current: &Current| match current {
        Current::Overview => place.overview(),
        Current::Schemas => place.schemas(),
        Current::Operation(id) => place.operation(id),
        Current::Webhook(id) => place.webhook(id),
        Current::Schema(name) => place.schema(name),
    };
    all(document).iter().map(page).collect()
}

fn html(article: &Article) -> [&str; 3] {
    [article.side.as_str(), article.body.as_str(), article.samples.as_str()]
}

/// Renders every page; returns the largest and the slowest.
fn walk(name: &str, document: &Document) -> (usize, Duration) {
    let place = sample_place();
    let pages = pages_of(document, &place);
    let (mut largest, mut slowest, mut too_large) = (0, Duration::ZERO, Vec::new());
    for current in all(document) {
        let started = Instant::now();
        let article = render(
            document,
            &place,
            "An API",
            &crate::reference::Address::plain("https://api.example.com"),
            &current,
        )
        .expect("it renders")
        .unwrap_or_else(|| panic!("{name}: {current:?} is listed and not there"));
        let took = started.elapsed();
        let bytes: usize = html(&article).iter().map(|part| part.len()).sum();
        if bytes > PAGE_BYTES_MAX {
            too_large.push(format!("{current:?} has {bytes} bytes"));
        }
        assert!(!article.markdown.trim().is_empty(), "{current:?}");
        for part in html(&article) {
            for href in part.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let path = href.split('#').next().unwrap_or_default();
                if path.starts_with("/products/") {
                    assert!(pages.contains(path), "{name}: {current:?} leads to {path}");
                }
            }
        }
        largest = largest.max(bytes);
        slowest = slowest.max(took);
    }
    assert_eq!(too_large, Vec::<String>::new(), "{name}");
    (largest, slowest)
}

#[test]
fn every_page_of_the_sample_leads_somewhere() {
    walk("sample", &sample_document());
}

#[test]
fn every_page_of_real_documents_renders_within_its_bounds_on_a_small_stack() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs");
    if !folder.is_dir() {
        println!("skipped: no folder {} with documents to read", folder.display());
        return;
    }
    let work = move || {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            if name.starts_with('v') || name.starts_with("discord") {
                let text = std::fs::read_to_string(&path).expect("readable");
                let document = Document::parse(&text).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
                let (largest, slowest) = walk(&name, &document);
                println!("{name}: largest page {largest} bytes, slowest {slowest:?}");
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).expect("a thread");
    thread.join().expect("no overflow and no panic");
}

#[test]
fn a_schema_without_end_ends() {
    let document = Document::parse(
        r##"{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {"/a": {"get": {"responses": {"200":
        {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}}}}},
        "components": {"schemas": {"Tree": {"type": "object", "properties": {
            "left": {"$ref": "#/components/schemas/Tree"}, "<b>": {"type": "string", "description": "<script>x</script>",
            "enum": ["</code><i>"]}, "any": {"oneOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}}}}}}"##,
    )
    .expect("no faults");
    walk("tree", &document);
    let current = Current::Schema("Tree".into());
    let article =
        render(&document, &sample_place(), "T", &crate::reference::Address::plain("http://h"), &current)
            .expect("it renders")
            .expect("there");
    let body = article.body.as_str();
    assert!(body.contains("Members of Tree") && body.contains("&lt;b&gt;"), "{body}");
    assert!(!body.contains("<script") && !body.contains("<i>") && !body.contains("<b>"), "{body}");
}

#[test]
fn the_readers_language_and_key_stand_in_the_samples() {
    let document = sample_document();
    let current = Current::Operation("op1".into());
    let article =
        render(&document, &sample_place(), "T", &crate::reference::Address::plain("http://h"), &current)
            .expect("it renders")
            .expect("there");
    let html = article.samples_for(Language::Go, Some("tg_test_abc")).to_string();
    assert!(html.contains("value=\"go\" selected") && html.matches(" selected").count() == 1, "{html}");
    assert!(html.contains("tg_test_abc") && !html.contains("YOUR_KEY"), "{html}");
}
