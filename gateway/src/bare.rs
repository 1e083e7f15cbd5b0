//! For benches only: the proxy without its chain (feature `bare`, never shipped). A worker's first call is decided as ever,
//! and whatever it was admitted to holds for all that follow.

use std::cell::RefCell;

use tollgate_engine::Admission;

thread_local! {
    static ADMITTED: RefCell<Option<Admission>> = const { RefCell::new(None) };
}

/// What this worker's first call was admitted to.
pub(crate) fn admitted() -> Option<Admission> {
    ADMITTED.with_borrow(Clone::clone)
}

/// Keeps the first admission.
pub(crate) fn keep(admission: &Admission) {
    ADMITTED.with_borrow_mut(|kept| {
        kept.get_or_insert_with(|| admission.clone());
    });
}
