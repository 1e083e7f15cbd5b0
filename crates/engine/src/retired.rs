//! What was published once: its paths are known, so that whoever still calls them is told that it is gone.

use std::collections::HashMap;
use std::sync::Arc;

use tollgate_domain::RetiredApi;

use crate::router::pattern;

/// The paths of retired APIs, beside those that are served: none of them takes a call that anybody else would answer.
#[derive(Debug, Default)]
pub(crate) struct Retired {
    hosts: HashMap<Box<str>, matchit::Router<u32>>,
    any_host: matchit::Router<u32>,
    /// What takes the place of each.
    successors: Vec<Option<Arc<str>>>,
}

impl Retired {
    /// Of two that had the same path the first is told of; a path that no call can have is left out.
    pub(crate) fn of(apis: &[RetiredApi]) -> Self {
        let mut retired = Self::default();
        for api in apis {
            let index = retired.successors.len() as u32;
            retired.successors.push(api.successor.as_deref().map(Arc::from));
            for path in api.paths.iter().filter_map(|path| pattern(&api.base_path, path).ok()) {
                if api.hosts.is_empty() {
                    let _ = retired.any_host.insert(path.as_str(), index);
                }
                for host in &api.hosts {
                    let _ =
                        retired.hosts.entry(host.as_str().into()).or_default().insert(path.as_str(), index);
                }
            }
        }
        retired
    }

    /// The successor, where there is one, of the API that had this path.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<Option<Arc<str>>> {
        let own = self.hosts.get(host).into_iter();
        let found = own.chain([&self.any_host]).find_map(|router| router.at(path).ok())?;
        self.successors.get(*found.value as usize).cloned()
    }
}
