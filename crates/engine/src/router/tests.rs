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
            let found = match snapshot.find_route("any", Method::Get, &path) {
                RouteMatch::Found(index) => Some(&*snapshot.route(index).template),
                _ => None,
            };
            prop_assert_eq!(found, naive(&templates, &path).map(String::as_str), "{}", path);
        }
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
    let find = |host, method, path| match snapshot.find_route(host, method, path) {
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
