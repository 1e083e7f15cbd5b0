//! A call of the log once more: where it is tried out, with what is known of it filled in.

use tollgate_domain::RouteId;
use tollgate_store::RequestRow;

use crate::PortalState;
use crate::error::{Fault, query_value};
use crate::pages::reference::Place;
use crate::session::Visit;

/// The address of the page on which the call can be made again, with its path's values and its key; none where its operation
/// is gone or the viewer is not offered it any more. What stood behind `?` and in the body is in no log.
///
/// # Errors
/// The database is away.
pub async fn href(state: &PortalState, visit: &Visit, row: &RequestRow) -> Result<Option<String>, Fault> {
    let Some(id) = row.route_id else { return Ok(None) };
    let Some((route, api)) = state.store.find_route(RouteId::from(id)).await? else { return Ok(None) };
    let Some(product) = state.store.find_offer(api.id, visit.viewer()).await? else { return Ok(None) };
    let place = Place { product: product.slug.to_string(), api: api.slug.to_string() };
    let path = row.path.as_deref().unwrap_or_default();
    let path = path.strip_prefix(&api.base_path).unwrap_or_default();
    let mut query: Vec<String> = values(&route.path, path)
        .into_iter()
        .map(|(name, value)| format!("in.path.{}={}", query_value(name), query_value(&value)))
        .collect();
    if let Some(key) = row.credential_id {
        query.push(format!("key={}", tollgate_domain::CredentialId::from(key)));
    }
    let operation = place.operation(&route.operation_id);
    Ok(Some(format!("{operation}/try?{}", query.join("&"))))
}

/// What stands in a path where its template has a name; nothing where they do not fit.
fn values<'t>(template: &'t str, path: &str) -> Vec<(&'t str, String)> {
    let (wanted, found): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != found.len() {
        return Vec::new();
    }
    let mut values = Vec::new();
    for (wanted, found) in wanted.into_iter().zip(found) {
        let name = wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) => values.push((name, decoded(found))),
            None if wanted == found => {}
            None => return Vec::new(),
        }
    }
    values
}

/// A segment without its percent signs (RFC 3986, 2.1).
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_path_are_found_by_its_template() {
        let found = values("/countries/{code}/cities/{city}", "/countries/de/cities/K%C3%B6ln%2F1");
        assert_eq!(found, [("code", "de".to_owned()), ("city", "Köln/1".to_owned())]);
        assert!(values("/countries/{code}", "/countries").is_empty());
        assert!(values("/a/{x}", "/b/1").is_empty());
        assert_eq!(decoded("100%"), "100%");
    }
}
