use super::*;
use prometheus_client::encoding::text::encode;
use tollgate_engine::compile;

use crate::platform::blueprint;

#[test]
fn a_finished_call_is_in_the_scrape_under_its_route_template() {
    let snapshot = compile(&blueprint(1)).unwrap();
    let metrics = Arc::new(Metrics::default());
    let routes = metrics.routes_of(snapshot.routes());
    routes[0].finished(204, Duration::from_millis(20), Some(Duration::from_millis(3)));
    metrics.refused("no_credential");
    let again = metrics.routes_of(snapshot.routes());
    assert!(Arc::ptr_eq(&again[0], &routes[0]));

    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let labels =
        r#"http_request_method="GET",http_route="/v1/r0/items/{item}",http_response_status_class="2xx""#;
    assert!(text.contains(&format!("http_server_request_duration_seconds_count{{{labels}}} 1")), "{text}");
    assert!(text.contains(&format!(r#"_bucket{{le="0.01",{labels}}} 0"#)), "{text}");
    assert!(text.contains(&format!(r#"_bucket{{le="0.025",{labels}}} 1"#)), "{text}");
    assert!(text.contains(r#"tollgate_refusals_total{code="no_credential"} 1"#), "{text}");
    assert!(text.contains("tollgate_upstream_duration_seconds_count"), "{text}");
}
