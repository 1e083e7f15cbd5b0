use std::sync::Arc;

use proptest::prelude::*;

use crate::admission::Method;
use crate::compile::compile;
use crate::sample::{blueprint, route};
use crate::snapshot::RouteMatch;

/// Segment by segment: a literal beats a parameter, the earliest segment decides.
fn naive<'t>(templates: &'t [String], path: &str) -> Option<&'t String> {
    let parts: Vec<&str> = path.split('/').collect();
    let mut fitting: Vec<(Vec<bool>, &String)> = templates
        .iter()
        .filter_map(|template| {
            let segments: Vec<&str> = template.split('/').collect();
            let fits = segments.len() == parts.len()
                && segments
                    .iter()
                    .zip(&parts)
                    .all(|(segment, part)| (segment.starts_with('{') && !part.is_empty()) || segment == part);
            fits.then(|| (segments.iter().map(|segment| segment.starts_with('{')).collect(), template))
        })
        .collect();
    fitting.sort();
    fitting.first().map(|(_, template)| *template)
}

proptest! {
    #[test]
    fn routes_are_found_as_a_naive_matcher_finds_them(
        templates in prop::collection::btree_set(
            prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "{x}"]), 1..4), 1..12),
        paths in prop::collection::vec(
            prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "c", "abc"]), 1..4), 1..20),
    ) {
        let templates: Vec<String> =
            templates.into_iter().map(|segments| format!("/{}", segments.join("/"))).collect();
        let mut rows = blueprint();
        rows.apis.truncate(1);
        rows.apis[0].base_path = String::new();
        rows.apis[0].routes = templates
            .iter()
            .enumerate()
            .map(|(n, template)| route(500 + n as u128, "GET", template))
            .collect();
        let snapshot = compile(&rows).expect("these never conflict");
        for path in paths {
            let path = format!("/{}", path.join("/"));
            let found = match snapshot.find_route("any", Method::Get, &path, &crate::Nowhere) {
                RouteMatch::Found(index) => Some(&*snapshot.route(index).template),
                _ => None,
            };
            prop_assert_eq!(found, naive(&templates, &path).map(String::as_str), "{}", path);
        }
    }
}

/// Bad input 137: nothing that authors write is run as a pattern, so none of it can take long.
#[test]
fn case_137_a_pattern_in_a_path_is_plain_text() {
    let mut rows = blueprint();
    rows.apis.truncate(1);
    rows.apis[0].base_path = String::new();
    let templates = ["/(a+)+$", "/.*", "/[ab]+", "/{x}/(a*)*b"];
    rows.apis[0].routes = templates.iter().zip(500..).map(|(path, n)| route(n, "GET", path)).collect();
    let compiled = compile(&rows);
    // Square brackets stand in no path (RFC 3986 §3.3): no call could have it.
    let fault = compiled.unwrap_err();
    assert_eq!((fault.id, fault.field.as_str()), (rows.apis[0].routes[2].id.to_string(), "path"));
    rows.apis[0].routes.remove(2);
    let snapshot = compile(&rows).expect("parentheses, stars and dollars are plain");
    let found = |path: &str| match snapshot.find_route("any", Method::Get, path, &crate::Nowhere) {
        RouteMatch::Found(index) => Some(snapshot.route(index).template.to_string()),
        _ => None,
    };
    assert_eq!(found("/(a+)+$").as_deref(), Some("/(a+)+$"));
    assert_eq!(found("/.*").as_deref(), Some("/.*"));
    assert_eq!(found("/7/(a*)*b").as_deref(), Some("/{x}/(a*)*b"));
    for other in ["/a", "/aaaa", &format!("/{}!", "a".repeat(8_000)), &format!("/7/{}", "a".repeat(8_000))] {
        assert_eq!(found(other), None, "{}", &other[..8.min(other.len())]);
    }
}

