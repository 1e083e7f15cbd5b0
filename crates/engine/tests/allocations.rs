//! What a decision asks of the allocator. A test of its own, because it counts for its whole process.

#[path = "../examples/platform/mod.rs"]
mod platform;

use std::sync::Arc;

use platform::{NOW, application, blueprint, key, peppers};
use tollgate_domain::Outcome;
use tollgate_engine::{Call, Consumers, Familiar, compile, decide};

#[test]
fn a_call_that_is_admitted_allocates_nothing() {
    let consumers = Consumers::new(peppers());
    consumers.replace_all((0..100).map(|n| application(&peppers(), n, 2)));
    let snapshot = Arc::new(compile(&blueprint(100)).expect("valid"));
    let key = key(100);
    let mut level = Vec::with_capacity(256);
    let mut familiar = Familiar::default();
    let mut call = |now| {
        let call = Call {
            method: "GET",
            host: Some(b"api.example"),
            target: b"/v1/r50/items/7?page=2",
            credential: Some(key.as_bytes()),
            whence: &tollgate_engine::Nowhere,
        };
        let admission = decide(&snapshot, &consumers, &call, now, Some(&mut familiar)).expect("admitted");
        level.clear();
        admission.write_rate_limit(&mut level);
        assert!(admission.finish(200, Outcome::Served).is_some());
    };
    // The first call makes the account of its subscription.
    let first = allocation_counter::measure(|| call(NOW));
    assert!(first.count_total > 0, "the counter does not count");
    let later = allocation_counter::measure(|| (1..100).for_each(|n| call(NOW + n)));
    assert_eq!(later.count_total, 0);
}
