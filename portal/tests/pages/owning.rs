//! What developers do with what is theirs: keys, usage, limits, single calls, people.

use axum::http::{StatusCode, header};

use crate::journey::count_a_call;
use crate::site::{Browser, PASSWORD, Site};

async fn application(browser: &mut Browser<'_>) -> String {
    let list = browser.get("/applications").await;
    format!("/applications/app_{}", list.between("/applications/app_", "\""))
}

async fn make_key(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> crate::site::Page {
    let once = uuid::Uuid::now_v7().to_string();
    let fields = [fields, &[("once", once.as_str())]].concat();
    browser.post(&format!("{path}/keys"), &fields).await
}

#[tokio::test]
async fn an_owner_holds_a_key_to_operations_and_networks() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let path = application(&mut maria).await;
    let page = maria.get(&path).await;
    let key = format!("{path}/keys/{}", page.between(&format!("{path}/keys/"), "\""));
    let form = maria.get(&format!("{key}/restrict")).await;
    assert!(
        form.text.contains("All of Countries API") && form.text.contains("value=\"countries/op1\""),
        "{}",
        form.text
    );
    let version = form.between("name=\"version\" value=\"", "\"").to_owned();
    let send =
        |networks: &'static str| [("scopes", "countries/op1"), ("networks", networks), ("origins", "")];
    let restrict = format!("{key}/restrict");
    let wrong = maria.post(&restrict, &[&send("10.0.0.1/8")[..], &[("version", &version)]].concat()).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.text.contains("n address or a network whose address is its first")
            && wrong.text.contains("10.0.0.1/8"),
        "{}",
        wrong.text
    );
    let saved = maria.post(&restrict, &[&send("10.0.0.0/8")[..], &[("version", &version)]].concat()).await;
    assert_eq!(saved.location(), key);
    let shown = maria.get(&key).await.text;
    assert!(shown.contains("countries/op1") && shown.contains("10.0.0.0/8"), "{shown}");
    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    assert_eq!(eve.get(&restrict).await.status, StatusCode::NOT_FOUND, "another's key");
}

