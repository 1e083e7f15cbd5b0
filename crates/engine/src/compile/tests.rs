use tollgate_domain::{Blueprint, LimitKind, Period, Target};

use crate::compile::{Kind, compile};
use crate::sample::{blueprint, limit, route, uuid};

fn fault_of(change: impl FnOnce(&mut Blueprint)) -> (Kind, String, String) {
    let mut rows = blueprint();
    change(&mut rows);
    let error = compile(&rows).expect_err("a fault");
    assert!(!error.id.is_empty() && !error.reason.is_empty());
    (error.kind, error.field, error.reason)
}

#[test]
fn the_sample_compiles_and_headers_are_rendered_once() {
    let snapshot = compile(&blueprint()).expect("valid");
    assert_eq!(snapshot.revision, 7);
    let plan = |n: u128| snapshot.plan(snapshot.plan_index(uuid(n).into()).expect("known"));
    let policy = |n| plan(n).policy_header.as_deref();
    assert_eq!(policy(41), Some(&br#""burst";q=2;w=1, "month";q=3;w=2592000"#[..]));
    assert_eq!(policy(42), Some(&br#""per-key";q=1;w=60"#[..]));
    assert_eq!(policy(43), None);
    let route = &snapshot.routes()[0];
    assert_eq!(&*route.template, "/one/items/{id}");
    let service = snapshot.service_of(snapshot.api_of(route));
    assert_eq!(&*service.targets[service.pick()].address, "127.0.0.1:9000");
}

#[test]
fn every_fault_names_its_row_and_field() {
    let (kind, field, _) = fault_of(|b| b.services[0].targets[0].url = "ftp://x".into());
    assert_eq!((kind, &*field), (Kind::Service, "targets/0/url"));
    for targets in [vec![], vec![Target { url: "http://a".into(), weight: 0 }]] {
        let (kind, field, _) = fault_of(|b| b.services[0].targets = targets);
        assert_eq!((kind, &*field), (Kind::Service, "targets"));
    }
    let (kind, field, _) = fault_of(|b| b.services[0].read_timeout_ms = 0);
    assert_eq!((kind, &*field), (Kind::Service, "read_timeout_ms"));
    let (kind, field, _) = fault_of(|b| b.apis[0].service_id = uuid(2).into());
    assert_eq!((kind, &*field), (Kind::Api, "service_id"));
    let (kind, field, _) = fault_of(|b| b.apis[0].product_ids = vec![uuid(33).into()]);
    assert_eq!((kind, &*field), (Kind::Api, "product_ids"));
    for host in ["A.example", "a:80", "a/b", ""] {
        let (kind, field, _) = fault_of(|b| b.apis[0].hosts = vec![host.into()]);
        assert_eq!((kind, &*field), (Kind::Api, "hosts"));
    }
    for base_path in ["/", "/a/", "a", "/a/../b", "/a b"] {
        let (kind, field, _) = fault_of(|b| b.apis[0].base_path = base_path.into());
        assert_eq!((kind, &*field), (Kind::Api, "base_path"), "{base_path}");
    }
    let (kind, field, _) = fault_of(|b| b.plans[0].product_id = uuid(33).into());
    assert_eq!((kind, &*field), (Kind::Plan, "product_id"));
    let (kind, field, _) =
        fault_of(|b| b.plans[0].limits.push(limit("burst", LimitKind::Rate, 1, Period::Second)));
    assert_eq!((kind, &*field), (Kind::Plan, "limits/2"));
    let (kind, field, _) = fault_of(|b| b.apis[0].routes[0].method = "get".into());
    assert_eq!((kind, &*field), (Kind::Route, "method"));
}

#[test]
fn templates_that_no_router_could_tell_apart_are_refused() {
    for path in ["a", "/{", "/}", "/{}", "/{a/b}", "/{a}-{b}", "/{*a}/b", "/a b", "/%2e", "//a", "/x{*rest}"]
    {
        let (kind, field, _) = fault_of(|b| b.apis[0].routes.push(route(28, "GET", path)));
        assert_eq!((kind, &*field), (Kind::Route, "path"), "{path}");
    }
    let (_, _, reason) = fault_of(|b| b.apis[0].routes.push(route(28, "GET", "/items/{other}")));
    assert!(reason.contains(&tollgate_domain::RouteId::from(uuid(21)).to_string()), "{reason}");
    let (_, _, reason) = fault_of(|b| {
        b.apis[0].routes.push(route(27, "GET", "/files/{*rest}"));
        b.apis[0].routes.push(route(28, "GET", "/files/{name}.pdf"));
    });
    assert!(reason.contains("told apart"), "{reason}");
}

#[test]
fn templates_that_differ_in_names_or_methods_live_together() {
    let mut rows = blueprint();
    rows.apis[0].routes.extend([
        route(24, "DELETE", "/items/{other}"),
        route(25, "GET", "/items/{id}/parts/{id}"),
        route(26, "GET", "/items/{id}.json"),
        route(27, "GET", "/"),
    ]);
    assert!(compile(&rows).is_ok(), "{:?}", compile(&rows).err());
}
