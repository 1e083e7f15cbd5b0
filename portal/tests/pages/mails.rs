//! Which mails members get, under which name.

use axum::http::StatusCode;
use chrono::Utc;
use tollgate_control::{Actor, ApiPatch};
use tollgate_domain::ApiState;
use tollgate_store::Page;

use crate::journey::count_a_call;
use crate::site::{Browser, Site};

/// Uses so much of every subscription's quota, and returns the subjects of all mails about it so far.
async fn use_up(site: &Site, calls: &str) -> Vec<String> {
    let sql = "with up as (insert into quota_usage (subscription_id, month, boot_id, charged)
        select id, date_trunc('month', now() at time zone 'UTC')::date, '00000000-0000-0000-0000-000000000001', $1::bigint
        from subscriptions on conflict (month, subscription_id, boot_id) do update set charged = excluded.charged
        returning 1) select count(*) from up";
    site.database.count(sql, calls).await;
    site.control.look_after_quotas().await.expect("a look");
    let mails = site.work().await.into_iter().map(|mail| mail.subject);
    mails.filter(|subject| subject.contains("uota")).collect()
}

async fn choose(browser: &mut Browser<'_>, topics: &[&str]) {
    let fields: Vec<_> = topics.iter().map(|topic| ("topic", *topic)).collect();
    assert_eq!(browser.post("/account/mails", &fields).await.location(), "/account/mails");
}

#[tokio::test]
async fn a_mail_that_was_switched_off_is_not_sent_and_the_others_are() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    let page = maria.get("/account/mails").await.text;
    assert_eq!(
        page.matches("name=\"topic\"").count(),
        page.matches(" checked").count(),
        "all are on: {page}"
    );
    assert!(page.contains("Failed payment") && page.contains("Mails that always come"), "{page}");
    choose(&mut maria, &["quota_100", "team"]).await;
    let page = maria.get("/account/mails").await.text;
    assert_eq!(page.matches(" checked").count(), 2, "{page}");
    assert_eq!(use_up(&site, "500").await, Vec::<String>::new());
    assert_eq!(use_up(&site, "1000").await, ["Quota used up: Countries"]);
    let mail = site.mails.last_to("maria@example.com").expect("a mail");
    assert!(mail.source.contains("List-Unsubscribe: <http://portal.test/account/mails>"), "{}", mail.source);
}

#[tokio::test]
async fn mails_that_keep_an_account_safe_come_whatever_was_switched_off() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    choose(&mut maria, &[]).await;
    maria.post("/password/forgotten", &[("email", "maria@example.com")]).await;
    let mails = site.work().await;
    let last = mails.last().expect("a mail");
    assert_eq!(last.subject, "Set a new password");
    assert!(!last.source.contains("List-Unsubscribe"), "{}", last.source);
}

#[tokio::test]
async fn owners_are_told_who_joined_and_what_they_switch_off_is_theirs_alone() {
    let site = Site::open().await;
    let (mut maria, mut jo) = (site.browser(), site.browser());
    maria.sign_up_confirmed("maria@example.com").await;
    jo.sign_up_confirmed("jo@example.com").await;
    maria.post("/team/invitations", &[("email", "jo@example.com"), ("role", "owner")]).await;
    let link = site.link_to("jo@example.com").await;
    assert_eq!(jo.post(link.trim_start_matches("http://portal.test"), &[]).await.location(), "/applications");
    let told = site.work().await;
    let to_maria = told.iter().rfind(|mail| mail.to == "maria@example.com").expect("a mail");
    assert!(to_maria.text.contains("jo@example.com joined"), "{}", to_maria.text);
    assert!(!told.iter().any(|mail| mail.to == "jo@example.com" && mail.subject.contains("The team of")));
    // Jo acts in Maria's organization now.
    choose(&mut jo, &[]).await;
    assert!(maria.get("/account/mails").await.text.contains(" checked"));
    assert!(!jo.get("/account/mails").await.text.contains(" checked"));
}