#[tokio::test]
async fn case_155_a_live_key_is_shown_once_and_a_sandbox_key_again() {
    let site = Site::open().await;
    let mut maria = site.browser();
    let first = maria.sign_up("maria@example.com").await;
    let key = first.between("id=\"new-key\">", "<").to_owned();
    let path = application(&mut maria).await;
    let page = maria.get(&path).await;
    let key_path = format!("{path}/keys/{}", page.between(&format!("{path}/keys/"), "\""));
    let hidden = maria.get(&key_path).await;
    assert!(!hidden.text.contains(&key) && hidden.text.contains("Show key"));
    assert_eq!(maria.post(&format!("{key_path}/reveal"), &[]).await.location(), key_path);
    let shown = maria.get(&key_path).await;
    assert_eq!(shown.between("id=\"new-key\">", "<"), key);
    assert!(shown.text.contains("download=\".env\"") && shown.headers[header::CACHE_CONTROL] == "no-store");
    assert!(!maria.get(&key_path).await.text.contains(&key), "until it is asked for again");
    let stored = "select count(*) from credentials where encode(sealed, 'escape') like '%' || $1 || '%'";
    assert_eq!(site.database.count(stored, &key).await, 0, "sealed at rest");

    let live = [("name", "Production"), ("environment", "live"), ("expires", "90")];
    let refused = make_key(&mut maria, &path, &live).await;
    assert!(refused.text.contains("Confirm your e-mail address before"), "{}", refused.text);
    let link = site.link_to("maria@example.com").await;
    maria.post(link.trim_start_matches("http://portal.test"), &[]).await;
    let made = make_key(&mut maria, &path, &live).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let page = maria.get(made.location()).await;
    assert!(
        page.between("id=\"new-key\">", "<").starts_with("tg_live_")
            && page.text.contains("mails come 14, 3")
    );
    let live = page.between("id=\"new-key\">", "<").to_owned();
    for place in [made.location(), "/get-started", "/products/countries/apis/countries/operations/op1"] {
        assert!(!maria.get(place).await.text.contains(&live), "{place}");
    }
    let again = maria.post(&format!("{}/reveal", made.location()), &[]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "a live key is nowhere");
    for wrong in [("expires", "31"), ("environment", "production")] {
        let refused = make_key(&mut maria, &path, &[("name", "x"), wrong]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
    }
}

#[tokio::test]
async fn sample_calls_carry_the_readers_own_sandbox_key_and_nobody_elses() {
    let site = Site::open().await;
    let mut maria = site.browser();
    let key = maria.sign_up("maria@example.com").await.between("id=\"new-key\">", "<").to_owned();
    let product = maria.get("/get-started").await;
    assert!(product.text.contains(&key) && product.text.contains("works as pasted"), "{}", product.text);
    let operation = "/products/countries/apis/countries/operations/op1";
    let read = maria.get(operation).await;
    assert!(read.text.contains(&key) && !read.text.contains("YOUR_KEY"), "{}", read.text);
    assert_eq!(read.headers[header::CACHE_CONTROL], "no-store");
    assert!(maria.get("/usage").await.text.contains(&key), "the example while nothing is counted yet");

    let mut guest = site.browser();
    let read = guest.get(operation).await;
    assert!(read.text.contains("YOUR_KEY") && !read.text.contains("tg_test_"));
    let mut other = site.browser();
    let others = other.sign_up("olaf@example.com").await.between("id=\"new-key\">", "<").to_owned();
    let read = other.get(operation).await;
    assert!(read.text.contains(&others) && !read.text.contains(&key));

    let path = application(&mut maria).await;
    let page = maria.get(&path).await;
    let key_path = format!("{path}/keys/{}", page.between(&format!("{path}/keys/"), "\""));
    maria.post(&format!("{key_path}/revoke"), &[]).await;
    assert!(maria.get(operation).await.text.contains("YOUR_KEY"), "a revoked key is no use to anybody");
}

#[tokio::test]
async fn a_rotated_key_goes_on_until_hours_after_its_successor_is_used() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    let path = application(&mut maria).await;
    let page = maria.get(&path).await;
    let old = format!("{path}/keys/{}", page.between(&format!("{path}/keys/"), "\""));
    let question = maria.get(&format!("{old}/rotate")).await;
    assert!(question.text.contains("24 hours after the new key is first used"));
    let once = question.between("name=\"once\" value=\"", "\"").to_owned();
    let fields = [("ends", "first-24"), ("once", once.as_str())];
    let new = maria.post(&format!("{old}/rotate"), &fields).await;
    assert_eq!(
        maria.post(&format!("{old}/rotate"), &fields).await.location(),
        new.location(),
        "twice is once"
    );
    assert!(maria.get(new.location()).await.text.contains("id=\"new-key\""));
    let page = maria.get(&old).await;
    assert!(page.text.contains("It has not been used yet.") && page.text.contains("24 hours after"));
    assert!(page.text.contains("Nobody called, with this key or the new one."), "{}", page.text);
    let again = [("ends", "now"), ("once", &uuid::Uuid::now_v7().to_string())];
    assert_eq!(maria.post(&format!("{old}/rotate"), &again).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let ends = "select count(*) from credentials where replaced_by is not null and expires_at is not null and $1 = ''";
    site.control.retire_replaced_keys().await.expect("a look");
    assert_eq!(site.database.count(ends, "").await, 0, "the new one was not used");
    let use_new = "with i as (insert into usage_counters (boot_id, credential_id, subscription_id, route_id, status, outcome,
        minute, calls, charged, bytes_in, bytes_out, duration_us)
        select gen_random_uuid(), replaced_by, gen_random_uuid(), gen_random_uuid(), 200, 1, date_trunc('minute', now()), 1, 1,
        0, 0, 1 from credentials where replaced_by is not null and $1 = '' returning 1) select count(*) from i";
    assert_eq!(site.database.count(use_new, "").await, 1);
    site.control.retire_replaced_keys().await.expect("a look");
    assert_eq!(site.database.count(ends, "").await, 1);
    let use_old = "with i as (insert into usage_counters (boot_id, credential_id, subscription_id, route_id, status, outcome,
        minute, calls, charged, bytes_in, bytes_out, duration_us, organization_id, application_id)
        select gen_random_uuid(), id, gen_random_uuid(), gen_random_uuid(), 200, 1, date_trunc('minute', now()), 3, 3,
        0, 0, 1, organization_id, application_id from credentials where replaced_by is not null and $1 = '' returning 1),
        l as (insert into request_log (id, at, request_id, minted, node, organization_id, application_id, credential_id,
        status, duration_us, bytes_in, bytes_out, client, user_agent)
        select 1, now(), 'r', true, gen_random_uuid(), organization_id, application_id, id, 200, 9, 0, 0, '203.0.113.7', 'import/2'
        from credentials where replaced_by is not null returning 1) select count(*) from i, l";
    assert_eq!(site.database.count(use_old, "").await, 1);
    let page = maria.get(&old).await.text;
    assert!(page.contains(">in 1 day</time>"), "{page}");
    assert!(
        page.contains("still came with this one")
            && page.contains("203.0.113.7")
            && page.contains("import/2")
    );
}

