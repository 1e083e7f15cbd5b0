//! A platform of any size to measure on: ids, keys and rows are made from numbers.

use tollgate_domain::{
    Api, Blueprint, ConsumerApplication, ConsumerCredential, ConsumerSubscription, Environment, Limit,
    LimitKind, LimitPer, Period, Plan, Product, Route, Service, Target,
};
use tollgate_engine::Peppers;
use tollgate_engine::key::mint;
use uuid::Uuid;

/// 2026-09-21, in nanoseconds.
pub const NOW: u64 = 1_790_000_000_000_000_000;

/// The pepper of every key here.
pub fn peppers() -> Peppers {
    Peppers::new(vec![(1, *b"a pepper for measuring, 32 bytes")]).expect("one pepper")
}

/// An id of a kind, spread like the random half of a UUIDv7.
pub fn id(kind: u128, n: usize) -> Uuid {
    let random = (n as u64 ^ (kind as u64) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    Uuid::from_u128(kind << 96 | u128::from(random.wrapping_mul(0xd6e8_feb8_6659_fd93)))
}

/// The key of a number.
pub fn key(n: usize) -> String {
    let mut random = [0u8; 32];
    random[..16].copy_from_slice(id(9, n).as_bytes());
    mint("tg", Environment::Live, &random)
}

/// An application with so many keys and one subscription.
pub fn application(peppers: &Peppers, n: usize, keys: usize) -> ConsumerApplication {
    ConsumerApplication {
        id: id(1, n).into(),
        organization_id: id(2, n).into(),
        credentials: (n * keys..(n + 1) * keys)
            .map(|n| ConsumerCredential {
                id: id(3, n).into(),
                environment: Environment::Live,
                tag: peppers.tag(1, &key(n)).expect("version 1"),
                pepper_version: 1,
                expires_at: None,
                imported: false,
                restrictions: None,
            })
            .collect(),
        subscriptions: vec![ConsumerSubscription {
            id: id(4, n).into(),
            product_id: id(5, 0).into(),
            plan_id: id(6, 0).into(),
            suspended: false,
            unpaid: false,
        }],
    }
}

/// One API of so many routes, one plan of a rate limit and a quota that never refuse.
pub fn blueprint(routes: usize) -> Blueprint {
    let limit = |name: &str, kind, period| Limit {
        name: name.into(),
        kind,
        amount: 1_000_000_000,
        period,
        burst: None,
        per: LimitPer::Subscription,
        visible: true,
        budget: tollgate_domain::Budget::default(),
    };
    Blueprint {
        epoch: Uuid::nil(),
        revision: 1,
        services: vec![Service {
            id: id(7, 0).into(),
            slug: "up".into(),
            connect_timeout_ms: 1_000,
            read_timeout_ms: 1_000,
            protocol: tollgate_domain::ServiceProtocol::H1,
            targets: vec![Target { url: "http://127.0.0.1:9000".into(), weight: 1 }],
        }],
        apis: vec![Api {
            id: id(8, 0).into(),
            slug: "api".into(),
            service_id: id(7, 0).into(),
            hosts: vec![],
            base_path: "/v1".into(),
            match_headers: vec![],
            metering: tollgate_domain::Metering::default(),
            deprecation: None,
            policies: tollgate_domain::ApiPolicies::default(),
            product_ids: vec![id(5, 0).into()],
            routes: (0..routes)
                .map(|n| Route {
                    id: id(10, n).into(),
                    method: "GET".into(),
                    path: format!("/r{n}/items/{{item}}"),
                    operation_id: String::new(),
                    tags: Vec::new(),
                })
                .collect(),
        }],
        products: vec![Product { id: id(5, 0).into(), slug: "product".into() }],
        challenges: Vec::new(),
        retired: vec![],
        policies: tollgate_domain::Policies::default(),
        certificates: vec![],
        unreadable: vec![],
        plans: vec![Plan {
            id: id(6, 0).into(),
            product_id: id(5, 0).into(),
            slug: "plan".into(),
            fallback: None,
            uncharged: false,
            limits: vec![
                limit("burst", LimitKind::Rate, Period::Second),
                limit("month", LimitKind::Quota, Period::Month),
            ],
        }],
    }
}
