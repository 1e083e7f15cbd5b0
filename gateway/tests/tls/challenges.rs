//! What a certificate authority is answered while it looks whether a host is ours.

use tollgate_domain::{Challenge, ChallengeKind};
use tollgate_testkit::Authority;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::dial::{Dialler, settings, stored};
use crate::http::Client;
use crate::stage::{Plot, until};

fn challenge(kind: ChallengeKind, host: &str) -> Challenge {
    let key_authorization = "token.thumbprint".to_owned();
    Challenge { host: host.into(), kind, token: "token".into(), key_authorization }
}

#[tokio::test]
async fn a_token_is_answered_on_the_plain_port_for_its_host_as_long_as_the_order_is_open() {
    let mut plot = Plot::new().await;
    plot.blueprint.challenges = vec![challenge(ChallengeKind::Http01, "api.example")];
    let stage = plot.start().await;
    let path = "GET /.well-known/acme-challenge/token";
    let ask = async |line: &str, host: &str| {
        let mut client = Client::connect(stage.gateway).await;
        client.send(format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        client.answer().await
    };
    let answer = ask(path, "api.example").await;
    assert_eq!((answer.status(), answer.body.as_slice()), (200, &b"token.thumbprint"[..]));
    assert_eq!(ask(path, "other.example").await.status(), 404);
    assert_eq!(ask("GET /.well-known/acme-challenge/another", "api.example").await.status(), 404);
    stage.source.change_blueprint(|blueprint| blueprint.challenges.clear());
    until("it is over", async || ask(path, "api.example").await.status() == 404).await;
    assert!(stage.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_handshake_of_the_authoritys_protocol_shows_the_digest_and_nothing_else() {
    let authority = Authority::new();
    let mut plot = Plot::new().await.tune(|settings| settings.tls = Some(self::settings()));
    plot.blueprint.certificates = vec![stored(1, 1, &authority.issue(&["api.example"]), true)];
    plot.blueprint.challenges = vec![challenge(ChallengeKind::TlsAlpn01, "api.example")];
    let stage = plot.start().await;
    let mut looks = Dialler::new(&stage, &authority).trusting_everybody();
    looks.config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let seen = looks.dial("api.example").await.expect("a handshake");
    let (_, session) = seen.stream.get_ref();
    assert_eq!(session.alpn_protocol(), Some(&b"acme-tls/1"[..]));
    let chain = session.peer_certificates().unwrap();
    let (_, certificate) = X509Certificate::from_der(&chain[0]).unwrap();
    let extension = certificate.extensions().iter().find(|it| it.oid.to_id_string() == "1.3.6.1.5.5.7.1.31");
    assert!(extension.is_some_and(|it| it.critical && it.value.len() == 34));
    assert!(looks.dial("other.example").await.is_err(), "no challenge is open for it");

    // Everybody else is shown what they were before.
    let mut caller = Dialler::new(&stage, &authority).dial("api.example").await.unwrap();
    assert_eq!(caller.call("GET /v1/items", &stage.key, &[]).await.unwrap().status(), 200);
}
