//! Certificates that an authority issues: ordered by the control plane, proven by the gateway, presented to callers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tollgate_control::{AcmeAccountInput, Actor, Control, OrderInput};
use tollgate_domain::{CertificateId, ChallengeKind};
use tollgate_engine::Peppers;
use tollgate_gateway::tls::TlsSettings;
use tollgate_gateway::{Gateway, RunningGateway, Settings};
use tollgate_store::CertificateRow;
use tollgate_testkit::{AcmeServer, AcmeTrouble, TestDatabase, presented};

const HOST: &str = "api.example.com";
const PEPPER: &[u8; 32] = b"a pepper of exactly 32 bytes.!?.";

struct Town {
    control: Control,
    authority: AcmeServer,
    gateway: Option<RunningGateway>,
    shutdown: CancellationToken,
    _database: TestDatabase,
    _dir: tempfile::TempDir,
}

impl Town {
    /// A gateway over a database, and an authority that finds every host there.
    async fn found() -> Self {
        let database = TestDatabase::create().await;
        let peppers = Peppers::new(vec![(1, *PEPPER)]).expect("one pepper");
        let dir = tempfile::tempdir().unwrap();
        let mut gateway = Settings::new(
            dir.path().join("gateway"),
            "https://portal.example/problems".into(),
            peppers.clone(),
        );
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        (gateway.listen, gateway.operator_listen) = (anywhere, anywhere);
        gateway.tls = Some(TlsSettings::new(anywhere));
        gateway.drain_delay = Duration::ZERO;
        let shutdown = CancellationToken::new();
        let gateway = Gateway::start(gateway, Arc::new(database.store()), shutdown.clone()).await.unwrap();
        let authority = AcmeServer::start(gateway.gateway_addr, gateway.tls_addr.unwrap()).await;
        let settings = tollgate_control::Settings {
            acme_roots: Some(authority.root_file.clone()),
            ..tollgate_control::Settings::default()
        };
        let control = Control::new(database.store(), Arc::new(peppers), settings);
        let account = AcmeAccountInput {
            directory: authority.directory.clone(),
            contacts: vec!["ops@example.com".into()],
            terms_agreed: true,
        };
        control.put_acme_account(&Actor::system(), None, account).await.unwrap();
        Self { control, authority, gateway: Some(gateway), shutdown, _database: database, _dir: dir }
    }

    async fn order(&self, challenge: ChallengeKind) -> CertificateId {
        let slug = challenge.as_str().parse().unwrap();
        let input = OrderInput { slug, names: vec![HOST.into()], challenge, is_default: false };
        self.control.order_certificate(&Actor::system(), input).await.unwrap().id
    }

    /// Works on it, and reads it again.
    async fn work(&self, id: CertificateId) -> CertificateRow {
        self.control.work_on_order(id).await.unwrap();
        self.control.store().get_certificate(id).await.unwrap()
    }

    /// Works on it although it is not due.
    async fn again(&self, id: CertificateId) -> CertificateRow {
        self.control.renew_certificate(&Actor::system(), id).await.unwrap();
        self.work(id).await
    }

    async fn presents(&self, wanted: &String) {
        let address = self.gateway.as_ref().unwrap().tls_addr.unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while presented(address, HOST, &self.authority.issuer_pem()).await.ok().as_ref() != Some(wanted) {
            assert!(Instant::now() < deadline, "it is not presented");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn open_challenges(&self) -> usize {
        self.control.store().feed_blueprint().await.unwrap().challenges.len()
    }

    async fn close(mut self) {
        self.shutdown.cancel();
        self.gateway.take().unwrap().stopped().await;
    }
}

#[tokio::test]
async fn a_certificate_is_issued_either_way_and_presented_and_renewed_in_time() {
    let town = Town::found().await;
    for (challenge, orders) in [(ChallengeKind::Http01, 1), (ChallengeKind::TlsAlpn01, 2)] {
        let id = town.order(challenge).await;
        let row = town.work(id).await;
        let order = row.order.0.expect("it goes on");
        assert_eq!((order.error, order.attempts), (None, 0), "{challenge}");
        let issued = row.issued.0.expect("it is issued");
        let left = issued.valid_until - order.due_at;
        assert!((30..=32).contains(&left.num_days()), "a third of ninety days: {left}");
        town.presents(&issued.fingerprint).await;
        assert_eq!(town.authority.figures(), (1, orders, orders), "one account, one look each");
        assert_eq!(town.open_challenges().await, 0);
        // Of two that end in the same second the older would be presented on.
        town.control.delete_certificate(&Actor::system(), id, None).await.unwrap();
    }
    town.close().await;
}

#[tokio::test]
async fn what_is_due_is_ordered_again_and_what_is_not_is_left_alone() {
    let town = Town::found().await;
    // Due at once, since its renewal lies before now: it began a minute ago and lasts as long as it takes to write this.
    town.authority.lifetime_seconds(600);
    let id = town.order(ChallengeKind::Http01).await;
    let first = town.work(id).await.issued.0.expect("it is issued");
    assert_eq!(town.work(id).await.issued.0.unwrap().fingerprint, first.fingerprint, "it is not due");
    let second = town.again(id).await.issued.0.expect("it is issued again");
    assert_ne!(second.fingerprint, first.fingerprint);
    town.presents(&second.fingerprint).await;
    town.close().await;
}

#[tokio::test]
async fn a_failure_is_told_on_the_certificate_which_is_presented_on_and_tried_again_later() {
    let town = Town::found().await;
    let id = town.order(ChallengeKind::Http01).await;
    let issued = town.work(id).await.issued.0.expect("it is issued");
    for (trouble, words) in [
        (AcmeTrouble::RateLimited, "too many certificates this week"),
        (AcmeTrouble::Broken, "it is broken today"),
        (AcmeTrouble::AnotherKey, "is not the key of the first certificate"),
    ] {
        town.authority.trouble(trouble);
        let row = town.again(id).await;
        let order = row.order.0.expect("it goes on");
        let error = order.error.expect("it failed");
        assert!(error.contains(words), "{error}");
        assert!(order.due_at - order.error_at.unwrap() > chrono::TimeDelta::seconds(200));
        assert_eq!(row.issued.0.unwrap().fingerprint, issued.fingerprint);
        assert_eq!(town.open_challenges().await, 0);
    }
    town.presents(&issued.fingerprint).await;
    town.authority.trouble(AcmeTrouble::None);
    assert_eq!(town.again(id).await.order.0.unwrap().attempts, 0);
    town.close().await;
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_not_certified_and_the_authoritys_words_are_told() {
    let town = Town::found().await;
    let id = town.order(ChallengeKind::Http01).await;
    // Somebody else answers for it.
    let elsewhere = AcmeServer::start("127.0.0.1:9".parse().unwrap(), "127.0.0.1:9".parse().unwrap()).await;
    let account =
        AcmeAccountInput { directory: elsewhere.directory.clone(), contacts: vec![], terms_agreed: true };
    let settings = tollgate_control::Settings {
        acme_roots: Some(elsewhere.root_file.clone()),
        ..tollgate_control::Settings::default()
    };
    let peppers = Peppers::new(vec![(1, *PEPPER)]).unwrap();
    let control = Control::new(town.control.store().clone(), Arc::new(peppers), settings);
    control.put_acme_account(&Actor::system(), None, account).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), control.work_on_order(id)).await.unwrap().unwrap();
    let row = control.store().get_certificate(id).await.unwrap();
    assert!(row.issued.0.is_none());
    let error = row.order.0.unwrap().error.unwrap();
    assert!(error.contains(HOST) && error.contains("refused"), "{error}");
    town.close().await;
}
