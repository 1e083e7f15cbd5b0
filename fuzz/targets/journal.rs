//! Whatever became of a usage journal, no count is read from it that no gateway could have made.
#![no_main]

use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

// The gateway itself is too much to build for this: the file stands on its own.
#[allow(dead_code, missing_docs)]
#[path = "../../gateway/src/usage/journal/record.rs"]
mod record;

fuzz_target!(|input: (bool, u64, &[u8])| {
    let (whole, capacity, bytes) = input;
    // Behind a header that is sound, or all of the file.
    let mut file = Vec::new();
    if !whole {
        let head = record::header(Uuid::from_u128(7), 3, usize::try_from(capacity % 1_000).unwrap_or(0));
        file.extend(head.iter().flat_map(|word| word.to_ne_bytes()));
        file.resize(record::HEADER_BYTES, 0);
    }
    file.extend_from_slice(bytes);
    let Ok(found) = record::read(&file) else { return };
    assert_eq!(found.file_bytes, file.len() as u64);
    for count in &found.counts {
        assert!(count.charged <= count.calls);
        assert_eq!(record::key_from_words(&record::key_words(&count.key)), Some(count.key));
    }
});
