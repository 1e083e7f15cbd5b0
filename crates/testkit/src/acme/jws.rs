//! What clients sign (RFC 7515, RFC 8555 §6.2), checked as an authority must.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// An account's key on P-256.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    x: String,
    y: String,
}

impl PublicKey {
    fn read(jwk: &Value) -> Option<Self> {
        let part = |name: &str| jwk[name].as_str().map(str::to_owned);
        (jwk["kty"] == "EC" && jwk["crv"] == "P-256").then_some(())?;
        Some(Self { x: part("x")?, y: part("y")? })
    }

    /// RFC 7638.
    pub(super) fn thumbprint(&self) -> String {
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, self.x, self.y);
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))
    }

    fn verifies(&self, message: &str, signature: &[u8]) -> bool {
        let (Some(x), Some(y)) = (decoded(&self.x), decoded(&self.y)) else { return false };
        let point = [&[4][..], &x, &y].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message.as_bytes(), signature).is_ok()
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A request whose signature holds.
pub(super) struct Signed {
    pub(super) nonce: String,
    pub(super) payload: Value,
    pub(super) key: PublicKey,
}

impl Signed {
    /// Reads a request to `url`.
    pub(super) fn read(
        body: &[u8],
        url: &str,
        accounts: &HashMap<String, PublicKey>,
    ) -> Result<Self, String> {
        let whole: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let part = |name: &str| whole[name].as_str().ok_or(format!("has no {name}"));
        let (protected, payload, signature) = (part("protected")?, part("payload")?, part("signature")?);
        let header = decoded(protected).ok_or("its header is no base64")?;
        let header: Value = serde_json::from_slice(&header).map_err(|error| error.to_string())?;
        if header["alg"] != "ES256" || header["url"] != url {
            return Err(format!("is signed for {} by {}", header["url"], header["alg"]));
        }
        let key = match (header["kid"].as_str(), header.get("jwk")) {
            (Some(account), None) => accounts.get(account).cloned().ok_or("is of no account")?,
            (None, Some(jwk)) => PublicKey::read(jwk).ok_or("has no key on P-256")?,
            _ => return Err("must have either kid or jwk".to_owned()),
        };
        let signature = decoded(signature).ok_or("its signature is no base64")?;
        if !key.verifies(&format!("{protected}.{payload}"), &signature) {
            return Err("its signature does not hold".to_owned());
        }
        let payload = decoded(payload).ok_or("its payload is no base64")?;
        let payload = if payload.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&payload).map_err(|error| error.to_string())?
        };
        Ok(Self { nonce: header["nonce"].as_str().unwrap_or_default().to_owned(), payload, key })
    }
}
