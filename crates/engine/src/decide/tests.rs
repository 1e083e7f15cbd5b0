use std::sync::Arc;

use tollgate_domain::{ApplicationId, ConsumerApplication, ConsumerSubscription, OrganizationId, Outcome};

use crate::compile::compile;
use crate::consumers::Consumers;
use crate::decide::{Admission, Call, Refusal, credential_of, decide};
use crate::denial::Denial;
use crate::quota::Month;
use crate::sample::{NOW, S, application, blueprint, key, peppers, uuid};
use crate::snapshot::Snapshot;

struct Platform {
    snapshot: Arc<Snapshot>,
    consumers: Consumers,
}

impl Platform {
    fn with(applications: impl IntoIterator<Item = ConsumerApplication>) -> Self {
        let consumers = Consumers::new(peppers());
        consumers.replace_all(applications);
        Self { snapshot: Arc::new(compile(&blueprint()).expect("valid")), consumers }
    }

    fn call(&self, key: &str, now: u64) -> Result<Admission, Box<Refusal>> {
        self.ask("GET", "/one/items/7?q=1", Some(key), now)
    }

    fn ask(
        &self,
        method: &str,
        target: &str,
        key: Option<&str>,
        now: u64,
    ) -> Result<Admission, Box<Refusal>> {
        let call = Call {
            method,
            host: Some(b"api.example"),
            target: target.as_bytes(),
            credential: key.map(str::as_bytes),
            whence: &crate::Nowhere,
        };
        decide(&self.snapshot, &self.consumers, &call, now, None)
    }

    fn code(&self, method: &str, target: &str, key: Option<&str>) -> (u16, &'static str) {
        match self.ask(method, target, key, NOW) {
            Ok(_) => (200, "admitted"),
            Err(refusal) => (refusal.denial.status(), refusal.denial.code()),
        }
    }
}

