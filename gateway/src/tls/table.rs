//! Which certificate a caller gets: by the name it asks for, else the default one.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use tollgate_certificates::{Facts, Pair};

/// A certificate that can be presented.
#[derive(Clone)]
pub(crate) struct Loaded {
    /// Its slug, or the file that it is from.
    pub(crate) name: String,
    /// `upload`, `acme` or `file`.
    pub(crate) source: &'static str,
    /// What it is for, lower case.
    pub(crate) names: Vec<String>,
    /// Unix seconds until which it holds.
    pub(crate) not_after: i64,
    pub(crate) is_default: bool,
    key: Arc<CertifiedKey>,
}

impl Loaded {
    /// Makes it ready to sign; none where the key's kind is not supported.
    pub(crate) fn new(
        name: String,
        source: &'static str,
        is_default: bool,
        of: (Pair, Facts),
    ) -> Option<Self> {
        let (pair, facts) = of;
        let signer = any_supported_type(&pair.key).ok()?;
        let key = Arc::new(CertifiedKey::new(pair.chain, signer));
        Some(Self { name, source, names: facts.names, not_after: facts.not_after, is_default, key })
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("name", &self.name)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

type Candidates = Vec<Arc<CertifiedKey>>;

/// All certificates, found by name without parsing anything.
#[derive(Default)]
pub(crate) struct Table {
    exact: HashMap<Box<str>, Candidates>,
    /// By what stands behind `*.`.
    wildcard: HashMap<Box<str>, Candidates>,
    fallback: Candidates,
}

impl Table {
    /// Where several are for one name, the one that holds longest comes first.
    pub(crate) fn new<'l>(all: impl IntoIterator<Item = &'l Loaded>) -> Self {
        let mut all: Vec<&Loaded> = all.into_iter().collect();
        all.sort_by_key(|loaded| std::cmp::Reverse(loaded.not_after));
        let mut table = Self::default();
        for loaded in all {
            // A name may be listed twice.
            for name in loaded.names.iter().collect::<HashSet<_>>() {
                let places = match name.strip_prefix("*.") {
                    Some(parent) => table.wildcard.entry(parent.into()),
                    None => table.exact.entry(name.as_str().into()),
                };
                places.or_default().push(Arc::clone(&loaded.key));
            }
            if loaded.is_default {
                table.fallback.push(Arc::clone(&loaded.key));
            }
        }
        table
    }

    /// The certificate for a host, which rustls gives in lower case, that the caller can verify.
    pub(crate) fn find(&self, host: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let named = host.and_then(|host| {
            let exact = self.exact.get(host).into_iter();
            let parent = host.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
            fitting(exact.chain(parent).flatten(), schemes)
        });
        named.or_else(|| fitting(self.fallback.iter(), schemes))
    }
}

fn fitting<'c>(
    mut candidates: impl Iterator<Item = &'c Arc<CertifiedKey>>,
    schemes: &[SignatureScheme],
) -> Option<Arc<CertifiedKey>> {
    candidates.find(|candidate| candidate.key.choose_scheme(schemes).is_some()).cloned()
}

#[cfg(test)]
mod tests {
    use tollgate_testkit::Authority;

    use super::*;

    const MODERN: &[SignatureScheme] = &[SignatureScheme::ECDSA_NISTP256_SHA256];

    fn loaded(authority: &Authority, name: &str, names: &[&str], is_default: bool) -> Loaded {
        let issued = authority.issue(names);
        let pair = tollgate_certificates::read_stored(&issued.chain, &issued.key).expect("a good pair");
        Loaded::new(name.to_owned(), "upload", is_default, pair).expect("P-256 is supported")
    }

    #[test]
    fn the_name_decides_then_the_wildcard_then_the_default() {
        let authority = Authority::new();
        let exact = loaded(&authority, "exact", &["a.example.com"], false);
        let wild = loaded(&authority, "wild", &["*.example.com"], false);
        let fallback = loaded(&authority, "fallback", &["other.example"], true);
        let table = Table::new([&exact, &wild, &fallback]);
        for (host, expected) in [
            (Some("a.example.com"), &exact),
            (Some("b.example.com"), &wild),
            (Some("a.b.example.com"), &fallback),
            (Some("example.com"), &fallback),
            (Some("com"), &fallback),
            (Some("other.example"), &fallback),
            (None, &fallback),
        ] {
            let found = table.find(host, MODERN).expect("there is a default");
            assert!(Arc::ptr_eq(&found, &expected.key), "{host:?}");
        }
        let strict = Table::new([&exact, &wild]);
        assert!(strict.find(Some("other.example"), MODERN).is_none());
        assert!(strict.find(None, MODERN).is_none());
        assert!(table.find(None, &[SignatureScheme::RSA_PSS_SHA256]).is_none(), "it could not be verified");
    }

    #[test]
    fn of_two_for_one_name_the_one_that_holds_longest_is_presented() {
        let authority = Authority::new();
        let mut old = loaded(&authority, "old", &["a.example"], false);
        old.not_after -= 10;
        let new = loaded(&authority, "new", &["a.example"], false);
        for order in [[&old, &new], [&new, &old]] {
            let found = Table::new(order).find(Some("a.example"), MODERN).expect("two");
            assert!(Arc::ptr_eq(&found, &new.key));
        }
    }
}
