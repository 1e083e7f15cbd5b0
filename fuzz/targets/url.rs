//! A target's URL that is taken can be connected to as it was taken apart.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_engine::parse_target;

fuzz_target!(|url: &str| {
    if let Ok(target) = parse_target(url, 1) {
        let scheme = if target.tls { "https" } else { "http" };
        let again = parse_target(&format!("{scheme}://{}{}", target.address, target.path_prefix), 1);
        assert_eq!(again, Ok(target));
    }
});
