//! Decides so many calls and nothing else: what `scripts/instructions` counts the instructions of.
//!
//! `decision <calls> <familiar|strange>`; one of 1,000 keys on one of 1,000 routes, a rate limit, a quota, and the text of
//! `RateLimit`; by a connection that knows its last caller, or by one that does not.

mod platform;

use std::sync::Arc;

use platform::{NOW, application, blueprint, key, peppers};
use tollgate_domain::Outcome;
use tollgate_engine::{Call, Consumers, Familiar, compile, decide};

fn main() {
    let calls: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("how many calls");
    let strangers = std::env::args().nth(2).is_some_and(|word| word == "strange");
    let consumers = Consumers::new(peppers());
    consumers.replace_all((0..1_000).map(|n| application(&peppers(), n, 1)));
    let snapshot = Arc::new(compile(&blueprint(1_000)).expect("valid"));
    let key = key(500);
    let mut level = Vec::with_capacity(256);
    let mut familiar = Familiar::default();
    for n in 0..calls {
        let call = Call {
            method: "GET",
            host: Some(b"api.example"),
            target: b"/v1/r500/items/7?page=2",
            credential: Some(key.as_bytes()),
            whence: &tollgate_engine::Nowhere,
        };
        let admission = decide(&snapshot, &consumers, &call, NOW + n, (!strangers).then_some(&mut familiar))
            .expect("admitted");
        level.clear();
        admission.write_rate_limit(&mut level);
        assert!(admission.finish(200, Outcome::Served).is_some() && !level.is_empty());
    }
}
