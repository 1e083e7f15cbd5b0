//! An authenticator in software: it makes one passkey and answers with it, rightly or as a thief would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;
const ATTESTED: u8 = 0x40;

/// A P-256 key that a site knows, with a counter.
#[derive(Debug)]
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user: Vec<u8>,
    counter: u32,
    /// Where the browser is.
    pub origin: String,
    /// Whether its owner unlocks it.
    pub unlocks: bool,
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Authenticator {
    /// Makes a passkey for a site's question; returns it with what the browser answers.
    ///
    /// # Panics
    /// When the question is none of WebAuthn.
    #[must_use]
    pub fn create(question: &Value, origin: &str) -> (Self, Value) {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
        let user = question["user"]["id"].as_str().expect("a user handle");
        let key = key.expect("a key");
        let this = Self {
            id: Sha256::digest(key.public_key()).to_vec(),
            key,
            user: URL_SAFE_NO_PAD.decode(user).expect("base64url"),
            counter: 1,
            origin: origin.to_owned(),
            unlocks: true,
        };
        let site = question["rp"]["id"].as_str().expect("an id of the site");
        let attestation = this.attestation(site);
        let answer = this.credential(json!({
            "clientDataJSON": encoded(this.client_data("webauthn.create", &question["challenge"])),
            "attestationObject": encoded(attestation),
            "transports": ["internal"],
        }));
        (this, answer)
    }

    /// Answers a site's question with the passkey.
    ///
    /// # Panics
    /// When the question is none of WebAuthn.
    pub fn get(&mut self, question: &Value) -> Value {
        self.counter += 1;
        let site = question["rpId"].as_str().expect("an id of the site");
        let data = self.data(site, 0);
        let client = self.client_data("webauthn.get", &question["challenge"]);
        let signed = [data.as_slice(), &Sha256::digest(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("it signs");
        self.credential(json!({
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
            "userHandle": encoded(&self.user),
        }))
    }

    /// A copy whose counter stays behind, as of a stolen backup.
    pub const fn set_back(&mut self) {
        self.counter = 0;
    }

    /// Says that it is of somebody else.
    pub fn claim(&mut self, user: &[u8]) {
        self.user = user.to_vec();
    }

    fn credential(&self, response: Value) -> Value {
        let id = encoded(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "response": response, "clientExtensionResults": {} })
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn data(&self, site: &str, more: u8) -> Vec<u8> {
        let flags = PRESENT | more | if self.unlocks { VERIFIED } else { 0 };
        [Sha256::digest(site).as_slice(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    /// `{"fmt": "none", "attStmt": {}, "authData": …}` in CBOR, as CTAP 2 orders it.
    fn attestation(&self, site: &str) -> Vec<u8> {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}: an elliptic curve, ES256, P-256 (RFC 9053).
        let key = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..], x, &[0x22, 0x58, 32], y].concat();
        let length = u16::try_from(self.id.len()).expect("a short id").to_be_bytes();
        let data = [self.data(site, ATTESTED), vec![0; 16], length.to_vec(), self.id.clone(), key].concat();
        let size = u8::try_from(data.len()).expect("below 256 bytes");
        [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".as_slice(), &[size], &data].concat()
    }
}