#[tokio::test]
async fn whoever_may_call_an_api_is_told_that_it_will_go() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    let apis = site.control.store().list_apis(Page::FIRST_500).await.expect("the database answers");
    let patch = ApiPatch {
        state: Some(ApiState::Deprecated),
        sunset_at: Some("2031-03-01T00:00:00Z".parse().ok()),
        ..ApiPatch::default()
    };
    site.control.update_api(&Actor::system(), apis[0].id, None, patch).await.expect("it is deprecated");
    let told = site.work().await;
    let mail = told.iter().rfind(|mail| mail.to == "maria@example.com").expect("a mail");
    assert!(mail.subject.contains("ends on 1 March 2031"), "{}", mail.subject);
}

#[tokio::test]
async fn who_still_calls_an_api_is_reminded_before_it_goes_once_for_each_day_that_is_near() {
    let site = Site::open().await;
    let (mut maria, mut jo) = (site.browser(), site.browser());
    maria.sign_up_confirmed("maria@example.com").await;
    count_a_call(&site).await;
    jo.sign_up_confirmed("jo@example.com").await;
    let ends_in = async |span: &str| {
        let sql =
            "with up as (update apis set state = 'deprecated', deprecated_at = now() - interval '90 days',
            sunset_at = now() + $1::text::interval returning 1) select count(*) from up";
        assert!(site.database.count(sql, span).await > 0);
        for _ in 0..2 {
            site.control.look_after_apis(Utc::now()).await.expect("a look");
        }
        let mails = site.work().await.into_iter().filter(|mail| mail.subject.contains("Countries API ends"));
        mails.map(|mail| (mail.to, mail.subject, mail.text)).collect::<Vec<_>>()
    };
    assert_eq!(ends_in("40 days").await.len(), 0, "there is time");
    let told = ends_in("6 days").await;
    assert_eq!(told.len(), 1, "Jo subscribed, and calls nothing: {told:?}");
    assert_eq!(
        (told[0].0.as_str(), told[0].1.as_str()),
        ("maria@example.com", "Countries API ends in 6 days")
    );
    assert!(told[0].2.contains("Called in the last 30 days by My first app."), "{}", told[0].2);
    let told = ends_in("20 hours").await;
    assert_eq!(told.last().map(|mail| mail.1.as_str()), Some("Countries API ends within a day"));
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn mails_are_signed_by_the_portals_own_name() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    site.work().await;
    let first = site.mails.last_to("maria@example.com").expect("a mail");
    assert!(first.source.contains("From: Tollgate <"), "{}", first.source);
    site.run("insert into portal (name, theme, navigation, footer) values ('Atlas', 'auto', '[]', '[]')")
        .await;
    maria.post("/account/verification", &[]).await;
    site.work().await;
    let mail = site.mails.last_to("maria@example.com").expect("a mail");
    assert!(mail.source.contains("From: Atlas <") && !mail.source.contains("Tollgate"), "{}", mail.source);
}

#[tokio::test]
async fn who_is_no_member_chooses_nothing() {
    let site = Site::open().await;
    assert_eq!(site.browser().post("/account/mails", &[]).await.status, StatusCode::SEE_OTHER, "to sign in");
}

#[tokio::test]
async fn an_operator_sends_themselves_a_letter_to_see_that_mails_leave() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("ops@example.com").await;
    assert!(admin.get("/admin/setup").await.text.contains("Send a test mail"));
    let letter = "/admin/mails/letter?name=reset-password-de";
    assert!(admin.get(letter).await.text.contains("Send it to me"));
    let sent = admin.post("/admin/mails/test", &[("name", "reset-password-de")]).await;
    assert_eq!(sent.location(), letter);
    assert!(admin.get(letter).await.text.contains("It is on its way"));
    site.work().await;
    let mail = site.mails.last_to("ops@example.com").expect("a mail");
    assert_eq!(mail.subject, "Neues Passwort setzen");
    assert_eq!(admin.post("/admin/mails/test", &[("name", "no-such")]).await.status, StatusCode::NOT_FOUND);
    let mut developer = site.browser();
    developer.sign_up("maria@example.com").await;
    let refused = developer.post("/admin/mails/test", &[("name", "reset-password-de")]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    // Nobody fills a mailbox with it.
    let mut last = StatusCode::SEE_OTHER;
    for _ in 0..20 {
        last = admin.post("/admin/mails/test", &[("name", "reset-password-de")]).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}
