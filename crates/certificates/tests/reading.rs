//! What is taken and what is refused, with certificates made for the purpose.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, date_time_ymd,
};
use tollgate_certificates::{Field, read, read_stored};

/// Noon of 21 November 2026.
const NOW: i64 = 1_795_262_400;

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("it can be made");
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn self_signed(params: CertificateParams) -> (String, String) {
    let key = KeyPair::generate().expect("it can be made");
    (params.self_signed(&key).expect("it can be made").pem(), key.serialize_pem())
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = params(&[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Test Root");
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("it can be made"))
        .expect("it can be made")
}

#[track_caller]
fn refused(chain: &str, key: &str, field: Field, words: &str) {
    let faults = read(chain, key, NOW).expect_err("refused");
    assert!(faults.iter().any(|fault| fault.field == field && fault.message.contains(words)), "{faults:?}");
}

#[test]
fn a_chain_says_its_names_its_time_and_who_signed_it() {
    let root = authority();
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let leaf = params(&["API.example.com", "*.example.org", "192.0.2.7"]).signed_by(&key, &root).unwrap();
        let chain = format!("{}{}", leaf.pem(), root.pem());
        let (pair, facts) = read(&chain, &key.serialize_pem(), NOW).unwrap();
        assert_eq!(facts.names, ["api.example.com", "*.example.org", "192.0.2.7"]);
        assert_eq!((pair.chain.len(), facts.issuer.as_str()), (2, "Test Root"));
        assert_eq!(facts.fingerprint.len(), 64);
        assert_eq!((facts.not_before, facts.not_after), (1_767_225_600, 1_798_761_600));
        assert!(!format!("{pair:?}").contains("key"));
    }
}

#[test]
fn what_must_not_be_served_is_refused_by_field() {
    let (chain, key) = self_signed(params(&["a.example"]));
    let (_, other) = self_signed(params(&["a.example"]));
    read(&chain, &key, NOW).unwrap();
    refused(&chain, &other, Field::Key, "not the key of the first certificate");
    refused(&chain, "", Field::Key, "no private key");
    refused(&chain, &format!("{key}{other}"), Field::Key, "more than one");
    refused(&chain, &key.replace("PRIVATE", "ENCRYPTED PRIVATE"), Field::Key, "passphrase");
    refused("", &key, Field::Chain, "no certificate");
    refused(&format!("{chain}{key}"), &key, Field::Chain, "private key");
    refused(&chain.repeat(11), &key, Field::Chain, "at most 10");
    refused(&chain[..chain.len() / 2], &key, Field::Chain, "damaged");

    let faults = read("", "", NOW).unwrap_err();
    assert_eq!(faults.len(), 2, "both fields are named at once");

    let (nameless, key) = self_signed(params(&[]));
    refused(&nameless, &key, Field::Chain, "subject alternative name");
    let (odd, key) = self_signed(params(&["a.*.example"]));
    refused(&odd, &key, Field::Chain, "a.*.example");

    let mut client = params(&["a.example"]);
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (client, key) = self_signed(client);
    refused(&client, &key, Field::Chain, "serverAuth");

    let root = authority();
    let key = KeyPair::generate().unwrap();
    let leaf = params(&["a.example"]).signed_by(&key, &root).unwrap();
    refused(&format!("{}{}", root.pem(), leaf.pem()), &key.serialize_pem(), Field::Chain, "out of order");
}

#[test]
fn what_has_expired_is_not_taken_but_what_was_taken_is_still_read() {
    let (chain, key) = self_signed(params(&["a.example"]));
    let (before, after) = (1_767_225_600, 1_798_761_600);
    assert!(read(&chain, &key, after - 1).is_ok());
    let faults = read(&chain, &key, after).unwrap_err();
    assert!(faults[0].message.starts_with("expired on "), "{faults:?}");
    assert!(read(&chain, &key, before - 3_600).unwrap_err()[0].message.starts_with("is valid only from "));
    assert!(read_stored(&chain, &key).is_ok());
    let (_, other) = self_signed(params(&["a.example"]));
    assert!(read_stored(&chain, &other).is_err());
}

/// Made with `openssl req -x509 -newkey rsa:1024 -nodes -days 7000 -subj /CN=a.example -addext
/// subjectAltName=DNS:a.example` (and `-sha1` with 2048 bits).
#[test]
fn weak_keys_and_signatures_are_refused() {
    for (name, field, words) in [("rsa1024", Field::Chain, "1024 bits"), ("sha1", Field::Chain, "SHA-1")] {
        let file = |end: &str| {
            std::fs::read_to_string(format!("{}/tests/weak/{name}.{end}", env!("CARGO_MANIFEST_DIR")))
                .unwrap()
        };
        refused(&file("crt"), &file("key"), field, words);
    }
}
