//! A text that is taken for a key has the form that secret scanners look for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_engine::key;

fuzz_target!(|text: &str| {
    if let Ok(parsed) = key::parse(text) {
        assert_eq!(parsed.text(), text);
        assert!(key::is_key_prefix(parsed.prefix()));
        let (first, last) = key::display_parts(&parsed);
        assert!(text.starts_with(&first) && text.ends_with(&last) && first.len() + last.len() < text.len());
    }
});
