//! The audit log as it is read: what was done, by whom, to what.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_domain::{
    ApiId, ApplicationId, CredentialId, OrganizationId, PlanId, ProductId, ServiceId, SubscriptionId, UserId,
};
use tollgate_store::browse::AuditLine;

use crate::parts::sheet::Changed;
use crate::parts::{Cell, List};
use crate::session::Visit;
use crate::show::Moment;

/// What was done, in words: `plan.update` is `changed a plan`.
#[must_use]
pub fn told(action: &str) -> String {
    let (thing, verb) = action.split_once('.').unwrap_or((action, ""));
    let done = match verb {
        "create" => "made",
        "update" => "changed",
        "delete" => "deleted",
        "revoke" => "revoked",
        "publish" => "published a document of",
        "suspend" => "suspended",
        "resume" => "let go on",
        "disable" => "disabled",
        "enable" => "enabled",
        "sign_up" => "signed up as",
        "apply" => "applied files to",
        other => return format!("{} {}", other.replace('_', " "), thing),
    };
    let article = if thing.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let thing = if thing == "api" { "API" } else { thing };
    format!("{done} {article} {thing}")
}

/// Who did it.
#[must_use]
pub fn actor(line: &AuditLine) -> String {
    match (line.actor.as_deref(), line.actor_kind.as_str()) {
        (Some(name), "token") => format!("token {name}"),
        (Some(name), _) => name.to_owned(),
        (None, "system") => "Tollgate itself".into(),
        (None, "visitor") => "a visitor".into(),
        (None, kind) => format!("a {kind} that is gone"),
    }
}

/// What it was done to: the name that the entry has for it, with its page where it has one.
#[must_use]
pub fn subject(line: &AuditLine) -> Cell {
    let find = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let details = &line.details;
    let named = |key: &str| {
        find(details, key).or_else(|| find(&details["after"], key)).or_else(|| find(&details["before"], key))
    };
    let Some(id) = line.subject_id else { return Cell::Nothing("–") };
    let slug = named("slug");
    let (href, own) = match line.subject_kind.as_str() {
        "service" => {
            (slug.as_ref().map(|slug| format!("/admin/services/{slug}")), ServiceId::from(id).to_string())
        }
        "api" => (slug.as_ref().map(|slug| format!("/admin/apis/{slug}")), ApiId::from(id).to_string()),
        "product" => {
            (slug.as_ref().map(|slug| format!("/admin/products/{slug}")), ProductId::from(id).to_string())
        }
        "plan" => (None, PlanId::from(id).to_string()),
        "organization" => (
            Some(format!("/admin/organizations/{}", OrganizationId::from(id))),
            OrganizationId::from(id).to_string(),
        ),
        "user" => (Some(format!("/admin/developers/{}", UserId::from(id))), UserId::from(id).to_string()),
        "application" => (
            Some(format!("/admin/applications/{}", ApplicationId::from(id))),
            ApplicationId::from(id).to_string(),
        ),
        "subscription" => (
            Some(format!("/admin/subscriptions/{}", SubscriptionId::from(id))),
            SubscriptionId::from(id).to_string(),
        ),
        "key" => {
            (Some(format!("/admin/keys/{}", CredentialId::from(id))), CredentialId::from(id).to_string())
        }
        _ => (None, id.to_string()),
    };
    let deleted = line.action.ends_with(".delete");
    let text = named("name").or(slug).unwrap_or(own);
    match href.filter(|_| !deleted) {
        Some(href) => Cell::Way { href, text },
        None => Cell::Text(text),
    }
}

/// Rows of the log: when, who, what, to what.
#[must_use]
pub fn row(line: &AuditLine, visit: &Visit) -> Vec<Cell> {
    vec![
        Cell::Link {
            href: format!("/admin/audit/{}", line.sequence),
            text: capital(&told(&line.action)),
            second: line.action.clone(),
        },
        subject(line),
        Cell::Text(actor(line)),
        Cell::When(Moment::of(line.at, visit.now)),
    ]
}

/// A short log of one thing.
#[must_use]
pub fn list(lines: &[AuditLine], visit: &Visit) -> List {
    List::new("timeline", "Timeline")
        .column("What")
        .column("To")
        .column("By")
        .numbers("When")
        .or_empty("clock", "Nothing happened yet", "Every change is noted here with who made it.")
        .rows(lines.iter().map(|line| row(line, visit)))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

/// What an entry says changed: each field once, with what it was and what it is.
#[must_use]
pub fn changes(details: &Value) -> Vec<Changed> {
    let (before, after) = match (details.get("before"), details.get("after")) {
        (None, None) => (&Value::Null, details),
        (before, after) => (before.unwrap_or(&Value::Null), after.unwrap_or(&Value::Null)),
    };
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    flatten("", before, &mut old);
    flatten("", after, &mut new);
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Changed {
            name: if name.is_empty() { "value".to_owned() } else { name.clone() },
            before: old.get(name).cloned().unwrap_or_default(),
            after: new.get(name).cloned().unwrap_or_default(),
        })
        .collect()
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(key, value)| flatten(&below(key), value, into)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                // Limits and the like are told by their names, so that one put in between does not seem to change all.
                let key =
                    item.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                flatten(&below(&key), item, into);
            }
        }
        Value::String(text) => {
            into.insert(path.to_owned(), text.clone());
        }
        other => {
            into.insert(path.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told_and_a_limit_is_known_by_its_name() {
        let details = json!({
            "before": { "name": "Free", "limits": [{ "name": "rate", "amount": 5 }, { "name": "quota", "amount": 100 }] },
            "after": { "name": "Free", "limits": [{ "name": "quota", "amount": 200 }] },
        });
        let told: Vec<(String, String, String)> =
            changes(&details).into_iter().map(|one| (one.name, one.before, one.after)).collect();
        let line =
            |name: &str, before: &str, after: &str| (name.to_owned(), before.to_owned(), after.to_owned());
        assert_eq!(
            told,
            [
                line("limits.quota.amount", "100", "200"),
                line("limits.rate.amount", "5", ""),
                line("limits.rate.name", "rate", ""),
            ]
        );
    }

    #[test]
    fn actions_read_like_a_sentence() {
        assert_eq!(told("plan.update"), "changed a plan");
        assert_eq!(told("api.publish"), "published a document of an API");
        assert_eq!(told("webhook.replay_all"), "replay all webhook");
    }
}
