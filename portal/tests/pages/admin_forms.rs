//! What operators publish through forms: taken, refused with reasons, asked about first, and never over another's change.

use axum::http::StatusCode;
use tollgate_domain::Scope;
use tollgate_store::Page as Rows;

use crate::site::{Browser, PASSWORD, Page, Site};

/// A browser in which the first admin is signed in.
pub async fn admin(site: &Site) -> Browser<'_> {
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    admin
}

/// The value of a hidden field.
pub fn hidden<'p>(page: &'p Page, name: &str) -> &'p str {
    page.between(&format!("name=\"{name}\" value=\""), "\"")
}

const SERVICE: [(&str, &str); 6] = [
    ("name", "Rates"),
    ("slug", ""),
    ("connect_timeout_ms", "2000"),
    ("read_timeout_ms", "30000"),
    ("targets/0/url", "http://127.0.0.1:9"),
    ("targets/0/weight", "100"),
];

#[tokio::test]
async fn a_service_is_made_with_a_slug_of_its_name_and_tried_out() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let made = admin.post("/admin/new/service", &SERVICE).await;
    assert_eq!(
        (made.status, made.location()),
        (StatusCode::SEE_OTHER, "/admin/services/rates"),
        "{}",
        made.text
    );
    let tried = admin.post("/admin/services/rates/test", &[]).await;
    assert!(tried.text.contains("1 of 1 targets cannot be reached"), "{}", tried.text);
    assert!(tried.text.contains("nothing listens there"), "{}", tried.text);
}

#[tokio::test]
async fn the_protocol_of_a_service_is_chosen_and_held_against_its_addresses() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let fields = |protocol: &'static str, url: &'static str| {
        let mut fields = SERVICE.to_vec();
        fields[4].1 = url;
        fields.push(("protocol", protocol));
        fields
    };
    let unfit = admin.post("/admin/new/service", &fields("h2", "http://127.0.0.1:9")).await;
    assert_eq!(unfit.status, StatusCode::UNPROCESSABLE_ENTITY, "HTTP/2 over TLS to an address without TLS");
    assert!(unfit.text.contains("value=\"h2\" selected"), "what was chosen stays: {}", unfit.text);
    let made = admin.post("/admin/new/service", &fields("h2c", "http://127.0.0.1:9")).await;
    assert_eq!(made.location(), "/admin/services/rates", "{}", made.text);
    let of = "select count(*) from services where slug = 'rates' and protocol = $1";
    assert_eq!(site.database.count(of, "h2c").await, 1);

    let settings = "/admin/services/rates";
    let page = admin.get(settings).await;
    assert!(page.text.contains("value=\"h2c\" selected"), "{}", page.text);
    let version = hidden(&page, "version").to_owned();
    let mut without = SERVICE.to_vec();
    without.extend([("version", version.as_str())]);
    without[1].1 = "rates";
    assert_eq!(admin.post(settings, &without).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.database.count(of, "h2c").await, 1, "a form without the field leaves what was set");
}

#[tokio::test]
async fn what_is_wrong_is_said_on_its_field_and_what_was_typed_stays() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let mut fields = SERVICE.to_vec();
    fields[2].1 = "soon";
    let page = admin.post("/admin/new/service", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("value=\"soon\"") && page.text.contains("id=\"connect_timeout_ms-error\""));
    fields[2].1 = "2000";
    // The first line is empty, so the second is the first target.
    fields.extend([("targets/1/url", "ftp://nowhere"), ("targets/1/weight", "7")]);
    fields[4].1 = "";
    let page = admin.post("/admin/new/service", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.text.contains("id=\"targets/0/url-error\"") && page.text.contains("value=\"ftp://nowhere\"")
    );
    let metadata = ("targets/1/url", "http://169.254.169.254");
    fields[6] = metadata;
    assert!(admin.post("/admin/new/service", &fields).await.text.contains("never an upstream"));
}

