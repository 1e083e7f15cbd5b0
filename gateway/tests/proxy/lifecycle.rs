//! APIs that will go, and those that are gone.

use tollgate_domain::{Deprecation, RetiredApi};

use crate::http::{Reaction, ok};
use crate::stage::Plot;

/// Far ahead, and never reached by a test: 30 June 2127, 12:00:00 UTC.
const SUNSET_S: i64 = 4_970_030_400;

fn deprecation(sunset_s: Option<i64>) -> Option<Deprecation> {
    Some(Deprecation { since_s: 1_767_225_600, sunset_s, successor: Some("items-2".into()) })
}

#[tokio::test]
async fn every_answer_of_a_deprecated_api_says_since_when_until_when_and_what_comes_after() {
    let mut plot = Plot::new().await;
    plot.blueprint.apis[0].deprecation = deprecation(Some(SUNSET_S));
    let stage = plot.start().await;
    stage.upstream.behave(|_| {
        Reaction::Say(ok("Deprecation: @1\r\nSunset: never\r\nLink: </next>; rel=\"next\"\r\n", "{}"))
    });
    let answer = stage.call("GET /v1/items").await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert_eq!(answer.all("deprecation"), ["@1767225600"], "one item, ours");
    assert_eq!(answer.all("sunset"), ["Mon, 30 Jun 2127 12:00:00 GMT"]);
    let links = answer.all("link").join(", ");
    for link in [
        "</next>; rel=\"next\"",
        "<https://portal.example/apis/items>; rel=\"deprecation\"",
        "<https://portal.example/apis/items>; rel=\"sunset\"",
        "<https://portal.example/apis/items-2>; rel=\"successor-version\"",
    ] {
        assert!(links.contains(link), "{link} in {links}");
    }
    let refused = stage.client().await.call("GET /v1/items", &[]).await;
    assert_eq!((refused.status(), refused.all("deprecation")), (401, vec!["@1767225600"]));
}

#[tokio::test]
async fn what_an_upstream_says_of_its_own_end_goes_through_where_we_say_nothing() {
    let stage = Plot::new().await.start().await;
    stage.upstream.behave(|_| Reaction::Say(ok("Deprecation: @1\r\n", "{}")));
    assert_eq!(stage.call("GET /v1/items").await.all("deprecation"), ["@1"]);
}

#[tokio::test]
async fn past_its_sunset_an_api_is_410_and_names_its_successor_to_whoever_asks() {
    let mut plot = Plot::new().await;
    plot.blueprint.apis[0].deprecation = deprecation(Some(1_767_225_600));
    let stage = plot.start().await;
    let with_key = stage.call("GET /v1/items").await;
    let without = stage.client().await.call("GET /v1/items", &[]).await;
    for answer in [with_key, without] {
        assert_eq!((answer.status(), answer.json()["code"].as_str()), (410, Some("api_retired")));
        assert_eq!(answer.json()["successor"], "https://portal.example/apis/items-2");
        assert!(answer.all("link").join(",").contains("apis/items-2>; rel=\"successor-version\""));
    }
    assert!(stage.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_retired_api_is_410_where_nothing_else_has_its_paths() {
    let mut plot = Plot::new().await;
    let paths = ["/items/{id}", "/old/{id}"].map(str::to_owned).to_vec();
    let retired = |hosts: Vec<String>, base_path: &str, successor: Option<&str>| RetiredApi {
        hosts,
        base_path: base_path.into(),
        paths: paths.clone(),
        successor: successor.map(str::to_owned),
    };
    plot.blueprint.retired =
        vec![retired(Vec::new(), "/v1", Some("items-2")), retired(vec!["old.example".into()], "/v0", None)];
    let stage = plot.start().await;
    assert_eq!(stage.call("GET /v1/items/7").await.status(), 200, "who is there now comes first");
    let gone = stage.call("GET /v1/old/7").await;
    assert_eq!(
        (gone.status(), gone.field("link")),
        (410, Some("<https://portal.example/apis/items-2>; rel=\"successor-version\""))
    );
    assert_eq!(stage.call("GET /v0/old/7").await.status(), 404, "it was on another host");
    let mut client = stage.client().await;
    client.send("GET /v0/old/7 HTTP/1.1\r\nHost: old.example\r\n\r\n").await;
    let there = client.answer().await;
    assert_eq!((there.status(), there.json().get("successor")), (410, None), "{there:?}");
}
