use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use tollgate_domain::{ApiPolicies, OperationPolicies, Policies, RatePer, RatePolicy};

use super::*;
use crate::compile::compile;
use crate::consumers::Consumers;
use crate::decide::{Admission, Call, Refusal, decide};
use crate::sample::{NOW, S, application, blueprint, key, peppers};
use crate::snapshot::Snapshot;

fn rate(name: &str, amount: u64, per: RatePer) -> RatePolicy {
    RatePolicy { name: name.into(), amount, period: Period::Minute, burst: None, per }
}

fn rates(rates: impl Into<Vec<RatePolicy>>) -> Policies {
    Policies { rates: rates.into(), ..Policies::default() }
}

#[derive(Debug)]
struct From(&'static str);

impl Whence for From {
    fn address(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }

    fn origin(&self) -> Option<&[u8]> {
        None
    }

    fn field(&self, _: &str) -> Option<&[u8]> {
        None
    }
}

struct Platform {
    snapshot: Arc<Snapshot>,
    consumers: Consumers,
}

impl Platform {
    /// Keys 1 and 2 are of one subscription, 3 is of another; both without limits of their own.
    fn with(platform: Policies, api: ApiPolicies) -> Self {
        let consumers = Consumers::new(peppers());
        consumers.replace_all([application(51, 43, &[1, 2]), application(52, 43, &[3])]);
        Self { snapshot: Self::compiled(platform, api), consumers }
    }

    fn compiled(platform: Policies, api: ApiPolicies) -> Arc<Snapshot> {
        let mut rows = blueprint();
        rows.policies = platform;
        rows.apis[0].policies = api;
        Arc::new(compile(&rows).expect("valid"))
    }

    fn ask(
        &self,
        key_number: u8,
        way: &str,
        from: &'static str,
        now: u64,
    ) -> Result<Admission, Box<Refusal>> {
        let (method, target) = way.split_once(' ').expect("two words");
        let text = key(key_number);
        let call = Call {
            method,
            host: Some(b"api.example"),
            target: target.as_bytes(),
            credential: Some(text.as_bytes()),
            whence: &From(from),
        };
        decide(&self.snapshot, &self.consumers, &call, now, None)
    }

    /// Which limit of which scope refuses a call; nothing where none does.
    fn hit(&self, key_number: u8, way: &str, now: u64) -> Option<(PolicyScope, String, u64)> {
        match self.ask(key_number, way, "10.1.1.1", now) {
            Ok(_) => None,
            Err(refusal) => match refusal.denial {
                Denial::RateLimited(hit) => Some((hit.scope, hit.name.to_string(), hit.retry_after_s)),
                other => panic!("{other:?}"),
            },
        }
    }
}

const GET: &str = "GET /one/items/7";
const POST: &str = "POST /one/items";

fn of_post(rate: RatePolicy) -> ApiPolicies {
    let operation = OperationPolicies {
        method: "POST".into(),
        path: "/items".into(),
        rates: vec![rate],
        ..OperationPolicies::default()
    };
    ApiPolicies { operations: vec![operation], ..ApiPolicies::default() }
}

#[test]
fn rates_of_all_scopes_add_up_and_a_refusal_takes_nothing() {
    let api = ApiPolicies {
        rates: vec![rate("api", 3, RatePer::All)],
        ..of_post(rate("post", 1, RatePer::Credential))
    };
    let platform = Platform::with(rates([rate("each", 5, RatePer::Subscription)]), api);
    let hit = |key, way| platform.hit(key, way, NOW).map(|(scope, name, _)| (scope, name));
    assert_eq!(hit(1, POST), None);
    for _ in 0..20 {
        assert_eq!(hit(1, POST), Some((PolicyScope::Operation, "post".into())));
    }
    assert_eq!((hit(1, GET), hit(3, GET)), (None, None), "twenty refusals took nothing from the API");
    assert_eq!(hit(2, GET), Some((PolicyScope::Api, "api".into())), "it is everybody's");
    // After a third of a minute the API takes one more.
    let later = NOW + 20 * S;
    assert_eq!(platform.hit(2, POST, later), None);
    let spent = Platform::with(rates([rate("each", 2, RatePer::Subscription)]), ApiPolicies::default());
    assert_eq!((spent.hit(1, GET, NOW), spent.hit(2, POST, NOW)), (None, None));
    assert_eq!(
        spent.hit(1, GET, NOW),
        Some((PolicyScope::Platform, "each".into(), 30)),
        "of both keys, on all routes"
    );
    assert_eq!(spent.hit(3, GET, NOW), None, "another subscription has its own");
}

#[test]
fn the_limit_that_opens_last_is_named() {
    let slow = RatePolicy { period: Period::Hour, ..rate("slow", 1, RatePer::All) };
    let platform = Platform::with(rates([rate("fast", 1, RatePer::All), slow]), ApiPolicies::default());
    assert_eq!(platform.hit(1, GET, NOW), None);
    assert_eq!(platform.hit(1, GET, NOW + S), Some((PolicyScope::Platform, "slow".into(), 3_599)));
}

#[test]
fn a_plan_that_refuses_takes_nothing_from_policies_nor_they_from_it() {
    let consumers = Consumers::new(peppers());
    // Two a second and three a month.
    consumers.replace_all([application(51, 41, &[1]), application(52, 43, &[3])]);
    let snapshot = Platform::compiled(rates([rate("all", 3, RatePer::All)]), ApiPolicies::default());
    let platform = Platform { snapshot, consumers };
    assert_eq!((platform.hit(1, GET, NOW), platform.hit(1, GET, NOW)), (None, None));
    for _ in 0..9 {
        assert_eq!(platform.hit(1, GET, NOW).map(|(scope, ..)| scope), Some(PolicyScope::Plan));
    }
    assert_eq!(platform.hit(3, GET, NOW), None, "one was left for somebody else");
    let refusal = platform.ask(1, GET, "10.1.1.1", NOW + S).expect_err("all three are taken");
    assert!(matches!(&refusal.denial, Denial::RateLimited(hit) if hit.scope == PolicyScope::Platform));
    let mut shown = Vec::new();
    refusal.write_rate_limit(&mut shown);
    let shown = String::from_utf8(shown).expect("ASCII");
    assert!(shown.starts_with(r#""burst";r=2;t=0, "month";r=1;"#), "{shown}");
}

#[test]
fn counts_go_on_when_the_configuration_changes() {
    let policies = || rates([rate("all", 1, RatePer::All), rate("each", 2, RatePer::Subscription)]);
    let mut platform = Platform::with(policies(), ApiPolicies::default());
    assert_eq!(platform.hit(1, GET, NOW), None);
    let before = Arc::clone(&platform.snapshot);
    let next = |policies| {
        let mut rows = blueprint();
        rows.policies = policies;
        let mut next = compile(&rows).expect("valid");
        next.carry_on(Some(&before));
        Arc::new(next)
    };
    platform.snapshot = next(policies());
    assert!(platform.hit(1, GET, NOW).is_some());
    platform.snapshot = next(rates([rate("each", 2, RatePer::Subscription)]));
    assert_eq!(platform.hit(1, GET, NOW), None);
    assert!(platform.hit(1, GET, NOW).is_some(), "the first call is counted still");
    platform.snapshot = next(rates([rate("other", 1, RatePer::Subscription)]));
    assert_eq!(platform.hit(1, GET, NOW), None);
}

#[test]
fn networks_of_every_scope_must_have_the_caller_before_its_key_is_looked_at() {
    let platform = Policies { networks: vec!["10.0.0.0/8".into()], ..Policies::default() };
    let api = ApiPolicies {
        networks: vec!["10.1.0.0/16".into(), "2001:db8::/32".into()],
        ..ApiPolicies::default()
    };
    let platform = Platform::with(platform, api);
    let code = |key, way, from| match platform.ask(key, way, from, NOW).map_err(|refusal| refusal.denial) {
        Ok(_) => "admitted",
        Err(Denial::AddressNotAllowed(Some(scope))) => scope.as_str(),
        Err(other) => other.code(),
    };
    assert_eq!(code(1, GET, "10.1.2.3"), "admitted");
    assert_eq!(code(1, GET, "10.2.2.3"), "api");
    assert_eq!(code(1, GET, "2001:db8::1"), "platform");
    assert_eq!(code(1, GET, "nowhere"), "platform");
    assert_eq!(code(9, GET, "10.2.2.3"), "api", "an unknown key is not told that it is");
    assert_eq!(code(9, GET, "10.1.2.3"), "invalid_credential");
    assert_eq!(
        code(1, "GET /two/items", "10.2.2.3"),
        "not_entitled",
        "another API is open to all of the platform's"
    );
    let refusal = platform.ask(1, GET, "10.2.2.3", NOW).expect_err("from elsewhere");
    assert!(refusal.holder.is_some(), "whose it is goes on record");
}

#[test]
fn racing_calls_never_exceed_a_common_rate_and_lose_none() {
    let platform =
        Platform::with(rates([rate("all", 60, RatePer::All)]), of_post(rate("post", 7, RatePer::All)));
    let admitted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let (platform, admitted) = (&platform, &admitted);
            scope.spawn(move || {
                for _ in 0..100 {
                    let way = if thread % 2 == 0 { GET } else { POST };
                    if platform.hit(1 + thread % 3, way, NOW).is_none() {
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.into_inner(), 60);
}

#[test]
fn policies_that_cannot_hold_break_what_they_are_for() {
    let fault = |platform: Policies, api: ApiPolicies| {
        let mut rows = blueprint();
        (rows.policies, rows.apis[0].policies) = (platform, api);
        compile(&rows).expect_err("it is wrong").to_string()
    };
    let network = Policies { networks: vec!["10.1.2.3/8".into()], ..Policies::default() };
    assert!(fault(network, ApiPolicies::default()).starts_with("policies platform: networks/0: an address"));
    let mut nowhere = of_post(rate("post", 1, RatePer::All));
    nowhere.operations[0].path = "/nowhere".into();
    let told = fault(Policies::default(), nowhere);
    assert!(told.ends_with("policies/operations/0: the API has no such operation"), "{told}");
}
