//! A request head is read the same however its bytes arrive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_engine::head::HeadReader;

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let mut whole = HeadReader::default();
    let at_once = whole.read(bytes);
    let mut parts = HeadReader::default();
    let mut read = Ok(None);
    for end in (0..bytes.len()).step_by(usize::from(step) + 1).chain([bytes.len()]) {
        read = parts.read(&bytes[..end]);
        if !matches!(read, Ok(None)) {
            break;
        }
    }
    assert_eq!(read, at_once);
    if let Ok(Some(head)) = at_once {
        assert!(head.bytes <= bytes.len() && bytes[..head.bytes].ends_with(b"\n"));
        assert_eq!(whole.fields(), parts.fields());
        for field in whole.fields() {
            assert!(!field.name(bytes).is_empty());
            assert!(!field.value(bytes).iter().any(|b| matches!(b, b'\r' | b'\n' | 0)));
        }
    }
});
