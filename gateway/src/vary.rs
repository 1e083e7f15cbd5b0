//! By which fields of a call it was told whose it is: what a cache before the gateway must know.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tollgate_domain::{Api, ApiId};

/// The value of `Vary` for every API at whose address another one is told apart from it.
pub(crate) fn of(apis: &[Api]) -> HashMap<ApiId, Arc<[u8]>> {
    let choosy: Vec<&Api> = apis.iter().filter(|api| !api.match_headers.is_empty()).collect();
    if choosy.is_empty() {
        return HashMap::new();
    }
    let named = apis.iter().filter_map(|api| {
        let beside = choosy.iter().filter(|other| is_beside(api, other));
        let names: BTreeSet<&str> =
            beside.flat_map(|other| &other.match_headers).map(|condition| condition.name.as_str()).collect();
        let value = names.into_iter().collect::<Vec<_>>().join(", ");
        (!value.is_empty()).then(|| (api.id, value.into_bytes().into()))
    });
    named.collect()
}

/// Whether a call of one could have been one of the other, as far as host and base path tell.
fn is_beside(one: &Api, other: &Api) -> bool {
    let shares_host = one.hosts.is_empty()
        || other.hosts.is_empty()
        || one.hosts.iter().any(|host| other.hosts.contains(host));
    let below = |path: &str, base: &str| {
        path.strip_prefix(base).is_some_and(|rest| matches!(rest.as_bytes(), [] | [b'/', ..]))
    };
    shares_host && (below(&one.base_path, &other.base_path) || below(&other.base_path, &one.base_path))
}
