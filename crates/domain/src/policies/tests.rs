use super::*;

fn rate(name: &str, amount: u64) -> RatePolicy {
    RatePolicy { name: name.into(), amount, period: Period::Second, burst: None, per: RatePer::default() }
}

fn operation(path: &str) -> OperationPolicies {
    OperationPolicies {
        method: "POST".into(),
        path: path.into(),
        rates: vec![],
        networks: vec![],
        body_bytes_max: Some(1),
    }
}

fn wrong(policies: &ApiPolicies) -> Vec<String> {
    policies.check().into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn of_bodies_the_nearest_scope_holds() {
    let platform = Policies { body_bytes_max: Some(5), ..Policies::default() };
    let api = ApiPolicies {
        body_bytes_max: Some(10),
        operations: vec![OperationPolicies { body_bytes_max: Some(99), ..operation("/uploads") }],
        ..ApiPolicies::default()
    };
    assert_eq!(api.body_bytes_max(&platform, "POST", "/uploads"), Some((PolicyScope::Operation, 99)));
    assert_eq!(api.body_bytes_max(&platform, "PUT", "/uploads"), Some((PolicyScope::Api, 10)));
    let silent = ApiPolicies::default();
    assert_eq!(silent.body_bytes_max(&platform, "PUT", "/uploads"), Some((PolicyScope::Platform, 5)));
    assert_eq!(silent.body_bytes_max(&Policies::default(), "PUT", "/uploads"), None);
}

#[test]
fn every_fault_is_told_at_its_place() {
    let policies = ApiPolicies {
        rates: vec![
            rate("Shield", 0),
            rate("burst", 1),
            RatePolicy { period: Period::Month, burst: Some(0), ..rate("burst", 1) },
        ],
        networks: vec!["10.0.0.0/8".into(), "10.1.2.3/8".into()],
        body_bytes_max: Some(Policies::BYTES_MAX + 1),
        operations: vec![
            operation("/a"),
            OperationPolicies { body_bytes_max: None, ..operation("/b") },
            operation("/a"),
        ],
    };
    assert_eq!(
        wrong(&policies),
        [
            "/rates/0/name",
            "/rates/0/amount",
            "/rates/2/burst",
            "/rates/2/period",
            "/rates/2/name",
            "/networks/1",
            "/body_bytes_max",
            "/operations/1",
            "/operations/2",
        ]
    );
    let most =
        ApiPolicies { rates: (0..5).map(|n| rate(&format!("r{n}"), 1)).collect(), ..ApiPolicies::default() };
    assert_eq!(wrong(&most), ["/rates"]);
    let sound = ApiPolicies { operations: vec![operation("/a"), operation("/b")], ..ApiPolicies::default() };
    assert_eq!(sound.check(), []);
}

#[test]
fn networks_have_one_spelling() {
    let mut policies = Policies {
        networks: [" 2001:DB8::/32", "2001:db8::/32", "192.0.2.7/32", "nonsense"].map(str::to_owned).into(),
        ..Policies::default()
    };
    policies.normalize();
    assert_eq!(policies.networks, ["2001:db8::/32", "192.0.2.7", "nonsense"]);
    assert_eq!(policies.check()[0].pointer, "/networks/2");
}