#[tokio::test]
async fn the_second_of_two_admins_sees_both_versions_before_anything_is_lost() {
    let site = Site::open().await;
    let mut first = admin(&site).await;
    let path = "/admin/products/countries/settings";
    let seen = first.get(path).await;
    let version = hidden(&seen, "version").to_owned();
    let fields = |name: &'static str, version: &str| {
        vec![
            ("name", name.to_owned()),
            ("slug", "countries".to_owned()),
            ("state", "published".to_owned()),
            ("visibility", "public".to_owned()),
            ("version", version.to_owned()),
        ]
    };
    let send = async |browser: &mut Browser<'_>, fields: Vec<(&'static str, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post(path, &fields).await
    };
    assert_eq!(send(&mut first, fields("Theirs", &version)).await.status, StatusCode::SEE_OTHER);
    let both = send(&mut first, fields("Mine", &version)).await;
    assert_eq!(both.status, StatusCode::CONFLICT);
    assert!(both.text.contains("Somebody else changed this while you were typing"));
    assert!(both.text.contains("<td>Mine</td><td>Theirs</td>"), "{}", both.text);
    let now = hidden(&both, "version").to_owned();
    assert_ne!(now, version);
    assert_eq!(send(&mut first, fields("Mine", &now)).await.status, StatusCode::SEE_OTHER);
    assert!(first.get(path).await.text.contains("value=\"Mine\""));
}

#[tokio::test]
async fn a_slug_is_renamed_only_after_its_consequences_were_shown() {
    let site = Site::open().await;
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    site.run("update credentials set scopes = '{countries/op1}'").await;
    let mut admin = admin(&site).await;
    let path = "/admin/products/countries/settings";
    let version = hidden(&admin.get(path).await, "version").to_owned();
    let mut fields = vec![
        ("name", "Nations"),
        ("slug", "nations"),
        ("state", "published"),
        ("visibility", "public"),
        ("version", version.as_str()),
    ];
    let asked = admin.post(path, &fields).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.text.contains("Rename countries to nations?"), "{}", asked.text);
    assert!(asked.text.contains("links to /products/countries lead nowhere"));
    assert_eq!(admin.get(path).await.status, StatusCode::OK, "nothing has happened");
    fields.push(("renamed", "yes"));
    assert_eq!(admin.post(path, &fields).await.location(), "/admin/products/nations/settings");

    let path = "/admin/apis/countries/settings";
    let page = admin.get(path).await;
    let (version, service) = (hidden(&page, "version"), page.between("value=\"svc_", "\""));
    let service = format!("svc_{service}");
    let fields = [
        ("name", "Countries"),
        ("slug", "lands"),
        ("base_path", "/countries/v1"),
        ("service", service.as_str()),
        ("state", "published"),
        ("version", version),
    ];
    let asked = admin.post(path, &fields).await;
    assert!(asked.text.contains("1 key is held to it by name"), "{}", asked.text);

    admin.post("/admin/new/service", &SERVICE).await;
    let path = "/admin/services/rates";
    let version = hidden(&admin.get(path).await, "version").to_owned();
    let mut fields = SERVICE.to_vec();
    fields[1].1 = "exchange";
    fields.push(("version", version.as_str()));
    let asked = admin.post(path, &fields).await;
    assert!(asked.text.contains("Files that still say rates make another service"), "{}", asked.text);
    fields.push(("renamed", "yes"));
    assert_eq!(admin.post(path, &fields).await.location(), "/admin/services/exchange");

    let path = "/admin/products/nations/plans/free";
    let version = hidden(&admin.get(path).await, "version").to_owned();
    let fields = [("name", "Free"), ("slug", "starter"), ("state", "open"), ("version", version.as_str())];
    let asked = admin.post(path, &fields).await;
    assert!(asked.text.contains("Rename free to starter?"), "{}", asked.text);
    assert_eq!(admin.get(path).await.status, StatusCode::OK, "nothing has happened");
}

