//! An upstream's head is read the same however its bytes arrive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_engine::answer::AnswerReader;

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (step, to_head, bytes) = input;
    let mut whole = AnswerReader::default();
    let at_once = whole.read(bytes, to_head);
    let mut parts = AnswerReader::default();
    let mut read = Ok(None);
    for end in (0..bytes.len()).step_by(usize::from(step) + 1).chain([bytes.len()]) {
        read = parts.read(&bytes[..end], to_head);
        if !matches!(read, Ok(None)) {
            break;
        }
    }
    assert_eq!(read, at_once);
    if let Ok(Some(answer)) = at_once {
        assert!(answer.bytes <= bytes.len());
        assert_eq!(whole.fields(), parts.fields());
        assert!(
            !whole
                .fields()
                .iter()
                .any(|field| field.value(bytes).iter().any(|b| matches!(b, b'\r' | b'\n' | 0)))
        );
    }
});
