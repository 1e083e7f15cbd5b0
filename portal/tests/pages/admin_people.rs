//! What operators decide about those who call: requests, organizations, people, keys, and the lists they stand in.

use axum::http::StatusCode;
use tollgate_control::Actor;

use crate::admin_forms::{admin, hidden};
use crate::site::Site;

#[tokio::test]
async fn a_request_is_approved_once_and_its_timeline_tells_by_whom() {
    let site = Site::open().await;
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    site.run("update subscriptions set state = 'requested'").await;
    let mut admin = admin(&site).await;
    let queue = admin.get("/admin/approvals").await;
    assert!(queue.text.contains("My first app"), "{}", queue.text);
    assert!(admin.get("/admin/approvals?q=nobody").await.text.contains("Nothing matches"));
    let file = admin.get("/admin/approvals?q=first&format=csv").await;
    assert_eq!(file.text.lines().count(), 2, "{}", file.text);
    let path = format!("/admin/subscriptions/{}", queue.between("action=\"/admin/subscriptions/", "\""));
    let version = hidden(&queue, "version").to_owned();
    let fields = [("state", "active"), ("version", version.as_str()), ("from", "approvals")];
    assert_eq!(admin.post(&path, &fields).await.location(), "/admin/approvals");
    assert!(admin.get("/admin/approvals").await.text.contains("All done"));
    let late = admin.post(&path, &[("state", "ended"), ("version", &version)]).await;
    assert_eq!(late.location(), path);
    let page = admin.get(&path).await;
    assert!(
        page.text.contains("Somebody else decided this meanwhile") && page.text.contains("ops@example.com")
    );
    assert_eq!(developer.post(&path, &[("state", "ended")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_is_rejected_with_words_that_the_developer_is_mailed() {
    let site = Site::open().await;
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    site.run("update subscriptions set state = 'requested'").await;
    let mut admin = admin(&site).await;
    let queue = admin.get("/admin/approvals").await;
    let path = queue.between("href=\"/admin/subscriptions/", "#end-form").to_owned();
    let path = format!("/admin/subscriptions/{}", path.rsplit('/').next().unwrap_or_default());
    let version = hidden(&queue, "version").to_owned();
    assert!(admin.get(&path).await.text.contains("Words for the developer"));
    let decide = |state: &'static str, reason: &str| {
        [("state", state.to_owned()), ("version", version.clone()), ("reason", reason.to_owned())]
    };
    let long = decide("ended", &"x".repeat(501));
    let long = long.each_ref().map(|(name, value)| (*name, value.as_str()));
    let refused = admin.post(&path, &long).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("At most 500 characters"), "{}", refused.text);
    let said = decide("ended", "Tell us <b>what</b> you build.");
    let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(admin.post(&path, &said).await.location(), path);
    assert!(admin.get(&path).await.text.contains("Tell us &#60;b&#62;what"));
    let mails = site.work().await;
    let mail = mails.iter().find(|mail| mail.subject == "Not approved: Countries").expect("the mail");
    assert!(mail.text.contains("Tell us <b>what</b> you build."), "{}", mail.text);
}

#[tokio::test]
async fn an_organization_is_stopped_and_goes_on_with_what_was_stopped_with_it() {
    let site = Site::open().await;
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    developer.post("/applications", &[("name", "Stopped before")]).await;
    site.run("update applications set state = 'suspended' where name = 'Stopped before'").await;
    let mut admin = admin(&site).await;
    let list = admin.get("/admin/organizations?q=maria").await;
    let path = format!("/admin/organizations/{}", list.between("href=\"/admin/organizations/", "\""));
    assert!(admin.get(&format!("{path}/suspend")).await.text.contains("2 applications fail with 403"));
    admin.post(&format!("{path}/suspend"), &[]).await;
    let suspended = "select count(*) from applications where state = 'suspended' and $1 = ''";
    assert_eq!(site.database.count(suspended, "").await, 2);
    let refused = developer.post("/applications", &[("name", "Another")]).await;
    assert!(refused.text.contains("suspended by an operator"), "{}", refused.text);
    admin.post(&format!("{path}/resume"), &[]).await;
    assert_eq!(site.database.count(suspended, "").await, 1, "what was stopped before stays stopped");
}

#[tokio::test]
async fn somebody_who_is_disabled_is_signed_out_and_the_last_admin_is_not_lost() {
    let site = Site::open().await;
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    let mut admin = admin(&site).await;
    let list = admin.get("/admin/developers?q=maria").await;
    let path = format!("/admin/developers/{}", list.between("href=\"/admin/developers/", "\""));
    admin.post(&format!("{path}/disable"), &[("disable", "yes")]).await;
    assert!(developer.get("/applications").await.location().starts_with("/signin"));
    let list = admin.get("/admin/developers?q=ops").await;
    let own = format!("/admin/developers/{}", list.between("href=\"/admin/developers/", "\""));
    admin.post(&format!("{own}/disable"), &[("disable", "yes")]).await;
    assert!(admin.get(&own).await.text.contains("nobody can disable themselves"));
}

#[tokio::test]
async fn a_whole_key_is_found_by_its_hash_and_never_shown_or_addressed() {
    let site = Site::open().await;
    let key = site.browser().sign_up("maria@example.com").await.between("id=\"new-key\">", "<").to_owned();
    let mut admin = admin(&site).await;
    let found = admin.post("/admin/keys/find", &[("key", &key)]).await;
    assert!(found.location().starts_with("/admin/keys/key_"), "{}", found.text);
    let palette = admin.post("/admin/find", &[("q", &key)]).await;
    assert!(palette.text.contains(found.location()) && !palette.text.contains(&key));
    let prefix = &key[..key.len() - 20];
    let by_prefix = admin.post("/admin/keys/find", &[("key", &prefix[..14])]).await;
    let list = admin.get(by_prefix.location()).await;
    assert!(list.text.contains("First key"), "{} {}", by_prefix.location(), list.text);
    let unknown = key.replace(&key[12..16], "0000");
    let missed = admin.post("/admin/keys/find", &[("key", &unknown)]).await;
    assert_eq!(missed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!missed.text.contains(&unknown));
    let logged = "select count(*) from audit_entries where details::text like '%' || $1 || '%'";
    assert_eq!(site.database.count(logged, &key).await, 0);
}

#[tokio::test]
async fn a_list_sorts_pages_and_exports_what_is_filtered() {
    let site = Site::open().await;
    for n in 0..60 {
        let name = format!("Org {n:02}");
        site.control.create_organization(&Actor::system(), &name, None).await.expect("an organization");
    }
    let mut admin = admin(&site).await;
    let first = admin.get("/admin/organizations?q=org&sort=name").await;
    assert!(first.text.contains("Org 00") && first.text.contains("Org 49") && !first.text.contains("Org 50"));
    let href = first
        .text
        .split("rel=\"next\"")
        .next()
        .and_then(|head| head.rsplit("href=\"").next())
        .expect("a link");
    let href = href.split('"').next().expect("its end").replace("&#38;", "&");
    let second = admin.get(&href).await;
    assert!(second.text.contains("Org 50") && !second.text.contains("Org 49"));
    let back = second
        .text
        .split("rel=\"prev\"")
        .next()
        .and_then(|head| head.rsplit("href=\"").next())
        .expect("a link");
    let back = back.split('"').next().expect("its end").replace("&#38;", "&");
    assert!(admin.get(&back).await.text.contains("Org 00"));
    let file = admin.get("/admin/organizations?q=org&sort=-name&format=csv").await;
    assert!(file.headers["content-disposition"].to_str().expect("text").contains("attachment"));
    assert_eq!(file.text.lines().count(), 61);
    assert!(file.text.lines().nth(1).is_some_and(|line| line.starts_with("Org 59")), "{}", file.text);
    assert!(admin.get("/admin/organizations?q=nobody&after=broken").await.text.contains("Nothing matches"));
}