fn rate_limit(write: impl Fn(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("ASCII")
}

#[test]
fn refusals_come_in_the_order_form_route_key_entitlement() {
    let mut expired = application(52, 43, &[2]);
    expired.credentials[0].expires_at = Some((NOW / S) as i64);
    let mut suspended = application(53, 43, &[3]);
    suspended.subscriptions[0].suspended = true;
    let stale = application(54, 49, &[4]);
    let mut unpaid = application(55, 43, &[6]);
    unpaid.subscriptions[0].unpaid = true;
    let platform = Platform::with([application(51, 43, &[1]), expired, suspended, unpaid, stale]);
    let (good, unpaid) = (key(1), key(6));
    let (expired, suspended, stale, unknown) = (key(2), key(3), key(4), key(5));
    let mut typo = good.clone();
    typo.pop();
    for (method, target, key, expected) in [
        ("G T", "/../", None, (400, "bad_method")),
        ("get", "/../", None, (501, "method_not_implemented")),
        ("GET", "/one/../two", None, (400, "bad_request_target")),
        ("GET", "/none", None, (404, "route_not_found")),
        ("PUT", "/one/items", None, (405, "method_not_allowed")),
        ("GET", "/one/items/7", None, (401, "missing_credential")),
        ("GET", "/one/items/7", Some(&*typo), (401, "invalid_credential")),
        ("GET", "/one/items/7", Some(""), (401, "invalid_credential")),
        ("GET", "/one/items/7", Some(&*unknown), (401, "invalid_credential")),
        ("GET", "/one/items/7", Some(&*expired), (401, "expired_credential")),
        ("GET", "/two/items", Some(&*expired), (401, "expired_credential")),
        ("GET", "/two/items", Some(&*good), (403, "not_entitled")),
        ("GET", "/one/items/7", Some(&*suspended), (403, "subscription_suspended")),
        ("GET", "/one/items/7", Some(&*unpaid), (402, "payment_required")),
        ("GET", "/one/items/7", Some(&*stale), (503, "not_ready")),
        ("GET", "/one/items/7", Some(&*good), (200, "admitted")),
        ("HEAD", "/one/items/7", Some(&*good), (200, "admitted")),
    ] {
        assert_eq!(platform.code(method, target, key), expected, "{method} {target} {key:?}");
    }
}

#[test]
fn an_api_is_gone_from_its_sunset_on_and_a_retired_one_yields_to_whoever_has_its_paths() {
    let mut rows = blueprint();
    let sunset_s = Some((NOW / S) as i64);
    rows.apis[1].deprecation =
        Some(tollgate_domain::Deprecation { since_s: 0, sunset_s, successor: Some("next".into()) });
    let paths = ["/items", "/items/{any}/old", "/{"].map(str::to_owned).to_vec();
    rows.retired = ["/one", "/zero"]
        .map(|base_path| tollgate_domain::RetiredApi {
            hosts: vec![],
            base_path: base_path.into(),
            paths: paths.clone(),
            successor: None,
        })
        .into();
    let mut platform = Platform::with([application(51, 43, &[1])]);
    platform.snapshot = Arc::new(compile(&rows).expect("what is retired breaks nothing"));
    let good = key(1);
    for (method, target, expected) in [
        ("GET", "/two/items", (410, "api_retired")),
        ("GET", "/one/items/7", (200, "admitted")),
        ("GET", "/one/items", (405, "method_not_allowed")),
        ("DELETE", "/one/items/7/old", (410, "api_retired")),
        ("GET", "/zero/items", (410, "api_retired")),
        ("GET", "/zero/none", (404, "route_not_found")),
    ] {
        assert_eq!(platform.code(method, target, Some(&good)), expected, "{method} {target}");
    }
    let refusal = platform.ask("GET", "/two/items", Some(&good), NOW).unwrap_err();
    assert_eq!(refusal.denial, Denial::ApiRetired { successor: Some("next".into()) });
    assert!(refusal.holder.is_some(), "whoever still calls it is on record");
    let before = platform.ask("GET", "/two/items", Some(&good), NOW - 1).unwrap_err();
    assert_eq!(before.denial, Denial::NotEntitled, "until then it is what it was");
}

#[test]
fn calls_of_what_does_not_compile_are_refused_by_name_after_the_key_is_known() {
    let mut rows = blueprint();
    rows.apis[0].routes.push(crate::sample::route(29, "GET", "/{"));
    rows.apis[1].product_ids = rows.apis[0].product_ids.clone();
    rows.plans[0].limits[0].amount = 0;
    let mut platform = Platform::with([application(51, 43, &[1]), application(52, 41, &[2])]);
    platform.snapshot = Arc::new(crate::compile_what_can_be(rows, None).snapshot);
    for (target, key, expected) in [
        ("/one/items/7", None, (401, "missing_credential")),
        ("/one/items/7", Some(&*key(1)), (503, "config_invalid")),
        ("/two/items", Some(&*key(1)), (200, "admitted")),
        ("/two/items", Some(&*key(2)), (503, "config_invalid")),
    ] {
        assert_eq!(platform.code("GET", target, key), expected, "{target}");
    }
}

#[test]
fn a_refusal_says_whose_key_it_was_even_where_it_opens_nothing() {
    let mut expired = application(52, 43, &[2]);
    expired.credentials[0].expires_at = Some((NOW / S) as i64);
    let platform = Platform::with([application(51, 43, &[1]), expired]);
    for (target, shown, holder) in
        [("/one/items/7", key(2), Some(52)), ("/two/items", key(1), Some(51)), ("/one/items/7", key(5), None)]
    {
        let refusal = platform.ask("GET", target, Some(&shown), NOW).expect_err("refused");
        let application = refusal.holder.map(|holder| holder.application_id);
        assert_eq!(application, holder.map(|n| uuid(n).into()), "{target}");
    }
}

#[test]
fn an_admission_says_where_the_call_goes_and_whose_it_is() {
    let platform = Platform::with([application(51, 43, &[1])]);
    let admission = platform.call(&key(1), NOW).expect("admitted");
    assert_eq!(admission.matched.route().id, uuid(21).into());
    assert_eq!(admission.matched.api().id, uuid(11).into());
    assert_eq!(admission.matched.service().id, uuid(1).into());
    assert_eq!(admission.consumer.application(), ApplicationId::from(uuid(51)).text());
    assert_eq!(admission.consumer.organization(), OrganizationId::from(uuid(91)).text());
    assert_eq!(admission.consumer.subscription_id(), uuid(10_051).into());
    assert_eq!(admission.consumer.credential_id, uuid(1_001).into());
    assert_eq!(&*admission.plan().slug, "plan-43");
    assert_eq!(admission.rate_limit_policy(), None);
    assert_eq!(rate_limit(|out| admission.write_rate_limit(out)), "");
}

#[test]
fn a_second_active_subscription_opens_what_a_suspended_one_closes() {
    let mut row = application(51, 43, &[1]);
    row.subscriptions[0].suspended = true;
    let other = ConsumerSubscription {
        id: uuid(77).into(),
        product_id: uuid(31).into(),
        plan_id: uuid(41).into(),
        suspended: false,
        unpaid: false,
    };
    row.subscriptions.push(other);
    let platform = Platform::with([row]);
    let admission = platform.call(&key(1), NOW).expect("admitted");
    assert_eq!(admission.consumer.subscription_id(), uuid(77).into());
}

#[test]
fn rate_then_quota_refuse_with_their_numbers() {
    let platform = Platform::with([application(51, 41, &[1])]);
    let left = Month::at(NOW).end_s() - NOW / S;
    let admission = platform.call(&key(1), NOW).expect("admitted");
    assert_eq!(
        rate_limit(|out| admission.write_rate_limit(out)),
        format!(r#""burst";r=1;t=1, "month";r=2;t={left}"#)
    );
    assert!(platform.call(&key(1), NOW).is_ok());
    let refusal = platform.call(&key(1), NOW).expect_err("too fast");
    assert_eq!((refusal.denial.code(), refusal.denial.retry_after_s()), ("rate_limited", Some(1)));
    assert_eq!(
        rate_limit(|out| refusal.write_rate_limit(out)),
        format!(r#""burst";r=0;t=1, "month";r=1;t={left}"#)
    );
    assert!(refusal.rate_limit_policy().is_some());
    assert_eq!(refusal.consumer.map(|consumer| consumer.credential_id), Some(uuid(1_001).into()));

    assert!(platform.call(&key(1), NOW + S).is_ok());
    let refusal = platform.call(&key(1), NOW + 2 * S).expect_err("used up");
    assert_eq!((refusal.denial.code(), refusal.denial.status()), ("quota_exceeded", 429));
    assert_eq!(refusal.denial.retry_after_s(), Some(left - 2));
    // A call that the quota refused took nothing from the rate.
    assert!(rate_limit(|out| refusal.write_rate_limit(out)).starts_with(r#""burst";r=2;t=0, "month";r=0;"#));
    let end = Month::at(NOW).end_s() * S;
    assert!(platform.call(&key(1), end - 1).is_err());
    assert!(platform.call(&key(1), end).is_ok());
}

#[test]
fn only_answers_of_the_upstream_are_charged() {
    let platform = Platform::with([application(51, 41, &[1])]);
    for (round, (status, outcome, charged)) in [
        (200, Outcome::Served, true),
        (502, Outcome::UpstreamFailed, false),
        (499, Outcome::Canceled, true),
        (499, Outcome::Abandoned, false),
        (500, Outcome::Served, false),
        (404, Outcome::Served, true),
    ]
    .into_iter()
    .enumerate()
    {
        let admission = platform.call(&key(1), NOW + round as u64 * S).expect("admitted");
        assert_eq!(admission.finish(status, outcome), charged.then_some(1), "{status}");
    }
    let refusal = platform.call(&key(1), NOW + 60 * S).expect_err("three were charged");
    assert_eq!(refusal.denial.code(), "quota_exceeded");
}

#[test]
fn a_limit_per_key_is_each_keys_own_and_a_hidden_limit_never_shows() {
    let platform = Platform::with([application(51, 42, &[1, 2, 3, 4])]);
    let first = platform.call(&key(1), NOW).expect("admitted");
    assert_eq!(rate_limit(|out| first.write_rate_limit(out)), r#""per-key";r=0;t=60"#);
    let refusal = platform.call(&key(1), NOW).expect_err("this key is spent");
    assert_eq!(refusal.denial.retry_after_s(), Some(60));
    assert!(platform.call(&key(2), NOW).is_ok());
    // A replacement forgets neither the key's count nor the subscription's.
    platform.consumers.replace(application(51, 42, &[1, 2, 3, 4]));
    assert!(platform.call(&key(2), NOW).is_err());
    assert!(platform.call(&key(3), NOW).is_ok());
    let refusal = platform.call(&key(4), NOW).expect_err("the shield holds");
    let Denial::RateLimited(hit) = &refusal.denial else { panic!("{:?}", refusal.denial) };
    assert!(!hit.visible && hit.retry_after_s == 1_200);
    assert_eq!(rate_limit(|out| refusal.write_rate_limit(out)), r#""per-key";r=1;t=0"#);
    // The shield's refusal took nothing from the key.
    assert!(platform.call(&key(4), NOW + 1_200 * S).is_ok());
}

#[test]
fn racing_calls_never_exceed_any_limit_and_lose_none() {
    let platform = Platform::with([application(51, 41, &[1])]);
    let admitted = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for step in 0..500 {
                    if platform.call(&key(1), NOW + step * S / 100).is_ok() {
                        admitted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.into_inner(), 3);
}

#[test]
fn a_key_is_taken_from_one_place_only() {
    let of = |authorization: &[&'static str], api_key: &[&'static str]| {
        credential_of(authorization.iter().map(|v| v.as_bytes()), api_key.iter().map(|v| v.as_bytes()))
    };
    assert_eq!(of(&[], &[]), Ok(None));
    assert_eq!(of(&["Bearer k"], &[]), Ok(Some(&b"k"[..])));
    assert_eq!(of(&["bEARER  k"], &[]), Ok(Some(&b"k"[..])));
    assert_eq!(of(&["Basic k"], &["x"]), Ok(Some(&b"x"[..])));
    assert_eq!(of(&["Basic k"], &[]), Ok(None));
    for (authorization, api_key) in
        [(&["Bearer a"][..], &["b"][..]), (&["Bearer a", "Bearer a"], &[]), (&[], &["a", "a"])]
    {
        assert_eq!(of(authorization, api_key), Err(Denial::AmbiguousCredential));
    }
}

#[test]
fn a_grant_calls_as_its_key_on_its_route_until_either_is_over() {
    use crate::grant::Grant;
    let mut lapsed = application(52, 43, &[2]);
    lapsed.credentials[0].expires_at = Some((NOW / S) as i64);
    let first = application(51, 43, &[1]);
    let (key_id, lapsed_id) = (first.credentials[0].id, lapsed.credentials[0].id);
    let platform = Platform::with([first, lapsed]);
    let later = (NOW / S + 300) as u32;
    let grant = |application: u128, credential_id, route: u128, expires_at_s| {
        let application_id = uuid(application).into();
        Grant { application_id, credential_id, route_id: uuid(route).into(), expires_at_s }.sign(&peppers())
    };
    let good = grant(51, key_id, 21, later);
    let admitted = platform.call(&good, NOW).expect("admitted");
    assert_eq!(admitted.consumer.credential_id, key_id, "counted as the key");
    for (text, method, target, code) in [
        (good.clone(), "POST", "/one/items", "invalid_credential"),
        (grant(51, key_id, 21, (NOW / S) as u32), "GET", "/one/items/7", "invalid_credential"),
        (grant(52, key_id, 21, later), "GET", "/one/items/7", "invalid_credential"),
        (grant(59, key_id, 21, later), "GET", "/one/items/7", "invalid_credential"),
        (grant(52, lapsed_id, 21, later), "GET", "/one/items/7", "expired_credential"),
        (grant(51, key_id, 23, later), "GET", "/two/items", "not_entitled"),
    ] {
        assert_eq!(platform.code(method, target, Some(&text)).1, code, "{method} {target}");
    }
    let mut revoked = application(51, 43, &[1]);
    revoked.credentials.clear();
    platform.consumers.replace(revoked);
    assert_eq!(platform.code("GET", "/one/items/7", Some(&good)), (401, "invalid_credential"));
}