#[tokio::test]
async fn a_product_is_opened_to_guests_and_closed_again() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let path = "/admin/products/countries";
    let page = admin.get(path).await;
    assert!(page.text.contains("Open to guests") && page.text.contains("may only read"), "{}", page.text);
    let plan = page.between("<option value=\"pln_", "\"").to_owned();
    let plan = format!("pln_{plan}");
    let switch = format!("{path}/guests");
    assert_eq!(admin.post(&switch, &[("plan_id", "pln_of_another")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.post(&switch, &[("plan_id", &plan)]).await.location(), path);
    let page = admin.get(path).await;
    assert!(
        page.text.contains("Close to guests") && page.text.contains("without an account"),
        "{}",
        page.text
    );
    let open = "select count(*) from guest_access g join products p on p.id = g.product_id where p.slug = $1";
    assert_eq!(site.database.count(open, "countries").await, 1);

    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    assert_eq!(developer.post(&switch, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.post(&switch, &[]).await.location(), path);
    assert_eq!(site.database.count(open, "countries").await, 0);
    assert!(admin.get(path).await.text.contains("Open to guests"));
}

#[tokio::test]
async fn a_product_for_chosen_organizations_does_not_exist_for_others() {
    let site = Site::open().await;
    let (mut admin, mut maria, mut eve, mut visitor) =
        (admin(&site).await, site.browser(), site.browser(), site.browser());
    let hide = "with hidden as (update products set visibility = 'chosen' where slug = $1 returning 1) select count(*) from hidden";
    assert_eq!(site.database.count(hide, "countries").await, 1);
    for (browser, email) in [(&mut maria, "maria@example.com"), (&mut eve, "eve@example.com")] {
        let fields = [("email", email), ("password", PASSWORD), ("product", "countries")];
        assert_eq!(browser.post("/signup", &fields).await.status, StatusCode::SEE_OTHER);
    }
    let subscribed = "select count(*) from subscriptions where state <> $1";
    assert_eq!(site.database.count(subscribed, "ended").await, 0, "signing up opens nothing that is hidden");
    let path = "/admin/products/countries/audience";
    let wrong = admin.post(path, &[("organization_ids", "nobody-there")]).await;
    assert!(
        wrong.status == StatusCode::UNPROCESSABLE_ENTITY
            && wrong.text.contains("here is no organization nobody-there"),
        "{}",
        wrong.text
    );
    let organizations = site.control.store().list_organizations(Scope::Operator, Rows::FIRST_500).await;
    let mut organizations = organizations.expect("organizations").into_iter();
    let slug = organizations.find(|one| one.name.starts_with("maria")).expect("hers").slug.to_string();
    assert_eq!(admin.post(path, &[("organization_ids", &slug)]).await.status, StatusCode::SEE_OTHER);
    let places = [
        "/products/countries",
        "/products/countries/apis/countries",
        "/products/countries/apis/countries/openapi.json",
        "/products/countries/apis/countries/operations/op1.md",
        "/apis/countries",
    ];
    for place in places {
        assert!(maria.get(place).await.status.as_u16() < 400, "{place}");
        for other in [&mut eve, &mut visitor] {
            assert_eq!(other.get(place).await.status, StatusCode::NOT_FOUND, "{place}");
        }
    }
    for list in ["/", "/llms.txt", "/.well-known/api-catalog", "/search?q=countries"] {
        assert!(maria.get(list).await.text.contains("/products/countries"), "{list}");
        for other in [&mut eve, &mut visitor] {
            assert!(!other.get(list).await.text.contains("/products/countries"), "{list}");
        }
    }
    let subscribe = "/products/countries/subscribe";
    let list = eve.get("/applications").await;
    let application = format!("app_{}", list.between("/applications/app_", "\""));
    let refused = eve.post(subscribe, &[("plan", "free"), ("application", &application)]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "a form made by hand");
}

#[tokio::test]
async fn an_api_is_deprecated_with_a_date_and_its_pages_and_links_say_so() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let path = "/admin/apis/countries/life";
    let version = hidden(&admin.get(path).await, "version").to_owned();
    let fields = |sunset: &'static str, successor: &'static str| {
        vec![
            ("state", "deprecated".to_owned()),
            ("dates", "yes".to_owned()),
            ("version", version.clone()),
            ("sunset_at", sunset.to_owned()),
            ("successor_id", successor.to_owned()),
        ]
    };
    let send = async |admin: &mut Browser<'_>, fields: Vec<(&'static str, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        admin.post(path, &fields).await
    };
    let wrong = send(&mut admin, fields("soon", "nowhere")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.text.contains("id=\"sunset_at-error\"") && wrong.text.contains("id=\"successor_id-error\"")
    );
    assert_eq!(send(&mut admin, fields("2127-06-30T12:00", "")).await.status, StatusCode::SEE_OTHER);
    assert!(admin.get(path).await.text.contains("value=\"2127-06-30T12:00:00\""));

    let mut reader = site.browser();
    let told = "This API is deprecated and ends on 30 June 2127, 12:00 UTC";
    for place in [
        "/products/countries",
        "/products/countries/apis/countries",
        "/products/countries/apis/countries/operations/op1",
        "/products/countries/apis/countries/operations/op1.md",
        "/products/countries/apis/countries/schemas",
        "/products/countries/apis/countries/schemas/Country",
        "/products/countries/apis/countries/schemas/Country.md",
        "/products/countries/apis/countries/webhooks/countryMoved",
        "/llms.txt",
    ] {
        assert!(reader.get(place).await.text.contains(told), "{place}");
    }
    let moved = reader.get("/apis/countries").await;
    assert_eq!(moved.location(), "/products/countries/apis/countries");
    let version = hidden(&admin.get(path).await, "version").to_owned();
    let retire = [("state", "retired"), ("version", version.as_str())];
    assert_eq!(admin.post(path, &retire).await.status, StatusCode::SEE_OTHER);
    for place in ["/apis/countries", "/products/countries/apis/countries"] {
        assert_eq!(reader.get(place).await.status, StatusCode::NOT_FOUND, "{place}");
    }
}