#[tokio::test]
async fn keys_that_end_are_told_of_in_time_and_once() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    let path = application(&mut maria).await;
    make_key(&mut maria, &path, &[("name", "Nightly import"), ("expires", "30")]).await;
    let told = async || {
        site.control.look_after_keys().await.expect("a look");
        let mails = site.work().await;
        let subjects = mails
            .iter()
            .filter(|mail| mail.subject.contains("key of yours"))
            .map(|mail| mail.subject.clone());
        subjects.collect::<Vec<_>>()
    };
    assert!(told().await.is_empty());
    let ends_in = |days: &'static str| {
        let sql = "with up as (update credentials set expires_at = now() + $1::interval - interval '1 minute',
            created_at = now() - interval '20 days' where expires_at is not null returning 1) select count(*) from up";
        site.database.count(sql, days)
    };
    for (days, subject) in [
        ("14 days", "A key of yours ends within 14 days"),
        ("3 days", "A key of yours ends within 3 days"),
        ("1 day", "A key of yours ends within a day"),
    ] {
        assert_eq!(ends_in(days).await, 1);
        assert_eq!(told().await.last().map(String::as_str), Some(subject));
        told().await;
    }
    assert_eq!(told().await.len(), 3, "each once");
    let link = site.link_to("maria@example.com").await;
    assert!(
        maria.get(link.trim_start_matches("http://portal.test")).await.text.contains("Rotate Nightly import")
    );
}

#[tokio::test]
async fn usage_reads_the_same_before_and_after_it_is_summed() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    count_a_call(&site).await;
    let older = "with i as (insert into usage_counters select gen_random_uuid(), credential_id, subscription_id, route_id, 429, 2,
        minute - make_interval(days => d), 7, 0, 0, 0, 70, organization_id, application_id
        from usage_counters, generate_series(1, 40) d where $1 = '' returning 1) select count(*) from i";
    assert_eq!(site.database.count(older, "").await, 40);
    let tiles = async |maria: &mut Browser<'_>, range: &str| {
        let page = maria.get(&format!("/usage?range={range}")).await;
        (page.between("<dd class=\"n\">", "<").to_owned(), page.text.contains("Refused: rate limit"))
    };
    let mut maria_again = site.browser();
    maria_again.set_cookie("session", maria.cookie("session").expect("a session"));
    let ranges = ["hour", "day", "week", "month", "quarter"];
    let mut before = Vec::new();
    for range in ranges {
        before.push(tiles(&mut maria, range).await);
    }
    assert_eq!(before[4].0, "281");
    site.control.store().sum_usage().await.expect("it is summed");
    let summed = "select (select sum(calls) from usage_hours where $1 = '')::bigint";
    assert!(site.database.count(summed, "").await >= 280);
    for (range, was) in ranges.into_iter().zip(before) {
        assert_eq!(tiles(&mut maria_again, range).await, was, "{range}");
    }
    let csv = maria.get("/usage.csv?range=quarter").await;
    assert!(csv.headers[header::CONTENT_TYPE].to_str().unwrap_or_default().starts_with("text/csv"));
    assert!(
        csv.text.starts_with("from,method,path,status") && csv.text.contains(",429,Refused: rate limit,7,0,")
    );
    let page = maria.get("/usage?range=quarter").await;
    assert!(
        page.text.contains("By key") && page.text.contains("First key") && page.text.contains("By error")
    );
}

