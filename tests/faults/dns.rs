//! The name of an upstream moves to another address, and cannot be resolved any more: calls follow, and go on.

use std::path::Path;

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::process::Command;
use tollgate_testkit::{Upstream, World, month_quota};

use crate::load::{Load, get};
use crate::rig::{Process, Rig, binary, until};

const NAME: &str = "items.upstream.test";

/// Gives a process a file of names of its own in place of the machine's.
const WITH_NAMES: &str = r#"mount --bind "$1" /etc/hosts && shift && exec "$@""#;

fn gateway_with_names(rig: &Rig, names: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", WITH_NAMES, "sh"]).arg(names);
    command.arg(binary());
    rig.dress(&mut command);
    command.env("TOLLGATE_UPSTREAM_LOOK_UP_SECONDS", "1");
    command
}

fn may_mount(names: &Path) -> bool {
    let tried = std::process::Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", WITH_NAMES, "sh"])
        .arg(names)
        .arg("true")
        .output();
    tried.is_ok_and(|output| output.status.success())
}

async fn upstream(listener: TcpListener, says: &'static str) -> Upstream {
    Upstream::on(listener, Router::new().route("/items", any(move || async move { says })))
}

#[tokio::test]
async fn calls_follow_a_name_to_its_new_address_and_go_on_when_it_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let names = dir.path().join("hosts");
    // In place: a file that is replaced is not the one that was mounted.
    let resolves_to = |address: &str| std::fs::write(&names, format!("{address} {NAME}\n")).unwrap();
    resolves_to("127.0.0.1");
    if !may_mount(&names) {
        println!("not run: this account may not mount");
        return;
    }
    let rig = Rig::new().await;
    let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let (_first, _second) = (upstream(first, "first").await, upstream(second, "second").await);
    let url = format!("http://{NAME}:{port}");
    let world = World::publish(&rig.store, "named", "/v2", &url, &[month_quota(1_000_000)]).await;
    let gateway = Process::start(gateway_with_names(&rig, &names)).await.expect("the gateway serves");
    let said = async || {
        let answer = get(gateway.gateway, "/v2/items", Some(&world.key)).await.expect("an answer");
        (answer.status, answer.body)
    };
    until("the name is resolved", async || said().await == (200, "first".to_owned())).await;

    let load = Load::start_on(gateway.gateway, "/v2/items", &world.key, 2, 50);
    resolves_to("127.0.0.2");
    until("calls follow", async || said().await == (200, "second".to_owned())).await;
    std::fs::write(&names, "").unwrap();
    let seen = load.tally.finished();
    // Some rounds of looking for it in vain.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    until("calls go on", async || load.tally.finished() > seen + 100).await;
    assert_eq!(said().await, (200, "second".to_owned()));
    resolves_to("127.0.0.1");
    until("calls follow again", async || said().await == (200, "first".to_owned())).await;
    let tally = load.stop().await;
    assert_eq!((tally.broken(), tally.other()), (0, vec![]));
}
