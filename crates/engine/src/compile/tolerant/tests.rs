use std::sync::Arc;

use proptest::prelude::*;
use tollgate_domain::{Blueprint, LimitKind, Period, Target, Unreadable, UnreadableRow};

use super::*;
use crate::admission::Method;
use crate::compile::{Kind, compile};
use crate::sample::{blueprint, limit, route, uuid};
use crate::snapshot::RouteMatch;

/// Whether the route of a call belongs to a broken API; none where it is not found.
fn broken(snapshot: &Snapshot, path: &str) -> Option<bool> {
    match snapshot.find_route("any.example", Method::Get, path, &crate::Nowhere) {
        RouteMatch::Found(index) => Some(snapshot.api_of(snapshot.route(index)).is_broken),
        _ => None,
    }
}

/// The sample with a service of its own for its second API.
fn two_services() -> Blueprint {
    let mut rows = blueprint();
    let mut service = rows.services[0].clone();
    service.id = uuid(2).into();
    rows.services.push(service);
    rows.apis[1].service_id = uuid(2).into();
    rows
}

fn without_before(change: impl FnOnce(&mut Blueprint)) -> Tolerated {
    let mut rows = two_services();
    change(&mut rows);
    compile_what_can_be(rows, None)
}

#[test]
fn a_blueprint_without_faults_is_what_compile_makes_of_it() {
    let tolerated = without_before(|_| {});
    assert_eq!(tolerated.faults, []);
    assert_eq!(broken(&tolerated.snapshot, "/one/items/7"), Some(false));
}

#[test]
fn a_row_at_fault_breaks_its_own_api_and_no_other() {
    type Change = fn(&mut Blueprint);
    let changes: [(Kind, Change); 8] = [
        (Kind::Service, |rows| rows.services[0].targets[0].url = "not a url".into()),
        (Kind::Service, |rows| rows.services[0].targets = vec![Target { url: "http://a".into(), weight: 0 }]),
        (Kind::Service, |rows| {
            let id = rows.services.remove(0).id;
            let row = UnreadableRow::Service(id);
            rows.unreadable.push(Unreadable { row, field: "protocol".into(), reason: "unknown".into() });
        }),
        (Kind::Api, |rows| rows.apis[0].service_id = uuid(99).into()),
        (Kind::Api, |rows| rows.apis[0].product_ids.push(uuid(99).into())),
        (Kind::Route, |rows| rows.apis[0].routes.push(route(29, "GET", "/{"))),
        (Kind::Route, |rows| rows.apis[0].routes.push(route(29, "get", "/x"))),
        (Kind::Route, |rows| rows.apis[0].routes.push(route(29, "GET", "/items/{other}"))),
    ];
    for (at, (kind, change)) in changes.into_iter().enumerate() {
        let tolerated = without_before(change);
        let kinds: Vec<Kind> = tolerated.faults.iter().map(|fault| fault.kind).collect();
        assert_eq!(kinds, [kind], "{at}");
        assert_eq!(broken(&tolerated.snapshot, "/one/items/7"), Some(true), "{at}");
        assert_eq!(broken(&tolerated.snapshot, "/two/items"), Some(false), "{at}");
    }
}

#[test]
fn an_api_without_a_sound_host_or_path_answers_nowhere() {
    let tolerated = without_before(|rows| rows.apis[0].hosts = vec!["A.example".into()]);
    assert_eq!(broken(&tolerated.snapshot, "/one/items/7"), None, "and least of all on every host");
    let tolerated = without_before(|rows| rows.apis[0].base_path = "/a/../b".into());
    assert_eq!((broken(&tolerated.snapshot, "/two/items"), tolerated.faults.len()), (Some(false), 1));
}

#[test]
fn of_two_that_want_a_path_the_earlier_keeps_it() {
    for (path, collides) in [("/items/{*rest}", true), ("/items/{other}", true), ("/items/{name}.pdf", false)]
    {
        let tolerated = without_before(|rows| {
            let mut later = rows.apis[1].clone();
            (later.id, later.base_path) = (uuid(13).into(), "/one".into());
            later.routes = vec![route(28, "GET", path), route(29, "GET", "/own")];
            rows.apis.push(later);
        });
        assert_eq!(tolerated.faults.len(), usize::from(collides), "{path}");
        assert_eq!(broken(&tolerated.snapshot, "/one/items/7"), Some(false), "{path}");
        assert_eq!(broken(&tolerated.snapshot, "/one/own"), Some(collides), "{path}");
    }
}

