//! A chunked body is read the same however its bytes arrive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_engine::chunked::Chunks;

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let mut whole = Chunks::keeping_trailers();
    let at_once = whole.pass(bytes);
    let mut parts = Chunks::keeping_trailers();
    let mut passed = 0;
    for part in bytes.chunks(usize::from(step) + 1) {
        match parts.pass(part) {
            Ok(count) => passed += count,
            Err(_) => {
                assert!(at_once.is_err());
                return;
            }
        }
    }
    assert_eq!(at_once, Ok(passed));
    assert_eq!(whole.is_complete(), parts.is_complete());
    assert!(whole.trailers().eq(parts.trailers()));
});