#[tokio::test]
async fn a_route_of_a_served_api_is_tested_where_developers_try_it() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let path = "/admin/apis/countries/routes";
    let test = "/products/countries/apis/countries/operations/op1/try";
    let routes = admin.get(path).await;
    assert!(routes.text.contains(&format!("href=\"{test}\"")), "{}", routes.text);
    assert_eq!(admin.get(test).await.status, StatusCode::OK);
    let version = hidden(&admin.get("/admin/apis/countries/life").await, "version").to_owned();
    admin.post("/admin/apis/countries/life", &[("state", "draft"), ("version", version.as_str())]).await;
    assert!(!admin.get(path).await.text.contains("Test call"), "nobody serves it");
}

#[tokio::test]
async fn headers_that_calls_carry_are_lines_of_a_form_and_stand_in_the_reference() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let path = "/admin/apis/countries/settings";
    let seen = admin.get(path).await;
    let (version, service) =
        (hidden(&seen, "version").to_owned(), seen.between("value=\"svc_", "\"").to_owned());
    let service = format!("svc_{service}");
    let fields = |lines: &'static str| {
        [
            ("name", "Countries"),
            ("slug", "countries"),
            ("base_path", "/countries/v1"),
            ("service", service.as_str()),
            ("state", "published"),
            ("version", version.as_str()),
            ("match_headers", lines),
        ]
    };
    for (lines, said) in [
        ("X-Version: 2\nrubbish", "Line 2: a name and a value, like X-API-Version: 2"),
        ("X-Version: 2\n\nHost: a", "Line 2: a field that no API is told by"),
    ] {
        let refused = admin.post(path, &fields(lines)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
        assert!(refused.text.contains("X-Version: 2"), "what was typed stays");
    }
    assert_eq!(admin.post(path, &fields("X-Version: 2")).await.status, StatusCode::SEE_OTHER);
    assert!(admin.get(path).await.text.contains("x-version: 2"));
    let mut reader = site.browser();
    for place in ["/products/countries", "/products/countries/apis/countries"] {
        assert!(
            reader.get(place).await.text.contains("<code class=\"inline-code\">x-version: 2</code>"),
            "{place}"
        );
    }
    let operation = "/products/countries/apis/countries/operations/op1";
    let page = reader.get(operation).await.text.replace("&quot;", "\"").replace("&#34;", "\"");
    assert!(page.contains("x-version"), "{page}");
    assert!(reader.get(&format!("{operation}.md")).await.text.contains("x-version: 2"));
}

