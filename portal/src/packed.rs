//! Public pages compressed once: what the first visitor was sent is kept for all who are sent the same.
//!
//! Kept by what is in a page, so that nothing kept can be out of date.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use flate2::Compression;
use flate2::write::GzEncoder;

/// How much is kept; a portal with more pages than that in use begins anew.
const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// SHA-256 of a page.
pub type Digest = [u8; 32];

/// Compressed pages.
#[derive(Clone, Default)]
pub struct Packed(Arc<RwLock<Kept>>);

#[derive(Default)]
struct Kept {
    pages: HashMap<Digest, Bytes>,
    bytes: usize,
}

impl Packed {
    /// A page as gzip (RFC 1952).
    pub fn gzip(&self, digest: Digest, page: &[u8]) -> std::io::Result<Bytes> {
        if let Some(packed) = self.0.read().unwrap_or_else(PoisonError::into_inner).pages.get(&digest) {
            return Ok(packed.clone());
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 4), Compression::default());
        encoder.write_all(page)?;
        let packed = Bytes::from(encoder.finish()?);
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + packed.len() > KEPT_BYTES_MAX {
            *kept = Kept::default();
        }
        if kept.pages.insert(digest, packed.clone()).is_none() {
            kept.bytes += packed.len();
        }
        Ok(packed)
    }
}

/// Whether whoever asks takes gzip (RFC 9110 section 12.5.3).
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused = |part: &str| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32));
        is_gzip && !parts.any(is_refused)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_page_is_compressed_once_and_reads_as_it_was() {
        let (packed, page) = (Packed::default(), "a page ".repeat(500));
        let first = packed.gzip([1; 32], page.as_bytes()).unwrap();
        assert!(first.len() < page.len() / 10);
        let again = packed.gzip([1; 32], b"looked up by its digest alone").unwrap();
        assert_eq!(first.as_ptr(), again.as_ptr());
        let mut read = String::new();
        GzDecoder::new(first.as_ref()).read_to_string(&mut read).unwrap();
        assert_eq!(read, page);
    }

    #[test]
    fn no_more_is_kept_than_is_allowed() {
        let packed = Packed::default();
        // Does not compress.
        let noise: Vec<u8> = (0..3_000_000_u64).map(|n| (n.wrapping_mul(n ^ 0x9e37) >> 7) as u8).collect();
        for n in 0..20 {
            packed.gzip([n; 32], &noise).unwrap();
            let kept = packed.0.read().unwrap();
            assert!(kept.bytes <= KEPT_BYTES_MAX);
            assert_eq!(kept.bytes, kept.pages.values().map(Bytes::len).sum::<usize>());
        }
    }

    #[test]
    fn an_encoding_is_taken_unless_it_is_refused_or_not_named() {
        for (value, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("br", false),
            ("gzip;q=0", false),
            ("identity, gzip; q=0.0", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().unwrap())]);
            assert_eq!(takes_gzip(&headers), takes, "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
