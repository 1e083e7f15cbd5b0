//! Gateways that are gone with their disks.

use chrono::Utc;
use tollgate_control::{Actor, Error};
use uuid::Uuid;

use crate::funds::Wallet;

#[tokio::test]
async fn a_gateway_that_is_gone_with_its_disk_is_given_up_by_hand_and_not_while_it_speaks() {
    let wallet = Wallet::prepaid(400).await;
    let (control, store) = (&wallet.fixture.control, wallet.fixture.control.store());
    let (lost, system) = (Uuid::now_v7(), Actor::system());
    let lent = wallet.borrow_all(lost, wallet.subscription).await;
    wallet.call(lost, wallet.subscription, 30, 0).await;
    assert_eq!(lent, 400);
    let report = tollgate_store::NodeReport {
        boot_id: lost,
        name: "edge-1",
        version: "1",
        revision: 1,
        state: "serving",
        last_error: None,
        hash: None,
        counted_at: None,
    };
    store.gateway_heartbeat(&report).await.unwrap();
    let early = control.forget_gateway(&system, "edge-1").await;
    assert!(matches!(&early, Err(Error::Conflict(why)) if why.contains("edge-1")), "{early:?}");
    assert!(matches!(control.forget_gateway(&wallet.member, "edge-1").await, Err(Error::Forbidden)));
    assert!(matches!(control.forget_gateway(&system, "edge-2").await, Err(Error::NotFound(_))));
    wallet.fixture.database.run("update gateway_nodes set seen_at = now() - interval '2 minutes'").await;
    assert_eq!(control.forget_gateway(&system, "edge-1").await.unwrap(), [lost]);
    control.look_after_credits(Utc::now()).await.unwrap();
    let other = Uuid::now_v7();
    assert_eq!(
        wallet.borrow_all(other, wallet.subscription).await,
        370,
        "what it is known to have spent is spent"
    );
    assert_eq!(
        wallet.count("select count(*) from audit_entries where action = $1", "gateway.forget").await,
        1
    );
    assert!(matches!(control.forget_gateway(&system, "edge-1").await, Err(Error::NotFound(_))), "it is gone");
}
