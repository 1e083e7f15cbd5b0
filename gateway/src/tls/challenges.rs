//! What certificate authorities are answered while a certificate is ordered: by a handshake of their own protocol, or by
//! an answer under a path that is theirs (RFC 8737; RFC 8555 §8.3).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tollgate_certificates::challenge_certificate;
use tollgate_domain::{Challenge, ChallengeKind};

use crate::downstream::{Answer, Downstream};

/// Where an authority looks on port 80.
const PATH: &[u8] = b"/.well-known/acme-challenge/";

/// Everything that is asked for just now; mostly nothing.
#[derive(Default)]
pub(crate) struct Challenges {
    table: ArcSwap<Table>,
}

#[derive(Default)]
struct Table {
    known: Vec<Challenge>,
    /// By host.
    by_handshake: HashMap<Box<str>, Arc<CertifiedKey>>,
}

impl Challenges {
    /// Takes what the control plane has.
    pub(crate) fn apply(&self, challenges: &[Challenge]) {
        if self.table.load().known == challenges {
            return;
        }
        let by_handshake =
            challenges.iter().filter(|it| it.kind == ChallengeKind::TlsAlpn01).filter_map(|it| {
                let pair = challenge_certificate(&it.host, &it.key_authorization)?;
                let signer = any_supported_type(&pair.key).ok()?;
                Some((it.host.as_str().into(), Arc::new(CertifiedKey::new(pair.chain, signer))))
            });
        let by_handshake = by_handshake.collect();
        self.table.store(Arc::new(Table { known: challenges.to_vec(), by_handshake }));
    }

    /// What an authority that asks a host for a path wants to be told; none for every other call, which is told at the
    /// second byte of nearly all paths.
    pub(crate) fn wanted(&self, host: Option<&[u8]>, target: &[u8]) -> Option<String> {
        let token = target.strip_prefix(PATH)?;
        let host = std::str::from_utf8(host?).ok()?;
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        let table = self.table.load();
        let found = table.known.iter().find(|it| {
            it.kind == ChallengeKind::Http01
                && it.token.as_bytes() == token
                && it.host.eq_ignore_ascii_case(host)
        });
        found.map(|it| it.key_authorization.clone())
    }
}

/// Tells an authority what it looks for, to be sent. Nobody's call: it is neither counted nor logged.
pub(crate) fn answer<D: Downstream>(caller: &mut D, wanted: &str) {
    caller.close_after();
    caller.begin(200);
    caller.field(b"content-type", b"application/octet-stream");
    let length = wanted.len() as u64;
    if caller.method() == "HEAD" {
        caller.head_done(Answer::Bodyless(Some(length)));
    } else {
        caller.head_done(Answer::Length(length));
        caller.data(wanted.as_bytes());
    }
    caller.end(std::iter::empty());
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.table.load().by_handshake.get(hello.server_name()?).cloned()
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_told_what_it_wants_for_its_host_and_token_only() {
        let challenges = Challenges::default();
        let one = Challenge {
            host: "a.example".into(),
            kind: ChallengeKind::Http01,
            token: "tok".into(),
            key_authorization: "tok.thumb".into(),
        };
        let other = Challenge { kind: ChallengeKind::TlsAlpn01, token: "other".into(), ..one.clone() };
        challenges.apply(&[one, other]);
        let wanted = |host: &str, target: &str| challenges.wanted(Some(host.as_bytes()), target.as_bytes());
        assert_eq!(wanted("A.example:80", "/.well-known/acme-challenge/tok").as_deref(), Some("tok.thumb"));
        for (host, target) in [
            ("b.example", "/.well-known/acme-challenge/tok"),
            ("a.example", "/.well-known/acme-challenge/tok2"),
            ("a.example", "/.well-known/acme-challenge/tok?x"),
            ("a.example", "/.well-known/acme-challenge/"),
            ("a.example", "/.well-known/acme-challenge/other"),
            ("a.example", "/tok"),
        ] {
            assert_eq!(wanted(host, target), None, "{host} {target}");
        }
        assert_eq!(challenges.wanted(None, b"/.well-known/acme-challenge/tok"), None);
        challenges.apply(&[]);
        assert_eq!(wanted("a.example", "/.well-known/acme-challenge/tok"), None);
    }
}
