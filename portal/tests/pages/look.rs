//! The publisher's name, colours, logo, links and pages: on every page at once, and never unreadable.

use axum::http::{StatusCode, header};

use crate::site::{Browser, Page, Site};

/// One transparent dot.
const PNG: &str = "data:;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

async fn admin(site: &Site) -> Browser<'_> {
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    admin
}

const LOOK: [(&str, &str); 9] = [
    ("name", "Atlas"),
    ("accent", "#0F766E"),
    ("accent_dark", ""),
    ("theme", "dark"),
    ("footer/0/text", "Imprint"),
    ("footer/0/href", "/pages/imprint"),
    ("footer/1/text", ""),
    ("footer/1/href", ""),
    ("logo", PNG),
];

async fn saved(admin: &mut Browser<'_>, fields: &[(&str, &str)]) -> Page {
    let page = admin.post("/admin/portal", fields).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/admin/portal"), "{}", page.text);
    page
}

#[tokio::test]
async fn a_look_is_worn_by_every_page_error_pages_too() {
    let site = Site::open().await;
    let mut visitor = site.browser();
    let before = visitor.get("/").await;
    assert!(before.text.contains("· Tollgate</title>") && !before.text.contains("/theme/"));
    saved(&mut admin(&site).await, &LOOK).await;
    for path in ["/", "/guides", "/nowhere"] {
        let page = visitor.get(path).await.text;
        assert!(page.contains("· Atlas</title>") && page.contains(" data-theme=\"dark\""), "{path}: {page}");
        assert!(page.contains("<a href=\"/pages/imprint\">Imprint</a>"), "{path}");
        assert!(page.contains("class=\"logo\"") && !page.contains("style=\""), "{path}");
    }
    visitor.set_cookie("theme", "light");
    assert!(visitor.get("/").await.text.contains(" data-theme=\"light\""), "a reader's choice goes before");
}

#[tokio::test]
async fn colours_and_logo_are_files_that_are_kept_while_they_are_the_same() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    for path in ["/theme/accent.css", "/theme/logo"] {
        assert_eq!(admin.get(path).await.status, StatusCode::NOT_FOUND);
    }
    saved(&mut admin, &LOOK).await;
    let home = admin.get("/").await;
    let sheet = format!("/theme/accent.css?v={}", home.between("/theme/accent.css?v=", "\""));
    let css = admin.get(&sheet).await;
    assert!(css.text.contains("--accent: light-dark(#0f766e, "), "{}", css.text);
    assert!(css.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert!(css.headers.contains_key(header::ETAG));
    let stale = admin.get("/theme/accent.css?v=older").await;
    assert_eq!(stale.headers[header::CACHE_CONTROL], "public, no-cache");
    let logo = admin.get(&format!("/theme/logo?v={}", home.between("/theme/logo?v=", "\""))).await;
    assert_eq!(
        (logo.status, &logo.headers[header::CONTENT_TYPE]),
        (StatusCode::OK, &"image/png".parse().unwrap())
    );
    let mut green = LOOK.to_vec();
    green[1].1 = "#15803d";
    green[8].1 = "";
    saved(&mut admin, &green).await;
    let after = admin.get("/").await;
    assert!(!after.text.contains(&sheet), "another colour has another address");
    assert!(after.text.contains("class=\"logo\""), "a form without a picture leaves the one that is there");
    green.push(("no_logo", "yes"));
    saved(&mut admin, &green).await;
    assert!(!admin.get("/").await.text.contains("class=\"logo\""));
}

