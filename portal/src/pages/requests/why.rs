//! Why a call ended as it did, in plain words, and what to do about it.

use serde_json::Value;
use tollgate_store::RequestRow;

use crate::say::{say, t};

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
    let why = |what: &'static str, fix, link: Option<(&'static str, &'static str)>| {
        Some(Why { what: t(what).to_owned(), fix: t(fix), link: link.map(|(text, href)| (t(text), href)) })
    };
    let Some(code) = row.code.as_deref() else {
        return match row.status {
            400..500 => why("why-api-4xx", "why-api-4xx-fix", Some(("limits-browse", "/"))),
            500.. => why("why-api-5xx", "why-api-5xx-fix", None),
            _ => None,
        };
    };
    match code {
        "rate_limited" => {
            let is_of_plan = text("scope").is_none_or(|scope| scope == "plan");
            let allowed = if is_of_plan { "why-rate-limited" } else { "why-rate-limited-policy" };
            let limit = match (number("amount"), text("per")) {
                (Some(amount), Some(per)) => say(allowed).count(amount).with("period", per).into(),
                _ => t("why-too-soon").to_owned(),
            };
            let wait = number("retry_after_s").map_or_else(String::new, |seconds| {
                format!(" {}", say("why-opened-again").with("seconds", seconds))
            });
            Some(Why {
                what: format!("{limit}{wait}"),
                fix: t(if is_of_plan { "why-rate-limited-fix" } else { "why-rate-limited-policy-fix" }),
                link: Some((t("why-see-limits"), "/limits")),
            })
        }
        "quota_exceeded" => {
            why("why-quota-exceeded", "why-quota-exceeded-fix", Some(("why-see-limits", "/limits")))
        }
        "scope_missing" => {
            why("why-scope-missing", "why-scope-missing-fix", Some(("applications-yours", "/applications")))
        }
        "address_not_allowed" if text("held_by").is_some() => {
            why("why-address-not-allowed-policy", "why-address-not-allowed-policy-fix", None)
        }
        "address_not_allowed" => why(
            "why-address-not-allowed",
            "why-address-not-allowed-fix",
            Some(("applications-yours", "/applications")),
        ),
        "key_origin_not_allowed" => why(
            "why-key-origin-not-allowed",
            "why-key-origin-not-allowed-fix",
            Some(("applications-yours", "/applications")),
        ),
        "not_entitled" => why("why-not-entitled", "why-not-entitled-fix", Some(("limits-browse", "/"))),
        "subscription_suspended" => why(
            "why-subscription-suspended",
            "why-subscription-suspended-fix",
            Some(("applications-yours", "/applications")),
        ),
        "api_retired" => why("why-api-retired", "why-api-retired-fix", Some(("limits-browse", "/"))),
        "payment_required" => {
            why("why-payment-required", "why-payment-required-fix", Some(("around-billing", "/billing")))
        }
        "spend_cap_reached" => why(
            "why-spend-cap-reached",
            "why-spend-cap-reached-fix",
            Some(("applications-yours", "/applications")),
        ),
        "credits_used_up" => {
            why("why-credits-used-up", "why-credits-used-up-fix", Some(("why-credits", "/billing/credits")))
        }
        "missing_credential" => why(
            "why-missing-credential",
            "why-missing-credential-fix",
            Some(("applications-yours", "/applications")),
        ),
        "invalid_credential" => why(
            "why-invalid-credential",
            "why-invalid-credential-fix",
            Some(("applications-yours", "/applications")),
        ),
        "expired_credential" => why(
            "why-expired-credential",
            "why-expired-credential-fix",
            Some(("applications-yours", "/applications")),
        ),
        "route_not_found" => {
            why("why-route-not-found", "why-route-not-found-fix", Some(("limits-browse", "/")))
        }
        "method_not_allowed" => {
            why("why-method-not-allowed", "why-method-not-allowed-fix", Some(("limits-browse", "/")))
        }
        "upstream_unreachable" | "upstream_failed" | "upstream_timeout" => {
            why("why-upstream-unreachable", "why-api-5xx-fix", None)
        }
        _ => why("why-other", "why-other-fix", None),
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
            let code = name.split('.').next().expect("a code");
            let why = explain(&sample(429, Some(code), None)).expect(code);
            assert!(!why.what.is_empty() && why.fix.ends_with('.'), "{code}");
        }
    }
}
