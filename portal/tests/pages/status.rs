//! What the status page remembers.

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};

use crate::journey::count_calls;
use crate::site::Site;

#[tokio::test]
async fn an_api_that_fails_calls_has_an_incident_until_it_answers_again() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    let status = async |path: &str| {
        for _ in 0..2 {
            site.control.look_after_health(Utc::now()).await.expect("a look");
        }
        site.browser().get(path).await.text
    };
    count_calls(&site, 200, 10).await;
    count_calls(&site, 503, 9).await;
    let page = status("/status").await;
    assert!(page.contains("No incidents in 90 days"), "19 calls say too little: {page}");

    count_calls(&site, 503, 11).await;
    let page = status("/status").await;
    assert!(page.contains("66.7 % of calls fail. It is not over."), "{page}");
    let feed = status("/status.atom").await;
    assert!(feed.contains("<title>Countries API: Down</title>"), "{feed}");
    assert_eq!(feed.matches("<entry>").count(), 1, "it is one incident, however often it is looked at");

    site.run("update incidents set began_at = now() - interval '90 minutes'").await;
    site.run("delete from usage_counters").await;
    let page = status("/status").await;
    assert!(page.contains("66.7 % of calls failed at worst. It was over after 90 minutes."), "{page}");
    count_calls(&site, 200, 95).await;
    count_calls(&site, 500, 5).await;
    let feed = status("/status.atom").await;
    assert_eq!(feed.matches("<entry>").count(), 2, "{feed}");
    assert!(feed.contains("<title>Countries API: Some calls fail</title>"), "{feed}");

    site.run("update products set visibility = 'signed_in'").await;
    assert!(!status("/status.atom").await.contains("<entry>"), "what is not seen is not told of");
}

#[tokio::test]
async fn an_operator_writes_an_incident_tells_more_of_it_ends_it_and_takes_it_back() {
    let site = Site::open().await;
    let mut admin = crate::admin_forms::admin(&site).await;
    let began = (Utc::now() - TimeDelta::minutes(40)).format("%Y-%m-%dT%H:%M").to_string();
    let fields = |title, trouble, ended| {
        [
            ("title", title),
            ("text", "Calls go to **another** data centre. <script>"),
            ("api_id", ""),
            ("trouble", trouble),
            ("began_at", began.as_str()),
            ("ended_at", ended),
        ]
    };
    let nameless = admin.post("/admin/new/incident", &fields("", "down", "2000-01-01T00:00")).await;
    assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nameless.text.contains("id=\"title-error\"") && nameless.text.contains("id=\"ended_at-error\""));

    let made = admin.post("/admin/new/incident", &fields("Slow answers", "down", "")).await;
    let incident = made.location().to_owned();
    assert!(incident.starts_with("/admin/incidents/inc_"), "{}", made.text);
    let page = site.browser().get("/status").await.text;
    for said in
        ["Slow answers", "All APIs. It is not over.", "<strong>another</strong>", "At least one API is down."]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    let feed = site.browser().get("/status.atom").await.text;
    assert!(feed.contains("<title>Slow answers: Down</title>"), "{feed}");
    site.control.look_after_health(Utc::now()).await.expect("a look");
    assert!(site.browser().get("/status").await.text.contains("It is not over."), "only its writer ends it");

    let shown = admin.get(&incident).await;
    let version = crate::admin_forms::hidden(&shown, "version").to_owned();
    let over = (Utc::now() - TimeDelta::minutes(10)).format("%Y-%m-%dT%H:%M").to_string();
    let mut ended = fields("Slow answers", "degraded", &over).to_vec();
    ended.push(("version", &version));
    assert_eq!(admin.post(&incident, &ended).await.status, StatusCode::SEE_OTHER);
    assert_eq!(admin.post(&incident, &ended).await.status, StatusCode::CONFLICT, "it was changed meanwhile");
    let page = site.browser().get("/status").await.text;
    assert!(
        page.contains("It was over after 30 minutes.") && page.contains("No API is known to fail."),
        "{page}"
    );

    let (delete, version) = (format!("{incident}/delete"), "2");
    assert_eq!(admin.post(&delete, &[("version", version)]).await.location(), "/admin/incidents");
    assert!(!site.browser().get("/status").await.text.contains("Slow answers"));
    let audit = admin.get("/admin/audit").await.text;
    for action in ["incident.create", "incident.update", "incident.delete"] {
        assert!(audit.contains(action), "{action}");
    }
}

#[tokio::test]
async fn of_an_incident_that_gateways_noticed_an_operator_tells_words_alone() {
    let site = Site::open().await;
    site.browser().sign_up("maria@example.com").await;
    count_calls(&site, 503, 30).await;
    site.control.look_after_health(Utc::now()).await.expect("a look");
    let mut admin = crate::admin_forms::admin(&site).await;
    let list = admin.get("/admin/incidents").await;
    let incident = format!("/admin/incidents/{}", list.between("/admin/incidents/", "\""));
    let page = admin.get(&incident).await.text;
    assert!(page.contains("30 of 30") && !page.contains("name=\"trouble\""), "{page}");
    let told = [("title", "A disk is full"), ("text", ""), ("trouble", "degraded"), ("version", "1")];
    assert_eq!(admin.post(&incident, &told).await.status, StatusCode::SEE_OTHER);
    let page = site.browser().get("/status").await.text;
    assert!(
        page.contains("A disk is full") && page.contains("Countries API. 100.0 % of calls fail."),
        "{page}"
    );
}
