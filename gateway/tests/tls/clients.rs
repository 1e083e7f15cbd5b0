//! Callers' own certificates: asked for, verified, told, and never believed from a field.

use std::path::PathBuf;

use tollgate_gateway::tls::ClientCertificates;
use tollgate_testkit::Authority;

use crate::dial::{Dialler, settings, stored};
use crate::stage::{Plot, Stage, until};

const FORGED: &[(&str, &str)] = &[
    ("Client-Cert", ":Zm9yZ2Vk:"),
    ("Client-Cert-Chain", ":Zm9yZ2Vk:"),
    ("X-Client-Cert-Subject", "CN=admin"),
    ("X-Client-Cert-Anything", "x"),
];

struct World {
    stage: Stage,
    servers: Authority,
    clients: Authority,
    _file: tempfile::NamedTempFile,
}

async fn world(wanted: ClientCertificates) -> World {
    world_of(wanted, Authority::new(), None).await
}

async fn world_of(wanted: ClientCertificates, clients: Authority, lists: Option<PathBuf>) -> World {
    let servers = Authority::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), clients.pem()).unwrap();
    let path: PathBuf = file.path().to_owned();
    let mut plot = Plot::new().await.tune(move |settings| {
        let mut tls = self::settings();
        tls.client_certificates = wanted;
        tls.client_authorities = Some(path.clone());
        tls.client_revocations = lists.clone();
        settings.tls = Some(tls);
    });
    plot.blueprint.certificates = vec![stored(1, 1, &servers.issue(&["api.example"]), false)];
    World { stage: plot.start().await, servers, clients, _file: file }
}

#[tokio::test]
async fn a_shown_certificate_is_told_to_the_upstream_and_forged_fields_are_not() {
    let world = world(ClientCertificates::Optional).await;
    let own = world.clients.issue_client("robot.example");
    let dialler = Dialler::with(&world.stage, &world.servers, Some(&own));
    let mut caller = dialler.dial("api.example").await.unwrap();
    let answer = caller.call("GET /v1/items", &world.stage.key, FORGED).await.unwrap();
    assert_eq!(answer.status(), 200);
    let seen = world.stage.upstream.last();
    assert_eq!(seen.field("x-client-cert-subject"), Some("CN=robot.example"));
    assert_eq!(seen.field("x-client-cert-names"), Some("DNS:robot.example"));
    assert_eq!(seen.field("x-client-cert-thumbprint").unwrap().len(), 43);
    assert_eq!(seen.field("x-client-cert-key-thumbprint").unwrap().len(), 43);
    assert!(seen.field("client-cert").unwrap().starts_with(":MII"));
    assert_eq!((seen.field("client-cert-chain"), seen.field("x-client-cert-anything")), (None, None));

    let mut caller = Dialler::new(&world.stage, &world.servers).dial("api.example").await.unwrap();
    assert_eq!(caller.call("GET /v1/items", &world.stage.key, FORGED).await.unwrap().status(), 200);
    assert!(!world.stage.upstream.last().dump().to_lowercase().contains("client-cert"));
}

#[tokio::test]
async fn on_the_plain_port_nobody_is_believed_either() {
    let stage = Plot::new().await.start().await;
    let bearer = format!("Bearer {}", stage.key);
    let fields: Vec<_> =
        [("Authorization", bearer.as_str())].into_iter().chain(FORGED.iter().copied()).collect();
    assert_eq!(stage.client().await.call("GET /v1/items", &fields).await.status(), 200);
    assert!(!stage.upstream.last().dump().to_lowercase().contains("client-cert"));
}

#[tokio::test]
async fn where_one_is_required_only_a_good_one_connects() {
    let world = world(ClientCertificates::Required).await;
    let good = world.clients.issue_client("robot.example");
    let stranger = Authority::new().issue_client("robot.example");
    for (own, served) in [(Some(&good), true), (None, false), (Some(&stranger), false)] {
        let dialler = Dialler::with(&world.stage, &world.servers, own);
        // In TLS 1.3 the client is done before the server has seen its certificate.
        let answer = match dialler.dial("api.example").await {
            Ok(mut caller) => caller.call("GET /v1/items", &world.stage.key, &[]).await,
            Err(_) => None,
        };
        assert_eq!(answer.map(|answer| answer.status()), served.then_some(200));
    }
}

/// Whether a call on a new connection is served.
async fn is_served(world: &World, dialler: &Dialler) -> bool {
    match dialler.dial("api.example").await {
        Ok(mut caller) => caller.call("GET /v1/items", &world.stage.key, &[]).await.is_some(),
        Err(_) => false,
    }
}

#[tokio::test]
async fn a_revoked_certificate_connects_no_more_not_even_by_an_earlier_session() {
    let clients = Authority::new();
    let [good, gone, later] = ["good", "gone", "later"].map(|name| clients.issue_client(name));
    let dir = tempfile::tempdir().unwrap();
    let lists = dir.path().join("revoked.pem");
    std::fs::write(&lists, clients.revoke(&[&gone])).unwrap();
    let world = world_of(ClientCertificates::Required, clients, Some(lists.clone())).await;
    let [good, gone, later] =
        [&good, &gone, &later].map(|own| (Dialler::with(&world.stage, &world.servers, Some(own)), own));
    assert!(is_served(&world, &good.0).await && is_served(&world, &later.0).await);
    assert!(!is_served(&world, &gone.0).await);

    // What is no list changes nothing; the next one is followed. The dialler takes its session up again, and is refused.
    let replace = |text: String| {
        let new = dir.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, &lists).unwrap();
    };
    replace("half a li".to_owned());
    assert!(!is_served(&world, &gone.0).await);
    replace(world.clients.revoke(&[gone.1, later.1]));
    until("the list is followed", async || !is_served(&world, &later.0).await).await;
    assert!(is_served(&world, &good.0).await);
    let due = world.stage.metric("tollgate_tls_revocation_list_expiry_seconds").await;
    assert!(due.is_some_and(|due| (0.0..=3_600.0).contains(&due)), "{due:?}");
}
