//! APIs at one address, told apart by what calls say.

use tollgate_domain::HeaderMatch;

use crate::http::{Reaction, ok};
use crate::stage::{Plot, Stage, id, route, until};

/// Two versions of an API: the second answers calls that ask for it.
async fn versions() -> (Stage, String) {
    let mut plot = Plot::new().await;
    let mut second = plot.blueprint.apis[0].clone();
    (second.id, second.slug) = (id(21), "items-2".into());
    second.match_headers = vec![HeaderMatch { name: "x-api-version".into(), value: "2".into() }];
    second.routes = vec![route(40, "GET", "/{anything}")];
    let mut elsewhere = plot.blueprint.apis[0].clone();
    (elsewhere.id, elsewhere.slug, elsewhere.base_path) = (id(22), "others".into(), "/others".into());
    elsewhere.routes = vec![route(41, "GET", "/items")];
    plot.blueprint.apis.extend([second, elsewhere]);
    let key = plot.key.clone();
    let stage = plot.start().await;
    stage.upstream.behave(|_| Reaction::Say(ok("Vary: accept-language\r\n", "{}")));
    (stage, key)
}

#[tokio::test]
async fn a_call_reaches_the_version_that_it_asks_for() {
    let (stage, key) = versions().await;
    let mut client = stage.client().await;
    // One connection: who called before does not decide whose the next call is.
    for (fields, status) in [
        (&[("X-API-Key", &*key)][..], 404),
        (&[("X-API-Key", &key), ("x-API-version", "2")], 200),
        (&[("X-API-Key", &key), ("X-API-Version", "3")], 404),
        (&[("X-API-Key", &key), ("X-API-Version", "2"), ("X-API-Version", "2")], 404),
        (&[("X-API-Key", &key)], 404),
    ] {
        let answer = client.call("GET /v1/new", fields).await;
        assert_eq!(answer.status(), status, "{fields:?}");
    }
    let seen = stage.upstream.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].all("x-api-version"), ["2"], "the upstream may look at it too");
    assert_eq!(client.call("GET /v1/items", &[("X-API-Key", &key)]).await.status(), 200);
    until("both are counted", async || stage.source.calls() == 2).await;
}

#[tokio::test]
async fn caches_are_told_by_what_an_answer_was_chosen() {
    let (stage, key) = versions().await;
    let key = ("X-API-Key", &*key);
    let mut client = stage.client().await;
    for (line, fields) in [("GET /v1/items", &[key][..]), ("GET /v1/items", &[key, ("X-API-Version", "2")])] {
        let answer = client.call(line, fields).await;
        assert_eq!((answer.status(), answer.all("vary")), (200, vec!["accept-language", "x-api-version"]));
    }
    assert_eq!(client.call("GET /others/items", &[key]).await.all("vary"), ["accept-language"]);
}
