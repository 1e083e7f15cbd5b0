//! Articles that were rendered: at the first reading of a version, in each language once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tollgate_domain::ApiId;

use super::article::{Article, render};
use super::nav::Current;
use super::{Place, Reading};
use crate::error::Fault;
use crate::say;

/// How many bytes of articles one generation has; two are kept.
const GENERATION_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Everything that an article is made of: another document, name or address makes another one.
type Key = (ApiId, i32, i64, Place, Current, say::Language);

/// Articles that were rendered, as many as fit.
#[derive(Clone, Default)]
pub struct Articles(Arc<RwLock<Kept>>);

/// Two generations: when the young one is full it grows old, and what is read of the old one is young again. So what is
/// read stays, and what nobody reads goes, pages of earlier versions among it.
#[derive(Default)]
struct Kept {
    young: HashMap<Key, Arc<Article>>,
    old: HashMap<Key, Arc<Article>>,
    young_bytes: usize,
}

impl Kept {
    fn keep(&mut self, key: Key, article: Arc<Article>) {
        let bytes = article.bytes();
        if self.young_bytes + bytes > GENERATION_BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(key, article).is_none() {
            self.young_bytes += bytes;
        }
    }

    fn renew(&mut self, key: &Key) -> Option<Arc<Article>> {
        let (key, article) = self.old.remove_entry(key)?;
        self.keep(key, Arc::clone(&article));
        Some(article)
    }
}

impl std::fmt::Debug for Articles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Articles")
    }
}

impl Articles {
    /// The article of a page, rendered if it is not kept.
    ///
    /// # Errors
    /// There is no such operation, webhook or schema.
    pub async fn of(&self, reading: &Reading, current: Current) -> Result<Arc<Article>, Fault> {
        let api = &reading.api;
        let language = say::language();
        let place = reading.place.clone();
        let key = (api.id, api.document_number, api.version, place, current.clone(), language);
        if let Some(article) = self.find(&key) {
            return Ok(article);
        }
        let (document, place) = (Arc::clone(&reading.document), reading.place.clone());
        let (name, address) = (api.name.clone(), reading.address.clone());
        let rendered = tokio::task::spawn_blocking(move || {
            say::speaking(language, || render(&document, &place, &name, &address, &current))
        })
        .await;
        let article = rendered.map_err(|_| Fault::Problem(tollgate_web::Problem::internal()))??;
        let article = Arc::new(article.ok_or_else(Fault::not_found)?);
        self.0.write().unwrap_or_else(PoisonError::into_inner).keep(key, Arc::clone(&article));
        Ok(article)
    }

    fn find(&self, key: &Key) -> Option<Arc<Article>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(article) = kept.young.get(key) {
            return Some(Arc::clone(article));
        }
        let is_old = kept.old.contains_key(key);
        drop(kept);
        if is_old { self.0.write().unwrap_or_else(PoisonError::into_inner).renew(key) } else { None }
    }
}