#[tokio::test]
async fn bodies_are_limited_by_a_field_and_by_lines_that_are_checked() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let path = "/admin/apis/countries/settings";
    let seen = admin.get(path).await;
    let (version, service) =
        (hidden(&seen, "version").to_owned(), seen.between("value=\"svc_", "\"").to_owned());
    let service = format!("svc_{service}");
    let route = "POST /favourites";
    let fields = |all: &str, some: &str| {
        [
            ("name", "Countries"),
            ("slug", "countries"),
            ("base_path", "/countries/v1"),
            ("service", service.as_str()),
            ("state", "published"),
            ("version", version.as_str()),
            ("policies/body_bytes_max", all),
            ("policies/operations", some),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let mut send = async |all: &str, some: &str| {
        let fields = fields(all, some);
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        admin.post(path, &fields).await
    };
    for (some, said) in [
        (format!("{route} body 0\n{route}"), "Line 2: a method and a path, then body and bytes"),
        (format!("{route} body 0\n\nPOST /nowhere body 7"), "POST /nowhere: the API has no such operation"),
    ] {
        let page = send("65536", &some).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let error = page.between("id=\"policies/operations-error\"", "</p>");
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(send("65536", &format!("{route} body 0")).await.status, StatusCode::SEE_OTHER);
    let page = admin.get(path).await;
    assert!(
        page.text.contains("value=\"65536\"") && page.text.contains(&format!("{route} body 0")),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_document_is_looked_at_before_it_is_published() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let path = "/admin/apis/countries/document";
    let document = r#"{"openapi": "3.1.0", "info": {"title": "Countries", "version": "9"},
        "paths": {"/lonely": {"get": {"responses": {"200": {"description": "ok"}}}}}}"#;
    let version = hidden(&admin.get(path).await, "version").to_owned();
    let look = admin.post(path, &[("document", document), ("version", &version)]).await;
    assert_eq!(look.status, StatusCode::OK, "{}", look.text);
    assert!(look.text.contains("breaking change") && look.text.contains("/lonely"), "{}", look.text);
    let routes = "select count(*) from routes r join apis a on a.id = r.api_id where a.slug = $1 and r.path = '/lonely'";
    assert_eq!(site.database.count(routes, "countries").await, 0, "nothing is published yet");
    let fields = [("document", document), ("version", version.as_str()), ("publish", "yes")];
    assert_eq!(admin.post(path, &fields).await.location(), "/admin/apis/countries/routes");
    assert_eq!(site.database.count(routes, "countries").await, 1);
    let wrong = admin.post(path, &[("document", "{\"openapi\": \"3.1.0\",\n \"info\": 7}")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("<code>info</code>"), "the fault names its place: {}", wrong.text);
    let back = admin.post(path, &[("number", "1")]).await;
    assert!(back.text.contains("/lonely") && back.text.contains("Publish document"), "{}", back.text);
}

#[tokio::test]
async fn new_terms_of_a_plan_with_subscribers_are_asked_about_first() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let mut admin = admin(&site).await;
    let path = "/admin/products/countries/plans/free";
    let page = admin.get(path).await;
    assert!(page.text.contains("1 subscription on these terms"), "{}", page.text);
    let version = hidden(&page, "version").to_owned();
    let mut fields = vec![
        ("name", "Free"),
        ("slug", "free"),
        ("state", "open"),
        ("price", ""),
        ("currency", "EUR"),
        ("limits/0/kind", "quota"),
        ("limits/0/amount", "5"),
        ("limits/0/period", "month"),
        ("version", version.as_str()),
    ];
    let asked = admin.post(path, &fields).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.text.contains("This changes the terms of 1 subscription"), "{}", asked.text);
    assert!(asked.text.contains("5 calls a month, free of charge."));
    fields.push(("seen", "yes"));
    assert_eq!(admin.post(path, &fields).await.status, StatusCode::SEE_OTHER);
    assert!(admin.get(path).await.text.contains("5 calls a month"));
}

#[tokio::test]
async fn the_subscriptions_of_a_plan_are_moved_to_another_after_a_look() {
    let site = Site::open().await;
    for person in ["maria@example.com", "jon@example.com"] {
        site.browser().sign_up(person).await;
    }
    let mut admin = admin(&site).await;
    let path = "/admin/products/countries/plans/free/move";
    let alone = admin.get(path).await;
    assert!(alone.text.contains("There is no other plan to move to"), "{}", alone.text);
    let fields = [
        ("product", "countries"),
        ("name", "Basic"),
        ("slug", "basic"),
        ("state", "open"),
        ("price", "5"),
        ("currency", "EUR"),
        ("limits/0/kind", "quota"),
        ("limits/0/amount", "7"),
        ("limits/0/period", "month"),
    ];
    let made = admin.post("/admin/new/plan", &fields).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    assert!(admin.get(path).await.text.contains("2 subscriptions."));
    let unclear = admin.post(path, &[("to", "none"), ("when", "some day")]).await;
    assert_eq!(unclear.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        unclear.text.contains("Choose a plan") && unclear.text.contains("Choose when"),
        "{}",
        unclear.text
    );

    let later = [("to", "basic"), ("when", "period_end")];
    let look = admin.post(path, &later).await;
    assert!(look.text.contains("Move 2 subscriptions to Basic?"), "{}", look.text);
    assert!(look.text.contains("0.00 EUR") && look.text.contains("5.00 EUR"), "{}", look.text);
    let here = "/admin/products/countries/plans/free";
    let on = "select count(*) from subscriptions s join plans p on p.id = s.plan_id where p.slug = $1";
    let to = "select count(*) from planned_changes c join plans p on p.id = c.plan_id where p.slug = $1";
    let count = async |sql: &'static str, slug: &str| site.database.count(sql, slug).await;
    assert_eq!((count(on, "basic").await, count(to, "basic").await), (0, 0), "a look moves nobody");
    let planned = admin.post(path, &[later[0], later[1], ("seen", "yes")]).await;
    assert_eq!(planned.location(), here, "{}", planned.text);
    assert_eq!((count(on, "free").await, count(to, "basic").await), (2, 2));
    let again = admin.post(path, &later).await;
    assert!(again.text.contains("Nobody is left to move"), "{}", again.text);

    let path = "/admin/products/countries/plans/basic/move";
    site.browser().sign_up("kim@example.com").await;
    let page = admin.get("/admin/products/countries/plans/free").await;
    assert!(page.text.contains("/admin/products/countries/plans/free/move"), "{}", page.text);
    let now = [("to", "basic"), ("when", "now"), ("seen", "yes")];
    let moved = admin.post("/admin/products/countries/plans/free/move", &now).await;
    assert_eq!(moved.location(), here, "{}", moved.text);
    assert_eq!(
        (count(on, "basic").await, count(on, "free").await),
        (1, 2),
        "the one that was not planned for"
    );
    assert!(admin.get(path).await.text.contains("1 subscription."));
}

#[tokio::test]
async fn deleting_takes_the_name_and_says_what_stands_in_the_way() {
    let site = Site::open().await;
    let mut admin = admin(&site).await;
    let path = "/admin/services/countries/delete";
    let wrong = admin.post(path, &[("confirm", "countrys")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("Type countries exactly"), "{}", wrong.text);
    let used = admin.post(path, &[("confirm", "countries")]).await;
    assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(used.text.contains("an API still forwards to it"), "{}", used.text);
    admin.post("/admin/new/service", &SERVICE).await;
    let gone = admin.post("/admin/services/rates/delete", &[("confirm", "rates")]).await;
    assert_eq!(gone.location(), "/admin/services");
    assert_eq!(admin.get("/admin/services/rates").await.status, StatusCode::NOT_FOUND);
}
