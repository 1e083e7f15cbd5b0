//! JSON Web Tokens of the provider's double: rightly signed, and wrongly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};
use sha2::Sha256;

/// A key that nothing but tests uses.
fn key() -> KeyPair {
    KeyPair::from_pkcs8(include_bytes!("key.pk8")).expect("an RSA key")
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn parts(header: &Value, claims: &Value) -> String {
    format!("{}.{}", part(header), part(claims))
}

/// The key as a JSON Web Key.
pub(super) fn public_key(key_id: &str) -> Value {
    let parts: PublicKeyComponents<Vec<u8>> = key().public().into();
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id,
        "n": URL_SAFE_NO_PAD.encode(parts.n), "e": URL_SAFE_NO_PAD.encode(parts.e) })
}

fn signature(text: &str) -> String {
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("it signs");
    URL_SAFE_NO_PAD.encode(signature)
}

/// RS256.
pub(super) fn signed(key_id: &str, claims: &Value) -> String {
    let text = parts(&json!({ "alg": "RS256", "kid": key_id, "typ": "JWT" }), claims);
    format!("{text}.{}", signature(&text))
}

/// Other claims than were signed.
pub(super) fn changed_after(key_id: &str, claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "kid": key_id, "typ": "JWT" });
    let signature = signature(&parts(&header, claims));
    let mut changed = claims.clone();
    changed["sub"] = json!("somebody else");
    format!("{}.{signature}", parts(&header, &changed))
}

/// `none`.
pub(super) fn unsigned(claims: &Value) -> String {
    format!("{}.", parts(&json!({ "alg": "none", "typ": "JWT" }), claims))
}

/// HS256 with what the client knows too.
pub(super) fn with_secret(claims: &Value, secret: &str) -> String {
    let text = parts(&json!({ "alg": "HS256", "typ": "JWT" }), claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}