#[tokio::test]
async fn limits_show_what_is_left_and_half_of_a_quota_is_worth_a_mail() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up_confirmed("maria@example.com").await;
    let page = maria.get("/limits").await;
    assert!(page.text.contains("0 of 1,000 this month"), "{}", page.text);
    let use_up = |calls: &'static str| {
        let sql = "with up as (insert into quota_usage (subscription_id, month, boot_id, charged)
            select id, date_trunc('month', now() at time zone 'UTC')::date, '00000000-0000-0000-0000-000000000001', $1::bigint
            from subscriptions on conflict (month, subscription_id, boot_id) do update set charged = excluded.charged
            returning 1) select count(*) from up";
        site.database.count(sql, calls)
    };
    for (calls, subjects) in [
        ("499", vec![]),
        ("500", vec!["50 % of a quota used: Countries"]),
        ("650", vec!["50 % of a quota used: Countries"]),
        ("1000", vec!["50 % of a quota used: Countries", "Quota used up: Countries"]),
    ] {
        use_up(calls).await;
        site.control.look_after_quotas().await.expect("a look");
        let mails = site.work().await;
        let told: Vec<&str> = mails
            .iter()
            .map(|mail| mail.subject.as_str())
            .filter(|subject| subject.contains("uota"))
            .collect();
        assert_eq!(told, subjects, "{calls}");
    }
    let page = maria.get("/limits").await;
    assert!(page.text.contains("The quota is used up") && page.text.contains("1,000 of 1,000"));
}

