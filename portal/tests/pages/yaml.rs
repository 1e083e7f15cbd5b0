//! What is published as YAML in the web UI: looked at as a difference before it is made so.

use axum::http::StatusCode;

use crate::site::{Browser, Page, Site};

const PRODUCT: &str = "/admin/products/countries/yaml";

/// What a form of the page would send on: the text in the editor.
fn text_of(page: &Page) -> String {
    let text = page.text.split("<textarea").nth(1).and_then(|rest| rest.split_once('>')).expect("an editor");
    let text = text.1.split("</textarea>").next().unwrap_or_default();
    let escaped = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    let plain = escaped.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    plain.trim_start_matches('\n').to_owned()
}

async fn look(admin: &mut Browser<'_>, path: &str, text: &str) -> Page {
    admin.post(path, &[("text", &text.replace('\n', "\r\n"))]).await
}

#[tokio::test]
async fn a_text_is_looked_at_and_then_made_so_and_whoever_was_slower_looks_again() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    for path in ["/admin/apis/countries/yaml", "/admin/services/countries/yaml", PRODUCT] {
        let same = text_of(&admin.get(path).await);
        assert!(same.contains("slug: countries"), "{path}: {same}");
        let looked = look(&mut admin, path, &same).await;
        assert_eq!(looked.status, StatusCode::OK, "{path}");
        assert!(looked.text.contains("Nothing would change"), "{path}: {}", looked.text);
    }

    let text = text_of(&admin.get(PRODUCT).await);
    assert!(text.contains("kind: plan"), "a product comes with its plans: {text}");
    let mine = text.replacen("name: Countries", "name: Lands", 1);
    assert_ne!(mine, text);
    let looked = look(&mut admin, PRODUCT, &mine).await;
    assert!(
        looked.text.contains("This is what would change") && looked.text.contains("Lands"),
        "{}",
        looked.text
    );
    let named = "select count(*) from products where name = $1";
    assert_eq!(site.database.count(named, "Lands").await, 0, "a look changes nothing");
    let seen = looked.between("name=\"seen\" value=\"", "\"").to_owned();

    // Somebody else is faster.
    site.run("update products set name = 'Nations', version = version + 1").await;
    let again = admin.post(PRODUCT, &[("text", &mine), ("seen", &seen)]).await;
    assert!(
        again.text.contains("Somebody changed something meanwhile") && again.text.contains("Nations"),
        "{}",
        again.text
    );
    assert_eq!(site.database.count(named, "Nations").await, 1, "nothing was lost unseen");
    let seen = again.between("name=\"seen\" value=\"", "\"").to_owned();
    let done = admin.post(PRODUCT, &[("text", &mine), ("seen", &seen)]).await;
    assert_eq!(done.location(), PRODUCT);
    assert_eq!(site.database.count(named, "Lands").await, 1);
    let noted = "select count(*) from audit_entries where action = $1 and face = 'portal'";
    assert_eq!(site.database.count(noted, "product.update").await, 1);
}

#[tokio::test]
async fn a_fault_is_told_with_its_line_and_what_gateways_would_refuse_is_refused() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    let text = text_of(&admin.get(PRODUCT).await);
    for (wrong, told) in [
        (text.replacen("kind: product", "kind: produce", 1), "produce"),
        (text.replacen("name: Countries", "nmae: Countries", 1), "did you mean"),
        (text.replacen("- countries", "- no-such-api", 1), "no-such-api"),
        (String::new(), "declares nothing"),
    ] {
        let refused = look(&mut admin, PRODUCT, &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {}", refused.text);
        assert!(refused.text.contains(told), "{told}: {}", refused.text);
    }
    let api = "/admin/apis/countries/yaml";
    let file = format!("{}document: /etc/passwd\n", text_of(&admin.get(api).await));
    let refused = look(&mut admin, api, &file).await;
    assert!(refused.text.contains("no file is read here"), "{}", refused.text);
    let changes = "select count(*) from audit_entries where face = 'portal' and action like $1";
    assert_eq!(site.database.count(changes, "product.%").await, 0);

    site.run("update operators set role = 'support'").await;
    let shown = admin.get(PRODUCT).await;
    assert!(shown.text.contains("slug: countries") && !shown.text.contains("<textarea"), "{}", shown.text);
    let refused = look(&mut admin, PRODUCT, &text).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
