//! Why a call ended as it did, in plain words, and what to do about it.

use serde_json::Value;
use tollgate_store::RequestRow;

/// What happened, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// One sentence.
    pub what: String,
    /// What to do.
    pub fix: &'static str,
    /// Where that can be done here.
    pub link: Option<(&'static str, &'static str)>,
}

/// Explains a call that was refused or failed; none for one that was answered.
pub fn explain(row: &RequestRow) -> Option<Why> {
    let text = |name: &str| row.detail.as_ref().and_then(|detail| detail.get(name)).and_then(Value::as_str);
    let number = |name: &str| row.detail.as_ref().and_then(|detail| detail.get(name)).and_then(Value::as_u64);
    let why = |what: &str, fix, link| Some(Why { what: what.to_owned(), fix, link });
    let Some(code) = row.code.as_deref() else {
        return match row.status {
            400..500 => why(
                "The service itself answered so. The gateway had let the call through.",
                "Look at the answer's body: it is the service's own. The reference says which answers an operation has.",
                Some(("Open the products", "/")),
            ),
            500.. => why(
                "The service itself failed on this call. It was not charged.",
                "Try again, with growing pauses. If it stays, tell the publisher the request id.",
                None,
            ),
            _ => None,
        };
    };
    match code {
        "rate_limited" => {
            let limit = match (number("amount"), text("per")) {
                (Some(amount), Some(per)) => {
                    format!("The plan allows {amount} calls per {per}, and this one came sooner.")
                }
                _ => "This call came sooner than is allowed.".to_owned(),
            };
            let wait = number("retry_after_s")
                .map_or_else(String::new, |seconds| format!(" It opened again {seconds} s later."));
            why(
                &format!("{limit}{wait}"),
                "Wait as long as Retry-After says, and spread calls evenly. A larger plan allows more speed.",
                Some(("See your limits", "/limits")),
            )
        }
        "quota_exceeded" => why(
            "All calls that the plan includes this month were used.",
            "The quota opens again on the first of the month, UTC. A larger plan opens it at once.",
            Some(("See your limits", "/limits")),
        ),
        "scope_missing" => why(
            "The key is held to other operations than this one.",
            "Add the operation to the key under Restrict, or use another key.",
            Some(("Your applications", "/applications")),
        ),
        "address_not_allowed" => why(
            "The key is held to some networks, and this call came from another.",
            "Add the network to the key under Restrict, if it is yours.",
            Some(("Your applications", "/applications")),
        ),
        "key_origin_not_allowed" => why(
            "The key is held to pages of some sites, and this call came from another, or from no page.",
            "Add the site to the key under Restrict, or use a key of its own on servers.",
            Some(("Your applications", "/applications")),
        ),
        "not_entitled" => why(
            "The key works, but its application has no subscription in force to a product with this API.",
            "Subscribe the application to the product. It is in force within a second.",
            Some(("Browse products", "/")),
        ),
        "subscription_suspended" => why(
            "The subscription of this application is suspended.",
            "Ask the publisher why; nothing that you send differently helps.",
            Some(("Your applications", "/applications")),
        ),
        "api_retired" => why(
            "The API that was called is retired: it is not served any more.",
            "The problem that was answered names what takes its place, where there is something.",
            Some(("Browse products", "/")),
        ),
        "payment_required" => why(
            "A bill for this subscription was not paid in time.",
            "Pay it; the same keys work again within a second.",
            Some(("Billing", "/billing")),
        ),
        "spend_cap_reached" => why(
            "The month's spend cap of this subscription is spent.",
            "Raise it, or wait until the month is over. Nothing was charged for the call.",
            Some(("Your applications", "/applications")),
        ),
        "credits_used_up" => why(
            "The credits that this subscription's calls are paid from are used up.",
            "Add credits; the same keys work again within seconds.",
            Some(("Credits", "/billing/credits")),
        ),
        "missing_credential" => why(
            "The call carried no key.",
            "Send it in the header X-API-Key.",
            Some(("Your applications", "/applications")),
        ),
        "invalid_credential" => why(
            "The call carried a key that is unknown or was revoked.",
            "Check that the whole key was copied, and that it was not revoked. A lost key is replaced by a new one.",
            Some(("Your applications", "/applications")),
        ),
        "expired_credential" => why(
            "The key was past its end.",
            "Make a new key, or rotate one that still works.",
            Some(("Your applications", "/applications")),
        ),
        "route_not_found" => why(
            "No API is published at this host and path.",
            "Compare method, base path and version with the reference; a final slash counts.",
            Some(("Browse products", "/")),
        ),
        "method_not_allowed" => why(
            "The path is right, the method is not.",
            "The header Allow of the answer names the methods that are.",
            Some(("Browse products", "/")),
        ),
        "upstream_unreachable" | "upstream_failed" | "upstream_timeout" => why(
            "The service behind the gateway did not answer as it should. The call was not charged.",
            "Try again, with growing pauses. If it stays, tell the publisher the request id.",
            None,
        ),
        _ => why(
            "The gateway refused the call before it reached the service.",
            "The page of the error code says what it means and how to mend it.",
            None,
        ),
    }
}

#[cfg(test)]
pub(super) fn sample(status: i16, code: Option<&str>, detail: Option<Value>) -> RequestRow {
    RequestRow {
        id: 1,
        at: crate::pages::SAMPLE_NOW.parse().expect("an instant"),
        request_id: "01936f0e-7a1c-7b52-9f0e-2c1d3b4a5e6f".into(),
        minted: true,
        node: uuid::Uuid::nil(),
        organization_id: None,
        application_id: None,
        credential_id: None,
        subscription_id: None,
        plan_id: None,
        api_id: None,
        route_id: None,
        method: Some("GET".into()),
        host: Some("api.example.com".into()),
        path: Some("/countries/v1/countries".into()),
        status,
        code: code.map(str::to_owned),
        detail,
        duration_us: 840,
        upstream_us: None,
        bytes_in: 0,
        bytes_out: 412,
        client: Some("203.0.113.0/24".into()),
        user_agent: Some("curl/8.5".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_limit_is_told_with_its_numbers_unless_it_is_not_shown() {
        let detail =
            serde_json::json!({ "limit": "burst", "amount": 10, "per": "second", "retry_after_s": 1 });
        let why = explain(&sample(429, Some("rate_limited"), Some(detail))).expect("refused");
        assert_eq!(
            why.what,
            "The plan allows 10 calls per second, and this one came sooner. It opened again 1 s later."
        );
        let hidden = serde_json::json!({ "retry_after_s": 3 });
        let why = explain(&sample(429, Some("rate_limited"), Some(hidden))).expect("refused");
        assert_eq!(why.what, "This call came sooner than is allowed. It opened again 3 s later.");
        assert_eq!(explain(&sample(200, None, None)), None);
        assert!(explain(&sample(404, None, None)).is_some_and(|why| why.what.contains("service itself")));
    }

    #[test]
    fn every_code_of_the_gateway_has_an_explanation_and_a_page() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/problems");
        for file in directory.read_dir().expect("problem pages") {
            let name = file.expect("a file").file_name().into_string().expect("a name");
            let code = name.trim_end_matches(".md");
            let why = explain(&sample(429, Some(code), None)).expect(code);
            assert!(!why.what.is_empty() && why.fix.ends_with('.'), "{code}");
        }
    }
}