/// What one template answers, told without the router: whether it fits, and which segments are literal, plain
/// parameters or the rest of the path, in the order in which they win.
fn fit(template: &str, path: &str) -> Option<Vec<u8>> {
    let (mut ranks, mut parts) = (Vec::new(), path.split('/').peekable());
    for segment in template.split('/') {
        if segment.starts_with("{*") {
            // At least one segment, and not an empty one.
            parts.next_if(|part| !part.is_empty())?;
            ranks.push(2);
            return Some(ranks);
        }
        let part = parts.next()?;
        match segment.starts_with('{') {
            true if part.is_empty() => return None,
            true => ranks.push(1),
            false if segment == part => ranks.push(0),
            false => return None,
        }
    }
    parts.next().is_none().then_some(ranks)
}

/// Host, method and template of each route, searched one by one: the own host first, then any host; among paths the
/// literal wins from the left; a path without the method is remembered while the other hosts are asked.
fn search(
    routes: &[(Option<&str>, Method, String)],
    host: &str,
    method: Method,
    path: &str,
) -> Option<Result<usize, ()>> {
    let mut known = false;
    for scope in [Some(host), None] {
        let fitting = routes.iter().enumerate().filter(|(_, route)| route.0 == scope);
        let mut fitting: Vec<_> =
            fitting.filter_map(|(at, route)| Some((fit(&route.2, path)?, &route.2, route.1, at))).collect();
        fitting.sort();
        let Some((_, best, ..)) = fitting.first().cloned() else { continue };
        known = true;
        let of_method = |method| fitting.iter().find(|found| *found.1 == *best && found.2 == method);
        let get = || of_method(Method::Get).filter(|_| method == Method::Head);
        if let Some(found) = of_method(method).or_else(get) {
            return Some(Ok(found.3));
        }
    }
    known.then_some(Err(()))
}

const HOSTS: [Option<&str>; 3] = [None, Some("one.example"), Some("two.example")];

fn rows_of(routes: &[(Option<&str>, Method, String)]) -> tollgate_domain::Blueprint {
    let mut rows = blueprint();
    let api = rows.apis.swap_remove(0);
    rows.apis = HOSTS
        .iter()
        .enumerate()
        .map(|(n, host)| {
            let of_host = routes.iter().enumerate().filter(|(_, route)| route.0 == *host);
            tollgate_domain::Api {
                id: crate::sample::uuid(100 + n as u128).into(),
                hosts: host.iter().map(|host| (*host).to_owned()).collect(),
                base_path: String::new(),
                metering: tollgate_domain::Metering::default(),
                deprecation: None,
                policies: tollgate_domain::ApiPolicies::default(),
                routes: of_host.map(|(at, of)| route(1_000 + at as u128, of.1.as_str(), &of.2)).collect(),
                ..api.clone()
            }
        })
        .collect();
    rows
}

fn found(snapshot: &crate::Snapshot, host: &str, method: Method, path: &str) -> Option<Result<usize, ()>> {
    match snapshot.find_route(host, method, path, &crate::Nowhere) {
        RouteMatch::Found(index) => {
            let number = snapshot.route(index).id.uuid().as_u128() as u64;
            Some(Ok(number as usize - 1_000))
        }
        RouteMatch::MethodNotAllowed(_) => Some(Err(())),
        RouteMatch::NotFound => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn hosts_methods_and_rests_are_found_as_a_naive_search_finds_them(
        routes in prop::collection::btree_set(
            (
                prop::sample::select(HOSTS.to_vec()),
                prop::sample::select(vec![Method::Get, Method::Put, Method::Head]),
                prop::collection::vec(prop::sample::select(vec!["a", "b", "{x}"]), 1..4),
                prop::bool::weighted(0.3),
            ),
            1..16,
        ),
        calls in prop::collection::vec(
            (
                prop::sample::select(vec!["one.example", "two.example", "three.example"]),
                prop::sample::select(Method::ALL.to_vec()),
                prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "z"]), 1..6),
                prop::bool::weighted(0.1),
            ),
            1..40,
        ),
    ) {
        // A rest has a segment `z` before it: beside a parameter it is refused when it is compiled.
        let routes: Vec<_> = routes
            .into_iter()
            .map(|(host, method, segments, rest)| {
                (host, method, format!("/{}{}", segments.join("/"), if rest { "/z/{*rest}" } else { "" }))
            })
            .collect();
        let snapshot = compile(&rows_of(&routes)).expect("these never conflict");
        for (host, method, segments, slash) in calls {
            let path = format!("/{}{}", segments.join("/"), if slash { "/" } else { "" });
            let expected = search(&routes, host, method, &path);
            prop_assert_eq!(found(&snapshot, host, method, &path), expected, "{} {}{}", method, host, path);
        }
    }
}