#[tokio::test]
async fn a_faint_accent_and_a_picture_with_scripts_are_refused_on_their_fields() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let mut fields = LOOK.to_vec();
    fields[1].1 = "#facc15";
    let page = admin.post("/admin/portal", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = page.between("id=\"accent-error\">", "</p>");
    assert!(error.contains("has a contrast of 1.5") && error.contains("3.00:1"), "{error}");
    assert!(page.text.contains("value=\"#facc15\""), "what was typed stays");
    fields[1].1 = "";
    fields[8].1 = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    let page = admin.post("/admin/portal", &fields).await;
    assert!(
        page.text.contains("An SVG can hold scripts") || page.text.contains("an SVG can hold scripts"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("onload='alert"), "nothing of it is given back");
    fields[8].1 = "";
    fields[5].1 = "javascript:alert(1)";
    let page = admin.post("/admin/portal", &fields).await;
    assert!(page.text.contains("id=\"footer/0/href-error\""), "{}", page.text);
}

#[tokio::test]
async fn a_page_is_written_led_to_read_and_deleted() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let fields = [
        ("name", "Terms of use"),
        ("slug", ""),
        ("text", "Be fair.\n\n## Money\n\nNone.\n\n## Law\n\n<script>alert(1)</script>"),
        ("in_navigation", "yes"),
        ("position", "3"),
    ];
    let made = admin.post("/admin/new/page", &fields).await;
    assert_eq!(made.location(), "/admin/portal/pages/terms-of-use", "{}", made.text);
    let mut visitor = site.browser();
    assert!(
        visitor
            .get("/")
            .await
            .text
            .contains("<a class=\"own\" href=\"/pages/terms-of-use\">Terms of use</a>")
    );
    let page = visitor.get("/pages/terms-of-use").await;
    assert!(
        page.text.contains("<h2 id=\"money-0\">Money</h2>") && !page.text.contains("<script>alert"),
        "{}",
        page.text
    );
    assert!(visitor.get("/pages/terms-of-use.md").await.text.starts_with("# Terms of use\n\nBe fair."));
    assert!(visitor.get("/llms.txt").await.text.contains("/pages/terms-of-use.md"));
    let taken = admin.post("/admin/new/page", &fields).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(taken.text.contains("id=\"slug-error\""));
    let stale =
        admin.post("/admin/portal/pages/terms-of-use", &[&fields[..], &[("version", "9")]].concat()).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    let gone = admin.post("/admin/portal/pages/terms-of-use/delete", &[("version", "1")]).await;
    assert_eq!(gone.location(), "/admin/portal", "{}", gone.text);
    assert_eq!(visitor.get("/pages/terms-of-use").await.status, StatusCode::NOT_FOUND);
    assert!(admin.get("/admin/audit").await.text.contains("page.delete"));
}

#[tokio::test]
async fn who_only_reads_sees_the_portals_pages_and_changes_nothing() {
    let site = Site::open().await;
    let mut support = admin(&site).await;
    site.run("update operators set role = 'support'").await;
    let page = support.get("/admin/portal").await;
    assert!(page.text.contains("No pages of your own") && !page.text.contains("look-form"), "{}", page.text);
    for path in ["/admin/portal", "/admin/new/page"] {
        assert_eq!(support.post(path, &LOOK).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn links_of_the_portals_own_that_lead_nowhere_are_listed_where_they_are_written() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    assert!(!admin.get("/admin/portal").await.text.contains("Links that lead nowhere"));
    let text = "[a](/guides/first-call) [b](/products/countries#plans) [c](/products/lost) [d](help) [e](https://example.com/x)";
    let page = [("name", "Imprint"), ("slug", "imprint"), ("text", text), ("position", "1")];
    assert_eq!(admin.post("/admin/new/page", &page).await.status, StatusCode::SEE_OTHER);
    let seen = admin.get("/admin/portal").await.text;
    let list = &seen[seen.find("Links that lead nowhere").expect("a list")..];
    let list = &list[..list.find("</table>").expect("its end")];
    assert_eq!(list.matches("href=\"/admin/portal/pages/imprint\"").count(), 2, "{list}");
    for lost in ["<code>/products/lost</code>", "<code>help</code>"] {
        assert!(list.replace(" class=\"inline-code\"", "").contains(lost), "{lost}: {list}");
    }
}
