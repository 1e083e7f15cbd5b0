//! What operators see of the gateways: who is well, who refuses something, and who went silent.

use tollgate_store::NodeReport;
use uuid::Uuid;

use crate::site::Site;

fn report<'r>(name: &'r str, revision: i64, last_error: Option<&'r str>) -> NodeReport<'r> {
    let hash = Some("9f86d081884c7d65");
    NodeReport {
        boot_id: Uuid::now_v7(),
        name,
        version: "1",
        revision,
        state: "serving",
        last_error,
        hash,
        counted_at: None,
    }
}

#[tokio::test]
async fn a_gateway_that_is_well_one_that_refuses_a_row_and_one_that_went_silent_are_told_apart() {
    let site = Site::open().await;
    let mut admin = site.browser();
    admin.become_admin("ada@tollgate.test").await;
    let store = site.control.store().clone();
    let revision = store.feed_head().await.unwrap().revision;

    store.gateway_heartbeat(&report("edge-well", revision, None)).await.unwrap();
    let page = admin.get("/admin/gateways").await.text;
    assert!(page.contains("edge-well") && page.contains("9f86d081884c7d65"), "{page}");
    assert!(
        page.contains("1 of 1") && !page.contains("Silent") && !page.contains("refuses a part"),
        "{page}"
    );

    let fault = "revision 7: service svc_1: targets/0/url: it is no URL";
    store.gateway_heartbeat(&report("edge-faulty", revision, Some(fault))).await.unwrap();
    for path in ["/admin/gateways", "/admin"] {
        let page = admin.get(path).await.text;
        assert!(page.contains("edge-faulty refuses a part of the configuration"), "{path}: {page}");
        assert!(page.contains(fault), "{path}");
    }

    store.gateway_heartbeat(&report("edge-gone", revision, None)).await.unwrap();
    site.run("delete from gateway_nodes where name = 'edge-faulty'").await;
    site.run("update gateway_nodes set seen_at = now() - interval '2 minutes' where name = 'edge-gone'")
        .await;
    for path in ["/admin/gateways", "/admin"] {
        let page = admin.get(path).await.text;
        assert!(page.contains("edge-gone has not been heard of"), "{path}: {page}");
    }
    let page = admin.get("/admin/gateways").await.text;
    assert!(page.contains("Silent") && page.contains("1 of 1"), "it does not count as serving: {page}");
}
