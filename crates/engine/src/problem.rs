//! A refusal's JSON body (RFC 9457), written by hand: a flood of refusals must stay cheap.

use std::fmt::Write;

use tollgate_domain::PolicyScope;

use crate::denial::Denial;

/// What a problem says beside its denial.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'p> {
    /// Why.
    pub denial: &'p Denial,
    /// What the code is appended to, like `https://portal.example/problems/`.
    pub type_base: &'p str,
    /// The call's id.
    pub request_id: &'p str,
    /// The path that was called.
    pub instance: Option<&'p str>,
}

impl Problem<'_> {
    /// The body: `application/problem+json`.
    #[must_use]
    pub fn to_json(self) -> String {
        let denial = self.denial;
        let mut out = String::with_capacity(512);
        out.push_str("{\"type\":");
        string(&mut out, &[self.type_base, denial.code()]);
        field(&mut out, "title", denial.title());
        number(&mut out, "status", u64::from(denial.status()));
        field(&mut out, "detail", &detail(denial));
        if let Some(instance) = self.instance {
            field(&mut out, "instance", instance);
        }
        field(&mut out, "code", denial.code());
        field(&mut out, "request_id", self.request_id);
        field(&mut out, "hint", denial.hint());
        match denial {
            Denial::BadRequest(bad) => field(&mut out, "reason", bad.reason()),
            Denial::BodyTooLarge { bytes_max } => number(&mut out, "body_bytes_max", *bytes_max),
            Denial::PaymentRequired => {
                out.push_str(",\"pay_at\":");
                string(&mut out, &[portal_of(self.type_base), "billing"]);
            }
            Denial::ScopeMissing { scope } => field(&mut out, "scope", scope),
            Denial::AddressNotAllowed(scope) => {
                field(&mut out, "held_by", scope.map_or("key", PolicyScope::as_str));
            }
            Denial::ApiRetired { successor: Some(successor) } => {
                out.push_str(",\"successor\":");
                string(&mut out, &[portal_of(self.type_base), "apis/", successor]);
            }
            Denial::CreditsUsedUp => {
                out.push_str(",\"pay_at\":");
                string(&mut out, &[portal_of(self.type_base), "billing/credits"]);
            }
            Denial::SpendCapReached(subscription) => {
                out.push_str(",\"raise_at\":");
                string(
                    &mut out,
                    &[portal_of(self.type_base), "subscriptions/", &subscription.to_string(), "/cap"],
                );
            }
            Denial::RateLimited(hit) | Denial::QuotaExceeded(hit) => {
                number(&mut out, "retry_after", hit.retry_after_s);
                if hit.visible {
                    out.push_str(",\"limit\":{\"name\":");
                    string(&mut out, &[&hit.name]);
                    number(&mut out, "amount", hit.amount);
                    field(&mut out, "per", hit.period.as_str());
                    field(&mut out, "scope", hit.scope.as_str());
                    out.push('}');
                }
            }
            _ => {}
        }
        out.push('}');
        out
    }
}

/// The portal's address, ending in a slash, of that of its problem pages.
#[must_use]
pub fn portal_of(type_base: &str) -> &str {
    type_base.strip_suffix("problems/").unwrap_or(type_base)
}

/// One sentence about this occurrence.
fn detail(denial: &Denial) -> String {
    match denial {
        Denial::BadRequest(bad) => format!("The request was refused before routing: {}.", bad.reason()),
        Denial::ApiRetired { successor: Some(successor) } => {
            format!("The API that was published here is retired; {successor} takes its place.")
        }
        Denial::BodyTooLarge { bytes_max } => {
            format!(
                "A body of this operation, or a message of gRPC in it, may have at most {bytes_max} bytes."
            )
        }
        Denial::MethodNotAllowed { allow } => format!("This path takes {allow}."),
        Denial::RateLimited(hit) | Denial::QuotaExceeded(hit) if hit.visible => format!(
            "The limit \"{}\" of {}{} calls per {} is reached; it opens again in {} s.",
            hit.name,
            whose(hit.scope),
            hit.amount,
            hit.period.as_str(),
            hit.retry_after_s
        ),
        Denial::RateLimited(hit) | Denial::QuotaExceeded(hit) => {
            format!("A limit is reached; it opens again in {} s.", hit.retry_after_s)
        }
        other => other.occurrence().to_owned(),
    }
}

/// A plan's limits are the caller's own, and need no word.
const fn whose(scope: PolicyScope) -> &'static str {
    match scope {
        PolicyScope::Plan => "",
        PolicyScope::Operation => "this operation, ",
        PolicyScope::Api => "this API, ",
        PolicyScope::Platform => "all APIs here, ",
    }
}

fn field(out: &mut String, name: &str, value: &str) {
    // Names are ours and need no escapes.
    let _ = write!(out, ",\"{name}\":");
    string(out, &[value]);
}

fn number(out: &mut String, name: &str, value: u64) {
    let _ = write!(out, ",\"{name}\":{value}");
}

/// A JSON string (RFC 8259 §7) of the parts in a row.
fn string(out: &mut String, parts: &[&str]) {
    out.push('"');
    for c in parts.iter().flat_map(|part| part.chars()) {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::BadRequest;
    use crate::denial::LimitHit;

    fn body(denial: &Denial) -> String {
        Problem {
            denial,
            type_base: "https://p.example/problems/",
            request_id: "r\"1",
            instance: Some("/a\u{7}\\"),
        }
        .to_json()
    }

    #[test]
    fn a_problem_is_escaped_and_complete() {
        assert_eq!(
            body(&Denial::BadRequest(BadRequest::DotSegment)),
            "{\"type\":\"https://p.example/problems/bad_request_target\",\
             \"title\":\"The request target is not in its canonical form\",\"status\":400,\
             \"detail\":\"The request was refused before routing: dot_segment.\",\
             \"instance\":\"/a\\u0007\\\\\",\"code\":\"bad_request_target\",\"request_id\":\"r\\\"1\",\
             \"hint\":\"Write the path as RFC 3986 section 6 normalises it: no dot segments, no empty segments, \
             escapes only where needed.\",\"reason\":\"dot_segment\"}"
        );
    }

    #[test]
    fn whoever_owes_is_told_where_to_pay() {
        let unpaid = body(&Denial::PaymentRequired);
        assert!(unpaid.contains(r#""status":402"#), "{unpaid}");
        assert!(unpaid.ends_with(r#","pay_at":"https://p.example/billing"}"#), "{unpaid}");
    }

    #[test]
    fn a_protective_limit_is_not_described() {
        let mut hit = LimitHit {
            name: "shield".into(),
            scope: PolicyScope::Plan,
            amount: 77,
            period: tollgate_domain::Period::Second,
            visible: true,
            retry_after_s: 3,
        };
        let shown = body(&Denial::RateLimited(hit.clone()));
        assert!(
            shown.contains(
                r#""retry_after":3,"limit":{"name":"shield","amount":77,"per":"second","scope":"plan"}"#
            ),
            "{shown}"
        );
        hit.visible = false;
        let hidden = body(&Denial::RateLimited(hit));
        assert!(!hidden.contains("shield") && !hidden.contains("77") && hidden.contains("3 s"), "{hidden}");
    }
}
