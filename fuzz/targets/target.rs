//! A request target that is taken is in its one spelling: read again it is the same, and decoded it climbs nowhere.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_engine::admission::{check_path, check_target};

fuzz_target!(|bytes: &[u8]| {
    let Ok((path, query)) = check_target(bytes) else { return };
    assert_eq!(path.len() + query.map_or(0, |query| query.len() + 1), bytes.len());
    assert_eq!(check_path(path), Ok(()));
    let decoded = decoded(path.as_bytes());
    assert!(!decoded.contains(&0) && !decoded.contains(&b'\\'));
    assert_eq!(decoded.iter().filter(|b| **b == b'/').count(), path.matches('/').count());
    for segment in decoded.split(|b| *b == b'/') {
        let bare = segment.split(|b| matches!(b, b';' | b'?' | b'#')).next().unwrap_or_default();
        assert!(bare != b"." && bare != b"..");
    }
});

fn decoded(path: &[u8]) -> Vec<u8> {
    let digit = |at: usize| char::from(path[at]).to_digit(16).expect("checked") as u8;
    let (mut out, mut at) = (Vec::new(), 0);
    while at < path.len() {
        let escaped = path[at] == b'%';
        out.push(if escaped { digit(at + 1) << 4 | digit(at + 2) } else { path[at] });
        at += if escaped { 3 } else { 1 };
    }
    out
}
