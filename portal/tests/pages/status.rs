//! What the status page remembers.

use chrono::Utc;

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