#[test]
fn ten_thousand_routes_are_told_apart() {
    let words = ["users", "orders", "items", "{id}", "events", "{key}", "a", "b"];
    // A fixed walk through numbers: the same routes every time, as different as random ones.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let routes: Vec<_> = (0..10_000)
        .map(|n| {
            let middle: Vec<&str> = (0..next(4)).map(|_| words[next(words.len())]).collect();
            let method = [Method::Get, Method::Post, Method::Delete][next(3)];
            (
                HOSTS[next(3)],
                method,
                format!("/v{}/{}/r{n}", next(5), [&middle[..], &["x"]].concat().join("/")),
            )
        })
        .collect();
    let snapshot = compile(&rows_of(&routes)).expect("every path ends in a word of its own");
    for (at, (host, method, template)) in routes.iter().enumerate() {
        let path = template.replace("{id}", "17").replace("{key}", "a-b");
        assert_eq!(found(&snapshot, host.unwrap_or("any.example"), *method, &path), Some(Ok(at)), "{path}");
        assert_eq!(found(&snapshot, host.unwrap_or("any.example"), *method, &format!("{path}/x")), None);
        assert_eq!(found(&snapshot, host.unwrap_or("any.example"), Method::Patch, &path), Some(Err(())));
    }
}

#[test]
fn the_exact_host_comes_before_any_host_and_methods_fall_through() {
    let mut rows = blueprint();
    rows.apis[0].base_path = "/x".into();
    rows.apis[1].base_path = "/x".into();
    rows.apis[0].hosts = vec!["one.example".into()];
    rows.apis[0].routes = vec![route(21, "GET", "/a"), route(22, "GET", "/files/{*rest}")];
    rows.apis[1].routes = vec![route(23, "GET", "/a"), route(24, "PUT", "/a"), route(25, "GET", "/b.json")];
    let snapshot = compile(&rows).expect("valid");
    let find = |host, method, path| match snapshot.find_route(host, method, path, &crate::Nowhere) {
        RouteMatch::Found(index) => Ok(snapshot.route(index).id),
        other => Err(other),
    };
    let id = |n: u128| Ok(crate::sample::uuid(n).into());
    assert_eq!(find("one.example", Method::Get, "/x/a"), id(21));
    assert_eq!(find("one.example", Method::Head, "/x/a"), id(21));
    assert_eq!(find("one.example", Method::Put, "/x/a"), id(24));
    assert_eq!(find("one.example", Method::Get, "/x/files/a/b"), id(22));
    assert_eq!(find("one.example", Method::Get, "/x/b.json"), id(25));
    assert_eq!(find("two.example", Method::Get, "/x/a"), id(23));
    assert_eq!(find("two.example", Method::Get, "/x/files/a"), Err(RouteMatch::NotFound));
    assert_eq!(find("two.example", Method::Get, "/x/a/"), Err(RouteMatch::NotFound));
    assert_eq!(
        find("two.example", Method::Delete, "/x/a"),
        Err(RouteMatch::MethodNotAllowed(Arc::from("GET, HEAD, PUT")))
    );
}

