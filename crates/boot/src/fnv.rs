//! FNV-1a, 64 bits: a short name for a path that is the same in every build and on every start.

/// The hash as 16 hexadecimal digits. It names directories; it protects nothing.
pub fn hex(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_test_vectors_hold() {
        assert_eq!(super::hex(b""), "cbf29ce484222325");
        assert_eq!(super::hex(b"foobar"), "85944171f73967e8");
    }
}
