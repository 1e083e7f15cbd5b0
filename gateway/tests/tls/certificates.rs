//! Which certificate a caller gets, and how that changes.

use tollgate_gateway::{Gateway, StartError};
use tollgate_testkit::Authority;

use crate::dial::{Dialler, fingerprint, settings, stage, stored};
use crate::fake_source::FakeSource;
use crate::stage::{Plot, quick_settings, until};

#[tokio::test]
async fn a_call_over_tls_is_served_and_its_upstream_is_told() {
    let authority = Authority::new();
    let stage = stage(vec![stored(1, 1, &authority.issue(&["api.example"]), false)]).await;
    let mut caller = Dialler::new(&stage, &authority).dial("api.example").await.unwrap();
    for _ in 0..2 {
        let answer =
            caller.call("GET /v1/items", &stage.key, &[("X-Forwarded-Proto", "http")]).await.unwrap();
        assert_eq!((answer.status(), answer.body.as_slice()), (200, &b"hello"[..]));
    }
    let seen = stage.upstream.last();
    assert_eq!(seen.field("x-forwarded-proto"), Some("https"));
    assert!(seen.field("forwarded").unwrap().contains("proto=https"));
    assert_eq!(stage.metric(r#"tollgate_tls_handshakes_total{result="completed"}"#).await, Some(1.0));
}

#[tokio::test]
async fn the_name_that_is_asked_for_decides() {
    let authority = Authority::new();
    let (exact, wild, fallback) = (
        authority.issue(&["api.example.com"]),
        authority.issue(&["*.example.com"]),
        authority.issue(&["fallback.example"]),
    );
    let stage =
        stage(vec![stored(1, 1, &exact, false), stored(2, 1, &wild, false), stored(3, 1, &fallback, true)])
            .await;
    let dialler = Dialler::new(&stage, &authority);
    assert_eq!(dialler.presented("api.example.com").await, fingerprint(&exact.chain));
    assert_eq!(dialler.presented("API.example.com").await, fingerprint(&exact.chain));
    assert_eq!(dialler.presented("shop.example.com").await, fingerprint(&wild.chain));
    assert_eq!(dialler.presented("fallback.example").await, fingerprint(&fallback.chain));
    let error =
        dialler.dial("stranger.example").await.err().expect("the default is for another name").to_string();
    assert!(error.contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn without_a_fitting_certificate_there_is_no_connection() {
    let authority = Authority::new();
    let stage = stage(vec![stored(1, 1, &authority.issue(&["api.example"]), false)]).await;
    assert!(Dialler::new(&stage, &authority).dial("stranger.example").await.is_err());
    let failed = r#"tollgate_tls_handshakes_total{result="failed"}"#;
    until("it is counted", async || stage.metric(failed).await == Some(1.0)).await;
}

#[tokio::test]
async fn a_new_certificate_is_presented_while_old_connections_go_on() {
    let authority = Authority::new();
    let (old, new) = (authority.issue(&["api.example"]), authority.issue(&["api.example"]));
    let stage = stage(vec![stored(1, 1, &old, false)]).await;
    let dialler = Dialler::new(&stage, &authority);
    let mut caller = dialler.dial("api.example").await.unwrap();
    assert_eq!(caller.certificate(), fingerprint(&old.chain));
    assert_eq!(caller.call("GET /v1/items", &stage.key, &[]).await.unwrap().status(), 200);

    stage.source.change_blueprint(|blueprint| blueprint.certificates = vec![stored(1, 2, &new, false)]);
    until("the new certificate", async || dialler.presented("api.example").await == fingerprint(&new.chain))
        .await;
    assert_eq!(caller.call("GET /v1/items", &stage.key, &[]).await.unwrap().status(), 200);

    // One that does not open stands back alone, and its last good version stays.
    let mut swapped = stored(1, 3, &old, false);
    swapped.key_sealed = stored(2, 1, &old, false).key_sealed;
    let other = authority.issue(&["other.example"]);
    stage.source.change_blueprint(|blueprint| {
        blueprint.certificates = vec![swapped, stored(3, 1, &other, false)];
    });
    until("the other", async || dialler.dial("other.example").await.is_ok()).await;
    assert_eq!(dialler.presented("api.example").await, fingerprint(&new.chain));
    assert_eq!(stage.metric("tollgate_certificates_refused").await, Some(1.0));

    stage.source.change_blueprint(|blueprint| blueprint.certificates.clear());
    until("none", async || dialler.dial("api.example").await.is_err()).await;
    assert_eq!(caller.call("GET /v1/items", &stage.key, &[]).await.unwrap().status(), 200);
}

/// What is in a directory, and below it.
fn all_files(dir: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(all_files(&path));
        } else {
            // Files come and go while a gateway works.
            bytes.extend(std::fs::read(path).unwrap_or_default());
        }
    }
    bytes
}

#[tokio::test]
async fn certificates_survive_on_disk_and_their_keys_are_sealed_there_too() {
    let authority = Authority::new();
    let issued = authority.issue(&["api.example"]);
    let mut plot = Plot::new().await.tune(|settings| settings.tls = Some(self::settings()));
    plot.blueprint.certificates = vec![stored(1, 1, &issued, false)];
    let source = FakeSource::new(plot.blueprint.clone(), vec![plot.consumer.clone()]);
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("gateway");
    let mut first = plot.start_in(source.clone(), &data_dir).await;
    let is_there = |bytes: &[u8]| bytes.windows(15).any(|part| part == b"\"certificates\":");
    until("it is on disk", async || is_there(&all_files(&data_dir))).await;
    first.stop().await;
    let saved = all_files(&data_dir);
    let secret = issued.key.lines().nth(1).unwrap().as_bytes().to_vec();
    assert!(!saved.windows(secret.len()).any(|part| part == secret));
    assert!(!saved.windows(11).any(|part| part == b"PRIVATE KEY"));

    source.set_away(true);
    let plot = Plot::new().await.tune(|settings| settings.tls = Some(self::settings()));
    let second = plot.start_in(source, &data_dir).await;
    let presented = Dialler::new(&second, &authority).presented("api.example").await;
    assert_eq!(presented, fingerprint(&issued.chain));
}

#[tokio::test]
async fn files_are_served_and_a_bad_pair_stops_the_start_by_name() {
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let put = |stem: &str, chain: &str, key: &str| {
        std::fs::write(dir.path().join(format!("{stem}.crt")), chain).unwrap();
        std::fs::write(dir.path().join(format!("{stem}.key")), key).unwrap();
    };
    let (good, other) = (authority.issue(&["files.example"]), authority.issue(&["files.example"]));
    put("site", &good.chain, &good.key);
    let path = dir.path().to_owned();
    let tune = move |settings: &mut tollgate_gateway::Settings| {
        let mut tls = self::settings();
        tls.certificates = Some(path.clone());
        settings.tls = Some(tls);
    };
    let stage = Plot::new().await.tune(tune.clone()).start().await;
    let presented = Dialler::new(&stage, &authority).presented("files.example").await;
    assert_eq!(presented, fingerprint(&good.chain));
    let left =
        stage.metric(r#"tollgate_certificate_expiry_seconds{name="site",source="file"}"#).await.unwrap();
    assert!((3_000.0..=3_600.0).contains(&left), "{left}");

    for (chain, key, words) in [
        (&good.chain, &other.key, "site.key: is not the key of the first certificate"),
        (&authority.issue_expired(&["files.example"]).chain, &good.key, "site.crt: expired on"),
    ] {
        put("site", chain, key);
        let data = tempfile::tempdir().unwrap();
        let mut settings = quick_settings(data.path());
        tune(&mut settings);
        let source = FakeSource::new(Plot::new().await.blueprint, vec![]);
        let refused = Gateway::start(settings, source, tokio_util::sync::CancellationToken::new()).await;
        let Err(error @ StartError::Tls(_)) = refused else { panic!("it starts with {words}") };
        assert!(error.to_string().contains(words), "{error}");
    }
}
