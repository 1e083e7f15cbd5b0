//! How the authority looks at challenges: by really connecting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::tls_server::TrustsEverybody;

const PATIENCE: Duration = Duration::from_secs(5);
const PROTOCOL: &[u8] = b"acme-tls/1";
/// id-pe-acmeIdentifier (RFC 8737 §3).
const ACME_IDENTIFIER: &str = "1.3.6.1.5.5.7.1.31";

/// Looks once; says what was found instead.
pub(super) async fn at(
    (http, tls): (SocketAddr, SocketAddr),
    kind: &str,
    host: &str,
    token: &str,
    expected: &str,
) -> Result<(), String> {
    let looked = async {
        match kind {
            "http-01" => by_path(http, host, token, expected).await,
            "tls-alpn-01" => by_handshake(tls, host, expected).await,
            other => Err(format!("{other} is not looked at")),
        }
    };
    tokio::time::timeout(PATIENCE, looked).await.unwrap_or(Err("it took too long".to_owned()))
}

async fn by_path(address: SocketAddr, host: &str, token: &str, expected: &str) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).await.map_err(text)?;
    let request = format!(
        "GET /.well-known/acme-challenge/{token} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(text)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(text)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let status = head.lines().next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 200") {
        return Err(format!("the answer was {status}"));
    }
    (body == expected).then_some(()).ok_or(format!("the answer was {body:?}"))
}

async fn by_handshake(address: SocketAddr, host: &str, expected: &str) -> Result<(), String> {
    let mut config = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustsEverybody))
        .with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| error.to_string())?;
    let (_, session) = stream.get_ref();
    if session.alpn_protocol() != Some(PROTOCOL) {
        return Err("it speaks another protocol".to_owned());
    }
    let shown =
        session.peer_certificates().and_then(|chain| chain.first()).ok_or("it shows no certificate")?;
    let (_, certificate) = X509Certificate::from_der(shown).map_err(|error| error.to_string())?;
    let names =
        certificate.subject_alternative_name().ok().flatten().map(|names| names.value.general_names.len());
    let identifier = certificate.extensions().iter().find(|it| it.oid.to_id_string() == ACME_IDENTIFIER);
    let wanted = [&[0x04, 0x20][..], &Sha256::digest(expected.as_bytes())].concat();
    match identifier {
        Some(it) if it.critical && it.value == wanted && names == Some(1) => Ok(()),
        Some(_) => Err("it shows another digest".to_owned()),
        None => Err("it shows an ordinary certificate".to_owned()),
    }
}
