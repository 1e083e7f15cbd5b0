//! Certificates on their way to the gateways.

use std::sync::Arc;

use tollgate_control::{
    Actor, CertificateInput, CertificatePatch, Control, Error, Resealed, SecretText, Settings,
};
use tollgate_domain::Certificate;
use tollgate_engine::Peppers;
use tollgate_testkit::{Authority, Issued};

use crate::fixture::Fixture;

fn input(slug: &str, issued: &Issued) -> CertificateInput {
    CertificateInput {
        slug: slug.parse().unwrap(),
        chain: issued.chain.clone(),
        private_key: SecretText::new(issued.key.clone()),
        is_default: false,
    }
}

#[tokio::test]
async fn gateways_get_the_key_sealed_for_its_row_and_no_one_else_gets_it() {
    let fixture = Fixture::new().await;
    let system = Actor::system();
    let authority = Authority::new();
    let (first, second) = (authority.issue(&["a.example"]), authority.issue(&["b.example"]));
    let before = fixture.revision().await;
    let made = fixture.control.create_certificate(&system, input("a", &first)).await.unwrap();
    fixture.control.create_certificate(&system, input("b", &second)).await.unwrap();
    assert_eq!(fixture.revision().await, before + 2);

    let fed = fixture.control.store().feed_blueprint().await.unwrap().certificates;
    let [a, b] = fed.as_slice() else { panic!("{fed:?}") };
    assert_eq!((a.id, a.slug.as_str(), a.version, &a.chain), (made.id, "a", 1, &first.chain));
    let peppers = Peppers::new(vec![(1, *b"0123456789abcdef0123456789ABCDEF")]).unwrap();
    let opened = peppers.open(&Certificate::key_place(a.id), &a.key_sealed).unwrap();
    assert_eq!(opened, first.key.as_bytes());
    assert!(peppers.open(&Certificate::key_place(a.id), &b.key_sealed).is_err(), "keys cannot be swapped");
    assert!(!format!("{a:?}").contains("key_sealed"));

    let text: String = sqlx_text(&fixture).await;
    assert!(!text.contains("PRIVATE KEY"), "neither in the row nor in the audit log");
}

async fn sqlx_text(fixture: &Fixture) -> String {
    let store = fixture.control.store();
    let rows = store.list_audit(tollgate_domain::Scope::Operator, 50).await.unwrap();
    format!("{rows:?}{:?}", store.feed_blueprint().await.unwrap().certificates)
}

#[tokio::test]
async fn a_chain_is_renewed_on_the_key_that_is_there() {
    let fixture = Fixture::new().await;
    let system = Actor::system();
    let issued = Authority::new().issue(&["a.example"]);
    let made = fixture.control.create_certificate(&system, input("a", &issued)).await.unwrap();
    let first_only = issued.chain.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    let patch = CertificatePatch { chain: Some(first_only.to_owned()), ..CertificatePatch::default() };
    let changed = fixture.control.update_certificate(&system, made.id, Some(1), patch).await.unwrap();
    assert_eq!((changed.issued.0.unwrap().chain.as_str(), changed.version), (first_only, 2));
    let stale = CertificatePatch { is_default: Some(true), ..CertificatePatch::default() };
    let refused = fixture.control.update_certificate(&system, made.id, Some(1), stale).await.unwrap_err();
    assert!(matches!(refused, Error::VersionMismatch(2)), "{refused:?}");
}

#[tokio::test]
async fn secrets_are_sealed_anew_before_their_pepper_is_retired() {
    let fixture = Fixture::new().await;
    let issued = Authority::new().issue(&["a.example"]);
    let made = fixture.control.create_certificate(&Actor::system(), input("a", &issued)).await.unwrap();
    let old = *b"0123456789abcdef0123456789ABCDEF";
    let new = *b"the other of two peppers, 32 by.";
    let with = |peppers: Vec<(i16, [u8; 32])>| {
        Control::new(fixture.database.store(), Arc::new(Peppers::new(peppers).unwrap()), Settings::default())
    };
    let alone = with(vec![(2, new)]);
    assert_eq!(alone.look_at_seals().await.unwrap(), [(1, 1)]);
    assert!(alone.reseal(&Actor::system()).await.is_err(), "its pepper is missing");
    let both = with(vec![(1, old), (2, new)]);
    assert_eq!(both.reseal(&Actor::system()).await.unwrap(), Resealed { anew: 1, version: 2 });
    assert_eq!(both.reseal(&Actor::system()).await.unwrap().anew, 0, "once is enough");
    assert_eq!(alone.look_at_seals().await.unwrap(), []);
    let mut tx = fixture.database.store().begin().await.unwrap();
    let (_, sealed) = tx.lock_certificate(made.id).await.unwrap();
    let opened = Peppers::new(vec![(2, new)]).unwrap();
    let opened = opened.open(&Certificate::key_place(made.id), &sealed.unwrap()).unwrap();
    assert_eq!(opened, issued.key.as_bytes());
}
