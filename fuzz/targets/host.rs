//! A host that is taken comes out in lower case and without port, and is then taken as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_engine::admission::check_host;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(name) = check_host(Some(bytes)) {
        assert!(!name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase()));
        assert_eq!(check_host(Some(name.as_bytes())).as_deref(), Ok(&*name));
    }
});
