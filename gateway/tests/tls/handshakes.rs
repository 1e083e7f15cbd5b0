//! Versions, resumption, and those who do not get to an end.

use std::time::Duration;

use rustls::{HandshakeKind, ProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate_testkit::Authority;

use crate::dial::{Dialler, settings, stage, stored};
use crate::stage::{Plot, until};

#[tokio::test]
async fn versions_1_3_and_1_2_are_spoken_and_a_session_is_taken_up_again() {
    let authority = Authority::new();
    let stage = stage(vec![stored(1, 1, &authority.issue(&["api.example"]), false)]).await;
    let mut dialler = Dialler::new(&stage, &authority);
    let old = rustls::ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS12])
        .with_root_certificates({
            let mut roots = rustls::RootCertStore::empty();
            use rustls::pki_types::pem::PemObject;
            let root = rustls::pki_types::CertificateDer::from_pem_slice(authority.pem().as_bytes());
            roots.add(root.unwrap()).unwrap();
            roots
        })
        .with_no_client_auth();
    for (config, version) in
        [(dialler.config.clone(), ProtocolVersion::TLSv1_3), (old, ProtocolVersion::TLSv1_2)]
    {
        dialler.config = config;
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut caller = dialler.dial("api.example").await.unwrap();
            assert_eq!(caller.call("GET /v1/items", &stage.key, &[]).await.unwrap().status(), 200);
            let (_, session) = caller.stream.get_ref();
            assert_eq!(session.protocol_version(), Some(version));
            assert_eq!(session.handshake_kind(), Some(kind), "{version:?}");
        }
    }
}

#[tokio::test]
async fn a_handshake_has_a_deadline_however_it_drips() {
    let authority = Authority::new();
    let mut plot = Plot::new().await.tune(|settings| {
        settings.tls = Some(self::settings());
        settings.head_timeout = Duration::from_millis(400);
    });
    plot.blueprint.certificates = vec![stored(1, 1, &authority.issue(&["api.example"]), false)];
    let stage = plot.start().await;
    let hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
    for drips in [false, true] {
        let mut stream = TcpStream::connect(stage.tls.unwrap()).await.unwrap();
        let began = tokio::time::Instant::now();
        let (mut read, mut write) = stream.split();
        let drip = async {
            for byte in hello.iter().filter(|_| drips) {
                if write.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            std::future::pending::<()>().await;
        };
        let mut rest = Vec::new();
        tokio::select! {
            _ = tokio::time::timeout(Duration::from_secs(30), read.read_to_end(&mut rest)) => {}
            () = drip => {}
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{drips}");
    }
    let timed_out = r#"tollgate_tls_handshakes_total{result="timed_out"}"#;
    until("they are counted", async || stage.metric(timed_out).await == Some(2.0)).await;
}

#[tokio::test]
async fn case_99_whoever_speaks_no_tls_is_closed_at_once() {
    let authority = Authority::new();
    let stage = stage(vec![stored(1, 1, &authority.issue(&["api.example"]), false)]).await;
    for bytes in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = TcpStream::connect(stage.tls.unwrap()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
        read.expect("it is closed").ok();
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    assert!(stage.upstream.seen().is_empty());
}
