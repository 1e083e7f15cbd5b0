//! How a document says that callers prove who they are.

use serde_json::Value;

use crate::check::resolve;
use crate::view::SecurityNeed;

/// The ways to call an operation, any of which will do; none where the document asks for nothing.
pub(crate) fn security(root: &Value, operation: &Value) -> Vec<Vec<SecurityNeed>> {
    let ways = operation.get("security").or_else(|| root.get("security")).and_then(Value::as_array);
    let schemes = root.pointer("/components/securitySchemes");
    let way = |needs: &Value| -> Vec<SecurityNeed> {
        let needs = needs.as_object().into_iter().flatten();
        needs
            .map(|(name, scopes)| SecurityNeed {
                scheme: name.clone(),
                kind: schemes
                    .and_then(|all| all.get(name))
                    .map(|one| kind(resolve(root, one)))
                    .unwrap_or_default(),
                scopes: scopes
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            })
            .collect()
    };
    let ways: Vec<Vec<SecurityNeed>> = ways.into_iter().flatten().map(way).collect();
    if ways.iter().all(Vec::is_empty) { Vec::new() } else { ways }
}

fn kind(scheme: &Value) -> String {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "apiKey" => format!("key in the {} {}", text("in"), text("name")),
        "http" => match text("scheme").to_ascii_lowercase().as_str() {
            "bearer" => "bearer token".to_owned(),
            "basic" => "user and password".to_owned(),
            other => format!("HTTP {other}"),
        },
        "oauth2" => "OAuth 2.0".to_owned(),
        "openIdConnect" => "OpenID Connect".to_owned(),
        "mutualTLS" => "client certificate".to_owned(),
        other => other.to_owned(),
    }
}