/// A call's fields as a list.
#[derive(Debug)]
struct Said<'s>(&'s [(&'s str, &'s str)]);

impl crate::Whence for Said<'_> {
    fn address(&self) -> Option<std::net::IpAddr> {
        None
    }

    fn origin(&self) -> Option<&[u8]> {
        None
    }

    fn field(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.0.iter().filter(|field| field.0 == name).map(|field| field.1.as_bytes());
        values.next().filter(|_| values.next().is_none())
    }
}

fn conditions(pairs: &[(&str, &str)]) -> Vec<tollgate_domain::HeaderMatch> {
    let of = |(name, value): &(&str, &str)| tollgate_domain::HeaderMatch {
        name: (*name).into(),
        value: (*value).into(),
    };
    pairs.iter().map(of).collect()
}

/// Two APIs at one address: `two` answers calls that meet its conditions.
fn beside(one: &[(&str, &str)], two: &[(&str, &str)]) -> tollgate_domain::Blueprint {
    let mut rows = blueprint();
    for (api, pairs) in rows.apis.iter_mut().zip([one, two]) {
        api.base_path = "/x".into();
        api.match_headers = conditions(pairs);
    }
    rows.apis[0].routes = vec![route(21, "GET", "/a"), route(22, "PUT", "/a"), route(23, "GET", "/b")];
    rows.apis[1].routes = vec![route(31, "GET", "/{id}"), route(32, "DELETE", "/{id}")];
    rows
}

#[test]
fn apis_at_one_address_are_told_apart_by_what_a_call_says() {
    let snapshot = compile(&beside(&[], &[("x-version", "2")])).expect("valid");
    let find = |method, path, said: &[(&str, &str)]| match snapshot.find_route("a", method, path, &Said(said))
    {
        RouteMatch::Found(index) => Ok(snapshot.route(index).id),
        other => Err(other),
    };
    let id = |n: u128| Ok(crate::sample::uuid(n).into());
    let second = [("accept", "*/*"), ("x-version", "2")];
    assert_eq!(find(Method::Get, "/x/a", &[]), id(21));
    // Its own path, though the other API has one that fits more closely.
    assert_eq!(find(Method::Get, "/x/a", &second), id(31));
    assert_eq!(find(Method::Head, "/x/a", &second), id(31));
    // What it has no operation for falls to whoever asks for less.
    assert_eq!(find(Method::Put, "/x/a", &second), id(22));
    for other in
        [&[("x-version", "3")][..], &[("x-version", "2 ")], &[("x-version", "2"), ("x-version", "2")]]
    {
        assert_eq!(find(Method::Get, "/x/a", other), id(21), "{other:?}");
        assert_eq!(find(Method::Get, "/x/c", other), Err(RouteMatch::NotFound));
    }
    let allow = |methods: &str| Err(RouteMatch::MethodNotAllowed(Arc::from(methods)));
    assert_eq!(find(Method::Delete, "/x/a", &[]), allow("GET, HEAD, PUT"));
    assert_eq!(find(Method::Post, "/x/a", &second), allow("GET, HEAD, DELETE"));
}

