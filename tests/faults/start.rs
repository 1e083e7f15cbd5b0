//! What must not start: it ends before it accepts anything, and says by name what is wrong.

use std::net::TcpListener;

use tokio::process::Command;
use tokio::time::timeout;
use tollgate_boot::Secrets;
use tollgate_engine::key::Peppers;
use tollgate_testkit::{Authority, peppers_variable};

use crate::load::Caller;
use crate::rig::{PATIENCE, Rig};

/// A pepper that no database of these tests was set up with.
const ANOTHER: &str = "7094c87dd41b891c31a1fac19fcc72efc37309d0932862dbad21579e229771ed";

/// How a start ended: what it said.
async fn refused(mut command: Command) -> String {
    let ended =
        timeout(PATIENCE, command.output()).await.expect("it ends by itself").expect("it was started");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success(), "{said}");
    assert!(!said.contains("gateway serving"), "nothing was accepted: {said}");
    said
}

#[tokio::test]
async fn case_182_a_taken_port_an_expired_certificate_and_another_pepper_end_the_start_by_name() {
    let rig = Rig::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for variable in ["TOLLGATE_GATEWAY_LISTEN", "TOLLGATE_OPERATOR_LISTEN"] {
        let mut command = rig.command();
        command.env(variable, &address);
        let said = refused(command).await;
        assert!(said.contains(&address) && said.contains(variable), "{said}");
    }

    let certificates = tempfile::tempdir().unwrap();
    let expired = Authority::new().issue_expired(&["a.example"]);
    std::fs::write(certificates.path().join("a.crt"), &expired.chain).unwrap();
    std::fs::write(certificates.path().join("a.key"), &expired.key).unwrap();
    let mut command = rig.command();
    command
        .env("TOLLGATE_GATEWAY_TLS_LISTEN", "127.0.0.1:0")
        .env("TOLLGATE_TLS_CERT_DIR", certificates.path());
    let said = refused(command).await;
    assert!(said.contains("a.crt: expired on"), "{said}");

    let authority = Authority::new();
    let (one, other) = (authority.issue(&["a.example"]), authority.issue(&["a.example"]));
    std::fs::write(certificates.path().join("a.crt"), &one.chain).unwrap();
    std::fs::write(certificates.path().join("a.key"), &other.key).unwrap();
    let mut command = rig.command();
    command
        .env("TOLLGATE_GATEWAY_TLS_LISTEN", "127.0.0.1:0")
        .env("TOLLGATE_TLS_CERT_DIR", certificates.path());
    let said = refused(command).await;
    assert!(said.contains("a.key: ") && said.contains("not the key of the first certificate"), "{said}");

    let own = Peppers::new(Secrets::from_list(&peppers_variable()).unwrap().peppers).unwrap();
    rig.store.pepper_fingerprint(1, &own.fingerprint(1).expect("version 1")).await.unwrap();
    let mut command = rig.command();
    command.env("TOLLGATE_PEPPERS", format!("1:{ANOTHER}"));
    let said = refused(command).await;
    assert!(said.contains("pepper 1 is not the one it was set up with"), "{said}");
    rig.gateway().await;
}

#[tokio::test]
async fn case_185_a_second_process_on_a_directory_is_refused_and_a_storm_of_hangups_stops_nothing() {
    let rig = Rig::new().await;
    let mut first = rig.gateway().await;
    let said = refused(rig.command()).await;
    assert!(
        said.contains("is in use by another tollgate") && said.contains(&first.id().to_string()),
        "{said}"
    );
    // Calls go on all through the storm, on one connection that it does not break.
    let mut caller = Caller::connect(first.gateway).await.expect("it listens");
    for _ in 0..50 {
        for _ in 0..10 {
            first.signal(nix::sys::signal::Signal::SIGHUP);
        }
        let answer = caller.call("/v1/items", Some(&rig.world.key)).await.expect("an answer");
        assert_eq!(answer.status, 200);
    }
    let said = refused(rig.command()).await;
    assert!(said.contains("is in use by another tollgate"), "still, and by the same: {said}");
    assert!(!first.has_ended());
    first.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(first.ended().await.success());
    assert_eq!(rig.counted().await, 50, "each call once, of one journal");
}