#[tokio::test]
async fn single_calls_are_found_and_explained_to_their_owner_alone() {
    let site = Site::open().await;
    let mut maria = site.browser();
    maria.sign_up("maria@example.com").await;
    let refused = "with i as (insert into request_log (id, at, request_id, minted, node, organization_id, application_id, credential_id,
        method, host, path, status, code, detail, duration_us, bytes_in, bytes_out)
        select 1, now(), $1, true, gen_random_uuid(), organization_id, application_id, id, 'GET', 'api.test', '/countries/v1/x', 429,
        'rate_limited', '{\"limit\": \"burst\", \"amount\": 10, \"per\": \"second\", \"retry_after_s\": 1}', 90, 0, 10
        from credentials returning 1) select count(*) from i";
    assert_eq!(site.database.count(refused, "req-1").await, 1);
    let list = maria.get("/requests?status=4&path=/countries").await;
    assert!(
        list.text.contains("href=\"/requests/req-1\"") && list.text.contains("rate limited"),
        "{}",
        list.text
    );
    assert!(maria.get("/requests?status=5").await.text.contains("No call is like that"));
    assert_eq!(maria.get("/requests?id=req-1").await.location(), "/requests/req-1");
    let call = maria.get("/requests/req-1").await;
    assert!(
        call.text.contains("The plan allows 10 calls per second")
            && call.text.contains("/problems/rate_limited")
    );
    assert!(call.text.contains("First key") && !call.text.contains("/try?"), "its operation is not known");
    site.run(
        "update request_log set path = '/countries/v1/countries',
         route_id = (select id from routes where path = '/countries' and method = 'GET')",
    )
    .await;
    let call = maria.get("/requests/req-1").await;
    let again = call.between("<a class=\"button\" href=\"/products", "\"").to_owned();
    assert!(again.starts_with("/countries/apis/countries/operations/op1/try?key=key_"), "{again}");
    let form = maria.get(&format!("/products{again}")).await;
    assert!(form.text.contains("First key") && form.status == StatusCode::OK, "{}", form.text);
    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    assert_eq!(eve.get("/requests/req-1").await.status, StatusCode::NOT_FOUND);
    assert!(eve.get("/requests").await.text.contains("No calls yet"));
    assert_eq!(
        eve.get("/requests?application=app_00000000000000000000000000").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn others_are_invited_by_mail_and_the_last_owner_stays() {
    let site = Site::open().await;
    let (mut maria, mut jo) = (site.browser(), site.browser());
    maria.sign_up("maria@example.com").await;
    let fields = [("email", "jo@example.com"), ("role", "developer")];
    let early = maria.post("/team/invitations", &fields).await;
    assert!(early.text.contains("Confirm your own e-mail address"), "{}", early.text);
    let link = site.link_to("maria@example.com").await;
    maria.post(link.trim_start_matches("http://portal.test"), &[]).await;
    assert_eq!(maria.post("/team/invitations", &fields).await.location(), "/team");
    let link = site.link_to("jo@example.com").await;
    let path = link.trim_start_matches("http://portal.test").to_owned();
    let question = site.browser().get(&path).await;
    assert!(question.text.contains("maria@example.com invites you") && question.text.contains("developer"));
    assert!(site.browser().post(&path, &[]).await.location().starts_with("/signin"), "nobody joins unseen");

    assert!(question.text.contains(&format!("/signup?next={path}")), "{}", question.text);
    let form = jo.get(&format!("/signup?next={path}")).await;
    assert!(form.text.contains(&format!("name=\"next\" value=\"{path}\"")), "{}", form.text);
    let account =
        [("email", "jo@example.com"), ("password", PASSWORD), ("product", "countries"), ("next", &path)];
    assert_eq!(jo.post("/signup", &account).await.location(), path, "back to where they came from");
    assert_eq!(jo.post(&path, &[]).await.location(), "/applications");
    assert_eq!(jo.post(&path, &[]).await.status, StatusCode::NOT_FOUND, "the link is used up");
    let team = jo.get("/team").await;
    assert!(team.text.contains("maria@example.com") && team.text.contains("Switch"));
    assert!(!team.text.contains("Invite by e-mail"), "a developer invites nobody");
    assert_eq!(jo.post("/team/invitations", &fields).await.status, StatusCode::FORBIDDEN);

    let id = |page: &str, email: &str| {
        let row = page.split(email).nth(1).expect("a row").to_owned();
        row.split("/team/members/").nth(1).and_then(|rest| rest.split('/').next()).expect("an id").to_owned()
    };
    let page = maria.get("/team").await.text;
    let jo_id = id(&page, "<strong>jo@example.com</strong>");
    let maria_id = id(&page, "<strong>maria@example.com</strong>");
    let leave = maria.post(&format!("/team/members/{maria_id}/remove"), &[]).await;
    assert!(leave.text.contains("An organization needs an owner"), "{}", leave.text);
    let delete = [("email", "maria@example.com"), ("password", PASSWORD)];
    assert!(maria.post("/account/delete", &delete).await.text.contains("You are the last owner"));
    maria.post(&format!("/team/members/{jo_id}/role"), &[("role", "owner")]).await;
    assert_eq!(maria.post(&format!("/team/members/{maria_id}/remove"), &[]).await.location(), "/account");
    assert_eq!(jo.get("/team").await.text.matches("<strong>maria@example.com</strong>").count(), 0);
    let mut eve = site.browser();
    eve.sign_up("eve@example.com").await;
    assert_eq!(
        eve.post(&format!("/team/members/{jo_id}/role"), &[("role", "viewer")]).await.status,
        StatusCode::NOT_FOUND
    );
}
