//! Who is known from the call before is told what a stranger with the same key is told, whatever changed in between.

use std::sync::Arc;

use proptest::prelude::*;
use tollgate_domain::{ConsumerApplication, LimitKind, LimitPer, Period, Restrictions};

use crate::compile::compile;
use crate::consumers::Consumers;
use crate::decide::{Admission, Call, Familiar, Refusal, decide};
use crate::sample::{NOW, S, application, blueprint, key, limit, peppers, uuid};
use crate::snapshot::Snapshot;

/// One of two equal gateways.
struct Gateway {
    snapshot: Arc<Snapshot>,
    consumers: Consumers,
}

impl Gateway {
    fn new() -> Self {
        Self { snapshot: compiled(0), consumers: Consumers::new(peppers()) }
    }

    fn call(
        &self,
        target: &str,
        key: &str,
        now: u64,
        familiar: Option<&mut Familiar>,
    ) -> Result<Admission, Box<Refusal>> {
        let call = Call {
            method: "GET",
            host: Some(b"api.example"),
            target: target.as_bytes(),
            credential: Some(key.as_bytes()),
            whence: &crate::Nowhere,
        };
        decide(&self.snapshot, &self.consumers, &call, now, familiar)
    }
}

/// The sample, with other limits in each version; one of its plans limits each key for itself.
fn compiled(version: u64) -> Arc<Snapshot> {
    let mut blueprint = blueprint();
    blueprint.plans[0].limits[1].amount = 20 + version;
    blueprint.plans[1].limits[0] = tollgate_domain::Limit {
        per: LimitPer::Credential,
        ..limit("per-key", LimitKind::Rate, 3 + version, Period::Minute)
    };
    Arc::new(compile(&blueprint).expect("valid"))
}

/// What a caller is told, to the last digit.
fn told(decided: &Result<Admission, Box<Refusal>>) -> String {
    let mut level = Vec::new();
    let (what, who) = match decided {
        Ok(admission) => {
            admission.write_rate_limit(&mut level);
            ("admitted", Some((admission.consumer.subscription_id(), admission.consumer.credential_id)))
        }
        Err(refusal) => {
            refusal.write_rate_limit(&mut level);
            let consumer = refusal.consumer.as_ref();
            (
                refusal.denial.code(),
                consumer.map(|consumer| (consumer.subscription_id(), consumer.credential_id)),
            )
        }
    };
    format!("{what} {who:?} {}", String::from_utf8(level).expect("ASCII"))
}

#[derive(Debug, Clone)]
enum Step {
    /// A call with a key, on one of two connections.
    Call {
        connection: usize,
        key: u8,
        api: usize,
    },
    /// An application as it is from now on.
    Put(Box<ConsumerApplication>),
    Remove(u128),
    Compile(u64),
    Later(u64),
    Purge,
}

fn put() -> impl Strategy<Value = Step> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), prop::option::of(0u64..8));
    (51u128..53, 41u128..44, prop::collection::btree_set(1u8..4, 0..3), flags).prop_map(
        |(n, plan, keys, (suspended, unpaid, restricted, expires_in))| {
            let mut row = application(n, plan, &keys.into_iter().collect::<Vec<_>>());
            // Half of the halves, so that most calls are admitted.
            row.subscriptions[0].suspended = suspended && unpaid;
            row.subscriptions[0].unpaid = unpaid && restricted;
            for key in &mut row.credentials {
                key.expires_at = expires_in.map(|seconds| (NOW / S + seconds) as i64);
                if restricted && suspended {
                    let scopes = vec!["api:api-12".to_owned()];
                    key.restrictions = Some(Box::new(Restrictions { scopes, ..Restrictions::default() }));
                }
            }
            Step::Put(Box::new(row))
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0usize..2, 1u8..4, 0usize..2).prop_map(|(connection, key, api)| Step::Call { connection, key, api }),
        2 => put(),
        1 => (51u128..53).prop_map(Step::Remove),
        1 => (0u64..3).prop_map(Step::Compile),
        1 => (1u64..4).prop_map(Step::Later),
        1 => Just(Step::Purge),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn who_is_known_is_told_what_a_stranger_is_told(steps in prop::collection::vec(step(), 1..60)) {
        let (mut one, mut other) = (Gateway::new(), Gateway::new());
        let mut connections = [Familiar::default(), Familiar::default()];
        let mut now = NOW;
        for step in steps {
            match step {
                Step::Call { connection, key: number, api } => {
                    let target = ["/one/items/7", "/two/items"][api];
                    let known = one.call(target, &key(number), now, Some(&mut connections[connection]));
                    let stranger = other.call(target, &key(number), now, None);
                    prop_assert_eq!(told(&known), told(&stranger));
                }
                Step::Put(row) => {
                    one.consumers.replace((*row).clone());
                    other.consumers.replace(*row);
                }
                Step::Remove(n) => {
                    one.consumers.remove(uuid(n).into());
                    other.consumers.remove(uuid(n).into());
                }
                Step::Compile(version) => {
                    (one.snapshot, other.snapshot) = (compiled(version), compiled(version));
                }
                Step::Later(seconds) => now += seconds * S,
                Step::Purge => {
                    one.consumers.purge(now);
                    other.consumers.purge(now);
                }
            }
        }
    }
}

#[test]
fn the_next_call_with_the_same_key_is_not_looked_up() {
    let gateway = Gateway::new();
    gateway.consumers.replace(application(51, 43, &[1]));
    let mut familiar = Familiar::default();
    assert!(gateway.call("/one/items/7", &key(1), NOW, Some(&mut familiar)).is_ok());
    let known = familiar.0.as_ref().expect("it is kept");
    let account = Arc::as_ptr(&known.caller.consumer.account);
    // A table that no longer has it, and nobody told: whoever is still admitted was not looked up.
    let empty = Gateway { snapshot: Arc::clone(&gateway.snapshot), consumers: Consumers::new(peppers()) };
    while empty.consumers.state() < gateway.consumers.state() {
        empty.consumers.replace(application(52, 43, &[2]));
    }
    let admission = empty.call("/one/items/7", &key(1), NOW, Some(&mut familiar)).expect("known");
    assert_eq!(Arc::as_ptr(&admission.consumer.account), account);
    assert!(
        empty.call("/one/items/7", &key(3), NOW, Some(&mut familiar)).is_err(),
        "another key is looked up"
    );
}

#[test]
fn what_is_kept_of_a_caller_does_not_show_its_key() {
    let gateway = Gateway::new();
    gateway.consumers.replace(application(51, 43, &[1]));
    let mut familiar = Familiar::default();
    assert_eq!(format!("{familiar:?}"), "Familiar(nobody)");
    assert!(gateway.call("/one/items/7", &key(1), NOW, Some(&mut familiar)).is_ok());
    assert_eq!(format!("{familiar:?}"), "Familiar(somebody)");
}