#[test]
fn a_plan_at_fault_breaks_itself() {
    let tolerated =
        without_before(|rows| rows.plans[0].limits.push(limit("burst", LimitKind::Rate, 1, Period::Second)));
    assert!(tolerated.snapshot.is_broken(uuid(41).into()) && !tolerated.snapshot.is_broken(uuid(42).into()));
    assert_eq!(broken(&tolerated.snapshot, "/one/items/7"), Some(false));
}

#[test]
fn what_was_sound_before_stays_as_it_was() {
    let before = two_services();
    let mut rows = before.clone();
    rows.services[0].targets[0].url = "not a url".into();
    rows.plans[0].limits.push(limit("burst", LimitKind::Rate, 1, Period::Second));
    rows.apis[1].routes.push(route(29, "GET", "/new"));
    rows.revision = 8;
    let tolerated = compile_what_can_be(rows, Some(&before));
    assert_eq!(tolerated.faults.len(), 2);
    let (snapshot, rows) = (&tolerated.snapshot, &tolerated.blueprint);
    assert_eq!((snapshot.revision, rows.revision), (8, 8));
    assert_eq!(broken(snapshot, "/one/items/7"), Some(false));
    assert_eq!(broken(snapshot, "/two/new"), Some(false), "what is new elsewhere is in force");
    assert!(!snapshot.is_broken(uuid(41).into()));
    assert_eq!(rows.services[0].targets[0].url, before.services[0].targets[0].url);
    assert!(compile(rows).is_ok(), "what is kept on disk is whole");
}

#[test]
fn what_was_sound_before_does_not_come_back_over_what_is_sound_now() {
    let before = two_services();
    let mut rows = before.clone();
    // The first API moves away, with a fault, and a third takes its place.
    rows.apis[0].base_path = "/elsewhere".into();
    rows.apis[0].routes.push(route(29, "GET", "/{"));
    let mut third = before.apis[0].clone();
    third.id = uuid(13).into();
    third.routes.iter_mut().for_each(|route| route.id = uuid(route.id.uuid().as_u128() + 100).into());
    rows.apis.push(third);
    let tolerated = compile_what_can_be(rows, Some(&before));
    assert_eq!(broken(&tolerated.snapshot, "/one/items/7"), Some(false));
    assert_eq!(broken(&tolerated.snapshot, "/elsewhere/items/7"), Some(true));
}

#[test]
fn a_plan_that_cannot_be_read_stays_as_it_was() {
    let before = two_services();
    let mut rows = before.clone();
    let id = rows.plans.remove(0).id;
    let row = UnreadableRow::Plan(id);
    rows.unreadable.push(Unreadable { row, field: "limits".into(), reason: "no list of limits".into() });
    let fresh = compile_what_can_be(rows.clone(), None);
    assert!(fresh.snapshot.is_broken(id));
    let tolerated = compile_what_can_be(rows, Some(&before));
    assert!(!tolerated.snapshot.is_broken(id) && tolerated.snapshot.plan_index(id).is_some());
    assert_eq!(tolerated.blueprint.plans[0].id, id, "in its place");
}

proptest! {
    /// Whatever is written into the rows of one API, nothing changes for the other; and nothing panics.
    #[test]
    fn nothing_written_into_one_api_reaches_another(
        url in ".{0,20}", path in "(/[a-z{}*]{0,4}){0,3}", base in "(/[a-z.]{0,3}){0,2}", host in "[a-zA-Z:.]{0,8}",
        weight in 0u16..2, method in "(GET|get|PUT)",
    ) {
        let mut rows = two_services();
        rows.services[1].targets = vec![Target { url, weight }];
        rows.apis[1].hosts = vec![host];
        rows.apis[1].base_path = base;
        rows.apis[1].routes = vec![route(23, "GET", "/items"), route(24, &method, &path)];
        for before in [None, Some(&two_services())] {
            let tolerated = compile_what_can_be(rows.clone(), before);
            prop_assert_eq!(broken(&tolerated.snapshot, "/one/items/7"), Some(false));
            let snapshot = Arc::new(tolerated.snapshot);
            for api in snapshot.apis.iter().filter(|api| !api.is_broken) {
                assert!(snapshot.service_of(api).pick() < snapshot.service_of(api).targets.len());
            }
        }
    }
}
