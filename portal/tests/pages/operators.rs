//! Who runs the platform, and what they see of others.

use axum::http::StatusCode;
use tollgate_domain::OperatorRole;

use crate::site::{Browser, PASSWORD, PORTAL_URL, Site};

/// What a form is sent once with.
const ONCE: &str = "01999999-9999-7999-8999-999999999999";
const ROLES: &str = "select count(*) from operators o join users u on u.id = o.user_id
    where u.email = 'ada@example.com' and o.role = $1";

/// Opens the link of an invitation and answers its form.
async fn accept(site: &Site, browser: &mut Browser<'_>, email: &str) -> String {
    let link = site.link_to(email).await;
    let path = link.trim_start_matches(PORTAL_URL).to_owned();
    assert!(browser.get(&path).await.text.contains("You were invited as"));
    let fields = [("email", email), ("password", PASSWORD)];
    let answer = browser.post(&path, &fields).await;
    assert_eq!(answer.location(), "/admin", "{}", answer.text);
    path
}

#[tokio::test]
async fn operators_are_invited_changed_and_removed_and_the_last_admin_stays() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("root@example.com").await;
    for (email, wrong) in [("no address", "An e-mail address"), ("root@example.com", "already")] {
        let refused = admin.post("/admin/operators", &[("email", email), ("role", "support")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains(wrong), "{email}: {}", refused.text);
    }
    let invite = [("email", "Ada@example.com"), ("role", "publisher")];
    assert_eq!(admin.post("/admin/operators", &invite).await.location(), "/admin/operators");
    site.work().await;
    let page = admin.get("/admin/operators").await;
    assert!(page.text.contains("ada@example.com") && page.text.contains("publisher"));

    let mut ada = site.browser();
    let path = site.link_to("ada@example.com").await.trim_start_matches(PORTAL_URL).to_owned();
    let other = [("email", "eve@example.com"), ("password", PASSWORD)];
    assert!(ada.post(&path, &other).await.text.contains("The address that was invited"));
    let path = accept(&site, &mut ada, "ada@example.com").await;
    assert_eq!(site.browser().get(&path).await.status, StatusCode::NOT_FOUND, "good once");
    assert_eq!(site.database.count(ROLES, "publisher").await, 1);
    assert_eq!(ada.post("/admin/operators", &invite).await.status, StatusCode::FORBIDDEN);
    assert!(!ada.get("/admin/operators").await.text.contains("invite-form"), "no button that does nothing");

    let page = admin.get("/admin/operators").await;
    let rows: Vec<&str> = page.text.split("/admin/operators/usr_").skip(1).collect();
    let id_of = |email: &str| {
        let row = rows.iter().find(|row| row.contains(email)).unwrap_or_else(|| panic!("no {email}"));
        format!("/admin/operators/usr_{}", row.split('"').next().unwrap_or_default())
    };
    let (one, own) = (id_of("ada@example.com"), id_of("root@example.com"));
    assert_eq!(admin.post(&one, &[("role", "auditor")]).await.location(), "/admin/operators");
    assert_eq!(site.database.count(ROLES, "auditor").await, 1);
    for path in [own.clone(), format!("{own}/remove")] {
        let refused = admin.post(&path, &[("role", "support")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(refused.text.contains("This is the last admin"), "{path}: {}", refused.text);
    }
    assert_eq!(admin.post(&format!("{one}/remove"), &[]).await.location(), "/admin/operators");
    assert_eq!(site.database.count(ROLES, "auditor").await, 0);
    assert_eq!(ada.get("/admin").await.status, StatusCode::NOT_FOUND);

    admin.post("/admin/operators", &invite).await;
    site.work().await;
    let page = admin.get("/admin/operators").await;
    let revoke = page.between("/admin/operators/invitations/", "\"").to_owned();
    let revoked = admin.post(&format!("/admin/operators/invitations/{revoke}"), &[]).await;
    assert_eq!(revoked.location(), "/admin/operators");
    let path = site.link_to("ada@example.com").await.trim_start_matches(PORTAL_URL).to_owned();
    assert_eq!(site.browser().get(&path).await.status, StatusCode::NOT_FOUND, "taken back");
}

#[tokio::test]
async fn support_sees_the_portal_as_others_do_and_changes_nothing_there() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let applications = maria.get("/applications").await;
    let application = applications.between("href=\"/applications/", "\"").to_owned();
    let mut helper = site.browser();
    helper.become_admin("root@example.com").await;
    let support = OperatorRole::Support.as_str();
    let demoted = "with up as (update operators set role = $1 returning 1) select count(*) from up";
    assert_eq!(site.database.count(demoted, support).await, 1);

    assert_eq!(helper.get(&format!("/applications/{application}")).await.status, StatusCode::NOT_FOUND);
    let list = helper.get("/admin/organizations?q=maria").await;
    let organization = list.between("/admin/organizations/org_", "\"").to_owned();
    let view = format!("/admin/organizations/org_{organization}/view-as");
    assert_eq!(helper.post(&view, &[]).await.location(), "/applications");
    let seen = helper.get(&format!("/applications/{application}")).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(seen.text.contains("You see the portal as") && seen.text.contains("maria"));
    for page in ["/usage", "/limits", "/requests", "/billing", "/team", "/webhooks"] {
        let page = helper.get(page).await;
        assert!(page.status == StatusCode::OK && page.text.contains("You see the portal as"));
    }
    let key = seen.between(&format!("/applications/{application}/keys/"), "\"").to_owned();
    let key = key.split('/').next().unwrap_or_default();
    for (path, fields) in [
        ("/applications".to_owned(), vec![("name", "Mine")]),
        (
            format!("/applications/{application}/keys"),
            vec![("name", "Mine"), ("environment", "test"), ("once", ONCE)],
        ),
        (format!("/applications/{application}/keys/{key}/reveal"), vec![]),
        (format!("/applications/{application}/keys/{key}/revoke"), vec![("confirm", "First key")]),
        ("/team/invitations".to_owned(), vec![("email", "eve@example.com"), ("role", "owner")]),
    ] {
        let refused = helper.post(&path, &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: {}", refused.text);
    }
    let audited = "select count(*) from audit_entries where action = $1 and organization_id is not null";
    assert_eq!(site.database.count(audited, "organization.view").await, 1, "on record");
    let log = helper.get(&format!("/admin/organizations/org_{organization}")).await;
    assert!(!log.text.contains("You see the portal as"), "operators' pages are their own");

    let end = helper.post("/admin/view-as/end", &[]).await;
    assert_eq!(end.location(), format!("/admin/organizations/org_{organization}"));
    assert_eq!(helper.get(&format!("/applications/{application}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(maria.post(&view, &[]).await.status, StatusCode::NOT_FOUND, "for operators alone");
}