#[test]
fn who_asks_for_more_goes_first_and_nobody_shares_a_call() {
    let more = [("x-region", "eu"), ("x-version", "2")];
    let rows = beside(&[("x-version", "2")], &more);
    let snapshot = compile(&rows).expect("valid");
    let found = |said: &[(&str, &str)]| match snapshot.find_route("a", Method::Get, "/x/a", &Said(said)) {
        RouteMatch::Found(index) => Some(snapshot.route(index).id),
        _ => None,
    };
    assert_eq!(found(&more), Some(crate::sample::uuid(31).into()));
    assert_eq!(found(&more[1..]), Some(crate::sample::uuid(21).into()));
    assert_eq!(found(&more[..1]), None);
    // Different values exclude each other; different fields do not.
    let mut rows = beside(&[("x-version", "1")], &[("x-version", "2")]);
    rows.apis[1].routes = vec![route(31, "GET", "/a")];
    assert!(compile(&rows).is_ok());
    rows.apis[1].match_headers = conditions(&[("x-region", "eu")]);
    let error = compile(&rows).expect_err("a call could be of both");
    assert_eq!(
        (error.id.as_str(), error.field.as_str()),
        (rows.apis[1].routes[0].id.to_string().as_str(), "path")
    );
    assert_eq!(error.collides_with, Some(rows.apis[0].routes[0].id.to_string()));
    assert!(error.reason.contains("could also be a call of"), "{}", error.reason);
    rows.apis[1].match_headers = conditions(&[("x-version", "1")]);
    assert!(compile(&rows).expect_err("the same place").reason.contains("is taken by"));
}

#[test]
fn an_api_whose_conditions_cannot_be_read_answers_nobody() {
    let rows = beside(&[], &[("host", "a")]);
    let error = compile(&rows).expect_err("no API is told by its host so");
    assert_eq!(error.field, "match_headers/0/name");
    let snapshot = crate::compile::compile_what_can_be(rows, None).snapshot;
    assert_eq!(snapshot.find_route("a", Method::Get, "/x/c", &Said(&[("host", "a")])), RouteMatch::NotFound);
}

proptest! {
    /// However many sets of conditions there are, the one is found that a search through all of them finds.
    #[test]
    fn conditions_are_met_as_a_naive_search_meets_them(
        sets in prop::collection::btree_set(
            prop::collection::btree_map(
                prop::sample::select(vec!["x-a", "x-b"]), prop::sample::select(vec!["1", "2", "3"]), 0..3),
            1..10),
        calls in prop::collection::vec(
            prop::collection::vec(
                (prop::sample::select(vec!["x-a", "x-b"]), prop::sample::select(vec!["1", "2", "3", "4"])), 0..4),
            1..20),
    ) {
        let mut rows = blueprint();
        let api = rows.apis.swap_remove(0);
        rows.apis = { sets.iter().enumerate() }.map(|(n, set)| {
            let pairs: Vec<(&str, &str)> = set.iter().map(|(name, value)| (*name, *value)).collect();
            tollgate_domain::Api {
                id: crate::sample::uuid(100 + n as u128).into(),
                match_headers: conditions(&pairs),
                routes: vec![route(1_000 + n as u128, "GET", "/a")],
                base_path: String::new(),
                ..api.clone()
            }
        }).collect();
        let snapshot = match compile(&rows) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                // Only sets of the same size that do not exclude each other.
                let alike = |a: &std::collections::BTreeMap<_, _>, b: &std::collections::BTreeMap<_, _>| {
                    a.len() == b.len() && a != b && a.iter().all(|(name, value)| b.get(name).is_none_or(|b| b == value))
                };
                prop_assert!(error.reason.contains("could also be"), "{}", error);
                prop_assert!(sets.iter().any(|a| sets.iter().any(|b| alike(a, b))));
                return Ok(());
            }
        };
        for call in calls {
            let said = Said(&call);
            let value = |name: &str| crate::Whence::field(&said, name);
            let meets = |set: &std::collections::BTreeMap<&str, &str>| {
                set.iter().all(|(name, wanted)| value(name) == Some(wanted.as_bytes()))
            };
            let best = sets.iter().enumerate().filter(|(_, set)| meets(set)).max_by_key(|(_, set)| set.len());
            let found = match snapshot.find_route("a", Method::Get, "/a", &said) {
                RouteMatch::Found(index) => Some(snapshot.route(index).id),
                _ => None,
            };
            prop_assert_eq!(found, best.map(|(n, _)| crate::sample::uuid(1_000 + n as u128).into()));
        }
    }
}
