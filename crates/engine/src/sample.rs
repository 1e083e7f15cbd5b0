//! One small platform for the tests of this crate: two products, three plans, two APIs, one key.

use tollgate_domain::*;
use uuid::Uuid;

use crate::key::{Peppers, mint};

/// 2026-09-21T…: a moment in the middle of a month.
pub const NOW: u64 = 1_790_000_000_000_000_000;
/// One second.
pub const S: u64 = 1_000_000_000;

pub fn uuid(n: u128) -> Uuid {
    Uuid::from_u128((n << 64) | n)
}

pub fn peppers() -> Peppers {
    Peppers::new(vec![(1, *b"an older secret of 32 bytes ....")]).expect("one pepper")
}

pub fn key(n: u8) -> String {
    mint("tg", Environment::Live, &[n; 32])
}

pub fn limit(name: &str, kind: LimitKind, amount: u64, period: Period) -> Limit {
    Limit {
        name: name.into(),
        kind,
        amount,
        period,
        burst: None,
        per: LimitPer::Subscription,
        visible: true,
        budget: tollgate_domain::Budget::default(),
    }
}

pub fn route(n: u128, method: &str, path: &str) -> Route {
    Route {
        id: uuid(n).into(),
        method: method.into(),
        path: path.into(),
        operation_id: format!("op{n}"),
        tags: vec![format!("tag{n}")],
    }
}

pub fn blueprint() -> Blueprint {
    let api = |n: u128, base_path: &str, product: u128, routes| Api {
        id: uuid(n).into(),
        slug: format!("api-{n}"),
        service_id: uuid(1).into(),
        hosts: vec![],
        base_path: base_path.into(),
        match_headers: vec![],
        product_ids: vec![uuid(product).into()],
        metering: tollgate_domain::Metering::default(),
        deprecation: None,
        policies: tollgate_domain::ApiPolicies::default(),
        routes,
    };
    let plan = |n: u128, limits| Plan {
        id: uuid(n).into(),
        product_id: uuid(31).into(),
        slug: format!("plan-{n}"),
        limits,
        fallback: None,
        uncharged: false,
    };
    Blueprint {
        epoch: Uuid::nil(),
        revision: 7,
        services: vec![Service {
            id: uuid(1).into(),
            slug: "up".into(),
            connect_timeout_ms: 1_000,
            read_timeout_ms: 1_000,
            protocol: tollgate_domain::ServiceProtocol::H1,
            targets: vec![Target { url: "http://127.0.0.1:9000".into(), weight: 1 }],
        }],
        apis: vec![
            api(11, "/one", 31, vec![route(21, "GET", "/items/{id}"), route(22, "POST", "/items")]),
            api(12, "/two", 32, vec![route(23, "GET", "/items")]),
        ],
        retired: Vec::new(),
        policies: tollgate_domain::Policies::default(),
        certificates: Vec::new(),
        unreadable: Vec::new(),
        challenges: Vec::new(),
        products: [31, 32].map(|n| Product { id: uuid(n).into(), slug: format!("product-{n}") }).into(),
        plans: vec![
            plan(
                41,
                vec![
                    limit("burst", LimitKind::Rate, 2, Period::Second),
                    limit("month", LimitKind::Quota, 3, Period::Month),
                ],
            ),
            plan(
                42,
                vec![
                    Limit {
                        per: LimitPer::Credential,
                        ..limit("per-key", LimitKind::Rate, 1, Period::Minute)
                    },
                    Limit { visible: false, ..limit("shield", LimitKind::Rate, 3, Period::Hour) },
                ],
            ),
            plan(43, vec![]),
        ],
    }
}

/// An application on one plan of product 31, with keys by number.
pub fn application(n: u128, plan: u128, keys: &[u8]) -> ConsumerApplication {
    ConsumerApplication {
        id: uuid(n).into(),
        organization_id: uuid(91).into(),
        credentials: keys
            .iter()
            .map(|key_number| ConsumerCredential {
                id: uuid(1_000 + u128::from(*key_number)).into(),
                environment: Environment::Live,
                tag: peppers().tag(1, &key(*key_number)).expect("version 1"),
                pepper_version: 1,
                expires_at: None,
                imported: false,
                restrictions: None,
            })
            .collect(),
        subscriptions: vec![ConsumerSubscription {
            id: uuid(n + 10_000).into(),
            product_id: uuid(31).into(),
            plan_id: uuid(plan).into(),
            suspended: false,
            unpaid: false,
        }],
    }
}
